"""A damaged, foreign or misfitting file of a checkpoint is named, with what was found and what to do."""

import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from course import checkpoints
from course.models.bert import BertConfig
from course.models.bert_heads import BertForPreTraining
from course.models.gpt import GPT, GPTConfig
from course.models.language_model import LanguageModel
from course.models.masked_lm import MaskedLM
from course.models.transformer import TransformerConfig
from course.models.translator import Translator
from course.text.characters import Characters
from course.text.tokenizers import Tokenizer
from course.text.wordpiece import WordPiece

TEXTS = ["the cat sat on the mat"] * 3


def save_gpt(folder: Path) -> None:
    GPT(GPTConfig(len(Characters(TEXTS[0])), 8, 2, 2, max_length=8)).save(folder)
    Characters(TEXTS[0]).save(folder / "characters.json")


def save_bert(folder: Path) -> None:
    words = WordPiece.train(TEXTS, 40)
    BertForPreTraining(BertConfig(len(words), 8, 2, 16, 2, max_length=8)).save(folder)
    words.save(folder / "tokenizer.json")


def save_translator(folder: Path) -> None:
    tokenizer = Tokenizer.train(TEXTS, 300)
    Translator(TransformerConfig(len(tokenizer), 8, 2, 16, 1, 1, max_length=8), tokenizer).save(folder)


KINDS = {
    "gpt": (save_gpt, GPT.from_pretrained, LanguageModel.from_pretrained),
    "bert": (save_bert, BertForPreTraining.from_pretrained, MaskedLM.from_pretrained),
    "translator": (save_translator, Translator.from_pretrained, Translator.from_pretrained),
}


@pytest.fixture(scope="module", params=KINDS)
def whole(request, tmp_path_factory):
    """A folder that loads, and the two functions that load it: the model, and the model with its words."""
    folder = tmp_path_factory.mktemp(request.param)
    save, *loads = KINDS[request.param]
    save(folder)
    for load in loads:
        load(folder)
    return folder, *loads


@pytest.fixture
def copied(whole, tmp_path):
    folder, *loads = whole
    return Path(shutil.copytree(folder, tmp_path / "copy")), *loads


class Evil:
    def __reduce__(self):
        return Path.touch, (Path("ran"),)


# -- weights --


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda whole: b"", r"is empty \(0 bytes\): copy or download"),
        (lambda whole: whole[: len(whole) // 2], "is cut off or damaged"),
        (lambda whole: (2**62).to_bytes(8, "little") + whole[8:], "is cut off or damaged"),
        (lambda whole: b"<html>404</html>", "is a web page"),
        (lambda whole: b"version https://git-lfs.github.com/spec/v1\noid", r"is a pointer.*git lfs pull"),
        (lambda whole: pickle.dumps(Evil()), "is a pickle, which can run code"),
        (lambda whole: b"PK\x03\x04", "is an archive"),
    ],
)
def test_a_file_that_holds_no_weights_is_named(copied, content, said, monkeypatch, tmp_path):
    folder, load, _ = copied
    monkeypatch.chdir(tmp_path)
    file = folder / "model.safetensors"
    file.write_bytes(content(file.read_bytes()))
    with pytest.raises(ValueError, match=rf"model\.safetensors {said}"):
        load(folder)
    assert not Path("ran").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda name, w: {name: torch.full_like(w, torch.nan)}, "holds NaN or infinite numbers"),
        (lambda name, w: {name: w.to(torch.int8)}, r"is of torch\.int8"),
        (lambda name, w: {name: w[:-1].contiguous()}, "does not fit|of shape"),
        (lambda name, w: {"evil.weight": torch.zeros(2)}, "evil"),
        (lambda name, w: {name: None}, "Missing|lacks"),
    ],
)
def test_weights_that_are_none_of_the_models_are_named(copied, change, said):
    folder, load, _ = copied
    file = folder / "model.safetensors"
    weights = load_file(file)
    name = max(weights, key=lambda name: weights[name].numel())
    changed = weights | change(name, weights[name])
    save_file({name: tensor for name, tensor in changed.items() if tensor is not None}, file)
    with pytest.raises(ValueError, match=rf"model\.safetensors.*({said})"):
        load(folder)


