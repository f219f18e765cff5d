"""For authors: the numbers that a notebook's prose gives and that none of its cells shows."""

from __future__ import annotations

import re

from nbformat import NotebookNode

NUMBER = re.compile(r"(?<![\w.,])\d+\.\d+(?![\w.]*\w)")
ASIDE = re.compile(
    r"```.*?```|`[^`]*`|\$[^$]*\$|<details>.*?</details>|\[[^\]]*\]\([^)]*\)|^#.*?$", re.DOTALL | re.MULTILINE
)


def unseen_numbers(notebook: NotebookNode) -> list[str]:
    """Numbers with a point in the text, outside code, formulas and folded answers, that no output holds.

    A number is held if a number in an output begins with it: 0.19 by 0.194, say; or if the code has it.
    """
    shown = "\n".join(_texts(notebook))
    code = "\n".join(c.source for c in notebook.cells if c.cell_type == "code")
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for number in NUMBER.findall(ASIDE.sub(" ", cell.source)):
                if not re.search(rf"(?<![\d.]){re.escape(number)}", shown) and number not in code:
                    found.append(number)
    return list(dict.fromkeys(found))


def _texts(notebook: NotebookNode) -> list[str]:
    outputs = [o for c in notebook.cells if c.cell_type == "code" for o in c.get("outputs", [])]
    return [o.get("text", "") + str(o.get("data", {}).get("text/plain", "")) for o in outputs]
