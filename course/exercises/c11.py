"""The exercises of notebook 11: fine-tuning, and after BERT."""

import math

import torch

from course.exercises.inputs import randn, with_fixed_weights
from course.masking import IGNORED
from course.models.bert import Bert, BertConfig
from course.models.bert_heads import BertForSequenceClassification
from course.models.deberta import disentangled_score, relative_distances
from course.models.electra import replace_tokens
from course.studies.downstream import best_span, first_piece_labels
from course.studies.fine_tuning import freeze_encoder
from course.studies.metrics import Score, answer_f1, entities, entity_scores, normalise_answer
from course.workbook.record import define

SIZES = BertConfig(20, d_model=8, n_heads=2, d_ff=16, n_layers=2, max_length=12, dropout=0.0)

# ---- 11.1 which token speaks for the text --------------------------------------------------------


def same_bert(cls) -> Bert:
    return with_fixed_weights(cls, Bert, SIZES)


e = define(
    "11.1",
    Bert,
    "One vector for a whole text",
    minutes=5,
    difficulty=1,
    blank=("pool",),
    parts=[
        ("two texts of five tokens", 2, lambda cls: same_bert(cls).pool(randn(2, 5, 8)).detach()),
        ("one text", 1, lambda cls: same_bert(cls).pool(randn(1, 3, 8)).detach()),
        ("large numbers", 1, lambda cls: same_bert(cls).pool(100 * randn(2, 4, 8)).detach()),
    ],
    hints=[
        "Every token has attended to every other, so any of them could speak for the text. BERT has put one in front for just this.",
        "`x[:, 0]` is what became of [CLS], one vector a text. It goes through the linear map `self.pooler`, and then through tanh.",
        "`return torch.tanh(self.pooler(x[:, 0]))`",
    ],
)  # fmt: skip


def pool_variant(change):
    class Wrong(Bert):
        def pool(self, x):
            return change(self.pooler, x)

    return Wrong


for name, says, change in [
    ("last", "This is the last token, as GPT would take it; in a short text that is padding, and BERT was pre-trained on the first, [CLS].",
     lambda linear, x: torch.tanh(linear(x[:, -1]))),
    ("second", "Off by one: token 1 is the first word; [CLS] is token 0.", lambda linear, x: torch.tanh(linear(x[:, 1]))),
    ("mean", "This is the mean over all tokens, padding included; BERT's pooler reads [CLS] alone.",
     lambda linear, x: torch.tanh(linear(x.mean(1)))),
    ("max", "This is the greatest of all tokens, number by number; BERT's pooler reads [CLS] alone.",
     lambda linear, x: torch.tanh(linear(x.amax(1)))),
    ("no-tanh", "The tanh is missing.", lambda linear, x: linear(x[:, 0])),
    ("tanh-first", "The tanh comes before the linear map; it comes after it.", lambda linear, x: linear(torch.tanh(x[:, 0]))),
    ("no-linear", "The linear map, self.pooler, is missing.", lambda linear, x: torch.tanh(x[:, 0])),
    ("every-token", "Every token is mapped; one vector a text is wanted, that of [CLS].", lambda linear, x: torch.tanh(linear(x))),
    ("first-text", "The first text of the batch is taken; it is the first token of each text: x[:, 0].",
     lambda linear, x: torch.tanh(linear(x[0]))),
]:  # fmt: skip
    e.mistake(name, says)(pool_variant(change))


# ---- 11.2 what learns ----------------------------------------------------------------------------


def who_learns(f) -> dict[str, bool]:
    torch.manual_seed(0)
    model = f(BertForSequenceClassification(SIZES))
    return {} if model is None else {name: p.requires_grad for name, p in model.named_parameters()}


def who_moves(f) -> dict[str, bool]:
    """After a step, which parameters of the head, the pooler and the encoder have got a gradient."""
    torch.manual_seed(0)
    model = f(BertForSequenceClassification(SIZES))
    if model is None:
        return {}
    model.loss(torch.tensor([[2, 7, 9, 3]]), torch.tensor([1])).backward()
    shown = ("label_head.weight", "bert.pooler.weight", "bert.tokens.weight", "bert.layers.1.norm2.bias")
    return {name: dict(model.named_parameters())[name].grad is not None for name in shown}


