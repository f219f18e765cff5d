"""The exercises of notebook 05: the Transformer."""

import math

import torch
import torch.nn.functional as F

from course.blocks import DecoderBlock, layer_norm, residual
from course.exercises.contract import Case
from course.exercises.inputs import all_dropped, ids, randn, with_fixed_weights
from course.exercises.variants import said
from course.masks import causal_mask, padding_mask
from course.models.transformer import label_smoothed_loss, teacher_forcing
from course.text.decoding import Hypothesis, continuations, greedy_search, length_penalty, rank
from course.workbook.record import define

# ---- 5.1 the residual connection ---------------------------------------------------------------


def sublayer(x: torch.Tensor) -> torch.Tensor:
    return torch.tanh(x @ randn(5, 5, seed=1).to(x.dtype)) + 0.3


def norm(x: torch.Tensor) -> torch.Tensor:
    return layer_norm(x, (1 + randn(5, seed=2).abs()).to(x.dtype), randn(5, seed=3).to(x.dtype))


around_case = Case(lambda *batch: (randn(*batch, 5), sublayer, norm))

e = define(
    "5.1",
    residual,
    "Around a sublayer",
    minutes=6,
    difficulty=1,
    parts=[
        ("post-norm, the paper's order", 1, lambda f: f(randn(3, 5), sublayer, norm, pre=False)),
        ("pre-norm", 1, lambda f: f(randn(3, 5), sublayer, norm, pre=True)),
        ("post-norm, a batch", 1, lambda f: f(randn(2, 3, 5), sublayer, norm, pre=False)),
        ("pre-norm, a batch", 1, lambda f: f(randn(2, 3, 5), sublayer, norm, pre=True)),
        around_case.gradients(pre=True),
        ("every gradient, post-norm", 1, around_case.gradients(pre=False)[2]),
        around_case.keeps_inputs(pre=False),
    ],
    hints=[
        "`sublayer` and `norm` are functions: call them. Two places are to be decided, what the norm is put on and what is added to"
        " the sublayer's output; the docstring gives both formulas.",
        "Post: first the sum, then the norm around all of it. Pre: the norm only on what the sublayer is given; what is added is x"
        " itself, untouched.",
        "`return x + sublayer(norm(x)) if pre else norm(x + sublayer(x))`",
    ],
)


def post_norm(x, f, n):
    return n(x + f(x))


def pre_norm(x, f, n):
    return x + f(n(x))


for name, says, post, pre in [
    ("no-residual", "Nothing is added: the sublayer's output takes the place of x, and x is lost.",
     lambda x, f, n: n(f(x)), lambda x, f, n: f(n(x))),
    ("no-norm", "The norm is not used.", lambda x, f, n: x + f(x), lambda x, f, n: x + f(x)),
    ("no-post-norm", "With pre=False there is no norm at all; the paper's order has it after the sum.", lambda x, f, n: x + f(x), pre_norm),
    ("no-pre-norm", "With pre=True there is no norm at all; it belongs on what the sublayer is given.", post_norm, lambda x, f, n: x + f(x)),
    ("always-post", "The norm always comes after the sum; with pre=True it comes before the sublayer.", post_norm, post_norm),
    ("always-pre", "The norm always comes before the sublayer; with pre=False, the paper's order, it comes after the sum.", pre_norm, pre_norm),
    ("turned-round", "Pre and post are mixed up: pre=True puts the norm before the sublayer, pre=False after the sum.", pre_norm, post_norm),
    ("normed-added", "For pre-norm the normalised vector is added; the residual carries x itself, which keeps its way clear: x + f(norm(x)).",
     post_norm, lambda x, f, n: n(x) + f(n(x))),
    ("norm-on-the-output", "For post-norm the norm is put on the sublayer's output alone; it normalises the sum.", lambda x, f, n: x + n(f(x)), pre_norm),
    ("pre-norm-on-the-output", "For pre-norm the norm is put on the sublayer's output; it belongs on what the sublayer is given, before it.",
     post_norm, lambda x, f, n: x + n(f(x))),
    ("post-norm-on-x", "For post-norm the norm is put on x alone; it normalises the sum of x and the sublayer's output.",
     lambda x, f, n: n(x) + f(x), pre_norm),
    ("both", "For pre-norm there is a second norm, after the sum; one, before the sublayer, is all there is.",
     post_norm, lambda x, f, n: n(x + f(n(x)))),
    ("post-also-before", "For post-norm the sublayer is given norm(x); it is given x itself, and the norm comes once, after the sum.",
     lambda x, f, n: n(x + f(n(x))), pre_norm),
    ("subtracted", "The sublayer's output is subtracted; it is added.", lambda x, f, n: n(x - f(x)), lambda x, f, n: x - f(n(x))),
    ("halved", "The sum is halved; x and the sublayer's output are added as they are.", lambda x, f, n: n((x + f(x)) / 2), lambda x, f, n: (x + f(n(x))) / 2),
    ("detached", "x is cut off from the graph on the residual way (detach, .data, …): the numbers are right, but the gradient has lost its clear way through.",
     lambda x, f, n: n(x.detach() + f(x)), lambda x, f, n: x.detach() + f(n(x))),
    ("plain-norm", "The norm is taken without the one that was given: call `norm`, which has a weight and a bias of its own.",
     lambda x, f, n: F.layer_norm(x + f(x), x.shape[-1:]), lambda x, f, n: x + f(F.layer_norm(x, x.shape[-1:]))),
    ("post-nothing", "With pre=False nothing is returned: the return is missing there.", lambda x, f, n: None, pre_norm),
    ("pre-nothing", "With pre=True nothing is returned: the return is missing there.", post_norm, lambda x, f, n: None),
]:  # fmt: skip
    e.mistake(name, says)(
        lambda x, sublayer, norm, *, pre, yes=pre, no=post: (yes if pre else no)(x, sublayer, norm)
    )


@e.mistake("input-changed", "The result is right, but the caller's x is changed: `+=` works in place.")
def _(x, sublayer, norm, *, pre):
    result = residual(x, sublayer, norm, pre=pre)
    x.data += 1
    return result


# ---- 5.2 the decoder block ---------------------------------------------------------------------

D_MODEL, HEADS, D_FF = 12, 3, 20


def same_weights(cls, norm: str = "post"):
    return with_fixed_weights(cls, DecoderBlock, D_MODEL, HEADS, D_FF, norm=norm, spread=0.3)


def written_and_read(*batch: int, source: int = 7) -> tuple[torch.Tensor, ...]:
    """Five places that are written, seven that were read."""
    return randn(*batch, 5, D_MODEL), randn(*batch, source, D_MODEL, seed=1)


