"""The graph, the walks over it, who learns from them, and how a return is asked for."""

import pytest
import torch

from course.masking import IGNORED
from course.studies.shortest_paths import (
    FARTHEST,
    GOAL,
    MOVES,
    NODES,
    ask,
    best_tenth,
    decider,
    distances,
    encoded,
    followed,
    outcome,
    planned,
    random_graph,
    random_walks,
    train_on,
)

EDGES = random_graph(2)
WALKS = random_walks(EDGES, seed=2)


@pytest.mark.parametrize("seed", range(5))
def test_from_everywhere_there_is_a_way_of_seven_moves_or_fewer(seed):
    edges = random_graph(seed)
    far, reach = distances(edges), torch.eye(NODES, dtype=torch.bool)
    assert not edges.diagonal().any() and edges.any(1).all() and far.max() <= FARTHEST
    for moves in range(MOVES + 1):
        assert torch.equal(reach[:, GOAL], far <= moves)
        reach = reach | (edges.float() @ reach.float() > 0)


def test_walks_follow_edges_and_end_at_the_goal():
    for states, actions, rewards in zip(*WALKS, strict=True):
        n = int((actions != IGNORED).sum())
        assert n and EDGES[states[:n], actions[:n]].all() and torch.equal(states[1:n], actions[: n - 1])
        assert (states[:n] != GOAL).all() and (actions[: n - 1] != GOAL).all()
        assert n == MOVES or actions[n - 1] == GOAL
        assert torch.equal(rewards[:n], -(actions[:n] != GOAL).float()) and rewards[n:].sum() == 0
        assert (actions[n:] == IGNORED).all() and states[n:].sum() == 0


def test_edges_are_taken_alike():
    """Six standard deviations: a false alarm once in 10⁸."""
    for node in range(1, NODES):
        taken = WALKS.actions[(WALKS.states == node) & (WALKS.actions != IGNORED)]
        share = 1 / int(EDGES[node].sum())
        for to in EDGES[node].nonzero()[:, 0].tolist():
            found, spread = (taken == to).float().mean(), (share * (1 - share) / len(taken)) ** 0.5
            assert abs(found - share) <= 6 * spread + 1e-6


def test_returns_count_the_stops_and_the_best_tenth_is_the_best():
    returns = WALKS.returns[:, 0]
    arrived = (WALKS.actions == GOAL).any(1)
    assert torch.equal(returns == -MOVES, ~arrived)
    best = best_tenth(WALKS)
    assert len(best.states) == len(WALKS.states) // 10
    assert best.returns[:, 0].min() >= returns.sort(descending=True).values[len(best.states)]


def test_what_is_not_known_is_all_zeros():
    states, actions = encoded(torch.tensor([[3]]), torch.tensor([[IGNORED]]))
    assert states.sum() == 1 and states[0, 0, 3] == 1 and actions.sum() == 0


def test_a_plan_from_single_moves_finds_every_shortest_way():
    found = outcome(followed(planned(WALKS), EDGES), EDGES)
    assert (found.arrived, found.shortest) == (NODES - 1, NODES - 1)
    assert found.returned == pytest.approx(1 - distances(EDGES)[1:].float().mean().item())


def test_asking_lowers_what_is_wanted_by_what_was_got(monkeypatch):
    model, seen = decider(), []
    whole = type(model).forward
    monkeypatch.setattr(type(model), "forward", lambda self, *x: seen.append(x) or whole(self, *x))
    paths = ask(model, EDGES, [5, 9], [-2.0, -6.0])
    returns, states, actions = seen[-1]
    for row, wanted in enumerate((-2.0, -6.0)):
        nodes = paths.nodes[row].tolist()
        got = [0.0 if GOAL in nodes[: t + 1] else -1.0 for t in range(1, MOVES)]
        left = torch.tensor([wanted - sum(got[:t]) for t in range(MOVES)])
        torch.testing.assert_close(returns[row], left / MOVES)
    assert torch.equal(states.argmax(-1), paths.nodes[:, :-1]) and actions[:, -1].sum() == 0


def test_a_move_along_no_edge_leads_nowhere_and_looks_sum_to_one():
    paths = ask(decider(), EDGES, range(1, NODES), torch.zeros(NODES - 1))
    for nodes, chances in zip(paths.nodes.tolist(), paths.chances, strict=True):
        for t, at in enumerate(nodes[:-1]):
            to = int(chances[t].argmax())
            assert nodes[t + 1] == (to if EDGES[at, to] and at != GOAL else at)
    torch.testing.assert_close(paths.looks.sum(-1), torch.ones(NODES - 1, MOVES, 2))
    assert paths.looks[:, 2, :, 8:].sum() == 0  # the third move's own action, and all behind it


def test_without_returns_the_answer_does_not_depend_on_what_is_asked():
    model = decider()
    losses = train_on(model, WALKS, 3, blind=True)
    assert len(losses) == 3
    a, b = (ask(model, EDGES, [4], [w], blind=True).nodes for w in (0.0, -9.0))
    assert torch.equal(a, b)


def test_a_short_training_learns_where_the_edges_are():
    model = decider()
    losses = train_on(model, WALKS, 40)
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
