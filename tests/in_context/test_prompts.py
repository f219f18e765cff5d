"""Prompts: written, changed, turned for the model, encoded with nothing counted but answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.in_context.prompts import (
    CHARACTERS,
    TRAINED_FORMATS,
    UNSEEN_FORMAT,
    Format,
    draw_prompt,
    encode,
    flip_answers,
    shuffled,
    usual_format,
    with_wrong_labels,
    write_prompt,
)
from course.in_context.tasks import TASKS, Example
from course.masking import IGNORED

SUMS = [Example("123+456", "579"), Example("990+11", "1001")]


def test_a_prompt_is_examples_and_a_question():
    assert write_prompt(SUMS, "1+2", Format("=")) == "123+456=579;990+11=1001;1+2="
    assert write_prompt([], "chat") == "chat>"
    assert write_prompt([Example("chat", "cat")], "chien", UNSEEN_FORMAT) == "chat:cat\nchien:"


@pytest.mark.parametrize("task", [name for name in TASKS if name != "lookup"])
@pytest.mark.parametrize("shots", [0, 1, 12])
def test_a_prompt_never_contains_its_own_answer(task, shots):
    for seed in range(20):
        before, last = draw_prompt(task, shots, np.random.default_rng(seed))
        assert len(before) == shots and last.question not in [question for question, _ in before]
        format = usual_format(TASKS[task])
        prompt = write_prompt(before, last.question, format)
        assert prompt.endswith(format.end * bool(shots) + last.question + format.separator)
        assert last.question + format.separator + last.answer not in prompt


def test_formats_are_all_trained_but_one():
    assert len(TRAINED_FORMATS) == 5 and UNSEEN_FORMAT not in TRAINED_FORMATS
    assert UNSEEN_FORMAT.separator in {f.separator for f in TRAINED_FORMATS}
    assert UNSEEN_FORMAT.end in {f.end for f in TRAINED_FORMATS}
    assert all(usual_format(task) in TRAINED_FORMATS for task in TASKS.values())


@pytest.mark.parametrize("change", [{"separator": "->"}, {"separator": ""}, {"end": "."}, {"separator": ";"}])
def test_an_unknown_format_is_refused(change):
    with pytest.raises(ValueError, match=r"is one of .* got"):
        Format(**change)


@settings(deadline=None)
@given(st.integers(2, 12), st.integers(0, 1000))
def test_wrong_labels_are_the_same_answers_and_nobodys_own(n, seed):
    shots = [Example(f"q{i}", f"a{i}") for i in range(n)]
    wrong = with_wrong_labels(shots, np.random.default_rng(seed))
    assert [shot.question for shot in wrong] == [shot.question for shot in shots]
    assert sorted(shot.answer for shot in wrong) == sorted(shot.answer for shot in shots)
    assert all(one.answer != other.answer for one, other in zip(wrong, shots, strict=True))


def test_wrong_labels_of_one_shot_are_refused_and_of_none_are_none():
    with pytest.raises(ValueError, match="one shot has nobody"):
        with_wrong_labels(SUMS[:1], np.random.default_rng(0))
    assert with_wrong_labels([], np.random.default_rng(0)) == []


def test_shuffling_keeps_the_shots_and_changes_their_order():
    shots = [Example(str(i), str(i)) for i in range(10)]
    again = shuffled(shots, np.random.default_rng(0))
    assert again != shots and sorted(again) == sorted(shots)


def test_only_answers_are_turned_round():
    assert flip_answers("123+456=579;990+11=1001;1+2=") == "123+456=975;990+11=1001;1+2="
    assert flip_answers("12+34>46\nchat>cat") == "12+34>64\nchat>cat"


@settings(deadline=None)
@given(st.text(CHARACTERS.characters))
def test_turning_twice_undoes_it(text):
    assert flip_answers(flip_answers(text)) == text


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("format", [*TRAINED_FORMATS, UNSEEN_FORMAT], ids=str)
def test_only_answers_and_their_ends_count(task, format):
    """Put together again, the targets are the answers, and the positions are those just before."""
    examples = TASKS[task].draw(np.random.default_rng(0), 30, False)
    (ids,), (targets,), (shots,) = encode([(examples, format)], 100)
    assert len(ids) == len(targets) == len(shots) == 100
    text = CHARACTERS.decode(ids.tolist())
    whole = flip_answers(write_prompt(examples, "", format))
    kept = text.rstrip(format.end)
    assert whole.startswith(kept)
    for number in range(int(shots.max()) + 1):
        places = (shots == number).nonzero().squeeze(-1)
        question, answer = examples[number]
        written = CHARACTERS.decode(targets[places].tolist())
        assert flip_answers(format.separator + written) == format.separator + answer + format.end
        assert text[: places[0] + 1].endswith(question + format.separator)
    assert ((targets == IGNORED) == (shots == -1)).all()
    next_ids = ids[1:][targets[:-1] != IGNORED]
    assert (next_ids == targets[:-1][targets[:-1] != IGNORED]).all()


def test_examples_that_do_not_fit_are_left_out_whole():
    encoded = encode([(SUMS, Format("=")), (SUMS[:1], Format("="))], 12)
    assert CHARACTERS.decode(encoded.ids[0].tolist()) == "123+456=975;"
    assert encoded.shots.max(dim=1).values.tolist() == [0, 0]
    assert CHARACTERS.decode(encode([(SUMS, Format("="))], 23).ids[0].tolist()) == "123+456=975;990+11=1001"
