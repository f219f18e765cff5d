"""From a docstring to code: a small GPT that has read the functions of Python's standard library.

It is given a signature and the first sentence of a docstring, and writes the body. With less than four
million parameters and two megabytes of code it learns how Python looks, and little of what it means: the
scores say how little, beside a baseline that copies the body of the most similar function it knows.
"""

import ast
import json
import platform
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from course.data import standard_library
from course.data.standard_library import Function
from course.masking import IGNORED
from course.models.gpt import GPT
from course.text.tokenizers import EOS, Tokenizer
from course.training.recipes.texts import TextRecipe, write_scores
from course.training.report import wrapped
from course.training.trainer import TrainingConfig

LONGEST = 100
"""The most tokens of a body that is written."""

CARD = """
The functions are those of Python {python}; another version has slightly others.

Held-out functions that have a docstring, {functions} of them; no body of theirs is in the training texts.
The GPT writes its likeliest tokens, until <eos> or {longest} of them; the baseline copies the body of the
function whose signature and docstring share most words with those asked for.

| | parses | is the original |
|---|---:|---:|
| GPT | {GPT[parses]:.1%} | {GPT[exact]:.1%} |
| most similar function, copied | {copied[parses]:.1%} | {copied[exact]:.1%} |

The GPT's loss on the bodies of the {fitting} that it can see whole, in nats a token: {body_loss[own]:.3f} \
after their own docstring, {body_loss[none]:.3f} after none, {body_loss[another]:.3f} after another's.
"""


@dataclass(frozen=True)
class Code:
    """The functions' texts, for ``TextRecipe``."""

    train: list[str]
    validation: list[str]


@cache
def functions() -> standard_library.Corpus:
    """The functions of this interpreter's standard library, read once."""
    return standard_library.functions()


def corpus() -> Code:
    """Their whole texts."""
    return Code(*([function.text for function in part] for part in functions()))


RECIPE = TextRecipe(
    title="From docstrings to code",
    data=(
        "short functions of Python's standard library, as `ast.unparse` writes them, with the first sentence "
        "of their docstrings; copyright Python Software Foundation, PSF licence version 2"
    ),
    corpus=corpus,
    vocab_size=2048,
    model={"d_model": 256, "n_heads": 4, "n_layers": 4, "max_length": 192, "dropout": 0.1},
    training=TrainingConfig(
        steps=1000,
        peak_lr=3e-3,
        warmup=100,
        decay="cosine",
        betas=(0.9, 0.99),
        eps=1e-8,
        weight_decay=0.1,
        bfloat16=True,
        seed=0,
    ),
    batch=16,
    muon=True,
)


def train(folder: str | Path, device: str = "cpu") -> GPT:
    """Repeat the recipe, or go on with it, in ``folder``; then score the bodies that the model writes."""
    folder, model = Path(folder), RECIPE.train(folder, device)
    tokenizer = Tokenizer.load(folder / "model" / "tokenizer.json")
    scores = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    scores["bodies"] = score(model, tokenizer, *functions())
    write_scores(folder / "scores.json", scores)
    with (folder / "model" / "README.md").open("a", encoding="utf-8", newline="\n") as card:
        card.write(wrapped(CARD.format(**scores["bodies"])))
    return model


def score(model: GPT, tokenizer: Tokenizer, known: Sequence[Function], asked: Sequence[Function]) -> dict:
    """How good the model's bodies are, beside those that ``most_similar`` copies."""
    similar = most_similar(known)
    written = {
        "GPT": [write(model, tokenizer, function.prompt) for function in asked],
        "copied": [similar(function).body for function in asked],
    }
    prompts = [trio for trio in _docstrings_swapped(asked) if all(_fits(model, tokenizer, f) for f in trio)]
    own, none, another = (list(given) for given in zip(*prompts, strict=True))
    losses = {"own": own, "none": none, "another": another}
    return (
        {"python": platform.python_version(), "functions": len(asked), "longest": LONGEST}
        | {who: body_scores(asked, bodies) for who, bodies in written.items()}
        | {"fitting": len(own)}
        | {"body_loss": {what: body_loss(model, tokenizer, given) for what, given in losses.items()}}
    )


def write(model: GPT, tokenizer: Tokenizer, prompt: str, **settings) -> str:
    """The body that the model writes after a prompt, by default of its likeliest tokens, up to <eos>."""
    ids = [EOS, *tokenizer.encode(prompt)]
    room = min(LONGEST, model.config.max_length - len(ids))
    return tokenizer.decode(model.generate(ids, room, stop={EOS}, **{"temperature": 0} | settings))


def body_scores(asked: Sequence[Function], bodies: Sequence[str]) -> dict[str, float]:
    """The share of bodies with which the function is Python, and the share that are the original's."""
    pairs = list(zip(asked, bodies, strict=True))
    return {
        "parses": sum(parses(function.prompt + body) for function, body in pairs) / len(pairs),
        "exact": sum(function.body == body for function, body in pairs) / len(pairs),
    }


def parses(source: str) -> bool:
    """Whether it is Python."""
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


@torch.no_grad()
def body_loss(model: GPT, tokenizer: Tokenizer, functions: Sequence[Function]) -> float:
    """The mean loss over the tokens of all bodies, <eos> among them, in nats a token."""
    total, tokens = 0.0, 0
    for function in functions:
        prompt, body = [EOS, *tokenizer.encode(function.prompt)], [*tokenizer.encode(function.body), EOS]
        ids = torch.tensor([prompt + body], device=model.embedding.weight.device)
        targets = ids[:, 1:].clone()
        targets[:, : len(prompt) - 1] = IGNORED
        total += model.loss(ids[:, :-1], targets).item() * len(body)
        tokens += len(body)
    return total / tokens


def most_similar(known: Sequence[Function]) -> Callable[[Function], Function]:
    """Finds the known function (the first of equals) whose words are most like another's (Jaccard 1901)."""
    words = [_words(function) for function in known]

    def find(asked: Function) -> Function:
        wanted = _words(asked)
        similarity = [len(wanted & own) / len(wanted | own) for own in words]
        return known[similarity.index(max(similarity))]

    return find


def _words(function: Function) -> set[str]:
    """The words of signature and docstring; those in a name count too, and it as a whole."""
    text = function.prompt.lower()
    return {*re.findall(r"\w+", text), *re.findall(r"[^\W_]+", text)}


def _docstrings_swapped(functions: Sequence[Function]) -> Iterator[tuple[Function, Function, Function]]:
    """Each function as it is, without its docstring, and with the next function's."""
    others = [*functions[1:], *functions[:1]]
    for function, other in zip(functions, others, strict=True):
        yield function, function._replace(summary=""), function._replace(summary=other.summary)


def _fits(model: GPT, tokenizer: Tokenizer, function: Function) -> bool:
    """Whether the model sees the whole function at once, with an <eos> on either side."""
    return (
        len(tokenizer.encode(function.prompt)) + len(tokenizer.encode(function.body))
        < model.config.max_length
    )
