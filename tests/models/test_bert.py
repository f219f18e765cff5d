"""BERT and its heads equal transformers', from files that either wrote: outputs, losses, gradients."""

import dataclasses
import json

import pytest
import torch
import transformers
from equality import TOLERANCE
from safetensors.torch import load_file, save_file
from transformers import BertConfig as TheirConfig

from course import checkpoints
from course.heads import record_attention
from course.masking import IGNORED
from course.masks import causal_mask, combine, padding_mask
from course.models import bert_heads
from course.models.bert import Bert, BertConfig
from course.models.bert_files import config_from_transformers
from course.models.bert_heads import (
    BertForMaskedLM,
    BertForPreTraining,
    BertForSequenceClassification,
    CausalBert,
)

SIZES = {
    "vocab_size": 60,
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 40,
    "max_position_embeddings": 16,
}
VARIANTS = {
    "plain": {},
    "relu": {"hidden_act": "relu"},
    "coarse norm": {"layer_norm_eps": 1e-2},
    "three segments": {"type_vocab_size": 3},
    "another padding": {"pad_token_id": 7},
    "no padding": {"pad_token_id": None},
}
HEADS = [
    "BertForPreTraining",
    "BertForMaskedLM",
    "BertForNextSentencePrediction",
    "BertForSequenceClassification",
    "BertForTokenClassification",
    "BertForQuestionAnswering",
]
every_variant = pytest.mark.parametrize("variant", VARIANTS)
every_head = pytest.mark.parametrize("head", HEADS)
LENGTHS, N = [11, 6, 1], 11


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def assert_close(ours, theirs) -> None:
    tolerance = TOLERANCE[torch.float32]
    torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)


