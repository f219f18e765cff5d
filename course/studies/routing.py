"""The pipe: an encoder says what is wanted, and what it chooses stands before a GPT's reply (L3.5.d)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from course.data.intents import SERVED
from course.models.chat import ChatModel
from course.text.chat import ASSISTANT, USER, Turn

OPENINGS = {
    "flights": ("i need a plane ticket.", "sure. which city are you flying to, and on which day?"),
    "hotels": ("i need a place to stay.", "sure. in which city do you need the hotel, and from which day?"),
    "rental cars": (
        "i need a car for some days.",
        "sure. in which city do you want to pick the car up?",
    ),
    "rides": ("i need a cab.", "sure. where should the cab take you, and how many people will ride?"),
    "restaurants": ("i want to eat out.", "sure. in which city should i look for a restaurant?"),
    "sights": ("what is there to see?", "sure. in which city should i look for attractions?"),
    "weather": ("what will it be like outside?", "sure. for which city do you want the weather forecast?"),
    "music": ("i want to hear something.", "sure. which song or which artist do you want to hear?"),
    "bank accounts": (
        "i have a question about my money.",
        "sure. the checking or the savings account?",
    ),
}
"""What the prompt is made of, for each subject: an exchange that stands before the request. Ours, CC0."""

WORDS = {
    "flights": "fly flying flight flights airport airline airlines ticket tickets",
    "hotels": "hotel hotels room rooms stay staying star check",
    "rental cars": "car cars rental pick picking drop",
    "rides": "cab ride rides taxi share shared passengers pool destination",
    "restaurants": "restaurant restaurants reservation table seating eat cuisine dine",
    "sights": "attraction attractions park museum visit tourist place places garden",
    "weather": "weather temperature degrees rain forecast humidity wind sunny",
    "music": "song songs music artist album genre singer playing listen",
    "bank accounts": "account accounts checking savings balance transfer transferred amount",
}
"""A reply is about the subject if it holds one of its words: a rule, and no more than that."""

SORRY = "sorry, that is not something i can help with."
_DECLINES = re.compile(r"\b(?:sorry|can't|cannot|unable)\b")


class Routed(NamedTuple):
    """What was understood, what stood before the request, and what was answered."""

    intent: str
    before: Sequence[Turn]
    reply: str


def pipe(request: str, intent: str, chat: ChatModel) -> Routed:
    """Answer a request whose intent is known: with a sentence that is kept ready, or by the GPT, prompted.

    Source: lecture row L3.5.d.
    """
    if intent not in SERVED:
        return Routed(intent, (), SORRY)
    asked, answered = OPENINGS[SERVED[intent]]
    before = (Turn(USER, asked), Turn(ASSISTANT, answered))
    return Routed(intent, before, chat.reply([*before, Turn(USER, request)], longest=40).text)


def alone(request: str, chat: ChatModel) -> Routed:
    """The GPT's own answer; it is told nothing."""
    return Routed("", (), chat.reply([Turn(USER, request)], longest=40).text)


def is_right(intent: str, reply: str) -> bool:
    """Whether a reply is about what was wanted; where there is no service for it, whether it says so."""
    if intent not in SERVED:
        return bool(_DECLINES.search(reply.lower()))
    return bool(set(re.findall(r"[a-z]+", reply.lower())) & set(WORDS[SERVED[intent]].split()))


def shares(
    requests: Sequence[tuple[str, str]], reply_of: Callable[[str, str], str]
) -> Mapping[str, tuple[int, int]]:
    """How many replies are right, and of how many, for what is served and for what is not.

    Args:
        requests: (text, true intent).
        reply_of: called with both.
    """
    told = {"served": [0, 0], "not served": [0, 0]}
    for text, intent in requests:
        kind = told["served" if intent in SERVED else "not served"]
        kind[0] += is_right(intent, reply_of(text, intent))
        kind[1] += 1
    return {kind: (hits, n) for kind, (hits, n) in told.items()}
