"""The exercises of notebook 13: deciding and memory."""

import torch
import torch.nn.functional as F

from course.exercises.contract import Case
from course.exercises.inputs import randn, rows
from course.exercises.variants import checked
from course.models.decision_transformer import interleave, returns_to_go
from course.models.turing_machine import LEAST, address
from course.workbook.record import define

# ---- 13.1 what is still to come ------------------------------------------------------------------


def rewards(*batch):
    return randn(*batch, 5, seed=4) - 0.3


case = Case(lambda *batch: (rewards(*batch),))
e = define(
    "13.1",
    returns_to_go,
    "What is still to come",
    minutes=5,
    difficulty=1,
    parts=[
        case.part("five rewards", 2),
        ("a walk: −1, −1, −1 and then 0", 1, lambda f: f(torch.tensor([-1.0, -1.0, -1.0, 0.0, 0.0]))),
        ("one step", 1, lambda f: f(torch.tensor([[-2.5], [0.7]]))),
        case.batched(3),
        case.batched(2, 3),
        case.kind(torch.float64),
        case.gradients(),
        case.keeps_inputs(),
    ],
    hints=[
        "`cumsum` adds up from the beginning. You want to add up from the end. What do you have to do to the rewards first, and to the sums afterwards?",
        "Turn the last axis around with `flip(-1)`, add up with `cumsum(-1)`, turn it back. Each reward counts for its own step as well.",
        "`rewards.flip(-1).cumsum(-1).flip(-1)`",
    ],
)  # fmt: skip


def back(rewards):
    return rewards.flip(-1).cumsum(-1).flip(-1)


def decayed(rewards):
    later = torch.zeros_like(rewards[..., 0])
    found = []
    for r in rewards.unbind(-1)[::-1]:
        later = r + 0.99 * later
        found.append(later)
    return torch.stack(found[::-1], -1)


for name, says, wrong in [
    ("so-far", "The rewards are added up from the start: that is what has been earned *so far*. What is still to come is asked for.", lambda r: r.cumsum(-1)),
    ("from-the-next", "A step's own reward is left out: R_t begins with r_t, the reward of the move that is about to be made.", lambda r: back(r) - r),
    ("discounted", "Later rewards count for less here (times 0.99 a step): a Decision Transformer's returns are plain sums.", decayed),
    ("whole", "Every step has the whole walk's return: what has been spent already must be taken off.", lambda r: r.sum(-1, keepdim=True).expand_as(r)),
    ("turned", "The sums are right and stand in the wrong order: turn them around again.", lambda r: r.flip(-1).cumsum(-1)),
    ("over-walks", "The sums run over another axis than time, from walk to walk: time is the last axis.", lambda r: back(r.movedim(0, -1)).movedim(-1, 0)),
    ("mean", "The mean of the rewards that are left is taken; their sum is asked for.", lambda r: back(r) / torch.arange(r.shape[-1], 0, -1)),
    ("costs", "The sign is turned: these are costs to go. Rewards of −1 sum to something negative.", lambda r: -back(r)),
    ("rest-of-the-walk", "This is the sum without what was earned so far, the step's own reward taken off as well: it belongs to the rest.", lambda r: r.sum(-1, keepdim=True) - r.cumsum(-1) - r[..., :1]),
]:  # fmt: skip
    e.mistake(name, says)(wrong)

# ---- 13.2 one sequence ---------------------------------------------------------------------------


def told(*batch):
    return tuple(randn(*batch, 4, 5, seed=seed) for seed in range(4))


case = Case(told)
e = define(
    "13.2",
    interleave,
    "A walk becomes one sequence",
    minutes=8,
    difficulty=2,
    parts=[
        case.part("four steps", 2),
        ("a walk of one step", 1, lambda f: f(*(randn(1, 3, seed=s) for s in range(4)))),
        case.batched(3),
        case.batched(2, 3),
        case.kind(torch.float64),
        case.gradients(),
        case.keeps_inputs(),
    ],
    hints=[
        "Write down by hand the twelve vectors of a walk of four steps. Which of them belong together, and which three get the same `when`?",
        "`torch.stack` the three along a new axis that comes *after* time, add `when` with such an axis, and make one axis of time and the new one: `flatten(-3, -2)`.",
        "`steps = torch.stack([returns, states, actions], dim=-2) + when.unsqueeze(-2)`, then `steps.flatten(-3, -2)`",
    ],
)  # fmt: skip


def woven(*parts):
    return torch.stack(parts, dim=-2).flatten(-3, -2)


def as_tokens(r, s, a, w):
    """`when` by place in the sequence instead of by step: the fourth token gets the fourth, and round again."""
    out = woven(r, s, a)
    return out + w[..., torch.arange(out.shape[-2]) % w.shape[-2], :]


