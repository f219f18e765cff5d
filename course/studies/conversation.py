"""What a conversation needs: marks, a stop, a history, each measured by leaving it out (L3.5.c)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Generator

from course.masking import IGNORED
from course.models.chat import ChatModel
from course.studies.bert_pretraining import padded
from course.text.chat import ASSISTANT, USER, Turn, conversation_ids, turn_ids

CITIES = (
    "anaheim", "berkeley", "chicago", "concord", "corte madera", "danville", "davis", "fremont", "fresno",
    "hayward", "las vegas", "livermore", "long beach", "los angeles", "milpitas", "mountain view", "napa",
    "new york", "novato", "oakland", "palo alto", "petaluma", "philadelphia", "phoenix", "pleasanton",
    "portland", "sacramento", "san bruno", "san diego", "san francisco", "san jose", "san mateo",
    "san rafael", "santa clara", "santa rosa", "seattle", "sonoma", "toronto", "vancouver", "walnut creek",
    "washington",
)  # fmt: skip
VALUES = {
    "city": re.compile(rf"\b(?:{'|'.join(CITIES)})\b"),
    "time": re.compile(r"\b\d{1,2}(?::\d\d)? ?[ap]m\b"),
}
"""What a conversation has to hold on to, as it stands in a text of lower case."""


class Interval(NamedTuple):
    """A share or a mean, and the 95 % interval around it."""

    value: float
    low: float
    high: float


def wilson(hits: int, n: int) -> Interval:
    """A share with Wilson's interval; of nothing, anything from 0 to 1."""
    if not n:
        return Interval(math.nan, 0.0, 1.0)
    z2 = 1.96**2
    middle, half = (hits + z2 / 2) / (n + z2), math.sqrt(z2 * hits * (n - hits) / n + z2**2 / 4) / (n + z2)
    return Interval(hits / n, middle - half, middle + half)


def resampled(values: Sequence[float], draws: int = 1000, seed: int = 0) -> Interval:
    """A mean with the interval of its bootstrap."""
    x = torch.tensor(values, dtype=torch.float64)
    chosen = torch.randint(len(x), (draws, len(x)), generator=Generator().manual_seed(seed))
    means = x[chosen].mean(-1).sort().values
    return Interval(x.mean().item(), means[int(0.025 * draws)].item(), means[int(0.975 * draws)].item())


# --------------------------------------------------------------------------------------------------
# What the marks are worth
# --------------------------------------------------------------------------------------------------


def prompts(model: ChatModel, turns: Sequence[Turn], room: int) -> dict[str, list[int]]:
    """The same history four ways: with its marks, without any, with the roles exchanged, and no history."""
    encode, marks = model.tokenizer.encode, model.marks
    plain = [id for turn in turns for id in (*encode(turn.text), *encode("\n"))]
    other = {USER: ASSISTANT, ASSISTANT: USER}
    turned = conversation_ids([Turn(other[role], text) for role, text in turns], encode, marks)
    whole = conversation_ids(turns, encode, marks)
    return {
        "as in training": [*whole[-room:], marks.assistant],
        "without marks": plain[-room:],
        "roles exchanged": [*turned[-room:], marks.user],
        "without history": [marks.assistant],
    }


