"""What is written for many operations at once is what each of them would have written alone."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, event, select

from fieldcrm.domain.catalogue import CATALOGUE, sector_bucket
from fieldcrm.domain.ids import new_id
from sync.columns import record_to_wire
from sync.digest import row_sum, to_hex
from sync.protocol import Op, OpResult, SyncRequest, Tx
from sync.server.bulk import fetch
from sync.server.database import open_database, reading
from sync.server.ports import Change, Refused
from sync.server.store import RecordStore
from sync.server.validation import check_values
from tests.server.conftest import NOW, Company
from tests.server.test_sign_in import enter

OUTLET = CATALOGUE.by_name["outlet"]


class Rep:
    """A device of the rep of the western sector, speaking to the server in the same process."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.identity, _ = enter(company, "rita")
        self.next, self.last = 1, None

    def outlet(self, name: str, **more: Any) -> dict[str, Any]:
        sector = self.company.sectors["west"].hex
        return {"name": name, "sector_id": sector, "zone": "Europe/Paris", "state": "active", **more}

    def op(self, kind: Any, id: UUID, values: dict[str, Any], base: int = 0, collection: int = 8) -> Op:
        self.next += 1
        return Op(self.next - 1, secrets.token_hex(16), kind, collection, id.hex, base, values)

    def push(self, *transactions: list[Op], want: int = 0) -> list[OpResult]:
        first = transactions[0][0].n
        tx = [Tx(secrets.token_hex(16), ops) for ops in transactions]
        request = SyncRequest(1, CATALOGUE.schema, 1, self.identity.device_no, first, self.last, {}, tx, want)
        self.last = transactions[-1][-1].op
        answer = self.company.hq.sync.sync(self.identity.caller, request, now=NOW)
        assert answer.control is None
        return answer.results


@pytest.fixture
def rep(company: Company) -> Rep:
    return Rep(company)


def store(company: Company, connection: Connection) -> RecordStore:
    server = company.hq.sync
    return RecordStore(connection, server.catalogue, server.tables, company.org)


def stored(company: Company, id: UUID) -> list[Any]:
    with reading(company.hq.engine) as connection:
        return store(company, connection).rows(OUTLET, [id])[id]


def digest(company: Company, bucket: str) -> tuple[int, str]:
    with reading(company.hq.engine) as connection:
        table = company.hq.sync.tables.digest
        query = select(table.c.rows, table.c.sum).where(table.c.org_id == company.org, table.c.bucket == bucket)
        return tuple(connection.execute(query).one())  # type: ignore[return-value]


def recomputed(company: Company, bucket: str) -> tuple[int, str]:
    table = company.hq.sync.tables.bucket_row
    query = select(table.c.collection, table.c.id, table.c.rev).where(
        table.c.org_id == company.org, table.c.bucket == bucket, table.c.entry == 1
    )
    with reading(company.hq.engine) as connection:
        sums = [row_sum(*row) for row in connection.execute(query)]
    return len(sums), to_hex(sum(sums))


def test_the_answer_holds_the_record_as_the_database_does(company: Company, rep: Rep) -> None:
    ids = [new_id(NOW) for _ in range(3)]
    values = rep.outlet("Été\u00a01", custom={"b": 1, "a": [True, None]}, confirmed_at=1_790_000_000_000, note="a\nb")
    made = rep.push(*([rep.op("new", id, values)] for id in ids))
    base = made[0].rev
    changed = rep.push([rep.op("upd", ids[0], {"phone": "1"}, base), rep.op("upd", ids[1], {"custom": {"c": 2}}, base)])
    assert [result.s for result in [*made, *changed]] == ["applied"] * 5
    for result, id in zip([*changed, made[2]], ids, strict=True):
        assert result.row == stored(company, id)


def test_several_changes_of_one_record_in_one_request_are_written_once_and_whole(company: Company, rep: Rep) -> None:
    id = new_id(NOW)
    results = rep.push(
        [rep.op("new", id, rep.outlet("One"))],
        [rep.op("upd", id, {"phone": "1"})],
        [rep.op("upd", id, {"city": "Lyon", "phone": "2"})],
    )
    assert [result.s for result in results] == ["applied"] * 3
    row = dict(zip(OUTLET.field_names, stored(company, id)[2:], strict=True))
    assert (row["name"], row["phone"], row["city"]) == ("One", "2", "Lyon")
    assert len({result.rev for result in results}) == 1


def test_records_that_change_different_fields_in_one_request_keep_their_other_fields(
    company: Company, rep: Rep
) -> None:
    ids = [new_id(NOW) for _ in range(3)]
    rep.push(*([rep.op("new", id, rep.outlet("Same", phone="0", city="Here"))] for id in ids))
    rep.push(
        [rep.op("upd", ids[0], {"phone": "9"})], [rep.op("upd", ids[1], {"city": None})], [rep.op("upd", ids[2], {})]
    )
    rows = [dict(zip(OUTLET.field_names, stored(company, id)[2:], strict=True)) for id in ids]
    assert [(row["phone"], row["city"]) for row in rows] == [("9", "Here"), ("0", None), ("0", "Here")]


