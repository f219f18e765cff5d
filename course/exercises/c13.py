"""The exercises of notebook 13: a conversation, preferences, what training costs."""

from itertools import groupby

import torch
import torch.nn.functional as F

from course.exercises.contract import Case
from course.exercises.inputs import randn
from course.exercises.promises import refusals
from course.exercises.variants import checked
from course.studies.budget import gpt_training_flops
from course.studies.preferences import preference_loss
from course.text.chat import Marks, Turn, chat_prompt, turn_ids
from course.workbook.record import define

# ---- 13.4 a conversation is one row of tokens --------------------------------------------------

CHAT_MARKS = Marks(user=91, assistant=92, end=93)


def chat_letters(text: str) -> list[int]:
    """A letter a token: its place in the alphabet."""
    return [ord(letter) - 96 for letter in text]


def chat_turns(n: int = 5) -> list[tuple[str, str]]:
    said = ("hello", "whatnow", "abus", "whereto", "town")
    return [("user" if i % 2 == 0 else "assistant", text) for i, text in enumerate(said[:n])]


def ask_chat(f, turns=None, room=100):
    return f(chat_turns() if turns is None else turns, chat_letters, CHAT_MARKS, room)


def chat_kept(f):
    turns = chat_turns()
    ask_chat(f, turns, room=20)
    return {"the turns that were given, afterwards": turns}


e = define(
    "13.4",
    chat_prompt,
    "What a model reads before it answers",
    minutes=12,
    difficulty=2,
    parts=[
        ("five turns, room for all", 2, ask_chat),
        ("five turns, room for 20 ids", 2, lambda f: ask_chat(f, room=20)),
        ("five turns that just fit", 1, lambda f: ask_chat(f, room=38)),
        ("five turns, one id too many", 1, lambda f: ask_chat(f, room=37)),
        ("a single turn", 1, lambda f: ask_chat(f, chat_turns(1))),
        ("a single turn that just fits", 1, lambda f: ask_chat(f, chat_turns(1), room=8)),
        ("the assistant has spoken twice", 1,
         lambda f: ask_chat(f, [*chat_turns(2), ("assistant", "and"), ("user", "abc")], room=22)),
        ("what was given stays as it was", 1, chat_kept, "the turns that were given are changed"),
        refusals({
            "no turns": (ValueError, lambda f: ask_chat(f, [])),
            "a newest turn that does not fit": (ValueError, lambda f: ask_chat(f, chat_turns(2), room=9)),
            "an unknown role": (ValueError, lambda f: ask_chat(f, [("robot", "hi")])),
        }),
    ],
    hints=[
        "Write the ids of a conversation of one short turn on paper: who speaks, what is said, that it is over; and then? Whose turn is it to be written, and what tells the model so?",
        "Make a list of ids for each turn first. Then leave out lists from the front while all of them together, and the one mark behind them, are more than `room`. A turn is never cut in two.",
        "`written = [[marks.of(role), *encode(text), marks.end] for role, text in turns]`; a ValueError for no turns, or if `len(written[-1]) + 1 > room`; `while sum(map(len, written)) + 1 > room: written = written[1:]`; then all ids in a row, and `marks.assistant`.",
    ],
)  # fmt: skip


def chat_variant(
    turn=turn_ids,
    last=lambda written, marks: [marks.assistant],
    cut=lambda written, room: chat_oldest_out(written, room - 1),
    prepare=lambda turns: turns,
):
    """A wrong version of the one way there is: turns to lists, some left out, joined, a last mark."""

    def wrong(turns, encode, marks, room):
        written = [turn(Turn(*t), encode, marks) for t in prepare(turns)]
        return [id for ids in cut(written, room) for id in ids] + last(written, marks)

    return checked(chat_prompt, wrong)


def chat_oldest_out(written, room):
    while sum(map(len, written)) > room and len(written) > 1:
        written = written[1:]
    return written


