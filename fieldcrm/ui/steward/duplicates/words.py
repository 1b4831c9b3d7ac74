"""What the page of duplicates says of pairs, sides and values."""

from __future__ import annotations

from datetime import datetime
from math import atan2, cos, degrees, radians
from typing import Any

from fieldcrm.domain import provenance
from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import Outlet
from fieldcrm.ui import labels
from fieldcrm.usecases.merging import POSITION, Belongings, value_of
from fieldcrm.words import date, distance, listing, percent, since, tr, trn

_SOURCES = {"osm": "OpenStreetMap", "sirene": "SIRENE", "banco": "BANCO"}


def verdict(score: float, certain: float) -> tuple[str, str]:
    """What a probability means, and its tone."""
    if score >= certain:
        return tr("Certainly one"), "success"
    return (tr("Probably one"), "warning") if score >= 0.75 else (tr("Perhaps one"), "neutral")


def score_words(score: float) -> str:
    """Never "100 %": nobody has seen the store."""
    return percent(min(score, 0.99))


def where(one: Outlet, other: Outlet, metres: float | None) -> str:
    """``42 m apart, the second to the north-east``, or what of it is known."""
    if metres is None or one.position is None or other.position is None:
        return tr("One of them is not mapped") if one.mapped or other.mapped else tr("Neither is mapped")
    if metres < 3:
        return tr("At the same place")
    (lat, lon), (lat2, lon2) = one.position, other.position
    angle = degrees(atan2((lon2 - lon) * cos(radians(lat)), lat2 - lat)) % 360
    points = (
        tr("north"), tr("north-east"), tr("east"), tr("south-east"), tr("south"), tr("south-west"), tr("west"),
        tr("north-west"),
    )  # fmt: skip
    way = points[round(angle / 45) % 8]
    return tr("{distance} apart, the second to the {direction}", distance=distance(metres), direction=way)


def value_words(outlet: Outlet, field: str) -> str:
    """The value of a field as the comparison shows it; ``""`` when there is none."""
    value = value_of(outlet, field)
    if value is None:
        return ""
    if field == POSITION:
        return f"{value[0] / 1e7:.5f}, {value[1] / 1e7:.5f}"
    if field == "custom":
        return ", ".join(f"{key}: {held}" for key, held in sorted(value.items()))
    return labels.field_value(field, value)


def origin_words(outlet: Outlet, field: str, people: dict[Id, str]) -> str:
    """Where a value comes from and since when; ``""`` when nobody wrote it down."""
    found = provenance.origin_of(outlet.provenance, field)
    if found is None or value_of(outlet, field) is None:
        return ""
    source = str(found.get("source") or "")
    if source == provenance.PERSON:
        source = people.get(_id(found.get("by")) or outlet.id, "") or tr("a person")
    else:
        source = _SOURCES.get(source, source)
    at = provenance.moment_of(found)
    if at is not None:
        return tr("{source}, {day}", source=source, day=date(at.astimezone().date()))
    return source


def _id(text: Any) -> Id | None:
    try:
        return Id(hex=str(text))
    except ValueError:
        return None


def belongings_words(found: Belongings, now: datetime) -> str:
    parts = [
        words
        for count, words in (
            (found.visits, trn("{n} visit", "{n} visits", found.visits)),
            (found.contacts, trn("{n} contact", "{n} contacts", found.contacts)),
            (found.tasks, trn("{n} task", "{n} tasks", found.tasks)),
            (found.notes, trn("{n} note", "{n} notes", found.notes)),
            (found.orders, trn("{n} order", "{n} orders", found.orders)),
            (found.photos, trn("{n} photo", "{n} photos", found.photos)),
        )
        if count
    ]
    if not parts:
        return tr("Nothing recorded here yet")
    last = tr(", last visit {since}", since=since(found.last_visit_at, now)) if found.last_visit_at else ""
    return listing(parts) + last
