"""WordPiece reads as transformers' BERT tokenizer does, and is the same whenever it is trained."""

import pytest
from transformers import BertTokenizer

from course.text.tokenizers import Tokenizer
from course.text.wordpiece import WordPiece

TEXTS = [
    "Le chat dort sur la chaise, et la souris danse dans la cuisine.",
    "The cat sleeps on the chair, and the mouse dances in the kitchen.",
    "La zone économique a été créée en août 1992 ; 1992 ou 1993 ?",
] * 4
WORDPIECE = WordPiece.train(TEXTS, vocab_size=200)


def words_of(text: str) -> list[str]:
    return WORDPIECE.pieces(WORDPIECE.encode(text).ids)[1:-1]


def transformers_twin(tmp_path, tokenizer: WordPiece) -> BertTokenizer:
    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text("\n".join(tokenizer.pieces(range(len(tokenizer)))), encoding="utf-8")
    return BertTokenizer(str(vocabulary))


def test_wordpiece_is_uncased_and_marks_what_goes_on_with_a_word():
    assert words_of("The CAT, the été!") == ["the", "cat", ",", "the", "ete", "[UNK]"]
    assert words_of("catmouse")[0] == "cat" and all(
        piece.startswith("##") for piece in words_of("catmouse")[1:]
    )
    assert words_of("注") == ["[UNK]"]


@pytest.mark.parametrize(
    "pair", [("The cat sleeps.", None), ("La souris danse", "The Mouse, in 1992 注"), ("", None)]
)
@pytest.mark.parametrize("max_length", [None, 8])
def test_wordpiece_reads_as_transformers_does(tmp_path, pair, max_length):
    cut = {"truncation": max_length is not None, "max_length": max_length}
    theirs = transformers_twin(tmp_path, WORDPIECE)(*pair, **cut)
    ours = WORDPIECE.encode(*pair, max_length=max_length)
    assert (ours.ids, ours.segments) == (theirs["input_ids"], theirs["token_type_ids"])


def test_a_pair_has_segments_special_tokens_and_numbered_words():
    encoded = WORDPIECE.encode("the catmouse", "the [MASK] 注")
    pieces = WORDPIECE.pieces(encoded.ids)
    end = pieces.index("[SEP]")
    assert pieces[0] == "[CLS]" and pieces[end + 1 :] == ["the", "[MASK]", "[UNK]", "[SEP]"]
    assert encoded.segments == [0] * (end + 1) + [1] * 4
    assert encoded.special_mask == [piece in WordPiece.SPECIAL for piece in pieces]
    assert encoded.words == [-1, 0, *[1] * (end - 2), -1, 2, -1, -1, -1]
    assert encoded.ids[end + 2] == WORDPIECE.mask_id
    assert WORDPIECE.encode("the").segments == [0, 0, 0]


def test_wordpiece_decodes_to_lower_case_text_without_special_tokens():
    assert WORDPIECE.decode(WORDPIECE.encode("The CAT sleeps", "the mouse").ids) == "the cat sleeps the mouse"


def test_wordpiece_has_its_special_tokens_first_and_stops_where_told():
    assert WORDPIECE.pieces(range(5)) == list(WordPiece.SPECIAL)
    assert WORDPIECE.special_ids == [0, 1, 2, 3, 4] and WORDPIECE.mask_id == 4
    assert len(WORDPIECE) <= 200
    assert len(WordPiece.train(TEXTS, 80)) == 80


def test_wordpiece_is_the_same_after_saving_and_training_anew(tmp_path):
    WORDPIECE.encode("the cat", max_length=4)
    WORDPIECE.save(tmp_path / "one")
    loaded = WordPiece.load(tmp_path / "one")
    loaded.save(tmp_path / "two")
    WordPiece.train(TEXTS, 200).save(tmp_path / "three")
    assert len({(tmp_path / name).read_bytes() for name in ("one", "two", "three")}) == 1
    assert loaded.encode_all(TEXTS) == [WORDPIECE.encode(text) for text in TEXTS]


def test_ids_of_special_tokens_are_those_of_the_file(tmp_path):
    twin = BertTokenizer(vocab={"the": 0, "[UNK]": 1, "[MASK]": 2, "[SEP]": 3, "[PAD]": 4, "[CLS]": 5})
    twin.save_pretrained(tmp_path)
    loaded = WordPiece.load(tmp_path / "tokenizer.json")
    assert (loaded.pad_id, loaded.cls_id, loaded.sep_id, loaded.mask_id) == (4, 5, 3, 2)
    assert loaded.encode("The [MASK]").ids == [5, 0, 2, 3]


def test_wordpiece_refuses_what_it_cannot_be(tmp_path):
    with pytest.raises(ValueError, match=r"vocab_size >= \d+; got 10"):
        WordPiece.train(TEXTS, 10)  # fewer than the characters
    Tokenizer.train(TEXTS, 300).save(tmp_path / "bpe.json")
    with pytest.raises(ValueError, match=r"needs the tokens \['\[PAD\]'.*another kind"):
        WordPiece.load(tmp_path / "bpe.json")
    with pytest.raises(TypeError, match="NoneType"):
        WORDPIECE.encode_all([("the", None)])
    with pytest.raises(ValueError, match="max_length >= 4; got 2"):
        WORDPIECE.encode("the", max_length=2)