e = define(
    "11.2",
    freeze_encoder,
    "Freeze the encoder",
    minutes=8,
    difficulty=1,
    parts=[
        ("who learns", 2, who_learns),
        ("who gets a gradient", 1, who_moves),
    ],
    hints=[
        "A parameter with `requires_grad=False` gets no gradient and stays. The name of each says where it is: print those of"
        " `BertForSequenceClassification(SIZES)`.",
        "All of the encoder's names begin with `bert.`, the head's do not. One part called `bert.…` is above the blocks and has to learn:"
        " `bert.pooler.`, which pre-training made for another end.",
        "For each name and parameter of `model.named_parameters()`:"
        " `parameter.requires_grad_(not name.startswith(\"bert.\") or name.startswith(\"bert.pooler.\"))`; then `return model`.",
    ],
)  # fmt: skip


def freeze_variant(learns):
    def wrong(model):
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(learns(name))
        return model

    return wrong


for name, says, learns in [
    ("nothing", "Nothing is frozen: this is fine-tuning all weights.", lambda name: True),
    ("everything", "Everything is frozen, the new head too: it stays as random as it was made, and nothing is ever learned.",
     lambda name: False),
    ("head", "It is turned round: the head is frozen and the encoder learns, to please a head of random numbers.",
     lambda name: name.startswith("bert.") and "pooler" not in name),
    ("pooler", "The pooler is frozen with the encoder: it was made for next-sentence prediction, and has to learn with the head.",
     lambda name: not name.startswith("bert.")),
    ("pooler-alone", "The pooler learns and the head does not: what reads the pooled vector is still random.",
     lambda name: "pooler" in name),
    ("embeddings-alone", "Only the embeddings are frozen; the blocks are the greater part of the encoder.",
     lambda name: not name.startswith(("bert.tokens", "bert.positions", "bert.segments", "bert.norm"))),
    ("blocks-alone", "The blocks are frozen, but the embeddings below them learn.", lambda name: not name.startswith("bert.layers")),
    ("last-block", "The last block learns as well; that is a third way, halfway to fine-tuning.",
     lambda name: not name.startswith("bert.") or name.startswith(("bert.pooler", "bert.layers.1."))),
]:  # fmt: skip
    e.mistake(name, says)(freeze_variant(learns))


@e.mistake("no-return", "The parameters are right, but nothing is returned; the model is to come back.")
def _(model):
    freeze_encoder(model)


# ---- 11.3 the best span --------------------------------------------------------------------------


def span_scores() -> tuple[torch.Tensor, torch.Tensor]:
    start = torch.tensor([[0.1, 2.0, 0.3, 3.0, 0.2], [1.0, 0.0, 0.4, 0.1, 2.5]])
    end = torch.tensor([[0.0, 4.0, 1.0, 0.5, 2.2], [0.2, 3.0, 0.1, 0.6, 0.3]])
    return start, end


def allowed(*numbers: int) -> torch.Tensor:
    return torch.tensor([[i in numbers for i in range(5)]] * 2)


def many_spans(f):
    real = torch.rand(40, 9, generator=torch.Generator().manual_seed(0)) < 0.8
    real[:, 4] = True
    return f(randn(40, 9), randn(40, 9, seed=1), real, 4)


e = define(
    "11.3",
    best_span,
    "Where the answer begins and where it ends",
    minutes=15,
    difficulty=3,
    parts=[
        ("two questions", 2, lambda f: f(*span_scores(), allowed(0, 1, 2, 3, 4))),
        ("answers of two tokens at most", 1, lambda f: f(*span_scores(), allowed(0, 1, 2, 3, 4), longest=2)),
        ("only in the context", 1, lambda f: f(*span_scores(), allowed(2, 3, 4))),
        ("forty more", 1, many_spans),
    ],
    hints=[
        "Taking the best start and the best end, each for itself, can give an end that comes before its start. Score *pairs*: a table"
        " `[batch, first, last]` with the sum of the two.",
        "`start.unsqueeze(-1) + end.unsqueeze(-2)` is the table. Which pairs are possible? `torch.ones(n, n, dtype=torch.bool)`"
        " `.triu()` keeps last ≥ first, `.tril(longest - 1)` the lengths, and both ends must be allowed. The others become -inf.",
        "`best = scores.masked_fill(~possible, -torch.inf).flatten(1).argmax(-1)`, then `return best // n, best % n`.",
    ],
)  # fmt: skip