def test_a_refused_transaction_in_the_middle_takes_nothing_else_with_it(company: Company, rep: Rep) -> None:
    ids = [new_id(NOW) for _ in range(4)]
    results = rep.push(
        [rep.op("new", ids[0], rep.outlet("Good"))],
        [rep.op("new", ids[1], rep.outlet("Half")), rep.op("new", ids[2], rep.outlet("Bad", state="none"))],
        [rep.op("new", ids[3], rep.outlet("Good too"))],
    )
    assert [result.s for result in results] == ["applied", "dependent", "rejected", "applied"]
    with reading(company.hq.engine) as connection:
        assert set(store(company, connection).rows(OUTLET, ids)) == {ids[0], ids[3]}


def test_digests_after_a_push_are_those_of_the_rows(company: Company, rep: Rep) -> None:
    ids = [new_id(NOW) for _ in range(5)]
    rep.push(*([rep.op("new", id, rep.outlet("Shop"))] for id in ids))
    rep.push(*([rep.op("upd", id, {"phone": str(at)})] for at, id in enumerate(ids)))
    bucket = sector_bucket(company.sectors["west"])
    assert digest(company, bucket) == recomputed(company, bucket)


def test_a_push_asks_the_database_as_often_for_a_hundred_records_as_for_ten(company: Company, rep: Rep) -> None:
    asked: list[str] = []

    def count(_c: Any, _cur: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    def visits(number: int) -> list[list[Op]]:
        person, outlet = rep.identity.caller.user.hex, company.outlets["West shop"].hex
        base = {"outlet_id": outlet, "person_id": person, "started_at": 1, "zone": "Europe/Paris"}
        return [
            [rep.op("new", new_id(NOW), base | {"position_source": "none"}, collection=14)] for _ in range(number)
        ]

    rep.push(*visits(1))
    counts = []
    event.listen(company.hq.engine, "before_cursor_execute", count)
    try:
        for number in (10, 100):
            asked.clear()
            assert {result.s for result in rep.push(*visits(number))} == {"applied"}
            counts.append(len(asked))
    finally:
        event.remove(company.hq.engine, "before_cursor_execute", count)
    assert counts[0] == counts[1]


def test_what_was_there_before_its_parent_goes_where_the_parent_appears(company: Company) -> None:
    """The server may load in any order: a contact of an outlet that comes later."""
    outlet, contact = new_id(NOW), new_id(NOW)
    server = company.hq.sync
    child = {"outlet_id": outlet, "name": "Ana"}
    server.apply_as_server(
        company.org, [Change("contact", contact, record_to_wire(CATALOGUE.by_name["contact"], child))], now=NOW
    )
    company.hq.apply(company.org, [("outlet", {
        "id": outlet, "name": "Late", "sector_id": company.sectors["east"], "zone": "Europe/Paris", "state": "active",
    })])  # fmt: skip
    bucket = sector_bucket(company.sectors["east"])
    with reading(company.hq.engine) as connection:
        found = store(company, connection).places([("outlet", outlet), ("contact", contact)])
        assert {key: set(places) for key, places in found.items()} == {
            ("outlet", outlet): {bucket},
            ("contact", contact): {bucket},
        }
    assert digest(company, bucket) == recomputed(company, bucket)


def test_values_are_kept_in_their_one_form() -> None:
    review = CATALOGUE.by_name["review"]
    id = new_id(NOW)
    found = check_values(review, {"submission_id": id.hex.upper(), "nodes": ["b", "a", "b"]}, whole=False)
    assert found == {"submission_id": id.hex, "nodes": ["a", "b"]}
    member = CATALOGUE.by_name["sector_member"]
    assert check_values(member, {"valid_from": "20260102"}, whole=False) == {"valid_from": "2026-01-02"}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "a\x00b", "wrong_kind"),
        ("name", "\ud800", "wrong_kind"),
        ("name", 5, "wrong_kind"),
        ("name", None, "required"),
        ("name", "x" * 20_001, "too_long"),
        ("lat_e7", True, "wrong_kind"),
        ("lat_e7", 2**63, "wrong_kind"),
        ("lat_e7", 900_000_001, "too_large"),
        ("surface_m2", -1, "too_small"),
        ("state", "sleeping", "not_a_choice"),
        ("state", ["active"], "wrong_kind"),
        ("sector_id", "0" * 31 + "g", "wrong_kind"),
        ("confirmed_at", 1 << 60, "wrong_kind"),
        ("custom", {"a": "\ud800"}, "wrong_kind"),
        ("nothing", 1, "unknown_field"),
    ],
)
def test_the_quick_look_lets_nothing_pass_that_is_wrong(field: str, value: Any, code: str) -> None:
    with pytest.raises(Refused) as refused:
        check_values(OUTLET, {field: value}, whole=False)
    assert refused.value.code == code
    assert refused.value.params["field"] == field


def test_every_commit_of_a_sqlite_server_reaches_the_disk(tmp_path: Any) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'server.sqlite'}")
    with engine.begin() as connection:
        assert fetch(connection, "PRAGMA synchronous", ()) == [(2,)]  # FULL
        assert fetch(connection, "PRAGMA journal_mode", ()) == [("wal",)]
    engine.dispose()
