"""A conversation with a small model, a turn at a time (L3.5.c): what it reads, what it no longer does."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import traitlets

from course.models.chat import ChatModel
from course.text.chat import ASSISTANT, USER, Turn
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 20
WORDS = {
    "title": "A conversation",
    "say": "Your turn",
    "send": "Send",
    "again": "Start again",
    "keep": "Turns that it reads",
    "all": "all that fit",
    "user": "you",
    "assistant": "the model",
    "says": "{turns} turns. Before its next one the model reads the newest {read}, {ids} tokens; "
    "it sees {most} at most.",
    "empty": "Nothing has been said yet.",
    "forgotten": "forgotten",
    "cut": "… (no end of the turn came)",
    "hint": "Enter sends.",
    "saved": "A saved page: to go on, open the notebook.",
}


class ChatBox(CourseWidget):
    """Type a turn and the model answers; turns that it no longer reads are shown pale.

    Args:
        model: the one that answers.
        turns: what has been said; where the last is yours, it is answered at once.
        keep: the most turns that are read; 0 for all that fit.

    Source: lecture row L3.5.c.
    """

    _esm = module("chat_box")
    _css = stylesheet("common", "chat_box")
    turns = traitlets.List().tag(sync=True)
    said = traitlets.List(help="what the learner sends: a number that counts up, and the text").tag(sync=True)
    keep = traitlets.Int(0, min=0, max=MOST).tag(sync=True)
    most = traitlets.Int(MOST).tag(sync=True)
    read = traitlets.List(traitlets.Int(), [0, 0], help="turns, tokens").tag(sync=True)
    room = traitlets.Int().tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, model: ChatModel, turns: Sequence[Turn] = (), keep: int = 0):
        self.model = model
        super().__init__(turns=[list(turn) for turn in turns], keep=keep, room=model.gpt.config.max_length)
        if turns and turns[-1][0] == USER:
            self._answer()
        self._weigh()
        self.observe(self._hear, "said")
        self.observe(self._weigh, ["keep", "turns"])

    def say(self, text: str) -> str:
        """Say something and get the answer.

        Raises:
            ValueError: if there is nothing to be said, or it does not fit.
        """
        if not text.strip():
            raise ValueError("type something to say")
        asked = [*self._history(), Turn(USER, text.strip())]
        self.model.prompt(asked, self.keep or None)  # refuses what does not fit before anything is changed
        self.turns = [list(turn) for turn in asked]
        self._answer()
        return self.turns[-1][1]

    def _history(self) -> list[Turn]:
        return [Turn(*turn) for turn in self.turns]

    def _answer(self) -> None:
        reply = self.model.reply(self._history(), self.keep or None)
        text = reply.text if reply.ended else f"{reply.text} {WORDS['cut']}"
        self.turns = [*self.turns, [ASSISTANT, text]]

    def _weigh(self, _: object = None) -> None:
        """How much is read before the next turn."""
        if not self.turns:
            self.read = [0, 0]
            return
        ids = self.model.prompt(self._history(), self.keep or None)
        self.read = [self.model.read(self._history(), self.keep or None), len(ids)]

    def _hear(self, _: object) -> None:
        """What the browser sends; an empty text starts again."""
        self.problem = ""
        text = self.said[1]
        if text == "":
            self.turns = []
            return
        try:
            self.say(text)
        except ValueError as error:
            self.problem = str(error)

    def describe(self) -> str:
        if not self.turns:
            return WORDS["empty"]
        head = WORDS["says"].format(
            turns=len(self.turns), read=self.read[0], ids=self.read[1], most=self.room
        )
        return "\n".join([head, *(f"{WORDS[role]}: {text}" for role, text in self.turns)])

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        from course.figures import COLOURS, INK

        gone = len(self.turns) - self.read[0]
        lines = [
            (line, role, i < gone)
            for i, (role, text) in enumerate(self.turns)
            for line in textwrap.wrap(f"{WORDS[role]}: {text}", 100)
        ]
        figure = Figure(figsize=(9, 0.3 * max(2, len(lines)) + 0.3))
        for i, (line, role, forgotten) in enumerate(lines):
            colour = INK if role == USER else COLOURS["blue"]
            at = 1 - (i + 0.7) / max(2, len(lines))
            look = {"fontsize": 10, "color": colour, "alpha": 0.5 if forgotten else 1, "parse_math": False}
            figure.text(0.02 if role == USER else 0.06, at, line, **look)
        return figure
