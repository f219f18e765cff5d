"""The exercises of notebook 08: GPT."""

import math
from itertools import pairwise

import torch
import torch.nn.functional as F

from course.exercises.contract import Case, backward
from course.exercises.inputs import all_dropped, ids, randn, with_fixed_weights
from course.masking import IGNORED
from course.models.gpt import GPT, GPTConfig
from course.next_token import inputs_and_targets, last_token, next_token_loss, surprise
from course.text.ngrams import bigram_probabilities
from course.text.sampling import check_sampling, keep_top_k, keep_top_p, next_token_probabilities
from course.workbook.record import define

# ---- 8.1 a language model by counting ------------------------------------------------------------

TEXT = (
    3,
    1,
    3,
    1,
    4,
    1,
    3,
    1,
    1,
    4,
    0,
    0,
    3,
    1,
    4,
    6,
    1,
)  # 3 → 1 four times; 5 never; ends as it does not begin


def text() -> torch.Tensor:
    return torch.tensor(TEXT)


e = define(
    "8.1",
    bigram_probabilities,
    "A language model by counting",
    minutes=10,
    difficulty=1,
    parts=[
        ("five tokens, three of them different", 1, lambda f: f(torch.tensor([1, 2, 1, 2, 0]), 3)),
        ("a text with pairs that come again", 2, lambda f: f(text(), 7)),
        ("a vocabulary with tokens that the text has not", 1, lambda f: f(text() + 1, 11)),
        ("a smaller alpha", 1, lambda f: f(text(), 7, 0.3)),
        ("a greater alpha", 1, lambda f: f(text(), 8, 3.7)),
        ("a text of a single token, without a pair", 1, lambda f: f(torch.tensor([4]), 6, 0.7)),
    ],
    hints=[
        "Make a table `[vocab, vocab]` of zeros and go through the text pair by pair: which row belongs to the token that came"
        " before, which column to the one that followed?",
        "`for a, b in zip(ids[:-1], ids[1:]): counts[a, b] += 1` counts. Then add alpha to *every* entry, and divide each row by its"
        " own sum: a row is what may follow one token.",
        "`counts = torch.zeros(vocab_size, vocab_size)`, count as above, `raised = counts + alpha`,"
        " `return raised / raised.sum(-1, keepdim=True)`.",
    ],
)


def counted(pairs, vocab_size: int) -> torch.Tensor:
    table = torch.zeros(vocab_size, vocab_size)
    for a, b in pairs:
        table[a, b] += 1
    return table


def each_row(raised: torch.Tensor) -> torch.Tensor:
    return raised / raised.sum(-1, keepdim=True)


def bigram_variant(pairs=lambda t: pairwise(t), finish=lambda counts, alpha: each_row(counts + alpha)):
    def wrong(ids, vocab_size, alpha=1.0):
        return finish(counted(pairs(ids.tolist()), vocab_size), alpha)

    return wrong


for name, says, flags in [
    ("transposed", "Rows and columns are exchanged: row a is what follows token a, so the token that was read first is the first index.",
     {"pairs": lambda t: zip(t[1:], t[:-1], strict=True)}),
    ("by-column", "The division is by the sums of the columns, so the columns sum to one; each row should, for something always follows.",
     {"finish": lambda c, alpha: (c + alpha) / (c + alpha).sum(0, keepdim=True)}),
    ("other-rows-sum", "Each column b is divided by the sum of row b, where each row a should be divided by its own: without keepdim the sums lie"
     " down as a row. Look at the shape of the vector of sums.",
     {"finish": lambda c, alpha: (c + alpha) / (c + alpha).sum(-1)}),
    ("joint", "The division is by the sum of all counts: that is the probability of the pair; wanted is that of b, given a, so each row by its own sum.",
     {"finish": lambda c, alpha: (c + alpha) / (c + alpha).sum()}),
    ("once-each", "A pair that comes several times is counted once. If you wrote `+=` with tensors for indices: it adds to each entry a single time,"
     " however often the entry is named.", {"finish": lambda c, alpha: each_row(c.clamp(max=1) + alpha)}),
    ("no-alpha", "Alpha is not added: a pair that was never seen gets probability 0, an infinite loss, and a token never seen a row of NaN.",
     {"finish": lambda c, alpha: each_row(c)}),
    ("alpha-is-one", "The counts are raised by 1 whatever alpha is.", {"finish": lambda c, alpha: each_row(c + 1)}),
    ("alpha-for-zeros", "Alpha is given to the pairs that were never seen alone; every count is raised by it.",
     {"finish": lambda c, alpha: each_row(torch.where(c == 0, alpha, c))}),
    ("total-without-alpha", "Alpha is added to the counts but not to the sum that they are divided by, so the rows sum to more than one. The sum is that of the raised counts.",
     {"finish": lambda c, alpha: (c + alpha) / c.sum(-1, keepdim=True)}),
    ("alpha-once-in-the-total", "The row's sum is raised by alpha once; each of the row's entries was raised by it, so their sum is raised by alpha times their number.",
     {"finish": lambda c, alpha: (c + alpha) / (c.sum(-1, keepdim=True) + alpha)}),
    ("alpha-after", "Alpha is added to the probabilities; add it to the counts, before dividing: a token seen a thousand times should hardly feel it.",
     {"finish": lambda c, alpha: each_row(each_row(c).nan_to_num(0.0) + alpha)}),
    ("counts", "These are the raised counts; divide each row by its sum to make them probabilities.", {"finish": lambda c, alpha: c + alpha}),
    ("softmax", "A softmax is taken over the counts: that makes rows that sum to one, but of exp(count); a probability is a count's share of its row.",
     {"finish": lambda c, alpha: (c + alpha).softmax(-1)}),
    ("logarithms", "These are the logarithms of the probabilities; wanted are the probabilities.", {"finish": lambda c, alpha: each_row(c + alpha).log()}),
    ("wraps", "The text is closed to a ring: its first token counts as following its last. The last token is followed by nothing.",
     {"pairs": lambda t: zip(t, t[1:] + t[:1], strict=True)}),
    ("unigram", "Each token is counted as following itself; a pair is a token and the next one.", {"pairs": lambda t: zip(t[:-1], t[:-1], strict=True)}),
    ("both-ways", "Each pair is counted in both directions; that a was followed by b says nothing of what follows b.",
     {"pairs": lambda t: [p for a, b in pairwise(t) for p in ((a, b), (b, a))]}),
    ("last-left-out", "The text's last pair is not counted: the loop ends one too early.", {"pairs": lambda t: pairwise(t[:-1])}),
    ("first-left-out", "The text's first pair is not counted: the loop begins one too late.", {"pairs": lambda t: pairwise(t[1:])}),
    ("every-other", "The text is cut into pairs that do not overlap; every token but the last is followed by one, so every neighbours' pair counts.",
     {"pairs": lambda t: zip(t[::2], t[1::2], strict=False)}),
    ("two-ahead", "Counted is what comes two tokens later; wanted is what comes right after.", {"pairs": lambda t: zip(t[:-2], t[2:], strict=True)}),
]:  # fmt: skip
    e.mistake(name, says)(bigram_variant(**flags))


# ---- 8.2 what is predicted from what ---------------------------------------------------------------

PAD = 0


