"""From a clone and a bare Python to an environment that holds what requirements.txt pins.

``enter`` leaves the caller in the first environment that satisfies the pins: the running interpreter's, an
active virtual or conda environment, or ``.venv`` beside the README, which is made or repaired when none does.

Everything here runs before anything is installed: the standard library only, and syntax that an old Python
can read, so that it can say that it is too old. Messages are ASCII, for consoles that know nothing else.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
PROJECT = "transformers-course-companion"
OLDEST, NEWEST = (3, 11), (3, 13)
ITSELF = "the course itself is missing"
UNFINISHED = "installation-not-finished"  # a file in .venv for as long as something is being done to it

NO_NETWORK = "connection broken by|NameResolutionError|NewConnectionError|unreachable|Read timed out"
PIP_SETTINGS = {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}  # an environment refuses --user
FAILURES = {  # what pip prints, and what it means: {0} is what the group caught
    "No space left on device": "the disk is full; the packages need 2 to 8 GB beside the README",
    "CERTIFICATE_VERIFY_FAILED|SSLError": "the index's certificate was refused: set pip's option 'cert'",
    NO_NETWORK: "there is no network, or pip cannot reach its package index",
    r"No matching distribution found for (\S+)": "there is no {0} for this Python and machine; {advice}",
    r"(?:Failed building wheel for|Failed to build) '?([\w.-]+)": "{0} could not be built; {advice}",
    r"Permission denied: (.+)": "{0} may not be written",
}
PLATFORMS = (
    "PyTorch, which the course needs, is made for Linux (x86-64 or ARM, glibc 2.28 or later), "
    "macOS 14 or later on Apple silicon, and 64-bit Windows on x86-64"
)
READABLE = (
    "The notebooks can be read as they are, with their pictures; to run them, use one of those machines."
)
PATIENCE = 15.0  # seconds for what a killed set-up left running to end

# Runs a module as ``python -m`` does, and ends with all that it started when whoever started it is gone: a
# killed set-up leaves nobody behind who writes into .venv. Our end of its input is open as long as we live.
LEASH = """
import os, runpy, signal, sys, threading
def wait():
    os.read(0, 1)
    if os.name == "posix" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
threading.Thread(target=wait, daemon=True).start()
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


class InstallationError(Exception):
    """pip or venv failed; the message says at what, and what to do."""


def enter(arguments: list[str], root: Path = ROOT) -> None:
    """Return in an environment that holds the pins, or run ``python -m course`` with the arguments in one."""
    try:
        environment = ready(root) or prepare(root)
    except InstallationError as failure:
        sys.exit(str(failure))
    except KeyboardInterrupt:
        print("\nStopped. The same command starts again; what was downloaded is kept.", file=sys.stderr)
        sys.exit(130)
    activate(environment, root)
    if environment != Path(sys.prefix):
        become([str(python_of(environment)), "-m", "course", *arguments])


# -- which environment --


def ready(root: Path) -> Path | None:
    """The first environment that holds every pin; the course itself is added where it alone is missing."""
    for environment in candidates(root):
        problems = examine(environment, root)
        if problems == [ITSELF]:
            print(f"Adding the course to {environment}, which has every package that it needs.", flush=True)
            add_course(_python(environment), root)
        if problems in ([], [ITSELF]):
            return environment
    return None


def candidates(root: Path) -> list[Path]:
    """Where to look: the running interpreter's environment, the active ones, ``.venv``."""
    active = [os.environ[name] for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if os.environ.get(name)]
    return list(dict.fromkeys(Path(place) for place in (sys.prefix, *active, root / ".venv")))


def examine(environment: Path, root: Path) -> list[str]:
    """What an environment lacks, told by its own interpreter."""
    if environment == Path(sys.prefix):
        return list(lacks(root))
    if not python_of(environment).exists():
        return ["there is no Python in it"]
    # -P: the folder of this file is no place to import from. A Python too old to know the option is too old.
    told = subprocess.run(
        [str(python_of(environment)), "-P", str(root / Path(__file__).resolve().relative_to(ROOT))],
        capture_output=True,
        text=True,
    )
    return ["its Python does not run the course"] if told.returncode else told.stdout.splitlines()


