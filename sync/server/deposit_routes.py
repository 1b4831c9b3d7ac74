"""The last word of a revoked device. Authorised by the device's own key, which opens nothing else."""

from __future__ import annotations

from litestar import Response, patch, post

from sync.protocol import Deposit, DepositAnswer
from sync.server.auth import Known
from sync.server.calls import MAX_IDS, Call, in_thread
from sync.server.depth import MAX_DEPTH, too_deep
from sync.server.openapi import Header, told
from sync.server.parts import Parts
from sync.server.push import MAX_OPS
from sync.server.refusal import CallRefused

SCHEME = "deposit"
_KEY = Header("Authorization", "Deposit, and the key that the device was given when it was enrolled", required=True)
_OFFSET = Header("Upload-Offset", "bytes that the server holds", "integer")
_COMPLETE = Header("Upload-Complete", "?1 when the server holds and has hashed the whole, else ?0")


@post("/v1/deposit", status_code=200, opt=told(401, 403, 409, 413, 415, 422, 429, public=True, takes=(_KEY,)))
@in_thread
def deposit(data: Deposit, request: Call) -> DepositAnswer:
    """A part of a revoked device's outbox, kept for a person to decide upon; the last part ends the right to it."""
    parts, known = _known(request)
    ops = [op for tx in data.tx for op in tx.ops]
    if len(ops) > MAX_OPS or len(data.blobs) > MAX_IDS:
        raise CallRefused(413, "too_many_items", limit=MAX_OPS)
    if any(too_deep(op.set) or too_deep(op.was) for op in ops):
        raise CallRefused(422, "too_deep", limit=MAX_DEPTH)
    now = parts.clock()
    closed = parts.quarantine.deposit(known, data, parts.auth.new_id(now), now=now)
    states = [] if closed or not data.blobs else parts.blobs.check(known.org, known.person_id, data.blobs, now=now)
    return DepositAnswer(states, closed)


@patch(
    "/v1/deposit/{sha256:str}",
    status_code=204,
    opt=told(
        401, 404, 409, 413, 422, 507,
        public=True,
        takes=(_KEY, Header("Upload-Offset", "where this piece begins", "integer", required=True)),
        gives=(_OFFSET, _COMPLETE),
        body="application/offset+octet-stream",
    ),
)  # fmt: skip
@in_thread
def deposit_blob(sha256: str, body: bytes, request: Call) -> Response[None]:
    """One piece of a photo that an open deposit names."""
    parts, known = _known(request)
    offset = request.headers.get("Upload-Offset", "")
    if not (offset.isascii() and offset.isdecimal()) or len(offset) > 12:
        raise CallRefused(400, "offset_missing")
    if not parts.quarantine.expects_blob(known, sha256):
        raise CallRefused(404, "blob_unknown")
    state = parts.blobs.append(known.org, known.person_id, sha256, int(offset), body, now=parts.clock())
    headers = {"Upload-Offset": str(state.offset), "Upload-Complete": "?1" if state.have else "?0"}
    return Response(None, status_code=204, headers=headers)


def _known(request: Call) -> tuple[Parts, Known]:
    parts: Parts = request.app.state.parts
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != SCHEME or not key.strip():
        raise CallRefused(401, "token_missing")
    known = parts.auth.known_device(key.strip())
    request.scope.setdefault("state", {})["device"] = known.device_no
    return parts, known


ROUTES = [deposit, deposit_blob]
