"""The exercises of notebook 04: position, non-linearity, masks."""

import math

import torch
import torch.nn.functional as F

from course.attention import masked_softmax
from course.blocks import EncoderBlock, feed_forward
from course.exercises.contract import Case, backward
from course.exercises.inputs import all_dropped, randn, some_true, with_fixed_weights
from course.exercises.variants import checked, said
from course.masks import causal_mask, padding_mask
from course.positions import frequencies, shift_matrix, sinusoidal_positions
from course.workbook.record import define

# ---- 4.1 sinusoidal positions ------------------------------------------------------------------

table_case = Case(lambda: (7, 10))

e = define(
    "4.1",
    sinusoidal_positions,
    "Sinusoidal positions",
    minutes=12,
    difficulty=2,
    parts=[
        table_case.part("seven positions, ten dimensions", 2),
        table_case.part("position 0 alone: sin 0 = 0 and cos 0 = 1 in turn", change=lambda n, d: (1, 6)),
        table_case.part("sixty positions, thirty-two dimensions", change=lambda n, d: (60, 32)),
        table_case.part("one pair of dimensions", change=lambda n, d: (5, 2)),
        said(
            table_case.part("no position at all", change=lambda n, d: (0, 6)),
            "no positions should give a table of shape [0, d_model]",
        ),
        table_case.refuses("an odd number of dimensions", change=lambda n, d: (7, 9)),
        table_case.refuses("a negative number of positions", change=lambda n, d: (-1, 10)),
    ],
    hints=[
        "The table is an outer product of positions and frequencies, put through sin and cos. How many different frequencies are"
        " there for d_model dimensions?",
        "There are d_model / 2: `10000 ** (-torch.arange(0, d_model, 2) / d_model)`. The 2i of the formula is the even dimension"
        " itself, 0, 2, 4, …; do not double it again. An odd d_model has a dimension without a partner: raise a ValueError.",
        "`angle = torch.arange(n)[:, None] * frequencies`; make `table = torch.zeros(n, d_model)`, then"
        " `table[:, 0::2] = angle.sin()` and `table[:, 1::2] = angle.cos()`.",
    ],
)  # fmt: skip


def interleaved(sines, cosines):
    return torch.stack([sines, cosines], -1).flatten(-2)


