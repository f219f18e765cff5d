"""The exercises of notebook 04: position, non-linearity, masks."""

import torch

from course.attention import masked_softmax
from course.blocks import EncoderBlock, feed_forward, residual
from course.exercises.inputs import randn, with_fixed_weights
from course.masks import causal_mask, padding_mask
from course.positions import frequencies, shift_matrix, sinusoidal_positions
from course.workbook.record import define

# ---- 4.1 sinusoidal positions ------------------------------------------------------------------

e = define(
    "4.1",
    sinusoidal_positions,
    "Sinusoidal positions",
    minutes=12,
    difficulty=2,
    parts=[
        ("six positions, eight dimensions", 2, lambda f: f(6, 8)),
        ("position 0: sin 0 = 0 and cos 0 = 1 in turn", 1, lambda f: f(1, 4)),
        ("sixty positions, thirty-two dimensions", 1, lambda f: f(60, 32)),
    ],
    hints=[
        "The table is an outer product of positions and frequencies, put through sin and cos. How many different frequencies are"
        " there for d_model dimensions?",
        "There are d_model / 2: `10000 ** (-torch.arange(0, d_model, 2) / d_model)`. The 2i of the formula is the even dimension"
        " itself, 0, 2, 4, …; do not double it again.",
        "`angle = torch.arange(n)[:, None] * frequencies`; make `table = torch.zeros(n, d_model)`, then"
        " `table[:, 0::2] = angle.sin()` and `table[:, 1::2] = angle.cos()`.",
    ],
)


