"""Tables written down shortly: ``header:what it is|…`` and rows; nothing after the last colon is a column to ignore."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HeaderSet:
    name: str
    header: tuple[str, ...]
    targets: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def columns(name: str, described: str, *rows: str) -> HeaderSet:
    pairs = [part.rpartition(":") for part in described.split("|")]
    made = tuple(tuple(row.split("|")) for row in rows)
    assert all(len(row) == len(pairs) for row in made), (name, [len(row) for row in made], len(pairs))
    return HeaderSet(name, tuple(title for title, _, _ in pairs), tuple(target for _, _, target in pairs), made)
