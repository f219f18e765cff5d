"""How many floating-point operations a Transformer takes, from its sizes: as many as torch counts."""

from course.models.transformer import TransformerConfig


def block_flops(d_model: int, d_ff: int, queries: int, keys: int, cross: int = 0) -> int:
    """One block, forward: 2 for each multiply-and-add of its matrix products; norm and softmax are left out.

    Args:
        queries, keys: positions that attend and that are attended to; projections run at each of them.
        cross: positions of the memory that a decoder block attends to besides; 0 for an encoder block.
    """
    self_attention = 4 * d_model * (queries * d_model + queries * keys) + 4 * d_model**2 * keys
    cross_attention = 4 * d_model * (queries * d_model + queries * cross) + 4 * d_model**2 * cross
    return self_attention + (cross_attention if cross else 0) + 4 * d_model * d_ff * queries


def forward_flops(config: TransformerConfig, source: int, target: int) -> int:
    """One pass over a sentence of ``source`` tokens and a translation of ``target`` tokens, logits included.

    Every masked score is counted, as it is computed.
    """
    d, f = config.d_model, config.d_ff
    encoder = config.n_encoder_layers * block_flops(d, f, source, source)
    decoder = config.n_decoder_layers * block_flops(d, f, target, target, cross=source)
    return encoder + decoder + 2 * d * config.vocab_size * target


def training_flops(config: TransformerConfig, tokens: int, length: int) -> float:
    """What training on so many tokens takes: three forward passes' worth, for the way back costs two.

    Args:
        tokens: of sources and targets together, padding included, half of them on either side.
        length: tokens of a sentence, on either side. Only the attention between them depends on it.

    Source: the factor 3 as in Kaplan et al. 2020, §2.1 (6 = 3 × 2 operations a parameter and token).
    """
    return 3 * forward_flops(config, length, length) * tokens / (2 * length)
