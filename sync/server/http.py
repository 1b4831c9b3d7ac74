"""The routes of the server: each checks who calls, and hands on to the part that knows."""

from __future__ import annotations

import errno
import logging
import re
import traceback
from collections.abc import Awaitable, Callable, Iterable
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar, cast

import msgspec
from anyio import to_thread
from litestar import Litestar, MediaType, Request, Response, get, head, patch, post
from litestar.config.response_cache import ResponseCacheConfig
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sync.columns import to_milliseconds
from sync.protocol import (
    PROTOCOL_VERSION,
    BlobOffer,
    BlobState,
    NewDeviceRequest,
    Receipt,
    RefreshRequest,
    SignedIn,
    SignInRequest,
    SyncRequest,
    SyncResponse,
)
from sync.server.auth import Identity, Tokens
from sync.server.gate import MAX_PLAIN, App, Gate
from sync.server.parts import Parts
from sync.server.ports import Refused
from sync.server.refusal import CallRefused

MAX_IDS = 1_000  # in one question
MAX_DEPTH = 40  # of JSON values inside an operation
_RANGE = re.compile(r"bytes=(\d{1,12})-(\d{0,12})")

Item = TypeVar("Item")
Parameters = ParamSpec("Parameters")

log = logging.getLogger("sync.server")


class Health(msgspec.Struct):
    status: str
    protocol: int


class ErrorBody(msgspec.Struct):
    """Every answer that is not a success: a stable code, and parameters for the sentence."""

    code: str
    params: dict[str, Any] = {}


def build_app(parts: Parts, *, title: str, version: str) -> Gate:
    """The ASGI application."""
    app = Litestar(
        route_handlers=[
            sign_in,
            refresh,
            add_device,
            sync,
            pull,
            operation_status,
            check_blobs,
            blob_progress,
            send_blob,
            read_blob,
            receipts,
            health,
            metrics,
        ],
        state=State({"parts": parts}),
        exception_handlers={
            CallRefused: _answer_refused,
            Refused: _answer_rule,
            HTTPException: _answer_http,
            RecursionError: _answer_unreadable,
            Exception: _answer_failure,
        },
        openapi_config=OpenAPIConfig(
            title=title, version=version, path="/v1/schema", render_plugins=[JsonRenderPlugin(path="/openapi.json")]
        ),
        request_max_body_size=MAX_PLAIN,
        response_cache_config=ResponseCacheConfig(default_expiration=0),
        logging_config=None,
        debug=False,
    )
    return Gate(cast(App, app), parts.metrics)


def in_thread(handler: Callable[Parameters, Item]) -> Callable[Parameters, Awaitable[Item]]:
    """Run a handler on a thread. Litestar's own switch for it fails when a path has several handlers (2.25)."""

    @wraps(handler)
    async def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Item:
        return await to_thread.run_sync(partial(handler, *args, **kwargs))

    return run


# -- signing in


@post("/v1/sign-in", status_code=200)
@in_thread
def sign_in(data: SignInRequest, state: State) -> SignedIn:
    """Tokens for a new device, or for the number that this device had before."""
    parts: Parts = state.parts
    try:
        identity, tokens = parts.auth.sign_in(
            data.organisation,
            data.login,
            data.password,
            device_name=data.device_name,
            device_no=data.device,
            now=parts.clock(),
        )
    except CallRefused as refusal:
        parts.metrics.sign_ins.labels(refusal.code).inc()
        raise
    parts.metrics.sign_ins.labels("ok").inc()
    return _signed_in(parts, identity, tokens)


@post("/v1/token", status_code=200)
@in_thread
def refresh(data: RefreshRequest, state: State) -> SignedIn:
    """A new pair of tokens; the old refresh token is then good for nothing."""
    parts: Parts = state.parts
    return _signed_in(parts, *parts.auth.refresh(data.refresh, now=parts.clock()))


@post("/v1/devices", status_code=200)
@in_thread
def add_device(data: NewDeviceRequest, request: Request[Any, Any, State]) -> SignedIn:
    """Another number for a device whose database turned out to be a copy."""
    parts, identity = _caller(request)
    return _signed_in(parts, *parts.auth.new_device(identity, data.device_name, now=parts.clock()))


