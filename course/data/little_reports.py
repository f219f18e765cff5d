"""Little reports: made-up news without end, each with the answers to four tasks at once.

    Alice sold a lamp in Dublin on Monday. Peter found a coat in Rome on Friday. It was not a good week.

Was it a good week? Who sold the lamp, and where? Which words are names? Does it follow that Alice sold the
lamp in Rome? The grammar knows the answers, and is made so that the easy way fails: "not" turns a judgement
round, two people do similar things, and a hypothesis by itself tells nothing. Some names of people and of
places, and some words of praise and blame, are kept for testing: who has not seen them with a label must know
a name by where it stands, and a word from reading.
"""

from dataclasses import dataclass, replace

from course.data.choices import One, chooser
from course.data.examples import Labelled, Pair, Question, Tagged
from course.data.handwritten import LABELS as RELATIONS

PEOPLE = (
    "Alice|Peter|Helen|Mark|Susan|Paul|Lucy|David|Emily|Jack|Anna|Nick|Kate|Sam|Rose|Ben",
    "Mary|Tom|Sara|John|Lily|Max|Jane|Bob",
)
PLACES = (
    "Dublin|Rome|Madrid|Oslo|Vienna|Athens|Boston|Chicago|Sydney|Lisbon|New York|Hong Kong",
    "Paris|London|Tokyo|Berlin|San Francisco|Los Angeles",
)
THINGS = "lamp|coat|book|car|clock|table|boat|picture|ring|guitar|piano|bicycle|watch|camera|chair|bag"
VERBS = {"sold": "sell", "found": "find", "bought": "buy", "lost": "lose", "won": "win", "broke": "break"}
DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
JUDGED = ("week", "day", "trip", "story", "time")
GOOD = "good|happy|nice|great|wonderful|lucky", "lovely|perfect|special|amazing|fantastic"
BAD = "bad|sad|terrible|boring|horrible|unlucky", "awful|scary|ugly|stupid|cruel"
OPENERS = (
    "It was {} {}.",
    "In all it was {} {}.",
    "People said that it was {} {}.",
    "For them it was {} {}.",
)
LABELS = ("negative", "positive")
TAGS = ("O", "B-person", "I-person", "B-place", "I-place")


@dataclass(frozen=True)
class Event:
    """Somebody did something with a thing, somewhere, on some day."""

    person: str
    verb: str
    thing: str
    place: str
    day: str

    @property
    def sentence(self) -> str:
        return f"{self.person} {self.verb} a {self.thing} in {self.place} on {self.day}."


@dataclass(frozen=True)
class Report:
    """What four tasks ask: of the last sentence, of the whole text, of that again, and of the first event."""

    opinion: Labelled
    question: Question
    tagged: Tagged
    pair: Pair


def reports(n: int, seed: int, unseen: bool = False, events: int = 2) -> list[Report]:
    """So many reports, each drawn anew.

    Args:
        unseen: of people and places that no report without ``unseen`` names, and judged by other words.
        events: 2, or 1: then a question need not be compared with two sentences to find its answer.

    Raises:
        ValueError: for another number of events.
    """
    if events not in (1, 2):
        raise ValueError(f"a little report tells of 1 event or of 2; got events={events!r}")
    one = chooser(seed)
    return [_report(one, int(unseen), events) for _ in range(n)]


def _report(one: One, part: int, events: int) -> Report:
    told = [_event(one, part)]
    if events == 2:
        told.append(_event(one, part, other_than=told[0]))
    remark, label = _judgement(one, part)
    text = " ".join([*(event.sentence for event in told), remark])
    question = _question(one, text, one(tuple(told)))
    return Report(Labelled(remark, label), question, _tagged(text, told), _pair(one, told[0]))


def _event(one: One, part: int, other_than: Event | None = None) -> Event:
    """The second event has another person, thing, place and day, and may have the verb of the first."""

    def draw(table: str, used: str | None) -> str:
        return one(tuple(word for word in table.split("|") if word != used))

    used = other_than or Event(*[None] * 5)
    return Event(
        draw(PEOPLE[part], used.person),
        one(tuple(VERBS)),
        draw(THINGS, used.thing),
        draw(PLACES[part], used.place),
        draw(DAYS, used.day),
    )


def _judgement(one: One, part: int) -> tuple[str, str]:
    """A remark, and whether it is good: "not a bad day" is, half of all remarks have a "not"."""
    good, turned = one((True, False)), one((True, False))
    word = one(tuple((GOOD if good != turned else BAD)[part].split("|")))
    article = "an" if word[0] in "aeiou" else "a"
    remark = one(OPENERS).format(f"not {article} {word}" if turned else f"{article} {word}", one(JUDGED))
    return remark, LABELS[good]


def _question(one: One, text: str, asked: Event) -> Question:
    """Who, where or when: about an event, named by its thing."""
    did = VERBS[asked.verb]
    question, answer = one(
        (
            (f"Who {asked.verb} the {asked.thing}?", asked.person),
            (f"Where did {asked.person} {did} the {asked.thing}?", asked.place),
            (f"When did {asked.person} {did} the {asked.thing}?", asked.day),
        )
    )
    begins = text.index(asked.sentence)
    return Question(question, text, (answer,), text.index(answer, begins))


def _tagged(text: str, events: list[Event]) -> Tagged:
    words = text.replace(".", " .").split()
    tags = ["O"] * len(words)
    names = [(name, kind) for e in events for name, kind in ((e.person, "person"), (e.place, "place"))]
    for name, kind in names:
        parts = name.split()
        at = next(i for i in range(len(words)) if words[i : i + len(parts)] == parts)
        tags[at : at + len(parts)] = [f"B-{kind}", *[f"I-{kind}"] * (len(parts) - 1)]
    return Tagged(tuple(words), tuple(tags))


def _pair(one: One, event: Event) -> Pair:
    """The same again, or another place or day (which cannot be), or another deed or thing (which may be)."""
    label = one(RELATIONS)
    when = one(("place", "day"))
    changed = {"entailment": None, "contradiction": when, "neutral": one(("thing", "verb"))}[label]
    said = event if changed is None else _with_another(one, event, changed)
    where = f"in {said.place}" if when == "place" else f"on {said.day}"
    return Pair(event.sentence, f"{said.person} {said.verb} the {said.thing} {where}.", label)


def _with_another(one: One, event: Event, part: str) -> Event:
    places = next(table for table in PLACES if event.place in table.split("|"))
    choices = {"place": places, "day": DAYS, "thing": THINGS, "verb": "|".join(VERBS)}[part]
    others = tuple(word for word in choices.split("|") if word != getattr(event, part))
    return replace(event, **{part: one(others)})
