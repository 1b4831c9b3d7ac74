"""What may be in a list of outlets: the filters as a person sets them, and as a small JSON value.

A saved segment comes from another person's program, perhaps a newer one: what is not understood is left out, and
no value is ever an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from fieldcrm.domain.catalogue import OUTLET_STATES, SEGMENTS, STORE_TYPES
from fieldcrm.domain.ids import Id

DAY_MS = 86_400_000
POLYGON_POINTS = 2_000  # a lasso drawn by hand has some hundred
LISTED_STATES = frozenset({"active", "prospect"})

Scalar = str | int | float | bool
Point = tuple[int, int]  # latitude, longitude in degrees x 10^7


@dataclass(frozen=True, slots=True)
class Near:
    """Within ``radius_m`` metres of a point in degrees x 10^7; ``me``: the point is where the person is."""

    lat_e7: int
    lon_e7: int
    radius_m: int = 5_000
    me: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Filters:
    """What may be in the list; an empty set lets everything through. ``midnight``: when today began for the person.

    ``unconfirmed_days``: nobody has confirmed it for so many days, or ever. ``unvisited_days``: the last visit is as
    many days old, or there was none. ``custom``: pairs of key and value; several of one key: any of them.
    ``ids``: no others than these, as a screen that knows them asks. ``polygon``: inside this ring, its edge included.
    """

    midnight: datetime
    overdue: bool = False
    unmapped: bool = False
    segments: frozenset[str] = frozenset()
    store_types: frozenset[str] = frozenset()
    sectors: frozenset[Id] = frozenset()
    states: frozenset[str] = LISTED_STATES
    banners: frozenset[str] = frozenset()
    near: Near | None = None
    distributors: frozenset[str] = frozenset()
    open_tasks: bool = False
    unconfirmed_days: int | None = None
    never_confirmed: bool = False
    unvisited_days: int | None = None
    custom: frozenset[tuple[str, Scalar]] = frozenset()
    polygon: tuple[Point, ...] | None = None
    ids: frozenset[Id] | None = None

    def to_dict(self) -> dict[str, Any]:
        """A JSON value without what is as usual; ``midnight`` is of the day and not kept."""
        return _written(self)

    @classmethod
    def from_dict(cls, kept: object, midnight: datetime, here: Near | None = None) -> Filters:
        """What ``to_dict`` gave; whatever is not understood is left out. ``here`` is where the person is now."""
        return _understood(kept, midnight, here)

    @property
    def of_visits(self) -> bool:
        """Whether a visit may change what passes."""
        return self.overdue or self.unvisited_days is not None


# ---- as a JSON value ------------------------------------------------------------------------------------------------

_FLAGS = ("overdue", "unmapped", "open_tasks", "never_confirmed")
_DAYS = ("unconfirmed_days", "unvisited_days")
_LONGEST = 200  # characters of a value, and values of a set
_RADIUS_M = 500_000
_IDS = 100_000


def _written(filters: Filters) -> dict[str, Any]:
    """Without what is as usual."""
    kept: dict[str, Any] = {name: True for name in _FLAGS if getattr(filters, name)}
    kept |= {name: getattr(filters, name) for name in _DAYS if getattr(filters, name) is not None}
    for name in ("segments", "store_types", "banners", "distributors"):
        if getattr(filters, name):
            kept[name] = sorted(getattr(filters, name))
    if filters.states != LISTED_STATES:
        kept["states"] = sorted(filters.states)
    if filters.sectors:
        kept["sectors"] = sorted(id_.hex for id_ in filters.sectors)
    if filters.custom:
        kept["custom"] = [list(pair) for pair in sorted(filters.custom, key=lambda pair: (pair[0], str(pair[1])))]
    if filters.near is not None:
        near = filters.near
        kept["near"] = {"lat": near.lat_e7, "lon": near.lon_e7, "radius": near.radius_m, "me": near.me}
    if filters.polygon is not None:
        kept["polygon"] = [list(point) for point in filters.polygon]
    if filters.ids is not None:
        kept["ids"] = sorted(id_.hex for id_ in filters.ids)
    return kept


def _understood(kept: object, midnight: datetime, here: Near | None) -> Filters:
    """The filters that ``kept`` speaks of; ``Filters(midnight)`` for what is no JSON object at all."""
    if not isinstance(kept, Mapping):
        return Filters(midnight)
    values: dict[str, Any] = {name: kept.get(name) is True for name in _FLAGS}
    for name in _DAYS:
        days = _whole(kept.get(name), 0, 36_500)
        if days is not None:
            values[name] = days
    values["segments"] = _texts(kept.get("segments"), SEGMENTS)
    values["store_types"] = _texts(kept.get("store_types"), STORE_TYPES)
    values["banners"] = _texts(kept.get("banners"))
    values["distributors"] = _texts(kept.get("distributors"))
    if isinstance(kept.get("states"), list):
        values["states"] = _texts(kept["states"], OUTLET_STATES)
    values["sectors"] = _ids(kept.get("sectors"), _LONGEST)
    values["custom"] = _pairs(kept.get("custom"))
    values["near"] = _near(kept.get("near"), here)
    values["polygon"] = _polygon(kept.get("polygon"))
    if isinstance(kept.get("ids"), list):
        values["ids"] = _ids(kept["ids"], _IDS)
    return Filters(midnight, **values)


def _whole(value: object, low: int, high: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        return None
    return value


def _listed(value: object, limit: int = _LONGEST) -> list[Any]:
    return value[:limit] if isinstance(value, list) else []


def _texts(value: object, choices: tuple[str, ...] | None = None) -> frozenset[str]:
    texts = {text for text in _listed(value) if isinstance(text, str) and len(text) <= _LONGEST and _storable(text)}
    return frozenset(texts if choices is None else texts & set(choices))


def _storable(text: str) -> bool:
    """A lone surrogate, as JSON may hold it, cannot be asked of the database."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _ids(value: object, limit: int) -> frozenset[UUID]:
    found = set()
    for text in _listed(value, limit):
        if isinstance(text, str) and len(text) == 32:
            try:
                found.add(UUID(hex=text))
            except ValueError:
                continue  # not an id: left out
    return frozenset(found)


def _pairs(value: object) -> frozenset[tuple[str, Any]]:
    found = set()
    for pair in _listed(value):
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str) or not _storable(pair[0]):
            continue
        if _comparable(pair[1]):
            found.add((pair[0], pair[1]))
    return frozenset(found)


def _comparable(value: object) -> bool:
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, float):
        return abs(value) < 1e15  # neither infinite nor not a number
    return isinstance(value, bool) or _whole(value, -(2**53), 2**53) is not None


def _near(value: object, here: Near | None) -> Near | None:
    if not isinstance(value, Mapping):
        return None
    radius = _whole(value.get("radius"), 1, _RADIUS_M)
    if value.get("me") is True and here is not None:
        return Near(here.lat_e7, here.lon_e7, radius or here.radius_m, me=True)
    point = _point([value.get("lat"), value.get("lon")])
    if point is None or radius is None:
        return None
    return Near(*point, radius, me=value.get("me") is True)


def _point(value: object) -> Point | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    lat, lon = _whole(value[0], -900_000_000, 900_000_000), _whole(value[1], -1_800_000_000, 1_800_000_000)
    return None if lat is None or lon is None else (lat, lon)


def _polygon(value: object) -> tuple[Point, ...] | None:
    points = [_point(one) for one in _listed(value, POLYGON_POINTS + 1)]
    ring = tuple(point for point in points if point is not None)
    return ring if 3 <= len(ring) == len(points) <= POLYGON_POINTS else None