def padded() -> torch.Tensor:
    return torch.tensor([[5, 3, 8, 6, 7, 3], [4, 9, 2, PAD, PAD, PAD], [7, 1, 1, 6, PAD, PAD]])


def padded_with_eleven() -> torch.Tensor:
    """Here 0 is a token like any other."""
    return torch.tensor([[5, 0, 8, 6, 0], [4, 9, 11, 11, 11]])


e = define(
    "8.2",
    inputs_and_targets,
    "What is predicted from what",
    minutes=8,
    difficulty=1,
    parts=[
        ("one text without padding", 1, lambda f: f(torch.tensor([[5, 3, 8, 6]]), PAD)),
        ("three texts, two of them padded", 2, lambda f: f(padded(), PAD)),
        ("another padding, 11, and 0 a token", 1, lambda f: f(padded_with_eleven(), 11)),
        ("a text of one token, padded", 1, lambda f: f(torch.tensor([[6, 4, 9], [3, PAD, PAD]]), PAD)),
        ("texts of two tokens", 1, lambda f: f(torch.tensor([[6, 4], [3, 8], [5, 7]]), PAD)),
        Case(lambda: (padded(), PAD)).keeps_inputs(),
    ],
    hints=[
        "Write one text under itself, moved one place to the left. What stands under each token is what should be predicted there."
        " Which token has nothing under it?",
        "Inputs are all tokens but the last, targets all but the first. Where the target is padding, nothing should be learned:"
        " that place gets -100.",
        "`inputs, targets = ids[:, :-1], ids[:, 1:]`, then `return inputs, targets.masked_fill(targets == padding, IGNORED)`.",
    ],
)


def targets_variant(
    inputs=lambda ids: ids[:, :-1],
    targets=lambda ids: ids[:, 1:],
    hide=lambda x, y, pad: y == pad,
    mark=IGNORED,
    finish=lambda x, y, pad: (x, y),
):
    def wrong(ids, padding):
        x, y = inputs(ids), targets(ids)
        return finish(x, y.masked_fill(hide(x, y, padding), mark), padding)

    return wrong


for name, says, flags in [
    ("not-shifted", "The targets are not shifted: each position is asked for the very token that it reads, and copying suffices.",
     {"targets": lambda ids: ids[:, :-1]}),
    ("backwards", "Shifted the wrong way: the model reads each token and is asked for the one before it.",
     {"inputs": lambda ids: ids[:, 1:], "targets": lambda ids: ids[:, :-1]}),
    ("two-ahead", "Shifted by two: the target is the token after the next one.",
     {"inputs": lambda ids: ids[:, :-1], "targets": lambda ids: F.pad(ids[:, 2:], (0, 1), value=IGNORED)}),
    ("two-cut-off", "Shifted by two: the target is the token after the next one, and the text is cut by two for it.",
     {"inputs": lambda ids: ids[:, :-2], "targets": lambda ids: ids[:, 2:]}),
    ("padding-counts", "Padding is a target here: the model would spend its effort on learning that padding follows padding.",
     {"hide": lambda x, y, pad: torch.zeros_like(y, dtype=torch.bool)}),
    ("hides-inputs", "The targets are hidden where the *input* is padding; so each text's first padding is still a target.",
     {"hide": lambda x, y, pad: x == pad}),
    ("hides-last", "Where the next token is padding, the place before it is hidden as well, and so the last real token is never learned.",
     {"hide": lambda x, y, pad: (y == pad) | (F.pad(y, (0, 1), value=pad)[:, 1:] == pad)}),
    ("hides-tokens", "It is the other way round: the real tokens are hidden here and the padding is asked for.", {"hide": lambda x, y, pad: y != pad}),
    ("zero", "Targets that do not count are 0 here; that is a token's id. They are marked by IGNORED, -100.", {"mark": 0}),
    ("minus-one", "Targets that do not count are marked by -1; torch's cross_entropy, and so this course, marks them by -100.", {"mark": -1}),
    ("rolled", "The text is rolled round: the last position is asked for the first token. The last token has nothing to predict; leave it out.",
     {"inputs": lambda ids: ids, "targets": lambda ids: ids.roll(-1, dims=1)}),
    ("last-kept", "The last token is kept among the inputs, with nothing to predict there; leave it out: m is n − 1.",
     {"inputs": lambda ids: ids, "targets": lambda ids: F.pad(ids[:, 1:], (0, 1), value=IGNORED)}),
    ("padding-is-zero", "The padding is taken to be 0; it is what the argument says.", {"hide": lambda x, y, pad: y == 0}),
    ("inputs-hidden", "-100 stands in the inputs too, and there is no such token to read. If you wrote it into `ids[:, 1:]`: a slice is a view of the same"
     " numbers, which the inputs share. Change a copy.", {"finish": lambda x, y, pad: (torch.where((x == pad) & (torch.arange(x.shape[1]) > 0), IGNORED, x), y)}),
    ("swapped", "The two are given back in the wrong order: the inputs come first, then the targets.", {"finish": lambda x, y, pad: (y, x)}),
    ("axes", "The texts are shifted, not the tokens: the first axis is the batch, the tokens lie along the second.",
     {"inputs": lambda ids: ids[:-1], "targets": lambda ids: ids[1:]}),
    ("flat", "The two are flattened; each keeps its axis for the texts: [batch, m].", {"finish": lambda x, y, pad: (x.flatten(), y.flatten())}),
    ("mask-itself", "The second thing is where the targets count, True or False; wanted are the targets themselves, with -100 where they do not.",
     {"finish": lambda x, y, pad: (x, y != IGNORED)}),
]:  # fmt: skip
    e.mistake(name, says)(targets_variant(**flags))


# ---- 8.3 the loss ----------------------------------------------------------------------------------


def some_targets() -> torch.Tensor:
    return torch.tensor([[1, 4, 0, 2], [3, 2, IGNORED, IGNORED], [IGNORED, 4, 5, IGNORED]])


def logits_and_targets() -> tuple[torch.Tensor, torch.Tensor]:
    return randn(3, 4, 6), some_targets()


def large(given: tuple) -> tuple:
    logits, *rest = given
    return logits.sign() * 200 + logits, *rest


def how_finite(x) -> str:
    x = torch.as_tensor(x, dtype=torch.float32)
    return "finite" if x.isfinite().all() else "NaN" if x.isnan().any() else "infinite"


case = Case(logits_and_targets)

e = define(
    "8.3",
    next_token_loss,
    "The next-token loss",
    minutes=10,
    difficulty=2,
    parts=[
        ("three positions, all of them count", 1, lambda f: f(randn(3, 5), torch.tensor([1, 0, 4]))),
        case.part("a batch in which four of twelve do not count", 2),
        case.part("a single position", change=lambda x, y: (x[:1, :1], y[:1, :1])),
        case.part("two axes in front of the positions", change=lambda x, y: (randn(2, 3, 4, 6, seed=3), torch.stack([y, y.flip(1)]))),
        case.part("logits of ±15", change=lambda x, y: (x.sign() * 15 + x, y)),
        ("logits of ±200", 1, lambda f: {"the loss": how_finite(f(*large(logits_and_targets())))}, "for logits of ±200 the loss is not finite"),
        case.keeps_kind(torch.float64),
        case.gradients(),
    ],
    hints=[
        "At each position there is one number to pick: ln p of the token that really came. Positions whose target is -100 should be"
        " gone before anything is summed.",
        "`counted = targets != IGNORED`; `logits[counted]` is `[counted, vocab]`. `log_softmax` gives ln p without overflow, and"
        " `gather(-1, index)` picks one entry from each row.",
        "`log_p = logits[counted].log_softmax(-1)`, then `return -log_p.gather(-1, targets[counted].unsqueeze(-1)).mean()`.",
    ],
)  # fmt: skip


