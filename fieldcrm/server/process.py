"""A server in a process of its own, for the demo workspace and for tests."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import requests

from fieldcrm.domain.errors import Unavailable

_START_SECONDS = 60.0
_STOP_SECONDS = 15.0


class ServerProcess:
    """``fieldcrm-server run`` on ``folder``; a context that starts it, waits for health, and stops it gracefully.

    It can be started again after ``stop`` or ``kill``, on the same port, as a restarted server would be.
    """

    def __init__(self, folder: Path, *, database: str | None = None, options: Sequence[str] = ()) -> None:
        self._folder = folder
        self._options = [*(["--database", database] if database else []), *options]
        self._process: subprocess.Popen[str] | None = None
        self.url = ""
        self.port = 0

    def start(self) -> ServerProcess:
        """Does nothing when it runs. Raises ``Unavailable("server_did_not_start")`` with what the server said."""
        if self._process is not None:
            return self
        command = [sys.executable, "-m", "fieldcrm.serve", "run", "--json", "--data", str(self._folder)]
        if getattr(sys, "frozen", False):  # in a bundle the program itself is the server too
            command = [sys.executable, "server", "run", "--json", "--data", str(self._folder)]
        command += ["--port", str(self.port), *self._options]
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "server.log").open("a", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, text=True
            )
        assert self._process.stdout is not None
        too_late = threading.Timer(_START_SECONDS, self._process.kill)  # ends the wait for a line that never comes
        too_late.start()
        line = self._process.stdout.readline()  # printed once the port answers
        too_late.cancel()
        try:
            self.url = json.loads(line)["url"]
        except (ValueError, KeyError):
            self.kill()
            raise Unavailable("server_did_not_start", log=self._last_words()) from None
        self.port = int(self.url.rpartition(":")[2])
        return self

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def healthy(self) -> bool:
        try:
            return requests.get(f"{self.url}/v1/health", timeout=5).ok
        except requests.RequestException:
            return False

    def stop(self) -> int:
        """Ask it to stop and wait; gives its exit code, 0 when it ended in order."""
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            return self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return -1
        finally:
            self._close()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._close()

    def __enter__(self) -> ServerProcess:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _close(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    def _last_words(self) -> str:
        return (self._folder / "server.log").read_text(encoding="utf-8", errors="replace")[-2000:]
