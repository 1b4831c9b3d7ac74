"""The sum by which both sides check that they hold the same rows of a bucket.

It verifies only, it never decides that there is nothing to fetch: two different histories can end in
the same sum, two equal cursors cannot.
"""

from __future__ import annotations

from hashlib import blake2b
from uuid import UUID

MODULUS = 1 << 64
PARTS = 256  # of a bucket, by the last byte of the record's id


def row_sum(collection: int, id: UUID, rev: int) -> int:
    """64 bits that stand for one version of one record."""
    return row_sum_of(collection, id.bytes, rev)


def row_sum_of(collection: int, id: bytes, rev: int) -> int:
    """As ``row_sum``, for the 16 bytes of an id."""
    packed = collection.to_bytes(2, "big") + id + rev.to_bytes(8, "big")
    return int.from_bytes(blake2b(packed, digest_size=8).digest(), "big")


def to_hex(value: int) -> str:
    return f"{value % MODULUS:016x}"


def from_hex(text: str) -> int:
    return int(text, 16)
