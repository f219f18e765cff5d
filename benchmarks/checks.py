"""The checks, measured with answers that were written without a look at them: who is accepted, what is said.

    python benchmarks/checks.py [NOTEBOOK ... | second] [--show EXERCISE] [--print] [--verdicts FILE]

Every answer of ``answers/nbNN.py`` (a cell each, headed ``# %% 3.1 wrong | what was done``) is run in an
IPython shell as a learner would run it, below the notebook's first cell, and checked with ``check(id)``. All
in one process, so that an answer which spoils something for the next one shows. The verdicts are kept in
``answers/verdicts.json``. Whether what a verdict says is TRUE of the answer is for a person to say: read its
``diagnosis`` against ``done`` (the cell's own sentence) and set ``true`` to true or false; later runs keep it
as long as the diagnosis stays the same. ``--print``: the table of what is kept; ``--show 3.1``: sentences.

``second`` is a set of its own, ``answers/second.py``, whose writers had seen neither parts nor banks; its
verdicts are kept in ``answers/second.json``.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import re
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

import course.exercises  # makes the banks known
from course.workbook.judge import judge
from course.workbook.record import MIME, exercises_of, find

HERE = Path(__file__).parent / "answers"
SOURCES = Path(course.__file__).parents[1] / "notebooks" / "source"
HEAD = re.compile(r"^# %% (\d+\.\d+) (right|wrong) \| (.*)$", re.M)
SORTS = {
    "mistake": "a known mistake by its name",
    "property": "the property that fails",
    "raises": "what the code raises",
    "place": "where the first entry differs",
}


@dataclass(frozen=True)
class Answer:
    """A cell, whether it is right, and what its author says it does."""

    exercise: str
    number: int
    right: bool
    done: str
    code: str


@dataclass
class Record:
    """What became of an answer; ``true`` is a person's judgement of the diagnosis (None: not yet judged)."""

    exercise: str
    number: int
    right: bool
    done: str
    state: str
    sort: str
    mistake: str | None
    diagnosis: str
    points: str
    seconds: float
    cpu: float
    true: bool | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.exercise, self.done

    @property
    def accepted(self) -> bool:
        return self.state == "right"


# ---- answers -----------------------------------------------------------------------------------------


def answers_of(file: Path) -> list[Answer]:
    """The answers in a file, in its order."""
    text = file.read_text(encoding="utf-8")
    heads = list(HEAD.finditer(text))
    if len(heads) != text.count("\n# %%"):
        raise ValueError(f"{file.name}: a cell's head is not '# %% 3.1 wrong | what was done'")
    ends = [h.start() for h in heads[1:]] + [len(text)]
    return [
        Answer(h[1], n, h[2] == "right", h[3].strip(), text[h.end() : end].strip() + "\n")
        for n, (h, end) in enumerate(zip(heads, ends, strict=True), 1)
    ]


def first_cell(number: int) -> str:
    """The code cell by which a notebook begins: what every answer may use."""
    text = next(SOURCES.glob(f"{number:02d}_*.md")).read_text(encoding="utf-8")
    cells = re.findall(r"^```\{code-cell\}[^\n]*\n(.*?)^```", text, re.M | re.S)
    cell = next(c for c in cells if "from course import" in c)
    return re.sub(r"\A(:[^\n]*\n|---\n.*?---\n)+", "", cell, flags=re.S)


# ---- a learner's shell -------------------------------------------------------------------------------


