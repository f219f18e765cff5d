"""What attention costs against its length, as slopes on log-log axes; and ours beside transformers'.

    python benchmarks/efficient.py [--rounds 5] [--write FILE] [--only slopes|peers]

One head (slopes) or several, no gradients; processor time of one thread. Slopes are fitted over all lengths
measured, with the 95 % interval of the fit. Against transformers both hold the same weights, and short
measurements of the two alternate: above 1, ours is faster.
"""

import argparse
import gc
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from transformers import BigBirdConfig, BigBirdModel, ReformerConfig
from transformers.models.big_bird.modeling_big_bird import BigBirdBlockSparseAttention
from transformers.models.reformer.modeling_reformer import LSHSelfAttention

from course.attention import fused_attention, scaled_dot_product_attention
from course.models.efficient.bigbird import bigbird_blocks, block_sparse_attention
from course.models.efficient.linformer import linformer_attention, random_projection
from course.models.efficient.reformer import draw_rotations, lsh_attention
from course.models.efficient.tiled import tiled_attention
from course.studies.cost import fitted, saved_bytes

LENGTHS = (1024, 2048, 4096, 8192, 16384)
LARGEST_EXPLICIT = 8192  # its scores and weights are 2 × 256 MB there, and would be 2 × 1 GB at 16,384
D, BLOCK, RANK, ROUNDS = 64, 64, 128, 2


