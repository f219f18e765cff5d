"""The exercises of notebook 10: BERT.

Three of the functions are left to chance. They are called on many tokens, and shares are counted: of trials
that are independent whatever the order of drawing, against the true share (``course.workbook.chance``).
"""

from itertools import pairwise
from types import SimpleNamespace

import torch
import torch.nn.functional as F

from course.exercises.contract import Case
from course.exercises.inputs import ids as some_ids
from course.exercises.inputs import randn, rows, some_true, with_fixed_weights
from course.exercises.promises import kind_of, refusals, same_seed, seeds_matter
from course.masking import (
    IGNORED,
    SPLIT,
    check_masking,
    check_words,
    choose_words,
    mask_tokens,
    random_tokens,
)
from course.models.bert import BertConfig
from course.models.bert_heads import MaskedLMHead
from course.next_sentence import IS_NEXT, NOT_NEXT, SentencePair, next_sentence_pairs
from course.studies.bert_pretraining import Rows, pair_rows
from course.studies.head_patterns import offset_score
from course.workbook.chance import Share
from course.workbook.record import define


def share(where: torch.Tensor, truth: float, of: torch.Tensor | None = None) -> Share:
    """How much of it is True, counted where ``of`` is."""
    counted = where.flatten() if of is None else where[of]
    return Share(int(counted.sum()), counted.numel(), truth)


# ---- 10.1 BERT's masking -----------------------------------------------------------------------------

MASK, VOCAB, SPECIAL = 4, 37, (0, 1, 2, 3, 4, 11)
DRAWN = VOCAB - len(SPECIAL)


