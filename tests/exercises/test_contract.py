"""Contract parts: each accepts what keeps the contract and rejects what breaks it."""

import pytest
import torch
from torch import nn

from course.exercises.contract import Case
from course.exercises.inputs import ids, randn, some_true
from course.workbook.compare import difference


def arguments(*batch):
    return randn(*batch, 3, 5), randn(*batch, 5, 4, seed=1)


def product(a, b, scale=1.0):
    if scale < 0:
        raise ValueError("scale")
    return scale * (a @ b)


CASE = Case(arguments)


class Dropping(nn.Module):
    def __init__(self, p: float = 0.1):
        super().__init__()
        self.linear, self.dropout = nn.Linear(5, 5), nn.Dropout(p)

    def forward(self, a, b):
        return self.dropout(self.linear(a)) @ b


class NotDropping(Dropping):
    def forward(self, a, b):
        return self.linear(a) @ b


def seeded(cls):
    torch.manual_seed(0)
    return cls()


MODULE = Case(arguments, module=seeded)


def random(a, b, generator=None):
    return a @ b + torch.rand(3, 4, generator=generator)


def in_place(a, b):
    a += 0.1
    return (a - 0.1) @ b


def last_is_seven(a, b):
    return a.index_fill(0, torch.tensor([2]), 7.0), b


REFUSES = CASE.refuses("a scale below 0", ValueError, scale=-1.0)
BREAKS = {
    "another scale": (CASE.part("plain"), product, lambda a, b: 2 * a @ b),
    "no batch axes": (CASE.batched(2, 3), product, lambda a, b: torch.mm(a, b)),
    "float32 made of float64": (CASE.kind(torch.float64), product, lambda a, b: (a @ b).float()),
    "a kind that is lost": (CASE.keeps_kind(torch.float64), product, lambda a, b: (a @ b).float()),
    "a kind that is refused": (
        CASE.keeps_kind(torch.float64), product, lambda a, b: torch.einsum("ik,kj->ij", a, b.float())
    ),
    "detached": (CASE.gradients(), product, lambda a, b: (a @ b).detach()),
    "detached in part": (CASE.gradients(), product, lambda a, b: a.detach() @ b),
    "changed inputs": (CASE.keeps_inputs(), product, in_place),
    "a change that matters": (
        CASE.unmoved("the last", "it moves", last_is_seven, lambda x: x[:2]),
        product, lambda a, b: (a - a.mean(0)) @ b,
    ),
    "no dropout": (MODULE.dropped(), Dropping, NotDropping),
    "a gradient of parameters": (MODULE.gradients(), NotDropping, type("Z", (NotDropping,), {
        "forward": lambda self, a, b: (a + 0 * self.linear(a).detach()) @ b})),
    "drawn without the generator": (
        CASE.repeats(lambda g: {"generator": g}), random, lambda a, b, generator: random(a, b),
    ),
    "nothing refused": (REFUSES, product, lambda a, b, scale: a @ b),
    "another error": (REFUSES, product, lambda a, b, scale: 1 / 0),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_a_part_accepts_what_keeps_the_contract_and_rejects_what_breaks_it(name):
    (_, points, run, *_), keeps, breaks = BREAKS[name]
    assert points == 1
    right = run(keeps)
    assert difference(right, run(keeps)) is None
    try:
        assert difference(right, run(breaks)) is not None
    except RuntimeError as error:
        assert name == "no batch axes", error


def test_what_raises_for_every_kind_is_no_matter_of_kinds():
    with pytest.raises(ZeroDivisionError):
        CASE.keeps_kind(torch.float64)[2](lambda a, b: 1 / 0)
    assert CASE.keeps_kind(torch.float64)[2](lambda a, b: 2 * a @ b) == {"what comes back": "float64"}


def test_any_error_will_do_where_the_part_says_so():
    part = CASE.refuses("one too few", change=lambda a, b: (a, b[1:]))
    assert part[2](product) == {"what is raised": "Exception"}
    assert part[3] == "one too few should raise an error"


def test_a_mask_has_a_true_and_a_false_in_each_row_but_the_empty_one():
    mask = some_true(4, 6, empty=(2,), seed=3)
    rows = mask.sum(-1).tolist()
    assert rows[2] == 0 and all(0 < n < 6 for i, n in enumerate(rows) if i != 2)


def test_ids_are_in_their_range_and_repeat():
    x = ids(50, below=7, start=3)
    assert set(x.tolist()) == {3, 4, 5, 6} and x.dtype == torch.int64