# -- sync


@post("/v1/sync", status_code=200)
@in_thread
def sync(data: SyncRequest, request: Request[Any, Any, State]) -> SyncResponse:
    """What the device has to say, and the first page of what it does not know yet."""
    parts, identity = _caller(request)
    if data.device != identity.device_no:
        raise CallRefused(403, "device_not_yours")
    if identity.revoked:
        return _say_revoked(parts, identity, data)
    if any(_too_deep(op.set) or _too_deep(op.was) for tx in data.tx for op in tx.ops):
        raise CallRefused(422, "too_deep", limit=MAX_DEPTH)
    response = parts.sync.sync(identity.caller, data, now=parts.clock())
    parts.metrics.synced(data, response)
    return response


@get("/v1/sync/pull")
@in_thread
def pull(token: str, request: Request[Any, Any, State]) -> SyncResponse:
    """The next page of a pull."""
    parts, identity = _caller(request, allow_revoked=False)
    return parts.sync.pull(identity.caller, token, now=parts.clock())


@post("/v1/ops/status", status_code=200)
@in_thread
def operation_status(data: list[str], request: Request[Any, Any, State]) -> list[str]:
    """Which of these operations the server knows."""
    parts, identity = _caller(request, allow_revoked=False)
    return parts.sync.op_status(identity.caller, _limited(data))


@post("/v1/receipts", status_code=200)
@in_thread
def receipts(data: list[str], request: Request[Any, Any, State]) -> list[Receipt]:
    """What the server holds of these submissions, photos included."""
    parts, identity = _caller(request, allow_revoked=False)
    return parts.receipts(identity.caller, _limited(data))


# -- blobs


@post("/v1/blobs/check", status_code=200)
@in_thread
def check_blobs(data: list[BlobOffer], request: Request[Any, Any, State]) -> list[BlobState]:
    """Where each of these uploads stands; the ones that are not there are then expected."""
    parts, identity = _caller(request, allow_revoked=False)
    return parts.blobs.check(identity.org, _limited(data), now=parts.clock())


@head("/v1/blobs/{sha256:str}")
@in_thread
def blob_progress(sha256: str, request: Request[Any, Any, State]) -> Response[None]:
    """Upload-Offset and Upload-Length of an upload, after the tus protocol."""
    parts, identity = _caller(request, allow_revoked=False)
    state, size = parts.blobs.state(identity.org, sha256)
    return Response(None, headers=_upload_headers(state) | {"Upload-Length": str(size), "Cache-Control": "no-store"})


@patch("/v1/blobs/{sha256:str}", status_code=204)
@in_thread
def send_blob(sha256: str, body: bytes, request: Request[Any, Any, State]) -> Response[None]:
    """One piece of a blob, at Upload-Offset."""
    parts, identity = _caller(request, allow_revoked=False)
    offset = request.headers.get("Upload-Offset", "")
    if not offset.isdecimal() or len(offset) > 12:
        raise CallRefused(400, "offset_missing")
    state = parts.blobs.append(identity.org, sha256, int(offset), body, now=parts.clock())
    parts.metrics.blob_bytes.labels("in").inc(len(body))
    return Response(None, status_code=204, headers=_upload_headers(state))


@get("/v1/blobs/{sha256:str}")
@in_thread
def read_blob(sha256: str, request: Request[Any, Any, State]) -> Response[bytes]:
    """A blob, or a part of it (Range), when a record that the caller may see refers to it."""
    parts, identity = _caller(request, allow_revoked=False)
    if not parts.may_read_blob(identity.caller, sha256):
        raise CallRefused(404, "blob_unknown")
    wanted = request.headers.get("Range")
    start, end = _range(wanted) if wanted else (0, None)
    part = parts.blobs.read(identity.org, sha256, start, end)
    parts.metrics.blob_bytes.labels("out").inc(len(part.data))
    headers = {"Accept-Ranges": "bytes", "ETag": f'"{sha256}"', "Content-Disposition": "attachment"}
    if wanted:
        headers["Content-Range"] = f"bytes {start}-{start + len(part.data) - 1}/{part.size}"
    return Response(part.data, status_code=206 if wanted else 200, media_type=part.mime, headers=headers)


