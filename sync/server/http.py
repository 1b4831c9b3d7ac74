"""The routes of the server: each checks who calls, and hands on to the part that knows."""

from __future__ import annotations

from typing import cast

import msgspec
from litestar import Litestar, MediaType, Response, get, post
from litestar.config.response_cache import ResponseCacheConfig
from litestar.datastructures import State

from sync.protocol import PROTOCOL_VERSION, Receipt, SyncRequest, SyncResponse
from sync.server import blob_routes, deposit_routes, file_routes, past_routes, repair_routes, session_routes
from sync.server.addresses import Peers
from sync.server.bodies import MAX_PLAIN, App
from sync.server.calls import Call, caller, in_thread, limited
from sync.server.depth import MAX_DEPTH, too_deep
from sync.server.gate import Gate
from sync.server.openapi import Header, document, told
from sync.server.parts import Parts
from sync.server.problems import HANDLERS
from sync.server.refusal import CallRefused


class Health(msgspec.Struct):
    status: str
    protocol: int


def build_routes(parts: Parts, *, title: str, version: str) -> Litestar:
    """The routes, without the gate in front of them; ``state.description`` is their OpenAPI document."""
    routes = [sync, pull, operation_status, receipts, alive, ready, metrics, description]
    for part in (session_routes, blob_routes, file_routes, deposit_routes, repair_routes, past_routes):
        routes += part.ROUTES
    app = Litestar(
        route_handlers=routes,
        state=State({"parts": parts}),
        exception_handlers=HANDLERS,
        openapi_config=None,
        request_max_body_size=MAX_PLAIN,
        response_cache_config=ResponseCacheConfig(default_expiration=0),
        logging_config=None,
        debug=False,
    )
    app.state.description = msgspec.json.encode(document(app, title=title, version=version), order="sorted")
    return app


def build_app(parts: Parts, *, title: str, version: str, peers: Peers | None = None) -> Gate:
    """The ASGI application; ``peers`` knows which proxies are trusted (none)."""
    return Gate(cast(App, build_routes(parts, title=title, version=version)), parts.metrics, peers)


# -- sync


@post("/v1/sync", status_code=200, opt=told(507))
@in_thread
def sync(data: SyncRequest, request: Call) -> SyncResponse:
    """What the device has to say, and the first page of what it does not know yet."""
    parts, identity = caller(request)
    if data.device != identity.device_no:
        raise CallRefused(403, "device_not_yours")
    if identity.revoked:
        return SyncResponse(data.epoch, control="revoked")  # it may leave what it has by /v1/deposit
    if any(too_deep(op.set) or too_deep(op.was) for tx in data.tx for op in tx.ops):
        raise CallRefused(422, "too_deep", limit=MAX_DEPTH)
    response = parts.sync.sync(identity.caller, data, now=parts.clock())
    parts.metrics.synced(data, response)
    return response


@get(
    "/v1/sync/pull",
    opt=told(422, takes=(Header("token", "from the page before", required=True, place="query"),)),
)
@in_thread
def pull(token: str, request: Call) -> SyncResponse:
    """The next page of a pull."""
    parts, identity = caller(request, allow_revoked=False)
    return parts.sync.pull(identity.caller, token, now=parts.clock())


@post("/v1/ops/status", status_code=200, opt=told())
@in_thread
def operation_status(data: list[str], request: Call) -> list[str]:
    """Which of these operations the server knows."""
    parts, identity = caller(request, allow_revoked=False)
    return parts.sync.op_status(identity.caller, limited(data))


@post("/v1/receipts", status_code=200, opt=told())
@in_thread
def receipts(data: list[str], request: Call) -> list[Receipt]:
    """What the server holds of these submissions, photos included."""
    parts, identity = caller(request, allow_revoked=False)
    return parts.receipts(identity.caller, limited(data))


# -- the server itself


@get(["/v1/health", "/v1/health/ready"], opt=told(public=True))
@in_thread
def ready(state: State) -> Health:
    """Whether the server and its database answer: send work here."""
    state.parts.sync.check()
    return Health("ok", PROTOCOL_VERSION)


@get("/v1/health/live", sync_to_thread=False, opt=told(public=True))
def alive() -> Health:
    """Whether the process answers at all, whatever its database does: do not start it anew."""
    return Health("ok", PROTOCOL_VERSION)


@get("/v1/metrics", media_type=MediaType.TEXT, opt=told(public=True, answer="text/plain"))
@in_thread
def metrics(state: State) -> Response[bytes]:
    """Counts of this process for Prometheus; they name nobody."""
    parts: Parts = state.parts
    return Response(parts.metrics.text(parts.gauges()), media_type="text/plain; version=0.0.4; charset=utf-8")


@get(
    "/v1/schema/openapi.json",
    sync_to_thread=False,
    opt=told(public=True, answer="application/vnd.oai.openapi+json"),
)
def description(state: State) -> Response[bytes]:
    """This server's OpenAPI document."""
    return Response(state.description, media_type="application/vnd.oai.openapi+json")
