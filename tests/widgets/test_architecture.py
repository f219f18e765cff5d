"""The architecture drawn from a run: what travels to the browser is what the model has and computed."""

import numpy as np
import pytest
import torch
from tiny_translator import NASTY, TOKENIZER, tiny_translator

from course.text.tokenizers import BOS
from course.widgets import architecture

TEXT, WRITTEN = "Le chat dort.", "The cat sleeps"


@pytest.fixture(scope="module")
def model():
    return tiny_translator()


@pytest.fixture
def drawn(model):
    return architecture(model, TEXT, WRITTEN)


def unpack(drawn, place) -> torch.Tensor:
    size = int(np.prod(place["shape"]))
    values = np.frombuffer(drawn.buffer, np.float16, size, place["start"])
    return torch.tensor(values).float().reshape(place["shape"])


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_what_is_drawn_is_what_is_there(norm):
    drawn = architecture(tiny_translator(norm=norm, n_encoder_layers=3), TEXT, WRITTEN)
    blocks = [part["name"] for part in drawn.parts if part["kind"].endswith("block")]
    assert blocks == [f"encoder.layers.{i}" for i in range(3)] + [f"decoder.layers.{i}" for i in range(3)]
    assert ("encoder.norm" in [part["name"] for part in drawn.parts]) == (norm == "pre")
    first = [part["kind"] for part in drawn.parts if part["stack"] == "encoder" and part["layer"] == 0][1:4]
    after, before = ["self_attention", "add", "norm"], ["norm", "self_attention", "add"]
    assert first == (after if norm == "post" else before)


def test_every_tensor_travels_whole_but_a_vocabulary_of_scores(model, drawn):
    for heading in drawn.parts:
        drawn.chosen = heading["name"]
        part = drawn.part
        assert heading["shape"] == list(part.shape.items())
        values = unpack(drawn, heading["output"])
        if heading["columns"] is None:
            torch.testing.assert_close(values, part.output, rtol=6e-4, atol=1e-6)
        if part.weights is not None:
            torch.testing.assert_close(unpack(drawn, heading["weights"]), part.weights, rtol=6e-4, atol=1e-6)


def test_of_a_vocabulary_the_likeliest_tokens_are_shown(model, drawn):
    scores, chances = drawn.parts[-2:]
    assert scores["shape"] == [("target", len(drawn.tokens["target"])), ("vocabulary", len(TOKENIZER))]
    source, target = model.source_ids(TEXT), torch.tensor([BOS, *TOKENIZER.encode(WRITTEN)])
    expected = model(source[None], target[None])[0].softmax(-1)
    values = unpack(drawn, chances["output"])
    for row, best in zip(values, expected.topk(3).values, strict=True):
        torch.testing.assert_close(row.topk(3).values, best, rtol=6e-4, atol=1e-6)
    pieces = [model.pieces([i])[0] for i in expected.argmax(-1)]
    assert [chances["columns"][i] for i in values.argmax(-1)] == pieces


def test_without_a_target_the_decoder_is_given_the_models_own_translation(model):
    drawn = architecture(model, TEXT)
    ids = model.translate(TEXT).ids
    assert drawn.tokens["target"] == ["<bos>", *model.pieces(ids[:-1])]
    assert drawn.tokens["source"] == [*TOKENIZER.pieces(TOKENIZER.encode(TEXT)), "<eos>"]


def test_another_sentence_runs_the_model_and_an_unreadable_one_changes_nothing(drawn):
    drawn.chosen = "decoder.layers.1.cross_attention"
    before = drawn.buffer
    drawn.text = ""
    assert drawn.buffer == before and "nothing to translate" in drawn.problem
    drawn.text = "La chaise"
    assert drawn.problem == "" and "".join(drawn.tokens["source"]) == "La chaise<eos>"
    assert drawn.part.inputs[1] == {"source": len(drawn.tokens["source"]), "d_model": 16}


def test_what_is_not_there_cannot_be_chosen(drawn):
    with pytest.raises(ValueError, match=r"no part 'encoder\.layers\.9'; there are encoder\.embedding"):
        drawn.chosen = "encoder.layers.9"


@pytest.mark.parametrize("chosen", ["encoder.embedding", "decoder.layers.2.cross_attention", "probabilities"])
def test_the_bundle_has_a_picture_and_its_words(drawn, chosen):
    drawn.chosen = chosen
    data, metadata = drawn._repr_mimebundle_()
    assert data["text/plain"] == metadata["image/png"]["alt"] == drawn.describe()
    assert chosen in drawn.describe() and "Out: " in drawn.describe()
    assert drawn.png() == drawn.png()


def test_ids_are_read_without_a_tokenizer():
    model = tiny_translator()
    model.tokenizer = None
    drawn = architecture(model, [9, 10, 11], [20, 21])
    assert drawn.text is None and drawn.tokens == {
        "source": ["9", "10", "11", "2"],
        "target": ["1", "20", "21"],
    }


def test_any_text_stays_text_in_the_page(model, tmp_path):
    drawn = architecture(model, NASTY + "猫🙂", NASTY)
    assert drawn.png()
    page = drawn.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("</script>") == 2 and NASTY not in page
