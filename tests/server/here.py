"""A real server on a real port, but in a thread of this process: what it says to its database can be listened to."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from fieldcrm.server.headquarters import Headquarters
from fieldcrm.server.running import http_server
from sync.server.http import build_app

_START_SECONDS = 20.0


@contextmanager
def serving(hq: Headquarters) -> Iterator[str]:
    """The address of ``hq`` over HTTP."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    loop = asyncio.new_event_loop()
    server = http_server(build_app(hq.parts(), title="test", version="0"), "127.0.0.1", port)

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(server.serve())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()

    thread = threading.Thread(target=run, name="server-here")
    thread.start()
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url)
        yield url
    finally:
        loop.call_soon_threadsafe(server.stop)
        thread.join(timeout=_START_SECONDS)


def _wait(url: str) -> None:
    for _ in range(400):
        try:
            if requests.get(f"{url}/v1/health/live", timeout=1).ok:
                return
        except requests.ConnectionError:
            threading.Event().wait(0.05)
    raise TimeoutError(url)