def stored(folder, name: str = "BertModel", **changes):
    """A model of transformers with random weights, none of them 0 or 1, in a folder."""
    config = TheirConfig(**SIZES | changes, attn_implementation="eager")
    model = getattr(transformers, name)(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    model.save_pretrained(folder)
    return model


def inputs(pad: int | None = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids with padding behind them, segments, and where the padding is not."""
    ids = torch.randint(8, 60, (len(LENGTHS), N))
    real = padding_mask(LENGTHS, N).squeeze(1)
    segments = (torch.arange(N) > 4).long().expand_as(ids).contiguous()
    return ids.where(real, pad or 0), segments, real


def logits_of(output) -> tuple[torch.Tensor, ...]:
    """What is in an output of transformers beside the loss, hidden states and attentions."""
    return tuple(value for name, value in output.items() if "logits" in name)


# -- equal to transformers --


@every_variant
def test_hidden_states_and_attentions_are_transformers(tmp_path, variant):
    theirs = stored(tmp_path, **VARIANTS[variant])
    ours = Bert.from_pretrained(tmp_path)
    ids, segments, real = inputs(ours.config.pad_id)
    wanted = theirs(ids, real.long(), segments, output_hidden_states=True, output_attentions=True)
    with record_attention(ours) as attentions:
        x = ours(ids, segments, mask=real.unsqueeze(1))
    assert_close(x, wanted.last_hidden_state)
    assert_close(ours.pool(x), wanted.pooler_output)
    assert_close(tuple(attentions.values()), wanted.attentions)
    assert_close(tuple(ours.hidden_states(ids, segments, mask=real.unsqueeze(1))), wanted.hidden_states)


@every_head
@pytest.mark.parametrize("variant", ["plain", "relu", "coarse norm"])
def test_logits_are_transformers(tmp_path, head, variant):
    theirs = stored(tmp_path, head, **VARIANTS[variant])
    ours = getattr(bert_heads, head).from_pretrained(tmp_path)
    ids, segments, real = inputs(ours.config.pad_id)
    got = ours(ids, segments, mask=real.unsqueeze(1))
    got = got if isinstance(got, tuple) else (got,)
    assert_close(got, logits_of(theirs(ids, real.long(), segments)))


LABELS = {
    "BertForPreTraining": ("labels", "next_sentence_label"),
    "BertForQuestionAnswering": ("start_positions", "end_positions"),
}


def labels_for(head: str, ids: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Two classes a text; or tokens of which a third is asked for; or both; or two places."""
    few = torch.randint(2, ids.shape).where(torch.rand(ids.shape) < 0.3, -100)
    tokens = ids.where(torch.rand(ids.shape) < 0.3, -100)
    text = torch.randint(2, ids.shape[:1])
    return {
        "BertForPreTraining": (tokens, text),
        "BertForMaskedLM": (tokens,),
        "BertForTokenClassification": (few,),
        "BertForQuestionAnswering": (text, text + 3),
    }.get(head, (text,))


@every_head
def test_losses_and_gradients_are_transformers(tmp_path, head):
    theirs = stored(tmp_path, head)
    ours = getattr(bert_heads, head).from_pretrained(tmp_path)
    ids, segments, real = inputs()
    labels = labels_for(head, ids)
    wanted = theirs(
        input_ids=ids,
        attention_mask=real.long(),
        token_type_ids=segments,
        **dict(zip(LABELS.get(head, ("labels",)), labels, strict=True)),
    ).loss
    loss = ours.loss(ids, *labels, segments=segments)
    assert_close(loss, wanted)
    loss.backward(), wanted.backward()
    assert_close(ours.bert.tokens.weight.grad, theirs.bert.embeddings.word_embeddings.weight.grad)
    block, layer = ours.bert.layers[0], theirs.bert.encoder.layer[0]
    assert_close(block.self_attention.q_proj.weight.grad, layer.attention.self.query.weight.grad)
    assert_close(block.norm2.weight.grad, layer.output.LayerNorm.weight.grad)


def test_segments_left_out_are_all_the_first(tmp_path):
    theirs, ours = stored(tmp_path), Bert.from_pretrained(tmp_path)
    ids, _, real = inputs()
    assert_close(ours(ids), theirs(ids, real.long()).last_hidden_state)


@pytest.mark.parametrize("rates", [(0.4, 0.0), (0.0, 0.4), (0.2, 0.3)])
def test_the_same_seed_drops_the_same_as_in_transformers(tmp_path, rates):
    names = ("hidden_dropout_prob", "attention_probs_dropout_prob")
    theirs = stored(tmp_path, **dict(zip(names, rates, strict=True))).train()
    ours = Bert.from_pretrained(tmp_path).train()
    ids, segments, real = inputs()
    torch.manual_seed(1)
    wanted = theirs(ids, real.long(), segments).last_hidden_state
    torch.manual_seed(1)
    with record_attention(ours):  # the fused kernel draws in an order of its own
        assert_close(ours(ids, segments), wanted)
    assert not torch.allclose(wanted, theirs(ids, real.long(), segments).last_hidden_state)


@pytest.mark.parametrize("labels", [1, 5])
@pytest.mark.parametrize("head", ["BertForSequenceClassification", "BertForTokenClassification"])
def test_there_are_as_many_labels_as_the_checkpoint_has(tmp_path, head, labels):
    theirs = stored(tmp_path, head, num_labels=labels)
    ids, segments, real = inputs()
    logits = getattr(bert_heads, head).from_pretrained(tmp_path)(ids, segments)
    assert logits.shape[-1] == labels
    assert_close(logits, theirs(ids, real.long(), segments).logits)


# -- masks and attention --


def test_padding_changes_nothing_and_is_hidden_unless_a_mask_says_otherwise():
    model = Bert(BertConfig(60, 24, 4, 40, 3, 16)).eval()
    ids, segments, real = inputs()
    torch.testing.assert_close(
        model(ids, segments), model(ids, segments, mask=real.unsqueeze(1)), rtol=0, atol=0
    )
    for row, length in enumerate(LENGTHS):
        alone = model(ids[row : row + 1, :length], segments[row : row + 1, :length])
        assert_close(model(ids, segments)[row : row + 1, :length], alone)


def test_every_position_sees_both_sides_and_with_a_causal_mask_only_one():
    model = Bert(BertConfig(60, 24, 4, 40, 3, 16)).eval()
    ids = torch.randint(1, 59, (1, N))
    changed = ids.clone()
    changed[0, 5] += 1
    moved = (model(ids) != model(changed)).any(dim=-1)[0]
    assert moved.all()
    mask = causal_mask(N)
    moved = (model(ids, mask=mask) != model(changed, mask=mask)).any(dim=-1)[0]
    assert moved.tolist() == [place >= 5 for place in range(N)]


@pytest.mark.parametrize("causal", [False, True])
def test_attend_shows_what_record_attention_records(causal):
    model = Bert(BertConfig(60, 24, 4, 40, 3, 16)).eval()
    ids = torch.tensor([2, 30, 31, 3, 0, 0])
    mask = combine(causal_mask(6), (ids != 0)[None, None]) if causal else None
    with record_attention(model) as weights:
        model(ids[None], mask=mask)
    shown = model.attend(ids, [str(id) for id in ids.tolist()], mask=mask)
    assert_close(shown.weights, torch.cat(list(weights.values())))
    assert shown.query.shape == shown.key.shape == (3, 4, 6, 6)
    assert (shown.weights[..., 4:] == 0).all() and not shown.mask[..., 4:].any()
    assert model.attend(ids[:4], list("abcd")).mask is None


def test_the_causal_twin_sees_no_later_token_and_tells_of_the_pair_at_the_last():
    model = CausalBert(BertConfig(60, 24, 4, 40, 3, 16)).eval()
    ids, segments, _ = inputs()
    tokens, pair = model(ids, segments)
    changed = ids.clone()
    changed[:, 5] = 59
    assert torch.equal(model(changed, segments)[0][:, :5], tokens[:, :5])
    for row, seen in enumerate(ids):
        n = int((seen != 0).sum())
        alone = model(seen[None, :n], segments[row : row + 1, :n])
        assert_close(alone, (tokens[row : row + 1, :n], pair[row : row + 1]))
        x = model.bert(seen[None, :n], segments[row : row + 1, :n], causal_mask(n))
        assert_close(model.next_head(torch.tanh(model.bert.pooler(x[:, -1]))), alone[1])


def test_the_twin_has_the_same_parameters_and_the_same_files(tmp_path):
    model = CausalBert(BertConfig(60, 24, 4, 40, 3, 16))
    model.save(tmp_path, torch.float16)
    assert load_file(tmp_path / "model.safetensors")["cls.predictions.bias"].dtype == torch.float16
    twin = BertForPreTraining.from_pretrained(tmp_path).state_dict()
    for name, parameter in model.state_dict().items():
        torch.testing.assert_close(twin[name], parameter.half().float(), rtol=0, atol=0)


def test_an_input_that_is_no_pair_counts_for_its_tokens_alone():
    model = BertForPreTraining(BertConfig(60, 24, 4, 40, 3, 16)).eval()
    ids, segments, _ = inputs()
    nothing = torch.full((len(ids),), IGNORED)
    of_tokens = model.loss(ids, ids, nothing, segments)
    assert_close(of_tokens, model.lm_head.loss(model.bert(ids, segments), model.bert.tokens.weight, ids))
    one = nothing.clone()
    one[1] = 1
    expected = of_tokens - model(ids, segments)[1][1].log_softmax(-1)[1]
    assert_close(model.loss(ids, ids, one, segments), expected)


# -- files --


@pytest.mark.parametrize("head", ["Bert", *HEADS])
def test_transformers_reads_what_we_save(tmp_path, head):
    config = BertConfig(60, 24, 4, 40, 3, 16, activation="relu", eps=1e-3, pad_id=7, n_labels=3)
    ours = getattr(bert_heads, head)(config).eval()
    ours.save(tmp_path)
    name = "BertModel" if head == "Bert" else head
    theirs, report = getattr(transformers, name).from_pretrained(tmp_path, output_loading_info=True)
    assert not any(report.values()), report
    ids, segments, real = inputs(7)
    wanted = theirs(ids, real.long(), segments)
    got = ours(ids, segments)
    got = got if isinstance(got, tuple) else (got,)
    assert_close(got, (wanted.last_hidden_state,) if head == "Bert" else logits_of(wanted))


@pytest.mark.parametrize("head", ["Bert", *HEADS])
def test_saving_and_loading_change_nothing(tmp_path, head):
    kind = getattr(bert_heads, head)
    model = kind(BertConfig(60, 24, 4, 40, 3, 16, attention_dropout=0.2, head_dropout=0.3, n_labels=3))
    model.save(tmp_path)
    loaded = kind.from_pretrained(tmp_path)
    assert loaded.config == model.config and not loaded.training
    torch.testing.assert_close(loaded.state_dict(), model.state_dict(), rtol=0, atol=0)


def test_an_old_checkpoint_with_gamma_and_beta_loads(tmp_path):
    """As google-bert/bert-base-uncased is stored: pre-training heads, old names, tied weights, a buffer."""
    theirs = stored(tmp_path, "BertForPreTraining")
    weights = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): x
        for name, x in load_file(tmp_path / "model.safetensors").items()
    }
    weights["cls.predictions.decoder.weight"] = weights["bert.embeddings.word_embeddings.weight"].clone()
    weights["bert.embeddings.position_ids"] = torch.arange(16)[None]
    save_file(weights, tmp_path / "model.safetensors")
    ids, segments, real = inputs()
    wanted = theirs(ids, real.long(), segments)
    assert_close(BertForPreTraining.from_pretrained(tmp_path)(ids, segments), logits_of(wanted))
    assert_close(BertForMaskedLM.from_pretrained(tmp_path)(ids, segments), wanted.prediction_logits)