block_case = Case(written_and_read, same_weights)
pre_case = Case(written_and_read, lambda cls: same_weights(cls, "pre"))


def what_passes(cls) -> dict[str, float]:
    """How far x is from what comes out when everything is dropped."""
    given = written_and_read(2)
    return {"its largest change": (all_dropped(pre_case.ready(cls))(*given) - given[0]).abs().max().item()}


e = define(
    "5.2",
    DecoderBlock,
    "The decoder block",
    minutes=18,
    difficulty=3,
    blank=("forward",),
    parts=[
        ("the paper's order (post-norm)", 2, lambda cls: same_weights(cls)(*written_and_read(2))),
        ("pre-norm", 2, lambda cls: same_weights(cls, "pre")(*written_and_read(2))),
        ("with a causal mask on what is written", 1, lambda cls: same_weights(cls)(*written_and_read(2), causal_mask(5))),
        ("with padding in the source", 1,
         lambda cls: same_weights(cls)(*written_and_read(2), memory_mask=padding_mask([7, 3], 7))),
        ("a source as long as the target, both masks", 1,
         lambda cls: same_weights(cls)(*written_and_read(2, source=5), causal_mask(5), padding_mask([5, 3], 5))),
        ("a source as long as the target, no mask", 1, lambda cls: same_weights(cls, "pre")(*written_and_read(2, source=5))),
        block_case.part("a sentence alone, no axis in front", change=lambda x, m: (x, m, causal_mask(5))),
        said(
            ("in training, pre-norm, with a dropout of p = 1", 1, what_passes),
            "in training, pre-norm, with a dropout of p = 1, x should come out as it went in: every sublayer's output is dropped",
        ),
        block_case.gradients(),
        ("every gradient, pre-norm", 1, pre_case.gradients()[2]),
    ],
    hints=[
        "Three sublayers, each wrapped by `residual(x, sublayer, norm, pre=self.pre)` with its own norm. The first and the last are"
        " those of the encoder block (exercise 4.7). In the middle one two sequences meet: who asks, and who answers?",
        "What is being written asks, so it gives the queries; what was read answers, so it gives keys and values:"
        " `self.cross_attention(y, memory, mask=memory_mask)`. Attention returns a pair; only its output goes on, through"
        " `self.dropout`.",
        "`x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre)`; the same with"
        " `self.cross_attention(y, memory, mask=memory_mask)` and norm2; the same with `self.feed_forward(y)` and norm3.",
    ],
)  # fmt: skip


def ask_memory(block, y, x, memory, mask):
    return block.cross_attention(y, memory, mask=mask)[0]


def decoder_variant(order="acf", norms=(1, 2, 3), add="acf", pre=lambda block: block.pre, own="mask", other="memory_mask",
                    cross=ask_memory, drop="acf", masks=lambda mask: mask, second=False):  # fmt: skip
    """A decoder block with something changed: ``cross(block, y, first, memory, mask)`` is the middle sublayer,
    ``first`` what the block was given."""

    class Wrong(DecoderBlock):
        def forward(self, x, memory, mask=None, memory_mask=None):
            given = {"mask": masks(mask), "memory_mask": masks(memory_mask), "none": None}
            by_number, start, where = {1: self.norm1, 2: self.norm2, 3: self.norm3}, x, pre(self)
            sublayers = {
                "a": lambda y: self.self_attention(y, mask=given[own])[0],
                "c": lambda y: cross(self, y, start, memory, given[other]),
                "f": self.feed_forward,
            }
            for name, number in zip(order, norms, strict=True):
                n = by_number[number]
                f = (lambda y, f=sublayers[name]: self.dropout(f(y))) if name in drop else sublayers[name]
                x = residual(x, f, n, pre=where) if name in add else (f(n(x)) if where else n(f(x)))
                x = n(x) if second and where else x
            return x

    return Wrong