def chat_newest_out(written, room):
    kept = []
    for ids in written:
        if sum(map(len, kept)) + len(ids) + 1 > room:
            break
        kept.append(ids)
    return kept


def chat_inside(written, room):
    ids = [id for turn in written for id in turn]
    return [ids[-(room - 1) :]]


def chat_in_pairs(written, room):
    while sum(map(len, written)) + 1 > room and len(written) > 1:
        written = written[2:] if len(written) > 2 else written[1:]
    return written


def chat_merged(turns):
    return [Turn(role, "".join(t for _, t in group)) for role, group in groupby(turns, key=lambda t: t[0])]


def chat_every(e, variant, rows):
    """Add a family of wrong versions: (name, says, flags)."""
    for name, says, flags in rows:
        e.mistake(name, says)(variant(**flags))


chat_every(e, chat_variant, [
    ("nobody-asked", "The assistant's mark is missing at the end: the model is asked to go on, not to answer, and may well write the user's next turn.", {"last": lambda w, m: [], "cut": lambda w, r: chat_oldest_out(w, r - 1)}),
    ("users-turn", "At the end stands the user's mark: the model is asked to write the user's turn. It has learned to do that too.", {"last": lambda w, m: [m.user]}),
    ("ended-before-it-began", "The end stands behind the last mark: the assistant's turn is over before it begins.", {"last": lambda w, m: [m.assistant, m.end]}),
    ("no-stop", "The turns have no end: without it in what it reads, a model never learns, or forgets, where to stop.", {"turn": lambda t, encode, m: [m.of(t.role), *encode(t.text)]}),
    ("stop-first", "The end stands before the text: it belongs behind it.", {"turn": lambda t, encode, m: [m.of(t.role), m.end, *encode(t.text)]}),
    ("roles-exchanged", "The roles are exchanged: what the user said is marked as the assistant's.", {"turn": lambda t, encode, m: [m.assistant if t.role == "user" else m.user, *encode(t.text), m.end]}),
    ("no-roles", "The roles are missing: texts alone do not say who spoke.", {"turn": lambda t, encode, m: [*encode(t.text), m.end]}),
    ("role-behind", "The role stands behind the text; the model has to know who speaks before it reads what.", {"turn": lambda t, encode, m: [*encode(t.text), m.of(t.role), m.end]}),
    ("newest-forgotten", "The newest turns are left out, and the oldest are kept: the question itself is gone.", {"cut": chat_newest_out}),
    ("cut-inside", "The ids are cut at `room`, in the middle of a turn: leave out whole turns.", {"cut": chat_inside}),
    ("pairs-only", "Turns are left out two at a time: one may be enough.", {"cut": chat_in_pairs}),
    ("mark-not-counted", "The last mark is not counted: with it there is one id more than there is room for.", {"cut": lambda w, r: chat_oldest_out(w, r)}),
    ("one-too-careful", "One id too few is used: what just fits may stay.", {"cut": lambda w, r: chat_oldest_out(w, r - 2)}),
    ("never-cut", "Nothing is ever left out: a long conversation is more than the model can read.", {"cut": lambda w, r: w}),
    ("newest-alone", "As soon as not all fits, only the newest turn is kept: leave out as few as will do.", {"cut": lambda w, r: w if sum(map(len, w)) + 1 <= r else w[-1:]}),
    ("merged", "Two turns of the same role have been made one: each keeps its marks.", {"prepare": chat_merged}),
])  # fmt: skip


# ---- 13.5 preferences --------------------------------------------------------------------------


def preferred(*_):
    return randn(7, seed=3) * 1.3 + 0.4, randn(7, seed=4) * 0.9 - 0.2


