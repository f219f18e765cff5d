"""GPT-2's files: what they call the things that ``course.models.gpt`` has."""

import math
from collections.abc import Iterator

from torch import Tensor

_TOP = {
    "wte.weight": "embedding.weight",
    "wpe.weight": "positions.embedding.weight",
    "ln_f.weight": "norm.weight",
    "ln_f.bias": "norm.bias",
}
_BLOCK = {
    "ln_1.": "norm1.",
    "attn.c_attn.": "self_attention.in_proj_",  # packed as torch packs them, which MultiHeadAttention takes
    "attn.c_proj.": "self_attention.out_proj.",
    "ln_2.": "norm2.",
    "mlp.c_fc.": "feed_forward.linear1.",
    "mlp.c_proj.": "feed_forward.linear2.",
}
_SIZES = {
    "vocab_size": "vocab_size",
    "n_embd": "d_model",
    "n_head": "n_heads",
    "n_layer": "n_layers",
    "n_inner": "d_ff",
    "n_positions": "max_length",
    "resid_pdrop": "dropout",
    "layer_norm_epsilon": "eps",
}
SETTINGS = {ours: theirs for theirs, ours in _SIZES.items()}
"""What a config.json of GPT-2 calls our settings."""

_ACTIVATIONS = {"gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh", "gelu": "gelu", "relu": "relu"}
_ONLY = {"model_type": "gpt2", "add_cross_attention": False, "tie_word_embeddings": True}


def config_from_gpt2(settings: dict) -> dict:
    """The arguments of ``GPTConfig`` for a config.json of GPT-2; what it leaves out is GPT-2's default.

    GPT-2 has three dropout rates; the one rate here is that of its residual connections.

    Raises:
        ValueError: if it is no GPT-2, or a variant that is not supported.
    """
    for name, supported in _ONLY.items():
        if settings.get(name, supported) != supported:
            raise ValueError(f"only GPT-2 with {name} = {supported} can be loaded; got {settings[name]!r}")
    activation = settings.get("activation_function", "gelu_new")
    if activation not in _ACTIVATIONS:
        raise ValueError(
            f"activation_function must be one of {', '.join(map(repr, _ACTIVATIONS))}; got {activation!r}"
        )
    sizes = {ours: settings[theirs] for theirs, ours in _SIZES.items() if theirs in settings}
    return sizes | {"activation": _ACTIVATIONS[activation]}


def config_to_gpt2(config: dict) -> dict:
    """The inverse: a config.json with which transformers reads the checkpoint."""
    sizes = {theirs: config[ours] for theirs, ours in _SIZES.items()}
    activation = next(theirs for theirs, ours in _ACTIVATIONS.items() if ours == config["activation"])
    return (
        {"architectures": ["GPT2LMHeadModel"], **_ONLY, **sizes}
        | {"activation_function": activation, "bos_token_id": None, "eos_token_id": None}
        | {"attn_pdrop": config["dropout"], "embd_pdrop": config["dropout"]}
    )


def score_factors(settings: dict, d_head: int, n_layers: int) -> list[float]:
    """What each layer of this GPT-2 multiplies its scores by, beyond the 1 / √d_head of the paper."""
    unscaled = 1.0 if settings.get("scale_attn_weights", True) else math.sqrt(d_head)
    by_layer = settings.get("scale_attn_by_inverse_layer_idx", False)
    return [unscaled / (layer + 1 if by_layer else 1) for layer in range(n_layers)]


def weights_from_gpt2(weights: dict[str, Tensor], n_layers: int) -> dict[str, Tensor]:
    """The weights under our names; a name that is not GPT-2's stays, for ``load_state_dict`` to report.

    Left out are the causal masks that old files hold, and the output layer, which is the embedding.

    Raises:
        ValueError: if the output layer is not the embedding.
    """
    ours = dict(_names(n_layers))
    weights = {name.removeprefix("transformer."): tensor for name, tensor in weights.items()}
    head, embedding = weights.get("lm_head.weight"), weights.get("wte.weight")
    if head is not None and embedding is not None and not head.equal(embedding):
        raise ValueError("only GPT-2 whose output layer is its embedding can be loaded; this one's differs")
    left_out = (".attn.bias", ".attn.masked_bias", "lm_head.weight")
    return {
        ours.get(name, name): _turned(name, tensor)
        for name, tensor in weights.items()
        if not name.endswith(left_out)
    }


def weights_to_gpt2(state: dict[str, Tensor], n_layers: int) -> dict[str, Tensor]:
    """The inverse, for a state dict that holds the projections of each attention packed."""
    names = _names(n_layers)
    return {f"transformer.{theirs}": _turned(theirs, state[ours]).contiguous() for theirs, ours in names}


def _names(n_layers: int) -> Iterator[tuple[str, str]]:
    """GPT-2's name of each parameter, and ours."""
    yield from _TOP.items()
    for layer in range(n_layers):
        for theirs, ours in _BLOCK.items():
            for kind in ("weight", "bias"):
                yield f"h.{layer}.{theirs}{kind}", f"blocks.{layer}.{ours}{kind}"


def _turned(name: str, tensor: Tensor) -> Tensor:
    """GPT-2 stores the matrices of its blocks as ``[in, out]``, torch as ``[out, in]``."""
    return tensor.mT if name.startswith("h.") and tensor.dim() == 2 else tensor
