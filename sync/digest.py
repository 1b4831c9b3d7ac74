"""The sum by which both sides check that they hold the same rows of a bucket.

It verifies only, it never decides that there is nothing to fetch: two different histories can end in
the same sum, two equal cursors cannot.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
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


def row_sums(collection: int, ids: Sequence[bytes], revs: Sequence[int]) -> int:
    """The sum over many versions of records of one collection, not yet modulo 2**64."""
    head = collection.to_bytes(2, "big")
    pairs = zip(ids, revs, strict=True)
    digests = b"".join([blake2b(head + id + rev.to_bytes(8, "big"), digest_size=8).digest() for id, rev in pairs])
    return sum(struct.unpack(f">{len(ids)}Q", digests))


def to_hex(value: int) -> str:
    return f"{value % MODULUS:016x}"


def from_hex(text: str) -> int:
    return int(text, 16)