def tokens(n_rows: int, n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids, none of them special but one in ten, and where those are; many tokens of the vocabulary never occur."""
    special = torch.rand(n_rows, n, generator=torch.Generator().manual_seed(7)) < 0.1
    return some_ids(n_rows, n, below=30, start=14, seed=8).masked_fill(special, 2), special


def masked_by(f, ids, special, **settings):
    return f(ids, mask_id=MASK, vocab_size=VOCAB, special_mask=special, **settings)


def what_became(f, size: tuple[int, int], special_ids=(), **settings) -> dict:
    """Shares of the tokens and of pairs of them; no token is in two pairs of a kind."""
    rate, split = settings.get("rate", 0.15), settings.get("split", SPLIT)
    ids, special = tokens(*size)
    before, drawn = ids.clone(), VOCAB - len(special_ids)
    inputs, labels = masked_by(f, ids, special, special_ids=special_ids, **settings)
    asked, changed = labels != IGNORED, inputs != before
    masked, same = inputs == MASK, split[1] / drawn  # a random token may be the original
    upon, beside = asked[::2] & asked[1::2], asked[:, ::2] & asked[:, 1::2]
    free_upon, free_beside = ~special[::2] & ~special[1::2], ~special[:, ::2] & ~special[:, 1::2]
    to_mask = split[0] + (0 if special_ids else same)
    return {
        "of all labels, those neither -100 nor the token that stood there": share(asked & (labels != before), 0.0),
        "of all labels, those that are 0": share(labels == 0, 0.0),
        "of the special tokens, those asked for": share(asked, 0.0, special),
        "of the ordinary tokens, those asked for": share(asked, rate, ~special),
        "of the tokens not asked for, those changed": share(changed, 0.0, ~asked),
        "of the tokens asked for, [MASK]": share(masked, to_mask, asked),
        "of the tokens asked for, another one in their place": share(
            changed & ~masked, split[1] * (1 - (1 if special_ids else 2) / drawn), asked),
        "of neighbours, both asked for": share(beside, rate**2, free_beside),
        "of two in one column, in two texts, both asked for": share(upon, rate**2, free_upon),
        "of two asked for in one column, both [MASK]": share(masked[::2] & masked[1::2], to_mask**2, upon & free_upon),
        "of the tokens that were given, those changed in place": share(ids != before, 0.0),
    }  # fmt: skip


def what_is_drawn(f) -> dict:
    ids, special = tokens(2, 1500)
    inputs, _ = masked_by(f, ids.clone(), special, rate=1.0, split=(0.0, 1.0, 0.0), special_ids=SPECIAL)
    drawn = inputs[~special]
    many = torch.tensor(drawn.unique().numel() > 5)  # of one token alone, which it is is chance
    return {
        "of the random tokens, special ones": share(torch.isin(drawn, torch.tensor(SPECIAL)), 0.0),
        "of the random tokens, the last of the vocabulary": share(
            drawn == VOCAB - 1, 1 / DRAWN, many.expand_as(drawn)
        ),
        "of the random tokens, the one that stood there": share(inputs == ids, 1 / DRAWN, ~special & many),
        "of the random tokens, those below 20": share(drawn < 20, 14 / DRAWN, many.expand_as(drawn)),
        "of two in one column, the same random token": share(
            inputs[::2] == inputs[1::2], 1 / DRAWN, ~special[::2] & ~special[1::2]
        ),
        "how many different tokens are ever drawn": drawn.unique().numel(),
    }


def how_many(f) -> dict:
    """A third of six tokens, many times over: two is their mean, and not their number."""
    text, none = torch.tensor([14, 25, 9, 31, 6, 17]), torch.zeros(6, dtype=torch.bool)
    asked = torch.tensor(
        [int((masked_by(f, text.clone(), none, rate=1 / 3)[1] != IGNORED).sum()) for _ in range(250)]
    )
    return {
        "of 250 texts of six tokens, those of which exactly two are asked for": share(asked == 2, 240 / 729),
        "of 250 texts of six tokens, those of which none is": share(asked == 0, 64 / 729),
    }


def all_become(split, *shape: int):
    """Everything is chosen and chance decides nothing: kinds, shapes and values."""

    def run(f) -> dict:
        special = some_true(*shape, seed=3)
        ids = some_ids(*shape, below=30, start=14, seed=4).masked_fill(special, 2)
        both = masked_by(f, ids.clone(), special.clone(), rate=1.0, split=split)
        inputs, labels = both
        wanted = MASK if split[0] else ids
        return {
            "the kinds of inputs and labels": [getattr(x, "dtype", None) == ids.dtype for x in both],
            "the shapes of inputs and labels": [list(x.shape) for x in both],
            "of the ordinary tokens, those that became what they should": share(
                inputs == wanted, 1.0, ~special
            ),
            "of the ordinary tokens, labels that are the token that stood there": share(
                labels == ids, 1.0, ~special
            ),
            "of the special tokens, those that stay": share(inputs == ids, 1.0, special),
            "of the special tokens, labels of -100": share(labels == IGNORED, 1.0, special),
        }

    return run


def by_generator(f, chance: dict):
    return masked_by(f, *tokens(6, 40), rate=0.45, split=(0.35, 0.4, 0.25), **chance)


def refused(**changes):
    def call(f):
        ids, special = tokens(3, 8)
        given = {"ids": ids, "special_mask": special, "mask_id": MASK, "vocab_size": VOCAB} | {
            name: change(ids, special) if callable(change) else change for name, change in changes.items()
        }
        return f(given.pop("ids"), **given)

    return call


e = define(
    "10.1",
    mask_tokens,
    "BERT's masking",
    minutes=20,
    difficulty=2,
    parts=[
        ("15 %, of these 80 / 10 / 10", 3, lambda f: what_became(f, (2, 3600))),
        (
            "60 %, of these 35 / 45 / 20, no special one drawn",
            1,
            lambda f: what_became(f, (2, 2000), SPECIAL, rate=0.6, split=(0.35, 0.45, 0.2)),
        ),
        ("100 %, always [MASK]", 1, all_become((1.0, 0.0, 0.0), 3, 7)),
        ("100 %, all stay", 1, all_become((0.0, 0.0, 1.0), 3, 7)),
        ("one text, no batch", 1, all_become((1.0, 0.0, 0.0), 7)),
        ("two axes in front", 1, all_become((1.0, 0.0, 0.0), 2, 3, 5)),
        ("which random tokens", 1, what_is_drawn),
        ("a third of six tokens, 250 times", 1, how_many),
        same_seed(by_generator),
        seeds_matter(by_generator),
        refusals(
            {
                "ids that are floats": (TypeError, refused(ids=lambda ids, special: ids.float())),
                "a mask of 0 and 1": (TypeError, refused(special_mask=lambda ids, special: special.long())),
                "a mask of another shape": (ValueError, refused(special_mask=lambda ids, special: special[:1])),
                "a rate of 1.3": (ValueError, refused(rate=1.3)),
                "a rate of -0.2": (ValueError, refused(rate=-0.2)),
                "a split with sum 1.1": (ValueError, refused(split=(0.7, 0.3, 0.1))),
                "a split with a negative share": (ValueError, refused(split=(1.2, -0.3, 0.1))),
                "a mask_id that is no token": (ValueError, refused(mask_id=VOCAB)),
                "an id that is no token": (ValueError, refused(ids=lambda ids, special: ids + 20)),
                "a special id that is no token": (ValueError, refused(special_ids=(0, VOCAB))),
                "nothing but special tokens": (ValueError, refused(special_mask=lambda ids, special: special | True)),
            },
            "what cannot be masked",
        ),
    ],
    hints=[
        "Two questions, one after the other: which tokens are chosen, and what becomes of those? The labels depend on the first"
        " question alone.",
        "`check_masking(...)` first, then `chosen = choose_tokens(special_mask, rate, generator)`. Then *one* random number a token"
        " decides its fate: below split[0] it becomes [MASK], between that and split[0] + split[1] a random token, else it stays."
        " `random_tokens` draws one for every place.",
        "`fate = torch.rand(ids.shape, generator=generator)`, `masked = chosen & (fate < split[0])`, `replaced = chosen & ~masked &"
        " (fate < split[0] + split[1])`. Inputs: `torch.where(replaced, random_tokens(ids, vocab_size, special_ids, generator),"
        " ids).masked_fill(masked, mask_id)`; labels: `ids.masked_fill(~chosen, -100)`.",
    ],
)  # fmt: skip


def coins(shape, generator=None):
    return torch.rand(shape, generator=generator)


def masking_variant(
    choose=lambda special, rate, fate, g: (coins(special.shape, g) < rate) & ~special,
    replaced_of=lambda fate, split, g: (fate >= split[0]) & (fate < split[0] + split[1]),
    masked_of=lambda fate, split: fate < split[0],
    touched=lambda chosen, special: chosen,
    labels=lambda ids, inputs, chosen: ids.masked_fill(~chosen, IGNORED),
    draw=random_tokens,
    split_of=lambda split: split,
    finish=lambda ids, inputs, labels: (inputs, labels),
    check=check_masking,
    seeded=True,
    fate_of=lambda ids, g: coins(ids.shape, g),
):
    def wrong(
        ids, *, mask_id, vocab_size, special_mask, rate=0.15, split=SPLIT, special_ids=(), generator=None
    ):
        check(ids, special_mask, mask_id, vocab_size, rate, split, special_ids)
        generator, split = generator if seeded else None, split_of(split)
        fate = fate_of(ids, generator)
        chosen = choose(special_mask, rate, fate, generator)
        where = touched(chosen, special_mask)
        masked = where & masked_of(fate, split)
        replaced = where & ~masked & replaced_of(fate, split, generator)
        drawn = draw(ids, vocab_size, special_ids, generator)
        inputs = torch.where(replaced, drawn, ids).masked_fill(masked, mask_id)
        return finish(ids, inputs, labels(ids, inputs, chosen))

    return wrong


def exactly(special, rate, fate, g):
    """The rounded share of each text's ordinary tokens."""
    order = coins(special.shape, g).masked_fill(special, 2.0).argsort(-1).argsort(-1)
    return order < (rate * (~special).sum(-1, keepdim=True)).round()


def from_the_text(ids, n, special_ids, g):
    return ids[..., torch.randperm(ids.shape[-1], generator=g)]


for name, says, flags in [
    ("of-all-tokens", "80/10/10 is done to all tokens; it is meant for those that were chosen, 15 % of all. The others stay as they are.",
     {"touched": lambda chosen, special: ~special}),
    ("special-tokens", "Special tokens and padding are chosen too: special_mask is not looked at. Nothing is learned from restoring a [SEP].",
     {"choose": lambda special, rate, fate, g: coins(special.shape, g) < rate}),
    ("only-special", "The mask is turned round: special tokens are chosen, and nothing else. True in special_mask means hands off.",
     {"choose": lambda special, rate, fate, g: (coins(special.shape, g) < rate) & special}),
    ("same-columns", "Which tokens are chosen is drawn once for all texts, so that all have their gaps at the same places. Draw for every token of every text.",
     {"choose": lambda special, rate, fate, g: (coins(special.shape[-1], g) < rate) & ~special}),
    ("same-columns-same-fate", "Which tokens are chosen and what becomes of them is drawn once for all texts, so that all have their gaps at the same places. Draw for every"
     " token of every text.", {"choose": lambda special, rate, fate, g: (coins(special.shape[-1], g) < rate) & ~special,
                               "fate_of": lambda ids, g: coins(ids.shape[-1], g).expand(ids.shape)}),
    ("exact-share", "Always the same number of tokens is chosen in a text; each token is to be chosen by itself, so that the number is left to chance.",
     {"choose": exactly}),
    ("rate-fixed", "The rate that is given is not used: it is always 15 %.",
     {"choose": lambda special, rate, fate, g: (coins(special.shape, g) < 0.15) & ~special}),
    ("one-draw", "One number decides whether a token is chosen and what becomes of it. Chosen are only those whose number is below the rate, so the shares of the split"
     " no longer hold among them. Draw anew, or compare with rate · split.",
     {"choose": lambda special, rate, fate, g: (fate < rate) & ~special}),
    ("labels-everywhere", "There is a label at every token: the loss would reward copying what stands there to be read. It is -100 where nothing was chosen.",
     {"labels": lambda ids, inputs, chosen: ids.clone()}),
    ("zero-labels", "The tokens that are not asked for have the label 0; that is a token's id. They are marked by -100.",
     {"labels": lambda ids, inputs, chosen: ids.masked_fill(~chosen, 0)}),
    ("minus-one-labels", "The tokens that are not asked for have the label -1; the loss leaves out -100.",
     {"labels": lambda ids, inputs, chosen: ids.masked_fill(~chosen, -1)}),
    ("labels-of-others", "The labels are turned round: asked for are the tokens that were not chosen.",
     {"labels": lambda ids, inputs, chosen: ids.masked_fill(chosen, IGNORED)}),
    ("labels-are-inputs", "The labels are taken after masking, so the model is asked for [MASK]; they are the original tokens.",
     {"labels": lambda ids, inputs, chosen: inputs.masked_fill(~chosen, IGNORED)}),
    ("unchanged-not-asked", "Where a chosen token stays unchanged it has no label; but it is asked for too. Otherwise the model could trust every token that it can see.",
     {"labels": lambda ids, inputs, chosen: ids.masked_fill(inputs == ids, IGNORED)}),
    ("second-coin", "The random tokens are decided by a coin of their own after [MASK] was decided: 10 % of the 20 % that are left. One number must decide between the three.",
     {"replaced_of": lambda fate, split, g: coins(fate.shape, g) < split[1]}),
    ("kept-and-random-swapped", "The second and the third share of the split are exchanged: the second is for random tokens, the third for those that stay.",
     {"split_of": lambda split: (split[0], split[2], split[1])}),
    ("split-fixed", "The split that is given is not used: it is always 80 / 10 / 10.", {"split_of": lambda split: SPLIT}),
    ("no-random", "No token is replaced by a random one: it becomes [MASK] or stays.",
     {"replaced_of": lambda fate, split, g: torch.zeros_like(fate, dtype=torch.bool)}),
    ("none-stays", "No chosen token stays as it is: it becomes [MASK] or a random one. The third share of the split is for those that stay.",
     {"replaced_of": lambda fate, split, g: torch.ones_like(fate, dtype=torch.bool)}),
    ("always-mask", "Everything that is chosen becomes [MASK]: the model would never be asked for a token that it can see, and [MASK] never occurs later.",
     {"masked_of": lambda fate, split: torch.ones_like(fate, dtype=torch.bool)}),
    ("special-drawn", "Random tokens are drawn from all of the vocabulary, special tokens among them: special_ids is not looked at.",
     {"draw": lambda ids, n, special_ids, g: torch.randint(n, ids.shape, generator=g)}),
    ("last-never-drawn", "The last token of the vocabulary is never drawn as a random one: torch.randint's upper end is left out already.",
     {"draw": lambda ids, n, special_ids, g: random_tokens(ids, n - 1, special_ids, g)}),
    ("one-random-token", "All replaced tokens become one and the same: a random token is to be drawn for each.",
     {"draw": lambda ids, n, special_ids, g: random_tokens(ids[..., :1], n, special_ids, g)[(0,) * ids.ndim].expand(ids.shape)}),
    ("from-the-text", "The random tokens are tokens of the same text; they are drawn from the whole vocabulary.", {"draw": from_the_text}),
    ("swapped", "The labels come first; it is the inputs, then the labels.", {"finish": lambda ids, inputs, labels: (labels, inputs)}),
    ("in-place", "What is returned is right, but the tokens that were given are changed too; whoever uses them again finds [MASK]s. Write into a copy.",
     {"finish": lambda ids, inputs, labels: (ids.copy_(inputs), labels)}),
    ("in-place-labels", "The tokens that were given are changed themselves, and the labels, taken from them afterwards, are what they became. Write into a copy.",
     {"finish": lambda ids, inputs, labels: (ids.copy_(inputs), inputs.where(labels != IGNORED, labels))}),
    ("generator-ignored", "The generator is not used: give it to every function that draws, else the same seed gives other masks each time.",
     {"seeded": False}),
    ("unchecked", "What cannot be masked is not refused: the docstring lists what is to raise a TypeError or a ValueError.",
     {"check": lambda *given: None, "draw": lambda ids, n, special_ids, g: (lambda left: left[torch.randint(len(left), ids.shape, generator=g)])(
         torch.tensor([i for i in range(n) if i not in special_ids]))}),
]:  # fmt: skip
    e.mistake(name, says)(masking_variant(**flags))


# ---- 10.2 which sentence comes next ------------------------------------------------------------------


def documents_of(sizes: tuple[int, ...]) -> list[list[tuple[int, int]]]:
    """A sentence is (its document, its place there)."""
    return [[(number, place) for place in range(size)] for number, size in enumerate(sizes)]


def what_is_made(f, sizes: tuple[int, ...] = (3, 6, 1, 4)) -> dict:
    """What no chance decides."""
    pairs = list(f(documents_of(sizes)))
    firsts = [s for document in documents_of(sizes) for s in document[:-1]]
    kinds = sorted({type(pair).__name__ for pair in pairs})
    ours = [pair for pair in pairs if isinstance(pair, SentencePair)]
    return {
        "each pair's kind": ", ".join(kinds),
        "the number of pairs": len(pairs),
        "the first sentence of a pair is a document's last": any(p.first not in firsts for p in ours),
        "the first sentences are all but the documents' last, in order": [p.first for p in ours] == firsts,
        "the labels there are": sorted({p.label for p in ours} | {IS_NEXT, NOT_NEXT}),
    }


def which_pairs(f, sizes: tuple[int, ...], times: int) -> dict:
    """What is paired with what. The longest document is number 1, that of one sentence number 2."""
    calls = [[p for p in f(documents_of(sizes)) if isinstance(p, SentencePair)] for _ in range(times)]
    pairs = [pair for call in calls for pair in call]
    first = torch.tensor([[-1, -1], *(pair.first for pair in pairs)])[1:]
    second = torch.tensor([[-1, -1], *(pair.second for pair in pairs)])[1:]
    true = torch.tensor([pair.label == IS_NEXT for pair in pairs], dtype=torch.bool)
    own = first[:, 0] == second[:, 0]
    each, longest, lone = 1 / (len(sizes) - 1), 1, len(sizes) - 2
    here, of_longest = first[:, 0], ~true & (second[:, 0] == longest) & ~own
    return {
        "of the pairs labelled IS_NEXT, those that follow": share(own & (first[:, 1] + 1 == second[:, 1]), 1.0, true),
        "of the pairs labelled NOT_NEXT, those of one document": share(own, 0.0, ~true),
        "of the pairs labelled NOT_NEXT, those that follow": share(own & (first[:, 1] + 1 == second[:, 1]), 0.0, ~true),
        "of the first pairs of the longest document, those labelled IS_NEXT": of_first_pairs(calls),
        "of two neighbouring pairs in a document, those with one label": agreeing(calls, inside=True),
        "of the first pairs of two documents, those with one label": agreeing(calls, inside=False),
        "of the random sentences, those from the document behind": share((here + 1) % len(sizes) == second[:, 0], each, ~true),
        "of the random sentences, those from the longest document": share(second[:, 0] == longest, each, ~true & (here != longest)),
        "of the random sentences, those from the document of one sentence": share(second[:, 0] == lone, each, ~true & (here != lone)),
        "of the random sentences, those from the last document": share(
            second[:, 0] == len(sizes) - 1, each, ~true & (here != len(sizes) - 1)),
        "of the random sentences from the longest document, its first": share(second[:, 1] == 0, 1 / sizes[longest], of_longest),
        "of the random sentences from the longest document, its last": share(
            second[:, 1] == sizes[longest] - 1, 1 / sizes[longest], of_longest),
    }  # fmt: skip


def of_first_pairs(calls: list[list[SentencePair]]) -> Share:
    """One pair a call: whoever throws one coin for many pairs has as many trials."""
    labels = [pair.label for call in calls for pair in call if pair.first == (1, 0)]
    return Share(labels.count(IS_NEXT), len(labels), 0.5)


def agreeing(calls: list[list[SentencePair]], inside: bool) -> Share:
    """Two pairs a call: neighbours in the longest document, or the first of it and of another one."""
    hits, of = 0, 0
    for call in calls:
        places = {pair.first: pair.label for pair in call}
        two = [places.get((1, 0)), places.get((1, 1) if inside else (0, 0))]
        if None not in two:
            hits, of = hits + (two[0] == two[1]), of + 1
    return Share(hits, of, 0.5)


e = define(
    "10.2",
    next_sentence_pairs,
    "Which sentence comes next",
    minutes=15,
    difficulty=2,
    parts=[
        ("which pairs there are", 1, what_is_made),
        ("documents of 2, 5, 1 and 3 sentences, 400 times", 3, lambda f: which_pairs(f, (2, 5, 1, 3), 400)),
        same_seed(lambda f, chance: pairs_by_chance(f, chance)),
        seeds_matter(lambda f, chance: pairs_by_chance(f, chance)),
        refusals(
            {
                "a single document": (ValueError, lambda f: f(documents_of((5,)))),
                "an empty document": (ValueError, lambda f: f(documents_of((3, 0, 4)))),
                "documents of one sentence each": (ValueError, lambda f: f(documents_of((1, 1, 1)))),
            },
            "what makes no pairs",
        ),
    ],
    hints=[
        "Refuse what makes no pairs. Then go through the documents, and through the neighbours in each (`itertools.pairwise`). For"
        " each a coin is thrown: does the second sentence stay?",
        "Where it does not, it comes from *another* document: of the n documents all but this one are as likely, and of that"
        " document's sentences each. `int(torch.randint(n, (), generator=generator))` is one of 0, ..., n - 1.",
        "With `draw = lambda n: int(torch.randint(n, (), generator=generator))` the other document is"
        " `documents[(number + 1 + draw(len(documents) - 1)) % len(documents)]`, `strange = other[draw(len(other))]`,"
        " `label = draw(2)`, and the pair `SentencePair(first, strange if label == NOT_NEXT else following, label)`.",
    ],
)  # fmt: skip


def pairs_by_chance(f, chance: dict) -> list:
    return [
        list(vars(p).values()) if isinstance(p, SentencePair) else p
        for p in f(documents_of((9, 7, 8)), **chance)
    ]


def below(n: int, g=None) -> int:
    return int(torch.randint(n, (), generator=g))


def any_of(document, g):
    return document[below(len(document), g)]


def another(documents, number, g):
    """One of the other documents."""
    return documents[(number + 1 + below(len(documents) - 1, g)) % len(documents)]


def check_documents(documents):
    if len(documents) < 2 or not min(map(len, documents)) or max(map(len, documents)) < 2:
        raise ValueError("no pairs")


def pairs_variant(
    strange=lambda documents, number, place, g: any_of(another(documents, number, g), g),
    coin=lambda g, all_pairs, of_document, count: below(2, g),
    finish=lambda first, second, label: [SentencePair(first, second, label)],
    sentences=lambda documents, number: documents[number],
    places=lambda n: range(n - 1),
    check=check_documents,
    seeded=True,
):
    def wrong(documents, *, generator=None):
        check(documents)
        g, pairs = generator if seeded else None, []
        all_pairs = below(2, g)
        for number in range(len(documents)):
            document, of_document = sentences(documents, number), below(2, g)
            for place in places(len(document)):
                label = coin(g, all_pairs, of_document, len(pairs))
                other = strange(documents, number, place, g)
                second = other if label == NOT_NEXT else document[place + 1]
                pairs += finish(document[place], second, label)
        return pairs

    return wrong


def of_all_sentences(documents, number, place, g):
    return any_of([s for i, document in enumerate(documents) if i != number for s in document], g)


def one_behind_the_own(documents, number, place, g):
    other = below(len(documents), g)
    return any_of(documents[(other + 1) % len(documents) if other == number else other], g)


def of_the_longer(documents, number, place, g):
    others = [d for i, d in enumerate(documents) if i != number]
    return any_of(any_of([d for d in others if len(d) > 1] or others, g), g)


for name, says, flags in [
    ("always-the-neighbour", "The second sentence is always the one that follows: with nothing but true pairs, saying yes is enough.",
     {"coin": lambda g, all_pairs, of_document, count: IS_NEXT}),
    ("never-the-neighbour", "The second sentence is never the one that follows; half of the pairs should be true.",
     {"coin": lambda g, all_pairs, of_document, count: NOT_NEXT}),
    ("taking-turns", "True pairs and random ones take turns; for each pair a coin decides, else the place tells the label.",
     {"coin": lambda g, all_pairs, of_document, count: count % 2}),
    ("one-coin", "One coin is thrown for all pairs together, so that either all are true or none; each pair has its own.",
     {"coin": lambda g, all_pairs, of_document, count: all_pairs}),
    ("a-coin-a-document", "One coin is thrown for each document, so that all its pairs are true or none; each pair has its own.",
     {"coin": lambda g, all_pairs, of_document, count: of_document}),
    ("neighbour-called-random", "The coin decides the label, but the second sentence is always the one that follows: half of the labels are lies.",
     {"strange": lambda documents, number, place, g: documents[number][place + 1]}),
    ("labels-exchanged", "The labels are exchanged: 0, IS_NEXT, is for a pair that follows, 1, NOT_NEXT, for one that does not.",
     {"finish": lambda first, second, label: [SentencePair(first, second, 1 - label)]}),
    ("always-not-next", "Every pair is labelled NOT_NEXT, those that follow as well; they are IS_NEXT.",
     {"finish": lambda first, second, label: [SentencePair(first, second, NOT_NEXT)]}),
    ("turned-round", "The two sentences of a pair are exchanged: first comes the one that stands first in the text.",
     {"finish": lambda first, second, label: [SentencePair(second, first, label)]}),
    ("plain-tuples", "The pairs are plain tuples; each is to be a SentencePair, with first, second and label.",
     {"finish": lambda first, second, label: [(first, second, label)]}),
    ("same-document", "The random sentence comes from the same document, where it may be the true one, and is always about the same things.",
     {"strange": lambda documents, number, place, g: any_of(documents[number], g)}),
    ("any-document", "The random sentence may come from the same document, too: it must be another, else a pair called random may be a true one.",
     {"strange": lambda documents, number, place, g: any_of(any_of(documents, g), g)}),
    ("not-the-last-document", "The other document is drawn among all but the last, the own one included: so the own one can come up, and the last never does."
     " Leave out the own one instead.",
     {"strange": lambda documents, number, place, g: any_of(any_of(documents[:-1], g), g)}),
    ("next-document", "The random sentence always comes from the document behind this one; each other document should be as likely.",
     {"strange": lambda documents, number, place, g: any_of(documents[(number + 1) % len(documents)], g)}),
    ("next-twice-as-likely", "Where the own document comes up, the one behind it is taken, which is so twice as likely as any other. Draw again, or draw among the others.",
     {"strange": one_behind_the_own}),
    ("of-all-sentences", "The random sentence is drawn among all sentences of the other documents, so a long document comes up more often. First draw a document, each being"
     " as likely, then one of its sentences.", {"strange": of_all_sentences}),
    ("short-documents-left-out", "A document of one sentence is never drawn from; it makes no pair of its own, but its sentence can be the random one.",
     {"strange": of_the_longer}),
    ("first-sentences", "The random sentence is always the first of its document, and first sentences are easy to tell (once upon a time).",
     {"strange": lambda documents, number, place, g: another(documents, number, g)[0]}),
    ("last-sentence-never", "The last sentence of a document is never drawn as the random one; each of its sentences should be as likely.",
     {"strange": lambda documents, number, place, g: (lambda d: d[below(max(len(d) - 1, 1), g)])(another(documents, number, g))}),
    ("over-the-end", "The last sentence of a document is followed by the first of the next one: that is no true pair, they are different texts.",
     {"sentences": lambda documents, number: [*documents[number], documents[(number + 1) % len(documents)][0]]}),
    ("every-second", "Only every second sentence begins a pair; every sentence does but the last of its document.", {"places": lambda n: range(0, n - 1, 2)}),
    ("generator-ignored", "The generator is not used: give it to every function that draws, else the same seed gives other pairs each time.", {"seeded": False}),
    ("unchecked", "What makes no pairs is not refused: the docstring lists what is to raise a ValueError.",
     {"check": lambda documents: None, "strange": lambda documents, number, place, g: any_of(
         any_of([d for i, d in enumerate(documents) if i != number] or documents, g) or documents[0], g)}),
]:  # fmt: skip
    e.mistake(name, says)(pairs_variant(**flags))


@e.mistake(
    "both-pairs",
    "Every sentence begins two pairs, a true one and a random one; it begins one, and a coin decides which.",
)
def _(documents, *, generator=None):
    check_documents(documents)
    pairs = []
    for number, document in enumerate(documents):
        for first, following in pairwise(document):
            strange = any_of(another(documents, number, generator), generator)
            pairs += [SentencePair(first, following, IS_NEXT), SentencePair(first, strange, NOT_NEXT)]
    return pairs


# ---- 10.3 one row for two texts ----------------------------------------------------------------------


def marks(cls_id: int = 5, sep_id: int = 8, pad_id: int = 3) -> SimpleNamespace:
    return SimpleNamespace(cls_id=cls_id, sep_id=sep_id, pad_id=pad_id)


def three_pairs() -> list[SentencePair]:
    """The longest first, middle and last text are of three pairs; the row of the first is the longest but one."""
    return [
        SentencePair([11, 12, 13, 11], [21, 22], IS_NEXT),
        SentencePair([14], [23], NOT_NEXT),
        SentencePair([15, 16], [24, 25, 26, 27, 24], NOT_NEXT),
    ]


def afterwards(f) -> dict:
    pairs = three_pairs()
    f(pairs, marks())
    return {"the pairs afterwards": [[p.first, p.second, p.label] for p in pairs]}


e = define(
    "10.3",
    pair_rows,
    "One row for two texts",
    minutes=12,
    difficulty=1,
    parts=[
        ("one pair", 1, lambda f: f(three_pairs()[:1], marks())),
        ("three pairs of different lengths", 2, lambda f: f(three_pairs(), marks())),
        ("three pairs, another tokenizer", 1, lambda f: f(three_pairs()[::-1], marks(101, 102, 9))),
        ("pairs of one length", 1, lambda f: f([three_pairs()[1], SentencePair([17], [28], IS_NEXT)], marks())),
        kind_of(lambda f: f(three_pairs(), marks())),
        ("the pairs that were given", 1, afterwards, "the pairs that were given are changed"),
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
    sort=lambda pairs: pairs,
    padding=lambda t: t.pad_id,
    segment_padding=0,
    left=False,
    labels=lambda pairs: torch.tensor([pair.label for pair in pairs]),
    length=max,
    finish=Rows,
):
    def filled(row, longest, value):
        rest = [value] * (longest - len(row))
        return rest + row if left else (row + rest)[:longest]

    def wrong(pairs, tokenizer):
        pairs = sort(pairs)
        both = [(first(tokenizer, order(pair)[0]), second(tokenizer, order(pair)[1])) for pair in pairs]
        longest = length(len(a) + len(b) for a, b in both)
        ids = [filled(a + b, longest, padding(tokenizer)) for a, b in both]
        marks = [filled(segments(a, b), longest, segment_padding) for a, b in both]
        return finish(torch.tensor(ids), torch.tensor(marks), labels(pairs))

    return wrong


def lengthened(t, a):
    a += [t.sep_id]
    return [t.cls_id, *a]


for name, says, flags in [
    ("no-segments", "All segments are 0: the model could tell the two texts apart by [SEP] alone. The second text's tokens are 1.",
     {"segments": lambda a, b: [0] * (len(a) + len(b))}),
    ("segments-exchanged", "The segments are exchanged: the first text is 0, the second 1.", {"segments": lambda a, b: [1] * len(a) + [0] * len(b)}),
    ("segments-from-one", "The segments count from 1: BERT has two, 0 and 1, and a 2 is no row of its table.", {"segments": lambda a, b: [1] * len(a) + [2] * len(b)}),
    ("separator-is-second", "The first [SEP] is counted to the second text; it ends the first, and has its segment.",
     {"segments": lambda a, b: [0] * (len(a) - 1) + [1] * (len(b) + 1)}),
    ("second-begins-late", "The first token of the second text still has segment 0: the second text begins right behind the first [SEP].",
     {"segments": lambda a, b: [0] * (len(a) + 1) + [1] * (len(b) - 1)}),
    ("last-separator-is-first", "The last [SEP] has segment 0; it ends the second text, and has its segment.",
     {"segments": lambda a, b: [0] * len(a) + [1] * (len(b) - 1) + [0]}),
    ("padding-is-second", "The segments of padding are 1; as in BERT's own code they are 0.", {"segment_padding": 1}),
    ("segments-padded-with-pad-id", "The segments are filled up with pad_id, a token's id; padding has segment 0.", {"segment_padding": 3}),
    ("one-separator", "The last [SEP] is missing: each of the two texts ends with one.", {"second": lambda t, b: [*b]}),
    ("no-separator-between", "There is no [SEP] between the two texts.", {"first": lambda t, a: [t.cls_id, *a]}),
    ("two-cls", "There is a second [CLS] before the second text; one, at the very beginning, stands for the whole row.",
     {"second": lambda t, b: [t.cls_id, *b, t.sep_id]}),
    ("no-cls", "[CLS] is missing: there would be no place for the verdict on the pair.", {"first": lambda t, a: [*a, t.sep_id]}),
    ("second-first", "The second text comes first.", {"order": lambda pair: (pair.second, pair.first)}),
    ("padded-in-front", "The padding stands in front; it belongs behind, so that [CLS] has position 0.", {"left": True}),
    ("padding-is-zero", "The padding is taken to be 0; it is the tokenizer's pad_id.", {"padding": lambda t: 0}),
    ("padded-with-separators", "The rows are filled up with [SEP]; padding has an id of its own, pad_id, that no position attends to.", {"padding": lambda t: t.sep_id}),
    ("cut", "The rows are cut to the length of the shortest; fill the shorter ones up to the longest.", {"length": min}),
    ("sorted", "The rows are sorted by length; they come in the order of the pairs.", {"sort": lambda pairs: sorted(pairs, key=lambda p: len(p.first) + len(p.second))}),
    ("label-is-truth", "The labels are turned round, 1 for a pair that follows: IS_NEXT is 0, as in BERT's own code. Take them as they are.",
     {"labels": lambda pairs: torch.tensor([1 - pair.label for pair in pairs])}),
    ("float-labels", "The labels are floats; they are numbers of classes, whole numbers, for the loss to take.",
     {"labels": lambda pairs: torch.tensor([float(pair.label) for pair in pairs])}),
    ("list-of-labels", "The labels are a list; a tensor is wanted, as for ids and segments.", {"labels": lambda pairs: [pair.label for pair in pairs]}),
    ("plain-tuple", "The three come back as a plain tuple; put them into Rows, whose fields have names.", {"finish": lambda *three: three}),
    ("lengthened", "The lists of the pairs that were given are lengthened (+= or append changes a list in place); make new ones.", {"first": lengthened}),
]:  # fmt: skip
    e.mistake(name, says)(rows_variant(**flags))


# ---- 10.4 the head that restores tokens --------------------------------------------------------------


def head_of(activation: str):
    sizes = BertConfig(vocab_size=7, d_model=6, n_heads=2, d_ff=8, n_layers=1, activation=activation)
    return lambda cls: with_fixed_weights(cls, MaskedLMHead, sizes)


def states_and_embedding():
    return randn(3, 5, 6), randn(7, 6, seed=1)


case, relu_case = Case(states_and_embedding, head_of("gelu")), Case(states_and_embedding, head_of("relu"))

e = define(
    "10.4",
    MaskedLMHead,
    "The head that restores tokens",
    minutes=8,
    difficulty=2,
    blank=("forward",),
    parts=[
        case.part("three texts of five tokens", 2),
        case.part("one token, no batch", change=lambda x, embedding: (x[0, 0], embedding)),
        case.part("three axes in front", change=lambda x, embedding: (x.view(3, 1, 5, 6), embedding)),
        relu_case.part("a model whose activation is ReLU"),
        case.part("another table of embeddings", change=lambda x, embedding: (x, randn(7, 6, seed=4))),
        case.gradients(),
        case.kind(torch.float64),
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


def unit(x):
    return F.normalize(x, dim=-1)


for name, says, flags in [
    ("nothing-between", "The last block's vectors meet the embeddings directly; a linear map, an activation and a norm come between.", {"body": lambda m, x: x}),
    ("no-activation", "The activation is missing: it stands between the linear map and the norm.", {"body": lambda m, x: m.norm(m.linear(x))}),
    ("no-norm", "The norm is missing: it comes last, before the product with the embeddings.", {"body": lambda m, x: m.activation(m.linear(x))}),
    ("no-linear", "The linear map is missing: it comes first.", {"body": lambda m, x: m.norm(m.activation(x))}),
    ("norm-before-activation", "The norm comes before the activation; here it comes last.", {"body": lambda m, x: m.activation(m.norm(m.linear(x)))}),
    ("norm-first", "The norm comes first of all; here it comes last, behind the activation.", {"body": lambda m, x: m.activation(m.linear(m.norm(x)))}),
    ("plain-norm", "The norm is taken without its scale and shift, which have learned something; self.norm has them.",
     {"body": lambda m, x: F.layer_norm(m.activation(m.linear(x)), x.shape[-1:], eps=m.norm.eps)}),
    ("always-gelu", "The activation is always GELU; it is the model's own, self.activation, and may be another.", {"body": lambda m, x: m.norm(F.gelu(m.linear(x)))}),
    ("tanh", "The activation is tanh, which is the pooler's; here it is the model's own, self.activation.", {"body": lambda m, x: m.norm(torch.tanh(m.linear(x)))}),
    ("residual", "The input is added to what comes out: there is no residual connection here.", {"body": lambda m, x: x + m.norm(m.activation(m.linear(x)))}),
    ("residual-inside", "The input is added before the norm, as in a block: there is no residual connection here.",
     {"body": lambda m, x: m.norm(x + m.activation(m.linear(x)))}),
    ("first-place", "Only the first place is read, as for a class; every place has logits of its own.",
     {"body": lambda m, x: m.norm(m.activation(m.linear(x[..., 0, :] if x.ndim > 1 else x)))}),
    ("no-bias", "The bias is missing: one number a token, which learns how frequent it is.", {"logits": lambda m, h, embedding: h @ embedding.mT}),
    ("bias-subtracted", "The bias is subtracted; it is added.", {"logits": lambda m, h, embedding: h @ embedding.mT - m.bias}),
    ("softmax", "These are probabilities; logits are wanted, for the loss takes the softmax itself.",
     {"logits": lambda m, h, embedding: (h @ embedding.mT + m.bias).softmax(-1)}),
    ("log-softmax", "These are logarithms of probabilities; logits are wanted, as the product and the bias give them.",
     {"logits": lambda m, h, embedding: (h @ embedding.mT + m.bias).log_softmax(-1)}),
    ("likeliest", "This is the number of the likeliest token; wanted are the logits of all.", {"logits": lambda m, h, embedding: (h @ embedding.mT + m.bias).argmax(-1)}),
    ("scaled", "The products are divided by √d_model; that is for attention's scores, not for logits.",
     {"logits": lambda m, h, embedding: h @ embedding.mT / embedding.shape[-1] ** 0.5 + m.bias}),
    ("cosine", "Vectors and embeddings are brought to length 1 before they are multiplied, which gives cosines; the product is taken as they are.",
     {"logits": lambda m, h, embedding: unit(h) @ unit(embedding).mT + m.bias}),
    ("detached", "The logits are right, but no gradient reaches the embeddings: they are detached. The tokens' vectors learn from what they predict.",
     {"logits": lambda m, h, embedding: h @ embedding.detach().mT + m.bias}),
]:  # fmt: skip
    e.mistake(name, says)(head_variant(**flags))


# ---- 10.5 whole words --------------------------------------------------------------------------------

FOUR_WORDS = [-1, 0, 1, 1, 2, 2, 2, 3, 3, 3, 3, -1, -1]
FIVE_WORDS = [-1, 0, 0, 0, 1, 2, 2, 3, 4, 4, 4, 4, -1]


def some_words() -> torch.Tensor:
    """Two texts that differ in words and in pieces."""
    return torch.tensor([FOUR_WORDS, FIVE_WORDS])


def which_words(f, truth: float, **settings) -> dict:
    """What is chosen of words of one, two, three and four pieces, in 400 batches of two texts twice."""
    words = some_words().repeat(2, 1)
    chosen = torch.stack([f(words.clone(), **settings).bool() for _ in range(400)])  # [batch, text, n]
    four, five = chosen[:, ::2], chosen[:, 1::2]
    pieces = [four[..., words[0] == word] for word in range(4)]
    others = [five[..., words[1] == word] for word in range(5)]
    every, some = (torch.stack([how(x, dim=-1) for x in pieces], -1) for how in (torch.all, torch.any))
    torn = torch.stack([x.any(-1) & ~x.all(-1) for x in pieces + others])
    number = every.sum(-1)
    return {
        "of the special tokens, those chosen": share(chosen, 0.0, (words < 0).expand_as(chosen)),
        "of the texts whose first word is chosen, those whose [CLS] is": share(
            four[..., 0], 0.0, every[..., 0]
        ),
        "of the words, those of which some pieces are chosen and not all": share(torn, 0.0),
        "of the words of one piece, those chosen": share(every[..., 0], truth),
        "of the words of four pieces, those of which any piece is chosen": share(some[..., 3], truth),
        "of the longer text's last words, those chosen": share(others[4].all(-1), truth),
        **{
            f"of words {i} and {j} of a text, both chosen": share(every[..., i] & every[..., j], truth**2)
            for i in range(4)
            for j in range(i)
        },
        "of two texts, the same word chosen in both": share(every[:, 0, 1] & every[:, 1, 1], truth**2),
        "of the texts of four words, those with exactly one chosen": share(
            number == 1, 4 * truth * (1 - truth) ** 3
        ),
        "of the texts of four words, those with none chosen": share(number == 0, (1 - truth) ** 4),
    }


def all_words(*batch: int, text: int | None = None):
    """At a rate of 1 chance decides nothing: kinds, shapes and values."""

    def run(f) -> dict:
        words = some_words().repeat(*batch, 1, 1) if text is None else some_words()[text]
        chosen = f(words.clone(), 1.0)
        return {
            "the kind of the result": str(getattr(chosen, "dtype", type(chosen).__name__)),
            "the shape of the result": list(chosen.shape),
            "of the pieces of words, those chosen": share(chosen.bool(), 1.0, words >= 0),
            "of the special tokens, those chosen": share(chosen.bool(), 0.0, words < 0),
        }

    return run


def words_afterwards(f) -> dict:
    words = some_words()
    f(words, 0.4)
    return {"the words' numbers afterwards": words}


def words_by_chance(f, chance: dict):
    return f(torch.arange(40).repeat(3, 1), 0.45, **chance)


e = define(
    "10.5",
    choose_words,
    "Whole words",
    minutes=10,
    difficulty=3,
    parts=[
        ("all words", 1, all_words()),
        ("30 % of the words", 2, lambda f: which_words(f, 0.3, rate=0.3)),
        ("no rate given: 15 %", 1, lambda f: which_words(f, 0.15)),
        ("one text, no batch", 1, all_words(text=1)),
        ("two axes in front", 1, all_words(3)),
        same_seed(words_by_chance),
        seeds_matter(words_by_chance),
        ("the words' numbers", 1, words_afterwards, "the words' numbers that were given are changed"),
        refusals(
            {
                "numbers that are floats": (TypeError, lambda f: f(some_words().float())),
                "a rate of 1.3": (ValueError, lambda f: f(some_words(), 1.3)),
                "a rate of -0.2": (ValueError, lambda f: f(some_words(), -0.2)),
                "no words at all": (ValueError, lambda f: f(some_words().clamp(max=-1))),
            },
            "what cannot be chosen from",
        ),
    ],
    hints=[
        "Draw one number for every *word*, not for every piece. How does each piece then find the number of its word?",
        "A sequence of n tokens has at most n words; so draw n numbers a row, the w-th being that of word w, and `gather` them by"
        " `words`. Mind the -1, which is no place to gather from. What cannot be chosen from, `check_words(words, rate)` refuses.",
        "`of_word = torch.rand(words.shape, generator=generator).gather(-1, words.clamp(min=0))`, then"
        " `return (of_word < rate) & (words >= 0)`.",
    ],
)


def words_variant(
    draw=lambda words, g: coins(words.shape, g),
    number=lambda words: words.clamp(min=0),
    keep=lambda chosen, words: chosen & (words >= 0),
    choose=lambda drawn, rate, words: drawn < rate,
    rate_of=lambda rate: rate,
    check=check_words,
    seeded=True,
    finish=lambda words, chosen: chosen,
):
    def wrong(words, rate=0.15, generator=None):
        check(words, rate)
        drawn, at = draw(words, generator if seeded else None), number(words)
        return finish(words, keep(choose(drawn, rate_of(rate), words).gather(-1, at), words))

    return wrong


def place_in_row(words: torch.Tensor) -> torch.Tensor:
    return torch.arange(words.shape[-1]).expand_as(words)


def exactly_words(drawn, rate, words):
    """The rounded share of each text's words, at random."""
    n = words.amax(-1, keepdim=True) + 1
    order = drawn.masked_fill(place_in_row(words) >= n, 2.0).argsort(-1).argsort(-1)
    return order < (rate * n).round()


def at_least_one(drawn, rate, words):
    n = words.amax(-1, keepdim=True) + 1
    smallest = drawn.masked_fill(place_in_row(words) >= n, 2.0)
    return (drawn < rate) | (smallest == smallest.amin(-1, keepdim=True))


def by_pieces(reduce):
    """A word is chosen if ``reduce`` (any, all) of its pieces would be."""

    def wrong(words, rate=0.15, generator=None):
        check_words(words, rate)
        pieces = coins(words.shape, generator) < rate
        same = words.unsqueeze(-1) == words.unsqueeze(-2)  # [*batch, n, n]
        return reduce(pieces.unsqueeze(-2), same) & (words >= 0)

    return wrong


def zeroed(words, chosen):
    words.clamp_(min=0)
    return chosen


for name, says, flags in [
    ("each-piece", "Every piece is chosen on its own, so that words are torn: a piece whose neighbours can be read is too easy to guess.", {"number": place_in_row}),
    ("special-too", "Special tokens are chosen with the first word, whose number -1 was made to: they belong to none.", {"keep": lambda chosen, words: chosen}),
    ("special-with-the-last", "Special tokens are chosen: as an index -1 means the last number drawn. They belong to no word.",
     {"number": lambda words: words.where(words >= 0, words.shape[-1] - 1), "keep": lambda chosen, words: chosen}),
    ("same-in-every-row", "One number a word is drawn for the whole batch, so that all rows are hidden alike.",
     {"draw": lambda words, g: coins(words.shape[-1], g).expand(words.shape)}),
    ("whole-row", "One number is drawn for the whole sequence: either all of it is hidden or nothing.",
     {"draw": lambda words, g: coins((*words.shape[:-1], 1), g).expand(words.shape)}),
    ("first-rows-words", "The first text's words decide for all: in a text with other words the pieces do not belong together.",
     {"number": lambda words: words.reshape(-1, words.shape[-1])[0].clamp(min=0).expand_as(words)}),
    ("the-others", "The comparison is turned round: chosen are the words whose number is above the rate.", {"choose": lambda drawn, rate, words: drawn > rate}),
    ("upside-down", "The result is turned round: it is True at all that was not chosen, special tokens too.", {"keep": lambda chosen, words: ~(chosen & (words >= 0))}),
    ("rate-fixed", "The rate that is given is not used: it is always 15 %.", {"rate_of": lambda rate: 0.15}),
    ("exact-share", "Always the same number of words is chosen in a text; each word is to be chosen by itself, so that the number is left to chance.",
     {"choose": exactly_words}),
    ("at-least-one", "At least one word of every text is chosen; chance may also choose none.", {"choose": at_least_one}),
    ("numbers", "These are numbers, 0 and 1; the signature asks for booleans, True and False.", {"finish": lambda words, chosen: chosen.long()}),
    ("in-place", "The words' numbers that were given are changed: their -1 is gone afterwards. `clamp_` and `words[...] = ` write into them.", {"finish": zeroed}),
    ("generator-ignored", "The generator is not used: give it to the function that draws, else the same seed gives other words each time.", {"seeded": False}),
    ("unchecked", "What cannot be chosen from is not refused: the docstring lists what is to raise a TypeError or a ValueError.",
     {"check": lambda *given: None, "number": lambda words: words.long().clamp(min=0)}),
]:  # fmt: skip
    e.mistake(name, says)(words_variant(**flags))

e.mistake(
    "any-piece",
    "A word is chosen as soon as one of its pieces would be, and so a long word more often than a short one.",
)(by_pieces(lambda pieces, same: (same & pieces).any(dim=-1)))
e.mistake(
    "all-pieces", "A word is chosen only if each of its pieces would be, and so a long word hardly ever."
)(by_pieces(lambda pieces, same: (~same | pieces).all(dim=-1)))


@e.mistake("first-piece", "Only the first piece of each chosen word is chosen; all of its pieces should be.")
def _(words, rate=0.15, generator=None):
    chosen = choose_words(words, rate, generator)
    return chosen & (words != F.pad(words[..., :-1], (1, 0), value=-1))


# ---- 10.6 heads that look at neighbours --------------------------------------------------------------


def weights_of(n: int, seed: int = 0, layers: int = 2, heads: int = 3):
    return lambda: (rows(layers, heads, n, n, seed=seed),)


case = Case(weights_of(5))
longer = Case(weights_of(7, seed=1))
long_enough = Case(weights_of(4, seed=2, layers=4, heads=4))


e = define(
    "10.6",
    offset_score,
    "Heads that look at a neighbour",
    minutes=8,
    difficulty=1,
    parts=[
        case.part("the token before", 2, offset=-1),
        longer.part("two places on", offset=2),
        case.part("the token itself", offset=0),
        longer.part("three places before", offset=-3),
        case.part("four places on, which one token of five has", offset=4),
        case.part("four places before, which one token of five has", offset=-4),
        long_enough.part("as many layers and heads as tokens", offset=1),
        case.kind(torch.float64, offset=1),
        refusals(
            {
                "5 places on among 5 tokens": (ValueError, lambda f: f(*weights_of(5)(), 5)),
                "5 places before among 5 tokens": (ValueError, lambda f: f(*weights_of(5)(), -5)),
                "9 places before among 7 tokens": (ValueError, lambda f: f(*weights_of(7)(), -9)),
            },
            "no token has one there",
        ),
    ],
    hints=[
        "In a matrix of weights, rows are the tokens that look and columns those looked at. Where are the weights of each token to the"
        " one before it?",
        "On the diagonal below the main one: `weights[..., i, i - 1]`. The first token has nobody before it, so there are n - 1 of"
        " them to take the mean of. Where there is none at all, raise the ValueError.",
        "`return weights.diagonal(offset, dim1=-2, dim2=-1).mean(dim=-1)`, after `if abs(offset) >= weights.shape[-1]: raise …`.",
    ],
)  # fmt: skip


def far(weights, offset):
    if abs(offset) >= weights.shape[-1]:
        raise ValueError("no token has one there")


def far_right(weights, offset):
    if offset >= weights.shape[-1]:
        raise ValueError("no token has one there")


def far_by_index(weights, offset):
    if abs(offset) >= weights.shape[-1]:
        raise IndexError("no token has one there")


def on_diagonal(w, k):
    return w.diagonal(k, dim1=-2, dim2=-1)


def looked_up(w, k, places):
    """The weight of each token to the one at ``places``."""
    return w.gather(
        -1, places(torch.arange(w.shape[-1]) + k, w.shape[-1]).view(-1, 1).expand(*w.shape[:-1], 1)
    ).squeeze(-1)


def offset_variant(pick=on_diagonal, reduce=lambda x, n: x.mean(dim=-1), check=far):
    def wrong(weights, offset):
        check(weights, offset)
        return reduce(pick(weights, offset), weights.shape[-1])

    return wrong


for name, says, flags in [
    ("other-way", "This is the weight in the other direction: -1 is the token before, the diagonal below the main one.", {"pick": lambda w, k: on_diagonal(w, -k)}),
    ("both-sides", "Both directions are averaged; -1 is the token before alone, 1 the one behind.",
     {"pick": lambda w, k: (on_diagonal(w, k) + on_diagonal(w, -k)) / 2}),
    ("layers-and-heads", "The diagonal is that of the first two axes, layers and heads; queries and keys are the last two.",
     {"pick": lambda w, k: w.diagonal(k)}),
    ("wraps", "The row is closed to a ring: the first token's “token before” is the last. Tokens that have none are left out.",
     {"pick": lambda w, k: looked_up(w, k, lambda at, n: at % n)}),
    ("edges", "A token that has none there is given the outermost one; it is to be left out.", {"pick": lambda w, k: looked_up(w, k, lambda at, n: at.clamp(0, n - 1))}),
    ("up-to-there", "All tokens up to that place are counted; only the one exactly that far away is meant.",
     {"pick": lambda w, k: w.tril(k).sum(-1)}),
    ("over-all", "The sum is divided by all tokens, also by those that have none there.", {"reduce": lambda x, n: x.sum(dim=-1) / n}),
    ("one-too-few", "The mean leaves out the first and the last of the tokens that have one there; all of them count.",
     {"reduce": lambda x, n: x[..., 1:-1].mean(dim=-1) if x.shape[-1] > 2 else x.mean(dim=-1)}),
    ("sum", "This is the sum; the score is a mean, at most 1.", {"reduce": lambda x, n: x.sum(dim=-1)}),
    ("largest", "This is the largest of the weights; the score is their mean.", {"reduce": lambda x, n: x.amax(dim=-1)}),
    ("one-a-token", "This is one number a token; the score is the mean over them, one number a head.", {"reduce": lambda x, n: x}),
    ("all-heads", "The mean is taken over the heads too; each has its own score.", {"reduce": lambda x, n: x.mean(dim=(-1, -2))}),
    ("heads-first", "Layers and heads are exchanged: the result is [layer, head].", {"reduce": lambda x, n: x.mean(dim=-1).mT}),
    ("lists", "These are nested lists; a tensor is wanted.", {"reduce": lambda x, n: x.mean(dim=-1).tolist()}),
    ("unchecked", "Where no token has one there, no error is raised; the docstring promises a ValueError.", {"check": lambda w, k: None}),
    ("only-to-the-right", "An offset that is too far to the right is refused, one that is too far to the left gives NaN; both should raise a ValueError.",
     {"check": far_right}),
    ("index-error", "An IndexError is raised where no token has one there; the docstring promises a ValueError.", {"check": far_by_index}),
]:  # fmt: skip
    e.mistake(name, says)(offset_variant(**flags))


@e.mistake(
    "argmax",
    "This counts how often that place gets the most weight; the score is the weight itself, on average.",
)
def _(weights, offset):
    far(weights, offset)
    best = weights.argmax(dim=-1)  # [layer, head, n]
    there = torch.arange(weights.shape[-1]) + offset
    real = (there >= 0) & (there < weights.shape[-1])
    return (best == there)[..., real].float().mean(dim=-1)
