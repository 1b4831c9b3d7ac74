"""Rows as they came over the wire, checked and turned into columns: nothing that a server says is believed unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any
from uuid import UUID

from sync.client.failures import ServerError

_MOST = 2**63
_MAX_COLLECTION = 2**15


@dataclass(slots=True)
class Rows:
    """Rows of one collection; ``columns`` in the order of ``names``, each as long as ``ids``."""

    names: Sequence[str]
    ids: list[bytes]
    revs: list[int]
    columns: list[Sequence[Any]]

    def only(self, keep: Sequence[bool]) -> Rows:
        """The rows for which ``keep`` is true."""
        at = [index for index, kept in enumerate(keep) if kept]
        columns: list[Sequence[Any]] = [[column[index] for index in at] for column in self.columns]
        return Rows(self.names, [self.ids[i] for i in at], [self.revs[i] for i in at], columns)

    def each(self) -> list[tuple[UUID, int, dict[str, Any]]]:
        """The rows one by one: id, revision, values by name."""
        values = zip(*self.columns, strict=True) if self.columns else ((),) * len(self.ids)
        return [
            (UUID(bytes=id), rev, dict(zip(self.names, row, strict=True)))
            for id, rev, row in zip(self.ids, self.revs, values, strict=True)
        ]


def number(text: str) -> int:
    """A collection's number. Raises ``ServerError("answer_damaged")``."""
    if text.isascii() and text.isdigit() and len(text) <= 5 and int(text) < _MAX_COLLECTION:
        return int(text)
    raise ServerError("answer_damaged")


def record_id(text: Any) -> UUID:
    """Raises ``ServerError("answer_damaged")``."""
    try:
        if len(text) == 32:
            return UUID(hex=text)
    except (ValueError, TypeError, AttributeError):
        pass
    raise ServerError("answer_damaged")


def parsed(wire: Sequence[Sequence[Any]], names: Sequence[str]) -> Rows:
    """Raises ``ServerError("answer_damaged")`` when the rows are not [id, revision, then one value for each name]."""
    if not wire:
        return Rows(names, [], [], [[] for _ in names])
    try:
        # By id: beside one another in every tree of ids. Of two that are the same the last stays the last.
        ids, revs, *columns = zip(*sorted(wire, key=itemgetter(0)), strict=True)
        made = [bytes.fromhex(id) for id in ids]
    except (ValueError, TypeError, LookupError):
        raise ServerError("answer_damaged") from None
    fits = len(columns) == len(names) and set(map(len, made)) == {16}
    if not fits or set(map(type, revs)) != {int} or not 0 < min(revs) <= max(revs) < _MOST:
        raise ServerError("answer_damaged")
    return Rows(names, made, list(revs), list(columns))
