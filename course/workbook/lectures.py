"""What the three lectures say or show, row by row, and in which notebook you run it.

L1 is Stanford CS25's introduction to Transformers, L2 a lecture on the Transformer, L3 one on GPT and BERT.
The ids are stable: notebooks, docstrings and tests refer to them.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path

from course.workbook.progress import link, notebooks, standings
from course.workbook.reading import UnreadableNotebook

TITLES = {
    0: "Start here",
    1: "Before Transformers",
    2: "Where attention came from",
    3: "Self-attention",
    4: "Position, non-linearity, masks",
    5: "The Transformer",
    6: "What attention costs",
    7: "Words as vectors",
    8: "GPT",
    9: "In-context learning",
    10: "BERT",
    11: "Fine-tuning, and after BERT",
    12: "Beyond language",
    13: "Deciding, memory, and what it costs",
}


@dataclass(frozen=True)
class Row:
    """One claim of a lecture and the notebooks in which it is run."""

    id: str
    notebooks: tuple[int, ...]
    claim: str


_TABLE = """
L1.1.a | 0 | three aims: how a Transformer works, where it is used, ideas for your own research
L1.2.a | 1 | RNN, LSTM and GRU carry a memory, but hold long sequences badly
L1.2.b | 1 | "I grew up in France … I speak fluent ___": an LSTM loses the far clue
L1.2.c | 3 | a pronoun should be related to an earlier noun
L1.2.d | 12 | where Transformers took off: proteins, offline RL, few-shot, text and images
L1.2.e | 6 13 | what is missing: external memory, a cost below quadratic, human values
L1.2.i | 6 | a talk: "LSTMs are out of date, Transformers are the future"
L1.3.a | 2 | soft attention gives every pixel a weight between 0 and 1
L1.3.b | 2 | hard attention is 0 or 1: cheaper, and not differentiable
L1.3.c | 2 | global attention weighs all source states
L1.3.d | 2 | local attention weighs a window of them
L1.3.e | 2 | the self-attentive sentence embedding used the word first
L1.3.f | 3 | self-attention is a search: a query, the most similar keys, their values
L1.3.g | 3 | queries, keys and values may be one X, or three linear maps of it
L1.3.h | 3 | the output is the sum of the values, weighted by query-key similarity
L1.3.i | 3 | several heads look at several things at once
L1.3.j | 3 | the walk through three tokens, number by number
L1.4.a | 4 | attention alone has no order: positions are added
L1.4.b | 4 | attention is linear in its values: an MLP brings the non-linearity
L1.4.c | 4 | masking lets training run in parallel
L1.4.d | 4 | no looking ahead: at position 3, positions 4 and 5 are unseen
L1.4.e | 5 | encoder and decoder: read everything, then write token by token
L1.4.f | 5 | blocks like Lego: attention, feed-forward, norm, residual
L1.4.g | 5 | the decoder has one layer more: attention over the encoder's output
L1.5.a | 6 | any two positions are one step apart
L1.5.b | 6 | it trains faster on parallel hardware than an LSTM of its size
L1.5.c | 6 | time and memory grow with the square of the length
L1.5.d | 6 | BigBird
L1.5.e | 6 | Linformer
L1.5.f | 6 | Reformer
L1.6.a | 8 | GPT: decoder blocks only, trained to predict the next token
L1.6.b | 8 | a downstream task: a classifier on the last hidden state
L1.6.c | 8 | generation: summaries, text
L1.6.d | 9 | in-context learning: a task from a few examples, without a gradient step
L1.6.e | 9 | few-shot addition
L1.6.f | 9 | few-shot spelling correction and translation
L1.6.g | 8 | code from a docstring
L1.6.h | 10 | BERT sees the whole text, so it is trained on masked words
L1.6.i | 10 | next-sentence prediction
L1.6.j | 11 | after BERT: ELECTRA, DeBERTa
L1.7.a | 2 | one fixed context for every output, then a context for each
L1.7.b | 2 | Tom chase Jerry → 汤姆 追逐 杰瑞: where the weights come from
L1.7.c | 2 | the structure of Google's translator, GNMT
L2.2.a | 3 4 5 | the pieces: attention, heads, positions, encoder and decoder, FFN, mask
L2.3.a | 2 | attention along a sequence, co-attention, self-attention
L2.3.b | 5 11 | uses: translation, question answering, summaries, sentiment
L2.4.a | 1 | an RNN's gradients vanish or explode
L2.4.b | 1 6 | an RNN is sequential; self-attention does all steps at once
L2.4.c | 6 | parallel on GPUs, with long-range links
L2.4.d | 5 | BLEU and training cost against the best of the day
L2.5.a | 3 | softmax(QKᵀ/√d_k)V, term by term
L2.5.b | 3 | why √d_k: large products saturate the softmax and starve its gradient
L2.5.c | 3 | "Thinking Machines" with its numbers
L2.5.d | 5 | the alignment of a French sentence with its translation
L2.5.e | 3 | "The law will never be perfect, but its application …": what "its" attends to
L2.6.a | 5 | encoders, decoders, embeddings, positions, output: the picture from above
L2.6.b | 3 4 5 | the five hard points
L2.7.a | 4 | sines and cosines for positions; relative position is a linear map
L2.7.b | 3 4 | MatMul, scale, mask, softmax, MatMul
L2.7.c | 3 | multi-head: run h times, concatenate, project
L2.7.d | 4 | FFN(x) = max(0, xW₁ + b₁)W₂ + b₂
L2.7.e | 13 | the era of foundation models: AI, ML, DL, LLM
L2.7.f | 5 | "attention is all you need": alone, it makes all tokens one
L2.7.g | 11 | what a foundation model is: one model, many tasks
L3.1.a | 11 | BERT's results
L3.2.a | 0 | the concepts, 8 and 17 of them, defined
L3.3.a | 10 | masked LM: 15 %, of these 80/10/10, and why
L3.3.b | 10 | too low a rate trains slowly, too high leaves too little context
L3.3.c | 10 | next-sentence prediction, half true, half random
L3.3.d | 11 | fine-tuning: classification, spans, entities, inference
L3.3.e | 11 | fine-tuning needs little labelled data
L3.3.f | 10 | one-way against two-way: "open a bank"
L3.5.a | 11 | BERT against GPT, the table
L3.5.b | 7 | subword tokenisation
L3.5.c | 13 | conversation, as in ChatGPT
L3.5.d | 13 | BERT understands the intent, GPT writes the reply
L3.6.a | 7 | one-hot vectors are huge and blind to meaning
L3.6.b | 7 | Word2Vec: CBOW and skip-gram
L3.6.c | 7 | GloVe: global co-occurrence, factorised
L3.6.d | 7 | king and queen: the inner product as similarity
L3.6.e | 11 | transfer: from ImageNet for pictures to BERT and GPT for language
L3.6.f | 13 | pre-training needs data and compute
L3.7.a | 7 | an embedding maps a discrete thing to a vector
L3.8.a | 7 | a vector's dimensions are features, more of them finer ones
L3.8.b | 7 | the larger the inner product, the more alike
L3.10.a | 10 | "the man went to the [MASK] to buy a [MASK] of milk"
"""


def _parse(line: str) -> Row:
    id, notebooks, claim = (part.strip() for part in line.split("|", 2))
    return Row(id, tuple(map(int, notebooks.split())), claim)


ROWS = {row.id: row for row in map(_parse, _TABLE.strip().splitlines())}


def rows_of(number: int) -> list[Row]:
    """The claims that one notebook runs."""
    return [row for row in ROWS.values() if number in row.notebooks]


class CourseMap:
    """The lectures against the notebooks, with what is here and how far you are."""

    def __init__(self, paths: dict[int, Path]):
        self.paths = paths

    def _entry(self, number: int) -> tuple[str, str, str]:
        path = self.paths.get(number)
        if path is None:
            return "", TITLES[number], "not here yet"
        try:
            every = standings(path, number)
        except UnreadableNotebook as unreadable:
            return link(path), TITLES[number], str(unreadable)
        points, total = sum(s.points for s in every), sum(s.total for s in every)
        return link(path), TITLES[number], f"{points} of {total} points" if total else "no exercises"

    def __repr__(self) -> str:
        lines = []
        for number in TITLES:
            _, title, standing = self._entry(number)
            lines.append(f"{number:02d} {title:<32} {standing:<18} {' '.join(r.id for r in rows_of(number))}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        body = "".join(map(self._row, TITLES))
        head = "".join(
            f"<th>{text}</th>" for text in ("", "notebook", "your progress", "the lectures' claims")
        )
        return f"<table><tr>{head}</tr>{body}</table>"

    def _row(self, number: int) -> str:
        file, title, standing = self._entry(number)
        name = f"<a href='{html.escape(file)}'>{html.escape(title)}</a>" if file else html.escape(title)
        claims = "".join(f"<li><code>{r.id}</code> {html.escape(r.claim)}</li>" for r in rows_of(number))
        summary = f"<summary>{count(len(rows_of(number)), 'claim')}</summary>"
        left = "<td style='text-align:left'>"
        return (
            f"<tr><td>{number:02d}</td>{left}{name}</td>{left}{html.escape(standing)}</td>"
            f"{left}<details>{summary}<ul style='margin:0'>{claims}</ul></details></td></tr>"
        )


def count(n: int, thing: str) -> str:
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"


def course_map(folder: str | Path | None = None) -> CourseMap:
    """Which lecture claim is run in which notebook, with your progress as last saved."""
    return CourseMap(notebooks(folder))
