"""The GPT equals transformers' GPT-2, writes as it does, with and without cache, and survives saving."""

import json
from dataclasses import replace

import pytest
import torch
from equality import assert_same
from safetensors.torch import load_file, save_file
from transformers import GPT2Config, GPT2LMHeadModel

from course.heads import record_attention
from course.masking import IGNORED
from course.models.gpt import GPT, GPTConfig
from course.models.gpt_reader import Reader
from course.models.interventions import intervene

TINY = GPTConfig(vocab_size=50, d_model=32, n_heads=4, n_layers=3, max_length=40, dropout=0.5)
PROMPT = [3, 1, 4, 1, 5]
VARIANTS = {
    "plain": {},
    "n_inner": {"n_inner": 40},
    "relu": {"activation_function": "relu"},
    "gelu and eps": {"activation_function": "gelu", "layer_norm_epsilon": 1e-3},
    "other tanh": {"activation_function": "gelu_pytorch_tanh"},
    "scores not scaled": {"scale_attn_weights": False},
    "scores scaled by layer": {"scale_attn_by_inverse_layer_idx": True},
    "upcast": {"reorder_and_upcast_attn": True},
}


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def transformers_model(folder, **variant) -> GPT2LMHeadModel:
    """A random model in a folder; its weights are large enough for attention to be far from even."""
    sizes = {"vocab_size": 50, "n_embd": 32, "n_head": 4, "n_layer": 3, "n_positions": 40}
    config = GPT2Config(
        **sizes, **variant, initializer_range=0.3, bos_token_id=None, eos_token_id=None,
        attn_implementation="eager",
    )  # fmt: skip
    model = GPT2LMHeadModel(config).eval()
    model.save_pretrained(folder)
    return model


def gpt() -> GPT:
    """A random model whose texts are not all one token."""
    model = GPT(TINY).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return model


# -- equal to transformers --


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
@torch.no_grad()
def test_it_equals_transformers(tmp_path, variant):
    theirs, ours = transformers_model(tmp_path, **variant), GPT.from_pretrained(tmp_path)
    ids = torch.randint(50, (2, 17))
    expected = theirs(ids, output_attentions=True, output_hidden_states=True)
    with record_attention(ours) as weights:
        states = ours.hidden_states(ids)
    assert_same(ours(ids), expected.logits, "logits")
    for actual, wanted in zip(states, expected.hidden_states, strict=True):
        assert_same(actual, wanted, "hidden state")
    for actual, wanted in zip(weights.values(), expected.attentions, strict=True):
        assert_same(actual, wanted, "attention")
    prompt = torch.tensor([PROMPT])
    written = theirs.generate(prompt, max_new_tokens=30, do_sample=False)[0, len(PROMPT) :].tolist()
    assert ours.generate(PROMPT, 30, temperature=0) == written


def test_the_loss_equals_transformers_in_value_and_gradient(tmp_path):
    theirs, ours = transformers_model(tmp_path), GPT.from_pretrained(tmp_path)
    ids = torch.randint(50, (2, 17))
    expected, loss = theirs(ids, labels=ids).loss, ours.loss(ids[:, :-1], ids[:, 1:])
    expected.backward()
    loss.backward()
    assert_same(loss, expected)
    assert_same(ours.embedding.weight.grad, theirs.transformer.wte.weight.grad, "gradient")


def test_what_it_saves_it_and_transformers_read(tmp_path):
    model, ids = gpt(), torch.randint(50, (2, 17))
    model.save(tmp_path)
    assert GPT.from_pretrained(tmp_path).config == TINY
    assert torch.equal(GPT.from_pretrained(tmp_path)(ids), model(ids))
    assert_same(GPT2LMHeadModel.from_pretrained(tmp_path).eval()(ids).logits, model(ids))
    model.save(tmp_path / "half", torch.float16)
    torch.testing.assert_close(GPT.from_pretrained(tmp_path / "half")(ids), model(ids), rtol=0.01, atol=0.05)


def test_the_hubs_file_names_its_weights_without_a_prefix_and_holds_masks(tmp_path, monkeypatch):
    model = gpt()
    model.save(tmp_path)
    file = tmp_path / "model.safetensors"
    weights = {name.removeprefix("transformer."): tensor for name, tensor in load_file(file).items()}
    save_file(weights | {"h.0.attn.bias": torch.ones(1, 1, 40, 40)}, file)
    monkeypatch.setattr("transformers.utils.cached_file", lambda name, file: str(tmp_path / file))
    ids = torch.tensor([PROMPT])
    assert torch.equal(GPT.from_pretrained("somebody/a-gpt2")(ids), model(ids))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_type": "gpt_neo"}, "model_type = gpt2 .* got 'gpt_neo'"),
        ({"add_cross_attention": True}, "add_cross_attention = False"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings = True"),
        ({"activation_function": "silu"}, "'gelu_new', .* got 'silu'"),
    ],
)
def test_a_variant_that_is_not_supported_is_refused(tmp_path, change, said):
    gpt().save(tmp_path)
    file = tmp_path / "config.json"
    settings = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(settings | change), encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        GPT.from_pretrained(tmp_path)


