"""The way from a bare Python to an environment, with pip's part played by one tiny package on disk."""

import ast
import io
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import tomllib
import zipfile
from pathlib import Path

import pytest

from course.workbook import bootstrap
from course.workbook.bootstrap import (
    ITSELF,
    PROJECT,
    ROOT,
    UNFINISHED,
    Progress,
    explain,
    lacks,
    pins,
    python_of,
)

BARE_PYTHON = sys._base_executable
STANDARD_LIBRARY = sysconfig.get_path("stdlib")
BEFORE_THE_ENVIRONMENT = (
    *("__init__.py", "__main__.py", "exercises/__init__.py", "training/__init__.py"),
    "files.py",
    *(f"workbook/{name}.py" for name in ("__init__", "bootstrap", "cli", "copies", "merge", "moved")),
    *(f"workbook/{name}.py" for name in ("ownership", "reading", "record", "update")),
)
PLUGINS = {"course": "course.workbook.pytest_plugin"}
# Where `build` would write notebooks, this one tells which environment it was called in, and how.
WITNESS = """
import os, subprocess, sys
def main(names, solved, force):
    print("built in", sys.prefix, flush=True)
    where = "import course; print('course from', course.__path__[0])"
    subprocess.run([sys.executable, "-c", where], cwd=os.sep)
"""
# A build backend that needs nothing: an editable install without setuptools.
BACKEND = f"""
import pathlib, zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "{PROJECT}".replace("-", "_") + "-0.1"
    info = name + ".dist-info/"
    with zipfile.ZipFile(pathlib.Path(folder) / (name + "-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("course.pth", str(pathlib.Path.cwd()))
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: {PROJECT}\\nVersion: 0.1\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
        points = "".join(f"{{n}} = {{v}}\\n" for n, v in {PLUGINS!r}.items())
        wheel.writestr(info + "entry_points.txt", "[pytest11]\\n" + points)
    return name + "-py3-none-any.whl"
"""
HANGS = "import time\ntime.sleep(600)\n"


