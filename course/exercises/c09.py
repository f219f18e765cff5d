"""The exercises of notebook 09: in-context learning."""

import math

import numpy as np
import torch

from course.exercises.inputs import randn
from course.in_context.few_shot import exact_matches, wilson_interval
from course.in_context.induction import continues_earlier, prefix_matching_score, repeated_tokens
from course.in_context.prompts import CHARACTERS, ENDS, Encoded, Format, draw_prompt, encode
from course.in_context.regression import least_squares, predict_each, ridge
from course.in_context.tasks import TASKS, Example
from course.workbook.record import define

# ---- 9.1 drawing a prompt ------------------------------------------------------------------------


def drawn(f, task, shots: int, seed: int = 0, **settings):
    return f(task, shots, np.random.default_rng(seed), **settings)


e = define(
    "9.1",
    draw_prompt,
    "A prompt that does not give its answer away",
    minutes=6,
    difficulty=1,
    parts=[
        ("three sums and one to answer", 2, lambda f: drawn(f, "addition", 3)),
        ("a task instead of its name", 1, lambda f: drawn(f, TASKS["spelling"], 2)),
        ("no shots", 1, lambda f: drawn(f, "copying", 0)),
        ("for training: nothing held out", 1, lambda f: drawn(f, "addition", 2, held_out=False)),
    ],
    hints=[
        "`task.draw(random, n, held_out)` gives n different examples. How many do you need, and which of them is the question?",
        "Draw shots + 1 at once, so that the question is none of the shots; the last is the question. A name becomes a task by"
        " `TASKS[task]`.",
        "`*before, last = task.draw(random, shots + 1, held_out)`, then `return before, last`.",
    ],
)


def draw_variant(
    extra=1,
    split=lambda examples: (examples[:-1], examples[-1]),
    held_out=lambda given: given,
    task=lambda t: t,
):
    def wrong(task, shots, random, held_out_=True, **named):
        chosen = TASKS[task] if isinstance(task, str) else task
        return split(chosen.draw(random, shots + extra, held_out(named.get("held_out", held_out_))))

    return wrong


for name, says, flags in [
    ("leak", "The answer leaks into the prompt: the question that is asked is one of the shots, with its answer.",
     {"split": lambda examples: (examples, examples[-1])}),
    ("first-asked", "The first example is asked and the others come before it; asked is the last that is drawn.",
     {"split": lambda examples: (examples[1:], examples[0])}),
    ("trains-on-test", "held_out is not handed on: these examples are of those that training has seen.", {"held_out": lambda given: False}),
    ("always-held-out", "held_out is not handed on: also for training the held-out examples are drawn.", {"held_out": lambda given: True}),
    ("one-more", "There is one shot too many.", {"extra": 2}),
    ("question-alone", "The second thing to give back is an example, question and answer; this is the question alone.",
     {"split": lambda examples: (examples[:-1], examples[-1].question)}),
    ("answer-alone", "The second thing to give back is an example, question and answer; this is the answer alone.",
     {"split": lambda examples: (examples[:-1], examples[-1].answer)}),
]:  # fmt: skip
    e.mistake(name, says)(draw_variant(**flags))


@e.mistake("one-short", "There is one shot too few: the question is drawn in addition to the shots.")
def _(task, shots, random, held_out=True):
    *before, last = (TASKS[task] if isinstance(task, str) else task).draw(random, max(shots, 1), held_out)
    return before, last


# ---- 9.2 which answers are right -----------------------------------------------------------------

SUMS = [Example("1+2", "3"), Example("20+5", "25"), Example("7+7", "14")]
SHORT = [Example("4+4", "8"), Example("110+220", "330")]


def spoilt(places=(), repeats: bool = False) -> tuple[torch.Tensor, Encoded]:
    """Logits that predict every next token of two prompts but those at ``places`` (prompt, position).

    With ``repeats`` they say what was just read instead.
    """
    encoded = encode([(SUMS, Format("=")), (SHORT, Format("="))], 24)
    following = torch.cat([encoded.ids[:, 1:], torch.full((2, 1), CHARACTERS.encode(";")[0])], dim=1)
    following = encoded.ids if repeats else following
    logits = 3.0 * torch.nn.functional.one_hot(following, len(CHARACTERS))
    for prompt, position in places:
        logits[prompt, position] = -logits[prompt, position]
    return logits, encoded