def sinusoid_variant(
    exponent=lambda i, d: 2 * i / d,
    base=10_000.0,
    first=torch.sin,
    second=torch.cos,
    start=0,
    interleave=True,
):
    def wrong(n, d_model):
        i = torch.arange(d_model // 2)
        angle = torch.arange(start, n + start)[:, None] * base ** -exponent(i, d_model)
        pair = [first(angle), second(angle)]
        return torch.stack(pair, -1).flatten(-2) if interleave else torch.cat(pair, -1)

    return wrong


for name, says, flags in [
    ("swapped", "Sine and cosine are swapped: even dimensions are sines, odd ones cosines.", {"first": torch.cos, "second": torch.sin}),
    ("exponent-i", "The exponent is i / d_model; it is 2i / d_model, with i counting the pairs of dimensions.",
     {"exponent": lambda i, d: i / d}),
    ("exponent-4i", "The exponent is doubled twice: if your index runs over the even dimensions 0, 2, 4, …, it is the 2i already.",
     {"exponent": lambda i, d: 4 * i / d}),
    ("base", "The base is 1 000, not 10 000.", {"base": 1_000.0}),
    ("from-one", "Positions are counted from 1; they start at 0.", {"start": 1}),
    ("halves", "The sines fill the first half and the cosines the second; here they stand in turn: sin, cos, sin, cos, …",
     {"interleave": False}),
    ("only-sine", "There are sines only; the odd dimensions are cosines.", {"second": torch.sin}),
]:  # fmt: skip
    e.mistake(name, says)(sinusoid_variant(**flags))


@e.mistake(
    "odd-own-frequency", "Each dimension has its own frequency; the sine and the cosine of a pair share one."
)
def _(n, d_model):
    j = torch.arange(d_model)
    angle = torch.arange(n)[:, None] * 10_000.0 ** (-j / d_model)
    return torch.where(j % 2 == 0, angle.sin(), angle.cos())


@e.mistake("multiplied", "The positions are multiplied by 10000^(2i/d) where they should be divided by it.")
def _(n, d_model):
    angle = torch.arange(n)[:, None] / frequencies(d_model)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(-2)


# ---- 4.2 the shift matrix ----------------------------------------------------------------------

e = define(
    "4.2",
    shift_matrix,
    "The rotation that moves positions",
    minutes=12,
    difficulty=3,
    parts=[
        ("one place on, four dimensions", 1, lambda f: f(1, 4)),
        ("five places on, eight dimensions", 1, lambda f: f(5, 8)),
        ("two places back", 1, lambda f: f(-2, 6)),
        ("no move at all: the identity", 1, lambda f: f(0, 4)),
    ],
    hints=[
        "Take one pair (sin(pos·w), cos(pos·w)) and write sin((pos + k)·w) with the addition theorem. Which 2 × 2 matrix times the"
        " pair gives the new pair?",
        "sin(a + b) = sin a cos b + cos a sin b, and cos(a + b) = cos a cos b − sin a sin b. So the first row of the block is"
        " (cos kw, sin kw), the second (−sin kw, cos kw).",
        "Build the blocks in a list, `torch.tensor([[c, s], [-s, c]])` for each frequency, and join them with"
        " `torch.block_diag(*blocks)`.",
    ],
)


@e.mistake(
    "transposed",
    "The blocks are transposed, which moves k places back: with (sin, cos) in this order the first row is (cos kw, sin kw).",
)
def _(k, d_model):
    return shift_matrix(k, d_model).mT.contiguous()


@e.mistake("no-minus", "The minus sign is missing: cos(a + b) = cos a cos b − sin a sin b.")
def _(k, d_model):
    w = k * frequencies(d_model)
    return torch.block_diag(*torch.stack([w.cos(), w.sin(), w.sin(), w.cos()], -1).unflatten(-1, (2, 2)))


@e.mistake("one-frequency", "Every pair turns by the same angle; each has its own frequency.")
def _(k, d_model):
    w = k * torch.ones(d_model // 2)
    return torch.block_diag(*torch.stack([w.cos(), w.sin(), -w.sin(), w.cos()], -1).unflatten(-1, (2, 2)))


@e.mistake("ignores-k", "The angle does not depend on k.")
def _(k, d_model):
    return shift_matrix(1, d_model)


@e.mistake(
    "swapped-entries",
    "Sine and cosine are swapped inside the blocks; for k = 0 the block must be the identity.",
)
def _(k, d_model):
    w = k * frequencies(d_model)
    return torch.block_diag(*torch.stack([w.sin(), w.cos(), -w.cos(), w.sin()], -1).unflatten(-1, (2, 2)))


@e.mistake("diagonal", "Only the cosines on the diagonal are there; a rotation also mixes the two of a pair.")
def _(k, d_model):
    return torch.diag((k * frequencies(d_model)).cos().repeat_interleave(2))


# ---- 4.3 the feed-forward network --------------------------------------------------------------


def ffn_inputs(*batch: int) -> tuple[torch.Tensor, ...]:
    return randn(*batch, 4), randn(6, 4, seed=1), randn(6, seed=2), randn(4, 6, seed=3), randn(4, seed=4)


e = define(
    "4.3",
    feed_forward,
    "The feed-forward network",
    minutes=6,
    difficulty=1,
    parts=[
        ("one sentence", 1, lambda f: f(*ffn_inputs(5))),
        ("a batch", 1, lambda f: f(*ffn_inputs(2, 3))),
        ("the output is not clipped", 1, lambda f: (f(*ffn_inputs(2, 3)) < 0).any().item()),
    ],
    hints=[
        "Three moves: a linear map to d_ff, something that is not linear, a linear map back. `max(0, ·)` has a name in PyTorch.",
        "The weights are stored `[out, in]`, as in `nn.Linear`: the product is `x @ w1.mT`, and the bias is added to it.",
        "`torch.relu(x @ w1.mT + b1) @ w2.mT + b2`",
    ],
)


def ffn_variant(activation=torch.relu, last=lambda y: y, b1=True, b2=True):
    def wrong(x, w1, bias1, w2, bias2):
        hidden = activation(x @ w1.mT + (bias1 if b1 else 0))
        return last(hidden @ w2.mT + (bias2 if b2 else 0))

    return wrong


for name, says, flags in [
    ("no-relu", "There is no ReLU between the two maps, so together they are one linear map.", {"activation": lambda h: h}),
    ("relu-last", "The ReLU stands after the second map; it belongs between the two.", {"activation": lambda h: h, "last": torch.relu}),
    ("relu-twice", "There is a second ReLU after the output; the paper has one, between the two maps.", {"last": torch.relu}),
    ("no-b1", "The first bias is missing.", {"b1": False}),
    ("no-b2", "The second bias is missing.", {"b2": False}),
    ("gelu", "This is GELU, as in BERT and GPT; the formula here, and the paper's, has ReLU: max(0, ·).",
     {"activation": torch.nn.functional.gelu}),
    ("relu-negative", "The ReLU keeps the negative part; max(0, h) keeps the positive.", {"activation": lambda h: h.clamp(max=0)}),
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


# ---- 4.4 the causal mask -----------------------------------------------------------------------

e = define(
    "4.4",
    causal_mask,
    "The causal mask",
    minutes=5,
    difficulty=1,
    parts=[
        ("four positions", 1, lambda f: f(4)),
        ("a single position", 1, lambda f: f(1)),
        ("seven positions", 1, lambda f: f(7)),
    ],
    hints=[
        "Row i is the query, column j the key. For which j may position i look? Draw the table for n = 3 first.",
        "j ≤ i: the diagonal and everything to its left. PyTorch knows lower triangles: `torch.tril`.",
        "`torch.ones(n, n, dtype=torch.bool).tril()`, or compare positions: `i[:, None] >= i`.",
    ],
)

for name, says, wrong in [
    ("off-by-one", "Off by one: a position may not see itself here, and position 0 sees nothing at all.",
     lambda n: torch.ones(n, n, dtype=torch.bool).tril(-1)),
    ("one-ahead", "Off by one: each position also sees the one after it, the very token it should predict.",
     lambda n: torch.ones(n, n, dtype=torch.bool).tril(1)),
    ("transposed", "The triangle is turned round: position i would see itself and the future.",
     lambda n: torch.ones(n, n, dtype=torch.bool).triu()),
    ("inverted", "The mask is inverted: True means may attend, and here the future is True.",
     lambda n: torch.ones(n, n, dtype=torch.bool).triu(1)),
    ("float", "The triangle is right, but as numbers; a mask is boolean: True and False.", lambda n: torch.ones(n, n).tril()),
    ("int", "The triangle is right, but as whole numbers; a mask is boolean: True and False.",
     lambda n: torch.ones(n, n, dtype=torch.long).tril()),
    ("additive", "This is the additive form, 0 and −∞; a mask here is boolean, True = may attend.",
     lambda n: torch.zeros(n, n).masked_fill(torch.ones(n, n, dtype=torch.bool).triu(1), -torch.inf)),
    ("anti", "The triangle leans the other way: the diagonal should run from top left to bottom right.",
     lambda n: torch.ones(n, n, dtype=torch.bool).tril().flip(0)),
]:  # fmt: skip
    e.mistake(name, says)(wrong)


# ---- 4.5 the softmax under a mask --------------------------------------------------------------


def some_mask() -> torch.Tensor:
    return torch.tensor([[True, False, True, True], [True, True, False, True], [False, False, True, True]])


def nowhere() -> torch.Tensor:
    return torch.tensor([[True, True, False, False], [False, False, False, False], [True, True, True, True]])


def gradient_of_scores(f) -> torch.Tensor:
    scores = randn(3, 4).requires_grad_()
    f(scores.clone(), nowhere()).square().sum().backward()
    return scores.grad


e = define(
    "4.5",
    masked_softmax,
    "Softmax under a mask",
    minutes=12,
    difficulty=2,
    parts=[
        ("without a mask", 1, lambda f: f(randn(3, 4))),
        ("with a mask", 2, lambda f: f(randn(3, 4), some_mask())),
        ("one mask for a whole batch", 1, lambda f: f(randn(2, 3, 4), some_mask())),
        ("a row that may attend nowhere: zeros", 1, lambda f: f(randn(3, 4), nowhere())),
        ("and its gradient: zeros, not NaN", 1, gradient_of_scores),
    ],
    hints=[
        "Forbidden scores must not count in the sum that softmax divides by. So they have to be gone before the softmax: which"
        " score makes exp(score) zero?",
        "`scores.masked_fill(~mask, -torch.inf).softmax(-1)` is right for every row that may attend somewhere. A row that may not"
        " becomes 0/0 = NaN. How could you keep that row finite, and zero it afterwards?",
        "Fill with the lowest finite number, `torch.finfo(scores.dtype).min`, take the softmax, then"
        " `.masked_fill(~mask, 0.0)`: an empty row is uniform for a moment and then zero, forward and backward.",
    ],
)


def masked_variant(fill=-torch.inf, invert=False, axis=-1, after=False, use=True):
    def wrong(scores, mask=None):
        if mask is None or not use:
            return scores.softmax(axis)
        forbidden = mask if invert else ~mask
        if after:
            return scores.softmax(axis).masked_fill(forbidden, 0.0)
        return scores.masked_fill(forbidden, fill).softmax(axis)

    return wrong


for name, says, flags in [
    ("nan", "A row that may attend nowhere gives NaN: every score there is −∞, and the softmax divides 0 by 0. Such a row should be zeros.", {}),
    ("uniform", "A row that may attend nowhere gives equal weights to all the keys it must not see; it should be zeros.", {"fill": -1e9}),
    ("after", "The mask is applied after the softmax, so rows no longer sum to one.", {"after": True}),
    ("as-zero", "Forbidden scores are set to 0, not to −∞: exp(0) = 1, so they still get weight.", {"fill": 0.0}),
    ("inverted", "The mask is used the wrong way round: True means may attend.", {"invert": True}),
    ("ignored", "The mask is not used.", {"use": False}),
    ("over-queries", "The softmax runs over the queries; each row, over the keys, should sum to one.", {"axis": -2}),
]:  # fmt: skip
    e.mistake(name, says)(masked_variant(**flags))


@e.mistake(
    "nan-gradient",
    "Forward it is right, but the gradient of an empty row is NaN: replacing NaN afterwards does not mend the way back.",
)
def _(scores, mask=None):
    if mask is None:
        return scores.softmax(-1)
    return (scores + torch.where(mask, 0.0, -torch.inf)).softmax(-1).nan_to_num(0.0)


# ---- 4.6 the padding mask ----------------------------------------------------------------------

e = define(
    "4.6",
    padding_mask,
    "The padding mask",
    minutes=6,
    difficulty=2,
    parts=[
        ("three sentences of 4, 2 and 1 tokens", 2, lambda f: f(torch.tensor([4, 2, 1]), 4)),
        ("lengths as a plain list", 1, lambda f: f([3, 5], 5)),
        ("a sentence of no tokens", 1, lambda f: f(torch.tensor([0, 2]), 3)),
    ],
    hints=[
        "Sentence b has lengths[b] real tokens, at positions 0 to lengths[b] − 1. Compare positions with lengths; broadcasting makes"
        " the table.",
        "`torch.arange(n) < lengths[:, None]` is the table `[batch, n]`. The mask needs one more dimension, of size 1, that stands for"
        " every query.",
        "`lengths = torch.as_tensor(lengths)`; `return torch.arange(n) < lengths[:, None, None]` has shape `[batch, 1, n]`.",
    ],
)


def padding_variant(compare=torch.lt, shape=lambda m: m[:, None, :], kind=torch.bool):
    return lambda lengths, n: shape(compare(torch.arange(n), torch.as_tensor(lengths)[:, None])).to(kind)


for name, says, flags in [
    ("inverted", "The mask is inverted: real tokens are True (may be attended to), padding is False.", {"compare": torch.ge}),
    ("one-too-many", "Off by one: the first padding token counts as real; positions start at 0.", {"compare": torch.le}),
    ("no-query-axis", "The shape is [batch, n]; it needs a dimension of size 1 for the queries: [batch, 1, n].", {"shape": lambda m: m}),
    ("hides-queries", "The padding is hidden as query, [batch, n, 1]; what must not be attended to is the key, the last dimension.",
     {"shape": lambda m: m[:, :, None]}),
    ("float", "The mask is made of numbers; a mask is boolean: True and False.", {"kind": torch.float32}),
    ("left", "The padding is taken to stand on the left; here the real tokens come first.", {"shape": lambda m: m.flip(-1)[:, None, :]}),
    ("both", "Padded queries are hidden too, so their rows are empty; a padding mask is about keys only.",
     {"shape": lambda m: m[:, None, :] & m[:, :, None]}),
]:  # fmt: skip
    e.mistake(name, says)(padding_variant(**flags))


# ---- 4.7 the encoder block ---------------------------------------------------------------------


def same_weights(cls, norm: str = "post"):
    return with_fixed_weights(cls, EncoderBlock, 8, 2, 16, norm=norm, spread=0.3)


def block_gradient(cls) -> dict:
    block = same_weights(cls)
    block(randn(2, 4, 8)).square().sum().backward()
    return {name: p.grad for name, p in block.named_parameters()}


e = define(
    "4.7",
    EncoderBlock,
    "The encoder block",
    minutes=15,
    difficulty=3,
    blank=("forward",),
    parts=[
        ("the paper's order (post-norm)", 2, lambda cls: same_weights(cls)(randn(2, 4, 8))),
        ("pre-norm", 1, lambda cls: same_weights(cls, "pre")(randn(2, 4, 8))),
        ("with a mask", 1, lambda cls: same_weights(cls)(randn(2, 4, 8), causal_mask(4))),
        ("every gradient", 1, block_gradient),
    ],
    hints=[
        "Two sublayers, each wrapped the same way: attention, then the feed-forward network. `residual(x, sublayer, norm, pre=self.pre)`"
        " does the wrapping; `self.norm1` belongs to the first, `self.norm2` to the second.",
        "The attention sublayer is a function of one argument: `lambda y: self.dropout(self.self_attention(y, mask=mask)[0])`; attention"
        " returns a pair, and only its output goes on.",
        "`x = residual(x, <attention>, self.norm1, pre=self.pre)`, then"
        " `return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm2, pre=self.pre)`.",
    ],
)


def block_variant(
    add=(True, True), norms=(1, 2), normalise=True, feed=True, use_mask=True, pre=None, order="af"
):
    class Wrong(EncoderBlock):
        def forward(self, x, mask=None):
            sublayers = {
                "a": lambda y: self.self_attention(y, mask=mask if use_mask else None)[0],
                "f": self.feed_forward if feed else torch.zeros_like,
            }
            by_number = {1: self.norm1, 2: self.norm2}
            where = self.pre if pre is None else pre
            for name, norm, keep in zip(order, norms, add, strict=True):
                n = by_number[norm] if normalise else (lambda y: y)
                sub = sublayers[name]
                x = residual(x, sub, n, pre=where) if keep else (sub(n(x)) if where else n(sub(x)))
            return x

    return Wrong


for name, says, flags in [
    ("no-residual", "The residual connections are missing: each sublayer's output is added to what it was given.", {"add": (False, False)}),
    ("no-residual-1", "The residual connection around the attention is missing.", {"add": (False, True)}),
    ("no-residual-2", "The residual connection around the feed-forward network is missing.", {"add": (True, False)}),
    ("no-norm", "The layer norms are missing.", {"normalise": False}),
    ("same-norm", "norm1 is used twice; the second sublayer has its own, norm2.", {"norms": (1, 1)}),
    ("norms-swapped", "norm1 and norm2 are swapped.", {"norms": (2, 1)}),
    ("no-feed-forward", "The feed-forward network is missing.", {"feed": False}),
    ("mask-ignored", "The mask is not passed to the attention.", {"use_mask": False}),
    ("always-post", "The norm always comes after the sum; for norm=\"pre\" (self.pre) it comes before the sublayer.", {"pre": False}),
    ("always-pre", "The norm always comes before the sublayer; the paper's order (self.pre is False) has it after the sum.", {"pre": True}),
    ("order", "The feed-forward network comes first; attention comes first, then the feed-forward network.", {"order": "fa"}),
]:  # fmt: skip
    e.mistake(name, says)(block_variant(**flags))


@e.mistake(
    "normed-residual",
    "For pre-norm the normalised vector is added back; the residual carries x itself: x + f(norm(x)).",
)
class NormedResidual(EncoderBlock):
    def forward(self, x, mask=None):
        if not self.pre:
            return EncoderBlock.forward(self, x, mask)
        y = self.norm1(x)
        x = y + self.self_attention(y, mask=mask)[0]
        y = self.norm2(x)
        return y + self.feed_forward(y)
