"""BERT: an encoder that sees the whole text at once, and what is put on top of it for each task."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from course import checkpoints
from course.attention import masked_softmax, scaled_dot_score
from course.blocks import EncoderBlock, LayerNorm
from course.checkpoints.reading import check_layers, configured, read_settings, read_weights, sketch
from course.checkpoints.writing import write_checkpoint
from course.heads import split_heads
from course.masks import is_known_true
from course.models import bert_files
from course.models.attention_pass import AttentionPass


@dataclass(frozen=True)
class BertConfig:
    """The sizes of a BERT; the defaults are those of BERT-base, uncased.

    Args:
        activation: of the feed-forward networks and the masked-LM head: "gelu", with the error function
            itself and not its approximation by tanh, or "relu".
        max_length: the longest input, in tokens, [CLS] and [SEP] included.
        n_segments: how many texts an input may consist of.
        n_labels: how many classes a classifier or tagger chooses from.
        head_dropout: of a classifier's or tagger's input; None means ``dropout``.
        pad_id: the token that no position attends to; None if there is no padding.

    Raises:
        ValueError: if the activation is unknown.

    Source: Devlin et al. 2019, §3 and appendix A.2.
    """

    vocab_size: int = 30522
    d_model: int = 768
    n_heads: int = 12
    d_ff: int = 3072
    n_layers: int = 12
    max_length: int = 512
    n_segments: int = 2
    dropout: float = 0.1
    attention_dropout: float = 0.1
    head_dropout: float | None = None
    activation: str = "gelu"
    eps: float = 1e-12  # of every norm
    pad_id: int | None = 0
    n_labels: int = 2

    def __post_init__(self) -> None:
        if self.activation not in ("gelu", "relu"):
            raise ValueError(f"a BERT's activation must be 'gelu' or 'relu'; got {self.activation!r}")


class PretrainedBert(nn.Module):
    """What the encoder and the models with a head share: their files, which are those of transformers."""

    architecture: str  # what transformers calls it

    def __init__(self, config: BertConfig):
        super().__init__()
        self.config = config

    def save(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write config.json and model.safetensors, as transformers does.

        Args:
            dtype: what to store the weights as; ``torch.float16`` takes half the space. None: as they are.
        """
        settings = bert_files.config_to_transformers(asdict(self.config), self.architecture)
        weights = {bert_files.transformers_name(name): x for name, x in self.state_dict().items()}
        write_checkpoint(folder, settings, weights, dtype, metadata={"format": "pt"})

    @classmethod
    def from_pretrained(cls, name: str | Path, *, new_head: bool = False, **changes) -> Self:
        """A BERT that ``save`` or transformers wrote to a folder, a shipped one, or one of the hub.

        Args:
            name: a folder, or "owner/model", such as "google-bert/bert-base-uncased".
            new_head: start what is missing above the encoder at random, to be fine-tuned.
            changes: what is to differ from the stored configuration, such as ``n_labels=3``.

        Returns:
            The model, ready for use: without dropout, until ``train()`` is called.

        Raises:
            OSError: if there is no such checkpoint, or it cannot be downloaded now.
            ValueError: if it is no BERT, a variant that is not supported, lacks parameters, or has
                them in other shapes.
        """
        file, weights_file = (checkpoints.find_file(name, f) for f in ("config.json", "model.safetensors"))
        settings = bert_files.config_from_transformers(read_settings(file))
        config = replace(configured(BertConfig, settings, file, bert_files.SETTINGS), **changes)
        stored = read_weights(weights_file)
        check_layers(config.n_layers, stored, weights_file)
        found = sketch(lambda: cls(config), weights_file)._found(stored, new_head, weights_file)
        model = cls(config)
        model.load_state_dict(found, strict=False)
        return model.eval()

    def _found(self, stored: dict[str, Tensor], new_head: bool, file: Path) -> dict[str, Tensor]:
        """The stored weights under the names used here."""
        names = {name: bert_files.stored_as(name, stored) for name in self.state_dict()}
        missing = [name for name, theirs in names.items() if theirs is None]
        body = [name for name in missing if not _above_encoder(name)]
        if body or (missing and not new_head):
            hint = "" if body else ". To start them at random and train them: new_head=True"
            raise ValueError(f"{file}: the checkpoint lacks {', '.join((body or missing)[:5])}{hint}")
        found = {name: stored[theirs] for name, theirs in names.items() if theirs is not None}
        if extra := sorted(bert_files.unexpected(set(stored) - set(names.values()))):
            raise ValueError(
                f"{file}: the checkpoint holds {', '.join(extra[:5])}, which this model has no place for: "
                "config.json is that of another model"
            )
        _check_shapes(self.state_dict(), found, file)
        return found


