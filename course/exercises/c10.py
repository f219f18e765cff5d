"""The exercises of notebook 10: BERT.

Three of the functions are left to chance. They are called on many tokens, and looked at are the shares that
come about, to the nearest twentieth: whoever draws in another order has the same shares.
"""

from types import SimpleNamespace

import torch
import torch.nn.functional as F

from course.exercises.inputs import randn, rows, with_fixed_weights
from course.masking import IGNORED, SPLIT, choose_words, mask_tokens, random_tokens
from course.models.bert import BertConfig
from course.models.bert_heads import MaskedLMHead
from course.next_sentence import IS_NEXT, NOT_NEXT, SentencePair, next_sentence_pairs
from course.studies.bert_pretraining import Rows, pair_rows
from course.studies.head_patterns import offset_score
from course.workbook.record import define

MASK, VOCAB = 4, 200


def share(where: torch.Tensor, of: torch.Tensor | None = None) -> float:
    """How much of it is True, to the nearest twentieth; of nothing, 0."""
    counted = where if of is None else where[of]
    return round(20 * counted.float().mean().item()) / 20 if counted.numel() else 0.0


# ---- 10.1 BERT's masking -----------------------------------------------------------------------------


def many_tokens() -> tuple[torch.Tensor, torch.Tensor]:
    """100,000 ids, one in ten of them special, and where those are."""
    generator = torch.Generator().manual_seed(7)
    special = torch.rand(400, 250, generator=generator) < 0.1
    ids = torch.randint(5, VOCAB, special.shape, generator=generator)
    return ids.masked_fill(special, 2), special


def what_became(f, **settings) -> dict[str, float]:
    ids, special = many_tokens()
    before = ids.clone()
    inputs, labels = f(ids, mask_id=MASK, vocab_size=VOCAB, special_mask=special, **settings)
    asked, changed = labels != IGNORED, inputs != before
    return {
        "of the ordinary tokens, those asked for": share(asked, ~special),
        "of the special tokens, those asked for": share(asked, special),
        "of those asked for, labels that are the original": share(labels == before, asked),
        "of those asked for, [MASK]": share(inputs == MASK, asked),
        "of those asked for, another token": share(changed & (inputs != MASK), asked),
        "of those not asked for, changed": share(changed, ~asked),
        "of the tokens that were given, changed in place": share(ids != before),
    }


def what_is_drawn(f) -> dict[str, float]:
    ids, special = many_tokens()
    inputs, _ = f(ids, mask_id=MASK, vocab_size=VOCAB, special_mask=special, rate=1.0, split=(0.0, 1.0, 0.0),
                  special_ids=range(20))  # fmt: skip
    drawn = inputs[~special]
    return {
        "of the random tokens, special ones": share(drawn < 20),
        "of the other tokens, those that are ever drawn": drawn[drawn >= 20].unique().numel() / (VOCAB - 20),
    }


e = define(
    "10.1",
    mask_tokens,
    "BERT's masking",
    minutes=20,
    difficulty=2,
    parts=[
        ("15 %, of these 80 / 10 / 10", 3, what_became),
        ("50 %, of these 40 / 40 / 20", 1, lambda f: what_became(f, rate=0.5, split=(0.4, 0.4, 0.2))),
        ("100 %, always [MASK]", 1, lambda f: what_became(f, rate=1.0, split=(1.0, 0.0, 0.0))),
        ("which random tokens", 1, what_is_drawn),
    ],
    hints=[
        "Two questions, one after the other: which tokens are chosen, and what becomes of those? The labels depend on the first"
        " question alone.",
        "`chosen = choose_tokens(special_mask, rate, generator)`. Then *one* random number a token decides its fate: below split[0]"
        " it becomes [MASK], between that and split[0] + split[1] a random token, else it stays. `random_tokens` draws one for every"
        " place.",
        "`fate = torch.rand(ids.shape, generator=generator)`, `masked = chosen & (fate < split[0])`, `replaced = chosen & ~masked &"
        " (fate < split[0] + split[1])`. Inputs: `torch.where(replaced, random_tokens(ids, vocab_size, special_ids, generator),"
        " ids).masked_fill(masked, mask_id)`; labels: `ids.masked_fill(~chosen, -100)`.",
    ],
)  # fmt: skip


