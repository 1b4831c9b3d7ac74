"""Calls the server's application in this process, byte for byte, as a connection would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import zstandard

from sync.server.bodies import App


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    route: str = ""

    def json(self) -> Any:
        return json.loads(self.plain)

    @property
    def plain(self) -> bytes:
        if self.headers.get("content-encoding") == "zstd":
            return zstandard.ZstdDecompressor().decompress(self.body)
        return self.body


class InProcess:
    """One event loop for many calls; a context."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._runner = asyncio.Runner()

    def __enter__(self) -> InProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.close()

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] = b"",
        headers: Mapping[str, str] | None = None,
        *,
        client: str = "127.0.0.1",
    ) -> Answer:
        """``body`` in several pieces arrives in several messages."""
        return self._runner.run(self.call(method, path, body, headers, client=client))

    async def call(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] = b"",
        headers: Mapping[str, str] | None = None,
        *,
        client: str = "127.0.0.1",
    ) -> Answer:
        parts = urlsplit(path)
        pieces = [body] if isinstance(body, bytes) else list(body)
        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
            "method": method, "scheme": "http", "path": parts.path, "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(), "root_path": "", "client": (client, 50000),
            "server": ("127.0.0.1", 80),
            "headers": [(n.lower().encode("latin-1"), text.encode("latin-1")) for n, text in (headers or {}).items()],
        }  # fmt: skip
        answer = Answer()

        async def receive() -> dict[str, Any]:
            if pieces:
                return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}
            await asyncio.sleep(3600)
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {name.decode().lower(): text.decode() for name, text in message["headers"]}
            else:
                answer.body += message.get("body", b"")

        await self._app(scope, receive, send)
        answer.route = scope.get("path_template", "")
        return answer
