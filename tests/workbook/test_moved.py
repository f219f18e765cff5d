"""Every name that the package had before it was put into rooms is found where it is now."""

from importlib import import_module
from pathlib import Path

import pytest

from course.workbook.moved import MODULES, NAMES, home, rewritten

NAMES_OF_CDB2EB4 = Path(__file__).with_name("names_at_cdb2eb4.txt")
OLD = [line.split() for line in NAMES_OF_CDB2EB4.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("module, names", [(module, names) for module, *names in OLD])
def test_what_was_public_is_found_where_it_is_now(module, names):
    assert import_module(home(module))
    lost = [name for name in names if not hasattr(import_module(home(module, name)), name)]
    assert not lost, f"{module} had {lost}: where are they now? Say so in course/workbook/moved.py"


def test_the_tables_name_places_that_exist():
    for place in {*MODULES.values(), *(new for homes in NAMES.values() for new in homes)}:
        import_module(place)


@pytest.mark.parametrize(
    "old, new",
    [
        ("from course.toy import ToyAttention", "from course.models.toy_attention import ToyAttention"),
        ("import course.gpt", "import course.models.gpt"),
        ("import course.gpt as g, math", "import course.models.gpt as g, math"),
        ("from course import gpt, masks", "from course.models import gpt\nfrom course import masks"),
        ("from course import toy\ntoy.x", "from course.models import toy_attention as toy\ntoy.x"),
        ("from course.exercises import check, hint", "from course import check, hint"),
        (
            "if 1:\n    from course.scores import (\n        accuracy,  # a\n        fit_tags as t,\n    )",
            "if 1:\n    from course.studies.metrics import accuracy\n"
            "    from course.studies.baselines import fit_tags as t",
        ),
        ("注 = '意'; from course.toy import a; x", "注 = '意'; from course.models.toy_attention import a; x"),
        ("x = '注' + course.gpt.GPT(3).y", "x = '注' + course.models.gpt.GPT(3).y"),
        (
            "import course.scores\ncourse.scores.fit_tags(course.scores.accuracy)",
            "import course.studies.metrics, course.studies.baselines\n"
            "course.studies.baselines.fit_tags(course.studies.metrics.accuracy)",
        ),
        ("%time f()\n!ls\nimport course.gpt", "%time f()\n!ls\nimport course.models.gpt"),
        ("%%time\nimport course.gpt", "%%time\nimport course.models.gpt"),
    ],
)  # fmt: skip
def test_code_is_rewritten(old, new):
    assert rewritten(old) == new
    assert rewritten(new) == new, "once and for all"


@pytest.mark.parametrize(
    "code",
    ["from course.masks import causal_mask  # mine", "def f(:", "%%html\n<b>", "", "x.course.gpt"],
)  # fmt: skip
def test_other_code_stays_as_it_is(code):
    assert rewritten(code) == code