def span_variant(
    order=lambda t, longest: t.triu().tril(longest - 1), ends="both", finish=None, add=torch.add
):
    def wrong(start, end, allowed, longest=30):
        n = start.shape[-1]
        scores = add(start.unsqueeze(-1), end.unsqueeze(-2))
        possible = order(torch.ones(n, n, dtype=torch.bool), longest).expand(len(start), n, n).clone()
        if ends in ("both", "first"):
            possible &= allowed.unsqueeze(-1)
        if ends in ("both", "last"):
            possible &= allowed.unsqueeze(-2)
        best = scores.masked_fill(~possible, -torch.inf).flatten(1).argmax(-1)
        first, last = best // n, best % n
        return (finish or (lambda a, b: (a, b)))(first, last)

    return wrong


for name, says, flags in [
    ("not-one-token", "An answer of a single token is ruled out; first and last may be the same.",
     {"order": lambda t, longest: t.triu(1).tril(longest - 1)}),
    ("any-length", "The length has no limit; a span has at most `longest` tokens.", {"order": lambda t, longest: t.triu()}),
    ("one-too-long", "Spans of longest + 1 tokens pass: from first to last there are last - first + 1 tokens.",
     {"order": lambda t, longest: t.triu().tril(longest)}),
    ("question-too", "The answer may lie in the question; only tokens that are allowed count.", {"ends": "none"}),
    ("first-alone", "The last token may lie outside the context; both ends must be allowed.", {"ends": "first"}),
    ("last-alone", "The first token may lie outside the context; both ends must be allowed.", {"ends": "last"}),
    ("swapped", "First and last are exchanged.", {"finish": lambda a, b: (b, a)}),
    ("behind", "The second number is one too many: it is the last token of the answer, not the one behind it.",
     {"finish": lambda a, b: (a, b + 1)}),
    ("product", "Start and end are multiplied; scores are logarithms of chances, which add.", {"add": torch.mul}),
]:  # fmt: skip
    e.mistake(name, says)(span_variant(**flags))


@e.mistake(
    "end-before-start",
    "The best start and the best end are taken each for itself, so an end may come before its start, and such a span holds no text"
    " at all. Keep the pairs with last ≥ first.",
)
def _(start, end, allowed, longest=30):
    return tuple(x.masked_fill(~allowed, -torch.inf).argmax(-1) for x in (start, end))


@e.mistake(
    "start-first",
    "The best start is fixed first, and only then an end is looked for; a weaker start may have the better pair.",
)
def _(start, end, allowed, longest=30):
    first = start.masked_fill(~allowed, -torch.inf).argmax(-1)
    places = torch.arange(start.shape[-1])
    behind = (places >= first.unsqueeze(-1)) & (places < first.unsqueeze(-1) + longest)
    return first, end.masked_fill(~(allowed & behind), -torch.inf).argmax(-1)


# ---- 11.4 the score of answers -------------------------------------------------------------------

e = define(
    "11.4",
    answer_f1,
    "How much of the answer is right?",
    minutes=12,
    difficulty=2,
    parts=[
        ("three words too many", 2, lambda f: f("a very old, fat, black cat", ["The black cat!"])),
        ("the best of several answers", 1, lambda f: f("in the old town", ["Paris", "the town", "an old, old town"])),
        ("a word said twice", 1, lambda f: f("no no no", ["no, no"])),
        ("nothing in common", 1, lambda f: f("a dog", ["the cat"])),
        ("nothing said", 1, lambda f: f("", ["the cat"])),
    ],
    hints=[
        "`normalise_answer` takes case, punctuation and articles away, and `.split()` makes words. How many words do the two have in"
        " common, a word said twice counting twice?",
        "`(Counter(a) & Counter(b)).total()` counts them. F1 is 2 × common / (words given + words wanted). Of several answers take the one"
        " that gives most. No words at all must not divide by zero.",
        "For each answer: `a, b = normalise_answer(given).split(), normalise_answer(answer).split()`;"
        " `2 * common / (len(a) + len(b))`; then `return max(…)`.",
    ],
)  # fmt: skip


