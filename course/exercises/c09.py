"""The exercises of notebook 09: in-context learning."""

import math
from functools import partial

import numpy as np
import torch

from course.exercises.contract import Case
from course.exercises.inputs import ids, randn
from course.in_context.few_shot import exact_matches, wilson_interval
from course.in_context.induction import continues_earlier, prefix_matching_score, repeated_tokens
from course.in_context.prompts import CHARACTERS, ENDS, Encoded, Format, draw_prompt, encode
from course.in_context.regression import least_squares, predict_each, ridge
from course.in_context.tasks import TASKS, Example, Task
from course.workbook.chance import Share
from course.workbook.record import define

# ---- 9.1 drawing a prompt ------------------------------------------------------------------------


def drawn(f, task, shots: int, seed: int = 0, **settings):
    return f(task, shots, np.random.default_rng(seed), **settings)


def draw_of_five(random, n: int, held_out: bool) -> list[Example]:
    """Of five examples alone, those held out or five others: two draws cannot but collide."""
    words = ("oak", "elm", "fir", "ash", "yew") if held_out else ("ant", "bee", "cow", "dog", "elk")
    return [Example(words[i], words[i].upper()) for i in random.permutation(5)[:n]]


FIVE = Task("five words", ">", draw_of_five)


def sort_of(x) -> str:
    """What it is, told closely enough to say what is wrong with it."""
    if isinstance(x, Example):
        return "an Example"
    if isinstance(x, str):
        return "a number as text" if x.isdigit() else "a text"
    if isinstance(x, (list, tuple)):
        kind = f"a {type(x).__name__} of {len(x)}"
        return f"{kind} Examples" if x and all(isinstance(y, Example) for y in x) else kind
    return f"a {type(x).__name__}"


def looked_at(result) -> dict[str, str]:
    """What came back, as words: a pair of shots and an example, or something else."""
    if not isinstance(result, (list, tuple)) or isinstance(result, Example) or len(result) != 2:
        return {"what comes back": sort_of(result)}
    return {"the first thing": sort_of(result[0]), "the second thing": sort_of(result[1])}


def apart(result) -> tuple[list[Example], Example | None]:
    """Shots and question, where they can be made out; for the parts that look at what they are."""
    shots, last = result if isinstance(result, (list, tuple)) and len(result) == 2 else (result, None)
    if isinstance(shots, Example):
        shots, last = last, shots
    last = last[0] if isinstance(last, list) and len(last) == 1 else last
    return [x for x in shots if isinstance(x, Example)], last if isinstance(last, Example) else None


def no_leak(f) -> dict[str, bool]:
    leaks = 0
    for seed in range(12):
        shots, last = apart(drawn(f, FIVE, 4, seed))
        leaks += last is not None and last.question in {shot.question for shot in shots}
    return {"the question is one of the shots": leaks > 0}


def all_different(f) -> dict[str, bool]:
    return {"two shots have one question": any(
        len({x.question for x in shots}) < len(shots) for shots, _ in (apart(drawn(f, FIVE, 4, s)) for s in range(12))
    )}  # fmt: skip


def sums_are_right(f) -> dict[str, bool]:
    shots, last = apart(drawn(f, "addition", 6, 3))
    right = [sum(map(int, x.question.split("+"))) == int(x.answer) for x in [*shots, last] if x is not None]
    return {"every answer belongs to its question": all(right)}


def of_which_kind(f, **settings) -> dict[str, str]:
    """Whether shots and question come from the held-out words or from the others."""

    def kind(examples) -> str:
        held = {x.question in ("oak", "elm", "fir", "ash", "yew") for x in examples if x is not None}
        return (
            "held out"
            if held == {True}
            else "not held out"
            if held == {False}
            else "some of each"
            if held
            else "none"
        )

    found = [apart(drawn(f, FIVE, 3, seed, **settings)) for seed in range(4)]
    return {
        "the shots": kind([x for shots, _ in found for x in shots]),
        "the question": kind([last for _, last in found]),
    }


LOOKUPS = 150
ANSWERABLE = (
    sum(1 - (1 - 1 / k) ** 5 for k in range(2, 7)) / 5
)  # k letters, five shots: the question is among them


def lookup(f) -> dict:
    """Whether the answers are of one made-up prompt, and how often the question can be answered from the shots."""
    agree, known = True, 0
    for seed in range(LOOKUPS):
        shots, last = apart(drawn(f, "lookup", 5, seed))
        table: dict[str, str] = {}
        for question, answer in [*shots, last] if last is not None else shots:
            agree = agree and table.setdefault(question, answer) == answer
        known += last is not None and last.question in {shot.question for shot in shots}
    return {
        "one letter has one answer in a prompt": agree,
        "how often the question is among five shots": Share(known, LOOKUPS, ANSWERABLE),
    }


def chance_of_its_own(f) -> dict[str, bool]:
    random = np.random.default_rng(5)
    one, two = f("addition", 2, random), f("addition", 2, random)
    np.random.seed(1)
    again = drawn(f, "addition", 2, 5)
    return {
        "two prompts from one generator, one after the other, differ": repr(one) != repr(two),
        "the same seed gives the same prompt": repr(one) == repr(again),
    }


e = define(
    "9.1",
    draw_prompt,
    "A prompt that does not give its answer away",
    minutes=6,
    difficulty=1,
    parts=[
        ("three sums and one to answer", 1, lambda f: looked_at(drawn(f, "addition", 3))),
        ("a task instead of its name", 1, lambda f: looked_at(drawn(f, TASKS["spelling"], 5))),
        ("no shots", 1, lambda f: looked_at(drawn(f, "copying", 0))),
        ("a task of five words, of which four are shots", 2, no_leak, "the question that is asked is one of the shots, its answer stands in the prompt"),
        ("a task of five words, the shots", 1, all_different, "the same question comes twice among the shots"),
        ("sums, their answers", 1, sums_are_right, "an example has not its own answer"),
        ("examples that training has not seen", 1, of_which_kind),
        ("for training: nothing held out", 1, lambda f: of_which_kind(f, held_out=False)),
        ("150 prompts of lookup", 1, lookup),
        ("generators with seeds", 1, chance_of_its_own, "chance does not come from the generator that was given"),
    ],
    hints=[
        "`task.draw(random, n, held_out)` gives n different examples. How many do you need, and which of them is the question?",
        "Draw shots + 1 at once, so that the question is none of the shots; the last is the question. A name becomes a task by"
        " `TASKS[task]`.",
        "`*before, last = task.draw(random, shots + 1, held_out)`, then `return before, last`.",
    ],
)  # fmt: skip


def task_of(task) -> Task:
    return TASKS[task] if isinstance(task, str) else task


def draw_variant(
    extra=1,
    split=lambda examples: (examples[:-1], examples[-1]),
    held_out=lambda given: given,
):
    def wrong(task, shots, random, held_out_=True, **named):
        examples = task_of(task).draw(random, shots + extra, held_out(named.get("held_out", held_out_)))
        return split(examples)

    return wrong


def answers_moved(examples: list[Example]) -> tuple[list[Example], Example]:
    moved = [
        Example(x.question, y.answer) for x, y in zip(examples, examples[1:] + examples[:1], strict=True)
    ]
    return moved[:-1], moved[-1]


