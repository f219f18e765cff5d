"""A copy brought up to a new version: the course's new cells, and all that the learner wrote."""

import random
from copy import deepcopy

import nbformat
import pytest
from learner import Course, answer, built, code, exercise, find, markdown, own, texts

from course.workbook.merge import bring_up, carried, is_up_to_date, stamped
from course.workbook.ownership import text_of

OLD = Course.third()
NEW = Course.third(
    first="from course.models.toy_attention import ToyAttention",
    above="import course.heads",
    second="soft_lookup(2)  # clearer",
    more=[*exercise("3.3", "attention"), markdown("## Summary")],
)


def copy() -> dict:
    return stamped(deepcopy(OLD))


def test_untouched_it_becomes_the_new_version():
    merged = bring_up(copy(), NEW)
    assert texts(merged.notebook) == texts(NEW)
    assert (merged.answers, merged.other_cells, merged.gone) == ([], 0, [])
    assert is_up_to_date(merged.notebook, NEW) and not is_up_to_date(copy(), NEW)
    nbformat.validate(nbformat.from_dict(merged.notebook))


def test_answers_go_under_the_new_stubs_imports():
    merged = bring_up(answer(copy(), "3.1"), NEW)
    cell = merged.notebook["cells"][find(merged.notebook, "def soft_lookup")]
    assert text_of(cell).startswith('import course.heads\n\n\n@exercise("3.1")\ndef soft_lookup(x):')
    assert text_of(cell).endswith("return x + 1  # 我的")
    assert cell["metadata"] == {"tags": ["exercise"], "course": {"exercise": "3.1"}}
    assert merged.answers == ["3.1"]


def test_what_an_unchanged_cell_showed_is_kept():
    mine = answer(copy(), "3.2")
    shown = [{"output_type": "stream", "name": "stdout", "text": ["mine\n"]}]
    mine["cells"][find(mine, 'check("3.2")')] |= {"outputs": shown, "execution_count": 77}
    merged = bring_up(mine, NEW).notebook
    check = merged["cells"][find(merged, 'check("3.2")')]
    assert (check["outputs"], check["execution_count"]) == (shown, 77)
    changed = merged["cells"][find(merged, "clearer")]
    assert changed["outputs"][0]["text"] == ["built\n"]


@pytest.mark.parametrize(
    "above, below",
    [
        ("# 03", "from course.models"),
        ("from course.models", "### ✎ Exercise 3.1"),  # the cell above is another one in the new version
        ("def soft_lookup", 'check("3.1")'),
        ('check("3.1")', "clearer"),
        ("clearer", "### ✎ Exercise 3.2"),
        ('check("3.2")', "### ✎ Exercise 3.3"),
    ],
)
def test_own_cells_stay_at_their_place(above, below):
    old_above = {"from course.models": "from course.toy", "clearer": "soft_lookup(1)"}.get(above, above)
    mine = copy()
    at = find(mine, old_above) + 1
    mine["cells"][at:at] = [own("import course.gpt\nmy = 1"), own("*note*", "n-2", markdown)]
    got = texts(bring_up(mine, NEW).notebook)
    where = next(n for n, text in enumerate(got) if above in text)
    assert got[where + 1 : where + 3] == ["import course.models.gpt\nmy = 1", "*note*"]
    assert below in got[where + 3]


def test_own_cells_above_all_stay_there():
    mine = copy()
    mine["cells"].insert(0, own("top = 1"))
    assert texts(bring_up(mine, NEW).notebook)[0] == "top = 1"


def test_a_cell_of_the_course_that_was_changed_is_kept():
    mine, same = copy(), Course.third(more=[markdown("new")])
    mine["cells"][find(mine, "soft_lookup(1)")]["source"] = "soft_lookup(5)"
    kept = bring_up(mine, same)
    assert "soft_lookup(5)" in texts(kept.notebook) and "soft_lookup(1)" not in texts(kept.notebook)
    both = texts(bring_up(mine, NEW).notebook)  # the course changed it too
    at = both.index("soft_lookup(2)  # clearer")
    assert both[at + 1].startswith("*Yours") and both[at + 2] == "soft_lookup(5)"


def test_an_answer_to_an_exercise_that_is_gone_stands_at_the_end_as_text():
    mine = answer(answer(copy(), "3.1"), "3.2")
    new = built("03", markdown("# 03"), *exercise("3.1", "other_name"), *exercise("3.5", "soft_lookup"))
    merged = bring_up(mine, new)
    last = merged.notebook["cells"][-1]
    assert last["cell_type"] == "markdown" and len(merged.gone) == 2
    assert "Exercise 3.1 is exercise 3.5 now: copy your answer there." in text_of(last)
    assert "Exercise 3.2 is no longer in this notebook." in text_of(last)
    assert text_of(last).count("return x + 1  # 我的") == 2
    assert texts(merged.notebook)[:-1] == texts(new), "nothing that could not run"


def test_a_second_attempt_is_a_cell_of_their_own():
    mine = answer(copy(), "3.1")
    at = find(mine, "def soft_lookup") + 1
    mine["cells"].insert(at, own('@exercise("3.1")\ndef soft_lookup(x):\n    return 2', "try-2"))
    merged = bring_up(mine, NEW)
    got = texts(merged.notebook)
    first = next(n for n, text in enumerate(got) if "return x + 1" in text)
    assert "return 2" in got[first + 1] and got[first + 2] == 'check("3.1")'


