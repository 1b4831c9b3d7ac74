"""What the steward of the sample base finds: fields of the organisation, and a newer extract that says otherwise.

Whatever differs in the newer extract is invented, and stays in the sector whose rep's day is not played.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from fieldcrm.demo.records import Records, Row
from fieldcrm.demo.territory import LICENCE, Territory
from fieldcrm.domain.ids import Id
from fieldcrm.domain.provenance import PERSON, origin
from fieldcrm.geo.osm import OutletFound
from fieldcrm.server.headquarters import Headquarters
from fieldcrm.server.imports import Source, compare_outlets

FIELDS = (  # key, kind, French, English, choices
    ("contract_level", "choice", "Niveau de contrat", "Contract level", ("Or", "Argent", "Bronze")),
    ("cold_room", "flag", "Chambre froide", "Cold room", ()),
    ("checkouts", "number", "Caisses", "Checkouts", ()),
    ("last_refit", "date", "Dernière rénovation", "Last refit", ()),
)
OLD_FIELD = ("old_code", "text", "Ancien code client", "Former customer code", ())
HOURS = "Mo-Fr 08:00-21:00; Sa 09:00-19:00; Su 11:00-17:00"
INVENTED = (("Kioski Aubelle (fictif)", "kiosk"), ("Norvelle Market (fictif)", "convenience"))


def add_fields(records: Records) -> None:
    """The organisation's own fields, one of them retired."""
    for position, (key, kind, french, english, choices) in enumerate((*FIELDS, OLD_FIELD)):
        records.add(
            "custom_field", records.id("custom_field", key), key=key, kind=kind, label={"fr": french, "en": english},
            choices=list(choices) or None, position=position, active=key != OLD_FIELD[0],
        )  # fmt: skip


def own_values(row: Row, at: int) -> dict[str, object]:
    """What is known of a customer beyond the usual: of large stores more than of small ones."""
    if row["segment"] == "a":
        level = FIELDS[0][4][at % 3]
        return {"contract_level": level, "cold_room": at % 2 == 0, "checkouts": 4 + at % 7}
    return {"contract_level": "Bronze"} if row["segment"] == "b" and at % 3 == 0 else {}


def bring_newer_extract(
    hq: Headquarters, org: Id, territory: Territory, band: Sequence[OutletFound], outlets: Sequence[Row], file: str,
    *, zone: str, country: str, now: datetime,
) -> None:  # fmt: skip
    """A newer extract of the last sector, two days old: nobody has decided on what it says yet."""
    rep, at = territory.reps[-1], now - timedelta(days=2)
    newer = newer_extract(band)
    confirmed = _confirmed(band, outlets)
    if confirmed is not None:
        stamp = origin(PERSON, now - timedelta(days=9), by=rep.id)
        kept = {**(confirmed["provenance"] or {}), "opening_hours": stamp}
        hq.apply(org, [("outlet", {"id": confirmed["id"], "provenance": kept})])
    made = compare_outlets(
        hq, org, territory.sectors[-1], newer, Source("osm", LICENCE, file), zone=zone, country=country, now=at)
    if made.batch is not None:
        hq.apply(org, [("import_batch", {"id": made.batch, "person_id": territory.manager.id})])


def _ordered(band: Sequence[OutletFound]) -> list[OutletFound]:
    return sorted(band, key=lambda outlet: outlet.reference)


def _with_hours(band: Sequence[OutletFound]) -> list[OutletFound]:
    return [outlet for outlet in _ordered(band) if outlet.opening_hours and outlet.opening_hours != HOURS]


def _confirmed(band: Sequence[OutletFound], outlets: Sequence[Row]) -> Row | None:
    """Our row of the first outlet whose hours are otherwise in the newer extract."""
    named = {(row["name"], row["lat_e7"], row["lon_e7"]): row for row in outlets}
    first = next(iter(_with_hours(band)), None)
    return named.get((first.name, first.lat_e7, first.lon_e7)) if first is not None else None


def newer_extract(band: Sequence[OutletFound]) -> list[OutletFound]:
    """The band as a newer extract might give it: hours, a name, a place, a telephone otherwise; two gone, two new."""
    changed = {outlet.reference: replace(outlet, opening_hours=HOURS) for outlet in _with_hours(band)[:3]}
    rest = [outlet for outlet in _ordered(band) if outlet.reference not in changed]
    if len(rest) < 8:
        return list(band)
    name, place, phone, *_ = rest
    changed[name.reference] = replace(name, name=f"{name.name} Plus")
    changed[place.reference] = replace(place, lat_e7=place.lat_e7 + 14_000)  # some 150 m to the north
    changed[phone.reference] = replace(phone, phone="+358 9 555 0100", website="https://www.example.org/")
    gone = {outlet.reference for outlet in rest[-2:]}
    new = [
        replace(rest[3], reference=f"node/9900000000{number}", name=title, brand="", store_type=kind, phone="",
                website="", lat_e7=rest[3].lat_e7 + 9_000 * (number + 1), opening_hours=HOURS)
        for number, (title, kind) in enumerate(INVENTED)
    ]  # fmt: skip
    return [changed.get(outlet.reference, outlet) for outlet in band if outlet.reference not in gone] + new
