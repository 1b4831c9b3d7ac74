"""Rows of the sample data, by collection, with ids that are the same for the same seed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from fieldcrm.domain.ids import Id

Row = dict[str, Any]


class Records:
    """Python values (UUID, aware datetime, date, int, str, JSON), as the catalogue's columns take them."""

    def __init__(self, seed: int, now: datetime) -> None:
        self.seed = seed
        self.now = now
        self.rows: dict[str, list[Row]] = {}

    def id(self, *names: object, at: datetime | None = None) -> Id:
        """A UUID version 7 of the moment ``at`` (or the time of the seed data); its other bits come from the seed."""
        milliseconds = int((at or self.now).timestamp() * 1000) & ((1 << 48) - 1)
        digest = hashlib.blake2b(repr((self.seed, *names)).encode(), digest_size=10).digest()
        value = milliseconds << 80 | int.from_bytes(digest)
        value = value & ~(0xF << 76) | 0x7 << 76
        return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)

    def add(self, collection: str, id: Id, **values: Any) -> Id:
        self.rows.setdefault(collection, []).append({"id": id, **values})
        return id

    def of(self, collection: str) -> list[Row]:
        return self.rows.get(collection, [])

    def in_order(self) -> Iterator[tuple[str, Row]]:
        """Every row, in the order in which the collections were first written: parents before children."""
        for collection, rows in self.rows.items():
            for row in rows:
                yield collection, row