def f1_variant(
    words=lambda text: normalise_answer(text).split(),
    common=lambda a, b: sum(min(a.count(w), b.count(w)) for w in set(a)),
    score=lambda c, a, b: 2 * c / (a + b) if a + b else 0.0,
    combine=max,
):
    def wrong(given, answers):
        rows = [(words(given), words(answer)) for answer in answers]
        return combine([score(common(a, b), len(a), len(b)) for a, b in rows])

    return wrong


for name, says, flags in [
    ("not-normalised", "The words are compared as typed: “cat!” and “cat”, “The” and “the” are then different.", {"words": str.split}),
    ("articles", "The articles are still there: SQuAD leaves out a, an and the.",
     {"words": lambda text: "".join(c for c in text.lower() if c.isalnum() or c == " ").split()}),
    ("sets", "A word that was said twice counts once: count with repetition.",
     {"words": lambda text: list(dict.fromkeys(normalise_answer(text).split()))}),
    ("precision", "This is precision, the share of the given words that are right; a word too few costs nothing.",
     {"score": lambda c, a, b: c / a if a else 0.0}),
    ("recall", "This is recall, the share of the answer's words that were said; whoever says the whole text gets it all.",
     {"score": lambda c, a, b: c / b}),
    ("first-answer", "Only the first answer counts here; the one that suits best does.", {"combine": lambda scores: scores[0]}),
    ("mean", "This is the mean over the answers; the one that suits best counts.", {"combine": lambda scores: sum(scores) / len(scores)}),
    ("characters", "Characters are compared, not words: split the text.", {"words": lambda text: list(normalise_answer(text))}),
    ("half", "The 2 is missing: F1 is 2PR / (P + R).", {"score": lambda c, a, b: c / (a + b) if a + b else 0.0}),
    ("exact", "This asks for exactly the answer; F1 gives credit for a part of it.", {"score": lambda c, a, b: float(c == a == b)}),
]:  # fmt: skip
    e.mistake(name, says)(f1_variant(**flags))


# ---- 11.5 a tag for every word -------------------------------------------------------------------

WORDS = [-1, 0, 0, 1, 2, 2, 2, 3, -1]
TAGS = [1, 0, 3, 4]

e = define(
    "11.5",
    first_piece_labels,
    "A label for each word, pieces or not",
    minutes=8,
    difficulty=1,
    parts=[
        ("four words in seven pieces", 2, lambda f: f(list(WORDS), list(TAGS))),
        ("every word one piece", 1, lambda f: f([-1, 0, 1, 2, -1], [2, 0, 2])),
        ("cut off: the last words have no piece", 1, lambda f: f([-1, 0, 1, 1, -1], [5, 6, 7, 8])),
        ("no special tokens", 1, lambda f: f([0, 1, 1], [3, 0])),
    ],
    hints=[
        "A piece is the first of its word when the piece before it belongs to another word, or to none.",
        "Go through the pieces and keep in mind the word of the one before. Three cases: no word (-1); the same word as before; another."
        " Only the last gets a label.",
        "`before = [-1, *words[:-1]]`, then `return [labels[w] if w >= 0 and w != last else IGNORED for last, w in zip(before, words)]`.",
    ],
)  # fmt: skip


def label_variant(first=lambda last, w, following: w >= 0 and w != last, no_label=IGNORED, value=None):
    def wrong(words, labels):
        rows = zip([-1, *words[:-1]], words, [*words[1:], -1], strict=True)
        pick = value or (lambda labels, w: labels[w])
        return [pick(labels, w) if first(last, w, following) else no_label for last, w, following in rows]

    return wrong


