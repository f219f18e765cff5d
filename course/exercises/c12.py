"""The exercises of notebook 12, beyond language."""

import torch

from course.exercises.contract import Case
from course.exercises.inputs import randn, rows
from course.exercises.promises import refusals
from course.exercises.variants import checked
from course.models.any_sequence import as_sequence, attention_rollout
from course.models.vision import patches
from course.studies.forecasting import windows
from course.workbook.record import define


def add_family(e, variant, mistakes):
    """Add a family of wrong versions: (name, says, flags)."""
    for name, says, flags in mistakes:
        e.mistake(name, says)(variant(**flags))


# ---- 12.1 a picture as a row of patches ----------------------------------------------------------

seeing_case = Case(lambda *batch: (randn(*batch, 2, 6, 9), 3))
e = define(
    "12.1",
    patches,
    "A picture as a row of patches",
    minutes=12,
    difficulty=2,
    parts=[
        seeing_case.part("6 × 9 points, two channels, squares of 3", 2),
        ("8 × 4 points, one channel, squares of 2", 1, lambda f: f(randn(1, 8, 4, seed=1), 2)),
        ("as many squares as points", 1, lambda f: f(randn(3, 2, 5, seed=2), 1)),
        ("one square", 1, lambda f: f(randn(2, 4, 4, seed=3), 4)),
        seeing_case.batched(4),
        seeing_case.batched(2, 3),
        seeing_case.gradients(),
        refusals({
            "a width that is no multiple of the size": (ValueError, lambda f: f(randn(1, 6, 8), 3)),
            "a height that is none": (ValueError, lambda f: f(randn(1, 7, 6), 3)),
            "a size of 0": (ValueError, lambda f: f(randn(1, 6, 6), 0)),
        }),
    ],
    hints=[
        "Write down where a point stands: in channel c, at y and x. y tells two things: which row of squares, and which row inside the square. So does x. Six axes, then; which of them number the patch, and which the points in it?",
        "`unflatten` splits an axis in two: the height into (rows, size), the width into (columns, size). Splitting moves nothing. Then bring rows and columns to the front, and flatten: two axes into one that numbers patches, three (channel, size, size) into one that numbers points.",
        "After a ValueError for a size below 1 or one that leaves a rest: `x = images.unflatten(-1, (-1, size)).unflatten(-3, (-1, size))` has axes (c, rows, size, columns, size); `x.movedim((-4, -2), (-5, -4))` has (rows, columns, c, size, size); then `.flatten(-3).flatten(-3, -2)`.",
    ],
)  # fmt: skip


def _grid(images, size):
    """[*batch, rows, columns, channel, size, size]"""
    x = images.unflatten(-1, (-1, size)).unflatten(-3, (-1, size))
    return x.movedim((-4, -2), (-5, -4))


def patch_variant(change=lambda g: g, finish=lambda g: g.flatten(-3).flatten(-3, -2)):
    return checked(patches, lambda images, size: finish(change(_grid(images, size))))


add_family(e, patch_variant, [
    ("columns-first", "The patches are numbered down the columns; they go along the rows, as one reads.", {"change": lambda g: g.transpose(-5, -4)}),
    ("channels-last", "In a patch's row the channels of each point stand together, (size, size, channel): the first channel's points come first, then the second's. A convolution's weights could not be copied so.", {"change": lambda g: g.movedim(-3, -1)}),
    ("turned-inside", "Inside each patch the points go down the columns; they go along the rows.", {"change": lambda g: g.transpose(-2, -1)}),
    ("channels-as-tokens", "Each channel of a square is a patch of its own; a patch holds all channels of its square.", {"finish": lambda g: g.flatten(-2).flatten(-4, -2)}),
    ("grid-kept", "The patches still stand in rows and columns; the encoder wants them in one row, so these two axes become one.", {"finish": lambda g: g.flatten(-3)}),
    ("channels-averaged", "The channels are averaged away; a patch keeps all of them.", {"finish": lambda g: g.mean(-3).flatten(-2).flatten(-3, -2)}),
])  # fmt: skip


@e.mistake(
    "reshaped",
    "The numbers are cut as they lie in memory, which are pieces of lines and no squares: a reshape alone moves nothing.",
)
def _(images, size):
    n = patches(images, size).shape[-2]
    return images.flatten(-3).unflatten(-1, (n, -1))


