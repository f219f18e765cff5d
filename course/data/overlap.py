"""Keeping test texts out of training texts: no run of eight words, and no whole sentence, is in both."""

from collections.abc import Iterable, Sequence

from course.text.plain import bare_words

RUN = 8
"""So many words in a row are the same text and no chance."""


class TestTexts:
    """What must not be trained on, case and punctuation aside.

    Args:
        texts: sentences or paragraphs. Those shorter than ``RUN`` words are looked for as whole sentences.
    """

    __test__ = False  # no test of pytest's

    def __init__(self, texts: Iterable[str]):
        self.runs: set[tuple[str, ...]] = set()
        self.short: set[str] = set()
        for bare in map(bare_words, texts):
            words = bare.split()
            self.runs.update(_runs(words))
            if 1 < len(words) < RUN:
                self.short.add(bare)

    def touched(self, document: Sequence[str]) -> set[int]:
        """The numbers of the document's sentences that hold a short test text or a part of a common run."""
        bare = [bare_words(sentence) for sentence in document]
        words = [(word, number) for number, text in enumerate(bare) for word in text.split()]
        found = {number for number, text in enumerate(bare) if text in self.short}
        for start, run in enumerate(_runs([word for word, _ in words])):
            if run in self.runs:
                found.update(number for _, number in words[start : start + RUN])
        return found

    def without(self, documents: Iterable[Sequence[str]]) -> list[list[str]]:
        """The documents without those sentences; what is left of none is left out."""
        kept = []
        for document in documents:
            touched = self.touched(document)
            kept.append([sentence for number, sentence in enumerate(document) if number not in touched])
        return [document for document in kept if document]


def _runs(words: Sequence[str]) -> Iterable[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(RUN)), strict=False)