for name, says, flags in [
    ("swapped", "Cross-attention is turned round: what is being written asks (the query), the memory answers (key and value).",
     {"cross": lambda b, y, x, m, mask: b.cross_attention(m, y, mask=mask)[0]}),
    ("value-from-target", "The keys come from the memory and the values from the target: who is looked at must also answer, so the memory gives both.",
     {"cross": lambda b, y, x, m, mask: b.cross_attention(y, m, y, mask=mask)[0]}),
    ("key-from-target", "The values come from the memory and the keys from the target: a key says which value lies behind it, so the memory gives both.",
     {"cross": lambda b, y, x, m, mask: b.cross_attention(y, y, m, mask=mask)[0]}),
    ("no-memory", "The cross-attention attends to what was written, not to the memory: the decoder never sees the source.",
     {"cross": lambda b, y, x, m, mask: b.cross_attention(y)[0]}),
    ("no-memory-causal", "The cross-attention attends to what was written, a second self-attention with its mask: the decoder never sees the source.",
     {"cross": lambda b, y, x, m, mask: b.cross_attention(y, mask=mask)[0], "other": "mask"}),
    ("same-attention", "The self-attention's weights are used again for the cross-attention; it has its own, self.cross_attention.",
     {"cross": lambda b, y, x, m, mask: b.self_attention(y, m, mask=mask)[0]}),
    ("asked-by-the-input", "The cross-attention is asked by what the block was given; it should be asked by what the self-attention has made of it.",
     {"cross": lambda b, y, x, m, mask: b.cross_attention(x, m, mask=mask)[0]}),
    ("memory-detached", "The memory is cut off from the graph: the numbers are right, but the encoder learns nothing.",
     {"cross": lambda b, y, x, m, mask: b.cross_attention(y, m.detach(), mask=mask)[0]}),
    ("memory-mask-ignored", "The source's mask is not passed to the cross-attention: the decoder looks at padding.", {"other": "none"}),
    ("causal-ignored", "The mask is not passed to the self-attention: the decoder sees what it has yet to write.", {"own": "none"}),
    ("no-masks", "Neither mask is passed on: `mask` is for the self-attention, `memory_mask` for the cross-attention.", {"own": "none", "other": "none"}),
    ("causal-twice", "The mask of what is written is used in both attentions; for the memory there is `memory_mask`.", {"other": "mask"}),
    ("masks-swapped", "The two masks are swapped: `mask` is for what is written, `memory_mask` for the memory.",
     {"own": "memory_mask", "other": "mask"}),
    ("masks-inverted", "The masks are turned round on their way to the attentions; True means may attend there too.",
     {"masks": lambda mask: None if mask is None else ~mask}),
    ("cross-first", "The cross-attention comes before the self-attention; the order is self-attention, cross-attention, feed-forward.",
     {"order": "caf"}),
    ("cross-first-own-norms", "The cross-attention comes before the self-attention, each with its own norm; the order is self-attention, cross-attention, feed-forward.",
     {"order": "caf", "norms": (2, 1, 3)}),
    ("cross-last", "The cross-attention comes after the feed-forward network; the order is self-attention, cross-attention, feed-forward.",
     {"order": "afc"}),
    ("cross-last-own-norms", "The cross-attention comes after the feed-forward network, each with its own norm; the order is self-attention, cross-attention, feed-forward.",
     {"order": "afc", "norms": (1, 3, 2)}),
    ("no-cross", "The cross-attention is missing: this is an encoder block, which never sees the source.",
     {"order": "af", "norms": (1, 3)}),
    ("no-cross-norm2", "The cross-attention is missing: this is an encoder block, norms and all, which never sees the source.",
     {"order": "af", "norms": (1, 2)}),
    ("no-feed-forward", "The feed-forward network is missing.", {"order": "ac", "norms": (1, 2)}),
    ("no-residual", "The residual connections are missing: each sublayer's output is added to what it was given.", {"add": ""}),
    ("cross-not-added", "The residual connection around the cross-attention is missing: what was written is lost.", {"add": "af"}),
    ("norms-swapped", "norm2 and norm3 are swapped: norm2 belongs to the cross-attention, norm3 to the feed-forward network.",
     {"norms": (1, 3, 2)}),
    ("same-norm", "norm2 is used twice; the feed-forward network has its own, norm3.", {"norms": (1, 2, 2)}),
    ("one-norm", "norm1 is used for all three sublayers; each has its own.", {"norms": (1, 1, 1)}),
    ("always-post", "The norm always comes after the sum; for norm=\"pre\" (self.pre) it comes before the sublayer.", {"pre": lambda block: False}),
    ("always-pre", "The norm always comes before the sublayer; the paper's order (self.pre is False) has it after the sum.", {"pre": lambda block: True}),
    ("turned-round", "Pre and post are mixed up: where self.pre is True the norm comes before the sublayer.", {"pre": lambda block: not block.pre}),
    ("second-norm", "For pre-norm there is a second norm, after each sum; one, before the sublayer, is all there is.", {"second": True}),
    ("memory-normed", "The memory is normalised again, with norm2; it comes as the encoder made it, and norm2 is for x alone.",
     {"cross": lambda b, y, x, m, mask: b.cross_attention(y, b.norm2(m), mask=mask)[0]}),
    ("no-dropout", "No sublayer's output passes through self.dropout, so less is dropped in training than should be.", {"drop": ""}),
    ("no-dropout-self", "The self-attention's output does not pass through self.dropout.", {"drop": "cf"}),
    ("no-dropout-cross", "The cross-attention's output does not pass through self.dropout.", {"drop": "af"}),
    ("no-dropout-feed", "The feed-forward network's output does not pass through self.dropout.", {"drop": "ac"}),
]:  # fmt: skip
    e.mistake(name, says)(decoder_variant(**flags))


# ---- 5.3 teacher forcing -----------------------------------------------------------------------


def some_targets() -> torch.Tensor:
    """Three targets: <bos> 1, tokens, <eos> 2, padding 0; in the first a word comes twice."""
    return torch.tensor([[1, 7, 5, 5, 9, 2], [1, 6, 2, 0, 0, 0], [1, 8, 4, 7, 2, 0]])


target_case = Case(lambda: (some_targets(),))

e = define(
    "5.3",
    teacher_forcing,
    "What goes in, what should come out",
    minutes=5,
    difficulty=1,
    parts=[
        target_case.part("one sentence", change=lambda t: (t[:1],)),
        target_case.part("three sentences with padding"),
        target_case.part("four sentences of eleven tokens", change=lambda t: (ids(4, 11, below=9, start=1),)),
        target_case.part(
            "nothing between <bos> and <eos>", change=lambda t: (torch.tensor([[1, 2], [1, 2], [1, 2]]),)
        ),
        target_case.keeps_inputs(),
    ],
    hints=[
        "Write the target of one sentence on paper, <bos> to <eos>. At the first place the decoder has only <bos>; what should it say"
        " there? At the place where it is given the last word, what should it say?",
        "The two have the same length, one less than the target, and the labels stand one place further on. Slices do it; padding"
        " needs no care, because the loss leaves it out.",
        "`return target[:, :-1], target[:, 1:]`",
    ],
)

for name, says, wrong in [
    ("not-shifted", "Nothing is shifted: each place is given the very token that it is asked for, and the decoder learns to copy.",
     lambda target: (target, target)),
    ("same-slice", "The labels are the inputs: each place is given the very token that it is asked for. The labels start one token later.",
     lambda target: (target[:, :-1], target[:, :-1])),
    ("same-later-slice", "The inputs are the labels: each place is given the very token that it is asked for, and <bos> is never given. The inputs start one token earlier.",
     lambda target: (target[:, 1:], target[:, 1:])),
    ("labels-whole", "The labels still begin with <bos>, which is given and never asked for.", lambda target: (target[:, :-1], target)),
    ("inputs-whole", "The inputs still end with the last token, behind which there is nothing to ask for.",
     lambda target: (target, target[:, 1:])),
    ("turned-round", "Inputs and labels are turned round: the decoder is given the next token and asked for the one before.",
     lambda target: (target[:, 1:], target[:, :-1])),
    ("two-ahead", "The labels are two tokens on; the decoder is asked for the very next.", lambda target: (target[:, :-2], target[:, 2:])),
    ("bos-dropped", "The inputs lack <bos> as well as the last token; <bos> is what the first word is predicted from.",
     lambda target: (target[:, 1:-1], target[:, 1:])),
    ("rolled", "The target is rolled round, so that its last token stands at the front; <bos> is there already.",
     lambda target: (target.roll(1, dims=-1), target)),
    ("labels-rolled", "The labels are rolled round: they are as long as the target, and at the last place <bos> is asked for.",
     lambda target: (target, target.roll(-1, dims=-1))),
    ("sentences", "The batch is sliced, not the sentences: tokens are the second axis.", lambda target: (target[:-1], target[1:])),
    ("last-only", "The label is the last token alone; every place has one.", lambda target: (target[:, :-1], target[:, -1])),
    ("squeezed", "An axis of length 1 is dropped: a batch of one sentence is a batch, and a sentence of one place has places.",
     lambda target: (target[:, :-1].squeeze(), target[:, 1:].squeeze())),
    ("stacked", "Inputs and labels are one tensor; a pair is asked for.", lambda target: torch.stack([target[:, :-1], target[:, 1:]])),
    ("float-labels", "The labels are floating-point numbers; they are the numbers of tokens, whole as the target's.",
     lambda target: (target[:, :-1], target[:, 1:].float())),
    ("labels-only", "Only the labels are returned; the inputs are asked for too.", lambda target: target[:, 1:]),
]:  # fmt: skip
    e.mistake(name, says)(wrong)


