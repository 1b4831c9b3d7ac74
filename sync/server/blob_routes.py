"""Photos by their hash: asked for, sent in pieces, read in parts."""

from __future__ import annotations

import re
from functools import partial

from litestar import Response, get, head, patch, post

from sync.protocol import BlobOffer, BlobState
from sync.server.calls import Call, caller, in_thread, limited
from sync.server.openapi import Header, told
from sync.server.refusal import CallRefused

_RANGE = re.compile(r"bytes=(\d{1,12})-(\d{0,12})", re.ASCII)

_OFFSET = Header("Upload-Offset", "bytes that the server holds", "integer")
_COMPLETE = Header("Upload-Complete", "?1 when the server holds and has hashed the whole, else ?0")
_RANGE_WANTED = Header("Range", "bytes=from-to, or bytes=from-", "string", pattern=r"^bytes=[0-9]{1,12}-[0-9]{0,12}$")


@post("/v1/blobs/check", status_code=200, opt=told(429))
@in_thread
def check_blobs(data: list[BlobOffer], request: Call) -> list[BlobState]:
    """Where each of these uploads stands; the ones that are not there are then expected."""
    parts, identity = caller(request, allow_revoked=False)
    seen = partial(parts.may_read_blob, identity.caller)
    return parts.blobs.check(identity.org, identity.person_id, limited(data), now=parts.clock(), seen=seen)


@head(
    "/v1/blobs/{sha256:str}",
    opt=told(404, 422, gives=(_OFFSET, _COMPLETE, Header("Upload-Length", "bytes of the whole", "integer"))),
)
@in_thread
def blob_progress(sha256: str, request: Call) -> Response[None]:
    """How far an upload has come, after the tus protocol."""
    parts, identity = caller(request, allow_revoked=False)
    state, size = parts.blobs.state(identity.org, identity.person_id, sha256)
    return Response(None, headers=_upload_headers(state) | {"Upload-Length": str(size), "Cache-Control": "no-store"})


@patch(
    "/v1/blobs/{sha256:str}",
    status_code=204,
    opt=told(
        404, 409, 422, 507,
        takes=(Header("Upload-Offset", "where this piece begins", "integer", required=True),),
        gives=(_OFFSET, _COMPLETE),
        body="application/offset+octet-stream",
    ),
)  # fmt: skip
@in_thread
def send_blob(sha256: str, body: bytes, request: Call) -> Response[None]:
    """One piece of a blob, at Upload-Offset."""
    parts, identity = caller(request, allow_revoked=False)
    offset = request.headers.get("Upload-Offset", "")
    if not (offset.isascii() and offset.isdecimal()) or len(offset) > 12:
        raise CallRefused(400, "offset_missing")
    state = parts.blobs.append(identity.org, identity.person_id, sha256, int(offset), body, now=parts.clock())
    parts.metrics.blob_bytes.labels("in").inc(len(body))
    return Response(None, status_code=204, headers=_upload_headers(state))


@get(
    "/v1/blobs/{sha256:str}",
    opt=told(
        404, 416, 422,
        takes=(_RANGE_WANTED,),
        gives=(Header("ETag", "the hash, in quotes"), Header("Accept-Ranges", "bytes")),
        answer="image/*",
        ranged=True,
    ),
)  # fmt: skip
@in_thread
def read_blob(sha256: str, request: Call) -> Response[bytes]:
    """A blob, or a part of it (Range), when a record that the caller may see refers to it."""
    parts, identity = caller(request, allow_revoked=False)
    if not parts.may_read_blob(identity.caller, sha256):
        raise CallRefused(404, "blob_unknown")
    wanted = request.headers.get("Range")
    start, end = asked_range(wanted) if wanted else (0, None)
    part = parts.blobs.read(identity.org, sha256, start, end)
    parts.metrics.blob_bytes.labels("out").inc(len(part.data))
    headers = {"Accept-Ranges": "bytes", "ETag": f'"{sha256}"', "Content-Disposition": "attachment"}
    if wanted:
        headers["Content-Range"] = f"bytes {start}-{start + len(part.data) - 1}/{part.size}"
    return Response(part.data, status_code=206 if wanted else 200, media_type=part.mime, headers=headers)


def asked_range(text: str) -> tuple[int, int | None]:
    """First byte, and the one after the last or None. Raises ``CallRefused("range_wrong")``."""
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise CallRefused(416, "range_wrong")
    end = int(match[2]) + 1 if match[2] else None
    if end is not None and end <= int(match[1]):
        raise CallRefused(416, "range_wrong")
    return int(match[1]), end


def _upload_headers(state: BlobState) -> dict[str, str]:
    return {"Upload-Offset": str(state.offset), "Upload-Complete": "?1" if state.have else "?0"}


ROUTES = [check_blobs, blob_progress, send_blob, read_blob]
