"""The exercises of notebook 11: fine-tuning, and after BERT."""

import copy
import math
from collections import Counter

import torch
import torch.nn.functional as F

from course.exercises.contract import Case
from course.exercises.inputs import ids, randn, some_true, with_fixed_weights
from course.exercises.promises import kind_of, refusals
from course.masking import IGNORED
from course.models.bert import Bert, BertConfig
from course.models.bert_heads import (
    BertForPreTraining,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
)
from course.models.deberta import disentangled_score, relative_distances
from course.models.electra import replace_tokens
from course.studies.downstream import best_span, first_piece_labels
from course.studies.fine_tuning import freeze_encoder
from course.studies.metrics import Score, answer_f1, entities, entity_scores, normalise_answer
from course.workbook.record import define

SIZES = BertConfig(20, d_model=6, n_heads=2, d_ff=14, n_layers=3, max_length=12, dropout=0.0)

# ---- 11.1 which token speaks for the text --------------------------------------------------------


def pool_of(cls):
    return with_fixed_weights(cls, Bert, SIZES).pool


case = Case(lambda *batch: (randn(3, 5, 6),), pool_of)

e = define(
    "11.1",
    Bert,
    "One vector for a whole text",
    minutes=5,
    difficulty=1,
    blank=("pool",),
    parts=[
        case.part("three texts of five tokens", 2),
        case.part("one text", change=lambda x: (x[:1],)),
        (*case.part("texts of one token", change=lambda x: (x[:, :1],)), "a text of one token has a vector of its own"),
        case.part("numbers ten times as large", change=lambda x: (10 * x,)),
        case.part("as many texts as tokens", change=lambda x: (randn(4, 4, 6, seed=2),)),
        case.gradients(),
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
            return change(self, x)

    return Wrong


for name, says, change in [
    ("last", "This is the last token, as GPT would take it; in a short text that is padding, and BERT was pre-trained on the first, [CLS].",
     lambda m, x: torch.tanh(m.pooler(x[:, -1]))),
    ("second", "Off by one: token 1 is the first word; [CLS] is token 0.", lambda m, x: torch.tanh(m.pooler(x[:, 1]))),
    ("mean", "This is the mean over all tokens, padding included; BERT's pooler reads [CLS] alone.", lambda m, x: torch.tanh(m.pooler(x.mean(1)))),
    ("mean-afterwards", "Every token is mapped, and then they are averaged, padding included; BERT's pooler reads [CLS] alone.",
     lambda m, x: torch.tanh(m.pooler(x)).mean(1)),
    ("max", "This is the greatest of all tokens, number by number; BERT's pooler reads [CLS] alone.", lambda m, x: torch.tanh(m.pooler(x.amax(1)))),
    ("no-tanh", "The tanh is missing.", lambda m, x: m.pooler(x[:, 0])),
    ("tanh-twice", "The tanh is taken twice; it comes once, behind the linear map.", lambda m, x: torch.tanh(torch.tanh(m.pooler(x[:, 0])))),
    ("tanh-first", "The tanh comes before the linear map; it comes after it.", lambda m, x: m.pooler(torch.tanh(x[:, 0]))),
    ("sigmoid", "This is a sigmoid, between 0 and 1; BERT's pooler has a tanh, between -1 and 1.", lambda m, x: torch.sigmoid(m.pooler(x[:, 0]))),
    ("gelu", "This is GELU, the activation inside the blocks; BERT's pooler has a tanh.", lambda m, x: F.gelu(m.pooler(x[:, 0]))),
    ("relu", "This is ReLU; BERT's pooler has a tanh.", lambda m, x: m.pooler(x[:, 0]).relu()),
    ("no-linear", "The linear map, self.pooler, is missing.", lambda m, x: torch.tanh(x[:, 0])),
    ("as-it-is", "This is [CLS]'s vector as it is; it still has to go through the linear map self.pooler and a tanh.", lambda m, x: x[:, 0]),
    ("no-bias", "The bias of the linear map is left out: call self.pooler, which adds it.", lambda m, x: torch.tanh(x[:, 0] @ m.pooler.weight.T)),
    ("not-transposed", "The weight is multiplied from the wrong side: a linear map is x @ weight.T + bias. Call self.pooler, which does that.",
     lambda m, x: torch.tanh(x[:, 0] @ m.pooler.weight + m.pooler.bias)),
    ("normed", "The vector is normed once more; nothing comes between the last block and the linear map.", lambda m, x: torch.tanh(m.pooler(m.norm(x[:, 0])))),
    ("every-token", "Every token is mapped; one vector a text is wanted, that of [CLS].", lambda m, x: torch.tanh(m.pooler(x))),
    ("axis-kept", "The axis of the tokens is still there, with length 1: x[:, :1] keeps it, x[:, 0] takes it away.", lambda m, x: torch.tanh(m.pooler(x[:, :1]))),
    ("squeezed", "squeeze() takes every axis of length 1 away, and so the batch axis too when there is one text.",
     lambda m, x: torch.tanh(m.pooler(x[:, :1])).squeeze()),
    ("first-text", "The first text of the batch is taken; it is the first token of each text: x[:, 0].", lambda m, x: torch.tanh(m.pooler(x[0]))),
    ("detached", "The values are right, but no gradient reaches the encoder: something is detached, and fine-tuning could not change it.",
     lambda m, x: torch.tanh(m.pooler(x[:, 0].detach()))),
]:  # fmt: skip
    e.mistake(name, says)(pool_variant(change))


# ---- 11.2 what learns ----------------------------------------------------------------------------


def a_model(kind=BertForSequenceClassification):
    torch.manual_seed(0)
    return kind(SIZES)


def who_is_switched_on(part: str):
    """Of a model of which nothing learns, what is above the blocks."""

    def run(f) -> dict[str, bool]:
        model = a_model().requires_grad_(False)
        f(model)
        return {f"{n} learns": p.requires_grad for n, p in model.named_parameters() if n.startswith(part)}

    return run


def who_learns(make):
    """Of the model that was given, whatever comes back."""

    def run(f) -> dict[str, bool]:
        model = make()
        f(model)
        return {f"{name} learns": p.requires_grad for name, p in model.named_parameters()}

    return run


def who_gets_a_gradient(f) -> dict[str, bool]:
    """After a loss, which parameters of the head, the pooler and the encoder have got a gradient."""
    model = a_model()
    f(model)
    model.loss(torch.tensor([[2, 7, 9, 3]]), torch.tensor([1])).backward()
    shown = ("label_head.weight", "bert.pooler.bias", "bert.tokens.weight", "bert.layers.1.norm2.bias")
    return {
        f"{name} gets a gradient": dict(model.named_parameters())[name].grad is not None for name in shown
    }


def what_comes_back(f) -> dict[str, str]:
    model = a_model()
    back = f(model)
    names = {id(model): "the model that was given", id(model.bert): "the encoder alone", id(None): "nothing"}
    return {"what comes back": names.get(id(back), f"another {type(back).__name__}")}


def weights_afterwards(f) -> dict[str, int]:
    model = a_model()
    before = copy.deepcopy(model.state_dict())
    f(model)
    return {
        "the number of weights changed": sum(
            not torch.equal(before[n], x) for n, x in model.state_dict().items()
        )
    }


e = define(
    "11.2",
    freeze_encoder,
    "Freeze the encoder",
    minutes=8,
    difficulty=1,
    parts=[
        ("a classifier of texts", 2, who_learns(a_model)),
        ("a tagger, which has no pooler", 1, who_learns(lambda: a_model(BertForTokenClassification))),
        ("a model that finds answers", 1, who_learns(lambda: a_model(BertForQuestionAnswering))),
        ("BERT as it is pre-trained, with two heads", 1, who_learns(lambda: a_model(BertForPreTraining))),
        (
            "a model whose head was frozen before",
            1,
            who_is_switched_on("label_head."),
            "the head is not switched on where it was frozen before",
        ),
        (
            "a model whose pooler was frozen before",
            1,
            who_is_switched_on("bert.pooler."),
            "the pooler is not switched on where it was frozen before",
        ),
        ("after a loss", 1, who_gets_a_gradient),
        ("what comes back", 1, what_comes_back, "the model that was given should come back"),
        ("the weights themselves", 1, weights_afterwards, "weights are changed; what stays must keep its values"),
    ],
    hints=[
        "A parameter with `requires_grad=False` gets no gradient and stays. The name of each says where it is: print those of"
        " `BertForSequenceClassification(BertConfig(20, 6, 2, 14, 3))`, from `course.models.bert_heads`.",
        "All of the encoder's names begin with `bert.`, the heads' do not. One part called `bert.…` is above the blocks and has to learn:"
        " `bert.pooler.`, which pre-training made for another end. Some models have none.",
        "For each name and parameter of `model.named_parameters()`:"
        " `parameter.requires_grad_(not name.startswith(\"bert.\") or name.startswith(\"bert.pooler.\"))`; then `return model`.",
    ],
)  # fmt: skip


def freeze_variant(learns):
    def wrong(model):
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(learns(name, parameter))
        return model

    return wrong


def right_names(name: str) -> bool:
    return not name.startswith("bert.") or name.startswith("bert.pooler.")


EMBEDDINGS = ("bert.tokens", "bert.positions", "bert.segments", "bert.norm")

for name, says, learns in [
    ("nothing", "Nothing is frozen: every parameter learns as before. What counts is requires_grad of the parameters themselves; eval(), no_grad() or an attribute of the"
     " module change nothing of it.", lambda name, p: p.requires_grad),
    ("everything-on", "Nothing is frozen: all is switched on, and this is fine-tuning all weights.", lambda name, p: True),
    ("everything", "Everything is frozen, the new head too: it stays as random as it was made, and nothing is ever learned.", lambda name, p: False),
    ("head", "It is turned round: what is above the blocks is frozen and the encoder learns, to please a head of random numbers.", lambda name, p: not right_names(name)),
    ("pooler", "The pooler is frozen with the encoder: it was made for next-sentence prediction, and has to learn with the head.",
     lambda name, p: not name.startswith("bert.")),
    ("pooler-alone", "The pooler learns and the head does not: what reads the pooled vector is still random.", lambda name, p: "pooler" in name),
    ("embeddings-alone", "Only the embeddings are frozen; the blocks are the greater part of the encoder.", lambda name, p: not name.startswith(EMBEDDINGS)),
    ("tokens-alone", "Only the tokens' embeddings are frozen; positions, segments and the blocks belong to the encoder too.", lambda name, p: not name.startswith("bert.tokens")),
    ("blocks-alone", "The blocks are frozen, but the embeddings below them learn.", lambda name, p: not name.startswith("bert.layers")),
    ("norm-forgotten", "The norm of the embeddings, bert.norm, goes on learning; it belongs to the encoder, and so does all in bert but the pooler.",
     lambda name, p: right_names(name) or name.startswith("bert.norm")),
    ("last-block", "The last block learns as well; that is a third way, halfway to fine-tuning.", lambda name, p: right_names(name) or name.startswith("bert.layers.2.")),
    ("weights-alone", "Only the weights are frozen; the biases of the encoder go on learning.", lambda name, p: right_names(name) or name.endswith("bias")),
    ("never-switched-on", "What is above is not switched on: a head that was frozen before stays so. Set requires_grad of every parameter, to True or to False.",
     lambda name, p: p.requires_grad and right_names(name)),
    ("by-name-of-the-head", "Only a head of one name learns (label_head, say); other models' heads have other names. Above is all that is not in bert, and its pooler.",
     lambda name, p: name.startswith("label_head") or "pooler" in name),
]:  # fmt: skip
    e.mistake(name, says)(freeze_variant(learns))


@e.mistake("no-return", "Nothing is returned; the model is to come back.")
def _(model):
    freeze_encoder(model)


@e.mistake(
    "encoder-back",
    "The encoder alone comes back; it is to be the whole model, with its head.",
)
def _(model):
    return freeze_encoder(model).bert


@e.mistake(
    "copy",
    "A copy is frozen and comes back; the model that was given goes on learning. Set its own parameters.",
)
def _(model):
    return freeze_encoder(copy.deepcopy(model))


# ---- 11.3 the best span --------------------------------------------------------------------------


def questions(n_rows: int = 7, n: int = 6, seed: int = 0):
    """Scores of either sign, and where an answer may begin and end; no two scores are equal."""
    allowed = some_true(n_rows, n, seed=seed + 2)
    return lambda: (randn(n_rows, n, seed=seed), randn(n_rows, n, seed=seed + 1), allowed.clone())


def everywhere(start, end, allowed):
    return start, end, torch.ones_like(allowed)


def equals(f):
    """Every score is one of three, so that many spans have the same sum, exactly."""
    start, end = ids(24, 5, below=3).float(), ids(24, 5, below=3, seed=1).float()
    return f(start, end, some_true(24, 5, seed=2))


def one_row_nothing(start, end, allowed):
    """In two texts nothing is allowed."""
    allowed[[1, 4]] = False
    return start, end, allowed


few, many, long = Case(questions()), Case(questions(60, 9, seed=5)), Case(questions(12, 37, seed=11))

e = define(
    "11.3",
    best_span,
    "Where the answer begins and where it ends",
    minutes=15,
    difficulty=3,
    parts=[
        few.part("seven questions, all tokens allowed", 2, change=everywhere),
        few.part("seven questions, some tokens allowed"),
        many.part("sixty questions, answers of four tokens at most", longest=4),
        many.part("all tokens allowed, answers of two tokens at most", change=everywhere, longest=2),
        long.part("texts of 37 tokens", change=lambda s, e, a: everywhere(s.sort().values, e.sort().values, a)),
        long.part("texts of 37 tokens, longest 35", change=lambda s, e, a: everywhere(s.sort(descending=True).values, e.sort().values, a), longest=35),
        few.part("all scores below zero", change=lambda s, e, a: (s - 5, e - 7, a)),
        ("spans with equal scores", 1, equals),
        (*few.part("nothing allowed in two of the texts", change=one_row_nothing), "where nothing is allowed something else than (0, 0) comes out"),
        few.keeps_inputs(),
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
    order=lambda t, longest: t.triu().tril(longest - 1),
    ends=lambda a: a.unsqueeze(-1) & a.unsqueeze(-2),
    finish=lambda first, last, none: (first, last),
    add=lambda s, e: s.unsqueeze(-1) + e.unsqueeze(-2),
    fill=-torch.inf,
    pick=lambda table: table.argmax(-1),
    weigh=lambda table: table,
    first_masked=False,
):
    def wrong(start, end, allowed, longest=30):
        n = start.shape[-1]
        if first_masked:
            start, end = start.masked_fill(~allowed, -1e9), end.masked_fill(~allowed, -1e9)
        possible = order(torch.ones(n, n, dtype=torch.bool), longest) & ends(allowed)
        best = pick(weigh(add(start, end)).masked_fill(~possible, fill).flatten(1))
        return finish(best // n, best % n, ~possible.flatten(1).any(-1))

    return wrong


def in_between(a):
    """All tokens from first to last are allowed."""
    n = a.shape[-1]
    sums = F.pad(a.long().cumsum(-1), (1, 0))
    lengths = torch.arange(n).unsqueeze(0) - torch.arange(n).unsqueeze(1) + 1
    return sums[:, 1:].unsqueeze(-2) - sums[:, :-1].unsqueeze(-1) == lengths


def per_token(table):
    places = torch.arange(table.shape[-1])
    return table / (places - places.unsqueeze(-1) + 1).clamp(min=1)


for name, says, flags in [
    ("not-one-token", "An answer of a single token is ruled out; first and last may be the same.", {"order": lambda t, longest: t.triu(1).tril(longest - 1)}),
    ("any-length", "The length has no limit; a span has at most `longest` tokens.", {"order": lambda t, longest: t.triu()}),
    ("always-thirty", "The limit is always 30; it is `longest`, whatever is given.", {"order": lambda t, longest: t.triu().tril(29)}),
    ("one-too-long", "Spans of longest + 1 tokens pass: from first to last there are last - first + 1 tokens.", {"order": lambda t, longest: t.triu().tril(longest)}),
    ("one-too-short", "Spans of exactly `longest` tokens are refused; they are allowed: from first to last there are last - first + 1 tokens.",
     {"order": lambda t, longest: t.triu().tril(longest - 2)}),
    ("any-order", "A span may end before it starts; keep the pairs with last ≥ first.", {"order": lambda t, longest: t.tril(longest - 1)}),
    ("question-too", "The answer may lie in the question; only tokens that are allowed count.", {"ends": lambda a: torch.ones_like(a.unsqueeze(-1) & a.unsqueeze(-2))}),
    ("not-allowed-alone", "`allowed` is read the wrong way round: True is where an answer may begin and end.", {"ends": lambda a: ~a.unsqueeze(-1) & ~a.unsqueeze(-2)}),
    ("first-alone", "The last token may lie outside the context; both ends must be allowed.", {"ends": lambda a: a.unsqueeze(-1)}),
    ("last-alone", "The first token may lie outside the context; both ends must be allowed.", {"ends": lambda a: a.unsqueeze(-2)}),
    ("in-between", "All tokens from first to last have to be allowed; only the two ends have to.", {"ends": in_between}),
    ("zero", "What is not possible gets the score 0: where all scores are below zero it wins. Give it -inf.", {"fill": 0.0}),
    ("probabilities", "The softmax is taken first, and probabilities are added; the scores themselves are to be added.",
     {"add": lambda s, e: s.softmax(-1).unsqueeze(-1) + e.softmax(-1).unsqueeze(-2)}),
    ("probabilities-of-allowed", "The softmax over what is allowed is taken first, and probabilities are added; the scores themselves are to be added.",
     {"add": lambda s, e: s.softmax(-1).unsqueeze(-1) + e.softmax(-1).unsqueeze(-2), "first_masked": True}),
    ("product", "Start and end are multiplied; scores are logarithms of chances, which add.", {"add": lambda s, e: s.unsqueeze(-1) * e.unsqueeze(-2)}),
    ("end-ignored", "Only the start's score counts; it is the sum of start and end.", {"add": lambda s, e: s.unsqueeze(-1) + 0 * e.unsqueeze(-2)}),
    ("per-token", "The score is divided by the length of the span, so that short ones are preferred; it is the sum of start and end alone.", {"weigh": per_token}),
    ("latest", "Of spans with equal scores this is the latest; it should be the earliest, the one that starts first.",
     {"pick": lambda table: (table.shape[-1] - 1 - table.flip(-1).argmax(-1)).masked_fill(table.isinf().all(-1), 0)}),
    ("swapped", "First and last are exchanged.", {"finish": lambda a, b, none: (b, a)}),
    ("behind", "The second number is one too many: it is the last token of the answer, not the one behind it.", {"finish": lambda a, b, none: (a, b + 1)}),
    ("length", "The second number is the length of the answer; it should be the place of its last token.", {"finish": lambda a, b, none: (a, b - a + 1)}),
    ("minus-one", "Where nothing is allowed this gives -1; the docstring says (0, 0).",
     {"finish": lambda a, b, none: (a.masked_fill(none, -1), b.masked_fill(none, -1))}),
    ("lists", "These are lists of numbers; tensors are wanted, one number a text.", {"finish": lambda a, b, none: (a.tolist(), b.tolist())}),
    ("one-pair", "One pair is found for the whole batch; every text has its own.",
     {"pick": lambda table: (table.flatten().argmax() % table.shape[-1]).expand(len(table))}),
]:  # fmt: skip
    e.mistake(name, says)(span_variant(**flags))


@e.mistake(
    "small-penalty",
    "Where nothing is allowed the best of all spans comes out; the docstring says (0, 0).",
)
def _(start, end, allowed, longest=30):
    penalty = -1e4 * (~allowed).float()
    n = start.shape[-1]
    possible = torch.ones(n, n, dtype=torch.bool).triu().tril(longest - 1)
    table = (start + penalty).unsqueeze(-1) + (end + penalty).unsqueeze(-2)
    best = table.masked_fill(~possible, -torch.inf).flatten(1).argmax(-1)
    return best // n, best % n


def each_for_itself(start, end, allowed):
    return tuple(x.masked_fill(~allowed, -torch.inf).argmax(-1) for x in (start, end))


@e.mistake(
    "end-before-start",
    "The best start and the best end are taken each for itself, so an end may come before its start, and such a span holds no text"
    " at all. Keep the pairs with last ≥ first.",
)
def _(start, end, allowed, longest=30):
    return each_for_itself(start, end, allowed)


@e.mistake(
    "clipped",
    "The best start and the best end are taken each for itself, and an end before the start is moved onto it: that is hardly the best pair.",
)
def _(start, end, allowed, longest=30):
    first, last = each_for_itself(start, end, allowed)
    return first, torch.maximum(first, last)


@e.mistake(
    "start-first",
    "The best start is fixed first, and only then an end is looked for; a weaker start may have the better pair.",
)
def _(start, end, allowed, longest=30):
    first = start.masked_fill(~allowed, -torch.inf).argmax(-1)
    places = torch.arange(start.shape[-1])
    behind = (places >= first.unsqueeze(-1)) & (places < first.unsqueeze(-1) + longest)
    return first, end.masked_fill(~(allowed & behind), -torch.inf).argmax(-1)


@e.mistake(
    "end-first",
    "The best end is fixed first, and only then a start is looked for; a weaker end may have the better pair.",
)
def _(start, end, allowed, longest=30):
    last = end.masked_fill(~allowed, -torch.inf).argmax(-1)
    places = torch.arange(start.shape[-1])
    before = (places <= last.unsqueeze(-1)) & (places > last.unsqueeze(-1) - longest)
    return start.masked_fill(~(allowed & before), -torch.inf).argmax(-1), last


@e.mistake(
    "in-place",
    "The answer is right, but the scores that were given are changed: masked_fill_ and `start[...] = ` write into them.",
)
def _(start, end, allowed, longest=30):
    right = best_span(start, end, allowed, longest)
    for scores in (start, end):
        scores.masked_fill_(~allowed, -torch.inf)
    return right


# ---- 11.4 the score of answers -------------------------------------------------------------------

SHORT, LONG = "a very old, fat, black cat", "The cat, the black one, sat on a very old mat."

e = define(
    "11.4",
    answer_f1,
    "How much of the answer is right?",
    minutes=12,
    difficulty=2,
    parts=[
        ("three words too many", 2, lambda f: f(SHORT, ["The black cat!"])),
        ("some words too many, some too few", 1, lambda f: f(SHORT, [LONG])),
        ("the best of several answers", 1, lambda f: f("in the old town", ["Town hall", "Paris", "an old, old town", "the town"])),
        ("two answers, one with half of the words and one with more", 1, lambda f: f("red green blue", ["red", "blue green red grey pink teal brown"])),
        ("a word said more often than wanted", 1, lambda f: f("no no no, never", ["no, no"])),
        ("a word wanted more often than said", 1, lambda f: f("no way", ["No, no, no, there is no way"])),
        ("the same words in another order", 1, lambda f: f("Smith, John A.", ["a John Smith"])),
        ("case apart, two words alike", 1, lambda f: f("Red fox jumps", ["red FOX sleeps soundly"])),
        ("nothing in common", 1, lambda f: f("a dog", ["the cat"])),
        ("nothing said", 1, lambda f: f("", ["the cat"])),
        ("no words on either side", 1, lambda f: f("The", ["a!", "..."])),
    ],
    hints=[
        "`normalise_answer` takes case, punctuation and articles away, and `.split()` makes words. How many words do the two have in"
        " common, a word said twice counting twice?",
        "`(Counter(a) & Counter(b)).total()` counts them. F1 is 2 × common / (words given + words wanted). Of several answers take the one"
        " that gives most. No words at all must not divide by zero.",
        "For each answer: `a, b = normalise_answer(given).split(), normalise_answer(answer).split()`;"
        " `2 * common / (len(a) + len(b))`, or 0.0 where nothing is in common; then `return max(…)`.",
    ],
)  # fmt: skip


def normal_words(text: str) -> list[str]:
    return normalise_answer(text).split()


def in_common(a: list, b: list) -> int:
    return (Counter(a) & Counter(b)).total()


def ratio(c, a, b):
    return 2 * c / (a + b) if c else 0.0


def f1_variant(words=normal_words, wanted=None, common=in_common, score=ratio, combine=max):
    def wrong(given, answers):
        pairs = [(words(given), (wanted or words)(answer)) for answer in answers]
        return combine([score(common(a, b), len(a), len(b)) for a, b in pairs])

    return wrong


def without_punctuation(text: str) -> list[str]:
    return "".join(c for c in text.lower() if c.isalnum() or c == " ").split()


def lower(text: str) -> list[str]:
    return text.lower().split()


for name, says, flags in [
    ("not-normalised", "The words are compared as typed: “cat!” and “cat”, “The” and “the” are then different.", {"words": str.split}),
    ("lower-alone", "Only the case is taken away; punctuation and articles are still there. normalise_answer takes away all three.", {"words": lower}),
    ("articles", "The articles are still there: SQuAD leaves out a, an and the.", {"words": without_punctuation}),
    ("given-alone-normalised", "Only the answer that was given is normalised; the ones that it is compared with have to be, too.", {"wanted": str.split}),
    ("wanted-alone-normalised", "Only the answers that count are normalised; the one that was given has to be, too.", {"words": str.split, "wanted": normal_words}),
    ("sets", "A word that was said twice counts once: count with repetition.", {"words": lambda text: list(dict.fromkeys(normal_words(text)))}),
    ("common-as-set", "The words in common are counted as a set, the words of each with repetition; a word that both have twice is two in common.",
     {"common": lambda a, b: len(set(a) & set(b))}),
    ("as-often-as-given", "A given word counts each time that it is said, however often the answer has it; it counts as often as both have it.",
     {"common": lambda a, b: sum(w in b for w in a)}),
    ("same-place", "Words count only where they stand at the same place (zip); F1 asks which words are in common, wherever they stand.",
     {"common": lambda a, b: sum(x == y for x, y in zip(a, b, strict=False))}),
    ("precision", "This is precision, the share of the given words that are right; a word too few costs nothing.", {"score": lambda c, a, b: c / a if a else 0.0}),
    ("recall", "This is recall, the share of the answer's words that were said; whoever says the whole text gets it all.", {"score": lambda c, a, b: c / b if b else 0.0}),
    ("arithmetic", "This is the ordinary mean of precision and recall; F1 is the harmonic one, 2PR / (P + R).", {"score": lambda c, a, b: (c / a + c / b) / 2 if c else 0.0}),
    ("jaccard", "Words in common are divided by all different ones of both together; F1 divides twice their number by the sum of both lengths.",
     {"score": lambda c, a, b: c / (a + b - c) if c else 0.0}),
    ("first-answer", "Only the first answer counts here; the one that suits best does.", {"combine": lambda scores: scores[0]}),
    ("last-answer", "Only the last answer counts here; the one that suits best does.", {"combine": lambda scores: scores[-1]}),
    ("mean", "This is the mean over the answers; the one that suits best counts.", {"combine": lambda scores: sum(scores) / len(scores)}),
    ("worst", "This is the answer that suits worst; the one that suits best counts.", {"combine": min}),
    ("sum", "The scores of all answers are added; the one that suits best counts.", {"combine": sum}),
    ("characters", "Characters are compared, not words: split the text.", {"words": lambda text: list(normalise_answer(text))}),
    ("half", "The 2 is missing: F1 is 2PR / (P + R).", {"score": lambda c, a, b: c / (a + b) if a + b else 0.0}),
    ("per-cent", "This is in per cent; F1 lies between 0 and 1.", {"score": lambda c, a, b: 100 * ratio(c, a, b)}),
    ("exact", "This asks for exactly the answer; F1 gives credit for a part of it.", {"common": lambda a, b: int(a == b), "score": lambda c, a, b: float(c)}),
    ("one-for-nothing", "Where neither text has a word this gives 1; the docstring says 0.", {"score": lambda c, a, b: ratio(c, a, b) if a + b else 1.0}),
]:  # fmt: skip
    e.mistake(name, says)(f1_variant(**flags))


@e.mistake(
    "thrown-together",
    "The words of all answers are thrown together; the given one is to be compared with each answer, and the best score counts.",
)
def _(given, answers):
    a, b = normal_words(given), [w for answer in answers for w in normal_words(answer)]
    return ratio(in_common(a, b), len(a), len(b))


@e.mistake(
    "best-of-both",
    "The best precision and the best recall are joined, though they may be those of different answers; take F1 of each answer, then the best.",
)
def _(given, answers):
    a = normal_words(given)
    pairs = [(in_common(a, b), len(b)) for b in map(normal_words, answers)]
    p, r = max(c / max(len(a), 1) for c, _ in pairs), max(c / max(n, 1) for c, n in pairs)
    return 2 * p * r / (p + r) if p + r else 0.0


# ---- 11.5 a tag for every word -------------------------------------------------------------------

WORDS = [-1, 0, 0, 1, 2, 2, 2, 3, 4, 4, -1]
TAGS = [5, 0, 3, 7, 6]


def tags_afterwards(f) -> dict[str, list]:
    words, tags = list(WORDS), list(TAGS)
    f(words, tags)
    return {"words, afterwards": words, "labels, afterwards": tags}


e = define(
    "11.5",
    first_piece_labels,
    "A label for each word, pieces or not",
    minutes=8,
    difficulty=1,
    parts=[
        ("five words in nine pieces", 2, lambda f: f(list(WORDS), list(TAGS))),
        ("every word one piece", 1, lambda f: f([-1, 0, 1, 2, -1], [2, 6, 8])),
        ("cut off: the last words have no piece", 1, lambda f: f([-1, 0, 1, 1, -1], [5, 6, 7, 8])),
        ("no special tokens", 1, lambda f: f([0, 1, 1, 2], [3, 7, 5])),
        ("one word in three pieces, and padding", 1, lambda f: f([-1, 0, 0, 0, -1, -1, -1], [9])),
        ("special tokens alone", 1, lambda f: f([-1, -1], [9])),
        kind_of(lambda f: f(list(WORDS), list(TAGS))),
        ("what was given", 1, tags_afterwards, "a list that was given is changed: labels are to be looked up, not taken away"),
    ],
    hints=[
        "A piece is the first of its word when the piece before it belongs to another word, or to none.",
        "Go through the pieces and keep in mind the word of the one before. Three cases: no word (-1); the same word as before; another."
        " Only the last gets a label.",
        "`before = [-1, *words[:-1]]`, then `return [labels[w] if w >= 0 and w != last else IGNORED for last, w in zip(before, words)]`.",
    ],
)  # fmt: skip


def label_variant(
    first=lambda last, w, following: w >= 0 and w != last,
    none=lambda w: IGNORED,
    value=lambda labels, w: labels[w],
    finish=list,
    keep=lambda words: words,
):
    def wrong(words, labels):
        words = keep(words)
        rows = zip([-1, *words[:-1]], words, [*words[1:], -1], strict=True)
        return finish(
            value(labels, w) if first(last, w, following) else none(w) for last, w, following in rows
        )

    return wrong


for name, says, flags in [
    ("every-piece", "Every piece is asked for its word's label: a name of one word would count as several names that begin.",
     {"first": lambda last, w, following: w >= 0}),
    ("special-tokens", "[CLS] and [SEP] get a label, the last word's: labels[-1] looks from the end. They get -100.",
     {"first": lambda last, w, following: w != last or w < 0}),
    ("last-piece", "The label stands at the word's last piece; it belongs at the first.", {"first": lambda last, w, following: w >= 0 and w != following}),
    ("zero", "Places that do not count get 0 here, which is a label (O); they get IGNORED, -100.", {"none": lambda w: 0}),
    ("zero-special", "Special tokens get 0 here, which is a label (O); they get IGNORED, -100, like the other pieces.", {"none": lambda w: 0 if w < 0 else IGNORED}),
    ("zero-pieces", "The other pieces of a word get 0 here, which is a label (O); they get IGNORED, -100, like special tokens.", {"none": lambda w: IGNORED if w < 0 else 0}),
    ("minus-one", "Places that do not count get -1; torch's cross_entropy, and so this course, leaves out -100.", {"none": lambda w: -1}),
    ("none", "Places that do not count get None; they get the number IGNORED, -100.", {"none": lambda w: None}),
    ("other-pieces", "It is turned round: the first piece is left out, and the others are asked.", {"first": lambda last, w, following: w >= 0 and w == last}),
    ("first-word-none", "Word 0 gets no label: `if word` takes its number for False. Ask whether it is 0 or more.", {"first": lambda last, w, following: w > 0 and w != last}),
    ("words-of-one-piece", "Words of several pieces get no label at all; their first piece has it.",
     {"first": lambda last, w, following: w >= 0 and w not in (last, following)}),
    ("after-special", "Only a word behind a special token gets a label; a word begins wherever the piece before belongs to another word.",
     {"first": lambda last, w, following: w >= 0 and last == -1}),
    ("number", "These are the numbers of the words; look up each word's label.", {"value": lambda labels, w: w}),
    ("one-early", "Each word gets the label of the word before it.", {"value": lambda labels, w: labels[w - 1]}),
    ("no-special", "Special tokens are left out, so the list is shorter than the pieces; they get -100.", {"keep": lambda words: [w for w in words if w >= 0]}),
    ("tuple", "This is a tuple; a list is wanted.", {"finish": tuple}),
    ("tensor", "This is a tensor; a list of numbers is wanted.", {"finish": lambda x: torch.tensor(list(x))}),
]:  # fmt: skip
    e.mistake(name, says)(label_variant(**flags))


@e.mistake(
    "words", "There is one label a word; wanted is one number for each piece, special tokens included."
)
def _(words, labels):
    return [labels[w] for w in dict.fromkeys(words) if w >= 0]


@e.mistake(
    "by-place",
    "Labels are looked up by the place of the piece; they are the words', so look them up by the word's number.",
)
def _(words, labels):
    before = [-1, *words[:-1]]
    return [
        (labels[i] if i < len(labels) else IGNORED) if w >= 0 and w != last else IGNORED
        for i, (last, w) in enumerate(zip(before, words, strict=True))
    ]


@e.mistake(
    "taken-away",
    "The result is right, but the labels that were given are used up: pop takes them off the list.",
)
def _(words, labels):
    right = first_piece_labels(words, labels)
    del labels[: 1 + max(words)]
    return right


@e.mistake(
    "second-piece",
    "The second piece of a word is labelled; it is the first: compare a piece with the one before it, not the one before that.",
)
def _(words, labels):
    before, earlier = [-1, *words[:-1]], [-1, -1, *words[:-2]]
    return [
        labels[w] if w >= 0 and w == last and w != two else IGNORED
        for two, last, w in zip(earlier[: len(words)], before, words, strict=True)
    ]


# ---- 11.6 the score of names ---------------------------------------------------------------------


def some_tags() -> tuple[list[list[str]], list[list[str]]]:
    """Names of three kinds that are half found, of another kind, in another sentence, begun with an I."""
    right = [
        "B-PER I-PER O B-LOC O",
        "O B-LOC I-LOC I-LOC B-PER",
        "O O B-PER B-LOC",
        "B-PER I-PER O B-LOC I-LOC",
        "I-ORG I-ORG O B-PER B-PER O",
        "I-LOC O O",
    ]
    given = [
        "B-PER I-PER O B-PER O",
        "O B-LOC I-LOC O B-PER",
        "B-LOC O B-LOC B-PER",
        "O B-PER O O B-LOC",
        "I-ORG I-ORG O I-PER B-LOC B-LOC",
        "O B-ORG O",
    ]
    return [x.split() for x in right], [x.split() for x in given]


def refused_tags(right, given):
    return lambda f: f([x.split() for x in right], [x.split() for x in given])


e = define(
    "11.6",
    entity_scores,
    "Precision, recall and F1 of names",
    minutes=15,
    difficulty=2,
    parts=[
        ("six sentences", 2, lambda f: f(*some_tags())),
        ("right and given exchanged", 1, lambda f: f(*some_tags()[::-1])),
        ("the same name in two sentences", 1, lambda f: f([["B-PER"], ["B-PER"]], [["B-PER"], ["O"]])),
        ("a name at the end, and one that begins with an I", 1, lambda f: f([["O", "B-LOC"], ["I-LOC", "O"]], [["O", "B-LOC"], ["O", "O"]])),
        ("everything right", 1, lambda f: f(some_tags()[0], some_tags()[0])),
        ("nothing found", 1, lambda f: f([["B-PER", "O"]], [["O", "O"]])),
        ("nothing to find", 1, lambda f: f([["O", "O", "O"]], [["O", "B-PER", "I-PER"]])),
        ("nothing to find and nothing found", 1, lambda f: f([["O", "O"]], [["O", "O"]])),
        kind_of(lambda f: f(*some_tags())),
        refusals(
            {
                "no sentences": (ValueError, refused_tags([], [])),
                "a sentence that was given no tags": (ValueError, refused_tags(["B-PER O", "O"], ["B-PER O"])),
                "a sentence with a tag too few": (ValueError, refused_tags(["B-PER O O", "O"], ["B-PER O", "O"])),
                "sentences cut at other places": (ValueError, refused_tags(["B-PER O O", "O"], ["B-PER O", "O O"])),
            },
            "what cannot be scored",
        ),
    ],
    hints=[
        "`entities(tags)` lists the names of one sentence: kind, first word, last word. Two names are the same if all three agree. How many"
        " are in both lists? (Begin with what the docstring refuses.)",
        "Keep the number of the sentence with each name, or a name found in the wrong sentence will count. Precision divides the hits by"
        " what was found, recall by what there is; where that is 0, the score is 0.",
        "With two sets `wanted` and `found` of pairs (sentence, entity): `hits = len(wanted & found)`; precision `hits / len(found)`,"
        " recall `hits / len(wanted)`, F1 `2 * hits / (len(found) + len(wanted))`; `return Score(…)`.",
    ],
)  # fmt: skip


def scored(hits: int, found: int, wanted: int, none: float = 0.0) -> Score:
    precision, recall = hits / found if found else none, hits / wanted if wanted else none
    return Score(precision, recall, 2 * hits / (found + wanted) if found + wanted else none)


def check_tags(right, given):
    if (
        not right
        or len(right) != len(given)
        or any(len(a) != len(b) for a, b in zip(right, given, strict=True))
    ):
        raise ValueError("tags do not fit")


def check_sentences(right, given):
    if not right or len(right) != len(given):
        raise ValueError("tags do not fit")


def entity_variant(things=entities, finish=scored, check=check_tags):
    """``things`` lists what is to be found in a sentence."""

    def wrong(right, given):
        check(right, given)
        wanted, found = ({(i, x) for i, tags in enumerate(s) for x in things(tags)} for s in (right, given))
        return finish(len(wanted & found), len(found), len(wanted))

    return wrong


def words_with_tags(tags):
    return [(at, tag) for at, tag in enumerate(tags) if tag != "O"]


def begun_with_b(tags):
    """An I without a B before it begins nothing."""
    return [x for x in entities(tags) if tags[x.first][0] == "B"]


def changed(score: Score, **fields) -> Score:
    return score._replace(**fields)


def harmonic(p: float, r: float) -> float:
    return 2 * p * r / (p + r) if p + r else 0.0


for name, says, flags in [
    ("per-token", "Words are counted, not names: whoever finds two words of a name of three has found no name. Compare whole entities.", {"things": words_with_tags}),
    ("o-too", "Every word counts, with its tag right or wrong, those that are no names too: with so many O, saying nothing but O looks good.", {"things": lambda tags: list(enumerate(tags))}),
    ("first-word", "Only the kind and where a name begins are compared, not where it ends.", {"things": lambda tags: [x[:2] for x in entities(tags)]}),
    ("last-word", "A name counts as found if its kind and its last word are right; both ends must be.", {"things": lambda tags: [(x.kind, x.last) for x in entities(tags)]}),
    ("any-kind", "The kind is not compared: a place taken for a person is wrong.", {"things": lambda tags: [x[1:] for x in entities(tags)]}),
    ("begun-with-b", "A name that begins with an I is not seen; `entities` finds it, for so the shared task's script has it.", {"things": begun_with_b}),
    ("exchanged", "Precision and recall are exchanged: precision is about what was found, recall about what there is.",
     {"finish": lambda h, f, w: scored(h, w, f)}),
    ("mean", "F1 is the harmonic mean, 2PR / (P + R); this is the ordinary one.",
     {"finish": lambda h, f, w: (lambda s: changed(s, f1=(s.precision + s.recall) / 2))(scored(h, f, w))}),
    ("half", "The 2 of F1 is missing: it is 2PR / (P + R).", {"finish": lambda h, f, w: (lambda s: changed(s, f1=s.f1 / 2))(scored(h, f, w))}),
    ("per-cent", "These are per cent; the scores lie between 0 and 1.", {"finish": lambda h, f, w: Score(*(100 * x for x in scored(h, f, w)))}),
    ("counts", "These are counts; precision and recall are shares.", {"finish": lambda h, f, w: changed(scored(h, f, w), precision=float(h), recall=float(h))}),
    ("plain-tuple", "The three come back as a plain tuple; put them into a Score, whose fields have names.", {"finish": lambda h, f, w: tuple(scored(h, f, w))}),
    ("one-for-nothing", "Where it would be a division by zero this gives 1; the docstring says 0.", {"finish": lambda h, f, w: scored(h, f, w, none=1.0)}),
    ("unchecked", "What cannot be scored is not refused: the docstring lists what is to raise a ValueError.", {"check": lambda right, given: None}),
    ("sentences-alone-checked", "The number of sentences is checked, and not the number of tags in each; the docstring promises a ValueError there, too.",
     {"check": check_sentences}),
]:  # fmt: skip
    e.mistake(name, says)(entity_variant(**flags))


@e.mistake("any-sentence", "A name counts wherever it stands: keep the sentence's number with it.")
def _(right, given):
    check_tags(right, given)
    wanted, found = ({x for tags in s for x in entities(tags)} for s in (right, given))
    return scored(len(wanted & found), len(found), len(wanted))


@e.mistake(
    "by-sentence",
    "The scores of each sentence are averaged; names are counted over all sentences together.",
)
def _(right, given):
    check_tags(right, given)
    each = [entity_scores([a], [b]) for a, b in zip(right, given, strict=True)]
    return Score(*(sum(column) / len(each) for column in zip(*each, strict=True)))


def names_of(sentences, kind=None):
    return {(i, x) for i, tags in enumerate(sentences) for x in entities(tags) if kind in (None, x.kind)}


@e.mistake(
    "by-kind",
    "The scores of each kind of name are averaged (macro); names of all kinds are counted together (micro).",
)
def _(right, given):
    check_tags(right, given)
    kinds = sorted({x.kind for _, x in names_of(right) | names_of(given)})
    pairs = [(names_of(right, kind), names_of(given, kind)) for kind in kinds]
    each = [scored(len(a & b), len(b), len(a)) for a, b in pairs] or [Score(0.0, 0.0, 0.0)]
    return Score(*(sum(column) / len(each) for column in zip(*each, strict=True)))


@e.mistake(
    "one-text",
    "All sentences are read as one: a name at the end of one runs on into the next where that begins with an I. Read each by itself.",
)
def _(right, given):
    check_tags(right, given)
    wanted, found = ({*entities([tag for tags in s for tag in tags])} for s in (right, given))
    return scored(len(wanted & found), len(found), len(wanted))


@e.mistake("overlap", "A name counts as found if any of its words is; both ends must be right.")
def _(right, given):
    check_tags(right, given)
    hits = sum(
        any(a.kind == b.kind and a.first <= b.last and b.first <= a.last for a in entities(x))
        for x, y in zip(right, given, strict=True)
        for b in entities(y)
    )
    return scored(hits, len(names_of(given)), len(names_of(right)))


# ---- 11.7 what was replaced ----------------------------------------------------------------------

MASK = 4


def gaps() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Inputs with [MASK]s, the labels, and guesses everywhere; two guesses are right, one original is token 0.

    A guess is also the input, and a token that was not hidden is one that stands in a gap elsewhere.
    """
    inputs = torch.tensor([[7, MASK, MASK, 8, 6], [MASK, 9, 5, MASK, 5], [3, 11, MASK, 12, MASK]])
    labels = torch.tensor([[-100, 5, 6, -100, -100], [7, -100, -100, 9, -100], [-100, -100, 0, -100, 13]])
    guesses = torch.tensor([[7, 5, 9, 6, 8], [8, 5, 5, 9, 7], [1, 11, 6, 10, 2]])
    return inputs, labels, guesses


def no_mask_token() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Some of the chosen tokens stand as they are, or another token stands there: BERT's 80/10/10."""
    inputs = torch.tensor([[7, 5, 3, 8, 0, 6, MASK]])
    labels = torch.tensor([[-100, 5, 6, 8, 0, 9, -100]])
    return inputs, labels, torch.tensor([[1, 5, 6, 9, 2, 6, 3]])


case, unmasked = Case(gaps), Case(no_mask_token)

e = define(
    "11.7",
    replace_tokens,
    "What was replaced?",
    minutes=10,
    difficulty=2,
    parts=[
        case.part("three texts", 2),
        case.part("every guess is right", change=lambda i, y, g: (i, y, y.where(y != IGNORED, g))),
        unmasked.part("where no [MASK] stands"),
        case.part("one text", change=lambda i, y, g: (i[1:2], y[1:2], g[1:2])),
        case.part("nothing hidden", change=lambda i, y, g: (g, torch.full_like(y, IGNORED), i)),
        case.keeps_inputs(),
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
    finish=lambda r, w, i: (r, w),
    hidden_of=lambda y: y != IGNORED,
):
    def wrong(inputs, labels, guesses):
        hidden = hidden_of(labels)
        found = read(hidden, inputs, labels, guesses)
        return finish(found, replaced(hidden, inputs, labels, guesses, found), inputs)

    return wrong


for name, says, flags in [
    ("right-guesses-count", "A right guess counts as replaced; it is the author's word, and nobody could tell it from the original.",
     {"replaced": lambda hidden, i, y, g, r: hidden}),
    ("turned-round", "True and False are exchanged: True is what was replaced.", {"replaced": lambda hidden, i, y, g, r: ~(hidden & (r != y))}),
    ("right-guesses-alone", "True stands where a guess is right; it is to stand where it is wrong.", {"replaced": lambda hidden, i, y, g, r: hidden & (r == y)}),
    ("guesses-everywhere", "The guesses stand everywhere; the generator fills the gaps and leaves the other tokens alone.", {"read": lambda hidden, i, y, g: g}),
    ("guesses-elsewhere", "The guesses stand where nothing was hidden, and the gaps stay: the two are exchanged.",
     {"read": lambda hidden, i, y, g: i.where(hidden, g), "replaced": lambda hidden, i, y, g, r: hidden & (g != y)}),
    ("guesses-elsewhere-compared", "The guesses stand where nothing was hidden, and the gaps stay, so that every gap counts as replaced: the two are exchanged.",
     {"read": lambda hidden, i, y, g: i.where(hidden, g)}),
    ("masks-stay", "The inputs are read as they are, [MASK]s included: the discriminator is to read the generator's guesses in their place.",
     {"read": lambda hidden, i, y, g: i, "replaced": lambda hidden, i, y, g, r: hidden & (g != y)}),
    ("wrong-guesses-alone", "Only wrong guesses are put in; where a guess is right, the input stays, [MASK] say. Every hidden place gets its guess.",
     {"read": lambda hidden, i, y, g: g.where(hidden & (g != y), i), "replaced": lambda hidden, i, y, g, r: hidden & (g != y)}),
    ("against-input", "The guess is compared with the input, where [MASK] stood; compare it with the original, the label.",
     {"replaced": lambda hidden, i, y, g, r: hidden & (r != i)}),
    ("against-labels", "Every token is compared with its label, which is -100 where nothing was hidden: those count as replaced.",
     {"replaced": lambda hidden, i, y, g, r: r != y}),
    ("answers", "The original tokens stand in the gaps, so that nothing is ever replaced; put the guesses there.", {"read": lambda hidden, i, y, g: y.where(hidden, i)}),
    ("answers-shown", "What is replaced is right, but the original tokens stand in the gaps; put the guesses there.",
     {"read": lambda hidden, i, y, g: y.where(hidden, i), "replaced": lambda hidden, i, y, g, r: hidden & (g != y)}),
    ("labels-read", "The labels themselves come back as what is read, with -100 at all places where nothing was hidden; the input stands there.",
     {"read": lambda hidden, i, y, g: y, "replaced": lambda hidden, i, y, g, r: hidden & (g != y)}),
    ("by-mask-id", "Gaps are looked for by the token [MASK]; what was chosen is what has a label, whatever stands there.",
     {"read": lambda hidden, i, y, g: g.where(i == MASK, i)}),
    ("unchanged-not-guessed", "Where a chosen token stands unchanged in the inputs it gets no guess; it has a label, and so it is replaced by the guess as well.",
     {"read": lambda hidden, i, y, g: g.where(hidden & (i != y), i)}),
    ("positive-labels", "Token 0 is never taken for hidden (labels > 0); a label is any number but -100.", {"hidden_of": lambda y: y > 0}),
    ("first-text", "The first text decides for all which places were hidden; each has its own.", {"hidden_of": lambda y: (y[:1] != IGNORED).expand_as(y)}),
    ("float", "The second is a float tensor; it is to be boolean, True or False.", {"finish": lambda r, w, i: (r, w.float())}),
    ("numbers", "The second holds 0 and 1; it is to be boolean, True or False.", {"finish": lambda r, w, i: (r, w.long())}),
    ("swapped", "The two are returned in the wrong order: first what is read, then what was replaced.", {"finish": lambda r, w, i: (w, r)}),
    ("in-place", "What comes back is right, but the inputs that were given are changed: write the guesses into a copy.", {"finish": lambda r, w, i: (i.copy_(r), w)}),
]:  # fmt: skip
    e.mistake(name, says)(replace_variant(**flags))


@e.mistake(
    "hidden-alone", "Only the hidden places come back, in a row; the discriminator reads the whole texts."
)
def _(inputs, labels, guesses):
    hidden = labels != IGNORED
    return guesses[hidden], guesses[hidden] != labels[hidden]


# ---- 11.8 relative positions ---------------------------------------------------------------------

e = define(
    "11.8",
    relative_distances,
    "How far away, and on which side",
    minutes=8,
    difficulty=1,
    parts=[
        ("seven tokens, a table of 2 · 3 rows", 2, lambda f: f(7, 3)),
        ("a table that reaches further than the text", 1, lambda f: f(4, 9)),
        ("a table of two rows", 1, lambda f: f(5, 1)),
        ("eleven tokens, a table of 2 · 5 rows", 1, lambda f: f(11, 5)),
        ("one token", 1, lambda f: f(1, 6)),
    ],
    hints=[
        "Make the table of i - j first: query i down, key j across. What stands on its diagonal? What sign has a key on the left?",
        "`places.unsqueeze(-1) - places` is i - j. Rows of a table are numbered from 0, so shift by span; and what is too far away gets"
        " the outermost row: `clamp`. Mind that 2 · span rows are numbered up to 2 · span - 1.",
        "`places = torch.arange(n)`, then `return (places.unsqueeze(-1) - places + span).clamp(0, 2 * span - 1)`.",
    ],
)  # fmt: skip


def distance_variant(
    difference=lambda i, j: i - j,
    finish=lambda d, n, span: (d + span).clamp(0, 2 * span - 1),
    size=lambda n, span: n,
):
    def wrong(n, span):
        places = torch.arange(size(n, span))
        return finish(difference(places.unsqueeze(-1), places.unsqueeze(0)), n, span)

    return wrong


for name, says, flags in [
    ("sign", "The sign is swapped: it is i - j, the query's position minus the key's; left and right are exchanged.", {"difference": lambda i, j: j - i}),
    ("no-side", "The side is lost: a key on the left and one on the right at the same distance get one row.", {"difference": lambda i, j: (i - j).abs()}),
    ("one-way", "Keys on the right all count as distance 0, as under a causal mask; DeBERTa looks both ways, and each side has its rows.",
     {"difference": lambda i, j: (i - j).clamp(min=0)}),
    ("plus", "The two positions are added; wanted is i - j.", {"difference": lambda i, j: i + j}),
    ("from-one", "Every distance is one too great: queries and keys have to be counted from the same number.", {"difference": lambda i, j: i + 1 - j}),
    ("one-too-small", "Every row is one too small: the token itself has row span.", {"difference": lambda i, j: i - j - 1}),
    ("not-shifted", "The distances are not shifted by span: everything to the right falls on row 0.", {"finish": lambda d, n, span: d.clamp(0, 2 * span - 1)}),
    ("negative", "Distances are cut off on both sides, but span is not added: rows of a table are numbered from 0.", {"finish": lambda d, n, span: d.clamp(-span, span - 1)}),
    ("not-cut", "What is too far away is not cut off: there are no such rows in the table.", {"finish": lambda d, n, span: d + span}),
    ("cut-above-alone", "Only one side is cut off: keys far to the right get rows below 0. Clamp on both sides.", {"finish": lambda d, n, span: (d + span).clamp(max=2 * span - 1)}),
    ("cut-below-alone", "Only one side is cut off: keys far to the left get rows beyond the table. Clamp on both sides.", {"finish": lambda d, n, span: (d + span).clamp(min=0)}),
    ("one-too-many", "Row 2 · span does not exist: rows are numbered from 0 to 2 · span - 1.", {"finish": lambda d, n, span: (d + span).clamp(0, 2 * span)}),
    ("one-too-few", "The last row is never used: it has the number 2 · span - 1.", {"finish": lambda d, n, span: (d + span).clamp(0, 2 * span - 2)}),
    ("row-0-never", "Row 0 is never used: distances are cut at span - 1 on both sides, and to the right they reach to -span.",
     {"finish": lambda d, n, span: d.clamp(1 - span, span - 1) + span}),
    ("half-the-table", "The table is taken to have span rows; it has 2 · span, half of them for each side.", {"finish": lambda d, n, span: (d + span).clamp(0, span - 1)}),
    ("wraps", "What is too far away comes round from the other end (%); it is to share the outermost row.", {"finish": lambda d, n, span: (d + span) % (2 * span)}),
    ("shifted-by-n", "The distances are shifted by the number of tokens; it is span, the middle of the table.", {"finish": lambda d, n, span: (d + n).clamp(0, 2 * span - 1)}),
    ("floats", "These are floats; a table is looked up with whole numbers.", {"finish": lambda d, n, span: (d + span).clamp(0, 2 * span - 1).float()}),
    ("lists", "These are nested lists; a tensor is wanted.", {"finish": lambda d, n, span: (d + span).clamp(0, 2 * span - 1).tolist()}),
    ("batch-axis", "There is an axis of length 1 in front; wanted is [query, key] alone.", {"finish": lambda d, n, span: (d + span).clamp(0, 2 * span - 1)[None]}),
    ("n-ignored", "The result has as many rows as the table, 2 · span; it has one for each of the n tokens, and as many columns.", {"size": lambda n, span: 2 * span}),
]:  # fmt: skip
    e.mistake(name, says)(distance_variant(**flags))


@e.mistake("absolute", "This is the key's own position; wanted is how far the key is from the query.")
def _(n, span):
    return torch.arange(n).expand(n, n).clamp(0, 2 * span - 1)


# ---- 11.9 three scores ---------------------------------------------------------------------------


def contents(*batch: int):
    """Queries, keys and irregular rows of a table of 6."""
    return randn(*batch, 5, 7), randn(*batch, 5, 7, seed=1), ids(5, 5, below=6, seed=4)


def content_case(*batch: int):
    return Case(lambda: contents(*batch))


def keys(*batch: int):
    return randn(*batch, 6, 7, seed=2)


def queries(*batch: int):
    return randn(*batch, 6, 7, seed=3)


def with_tables(*batch: int):
    return Case(lambda: (*contents(*batch), keys(*batch), queries(*batch)))


case = content_case(3)

e = define(
    "11.9",
    disentangled_score,
    "Content and position, kept apart",
    minutes=20,
    difficulty=3,
    parts=[
        case.part("content to content alone"),
        case.part("and content to position", relative_key=keys(3)),
        case.part("and position to content", 2, relative_query=queries(3)),
        with_tables(3).part("all three"),
        case.part("true distances", change=lambda q, k, d: (q, k, relative_distances(5, 3), keys(3), queries(3))),
        with_tables().part("no axis in front"),
        with_tables(2, 3).part("two axes in front"),
        content_case(2, 3).part("tables for each head, shared by the texts", relative_key=keys(3), relative_query=queries(3)),
        content_case(2, 3).part("one table for all", relative_key=keys(), relative_query=queries()),
        with_tables(3).gradients(),
        with_tables(3).kind(torch.float64),
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


def c2p(q, k, d, table, s):
    return (q @ table.mT).gather(-1, d.expand_as(s))


def p2c(q, k, d, table, s):
    return (k @ table.mT).gather(-1, d.mT.expand_as(s)).mT


def score_variant(
    to_position=c2p,
    to_content=p2c,
    scale=lambda parts, d: math.sqrt(parts * d),
    content=lambda s, both: s,
    change=lambda relative_key, relative_query: (relative_key, relative_query),
    more=lambda s, key, query, d: (0, 0),
    finish=lambda s: s,
):
    def wrong(query, key, distances, relative_key=None, relative_query=None):
        product, parts = query @ key.mT, 1
        relative_key, relative_query = change(relative_key, relative_query)
        scores = content(product, not (relative_key is None and relative_query is None))
        if relative_key is not None:
            scores, parts = scores + to_position(query, key, distances, relative_key, product), parts + 1
        if relative_query is not None:
            scores, parts = scores + to_content(query, key, distances, relative_query, product), parts + 1
        if relative_key is not None and relative_query is not None:
            also, count = more(product, relative_key, relative_query, distances)
            scores, parts = scores + also, parts + count
        return finish(scores / scale(parts, query.shape[-1]))

    return wrong


def position_to_position(s, key, query, d):
    return (key * query).sum(-1)[..., d], 1


for name, says, flags in [
    ("scale", "The sum is divided by √d_head; with two or three parts it is divided by √(2 · d_head) or √(3 · d_head).", {"scale": lambda parts, d: math.sqrt(d)}),
    ("always-three", "The sum is always divided by √(3 · d_head); only the parts that there are count.", {"scale": lambda parts, d: math.sqrt(3 * d)}),
    ("parts-outside", "The number of parts is outside the root: it is √(parts · d_head), since a sum of independent scores spreads like a root.",
     {"scale": lambda parts, d: parts * math.sqrt(d)}),
    ("no-root", "The root is missing: the sum is divided by √(parts · d_head).", {"scale": lambda parts, d: parts * d}),
    ("no-scale", "The division by √(parts · d_head) is missing.", {"scale": lambda parts, d: 1.0}),
    ("content-alone-scaled", "Only content to content is divided by a root; the whole sum is to be, by √(parts · d_head).",
     {"content": lambda s, both: s / math.sqrt(7), "scale": lambda parts, d: 1.0}),
    ("query-twice", "Position to content is made of the query once more; in it the *key's* content answers.",
     {"to_content": lambda q, k, d, table, s: (q @ table.mT).gather(-1, d.expand_as(s))}),
    ("not-transposed", "Position to content comes out as [j, i], key by query, and is added to [i, j]: transpose it.",
     {"to_content": lambda q, k, d, table, s: (k @ table.mT).gather(-1, d.mT.expand_as(s))}),
    ("as-though-j-were-i", "Position to content is gathered by distances and not turned round: row j of what the keys give is read as though it belonged to query i.",
     {"to_content": lambda q, k, d, table, s: (k @ table.mT).gather(-1, d.expand_as(s))}),
    ("other-side", "The relative query is looked up on the other side, at the distance of j and i. Equation 4 of the paper can be read so; the authors' code,"
     " and all models trained by it, look it up at that of i and j.",
     {"to_content": lambda q, k, d, table, s: (k @ table.mT).gather(-1, d.expand_as(s)).mT}),
    ("sides-exchanged", "Content to position is looked up on the other side: for query i and key j it is row distances[i, j].",
     {"to_position": lambda q, k, d, table, s: (q @ table.mT).gather(-1, d.mT.expand_as(s))}),
    ("key-to-position", "Content to position is made of the key; it is the *query's* content that asks for a position.",
     {"to_position": lambda q, k, d, table, s: (k @ table.mT).gather(-1, d.expand_as(s))}),
    ("in-order", "The rows of the table are taken in order, 0, 1, 2, …, one a key; which row belongs to a query and a key says `distances`.",
     {"to_position": lambda q, k, d, table, s: (q @ table.mT)[..., : s.shape[-1]], "to_content": lambda q, k, d, table, s: (k @ table.mT)[..., : s.shape[-1]].mT}),
    ("tables-exchanged", "The two tables are exchanged: queries meet the relative keys, keys the relative queries.",
     {"change": lambda a, b: (b, a)}),
    ("both-or-none", "Positions are added only when both tables are given; each is added by itself when it is there.",
     {"change": lambda a, b: (a, b) if a is not None and b is not None else (None, None)}),
    ("no-position", "Content to position is left out.", {"to_position": lambda q, k, d, table, s: torch.zeros_like(s)}),
    ("no-position-no-part", "Content to position is left out, and not counted as a part either.", {"change": lambda a, b: (None, b)}),
    ("no-content", "Position to content is left out.", {"to_content": lambda q, k, d, table, s: torch.zeros_like(s)}),
    ("no-content-no-part", "Position to content is left out, and not counted as a part either.", {"change": lambda a, b: (a, None)}),
    ("positions-alone", "Content to content is left out where there are positions; it always counts.", {"content": lambda s, both: 0 * s if both else s}),
    ("four-parts", "Position to position is added as a fourth part; it says nothing about the text and is left out.", {"more": position_to_position}),
    ("softmax", "These are weights, for a softmax was taken; the scores themselves are wanted.", {"finish": lambda s: s.softmax(-1)}),
    ("detached", "The values are right, but no gradient reaches the tables of relative positions: they are detached, and would never learn.",
     {"change": lambda a, b: (None if a is None else a.detach(), None if b is None else b.detach())}),
]:  # fmt: skip
    e.mistake(name, says)(score_variant(**flags))
