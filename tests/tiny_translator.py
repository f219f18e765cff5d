"""A translator too small to translate: random weights, a few subwords, everything else in its place."""

import dataclasses

import torch

from course.models.transformer import TransformerConfig
from course.models.translator import Translator
from course.text.tokenizers import Tokenizer

NASTY = "</script><script>document.title='broken'</script>"
TEXTS = ["Le chat dort sur la chaise.", "The cat sleeps on the chair."] * 3
TOKENIZER = Tokenizer.train(TEXTS, vocab_size=300)
CONFIG = TransformerConfig(len(TOKENIZER), 16, 2, 24, n_encoder_layers=2, n_decoder_layers=3, max_length=90)


def tiny_translator(**changes) -> Translator:
    """The same weights every time, large enough for its sentences to differ."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Translator(dataclasses.replace(CONFIG, **changes), TOKENIZER).eval()
    with torch.no_grad():
        model.embedding.weight.mul_(3)
    return model
