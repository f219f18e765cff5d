"""The exercises of notebook 12, beyond language: from words to pictures, and proteins."""

import torch
import torch.nn.functional as F

from course.exercises.contract import Case
from course.exercises.inputs import randn
from course.exercises.promises import refusals
from course.exercises.variants import checked, said
from course.models.picture_codes import nearest_codes
from course.studies.contacts import apc, contact_precision
from course.workbook.record import define


def wrong_ways(of, variant, rows):
    """Add a family of wrong versions: (name, says, flags)."""
    for name, says, flags in rows:
        of.mistake(name, says)(variant(**flags))


# ---- 12.5 the nearest code -----------------------------------------------------------------------


def squares_and_codes(*batch):
    return randn(*batch, 7, 5, seed=4), randn(6, 5, seed=9) * torch.tensor(
        [[0.3], [3.0], [1.0], [0.6], [1.7], [0.2]]
    )


def equally_near():
    return torch.tensor([[0.0, 0.0], [3.0, 1.0]]), torch.tensor(
        [[5.0, 5.0], [1.0, -2.0], [-2.0, 1.0], [5.0, 0.0]]
    )


case = Case(squares_and_codes)
codes_exercise = define(
    "12.5",
    nearest_codes,
    "A picture as tokens: the nearest code",
    minutes=8,
    difficulty=1,
    parts=[
        case.part("seven patches, six codes", 3),
        case.batched(2),
        case.part("more codes than patches", change=lambda p, c: (p[:2], c)),
        case.part("patches far from 0", change=lambda p, c: (p + 7, c + 7)),
        ("two codes equally near: the first", 1, lambda f: f(*equally_near())),
        ("a patch that is a code", 1, lambda f: f(randn(6, 5, seed=9)[[4, 0, 4]], randn(6, 5, seed=9))),
        refusals({
            "patches longer than codes": (ValueError, lambda f: f(randn(3, 4), randn(6, 5))),
            "patches of one number": (ValueError, lambda f: f(randn(3, 1), randn(6, 5))),
        }),
    ],
    hints=[
        "For each patch you need one number for each code: how far it is. What shape has that table, and along which of its axes do you look for the smallest?",
        "‖p - c‖² is ‖p‖² - 2 p·c + ‖c‖². The first term is the same for all codes of a patch. The second is a product of two matrices. The third is one number a code. Compare the lengths before anything else: a patch of one number would broadcast.",
        "`(codebook.square().sum(-1) - 2 * patches @ codebook.mT).argmin(-1)`, after raising a ValueError if `patches.shape[-1] != codebook.shape[-1]`.",
    ],
)  # fmt: skip


def by_table(table, axis=-1, pick=torch.argmin):
    """A wrong version from the table of distances, ``[*batch, patches, codes]``."""

    def wrong(patches, codebook):
        return pick(table(patches, codebook), axis)

    return checked(nearest_codes, wrong)


def differences(patches, codebook):
    return patches.unsqueeze(-2) - codebook


def squared(patches, codebook):
    return differences(patches, codebook).square().sum(-1)


def last_of_equals(table, axis):
    return table.shape[axis] - 1 - table.flip(axis).argmin(axis)


wrong_ways(codes_exercise, by_table, [
    ("farthest", "These are the codes that are farthest away: the smallest distance is wanted, not the largest.", {"table": squared, "pick": torch.argmax}),
    ("largest-product", "The code with the largest inner product is taken. Long codes win that way: ‖c‖² has to be counted, too.", {"table": lambda p, c: -(p @ c.mT)}),
    ("by-direction", "Only directions are compared (the cosine). A dark red and a light red then look the same: the distance is wanted.", {"table": lambda p, c: -F.normalize(p, dim=-1) @ F.normalize(c, dim=-1).mT}),
    ("product-once", "p·c is subtracted once; from (p - c)² it comes twice.", {"table": lambda p, c: c.square().sum(-1) - p @ c.mT}),
    ("plus", "The product is added: ‖p + c‖² is measured. In ‖p - c‖² it has a minus.", {"table": lambda p, c: c.square().sum(-1) + 2 * p @ c.mT}),
    ("length-not-squared", "‖c‖ stands where ‖c‖² should: a root too many.", {"table": lambda p, c: c.norm(dim=-1) - 2 * p @ c.mT}),
    ("absolute", "The absolute differences are added up; Euclid's distance squares them.", {"table": lambda p, c: differences(p, c).abs().sum(-1)}),
    ("largest-difference", "Only the largest single difference counts here; all of them should.", {"table": lambda p, c: differences(p, c).abs().amax(-1)}),
    ("mean-colour", "Only the means are compared: two squares of one mean colour may look quite different.", {"table": lambda p, c: differences(p, c).mean(-1).abs()}),
    ("last-of-equals", "Of codes that are equally near the last is taken; the first is asked for.", {"table": squared, "pick": last_of_equals}),
])  # fmt: skip