def masking_variant(
    choose=lambda special, rate: (torch.rand(special.shape) < rate) & ~special,
    replaced_of=lambda fate, split: (fate >= split[0]) & (fate < split[0] + split[1]),
    masked_of=lambda fate, split: fate < split[0],
    touched=lambda chosen, special: chosen,
    labels=lambda ids, inputs, chosen: ids.masked_fill(~chosen, IGNORED),
    draw=random_tokens,
):
    def wrong(
        ids, *, mask_id, vocab_size, special_mask, rate=0.15, split=SPLIT, special_ids=(), generator=None
    ):
        chosen, fate = choose(special_mask, rate), torch.rand(ids.shape)
        where = touched(chosen, special_mask)
        masked = where & masked_of(fate, split)
        replaced = where & ~masked & replaced_of(fate, split)
        inputs = torch.where(replaced, draw(ids, vocab_size, special_ids), ids).masked_fill(masked, mask_id)
        return inputs, labels(ids, inputs, chosen)

    return wrong


for name, says, flags in [
    ("of-all-tokens", "80/10/10 is done to all tokens; it is meant for those that were chosen, 15 % of all. The others stay as they are.",
     {"touched": lambda chosen, special: ~special}),
    ("special-tokens", "Special tokens and padding are chosen too: special_mask is not looked at. Nothing is learned from restoring a [SEP].",
     {"choose": lambda special, rate: torch.rand(special.shape) < rate}),
    ("only-special", "The mask is turned round: special tokens are chosen, and nothing else. True in special_mask means hands off.",
     {"choose": lambda special, rate: (torch.rand(special.shape) < rate) & special}),
    ("labels-everywhere", "There is a label at every token: the loss would reward copying what stands there to be read. It is -100 where nothing was chosen.",
     {"labels": lambda ids, inputs, chosen: ids.clone()}),
    ("zero-labels", "The tokens that are not asked for have the label 0; that is a token's id. They are marked by -100.",
     {"labels": lambda ids, inputs, chosen: ids.masked_fill(~chosen, 0)}),
    ("labels-of-others", "The labels are turned round: asked for are the tokens that were not chosen.",
     {"labels": lambda ids, inputs, chosen: ids.masked_fill(chosen, IGNORED)}),
    ("labels-are-inputs", "The labels are taken after masking, so the model is asked for [MASK]; they are the original tokens.",
     {"labels": lambda ids, inputs, chosen: inputs.masked_fill(~chosen, IGNORED)}),
    ("unchanged-not-asked", "Where a chosen token stays unchanged it has no label; but it is asked for too. Otherwise the model could trust every token that it can see.",
     {"labels": lambda ids, inputs, chosen: ids.masked_fill(inputs == ids, IGNORED)}),
    ("second-coin", "The random tokens are decided by a coin of their own after [MASK] was decided: 10 % of the 20 % that are left. One number must decide between the three.",
     {"replaced_of": lambda fate, split: torch.rand(fate.shape) < split[1]}),
    ("no-random", "No token is replaced by a random one: it becomes [MASK] or stays.", {"replaced_of": lambda fate, split: torch.zeros_like(fate, dtype=torch.bool)}),
    ("always-mask", "Everything that is chosen becomes [MASK]: the model would never be asked for a token that it can see, and [MASK] never occurs later.",
     {"masked_of": lambda fate, split: torch.ones_like(fate, dtype=torch.bool)}),
    ("special-drawn", "Random tokens are drawn from all of the vocabulary, special tokens among them: special_ids is not looked at.",
     {"draw": lambda ids, n, special_ids: torch.randint(n, ids.shape)}),
    ("one-random-token", "All replaced tokens become one and the same: a random token is to be drawn for each.",
     {"draw": lambda ids, n, special_ids: torch.full_like(ids, n - 1)}),
]:  # fmt: skip
    e.mistake(name, says)(masking_variant(**flags))


@e.mistake(
    "in-place",
    "The tokens that were given are changed themselves; whoever uses them again finds [MASK]s. Write into a copy.",
)
def _(ids, *, mask_id, vocab_size, special_mask, **settings):
    inputs, labels = mask_tokens(
        ids, mask_id=mask_id, vocab_size=vocab_size, special_mask=special_mask, **settings
    )
    ids.copy_(inputs)
    return ids, labels


