"""The exercises of notebook 02, where attention came from."""

import torch
import torch.nn.functional as F
from torch import nn

from course.exercises.inputs import randn, rows
from course.models.co_attention import co_attention
from course.models.glimpse import score_function_gradient
from course.models.gnmt import gnmt_step
from course.models.hops import hops_penalty
from course.models.luong import bahdanau_attention, local_m_window, local_p_weights, luong_score
from course.workbook.record import define

# ---- 2.1 a gradient where sampling has cut it ---------------------------------------------------

LOOKS = torch.tensor([4, 0, 2, 0])
EARNED = torch.tensor([-0.31, -2.17, -1.43, -0.86])


def carries_a_gradient(f) -> tuple:
    """Whether the estimate could be differentiated again, for scores and rewards that can."""
    scores, rewards = randn(5, seed=3).requires_grad_(), EARNED.clone().requires_grad_()
    found = f(scores * 1.0, LOOKS.clone(), rewards * 1.0, True)
    return found.requires_grad, found.detach()


e = define(
    "2.1",
    score_function_gradient,
    "A gradient through chance",
    minutes=15,
    difficulty=3,
    parts=[
        ("four looks at five cells", 2, lambda f: f(randn(5, seed=3), LOOKS.clone(), EARNED.clone())),
        ("with a baseline", 2, lambda f: f(randn(5, seed=3), LOOKS.clone(), EARNED.clone(), True)),
        (
            "three looks at seven cells, rewards far from 0",
            1,
            lambda f: f(
                randn(7, seed=4), torch.tensor([6, 1, 1]), torch.tensor([9.2, 11.5, 10.1]), baseline=True
            ),
        ),
        ("a number to step with, no gradient of its own", 1, carries_a_gradient),
    ],
    hints=[
        "For one look at cell k that earned r: r times how ln p(k) changes with each score. ln p(k) = s_k − ln Σ exp(s_j); what is"
        " its derivative by s_k, and by another score?",
        "∂ln p(k)/∂s is onehot(k) − p, a row of as many numbers as there are cells. Do it for every look, times its reward, and take"
        " the mean over the looks. With a baseline, subtract from each reward the mean of the *other* rewards first.",
        "`p = scores.detach().softmax(-1)`; `others = (rewards.sum() - rewards) / (len(rewards) - 1)`;"
        " `(rewards[:, None] * (F.one_hot(sampled, len(p)) - p)).mean(0)`, with `rewards = rewards.detach()`, less `others` where asked.",
    ],
)


def score_function(direction=None, baseline="others", reduce=torch.mean, detach=True):
    def wrong(scores, sampled, rewards, baseline_=False, **given):
        asked = given.get("baseline", baseline_)
        scores, rewards = (scores.detach(), rewards.detach()) if detach else (scores, rewards)
        p, n = scores.softmax(-1), len(sampled)
        if asked and baseline == "others":
            rewards = rewards - (rewards.sum() - rewards) / (n - 1)
        if asked and baseline == "all":
            rewards = rewards - rewards.mean()
        hot = F.one_hot(sampled, len(p)).to(p.dtype)
        towards = hot - p if direction is None else direction(hot, p, sampled)
        return reduce(rewards[:, None] * towards, 0)

    return wrong


