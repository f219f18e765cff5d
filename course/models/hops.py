"""A sentence as a few weighted sums of its words' states: the self-attentive embedding of Lin et al.

The first "self-attention" of that name: the queries are not the words themselves, but r learned vectors,
the same for every sentence.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course import checkpoints
from course.attention import masked_softmax, weighted_sum
from course.checkpoints.reading import build, configured, read_settings, read_weights
from course.checkpoints.writing import write_checkpoint
from course.models.toy_attention import split_words

PAD, UNKNOWN = 0, 1


def attention_hops(
    states: Float[Tensor, "*batch word d_states"],
    w1: Float[Tensor, "d_hidden d_states"],
    w2: Float[Tensor, "hop d_hidden"],
    mask: Bool[Tensor, "*batch word"] | None = None,
) -> tuple[Float[Tensor, "*batch hop d_states"], Float[Tensor, "*batch hop word"]]:
    """r weighted sums of a sentence's states, and their weights: A = softmax(W₂ tanh(W₁ Hᵀ)), M = A H.

    Args:
        mask: True for words, False for padding.

    Raises:
        TypeError, ValueError: as ``course.attention.masked_softmax``.

    Source: Lin et al. 2017, equations 6 and 7; lecture row L1.3.e.
    """
    scores = (torch.tanh(states @ w1.mT) @ w2.mT).mT  # [*batch, hop, word]
    weights = masked_softmax(scores, None if mask is None else mask.unsqueeze(-2))
    return weighted_sum(weights, states), weights


def hops_penalty(weights: Float[Tensor, "*batch hop word"]) -> Float[Tensor, "*batch"]:
    """‖A Aᵀ - I‖²_F for each sentence: 0 when every hop looks at one word, and no two at the same.

    Off the diagonal it counts how far two hops look at the same words; on it, how far one spreads.

    Source: Lin et al. 2017, equation 8; lecture row L1.3.e.
    """
    overlap = weights @ weights.mT  # [*batch, hop, hop]
    return (overlap - torch.eye(weights.shape[-2]).to(weights)).square().sum(dim=(-2, -1))


@dataclass(frozen=True)
class HopsConfig:
    """Sizes of the classifier; ``n_words`` includes padding and the unknown word."""

    n_words: int
    n_classes: int = 2
    d_embedding: int = 48
    d_states: int = 64
    d_hidden: int = 32
    hops: int = 4
    dropout: float = 0.4


class HopsClassifier(nn.Module):
    """A bidirectional LSTM, r hops over its states, one linear map on the hops side by side.

    Args:
        words: every word it knows; number 0 is padding, 1 stands for the others.

    Source: Lin et al. 2017, §2; lecture row L1.3.e.
    """

    def __init__(self, config: HopsConfig, words: list[str]):
        super().__init__()
        self.config, self.words = config, list(words)
        self.number = {word: i for i, word in enumerate(self.words)}
        self.embedding = nn.Embedding(config.n_words, config.d_embedding, padding_idx=PAD)
        self.lstm = nn.LSTM(config.d_embedding, config.d_states // 2, batch_first=True, bidirectional=True)
        self.w1 = nn.Parameter(torch.empty(config.d_hidden, config.d_states))
        self.w2 = nn.Parameter(torch.empty(config.hops, config.d_hidden))
        self.classify = nn.Linear(config.hops * config.d_states, config.n_classes)
        self.dropout = nn.Dropout(config.dropout)
        for weight in (self.w1, self.w2):
            nn.init.xavier_uniform_(weight)

    def forward(
        self, ids: Int[Tensor, "batch word"]
    ) -> tuple[Float[Tensor, "batch class"], Float[Tensor, "batch hop word"]]:
        """Logits and weights; padding is neither read nor looked at."""
        mask = ids != PAD
        packed = pack_padded_sequence(
            self.dropout(self.embedding(ids)), mask.sum(1).cpu(), batch_first=True, enforce_sorted=False
        )
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=ids.shape[1])
        sums, weights = attention_hops(states, self.w1, self.w2, mask)
        return self.classify(self.dropout(sums.flatten(1))), weights

    def loss(
        self, ids: Int[Tensor, "batch word"], labels: Int[Tensor, "batch"], penalty: float = 0.0
    ) -> Float[Tensor, ""]:
        """Cross-entropy, and so many times the mean penalty."""
        logits, weights = self(ids)
        return F.cross_entropy(logits, labels) + penalty * hops_penalty(weights).mean()

    def ids(self, text: str) -> Int[Tensor, "word"]:
        """A text's words as numbers, in lower case.

        Raises:
            ValueError: if there are none.
        """
        words = split_words(text.lower())
        if not words:
            raise ValueError(f"there is no word in {text!r}")
        return torch.tensor([self.number.get(word, UNKNOWN) for word in words])

    @torch.no_grad()
    def look(self, text: str) -> tuple[list[str], Float[Tensor, "hop word"], Float[Tensor, "class"]]:
        """A text's words, where each hop looks, and the probability of each class."""
        was, _ = self.training, self.eval()
        logits, weights = self(self.ids(text)[None])
        self.train(was)
        return split_words(text.lower()), weights[0], logits[0].softmax(-1)

    def save(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write config.json (sizes and words) and model.safetensors."""
        settings = {"sizes": asdict(self.config), "words": self.words}
        write_checkpoint(folder, settings, self.state_dict(), dtype, indent=None)

    @classmethod
    def from_pretrained(cls, name: str | Path) -> "HopsClassifier":
        """A classifier that ``save`` wrote, or a shipped one by its name.

        Raises:
            FileNotFoundError: if there is no such checkpoint.
            ValueError: if it is of another kind, or a file is damaged or does not fit the other.
        """
        file, weights_file = (checkpoints.find_file(name, f) for f in ("config.json", "model.safetensors"))
        found = read_settings(file)
        if set(found) != {"sizes", "words"} or not isinstance(found["sizes"], dict):
            raise ValueError(f"{file} is of another kind of model: it should hold sizes and words")
        config = configured(HopsConfig, found["sizes"], file)
        return build(lambda: cls(config, found["words"]), read_weights(weights_file), weights_file)
