"""The door of the server: limits, compression, metrics and the log line of each request.

An ASGI application around the routes, so that a body is limited and unpacked before anything reads it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from sync.server.compression import COMPRESS_FROM, compress, decompress
from sync.server.metrics import Metrics
from sync.server.refusal import CallRefused

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY = 4 * 1024 * 1024 + 64 * 1024  # as it arrives; one blob chunk fits
MAX_PLAIN = 32 * 1024 * 1024
MAX_UNSIGNED = 64 * 1024
STALL_SECONDS = 60.0  # without a byte of the body
MAX_RUNNING = 64
_THREAD_FROM = 64 * 1024  # bytes; above that (un)packing leaves the event loop free

_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})

log = logging.getLogger("sync.server")


class Gate:
    """Wraps ``app``. Refuses with 503 and Retry-After when more than ``MAX_RUNNING`` requests are under way."""

    def __init__(self, app: App, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        answer = _Answer(send, accepts_zstd=_accepts_zstd(scope))
        try:
            await self._handle(scope, receive, answer)
        except _Gone:
            answer.status = 499
        finally:
            self._note(scope, answer, time.perf_counter() - started)

    async def _handle(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        try:
            packed, plain_limit = await _read(scope, receive)
            if self._running >= MAX_RUNNING:
                raise CallRefused(503, "server_busy", retry_after=random.randint(2, 10))
        except CallRefused as refusal:
            await answer.refuse(refusal)
            return
        self._running += 1
        self._metrics.running.inc()
        try:
            try:
                body = await _unpacked(scope, packed, plain_limit)  # counted: what is unpacked can be large
            except CallRefused as refusal:
                await answer.refuse(refusal)
                return
            await self._app(scope, _replay(body, receive), answer)
        finally:
            self._running -= 1
            self._metrics.running.dec()

    def _note(self, scope: Scope, answer: _Answer, seconds: float) -> None:
        route = scope.get("path_template") or "other"
        method = scope["method"] if scope["method"] in _METHODS else "other"  # each name is kept for ever
        self._metrics.requests.labels(route, method, str(answer.status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        line = {
            "request": answer.request_id,
            "method": method,
            "route": route,
            "status": answer.status,
            "ms": round(seconds * 1000, 1),
            "device": scope.get("state", {}).get("device"),
        }
        log.info(json.dumps(line))


class _Gone(Exception):
    """The client closed the connection before its request was whole."""


class _Answer:
    """Sends the answer of the application on, packed when the client can unpack it."""

    def __init__(self, send: Send, *, accepts_zstd: bool) -> None:
        self._send = send
        self._accepts_zstd = accepts_zstd
        self._start: Message | None = None
        self._parts: list[bytes] = []
        self.status = 0
        self.request_id = secrets.token_hex(6)

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [(b"x-request-id", self.request_id.encode()), (b"x-content-type-options", b"nosniff")]
            message["headers"] = [*message.get("headers", []), *headers]
            if self._packs(message):
                self._start = message
            else:
                await self._send(message)
        elif self._start is None:
            await self._send(message)
        else:
            self._parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                await self._finish(self._start, b"".join(self._parts))

    async def refuse(self, refusal: CallRefused) -> None:
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        if refusal.retry_after is not None:
            headers.append((b"retry-after", str(refusal.retry_after).encode()))
        body = msgspec.json.encode({"code": refusal.code, "params": refusal.params})
        headers.append((b"content-length", str(len(body)).encode()))
        await self({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await self({"type": "http.response.body", "body": body})

    def _packs(self, message: Message) -> bool:
        kind = _header(message["headers"], b"content-type")
        return self._accepts_zstd and kind.startswith((b"application/json", b"application/vnd.oai"))

    async def _finish(self, start: Message, body: bytes) -> None:
        headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        headers.append((b"vary", b"Accept-Encoding"))
        if len(body) >= COMPRESS_FROM:
            body = await asyncio.to_thread(compress, body) if len(body) >= _THREAD_FROM else compress(body)
            headers.append((b"content-encoding", b"zstd"))
        start["headers"] = [*headers, (b"content-length", str(len(body)).encode())]
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


async def _read(scope: Scope, receive: Receive) -> tuple[bytes, int]:
    """The whole body as it came, and how long it may be unpacked. Without a token: room for a sign-in, no more."""
    signed = bool(_header(scope["headers"], b"authorization"))
    limit, plain_limit = (MAX_BODY, MAX_PLAIN) if signed else (MAX_UNSIGNED, MAX_UNSIGNED)
    declared = _header(scope["headers"], b"content-length")
    if declared.isdigit() and int(declared) > limit:
        raise CallRefused(413, "body_too_large", limit=limit)
    body = bytearray()
    more = True
    while more:
        message = await _next(receive)
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            raise CallRefused(413, "body_too_large", limit=limit)
    if declared.isdigit() and len(body) < int(declared):
        raise _Gone
    return bytes(body), plain_limit


async def _next(receive: Receive) -> Message:
    try:
        async with asyncio.timeout(STALL_SECONDS):
            message = await receive()
    except TimeoutError:
        raise CallRefused(408, "body_stalled") from None
    if message["type"] == "http.disconnect":
        raise _Gone
    return message


async def _unpacked(scope: Scope, body: bytes, limit: int) -> bytes:
    encoding = _header(scope["headers"], b"content-encoding").strip().lower()
    if encoding in (b"", b"identity"):
        return body
    if encoding != b"zstd":
        raise CallRefused(415, "encoding_unknown")
    packed = (b"content-encoding", b"content-length")  # true of the packed body alone
    scope["headers"] = [(name, value) for name, value in scope["headers"] if name.lower() not in packed]
    if len(body) < _THREAD_FROM:
        return decompress(body, limit)
    return await asyncio.to_thread(decompress, body, limit)


def _replay(body: bytes, receive: Receive) -> Receive:
    """What the application receives: the whole body at once, then what the connection says."""
    sent = False

    async def next_message() -> Message:
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return next_message


def _accepts_zstd(scope: Scope) -> bool:
    accepted = _header(scope["headers"], b"accept-encoding").decode("latin-1").lower()
    return any(
        part.split(";")[0].strip() == "zstd" and "q=0" not in part.replace(" ", "") for part in accepted.split(",")
    )


def _header(headers: Any, wanted: bytes) -> bytes:
    for name, value in headers:
        if name.lower() == wanted:
            return bytes(value)
    return b""
