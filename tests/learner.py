"""A small course in a folder, notebooks as the build makes them, and a learner who writes in them."""

import json
import subprocess
from copy import deepcopy
from pathlib import Path

from course.workbook.ownership import digest, exercise_of, text_of

STUB = '@exercise("{id}")\ndef {name}(x):\n    """{says}"""\n    ...  # your code'
ANSWER = "return x + 1  # 我的"


def markdown(text: str) -> dict:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def code(text: str, **metadata) -> dict:
    return {
        "cell_type": "code",
        "metadata": metadata,
        "source": text,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": ["built\n"]}],
        "execution_count": 1,
    }


def exercise(id: str, name: str, above: str = "", says: str = "What it does.") -> list[dict]:
    """The three cells of an exercise."""
    text = (above + "\n\n\n" if above else "") + STUB.format(id=id, name=name, says=says)
    heading = markdown(f"### ✎ Exercise {id} · {name}\n\nabout 5 minutes")
    return [
        {**heading, "metadata": {"tags": ["exercise-heading"]}},
        code(text, tags=["exercise"], course={"exercise": id}),
        code(f'check("{id}")', tags=["check"], course={"check": id}),
    ]  # fmt: skip


def built(number: str, *cells: dict) -> dict:
    """A notebook of the course: each cell has the id that the build gives it."""
    cells, seen = deepcopy(list(cells)), {}
    for cell in cells:
        id = digest(cell["cell_type"], cell["source"])
        seen[id] = seen.get(id, 0) + 1
        cell["id"] = id if seen[id] == 1 else f"{id}-{seen[id]}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"course": {"number": number, "rows": ["L1.1.a"]}, "kernelspec": kernel}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def save(path: Path, notebook: dict) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")
    return path


def load(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def own(text: str, id: str = "5f0c8f0e-mine", kind=code) -> dict:
    return {**kind(text), "id": id}


def find(notebook: dict, part: str) -> int:
    """Which cell holds a text."""
    [at] = [n for n, cell in enumerate(notebook["cells"]) if part in text_of(cell)]
    return at


def answer(notebook: dict, id: str, body: str = ANSWER) -> dict:
    """Solve an exercise and run its check, as JupyterLab saves it."""
    for cell in notebook["cells"]:
        if exercise_of(cell) == id:
            cell["source"] = text_of(cell).replace("...  # your code", body)
    return notebook


def texts(notebook: dict) -> list[str]:
    return [text_of(cell) for cell in notebook["cells"]]


class Course:
    """A clone with notebooks 00 and 03 (and the package's name, so that it looks like one)."""

    def __init__(self, root: Path, monkeypatch=None):
        from course.workbook import bootstrap

        self.root = root.resolve()
        self.notebooks, self.my = self.root / "notebooks", self.root / "my"
        self.publish(
            "00_start_here", built("00", markdown("# 00"), code("1 + 1"), *exercise("0.1", "weighted_sum"))
        )
        self.publish("03_self_attention", self.third())
        (self.root / ".gitignore").write_text("my/\n", encoding="utf-8")
        if monkeypatch:
            monkeypatch.setattr(bootstrap, "ROOT", self.root)
            monkeypatch.setattr(bootstrap, "NOTEBOOKS", self.notebooks)
            monkeypatch.delenv("COURSE_MY", raising=False)

    @staticmethod
    def third(**changes) -> dict:
        """Notebook 03; ``changes`` replace its two plain cells, or add to the first exercise."""
        return built(
            "03",
            markdown("# 03"),
            code(changes.get("first", "from course.toy import ToyAttention")),
            *exercise("3.1", "soft_lookup", changes.get("above", "")),
            code(changes.get("second", "soft_lookup(1)")),
            *exercise("3.2", "scaled_dot_score"),
            *changes.get("more", []),
        )

    def publish(self, name: str, notebook: dict) -> Path:
        (self.notebooks / "source").mkdir(parents=True, exist_ok=True)
        (self.notebooks / "source" / f"{name}.md").write_text(f"# {name}\n", encoding="utf-8")
        return save(self.notebooks / f"{name}.ipynb", notebook)

    def git(self, *arguments: str) -> str:
        me = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
        command = [
            "git",
            *me,
            "-c",
            "init.defaultBranch=main",
            "-c",
            "protocol.file.allow=always",
            *arguments,
        ]
        return subprocess.run(
            command, cwd=self.root, check=True, capture_output=True, encoding="utf-8"
        ).stdout

    def commit(self, message: str = "a version") -> None:
        if not (self.root / ".git").exists():
            self.git("init")
        self.git("add", ".")
        self.git("commit", "--allow-empty", "-m", message)
