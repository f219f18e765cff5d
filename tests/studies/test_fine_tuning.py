"""One encoder, four tasks: what is read, what is asked, what learns, and what the answers are."""

import copy
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course.data.examples import Labelled, Pair, Question, Tagged
from course.data.handwritten import LABELS as RELATIONS
from course.data.handwritten import questions
from course.data.little_reports import LABELS, TAGS, reports
from course.masking import IGNORED
from course.models.bert import Bert, BertConfig
from course.models.bert_heads import BertForPreTraining
from course.studies.bert_pretraining import encode, hidden, single_rows
from course.studies.downstream import (
    Classification,
    Pairs,
    Spans,
    Tags,
    batch_of,
    best_span,
    first_piece_labels,
    token_span,
    windows,
)
from course.studies.fine_tuning import Settings, adapt, answer, fine_tune, label_curve, start_model
from course.text.wordpiece import WordPiece

SOME = reports(60, seed=0)
TEXTS = [r.question.context for r in SOME] + ["Who? When? Where did it? sell find buy lose win break the"] * 2
TOKENIZER = WordPiece.train(TEXTS, 300)
SIZES = BertConfig(len(TOKENIZER), 32, 2, 64, n_layers=2, max_length=64, dropout=0.0, attention_dropout=0.0)
EXAMPLES = {
    Classification(LABELS): [r.opinion for r in SOME],
    Pairs(RELATIONS): [r.pair for r in SOME],
    Tags(TAGS): [r.tagged for r in SOME],
    Spans(longest=10, stride=8): [r.question for r in SOME],
}
every_task = pytest.mark.parametrize("task", EXAMPLES, ids=lambda task: type(task).__name__)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory) -> Bert:
    """A small BERT with random weights, as it comes from a folder."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("bert")
    Bert(SIZES).save(folder)
    return Bert.from_pretrained(folder)


def pieces(ids) -> str:
    return " ".join(TOKENIZER.pieces(ids))


# ---- what is read --------------------------------------------------------------------------------


def test_a_pair_is_told_apart_by_segments_and_the_label_is_its_number():
    [reading] = Pairs(RELATIONS).read(TOKENIZER, [Pair("Sam won.", "Sam lost.", "contradiction")], 64)
    assert pieces(reading.ids) == "[CLS] sam won . [SEP] sam lost . [SEP]"
    assert reading.segments == [0] * 5 + [1] * 4 and reading.target == (2,)


def test_padding_comes_last_and_asks_nothing():
    task = Tags(TAGS)
    examples = [Tagged(("Sam", "won"), ("B-person", "O")), Tagged(("won",), ("O",))]
    ids, labels, segments = batch_of(task.read(TOKENIZER, examples, 64), TOKENIZER.pad_id)
    assert labels.tolist() == [[IGNORED, 1, 0, IGNORED], [IGNORED, 0, IGNORED, IGNORED]]
    assert ids[1, -1] == TOKENIZER.pad_id and segments.sum() == 0


def test_only_the_first_piece_of_a_word_is_asked_for_its_tag():
    """Words as given count, not those that WordPiece makes of them."""
    example = Tagged(("@Samwonit", "in", "New", "York's"), ("B-person", "O", "B-place", "I-place"))
    [reading] = Tags(TAGS).read(TOKENIZER, [example], 64)
    first = [at for at, label in enumerate(reading.target[0]) if label != IGNORED]
    assert [reading.places[at] for at in first] == [0, 1, 2, 3]
    assert [TOKENIZER.pieces(reading.ids)[at] for at in first[1:]] == ["in", "new", "york"]
    assert [reading.target[0][at] for at in first] == [1, 0, 3, 4] and len(reading.ids) > 6


def test_labels_of_pieces():
    assert first_piece_labels([-1, 0, 0, 1, -1], [7, 8]) == [IGNORED, 7, IGNORED, 8, IGNORED]
    assert first_piece_labels([-1, 1, 2, -1], [7, 8, 9]) == [IGNORED, 8, 9, IGNORED]  # a word without a piece


@pytest.mark.parametrize("max_length", [24, 40, 64])
def test_every_answer_is_in_a_window_and_stands_where_the_target_says(max_length):
    task = Spans(stride=8)
    readings = task.read(TOKENIZER, EXAMPLES[Spans(longest=10, stride=8)], max_length)
    assert {r.example for r in readings if r.target} == set(range(60))
    for reading in readings:
        assert len(reading.ids) == len(reading.segments) == len(reading.places) <= max_length
        if reading.target:
            (begin, _), (_, end) = (reading.places[at] for at in reading.target)
            asked = SOME[reading.example].question
            assert asked.context[begin:end] == asked.answers[0]


def test_handwritten_answers_are_found_among_the_tokens():
    readings = Spans().read(TOKENIZER, questions(), 400)
    for asked, reading in zip(questions(), readings, strict=True):
        (begin, _), (_, end) = (reading.places[at] for at in reading.target)
        assert asked.context[begin:end] == asked.answers[0]


def test_half_an_answer_is_none():
    places = [None, (0, 3), (4, 8), (8, 9), None]
    assert token_span(places, 0, 8) == (1, 2) and token_span(places, 5, 7) == (2, 2)  # within a token
    assert token_span(places, 4, 12) is None and token_span(places, 20, 22) is None


@given(st.integers(1, 20), st.integers(1, 80), st.integers(1, 40), st.integers(1, 30))
@settings(deadline=None)
def test_windows_leave_no_token_out_and_fit(begin, context, room, stride):
    found = list(windows(begin, begin + context, begin + room, stride))
    assert {i for window in found for i in window} == set(range(begin, begin + context))
    assert all(0 < len(window) <= room for window in found)
    assert sum(window.stop == begin + context for window in found) == 1


def test_a_question_that_fills_the_model_is_refused():
    with pytest.raises(ValueError, match="takes 9 of 9 tokens and leaves no room"):
        list(windows(9, 12, 9, 4))


# ---- spans ---------------------------------------------------------------------------------------


def best_by_loop(start, end, allowed, longest) -> tuple[int, int]:
    spans = [
        (i, j)
        for i, j in product(range(len(start)), repeat=2)
        if i <= j < i + longest and allowed[i] and allowed[j]
    ]
    return max(spans, key=lambda span: start[span[0]] + end[span[1]])


@given(st.integers(1, 9), st.integers(1, 5), st.integers(0, 10_000))
@settings(deadline=None)
def test_the_best_span_is_the_best_of_all_that_there_are(n, longest, seed):
    generator = torch.Generator().manual_seed(seed)
    start, end = torch.randn(2, 3, n, generator=generator)
    allowed = torch.rand(3, n, generator=generator) < 0.7
    allowed[:, 0] = True
    first, last = best_span(start, end, allowed, longest)
    for row in range(3):
        expected = best_by_loop(start[row], end[row], allowed[row], longest)
        assert (int(first[row]), int(last[row])) == expected


def test_an_end_is_never_before_its_start():
    start, end = torch.tensor([[0.0, 0.0, 9.0]]), torch.tensor([[9.0, 0.0, 1.0]])
    assert [int(x) for x in best_span(start, end, torch.ones(1, 3, dtype=torch.bool))] == [2, 2]


# ---- what learns ---------------------------------------------------------------------------------


def names(model, learns: bool) -> set[str]:
    return {name for name, p in model.named_parameters() if p.requires_grad is learns}


@every_task
def test_a_frozen_encoder_stays_and_what_is_above_it_learns(encoder, task):
    model = start_model(encoder, task, "frozen")
    assert all(name.split(".")[0] != "bert" or "pooler" in name for name in names(model, True))
    assert names(model, True) and names(model, False)
    before = {name: p.clone() for name, p in model.named_parameters()}
    trained = fine_tune(encoder, task, TOKENIZER, EXAMPLES[task][:8], "frozen", Settings(3))
    after = dict(trained.named_parameters())
    assert all(torch.equal(before[name], after[name]) for name in names(model, False))


@every_task
def test_fine_tuning_moves_everything_and_leaves_the_encoder_as_it_was(encoder, task):
    before = {name: p.clone() for name, p in encoder.state_dict().items()}
    model = fine_tune(encoder, task, TOKENIZER, EXAMPLES[task][:8], settings=Settings(3))
    assert all(torch.equal(before[name], p) for name, p in encoder.state_dict().items())
    moved = model.bert.state_dict()
    assert not any(torch.equal(moved[name], before[name]) for name in moved if "weight" in name)


def test_from_scratch_takes_over_nothing_but_the_sizes(encoder):
    task = Classification(LABELS)
    torch.manual_seed(7)  # not the encoder's own
    model = start_model(encoder, task, "from scratch")
    assert model.config.n_labels == 2 and model.config.d_model == SIZES.d_model
    assert not torch.equal(model.bert.tokens.weight, encoder.tokens.weight)
    assert torch.equal(start_model(encoder, task).bert.tokens.weight, encoder.tokens.weight)


def test_an_unknown_way_is_refused(encoder):
    with pytest.raises(ValueError, match="how is one of fine-tuned, frozen, from scratch; got 'thawed'"):
        start_model(encoder, Spans(), "thawed")


def test_nothing_to_learn_is_refused(encoder):
    unreachable = Question("Who?", "Sam won.", ("Sam",), 500)
    with pytest.raises(ValueError, match="of 1 examples none holds an answer"):
        fine_tune(encoder, Spans(), TOKENIZER, [unreachable])


def test_the_same_seed_trains_the_same(encoder):
    task = Pairs(RELATIONS)
    torch.manual_seed(5)
    one, two, other = (
        fine_tune(encoder, task, TOKENIZER, EXAMPLES[task], settings=Settings(4, seed=seed))
        for seed in (0, 0, 1)
    )
    weights = [model.label_head.weight for model in (one, two, other)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
    assert torch.equal(torch.rand(1), torch.rand(1, generator=torch.Generator().manual_seed(5)))


def test_the_learning_rate_rises_and_falls():
    rates = [Settings(steps=100, lr=1.0).rate(step, "fine-tuned") for step in range(100)]
    assert max(rates) == rates[9] == pytest.approx(1.0)
    assert rates[:10] == sorted(rates[:10]) and rates[9:] == sorted(rates[9:], reverse=True)
    assert 0 < rates[-1] < 0.02 and Settings(100, lr=1.0).rate(9, "frozen") == pytest.approx(10)


# ---- going on with pre-training -------------------------------------------------------------------


@pytest.fixture(scope="module")
def pretrained() -> BertForPreTraining:
    torch.manual_seed(0)
    return BertForPreTraining(SIZES)


def restoring(model: BertForPreTraining) -> float:
    """The loss at 15 % of the texts' tokens, always the same ones."""
    ids, segments, no_pairs = single_rows(encode(TOKENIZER, TEXTS[:60]), TOKENIZER)
    inputs, labels = hidden(ids, TOKENIZER, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return model.loss(inputs, labels, no_pairs, segments).item()


def test_adapting_teaches_to_restore_and_leaves_the_model_as_it_was(pretrained):
    before, weights = restoring(pretrained), {k: v.clone() for k, v in pretrained.state_dict().items()}
    adapted = copy.deepcopy(pretrained)
    adapted.bert = adapt(pretrained, TOKENIZER, TEXTS[:60], Settings(60, lr=3e-3), rate=0.3)
    assert restoring(adapted) < before - 0.5  # of ln 300 = 5.7 nats, under the old head
    assert all(torch.equal(weights[k], v) for k, v in pretrained.state_dict().items())


def test_adapting_twice_gives_the_same_and_leaves_chance_alone(pretrained):
    state = torch.get_rng_state()
    one, two = (adapt(pretrained, TOKENIZER, TEXTS, Settings(3)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert torch.equal(state, torch.get_rng_state())


def test_texts_longer_than_the_model_are_cut_and_no_text_is_refused(pretrained):
    assert adapt(pretrained, TOKENIZER, ["a week " * 200], Settings(1)) is not pretrained.bert
    with pytest.raises(ValueError, match="no text to go on with"):
        adapt(pretrained, TOKENIZER, [])
    with pytest.raises(ValueError, match="rate"):
        adapt(pretrained, TOKENIZER, TEXTS, Settings(1), rate=0)


# ---- what is answered ----------------------------------------------------------------------------


@every_task
def test_what_was_learned_by_heart_is_known(encoder, task):
    examples = EXAMPLES[task][:6]
    model = fine_tune(encoder, task, TOKENIZER, examples, settings=Settings(80, 6, lr=3e-3))
    answers = answer(model, task, TOKENIZER, examples, batch=4)
    assert task.score(examples, answers) == 1
    assert answers[::-1] == answer(model, task, TOKENIZER, examples[::-1])  # padding changes nothing


@every_task
def test_every_task_has_a_baseline_whose_answers_can_be_scored(task):
    examples = EXAMPLES[task]
    answers = task.baseline(examples[:40])(examples[40:])
    assert 0 <= task.score(examples[40:], answers) < 1 or isinstance(task, Tags)
    assert task.metric in ("accuracy", "entity F1", "answer F1")


def test_the_curve_has_a_point_for_every_size_and_way(encoder):
    task, examples = Classification(LABELS), EXAMPLES[Classification(LABELS)]
    curve = label_curve(encoder, task, TOKENIZER, examples[:40], examples[40:], (4, 8), settings=Settings(2))
    ways = ["baseline", "fine-tuned", "frozen", "from scratch"]
    assert [(p.labels, p.how) for p in curve] == [(n, way) for n in (4, 8) for way in ways]
    assert all(0 <= p.score <= 1 for p in curve)
    with pytest.raises(ValueError, match="sizes go up to 80, and there are 60"):
        label_curve(encoder, task, TOKENIZER, examples, examples, (80,))


def test_labels_are_where_figure_4_has_them():
    [reading] = Classification(LABELS).read(TOKENIZER, [Labelled("Sam won.", "positive")], 64)
    assert (reading.target, set(reading.segments)) == ((1,), {0})