def test_the_hub_is_asked_for_a_model_with_an_owner(tmp_path, monkeypatch):
    theirs, asked = stored(tmp_path), []

    def cached_file(name, file):
        asked.append((name, file))
        return str(tmp_path / file)

    monkeypatch.setattr("transformers.utils.cached_file", cached_file)
    ids, segments, real = inputs()
    ours = Bert.from_pretrained("google-bert/bert-base-uncased")
    assert_close(ours(ids, segments), theirs(ids, real.long(), segments).last_hidden_state)
    assert asked == [("google-bert/bert-base-uncased", file) for file in ("config.json", "model.safetensors")]


def test_a_new_head_is_started_only_when_asked_for(tmp_path):
    stored(tmp_path, "BertForMaskedLM")
    with pytest.raises(ValueError, match=r"lacks bert.pooler.weight.*label_head.bias.*new_head=True"):
        BertForSequenceClassification.from_pretrained(tmp_path)
    model = BertForSequenceClassification.from_pretrained(tmp_path, new_head=True, n_labels=4)
    body = Bert.from_pretrained(tmp_path, new_head=True)
    assert torch.equal(model.bert.layers[2].norm2.weight, body.layers[2].norm2.weight)
    assert model.label_head.weight.shape == (4, 24) and model.label_head.weight.std() < 0.03