for name, says, flags in [
    (
        "onehot-only",
        "−p is missing: raising one score lowers the probability of every other cell, so ∂ln p(k)/∂s is onehot(k) − p.",
        {"direction": lambda hot, p, k: hot},
    ),
    (
        "sign",
        "The sign is turned round: a look that earned more should become likelier, so onehot(k) − p.",
        {"direction": lambda hot, p, k: p - hot},
    ),
    (
        "not-the-logarithm",
        "This is ∂p(k)/∂s, not ∂ln p(k)/∂s: cells that are likely are looked at often already, and must not be counted for it again.",
        {"direction": lambda hot, p, k: p[k][:, None] * (hot - p)},
    ),
    (
        "argmax",
        "The likeliest cell stands where the one that was looked at belongs: what was earned, was earned at the sampled cell.",
        {"direction": lambda hot, p, k: F.one_hot(p.argmax(), len(p)) - p},
    ),
    (
        "log-p",
        "The reward is multiplied by ln p itself; the gradient takes its derivative by the scores, onehot(k) − p.",
        {"direction": lambda hot, p, k: hot * p.log()},
    ),
    (
        "sum",
        "The looks are summed; their mean is the estimate, whatever their number.",
        {"reduce": torch.sum},
    ),
    (
        "own-reward",
        "The baseline holds the look's own reward: it depends on the look, and the estimate is biased (too small by (n − 1)/n)."
        " Take the mean of the other looks.",
        {"baseline": "all"},
    ),
    ("no-baseline", "The baseline is not subtracted where it is asked for.", {"baseline": None}),
    (
        "attached",
        "The estimate carries a gradient of its own: scores and rewards should be detached, it is a number to step with.",
        {"detach": False},
    ),
]:
    e.mistake(name, says)(score_function(**flags))


# ---- 2.2 a context for every word -----------------------------------------------------------------


def asked(f, *batch: int, mask=None, d_state: int = 3, d_source: int = 5, n: int = 6):
    """Widths that all differ."""
    weights = (randn(4, d_state, seed=3), randn(4, d_source, seed=4), randn(4, seed=5))
    return f(randn(*batch, d_state, seed=1), randn(*batch, n, d_source, seed=2), *weights, mask)


def gradient_of_state(f) -> torch.Tensor:
    state = randn(3, seed=1).requires_grad_()
    context, _ = f(
        state * 1.0, randn(6, 5, seed=2), randn(4, 3, seed=3), randn(4, 5, seed=4), randn(4, seed=5)
    )
    context.square().sum().backward()
    return state.grad


PADDED = torch.tensor([[True, True, True, True, False, False], [True, True, True, True, True, True]])

e = define(
    "2.2",
    bahdanau_attention,
    "A context for every word",
    minutes=15,
    difficulty=2,
    parts=[
        ("one state, six source states", 2, lambda f: asked(f)),
        ("a batch", 1, lambda f: asked(f, 2)),
        ("a batch with padding", 2, lambda f: asked(f, 2, mask=PADDED.clone())),
        ("widths alike", 1, lambda f: asked(f, d_state=4, d_source=4, n=5)),
        ("the gradient that reaches the state", 1, gradient_of_state),
    ],
    hints=[
        "One score for each source state, a softmax over them, a weighted sum of them. The score is a small network with one hidden"
        " layer: both states go in, one number comes out.",
        "Project the one state and the n source states into the hidden layer, add (the one state to each of the n), tanh, then v. The"
        " context sums the states h_j themselves, not what the score made of them.",
        "`scores = torch.tanh((state @ w_state.mT).unsqueeze(-2) + states @ w_source.mT) @ v`; with a mask"
        " `scores = scores.masked_fill(~mask, -torch.inf)`; `weights = scores.softmax(-1)`;"
        " `return (weights.unsqueeze(-1) * states).sum(-2), weights`.",
    ],
)


def one_context(score=None, mask_how="before", weigh=lambda s: s.softmax(-1), summed=None, swap=False):
    def wrong(state, states, w_state, w_source, v, mask=None):
        q, k = (state @ w_state.mT).unsqueeze(-2), states @ w_source.mT
        scores = torch.tanh(q + k) @ v if score is None else score(q, k, v)
        if mask is not None and mask_how in ("before", "inverted"):
            scores = scores.masked_fill(mask if mask_how == "inverted" else ~mask, -torch.inf)
        weights = weigh(scores)
        if mask is not None and mask_how == "after":
            weights = weights * mask
        context = (weights.unsqueeze(-1) * states).sum(-2) if summed is None else summed(weights, states, k)
        return (weights, context) if swap else (context, weights)

    return wrong