for name, says, flags in [
    ("leak", "The answer leaks into the prompt: the question that is asked is one of the shots, with its answer. Draw one example more than there are shots.",
     {"split": lambda examples: (examples, examples[-1])}),
    ("leak-of-the-right-number", "The answer leaks into the prompt: the question that is asked is one of the shots, with its answer. There must be one example more than shots.",
     {"extra": 0, "split": lambda examples: (examples, examples[-1])}),
    ("trains-on-test", "held_out is not handed on: these examples are always of those that training has seen.", {"held_out": lambda given: False}),
    ("always-held-out", "held_out is not handed on: also for training the held-out examples are drawn.", {"held_out": lambda given: True}),
    ("held-out-turned-round", "held_out is handed on the wrong way round.", {"held_out": lambda given: not given}),
    ("one-more", "There is one shot too many.", {"extra": 2}),
    ("one-short", "There is one shot too few: the question is to come in addition to the shots.", {"extra": 0}),
    ("question-alone", "The second thing to give back is an example, question and answer; this is the question alone.",
     {"split": lambda examples: (examples[:-1], examples[-1].question)}),
    ("answer-alone", "The second thing to give back is an example, question and answer; this is the answer alone.",
     {"split": lambda examples: (examples[:-1], examples[-1].answer)}),
    ("list-of-one", "The question comes as a list of one example; take the example out of it.", {"split": lambda examples: (examples[:-1], examples[-1:])}),
    ("one-list", "Shots and question come back in one list; what is asked is a pair: the shots, and apart from them the example.", {"split": lambda examples: examples}),
    ("question-first", "The two are in the wrong order: the shots come first, then the example that is asked.", {"split": lambda examples: (examples[-1], examples[:-1])}),
    ("tuple", "The shots come as a tuple; the signature promises a list.", {"split": lambda examples: (tuple(examples[:-1]), examples[-1])}),
    ("answers-moved", "Questions and answers are paired with a shift: every example has the answer of another.", {"split": answers_moved}),
    ("shots-unlabelled", "The shots are questions without their answers; a shot is an example, and its answer is what the model learns from.",
     {"split": lambda examples: ([x.question for x in examples[:-1]], examples[-1])}),
]:  # fmt: skip
    e.mistake(name, says)(draw_variant(**flags))


@e.mistake(
    "two-draws",
    "Shots and question are drawn one after the other, and the two draws know nothing of each other: the question may be one of"
    " the shots, and in lookup its answer was made up anew, so that nobody can find it.",
)
def _(task, shots, random, held_out=True):
    return task_of(task).draw(random, shots, held_out), task_of(task).draw(random, 1, held_out)[0]


@e.mistake(
    "never-answerable",
    "In lookup the question is none of the shots here, be it drawn apart from them or again and again until it is new. There the"
    " answers are made up for the prompt and stand nowhere but in the shots, so the question must be free to be one of theirs.",
)
def _(task, shots, random, held_out=True):
    before = task_of(task).draw(random, shots, held_out)
    for _ in range(200):
        last = task_of(task).draw(random, 1, held_out)[0]
        if last.question not in {shot.question for shot in before}:
            break
    return before, last


@e.mistake(
    "one-by-one",
    "The examples are drawn one at a time, so that they can repeat, the question among them; and lookup makes up its answers anew"
    " at each draw. One draw knows what it has given already.",
)
def _(task, shots, random, held_out=True):
    *before, last = [task_of(task).draw(random, 1, held_out)[0] for _ in range(shots + 1)]
    return before, last


@e.mistake(
    "shots-of-training",
    "Only the question minds held_out; the shots are always of those that training has seen.",
)
def _(task, shots, random, held_out=True):
    task = task_of(task)
    before = task.draw(random, shots + 1, False)
    if task.name == "lookup" or not held_out:
        return before[:-1], before[-1]
    return before[:-1], task.draw(random, 1, True)[0]


@e.mistake(
    "own-generator",
    "A generator of your own takes the place of the one that is given, always from the same seed: every prompt is the same.",
)
def _(task, shots, random, held_out=True):
    *before, last = task_of(task).draw(np.random.default_rng(0), shots + 1, held_out)
    return before, last


@e.mistake(
    "fresh-generator",
    "Chance comes from a generator of your own, so the seed of the one that is given decides nothing and no prompt can be had again.",
)
def _(task, shots, random, held_out=True):
    *before, last = task_of(task).draw(np.random.default_rng(), shots + 1, held_out)
    return before, last


@e.mistake(
    "minus-zero",
    "Without shots the slice `[-shots:]` is `[-0:]`, the whole list: there is a shot where none was wanted. Elsewhere yours is right.",
)
def _(task, shots, random, held_out=True):
    examples = task_of(task).draw(random, shots + 1, held_out)
    return examples[-shots:], examples[0]


# ---- 9.2 which answers are right -----------------------------------------------------------------

SUMS = [Example("1+2", "3"), Example("20+5", "25"), Example("7+7", "14")]
LONG = [Example("4+4", "8"), Example("110+220", "330"), Example("9+1", "10")]
SHORT = [Example("6+3", "9"), Example("5+8", "13"), Example("2+2", "4")]
FOUR = [*SHORT, Example("8+2", "10")]


def spoilt(
    places=(), says: int = 1, prompts=(SUMS, LONG, SHORT), second=(), sure=3.0
) -> tuple[torch.Tensor, Encoded]:
    """Logits that predict the next token everywhere in three prompts but at ``places`` (prompt, position).

    At ``second`` it is only the second likeliest.
    ``says``: 0 predicts what was just read, 2 the token after the next one.
    """
    encoded = encode([(examples, Format("=")) for examples in prompts], 25)
    end = torch.full((len(prompts), says), CHARACTERS.encode(";")[0])
    following = torch.cat([encoded.ids[:, says:], end], dim=1)
    marks = torch.nn.functional.one_hot(following, len(CHARACTERS))
    logits = sure * marks + 0.3 * randn(*following.shape, len(CHARACTERS))
    for prompt, position in places:
        logits[prompt, position] -= 2 * sure * marks[prompt, position]
    for prompt, position in second:
        logits[prompt, position] += 2 * sure * marks[prompt, position].roll(1)
    return logits, encoded


def ragged(f) -> dict[str, int]:
    result = f(*spoilt(prompts=(SUMS, LONG[:2], FOUR)))
    return {"the number of columns": result.shape[-1] if result.dim() > 1 else 0}


e = define(
    "9.2",
    exact_matches,
    "Which answers are right?",
    minutes=15,
    difficulty=3,
    parts=[
        ("every token predicted", 1, lambda f: f(*spoilt())),
        ("a wrong digit in an answer", 2, lambda f: f(*spoilt([(0, 11), (1, 3), (1, 4), (2, 10)]))),
        ("a wrong guess inside a question", 1, lambda f: f(*spoilt([(0, 0), (0, 7), (1, 8), (1, 19), (2, 1)], sure=12.0))),
        ("a model that repeats what it reads", 1, lambda f: f(*spoilt([(0, 3)], says=0))),
        ("a model that says the token after the next", 1, lambda f: f(*spoilt(says=2))),
        ("an answer that does not end where it should", 1, lambda f: f(*spoilt([(0, 12), (2, 4)]))),
        ("a digit that is only the second likeliest", 1, lambda f: f(*spoilt(second=[(0, 10), (1, 21)]))),
        ("a single prompt of four examples", 1, lambda f: f(*spoilt([(0, 3), (0, 16)], prompts=(FOUR,)))),
        ("wrong guesses behind the last example", 1, lambda f: f(*spoilt([(b, i) for b in (0, 2) for i in range(21, 25)] + [(1, 5)]))),
        ("logits all below zero", 1, lambda f: (lambda logits, encoded: f(logits - 20, encoded))(*spoilt([(1, 14), (2, 17)]))),
        ("prompts of three, two and four examples", 1, ragged, "of unequal numbers of examples only the columns that every prompt has should be kept"),
    ],
    hints=[
        "`encoded.targets` is already moved on by one: the logits at a position are to be compared with the target at that same"
        " position. Which positions count?",
        "Those with `encoded.shots >= 0`; the number there says to which example a position belongs. An example is right if"
        " none of its positions is wrong.",
        "`wrong = (logits.argmax(-1) != encoded.targets) & (encoded.shots >= 0)`; for each k below the number of examples that"
        " every prompt has, `~(wrong & (encoded.shots == k)).any(dim=1)`; stack these columns.",
    ],
)  # fmt: skip