@e.mistake("target-changed", "The pair is right, but the caller's target is changed.")
def _(target):
    inputs, labels = target[:, :-1].clone(), target[:, 1:].clone()
    target[:, 0] = 0
    return inputs, labels


# ---- 5.4 label smoothing -----------------------------------------------------------------------

EPSILON = 0.15


def batch_with_padding(padding: int = 0) -> tuple[torch.Tensor, ...]:
    labels = torch.tensor([[3, 5, 6, 2, 3], [4, 2, 0, 0, 0]])
    return 2 * randn(2, 5, 7), labels.where(labels != 0, padding)


loss_case = Case(batch_with_padding)


def another_padding(f) -> dict[str, float]:
    losses = [f(*batch_with_padding(p), smoothing=EPSILON, padding=p) for p in (0, -100)]
    return {"the largest change": float(abs(torch.as_tensor(losses[1] - losses[0])).max())}


def with_large_logits(f) -> dict[str, bool]:
    logits, labels = batch_with_padding()
    loss = f(150 * logits, labels, smoothing=EPSILON)
    return {"it is finite": bool(torch.as_tensor(loss).isfinite().all())}


e = define(
    "5.4",
    label_smoothed_loss,
    "Label smoothing",
    minutes=12,
    difficulty=2,
    parts=[
        ("no smoothing: the plain cross-entropy", 1, lambda f: f(2 * randn(4, 7), torch.tensor([3, 5, 6, 2]))),
        ("ε = 0.15, no padding", 1, lambda f: f(2 * randn(4, 7), torch.tensor([3, 5, 6, 2]), EPSILON)),
        loss_case.part("ε = 0.15, a batch with padding", 2, smoothing=EPSILON),
        loss_case.part("no smoothing, a batch with padding"),
        loss_case.part("another token as padding", smoothing=EPSILON, padding=2),
        said(
            ("padding of −100", 1, another_padding),
            "with a padding of −100, which is no token, the loss should be the same as with another padding",
        ),
        ("two axes in front", 1, lambda f: f(randn(2, 3, 5, 7), ids(2, 3, 5, below=7), EPSILON)),
        said(
            ("logits of some hundreds", 1, with_large_logits),
            "for logits of some hundreds the loss should be finite",
        ),
        loss_case.gradients(smoothing=EPSILON),
        loss_case.kind(torch.float64, smoothing=EPSILON),
    ],
    hints=[
        "Three steps: ln p of every token (`log_softmax`), the loss of each place, and a mean over the places that count. Which places"
        " have nothing to learn from? They may go first: `logits[labels != padding]`.",
        "`log_p.gather(-1, labels.unsqueeze(-1)).squeeze(-1)` picks ln p of each label (a label of −100, a common choice for padding,"
        " it cannot pick). The second term is the mean of ln p over the whole vocabulary. Each has its share, 1 − ε and ε, and both"
        " a minus sign.",
        "`real = labels != padding`, `log_p = logits[real].log_softmax(-1)`, `of_label` as above with `labels[real]`; then"
        " `return (-(1 - smoothing) * of_label - smoothing * log_p.mean(dim=-1)).mean()`.",
    ],
)  # fmt: skip


def log_p_of(z):
    return z.log_softmax(-1)


def smoothing_variant(share=lambda s: 1 - s, spread=lambda log_p, of_label, s: s * log_p.mean(-1), of=log_p_of, over="real", sign=-1,
                      padding_used=True, last=lambda loss, s, v: loss):  # fmt: skip
    """``spread(log_p, of_label, smoothing)`` is the second term; ``over`` says what the mean runs over."""

    def wrong(logits, labels, smoothing=0.0, padding=0):
        log_p = of(logits)
        of_label = log_p.gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1)
        loss = sign * (share(smoothing) * of_label + spread(log_p, of_label, smoothing))
        real = labels != (padding if padding_used else 0)
        result = {
            "real": lambda: loss[real].mean(),
            "all": lambda: loss.mean(),
            "real sum, all count": lambda: (loss * real).mean(),
            "sum": lambda: loss[real].sum(),
            "sentences": lambda: ((loss * real).sum(-1) / real.sum(-1)).mean(),
            "each": lambda: loss * real,
            "second term over all": lambda: sign * (share(smoothing) * of_label[real].mean()
                                                    + spread(log_p, of_label, smoothing).mean()),
        }[over]()  # fmt: skip
        return last(result, smoothing, logits.shape[-1])

    return wrong


def entropy(s, v):
    """Of the smoothed labels, in nats."""
    p, q = 1 - s + s / v, s / v
    return -p * math.log(p) - ((v - 1) * q * math.log(q) if q else 0.0)


