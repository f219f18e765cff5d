"""The commands behind ``python -m course``.

This module is imported before the environment exists: the standard library only, the rest inside functions.
"""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import sys
from importlib import import_module
from pathlib import Path
from urllib.parse import quote

from course.training import RECIPES
from course.workbook import bootstrap, copies
from course.workbook.bootstrap import become
from course.workbook.reading import UnreadableNotebook, read_notebook
from course.workbook.update import update

EXAMPLES = """examples:
  python -m course study 3         open your copy of notebook 03 in JupyterLab
  python -m course check 3         are my exercises of notebook 03 right?
  python -m course update          a new version of the course, your answers kept
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
    options = parser.parse_args(arguments)
    if getattr(options, "my", None):
        os.environ[copies.PLACE] = os.path.abspath(options.my)
    _look_for_notebooks(options)
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m course",
        description="Three lectures on Transformers, to run, drag and rebuild.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    command = commands.add_parser("study", help="open your copy of a notebook in JupyterLab")
    command.add_argument("notebook", nargs="?", default="00", metavar="N|PATH", help="default: 00")
    command.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    command.add_argument(
        "--port", type=port, default=8888, help="default: 8888, or the next one that is free"
    )
    _takes_a_folder(command)
    command.set_defaults(run=study)

    command = commands.add_parser("check", help="check the exercises in your notebooks")
    command.add_argument(
        *("notebooks",),
        nargs="*",
        metavar="N|PATH|FOLDER",
        help="numbers or files (default: all with exercises); a folder of handed-in files gives one table",
    )
    command.add_argument("--json", type=new_file, metavar="FILE", help="also write the results to this file")
    command.add_argument("--csv", type=new_file, metavar="FILE", help="where a folder's table is written")
    _takes_a_folder(command)
    command.set_defaults(run=check)

    command = commands.add_parser(
        "update", help="get the course's new version; your answers and cells are kept"
    )
    command.add_argument("--pulled", action="store_true", help=argparse.SUPPRESS)
    command.add_argument("--brought-up", type=int, dest="code", help=argparse.SUPPRESS)
    _takes_a_folder(command)
    command.set_defaults(first=update, run=lambda options: options.code)

    command = commands.add_parser(
        "test",
        help="run every test of the project",
        usage="python -m course test [--fast] [pytest's options]",
        description="--fast leaves out what runs notebooks, a browser, pip or several processes.",
    )
    command.set_defaults(run=test, pytest_arguments=[])

    command = commands.add_parser("train", help="repeat the training of a shipped model, or go on with it")
    command.add_argument("name", choices=RECIPES, metavar="NAME", help=", ".join(RECIPES))
    command.add_argument("--folder", type=new_folder, help="where the run is kept (default: runs/NAME)")
    command.add_argument("--device", help="cpu, cuda, ... (default: cuda where there is one)")
    command.set_defaults(run=train)

    command = commands.add_parser("build", help="for authors: make the notebooks from their sources")
    command.add_argument("notebooks", nargs="*", type=source, metavar="N", help="numbers (default: all)")
    command.add_argument("--force", action="store_true", help="also over what a learner wrote in a notebook")
    command.add_argument("--solved", action="store_true", help="with the exercises solved")
    command.set_defaults(run=build)
    return parser


def _takes_a_folder(command: argparse.ArgumentParser) -> None:
    command.add_argument("--folder", dest="my", type=new_folder, help="where your copies are (default: my/)")


def port(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, not {text!r}")
    return number


def source(text: str) -> str:
    """The number of a notebook that can be built, in two digits."""
    known = [f"{number:02d}" for number in copies.shipped_names()]
    if text.zfill(2) not in known:
        raise argparse.ArgumentTypeError(f"no source for notebook {text}; there are {', '.join(known)}")
    return text.zfill(2)


def new_file(text: str) -> Path:
    """A file that can be written, as far as can be seen before the work."""
    path = Path(text).absolute()
    if path.is_dir() or not path.parent.is_dir():
        wrong = "it is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        raise argparse.ArgumentTypeError(f"{text} cannot be written: {wrong}")
    return path


def new_folder(text: str) -> Path:
    """A folder, there or to be made."""
    path = Path(text).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a file, not a folder")
    return path


# -- which notebook --


def _look_for_notebooks(options: argparse.Namespace) -> None:
    """Turn what was named into paths; exits with code 2 where something is not there."""
    if options.run is study:
        number, path = _number(options.notebook), find_notebook(options.notebook)
        options.notebook = path if number is None else number
    elif options.run is check:
        options.notebooks = [find_notebook(name, folders=True) for name in options.notebooks]


def _number(name: str) -> int | None:
    return int(name) if name.isascii() and name.isdecimal() and len(name) < 3 else None


def find_notebook(name: str, folders: bool = False) -> Path:
    """A notebook by its number (``3``, ``03``) or path; exits with code 2 and a list of those that exist."""
    known = copies.taken()
    if _number(name) in known:
        return known[_number(name)][0]
    path = Path(name).absolute()
    if _number(name) is None and name and (path.is_file() or (folders and path.is_dir())):
        return path
    lines = "\n".join(f"  {number:02d}  {_title(known[number][0])}" for number in known)
    print(f"There is no notebook {name}. These exist:\n{lines or '  none yet'}", file=sys.stderr)
    sys.exit(2)


def _title(path: Path) -> str:
    return path.stem[3:].replace("_", " ")


# -- the commands --


def study(options: argparse.Namespace) -> None:
    """Become JupyterLab, open on a notebook: by number on the learner's copy, made where it is missing."""
    notebook = _copy(options.notebook) if isinstance(options.notebook, int) else options.notebook
    port, token = free_port(options.port), secrets.token_hex(24)
    if port != options.port:
        print(f"Port {options.port} is taken: using {port}.")
    page = address(notebook, port, token)
    print(f"JupyterLab starts in a few seconds; Ctrl-C here stops it.\n  {notebook}\n  {page}")
    os.environ.update(jupyter_environment(token))
    become(jupyter_command(notebook, port, browser=not options.no_browser))


