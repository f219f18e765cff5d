"""Four widths, one setting: what is left is a log of all, sizes that add up, and a table."""

import json

import pytest

from course.data.tinyshakespeare import split
from course.models.gpt import GPT
from course.training.recipes import scaling, shakespeare_char
from course.training.recipes.characters import CharacterRecipe
from course.training.trainer import Log, TrainingConfig

SMALL = CharacterRecipe(
    title="Counting",
    model={"d_model": 16, "n_heads": 2, "n_layers": 1, "max_length": 8, "dropout": 0.0},
    training=TrainingConfig(steps=20, peak_lr=2e-2, warmup=5, log_every=10, save_every=10),
    batch=4,
    corpus=lambda: split("one two three four five " * 20),
    random=2,
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(shakespeare_char, "RECIPE", SMALL)
    monkeypatch.setattr(scaling, "WIDTHS", (4, 8))
    scaling.train(tmp_path)
    return tmp_path


def test_every_width_reads_as_much_and_is_logged(run):
    scores, log = json.loads((run / "scores.json").read_text(encoding="utf-8")), Log(run / "log.jsonl").read()
    assert [(entry["width"], entry["step"]) for entry in log] == [(4, 10), (4, 20), (8, 10), (8, 20)]
    assert [score["characters"] for score in scores] == [20 * 4 * 8] * 2
    table = (run / "README.md").read_text(encoding="utf-8")
    for score in scores:
        width, model = score["width"], GPT.from_pretrained(run / str(score["width"]) / "model")
        parts = (*model.blocks.parameters(), *model.norm.parameters())
        assert score["without_embeddings"] == sum(parameter.numel() for parameter in parts)
        embeddings = width * (model.config.vocab_size + model.config.max_length)
        assert score["parameters"] == score["without_embeddings"] + embeddings
        assert f"| {width} | {score['parameters']:,} |" in table


def test_the_recipes_differ_in_width_alone():
    published = shakespeare_char.RECIPE
    for width in scaling.WIDTHS:
        recipe = scaling.recipe(width)
        assert recipe.model == published.model | {"d_model": width}
        assert (recipe.training, recipe.batch) == (published.training, published.batch)
