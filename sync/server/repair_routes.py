"""A first sync by a prebuilt file, and what two sides do that do not hold the same rows."""

from __future__ import annotations

from litestar import Response, get, head, post

from sync.protocol import RowsRequest, SnapshotOffer, SnapshotsRequest, SyncResponse, VerifyAnswer, VerifyRequest
from sync.server.blob_routes import asked_range
from sync.server.calls import Call, caller, in_thread, limited
from sync.server.openapi import Header, told

_TYPE = "application/zstd"
_RANGE = Header("Range", "bytes=from-to, or bytes=from-", pattern=r"^bytes=[0-9]{1,12}-[0-9]{0,12}$")
_KNOWN = Header("If-None-Match", "the ETag that the caller holds; then the answer may be 304", longest=1000)
_GIVES = (Header("ETag", "the hash, in quotes"), Header("Accept-Ranges", "bytes"))


@post("/v1/sync/snapshots", status_code=200, opt=told())
@in_thread
def list_snapshots(data: SnapshotsRequest, request: Call) -> list[SnapshotOffer]:
    """Prebuilt files of those of these buckets that the caller may hold."""
    parts, identity = caller(request, allow_revoked=False)
    return parts.snapshots.offers(identity.caller, limited(data.buckets))


@head("/v1/sync/snapshots/{sha256:str}", opt=told(404, gives=_GIVES))
@in_thread
def measure_snapshot(sha256: str, request: Call) -> Response[None]:
    """How large a prebuilt file is."""
    parts, identity = caller(request, allow_revoked=False)
    size = parts.snapshots.size(identity.caller, sha256)
    return Response(None, headers=_headers(sha256) | {"Content-Length": str(size)})


@get(
    "/v1/sync/snapshots/{sha256:str}",
    opt=told(404, 416, takes=(_RANGE, _KNOWN), gives=_GIVES, answer=_TYPE, ranged=True, known=True),
)
@in_thread
def read_snapshot(sha256: str, request: Call) -> Response[bytes]:
    """A prebuilt file, in parts of 4 MiB at most (Range)."""
    parts, identity = caller(request, allow_revoked=False)
    known = request.headers.get("If-None-Match")
    if known is not None and f'"{sha256}"' in known:
        parts.snapshots.size(identity.caller, sha256)  # not even that it is there is told to others
        return Response(b"", status_code=304, headers=_headers(sha256))
    wanted = request.headers.get("Range")
    start, end = asked_range(wanted) if wanted else (0, None)
    part = parts.snapshots.part(identity.caller, sha256, start, end)
    headers = _headers(sha256)
    whole = len(part.data) == part.size and not wanted
    if not whole:
        headers["Content-Range"] = f"bytes {start}-{start + len(part.data) - 1}/{part.size}"
    return Response(part.data, status_code=200 if whole else 206, media_type=_TYPE, headers=headers)


@post("/v1/sync/verify", status_code=200, opt=told(422))
@in_thread
def verify(data: VerifyRequest, request: Call) -> VerifyAnswer:
    """Where the caller's rows of one bucket are not the server's."""
    parts, identity = caller(request, allow_revoked=False)
    return parts.verification.verify(identity.caller, data)


@post("/v1/sync/rows", status_code=200, opt=told(422))
@in_thread
def rows(data: RowsRequest, request: Call) -> SyncResponse:
    """Some records of one bucket again."""
    parts, identity = caller(request, allow_revoked=False)
    return parts.verification.rows(identity.caller, data, now=parts.clock())


def _headers(sha256: str) -> dict[str, str]:
    return {"Accept-Ranges": "bytes", "ETag": f'"{sha256}"', "Cache-Control": "private, no-store"}


ROUTES = [list_snapshots, measure_snapshot, read_snapshot, verify, rows]