for name, says, wrong in [
    ("state-first", "The order is state, action, return: the return stands in front, so that the state, and with it the choice, can look back at it.", lambda r, s, a, w: woven(s + w, a + w, r + w)),
    ("action-before-state", "The action stands in front of its state: the model could look at the very thing it is to predict.", lambda r, s, a, w: woven(r + w, a + w, s + w)),
    ("return-last", "The order is state, return, action. It would serve, but it is not this model's: return, state, action.", lambda r, s, a, w: woven(s + w, r + w, a + w)),
    ("in-blocks", "All returns stand first, then all states, then all actions: the three of a step belong side by side.", lambda r, s, a, w: torch.cat([r + w, s + w, a + w], -2)),
    ("side-by-side", "The three vectors of a step are joined to one three times as wide; they are to be three tokens.", lambda r, s, a, w: torch.cat([r + w, s + w, a + w], -1)),
    ("summed", "The three vectors of a step are added up to one token: attention could no longer tell them apart.", lambda r, s, a, w: r + s + a + w),
    ("one-place-a-token", "`when` goes by the token's place in the sequence: it is the step's, the same for its three tokens.", as_tokens),
    ("when-of-states-only", "Only the states are told when they are: `when` is added to all three.", lambda r, s, a, w: woven(r, s + w, a)),
    ("never", "`when` is not added: attention alone does not know which step comes first.", lambda r, s, a, w: woven(r, s, a)),
    ("times", "`when` is multiplied with the vectors; it is added, as positions are.", lambda r, s, a, w: woven(r * w, s * w, a * w)),
    ("last-action", "Each step has the action *before* it: the sequence says what was done at this step, behind its state.", lambda r, s, a, w: woven(r + w, s + w, a.roll(1, -2) + w)),
    ("reshaped", "The axes are only renamed: stacking *before* time and then reshaping puts tokens of different steps side by side, as in blocks.", lambda r, s, a, w: torch.stack([r + w, s + w, a + w], -3).movedim(-3, -1).flatten(-3, -1).unflatten(-1, (3 * r.shape[-2], r.shape[-1]))),
]:  # fmt: skip
    e.mistake(name, says)(wrong)

# ---- 13.3 where to look --------------------------------------------------------------------------


def sought(*batch):
    memory = randn(*batch, 7, 4)
    key, strength = randn(*batch, 2, 4, seed=1), 1.7 + 3 * randn(*batch, 2, seed=2).abs()
    gate = randn(*batch, 2, seed=3).sigmoid()
    kernel, sharpness = rows(*batch, 2, 3, seed=4), 1.2 + randn(*batch, 2, seed=5).abs()
    return memory, key, strength, gate, kernel, sharpness, rows(*batch, 2, 7, seed=6)


def only(**given):
    """The usual arguments, some replaced by others made from them."""
    names = ("memory", "key", "strength", "gate", "kernel", "sharpness", "previous")

    def change(*x):
        return tuple(given[name](old) if name in given else old for name, old in zip(names, x, strict=True))

    return change


def all_on(x):
    return torch.ones_like(x)


def one_move(move):
    return lambda kernel: torch.eye(3)[move].expand_as(kernel).clone()


case = Case(sought)
e = define(
    "13.3",
    address,
    "Search, gate, shift, sharpen",
    minutes=20,
    difficulty=3,
    parts=[
        case.part("two heads, seven slots", 3),
        case.part("a search alone", 2, change=only(gate=all_on, kernel=one_move(1), sharpness=all_on)),
        case.part("one slot on, from the last to the first", change=only(gate=torch.zeros_like, kernel=one_move(2), sharpness=all_on)),
        case.part("sharpened alone", change=only(gate=torch.zeros_like, kernel=one_move(1))),
        case.part("a search that is sure: strength 300", change=only(strength=lambda b: b + 300)),
        case.part("an empty slot", change=only(memory=lambda m: m.index_fill(-2, torch.tensor([2]), 0.0))),
        case.batched(3, points=2),
        case.kind(torch.float64),
        case.gradients(),
        case.keeps_inputs(),
    ],
    hints=[
        "Four lines, one for each step, each made from the one before. Which function of `course.attention` gives cosines of all keys with all slots?",
        "Strength, gate and sharpness have one number a head, the weights one a head and slot: give the former a last axis with `[..., None]`. `w.roll(1, -1)` holds at i what w holds at i − 1. w^γ / Σ w^γ is `(γ · ln w).softmax(-1)`.",
        "`c = (strength[..., None] * cosine_score(key, memory)).softmax(-1)`; `w = gate[..., None] * c + (1 - gate[..., None]) * previous`; `w = kernel[..., :1] * w.roll(-1, -1) + kernel[..., 1:2] * w + kernel[..., 2:] * w.roll(1, -1)`; `(sharpness[..., None] * w.clamp(min=1e-8).log()).softmax(-1)`",
    ],
)  # fmt: skip


def cosines(key, memory):
    return F.normalize(key, dim=-1) @ F.normalize(memory, dim=-1).mT


def search(key, memory, strength):
    return (strength[..., None] * cosines(key, memory)).softmax(-1)


