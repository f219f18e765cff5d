"""Far clues and many pairs: questions are what they say, and readers differ in one thing."""

import pytest
import torch

from course.data import far_clues
from course.models.seq2seq import fit
from course.studies.long_range import (
    CLUES,
    KEYS,
    READERS,
    TASKS,
    Drawn,
    Reader,
    accuracy,
    gradient_at_clue,
    many_pairs,
    one_clue,
)

GENERATOR = torch.Generator().manual_seed(0)


@pytest.mark.parametrize("distance", [1, 7, 40])
def test_the_clue_stands_so_far_back_and_nothing_else_tells_it(distance):
    ids, answers = one_clue(distance, 50, GENERATOR)
    assert torch.equal(ids[:, -1 - distance, 0], answers) and (answers < CLUES).all()
    others = torch.cat([ids[:, : -1 - distance, 0], ids[:, -distance:-1, 0]], dim=1)
    assert ((others >= CLUES) & (others < 2 * CLUES)).all() and (ids[:, -1] == 2 * CLUES).all()


@pytest.mark.parametrize("n", [1, 8, KEYS])
def test_the_answer_is_the_value_of_the_key_asked(n):
    ids, answers = many_pairs(n, 50, GENERATOR)
    assert ids.shape == (50, n + 1, 2)
    for row, answer in zip(ids.tolist(), answers.tolist(), strict=True):
        pairs = dict(row[:-1])
        assert len(pairs) == n and pairs[row[-1][0]] - KEYS == answer


def test_the_cloze_is_text_with_a_language_at_the_end():
    ids, answers = TASKS["cloze"].draw((3, 2), 20, GENERATOR)
    words, languages = far_clues.vocabulary(), list(far_clues.LANGUAGES.values())
    for row, answer in zip(ids[..., 0].tolist(), answers.tolist(), strict=True):
        text = [words[id] for id in row]
        asked = text[-3]
        country = next(text[i + 4] for i in range(0, 18, 6) if text[i] == asked)
        assert far_clues.LANGUAGES[country] == languages[answer] and text[-1] == "fluent"


@pytest.mark.parametrize(
    "bad",
    [
        lambda: one_clue(0, 1, GENERATOR),
        lambda: many_pairs(0, 1, GENERATOR),
        lambda: many_pairs(33, 1, GENERATOR),
    ],
)
def test_sizes_that_do_not_exist_are_refused(bad):
    with pytest.raises(ValueError, match="got"):
        bad()


def test_attention_is_the_gru_and_a_look_back():
    torch.manual_seed(0)
    reader = Reader("attention", 9, 5, width=6)
    x = torch.randn(2, 4, 6)
    features, weights = reader.read(x)
    states, _ = reader.cell(x)
    assert weights.shape == (2, 3) and torch.allclose(weights.sum(-1), torch.ones(2))
    torch.testing.assert_close(
        features, torch.cat([states[:, -1], (weights[..., None] * states[:, :-1]).sum(1)], -1)
    )
    plain = Reader("GRU", 9, 5, width=6)
    assert plain.read(x)[1] is None
    assert sum(p.numel() for p in reader.cell.parameters()) == sum(p.numel() for p in plain.cell.parameters())


def test_the_gradient_at_each_word_is_autograds():
    torch.manual_seed(0)
    task = TASKS["one clue"]
    reader = Reader("LSTM", task.vocab_size, task.answers, width=8)
    found = gradient_at_clue(reader, task, 6, n=1, seed=3)
    questions = task.draw(6, 1, torch.Generator().manual_seed(3))
    seen = {}
    hook = reader.embedding.register_forward_hook(
        lambda _, __, out: seen.update(out=out) or out.retain_grad()
    )
    reader.loss(*questions).backward()
    hook.remove()
    assert found == pytest.approx(seen["out"].grad[0, :, 0].norm(dim=-1).tolist(), rel=1e-4)


def test_a_step_trains_on_the_same_questions_whenever_it_is_asked():
    drawn = Drawn(TASKS["many pairs"], range(1, 5), 3, seed=2)
    first, again = drawn(7), Drawn(TASKS["many pairs"], range(1, 5), 3, seed=2)(7)
    assert torch.equal(first.ids, again.ids) and torch.equal(first.answers, again.answers)
    assert len({drawn(step).ids.shape[1] for step in range(40)}) == 4


@pytest.mark.parametrize("kind", READERS)
def test_every_reader_learns_a_near_clue(kind):
    torch.manual_seed(0)
    task = TASKS["one clue"]
    reader = Reader(kind, task.vocab_size, task.answers, width=32)
    fit(reader, Drawn(task, [1, 2], 32), 120, 1e-2)
    assert accuracy(reader, task, [1, 2], 200)[0] > 0.9


def test_there_are_four_readers():
    with pytest.raises(ValueError, match="RNN, GRU, LSTM, attention; got 'CNN'"):
        Reader("CNN", 5, 5)