# -- settings --


@pytest.mark.parametrize("value", ["8", 0, -1, 8.5, 10**12, [8], True])
def test_a_size_that_is_none_is_named_before_anything_is_built(copied, value):
    folder, load, _ = copied
    file = folder / "config.json"
    settings = json.loads(file.read_text(encoding="utf-8"))
    sizes = ("head", "layer", "embd", "d_model", "hidden_size", "vocab_size", "n_positions", "max_")
    for name in (
        name for name, old in settings.items() if type(old) is int and any(s in name for s in sizes)
    ):
        file.write_text(json.dumps(settings | {name: value}), encoding="utf-8")
        with pytest.raises(ValueError, match=rf"config\.json: {name} should be a whole number, 1 or more"):
            load(folder)


def test_sizes_that_fit_no_weights_are_named_before_anything_is_built(copied):
    folder, load, _ = copied
    file = folder / "config.json"
    settings = json.loads(file.read_text(encoding="utf-8"))
    for name in (
        name for name, old in settings.items() if type(old) is int and ("layer" in name or "d_" in name)
    ):
        file.write_text(json.dumps(settings | {name: 2**30}), encoding="utf-8")
        with pytest.raises(ValueError, match=r"model\.safetensors"):
            load(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"is empty \(0 bytes\)"),
        ("[]", "holds a list"),
        ("null", "holds null"),
        ("3", "holds a number"),
        ('{"a":\n', r"is no JSON \(line 2\)"),
        ("<html>", "is a web page"),
    ],
)
def test_settings_that_are_none_are_named(copied, text, said):
    folder, load, _ = copied
    (folder / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"config\.json {said}"):
        load(folder)


SAID = r"(another kind of model|does not fit|lacks|only GPT-2|only BERT)"


def test_another_kind_of_model_is_told_apart(copied):
    _, load, _ = copied
    for other in ("shakespeare-char", "bert-small", "fr-en"):
        kind = {"shakespeare-char": "gpt", "bert-small": "bert", "fr-en": "translator"}[other]
        if KINDS[kind][1] != load:
            with pytest.raises(ValueError, match=SAID):
                load(other)


# -- vocabularies --


@pytest.mark.parametrize("content", ["", "{}", "[]", "\x00\x01"])
def test_a_vocabulary_that_is_damaged_is_named(copied, content):
    folder, _, load = copied
    (file,) = [file for file in folder.iterdir() if file.name in ("tokenizer.json", "characters.json")]
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=file.name):
        load(folder)


def test_another_models_vocabulary_is_refused(copied):
    folder, _, load = copied
    (file,) = [file for file in folder.iterdir() if file.name in ("tokenizer.json", "characters.json")]
    if file.name == "characters.json":
        Characters("abc").save(file)
    elif load == MaskedLM.from_pretrained:
        WordPiece.train(["sphinx of black quartz, judge my vow"] * 9, 90).save(file)
    else:
        Tokenizer.train(["a few other words"] * 9, 270).save(file)
    with pytest.raises(ValueError, match="another model's"):
        load(folder)


def test_a_vocabulary_with_more_tokens_than_the_model_is_refused():
    with pytest.raises(ValueError, match="has 3 tokens, and the model was trained on 2"):
        LanguageModel(GPT(GPTConfig(2, 8, 2, 1)), Characters("abc"))


# -- folders --


def test_a_folder_with_a_pickle_or_many_files_says_what_to_do(copied):
    folder, load, _ = copied
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(FileNotFoundError, match="could run code and is never read; save_pretrained"):
        load(folder)
    (folder / "model.safetensors.index.json").write_text("{}", encoding="utf-8")
    with pytest.raises(FileNotFoundError, match=r"several files.*max_shard_size"):
        load(folder)


@pytest.mark.parametrize("name", ["", " ", "a\0b", "a" * 5000, "../../../../etc", "../..", "nowhere"])
def test_a_name_of_nothing_is_said(name):
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        checkpoints.find_file(name, "config.json")


@pytest.mark.parametrize("name", [None, 5, b"gpt"])
def test_what_is_no_name_is_said(name):
    with pytest.raises(TypeError, match="a checkpoint is a folder or a name"):
        checkpoints.find_file(name, "config.json")
