"""The door of the server: limits, compression, metrics, the log line of each request, and an orderly end.

An ASGI application around the routes, so that a body is limited and unpacked before anything reads it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time

from sync.server.addresses import Peers
from sync.server.bodies import App, Gone, Receive, Scope, Send, read_body, replay, unpacked
from sync.server.metrics import Metrics
from sync.server.refusal import CallRefused
from sync.server.reply import Reply

MAX_RUNNING = 64
STOP_RETRY = (5, 20)  # seconds: whoever is sent away comes back when the next process is up, not all at once

_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})

log = logging.getLogger("sync.server")


class Gate:
    """Wraps ``app``. Refuses with 503 and Retry-After when more than ``MAX_RUNNING`` requests are under way."""

    def __init__(self, app: App, metrics: Metrics, peers: Peers | None = None) -> None:
        self.app = app
        self._metrics = metrics
        self._peers = peers or Peers()
        self._running = 0
        self._inside = 0  # answered or still being read
        self._idle = asyncio.Event()
        self._reading: set[asyncio.Timeout] = set()
        self.stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        self._peers.introduce(scope)
        reply = Reply(scope, send)
        self._inside += 1
        try:
            await self._handle(scope, receive, reply)
        except Gone:  # nobody hears this, unless it was a body that broke the rules of HTTP
            await reply.refuse(CallRefused(400, "body_damaged"))
            reply.status = 499
        finally:
            self._inside -= 1
            if self.stopping and not self._inside:
                self._idle.set()
            self._note(scope, reply, time.perf_counter() - started)

    async def finish(self, seconds: float) -> bool:
        """Take nothing new and wait until all that was begun is answered; False when ``seconds`` were not enough.

        Bodies that are still coming then are given up: nothing of them was done.
        """
        self.stopping = True
        if not self._inside:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            now = asyncio.get_running_loop().time()
            for reading in self._reading:
                reading.reschedule(now)
            return False
        return True

    async def _handle(self, scope: Scope, receive: Receive, reply: Reply) -> None:
        try:
            if self.stopping:
                raise CallRefused(503, "server_stopping", retry_after=random.randint(*STOP_RETRY))
            self._peers.check(scope)
            packed, plain_limit = await self._read(scope, receive)
            if self._running >= MAX_RUNNING:
                raise CallRefused(503, "server_busy", retry_after=random.randint(2, 10))
        except CallRefused as refusal:
            await reply.refuse(refusal)
            return
        self._running += 1
        self._metrics.running.inc()
        try:
            try:
                body = await unpacked(scope, packed, plain_limit)  # counted: what is unpacked can be large
            except CallRefused as refusal:
                await reply.refuse(refusal)
                return
            await self.app(scope, replay(body, receive), reply)
        finally:
            self._running -= 1
            self._metrics.running.dec()

    async def _read(self, scope: Scope, receive: Receive) -> tuple[bytes, int]:
        try:
            async with asyncio.timeout(None) as reading:
                self._reading.add(reading)
                try:
                    return await read_body(scope, receive)
                finally:
                    self._reading.discard(reading)
        except TimeoutError:
            raise CallRefused(503, "server_stopping", retry_after=random.randint(*STOP_RETRY)) from None

    def _note(self, scope: Scope, reply: Reply, seconds: float) -> None:
        self._peers.note(scope, reply.status)
        route = scope.get("path_template") or "other"
        method = scope["method"] if scope["method"] in _METHODS else "other"  # each name is kept for ever
        self._metrics.requests.labels(route, method, str(reply.status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        known = scope.get("state", {})
        line = {
            "request": reply.request_id,
            "method": method,
            "route": route,
            "status": reply.status,
            "ms": round(seconds * 1000, 1),
            "bytes": reply.sent,
            "org": known.get("org"),
            "device": known.get("device"),
        }
        log.info("request", extra={"said": line})
