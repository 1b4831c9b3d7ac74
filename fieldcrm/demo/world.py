"""The whole sample territory as rows and photos: from an extract, a form and a seed; the same again each time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fieldcrm.demo.history import History
from fieldcrm.demo.oddities import Oddities, arrange
from fieldcrm.demo.range import add_range, read_range
from fieldcrm.demo.records import Records
from fieldcrm.demo.shelves import Reports, Shelves
from fieldcrm.demo.territory import (
    WEEKS,
    Territory,
    add_contacts,
    add_organisation,
    add_outlets,
    move_one_store,
)
from fieldcrm.domain.ids import Id
from fieldcrm.forms import load_form
from fieldcrm.geo.osm import OutletFound

SEED = 20261121


@dataclass(frozen=True, slots=True)
class AuditForm:
    name: str
    version: str
    title: dict[str, str]
    xform: str


@dataclass(frozen=True, slots=True)
class SampleWorld:
    """Rows by collection, photos by content hash, and what is worth knowing about them."""

    records: Records
    territory: Territory
    oddities: Oddities

    @property
    def photos(self) -> dict[str, bytes]:
        return self.oddities.blobs


def build_world(found: Sequence[OutletFound], form: AuditForm, now: datetime, seed: int = SEED) -> SampleWorld:
    """Everything up to the day before ``now``; invented but for the outlets, which are those of ``found``."""
    records, chance, oddities = Records(seed, now), random.Random(seed), Oddities()
    today = now.astimezone(UTC).date()
    since = today - timedelta(weeks=WEEKS + 4)
    territory = add_organisation(records, since)
    articles = read_range(records)
    add_range(records, articles, since)
    records.add(
        "form", records.id("form", form.name, form.version), name=form.name, version=form.version, xform=form.xform,
        title=form.title, active=True,
    )  # fmt: skip
    add_outlets(records, found, territory, since)
    territory = move_one_store(records, territory, today)
    add_contacts(records, chance)
    _always_out(records, territory, articles[0].id, oddities)
    history = History(
        records, territory, Shelves(articles, chance, dict([oddities.always_out] if oddities.always_out else [])),
        Reports(load_form(form.xform.encode())), (form.name, form.version), chance,
    )  # fmt: skip
    history.write()
    arrange(history, oddities)
    return SampleWorld(records, territory, oddities)


def _always_out(records: Records, territory: Territory, product: Id, oddities: Oddities) -> None:
    """One of the played rep's big stores never has the first product."""
    store = next(
        row for row in records.of("outlet")
        if row["sector_id"] == territory.sectors[0] and row["state"] == "active"
        and row["store_type"] in ("hypermarket", "supermarket", "convenience")
    )  # fmt: skip
    oddities.always_out = store["id"], product