e = define(
    "9.2",
    exact_matches,
    "Which answers are right?",
    minutes=15,
    difficulty=3,
    parts=[
        ("every token predicted", 1, lambda f: f(*spoilt())),
        ("a wrong digit in the middle of an answer", 2, lambda f: f(*spoilt([(0, 11), (1, 3)]))),
        ("a wrong guess inside a question", 1, lambda f: f(*spoilt([(0, 0), (0, 7), (1, 8)]))),
        ("a model that repeats what it reads", 1, lambda f: f(*spoilt(repeats=True))),
        ("an answer that does not end where it should", 1, lambda f: f(*spoilt([(0, 12)]))),
    ],
    hints=[
        "`encoded.targets` is already moved on by one: the logits at a position are to be compared with the target at that same"
        " position. Which positions count?",
        "Those with `encoded.shots >= 0`; the number there says to which example a position belongs. An example is right if"
        " none of its positions is wrong.",
        "`wrong = (logits.argmax(-1) != encoded.targets) & (encoded.shots >= 0)`; for each k below the number of examples that"
        " every prompt has, `~(wrong & (encoded.shots == k)).any(dim=1)`; stack these columns.",
    ],
)


def match_variant(
    predict=lambda logits: logits.argmax(-1),
    counts=lambda encoded: encoded.shots >= 0,
    verdict=lambda wrong, here: ~(wrong & here).any(1),
    columns=lambda shots: int(shots.max(1).values.min()) + 1,
):
    def wrong(logits, encoded):
        missed = (predict(logits) != encoded.targets) & counts(encoded)
        belongs = encoded.shots.clamp(min=0)
        return torch.stack(
            [verdict(missed, (belongs == k) & counts(encoded)) for k in range(columns(encoded.shots))], 1
        )

    return wrong


def ends(targets):
    return torch.isin(targets, torch.tensor(CHARACTERS.encode(ENDS)))


def first_of_each(shots):
    return (shots >= 0) & (shots != shots.roll(1, 1))


for name, says, flags in [
    ("late", "The prediction is read one position too late: the logits at a position already predict the next token.",
     {"predict": lambda logits: logits.argmax(-1).roll(-1, 1)}),
    ("early", "The prediction is read one position too early: targets are moved on by one already, so positions match.",
     {"predict": lambda logits: logits.argmax(-1).roll(1, 1)}),
    ("prompt-tokens", "The tokens of the questions are counted too; only positions with shots >= 0 belong to an answer.",
     {"counts": lambda encoded: torch.ones_like(encoded.shots, dtype=torch.bool)}),
    ("any", "One right token makes the answer right here; all of its tokens have to be.",
     {"verdict": lambda wrong, here: (~wrong & here).any(1)}),
    ("share", "This is the share of right tokens; an answer is right or wrong as a whole.",
     {"verdict": lambda wrong, here: (~wrong & here).sum(1) / here.sum(1).clamp(min=1)}),
    ("no-end", "The end behind an answer is not looked at: 14 and 145 would both pass for 14.",
     {"counts": lambda encoded: (encoded.shots >= 0) & ~ends(encoded.targets)}),
    ("first-token", "Only the first token of each answer is looked at.", {"counts": lambda encoded: first_of_each(encoded.shots)}),
    ("inverted", "True and False are the wrong way round: True means answered right.", {"verdict": lambda wrong, here: (wrong & here).any(1)}),
    ("all-columns", "There are columns for examples that not every prompt has; keep those that all have.",
     {"columns": lambda shots: int(shots.max()) + 1}),
]:  # fmt: skip
    e.mistake(name, says)(match_variant(**flags))


# ---- 9.3 the interval of a share -----------------------------------------------------------------