# ---- 10.2 which sentence comes next ------------------------------------------------------------------


def which_pairs(f, sizes: tuple[int, ...], times: int) -> dict[str, float]:
    """What is paired with what; a sentence is (its document, its place there)."""
    documents = [[(number, place) for place in range(size)] for number, size in enumerate(sizes)]
    calls = [f(documents) for _ in range(times)]
    pairs = [pair for call in calls for pair in call]
    first, second = (torch.tensor([getattr(pair, name) for pair in pairs]) for name in ("first", "second"))
    label = torch.tensor([pair.label for pair in pairs])
    follows = (first[:, 0] == second[:, 0]) & (first[:, 1] + 1 == second[:, 1])
    return {
        "pairs": float(len(calls[0])),
        "last sentences of a document that come first": share(first[:, 1] == torch.tensor(sizes)[first[:, 0]] - 1),
        "labels IS_NEXT": share(label == IS_NEXT),
        "of the pairs called IS_NEXT, those that follow": share(follows, label == IS_NEXT),
        "of the others, those of one document": share(first[:, 0] == second[:, 0], label == NOT_NEXT),
        "of the others, those from the document behind": share((first[:, 0] + 1) % len(sizes) == second[:, 0], label == NOT_NEXT),
        "of the others, first sentences": share(second[:, 1] == 0, label == NOT_NEXT),
        "calls with both labels": share(torch.tensor([len({pair.label for pair in call}) == 2 for call in calls])),
    }  # fmt: skip


e = define(
    "10.2",
    next_sentence_pairs,
    "Which sentence comes next",
    minutes=15,
    difficulty=2,
    parts=[
        ("four documents", 2, lambda f: which_pairs(f, (5, 5, 5, 5), 150)),
        ("many documents", 1, lambda f: which_pairs(f, (4,) * 40, 20)),
        ("two documents, one of a single sentence", 1, lambda f: which_pairs(f, (11, 1), 200)),
    ],
    hints=[
        "Go through the documents, and through the neighbours in each (`itertools.pairwise`). For each a coin is thrown: does the"
        " second sentence stay?",
        "Where it does not, it comes from *another* document: of the n documents all but this one are as likely, and of that"
        " document's sentences each. `int(torch.randint(n, (), generator=generator))` is one of 0, ..., n - 1.",
        "The other document: `documents[(number + 1 + draw(len(documents) - 1)) % len(documents)]`, `strange = other[draw(len(other))]`,"
        " `label = draw(2)`, and `SentencePair(first, strange if label == NOT_NEXT else following, label)`.",
    ],
)  # fmt: skip


def below(n: int) -> int:
    return int(torch.randint(n, ()))


def another(documents, number, place):
    other = documents[(number + 1 + below(len(documents) - 1)) % len(documents)]
    return other[below(len(other))]


def pairs_variant(
    strange=another,
    coin=lambda fixed: below(2),
    name=lambda label: label,
    sentences=lambda documents, number: documents[number],
):
    def wrong(documents, *, generator=None):
        pairs, fixed = [], below(2)
        for number in range(len(documents)):
            document = sentences(documents, number)
            for place in range(len(document) - 1):
                label = coin(fixed)
                other = strange(documents, number, place)
                second = other if label == NOT_NEXT else document[place + 1]
                pairs.append(SentencePair(document[place], second, name(label)))
        return pairs

    return wrong


