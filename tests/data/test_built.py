"""A text is found ready made or built from its files; another text is refused."""

from hashlib import sha256

import pytest

from course.data import DownloadError, built, download, registry
from course.data.builders import Source, chapters, dialogues, masc, pages, treebank
from course.data.built import TEXTS, Built

COMMIT = "somebody/books@c0ffee"
PAGE = """---
title: gone
---
# A heading

Some *plain* words about [a place](../there), and `code`: {words}.

- one thing
  and more of it
| a | table |
See https://example.org for nothing.
"""


@pytest.fixture(autouse=True)
def nothing_here(tmp_path, monkeypatch):
    """An empty cache, no COURSE_DATA, and a host that is not there."""
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.setattr(download, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(registry, "HOST", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def book(monkeypatch, text: str, **files: str) -> None:
    wanted = Built("book", "chapters", sha256(text.encode()).hexdigest(), "books", ("book.txt",))
    monkeypatch.setitem(TEXTS, "book", wanted)
    monkeypatch.setattr(Built, "sources", lambda self: [(COMMIT, f"text/{name}.xhtml") for name in files])


def test_a_text_is_built_from_its_files_and_what_is_there_is_not_asked_for_again(monkeypatch, server):
    book(monkeypatch, "One.\nTwo.\n\nThree.\n", a="<p>One.</p><p>Two.</p>", b="<p>Three.</p>")
    monkeypatch.setattr(registry, "HOST", server.url)
    folder = server.folder / "somebody/books/c0ffee/text"
    folder.mkdir(parents=True)
    (folder / "a.xhtml").write_text("<p>One.</p><p>Two.</p>")
    with pytest.raises(DownloadError, match=r"b\.xhtml could not be downloaded .* is kept"):
        built.built_text("book")
    (folder / "b.xhtml").write_text("<p>Three.</p>")
    assert built.built_text("book") == "One.\nTwo.\n\nThree.\n"
    assert server.requests == 3  # a, b in vain, b


def test_a_text_that_lies_ready_made_is_taken_and_another_refused(monkeypatch, tmp_path):
    book(monkeypatch, "One.\n")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "book.txt").write_text("One.\n")
    assert built.built_text("book") == "One.\n"
    (tmp_path / "books" / "book.txt").write_text("Another.\n")
    with pytest.raises(ValueError, match="not the one that the course knows"):
        built.built_text("book")


def test_every_text_names_files_of_pinned_commits():
    for text in TEXTS.values():
        sources = text.sources()
        assert sources and all(len(place.split("@")[1]) == 40 for place, _ in sources)
        assert len(set(sources)) == len(sources)


def test_every_real_text_is_the_one_that_is_built(real_data):
    assert all(len(built.built_text(name)) > 900_000 for name in TEXTS)


# -- builders --


def test_chapters_lose_notes_figures_and_marks():
    page = (
        "<head><title>x</title></head><h2>One</h2><p>He&#8217;d <i>gone</i>"
        '<a href="#n" epub:type="noteref">1</a>.<br/>So</p><figure><p>no</p></figure>'
    )
    assert list(chapters([Source("a", page.encode())])) == ["One\nHe’d gone. So"]


def test_pages_keep_prose_and_say_nothing_long_twice():
    words = " ".join(["words"] * 70)
    source = Source("a.md", PAGE.format(words=words).encode())
    other = Source("b.md", (PAGE.format(words=words) + "\n" + "new " * 70).encode())
    first, second = pages([source, other])
    assert first == f"A heading\nSome plain words about a place, and code: {words}.\none thing and more of it"
    assert second == "A heading\none thing and more of it\n" + " ".join(["new"] * 70)
    assert list(pages([Source("c.md", b"Too short.")])) == []


def test_dialogues_with_the_same_first_turn_are_there_once():
    turns = (
        '[{"turns": [{"speaker": "USER", "utterance": "Hi "}, {"speaker": "SYSTEM", "utterance": "Yes?"}]}]'
    )
    assert list(dialogues([Source("a", turns.encode()), Source("b", turns.encode())])) == ["U: Hi\nS: Yes?"]


def test_a_treebanks_document_names_itself_and_its_genre():
    text = b"# text = One.\n1\tOne\n\n# text = Two."
    found = list(treebank([Source("x/reviews/001.xml.conllu", text)]))
    assert found == ['<doc id="001" genre="reviews">\nOne.\nTwo.']


def test_mascs_tags_are_taken_off(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "masc.zip", "w") as archive:
        archive.writestr("masc_tagged/categories.txt", "written/a.txt letters\n")
        archive.writestr("masc_tagged/written/a.txt", "I_PRP ca_MD n't_RB ,_, ``_`` no_UH ''_''\n")
    source = Source("masc.zip", (tmp_path / "masc.zip").read_bytes())
    assert list(masc([source])) == ['<doc id="written/a.txt" genre="letters">\nI can\'t, “no”']
