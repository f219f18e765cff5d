"""Where to look in an image: softly, at every cell with a weight, or hard, at one cell drawn at random.

Functions first: the two kinds of look, and the score-function estimate of a gradient that sampling has cut.
Then a reader of scenes that is asked for one kind of thing and says which it is.
"""

from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from course import checkpoints
from course.attention import scaled_dot_score, weighted_sum
from course.checkpoints.reading import build, read_weights


def soft_glimpse(
    scores: Float[Tensor, "*batch cell"], values: Float[Tensor, "*batch cell d"]
) -> tuple[Float[Tensor, "*batch d"], Float[Tensor, "*batch cell"]]:
    """Every cell's value, each times its weight in (0, 1); and the weights, the softmax of the scores.

    Source: Xu et al. 2015 ("Show, Attend and Tell"), §4.2; lecture row L1.3.a.
    """
    weights = scores.softmax(dim=-1)
    return weighted_sum(weights.unsqueeze(-2), values).squeeze(-2), weights


def hard_glimpse(
    scores: Float[Tensor, "*batch cell"],
    values: Float[Tensor, "*batch cell d"],
    generator: torch.Generator | None = None,
) -> tuple[Float[Tensor, "*batch d"], Int[Tensor, "*batch"]]:
    """The value of one cell, drawn with the probabilities that ``soft_glimpse`` takes for weights; and which.

    No gradient comes back to the scores: a small change of them changes nothing, until another cell is drawn.

    Source: Xu et al. 2015, §4.1; lecture row L1.3.b.
    """
    p = scores.detach().softmax(dim=-1)
    cell = torch.multinomial(p.reshape(-1, p.shape[-1]), 1, generator=generator).reshape(p.shape[:-1])
    index = cell[..., None, None].expand(*cell.shape, 1, values.shape[-1])
    return values.gather(-2, index).squeeze(-2), cell


def score_function_gradient(
    scores: Float[Tensor, "cell"],
    sampled: Int[Tensor, "sample"],
    rewards: Float[Tensor, "sample"],
    baseline: bool = False,
) -> Float[Tensor, "cell"]:
    """An estimate of ∂E[r]/∂s from looks drawn with p = softmax(s): the mean of (r - b) ∂ln p(cell)/∂s.

    For a softmax ∂ln p(cell)/∂s = onehot(cell) - p. It is unbiased for any b that does not depend on the look
    itself. With ``baseline``, b is the mean reward of the *other* looks; without, 0.

    Args:
        scores: one for each cell.
        sampled: the cells that were looked at.
        rewards: what each of these looks earned; no gradient goes through them.

    Returns:
        The estimate, with no gradient of its own.

    Raises:
        ValueError: if there are not as many rewards as looks, or a baseline is asked for with fewer than two.

    Source: Williams 1992 (REINFORCE); Mnih and Rezende 2016, equation 8 (the others' mean); lecture row
    L1.3.b.
    """
    _check_looks(sampled, rewards, baseline)
    p, rewards = scores.detach().softmax(dim=-1), rewards.detach()
    n = len(sampled)
    if baseline:
        rewards = rewards - (rewards.sum() - rewards) / (n - 1)
    return (rewards[:, None] * (F.one_hot(sampled, len(p)) - p)).mean(dim=0)


def expected_gradient(
    scores: Float[Tensor, "*batch cell"], rewards: Float[Tensor, "*batch cell"]
) -> Float[Tensor, "*batch cell"]:
    """∂/∂s Σ_k p_k r_k = p ∘ (r - Σ_k p_k r_k): what the estimates are estimates of, where every r is known.

    Source: Williams 1992, §5; lecture row L1.3.b.
    """
    p = scores.softmax(dim=-1)
    return p * (rewards - (p * rewards).sum(dim=-1, keepdim=True))


class Look(NamedTuple):
    """What a reader makes of scenes and questions, before it decides how to look."""

    scores: Float[Tensor, "scene cell"]
    values: Float[Tensor, "scene cell d"]