@e.mistake("overlapping", "The squares overlap: the next one begins `size` points on, not one.")
def _(images, size):
    patches(images, size)
    x = images.unfold(-2, size, 1).unfold(-2, size, 1)  # [*batch, c, y, x, size, size]
    return x.movedim(-5, -3).flatten(-3).flatten(-3, -2)


@e.mistake(
    "number-for-size",
    "`size` is taken for the number of squares along each side; it is how many points each square has.",
)
def _(images, size):
    patches(images, size)
    height, width = images.shape[-2:]
    x = images.unflatten(-1, (size, width // size)).unflatten(-3, (size, height // size))
    return x.movedim((-4, -2), (-5, -4)).flatten(-3).flatten(-3, -2)


@e.mistake(
    "rest-cut-off",
    "What is left over on the right and below is cut off in silence; a size that does not fit is a ValueError.",
)
def _(images, size):
    if size < 1:
        raise ValueError(size)
    height, width = (n // size * size for n in images.shape[-2:])
    return patches(images[..., :height, :width], size)


# ---- 12.2 the row becomes a sequence -------------------------------------------------------------

sequence_case = Case(lambda *batch: (randn(*batch, 4, 6), randn(6, seed=1), randn(5, 6, seed=2)))
e = define(
    "12.2",
    as_sequence,
    "A class token and positions",
    minutes=8,
    difficulty=1,
    parts=[
        sequence_case.part("four tokens", 2),
        sequence_case.batched(3),
        sequence_case.batched(2, 3),
        sequence_case.part("one token", change=lambda t, c, p: (t[:1], c, p[:2])),
        sequence_case.keeps_kind(torch.float64),
        sequence_case.gradients(),
        sequence_case.keeps_inputs(),
        sequence_case.refuses("a position too few", ValueError, change=lambda t, c, p: (t, c, p[:4])),
    ],
    hints=[
        "Two steps: something is put in front of every sequence, and something is added to every place. Which of the two comes first, so that the class token has a position of its own as well?",
        "`class_token` is one vector; `expand` makes it `[*batch, 1, d_model]` without copying. `torch.cat(..., dim=-2)` puts it before the tokens. `positions` adds to all sequences alike by broadcasting.",
        "After a ValueError if `len(positions) != tokens.shape[-2] + 1`: `first = class_token.expand(*tokens.shape[:-2], 1, -1)`; return `torch.cat([first, tokens], dim=-2) + positions`.",
    ],
)  # fmt: skip


def sequence_variant(last=False, place=lambda x, p: x + p, first=lambda c, t: c, tokens=lambda t: t):
    def wrong(tokens_, class_token, positions):
        head = first(class_token, tokens_).expand(*tokens_.shape[:-2], 1, -1)
        body = tokens(tokens_)
        return place(torch.cat([body, head] if last else [head, body], dim=-2), positions)

    return checked(as_sequence, wrong)


add_family(e, sequence_variant, [
    ("class-token-last", "The class token stands at the end; it is at place 0, where the answer will be read.", {"last": True}),
    ("class-token-without-position", "The class token got no position: put it in front first, then add to all places.", {"place": lambda x, p: torch.cat([x[..., :1, :], x[..., 1:, :] + p[1:]], -2)}),
    ("positions-shifted", "The tokens have the positions from 0 on, and the class token the last: it is the class token that is at 0.", {"place": lambda x, p: x + p.roll(1, 0)}),
    ("multiplied", "The positions are multiplied in; they are added.", {"place": lambda x, p: x * p}),
    ("side-by-side", "The positions stand beside the tokens, in new columns; they are added, and the width stays.", {"place": lambda x, p: torch.cat([x, p.expand_as(x)], -1)}),
    ("scaled", "The tokens are multiplied by √d_model, as the first Transformer did with its words; the Vision Transformer does not.", {"tokens": lambda t: t * t.shape[-1] ** 0.5}),
    ("mean-for-class", "The mean of the tokens stands in place of the class token, which is learned and the same for every sequence.", {"first": lambda c, t: t.mean(-2, keepdim=True) + 0 * c}),
    ("class-token-detached", "The values are right, but no gradient arrives at the class token: it would never learn.", {"first": lambda c, t: c.detach()}),
    ("positions-left-out", "No positions are added: what follows would read the tokens as a set.", {"place": lambda x, p: x + 0 * p}),
])  # fmt: skip


@e.mistake(
    "in-place", "The result is right, but the tokens that were given are changed: `+=` writes into them."
)
def _(tokens, class_token, positions):
    found = as_sequence(tokens, class_token, positions)
    with torch.no_grad():
        tokens += positions[1:]
    return found


# ---- 12.3 attention through all layers -----------------------------------------------------------

rollout_case = Case(lambda *batch: (rows(3, *batch, 2, 5, 5),))
e = define(
    "12.3",
    attention_rollout,
    "Attention through all layers",
    minutes=12,
    difficulty=2,
    parts=[
        rollout_case.part("three layers, two heads", 2),
        ("one layer, three heads", 1, lambda f: f(rows(1, 3, 4, 4, seed=1))),
        ("four layers, one head", 1, lambda f: f(rows(4, 1, 3, 3, seed=2))),
        rollout_case.batched(3),
        rollout_case.batched(2, 3),
        rollout_case.keeps_kind(torch.float64),
    ],
    hints=[
        "Follow one place through one layer: half of what comes out is what was there (the residual), the other half was fetched by attention. Which matrix says this? And what does a second layer do to it?",
        "Of each layer: the mean over heads, plus the identity, divided by 2. Then matrix products. What arrives after layer 2 is layer 2's mix of what arrived after layer 1: the later matrix stands on the left.",
        "`layers = (weights.mean(-3) + torch.eye(n)) / 2` (of the weights' kind); `flow = layers[0]`; for each later one `flow = layer @ flow`.",
    ],
)  # fmt: skip


def rollout_variant(
    heads=lambda w: w.mean(-3),
    keep=lambda a, eye: (a + eye) / 2,
    join=lambda layer, flow: layer @ flow,
    used=lambda layers: layers,
    end=lambda flow, eye: flow,
):
    def wrong(weights):
        eye = torch.eye(weights.shape[-1], dtype=weights.dtype)
        layers = used(keep(heads(weights), eye))
        flow = layers[0]
        for layer in layers[1:]:
            flow = join(layer, flow)
        return end(flow, eye)

    return wrong


add_family(e, rollout_variant, [
    ("no-residual", "What stays where it was is missing: half of each place goes round attention, by the residual connection.", {"keep": lambda a, eye: a}),
    ("not-halved", "The identity is added and nothing divided: the rows grow with every layer and no longer sum to 1.", {"keep": lambda a, eye: a + eye}),
    ("turned-round", "The layers are multiplied in the wrong order: the later one stands on the left.", {"join": lambda layer, flow: flow @ layer}),
    ("summed", "The layers are averaged; they follow one another, so their matrices are multiplied.", {"join": lambda layer, flow: layer + flow, "used": lambda layers: layers / len(layers)}),
    ("element-by-element", "The matrices are multiplied element by element (`*`); a path may go by way of any place, so it is `@`.", {"join": lambda layer, flow: layer * flow}),
    ("last-layer", "Only the last layer is shown: what it looks at has itself been mixed by the layers before.", {"used": lambda layers: layers[-1:]}),
    ("first-layer", "Only the first layer is shown; the others mix what it made.", {"used": lambda layers: layers[:1]}),
    ("strongest-head", "Of each pair the strongest head is taken, and the rows no longer sum to 1: take the mean of the heads.", {"heads": lambda w: w.amax(-3)}),
    ("first-head", "Only the first head is followed; take the mean of all.", {"heads": lambda w: w.select(-3, 0)}),
    ("residual-once", "The residual is counted once, at the end; every layer has one.", {"keep": lambda a, eye: a, "end": lambda flow, eye: (flow + eye) / 2}),
    ("read-by-columns", "The result is turned over: a row should say what has come into one place.", {"end": lambda flow, eye: flow.mT}),
])  # fmt: skip


@e.mistake(
    "head-by-head",
    "Each head is followed through all layers by itself and the mean taken last; but a layer mixes what all heads of the one before have written.",
)
def _(weights):
    layers = (weights + torch.eye(weights.shape[-1], dtype=weights.dtype)) / 2
    flow = layers[0]
    for layer in layers[1:]:
        flow = layer @ flow
    return flow.mean(-3)


# ---- 12.4 questions to a series ------------------------------------------------------------------


def days(n=11, seed=0):
    return randn(n, seed=seed).cumsum(0) + 5


e = define(
    "12.4",
    windows,
    "Questions to a series, without looking ahead",
    minutes=12,
    difficulty=2,
    parts=[
        ("eleven days, windows of four", 2, lambda f: f(days(), 4)),
        ("three days ahead", 2, lambda f: f(days(seed=1), 4, 3)),
        ("two days ahead, windows of five", 1, lambda f: f(days(13, seed=2), 5, 2)),
        ("just one window", 1, lambda f: f(days(7, seed=3), 5, 2)),
        ("windows of one day", 1, lambda f: f(days(6, seed=4), 1)),
        refusals({
            "a series too short": (ValueError, lambda f: f(days(6), 5, 2)),
            "a window of no days": (ValueError, lambda f: f(days(6), 0)),
            "an answer that is today": (ValueError, lambda f: f(days(6), 3, 0)),
        }),
    ],
    hints=[
        "Number the days from 0. If the first window holds the days 0 to length - 1, which day is its answer? And for which window is the answer the very last day of the series?",
        "`series.unfold(0, length, 1)` gives every stretch of `length` days; the last `ahead` days can be in no window, so cut them off before. The answers begin at day length + ahead - 1. Then subtract each window's last day from both.",
        "After the ValueError: `stretches = series[: len(series) - ahead].unfold(0, length, 1)`; `today = stretches[:, -1:]`; return `stretches - today, series[length + ahead - 1 :] - today[:, 0]`.",
    ],
)  # fmt: skip


def window_variant(
    base=lambda s, series: s[:, -1:],
    step=1,
    shift=lambda ahead: ahead,
    look=lambda s, series, ahead: s,
    answer=None,
    relative=(True, True),
    out=lambda x, y: (x, y),
    of=lambda x, today: x - today,
):
    def wrong(series, length, ahead=1):
        used = max(1, shift(ahead))
        n = len(series) - used
        if n < length:
            return series.new_zeros(0, length), series.new_zeros(0)
        stretches = series[:n].unfold(0, length, 1)
        answers = (
            series[length + used - 1 :] if answer is None else answer(series, length, ahead, len(stretches))
        )
        today = base(stretches, series)
        x, y = look(stretches, series, used), answers
        x = of(x, today) if relative[0] else x.clone()
        y = of(y, today[:, 0]) if relative[1] else y.clone()
        return out(x[::step] if step == 1 else x[::length], y if step == 1 else y[::length])

    return checked(windows, wrong)


add_family(e, window_variant, [
    ("answer-in-the-window", "The windows reach as far as the answer: the forecast can read what it is asked for.", {"look": lambda s, series, ahead: series[ahead:].unfold(0, s.shape[1], 1)}),
    ("mean-subtracted", "Each window's mean is subtracted; it should be its last day, so that 0 says \"as today\".", {"base": lambda s, series: s.mean(1, keepdim=True)}),
    ("mean-of-the-series", "The mean of the whole series is subtracted: it holds days that lie in the future of the window.", {"base": lambda s, series: series.mean().expand(len(s), 1)}),
    ("first-day", "Each window's first day is subtracted; today is its last.", {"base": lambda s, series: s[:, :1]}),
    ("not-relative", "Nothing is subtracted: windows and answers are relative to today.", {"relative": (False, False)}),
    ("answers-not-relative", "The answers are as they were; today is subtracted from them, too.", {"relative": (True, False)}),
    ("windows-not-relative", "The windows are as they were; today is subtracted from them, too.", {"relative": (False, True)}),
    ("percent", "The change is given as a share of today's value; it is a difference here (a share explodes where the series crosses 0).", {"of": lambda x, today: x / today - 1}),
    ("always-tomorrow", "`ahead` is not heeded: the answer is always the next day's.", {"shift": lambda ahead: 1}),
    ("one-further", "The answer is one day too far: with `ahead` = 1 it is the day right after the window.", {"shift": lambda ahead: ahead + 1}),
    ("blocks", "The windows do not overlap; every stretch is one, also those that begin a day apart.", {"step": 0}),
    ("newest-first", "The windows are turned round: the last day should stand at the end.", {"out": lambda x, y: (x.flip(1), y)}),
    ("last-window-lost", "The last window is missing: its answer is the last day of the series.", {"out": lambda x, y: (x[:-1], y[:-1])}),
    ("mean-until-then", "The answer is the mean of the days up to then; it is that one day.", {"answer": lambda s, length, ahead, n: torch.stack([s[i + length : i + length + ahead].mean() for i in range(n)])}),
])  # fmt: skip