for name, says, flags in [
    ("every-piece", "Every piece is asked for its word's label: a name of one word would count as several names that begin.",
     {"first": lambda last, w, following: w >= 0}),
    ("special-tokens", "[CLS] and [SEP] get a label, the last word's: words[-1] looks from the end. They get -100.",
     {"first": lambda last, w, following: w != last or w < 0}),
    ("last-piece", "The label stands at the word's last piece; it belongs at the first.",
     {"first": lambda last, w, following: w >= 0 and w != following}),
    ("zero", "Places that do not count get 0 here, which is a label (O); they get IGNORED, -100.", {"no_label": 0}),
    ("minus-one", "Places that do not count get -1; torch's cross_entropy, and so this course, leaves out -100.", {"no_label": -1}),
    ("other-pieces", "It is turned round: the first piece is left out, and the others are asked.",
     {"first": lambda last, w, following: w >= 0 and w == last}),
    ("number", "These are the numbers of the words; look up each word's label.", {"value": lambda labels, w: w}),
    ("one-early", "Each word gets the label of the word before it.", {"value": lambda labels, w: labels[w - 1]}),
]:  # fmt: skip
    e.mistake(name, says)(label_variant(**flags))


@e.mistake(
    "words", "There is one label a word; wanted is one number for each piece, special tokens included."
)
def _(words, labels):
    return [labels[w] for w in dict.fromkeys(words) if w >= 0]


# ---- 11.6 the score of names ---------------------------------------------------------------------


def some_tags() -> tuple[list[list[str]], list[list[str]]]:
    right = [
        "B-PER I-PER O B-LOC O",
        "O B-LOC I-LOC I-LOC B-PER",
        "O O B-PER B-LOC",
        "B-PER I-PER O B-LOC I-LOC",
    ]
    given = ["B-PER I-PER O B-PER O", "O B-LOC I-LOC O B-PER", "B-LOC O B-LOC B-PER", "O B-PER O O B-LOC"]
    return [x.split() for x in right], [x.split() for x in given]


e = define(
    "11.6",
    entity_scores,
    "Precision, recall and F1 of names",
    minutes=15,
    difficulty=2,
    parts=[
        ("four sentences", 2, lambda f: f(*some_tags())),
        ("exchanged", 1, lambda f: f(*some_tags()[::-1])),
        ("the same name in two sentences", 1, lambda f: f([["B-PER"], ["B-PER"]], [["B-PER"], ["O"]])),
        ("everything right", 1, lambda f: f(some_tags()[0], some_tags()[0])),
        ("nothing found", 1, lambda f: f([["B-PER", "O"]], [["O", "O"]])),
    ],
    hints=[
        "`entities(tags)` lists the names of one sentence: kind, first word, last word. Two names are the same if all three agree. How many"
        " are in both lists?",
        "Keep the number of the sentence with each name, or a name found in the wrong sentence will count. Precision divides the hits by"
        " what was found, recall by what there is; where that is 0, the score is 0.",
        "With two sets `wanted` and `found` of pairs (sentence, entity): `hits = len(wanted & found)`; precision `hits / len(found)`,"
        " recall `hits / len(wanted)`, F1 `2 * hits / (len(found) + len(wanted))`; `return Score(…)`.",
    ],
)  # fmt: skip


def scored(hits: int, found: int, wanted: int) -> Score:
    precision, recall = hits / found if found else 0.0, hits / wanted if wanted else 0.0
    return Score(precision, recall, 2 * hits / (found + wanted) if found + wanted else 0.0)


def entity_variant(things, finish=scored):
    """``things`` lists what is to be found in a sentence."""

    def wrong(right, given):
        wanted, found = ({(i, x) for i, tags in enumerate(s) for x in things(tags)} for s in (right, given))
        return finish(len(wanted & found), len(found), len(wanted))

    return wrong


def words_with_tags(tags):
    return [(at, tag) for at, tag in enumerate(tags) if tag != "O"]


