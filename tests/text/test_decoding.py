"""Greedy and beam search, on models whose every probability is known."""

import itertools

import pytest
import torch

from course.text.decoding import Hypothesis, beam_search, continuations, greedy_search, length_penalty, rank

BOS, EOS, VOCAB = 1, 2, 5


class Markov:
    """A model in which what follows depends on the last two tokens, differently for each sentence."""

    def __init__(self, sentences: int, seed: int = 0):
        generator = torch.Generator().manual_seed(seed)
        logits = torch.randn(sentences, VOCAB, VOCAB, VOCAB, generator=generator)
        self.log_p = (2 * logits).log_softmax(dim=-1)

    def writer(self, beam: int = 1):
        """A step that tells from its rows alone, as a cache does, what was written before."""
        sentence = torch.arange(len(self.log_p)).repeat_interleave(beam)
        last = torch.full_like(sentence, BOS)

        def step(tokens, parents):
            nonlocal last
            assert torch.equal(sentence[parents], sentence), "a row went on as another sentence's"
            result = self.log_p[sentence, last[parents], tokens]
            last = tokens
            return result

        return step

    def score(self, sentence: int, ids) -> float:
        before = [BOS, BOS, *ids]
        return sum(self.log_p[sentence, before[i], before[i + 1], id].item() for i, id in enumerate(ids))


def every_sequence(max_length: int):
    """Every sequence that ends, of at most so many tokens."""
    others = [token for token in range(VOCAB) if token != EOS]
    for n in range(max_length):
        for beginning in itertools.product(others, repeat=n):
            yield [*beginning, EOS]


def test_the_length_penalty_is_the_papers():
    assert length_penalty(7, 0.0) == 1 and length_penalty(1, 0.6) == 1
    assert length_penalty(7, 1.0) == 2 and length_penalty(43, 2 / 3) == pytest.approx(4)


def test_continuations_are_the_best_of_all_pairs_of_a_beginning_and_a_token():
    log_p, following = torch.randn(3, 4), torch.randn(3, 4, VOCAB)
    best, parent, token = continuations(log_p, following, k=6)
    for sentence in range(3):
        pairs = itertools.product(range(4), range(VOCAB))
        total = {(b, t): (log_p[sentence, b] + following[sentence, b, t]).item() for b, t in pairs}
        expected = sorted(total, key=total.get, reverse=True)[:6]
        assert list(zip(parent[sentence].tolist(), token[sentence].tolist(), strict=True)) == expected
        assert best[sentence].tolist() == [total[pair] for pair in expected]


def test_without_a_length_penalty_the_shorter_wins_and_with_one_it_need_not():
    short, long = Hypothesis([3, EOS], -4.0, True), Hypothesis([3, 4, 4, 3, EOS], -5.0, True)
    assert rank([long, short], alpha=0.0) == [short, long]
    assert rank([short, long], alpha=1.0) == [long, short]


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0, 2.0])
def test_a_beam_as_wide_as_the_search_space_finds_the_best_sequence(alpha):
    model = Markov(sentences=4)
    wide = 4**3 * 5  # as many as there are candidates at the last of the steps
    found = beam_search(model.writer(wide), 4, BOS, EOS, max_length=4, beam=wide, alpha=alpha)
    for sentence, hypotheses in enumerate(found):
        best = max(
            every_sequence(4), key=lambda ids: model.score(sentence, ids) / length_penalty(len(ids), alpha)
        )
        assert hypotheses[0].ids == best
        assert len(hypotheses) == 1 + 4 + 16 + 64 and all(hypothesis.ended for hypothesis in hypotheses)
        scores = [hypothesis.score(alpha) for hypothesis in hypotheses]
        assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("beam", [1, 2, 3, 7])
def test_a_hypothesis_carries_its_own_probability(beam):
    model = Markov(sentences=3)
    for sentence, hypotheses in enumerate(
        beam_search(model.writer(beam), 3, BOS, EOS, max_length=6, beam=beam)
    ):
        for hypothesis in hypotheses:
            assert hypothesis.log_p == pytest.approx(model.score(sentence, hypothesis.ids), abs=1e-5)
            assert hypothesis.ended == (hypothesis.ids[-1] == EOS) and EOS not in hypothesis.ids[:-1]