@codes_exercise.mistake(
    "patch-of-each-code",
    "For each code its nearest patch is given: the other way round. Look for the smallest along the axis of the codes.",
)
def _(patches, codebook):
    nearest_codes(patches, codebook)
    return squared(patches, codebook).argmin(-2)


@codes_exercise.mistake("the-codes", "The codes themselves are given back; their numbers are the tokens.")
def _(patches, codebook):
    return codebook[nearest_codes(patches, codebook)]


# ---- 12.6 precision of the top pairs -------------------------------------------------------------


def guessed(n=14, seed=3):
    """Scores without symmetry, and which of the places touch: nearer pairs more often."""
    touching = randn(n, n, seed=seed + 1) + randn(n, n, seed=seed + 1).mT > 0.9
    near = (torch.arange(n)[:, None] - torch.arange(n)).abs() < 3
    return randn(n, n, seed=seed), touching | near


def level():
    """Scores of which many are equal."""
    scores, touching = guessed(seed=8)
    return scores.round(), touching


precision_exercise = define(
    "12.6",
    contact_precision,
    "How many of the best pairs touch?",
    minutes=8,
    difficulty=2,
    parts=[
        ("fourteen places, the best nine", 2, lambda f: f(*guessed(), 9)),
        ("the best fourteen", 1, lambda f: f(*guessed(), 14)),
        ("4 apart, the best eleven", 2, lambda f: f(*guessed(), 11, apart=4)),
        ("the best one", 1, lambda f: [f(*guessed(seed=s), 1) for s in range(5, 13)]),
        ("every pair there is", 1, lambda f: f(*guessed(), 36)),
        ("many equal scores: the first come first", 1, lambda f: [f(*level(), top) for top in (5, 9, 16)]),
        refusals({
            "more pairs than there are": (ValueError, lambda f: f(*guessed(), 37)),
            "the best none": (ValueError, lambda f: f(*guessed(), 0)),
        }),
    ],
    hints=[
        "Which pairs are in the race? Count each once, and leave neighbours in the chain out before you rank, not after.",
        "`torch.triu_indices(n, n, apart)` gives rows and columns of all pairs with j - i >= apart, row by row. Take their scores, sort them from the highest down (stably, so that equal ones stay in order), keep `top`, and look up which of these touch.",
        "`best = scores[rows, columns].argsort(descending=True, stable=True)[:top]`; `touching[rows[best], columns[best]].double().mean().item()`, after a ValueError unless 1 <= top <= len(rows).",
    ],
)  # fmt: skip


def counted(pairs=lambda n, apart: torch.triu_indices(n, n, apart), flip=1, of=lambda hits, top, touching, n: hits / top,
            stable=True, whole=False):  # fmt: skip
    def wrong(scores, touching, top, apart=6):
        n = len(scores)
        rows, columns = pairs(n, apart)
        s = flip * scores[rows, columns]
        if stable:
            best = s.argsort(descending=True, stable=True)[:top]
        else:
            best = len(s) - 1 - s.flip(0).argsort(descending=True, stable=True)[:top]
        hits = touching[rows[best], columns[best]].double().sum().item()
        return int(hits) if whole else of(hits, top, touching, n)

    return checked(contact_precision, wrong)


def both_halves(n, apart):
    i, j = torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")
    return torch.stack([x[(i - j).abs() >= apart] for x in (i, j)])


wrong_ways(precision_exercise, counted, [
    ("neighbours-too", "Neighbours in the chain are ranked with the others: they touch anyway, and make any score look good. Only pairs with j - i >= apart count.", {"pairs": lambda n, apart: torch.triu_indices(n, n, 1)}),
    ("diagonal-too", "Pairs nearer than `apart` are ranked, and each place with itself.", {"pairs": lambda n, apart: torch.triu_indices(n, n, 0)}),
    ("one-too-far", "Pairs exactly `apart` apart are left out; they count.", {"pairs": lambda n, apart: torch.triu_indices(n, n, apart + 1)}),
    ("one-too-near", "Pairs `apart` - 1 apart are ranked as well.", {"pairs": lambda n, apart: torch.triu_indices(n, n, apart - 1)}),
    ("both-halves", "(i, j) and (j, i) are ranked as two pairs: each pair counts once, as (i, j) with i < j.", {"pairs": both_halves}),
    ("lower-half", "The lower half of the table is read; a pair is (i, j) with i < j.", {"pairs": lambda n, apart: torch.tril_indices(n, n, -apart)}),
    ("worst", "The pairs with the lowest scores are taken.", {"flip": -1}),
    ("recall", "The hits are divided by the number of pairs that touch: that is recall. Precision divides by the number of pairs that were picked.", {"of": lambda hits, top, touching, n: hits / touching.triu(6).sum().item()}),
    ("by-length", "The hits are divided by the protein's length, whatever `top` is.", {"of": lambda hits, top, touching, n: hits / n}),
    ("number", "The number of hits is given back, not their share.", {"whole": True}),
    ("last-of-equals", "Of equal scores the last come first; those that stand first should.", {"stable": False}),
])  # fmt: skip


