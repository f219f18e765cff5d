"""447 sentences of the Canadian parliament with their words linked by people (Och and Ney 2003; WPT 2003).

No licence is stated: fetched at run time and scored with; nothing made of it is shipped.
"""

from course.data.aligned_sentences import AlignedPair
from course.data.download import read_text


def aligned_pairs() -> list[AlignedPair]:
    """French and English, words apart by spaces, in lower case, with sure and possible links.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    texts = read_text("word_alignments", "enfr.src-tgt").strip().split("\n")
    gold = read_text("word_alignments", "enfr.gold").strip().split("\n")
    return [_pair(text, links) for text, links in zip(texts, gold, strict=True)]


def _pair(text: str, links: str) -> AlignedPair:
    """The file has English first, and counts from 1; "p" for "-" marks a link as only possible."""
    english, french = (" ".join(side.split()) for side in text.split("|||"))
    sure, possible = set(), set()
    for link in links.split():
        e, f = (int(n) - 1 for n in link.replace("p", "-").split("-"))
        possible.add((f, e))
        if "-" in link:
            sure.add((f, e))
    return AlignedPair(french, english, frozenset(sure), frozenset(possible))
