"""What a row of an import becomes: decided here once, because the device and the server make the same records of it.

A piece of an import goes to headquarters as one command, ``outlet.import``, on the record of its batch:

    {"fields": [name, …], "rows": [[outlet id, reference, value of each field or null], …],
     "seen": [[outlet id, {field: value the source gives now, or null}], …]}

``rows`` are new outlets, ``seen`` says what the source gives of outlets that came by an earlier extract. Values are
wire values (ids in 32 hexadecimal digits). ``outlet.unimport`` takes outlets out again: {"ids": [outlet id, …]}.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from secrets import randbits
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fieldcrm.domain import provenance
from fieldcrm.domain.catalogue import OUTLET
from fieldcrm.domain.earth import metres
from fieldcrm.domain.extracts import MOVED_METRES
from fieldcrm.domain.ids import Id
from sync.catalogue import Kind, Personal

IMPORT, UNIMPORT = "outlet.import", "outlet.unimport"
MAX_ROWS = 2_000  # of one command
MAX_REFERENCE = 300  # characters
LINE, LONG_LINE = 200, 2_000  # characters of a text; of opening hours or an address on the web

# Whoever knew a value, and when, follows from the batch; a file does not say that somebody of ours confirmed it.
# Nor does it bring words about people: they are erased record by record, and a command is one text for two thousand.
FIELDS = tuple(
    field.name for field in OUTLET.fields
    if field.name not in ("provenance", "confirmed_at") and field.personal is Personal.NONE
)  # fmt: skip
_WORDS = tuple(field.name for field in OUTLET.personal_fields)
GIVEN = ("sector_id", "zone", "country", "state")  # what the batch says of outlets that do not say theirs

_LIMITS: Mapping[str, int] = {"website": LONG_LINE, "opening_hours": LONG_LINE, "preferred_slots": LONG_LINE}
_DOCUMENT_LIMIT = 20_000
_WHOLE_LIMIT = 2**31


def fault(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """The code and the field of the first wire value that cannot be taken; ``None`` when all can.

    Both sides ask: what the device takes, headquarters takes too.
    """
    wrong = fault_of(values)
    if wrong is not None:
        return wrong
    if not values.get("name"):
        return "outlet_name_missing", "name"
    if (values.get("lat_e7") is None) != (values.get("lon_e7") is None):
        return "position_incomplete", "position"
    return None


def fault_of(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """As ``fault``, for some fields of an outlet; a null is taken."""
    for name, value in values.items():
        check = _KINDS.get(name)
        if check is None:
            return "unknown_field", name[:64]
        if value is not None and not check(name, value):
            return _code(name, value), name
    return None


def _code(name: str, value: Any) -> str:
    field = OUTLET.by_name[name]
    if field.choices:
        return "choice_unknown"
    if name == "zone":
        return "zone_unknown"
    if name in ("lat_e7", "lon_e7"):
        return "position_outside_world"
    return "text_too_long" if isinstance(value, str) and len(value) > _limit(name) else "value_malformed"


def _limit(name: str) -> int:
    return _LIMITS.get(name, LINE)


def _text(name: str, value: Any) -> bool:
    return type(value) is str and 0 < len(value) <= _LIMITS.get(name, LINE) and value.isprintable()


def _choice(name: str, value: Any) -> bool:
    return type(value) is str and value in OUTLET.by_name[name].choices


def _whole(name: str, value: Any) -> bool:
    field = OUTLET.by_name[name]
    low = -_WHOLE_LIMIT if field.minimum is None else field.minimum
    high = _WHOLE_LIMIT if field.maximum is None else field.maximum
    return type(value) is int and low <= value <= high


def _id(name: str, value: Any) -> bool:
    return type(value) is str and len(value) == 32 and not set(value) - set("0123456789abcdef")


def _document(name: str, value: Any) -> bool:
    return type(value) is dict and _weight(value) <= _DOCUMENT_LIMIT


def _weight(value: Any) -> int:
    """Characters of a plain document, about; more than any limit for what is none, or is too deep."""
    weight, level = 0, [value]
    for _depth in range(8):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, str):
                weight += len(one) if _storable(one) else _WHOLE_LIMIT
            elif isinstance(one, dict):
                inner += [*one.keys(), *one.values()]
            elif isinstance(one, list):
                inner += one
            elif one is not None and not isinstance(one, bool | int | float):
                return _WHOLE_LIMIT
            weight += 1
        if weight > _DOCUMENT_LIMIT:
            return weight
        if not inner:
            return weight
        level = inner
    return _WHOLE_LIMIT


def _storable(text: str) -> bool:
    """No zero byte, which PostgreSQL cannot keep, and no half of a pair, which UTF-8 cannot."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


