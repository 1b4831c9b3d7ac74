"""The gate in front of the routes: headers, proxies, TLS, and bodies that are not what they say."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from fieldcrm.domain.errors import DomainError
from fieldcrm.server import running
from fieldcrm.server.headquarters import Headquarters, open_headquarters
from fieldcrm.server.process import ServerProcess
from sync.server import bodies
from sync.server.addresses import GUESSES, Peers
from sync.server.compression import accepted
from sync.server.http import build_app
from sync.server.refusal import CallRefused
from tests.server.asgi import InProcess
from tests.server.conftest import CHEAP, Company, found
from tests.server.test_restart import certificate  # noqa: F401  # a fixture


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("door")
    open_headquarters(folder, None, lambda: datetime.now(UTC), hasher=CHEAP).close()
    with ServerProcess(folder) as process:
        yield process


@pytest.fixture
def app(hq: Headquarters) -> Iterator[InProcess]:
    with InProcess(build_app(hq.parts(), title="x", version="1")) as made:
        yield made


# -- byte for byte


def spoken(url: str, *pieces: bytes) -> bytes:
    """What the server answers to these bytes, until it closes or falls silent."""
    where = urlsplit(url)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=5) as line:
        line.settimeout(1.5)
        heard = b""
        try:
            for piece in pieces:
                line.sendall(piece)
            while more := line.recv(65536):
                heard += more
        except (TimeoutError, ConnectionError):
            pass
    return heard


POST = b"POST /v1/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
SMUGGLED = b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        POST + b"Content-Length: 5\r\nContent-Length: 50\r\n\r\n{}" + SMUGGLED,
        POST + b"Content-Length: -1\r\n\r\n{}" + SMUGGLED,
        POST + b"Content-Length: 2, 2\r\n\r\n{}" + SMUGGLED,
        POST + b"Content-Length: 0x2\r\n\r\n{}" + SMUGGLED,
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"X-Bad\x00Name: 1\r\n\r\n",
        b"\x16\x03\x01\x02\x00 no HTTP at all",
    ],
)
def test_a_request_of_two_lengths_at_once_smuggles_nothing_in(plain: ServerProcess, request_: bytes) -> None:
    heard = spoken(plain.url, request_)
    assert b"HTTP/1.1 200" not in heard
    assert heard == b"" or heard.startswith(b"HTTP/1.1 4")


def test_a_body_shorter_than_it_says_is_never_taken_for_whole(plain: ServerProcess) -> None:
    body = b'{"refresh":"x"}'
    heard = spoken(plain.url, POST + b"Content-Length: 500\r\n\r\n" + body)
    assert b"HTTP/1.1 401" not in heard  # the token would have been looked up


@pytest.mark.parametrize("size", [17 * 1024, 600 * 1024])
def test_headers_that_are_too_long_are_refused(plain: ServerProcess, size: int) -> None:
    heard = spoken(plain.url, b"GET /v1/health HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * size + b"\r\n\r\n")
    assert heard.startswith((b"HTTP/1.1 431", b"HTTP/1.1 400")) or heard == b""
    if size < 100_000:
        assert b"headers_too_large" in heard


def test_a_body_that_stalls_or_drips_is_given_up(app: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "STALL_SECONDS", 0.05)
    answer = app.ask("POST", "/v1/token", [], {"Content-Type": "application/json"})
    assert (answer.status, answer.json()["code"]) == (408, "body_stalled")
    monkeypatch.setattr(bodies, "STALL_SECONDS", 60)
    monkeypatch.setattr(bodies, "UNSIGNED_SECONDS", -1.0)  # as if it had dripped for a minute
    assert app.ask("POST", "/v1/token", b"{}").status == 408


# -- packing


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("zstd, gzip", "zstd"), ("gzip, zstd;q=0", "gzip"), ("gzip;q=0.5", "gzip"), ("", None), ("br", None),
        ("identity", None), ("*", "gzip"), ("gzip;q=0.0", None), ("ZSTD", "zstd"), ("gzip;q=x", "gzip"),
    ],
)  # fmt: skip
def test_an_answer_is_packed_as_the_caller_can_unpack_it(said: str, expected: str | None) -> None:
    assert accepted(said) == expected


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_long_answer_comes_packed_and_says_so(app: InProcess, encoding: str) -> None:
    whole = app.ask("GET", "/v1/schema/openapi.json")
    packed = app.ask("GET", "/v1/schema/openapi.json", headers={"Accept-Encoding": encoding})
    assert packed.headers["content-encoding"] == encoding and packed.headers["vary"] == "Accept-Encoding"
    assert int(packed.headers["content-length"]) == len(packed.body) < len(whole.body) / 3
    unpacked = gzip.decompress(packed.body) if encoding == "gzip" else packed.plain
    assert json.loads(unpacked) == whole.json()


# -- who is at the other end


def scope(client: str, path: str = "/v1/sign-in", **headers: str) -> dict[str, Any]:
    made = [(name.replace("_", "-").lower().encode(), text.encode()) for name, text in headers.items()]
    return {"client": (client, 1), "headers": made, "path": path, "scheme": "http"}


@pytest.mark.parametrize(
    ("client", "told", "expected", "scheme"),
    [
        ("9.9.9.9", "1.2.3.4", "9.9.9.9", "http"),  # a stranger's word
        ("10.0.0.1", "1.2.3.4", "1.2.3.4", "https"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4", "https"),  # what stands before was written by the stranger
        ("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2", "1.2.3.4", "https"),  # through two proxies of ours
        ("10.0.0.1", "nobody", "10.0.0.1", "https"),
        ("10.0.0.1", "", "10.0.0.1", "https"),
        ("fd00::1", "2001:db8::5", "2001:db8::5", "https"),
        ("", "1.2.3.4", "", "http"),
    ],
)
def test_forwarded_headers_count_from_a_trusted_proxy_alone(client: str, told: str, expected: str, scheme: str) -> None:
    peers = Peers(["10.0.0.0/8", "fd00::/8"])
    made = scope(client, X_Forwarded_For=told, X_Forwarded_Proto="https", Other="x")
    peers.introduce(made)
    assert (made["client"][0], made["scheme"]) == (expected, scheme)
    assert [name for name, _ in made["headers"]] == [b"other"]


def test_an_address_that_guesses_too_often_waits_and_others_do_not() -> None:
    now = [0.0]
    peers = Peers(clock=lambda: now[0])
    for _ in range(GUESSES):
        peers.check(scope("9.9.9.9"))
        peers.note(scope("9.9.9.9"), 401)
    with pytest.raises(CallRefused, match="too_many_attempts") as caught:
        peers.check(scope("9.9.9.9"))
    assert caught.value.retry_after == 301
    peers.check(scope("9.9.9.8"))
    peers.check(scope("9.9.9.9", "/v1/sync"))  # whoever is signed in goes on
    now[0] = 301
    peers.check(scope("9.9.9.9"))


def test_a_proxy_that_is_no_address_is_named(tmp_path: Path) -> None:
    hq = open_headquarters(tmp_path, None, lambda: datetime.now(UTC), hasher=CHEAP)
    try:
        with pytest.raises(DomainError, match="proxy_address_invalid"):
            running.serve(hq, running.Place(proxies=("my proxy",)), version="1", started=print)
    finally:
        hq.close()


# -- TLS


def shaken(url: str, public: Path, highest: ssl.TLSVersion) -> str | None:
    context = ssl.create_default_context(cafile=str(public))
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = highest
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    where = urlsplit(url)
    with ExitStack() as stack:
        raw = stack.enter_context(socket.create_connection((where.hostname or "", where.port or 0), timeout=5))
        return stack.enter_context(context.wrap_socket(raw, server_hostname="localhost")).version()


@pytest.mark.filterwarnings("ignore:.*TLSv1.*:DeprecationWarning", "ignore:.*MINIMUM_SUPPORTED:DeprecationWarning")
def test_nothing_older_than_tls_1_2_is_spoken(tmp_path: Path, certificate: tuple[Path, Path]) -> None:  # noqa: F811
    public, private = certificate
    hq = open_headquarters(tmp_path, None, lambda: datetime.now(UTC), hasher=CHEAP)
    company: Company = found(hq)
    hq.close()
    assert company.code
    with ServerProcess(tmp_path, options=["--certificate", str(public), "--key", str(private)]) as process:
        assert shaken(process.url, public, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
        assert shaken(process.url, public, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
        with pytest.raises((ssl.SSLError, ConnectionError)):
            shaken(process.url, public, ssl.TLSVersion.TLSv1_1)
