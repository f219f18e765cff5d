"""The recurrent translator: at once and step by step agree, padding changes nothing, it learns."""

import pytest
import torch
from torch.nn.utils.rnn import pad_sequence

from course.models.recurrent import GRU, last_states
from course.models.seq2seq import Seq2Seq, Seq2SeqConfig, fit
from course.text.decoding import greedy_search
from course.text.tokenizers import BOS, EOS, PAD, Tokenizer

SIZES = Seq2SeqConfig(vocab_size=13, d_embedding=10, d_hidden=12, dropout=0.0, label_smoothing=0.0)
SOURCES = [torch.tensor(ids) for ids in ([5, 9, 4, EOS], [7, EOS], [3, 3, 8, 12, 6, EOS])]
TARGETS = torch.tensor([[BOS, 4, 9, EOS, PAD], [BOS, 7, EOS, PAD, PAD], [BOS, 6, 12, 8, EOS]])


def padded(sources=SOURCES) -> torch.Tensor:
    return pad_sequence(sources, batch_first=True, padding_value=PAD)


@pytest.fixture
def model() -> Seq2Seq:
    torch.manual_seed(2)
    return Seq2Seq(SIZES).eval()


def test_the_reader_is_the_courses_gru(model):
    ours = GRU(10, 6, bidirectional=True)
    ours.load_state_dict(model.encoder.gru.state_dict())
    memory, lengths = model.encode(padded()), torch.tensor([4, 2, 6])
    outputs, _ = ours(model.embed(padded()), lengths=lengths)
    torch.testing.assert_close(memory.states, outputs, rtol=0, atol=1e-6)
    torch.testing.assert_close(memory.context, last_states(outputs, lengths), rtol=0, atol=1e-6)
    assert memory.mask.sum(-1).tolist() == [4, 2, 6]


def test_a_sentence_is_read_alike_whatever_stands_beside_it(model):
    logits = model(padded(), TARGETS[:, :-1])
    for i, source in enumerate(SOURCES):
        torch.testing.assert_close(
            model(source[None], TARGETS[i : i + 1, :-1])[0], logits[i], rtol=0, atol=1e-6
        )


def test_step_by_step_is_the_same_as_at_once(model):
    logits, step = model(padded(), TARGETS[:, :-1]).log_softmax(-1), model.writer(padded())
    for i in range(TARGETS.shape[1] - 1):
        torch.testing.assert_close(step(TARGETS[:, i], torch.arange(3)), logits[:, i], rtol=0, atol=1e-5)


def test_rows_may_change_places_while_it_writes(model):
    step = model.writer(padded(), beam=2)
    step(torch.full((6,), BOS), torch.arange(6))
    after = step(torch.tensor([4, 9, 4, 9, 4, 9]), torch.tensor([1, 0, 3, 2, 5, 4]))
    plain = model(padded(), torch.tensor([[BOS, 4], [BOS, 4], [BOS, 4]])).log_softmax(-1)[:, -1]
    torch.testing.assert_close(after[::2], plain, rtol=0, atol=1e-5)


def test_the_source_is_seen_through_the_context_alone(model):
    memory, start = model.encode(padded()), model.embed(TARGETS[:, :-1])
    other = memory._replace(states=torch.randn_like(memory.states))
    assert torch.equal(model.decoder(start, memory), model.decoder(start, other))
    moved = memory._replace(context=memory.context + 0.1)
    assert ((model.decoder(start, memory) - model.decoder(start, moved)).abs().amax(-1) > 1e-5).all()


def test_the_loss_is_the_mean_over_real_tokens_and_reaches_every_weight(model):
    loss = model.loss(padded(), TARGETS)
    log_p = model(padded(), TARGETS[:, :-1]).log_softmax(-1)
    labels = TARGETS[:, 1:]
    by_hand = -log_p.gather(-1, labels[..., None])[..., 0][labels != PAD].mean()
    torch.testing.assert_close(loss, by_hand)
    loss.backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters())


def test_it_learns_to_write_backwards():
    torch.manual_seed(0)
    model = Seq2Seq(
        Seq2SeqConfig(vocab_size=8, d_embedding=32, d_hidden=64, dropout=0.0, label_smoothing=0.0)
    )
    words = torch.randint(3, 8, (400, 3), generator=torch.Generator().manual_seed(1))
    ends = torch.full((400, 1), EOS)
    source, target = (
        torch.cat([words, ends], 1),
        torch.cat([torch.full((400, 1), BOS), words.flip(1), ends], 1),
    )
    losses = fit(model, lambda step: (source[:300], target[:300]), 120, lr=1e-2)
    assert losses[-1] < 0.1 < losses[0]
    written = greedy_search(model.writer(source[300:]), 100, BOS, EOS, 10)
    right = [hypothesis.ids == target[300 + i, 1:].tolist() for i, hypothesis in enumerate(written)]
    assert sum(right) > 90
    assert model.translate_ids(source[300:], beam=1)[0] == written[0].ids


def test_it_is_kept_and_found_again(tmp_path):
    tokenizer = Tokenizer.train(["le chat dort", "the cat sleeps"], 262)
    model = Seq2Seq(Seq2SeqConfig(len(tokenizer), 10, 12, max_length=20), tokenizer).eval()
    model.save(tmp_path / "own", torch.float16)
    again = Seq2Seq.from_pretrained(tmp_path / "own")
    assert again.config == model.config and not again.training
    assert all(
        torch.equal(p.half(), q.half()) for p, q in zip(model.parameters(), again.parameters(), strict=True)
    )
    texts = ["le chat", "dort", "le chat dort"]
    # A translation that does not end is cut behind the longest source's length and 50 tokens.
    pairs = zip(again.translate_all(texts), [again.translate(text) for text in texts], strict=True)
    assert all(together[:20] == alone[:20] for together, alone in pairs)


@pytest.mark.parametrize("text", ["", "chat " * 30])
def test_what_it_cannot_translate_is_refused_in_words(text):
    tokenizer = Tokenizer.train(["le chat dort"], 262)
    model = Seq2Seq(Seq2SeqConfig(len(tokenizer), 10, 12, max_length=20), tokenizer)
    with pytest.raises(ValueError, match="1 to 19 tokens; got"):
        model.translate(text)
    with pytest.raises(ValueError, match="no tokenizer"):
        Seq2Seq(SIZES).translate("chat")


def test_two_directions_share_the_width():
    with pytest.raises(ValueError, match="even; got 11"):
        Seq2Seq(Seq2SeqConfig(13, 10, 11))
