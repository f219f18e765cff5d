"""Boxes to type in, and what models answer, as bars and as marked text (L3.3.c, L3.3.d, L3.10.a)."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import traitlets

from course.models.masked_lm import Guess, MaskedLM
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WORDS = {
    "title": "Ask the models",
    "ask": "Ask",
    "hint": "Enter asks. Bars go from 0 to 1.",
    "bar": "{label}: probability {probability}",
    "mark": "{text}: {kind}",
    "saved": "A saved page: to ask something else, open the notebook.",
    "gap": "gap {n}: {name}",
    "two_ways": "two ways, sees all but the gaps",
    "one_way": "one way, sees only what is before",
    "rank": "“{word}” is number {rank} of {n}, probability {probability}",
    "pieces": "“{word}” is {n} pieces here ({pieces}): no single gap can hold it",
    "text": "Text with [MASK]",
    "wanted": "A word to look for",
    "first": "First text",
    "second": "Second text",
    "follows": "follows",
    "not_next": "is from elsewhere",
}


class Answer(NamedTuple):
    """What one model says: bars of probability, a note below them, and text with marked pieces.

    ``tone`` is 0 or 1, the colour of the bars. A piece is marked if its kind is not empty.
    """

    title: str
    bars: Sequence[tuple[str, float]] = ()
    note: str = ""
    marked: Sequence[tuple[str, str]] = ()
    tone: int = 0


class AskBox(CourseWidget):
    """A box for each text, and below what is answered to them, whenever one is sent.

    Args:
        ask: called with the texts; a ValueError's words are shown to the reader.
        fields: what each box is called, and what stands in it first.

    Raises:
        ValueError: if the first texts cannot be answered.
    """

    _esm = module("ask_box")
    _css = stylesheet("common", "ask_box")
    fields = traitlets.List(traitlets.Unicode()).tag(sync=True)
    texts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    answers = traitlets.List().tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, ask: Callable[..., Sequence[Answer]], fields: Mapping[str, str]):
        self.ask = ask
        texts = list(fields.values())
        super().__init__(fields=list(fields), texts=texts, answers=_plain(ask(*texts)))
        self.observe(self._run, "texts")

    def _run(self, _: object) -> None:
        """Ask about the texts as they are now; those that cannot be answered keep the last answer."""
        try:
            self.answers, self.problem = _plain(self.ask(*self.texts)), ""
        except ValueError as error:
            self.problem = str(error)

    def describe(self) -> str:
        said = [f"{name}: {text}" for name, text in zip(self.fields, self.texts, strict=True)]
        for answer in self.answers:
            bars = [f"{label} {p:.2f}" for label, p in answer["bars"]]
            marked = [f"{text} [{kind}]" if kind else text for text, kind in answer["marked"]]
            parts = filter(None, (", ".join(bars), " ".join(marked), answer["note"]))
            said.append(f"{answer['title']}: {'; '.join(parts)}")
        return "\n".join(said)

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        with_bars = [answer for answer in self.answers if answer["bars"]]
        texts = "\n".join(f"{name}: {text}" for name, text in zip(self.fields, self.texts, strict=True))
        for answer in self.answers:
            if not answer["bars"]:
                texts += "\n\n" + _in_lines(answer)
        rows = -(-len(with_bars) // 2)
        figure = Figure(figsize=(8.5, 0.25 * (texts.count("\n") + 2) + 1.7 * rows), layout="constrained")
        figure.suptitle(texts, x=0.01, ha="left", fontsize=10, parse_math=False)
        panels = list(figure.subplots(rows, 2, squeeze=False).flat) if rows else []
        for axes, answer in zip(panels, with_bars, strict=False):
            _draw(axes, answer)
        for axes in panels[len(with_bars) :]:
            axes.set_axis_off()
        return figure


def _plain(answers: Sequence[Answer]) -> list[dict]:
    return [
        answer._asdict()
        | {"bars": [list(x) for x in answer.bars], "marked": [list(x) for x in answer.marked]}
        for answer in answers
    ]


def _in_lines(answer: dict) -> str:
    marked = " ".join(f"{text} [{kind}]" if kind else text for text, kind in answer["marked"])
    return textwrap.fill(f"{answer['title']}: {marked} {answer['note']}", 100)


def _draw(axes: Axes, answer: dict) -> None:
    from course.fonts import elide

    labels, values = zip(*answer["bars"], strict=True)
    axes.barh(range(len(labels)), values, color=("#0072B2", "#D55E00")[answer["tone"]])
    axes.set_yticks(range(len(labels)), [elide(label) for label in labels], parse_math=False)
    axes.set_xlim(0, 1)
    axes.set_title(textwrap.fill(answer["title"], 48), fontsize=9, parse_math=False)
    axes.invert_yaxis()
    if answer["note"]:
        axes.set_xlabel(answer["note"], fontsize=8, parse_math=False)


# --------------------------------------------------------------------------------------------------
# Boxes for BERT
# --------------------------------------------------------------------------------------------------


def fill_box(bert: MaskedLM, twin: MaskedLM, text: str, wanted: str = "", top: int = 5) -> AskBox:
    """What BERT puts into each gap, and beside it what its one-way twin expects there.

    The twin reads on from the left; where gaps stand before, it has filled them with its own first guess.

    Source: lecture rows L3.3.f, L3.10.a.
    """

    def ask(text: str, wanted: str) -> list[Answer]:
        before, answers = text.split("[MASK]"), []
        both = bert.fill(text, top)
        looked_for = _looked_for(bert, text, wanted.strip().lower())
        read = before[0]
        for number, guesses in enumerate(both):
            title = {"n": number + 1}
            of_twin = twin.goes_on(read, top) if read.strip() else []
            note = looked_for[number] if looked_for else ""
            answers.append(_bars(WORDS["gap"].format(name=WORDS["two_ways"], **title), guesses, note, 0))
            answers.append(_bars(WORDS["gap"].format(name=WORDS["one_way"], **title), of_twin, "", 1))
            read += f"{of_twin[0].token if of_twin else both[number][0].token}{before[number + 1]}"
        return answers

    return AskBox(ask, {WORDS["text"]: text, WORDS["wanted"]: wanted})


def _bars(title: str, guesses: Sequence[Guess], note: str, tone: int) -> Answer:
    return Answer(title, [(guess.token, guess.probability) for guess in guesses], note, tone=tone)


def _looked_for(bert: MaskedLM, text: str, word: str) -> list[str]:
    """What to say of a word in each gap."""
    if not word:
        return []
    pieces = bert.tokenizer.pieces(bert.tokenizer.encode(word).ids[1:-1])
    if len(pieces) != 1:
        said = WORDS["pieces"].format(word=word, n=len(pieces), pieces=" ".join(pieces))
        return [said] * text.count("[MASK]")
    return [
        WORDS["rank"].format(
            word=word, rank=found.rank, n=len(bert.tokenizer), probability=f"{found.probability:.4f}"
        )
        for found in bert.wanted(text, word)
    ]


def pair_box(bert: MaskedLM, first: str, second: str) -> AskBox:
    """Does the second text follow the first? And does the first follow the second?

    Source: lecture rows L1.6.i, L3.3.c.
    """

    def ask(first: str, second: str) -> list[Answer]:
        answers = []
        for title, (a, b) in {"first | second": (first, second), "exchanged": (second, first)}.items():
            p = bert.follows(a, b)
            bars = [(WORDS["follows"], p), (WORDS["not_next"], 1 - p)]
            answers.append(Answer(f"{title}: {a} | {b}", bars, tone=int(title == "exchanged")))
        return answers

    return AskBox(ask, {WORDS["first"]: first, WORDS["second"]: second})
