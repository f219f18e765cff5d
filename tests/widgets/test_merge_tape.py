"""The merge tape: tokens, pairs, WordPiece's pieces are the package's, in Python and in the browser."""

import json

import pytest

from course.text.bpe import BPE, as_bytes, split_words
from course.widgets import MergeTape
from course.widgets.base import HERE
from course.widgets.merge_tape import plain_words, shown

BPE_OF = BPE.train("the cat that sat on the mat, the fat cat; 新新的的新的 naïve 🙂🙂 1999 1998 " * 3, 40)
TEXTS = [
    "the cat sat",
    "The naïve cat's\n\n  mat_1999!  🙂🙂 新的词 don't ",
    "",
    "x",
    "²½ Ⅳ 12ab",
    "é\u0301 ﬁ\tend",
]
PIECES = ["the", "cat", "s", "##at", "na", "##ive", "新", "19", "##99", "m", "!", "don", "'", "t", "_"]


def test_its_tokens_are_the_packages_after_any_number_of_merges(call):
    ranks = {}
    for text in TEXTS:
        widget = MergeTape(BPE_OF, text, 7)
        for n in (0, 1, 7, 40):
            ours = widget.tokens(n)
            assert ours == BPE(BPE_OF.merges[:n]).tokens(text)
            ranks[text, n] = ours
    script = [[text] for text in TEXTS]
    assert call("merge_tape", "splitWords", script) == [split_words(text) for text in TEXTS]
    assert call("merge_tape", "asBytes", script) == [as_bytes(text) for text in TEXTS]


def test_the_browser_shows_the_same(node):
    """Tokens after n merges, the pairs recounted, WordPiece's pieces and every token as people read it."""
    cases = [{"text": text, "n": n} for text in TEXTS for n in (0, 3, 40)]
    code = f"""
import {{ readFileSync }} from "node:fs";
import {{ pairsOf, ranksOf, shown, tokensOf, wordPieces }} from "{(HERE / "merge_tape.js").as_uri()}";
const {{ merges, pieces, cases }} = JSON.parse(readFileSync(0));
const ranks = ranksOf(merges), known = new Set(pieces);
console.log(JSON.stringify(cases.map(({{ text, n }}) => {{
  const tokens = tokensOf(text, ranks, n);
  const found = {{ tokens, pairs: pairsOf(text, ranks, n), shown: tokens.map(shown) }};
  return {{ ...found, pieces: wordPieces(text, known) }}; }})));
"""
    given = {"merges": [list(p) for p in BPE_OF.merges], "pieces": PIECES, "cases": cases}
    found = json.loads(node("--input-type=module", "-e", code, input=json.dumps(given)))
    for case, seen in zip(cases, found, strict=True):
        widget = MergeTape(BPE_OF, case["text"], case["n"], PIECES)
        assert seen["tokens"] == widget.tokens()
        assert seen["shown"] == [shown(token) for token in widget.tokens()]
        assert [(tuple(pair.split(" ")), n) for pair, n in seen["pairs"]] == widget.pairs()
        assert seen["pieces"] == widget.wordpiece()


def test_words_are_parted_plainly():
    assert plain_words("Naïve cats, 新词!") == ["naive", "cats", ",", "新", "词", "!"]


def test_what_it_says_counts():
    said = MergeTape(BPE_OF, "the cat", 0, PIECES).describe()
    assert "0 of 40 merges made: 7 tokens for 7 characters (7 bytes), 1.00" in said and "WordPiece 2," in said
    assert "(1 of them unknown)" in MergeTape(BPE_OF, "zebra", 0, PIECES).describe()


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match="up to 400 characters"):
        MergeTape(BPE_OF, "x" * 401)
    with pytest.raises(ValueError, match="there are 40 merges; got 41"):
        MergeTape(BPE_OF, "x", 41)


def test_it_stands_still():
    assert MergeTape(BPE_OF, TEXTS[1], 12, PIECES).png().startswith(b"\x89PNG")
