"""ELECTRA: a small model fills the gaps, and the model that counts tells which words are not the author's.

BERT learns from the 15 % of the tokens that were hidden. ELECTRA's discriminator is asked about every token,
and no [MASK] stands in what it reads.
"""

from dataclasses import replace

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor, nn

from course.blocks import LayerNorm
from course.masking import IGNORED
from course.models.bert import Bert, BertConfig

WEIGHT = 50.0
"""Of the discriminator's loss beside the generator's (Clark et al. 2020, §2 and appendix A)."""


def sample_tokens(
    logits: Float[Tensor, "*batch vocab"], generator: Generator | None = None
) -> Int[Tensor, "*batch"]:
    """A token for every place, drawn from the probabilities that these logits stand for; no gradient."""
    p = logits.detach().softmax(-1)
    return p.flatten(0, -2).multinomial(1, generator=generator).view(p.shape[:-1])


def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    """Put the generator's guesses where tokens were hidden, and say which tokens are not the original ones.

    A guess that is right is no replacement.

    Args:
        inputs, labels: from ``course.masking.mask_tokens``; the label is the original id, -100 elsewhere.
        guesses: what the generator would put at each place.

    Returns:
        What the discriminator reads, and True where it differs from the original. What was given stays as it
        is.

    Source: Clark et al. 2020 (ELECTRA), §2; lecture row L1.6.j.
    """
    hidden = labels != IGNORED
    read = guesses.where(hidden, inputs)
    return read, hidden & (read != labels)


def replaced_loss(
    logits: Float[Tensor, "batch n"], replaced: Bool[Tensor, "batch n"], real: Bool[Tensor, "batch n"]
) -> Float[Tensor, ""]:
    """The mean over all real tokens (not padding) of -ln p of what is true of them, in nats.

    Args:
        logits: of the token being a replacement; 0 is even odds.

    Source: Clark et al. 2020 (ELECTRA), equation of L_Disc in §2.
    """
    return F.binary_cross_entropy_with_logits(logits[real], replaced[real].to(logits.dtype))


class Electra(nn.Module):
    """Generator and discriminator, with one table of embeddings for both.

    Args:
        config: of the discriminator.
        generator_share: how wide the generator is beside it; the paper finds a quarter to a half best.

    Raises:
        ValueError: unless that leaves the generator a width that its heads divide.

    Source: Clark et al. 2020 (ELECTRA), figure 2 and §3.2; lecture row L1.6.j.
    """

    def __init__(self, config: BertConfig, generator_share: float = 0.25):
        super().__init__()
        self.config = config
        heads = max(1, round(config.n_heads * generator_share))
        width, inner = (int(size * generator_share) for size in (config.d_model, config.d_ff))
        if width < 1 or width % heads:
            raise ValueError(
                f"generator_share = {generator_share} of d_model = {config.d_model} is {width}, which "
                f"{heads} heads do not divide"
            )
        self.bert = Bert(config, pooler=False)
        self.generator = Bert(replace(config, d_model=width, n_heads=heads, d_ff=inner), pooler=False)
        for part in ("tokens", "positions", "segments", "norm"):
            setattr(self.generator, part, None)  # it reads what the discriminator's table gives
        self.narrow = nn.Linear(config.d_model, width)
        self.widen, self.widen_norm = nn.Linear(width, config.d_model), LayerNorm(config.d_model, config.eps)
        self.lm_bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.detect, self.detect_head = (
            nn.Linear(config.d_model, config.d_model),
            nn.Linear(config.d_model, 1),
        )

    def generate(
        self, ids: Int[Tensor, "batch n"], segments: Int[Tensor, "batch n"] | None = None
    ) -> Float[Tensor, "batch n d_model"]:
        """What the generator makes of each token, as wide as the embeddings that it is compared with."""
        x, mask = self.narrow(self.bert.embed(ids, segments)), self.bert._mask(ids, None)
        for block in self.generator.layers:
            x = block(x, mask)
        return self.widen_norm(F.gelu(self.widen(x)))

    def logits(self, x: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch vocab"]:
        """The generator's logits of every token."""
        return F.linear(x, self.bert.tokens.weight, self.lm_bias)

    def forward(
        self, ids: Int[Tensor, "batch n"], segments: Int[Tensor, "batch n"] | None = None
    ) -> Float[Tensor, "batch n"]:
        """The discriminator's logits: does this token stand in another's place?"""
        x = self.bert(ids, segments)
        return self.detect_head(F.gelu(self.detect(x))).squeeze(-1)

    def loss(
        self,
        ids: Int[Tensor, "batch n"],
        labels: Int[Tensor, "batch n"],
        segments: Int[Tensor, "batch n"] | None = None,
    ) -> Float[Tensor, ""]:
        """The generator's loss where tokens were hidden, plus 50 times the discriminator's everywhere.

        Args:
            ids, labels: from ``course.masking.mask_tokens``, all of the chosen hidden: split (1, 0, 0).

        Source: Clark et al. 2020 (ELECTRA), §2 (the combined loss).
        """
        of_generator, of_discriminator, _ = self.losses(ids, labels, segments)
        return of_generator + WEIGHT * of_discriminator

    def losses(
        self,
        ids: Int[Tensor, "batch n"],
        labels: Int[Tensor, "batch n"],
        segments: Int[Tensor, "batch n"] | None = None,
    ) -> tuple[Float[Tensor, ""], Float[Tensor, ""], Bool[Tensor, "batch n"]]:
        """Both losses, in nats, and which tokens the generator replaced."""
        hidden = labels != IGNORED
        logits = self.logits(self.generate(ids, segments)[hidden])
        guesses = labels.masked_scatter(hidden, sample_tokens(logits))
        read, replaced = replace_tokens(ids, labels, guesses)
        real = torch.ones_like(hidden) if self.config.pad_id is None else ids != self.config.pad_id
        found = replaced_loss(self(read, segments), replaced, real)
        return F.cross_entropy(logits, labels[hidden]), found, replaced
