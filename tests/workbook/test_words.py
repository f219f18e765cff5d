"""The glossary is made of the notebooks' own tables, and lacks none of the concepts of the notes."""

import pytest

from course.workbook import build
from course.workbook.glossary import concepts, terms, terms_of

NOTES = """Attention Mechanism; Transformer; Self-attention; Multi-Head Attention;
Positional Encoding; Encoder-Decoder; Feed-Forward; Mask; BERT; GPT; Pre-training;
Fine-tuning; Word Embedding; Masked Language Model; Next-Sentence Prediction;
Bidirectional; Unidirectional; Autoregressive; Autoencoding; Discriminative; Generative;
GLUE; SQuAD; foundation model; self-supervised; downstream task"""
"""The concepts that the notes define (section 2 of both their lectures), and three that they use."""


@pytest.mark.parametrize("concept", [name.strip() for name in NOTES.split(";")])
def test_no_concept_of_the_notes_is_missing(concept):
    entries = [t for t in terms(build.NOTEBOOKS) if concept.casefold() in t["english"].casefold()]
    assert entries and all(t["chinese"] and t["meaning"] for t in entries)


def test_every_notebooks_table_is_in_it_with_a_link_to_where_the_word_stands():
    listed = {(t["english"], t["where"][:2]): t for t in terms(build.NOTEBOOKS)}
    for number, source in build.sources().items():
        own = terms_of(build.target(source), int(number))
        assert len(own) > 3, number
        for term in own:
            assert listed[term.english, number]["href"].startswith(f"{source.stem}.ipynb")
    placed = [t for t in listed.values() if "#" in t["href"]]
    assert len(placed) > 0.6 * len(listed)
    assert listed["causal mask", "04"]["href"].split("#")[1].startswith(("5-", "6-"))


def test_a_concept_whose_notebook_is_not_here_has_no_link(tmp_path):
    found = terms(tmp_path)
    assert len(found) == len(concepts()) and all(t["href"] == "" for t in found)


def test_a_file_that_is_no_notebook_takes_nothing_from_the_rest(tmp_path):
    (tmp_path / "03_self_attention.ipynb").write_text("{")
    assert len(terms(tmp_path)) == len(concepts())