@torch.no_grad()
def reply_losses(
    model: ChatModel, dialogues: Sequence[Sequence[Turn]], seed: int = 0
) -> dict[str, list[float]]:
    """For each dialogue the loss of one reply of the assistant's, drawn at random, in nats a token.

    Over the tokens of what people wrote there, and not its end; one number for each way of ``prompts``.
    """
    chance, found = Generator().manual_seed(seed), {}
    for turns in dialogues:
        at = 2 * int(torch.randint(1, len(turns) // 2, (), generator=chance)) + 1
        said = model.tokenizer.encode(turns[at].text)[:60]
        room = model.gpt.config.max_length - len(said) - 1
        for way, ids in prompts(model, turns[:at], room).items():
            read = torch.tensor([[*ids, *said]])
            targets = read[:, 1:].clone()
            targets[:, : len(ids) - 1] = IGNORED
            found.setdefault(way, []).append(model.gpt.loss(read[:, :-1], targets).item())
    return found


# --------------------------------------------------------------------------------------------------
# What is forgotten
# --------------------------------------------------------------------------------------------------


class Held(NamedTuple):
    """A value that the assistant's turn ``at`` says again, ``distance`` turns after it was last said.

    ``before`` is what the turn says before it.
    """

    turns: Sequence[Turn]
    at: int
    before: str
    value: str
    kind: str
    distance: int


def held_values(dialogues: Sequence[Sequence[Turn]]) -> Iterator[Held]:
    """Every city and every time of day in an assistant's turn that an earlier turn has said too."""
    for turns in dialogues:
        texts = [turn.text.lower() for turn in turns]
        for at, turn in enumerate(turns):
            if turn.role != ASSISTANT:
                continue
            for kind, pattern in VALUES.items():
                for match in pattern.finditer(texts[at]):
                    if match[0] in texts[at][: match.start()]:
                        continue  # said in this very turn already
                    earlier = [i for i in range(at) if said_in(match[0], texts[i])]
                    if earlier:
                        before = texts[at][: match.start()]
                        yield Held(turns, at, before, match[0], kind, at - earlier[-1])


def said_in(value: str, text: str) -> bool:
    """Whether a text says this city or this time; "1 pm" is not in "11 pm"."""
    return re.search(rf"(?<![\w:]){re.escape(value)}(?!\w)", text) is not None


@torch.no_grad()
def goes_on(model: ChatModel, cases: Sequence[Held], keep: int | None, batch: int = 32) -> list[bool]:
    """For each case, whether the model, given the reply up to there, goes on with the value.

    It reads the newest ``keep`` turns, as far as they fit; with 0 the beginning of the reply alone. Whether
    it would write the value is seen in one pass: each token has to be the likeliest behind those before.
    """
    prompts, found = [_up_to_the_value(model, case, keep) for case in cases], []
    for start in range(0, len(cases), batch):
        some = prompts[start : start + batch]
        best = model.gpt(padded([[*ids, *wanted] for ids, wanted in some], 0)).argmax(-1)
        for row, (ids, wanted) in zip(best.tolist(), some, strict=True):
            found.append(row[len(ids) - 1 : len(ids) + len(wanted) - 1] == wanted)
    return found


def _up_to_the_value(model: ChatModel, case: Held, keep: int | None) -> tuple[list[int], list[int]]:
    """What is read, and the ids of the value."""
    encode = model.tokenizer.encode
    before = encode(case.before.rstrip())
    wanted = encode(f" {case.value}" if case.before.rstrip() else case.value)
    turns = case.turns[: case.at] if keep is None else case.turns[max(0, case.at - keep) : case.at]
    room = model.gpt.config.max_length - len(before) - len(wanted) - 1
    written: list[list[int]] = []
    for turn in reversed(turns):  # the newest whole turns that fit
        ids = turn_ids(turn, encode, model.marks)
        if sum(map(len, written)) + len(ids) > room:
            break
        written.insert(0, ids)
    return [id for ids in written for id in ids] + [model.marks.assistant, *before], wanted


def latest(cases: Sequence[Held], keep: int | None = None) -> list[bool]:
    """The plain baseline: say the city, or the time, that was said last in what is read."""
    told = []
    for case in cases:
        turns = case.turns[: case.at] if keep is None else case.turns[max(0, case.at - keep) : case.at]
        found = [value for turn in turns for value in VALUES[case.kind].findall(turn.text.lower())]
        told.append(bool(found) and found[-1] == case.value)
    return told


def by_distance(
    cases: Sequence[Held], told: Sequence[bool], bands: Sequence[tuple[int, int]]
) -> list[Interval]:
    """The share of values that were said, by how many turns ago they were last said, from and to."""
    hits = [[hit for case, hit in zip(cases, told, strict=True) if a <= case.distance <= b] for a, b in bands]
    return [wilson(sum(own), len(own)) for own in hits]


def mean_of(losses: dict[str, list[float]]) -> dict[str, Interval]:
    """Each way's mean loss, and of every other way how much more it is than the first, reply by reply."""
    first, *others = losses
    differences = {
        f"{way}, more": resampled([b - a for a, b in zip(losses[first], losses[way], strict=True)])
        for way in others
    }
    return {way: resampled(found) for way, found in losses.items()} | differences