e = define(
    "9.3",
    wilson_interval,
    "How sure is a share?",
    minutes=10,
    difficulty=2,
    parts=[
        ("8 of 10", 2, lambda f: f(8, 10)),
        ("0 of 5: not certainly never", 1, lambda f: f(0, 5)),
        ("50 of 50", 1, lambda f: f(50, 50)),
        ("30 of 100, one standard error", 1, lambda f: f(30, 100, 1.0)),
    ],
    hints=[
        "With p the share, n the questions asked: the middle is (p + z²/2n) / (1 + z²/n). It lies nearer to one half than p.",
        "Half of the width is z / (1 + z²/n) · √(p(1 − p)/n + z²/4n²). Both have z²/n in them: give it a name.",
        "`share, weight = right / asked, z * z / asked`; `middle = (share + weight / 2) / (1 + weight)`; the root is"
        " `math.sqrt(share * (1 - share) / asked + weight / (4 * asked))`. No end lies outside 0 to 1.",
    ],
)


def interval_variant(
    z2=lambda z: z * z,
    root=lambda p, n, w: p * (1 - p) / n + w / (4 * n),
    scale=lambda w: 1 + w,
    middle=None,
    factor=1,
):
    def wrong(right, asked, z=1.96):
        p, w = right / asked, z2(z) / asked
        centre = p if middle == "share" else (p + w / 2) / (1 + w)
        half = z / scale(w) * math.sqrt(root(p, asked, w))
        return factor * max(0.0, centre - half), factor * min(1.0, centre + half)

    return wrong


for name, says, flags in [
    ("wald", "This is p ± z·√(p(1 − p)/n), which is sure of itself after 0 of 5: its width there is zero.",
     {"root": lambda p, n, w: p * (1 - p) / n, "scale": lambda w: 1, "middle": "share"}),
    ("around-share", "The interval lies around p; its middle is drawn towards one half: (p + z²/2n) / (1 + z²/n).", {"middle": "share"}),
    ("z-not-squared", "z is not squared where z² stands.", {"z2": lambda z: z}),
    ("no-small-sample", "The term z²/4n² is missing under the root.", {"root": lambda p, n, w: p * (1 - p) / n}),
    ("not-scaled", "Half of the width is divided by 1 + z²/n as well.", {"scale": lambda w: 1}),
    ("spread-of-one", "p(1 − p) is the variance of one answer; that of the share of n answers is n times smaller.",
     {"root": lambda p, n, w: p * (1 - p) + w / (4 * n)}),
    ("percent", "These are per cents; a share lies between 0 and 1.", {"factor": 100}),
]:  # fmt: skip
    e.mistake(name, says)(interval_variant(**flags))


# ---- 9.4 least squares ---------------------------------------------------------------------------


