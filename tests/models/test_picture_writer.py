"""A writer of pictures: captions are read as they should be, and its attention is what it used."""

import pytest
import torch

from course.data.shapes import vocabulary
from course.heads import record_attention
from course.masking import IGNORED
from course.models.gpt import GPT, GPTConfig
from course.models.picture_writer import CAPTION, PICTURE, PictureWriter, training_rows

CODES = 20


@pytest.fixture(scope="module")
def writer() -> PictureWriter:
    torch.manual_seed(0)
    tokens = PictureWriter.tokens(CODES, len(vocabulary()))
    config = GPTConfig(
        tokens, d_model=16, n_heads=2, n_layers=2, max_length=CAPTION + 1 + PICTURE, dropout=0.0
    )
    gpt = GPT(config)
    for p in gpt.parameters():
        torch.nn.init.normal_(p, std=0.3)
    return PictureWriter(gpt.eval(), torch.rand(CODES, 48))


def test_tokens_have_numbers_of_their_own(writer):
    ids = [*range(CODES), writer.pad, writer.begin, *writer.number.values()]
    assert ids == list(range(writer.gpt.config.vocab_size))
    with pytest.raises(ValueError, match="20 codes and 3 words are 25 tokens; the GPT has 55"):
        PictureWriter(writer.gpt, torch.rand(CODES, 48), ["a", "b", "c"])


def test_unknown_words_are_left_out_and_named(writer):
    reading = writer.read("A red girafe, top left")
    assert reading.words == ["a", "red", ",", "top", "left"] and reading.unknown == ["girafe"]
    assert [writer.words[i - writer.begin - 1] for i in reading.ids] == reading.words
    assert writer.near("circel") == "circle" and writer.near("国王") is None


@pytest.mark.parametrize("caption", ["", "  , ", "giraffe 国王"])
def test_a_caption_without_a_known_word_is_refused(writer, caption):
    with pytest.raises(ValueError, match="none of these words is known; it knows a, and"):
        writer.read(caption)


def test_a_caption_that_is_too_long_is_refused(writer):
    assert len(writer.read("a " * 32).ids) == 32
    with pytest.raises(ValueError, match="33 words, and there are places for 32"):
        writer.read("a " * 33)


def test_a_prompt_is_padded_and_ends_where_the_picture_begins(writer):
    prompt = writer.prompt(writer.read("a red star"))
    assert prompt.shape == (33,) and prompt[-1] == writer.begin and (prompt[3:32] == writer.pad).all()


def test_only_a_pictures_tokens_count_in_training():
    prompts, codes = torch.arange(66).view(2, 33) + 500, torch.arange(162).view(2, 81)
    ids, targets = training_rows(prompts, codes)
    assert ids.shape == targets.shape == (2, 113)
    assert (targets[:, :32] == IGNORED).all() and torch.equal(targets[:, 32:], codes)
    assert torch.equal(ids[:, :33], prompts) and torch.equal(ids[:, 33:], codes[:, :-1])


def test_many_are_written_as_one_and_each_token_is_the_likeliest(writer):
    texts = ["a red star", "top left a black cross and a blue ring"]
    prompts = torch.stack([writer.prompt(writer.read(text)) for text in texts])
    both = writer.write(prompts)
    for text, prompt, codes in zip(texts, prompts, both, strict=True):
        drawn = writer.draw(text)
        assert torch.equal(drawn.codes, codes)
        logits = writer.gpt(torch.cat([prompt, codes[:-1]]))[CAPTION:, :CODES]
        assert torch.equal(logits.argmax(-1), codes)
        chances = logits.softmax(-1).max(-1).values
        torch.testing.assert_close(drawn.chances, chances, atol=1e-6, rtol=1e-5)


def test_chance_follows_the_seed(writer):
    a, b, c = (writer.draw("a red star", temperature=1.0, seed=s).codes for s in (1, 1, 2))
    assert torch.equal(a, b) and not torch.equal(a, c)


def test_attention_is_that_of_the_pass_that_wrote_it(writer):
    drawn = writer.draw("a red star")
    ids = torch.cat([writer.prompt(drawn.reading), drawn.codes[:-1]])
    with record_attention(writer.gpt) as weights:
        writer.gpt(ids[None])
    whole = torch.cat(list(weights.values()))[:, :, CAPTION:]
    assert drawn.to_words.shape == (2, 2, 81, 3) and drawn.to_picture.shape == (2, 2, 81, 81)
    rest = whole[..., 3 : CAPTION + 1].sum(-1)
    torch.testing.assert_close(drawn.to_words.sum(-1) + drawn.to_picture.sum(-1) + rest, torch.ones(2, 2, 81))
    assert drawn.to_picture.triu().abs().max() == 0, "what is not written yet cannot be seen"


def test_it_is_saved_and_read_again(writer, tmp_path):
    writer.save(tmp_path)
    again = PictureWriter.from_pretrained(tmp_path)
    assert torch.equal(again.codebook, writer.codebook)
    assert torch.equal(again.draw("a red star").codes, writer.draw("a red star").codes)
