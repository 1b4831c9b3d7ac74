"""Reads the body of a request, within limits of size and time, and unpacks it before anything looks at it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from sync.server.compression import decompress
from sync.server.refusal import CallRefused

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY = 4 * 1024 * 1024 + 64 * 1024  # bytes as they arrive; one blob chunk fits
MAX_PLAIN = 32 * 1024 * 1024
MAX_UNSIGNED = 64 * 1024
MAX_HEADERS = 16 * 1024  # bytes of names and values together
STALL_SECONDS = 60.0  # without a byte of the body
BODY_SECONDS = 600.0  # for the whole of it: a slow line, not one that holds a place for ever
UNSIGNED_SECONDS = 60.0
LARGE = 64 * 1024  # bytes; above that (un)packing leaves the event loop free


class Gone(Exception):
    """The client closed the connection before its request was whole."""


async def read_body(scope: Scope, receive: Receive) -> tuple[bytes, int]:
    """The whole body as it came, and how long it may be unpacked. Without a token: room for a sign-in, no more.

    Raises ``CallRefused``: "headers_too_large", "body_too_large", "body_stalled"; ``Gone``.
    """
    headers = scope["headers"]
    if sum(len(name) + len(value) for name, value in headers) > MAX_HEADERS:
        raise CallRefused(431, "headers_too_large", limit=MAX_HEADERS)
    signed = bool(header(headers, b"authorization"))
    limit, plain_limit = (MAX_BODY, MAX_PLAIN) if signed else (MAX_UNSIGNED, MAX_UNSIGNED)
    declared = header(headers, b"content-length")
    length = int(declared) if declared.isdigit() and len(declared) < 16 else None
    if length is not None and length > limit:
        raise CallRefused(413, "body_too_large", limit=limit)
    body = await _collected(receive, limit, time.monotonic() + (BODY_SECONDS if signed else UNSIGNED_SECONDS))
    if length is not None and len(body) < length:
        raise Gone
    return body, plain_limit


async def _collected(receive: Receive, limit: int, deadline: float) -> bytes:
    body = bytearray()
    more = True
    while more:
        message = await _next(receive, min(STALL_SECONDS, deadline - time.monotonic()))
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            raise CallRefused(413, "body_too_large", limit=limit)
    return bytes(body)


async def _next(receive: Receive, seconds: float) -> Message:
    if seconds <= 0:  # it kept coming, byte by byte
        raise CallRefused(408, "body_stalled")
    try:
        async with asyncio.timeout(seconds):
            message = await receive()
    except TimeoutError:
        raise CallRefused(408, "body_stalled") from None
    except (OSError, RuntimeError):  # what came is no body by the rules of HTTP: broken chunks
        raise CallRefused(400, "body_damaged") from None
    if message["type"] == "http.disconnect":
        raise Gone
    return message


async def unpacked(scope: Scope, body: bytes, limit: int) -> bytes:
    """The body without its encoding; the scope's headers then speak of that. Raises as ``decompress`` does."""
    encoding = header(scope["headers"], b"content-encoding").decode("latin-1").strip().lower()
    if encoding in ("", "identity"):
        return body
    of_the_packed_body = (b"content-encoding", b"content-length")
    scope["headers"] = [(name, value) for name, value in scope["headers"] if name.lower() not in of_the_packed_body]
    if len(body) < LARGE:
        return decompress(body, limit, encoding)
    return await asyncio.to_thread(decompress, body, limit, encoding)


def replay(body: bytes, receive: Receive) -> Receive:
    """What the application receives: the whole body at once, then what the connection says."""
    sent = False

    async def next_message() -> Message:
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return next_message


def header(headers: Any, wanted: bytes) -> bytes:
    """The first header of that name (lower case), or nothing."""
    for name, value in headers:
        if name.lower() == wanted:
            return bytes(value)
    return b""