def shots(n: int, d: int = 3, *batch: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """x, y and a query, not exactly linear: fits differ from one another."""
    return randn(*batch, n, d), randn(*batch, n, seed=1), randn(*batch, d, seed=2)


e = define(
    "9.4",
    least_squares,
    "Least squares",
    minutes=10,
    difficulty=2,
    parts=[
        ("seven shots, three dimensions", 2, lambda f: f(*shots(7))),
        ("a batch of prompts", 1, lambda f: f(*shots(6, 3, 2))),
        ("two shots, three dimensions: the shortest of the w that fit", 1, lambda f: f(*shots(2))),
        ("no shots at all", 1, lambda f: f(*shots(0, 3, 2))),
    ],
    hints=[
        "Two steps: find the w for which x @ w comes nearest to y, then apply it to the query. The query has no part in the"
        " first step.",
        "`torch.linalg.pinv(x)`, the pseudo-inverse, solves x @ w = y in the sense of least squares, and picks the shortest"
        " w where many fit. It needs y as a column: `y[..., None]`.",
        "`w = (torch.linalg.pinv(x) @ y[..., None]).squeeze(-1)`, then `(query * w).sum(-1)`.",
    ],
)


def fitted(x, y):
    return (torch.linalg.pinv(x) @ y[..., None]).squeeze(-1)


def applied(query, w):
    return (query * w).sum(-1)


@e.mistake(
    "with-query",
    "The query is fitted too, with 0 for its unknown answer: that pulls its prediction towards 0. Fit the shots alone.",
)
def _(x, y, query):
    x, y = (
        torch.cat([x, query[..., None, :]], -2),
        torch.cat([y, torch.zeros_like(y[..., :0].sum(-1, keepdim=True))], -1),
    )
    return applied(query, fitted(x, y))


@e.mistake("correlation", "Xᵀy alone is not the fit: the inverse of XᵀX is missing.")
def _(x, y, query):
    return applied(query, (x.mT @ y[..., None]).squeeze(-1))


@e.mistake(
    "mean-correlation",
    "Xᵀy divided by the number of shots is the fit only where XᵀX is that number times the identity; solve for w.",
)
def _(x, y, query):
    return applied(query, (x.mT @ y[..., None]).squeeze(-1) / max(x.shape[-2], 1))


@e.mistake("intercept", "An intercept is fitted as well; here y = w·x, through the origin.")
def _(x, y, query):
    x, query = (torch.cat([z, torch.ones_like(z[..., :1])], -1) for z in (x, query))
    return applied(query, fitted(x, y))


@e.mistake("not-summed", "The products of w with the query's numbers are not summed to one prediction.")
def _(x, y, query):
    return query * fitted(x, y)


@e.mistake("w-itself", "This is w itself; the answer is w applied to the query.")
def _(x, y, query):
    return fitted(x, y)


@e.mistake("at-the-shots", "These are the predictions at the shots; asked for is the one at the query.")
def _(x, y, query):
    return (x @ fitted(x, y)[..., None]).squeeze(-1)


@e.mistake("residual", "This is fitted to the negative of y: look at the sign.")
def _(x, y, query):
    return -applied(query, fitted(x, y))


# ---- 9.5 ridge -----------------------------------------------------------------------------------

e = define(
    "9.5",
    ridge,
    "Ridge regression",
    minutes=8,
    difficulty=2,
    parts=[
        ("seven shots, a penalty of 0.5", 2, lambda f: f(*shots(7), 0.5)),
        ("a batch of prompts, a penalty of 2", 1, lambda f: f(*shots(4, 3, 2), 2.0)),
        ("two shots, three dimensions", 1, lambda f: f(*shots(2), 0.3)),
        ("no shots at all", 1, lambda f: f(*shots(0, 3, 2), 0.5)),
    ],
    hints=[
        "Least squares solves XᵀX w = Xᵀy. The penalty makes every direction a little stiffer: where does it go in that equation?",
        "On the diagonal: (XᵀX + penalty · I) w = Xᵀy. With it the matrix can always be inverted, also without a single shot.",
        "`a = x.mT @ x + penalty * torch.eye(x.shape[-1])`, then `w = torch.linalg.solve(a, x.mT @ y[..., None]).squeeze(-1)`.",
    ],
)


def ridge_variant(
    stiffen=lambda gram, eye, penalty, n: gram + penalty * eye,
    aim=lambda b, penalty: b,
    shrink=lambda w, p: w,
):
    def wrong(x, y, query, penalty):
        gram = stiffen(x.mT @ x, torch.eye(x.shape[-1]), penalty, x.shape[-2])
        w = torch.linalg.pinv(gram) @ aim(x.mT @ y[..., None], penalty)
        return applied(query, shrink(w.squeeze(-1), penalty))

    return wrong


for name, says, flags in [
    ("no-penalty", "The penalty is not used: this is least squares.", {"stiffen": lambda a, eye, p, n: a}),
    ("times-shots", "The penalty is multiplied by the number of shots; that belongs to a mean of squared errors, and here it is their sum.",
     {"stiffen": lambda a, eye, p, n: a + n * p * eye}),
    ("over-shots", "The penalty is divided by the number of shots; it is added to XᵀX as it is.",
     {"stiffen": lambda a, eye, p, n: a + p / max(n, 1) * eye}),
    ("squared", "The penalty is squared; it is added to XᵀX as it is.", {"stiffen": lambda a, eye, p, n: a + p * p * eye}),
    ("everywhere", "The penalty is added to every entry of XᵀX; it belongs on the diagonal alone: penalty · I.",
     {"stiffen": lambda a, eye, p, n: a + p}),
    ("subtracted", "The penalty is subtracted from the diagonal, which makes w longer; add it.", {"stiffen": lambda a, eye, p, n: a - p * eye}),
    ("other-side", "The penalty is added to Xᵀy, on the other side of the equation; it belongs to XᵀX.",
     {"stiffen": lambda a, eye, p, n: a, "aim": lambda b, p: b + p}),
    ("shrunk-after", "Least squares is solved first and w then divided by 1 + penalty; that shrinks every direction alike.",
     {"stiffen": lambda a, eye, p, n: a, "shrink": lambda w, p: w / (1 + p)}),
]:  # fmt: skip
    e.mistake(name, says)(ridge_variant(**flags))


@e.mistake(
    "with-query",
    "The query is fitted too, with 0 for its unknown answer. Fit the shots alone.",
)
def _(x, y, query, penalty):
    gram = x.mT @ x + query[..., None] * query[..., None, :] + penalty * torch.eye(x.shape[-1])
    return applied(query, torch.linalg.solve(gram, x.mT @ y[..., None]).squeeze(-1))


# ---- 9.6 a prediction after every number of shots ------------------------------------------------


def slope(x, y, query):
    """An estimator that every number and every place of its shots counts in."""
    weight = torch.arange(1, y.shape[-1] + 1, dtype=y.dtype)
    return (weight * y * (x * query[..., None, :]).sum(-1)).sum(-1) + query[..., 0]


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
        ("a batch of prompts", 1, lambda f: f(slope, *prompt_of(4, 2))),
        ("a single pair: no shots before it", 1, lambda f: f(slope, *prompt_of(1))),
    ],
    hints=[
        "For the k-th question, which pairs may the estimator see? Count from 0, and ask it of k = 0 first.",
        "It sees pairs 0 to k − 1, `x[..., :k, :]` and `y[..., :k]`, and is asked about `x[..., k, :]`.",
        "Collect the predictions for k = 0, …, points − 1 in a list and join them with `torch.stack(predictions, dim=-1)`.",
    ],
)


