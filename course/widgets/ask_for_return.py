"""Ask for a return (L1.2.d): a Decision Transformer on a drawn graph, walking as it is asked to."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
import traitlets
from jaxtyping import Bool, Float, Int
from torch import Tensor

from course.models.decision_transformer import DecisionTransformer
from course.studies.shortest_paths import GOAL, MOVES, NODES, ask, distances, followed
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PATH, OTHER, MARK = "#0072B2", "#D55E00", "#009E73"

WORDS = {
    "title": "Ask for a return: stops on the way, as many as you like",
    "start": "Start",
    "asked": "Stops asked for",
    "shown": "Move shown",
    "beside": "Beside it",
    "nobody": "nobody",
    "clone": "behaviour cloning",
    "shortest": "the shortest way",
    "goal": "goal",
    "never": "never arrive",
    "node": "node {node}, {moves} from the goal",
    "looks": "Layer {layer}: how much the choice looks at …",
    "token_R": "R {value}",
    "token_s": "at {value}",
    "token_a": "to {value}",
    "arrives": "Asked for {asked} from node {start}, it arrives with {got}; the fewest possible: {fewest}.",
    "stranded": "Asked for {asked} from node {start}, it has not arrived after {moves} moves; the fewest "
    "possible: {fewest}.",
    "choice": "Move {move}, at node {at}, still wanted {left}: it goes to {to} ({percent} %{mistaken}).",
    "mistaken": ", and there is no such edge: it stays",
    "stops": "{n} stops",
    "stop": "1 stop",
    "no_stop": "no stop",
    "said_clone_yes": "Behaviour cloning arrives with {got}.",
    "said_clone_no": "Behaviour cloning does not arrive.",
    "note": "A column is so many moves from the goal. Press a node (arrow keys walk over them) to begin. "
    "Wide: the path so far. Dashed: who stands beside it. Ring: how likely each next node is.",
}


def layout(edges: Bool[Tensor, "from to"]) -> list[tuple[float, float]]:
    """Where each node is drawn, 0 to 1 across and up: a column for each distance from the goal."""
    far = distances(edges)
    most, places = int(far.max()), [(0.0, 0.0)] * len(far)
    for d in range(most + 1):
        column = (far == d).nonzero()[:, 0].tolist()
        for k, node in enumerate(column):
            up = (k + 0.5 + 0.22 * (d % 2 - 0.5)) / len(column)  # neighbours in a row would hide an edge
            places[node] = (1 - d / most, up)
    return places


def shortest_way(edges: Bool[Tensor, "from to"]) -> Int[Tensor, "from"]:
    """From each node the first neighbour that is one nearer to the goal."""
    nearer = torch.where(edges, distances(edges)[None], len(edges) + 2)
    return nearer.argmin(dim=1)


class AskForReturn(CourseWidget):
    """Choose a start, ask for a number of stops, and see the path, the chances and what is looked at.

    All answers are worked out beforehand, so that it needs no kernel. ``start``, ``asked`` (stops; ten is
    "never arrive"), ``shown`` and ``beside`` follow what the learner does.

    Args:
        model: trained on walks over the graph.
        edges: the graph.
        clone: where behaviour cloning goes from each node, for comparison.
    """

    _esm = module("ask_for_return")
    _css = stylesheet("common", "ask_for_return")
    edges = traitlets.List().tag(sync=True)
    places = traitlets.List().tag(sync=True)
    far = traitlets.List(traitlets.Int()).tag(sync=True)
    nodes = traitlets.Bytes().tag(sync=True)
    """[start, asked, moves + 1]: where each path is."""
    choices = traitlets.Bytes().tag(sync=True)
    """[start, asked, moves]: what was chosen, edge or not."""
    chances = traitlets.Bytes().tag(sync=True)
    """[start, asked, moves, node], a share of 255."""
    looks = traitlets.Bytes().tag(sync=True)
    """[start, asked, moves, layer, token], a share of 255."""
    others = traitlets.Dict().tag(sync=True)
    """The paths of those beside it, [start][moves + 1]."""
    layers = traitlets.Int().tag(sync=True)
    moves = traitlets.Int(MOVES).tag(sync=True)
    start = traitlets.Int(1, min=1, max=NODES - 1).tag(sync=True)
    asked = traitlets.Int(0, min=0, max=MOVES).tag(sync=True)
    shown = traitlets.Int(1, min=1, max=MOVES).tag(sync=True)
    beside = traitlets.Enum(("nobody", "clone", "shortest"), "nobody").tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(
        self,
        model: DecisionTransformer,
        edges: Bool[Tensor, "from to"],
        clone: Int[Tensor, "node"],
        **settings: Any,
    ):
        starts = torch.arange(1, NODES).repeat_interleave(MOVES + 1)
        wanted = -torch.arange(MOVES + 1).repeat(NODES - 1)
        paths = ask(model, edges, starts, wanted)
        self._paths, self._edges = paths, edges
        beside = {"clone": followed(clone, edges), "shortest": followed(shortest_way(edges), edges)}
        super().__init__(
            edges=edges.nonzero().tolist(), places=[list(p) for p in layout(edges)],
            far=distances(edges).tolist(), nodes=_bytes(paths.nodes),
            choices=_bytes(paths.chances.argmax(-1)), chances=_bytes(paths.chances * 255),
            looks=_bytes(paths.looks * 255), layers=model.config.n_layers,
            others={name: of.nodes.tolist() for name, of in beside.items()}, **settings,
        )  # fmt: skip

    def row(self) -> int:
        """Which of all paths is shown."""
        return (self.start - 1) * (MOVES + 1) + self.asked

    def path(self) -> list[int]:
        """The nodes of the path shown, the goal at most once."""
        return _until_goal(self._paths.nodes[self.row()].tolist())

    def describe(self) -> str:
        path, moves = self.path(), len(self.path()) - 1
        told = {"asked": stops(self.asked), "start": self.start, "fewest": stops(self.far[self.start] - 1)}
        if path[-1] == GOAL:
            whole = WORDS["arrives"].format(got=stops(moves - 1), **told)
        else:
            whole = WORDS["stranded"].format(moves=MOVES, **told)
        t = min(self.shown, moves) - 1
        to = int(self._paths.chances[self.row(), t].argmax())
        left = self.asked - t
        choice = WORDS["choice"].format(
            move=t + 1, at=path[t], left=stops(left) if left >= 0 else f"−{-left}", to=to,
            percent=_percent(self._paths.chances[self.row(), t, to].item()),
            mistaken="" if self._edges[path[t], to] else WORDS["mistaken"],
        )  # fmt: skip
        return " ".join(filter(None, [whole, choice, self._of_clone()]))

    def _of_clone(self) -> str:
        if self.beside != "clone":
            return ""
        path = _until_goal(self.others["clone"][self.start - 1])
        if path[-1] != GOAL:
            return WORDS["said_clone_no"]
        return WORDS["said_clone_yes"].format(got=stops(len(path) - 2))

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        from course.figures import INK

        figure = Figure(figsize=(8.4, 4.2), layout="constrained")
        ax = figure.subplots()
        for a, b in self.edges:
            self._arrow(ax, a, b, color=INK, lw=0.7, alpha=0.35)
        if self.beside != "nobody":
            other = _until_goal(self.others[self.beside][self.start - 1])
            for a, b in pairwise(other):
                self._arrow(ax, a, b, color=OTHER, lw=1.6, ls="--")
        path = self.path()
        for a, b in pairwise(path):
            if a != b:
                self._arrow(ax, a, b, color=PATH, lw=2.6)
        for node, (x, y) in enumerate(self.places):
            colour = MARK if node == GOAL else PATH if node == self.start else INK
            ax.plot(x, y, "o", ms=17, color=colour)
            ax.annotate(str(node), (x, y), ha="center", va="center", color="white", fontsize=9)
        ax.set(xlim=(-0.06, 1.06), ylim=(-0.05, 1.05))
        ax.set_axis_off()
        return figure

    def _arrow(self, ax: Any, a: int, b: int, **look: Any) -> None:
        bend = "arc3,rad=0.18"
        style = {
            "arrowstyle": "-|>",
            "connectionstyle": bend,
            "shrinkA": 9,
            "shrinkB": 9,
            "mutation_scale": 9,
        }
        ax.annotate("", self.places[b], self.places[a], arrowprops=style | look)


def stops(n: int) -> str:
    """A number of stops in words; ten is never to arrive."""
    if n == MOVES:
        return WORDS["never"]
    return WORDS["no_stop"] if n == 0 else WORDS["stop"] if n == 1 else WORDS["stops"].format(n=n)


def _until_goal(nodes: list[int]) -> list[int]:
    return nodes[: nodes.index(GOAL) + 1] if GOAL in nodes else nodes


def _bytes(values: Float[Tensor, "..."] | Int[Tensor, "..."]) -> bytes:
    return values.round().clamp(0, 255).to(torch.uint8).numpy().tobytes()


def _percent(share: float) -> int:
    """Of a share as it travels, in 255ths, as the browser rounds it."""
    return int(100 * round(255 * share) / 255 + 0.5)
