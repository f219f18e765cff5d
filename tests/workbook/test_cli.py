"""The commands: what is asked, which notebook is meant, and a JupyterLab that keeps to this machine."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from course.workbook import cli
from course.workbook.bootstrap import ROOT


@pytest.fixture
def notebooks(tmp_path, monkeypatch) -> Path:
    """A project of two numbered notebooks, one of which has an exercise."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name, source in (("00_start_here", "1 + 1"), ("03_self_attention", '@exercise("3.1")'), ("mine", "")):
        cells = [
            {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None}
        ]
        notebook = {"cells": cells if source else [], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    monkeypatch.setattr(cli, "ROOT", tmp_path)
    monkeypatch.setattr(cli, "NOTEBOOKS", folder)
    return folder


@pytest.fixture
def become(monkeypatch) -> list[list[str]]:
    """The commands that would have replaced this process, which keeps its environment and folder."""
    commands = []
    monkeypatch.setattr(cli, "become", commands.append)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.chdir(Path.cwd())
    return commands


def run(*arguments: str) -> int | None:
    command = cli.parse(list(arguments))
    return command.run(command)


# -- what was asked --


@pytest.mark.parametrize("arguments", [[], ["--help"], ["study", "--help"], ["test", "--help"]])
def test_help_is_given_and_is_no_mistake(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.parse(arguments)
    assert stop.value.code == 0
    assert "usage: python -m course" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["dance"], ["study", "--port", "high"], ["check", "--json"]])
def test_mistakes_end_with_code_2(arguments):
    with pytest.raises(SystemExit) as stop:
        cli.parse(arguments)
    assert stop.value.code == 2


def test_everything_after_test_is_pytests(become):
    run("test", "-k", "causal and not slow", "tests/test_masks.py", "-n0", "--help")
    [command] = become
    assert command[:3] == [sys.executable, "-m", "pytest"]
    ours = ["-p", "no:nbval", "-n2", "--dist=loadgroup", "--no-loadscope-reorder"]
    assert command[3:] == [*ours, "-k", "causal and not slow", "tests/test_masks.py", "-n0", "--help"]
    assert Path.cwd() == ROOT


def test_the_fast_tests_are_those_without_notebooks_and_browser(become):
    run("test", "tests/test_masks.py", "--fast", "-x")
    [command] = become
    assert command[-4:] == ["-m", "not slow and not browser", "tests/test_masks.py", "-x"]


# -- which notebook --


@pytest.mark.parametrize("name", ["3", "03", "notebooks/03_self_attention.ipynb"])
def test_a_notebook_is_known_by_number_and_path(notebooks, monkeypatch, name):
    monkeypatch.chdir(notebooks.parent)
    assert cli.find_notebook(name) == notebooks / "03_self_attention.ipynb"


@pytest.mark.parametrize("name", ["7", "003", "", "03_self", "notebooks", "²"])
def test_an_unknown_notebook_lists_those_that_exist(notebooks, capsys, name):
    with pytest.raises(SystemExit) as stop:
        cli.find_notebook(name)
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert said == f"There is no notebook {name}. These exist:\n  00  start here\n  03  self attention\n"


# -- check and build: handed on --


@pytest.fixture
def checked(monkeypatch) -> list:
    from course.workbook import grading as command

    calls = []
    monkeypatch.setattr(command, "run_checks", lambda paths, json_file: calls.append((paths, json_file)) or 3)
    return calls


def test_check_hands_on_what_was_named(notebooks, checked, tmp_path):
    assert run("check", "0", "--json", str(tmp_path / "x.json")) == 3
    assert checked == [([notebooks / "00_start_here.ipynb"], tmp_path / "x.json")]


def test_check_alone_takes_every_notebook_with_exercises(notebooks, checked):
    run("check")
    assert checked == [([notebooks / "03_self_attention.ipynb"], None)]


def test_build_hands_on_what_was_named(monkeypatch):
    from course.workbook import build

    calls = []
    monkeypatch.setattr(build, "main", lambda names, solved: calls.append((names, solved)) or 0)
    assert run("build", "3", "4", "--solved") == 0 and run("build") == 0
    assert calls == [(["3", "4"], True), ([], False)]


