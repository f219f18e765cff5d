"""GPT: decoder blocks alone, trained to predict the next token; GPT-2's own weights load into it."""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from course import checkpoints
from course.blocks import FeedForward, KeyValueCache, LayerNorm, residual
from course.checkpoints.reading import build, check_layers, configured, read_settings, read_weights
from course.checkpoints.writing import write_checkpoint
from course.heads import MultiHeadAttention
from course.masking import IGNORED
from course.masks import causal_mask
from course.models.gpt_files import (
    SETTINGS,
    config_from_gpt2,
    config_to_gpt2,
    score_factors,
    weights_from_gpt2,
    weights_to_gpt2,
)
from course.models.gpt_reader import Reader
from course.models.writing import (
    checked_count,
    checked_prompt,
    checked_stop,
    generator,
    is_as_shipped,
    ship,
    without_dropout,
)
from course.positions import LearnedPositions
from course.text.sampling import check_sampling, sample


@dataclass(frozen=True)
class GPTConfig:
    """The sizes of a GPT; the defaults are those of the smallest GPT-2.

    Args:
        vocab_size: number of tokens.
        d_ff: width of the feed-forward networks' hidden layer; None means 4 × ``d_model``.
        max_length: the most positions that the model sees at once.
        dropout: probability for embeddings, attention weights and the output of each sublayer.
        activation: "gelu_tanh" (GPT-2), "gelu" or "relu".
        eps: what layer norm adds to the variance.

    Source: Radford et al. 2019 (GPT-2), table 2 and §2.3.
    """

    vocab_size: int = 50257
    d_model: int = 768
    n_heads: int = 12
    n_layers: int = 12
    d_ff: int | None = None
    max_length: int = 1024
    dropout: float = 0.1
    activation: str = "gelu_tanh"
    eps: float = 1e-5


class GPTBlock(nn.Module):
    """A decoder block without cross-attention, for there is nothing else to attend to; the norms come first.

    Source: Radford et al. 2018 (GPT), figure 1; Radford et al. 2019 (GPT-2), §2.3; lecture row L1.6.a.
    """

    def __init__(self, config: GPTConfig):
        super().__init__()
        d_model, d_ff = config.d_model, config.d_ff or 4 * config.d_model
        self.norm1, self.norm2 = LayerNorm(d_model, config.eps), LayerNorm(d_model, config.eps)
        self.self_attention = MultiHeadAttention(d_model, config.n_heads, dropout=config.dropout)
        self.feed_forward = FeedForward(d_model, d_ff, config.activation)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, x: Float[Tensor, "*batch n d_model"], mask: Bool[Tensor, "n n"]
    ) -> Float[Tensor, "*batch n d_model"]:
        """Both sublayers in turn, each's output through dropout, inside ``residual`` with its own norm."""

        def attend(y: Tensor) -> Tensor:
            return self.dropout(self.self_attention(y, mask=mask, need_weights=False)[0])

        def feed(y: Tensor) -> Tensor:
            return self.dropout(self.feed_forward(y))

        x = residual(x, attend, self.norm1, pre=True)
        return residual(x, feed, self.norm2, pre=True)

    def step(
        self,
        x: Float[Tensor, "*batch new d_model"],
        cache: KeyValueCache,
        mask: Bool[Tensor, "new all"] | None,
    ) -> Float[Tensor, "*batch new d_model"]:
        """``forward``, without dropout, for new positions alone, which join the cache."""

        def attend(y: Tensor) -> Tensor:
            return self.self_attention.attend(y, *cache.append(*self.self_attention.project(y)), mask)

        x = residual(x, attend, self.norm1, pre=True)
        return residual(x, self.feed_forward, self.norm2, pre=True)


