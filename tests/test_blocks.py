"""Blocks equal torch's layers, norm before or after, and keep their promises about masks and recording."""

import ast
import copy
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from equality import (
    BATCH,
    HEADS,
    N,
    assert_same,
    assert_same_function,
    assert_same_module,
    blocked_for_torch,
    every_batch,
    every_dtype,
    every_mask,
    for_batch,
    leaves,
    randomise,
)
from torch import nn

from course.blocks import (
    DecoderBlock,
    EncoderBlock,
    FeedForward,
    LayerNorm,
    feed_forward,
    layer_norm,
    residual,
)
from course.heads import record_attention
from course.masks import causal_mask, combine, padding_mask

SOURCE, WIDTH, HIDDEN = 5, 16, 24

every_norm = pytest.mark.parametrize("norm", ["post", "pre"])
every_activation = pytest.mark.parametrize("activation", ["relu", "gelu"])


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@every_dtype
@pytest.mark.parametrize("batch", [(), (3,), (2, 3)], ids=str)
@pytest.mark.parametrize("eps", [1e-5, 0.1])
def test_layer_norm_equals_torchs(dtype, batch, eps):
    x, weight, bias = torch.randn(*batch, 8, dtype=dtype), *torch.randn(2, 8, dtype=dtype)
    assert_same_function(
        lambda x, w, b: layer_norm(x, w, b, eps),
        lambda x, w, b: F.layer_norm(x, (8,), w, b, eps),
        x,
        weight,
        bias,
    )
    ours, theirs = LayerNorm(8, eps).to(dtype), randomise(nn.LayerNorm(8, eps, dtype=dtype))
    assert_same(ours(x), F.layer_norm(x, (8,), eps=eps))
    ours.load_state_dict(theirs.state_dict())
    assert_same_function(ours, theirs, x)


@every_dtype
@pytest.mark.parametrize(
    ("activation", "function"),
    [("relu", nn.ReLU()), ("gelu", nn.GELU()), ("gelu_tanh", nn.GELU(approximate="tanh"))],
)
def test_feed_forward_equals_torchs_layers(dtype, activation, function):
    ours = FeedForward(WIDTH, HIDDEN, activation).to(dtype)
    theirs = nn.Sequential(ours.linear1, function, ours.linear2)
    assert_same_function(ours, theirs, torch.randn(2, N, WIDTH, dtype=dtype))


@every_dtype
def test_feed_forward_module_is_the_papers_formula(dtype):
    module = FeedForward(WIDTH, HIDDEN).to(dtype)
    first, second = module.linear1, module.linear2
    assert_same_function(
        lambda x: feed_forward(x, first.weight, first.bias, second.weight, second.bias),
        module,
        torch.randn(2, N, WIDTH, dtype=dtype),
    )


def test_feed_forward_looks_at_each_position_alone():
    module, x = FeedForward(WIDTH, HIDDEN), torch.randn(N, WIDTH)
    assert_same(module(x), torch.stack([module(position) for position in x]))


def test_feed_forward_drops_hidden_units():
    module = FeedForward(WIDTH, HIDDEN, dropout=1.0)
    assert_same(module(torch.randn(N, WIDTH)), module.linear2.bias.expand(N, WIDTH))


def test_residual_puts_the_norm_after_the_sum_or_before_the_sublayer():
    x, sublayer, norm = torch.randn(3, WIDTH), nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH)
    assert torch.equal(residual(x, sublayer, norm, pre=False), norm(x + sublayer(x)))
    assert torch.equal(residual(x, sublayer, norm, pre=True), x + sublayer(norm(x)))


def encoders(norm, activation, dtype, dropout=0.0):
    theirs = nn.TransformerEncoderLayer(
        *(WIDTH, HEADS, HIDDEN, dropout, activation), batch_first=True, norm_first=norm == "pre", dtype=dtype
    )
    return EncoderBlock(WIDTH, HEADS, HIDDEN, dropout, norm, activation).to(dtype), randomise(theirs)


