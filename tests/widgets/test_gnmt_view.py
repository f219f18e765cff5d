"""GNMT drawn: its parts are what the model computes, its words are GNMT's own."""

import pytest
import torch

from course.models.gnmt import FIRST_RESIDUAL, Gnmt
from course.models.seq2seq import Seq2SeqConfig
from course.studies.gnmt_anatomy import gnmt_anatomy
from course.text.tokenizers import BOS, Tokenizer
from course.widgets.gnmt_view import WORDS, gnmt_view


@pytest.fixture(scope="module")
def model():
    tokenizer = Tokenizer.train(["Tom chase Jerry", "汤姆 追逐 杰瑞"] * 3, 300)
    torch.manual_seed(0)
    return Gnmt(Seq2SeqConfig(len(tokenizer), 6, 8), tokenizer).eval()


def test_the_parts_are_what_the_model_computes(model):
    source = model.source_ids("Tom chase Jerry")
    target = torch.tensor([BOS, *model.tokenizer.encode("汤姆 追逐")])
    parts = {part.name: part for part in gnmt_anatomy(model, source, target)}
    assert torch.allclose(parts["logits"].output, model(source[None], target[None])[0], atol=1e-5)
    top = Gnmt.N_LAYERS - 1
    assert torch.allclose(
        parts[f"encoder.layers.{top}"].output, model.encode(source[None]).states[0], atol=1e-6
    )
    adds = [name for name, part in parts.items() if part.kind == "add"]
    assert adds == [
        f"{stack}.layers.{n}.add" for stack in ("encoder", "decoder") for n in range(FIRST_RESIDUAL, top + 1)
    ]
    asked = parts["decoder.layers.0.cross_attention"]
    assert asked.weights.shape == (1, len(target), len(source))
    assert torch.allclose(asked.weights.sum(-1), torch.ones(1, len(target)), atol=1e-6)
    inside = sum(p.parameters for p in parts.values() if not p.shared and not p.kind.endswith("_block"))
    assert inside == sum(p.numel() for p in model.parameters())


def test_every_part_has_its_words_and_can_be_chosen(model):
    view = gnmt_view(model, "Tom chase Jerry", "汤姆 追逐 杰瑞")
    for part in view.parts:
        view.chosen = part["name"]
        assert WORDS["parts"][part["kind"]][0].format(layer=part["layer"]) in view.describe()
    assert view.facts["encoder"] == Gnmt.N_LAYERS and view.png().startswith(b"\x89PNG")


def test_another_sentence_can_be_typed(model):
    view = gnmt_view(model, "Tom chase Jerry")
    view.text = "Jerry chase Tom"
    assert "".join(view.tokens["source"]).startswith("Jerry") and view.problem == ""
    view.text = " "
    assert view.problem