class Clone:
    """A clone of the project that asks for one package, and its own package index: a folder."""

    def __init__(self, folder: Path):
        self.root, self.index = folder / "clone", folder / "index"
        self.venv = self.root / ".venv"
        self.index.mkdir()
        for name in BEFORE_THE_ENVIRONMENT:
            (self.root / "course" / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / "course" / name).write_bytes((ROOT / "course" / name).read_bytes())
        (self.root / "course" / "workbook" / "build.py").write_text(WITNESS, encoding="utf-8")
        (self.root / "backend.py").write_text(BACKEND, encoding="utf-8")
        (self.root / "pyproject.toml").write_text(
            f'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
            f'[project]\nname = "{PROJECT}"\nversion = "0.1"\n[project.entry-points.pytest11]\n'
            + "".join(f'{name} = "{value}"\n' for name, value in PLUGINS.items()),
            encoding="utf-8",
        )
        self.require("pebble==1.0")
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PIP_", "PYTHON", "VIRTUAL_ENV", "CONDA", "PYTEST", "COV"))
        }
        # A user-wide setting that would make pip refuse to work in any environment.
        settings = folder / "pip.conf"
        settings.write_text("[install]\nuser = true\n", encoding="utf-8")
        self.environment |= {
            "PIP_CONFIG_FILE": str(settings),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.index),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def require(self, *requirements: str) -> None:
        (self.root / "requirements.txt").write_text("\n".join(requirements) + "\n", encoding="utf-8")

    def publish(self, name: str, version: str, setup: str | None = None) -> None:
        """Put a package into the index: a wheel, or with ``setup`` a source that pip must build."""
        if setup is None:
            with zipfile.ZipFile(self.index / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
                write_metadata(wheel, name, version)
        else:
            with zipfile.ZipFile(self.index / f"{name}-{version}.zip", "w") as source:
                source.writestr(f"{name}-{version}/backend.py", setup)
                source.writestr(
                    f"{name}-{version}/pyproject.toml",
                    '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
                )

    def start(self, python: str | Path = BARE_PYTHON, **variables: str) -> subprocess.Popen:
        return subprocess.Popen(
            [str(python), "-m", "course", "build"],
            cwd=self.root,
            env=self.environment | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, python: str | Path = BARE_PYTHON, **variables: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        process = self.start(python, **variables)
        out, err = process.communicate(timeout=300)
        return process.returncode, out, err

    def files(self) -> set[str]:
        return {path.name for path in self.root.iterdir()}


def write_metadata(wheel: zipfile.ZipFile, name: str, version: str) -> None:
    folder = f"{name}-{version}.dist-info"
    wheel.writestr(f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    wheel.writestr(f"{folder}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(f"{folder}/RECORD", "")


@pytest.fixture
def clone(tmp_path) -> Clone:
    return Clone(tmp_path)


@pytest.fixture(scope="module")
def environment_with_pip(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("template") / "environment"
    subprocess.run([BARE_PYTHON, "-m", "venv", str(folder)], check=True)
    return folder


def make_environment(folder: Path, **packages: str) -> Path:
    """A virtual environment without pip that holds packages (their metadata)."""
    subprocess.run([BARE_PYTHON, "-m", "venv", "--without-pip", str(folder)], check=True)
    for name, version in packages.items():
        add_metadata(site_packages(folder), name.replace("_", "-"), version)
    return folder


def site_packages(environment: Path) -> Path:
    [found] = {*environment.glob("lib/python*/site-packages"), *environment.glob("Lib/site-packages")}
    return found


def add_metadata(site: Path, name: str, version: str) -> None:
    metadata = site / f"{name.replace('-', '_')}-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    if name == PROJECT:
        points = "".join(f"{name} = {value}\n" for name, value in PLUGINS.items())
        metadata.with_name("entry_points.txt").write_text(f"[pytest11]\n{points}", encoding="utf-8")


# -- a clone and its .venv --


@pytest.mark.slow
def test_a_clone_is_set_up_once_and_follows_its_pins(clone):
    clone.publish("pebble", "1.0")
    built = f"built in {clone.venv}\ncourse from {clone.root / 'course'}\n"
    code, out, err = clone.run()
    assert (code, err) == (0, "")
    assert out.startswith(f"Making {clone.venv}: 1 packages") and out.endswith(built)
    assert not (clone.venv / UNFINISHED).exists() and ".venv.log" not in clone.files()
    # the course is importable there without our help too
    plain = [python_of(clone.venv), "-I", "-c", "import course; print(course.__path__[0])"]
    assert subprocess.check_output(plain, text=True).strip() == str(clone.root / "course")

    assert clone.run() == (0, built, "")

    clone.publish("pebble", "2.0")
    clone.require("pebble==2.0  # MIT")
    code, out, _ = clone.run()
    assert code == 0 and out.startswith(f"Updating {clone.venv}")
    assert clone.run() == (0, built, "")


@pytest.mark.slow
def test_an_installation_that_names_plugins_of_yesterday_is_repaired(clone):
    clone.publish("pebble", "1.0")
    clone.run()
    [points] = site_packages(clone.venv).glob("transformers_course*.dist-info/entry_points.txt")
    points.write_text("[pytest11]\ncourse = course.pytest_plugin\n", encoding="utf-8")
    code, out, err = clone.run()
    assert (code, err) == (0, "") and out.startswith(f"Adding the course to {clone.venv}")
    assert PLUGINS["course"] in points.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_an_interrupted_installation_is_marked(clone):
    clone.publish("pebble", "1.0", setup=HANGS)
    process = clone.start()
    wait_until(lambda: any(clone.venv.glob("lib/python*/site-packages/pip-*.dist-info/RECORD")))
    os.killpg(process.pid, signal.SIGINT)  # as the terminal does: pip hears it as well
    _, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert err.strip() == "Stopped. The same command starts again; what was downloaded is kept."
    assert (clone.venv / UNFINISHED).exists()


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["unfinished", "its Python is gone"])
def test_a_damaged_environment_is_made_anew(clone, environment_with_pip, damage):
    shutil.copytree(environment_with_pip, clone.venv, symlinks=True)
    (clone.venv / "rubble").touch()
    if damage == "unfinished":
        (clone.venv / UNFINISHED).touch()
    else:
        python_of(clone.venv).unlink()
    clone.publish("pebble", "1.0")
    code, out, _ = clone.run()
    assert code == 0 and out.startswith(f"Repairing {clone.venv}")
    assert not (clone.venv / UNFINISHED).exists() and not (clone.venv / "rubble").exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="POSIX locks")
def test_two_installations_do_not_meet(clone):
    import fcntl

    clone.venv.mkdir()
    with (clone.venv / UNFINISHED).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        code, _, err = clone.run()
    assert (code, err.count("\n")) == (1, 1) and err.startswith("Another 'python -m course' is at work")
    assert [path.name for path in clone.venv.iterdir()] == [UNFINISHED]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("after", [0.3, 1.5])
def test_killed_while_it_sets_up_the_same_command_at_once_works(clone, after):
    """The parent alone is killed; what it started ends with it."""
    clone.publish("pebble", "1.0")
    process = clone.start()
    time.sleep(after)
    process.kill()
    process.wait()
    code, out, err = clone.run()
    assert (code, err) == (0, "") and f"built in {clone.venv}" in out
    assert not (clone.venv / UNFINISHED).exists()


@pytest.mark.slow
def test_an_empty_folder_is_no_obstacle(clone):
    """What a set-up leaves that was killed right after it made the folder."""
    clone.publish("pebble", "1.0")
    clone.venv.mkdir()
    assert clone.run()[0] == 0


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="POSIX processes")
def test_what_is_started_ends_when_its_starter_is_killed(tmp_path):
    """With its own children, which hold no end of the pipe."""
    (tmp_path / "patient.py").write_text(
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(os.getpid(), child.pid, file=open('pids', 'w'), flush=True)\ntime.sleep(600)\n",
        encoding="utf-8",
    )
    script = (
        f"import sys, time; sys.path.insert(0, {str(ROOT)!r})\n"
        "from course.workbook.bootstrap import on_leash\n"
        "on_leash(sys.executable, ['patient'])\ntime.sleep(600)"
    )
    starter = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path)
    try:
        wait_until(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text().strip())
    finally:
        starter.kill()
        starter.wait()
    pids = (tmp_path / "pids").read_text().split()
    wait_until(lambda: not any(is_alive(pid) for pid in pids))


def is_alive(pid: str) -> bool:
    """Whether a process runs (one that ended and was not waited for does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_package_that_cannot_be_installed_is_named(clone):
    clone.require("absent==1.0")
    code, _, err = clone.run()
    log = clone.root / ".venv.log"
    assert (code, err.count("\n")) == (1, 1)
    assert "there is no absent==1.0 for this Python" in err and str(log) in err
    assert "No matching distribution found for absent==1.0" in log.read_text(encoding="utf-8")
    assert not clone.venv.exists()


@pytest.mark.slow
@pytest.mark.parametrize("existing", [False, True])
def test_without_network_one_line_says_so_and_nothing_changes(clone, environment_with_pip, existing):
    if existing:
        shutil.copytree(environment_with_pip, clone.venv, symlinks=True)
    before = clone.files()
    nowhere = {"PIP_NO_INDEX": "0", "PIP_FIND_LINKS": "", "PIP_INDEX_URL": "http://127.0.0.1:9/simple"}
    code, _, err = clone.run(**nowhere)
    assert code == 1
    assert (
        err
        == "Nothing was installed or changed: there is no network, or pip cannot reach its package index.\n"
    )
    assert clone.files() == before
    assert not (clone.venv / UNFINISHED).exists()


@pytest.mark.slow
def test_a_folder_that_is_no_environment_is_left_alone(clone):
    clone.venv.mkdir()
    (clone.venv / "diary.txt").write_text("mine", encoding="utf-8")
    code, _, err = clone.run()
    assert code == 1 and "no virtual environment: move it away" in err
    assert [path.name for path in clone.venv.iterdir()] == ["diary.txt"]


# -- environments that are there already --


@pytest.mark.slow
def test_the_running_environment_is_used_as_it_is(clone, tmp_path):
    mine = make_environment(tmp_path / "mine", pebble="1.0+cpu", transformers_course_companion="0.1")
    code, out, err = clone.run(python_of(mine))
    assert (code, err) == (0, "")
    assert out == f"built in {mine}\ncourse from {clone.root / 'course'}\n"
    assert not clone.venv.exists()


@pytest.mark.slow
@pytest.mark.parametrize("variable", ["VIRTUAL_ENV", "CONDA_PREFIX"])
def test_an_active_environment_is_used_as_it_is(clone, tmp_path, variable):
    mine = make_environment(tmp_path / "mine", pebble="1.0", transformers_course_companion="0.1")
    code, out, _ = clone.run(**{variable: str(mine)})
    assert code == 0 and out.startswith(f"built in {mine}\n")
    assert not clone.venv.exists()


@pytest.mark.slow
def test_an_environment_that_lacks_only_the_course_is_given_it(clone, tmp_path, environment_with_pip):
    mine = tmp_path / "mine"
    shutil.copytree(environment_with_pip, mine, symlinks=True)
    add_metadata(site_packages(mine), "pebble", "1.0")
    _, out, _ = clone.run(VIRTUAL_ENV=str(mine))
    assert out.startswith(f"Adding the course to {mine}") and f"built in {mine}" in out
    assert clone.run(VIRTUAL_ENV=str(mine))[1].startswith("built in")


@pytest.mark.slow
def test_an_active_environment_that_differs_is_left_alone(clone, tmp_path):
    mine = make_environment(tmp_path / "mine", pebble="0.9")
    clone.publish("pebble", "1.0")
    code, out, _ = clone.run(VIRTUAL_ENV=str(mine))
    assert code == 0
    assert f"The active environment {mine} is left alone: pebble is 0.9, not 1.0 (and 1 more)." in out
    assert f"built in {clone.venv}" in out


# -- the parts --


def test_pins_are_read_with_their_comments():
    text = "# a comment==1\ntorch==2.13.0  # BSD\nPy_Thing.x==1!2.0+cpu\n\n-e .\n"
    assert pins(text) == {"torch": "2.13.0", "Py_Thing.x": "1!2.0+cpu"}


def test_what_is_lacking_is_told_in_sentences(tmp_path, monkeypatch):
    (tmp_path / "requirements.txt").write_text("pebble==1.0\nboulder==2.0\nsand==3.0\n", encoding="utf-8")
    site = tmp_path / "site"
    add_metadata(site, "pebble", "1.0+cu130")
    add_metadata(site, "boulder", "2.1")
    monkeypatch.setattr(sys, "path", [str(site), STANDARD_LIBRARY])
    assert list(lacks(tmp_path)) == ["boulder is 2.1, not 2.0", "sand is missing", ITSELF]


def test_the_clones_own_metadata_is_no_installation(tmp_path, monkeypatch):
    """Building leaves an egg-info in the clone, which is on the path of ``python -m course``."""
    (tmp_path / "requirements.txt").write_text("", encoding="utf-8")
    add_metadata(tmp_path, PROJECT, "0.1")
    monkeypatch.setattr(sys, "path", [str(tmp_path), STANDARD_LIBRARY])
    assert list(lacks(tmp_path)) == [ITSELF]


@pytest.mark.parametrize("version", [(3, 10, 9), (3, 14, 0)])
def test_another_python_is_told_which_to_use(monkeypatch, version):
    monkeypatch.setattr(sys, "version_info", version)
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: name if name == "python3.12" else None)
    with pytest.raises(SystemExit, match=rf"this is 3.{version[1]}: run it with python3.12.$"):
        bootstrap.require_python()


@pytest.mark.parametrize(
    ("system", "machine", "bits", "says"),
    [
        ("darwin", "x86_64", 8, "for Macs with an Intel processor"),
        ("win32", "ARM64", 8, "for Windows on ARM"),
        ("linux", "x86_64", 4, "a 32-bit one: install a 64-bit Python"),
        ("linux", "riscv64", 8, r"not made for this machine's processor \(riscv64\)"),
    ],
)
def test_a_machine_without_pytorch_is_told_so_and_what_works(monkeypatch, system, machine, bits, says):
    monkeypatch.setattr(bootstrap.sys, "platform", system)
    monkeypatch.setattr(bootstrap.platform, "machine", lambda: machine)
    monkeypatch.setattr(bootstrap.struct, "calcsize", lambda _: bits)
    with pytest.raises(SystemExit, match=says) as stop:
        bootstrap.require_platform()
    assert "macOS 14 or later on Apple silicon" in str(stop.value) and "try Python" not in str(stop.value)


@pytest.mark.parametrize(
    ("system", "machine"),
    [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "AMD64")],
)
def test_the_machines_of_the_readme_are_not_sent_away(monkeypatch, system, machine):
    monkeypatch.setattr(bootstrap.sys, "platform", system)
    monkeypatch.setattr(bootstrap.platform, "machine", lambda: machine)
    assert bootstrap.require_platform() is None
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(words in readme for words in ("x86-64", "glibc 2.28", "macOS 14", "Apple silicon", "Intel"))


@pytest.mark.parametrize(("version", "helps"), [((3, 11, 7), False), ((3, 13, 1), True)])
def test_another_python_is_advised_only_where_it_helps(monkeypatch, version, helps):
    monkeypatch.setattr(sys, "version_info", version)
    said = explain("ERROR: No matching distribution found for torch==2.13.0")
    assert ("try Python 3.11" in said) is helps and ("glibc 2.28" in said) is not helps


def test_a_python_without_ensurepip_says_what_to_install(monkeypatch):
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"apt install python3\.\d+-venv"):
        bootstrap.require_python()


@pytest.mark.parametrize(
    ("output", "meaning"),
    [
        ("ERROR: No matching distribution found for torch==9\n", "there is no torch==9 for this Python"),
        ("ERROR: Failed building wheel for lxml\nERROR: Failed to build lxml", "lxml could not be built"),
        ("ERROR: Failed to build 'lxml' when getting requirements to build wheel", "lxml could not be built"),
        ("ERROR: Could not install: [Errno 28] No space left on device", "the disk is full"),
        ("WARNING: Retrying after connection broken by 'SSLError(CERTIFICATE_VERIFY_FAILED)'", "certificate"),
        (
            "connection broken by 'NewConnectionError'\nERROR: No matching distribution found for x",
            "no network",
        ),
        ("ERROR: something new", "ERROR: something new"),
        ("", "pip failed"),
    ],
)
def test_pips_words_are_explained(output, meaning):
    assert meaning in explain(output)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_rewritten_on_a_terminal(tmp_path):
    progress = Progress(Terminal(), tmp_path)
    progress.every = 0
    said = []
    for line in (
        "Looking in indexes: somewhere\n",
        "Collecting torch==2.13.0 (from -r requirements.txt (line 3))\n",
        "  Downloading torch-2.13.0-cp311-cp311-linux.whl.metadata (31 kB)\n",
        "Collecting numpy\n",
        "Downloading torch-2.13.0-cp311-cp311-linux.whl (191.8 MB)\n",
        "Using cached numpy-2.4.6-cp311-cp311-linux.whl (16 MB)\n",
        "Installing collected packages: numpy, torch\n",
    ):
        progress.hear(line)
        progress.show()
        said.append(progress.stream.getvalue().split("\r")[-1].split(maxsplit=1)[1].strip())
    assert said == [
        "starting pip",
        "choosing versions: torch (package 1)",
        "choosing versions: torch (package 1)",
        "choosing versions: numpy (package 2)",
        "downloading torch-2.13.0 (191.8 MB), package 1 of 2",
        "downloading numpy-2.4.6 (16 MB), package 2 of 2",
        "installing package 0 of 2",
    ]
    assert "\n" not in progress.stream.getvalue()
    add_metadata(tmp_path, "numpy", "2.4.6")
    progress.show()
    assert progress.stream.getvalue().rstrip().endswith("installing package 1 of 2")


def test_progress_of_a_pip_that_fetches_as_it_chooses_promises_no_total(tmp_path):
    progress = Progress(io.StringIO(), tmp_path)
    progress.hear("Collecting torch==2.13.0 (from -r requirements.txt (line 3))\n")
    progress.hear("  Downloading torch-2.13.0-cp311-cp311-linux.whl (191.8 MB)\n")
    assert progress.text == "downloading torch-2.13.0 (191.8 MB), package 1"


def test_progress_elsewhere_is_a_line_now_and_then(tmp_path):
    progress = Progress(io.StringIO(), tmp_path)
    progress.show()
    assert progress.stream.getvalue() == ""
    progress.started -= 61
    progress.show()
    progress.show()
    assert progress.stream.getvalue() == "  1:01 starting pip\n"


# -- what runs before anything is installed --


@pytest.mark.parametrize("name", BEFORE_THE_ENVIRONMENT)
def test_an_old_python_can_read_it(name):
    source = (ROOT / "course" / name).read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 8))
    assert "from __future__ import annotations\n" in source


def test_the_standard_library_is_enough():
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import course.__main__; print(*sys.modules)"
    modules = subprocess.check_output([BARE_PYTHON, "-I", "-S", "-c", script], text=True).split()
    outside = (
        {name.partition(".")[0] for name in modules}
        - set(sys.stdlib_module_names)
        - {"__main__", "__mp_main__"}
    )
    assert outside == {"course"}


def test_its_constants_are_the_projects():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    oldest, newest = bootstrap.OLDEST, bootstrap.NEWEST
    assert project["name"] == PROJECT
    assert project["requires-python"] == f">={oldest[0]}.{oldest[1]},<{newest[0]}.{newest[1] + 1}"
