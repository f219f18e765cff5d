"""A GPT of characters that answers few-shot prompts, and how it is scored: exact match, nothing else."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from course.in_context.prompts import CHARACTERS, ENDS, Encoded, Format, encode, flip_answers
from course.in_context.tasks import Example
from course.models.gpt import GPT
from course.models.rotary_gpt import RotaryGPT


class FewShotModel:
    """Answers a prompt's last question by writing on until an example would end.

    Args:
        gpt: reads ``course.in_context.prompts.CHARACTERS``.
    """

    def __init__(self, gpt: GPT):
        self.gpt = gpt

    @classmethod
    def from_pretrained(cls, name: str | Path = "few-shot") -> FewShotModel:
        """The shipped checkpoint, or one of yours by its folder.

        Raises:
            OSError: if there is no such checkpoint.
        """
        return cls(RotaryGPT.from_pretrained(name))

    def answer(self, prompt: str, longest: int = 16) -> str:
        """The likeliest answer, letter after letter, in the digits' usual order.

        Args:
            prompt: examples and a question with its separator, as ``write_prompt`` writes them.
            longest: characters in an answer at most.

        Raises:
            ValueError: if the prompt is empty, too long, or has a character that the model does not know.
        """
        ids = CHARACTERS.encode(flip_answers(prompt))
        ends = CHARACTERS.encode(ENDS)
        written = self.gpt.generate(ids, longest, temperature=0, stop=ends)
        answer = CHARACTERS.decode(id for id in written if id not in ends)
        return flip_answers(prompt[-1] + answer)[1:]

    def is_right(
        self, prompts: Sequence[Sequence[Example]], format: Format
    ) -> Bool[Tensor, "prompts examples"]:
        """Whether each example of each prompt is answered exactly, given those before it, all in one pass.

        The k-th column is for k shots. Reading the right beginning of an answer, the model writes all of it
        if and only if it would have written all of it by itself. Columns that not every prompt has room for
        are left out.
        """
        encoded = encode([(examples, format) for examples in prompts], self.gpt.config.max_length)
        with torch.no_grad():
            logits = torch.cat([self.gpt(ids) for ids in encoded.ids.split(64)])
        return exact_matches(logits, encoded)


def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    """Whether the likeliest token is right at every position of an answer and at the end behind it.

    One row for each prompt, in column k its example with k shots before it. ``encoded.shots`` says by that
    number to which example a position belongs, and is -1 where nothing is asked; ``encoded.targets`` is what
    should be predicted there. Of unequal numbers of examples only the columns that every prompt has are kept.
    """
    asked = encoded.shots >= 0
    wrong = (logits.argmax(-1) != encoded.targets) & asked
    examples = int(encoded.shots.max(dim=1).values.min()) + 1  # that every prompt has
    counts = torch.zeros(len(wrong), int(encoded.shots.max()) + 1, dtype=torch.long)
    counts.scatter_add_(1, encoded.shots.clamp(min=0), wrong.long())
    return counts[:, :examples] == 0


def fingerprint(model: nn.Module) -> str:
    """Sixteen hexadecimal digits of the SHA-256 of all weights: another bit anywhere, another fingerprint."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode("utf-8") + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    """The interval in which the true share lies, with 95 % confidence for z = 1.96.

    Raises:
        ValueError: unless 0 <= right <= asked and something was asked.

    Source: Wilson 1927; Agresti and Coull 1998, equation 1.
    """
    if not 0 <= right <= asked or asked < 1:
        raise ValueError(f"of 1 or more questions asked, 0 to all were answered; got {right} of {asked}")
    share, weight = right / asked, z * z / asked
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * math.sqrt(share * (1 - share) / asked + weight / (4 * asked))
    return max(0.0, middle - half), min(1.0, middle + half)
