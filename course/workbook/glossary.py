"""The words of the course in one list (L3.2.a): what the notebooks' own tables say, and where it is run.

Nothing is written twice: the tables at the ends of the notebooks are read. A concept of the lectures' notes
that no table explains stands here, with the notebook in which it is run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course.workbook.lectures import TITLES
from course.workbook.progress import link, notebooks
from course.workbook.reading import UnreadableNotebook, read_notebook, source_of

TABLE = "### Words from this notebook"
ROW = re.compile(r"^\| *([^|]+?) *\| *([^|]+?) *\| *(.+?) *\|$", re.MULTILINE)
SECTION = re.compile(r"^## (\d+ · .+)$", re.MULTILINE)

_CONCEPTS = """
attention mechanism | 注意力机制 | 3 | a sum of values, weighted by how well a query matches keys
Transformer | Transformer 模型、架构 | 5 | a network of attention and feed-forward layers, without recurrence
self-attention | 自注意力机制 | 3 | attention whose queries, keys and values come from one sequence
multi-head attention | 多头注意力机制 | 3 | several attentions side by side, each with maps of its own
positional encoding | 位置编码 | 4 | what tells a model where a token stands
encoder-decoder | 编码器-解码器 | 5 | one stack reads, another writes
feed-forward network | 前馈网络 | 4 | two linear maps, a non-linearity between
mask | 掩码 | 4 | which query may attend to which key
BERT | BERT 模型 | 10 | an encoder that sees both sides, pre-trained to restore hidden tokens
GPT | GPT 模型 | 8 | decoder blocks, pre-trained to predict the next token
pre-training | 预训练 | 8 | training on plain text, before any particular task
fine-tuning | 微调 | 11 | training a pre-trained model on, for one task
word embedding | 词嵌入、词向量 | 7 | a vector for each word or token, learned
masked language model | 掩码语言模型 | 10 | restores tokens that were hidden
next-sentence prediction | 下一句预测 | 10 | whether the second sentence followed the first
bidirectional | 双向性 | 10 | each token may look at both sides
unidirectional | 单向性 | 8 | each token may look at one side only
autoregressive | 自回归 | 8 | each token predicted from those before it
autoencoding | 自编码 | 10 | the input, partly hidden, is what is to be restored
discriminative | 判别式模型 | 11 | judges what it is given: a class, a span, a score
generative | 生成式模型 | 8 | makes something new of the kind that it learned from
GLUE | GLUE 基准 | 11 | nine tasks on sentences and pairs of them, one score (Wang and others, 2018)
SQuAD | SQuAD 问答数据集 | 11 | questions whose answers are spans of a paragraph (Rajpurkar and others, 2016)
self-supervised | 自监督 | 10 | the text itself holds the answers; nobody labels anything
downstream task | 下游任务 | 11 | what a pre-trained model is used for in the end
foundation model | 基础模型 | 11 | one large model for many tasks
"""


@dataclass(frozen=True)
class Term:
    """A word of the course, in two languages, and where it is run: a notebook, perhaps a section of it."""

    english: str
    chinese: str
    meaning: str
    notebook: int
    section: str = ""

    def as_dict(self, file: str) -> dict[str, Any]:
        """For the widget, with the address of a notebook's file, or "" where it is not here."""
        anchor = "#" + self.section.replace(" ", "-") if file and self.section else ""
        where = f"{self.notebook:02d} {TITLES[self.notebook]}"
        return {
            "english": self.english,
            "chinese": self.chinese,
            "meaning": self.meaning,
            "where": f"{where}, {self.section}" if self.section else where,
            "href": file and file + anchor,
        }


def concepts() -> list[Term]:
    """The concepts that the notes of the second and third lecture define, and those of the third's text."""
    rows = (map(str.strip, line.split("|", 3)) for line in _CONCEPTS.strip().splitlines())
    return [Term(english, chinese, meaning, int(number)) for english, chinese, number, meaning in rows]


def terms_of(path: Path, number: int) -> list[Term]:
    """The words in a notebook's own table, each with the section in which it first stands.

    Raises:
        UnreadableNotebook: if the file is no notebook.
    """
    texts = [source_of(c) for c in read_notebook(path)["cells"] if c["cell_type"] == "markdown"]
    table = next((text.split(TABLE, 1)[1] for text in texts if TABLE in text), "")
    rows = [row for row in ROW.findall(table) if row[0] != "English" and set(row[0]) != {"-"}]
    return [Term(en, zh, meaning, number, _section(texts, en)) for en, zh, meaning in rows]


def _section(texts: list[str], english: str) -> str:
    """The numbered heading under which the term's first word is first written; "" if under none."""
    word = re.escape(re.split(r"[,(:]", english)[0].strip())
    here = ""
    for text in texts:
        for line in text.split(TABLE)[0].splitlines():
            here = match[1] if (match := SECTION.match(line)) else here
            if here and re.search(rf"\b{word}", line, re.IGNORECASE):
                return here
    return ""


def terms(folder: str | Path | None = None) -> list[dict[str, Any]]:
    """All words of the notebooks that are here, and the concepts that no table has, in alphabetical order."""
    found: list[tuple[Term, str]] = []
    paths = notebooks(folder)
    for number, path in sorted(paths.items()):
        try:
            found += [(term, link(path)) for term in terms_of(path, number)]
        except UnreadableNotebook:  # the map above says what is wrong with it
            continue
    known = {term.english.casefold() for term, _ in found}
    missing = [t for t in concepts() if not any(name.startswith(t.english.casefold()) for name in known)]
    found += [(t, link(paths[t.notebook]) if t.notebook in paths else "") for t in missing]
    ordered = sorted(found, key=lambda pair: (pair[0].english.casefold(), pair[0].notebook))
    return [term.as_dict(file) for term, file in ordered]
