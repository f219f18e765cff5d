"""The exercises of notebook 07, words as vectors, and subwords."""

from collections import Counter
from itertools import pairwise

import torch
import torch.nn.functional as F

from course.exercises.contract import Case
from course.exercises.inputs import ids, randn
from course.exercises.promises import refusals
from course.exercises.variants import checked
from course.text.bpe import (
    Merge,
    best_pair,
    bpe_encode,
    count_pairs,
    longest_pieces,
    merge_pair,
    ranks_of,
    train_bpe,
)
from course.text.cooccurrence import cooccurrence, glove_loss
from course.text.vectors import analogy, embed_one_hot
from course.text.word2vec import cbow_gradient, keep_probability, negative_sampling_loss, skipgram_pairs
from course.workbook.record import define


def every(e, variant, rows):
    """Add a family of wrong versions: (name, says, flags)."""
    for name, says, flags in rows:
        e.mistake(name, says)(variant(**flags))


# ---- 7.1 a look-up is a product ----------------------------------------------------------------

case = Case(lambda *batch: (ids(*batch, 4, below=5, seed=3), randn(5, 3)))
e = define(
    "7.1",
    embed_one_hot,
    "A row of a table, by a product",
    minutes=5,
    difficulty=1,
    parts=[
        case.part("four words of five"),
        ("as many words as there are", 1, lambda f: f(torch.tensor([2, 0, 1]), randn(3, 3, seed=1))),
        case.batched(2),
        ("the same word twice", 1, lambda f: f(torch.tensor([3, 3, 0]), randn(4, 6, seed=2))),
        case.keeps_kind(torch.float64),
        case.gradients(),
        refusals({
            "an id beyond the table": (IndexError, lambda f: f(torch.tensor([0, 5]), randn(5, 3))),
            "an id below 0": (IndexError, lambda f: f(torch.tensor([-1, 2]), randn(5, 3))),
        }),
    ],
    hints=[
        "How many numbers does one word's one-hot row have, and where is its 1? What does such a row do to a matrix it is multiplied with?",
        "`F.one_hot(ids, n)` gives whole numbers of shape `[..., n]`; a product needs the table's kind. The row stands on the left of the table. Look at the ids first: a product can't tell that one is too large.",
        "`F.one_hot(ids, len(table)).to(table.dtype) @ table`, after raising an IndexError if an id is below 0 or not below `len(table)`.",
    ],
)  # fmt: skip


def hot_variant(
    shift=0,
    times=lambda hot, table: hot @ table,
    width=lambda table: len(table),
    make=lambda hot: hot,
    detach=False,
):
    def wrong(ids, table):
        hot = F.one_hot((ids + shift) % len(table), len(table)).to(table.dtype)
        return times(make(hot), table.detach() if detach else table)

    return checked(embed_one_hot, wrong)


every(e, hot_variant, [
    ("off-by-one", "Every word gets the row after its own: id 0 is row 0; no row is kept for padding.", {"shift": 1}),
    ("off-by-minus-one", "Every word gets the row before its own: ids are counted from 0 here.", {"shift": -1}),
    ("summed", "The rows of all words are added up; each word keeps a row of its own.", {"times": lambda hot, t: (hot @ t).sum(-2, keepdim=True).expand(*hot.shape[:-1], -1)}),
    ("soft", "The rows are not one-hot: a softmax has been taken of them, so every word is mixed into every other.", {"make": lambda hot: hot.softmax(-1)}),
    ("unit", "The vectors have been made length 1; a look-up gives the rows as they stand.", {"times": lambda hot, t: F.normalize(hot @ t, dim=-1)}),
    ("inverted", "The rows are 0 at the word and 1 elsewhere: everything but the word is looked up.", {"make": lambda hot: 1 - hot}),
    ("no-gradient", "The values are right, but no gradient arrives at the table: it would never learn.", {"detach": True}),
])  # fmt: skip


@e.mistake(
    "one-hot-on-the-right",
    "The table stands on the left of the one-hot rows (or is transposed): it is `one_hot @ table`.",
)
def _(ids, table):
    with torch.no_grad():
        embed_one_hot(ids, table)
    hot = F.one_hot(ids, len(table)).to(table.dtype)
    return hot @ table.mT


@e.mistake("in-float32", "The one-hot rows are float32 and so is the result: take the table's kind.")
def _(ids, table):
    return embed_one_hot(ids, table).float()


# ---- 7.2 pairs to learn from -------------------------------------------------------------------


def text() -> list[list[int]]:
    return [[3, 1, 4, 1, 5, 9], [2, 6], [5], [3, 5, 8]]


e = define(
    "7.2",
    skipgram_pairs,
    "Who stands near whom",
    minutes=8,
    difficulty=1,
    parts=[
        ("a sentence of six words, window 3", 2, lambda f: f(text()[:1], 3)),
        ("four sentences, window 1", 2, lambda f: f(text(), 1)),
        ("a window wider than the sentences", 1, lambda f: f(text()[1:], 5)),
        ("a word beside itself", 1, lambda f: f([[7, 7, 2]], 1)),
        ("a sentence of one word: no pair, shape [0, 2]", 1, lambda f: f([[4]], 3)),
    ],
    hints=[
        "Three loops: over sentences, over the places of a sentence, over the places near that place. Which place must be left out?",
        "Near i are the places from max(0, i - window) to i + window, that one included, as far as the sentence goes. Compare *places*, not words: a word may stand beside itself.",
        "Collect `(sentence[i], sentence[j])` for `j in range(max(0, i - window), min(len(sentence), i + window + 1)) if j != i`; then `torch.tensor(pairs, dtype=torch.long).reshape(-1, 2)`.",
    ],
)  # fmt: skip


