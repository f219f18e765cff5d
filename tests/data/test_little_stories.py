"""Little stories hang together: each is about one child, one animal, one colour, one place, one food."""

from course.data.little_stories import ANIMALS, CHILDREN, COLOURS, FOODS, PLACES, SENTENCES, stories


def words(text: str) -> set[str]:
    return set(text.replace(".", " ").replace(",", " ").split())


def test_every_story_is_about_the_same_things_all_through():
    for story in stories(300, seed=0):
        assert len(story) == len(SENTENCES)
        found = words(" ".join(story))
        for options in (tuple(CHILDREN), ANIMALS, COLOURS, PLACES, FOODS):
            assert len(found & set(options)) == 1
        (child,) = found & set(CHILDREN)
        assert CHILDREN[child] in words(story[-1])


def test_all_words_and_all_ways_occur_as_often():
    many = stories(4000, seed=1)
    for options in (tuple(CHILDREN), ANIMALS, COLOURS):
        for word in options:
            n = sum(word in words(" ".join(story)) for story in many)
            expected = 4000 / len(options)
            assert abs(n - expected) < 5 * expected**0.5
    assert len({tuple(story) for story in many}) > 3900


def test_the_same_seed_tells_the_same_stories():
    assert stories(20, seed=2) == stories(20, seed=2) != stories(20, seed=3)
