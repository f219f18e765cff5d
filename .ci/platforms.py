"""Which machines and Pythons the pins of requirements.txt can be installed on, as a table.

    pip install uv
    python .ci/platforms.py

Nothing is installed and nothing is run: for each platform and Python, uv looks for a set of wheels that fits
every pin and everything that the pinned packages need. It asks the index for each package by its name.
"""

import datetime
import os
import shutil
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements.txt"
PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = {
    "Linux, x86-64": "x86_64-manylinux_2_28",
    "Linux, ARM": "aarch64-manylinux_2_28",
    "macOS 14, Apple silicon": "aarch64-apple-darwin",
    "macOS, Intel": "x86_64-apple-darwin",
    "Windows, x86-64": "x86_64-pc-windows-msvc",
    "Windows, ARM": "aarch64-pc-windows-msvc",
}


def resolve(uv: str, platform: str, python: str) -> str:
    """ "yes", or the first package that there is no wheel of."""
    command = [uv, "pip", "compile", "--quiet", "--no-header", "--only-binary", ":all:"]
    command += ["--python-platform", platform, "--python-version", python, str(REQUIREMENTS)]
    youngest = {"MACOSX_DEPLOYMENT_TARGET": "14.0"}  # uv supposes an older macOS than PyTorch is made for
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | youngest)
    if done.returncode == 0:
        return "yes"
    words = done.stderr.replace("╰─▶", " ").split()
    pinned = next((word.rstrip(",.") for word in words if "==" in word), "?")
    print(f"{platform}, Python {python}: {' '.join(words)}", file=sys.stderr)
    return f"no: {pinned}"


def main() -> None:
    uv = shutil.which("uv")
    if uv is None:
        raise SystemExit("this needs uv: pip install uv")
    print(f"Resolved on {datetime.date.today()}:\n")
    print(f"| | {' | '.join(f'Python {python}' for python in PYTHONS)} |\n|---|{'---|' * len(PYTHONS)}")
    for name, platform in PLATFORMS.items():
        cells = [resolve(uv, platform, python) for python in PYTHONS]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
