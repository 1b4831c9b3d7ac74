"""Many at once: what must hold when writers overlap, on both databases."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from fieldcrm.domain.catalogue import sector_bucket
from fieldcrm.domain.ids import new_id
from sync.merge import Entry
from sync.protocol import Op, SyncRequest, Tx
from sync.server import engine
from sync.server.database import reading
from sync.server.erasure import without_erased
from sync.server.store import RecordStore
from tests.server.conftest import NOW, Company
from tests.server.test_sign_in import enter


def note(company: Company, number: int) -> Op:
    values = {"outlet_id": company.outlets["West shop"].hex, "person_id": company.people["mona"].hex}
    return Op(
        number, secrets.token_hex(16), "new", 21, new_id(NOW).hex, 0, values | {"text": str(number), "written_at": 1}
    )


def write_notes(company: Company, count: int) -> list[str]:
    """A manager's device adds notes one request at a time; what became of each."""
    identity, _ = enter(company, "mona")
    states: list[str] = []
    last = None
    for number in range(1, count + 1):
        op = note(company, number)
        request = SyncRequest(1, 1, 1, identity.device_no, number, last, {}, [Tx(secrets.token_hex(16), [op])], 0)
        answer = company.hq.sync.sync(identity.caller, request, now=NOW)
        states += [result.s for result in answer.results]
        last = op.op
    return states


def move(company: Company, times: int) -> None:
    for turn in range(times):
        sector = company.sectors["east" if turn % 2 == 0 else "west"]
        company.hq.apply(company.org, [("outlet", {"id": company.outlets["West shop"], "sector_id": sector})])


def places(company: Company, collection: str) -> list[frozenset[str]]:
    server = company.hq.sync
    table = server.tables.records[collection]
    with reading(server.engine) as connection:
        ids = list(
            connection.scalars(table.select().with_only_columns(table.c.id).where(table.c.org_id == company.org))
        )
        store = RecordStore(connection, server.catalogue, server.tables, company.org)
        found = store.places((collection, id_) for id_ in ids)
        return [frozenset(found.get((collection, id_), ())) for id_ in ids]


def test_what_is_added_while_its_outlet_moves_ends_where_the_outlet_ends(company: Company) -> None:
    with ThreadPoolExecutor(4) as pool:
        moving = pool.submit(move, company, 30)
        writing = [pool.submit(write_notes, company, 15) for _ in range(3)]
        moving.result()
        assert {state for done in writing for state in done.result()} == {"applied"}
    west = sector_bucket(company.sectors["west"])
    assert set(places(company, "note")) == {frozenset({west})}
    assert len(places(company, "note")) == 45


def test_a_reader_that_follows_the_cursor_misses_nothing(company: Company) -> None:
    """The cursor trap: a revision that is committed late must not hide behind one that was read early."""
    identity, _ = enter(company, "mona")
    seen: set[str] = set()
    cursors: dict[str, int] = {}

    def poll() -> None:
        request = SyncRequest(1, 1, 1, identity.device_no, 1, None, dict(cursors), [], 5000)
        pull = company.hq.sync.sync(identity.caller, request, now=NOW).pull
        assert pull is not None
        assert not pull.more
        for page in pull.pages:
            seen.update(row[0] for row in page.put.get("21", []))
        cursors.update(dict.fromkeys(pull.buckets, pull.upto))

    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(write_notes, company, 20) for _ in range(4)]
        while not all(done.done() for done in writing):
            poll()
        for done in writing:
            done.result()
    poll()
    assert len(seen) == 80


def test_the_digest_of_each_bucket_agrees_with_its_rows_afterwards(company: Company) -> None:
    with ThreadPoolExecutor(3) as pool:
        jobs: list[Any] = [pool.submit(write_notes, company, 10) for _ in range(2)]
        jobs.append(pool.submit(move, company, 9))
        for job in jobs:
            job.result()
    server = company.hq.sync
    with reading(server.engine) as connection:
        rows, digest = server.tables.bucket_row, server.tables.digest
        held = connection.execute(
            rows.select().where(rows.c.org_id == company.org, rows.c.entry == int(Entry.PUT))
        ).all()
        counted: dict[str, int] = {}
        for row in held:
            counted[row.bucket] = counted.get(row.bucket, 0) + 1
        kept = connection.execute(digest.select().where(digest.c.org_id == company.org)).all()
    assert {row.bucket: row.rows for row in kept if row.rows} == counted


def test_a_person_erased_while_a_push_is_decided_is_erased_from_it_too(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    if company.hq.engine.dialect.name == "sqlite":
        return  # one writer at a time: there is no between
    identity, _ = enter(company, "mona")
    rita, plan = company.people["rita"], new_id(NOW)
    looked: list[int] = []

    def looks_and_is_late(*asked: Any) -> Any:
        found = without_erased(*asked)
        looked.append(1)
        if len(looked) == 1:
            company.hq.erasures.erase_person(company.org, rita, now=NOW)
        return found

    monkeypatch.setattr(engine, "without_erased", looks_and_is_late)
    values = {"person_id": rita.hex, "sector_id": company.sectors["west"].hex, "day": "2026-11-23",
              "home_lat_e7": 488_566_140, "home_lon_e7": 23_522_219}  # fmt: skip
    op = Op(1, secrets.token_hex(16), "new", 19, plan.hex, 0, values)
    request = SyncRequest(1, 1, 1, identity.device_no, 1, None, {}, [Tx(secrets.token_hex(16), [op])], 0)
    [result] = company.hq.sync.sync(identity.caller, request, now=NOW).results
    assert (result.s, len(looked)) == ("applied", 2)
    table = company.hq.sync.tables.records["plan"]
    with reading(company.hq.engine) as connection:
        query = select(table.c.home_lat_e7, table.c.home_lon_e7).where(table.c.org_id == company.org)
        assert connection.execute(query.where(table.c.id == plan)).one() == (None, None)
