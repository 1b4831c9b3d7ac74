"""zstd and gzip in both directions, with limits that hold before the memory is taken."""

from __future__ import annotations

import zlib
from typing import Any

import zstandard

from sync.server.refusal import CallRefused

LEVEL = 3
GZIP_LEVEL = 5
COMPRESS_FROM = 1024  # bytes
ENCODINGS = ("zstd", "gzip")  # the better one first
_WINDOW = 8 * 1024 * 1024  # a sender may not ask for more memory than this
_PIECE = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS


def compress(plain: bytes, encoding: str = "zstd") -> bytes:
    if encoding == "gzip":
        worker = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, _GZIP)
        return worker.compress(plain) + worker.flush()
    return zstandard.ZstdCompressor(level=LEVEL).compress(plain)


def decompress(packed: bytes, limit: int, encoding: str = "zstd") -> bytes:
    """One whole frame. Raises ``CallRefused``: "body_damaged", "body_too_large", "encoding_unknown"."""
    if encoding not in ENCODINGS:
        raise CallRefused(415, "encoding_unknown")
    try:
        if encoding == "gzip":
            return _gunzipped(packed, limit)
        declared = zstandard.frame_content_size(packed)
        if declared > limit:
            raise CallRefused(413, "body_too_large", limit=limit)
        return _in_pieces(packed, limit)
    except (zstandard.ZstdError, zlib.error):
        raise CallRefused(400, "body_damaged") from None


def accepted(header: str) -> str | None:
    """The encoding to answer in, by an Accept-Encoding header; ``None``: as it is."""
    wanted: dict[str, bool] = {}
    for part in header.lower().split(","):
        name, _, rest = part.partition(";")
        quality = rest.replace(" ", "")
        wanted[name.strip()] = not quality.startswith("q=") or quality[2:].strip("0.") != ""
    return next((name for name in ENCODINGS if wanted.get(name, wanted.get("*", False) and name == "gzip")), None)


def _gunzipped(packed: bytes, limit: int) -> bytes:
    worker = zlib.decompressobj(_GZIP)
    plain = worker.decompress(packed, limit + 1)
    if len(plain) > limit:
        raise CallRefused(413, "body_too_large", limit=limit)
    if not worker.eof or worker.unused_data:
        raise CallRefused(400, "body_damaged")
    return plain


def _in_pieces(packed: bytes, limit: int) -> bytes:
    worker: Any = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj(write_size=_PIECE)
    plain = bytearray()
    for position in range(0, len(packed), 1024):  # 1 kB of a bomb makes at most some megabytes
        plain += worker.decompress(packed[position : position + 1024])
        if len(plain) > limit:
            raise CallRefused(413, "body_too_large", limit=limit)
        if worker.eof:
            break
    if not worker.eof or worker.unused_data or position + 1024 < len(packed):
        raise CallRefused(400, "body_damaged")
    return bytes(plain)
