"""The count of operations is torch's own, forward and with the way back."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from course.models.transformer import Transformer, TransformerConfig
from course.studies.flops import forward_flops, training_flops


def counted(model: Transformer, source: int, target: int, backward: bool = False) -> int:
    """What torch counts, with attention as plain matrix products."""
    ids = torch.randint(3, model.config.vocab_size, (1, max(source, target)))
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        logits = model(ids[:, :source], ids[:, :target])
        if backward:
            logits.sum().backward()
    return counter.get_total_flops()


@pytest.mark.parametrize("source, target", [(5, 5), (9, 4), (1, 7)])
@pytest.mark.parametrize("layers", [(1, 1), (2, 3)])
def test_a_pass_takes_what_torch_counts(source, target, layers):
    config = TransformerConfig(50, 16, 2, 24, *layers)
    assert forward_flops(config, source, target) == counted(Transformer(config), source, target)


def test_training_takes_three_times_as_much():
    config = TransformerConfig(50, 16, 2, 24, 2, 2)
    both = counted(Transformer(config), 6, 6, backward=True)
    assert training_flops(config, tokens=12, length=6) == both


def test_long_sentences_cost_more_a_token_only_through_attention():
    config = TransformerConfig(8000, 256, 4, 1024, 3, 3)
    short, long = (training_flops(config, 1_000_000, length) for length in (10, 20))
    each = 3 * 3 * (2 + 2) * 256  # a pair of positions: layers, kinds of attention; score and sum; width
    assert long - short == pytest.approx(3 * each * (20 - 10) * 1_000_000 / 2)  # forward and back
