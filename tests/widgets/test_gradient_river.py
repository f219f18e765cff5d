"""The gradient river: what it shows is measured, the browser says what Python says."""

import pytest
import torch

from course.studies.gradient_flow import MATRICES, river
from course.widgets import GradientRiver
from course.widgets.gradient_river import LONGEST, RADII, power, rivers


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("tanh", [False, True])
def test_the_columns_are_the_norms_from_the_end_back(matrix, tanh):
    widget = GradientRiver(radius=1.2, steps=30, tanh=tanh, matrix=matrix)
    expected = river(matrix, 1.2, LONGEST, tanh).flip(0)[:31]
    torch.testing.assert_close(widget.shown(), expected, rtol=1e-5, atol=0)  # stored as float32 logarithms


def test_without_tanh_the_radius_rules_and_with_it_it_bounds():
    grid = torch.from_numpy(rivers())[MATRICES.index("turning")]  # [tanh, radius, back]
    law = torch.tensor(RADII).log10()[:, None] * torch.arange(LONGEST + 1)
    torch.testing.assert_close(grid[0], law, rtol=1e-4, atol=1e-4)
    assert (grid[1] <= law + 1e-4).all()
    assert grid[1, RADII.index(1.5), -1] < grid[0, RADII.index(1.5), -1] - 3  # a thousand times less


def test_a_lopsided_matrix_grows_first_though_its_radius_is_below_one():
    norms = GradientRiver(radius=0.8, steps=100, matrix="lopsided").shown()
    assert norms.max() > 10 > 1 > norms[-1]


def test_clipping_scales_everything_alike():
    widget = GradientRiver(radius=1.3, steps=20, clip=10.0)
    assert widget.factor() * widget.shown().sum() == pytest.approx(10)
    assert GradientRiver(radius=0.5, steps=20, clip=10.0).factor() == 1
    assert "Clipping multiplies" in widget.describe()
    assert "leaves them as they are" in GradientRiver(radius=0.5, steps=20, clip=10.0).describe()


def test_the_browser_writes_numbers_as_python_does(call):
    numbers = [0.35, 1.0, 12.4, 999.4, 1234.0, 0.0099, 3.17e-5, 9.96e-9, 2.5e21]
    assert call("gradient_river", "power", [[x] for x in numbers]) == list(map(power, numbers))


def test_the_words_follow_the_sliders():
    widget = GradientRiver()
    assert widget.describe().startswith(
        "50 steps back the norm is 5.2 · 10⁻³; λⁿ = 0.9ⁿ alone would be 5.2 · 10⁻³."
    )
    widget.radius, widget.steps = 1.1, 20
    assert widget.describe().startswith("20 steps back the norm is 6.73;")


def test_what_it_cannot_show_is_said():
    with pytest.raises(ValueError, match=r"from 0.5 to 1.5 in steps of 0.05; got 0.93"):
        GradientRiver(radius=0.93)