def loss_variant(
    log_p=lambda x: x.log_softmax(-1),
    combine=lambda x, counted: x[counted].mean(),
    sign=-1.0,
    counts=lambda y: y != IGNORED,
):
    def wrong(logits, targets):
        picked = log_p(logits).gather(-1, targets.clamp_min(0).unsqueeze(-1)).squeeze(-1)
        return sign * combine(picked, counts(targets))

    return wrong


def naive(x: torch.Tensor) -> torch.Tensor:
    return (x.exp() / x.exp().sum(-1, keepdim=True)).log()


for name, says, flags in [
    ("over-padding", "Positions that do not count are counted: their target, -100, was taken for token 0.", {"combine": lambda x, counted: x.mean()}),
    ("divided-by-all", "The sum is right, but it is divided by all positions; divide by those that count.",
     {"combine": lambda x, counted: x[counted].sum() / counted.numel()}),
    ("divided-by-texts", "The sum is divided by the first axis's length, the number of texts; a loss a token is divided by the tokens that count.",
     {"combine": lambda x, counted: x[counted].sum() / len(counted)}),
    ("sum", "This is the sum; a loss a token is the mean, else long texts weigh more and learning rates change with the batch.",
     {"combine": lambda x, counted: x[counted].sum()}),
    ("not-averaged", "This is the loss of each position that counts; wanted is one number, their mean.", {"combine": lambda x, counted: x[counted]}),
    ("sign", "The sign is missing: ln p is negative, and a loss should fall as p rises.", {"sign": 1.0}),
    ("bits", "The logarithm is to the base 2: these are bits, the loss is in nats.", {"sign": -1 / math.log(2)}),
    ("probability", "The logarithm is missing: this is the mean of -p, and a token with p near 0 costs next to nothing.",
     {"log_p": lambda x: x.softmax(-1)}),
    ("one-minus-p", "This is the mean of 1 − p: a token with p near 0 costs no more than 1, however unlikely it was. The loss is −ln p.",
     {"log_p": lambda x: x.softmax(-1) - 1}),
    ("logits", "The logits are taken as they are; a softmax has to turn them into probabilities first.", {"log_p": lambda x: x}),
    ("overflow", "Right on paper, but exp overflows for large logits and gives NaN; use log_softmax, which subtracts the largest first.", {"log_p": naive}),
    ("log-of-softmax", "Right for small logits; for large ones softmax gives a probability that float32 rounds to 0, whose logarithm is −∞. log_softmax never makes the probability.",
     {"log_p": lambda x: x.softmax(-1).log()}),
    ("epsilon", "Something small is added to the probability before its logarithm is taken, and an unlikely token's loss is cut off there; log_softmax needs no such help.",
     {"log_p": lambda x: (x.softmax(-1) + 1e-9).log()}),
    ("twice", "There are two softmaxes, one upon the other: log_softmax (or cross_entropy) takes logits, not probabilities.", {"log_p": lambda x: x.softmax(-1).log_softmax(-1)}),
    ("first-axis", "The softmax is over the first axis, the texts or positions; a position's probabilities lie along the last, the vocabulary.",
     {"log_p": lambda x: x.log_softmax(0)}),
    ("axis-one", "The softmax is over axis 1, which is the vocabulary only where there is no batch; it is the last axis always.",
     {"log_p": lambda x: x.log_softmax(1)}),
    ("log-of-mean", "The logarithm of the mean probability; wanted is the mean of the logarithms.",
     {"log_p": lambda x: x.softmax(-1), "combine": lambda x, counted: x[counted].mean().log()}),
    ("perplexity", "This is exp of the loss, the perplexity; wanted is the mean of −ln p itself.", {"combine": lambda x, counted: -((-x[counted].mean()).exp())}),
    ("zero-ignored", "Targets of 0 are left out; 0 is a token's id. What does not count is marked by IGNORED, -100.",
     {"counts": lambda y: (y != 0) & (y != IGNORED)}),
]:  # fmt: skip
    e.mistake(name, says)(loss_variant(**flags))


@e.mistake(
    "by-text",
    "Each text's mean is taken, then the mean of those: a token in a short text weighs more than one in a long text.",
)
def _(logits, targets):
    counted = targets != IGNORED
    picked = logits.log_softmax(-1).gather(-1, targets.clamp_min(0).unsqueeze(-1)).squeeze(-1)
    return -((picked * counted).sum(-1) / counted.sum(-1)).mean()


@e.mistake(
    "not-picked",
    "The mean runs over the whole vocabulary; at each position one entry counts, that of the token that came.",
)
def _(logits, targets):
    return -logits[targets != IGNORED].log_softmax(-1).mean()


@e.mistake(
    "shifted-again",
    "The targets are moved on by one here; they were already: the target at a position is what its logits should predict.",
)
def _(logits, targets):
    return next_token_loss(logits[..., :-1, :], targets[..., 1:])


# ---- 8.4 surprise ----------------------------------------------------------------------------------


def logits_and_ids(*batch: int) -> tuple[torch.Tensor, torch.Tensor]:
    return randn(*batch, 5, 7), ids(*batch, 5, below=7, seed=1)


case = Case(logits_and_ids)

e = define(
    "8.4",
    surprise,
    "The surprise of a token",
    minutes=6,
    difficulty=1,
    parts=[
        ("two tokens of probability 1/8 and 7/8", 1, lambda f: f(torch.tensor([[0.0, math.log(7)]] * 2), torch.tensor([0, 1]))),
        case.part("a text of five tokens", 2),
        case.batched(2),
        case.batched(3, 2),
        case.part("a single token, no axis in front", change=lambda x, y: (x[0], y[0])),
        case.part("one text of one token", change=lambda x, y: (x[None, :1], y[None, :1])),
        case.part("logits of ±15", change=lambda x, y: (x.sign() * 15 + x, y)),
        case.keeps_inputs(),
        ("logits of ±200", 1, lambda f: {"the surprise": how_finite(f(*large(logits_and_ids(2))))}, "for logits of ±200 not every surprise is finite"),
        case.keeps_kind(torch.float64),
    ],
    hints=[
        "It is the loss of exercise 8.3 before the mean, and in another unit. A bit is the surprise of an event of probability 1/2.",
        "log₂ x = ln x / ln 2. And since p ≤ 1, its logarithm is never positive; a surprise is never negative.",
        "`log_p = logits.log_softmax(-1)`, then `return -log_p.gather(-1, ids.unsqueeze(-1)).squeeze(-1) / math.log(2)`.",
    ],
)  # fmt: skip


def surprise_variant(change, log_p=lambda x: x.log_softmax(-1)):
    return lambda logits, ids: change(log_p(logits).gather(-1, ids.unsqueeze(-1)).squeeze(-1))