for name, says, flags in [
    ("always-the-neighbour", "The second sentence is always the one that follows: with nothing but true pairs, saying yes is enough.", {"coin": lambda fixed: IS_NEXT}),
    ("never-the-neighbour", "The second sentence is never the one that follows; half of the pairs should be true.", {"coin": lambda fixed: NOT_NEXT}),
    ("neighbour-called-random", "The coin decides the label, but the second sentence is always the one that follows: half of the labels are lies.",
     {"strange": lambda documents, number, place: documents[number][place + 1]}),
    ("labels-exchanged", "The labels are exchanged: 0, IS_NEXT, is for a pair that follows, 1, NOT_NEXT, for one that does not.", {"name": lambda label: 1 - label}),
    ("same-document", "The random sentence comes from the same document, where it may be the true one, and is always about the same things.",
     {"strange": lambda documents, number, place: documents[number][below(len(documents[number]))]}),
    ("any-document", "The random sentence may come from the same document, too: it must be another, else a pair called random may be a true one.",
     {"strange": lambda documents, number, place: (lambda document: document[below(len(document))])(documents[below(len(documents))])}),
    ("next-document", "The random sentence always comes from the document behind this one; each other document should be as likely.",
     {"strange": lambda documents, number, place: (lambda document: document[below(len(document))])(documents[(number + 1) % len(documents)])}),
    ("first-sentences", "The random sentence is always the first of its document, and first sentences are easy to tell (once upon a time).",
     {"strange": lambda documents, number, place: documents[(number + 1 + below(len(documents) - 1)) % len(documents)][0]}),
    ("one-coin", "One coin is thrown for all pairs together, so that either all are true or none; each pair has its own.", {"coin": lambda fixed: fixed}),
    ("over-the-end", "The last sentence of a document is followed by the first of the next one: that is no true pair, they are different texts.",
     {"sentences": lambda documents, number: [*documents[number], documents[(number + 1) % len(documents)][0]]}),
]:  # fmt: skip
    e.mistake(name, says)(pairs_variant(**flags))


# ---- 10.3 one row for two texts ----------------------------------------------------------------------

MARKS = SimpleNamespace(cls_id=2, sep_id=3, pad_id=0)
OTHER_MARKS = SimpleNamespace(cls_id=101, sep_id=102, pad_id=9)
PAIRS = [
    SentencePair([11, 12, 13], [21, 22], IS_NEXT),
    SentencePair([14], [23], NOT_NEXT),
    SentencePair([15, 16], [24, 25, 26], NOT_NEXT),
]

e = define(
    "10.3",
    pair_rows,
    "One row for two texts",
    minutes=12,
    difficulty=1,
    parts=[
        ("one pair", 1, lambda f: tuple(f(PAIRS[:1], MARKS))),
        ("three pairs of different lengths", 2, lambda f: tuple(f(PAIRS, MARKS))),
        ("another tokenizer", 1, lambda f: tuple(f(PAIRS, OTHER_MARKS))),
    ],
    hints=[
        "Write the row of the first pair down by hand: which tokens belong to the first text, special ones included, and which to the"
        " second?",
        "[CLS] and the first [SEP] belong to the first text (segment 0), the last [SEP] to the second (segment 1). Short rows are"
        " filled up behind, ids with pad_id and segments with 0: `torch.nn.utils.rnn.pad_sequence` does that.",
        "For each pair `a = [cls_id, *first, sep_id]` and `b = [*second, sep_id]`: the ids are `a + b`, the segments"
        " `[0] * len(a) + [1] * len(b)`. Then `pad_sequence([torch.tensor(row) for row in ids], batch_first=True, padding_value=pad_id)`,"
        " the same for the segments with 0, and `Rows(ids, segments, torch.tensor([pair.label for pair in pairs]))`.",
    ],
)  # fmt: skip


def rows_variant(
    first=lambda t, a: [t.cls_id, *a, t.sep_id],
    second=lambda t, b: [*b, t.sep_id],
    segments=lambda a, b: [0] * len(a) + [1] * len(b),
    order=lambda pair: (pair.first, pair.second),
    padding=lambda t: t.pad_id,
    segment_padding=0,
    left=False,
    label=lambda pair: pair.label,
):
    def filled(row, longest, value):
        rest = [value] * (longest - len(row))
        return rest + row if left else row + rest

    def wrong(pairs, tokenizer):
        both = [(first(tokenizer, order(pair)[0]), second(tokenizer, order(pair)[1])) for pair in pairs]
        longest = max(len(a) + len(b) for a, b in both)
        ids = [filled(a + b, longest, padding(tokenizer)) for a, b in both]
        marks = [filled(segments(a, b), longest, segment_padding) for a, b in both]
        return Rows(torch.tensor(ids), torch.tensor(marks), torch.tensor([label(pair) for pair in pairs]))

    return wrong


