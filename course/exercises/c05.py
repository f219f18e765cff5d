"""The exercises of notebook 05: the Transformer."""

import math

import torch

from course.blocks import DecoderBlock, layer_norm, residual
from course.exercises.inputs import randn, with_fixed_weights
from course.masks import causal_mask, padding_mask
from course.models.transformer import label_smoothed_loss, teacher_forcing
from course.text.decoding import Hypothesis, continuations, greedy_search, length_penalty, rank
from course.workbook.record import define

# ---- 5.1 the residual connection ---------------------------------------------------------------


def sublayer(x: torch.Tensor) -> torch.Tensor:
    return torch.tanh(x @ randn(4, 4, seed=1)) + 0.5


def norm(x: torch.Tensor) -> torch.Tensor:
    return layer_norm(x, 1 + randn(4, seed=2).abs(), randn(4, seed=3))


e = define(
    "5.1",
    residual,
    "Around a sublayer",
    minutes=6,
    difficulty=1,
    parts=[
        ("post-norm, the paper's order", 1, lambda f: f(randn(3, 4), sublayer, norm, pre=False)),
        ("pre-norm", 1, lambda f: f(randn(3, 4), sublayer, norm, pre=True)),
        ("a batch", 1, lambda f: f(randn(2, 3, 4), sublayer, norm, pre=True)),
    ],
    hints=[
        "`sublayer` and `norm` are functions: call them. Two places are to be decided, what the norm is put on and what is added to"
        " the sublayer's output; the docstring gives both formulas.",
        "Post: first the sum, then the norm around all of it. Pre: the norm only on what the sublayer is given; what is added is x"
        " itself, untouched.",
        "`return x + sublayer(norm(x)) if pre else norm(x + sublayer(x))`",
    ],
)

for name, says, post, pre in [
    ("no-residual", "Nothing is added: the sublayer's output takes the place of x, and x is lost.",
     lambda x, f, n: n(f(x)), lambda x, f, n: f(n(x))),
    ("no-norm", "The norm is not used.", lambda x, f, n: x + f(x), lambda x, f, n: x + f(x)),
    ("always-post", "The norm always comes after the sum; with pre=True it comes before the sublayer.",
     lambda x, f, n: n(x + f(x)), lambda x, f, n: n(x + f(x))),
    ("always-pre", "The norm always comes before the sublayer; with pre=False, the paper's order, it comes after the sum.",
     lambda x, f, n: x + f(n(x)), lambda x, f, n: x + f(n(x))),
    ("turned-round", "Pre and post are mixed up: pre=True puts the norm before the sublayer, pre=False after the sum.",
     lambda x, f, n: x + f(n(x)), lambda x, f, n: n(x + f(x))),
    ("normed-added", "For pre-norm the normalised vector is added; the residual carries x itself, which keeps its way clear: x + f(norm(x)).",
     lambda x, f, n: n(x + f(x)), lambda x, f, n: n(x) + f(n(x))),
    ("norm-on-the-output", "The norm is put on the sublayer's output alone; post-norm normalises the sum.",
     lambda x, f, n: x + n(f(x)), lambda x, f, n: x + f(n(x))),
    ("both", "For pre-norm there is a second norm, after the sum; one, before the sublayer, is all there is.",
     lambda x, f, n: n(x + f(x)), lambda x, f, n: n(x + f(n(x)))),
    ("subtracted", "The sublayer's output is subtracted; it is added.", lambda x, f, n: n(x - f(x)), lambda x, f, n: x - f(n(x))),
]:  # fmt: skip
    e.mistake(name, says)(
        lambda x, sublayer, norm, *, pre, yes=pre, no=post: (yes if pre else no)(x, sublayer, norm)
    )


# ---- 5.2 the decoder block ---------------------------------------------------------------------


def same_weights(cls, norm: str = "post"):
    return with_fixed_weights(cls, DecoderBlock, 8, 2, 16, norm=norm, spread=0.3)