class SceneReader(nn.Module):
    """Asked for a kind of thing, it looks at a scene and says which thing it is.

    Three convolutions make a vector of each of the 8 × 8 cells; the question's vector is scored against each
    by a scaled dot product; the glimpse is read by one linear map.

    Args:
        n_kinds: how many questions there are.
        n_things: how many answers.

    Source: after Xu et al. 2015, with a question in place of a caption's state; lecture rows L1.3.a, L1.3.b.
    """

    def __init__(self, n_kinds: int = 3, n_things: int = 18, d: int = 48):
        super().__init__()
        self.see = nn.Sequential(
            nn.Conv2d(3, 16, 5, stride=2, padding=2), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Conv2d(32, d, 3, stride=2, padding=1), nn.BatchNorm2d(d), nn.ReLU(),
        )  # fmt: skip
        self.query = nn.Embedding(n_kinds, d)
        self.key, self.value = nn.Linear(d, d), nn.Linear(d, d)
        self.name = nn.Linear(d, n_things)

    def look(self, images: Float[Tensor, "scene 3 side side"], kinds: Int[Tensor, "scene"]) -> Look:
        """How well each cell fits the question, and what there is to see in it."""
        cells = self.see(images).flatten(-2).mT  # [scene, cell, d]
        scores = scaled_dot_score(self.query(kinds)[:, None], self.key(cells))
        return Look(scores[:, 0], self.value(cells))

    def forward(
        self, images: Float[Tensor, "scene 3 side side"], kinds: Int[Tensor, "scene"]
    ) -> tuple[Float[Tensor, "scene thing"], Float[Tensor, "scene cell"]]:
        """The answer after a soft look, as logits, and the weights."""
        glimpse, weights = soft_glimpse(*self.look(images, kinds))
        return self.name(glimpse), weights

    def log_p_of_each_cell(
        self,
        images: Float[Tensor, "scene 3 side side"],
        kinds: Int[Tensor, "scene"],
        things: Int[Tensor, "scene"],
    ) -> tuple[Float[Tensor, "scene cell"], Float[Tensor, "scene cell"]]:
        """The scores, and ln P(right answer) of a hard look at each cell: its reward."""
        scores, values = self.look(images, kinds)
        log_p = self.name(values).log_softmax(dim=-1)  # [scene, cell, thing]
        return scores, log_p.gather(-1, things[:, None, None].expand(-1, log_p.shape[1], 1))[..., 0]

    @classmethod
    def from_pretrained(cls, name: str | Path) -> "SceneReader":
        """A reader from a folder, or a shipped one by its name.

        Raises:
            FileNotFoundError: if there is no such checkpoint.
            ValueError: if it is of another kind, or a file is damaged or does not fit the other.
        """
        file = checkpoints.find_file(name, "model.safetensors")
        return build(cls, read_weights(file), file)


def soft_loss(reader: SceneReader, images: Tensor, kinds: Tensor, things: Tensor) -> Float[Tensor, ""]:
    """Cross-entropy after a soft look: one backward pass reaches everything."""
    return F.cross_entropy(reader(images, kinds)[0], things)


def hard_loss(
    reader: SceneReader,
    images: Tensor,
    kinds: Tensor,
    things: Tensor,
    looks: int = 4,
    baseline: bool = True,
    generator: torch.Generator | None = None,
) -> Float[Tensor, ""]:
    """A loss for hard looks whose gradient is: that of the cross-entropy for what was looked at, and for the
    scores the score-function estimate, from so many looks at each scene.

    The value is the cross-entropy alone; the second term adds nothing to it but a gradient.
    """
    scores, rewards = reader.log_p_of_each_cell(images, kinds, things)
    log_p = scores.log_softmax(dim=-1)
    cells = torch.multinomial(log_p.detach().exp(), looks, replacement=True, generator=generator)
    earned = rewards.gather(-1, cells)  # [scene, look]
    centred = earned.detach()
    if baseline:
        centred = centred - (centred.sum(-1, keepdim=True) - centred) / (looks - 1)
    surrogate = (centred * log_p.gather(-1, cells)).mean()
    return -earned.mean() - (surrogate - surrogate.detach())


def mass_on(
    weights: Float[Tensor, "scene cell"], cells: Bool[Tensor, "scene cell"]
) -> Float[Tensor, "scene"]:
    """The weight that falls on these cells."""
    return (weights * cells).sum(dim=-1)


def _check_looks(sampled: Tensor, rewards: Tensor, baseline: bool) -> None:
    if len(sampled) != len(rewards):
        raise ValueError(f"every look needs its reward; got {len(rewards)} for {len(sampled)} looks")
    if baseline and len(sampled) < 2:
        raise ValueError("a baseline of the other looks needs two or more; got one")
