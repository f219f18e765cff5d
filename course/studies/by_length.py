"""Translators against the length of the source: BLEU with its interval, and the share of tokens foreseen."""

from collections.abc import Sequence

import torch
from sacrebleu.metrics import BLEU
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from course.models.transformer import evaluating, teacher_forcing
from course.text.plain import plain_text
from course.text.tokenizers import BOS, EOS, PAD

Pairs = Sequence[tuple[str, str]]


def bleu_with_interval(
    translations: Sequence[str], references: Sequence[str], n: int = 500
) -> dict[str, float]:
    """BLEU, and half the width of its 95 % interval over ``n`` draws of as many sentences, with replacement.

    Source: Koehn 2004; sacrebleu's bootstrap (seed 12345).
    """
    score = BLEU().corpus_score(list(translations), [list(references)], n_bootstrap=n)
    return {"bleu": round(score.score, 2), "interval": round(score._ci, 2)}


@torch.no_grad()
def token_accuracy(model: nn.Module, pairs: Pairs) -> float:
    """The share of the reference's tokens, <eos> among them, that the model puts first, the right ones
    before given.

    Args:
        model: a translator of the course with a tokenizer.
    """
    ids = [[model.tokenizer.encode(plain_text(text)) for text in pair] for pair in pairs]
    right = total = 0
    with evaluating(model):
        for start in range(0, len(ids), 50):
            some = ids[start : start + 50]
            source = pad_sequence(
                [torch.tensor([*s, EOS]) for s, _ in some], batch_first=True, padding_value=PAD
            )
            target = pad_sequence(
                [torch.tensor([BOS, *t, EOS]) for _, t in some], batch_first=True, padding_value=PAD
            )
            given, labels = teacher_forcing(target)
            best, real = model(source, given).argmax(-1), labels != PAD
            right, total = right + int((best == labels)[real].sum()), total + int(real.sum())
    return right / total
