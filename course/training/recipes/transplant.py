"""A BERT with another vocabulary and more positions, that keeps what it has learned."""

import dataclasses

import torch

from course.models.bert_heads import BertForPreTraining
from course.text.wordpiece import WordPiece


@torch.no_grad()
def transplanted(
    model: BertForPreTraining, old: WordPiece, new: WordPiece, max_length: int, **changes
) -> BertForPreTraining:
    """The same blocks and heads under the embeddings of another vocabulary.

    A piece that both vocabularies have keeps its vector and bias; another gets the mean of those of the old
    pieces that it is cut into. Positions behind the last start over from the first.

    Args:
        changes: what else is to differ in the configuration, such as ``dropout=0``.

    Source: the mean of the old pieces, Gee et al. 2022 (Fast Vocabulary Transfer); positions that start over,
    Beltagy et al. 2020 (Longformer), §5.
    """
    config = dataclasses.replace(model.config, vocab_size=len(new), max_length=max_length, **changes)
    grown = type(model)(config)
    state, rows = model.state_dict(), [_old_ids(piece, old) for piece in new.pieces(range(len(new)))]
    for name in ("bert.tokens.weight", "lm_head.bias"):
        state[name] = torch.stack([state[name][ids].mean(dim=0) for ids in rows])
    places = torch.arange(max_length) % model.config.max_length
    state["bert.positions.weight"] = state["bert.positions.weight"][places]
    grown.load_state_dict(state)
    return grown


def _old_ids(piece: str, old: WordPiece) -> list[int]:
    """The old pieces of a new one: itself, where it was one."""
    if piece in old:
        return old.ids([piece])
    return old.encode(piece.removeprefix("##")).ids[1:-1]