for name, says, flags in [
    ("no-segments", "All segments are 0: the model could tell the two texts apart by [SEP] alone. The second text's tokens are 1.",
     {"segments": lambda a, b: [0] * (len(a) + len(b))}),
    ("segments-exchanged", "The segments are exchanged: the first text is 0, the second 1.", {"segments": lambda a, b: [1] * len(a) + [0] * len(b)}),
    ("segments-from-one", "The segments count from 1: BERT has two, 0 and 1, and a 2 is no row of its table.", {"segments": lambda a, b: [1] * len(a) + [2] * len(b)}),
    ("separator-is-second", "The first [SEP] is counted to the second text; it ends the first, and has its segment.",
     {"segments": lambda a, b: [0] * (len(a) - 1) + [1] * (len(b) + 1)}),
    ("padding-is-second", "The segments of padding are 1; as in BERT's own code they are 0.", {"segment_padding": 1}),
    ("one-separator", "The last [SEP] is missing: each of the two texts ends with one.", {"second": lambda t, b: [*b]}),
    ("no-separator-between", "There is no [SEP] between the two texts.", {"first": lambda t, a: [t.cls_id, *a]}),
    ("two-cls", "There is a second [CLS] before the second text; one, at the very beginning, stands for the whole row.",
     {"second": lambda t, b: [t.cls_id, *b, t.sep_id]}),
    ("no-cls", "[CLS] is missing: there would be no place for the verdict on the pair.", {"first": lambda t, a: [*a, t.sep_id]}),
    ("second-first", "The second text comes first.", {"order": lambda pair: (pair.second, pair.first)}),
    ("padded-in-front", "The padding stands in front; it belongs behind, so that [CLS] has position 0.", {"left": True}),
    ("padding-is-zero", "The padding is taken to be 0; it is the tokenizer's pad_id.", {"padding": lambda t: 0}),
    ("label-is-truth", "The labels are True for a pair that follows; IS_NEXT is 0, as in BERT's own code.", {"label": lambda pair: int(pair.label == IS_NEXT)}),
]:  # fmt: skip
    e.mistake(name, says)(rows_variant(**flags))


# ---- 10.4 the head that restores tokens --------------------------------------------------------------

SIZES = BertConfig(vocab_size=7, d_model=6, n_heads=2, d_ff=8, n_layers=1)


def same_head(cls) -> MaskedLMHead:
    return with_fixed_weights(cls, MaskedLMHead, SIZES)


e = define(
    "10.4",
    MaskedLMHead,
    "The head that restores tokens",
    minutes=8,
    difficulty=2,
    blank=("forward",),
    parts=[
        ("two rows of three tokens", 2, lambda cls: same_head(cls)(randn(2, 3, 6), randn(7, 6, seed=1)).detach()),
        ("one token", 1, lambda cls: same_head(cls)(randn(6, seed=2), randn(7, 6, seed=3)).detach()),
    ],
    hints=[
        "Between the last block and the logits there are a linear map, an activation and a norm, all of width d_model. What turns the"
        " outcome into one number for each token of the vocabulary?",
        "The same matrix that turned tokens into vectors, as in GPT: the logit of a token is the product with *its* embedding. Here"
        " a bias a token is added. `F.linear(x, weight, bias)` multiplies by the transpose of weight.",
        "`return F.linear(self.norm(self.activation(self.linear(x))), embedding, self.bias)`",
    ],
)  # fmt: skip


def head_variant(
    body=lambda m, x: m.norm(m.activation(m.linear(x))),
    logits=lambda m, h, embedding: h @ embedding.mT + m.bias,
):
    class Wrong(MaskedLMHead):
        def forward(self, x, embedding):
            return logits(self, body(self, x), embedding)

    return Wrong


