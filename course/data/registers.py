"""English in many registers, to read before anything is asked: fiction, reviews, dialogue, letters, ...

Each register is a reader of its own; all give documents of sentences. A text that stands alone, as a comment
or a product's "pros" do, is a document of one sentence.
"""

import re
import zipfile
from collections.abc import Callable, Iterable

from course.data import squadshifts, tatoeba, tinystories
from course.data.built import built_text
from course.data.download import path, read_text
from course.data.everyday import once
from course.text.plain import plain_text

Document = list[str]
"""The sentences of a text, in order."""

TEST_FOLD = 9
"""Which of the film reviews' ten folds is never read: it is for testing."""
_TYPED = str.maketrans({"“": '"', "”": '"', "‘": "'", "—": " - ", "–": "-", "…": "..."})
_ENDS_IN_ANY_CASE = re.compile(
    r"""(?:(?<=[.!?])|(?<=[.!?]["')]))(?<!\bMr\.)(?<!\bMrs\.)(?<!\bMs\.)(?<!\bDr\.)(?<!\bSt\.)\s+"""
)
_ENDS = re.compile(_ENDS_IN_ANY_CASE.pattern + r"""(?=["'(A-Z0-9])""")
_TITLE = re.compile(r"\n = [^=].*? = \n")
_SPEAKER = re.compile(r"^[US]: ", re.MULTILINE)
_DOCUMENT = re.compile(r"<doc [^>]*>\n")


def fiction() -> list[Document]:
    """Chapters and stories of the twentieth century (Standard Ebooks; public domain in the United States)."""
    return _of_paragraphs(built_text("fiction"))


def public_information() -> list[Document]:
    """Every second page of digital.gov and 18F: news, how-to, advice on plain language (CC0)."""
    return _of_paragraphs(built_text("usgov"))[::2]


def film_reviews() -> list[Document]:
    """Whole reviews of before 2002, in lower case, without the fold that is for testing (CC BY 4.0)."""
    with zipfile.ZipFile(path("movie_reviews")) as archive:
        names = sorted(name for name in archive.namelist() if re.search(rf"/cv[^{TEST_FOLD}]\d\d_", name))
        return [_lines(archive.read(name).decode("utf-8")) for name in names]


def encyclopaedia() -> list[Document]:
    """WikiText-2's articles, WikiSplit's pairs of sentences (CC BY-SA), SQuADShifts' paragraphs (CC BY)."""
    text = "".join(read_text("wikitext2_eval", f"{part}.txt") for part in ("valid", "test"))
    articles = [_of_lines(_untokenised(article).split("\n")) for article in _TITLE.split(text)]
    rows = (read_text("wikisplit", f"{part}.tsv") for part in ("tune", "validation", "test"))
    split = [_untokenised(row.split("\t")[1]).split("<::::>") for row in "".join(rows).strip().split("\n")]
    paragraphs = squadshifts.paragraphs("new_wiki").train
    return [*articles, *map(_plain, split), *map(sentences, paragraphs)]


def dialogue() -> list[Document]:
    """Every third dialogue with a service, a turn a sentence (Schema-Guided Dialogue, CC BY-SA 4.0)."""
    return _documents(_lines(text) for text in _SPEAKER.sub("", built_text("dialogues")).split("\n\n"))[::3]


def comments() -> list[Document]:
    """Comments on Reddit, GoEmotions' single ones and SQuADShifts' long ones (CC BY 4.0)."""
    single = [row.split("\t")[0] for row in read_text("goemotions", "train.tsv").strip().split("\n")]
    single = [re.sub(r"\[(NAME|RELIGION)\]", "[UNK]", comment) for comment in single]
    return [
        *([text] for text in once(_plain(single))),
        *map(sentences, squadshifts.paragraphs("reddit").train),
    ]


def product_reviews() -> list[Document]:
    """What shoppers praise and blame in a line, and their reviews out of SQuADShifts (CC BY 4.0)."""
    with zipfile.ZipFile(path("pros_cons")) as archive:
        text = "".join(
            archive.read(f"pros_cons/Integrated{kind}.txt").decode("latin-1") for kind in ("Pros", "Cons")
        )
    single = once(_plain(re.findall(r"<(?:Pros|Cons)>(.+?)</", text)))
    return [*([text] for text in single), *map(sentences, squadshifts.paragraphs("amazon_reviews").train)]


def letters_and_speech() -> list[Document]:
    """MASC: letters, e-mail, debates, calls, a film script, jokes, travel guides, ... (free for any use)."""
    return _documents(_lines(text) for text in _DOCUMENT.split(built_text("masc")))


def web() -> list[Document]:
    """Weblogs, newsgroups, answers, reviews of the English Web Treebank's training part (CC BY-SA 4.0)."""
    return _documents(_lines(text) for text in _DOCUMENT.split(built_text("web_treebank")))


def stories() -> list[Document]:
    """TinyStories, in the words of a four-year-old (CDLA-Sharing-1.0)."""
    return [sentences(story, any_case=True) for story in tinystories.stories().train]


def single_sentences() -> list[Document]:
    """The English side of Tatoeba's French-English pairs (CC BY 2.0)."""
    return [[text] for text in once(pair.english for pair in tatoeba.french_english().train)]


READERS: dict[str, Callable[[], list[Document]]] = {
    "fiction": fiction,
    "public information": public_information,
    "film reviews": film_reviews,
    "encyclopaedia": encyclopaedia,
    "dialogue": dialogue,
    "comments": comments,
    "product reviews": product_reviews,
    "letters and speech": letters_and_speech,
    "web": web,
    "children's stories": stories,
    "single sentences": single_sentences,
}
"""Each register by its name. The last two are what ``course.data.everyday`` reads."""


def sentences(text: str, any_case: bool = False) -> Document:
    """Cut a text after each mark that ends a sentence, but not after Mr., Mrs., Ms., Dr. and St.

    Args:
        any_case: whether a sentence may begin with a small letter.
    """
    ends = _ENDS_IN_ANY_CASE if any_case else _ENDS
    return [sentence for sentence in ends.split(" ".join(_typed(text).split())) if sentence]


def _of_paragraphs(text: str) -> list[Document]:
    return _documents(_of_lines(part.split("\n")) for part in text.split("\n\n"))


def _of_lines(lines: Iterable[str]) -> Document:
    return [sentence for line in lines for sentence in sentences(line)]


def _lines(text: str) -> Document:
    return [line for line in _plain(text.split("\n")) if line]


def _documents(parts: Iterable[Document]) -> list[Document]:
    return [part for part in parts if part]


def _plain(texts: Iterable[str]) -> list[str]:
    return [" ".join(_typed(text).split()) for text in texts]


def _typed(text: str) -> str:
    """As one types it: straight quotation marks, ordinary dashes."""
    return plain_text(text).translate(_TYPED)


def _untokenised(text: str) -> str:
    """Wikipedia as WikiText and WikiSplit have it, without the marks of their tokenizers."""
    text = re.sub(r" @([-,.])@ ", r"\1", text).replace("<unk>", "[UNK]").replace("``", '"').replace("''", '"')
    return re.sub(r"^ =.*= $", "", text, flags=re.MULTILINE)
