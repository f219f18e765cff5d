"""The exercise of notebook 00: one small function, to see how exercises work."""

import torch

from course.attention import weighted_sum
from course.exercises.contract import Case
from course.exercises.inputs import randn, rows
from course.workbook.record import define


def arguments(*batch):
    return rows(*batch, 3, 5), randn(*batch, 5, 4, seed=1)


case = Case(arguments)

e = define(
    "0.1",
    weighted_sum,
    "The weighted sum",
    minutes=3,
    difficulty=1,
    parts=[
        (
            "one query, two keys",
            1,
            lambda f: f(torch.tensor([[0.3, 0.7]]), torch.tensor([[10.0, 0.0], [20.0, 4.0]])),
        ),
        case.part("three queries, five keys"),
        case.batched(2),
        case.batched(2, 3),
        case.part("one key", change=lambda w, v: (torch.ones(3, 1), v[:1])),
        case.part(
            "as many queries as keys and features", change=lambda w, v: (rows(4, 4), randn(4, 4, seed=2))
        ),
        case.part(
            "rows that do not sum to one, as after dropout",
            change=lambda w, v: (w * torch.tensor([[1.0], [0.0], [0.8]]), v),
        ),
        case.kind(torch.float64),
        case.gradients(),
        case.keeps_inputs(),
        case.refuses("one value too few", change=lambda w, v: (w, v[1:])),
    ],
    hints=[
        "Look at the shapes: weights are `[query, key]`, values are `[key, d_v]`, and the output is `[query, d_v]`."
        " Which operation makes the `key` in the middle disappear?",
        "For one query it is `weights[0] * value[0] + weights[1] * value[1] + …`: a sum over keys of weight times value."
        " A matrix product does exactly that, for all queries at once.",
        "In PyTorch the matrix product is written `@`. It multiplies the last two dimensions and leaves the ones in front"
        " (the batch) alone.",
    ],
)


@e.mistake("transposed", "The weights are used the wrong way round: rows are queries, columns are keys.")
def _(weights, value):
    return weights.mT @ value


@e.mistake("mean", "All values are averaged with equal weight: the weights themselves are not used.")
def _(weights, value):
    return value.mean(-2, keepdim=True).expand(*weights.shape[:-1], value.shape[-1])


@e.mistake(
    "divided-by-n", "The weighted sum is divided by the number of keys; the weights already sum to one."
)
def _(weights, value):
    return weights @ value / value.shape[-2]


@e.mistake(
    "softmax-again", "Softmax is applied to the weights; they are weights already, each row sums to one."
)
def _(weights, value):
    return weights.softmax(-1) @ value


@e.mistake(
    "hard", "Only the value with the largest weight is returned: that is a look-up, not a weighted sum."
)
def _(weights, value):
    return torch.nn.functional.one_hot(weights.argmax(-1), weights.shape[-1]).to(value.dtype) @ value


@e.mistake("no-sum", "The values are weighted but not summed: the sum over the keys is missing.")
def _(weights, value):
    return weights.unsqueeze(-1) * value.unsqueeze(-3)
