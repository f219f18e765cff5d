"""What the four tasks of notebook 11 are made of: an example of each, with its answer."""

from typing import NamedTuple


class Labelled(NamedTuple):
    """A text, and which class it belongs to."""

    text: str
    label: str


class Pair(NamedTuple):
    """Two texts, and whether the first one entails the second, contradicts it, or leaves it open."""

    premise: str
    hypothesis: str
    label: str


class Tagged(NamedTuple):
    """The words of a sentence, and a tag for each: "B-person" where a name begins, "I-person" inside, "O"."""

    words: tuple[str, ...]
    tags: tuple[str, ...]


class Question(NamedTuple):
    """A question about a text, and the answers that count, of which the first is the one to learn.

    ``start`` is where the first answer begins in the context, in characters.
    """

    question: str
    context: str
    answers: tuple[str, ...]
    start: int