def test_greedy_search_takes_the_likeliest_token_and_equals_a_beam_of_one():
    model = Markov(sentences=20)
    greedy = greedy_search(model.writer(), 20, BOS, EOS, max_length=8)
    beam = beam_search(model.writer(), 20, BOS, EOS, max_length=8, beam=1)
    for sentence, (one, (other,)) in enumerate(zip(greedy, beam, strict=True)):
        assert one.ids == other.ids and one.ended == other.ended
        assert one.log_p == pytest.approx(other.log_p, abs=1e-5)
        before = [BOS, BOS, *one.ids]
        for i, id in enumerate(one.ids):
            assert id == model.log_p[sentence, before[i], before[i + 1]].argmax()
    assert {hypothesis.ended for hypothesis in greedy} == {True, False}


@pytest.mark.parametrize("beam", [1, 4])
def test_a_sentence_is_written_the_same_alone_and_among_others(beam):
    model = Markov(sentences=6, seed=1)
    together = beam_search(model.writer(beam), 6, BOS, EOS, max_length=10, beam=beam)
    for sentence in range(6):
        alone = Markov(sentences=1)
        alone.log_p = model.log_p[sentence : sentence + 1]
        ((*expected,),) = beam_search(alone.writer(beam), 1, BOS, EOS, max_length=10, beam=beam)
        assert [hypothesis.ids for hypothesis in together[sentence]] == [h.ids for h in expected]


def test_what_does_not_end_is_cut_off_and_says_so():
    model = Markov(sentences=2)
    model.log_p[..., EOS] = -torch.inf
    for hypothesis in greedy_search(model.writer(), 2, BOS, EOS, max_length=5):
        assert len(hypothesis.ids) == 5 and not hypothesis.ended
    for hypotheses in beam_search(model.writer(3), 2, BOS, EOS, max_length=5, beam=3):
        assert len(hypotheses) == 3
        assert all(len(hypothesis.ids) == 5 and not hypothesis.ended for hypothesis in hypotheses)


def test_a_search_of_no_length_or_no_beam_is_refused():
    step = Markov(1).writer()
    with pytest.raises(ValueError, match="max_length must be 1 or more; got 0"):
        greedy_search(step, 1, BOS, EOS, 0)
    with pytest.raises(ValueError, match="beam must be 1 or more; got 0"):
        beam_search(step, 1, BOS, EOS, 5, beam=0)


def log_p_of(table: dict[tuple, list[float]], default: list[float]):
    """A step in which what follows depends on all that was written; rows are those of one sentence."""
    rows: list[tuple] = [()]

    def step(tokens, parents):
        nonlocal rows
        rows = [
            (rows[p] if p < len(rows) else ()) + (t,)
            for t, p in zip(tokens.tolist(), parents.tolist(), strict=True)
        ]
        return torch.tensor([table.get(row[1:], default) for row in rows]).log()

    return step


def test_a_beginning_that_can_still_win_is_written_on():
    """Two short sentences have ended, and a long one that is likelier for its length is on its way."""
    long = [0.001, 0.001, 0.001, 0.997, 0.0]  # token 3 again and again
    table = {(): [0.05, 0.05, 0.4, 0.5, 0.0], (3,): [0.001, 0.001, 0.4, 0.598, 0.0]}
    table |= {(3,) * n: [0.001, 0.001, 0.997, 0.001, 0.0] for n in range(8, 12)}
    (found,) = beam_search(log_p_of(table, long), 1, BOS, EOS, max_length=20, beam=2, alpha=1.0)
    greedy = greedy_search(log_p_of(table, long), 1, BOS, EOS, max_length=20)[0]
    assert found[0].ids == greedy.ids == [3] * 8 + [EOS]
    assert found[0].score(1.0) > found[1].score(1.0)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("seed", range(5))
def test_stopping_early_loses_nothing(alpha, seed):
    """The best is what the search finds that never stops before the greatest length."""
    model = Markov(sentences=6, seed=seed)
    stopped = beam_search(model.writer(3), 6, BOS, EOS, max_length=12, beam=3, alpha=alpha)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("course.text.decoding._is_decided", lambda *_: False)
        whole = beam_search(model.writer(3), 6, BOS, EOS, max_length=12, beam=3, alpha=alpha)
    assert [[h.ids for h in hypotheses] for hypotheses in stopped] == [[h.ids for h in hs] for hs in whole]


def test_a_penalty_on_long_sentences_is_refused():
    with pytest.raises(ValueError, match="alpha must be 0 or more"):
        beam_search(Markov(1).writer(2), 1, BOS, EOS, 5, beam=2, alpha=-1.0)