def _copy(number: int) -> Path:
    """The learner's copy of a notebook, after all that are missing were made; says what there is to say."""
    folder = copies.my_folder()
    try:
        made = copies.make(folder)
        mine = copies.by_number(folder).get(number)
        if mine is None:
            sys.exit(str(_why_unreadable(copies.by_number(bootstrap.NOTEBOOKS)[number][0])))
        if made:
            print(f"You work in {folder}: {copies.count(made)} made there. What you write is yours alone.")
        if copies.of_doubles(mine):
            print(copies.of_doubles(mine))
        if copies.is_behind(mine[0]):
            print(
                f"{mine[0].name} is of an older version: `python -m course update` brings it up, "
                "your answers kept."
            )
    except (copies.NoPlace, UnreadableNotebook) as failure:
        sys.exit(str(failure))
    return mine[0]


def _why_unreadable(path: Path) -> UnreadableNotebook | None:
    try:
        read_notebook(path)
    except UnreadableNotebook as error:
        return error
    return None


def check(options: argparse.Namespace) -> int:
    """Exit code 0 only if every exercise is right."""
    folders = [path for path in options.notebooks if path.is_dir()]
    if folders:
        from course.workbook.hand_ins import check_folders

        return check_folders(options.notebooks, options.csv, options.json)
    from course.workbook.grading import run_checks

    known = copies.taken()
    for paths in known.values():
        if paths[0] in options.notebooks and copies.of_doubles(paths):
            print(copies.of_doubles(paths), file=sys.stderr)
    with_exercises = [paths[0] for paths in known.values() if _has_exercises(paths[0])]
    return run_checks(options.notebooks or with_exercises, options.json)


def _has_exercises(notebook: Path) -> bool:
    """Whether a notebook has, or may have: one that cannot be read is to be named by the check."""
    return _why_unreadable(notebook) is not None or "@exercise(" in notebook.read_text(encoding="utf-8-sig")


def test(options: argparse.Namespace) -> None:
    """Become pytest: two workers, and what shares a notebook or a file together in one of them.

    ``--fast`` is ours, everything else is pytest's. nbval is left out: loading it takes seconds, and the
    tests that need it call pytest anew.
    """
    os.chdir(bootstrap.ROOT)
    # Two workers with many threads each get in each other's way.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    theirs = [argument for argument in options.pytest_arguments if argument != "--fast"]
    fast = ("-m", "not slow and not browser") if "--fast" in options.pytest_arguments else ()
    ours = ("-p", "no:nbval", "-n2", "--dist=loadscope", "--no-loadscope-reorder", *fast)
    become([sys.executable, "-m", "pytest", *ours, *theirs])


def train(options: argparse.Namespace) -> int:
    """Train by a recipe, or go on where an interrupted run of it stopped."""
    import torch
    from accelerate import PartialState

    from course.data import DataError
    from course.training.errors import RunError

    folder = options.folder or bootstrap.ROOT / "runs" / options.name
    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        import_module(RECIPES[options.name]).train(folder, device)
    except (DataError, RunError) as error:
        raise SystemExit(f"{error}.") from error
    except KeyboardInterrupt as stop:
        raise SystemExit("\nInterrupted. The same command goes on from the last checkpoint.") from stop
    PartialState().print(f"Done: the model, its card and its scores are in {folder}.")  # the first process
    return 0


def build(options: argparse.Namespace) -> int:
    """Make the notebooks from ``notebooks/source``."""
    from course.workbook.build import main

    return main(options.notebooks, options.solved, options.force)


# -- JupyterLab --


def jupyter_command(notebook: Path, port: int, *, browser: bool) -> list[str]:
    """JupyterLab for this machine alone, open on a notebook; it asks nobody for news, updates, extensions."""
    return [
        *(sys.executable, "-m", "jupyterlab", "--ServerApp.log_level=WARN", "--LabApp.log_level=WARN"),
        *(() if browser else ("--no-browser",)),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(f"--ServerApp.root_dir={root_of(notebook)}", f"--LabApp.default_url={_page(notebook)}"),
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
    return "/lab/tree/" + quote(notebook.relative_to(root_of(notebook)).as_posix())


def root_of(notebook: Path) -> Path:
    """The folder that JupyterLab opens: the course's, or a notebook's own if it lies elsewhere."""
    return bootstrap.ROOT if notebook.is_relative_to(bootstrap.ROOT) else notebook.parent


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