for name, says, flags in [
    ("per-token", "Words are counted, not names: whoever finds two words of a name of three has found no name. Compare whole entities.",
     {"things": words_with_tags}),
    ("o-too", "Every word counts, those that are no names too: with so many O, saying nothing but O looks good.",
     {"things": lambda tags: list(enumerate(tags))}),
    ("first-word", "Only where a name begins is compared, not where it ends.", {"things": lambda tags: [x[:2] for x in entities(tags)]}),
    ("any-kind", "The kind is not compared: a place taken for a person is wrong.", {"things": lambda tags: [x[1:] for x in entities(tags)]}),
    ("overlap", "A name counts as found if its last word is; both ends must be right.", {"things": lambda tags: [(x.kind, x.last) for x in entities(tags)]}),
    ("exchanged", "Precision and recall are exchanged: precision is about what was found, recall about what there is.",
     {"things": entities, "finish": lambda h, f, w: Score(scored(h, f, w).recall, scored(h, f, w).precision, scored(h, f, w).f1)}),
    ("mean", "F1 is the harmonic mean, 2PR / (P + R); this is the ordinary one.",
     {"things": entities, "finish": lambda h, f, w: Score(*scored(h, f, w)[:2], (scored(h, f, w)[0] + scored(h, f, w)[1]) / 2)}),
    ("counts", "These are counts; precision and recall are shares.",
     {"things": entities, "finish": lambda h, f, w: Score(float(h), float(h), scored(h, f, w).f1)}),
]:  # fmt: skip
    e.mistake(name, says)(entity_variant(**flags))


@e.mistake("any-sentence", "A name counts wherever it stands: keep the sentence's number with it.")
def _(right, given):
    wanted, found = ({x for tags in s for x in entities(tags)} for s in (right, given))
    return scored(len(wanted & found), len(found), len(wanted))


@e.mistake(
    "by-sentence",
    "The scores of each sentence are averaged; names are counted over all sentences together.",
)
def _(right, given):
    each = [entity_scores([a], [b]) for a, b in zip(right, given, strict=True)]
    return Score(*(sum(column) / len(each) for column in zip(*each, strict=True)))


# ---- 11.7 what was replaced ----------------------------------------------------------------------

MASK = 4


def gaps() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Inputs with [MASK]s, the labels, and guesses everywhere, of which two at gaps are right."""
    inputs = torch.tensor([[7, MASK, MASK, 8, 6], [MASK, 9, 5, MASK, 5]])
    labels = torch.tensor([[IGNORED, 5, 6, IGNORED, IGNORED], [7, IGNORED, IGNORED, 9, IGNORED]])
    guesses = torch.tensor([[7, 5, 9, 6, 8], [8, 5, 5, 9, 7]])
    return inputs, labels, guesses


def no_mask_token() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Some of the chosen tokens stand as they are, or another token stands there: BERT's 80/10/10."""
    return torch.tensor([[7, 5, 3, 8]]), torch.tensor([[IGNORED, 5, 6, 8]]), torch.tensor([[1, 5, 6, 9]])


e = define(
    "11.7",
    replace_tokens,
    "What was replaced?",
    minutes=10,
    difficulty=2,
    parts=[
        ("two texts", 2, lambda f: f(*gaps())),
        ("every guess is right", 1, lambda f: f(gaps()[0], gaps()[1], gaps()[1].clamp_min(0))),
        ("where no [MASK] stands", 1, lambda f: f(*no_mask_token())),
    ],
    hints=[
        "Two questions. What does the discriminator read at each place? And is it what the author wrote there? Where nothing was hidden, both"
        " are easy.",
        "`hidden = labels != IGNORED`. The guess stands where something was hidden, the input everywhere else: `torch.where`. The author's"
        " token at a hidden place is the label, and a guess that equals it is *not* a replacement.",
        "`read = torch.where(hidden, guesses, inputs)`, then `return read, hidden & (read != labels)`.",
    ],
)  # fmt: skip


def replace_variant(
    read=lambda hidden, i, y, g: g.where(hidden, i),
    replaced=lambda hidden, i, y, g, r: hidden & (r != y),
    finish=lambda r, w: (r, w),
):
    def wrong(inputs, labels, guesses):
        hidden = labels != IGNORED
        found = read(hidden, inputs, labels, guesses)
        return finish(found, replaced(hidden, inputs, labels, guesses, found))

    return wrong


