"""The exercises of notebook 06, what attention costs."""

import torch
import torch.nn.functional as F

from course.exercises.inputs import ids, randn
from course.exercises.promises import refusals
from course.exercises.variants import checked
from course.masks import window_mask
from course.models.efficient.bigbird import bigbird_pattern
from course.models.efficient.linformer import linformer_attention
from course.models.efficient.reformer import combine_rounds, lsh_buckets
from course.models.efficient.reversible import reversible_inverse
from course.models.efficient.tiled import tiled_attention
from course.studies.cost import log_log_slope
from course.studies.path_length import hops
from course.workbook.record import define

# ---- 6.1 how many steps apart ---------------------------------------------------------------------


def links(n: int, seed: int, share: float = 0.17) -> torch.Tensor:
    """One way, some positions never reached, some linked to themselves."""
    return randn(n, n, seed=seed).sigmoid() < share + 0.07


def ring(n: int) -> torch.Tensor:
    """Each takes from the one before, the first from the last: the longest way is n - 1 steps."""
    return torch.eye(n, dtype=torch.bool).roll(-1, 1)


e = define(
    "6.1",
    hops,
    "How many steps apart",
    minutes=12,
    difficulty=2,
    parts=[
        ("eleven positions, links one way", 2, lambda f: f(links(11, 2))),
        ("a ring of seven", 1, lambda f: f(ring(7))),
        ("a window and one global place", 1, lambda f: f(bigbird_pattern(9, 1, 1, torch.empty(9, 0, dtype=torch.int64)))),
        ("nobody linked", 1, lambda f: f(torch.zeros(4, 4, dtype=torch.bool))),
        refusals({
            "links of numbers": (TypeError, lambda f: f(torch.eye(3))),
            "links that are not square": (ValueError, lambda f: f(torch.ones(3, 4, dtype=torch.bool))),
        }),
    ],
    hints=[
        "Walk outwards. At first each position is reached by itself alone, in 0 steps. One step on: who takes from somebody that was reached?",
        "Keep a square table `reached` (the identity at first) and what was reached last. `(links.float() @ last.float()) > 0` are those who take from it; strike out who was reached before, and give the rest this step's number. Stop when nobody is new.",
        "`steps = torch.where(reached, 0, -1)`; then, while `last.any()`: `step += 1`; `last = ((links.float() @ last.float()) > 0) & ~reached`; `steps = steps.masked_fill(last, step)`; `reached = reached | last`. Refuse first: `check_boolean(links)`, and a ValueError unless square.",
    ],
)  # fmt: skip


def hops_variant(of=lambda x: x, missing=-1, start=0, itself=0, again=False, last=10**6, double=False):
    def wrong(links):
        x = of(links).float()
        reached = torch.eye(len(links), dtype=torch.bool)
        steps, frontier, step = torch.where(reached, itself, -1), reached, 0
        while frontier.any() and step < min(last, len(links)):
            step = 2 * step if double and step else step + 1
            before = reached if double else frontier
            if double and step > 1:
                x = ((x @ x) + x).clamp(max=1)
            new = (x @ before.float()) > 0
            frontier = new if again else new & ~reached
            steps = steps.masked_fill(frontier, step + start)
            reached = reached | frontier
        return steps.masked_fill(~reached, missing)

    return checked(hops, wrong)


for name, says, flags in [
    ("backwards", "The links are followed backwards: row i takes FROM column j, so what matters is `links @ reached`, not its transpose.", {"of": lambda x: x.mT}),
    ("both-ways", "The links are taken to run both ways; that i takes from j does not let j take from i.", {"of": lambda x: x | x.mT}),
    ("missing-0", "A position that is never reached gets 0, as if it were there already; it gets -1.", {"missing": 0}),
    ("missing-n", "A position that is never reached gets n, as if there were a long way; there is none, so -1.", {"missing": 99}),
    ("itself-1", "The way from a position to itself counts as 1 step; it takes 0.", {"itself": 1}),
    ("positions", "The positions on the way are counted; the steps between them are one fewer.", {"start": 1, "itself": 1}),
    ("overwritten", "A position that was reached before gets a number again, of a longer walk: the FIRST time counts.", {"again": True}),
    ("two-steps", "The search stops after two steps; it goes on until nobody new is reached.", {"last": 2}),
    ("one-step", "Only direct links are counted; it goes on from there until nobody new is reached.", {"last": 1}),
]:  # fmt: skip
    e.mistake(name, says)(hops_variant(**flags))