def lacks(root: Path) -> Iterator[str]:
    """What the running interpreter's environment has not, or has otherwise, one sentence each."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        yield f"it has Python {sys.version_info[0]}.{sys.version_info[1]}"
    if Path(sys.prefix, UNFINISHED).exists():
        yield "its installation was not finished"
    for name, pin in pins((root / "requirements.txt").read_text(encoding="utf-8")).items():
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield f"{name} is missing"
        else:
            if found.partition("+")[0] != pin:  # 2.13.0+cpu is 2.13.0
                yield f"{name} is {found}, not {pin}"
    elsewhere = [place for place in sys.path if Path(place).resolve() != root]  # the clone holds an egg-info
    installed = importlib.metadata.distributions(name=PROJECT, path=elsewhere)
    if all(_plugins(distribution) != _declared_plugins(root) for distribution in installed):
        yield ITSELF


def _plugins(distribution: importlib.metadata.Distribution) -> dict[str, str]:
    """The pytest plugins that an installation names: after a ``git pull`` they may name files that moved."""
    return {point.name: point.value for point in distribution.entry_points if point.group == "pytest11"}


def _declared_plugins(root: Path) -> dict[str, str]:
    import tomllib  # the version of Python has been looked at by now

    with (root / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]["entry-points"]["pytest11"]


def pins(requirements: str) -> dict[str, str]:
    """Names and versions of the lines ``name==version  # comment``."""
    return dict(re.findall(r"^([\w.-]+)==([^\s#;]+)", requirements, flags=re.MULTILINE))


def python_of(environment: Path) -> Path:
    """The interpreter of a virtual or conda environment, where each system puts it."""
    places = ("Scripts/python.exe", "python.exe") if os.name == "nt" else ("bin/python",)
    found = [environment / place for place in places if (environment / place).exists()]
    return found[0] if found else environment / places[0]


def _python(environment: Path) -> str:
    return sys.executable if environment == Path(sys.prefix) else str(python_of(environment))


# -- entering it --


def activate(environment: Path, root: Path) -> None:
    """Let what is started from here find the environment's programs, as ``activate`` does, and the course."""
    scripts = str(Path(_python(environment)).parent)
    for name, place in (("PATH", scripts), ("PYTHONPATH", str(root))):
        known = os.environ.get(name, "").split(os.pathsep)
        os.environ[name] = os.pathsep.join([place, *(other for other in known if other not in ("", place))])
    if (environment / "pyvenv.cfg").exists():
        os.environ["VIRTUAL_ENV"] = str(environment)


def become(command: list[str]) -> None:
    """Run a command in place of this process, with its signals and its exit code; does not return."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execv(command[0], command)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Windows gives Ctrl-C to both: the command answers it
    sys.exit(subprocess.call(command))


# -- making it --


def prepare(root: Path) -> Path:
    """Make or repair ``.venv``; exits with what to do where that fails."""
    require_python()
    require_platform()
    environment = root / ".venv"
    is_new, is_sound = _is_nothing(environment), _is_sound(environment)
    if not (is_new or (environment / "pyvenv.cfg").exists() or (environment / UNFINISHED).exists()):
        sys.exit(f"{environment} is no virtual environment: move it away, the course needs its place.")
    _announce(root, is_new, is_sound)
    _fill(environment, root, is_new, is_sound)
    remaining = examine(environment, root)
    if remaining:
        sys.exit(f"{environment} is still not as it should be: {'; '.join(remaining)}. Is PYTHONPATH set?")
    return environment


def require_python() -> None:
    """Exit with one line where the running Python cannot make an environment for the pins."""
    require_version()
    if importlib.util.find_spec("ensurepip") is None:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        sys.exit(f"This Python lacks ensurepip; on Debian or Ubuntu: apt install python{version}-venv")


def require_version() -> None:
    """Exit with one line where the running Python is not one that the course is made for."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        supported = [f"python3.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1)]
        here = next(filter(shutil.which, supported), "one of them")
        sys.exit(f"The course needs Python 3.11, 3.12 or 3.13, and this is {version}: run it with {here}.")


def require_platform() -> None:
    """Exit with what works where PyTorch has no wheel for this machine."""
    reason = no_wheel()
    if reason:
        sys.exit(f"{reason}\n{PLATFORMS}.\n{READABLE}")


def no_wheel() -> str | None:
    """Why PyTorch cannot be installed on this machine, as far as it is known before trying."""
    machine = platform.machine().lower()
    if struct.calcsize("P") != 8:
        return "This Python is a 32-bit one: install a 64-bit Python."
    if sys.platform == "darwin" and machine == "x86_64":
        return (
            "This Python is for Macs with an Intel processor, for which PyTorch is made no more. If your Mac "
            "has Apple silicon (Apple menu > About This Mac), install a Python for that, from python.org say."
        )
    if sys.platform == "win32" and machine == "arm64":
        return (
            "This Python is for Windows on ARM, for which this PyTorch is not made. A Python for x86-64, "
            "which Windows on ARM can run, may work; it was not tried."
        )
    if machine not in ("x86_64", "amd64", "arm64", "aarch64"):
        return f"PyTorch is not made for this machine's processor ({platform.machine()})."
    return None


