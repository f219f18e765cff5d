"""BertViz's views in a real browser, exported and in JupyterLab, with no request that leaves the machine."""

from pathlib import Path

import nbformat
import pytest
import torch
from bertviz.transformers_neuron_view import BertConfig, BertModel, BertTokenizer
from IPython.display import HTML
from playwright.sync_api import expect

from course.widgets.bertviz import head_view, model_view, neuron_view

pytestmark = pytest.mark.browser

TOKENS = ["the", "</script><b>", "我", "<!--<script>"]
CELL = """import torch
from course.widgets.bertviz import head_view, model_view
attention = [torch.softmax(torch.randn(1, 3, 2, 2), -1) for _ in range(2)]
head_view(attention, ["one", "two"])
model_view(attention, ["one", "two"])"""


@pytest.fixture
def opened(visit, tmp_path):
    """``opened(view)`` saves what a view returns as a page, opens it and gives the frame in it."""
    visits = []

    def open_view(view: HTML):
        file = tmp_path / "view.html"
        file.write_text(f'<!doctype html><meta charset="utf-8">{view.data}', encoding="utf-8")
        visits.append(visit(file))
        return visits[-1].page.frame_locator("iframe")

    yield open_view
    for each in visits:
        each.assert_quiet()


def attention() -> list[torch.Tensor]:
    return [torch.softmax(torch.randn(1, 3, 4, 4), -1) for _ in range(2)]


def test_the_head_view_draws_every_token_and_line_and_changes_its_layer(opened):
    frame = opened(head_view(attention(), TOKENS, html_action="return"))
    expect(frame.locator("#vis text")).to_have_text(TOKENS * 2)
    expect(frame.locator("#vis line")).to_have_count(3 * 4 * 4)
    frame.locator("#layer").select_option("1")
    expect(frame.locator("#vis line")).to_have_count(3 * 4 * 4)


def test_the_model_view_draws_every_head(opened):
    frame = opened(model_view(attention(), TOKENS, html_action="return"))
    expect(frame.locator("#vis text")).to_have_text(["Heads", "0", "1", "2", "Layers", "0", "1"])


def test_the_neuron_view_draws_the_tokens_of_both_sides(opened, tmp_path):
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat"]
    (tmp_path / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = BertConfig(len(words), **sizes, output_attentions=True)
    tokenizer = BertTokenizer(str(tmp_path / "vocab.txt"))
    frame = opened(neuron_view(BertModel(config), "bert", tokenizer, "the cat", html_action="return"))
    expect(frame.locator("#vis text:visible").filter(has_text="cat")).to_have_count(2)


def test_two_views_in_jupyterlab_without_a_network(lab, tmp_path: Path):
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(CELL)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(book, tmp_path / "bertviz.ipynb")
    view = lab(tmp_path / "bertviz.ipynb")
    view.run_all()
    frames = view.page.locator(".jp-OutputArea-output iframe")
    expect(frames).to_have_count(2)
    expect(frames.nth(0).content_frame.locator("#vis text")).to_have_text(["one", "two"] * 2)
    expect(frames.nth(1).content_frame.locator("#vis text").first).to_have_text("Heads")
    assert view.errors() == []
    view.assert_quiet()
