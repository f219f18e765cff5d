"""A learner's answer as text: blank or not, the line that raised, what an exception says."""

import pytest
import torch
from answers import cell

from course import attention
from course.workbook.answer import is_blank, line_of, message_of, sound

# ---- blank ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    ...\n",
        'def f(x):\n    """Doc."""\n    ...  # your code\n',
        "def f(x):\n    y = ...\n    return y\n",
        "def f(x):\n    y: torch.Tensor = ...\n    return y\n",
        "def f(x):\n    return ...\n",
        "def f(x):\n    ...\n    return ...\n",
        "def f(x):\n    return x\n\ndef f(x):\n    ...\n",
        "class f(nn.Module):\n    def forward(self, x):\n        ...\n",
    ],
)
def test_blank(source):
    assert is_blank(cell(source, "f"))


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    return x[..., 0]\n",
        "def f(x):\n    y = x[..., None]\n    x[..., 0] = 1\n    return y\n",
        "def f(x):\n    return torch.einsum('...i->...', x)\n",
        "def f(x):\n    return None\n",
        "def later(x):\n    ...\n\ndef f(x):\n    return x\n",
        "def f(x):\n    return x\n\ndef later(x):\n    ...\n",
        "def f(x):\n    return x\n\nclass Other:\n    def f(self):\n        ...\n",
        "def f(x):\n    ...\n\ndef f(x):\n    return x\n",
        "f = lambda x: x[...]\n",
        "def f(x):\n    if x:\n        ...\n    return x\n",
        "def f(x):\n    ...  # your code\n    return x\n",
        "def f(x):\n    if x is None: ...\n    else: x = 1\n    return x\n",
        'def f(x):\n    """Doc."""\n',
        "class f(nn.Module):\n    def forward(self, x):\n        return x[..., 0]\n",
        "class f(nn.Module):\n    def forward(self, x):\n        return x\n\ndef later():\n    ...\n",
    ],
)
def test_not_blank(source):
    assert not is_blank(cell(source, "f"))


@pytest.mark.parametrize("answer", [torch.matmul, len, attention.weighted_sum])
def test_what_has_no_cell_is_not_blank(answer):
    assert not is_blank(answer)


# ---- exceptions ----------------------------------------------------------------------------------


def test_an_exception_outside_the_cell_has_no_line():
    assert line_of(cell("def f():\n    pass\n"), ValueError()) == ""


class Mute(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    "error, says",
    [
        (ValueError("one\ntwo"), "one"),
        (ValueError(), "(no message)"),
        (Mute(), "(its message cannot be read)"),
        (ValueError("half \ud800"), "half ?"),
        (GeneratorExit("bye"), "bye"),
    ],
)
def test_a_message_is_one_sound_line(error, says):
    assert message_of(error) == says
    assert sound(says) == says
