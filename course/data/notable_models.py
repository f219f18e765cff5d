"""Models that were noted, by date, with their sizes and what training them took: 976 of them.

Data: Epoch AI (epochai.org), "Notable AI Models", as of January 2026, CC BY 4.0; ``notable_models.json`` has
some of its columns, as they are, with stray spaces and line breaks taken out. Many numbers are estimates: the
column ``confidence`` is Epoch's own word for how sure they are.
"""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

from course.data.download import read_text

SHIPPED = Path(__file__).with_name("notable_models.json")
CREDIT = "Data: Epoch AI (epochai.org), Notable AI Models, January 2026, CC BY 4.0"
DOMAINS = ("language", "pictures", "speech and sound", "games and robots", "biology", "other")
_WORDS = {
    "Language": "language",
    "Vision": "pictures",
    "Image generation": "pictures",
    "Video": "pictures",
    "3D modeling": "pictures",
    "Speech": "speech and sound",
    "Audio": "speech and sound",
    "Games": "games and robots",
    "Robotics": "games and robots",
    "Driving": "games and robots",
    "Biology": "biology",
    "Medicine": "biology",
}
_COLUMNS = {
    "Model": "name",
    "Organization": "organization",
    "Publication date": "published",
    "Domain": "domain",
    "Parameters": "parameters",
    "Training compute (FLOP)": "compute",
    "Confidence": "confidence",
}


class NotableModel(NamedTuple):
    """A model; ``parameters`` and ``compute`` (operations of training) are None where not known."""

    name: str
    organization: str
    published: date
    domain: str
    parameters: float | None
    compute: float | None
    confidence: str

    @property
    def year(self) -> float:
        """The date as a number: 2017.45 is in June 2017."""
        return as_year(self.published)

    @property
    def group(self) -> str:
        """One of ``DOMAINS``: language wherever language is among its domains, else the first one's."""
        own = self.domain.split(",")
        return "language" if "Language" in own else _WORDS.get(own[0], "other")


def as_year(day: date) -> float:
    """A date as a number, in years."""
    return day.year + (day.timetuple().tm_yday - 1) / 365.25


@cache
def notable_models() -> list[NotableModel]:
    """All of them, the oldest first."""
    table = json.loads(SHIPPED.read_text(encoding="utf-8"))
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    return [NotableModel(**row | {"published": date.fromisoformat(row["published"])}) for row in rows]


def reduced(text: str) -> str:
    """What is shipped, from Epoch's own table."""
    rows = []
    for found in csv.DictReader(io.StringIO(text, newline="")):
        row = {ours: " ".join(found[theirs].split()) for theirs, ours in _COLUMNS.items()}
        for name in ("parameters", "compute"):
            row[name] = float(f"{float(row[name]):.4g}") if row[name] else None
        rows.append(list(row.values()))
    rows.sort(key=lambda row: (row[2], row[0]))
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    head = json.dumps({"credit": CREDIT, "columns": list(_COLUMNS.values())}, ensure_ascii=False)
    return f'{head[:-1]}, "rows": [\n{lines}\n]}}\n'


def write() -> None:
    """Make the shipped table anew from Epoch's; that has to be there, or is downloaded."""
    SHIPPED.write_text(reduced(read_text("epoch_notable_models")), encoding="utf-8", newline="\n")
