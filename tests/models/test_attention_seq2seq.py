"""Translators that ask: attention is the functions', writing is training, padding changes nothing."""

import pytest
import torch
from torch.nn.utils.rnn import pad_sequence

from course.models.attention_seq2seq import Bahdanau, Cosine, Luong
from course.models.gnmt import Gnmt
from course.models.luong import bahdanau_attention
from course.models.seq2seq import Seq2SeqConfig
from course.text.tokenizers import BOS, EOS, PAD, Tokenizer

KINDS = [Bahdanau, Luong, Cosine, Gnmt]
SOURCES = [torch.tensor([5, 9, 4, 7, EOS]), torch.tensor([8, 3, EOS])]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def model(request):
    torch.manual_seed(0)
    return request.param(Seq2SeqConfig(20, 6, 10, dropout=0.0)).eval()


def padded(sources=SOURCES):
    return pad_sequence(sources, batch_first=True, padding_value=PAD)


def test_writing_step_by_step_is_training_all_at_once(model):
    written = torch.tensor([[BOS, 6, 11, 4], [BOS, 7, 7, 12]])
    logits = model(padded(), written).log_softmax(-1)
    step = model.writer(padded())
    for i in range(4):
        assert torch.allclose(step(written[:, i], torch.arange(2)), logits[:, i], atol=1e-5)


def test_a_source_means_the_same_alone_and_beside_a_longer_one(model):
    written = torch.tensor([[BOS, 6, 11]])
    alone = model(SOURCES[1][None], written)
    beside = model(padded(), written.expand(2, -1))[1:]
    assert torch.allclose(alone, beside, atol=1e-5)


def test_weights_sum_to_one_and_spare_the_padding(model):
    memory = model.encode(padded())
    _, weights = model.decoder.follow(model.embed(torch.tensor([[BOS, 4, 5]] * 2)), memory)
    assert torch.allclose(weights.sum(-1), torch.ones(2, 3), atol=1e-6)
    assert (weights[1, :, 3:] == 0).all() and weights.std() > 1e-3


def test_rows_can_change_their_places_while_writing(model):
    """A beam reorders its rows: row r goes on from what row parents[r] was."""
    step = model.writer(padded(SOURCES[:1]), beam=2)
    step(torch.tensor([BOS, BOS]), torch.arange(2))
    first = step(torch.tensor([6, 11]), torch.arange(2))
    again = model.writer(padded(SOURCES[:1]), beam=2)
    again(torch.tensor([BOS, BOS]), torch.arange(2))
    swapped = again(torch.tensor([11, 6]), torch.tensor([1, 0]))
    assert torch.allclose(first, swapped.flip(0), atol=1e-6)
    assert len(model.translate_ids(padded(), beam=3)) == 2


def test_it_learns(model):
    target = torch.tensor([[BOS, 6, 11, EOS], [BOS, 7, EOS, PAD]])
    optimizer = torch.optim.Adam(model.parameters(), 2e-2)
    losses = []
    for _ in range(40):
        loss = model.train().loss(padded(), target)
        optimizer.zero_grad()
        loss.backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_bahdanaus_decoder_asks_with_the_state_before():
    torch.manual_seed(1)
    model = Bahdanau(Seq2SeqConfig(20, 6, 10, dropout=0.0)).eval()
    memory, decoder = model.encode(padded()), model.decoder
    state = decoder.start(memory)
    _, after = decoder.step(model.embed(torch.tensor([4, 5])), state, memory)
    weights = decoder.w_query, decoder.w_key, decoder.v
    _, a = bahdanau_attention(state.hidden, memory.states, *weights, memory.mask)
    assert torch.allclose(after.weights, a, atol=1e-6)


def test_luongs_decoder_asks_with_the_state_reached_and_is_fed_what_it_found():
    torch.manual_seed(1)
    model = Luong(Seq2SeqConfig(20, 6, 10, dropout=0.0)).eval()
    memory, decoder = model.encode(padded()), model.decoder
    feature, after = decoder.step(model.embed(torch.tensor([4, 5])), decoder.start(memory), memory)
    assert torch.equal(feature, after.found)
    scores = torch.einsum("bd,de,bse->bs", after.hidden, decoder.weight, memory.states)
    a = scores.masked_fill(~memory.mask, -torch.inf).softmax(-1)
    assert torch.allclose(after.weights, a, atol=1e-6)


def test_a_text_is_attended_to_token_by_token():
    tokenizer = Tokenizer.train(["Tom chase Jerry", "汤姆 追逐 杰瑞"] * 3, 300)
    torch.manual_seed(0)
    model = Bahdanau(Seq2SeqConfig(len(tokenizer), 6, 10), tokenizer)
    seen = model.attend("Tom chase Jerry", "汤姆 追逐 杰瑞")
    assert "".join(seen.tokens) == "汤姆 追逐 杰瑞<eos>" and "".join(seen.columns) == "Tom chase Jerry<eos>"
    assert seen.weights.shape == (1, 1, len(seen.tokens), len(seen.columns))
    own = model.attend("Tom chase Jerry")
    assert own.weights.shape[-1] == len(seen.columns)


@pytest.mark.parametrize("name", ["cat-and-mouse-mlp", "cat-and-mouse-cosine"])
def test_the_shipped_ones_know_the_lectures_sentence(name):
    kind = {"mlp": Bahdanau, "cosine": Cosine}[name.rsplit("-", 1)[1]]
    assert kind.from_pretrained(name).translate("Tom chase Jerry") == "汤姆 追逐 杰瑞"


@pytest.mark.parametrize("kind, name", [(Bahdanau, "fr-en-bahdanau"), (Luong, "fr-en-luong")])
def test_the_shipped_translators_write_english(kind, name):
    written = kind.from_pretrained(name).translate_all(["Je suis fatigué.", "Où est Tom ?"])
    assert all(text.isascii() and text[-1] in ".?!" for text in written)