def in_bits(x: torch.Tensor) -> torch.Tensor:
    return -x / math.log(2)


for name, says, change in [
    ("nats", "These are nats, from the natural logarithm; a fair coin has 0.69 of those, and one bit. Divide by ln 2.", lambda x: -x),
    ("sign", "The sign is missing: a surprise is never negative, and the less probable a token, the greater it is.", lambda x: x / math.log(2)),
    ("multiplied", "The nats are multiplied by ln 2 where they should be divided by it.", lambda x: -x * math.log(2)),
    ("ten", "The logarithm is to the base 10; bits have base 2.", lambda x: -x / math.log(10)),
    ("mean", "This is the mean over all tokens; wanted is one number for each.", lambda x: in_bits(x.mean())),
    ("not-p", "This is 1 - p: it says that something unexpected came, but not how unexpected; near 0 all p look alike.", lambda x: 1 - x.exp()),
    ("probability", "This is p itself; the surprise is −log₂ p.", lambda x: x.exp()),
    ("inverse", "This is 1 / p, among how many equally likely ones the token was chosen; its log₂ is the surprise.", lambda x: (-x).exp()),
    ("axis-kept", "The axis of the vocabulary is kept, with one entry; one number for each token has the shape of ids.", lambda x: in_bits(x).unsqueeze(-1)),
    ("running", "These are sums from the first token on; wanted is each token's own.", lambda x: in_bits(x).cumsum(-1) if x.dim() else in_bits(x)),
]:  # fmt: skip
    e.mistake(name, says)(surprise_variant(change))

for name, says, log_p in [
    ("logit", "The logit is taken for ln p; a softmax has to come before.", lambda x: x),
    ("first-axis", "The softmax is over the first axis; a token's probabilities lie along the last, the vocabulary.", lambda x: x.log_softmax(0)),
    ("positions", "The softmax is over the axis before the last, the tokens of the text; the vocabulary is the last.", lambda x: x.log_softmax(max(-2, -x.dim()))),
    ("overflow", "Right on paper, but exp overflows for large logits and gives NaN; log_softmax subtracts the largest first.", naive),
    ("log-of-softmax", "Right for small logits; for large ones softmax gives a probability that float32 rounds to 0, whose surprise is then infinite. log_softmax never makes the probability.",
     lambda x: x.softmax(-1).log()),
    ("epsilon", "Something small is added to the probability before its logarithm is taken, and an unlikely token's surprise is cut off there; log_softmax needs no such help.",
     lambda x: (x.softmax(-1) + 1e-9).log()),
    ("twice", "There are two softmaxes, one upon the other: log_softmax takes logits, not probabilities.", lambda x: x.softmax(-1).log_softmax(-1)),
]:  # fmt: skip
    e.mistake(name, says)(surprise_variant(in_bits, log_p))


@e.mistake(
    "entropy",
    "This is the entropy, the surprise to be expected before the token is known; wanted is that of the token that came.",
)
def _(logits, ids):
    log_p = logits.log_softmax(-1)
    return in_bits((log_p.exp() * log_p).sum(-1))


@e.mistake("likeliest", "This is the surprise of the likeliest token; wanted is that of the token that came.")
def _(logits, ids):
    return in_bits(logits.log_softmax(-1).amax(-1))


@e.mistake(
    "whole-vocabulary",
    "This is the surprise that every token of the vocabulary would be; pick that of the token which came.",
)
def _(logits, ids):
    return in_bits(logits.log_softmax(-1))


# ---- 8.5 top-k -------------------------------------------------------------------------------------


def with_ties() -> torch.Tensor:
    return torch.tensor([[1.3, 3.1, 2.7, 2.7, 0.2, 2.7], [5.2, 4.1, 3.3, 2.6, 1.7, -0.4]])


def five_rows(*batch: int) -> tuple[torch.Tensor, int]:
    return 3 * randn(*batch, 5, 9), 4


case = Case(five_rows)

e = define(
    "8.5",
    keep_top_k,
    "Top-k",
    minutes=6,
    difficulty=1,
    parts=[
        ("the three greatest of eight", 2, lambda f: f(randn(8), 3)),
        case.part("five rows, k = 4"),
        ("ties with the k-th stay", 1, lambda f: f(with_ties(), 3)),
        ("k greater than the vocabulary", 1, lambda f: f(randn(4), 10)),
        ("k = 1", 1, lambda f: f(randn(3, 6), 1)),
        ("all logits below zero", 1, lambda f: f(-5 - randn(7).abs(), 3)),
        case.batched(2),
        case.keeps_kind(torch.float64),
        case.keeps_inputs(),
        case.refuses("k = 0", ValueError, change=lambda x, k: (x, 0)),
    ],
    hints=[
        "You do not need to know *which* tokens are the k greatest, only the k-th greatest value: everything below it goes.",
        "`logits.topk(k).values` is sorted, the k-th greatest last. Mind a k greater than the vocabulary, and keep the last"
        " dimension, so that each row of a batch is compared with its own.",
        "`least = logits.topk(min(k, logits.shape[-1]), dim=-1).values[..., -1:]`, then"
        " `return logits.masked_fill(logits < least, -math.inf)`. Before both, the `ValueError` that the docstring promises.",
    ],
)


def positive(k: int) -> int:
    if k < 1:
        raise ValueError(f"k is 1 or more; got {k}")
    return k


def top_k_variant(place=lambda k: k, below=torch.lt, fill=-math.inf, finish=lambda x: x, descending=True):
    def wrong(logits, k):
        at = min(max(place(positive(k)), 1), logits.shape[-1]) - 1
        least = logits.sort(dim=-1, descending=descending).values[..., at, None]
        return finish(logits.masked_fill(below(logits, least), fill))

    return wrong


for name, says, flags in [
    ("or-equal", "The k-th greatest is dropped too: only k - 1 are left, and for k = 1 none at all.", {"below": torch.le}),
    ("one-too-many", "k + 1 tokens are kept; counting from 0, the k-th greatest has the index k - 1.", {"place": lambda k: k + 1}),
    ("zero", "The others are set to 0; exp(0) = 1, so they still get probability. Only -inf gives none.", {"fill": 0.0}),
    ("minus-billion", "The others are set to a large negative number; the docstring says -inf, by which later steps know them.", {"fill": -1e9}),
    ("lowest-kept", "The greatest go and the others stay, the k-th among them: the comparison is turned round.", {"below": torch.gt}),
    ("k-smallest", "The k smallest are kept: the order is turned round. Sort the greatest first, and drop what is less than the k-th.",
     {"descending": False, "below": torch.gt}),
    ("k-dropped", "The k greatest are dropped and all the others kept; it is the other way round.", {"below": torch.ge}),
    ("ascending", "The limit is the k-th smallest (sorted from below): then all but the k - 1 least likely stay. Sort the greatest first.",
     {"descending": False}),
    ("probabilities", "Probabilities come back; this gives logits, for top-p is still to be applied.", {"finish": lambda x: x.softmax(-1)}),
    ("log-probabilities", "Log-probabilities come back; the logits that stay are to stay as they are.", {"finish": lambda x: x.log_softmax(-1)}),
    ("mask-itself", "This is which tokens stay, True or False; wanted are the logits, with -inf for the others.", {"finish": lambda x: x != -math.inf}),
]:  # fmt: skip
    e.mistake(name, says)(top_k_variant(**flags))