for name, says, flags in [
    (
        "relu",
        "The score has a ReLU; Bahdanau's has a tanh.",
        {"score": lambda q, k, v: torch.relu(q + k) @ v},
    ),
    (
        "tanh-outside",
        "The tanh comes after v: then the score is a sum of two numbers squashed, and has no hidden layer.",
        {"score": lambda q, k, v: torch.tanh((q + k) @ v)},
    ),
    (
        "no-tanh",
        "The tanh is missing: without it the state adds the same number to every score, and the softmax takes that away again.",
        {"score": lambda q, k, v: (q + k) @ v},
    ),
    (
        "product",
        "The two projections are multiplied; they are added before the tanh.",
        {"score": lambda q, k, v: torch.tanh(q * k) @ v},
    ),
    (
        "mask-after",
        "The mask is applied after the softmax, so that the weights no longer sum to one.",
        {"mask_how": "after"},
    ),
    (
        "mask-inverted",
        "The mask is used the wrong way round: True are the source's words, False its padding.",
        {"mask_how": "inverted"},
    ),
    ("mask-ignored", "The mask is not used: padding is looked at.", {"mask_how": "never"}),
    (
        "sigmoid",
        "Each weight is a sigmoid of its own score: they do not sum to one. The source's words compete, in a softmax.",
        {"weigh": torch.sigmoid},
    ),
    (
        "mean",
        "The context is the plain mean of the states: the weights are computed, and not used.",
        {"summed": lambda w, h, k: h.mean(-2)},
    ),
    (
        "projected",
        "The context sums the projections U h_j; it is a sum of the states h_j themselves.",
        {"summed": lambda w, h, k: (w.unsqueeze(-1) * k).sum(-2)},
    ),
    ("swapped", "The weights are returned first; the order is (context, weights).", {"swap": True}),
]:
    e.mistake(name, says)(one_context(**flags))


# ---- 2.3 Luong's three scores -------------------------------------------------------------------


def square(f, kind):
    """Sizes that are all alike, so that what is put on the wrong side shows as a wrong number."""
    weight = {"general": randn(4, 4, seed=7), "concat": randn(4, 8, seed=8)}.get(kind)
    return f(randn(3, 4, seed=5), randn(5, 4, seed=6), kind, weight, randn(4, seed=9))


e = define(
    "2.3",
    luong_score,
    "Three scores",
    minutes=12,
    difficulty=2,
    parts=[
        ("dot", 1, lambda f: f(randn(2, 3, 4, seed=1), randn(2, 6, 4, seed=2))),
        ("general, widths alike", 1, lambda f: square(f, "general")),
        (
            "general, widths that differ",
            1,
            lambda f: f(randn(3, 4, seed=1), randn(5, 7, seed=2), "general", randn(4, 7, seed=3)),
        ),
        ("concat, widths alike", 1, lambda f: square(f, "concat")),
        (
            "concat, widths that differ, in a batch",
            1,
            lambda f: f(
                randn(2, 3, 4, seed=1),
                randn(2, 5, 7, seed=2),
                "concat",
                randn(6, 11, seed=3),
                randn(6, seed=4),
            ),
        ),
    ],
    hints=[
        "Each kind makes one number of every pair of a target state and a source state, so each gives a table [target, source]. Two"
        " of them are matrix products alone.",
        "General: `query @ weight @ key.mT`. Concat looks as if every pair had to be put end to end; but W [h_t; h_s] is"
        " W's left half times h_t plus its right half times h_s, so project each once and add.",
        '`d = query.shape[-1]`; for "concat": `q = (query @ weight[:, :d].mT).unsqueeze(-2)`, `k = (key @ weight[:, d:].mT).unsqueeze(-3)`,'
        " `torch.tanh(q + k) @ v`.",
    ],
)