# -- the server itself


@get("/v1/health")
@in_thread
def health(state: State) -> Health:
    """Whether the server and its database answer."""
    state.parts.sync.check()
    return Health("ok", PROTOCOL_VERSION)


@get("/v1/metrics", media_type=MediaType.TEXT, sync_to_thread=False)
def metrics(state: State) -> Response[bytes]:
    """Counts for Prometheus; they name nobody."""
    return Response(state.parts.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _caller(request: Request[Any, Any, State], *, allow_revoked: bool = True) -> tuple[Parts, Identity]:
    parts: Parts = request.app.state.parts
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise CallRefused(401, "token_missing")
    identity = parts.auth.identify(token.strip(), now=parts.clock())
    request.scope.setdefault("state", {})["device"] = identity.device_no
    if identity.revoked and not allow_revoked:
        raise CallRefused(403, "device_revoked")
    return parts, identity


def _say_revoked(parts: Parts, identity: Identity, data: SyncRequest) -> SyncResponse:
    """A revoked device may leave what it has, once; a person decides about it later."""
    if data.tx:
        parts.auth.keep_in_quarantine(identity, msgspec.json.encode(data.tx), now=parts.clock())
    return SyncResponse(data.epoch, control="revoked")


def _signed_in(parts: Parts, identity: Identity, tokens: Tokens) -> SignedIn:
    profile = parts.profile(identity.caller)
    return SignedIn(
        tokens.access,
        tokens.refresh,
        to_milliseconds(tokens.access_expires_at),
        identity.org.hex,
        identity.person_id.hex,
        profile.name,
        identity.role,
        list(profile.sectors),
        identity.device_no,
        parts.sync.epoch(identity.org),
    )


def _limited(items: list[Item]) -> list[Item]:
    if len(items) > MAX_IDS:
        raise CallRefused(413, "too_many_items", limit=MAX_IDS)
    return items


def _too_deep(value: Any) -> bool:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [item for outer in level for item in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _upload_headers(state: BlobState) -> dict[str, str]:
    return {"Upload-Offset": str(state.offset), "Upload-Complete": "?1" if state.have else "?0"}


def _range(text: str) -> tuple[int, int | None]:
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise CallRefused(416, "range_wrong")
    end = int(match[2]) + 1 if match[2] else None
    if end is not None and end <= int(match[1]):
        raise CallRefused(416, "range_wrong")
    return int(match[1]), end


# -- errors


def _error(
    status: int, code: str, params: dict[str, Any], headers: dict[str, str] | None = None
) -> Response[ErrorBody]:
    return Response(ErrorBody(code, params), status_code=status, headers=headers, media_type=MediaType.JSON)


def _answer_refused(_: Request[Any, Any, State], refusal: CallRefused) -> Response[ErrorBody]:
    headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
    if "offset" in refusal.params:
        headers["Upload-Offset"] = str(refusal.params["offset"])
    return _error(refusal.status, refusal.code, refusal.params, headers)


def _answer_rule(_: Request[Any, Any, State], refusal: Refused) -> Response[ErrorBody]:
    return _error(422, refusal.code, refusal.params)


def _answer_http(_: Request[Any, Any, State], error: HTTPException) -> Response[ErrorBody]:
    codes = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large", 415: "encoding_unknown"}
    default = "request_invalid" if error.status_code < 500 else "server_error"
    return _error(error.status_code, codes.get(error.status_code, default), {})


def _answer_unreadable(_: Request[Any, Any, State], __: RecursionError) -> Response[ErrorBody]:
    return _error(400, "request_invalid", {})


def _answer_failure(_: Request[Any, Any, State], error: Exception) -> Response[ErrorBody]:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return _error(507, "disk_full", {})
    if isinstance(error, (OperationalError, PoolTimeout)):
        return _error(503, "database_busy", {}, {"Retry-After": "5"})
    # Where it happened, without the message: that may hold what a person wrote.
    frames = [f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
    log.error('{"failure": "%s", "at": "%s"}', type(error).__name__, " ".join(frames[-8:]))
    return _error(500, "server_error", {})