for name, says, flags in [
    ("counts-padding", "Padding is counted: the model is taught to predict <pad>, and the mean runs over places that hold nothing.",
     {"over": "all"}),
    ("divides-by-all", "The losses of padding are left out of the sum, but its places are counted in the mean: a batch with much padding seems easier.",
     {"over": "real sum, all count"}),
    ("second-term-over-all", "The label's term leaves padding out, the smoothing's does not: the mean of ln p is taken at places that hold nothing, too.",
     {"over": "second term over all"}),
    ("sum", "The losses are summed; take their mean, so that a long batch does not count for more.", {"over": "sum"}),
    ("each", "There is a loss for each place; one number is asked for, their mean.", {"over": "each"}),
    ("mean-of-sentences", "Each sentence is averaged first: a token of a short sentence then counts for more. The mean runs over all tokens.",
     {"over": "sentences"}),
    ("padding-hard-coded", "The padding that the caller names is not used: the label 0 is always left out.", {"padding_used": False}),
    ("no-smoothing", "The smoothing is not used: this is the plain cross-entropy whatever ε is.", {"share": lambda s: 1, "spread": lambda l, o, s: 0}),
    ("not-spread", "ε is taken from the label and given to nobody: the second term, −ε · mean of ln p, is missing.",
     {"spread": lambda l, o, s: 0}),
    ("spread-by-sum", "ε is given to every token of the vocabulary; it is one ε to share, so the mean of ln p and not the sum.",
     {"spread": lambda l, o, s: s * l.sum(-1)}),
    ("others-only", "ε is spread over the other tokens alone; here, as in the paper, it is spread over the whole vocabulary, label included.",
     {"spread": lambda l, o, s: s * (l.sum(-1) - o) / (l.shape[-1] - 1)}),
    ("turned-round", "The shares are turned round: the label should get 1 − ε, the whole vocabulary ε.",
     {"share": lambda s: s, "spread": lambda l, o, s: (1 - s) * l.mean(-1)}),
    ("not-taken", "The label keeps its whole share and ε comes on top; the two shares are 1 − ε and ε.", {"share": lambda s: 1}),
    ("logits", "There is no softmax: the logits are not log-probabilities yet.", {"of": lambda z: z}),
    ("probabilities", "These are probabilities; the loss is made of their logarithms.", {"of": lambda z: z.softmax(-1)}),
    ("log-of-softmax", "The logarithm is taken after the softmax: where that has rounded a probability to 0, the loss is infinite. Look for the function that does both in one step.",
     {"of": lambda z: z.softmax(-1).log()}),
    ("over-places", "The softmax runs over the places; at each place the probabilities of the vocabulary sum to one.", {"of": lambda z: z.log_softmax(-2)}),
    ("bits", "The loss is in bits, log₂; it should be in nats, with the natural logarithm.", {"of": lambda z: z.log_softmax(-1) / math.log(2)}),
    ("perplexity", "The exponential of the loss is returned: that is the perplexity.", {"last": lambda loss, s, v: loss.exp()}),
    ("log-of-mean", "The logarithm is taken of the mean probability, which is 1 / vocabulary whatever the model says; it is the mean of the logarithms.",
     {"spread": lambda l, o, s: -s * math.log(l.shape[-1])}),
    ("divergence", "The entropy of the smoothed labels is taken off: that is the Kullback–Leibler divergence, and the loss is the cross-entropy itself.",
     {"last": lambda loss, s, v: loss - entropy(s, v)}),
    ("sign", "The sign is missing: ln p is negative, and a loss is its opposite.", {"sign": 1}),
    ("number", "The loss is a number cut off from the graph (.item(), detach, …): nothing can be learned from it.",
     {"last": lambda loss, s, v: loss.item()}),
]:  # fmt: skip
    e.mistake(name, says)(smoothing_variant(**flags))


def without_a_share(shared):
    """The padding token gets nothing of ε; ``shared``: the others get its part, or nobody does."""

    def wrong(logits, labels, smoothing=0.0, padding=0):
        real = labels != padding
        log_p = logits[real].log_softmax(-1)
        others = torch.arange(logits.shape[-1]) != max(padding, 0)
        of_label = log_p.gather(-1, labels[real].unsqueeze(-1)).squeeze(-1)
        spread = (log_p * others).sum(-1) / (others.sum() if shared else len(others))
        return -((1 - smoothing) * of_label + smoothing * spread).mean()

    return wrong


e.mistake(
    "none-for-padding",
    "The padding token gets no share of ε, the other tokens share it; it is spread over the whole vocabulary.",
)(without_a_share(shared=True))
e.mistake(
    "share-of-padding-lost",
    "The padding token gets no share of ε, and nobody gets it instead; it is spread over the whole vocabulary.",
)(without_a_share(shared=False))


# ---- 5.5 greedy search -------------------------------------------------------------------------

START, END, VOCABULARY = 1, 2, 7


def chain(sentences: int, seed: int = 0, may_end: bool = True):
    """A step that remembers which sentence each row belongs to, and knows only the token before."""
    logits = 2 * randn(sentences, VOCABULARY, VOCABULARY, seed=seed)
    if not may_end:
        logits[..., END] = -30.0
    log_p, sentence = logits.log_softmax(-1), torch.arange(sentences)

    def step(tokens, parents):
        nonlocal sentence
        sentence = sentence[parents]
        return log_p[sentence, tokens]

    return step


def under_two_seeds(f):
    """Whether the answer depends on torch's random numbers."""
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        found.append([list(map(int, h.ids)) for h in f(chain(5, seed=9), 5, START, END, 12)])
    return {"the same sentences under two seeds": found[0] == found[1]}


e = define(
    "5.5",
    greedy_search,
    "Greedy search",
    minutes=18,
    difficulty=3,
    parts=[
        ("five sentences", 2, lambda f: f(chain(5, seed=9), 5, START, END, 12)),
        ("one sentence", 1, lambda f: f(chain(1, seed=7), 1, START, END, 12)),
        ("two that never end: cut off", 1, lambda f: f(chain(2, seed=1, may_end=False), 2, START, END, 6)),
        ("five sentences, three tokens at most", 1, lambda f: f(chain(5, seed=9), 5, START, END, 3)),
        ("a single token at most", 1, lambda f: f(chain(3, seed=4), 3, START, END, 1)),
        ("the same, with two seeds", 1, under_two_seeds,
         "two runs write different sentences: something is drawn at random; the likeliest token is taken"),
        Case(lambda: (chain(2), 2, START, END, 0)).refuses("a max_length of 0"),
    ],
    hints=[
        "All rows go on together: `step(tokens, parents)` takes the token written last in each row and gives ln P of the next,"
        " `[rows, vocabulary]`. Row r goes on from row r, so `parents` is `torch.arange(sentences)`. Begin with <bos> in every row;"
        " which condition ends the loop?",
        "`best, token = step(token, rows).max(dim=-1)` gives both the log-probability and the token. Keep a boolean `going` for each"
        " row: add `best` only where a row is still going, then switch it off where the token is <eos>. Rows that have ended are"
        " stepped along; what they write is cut off at the end.",
        "Loop `while len(written) < max_length and going.any()`, appending each token to `written`; then"
        " `rows = torch.stack(written, -1).tolist()`. For each row, if it holds `eos` keep the ids up to and with it;"
        " `Hypothesis(ids, log_p.item(), ended=eos in ids)`. A max_length below 1 is a ValueError, raised first.",
    ],
)  # fmt: skip