@e.mistake(
    "ties-cut",
    "Of tokens with equal logits some are kept and others not, by their place in the vocabulary; what ties with the k-th stays.",
)
def _(logits, k):
    best = logits.topk(min(positive(k), logits.shape[-1]), dim=-1).indices
    return torch.full_like(logits, -math.inf).scatter(-1, best, logits.gather(-1, best))


@e.mistake(
    "ties-once",
    "Tokens with equal logits are counted as one, so with ties more than belong stay: the k-th greatest is counted with its repeats.",
)
def _(logits, k):
    flat = [row.masked_fill(row < row.unique().flip(0)[: positive(k)][-1], -math.inf) for row in logits.flatten(0, -2)] \
        if logits.dim() > 1 else [logits.masked_fill(logits < logits.unique().flip(0)[: positive(k)][-1], -math.inf)]  # fmt: skip
    return torch.stack(flat).reshape(logits.shape)


@e.mistake(
    "values-alone",
    "These are the k greatest values alone, sorted; the vocabulary keeps its length and its order, with -inf for the others.",
)
def _(logits, k):
    return logits.topk(min(positive(k), logits.shape[-1]), dim=-1).values


@e.mistake("whole-batch", "The k greatest of the whole batch are kept; each row has its own.")
def _(logits, k):
    least = logits.flatten().topk(min(positive(k), logits.numel())).values[-1]
    return logits.masked_fill(logits < least, -math.inf)


@e.mistake(
    "first-row", "Every row is compared with the first row's k-th greatest logit; each row has its own."
)
def _(logits, k):
    least = logits.reshape(-1, logits.shape[-1])[0].topk(min(positive(k), logits.shape[-1])).values[-1]
    return logits.masked_fill(logits < least, -math.inf)


# ---- 8.6 top-p -------------------------------------------------------------------------------------


def shares(*p: float) -> torch.Tensor:
    """Logits of these probabilities, all of them raised by one number, which no probability minds."""
    return torch.tensor(p).log() + 1.3


EIGHT = (0.05, 0.31, 0.03, 0.22, 0.12, 0.08, 0.17, 0.02)  # sorting this is no exchange of pairs


def rows_of_eleven(*batch: int) -> tuple[torch.Tensor, float]:
    return 2 * randn(*batch, 3, 11), 0.8


case = Case(rows_of_eleven)

e = define(
    "8.6",
    keep_top_p,
    "Top-p, or the nucleus",
    minutes=15,
    difficulty=3,
    parts=[
        ("0.1, 0.4, 0.3, 0.2 and p = 0.6", 1, lambda f: f(shares(0.1, 0.4, 0.3, 0.2), 0.6)),
        ("eight tokens and p = 0.75", 2, lambda f: f(shares(*EIGHT), 0.75)),
        ("p below the likeliest: it stays all the same", 1, lambda f: f(shares(0.1, 0.6, 0.3), 0.25)),
        case.part("three rows, each its own nucleus"),
        case.batched(2),
        ("p = 1 keeps everything", 1, lambda f: f(shares(0.2, 0.5, 0.3), 1.0)),
        ("logits of which top-k has left three", 1, lambda f: f(shares(0.1, 0.0, 0.4, 0.0, 0.32), 0.7)),
        case.keeps_kind(torch.float64),
        case.keeps_inputs(),
        case.refuses("p = 0", ValueError, change=lambda x, p: (x, 0.0)),
        case.refuses("p above 1", ValueError, change=lambda x, p: (x, 1.2)),
    ],
    hints=[
        "Sort the probabilities, the greatest first. For each token: how much probability have the tokens *before* it together? When"
        " does it still belong to the smallest set that reaches p?",
        "`cumsum` includes the token itself; subtract its own probability. A token goes where that reaches p: `likelier >= p`. The"
        " first has nothing before it, so it always stays. Then bring the marks back to the vocabulary's order: `scatter`.",
        "`probability, token = logits.softmax(-1).sort(dim=-1, descending=True)`,"
        " `outside = probability.cumsum(-1) - probability >= p`, `outside = outside.scatter(-1, token, outside)`, and"
        " `masked_fill` the logits with -inf. Before all this, the `ValueError` that the docstring promises.",
    ],
)


def scattered(outside: torch.Tensor, token: torch.Tensor) -> torch.Tensor:
    return outside.scatter(-1, token, outside)


def top_p_variant(
    outside=lambda share, p: share.cumsum(-1) - share >= p,
    descending=True,
    back=scattered,
    probabilities=lambda x: x.softmax(-1),
    fill=-math.inf,
    finish=lambda x: x,
):
    def wrong(logits, p):
        check_sampling(1.0, None, p)
        probability, token = probabilities(logits).sort(dim=-1, descending=descending, stable=True)
        return finish(logits.masked_fill(back(outside(probability, p), token), fill))

    return wrong


def first_kept(outside: torch.Tensor) -> torch.Tensor:
    return outside & (torch.arange(outside.shape[-1]) > 0)


for name, says, flags in [
    ("drops-the-crossing", "The token that crosses p is dropped: its own probability is in the sum. It is the last to stay; and a likeliest token above p would leave nothing at all.",
     {"outside": lambda share, p: share.cumsum(-1) >= p}),
    ("drops-the-crossing-strictly", "The token that crosses p is dropped: its own probability is in the sum that is compared with p. It is the last to stay; and a likeliest token above p"
     " would leave nothing at all.", {"outside": lambda share, p: share.cumsum(-1) > p}),
    ("drops-the-crossing-but-the-first", "The token that crosses p is dropped, unless it is the likeliest. What stays then has less than p together; the one that crosses p is the last to stay.",
     {"outside": lambda share, p: first_kept(share.cumsum(-1) >= p)}),
    ("drops-the-crossing-but-the-first-strictly", "The token that crosses p is dropped, unless it is the likeliest. What stays then has less than p together;"
     " the one that crosses p is the last to stay.", {"outside": lambda share, p: first_kept(share.cumsum(-1) > p)}),
    ("one-too-many", "One token too many is kept: the one that crosses p is the last to stay, and here one more stays behind it.",
     {"outside": lambda share, p: F.pad((share.cumsum(-1) - share)[..., :-1], (1, 0)) >= p}),
    ("ascending", "The least likely come first, so the unlikely are kept; sort in descending order.", {"descending": False}),
    ("turned-round", "The nucleus goes and the others stay: it is the other way round.", {"outside": lambda share, p: share.cumsum(-1) - share < p}),
    ("order-lost", "The marks are in sorted order, the logits in the vocabulary's: bring the marks back before using them.", {"back": lambda outside, token: outside}),
    ("gathered", "The marks are not brought back but sorted once more: the order of the sort is used where its inverse should be. The mark at place i belongs to token[i].", {"back": lambda outside, token: outside.gather(-1, token)}),
    ("min-p", "Each probability is compared with p times the greatest: that is another rule, min-p. Top-p is about their sum from the likeliest on.",
     {"outside": lambda share, p: share < p * share[..., :1]}),
    ("each-alone", "Each probability is compared with p by itself; top-p is about their sum from the likeliest on.", {"outside": lambda share, p: share < p}),
    ("share-of-the-vocabulary", "The first p · n of the n tokens are kept, whatever their probabilities are; they count by their sum.",
     {"outside": lambda share, p: torch.arange(share.shape[-1]).expand_as(share) >= math.ceil(p * share.shape[-1])}),
    ("complement", "The sum is held against 1 − p in place of p.", {"outside": lambda share, p: (share.cumsum(-1) - share >= 1 - p) & (torch.arange(share.shape[-1]) > 0)}),
    ("zero", "The others are set to 0; exp(0) = 1, so they still get probability. Only -inf gives none.", {"fill": 0.0}),
    ("minus-billion", "The others are set to a large negative number; the docstring says -inf, by which later steps know them.", {"fill": -1e9}),
    ("logits-summed", "The logits are summed, not the probabilities: take the softmax first.", {"probabilities": lambda x: x}),
    ("exp-summed", "The exponentials are summed without being divided by their sum: they are no probabilities, and p is a share of 1. Take the softmax.",
     {"probabilities": lambda x: x.exp()}),
    ("probabilities", "Probabilities come back; this gives logits, and the softmax comes last.", {"finish": lambda x: x.softmax(-1)}),
    ("log-probabilities", "Log-probabilities come back; the logits that stay are to stay as they are.", {"finish": lambda x: x.log_softmax(-1)}),
    ("mask-itself", "This is which tokens stay, True or False; wanted are the logits, with -inf for the others.", {"finish": lambda x: x != -math.inf}),
]:  # fmt: skip
    e.mistake(name, says)(top_p_variant(**flags))


