"""The attention explorer beside BertViz and beside ipywidgets' interact with matplotlib, in a real Chromium.

    python benchmarks/explorer.py [--samples 40]

Latency is from the input event to the end of the frame that painted the last change of the picture. A key is
pressed, the page is left alone until nothing has changed for a while, and the next key is pressed. BertViz is
given its scripts locally (course.widgets.bertviz): as released it would wait for a CDN.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bertviz
import nbformat
import numpy as np
import torch
from playwright.sync_api import Page, sync_playwright

from course.widgets import explore
from course.widgets.bertviz import page as page_of
from course.workbook import cli

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "browser"))
from conftest import FLAGS, Lab, LabServer, wait_for

LAYERS = HEADS = 12
HEADER = "| {} | median, ms | p95, ms |\n|---|---:|---:|"
CELLS = {
    "live": """from course.models.toy_attention import ToyAttention
from course.widgets import explore_model
explore_model(ToyAttention(), " ".join(["word"] * 31), view="{view}")""",
    "interact": """%matplotlib inline
import matplotlib.pyplot as plt, torch
from ipywidgets import interact
weights = torch.softmax(torch.randn(12, 12, 128, 128), -1)
@interact(layer=(0, 11), head=(0, 11))
def show(layer=0, head=0):
    plt.imshow(weights[layer, head])
    plt.show()""",
}
WATCH = """() => {
  let open = false, first = null, last = null;
  const frame = () => { open = true; setTimeout(() => { open = false; }); requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  const painted = () => setTimeout(() => { last = performance.now(); });
  const changed = () => { if (first !== null) open ? painted() : requestAnimationFrame(painted); };
  const notebook = document.querySelector(".jp-NotebookPanel:not(.lm-mod-hidden)");
  const root = notebook?.querySelector(".jp-Cell-outputArea") ?? document;
  const all = { subtree: true, childList: true, attributes: true, characterData: true };
  new MutationObserver(changed).observe(root, all);
  root.addEventListener("load", changed, true);
  for (const kind of ["keydown", "input", "change", "pointermove"])
    addEventListener(kind, event => { first ??= event.timeStamp; }, true);
  const quiet = ms => last !== null && performance.now() - last > ms;
  window.bench = { start() { first = last = null; }, quiet, read: () => last - first };
}"""
PAINTED = "() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))"


def tokens(n: int) -> list[str]:
    return [f"token{i}" for i in range(n)]


def attention(n: int) -> torch.Tensor:
    return torch.softmax(2 * torch.randn(LAYERS, HEADS, n, n), -1)


def latency(page: Page, act, samples: int, quiet: int = 150) -> tuple[float, float]:
    """Median and 95th percentile in ms of what ``act(i)`` changes, after two actions to warm up."""
    times = []
    for i in range(samples + 2):
        page.evaluate("bench.start()")
        act(i)
        page.wait_for_function(f"bench.quiet({quiet})", polling=20, timeout=60_000)
        times.append(page.evaluate("bench.read()"))
    return float(np.median(times[2:])), float(np.percentile(times[2:], 95))


def opened(browser, file: Path, drawn: str) -> tuple[Page, float]:
    """A page from disk, and the seconds until an element of it is drawn."""
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    page.set_default_timeout(600_000)
    start = time.perf_counter()
    page.goto(file.as_uri(), timeout=600_000)
    page.locator(drawn).first.wait_for(state="attached")
    page.evaluate(PAINTED)
    return page, time.perf_counter() - start


def measure_explorer(browser, folder: Path, n: int, samples: int) -> tuple[int, float]:
    """Print how fast a choice is painted; give the bytes sent and the seconds to build and open."""
    weights, start = attention(n), time.perf_counter()
    widget = explore(weights, tokens(n))
    file = widget.to_html(folder / f"explorer{n}.html")
    built = time.perf_counter() - start
    page, seconds = opened(browser, file, ".ex-stage canvas")
    page.evaluate(f"({WATCH})()")
    for view in ("Heat map", "Lines", "Text"):
        page.get_by_role("button", name=view).click()
        page.evaluate(PAINTED)
        page.locator(".ex-stage").focus()
        for what, key in (("head", "]"), ("layer", "}"), ("token", "ArrowDown")):
            median, p95 = latency(page, lambda _, key=key: page.keyboard.press(key), samples)
            print(f"| explorer, {n} tokens, {view.lower()}: {what} | {median:.0f} | {p95:.0f} |", flush=True)
    page.close()
    state = {name: value for name, value in widget.get_state().items() if name != "buffer"}
    return len(widget.buffer) + len(json.dumps(state, default=str)), built + seconds


def measure_bertviz(browser, folder: Path, n: int, samples: int) -> tuple[int, float]:
    weights, start = [layer[None] for layer in attention(n)], time.perf_counter()
    html = page_of(bertviz.head_view(weights, tokens(n), html_action="return").data)
    file = folder / "bertviz.html"
    file.write_text(html, encoding="utf-8")
    built = time.perf_counter() - start
    page, seconds = opened(browser, file, "#vis line")
    page.evaluate(f"({WATCH})()")
    layer = page.locator("#layer")

    def choose(i: int) -> None:
        layer.select_option(str((i + 1) % LAYERS))

    median, p95 = latency(page, choose, min(samples, 5), quiet=1500)
    print(f"| BertViz head_view, {n} tokens: layer | {median:.0f} | {p95:.0f} |", flush=True)
    page.close()
    return len(html.encode()), built + seconds


@contextmanager
def jupyter(folder: Path) -> Iterator[LabServer]:
    """JupyterLab as ``python -m course study`` starts it, over a folder."""
    (folder / "notebooks").mkdir()
    cli.ROOT = folder
    port, token = cli.free_port(8990), "a-token-for-benchmarks"
    command = cli.jupyter_command(folder / "notebooks" / "x.ipynb", port, browser=False)
    environment = os.environ | cli.jupyter_environment(token)
    log = folder / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/api/status?token={token}", process, log)
        yield LabServer(folder, port, token)
    finally:
        process.terminate()
        process.wait(20)


def open_notebook(browser, server: LabServer, name: str, source: str) -> Page:
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(book, server.root / f"{name}.ipynb")
    lab = Lab(browser, server, server.root / f"{name}.ipynb")
    lab.run_all()
    lab.page.wait_for_timeout(1000)
    lab.page.evaluate(f"({WATCH})()")
    return lab.page


def measure_live(browser, server: LabServer, view: str, samples: int) -> None:
    page = open_notebook(browser, server, f"live_{view}", CELLS["live"].format(view=view))
    sentence = page.get_by_label("Text", exact=True)
    sentence.click()
    page.keyboard.press("End")
    page.keyboard.type(" w")
    page.wait_for_timeout(1000)
    median, p95 = latency(page, lambda _: page.keyboard.press("x"), samples, quiet=400)
    print(f"| explorer, live, 32 tokens, {view}: a letter typed | {median:.0f} | {p95:.0f} |", flush=True)
    page.context.close()


def measure_interact(browser, server: LabServer, samples: int) -> None:
    page = open_notebook(browser, server, "interact", CELLS["interact"])
    page.get_by_role("slider").last.focus()
    keys = ["ArrowRight"] * 10 + ["ArrowLeft"] * 10
    median, p95 = latency(page, lambda i: page.keyboard.press(keys[i % 20]), samples, quiet=1000)
    print(f"| interact and matplotlib, 128 tokens: head | {median:.0f} | {p95:.0f} |", flush=True)
    page.context.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=40, help="inputs of each kind (default: 40)")
    samples = parser.parse_args().samples
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        print(f"Chromium {browser.version}, {os.cpu_count()} cores; {LAYERS} layers, {HEADS} heads\n")
        print(HEADER.format("from an input to its last paint"))
        sizes = {f"explorer, {n} tokens": measure_explorer(browser, folder, n, samples) for n in (128, 512)}
        with jupyter(folder) as server:
            for view in ("heatmap", "lines"):
                measure_live(browser, server, view, samples)
            measure_interact(browser, server, samples)
        sizes["BertViz head_view, 128 tokens"] = measure_bertviz(browser, folder, 128, samples)
        browser.close()
    print("\n| | bytes sent | built and first painted, s |\n|---|---:|---:|")
    for what, (size, seconds) in sizes.items():
        print(f"| {what} | {size:,} | {seconds:.1f} |")


if __name__ == "__main__":
    main()
