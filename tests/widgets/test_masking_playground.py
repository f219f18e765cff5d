"""The masking playground: the browser rolls as Python does, and with the frequencies of course.masking."""

import math

import numpy as np
import pytest
import torch

from course.masking import IGNORED, mask_tokens
from course.text.wordpiece import WordPiece
from course.widgets import MaskingPlayground
from course.widgets.masking_playground import FATES, _chance, interval

TEXT = "the cat sat on the mat </script> and the dog sat on the cat"
TOKENIZER = WordPiece.train([TEXT] * 3, 60)
SETTINGS = [(0.15, (0.8, 0.1, 0.1)), (1.0, (0.2, 0.5, 0.3)), (0.5, (1.0, 0.0, 0.0)), (0.4, (0.0, 0.0, 1.0))]


def playground(**settings) -> MaskingPlayground:
    return MaskingPlayground(TOKENIZER, TEXT, **settings)


# -- the browser's chance is Python's --


def test_random_numbers_are_the_browsers(call):
    seeds = [0, 1, 12345, 2**31]
    expected = _chance(np.array(seeds), 20).reshape(len(seeds), 60)
    seen = call("masking_playground", "chance", [[seed, i] for seed in seeds for i in range(60)])
    assert expected.ravel().tolist() == seen


@pytest.mark.parametrize(("rate", "split"), SETTINGS)
def test_the_browser_rolls_and_counts_as_python(call, rate, split):
    widget = playground(rate=rate, split=split)
    seen = call("masking_playground", "roll", [[widget.special, seed, rate, split] for seed in range(30)])
    assert seen == [widget.fates(seed) for seed in range(30)]
    widget.seed = 29
    (counts,) = call("masking_playground", "tally", [[widget.special, 0, 29, rate, split]])
    (seen,) = call("masking_playground", "shares", [[counts, rate, split]])
    for ours, theirs in zip(widget.shares(), seen, strict=True):
        assert (ours.name, ours.k, ours.n) == (theirs["name"], theirs["k"], theirs["n"])
        assert [ours.low, ours.high] == pytest.approx(theirs["interval"], abs=1e-12)


@pytest.mark.parametrize(("rate", "split"), SETTINGS)
def test_counts_are_those_of_theory_and_of_mask_tokens(rate, split):
    """Within five standard deviations of what Binomial(n, p) has on average."""
    widget = playground(rate=rate, split=split)
    widget.seed = 4_999
    for share in widget.shares():
        spread = math.sqrt(share.n * share.expected * (1 - share.expected))
        assert abs(share.k - share.n * share.expected) <= 5 * spread
    ids = torch.tensor(TOKENIZER.encode(TEXT).ids).expand(5_000, -1)
    special = torch.tensor(widget.special).expand_as(ids)
    _, labels = mask_tokens(
        ids,
        mask_id=TOKENIZER.mask_id,
        vocab_size=len(TOKENIZER),
        special_mask=special,
        rate=rate,
        split=split,
        generator=torch.Generator().manual_seed(0),
    )
    chosen, n = widget.shares()[0].k, widget.shares()[0].n
    spread = math.sqrt(2 * n * rate * (1 - rate))  # that of a difference of two counts
    assert abs(chosen - int((labels != IGNORED).sum())) <= 5 * spread


def test_what_the_model_reads_is_what_the_fates_say():
    widget = playground(rate=1.0, split=(0.4, 0.4, 0.2))
    for seed in range(20):
        widget.seed = seed
        for token, read, fate in zip(widget.tokens, widget.inputs(), widget.fates(), strict=True):
            assert (read == "[MASK]") == (fate == "masked")
            assert fate in ("masked", "replaced") or read == token
    assert {fate for seed in range(20) for fate in widget.fates(seed)} == {*FATES} - {"left"}


def test_no_special_token_is_drawn():
    assert set(playground().candidates) == set(TOKENIZER.pieces(range(5, len(TOKENIZER))))


def test_wilsons_interval_is_that_of_the_paper():
    """The roots of (p - k/n)² = z² p (1 - p) / n, of which it is the closed form."""
    for k, n in [(1, 7), (3, 3), (0, 4), (40, 250)]:
        low, high = interval(k, n)
        for p in (low, high):
            if 0 < p < 1:
                assert (p - k / n) ** 2 == pytest.approx(1.96**2 * p * (1 - p) / n, rel=1e-9)
        assert low <= k / n <= high


# -- settings and texts --


def test_another_text_is_cut_and_counted_anew():
    widget = playground()
    widget.seed = 10
    widget.source = "the dog"
    assert widget.tokens == ["[CLS]", "the", "dog", "[SEP]"] and widget.special == [True, False, False, True]
    assert widget.first == widget.seed == 10


def test_a_text_without_tokens_keeps_the_last_and_says_why():
    widget = playground()
    widget.source = "  "
    assert "at least one word" in widget.problem and len(widget.tokens) > 10
    widget.source = "the"
    assert widget.problem == ""
    with pytest.raises(ValueError, match="at least one word"):
        MaskingPlayground(TOKENIZER, "")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"rate": 0.0}, "0 < rate <= 1; got 0.0"),
        ({"split": (0.8, 0.1, 0.2)}, "sum to 1"),
        ({"split": (1.5, -0.5, 0.0)}, "each >= 0"),
    ],
)
def test_settings_out_of_range_are_refused(setting, said):
    with pytest.raises(ValueError, match=said):
        playground(**setting)


# -- what stays when there is no browser --


def test_it_is_described_and_drawn_as_it_is_set():
    widget = playground(rate=1.0, split=(1.0, 0.0, 0.0))
    assert "Masking at 100%" in widget.describe() and widget.describe().count("[MASK] ") > 10
    assert "theory 100.0%" in widget.describe()
    above, below = widget.still().axes
    assert sum(text.get_text() == "[MASK]" for text in above.texts) == widget.fates().count("masked")
    dots = [line.get_xdata()[0] for line in below.lines if line.get_marker() == "o"]
    assert dots == pytest.approx([share.k / share.n for share in widget.shares()])


def test_markup_in_a_token_stays_text(tmp_path):
    page = playground().to_html(tmp_path / "playground.html").read_text(encoding="utf-8")
    assert page.count("</script>") == 2


def test_a_model_fills_what_the_roll_asks_for_and_another_roll_has_no_guesses():
    class Parrot:
        """Says of every token the one that it reads."""

        def logits(self, ids):
            return torch.nn.functional.one_hot(torch.tensor(ids), len(TOKENIZER)).float()

    widget = playground(rate=0.6, split=(0.0, 0.5, 0.5))
    assert not widget.fills
    widget = MaskingPlayground(TOKENIZER, TEXT, rate=0.6, split=(0.0, 0.5, 0.5), model=Parrot())
    widget.fill()
    for guess, read, fate in zip(widget.guesses, widget.inputs(), widget.fates(), strict=True):
        assert guess == (read if fate in FATES[2:] else "")
    widget.seed = 1
    assert widget.fills and widget.guesses == []
