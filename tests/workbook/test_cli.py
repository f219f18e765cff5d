"""The commands: what is asked, which notebook is meant, and a JupyterLab that keeps to this machine."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from course.workbook import bootstrap, cli, copies
from course.workbook.bootstrap import ROOT
from course.workbook.ownership import digest


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
    (folder / "source").mkdir()
    for name in ("00_start_here", "03_self_attention"):
        (folder / "source" / f"{name}.md").touch()
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "NOTEBOOKS", folder)
    monkeypatch.delenv(copies.PLACE, raising=False)
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


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["dance"], "invalid choice: 'dance'"),
        (["study", "--port", "high"], "a port is a number from 1 to 65535, not 'high'"),
        (["study", "--port", "99999999"], "a port is a number from 1 to 65535, not '99999999'"),
        (["study", "--port", "-5"], "a port is a number from 1 to 65535, not '-5'"),
        (["study", "--port", "0"], "a port is a number from 1 to 65535, not '0'"),
        (["study", "99"], "There is no notebook 99. These exist:"),
        (["study", "--folder", "pyproject.toml"], "pyproject.toml is a file, not a folder"),
        (["check", "--json"], "expected one argument"),
        (["check", "99"], "There is no notebook 99. These exist:"),
        (["check", "--json", "no/such/folder/x.json"], "cannot be written: there is no folder"),
        (["check", "--csv", "."], "cannot be written: it is a folder"),
        (["build", "99"], "no source for notebook 99; there are 00, 03"),
        (["build", "x"], "no source for notebook x; there are 00, 03"),
        (["train", "everything"], "invalid choice: 'everything'"),
        (["train", "translator", "--folder", "pyproject.toml"], "is a file, not a folder"),
        (["update", "3"], "unrecognized arguments: 3"),
    ],
)
def test_mistakes_end_with_code_2_before_anything_is_done(notebooks, monkeypatch, capsys, arguments, says):
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit) as stop:
        cli.parse(arguments)
    assert stop.value.code == 2
    assert says in capsys.readouterr().err
    assert not copies.my_folder().exists()


def test_everything_after_test_is_pytests(become):
    run("test", "-k", "causal and not slow", "tests/test_masks.py", "-n0", "--help")
    [command] = become
    assert command[:3] == [sys.executable, "-m", "pytest"]
    ours = ["-p", "no:nbval", "-n2", "--dist=loadscope", "--no-loadscope-reorder"]
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


def test_a_number_means_the_learners_copy_a_path_what_it_says(notebooks, monkeypatch):
    monkeypatch.chdir(notebooks.parent)
    copies.make(copies.my_folder())
    assert cli.find_notebook("3") == notebooks.parent / "my" / "03_self_attention.ipynb"
    assert cli.find_notebook("notebooks/03_self_attention.ipynb").parent == notebooks


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


def test_check_takes_the_learners_copies_and_says_which_of_several(notebooks, checked, capsys):
    copies.make(copies.my_folder())
    mine = copies.my_folder() / "03_self_attention.ipynb"
    shutil.copy(mine, mine.with_name("03_self_attention (1).ipynb"))
    run("check", "3")
    assert checked[-1] == ([mine], None)
    assert "not 03_self_attention (1).ipynb (name its path to have that one)" in capsys.readouterr().err
    run("check", str(mine.with_name("03_self_attention (1).ipynb")))
    assert checked[-1][0][0].name == "03_self_attention (1).ipynb" and not capsys.readouterr().err
    run("check")
    assert checked[-1] == ([mine], None)


def test_check_takes_what_cannot_be_read_too(notebooks, checked):
    (notebooks / "00_start_here.ipynb").write_bytes(b"")
    run("check")
    assert [path.name for path in checked[-1][0]] == ["00_start_here.ipynb", "03_self_attention.ipynb"]


def test_check_hands_on_a_folder(notebooks, monkeypatch):
    from course.workbook import hand_ins

    calls = []
    monkeypatch.setattr(hand_ins, "check_folders", lambda *given: calls.append(given) or 3)
    assert run("check", str(notebooks), "--csv", str(notebooks / "t.csv")) == 3
    assert calls == [([notebooks], notebooks / "t.csv", None)]


def test_build_hands_on_what_was_named(monkeypatch):
    from course.workbook import build

    calls = []
    monkeypatch.setattr(build, "main", lambda *given: calls.append(given) or 0)
    assert run("build", "3", "4", "--solved") == run("build") == run("build", "00", "--force") == 0
    assert calls == [(["03", "04"], True, False), ([], False, False), (["00"], False, True)]


# -- study --


def test_study_opens_the_first_notebook(notebooks, become, capsys):
    run("study", "--port", "18888")
    [command] = become
    assert "--LabApp.default_url=/lab/tree/my/00_start_here.ipynb" in command
    assert "--no-browser" not in command
    token = os.environ["JUPYTER_TOKEN"]
    assert len(token) >= 32 and token not in " ".join(command)
    said = capsys.readouterr().out
    assert f"http://127.0.0.1:18888/lab/tree/my/00_start_here.ipynb?token={token}" in said
    my = notebooks.parent / "my"
    assert f"You work in {my}: 2 copies made there." in said and str(my / "00_start_here.ipynb") in said
    assert sorted(path.name for path in my.iterdir()) == ["00_start_here.ipynb", "03_self_attention.ipynb"]


@pytest.mark.parametrize("how", ["--folder", "COURSE_MY"])
def test_study_works_in_another_folder(notebooks, become, tmp_path_factory, monkeypatch, how):
    place = tmp_path_factory.mktemp("elsewhere") / "我的 notes"
    if how == "COURSE_MY":
        monkeypatch.setenv("COURSE_MY", str(place))
        run("study", "3")
    else:
        run("study", "3", "--folder", str(place))
    [command] = become
    assert f"--ServerApp.root_dir={place}" in command
    assert "--LabApp.default_url=/lab/tree/03_self_attention.ipynb" in command
    assert os.environ["COURSE_MY"] == str(place), "the notebooks find each other there"
    assert (place / "03_self_attention.ipynb").exists() and not (notebooks.parent / "my").exists()


def test_study_says_that_there_are_doubles_and_what_is_old(notebooks, become, capsys):
    copies.make(copies.my_folder())
    my = copies.my_folder() / "03_self_attention.ipynb"
    shutil.copy(my, my.with_name("03_self_attention-Copy1.ipynb"))
    notebook = json.loads((notebooks / "03_self_attention.ipynb").read_text(encoding="utf-8"))
    notebook["cells"][0]["id"] = digest("code", "".join(notebook["cells"][0]["source"]))
    (notebooks / "03_self_attention.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    run("study", "3")
    said = capsys.readouterr().out
    assert "03_self_attention.ipynb is taken, not 03_self_attention-Copy1.ipynb" in said
    assert "03_self_attention.ipynb is of an older version: `python -m course update` brings it up" in said
    assert "--LabApp.default_url=/lab/tree/my/03_self_attention.ipynb" in become[0]


def test_study_without_a_place_to_write_says_so(notebooks, become):
    (notebooks.parent / "my").touch()
    with pytest.raises(SystemExit, match=r"cannot be kept in .*my .*--folder FOLDER"):
        run("study")
    assert not become


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


def test_study_opens_a_notebook_from_elsewhere_in_its_own_folder(notebooks, become, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("stick") / "x.ipynb"
    elsewhere.touch()
    run("study", str(elsewhere))
    assert f"--ServerApp.root_dir={elsewhere.parent}" in become[0]
    assert not (notebooks.parent / "my").exists()


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
