"""Speed of the course's BERT against transformers' BertModel: forward passes and training steps.

    python benchmarks/bert.py [--rounds 15]

Both hold the same parameters, loaded from the same file, and get the same ids, segments and padding;
transformers runs its fused attention (sdpa), as it does by default. A training step is forward, loss,
backward and AdamW; the loss is the mean square of the encoder's output, or in pre-training the sum of the
masked-LM and next-sentence losses. Other work on the machine must not decide the outcome: single steps of the
two alternate, and what is measured is the processor time of one thread. The ratio is transformers' median
divided by ours: above 1, ours is faster.
"""

import argparse
import platform
import time
from collections.abc import Callable
from statistics import median
from tempfile import TemporaryDirectory

import torch
import transformers
from torch import Tensor, nn

from course.masking import mask_tokens
from course.masks import padding_mask
from course.models.bert import Bert
from course.models.bert_heads import BertForPreTraining

MASK, SPECIAL = 4, 5
SIZES = {
    "small": {"vocab_size": 8000, "hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4},
    "BERT-base, 4 layers": {"num_hidden_layers": 4},
}
LENGTHS = {"no padding": [128] * 8, "a quarter padding": [128, 64, 96, 96] * 2}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15, help="steps of each of the two (default: 15)")
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, ", end="")
    print(f"Python {platform.python_version()}, {platform.machine()}, one thread;")
    print(f"float32; median of {rounds} rounds\n")
    print("| model | parameters | batch | what | transformers, ms | course, ms | transformers / course |")
    print("|---|---:|---|---|---:|---:|---:|")
    for name, sizes in SIZES.items():
        for padding, lengths in LENGTHS.items():
            batch = Batch(lengths, sizes.get("vocab_size", 30522))
            for what, pair, parameters in pairs(sizes, batch):
                theirs, ours = measure(pair, rounds)
                setting = f"{name} | {parameters / 1e6:.1f} M | 8 × 128 tokens, {padding} | {what}"
                times = f"{1000 * theirs:.0f} | {1000 * ours:.0f} | {theirs / ours:.2f}"
                print(f"| {setting} | {times} |", flush=True)


class Batch:
    """Random ids and segments, padding behind them, a seventh of them masked."""

    def __init__(self, lengths: list[int], vocab_size: int):
        n = max(lengths)
        self.real = padding_mask(lengths, n).squeeze(1)
        self.ids = torch.randint(SPECIAL, vocab_size, self.real.shape).where(self.real, 0)
        self.segments = (torch.arange(n) >= n // 2).long().expand_as(self.ids).contiguous()
        self.masked, self.labels = mask_tokens(
            self.ids, mask_id=MASK, vocab_size=vocab_size, special_mask=~self.real
        )
        self.next = torch.randint(2, self.ids.shape[:1])

    def theirs(self, ids: Tensor) -> dict[str, Tensor]:
        return {"input_ids": ids, "attention_mask": self.real.long(), "token_type_ids": self.segments}


def pairs(sizes: dict, batch: Batch):
    """What is measured: its name, what transformers does, what we do, and how many parameters do it."""
    theirs, ours = both(transformers.BertModel, Bert, sizes)
    parameters = sum(p.numel() for p in ours.parameters())

    def their_output() -> Tensor:
        return theirs(**batch.theirs(batch.ids)).last_hidden_state

    def our_output() -> Tensor:
        return ours(batch.ids, batch.segments)

    assert_same(their_output, our_output, theirs, ours)
    yield "encoder, forward", (torch.no_grad()(their_output), torch.no_grad()(our_output)), parameters
    steps = (step(theirs, lambda: square(their_output())), step(ours, lambda: square(our_output())))
    yield "encoder, training step", steps, parameters

    theirs, ours = both(transformers.BertForPreTraining, BertForPreTraining, sizes)
    parameters = sum(p.numel() for p in ours.parameters())

    def their_loss() -> Tensor:
        inputs = batch.theirs(batch.masked)
        return theirs(**inputs, labels=batch.labels, next_sentence_label=batch.next).loss

    def our_loss() -> Tensor:
        return ours.loss(batch.masked, batch.labels, batch.next, batch.segments)

    assert_same(their_loss, our_loss, theirs, ours)
    yield "pre-training step", (step(theirs, their_loss), step(ours, our_loss)), parameters


def both(their_class: type, our_class: type, sizes: dict) -> tuple[nn.Module, nn.Module]:
    """A random model of transformers, and ours with its weights."""
    torch.manual_seed(0)
    config = {**sizes, "intermediate_size": 4 * sizes.get("hidden_size", 768)}
    theirs = their_class(transformers.BertConfig(**config))
    with TemporaryDirectory() as folder:
        theirs.save_pretrained(folder)
        return theirs, our_class.from_pretrained(folder)


def assert_same(
    their_run: Callable[[], Tensor], our_run: Callable[[], Tensor], theirs: nn.Module, ours: nn.Module
) -> None:
    """Without dropout both compute the same; back to training then."""
    theirs.eval(), ours.eval()
    with torch.no_grad():
        torch.testing.assert_close(our_run(), their_run(), rtol=1e-4, atol=1e-4)


def square(x: Tensor) -> Tensor:
    return x.square().mean()


def step(model: nn.Module, loss: Callable[[], Tensor]) -> Callable[[], None]:
    """One step of training, with dropout."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def run() -> None:
        model.train()
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return run


def measure(runs: tuple[Callable, Callable], rounds: int) -> tuple[float, float]:
    """Median seconds of each of the two, in alternation; the first round warms up."""
    times = [[seconds(run) for run in runs] for _ in range(rounds + 1)][1:]
    their_times, our_times = zip(*times, strict=True)
    return median(their_times), median(our_times)


def seconds(run: Callable) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


if __name__ == "__main__":
    main()
