"""Writing and training with the course's GPT against transformers' GPT2LMHeadModel and nanoGPT's layout.

    python benchmarks/gpt.py [--tokens 200] [--rounds 7]

Writing: against transformers with the same weights, both with their key-value cache, from the same prompt;
where both take the likeliest token, that they write the same is checked. Training: whole steps on the same
batch without dropout: forward, loss, backward, gradient clipping, AdamW in one kernel, as the course trains;
also against nanoGPT's model, which is restated here (``NanoGPT``), not installed, and computes another GELU:
ours is then built with the same. Other work on the machine must not decide the outcome: the two
alternate, and what is measured is the processor time of one thread. The ratio is the peer's median divided by
ours: above 1, ours is faster.
"""

import argparse
import platform
import tempfile
import time
from collections.abc import Callable
from statistics import median

import torch
import torch.nn.functional as F
import transformers
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel

from course.models.gpt import GPT, GPTConfig

SIZES = {  # vocabulary, width, heads; four layers each
    "characters": (65, 128, 4),
    "small": (8000, 256, 4),
    "GPT-2's width": (50257, 768, 12),
}
SAMPLING = {
    "greedy": {"temperature": 0.0},
    "temperature 0.8": {"temperature": 0.8},
    "0.8, top-k 50": {"temperature": 0.8, "top_k": 50},
    "0.8, top-p 0.9": {"temperature": 0.8, "top_p": 0.9},
}
BATCHES = {"characters": (12, 64), "small": (8, 128), "GPT-2's width": (2, 128)}  # windows, context
PROMPT = 16


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tokens", type=int, default=200, help="how many to write (default: 200)")
    parser.add_argument("--rounds", type=int, default=7, help="measurements of each of the two (default: 7)")
    parser.add_argument("--models", nargs="+", choices=SIZES, default=list(SIZES), metavar="NAME")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
    print(f"{versions}, Python {platform.python_version()}, {platform.machine()}, one thread;")
    print(f"float32, 4 layers; median of {arguments.rounds} rounds\n")
    print("| model | parameters | work | peer | peer, ms | course, ms | peer / course |")
    print("|---|---:|---|---|---:|---:|---:|")
    for name in arguments.models:
        theirs, ours = models(name)
        size = f"{name} | {sum(p.numel() for p in ours.parameters()) / 1e6:.1f} M"
        for setting, sampling in SAMPLING.items():
            times = measure(*writers(theirs, ours, arguments.tokens, sampling), arguments.rounds)
            report(f"{size} | {arguments.tokens} tokens, {setting} | transformers", *times)
        batch = torch.randint(SIZES[name][0], BATCHES[name])
        pairs = {"transformers": (theirs, ours), "nanoGPT, restated": nano_pair(name)}
        for peer, pair in pairs.items():
            times = measure(*training_steps(*pair, batch), 2 * arguments.rounds)
            report(f"{size} | training step, {batch.shape[0]} × {batch.shape[1]} tokens | {peer}", *times)


def models(name: str) -> tuple[GPT2LMHeadModel, GPT]:
    """transformers' model with random weights, and ours with the same, by way of a folder."""
    vocab_size, width, heads = SIZES[name]
    dropout = dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), 0.0)
    torch.manual_seed(0)
    sizes = {"vocab_size": vocab_size, "n_positions": 256, "n_embd": width, "n_head": heads, "n_layer": 4}
    config = GPT2Config(**sizes, **dropout, bos_token_id=None, eos_token_id=None)
    theirs = GPT2LMHeadModel(config).eval()
    with tempfile.TemporaryDirectory() as folder:
        theirs.save_pretrained(folder)
        return theirs, GPT.from_pretrained(folder)


def nano_pair(name: str) -> tuple["NanoGPT", GPT]:
    """nanoGPT's model, and ours of the same sizes and activation; ours has biases besides."""
    vocab_size, width, heads = SIZES[name]
    sizes = {"d_model": width, "n_heads": heads, "n_layers": 4, "max_length": 256}
    return NanoGPT(*SIZES[name]), GPT(GPTConfig(vocab_size, **sizes, dropout=0.0, activation="gelu"))