@e.mistake(
    "sorted",
    "The logits come back in sorted order, the likeliest first; each belongs at its token's place in the vocabulary.",
)
def _(logits, p):
    return keep_top_p(logits, p).sort(dim=-1, descending=True).values


@e.mistake(
    "whole-batch",
    "The probabilities of the whole batch are sorted and summed together; each row has a nucleus of its own.",
)
def _(logits, p):
    check_sampling(1.0, None, p)
    share, token = logits.softmax(-1).flatten().sort(descending=True, stable=True)
    outside = share.cumsum(-1) - share >= p
    return logits.masked_fill(scattered(outside, token).reshape(logits.shape), -math.inf)


@e.mistake(
    "masked-probabilities",
    "What stays are probabilities, not logits: the softmax is taken of them once more at the end. Use the probabilities to choose, and return the logits.",
)
def _(logits, p):
    return logits.softmax(-1).masked_fill(keep_top_p(logits, p) == -math.inf, -math.inf)


# ---- 8.7 from logits to probabilities --------------------------------------------------------------


def graded() -> torch.Tensor:
    """Each setting and each order of them keeps other tokens."""
    return torch.tensor([-1.1, 2.1, 0.4, 1.2, -2.3, 0.1, 0.9])


def greatest_twice() -> torch.Tensor:
    return torch.tensor([[0.3, 1.7, -0.2, 1.7, 0.9], [2.2, -0.4, 0.1, 1.3, 0.6]])


def three_rows(*batch: int) -> tuple[torch.Tensor, float]:
    return 2 * randn(*batch, 3, 8), 0.7


case = Case(three_rows)

e = define(
    "8.7",
    next_token_probabilities,
    "From logits to what is drawn from",
    minutes=10,
    difficulty=2,
    parts=[
        ("no setting at all", 1, lambda f: f(randn(3, 5))),
        case.part("three rows, temperature 0.7"),
        ("temperature 1.7 and top-k 3", 1, lambda f: f(graded(), 1.7, top_k=3)),
        ("temperature 1.7 and top-p 0.6", 2, lambda f: f(graded(), 1.7, top_p=0.6)),
        ("temperature 1.3, top-k 4 and top-p 0.68", 1, lambda f: f(graded(), 1.3, 4, 0.68)),
        ("temperature 0: all on the likeliest", 1, lambda f: f(randn(2, 5), 0.0)),
        ("temperature 0 and a greatest logit that comes twice", 1, lambda f: f(greatest_twice(), 0.0)),
        ("temperature 0, with top-k 3 and top-p 0.6", 1, lambda f: f(graded(), 0.0, 3, 0.6)),
        ("logits of ±200, temperature 0.9", 1, lambda f: f(200 * graded().sign() + graded(), 0.9)),
        case.batched(2),
        case.keeps_kind(torch.float64),
        case.keeps_inputs(),
        case.refuses("a temperature below 0", ValueError, change=lambda x, t: (x, -0.3)),
        case.refuses("top-k 0", ValueError, top_k=0),
        case.refuses("top-p 0", ValueError, top_p=0.0),
        case.refuses("top-k 0 at temperature 0", ValueError, change=lambda x, t: (x, 0.0), top_k=0),
        case.refuses("top-p above 1 at temperature 0", ValueError, change=lambda x, t: (x, 0.0), top_p=1.3),
    ],
    hints=[
        "The three settings act on logits, one after the other, each on what the one before it left: temperature, top-k, top-p. The"
        " softmax comes once, at the end.",
        "A temperature of 0 cannot be divided by: it means the greatest logit, with probability 1. `F.one_hot` makes such a row; mind"
        " its kind, whole numbers.",
        "`check_sampling(temperature, top_k, top_p)`; `if temperature == 0: return F.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)`; then"
        " `with_temperature`, `keep_top_k` unless it is None, `keep_top_p` unless it is None, `.softmax(-1)`.",
    ],
)  # fmt: skip


def greedy(logits: torch.Tensor) -> torch.Tensor:
    return F.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)


def probabilities_variant(
    order="tkp", heat=lambda x, t: x / t, begin=lambda x: x, finish=lambda x: x.softmax(-1), cold=greedy
):
    def wrong(logits, temperature=1.0, top_k=None, top_p=None):
        check_sampling(temperature, top_k, top_p)
        if temperature == 0:
            return cold(logits)
        steps = {
            "t": lambda x: heat(x, temperature),
            "k": lambda x: x if top_k is None else keep_top_k(x, top_k),
            "p": lambda x: x if top_p is None else keep_top_p(x, top_p),
        }
        x = begin(logits)
        for step in order:
            x = steps[step](x)
        return finish(x)

    return wrong


