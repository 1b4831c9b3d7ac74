"""Large files that the product keeps for its devices, by their hash: a region's map, for one."""

from __future__ import annotations

from litestar import Response, get

from sync.server.blob_routes import asked_range
from sync.server.calls import Call, caller, in_thread
from sync.server.openapi import Header, told
from sync.server.refusal import CallRefused

PIECE = 4 * 1024 * 1024  # bytes of one answer at most
_RANGE = Header("Range", "bytes=from-to, or bytes=from-", pattern=r"^bytes=[0-9]{1,12}-[0-9]{0,12}$")
_GIVES = (Header("ETag", "the hash, in quotes"), Header("Accept-Ranges", "bytes"))


@get(
    "/v1/files/{sha256:str}",
    opt=told(404, 416, takes=(_RANGE,), gives=_GIVES, answer="application/octet-stream", ranged=True),
)
@in_thread
def read_file(sha256: str, request: Call) -> Response[bytes]:
    """A file that a record of the caller's organisation names, in parts of 4 MiB at most (Range)."""
    parts, identity = caller(request, allow_revoked=False)
    path = parts.file_of(identity.caller, sha256)
    if path is None:
        raise CallRefused(404, "file_unknown")
    wanted = request.headers.get("Range")
    start, end = asked_range(wanted) if wanted else (0, None)
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if not 0 <= start < size:
                raise CallRefused(416, "range_wrong", size=size)
            stop = min(size if end is None else end, size, start + PIECE)
            file.seek(start)
            data = file.read(stop - start)
    except FileNotFoundError:
        raise CallRefused(404, "file_unknown") from None
    headers = {"Accept-Ranges": "bytes", "ETag": f'"{sha256}"', "Cache-Control": "private, no-store"}
    whole = len(data) == size and not wanted
    if not whole:
        headers["Content-Range"] = f"bytes {start}-{start + len(data) - 1}/{size}"
    return Response(data, status_code=200 if whole else 206, media_type="application/octet-stream", headers=headers)


ROUTES = [read_file]