class Learner:
    """One IPython shell for all answers; each finds the first cell's names and the earlier exercises'."""

    def __init__(self):
        from IPython.core.interactiveshell import InteractiveShell

        self.shell = InteractiveShell.instance()
        self.shell.history_manager.enabled = False

    def run(self, code: str):
        from IPython.utils.capture import capture_output

        with capture_output() as seen:
            result = self.shell.run_cell(code, store_history=False)
        return seen, result.error_before_exec or result.error_in_exec

    def start(self, exercise: str) -> None:
        """A fresh namespace, as it is when the learner comes to this exercise."""
        number = int(exercise.split(".")[0])
        self.shell.user_ns.clear()
        self.shell.init_user_ns()
        _, error = self.run(first_cell(number))
        if error:
            raise error
        names = {e.name: e.reference for e in exercises_of(number) if minor(e.id) < minor(exercise)}
        self.shell.user_ns.update(names)

    def hand_in(self, answer: Answer) -> Record:
        self.start(answer.exercise)
        _, error = self.run(answer.code)
        if error:
            return record(answer, "error", "raises", f"the cell raises {type(error).__name__}: {error}")
        wall, cpu = time.perf_counter(), time.process_time()
        seen, error = self.run(f'check("{answer.exercise}")')
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        data = next((o.data[MIME] for o in seen.outputs if MIME in o.data), None)
        if error or data is None:
            return record(answer, "error", "raises", f"check raises {type(error).__name__}: {error}")
        return record(answer, data["state"], sort_of(data), data["diagnosis"], data["mistake"],
                      f"{data['points']}/{data['total']}", wall, cpu)  # fmt: skip


def minor(id: str) -> int:
    return int(id.split(".")[1])


def record(answer: Answer, state: str, sort: str, diagnosis: str, mistake: str | None = None,
           points: str = "", seconds: float = 0.0, cpu: float = 0.0) -> Record:  # fmt: skip
    return Record(answer.exercise, answer.number, answer.right, answer.done, state, sort, mistake, diagnosis,
                  points, round(seconds, 3), round(cpu, 3))  # fmt: skip


def sort_of(data: dict) -> str:
    """Which of SORTS a verdict is, as the judge says; from its words where an older one does not say."""
    if data.get("sort"):
        return data["sort"]
    if data["state"] != "wrong":
        return ""
    if data["mistake"]:
        return "mistake"
    if "your code raises" in data["diagnosis"]:
        return "raises"
    relation = re.search(r"(transposed|times the|opposite|another order|plus|NaN: )", data["diagnosis"])
    kind = re.search(r"shape|yours is an? [a-z]|a tuple of|the keys|yours is nothing", data["diagnosis"])
    return "property" if relation or kind else "place"


# ---- measuring ---------------------------------------------------------------------------------------


def warm(exercise: str) -> None:
    """The first check of an exercise works out what is expected; it is not what is measured."""
    e = find(exercise)
    judge(e, e.reference)
    judge(e, e.mistakes[0].candidate)


def measure(files: list[Path], path: Path) -> None:
    """Check every answer in these files; the verdicts are written after each exercise."""
    learner, kept = Learner(), read(path)
    judged = {(r.key, r.diagnosis): r.true for r in kept}
    for file in files:
        answers, done = answers_of(file), []
        exercises = dict.fromkeys(a.exercise for a in answers)
        kept = [r for r in kept if r.exercise not in exercises]
        for exercise in exercises:
            warm(exercise)
            for answer in (a for a in answers if a.exercise == exercise):
                r = learner.hand_in(answer)
                done.append(replace(r, true=judged.get((r.key, r.diagnosis))))
            gc.collect()
            write(path, kept + done)
            mine = [r for r in done if r.exercise == exercise]
            print(
                f"{exercise}: {len(mine)} answers, {sum(r.accepted != r.right for r in mine)} misjudged",
                flush=True,
            )
        kept += done


def read(path: Path) -> list[Record]:
    return [Record(**r) for r in json.loads(path.read_text(encoding="utf-8"))] if path.exists() else []


def write(path: Path, records: list[Record]) -> None:
    records = sorted(records, key=lambda r: (*map(int, r.exercise.split(".")), r.number))
    text = json.dumps([asdict(r) for r in records], indent=1, ensure_ascii=False)
    part = path.with_suffix(".part")
    part.write_text(text.encode("utf-8", "replace").decode("utf-8") + "\n", encoding="utf-8")
    part.replace(path)


# ---- the table ---------------------------------------------------------------------------------------