@precision_exercise.mistake(
    "filtered-after",
    "All pairs were ranked, and neighbours taken out of the best afterwards: fewer than `top` are left. Take them out first.",
)
def _(scores, touching, top, apart=6):
    contact_precision(scores, touching, top, apart)
    rows, columns = torch.triu_indices(*scores.shape, 1)
    best = scores[rows, columns].argsort(descending=True, stable=True)[:top]
    rows, columns = rows[best], columns[best]
    far = columns - rows >= apart
    return (touching[rows, columns] & far).double().sum().item() / top


# ---- 12.7 the average product correction ---------------------------------------------------------


def of_pairs(*batch):
    return (randn(*batch, 5, 5, seed=6).square() + 0.3,)


case = Case(of_pairs)
apc_exercise = define(
    "12.7",
    apc,
    "What a pair has to itself: the average product correction",
    minutes=10,
    difficulty=2,
    parts=[
        case.part("five places, scores without symmetry", 3),
        ("three places, symmetric already", 1, lambda f: f(torch.tensor([[0.7, 0.2, 0.9], [0.2, 0.4, 0.3], [0.9, 0.3, 1.6]]))),
        said(
            ("a large diagonal", 1, lambda f: {"the largest change": (
                f(of_pairs()[0]) - f(of_pairs()[0] + 40 * torch.eye(5))).abs().max().item()}),
            "a place's score with itself changes what comes out: set the diagonal to 0 first",
        ),
        case.batched(2),
        case.keeps_kind(torch.float64),
        case.gradients(),
        refusals({"scores that are not square": (ValueError, lambda f: f(randn(3, 4)))}),
    ],
    hints=[
        "Some places have high scores with everybody, for they vary much. What would the score of two places be if it came from that alone?",
        "First the symmetry, then the zeros on the diagonal, then the means: of each row, and of all. m_i m_j is a column times a row. Keep batch axes apart: take means over the last two axes only.",
        "`both = (scores + scores.mT) / 2 * off`, with `off = ~torch.eye(n, dtype=torch.bool)`; `row = both.mean(-1, keepdim=True)`; `(both - row * row.mT / both.mean((-2, -1), keepdim=True)) * off`. A ValueError first, if it is not square.",
    ],
)  # fmt: skip


def corrected(
    symmetric=lambda s: (s + s.mT) / 2,
    before=lambda s, off: s * off,
    row=lambda s: s.mean(-1, keepdim=True),
    whole=lambda s: s.mean((-2, -1), keepdim=True),
    common=lambda row, other, whole: row * other / whole,
    take=lambda s, common: s - common,
    after=lambda s, off: s * off,
):
    def wrong(scores):
        off = ~torch.eye(scores.shape[-1], dtype=torch.bool)
        s = before(symmetric(scores), off)
        rows = row(s)
        return after(take(s, common(rows, rows.mT, whole(s))), off)

    return checked(apc, wrong)


wrong_ways(apc_exercise, corrected, [
    ("not-symmetric", "The scores have not been made symmetric: i with j and j with i are one pair, take the mean of both first.", {"symmetric": lambda s: s}),
    ("summed", "s_ij and s_ji are added up; their mean is asked for.", {"symmetric": lambda s: s + s.mT}),
    ("upper-copied", "The upper half is copied to the lower one; both halves say something, take their mean.", {"symmetric": lambda s: s.triu() + s.triu(1).mT}),
    ("diagonal-counted", "The diagonal was still there when the means were taken: a place's score with itself is no pair's, set it to 0 first.", {"before": lambda s, off: s}),
    ("diagonal-left", "The diagonal of what comes back is not 0.", {"after": lambda s, off: s}),
    ("over-others", "The means are taken over the n - 1 others; here they are over all n, the diagonal's zero included.", {"row": lambda s: s.sum(-1, keepdim=True) / (s.shape[-1] - 1), "whole": lambda s: s.sum((-2, -1), keepdim=True) / (s.shape[-1] * (s.shape[-1] - 1))}),
    ("row-alone", "Only the row's mean is taken off: both places of a pair have a part in what is common.", {"common": lambda row, other, whole: row}),
    ("average-sum", "m_i + m_j - m is taken off: that is the average *sum* correction; the product m_i m_j / m is asked for.", {"common": lambda row, other, whole: row + other - whole}),
    ("not-divided", "m_i m_j has not been divided by the mean of all: it is not of the size of a score.", {"common": lambda row, other, whole: row * other}),
    ("divided", "The score is divided by what is common; it should be taken off.", {"take": lambda s, common: s / common}),
    ("added", "What is common is added; it should be taken off.", {"take": lambda s, common: s + common}),
    ("mean-of-the-batch", "One mean is taken over the whole batch: every table has a mean of its own.", {"whole": lambda s: s.mean()}),
])  # fmt: skip


@apc_exercise.mistake("no-gradient", "The values are right, but no gradient arrives at the scores.")
def _(scores):
    return apc(scores).detach()
