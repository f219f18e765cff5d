"""The shipped LSTM of characters: its recipe runs from text to card, and what ships is what the card says."""

import dataclasses
import json

import pytest

from course import checkpoints
from course.data import tinystories
from course.models.character_lstm import CharacterLSTM
from course.training.recipes import stories_lstm
from course.training.recipes.stories_lstm import TRAINING, train, whole_loss


def test_from_text_to_card(tmp_path, monkeypatch):
    story = 'once a cat sat on a mat and said, "hello." then it went home. ' * 8
    monkeypatch.setattr(tinystories, "stories", lambda: tinystories.Corpus([story] * 20, [story] * 4))
    settings = dataclasses.replace(TRAINING, steps=2, log_every=1, save_every=1)
    model = train(tmp_path, config=settings)
    scores = json.loads((tmp_path / "scores.json").read_text())
    held_out = model.encode(f"{story}\n" * 4)
    assert scores["nats_a_character"]["LSTM"] == pytest.approx(whole_loss(model, held_out))
    assert scores["held_out"]["characters"] == len(held_out)
    card = (tmp_path / "model" / "README.md").read_text()
    assert "2 steps in" in card and f"| LSTM | {scores['nats_a_character']['LSTM']:.3f} |" in card
    again = CharacterLSTM.from_pretrained(tmp_path / "model")
    assert again.read("a cat").characters == list("a cat")


def test_what_ships_is_small_and_better_than_counting():
    folder = checkpoints.SHIPPED / "stories-lstm"
    assert sum(file.stat().st_size for file in folder.iterdir()) < 3e6
    scores = json.loads((folder / "scores.json").read_text())["nats_a_character"]
    assert all(scores["LSTM"] < x for name, x in scores.items() if name != "LSTM")
    model = CharacterLSTM.from_pretrained("stories-lstm")
    text = 'one day, a little girl went to the park with her mom. she saw a big dog and said, "hello!"'
    # A story that it has not seen: far below the ln 47 = 3.85 nats a character of knowing nothing.
    assert model.read(text).surprise[1:].mean() < 1.2
    assert (
        stories_lstm.TRAINING.steps == json.loads((folder / "log.jsonl").read_text().splitlines()[-1])["step"]
    )