def advice() -> str:
    """What may help where a package is not to be had."""
    if sys.version_info[:2] != OLDEST:
        return "try Python 3.11"
    return f"{PLATFORMS}, which this machine is perhaps not"


def _is_nothing(environment: Path) -> bool:
    """Whether there is no environment, nor anything else, in its place."""
    return not environment.exists() or (environment.is_dir() and not any(environment.iterdir()))


def _announce(root: Path, is_new: bool, is_sound: bool) -> None:
    active = os.environ.get("VIRTUAL_ENV")
    if active and Path(active) != root / ".venv":
        problems = examine(Path(active), root)
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        print(f"The active environment {active} is left alone: {problems[0]}{more}.")
    doing = "Making" if is_new else "Updating" if is_sound else "Repairing"
    count = len(pins((root / "requirements.txt").read_text(encoding="utf-8")))
    print(f"{doing} {root / '.venv'}: {count} packages and what they need, from requirements.txt.")
    print("This takes 1 to 10 minutes, once; Ctrl-C stops it, the same command starts again.", flush=True)


def _is_sound(environment: Path) -> bool:
    """Whether pip can work in an environment as it stands."""
    if (environment / UNFINISHED).exists() or not python_of(environment).exists():
        return False
    test = f"import pip, sys; sys.exit(not {OLDEST} <= sys.version_info[:2] <= {NEWEST})"
    return subprocess.run([str(python_of(environment)), "-c", test], capture_output=True).returncode == 0


def _fill(environment: Path, root: Path, is_new: bool, is_sound: bool) -> None:
    """Install into the environment; whoever finds the mark later knows that this did not come to its end."""
    mark, python = environment / UNFINISHED, str(python_of(environment))
    try:
        environment.mkdir(exist_ok=True)
        held = mark.open("w")
    except OSError as error:
        raise InstallationError(
            f"{root} may not be written ({error.strerror}), and the packages are kept there: copy the course "
            "to a folder of yours, or activate an environment that has them"
        ) from error
    try:
        with held:
            _lock(held)
            if not is_sound:
                _empty(environment, keep=mark)
                _make(environment, held)
            pip(python, ["--retries", "2", "-r", "requirements.txt"], root, held)
            add_course(python, root, held)
    except InstallationError:
        if is_new:
            _empty(environment, keep=mark)  # the mark goes last: killed before, the next knows what this is
            mark.unlink()
            environment.rmdir()
        elif is_sound:  # pip puts back what it could not replace
            mark.unlink()
        raise
    mark.unlink()


def _lock(file: TextIO) -> None:
    """Keep a second process from repairing what this one is making, for as long as it or its helpers live.

    The helpers of one that was killed end with it, in a moment.
    """
    end = time.monotonic() + PATIENCE / 5
    while not _locked(file):
        if time.monotonic() > end:
            sys.exit("Another 'python -m course' is at work on .venv: run this again when it has finished.")
        time.sleep(0.1)


