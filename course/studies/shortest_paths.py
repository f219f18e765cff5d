"""Offline decisions on a graph: from random walks alone, who finds the shortest way when asked for it?

The Decision Transformer's own toy. A move that does not end at the goal costs 1, so the return of a walk is
minus the number of its stops on the way; a walk that has not arrived after ten moves has -10.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from course.heads import record_attention
from course.masking import IGNORED
from course.models.decision_transformer import DecisionConfig, DecisionTransformer, returns_to_go
from course.models.seq2seq import fit

NODES, GOAL, MOVES, FARTHEST, SPARSITY = 20, 0, 10, 7, 0.1
WALKS, BATCH = 1000, 32

# --------------------------------------------------------------------------------------------------
# The graph and the walks
# --------------------------------------------------------------------------------------------------


def random_graph(seed: int) -> Bool[Tensor, "from to"]:
    """Twenty nodes, an edge from each to each other with chance 0.1, at least one from each.

    Drawn again until the goal is seven moves or fewer from everywhere. No node has an edge to itself.

    Source: Chen et al. 2021, appendix (illustrative example); lecture row L1.2.d.
    """
    generator = torch.Generator().manual_seed(seed)
    while True:
        chance = torch.rand(NODES, NODES, generator=generator).fill_diagonal_(2.0)
        edges = (chance < SPARSITY) | (chance == chance.min(dim=1, keepdim=True).values)
        if distances(edges).max() <= FARTHEST:
            return edges


def distances(edges: Bool[Tensor, "from to"]) -> Int[Tensor, "from"]:
    """The fewest moves from each node to the goal; one more than there are nodes where there is no way."""
    far = torch.full((len(edges),), len(edges) + 1)
    far[GOAL] = 0
    for _ in range(len(edges)):
        far = torch.minimum(far, torch.where(edges, far[None] + 1, len(edges) + 1).amin(dim=1))
    return far


class Walks(NamedTuple):
    """Walks of ten moves or fewer; behind a walk's end stand zeros, and ``IGNORED`` for actions."""

    states: Int[Tensor, "walk time"]
    actions: Int[Tensor, "walk time"]
    rewards: Float[Tensor, "walk time"]

    @property
    def returns(self) -> Float[Tensor, "walk time"]:
        """What is still to come at each step, between 0 and -10."""
        return returns_to_go(self.rewards)

    def chosen(self, rows: Tensor) -> Walks:
        """Some of the walks."""
        return Walks(*(part[rows] for part in self))


def random_walks(edges: Bool[Tensor, "from to"], n: int = WALKS, seed: int = 0) -> Walks:
    """``n`` walks that begin anywhere but at the goal and take any of a node's edges, each as likely.

    They end at the goal, or after ten moves.
    """
    generator = torch.Generator().manual_seed(seed)
    at = torch.randint(1, NODES, (n,), generator=generator)  # the goal is 0
    states, actions, rewards = [], [], []
    for _ in range(MOVES):
        going = at != GOAL
        to = torch.multinomial(edges[at].float(), 1, generator=generator)[:, 0]
        states.append(at * going)
        actions.append(torch.where(going, to, IGNORED))
        rewards.append(-((to != GOAL) & going).float())
        at = torch.where(going, to, at)
    return Walks(*(torch.stack(part, dim=1) for part in (states, actions, rewards)))


