"""Where the values of an outlet come from, field by field.

``outlet.provenance`` is a map: field -> ``{"source", "licence", "at", "by"}``. What one source gave all at once stands
once, under ``EVERYTHING``, and holds for each field that has a value and no entry of its own. Latitude and longitude
are one thing to a person: their entry is ``POSITION``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from fieldcrm.domain.ids import Id

EVERYTHING = "*"
POSITION = "position"
PERSON = "person"  # the source of what somebody entered
_KEYS: Mapping[str, str] = {"lat_e7": POSITION, "lon_e7": POSITION}

Origin = Mapping[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCKS_END = 1 << 43  # milliseconds: the year 2248


def origin(source: str, at: datetime, *, licence: str = "", by: Id | None = None) -> dict[str, Any]:
    """One entry; ``at`` is kept in milliseconds since 1970."""
    made: dict[str, Any] = {"source": source, "at": int(at.timestamp() * 1000)}
    if licence:
        made["licence"] = licence
    if by is not None:
        made["by"] = by.hex
    return made


def key_of(field: str) -> str:
    """Under which key the origin of ``field`` stands."""
    return _KEYS.get(field, field)


def origin_of(provenance: Mapping[str, Any], field: str) -> Origin | None:
    """Where the value of ``field`` comes from, or ``None`` when nobody wrote it down."""
    found = provenance.get(key_of(field)) or provenance.get(EVERYTHING)
    return found if isinstance(found, Mapping) else None


def moment_of(entry: Origin) -> datetime | None:
    """When an entry says that the value was given; ``None`` where it does not, or says no moment of our time."""
    at = entry.get("at")
    return _EPOCH + timedelta(milliseconds=at) if type(at) is int and 0 < at < _CLOCKS_END else None


def stamped(fields: Iterable[str], entry: Origin) -> dict[str, Origin]:
    """The entries of ``fields``, all with one origin."""
    return {key_of(field): entry for field in fields}