def ways(n: int) -> dict[str, Callable[..., Any]]:
    """Each way to attend, ready for q, k and v of this length."""
    blocks, e = bigbird_blocks(n // BLOCK, 1, 1, 3), random_projection(RANK, n)
    pairs = max(2, 2 * round((2 * n / BLOCK) ** 0.5 / 2))  # rotations for about 2 n / BLOCK buckets, as pairs
    first, second = draw_rotations(ROUNDS, D, pairs), draw_rotations(ROUNDS, D, pairs)
    found = {
        "full, fused": lambda q, k, v: fused_attention(q, k, v),
        "full, in tiles": lambda q, k, v: tiled_attention(q, k, v, 512),
        "BigBird": lambda q, k, v: block_sparse_attention(q, k, v, blocks),
        "Linformer": lambda q, k, v: linformer_attention(q, k, v, e, e),
        "Reformer": lambda q, k, v: lsh_attention(q, v, first, BLOCK, more=second),
    }
    explicit = {"full, explicit": lambda q, k, v: scaled_dot_product_attention(q, k, v)}
    return explicit | found if n <= LARGEST_EXPLICIT else found


def slopes(rounds: int) -> dict[str, dict]:
    """Milliseconds and bytes kept for the way back, at every length; and the slope of each."""
    found: dict[str, dict] = {}
    for n in LENGTHS:
        q, k, v = torch.randn(3, 1, 1, n, D, generator=torch.Generator().manual_seed(n))
        calls = ways(n)
        times = {name: [] for name in calls}
        for _ in range(rounds + 1):
            for name, call in calls.items():
                gc.collect()
                start = time.process_time()
                with torch.inference_mode():
                    call(q, k, v)
                times[name].append(1000 * (time.process_time() - start))
        for name, call in calls.items():
            of = found.setdefault(name, {"n": [], "ms": [], "bytes": []})
            of["n"].append(n)
            of["ms"].append(round(median(times[name][1:]), 3))
            given = [x.clone().requires_grad_() for x in (q, k, v)]
            of["bytes"].append(
                saved_bytes(lambda call=call, given=given: call(*given)) if n <= 4096 else None
            )
        print(
            f"n = {n}: "
            + ", ".join(f"{name} {of['ms'][-1]:.1f} ms" for name, of in found.items() if of["n"][-1] == n),
            flush=True,
        )
    for of in found.values():
        line = fitted(of["n"], of["ms"])
        of["slope"], of["interval"] = round(line.value, 3), [round(x, 3) for x in line.interval(len(of["n"]))]
        kept = [(n, b) for n, b in zip(of["n"], of["bytes"], strict=True) if b]
        if len(kept) >= 3:
            of["bytes_slope"] = round(fitted(*map(list, zip(*kept, strict=True))).value, 3)
    return found


def crossing(found: dict[str, dict], way: str, beside: str = "full, explicit") -> str:
    """The first length at which a way is faster than another one."""
    theirs = dict(zip(found[beside]["n"], found[beside]["ms"], strict=True))
    faster = [
        n for n, ms in zip(found[way]["n"], found[way]["ms"], strict=True) if n in theirs and ms < theirs[n]
    ]
    return f"{min(faster):,}" if faster else "none"


def peers(
    n: int = 4096, d: int = 256, heads: int = 4
) -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
    """For BigBird and for LSH attention: theirs and ours, projections included, with the same weights."""
    x = torch.randn(1, n, d, generator=torch.Generator().manual_seed(0))

    def split(p: torch.nn.Module) -> torch.Tensor:
        return p(x).unflatten(-1, (heads, -1)).transpose(1, 2)

    config = BigBirdConfig(hidden_size=d, num_attention_heads=heads, block_size=BLOCK, num_random_blocks=3,
                           max_position_embeddings=n, attention_probs_dropout_prob=0.0)  # fmt: skip
    bird = BigBirdBlockSparseAttention(config, seed=0).train()
    blocked, band, from_mask, to_mask = BigBirdModel.create_masks_for_block_sparse_attn(
        torch.ones(1, n), BLOCK
    )
    blocks = torch.stack([bigbird_blocks(n // BLOCK, 1, 1, 3, seed) for seed in range(heads)])
    blocks[:, -1], blocks[:, :, -1] = True, True  # theirs makes the last block global, too
    reformer = LSHSelfAttention(ReformerConfig(
        hidden_size=d, num_attention_heads=heads, attention_head_size=d // heads, num_hashes=ROUNDS,
        num_buckets=[8, 16], lsh_attn_chunk_length=BLOCK, lsh_num_chunks_before=1, lsh_num_chunks_after=0,
        hash_seed=0, is_decoder=False, lsh_attention_probs_dropout_prob=0.0,
    )).eval()  # fmt: skip

    def our_lsh() -> torch.Tensor:
        turns = torch.randn(heads, ROUNDS, d // heads, 12)
        found = lsh_attention(
            split(reformer.query_key), split(reformer.value), turns[..., :4], BLOCK, more=turns[..., 4:]
        )
        return found.transpose(1, 2).flatten(-2)

    def our_bird() -> torch.Tensor:
        found = block_sparse_attention(split(bird.query), split(bird.key), split(bird.value), blocks)
        return found.transpose(1, 2).flatten(-2)

    return {
        "BigBird, 3 random blocks": (
            lambda: bird(x, band, from_mask, to_mask, blocked, blocked)[0],
            our_bird,
        ),
        "LSH, 2 rounds": (lambda: reformer(x).hidden_states, our_lsh),
    }  # fmt: skip


def beside_peers(rounds: int) -> list[dict]:
    """Median times of theirs and ours, alternating, and the bytes that each keeps for its way back."""
    found = []
    for name, pair in peers().items():
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds + 1):
            for call, of in zip(pair, times, strict=True):
                start = time.process_time()
                with torch.inference_mode():
                    call()
                of.append(1000 * (time.process_time() - start))
        theirs, ours = (median(of[1:]) for of in times)
        kept = [saved_bytes(call) for call in pair]
        found.append(
            {"what": name, "theirs": theirs, "ours": ours, "their_bytes": kept[0], "our_bytes": kept[1]}
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each (default: 5)")
    parser.add_argument("--write", type=Path, help="leave the slopes there as JSON")
    parser.add_argument("--only", choices=("slopes", "peers"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    setting = (
        f"torch {torch.__version__} (CPU), Python {platform.python_version()}, one thread of a "
        f"shared two-core {platform.machine()} machine with other work; float32, one head of {D}; "
        f"processor time, median of {given.rounds} rounds"
    )
    print(setting, end="\n\n")
    if given.only != "peers":
        found = slopes(given.rounds)
        print(
            "\n| way | "
            + " | ".join(f"{n:,}" for n in LENGTHS)
            + " | slope | 95 % | faster than explicit from |"
        )
        print("|---|" + "---:|" * (len(LENGTHS) + 3))
        for name, of in found.items():
            shown = [f"{ms:.1f}" for ms in of["ms"]] + ["–"] * (len(LENGTHS) - len(of["ms"]))
            low, high = of["interval"]
            fit = f"{of['slope']:.2f} | {low:.2f} to {high:.2f} | {crossing(found, name)}"
            print(f"| {name} | {' | '.join(shown)} | {fit} |")
        if given.write:
            text = json.dumps(
                {"setting": setting, "block": BLOCK, "rank": RANK, "rounds": ROUNDS, "ways": found}, indent=1
            )
            given.write.write_text(text + "\n", encoding="utf-8", newline="\n")
    if given.only != "slopes":
        kept = "transformers, MB kept | course, MB kept"
        print(
            f"\n| n = 4,096, 4 heads of 64 | transformers, ms | course, ms | transformers / course | {kept} |"
        )
        print("|---|---:|---:|---:|---:|---:|")
        for row in beside_peers(given.rounds):
            times = f"{row['theirs']:.0f} | {row['ours']:.0f} | {row['theirs'] / row['ours']:.2f}"
            kept = f"{row['their_bytes'] / 1e6:.0f} | {row['our_bytes'] / 1e6:.0f}"
            print(f"| {row['what']} | {times} | {kept} |")


if __name__ == "__main__":
    main()
