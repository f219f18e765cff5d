"""Ask for a return: paths, sentences and places are those of the study, in the browser too."""

import json

import pytest
import torch

from course.studies.shortest_paths import (
    GOAL,
    MOVES,
    ask,
    decider,
    distances,
    planned,
    random_graph,
    random_walks,
)
from course.widgets import AskForReturn
from course.widgets.ask_for_return import WORDS, layout, shortest_way, stops
from course.widgets.base import HERE

EDGES = random_graph(1)
CLONE = planned(random_walks(EDGES, 50))


def widget(**settings) -> AskForReturn:
    return AskForReturn(decider(), EDGES, CLONE, **settings)


def test_its_paths_are_those_of_the_study():
    shown = widget(start=7, asked=3)
    path = ask(decider(), EDGES, [7], [-3.0]).nodes[0].tolist()
    assert shown.path() == (path[: path.index(GOAL) + 1] if GOAL in path else path)
    sent = torch.frombuffer(bytearray(shown.nodes), dtype=torch.uint8).view(-1, MOVES + 1)
    assert sent[shown.row()].tolist() == path


def test_the_shortest_way_is_one_nearer_at_every_move():
    far = distances(EDGES)
    for node, to in enumerate(shortest_way(EDGES).tolist()):
        assert node == GOAL or (EDGES[node, to] and far[to] == far[node] - 1)


def test_a_column_is_a_distance_and_no_two_nodes_share_a_place():
    far, places = distances(EDGES).tolist(), layout(EDGES)
    assert len(set(places)) == len(places) and all(0 <= x <= 1 and 0 <= y <= 1 for x, y in places)
    assert [round((1 - x) * max(far)) for x, _ in places] == far


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"start": 5, "asked": 10, "shown": 4},
        {"start": 19, "asked": 2, "shown": 10},
        {"start": 3, "beside": "clone"},
    ],
)
def test_the_browser_says_the_same(node, settings):
    shown = widget(**settings)
    row = shown.row()
    chances = torch.frombuffer(bytearray(shown.chances), dtype=torch.uint8).view(-1, MOVES, 20)[row]
    given = {
        "nodes": shown._paths.nodes[row].tolist(), "choices": shown._paths.chances[row].argmax(-1).tolist(),
        "chances": chances.tolist(), "far": shown.far, "edges": [f"{a}-{b}" for a, b in shown.edges],
        "start": shown.start, "asked": shown.asked, "shown": shown.shown, "moves": MOVES,
        "clone": shown.others["clone"][shown.start - 1] if shown.beside == "clone" else None,
    }  # fmt: skip
    code = f"""
import {{ readFileSync }} from "node:fs";
import {{ sentence }} from "{(HERE / "ask_for_return.js").as_uri()}";
const [p, words] = JSON.parse(readFileSync(0));
const chance = (t, node) => p.chances[t][node] / 255;
console.log(sentence({{ ...p, edges: new Set(p.edges), chance }}, words));
"""
    said = node("--input-type=module", "-e", code, input=json.dumps([given, WORDS]))
    assert said.strip() == shown.describe()


def test_stops_are_said_as_people_do(call):
    cases = [0, 1, 2, 9, 10]
    assert call("ask_for_return", "stops", [[n, WORDS, MOVES] for n in cases]) == [stops(n) for n in cases]


def test_it_stands_still():
    assert widget(start=9, asked=4, beside="shortest").png().startswith(b"\x89PNG")