def wilson(hits: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    if not of:
        return 0.0, 1.0
    p, scale = hits / of, 1 + z**2 / of
    middle, half = (p + z**2 / (2 * of)) / scale, z * math.sqrt(p * (1 - p) / of + z**2 / (4 * of**2)) / scale
    return middle - half, middle + half


def row(what: str, hits: int, of: int, goal: str) -> str:
    low, high = wilson(hits, of)
    share = f"{100 * hits / of:.1f} % [{100 * low:.1f}, {100 * high:.1f}]" if of else "–"
    return f"| {what} | {hits} of {of} | {share} | {goal} |"


def table(records: list[Record]) -> str:
    """Issue 13's table: shares with 95 % intervals, and times."""
    right, wrong = [r for r in records if r.right], [r for r in records if not r.right]
    rejected = [r for r in wrong if not r.accepted]
    judged = [r for r in rejected if r.true is not None]
    told = [r for r in rejected if r.sort in ("mistake", "property")]
    lines = [
        "| what | answers | share, 95 % interval | goal |\n|---|---:|---:|---:|",
        row("right answers accepted", sum(r.accepted for r in right), len(right), "100 %"),
        row("wrong answers rejected", len(rejected), len(wrong), "≥ 99 %"),
        row(
            "names and descriptions that are true, of those judged",
            sum(r.true for r in judged),
            len(judged),
            "≥ 98 %",
        ),
        row("rejections that name the mistake or the property", len(told), len(rejected), "≥ 70 %"),
        *(
            row(f"– {says}", sum(r.sort == sort for r in rejected), len(rejected), "")
            for sort, says in SORTS.items()
        ),
    ]
    for name in ("seconds", "cpu"):
        seconds = [getattr(r, name) for r in records if r.state in ("right", "wrong")]
        if seconds:
            unit = "processor seconds" if name == "cpu" else "seconds"
            lines.append(
                f"| one check, {unit}: median; largest | {len(seconds)} "
                f"| {median(seconds):.3f}; {max(seconds):.2f} | ≤ 0.3; ≤ 2 |"
            )
    lines.append(
        f"\n{len(rejected) - len(judged)} of {len(rejected)} descriptions are not yet judged by a person."
    )
    return "\n".join(lines)


def faults(records: list[Record]) -> str:
    """The answers that were misjudged, and the descriptions that a person called false."""
    lines = []
    for r in records:
        if r.accepted != r.right or r.true is False:
            what = "right, REJECTED" if r.right else "wrong, ACCEPTED" if r.accepted else "FALSELY described"
            lines.append(f"{r.exercise} {what}: {r.done}" + ("" if r.accepted else f"\n      {r.diagnosis}"))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "notebooks", nargs="*", help="their numbers (default: all that have answers), or: second"
    )
    parser.add_argument(
        "--show", metavar="EXERCISE", help="print what is kept of an exercise (3.1) or a notebook (3)"
    )
    parser.add_argument("--print", action="store_true", help="print the table of what is kept")
    parser.add_argument("--verdicts", type=Path, help="where verdicts are kept")
    given = parser.parse_args()
    if given.notebooks == ["second"]:
        files, given.verdicts = [HERE / "second.py"], given.verdicts or HERE / "second.json"
    else:
        numbers = [int(name) for name in given.notebooks]
        files = [HERE / f"nb{number:02d}.py" for number in numbers] or sorted(HERE.glob("nb*.py"))
        given.verdicts = given.verdicts or HERE / "verdicts.json"
    if given.show:
        for r in read(given.verdicts):
            if given.show in (r.exercise, r.exercise.split(".")[0]):
                head = f"{r.exercise} {'right' if r.right else 'wrong'} → {r.state} {r.points}"
                print(f"{head}, {r.mistake or r.sort}")
                print(f"    {r.done}\n    → {r.diagnosis}")
        return
    if not given.print:
        measure(files, given.verdicts)
    asked = {answer.exercise for file in files for answer in answers_of(file)}
    records = [r for r in read(given.verdicts) if r.exercise in asked]
    print(f"\n{faults(records)}\n\n{table(records)}")


if __name__ == "__main__":
    main()
