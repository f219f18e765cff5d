"""A Marian translator, small and random, saved to disk as those of the hub are, in the explorer."""

import json

import pytest
import torch

from course.masks import causal_mask
from course.models import marian
from course.widgets import explore_model

sentencepiece = pytest.importorskip("sentencepiece")
transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.filterwarnings("ignore:Recommended. pip install sacremoses")

TEXTS = ["Le chat noir dort sur la chaise.", "The black cat sleeps on the chair.", "Où est la gare ?"] * 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """config, weights, source.spm, target.spm and vocab.json."""
    folder = tmp_path_factory.mktemp("marian")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS),
        model_prefix=str(folder / "source"),
        vocab_size=60,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    (folder / "source.model").rename(folder / "source.spm")
    (folder / "target.spm").write_bytes((folder / "source.spm").read_bytes())
    spm = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    pieces = [spm.id_to_piece(i) for i in range(3, spm.get_piece_size())]
    vocabulary = {piece: i for i, piece in enumerate(["</s>", "<unk>", *pieces, "<pad>"])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"source_lang": "fr", "target_lang": "en"}), encoding="utf-8"
    )
    pad = vocabulary["<pad>"]
    torch.manual_seed(0)
    config = transformers.MarianConfig(
        vocab_size=len(vocabulary), d_model=16, encoder_layers=2, decoder_layers=3,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=24, decoder_ffn_dim=24,
        max_position_embeddings=64, pad_token_id=pad, decoder_start_token_id=pad, eos_token_id=0,
        forced_eos_token_id=0, num_beams=2,
    )  # fmt: skip
    model = transformers.MarianMTModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(5)
    model.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("part, layers", [("cross", 3), ("encoder", 2), ("decoder", 3)])
def test_it_shows_the_weights_of_each_part(folder, part, layers):
    live = marian.load(folder, part)
    seen = live("Le chat dort.")
    assert seen.weights.shape == (layers, 2, len(seen.tokens), len(seen.columns))
    assert torch.allclose(seen.weights.sum(-1), torch.ones(1), atol=1e-5)
    scores = seen.query @ seen.key.mT / seen.query.shape[-1] ** 0.5
    if part == "decoder":
        assert torch.equal(seen.mask[0, 0], causal_mask(len(seen.tokens)))
        scores = scores.masked_fill(~seen.mask, -torch.inf)
    assert torch.allclose(scores.softmax(-1), seen.weights, atol=1e-5)


def test_its_rows_are_the_translation_and_its_columns_the_source(folder):
    live = marian.load(folder)
    seen = live("Le chat dort.")
    ids = live.tokenizer("Le chat dort.").input_ids
    assert "".join(seen.columns[:-1]).strip() == "Le chat dort." and seen.columns[-1] == "</s>"
    written = live.model.generate(torch.tensor([ids]), max_new_tokens=len(ids) + 50)[0]
    assert seen.tokens == live.pieces(written[1:])


def test_temperature_and_silent_heads_reach_the_model_and_leave_it_as_it_was(folder):
    live = marian.load(folder, "encoder")
    before = live("Le chat dort.")
    even = live("Le chat dort.", temperature=1e6)
    assert torch.allclose(even.weights, torch.full_like(even.weights, 1 / len(even.tokens)), atol=1e-3)
    silent = live("Le chat dort.", ablate={(0, 0), (0, 1)})
    assert torch.equal(silent.weights[0], before.weights[0])
    assert not torch.allclose(silent.weights[1], before.weights[1])
    assert torch.equal(live("Le chat dort.").weights, before.weights)


def test_the_explorer_runs_it_and_says_what_it_cannot_read(folder):
    explorer = explore_model(marian.load(folder), "Le chat dort.")
    explorer.text = "  "
    assert "nothing to translate" in explorer.problem
    explorer.text = "chat " * 100
    assert "at most 64" in explorer.problem
    explorer.text = "Où est la gare ?"
    assert explorer.problem == ""


def test_an_unknown_part_is_refused(folder):
    with pytest.raises(ValueError, match="'encoder', 'decoder', 'cross'; got 'both'"):
        marian.load(folder, "both")
