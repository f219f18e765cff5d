"""generate writes what a plain loop over the model would, whatever became of its modules."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrize

from course.blocks import LayerNorm
from course.heads import MultiHeadAttention, record_attention
from course.masks import window_mask
from course.models.gpt import GPT, PARTS, GPTBlock, GPTConfig
from course.models.rotary_gpt import RotaryGPT
from course.models.writing import is_as_shipped

CONFIG = GPTConfig(vocab_size=40, d_model=16, n_heads=2, n_layers=2, max_length=12, dropout=0.3)
PROMPT = [1, 2, 3]


def random_model(kind: type = GPT) -> GPT:
    torch.manual_seed(0)
    model = kind(CONFIG).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.4 * torch.randn_like(parameter))
    return model


@torch.no_grad()
def plain_loop(model: nn.Module, n: int = 16) -> list[int]:
    ids = list(PROMPT)
    for _ in range(n):
        ids.append(int(model(torch.tensor([ids[-CONFIG.max_length :]]))[0, -1].argmax()))
    return ids[len(PROMPT) :]


# -- what learners do to a model --


class Neighbours(MultiHeadAttention):
    """Sees one neighbour only."""

    def forward(self, query, key=None, value=None, mask=None, need_weights=True):
        near = window_mask(query.shape[-2], 1).to(query.device)
        return super().forward(query, key, value, mask & near, need_weights)


class RootMeanSquare(LayerNorm):
    def forward(self, x):
        return x * self.weight / (x.square().mean(-1, keepdim=True) + self.eps).sqrt()


class Adapted(nn.Module):
    """LoRA: a linear map, and a thin one beside it."""

    def __init__(self, linear: nn.Linear):
        super().__init__()
        self.linear = linear
        self.down = nn.Parameter(torch.randn(2, linear.in_features))
        self.up = nn.Parameter(torch.randn(linear.out_features, 2))

    def forward(self, x):
        return self.linear(x) + x @ self.down.T @ self.up.T


class Nothing(nn.Module):
    def forward(self, x, mask):
        return x


class Doubled(nn.Module):
    def forward(self, weight):
        return 2 * weight


def other_attention(model: GPT, at: int) -> None:
    made = Neighbours(CONFIG.d_model, CONFIG.n_heads)
    made.load_state_dict(model.blocks[at].self_attention.state_dict())
    model.blocks[at].self_attention = made.eval()


def other_norm(model: GPT, at: int) -> None:
    model.blocks[at].norm1 = RootMeanSquare(CONFIG.d_model)


def no_norm(model: GPT, at: int) -> None:
    model.blocks[at].norm2 = nn.Identity()


def lora(model: GPT, at: int) -> None:
    model.blocks[at].self_attention.q_proj = Adapted(model.blocks[at].self_attention.q_proj)


def lora_of_the_network(model: GPT, at: int) -> None:
    model.blocks[at].feed_forward.linear1 = Adapted(model.blocks[at].feed_forward.linear1)


def own_block(model: GPT, at: int) -> None:
    model.blocks[at] = Nothing()


def fewer_blocks(model: GPT, at: int) -> None:
    model.blocks = nn.ModuleList([model.blocks[0]])


def one_block_twice(model: GPT, at: int) -> None:
    model.blocks = nn.ModuleList([model.blocks[0]] * 2)


def patched_forward(model: GPT, at: int) -> None:
    model.blocks[at].forward = lambda x, mask: x


def hook_that_silences(model: GPT, at: int) -> None:
    hook = lambda _, __, out: (torch.zeros_like(out[0]), out[1])  # noqa: E731
    model.blocks[at].self_attention.register_forward_hook(hook)


def hook_before(model: GPT, at: int) -> None:
    model.norm.register_forward_pre_hook(lambda _, inputs: (-inputs[0],))


def parametrized(model: GPT, at: int) -> None:
    parametrize.register_parametrization(model.blocks[at].self_attention.v_proj, "weight", Doubled())


def no_bias(model: GPT, at: int) -> None:
    model.blocks[at].feed_forward.linear2 = nn.Linear(4 * CONFIG.d_model, CONFIG.d_model, bias=False)


CHANGES = [
    other_attention, other_norm, no_norm, lora, lora_of_the_network, own_block, fewer_blocks, one_block_twice,
    patched_forward, hook_that_silences, hook_before, parametrized, no_bias,
]  # fmt: skip


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(CHANGES), st.integers(0, 1)), max_size=3), st.booleans())
def test_it_writes_what_a_plain_loop_writes(changes, cache):
    model = random_model()
    for change, at in changes:
        if len(model.blocks) > at and isinstance(model.blocks[at], GPTBlock):
            try:
                change(model, at)
            except (AttributeError, KeyError):  # a second change finds what it would change gone
                continue
    wanted = plain_loop(model)
    assert model.generate(PROMPT, 16, temperature=0, cache=cache) == wanted
    assert model.train().generate(PROMPT, 16, temperature=0, cache=cache) == wanted  # nothing is dropped out


@pytest.mark.parametrize("change", CHANGES, ids=lambda f: f.__name__)
def test_each_change_is_seen_by_itself(change):
    model = random_model()
    assert is_as_shipped(model, PARTS)
    change(model, 0)
    assert model.generate(PROMPT, 16, temperature=0) == plain_loop(model)
    if change not in (fewer_blocks, one_block_twice):  # of which the reader knows all there is
        assert not is_as_shipped(model, PARTS)


def test_a_class_may_be_patched_too(monkeypatch):
    model = random_model()
    before = model.generate(PROMPT, 16, temperature=0)
    monkeypatch.setattr(GPTBlock, "forward", lambda self, x, mask: x)
    assert model.generate(PROMPT, 16, temperature=0) == plain_loop(model) != before


@pytest.mark.filterwarnings("ignore:::torch")
def test_int8_is_written_with():
    quantized = torch.ao.quantization.quantize_dynamic(random_model(), {nn.Linear})
    assert quantized.generate(PROMPT, 16, temperature=0) == plain_loop(quantized)


def test_recording_sees_what_is_written():
    model = random_model()
    with record_attention(model) as weights:
        written = model.generate(PROMPT, 3, temperature=0)
    assert {w.shape for w in weights.values()} == {torch.Size([1, 2, 5, 5])} and len(weights) == 2
    assert written == model.generate(PROMPT, 3, temperature=0)


@pytest.mark.parametrize("kind", [GPT, RotaryGPT])
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m)), torch.compile])
def test_a_copy_writes_the_same_and_as_fast(kind, copied):
    model = random_model(kind)
    other = copied(model)
    assert other.generate(PROMPT, 16, temperature=0) == model.generate(PROMPT, 16, temperature=0)
    assert model.generate(PROMPT, 16, temperature=0) == plain_loop(model)
    assert is_as_shipped(getattr(other, "_orig_mod", other), model._parts())


# -- what is asked for --


PROMPTS = [torch.tensor(PROMPT), torch.tensor([PROMPT]), np.array([PROMPT]), np.array(PROMPT)]


@pytest.mark.parametrize("prompt", [*PROMPTS, [PROMPT], tuple(PROMPT), [np.int64(1), torch.tensor(2), 3]])
def test_a_prompt_is_taken_as_tokenizers_give_it(prompt):
    model = random_model()
    assert model.generate(prompt, 5, temperature=0) == model.generate(PROMPT, 5, temperature=0)


def test_numbers_may_be_numpys():
    model = random_model()
    numpys = {
        "top_k": np.int64(5),
        "top_p": np.float32(0.9),
        "temperature": np.float64(0.7),
        "seed": np.int64(3),
    }
    python = {name: value.item() for name, value in numpys.items()}
    assert model.generate(PROMPT, np.int64(9), **numpys) == model.generate(PROMPT, 9, **python)


@pytest.mark.parametrize(
    "kind", [int, lambda id: [id], lambda id: {id, 39}, lambda id: torch.tensor([id]), np.int64]
)
def test_stop_is_one_id_or_several(kind):
    model = random_model()
    whole = model.generate(PROMPT, 12, seed=1)
    stop = whole[4]
    assert model.generate(PROMPT, 12, seed=1, stop=kind(stop)) == whole[: whole.index(stop) + 1]


@pytest.mark.parametrize(
    ("prompt", "settings", "error", "said"),
    [
        (torch.ones(2, 3, dtype=torch.long), {}, ValueError, "a batch of 2 prompts"),
        ([1.5], {}, TypeError, r"whole numbers; got 1\.5"),
        ({"input_ids": [1]}, {}, TypeError, "give its input_ids"),
        ([1], {"stop": "a"}, TypeError, "stop is a token's id, or several.*got 'a'"),
        ([1], {"stop": [1.5]}, TypeError, r"got 1\.5"),
        ([1], {"seed": "x"}, TypeError, "a seed is a whole number.*'x'"),
        ([1], {"max_new_tokens": 2.5}, TypeError, r"max_new_tokens is a whole number; got 2\.5"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_words(prompt, settings, error, said):
    with pytest.raises(error, match=said):
        random_model().stream(prompt, **settings)
