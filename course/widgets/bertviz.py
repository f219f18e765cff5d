"""BertViz's three views, called as in BertViz and working without a network.

BertViz's own output asks a CDN for require.js, jQuery and d3, and stays blank where there is none. Here each
view is a page in a frame of its own that carries jQuery 2.2.4 and d3 5.7.0 (licences beside them in
``bertviz_js``). ``neuron_view`` is what BertViz calls ``neuron_view.show``. Attention and tokens may be
whatever :func:`course.widgets.explore` takes: a whole output, arrays, the steps of ``generate``.

A view holds every weight as text, 44 bytes each: for long texts take :func:`course.widgets.explore`.
"""

from __future__ import annotations

import html
import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import bertviz
import bertviz.neuron_view
from IPython.display import HTML, display

from course.models.attention_outputs import find_weights
from course.models.attention_tokens import as_words

SCRIPTS = Path(__file__).parent / "bertviz_js"
OPEN, CLOSE = '<script type="text/javascript">', "</script>"


def page(view: str) -> str:
    """A view as BertViz returns it, made into a page that needs nothing from elsewhere."""
    markup, *scripts = view.split(OPEN)
    markup = markup.partition(CLOSE)[2]  # what it begins with asks the CDN for require.js
    libraries = [(SCRIPTS / name).read_text(encoding="utf-8") for name in ("jquery.min.js", "d3.min.js")]
    stay = [_inside_script(script.rstrip().removesuffix(CLOSE)) for script in scripts]
    return _PAGE.format(
        libraries="".join(f"<script>{library}</script>\n" for library in libraries),
        view=markup + "".join(f"<script>{script}</script>\n" for script in stay),
    )


def _inside_script(script: str) -> str:
    """The same JavaScript, in which no token can end the script element or open a comment."""
    return script.replace("</", "<\\/").replace("<!--", "<\\!--")


def _given(view: Callable[..., HTML], args: tuple, options: dict) -> dict[str, Any]:
    """What a view was called with, attention and tokens from anywhere in the form that BertViz takes."""
    given = dict(inspect.signature(view).bind_partial(*args, **options).arguments)
    for name, value in given.items():
        if name in ("attention", "encoder_attention", "decoder_attention", "cross_attention"):
            given[name] = [layer[None].float() for layer in find_weights(value).weights]
        elif name in ("tokens", "encoder_tokens", "decoder_tokens") and value is not None:
            given[name] = as_words(value, name).of(None, name)[0]
    return given


def _offline(view: Callable[..., HTML], name: str) -> Callable[..., HTML | None]:
    @wraps(view)
    def offline(*args: Any, html_action: str = "view", **options: Any) -> HTML | None:
        if html_action not in ("view", "return"):
            raise ValueError(f"html_action={html_action!r}: 'view' shows the view, 'return' gives its HTML")
        given = _given(view, args, options)
        made = page(view(**given, html_action="return").data)
        frame = HTML(
            f'<div><iframe title="{name}" srcdoc="{html.escape(made)}" style="{_STYLE}"></iframe></div>'
        )
        return frame if html_action == "return" else display(frame)

    offline.__name__ = offline.__qualname__ = name
    return offline


_STYLE = "width: 100%; height: 30em; border: 0"
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>BertViz</title>
<style>body {{ margin: 0; background: #fff; color: #000; }}</style>
{libraries}<script>
var require = {{ config() {{}} }}, requirejs = (names, run) => run(jQuery, d3);
const fit = () => {{ frameElement.style.height = document.body.scrollHeight + 16 + "px"; }};
if (frameElement) addEventListener("load", () => new ResizeObserver(fit).observe(document.body));
</script>
{view}</html>
"""

head_view = _offline(bertviz.head_view, "head_view")
model_view = _offline(bertviz.model_view, "model_view")
neuron_view = _offline(bertviz.neuron_view.show, "neuron_view")
