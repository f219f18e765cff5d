"""Dialogues and requests: parsed, split by their words, and as many as promised in the real files."""

import json
from collections import Counter

import pytest

from course.data import dialogues, intents
from course.data.era import EVENTS, FIELDS, fields_of
from course.data.notable_models import DOMAINS, SHIPPED, notable_models, reduced
from course.text.chat import Turn

TEXT = "U: hello\nS: what can I do?\n\nU: bye\nS: good bye: see you\n"


def test_a_text_is_parsed_into_turns():
    first, second = dialogues.parse(TEXT)
    assert first == [Turn("user", "hello"), Turn("assistant", "what can I do?")]
    assert second[1].text == "good bye: see you"


def test_the_text_is_made_of_the_files_and_of_like_beginnings_the_first_is_kept():
    def said(*texts):
        speakers = ("USER", "SYSTEM")
        return {"turns": [{"speaker": speakers[i % 2], "utterance": f" {t} "} for i, t in enumerate(texts)]}

    files = [
        json.dumps([said("hello", "what can I do?"), said("Hello", "no")]),
        json.dumps([said("bye", "good bye: see you")]),
    ]
    assert dialogues.derived(files) == TEXT


def test_what_is_held_out_depends_on_the_words_alone():
    turned = "\n\n".join(reversed(TEXT.strip().split("\n\n")))
    assert dialogues.split(TEXT, 1) == dialogues.split(turned, 1)


def test_the_real_dialogues_take_turns(real_data):
    known, others = dialogues.dialogues()
    assert (len(known), len(others)) == (5383, 500)
    for turns in others:
        assert [turn.role for turn in turns] == ["user", "assistant"] * (len(turns) // 2)


def test_the_real_requests_have_as_many_of_each_intent(real_data):
    corpus = intents.requests()
    assert set(Counter(x.label for x in corpus.train).values()) == {100}
    assert set(Counter(x.label for x in corpus.test).values()) == {30}
    assert {x.label for x in corpus.test} == set(intents.LABELS) and len(intents.LABELS) == 20
    assert not {x.text for x in corpus.train} & {x.text for x in corpus.test}
    with pytest.raises(ValueError, match="no intent 'fly_to_the_moon'"):
        intents.requests(("fly_to_the_moon",))


def test_our_own_requests_are_of_known_intents_and_none_twice():
    corpus = intents.own_requests()
    assert (len(corpus.train), len(corpus.test)) == (60, 36)
    assert len({x.text for part in corpus for x in part}) == 96
    assert {x.label for x in corpus.test} == {x.label for x in corpus.train} <= set(intents.LABELS)


# ---- the era ------------------------------------------------------------------------------------


def test_the_table_that_ships_is_epochs_reduced(real_data):
    from course.data.download import read_text

    assert SHIPPED.read_text(encoding="utf-8") == reduced(read_text("epoch_notable_models"))


def test_the_models_are_dated_and_credited():
    models, head = notable_models(), json.loads(SHIPPED.read_text(encoding="utf-8"))
    assert len(models) == 976 and "Epoch AI" in head["credit"] and "CC BY 4.0" in head["credit"]
    assert SHIPPED.stat().st_size < 200_000
    assert [m.published for m in models] == sorted(m.published for m in models)
    assert {m.group for m in models} == set(DOMAINS)
    gpt3 = next(m for m in models if m.name.startswith("GPT-3 175B"))
    assert (gpt3.parameters, gpt3.compute, gpt3.year) == (174.6e9, 3.14e23, pytest.approx(2020.4, abs=0.02))


def test_events_are_dated_sourced_and_in_order_and_fields_lie_in_one_another():
    assert list(EVENTS) == sorted(EVENTS, key=lambda e: e.day)
    assert all(e.field in FIELDS and e.what and e.source for e in EVENTS)
    assert not {e.name for e in EVENTS} & {m.name for m in notable_models()}  # the widget finds them by name
    assert fields_of("LLM") == ("AI", "ML", "DL", "LLM") and fields_of("ML") == ("AI", "ML")
    firsts = [min(e.day for e in EVENTS if e.field == name) for name in FIELDS]
    assert firsts == sorted(firsts)
    for name in ("ML", "DL"):  # the outer fields did not end when the inner ones began
        inner = list(FIELDS)[list(FIELDS).index(name) + 1]
        first = min(e.day for e in EVENTS if e.field == inner)
        assert sum(e.field == name and e.day > first for e in EVENTS) >= 2
    with pytest.raises(ValueError, match="no field 'XX'; there are AI, ML, DL, LLM"):
        fields_of("XX")
