"""One fixed context, Bahdanau's attention, Luong's: French to English, at equal parameters and steps."""

import json
from pathlib import Path

from course.data import hansards, length_bands
from course.data.aligned_sentences import AlignedPair, aligned_sentences
from course.data.length_bands import BandedCorpus
from course.models.attention_seq2seq import Bahdanau, Luong
from course.models.seq2seq import Seq2Seq
from course.models.translator import Translator
from course.studies.alignment import diagonal_error_rate, head_error_rates, words
from course.studies.by_length import bleu_with_interval, token_accuracy
from course.training.recipes.recurrent import Pairs, RecurrentRecipe
from course.training.report import wrapped
from course.training.trainer import TrainingConfig

JOINED = 60_000
TRANSFORMERS = 100
"""So many sentences of a band, at most, the Transformer is asked for: they must be new to it."""


def corpus() -> tuple[Pairs, Pairs, dict[str, Pairs]]:
    """All pairs of up to 25 French words that touch no test, and 60,000 examples joined from them."""
    banded = length_bands.by_length()
    train = [*banded.train, *length_bands.joined(banded.train, JOINED)]
    return train, banded.validation[:400], banded.tests


RECIPE = RecurrentRecipe(
    title="French to English by a recurrent network",
    data=(
        "sentences from [Tatoeba](https://tatoeba.org), by way of "
        "[manythings.org](https://www.manythings.org/anki), CC BY 2.0 (FR), up to 25 French words, none "
        "of which "
        "shares a side with a test; and 60,000 examples of two or three of them in a row"
    ),
    corpus=corpus,
    vocab_size=2000,
    models={
        "fixed": (Seq2Seq, {"d_embedding": 128, "d_hidden": 200}),
        "bahdanau": (Bahdanau, {"d_embedding": 128, "d_hidden": 192}),
        "luong": (Luong, {"d_embedding": 128, "d_hidden": 204}),
    },
    training=TrainingConfig(
        steps=1200, peak_lr=3e-3, warmup=150, decay="cosine", log_every=25, save_every=100, seed=2
    ),
)


CARD = """\
# One context or many: three recurrent translators against the length of the source

A fixed context, Bahdanau's attention and Luong's, each with its own card (`fr-en-fixed`, `fr-en-bahdanau`,
`fr-en-luong`), at
equal steps and equal parameters to 1 %; beside them the shipped Transformer `fr-en`, on those sentences
that it was not trained on.
Sources are of so many French words, 300 held out in each band ({unseen} of them new to the Transformer).

BLEU by sacrebleu (13a, with case, beam 4), ± half its 95 % interval (500 draws of the sentences); in
brackets the share of
the reference's tokens foreseen, the right ones before given.

| words | fixed | Bahdanau | Luong | Transformer |
|---|---|---|---|---|
{rows}

The Transformer has {ratio:.1f} times the parameters, and has seen {seen:.1f} times as many tokens.

Alignment error rate (0 is right), each word linked to the one most looked at; 30 sentences aligned for
this course, and those {parliament}
of 447 of the Canadian parliament (Och and Ney 2003; WPT 2003) that the course cuts into the same words,
used to score with and not shipped:

| | 30 of ours | {parliament} of parliament |
|---|---|---|
{alignments}
"""


def compare(models: dict[str, Seq2Seq], folder: Path, banded: BandedCorpus) -> dict:
    """Every model in every band, and the alignments of those that have some; a card and ``scores.json``."""
    bands: dict[str, dict[str, dict]] = {}
    transformer = Translator.from_pretrained("fr-en")
    for band, pairs in banded.tests.items():
        bands[band] = {}
        for name, model in models.items():
            written = json.loads((folder / name / "translations.json").read_text(encoding="utf-8"))[band]
            bands[band][name] = _scored(model, pairs, written)
        fresh = pairs[: min(TRANSFORMERS, banded.unseen[band])]
        bands[band]["transformer"] = _scored(
            transformer, fresh, transformer.translate_all([p.french for p in fresh])
        )
    parliament = [pair for pair in hansards.aligned_pairs() if _cut_alike(pair)]
    aligned = {"ours": aligned_sentences(), "parliament": parliament}
    alignments = {
        name: {where: round(head_error_rates(models[name], pairs)[1], 4) for where, pairs in aligned.items()}
        for name in ("bahdanau", "luong")
    }
    alignments["diagonal"] = {where: round(diagonal_error_rate(pairs), 4) for where, pairs in aligned.items()}
    scores = {"bands": bands, "unseen": banded.unseen, "alignments": alignments}
    place = folder / "together"
    place.mkdir(exist_ok=True)
    (place / "scores.json").write_text(
        json.dumps(scores, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    size = lambda model: sum(p.numel() for p in model.parameters())  # noqa: E731
    card = CARD.format(
        unseen=", ".join(str(n) for n in banded.unseen.values()),
        rows="\n".join(
            f"| {band} | " + " | ".join(map(_cell, of.values())) + " |" for band, of in bands.items()
        ),
        ratio=size(transformer) / size(models["fixed"]),
        seen=9000 * 2048 / (RECIPE.training.steps * RECIPE.tokens),
        parliament=len(parliament),
        alignments="\n".join(
            f"| {name} | {of['ours']:.2f} | {of['parliament']:.2f} |" for name, of in alignments.items()
        ),
    )
    (place / "README.md").write_text(wrapped(card), encoding="utf-8", newline="\n")
    return scores


def _cut_alike(pair: AlignedPair) -> bool:
    """Whether the course cuts both sides into the words that were linked."""
    return all(words(side) == side.split() for side in (pair.french, pair.english))


def _scored(model, pairs: Pairs, translations: list[str]) -> dict[str, float]:
    found = bleu_with_interval(translations, [english for _, english in pairs])
    return {"sentences": len(pairs), **found, "accuracy": round(token_accuracy(model, pairs), 4)}


def _cell(score: dict[str, float]) -> str:
    return f"{score['bleu']:.1f} ± {score['interval']:.1f} ({score['accuracy']:.2f})"


def train(folder: str | Path, device: str = "cpu") -> dict[str, Seq2Seq]:
    """Repeat the recipe, or go on with it, in ``folder``, and compare."""
    models = RECIPE.train(folder, device)
    compare(models, Path(folder), length_bands.by_length())
    return models
