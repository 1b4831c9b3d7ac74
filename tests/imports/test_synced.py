"""An import over real HTTP: both sides make the same records of it, once, and take them out again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update

from fieldcrm.domain.ids import new_id
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.tables import T
from fieldcrm.usecases import importing, refused, signin, syncing, updates
from fieldcrm.usecases.importing import Defaults, Imported
from sync.server.database import reading
from tests.conftest import KEY
from tests.imports.feeds import Lines, store
from tests.server.conftest import PASSWORD, Company, Live, found, listening, live, postgres_cluster

__all__ = ["listening", "live", "postgres_cluster"]

RECORDS = ("outlet", "outlet_source", "import_batch", "proposal", "sector_assignment")


def real_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Device:
    db: Database
    signed: signin.SignedIn
    supervisor: syncing.Supervisor
    company: Company

    def do(self, work: Callable[[Transaction], Any]) -> Any:
        return self.db.write(work, actor=self.signed.actor, now=real_now()).result().value

    def sync(self) -> None:
        assert self.supervisor.run_once() is not None, self.supervisor.state.problem

    def bring_in(self, feed: Lines, sector: str = "west", **more: Any) -> Imported:
        defaults = Defaults(self.company.sectors[sector], country="FR", **more)
        return importing.run_import(self.db, feed, defaults, actor=self.signed.actor, clock=real_now)

    def undo(self, batch: UUID | None) -> importing.Undone:
        assert batch is not None
        return importing.undo_import(self.db, batch, actor=self.signed.actor, clock=real_now)

    def rows(self, table: str) -> dict[str, dict[str, Any]]:
        """By id, as they stand, without local numbers."""
        with self.db.read() as r:
            rows = [dict(row._mapping) for row in r.conn.execute(select(getattr(T, table)))]
        return {row.pop("id").hex: {name: row[name] for name in row if name not in ("rid", "rev")} for row in rows}

    def waiting(self) -> int:
        with self.db.read() as r:
            return int(r.conn.exec_driver_sql("SELECT count(*) FROM outbox").scalar_one())

    def refused(self) -> list[str]:
        with self.db.read() as r:
            return [code for (code,) in r.conn.exec_driver_sql("SELECT code FROM dead_letter ORDER BY rid")]


@pytest.fixture
def company(live: Live) -> Company:
    return found(live.hq)


@pytest.fixture
def device(live: Live, company: Company, tmp_path: Path) -> Iterator[Callable[[str], Device]]:
    made: list[Device] = []

    def make(login: str) -> Device:
        folder = tmp_path / f"{login}-{len(made)}"
        db = Database.open(folder, KEY, now=real_now())
        signed = signin.sign_in(live.url, company.code, login, PASSWORD, "laptop")
        db.write(lambda tx: signin.remember(tx, signed), actor=signed.actor, now=real_now()).result()
        supervisor = syncing.Supervisor(
            db, PhotoStore(folder / "photos", KEY), signed.actor,
            lambda: signin.open_remote(db, signed, clock=real_now), clock=real_now, automatic=False,
        )  # fmt: skip
        made.append(Device(db, signed, supervisor, company))
        made[-1].sync()
        return made[-1]

    yield make
    for one in made:
        one.supervisor.stop()
        one.db.close()


def at_headquarters(live: Live, company: Company, table: str) -> dict[str, dict[str, Any]]:
    records = live.hq.sync.tables.records[table]
    with reading(live.hq.engine) as connection:
        query = select(records).where(records.c.org_id == company.org, records.c.deleted_rev.is_(None))
        rows = [dict(row._mapping) for row in connection.execute(query)]
    beside = ("org_id", "rev", "frev", "deleted_rev")
    return {row.pop("id").hex: {name: row[name] for name in row if name not in beside} for row in rows}


def check_equal(live: Live, one: Device) -> None:
    for table in RECORDS:
        assert one.rows(table) == at_headquarters(live, one.company, table), table
    with one.db.read() as r:
        synced, verified = r.conn.exec_driver_sql("SELECT synced_at, verified_at FROM sync_state").one()
    assert synced == verified  # the sums of both sides agreed


def test_both_sides_make_the_same_records_once(live: Live, company: Company, device: Callable[[str], Device]) -> None:
    mona, other = device("mona"), device("mona")
    done = mona.bring_in(Lines([store(n, sector="east") if n % 3 == 0 else store(n) for n in range(300)]))
    assert done.added == 300
    before = mona.rows("outlet"), mona.rows("outlet_source")
    chosen = next(iter(before[1].values()))["outlet_id"]
    mona.do(lambda tx: tx.conn.execute(update(T.outlet).where(T.outlet.c.id == chosen).values(phone="+33 1")))
    mona.sync()
    assert mona.waiting() == 0
    assert mona.refused() == []
    check_equal(live, mona)
    after = mona.rows("outlet")
    assert after.pop(chosen.hex)["phone"] == "+33 1"
    assert before[0].pop(chosen.hex)["phone"] != "+33 1"
    assert (after, mona.rows("outlet_source")) == (before[0], before[1])  # the pull brought what was here
    other.sync()
    check_equal(live, other)
    omar = device("omar")
    assert len(omar.rows("outlet")) == 1 + 100
    # Offered again from the journal of what was answered, nothing is done twice.
    first = "SELECT min(n) FROM acked_ops"
    mona.do(lambda tx: mona.supervisor._local.rewind(tx, tx.conn.exec_driver_sql(first).scalar_one()))
    mona.sync()
    check_equal(live, mona)
    assert len(mona.rows("outlet")) == 2 + 300


def test_an_undo_after_the_sync_keeps_what_somebody_has_used(
    live: Live, company: Company, device: Callable[[str], Device]
) -> None:
    mona, rita = device("mona"), device("rita")
    done = mona.bring_in(Lines([store(n) for n in range(300)]))
    mona.sync()
    rita.sync()
    visited, edited, *_ = [id for id, row in rita.rows("outlet").items() if row["name"].startswith("Épicerie")]
    note = {"id": new_id(real_now()), "person_id": rita.signed.person_id, "text": "Vu", "written_at": real_now()}
    rita.do(lambda tx: tx.conn.execute(insert(T.note).values(outlet_id=UUID(hex=visited), **note)))
    rita.do(lambda tx: tx.conn.execute(update(T.outlet).where(T.outlet.c.id == UUID(hex=edited)).values(phone="0")))
    rita.sync()
    undone = mona.undo(done.batch_id)  # which has not heard of Rita's afternoon
    assert (undone.removed, undone.kept) == (300, 0)
    mona.sync()
    mona.sync()
    assert mona.refused() == []
    check_equal(live, mona)
    assert {visited, edited} == set(mona.rows("outlet")) - {one.hex for one in company.outlets.values()}
    with mona.db.read() as r:
        kept = importing.kept_outlets(r, done.batch_id)
        [batch] = importing.batches(r)
    assert {(one.outlet_id.hex, one.reason) for one in kept} == {(visited, "note"), (edited, "changed")}
    assert (batch.state, batch.unsent) == ("undone", 0)
    rita.sync()
    assert set(rita.rows("outlet")) == {visited, edited, company.outlets["West shop"].hex}


def test_headquarters_refuses_a_sector_that_is_not_the_managers_and_the_device_lets_go(
    live: Live, company: Company, device: Callable[[str], Device]
) -> None:
    mona = device("mona")
    foreign = live.hq.apply(company.org, [])
    assert foreign == 0
    from fieldcrm.server import accounts

    south = accounts.add_sector(live.hq, company.org, "south", "South", now=real_now())
    before = mona.rows("outlet"), mona.rows("outlet_source")
    defaults = Defaults(south, country="FR")
    wide = mona.signed.actor.__class__(mona.signed.actor.user_id, mona.signed.actor.role, frozenset())
    importing.run_import(mona.db, Lines([store(n) for n in range(50)]), defaults, actor=wide, clock=real_now)
    assert len(mona.rows("outlet")) == len(before[0]) + 50
    mona.sync()
    assert mona.refused() == ["not_your_sector"]
    assert (mona.rows("outlet"), mona.rows("outlet_source")) == before
    assert mona.rows("outlet") == at_headquarters(live, company, "outlet")
    # Once headquarters has given her the sector, the same piece is offered again.
    with mona.db.read() as r:
        [refusal] = refused.refusals(r)
    accounts.set_sectors(
        live.hq, company.org, "mona", [*company.sectors.values(), south], now=real_now()
    )
    mona.do(lambda tx: refused.try_again(tx, refusal))
    assert len(mona.rows("outlet")) == len(before[0]) + 50
    mona.sync()
    check_equal(live, mona)
    assert len(mona.rows("outlet")) == len(before[0]) + 50


def test_a_newer_extract_becomes_proposals_on_every_device(
    live: Live, company: Company, device: Callable[[str], Device]
) -> None:
    mona, other = device("mona"), device("mona")
    mona.bring_in(Lines([store(n) for n in range(20)]))
    mona.sync()
    newer = [store(0, phone="01 99"), store(1, name="Épicerie neuve"), *(store(n) for n in range(2, 21))]
    done = mona.bring_in(Lines(newer))
    assert (done.added, done.proposed, done.same) == (0, 3, 18)
    mona.sync()
    other.sync()
    check_equal(live, other)
    with other.db.read() as r:
        assert {kind for kind, n in updates.counts(r).items() if n} == {"details", "renamed", "opened"}
        rids = updates.proposals(r)
    decided = updates.decide_all(other.db, rids, accepted=True, actor=other.signed.actor, clock=real_now)
    assert (decided.done, decided.passed_over) == (3, 0)
    other.sync()
    mona.sync()
    check_equal(live, mona)
    names = {row["name"] for row in mona.rows("outlet").values()}
    assert {"Épicerie neuve", "Épicerie 20"} <= names
    assert "Épicerie 1" not in names