for name, says, flags in [
    ("nothing-between", "The last block's vectors meet the embeddings directly; a linear map, an activation and a norm come between.", {"body": lambda m, x: x}),
    ("no-activation", "The activation is missing, and so the norm alone is not linear.", {"body": lambda m, x: m.norm(m.linear(x))}),
    ("no-norm", "The norm is missing.", {"body": lambda m, x: m.activation(m.linear(x))}),
    ("no-linear", "The linear map is missing.", {"body": lambda m, x: m.norm(m.activation(x))}),
    ("norm-before-activation", "The norm comes before the activation; here it comes last.", {"body": lambda m, x: m.activation(m.norm(m.linear(x)))}),
    ("residual", "The input is added to what comes out: there is no residual connection here.", {"body": lambda m, x: x + m.norm(m.activation(m.linear(x)))}),
    ("no-bias", "The bias is missing: one number a token, which learns how frequent it is.", {"logits": lambda m, h, embedding: h @ embedding.mT}),
    ("softmax", "These are probabilities; logits are wanted, for the loss takes the softmax itself.",
     {"logits": lambda m, h, embedding: (h @ embedding.mT + m.bias).softmax(-1)}),
    ("scaled", "The products are divided by √d_model; that is for attention's scores, not for logits.",
     {"logits": lambda m, h, embedding: h @ embedding.mT / embedding.shape[-1] ** 0.5 + m.bias}),
    ("bias-scaled", "The bias is added before the product, in spirit: it is multiplied with the embeddings' sums. Add it to the logits.",
     {"logits": lambda m, h, embedding: h @ embedding.mT + m.bias * embedding.sum(-1)}),
]:  # fmt: skip
    e.mistake(name, says)(head_variant(**flags))


# ---- 10.5 whole words --------------------------------------------------------------------------------


def which_words(f, rate: float = 0.3) -> dict[str, float]:
    """What is chosen of words of one, two, three and four pieces, many times over."""
    words = torch.tensor([-1, 0, 1, 1, 2, 2, 2, 3, 3, 3, 3, -1, -1]).repeat(20_000, 1)
    chosen = f(words.clone(), rate)
    of_word = [chosen[:, words[0] == word] for word in range(4)]
    return {
        **{f"words of {n + 1} pieces, all chosen": share(pieces.all(dim=-1)) for n, pieces in enumerate(of_word)},
        "words of four pieces, some chosen": share(of_word[3].any(dim=-1)),
        "special tokens chosen": share(chosen[words < 0]),
        "the first and the third word at once": share(of_word[0][:, 0] & of_word[2][:, 0]),
        "rows in which the first word is as in the row before": share(of_word[0][1:, 0] == of_word[0][:-1, 0]),
    }  # fmt: skip


e = define(
    "10.5",
    choose_words,
    "Whole words",
    minutes=10,
    difficulty=3,
    parts=[
        ("30 % of the words", 2, which_words),
        ("half of them", 1, lambda f: which_words(f, 0.5)),
    ],
    hints=[
        "Draw one number for every *word*, not for every piece. How does each piece then find the number of its word?",
        "A sequence of n tokens has at most n words; so draw n numbers a row, the w-th being that of word w, and `gather` them by"
        " `words`. Mind the -1, which is no place to gather from.",
        "`of_word = torch.rand(words.shape, generator=generator).gather(-1, words.clamp(min=0))`, then"
        " `return (of_word < rate) & (words >= 0)`.",
    ],
)


def words_variant(
    draw=lambda words: torch.rand(words.shape),
    number=lambda words: words,
    keep=lambda words: words >= 0,
    below=torch.lt,
):
    def wrong(words, rate=0.15, generator=None):
        of_word = draw(words).gather(-1, number(words).clamp(min=0))
        return below(of_word, torch.tensor(rate)) & keep(words)

    return wrong


def place_in_row(words: torch.Tensor) -> torch.Tensor:
    return torch.arange(words.shape[-1]).expand_as(words)


def by_number_of_pieces(reduce):
    """A word is chosen if ``reduce`` (any, all) of its pieces would be."""

    def wrong(words, rate=0.15, generator=None):
        pieces = choose_words(place_in_row(words), rate)
        same = words.unsqueeze(-1) == words.unsqueeze(-2)  # [*batch, n, n]
        found = torch.stack([reduce(p, s) for p, s in zip(pieces.split(500), same.split(500), strict=True)])
        return found.flatten(0, 1) & (words >= 0)

    return wrong


