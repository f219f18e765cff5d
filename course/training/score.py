"""Scores of translations, by sacrebleu, with the signature that says how they were computed."""

from collections.abc import Sequence

from sacrebleu.metrics import BLEU, CHRF


def translation_scores(translations: Sequence[str], references: Sequence[str]) -> dict[str, float | str]:
    """BLEU and chrF in per cent, with their signatures: case, tokeniser, smoothing, version.

    BLEU is computed on sacrebleu's own tokens (13a), with case; ``bleu_lowercase`` without it.

    Raises:
        ValueError: if there are not as many references as translations, or none at all.

    Source: Papineni et al. 2002; Post 2018; Popović 2015.
    """
    if len(translations) != len(references) or not translations:
        raise ValueError(
            f"every translation needs its reference; got {len(translations)} and {len(references)}"
        )
    scores: dict[str, float | str] = {}
    for name, metric in {"bleu": BLEU(), "bleu_lowercase": BLEU(lowercase=True), "chrf": CHRF()}.items():
        scores[name] = round(metric.corpus_score(list(translations), [list(references)]).score, 2)
        scores[f"{name}_signature"] = str(metric.get_signature())
    return scores
