"""A prompt to edit and the answer that a model gives to it, while you type (L1.6.d, L1.6.e, L1.6.f)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from course.in_context.completion import complete, prompt_limit
from course.in_context.few_shot import FewShotModel, fingerprint
from course.in_context.prompts import (
    CHARACTERS,
    ENDS,
    SEPARATORS,
    Format,
    flip_answers,
    shuffled,
    usual_format,
    with_wrong_labels,
    write_prompt,
)
from course.in_context.reading import read_prompt, right_answer
from course.in_context.tasks import TASKS, Example
from course.models.language_model import LanguageModel
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WORDS = {
    "title": "Prompt laboratory",
    "task": "Task",
    "tasks": {
        "addition": "Addition",
        "spelling": "Spelling",
        "translation": "French to English",
        "copying": "Copying",
        "reversal": "Backwards",
        "lookup": "Looking up",
    },
    "prompt": "Prompt: the model reads this and goes on from its end",
    "shots": "As shots",
    "changed": "changed",
    "answer": "The model's answer",
    "change": "Change the prompt",
    "actions": {
        "shot": "Add a shot",
        "fewer": "Take one away",
        "question": "Another question",
        "wrong": "Wrong labels",
        "shuffle": "Shuffle the order",
        "format": "Change the format",
    },
    "undo": "Undo",
    "size": "{n} of at most {limit} tokens",
    "token": "{token}, probability {probability}",
    "alternatives": "What might stand in the place of “{token}”, and how probable it is",
    "outcome": "“{answer}”, with probability {probability} as a whole:",
    "right": "right.",
    "wrong": "it should be “{expected}”.",
    "unknown": "the right answer is not known here.",
    "turned": "(It writes the digits of a sum ones first: {written}.)",
    "asking": "Asking the model …",
    "silent": "No answer yet: is the kernel busy, or has it stopped?",
    "exported": "This page has no kernel: it shows the last prompt and its answer, and cannot ask again.",
    "sealed": "SHA-256 of the weights before the first prompt: {before}…; after prompt {count}: {after}…. "
    "The same: nothing was trained.",
    "broken": "SHA-256 of the weights before the first prompt: {before}…; after prompt {count}: {after}…. "
    "NOT the same: something has changed the weights.",
}

LONGEST = 16
"""Tokens of an answer at most."""
FORMATS = [Format(separator, end) for end in ENDS for separator in SEPARATORS]


class PromptLab(CourseWidget):
    """Edit a prompt, by hand or with buttons, and watch the answer and its probabilities change.

    The model runs after every change. The fingerprint of its weights is taken before the first prompt and
    after every answer. ``prompt`` may be set; ``reply`` holds what came of it.

    Args:
        model: of ``course.in_context.prompts.CHARACTERS``; the shipped one by default.
        tasks: names of ``course.in_context.tasks.TASKS``; each has a button that sets a prompt.
        shots: how many shots such a prompt has.
        seed: of the examples that the buttons draw.
    """

    _esm = module("prompt_lab")
    _css = stylesheet("common", "prompt_lab")
    prompt = traitlets.Unicode().tag(sync=True)
    reply = traitlets.Dict().tag(sync=True)
    refused = traitlets.Unicode(help="why a button did nothing").tag(sync=True)
    task = traitlets.Unicode().tag(sync=True)
    tasks = traitlets.List(traitlets.Unicode()).tag(sync=True)
    prints = traitlets.Dict(help="fingerprints before and after, and how many prompts").tag(sync=True)
    limit = traitlets.Int().tag(sync=True)
    live = traitlets.Bool(True, help="whether there is a kernel").tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(
        self,
        model: FewShotModel | None = None,
        tasks: Sequence[str] = ("addition", "spelling", "translation", "copying", "reversal", "lookup"),
        shots: int = 3,
        seed: int = 0,
    ):
        gpt = (model or FewShotModel.from_pretrained()).gpt
        self.model, self.shots, self.random = (
            LanguageModel(gpt, CHARACTERS),
            shots,
            np.random.default_rng(seed),
        )
        before = fingerprint(gpt)
        super().__init__(
            tasks=list(tasks),
            limit=prompt_limit(self.model, LONGEST),
            prints={"before": before, "after": before, "count": 0},
        )
        self.observe(self._ask, "prompt")
        self.on_msg(lambda _, content, __: self.act(**content))
        self.act("task", task=tasks[0])

    # -- asking the model --

    def _ask(self, _: Any) -> None:
        read, steps, size, problem = flip_answers(self.prompt), [], None, ""
        try:
            size = len(self.model.encode(read))
            steps = complete(self.model, read, stop=ENDS, longest=LONGEST)
        except ValueError as error:
            problem = str(error)
        written = "".join(step.token for step in steps if step.token not in ENDS)
        with self.hold_sync():
            self.refused = ""
            self.prints = self.prints | {
                "after": fingerprint(self.model.gpt),
                "count": self.prints["count"] + 1,
            }
            self.reply = {
                "prompt": self.prompt,
                "problem": problem,
                "size": size,
                "steps": [asdict(step) for step in steps],
                "written": written,
                "answer": flip_answers(read + written).removeprefix(self.prompt),
                "expected": self._expected(),
                "shots": self._marked_shots(),
            }

    def _marked_shots(self) -> list[list[Any]]:
        """Each shot's question and answer, and whether it is another than stood in its place before.

        Where no question has stayed, it is another prompt altogether, and nothing is marked.
        """
        try:
            shots, _, _ = read_prompt(self.prompt)
        except ValueError:
            return []
        before = [shot[:2] for shot in self.reply.get("shots", [])]
        same = {question for question, _ in before} & {shot.question for shot in shots}
        return [
            [*shot, bool(same) and [*shot] not in before[place : place + 1]]
            for place, shot in enumerate(shots)
        ]

    def _expected(self) -> str | None:
        try:
            shots, question, _ = read_prompt(self.prompt)
        except ValueError:
            return None
        return right_answer(self.task, question, shots)

    # -- changing the prompt --

    def act(self, action: str, prompt: str = "", task: str | None = None) -> None:
        """What a button does to a prompt; where it cannot, ``refused`` says why."""
        try:
            changed = self._start(task) if action == "task" else self._changed(action, prompt)
        except ValueError as error:
            self.refused = str(error)
        else:
            self.prompt = changed

    def _draw(self, n: int) -> list[Example]:
        return TASKS[self.task].draw(self.random, n, True)

    def _start(self, task: str) -> str:
        self.task = task
        *shots, last = self._draw(self.shots + 1)
        while right_answer(task, last.question, shots) is None:  # nobody can know it: draw others
            *shots, last = self._draw(self.shots + 1)
        return write_prompt(shots, last.question, usual_format(TASKS[task]))

    def _changed(self, action: str, prompt: str) -> str:
        shots, question, format = read_prompt(prompt)
        match action:
            case "shot":
                shots += self._draw(1)
            case "fewer":
                shots = shots[:-1]
            case "question":
                question = self._another(question, shots)
            case "wrong":
                shots = with_wrong_labels(shots, self.random)
            case "shuffle":
                shots = shuffled(shots, self.random)
            case "format":
                format = FORMATS[(FORMATS.index(format) + 1) % len(FORMATS)]
        return write_prompt(shots, question, format)

    def _another(self, question: str, shots: Sequence[Example]) -> str:
        """Another question that can be answered: of a lookup, one whose answer stands among the shots."""
        if self.task == "lookup":
            others = sorted({shot.question for shot in shots} - {question})
            return str(self.random.choice(others)) if others else question
        return self._draw(1)[0].question

    # -- where there is no kernel --

    def _page(self) -> str:
        with self.hold_sync():  # the widget on the screen, which has a kernel, hears nothing of it
            self.live = False
            page = super()._page()
            self.live = True
        return page

    def describe(self) -> str:
        reply = self.reply
        if reply["problem"]:
            return f"Prompt {self.prompt!r}: {reply['problem']}"
        chance = math.prod(step["probability"] for step in reply["steps"])
        same = "the same before and after" if self.prints["before"] == self.prints["after"] else "CHANGED"
        return (
            f"Prompt {self.prompt!r}. Answer {reply['answer']!r}, probability {chance:.2f}; "
            f"right: {reply['expected']!r}. The weights' fingerprint is {same}."
        )

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 3.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.axis("off")
        from course.figures import INK
        from course.fonts import drawable

        lines = self.prompt.replace("\n", "↵\n").replace(";", ";\n")
        left.text(
            0,
            1,
            "\n".join(map(drawable, lines.split("\n"))),
            va="top",
            family="monospace",
            color=INK,
            parse_math=False,
        )
        left.set_title(f"{WORDS['tasks'][self.task]}: the prompt", loc="left")
        self._draw_answer(right)
        return figure

    def _draw_answer(self, axes: Axes) -> None:
        from course.fonts import elide

        steps = self.reply["steps"]
        axes.bar(range(len(steps)), [step["probability"] for step in steps], color="#0072B2")
        axes.set_xticks(range(len(steps)), [elide(step["token"]) for step in steps], parse_math=False)
        axes.set(ylim=(0, 1.05), ylabel="probability", title="the answer, token by token")
