"""A conversation as one row of tokens: who speaks is a token, and so is that a turn is over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

USER, ASSISTANT = "user", "assistant"


class Turn(NamedTuple):
    """What one of the two said; ``role`` is "user" or "assistant"."""

    role: str
    text: str


class Marks(NamedTuple):
    """The ids of the tokens that no text can hold: who speaks, and the end of a turn."""

    user: int
    assistant: int
    end: int

    def of(self, role: str) -> int:
        """The token that says that this role speaks.

        Raises:
            ValueError: if there is no such role.
        """
        if role not in (USER, ASSISTANT):
            raise ValueError(f"a turn is the user's or the assistant's; got {role!r}")
        return self.assistant if role == ASSISTANT else self.user


def turn_ids(turn: Turn, encode: Callable[[str], list[int]], marks: Marks) -> list[int]:
    """The ids of one turn: who speaks, what is said, the end."""
    return [marks.of(turn.role), *encode(turn.text), marks.end]


def conversation_ids(turns: Iterable[Turn], encode: Callable[[str], list[int]], marks: Marks) -> list[int]:
    """All turns in a row, as the model reads them in training."""
    return [id for turn in turns for id in turn_ids(turn, encode, marks)]


def chat_prompt(
    turns: Sequence[tuple[str, str]], encode: Callable[[str], list[int]], marks: Marks, room: int
) -> list[int]:
    """What a model reads before it writes the assistant's next turn.

    Every turn is the token of its role (``marks.of(role)``), the ids of its text (``encode(text)``) and
    ``marks.end``; behind the last stands ``marks.assistant`` and no end: that turn is the model's to write.
    Where all of this is more than ``room`` ids, the oldest turns are left out, whole ones and as few as will
    do. The newest turn always stays. What was given stays as it is.

    Args:
        turns: (role, text) pairs, the oldest first; ``course.text.chat.Turn`` is one.

    Raises:
        ValueError: if there are no turns, or the newest alone does not fit, or there is no such role.

    Source: the chat templates of instruction-tuned models (Ouyang et al. 2022, InstructGPT); lecture row
    L3.5.c.
    """
    if not turns:
        raise ValueError("there is nothing to answer: give at least one turn")
    written = [turn_ids(Turn(*turn), encode, marks) for turn in turns]
    if len(written[-1]) + 1 > room:
        raise ValueError(f"the newest turn takes {len(written[-1])} of {room - 1} ids: make it shorter")
    while sum(map(len, written)) + 1 > room:
        written = written[1:]
    return [id for ids in written for id in ids] + [marks.assistant]
