"""The LSTM of characters: our steps read what torch's kernel reads; it learns, writes, is kept."""

import pytest
import torch

from course.models.character_lstm import CharacterLSTM, CharacterLSTMConfig
from course.models.recurrent import LSTM
from course.models.seq2seq import fit
from course.text.characters import Characters

TEXT = "abcab cabcab "


@pytest.fixture
def model() -> CharacterLSTM:
    torch.manual_seed(0)
    return CharacterLSTM(CharacterLSTMConfig(4, 5, 8), Characters(TEXT)).eval()


def test_reading_step_by_step_is_torchs_reading(model):
    seen, ids = model.read(TEXT), torch.tensor([model.encode(TEXT)])
    outputs, (_, c) = model.lstm(model.embedding(ids))
    torch.testing.assert_close(seen.outputs, outputs[0].detach(), rtol=0, atol=1e-6)
    torch.testing.assert_close(seen.cells[-1], c[0, 0].detach(), rtol=0, atol=1e-6)
    ours = LSTM(5, 8)
    ours.load_state_dict(model.lstm.state_dict())
    torch.testing.assert_close(ours(model.embedding(ids))[0], outputs, rtol=0, atol=1e-6)


def test_surprise_is_what_each_character_cost(model):
    seen, ids = model.read(TEXT), torch.tensor([model.encode(TEXT)])
    assert seen.surprise[0].isnan()
    torch.testing.assert_close(seen.surprise[1:].mean(), model.loss(ids[:, :-1], ids[:, 1:]).detach())


def test_forget_gates_begin_open(model):
    quarter = slice(8, 16)
    assert (model.lstm.bias_ih_l0[quarter] == 1).all() and (model.lstm.bias_hh_l0[quarter] == 0).all()


def test_it_learns_and_writes(model):
    ids = torch.tensor([model.encode(TEXT * 4)])
    before = model.loss(ids[:, :-1], ids[:, 1:]).item()
    fit(model, lambda step: (ids[:, :-1], ids[:, 1:]), 60, lr=3e-2)
    assert model.loss(ids[:, :-1], ids[:, 1:]).item() < 0.5 * before
    written = model.write("ab", 20, seed=1)
    assert written == model.write("ab", 20, seed=1) and len(written) == 22 and set(written) <= set(TEXT)
    assert len({model.write("ab", 20, temperature=5.0, seed=seed) for seed in range(5)}) > 1


def test_it_is_kept_and_found_again(model, tmp_path):
    model.save(tmp_path / "own", torch.float16)
    again = CharacterLSTM.from_pretrained(tmp_path / "own")
    assert again.config == model.config and again.characters.characters == model.characters.characters
    assert all(
        torch.equal(p.half(), q.half()) for p, q in zip(model.parameters(), again.parameters(), strict=True)
    )


@pytest.mark.parametrize("call, says", [
    (lambda m: m.read(""), "at least one character"),
    (lambda m: m.read("abd"), "not in this vocabulary: 'd'"),
    (lambda m: m.write("ab", 3, temperature=0), "above 0; got 0"),
    (lambda m: CharacterLSTM(m.config).read("ab"), "no vocabulary"),
])  # fmt: skip
def test_what_it_cannot_read_is_refused_in_words(model, call, says):
    with pytest.raises(ValueError, match=says):
        call(model)


def test_it_reads_capitals_as_small_letters(model):
    assert model.read("ABC").characters == ["a", "b", "c"]
