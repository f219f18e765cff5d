"""The tokenizer loses nothing, whatever the text, and is the same after saving and training anew."""

import copy
import json
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from course.text.tokenizers import BOS, EOS, PAD, SMALLEST, SPECIAL, Tokenizer

TEXTS = [
    "Le chat dort sur la chaise, et la souris danse dans la cuisine.",
    "The cat sleeps on the chair, and the mouse dances in the kitchen.",
    "La zone économique a été créée en août 1992 ; 1992 ou 1993 ?",
] * 4
TOKENIZER = Tokenizer.train(TEXTS, vocab_size=400)


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("")
@example("  deux  espaces \n\t et \x00 des \x07 signes \r\n de contrôle \x7f\x85\u2028")
@example("注意力机制 👩‍👩‍👧 🏳️‍🌈 مرحبا e\u0301 \ufffd \ufeff \U0010ffff")
@example("<pad> <bos><eos> <|endoftext|>")
def test_decoding_gives_the_text_back(text):
    ids = TOKENIZER.encode(text)
    assert TOKENIZER.decode(ids) == text
    assert not set(ids) & {PAD, BOS, EOS}


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("注 en 1992 ")
def test_the_spans_of_tokens_cover_the_text(text):
    spans = TOKENIZER.spans(text)
    assert len(spans) == len(TOKENIZER.encode(text))
    assert {place for start, end in spans for place in range(start, end)} == set(range(len(text)))
    assert spans == sorted(spans)


def test_special_tokens_come_first_and_are_left_out_of_the_text():
    assert (PAD, BOS, EOS) == (0, 1, 2)
    ids = TOKENIZER.encode("le chat")
    assert TOKENIZER.decode([BOS, *ids, EOS, PAD, PAD]) == "le chat"
    assert TOKENIZER.pieces([BOS, *ids, EOS, PAD]) == ["<bos>", *TOKENIZER.pieces(ids), "<eos>", "<pad>"]


def test_a_digit_is_a_token_by_itself():
    pieces = TOKENIZER.pieces(TOKENIZER.encode("en 1992, 1992"))
    assert [piece for piece in pieces if piece.strip().isdigit()] == list("19921992")
    assert not any(piece.strip().isdigit() and len(piece.strip()) > 1 for piece in pieces)


@given(st.text(st.sampled_from("le chat dort été 12 .\n")))
def test_pieces_of_known_characters_join_to_the_text(text):
    assert "".join(TOKENIZER.pieces(TOKENIZER.encode(text))) == text


def test_pieces_of_an_unseen_character_are_its_bytes():
    assert "".join(TOKENIZER.pieces(TOKENIZER.encode("注"))) == "<E6><B3><A8>"
    every_byte = [TOKENIZER._piece(id) for id in range(len(SPECIAL), SMALLEST)]
    shown = {piece.encode()[0] if len(piece.encode()) == 1 else int(piece[1:-1], 16) for piece in every_byte}
    assert shown == set(range(256))


def test_frequent_words_become_one_token_and_the_vocabulary_stops_where_told():
    assert TOKENIZER.pieces(TOKENIZER.encode("Le chat dort")) == ["Le", " chat", " dort"]
    assert len(TOKENIZER) <= 400
    assert len(Tokenizer.train(TEXTS, SMALLEST)) == SMALLEST


def test_saving_and_loading_change_nothing(tmp_path):
    TOKENIZER.save(tmp_path / "tokenizer.json")
    loaded = Tokenizer.load(tmp_path / "tokenizer.json")
    assert json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))["model"]["type"] == "BPE"
    for text in [*TEXTS, "<pad> 注意", ""]:
        assert loaded.encode(text) == TOKENIZER.encode(text)
    loaded.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "tokenizer.json").read_bytes()


def test_training_twice_gives_the_same_tokenizer(tmp_path):
    for name in ("one", "two"):
        Tokenizer.train(TEXTS, 400).save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_many_texts_are_encoded_as_each_alone():
    assert TOKENIZER.encode_all(TEXTS) == [TOKENIZER.encode(text) for text in TEXTS]


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [(None, TypeError, "NoneType"), (b"le", TypeError, "bytes"), ("a\ud800", ValueError, "surrogate")],
)
def test_what_is_no_text_is_refused(text, error, said):
    with pytest.raises(error, match=said):
        TOKENIZER.encode(text)


def test_a_vocabulary_too_small_for_the_bytes_is_refused():
    with pytest.raises(ValueError, match="vocab_size >= 259; got 100"):
        Tokenizer.train(TEXTS, 100)


def test_one_that_learned_from_lower_case_reads_everything_so():
    tokenizer = Tokenizer.train([text.lower() for text in TEXTS], vocab_size=300, lower_case=True)
    assert tokenizer.encode("Le CHAT dort") == tokenizer.encode("le chat dort")
    assert tokenizer.decode(tokenizer.encode("Le CHAT, ÉTÉ")) == "le chat, été"


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda t: pickle.loads(pickle.dumps(t))])
def test_a_copy_keeps_the_promise_that_no_text_is_a_special_token(copied):
    tokenizer = Tokenizer.train(["hello world"] * 5, 300)
    other = copied(tokenizer)
    assert other.encode("a<eos>b") == tokenizer.encode("a<eos>b") and 2 not in other.encode("a<eos>b")


def test_a_worker_that_is_spawned_keeps_it_too():
    tokenizer = Tokenizer.train(["hello world"] * 5, 300)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(tokenizer.encode, "a<eos>b").result() == tokenizer.encode("a<eos>b")


def test_labels_that_do_not_count_are_named():
    tokenizer = Tokenizer.train(["hello world"] * 5, 300)
    with pytest.raises(ValueError, match=r"no token has the id -100.*labels hold -100"):
        tokenizer.decode([5, -100])
    with pytest.raises(ValueError, match=f"no token has the id 5000: they go from 0 to {len(tokenizer) - 1}"):
        tokenizer.pieces([5000])