def common(shots: torch.Tensor) -> int:
    """The number of examples that every prompt has."""
    return int(shots.max(1).values.min()) + 1


def match_variant(
    predict=lambda logits: logits.argmax(-1),
    targets=lambda encoded: encoded.targets,
    counts=lambda encoded: encoded.shots >= 0,
    belongs=lambda encoded: encoded.shots,
    verdict=lambda wrong, here: ~(wrong & here).any(1),
    columns=common,
    finish=lambda right: right,
):
    def wrong(logits, encoded):
        counted = counts(encoded)
        missed = (predict(logits) != targets(encoded)) & counted
        here = belongs(encoded)
        return finish(
            torch.stack([verdict(missed, (here == k) & counted) for k in range(columns(encoded.shots))], 1)
        )

    return wrong


def ends(targets):
    return torch.isin(targets, torch.tensor(CHARACTERS.encode(ENDS)))


def first_of_each(shots):
    return (shots >= 0) & (shots != shots.roll(1, 1))


for name, says, flags in [
    ("late", "The prediction is read one position too late: the logits at a position already predict the next token, and targets are moved on by one.",
     {"predict": lambda logits: logits.argmax(-1).roll(-1, 1)}),
    ("early", "The prediction is read one position too early: targets are moved on by one already, so positions match.",
     {"predict": lambda logits: logits.argmax(-1).roll(1, 1)}),
    ("what-is-read", "The predictions are compared with encoded.ids, which is what is read at a position; what should be predicted there is in encoded.targets.",
     {"targets": lambda encoded: encoded.ids}),
    ("questions-too", "The questions count, each with the example whose answer follows it; only positions with shots >= 0 belong to an answer.",
     {"targets": lambda encoded: torch.cat([encoded.ids[:, 1:], encoded.ids[:, -1:]], 1), "counts": lambda encoded: torch.ones_like(encoded.shots, dtype=torch.bool),
      "belongs": lambda encoded: encoded.shots.masked_fill(encoded.shots < 0, 99).flip(1).cummin(1).values.flip(1)}),
    ("never", "Positions where nothing is asked count too: their target, -100, is no token, so no example can ever be right. Count where shots >= 0.",
     {"counts": lambda encoded: torch.ones_like(encoded.shots, dtype=torch.bool), "verdict": lambda wrong, here: ~wrong.any(1) & here.any(1)}),
    ("nothing-asked-for-the-first", "Positions where nothing is asked are counted with the first example (-1 became 0); they belong to none.",
     {"counts": lambda encoded: torch.ones_like(encoded.shots, dtype=torch.bool), "belongs": lambda encoded: encoded.shots.clamp(min=0)}),
    ("nothing-asked-for-the-last", "Positions where nothing is asked are counted with the last example: as an index, their -1 is the last place. They belong to none.",
     {"counts": lambda encoded: torch.ones_like(encoded.shots, dtype=torch.bool),
      "belongs": lambda encoded: torch.where(encoded.shots < 0, common(encoded.shots) - 1, encoded.shots)}),
    ("any", "One right token makes the answer right here; all of its tokens have to be.",
     {"verdict": lambda wrong, here: (~wrong & here).any(1)}),
    ("share", "This is the share of right tokens; an answer is right or wrong as a whole.",
     {"verdict": lambda wrong, here: (~wrong & here).sum(1) / here.sum(1).clamp(min=1)}),
    ("numbers", "What comes back are 0.0 and 1.0; True and False are promised.", {"finish": lambda right: right.float()}),
    ("counts-mistakes", "These are numbers of wrong tokens; wanted is whether there are none.", {"verdict": lambda wrong, here: (wrong & here).sum(1)}),
    ("no-end", "The end behind an answer is not looked at: 14 and 145 would both pass for 14.",
     {"counts": lambda encoded: (encoded.shots >= 0) & ~ends(encoded.targets)}),
    ("end-alone", "Only the last position of each answer is looked at, the end behind it; all of its positions have to be right.",
     {"counts": lambda encoded: (encoded.shots >= 0) & ends(encoded.targets)}),
    ("first-token", "Only the first token of each answer is looked at; all have to be right.", {"counts": lambda encoded: first_of_each(encoded.shots)}),
    ("inverted", "True and False are the wrong way round: True means answered right.", {"verdict": lambda wrong, here: (wrong & here).any(1)}),
    ("mistakes-stay", "After the first wrong answer all that follow count as wrong; each example is judged by itself.", {"finish": lambda right: right.long().cumprod(1).bool()}),
    ("all-columns", "There are columns for examples that not every prompt has; keep those that all have.",
     {"columns": lambda shots: int(shots.max()) + 1}),
    ("one-column-short", "The last example is missing: its number of shots is one less than the number of examples.", {"columns": lambda shots: int(shots.max(1).values.min())}),
    ("longest-but-one", "The number of columns is the greatest number of shots of all prompts; it is the number of examples that every prompt has.",
     {"columns": lambda shots: int(shots.max())}),
    ("least-likely", "The least likely token is compared; the prediction is the likeliest.", {"predict": lambda logits: logits.argmin(-1)}),
]:  # fmt: skip
    e.mistake(name, says)(match_variant(**flags))


@e.mistake(
    "column-for-nothing",
    "The first column is of the positions where nothing is asked (shots of -1), and all others are moved on by one; begin with 0 shots.",
)
def _(logits, encoded):
    wrong = logits.argmax(-1) != encoded.targets
    columns = [~(wrong & (encoded.shots == k)).any(1) for k in range(-1, common(encoded.shots))]
    return torch.stack(columns, 1)


@e.mistake(
    "whole-prompt",
    "There is one verdict for each prompt; each of its examples is right or wrong by itself, and has a column.",
)
def _(logits, encoded):
    return ~((logits.argmax(-1) != encoded.targets) & (encoded.shots >= 0)).any(1)


@e.mistake(
    "more-than-half",
    "A token counts as predicted only if it has more than half of the probability; it is enough to be the likeliest.",
)
def _(logits, encoded):
    sure = logits.softmax(-1).amax(-1, keepdim=True) > 0.5
    return exact_matches(torch.where(sure, logits, torch.eye(logits.shape[-1])[0]), encoded)


@e.mistake(
    "second-too",
    "The second likeliest token counts as right as well; only the likeliest is what the model would write.",
)
def _(logits, encoded):
    best = logits.topk(2, -1).indices
    good = (best == encoded.targets[..., None]).any(-1)
    return torch.stack([~(~good & (encoded.shots == k)).any(1) for k in range(common(encoded.shots))], 1)


@e.mistake(
    "columns-first",
    "Rows and columns are exchanged: one row for each prompt, one column for each number of shots.",
)
def _(logits, encoded):
    return exact_matches(logits, encoded).mT


# ---- 9.3 the interval of a share -----------------------------------------------------------------