@e.mistake("no-check", "Right, but links that are not boolean, or not square, should be refused as promised.")
def _(links):
    links = links[: min(links.shape), : min(links.shape)] > 0
    return hops(links)


# ---- 6.2 the exponent of a power law --------------------------------------------------------------


def seconds(p: float, seed: int, points: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    """Lengths that double and times that grow as nᵖ, a tenth up or down, some overhead on top."""
    n = 96.0 * 2.0 ** torch.arange(points)
    return n, 3e-6 * n**p * (0.1 * randn(points, seed=seed)).exp() + 2e-4


e = define(
    "6.2",
    log_log_slope,
    "The exponent, from times",
    minutes=12,
    difficulty=2,
    parts=[
        ("six times that grow about as n²", 2, lambda f: f(*seconds(2.0, 3))),
        ("five that grow about as n", 1, lambda f: f(*seconds(1.0, 4, 5))),
        ("three points", 1, lambda f: f(torch.tensor([10.0, 37.0, 55.0]), torch.tensor([0.7, 3.1, 9.2]))),
        ("costs that fall", 1, lambda f: f(torch.tensor([3.0, 5.0, 11.0, 17.0]), torch.tensor([8.0, 5.5, 2.2, 1.7]))),
        refusals({
            "two points": (ValueError, lambda f: f(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0]))),
            "a cost of 0": (ValueError, lambda f: f(torch.tensor([1.0, 2.0, 4.0]), torch.tensor([1.0, 0.0, 2.0]))),
        }),
    ],
    hints=[
        "Take logarithms of both sides of cost = c · nᵖ. What is p in the straight line that comes out?",
        "With x = ln n and y = ln cost, both less their mean, the slope is Σxy / Σx². The residuals are y − slope · x; their squares, divided by (points − 2) and by Σx², give the square of the error.",
        "`x = n.double().log(); x = x - x.mean()`, the same for y; `slope = (x * y).sum() / (x**2).sum()`; `error = (((y - slope * x) ** 2).sum() / (len(n) - 2) / (x**2).sum()).sqrt()`; return both `.item()`. Refuse fewer than 3 points and what is not above 0 with a ValueError.",
    ],
)  # fmt: skip


def slope_variant(x_of=torch.log, y_of=torch.log, centred=True, swap=False, free=2, spread=True, root=True,
                  times=1.0, order=False):  # fmt: skip
    def wrong(n, cost):
        x, y = x_of(n.double()), y_of(cost.double())
        if swap:
            x, y = y, x
        if centred:
            x, y = x - x.mean(), y - y.mean()
        wide = (x**2).sum()
        slope = (x * y).sum() / wide
        error = ((y - slope * x) ** 2).sum() / (len(n) - free) / (wide if spread else 1.0)
        error = times * (error.sqrt() if root else error)
        return (error.item(), slope.item()) if order else (slope.item(), error.item())

    return checked(log_log_slope, wrong)


for name, says, flags in [
    ("linear", "The line is drawn through n and cost as they are; a power law is straight only when both are logarithms.", {"x_of": lambda x: x, "y_of": lambda y: y}),
    ("log-cost", "Only the cost is a logarithm: that is straight for cost = cⁿ. Take ln n, too.", {"x_of": lambda x: x}),
    ("log-n", "Only n is a logarithm; take ln cost, too.", {"y_of": lambda y: y}),
    ("no-intercept", "The line is forced through the origin: ln c is lost. Take both means away first.", {"centred": False}),
    ("swapped", "n is fitted to the cost; the slope asked for is that of the cost over n.", {"swap": True}),
    ("all-points", "The squared residuals are divided by the number of points; two were used up by slope and intercept, so points − 2.", {"free": 0}),
    ("points-1", "The squared residuals are divided by points − 1; two were used up by slope and intercept, so points − 2.", {"free": 1}),
    ("residual", "This is the spread of the points about the line; the slope's error is that divided by √Σ(ln n − mean)².", {"spread": False}),
    ("squared", "The error is not rooted.", {"root": False}),
    ("interval", "1.96 errors are given in place of one; and with few points it would be more than that.", {"times": 1.96}),
    ("order", "The error comes first; the order is (slope, error).", {"order": True}),
]:  # fmt: skip
    e.mistake(name, says)(slope_variant(**flags))