def best_tenth(walks: Walks) -> Walks:
    """The tenth of the walks with the highest returns; of equal ones those that come first."""
    order = walks.returns[:, 0].argsort(descending=True, stable=True)
    return walks.chosen(order[: len(order) // 10])


# --------------------------------------------------------------------------------------------------
# Learning from them
# --------------------------------------------------------------------------------------------------


def encoded(states: Tensor, actions: Tensor) -> tuple[Float[Tensor, "*batch n"], Float[Tensor, "*batch n"]]:
    """Both one-hot; nothing where there is no action."""
    taken = F.one_hot(actions.clamp(min=0), NODES) * (actions != IGNORED)[..., None]
    return F.one_hot(states, NODES).float(), taken.float()


def decider(seed: int = 0) -> DecisionTransformer:
    """A Decision Transformer for the graph, of two layers and 48 numbers, untrained."""
    torch.manual_seed(seed)
    sizes = DecisionConfig(NODES, NODES, 48, n_heads=1, n_layers=2, max_steps=MOVES, dropout=0.0)
    return DecisionTransformer(sizes)


def train_on(
    model: DecisionTransformer, walks: Walks, steps: int, seed: int = 0, blind: bool = False, lr: float = 3e-3
) -> list[float]:
    """Train on walks drawn from these; gives the losses.

    Args:
        blind: show no returns: what is learned then is to do as the walkers did (behaviour cloning).
    """
    states, actions = encoded(walks.states, walks.actions)
    returns = walks.returns / MOVES * (not blind)

    def batch(step: int) -> tuple[Tensor, ...]:
        generator = torch.Generator().manual_seed(1_000_003 * seed + step)
        rows = torch.randint(len(states), (BATCH,), generator=generator)
        return returns[rows], states[rows], actions[rows], walks.actions[rows]

    return fit(model, batch, steps, lr)


def planned(walks: Walks) -> Int[Tensor, "node"]:
    """The best move from each node, by looking at single moves: Q(s, a) = r + max Q(s', ·).

    A table, and no network; single moves join what no walk shows as a whole.

    Source: Watkins 1989 (Q-learning), on moves that were logged.
    """
    here = walks.actions != IGNORED
    s, a, r = walks.states[here], walks.actions[here], walks.rewards[here]
    q = torch.full((NODES, NODES), -float(NODES))
    for _ in range(NODES):
        q[s, a] = r + torch.where(a == GOAL, 0.0, q.amax(dim=1)[a])
    return q.argmax(dim=1)


# --------------------------------------------------------------------------------------------------
# Asking
# --------------------------------------------------------------------------------------------------


class Paths(NamedTuple):
    """What was done when a return was asked for. Behind the arrival the node stays the goal."""

    nodes: Int[Tensor, "path moves+1"]
    chances: Float[Tensor, "path moves node"]
    looks: Float[Tensor, "path moves layer tokens"]
    """How much each move's state looked at each token so far, (R, s, a) of each step; one head a layer."""

    @property
    def arrived(self) -> Bool[Tensor, "path"]:
        return (self.nodes == GOAL).any(dim=1)

    @property
    def moves(self) -> Int[Tensor, "path"]:
        """Until the arrival; ten where there was none."""
        return (self.nodes[:, :-1] != GOAL).sum(dim=1)

    @property
    def returned(self) -> Int[Tensor, "path"]:
        """The return that was got."""
        return -(self.nodes[:, 1:] != GOAL).sum(dim=1)


@torch.no_grad()
def ask(
    model: DecisionTransformer,
    edges: Bool[Tensor, "from to"],
    starts: Sequence[int] | Tensor,
    wanted: Sequence[float] | Tensor,
    blind: bool = False,
) -> Paths:
    """Walk from each start with a return asked for, always to the node that the model finds likeliest.

    After each move what is still wanted falls by the reward that was got. A move along no edge leads nowhere:
    one stays, and it costs 1.

    Args:
        blind: show no returns, as in ``train_on``.
    """
    at, left = torch.as_tensor(starts), torch.as_tensor(wanted).float()
    batch, layers = len(at), model.config.n_layers
    states = torch.zeros(batch, MOVES, dtype=torch.long)
    actions = torch.full((batch, MOVES), IGNORED)
    returns = torch.zeros(batch, MOVES)
    nodes, chances, looks = [at], [], torch.zeros(batch, MOVES, layers, 3 * MOVES)
    for t in range(MOVES):
        states[:, t], returns[:, t] = at, left / MOVES * (not blind)
        with record_attention(model) as weights:
            logits = model(returns[:, : t + 1], *(x[:, : t + 1] for x in encoded(states, actions)))[:, -1]
        for layer, of in enumerate(weights.values()):
            looks[:, t, layer, : 3 * t + 3] = of[:, 0, -2]  # the last state's row
        chances.append(logits.softmax(-1))
        actions[:, t] = logits.argmax(-1)
        to = torch.where(edges[at, actions[:, t]] & (at != GOAL), actions[:, t], at)
        left, at = left + ((to != GOAL) & (at != GOAL)), to
        nodes.append(at)
    return Paths(torch.stack(nodes, 1), torch.stack(chances, 1), looks)


def followed(choice: Int[Tensor, "node"], edges: Bool[Tensor, "from to"]) -> Paths:
    """The paths from all starts of somebody who always does the same at a node."""
    at = torch.arange(1, NODES)
    nodes = [at]
    for _ in range(MOVES):
        to = choice[at]
        at = torch.where(edges[at, to] & (at != GOAL), to, at)
        nodes.append(at)
    return Paths(torch.stack(nodes, 1), torch.empty(0), torch.empty(0))


class Outcome(NamedTuple):
    """Of paths from several starts: how many arrive, how many by the shortest way, and the mean return."""

    arrived: int
    shortest: int
    returned: float


def outcome(paths: Paths, edges: Bool[Tensor, "from to"]) -> Outcome:
    """How a set of paths did, whatever had been asked for."""
    best = distances(edges)[paths.nodes[:, 0]]
    shortest = paths.arrived & (paths.moves == best)
    return Outcome(int(paths.arrived.sum()), int(shortest.sum()), paths.returned.float().mean().item())