class GPT(nn.Module):
    """Reads token ids, predicts at each position the token that comes next, and writes on from a prompt.

    One matrix embeds the tokens and, transposed, turns the last block's output into logits. Positions are
    learned. ``course.heads.record_attention`` collects the attention weights while it runs.

    Raises:
        ValueError: if the sizes do not fit one another.

    Source: Radford et al. 2018 (GPT), §3.1; Radford et al. 2019 (GPT-2), §2.3; lecture row L1.6.a.
    """

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.positions = LearnedPositions(config.max_length, config.d_model)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(GPTBlock(config) for _ in range(config.n_layers))
        self.norm = LayerNorm(config.d_model, config.eps)
        _initialise(self)

    # -- from ids to logits --

    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        """The tokens' vectors, plus those of the positions ``start``, ``start + 1``, ...

        ``self.embedding(ids)`` gives the tokens' vectors, ``self.positions(n)`` the first n positions'.

        Raises:
            ValueError: if there are more positions than ``max_length``.
        """
        return self.embedding(ids) + self.positions(start + ids.shape[-1])[start:]

    def hidden_states(self, ids: Int[Tensor, "*batch n"]) -> list[Float[Tensor, "*batch n d_model"]]:
        """What enters the first block, what leaves each block but the last, and the last's output, normed.

        Raises:
            ValueError: if there are more positions than ``max_length``.
        """
        mask = causal_mask(ids.shape[-1]).to(ids.device)
        states = [self.dropout(self.embed(ids))]
        for block in self.blocks:
            states.append(block(states[-1], mask))
        return [*states[:-1], self.norm(states[-1])]

    def logits(self, x: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch vocab"]:
        """The last hidden state against every token's embedding."""
        return F.linear(x, self.embedding.weight)

    def forward(self, ids: Int[Tensor, "*batch n"]) -> Float[Tensor, "*batch n vocab"]:
        """Logits: at each position, of the token that comes next.

        Raises:
            ValueError: if there are more positions than ``max_length``.
        """
        return self.logits(self.hidden_states(ids)[-1])

    def loss(self, ids: Int[Tensor, "batch n"], targets: Int[Tensor, "batch n"]) -> Float[Tensor, ""]:
        """The mean cross-entropy of the targets, in nats a token.

        Args:
            targets: at each position the token that comes next, ``ids`` moved on by one; ``IGNORED`` where
                the prediction does not count.

        Source: Radford et al. 2018 (GPT), equation 1.
        """
        logits = self(ids).float()  # in mixed precision bfloat16, too coarse for ln p
        return F.cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=IGNORED)

    # -- writing --

    def caches(self) -> list[KeyValueCache]:
        """An empty cache for each block."""
        return [KeyValueCache() for _ in self.blocks]

    @torch.no_grad()
    def step(
        self, ids: Int[Tensor, "*batch new"], caches: Sequence[KeyValueCache]
    ) -> Float[Tensor, "*batch vocab"]:
        """Read new tokens behind those in the caches, which they join: logits of the token after the last.

        Nothing is dropped out, also in training.

        Raises:
            ValueError: if there are then more positions than ``max_length``.
        """
        start, new = len(caches[0]), ids.shape[-1]
        x = self.embed(ids, start)
        mask = None if new == 1 else causal_mask(start + new)[start:].to(ids.device)  # the newest sees all
        for block, cache in zip(self.blocks, caches, strict=True):
            x = block.step(x, cache, mask)
        return self.logits(self.norm(x[..., -1, :]))

    def generate(
        self,
        prompt: Sequence[int],
        max_new_tokens: int = 100,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        stop: int | Collection[int] = (),
        seed: int | None = None,
        cache: bool = True,
    ) -> list[int]:
        """Write on from a prompt: the new tokens alone. Arguments and errors are those of ``stream``."""
        return list(self.stream(prompt, max_new_tokens, temperature, top_k, top_p, stop, seed, cache))

    def stream(
        self,
        prompt: Sequence[int],
        max_new_tokens: int = 100,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        stop: int | Collection[int] = (),
        seed: int | None = None,
        cache: bool = True,
    ) -> Iterator[int]:
        """Write on from a prompt, and give each token as it is written.

        A text that outgrows ``max_length`` goes on: the model then sees its last ``max_length`` tokens alone,
        for which the cache is of no use, since each has another position than before.

        Args:
            prompt: token ids, at least one and at most ``max_length``; a batch of one prompt will do.
            max_new_tokens: how many to write at most.
            temperature, top_k, top_p: see ``course.text.sampling``; temperature 0 takes the likeliest token.
            stop: an id, or several: the first of these tokens to be written is the last.
            seed: the same seed, the same tokens; None means another text every time.
            cache: keep keys and values of what was read; without, compute them anew for every token. A model
                that is no longer as shipped (a module subclassed, swapped, hooked or patched) is called for
                every token, ``self(ids)``, so that its modules do what they do.

        Raises:
            TypeError: if the prompt is not a sequence of ids, or a setting is of another kind.
            ValueError: if it is empty or too long or holds no token's id, or a setting is out of range.

        Source: lecture rows L1.6.a, L1.6.c.
        """
        written = checked_prompt(prompt, self.config.vocab_size, self.config.max_length)
        check_sampling(temperature, top_k, top_p)
        max_new_tokens, chance = checked_count(max_new_tokens, "max_new_tokens"), generator(seed)

        def choose(logits: Float[Tensor, "vocab"]) -> int:
            return int(sample(logits.cpu(), temperature, top_k, top_p, chance))

        return self._write(written, max_new_tokens, choose, checked_stop(stop), cache)

    def _write(
        self,
        written: list[int],
        max_new_tokens: int,
        choose: Callable[[Tensor], int],
        stop: Collection[int],
        cache: bool,
    ) -> Iterator[int]:
        longest = self.config.max_length
        as_shipped = is_as_shipped(self, self._parts())
        reader = self._reader(min(len(written) + max_new_tokens, longest)) if cache and as_shipped else None
        for _ in range(max_new_tokens):
            if reader is not None and len(written) <= longest:
                logits = reader(written[len(reader) :])
            else:
                logits = self._logits_of_next(written[-longest:], as_shipped)
            token = choose(logits)
            yield token
            if token in stop:
                return
            written = [*written, token]

    def _logits_of_next(self, ids: Sequence[int], as_shipped: bool) -> Float[Tensor, "vocab"]:
        """Read all of it anew: as a model that was changed does itself, all positions' logits included."""
        window = torch.tensor([ids], device=next(self.parameters()).device)
        if as_shipped:
            return self.step(window, self.caches())[0]
        with without_dropout(self):
            return self(window)[0, -1]

    def _parts(self) -> Mapping[str, type]:
        """The class of each module, by its name, with "*" for a block's number."""
        return PARTS

    def _reader(self, length: int) -> Callable[[Sequence[int]], Tensor]:
        """Reads on, and gives the logits of the next token; its length is the number of tokens read."""
        return Reader(self, length)

    # -- files --

    def save(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write config.json and model.safetensors as GPT-2 has them: transformers reads them too.

        Args:
            dtype: what to store the weights as; ``torch.float16`` takes half the space. None: as they are.
        """
        state = self.state_dict()
        for number, block in enumerate(self.blocks):
            packed = block.self_attention.torch_state_dict()
            state |= {f"blocks.{number}.self_attention.{name}": tensor for name, tensor in packed.items()}
        weights = weights_to_gpt2(state, len(self.blocks))
        settings = config_to_gpt2(asdict(self.config))
        write_checkpoint(folder, settings, weights, dtype, metadata={"format": "pt"})

    @classmethod
    def from_pretrained(cls, name: str | Path) -> "GPT":
        """GPT-2's weights from a folder, a shipped checkpoint or the Hugging Face hub, ready to write.

        Args:
            name: a folder with config.json and model.safetensors, the name of a shipped checkpoint, or the
                hub's name of one, such as "openai-community/gpt2" (downloaded once, then cached).

        Raises:
            ValueError: if it is another architecture, or a variant of GPT-2 that is not supported, or a file
                is damaged or does not fit the other.
            OSError: if there is no such checkpoint, or it cannot be downloaded now.
        """
        file, weights_file = (checkpoints.find_file(name, f) for f in ("config.json", "model.safetensors"))
        settings = read_settings(file)
        config = configured(GPTConfig, config_from_gpt2(settings), file, SETTINGS)
        weights = read_weights(weights_file)
        check_layers(config.n_layers, weights, weights_file)
        model = build(lambda: cls(config), weights_from_gpt2(weights, config.n_layers), weights_file)
        model._scale_scores(settings)
        return model

    @torch.no_grad()
    def _scale_scores(self, settings: dict) -> None:
        """A factor on all scores of a layer is one on its queries: they take it in."""
        d_head = self.config.d_model // self.config.n_heads
        factors = score_factors(settings, d_head, len(self.blocks))
        for block, factor in zip(self.blocks, factors, strict=True):
            block.self_attention.q_proj.weight.mul_(factor)
            block.self_attention.q_proj.bias.mul_(factor)


# --------------------------------------------------------------------------------------------------
# Small parts
# --------------------------------------------------------------------------------------------------


def _initialise(model: GPT) -> None:
    """Normal weights of spread 0.02, smaller where 2 × n_layers sublayers add up in the residual stream.

    Source: Radford et al. 2018, §4.1; Radford et al. 2019, §2.3 ("a factor of 1/√N").
    """
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            adds = name.endswith(("out_proj.weight", "linear2.weight"))
            nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * model.config.n_layers) if adds else 0.02)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)


_LINEAR = (
    "self_attention.q_proj",
    "self_attention.k_proj",
    "self_attention.v_proj",
    "self_attention.out_proj",
)
PARTS = {
    "": GPT,
    "embedding": nn.Embedding,
    "positions": LearnedPositions,
    "positions.embedding": nn.Embedding,
    "dropout": nn.Dropout,
    "blocks": nn.ModuleList,
    "blocks.*": GPTBlock,
    "blocks.*.norm1": LayerNorm,
    "blocks.*.norm2": LayerNorm,
    "blocks.*.self_attention": MultiHeadAttention,
    **{f"blocks.*.{name}": nn.Linear for name in (*_LINEAR, "feed_forward.linear1", "feed_forward.linear2")},
    "blocks.*.self_attention.dropout": nn.Dropout,
    "blocks.*.feed_forward": FeedForward,
    "blocks.*.feed_forward.dropout": nn.Dropout,
    "blocks.*.dropout": nn.Dropout,
    "norm": LayerNorm,
}
"""The class of each module of a GPT as it is built."""

ship(PARTS.values())