for name, says, flags in [
    ("each-piece", "Every piece is chosen on its own, so that words are torn: a piece whose neighbours can be read is too easy to guess.", {"number": place_in_row}),
    ("special-too", "Special tokens are chosen with the first word, whose number -1 was made to: they belong to none.", {"keep": lambda words: words >= -1}),
    ("same-in-every-row", "One number a word is drawn for the whole batch, so that all rows are hidden alike.",
     {"draw": lambda words: torch.rand(words.shape[-1]).expand(words.shape)}),
    ("whole-row", "One number is drawn for the whole sequence: either all of it is hidden or nothing.",
     {"draw": lambda words: torch.rand(*words.shape[:-1], 1).expand(words.shape)}),
    ("the-others", "The comparison is turned round: chosen are the words whose number is above the rate.", {"below": torch.gt}),
]:  # fmt: skip
    e.mistake(name, says)(words_variant(**flags))

e.mistake(
    "any-piece",
    "A word is chosen as soon as one of its pieces would be, and so a long word more often than a short one.",
)(by_number_of_pieces(lambda pieces, same: (same & pieces.unsqueeze(-2)).any(dim=-1)))
e.mistake(
    "all-pieces", "A word is chosen only if each of its pieces would be, and so a long word hardly ever."
)(by_number_of_pieces(lambda pieces, same: (~same | pieces.unsqueeze(-2)).all(dim=-1)))


@e.mistake("first-piece", "Only the first piece of each chosen word is chosen; all of its pieces should be.")
def _(words, rate=0.15, generator=None):
    chosen = choose_words(words, rate)
    return chosen & (words != F.pad(words[..., :-1], (1, 0), value=-1))


# ---- 10.6 heads that look at neighbours --------------------------------------------------------------

e = define(
    "10.6",
    offset_score,
    "Heads that look at a neighbour",
    minutes=8,
    difficulty=1,
    parts=[
        ("the token before", 2, lambda f: f(rows(2, 3, 5, 5), -1)),
        ("two places on", 1, lambda f: f(rows(2, 3, 6, 6, seed=1), 2)),
        ("the token itself", 1, lambda f: f(rows(1, 4, 5, 5, seed=2), 0)),
    ],
    hints=[
        "In a matrix of weights, rows are the tokens that look and columns those looked at. Where are the weights of each token to the"
        " one before it?",
        "On the diagonal below the main one: `weights[..., i, i - 1]`. The first token has nobody before it, so there are n - 1 of"
        " them to take the mean of.",
        "`return weights.diagonal(offset, dim1=-2, dim2=-1).mean(dim=-1)`",
    ],
)  # fmt: skip


def offset_variant(pick=lambda w, k: w.diagonal(k, dim1=-2, dim2=-1), reduce=lambda x, n: x.mean(dim=-1)):
    return lambda weights, offset: reduce(pick(weights, offset), weights.shape[-1])


for name, says, flags in [
    ("other-way", "This is the weight in the other direction: -1 is the token before, the diagonal below the main one.",
     {"pick": lambda w, k: w.diagonal(-k, dim1=-2, dim2=-1)}),
    ("wraps", "The row is closed to a ring: the first token's “token before” is the last. Tokens that have none are left out.",
     {"pick": lambda w, k: w.gather(-1, ((torch.arange(w.shape[-1]) + k) % w.shape[-1]).view(-1, 1).expand(*w.shape[:-1], 1)).squeeze(-1)}),
    ("over-all", "The sum is divided by all tokens, also by those that have none there.", {"reduce": lambda x, n: x.sum(dim=-1) / n}),
    ("sum", "This is the sum; the score is a mean, at most 1.", {"reduce": lambda x, n: x.sum(dim=-1)}),
    ("largest", "This is the largest of the weights; the score is their mean.", {"reduce": lambda x, n: x.amax(dim=-1)}),
    ("one-a-token", "This is one number a token; the score is the mean over them, one number a head.", {"reduce": lambda x, n: x}),
    ("all-heads", "The mean is taken over the heads too; each has its own score.", {"reduce": lambda x, n: x.mean(dim=(-1, -2))}),
]:  # fmt: skip
    e.mistake(name, says)(offset_variant(**flags))


@e.mistake(
    "argmax",
    "This counts how often that place gets the most weight; the score is the weight itself, on average.",
)
def _(weights, offset):
    best = weights.argmax(dim=-1)  # [layer, head, n]
    there = torch.arange(weights.shape[-1]) + offset
    real = (there >= 0) & (there < weights.shape[-1])
    return (best == there)[..., real].float().mean(dim=-1)
