"""What training a GPT or a BERT costs, from its sizes: parameters, operations, memory, time, energy (L3.6.f).

The formulas are held against what runs of our own took (``course.studies.measured``), and against what papers
say of theirs (``PUBLISHED``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from course.models.bert import BertConfig
from course.models.gpt import GPTConfig
from course.studies.flops import block_flops

YEAR = 365.25 * 24 * 3600


@dataclass(frozen=True)
class Sizes:
    """What the cost of a model depends on.

    Args:
        length: the longest input, in tokens.
        d_ff: width of the hidden layer; None means 4 × ``d_model``.
        kind: "gpt", whose last block's output goes against every token's embedding, or "bert", which has
            segments, a pooler and a head for hidden tokens besides.
        hidden: the share of tokens that are predicted: all of a GPT's, 0.15 of a BERT's.
    """

    n_layers: int
    d_model: int
    vocab_size: int
    length: int
    d_ff: int | None = None
    kind: str = "gpt"
    hidden: float = 1.0

    @property
    def ff(self) -> int:
        """The width of the hidden layer."""
        return self.d_ff or 4 * self.d_model


def sizes_of(config: GPTConfig | BertConfig) -> Sizes:
    """Those of a model of the course."""
    gpt = isinstance(config, GPTConfig)
    return Sizes(
        config.n_layers, config.d_model, config.vocab_size, config.max_length, config.d_ff,
        "gpt" if gpt else "bert", 1.0 if gpt else 0.15,
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------
# Parameters and operations
# --------------------------------------------------------------------------------------------------


def parameters(sizes: Sizes) -> int:
    """How many numbers the model learns; the matrix of the embeddings, which serves twice, counted once.

    Source: Radford et al. 2019, §2.3; Devlin et al. 2019, §3.
    """
    d, f, vocab = sizes.d_model, sizes.ff, sizes.vocab_size
    block = 4 * (d * d + d) + (2 * d * f + f + d) + 4 * d  # attention, feed-forward, two norms
    whole = sizes.n_layers * block + (vocab + sizes.length) * d + 2 * d  # and one norm more
    if sizes.kind == "gpt":
        return whole
    pooler, head, next_head = d * d + d, d * d + d + 2 * d + vocab, 2 * d + 2
    return whole + 2 * d + pooler + head + next_head  # two segments


def gpt_training_flops(
    n_layers: int, d_model: int, d_ff: int, vocab_size: int, length: int, tokens: int
) -> float:
    """Floating-point operations of training a GPT on so many tokens, in windows of ``length``.

    Of every token, forward: in each block four d_model × d_model products (queries, keys, values, output),
    the scores with all ``length`` positions and the sum of their values, and the two products of the
    feed-forward network; in the end one product with every token's embedding. A multiplication and its
    addition are 2 operations. What a causal mask hides is computed and counted; looking an embedding up is
    no product. The way back takes twice as much as the way forward.

    Source: Kaplan et al. 2020, §2.1, with the attention and without leaving the logits out; lecture row
    L3.6.f.
    """
    block = 8 * d_model**2 + 4 * d_model * length + 4 * d_model * d_ff
    return 3.0 * tokens * (n_layers * block + 2 * d_model * vocab_size)


def training_flops(sizes: Sizes, tokens: float, length: int | None = None) -> float:
    """As ``gpt_training_flops``; a BERT's logits are those of its hidden tokens alone.

    Args:
        length: tokens of a window, where that is less than the longest input.
    """
    n, d = length or sizes.length, sizes.d_model
    forward = sizes.n_layers * block_flops(d, sizes.ff, n, n) / n
    head = sizes.hidden * 2 * d * sizes.vocab_size
    if sizes.kind == "bert":
        head += sizes.hidden * 2 * d * d + 2 * d * (d + 2) / n  # the head's own map; the pooler, once a text
    return 3.0 * tokens * (forward + head)


# --------------------------------------------------------------------------------------------------
# Memory
# --------------------------------------------------------------------------------------------------


class Memory(NamedTuple):
    """Bytes of each kind, while one batch is learned from."""

    weights: int
    gradients: int
    moments: int
    activations: int

    @property
    def peak(self) -> int:
        """The most at one time: gradients come as activations go, so the larger of the two counts."""
        return self.weights + self.moments + max(self.gradients, self.activations)


def training_memory(sizes: Sizes, batch: int, bfloat16: bool = False, length: int | None = None) -> Memory:
    """What an update by AdamW of a batch of windows keeps in memory, without dropout.

    Weights, gradients and two moments are of 4 bytes each, also where the loss is computed in bfloat16.
    Activations are what the way back needs, at its beginning, when all of them are still there:

    - in each block, of every token, what the norms and the linear maps were given, queries, keys and values,
      what attention gave, and the hidden layer before and after its activation; the scores are not kept (a
      fused kernel works them out again);
    - of every token predicted, three rows as long as the vocabulary: ln p, and its gradient twice.

    In bfloat16 most of the first kind takes 2 bytes instead of 4, but what is converted is there twice over:
    the norms' input (4 bytes), three copies of what goes into queries, keys and values, and the weights.
    """
    n, d, f = length or sizes.length, sizes.d_model, sizes.ff
    tokens, count = batch * n, parameters(sizes)
    if bfloat16:
        block, ends = 2 * (13 * d + 2 * f), 2 * 8 * d
        logits, copies = 14 * sizes.vocab_size, 2 * count
    else:
        block, ends = 4 * (9 * d + 2 * f), 4 * 3 * d
        logits, copies = 12 * sizes.vocab_size, 0
    kept = tokens * (sizes.n_layers * block + ends + sizes.hidden * logits) + copies
    return Memory(4 * count, 4 * count, 8 * count, int(kept))


# --------------------------------------------------------------------------------------------------
# Time and energy
# --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bill:
    """What a training run comes to."""

    parameters: int
    flops: float
    memory: Memory
    seconds: float
    kilowatt_hours: float


def bill(
    sizes: Sizes, tokens: float, flops_a_second: float, batch: int = 8, watts: float = 30.0,
    bfloat16: bool = False,
) -> Bill:  # fmt: skip
    """The whole cost, on a machine that sustains so many operations a second and draws so many watts.

    Energy is power × time and nothing else: no cooling, no chips that were made, no runs that failed.

    Raises:
        ValueError: if a number is not above 0.
    """
    for name, value in {
        "tokens": tokens,
        "flops_a_second": flops_a_second,
        "batch": batch,
        "watts": watts,
    }.items():
        if not value > 0:
            raise ValueError(f"{name} must be above 0; got {value}")
    flops = training_flops(sizes, tokens)
    seconds = flops / flops_a_second
    memory = training_memory(sizes, batch, bfloat16)
    return Bill(parameters(sizes), flops, memory, seconds, seconds * watts / 3.6e6)


# --------------------------------------------------------------------------------------------------
# What papers say of theirs
# --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Published:
    """A run of a paper: its sizes, and what the paper says that it had and took; None where it does not say.

    Args:
        note: what is known to stand between the formula and the paper's number.
    """

    name: str
    sizes: Sizes
    tokens: float | None
    parameters: float
    flops: float | None
    source: str
    note: str = ""


_GPT2, _TABLE_2 = "Radford et al. 2019 (GPT-2), table 2", "the paper counts 117, 345, 762 and 1,542 million"
_GPT3 = "Brown et al. 2020 (GPT-3), table 2.1 and appendix D, table D.1"
_6ND = "the paper takes 6ND, without attention, of which some is sparse"
PUBLISHED = (
    Published("GPT-2 small", Sizes(12, 768, 50257, 1024), None, 117e6, None, _GPT2, _TABLE_2),
    Published("GPT-2 medium", Sizes(24, 1024, 50257, 1024), None, 345e6, None, _GPT2, _TABLE_2),
    Published("GPT-2 large", Sizes(36, 1280, 50257, 1024), None, 762e6, None, _GPT2, _TABLE_2),
    Published("GPT-2", Sizes(48, 1600, 50257, 1024), None, 1542e6, None, _GPT2, _TABLE_2),
    Published("GPT-3 small", Sizes(12, 768, 50257, 2048), 300e9, 125e6, 2.25e20, _GPT3, _6ND),
    Published("GPT-3", Sizes(96, 12288, 50257, 2048), 300e9, 174.6e9, 3.14e23, _GPT3, _6ND),
    Published(
        "Chinchilla", Sizes(80, 8192, 32000, 2048), 1.4e12, 70e9, 5.76e23,
        "Hoffmann et al. 2022, table 1, table 4 and §3.4",
        "its relative positions take one d × d matrix more a layer, 5.4 billion in all",
    ),
    Published(
        "BERT-base", Sizes(12, 768, 30522, 512, kind="bert", hidden=0.15), 42.6e9, 110e6, None,
        "Devlin et al. 2019, §3 and appendix A.2", "a million steps of 256 texts, nine tenths of 128 tokens",
    ),
)  # fmt: skip


def bert_base_flops() -> float:
    """What pre-training BERT-base takes: a million steps of 256 sequences, 900,000 of them of 128 tokens.

    Source: Devlin et al. 2019, appendix A.2.
    """
    sizes = PUBLISHED[-1].sizes
    short, long = 9e5 * 256 * 128, 1e5 * 256 * 512
    return training_flops(sizes, short, 128) + training_flops(sizes, long, 512)