e = define(
    "9.3",
    wilson_interval,
    "How sure is a share?",
    minutes=10,
    difficulty=2,
    parts=[
        ("9 of 11", 2, lambda f: f(9, 11)),
        ("0 of 7: not certainly never", 1, lambda f: f(0, 7)),
        ("53 of 53", 1, lambda f: f(53, 53)),
        ("1 of 1", 1, lambda f: f(1, 1)),
        ("29 of 83, z = 1.3", 1, lambda f: f(29, 83, 1.3)),
        ("7 of 9, z = 2.576: 99 %", 1, lambda f: f(7, 9, 2.576)),
        Case(lambda: (12, 11)).refuses("more right than asked", ValueError),
        Case(lambda: (-1, 11)).refuses("a number below 0 of right answers", ValueError),
        Case(lambda: (0, 0)).refuses("nothing asked", ValueError),
    ],
    hints=[
        "With p the share, n the questions asked: the middle is (p + z²/2n) / (1 + z²/n). It lies nearer to one half than p.",
        "Half of the width is z / (1 + z²/n) · √(p(1 − p)/n + z²/4n²). Both have z²/n in them: give it a name.",
        "`share, weight = right / asked, z * z / asked`; `middle = (share + weight / 2) / (1 + weight)`; the root is"
        " `math.sqrt(share * (1 - share) / asked + weight / (4 * asked))`. No end lies outside 0 to 1. Before all"
        " this, the `ValueError` that the docstring promises.",
    ],
)


def interval_variant(
    z2=lambda z: z * z,
    root=lambda p, n, w: p * (1 - p) / n + w / (4 * n),
    half=lambda root, z, w: z / (1 + w) * math.sqrt(root),
    middle=lambda p, w: (p + w / 2) / (1 + w),
    finish=lambda middle, half: (max(0.0, middle - half), min(1.0, middle + half)),
    taken=lambda z: z,
):
    def wrong(right, asked, z=1.96):
        if not 0 <= right <= asked or asked < 1:
            raise ValueError
        z = taken(z)
        p, w = right / asked, z2(z) / asked
        return finish(middle(p, w), half(root(p, asked, w), z, w))

    return wrong


BEYOND = (
    "around-share", "middle-not-scaled", "nothing-scaled", "middle-alone-scaled", "whole-z2", "z-not-squared",
    "four-n", "two-n", "spread-of-one",
)  # fmt: skip
"""These leave the range from 0 to 1 unless somebody cuts them off."""

WALD = {
    "root": lambda p, n, w: p * (1 - p) / n,
    "half": lambda root, z, w: z * math.sqrt(root),
    "middle": lambda p, w: p,
}

for name, says, flags in [
    ("wald", "This is p ± z·√(p(1 − p)/n), which is sure of itself after 0 of 7, where its width is zero, and leaves the range from 0 to 1. Wilson's formula stands above.",
     WALD | {"finish": lambda m, h: (m - h, m + h)}),
    ("wald-clipped", "This is p ± z·√(p(1 − p)/n), cut off at 0 and 1: it is still sure of itself after 0 of 7, where its width is zero. Wilson's formula stands above.", WALD),
    ("around-share", "The interval lies around p; its middle is drawn towards one half: (p + z²/2n) / (1 + z²/n).", {"middle": lambda p, w: p}),
    ("middle-not-scaled", "The middle is not divided by 1 + z²/n, only the width is.", {"middle": lambda p, w: p + w / 2}),
    ("nothing-scaled", "The division by 1 + z²/n is missing, of the middle and of the width.",
     {"middle": lambda p, w: p + w / 2, "half": lambda root, z, w: z * math.sqrt(root)}),
    ("middle-alone-scaled", "Only the middle is divided by 1 + z²/n; half of the width should be, too.", {"half": lambda root, z, w: z * math.sqrt(root)}),
    ("whole-z2", "In the middle stands p + z²/n; it is half of that, z²/2n.", {"middle": lambda p, w: (p + w) / (1 + w)}),
    ("z-not-squared", "z is not squared where z² stands.", {"z2": lambda z: z}),
    ("no-small-sample", "The term z²/4n² is missing under the root.", {"root": lambda p, n, w: p * (1 - p) / n}),
    ("four-n", "Under the root stands z²/4n; it is z²/4n², for it is added to the variance of a share.", {"root": lambda p, n, w: p * (1 - p) / n + w / 4}),
    ("two-n", "Under the root stands z²/2n² in the place of z²/4n².", {"root": lambda p, n, w: p * (1 - p) / n + w / (2 * n)}),
    ("spread-of-one", "p(1 − p) is the variance of one answer; that of the share of n answers is n times smaller.",
     {"root": lambda p, n, w: p * (1 - p) + w / (4 * n)}),
    ("no-root", "The square root is missing: a width has the unit of a standard deviation, not of a variance.", {"half": lambda root, z, w: z / (1 + w) * root}),
    ("z-in-front-missing", "The z before the root is missing.", {"half": lambda root, z, w: math.sqrt(root) / (1 + w)}),
    ("always-95", "z is not used: this is the interval for 1.96 whatever z is.", {"taken": lambda z: 1.96}),
    ("percent", "These are per cents; a share lies between 0 and 1.", {"finish": lambda m, h: (100 * max(0.0, m - h), 100 * min(1.0, m + h))}),
    ("middle-and-half", "These are the middle and half of the width; wanted are the two ends.", {"finish": lambda m, h: (m, h)}),
    ("ends-exchanged", "The upper end comes first; the lower one should.", {"finish": lambda m, h: (min(1.0, m + h), max(0.0, m - h))}),
]:  # fmt: skip
    e.mistake(name, says)(interval_variant(**flags))
    if name in BEYOND:
        both = f"{says} Besides, an end lies outside 0 to 1."
        e.mistake(f"{name}-unclipped", both)(interval_variant(**flags, finish=lambda m, h: (m - h, m + h)))


@e.mistake(
    "agresti-coull",
    "The middle is Wilson's, but the width is that of p ± z·√(p(1 − p)/n) with the middle for p and n + z² for n (Agresti and Coull's"
    " interval): near, but wider. The root has p(1 − p)/n + z²/4n².",
)
def _(right, asked, z=1.96):
    if not 0 <= right <= asked or asked < 1:
        raise ValueError
    n = asked + z * z
    p = (right + z * z / 2) / n
    half = z * math.sqrt(p * (1 - p) / n)
    return max(0.0, p - half), min(1.0, p + half)


@e.mistake("counts", "These are numbers of answers, not shares: divide by the number asked.")
def _(right, asked, z=1.96):
    low, high = wilson_interval(right, asked, z)
    return low * asked, high * asked


# ---- 9.4 least squares ---------------------------------------------------------------------------


