"""Speed of translating with the key-value cache against without, for the course's Transformer.

    python benchmarks/decoding.py [--tokens 40] [--rounds 5]

Both write the same tokens, exactly as many as asked for; without the cache every step computes the keys and
values of all that was written anew, but logits for the last position alone. Other work on the machine must
not decide the outcome: whole translations of the two alternate, and what is measured is the processor time of
one thread. The ratio is the time without the cache divided by that with it; the last column is the ratio if
writing with the cache took no longer than its matrix products, which read every weight once a token.
"""

import argparse
import platform
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.models.transformer import Transformer, TransformerConfig
from course.text.decoding import beam_search
from course.text.tokenizers import BOS

CONFIG = TransformerConfig(8000, 256, 4, 1024, 3, 3, norm="pre")  # the size of the shipped translator
SETTINGS = [(1, 1), (1, 4), (4, 4), (16, 4)]  # sentences at once, beam
NEVER = -1  # no token is <eos>: every sentence goes on to the end


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tokens", type=int, default=40, help="how many to write (default: 40)")
    parser.add_argument("--rounds", type=int, default=5, help="translations of each of the two (default: 5)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, Python {platform.python_version()}, {platform.machine()}, one thread;")
    print(f"float32; {arguments.tokens} tokens from 20; median of {arguments.rounds} rounds\n")
    columns = ["sentences", "beam", "without, ms", "with, ms", "products, ms", "without / with", "/ products"]
    print(f"| {' | '.join(columns)} |\n|{'---:|' * len(columns)}")
    torch.manual_seed(0)
    model = Transformer(CONFIG).eval()
    for sentences, beam in SETTINGS:
        times = measure(model, sentences, beam, arguments.tokens, arguments.rounds)
        without, cached, products = times
        cells = [sentences, beam, *(f"{1000 * seconds:.0f}" for seconds in times)]
        cells += [f"{without / cached:.1f}", f"{without / products:.1f}"]
        print(f"| {' | '.join(map(str, cells))} |", flush=True)


def measure(model: Transformer, sentences: int, beam: int, tokens: int, rounds: int) -> list[float]:
    """Median seconds of writing so many tokens without the cache, with it, and of the latter's products."""
    source = torch.randint(3, model.config.vocab_size, (sentences, 20))
    runs = [
        lambda: write(model, source, beam, tokens, cache=False),
        lambda: write(model, source, beam, tokens, cache=True),
        lambda: multiply(model, sentences * beam, tokens),
    ]
    times: list[list[float]] = []
    for _ in range(rounds + 1):
        seconds, results = zip(*map(timed, runs), strict=True)
        times.append(seconds)
        assert results[0] == results[1], "the cache changed what was written"
    return [median(column) for column in zip(*times[1:], strict=True)]  # the first warms up


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """The seconds that it took, and what it gave."""
    start = time.process_time()
    result = run()
    return time.process_time() - start, result


def write(model: Transformer, source: Tensor, beam: int, tokens: int, cache: bool) -> list[list[int]]:
    """The best hypothesis of each sentence."""
    found = beam_search(model.writer(source, beam, cache), len(source), BOS, NEVER, tokens, beam)
    return [hypotheses[0].ids for hypotheses in found]


@torch.no_grad()
def multiply(model: Transformer, rows: int, tokens: int) -> None:
    """The products with weights, and nothing else, that writing these tokens with the cache consists of."""
    of_memory = ("cross_attention.k_proj", "cross_attention.v_proj")  # computed once a sentence
    weights = [
        module.weight
        for name, module in model.decoder.named_modules()
        if isinstance(module, nn.Linear) and not name.endswith(of_memory)
    ]
    weights.append(model.embedding.weight)
    inputs = [torch.randn(rows, weight.shape[1]) for weight in weights]
    for _ in range(tokens):
        for x, weight in zip(inputs, weights, strict=True):
            F.linear(x, weight)


if __name__ == "__main__":
    main()
