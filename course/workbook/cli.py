"""The commands behind ``python -m course``.

This module is imported before the environment exists: the standard library only, the rest inside functions.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import socket
import sys
from importlib import import_module
from pathlib import Path
from urllib.parse import quote

from course.training import RECIPES
from course.workbook.bootstrap import NOTEBOOKS, ROOT, become

EXAMPLES = """examples:
  python -m course study 3         open notebook 03 in JupyterLab
  python -m course check 3         are my exercises of notebook 03 right?
  python -m course test            every test of the project
  python -m course test --fast     those that need no notebook and no browser: two minutes
  python -m course test -k masks   pytest's own options work

The first command sets up what is needed in .venv, once, in a few minutes."""


# -- what was asked --


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command, as ``run`` and its options; prints help or the mistake and exits where there is none."""
    parser = _parser()
    if not arguments:
        parser.print_help()
        parser.exit()
    if arguments[0] == "test" and not {"-h", "--help"} & {*arguments[1:2]}:  # the rest is pytest's
        return argparse.Namespace(run=test, pytest_arguments=arguments[1:])
    return parser.parse_args(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m course",
        description="Three lectures on Transformers, to run, drag and rebuild.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    command = commands.add_parser("study", help="open a notebook in JupyterLab")
    command.add_argument(
        "notebook", nargs="?", default="00", type=find_notebook, metavar="N", help="default: 00"
    )
    command.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    command.add_argument("--port", type=int, default=8888, help="default: 8888, or the next one that is free")
    command.set_defaults(run=study)

    command = commands.add_parser("check", help="check the exercises in your notebooks")
    command.add_argument(
        "notebooks",
        nargs="*",
        type=find_notebook,
        metavar="N|PATH",
        help="numbers or files (default: all with exercises)",
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="also write the results to this file")
    command.set_defaults(run=check)

    command = commands.add_parser(
        "test",
        help="run every test of the project",
        usage="python -m course test [--fast] [pytest's options]",
        description="--fast leaves out what runs notebooks, a browser, pip or several processes.",
    )
    command.set_defaults(run=test, pytest_arguments=[])

    command = commands.add_parser("train", help="repeat the training of a shipped model, or go on with it")
    command.add_argument("name", choices=RECIPES, metavar="NAME", help=", ".join(RECIPES))
    command.add_argument("--folder", type=Path, help="where the run is kept (default: runs/NAME)")
    command.add_argument("--device", help="cpu, cuda, ... (default: cuda where there is one)")
    command.set_defaults(run=train)

    command = commands.add_parser("build", help="for authors: make the notebooks from their sources")
    command.add_argument("notebooks", nargs="*", metavar="N", help="numbers (default: all)")
    command.add_argument("--solved", action="store_true", help="with the exercises solved")
    command.set_defaults(run=build)
    return parser


# -- which notebook --


def find_notebook(name: str) -> Path:
    """A notebook by its number (``3``, ``03``) or path; exits with code 2 and a list of those that exist."""
    number = f"{name:0>2}" if name.isdecimal() else None
    for path in numbered_notebooks():
        if path.name[:2] == number:
            return path
    if number is None and Path(name).is_file():
        return Path(name).resolve()
    known = "\n".join(
        f"  {path.name[:2]}  {path.stem[3:].replace('_', ' ')}" for path in numbered_notebooks()
    )
    print(f"There is no notebook {name}. These exist:\n{known or '  none yet'}", file=sys.stderr)
    sys.exit(2)


def numbered_notebooks() -> list[Path]:
    """The learner's notebooks, in the order of the lectures."""
    return sorted(path for path in NOTEBOOKS.glob("*.ipynb") if re.match(r"\d\d_", path.name))


# -- the commands --


def study(options: argparse.Namespace) -> None:
    """Become JupyterLab, open on a notebook."""
    notebook = options.notebook
    if not notebook.is_relative_to(ROOT):
        sys.exit(f"{notebook} is not in {ROOT}, the folder that JupyterLab opens.")
    port, token = free_port(options.port), secrets.token_hex(24)
    if port != options.port:
        print(f"Port {options.port} is taken: using {port}.")
    print(f"JupyterLab starts in a few seconds; Ctrl-C here stops it.\n  {address(notebook, port, token)}")
    os.environ.update(jupyter_environment(token))
    become(jupyter_command(notebook, port, browser=not options.no_browser))


def check(options: argparse.Namespace) -> int:
    """Exit code 0 only if every exercise is right."""
    from course.workbook.grading import run_checks

    with_exercises = [path for path in numbered_notebooks() if _has_exercises(path)]
    return run_checks(options.notebooks or with_exercises, options.json)


def _has_exercises(notebook: Path) -> bool:
    return "@exercise(" in notebook.read_text(encoding="utf-8")


def test(options: argparse.Namespace) -> None:
    """Become pytest: two workers, and what shares a notebook or a file together in one of them.

    ``--fast`` is ours, everything else is pytest's. nbval is left out: loading it takes seconds, and the
    tests that need it call pytest anew.
    """
    os.chdir(ROOT)
    # Two workers with many threads each get in each other's way.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    theirs = [argument for argument in options.pytest_arguments if argument != "--fast"]
    fast = ("-m", "not slow and not browser") if "--fast" in options.pytest_arguments else ()
    ours = ("-p", "no:nbval", "-n2", "--dist=loadgroup", "--no-loadscope-reorder", *fast)
    become([sys.executable, "-m", "pytest", *ours, *theirs])


def train(options: argparse.Namespace) -> int:
    """Train by a recipe, or go on where an interrupted run of it stopped."""
    import torch
    from accelerate import PartialState

    from course.data import DownloadError

    folder = options.folder or ROOT / "runs" / options.name
    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        import_module(RECIPES[options.name]).train(folder, device)
    except DownloadError as error:
        raise SystemExit(str(error)) from error
    except KeyboardInterrupt as stop:
        raise SystemExit("\nInterrupted. The same command goes on from the last checkpoint.") from stop
    PartialState().print(f"Done: the model, its card and its scores are in {folder}.")  # the first process
    return 0


def build(options: argparse.Namespace) -> int:
    """Make the notebooks from ``notebooks/source``."""
    from course.workbook.build import main

    return main(options.notebooks, options.solved)


# -- JupyterLab --


def jupyter_command(notebook: Path, port: int, *, browser: bool) -> list[str]:
    """JupyterLab for this machine alone, open on a notebook; it asks nobody for news, updates, extensions."""
    return [
        *(sys.executable, "-m", "jupyterlab", "--ServerApp.log_level=WARN", "--LabApp.log_level=WARN"),
        *(() if browser else ("--no-browser",)),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(f"--ServerApp.root_dir={ROOT}", f"--LabApp.default_url={_page(notebook)}"),
        *(
            "--ServerApp.allow_root=True",
            "--ServerApp.answer_yes=True",
        ),  # in a container; one Ctrl-C is enough
        *("--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"),
        "--LabApp.extension_manager=readonly",
    ]


def jupyter_environment(token: str) -> dict[str, str]:
    """Variables for ``jupyter_command``: the token, and our defaults laid under the user's own settings."""
    ours, theirs = str(Path(__file__).parent / "jupyter"), os.environ.get("JUPYTER_CONFIG_PATH")
    return {
        "JUPYTER_TOKEN": token,  # as an argument it would show in the machine's list of processes
        "JUPYTER_CONFIG_PATH": os.pathsep.join([ours, theirs] if theirs else [ours]),
    }


def address(notebook: Path, port: int, token: str) -> str:
    """Where the browser finds a notebook of the JupyterLab started so."""
    return f"http://127.0.0.1:{port}{_page(notebook)}?token={token}"


def _page(notebook: Path) -> str:
    return "/lab/tree/" + quote(notebook.relative_to(ROOT).as_posix())


def free_port(wanted: int) -> int:
    """The first port from this one on that nothing on the machine listens to."""
    for port in range(wanted, min(wanted + 100, 65536)):
        with socket.socket() as probe:
            if os.name != "nt":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just left is free
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    sys.exit(f"No port from {wanted} on is free: choose another with --port.")
