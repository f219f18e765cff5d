"""Writing with a model that predicts one token at a time: greedy search and beam search.

Both write several sentences at once and know nothing of the model but a ``Step``.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

Step = Callable[[Int[Tensor, "rows"], Int[Tensor, "rows"]], Float[Tensor, "rows vocabulary"]]
"""``step(tokens, parents)`` writes one more token in every row and gives ln P of each token that may follow.

Row r becomes what row ``parents[r]`` was before, with ``tokens[r]`` behind it.
"""


class Hypothesis(NamedTuple):
    """Tokens written (with <eos> where it ``ended``, without <bos>), and their log-probability in nats."""

    ids: list[int]
    log_p: float
    ended: bool

    def score(self, alpha: float) -> float:
        """log P(Y | X) / lp(Y): what beam search ranks by (Wu et al. 2016, equation 14, no coverage)."""
        return self.log_p / length_penalty(len(self.ids), alpha)


def length_penalty(length: int, alpha: float) -> float:
    """lp(Y) = ((5 + |Y|) / 6)^alpha, which makes up for every token's costing probability.

    0 leaves the log-probability as it is, so that short sentences win; 1 all but averages it over the tokens.

    Source: Wu et al. 2016 (GNMT), equation 14.
    """
    return ((5 + length) / 6) ** alpha


def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    """Write the likeliest token, again and again, until it is <eos> or there are ``max_length`` tokens.

    Args:
        step: ``step(tokens, parents)`` writes ``tokens[r]`` in row r, behind what row ``parents[r]`` held
            before, and gives ln P of every token that may follow, ``[rows, vocabulary]``. The first call
            writes ``bos`` in ``sentences`` rows, with the parents 0, 1, 2, ... Rows that have ended may be
            stepped along or left out.
        max_length: of the tokens written; <eos> counts, <bos> does not.

    Returns:
        For each sentence a ``Hypothesis(ids, log_p, ended)``: the tokens written, a list of whole numbers,
        with <eos> where it ended and without <bos>; the sum of their ln P, a number; whether there is an
        <eos>.

    Raises:
        ValueError: if ``max_length`` is less than 1.
    """
    _check_positive(max_length=max_length)
    token, rows = torch.full((sentences,), bos), torch.arange(sentences)
    written, log_p, going = [], torch.zeros(sentences), torch.ones(sentences, dtype=torch.bool)
    while len(written) < max_length and going.any():
        best, token = step(token, rows).cpu().max(dim=-1)
        log_p = log_p + best * going
        going = going & (token != eos)
        written.append(token)
    ids = torch.stack(written, dim=-1).tolist()  # [sentences, length]
    return [_until(eos, row, total) for row, total in zip(ids, log_p.tolist(), strict=True)]


def beam_search(
    step: Step, sentences: int, bos: int, eos: int, max_length: int, beam: int = 4, alpha: float = 0.6
) -> list[list[Hypothesis]]:
    """Keep the ``beam`` likeliest beginnings of each sentence until none can beat the best that ended.

    Args:
        step: rows are ``sentences × beam``, those of a sentence next to one another.
        alpha: the exponent of ``length_penalty``, by which hypotheses that ended are ranked; 0 or more.

    Returns:
        For each sentence its hypotheses, best first: the ``beam`` best that ended, or, where none did within
        ``max_length`` tokens, those still going on.

    Raises:
        ValueError: if ``max_length`` or ``beam`` is less than 1, or ``alpha`` is negative.

    Source: Sutskever et al. 2014, §3.2; Wu et al. 2016 (GNMT), §7.
    """
    _check_positive(max_length=max_length, beam=beam)
    if alpha < 0:
        raise ValueError(f"alpha must be 0 or more, or longer sentences would be punished twice; got {alpha}")
    first_row = beam * torch.arange(sentences)[:, None]  # [sentences, 1]
    written = torch.full((sentences, beam, 1), bos)
    log_p = torch.full((sentences, beam), -torch.inf)
    log_p[:, 0] = 0.0  # all beginnings are alike: one of them goes on
    parents = (first_row + torch.arange(beam)).flatten()
    ended: list[list[Hypothesis]] = [[] for _ in range(sentences)]
    for _ in range(max_length):
        following = step(written[..., -1].flatten(), parents).cpu().unflatten(0, (sentences, beam))
        # A beginning can end in one way only: of twice as many candidates, ``beam`` or more go on.
        best, parent, token = continuations(log_p, following, 2 * beam)
        candidates = torch.cat([_rows(written, parent), token[..., None]], dim=-1)
        ends = token == eos
        _collect(ended, candidates[:, :beam], best[:, :beam], ends[:, :beam], alpha)
        going = ends.long().argsort(dim=-1, stable=True)[:, :beam]  # the best that did not end, in order
        written, log_p = _rows(candidates, going), best.gather(1, going)
        parents = (first_row + parent.gather(1, going)).flatten()
        hopes = log_p.amax(dim=-1).tolist()
        if all(
            _is_decided(done, beam, hope, max_length, alpha) for done, hope in zip(ended, hopes, strict=True)
        ):
            break
    return [
        rank(done or _going_on(ids, totals), alpha)
        for done, ids, totals in zip(ended, written, log_p, strict=True)
    ]


def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    """The k likeliest ways in which any of a sentence's beginnings goes on by one token, best first.

    Which of two equally likely ones comes first is left open. What is given is not changed.

    Args:
        log_p: ln P of each beginning.
        following: ln P of each token behind each beginning.

    Returns:
        Their ln P, the number of the beginning that each goes on from, and its new token.

    Source: Sutskever et al. 2014, §3.2.
    """
    total = log_p[..., None] + following  # [sentences, beam, vocabulary]
    best, index = total.flatten(1).topk(k)
    return best, index // total.shape[-1], index % total.shape[-1]


def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    """The hypotheses, best first, by ln P over the length penalty, in a new list.

    The length is the number of a hypothesis's ids, <eos> among them. All are ranked, those that have not
    ended too. Which of two with the same score comes first is left open.

    Source: Wu et al. 2016 (GNMT), equation 14, without coverage.
    """
    return sorted(hypotheses, key=lambda hypothesis: -hypothesis.score(alpha))


def _collect(
    ended: list[list[Hypothesis]], candidates: Tensor, log_p: Tensor, ends: Tensor, alpha: float
) -> None:
    """Put the candidates that end now among each sentence's hypotheses, of which the best stay."""
    for sentence, place in (ends & log_p.isfinite()).nonzero().tolist():
        ids = candidates[sentence, place, 1:].tolist()
        new = Hypothesis(ids, log_p[sentence, place].item(), ended=True)
        ended[sentence] = rank([*ended[sentence], new], alpha)[: candidates.shape[1]]


