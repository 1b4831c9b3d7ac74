"""The whole sample territory as rows and photos, from imported outlets, a form and a seed; the same again each time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from fieldcrm.demo.history import History
from fieldcrm.demo.oddities import Oddities, arrange
from fieldcrm.demo.range import add_range, read_range
from fieldcrm.demo.records import Records, Row
from fieldcrm.demo.shelves import Reports, Shelves
from fieldcrm.demo.territory import (
    WEEKS,
    Territory,
    add_contacts,
    add_organisation,
    choose_customers,
    move_one_store,
)
from fieldcrm.demo.upkeep import add_fields, own_values
from fieldcrm.domain.ids import Id
from fieldcrm.forms import load_form

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


def begin(now: datetime, seed: int = SEED) -> tuple[Records, Territory]:
    """The organisation, its sectors and its people: what has to be there before outlets can be imported."""
    records = Records(seed, now)
    return records, add_organisation(records, first_day(now))


def first_day(now: datetime) -> date:
    """The day from which assortments, prices and sectors are valid: some weeks before the first visit."""
    return now.astimezone(UTC).date() - timedelta(weeks=WEEKS + 4)


def build_world(
    records: Records, territory: Territory, outlets: Sequence[Row], assignments: Sequence[Row], form: AuditForm
) -> SampleWorld:
    """Everything up to the day before ``records.now``, for outlets that were imported, in the order of the source."""
    chance, oddities = random.Random(records.seed), Oddities()
    today = records.now.astimezone(UTC).date()
    records.rows["outlet"], records.rows["sector_assignment"] = list(outlets), list(assignments)
    choose_customers(records.of("outlet"))
    add_fields(records)
    for at, row in enumerate(records.of("outlet")):
        if row["state"] == "active":
            row["custom"] = own_values(row, at)
    articles = read_range(records)
    add_range(records, articles, first_day(records.now))
    records.add(
        "form", records.id("form", form.name, form.version), name=form.name, version=form.version, xform=form.xform,
        title=form.title, active=True,
    )  # fmt: skip
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