for name, says, flags in [
    ("right-guesses-count", "A right guess counts as replaced; it is the author's word, and nobody could tell it from the original.",
     {"replaced": lambda hidden, i, y, g, r: hidden}),
    ("turned-round", "True and False are exchanged: True is what was replaced.", {"replaced": lambda hidden, i, y, g, r: ~(hidden & (r != y))}),
    ("guesses-everywhere", "The guesses stand everywhere; the generator fills the gaps and leaves the other tokens alone.",
     {"read": lambda hidden, i, y, g: g}),
    ("masks-stay", "The [MASK]s are still there: the discriminator is to read the generator's guesses in their place.",
     {"read": lambda hidden, i, y, g: i, "replaced": lambda hidden, i, y, g, r: hidden & (g != y)}),
    ("against-input", "The guess is compared with the input, which is [MASK]; compare it with the original, the label.",
     {"replaced": lambda hidden, i, y, g, r: hidden & (r != i)}),
    ("against-labels", "Every token is compared with its label, which is -100 where nothing was hidden: those count as replaced.",
     {"replaced": lambda hidden, i, y, g, r: r != y}),
    ("answers", "The original tokens stand in the gaps, so that nothing is ever replaced; put the guesses there.",
     {"read": lambda hidden, i, y, g: y.where(hidden, i)}),
    ("by-mask-id", "Gaps are looked for by the token [MASK]; what was chosen is what has a label, whatever stands there.",
     {"read": lambda hidden, i, y, g: g.where(i == MASK, i)}),
    ("float", "The second is to be boolean, True or False.", {"finish": lambda r, w: (r, w.float())}),
]:  # fmt: skip
    e.mistake(name, says)(replace_variant(**flags))


# ---- 11.8 relative positions ---------------------------------------------------------------------

e = define(
    "11.8",
    relative_distances,
    "How far away, and on which side",
    minutes=8,
    difficulty=1,
    parts=[
        ("five tokens, a table of 2 · 2 rows", 2, lambda f: f(5, 2)),
        ("a table that reaches further than the text", 1, lambda f: f(4, 8)),
        ("two rows", 1, lambda f: f(3, 1)),
    ],
    hints=[
        "Make the table of i - j first: query i down, key j across. What stands on its diagonal? What sign has a key on the left?",
        "`places.unsqueeze(-1) - places` is i - j. Rows of a table are numbered from 0, so shift by span; and what is too far away gets"
        " the outermost row: `clamp`. Mind that 2 · span rows are numbered up to 2 · span - 1.",
        "`places = torch.arange(n)`, then `return (places.unsqueeze(-1) - places + span).clamp(0, 2 * span - 1)`.",
    ],
)  # fmt: skip


def distance_variant(difference=lambda i, j: i - j, finish=lambda d, span: (d + span).clamp(0, 2 * span - 1)):
    def wrong(n, span):
        places = torch.arange(n)
        return finish(difference(places.unsqueeze(-1), places.unsqueeze(0)), span)

    return wrong


for name, says, flags in [
    ("sign", "The sign is swapped: it is i - j, the query's position minus the key's; left and right are exchanged.",
     {"difference": lambda i, j: j - i}),
    ("no-side", "The side is lost: a key on the left and one on the right at the same distance get one row.",
     {"difference": lambda i, j: (i - j).abs()}),
    ("not-shifted", "The distances are not shifted by span: everything to the right falls on row 0.",
     {"finish": lambda d, span: d.clamp(0, 2 * span - 1)}),
    ("not-cut", "What is too far away is not cut off: there are no such rows in the table.", {"finish": lambda d, span: d + span}),
    ("one-too-many", "Row 2 · span does not exist: rows are numbered from 0 to 2 · span - 1.",
     {"finish": lambda d, span: (d + span).clamp(0, 2 * span)}),
    ("one-too-few", "The last row is never used: it has the number 2 · span - 1.", {"finish": lambda d, span: (d + span).clamp(0, 2 * span - 2)}),
    ("wraps", "What is too far away comes round from the other end (%); it is to share the outermost row.",
     {"finish": lambda d, span: (d + span) % (2 * span)}),
]:  # fmt: skip
    e.mistake(name, says)(distance_variant(**flags))


@e.mistake("absolute", "This is the key's own position; wanted is how far the key is from the query.")
def _(n, span):
    return torch.arange(n).expand(n, n).clamp(0, 2 * span - 1)


# ---- 11.9 three scores ---------------------------------------------------------------------------


def contents() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return randn(2, 5, 4), randn(2, 5, 4, seed=1), relative_distances(5, 3)


