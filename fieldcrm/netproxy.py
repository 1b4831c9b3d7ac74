"""A TCP proxy on this machine that breaks connections on purpose, for the played day and the tests.

It stands between a device and its server and cuts the real sockets: nothing above it knows that it is there.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")

_READ_SIZE = 64 * 1024
_SLOW_READ = 2 * 1024  # a slow line is slow evenly


class FaultProxy:
    """Forwards ``127.0.0.1:port`` to the server, until it is told to cut.

    Counts since the start: ``connections`` accepted, ``bytes_up`` from device to server, ``bytes_down`` back,
    ``cuts`` of live connections.
    """

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._listener: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._cut_at: int | None = None  # value of bytes_up at which the connections break
        self._latency = 0.0
        self._rate = 0.0  # bytes per second of each direction of each connection; 0: as fast as it goes
        self._silent = False
        self.port = 0
        self.connections = 0
        self.bytes_up = 0
        self.bytes_down = 0
        self.cuts = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def up(self) -> bool:
        """Whether new connections are accepted."""
        return self._listener is not None

    def start(self) -> FaultProxy:
        """Listen on a free port; raises ``OSError`` when none can be had."""
        self._thread.start()
        self._call(self._listen())
        return self

    def cut(self) -> None:
        """Break every connection and refuse new ones, as when the network goes away."""
        self._call(self._cut(stay_open=False))

    def restore(self) -> None:
        """Accept connections again, on the same port."""
        self._cut_at = None
        if not self.up:
            self._call(self._listen())

    def cut_after(self, count: int) -> None:
        """Break every connection, once, when ``count`` more bytes went up; new connections are accepted at once."""
        self._cut_at = self.bytes_up + count

    def slow_down(self, seconds: float) -> None:
        """Hold back each piece of data by ``seconds``, in both directions."""
        self._latency = seconds

    def throttle(self, rate: float) -> None:
        """Let through no more than ``rate`` bytes per second, each way of each connection; 0 ends it."""
        self._rate = rate

    def fall_silent(self, silent: bool = True) -> None:
        """Accept and answer nothing, as a line that is dead without either side having been told."""
        self._silent = silent

    def stop(self) -> None:
        if not self._thread.is_alive():
            return
        self._call(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> FaultProxy:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    async def _listen(self) -> None:
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def _shut(self) -> None:
        await self._cut(stay_open=False)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _cut(self, *, stay_open: bool) -> None:
        if not stay_open and self._listener is not None:
            self._listener.close()
            self._listener = None
        self.cuts += bool(self._writers)
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self.connections += 1
        self._writers.add(writer)
        try:
            back_reader, back_writer = await asyncio.open_connection(*self._upstream)
        except OSError:
            self._drop(writer)
            return
        self._writers.add(back_writer)
        await asyncio.gather(self._pipe(reader, back_writer, up=True), self._pipe(back_reader, writer, up=False))
        self._drop(writer)
        self._drop(back_writer)

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool) -> None:
        try:
            while data := await reader.read(_SLOW_READ if self._rate else _READ_SIZE):
                if self._silent:
                    continue
                if self._latency or self._rate:
                    await asyncio.sleep(self._latency + (len(data) / self._rate if self._rate else 0))
                if up and self._cut_at is not None and self.bytes_up + len(data) >= self._cut_at:
                    await self._send_last(writer, data[: self._cut_at - self.bytes_up])
                    return
                self._count(len(data), up=up)  # before they go: who got them may look at once
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
        except (OSError, RuntimeError):  # the other side went away, or the connection was cut meanwhile
            self._drop(writer)

    async def _send_last(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        """The bytes up to the cut still arrive, as they would on a real line."""
        self._count(len(data), up=True)
        writer.write(data)
        await writer.drain()
        self._cut_at = None
        await asyncio.sleep(0.05)  # lets the server read them before the reset
        await self._cut(stay_open=True)

    def _count(self, size: int, *, up: bool) -> None:
        if up:
            self.bytes_up += size
        else:
            self.bytes_down += size

    def _drop(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.transport.abort()
