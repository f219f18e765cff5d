"""Data for tests: the real files where this machine has them, and a web server of one's own."""

import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from course.data import DATASETS

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture
def real_data(monkeypatch):
    """``COURSE_DATA`` set to a folder that holds every file but large ones; skipped where there is none."""
    folder = Path(os.environ.get("COURSE_DATA", SHARED))
    needed = (folder / name / file for name, d in DATASETS.items() if not d.large for file in d.files)
    if not all(file.is_file() for file in needed):
        pytest.skip("the data sets are not on this machine (COURSE_DATA)")
    monkeypatch.setenv("COURSE_DATA", str(folder))


class Server(ThreadingHTTPServer):
    """Serves a folder; counts requests; breaks off after ``cut`` bytes where that is set."""

    def __init__(self, folder: Path):
        super().__init__(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
        self.folder, self.requests, self.cut = folder, 0, None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self):
        self.server.requests += 1
        super().do_GET()

    def copyfile(self, source, outputfile):
        outputfile.write(source.read(self.server.cut))

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A web server of this test alone, which the machine's proxy settings do not concern."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = tmp_path / "served"
    folder.mkdir()
    with Server(folder) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
