"""ELECTRA: what is replaced, what is asked, what is shared; its discriminator equals transformers'."""

import math

import pytest
import torch
from transformers import ElectraConfig, ElectraForPreTraining

from course.masking import IGNORED, mask_tokens
from course.models.bert import BertConfig
from course.models.bert_files import transformers_name
from course.models.electra import WEIGHT, Electra, replace_tokens, replaced_loss, sample_tokens

SIZES = BertConfig(40, 16, 4, 32, 2, max_length=16, dropout=0.0, attention_dropout=0.0)
MASK = 4


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def asked(rows: int = 6, n: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.randint(5, 40, (rows, n))
    ids[1, 8:] = 0
    return mask_tokens(ids, mask_id=MASK, vocab_size=40, special_mask=ids == 0, rate=0.3, split=(1, 0, 0))


def test_a_right_guess_is_no_replacement():
    inputs = torch.tensor([[7, MASK, MASK, 8]])
    labels = torch.tensor([[IGNORED, 5, 6, IGNORED]])
    read, replaced = replace_tokens(inputs, labels, torch.tensor([[1, 5, 9, 1]]))
    assert read.tolist() == [[7, 5, 9, 8]] and replaced.tolist() == [[False, False, True, False]]


def test_the_discriminator_reads_no_mask_and_the_original_elsewhere():
    inputs, labels = asked()
    guesses = torch.randint(5, 40, inputs.shape)
    read, replaced = replace_tokens(inputs, labels, guesses)
    original = labels.where(labels != IGNORED, inputs)
    assert not (read == MASK).any()
    assert torch.equal(replaced, read != original)
    assert torch.equal(read[labels == IGNORED], original[labels == IGNORED])


def test_guesses_are_drawn_as_likely_as_the_generator_says():
    logits = torch.tensor([1.0, 0.0, -1.0]).expand(4000, 5, 3)
    drawn = sample_tokens(logits, torch.Generator().manual_seed(0))
    shares = drawn.flatten().bincount(minlength=3) / drawn.numel()
    p = logits[0, 0].softmax(-1)
    assert drawn.shape == (4000, 5)
    assert ((shares - p).abs() < 4 * (p * (1 - p) / drawn.numel()).sqrt()).all()


def test_the_loss_is_the_mean_over_real_tokens():
    logits = torch.tensor([[0.0, 2.0, 99.0]])
    loss = replaced_loss(logits, torch.tensor([[True, False, True]]), torch.tensor([[True, True, False]]))
    assert loss.item() == pytest.approx((math.log(2) + math.log(1 + math.exp(2))) / 2)


def test_both_losses_begin_where_ignorance_is_and_are_weighted():
    model, (ids, labels) = Electra(SIZES), asked()
    torch.manual_seed(1)
    of_generator, of_discriminator, replaced = model.losses(ids, labels)
    torch.manual_seed(1)
    assert model.loss(ids, labels).item() == pytest.approx((of_generator + WEIGHT * of_discriminator).item())
    assert abs(of_discriminator.item() - math.log(2)) < 0.3 and of_generator.item() > 2
    assert replaced.any() and not replaced[labels == IGNORED].any()


def test_no_gradient_flows_from_the_discriminator_through_the_guesses():
    model, (ids, labels) = Electra(SIZES), asked()
    model.losses(ids, labels)[1].backward()
    assert all(p.grad is None for p in model.generator.parameters()) and model.narrow.weight.grad is None
    assert model.bert.tokens.weight.grad.abs().sum() > 0


def test_the_embeddings_are_one_table_for_both():
    model, (ids, labels) = Electra(SIZES), asked()
    tables = [name for name, p in model.named_parameters() if p.shape == (40, 16)]
    assert tables == ["bert.tokens.weight"]
    model.losses(ids, labels)[0].backward()
    assert model.bert.tokens.weight.grad.abs().sum() > 0
    assert model.bert.layers[0].norm1.weight.grad is None  # the generator is not the discriminator


def test_the_generator_is_a_quarter_as_wide():
    model = Electra(SIZES)
    assert model.generator.config.d_model == 4 and model.generate(asked()[0]).shape == (6, 12, 16)
    with pytest.raises(ValueError, match=r"generator_share = 0.3 of d_model = 10 is 3, which 2 heads"):
        Electra(BertConfig(40, 10, 5, 20, 1), generator_share=0.3)


def test_padding_is_neither_read_nor_asked_about():
    model, (ids, labels) = Electra(SIZES).eval(), asked()
    longer = torch.nn.functional.pad(ids, (0, 3))
    torch.testing.assert_close(model(longer)[:, :12][ids != 0], model(ids)[ids != 0])
    for x in (ids, longer):
        torch.manual_seed(2)
        wanted = torch.nn.functional.pad(labels, (0, x.shape[1] - 12), value=IGNORED)
        loss = model.losses(x, wanted)[1]
        assert loss.item() == pytest.approx(0.69, abs=0.3)


def test_the_discriminator_is_transformers():
    theirs = ElectraForPreTraining(
        ElectraConfig(
            vocab_size=40,
            embedding_size=16,
            hidden_size=16,
            num_attention_heads=4,
            intermediate_size=32,
            num_hidden_layers=2,
            max_position_embeddings=16,
        )
    ).eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    model, stored = Electra(SIZES).eval(), theirs.electra.state_dict()
    model.bert.load_state_dict({name: stored[transformers_name(name)] for name in model.bert.state_dict()})
    model.detect.load_state_dict(theirs.discriminator_predictions.dense.state_dict())
    model.detect_head.load_state_dict(theirs.discriminator_predictions.dense_prediction.state_dict())
    ids, _ = asked()
    expected = theirs(ids, attention_mask=(ids != 0).long()).logits
    torch.testing.assert_close(model(ids)[ids != 0], expected[ids != 0], rtol=1e-5, atol=1e-5)


def test_it_learns_to_tell_the_replaced():
    """A text in which each place has its own token; a generator that has learned nothing fills the gaps."""
    model = Electra(SIZES)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(100):
        ids = torch.arange(5, 17).expand(16, -1)
        inputs, labels = mask_tokens(
            ids, mask_id=MASK, vocab_size=40, special_mask=ids < 0, rate=0.15, split=(1, 0, 0)
        )
        optimizer.zero_grad()
        _, of_discriminator, replaced = model.losses(inputs, labels)
        of_discriminator.backward()
        optimizer.step()
        losses.append(of_discriminator.item())
    share = replaced.float().mean().item()
    guessing = -share * math.log(share) - (1 - share) * math.log(1 - share)
    assert sum(losses[-10:]) / 10 < guessing / 2
