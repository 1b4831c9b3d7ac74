"""Which records a piece of work wrote or removed, named as ids only where somebody asks for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

MANY = 100  # of one collection: the screens are told that any of it may have changed


class Touched(Mapping[str, set[UUID]]):
    """Collection name -> records. Kept as the 16 bytes of the ids: of most rows of a page nobody wants to know more."""

    def __init__(self) -> None:
        self._raw: dict[str, set[bytes]] = defaultdict(set)

    def add(self, collection: str, ids: Iterable[UUID]) -> None:
        self.add_raw(collection, (id.bytes for id in ids))

    def add_raw(self, collection: str, ids: Iterable[bytes]) -> None:
        here = set(ids)
        if here:
            self._raw[collection] |= here

    def __getitem__(self, collection: str) -> set[UUID]:
        if collection not in self._raw:
            raise KeyError(collection)
        return {UUID(bytes=id) for id in self._raw[collection]}

    def __contains__(self, collection: object) -> bool:
        return collection in self._raw

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def for_screens(self) -> Iterator[tuple[str, list[UUID]]]:
        """Collection and ids; no ids: any of them may have changed."""
        for collection, raw in self._raw.items():
            yield collection, [] if len(raw) > MANY else [UUID(bytes=id) for id in raw]