@lru_cache(64)
def _known_zone(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _zone(name: str, value: Any) -> bool:
    return _text(name, value) and _known_zone(value)


def _check_of(name: str) -> Any:
    field = OUTLET.by_name[name]
    if name == "zone":
        return _zone
    if field.choices:
        return _choice
    return {
        Kind.TEXT: _text, Kind.INTEGER: _whole, Kind.ID: _id, Kind.MAP: _document,
        Kind.DOCUMENT: _document,
    }[field.kind]  # fmt: skip


_KINDS: Mapping[str, Any] = {name: _check_of(name) for name in FIELDS}


def ids_in_order(now: datetime) -> Iterator[bytes]:
    """Ids of version 7 that ascend, 4,096 for each millisecond from ``now`` on: neighbours in every index."""
    milliseconds, number = int(now.timestamp() * 1000), 0
    while True:
        first = (milliseconds + (number >> 12)) << 16 | 7 << 12 | number & 0xFFF
        yield (first << 64 | 2 << 62 | randbits(62)).to_bytes(16, "big")
        number += 1


def derived(outlet_id: bytes, collection: str) -> bytes:
    """The id of what is made with an outlet ("outlet_source", "sector_assignment"): beside it in time, and the same
    wherever it is made."""
    mixed = bytearray(blake2b(collection.encode() + outlet_id, digest_size=8).digest())
    mixed[0] = mixed[0] & 0x3F | 0x80
    return outlet_id[:8] + bytes(mixed)


def origin_of_batch(source: str, licence: str, begun_at: datetime) -> dict[str, Any]:
    """The provenance of an outlet that a batch made: one origin for all of it."""
    return {provenance.EVERYTHING: provenance.origin(source, begun_at, licence=licence)}


def given_by(sector_id: Id, zone: str, country: str, state: str) -> dict[str, Any]:
    """The document ``import_batch.given``."""
    return {"sector_id": sector_id.hex, "zone": zone, "country": country or None, "state": state}


def outlet_values(values: Mapping[str, Any], given: Mapping[str, Any], origin: Mapping[str, Any]) -> dict[str, Any]:
    """Wire values of the outlet that a row makes. ``values``: of the row, without the fields it does not give."""
    return {**{name: given.get(name) for name in GIVEN}, "custom": {}, **values, "provenance": dict(origin)}


def untouched(outlet: Mapping[str, Any], values: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Whether an outlet (wire values) still is what its import made of ``values``: nobody has changed any of it."""
    made = outlet_values(values, given, {})
    if not _moved(outlet, made):
        made |= {name: outlet.get(name) for name in ("lat_e7", "lon_e7")}
    for name in (*FIELDS, *_WORDS):
        now, then = outlet.get(name), made.get(name)
        if now != then and not (not now and not then and now != 0 and then != 0):
            return False
    said = outlet.get("provenance") or {}
    return outlet.get("confirmed_at") is None and set(said) <= {provenance.EVERYTHING}


def _moved(outlet: Mapping[str, Any], made: Mapping[str, Any]) -> bool:
    """Whether it stands elsewhere than its source says, by more than a newer extract's that nobody is asked about."""
    points = [one.get(name) for one in (outlet, made) for name in ("lat_e7", "lon_e7")]
    if any(type(point) is not int for point in points):
        return True
    return metres(*points) > MOVED_METRES  # type: ignore[arg-type]
