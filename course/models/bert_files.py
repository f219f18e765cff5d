"""BERT's files: what they call the things that ``course.models.bert`` has."""

import re
from collections.abc import Iterable, Mapping

from torch import Tensor

# Ours on the left, theirs on the right, for the whole beginning of a parameter's name.
_NAMES = {
    r"tokens\.": "embeddings.word_embeddings.",
    r"positions\.": "embeddings.position_embeddings.",
    r"segments\.": "embeddings.token_type_embeddings.",
    r"norm\.": "embeddings.LayerNorm.",
    r"layers\.(\d+)\.self_attention\.q_proj\.": r"encoder.layer.\1.attention.self.query.",
    r"layers\.(\d+)\.self_attention\.k_proj\.": r"encoder.layer.\1.attention.self.key.",
    r"layers\.(\d+)\.self_attention\.v_proj\.": r"encoder.layer.\1.attention.self.value.",
    r"layers\.(\d+)\.self_attention\.out_proj\.": r"encoder.layer.\1.attention.output.dense.",
    r"layers\.(\d+)\.norm1\.": r"encoder.layer.\1.attention.output.LayerNorm.",
    r"layers\.(\d+)\.feed_forward\.linear1\.": r"encoder.layer.\1.intermediate.dense.",
    r"layers\.(\d+)\.feed_forward\.linear2\.": r"encoder.layer.\1.output.dense.",
    r"layers\.(\d+)\.norm2\.": r"encoder.layer.\1.output.LayerNorm.",
    r"pooler\.": "pooler.dense.",
    r"lm_head\.linear\.": "cls.predictions.transform.dense.",
    r"lm_head\.norm\.": "cls.predictions.transform.LayerNorm.",
    r"lm_head\.bias$": "cls.predictions.bias",
    r"next_head\.": "cls.seq_relationship.",
    r"span_head\.": "qa_outputs.",
    r"label_head\.": "classifier.",
}
_SIZES = {
    "vocab_size": "vocab_size",
    "hidden_size": "d_model",
    "num_attention_heads": "n_heads",
    "intermediate_size": "d_ff",
    "num_hidden_layers": "n_layers",
    "max_position_embeddings": "max_length",
    "type_vocab_size": "n_segments",
    "hidden_dropout_prob": "dropout",
    "attention_probs_dropout_prob": "attention_dropout",
    "classifier_dropout": "head_dropout",
    "hidden_act": "activation",
    "layer_norm_eps": "eps",
    "pad_token_id": "pad_id",
}
SETTINGS = {ours: theirs for theirs, ours in _SIZES.items()}
"""What a config.json of BERT calls our settings."""

_ONLY = {
    "model_type": "bert",
    "is_decoder": False,
    "add_cross_attention": False,
    "tie_word_embeddings": True,
    "position_embedding_type": "absolute",
    "pruned_heads": {},
}
_LABELS = 2  # transformers' number of labels where a config.json names none


def config_from_transformers(settings: Mapping) -> dict:
    """The arguments of ``BertConfig`` for a BERT's config.json; what it leaves out is BERT's default.

    Raises:
        ValueError: if it is no BERT, or a variant that is not supported.
    """
    for name, supported in _ONLY.items():
        if settings.get(name, supported) != supported:
            raise ValueError(f"only BERT with {name} = {supported!r} can be loaded; got {settings[name]!r}")
    sizes = {ours: settings[theirs] for theirs, ours in _SIZES.items() if theirs in settings}
    labels = settings.get("id2label", dict.fromkeys(range(_LABELS)))
    if not isinstance(labels, Mapping) or not labels:
        raise ValueError(f"id2label should name the labels by their numbers; it is {labels!r}")
    return sizes | {"n_labels": len(labels)}


def config_to_transformers(config: Mapping, architecture: str) -> dict:
    """The inverse: a config.json with which transformers reads the checkpoint."""
    labels = {str(label): f"LABEL_{label}" for label in range(config["n_labels"])}
    return {
        "architectures": [architecture],
        **_ONLY,
        **{theirs: config[ours] for theirs, ours in _SIZES.items()},
        "id2label": labels,
        "label2id": {name: int(label) for label, name in labels.items()},
    }


def transformers_name(name: str) -> str:
    """What transformers calls a parameter of one of the course's models.

    Raises:
        KeyError: if it has no such parameter.
    """
    prefix = "bert." if name.startswith("bert.") else ""
    for ours, theirs in _NAMES.items():
        renamed, found = re.subn(f"^{ours}", theirs, name.removeprefix("bert."))
        if found:
            return prefix + renamed
    raise KeyError(name)


def unexpected(left_over: Iterable[str]) -> list[str]:
    """Of the stored weights that a model did not take, those of no other head and no numbering."""
    others = ("cls.", "pooler.", "qa_outputs.", "classifier.", "embeddings.position_ids")
    return [name for name in left_over if not name.removeprefix("bert.").startswith(others)]


def stored_as(name: str, stored: Mapping[str, Tensor]) -> str | None:
    """The name under which a checkpoint has a parameter of ours, None where it has not.

    With a head the body's names begin with "bert.", without one not; the first BERTs call a norm's weight
    gamma and its bias beta; a tied output bias may be stored as either of the two.
    """
    theirs = transformers_name(name).removeprefix("bert.")
    old = theirs.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
    tied = theirs.replace("predictions.bias", "predictions.decoder.bias")
    candidates = [prefix + stem for stem in (theirs, old, tied) for prefix in ("", "bert.")]
    return next((candidate for candidate in candidates if candidate in stored), None)
