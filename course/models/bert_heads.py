"""What is put on top of BERT: the heads it is pre-trained with, and one for each kind of task."""

from dataclasses import replace

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from course.blocks import ACTIVATIONS, LayerNorm
from course.masking import IGNORED
from course.masks import causal_mask
from course.models.bert import Bert, BertConfig, PretrainedBert, initialise, linear


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
        self.apply(initialise)

    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        """The logits of every token, at each place.

        The head's parts are ``self.linear``, ``self.activation``, ``self.norm`` and ``self.bias``.

        Args:
            embedding: the vector of each token of the vocabulary; it learns from here, too.
        """
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


class _BertWithHead(PretrainedBert):
    """An encoder, ``bert``, under a head. ``forward`` and ``loss`` take its ids, segments and mask."""

    pooled = True  # whether the head reads the pooled vector

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.bert = Bert(config, pooler=self.pooled)

    @property
    def architecture(self) -> str:
        """The class of transformers that has the same name."""
        return type(self).__name__


# --------------------------------------------------------------------------------------------------
# Pre-training
# --------------------------------------------------------------------------------------------------


class BertForPreTraining(_BertWithHead):
    """BERT as it is pre-trained: to restore masked tokens, and to tell whether one text follows the other.

    Source: Devlin et al. 2019, §3.1 and figure 1 (left); lecture rows L1.6.h, L1.6.i, L3.3.a, L3.3.c.
    """

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.lm_head, self.next_head = MaskedLMHead(config), linear(config.d_model, 2)

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
        self.next_head = linear(config.d_model, 2)

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
        self.label_head = linear(config.d_model, config.n_labels)

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
        self.label_head = linear(config.d_model, config.n_labels)

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
        self.span_head = linear(config.d_model, 2)

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


def _head_dropout(config: BertConfig) -> nn.Dropout:
    return nn.Dropout(config.dropout if config.head_dropout is None else config.head_dropout)