def written(n: int = 4) -> torch.Tensor:
    return randn(2, n, 8)


def memory(n: int = 4) -> torch.Tensor:
    return randn(2, n, 8, seed=1)


def decoder_gradients(cls) -> dict:
    block, read = same_weights(cls), memory(6).requires_grad_()
    block(written(), read.clone(), causal_mask(4), padding_mask([6, 3], 6)).square().sum().backward()
    return {"memory": read.grad} | {name: p.grad for name, p in block.named_parameters()}


e = define(
    "5.2",
    DecoderBlock,
    "The decoder block",
    minutes=18,
    difficulty=3,
    blank=("forward",),
    parts=[
        ("the paper's order (post-norm)", 2, lambda cls: same_weights(cls)(written(), memory())),
        ("pre-norm", 1, lambda cls: same_weights(cls, "pre")(written(), memory())),
        ("with a causal mask on what is written", 1, lambda cls: same_weights(cls)(written(), memory(), causal_mask(4))),
        ("with padding in the source", 1,
         lambda cls: same_weights(cls)(written(), memory(), memory_mask=padding_mask([4, 2], 4))),
        ("a source longer than the target", 1, lambda cls: same_weights(cls)(written(), memory(6), causal_mask(4))),
        ("every gradient, the memory's too", 1, decoder_gradients),
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


def decoder_variant(
    order="acf", norms=(1, 2, 3), add="acf", pre=None, own="mask", other="memory_mask", cross=None
):
    """A decoder block with something changed: ``cross(block, y, x, memory, mask)`` is the middle sublayer."""

    def ask_memory(block, y, x, memory, mask):
        return block.cross_attention(y, memory, mask=mask)[0]

    class Wrong(DecoderBlock):
        def forward(self, x, memory, mask=None, memory_mask=None):
            masks = {"mask": mask, "memory_mask": memory_mask, "none": None}
            by_number = {1: self.norm1, 2: self.norm2, 3: self.norm3}
            where = self.pre if pre is None else pre
            for name, number in zip(order, norms, strict=True):
                before, n = x, by_number[number]
                sublayers = {
                    "a": lambda y: self.self_attention(y, mask=masks[own])[0],
                    "c": lambda y, before=before: (cross or ask_memory)(
                        self, y, before, memory, masks[other]
                    ),
                    "f": self.feed_forward,
                }
                f = sublayers[name]
                x = residual(x, f, n, pre=where) if name in add else (f(n(x)) if where else n(f(x)))
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
     {"cross": lambda b, y, x, m, mask: b.cross_attention(y, mask=mask)[0]}),
    ("same-attention", "The self-attention's weights are used again for the cross-attention; it has its own, self.cross_attention.",
     {"cross": lambda b, y, x, m, mask: b.self_attention(y, m, mask=mask)[0]}),
    ("memory-mask-ignored", "The source's mask is not passed to the cross-attention: the decoder looks at padding.", {"other": "none"}),
    ("causal-ignored", "The mask is not passed to the self-attention: the decoder sees what it has yet to write.", {"own": "none"}),
    ("masks-swapped", "The two masks are swapped: `mask` is for what is written, `memory_mask` for the memory.",
     {"own": "memory_mask", "other": "mask"}),
    ("cross-first", "The cross-attention comes before the self-attention; the order is self-attention, cross-attention, feed-forward.",
     {"order": "caf"}),
    ("cross-last", "The cross-attention comes after the feed-forward network; the order is self-attention, cross-attention, feed-forward.",
     {"order": "afc"}),
    ("no-cross", "The cross-attention is missing: this is an encoder block, which never sees the source.",
     {"order": "af", "norms": (1, 3)}),
    ("no-feed-forward", "The feed-forward network is missing.", {"order": "ac", "norms": (1, 2)}),
    ("cross-not-added", "The residual connection around the cross-attention is missing: what was written is lost.", {"add": "af"}),
    ("norms-swapped", "norm2 and norm3 are swapped: norm2 belongs to the cross-attention, norm3 to the feed-forward network.",
     {"norms": (1, 3, 2)}),
    ("same-norm", "norm2 is used twice; the feed-forward network has its own, norm3.", {"norms": (1, 2, 2)}),
    ("always-post", "The norm always comes after the sum; for norm=\"pre\" (self.pre) it comes before the sublayer.", {"pre": False}),
    ("always-pre", "The norm always comes before the sublayer; the paper's order (self.pre is False) has it after the sum.", {"pre": True}),
    ("memory-normed", "The memory is normalised again, with norm2; it comes as the encoder made it, and norm2 is for x alone.",
     {"cross": lambda b, y, x, m, mask: b.cross_attention(y, b.norm2(m), mask=mask)[0]}),
]:  # fmt: skip
    e.mistake(name, says)(decoder_variant(**flags))