@e.mistake("ends", "Only the first and the last point are used; least squares uses all.")
def _(n, cost):
    _, error = log_log_slope(n, cost)
    x, y = n.double().log(), cost.double().log()
    return ((y[-1] - y[0]) / (x[-1] - x[0])).item(), error


@e.mistake(
    "no-check", "Right, but fewer than 3 points, or one that is not above 0, should raise a ValueError."
)
def _(n, cost):
    return slope_variant().__wrapped__(n, cost)


# ---- 6.3 BigBird's pattern ------------------------------------------------------------------------


def picked(n: int, r: int, seed: int = 0) -> torch.Tensor:
    return ids(n, r, below=n, seed=seed)


e = define(
    "6.3",
    bigbird_pattern,
    "BigBird's pattern",
    minutes=8,
    difficulty=1,
    parts=[
        ("nine places, width 1, two global, two picks", 2, lambda f: f(9, 1, 2, picked(9, 2, 3))),
        ("width 2, none global, no picks", 1, lambda f: f(8, 2, 0, torch.empty(8, 0, dtype=torch.int64))),
        ("width 0, one global", 1, lambda f: f(6, 0, 1, torch.empty(6, 0, dtype=torch.int64))),
        ("picks alone, and themselves", 1, lambda f: f(7, 0, 0, picked(7, 1, 5))),
        refusals({
            "picks for too few rows": (ValueError, lambda f: f(5, 1, 1, picked(4, 1))),
            "more global places than there are": (ValueError, lambda f: f(5, 1, 6, picked(5, 1))),
        }),
    ],
    hints=[
        "Begin with the window, which the course has, and add two more things that may be True. Nothing that is True becomes False again.",
        "A global place looks at all: its ROW is True. And all look at it: its COLUMN is True, too. Picks belong to their row alone.",
        "`pattern = window_mask(n, width)`; `pattern[:n_global] = True`; `pattern[:, :n_global] = True`; return `pattern.scatter(1, picks, True)`. Refuse first, with a ValueError: `picks.shape[0] != n`, or `n_global` outside 0 to n.",
    ],
)  # fmt: skip


def pattern_variant(window=window_mask, rows=True, columns=True, pick="rows", first=True, keep=True):
    def wrong(n, width, n_global, picks):
        pattern = window(n, width).clone()
        at = torch.arange(n) < n_global if first else torch.arange(n) >= n - n_global
        pattern |= (at[:, None] & torch.tensor(rows)) | (at & torch.tensor(columns))
        chosen = torch.zeros(n, n, dtype=torch.bool).scatter(1, picks, True)
        chosen = {"rows": chosen, "both": chosen | chosen.mT, "columns": chosen.mT, "none": chosen & False}[
            pick
        ]
        return torch.where(chosen.any(1, keepdim=True), chosen, pattern) if not keep else pattern | chosen

    return checked(bigbird_pattern, wrong)


def distance(n: int) -> torch.Tensor:
    return (torch.arange(n)[:, None] - torch.arange(n)).abs()