def _is_decided(ended: Sequence[Hypothesis], beam: int, log_p: float, max_length: int, alpha: float) -> bool:
    """Whether no beginning can beat the worst of the best that ended; ``log_p`` is the likeliest's.

    A beginning's ln P can only fall; the most that length makes up for is at the greatest length.
    """
    return len(ended) >= beam and log_p / length_penalty(max_length, alpha) <= ended[-1].score(alpha)


def _going_on(written: Tensor, log_p: Tensor) -> list[Hypothesis]:
    rows = zip(written[:, 1:].tolist(), log_p.tolist(), strict=True)
    return [Hypothesis(ids, total, ended=False) for ids, total in rows if total > -torch.inf]


def _rows(x: Int[Tensor, "sentences rows length"], index: Int[Tensor, "sentences chosen"]) -> Tensor:
    return x.gather(1, index[..., None].expand(-1, -1, x.shape[-1]))


def _until(eos: int, ids: list[int], log_p: float) -> Hypothesis:
    length = ids.index(eos) + 1 if eos in ids else len(ids)
    return Hypothesis(ids[:length], log_p, ended=eos in ids)


def _check_positive(**values: int) -> None:
    for name, value in values.items():
        if value < 1:
            raise ValueError(f"{name} must be 1 or more; got {value}")