for name, says, flags in [
    ("softmax-first", "The softmax comes before the temperature: probabilities are divided, not logits. Divide first; after the softmax the temperature is a mere factor.",
     {"begin": lambda x: x.softmax(-1), "finish": lambda x: x.masked_fill(x == -math.inf, 0.0)}),
    ("softmax-twice", "There is a softmax before the temperature and another after it: the probabilities become nearly equal.",
     {"begin": lambda x: x.softmax(-1)}),
    ("twice-at-the-end", "A second softmax is taken of the probabilities: they become nearly equal, and what was ruled out is possible again.",
     {"finish": lambda x: x.softmax(-1).softmax(-1)}),
    ("multiplied", "The logits are multiplied by the temperature; dividing is what makes a high temperature even things out.", {"heat": lambda x, t: x * t}),
    ("temperature-last", "The temperature comes after top-p: the nucleus is then that of temperature 1.", {"order": "kpt"}),
    ("p-before-k", "Top-p comes before top-k; the nucleus should be taken of what top-k left.", {"order": "tpk"}),
    ("p-and-temperature-last", "Top-p comes first, then top-k, then the temperature; the order is temperature, top-k, top-p, each on what the one before left.", {"order": "pkt"}),
    ("k-ignored", "Top-k is not used.", {"order": "tp"}),
    ("p-ignored", "Top-p is not used.", {"order": "tk"}),
    ("both-ignored", "Neither top-k nor top-p is used.", {"order": "t"}),
    ("temperature-ignored", "The temperature is not used (but for 0).", {"order": "kp"}),
    ("no-softmax", "These are the logits that are left; the softmax is missing.", {"finish": lambda x: x}),
    ("log-softmax", "These are logarithms of probabilities; wanted are the probabilities, so softmax in place of log_softmax.", {"finish": lambda x: x.log_softmax(-1)}),
    ("first-axis", "The softmax is over the first axis; the vocabulary, over which the probabilities sum to one, is the last.", {"finish": lambda x: x.softmax(0)}),
    ("overflow", "Right for small logits, but exp overflows for large ones and gives NaN; softmax subtracts the largest first.",
     {"finish": lambda x: x.exp() / x.exp().sum(-1, keepdim=True)}),
    ("zero-is-one", "Temperature 0 is taken for none, so the logits stay as they are; it should put everything on the likeliest token.", {"cold": lambda x: x.softmax(-1)}),
    ("zero-is-even", "Temperature 0 gives equal probabilities; it should put everything on the likeliest token.", {"cold": lambda x: torch.full_like(x, 1 / x.shape[-1])}),
    ("zero-divides", "Temperature 0 divides by zero and gives NaN; it should put everything on the likeliest token.", {"cold": lambda x: (x / 0.0).softmax(-1)}),
    ("zero-in-whole-numbers", "For temperature 0 the row is of whole numbers (one_hot makes such); probabilities are numbers of the logits' kind.", {"cold": lambda x: greedy(x).long()}),
    ("zero-is-an-id", "For temperature 0 the id of the likeliest token comes back; wanted is a row of probabilities, as for every other temperature.", {"cold": lambda x: x.argmax(-1)}),
    ("zero-shares", "At temperature 0 greatest logits that are equal share the probability; the docstring gives all of it to the first of them.",
     {"cold": lambda x: (x == x.amax(-1, keepdim=True)).to(x.dtype) / (x == x.amax(-1, keepdim=True)).sum(-1, keepdim=True)}),
    ("zero-to-each", "At temperature 0 every greatest logit gets probability 1, so where two are equal the row sums to 2; the docstring gives all to the first of them.",
     {"cold": lambda x: (x == x.amax(-1, keepdim=True)).to(x.dtype)}),
]:  # fmt: skip
    e.mistake(name, says)(probabilities_variant(**flags))


@e.mistake(
    "not-renormalised",
    "What is left does not sum to one: the softmax was taken before the filters, and what they dropped is only set to 0. Take it last.",
)
def _(logits, temperature=1.0, top_k=None, top_p=None):
    kept = next_token_probabilities(logits, temperature, top_k, top_p) > 0
    return (greedy(logits) if temperature == 0 else (logits / temperature).softmax(-1)) * kept


@e.mistake(
    "either",
    "Of top-k and top-p one is left out where both are given (`elif`); the nucleus is taken of what top-k left.",
)
def _(logits, temperature=1.0, top_k=None, top_p=None):
    check_sampling(temperature, top_k, top_p)
    return next_token_probabilities(logits, temperature, top_k, top_p if top_k is None else None)


# ---- 8.8 the cache and the positions ---------------------------------------------------------------

SIZES = GPTConfig(vocab_size=12, d_model=10, n_heads=2, n_layers=2, max_length=17, dropout=0.3)


def same_gpt(cls) -> GPT:
    return with_fixed_weights(cls, GPT, SIZES)


def embedded(ids, start: int = 0):
    return lambda cls: same_gpt(cls).embed(torch.tensor(ids), start)


def logits_in_two_steps(cls) -> torch.Tensor:
    model = same_gpt(cls)
    caches = model.caches()
    model.step(torch.tensor([[3, 1, 4]]), caches)
    return model.step(torch.tensor([[1, 5]]), caches)


def its_gradients(cls) -> dict:
    model = same_gpt(cls)
    backward(model.embed(torch.tensor([[3, 1, 4, 1], [5, 9, 2, 6]]), 5))
    return {
        "the gradient of the tokens' vectors": model.embedding.weight.grad,
        "the gradient of the positions' vectors": model.positions.embedding.weight.grad,
    }


case = Case(lambda: (torch.tensor([3, 1, 4, 1, 5]),), module=lambda cls: same_gpt(cls).embed)

e = define(
    "8.8",
    GPT,
    "Positions behind a cache",
    minutes=8,
    difficulty=2,
    blank=("embed",),
    parts=[
        ("three tokens at the start", 1, embedded([3, 1, 4])),
        ("four tokens behind five others", 2, embedded([1, 5, 9, 1], 5)),
        ("one token behind three others", 1, embedded([7], 3)),
        ("three texts of four tokens, behind six", 1, embedded([[1, 5, 9, 2], [9, 2, 2, 8], [0, 11, 3, 1]], 6)),
        ("two axes in front", 1, embedded([[[1, 5, 9]], [[9, 2, 8]]], 2)),
        ("up to the last position", 1, embedded([3, 1, 4], 14)),
        ("the logits, with keys and values kept", 1, logits_in_two_steps),
        ("every gradient", 1, its_gradients),
        ("in training, with a dropout of p = 1", 1, lambda cls: all_dropped(same_gpt(cls)).embed(torch.tensor([3, 1, 4]), 2)),
        case.refuses("one position too many", ValueError, start=13),
    ],
    hints=[
        "With a cache the model reads only the new tokens; those before are already there. The first new token is not at position 0,"
        " then, but where?",
        "`self.positions(n)` gives the vectors of positions 0 to n - 1. You need those from `start` on, as many as there are ids.",
        "`return self.embedding(ids) + self.positions(start + ids.shape[-1])[start:]`",
    ],
)  # fmt: skip


def embed_variant(positions, tokens=lambda model, ids: model.embedding(ids), join=torch.add):
    class Wrong(GPT):
        def embed(self, ids, start=0):
            self.positions(start + ids.shape[-1])  # refuses what is too long
            return join(tokens(self, ids), positions(self, ids.shape[-1], start))

    return Wrong


def right_positions(m: GPT, n: int, start: int) -> torch.Tensor:
    return m.positions(start + n)[start:]


def from_place(m: GPT, first: int, n: int) -> torch.Tensor:
    """n positions from that place on; the last of all again where there are no more."""
    places = torch.arange(first, first + n).clamp(0, m.config.max_length - 1)
    return m.positions(m.config.max_length)[places]


