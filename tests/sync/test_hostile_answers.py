"""A server, or somebody in its place, that answers the device with whatever may hurt it."""

from __future__ import annotations

import json
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import zstandard

from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.usecases import signin
from sync.client.answers import MAX_PLAIN
from sync.client.failures import BadAddress, Busy, RemoteFailure, ServerError
from sync.client.http import HttpRemote, TokenPair

SIGNED = {
    "access": "a", "refresh": "b", "expires_at": 1, "organisation": "0" * 32, "person": "0" * 32,
    "person_name": "Rita", "role": "rep", "sectors": [], "device": 1, "epoch": 1,
}  # fmt: skip


class Hostile:
    def __init__(self) -> None:
        self.status, self.headers, self.body = 200, dict[str, str](), b""
        self.heard: dict[str, str] = {}
        hostile = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                hostile.heard = dict(self.headers)
                self.send_response(hostile.status)
                for name, value in hostile.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(hostile.body)))
                self.end_headers()
                self.wfile.write(hostile.body)

            do_GET = do_POST = do_PATCH = answer

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.remote = HttpRemote(f"http://127.0.0.1:{self.server.server_port}", tokens=TokenPair("access", "refresh"))

    def says(self, status: int, body: Any = None, **headers: str) -> HttpRemote:
        self.status, self.headers = status, {name.replace("_", "-"): value for name, value in headers.items()}
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.remote


@pytest.fixture(scope="module")
def hostile() -> Iterator[Hostile]:
    made = Hostile()
    yield made
    made.remote.close()
    made.server.shutdown()
    made.server.server_close()


def bomb(megabytes: int) -> bytes:
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes))
    return packed + packer.flush()


def test_a_bomb_in_an_answer_is_refused_before_it_takes_the_memory(hostile: Hostile) -> None:
    packed = bomb(1024)
    assert len(packed) < 100_000
    remote = hostile.says(200, packed, Content_Encoding="zstd")
    tracemalloc.start()
    try:
        with pytest.raises(ServerError, match="answer_too_large"):
            remote.pull("x")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 1.6 * MAX_PLAIN  # it was three gigabytes while it was unpacked 64 kB at a time


def test_a_window_that_takes_more_memory_than_the_answer_is_refused(hostile: Hostile) -> None:
    wide = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    packer = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    with pytest.raises(ServerError, match="answer_damaged"):
        hostile.says(200, packer.compress(b"{}" * 500) + packer.flush(), Content_Encoding="zstd").pull("x")


@pytest.mark.parametrize("place", ["http://[::1", "http://127.0.0.1:99999999/", "file:///etc/passwd", "//elsewhere/"])
def test_a_redirect_to_nowhere_or_elsewhere_is_a_bad_address(hostile: Hostile, place: str) -> None:
    with pytest.raises(BadAddress):
        hostile.says(307, b"", Location=place).pull("x")


@pytest.mark.parametrize("offset", ["zz", None, [], -5, 10**30, "\u0663"])
def test_an_offset_that_is_none_is_a_bad_address(hostile: Hostile, offset: Any) -> None:
    with pytest.raises(BadAddress):
        hostile.says(409, {"code": "offset_wrong", "params": {"offset": offset}}).send_blob("a" * 64, 0, b"x")
    with pytest.raises(BadAddress):
        hostile.says(204, b"").send_blob("a" * 64, 0, b"x")


@pytest.mark.parametrize("seconds", ["9" * 5000, "\u00b2", "-1", "soon"])
def test_a_pause_that_is_no_number_is_half_a_minute(hostile: Hostile, seconds: str) -> None:
    with pytest.raises(Busy) as caught:
        hostile.says(503, {"code": "x"}, Retry_After=seconds).pull("x")
    assert caught.value.retry_after == 30


@pytest.mark.parametrize(
    "change",
    [
        {"access": "a\r\nX-More: b"}, {"access": ""}, {"refresh": "\u00e9"}, {"device": 2**70}, {"device": 0},
        {"epoch": 2**70}, {"epoch": -1},
    ],
)  # fmt: skip
def test_tokens_and_numbers_that_cannot_be_are_not_kept(hostile: Hostile, change: dict[str, Any]) -> None:
    kept: list[TokenPair] = []
    hostile.remote._on_tokens = kept.append
    with pytest.raises(BadAddress):
        hostile.says(200, SIGNED | change).sign_in("org", "rita", "password", "device")
    assert kept == []


def test_the_token_goes_out_and_not_a_password_from_netrc(
    hostile: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    hostile.says(200, {"epoch": 1}).pull("x")
    assert hostile.heard["Authorization"] == "Bearer access"


Call = Callable[[HttpRemote], object]


@pytest.mark.parametrize("body", [b"[" * 100_000, b"", b"null", b'{"epoch":"1"}', b"\xff\xfe", b'{"code":5}'])
@pytest.mark.parametrize("status", [200, 401, 403, 404, 422, 500])
def test_no_answer_is_anything_but_a_failure_of_the_call(hostile: Hostile, status: int, body: bytes) -> None:
    calls: list[Call] = [
        lambda r: r.pull("x"), lambda r: r.sign_in("o", "l", "p", "d"), lambda r: r.check_blobs([]),
        lambda r: r.op_status(["x"]), lambda r: r.receipts(["x"]), lambda r: r.new_device("d"),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(RemoteFailure):
            call(hostile.says(status, body))


@pytest.mark.parametrize("change", [{"organisation": "zz"}, {"person": ""}, {"sectors": ["q"]}, {"role": "god"}])
def test_a_sign_in_that_names_nobody_is_an_error_of_the_server(hostile: Hostile, change: dict[str, Any]) -> None:
    hostile.says(200, SIGNED | change)
    with pytest.raises(Unavailable, match="server_error"):
        signin.sign_in(f"http://127.0.0.1:{hostile.server.server_port}", "org", "rita", "password", "device")


def test_what_the_server_says_beside_a_code_cannot_name_the_field(hostile: Hostile) -> None:
    hostile.says(401, {"code": "credentials_wrong", "params": {"field": "server", "code": "x", "self": 1}})
    with pytest.raises(DomainError, match="credentials_wrong") as caught:
        signin.sign_in(f"http://127.0.0.1:{hostile.server.server_port}", "org", "rita", "password", "device")
    assert caught.value.field == "password"
