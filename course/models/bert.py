"""BERT: an encoder that sees the whole text at once, and what is put on top of it for each task."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from course import checkpoints
from course.attention import masked_softmax, scaled_dot_score, split_heads
from course.blocks import ACTIVATIONS, EncoderBlock, LayerNorm
from course.masking import IGNORED
from course.masks import causal_mask
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


class _Pretrained(nn.Module):
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
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        settings = bert_files.config_to_transformers(asdict(self.config), self.architecture)
        text = json.dumps(settings, indent=2) + "\n"
        (folder / "config.json").write_text(text, encoding="utf-8", newline="\n")
        state = self.state_dict()
        weights = {bert_files.transformers_name(name): x.to(dtype or x.dtype) for name, x in state.items()}
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})

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
        settings = json.loads(checkpoints.find_file(name, "config.json").read_text(encoding="utf-8"))
        config = replace(BertConfig(**bert_files.config_from_transformers(settings)), **changes)
        model = cls(config)
        model._load(load_file(checkpoints.find_file(name, "model.safetensors")), new_head)
        return model.eval()

    def _load(self, stored: dict[str, Tensor], new_head: bool) -> None:
        names = {name: bert_files.stored_as(name, stored) for name in self.state_dict()}
        missing = [name for name, theirs in names.items() if theirs is None]
        body = [name for name in missing if not _above_encoder(name)]
        if body or (missing and not new_head):
            hint = "" if body else ". To start them at random and train them: new_head=True"
            raise ValueError(f"the checkpoint lacks {', '.join(body or missing)}{hint}")
        found = {name: stored[theirs] for name, theirs in names.items() if theirs is not None}
        _check_shapes(self.state_dict(), found)
        self.load_state_dict(found, strict=False)


class Bert(_Pretrained):
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
        self.apply(_initialise)

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
        """One vector for the whole input: tanh of a linear map of what became of [CLS]."""
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
        return None if real.all() else real


# --------------------------------------------------------------------------------------------------
# Pre-training
# --------------------------------------------------------------------------------------------------


class MaskedLMHead(nn.Module):
    """Linear map, activation and norm; then the product with every token's embedding, plus a bias a token.

    Source: Devlin et al. 2019, §3.1 (task 1), and the authors' code.
    """

    def __init__(self, config: BertConfig):
        super().__init__()
        self.linear = nn.Linear(config.d_model, config.d_model)
        self.norm = LayerNorm(config.d_model, config.eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.activation = ACTIVATIONS[config.activation]
        self.apply(_initialise)

    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        """The logits of every token, at each place."""
        return F.linear(self.norm(self.activation(self.linear(x))), embedding, self.bias)

    def loss(
        self,
        x: Float[Tensor, "*batch d_model"],
        embedding: Float[Tensor, "vocab d_model"],
        labels: Int[Tensor, "*batch"],
    ) -> Float[Tensor, ""]:
        """The mean cross-entropy of the labels that are not -100, in nats a token."""
        chosen = labels != IGNORED  # only there are the logits worth their cost
        logits = self(x[chosen], embedding).float()  # in mixed precision bfloat16, too coarse for ln p
        return F.cross_entropy(logits, labels[chosen])


class _BertWithHead(_Pretrained):
    """An encoder, ``bert``, under a head. ``forward`` and ``loss`` take its ids, segments and mask."""

    pooled = True  # whether the head reads the pooled vector

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.bert = Bert(config, pooler=self.pooled)

    @property
    def architecture(self) -> str:
        """The class of transformers that has the same name."""
        return type(self).__name__


class BertForPreTraining(_BertWithHead):
    """BERT as it is pre-trained: to restore masked tokens, and to tell whether one text follows the other.

    Source: Devlin et al. 2019, §3.1 and figure 1 (left); lecture rows L1.6.h, L1.6.i, L3.3.a, L3.3.c.
    """

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.lm_head, self.next_head = MaskedLMHead(config), _linear(config.d_model, 2)

    def forward(
        self, ids: Int[Tensor, "batch n"], segments: Int[Tensor, "batch n"] | None = None, mask=None
    ) -> tuple[Float[Tensor, "batch n vocab"], Float[Tensor, "batch 2"]]:
        """The logits of every token at each position, and those of IS_NEXT and NOT_NEXT."""
        x, whole = self.read(ids, segments, mask)
        return self.lm_head(x, self.bert.tokens.weight), self.next_head(whole)

    @property
    def blocks(self) -> nn.ModuleList:
        """The encoder's blocks, which is where GPT has its own."""
        return self.bert.layers

    def read(
        self, ids: Int[Tensor, "batch n"], segments: Int[Tensor, "batch n"] | None = None, mask=None
    ) -> tuple[Float[Tensor, "batch n d_model"], Float[Tensor, "batch d_model"]]:
        """What the last block makes of each token, and one vector for the whole input."""
        x = self.bert(ids, segments, mask)
        return x, self.bert.pool(x)

    def loss(
        self,
        ids: Int[Tensor, "batch n"],
        labels: Int[Tensor, "batch n"],
        next_labels: Int[Tensor, "batch"],
        segments: Int[Tensor, "batch n"] | None = None,
        mask=None,
    ) -> Float[Tensor, ""]:
        """The sum of the two tasks' mean cross-entropies, in nats.

        Args:
            next_labels: IS_NEXT or NOT_NEXT; -100 for an input that is no pair. Where none is, that task
                has no loss.

        Source: Devlin et al. 2019, appendix A.2.
        """
        x, whole = self.read(ids, segments, mask)
        of_tokens, pairs = self.lm_head.loss(x, self.bert.tokens.weight, labels), next_labels != IGNORED
        if not pairs.any():
            return of_tokens
        return of_tokens + F.cross_entropy(self.next_head(whole[pairs]).float(), next_labels[pairs])


