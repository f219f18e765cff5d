"""Little sentences about Tom, Jerry and their friends, in English and in Chinese, with the words' links:
our own.

English says where and when at the end, Chinese before the verb, so that a translator cannot go straight
along. The verb may stand without its s, as on the lecture's slide: Tom chase Jerry.
"""

import random
from typing import NamedTuple

NAMES = {
    "Tom": "汤姆", "Jerry": "杰瑞", "Spike": "斯派克", "Mary": "玛丽", "Ann": "安娜", "Bob": "鲍勃",
    "Lucy": "露西", "Peter": "彼得",
}  # fmt: skip
ANIMALS = {
    "cat": "猫", "mouse": "老鼠", "dog": "狗", "duck": "鸭子", "horse": "马", "rabbit": "兔子", "bird": "鸟",
    "monkey": "猴子",
}  # fmt: skip
KINDS = {"big": "大", "little": "小", "old": "老", "white": "白", "black": "黑", "clever": "聪明"}
VERBS = {
    "chase": "追逐", "see": "看见", "help": "帮助", "like": "喜欢", "follow": "跟随",
    "hear": "听见", "push": "推",
    "call": "呼叫", "thank": "感谢", "visit": "拜访", "find": "找到",
    "teach": "教", "know": "认识", "wake": "叫醒",
}  # fmt: skip
PLACES = {
    "park": "公园",
    "house": "房子",
    "garden": "花园",
    "school": "学校",
    "kitchen": "厨房",
    "street": "街道",
}
TIMES = {"today": "今天", "tomorrow": "明天", "now": "现在", "tonight": "今晚", "again": "又"}
HOW_OFTEN = {"often": "经常", "always": "总是", "never": "从不", "sometimes": "有时"}

KEPT_BACK = ("Tom", "chase", "Jerry")
"""Who does what to whom in the lecture's sentence: no training sentence has these three together."""


class Linked(NamedTuple):
    """A sentence in both languages, words apart by spaces, and which word stands for which."""

    english: str
    chinese: str
    links: frozenset[tuple[int, int]]
    """(English word, Chinese word), counted from 0."""


def sentences(n: int, seed: int = 0) -> list[Linked]:
    """So many different sentences, none with ``KEPT_BACK``'s three words in their places.

    Raises:
        ValueError: if so many could hardly be found.
    """
    if n > 100_000:
        raise ValueError(f"there are few more than 100,000 sentences to be had at random; got n={n}")
    chance, found = random.Random(seed), {}
    while len(found) < n:
        one, who = _sentence(chance)
        if who != KEPT_BACK:
            found[one.english] = one
    return list(found.values())


def lecture_sentence() -> Linked:
    """Tom chase Jerry, with the Chinese that we give it."""
    links = frozenset({(0, 0), (1, 1), (2, 2)})
    return Linked("Tom chase Jerry", "汤姆 追逐 杰瑞", links)


def _sentence(chance: random.Random) -> tuple[Linked, tuple[str, str, str]]:
    """One at random; and who does what to whom."""
    subject, verb, object_ = _someone(chance), chance.choice(list(VERBS)), _someone(chance)
    bare = chance.random() < 0.5
    shown = verb if bare else _third_person(verb)
    often = chance.choice(list(HOW_OFTEN)) if chance.random() < 0.25 else None
    place = chance.choice(list(PLACES)) if chance.random() < 0.35 else None
    time = chance.choice(list(TIMES)) if chance.random() < 0.35 else None
    # Each part: its English words, its Chinese words, links between them; numbered as English has them.
    parts = {
        "subject": subject,
        "often": ([often], [HOW_OFTEN[often]], [(0, 0)]) if often else None,
        "verb": ([shown], [VERBS[verb]], [(0, 0)]),
        "object": object_,
        "place": (["in", "the", place], ["在", PLACES[place], "里"], [(0, 0), (2, 1), (0, 2)])
        if place
        else None,
        "time": ([time], [TIMES[time]], [(0, 0)]) if time else None,
    }
    english = [part for part in parts if parts[part]]
    chinese = [part for part in ("subject", "time", "often", "place", "verb", "object") if parts[part]]
    starts = [_starts(order, parts, side) for side, order in enumerate((english, chinese))]
    links = {(starts[0][part] + a, starts[1][part] + b) for part in english for a, b in parts[part][2]}
    texts = (
        " ".join(w for p in order for w in parts[p][side]) for side, order in enumerate((english, chinese))
    )
    return Linked(*texts, frozenset(links)), (subject[0][-1], verb, object_[0][-1])


def _someone(chance: random.Random) -> tuple[list[str], list[str], list[tuple[int, int]]]:
    """A name, or the (big) cat: "the" has no word in Chinese."""
    if chance.random() < 0.55:
        name = chance.choice(list(NAMES))
        return [name], [NAMES[name]], [(0, 0)]
    animal = chance.choice(list(ANIMALS))
    if chance.random() < 0.5:
        return ["the", animal], [ANIMALS[animal]], [(1, 0)]
    kind = chance.choice(list(KINDS))
    return ["the", kind, animal], [KINDS[kind], ANIMALS[animal]], [(1, 0), (2, 1)]


def _starts(order: list[str], parts: dict, side: int) -> dict[str, int]:
    """Where each part begins, in words."""
    starts, at = {}, 0
    for part in order:
        starts[part] = at
        at += len(parts[part][side])
    return starts


def _third_person(verb: str) -> str:
    return verb + ("es" if verb.endswith(("sh", "ch")) else "s")
