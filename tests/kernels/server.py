"""Kernels in a moment: a process that has imported torch forks one whenever Jupyter asks for it.

Jupyter starts ``client.py`` in place of a kernel (``quick_kernels.py`` tells it so). That asks here for a
fork, hands its own environment, folder and streams over, and from then on stands for the kernel: signals sent
to it go to the kernel, it ends when the kernel does, and when it is killed the kernel is, too. What every
notebook imports from elsewhere is imported here, and nothing of the course. Linux only (pidfd).
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from pathlib import Path

IMPORTED = ("torch", "torch.nn.functional", "jaxtyping", "numpy", "matplotlib.pyplot", "ipykernel.kernelapp",
            "ipykernel.inprocess", "ipywidgets", "anywidget", "IPython.core.completer")  # fmt: skip


def serve(address: str) -> None:
    """Answer until whoever started this process closes its standard input."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    waiting = selectors.DefaultSelector()
    waiting.register(listener, selectors.EVENT_READ, "asks")
    waiting.register(0, selectors.EVENT_READ, "end")
    children: dict[int, tuple[socket.socket, int]] = {}
    print("ready", flush=True)
    while True:
        for key, _ in waiting.select():
            if key.data == "end":
                for pid in children:
                    os.kill(pid, signal.SIGKILL)
                return
            if key.data == "asks":
                asker, _ = listener.accept()
                asked, streams = request(asker)
                pid = os.fork()
                if pid == 0:
                    for inherited in (waiting, listener, asker):
                        inherited.close()
                    become_kernel(asked, streams)
                for stream in streams:
                    os.close(stream)
                asker.sendall(b"%d\n" % pid)
                children[pid] = asker, os.pidfd_open(pid)
                waiting.register(asker, selectors.EVENT_READ, ("gone", pid))
                waiting.register(children[pid][1], selectors.EVENT_READ, ("ended", pid))
            elif key.data[1] in children:
                what, pid = key.data
                if what == "gone":  # the one that stands for the kernel
                    os.kill(pid, signal.SIGKILL)
                asker, ended = children.pop(pid)
                for each in (asker, ended):
                    waiting.unregister(each)
                os.waitpid(pid, 0)
                asker.close()
                os.close(ended)


def request(asker: socket.socket) -> tuple[dict, list[int]]:
    """What a kernel is to have: its environment, folder and connection file; and its streams."""
    _, streams, _, _ = socket.recv_fds(asker, 1, 3)
    with asker.makefile() as lines:
        return json.loads(lines.readline()), streams


def become_kernel(asked: dict, streams: list[int]) -> None:
    """In the fork: be what ``python -m ipykernel_launcher`` would be. Does not return."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.setsid()
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.environ["JPY_PARENT_PID"] = "1"  # else it would watch its parent, which is not the one that asked
    os.chdir(asked["folder"])
    sys.argv = ["ipykernel_launcher", "-f", asked["file"]]
    import torch
    from ipykernel.kernelapp import launch_new_instance

    torch.seed()
    try:
        launch_new_instance()
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def prepare() -> None:
    here = str(Path(__file__).parent)
    sys.path[:] = [folder for folder in sys.path if folder != here]
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # a kernel's, read at the import
    for name in IMPORTED:
        __import__(name)
    threads = len(os.listdir("/proc/self/task"))
    if threads > 1:
        raise SystemExit(f"{threads} threads: a fork would lose all but one (is OMP_NUM_THREADS=1?)")
    gc.freeze()


if __name__ == "__main__":
    prepare()
    serve(sys.argv[1])