def decoders(norm, activation, dtype, dropout=0.0):
    theirs = nn.TransformerDecoderLayer(
        *(WIDTH, HEADS, HIDDEN, dropout, activation), batch_first=True, norm_first=norm == "pre", dtype=dtype
    )
    return DecoderBlock(WIDTH, HEADS, HIDDEN, dropout, norm, activation).to(dtype), randomise(theirs)


@every_dtype
@every_norm
@every_activation
@every_batch
@every_mask
def test_encoder_block_equals_torchs_layer(dtype, norm, activation, batch, mask):
    ours, theirs = encoders(norm, activation, dtype)
    mask = for_batch(mask(), batch)
    blocked = blocked_for_torch(mask, batch, HEADS, N, N)
    assert_same_module(
        *(ours, theirs, lambda x: ours(x, mask), lambda x: theirs(x, src_mask=blocked)),
        torch.randn(*batch, N, WIDTH, dtype=dtype),
    )


@every_dtype
@every_norm
@every_activation
@every_batch
@every_mask
def test_decoder_block_equals_torchs_layer(dtype, norm, activation, batch, mask):
    ours, theirs = decoders(norm, activation, dtype)
    mask, memory_mask = for_batch(mask(), batch), for_batch(padding_mask([SOURCE, 2], SOURCE), batch)
    blocked = blocked_for_torch(mask, batch, HEADS, N, N)
    memory_blocked = blocked_for_torch(memory_mask, batch, HEADS, N, SOURCE)
    assert_same_module(
        ours,
        theirs,
        lambda x, memory: ours(x, memory, mask, memory_mask),
        lambda x, memory: theirs(x, memory, tgt_mask=blocked, memory_mask=memory_blocked),
        torch.randn(*batch, N, WIDTH, dtype=dtype),
        torch.randn(*batch, SOURCE, WIDTH, dtype=dtype),
    )


@pytest.mark.parametrize("pair", [encoders, decoders])
def test_state_dicts_go_to_torch_and_back(pair):
    ours, theirs = pair("post", "relu", torch.float32)
    theirs.load_state_dict(ours.torch_state_dict())
    back, _ = pair("post", "relu", torch.float32)
    back.load_state_dict(theirs.state_dict())
    for name, tensor in ours.state_dict().items():
        assert torch.equal(back.state_dict()[name], tensor), name


def test_a_stack_loads_from_torchs_stack():
    _, layer = encoders("pre", "gelu", torch.float64)
    theirs = randomise(nn.TransformerEncoder(layer, 3, enable_nested_tensor=False))
    block = EncoderBlock(WIDTH, HEADS, HIDDEN, norm="pre", activation="gelu").double()
    ours = nn.ModuleDict({"layers": nn.Sequential(*(copy.deepcopy(block) for _ in range(3)))})
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(BATCH, N, WIDTH, dtype=torch.float64)
    assert_same(ours["layers"](x), theirs(x))


@every_norm
@pytest.mark.parametrize("kind", [EncoderBlock, DecoderBlock])
def test_dropout_acts_in_training_only(kind, norm):
    block = kind(WIDTH, HEADS, HIDDEN, dropout=0.5, norm=norm)
    inputs = [torch.randn(BATCH, N, WIDTH)] * (2 if kind is DecoderBlock else 1)
    assert not torch.equal(block(*inputs), block(*inputs))
    block.eval()
    assert torch.equal(block(*inputs), block(*inputs))


@every_norm
def test_dropout_falls_where_torchs_layer_has_it(norm):
    """With all dropped a sublayer adds nothing: post-norm normalises the input twice, pre-norm keeps it."""
    ours, theirs = encoders(norm, "relu", torch.float32, dropout=1.0)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(BATCH, N, WIDTH)
    assert_same(ours(x), theirs(x))