case = Case(preferred)
e = define(
    "13.5",
    preference_loss,
    "What one preferred, as a loss",
    minutes=8,
    difficulty=2,
    parts=[
        case.part("seven pairs", 2),
        case.part("a single pair", change=lambda a, b: (a[:1], b[:1])),
        case.part("rewards moved by 3, all of them", change=lambda a, b: (a + 3, b + 3)),
        case.part("differences of ±300: the loss is finite", change=lambda a, b: (200 * a, -200 * b)),
        case.part("equal rewards", change=lambda a, b: (a, a.clone())),
        case.gradients(),
        case.kind(torch.float64),
    ],
    hints=[
        "The Bradley–Terry model says with which probability a text of one reward is preferred to a text of another. Which probability should be large here, and what loss makes it so?",
        "The probability is σ(chosen - rejected): only the difference counts. The loss is -ln of it, and the mean over the pairs comes last. ln of a σ that has become 0 is -∞: PyTorch does both in one function.",
        "`-F.logsigmoid(chosen - rejected).mean()`",
    ],
)  # fmt: skip


def preference_variant(of=lambda a, b: a - b, loss=lambda x: -F.logsigmoid(x), over=lambda x: x.mean()):
    return lambda chosen, rejected: over(loss(of(chosen, rejected)))


chat_every(e, preference_variant, [
    ("turned", "The sign is turned: the loss falls as the *rejected* text's reward rises.", {"of": lambda a, b: b - a}),
    ("no-minus", "The minus before the logarithm is missing: making this smaller makes the preferred text less likely.", {"loss": F.logsigmoid}),
    ("no-log", "1 - σ is the probability of being wrong, not -ln σ: where the model is wrong and sure of it, its gradient is nothing.", {"loss": lambda x: 1 - torch.sigmoid(x)}),
    ("log-of-mean", "The mean of the probabilities is taken first and then its logarithm: one pair that is badly wrong hides behind the others.", {"loss": torch.sigmoid, "over": lambda x: -x.mean().log()}),
    ("unstable", "σ is taken first and then its ln: for large differences σ is 0 and the loss is not finite. `F.logsigmoid` does both at once.", {"loss": lambda x: -torch.sigmoid(x).log()}),
    ("sum-of-rewards", "The rewards are added: it is their difference that says which is preferred. Adding the same to both must change nothing.", {"of": lambda a, b: a + b}),
    ("ratio", "The rewards are divided: rewards may be negative or 0, and only their difference means something.", {"of": lambda a, b: a / b}),
    ("sum-over-pairs", "The losses are added up; the mean over pairs is asked for.", {"over": lambda x: x.sum()}),
    ("hinge", "This is a hinge: as soon as the difference is 1, nothing more is learned. Bradley and Terry's is -ln σ.", {"loss": lambda x: (1 - x).clamp(min=0)}),
    ("squared", "This fits differences to 1, as if preferences were measured lengths: a text that is liked much more would be punished for it.", {"loss": lambda x: (1 - x) ** 2}),
    ("absolute", "The absolute difference is taken: the loss no longer knows which of the two was preferred.", {"of": lambda a, b: (a - b).abs()}),
])  # fmt: skip


@e.mistake(
    "labels",
    "Each reward is fitted to a label of its own, 1 or 0; what was seen are pairs, and only differences count.",
)
def _(chosen, rejected):
    return -(F.logsigmoid(chosen) + F.logsigmoid(-rejected)).mean()


@e.mistake(
    "no-gradient-to-the-rejected",
    "No gradient arrives at the rejected text: it should fall as the preferred one rises.",
)
def _(chosen, rejected):
    return preference_loss(chosen, rejected.detach())


# ---- 13.6 what training costs ------------------------------------------------------------------

SMALL_RUN = {"n_layers": 3, "d_model": 20, "d_ff": 70, "vocab_size": 110, "length": 13, "tokens": 1300}


def training_of(f, **changes):
    return float(f(**SMALL_RUN | changes))