def each_variant(seen=lambda k, n: range(k), asked=lambda k, n: k, first=0, dim=-1):
    def wrong(estimator, x, y):
        n = x.shape[-2]
        parts = [(list(seen(k, n)), asked(k, n)) for k in range(first, n)]
        return torch.stack([estimator(x[..., s, :], y[..., s], x[..., k, :]) for s, k in parts], dim=dim)

    return wrong


for name, says, flags in [
    ("leak", "The pair that is asked about is among the shots, so its answer leaks: only the pairs before it may be seen.",
     {"seen": lambda k, n: range(k + 1)}),
    ("leave-one-out", "Later pairs are used too: all but the one asked about. Only the pairs before it may be seen.",
     {"seen": lambda k, n: [i for i in range(n) if i != k]}),
    ("one-short", "The last shot before the question is left out: `:k` ends just before k by itself.",
     {"seen": lambda k, n: range(max(k - 1, 0))}),
    ("last-shot", "Only the one shot before the question is used; all before it are.", {"seen": lambda k, n: range(max(k - 1, 0), k)}),
    ("same-question", "Every prediction is for the last x; after k shots the question is the k-th, counted from 0.",
     {"asked": lambda k, n: n - 1}),
    ("one-behind", "The question is one behind: after k shots it is x[..., k, :], counted from 0.", {"asked": lambda k, n: max(k - 1, 0)}),
    ("stacked-first", "The predictions are stacked along a new first axis; the axis of the points is the last.", {"dim": 0}),
]:  # fmt: skip
    e.mistake(name, says)(each_variant(**flags))


# ---- 9.7 where an induction head looks -----------------------------------------------------------


def song(n: int = 12, vocabulary: int = 4, batch: int = 2, seed: int = 0) -> torch.Tensor:
    """Few tokens, so that most came before, and some more than once."""
    return torch.randint(vocabulary, (batch, n), generator=torch.Generator().manual_seed(seed))


