"""A real Chromium: for exported pages, and for JupyterLab started as ``python -m course study`` starts it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from eventually import eventually
from nbformat import NotebookNode

from course.workbook import bootstrap, cli
from course.workbook.reading import UnreadableNotebook, read_notebook

CANDIDATES = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]  # fmt: skip
HERE = {"127.0.0.1", "localhost", "::1"}
# anywidget gives up on a model that is not ready after 2 seconds, which a busy machine may well need.
PATIENT = "const limit = AbortSignal.timeout; AbortSignal.timeout = ms => limit.call(AbortSignal, 60 * ms);"
SCROLLER = ".jp-NotebookPanel:not(.lm-mod-hidden)"
FAILED = '[data-mime-type="application/vnd.jupyter.error"], .jupyter-widgets-error-widget'
WAITING = r"all => all.map(prompt => prompt.textContent).filter(text => !/^\[\d+\]:$/.test(text))"


@pytest.fixture(scope="session")
def has_chromium() -> bool:
    return bool(find_chromium())


def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, filter(None, CANDIDATES))), None)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Chromium's path; without one the test is skipped (a failure under COURSE_REQUIRE_BROWSER=1)."""
    if not find_chromium():
        pytest.skip("no Chromium on this machine: install it, or name it in CHROMIUM")
    return find_chromium()


@pytest.fixture(scope="session")
def browser(chromium):
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=60_000)  # milliseconds: a busy machine answers late
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