def sinusoid_variant(exponent=lambda i, d: 2 * i / d, base=10_000.0, first=torch.sin, second=torch.cos, start=0, join=interleaved,
                     turn=1.0, last=lambda table: table):  # fmt: skip
    def wrong(n, d_model):
        i = torch.arange(d_model // 2)
        angle = turn * torch.arange(start, n + start)[:, None] * base ** -exponent(i, d_model)
        return last(join(first(angle), second(angle)))

    return checked(sinusoidal_positions, wrong)


for name, says, flags in [
    ("swapped", "Sine and cosine are swapped: even dimensions are sines, odd ones cosines.", {"first": torch.cos, "second": torch.sin}),
    ("exponent-i", "The exponent of pair i is i / d_model, half of what it should be: the formula has 2i there, with i counting the pairs.",
     {"exponent": lambda i, d: i / d}),
    ("exponent-4i", "The exponent of pair i is 4i / d_model, twice what it should be. If your index runs over the even dimensions 0, 2, 4, …, it is the 2i already; and what divides is d_model, not the number of pairs.",
     {"exponent": lambda i, d: 4 * i / d}),
    ("exponent-0", "Every pair turns at the same speed, as if its exponent were 0. (`//` rounds 2i / d_model down.)", {"exponent": lambda i, d: 0 * i}),
    ("base-1000", "The base is 1 000, not 10 000.", {"base": 1_000.0}),
    ("base-100000", "The base is 100 000, not 10 000.", {"base": 100_000.0}),
    ("multiplied", "The positions are multiplied by 10000^(2i/d) where they should be divided by it.", {"exponent": lambda i, d: -2 * i / d}),
    ("from-one", "Positions are counted from 1; they start at 0.", {"start": 1}),
    ("halves", "The sines fill the first half and the cosines the second; here they stand in turn: sin, cos, sin, cos, …",
     {"join": lambda s, c: torch.cat([s, c], -1)}),
    ("only-sine", "There are sines only; the odd dimensions are cosines.", {"second": torch.sin}),
    ("only-cosine", "There are cosines only; the even dimensions are sines.", {"first": torch.cos}),
    ("degrees", "The angles are taken for degrees; pos / 10000^(2i/d) is in radians, as torch.sin takes it.", {"turn": math.pi / 180}),
    ("turns", "The angles are multiplied by 2π; pos / 10000^(2i/d) is in radians already.", {"turn": 2 * math.pi}),
    ("on-its-side", "The table lies on its side: a row for each dimension. It should have a row for each position.", {"last": lambda t: t.mT}),
    ("batch-axis", "The table has an axis of length 1 in front; it should be [n, d_model].", {"last": lambda t: t[None]}),
    ("list", "The numbers are right, but they are in Python lists; the table should be a tensor.", {"last": lambda t: t.tolist()}),
    ("float64", "The numbers are right, but of kind float64; like everything torch makes by itself the table should be float32.",
     {"last": lambda t: t.double()}),
]:  # fmt: skip
    e.mistake(name, says)(sinusoid_variant(**flags))


def each_its_own(speed):
    """A table where each dimension j has a frequency of its own, 10000^-speed(j, d)."""

    def wrong(n, d_model):
        j = torch.arange(d_model)
        angle = torch.arange(n)[:, None] * 10_000.0 ** -speed(j, d_model)
        return torch.where(j % 2 == 0, angle.sin(), angle.cos())

    return checked(sinusoidal_positions, wrong)


e.mistake(
    "i-is-the-dimension",
    "i is taken for the dimension: dimension j turns with the exponent 2j / d_model. It counts the pairs, and both of a pair turn alike.",
)(each_its_own(lambda j, d: 2 * j / d))
e.mistake(
    "odd-own-frequency",
    "Dimension j turns with the exponent j / d_model: right for the sines, but each cosine has a frequency of its own. The sine and the cosine of a pair share one.",
)(each_its_own(lambda j, d: j / d))


@e.mistake(
    "odd-accepted",
    "An odd d_model is not refused: the last sine has no cosine beside it. It should raise a ValueError.",
)
def _(n, d_model):
    if n < 0:
        raise ValueError(n)
    return sinusoidal_positions(n, d_model + d_model % 2)[:, :d_model]


# ---- 4.2 the shift matrix ----------------------------------------------------------------------

shift_case = Case(lambda: (1, 6))

e = define(
    "4.2",
    shift_matrix,
    "The rotation that moves positions",
    minutes=12,
    difficulty=3,
    parts=[
        shift_case.part("one place on, six dimensions"),
        shift_case.part("seven places on, ten dimensions", change=lambda k, d: (7, 10)),
        shift_case.part("three places back", change=lambda k, d: (-3, 8)),
        shift_case.part("two places and a half", change=lambda k, d: (2.5, 6)),
        shift_case.part("no move at all: the identity", change=lambda k, d: (0, 6)),
        shift_case.part("five places on, one pair", change=lambda k, d: (5, 2)),
        shift_case.part("three places on, forty dimensions", change=lambda k, d: (3, 40)),
        shift_case.refuses("an odd number of dimensions", change=lambda k, d: (1, 7)),
    ],
    hints=[
        "Take one pair (sin(pos·w), cos(pos·w)) and write sin((pos + k)·w) with the addition theorem. Which 2 × 2 matrix times the"
        " pair gives the new pair?",
        "sin(a + b) = sin a cos b + cos a sin b, and cos(a + b) = cos a cos b − sin a sin b. So the first row of the block is"
        " (cos kw, sin kw), the second (−sin kw, cos kw).",
        "`w = frequencies(d_model)` (in `course.positions`; it refuses an odd d_model) holds the speed of each pair. Build the blocks"
        " in a list, `torch.tensor([[c, s], [-s, c]])` for each, and join them with `torch.block_diag(*blocks)`.",
    ],
)  # fmt: skip


def shift_variant(
    block=lambda c, s: (c, s, -s, c),
    speed=frequencies,
    move=lambda k: k,
    join=lambda blocks: torch.block_diag(*blocks),
):
    def wrong(k, d_model):
        angle = move(k) * speed(d_model)
        return join(torch.stack(block(angle.cos(), angle.sin()), -1).unflatten(-1, (2, 2)))

    return checked(shift_matrix, wrong)


def halves(blocks):
    """Pair i holds coordinates i and i + d / 2."""
    n = len(blocks)
    order = torch.arange(2 * n).unflatten(0, (n, 2)).mT.flatten()
    return torch.block_diag(*blocks)[order][:, order]


def by_exponent(of):
    return lambda d: 10_000.0 ** -of(torch.arange(d // 2), d)


for name, says, flags in [
    ("transposed", "Every block is transposed, so that it moves k places back. With the pair as a column (sine above cosine), what is the first row of the block?",
     {"block": lambda c, s: (c, -s, s, c)}),
    ("no-minus", "Both sines have a plus; then a block is no rotation. Look at the sign in cos(a + b).", {"block": lambda c, s: (c, s, s, c)}),
    ("two-minuses", "Both sines have a minus; then a block is no rotation. Look at the sign in sin(a + b).", {"block": lambda c, s: (c, -s, -s, c)}),
    ("swapped-entries", "Sine and cosine are swapped inside the blocks: for k = 0 yours is not the identity.", {"block": lambda c, s: (s, c, -c, s)}),
    ("diagonal", "Only the cosines on the diagonal are there; a rotation also mixes the two of a pair.", {"block": lambda c, s: (c, 0 * s, 0 * s, c)}),
    ("one-frequency", "Every pair turns by the angle k; each has a frequency of its own, by which k is multiplied.", {"speed": lambda d: torch.ones(d // 2)}),
    ("exponent-i", "Pair i turns with the exponent i / d_model, half of what it should be: the formula has 2i there.",
     {"speed": by_exponent(lambda i, d: i / d)}),
    ("exponent-4i", "Pair i turns with the exponent 4i / d_model, twice what it should be: an index over the even dimensions 0, 2, 4, … is the 2i already.",
     {"speed": by_exponent(lambda i, d: 4 * i / d)}),
    ("multiplied", "k is multiplied by 10000^(2i/d), where it should be divided by it: the later pairs turn more slowly, not faster.",
     {"speed": by_exponent(lambda i, d: -2 * i / d)}),
    ("ignores-k", "The angle does not depend on k: this is always the move by one place.", {"move": lambda k: 1}),
    ("one-too-far", "This moves k + 1 places on: for k = 0 it should be the identity.", {"move": lambda k: k + 1}),
    ("whole-k", "k is cut down to a whole number; the docstring lets it be any, 2.5 too.", {"move": int}),
    ("sign-lost", "The sign of k is lost: three places back is the same here as three places on.", {"move": abs}),
    ("never-back", "A negative k moves nothing here; it should move back.", {"move": lambda k: max(k, 0)}),
    ("half-pairs", "Dimension i is paired with i + d_model / 2; here the neighbours 2i and 2i + 1 are a pair, so the blocks stand on the diagonal.",
     {"join": halves}),
    ("blocks", "These are the 2 × 2 blocks, one above the other; the matrix has them along its diagonal and zeros elsewhere.", {"join": lambda blocks: blocks}),
    ("side-by-side", "The blocks stand side by side in two rows; they belong along the diagonal of a square matrix.", {"join": lambda blocks: torch.cat(list(blocks), -1)}),
]:  # fmt: skip
    e.mistake(name, says)(shift_variant(**flags))


@e.mistake(
    "odd-accepted",
    "An odd d_model is not refused: the last dimension has no partner to turn with. It should raise a ValueError.",
)
def _(k, d_model):
    matrix = torch.zeros(d_model, d_model)
    even = d_model - d_model % 2
    matrix[:even, :even] = shift_matrix(k, even)
    return matrix


# ---- 4.3 the feed-forward network --------------------------------------------------------------


def ffn_inputs(*batch: int, d_model: int = 5, d_ff: int = 7) -> tuple[torch.Tensor, ...]:
    weights = (
        randn(d_ff, d_model, seed=1),
        randn(d_ff, seed=2),
        randn(d_model, d_ff, seed=3),
        randn(d_model, seed=4),
    )
    return randn(*batch, d_model), *weights


ffn_case = Case(ffn_inputs)

e = define(
    "4.3",
    feed_forward,
    "The feed-forward network",
    minutes=6,
    difficulty=1,
    parts=[
        ffn_case.batched(3),
        ffn_case.batched(2, 3),
        ffn_case.part("a single position"),
        ffn_case.part("numbers in the hundreds", change=lambda x, *w: (300 * x, *w)),
        ffn_case.part("a hidden layer as wide as the input", change=lambda *_: ffn_inputs(2, 3, d_ff=5)),
        ffn_case.kind(torch.float64),
        Case(lambda: ffn_inputs(2, 3)).gradients(),
        Case(lambda: ffn_inputs(2, 3)).keeps_inputs(),
    ],
    hints=[
        "Three moves: a linear map to d_ff, something that is not linear, a linear map back. `max(0, ·)` of every entry has a name in"
        " PyTorch (Python's own `max` compares whole things, not entries).",
        "The weights are stored `[out, in]`, as in `nn.Linear`: the product is `x @ w1.mT`, and the bias is added to it.",
        "`torch.relu(x @ w1.mT + b1) @ w2.mT + b2`",
    ],
)  # fmt: skip


def ffn_variant(
    activation=torch.relu, last=lambda y: y, b1=True, b2=True, maps=lambda w1, w2: (w1.mT, w2.mT)
):
    def wrong(x, w1, bias1, w2, bias2):
        first, second = maps(w1, w2)
        hidden = activation(x @ first + (bias1 if b1 else 0))
        return last(hidden @ second + (bias2 if b2 else 0))

    return wrong


for name, says, flags in [
    ("no-relu", "There is nothing between the two maps, so together they are one linear map; max(0, ·) stands between them.", {"activation": lambda h: h}),
    ("relu-last", "The ReLU stands after the second map; it belongs between the two.", {"activation": lambda h: h, "last": torch.relu}),
    ("relu-twice", "There is a second ReLU after the output, which can then never be negative; the paper has one, between the two maps.", {"last": torch.relu}),
    ("no-b1", "The first bias is missing.", {"b1": False}),
    ("no-b2", "The second bias is missing.", {"b2": False}),
    ("no-biases", "Both biases are missing.", {"b1": False, "b2": False}),
    ("gelu", "This is GELU, as in BERT and GPT; the formula here, and the paper's, has ReLU: max(0, ·).", {"activation": F.gelu}),
    ("tanh", "This is tanh; the formula has max(0, ·) between the two maps.", {"activation": torch.tanh}),
    ("sigmoid", "This is the sigmoid; the formula has max(0, ·) between the two maps.", {"activation": torch.sigmoid}),
    ("relu-negative", "The negative part is kept, min(0, ·); max(0, ·) keeps the positive.", {"activation": lambda h: h.clamp(max=0)}),
    ("absolute", "The absolute value is taken; max(0, ·) makes negative entries 0.", {"activation": torch.abs}),
    ("largest", "The largest entry along an axis is taken, so the positions are no longer alone; max(0, ·) compares each entry with 0.",
     {"activation": lambda h: h.amax(0) if h.ndim > 1 else h.max()}),
    ("not-transposed", "The weights are used as they are stored, [out, in]; x stands on the left, so it is their transposes that it is multiplied by. Only where both widths are the same do the shapes hide it.",
     {"maps": lambda w1, w2: (w1, w2)}),
    ("maps-swapped", "w2 is used for the first map and w1 for the second; their shapes fit, but w1 is the first, transposed.",
     {"maps": lambda w1, w2: (w2, w1)}),
]:  # fmt: skip
    e.mistake(name, says)(ffn_variant(**flags))


@e.mistake("bias-after-relu", "The first bias is added after the ReLU; it belongs inside: max(0, x W₁ + b₁).")
def _(x, w1, b1, w2, b2):
    return (torch.relu(x @ w1.mT) + b1) @ w2.mT + b2


@e.mistake(
    "residual",
    "The input is added to the output; the residual connection belongs to the block, not to this network.",
)
def _(x, w1, b1, w2, b2):
    return x + feed_forward(x, w1, b1, w2, b2)


@e.mistake(
    "flattened",
    "The axes in front are flattened and not brought back: every position is there, but not in the shape of x.",
)
def _(x, w1, b1, w2, b2):
    return feed_forward(x, w1, b1, w2, b2).reshape(-1, x.shape[-1])


@e.mistake(
    "detached",
    "The numbers are right, but the hidden layer is cut off from the graph: no gradient reaches x, w1 and b1.",
)
def _(x, w1, b1, w2, b2):
    return torch.relu(x @ w1.mT + b1).detach() @ w2.mT + b2


# ---- 4.4 the causal mask -----------------------------------------------------------------------

mask_case = Case(lambda: (5,))

e = define(
    "4.4",
    causal_mask,
    "The causal mask",
    minutes=5,
    difficulty=1,
    parts=[
        mask_case.part("five positions"),
        mask_case.part("a single position", change=lambda n: (1,)),
        mask_case.part("eight positions", change=lambda n: (8,)),
        said(
            mask_case.part("no position at all", change=lambda n: (0,)),
            "for n = 0 the mask should be empty, of shape [0, 0]",
        ),
        mask_case.refuses("a negative number of positions", change=lambda n: (-1,)),
    ],
    hints=[
        "Row i is the query, column j the key. For which j may position i look? Draw the table for n = 3 first.",
        "j ≤ i: the diagonal and everything to its left. PyTorch knows lower triangles: `torch.tril`.",
        "`torch.ones(n, n, dtype=torch.bool).tril()`, or compare positions: `i[:, None] >= i`.",
    ],
)


def ones(n):
    return torch.ones(n, n, dtype=torch.bool)


for name, says, wrong in [
    ("off-by-one", "Off by one: a position may not see itself here, and position 0 sees nothing at all.", lambda n: ones(n).tril(-1)),
    ("one-ahead", "Off by one: each position also sees the one after it, the very token it should predict.", lambda n: ones(n).tril(1)),
    ("transposed", "The triangle is turned round: position i would see itself and the future.", lambda n: ones(n).triu()),
    ("inverted", "The mask is inverted: True means may attend, and here the future is True. (Some of torch's own functions mean the opposite by True.)",
     lambda n: ones(n).triu(1)),
    ("float", "The triangle is right, but as numbers; a mask is boolean: True and False.", lambda n: ones(n).tril().float()),
    ("int", "The triangle is right, but as whole numbers; a mask is boolean: True and False.", lambda n: ones(n).tril().long()),
    ("additive", "This is the additive form, 0 and −∞; a mask here is boolean, True = may attend.",
     lambda n: torch.zeros(n, n).masked_fill(ones(n).triu(1), -torch.inf)),
    ("anti", "The triangle leans the other way: row i sees the first n − i positions, where it should see the first i + 1.", lambda n: ones(n).tril().flip(0)),
    ("identity", "Each position sees itself alone; it may also see all those before it.", lambda n: ones(n).tril().triu()),
    ("window", "Each position sees itself and the one before it; it may see all those before it.", lambda n: ones(n).tril().triu(-1)),
    ("all", "Everything is True: nothing keeps a position from looking ahead.", ones),
    ("none", "Everything is False: no position may look anywhere, not even at itself.", lambda n: ~ones(n)),
    ("too-large", "There is a row and a column too many: n positions make a mask of n rows and n columns.", lambda n: ones(n + 1).tril()),
    ("batch-axis", "The mask has an axis of length 1 in front; it should be [n, n].", lambda n: ones(n).tril()[None]),
    ("list", "The triangle is right, but in Python lists; a mask is a tensor.", lambda n: ones(n).tril().tolist()),
]:  # fmt: skip
    e.mistake(name, says)(checked(causal_mask, wrong))


@e.mistake(
    "last-row-empty",
    "The last row is never filled: its position may look nowhere. (`range` stops before its end.)",
)
def _(n):
    mask = causal_mask(n)
    mask[n - 1 :] = False
    return mask


# ---- 4.5 the softmax under a mask --------------------------------------------------------------


def scores_of(*batch: int) -> tuple[torch.Tensor, ...]:
    return (randn(*batch, 3, 5),)


def seen(*batch: int) -> torch.Tensor:
    return some_true(*batch, 3, 5, seed=8)


def an_empty_row() -> torch.Tensor:
    return some_true(3, 5, empty=(1,), seed=8)


def large_and_forbidden() -> tuple[torch.Tensor, ...]:
    """The largest score of each row is forbidden, and the others lie hundreds below."""
    scores = 40 * randn(3, 5)
    return scores.masked_fill(~seen(), 230.0), seen()


def gradient_of_an_empty_row(f) -> dict:
    scores = randn(3, 5).requires_grad_()
    backward(f(scores.clone(), an_empty_row()))
    grad = scores.grad
    if grad is None:
        return {"the gradient of that row": None}
    return {"the gradient of that row": grad[1], "the others' is finite": bool(grad[[0, 2]].isfinite().all())}


softmax_case = Case(scores_of)

e = define(
    "4.5",
    masked_softmax,
    "Softmax under a mask",
    minutes=12,
    difficulty=2,
    parts=[
        softmax_case.part("without a mask"),
        softmax_case.part("with a mask", 2, mask=seen()),
        ("one mask for a whole batch", 1, lambda f: f(randn(2, 3, 5), seen())),
        ("two axes in front, a mask for each sentence", 1, lambda f: f(randn(2, 4, 3, 5), some_true(2, 1, 1, 5, seed=3))),
        softmax_case.batched(2),
        said(
            ("a row that may attend nowhere", 1, lambda f: {"its weights": f(randn(3, 5), an_empty_row())[1]}),
            "a row that may attend nowhere should be zeros",
        ),
        said(
            ("the gradient where a row may attend nowhere", 1, gradient_of_an_empty_row),
            "where a row may attend nowhere, its gradient should be zeros and that of the others finite",
        ),
        said(
            ("scores of some hundreds, the largest of them forbidden", 1,
             lambda f: {"the sums of the rows": f(*large_and_forbidden()).sum(-1)}),
            "where a forbidden score lies hundreds above the others, each row should still sum to one",
        ),
        said(
            ("scores of some hundreds, no mask", 1,
             lambda f: {"every weight is finite": bool(f(250 * randn(3, 5)).isfinite().all())}),
            "for scores of some hundreds there is NaN or infinity",
        ),
        said(
            ("scores about −30 000", 1,
             lambda f: {"the weight on allowed keys, a row": (f(randn(3, 5) - 30_000, seen()) * seen()).sum(-1)}),
            "where the allowed scores are about −30 000, they should still have all the weight",
        ),
        softmax_case.kind(torch.float64, mask=seen()),
        softmax_case.gradients(mask=seen()),
        softmax_case.keeps_inputs(mask=an_empty_row()),
        softmax_case.refuses("a mask of 0 and 1", mask=seen().long()),
        softmax_case.refuses("a mask for four keys where there are five", mask=seen()[:, :4]),
        softmax_case.refuses("a mask with more axes than the scores", mask=seen(2)),
    ],
    hints=[
        "Forbidden scores must not count in the sum that softmax divides by. So they have to be gone before the softmax: which"
        " score makes exp(score) zero?",
        "`scores.masked_fill(~mask, -torch.inf).softmax(-1)` is right for every row that may attend somewhere. A row that may not"
        " becomes 0/0 = NaN. How could you keep that row finite, and zero it afterwards?",
        "First `mask = mask.expand(scores.shape)`, which refuses a mask that does not fit. Fill with the lowest finite number,"
        " `torch.finfo(scores.dtype).min`, take the softmax, then `.masked_fill(~mask, 0.0)`: an empty row is uniform for a moment"
        " and then zero, forward and backward.",
    ],
)  # fmt: skip


def masked_variant(change, without=lambda scores: scores.softmax(-1)):
    """``change(scores, mask)`` is wrong under a mask, ``without(scores)`` where there is none."""
    return checked(
        masked_softmax, lambda scores, mask=None: without(scores) if mask is None else change(scores, mask)
    )


def filled(number):
    return lambda s, m: s.masked_fill(~m, number).softmax(-1)


def normalised(s, m):
    e = s.exp() * m
    return e / e.sum(-1, keepdim=True)


def after_the_softmax(s, m):
    weights = s.softmax(-1) * m
    return weights / weights.sum(-1, keepdim=True)


def largest_of_all(s, m):
    e = (s - s.amax(-1, keepdim=True)).exp() * m
    total = e.sum(-1, keepdim=True)
    return e / torch.where(total > 0, total, 1.0)


for name, says, change in [
    ("nan", "A row that may attend nowhere gives NaN: every score there is −∞, and the softmax divides 0 by 0. Such a row should be zeros.", filled(-torch.inf)),
    ("uniform", "A row that may attend nowhere gives equal weights to all the keys it must not see: a large negative number in place of −∞ cancels in a row of its own. Such a row should be zeros.",
     filled(-1e9)),
    ("not-low-enough", "−10 000 stands for −∞: scores that are lower still leave the forbidden keys on top, and a row that may attend nowhere gets equal weights.", filled(-1e4)),
    ("after", "The mask is applied after the softmax, so rows no longer sum to one.", lambda s, m: s.softmax(-1) * m),
    ("renormalised", "The mask comes after the softmax, and the row is divided by its sum: where a forbidden score is far above the others, these have been rounded to 0 by then, and 0/0 is NaN.",
     after_the_softmax),
    ("largest-of-all", "Forbidden scores still take part when the exponentials are made, and the mask comes later: where one of them is far above the others, every allowed weight has been rounded to 0 by then.",
     largest_of_all),
    ("as-zero", "Forbidden scores are set to 0, not to −∞: exp(0) = 1, so they still get weight.", lambda s, m: (s * m).softmax(-1)),
    ("added", "The mask is added as a number, 1 where allowed and 0 where not: that strikes nothing out.", lambda s, m: (s + m).softmax(-1)),
    ("inverted", "The mask is used the wrong way round: True means may attend.", lambda s, m: masked_softmax(s, ~m)),
    ("ignored", "The mask makes no difference to the weights; it is not used.", lambda s, m: s.softmax(-1)),
    ("nan-gradient", "Forward it is right, but the gradient of an empty row is NaN: replacing NaN afterwards does not mend the way back.",
     lambda s, m: (s + torch.where(m, 0.0, -torch.inf)).softmax(-1).nan_to_num(0.0)),
    ("detached", "The numbers are right, but they are cut off from the graph (detach, .data, .tolist(), …): no gradient reaches the scores.",
     lambda s, m: masked_softmax(s, m).detach()),
]:  # fmt: skip
    e.mistake(name, says)(masked_variant(change))

e.mistake(
    "over-queries",
    "The softmax runs over the queries, so columns sum to one; each row, over the keys, should.",
)(masked_variant(lambda s, m: masked_softmax(s.mT, m.expand(s.shape).mT).mT, lambda s: s.softmax(-2)))
e.mistake(
    "over-axis-1",
    "The softmax runs over axis 1, which is the keys' only where there is no batch axis. Count from the end.",
)(
    masked_variant(
        lambda s, m: masked_softmax(s.movedim(1, -1), m.expand(s.shape).movedim(1, -1)).movedim(-1, 1),
        lambda s: s.softmax(1),
    )
)
e.mistake(
    "overflow",
    "exp(score) is taken as it is: exp of some hundreds is infinite, and inf / inf is NaN. Take the row's largest allowed score off first; the weights stay the same.",
)(masked_variant(normalised, lambda s: s.exp() / s.exp().sum(-1, keepdim=True)))


@e.mistake(
    "scores-changed",
    "The weights are right, but the caller's scores are filled in place and no longer what they were.",
)
def _(scores, mask=None):
    weights = masked_softmax(scores, mask)
    if mask is not None:
        scores.data.masked_fill_(~mask, torch.finfo(scores.dtype).min)
    return weights


# ---- 4.6 the padding mask ----------------------------------------------------------------------

padding_case = Case(lambda: (torch.tensor([5, 2, 1]), 5))

e = define(
    "4.6",
    padding_mask,
    "The padding mask",
    minutes=6,
    difficulty=2,
    parts=[
        padding_case.part("three sentences of 5, 2 and 1 tokens", 2),
        padding_case.part("lengths as a plain list", change=lambda *_: ([3, 6], 6)),
        padding_case.part("a batch filled up beyond its longest sentence", change=lambda *_: (torch.tensor([3, 1, 2, 3]), 7)),
        padding_case.part("a sentence of no tokens", change=lambda *_: (torch.tensor([0, 2]), 3)),
        padding_case.part("a single sentence", change=lambda *_: ([2], 5)),
        padding_case.keeps_inputs(),
        padding_case.refuses("a length greater than n", change=lambda *_: (torch.tensor([6, 2, 1]), 5)),
        padding_case.refuses("a negative length", change=lambda *_: (torch.tensor([5, -1, 1]), 5)),
        padding_case.refuses("lengths that are not whole numbers", change=lambda *_: (torch.tensor([2.5, 1.5]), 4)),
    ],
    hints=[
        "Sentence b has lengths[b] real tokens, at positions 0 to lengths[b] − 1. Compare positions with lengths; broadcasting makes"
        " the table.",
        "`torch.arange(n) < lengths[:, None]` is the table `[batch, n]`. The mask needs one more dimension, of size 1, that stands for"
        " every query. A length that cannot be, such as n + 1 or 2.5, is a mistake of the caller's: say so with an error.",
        "`lengths = torch.as_tensor(lengths)`; if `lengths.is_floating_point()` raise a TypeError, if any is below 0 or above n a"
        " ValueError; `return torch.arange(n) < lengths[:, None, None]` has shape `[batch, 1, n]`.",
    ],
)  # fmt: skip


def padding_variant(compare=torch.lt, shape=lambda m: m[:, None, :], first=0):
    return checked(
        padding_mask,
        lambda lengths, n: shape(compare(torch.arange(first, n + first), torch.as_tensor(lengths)[:, None])),
    )


def up_to_the_longest(lengths, n):
    lengths = torch.as_tensor(lengths)
    return torch.arange(int(lengths.max())) < lengths[:, None, None]


for name, says, flags in [
    ("inverted", "The mask is inverted: real tokens are True (may be attended to), padding is False.", {"compare": torch.ge}),
    ("one-too-many", "Off by one: the first padding token counts as real; positions start at 0.", {"compare": torch.le}),
    ("one-too-few", "Off by one: the last token of each sentence is hidden; positions start at 0.", {"first": 1}),
    ("only-the-last", "Only the last token of each sentence is True; all the real ones should be.", {"compare": lambda i, n: i == n - 1}),
    ("no-query-axis", "The shape is [batch, n]; it needs an axis of size 1 for the queries: [batch, 1, n].", {"shape": lambda m: m}),
    ("hides-queries", "The padding is hidden as query, [batch, n, 1]; what must not be attended to is the key, the last axis.", {"shape": lambda m: m[:, :, None]}),
    ("axis-in-front", "The axis of size 1 stands in front, [1, batch, n]; the batch comes first, then the queries.", {"shape": lambda m: m[None]}),
    ("heads-axis", "There are two axes of size 1, [batch, 1, 1, n]; one is asked for, for the queries.", {"shape": lambda m: m[:, None, None]}),
    ("all-queries", "The table is repeated for n queries, [batch, n, n]; one row stands for all, [batch, 1, n], so that it also serves another number of queries.",
     {"shape": lambda m: m[:, None].expand(-1, m.shape[-1], -1)}),
    ("float", "The mask is made of numbers; a mask is boolean: True and False.", {"shape": lambda m: m[:, None].float()}),
    ("int", "The mask is made of whole numbers; a mask is boolean: True and False.", {"shape": lambda m: m[:, None].long()}),
    ("additive", "This is the additive form, 0 and −∞; a mask here is boolean, True = may attend.",
     {"shape": lambda m: torch.zeros(m.shape).masked_fill(~m, -torch.inf)[:, None]}),
    ("left", "The padding is taken to stand on the left; here the real tokens come first.", {"shape": lambda m: m.flip(-1)[:, None, :]}),
    ("both", "Padded queries are hidden too, so their rows are empty; a padding mask is about keys only.", {"shape": lambda m: m[:, None, :] & m[:, :, None]}),
    ("squeezed", "Every axis of size 1 is dropped, that of a single sentence too; a batch of one is a batch.", {"shape": lambda m: m[:, None].squeeze()}),
]:  # fmt: skip
    e.mistake(name, says)(padding_variant(**flags))

e.mistake(
    "n-ignored",
    "The mask is as wide as the longest sentence; n says how wide the batch is, which may be filled up further.",
)(checked(padding_mask, up_to_the_longest))


# ---- 4.7 the encoder block ---------------------------------------------------------------------

D_MODEL, HEADS, D_FF = 12, 3, 20


def same_weights(cls, norm: str = "post"):
    return with_fixed_weights(cls, EncoderBlock, D_MODEL, HEADS, D_FF, norm=norm, spread=0.3)


def tokens_of(*batch: int) -> tuple[torch.Tensor, ...]:
    return (randn(*batch, 5, D_MODEL),)


post, pre = Case(tokens_of, same_weights), Case(tokens_of, lambda cls: same_weights(cls, "pre"))


def what_passes(case: Case, cls) -> dict[str, float]:
    """How far x is from what comes out when everything is dropped."""
    given = case.arguments(2)
    return {"its largest change": (all_dropped(case.ready(cls))(*given) - given[0]).abs().max().item()}


e = define(
    "4.7",
    EncoderBlock,
    "The encoder block",
    minutes=15,
    difficulty=3,
    blank=("forward",),
    parts=[
        ("the paper's order (post-norm)", 2, lambda cls: same_weights(cls)(*tokens_of(2))),
        ("pre-norm", 2, lambda cls: same_weights(cls, "pre")(*tokens_of(2))),
        ("with a causal mask", 1, lambda cls: same_weights(cls)(*tokens_of(2), mask=causal_mask(5))),
        ("with a padding mask", 1, lambda cls: same_weights(cls, "pre")(*tokens_of(2), mask=padding_mask([3, 5], 5))),
        post.part("a sentence alone, no axis in front", mask=causal_mask(5)),
        said(
            ("in training, pre-norm, with a dropout of p = 1", 1, lambda cls: what_passes(pre, cls)),
            "in training, pre-norm, with a dropout of p = 1, x should come out as it went in: every sublayer's output is dropped",
        ),
        post.gradients(),
        ("every gradient, pre-norm", 1, pre.gradients()[2]),
        pre.keeps_inputs(),
    ],
    hints=[
        "Two sublayers, each wrapped the same way: attention, then the feed-forward network. `residual(x, sublayer, norm, pre=self.pre)`"
        " does the wrapping; `self.norm1` belongs to the first, `self.norm2` to the second.",
        "The attention sublayer is a function of one argument: `lambda y: self.dropout(self.self_attention(y, mask=mask)[0])`; attention"
        " returns a pair, and only its output goes on.",
        "`x = residual(x, <attention>, self.norm1, pre=self.pre)`, then"
        " `return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm2, pre=self.pre)`.",
    ],
)  # fmt: skip


def around(x, f, norm, pre):
    return x + f(norm(x)) if pre else norm(x + f(x))


def block_variant(wrap=(around, around), norms=(1, 2), mask_of=lambda mask: mask, pre=lambda block: block.pre, order="af",
                  drop="af", attend=None):  # fmt: skip
    """``wrap`` puts a norm and a residual connection around each sublayer."""

    class Wrong(EncoderBlock):
        def forward(self, x, mask=None):
            def kept(y, name):
                return self.dropout(y) if name in drop else y

            def attention(y):
                out = attend(self, y, x, mask) if attend else self.self_attention(y, mask=mask_of(mask))[0]
                return kept(out, "a")

            def network(y):
                return kept(self.feed_forward(y), "f")

            sublayers, by_number = {"a": attention, "f": network}, {1: self.norm1, 2: self.norm2}
            for name, number, put in zip(order, norms, wrap, strict=True):
                x = put(x, sublayers[name], by_number[number], pre(self))
            return x

    return Wrong


def no_residual(x, f, norm, pre):
    return f(norm(x)) if pre else norm(f(x))


def no_norm(x, f, norm, pre):
    return x + f(x)


def twice(x, f, norm, pre):
    return around(x, lambda y: y + f(y), norm, pre)


def normed_output(x, f, norm, pre):
    return x + norm(f(x))


def normed_added(x, f, norm, pre):
    return norm(x) + f(norm(x)) if pre else norm(x + f(x))


def second_norm(x, f, norm, pre):
    return norm(around(x, f, norm, pre)) if pre else around(x, f, norm, pre)


def inverted(mask):
    return None if mask is None else ~mask


for name, says, flags in [
    ("no-residual", "The residual connections are missing: each sublayer's output is added to what it was given.", {"wrap": (no_residual, no_residual)}),
    ("no-residual-1", "The residual connection around the attention is missing.", {"wrap": (no_residual, around)}),
    ("no-residual-2", "The residual connection around the feed-forward network is missing.", {"wrap": (around, no_residual)}),
    ("residual-twice", "Each sublayer's input is added twice: `residual` adds it already, so the sublayer should not.", {"wrap": (twice, twice)}),
    ("no-norm", "The layer norms are missing.", {"wrap": (no_norm, no_norm)}),
    ("norm-on-the-output", "The norm is put on the sublayer's output alone, x + norm(f(x)); post-norm takes it of the sum, pre-norm of what the sublayer is given.",
     {"wrap": (normed_output, normed_output)}),
    ("same-norm", "norm1 is used twice; the second sublayer has its own, norm2.", {"norms": (1, 1)}),
    ("norms-swapped", "norm1 and norm2 are swapped.", {"norms": (2, 1)}),
    ("no-feed-forward", "The feed-forward network is missing.", {"order": "a", "norms": (1,), "wrap": (around,)}),
    ("mask-ignored", "The mask is not passed to the attention.", {"mask_of": lambda mask: None}),
    ("mask-inverted", "The mask is turned round on its way to the attention; True means may attend there too.", {"mask_of": inverted}),
    ("always-post", "The norm always comes after the sum; for norm=\"pre\" (self.pre) it comes before the sublayer.", {"pre": lambda block: False}),
    ("always-pre", "The norm always comes before the sublayer; the paper's order (self.pre is False) has it after the sum.", {"pre": lambda block: True}),
    ("turned-round", "Pre and post are mixed up: where self.pre is True the norm comes before the sublayer.", {"pre": lambda block: not block.pre}),
    ("normed-residual", "For pre-norm the normalised vector is added back; the residual carries x itself: x + f(norm(x)).",
     {"wrap": (normed_added, normed_added)}),
    ("second-norm", "For pre-norm there is a second norm, after the sum; one, before the sublayer, is all there is.", {"wrap": (second_norm, second_norm)}),
    ("order", "The feed-forward network comes first; attention comes first, then the feed-forward network.", {"order": "fa"}),
    ("order-own-norms", "The feed-forward network comes first, each sublayer with its own norm; attention comes first, then the feed-forward network.",
     {"order": "fa", "norms": (2, 1)}),
    ("no-dropout", "Neither sublayer's output passes through self.dropout, so less is dropped in training than should be.", {"drop": ""}),
    ("no-dropout-1", "The attention's output does not pass through self.dropout.", {"drop": "f"}),
    ("no-dropout-2", "The feed-forward network's output does not pass through self.dropout.", {"drop": "a"}),
    ("keys-not-normed", "For pre-norm only the queries are normalised; keys and values are made from x as it is. All three come from norm(x).",
     {"attend": lambda block, y, x, mask: block.self_attention(y, x, x, mask=mask)[0]}),
]:  # fmt: skip
    e.mistake(name, says)(block_variant(**flags))


@e.mistake(
    "sum-dropped",
    "The dropout is put on the sum, so in training x itself is dropped; it belongs on the sublayer's output alone, before it is added.",
)
class SumDropped(EncoderBlock):
    def forward(self, x, mask=None):
        def attend(y):
            return self.self_attention(y, mask=mask)[0]

        for f, norm in ((attend, self.norm1), (self.feed_forward, self.norm2)):
            x = self.dropout(x + f(norm(x))) if self.pre else norm(self.dropout(x + f(x)))
        return x


@e.mistake(
    "side-by-side",
    "Both sublayers work on the block's input, side by side; the feed-forward network should be given what the attention has made.",
)
class SideBySide(EncoderBlock):
    def forward(self, x, mask=None):
        def attend(y):
            return self.dropout(self.self_attention(y, mask=mask)[0])

        def feed(y):
            return self.dropout(self.feed_forward(y))

        if self.pre:
            return x + attend(self.norm1(x)) + feed(self.norm2(x))
        return self.norm2(self.norm1(x + attend(x)) + feed(x))


@e.mistake("input-changed", "The result is right, but the caller's x is changed: `+=` works in place.")
class InputChanged(EncoderBlock):
    def forward(self, x, mask=None):
        result = EncoderBlock.forward(self, x, mask)
        x.data += 1
        return result
