"""Stands for a kernel that ``server.py`` forks: ``python client.py SOCKET CONNECTION_FILE``."""

import json
import os
import signal
import socket
import sys

server = socket.socket(socket.AF_UNIX)
server.connect(sys.argv[1])
socket.send_fds(server, [b"!"], [0, 1, 2])
asked = {"environment": dict(os.environ), "folder": os.getcwd(), "file": sys.argv[2]}
server.sendall(json.dumps(asked).encode() + b"\n")
kernel = int(server.recv(100))
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, _: os.kill(kernel, number))
server.recv(1)  # until the kernel ends
