"""One layer of attention, trained on the relatives of one protein: what it looks at is what touches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from course import checkpoints
from course.attention import scaled_dot_weights
from course.checkpoints.reading import build, configured, read_settings, read_weights
from course.checkpoints.writing import write_checkpoint


@dataclass(frozen=True)
class FactoredConfig:
    """Sizes: of the protein, of the heads, of the alphabet."""

    columns: int = 191
    n_heads: int = 64
    d_head: int = 16
    states: int = 21


class FactoredAttention(nn.Module):
    """Predicts each letter of a sequence from all others, by attention whose weights depend on places alone.

    A head's queries and keys are learned for every *place*, whatever stands there; its value is a table from
    letter to letter. So where it looks is the same for all relatives: a property of the family. No place
    looks at itself, for it would only have to copy. A gap (letter 0) tells nothing and need not be guessed:
    gaps come in stretches, and a layer that may would learn mostly these.

    Source: Bhattacharya et al. 2020, §2, factored attention (whose gaps are a letter like others); lecture
    row L1.2.d.
    """

    def __init__(self, config: FactoredConfig):
        super().__init__()
        self.config = config
        sizes = (config.n_heads, config.columns, config.d_head)
        self.query, self.key = (nn.Parameter(torch.randn(sizes)) for _ in range(2))
        self.value = nn.Parameter(0.05 * torch.randn(config.n_heads, config.states, config.states))
        self.bias = nn.Parameter(torch.zeros(config.columns, config.states))

    def weights(self) -> Float[Tensor, "head column column"]:
        """Where each head looks."""
        others = ~torch.eye(self.config.columns, dtype=torch.bool)
        return scaled_dot_weights(self.query, self.key, others)

    def forward(self, letters: Int[Tensor, "batch column"]) -> Float[Tensor, "batch column state"]:
        """Logits of each letter, from those at the other places."""
        told = F.embedding(letters, self.value.permute(1, 0, 2).flatten(1))  # [batch, column, head · state]
        told = told * (letters > 0).unsqueeze(-1)
        told = told.unflatten(-1, (self.config.n_heads, -1)).permute(
            2, 1, 0, 3
        )  # [head, column, batch, state]
        heard = self.weights() @ told.flatten(2)  # [head, column, batch · state]
        return heard.sum(0).unflatten(-1, (len(letters), -1)).transpose(0, 1) + self.bias

    def loss(
        self, letters: Int[Tensor, "batch column"], weights: Float[Tensor, "batch"]
    ) -> Float[Tensor, ""]:
        """The mean cross-entropy a letter, gaps left out, each sequence with its weight.

        Source: the negative pseudo-likelihood, Besag 1975.
        """
        nats = F.cross_entropy(self(letters).transpose(1, 2), letters, reduction="none")
        counted = weights.unsqueeze(-1) * (letters > 0)
        return (counted * nats).sum() / counted.sum()

    @torch.no_grad()
    def couplings(self) -> Float[Tensor, "column state column state"]:
        """The same as a table of letter pairs, for ``course.studies.contacts.coupling_norms``."""
        value = self.value.clone()
        value[:, 0] = 0  # a gap tells nothing
        return torch.einsum("hij,hba->iajb", self.weights(), value)

    def save(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write config.json and model.safetensors."""
        write_checkpoint(folder, self.config.__dict__, self.state_dict(), dtype)

    @classmethod
    def from_pretrained(cls, name: str | Path) -> FactoredAttention:
        """From a folder or the name of a shipped checkpoint.

        Raises:
            ValueError: if a file is damaged or does not fit the other.
            OSError: if there is no such checkpoint.
        """
        file, weights = (checkpoints.find_file(name, f) for f in ("config.json", "model.safetensors"))
        config = configured(FactoredConfig, read_settings(file), file)
        return build(lambda: cls(config), read_weights(weights), weights)
