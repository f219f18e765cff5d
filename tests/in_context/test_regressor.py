"""The transformer of pairs: causal, blind to its own answer, learning, saved and found again."""

import pytest
import torch

from course.in_context.regression import draw_regression
from course.in_context.regressor import InContextRegressor, RegressorConfig

SMALL = RegressorConfig(width=4, points=9, d_model=16, n_heads=2, n_layers=2)


@pytest.fixture
def model() -> InContextRegressor:
    torch.manual_seed(0)
    return InContextRegressor(SMALL).eval()


@pytest.fixture
def pairs() -> tuple[torch.Tensor, torch.Tensor]:
    drawn = draw_regression(torch.tensor([2, 4]), 9, 4, generator=torch.Generator().manual_seed(0))
    return drawn.x, drawn.y


@pytest.mark.parametrize("k", [0, 4, 8])
def test_a_prediction_depends_on_its_question_and_the_pairs_before_alone(model, pairs, k):
    x, y = pairs
    before = model(x, y)
    assert before.shape == (2, 9)
    y = y.clone()
    y[:, k] += 1
    changed = (model(x, y) != before).any(0).tolist()
    assert changed == [False] * (k + 1) + [True] * (8 - k)
    x = x.clone()
    x[:, k] += 1
    changed = (model(x, pairs[1]) != before).any(0).tolist()
    assert changed == [False] * k + [True] * (9 - k)


def test_a_shorter_prompt_is_predicted_alike(model, pairs):
    x, y = pairs
    torch.testing.assert_close(model(x[:, :5], y[:, :5]), model(x, y)[:, :5], rtol=1e-5, atol=1e-6)


def test_the_loss_is_the_mean_squared_error_and_goes_down(model, pairs):
    x, y = pairs
    assert model.loss(x, y).item() == pytest.approx((model(x, y) - y).pow(2).mean().item(), rel=1e-6)
    optimizer, first = torch.optim.Adam(model.parameters(), 1e-2), model.loss(x, y).item()
    for _ in range(30):
        optimizer.zero_grad()
        model.loss(x, y).backward()
        optimizer.step()
    assert model.loss(x, y).item() < 0.3 * first


def test_what_is_saved_is_found_again(model, pairs, tmp_path):
    model.save(tmp_path)
    again = InContextRegressor.from_pretrained(tmp_path)
    assert again.config == SMALL and not again.training
    assert torch.equal(again(*pairs), model(*pairs))
    model.save(tmp_path / "half", torch.float16)
    assert torch.allclose(
        InContextRegressor.from_pretrained(tmp_path / "half")(*pairs), model(*pairs), atol=5e-3
    )


def test_what_does_not_fit_is_refused(model, pairs):
    x, y = pairs
    with pytest.raises(ValueError, match=r"width 4, .* got 3"):
        model(x[..., :3], y)
    with pytest.raises(ValueError, match="positions 0 to 8"):
        model(torch.zeros(1, 10, 4), torch.zeros(1, 10))
    with pytest.raises(FileNotFoundError, match="no checkpoint 'nowhere'"):
        InContextRegressor.from_pretrained("nowhere")
