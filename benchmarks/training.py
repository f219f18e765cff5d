"""Training throughput of the course's Transformer against torch's nn.Transformer of the same size.

    python benchmarks/training.py [--rounds 15]

Both hold the same parameters, get the same batches of ids, tie their embeddings in the same way and do whole
training steps: forward, label-smoothed loss, backward, gradient clipping, AdamW. Other work on the machine
must not decide the outcome: single steps of the two alternate, and what is measured is the processor time of
one thread. The ratio is torch's median divided by ours: above 1, ours is faster.
"""

import argparse
import math
import platform
import time
import warnings
from statistics import median

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.masks import causal_mask
from course.models.transformer import Transformer, TransformerConfig
from course.text.tokenizers import BOS, EOS, PAD

SIZES = {
    "translator": TransformerConfig(8000, 256, 4, 1024, 3, 3, dropout=0.1, norm="pre"),
    "Transformer-Tiny": TransformerConfig(10000, 128, 4, 256, 4, 4, dropout=0.3, norm="post"),
}
SENTENCES = {
    "1024 tokens, no padding": [16] * 64,
    "1024 tokens, a quarter of it padding": [8, 16, 12, 12] * 16,
}


class TorchTransformer(nn.Module):
    """nn.Transformer with what it leaves to its user: embeddings, positions, masks, output layer, loss."""

    def __init__(self, config: TransformerConfig, positions: Tensor):
        super().__init__()
        self.config, self.positions = config, positions
        self.embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.dropout = nn.Dropout(config.dropout)
        self.transformer = nn.Transformer(
            config.d_model,
            config.n_heads,
            config.n_encoder_layers,
            config.n_decoder_layers,
            config.d_ff,
            config.dropout,
            batch_first=True,
            norm_first=config.norm == "pre",
        )
        if config.norm == "post":
            self.transformer.encoder.norm = self.transformer.decoder.norm = None

    def embed(self, ids: Tensor) -> Tensor:
        x = self.embedding(ids) * math.sqrt(self.config.d_model)
        return self.dropout(x + self.positions[: ids.shape[-1]])

    def loss(self, source: Tensor, target: Tensor) -> Tensor:
        padding = source == PAD
        hidden = self.transformer(
            self.embed(source),
            self.embed(target[:, :-1]),
            tgt_mask=~causal_mask(target.shape[-1] - 1),
            src_key_padding_mask=padding if padding.any() else None,
            memory_key_padding_mask=padding if padding.any() else None,
            tgt_is_causal=True,
        )
        logits = F.linear(hidden, self.embedding.weight).flatten(0, 1)
        labels = target[:, 1:].flatten()
        return F.cross_entropy(logits, labels, ignore_index=PAD, label_smoothing=self.config.label_smoothing)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15, help="steps of each of the two (default: 15)")
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", "enable_nested_tensor|The PyTorch API of nested tensors")
    print(f"torch {torch.__version__}, Python {platform.python_version()}, {platform.machine()}, one thread;")
    print(f"float32; median of {rounds} rounds\n")
    print("| model | parameters | batch | torch, ms a step | course, ms a step | torch / course |")
    print("|---|---:|---|---:|---:|---:|")
    for name, config in SIZES.items():
        for batch, lengths in SENTENCES.items():
            theirs, ours, parameters = measure(config, lengths, rounds)
            setting = f"{name} | {parameters / 1e6:.1f} M | {batch}"
            print(
                f"| {setting} | {1000 * theirs:.0f} | {1000 * ours:.0f} | {theirs / ours:.2f} |", flush=True
            )


def measure(config: TransformerConfig, lengths: list[int], rounds: int) -> tuple[float, float, int]:
    """Median seconds of a training step of torch's model and of ours, and how many parameters either has."""
    torch.manual_seed(0)
    ours = Transformer(config)
    theirs = TorchTransformer(config, ours.positions)
    ours.load_state_dict({**theirs.transformer.state_dict(), "embedding.weight": theirs.embedding.weight})
    batch = sentences(lengths, config.vocab_size)
    assert_same_loss(ours, theirs, batch)
    steps = [training_step(model, batch) for model in (theirs, ours)]
    times = [[_seconds(step) for step in steps] for _ in range(rounds + 1)][1:]  # the first warms up
    their_times, our_times = zip(*times, strict=True)
    return median(their_times), median(our_times), sum(p.numel() for p in ours.parameters())


def sentences(lengths: list[int], vocab_size: int) -> tuple[Tensor, Tensor]:
    """Random sources and targets; the targets have one token more, so that as many are predicted."""
    n = max(lengths)
    source = torch.randint(3, vocab_size, (len(lengths), n))
    target = torch.randint(3, vocab_size, (len(lengths), n + 1))
    target[:, 0] = BOS
    for row, length in enumerate(lengths):
        source[row, length - 1], source[row, length:] = EOS, PAD
        target[row, length], target[row, length + 1 :] = EOS, PAD
    return source, target


def assert_same_loss(ours: nn.Module, theirs: nn.Module, batch: tuple[Tensor, Tensor]) -> None:
    with torch.no_grad():
        losses = [model.eval().loss(*batch) for model in (ours, theirs)]
    torch.testing.assert_close(*losses, rtol=1e-4, atol=1e-4)


def training_step(model: nn.Module, batch: tuple[Tensor, Tensor]):
    optimizer = torch.optim.AdamW(model.train().parameters(), lr=1e-4)

    def step() -> None:
        optimizer.zero_grad()
        model.loss(*batch).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def _seconds(step) -> float:
    start = time.process_time()
    step()
    return time.process_time() - start


if __name__ == "__main__":
    main()
