"""The ground every widget stands on: one ES module, one stylesheet, a still picture, one-file export."""

from __future__ import annotations

import base64
import html
import io
import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget

from course.text.readable import sound

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HERE = Path(__file__).parent
_IMPORT = re.compile(r'^import\s+(?:[^"\']*?)\s+from\s+["\']\./(\w+)\.js["\'];?\n', re.MULTILINE | re.DOTALL)


def module(name: str) -> str:
    """The text of ``name.js`` with each ``import … from "./other.js"`` replaced by that file.

    JupyterLab loads a widget's module from memory, where a relative import leads nowhere; joining
    the files as text keeps them apart on disk (and testable with node) without a bundler.
    """
    parts: dict[str, str] = {}

    def join(name: str) -> None:
        text = (HERE / f"{name}.js").read_text(encoding="utf-8")
        for needed in _IMPORT.findall(text):
            join(needed)
        parts.setdefault(name, _IMPORT.sub("", text))  # once, though several import it

    join(name)
    return "\n".join(parts.values())


def stylesheet(*names: str) -> str:
    return "\n".join((HERE / f"{name}.css").read_text(encoding="utf-8") for name in names)


class CourseWidget(anywidget.AnyWidget):
    """A widget with a still picture (``still``), a text alternative (``describe``) and a one-file export.

    Subclasses set ``_esm = module("name")`` and ``_css = stylesheet("common", "name")``.
    """

    def still(self) -> Figure:
        """The widget's present state as a matplotlib figure (not registered with pyplot)."""
        raise NotImplementedError

    def describe(self) -> str:
        """The picture in words, for screen readers and for plain terminals."""
        raise NotImplementedError

    def png(self) -> bytes:
        from course.figures import inked
        from course.fonts import dressed

        buffer = io.BytesIO()
        inked(dressed(self.still())).savefig(
            buffer, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None}
        )
        return buffer.getvalue()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict]:
        data, metadata = super()._repr_mimebundle_(**kwargs)
        data["text/plain"] = words = sound(self.describe())
        data["image/png"] = base64.b64encode(self.png()).decode("ascii")
        return data, metadata | {"image/png": {"alt": words}}

    def to_html(self, path: str | Path) -> Path:
        """Write one self-contained file that shows this widget, live, without a kernel or a network."""
        path = Path(path)
        path.write_text(self._page(), encoding="utf-8")
        return path

    def _page(self) -> str:
        state, buffers = {}, {}
        for name, value in self.get_state(drop_defaults=False).items():
            if isinstance(value, (bytes, memoryview, bytearray)):
                buffers[name] = base64.b64encode(bytes(value)).decode("ascii")
            elif not name.startswith("_") and name not in ("layout", "tabbable", "tooltip", "comm"):
                state[name] = value
        content = {"state": without_nan(state), "buffers": buffers, "esm": self._esm}
        payload = sound(json.dumps(content, ensure_ascii=False, allow_nan=False))
        title = html.escape(type(self).__name__)
        # No "<" at all: "</script>" would end the element, and "<!--<script" would keep it from ending.
        return _PAGE.format(title=title, css=self._css, payload=payload.replace("<", "\\u003c"))


def without_nan(value: Any) -> Any:
    """The same with None for every NaN or infinity: JSON knows neither, and a page with one stays blank."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: without_nan(entry) for name, entry in value.items()}
    return [without_nan(entry) for entry in value] if isinstance(value, (list, tuple)) else value


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>{title}</title>
<style>body {{ margin: 1rem; font-family: system-ui, sans-serif; }}
{css}</style>
<main id="widget"></main>
<script type="application/json" id="payload">{payload}</script>
<script type="module">
// A stand-in for the kernel's model: the same get, set, on and off, with nobody at the other end.
const {{ state, buffers, esm }} = JSON.parse(document.getElementById("payload").textContent);
const bytes = text => {{
  const raw = atob(text), array = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) array[i] = raw.charCodeAt(i);  // Uint8Array.from is ten times slower
  return new DataView(array.buffer);
}};
for (const [name, text] of Object.entries(buffers)) state[name] = bytes(text);
const listeners = {{}};
const model = {{
  get: name => state[name],
  set: (name, value) => {{ state[name] = value; for (const f of listeners["change:" + name] ?? []) f(); }},
  save_changes() {{}}, send() {{}},
  on: (event, f) => {{ (listeners[event] ??= []).push(f); }},
  off: (event, f) => {{ listeners[event] = (listeners[event] ?? []).filter(g => f && g !== f); }},
}};
const url = URL.createObjectURL(new Blob([esm], {{ type: "text/javascript" }}));
const {{ default: widget }} = await import(url);
const {{ render }} = typeof widget === "function" ? await widget() : widget;
await render({{ model, el: document.getElementById("widget"), experimental: {{}} }});
</script></html>
"""
