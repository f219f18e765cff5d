"""What every widget has: one module, a still picture with words, an export that holds any text."""

import base64
import json
import re
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import pytest
import torch
from prompting import untrained

from course.widgets import (
    LeakDetector,
    MaskBuilder,
    PositionExplorer,
    PromptLab,
    Saturation,
    SoftDictionary,
    Walk,
)
from course.widgets.base import HERE, module

NASTY = "</script><script>document.title='broken'</script><!--<script>&amp;"
MODULES = sorted(
    file.stem for file in HERE.glob("*.js") if "export default" in file.read_text(encoding="utf-8")
)
WIDGETS = {
    "dictionary": lambda: SoftDictionary([[2, 0], [0, 1]], [1, 2], labels=[NASTY, "猫"]),
    "leak_detector": lambda: LeakDetector([NASTY, "猫"], torch.eye(2)),
    "mask_builder": lambda: MaskBuilder([NASTY, "猫"]),
    "position_explorer": lambda: PositionExplorer(8, 4),
    "prompt_lab": lambda: PromptLab(untrained()),
    "saturation": lambda: Saturation([1, 4], n_samples=8),
    "walk": lambda: Walk(torch.eye(2), torch.eye(2), torch.eye(2), torch.eye(2), tokens=[NASTY, "猫"]),
}


@pytest.fixture(params=WIDGETS)
def widget(request):
    return WIDGETS[request.param]()


class Scripts(HTMLParser):
    """The text of each script element, as a browser would cut them."""

    def __init__(self, page: str):
        super().__init__()
        self.texts: list[str] = []
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag == "script":
            self.texts.append("")
            self.inside = True

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "script"

    def handle_data(self, data):
        if self.inside:
            self.texts[-1] += data


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_joined_from_files_each_once(name, node, tmp_path):
    text = module(name)
    assert not re.search(r'^import .* from "\./', text, re.MULTILINE)
    assert text.count("export function onTheme") == 1
    joined = tmp_path / "joined.mjs"
    joined.write_text(text, encoding="utf-8")
    node("--check", str(joined))  # a file joined twice declares its names twice


def test_the_bundle_has_the_widget_a_picture_and_its_words(widget):
    data, metadata = widget._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG\r\n")
    assert data["text/plain"] == metadata["image/png"]["alt"] == widget.describe() != ""


def test_the_picture_is_the_same_each_time_and_unknown_to_pyplot(widget):
    assert widget.png() == widget.png()
    assert plt.get_fignums() == []


def test_an_exported_page_holds_any_text_and_names_no_other_place(widget, tmp_path):
    page = widget.to_html(tmp_path / "页.html").read_text(encoding="utf-8")
    payload, program = Scripts(page).texts
    assert json.loads(payload)["esm"] == widget._esm
    assert "model.get" not in program and "await render" in program
    assert NASTY not in page
    assert not re.search(r"https?://(?!www\.w3\.org/)", page)


@pytest.mark.parametrize("name", ["dictionary", "leak_detector", "mask_builder", "walk"])
def test_an_exported_page_gives_every_token_back(name, tmp_path):
    page = WIDGETS[name]().to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    state = json.loads(Scripts(page).texts[0])["state"]
    assert state.get("tokens", state.get("labels")) == [NASTY, "猫"]