e = define(
    "9.7",
    continues_earlier,
    "Where an induction head should look",
    minutes=12,
    difficulty=2,
    parts=[
        ("a b c a b c", 1, lambda f: f(torch.tensor([[0, 1, 2, 0, 1, 2]]))),
        ("a a a", 1, lambda f: f(torch.tensor([[5, 5, 5]]))),
        ("random tokens", 2, lambda f: f(song())),
        (
            "twenty random tokens and the same again",
            1,
            lambda f: f(repeated_tokens(2, 20, 40, generator=torch.Generator().manual_seed(0))),
        ),
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


def lower(n, diagonal):
    return torch.ones(n, n, dtype=torch.bool).tril(diagonal)


for name, says, flags in [
    ("the-token-itself", "Off by one: these keys hold the same token as the query; an induction head looks at the one after it.",
     {"back": 0, "causal": lambda n: lower(n, -1)}),
    ("two-after", "Off by one: these keys stand two after the earlier occurrence; wanted is the one right after.", {"back": 2}),
    ("around", "Key 0 follows nothing: `roll` brings the last token round to the front.", {"first": True}),
    ("sees-future", "Keys after the query are True as well: only earlier occurrences count.", {"causal": lambda n: torch.ones(n, n, dtype=torch.bool)}),
    ("transposed", "Query and key are exchanged: the row is the query.", {"keep": lambda same: same.mT}),
    ("latest-only", "Only the latest earlier occurrence counts here; each does.", {"keep": latest}),
    ("float", "These are the right keys, but as numbers; True and False are asked for.", {"keep": lambda same: same.float()}),
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


# ---- 9.8 the prefix-matching score ---------------------------------------------------------------


def looked(*batch: int, n: int = 12, seed: int = 3) -> torch.Tensor:
    """Attention weights under a causal mask."""
    scores = randn(*batch, n, n, seed=seed).masked_fill(~lower(n, 0), -torch.inf)
    return scores.softmax(-1)


e = define(
    "9.8",
    prefix_matching_score,
    "The prefix-matching score",
    minutes=10,
    difficulty=2,
    parts=[
        ("two texts, one head", 2, lambda f: f(looked(2), song())),
        ("two texts, two layers of three heads", 1, lambda f: f(looked(2, 2, 3), song(seed=1))),
        (
            "twenty tokens, twice",
            1,
            lambda f: f(
                looked(1, 2, n=40), repeated_tokens(1, 20, 40, generator=torch.Generator().manual_seed(0))
            ),
        ),
    ],
    hints=[
        "For each query add up the weights on the keys that `continues_earlier(ids)` marks. Then take a mean: over which queries?",
        "Only over those whose token was there before: `followers.any(dim=-1)`. A token that is new has nothing to match.",
        '`on = torch.einsum("b...qk,bqk->...bq", weights, followers.float())`, then `on[..., followers.any(-1)].mean(-1)`.',
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
    ("all-queries", "The mean runs over all queries; a token that was not there before has nothing to match and does not count.",
     {"queries": lambda f: torch.ones_like(f[..., 0])}),
    ("strongest", "Only the strongest of a query's matching weights counts here; they are added up.", {"gather": lambda w, f: (w * f).amax(-1)}),
    ("averaged", "A query's matching weights are averaged over its matches; they are added up.",
     {"gather": lambda w, f: (w * f).sum(-1) / f.sum(-1).clamp(min=1)}),
    ("columns", "The weights are added up over the queries; add over the keys, the last axis.",
     {"gather": lambda w, f: (w * f).sum(-2)}),
    ("total", "This is a sum over the queries; the score is their mean, from 0 to 1.", {"reduce": lambda values: values.sum(-1)}),
    ("argmax", "This counts the queries whose strongest key matches; the score adds up the weights themselves.",
     {"gather": lambda w, f: (torch.nn.functional.one_hot(w.argmax(-1), w.shape[-1]) * f).sum(-1).float()}),
    ("at-the-end", "Only the last query of each text is looked at; every query whose token was there before counts.",
     {"queries": lambda f: f.any(-1) & (torch.arange(f.shape[-1]) == f.shape[-1] - 1)}),
]:  # fmt: skip
    e.mistake(name, says)(prefix_variant(**flags))