for name, says, flags in [
    ("global-rows", "Global places look at all, but nobody looks at them: their columns must be True, too.", {"columns": False}),
    ("global-columns", "All look at the global places, but these look at nobody: their rows must be True, too.", {"rows": False}),
    ("global-last", "The LAST places are made global; it is the first `n_global`.", {"first": False}),
    ("half-window", "The width is split over both sides; it counts neighbours on EITHER side: |i − j| <= width.", {"window": lambda n, w: window_mask(n, w // 2)}),
    ("one-sided", "The window looks back only; it reaches to both sides.", {"window": lambda n, w: window_mask(n, w).tril()}),
    ("not-itself", "A place does not look at itself; |i − i| = 0 is inside every window.", {"window": lambda n, w: window_mask(n, w) & ~torch.eye(n, dtype=torch.bool)}),
    ("one-short", "The window ends one place early: |i − j| <= width, not <.", {"window": lambda n, w: distance(n) < w}),
    ("wraps", "The window wraps round, so that the first place sees the last; here it ends at the ends.", {"window": lambda n, w: torch.minimum(distance(n), n - distance(n)) <= w}),
    ("picks-both-ways", "A pick is made to run both ways; rows pick for themselves, and j need not look back.", {"pick": "both"}),
    ("picks-turned", "Rows and columns of the picks are exchanged: picks[i] are the columns that ROW i looks at.", {"pick": "columns"}),
    ("no-picks", "The picks are left out.", {"pick": "none"}),
    ("picks-only", "Where a row has picks it looks at nothing else any more; they come on top of window and global places.", {"keep": False}),
]:  # fmt: skip
    e.mistake(name, says)(pattern_variant(**flags))

# ---- 6.4 Linformer ----------------------------------------------------------------------------------


def linformer_arguments(*batch: int) -> tuple[torch.Tensor, ...]:
    return (
        randn(*batch, 5, 3), randn(*batch, 7, 3, seed=1), randn(*batch, 7, 4, seed=2),
        randn(6, 7, seed=3), randn(6, 7, seed=4),
    )  # fmt: skip


e = define(
    "6.4",
    linformer_attention,
    "Linformer",
    minutes=8,
    difficulty=1,
    parts=[
        ("five queries, seven keys, six mixtures", 2, lambda f: f(*linformer_arguments())),
        ("two axes in front", 1, lambda f: f(*linformer_arguments(2, 3))),
        (
            "self-attention, two mixtures",
            1,
            lambda f: f(randn(7, 3), randn(7, 3, seed=1), randn(7, 3, seed=2), randn(2, 7, seed=3), randn(2, 7, seed=4)),
        ),
        ("in float64", 1, lambda f: f(*(x.double() for x in linformer_arguments()))),
        refusals({
            "an E for another number of keys": (ValueError, lambda f: f(*linformer_arguments()[:3], randn(6, 8), randn(6, 8))),
            "E and F of different ranks": (ValueError, lambda f: f(*linformer_arguments()[:4], randn(5, 7))),
        }),
    ],
    hints=[
        "E has a column for each key. So which axis of the keys does it mix: that of the places, or that of the features?",
        "E @ key has as many rows as E: the mixtures. The same with F for the values. After that it is attention as always, and √d_k is as always.",
        "Refuse first: `e.shape[-1] != key.shape[-2] or e.shape != f.shape` is a ValueError. Then `return scaled_dot_product_attention(query, e @ key, f @ value)`.",
    ],
)  # fmt: skip


def linformer_variant(
    key_by="e", value_by="f", scale=lambda d, rank, n: d**-0.5, over=-1, late=False, mix=lambda m: m
):
    def wrong(query, key, value, e, f):
        of = {"e": mix(e), "f": mix(f)}
        first = torch.eye(key.shape[-2], dtype=e.dtype)[: len(e)]
        of["first"] = first
        factor = scale(query.shape[-1], len(e), key.shape[-2])
        if late:
            weights = (query @ key.mT * factor).softmax(over) @ of[key_by].mT
        else:
            weights = (query @ (of[key_by] @ key).mT * factor).softmax(over)
        return weights @ (of[value_by] @ value), weights

    return checked(linformer_attention, wrong)


for name, says, flags in [
    ("e-for-both", "E is used for the values, too; they have a projection of their own, F.", {"value_by": "e"}),
    ("f-for-both", "F is used for the keys, too; they have a projection of their own, E.", {"key_by": "f"}),
    ("exchanged", "E and F have changed places: E is for the keys, F for the values.", {"key_by": "f", "value_by": "e"}),
    ("root-of-rank", "The scores are divided by √rank; a score is still an inner product of d_k numbers, so √d_k.", {"scale": lambda d, rank, n: rank**-0.5}),
    ("root-of-n", "The scores are divided by √n; a score is an inner product of d_k numbers, so √d_k.", {"scale": lambda d, rank, n: n**-0.5}),
    ("no-scale", "The scores are not divided by √d_k.", {"scale": lambda d, rank, n: 1.0}),
    ("over-queries", "The softmax runs over the queries; each query shares out its weight over the mixtures.", {"over": -2}),
    ("late", "The n × n softmax is taken first and projected afterwards: nothing is saved, and it is another function. Project the keys before.", {"late": True}),
    ("cut", "The first few keys and values are kept in place of mixtures of all of them.", {"key_by": "first", "value_by": "first"}),
    ("cut-values", "The values are cut to the first few; they are mixed by F.", {"value_by": "first"}),
    ("softmaxed", "E and F are put through a softmax; they are plain matrices, with any numbers.", {"mix": lambda m: m.softmax(-1)}),
]:  # fmt: skip
    e.mistake(name, says)(linformer_variant(**flags))

# ---- 6.5 hashing by angle -----------------------------------------------------------------------------

e = define(
    "6.5",
    lsh_buckets,
    "Buckets by angle",
    minutes=10,
    difficulty=2,
    parts=[
        ("thirteen vectors, three rounds, six buckets", 2, lambda f: f(randn(13, 5), randn(3, 5, 3, seed=1))),
        ("vectors of very different lengths", 1, lambda f: f(randn(11, 4, seed=2) * (4 * randn(11, 1, seed=3)).exp(), randn(2, 4, 5, seed=4))),
        ("two buckets, a row each", 1, lambda f: f(randn(9, 3, seed=5), randn(4, 3, 1, seed=6))),
        ("two axes in front", 1, lambda f: f(randn(2, 3, 7, 4, seed=7), randn(5, 4, 2, seed=8))),
        ("rotations for each head", 1, lambda f: f(randn(3, 7, 4, seed=9), randn(3, 2, 4, 3, seed=10))),
        refusals({"rotations of another width": (ValueError, lambda f: f(randn(4, 3), randn(2, 5, 2)))}),
    ],
    hints=[
        "One product turns all vectors by all rotations, if the vectors get an axis for the rounds. Which of the turned numbers is largest, if each may also count with its sign changed?",
        "`x.unsqueeze(-3) @ rotations` has the shape [*batch, rounds, n, half]. Put it and its negative end to end along the last axis, and ask where the largest is.",
        "`turned = x.unsqueeze(-3) @ rotations`; `return torch.cat([turned, -turned], dim=-1).argmax(dim=-1)`, after a ValueError where `x.shape[-1] != rotations.shape[-2]`.",
    ],
)  # fmt: skip


def buckets_variant(join=lambda t: torch.cat([t, -t], -1), best=lambda t: t.argmax(-1), finish=lambda b, half: b,
                    rotation=lambda r: r, vector=lambda x: x):  # fmt: skip
    def wrong(x, rotations):
        return finish(best(join(vector(x).unsqueeze(-3) @ rotation(rotations))), rotations.shape[-1])

    return checked(lsh_buckets, wrong)


def from_offset(b: torch.Tensor, half: int) -> torch.Tensor:
    return b + 2 * half * torch.arange(b.shape[-2])[:, None]


def as_binary(t: torch.Tensor) -> torch.Tensor:
    return ((t[..., : t.shape[-1] // 2] > 0) * 2 ** torch.arange(t.shape[-1] // 2)).sum(-1)


for name, says, flags in [
    ("no-negatives", "The negatives are left out: with xR alone, half of the buckets never come up. It is argmax of [xR; −xR].", {"join": lambda t: t}),
    ("absolute", "The largest |xR| decides, so that opposite vectors share a bucket; they are as far apart as can be.", {"join": lambda t: t.abs()}),
    ("negatives-first", "Opposite buckets have changed places: it is the LARGEST of [xR; −xR], xR first (not the smallest, not −xR first).", {"join": lambda t: torch.cat([-t, t], -1)}),
    ("interleaved", "xR and −xR take turns; they stand end to end, first all of xR.", {"join": lambda t: torch.stack([t, -t], -1).flatten(-2)}),
    ("offset", "Each round's buckets begin where the last round's ended; here each round counts from 0.", {"finish": from_offset}),
    ("rounds-last", "The rounds are the last axis; they stand before the vectors: [*batch, rounds, n].", {"finish": lambda b, half: b.mT}),
    ("one-rotation", "Every round uses the first round's rotation, so that each misses what the others miss.", {"rotation": lambda r: r[..., :1, :, :].expand_as(r)}),
    ("binary", "The signs are read as a binary number; that is another hash, with 2^half buckets.", {"best": as_binary}),
    ("largest-value", "The largest entry itself is given; the bucket is where it stands.", {"best": lambda t: t.amax(-1)}),
]:  # fmt: skip
    e.mistake(name, says)(buckets_variant(**flags))


@e.mistake(
    "over-vectors",
    "The argmax runs over the vectors: it says which vector is largest, not which bucket each has.",
)
def _(x, rotations):
    if x.shape[-1] != rotations.shape[-2]:
        raise ValueError("width")
    turned = x.unsqueeze(-3) @ rotations
    return torch.cat([turned, -turned], -1).argmax(-2)


# ---- 6.6 many rounds, one output ----------------------------------------------------------------------

e = define(
    "6.6",
    combine_rounds,
    "Many rounds, one output",
    minutes=8,
    difficulty=2,
    parts=[
        ("three rounds, five places", 2, lambda f: f(randn(3, 5, 4), randn(3, 5, seed=1))),
        ("one round: nothing changes", 1, lambda f: f(randn(1, 5, 4), 3 * randn(1, 5, seed=1))),
        ("log-sums of hundreds", 1, lambda f: f(randn(4, 3, 2), 100 + 200 * randn(4, 3, seed=2))),
        ("two axes in front", 1, lambda f: f(randn(2, 3, 4, 5, 6), randn(2, 3, 4, 5, seed=3))),
        ("in float64", 1, lambda f: f(randn(3, 5, 4).double(), randn(3, 5, seed=1).double())),
    ],
    hints=[
        "A round that found keys of high scores should count for more than one that found nothing near. Each round's sum of exp(score) says how much it found.",
        "exp(log_sums), shared out over the ROUNDS so that they sum to 1 at every place: that is a softmax of log_sums along the axis of the rounds. It never overflows.",
        "`(log_sums.softmax(dim=-2).unsqueeze(-1) * outputs).sum(dim=-3)`",
    ],
)


def rounds_variant(share=lambda s: s.softmax(-2), total=lambda x: x.sum(-3)):
    return lambda outputs, log_sums: total(share(log_sums).unsqueeze(-1) * outputs)


for name, says, flags in [
    ("mean", "All rounds count alike; one that found high scores has to count for more: by its share of Σ exp(score).", {"share": lambda s: torch.ones_like(s) / s.shape[-2]}),
    ("over-places", "The softmax runs over the places; at each place it is the ROUNDS that share.", {"share": lambda s: s.softmax(-1)}),
    ("not-shared", "exp(log_sums) is not divided by its sum over the rounds.", {"share": lambda s: s.exp()}),
    ("logs", "The logarithms themselves are the shares; take exp of them first (softmax does).", {"share": lambda s: s / s.sum(-2, keepdim=True)}),
    ("negative", "A round that found more counts for less: the sign is turned round.", {"share": lambda s: (-s).softmax(-2)}),
    ("best-round", "Only the round that found most is kept; the others add what it missed.", {"share": lambda s: F.one_hot(s.argmax(-2), s.shape[-2]).mT.to(s.dtype)}),
    ("mean-again", "The weighted outputs are averaged over the rounds; the shares sum to 1 already, so sum.", {"total": lambda x: x.mean(-3)}),
    ("one-share-a-round", "Each round has one share for all places; at each place another round may have found most.", {"share": lambda s: s.mean(-1, keepdim=True).expand_as(s).softmax(-2)}),
    ("overflow", "Right for small sums, but exp of hundreds overflows: use softmax, or take the largest away first.", {"share": lambda s: s.exp() / s.exp().sum(-2, keepdim=True)}),
    ("sums", "The outputs are summed without shares.", {"share": torch.ones_like}),
]:  # fmt: skip
    e.mistake(name, says)(rounds_variant(**flags))

# ---- 6.7 what went in -----------------------------------------------------------------------------------


def two_functions(d: int = 4) -> tuple:
    a, b = randn(d, d, seed=7), randn(d, d, seed=8)
    return (lambda x: torch.tanh(x @ a.to(x.dtype))), (lambda x: torch.sin(x @ b.to(x.dtype)) * 1.5)


def asked_once(f) -> dict:
    """How often f and g are asked."""
    count = {"f": 0, "g": 0}
    g1, g2 = two_functions()

    def counting(name, function):
        def ask(x):
            count[name] += 1
            return function(x)

        return ask

    f(randn(3, 4), randn(3, 4, seed=1), counting("f", g1), counting("g", g2))
    return count


def keeps(f) -> dict:
    y1, y2 = randn(3, 4), randn(3, 4, seed=1)
    f(y1, y2, *two_functions())
    return {"y1, afterwards": y1, "y2, afterwards": y2}


e = define(
    "6.7",
    reversible_inverse,
    "What went in",
    minutes=8,
    difficulty=2,
    parts=[
        ("two halves of three rows", 2, lambda f: f(randn(3, 4), randn(3, 4, seed=1), *two_functions())),
        ("a batch", 1, lambda f: f(randn(2, 3, 4, seed=2), randn(2, 3, 4, seed=3), *two_functions())),
        ("in float64", 1, lambda f: f(randn(3, 4).double(), randn(3, 4, seed=1).double(), *two_functions())),
        (
            "how often f and g are asked",
            1,
            asked_once,
            "f and g should be asked once each: they are what costs",
        ),
        ("what was given stays as it was", 1, keeps, "what was given is changed"),
    ],
    hints=[
        "Read the forward pass from its end. Of its two lines, which has only things in it that are known now, but for one?",
        "y₂ = x₂ + g(y₁), and y₁ and y₂ are known: so that gives x₂. With x₂ known, y₁ = x₁ + f(x₂) gives x₁.",
        "`x2 = y2 - g(y1)`, then `x1 = y1 - f(x2)`; return `x1, x2`.",
    ],
)


@e.mistake(
    "same-order",
    "f is undone first, as if it had come last; undo in reverse: x₂ = y₂ − g(y₁), and with it x₁.",
)
def _(y1, y2, f, g):
    x1 = y1 - f(y2)
    return x1, y2 - g(x1)


@e.mistake("old-half", "x₁ is made with f(y₂); f was given x₂ on the way forward.")
def _(y1, y2, f, g):
    return y1 - f(y2), y2 - g(y1)


@e.mistake("added", "f and g are added again; going back they are subtracted.")
def _(y1, y2, f, g):
    x2 = y2 + g(y1)
    return y1 + f(x2), x2


@e.mistake("exchanged", "f and g have changed places: y₁ was made with f, y₂ with g.")
def _(y1, y2, f, g):
    x2 = y2 - f(y1)
    return y1 - g(x2), x2


@e.mistake("halves-exchanged", "x₂ is returned first; the order is x₁, x₂.")
def _(y1, y2, f, g):
    x2 = y2 - g(y1)
    return x2, y1 - f(x2)


@e.mistake("other-half", "x₁ is made with f(y₁); f was given x₂ on the way forward.")
def _(y1, y2, f, g):
    return y1 - f(y1), y2 - g(y1)


@e.mistake("only-second", "x₂ is right, and y₁ is given back as x₁: f has still to be taken away.")
def _(y1, y2, f, g):
    return y1 - 0 * f(y2), y2 - g(y1)


@e.mistake("in-place", "Right, but y₁ and y₂ are changed in place: whoever gave them still needs them.")
def _(y1, y2, f, g):
    y2 -= g(y1)
    y1 -= f(y2)
    return y1, y2


@e.mistake("twice", "Right, but g is asked twice; it is what costs, so keep x₂.")
def _(y1, y2, f, g):
    return y1 - f(y2 - g(y1)), y2 - g(y1)


# ---- 6.8 a tile at a time ---------------------------------------------------------------------------------


def tiles(*batch: int, size: float = 1.0, keys: int = 11) -> tuple[torch.Tensor, ...]:
    return size * randn(*batch, 4, 3), size * randn(*batch, keys, 3, seed=1), randn(*batch, keys, 5, seed=2)


e = define(
    "6.8",
    tiled_attention,
    "A tile at a time",
    minutes=20,
    difficulty=3,
    parts=[
        ("eleven keys in tiles of four", 2, lambda f: f(*tiles(), 4)),
        ("tiles of one", 1, lambda f: f(*tiles(), 1)),
        ("one tile for all", 1, lambda f: f(*tiles(), 50)),
        ("scores of hundreds, up and down", 1, lambda f: f(*tiles(size=20.0), 3)),
        ("scores far below 0", 1, lambda f: f(20 + randn(4, 3).abs(), -20 - randn(8, 3, seed=1).abs(), randn(8, 5, seed=2), 4)),
        ("two axes in front", 1, lambda f: f(*tiles(2, 3), 4)),
        ("in float64", 1, lambda f: f(*(x.double() for x in tiles()), 4)),
        refusals({"a tile of 0 keys": (ValueError, lambda f: f(*tiles(), 0))}),
    ],
    hints=[
        "softmax · V is a fraction: above it Σ exp(score) · value, below it Σ exp(score). Both are sums over the keys, so they can be made a tile at a time. What keeps exp from overflowing when you have not seen all scores yet?",
        "Carry the largest score so far, m, and both sums with exp(score − m) in them. When a tile raises m to a new one, everything summed up so far was too large by exp(new − m): multiply BOTH sums by exp(m − new).",
        "Per tile: `scores = query @ k.mT` (query divided by √d_k), `new = torch.maximum(m, scores.amax(-1, keepdim=True))`, `shrink = (m - new).exp()`, `w = (scores - new).exp()`, `total = total * shrink + w.sum(-1, keepdim=True)`, `output = output * shrink + w @ v`, `m = new`. Start with m = −inf and zeros; return `output / total`. A tile below 1: a ValueError.",
    ],
)  # fmt: skip


def tiled_variant(start=-torch.inf, shrink_total=True, shrink_output=True, scale=True, drop=False, keep=False,
                  shrink=lambda old, new: (old - new).exp(), divide=True, largest=True):  # fmt: skip
    def wrong(query, key, value, tile):
        query = query / query.shape[-1] ** 0.5 if scale else query
        m = query.new_full((*query.shape[:-1], 1), start)
        total, output = torch.zeros_like(m), query.new_zeros(*query.shape[:-1], value.shape[-1])
        for k, v in zip(key.split(tile, -2), value.split(tile, -2), strict=True):
            if drop and k.shape[-2] < min(tile, key.shape[-2]):
                continue
            scores = query @ k.mT
            top = scores.amax(-1, keepdim=True)
            new = torch.maximum(m, top) if largest else top
            if keep and m.isfinite().all():
                new = m
            by, w = shrink(m, new), (scores - new).exp()
            by = torch.where(m.isfinite(), by, 1.0)
            total = total * (by if shrink_total else 1) + w.sum(-1, keepdim=True)
            output = output * (by if shrink_output else 1) + w @ v
            m = new
        return output / total if divide else output

    return checked(tiled_attention, wrong)


def by_tiles(query, key, value, tile, join):
    found = [
        F.scaled_dot_product_attention(query, k, v)
        for k, v in zip(key.split(tile, -2), value.split(tile, -2), strict=True)
    ]
    return join(torch.stack(found))


for name, says, flags in [
    ("not-shrunk", "When a larger score comes, what was summed so far must be scaled down to it, both sums: by exp(old largest − new largest).", {"shrink_total": False, "shrink_output": False}),
    ("total-not-shrunk", "The output is scaled down when a larger score comes, and the sum below it is not.", {"shrink_total": False}),
    ("output-not-shrunk", "The sum below is scaled down when a larger score comes, and the output is not.", {"shrink_output": False}),
    ("grown", "The sums are multiplied by exp(new − old largest), which makes them larger; they have to become smaller: exp(old − new).", {"shrink": lambda old, new: (new - old).exp()}),
    ("own-largest", "A tile with smaller scores lowers the largest again; it is the largest of ALL tiles so far. Scores that fall by hundreds then overflow.", {"largest": False}),
    ("first-largest", "The first tile's largest score is kept for all tiles: a later, much larger one overflows.", {"keep": True}),
    ("from-0", "The largest score begins at 0: where all scores are far below 0, every exp is 0, and 0/0 comes out. Begin at −∞.", {"start": 0.0}),
    ("no-scale", "The scores are not divided by √d_k.", {"scale": False}),
    ("short-tile", "The last tile, which is shorter, is left out.", {"drop": True}),
    ("not-divided", "The output is not divided by the sum of the weights.", {"divide": False}),
]:  # fmt: skip
    e.mistake(name, says)(tiled_variant(**flags))

e.mistake(
    "tiles-averaged",
    "Each tile has a softmax of its own and the outputs are averaged; a tile with high scores must count for more.",
)(checked(tiled_attention, lambda q, k, v, tile: by_tiles(q, k, v, tile, lambda x: x.mean(0))))
e.mistake(
    "tiles-summed",
    "Each tile has a softmax of its own and the outputs are summed; the weights of ALL keys sum to 1.",
)(checked(tiled_attention, lambda q, k, v, tile: by_tiles(q, k, v, tile, lambda x: x.sum(0))))


@e.mistake(
    "no-largest",
    "Right for small scores, but exp of hundreds overflows: carry the largest score along.",
)
def _(query, key, value, tile):
    if tile < 1:
        raise ValueError("tile")
    weights = (query @ key.mT / query.shape[-1] ** 0.5).exp()
    return weights @ value / weights.sum(-1, keepdim=True)
