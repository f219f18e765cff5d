"""Which places of a protein touch, read off its relatives: what changes together is often together.

An alignment is a table of numbers below ``STATES``, 0 the gap: a row a relative, a column a place.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

STATES = 21
NEAR, APART = 8.0, 6
"""Two places touch if their β-carbons are nearer than 8 Å; pairs nearer in the chain than 6 do not count."""


def contacts(positions: Float[Tensor, "column 3"], near: float = NEAR) -> Bool[Tensor, "column column"]:
    """Which places touch; each touches itself."""
    return torch.cdist(positions.double(), positions.double()) < near


def far_pairs(n: int, apart: int = APART) -> Int[Tensor, "2 pairs"]:
    """The pairs (i, j) with j - i >= ``apart``, each pair once."""
    return torch.triu_indices(n, n, apart)


def contact_precision(
    scores: Float[Tensor, "column column"],
    touching: Bool[Tensor, "column column"],
    top: int,
    apart: int = 6,
) -> float:
    """Of the ``top`` pairs with the highest scores, the share that touch.

    A pair counts once, as (i, j) with i < j, and only if j - i >= ``apart``: neighbours in the chain touch
    anyway. Of equal scores those come first that stand first, row by row.

    Raises:
        ValueError: if there are fewer such pairs than ``top``, or ``top`` is less than 1.

    Source: P@L of Bhattacharya et al. 2020, §3; lecture row L1.2.d.
    """
    rows, columns = torch.triu_indices(*scores.shape, apart)
    if not 1 <= top <= len(rows):
        raise ValueError(f"there are {len(rows)} pairs {apart} or more apart; the best {top} of them?")
    best = scores[rows, columns].argsort(descending=True, stable=True)[:top]
    return touching[rows[best], columns[best]].double().mean().item()


# --------------------------------------------------------------------------------------------------
# What is counted
# --------------------------------------------------------------------------------------------------


def relative_weights(
    letters: Int[Tensor, "relative column"], alike: float = 0.8
) -> Float[Tensor, "relative"]:
    """One over the number of relatives, itself included, that share ``alike`` of its letters or more.

    Fifty near copies of one sequence then count as one. The sum is the effective number of relatives.

    Source: Morcos et al. 2011, equation 2.
    """
    hot = F.one_hot(letters, STATES).flatten(1).float()
    same = hot @ hot.mT / letters.shape[1]  # [relative, relative]
    return 1 / (same >= alike - 1e-6).sum(-1)


def frequencies(
    letters: Int[Tensor, "relative column"], weights: Float[Tensor, "relative"], pseudocount: float = 0.0
) -> tuple[Float[Tensor, "column state"], Float[Tensor, "column state column state"]]:
    """How often each letter stands in each column, and each two letters in each two columns.

    Args:
        pseudocount: the share of counts that are made up: each letter equally often in every column, and
            independently of the other columns.

    Source: Morcos et al. 2011, equation 3.
    """
    n_columns, made_up = letters.shape[1], pseudocount
    hot = F.one_hot(letters, STATES).flatten(1).float()  # [relative, column · state]
    share = weights / weights.sum()
    single = (1 - made_up) * (share @ hot).unflatten(0, (n_columns, STATES)) + made_up / STATES
    pair = (1 - made_up) * (hot * share[:, None]).mT @ hot + made_up / STATES**2
    pair = pair.unflatten(1, (n_columns, STATES)).unflatten(0, (n_columns, STATES))
    itself = torch.arange(n_columns)
    pair[itself, :, itself] = torch.diag_embed(single)  # a letter stands with itself, and with no other
    return single, pair


# --------------------------------------------------------------------------------------------------
# Four scores
# --------------------------------------------------------------------------------------------------


def mutual_information(
    single: Float[Tensor, "column state"], pair: Float[Tensor, "column state column state"]
) -> Float[Tensor, "column column"]:
    """How much one column tells of the other, in nats: Σ f(a, b) ln (f(a, b) / (f(a) f(b))).

    Source: Dunn, Wahl and Gloor 2008, equation 1; lecture row L1.2.d.
    """
    independent = single[:, :, None, None] * single
    ratio = torch.where(pair > 0, pair / independent.clamp_min(1e-30), 1.0)
    return (pair * ratio.log()).sum((1, 3))


def apc(scores: Float[Tensor, "*batch column column"]) -> Float[Tensor, "*batch column column"]:
    """The average product correction: take from each pair what its two places have with everybody.

    The scores are first made symmetric, s_ij ← (s_ij + s_ji) / 2, and a place's score with itself is set
    to 0. Then s_ij - m_i m_j / m, where m_i is the mean of row i over all n columns and m that of all n² of
    them, both of them counting the zeros of the diagonal. The diagonal of what comes back is 0 as well.

    Raises:
        ValueError: if the scores are not square.

    Source: Dunn, Wahl and Gloor 2008, equation 4; lecture row L1.2.d.
    """
    if scores.shape[-1] != scores.shape[-2]:
        raise ValueError(f"scores of pairs are square; these are {tuple(scores.shape[-2:])}")
    off_diagonal = ~torch.eye(scores.shape[-1], dtype=torch.bool)
    both = (scores + scores.mT) / 2 * off_diagonal
    row, whole = both.mean(-1, keepdim=True), both.mean((-2, -1), keepdim=True)
    return (both - row * row.mT / whole) * off_diagonal


def mean_field_couplings(
    single: Float[Tensor, "column state"], pair: Float[Tensor, "column state column state"]
) -> Float[Tensor, "column state column state"]:
    """Direct couplings: minus the inverse of the covariance of the columns' letters.

    Covariance also links what is linked through a third place alone; its inverse links only what is linked
    directly. The last letter is left out, for it follows from the others; its couplings are 0. What is
    given should be made with a pseudocount (a half is usual), or there is no inverse.

    Source: Morcos et al. 2011, equation 5; Marks et al. 2011; lecture row L1.2.d.
    """
    n, kept = len(single), STATES - 1
    covariance = pair - single[:, :, None, None] * single
    square = covariance[:, :kept, :, :kept].reshape(n * kept, n * kept)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(square))
    couplings = torch.zeros_like(pair)
    couplings[:, :kept, :, :kept] = -inverse.reshape(n, kept, n, kept)
    return couplings


def coupling_norms(couplings: Float[Tensor, "column state column state"]) -> Float[Tensor, "column column"]:
    """How strongly two places are coupled: the Frobenius norm, gaps left out, of couplings whose rows and
    columns sum to zero (of all that make the same model, those are the smallest).

    Source: Ekeberg et al. 2013, equations 27 and 28.
    """
    centred = couplings - couplings.mean(1, keepdim=True) - couplings.mean(3, keepdim=True)
    centred = centred + couplings.mean((1, 3), keepdim=True)
    return centred[:, 1:, :, 1:].square().sum((1, 3)).sqrt()


def shuffled(letters: Int[Tensor, "relative column"], seed: int = 0) -> Int[Tensor, "relative column"]:
    """Each column's letters dealt out anew among the relatives: columns stay as they are, pairs do not."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.rand(letters.shape, generator=generator).argsort(0)
    return letters.gather(0, order)


def mean_field_scores(
    letters: Int[Tensor, "relative column"], pseudocount: float = 0.5
) -> Float[Tensor, "column column"]:
    """Direct coupling analysis from the letters to corrected scores: weights, counts, inverse, norms, APC.

    Source: Morcos et al. 2011; Ekeberg et al. 2013 for the norm; lecture row L1.2.d.
    """
    counts = frequencies(letters, relative_weights(letters), pseudocount)
    return apc(coupling_norms(mean_field_couplings(*counts)))


def information_scores(letters: Int[Tensor, "relative column"]) -> Float[Tensor, "column column"]:
    """Mutual information of every two columns, 0 on the diagonal, where it would be the column's entropy."""
    scores = mutual_information(*frequencies(letters, relative_weights(letters)))
    return scores.fill_diagonal_(0.0)


def agreement(
    a: Float[Tensor, "column column"], b: Float[Tensor, "column column"], top: int, apart: int = APART
) -> float:
    """The share of the best ``top`` pairs of one that are among the best ``top`` of the other."""
    rows, columns = far_pairs(len(a), apart)
    best = [set(s[rows, columns].argsort(descending=True, stable=True)[:top].tolist()) for s in (a, b)]
    return len(best[0] & best[1]) / top
