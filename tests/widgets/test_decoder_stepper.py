"""The decoder stepper: its steps are the model's own, along the greedy path and along any other."""

import pytest
import torch
from tiny_translator import NASTY, TOKENIZER, tiny_translator

from course.text.tokenizers import BOS, EOS
from course.widgets import step_decoder
from course.widgets.decoder_stepper import decoder_steps

TEXT, LENGTH = "Le chat dort.", 12


@pytest.fixture(scope="module")
def model():
    return tiny_translator()


@pytest.fixture
def stepper(model):
    return step_decoder(model, TEXT, max_length=LENGTH)


def ids(stepper) -> list[int]:
    return [token["id"] for token in stepper.path]


def log_p_of_next(model, written: list[int]) -> torch.Tensor:
    source = model.source_ids(TEXT)[None]
    return model(source, torch.tensor([[BOS, *written]]))[0, -1].log_softmax(-1)


def test_untouched_it_writes_the_greedy_translation(model, stepper):
    greedy = model.translate(TEXT, beam=1, alpha=0, max_length=LENGTH)
    assert ids(stepper) == greedy.ids and stepper.source == greedy.source_tokens
    stepper.at = len(stepper.path)
    assert stepper.written == greedy.tokens
    assert stepper.log_p == pytest.approx(greedy.score, abs=1e-4)


def test_at_every_step_it_looks_where_the_translator_looks(model, stepper):
    attention = model.translate(TEXT, beam=1, max_length=LENGTH).attention.weights
    for layer in range(3):
        for head in range(2):
            for at in range(LENGTH):
                stepper.layer, stepper.head, stepper.at = layer, head, at
                torch.testing.assert_close(stepper.looked_at(), attention[layer, head, at], atol=1e-3, rtol=0)
    stepper.head = None
    torch.testing.assert_close(stepper.looked_at(), attention[2, :, LENGTH - 1].mean(0), atol=1e-3, rtol=0)


def test_another_token_is_followed_by_what_the_model_thinks_likeliest(model, stepper):
    other = stepper.candidates[1][5]["id"]
    stepper.begun = [ids(stepper)[0], other]
    written = ids(stepper)
    assert written[1] == other and len(written) == LENGTH
    for at in range(LENGTH):
        log_p = log_p_of_next(model, written[:at])
        best = log_p.topk(8)
        assert [c["id"] for c in stepper.candidates[at]] == best.indices.tolist()
        assert [c["log_p"] for c in stepper.candidates[at]] == pytest.approx(best.values.tolist(), abs=1e-4)
        assert stepper.path[at]["log_p"] == pytest.approx(log_p[written[at]].item(), abs=1e-4)
        assert at == 1 or written[at] == best.indices[0]


def test_one_pass_gives_the_steps_of_the_writer(model):
    source, written = model.source_ids(TEXT), [9, 200, 31, 77]
    log_p, attention = decoder_steps(model, source, written)
    writer = model.writer(source[None], cache=False)
    for token, row in zip([BOS, *written[:-1]], log_p, strict=True):
        torch.testing.assert_close(row, writer(torch.tensor([token]), torch.tensor([0]))[0])
    assert attention.shape == (4, 3, 2, len(source))
    torch.testing.assert_close(attention.sum(-1), torch.ones(4, 3, 2))


def test_nothing_follows_the_end(stepper):
    stepper.begun = [9, EOS]
    stepper.at = 2
    assert ids(stepper) == [9, EOS] and stepper.written[-1] == "<eos>"
    assert stepper.describe().endswith("Nothing follows.")


@pytest.mark.parametrize("begun", [[9] * (LENGTH + 1), [EOS, 9], [10_000], [-1]])
def test_what_cannot_be_written_is_refused(stepper, begun):
    before = stepper.path
    with pytest.raises(ValueError, match="up to 12 ids"):
        stepper.begun = begun
    assert stepper.path == before


def test_another_sentence_starts_anew_and_an_unreadable_one_changes_nothing(stepper):
    stepper.begun = [9]
    stepper.at = 3
    stepper.text = "Le chat dort sur la chaise."
    assert "".join(stepper.source) == "Le chat dort sur la chaise.<eos>"
    assert (stepper.at, stepper.begun, stepper.problem) == (0, [], "")
    before = stepper.path
    stepper.text = "  "
    assert stepper.path == before and "nothing to translate" in stepper.problem


def test_it_steps_a_model_in_training_without_dropout_and_leaves_it_so(stepper):
    model = tiny_translator(dropout=0.5).train()
    assert ids(step_decoder(model, TEXT, max_length=LENGTH)) == ids(stepper) and model.training


def test_ids_are_read_without_a_tokenizer(model):
    model = tiny_translator()
    model.tokenizer = None
    stepper = step_decoder(model, TOKENIZER.encode(TEXT), k=1000, max_length=3)
    assert stepper.text is None and stepper.source[-1] == str(EOS)
    assert len(stepper.candidates[0]) == len(TOKENIZER)
    total = sum(torch.tensor(c["log_p"]).exp() for c in stepper.candidates[0])
    assert total.item() == pytest.approx(1, abs=1e-5)


def test_no_candidates_are_no_stepper(model):
    with pytest.raises(ValueError, match="k must be 1 or more; got 0"):
        step_decoder(model, TEXT, k=0)


def test_any_text_stays_text_in_the_bundle_and_in_the_page(model, tmp_path):
    stepper = step_decoder(model, NASTY + "猫🙂", max_length=3)
    data, metadata = stepper._repr_mimebundle_()
    assert data["text/plain"] == metadata["image/png"]["alt"] == stepper.describe()
    assert stepper.png() == stepper.png()
    page = stepper.to_html(tmp_path / "stepper.html").read_text(encoding="utf-8")
    assert page.count("</script>") == 2 and NASTY not in page
