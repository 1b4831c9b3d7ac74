"""Several processes that answer on one port, kept alive by the one that started them.

The kernel hands each new connection to one of them (SO_REUSEPORT, on Linux). They share nothing but the database and
the data folder, so any may answer any request, and one that dies is started again without the others noticing.
"""

from __future__ import annotations

import json
import logging
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence

from fieldcrm.domain.errors import Unavailable

_STOP_SECONDS = 20.0
_PAUSE = 2.0  # before a worker that died is started again

log = logging.getLogger(__name__)


def free_port(host: str, port: int) -> tuple[socket.socket, int]:
    """Hold ``port``, or a free one for 0, for the workers to listen on. Raises ``Unavailable("port_taken")``."""
    holder = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        holder.bind((host, port))  # without sharing: refused while anybody else listens there
        number = int(holder.getsockname()[1])
        holder.close()
        holder = socket.socket(holder.family, socket.SOCK_STREAM)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind((host, number))
    except OSError as error:
        holder.close()
        raise Unavailable("port_taken", host=host, port=port, reason=error.strerror or "") from error
    return holder, number


class Workers:
    """``commands``: one for each worker; each prints a JSON line with its address once it answers."""

    def __init__(self, commands: Sequence[Sequence[str]]) -> None:
        self._commands = commands
        self._running: list[subprocess.Popen[str]] = []
        self._stop = threading.Event()

    def run(self, started: Callable[[str], None]) -> None:
        """Until SIGINT or SIGTERM; then each worker ends what it is at. Raises ``Unavailable("worker_failed")``."""
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: self._stop.set())
        try:
            self._running = [_start(command) for command in self._commands]
            addresses = [_address(worker) for worker in self._running]
            started(addresses[0])
            while not self._stop.wait(_PAUSE):
                self._revive()
        finally:
            self._end()

    def _revive(self) -> None:
        for number, worker in enumerate(self._running):
            if worker.poll() is not None:
                log.error(json.dumps({"worker": number, "ended": worker.returncode}))
                _close(worker)
                self._running[number] = _start(self._commands[number])

    def _end(self) -> None:
        for worker in self._running:
            worker.terminate()
        for worker in self._running:
            try:
                worker.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
            _close(worker)


def own_command() -> list[str]:
    """How this program starts itself as a server, from a clone, a wheel or a bundle."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "server"]
    return [sys.executable, "-m", "fieldcrm.serve"]


def _start(command: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)


def _address(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout is not None
    line = worker.stdout.readline()  # empty when it ended instead; why, it said on standard error
    try:
        return str(json.loads(line)["url"])
    except (ValueError, KeyError):
        raise Unavailable("worker_failed", pid=worker.pid) from None


def _close(worker: subprocess.Popen[str]) -> None:
    if worker.stdout is not None:
        worker.stdout.close()
