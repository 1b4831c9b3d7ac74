"""The server over HTTP, as the client engine sees it (``sync.protocol.Remote``)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import msgspec
import requests
import zstandard
from requests.exceptions import ChunkedEncodingError, ConnectionError, SSLError, Timeout
from urllib3.exceptions import HTTPError as TransportError

from sync.client.answers import body_of, certificate_failure, reason_of, retry_after
from sync.client.failures import (
    BadAddress,
    Busy,
    CallRefused,
    NeedsSignIn,
    Offline,
    RemoteFailure,
    Revoked,
    ServerError,
)
from sync.client.tokens import TokenPair
from sync.protocol import (
    EPOCH_SHIFT,
    BlobOffer,
    BlobState,
    Deposit,
    DepositAnswer,
    NewDeviceRequest,
    PastPage,
    Receipt,
    RefreshRequest,
    RowsRequest,
    SignedIn,
    SignInRequest,
    SnapshotOffer,
    SnapshotsRequest,
    SyncRequest,
    SyncResponse,
    VerifyAnswer,
    VerifyRequest,
)

__all__ = ["HttpRemote", "TokenPair"]

CONNECT_TIMEOUT = 5.0  # seconds
STALL_TIMEOUT = 30.0  # seconds without a single byte, however long the whole answer takes
SNAPSHOT_PIECE = 1024 * 1024  # bytes asked for at once: what a broken line costs at most
_COMPRESS_FROM = 512  # bytes; below that a frame header costs more than it saves
_REDIRECTS = 3
_ENCODINGS = "zstd, gzip;q=0.5, identity;q=0.1"  # gzip for a proxy that packs anew
_JSON = {"Content-Type": "application/json"}
_EXPIRED = frozenset({"token_expired"})

T = TypeVar("T")


class HttpRemote:
    """Calls one server for one device; may be used from several threads.

    ``on_tokens`` is called with each new pair, before it is used, so that it can be kept: a pair that is lost
    costs a sign-in. ``certificate`` is the path of a certificate authority to trust instead of the system's.
    """

    def __init__(
        self,
        url: str,
        *,
        tokens: TokenPair | None = None,
        on_tokens: Callable[[TokenPair], None] | None = None,
        certificate: str | None = None,
        program: str = "",
        connect_timeout: float = CONNECT_TIMEOUT,
        stall_timeout: float = STALL_TIMEOUT,
    ) -> None:
        self._base = _checked(url)
        self._tokens = tokens
        self._on_tokens = on_tokens
        self._timeout = (connect_timeout, stall_timeout)
        self._lock = threading.Lock()
        self._session = requests.Session()
        # Else requests puts a name and password from ~/.netrc in the place of our token.
        self._session.auth = _as_it_is
        self._session.headers.update({"Accept": "application/json", "Accept-Encoding": _ENCODINGS})
        if program:
            self._session.headers["User-Agent"] = program
        # Given with each request: what requests finds in the environment goes before the session's own.
        self._verify: str | bool = certificate if certificate is not None else True

    def close(self) -> None:
        self._session.close()

    # -- signing in

    def sign_in(
        self,
        organisation: str,
        login: str,
        password: str,
        device_name: str,
        device: int | None = None,
        *,
        code: str = "",
        device_key: str = "",
    ) -> SignedIn:
        """A session on a new device, or on ``device`` when this account had it before.

        ``code``: the second factor, where the server asks for it; ``device_key``: what proves that it need not.
        Raises ``CallRefused``: "credentials_wrong", "second_factor_needed", "wrong_second_factor",
        "second_factor_missing"; ``Busy("too_many_attempts")``, ``Revoked``.
        """
        request = SignInRequest(organisation, login, password, device_name, device, code, device_key)
        return self._keep(self._ask("POST", "/v1/sign-in", SignedIn, request, signed=False))

    def refresh(self) -> None:
        """A new pair of tokens for the present one; raises ``NeedsSignIn`` when that is no longer good."""
        with self._lock:
            self._refresh()

    def new_device(self, device_name: str) -> SignedIn:
        """Another device number: this device's database turned out to be a copy of another's."""
        key = self._tokens.device_key if self._tokens is not None else ""
        return self._keep(self._ask("POST", "/v1/devices", SignedIn, NewDeviceRequest(device_name, key)))

    # -- Remote

    def sync(self, request: SyncRequest) -> SyncResponse:
        try:
            return self._ask("POST", "/v1/sync", SyncResponse, request)
        except Revoked:
            return SyncResponse(request.epoch, control="revoked")

    def pull(self, token: str) -> SyncResponse:
        return self._ask("GET", "/v1/sync/pull", SyncResponse, params={"token": token})

    def check_blobs(self, offers: list[BlobOffer]) -> list[BlobState]:
        return self._ask("POST", "/v1/blobs/check", list[BlobState], offers)

    def send_blob(self, sha256: str, offset: int, chunk: bytes) -> BlobState:
        """Send one piece. A piece at the wrong place is no error: the answer says which one is wanted."""
        return self._piece(sha256, lambda: self._call("PATCH", f"/v1/blobs/{sha256}", chunk, _piece(offset)))

    def _piece(self, sha256: str, send: Callable[[], tuple[requests.Response, bytes]]) -> BlobState:
        try:
            answer, _ = send()
        except CallRefused as refusal:
            if refusal.code == "offset_wrong":
                return BlobState(sha256, False, self._offset(refusal.params.get("offset")))
            raise
        complete = answer.headers.get("Upload-Complete") == "?1"
        return BlobState(sha256, complete, self._offset(answer.headers.get("Upload-Offset")))

    def fetch_blob(self, sha256: str, offset: int = 0) -> bytes:
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        _, content = self._call("GET", f"/v1/blobs/{sha256}", None, headers)
        return content

    def op_status(self, ops: list[str]) -> list[str]:
        """Which of these operations the server knows."""
        return self._ask("POST", "/v1/ops/status", list[str], ops)

    def receipts(self, submissions: list[str]) -> list[Receipt]:
        """What headquarters holds of these submissions."""
        return self._ask("POST", "/v1/receipts", list[Receipt], submissions)

    def history(self, collection: str, id: str, before: str = "") -> PastPage:
        """A page of who changed a record; ``CallRefused(404)`` for one that is not this person's."""
        params = {"before": before} if before else None
        return self._ask("GET", f"/v1/records/{collection}/{id}/history", PastPage, params=params)

    def snapshots(self, buckets: list[str]) -> list[SnapshotOffer]:
        """Prebuilt files of those of these buckets that have one; none from a server that does not know of them."""
        try:
            return self._ask("POST", "/v1/sync/snapshots", list[SnapshotOffer], SnapshotsRequest(buckets))
        except CallRefused as refusal:
            if refusal.status in (404, 405):
                return []
            raise

    def fetch_snapshot(self, sha256: str, offset: int = 0) -> bytes:
        """The next piece of a file, from ``offset`` on; ``CallRefused(404, "snapshot_unknown")`` when it is gone."""
        return self._fetch(f"/v1/sync/snapshots/{sha256}", offset)

    def fetch_file(self, sha256: str, offset: int) -> bytes:
        """The next piece of a file kept for devices; ``CallRefused(404, "file_unknown")`` when it is gone."""
        return self._fetch(f"/v1/files/{sha256}", offset)

    def _fetch(self, path: str, offset: int) -> bytes:
        headers = {"Range": f"bytes={offset}-{offset + SNAPSHOT_PIECE - 1}"}
        answer, content = self._call("GET", path, None, headers)
        said = answer.headers.get("Content-Range", "")
        if answer.status_code != 206 or not said.startswith(f"bytes {offset}-") or len(content) > SNAPSHOT_PIECE:
            raise BadAddress(url=self._base)
        return content

    def verify(self, request: VerifyRequest) -> VerifyAnswer:
        return self._ask("POST", "/v1/sync/verify", VerifyAnswer, request)

    def rows(self, request: RowsRequest) -> SyncResponse:
        return self._ask("POST", "/v1/sync/rows", SyncResponse, request)

    def deposit(self, request: Deposit) -> DepositAnswer:
        """A part of what this device could not send before it was shut out; by its own key, whatever its tokens."""
        _, content = self._call(
            "POST", "/v1/deposit", msgspec.json.encode(request), self._last_right() | _JSON, signed=False
        )
        try:
            return msgspec.json.decode(content, type=DepositAnswer)
        except (msgspec.DecodeError, RecursionError):
            raise BadAddress(url=self._base) from None

    def deposit_blob(self, sha256: str, offset: int, chunk: bytes) -> BlobState:
        """One piece of a photo that the deposit names."""
        headers = self._last_right() | _piece(offset)
        return self._piece(sha256, lambda: self._call("PATCH", f"/v1/deposit/{sha256}", chunk, headers, signed=False))

    def _last_right(self) -> dict[str, str]:
        if self._tokens is None or not self._tokens.device_key:
            raise NeedsSignIn()
        return {"Authorization": f"Deposit {self._tokens.device_key}"}

    # -- calls

    def _offset(self, said: Any) -> int:
        text = str(said)
        if not (text.isascii() and text.isdigit() and len(text) <= 12):
            raise BadAddress(url=self._base)
        return int(text)

    def _ask(
        self,
        method: str,
        path: str,
        kind: type[T],
        body: Any = None,
        *,
        params: Mapping[str, str] | None = None,
        signed: bool = True,
    ) -> T:
        content = None if body is None else msgspec.json.encode(body)
        headers = {"Content-Type": "application/json"} if content is not None else {}
        _, answer = self._call(method, path, content, headers, params=params, signed=signed)
        try:
            return msgspec.json.decode(answer, type=kind)
        except (msgspec.DecodeError, RecursionError):
            raise BadAddress(url=self._base) from None

    def _call(
        self,
        method: str,
        path: str,
        content: bytes | None,
        headers: dict[str, str],
        *,
        params: Mapping[str, str] | None = None,
        signed: bool = True,
    ) -> tuple[requests.Response, bytes]:
        if content is not None and len(content) >= _COMPRESS_FROM and "Upload-Offset" not in headers:
            # Level 1: half the time of 3, and of operations, full of random ids, a little shorter too.
            content = zstandard.ZstdCompressor(level=1).compress(content)
            headers = headers | {"Content-Encoding": "zstd"}
        if not signed:
            return self._send(method, path, content, headers, params)
        tokens = self._tokens
        if tokens is None:
            raise NeedsSignIn()
        try:
            return self._send(method, path, content, headers | _bearer(tokens), params)
        except NeedsSignIn as failure:
            if failure.code not in _EXPIRED:
                raise
        with self._lock:
            if self._tokens is tokens:  # else another thread has refreshed them meanwhile
                self._refresh()
            tokens = self._tokens
        return self._send(method, path, content, headers | _bearer(tokens), params)

    def _refresh(self) -> None:
        if self._tokens is None:
            raise NeedsSignIn()
        request = RefreshRequest(self._tokens.refresh)
        self._keep(self._ask("POST", "/v1/token", SignedIn, request, signed=False))

    def _keep(self, answer: SignedIn) -> SignedIn:
        tokens_fit = _is_token(answer.access) and _is_token(answer.refresh)
        tokens_fit = tokens_fit and (not answer.device_key or _is_token(answer.device_key))
        if not (tokens_fit and 0 < answer.device < 2**31 and 0 <= answer.epoch < 1 << (63 - EPOCH_SHIFT)):
            raise BadAddress(url=self._base)
        key = answer.device_key or (self._tokens.device_key if self._tokens is not None else "")
        tokens = TokenPair(answer.access, answer.refresh, key)
        if self._on_tokens is not None:
            self._on_tokens(tokens)
        self._tokens = tokens
        return answer

    def _send(
        self,
        method: str,
        path: str,
        content: bytes | None,
        headers: dict[str, str],
        params: Mapping[str, str] | None,
    ) -> tuple[requests.Response, bytes]:
        url = self._base + path
        try:
            for _ in range(_REDIRECTS):
                answer = self._session.request(
                    method,
                    url,
                    data=content,
                    headers=headers,
                    params=params,
                    timeout=self._timeout,
                    verify=self._verify,
                    allow_redirects=False,
                    stream=True,
                )
                if not answer.is_redirect:
                    return answer, self._read(answer)
                url = self._followed(url, answer)
        except SSLError as error:
            raise certificate_failure(error, self._base) from error
        except ValueError as error:  # an address, a host name or the target of a redirect that cannot be one
            raise BadAddress(url=self._base) from error
        except (ConnectionError, Timeout, ChunkedEncodingError, TransportError, OSError) as error:
            raise Offline(reason=reason_of(error)) from error
        raise BadAddress(url=self._base)

    def _followed(self, url: str, answer: requests.Response) -> str:
        """Tokens and reports never go to another host than the one that the person named."""
        answer.close()
        try:
            target = urljoin(url, answer.headers["Location"])
            same = urlsplit(target)[:2] == urlsplit(url)[:2]
        except ValueError:  # no address at all
            same = False
        if answer.status_code not in (307, 308) or not same:
            raise BadAddress(url=self._base)
        return target

    def _read(self, answer: requests.Response) -> bytes:
        with answer:
            content = body_of(answer)
        if answer.ok:
            return content
        raise self._failure(answer, content)

    def _failure(self, answer: requests.Response, content: bytes) -> RemoteFailure:
        try:
            problem = msgspec.json.decode(content, type=_Problem)
        except (msgspec.DecodeError, RecursionError):
            problem = None
        status = answer.status_code
        if status in (429, 503):
            return Busy(retry_after(answer), problem.code if problem else None)
        if status >= 500:
            return ServerError(problem.code if problem else None, status=status)
        if problem is None or not problem.code:
            return BadAddress(url=self._base)
        if problem.code == "device_revoked":
            return Revoked()
        if status == 401 and problem.code.startswith("token_"):
            return NeedsSignIn(problem.code)
        return CallRefused(status, problem.code, **problem.params)


class _Problem(msgspec.Struct):
    code: str
    params: dict[str, Any] = {}


def _checked(url: str) -> str:
    parts = urlsplit(url.strip())
    try:
        valid = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:  # a port that is no number
        valid = False
    if not valid or parts.username or parts.query or parts.fragment:
        raise BadAddress(url=url)
    return url.strip().rstrip("/")


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _piece(offset: int) -> dict[str, str]:
    return {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}


def _bearer(tokens: TokenPair | None) -> dict[str, str]:
    if tokens is None:
        raise NeedsSignIn()
    return {"Authorization": f"Bearer {tokens.access}"}


def _is_token(text: str) -> bool:
    """Whether it can stand in a header."""
    return 0 < len(text) <= 1000 and text.isascii() and text.isprintable()
