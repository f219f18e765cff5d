"""Speed of the course's MultiHeadAttention against torch's nn.MultiheadAttention, forward and backward.

    python benchmarks/attention.py [--rounds 25]

Both hold the same parameters and get the same input; both give the weights of every head, or none. Other
work on the machine must not decide the outcome: short measurements of the two alternate, and what is measured
is the processor time of one thread. The ratio is torch's median divided by ours: above 1, ours is faster.
"""

import argparse
import platform
import time
from itertools import product
from statistics import median

import torch
from torch import Tensor, nn
from torch.utils.benchmark import Timer

from course.heads import MultiHeadAttention
from course.masks import causal_mask

BATCH, D_MODEL, N_HEADS = 4, 256, 8
LENGTHS = (64, 128, 256, 512, 1024)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rounds", type=int, default=25, help="measurements of each of the two (default: 25)"
    )
    rounds = parser.parse_args().rounds
    print(f"torch {torch.__version__}, Python {platform.python_version()}, {platform.machine()}, one thread;")
    print(f"batch {BATCH}, d_model {D_MODEL}, {N_HEADS} heads, float32; median of {rounds} rounds\n")
    print("| weights | mask | n | torch, ms | course, ms | torch / course |")
    print("|---|---|---:|---:|---:|---:|")
    for need_weights, causal, n in product((True, False), (False, True), LENGTHS):
        theirs, ours = measure(n, need_weights, causal, rounds)
        setting = f"{'yes' if need_weights else 'no'} | {'causal' if causal else 'none'} | {n}"
        print(f"| {setting} | {1000 * theirs:.1f} | {1000 * ours:.1f} | {theirs / ours:.2f} |", flush=True)


def measure(n: int, need_weights: bool, causal: bool, rounds: int) -> tuple[float, float]:
    """Median seconds of one forward and backward pass of torch's module, and of ours."""
    theirs = nn.MultiheadAttention(D_MODEL, N_HEADS, batch_first=True)
    ours = MultiHeadAttention(D_MODEL, N_HEADS)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(BATCH, n, D_MODEL, requires_grad=True)
    mask = causal_mask(n) if causal else None
    blocked = ~mask if causal else None

    def run_theirs() -> Tensor:
        return theirs(x, x, x, attn_mask=blocked, need_weights=need_weights, average_attn_weights=False)[0]

    def run_ours() -> Tensor:
        return ours(x, mask=mask, need_weights=need_weights)[0]

    torch.testing.assert_close(run_ours(), run_theirs(), rtol=1e-5, atol=1e-5)
    timers = [_timer(run_theirs), _timer(run_ours)]
    times = [[timer.timeit(2).median for timer in timers] for _ in range(rounds)]
    their_times, our_times = zip(*times, strict=True)
    return median(their_times), median(our_times)


def _timer(run) -> Timer:
    return Timer("run().sum().backward()", globals={"run": run}, timer=time.process_time, num_threads=1)


if __name__ == "__main__":
    main()
