"""Little stories: made-up, of five sentences each, without end, in which the words hang together.

Each is about a child, an animal, its colour, where it lives and what it eats, and nearly all of these come
twice or more: a hidden word can be restored from another sentence, which may come before or after it, and
two sentences can be told to belong together by whom they are about. (CC0)
"""

from __future__ import annotations

from course.data.choices import One, chooser

CHILDREN = {"anna": "she", "ben": "he", "clara": "she", "david": "he", "emma": "she", "felix": "he"}
CHILDREN |= {"grace": "she", "henry": "he"}
ANIMALS = ("cat", "dog", "hen", "fox", "owl", "pig", "duck", "frog")
COLOURS = ("red", "white", "black", "brown", "grey", "yellow")
PLACES = ("garden", "barn", "forest", "kitchen", "river", "meadow")
FOODS = ("bread", "corn", "fish", "cheese", "apples", "soup")
SENTENCES = (
    ("{child} has a {colour} {animal}.", "there is a {colour} {animal} that belongs to {child}."),
    ("the {animal} lives in the {place}.", "in the {place} {child} keeps the {animal}."),
    (
        "every day {child} brings {food} to the {place}.",
        "{child} looks for {food} for the {colour} {animal}.",
    ),
    ("the {colour} {animal} likes {food} very much.", "no {animal} ever ate so much {food}."),
    (
        "{pronoun} loves the {animal} in the {place}.",
        "{pronoun} gives the {animal} some {food}, says {child}.",
    ),
)


def stories(n: int, seed: int) -> list[list[str]]:
    """So many stories, each a list of its sentences, drawn anew from all that there are."""
    one = chooser(seed)
    return [_story(one) for _ in range(n)]


def _story(one: One) -> list[str]:
    child = one(tuple(CHILDREN))
    chosen = {
        "child": child,
        "pronoun": CHILDREN[child],
        "animal": one(ANIMALS),
        "colour": one(COLOURS),
        "place": one(PLACES),
        "food": one(FOODS),
    }
    return [one(ways).format(**chosen) for ways in SENTENCES]