class CausalBert(BertForPreTraining):
    """BERT's twin that reads one way: the same parameters under a causal mask.

    Its labels are the next tokens. Only at an input's last token has it read everything: from there, and not
    from [CLS], it tells whether one text follows the other. Its files are those of ``BertForPreTraining``.

    Source: the left-to-right model of Devlin et al. 2019, §5.1; lecture row L3.3.f.
    """

    architecture = "BertForPreTraining"

    def read(
        self, ids: Int[Tensor, "batch n"], segments: Int[Tensor, "batch n"] | None = None, mask=None
    ) -> tuple[Float[Tensor, "batch n d_model"], Float[Tensor, "batch d_model"]]:
        """What the last block makes of each token and those before it, and a vector of the last token.

        Args:
            mask: what else may not be attended to; padding stands behind the text, where nothing sees it.
        """
        causal = causal_mask(ids.shape[-1]).to(ids.device)
        x = self.bert(ids, segments, causal if mask is None else causal & mask)
        real = torch.ones_like(ids) if self.config.pad_id is None else ids != self.config.pad_id
        return x, self.bert.pool(x[torch.arange(len(x)), real.sum(dim=-1) - 1].unsqueeze(1))


class BertForMaskedLM(_BertWithHead):
    """BERT that restores masked tokens.

    Source: Devlin et al. 2019, §3.1 (task 1); lecture rows L1.6.h, L3.3.a, L3.10.a.
    """

    pooled = False

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.lm_head = MaskedLMHead(config)

    def forward(
        self, ids: Int[Tensor, "batch n"], segments: Int[Tensor, "batch n"] | None = None, mask=None
    ) -> Float[Tensor, "batch n vocab"]:
        """The logits of every token at each position."""
        return self.lm_head(self.bert(ids, segments, mask), self.bert.tokens.weight)

    def loss(
        self,
        ids: Int[Tensor, "batch n"],
        labels: Int[Tensor, "batch n"],
        segments: Int[Tensor, "batch n"] | None = None,
        mask=None,
    ) -> Float[Tensor, ""]:
        """The mean cross-entropy of the labels that are not -100, in nats a token."""
        return self.lm_head.loss(self.bert(ids, segments, mask), self.bert.tokens.weight, labels)


# --------------------------------------------------------------------------------------------------
# Tasks
# --------------------------------------------------------------------------------------------------