def writers(theirs: GPT2LMHeadModel, ours: GPT, tokens: int, sampling: dict) -> tuple[Callable, Callable]:
    """Functions that write so many tokens by transformers' ``generate`` and by ours."""
    prompt = torch.randint(ours.config.vocab_size, (1, PROMPT))
    greedy = sampling["temperature"] == 0
    settings = {"do_sample": False} if greedy else {"do_sample": True, "top_k": 0, **sampling}
    mask = torch.ones_like(prompt)

    def write_theirs() -> list[int]:
        written = theirs.generate(prompt, attention_mask=mask, max_new_tokens=tokens, **settings)
        return written[0, PROMPT:].tolist()

    def write_ours() -> list[int]:
        return ours.generate(prompt[0].tolist(), tokens, **sampling)

    texts = write_theirs(), write_ours()
    assert [len(text) for text in texts] == [tokens, tokens]
    assert not greedy or texts[0] == texts[1], "the two wrote different texts"
    return write_theirs, write_ours


class NanoGPT(nn.Module):
    """What nanoGPT's model.py computes (Karpathy 2022), in our own words, with its default: no biases."""

    def __init__(self, vocab_size: int, width: int, heads: int, layers: int = 4, context: int = 256):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocab_size, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(NanoBlock(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width, bias=False)
        self.head = nn.Linear(width, vocab_size, bias=False)
        self.head.weight = self.tokens.weight
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.02) if parameter.dim() > 1 else nn.init.ones_(parameter)

    def loss(self, ids: Tensor, targets: Tensor) -> Tensor:
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
        logits = self.head(self.norm(self.blocks(x)))
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


class NanoBlock(nn.Module):
    """One projection to queries, keys and values; the fused kernel, told that it is causal."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.project, self.merge = nn.Linear(width, 3 * width, False), nn.Linear(width, width, False)
        self.widen, self.narrow = nn.Linear(width, 4 * width, False), nn.Linear(4 * width, width, False)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in self.project(self.norm1(x)).chunk(3, dim=-1)
        )
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.merge(attended.transpose(1, 2).flatten(2))
        return x + self.narrow(F.gelu(self.widen(self.norm2(x))))


def training_steps(
    theirs: GPT2LMHeadModel | NanoGPT, ours: GPT, ids: Tensor
) -> tuple[Callable[[], None], Callable[[], None]]:
    """Functions that take one training step, of a peer's model and of ours."""

    def loss_theirs() -> Tensor:
        if isinstance(theirs, NanoGPT):
            return theirs.loss(ids[:, :-1], ids[:, 1:])
        return theirs(input_ids=ids, labels=ids, use_cache=False).loss

    def loss_ours() -> Tensor:
        return ours.loss(ids[:, :-1], ids[:, 1:])

    if isinstance(theirs, GPT2LMHeadModel):  # the weights are still the same
        torch.testing.assert_close(loss_ours(), loss_theirs(), rtol=1e-5, atol=1e-5)
    return training_step(theirs, loss_theirs), training_step(ours, loss_ours)


def training_step(model: nn.Module, loss: Callable[[], Tensor]) -> Callable[[], None]:
    optimizer = torch.optim.AdamW(model.train().parameters(), lr=1e-4, fused=True)

    def step() -> None:
        optimizer.zero_grad()
        loss().backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def measure(theirs: Callable, ours: Callable, rounds: int) -> tuple[float, float]:
    """Median seconds of the two; the first round warms up."""
    times = [[_seconds(run) for run in (theirs, ours)] for _ in range(rounds + 1)][1:]
    their_times, our_times = zip(*times, strict=True)
    return median(their_times), median(our_times)


def report(setting: str, theirs: float, ours: float) -> None:
    print(f"| {setting} | {1000 * theirs:.0f} | {1000 * ours:.0f} | {theirs / ours:.2f} |", flush=True)


def _seconds(run: Callable) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


if __name__ == "__main__":
    main()
