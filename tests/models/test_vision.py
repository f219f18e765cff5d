"""Patches and films cut as said; the Vision Transformer equals transformers', values and every gradient."""

import json

import pytest
import torch
import transformers
from equality import assert_same, randomise
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course.models import vision_files
from course.models.any_sequence import n_parameters
from course.models.vision import SmallCNN, ViT, ViTConfig, film_patches, from_patches, patches

SIZES = {"image_size": 12, "patch_size": 3, "num_channels": 2, "hidden_size": 24, "num_attention_heads": 3,
         "intermediate_size": 40, "num_hidden_layers": 2, "num_labels": 5}  # fmt: skip


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@settings(deadline=None, max_examples=25)
@given(
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from([(), (2,), (2, 3)]),
)
def test_patches_are_the_squares_row_by_row_and_can_be_put_together_again(c, rows, columns, size, batch):
    images = torch.randn(*batch, c, rows * size, columns * size)
    cut = patches(images, size)
    assert cut.shape == (*batch, rows * columns, c * size * size)
    for n in range(rows * columns):
        y, x = divmod(n, columns)
        square = images[..., y * size : (y + 1) * size, x * size : (x + 1) * size]
        assert torch.equal(cut[..., n, :], square.flatten(-3))
    assert torch.equal(from_patches(cut, size, columns * size, c), images)


def test_a_linear_map_of_patches_is_a_convolution_by_strides():
    images, conv = torch.randn(3, 2, 12, 12), nn.Conv2d(2, 7, 3, stride=3)
    mapped = patches(images, 3) @ conv.weight.flatten(1).mT + conv.bias
    assert_same(mapped, conv(images).flatten(2).mT.detach())


def test_a_film_is_its_frames_one_after_another():
    films = torch.randn(2, 3, 1, 4, 6)
    cut = film_patches(films, 2)
    assert cut.shape == (2, 3 * 6, 4)
    assert all(torch.equal(cut[:, 6 * t : 6 * t + 6], patches(films[:, t], 2)) for t in range(3))


def test_a_tubelet_is_one_square_in_frames_that_follow_one_another():
    films = torch.randn(3, 4, 2, 4, 6)
    cut = film_patches(films, 2, frames=2)
    assert cut.shape == (3, 2 * 6, 2 * 2 * 4)
    both = torch.cat([film_patches(films[:, i::2], 2) for i in (0, 1)], dim=-1)  # first frames, second ones
    assert torch.equal(cut, both)
    with pytest.raises(ValueError, match="a film of 4 frames cannot be cut into stretches of 3"):
        film_patches(films, 2, frames=3)


@pytest.mark.parametrize("size", [0, 5, 8])
def test_a_size_that_does_not_fit_is_said(size):
    with pytest.raises(ValueError, match=f"12 × 16 points cannot be cut into squares of {size} × {size}"):
        patches(torch.zeros(1, 12, 16), size)


# ---- the model, beside transformers' -------------------------------------------------------------


def theirs(folder, **changes) -> nn.Module:
    config = transformers.ViTConfig(**SIZES | changes)
    model = randomise(transformers.ViTForImageClassification(config)).eval()
    model.save_pretrained(folder)
    return model


@pytest.mark.parametrize(
    "changes", [{}, {"layer_norm_eps": 1e-2}, {"patch_size": 4}, {"num_channels": 1}], ids=str
)
def test_it_equals_transformers_in_values_and_every_gradient(tmp_path, changes):
    other = theirs(tmp_path, **changes)
    ours = ViT.from_transformers(tmp_path)
    images = torch.randn(3, other.config.num_channels, 12, 12)
    mine, its = (images.clone().requires_grad_() for _ in range(2))
    out, expected = ours(mine), other(its).logits
    assert_same(out, expected)
    direction = torch.randn_like(expected)
    out.backward(direction)
    expected.backward(direction)
    assert_same(mine.grad, its.grad, "gradient of the image")
    gradients = {name: p.grad for name, p in other.named_parameters()}
    compared = vision_files.renamed({_as_filed(name): g for name, g in gradients.items()})
    own = dict(ours.named_parameters())
    assert own.keys() == compared.keys()
    for name, gradient in compared.items():
        assert_same(own[name].grad, gradient, f"gradient of {name}")


def _as_filed(name: str) -> str:
    """What transformers' files call a parameter of its running model."""
    for live, filed in {
        "vit.layers.": "vit.encoder.layer.",
        "attention.o_proj": "attention.output.dense",
        "attention.q_proj": "attention.attention.query",
        "attention.k_proj": "attention.attention.key",
        "attention.v_proj": "attention.attention.value",
        "mlp.fc1": "intermediate.dense",
        "mlp.fc2": "output.dense",
    }.items():
        name = name.replace(live, filed)
    return name


def test_its_attention_is_transformers(tmp_path):
    other = theirs(tmp_path)
    other.set_attn_implementation("eager")
    images = torch.randn(2, 2, 12, 12)
    _, weights = ViT.from_transformers(tmp_path).look(images)
    expected = torch.stack(other(images, output_attentions=True).attentions).detach()
    assert weights.shape == (2, 2, 3, 17, 17)
    assert_same(weights, expected)


@pytest.mark.parametrize(
    "change", [{"hidden_act": "relu"}, {"qkv_bias": False}, {"model_type": "deit"}], ids=str
)
def test_a_variant_that_it_has_not_is_refused(tmp_path, change):
    theirs(tmp_path)
    file = tmp_path / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    (name,) = change
    with pytest.raises(ValueError, match=f"only a ViT with {name}"):
        ViT.from_transformers(tmp_path)


def test_pictures_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"sees pictures of \[1, 28, 28\]; got \[2, 1, 32, 32\]"):
        ViT(ViTConfig())(torch.zeros(2, 1, 32, 32))
    with pytest.raises(ValueError, match="28 × 28 points cannot be cut into squares of 5 × 5"):
        ViT(ViTConfig(patch=5))


def test_what_is_saved_comes_back(tmp_path):
    model = randomise(ViT(ViTConfig(side=8, patch=2, d_model=16, d_ff=24, n_layers=2)))
    model.save(tmp_path)
    again, images = ViT.from_pretrained(tmp_path), torch.randn(2, 1, 8, 8)
    assert again.config == model.config
    assert torch.equal(again(images), model.eval()(images))
    assert torch.equal(again.predict(images), again(images).argmax(-1))
    assert torch.equal(again.encoder.head(again.features(images)), again(images))


def test_the_cnn_learns_and_is_small():
    images, labels = torch.randn(40, 1, 8, 8), torch.arange(40) % 4
    cnn = SmallCNN(8, 4)
    optimizer = torch.optim.Adam(cnn.parameters(), 1e-2)
    for _ in range(80):
        optimizer.zero_grad()
        cnn.loss(images, labels).backward()
        optimizer.step()
    assert cnn.accuracy(images, labels) == 1.0 and n_parameters(SmallCNN(28)) < 25_000