class Bert(PretrainedBert):
    """The encoder: each token's vector after it has attended to the whole text, on both sides of it.

    Source: Devlin et al. 2019, §3 and figures 1 and 2; lecture rows L1.6.h, L3.3.f.
    """

    architecture = "BertModel"

    def __init__(self, config: BertConfig, pooler: bool = True):
        super().__init__(config)
        self.tokens = nn.Embedding(config.vocab_size, config.d_model, padding_idx=config.pad_id)
        self.positions = nn.Embedding(config.max_length, config.d_model)
        self.segments = nn.Embedding(config.n_segments, config.d_model)
        self.norm = LayerNorm(config.d_model, config.eps)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(_block(config) for _ in range(config.n_layers))
        self.pooler = nn.Linear(config.d_model, config.d_model) if pooler else None
        self.apply(initialise)

    def embed(
        self, ids: Int[Tensor, "batch n"], segments: Int[Tensor, "batch n"] | None = None
    ) -> Float[Tensor, "batch n d_model"]:
        """The sum of the vectors of token, segment and position, normalised.

        Source: Devlin et al. 2019, figure 2.
        """
        _check_input(ids, segments, self.config)
        segment = self.segments.weight[0] if segments is None else self.segments(segments)
        x = self.tokens(ids) + segment + self.positions.weight[: ids.shape[-1]]
        return self.dropout(self.norm(x))

    def forward(
        self,
        ids: Int[Tensor, "batch n"],
        segments: Int[Tensor, "batch n"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "batch n d_model"]:
        """What the last block makes of each token.

        Args:
            ids: [CLS], the text, [SEP], perhaps a second text and [SEP], then padding.
            segments: 0 for the tokens of the first text, 1 for those of the second; None means all 0.
            mask: what each position may attend to, in any of the shapes that ``MultiHeadAttention`` takes;
                None means everything but padding.

        Raises:
            ValueError: if there are more positions than ``max_length``, or shapes differ.
        """
        x, mask = self.embed(ids, segments), self._mask(ids, mask)
        for block in self.layers:
            x = block(x, mask)
        return x

    def hidden_states(
        self,
        ids: Int[Tensor, "batch n"],
        segments: Int[Tensor, "batch n"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
    ) -> list[Float[Tensor, "batch n d_model"]]:
        """The embeddings and what each block makes of them: one more than there are blocks."""
        states, mask = [self.embed(ids, segments)], self._mask(ids, mask)
        for block in self.layers:
            states.append(block(states[-1], mask))
        return states

    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        """One vector a text: tanh of a linear map, ``self.pooler``, of what became of token 0, [CLS]."""
        return torch.tanh(self.pooler(x[:, 0]))

    @torch.no_grad()
    def attend(
        self,
        ids: Int[Tensor, "n"],
        tokens: Sequence[str],
        segments: Int[Tensor, "n"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
    ) -> AttentionPass:
        """The attention of every layer and head over one input, without dropout of weights, for the explorer.

        Args:
            tokens: how each of the ids is to be shown.
            mask: as for ``forward``, for a batch of one.
        """
        ids, segments = ids[None], None if segments is None else segments[None]
        heads, mask = self.config.n_heads, self._mask(ids, mask)
        mask = None if mask is None else mask.expand(1, heads, ids.shape[-1], ids.shape[-1])
        inputs = self.hidden_states(ids, segments, mask)[:-1]  # post-norm: attention reads a block's input
        read = [(block.self_attention, x) for block, x in zip(self.layers, inputs, strict=True)]
        query = torch.cat([split_heads(attention.q_proj(x), heads) for attention, x in read])
        key = torch.cat([split_heads(attention.k_proj(x), heads) for attention, x in read])
        weights = masked_softmax(scaled_dot_score(query, key), mask)
        mask = None if mask is None else mask.cpu()
        return AttentionPass(tokens, weights.cpu(), query=query.cpu(), key=key.cpu(), mask=mask)

    def _mask(self, ids: Tensor, mask: Tensor | None) -> Tensor | None:
        """The mask that was given, or else one that hides padding (None where there is none)."""
        if mask is not None or self.config.pad_id is None:
            return mask
        real = (ids != self.config.pad_id).unsqueeze(1)  # [batch, 1, n]
        return None if is_known_true(real) else real


# --------------------------------------------------------------------------------------------------
# Small parts
# --------------------------------------------------------------------------------------------------


def _block(config: BertConfig) -> EncoderBlock:
    """A post-norm block with a dropout rate of its own for attention weights, and none for hidden units."""
    sizes = config.d_model, config.n_heads, config.d_ff
    block = EncoderBlock(*sizes, config.dropout, norm="post", activation=config.activation)
    block.self_attention.dropout.p, block.feed_forward.dropout.p = config.attention_dropout, 0.0
    block.norm1.eps = block.norm2.eps = config.eps
    return block


def linear(d_in: int, d_out: int) -> nn.Linear:
    """A linear map that begins as all of BERT's do."""
    made = nn.Linear(d_in, d_out)
    initialise(made)
    return made


@torch.no_grad()
def initialise(module: nn.Module) -> None:
    """Weights from N(0, 0.02²), biases and the padding's vector 0 (Devlin et al. 2019, the authors' code)."""
    if isinstance(module, nn.Linear | nn.Embedding):
        module.weight.normal_(std=0.02)
    if isinstance(module, nn.Linear):
        module.bias.zero_()
    if isinstance(module, nn.Embedding) and module.padding_idx is not None:
        module.weight[module.padding_idx].zero_()


def _above_encoder(name: str) -> bool:
    body = ("tokens.", "positions.", "segments.", "norm.", "layers.")
    return not name.removeprefix("bert.").startswith(body)


def _check_shapes(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor], file: Path) -> None:
    for name, tensor in found.items():
        if tensor.shape != wanted[name].shape:
            raise ValueError(
                f"{file}: the checkpoint has {name} of shape {list(tensor.shape)}, and config.json asks for "
                f"{list(wanted[name].shape)}. For other labels, start from a checkpoint without this head"
            )


def _check_input(ids: Tensor, segments: Tensor | None, config: BertConfig) -> None:
    if ids.shape[-1] > config.max_length:
        raise ValueError(
            f"this model has {config.max_length} positions (max_length); got {ids.shape[-1]} tokens"
        )
    if segments is not None and segments.shape != ids.shape:
        raise ValueError(
            f"every token has one segment; got {list(ids.shape)} ids and {list(segments.shape)} segments"
        )