def tables() -> tuple[torch.Tensor, torch.Tensor]:
    return randn(2, 6, 4, seed=2), randn(2, 6, 4, seed=3)


e = define(
    "11.9",
    disentangled_score,
    "Content and position, kept apart",
    minutes=20,
    difficulty=3,
    parts=[
        ("content to content alone", 1, lambda f: f(*contents())),
        ("and content to position", 1, lambda f: f(*contents(), relative_key=tables()[0])),
        ("and position to content", 2, lambda f: f(*contents(), relative_query=tables()[1])),
        ("all three", 1, lambda f: f(*contents(), *tables())),
    ],
    hints=[
        "Begin with q · k for every pair. Then `query @ relative_key.mT` is `[…, i, rows]`: the score of query i with *every* row of the"
        " table. Which row is wanted for key j says `distances[i, j]`; `gather(-1, …)` picks it.",
        "Position to content begins with the keys: `key @ relative_query.mT` is `[…, j, rows]`. Here the row for i is wanted, so the index"
        " is `distances.mT`, and what comes out, `[…, j, i]`, has to be transposed. Count the parts: the sum is divided by √(parts · d_head).",
        "`of_rows.gather(-1, distances.expand_as(scores))` for the first, `of_rows.gather(-1, distances.mT.expand_as(scores)).mT` for the"
        " second, and `return scores / math.sqrt(parts * query.shape[-1])`.",
    ],
)  # fmt: skip


def score_variant(
    to_position=lambda q, k, d, table, s: (q @ table.mT).gather(-1, d.expand_as(s)),
    to_content=lambda q, k, d, table, s: (k @ table.mT).gather(-1, d.mT.expand_as(s)).mT,
    scale=lambda parts, d: math.sqrt(parts * d),
):
    def wrong(query, key, distances, relative_key=None, relative_query=None):
        content = query @ key.mT
        scores, parts = content, 1
        if relative_key is not None:
            scores, parts = scores + to_position(query, key, distances, relative_key, content), parts + 1
        if relative_query is not None:
            scores, parts = scores + to_content(query, key, distances, relative_query, content), parts + 1
        return scores / scale(parts, query.shape[-1])

    return wrong


for name, says, flags in [
    ("scale", "The sum is divided by √d_head; with two or three parts it is divided by √(2 · d_head) or √(3 · d_head).",
     {"scale": lambda parts, d: math.sqrt(d)}),
    ("parts-outside", "The number of parts is outside the root: it is √(parts · d_head), since a sum of independent scores spreads like a root.",
     {"scale": lambda parts, d: parts * math.sqrt(d)}),
    ("no-scale", "The division by √(parts · d_head) is missing.", {"scale": lambda parts, d: 1.0}),
    ("query-twice", "Position to content is made of the query once more; in it the *key's* content answers.",
     {"to_content": lambda q, k, d, table, s: (q @ table.mT).gather(-1, d.expand_as(s))}),
    ("not-transposed", "Position to content comes out as [j, i], key by query, and is added to [i, j]: transpose it.",
     {"to_content": lambda q, k, d, table, s: (k @ table.mT).gather(-1, d.mT.expand_as(s))}),
    ("other-side", "The relative query is looked up on the other side, at the distance of j and i. Equation 4 of the paper can be read so; the authors' code,"
     " and all models trained by it, look it up at that of i and j.",
     {"to_content": lambda q, k, d, table, s: (k @ table.mT).gather(-1, d.expand_as(s)).mT}),
    ("sides-exchanged", "Content to position is looked up on the other side: for query i and key j it is row distances[i, j].",
     {"to_position": lambda q, k, d, table, s: (q @ table.mT).gather(-1, d.mT.expand_as(s))}),
    ("key-to-position", "Content to position is made of the key; it is the *query's* content that asks for a position.",
     {"to_position": lambda q, k, d, table, s: (k @ table.mT).gather(-1, d.expand_as(s))}),
    ("no-position", "Content to position is left out.", {"to_position": lambda q, k, d, table, s: torch.zeros_like(s)}),
    ("no-content", "Position to content is left out.", {"to_content": lambda q, k, d, table, s: torch.zeros_like(s)}),
]:  # fmt: skip
    e.mistake(name, says)(score_variant(**flags))
