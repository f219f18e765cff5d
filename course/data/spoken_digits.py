"""Spoken digits: zero to nine as a synthesiser says them, in many voices, shipped as log-mel numbers.

Not people: the formant synthesiser espeak-ng. What is held out are whole voices, both their accent and their
kind. How it was made: ``make``. Credits and licences: ``seen_and_heard/README.md``.
"""

from __future__ import annotations

import subprocess
import tempfile
import wave
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from PIL import Image
from torch import Tensor

from course.data.sound import log_mel

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
FRAMES, BANDS = 40, 24
"""Frames in a word, a fiftieth of a second each; bands in a frame."""
TRAINED = (
    ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-029", "en-gb-x-gbclan"),
    ("m1", "m2", "m3", "m5", "m6", "f1", "f2", "f4"),
)
HELD_OUT = (("en-us-nyc", "en-gb-x-gbcwmd"), ("m4", "m7", "m8", "f3", "f5"))
"""Accents and kinds of voice; none of the second pair is in the first."""
SPEEDS, PITCHES, SILENCE = (110, 230), (25, 75), 0.14
"""Words a minute and espeak's pitch, from and to; the longest silence before a word, in seconds."""
QUIET, LOUD, LEVELS = -6.0, 4.0, 64
"""Powers (log₁₀) that are stored as the lowest and the highest of so many levels."""
FOLDER = Path(__file__).with_name("seen_and_heard")


class Spoken(NamedTuple):
    """Words as frames, mean 0 and spread about 1; the digits; and which voice says each."""

    frames: Float[Tensor, "word frame band"]
    labels: Int[Tensor, "word"]
    voices: list[str]


def spoken(part: str) -> Spoken:
    """Every word of the voices to train on ("train") or of those kept apart ("held out").

    Raises:
        ValueError: if the part is neither.
    """
    if part not in ("train", "held out"):
        raise ValueError(f"part must be 'train' or 'held out'; got {part!r}")
    every, said = _stored()
    wanted = set(voices(HELD_OUT if part == "held out" else TRAINED))
    chosen = [i for i, (_, voice) in enumerate(said) if voice in wanted]
    digits, who = zip(*(said[i] for i in chosen), strict=True)
    return Spoken((every[chosen] - _centre()) / 2, torch.tensor(digits), list(who))


def voices(of: tuple[tuple[str, ...], tuple[str, ...]]) -> list[str]:
    """Every accent with every kind of voice."""
    return [f"{accent}+{kind}" for accent in of[0] for kind in of[1]]


@cache
def _stored() -> tuple[Float[Tensor, "word frame band"], list[tuple[int, str]]]:
    """Every word's frames, as powers, and its digit and voice."""
    pixels = np.asarray(Image.open(FOLDER / "spoken.png")).reshape(-1, FRAMES, BANDS)
    lines = (FOLDER / "spoken.tsv").read_text(encoding="utf-8").splitlines()[1:]
    said = [(int(digit), voice) for digit, voice, _, _ in (line.split("\t") for line in lines)]
    return QUIET + torch.tensor(pixels).float() * (LOUD - QUIET) / (LEVELS - 1), said


@cache
def _centre() -> Float[Tensor, "1"]:
    every, said = _stored()
    trained = [voice in voices(TRAINED) for _, voice in said]
    return every[torch.tensor(trained)].mean()[None]


def make(takes: int = 2, seed: int = 0) -> None:
    """Have espeak-ng say every word, and write what ships; needs its program on this machine.

    Each voice says each digit so many times, at a speed, a pitch, a loudness and after a silence that are
    drawn; a little noise is laid under it, as every microphone does.
    """
    random = np.random.default_rng(seed)
    rows, said = [], []
    for voice in [*voices(TRAINED), *voices(HELD_OUT)]:
        for digit, word in enumerate(WORDS):
            for _ in range(takes):
                speed, pitch = (int(random.integers(low, high + 1)) for low, high in (SPEEDS, PITCHES))
                rows.append(_heard(*_said(word, voice, speed, pitch), random))
                said.append((digit, voice, speed, pitch))
    scaled = (torch.stack(rows) - QUIET) / (LOUD - QUIET) * (LEVELS - 1)
    pixels = scaled.round().clamp(0, LEVELS - 1).byte().flatten(1).numpy()
    Image.fromarray(pixels).save(FOLDER / "spoken.png", optimize=True)
    lines = ["\t".join(map(str, word)) for word in said]
    (FOLDER / "spoken.tsv").write_text(
        "\n".join(["digit\tvoice\tspeed\tpitch", *lines]) + "\n", encoding="utf-8"
    )


def _said(word: str, voice: str, speed: int, pitch: int) -> tuple[np.ndarray, int]:
    """The samples from the first to the last that can be heard, and their rate."""
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/word.wav"
        options = ["-v", voice, "-s", str(speed), "-p", str(pitch), "-w", file]
        subprocess.run(["espeak-ng", *options, word], check=True)
        with wave.open(file) as sound:
            samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2") / 32768
            heard = np.flatnonzero(np.abs(samples) > 0.01)
            return samples[heard[0] : heard[-1] + 1], sound.getframerate()


def _heard(samples: np.ndarray, rate: int, random: np.random.Generator) -> Float[Tensor, "frame band"]:
    """The word behind some silence, in noise, cut to ``FRAMES`` frames."""
    length = round(FRAMES * 0.02 * rate)
    room, start = np.zeros(length + rate), int(random.uniform(0, SILENCE) * rate)
    room[start : start + len(samples)] = samples * random.uniform(0.3, 1.0)
    room += random.normal(0, 10 ** random.uniform(-3.2, -2.2), len(room))
    return log_mel(torch.tensor(room[:length]).float(), rate, BANDS)[:FRAMES]