def shots(n: int, d: int = 3, *batch: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """x, y and a query, not exactly linear: fits differ from one another."""
    return randn(*batch, n, d), randn(*batch, n, seed=1), randn(*batch, d, seed=2)


def seven(*batch: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return shots(7, 3, *batch)


def its_w(f, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor | None:
    """The w behind an estimator, by asking for the unit vectors; None where it raises or gives no number."""
    try:
        return torch.stack(
            [f(x.clone(), y.clone(), unit).reshape(()) for unit in torch.eye(x.shape[-1])]
        ).detach()
    except (RuntimeError, IndexError):
        return None


def fits_shortest(n: int, d: int):
    """What can be said of the w where many fit alike: numbers that an inverse of XᵀX leaves to rounding cannot be compared."""

    def look(f) -> dict[str, bool]:
        x, y, _ = shots(n, d)
        w, best = its_w(f, x, y), torch.linalg.pinv(x) @ y
        fits = w is not None and bool((x @ w - y).abs().max() < 1e-3)
        return {
            "the shots are fitted": fits,
            "w is the shortest that fits": fits and bool((w - best).abs().max() < 1e-2),
        }

    return (
        look,
        f"with {n} shots in {d} dimensions many w fit perfectly, and yours is not the shortest of them",
    )


case = Case(seven)

e = define(
    "9.4",
    least_squares,
    "Least squares",
    minutes=10,
    difficulty=2,
    parts=[
        case.part("seven shots, three dimensions", 2),
        case.batched(2),
        case.batched(4, 2),
        ("as many shots as dimensions", 1, lambda f: f(*shots(4, 4))),
        ("two shots, three dimensions", 1, *fits_shortest(2, 3)),
        case.part("a column much smaller than the others", change=lambda x, y, query: (x * torch.tensor([1.0, 0.05, 1.0]), y, query)),
        ("three shots, five dimensions", 1, *fits_shortest(3, 5)),
        ("no shots at all", 1, lambda f: f(*shots(0, 3, 2))),
        case.gradients(),
        case.keeps_kind(torch.float64),
    ],
    hints=[
        "Two steps: find the w for which x @ w comes nearest to y, then apply it to the query. The query has no part in the"
        " first step.",
        "`torch.linalg.pinv(x)`, the pseudo-inverse, solves x @ w = y in the sense of least squares, and picks the shortest"
        " w where many fit. It needs y as a column: `y[..., None]`.",
        "`w = (torch.linalg.pinv(x) @ y[..., None]).squeeze(-1)`, then `(query * w).sum(-1)`.",
    ],
)  # fmt: skip


def fitted(x, y):
    return (torch.linalg.pinv(x) @ y[..., None]).squeeze(-1)


def applied(query, w):
    return (query * w).sum(-1)


def moment(x, y):
    """Xᵀy."""
    return (x.mT @ y[..., None]).squeeze(-1)


def identity(x):
    return torch.eye(x.shape[-1], dtype=x.dtype)


for name, says, wrong in [
    ("inverse-of-gram", "(XᵀX)⁻¹Xᵀy is right where XᵀX has an inverse; with fewer shots than dimensions, or with none, it has none, and what comes out is rounding or an"
     " error. The docstring says which of the w that fit is meant there.", lambda x, y, query: applied(query, (torch.linalg.inv(x.mT @ x) @ moment(x, y)[..., None]).squeeze(-1))),
    ("penalised", "A multiple of the identity is added to XᵀX before it is inverted: that is ridge regression, which fits the shots less well; least squares has no penalty.",
     lambda x, y, query: applied(query, (torch.linalg.inv(x.mT @ x + identity(x)) @ moment(x, y)[..., None]).squeeze(-1))),
    ("correlation", "Xᵀy alone is not the fit: the inverse of XᵀX is missing.", lambda x, y, query: applied(query, moment(x, y))),
    ("mean-correlation", "Xᵀy divided by the number of shots is the fit only where XᵀX is that number times the identity; solve for w.",
     lambda x, y, query: applied(query, moment(x, y) / max(x.shape[-2], 1))),
    ("each-alone", "Each number of x is fitted alone, Xᵀy divided by the sums of its squares; where the columns of x go together, they must be fitted together.",
     lambda x, y, query: applied(query, moment(x, y) / x.square().sum(-2).clamp_min(1e-9))),
    ("multiplied", "XᵀX is multiplied where its inverse should be.", lambda x, y, query: applied(query, (x.mT @ x @ moment(x, y)[..., None]).squeeze(-1))),
    ("not-summed", "The products of w with the query's numbers are not summed to one prediction.", lambda x, y, query: query * fitted(x, y)),
    ("w-itself", "This is w itself; the answer is w applied to the query.", lambda x, y, query: fitted(x, y)),
    ("at-the-shots", "These are the predictions at the shots; asked for is the one at the query.", lambda x, y, query: (x @ fitted(x, y)[..., None]).squeeze(-1)),
    ("mean-of-products", "The products of w with the query's numbers are averaged; w·query is their sum.", lambda x, y, query: (query * fitted(x, y)).mean(-1)),
    ("summed-over-all", "The products are summed over the batch as well: each prompt has a prediction of its own. Sum over the last axis alone.",
     lambda x, y, query: (query * fitted(x, y)).sum()),
    ("axis-kept", "The prediction keeps an axis of length 1; one number for each prompt has the shape of the batch.", lambda x, y, query: (query * fitted(x, y)).sum(-1, keepdim=True)),
    ("first-prompt", "The w of the first prompt answers for all; each prompt has a w of its own.",
     lambda x, y, query: applied(query, fitted(x.reshape(-1, *x.shape[-2:])[0], y.reshape(-1, y.shape[-1])[0]))),
    ("nearest", "This is the y of the shot nearest to the query: it copies one shot, where least squares fits a w to all.",
     lambda x, y, query: y.gather(-1, (x - query[..., None, :]).square().sum(-1).argmin(-1, keepdim=True)).squeeze(-1)),
    ("mean-of-y", "This is the mean of y, whatever the query is.", lambda x, y, query: y.mean(-1)),
]:  # fmt: skip
    e.mistake(name, says)(wrong)


@e.mistake(
    "with-query",
    "The query is fitted too, with 0 for its unknown answer: that pulls its prediction towards 0. Fit the shots alone.",
)
def _(x, y, query):
    zero = torch.zeros_like(y[..., :0].sum(-1, keepdim=True))
    return applied(query, fitted(torch.cat([x, query[..., None, :]], -2), torch.cat([y, zero], -1)))


@e.mistake("intercept", "An intercept is fitted as well; here y = w·x, through the origin.")
def _(x, y, query):
    x, query = (torch.cat([z, torch.ones_like(z[..., :1])], -1) for z in (x, query))
    return applied(query, fitted(x, y))


@e.mistake(
    "centred",
    "The means of x and y are subtracted before the fit, which amounts to an intercept; here y = w·x, through the origin.",
)
def _(x, y, query):
    return applied(query, fitted(x - x.mean(-2, keepdim=True), y - y.mean(-1, keepdim=True)))


# ---- 9.5 ridge -----------------------------------------------------------------------------------

PENALTY = 0.7

case = Case(lambda *batch: (*seven(*batch), PENALTY))

e = define(
    "9.5",
    ridge,
    "Ridge regression",
    minutes=8,
    difficulty=2,
    parts=[
        case.part("seven shots, a penalty of 0.7", 2),
        case.part("a penalty of 3.3", change=lambda x, y, query, _: (x, y, query, 3.3)),
        case.batched(2),
        case.batched(4, 2),
        case.part("a penalty of its own for each of three prompts", change=lambda *_: (*seven(3), torch.tensor([0.3, 1.7, 5.9]))),
        ("two shots, three dimensions", 1, lambda f: f(*shots(2), 0.3)),
        ("no shots at all", 1, lambda f: f(*shots(0, 3, 2), PENALTY)),
        case.gradients(),
        case.keeps_kind(torch.float64),
    ],
    hints=[
        "Least squares solves XᵀX w = Xᵀy. The penalty makes every direction a little stiffer: where does it go in that equation?",
        "On the diagonal: (XᵀX + penalty · I) w = Xᵀy. With it the matrix can always be inverted, also without a single shot.",
        "`a = x.mT @ x + penalty * torch.eye(x.shape[-1])`, then `w = torch.linalg.solve(a, x.mT @ y[..., None]).squeeze(-1)`. A"
        " penalty for each prompt needs two axes more: `torch.as_tensor(penalty)[..., None, None]`. And mind the kind of `eye`.",
    ],
)  # fmt: skip


def ridge_variant(
    stiffen=lambda gram, eye, penalty, n: gram + penalty * eye,
    aim=lambda b, penalty: b,
    finish=lambda query, w, p: applied(query, w),
):
    def wrong(x, y, query, penalty):
        penalty = torch.as_tensor(penalty, dtype=x.dtype)[..., None, None]
        gram = stiffen(x.mT @ x, identity(x), penalty, x.shape[-2])
        w = torch.linalg.pinv(gram) @ aim(x.mT @ y[..., None], penalty)
        return finish(query, w.squeeze(-1), penalty.squeeze(-1))

    return wrong


for name, says, flags in [
    ("no-penalty", "The penalty is not used: this is least squares.", {"stiffen": lambda a, eye, p, n: a}),
    ("penalty-of-one", "The identity is added as it is, whatever the penalty is.", {"stiffen": lambda a, eye, p, n: a + eye}),
    ("times-shots", "The penalty weighs too much, by the number of shots: it was multiplied by that, or XᵀX and Xᵀy were divided by it. This belongs to a mean of squared"
     " errors; here it is their sum.",
     {"stiffen": lambda a, eye, p, n: a + n * p * eye}),
    ("over-shots", "The penalty is divided by the number of shots; it is added to XᵀX as it is.",
     {"stiffen": lambda a, eye, p, n: a + p / max(n, 1) * eye}),
    ("half", "Half of the penalty is added; minimising ‖y − Xw‖² + penalty · ‖w‖² puts all of it on the diagonal.", {"stiffen": lambda a, eye, p, n: a + p / 2 * eye}),
    ("twice", "The penalty is added twice over; minimising ‖y − Xw‖² + penalty · ‖w‖² puts it on the diagonal once.", {"stiffen": lambda a, eye, p, n: a + 2 * p * eye}),
    ("squared", "The penalty is squared; it is added to XᵀX as it is. As rows below X, if you wrote it so, it would have to be its square root.", {"stiffen": lambda a, eye, p, n: a + p * p * eye}),
    ("root", "The square root of the penalty is added; on the diagonal of XᵀX belongs the penalty itself.", {"stiffen": lambda a, eye, p, n: a + p.sqrt() * eye}),
    ("everywhere", "The penalty is added to every entry of XᵀX; it belongs on the diagonal alone: penalty · I.",
     {"stiffen": lambda a, eye, p, n: a + p}),
    ("all-but-the-last", "The last direction has no penalty, as an intercept would have none; there is no intercept here, every direction is held back.",
     {"stiffen": lambda a, eye, p, n: a + p * eye * (torch.arange(len(eye)) < len(eye) - 1)}),
    ("all-but-the-first", "The first direction has no penalty, as an intercept would have none; there is no intercept here, every direction is held back.",
     {"stiffen": lambda a, eye, p, n: a + p * eye * (torch.arange(len(eye)) > 0)}),
    ("times-width", "The penalty weighs too much, by the number of dimensions; it is added to each entry of the diagonal as it is.",
     {"stiffen": lambda a, eye, p, n: a + len(eye) * p * eye}),
    ("axis-kept", "The prediction keeps an axis of length 1; one number for each prompt has the shape of the batch.",
     {"finish": lambda query, w, p: applied(query, w).unsqueeze(-1)}),
    ("subtracted", "The penalty is subtracted from the diagonal, which makes w longer; add it.", {"stiffen": lambda a, eye, p, n: a - p * eye}),
    ("multiplied", "XᵀX is multiplied by the penalty; it is added, on the diagonal.", {"stiffen": lambda a, eye, p, n: a * p}),
    ("diagonal-multiplied", "The diagonal of XᵀX is raised by its own multiple, so long columns are held back more; to each is added the same: penalty · I.",
     {"stiffen": lambda a, eye, p, n: a * (1 + p * eye)}),
    ("other-side", "The penalty is added to Xᵀy, on the other side of the equation; it belongs to XᵀX.",
     {"stiffen": lambda a, eye, p, n: a, "aim": lambda b, p: b + p}),
    ("shrunk-after", "Least squares is solved first and w then divided by 1 + penalty; that shrinks every direction alike.",
     {"stiffen": lambda a, eye, p, n: a, "finish": lambda query, w, p: applied(query, w / (1 + p))}),
    ("not-summed", "The products of w with the query's numbers are not summed to one prediction.", {"finish": lambda query, w, p: query * w}),
    ("w-itself", "This is w itself; the answer is w applied to the query.", {"finish": lambda query, w, p: w}),
]:  # fmt: skip
    e.mistake(name, says)(ridge_variant(**flags))


@e.mistake("with-query", "The query is fitted too, with 0 for its unknown answer. Fit the shots alone.")
def _(x, y, query, penalty):
    return ridge(
        torch.cat([x, query[..., None, :]], -2),
        torch.cat([y, y.new_zeros(*y.shape[:-1], 1)], -1),
        query,
        penalty,
    )


@e.mistake("intercept", "An intercept is fitted as well; here y = w·x, through the origin.")
def _(x, y, query, penalty):
    x, query = (torch.cat([z, torch.ones_like(z[..., :1])], -1) for z in (x, query))
    return ridge(x, y, query, penalty)


@e.mistake(
    "shots-first",
    "XXᵀ + penalty · I is the matrix between the shots; applied this way round, its w has one number for each shot, w for each dimension is Xᵀ times that.",
)
def _(x, y, query, penalty):
    gram = x @ x.mT
    held = torch.as_tensor(penalty, dtype=x.dtype)[..., None, None] * torch.eye(x.shape[-2], dtype=x.dtype)
    return torch.linalg.solve(gram + held, y[..., None]).squeeze(-1)


# ---- 9.6 a prediction after every number of shots ------------------------------------------------


def slope(x, y, query):
    """An estimator that every number and every place of its shots counts in."""
    weight = torch.arange(1, y.shape[-1] + 1, dtype=y.dtype)
    return (weight * y * (x * query[..., None, :]).sum(-1)).sum(-1) + query[..., 0] + 0.3


def pairs_stay(f) -> dict:
    x, y = prompt_of(4)
    f(slope, x, y)
    return {"x": x, "y": y}


def prompt_of(n: int, *batch: int) -> tuple[torch.Tensor, torch.Tensor]:
    return randn(*batch, n, 3), randn(*batch, n, seed=1)


e = define(
    "9.6",
    predict_each,
    "After 0 shots, 1 shot, 2 shots, …",
    minutes=6,
    difficulty=1,
    parts=[
        ("five pairs", 2, lambda f: f(slope, *prompt_of(5))),
        ("two prompts of four pairs", 1, lambda f: f(slope, *prompt_of(4, 2))),
        ("six prompts of four pairs, two by three", 1, lambda f: f(slope, *prompt_of(4, 2, 3))),
        ("a single pair: no shots before it", 1, lambda f: f(slope, *prompt_of(1))),
        ("nine pairs", 1, lambda f: f(slope, *prompt_of(9))),
        ("ridge regression as the estimator", 1, lambda f: f(partial(ridge, penalty=0.3), *prompt_of(6, 2))),
        ("what was given, afterwards", 1, pairs_stay, "the x and y that were given are changed"),
        Case(lambda: (slope, *prompt_of(5))).keeps_kind(torch.float64),
    ],
    hints=[
        "For the k-th question, which pairs may the estimator see? Count from 0, and ask it of k = 0 first.",
        "It sees pairs 0 to k − 1, `x[..., :k, :]` and `y[..., :k]`, and is asked about `x[..., k, :]`.",
        "Collect the predictions for k = 0, …, points − 1 in a list and join them with `torch.stack(predictions, dim=-1)`.",
    ],
)


def along_the_last(predictions):
    return torch.stack(predictions, dim=-1)


def each_variant(
    seen=lambda k, n: range(k), asked=lambda k, n: k, first=0, join=along_the_last, after=lambda p, y: p
):
    def wrong(estimator, x, y):
        n = x.shape[-2]
        parts = [(list(seen(k, n)), asked(k, n)) for k in range(first, n)]
        return after(join([estimator(x[..., s, :], y[..., s], x[..., k, :]) for s, k in parts]), y)

    return wrong


def zero_before(predictions):
    return torch.stack([torch.zeros_like(predictions[0]), *predictions[1:]], -1)


for name, says, flags in [
    ("leak", "The pair that is asked about is among the shots, so its answer leaks: only the pairs before it may be seen.",
     {"seen": lambda k, n: range(k + 1)}),
    ("leave-one-out", "Later pairs are used too: all but the one asked about. Only the pairs before it may be seen.",
     {"seen": lambda k, n: [i for i in range(n) if i != k]}),
    ("all", "Every question is asked with all the pairs for shots, its own among them; only the pairs before it may be seen.", {"seen": lambda k, n: range(n)}),
    ("later", "The estimator sees the pairs after the question in the place of those before it.", {"seen": lambda k, n: range(k + 1, n)}),
    ("one-short", "The last shot before the question is left out: `:k` ends just before k by itself.",
     {"seen": lambda k, n: range(max(k - 1, 0))}),
    ("last-shot", "Only the one shot before the question is used; all before it are.", {"seen": lambda k, n: range(max(k - 1, 0), k)}),
    ("first-left-out", "The first pair is never among the shots; the pairs are counted from 0.", {"seen": lambda k, n: range(1, k)}),
    ("same-question", "Every prediction is for the last x; after k shots the question is the k-th, counted from 0.",
     {"asked": lambda k, n: n - 1}),
    ("first-question", "Every prediction is for the first x; after k shots the question is the k-th, counted from 0.", {"asked": lambda k, n: 0}),
    ("one-behind", "The question is one behind: after k shots it is x[..., k, :], counted from 0.", {"asked": lambda k, n: max(k - 1, 0)}),
    ("one-ahead", "The question is one ahead, and the last is asked twice: after k shots it is x[..., k, :], counted from 0.", {"asked": lambda k, n: min(k + 1, n - 1)}),
    ("stacked-first", "The predictions are stacked along a new first axis; the axis of the points is the last.", {"join": torch.stack}),
    ("zero-without-shots", "Without shots 0 is put down; ask the estimator, with empty x and y: what it says then is its own affair.", {"join": zero_before}),
    ("backwards", "The predictions are in the wrong order: the first is that without shots.", {"join": lambda p: torch.stack(p[::-1], -1)}),
    ("summed", "The predictions are joined to one number; wanted is one for each point.", {"join": lambda p: torch.stack(p, -1).mean(-1)}),
    ("a-list", "The predictions come as a list; wanted is one tensor, the points along its last axis.", {"join": list}),
    ("squared-errors", "These are the squared errors; wanted are the predictions.", {}),
    ("errors", "These are the errors, prediction minus y; wanted are the predictions.", {}),
]:  # fmt: skip
    after = {"squared-errors": lambda p, y: (p - y).square(), "errors": torch.sub}.get(name, lambda p, y: p)
    e.mistake(name, says)(each_variant(**flags, after=after))


@e.mistake(
    "own-estimator",
    "The estimator that is given is not used: least squares answers whatever it is. Call `estimator`.",
)
def _(estimator, x, y):
    return predict_each(least_squares, x, y)


@e.mistake(
    "starts-with-one",
    "The prediction without shots is missing: there are as many predictions as points, the first with none.",
)
def _(estimator, x, y):
    if x.shape[-2] == 1:
        return x.new_zeros(*y.shape[:-1], 0)
    return each_variant(first=1)(estimator, x, y)


# ---- 9.7 where an induction head looks -----------------------------------------------------------


def song(n: int = 12, vocabulary: int = 4, batch: int = 2, seed: int = 0) -> torch.Tensor:
    """Few tokens, so that most came before, and some more than once."""
    return ids(batch, n, below=vocabulary, seed=seed)


e = define(
    "9.7",
    continues_earlier,
    "Where an induction head should look",
    minutes=12,
    difficulty=2,
    parts=[
        ("a b c a b c", 1, lambda f: f(torch.tensor([[0, 1, 2, 0, 1, 2]]))),
        ("a a a", 1, lambda f: f(torch.tensor([[5, 5, 5]]))),
        ("three texts of few tokens", 2, lambda f: f(song(13, 4, 3))),
        ("no token twice", 1, lambda f: f(torch.tensor([[3, 1, 4, 0, 5]]))),
        ("a single token", 1, lambda f: f(torch.tensor([[2], [7]]))),
        (
            "twenty random tokens and the same again",
            1,
            lambda f: f(repeated_tokens(2, 20, 40, generator=torch.Generator().manual_seed(0))),
        ),
        Case(lambda: (song(),)).keeps_inputs(),
    ],
    hints=[
        "Write down a b c a. The last a is the query. It was there before, at position 0; what came after it then? That key, and"
        " no other, is True.",
        "Key j is right for query i if the token at j − 1 equals the token at i, and j is not after i. `ids.roll(1, dims=-1)` has"
        " at j the token that is at j − 1 in `ids`; at key 0 there is none.",
        "`same = ids[:, :, None] == ids.roll(1, dims=-1)[:, None, :]`, then `same[:, :, 0] = False`, then `same & causal_mask(n)`.",
    ],
)


def earlier_variant(
    back=1, first=False, causal=lambda n: torch.ones(n, n, dtype=torch.bool).tril(), keep=lambda same: same
):
    def wrong(ids):
        same = ids[:, :, None] == ids.roll(back, -1)[:, None, :]
        same[:, :, :back] = first & same[:, :, :back]
        return keep(same & causal(ids.shape[-1]))

    return wrong


def latest(same):
    """Of each row only the last True."""
    return same & (same.flip(-1).cumsum(-1) == 1).flip(-1)


def earliest(same):
    return same & (same.cumsum(-1) == 1)


def lower(n, diagonal):
    return torch.ones(n, n, dtype=torch.bool).tril(diagonal)


for name, says, flags in [
    ("the-token-itself", "Off by one: these keys hold the same token as the query; an induction head looks at the one after it.",
     {"back": 0, "causal": lambda n: lower(n, -1)}),
    ("the-token-itself-and-the-query", "These keys hold the same token as the query, the query itself among them; an induction head looks at the one after an earlier occurrence.",
     {"back": 0}),
    ("two-after", "Off by one: these keys stand two after the earlier occurrence; wanted is the one right after.", {"back": 2}),
    ("around", "Key 0 follows nothing: `roll` brings the last token round to the front.", {"first": True}),
    ("sees-future", "Keys after the query are True as well: only earlier occurrences count.", {"causal": lambda n: torch.ones(n, n, dtype=torch.bool)}),
    ("future-and-around", "Keys after the query are True as well, and key 0, which follows nothing (`roll` brings the last token round): only earlier occurrences count.",
     {"first": True, "causal": lambda n: torch.ones(n, n, dtype=torch.bool)}),
    ("future-alone", "The keys are those from the query on; only those up to it count, rows being queries.", {"causal": lambda n: torch.ones(n, n, dtype=torch.bool).triu()}),
    ("one-too-far", "The key right after the query is True as well: it follows the query itself, which is no earlier occurrence.", {"causal": lambda n: lower(n, 1)}),
    ("not-itself", "The query is never its own key here. In \"a a\" it should be: the second a came right after the first.", {"causal": lambda n: lower(n, -1)}),
    ("transposed", "Query and key are exchanged: the row is the query.", {"keep": lambda same: same.mT}),
    ("latest-only", "Only the latest earlier occurrence counts here; each does.", {"keep": latest}),
    ("earliest-only", "Only the first earlier occurrence counts here; each does.", {"keep": earliest}),
    ("float", "These are the right keys, but as numbers; True and False are asked for.", {"keep": lambda same: same.float()}),
    ("any-query", "This is whether a query has such a key at all; wanted is which key it is.", {"keep": lambda same: same.any(-1)}),
    ("inverted", "True and False are the wrong way round.", {"keep": lambda same: ~same}),
]:  # fmt: skip
    e.mistake(name, says)(earlier_variant(**flags))


@e.mistake(
    "one-before",
    "These keys stand right before the earlier occurrence; an induction head looks at the one right after.",
)
def _(ids):
    n = ids.shape[-1]
    same = ids[:, :, None] == ids.roll(-1, -1)[:, None, :]
    return same & lower(n, -2)


@e.mistake(
    "followers-alike",
    "These keys hold the token that comes after the query, which is what the head should say, not where it should look; and at the query it is not known yet.",
)
def _(ids):
    following = torch.cat([ids[:, 1:], torch.full_like(ids[:, :1], -1)], 1)
    return (following[:, :, None] == ids[:, None, :]) & lower(ids.shape[-1], 0)


@e.mistake(
    "same-pair",
    "A key counts only where it also holds the query's next token; what came right after an earlier occurrence counts whatever it is.",
)
def _(ids):
    following = torch.cat([ids[:, 1:], torch.full_like(ids[:, :1], -1)], 1)
    return continues_earlier(ids) & (following[:, :, None] == ids[:, None, :])


@e.mistake("first-text", "The keys of the first text are given for all; each text has its own.")
def _(ids):
    return continues_earlier(ids[:1]).expand(len(ids), -1, -1)


# ---- 9.8 the prefix-matching score ---------------------------------------------------------------


def looked(*batch: int, n: int = 12, seed: int = 3) -> torch.Tensor:
    """Attention weights under a causal mask."""
    scores = randn(*batch, n, n, seed=seed).masked_fill(~lower(n, 0), -torch.inf)
    return scores.softmax(-1)


def uneven() -> torch.Tensor:
    """Three texts of which one repeats much, one little and one nothing."""
    return torch.tensor([[1, 2, 1, 2, 1, 1, 2], [5, 3, 0, 6, 5, 4, 2], [0, 1, 2, 3, 4, 5, 6]])


e = define(
    "9.8",
    prefix_matching_score,
    "The prefix-matching score",
    minutes=10,
    difficulty=2,
    parts=[
        ("two texts, one head", 2, lambda f: f(looked(2), song())),
        ("two texts, two layers of three heads", 1, lambda f: f(looked(2, 2, 3), song(seed=1))),
        ("three texts, four heads, unequal repeats", 1, lambda f: f(looked(3, 4, n=7), uneven())),
        ("one text, five heads", 1, lambda f: f(looked(1, 5, n=7), uneven()[1:2])),
        (
            "twenty tokens, twice",
            1,
            lambda f: f(
                looked(1, 2, n=40), repeated_tokens(1, 20, 40, generator=torch.Generator().manual_seed(0))
            ),
        ),
        Case(lambda: (looked(2, 3), song(seed=2))).keeps_kind(torch.float64),
    ],
    hints=[
        "For each query add up the weights on the keys that `continues_earlier(ids)` marks. Then take a mean: over which queries?",
        "Only over those whose token was there before: `followers.any(dim=-1)`. A token that is new has nothing to match.",
        '`on = torch.einsum("b...qk,bqk->...bq", weights, followers.to(weights.dtype))`, then `on[..., followers.any(-1)].mean(-1)`.',
    ],
)


def prefix_variant(
    followers=continues_earlier,
    gather=lambda w, f: (w * f).sum(-1),
    queries=lambda f: f.any(-1),
    reduce=lambda values: values.mean(-1),
):
    def wrong(weights, ids):
        marked = followers(ids)
        spread = marked.reshape(len(ids), *[1] * (weights.ndim - 3), *marked.shape[-2:])
        on = gather(weights, spread).movedim(0, -2)  # [*heads, batch, query]
        return reduce(on[..., queries(marked)])

    return wrong


def own_token(ids):
    return (ids[:, :, None] == ids[:, None, :]) & lower(ids.shape[-1], -1)


for name, says, flags in [
    ("the-token-itself", "Off by one: this is the attention to earlier occurrences of the token itself, not to what came after them.",
     {"followers": own_token}),
    ("previous-token", "This is the attention to the token just before; wanted is that to what followed an earlier occurrence.",
     {"followers": lambda ids: (lower(ids.shape[-1], -1) & ~lower(ids.shape[-1], -2)).expand(len(ids), -1, -1), "queries": lambda f: f.any(-1)}),
    ("all-queries", "The mean runs over all queries; a token that was not there before has nothing to match and does not count.",
     {"queries": lambda f: torch.ones_like(f[..., 0])}),
    ("all-but-the-first", "The mean runs over all queries but the first; a token that was not there before has nothing to match and does not count, wherever it stands.",
     {"queries": lambda f: (torch.arange(f.shape[-1]) > 0).expand_as(f[..., 0])}),
    ("strongest", "Only the strongest of a query's matching weights counts here; they are added up.", {"gather": lambda w, f: (w * f).amax(-1)}),
    ("averaged", "A query's matching weights are averaged over its matches; they are added up.",
     {"gather": lambda w, f: (w * f).sum(-1) / f.sum(-1).clamp(min=1)}),
    ("over-the-keys", "A query's matching weights are averaged over all keys; they are added up.", {"gather": lambda w, f: (w * f).mean(-1)}),
    ("columns", "The weights are added up over the queries; add over the keys, the last axis.",
     {"gather": lambda w, f: (w * f).sum(-2)}),
    ("total", "This is a sum over the queries; the score is their mean, from 0 to 1.", {"reduce": lambda values: values.sum(-1)}),
    ("argmax", "This counts the queries whose strongest key matches; the score adds up the weights themselves.",
     {"gather": lambda w, f: (torch.nn.functional.one_hot(w.argmax(-1), w.shape[-1]) * f).sum(-1).to(w.dtype)}),
    ("second-half", "The mean runs over the second half of the queries; those count whose token was there before, wherever they stand.",
     {"queries": lambda f: (torch.arange(f.shape[-1]) >= f.shape[-1] // 2).expand_as(f[..., 0])}),
    ("latest-alone", "Only the latest earlier occurrence counts; the weights on all of them are added up.", {"followers": lambda ids: latest(continues_earlier(ids))}),
    ("maximum", "This is the greatest value of any query; the score is the mean over the queries.", {"reduce": lambda values: values.amax(-1) if values.shape[-1] else values.sum(-1) * torch.nan}),
    ("not-averaged", "This is the value of each query; the score is one number for each head, their mean.", {"reduce": lambda values: values}),
    ("heads-together", "The mean runs over the heads as well; each head has a score of its own.", {"reduce": lambda values: values.mean()}),
    ("transposed", "Query and key are exchanged, in the weights or in what is marked; rows are queries in both.",
     {"gather": lambda w, f: (w * f.mT).sum(-1), "queries": lambda f: f.any(-1)}),
]:  # fmt: skip
    e.mistake(name, says)(prefix_variant(**flags))


@e.mistake(
    "per-marked-key",
    "The sum is divided by the number of marked keys; divide by the number of queries that have one, since a query's weights are added up.",
)
def _(weights, ids):
    marked = continues_earlier(ids)
    return torch.einsum("b...qk,bqk->...", weights, marked.to(weights.dtype)) / marked.sum()


@e.mistake(
    "by-text",
    "Each text's mean is taken, then the mean of those: a query in a text with few repeats then weighs more. The mean is over the queries of all texts.",
)
def _(weights, ids):
    of_each = torch.stack(
        [prefix_matching_score(w[None], i[None]) for w, i in zip(weights, ids, strict=True)]
    )
    return of_each.nanmean(0)


@e.mistake(
    "by-text-with-nan",
    "Each text's mean is taken, then the mean of those, so a text without repeats makes NaN of all. The mean is over the queries of all texts.",
)
def _(weights, ids):
    return torch.stack(
        [prefix_matching_score(w[None], i[None]) for w, i in zip(weights, ids, strict=True)]
    ).mean(0)


@e.mistake("each-text", "There is a score for each text; the mean runs over the queries of all texts.")
def _(weights, ids):
    return torch.stack([prefix_matching_score(w[None], i[None]) for w, i in zip(weights, ids, strict=True)])
