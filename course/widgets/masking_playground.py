"""A playground for BERT's masking: which tokens are chosen, what becomes of each, and what theory expects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import traitlets
from jaxtyping import Float, Int

from course.masking import SPLIT
from course.text.wordpiece import WordPiece
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from course.models.masked_lm import MaskedLM

WORDS = {
    "title": "Masking playground",
    "source": "Text",
    "rate": "rate: tokens chosen",
    "masked": "[MASK]",
    "replaced": "random token",
    "kept": "unchanged",
    "chosen": "chosen, of all",
    "text": "What the model reads; below, what it is asked for",
    "hint": "Above: what the model reads. Below, in bold: the tokens that it is asked for.",
    "mask": "[MASK]",
    "tag_masked": "hidden",
    "tag_replaced": "random",
    "tag_kept": "unchanged",
    "is_special": "“{token}” is a special token: it is never chosen",
    "is_left": "“{token}” is not chosen: the model reads it, and is not asked for it",
    "is_masked": "“{token}” is chosen and hidden: the model reads {became} and is asked for “{token}”",
    "is_replaced": "“{token}” is chosen and replaced: the model reads “{became}” and is asked for “{token}”",
    "is_kept": "“{token}” is chosen and stays: the model reads it and is asked for it, not knowing that it "
    "is right",
    "again": "Re-roll",
    "many": "Re-roll {n} times",
    "fresh": "Count anew",
    "hide": "Hide the answers",
    "fill": "Let BERT fill",
    "guessed": "BERT finds {k} of the {n} tokens that are asked for.",
    "caption": "Counted in {rolls} rolls with these settings",
    "caption_one": "Counted in one roll with these settings",
    "count": "count",
    "share": "share",
    "interval": "95 % interval",
    "theory": "theory",
    "picture": "from 0 to 100 %",
    "of": "{k} of {n}",
    "range": "{low} to {high}",
    "inside": "theory is inside",
    "outside": "theory is outside",
    "note": "The dot is the share counted, the bar Wilson's 95 % interval, the upright line theory. One "
    "interval in twenty misses it, however often you roll.",
    "saved": "A saved page: the sliders work; for another text, open the notebook.",
}
FATES = ("special", "left", "masked", "replaced", "kept")
"""What may become of a token; the last three of those chosen."""
Z = 1.96
"""Standard deviations on either side of the mean that hold 95 %."""


class Share(NamedTuple):
    """One share counted: what of, k of n, what theory expects, and the ends of its 95 % interval."""

    name: str
    k: int
    n: int
    expected: float
    low: float
    high: float


class MaskingPlayground(CourseWidget):
    """What masking makes of a text, for any rate and any shares.

    Chance is drawn in the browser; so moving a slider and rolling again ask the kernel for nothing. The same
    numbers choose tokens at every setting: with a higher rate, those chosen before are still chosen.

    Args:
        tokenizer: cuts the text, and is what random tokens come from, special ones left out.
        text: to be masked.
        rate, split: as in ``course.masking.mask_tokens``.
        seed: of the first roll.
        model: if there is one, a button has it fill what the roll shown asks for.

    Raises:
        ValueError: if the text has no token, or the rate or a share is out of range.

    Source: Devlin et al. 2019, §3.1 (task 1); lecture row L3.3.a.
    """

    _esm = module("masking_playground")
    _css = stylesheet("common", "masking_playground")
    source = traitlets.Unicode().tag(sync=True)
    tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    special = traitlets.List(traitlets.Bool()).tag(sync=True)
    candidates = traitlets.List(traitlets.Unicode()).tag(sync=True)
    rate = traitlets.Float(0.15).tag(sync=True)
    split = traitlets.List(traitlets.Float(), minlen=3, maxlen=3).tag(sync=True)
    seed = traitlets.Int(0, min=0, help="of the roll shown").tag(sync=True)
    first = traitlets.Int(0, min=0, help="the seed of the first roll counted").tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)
    guesses = traitlets.List(help="what a model would put at each chosen token, '' elsewhere").tag(sync=True)
    fills = traitlets.Bool(False, help="whether there is a model").tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(
        self,
        tokenizer: WordPiece,
        text: str,
        *,
        rate: float = 0.15,
        split: tuple[float, float, float] = SPLIT,
        seed: int = 0,
        model: MaskedLM | None = None,
    ):
        self.tokenizer, self.model = tokenizer, model
        ordinary = [id for id in range(len(tokenizer)) if id not in tokenizer.special_ids]
        tokens, special = self._cut(text)
        super().__init__(
            source=text, tokens=tokens, special=special, candidates=tokenizer.pieces(ordinary),
            rate=rate, split=list(split), seed=seed, first=seed, fills=model is not None,
        )  # fmt: skip
        self.observe(self._reread, ["source"])
        self.observe(lambda _: self.set_trait("guesses", []), ["tokens", "rate", "split", "seed"])
        self.on_msg(lambda *_: self.fill())

    @traitlets.validate("rate")
    def _possible_rate(self, proposal: Any) -> float:
        if not 0 < proposal["value"] <= 1:
            raise ValueError(
                f"the rate is the share of tokens to predict, 0 < rate <= 1; got {proposal['value']}"
            )
        return proposal["value"]

    @traitlets.validate("split")
    def _possible_split(self, proposal: Any) -> list[float]:
        split = proposal["value"]
        if min(split) < 0 or abs(sum(split) - 1) > 1e-6:
            raise ValueError(f"the three shares are each >= 0 and sum to 1; got {split}")
        return split

    def _cut(self, text: str) -> tuple[list[str], list[bool]]:
        read = self.tokenizer.encode(text)
        if all(read.special_mask):
            raise ValueError("type at least one word: there is nothing to choose from")
        return self.tokenizer.pieces(read.ids), read.special_mask

    def _reread(self, _: Any) -> None:
        """Cut another text into tokens; one without any is said."""
        try:
            tokens, special = self._cut(self.source)
        except ValueError as error:
            self.problem = str(error)
            return
        with self.hold_sync():
            self.problem, self.first, self.tokens, self.special = "", self.seed, tokens, special

    def fates(self, seed: int | None = None) -> list[str]:
        """What becomes of each token in a roll, by default the one shown; names in ``FATES``."""
        roll = self.seed if seed is None else seed
        return [FATES[fate] for fate in self._rolls(np.array([roll]))[0]]

    def inputs(self) -> list[str]:
        """What the model reads in the roll shown."""
        drawn = _chance(np.array([self.seed]), len(self.tokens))[0, :, 2] * len(self.candidates)
        put = {"masked": lambda _: "[MASK]", "replaced": lambda i: self.candidates[int(drawn[i])]}
        return [put.get(fate, lambda i: self.tokens[i])(i) for i, fate in enumerate(self.fates())]

    def fill(self) -> None:
        """Have the model say, in ``guesses``, what it would put at each chosen token of the roll shown."""
        ids = self.tokenizer.encode(self.source).ids
        pieces = self.tokenizer.pieces(range(len(self.tokenizer)))
        read = [id if piece == self.tokens[i] else pieces.index(piece)
                for i, (id, piece) in enumerate(zip(ids, self.inputs(), strict=True))]  # fmt: skip
        best = self.tokenizer.pieces(self.model.logits(read).argmax(-1).tolist())
        chosen = (fate in FATES[2:] for fate in self.fates())
        self.guesses = [piece if asked else "" for piece, asked in zip(best, chosen, strict=True)]

    def shares(self) -> list[Share]:
        """The share chosen, and of those chosen the three shares, in the rolls counted so far."""
        counts = np.bincount(self._rolls(np.arange(self.first, self.seed + 1)).ravel(), minlength=len(FATES))
        chosen = int(counts[2:].sum())
        found = [("chosen", chosen, chosen + int(counts[1]), self.rate)]
        found += [
            (name, int(k), chosen, p) for name, k, p in zip(FATES[2:], counts[2:], self.split, strict=True)
        ]
        return [Share(*one, *interval(*one[1:3])) for one in found]

    def _rolls(self, seeds: Int[np.ndarray, "rolls"]) -> Int[np.ndarray, "rolls n"]:
        chance = _chance(seeds, len(self.tokens))
        borders = np.cumsum(self.split[:2])  # one draw decides between the three
        fate = 2 + (chance[..., 1] >= borders[0]) + (chance[..., 1] >= borders[1])
        fate = np.where(chance[..., 0] < self.rate, fate, 1)
        return np.where(self.special, 0, fate)

    def describe(self) -> str:
        counted = "; ".join(
            f"{WORDS[share.name]}: {share.k} of {share.n}, 95 % interval {share.low:.1%} to "
            f"{share.high:.1%}, theory {share.expected:.1%}"
            for share in self.shares()
        )
        return (
            f"Masking at {self.rate:.0%}, of these {' / '.join(f'{share:.0%}' for share in self.split)} "
            f"[MASK], random, unchanged. The model reads: {' '.join(self.inputs())}. In "
            f"{self.seed - self.first + 1} rolls, {counted}."
        )

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 4), layout="constrained")
        above, below = figure.subplots(2, 1, height_ratios=(3, 2))
        self._draw_tokens(above)
        self._draw_shares(below)
        return figure

    def _draw_tokens(self, axes: Axes, columns: int = 10, most: int = 40) -> None:
        from course.figures import INK
        from course.fonts import drawable, elide

        colours = {"masked": "#0072B2", "replaced": "#D55E00", "kept": "#009E73"}
        shown = list(zip(self.tokens, self.inputs(), self.fates(), strict=True))[:most]
        for i, (token, became, fate) in enumerate(shown):
            x, y = i % columns, -(i // columns)
            style = {"color": colours.get(fate, INK)}
            axes.text(x, y, drawable(elide(became)), ha="center", parse_math=False, **style)
            if fate in colours:
                under = f"{WORDS[f'tag_{fate}']}\n{drawable(elide(token))}"
                axes.text(x, y - 0.1, under, ha="center", va="top", fontsize=7, parse_math=False, **style)
        axes.set(
            xlim=(-0.6, columns - 0.4), ylim=(-((len(shown) - 1) // columns) - 0.7, 0.5), title=WORDS["text"]
        )
        axes.set_axis_off()

    def _draw_shares(self, axes: Axes) -> None:
        shares = self.shares()
        for place, share in enumerate(shares):
            middle = share.k / share.n if share.n else 0.5
            axes.plot([share.low, share.high], [place, place], color="#0072B2", linewidth=5, alpha=0.5)
            axes.plot(middle, place, "o", color="#0072B2")
            axes.plot(share.expected, place, "|", color="#D55E00", markersize=16, markeredgewidth=2)
        axes.set_yticks(range(len(shares)), [WORDS[share.name] for share in shares])
        axes.set(xlim=(-0.02, 1.02), xlabel="share: dot counted, bar 95 % interval, upright line theory")
        axes.invert_yaxis()


def interval(k: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval for a share of which k of n were seen.

    Source: Wilson 1927.
    """
    if n == 0:
        return 0.0, 1.0
    p, half = k / n, Z * Z / (2 * n)
    spread = Z * (p * (1 - p) / n + (Z / (2 * n)) ** 2) ** 0.5
    low, high = (p + half - spread) / (1 + 2 * half), (p + half + spread) / (1 + 2 * half)
    return (0.0 if k == 0 else max(0.0, low)), (1.0 if k == n else min(1.0, high))


def _chance(seeds: Int[np.ndarray, "rolls"], n: int) -> Float[np.ndarray, "rolls n 3"]:
    """The browser's random numbers (mulberry32): for every token one to choose it, one for its fate, one
    for the token that may take its place."""
    place = np.arange(1, 3 * n + 1, dtype=np.uint64).reshape(n, 3)
    a = seeds.astype(np.uint64)[:, None, None] * np.uint64(0x9E3779B1) + place * np.uint64(0x6D2B79F5)
    a &= _WORD
    t = (a ^ a >> np.uint64(15)) * (a | np.uint64(1)) & _WORD
    t ^= (t + ((t ^ t >> np.uint64(7)) * (t | np.uint64(61)) & _WORD)) & _WORD
    return (t ^ t >> np.uint64(14)) / 2**32


_WORD = np.uint64(0xFFFFFFFF)