def three_scores(general=None, act=torch.tanh, halves=None, finish=lambda s: s, dot=lambda q, k: q @ k.mT):
    def wrong(query, key, kind="dot", weight=None, v=None):
        d = query.shape[-1]
        if kind == "dot":
            return finish(dot(query, key))
        if kind == "general":
            return finish(query @ weight @ key.mT if general is None else general(query, key, weight))
        if halves == "swapped":
            q, k = query @ weight[:, -d:].mT, key @ weight[:, : key.shape[-1]].mT
        elif halves == "source as it is":
            q, k = query @ weight[:, :d].mT, key
        else:
            q, k = query @ weight[:, :d].mT, key @ weight[:, d:].mT
        return finish(act(q.unsqueeze(-2) + k.unsqueeze(-3)) @ v)

    return wrong


for name, says, flags in [
    ("no-weight", "General without its W is the dot product.", {"general": lambda q, k, w: q @ k.mT}),
    (
        "weight-transposed",
        "W is the wrong way round: h_tᵀ W h_s has the target's width in its rows.",
        {"general": lambda q, k, w: q @ w.mT @ k.mT},
    ),
    (
        "no-tanh",
        "Concat has no tanh: without it vᵀW [h_t; h_s] is a sum of two numbers, and every target word would look at the same source"
        " words.",
        {"act": lambda x: x},
    ),
    ("relu", "Concat has a ReLU where its tanh should be.", {"act": torch.relu}),
    ("halves", "The halves of W are exchanged: the target's comes first, [h_t; h_s].", {"halves": "swapped"}),
    (
        "source-as-it-is",
        "The source state is not transformed: that is what Luong's released code does; the paper's concat multiplies both by W.",
        {"halves": "source as it is"},
    ),
    (
        "softmax",
        "These are weights already: the scores come before the softmax.",
        {"finish": lambda s: s.softmax(-1)},
    ),
    (
        "turned",
        "The table is turned round: a row for each target state, a column for each source state.",
        {"finish": lambda s: s.mT},
    ),
    (
        "scaled",
        "The dot product is divided by √d: that came two years later, with the Transformer.",
        {"dot": lambda q, k: q @ k.mT * q.shape[-1] ** -0.5},
    ),
]:
    e.mistake(name, says)(three_scores(**flags))


# ---- 2.4 local-m ------------------------------------------------------------------------------

e = define(
    "2.4",
    local_m_window,
    "A window that moves along",
    minutes=8,
    difficulty=1,
    parts=[
        ("five target words, eight source words, D = 2", 1, lambda f: f(5, 8, 2)),
        ("a source that ends before the target, D = 1", 1, lambda f: f(7, 4, 1)),
        ("D = 0: its own place alone", 1, lambda f: f(3, 6, 0)),
        ("a window wider than the sentence", 1, lambda f: f(4, 3, 9)),
    ],
    hints=[
        "Target word 3 with D = 2 may look at source words 1, 2, 3, 4 and 5. What do these five have in common, said with a difference?",
        "True where |s − p| ≤ D. Put source places in a row and centres in a column, and subtract; torch makes the table.",
        "`centre = torch.arange(n_target).clamp(max=n_source - 1)`; `(torch.arange(n_source) - centre[:, None]).abs() <= half_width`.",
    ],
)


def window(inside, centre=lambda t, m, n: t.clamp(max=n - 1)):
    def wrong(n_target, n_source, half_width):
        c = centre(torch.arange(n_target), n_target, n_source)
        return inside(torch.arange(n_source) - c[:, None], half_width)

    return wrong


