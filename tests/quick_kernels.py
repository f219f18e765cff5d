"""Jupyter's kernels as forks of a process that has imported torch, for tests that start many.

The process is ``kernels/server.py``, which says more.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ipykernel.kernelspec
import pytest

KERNELS = Path(__file__).parent / "kernels"


@contextmanager
def quick_kernels(folder: Path) -> Iterator[None]:
    """Within, whatever this process or its children start as kernel "python3" is a fork.

    So is what this process's nbval starts as the kernel of its own environment, which it makes by itself.
    """
    if not hasattr(os, "pidfd_open"):
        yield
        return
    address = folder / "socket"
    client = [sys.executable, "-I", "-S", str(KERNELS / "client.py"), str(address), "{connection_file}"]
    spec = folder / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    kernel = {"argv": client, "display_name": "Python 3 (ipykernel)", "language": "python"}
    spec.write_text(json.dumps(kernel), encoding="utf-8")
    server = subprocess.Popen(
        [sys.executable, str(KERNELS / "server.py"), str(address)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        start_new_session=True,  # a Ctrl-C is the tests' to handle
    )
    try:
        assert server.stdout.readline() == b"ready\n", "the server of kernels did not start"
        others = os.environ.get("JUPYTER_PATH")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("JUPYTER_PATH", os.pathsep.join(filter(None, [str(folder), others])))
            patch.setattr(ipykernel.kernelspec, "get_kernel_dict", lambda *_, **__: kernel)
            yield
    finally:
        server.stdin.close()
        server.wait(20)
