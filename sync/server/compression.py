"""zstd in both directions, with limits that hold before the memory is taken."""

from __future__ import annotations

import zstandard

from sync.server.refusal import CallRefused

LEVEL = 3
COMPRESS_FROM = 1024  # bytes
_WINDOW = 8 * 1024 * 1024  # a sender may not ask for more memory than this
_PIECE = 64 * 1024


def compress(plain: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=LEVEL).compress(plain)


def decompress(packed: bytes, limit: int) -> bytes:
    """One zstd frame. Raises ``CallRefused``: "body_damaged", "body_too_large"."""
    try:
        declared = zstandard.frame_content_size(packed)
        if declared > limit:
            raise CallRefused(413, "body_too_large", limit=limit)
        return _in_pieces(packed, limit)
    except zstandard.ZstdError:
        raise CallRefused(400, "body_damaged") from None


def _in_pieces(packed: bytes, limit: int) -> bytes:
    worker = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj(write_size=_PIECE)
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