def test_a_head_of_another_size_is_refused(tmp_path):
    stored(tmp_path, "BertForSequenceClassification")
    with pytest.raises(ValueError, match=r"label_head.weight of shape \[2, 24\].*asks for \[3, 24\]"):
        BertForSequenceClassification.from_pretrained(tmp_path, n_labels=3)


def test_a_checkpoint_without_part_of_its_encoder_is_refused(tmp_path):
    stored(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["encoder.layer.1.output.dense.bias"]
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=r"lacks layers.1.feed_forward.linear2.bias$"):
        Bert.from_pretrained(tmp_path, new_head=True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model_type": "roberta"}, "model_type = 'bert'.*got 'roberta'"),
        ({"is_decoder": True}, "is_decoder = False.*got True"),
        ({"add_cross_attention": True}, "add_cross_attention"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings = True.*got False"),
        ({"position_embedding_type": "relative_key"}, "'absolute'.*got 'relative_key'"),
        ({"pruned_heads": {"0": [1]}}, r"pruned_heads = \{\}.*got \{'0': \[1\]\}"),
        ({"hidden_act": "gelu_new"}, "'gelu' or 'relu'; got 'gelu_new'"),
        ({"num_attention_heads": 5}, "d_model = 24, n_heads = 5"),
    ],
)
def test_what_is_not_supported_is_refused(tmp_path, changes, said):
    stored(tmp_path)
    settings = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(json.dumps(settings | changes), encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        Bert.from_pretrained(tmp_path)


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="no checkpoint 'no-such-bert'"):
        Bert.from_pretrained("no-such-bert")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    with pytest.raises(FileNotFoundError, match=r"has no model.safetensors"):
        checkpoints.find_file(tmp_path, "model.safetensors")


def test_defaults_are_bert_base():
    assert BertConfig(**config_from_transformers(TheirConfig().to_dict())) == BertConfig()
    assert dataclasses.asdict(BertConfig())["vocab_size"] == 30522


def test_impossible_inputs_are_refused():
    model = Bert(BertConfig(60, 24, 4, 40, 1, 16))
    with pytest.raises(ValueError, match=r"16 positions \(max_length\); got 17 tokens"):
        model(torch.ones(1, 17, dtype=torch.long))
    with pytest.raises(ValueError, match=r"\[1, 5\] ids and \[1, 4\] segments"):
        model(torch.ones(1, 5, dtype=torch.long), torch.ones(1, 4, dtype=torch.long))
