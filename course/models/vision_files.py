"""The files of Vision Transformers: what transformers calls the things that ``course.models.vision`` has."""

import re
from collections.abc import Mapping

from torch import Tensor

_NAMES = {
    r"vit\.embeddings\.cls_token": "class_token",
    r"vit\.embeddings\.position_embeddings": "positions",
    r"vit\.embeddings\.patch_embeddings\.projection\.": "embed.",
    r"vit\.encoder\.layer\.(\d+)\.attention\.attention\.query\.": r"blocks.\1.self_attention.q_proj.",
    r"vit\.encoder\.layer\.(\d+)\.attention\.attention\.key\.": r"blocks.\1.self_attention.k_proj.",
    r"vit\.encoder\.layer\.(\d+)\.attention\.attention\.value\.": r"blocks.\1.self_attention.v_proj.",
    r"vit\.encoder\.layer\.(\d+)\.attention\.output\.dense\.": r"blocks.\1.self_attention.out_proj.",
    r"vit\.encoder\.layer\.(\d+)\.intermediate\.dense\.": r"blocks.\1.feed_forward.linear1.",
    r"vit\.encoder\.layer\.(\d+)\.output\.dense\.": r"blocks.\1.feed_forward.linear2.",
    r"vit\.encoder\.layer\.(\d+)\.layernorm_before\.": r"blocks.\1.norm1.",
    r"vit\.encoder\.layer\.(\d+)\.layernorm_after\.": r"blocks.\1.norm2.",
    r"vit\.layernorm\.": "norm.",
    r"classifier\.": "head.",
}
_SIZES = {
    "image_size": "side",
    "patch_size": "patch",
    "num_channels": "channels",
    "hidden_size": "d_model",
    "num_attention_heads": "n_heads",
    "intermediate_size": "d_ff",
    "num_hidden_layers": "n_layers",
    "hidden_dropout_prob": "dropout",
    "layer_norm_eps": "eps",
}
_ONLY = {"model_type": "vit", "hidden_act": "gelu", "qkv_bias": True}
_DEFAULTS = {
    "image_size": 224,
    "patch_size": 16,
    "num_channels": 3,
    "hidden_size": 768,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "hidden_dropout_prob": 0.0,
    "layer_norm_eps": 1e-12,
}


def sizes(settings: Mapping) -> dict:
    """The arguments of ``ViTConfig`` for a config.json of transformers; what it leaves out is its default.

    Raises:
        ValueError: if it is no Vision Transformer, or a variant that is not supported.
    """
    for name, supported in _ONLY.items():
        if settings.get(name, supported) != supported:
            raise ValueError(f"only a ViT with {name} = {supported!r} can be loaded; got {settings[name]!r}")
    labels = settings.get("id2label", dict.fromkeys(range(2)))
    found = {ours: settings.get(theirs, _DEFAULTS[theirs]) for theirs, ours in _SIZES.items()}
    return found | {"n_classes": len(labels)}


def renamed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights under our names and in our shapes: a convolution by patches is a linear map of patches.

    A pooler, which the classifier does not use, is left out; a name that is not known stays, and is refused
    when the model is built.
    """
    found = {}
    for name, tensor in weights.items():
        ours = _ours(name)
        if ours in ("encoder.class_token", "encoder.positions"):
            tensor = tensor[0, 0] if ours.endswith("token") else tensor[0]
        if ours == "encoder.embed.weight":
            tensor = tensor.flatten(1)  # [d_model, channel · size · size]
        if not name.startswith("vit.pooler."):
            found[ours] = tensor
    return found


def _ours(name: str) -> str:
    for theirs, ours in _NAMES.items():
        changed, found = re.subn(f"^{theirs}", ours, name)
        if found:
            return f"encoder.{changed}"
    return name
