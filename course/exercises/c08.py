"""The exercises of notebook 08: GPT."""

import math

import torch
import torch.nn.functional as F

from course.exercises.inputs import randn, with_fixed_weights
from course.masking import IGNORED
from course.models.gpt import GPT, GPTConfig
from course.next_token import inputs_and_targets, last_token, next_token_loss, surprise
from course.text.ngrams import bigram_probabilities
from course.text.sampling import keep_top_k, keep_top_p, next_token_probabilities
from course.workbook.record import define

# ---- 8.1 a language model by counting ------------------------------------------------------------

e = define(
    "8.1",
    bigram_probabilities,
    "A language model by counting",
    minutes=10,
    difficulty=1,
    parts=[
        ("eight tokens", 2, lambda f: f(torch.tensor([0, 1, 0, 1, 2, 0, 1, 1]), 3)),
        ("a vocabulary with tokens never seen", 1, lambda f: f(torch.tensor([3, 1, 3]), 5)),
        ("a smaller alpha", 1, lambda f: f(torch.tensor([0, 1, 0, 1, 2, 0, 1, 1]), 3, 0.1)),
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


def bigram_variant(
    raise_by=lambda alpha: alpha,
    axis=-1,
    finish=lambda p: p,
    whole=False,
    first=lambda ids: ids[:-1],
    second=lambda ids: ids[1:],
):
    def wrong(ids, vocab_size, alpha=1.0):
        counts = torch.zeros(vocab_size, vocab_size)
        for a, b in zip(first(ids).tolist(), second(ids).tolist(), strict=True):
            counts[a, b] += 1
        raised = counts + raise_by(alpha)
        return finish(raised / (raised.sum() if whole else raised.sum(axis, keepdim=True)))

    return wrong


for name, says, flags in [
    ("transposed", "Rows and columns are exchanged: row a is what follows token a, and each row sums to one.",
     {"first": lambda ids: ids[1:], "second": lambda ids: ids[:-1]}),
    ("by-column", "The division is by the sums of the columns; each row should sum to one, for something always follows.", {"axis": -2}),
    ("joint", "The division is by the sum of all counts: that is the probability of the pair; wanted is that of b, given a.", {"whole": True}),
    ("no-alpha", "Alpha is not added: a pair that was never seen gets probability 0, an infinite loss, and a token never seen a row of NaN.",
     {"raise_by": lambda alpha: 0}),
    ("alpha-is-one", "The counts are raised by 1 whatever alpha is.", {"raise_by": lambda alpha: 1.0}),
    ("wraps", "The text is closed to a ring: its first token counts as following its last.",
     {"first": lambda ids: ids, "second": lambda ids: ids.roll(-1)}),
    ("unigram", "Each token is counted as following itself; the pair is a token and the next one.",
     {"first": lambda ids: ids[:-1], "second": lambda ids: ids[:-1]}),
]:  # fmt: skip
    e.mistake(name, says)(bigram_variant(**flags))


@e.mistake("counts", "These are the raised counts; divide each row by its sum to make them probabilities.")
def _(ids, vocab_size, alpha=1.0):
    return (
        torch.bincount(ids[:-1] * vocab_size + ids[1:], minlength=vocab_size**2).reshape(vocab_size, -1)
        + alpha
    )


@e.mistake("alpha-after", "Alpha is added to the probabilities; add it to the counts, before dividing.")
def _(ids, vocab_size, alpha=1.0):
    counts = bigram_probabilities(ids, vocab_size, 0.0).nan_to_num(0.0) + alpha
    return counts / counts.sum(-1, keepdim=True)


# ---- 8.2 what is predicted from what ---------------------------------------------------------------

PAD = 0


def padded() -> torch.Tensor:
    return torch.tensor([[5, 3, 8, 6, 7], [4, 9, 2, PAD, PAD], [7, 1, PAD, PAD, PAD]])


e = define(
    "8.2",
    inputs_and_targets,
    "What is predicted from what",
    minutes=8,
    difficulty=1,
    parts=[
        ("one text without padding", 1, lambda f: f(torch.tensor([[5, 3, 8, 6]]), PAD)),
        ("three texts, two of them padded", 2, lambda f: f(padded(), PAD)),
        ("another padding", 1, lambda f: f(padded() + 10, 10)),
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
):
    def wrong(ids, padding):
        x, y = inputs(ids), targets(ids)
        return x, y.masked_fill(hide(x, y, padding), mark)

    return wrong


for name, says, flags in [
    ("not-shifted", "The targets are not shifted: each position is asked for the very token that it reads, and copying suffices.",
     {"targets": lambda ids: ids[:, :-1]}),
    ("backwards", "Shifted the wrong way: the model reads each token and is asked for the one before it.",
     {"inputs": lambda ids: ids[:, 1:], "targets": lambda ids: ids[:, :-1]}),
    ("two-ahead", "Shifted by two: the target is the token after the next one.",
     {"inputs": lambda ids: ids[:, :-1], "targets": lambda ids: F.pad(ids[:, 2:], (0, 1), value=IGNORED)}),
    ("padding-counts", "Padding is a target here: the model would spend its effort on learning that padding follows padding.",
     {"hide": lambda x, y, pad: torch.zeros_like(y, dtype=torch.bool)}),
    ("hides-inputs", "The targets are hidden where the *input* is padding; so each text's first padding is still a target.",
     {"hide": lambda x, y, pad: x == pad}),
    ("hides-last", "Where the next token is padding, the place before it is hidden as well, and so the last real token is never learned.",
     {"hide": lambda x, y, pad: (y == pad) | (F.pad(y, (0, 1), value=pad)[:, 1:] == pad)}),
    ("zero", "Targets that do not count are 0 here; that is a token's id. They are marked by IGNORED, -100.", {"mark": 0}),
    ("minus-one", "Targets that do not count are marked by -1; torch's cross_entropy, and so this course, marks them by -100.", {"mark": -1}),
    ("rolled", "The text is rolled round: the last position is asked for the first token. The last token has nothing to predict; leave it out.",
     {"inputs": lambda ids: ids, "targets": lambda ids: ids.roll(-1, dims=1)}),
    ("padding-is-zero", "The padding is taken to be 0; it is what the argument says.", {"hide": lambda x, y, pad: y == 0}),
]:  # fmt: skip
    e.mistake(name, says)(targets_variant(**flags))


# ---- 8.3 the loss ----------------------------------------------------------------------------------


def some_targets() -> torch.Tensor:
    return torch.tensor([[1, 4, 0, 2], [3, 2, IGNORED, IGNORED]])


def gradient_of_logits(f) -> torch.Tensor:
    logits = randn(2, 4, 5).requires_grad_()
    f(logits, some_targets()).backward()
    return logits.grad


e = define(
    "8.3",
    next_token_loss,
    "The next-token loss",
    minutes=10,
    difficulty=2,
    parts=[
        ("three positions, all of them count", 1, lambda f: f(randn(3, 5), torch.tensor([1, 0, 4]))),
        ("a batch in which two do not count", 2, lambda f: f(randn(2, 4, 5), some_targets())),
        ("large logits stay finite", 1, lambda f: f(1000 * randn(3, 5), torch.tensor([1, 0, 4]))),
        ("its gradient", 1, gradient_of_logits),
    ],
    hints=[
        "At each position there is one number to pick: ln p of the token that really came. Positions whose target is -100 should be"
        " gone before anything is summed.",
        "`counted = targets != IGNORED`; `logits[counted]` is `[counted, vocab]`. `log_softmax` gives ln p without overflow, and"
        " `gather(-1, index)` picks one entry from each row.",
        "`log_p = logits[counted].log_softmax(-1)`, then `return -log_p.gather(-1, targets[counted].unsqueeze(-1)).mean()`.",
    ],
)  # fmt: skip


def loss_variant(log_p=lambda x: x.log_softmax(-1), combine=lambda x, counted: x[counted].mean(), sign=-1.0):
    def wrong(logits, targets):
        counted = targets != IGNORED
        picked = log_p(logits).gather(-1, targets.clamp_min(0).unsqueeze(-1)).squeeze(-1)
        return sign * combine(picked, counted)

    return wrong


for name, says, flags in [
    ("over-padding", "Positions that do not count are counted: their target, -100, was taken for token 0.", {"combine": lambda x, counted: x.mean()}),
    ("divided-by-all", "The sum is right, but it is divided by all positions; divide by those that count.",
     {"combine": lambda x, counted: x[counted].sum() / counted.numel()}),
    ("sum", "This is the sum; a loss a token is the mean, else long texts weigh more and learning rates change with the batch.",
     {"combine": lambda x, counted: x[counted].sum()}),
    ("sign", "The sign is missing: ln p is negative, and a loss should fall as p rises.", {"sign": 1.0}),
    ("bits", "The logarithm is to the base 2: these are bits, the loss is in nats.", {"sign": -1 / math.log(2)}),
    ("probability", "The logarithm is missing: this is the mean of -p, and a token with p near 0 costs next to nothing.",
     {"log_p": lambda x: x.softmax(-1)}),
    ("logits", "The logits are taken as they are; a softmax has to turn them into probabilities first.", {"log_p": lambda x: x}),
    ("overflow", "Right on paper, but exp overflows for large logits; use log_softmax, which subtracts the largest first.",
     {"log_p": lambda x: (x.exp() / x.exp().sum(-1, keepdim=True)).log()}),
    ("twice", "There are two softmaxes, one upon the other.", {"log_p": lambda x: x.softmax(-1).log_softmax(-1)}),
    ("log-of-mean", "The logarithm of the mean probability; wanted is the mean of the logarithms.",
     {"log_p": lambda x: x.softmax(-1), "combine": lambda x, counted: x[counted].mean().log()}),
]:  # fmt: skip
    e.mistake(name, says)(loss_variant(**flags))


@e.mistake(
    "by-text",
    "Each text's mean is taken, then the mean of those: a token in a short text weighs more than one in a long text.",
)
def _(logits, targets):
    if targets.dim() == 1:
        return next_token_loss(logits, targets)
    return torch.stack([next_token_loss(x, y) for x, y in zip(logits, targets, strict=True)]).mean()


# ---- 8.4 surprise ----------------------------------------------------------------------------------

e = define(
    "8.4",
    surprise,
    "The surprise of a token",
    minutes=6,
    difficulty=1,
    parts=[
        ("a fair coin: one bit", 1, lambda f: f(torch.zeros(1, 2), torch.tensor([1]))),
        ("a text of five tokens", 2, lambda f: f(randn(5, 7), torch.tensor([0, 6, 3, 3, 1]))),
        ("a batch", 1, lambda f: f(randn(2, 3, 7), torch.tensor([[0, 6, 3], [1, 5, 2]]))),
    ],
    hints=[
        "It is the loss of exercise 8.3 before the mean, and in another unit. A bit is the surprise of an event of probability 1/2.",
        "log₂ x = ln x / ln 2. And since p ≤ 1, its logarithm is never positive; a surprise is never negative.",
        "`log_p = logits.log_softmax(-1)`, then `return -log_p.gather(-1, ids.unsqueeze(-1)).squeeze(-1) / math.log(2)`.",
    ],
)


def surprise_variant(change):
    return lambda logits, ids: change(logits.log_softmax(-1).gather(-1, ids.unsqueeze(-1)).squeeze(-1))


for name, says, change in [
    ("nats", "These are nats, from the natural logarithm; a fair coin has 0.69 of those, and one bit. Divide by ln 2.", lambda x: -x),
    ("sign", "The sign is missing: a surprise is never negative, and the less probable a token, the greater it is.", lambda x: x / math.log(2)),
    ("multiplied", "The nats are multiplied by ln 2 where they should be divided by it.", lambda x: -x * math.log(2)),
    ("ten", "The logarithm is to the base 10; bits have base 2.", lambda x: -x / math.log(10)),
    ("mean", "This is the mean over all tokens; wanted is one number for each.", lambda x: -x.mean() / math.log(2)),
    ("not-p", "This is 1 - p: it says that something unexpected came, but not how unexpected; near 0 all p look alike.", lambda x: 1 - x.exp()),
    ("inverse", "This is 1 / p, among how many equally likely ones the token was chosen; its log₂ is the surprise.", lambda x: (-x).exp()),
]:  # fmt: skip
    e.mistake(name, says)(surprise_variant(change))


@e.mistake(
    "entropy",
    "This is the entropy, the surprise to be expected before the token is known; wanted is that of the token that came.",
)
def _(logits, ids):
    log_p = logits.log_softmax(-1)
    return -(log_p.exp() * log_p).sum(-1) / math.log(2)


@e.mistake("logit", "The logit is taken for ln p; a softmax has to come before.")
def _(logits, ids):
    return -logits.gather(-1, ids.unsqueeze(-1)).squeeze(-1) / math.log(2)


# ---- 8.5 top-k -------------------------------------------------------------------------------------


def with_ties() -> torch.Tensor:
    return torch.tensor([[1.0, 3.0, 2.0, 2.0, 0.0], [5.0, 4.0, 3.0, 2.0, 1.0]])


e = define(
    "8.5",
    keep_top_k,
    "Top-k",
    minutes=6,
    difficulty=1,
    parts=[
        ("the three greatest of eight", 2, lambda f: f(randn(8), 3)),
        ("a batch; ties with the k-th stay", 1, lambda f: f(with_ties(), 2)),
        ("k greater than the vocabulary", 1, lambda f: f(randn(4), 10)),
        ("k = 1", 1, lambda f: f(randn(2, 6), 1)),
    ],
    hints=[
        "You do not need to know *which* tokens are the k greatest, only the k-th greatest value: everything below it goes.",
        "`logits.topk(k).values` is sorted, the k-th greatest last. Mind a k greater than the vocabulary, and keep the last"
        " dimension, so that each row of a batch is compared with its own.",
        "`least = logits.topk(min(k, logits.shape[-1]), dim=-1).values[..., -1:]`, then"
        " `return logits.masked_fill(logits < least, -math.inf)`.",
    ],
)


def top_k_variant(place=lambda k: k, below=torch.lt, fill=-math.inf, finish=lambda x: x):
    def wrong(logits, k):
        n = logits.shape[-1]
        least = logits.sort(dim=-1, descending=True).values[..., min(max(place(k), 1), n) - 1].unsqueeze(-1)
        return finish(logits.masked_fill(below(logits, least), fill))

    return wrong


for name, says, flags in [
    ("or-equal", "The k-th greatest is dropped too (`<=`): only k - 1 are left, and for k = 1 none at all.", {"below": torch.le}),
    ("one-too-many", "k + 1 tokens are kept; counting from 0, the k-th greatest has the index k - 1.", {"place": lambda k: k + 1}),
    ("zero", "The others are set to 0; exp(0) = 1, so they still get probability. Only -inf gives none.", {"fill": 0.0}),
    ("lowest-kept", "The greatest go and the others stay: the comparison is turned round.", {"below": torch.gt}),
    ("probabilities", "Probabilities come back; this gives logits, for top-p is still to be applied.", {"finish": lambda x: x.softmax(-1)}),
]:  # fmt: skip
    e.mistake(name, says)(top_k_variant(**flags))


@e.mistake(
    "ties-cut",
    "Of tokens with equal logits some are kept and others not, by their place in the vocabulary; what ties with the k-th stays.",
)
def _(logits, k):
    best = logits.topk(min(k, logits.shape[-1]), dim=-1).indices
    return torch.full_like(logits, -math.inf).scatter(-1, best, logits.gather(-1, best))


@e.mistake("whole-batch", "The k greatest of the whole batch are kept; each row has its own.")
def _(logits, k):
    least = logits.flatten().topk(min(k, logits.numel())).values[-1]
    return logits.masked_fill(logits < least, -math.inf)


# ---- 8.6 top-p -------------------------------------------------------------------------------------


def shares(*p: float) -> torch.Tensor:
    return torch.tensor(p).log()


e = define(
    "8.6",
    keep_top_p,
    "Top-p, or the nucleus",
    minutes=15,
    difficulty=3,
    parts=[
        ("0.1, 0.4, 0.3, 0.2 and p = 0.6", 2, lambda f: f(shares(0.1, 0.4, 0.3, 0.2), 0.6)),
        ("p below the likeliest: it stays all the same", 1, lambda f: f(shares(0.1, 0.6, 0.3), 0.25)),
        ("a batch, each row its own nucleus", 1, lambda f: f(2 * randn(3, 6), 0.8)),
        ("p = 1 keeps everything", 1, lambda f: f(shares(0.2, 0.5, 0.3), 1.0)),
    ],
    hints=[
        "Sort the probabilities, the greatest first. For each token: how much probability have the tokens *before* it together? When"
        " does it still belong to the smallest set that reaches p?",
        "`cumsum` includes the token itself; subtract its own probability. A token goes where that reaches p: `likelier >= p`. The"
        " first has nothing before it, so it always stays. Then bring the marks back to the vocabulary's order: `scatter`.",
        "`probability, token = logits.softmax(-1).sort(dim=-1, descending=True)`,"
        " `outside = probability.cumsum(-1) - probability >= p`, `outside = outside.scatter(-1, token, outside)`, and"
        " `masked_fill` the logits with -inf.",
    ],
)


def top_p_variant(
    likelier=lambda p: p.cumsum(-1) - p,
    descending=True,
    back=True,
    probabilities=lambda x: x.softmax(-1),
    fill=-math.inf,
    finish=lambda x: x,
):
    def wrong(logits, p):
        probability, token = probabilities(logits).sort(dim=-1, descending=descending, stable=True)
        outside = likelier(probability) >= p
        outside = outside.scatter(-1, token, outside) if back else outside
        return finish(logits.masked_fill(outside, fill))

    return wrong


for name, says, flags in [
    ("drops-the-crossing", "The token that crosses p is dropped: its own probability is in the sum. It is the last to stay; and a likeliest token above p would leave nothing at all.",
     {"likelier": lambda p: p.cumsum(-1)}),
    ("one-too-many", "One token too many is kept: the sum leaves out the token just before as well.",
     {"likelier": lambda p: F.pad((p.cumsum(-1) - p)[..., :-1], (1, 0))}),
    ("ascending", "The least likely come first, so the unlikely are kept; sort in descending order.", {"descending": False}),
    ("order-lost", "The marks are in sorted order, the logits in the vocabulary's: bring the marks back before using them.", {"back": False}),
    ("each-alone", "Each probability is compared with p by itself; top-p is about their sum from the likeliest on.",
     {"likelier": lambda p: 1 - p}),
    ("zero", "The others are set to 0; exp(0) = 1, so they still get probability. Only -inf gives none.", {"fill": 0.0}),
    ("logits-summed", "The logits are summed, not the probabilities: take the softmax first.", {"probabilities": lambda x: x}),
    ("probabilities", "Probabilities come back; this gives logits, and the softmax comes last.", {"finish": lambda x: x.softmax(-1)}),
]:  # fmt: skip
    e.mistake(name, says)(top_p_variant(**flags))


# ---- 8.7 from logits to probabilities --------------------------------------------------------------


def graded() -> torch.Tensor:
    return torch.tensor([2.0, 1.0, 0.5, 0.0, -1.0, -2.0])


e = define(
    "8.7",
    next_token_probabilities,
    "From logits to what is drawn from",
    minutes=10,
    difficulty=2,
    parts=[
        ("temperature 0.5", 1, lambda f: f(randn(6), 0.5)),
        ("temperature 2 and top-k 3", 1, lambda f: f(graded(), 2.0, top_k=3)),
        ("temperature 2 and top-p 0.6", 2, lambda f: f(graded(), 2.0, top_p=0.6)),
        ("top-k and top-p together", 1, lambda f: f(graded(), 2.0, top_k=3, top_p=0.6)),
        ("temperature 0: all on the likeliest", 1, lambda f: f(randn(2, 5), 0.0)),
        ("no setting at all", 1, lambda f: f(randn(2, 5))),
    ],
    hints=[
        "The three settings act on logits, one after the other, each on what the one before it left: temperature, top-k, top-p. The"
        " softmax comes once, at the end.",
        "A temperature of 0 cannot be divided by: it means the greatest logit, with probability 1. `F.one_hot` makes such a row; mind"
        " its kind, whole numbers.",
        "`if temperature == 0: return F.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)`; then"
        " `with_temperature`, `keep_top_k` unless it is None, `keep_top_p` unless it is None, `.softmax(-1)`.",
    ],
)  # fmt: skip


def probabilities_variant(order="tkp", heat=lambda x, t: x / t, finish=lambda x: x.softmax(-1), greedy=True):
    def wrong(logits, temperature=1.0, top_k=None, top_p=None):
        if temperature == 0:
            best = F.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)
            return (
                best
                if greedy
                else (logits / 1e-9).softmax(-1).lerp(torch.ones_like(logits) / logits.shape[-1], 1.0)
            )
        steps = {
            "t": lambda x: heat(x, temperature),
            "k": lambda x: x if top_k is None else keep_top_k(x, top_k),
            "p": lambda x: x if top_p is None else keep_top_p(x, top_p),
        }
        for step in order:
            logits = steps[step](logits)
        return finish(logits)

    return wrong


for name, says, flags in [
    ("softmax-first", "The softmax comes before the temperature: probabilities are divided, not logits. Divide first; after the softmax the temperature is a mere factor.",
     {"heat": lambda x, t: x.softmax(-1) / t, "finish": lambda x: x.masked_fill(x == -math.inf, 0.0)}),
    ("softmax-twice", "There is a softmax before the temperature and another after it: the probabilities become nearly equal.",
     {"heat": lambda x, t: x.softmax(-1) / t}),
    ("multiplied", "The logits are multiplied by the temperature; dividing is what makes a high temperature even things out.", {"heat": lambda x, t: x * t}),
    ("temperature-last", "The temperature comes after top-p: the nucleus is then that of temperature 1.", {"order": "kpt"}),
    ("p-before-k", "Top-p comes before top-k; the nucleus should be taken of what top-k left.", {"order": "tpk"}),
    ("k-ignored", "Top-k is not used.", {"order": "tp"}),
    ("p-ignored", "Top-p is not used.", {"order": "tk"}),
    ("temperature-ignored", "The temperature is not used.", {"order": "kp"}),
    ("not-renormalised", "What is left does not sum to one: the softmax was taken before the filters. Take it last.",
     {"finish": lambda x: x.exp() / x.exp().max() / 2}),
    ("zero-is-even", "Temperature 0 gives equal probabilities: it should put everything on the likeliest token.", {"greedy": False}),
]:  # fmt: skip
    e.mistake(name, says)(probabilities_variant(**flags))


@e.mistake(
    "zero-divides",
    "Temperature 0 divides by zero and gives NaN; it should put everything on the likeliest token.",
)
def _(logits, temperature=1.0, top_k=None, top_p=None):
    if temperature == 0:
        return (logits / 0.0).softmax(-1)
    return next_token_probabilities(logits, temperature, top_k, top_p)


# ---- 8.8 the cache and the positions ---------------------------------------------------------------

SIZES = GPTConfig(vocab_size=12, d_model=8, n_heads=2, n_layers=2, max_length=24, dropout=0.0)


def same_gpt(cls) -> GPT:
    return with_fixed_weights(cls, GPT, SIZES)


def logits_in_two_steps(cls) -> torch.Tensor:
    model = same_gpt(cls)
    caches = model.caches()
    model.step(torch.tensor([[3, 1, 4]]), caches)
    return model.step(torch.tensor([[1, 5]]), caches)


e = define(
    "8.8",
    GPT,
    "Positions behind a cache",
    minutes=8,
    difficulty=2,
    blank=("embed",),
    parts=[
        ("three tokens at the start", 1, lambda cls: same_gpt(cls).embed(torch.tensor([3, 1, 4])).detach()),
        ("two more behind them", 2, lambda cls: same_gpt(cls).embed(torch.tensor([1, 5]), 3).detach()),
        ("a batch", 1, lambda cls: same_gpt(cls).embed(torch.tensor([[1, 5], [9, 2]]), 6).detach()),
        ("the logits, with keys and values kept", 1, logits_in_two_steps),
    ],
    hints=[
        "With a cache the model reads only the new tokens; those before are already there. The first new token is not at position 0,"
        " then, but where?",
        "`self.positions(n)` gives the vectors of positions 0 to n - 1. You need those from `start` on, as many as there are ids.",
        "`return self.embedding(ids) + self.positions(start + ids.shape[-1])[start:]`",
    ],
)


def embed_variant(positions, tokens=lambda model, ids: model.embedding(ids)):
    class Wrong(GPT):
        def embed(self, ids, start=0):
            return tokens(self, ids) + positions(self, ids.shape[-1], start)

    return Wrong


for name, says, positions in [
    ("forgets", "The cache forgets positions: new tokens are numbered from 0 again, whatever start is.", lambda m, n, start: m.positions(n)),
    ("one-late", "Off by one: the first new token stands at position start, not start + 1.", lambda m, n, start: m.positions(start + n + 1)[start + 1 :]),
    ("one-early", "Off by one: the first new token repeats the position of the last one in the cache.",
     lambda m, n, start: m.positions(start + n)[max(0, start - 1) :][:n]),
    ("same-for-all", "All new tokens get the position start; each has its own, one more than the one before.",
     lambda m, n, start: m.positions(start + 1)[start].expand(n, -1)),
    ("none", "No positions are added.", lambda m, n, start: torch.zeros(())),
    ("backwards", "The positions run backwards.", lambda m, n, start: m.positions(start + n)[start:].flip(0)),
    ("last", "Every token gets the position of the last one.", lambda m, n, start: m.positions(start + n)[-1]),
]:  # fmt: skip
    e.mistake(name, says)(embed_variant(positions))


@e.mistake("no-tokens", "The positions are there, but the tokens' own vectors are missing.")
class NoTokens(GPT):
    def embed(self, ids, start=0):
        return self.positions(start + ids.shape[-1])[start:].expand(*ids.shape, -1)


@e.mistake(
    "scaled",
    "The tokens' vectors are multiplied by √d_model, as the Transformer of 2017 does; GPT adds them as they are.",
)
class Scaled(GPT):
    def embed(self, ids, start=0):
        return (
            math.sqrt(self.config.d_model) * self.embedding(ids)
            + self.positions(start + ids.shape[-1])[start:]
        )


# ---- 8.9 which token to classify by ----------------------------------------------------------------

e = define(
    "8.9",
    last_token,
    "Which token to classify by",
    minutes=6,
    difficulty=1,
    parts=[
        ("texts of 4, 2 and 1 tokens", 2, lambda f: f(randn(3, 4, 5), torch.tensor([4, 2, 1]))),
        ("all of one length", 1, lambda f: f(randn(2, 3, 5), torch.tensor([3, 3]))),
        ("a single text", 1, lambda f: f(randn(1, 6, 5), torch.tensor([4]))),
    ],
    hints=[
        "Under the causal mask, which of a text's positions has seen all of it? And where is that position in a text that is padded"
        " on the right?",
        "The last real token of text b has the index lengths[b] - 1. You want one vector from each text: index the first two"
        " dimensions with two lists of equal length.",
        "`return states[torch.arange(len(states)), lengths - 1]`",
    ],
)

for name, says, wrong in [
    ("first", "This is the first token, as BERT's [CLS]; under the causal mask it has seen nothing but itself.", lambda x, n: x[:, 0]),
    ("last-of-all", "This is the last position, which in a short text is padding; take the last real token.", lambda x, n: x[:, -1]),
    ("one-beyond", "Off by one: lengths[b] is the first padding; the last real token stands at lengths[b] - 1.",
     lambda x, n: x[torch.arange(len(x)), n.clamp_max(x.shape[1] - 1)]),
    ("one-before", "Off by one: this is the last token but one.", lambda x, n: x[torch.arange(len(x)), (n - 2).clamp_min(0)]),
    ("mean", "This is the mean over all positions, padding included.", lambda x, n: x.mean(1)),
    ("sum-real", "This is the sum over the real tokens; wanted is the last one's state alone.",
     lambda x, n: torch.stack([row[:length].sum(0) for row, length in zip(x, n.tolist(), strict=True)])),
    ("all-pairs", "Every text is looked up at every length: index the texts too, with torch.arange.", lambda x, n: x[:, n - 1]),
    ("keeps-axis", "The shape is [batch, 1, d_model]; the position is to be taken out, not kept as an axis.",
     lambda x, n: x[torch.arange(len(x)), n - 1].unsqueeze(1)),
]:  # fmt: skip
    e.mistake(name, says)(wrong)
