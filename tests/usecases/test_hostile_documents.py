"""Documents that another program wrote, of any shape: no list, card or page of anybody else stops because of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import new_id
from fieldcrm.store.database import Database, Reader, Transaction
from fieldcrm.usecases import (
    customfields,
    duplicates,
    importing,
    merging,
    orders,
    outlet_quality,
    outlets,
    placing,
    segments,
    updates,
)
from fieldcrm.usecases.card import card
from fieldcrm.usecases.export_outlets import EVERY_FIELD, Format, export_outlets
from fieldcrm.usecases.outlets import Filters
from fieldcrm.usecases.update_details import details
from sync.columns import canonical, to_milliseconds
from tests.world import World

HUGE = 10**350
ANY: tuple[Any, ...] = (
    5, "x", [[1, 2]], {"": None}, {"k": HUGE, "l": [1], "m": {}},
)  # fmt: skip
ORIGINS: tuple[Any, ...] = (
    {"provenance": 5}, {"provenance": "x"}, {"provenance": {"name": "x", "*": []}},
    {"provenance": {"name": {"source": ["person"], "at": "x"}}},
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    {"name": 5, "lat_e7": HUGE, "lon_e7": -HUGE}, {"lat_e7": True, "lon_e7": 1}, {"lat_e7": 3},
    {"name": {}, "zone": "Mars", "opening_hours": 7, "rid": 4, "id": "x", "sector_id": "zz", "nope": 1},
    {"name": None}, {"state": "gone"}, {"visit_minutes": HUGE}, {"sector_id": "0" * 32},
)  # fmt: skip
MOMENTS: tuple[Any, ...] = (
    {"name": {"source": "person", "at": HUGE, "by": 5}}, {"*": {"source": {}, "at": -HUGE, "by": []}},
    {"*": {"source": 5, "at": 1 << 62}}, {"*": {"at": 1e300, "source": "osm"}},
)  # fmt: skip
PLACED = {"state": "doubtful", "at": HUGE, "score": HUGE, "asked": [], "why": {}, "found": {
    "lat": 1, "lon": 2, "precision": "town", "score": HUGE, "address": [1, 2, {}, [], None], "label": []}}  # fmt: skip
TAKEN: tuple[Any, ...] = (
    {"*stops": 5}, {"*stops": ["x", 5, None]}, {"name": {"was": 5, "now": "Épicerie des Halles"}},
    {"state": {"was": "gone", "now": "active"}}, {"name": {"was": None, "now": "Épicerie des Halles"}},
)  # fmt: skip
SHAPES: dict[str, tuple[Any, ...]] = {
    "saved_segment.filters": ANY,
    "custom_field.label": (*ANY, {"fr": 5, "en": []}),
    "custom_field.choices": ANY,
    "rule.value": (*ANY, {"weights": 5, "phone_form": [], "home": 5}, {"evidence": [[], {}], "certain": HUGE},
                   {"public": 0, "kind": [], "url": {}}),
    "proposal.before": (*ANY, *ORIGINS, *VALUES),
    "proposal.after": (*ANY, *ORIGINS, *VALUES),
    "sales_order.lines": (*ANY, [{"product_id": 5, "quantity": HUGE, "price_minor": -1}]),
    "outlet_alias.taken": (*ANY, *TAKEN),
    "import_batch.given": ANY,
    "outlet.custom": tuple(one for one in ANY if isinstance(one, dict)),
    "outlet.provenance": tuple(one for one in (*ANY, *MOMENTS) if isinstance(one, dict)),
    "outlet.placing": (*ANY, PLACED),
}  # fmt: skip


def insert(tx: Transaction, table: str, **values: Any) -> bytes:
    id_ = new_id(tx.now).bytes
    row = {"id": id_, "rev": 1, **values}
    names = ", ".join(f'"{name}"' for name in row)
    tx.conn.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))
    return id_


@pytest.fixture
def written(db: Database, world: World, now: datetime) -> Database:
    """One record of each collection that holds a document, as they come from headquarters."""
    at, outlet = to_milliseconds(now), world.outlets[0].bytes

    def work(tx: Transaction) -> None:
        with tx.uncaptured():
            rep, manager = world.rep.user_id.bytes, world.manager.user_id.bytes
            insert(tx, "saved_segment", name="S", query="x", filters="{}", person_id=rep, shared=1)
            for kind in ("choice", "number", "date"):
                insert(tx, "custom_field", key={"choice": "k"}.get(kind, kind), label="{}", kind=kind, active=1)
            for key in ("duplicates", "quality", "placing"):
                insert(tx, "rule", key=key, value="{}")
            given = {"sector_id": world.sector.hex, "zone": "Europe/Paris", "country": "FR", "state": "prospect"}
            batch = insert(tx, "import_batch", source="osm", begun_at=at, state="live", given=canonical(given))
            for kind in ("opened", "moved", "details"):
                insert(tx, "proposal", sector_id=world.sector.bytes, outlet_id=None if kind == "opened" else outlet,
                       kind=kind, before="{}", after="{}", source="osm", reference=kind, batch_id=batch, seen_at=at,
                       state="open")  # fmt: skip
            insert(tx, "sales_order", outlet_id=outlet, person_id=rep, placed_at=at, lines="[]", state="placed")
            insert(tx, "outlet_alias", outlet_id=outlet, alias_id=world.outlets[1].bytes, active=1, taken="{}",
                   person_id=manager, at=at)  # fmt: skip

    db.write(work, actor=world.manager, now=now).result()
    return db


def reads(r: Reader, world: World, now: datetime) -> Iterator[Callable[[], Any]]:
    """What the screens ask."""
    for segment in segments.listed(r):
        yield lambda: outlets.facets(r, segment.query, segments.filters_of(segment, now))  # noqa: B023
    yield lambda: card(r, world.outlets[0], world.rep, now=now)
    yield lambda: [details(r, one) for one in updates.rows(r, updates.proposals(r, states=()))]
    yield lambda: updates.proposals(r, written_only=True)
    yield lambda: (duplicates.read_rules(r), outlet_quality.overview(r, now=now), placing.read_policy(r))
    yield lambda: placing.lines(r, [rid for rids in placing.board(r).groups.values() for rid in rids])
    yield lambda: (merging.side(r, world.outlets[0]), merging.merges(r), customfields.used(r))
    yield lambda: [importing.kept_outlets(r, one.id) for one in importing.batches(r)]
    yield lambda: (orders.of_outlet(r, world.outlets[0]), outlets.points(r, Filters(now)))


def exports(r: Reader, now: datetime, folder: Path) -> Iterator[Callable[[], Any]]:
    titles = {name: name for name in (*EVERY_FIELD, *(f"custom:{one.key}" for one in customfields.fields(r)))}
    found = outlets.find(r, "", Filters(now))
    for kind in (Format.XLSX, Format.GEOJSON):
        path = folder / f"out.{kind.value}"
        yield lambda: export_outlets(
            lambda ask: ask(r), found, path, kind, separator=";", title="x", titles=titles)  # noqa: B023


def writes(tx: Transaction, world: World) -> Iterator[Callable[[], Any]]:
    ids = [UUID(bytes=id_) for id_ in tx.conn.exec_driver_sql("SELECT id FROM proposal").scalars()]
    alias = UUID(bytes=tx.conn.exec_driver_sql("SELECT id FROM outlet_alias").scalar_one())
    yield lambda: updates.accept(tx, ids)
    yield lambda: updates.reopen(tx, ids)
    yield lambda: merging.unmerge(tx, alias)
    yield lambda: placing.accept(tx, world.outlets[0])
    yield lambda: outlets.edit_outlet(tx, world.outlets[0], {"name": "Nouveau"})


class _Back(Exception):
    """Ends a transaction of which nothing is to stay."""


@pytest.mark.parametrize("where", SHAPES)
def test_a_document_of_any_shape_stops_nobody(
    written: Database, world: World, now: datetime, tmp_path: Path, where: str
) -> None:
    table, column = where.split(".")

    def check(tx: Transaction) -> None:
        for value in SHAPES[where]:
            with tx.uncaptured():
                tx.conn.exec_driver_sql(f'UPDATE {table} SET "{column}" = ?', (canonical(value),))
            exported = exports(tx, now, tmp_path) if "custom" in where else iter(())
            for asked in (reads(tx, world, now), exported, writes(tx, world)):
                for one in asked:
                    tx.conn.exec_driver_sql("SAVEPOINT one")
                    with suppress(DomainError):  # a sentence for the person, who goes on
                        one()
                    tx.conn.exec_driver_sql("ROLLBACK TO one")
        raise _Back

    with pytest.raises(_Back):
        written.write(check, actor=world.manager, now=now).result()


def test_a_proposal_writes_only_what_it_may(written: Database, world: World, now: datetime) -> None:
    wanted = {"name": "Chez Max", "sector_id": world.other_sector.hex}

    def work(tx: Transaction) -> tuple[int, str]:
        tx.conn.exec_driver_sql("UPDATE proposal SET after = ? WHERE kind = 'details'", (canonical(wanted),))
        ids = [UUID(bytes=one) for one in tx.conn.exec_driver_sql("SELECT id FROM proposal").scalars()]
        done = updates.accept(tx, ids)
        return done.done, outlets.read(tx, world.outlets[0]).name

    assert written.write(work, actor=world.manager, now=now).result().value == (0, "Épicerie des Halles")


def test_a_scribble_that_somebody_shares_is_counted_at_once(db: Database, world: World, now: datetime) -> None:
    """Taking this ring apart into valid polygons, as was done once, does not end in minutes."""
    ring = [[488_000_000 + 7_919 * n % 1_000 * 1_000, 23_000_000 + 104_729 * n % 997 * 1_000] for n in range(1_500)]
    filters = Filters.from_dict({"polygon": ring}, now)
    assert filters.polygon is not None
    with db.read() as r:
        assert len(outlets.find(r, "", filters)) <= len(world.outlets)