within = lambda far, d: far.abs() <= d
for name, says, made in [
    ("ends-left-out", "The window's ends are left out: |s − p| may be D itself.", window(lambda far, d: far.abs() < d)),
    ("whole-width", "D is taken for the whole width of the window; it is half of it: D places on *either* side.",
     window(lambda far, d: far.abs() <= d // 2)),
    ("backward-only", "The window only looks back; it goes D places on as well.",
     window(lambda far, d: (far <= 0) & (far >= -d))),
    ("one-on", "The centre is one place too far on: places are counted from 0 here.",
     window(within, lambda t, m, n: (t + 1).clamp(max=n - 1))),
    ("runs-off", "Where the source has ended, the window runs off it and is empty: keep its centre at the last word.",
     window(within, lambda t, m, n: t)),
    ("inverted", "The mask is the wrong way round: True means may attend.", window(lambda far, d: far.abs() > d)),
    ("stretched", "The centre is stretched to the source's length; local-m takes the two sentences to run side by side, p = t.",
     window(within, lambda t, m, n: (t * n) // m)),
    ("one-too-many", "The window is a place too wide on its right.", window(lambda far, d: (far >= -d) & (far <= d + 1))),
]:  # fmt: skip
    e.mistake(name, says)(made)


@e.mistake("turned", "The table is turned round: a row for each target word, a column for each source word.")
def _(n_target, n_source, half_width):
    return local_m_window(n_target, n_source, half_width).mT


# ---- 2.5 local-p ------------------------------------------------------------------------------

PLACES = torch.tensor([0.2, 3.7, 6.45])


def gradient_of_place(f) -> torch.Tensor:
    """How the weights' sum moves with the place that is predicted."""
    place = PLACES.clone().requires_grad_()
    f(randn(3, 8, seed=2), place * 1.0, 2.5).square().sum().backward()
    return place.grad


e = define(
    "2.5",
    local_p_weights,
    "A window that goes where it wants",
    minutes=12,
    difficulty=2,
    parts=[
        ("three places among eight words, D = 2.5", 2, lambda f: f(randn(3, 8, seed=2), PLACES.clone(), 2.5)),
        ("a place on a word, D = 1", 1, lambda f: f(randn(2, 5, seed=3), torch.tensor([2.0, 4.0]), 1.0)),
        (
            "a batch",
            1,
            lambda f: f(randn(2, 3, 6, seed=4), torch.tensor([[0.4, 2.9, 5.0], [1.3, 3.3, 4.1]]), 3.0),
        ),
        ("the gradient that reaches the place", 1, gradient_of_place),
    ],
    hints=[
        "Three steps: how far is each source word from the place; a softmax over those that are inside the window alone; each weight"
        " made smaller the further from the place it is.",
        "Inside means |s − p| ≤ D: set the others' scores to −∞ before the softmax. The Gaussian is exp(−(s − p)²/(2σ²)) with σ = D/2,"
        " about p itself and not about the word nearest to it; it multiplies the weights *after* the softmax.",
        "`far = torch.arange(scores.shape[-1]) - centre.unsqueeze(-1)`; `gaussian = torch.exp(-far**2 / (2 * (half_width / 2)**2))`;"
        " `masked_softmax(scores, far.abs() <= half_width) * gaussian`. Leave the sum below one.",
    ],
)


def local_p(gauss=lambda far, d: torch.exp(-(far**2) / (2 * (d / 2) ** 2)), about=lambda p: p, when="after",
            again=False, windowed="before"):  # fmt: skip
    def wrong(scores, centre, half_width):
        places, p = torch.arange(scores.shape[-1]), centre.unsqueeze(-1)
        far, g = places - p, gauss(places - about(p), half_width)
        inside = far.abs() <= half_width
        if when == "scores":
            scores = scores * g
        if windowed == "before":
            scores = scores.masked_fill(~inside, -torch.inf)
        weights = scores.softmax(-1)
        if windowed == "after":
            weights = weights * inside
        if when == "after":
            weights = weights * g
        return weights / weights.sum(-1, keepdim=True) if again else weights

    return wrong


for name, says, flags in [
    (
        "sigma-is-D",
        "σ is D; the paper sets it to D/2.",
        {"gauss": lambda far, d: torch.exp(-(far**2) / (2 * d**2))},
    ),
    (
        "renormalised",
        "The weights sum to one: they are divided by their sum again, or the Gaussian is inside the softmax, which does the same. The paper leaves them below one.",
        {"again": True},
    ),
    (
        "about-the-floor",
        "The Gaussian stands about the whole number below p: no gradient could reach the prediction. It stands about p itself.",
        {"about": torch.floor},
    ),
    (
        "times-scores",
        "The Gaussian multiplies the scores, before the softmax; it belongs on the weights.",
        {"when": "scores"},
    ),
    ("no-gaussian", "There is no Gaussian: every word in the window counts alike.", {"when": "never"}),
    (
        "no-window",
        "The softmax runs over the whole source; only words inside the window take part.",
        {"windowed": "never"},
    ),
    (
        "window-after",
        "The window is cut after a softmax over the whole source: what lies outside has taken its share of the weight.",
        {"windowed": "after"},
    ),
    (
        "two-missing",
        "The exponent's 2 is missing: (s − p)²/(2σ²).",
        {"gauss": lambda far, d: torch.exp(-(far**2) / (d / 2) ** 2)},
    ),
    (
        "not-squared",
        "The distance is not squared: this falls off like a tent, not like a bell.",
        {"gauss": lambda far, d: torch.exp(-far.abs() / (2 * (d / 2) ** 2))},
    ),
]:
    e.mistake(name, says)(local_p(**flags))


# ---- 2.6 the penalty ------------------------------------------------------------------------------

e = define(
    "2.6",
    hops_penalty,
    "Hops that should differ",
    minutes=8,
    difficulty=2,
    parts=[
        ("three hops over five words", 1, lambda f: f(rows(3, 5, seed=1))),
        ("a batch, one penalty a sentence", 1, lambda f: f(rows(2, 4, 6, seed=2))),
        ("one hop", 1, lambda f: f(rows(1, 7, seed=3))),
        ("hops that each have a word of their own: nothing to pay", 1, lambda f: f(torch.eye(6)[[4, 0, 3]])),
        ("all hops on one word", 1, lambda f: f(torch.eye(4)[[2, 2, 2]])),
    ],
    hints=[
        "A Aᵀ is a small table, a row and a column for each hop. What is its entry for two hops that look at different words? For two"
        " that look at the same one? On its diagonal?",
        "Subtract the identity, square every entry, sum them all, for each sentence by itself.",
        "`overlap = weights @ weights.mT`; `(overlap - torch.eye(weights.shape[-2])).square().sum(dim=(-2, -1))`.",
    ],
)


def penalty(table=lambda a: a @ a.mT, identity=True, reduce=lambda x: x.square().sum((-2, -1))):
    def wrong(weights):
        overlap = table(weights)
        return reduce(overlap - torch.eye(overlap.shape[-1]) if identity else overlap)

    return wrong


for name, says, flags in [
    (
        "not-squared",
        "This is the norm; the paper's penalty is its square (a released code takes the norm, too).",
        {"reduce": lambda x: x.square().sum((-2, -1)).sqrt()},
    ),
    (
        "words-by-words",
        "AᵀA compares words; the hops are compared by A Aᵀ, which has a row for each hop.",
        {"table": lambda a: a.mT @ a},
    ),
    (
        "no-identity",
        "The identity is missing: then even hops with nothing in common pay, and spreading out thin costs least.",
        {"identity": False},
    ),
    (
        "mean",
        "This is the mean of the squares; the Frobenius norm sums them.",
        {"reduce": lambda x: x.square().mean((-2, -1))},
    ),
    (
        "absolute",
        "The entries are summed without being squared.",
        {"reduce": lambda x: x.abs().sum((-2, -1))},
    ),
    (
        "off-diagonal",
        "Only pairs of different hops count here; the diagonal counts as well, and asks each hop to look at one word.",
        {"table": lambda a: (a @ a.mT) * (1 - torch.eye(a.shape[-2])) + torch.eye(a.shape[-2])},
    ),
    (
        "cosines",
        "The rows are brought to length one first: then the diagonal asks nothing, and a hop may spread as it likes.",
        {"table": lambda a: F.normalize(a, dim=-1) @ F.normalize(a, dim=-1).mT},
    ),
    (
        "batch-summed",
        "One number for the whole batch; there should be one for each sentence.",
        {"reduce": lambda x: x.square().sum()},
    ),
]:
    e.mistake(name, says)(penalty(**flags))


# ---- 2.7 GNMT's decoder -----------------------------------------------------------------------------


def stack(n_layers: int, d_in: int, d_context: int, d: int) -> nn.ModuleList:
    torch.manual_seed(0)
    widths = [d_in, *[d] * (n_layers - 1)]
    return nn.ModuleList(nn.LSTMCell(width + d_context, d) for width in widths)


def stepped(f, n_layers: int = 4, d_in: int = 5, d_context: int = 3, d: int = 4, n: int = 2):
    hidden, cell = (tuple(randn(n, d, seed=10 * s + i) for i in range(n_layers)) for s in (1, 2))
    given = randn(n, d_in, seed=1), randn(n, d_context, seed=2), hidden, cell
    return f(*given, stack(n_layers, d_in, d_context, d))


e = define(
    "2.7",
    gnmt_step,
    "One step of GNMT's decoder",
    minutes=15,
    difficulty=3,
    parts=[
        ("four layers", 2, stepped),
        ("two layers: nothing to add yet", 1, lambda f: stepped(f, n_layers=2)),
        ("five layers, widths alike", 1, lambda f: stepped(f, n_layers=5, d_in=4, d_context=4)),
        ("a batch of one", 1, lambda f: stepped(f, n_layers=3, n=1)),
    ],
    hints=[
        "Go through the layers from the bottom. Each is an LSTMCell: `h, c = layer(input, (h_before, c_before))`. What is the input of"
        " the first, and of each above it?",
        "Every layer's input is what comes from below with the context behind it. What a layer hands up is its h, and from the third"
        " layer on its h plus what came from below. Its own new state stays h, before the adding.",
        "`for number, layer in enumerate(layers): h, c = layer(torch.cat([x, context], -1), (hidden[number], cell[number]));"
        " x = x + h if number >= 2 else h`, collecting every h and c.",
    ],
)


def decoder_stack(
    first=2, keep="h", contexts="all", order="x first", add=lambda x, h: x + h, top="x", state="own"
):
    def wrong(x, context, hidden, cell, layers):
        new_h, new_c = [], []
        for number, layer in enumerate(layers):
            c_in = context if contexts == "all" or number == 0 else torch.zeros_like(context)
            given = torch.cat([x, c_in] if order == "x first" else [c_in, x], -1)
            before = new_h[-1] if state == "below" and new_h else hidden[number]
            before = (cell[number], before) if state == "exchanged" else (before, cell[number])
            h, c = layer(given, before)
            x = add(x, h) if number >= first else h
            new_h.append(x if keep == "x" else h)
            new_c.append(c)
        return (new_h[-1] if top == "h" else x), tuple(new_h), tuple(new_c)

    return wrong


for name, says, flags in [
    (
        "no-residual",
        "Nothing is added: from the third layer on, a layer hands up its output plus what came from below.",
        {"first": 99},
    ),
    (
        "from-the-second",
        "The second layer adds already; GNMT's residuals begin at the third from the bottom.",
        {"first": 1},
    ),
    (
        "from-the-fourth",
        "The third layer does not add yet; GNMT's residuals begin at the third from the bottom.",
        {"first": 3},
    ),
    (
        "context-at-the-bottom",
        "Only the bottom layer is given the context; what it found goes to every layer.",
        {"contexts": "bottom"},
    ),
    (
        "sum-kept",
        "The sum is kept as a layer's state: its next step would be given what came from below once more. Keep h, hand up the sum.",
        {"keep": "x"},
    ),
    (
        "top-not-added",
        "The top gives its bare h; it hands up its sum like the layers below it.",
        {"top": "h"},
    ),
    (
        "context-first",
        "The context stands before what comes from below; the layer's weights expect it behind.",
        {"order": "context first"},
    ),
    (
        "state-from-below",
        "A layer is given the new output of the layer below as its state; it goes on from its own last output.",
        {"state": "below"},
    ),
    ("exchanged", "Output and cell are exchanged: an LSTMCell takes (h, c).", {"state": "exchanged"}),
    ("averaged", "The two are averaged; a residual connection adds.", {"add": lambda x, h: (x + h) / 2}),
]:
    e.mistake(name, says)(decoder_stack(**flags))


# ---- 2.8 co-attention --------------------------------------------------------------------------------

CONTEXT_MASK = torch.tensor([[True, True, True, False, False], [True] * 5])
QUESTION_MASK = torch.tensor([[True, True, True], [True, True, False]])


def both(f, *batch: int, n: int = 5, m: int = 3, masks=()):
    return f(randn(*batch, n, 4, seed=1), randn(*batch, m, 4, seed=2), randn(4, 4, seed=3), *masks)


e = define(
    "2.8",
    co_attention,
    "Two that look at one another",
    minutes=12,
    difficulty=2,
    parts=[
        ("five context words, three question words", 2, both),
        ("as many of each", 1, lambda f: both(f, n=4, m=4)),
        (
            "a batch with padding on both sides",
            2,
            lambda f: both(f, 2, masks=(CONTEXT_MASK.clone(), QUESTION_MASK.clone())),
        ),
        ("padding in the question alone", 1, lambda f: both(f, 2, masks=(None, QUESTION_MASK.clone()))),
    ],
    hints=[
        "There is one table of scores, a row for each context word and a column for each question word. Whose weights are a softmax"
        " along its rows? And along its columns?",
        "A context word's weights run over the question, so its values are question vectors. The question's weights are the softmax of"
        " the table transposed, with the context's mask.",
        "`affinity = context @ weight @ question.mT`; `a = masked_softmax(affinity, question_mask.unsqueeze(-2))` (None stays None);"
        " `b = masked_softmax(affinity.mT, context_mask.unsqueeze(-2))`; `CoAttention(a @ question, b @ context, a, b)`.",
    ],
)


def looked(
    affinity=lambda c, w, q: c @ w @ q.mT, back="columns", use=("context", "question"), order="context first"
):
    def softmax(scores, mask):
        if mask is None:
            return scores.softmax(-1)
        return scores.masked_fill(~mask.unsqueeze(-2), -torch.inf).softmax(-1)

    def wrong(context, question, weight, context_mask=None, question_mask=None):
        table = affinity(context, weight, question)
        a = softmax(table, question_mask if "question" in use else None)
        b = softmax(table.mT, context_mask if "context" in use else None)
        if back == "the same":
            b = a.mT
        if back == "renormalised":
            b = a.mT / a.mT.sum(-1, keepdim=True)
        found = (a @ question, b @ context, a, b)
        if order == "question first":
            found = (found[1], found[0], b, a)
        if order == "weights first":
            found = (a, b, found[0], found[1])
        return found

    return wrong


for name, says, flags in [
    (
        "one-softmax",
        "The question uses the context's weights transposed: its own do not sum to one then. There are two softmaxes over one table.",
        {"back": "the same"},
    ),
    (
        "renormalised",
        "The question's weights are the context's, divided by their sum: that is no softmax of the scores.",
        {"back": "renormalised"},
    ),
    ("no-weight", "W is not used: the affinity is C W Qᵀ.", {"affinity": lambda c, w, q: c @ q.mT}),
    (
        "weight-transposed",
        "W is the wrong way round: context on its left, question on its right.",
        {"affinity": lambda c, w, q: c @ w.mT @ q.mT},
    ),
    (
        "scaled",
        "The affinity is divided by √d; co-attention as asked here is not.",
        {"affinity": lambda c, w, q: c @ w @ q.mT / 2},
    ),
    (
        "question-unmasked",
        "The question's padding is looked at: its mask belongs to the context's softmax.",
        {"use": ("context",)},
    ),
    (
        "context-unmasked",
        "The context's padding is looked at: its mask belongs to the question's softmax.",
        {"use": ("question",)},
    ),
    (
        "question-first",
        "The two sides are exchanged: what the context found comes first.",
        {"order": "question first"},
    ),
    (
        "weights-first",
        "The weights come first; what was found comes first, then the weights.",
        {"order": "weights first"},
    ),
]:
    e.mistake(name, says)(looked(**flags))
