"""Sends an answer on: named for the log, packed as the client can unpack it."""

from __future__ import annotations

import asyncio
import secrets

import msgspec

from sync.server.bodies import LARGE, Message, Scope, Send, header
from sync.server.compression import COMPRESS_FROM, accepted, compress
from sync.server.refusal import CallRefused

_PACKED = (b"application/json", b"application/vnd.oai", b"text/plain")


class Reply:
    """The ``send`` of one request."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._send = send
        self._method = scope["method"]
        self._encoding = accepted(header(scope["headers"], b"accept-encoding").decode("latin-1"))
        self._start: Message | None = None
        self._parts: list[bytes] = []
        self.status = 0
        self.sent = 0  # bytes of the body, as they went out
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
            self.sent += len(message.get("body", b""))
            await self._send(message)
        else:
            self._parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                await self._finish(self._start, b"".join(self._parts))

    async def refuse(self, refusal: CallRefused) -> None:
        """Answer before the application is asked; the connection ends, because its body may not have been read."""
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        if refusal.retry_after is not None:
            headers.append((b"retry-after", str(refusal.retry_after).encode()))
        body = msgspec.json.encode({"code": refusal.code, "params": refusal.params})
        headers.append((b"content-length", str(len(body)).encode()))
        await self({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await self({"type": "http.response.body", "body": b"" if self._method == "HEAD" else body})

    def _packs(self, message: Message) -> bool:
        return self._encoding is not None and header(message["headers"], b"content-type").startswith(_PACKED)

    async def _finish(self, start: Message, body: bytes) -> None:
        headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        headers.append((b"vary", b"Accept-Encoding"))
        encoding = self._encoding or ""
        if len(body) >= COMPRESS_FROM:
            slow = len(body) >= LARGE
            body = await asyncio.to_thread(compress, body, encoding) if slow else compress(body, encoding)
            headers.append((b"content-encoding", encoding.encode()))
        start["headers"] = [*headers, (b"content-length", str(len(body)).encode())]
        self.sent += len(body)
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})