def greedy_variant(choose=lambda log_p: log_p.max(-1), feed_own=True, stop="all", cut=1, count="going", first=(), parents=lambda rows: rows,
                   limit=0, said_ended=lambda ended: ended, add=lambda total, best: total + best, start=0.0,
                   make=Hypothesis):  # fmt: skip
    def wrong(step, sentences, bos, eos, max_length):
        token, rows = torch.full((sentences,), bos), torch.arange(sentences)
        going, total, lines = torch.ones(sentences, dtype=torch.bool), torch.full((sentences,), start), []
        while len(lines) < max_length + limit and (
            going.all() if stop == "any" else stop == "never" or going.any()
        ):
            best, chosen = choose(step(token, parents(rows)))
            counted = going & (chosen != eos) if count == "without eos" else going | (count == "all")
            total = torch.where(counted, add(total, best), total)
            going = going & (chosen != eos)
            lines.append(chosen)
            token = chosen if feed_own else token
        found = []
        for row, log_p in zip(
            torch.stack(lines, -1).tolist() if lines else [[]] * sentences, total.tolist(), strict=True
        ):
            ended = eos in row and cut is not None
            row = row[: row.index(eos) + cut] if ended else row
            found.append(make([*first, *row], log_p, said_ended(ended)))
        return found

    return lambda step, sentences, bos, eos, max_length: (
        wrong(step, sentences, bos, eos, max_length) if max_length > 0 else greedy_search(step, sentences, bos, eos, max_length)
    )  # fmt: skip


