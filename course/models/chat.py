"""A GPT that takes turns: a history becomes a row of tokens, and what is written ends with its turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from course import checkpoints
from course.checkpoints.reading import check_vocabulary
from course.models.gpt import GPT
from course.text.chat import ASSISTANT, USER, Marks, Turn, chat_prompt
from course.text.tokenizers import Tokenizer

MARKS = ("<user>", "<assistant>")
LONGEST = 60
"""The most tokens of a reply, by default."""


class Reply(NamedTuple):
    """What was written, and how it ended: with the end of the turn, or because there was no more room."""

    text: str
    ended: bool
    ids: list[int]


class ChatModel:
    """A GPT trained on conversations, and its vocabulary with a token for each role.

    The model itself remembers nothing between two turns. What it knows of a conversation is what it is given
    to read; ``keep`` cuts that to the newest turns, and the model's length cuts it anyway.

    Raises:
        ValueError: if the vocabulary is another model's.

    Source: lecture row L3.5.c.
    """

    def __init__(self, gpt: GPT, tokenizer: Tokenizer):
        self.gpt, self.tokenizer = gpt.eval(), tokenizer
        self.marks = marks_of(tokenizer)

    @classmethod
    def from_pretrained(cls, name: str | Path = "gpt-dialogue") -> ChatModel:
        """A folder, or a shipped checkpoint.

        Raises:
            ValueError: if it is another architecture, or a file is damaged or another model's.
            OSError: if there is no such checkpoint.
        """
        gpt, tokenizer = (
            GPT.from_pretrained(name),
            Tokenizer.load(checkpoints.find_file(name, "tokenizer.json")),
        )
        check_vocabulary(len(tokenizer), gpt.config.vocab_size, name)
        return cls(gpt, tokenizer)

    def prompt(self, turns: Sequence[Turn], keep: int | None = None, longest: int = LONGEST) -> list[int]:
        """What is read before the next turn: the newest turns, so that ``longest`` tokens still fit behind.

        Args:
            keep: the most turns that are read; None for all that fit.

        Raises:
            ValueError: as ``chat_prompt``.
        """
        kept = list(turns) if keep is None else list(turns)[-keep:]
        return chat_prompt(kept, self.tokenizer.encode, self.marks, self.gpt.config.max_length - longest)

    def read(self, turns: Sequence[Turn], keep: int | None = None, longest: int = LONGEST) -> int:
        """How many of the turns, the newest ones, are read before the next."""
        ids = self.prompt(turns, keep, longest)
        return sum(id in (self.marks.user, self.marks.assistant) for id in ids) - 1

    def reply(
        self, turns: Sequence[Turn], keep: int | None = None, longest: int = LONGEST, **settings: Any
    ) -> Reply:
        """The assistant's next turn. Settings are those of ``GPT.stream``; by default the likeliest tokens.

        Raises:
            ValueError: as ``chat_prompt``, or as ``GPT.stream``.
        """
        ids = self.prompt(turns, keep, longest)
        return self.finish(ids, longest, **settings)

    def finish(self, ids: Sequence[int], longest: int = LONGEST, stop: bool = True, **settings: Any) -> Reply:
        """Write on from a prompt; without ``stop`` the end of a turn ends nothing."""
        settings = {"temperature": 0, "stop": {self.marks.end} if stop else ()} | settings
        written = self.gpt.generate(ids, longest, **settings)
        ended = stop and written[-1] == self.marks.end
        return Reply(self.tokenizer.decode(written).strip(), ended, written)

    def spoken(self, ids: Sequence[int]) -> Iterator[Turn]:
        """The turns in a row of ids; what stands before the first role is the assistant's."""
        speaker, said = ASSISTANT, []
        for id in [*ids, self.marks.user]:
            if id in (self.marks.user, self.marks.assistant):
                if said:
                    yield Turn(speaker, self.tokenizer.decode(said).strip())
                speaker, said = (USER if id == self.marks.user else ASSISTANT), []
            elif id != self.marks.end:
                said.append(id)


def marks_of(tokenizer: Tokenizer) -> Marks:
    """The ids of the marks of a tokenizer that was trained with ``MARKS``.

    Raises:
        ValueError: if it was not.
    """
    return Marks(*(tokenizer.mark(name) for name in (*MARKS, "<eos>")))
