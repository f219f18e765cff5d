"""What does somebody want? Short requests with their intents: CLINC150 (Larson et al. 2019), CC BY 3.0."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from course.data.download import read_text
from course.data.examples import Labelled

SERVED = {
    "book_flight": "flights",
    "book_hotel": "hotels",
    "car_rental": "rental cars",
    "uber": "rides",
    "restaurant_reservation": "restaurants",
    "travel_suggestion": "sights",
    "weather": "weather",
    "play_music": "music",
    "balance": "bank accounts",
    "transfer": "bank accounts",
}
"""Ten intents for which the course's dialogues have a service, and what it is about."""

OTHERS = (
    "calories",
    "exchange_rate",
    "flip_coin",
    "oil_change_when",
    "recipe",
    "smart_home",
    "spelling",
    "tell_joke",
    "timer",
    "translate",
)
"""Ten for which they have none."""

LABELS = tuple(sorted((*SERVED, *OTHERS)))


class Corpus(NamedTuple):
    """Requests to train on, 100 an intent, and to test with, 30 an intent."""

    train: list[Labelled]
    test: list[Labelled]


def requests(labels: tuple[str, ...] = LABELS) -> Corpus:
    """Those of the given intents, in the order of the file.

    Raises:
        ValueError: if there is no such intent, or as ``course.data.path``.
        DownloadError: as ``course.data.path``.
    """
    found = json.loads(read_text("clinc150"))
    known = {label for _, label in found["train"]}
    if strange := sorted(set(labels) - known):
        raise ValueError(f"CLINC150 has no intent {strange[0]!r}")
    return Corpus(*([Labelled(t, x) for t, x in found[part] if x in labels] for part in ("train", "test")))


def own_requests() -> Corpus:
    """96 requests of six of these intents, written for this course: ten an intent to train on, six to test.

    They are few and of one hand: to learn from live, and no measure of anything.
    """
    rows = json.loads(Path(__file__).with_name("own_requests.json").read_text(encoding="utf-8"))["rows"]
    train = [Labelled(text, label) for label, texts in rows.items() for text in texts[:10]]
    return Corpus(train, [Labelled(text, label) for label, texts in rows.items() for text in texts[10:]])
