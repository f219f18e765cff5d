"""Skip-gram and CBOW: one update is gensim's, the gradients are autograd's, a text teaches company."""

import json
import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from course.text.vectors import WordVectors
from course.text.word2vec import (
    KINDS,
    PADDING,
    Noise,
    Settings,
    Text,
    cbow_gradient,
    cbow_step,
    keep_probability,
    negative_sampling_loss,
    noise_distribution,
    skipgram_pairs,
    skipgram_step,
    train,
)


def randn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_pairs_are_both_sides_and_inside_a_sentence():
    pairs = skipgram_pairs([[7, 8, 9], [4], [5, 5]], 1)
    assert pairs.tolist() == [[7, 8], [8, 7], [8, 9], [9, 8], [5, 5], [5, 5]]
    assert skipgram_pairs([], 2).shape == (0, 2)


def looked_up(x):
    """Gensim's sigmoid: 1,000 values from -6 to 6, looked up with 1000 // 6 // 2 in whole numbers."""
    at = ((x + 6) * (1000 // 6 // 2)).long()
    e = torch.exp((at.double() / 1000 * 2 - 1) * 6)
    return (e / (e + 1)).float()


@pytest.mark.parametrize(("sigmoid", "atol"), [(looked_up, 1e-7), (torch.sigmoid, 1e-3)])
def test_two_updates_are_gensims(sigmoid, atol):
    """To rounding with gensim's table of sigmoids; with the sigmoid itself, to what the table leaves out."""
    told = json.loads(Path(__file__).with_name("gensim_update.json").read_text(encoding="utf-8"))
    (inputs, outputs), after = (torch.tensor(told["before"])), torch.tensor(told["after"])
    moved = (after - torch.tensor(told["before"])).abs().max()
    for step in told["steps"]:
        centre, targets = torch.tensor([step["centre"]]), torch.tensor([step["targets"]])
        skipgram_step(inputs, outputs, centre, targets, told["lr"], sigmoid)
    torch.testing.assert_close(torch.stack([inputs, outputs]), after, rtol=0, atol=atol)
    assert moved > 40 * atol


@pytest.mark.parametrize("kind", ["skip-gram", "CBOW"])
def test_a_step_goes_down_the_gradient_of_the_loss(kind):
    inputs, outputs = randn(6, 5).double(), randn(6, 5, seed=1).double()
    contexts = torch.tensor([[1, 2, PADDING], [3, 3, 4]]) if kind == "CBOW" else torch.tensor([[1], [3]])
    targets = torch.tensor([[0, 5, 2], [1, 2, 2]])
    a, b = inputs.clone().requires_grad_(), outputs.clone().requires_grad_()
    here = (contexts != PADDING).double()
    mean = (a[contexts.clamp(min=0)] * here[..., None]).sum(1) / here.sum(1, keepdim=True)
    loss = negative_sampling_loss(mean, b[targets[:, 0]], b[targets[:, 1:]])
    (2 * loss).backward()  # a batch of two
    step = (skipgram_step, contexts[:, 0]) if kind == "skip-gram" else (cbow_step, contexts)
    told = step[0](inputs, outputs, step[1], targets, 0.1)
    assert told == pytest.approx(loss.item(), abs=1e-12)
    torch.testing.assert_close(inputs, a.detach() - 0.1 * a.grad)
    torch.testing.assert_close(outputs, b.detach() - 0.1 * b.grad)


def test_a_negative_that_is_the_true_word_is_skipped():
    with_it, without = (randn(2, 4, 3).unbind() for _ in range(2))
    skipgram_step(*with_it, torch.tensor([0]), torch.tensor([[1, 1, 2]]), 0.1)
    skipgram_step(*without, torch.tensor([0]), torch.tensor([[1, 2]]), 0.1)
    torch.testing.assert_close(with_it, without)


def test_word2vec_c_gives_each_context_word_the_whole_gradient():
    right, theirs = (randn(2, 6, 3).unbind() for _ in range(2))
    start = randn(2, 6, 3)[0]
    contexts, targets = torch.tensor([[1, 2, 4, PADDING]]), torch.tensor([[0, 5]])
    cbow_step(*right, contexts, targets, 0.1)
    cbow_step(*theirs, contexts, targets, 0.1, divide=False)
    torch.testing.assert_close(theirs[0] - start, 3 * (right[0] - start))
    torch.testing.assert_close(theirs[1], right[1])


def test_the_gradient_by_hand_is_autograds():
    contexts, centre, negatives = randn(4, 3, 5), randn(4, 5, seed=1), randn(4, 2, 5, seed=2)
    present = torch.tensor([[1, 1, 1], [1, 0, 1], [0, 0, 1], [0, 1, 0]], dtype=torch.bool)
    x = contexts.clone().requires_grad_()
    mean = (x * present[..., None]).sum(1) / present.sum(1, keepdim=True)
    (4 * negative_sampling_loss(mean, centre, negatives)).backward()
    torch.testing.assert_close(cbow_gradient(contexts, present, centre, negatives), x.grad)


def test_the_loss_is_finite_and_at_zero_it_is_ln_2_for_each():
    zero = torch.zeros(3, 4)
    assert negative_sampling_loss(zero, zero, torch.zeros(3, 5, 4)).item() == pytest.approx(6 * math.log(2))
    far = torch.full((1, 4), 30.0)
    assert torch.isfinite(negative_sampling_loss(far, -far, far[None]))


def test_noise_and_thinning_are_those_of_word2vec_c():
    counts = torch.tensor([1000, 10, 0])
    noise = noise_distribution(counts)
    assert noise.sum().item() == pytest.approx(1) and noise[2] == 0
    assert (noise[0] / noise[1]).item() == pytest.approx(100**0.75, rel=1e-5)
    drawn = torch.bincount(Noise(noise, torch.Generator().manual_seed(0))(100_000), minlength=3) / 1e5
    torch.testing.assert_close(drawn, noise, rtol=0, atol=0.005)
    f, t = 1000 / 1010, 1e-3
    assert keep_probability(counts, t)[0].item() == pytest.approx((math.sqrt(f / t) + 1) * t / f)
    assert keep_probability(counts, 0.5).tolist()[1:] == [1, 1]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_read_is_what_the_definition_says(kind):
    """With a window of 1 and nothing thinned out an epoch is every pair, or every place with a neighbour."""
    sentences = [[0, 1, 2], [3], [4, 1]]
    text = Text(sentences, 5)
    around, words = text.examples(kind, Settings(window=1, threshold=1e9), torch.Generator().manual_seed(0))
    if kind == "skip-gram":
        found = sorted(zip(words.tolist(), around.tolist(), strict=True))
        assert found == sorted(map(tuple, skipgram_pairs(sentences, 1).tolist()))
    else:
        found = {(w, tuple(row)) for w, row in zip(words.tolist(), around.tolist(), strict=True)}
        assert found == {(0, (-1, 1)), (1, (0, 2)), (2, (1, -1)), (4, (-1, 1)), (1, (4, -1))}


@pytest.mark.parametrize("kind", KINDS)
def test_words_in_the_same_company_come_near_and_the_loss_falls(kind):
    """Two groups that never meet: a word's nearest is of its own. (Gensim's CBOW once did nothing.)"""
    generator, losses = torch.Generator().manual_seed(0), []
    groups = [torch.randint(0, 6, (5,), generator=generator) + 6 * (i % 2) for i in range(400)]
    vectors = train([g.tolist() for g in groups], 12, kind, Settings(d=8, epochs=12, batch=32, threshold=1),
                    lambda step, steps, loss, v: losses.append(loss))  # fmt: skip
    words = WordVectors(list("abcdefghijkl"), vectors)
    near = [(w < "g") == (words.nearest(w, 1)[0].word < "g") for w in words.words]
    assert all(near) and losses[-1] < losses[0] - 0.5


def test_another_kind_is_refused():
    with pytest.raises(ValueError, match="skip-gram, CBOW"):
        train([[0, 1]], 2, "cbow")


def test_the_vectors_of_one_seed_are_the_same():
    one, two = (train([[0, 1, 2]] * 9, 3, settings=Settings(d=4, epochs=2)) for _ in range(2))
    assert torch.equal(one, two) and F.cosine_similarity(one[0], one[1], dim=0) != 0