def drawn(log_p: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    token = torch.multinomial(log_p.exp(), 1)
    return log_p.gather(-1, token).squeeze(-1), token.squeeze(-1)


def one_for_all(log_p: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    token = (log_p.argmax() % log_p.shape[-1]).expand(len(log_p))
    return log_p.gather(-1, token[:, None]).squeeze(-1), token


for name, says, flags in [
    ("ignores-eos", "<eos> is ignored: the search writes on behind it, up to max_length, and never says that a sentence has ended.",
     {"stop": "never", "cut": None, "count": "all"}),
    ("not-cut", "What is written behind <eos>, while other sentences go on, is kept: cut each sentence off at its <eos>.",
     {"cut": None, "said_ended": lambda ended: True}),
    ("drops-eos", "<eos> is cut off too; a hypothesis that ended includes it, for its probability is counted.", {"cut": 0}),
    ("eos-not-counted", "<eos> is cut off, and its ln P is not counted; it is written like any token, and a hypothesis that ended includes it.",
     {"cut": 0, "count": "without eos"}),
    ("eos-without-log-p", "<eos> is among the ids, but its ln P is not counted; it is written like any token.", {"count": "without eos"}),
    ("stops-at-first", "The search stops as soon as one sentence has ended; the others had more to say.", {"stop": "any"}),
    ("counts-behind", "The log-probability counts tokens behind <eos>, written while other sentences went on.", {"count": "all"}),
    ("last-only", "The log-probability is that of the last token alone; that of the sentence is the sum over its tokens.", {"add": lambda total, best: best}),
    ("probabilities-added", "Probabilities are added; P of the sentence is their product, so their logarithms are added.",
     {"add": lambda total, best: total + best.exp()}),
    ("probability", "P of the sentence is given, a product of probabilities; ln P is asked for, a sum of their logarithms.",
     {"add": lambda total, best: total * best.exp(), "start": 1.0}),
    ("only-bos", "Every step is given <bos> again; it must be given the token just written.", {"feed_own": False}),
    ("least", "The least likely token is taken.", {"choose": lambda log_p: log_p.min(-1)}),
    ("second-best", "The second likeliest token is taken.", {"choose": lambda log_p: tuple(x[..., 1] for x in log_p.topk(2))}),
    ("sampled", "The token is drawn at random; greedy search takes the likeliest.", {"choose": drawn}),
    ("one-for-all", "One token is taken for all rows, from the whole table; each row has a likeliest token of its own.", {"choose": one_for_all}),
    ("includes-bos", "<bos> is among the ids; it was given, not written.", {"first": (START,)}),
    ("one-row", "Every row goes on from row 0 and becomes the first sentence; row r goes on from row r.", {"parents": torch.zeros_like}),
    ("one-too-few", "Off by one: max_length is the number of tokens that may be written, <bos> not counted.", {"limit": -1}),
    ("one-too-many", "Off by one: one token more than max_length is written.", {"limit": 1}),
    ("always-ended", "Every sentence is said to have ended, one that was cut off at max_length too; `ended` tells whether there is an <eos>.",
     {"said_ended": lambda ended: True}),
    ("never-ended", "No sentence is said to have ended; `ended` tells whether there is an <eos>.", {"said_ended": lambda ended: False}),
    ("tensors", "The ids and ln P are tensors; in a Hypothesis they are a list of whole numbers and a number (.tolist(), .item()).",
     {"make": lambda ids, log_p, ended: Hypothesis(torch.tensor(ids), torch.tensor(log_p), ended)}),
]:  # fmt: skip
    e.mistake(name, says)(greedy_variant(**flags))


@e.mistake("zero-accepted", "A max_length of 0 is not refused: it should raise a ValueError.")
def _(step, sentences, bos, eos, max_length):
    return (
        [Hypothesis([], 0.0, False)] * sentences
        if max_length < 1
        else greedy_search(step, sentences, bos, eos, max_length)
    )


# ---- 5.6 a step of beam search -----------------------------------------------------------------


def beginnings(sentences: int, beam: int, vocabulary: int = 7) -> tuple[torch.Tensor, torch.Tensor]:
    return -3 * randn(sentences, beam).abs(), (2 * randn(sentences, beam, vocabulary, seed=1)).log_softmax(-1)


def only_one_beginning(*_) -> tuple:
    return torch.tensor([[0.0, -torch.inf, -torch.inf]]), beginnings(1, 3)[1], 3


step_case = Case(lambda: (*beginnings(2, 4), 6))

e = define(
    "5.6",
    continuations,
    "A step of beam search",
    minutes=12,
    difficulty=2,
    parts=[
        step_case.part("one sentence, three beginnings, three to keep", change=lambda *_: (*beginnings(1, 3), 3)),
        step_case.part("two sentences, four beginnings, six to keep", 2),
        step_case.part("five sentences, three beginnings, eight to keep", change=lambda *_: (*beginnings(5, 3, 11), 8)),
        step_case.part("as many beginnings as tokens", change=lambda *_: (*beginnings(2, 5, 5), 7)),
        step_case.part("the first step: one beginning counts", change=only_one_beginning),
        step_case.part("one to keep", change=lambda *_: (*beginnings(2, 3), 1)),
        step_case.kind(torch.float64),
        step_case.keeps_inputs(),
    ],
    hints=[
        "Each of the beginnings could go on with each token of the vocabulary: how many candidates are that for one sentence? What is"
        " ln P of a beginning *and* its next token?",
        "ln P adds up: `total = log_p[..., None] + following`, `[sentences, beam, vocabulary]`. All candidates of a sentence compete, so"
        " flatten the last two dimensions and take `topk(k)`. Its index counts through beginning after beginning.",
        "`best, index = total.flatten(1).topk(k)`; with v = the size of the vocabulary, `index // v` is the beginning and `index % v`"
        " the token.",
    ],
)  # fmt: skip


def step_variant(total=lambda log_p, following: log_p[..., None] + following, largest=True,
                 parts=lambda index, beam, v: (index // v, index % v), last=lambda best, parent, token, f: (best, parent, token),
                 k_of=lambda k, beam: k):  # fmt: skip
    def wrong(log_p, following, k):
        best, index = total(log_p, following).flatten(1).topk(k_of(k, log_p.shape[1]), largest=largest)
        return last(best, *parts(index, *following.shape[1:]), following)

    return wrong


def gains(best, parent, token, following):
    rows = torch.arange(len(best))[:, None]
    return following[rows, parent, token], parent, token


for name, says, flags in [
    ("forgets", "The beginnings' own ln P is not added: the search forgets how likely the sentence was so far.",
     {"total": lambda log_p, following: following}),
    ("multiplied", "The log-probabilities are multiplied; probabilities are multiplied, their logarithms are added.",
     {"total": lambda log_p, following: log_p[..., None] * following}),
    ("probabilities-added", "Probabilities are added; P of both is their product, so their logarithms are added.",
     {"total": lambda log_p, following: log_p[..., None].exp() + following.exp()}),
    ("probabilities", "Probabilities are returned; ln P is asked for, in and out.", {"total": lambda log_p, following: (log_p[..., None] + following).exp()}),
    ("subtracted", "The beginnings' ln P is taken off; it is added.", {"total": lambda log_p, following: following - log_p[..., None].clamp(min=-1e30)}),
    ("along-the-vocabulary", "The beginnings' ln P is added along the vocabulary's axis: token v gets what belongs to beginning v. Only where there are as many beginnings as tokens do the shapes hide it.",
     {"total": lambda log_p, following: log_p[:, None, :] + following}),
    ("worst", "The least likely are kept.", {"largest": False}),
    ("worst-first", "The right ones are kept, but the worst stands first; the best comes first.",
     {"last": lambda b, p, t, f: (b.flip(-1), p.flip(-1), t.flip(-1))}),
    ("parts-swapped", "Beginning and token are swapped: the order is ln P, beginning, token. (Divided by the vocabulary's size, // gives the beginning and % the token.)",
     {"parts": lambda index, beam, v: (index % v, index // v)}),
    ("by-beam", "The index is divided by the number of beginnings; it counts the whole vocabulary of the first beginning, then the next, so divide by the vocabulary's size.",
     {"parts": lambda index, beam, v: (index // beam, index % beam)}),
    ("remainder-by-beam", "The beginning is right, but the token is the remainder after division by the number of beginnings; it is that by the vocabulary's size.",
     {"parts": lambda index, beam, v: (index // v, index % beam)}),
    ("true-division", "`/` makes fractions of the beginnings' numbers; `//` drops the remainder.", {"parts": lambda index, beam, v: (index / v, index % v)}),
    ("flat-tokens", "The tokens are still places in the flattened table; the remainder after division by the vocabulary's size is the token.",
     {"parts": lambda index, beam, v: (index // v, index)}),
    ("gains", "The ln P returned is that of the new token alone; that of the whole, beginning and token, is asked for.", {"last": gains}),
    ("parents-first", "The beginnings' numbers come first; the order is ln P, beginning, token.", {"last": lambda b, p, t, f: (p, b, t)}),
    ("log-p-last", "ln P comes last; the order is ln P, beginning, token.", {"last": lambda b, p, t, f: (p, t, b)}),
    ("squeezed", "An axis of length 1 is dropped: a single sentence, or a single one to keep, has its axis too.",
     {"last": lambda b, p, t, f: (b.squeeze(), p.squeeze(), t.squeeze())}),
    ("k-ignored", "As many are kept as there are beginnings; k says how many.", {"k_of": lambda k, beam: beam}),
]:  # fmt: skip
    e.mistake(name, says)(step_variant(**flags))


@e.mistake(
    "each-its-own",
    "Each beginning keeps its own best; all candidates of a sentence compete, and a poor beginning may get no place at all.",
)
def _(log_p, following, k):
    best, token = (log_p[..., None] + following).topk(-(-k // log_p.shape[1]), dim=-1)
    parent = torch.arange(log_p.shape[1])[None, :, None].expand(token.shape)
    order = best.flatten(1).argsort(dim=-1, descending=True)[:, :k]
    return tuple(x.flatten(1).gather(1, order) for x in (best, parent, token))


@e.mistake(
    "k-of-each",
    "The k best of each beginning are returned, [sentences, beam, k]: the beginnings are never compared. The k best of a sentence are asked for.",
)
def _(log_p, following, k):
    best, token = (log_p[..., None] + following).topk(k, dim=-1)
    return best, torch.arange(log_p.shape[1])[None, :, None].expand(token.shape), token


@e.mistake(
    "one-each",
    "Only the likeliest token of each beginning is let go on; a good beginning may take several of the places.",
)
def _(log_p, following, k):
    value, token = (log_p[..., None] + following).max(-1)
    best, parent = value.topk(k)
    return best, parent, token.gather(1, parent)


@e.mistake("of-all-sentences", "The k best of all sentences together are taken; each sentence has its own.")
def _(log_p, following, k):
    total = log_p[..., None] + following
    best, index = total.flatten().topk(k)
    v = following.shape[-1]
    return best, index // v % log_p.shape[1], index % v


@e.mistake("table-changed", "The result is right, but the caller's table is changed: `+=` works in place.")
def _(log_p, following, k):
    result = continuations(log_p, following, k)
    following += log_p[..., None]
    return result


# ---- 5.7 which hypothesis is best --------------------------------------------------------------


def some_hypotheses(seed: int = 0) -> list[Hypothesis]:
    """Twelve, in no order and near one another, so that each way to rank them gives another order; three have not ended."""
    lengths = [4, 2, 6, 14, 7, 3, 9, 21, 11, 5, 17, 8]
    noise = randn(len(lengths), seed=seed).tolist()
    log_p = [-0.9 * ((5 + n) / 6) ** 0.7 * math.exp(0.35 * x) for n, x in zip(lengths, noise, strict=True)]
    return [
        Hypothesis([*range(3, 2 + n), END if i % 4 else 9], p, bool(i % 4))
        for i, (n, p) in enumerate(zip(lengths, log_p, strict=True))
    ]


rank_case = Case(lambda: (some_hypotheses(),))

e = define(
    "5.7",
    rank,
    "Which one is best",
    minutes=6,
    difficulty=1,
    parts=[
        rank_case.part("the paper's α = 0.6", 2, alpha=0.6),
        rank_case.part("α = 0: no penalty", alpha=0.0),
        rank_case.part("α = 1", alpha=1.0),
        rank_case.part("α = 0.9, others", change=lambda _: (some_hypotheses(3),), alpha=0.9),
        rank_case.part("α = 0.3, others", change=lambda _: (some_hypotheses(5),), alpha=0.3),
        rank_case.part("α = 1.4, others", change=lambda _: (some_hypotheses(7),), alpha=1.4),
        said(
            ("hypotheses in a tuple", 1,
             lambda f: {"the same as for a list": list(f(tuple(some_hypotheses()), 0.6)) == list(f(some_hypotheses(), 0.6))}),
            "hypotheses in a tuple should be ranked like those in a list",
        ),
        rank_case.part("a single one", change=lambda h: (h[:1],), alpha=0.6),
        rank_case.keeps_inputs(alpha=0.6),
    ],
    hints=[
        "Each further token makes ln P smaller (more negative). Should a hypothesis of nine tokens lose to one of two for that alone?"
        " `length_penalty(length, alpha)` makes up for it: is ln P multiplied by it, or divided?",
        "ln P is negative: dividing it by a penalty greater than 1 brings it closer to 0, so it helps the long. The score is"
        " `h.log_p / length_penalty(len(h.ids), alpha)`; the largest is the best.",
        "`return sorted(hypotheses, key=lambda h: -h.log_p / length_penalty(len(h.ids), alpha))`",
    ],
)  # fmt: skip


def ranked(key, worst_first=False):
    return lambda hypotheses, alpha: sorted(
        hypotheses, key=lambda h: key(h, alpha) if worst_first else -key(h, alpha)
    )


def score(h, alpha):
    return h.log_p / length_penalty(len(h.ids), alpha)


for name, says, key in [
    ("no-penalty", "The length penalty is not used: ln P is a sum over tokens, so the shorter hypothesis tends to win.", lambda h, a: h.log_p),
    ("multiplied", "ln P is multiplied by the penalty, which punishes length twice; it is divided by it.",
     lambda h, a: h.log_p * length_penalty(len(h.ids), a)),
    ("mean", "ln P is divided by the length itself, whatever α says; divide by length_penalty(length, alpha).", lambda h, a: h.log_p / len(h.ids)),
    ("alpha-is-1", "α makes no difference: the penalty is always that of α = 1, (5 + length) / 6.", lambda h, a: h.log_p / length_penalty(len(h.ids), 1.0)),
    ("alpha-is-0.6", "α makes no difference: the penalty is always that of α = 0.6. The caller says which.", lambda h, a: h.log_p / length_penalty(len(h.ids), 0.6)),
    ("power-of-length", "The penalty is length^α, without the 5 and the 6 of the formula.", lambda h, a: h.log_p / len(h.ids) ** a),
    ("brackets", "The brackets are missing: this is (5 + length / 6)^α, and the formula has ((5 + length) / 6)^α.",
     lambda h, a: h.log_p / (5 + len(h.ids) / 6) ** a),
    ("alpha-times", "α multiplies the penalty; it is its exponent. A common factor changes no order, so α has no effect.",
     lambda h, a: h.log_p / ((5 + len(h.ids)) / 6 * a)),
    ("root", "The penalty has the exponent 1 / α; it is α.", lambda h, a: h.log_p / ((5 + len(h.ids)) / 6) ** (1 / a)),
    ("double-alpha", "The exponent is twice α.", lambda h, a: h.log_p / length_penalty(len(h.ids), 2 * a)),
    ("rounded", "The penalty is rounded down to whole steps, as by `//`.", lambda h, a: h.log_p / ((5 + len(h.ids)) // 6) ** a),
    ("one-too-short", "The length is one too small: the last token, <eos>, counts too, for its ln P does.",
     lambda h, a: h.log_p / length_penalty(len(h.ids) - 1, a)),
    ("one-too-long", "The length is one too large: <bos> is not among the tokens written.", lambda h, a: h.log_p / length_penalty(len(h.ids) + 1, a)),
    ("added", "The penalty's logarithm is added to ln P; ln P is divided by the penalty itself.",
     lambda h, a: h.log_p + math.log(length_penalty(len(h.ids), a))),
    ("subtracted", "The penalty is taken off ln P; ln P is divided by it.", lambda h, a: h.log_p - length_penalty(len(h.ids), a)),
    ("probability", "The probability is divided by the penalty, which favours the short; it is the logarithm that is divided.",
     lambda h, a: math.exp(h.log_p) / length_penalty(len(h.ids), a)),
    ("longest", "The hypotheses are ranked by length alone, the longest first.", lambda h, a: len(h.ids)),
    ("shortest", "The hypotheses are ranked by length alone, the shortest first.", lambda h, a: -len(h.ids)),
]:  # fmt: skip
    e.mistake(name, says)(ranked(key))

e.mistake("worst-first", "The worst comes first; the best, with the largest score, should.")(
    ranked(score, worst_first=True)
)
e.mistake(
    "worst-first-no-penalty", "Two mistakes: the worst comes first, and the length penalty is not used."
)(ranked(lambda h, a: h.log_p, worst_first=True))

for name, says, change in [
    ("only-the-best", "Only the best is returned; all of them are asked for, in order.", lambda found, a: found[0]),
    ("scores", "The scores are returned; the hypotheses are asked for, in their order.", lambda found, a: [score(h, a) for h in found]),
    ("pairs", "Pairs of score and hypothesis are returned; the hypotheses alone are asked for.", lambda found, a: [(score(h, a), h) for h in found]),
    ("no-key", "The hypotheses are sorted as they are, so that the numbers of their tokens decide; `sorted` takes a key, the score to sort by.",
     lambda found, a: sorted(found)),
    ("no-key-reversed", "The hypotheses are sorted as they are, the largest first, so that the numbers of their tokens decide; `sorted` takes a key, the score to sort by.",
     lambda found, a: sorted(found, reverse=True)),
    ("only-ended", "Those that have not ended are left out; all that are given should be ranked.", lambda found, a: [h for h in found if h.ended]),
]:  # fmt: skip
    e.mistake(name, says)(lambda hypotheses, alpha, change=change: change(rank(hypotheses, alpha), alpha))


@e.mistake(
    "list-changed",
    "The order is right, but the caller's own list is sorted in place and no longer what it was.",
)
def _(hypotheses, alpha):
    found = rank(hypotheses, alpha)
    if isinstance(hypotheses, list):
        hypotheses[:] = found
    return found