@every_norm
def test_a_sentence_of_padding_passes_without_nan(norm):
    block = DecoderBlock(WIDTH, HEADS, HIDDEN, norm=norm)
    x, memory = leaves(torch.randn(BATCH, N, WIDTH), torch.randn(BATCH, SOURCE, WIDTH))
    output = block(
        x, memory, combine(causal_mask(N), padding_mask([N, 0], N)), padding_mask([SOURCE, 0], SOURCE)
    )
    output.square().sum().backward()
    assert output.isfinite().all()
    assert x.grad.isfinite().all()
    assert memory.grad[0].ne(0).any()
    assert memory.grad[1].eq(0).all()


def test_attention_of_a_block_is_recorded():
    block = DecoderBlock(WIDTH, HEADS, HIDDEN)
    x, memory, mask = torch.randn(BATCH, N, WIDTH), torch.randn(BATCH, SOURCE, WIDTH), causal_mask(N)
    with record_attention(block) as weights:
        output = block(x, memory, mask)
    assert list(weights) == ["self_attention", "cross_attention"]
    assert torch.equal(weights["self_attention"], block.self_attention(x, mask=mask)[1])
    assert weights["cross_attention"].shape == (BATCH, HEADS, N, SOURCE)
    assert_same(output, block(x, memory, mask))


@pytest.mark.parametrize("module", ["attention", "heads", "masks", "positions", "blocks", "recording"])
def test_the_mathematics_imports_torch_and_itself_alone(module):
    source = Path(sys.modules["course.blocks"].__file__).with_name(f"{module}.py").read_text(encoding="utf-8")
    nodes = list(ast.walk(ast.parse(source)))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    outside = {name for name in names if name.split(".")[0] not in sys.stdlib_module_names}
    ours = {f"course.{name}" for name in ("attention", "heads", "masks", "positions", "blocks", "recording")}
    theirs = {"torch", "torch.nn.functional", "torch.overrides", "torch._C._functorch", "jaxtyping"}
    assert outside - ours <= theirs


@pytest.mark.parametrize(
    ("call", "seen"),
    [
        (lambda: EncoderBlock(WIDTH, HEADS, HIDDEN, norm="middle"), "'post', 'pre'; got 'middle'"),
        (
            lambda: DecoderBlock(WIDTH, HEADS, HIDDEN, activation="swish"),
            "'relu', 'gelu', 'gelu_tanh'; got 'swish'",
        ),
        (lambda: FeedForward(WIDTH, HIDDEN, "tanh"), "got 'tanh'"),
        (lambda: EncoderBlock(10, 4, HIDDEN), "d_model = 10, n_heads = 4"),
        (lambda: EncoderBlock(8, 2, HIDDEN)(torch.randn(2, 3, 6)), r"d_model = 8\]; got \[2, 3, 6\]"),
        (
            lambda: EncoderBlock(8, 2, HIDDEN)(torch.randn(2, 3, 8), causal_mask(4)),
            r"\[4, 4\].*\[2, 2, 3, 3\]",
        ),
    ],
)
def test_bad_blocks_are_refused_with_what_was_seen(call, seen):
    with pytest.raises(ValueError, match=seen):
        call()


@every_dtype
@every_norm
def test_a_decoder_blocks_steps_with_a_cache_equal_one_masked_pass(dtype, norm):
    block = randomise(DecoderBlock(WIDTH, HEADS, HIDDEN, norm=norm)).to(dtype).eval()
    x, memory = torch.randn(BATCH, N, WIDTH, dtype=dtype), torch.randn(BATCH, SOURCE, WIDTH, dtype=dtype)
    mask = padding_mask([SOURCE, 2], SOURCE)
    cache = block.cache(memory)
    steps = [block.step(x[:, i : i + 1], cache, mask.unsqueeze(1)) for i in range(N)]
    assert_same(torch.cat(steps, dim=1), block(x, memory, causal_mask(N), mask))
    cache.select(torch.tensor([1, 1]))
    assert torch.equal(cache.key[0], cache.key[1]) and torch.equal(cache.value[0], cache.value[1])
