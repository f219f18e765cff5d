"""The Transformer equals torch's, learns, steps alike with and without cache, and survives saving."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F
from equality import assert_same, every_dtype, randomise
from torch import nn

from course.heads import MultiHeadAttention
from course.models.transformer import (
    Transformer,
    TransformerConfig,
    label_smoothed_loss,
    teacher_forcing,
)
from course.text.decoding import greedy_search
from course.text.tokenizers import BOS, EOS, PAD

TINY = TransformerConfig(300, 16, 2, 24, n_encoder_layers=2, n_decoder_layers=3, max_length=40)

every_norm = pytest.mark.parametrize("norm", ["post", "pre"])


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def transformer(**changes) -> Transformer:
    """A small model whose random weights are large enough for its sentences to differ."""
    model = Transformer(dataclasses.replace(TINY, **changes)).eval()
    with torch.no_grad():
        model.embedding.weight.mul_(3)
    return model


def batch(*lengths: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Random sources (<eos> last) and targets (<bos> first, <eos> last) of these lengths, padded."""
    sources, targets = (max(sizes) for sizes in zip(*lengths, strict=True))
    source, target = torch.full((len(lengths), sources), PAD), torch.full((len(lengths), targets), PAD)
    for row, (m, n) in enumerate(lengths):
        source[row, :m] = torch.cat([torch.randint(3, TINY.vocab_size, (m - 1,)), torch.tensor([EOS])])
        inner = torch.randint(3, TINY.vocab_size, (n - 2,))
        target[row, :n] = torch.cat([torch.tensor([BOS]), inner, torch.tensor([EOS])])
    return source, target


# -- equal to torch --


def torchs(config: TransformerConfig) -> nn.Transformer:
    """torch's, in which only pre-norm stacks have a last norm."""
    model = nn.Transformer(
        config.d_model,
        config.n_heads,
        config.n_encoder_layers,
        config.n_decoder_layers,
        config.d_ff,
        dropout=0.0,
        activation=config.activation,
        batch_first=True,
        norm_first=config.norm == "pre",
    )
    if config.norm == "post":
        model.encoder.norm = model.decoder.norm = None
    return randomise(model)


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")  # torch's encoder, about itself
@every_norm
@every_dtype
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_it_equals_torchs_transformer_forward_and_in_every_gradient(norm, dtype, activation):
    config = dataclasses.replace(TINY, norm=norm, activation=activation, dropout=0.0)
    ours, theirs = Transformer(config).to(dtype), torchs(config).to(dtype)
    embedding = nn.Parameter(torch.randn(config.vocab_size, config.d_model, dtype=dtype))
    ours.load_state_dict({**theirs.state_dict(), "embedding.weight": embedding.detach()})
    source, target = batch((9, 7), (4, 10), (6, 2))

    def embed(ids):
        return F.embedding(ids, embedding) * config.d_model**0.5 + ours.positions[: ids.shape[-1]]

    n = target.shape[-1]
    hidden = theirs(
        embed(source),
        embed(target),
        tgt_mask=torch.ones(n, n, dtype=torch.bool).triu(1),
        src_key_padding_mask=source == PAD,
        memory_key_padding_mask=source == PAD,
    )
    logits, expected = ours(source, target), hidden @ embedding.T
    assert_same(logits, expected, "logits")
    direction = torch.randn_like(logits) * (target != PAD)[..., None] / logits.numel() ** 0.5
    logits.backward(direction)
    expected.backward(direction)
    assert_same(ours.embedding.weight.grad, embedding.grad, "gradient of the embedding")
    gradients = torch_names(ours, lambda parameter: parameter.grad)
    for name, parameter in theirs.named_parameters():
        assert_same(gradients[name], parameter.grad, f"gradient of {name}")