# -- study --


def test_study_opens_the_first_notebook(notebooks, become, capsys):
    run("study", "--port", "18888")
    [command] = become
    assert "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb" in command
    assert "--no-browser" not in command
    token = os.environ["JUPYTER_TOKEN"]
    assert len(token) >= 32 and token not in " ".join(command)
    assert (
        f"http://127.0.0.1:18888/lab/tree/notebooks/00_start_here.ipynb?token={token}"
        in capsys.readouterr().out
    )


def test_study_takes_the_next_free_port(notebooks, become, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run("study", "3", "--no-browser", "--port", str(port))
    [command] = become
    [chosen] = [int(option.partition("=")[2]) for option in command if option.startswith("--ServerApp.port=")]
    assert chosen > port and "--no-browser" in command
    assert f"Port {port} is taken: using {chosen}." in capsys.readouterr().out


def test_study_opens_nothing_outside_the_project(notebooks, become, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "x.ipynb"
    elsewhere.touch()
    with pytest.raises(SystemExit, match="is not in"):
        run("study", str(elsewhere))
    assert not become


class Jupyter:
    """JupyterLab as ``study`` starts it, for a user who has asked for news and updates."""

    def __init__(self, folder: Path, notebook: Path):
        self.port, self.token = cli.free_port(18900), "a-token"
        settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "true"}', encoding="utf-8")
        mine = {
            name: str(folder / name)
            for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
        }
        mine |= {"JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "IPYTHONDIR": str(folder / "ipython")}
        self.process = subprocess.Popen(
            cli.jupyter_command(notebook, self.port, browser=False),
            env=os.environ | mine | cli.jupyter_environment(self.token),
            stderr=subprocess.PIPE,
            text=True,
        )

    def get(self, page: str, token: str | None = None) -> tuple[int, str]:
        headers = {"Authorization": f"token {token}"} if token else {}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{page}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, ""

    def wait(self) -> None:
        for _ in range(600):
            assert self.process.poll() is None, self.process.stderr.read()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError("JupyterLab did not start within a minute")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_jupyterlab_keeps_to_this_machine_and_stops_at_one_ctrl_c(notebooks, tmp_path):
    jupyter = Jupyter(tmp_path, notebooks / "00_start_here.ipynb")
    try:
        jupyter.wait()
        page = cli.address(notebooks / "00_start_here.ipynb", jupyter.port, jupyter.token)
        assert urllib.request.urlopen(page, timeout=10).status == 200
        assert jupyter.get("/api/contents")[0] == 403
        status, listing = jupyter.get("/api/contents", jupyter.token)
        assert status == 200 and "notebooks" in {entry["name"] for entry in json.loads(listing)["content"]}
        # asked for by this user, and still nothing leaves the machine
        assert jupyter.get("/lab/api/news", jupyter.token) == (200, '{"news": []}')
        assert jupyter.get("/lab/api/update", jupyter.token) == (200, '{"notification": null}')
        jupyter.process.send_signal(signal.SIGINT)
        assert jupyter.process.wait(timeout=30) == 0
    finally:
        jupyter.process.kill()
        jupyter.process.wait()
    assert not [line for line in jupyter.process.stderr if "Traceback" in line or " E " in line]


def test_a_user_without_wishes_is_asked_nothing(tmp_path):
    """JupyterLab 4 opens with "Would you like to get notified about news?"; ours does not."""
    script = (
        "from jupyterlab_server.settings_utils import _get_overrides as g;"
        f"import json; print(json.dumps(g({str(tmp_path)!r})[0]))"
    )
    found = subprocess.check_output(
        [sys.executable, "-c", script], env=os.environ | cli.jupyter_environment("t"), text=True
    )
    wanted = {"fetchNews": "false", "checkForUpdates": False}
    assert json.loads(found)["@jupyterlab/apputils-extension:notification"] == wanted


def test_no_free_port_is_said(monkeypatch):
    monkeypatch.setattr(cli.socket.socket, "bind", lambda *_: (_ for _ in ()).throw(OSError()))
    with pytest.raises(SystemExit, match="No port from 65500 on is free"):
        cli.free_port(65500)
