"""A two-layer model of random tokens that come again, kept at many moments: the birth of an induction head.

Every text walks round a circle of its own, of 8 to 24 different random characters, and now and then leaps
to another place of it. What counts for the loss are the pairs of neighbours that were there before. The
leaps see to it that neither a fixed distance nor the place in the text leads back to the last time: the
model has to find the character itself. (Without leaps it finds other ways, and no head attends as an
induction head does.) After Olsson et al. 2022.
"""

import json
import math
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Int
from safetensors.torch import save_file
from torch import Generator, Tensor

from course.in_context.induction import (
    CHARACTERS,
    attention_weights,
    prefix_matching_score,
    repeated_tokens,
    token_losses,
)
from course.masking import IGNORED
from course.models.gpt import GPT, GPTConfig
from course.training.report import write_report
from course.training.trainer import Log, Trainer, TrainingConfig, device_name

CARD = """\
# Induction

A GPT of {parameters} parameters that copies what came after the last time, stored as float16, and in
`moments.safetensors` the same at {moments} moments of its training.

- Data: random characters, round and round, with leaps; made as it trains, licence CC0
- Sizes: `{sizes}`
- Training: `{settings}`, {batch} texts a batch
- Cost: {last[step]} steps in {last[seconds]:.0f} seconds on {device}

On the second time of 25 random characters the loss is {scores[repeat_loss]:.4f} nats a character, where
guessing costs {guessing:.4f}. The head that does most of it, layer {scores[layer]}, head {scores[head]} (from
0), gives {scores[prefix_matching_score]:.2f} of its attention to the character that followed last time.
"""

MODEL = GPTConfig(len(CHARACTERS), d_model=64, n_heads=2, n_layers=2, d_ff=64, max_length=64, dropout=0.0)
TRAINING = TrainingConfig(
    steps=1200,
    peak_lr=3e-3,
    warmup=50,
    decay="cosine",
    betas=(0.9, 0.99),
    eps=1e-8,
    log_every=50,
    save_every=50,
)
BATCH, SHORTEST, LONGEST, LEAP = 32, 8, 24, 0.1
"""Texts a batch; characters in the smallest and the largest circle; how probable a leap is at each step."""


def batches(step: int) -> tuple[Int[Tensor, "batch n"], Int[Tensor, "batch n"]]:
    """The ids and the targets of a step (from 0), all of its texts of circles of one size."""
    random = np.random.default_rng([TRAINING.seed, step])
    size = int(random.integers(SHORTEST, LONGEST + 1))
    generator = torch.Generator().manual_seed(int(random.integers(2**62)))
    ids = walk(BATCH, size, MODEL.max_length + 1, generator)
    return ids[:, :-1], ids[:, 1:].masked_fill(~pair_came_before(ids), IGNORED)


def walk(batch: int, size: int, n: int, generator: Generator) -> Int[Tensor, "batch n"]:
    """Round a circle of random characters, one on at each step, or with probability ``LEAP`` to any place."""
    circle = repeated_tokens(batch, size, size, generator=generator)
    leaps = torch.rand(batch, n, generator=generator) < LEAP
    moves = torch.where(leaps, torch.randint(size, (batch, n), generator=generator), 1)
    return circle.gather(1, moves.cumsum(dim=1) % size)


def pair_came_before(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch n-1"]:
    """Whether the token and the one after it stood side by side before."""
    pairs = ids[:, :-1] * len(CHARACTERS) + ids[:, 1:]
    return (pairs[:, :, None] == pairs[:, None, :]).tril(diagonal=-1).any(dim=-1)


def repeat_loss(gpt: GPT, period: int = 25) -> float:
    """The loss on the second time of random tokens, without its first, in nats a token; always the same."""
    ids = repeated_tokens(200, period, 2 * period, generator=torch.Generator().manual_seed(1))
    return token_losses(gpt, ids)[:, period:].mean().item()


def train(folder: str | Path, device: str = "cpu", progress: bool = True) -> GPT:
    """Repeat the recipe, or go on with it, in ``folder``; every moment's model is left beside the last."""
    folder = Path(folder)
    kept = folder / "moments"
    kept.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(TRAINING.seed)
    gpt = GPT(MODEL)

    def keep(model: GPT) -> dict[str, float]:
        torch.save(model.state_dict(), kept / f"{trainer.step}.pt")
        return {"repeat_loss": repeat_loss(model)}

    trainer = Trainer(gpt, batches, TRAINING, folder, device, keep)
    if trainer.step == 0:
        keep(gpt.eval())
    trainer.run(progress).save(folder / "model", torch.float16)
    gpt = GPT.from_pretrained(folder / "model")
    _pack(kept, folder / "model" / "moments.safetensors")
    scores = evaluate(gpt)
    write_report(folder, scores, card(folder, gpt, scores, device))
    return gpt


def evaluate(gpt: GPT) -> dict[str, float]:
    """The loss on repeated tokens, and the head that attends most to what followed last time."""
    ids = repeated_tokens(200, 25, 50, generator=torch.Generator().manual_seed(1))
    heads = prefix_matching_score(attention_weights(gpt, ids), ids)
    layer, head = divmod(int(heads.argmax()), gpt.config.n_heads)
    best = {"layer": layer, "head": head, "prefix_matching_score": heads.max().item()}
    return {"repeat_loss": repeat_loss(gpt), **best}


def card(folder: Path, gpt: GPT, scores: dict[str, float], device: str) -> str:
    """The checkpoint's README."""
    return CARD.format(
        parameters=f"{sum(parameter.numel() for parameter in gpt.parameters()):,}",
        moments=1 + TRAINING.steps // TRAINING.save_every,
        sizes=json.dumps(asdict(gpt.config)),
        settings=json.dumps(asdict(TRAINING)),
        batch=BATCH,
        last=Log(folder / "log.jsonl").read()[-1],
        device=device_name(device),
        scores=scores,
        guessing=math.log(len(CHARACTERS)),
    )


def _pack(folder: Path, file: Path) -> None:
    """Every moment's weights in one file, named "step.parameter", in float16; the losses beside them."""
    weights, losses = {}, {}
    gpt = GPT(MODEL).eval()
    for step in sorted(int(path.stem) for path in folder.glob("*.pt")):
        state = torch.load(folder / f"{step}.pt", map_location="cpu", weights_only=True)
        weights |= {f"{step}.{name}": tensor.half() for name, tensor in state.items()}
        gpt.load_state_dict({name: tensor.half() for name, tensor in state.items()})
        losses[step] = repeat_loss(gpt)
    save_file(weights, file, metadata={"losses": json.dumps(losses)})