class _Task(_BertWithHead):
    """A head whose logits are scored against labels by cross-entropy."""

    def loss(
        self,
        ids: Int[Tensor, "batch n"],
        labels: Int[Tensor, "batch *n"],
        segments: Int[Tensor, "batch n"] | None = None,
        mask=None,
    ) -> Float[Tensor, ""]:
        """The mean cross-entropy of the labels that are not -100, in nats."""
        logits = self(ids, segments, mask)
        return F.cross_entropy(logits.flatten(0, -2), labels.flatten(), ignore_index=IGNORED)


class BertForNextSentencePrediction(_Task):
    """BERT that tells whether the second text follows the first.

    Source: Devlin et al. 2019, §3.1 (task 2); lecture rows L1.6.i, L3.3.c.
    """

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.next_head = _linear(config.d_model, 2)

    def forward(
        self, ids: Int[Tensor, "batch n"], segments: Int[Tensor, "batch n"] | None = None, mask=None
    ) -> Float[Tensor, "batch 2"]:
        """The logits of IS_NEXT and NOT_NEXT."""
        return self.next_head(self.bert.pool(self.bert(ids, segments, mask)))


class BertForSequenceClassification(_Task):
    """BERT that puts a text, or with segments a pair of texts, into one of ``n_labels`` classes.

    Source: Devlin et al. 2019, figure 4 (a) and (b); lecture row L3.3.d.
    """

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.head_dropout = _head_dropout(config)
        self.label_head = _linear(config.d_model, config.n_labels)

    def forward(
        self, ids: Int[Tensor, "batch n"], segments: Int[Tensor, "batch n"] | None = None, mask=None
    ) -> Float[Tensor, "batch labels"]:
        """The logits of each class."""
        return self.label_head(self.head_dropout(self.bert.pool(self.bert(ids, segments, mask))))


class BertForTokenClassification(_Task):
    """BERT that puts every token into one of ``n_labels`` classes: names of persons, of places, ...

    Source: Devlin et al. 2019, figure 4 (d); lecture row L3.3.d.
    """

    pooled = False

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.head_dropout = _head_dropout(config)
        self.label_head = _linear(config.d_model, config.n_labels)

    def forward(
        self, ids: Int[Tensor, "batch n"], segments: Int[Tensor, "batch n"] | None = None, mask=None
    ) -> Float[Tensor, "batch n labels"]:
        """The logits of each class, for every token."""
        return self.label_head(self.head_dropout(self.bert(ids, segments, mask)))


class BertForQuestionAnswering(_BertWithHead):
    """BERT that finds the answer to a question in a text: the span from one token to another.

    Source: Devlin et al. 2019, §4.2 and figure 4 (c); lecture row L3.3.d.
    """

    pooled = False

    def __init__(self, config: BertConfig):
        super().__init__(replace(config, n_labels=2))  # transformers counts the two scores as labels
        self.span_head = _linear(config.d_model, 2)

    def forward(
        self, ids: Int[Tensor, "batch n"], segments: Int[Tensor, "batch n"] | None = None, mask=None
    ) -> tuple[Float[Tensor, "batch n"], Float[Tensor, "batch n"]]:
        """How much speaks for each token as the first of the answer, and as the last."""
        start, end = self.span_head(self.bert(ids, segments, mask)).unbind(dim=-1)
        return start, end

    def loss(
        self,
        ids: Int[Tensor, "batch n"],
        first: Int[Tensor, "batch"],
        last: Int[Tensor, "batch"],
        segments: Int[Tensor, "batch n"] | None = None,
        mask=None,
    ) -> Float[Tensor, ""]:
        """The mean cross-entropy of the true first and last tokens, in nats."""
        start, end = self(ids, segments, mask)
        return (F.cross_entropy(start, first) + F.cross_entropy(end, last)) / 2


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


def _linear(d_in: int, d_out: int) -> nn.Linear:
    linear = nn.Linear(d_in, d_out)
    _initialise(linear)
    return linear


def _head_dropout(config: BertConfig) -> nn.Dropout:
    return nn.Dropout(config.dropout if config.head_dropout is None else config.head_dropout)


@torch.no_grad()
def _initialise(module: nn.Module) -> None:
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


def _check_shapes(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    for name, tensor in found.items():
        if tensor.shape != wanted[name].shape:
            raise ValueError(
                f"the checkpoint has {name} of shape {list(tensor.shape)}, and the configuration asks for "
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