def pairs_variant(
    cross=False,
    centre=False,
    left=True,
    right=True,
    reach=lambda w: w,
    turned=False,
    by_word=False,
    shape=(-1, 2),
):
    def wrong(sentences, window):
        pairs, w = [], reach(window)
        for s in [[x for line in sentences for x in line]] if cross else sentences:
            for i, word in enumerate(s):
                for j in range(max(0, i - w if left else i), min(len(s), (i + w if right else i) + 1)):
                    same = s[i] == s[j] if by_word else i == j
                    if centre or not same:
                        pairs.append((s[j], word) if turned else (word, s[j]))
        return torch.tensor(pairs, dtype=torch.long).reshape(shape)

    return wrong


every(e, pairs_variant, [
    ("across-sentences", "Pairs cross the border of a sentence: the last word of one and the first of the next are no neighbours.", {"cross": True}),
    ("with-itself", "Each word is also paired with its own place: leave out j = i.", {"centre": True}),
    ("left-only", "Only words to the left are taken; the window has two sides.", {"right": False}),
    ("right-only", "Only words to the right are taken; the window has two sides.", {"left": False}),
    ("one-short", "The window is one too narrow: `range` ends before its end, so it needs `i + window + 1`.", {"reach": lambda w: w - 1}),
    ("half", "`window` is taken for the whole width; it is how far to look on each side.", {"reach": lambda w: w // 2}),
    ("double", "The window is twice as wide as asked for: `window` is how far to look on each side.", {"reach": lambda w: 2 * w}),
    ("context-first", "The context stands first; a pair is (centre, context).", {"turned": True}),
    ("no-same-word", "Pairs of a word with itself are left out even where it stands at two places: compare places, not words.", {"by_word": True}),
])  # fmt: skip


@e.mistake("right-edge-missing", "The right end of the window is missing: `range(a, b)` stops before b.")
def _(sentences, window):
    pairs = [
        (s[i], s[j])
        for s in sentences
        for i in range(len(s))
        for j in range(max(0, i - window), min(len(s), i + window))
        if j != i
    ]
    return torch.tensor(pairs, dtype=torch.long).reshape(-1, 2)


# ---- 7.3 negative sampling ---------------------------------------------------------------------


def three(*batch):
    return randn(3, 5), randn(3, 5, seed=1), randn(3, 4, 5, seed=2)


case = Case(three)
e = define(
    "7.3",
    negative_sampling_loss,
    "True pairs against noise",
    minutes=10,
    difficulty=2,
    parts=[
        case.part("three pairs, four negatives each", 2),
        ("one pair, one negative", 1, lambda f: f(randn(1, 5), randn(1, 5, seed=1), randn(1, 1, 5, seed=2))),
        case.part("products of ±200: the loss is finite", change=lambda c, u, n: (30 * c, 30 * u, 30 * n)),
        case.gradients(),
        case.kind(torch.float64),
    ],
    hints=[
        "Two kinds of products: one of each centre with its context, k of each centre with its negatives. What should σ of the first be near, and σ of the others?",
        "-ln σ(x) for the true pair, -ln σ(-x) for each negative. ln of a σ that has become 0 is -∞: PyTorch has both steps in one function. Add up over k, take the mean over the batch.",
        "`true = (centre * context).sum(-1)`; `false = (negatives @ centre[..., None])[..., 0]`; `-(F.logsigmoid(true) + F.logsigmoid(-false).sum(-1)).mean()`",
    ],
)  # fmt: skip


def loss_variant(sign=-1.0, over_k=lambda x: x.sum(-1), over_batch=lambda x: x.mean(), log=F.logsigmoid, minus=True,
                 true=True, negatives=True, of=lambda c, u: c, scale=1.0):  # fmt: skip
    def wrong(centre, context, negatives_):
        right = (centre * context).sum(-1) * scale
        false = (negatives_ @ of(centre, context)[..., None])[..., 0] * scale
        told = (log(right) if true else 0) + (over_k(log(sign * false)) if negatives else 0)
        return over_batch(-told if minus else told)

    return wrong


every(e, loss_variant, [
    ("negatives-as-true", "The negatives are pulled near like the true word: theirs is σ of *minus* the product.", {"sign": 1.0}),
    ("mean-over-k", "The mean over the negatives is taken: equation 4 adds them up.", {"over_k": lambda x: x.mean(-1)}),
    ("sum-over-batch", "The losses of the batch are added up; their mean is asked for.", {"over_batch": lambda x: x.sum()}),
    ("unstable", "σ is taken first and then its ln: for large products σ is 0 and the loss is not finite. `F.logsigmoid` does both at once.", {"log": lambda x: torch.sigmoid(x).log()}),
    ("no-minus", "The sign of the loss is turned: making it smaller would make true pairs less likely.", {"minus": False}),
    ("no-true-pair", "The true pair is missing from the loss: everything would only be pushed apart.", {"true": False}),
    ("no-negatives", "The negatives are missing: all vectors alike and long would make this loss 0.", {"negatives": False}),
    ("against-context", "The negatives are multiplied with the context's vector; they are tried in the context's place, against the centre.", {"of": lambda c, u: u}),
    ("scaled", "The products are divided by √d: that is attention's, not word2vec's.", {"scale": 5**-0.5}),
    ("no-log", "σ is added up without its ln.", {"log": torch.sigmoid}),
])  # fmt: skip


@e.mistake(
    "softmax",
    "This is a softmax over the true word and its negatives (InfoNCE); here each product is a yes or no of its own.",
)
def _(centre, context, negatives):
    scores = torch.cat(
        [(centre * context).sum(-1, keepdim=True), (negatives @ centre[..., None])[..., 0]], -1
    )
    return -scores.log_softmax(-1)[:, 0].mean()


# ---- 7.4 thinning out --------------------------------------------------------------------------


def tally():
    return torch.tensor([60_000, 9_000, 800, 70, 3])


e = define(
    "7.4",
    keep_probability,
    "Thinning out frequent words",
    minutes=6,
    difficulty=1,
    parts=[
        ("five words, t = 0.001", 2, lambda f: f(tally(), 1e-3)),
        ("five words, t = 0.00002", 2, lambda f: f(tally(), 2e-5)),
        ("t = 0.4: nearly all are kept", 1, lambda f: f(tally(), 0.4)),
        ("without a threshold of one's own", 1, lambda f: f(tally())),
        ("a word that does not occur is kept", 1, lambda f: f(torch.tensor([5000, 0, 40]), 1e-4)),
    ],
    hints=[
        "A count means nothing by itself: how large a *share* of the text is a word? And a probability has an upper bound.",
        "With r = f/t the formula is (√r + 1) / r. For r = 0 that is ∞, and cut at 1 it is right: the word is kept.",
        "`ratio = counts.double() / counts.sum() / threshold`; `((ratio.sqrt() + 1) / ratio).clamp(max=1).float()`",
    ],
)  # fmt: skip


def keep_variant(formula, share=lambda c: c.double() / c.sum(), cut=True, says_dropped=False):
    def wrong(counts, threshold=1e-3):
        p = formula(share(counts) / threshold).nan_to_num(nan=1.0, posinf=float("inf"))
        p = p.clamp(max=1) if cut else torch.where(torch.isinf(p), torch.ones_like(p), p)
        return (1 - p if says_dropped else p).float()

    return wrong


def formula_of_c(r):
    return (r.sqrt() + 1) / r


every(e, keep_variant, [
    ("dropped", "These are the probabilities of being *dropped*; those of being kept are asked for.", {"formula": formula_of_c, "says_dropped": True}),
    ("of-the-paper", "This is the paper's √(t/f); what word2vec.c does, and the docstring asks for, is (√(f/t) + 1) · t/f.", {"formula": lambda r: r**-0.5}),
    ("counts", "Counts are put in place of shares: f is the count divided by the sum of all counts.", {"formula": formula_of_c, "share": lambda c: c.double()}),
    ("not-cut", "Some probabilities are above 1: cut them at 1.", {"formula": formula_of_c, "cut": False}),
    ("no-root", "The root is missing: it is (√(f/t) + 1) · t/f.", {"formula": lambda r: (r + 1) / r}),
    ("without-plus-one", "Without its + 1 the formula is the paper's; and a root is missing there: this is t/f.", {"formula": lambda r: 1 / r}),
    ("turned", "f and t have changed places: the more frequent a word, the more often it is kept here.", {"formula": lambda r: (r**-0.5 + 1) * r}),
    ("share-of-the-largest", "Counts are divided by the largest of them; a word's share is of the whole text.", {"formula": formula_of_c, "share": lambda c: c.double() / c.max()}),
])  # fmt: skip

# ---- 7.5 the gradient of CBOW ------------------------------------------------------------------


def around():
    present = torch.tensor([[True, True, True], [True, False, True], [False, True, False]])
    return randn(3, 3, 4), present, randn(3, 4, seed=1), randn(3, 2, 4, seed=2)


case = Case(around)
e = define(
    "7.5",
    cbow_gradient,
    "The gradient at each word around",
    minutes=15,
    difficulty=3,
    parts=[
        case.part("three, two and one words around", 3),
        case.part("all words there", change=lambda x, p, c, n: (x, torch.ones_like(p), c, n)),
        case.part("a single word around", change=lambda x, p, c, n: (x[:, :1], p[:, :1] | True, c, n)),
        case.part("one negative", change=lambda x, p, c, n: (x, p, c, n[:, :1])),
        case.kind(torch.float64),
    ],
    hints=[
        "Go back through the loss by the chain rule: first from each product to the mean, then from the mean to each of the n vectors it was made of.",
        "The derivative of -ln σ(x) is σ(x) - 1, that of -ln σ(-x) is σ(x). So the mean gets (σ(m·u) - 1) u + Σ σ(m·n) n. And a mean of n hands 1/n of that to each; nothing to those that were not there.",
        "`n = present.sum(-1, keepdim=True)`; `mean = (contexts * present[..., None]).sum(1) / n`; `pull = sigmoid(mean·centre) - 1`; `push = sigmoid(negatives @ mean)`; `to_mean = pull * centre + (push[:, None] @ negatives)[:, 0]`; return `(to_mean / n)[:, None] * present[..., None]`.",
    ],
)  # fmt: skip


def gradient_variant(
    times=lambda n: 1 / n,
    mean_of=lambda n: n,
    mask=True,
    pull=lambda s: s - 1,
    push=lambda s: s,
    last=False,
    out=True,
    sign=1.0,
):
    def wrong(contexts, present, centre, negatives):
        n = present.sum(-1, keepdim=True)
        mean = (contexts * present[..., None]).sum(1) / mean_of(n)
        p = pull(torch.sigmoid((mean * centre).sum(-1, keepdim=True)))
        q = push(torch.sigmoid((negatives @ mean[..., None])[..., 0]))
        to_mean = p * centre + ((q[:, None] @ negatives)[:, 0] if out else 0)
        each = sign * (to_mean * times(n))[:, None].expand_as(contexts)
        if last:
            places = torch.arange(present.shape[1])
            present = places == (places * present).argmax(-1, keepdim=True)
        return each * present[..., None] if mask else each.clone()

    return wrong


every(e, gradient_variant, [
    ("of-word2vec-c", "Each word gets the whole gradient of the mean, n times too much: this is what word2vec.c and gensim do. A mean of n hands 1/n to each.", {"times": lambda n: 1.0}),
    ("divided-twice", "The gradient is divided by n twice: the forward division is in the mean already, one more is due on the way back.", {"times": lambda n: 1 / n**2}),
    ("of-the-sum", "The vectors are added up and not averaged: the loss is that of their mean.", {"times": lambda n: 1.0, "mean_of": lambda n: 1}),
    ("last-only", "Only the last word around gets a gradient; each that is there gets a share.", {"last": True}),
    ("to-the-absent", "Places where no word stands get a gradient too.", {"mask": False}),
    ("no-minus-one", "The true word is pushed like a negative: its part is (σ - 1) times its vector.", {"pull": lambda s: s}),
    ("negatives-pulled", "The negatives are pulled: their part is σ times their vectors, not σ - 1.", {"push": lambda s: s - 1}),
    ("no-negatives", "The negatives' part is missing.", {"out": False}),
    ("downhill", "The sign is turned: this is the step, and not the gradient.", {"sign": -1.0}),
    ("absent-counted", "Absent places are counted in n: divide by how many are there.", {"mean_of": lambda n: 3, "times": lambda n: 1 / 3}),
])  # fmt: skip

# ---- 7.6 counting ------------------------------------------------------------------------------


def words() -> list[list[int]]:
    return [[0, 1, 2, 1, 3], [3], [2, 0, 0]]


e = define(
    "7.6",
    cooccurrence,
    "Counting company",
    minutes=10,
    difficulty=2,
    parts=[
        ("three sentences, window 3", 2, lambda f: f(words(), 4, 3)),
        ("window 1", 1, lambda f: f(words(), 4, 1)),
        ("a window wider than any sentence", 1, lambda f: f(words(), 4, 9)),
        ("a word that never occurs has a row of zeros", 1, lambda f: f([[4, 1, 1]], 6, 2)),
    ],
    hints=[
        "For each sentence and each pair of its places i < j that are not too far apart, something is added at two entries of the table. How much?",
        "At a distance of k = j - i add 1/k, to [word i, word j] and to [word j, word i]. A word that stands beside itself gets both at one entry.",
        "Loop over sentences, over i, over j from i + 1 to min(len, i + window + 1): `counts[a, b] += 1 / (j - i)`; `counts[b, a] += 1 / (j - i)`. Start from `torch.zeros(vocab_size, vocab_size)`.",
    ],
)  # fmt: skip


def count_variant(
    weight=lambda k: 1 / k, both=True, cross=False, diagonal=False, reach=lambda w: w, once=False, same=True
):
    def wrong(sentences, vocab_size, window):
        counts = torch.zeros(vocab_size, vocab_size)
        for s in [[x for line in sentences for x in line]] if cross else sentences:
            for i, a in enumerate(s):
                for j in range(i if diagonal else i + 1, min(len(s), i + reach(window) + 1)):
                    k, b = max(1, j - i), s[j]
                    if a == b and i != j and not same:
                        continue
                    counts[a, b] += weight(k)
                    if both and i != j and not (once and a == b):
                        counts[b, a] += weight(k)
        return counts

    return wrong


every(e, count_variant, [
    ("no-distance", "Near and far count alike: at a distance of k a pair counts 1/k.", {"weight": lambda k: 1.0}),
    ("one-sided", "Only the word to the right is counted: each is near the other, so the table is symmetric.", {"both": False}),
    ("across-sentences", "Pairs are counted across the borders of sentences.", {"cross": True}),
    ("with-itself", "Each place is counted as its own neighbour: begin at i + 1.", {"diagonal": True}),
    ("one-short", "The window is one too narrow: `range` stops before its end.", {"reach": lambda w: w - 1}),
    ("square", "A pair counts 1/k²; it is 1/k.", {"weight": lambda k: 1 / k**2}),
    ("linear", "A pair at a distance of k counts k: the further, the more. It is 1/k.", {"weight": lambda k: float(k)}),
    ("diagonal-once", "A word that stands near itself is counted once; each of the two places has the other near it.", {"once": True}),
    ("no-same-word", "A word near another place of itself is not counted.", {"same": False}),
])  # fmt: skip

# ---- 7.7 GloVe's loss --------------------------------------------------------------------------


def glove_inputs():
    counts = torch.tensor([3.0, 25.0, 0.0, 10.0, 0.7])
    return randn(5, 4), randn(5, 4, seed=1), randn(5, seed=2), randn(5, seed=3), counts


case = Case(glove_inputs)
without_zero = torch.tensor([0, 1, 3, 4])
e = define(
    "7.7",
    glove_loss,
    "GloVe's loss",
    minutes=12,
    difficulty=2,
    parts=[
        case.part("five pairs, one of them never seen", 2),
        case.part("pairs that were all seen", change=lambda *x: tuple(t[without_zero] for t in x)),
        case.part("x_max = 50", x_max=50.0),
        ("no pair at all was seen: 0", 1, lambda f: f(*glove_inputs()[:4], torch.zeros(5))),
        ("the gradients of vectors and biases", 1, lambda f: grads(f)),
    ],
    hints=[
        "Each pair has an error: what the vectors say, less the ln of the count. It is squared, and then weighed by how often the pair was seen.",
        "`glove_weight` gives f(x). ln 0 is -∞, and 0 · ∞ is no number, nor is its gradient: give `log` something harmless where the count is 0, and let the weight of 0 do the rest.",
        "`log = torch.where(counts > 0, counts, 1).log()`; `error = (words * contexts).sum(-1) + word_bias + context_bias - log`; `(glove_weight(counts, x_max) * error**2).sum()`",
    ],
)  # fmt: skip


def grads(f):
    given = [t.clone().requires_grad_() for t in glove_inputs()[:4]]
    out = f(*given, glove_inputs()[4])
    found = torch.autograd.grad(out, given, allow_unused=True)
    names = ("words", "contexts", "word_bias", "context_bias")
    return {f"the gradient at {name}": g for name, g in zip(names, found, strict=True)}


def glove_variant(log=lambda c: torch.where(c > 0, c, 1).log(), cap=True, power=0.75, biases=(1, 1), square=True,
                  mean=False, zeros=False, half=1.0, weigh_inside=False):  # fmt: skip
    def wrong(words, contexts, word_bias, context_bias, counts, x_max=10.0):
        f = counts / x_max
        f = (f.clamp(max=1) if cap else f) ** power
        f = torch.where(counts > 0, f, 1.0 if zeros else 0.0)
        error = (words * contexts).sum(-1) + biases[0] * word_bias + biases[1] * context_bias - log(counts)
        each = (f * error) ** 2 if weigh_inside else f * (error**2 if square else error.abs())
        return half * (each.mean() if mean else each.sum())

    return wrong


every(e, glove_variant, [
    ("log-1-plus", "The error is taken to ln(1 + x); GloVe's is to ln x.", {"log": lambda c: torch.log1p(c)}),
    ("not-capped", "f grows beyond 1 for counts above x_max: cut it at 1.", {"cap": False}),
    ("zeros-count", "Pairs that were never seen add to the loss: theirs is a weight of 0.", {"zeros": True}),
    ("no-biases", "Both biases are left out: frequent words would have to be long vectors.", {"biases": (0, 0)}),
    ("one-bias", "The bias of the context is left out.", {"biases": (1, 0)}),
    ("no-log", "The error is taken to the count itself; it is to its ln.", {"log": lambda c: c}),
    ("absolute", "The error is not squared.", {"square": False}),
    ("mean", "The mean over the pairs is taken; the loss is their sum.", {"mean": True}),
    ("linear-weight", "The weight is x / x_max without its power of ¾.", {"power": 1.0}),
    ("weight-squared", "The weight is inside the square: f(x) · error², not (f(x) · error)².", {"weigh_inside": True}),
    ("log-of-0", "ln 0 is taken where a pair was never seen, and 0 · ∞ is no number: give the log something harmless there.", {"log": torch.log}),
])  # fmt: skip

# ---- 7.8 analogies -----------------------------------------------------------------------------


def space():
    return randn(9, 5) * torch.tensor([[1.0], [4.0], [0.3], [2.0], [1.5], [0.8], [3.0], [0.5], [6.0]])


e = define(
    "7.8",
    analogy,
    "What is to c as b is to a",
    minutes=8,
    difficulty=2,
    parts=[
        ("words 3, 1 and 4", 2, lambda f: f(space(), 3, 1, 4)),
        ("the inputs left in", 1, lambda f: f(space(), 2, 8, 0, leave_out=False)),
        ("a and c are one word", 1, lambda f: f(space(), 5, 6, 5)),
        ("vectors of length 1 already", 1, lambda f: f(F.normalize(space(), dim=-1), 7, 0, 2)),
    ],
    hints=[
        "Which way does the arrow go? From a to b; and it is put at c. Then: which word points most in the direction where it ends?",
        "Make every vector length 1 before anything else (`F.normalize(..., dim=-1)`); the target is b - a + c, made length 1 as well; a cosine is then a product.",
        "`unit = F.normalize(vectors, dim=-1)`; `scores = unit @ F.normalize(unit[b] - unit[a] + unit[c], dim=-1)`; with `leave_out`, `scores[[a, b, c]] = -torch.inf`.",
    ],
)  # fmt: skip


def analogy_variant(target=lambda a, b, c: b - a + c, before=True, scale=True, hide="abc", measure="cosine"):
    def wrong(vectors, a, b, c, leave_out=True):
        unit = F.normalize(vectors, dim=-1)
        given = unit if before else vectors
        query = target(given[a], given[b], given[c])
        query = F.normalize(query, dim=-1) if scale else query
        scores = (
            -torch.linalg.vector_norm(unit - query, dim=-1)
            if measure == "distance"
            else (vectors if measure == "inner" else unit) @ query
        )
        out = {"a": a, "b": b, "c": c}
        hidden = torch.tensor([out[name] for name in hide], dtype=torch.long)
        return scores.index_fill(0, hidden, -torch.inf) if leave_out and len(hidden) else scores

    return wrong


every(e, analogy_variant, [
    ("inputs-in", "The inputs are not left out: most of the time the answer would be c itself.", {"hide": ""}),
    ("only-c-out", "Only c is left out; a and b can't be the answer either.", {"hide": "c"}),
    ("turned", "The arrow is turned round: this is a - b + c. From a to b is b - a.", {"target": lambda a, b, c: a - b + c}),
    ("minus-c", "This is b - c + a: a and c have changed places.", {"target": lambda a, b, c: b - c + a}),
    ("no-unit-length", "The vectors are added at their own lengths: frequent words would weigh more. Make them length 1 first.", {"before": False}),
    ("inner-product", "The words are compared by inner product, so long vectors win: take the cosine.", {"measure": "inner"}),
    ("distance", "The words are compared by distance; the cosine is asked for.", {"measure": "distance"}),
    ("not-scaled", "The order is right, but these are no cosines: the target has not been made length 1.", {"scale": False}),
    ("without-c", "c has no part in the target: this is where the arrow points, put nowhere.", {"target": lambda a, b, c: b - a}),
])  # fmt: skip

# ---- 7.9 learning merges -----------------------------------------------------------------------

SENNRICH = {"low": 5, "lower": 2, "newest": 6, "widest": 3}
e = define(
    "7.9",
    train_bpe,
    "Learning to merge",
    minutes=20,
    difficulty=3,
    parts=[
        ("low, lower, newest, widest: six merges", 2, lambda f: f(dict(SENNRICH), 6)),
        ("pairs that are equally frequent", 2, lambda f: f({"ba": 3, "ab": 3, "cab": 2, "bb": 3, "acb": 4}, 5)),
        ("aaaa and aaab", 1, lambda f: f({"aaaaa": 3, "aaab": 2, "baa": 4}, 4)),
        ("a symbol that a merge must not cut", 1, lambda f: f({"tall": 5, "ta": 9, "al": 4, "tal": 1, "all": 2}, 4)),
        ("words too rare for more merges", 1, lambda f: f({"abc": 2, "xyz": 1, "ab": 1}, 9)),
        ("none seen four times is merged", 1, lambda f: f({"abab": 2, "cd": 3, "ab": 1}, 9, least=5)),
    ],
    hints=[
        "Keep every word as a tuple of symbols with its count. Then, n_merges times: count all pairs, choose one, write it down with its count, and join it in every word.",
        "`count_pairs(words)`, `best_pair(pairs, ids)` and `merge_pair(word, pair)` do these steps. `ids` numbers the symbols: the sorted characters first, then each merge as it comes. Stop when no pair is left, or the best is seen less than `least` times.",
        "`words = Counter({tuple(w): n for w, n in counts.items()})`, `ids = {s: i for i, s in enumerate(sorted({c for w in counts for c in w} | set(alphabet)))}`; in the loop `merges.append(Merge(pair, pairs[pair]))`, `ids.setdefault(pair[0] + pair[1], len(ids))` and `words = Counter({merge_pair(w, pair): n for w, n in words.items()})`.",
    ],
)  # fmt: skip


def by_id(pairs, ids):
    return best_pair(pairs, ids)


def replaced(word, pair):
    """d2l's way: text is replaced, and a symbol's end can be taken for a symbol."""
    return tuple(" ".join(word).replace(" ".join(pair), "".join(pair)).split(" "))


def from_the_right(word, pair):
    turned = merge_pair(tuple(s for s in word[::-1]), pair[::-1])
    return tuple("".join(pair) if s == "".join(pair[::-1]) and len(s) > 1 else s for s in turned[::-1])


def first_only(word, pair):
    for i in range(len(word) - 1):
        if word[i : i + 2] == pair:
            return (*word[:i], word[i] + word[i + 1], *word[i + 2 :])
    return word


def once_a_word(words):
    pairs = Counter()
    for word, n in words.items():
        for pair in dict.fromkeys(pairwise(word)):
            pairs[pair] += n
    return pairs


def across(words):
    row = [s for word, n in words.items() for _ in range(n) for s in word]
    return Counter(pairwise(row))


def no_overlap(words):
    pairs = Counter()
    for word, n in words.items():
        last = None
        for pair in pairwise(word):
            if pair == last and pair[0] == pair[1]:
                last = None
                continue
            pairs[pair] += n
            last = pair
    return pairs


def train_variant(
    count=count_pairs,
    best=by_id,
    join=merge_pair,
    stop=lambda n, least: n < least,
    weights=lambda n: n,
    told=lambda n: n,
):
    def wrong(counts, n_merges, alphabet=(), least=2):
        words = [(tuple(w), weights(n)) for w, n in counts.items()]
        ids = {s: i for i, s in enumerate(sorted({c for w in counts for c in w} | set(alphabet)))}
        merges = []
        while len(merges) < n_merges:
            together = {}
            for word, n in words:
                together[word] = together.get(word, 0) + n
            pairs = count(together)
            if not pairs:
                break
            pair = best(pairs, ids)
            if stop(pairs[pair], least):
                break
            merges.append(Merge(pair, told(pairs[pair])))
            ids.setdefault(pair[0] + pair[1], len(ids))
            words = [(join(word, pair), n) for word, n in words]
            for symbol in (s for word, _ in words for s in word):  # a wrong join makes others
                ids.setdefault(symbol, len(ids))
        return merges

    return wrong


every(e, train_variant, [
    ("first-seen", "Of pairs that are equally frequent the first seen is taken (as minbpe does); here it is the one with the smallest ids.", {"best": lambda pairs, ids: max(pairs, key=pairs.get)}),
    ("by-letters", "Of pairs that are equally frequent the first in the alphabet is taken; ids decide, and a merged symbol's id is larger than any character's.", {"best": lambda pairs, ids: min(pairs, key=lambda p: (-pairs[p], p))}),
    ("largest-ids", "Of pairs that are equally frequent the one with the largest ids is taken; it is the smallest.", {"best": lambda pairs, ids: max(pairs, key=lambda p: (pairs[p], ids[p[0]], ids[p[1]]))}),
    ("types", "Every word counts once, however often it occurs: a pair's count is over the whole text.", {"weights": lambda n: 1, "stop": lambda n, least: False}),
    ("once-a-word", "A pair that stands twice in a word is counted once.", {"count": once_a_word}),
    ("no-overlap", "In aaa the pair (a, a) is counted once; it stands there twice, and the library counts it so.", {"count": no_overlap}),
    ("across-words", "Pairs are counted across the borders of words.", {"count": across}),
    ("by-replacing", "Symbols are joined by replacing text, which also cuts symbols: in “ta l l” the pair (a, l) does not stand.", {"join": replaced}),
    ("right-to-left", "Overlapping pairs are joined from the right: aaa becomes a aa. It is aa a.", {"join": from_the_right}),
    ("first-place-only", "Only the first place of the pair in each word is joined.", {"join": first_only}),
    ("no-least", "Merging goes on with pairs that were seen less than `least` times.", {"stop": lambda n, least: False}),
    ("more-than-least", "A pair seen exactly `least` times is not merged any more; it should be.", {"stop": lambda n, least: n <= least}),
])  # fmt: skip

# ---- 7.10 applying merges ----------------------------------------------------------------------

MERGES = [
    ("e", "s"),
    ("es", "t"),
    ("l", "o"),
    ("lo", "w"),
    ("n", "e"),
    ("w", "est"),
    ("ne", "w"),
    ("t", "e"),
    ("o", "w"),
    ("a", "a"),
    ("aa", "a"),
]


def ranks():
    return ranks_of(MERGES)


e = define(
    "7.10",
    bpe_encode,
    "Cutting a new word",
    minutes=12,
    difficulty=2,
    parts=[
        ("lowest", 1, lambda f: f("lowest", ranks())),
        ("newest: two merges want the same w", 2, lambda f: f("newest", ranks())),
        ("esteste: places of one pair", 1, lambda f: f("esteste", ranks())),
        ("aaaaa: overlaps", 1, lambda f: f("aaaaa", ranks())),
        ("slow: the first merge learned is not there", 1, lambda f: f("slow", ranks())),
        ("towne and lownes", 1, lambda f: [f("towne", ranks()), f("lownes", ranks())]),
        ("newnes: one pair stands twice", 1, lambda f: f("newnes", ranks())),
        ("a word of one letter, and none", 1, lambda f: [f("x", ranks()), f("", ranks())]),
    ],
    hints=[
        "Begin with the letters. Which pairs of neighbours are merges at all? Of these, which was learned first? Join it. Then look again: new pairs have come up.",
        "`ranks[pair]` is the place of a merge, small for early ones; a pair that is no merge has none. Stop when no pair of neighbours has one.",
        "While there are two symbols or more: `pair = min(zip(symbols, symbols[1:]), key=lambda p: ranks.get(p, len(ranks)))`; if it is not in ranks, stop; else `symbols = merge_pair(symbols, pair)`.",
    ],
)  # fmt: skip


def encode_variant(choose=min, join=merge_pair, rounds=10**9):
    def wrong(word, ranks):
        symbols = tuple(word)
        for _ in range(rounds):
            known = [p for p in pairwise(symbols) if p in ranks]
            if not known:
                break
            symbols = join(symbols, choose(known, key=lambda p: ranks[p]))
        return list(symbols)

    return wrong


every(e, encode_variant, [
    ("first-place", "The leftmost pair that is a merge is joined; it is the one that was *learned* first, wherever it stands.", {"choose": lambda known, key: known[0]}),
    ("last-place", "The rightmost pair that is a merge is joined; it is the one that was *learned* first, wherever it stands.", {"choose": lambda known, key: known[-1]}),
    ("latest-first", "The merge that was learned last is joined first; it is the other way round.", {"choose": max}),
    ("once", "One merge is made, and then no more: look again until no pair is left that is a merge.", {"rounds": 1}),
    ("right-to-left", "Overlapping pairs are joined from the right; it is from the left.", {"join": from_the_right}),
    ("most-frequent-here", "The pair that is most frequent in *this* word is joined first; frequency counted in training, here the order learned then decides.", {"choose": lambda known, key: max(known, key=lambda p: (known.count(p), -key(p)))}),
])  # fmt: skip


@e.mistake(
    "longest-match",
    "From the left the longest known symbol is taken: that is WordPiece's way. BPE makes its merges in the order learned.",
)
def _(word, ranks):
    known = {a + b for a, b in ranks}
    found, start = [], 0
    while start < len(word):
        end = next((end for end in range(len(word), start + 1, -1) if word[start:end] in known), start + 1)
        found.append(word[start:end])
        start = end
    return found


@e.mistake(
    "stops-at-a-gap",
    "It goes through the merges in order and stops at the first that the word has not: go on to the next.",
)
def _(word, ranks):
    symbols = tuple(word)
    for pair in ranks:
        if pair not in pairwise(symbols):
            break
        symbols = merge_pair(symbols, pair)
    return list(symbols)


# ---- 7.11 WordPiece ----------------------------------------------------------------------------

PIECES = frozenset(
    {
        "un",
        "una",
        "u",
        "##aff",
        "##able",
        "##ab",
        "##le",
        "##a",
        "##f",
        "##ff",
        "##fa",
        "##b",
        "##l",
        "##e",
        "able",
        "a",
        "aff",
        "##n",
        "x",
        "##abl",
    }
)
e = define(
    "7.11",
    longest_pieces,
    "WordPiece's cut",
    minutes=10,
    difficulty=2,
    parts=[
        ("unaffable", 2, lambda f: f("unaffable", PIECES)),
        ("able: a whole word", 1, lambda f: f("able", PIECES)),
        ("aable", 1, lambda f: f("aable", PIECES)),
        ("unaff: a long first piece that leads nowhere", 1, lambda f: f("unaff", PIECES - {"##f", "##ff", "##fa"})),
        ("unzaff: a letter that no piece has", 1, lambda f: f("unzaff", PIECES)),
        ("zun", 1, lambda f: f("zun", PIECES)),
        ("a word longer than allowed", 1, lambda f: f("aable", PIECES, most=4)),
        ("a name of one's own for the unknown", 1, lambda f: f("aq", PIECES, unknown="<?>")),
    ],
    hints=[
        "Stand at the start of the word. Try the whole rest as a piece; if the vocabulary has it not, try one letter less; and so on. When one is found, go on behind it.",
        "Every piece but the first is looked up with ## before it. Where not even one letter is found, give up the whole word: the answer is one [UNK].",
        "`prefix = '##' if start else ''`; `end = next((end for end in range(len(word), start, -1) if prefix + word[start:end] in vocabulary), None)`; if it is None return `[unknown]`; else append the piece and go on with `start = end`. First of all: longer than `most` is `[unknown]`.",
    ],
)  # fmt: skip


def pieces_variant(
    prefix=lambda start: "##" if start else "",
    ends=lambda n, start: range(n, start, -1),
    lost="word",
    limit=True,
):
    def wrong(word, vocabulary, unknown="[UNK]", most=100):
        if limit and len(word) > most:
            return [unknown]
        pieces, start = [], 0
        while start < len(word):
            end = next(
                (end for end in ends(len(word), start) if prefix(start) + word[start:end] in vocabulary), None
            )
            if end is None and lost == "word":
                return [unknown]
            if end is None and lost == "rest":
                return [*pieces, unknown]
            pieces.append(unknown if end is None else prefix(start) + word[start:end])
            start = start + 1 if end is None else end
        return pieces

    return wrong


every(e, pieces_variant, [
    ("no-hashes", "Pieces inside a word are looked up without ##: “able” and “##able” are two pieces.", {"prefix": lambda start: ""}),
    ("hashes-everywhere", "The first piece is looked up with ## too; only those that go on with a word have it.", {"prefix": lambda start: "##"}),
    ("shortest-first", "The shortest piece is taken; it is the longest.", {"ends": lambda n, start: range(start + 1, n + 1)}),
    ("unknown-a-letter", "A letter that no piece has becomes [UNK] and the rest is cut all the same; one such letter makes the *whole* word [UNK].", {"lost": "letter"}),
    ("unknown-rest", "The pieces found before the unknown place are kept; the whole word is one [UNK].", {"lost": "rest"}),
    ("no-limit", "A word of more than `most` characters is cut all the same; it is [UNK].", {"limit": False}),
])  # fmt: skip


@e.mistake(
    "backtracks",
    "Where the longest piece leads nowhere a shorter one is tried. That finds more, but it is not BERT's way: a choice once made is not taken back.",
)
def _(word, vocabulary, unknown="[UNK]", most=100):
    def cut(start):
        if start == len(word):
            return []
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocabulary and (rest := cut(end)) is not None:
                return [piece, *rest]
        return None

    return [unknown] if len(word) > most else (cut(0) or [unknown])


@e.mistake(
    "from-the-right", "The longest piece is looked for from the end of the word; it is from the start."
)
def _(word, vocabulary, unknown="[UNK]", most=100):
    pieces, end = [], len(word)
    while end > 0 and len(word) <= most:
        start = next((s for s in range(end) if ("##" if s else "") + word[s:end] in vocabulary), None)
        if start is None:
            return [unknown]
        pieces.insert(0, ("##" if start else "") + word[start:end])
        end = start
    return pieces or [unknown]