# ---- 5.3 teacher forcing -----------------------------------------------------------------------


def some_targets() -> torch.Tensor:
    """Three targets: <bos> 1, tokens, <eos> 2, padding 0."""
    return torch.tensor([[1, 7, 5, 9, 2], [1, 6, 2, 0, 0], [1, 8, 4, 2, 0]])


e = define(
    "5.3",
    teacher_forcing,
    "What goes in, what should come out",
    minutes=5,
    difficulty=1,
    parts=[
        ("one sentence", 1, lambda f: f(some_targets()[:1])),
        ("three sentences with padding", 1, lambda f: f(some_targets())),
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
    ("labels-whole", "The labels still begin with <bos>, which is given and never asked for.", lambda target: (target[:, :-1], target)),
    ("inputs-whole", "The inputs still end with the last token, behind which there is nothing to ask for.",
     lambda target: (target, target[:, 1:])),
    ("turned-round", "Inputs and labels are turned round: the decoder is given the next token and asked for the one before.",
     lambda target: (target[:, 1:], target[:, :-1])),
    ("two-ahead", "The labels are two tokens on; the decoder is asked for the very next.", lambda target: (target[:, :-2], target[:, 2:])),
    ("rolled", "The target is rolled round, so that its last token stands at the front; <bos> is there already.",
     lambda target: (target.roll(1, dims=-1), target)),
    ("sentences", "The batch is sliced, not the sentences: tokens are the second dimension.", lambda target: (target[:-1], target[1:])),
]:  # fmt: skip
    e.mistake(name, says)(wrong)


# ---- 5.4 label smoothing -----------------------------------------------------------------------


def some_logits(*batch: int) -> torch.Tensor:
    return 2 * randn(*batch, 7)


def some_labels() -> torch.Tensor:
    return torch.tensor([[3, 5, 6, 2], [4, 2, 0, 0]])


def gradient_of_logits(f) -> torch.Tensor:
    logits = some_logits(2, 4).requires_grad_()
    f(logits.clone(), some_labels(), 0.1).backward()
    return logits.grad


e = define(
    "5.4",
    label_smoothed_loss,
    "Label smoothing",
    minutes=12,
    difficulty=2,
    parts=[
        ("no smoothing: the plain cross-entropy", 1, lambda f: f(some_logits(4), some_labels()[0])),
        ("ε = 0.1", 1, lambda f: f(some_logits(4), some_labels()[0], 0.1)),
        ("a batch with padding", 2, lambda f: f(some_logits(2, 4), some_labels(), 0.1)),
        ("another token as padding", 1, lambda f: f(some_logits(2, 4), some_labels(), 0.1, padding=2)),
        ("the gradient: zero where there is padding", 1, gradient_of_logits),
    ],
    hints=[
        "Three steps: ln p of every token (`log_softmax`), the loss of each place, and a mean over the places that count. Which places"
        " have nothing to learn from?",
        "`log_p.gather(-1, labels.unsqueeze(-1)).squeeze(-1)` picks ln p of each label. The second term is the mean of ln p over the"
        " whole vocabulary. Each has its share, 1 − ε and ε, and both a minus sign.",
        "`loss = -(1 - smoothing) * of_label - smoothing * log_p.mean(dim=-1)`, then `return loss[labels != padding].mean()`.",
    ],
)


def smoothing_variant(
    share=lambda s: 1 - s,
    spread=None,
    of=lambda z: z.log_softmax(-1),
    over="real",
    sign=-1,
    padding_used=True,
):
    """``spread(log_p, of_label, smoothing)`` is the second term; ``over`` says what the mean runs over."""
    spread = spread or (lambda log_p, of_label, s: s * log_p.mean(-1))

    def wrong(logits, labels, smoothing=0.0, padding=0):
        log_p = of(logits)
        of_label = log_p.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
        loss = sign * (share(smoothing) * of_label + spread(log_p, of_label, smoothing))
        real = labels != (padding if padding_used else 0)
        return {
            "real": lambda: loss[real].mean(),
            "all": lambda: loss.mean(),
            "real sum, all count": lambda: (loss * real).mean(),
            "sum": lambda: loss[real].sum(),
            "sentences": lambda: ((loss * real).sum(-1) / real.sum(-1)).mean(),
        }[over]()

    return wrong


for name, says, flags in [
    ("counts-padding", "Padding is counted: the model is taught to predict <pad>, and the mean runs over places that hold nothing.",
     {"over": "all"}),
    ("divides-by-all", "The losses of padding are left out of the sum, but its places are counted in the mean: a batch with much padding seems easier.",
     {"over": "real sum, all count"}),
    ("sum", "The losses are summed; take their mean, so that a long batch does not count for more.", {"over": "sum"}),
    ("mean-of-sentences", "Each sentence is averaged first: a token of a short sentence then counts for more. The mean runs over all tokens.",
     {"over": "sentences"}),
    ("padding-hard-coded", "The padding that the caller names is not used.", {"padding_used": False}),
    ("no-smoothing", "The smoothing is not used.", {"share": lambda s: 1, "spread": lambda l, o, s: 0}),
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
    ("log-of-mean", "The logarithm is taken of the mean probability, which is 1 / vocabulary whatever the model says; it is the mean of the logarithms.",
     {"spread": lambda l, o, s: -s * math.log(l.shape[-1])}),
    ("sign", "The sign is missing: ln p is negative, and a loss is its opposite.", {"sign": 1}),
]:  # fmt: skip
    e.mistake(name, says)(smoothing_variant(**flags))


# ---- 5.5 greedy search -------------------------------------------------------------------------

START, END, VOCABULARY = 1, 2, 6


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


e = define(
    "5.5",
    greedy_search,
    "Greedy search",
    minutes=18,
    difficulty=3,
    parts=[
        ("four sentences", 2, lambda f: f(chain(4, seed=7), 4, START, END, 12)),
        ("one sentence", 1, lambda f: f(chain(1, seed=7), 1, START, END, 12)),
        ("one that never ends: cut off", 1, lambda f: f(chain(2, seed=1, may_end=False), 2, START, END, 5)),
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
        " `Hypothesis(ids, log_p.item(), ended=eos in ids)`.",
    ],
)  # fmt: skip


def greedy_variant(
    choose=lambda log_p: log_p.max(-1),
    feed_own=True,
    stop="all",
    cut=1,
    count="going",
    first=(),
    parents=None,
    limit=0,
):
    def wrong(step, sentences, bos, eos, max_length):
        token, rows = torch.full((sentences,), bos), torch.arange(sentences)
        going, total, lines = torch.ones(sentences, dtype=torch.bool), torch.zeros(sentences), []
        while len(lines) < max_length - limit and (
            going.all() if stop == "any" else stop == "never" or going.any()
        ):
            best, chosen = choose(step(token, rows if parents is None else parents(rows)))
            total = total + (best * going if count == "going" else best)
            going = going & (chosen != eos)
            lines.append(chosen)
            token = chosen if feed_own else token
        found = []
        for ids, log_p in zip(torch.stack(lines, -1).tolist(), total.tolist(), strict=True):
            ended = eos in ids and cut is not None
            ids = ids[: ids.index(eos) + cut] if ended else ids
            found.append(Hypothesis([*first, *ids], log_p, ended))
        return found

    return wrong


def drawn(log_p: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    token = torch.multinomial(log_p.exp(), 1)
    return log_p.gather(-1, token).squeeze(-1), token.squeeze(-1)


for name, says, flags in [
    ("ignores-eos", "<eos> is ignored: the search writes on behind it, up to max_length, and never says that a sentence has ended.",
     {"stop": "never", "cut": None, "count": "all"}),
    ("not-cut", "What is written behind <eos>, while other sentences go on, is kept: cut each sentence off at its <eos>.", {"cut": None}),
    ("drops-eos", "<eos> is cut off too; a hypothesis that ended includes it, for its probability is counted.", {"cut": 0}),
    ("stops-at-first", "The search stops as soon as one sentence has ended; the others had more to say.", {"stop": "any"}),
    ("counts-behind", "The log-probability counts tokens behind <eos>, written while other sentences went on.", {"count": "all"}),
    ("only-bos", "Every step is given <bos> again; it must be given the token just written.", {"feed_own": False}),
    ("least", "The least likely token is taken.", {"choose": lambda log_p: log_p.min(-1)}),
    ("sampled", "The token is drawn at random; greedy search takes the likeliest.", {"choose": drawn}),
    ("includes-bos", "<bos> is among the ids; it was given, not written.", {"first": (START,)}),
    ("one-row", "Every row goes on from row 0 and becomes the first sentence; row r goes on from row r.", {"parents": torch.zeros_like}),
    ("one-too-few", "Off by one: max_length is the number of tokens that may be written, <bos> not counted.", {"limit": 1}),
]:  # fmt: skip
    e.mistake(name, says)(greedy_variant(**flags))


# ---- 5.6 a step of beam search -----------------------------------------------------------------


def beginnings(sentences: int, beam: int, vocabulary: int = 7) -> tuple[torch.Tensor, torch.Tensor]:
    return -3 * randn(sentences, beam).abs(), (2 * randn(sentences, beam, vocabulary, seed=1)).log_softmax(-1)


def only_one_beginning() -> tuple[torch.Tensor, torch.Tensor]:
    _, following = beginnings(1, 3)
    return torch.tensor([[0.0, -torch.inf, -torch.inf]]), following


e = define(
    "5.6",
    continuations,
    "A step of beam search",
    minutes=12,
    difficulty=2,
    parts=[
        ("one sentence, three beginnings, three to keep", 1, lambda f: f(*beginnings(1, 3), 3)),
        ("two sentences, four beginnings, six to keep", 2, lambda f: f(*beginnings(2, 4), 6)),
        ("the first step: one beginning counts", 1, lambda f: f(*only_one_beginning(), 3)),
    ],
    hints=[
        "Each of the beginnings could go on with each token of the vocabulary: how many candidates are that for one sentence? What is"
        " ln P of a beginning *and* its next token?",
        "ln P adds up: `total = log_p[..., None] + following`, `[sentences, beam, vocabulary]`. All candidates of a sentence compete, so"
        " flatten the last two dimensions and take `topk(k)`. Its index counts through beginning after beginning.",
        "`best, index = total.flatten(1).topk(k)`; with v = the size of the vocabulary, `index // v` is the beginning and `index % v`"
        " the token.",
    ],
)


def step_variant(total=lambda log_p, following: log_p[..., None] + following, largest=True, parts=None):
    parts = parts or (lambda index, beam, vocabulary: (index // vocabulary, index % vocabulary))

    def wrong(log_p, following, k):
        best, index = total(log_p, following).flatten(1).topk(k, largest=largest)
        return best, *parts(index, *following.shape[1:])

    return wrong


for name, says, flags in [
    ("forgets", "The beginnings' own ln P is not added: the search forgets how likely the sentence was so far.",
     {"total": lambda log_p, following: following}),
    ("multiplied", "The log-probabilities are multiplied; probabilities are multiplied, their logarithms are added.",
     {"total": lambda log_p, following: log_p[..., None] * following}),
    ("probabilities-added", "Probabilities are added; P of both is their product, so their logarithms are added.",
     {"total": lambda log_p, following: log_p[..., None].exp() + following.exp()}),
    ("worst", "The least likely are kept.", {"largest": False}),
    ("parts-swapped", "Quotient and remainder are swapped: with the vocabulary's size, // gives the beginning and % the token.",
     {"parts": lambda index, beam, v: (index % v, index // v)}),
    ("by-beam", "The index is divided by the number of beginnings; it counts the whole vocabulary of the first beginning, then the next, so divide by the vocabulary's size.",
     {"parts": lambda index, beam, v: (index // beam, index % beam)}),
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


# ---- 5.7 which hypothesis is best --------------------------------------------------------------


LENGTHS = ((4, -1.2), (2, -2.6), (6, -2.9), (14, -2.3), (7, -6.2))


def some_hypotheses() -> list[Hypothesis]:
    """In no order; each way to rank them gives another one."""
    return [Hypothesis([3] * (n - 1) + [END], log_p, True) for n, log_p in LENGTHS]


e = define(
    "5.7",
    rank,
    "Which one is best",
    minutes=6,
    difficulty=1,
    parts=[
        ("the paper's α = 0.6", 1, lambda f: f(some_hypotheses(), 0.6)),
        ("α = 0: no penalty", 1, lambda f: f(some_hypotheses(), 0.0)),
        ("α = 1", 1, lambda f: f(some_hypotheses(), 1.0)),
    ],
    hints=[
        "Each further token makes ln P smaller (more negative). Should a hypothesis of nine tokens lose to one of two for that alone?"
        " `length_penalty(length, alpha)` makes up for it: is ln P multiplied by it, or divided?",
        "ln P is negative: dividing it by a penalty greater than 1 brings it closer to 0, so it helps the long. The score is"
        " `h.log_p / length_penalty(len(h.ids), alpha)`; the largest is the best.",
        "`return sorted(hypotheses, key=lambda h: -h.log_p / length_penalty(len(h.ids), alpha))`",
    ],
)

for name, says, key in [
    ("no-penalty", "The length penalty is not used: ln P is a sum over tokens, so the shortest hypothesis wins.",
     lambda h, alpha: h.log_p),
    ("multiplied", "ln P is multiplied by the penalty, which punishes length twice; it is divided by it.",
     lambda h, alpha: h.log_p * length_penalty(len(h.ids), alpha)),
    ("worst-first", "The worst comes first.", lambda h, alpha: -h.log_p / length_penalty(len(h.ids), alpha)),
    ("mean", "ln P is divided by the length itself, whatever α says; divide by length_penalty(length, alpha).",
     lambda h, alpha: h.log_p / len(h.ids)),
    ("alpha-ignored", "α is not used.", lambda h, alpha: h.log_p / length_penalty(len(h.ids), 1.0)),
    ("probability", "The probability is divided by the penalty, which favours the short; it is the logarithm that is divided.",
     lambda h, alpha: math.exp(h.log_p) / length_penalty(len(h.ids), alpha)),
    ("longest", "The hypotheses are ranked by length alone.", lambda h, alpha: len(h.ids)),
]:  # fmt: skip
    e.mistake(name, says)(lambda hypotheses, alpha, key=key: sorted(hypotheses, key=lambda h: -key(h, alpha)))