def _locked(file: TextIO) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _empty(folder: Path, keep: Path) -> None:
    """Remove all but one file, again where something that is just ending still writes."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            for entry in folder.iterdir():
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                elif entry != keep:
                    entry.unlink()
            return
        except OSError as error:
            if time.monotonic() > end:
                raise InstallationError(
                    f"{error.filename or folder} cannot be removed ({error.strerror}): is a program of the "
                    "course still running?"
                ) from error
            time.sleep(0.2)


def _make(environment: Path, held: TextIO) -> None:
    # sys.executable may live in what was just emptied
    base = getattr(sys, "_base_executable", sys.executable)
    with on_leash(base, ["venv", str(environment)], held) as making:
        try:
            output = making.stdout.read()
        except BaseException:
            end_all(making)
            raise
    if making.returncode:
        raise InstallationError(f"Python could not make {environment}: {output}")


def on_leash(python: str, module: list[str], held: TextIO | None = None, **options) -> subprocess.Popen:
    """Start ``python -m MODULE ...``, which ends when this process does and holds its lock until then."""
    if os.name != "nt":
        options.update(start_new_session=True, pass_fds=[held.fileno()] if held else ())
    return subprocess.Popen(
        [python, "-c", LEASH, *module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        **options,
    )


def end_all(process: subprocess.Popen) -> None:
    """End what was started on a leash, with all that it started."""
    if process.poll() is None and os.name != "nt":
        os.killpg(process.pid, signal.SIGTERM)
    elif process.poll() is None:
        process.terminate()
    process.wait()


def add_course(python: str, root: Path, held: TextIO | None = None) -> None:
    """Install the clone itself, editable, so that notebooks import it and pytest finds its plugin."""
    pip(python, ["--no-deps", "--no-build-isolation", "-e", "."], root, held)


# -- pip, made readable --


def pip(python: str, arguments: list[str], root: Path, held: TextIO | None = None) -> None:
    """``pip install`` told in one line; its own words stay in .venv.log if it fails."""
    log = root / ".venv.log"
    later = [] if sys.dont_write_bytecode else ["--no-compile"]  # compiled when first imported, if it is kept
    process = on_leash(
        python,
        ["pip", "install", "--no-input", "--progress-bar=off", *later, *arguments],
        held,
        cwd=root,
        env={**os.environ, **PIP_SETTINGS},
    )
    try:
        output = _follow(process, Progress(sys.stdout, _packages(python)))
    finally:
        end_all(process)
    if process.returncode == 0:
        log.unlink(missing_ok=True)
        return
    if re.search(NO_NETWORK, output):
        raise InstallationError(f"Nothing was installed or changed: {explain(output)}.")
    log.write_text(output, encoding="utf-8")
    raise InstallationError(f"Nothing was installed: {explain(output)}. pip's own words are in {log}.")


def _packages(python: str) -> Path:
    asked = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
    )
    return Path(asked.stdout.strip())


def _follow(process: subprocess.Popen, progress: Progress) -> str:
    """Read until the process ends, in a thread, while this one keeps the clock running and hears Ctrl-C."""
    lines = []

    def read() -> None:
        for line in process.stdout:
            lines.append(line)
            progress.hear(line)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    while reader.is_alive():
        reader.join(timeout=0.5)
        progress.show()
    process.wait()
    progress.close()
    return "".join(lines)


def explain(output: str) -> str:
    """What pip's output means, in one sentence."""
    for pattern, meaning in FAILURES.items():
        match = re.search(pattern, output)
        if match:
            return meaning.format(*match.groups(), advice=advice())
    return next((line for line in output.splitlines() if line.startswith("ERROR")), "pip failed")


class Progress:
    """One line about what pip is doing: rewritten in place on a terminal, else printed every ten seconds.

    ``packages`` is the folder that pip installs into: it says nothing while it does, so we count there.
    """

    def __init__(self, stream: TextIO, packages: Path):
        self.stream, self.packages, self.in_place = stream, packages, stream.isatty()
        self.every = 0.5 if self.in_place else 10
        self.started, self.shown = time.time(), 0.0
        self.chosen, self.fetched, self.expected, self.chose_first = 0, 0, 0, False
        self.text = "starting pip"

    def hear(self, line: str) -> None:
        """Take in one line of pip's output."""
        if chosen := re.match(r"Collecting ([\w.-]+)", line):
            self.chosen += 1
            self.text = f"choosing versions: {chosen[1]} (package {self.chosen})"
        elif fetched := re.match(
            r"\s*(?:Downloading|Using cached) (?:.*/)?([^/-]+-[^/-]+)\S*(?<!metadata) (\(.+\))", line
        ):
            self.fetched += 1
            of_how_many = f" of {self.chosen}" if self.chose_first else ""
            self.text = f"downloading {fetched[1]} {fetched[2]}, package {self.fetched}{of_how_many}"
        elif ".whl.metadata" in line:  # then the packages themselves come when all are chosen
            self.chose_first = True
        elif line.startswith("Installing collected packages"):
            self.expected = line.count(",") + 1
        elif "Retrying" in line:
            self.text = "no answer from the package index, trying again"

    def show(self) -> None:
        """Say it, if it is time to."""
        elapsed = time.time() - self.started
        if elapsed < self.shown + self.every:
            return
        self.shown = elapsed
        doing = f"installing package {self._installed()} of {self.expected}" if self.expected else self.text
        text = f"  {int(elapsed) // 60}:{int(elapsed) % 60:02} {doing}"
        width = shutil.get_terminal_size().columns - 1
        self.stream.write(f"\r{text[:width]:{width}}" if self.in_place else f"{text}\n")
        self.stream.flush()

    def _installed(self) -> int:
        since = self.started - 1  # file times are coarse
        fresh = (record.stat().st_mtime >= since for record in self.packages.glob("*.dist-info"))
        return min(sum(fresh), self.expected)

    def close(self) -> None:
        """Leave the line."""
        if self.in_place:
            self.stream.write("\n")


if __name__ == "__main__":  # asked by ``examine``, in another environment's interpreter
    for problem in lacks(ROOT):
        print(problem)
