"""What the device does with a slow line, a busy server and a body that is too large for either."""

from __future__ import annotations

import gzip
import json
import threading
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
import zstandard

from sync.client import answers
from sync.client.failures import STALLED, BadAddress, Busy, CallRefused, Offline, ServerError
from sync.client.http import HttpRemote, TokenPair
from sync.protocol import SyncRequest
from tests.sync.conftest import ANA
from tests.sync.small import Device, Server, Wire


class Peer:
    """A server of one answer, which says it as slowly as it is told."""

    def __init__(self) -> None:
        self.status, self.headers, self.body = 200, dict[str, str](), b"{}"
        self.pause = 0.0  # before each kilobyte
        self.stuck = threading.Event()  # set: it never answers
        self.heard: dict[str, str] = {}
        self.release = threading.Event()
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                peer.heard = dict(self.headers)
                if peer.stuck.is_set():
                    peer.release.wait(20)
                    return
                self.send_response(peer.status)
                for name, value in peer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(peer.body)))
                self.end_headers()
                for position in range(0, len(peer.body), 1024):
                    peer.release.wait(peer.pause)
                    self.wfile.write(peer.body[position : position + 1024])
                    self.wfile.flush()

            do_GET = do_POST = answer

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.remote = self.open()

    def open(self, stall: float = 30.0) -> HttpRemote:
        tokens = TokenPair("access", "refresh")
        return HttpRemote(f"http://127.0.0.1:{self.server.server_port}", tokens=tokens, stall_timeout=stall)

    def says(self, body: bytes, status: int = 200, **headers: str) -> HttpRemote:
        self.status, self.body = status, body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.remote


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.release.set()
    made.remote.close()
    made.server.shutdown()
    made.server.server_close()


ANSWER = json.dumps({"epoch": 3, "server_time": 5}).encode()


@pytest.mark.parametrize("encoding", ["zstd", "gzip", "identity"])
def test_an_answer_is_read_however_it_is_packed(peer: Peer, encoding: str) -> None:
    packed = {"zstd": zstandard.compress(ANSWER), "gzip": gzip.compress(ANSWER), "identity": ANSWER}[encoding]
    assert peer.says(packed, Content_Encoding=encoding).pull("x").epoch == 3
    assert peer.heard["Accept-Encoding"].startswith("zstd, gzip")


def test_a_gzip_answer_is_as_little_trusted_as_a_zstd_one(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MAX_PLAIN", 1 << 20)
    with pytest.raises(ServerError, match="answer_too_large"):
        peer.says(gzip.compress(bytes(2 << 20)), Content_Encoding="gzip").pull("x")
    with pytest.raises(ServerError, match="answer_damaged"):
        peer.says(b"\x1f\x8b nothing of the kind", Content_Encoding="gzip").pull("x")
    with pytest.raises(Offline, match="cut short"):
        peer.says(gzip.compress(ANSWER)[:-9], Content_Encoding="gzip").pull("x")
    with pytest.raises(BadAddress):
        peer.says(zlib.compress(ANSWER), Content_Encoding="deflate").pull("x")


@pytest.mark.parametrize(
    ("said", "date", "seconds"),
    [
        ("7", "", 7), ("0", "", 1), ("999999", "", 3600), ("-5", "", 30), ("", "", 30), ("soon", "", 30),
        ("Fri, 20 Nov 2026 09:01:00 GMT", "Fri, 20 Nov 2026 09:00:00 GMT", 60),
        ("Fri, 20 Nov 2026 08:00:00 GMT", "Fri, 20 Nov 2026 09:00:00 GMT", 1),
        ("Fri, 20 Nov 2099 08:00:00 GMT", "Fri, 20 Nov 2026 09:00:00 GMT", 3600),
        ("Fri, 99 Nov 2026 09:01:00 GMT", "Fri, 20 Nov 2026 09:00:00 GMT", 30),
        ("Fri, 20 Nov 2026 09:01:00 GMT", "yesterday", 30),
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [429, 503])
def test_the_pause_a_server_asks_for_is_kept_within_reason(said: str, date: str, seconds: int, status: int) -> None:
    class Answer:
        headers = {"Retry-After": said, "Date": date}

    assert answers.retry_after(Answer()) == seconds  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_no_error(peer: Peer, status: int) -> None:
    with pytest.raises(Busy) as caught:
        peer.says(b'{"code":"server_stopping","params":{}}', status, Retry_After="9").pull("x")
    assert (caught.value.retry_after, caught.value.code) == (9, "server_stopping")


def test_a_slow_answer_is_waited_for_as_long_as_it_moves(peer: Peer) -> None:
    """Longer in all than the line may be silent."""
    peer.pause = 0.12
    remote = peer.open(stall=0.6)
    text = json.dumps({"epoch": 3, "digest": {str(n): {"rows": n, "sum": "0" * 16} for n in range(200)}}).encode()
    assert len(text) > 7 * 1024
    peer.says(text)
    assert remote.pull("x").epoch == 3
    remote.close()


def test_a_line_on_which_nothing_moves_is_given_up(peer: Peer) -> None:
    peer.stuck.set()
    remote = peer.open(stall=0.3)
    with pytest.raises(Offline) as caught:
        remote.pull("x")
    assert caught.value.params["reason"] == STALLED
    remote.close()


class Narrow(Wire):
    """A line that carries ``most`` operations at once, and otherwise fails as it is told."""

    most = 3
    failure: Exception = Offline(reason=STALLED)

    def sync(self, request: SyncRequest) -> Any:
        if sum(len(tx.ops) for tx in request.tx) > self.most:
            self.calls.append("too much")
            raise self.failure
        return super().sync(request)


@pytest.mark.parametrize("failure", [Offline(reason=STALLED), CallRefused(413, "body_too_large")], ids=["stall", "413"])
def test_a_push_that_does_not_get_through_is_halved_until_it_does(
    server: Server, device: Callable[[UUID], Device], failure: Exception
) -> None:
    ana = device(ANA)
    ana.wire = narrow = Narrow(server, ANA, ana.wire.device)
    narrow.failure = failure
    for number in range(20):
        ana.add_shop(UUID(int=number + 1), f"shop {number}")
    done = ana.sync()
    assert done.sent == 20 and done.verified
    assert narrow.calls.count("too much") == 3  # 20, 10, 5, and then 2 at once
    assert len(server.rows("shop")) == 20


def test_a_dead_line_is_not_tried_for_ever(server: Server, device: Callable[[UUID], Device]) -> None:
    ana = device(ANA)
    ana.wire = narrow = Narrow(server, ANA, ana.wire.device)
    narrow.most = 0
    for number in range(40):
        ana.add_shop(UUID(int=number + 1), f"shop {number}")
    with pytest.raises(Offline):
        ana.sync()
    assert narrow.calls.count("too much") == 4
    assert server.rows("shop") == {}
    narrow.most = 1000
    assert ana.sync().sent == 40  # kept, and sent when it can be