def test_halves_of_a_split_exercise_are_both_kept():
    """JupyterLab gives both halves the metadata."""
    mine = answer(copy(), "3.1")
    at = find(mine, "def soft_lookup")
    helper = {**deepcopy(mine["cells"][at]), "id": "half", "source": "def helper():\n    return 1"}
    mine["cells"].insert(at, helper)
    merged = bring_up(mine, NEW)
    got = merged.notebook["cells"]
    assert text_of(got[find(merged.notebook, "def helper")]) == "def helper():\n    return 1"
    assert got[find(merged.notebook, "def helper")]["metadata"] == {"tags": []}
    assert "return x + 1" in text_of(got[find(merged.notebook, "def soft_lookup")])


def test_an_editor_that_drops_ids_loses_nothing():
    mine = answer(copy(), "3.1")
    mine["cells"].insert(2, own("my = 1"))
    for cell in mine["cells"]:
        del cell["id"]
    merged = bring_up(mine, NEW)
    expected = texts(NEW)
    expected.insert(2, "my = 1")
    got = texts(merged.notebook)
    assert "return x + 1" in got[expected.index(next(t for t in expected if "def soft_lookup" in t))]
    assert [t for t in got if "soft_lookup(x)" not in t] == [t for t in expected if "soft_lookup(x)" not in t]
    ids = [cell["id"] for cell in merged.notebook["cells"]]
    assert len(set(ids)) == len(ids)


def test_again_nothing_happens():
    mine = answer(copy(), "3.1")
    mine["cells"].insert(4, own("my = 1"))
    mine["cells"][find(mine, "soft_lookup(1)")]["source"] = "soft_lookup(5)"
    once = bring_up(mine, NEW).notebook
    assert is_up_to_date(once, NEW)
    assert bring_up(once, NEW).notebook == once


def test_an_answer_keeps_what_the_learner_put_above_it():
    stub = 'import numpy as np\nfrom course.models.gpt import GPT\n\n\n@exercise("9.1")\ndef f(x):\n    ...'
    mine = (
        "import numpy as np\nfrom course.gpt import GPT\nimport itertools  # mine\n\n"
        'LIMIT = 3\n\n\n@exercise("9.1")\ndef f(x):\n    return LIMIT'
    )
    got = carried(mine, stub)
    assert got.startswith(
        "import numpy as np\nfrom course.models.gpt import GPT\n\n\nimport itertools  # mine\n"
    )
    assert got.count("import GPT") == 1 and "LIMIT = 3\n\n\n@exercise" in got
    assert carried(got, stub) == got


def test_a_class_gets_its_new_base():
    stub = 'import course.heads\n\n\n@exercise("3.6")\nclass M(course.heads.M):\n    ...'
    mine = 'import course.attention\n\n\n@exercise("3.6")\nclass M(course.attention.M):\n'
    mine += '    """Mine."""\n    x = 1'
    assert carried(mine, stub) == stub.replace("    ...", '    """Mine."""\n    x = 1')


@pytest.mark.parametrize("seed", range(30))
def test_nothing_that_was_written_is_lost(seed):
    """Whatever is changed, moved, deleted, duplicated: each text of theirs is in the new copy, for good."""
    draw = random.Random(seed)
    mine, written = copy(), []
    for n in range(12):
        at = draw.randrange(len(mine["cells"]))
        cell = mine["cells"][at]
        mark = f"mark_{seed}_{n} = {n}"
        act = draw.choice(["own", "change", "delete", "move", "duplicate", "answer"])
        if act == "own":
            mine["cells"].insert(at, own(mark, f"own-{n}"))
            written.append(mark)
        elif act == "change" and cell["cell_type"] == "code" and "check(" not in text_of(cell):
            cell["source"] = text_of(cell) + f"\n{mark}"
            written.append(mark)
        elif act == "delete" and not any(w in text_of(cell) for w in written) and len(mine["cells"]) > 3:
            del mine["cells"][at]
        elif act == "move":
            mine["cells"].insert(draw.randrange(len(mine["cells"])), mine["cells"].pop(at))
        elif act == "duplicate":
            mine["cells"].insert(at, {**deepcopy(cell), "id": f"twin-{n}"})
        elif act == "answer":
            answer(mine, draw.choice(["3.1", "3.2"]), f"return {n}  # {mark}")
            written += [mark] if any(mark in t for t in texts(mine)) else []
    written = [w for w in written if any(w in t for t in texts(mine))]
    for new in (NEW, built("03", markdown("# 03"), code("other"), *exercise("3.2", "scaled_dot_score"))):
        merged = bring_up(mine, new).notebook
        everything = "\n".join(texts(merged))
        assert all(mark in everything for mark in written)
        nbformat.validate(nbformat.from_dict(merged))
        assert bring_up(merged, new).notebook == merged
        assert [t for t in texts(new) if "@exercise" not in t and t not in texts(merged)] == [
            t for t in texts(new) if "@exercise" not in t and t not in texts(merged) and t in texts(OLD)
        ], "all that is new is there"
