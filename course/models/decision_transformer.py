"""The Decision Transformer: GPT's blocks over what was wished for, what was seen and what was done.

A trajectory becomes one sequence, (R₁, s₁, a₁, R₂, s₂, a₂, …): R is the return still to come. At each state
the model says what was done next; afterwards one writes the R one would like in front, and it goes on from
there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from course import checkpoints
from course.blocks import LayerNorm
from course.checkpoints.reading import build, check_layers, configured, read_settings, read_weights
from course.checkpoints.writing import write_checkpoint
from course.masking import IGNORED
from course.masks import causal_mask
from course.models.gpt import GPTBlock, GPTConfig
from course.models.gpt_files import weights_from_gpt2


def returns_to_go(rewards: Float[Tensor, "*batch time"]) -> Float[Tensor, "*batch time"]:
    """At each step the sum of the rewards from that step on, its own included: R_t = r_t + r_{t+1} + … .

    Nothing is discounted. What is given is not changed.

    Source: Chen et al. 2021 (Decision Transformer), §3; lecture row L1.2.d.
    """
    return rewards.flip(-1).cumsum(dim=-1).flip(-1)


def interleave(
    returns: Float[Tensor, "*batch time d"],
    states: Float[Tensor, "*batch time d"],
    actions: Float[Tensor, "*batch time d"],
    when: Float[Tensor, "*batch time d"],
) -> Float[Tensor, "*batch 3*time d"]:
    """One sequence (R₁, s₁, a₁, R₂, s₂, a₂, …); the ``when`` of a step is added to its three vectors.

    Args:
        when: the vector that says which step it is; added to the return, the state and the action alike.

    Source: Chen et al. 2021, §3 and algorithm 1; lecture row L1.2.d.
    """
    steps = torch.stack([returns, states, actions], dim=-2) + when.unsqueeze(-2)  # [*batch, time, 3, d]
    return steps.flatten(-3, -2)


@dataclass(frozen=True)
class DecisionConfig:
    """The sizes of a Decision Transformer.

    Args:
        d_state, d_action: numbers that describe a state and an action; for one of n places, n (one-hot).
        max_steps: the most steps of a trajectory.
        activation: of the feed-forward networks: "relu" (the paper's code), "gelu" or "gelu_tanh".
    """

    d_state: int
    d_action: int
    d_model: int = 128
    n_heads: int = 1
    n_layers: int = 3
    max_steps: int = 10
    dropout: float = 0.1
    activation: str = "relu"


class DecisionTransformer(nn.Module):
    """GPT-2's blocks over returns, states and actions; it says at each state which action comes next.

    A position is not a place in the sequence but a step of the trajectory, the same for its three tokens.
    ``course.heads.record_attention`` collects the attention weights while it runs.

    Source: Chen et al. 2021, figure 1 and algorithm 1; lecture row L1.2.d.
    """

    def __init__(self, config: DecisionConfig):
        super().__init__()
        self.config = config
        d = config.d_model
        sizes = GPTConfig(
            d_model=d, n_heads=config.n_heads, dropout=config.dropout, activation=config.activation
        )
        self.embed_return, self.embed_state = nn.Linear(1, d), nn.Linear(config.d_state, d)
        self.embed_action, self.embed_step = nn.Linear(config.d_action, d), nn.Embedding(config.max_steps, d)
        self.norm_in, self.norm_out = LayerNorm(d), LayerNorm(d)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(GPTBlock(sizes) for _ in range(config.n_layers))
        self.act = nn.Linear(d, config.d_action)

    def forward(
        self,
        returns: Float[Tensor, "batch time"],
        states: Float[Tensor, "batch time d_state"],
        actions: Float[Tensor, "batch time d_action"],
        steps: Int[Tensor, "batch time"] | None = None,
    ) -> Float[Tensor, "batch time d_action"]:
        """Logits of each step's action: from the returns, the states and the *earlier* actions.

        An action stands behind its own state, where the causal mask hides it; whatever stands at the last
        step's place, which is not known yet when one acts, has no effect.

        Args:
            steps: which step of the trajectory each is; None counts from 0.
        """
        if steps is None:
            steps = torch.arange(states.shape[1], device=states.device).expand(states.shape[:2])
        x = interleave(
            self.embed_return(returns[..., None]), self.embed_state(states), self.embed_action(actions),
            self.embed_step(steps),
        )  # fmt: skip
        x, mask = self.dropout(self.norm_in(x)), causal_mask(x.shape[1]).to(x.device)
        for block in self.blocks:
            x = block(x, mask)
        return self.act(self.norm_out(x[:, 1::3]))  # the states' places

    def loss(
        self,
        returns: Float[Tensor, "batch time"],
        states: Float[Tensor, "batch time d_state"],
        actions: Float[Tensor, "batch time d_action"],
        targets: Int[Tensor, "batch time"],
    ) -> Float[Tensor, ""]:
        """The mean cross-entropy of the actions that were taken, in nats; ``IGNORED`` ones do not count."""
        logits = self(returns, states, actions)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)

    # -- files --

    def save(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write config.json and model.safetensors; ``torch.float16`` takes half the space."""
        write_checkpoint(folder, asdict(self.config), self.state_dict(), dtype)

    @classmethod
    def from_pretrained(cls, name: str | Path) -> DecisionTransformer:
        """A model that ``save`` wrote to a folder, or a shipped one by its name, ready to act.

        Raises:
            FileNotFoundError: if there is no such checkpoint.
            ValueError: if it is of another kind, or a file is damaged or does not fit the other.
        """
        file, weights_file = (checkpoints.find_file(name, f) for f in ("config.json", "model.safetensors"))
        config, weights = configured(DecisionConfig, read_settings(file), file), read_weights(weights_file)
        check_layers(config.n_layers, weights, weights_file)
        return build(lambda: cls(config), weights, weights_file)


_FROM_TRANSFORMERS = {
    "embed_return": "embed_return",
    "embed_state": "embed_state",
    "embed_action": "embed_action",
    "embed_timestep": "embed_step",
    "embed_ln": "norm_in",
    "encoder.ln_f": "norm_out",
    "predict_action.0": "act",
}


def weights_from_transformers(theirs: Mapping[str, Tensor], n_layers: int) -> dict[str, Tensor]:
    """The weights of transformers' ``DecisionTransformerModel`` under our names.

    Theirs adds position 0's vector of GPT-2 everywhere, behind the first norm: here it is part of that norm's
    bias. Left out are the heads that predict states and returns, which the paper does not use.
    """
    inner = {name.removeprefix("encoder."): w for name, w in theirs.items() if name.startswith("encoder.h.")}
    ours = weights_from_gpt2(inner, n_layers)
    for their_name, our_name in _FROM_TRANSFORMERS.items():
        for kind in ("weight", "bias"):
            if f"{their_name}.{kind}" in theirs:
                ours[f"{our_name}.{kind}"] = theirs[f"{their_name}.{kind}"]
    ours["norm_in.bias"] = ours["norm_in.bias"] + theirs["encoder.wpe.weight"][0]
    return ours