e = define(
    "13.6",
    gpt_training_flops,
    "How many operations a training takes",
    minutes=12,
    difficulty=2,
    parts=[
        ("three layers", 2, training_of),
        ("one layer", 1, lambda f: training_of(f, n_layers=1)),
        ("windows four times as long, as many tokens", 2, lambda f: training_of(f, length=52)),
        ("a wider hidden layer", 1, lambda f: training_of(f, d_ff=230)),
        ("a larger vocabulary", 1, lambda f: training_of(f, vocab_size=1700)),
        ("twice as many tokens", 1, lambda f: training_of(f, tokens=2600)),
        ("the smallest GPT-2, one window", 1, lambda f: f(12, 768, 3072, 50257, 1024, 1024) / 1e9),
    ],
    hints=[
        "Count for one token, forward: how many products does it pass through in a block, and of what sizes? What does it do with the `length` positions? What comes after the last block, once?",
        "A vector of a numbers times a matrix of a × b takes 2ab operations. In a block: four of d × d, the scores (d with `length` positions), the sum of `length` values of d numbers, d × f and f × d. Behind the blocks: d × vocabulary. Then: how much does the way back add?",
        "`block = 8 * d_model**2 + 4 * d_model * length + 4 * d_model * d_ff`; `3.0 * tokens * (n_layers * block + 2 * d_model * vocab_size)`",
    ],
)  # fmt: skip


def cost_variant(
    ways=3.0,
    projections=8,
    attention=4,
    feed=4,
    head=2,
    lookup=0,
    width=lambda d, f: f,
    seen=lambda n: n,
    once=False,
    windows=False,
):
    def wrong(n_layers, d_model, d_ff, vocab_size, length, tokens):
        d, f = d_model, width(d_model, d_ff)
        scores = attention * d * seen(length)
        block = projections * d**2 + feed * d * f + (0 if once else scores)
        per_token = n_layers * block + (head + lookup) * d * vocab_size + (scores if once else 0)
        return ways * (tokens / length if windows else tokens) * per_token

    return wrong


chat_every(e, cost_variant, [
    ("forward-only", "This is the way forward alone: the way back takes twice as much besides, for gradients of what went in and of the weights.", {"ways": 1.0}),
    ("back-like-forward", "The way back is counted like the way forward: it makes two products for each, so all together it is three times.", {"ways": 2.0}),
    ("multiply-only", "A multiplication and its addition are two operations; here they are counted as one.", {"ways": 1.5}),
    ("no-attention", "The scores and the sum of the values are missing: this is 6ND, which leaves out what grows with the length.", {"attention": 0}),
    ("scores-only", "Attention makes two products with all positions, the scores and the sum of values; one of them is missing.", {"attention": 2}),
    ("causal-half", "Half of the scores are left out because a mask hides them: they are computed all the same, and counted here.", {"seen": lambda n: (n + 1) / 2}),
    ("attention-once", "Attention with the other positions is counted once, and not in each layer.", {"once": True}),
    ("no-logits", "The last product, with every token's embedding, is left out.", {"head": 0}),
    ("look-up-counted", "The embedding is counted twice: looking a row up is no product, only the logits are.", {"lookup": 2}),
    ("three-projections", "Three projections are counted; there is a fourth, of the output.", {"projections": 6}),
    ("ff-once", "The feed-forward network has two matrices, up and down; one of them is missing.", {"feed": 2}),
    ("four-d", "The hidden layer is taken for 4 × d_model wide; `d_ff` says how wide it is.", {"width": lambda d, f: 4 * d}),
    ("squared-length", "For one token the scores take `length` products, not `length` squared: the square comes from all tokens together.", {"seen": lambda n: n * n}),
    ("windows", "Operations are counted a window, and not a token: `tokens` has been divided by `length`.", {"windows": True}),
])  # fmt: skip


@e.mistake(
    "six-n-d",
    "This is 6 × parameters × tokens with the embeddings counted among the parameters, and no attention: a good estimate, not the count.",
)
def _(n_layers, d_model, d_ff, vocab_size, length, tokens):
    d, f = d_model, d_ff
    count = n_layers * (4 * (d * d + d) + 2 * d * f + f + 5 * d) + (vocab_size + length) * d + 2 * d
    return 6.0 * count * tokens
