"""How far, and how much, can a reader remember? Tasks on two axes, and four small readers to try on them.

Distance: one clue, then k other words, then the question. Number: n pairs of a key and its value, then one of
the keys. The cloze asks both in sentences: "Anna grew up in France ... Anna speaks fluent ___".
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from course.attention import scaled_dot_product_attention
from course.data import far_clues
from course.models.recurrent import set_forget_bias

READERS = ("RNN", "GRU", "LSTM", "attention")
CLUES = 16
KEYS = 32


Size = int | tuple[int, int]
"""How large a question is: its distance, its number of pairs, or its people and other sentences."""


class Questions(NamedTuple):
    """Sequences of one length, and the number of the right answer to each.

    A step of a sequence is one id, or several that are read at once.
    """

    ids: Int[Tensor, "batch time parts"]
    answers: Int[Tensor, "batch"]


class Task(NamedTuple):
    """What a reader has to know before it reads: how many ids there are, and how many answers."""

    vocab_size: int
    answers: int
    draw: Callable[[Size, int, torch.Generator], Questions]
    """``draw(size, batch, generator)``: so many questions of a size."""


def one_clue(distance: int, batch: int, generator: torch.Generator) -> Questions:
    """One of 16 clues, somewhere; behind it ``distance`` - 1 fillers, then the question mark.

    Up to three more fillers stand before the clue. Fillers are drawn anew each time, and are no clues.

    Raises:
        ValueError: if the distance is less than 1.
    """
    if distance < 1:
        raise ValueError(f"the clue stands 1 step or more before the question; got {distance}")
    before = int(torch.randint(4, (), generator=generator))
    ids = torch.randint(CLUES, 2 * CLUES, (batch, before + distance + 1), generator=generator)
    answers = torch.randint(CLUES, (batch,), generator=generator)
    ids[:, before], ids[:, -1] = answers, 2 * CLUES
    return Questions(ids[..., None], answers)


def many_pairs(n: int, batch: int, generator: torch.Generator) -> Questions:
    """``n`` pairs of a key and a value, one pair a step, then one of the keys alone: which value had it?

    The 32 keys of a sequence differ; its values may not.

    Raises:
        ValueError: if there are not 1 to 32 pairs.
    """
    if not 1 <= n <= KEYS:
        raise ValueError(f"there are 1 to {KEYS} pairs; got {n}")
    keys = torch.rand(batch, KEYS, generator=generator).argsort(dim=-1)[:, :n]
    values = torch.randint(KEYS, (batch, n), generator=generator)
    asked = torch.randint(n, (batch, 1), generator=generator)
    nothing = torch.full((batch, 1), 2 * KEYS)
    ids = torch.stack(
        [torch.cat([keys, keys.gather(1, asked)], 1), torch.cat([KEYS + values, nothing], 1)], -1
    )
    return Questions(ids, values.gather(1, asked)[:, 0])


def cloze(size: tuple[int, int], batch: int, generator: torch.Generator) -> Questions:
    """Texts of so many people and so many other sentences, up to the gap; the answer is a language.

    Raises:
        ValueError: as ``course.data.far_clues.text``.
    """
    draw = random.Random(int(torch.randint(2**31, (), generator=generator)))
    texts = [far_clues.text(*size, draw) for _ in range(batch)]
    languages = {language: number for number, language in enumerate(far_clues.LANGUAGES.values())}
    ids = torch.tensor([far_clues.encode(words) for words, _, _ in texts])
    return Questions(ids[..., None], torch.tensor([languages[language] for _, language, _ in texts]))


TASKS = {
    "one clue": Task(2 * CLUES + 1, CLUES, one_clue),
    "many pairs": Task(2 * KEYS + 1, KEYS, many_pairs),
    "cloze": Task(len(far_clues.vocabulary()), len(far_clues.LANGUAGES), cloze),
}


class Reader(nn.Module):
    """Reads a sequence with one recurrent layer and answers at its end.

    Of the four kinds, three answer from the last state alone. "attention" is the GRU again, but at the end
    its last state may look back, with one head, over all states before: nothing else is different.

    Args:
        kind: one of ``READERS``. The LSTM's forget gates start with bias 1.
        vocab_size, answers: the task's.
        width: of the words' vectors and of the state.
    """

    def __init__(self, kind: str, vocab_size: int, answers: int, width: int = 64):
        super().__init__()
        if kind not in READERS:
            raise ValueError(f"a reader is one of {', '.join(READERS)}; got {kind!r}")
        self.kind = kind
        self.embedding = nn.Embedding(vocab_size, width)
        cell = {"RNN": nn.RNN, "LSTM": nn.LSTM}.get(kind, nn.GRU)
        self.cell = cell(width, width, batch_first=True)
        if kind == "LSTM":
            set_forget_bias(self.cell)
        if kind == "attention":
            self.q_proj, self.k_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.answer = nn.Linear(2 * width if kind == "attention" else width, answers)

    def forward(self, ids: Int[Tensor, "batch time parts"]) -> Float[Tensor, "batch answers"]:
        """Logits of the answers."""
        return self.answer(self.read(self.embedding(ids).sum(dim=-2))[0])

    def read(
        self, x: Float[Tensor, "batch time width"]
    ) -> tuple[Float[Tensor, "batch features"], Float[Tensor, "batch time-1"] | None]:
        """What the answer is made of, and the weights of the states looked back at (or None)."""
        states, _ = self.cell(x)
        last = states[:, -1]
        if self.kind != "attention":
            return last, None
        past = states[:, :-1]
        found, weights = scaled_dot_product_attention(self.q_proj(last)[:, None], self.k_proj(past), past)
        return torch.cat([last, found[:, 0]], dim=-1), weights[:, 0]

    def loss(self, ids: Int[Tensor, "batch time parts"], answers: Int[Tensor, "batch"]) -> Float[Tensor, ""]:
        """The mean cross-entropy of the answers, in nats."""
        return F.cross_entropy(self(ids), answers)


class Drawn:
    """Batches for ``fit``: the size of each step's questions is drawn evenly from ``sizes``.

    What a step trains on depends on the step and the seed alone.
    """

    def __init__(self, task: Task, sizes: Sequence[Size], batch: int = 64, seed: int = 0):
        self.task, self.sizes, self.batch, self.seed = task, list(sizes), batch, seed

    def __call__(self, step: int) -> Questions:
        """The questions of this step."""
        generator = torch.Generator().manual_seed(1_000_003 * self.seed + step)
        size = self.sizes[int(torch.randint(len(self.sizes), (), generator=generator))]
        return self.task.draw(size, self.batch, generator)


@torch.no_grad()
def accuracy(
    reader: nn.Module, task: Task, sizes: Sequence[Size], n: int = 500, seed: int = 10**6
) -> list[float]:
    """The share of ``n`` new questions of each size that are answered right."""
    found = []
    for i, size in enumerate(sizes):
        questions = task.draw(size, n, torch.Generator().manual_seed(seed + i))
        found.append((reader(questions.ids).argmax(-1) == questions.answers).float().mean().item())
    return found


def gradient_at_clue(reader: Reader, task: Task, distance: int, n: int = 64, seed: int = 0) -> list[float]:
    """How much the loss moves with the input at each step, mean over ``n`` questions; the last step is last.

    It is the norm of the gradient at the word's vector, of one question's loss: what training has to go by.
    """
    questions = task.draw(distance, n, torch.Generator().manual_seed(seed))
    x = reader.embedding(questions.ids).sum(dim=-2).detach().requires_grad_()
    loss = F.cross_entropy(reader.answer(reader.read(x)[0]), questions.answers, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, x)
    return gradient.norm(dim=-1).mean(dim=0).tolist()