for name, says, positions in [
    ("forgets", "The cache forgets positions: new tokens are numbered from 0 again, whatever start is.", lambda m, n, start: m.positions(n)),
    ("one-late", "Off by one: the first new token stands at position start, not start + 1.", lambda m, n, start: m.positions(start + n + 1)[start + 1 :]),
    ("one-early", "Off by one: the first new token repeats the position of the last one in the cache; it stands at position start.",
     lambda m, n, start: from_place(m, max(0, start - 1), n)),
    ("same-for-all", "All new tokens get the position start; each has its own, one more than the one before.",
     lambda m, n, start: m.positions(start + 1)[start].expand(n, -1)),
    ("none", "No positions are added.", lambda m, n, start: m.positions(n) * 0.0),
    ("backwards", "The positions run backwards.", lambda m, n, start: right_positions(m, n, start).flip(0)),
    ("last", "Every token gets the position of the last one.", lambda m, n, start: m.positions(start + n)[-1]),
    ("number-added", "start is added to the positions' vectors, as a number; it says at which position the first token stands.", lambda m, n, start: m.positions(n) + start),
    ("from-the-end", "The vectors are counted from the end of all that the model has, not from start.", lambda m, n, start: m.positions(m.config.max_length)[-n:]),
]:  # fmt: skip
    e.mistake(name, says)(embed_variant(positions))

for name, says, flags in [
    ("no-tokens", "The positions are there, but the tokens' own vectors are missing.", {"join": lambda tokens, places: places.expand_as(tokens)}),
    ("scaled", "The tokens' vectors are multiplied by √d_model, as the Transformer of 2017 does; GPT adds them as they are.",
     {"tokens": lambda m, ids: math.sqrt(m.config.d_model) * m.embedding(ids)}),
    ("product", "Tokens' and positions' vectors are multiplied; they are added.", {"join": torch.mul}),
    ("joined", "Tokens' and positions' vectors are put one after the other; they are added, so the width stays d_model.",
     {"join": lambda tokens, places: torch.cat([tokens, places.expand_as(tokens)], -1)}),
    ("subtracted", "The positions are subtracted; they are added.", {"join": torch.sub}),
]:  # fmt: skip
    e.mistake(name, says)(embed_variant(right_positions, **flags))


@e.mistake(
    "dropout",
    "Dropout is applied here; `hidden_states` applies it to what this gives back, so in training it would come twice.",
)
class Dropped(GPT):
    def embed(self, ids, start=0):
        return self.dropout(super().embed(ids, start))


@e.mistake(
    "by-id",
    "The positions belong to the tokens' ids here: a token has the same wherever it stands. They go by place.",
)
class ById(GPT):
    def embed(self, ids, start=0):
        self.positions(start + ids.shape[-1])
        return self.embedding(ids) + self.positions(self.config.max_length)[ids]


@e.mistake(
    "number-of-texts",
    "The number of texts is taken for the number of tokens: the tokens lie along the last axis of ids.",
)
class FirstAxis(GPT):
    def embed(self, ids, start=0):
        self.positions(start + ids.shape[-1])
        return self.embedding(ids) + self.positions(start + ids.shape[0])[start:]


@e.mistake(
    "detached",
    "No gradient reaches the vectors, so they would never be learned: something is detached, or taken as .data or under no_grad.",
)
class Detached(GPT):
    def embed(self, ids, start=0):
        return super().embed(ids, start).detach()


# ---- 8.9 which token to classify by ----------------------------------------------------------------


def padded_states() -> tuple[torch.Tensor, torch.Tensor]:
    """Four texts in a batch that is longer than any of them."""
    return randn(4, 7, 5), torch.tensor([3, 4, 1, 2])


case = Case(padded_states)

e = define(
    "8.9",
    last_token,
    "Which token to classify by",
    minutes=6,
    difficulty=1,
    parts=[
        case.part("texts of 3, 4, 1 and 2 tokens, padded to 7", 2),
        case.part("the same, padded to 4: the longest fills its row", change=lambda x, n: (x[:, :4], n)),
        case.part("all of one length", change=lambda x, n: (x[:3], torch.tensor([4, 4, 4]))),
        ("a single text", 1, lambda f: f(randn(1, 6, 5), torch.tensor([4]))),
        ("texts of one token", 1, lambda f: f(randn(3, 1, 5), torch.tensor([1, 1, 1]))),
        case.keeps_kind(torch.float64),
        case.keeps_inputs(),
        case.gradients(),
    ],
    hints=[
        "Under the causal mask, which of a text's positions has seen all of it? And where is that position in a text that is padded"
        " on the right?",
        "The last real token of text b has the index lengths[b] - 1. You want one vector from each text: index the first two"
        " dimensions with two lists of equal length.",
        "`return states[torch.arange(len(states)), lengths - 1]`",
    ],
)


def of_each(pick):
    """One vector from each text by ``pick(states, length)``."""
    return lambda x, n: torch.stack([pick(row, length) for row, length in zip(x, n.tolist(), strict=True)])


for name, says, wrong in [
    ("first", "This is the first token, as BERT's [CLS]; under the causal mask it has seen nothing but itself.", lambda x, n: x[:, 0]),
    ("last-of-all", "This is the last position, which in a short text is padding; take the last real token.", lambda x, n: x[:, -1]),
    ("one-beyond", "Off by one: lengths[b] is the first padding (or beyond the end); the last real token stands at lengths[b] - 1.",
     lambda x, n: x[torch.arange(len(x)), n]),
    ("one-before", "Off by one: this is the last token but one (and in a text of one token the end of the padding).",
     lambda x, n: x[torch.arange(len(x)), n - 2]),
    ("one-before-or-first", "Off by one: this is the last token but one, or the first where there is none.", lambda x, n: x[torch.arange(len(x)), (n - 2).clamp_min(0)]),
    ("longest", "Every text is looked up at the longest text's last token; each has its own length.", lambda x, n: x[:, n.max() - 1]),
    ("shortest", "Every text is looked up at the shortest text's last token; each has its own length.", lambda x, n: x[:, n.min() - 1]),
    ("first-length", "Every text is looked up at the first text's length; each has its own.", lambda x, n: x[:, n[0] - 1]),
    ("from-the-end", "The lengths are counted from the end of the row; the padding stands there, and tokens are counted from the beginning.",
     lambda x, n: x[torch.arange(len(x)), -n]),
    ("mean", "This is the mean over all positions, padding included; wanted is one position's state, the last real token's.", lambda x, n: x.mean(1)),
    ("mean-real", "This is the mean over the real tokens; wanted is the last one's state alone: under the causal mask it is the one that has seen them all.",
     of_each(lambda row, length: row[:length].mean(0))),
    ("sum-real", "This is the sum over the real tokens; wanted is the last one's state alone.", of_each(lambda row, length: row[:length].sum(0))),
    ("max-real", "These are the greatest numbers among the real tokens; wanted is the last one's state alone.", of_each(lambda row, length: row[:length].amax(0))),
    ("all-pairs", "Every text is looked up at every length: index the texts too, with torch.arange.", lambda x, n: x[:, n - 1]),
    ("keeps-axis", "The shape is [batch, 1, d_model]; the position is to be taken out, not kept as an axis.",
     lambda x, n: x[torch.arange(len(x)), n - 1].unsqueeze(1)),
    ("axes-exchanged", "The two indices are exchanged: the first says which text, the second which position.", lambda x, n: x[n - 1, torch.arange(len(x))]),
    ("up-to-the-last", "The padding is set to 0 and all positions come back; wanted is one vector for each text.",
     lambda x, n: x * (torch.arange(x.shape[1]) < n[:, None])[..., None]),
]:  # fmt: skip
    e.mistake(name, says)(wrong)