class Visit:
    """One page, with a record of what it asked the network for and of what it complained about."""

    def __init__(self, browser, **options):
        self.context = browser.new_context(viewport={"width": 1300, "height": 900}, **options)
        self.outside: list[str] = []
        self.complaints: list[str] = []
        self.context.add_init_script(PATIENT)
        self.page = self.context.new_page()
        self.page.set_default_timeout(180_000)
        self.page.on("request", lambda request: self._seen(request.url))
        self.page.on("websocket", lambda socket: self._seen(socket.url))
        self.page.on("console", lambda m: m.type == "error" and self.complaints.append(m.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _seen(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in HERE:
            self.outside.append(url)

    def drawn(self) -> None:
        """Wait until the widget of an exported page has drawn: it is there, and a frame has passed."""
        self.page.wait_for_function("document.getElementById('widget')?.childElementCount !== 0")
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def assert_quiet(self) -> None:
        """Nothing was asked of another machine, and nothing went wrong in the page."""
        assert not self.outside, f"requests that left the machine: {self.outside}"
        assert not self.complaints, f"errors in the page: {self.complaints}"


@pytest.fixture
def visit(browser):
    """``visit(file, color_scheme="light")`` opens an exported page; more than one may be open."""
    visits = []

    def open_file(path: Path, **options) -> Visit:
        visits.append(Visit(browser, **options))
        visits[-1].page.goto(path.resolve().as_uri())
        visits[-1].drawn()
        return visits[-1]

    yield open_file
    for each in visits:
        each.context.close()


@pytest.fixture
def show(request, visit, tmp_path):
    """``show("walk")`` exports the widget of that name in the module's ``MAKE`` and opens the page."""

    def open_widget(name: str, **options):
        return visit(request.module.MAKE[name]().to_html(tmp_path / f"{name}.html"), **options)

    return open_widget


# ---- JupyterLab --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory, quick_kernels):
    """JupyterLab as ``study`` starts it, over a folder of its own: a learner's notebooks stay as they are.

    One difference: its kernels are forks of a process that has imported torch.
    """
    root = tmp_path_factory.mktemp("lab")
    (root / "notebooks").mkdir()
    settings = root / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    # Else JupyterLab attaches only the cells in view, and a test sees only those.
    (settings / "tracker.jupyterlab-settings").write_text(
        json.dumps({"windowingMode": "none"}), encoding="utf-8"
    )
    token = "a-token-for-tests"
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    port = cli.free_port(8890 + 100 * worker)  # two workers that look at once would find the same
    with study_of(root):
        command = cli.jupyter_command(root / "notebooks" / "x.ipynb", port, browser=False)
    names = [f"JUPYTER_{kind}_DIR" for kind in ("CONFIG", "DATA", "RUNTIME")]
    folders = {name: str(root / name.lower()) for name in (*names, "JUPYTERLAB_WORKSPACES_DIR", "IPYTHONDIR")}
    environment = os.environ | folders | {"JUPYTERLAB_SETTINGS_DIR": str(root / "settings")}
    environment |= cli.jupyter_environment(token)
    environment.pop("PYTEST_VERSION", None)  # the checks are gentle for people, strict under pytest
    log = (root / "server.log").open("w")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/api/status?token={token}", process, root / "server.log")
        yield LabServer(root, port, token)
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def study_of(root: Path):
    """What the commands take for the course's folder, here only: other tests of this worker follow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "ROOT", root)
        yield


def wait_for(url: str, process: subprocess.Popen, log: Path, tries: int = 900) -> None:
    import time

    for _ in range(tries):
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            assert process.poll() is None, f"JupyterLab ended:\n{log.read_text()[-3000:]}"
            time.sleep(0.2)
    raise AssertionError(f"JupyterLab did not answer:\n{log.read_text()[-3000:]}")


class LabServer:
    def __init__(self, root: Path, port: int, token: str):
        self.root, self.port, self.token = root, port, token

    def address(self, notebook: Path) -> str:
        with study_of(self.root):
            return cli.address(notebook, self.port, self.token)

    def ask(self, what: str, method: str = "GET") -> list:
        """JupyterLab's own interface: "sessions", "kernels"."""
        url = f"http://127.0.0.1:{self.port}/api/{what}?token={self.token}"
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=60) as answer:
            return json.loads(answer.read() or "null")

    def sessions(self, notebook: str) -> list[dict]:
        return [session for session in self.ask("sessions") if session["name"] == notebook]


class Lab(Visit):
    """A notebook open in JupyterLab."""

    def __init__(self, browser, server: LabServer, notebook: Path, **options):
        super().__init__(browser, **options)
        self.server = server
        copy = server.root / "notebooks" / notebook.name
        shutil.copy(notebook, copy)
        self.file = copy
        self.page.goto(server.address(copy) + "&reset")  # not with the notebooks of earlier tests beside it
        self.page.locator(f"{SCROLLER} .jp-Cell").first.wait_for()
        self.wait_for_kernel(server, copy.name)

    def wait_for_kernel(self, server: LabServer, name: str) -> None:
        """Until the notebook's kernel is there and at rest: run earlier, JupyterLab asks which to use."""

        def states() -> list[str]:
            return [s["kernel"]["execution_state"] for s in server.sessions(name)[:1]]

        eventually(states, ["idle"], seconds=180)
        self.page.locator(f"{SCROLLER} .jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
        self.page.locator("#jp-main-statusbar").get_by_text("| Idle").first.wait_for()

    def menu(self, *path: str) -> None:
        self.page.locator(".lm-MenuBar-itemLabel").get_by_text(path[0], exact=True).click()
        for entry in path[1:]:
            self.page.locator(".lm-Menu-itemLabel").get_by_text(entry, exact=True).click()

    def run_all(self) -> None:
        with self.running(self.page.locator(f"{SCROLLER} .jp-CodeCell")):
            self.menu("Run", "Run All Cells")

    def save(self) -> NotebookNode:
        """Save as a learner does; what the file holds then."""
        before = self.file.stat().st_mtime_ns
        self.menu("File", "Save Notebook")
        eventually(lambda: self.file.stat().st_mtime_ns > before and self.is_whole())
        return nbformat.read(self.file, as_version=4)

    def is_whole(self) -> bool:
        """Whether the file can be read: the server empties it before it writes."""
        try:
            read_notebook(self.file)
        except UnreadableNotebook:
            return False
        return True

    def close(self) -> None:
        """Close the page and end the kernel, which holds some hundred megabytes."""
        self.context.close()
        for session in self.server.sessions(self.file.name):
            self.server.ask(f"sessions/{session['id']}", "DELETE")

    @contextmanager
    def running(self, cells) -> Iterator[None]:
        """What is asked for within runs these cells; on leaving, wait until all have run, or one has failed.

        A cell that is yet to start looks like one that has finished, so each prompt is first made to say
        "waits": JupyterLab writes [*] over it when it takes the cell on, and in the end its number.
        """
        prompts = cells.locator(".jp-InputPrompt")
        prompts.evaluate_all("all => all.forEach(prompt => { prompt.textContent = 'waits'; })")
        yield
        kernel = self.page.locator(f"{SCROLLER} .jp-Notebook-ExecutionIndicator")

        def left() -> tuple[list[str], str | None]:
            """The prompts of cells that have not run (none where one has failed), and the kernel's state."""
            waiting = [] if self.page.locator(FAILED).count() else prompts.evaluate_all(WAITING)
            return waiting, kernel.get_attribute("data-status")

        # Asked seldom, and for nothing that the page would have to lay out: the kernel needs the processor.
        eventually(left, ([], "idle"), seconds=600, every=0.4)

    def cell(self, text: str):
        """The first code cell whose source holds a text."""
        return self.page.locator(
            f"{SCROLLER} .jp-CodeCell", has=self.page.locator(".jp-InputArea", has_text=text)
        ).first

    def write(self, cell, source: str) -> None:
        """Replace a cell's source by typing, as a learner would."""
        cell.locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.press("Delete")
        self.page.keyboard.insert_text(source)

    def run(self, cell) -> None:
        cell.locator(".cm-content").click()
        with self.running(cell):
            self.page.keyboard.press("ControlOrMeta+Enter")

    def errors(self) -> list[str]:
        """Tracebacks, and widgets that could not be shown."""
        texts = self.page.locator(".jp-OutputArea-output").all_inner_texts()
        return self.page.locator(FAILED).all_inner_texts() + [
            t for t in texts if t.startswith(("Error displaying", "Loading widget"))
        ]


@pytest.fixture(scope="session")
def open_lab(browser, lab_server):
    """``with open_lab(notebook) as view`` opens a copy of a notebook in JupyterLab."""

    @contextmanager
    def open_notebook(notebook: Path, **options) -> Iterator[Lab]:
        view = Lab(browser, lab_server, notebook, **options)
        try:
            yield view
        finally:
            view.close()

    return open_notebook


@pytest.fixture
def lab(open_lab):
    """``lab(notebook)`` opens a copy of a notebook in JupyterLab."""
    with ExitStack() as labs:
        yield lambda notebook, **options: labs.enter_context(open_lab(notebook, **options))