def test_a_checkpoint_that_is_not_there_is_said(tmp_path):
    gpt().save(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"no model\.safetensors"):
        GPT.from_pretrained(tmp_path)
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        GPT.from_pretrained(tmp_path / "nowhere")


# -- what it sees and learns --


def test_it_does_not_look_ahead():
    model, ids = gpt(), torch.randint(50, (1, 9))
    changed = ids.clone()
    changed[0, 5] = (ids[0, 5] + 1) % 50
    before, after = model(ids), model(changed)
    assert_same(before[:, :5], after[:, :5])
    assert (before[:, 5:] != after[:, 5:]).any(dim=-1).all()


def test_ignored_targets_do_not_count():
    model, ids = gpt(), torch.randint(50, (1, 9))
    targets = ids.roll(-1)
    targets[0, 4:] = IGNORED
    assert_same(model.loss(ids, targets), model.loss(ids[:, :4], targets[:, :4]))


def test_it_learns_a_sequence_by_heart():
    model = GPT(GPTConfig(10, 16, 2, 1, max_length=12, dropout=0.0)).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    digits = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]])
    for _ in range(150):
        optimizer.zero_grad()
        model.loss(digits[:, :-1], digits[:, 1:]).backward()
        optimizer.step()
    assert model.generate([3], 10, temperature=0) == digits[0, 1:].tolist()


# -- writing --


@pytest.mark.parametrize("setting", [{"temperature": 0}, {"seed": 1}, {"seed": 1, "top_k": 9, "top_p": 0.8}])
def test_the_cache_changes_nothing_also_beyond_the_longest_context(setting):
    model = gpt()
    cached, plain = (model.generate(PROMPT, 60, cache=cache, **setting) for cache in (True, False))
    assert cached == plain and len(cached) == 60 and len(set(cached)) > 3


def test_steps_give_the_logits_of_forward_and_drop_nothing_out():
    model, ids = gpt(), torch.randint(50, (2, 12))
    expected = model(ids)
    model.train()
    caches = model.caches()
    assert_same(model.step(ids[:, :7], caches), expected[:, 6].detach())
    assert_same(model.step(ids[:, 7:9], caches), expected[:, 8].detach())
    assert_same(model.step(ids[:, 9:10], caches), expected[:, 9].detach())
    assert model.training


@pytest.mark.parametrize("activation", ["gelu_tanh", "gelu", "relu"])
def test_a_reader_gives_the_logits_of_forward(activation):
    model = GPT(replace(TINY, activation=activation, d_ff=48)).eval()
    ids = torch.randint(50, (12,))
    expected, reader = model(ids[None])[0].detach(), Reader(model.train(), 12)
    assert_same(reader(ids[:7].tolist()), expected[6], "prompt")
    for i in range(7, 12):
        assert_same(reader([int(ids[i])]), expected[i], "token")
    assert len(reader) == 12


def test_what_is_written_while_hooks_change_the_model_is_changed():
    model = gpt()
    with intervene([block.self_attention for block in model.blocks], 1.0, [(0, 0), (1, 2)]):
        cached, plain = (model.generate(PROMPT, 20, seed=0, cache=cache) for cache in (True, False))
    assert cached == plain != model.generate(PROMPT, 20, seed=0)


def test_the_same_seed_gives_the_same_text_as_a_stream_too():
    model = gpt()
    one = model.generate(PROMPT, 20, seed=7)
    assert list(model.stream(PROMPT, 20, seed=7)) == one != model.generate(PROMPT, 20, seed=8)


def test_a_stream_gives_each_token_when_it_is_written():
    model, calls = gpt(), []
    model.norm.register_forward_hook(lambda *_: calls.append(1))
    next(model.stream(PROMPT, 20))
    assert len(calls) == 1


def test_a_stop_token_is_the_last():
    model = gpt()
    text = model.generate(PROMPT, 20, seed=7)
    stop = text[8]
    assert model.generate(PROMPT, 20, seed=7, stop=[stop]) == text[: text.index(stop) + 1]


@pytest.mark.parametrize(
    ("prompt", "settings", "error", "said"),
    [
        ([], {}, ValueError, "the prompt is empty"),
        ([1] * 41, {}, ValueError, "the prompt has 41 tokens, and this model sees at most 40"),
        ([50], {}, ValueError, "between 0 and 49; got 50"),
        ([-1], {}, ValueError, "between 0 and 49; got -1"),
        ("text", {}, TypeError, "sequence of token ids; got str"),
        (5, {}, TypeError, "sequence of token ids; got int"),
        ([1], {"max_new_tokens": 0}, ValueError, "max_new_tokens must be 1 or more; got 0"),
        ([1], {"temperature": -1}, ValueError, "temperature"),
        ([1], {"top_k": 0}, ValueError, "top-k"),
        ([1], {"top_p": 2.0}, ValueError, "top-p"),
    ],
)
def test_bad_requests_are_refused_before_anything_is_written(prompt, settings, error, said):
    with pytest.raises(error, match=said):
        gpt().stream(prompt, **settings)
