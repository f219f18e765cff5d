"""BertViz's views carry their scripts: the page needs nothing from elsewhere, and tokens stay text."""

import html
import inspect
import re

import bertviz
import pytest
import torch
from IPython.display import HTML

from course.widgets.bertviz import SCRIPTS, head_view, model_view

TOKENS = ["the", "</script><b>", "我", "<!--<script>"]


def attention(layers: int = 2, heads: int = 3, n: int = 4) -> list[torch.Tensor]:
    return [torch.softmax(torch.randn(1, heads, n, n), -1) for _ in range(layers)]


def inner_page(shown: HTML) -> str:
    return html.unescape(re.search(r'srcdoc="([^"]*)"', shown.data)[1])


@pytest.mark.parametrize("view", [head_view, model_view])
def test_a_view_is_one_page_with_its_scripts(view):
    page = inner_page(view(attention(), TOKENS, html_action="return"))
    assert not re.search(r"<(script|link|img)[^>]*(src|href)=", page)
    assert all(
        (SCRIPTS / name).read_text(encoding="utf-8") in page for name in ("d3.min.js", "jquery.min.js")
    )
    assert page.count("</script>") == 4 and "<!--" not in page


@pytest.mark.parametrize("name", ["head_view", "model_view"])
def test_a_view_is_called_as_in_bertviz(name):
    ours, theirs = ({"head_view": head_view, "model_view": model_view}[name], getattr(bertviz, name))
    assert inspect.signature(ours) == inspect.signature(theirs)
    assert ours.__doc__ == theirs.__doc__


def test_bertviz_own_errors_come_through_and_an_unknown_action_is_named():
    with pytest.raises(ValueError, match="4 positions, while number of tokens is 2"):
        head_view(attention(), ["a", "b"], html_action="return")
    with pytest.raises(ValueError, match="html_action='print'"):
        head_view(attention(), TOKENS, html_action="print")


def test_viewing_displays_and_gives_nothing_back(monkeypatch):
    seen = []
    monkeypatch.setattr("course.widgets.bertviz.display", seen.append)
    assert head_view(attention(), TOKENS) is None
    assert isinstance(seen[0], HTML)


@pytest.mark.parametrize("name", ["d3", "jquery"])
def test_the_scripts_keep_their_licences(name):
    assert "Copyright" in (SCRIPTS / f"{name}-LICENSE.txt").read_text(encoding="utf-8")