def torch_names(model: Transformer, of) -> dict[str, torch.Tensor]:
    """Something of each parameter of the stacks, under torch's names."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(of(parameter))
    state = {}
    for stack in ("encoder", "decoder"):
        for i, block in enumerate(getattr(model, stack).layers):
            state |= {f"{stack}.layers.{i}.{key}": value for key, value in block.torch_state_dict().items()}
        norm = getattr(model, stack).norm.state_dict()
        state |= {f"{stack}.norm.{key}": value for key, value in norm.items()}
    return state


# -- masks --


@every_norm
def test_padding_changes_nothing(norm):
    model = transformer(norm=norm)
    source, target = batch((5, 6), (9, 8))
    together = model(source, target)
    alone = model(source[:1, :5], target[:1, :6])
    torch.testing.assert_close(together[:1, :6], alone, rtol=1e-5, atol=1e-5)


def test_the_decoder_does_not_look_ahead_and_sees_the_whole_source():
    model = transformer()
    source, target = batch((5, 8))
    before = model(source, target)
    changed = target.clone()
    changed[0, 5] = 7 if target[0, 5] != 7 else 8
    after = model(source, changed)
    assert torch.equal(before[:, :5], after[:, :5]) and not torch.equal(before[:, 5], after[:, 5])
    other = source.clone()
    other[0, 3] = 7 if source[0, 3] != 7 else 8
    assert (model(other, target) != before).any(dim=-1).all()


# -- the loss --


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("padding", [PAD, -100])
@every_dtype
def test_the_loss_equals_torchs_and_ignores_padding(smoothing, padding, dtype):
    logits = torch.randn(3, 5, 11, dtype=dtype, requires_grad=True)
    labels = torch.randint(1, 11, (3, 5))
    labels[1, 2:] = padding
    ours = label_smoothed_loss(logits, labels, smoothing, padding)
    theirs = F.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=padding, label_smoothing=smoothing
    )
    assert_same(ours, theirs)
    (one,), (other,) = (torch.autograd.grad(loss, logits, retain_graph=True) for loss in (ours, theirs))
    assert_same(one, other, "gradient")
    assert not one[1, 2:].any()


def test_under_teacher_forcing_each_input_is_the_token_before_its_label():
    target = torch.tensor([[BOS, 5, 7, EOS], [BOS, 9, EOS, PAD]])
    inputs, labels = teacher_forcing(target)
    assert torch.equal(inputs[:, 1:], labels[:, :-1])
    assert torch.equal(torch.cat([inputs[:, :1], labels], dim=-1), target)


def test_the_models_loss_predicts_each_token_from_those_before_it():
    model = transformer(dropout=0.0)
    source, target = batch((5, 6), (9, 8))
    log_p = model(source, target[:, :-1]).log_softmax(dim=-1)
    terms = [
        0.9 * -log_p[row, i, target[row, i + 1]] - 0.1 * log_p[row, i].mean()
        for row, length in enumerate((6, 8))
        for i in range(length - 1)
    ]
    assert_same(model.loss(source, target), torch.stack(terms).mean())


@every_norm
def test_the_loss_in_mixed_precision_is_nearly_the_same(norm):
    model = transformer(dropout=0.0, norm=norm)
    pairs = batch((5, 6), (9, 8))
    with torch.autocast("cpu", torch.bfloat16):
        mixed = model.loss(*pairs)
    mixed.backward()
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, model.loss(*pairs), rtol=0.01, atol=0)  # bfloat16 has 8 bits
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_it_learns_to_copy():
    model = transformer(dropout=0.0, norm="pre", label_smoothing=0.0).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    source = torch.randint(3, 9, (64, 3))
    target = F.pad(F.pad(source, (1, 0), value=BOS), (0, 1), value=EOS)
    source = F.pad(source, (0, 1), value=EOS)
    for _ in range(120):
        optimizer.zero_grad()
        model.loss(source, target).backward()
        optimizer.step()
    copies = [written.ids for written in greedy_search(model.eval().writer(source[:8]), 8, BOS, EOS, 10)]
    assert copies == [row.tolist() for row in source[:8]]


@pytest.mark.parametrize(("dropout", "inner", "changes"), [(0.0, None, 0), (0.0, 0.5, 5), (0.5, 0.0, 15)])
def test_dropout_has_a_rate_within_sublayers_and_one_between_them(dropout, inner, changes):
    model = transformer(dropout=dropout, inner_dropout=inner).train()
    dropped = []
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.register_forward_hook(lambda _, given, out: dropped.append(not torch.equal(given[0], out)))
    model(*batch((9, 8)))
    assert sum(dropped) == changes  # five hidden layers; or two embeddings, 2 × 2 and 3 × 3 sublayers
    in_attention = {m.dropout.p for m in model.modules() if isinstance(m, MultiHeadAttention)}
    assert in_attention == {dropout if inner is None else inner}


# -- writing --


@every_norm
@pytest.mark.parametrize("beam", [1, 4])
@pytest.mark.parametrize("lengths", [[5], [5, 9, 2]], ids=["one", "padded"])
def test_a_step_with_the_cache_equals_one_without(norm, beam, lengths):
    model = transformer(norm=norm)
    source, _ = batch(*((length, 2) for length in lengths))
    cached, plain = (model.writer(source, beam, cache) for cache in (True, False))
    rows = len(lengths) * beam
    first = torch.arange(len(lengths)).repeat_interleave(beam) * beam
    for _ in range(8):
        tokens = torch.randint(3, TINY.vocab_size, (rows,))
        parents = first + torch.randint(beam, (rows,))
        torch.testing.assert_close(cached(tokens, parents), plain(tokens, parents), rtol=1e-5, atol=1e-5)


class Nearest(MultiHeadAttention):
    """Sees the newest token alone."""

    def forward(self, query, key=None, value=None, mask=None, need_weights=True):
        itself = torch.eye(query.shape[-2], dtype=torch.bool)
        return super().forward(query, key, value, itself, need_weights)


def other_attention(model: Transformer) -> None:
    made = Nearest(model.config.d_model, model.config.n_heads)
    made.load_state_dict(model.decoder.layers[0].self_attention.state_dict())
    model.decoder.layers[0].self_attention = made.eval()


def patched_block(model: Transformer) -> None:
    model.decoder.layers[0].forward = lambda x, *_: x


def hooked_attention(model: Transformer) -> None:
    hook = lambda _, __, out: (-out[0], out[1])  # noqa: E731
    model.decoder.layers[0].cross_attention.register_forward_hook(hook)


def hooked_projection(model: Transformer) -> None:
    model.decoder.layers[0].self_attention.q_proj.register_forward_hook(lambda _, __, out: 3 * out)


@pytest.mark.parametrize("change", [other_attention, patched_block, hooked_attention, hooked_projection])
def test_what_was_changed_is_written_with(change):
    model = randomise(transformer(max_length=12)).eval()
    source, _ = batch((5, 3), (4, 2))
    before = greedy_search(model.writer(source), 2, BOS, EOS, 8)
    change(model)
    cached, plain = (greedy_search(model.writer(source, cache=c), 2, BOS, EOS, 8) for c in (True, False))
    assert [h.ids for h in cached] == [h.ids for h in plain]
    assert [h.log_p for h in cached] != [h.log_p for h in before]


def test_more_positions_than_the_model_has_are_refused():
    source, target = batch((41, 5))
    with pytest.raises(ValueError, match=r"40 positions .* got 41"):
        transformer()(source, target)


# -- files --


def test_saving_and_loading_change_nothing(tmp_path):
    model = transformer(norm="pre")
    model.save(tmp_path / "model")
    loaded = Transformer.from_pretrained(tmp_path / "model")
    assert loaded.config == model.config and not loaded.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)
    assert sorted(file.name for file in (tmp_path / "model").iterdir()) == [
        "config.json",
        "model.safetensors",
    ]


def test_half_precision_takes_half_the_space_and_is_read_as_float32(tmp_path):
    model = transformer()
    for name, dtype in (("full", None), ("half", torch.float16)):
        model.save(tmp_path / name, dtype)
    full, half = ((tmp_path / name / "model.safetensors").stat().st_size for name in ("full", "half"))
    assert half < 0.6 * full
    loaded = Transformer.from_pretrained(tmp_path / "half")
    assert loaded.embedding.weight.dtype == torch.float32
    torch.testing.assert_close(loaded.embedding.weight, model.embedding.weight, rtol=1e-3, atol=1e-6)


def test_a_checkpoint_that_is_not_there_is_answered_with_those_that_are(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no checkpoint 'latin'.*Shipped:"):
        Transformer.from_pretrained("latin")