def moved(w, kernel, step=1, ring=True):
    there, back = w.roll(step, -1), w.roll(-step, -1)
    if not ring:
        there, back = F.pad(w, (1, 0))[..., :-1], F.pad(w, (0, 1))[..., 1:]
    return kernel[..., :1] * back + kernel[..., 1:2] * w + kernel[..., 2:] * there


def drawn_together(w, sharpness):
    return (sharpness[..., None] * w.clamp(min=LEAST).log()).softmax(-1)


def mixed(new, old, gate):
    return gate[..., None] * new + (1 - gate[..., None]) * old


def address_variant(find=search, mix=mixed, move=moved, draw=drawn_together, early=False):
    def wrong(memory, key, strength, gate, kernel, sharpness, previous):
        found = find(key, memory, strength)
        if early:
            return draw(mix(move(found, kernel), previous, gate), sharpness)
        return draw(move(mix(found, previous, gate), kernel), sharpness)

    return checked(address, wrong)


def exp_over_sum(key, memory, strength):
    raised = (strength[..., None] * cosines(key, memory)).exp()
    return raised / raised.sum(-1, keepdim=True)


def by_length(key, memory, strength):
    lengths = key.norm(dim=-1)[..., None] * memory.norm(dim=-1)[..., None, :]
    return (strength[..., None] * (key @ memory.mT) / lengths).softmax(-1)


for name, says, flags in [
    ("dot", "The score is the inner product; it is the cosine: a long slot must not be found for its length.", {"find": lambda k, m, b: (b[..., None] * (k @ m.mT)).softmax(-1)}),
    ("scaled-dot", "The score is the Transformer's, q · k / √d. This machine takes the cosine, times a strength that it chooses itself.", {"find": lambda k, m, b: (b[..., None] * (k @ m.mT) / k.shape[-1] ** 0.5).softmax(-1)}),
    ("strength-outside", "The strength is multiplied in after the softmax: it has to be inside, where it says how sure the search is.", {"find": lambda k, m, b: b[..., None] * cosines(k, m).softmax(-1)}),
    ("no-strength", "The strength is left out: a cosine is 1 at most, and a softmax of such small scores is nearly even.", {"find": lambda k, m, b: cosines(k, m).softmax(-1)}),
    ("temperature", "The cosine is divided by the strength: a large strength would then find everything alike.", {"find": lambda k, m, b: (cosines(k, m) / b[..., None]).softmax(-1)}),
    ("over-heads", "The softmax runs over the heads: each head spreads its attention over the *slots*.", {"find": lambda k, m, b: (b[..., None] * cosines(k, m)).softmax(-2)}),
    ("overflow", "Right for small strengths, but exp of hundreds overflows: take `softmax`, which subtracts the largest first.", {"find": exp_over_sum}),
    ("empty-slot", "A slot of zeros has length 0, and 0/0 comes out: its cosine should be 0.", {"find": by_length}),
    ("gate-turned", "The gate is the wrong way round: 1 takes the search, 0 stays with the previous weights.", {"mix": lambda new, old, g: mixed(old, new, g)}),
    ("gate-on-search-only", "What the gate takes from the search it has to give to the previous weights: (1 − gate) is missing there.", {"mix": lambda new, old, g: g[..., None] * new + old}),
    ("never-back", "The previous weights are forgotten: the head can search, and cannot go on from where it was.", {"mix": lambda new, old, g: new}),
    ("wrong-way", "The shift goes the wrong way: with `kernel[2]` = 1 what was at slot 0 should stand at slot 1.", {"move": lambda w, k: moved(w, k, step=-1)}),
    ("no-ring", "The memory is a ring: what goes on from the last slot comes to the first. Here it falls off.", {"move": lambda w, k: moved(w, k, ring=False)}),
    ("no-shift", "The shift is missing: the head never walks on.", {"move": lambda w, k: w}),
    ("shift-before-gate", "The shift comes before the gate, so it moves what was found and not where one was: gate first, then shift.", {"early": True}),
    ("times-sharpness", "The weights are multiplied by the sharpness and divided by their sum: that changes nothing. It is a power.", {"draw": lambda w, s: w / w.sum(-1, keepdim=True)}),
    ("softmax-of-weights", "A softmax of γ · w is taken: without the logarithm even a weight of 1 is only e^γ times a weight of 0.", {"draw": lambda w, s: (s[..., None] * w).softmax(-1)}),
    ("not-normalised", "After the power the weights no longer sum to 1: divide by their sum.", {"draw": lambda w, s: w.clamp(min=LEAST) ** s[..., None]}),
    ("root", "The power is 1/γ: that blurs the weights, where it should sharpen them.", {"draw": lambda w, s: drawn_together(w, 1 / s)}),
]:  # fmt: skip
    e.mistake(name, says)(address_variant(**flags))


@e.mistake(
    "sharpened-first",
    "The weights are sharpened before they are shifted, and so what the shift smears stays smeared.",
)
def _(memory, key, strength, gate, kernel, sharpness, previous):
    with torch.no_grad():
        address(memory, key, strength, gate, kernel, sharpness, previous)
    return moved(drawn_together(mixed(search(key, memory, strength), previous, gate), sharpness), kernel)
