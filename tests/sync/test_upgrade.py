"""Programs and servers of different age: an old one passes over what it does not know, a new one fetches just that."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import MetaData

from sync.catalogue import Catalogue, Collection, Field, Kind, ScopeParent
from sync.client.capture import capture_triggers
from sync.client.engine import UpgradeNeeded
from sync.client.failures import CallRefused, Offline
from sync.client.tables import build_collection_tables
from sync.protocol import RowsRequest, SyncResponse
from sync.server.ports import Caller, Change, Refused
from tests.sync import small
from tests.sync.conftest import ANA, BEN
from tests.sync.small import CATALOGUE, CLASH, PRICE, REPORT, SHOP, START, Device, Server

OLD = CATALOGUE
COLOURED = Collection(
    SHOP.number, "shop", (*SHOP.fields, Field(11, "colour")), writers=SHOP.writers
)  # fmt: skip
PROMISE = Collection(
    9, "promise", (Field(1, "shop_id", Kind.ID, required=True), Field(2, "text", required=True)),
    writers=SHOP.writers, scope_parent=ScopeParent("shop_id", "shop"),
)  # fmt: skip
NEW = Catalogue(2, (COLOURED, REPORT, PRICE, CLASH, PROMISE))
SHOPS = [UUID(int=0x5000 + at) for at in range(30)]
PROMISED = UUID(int=0x7001)

Make = Callable[[UUID], Device]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of the new version, for devices of the old one."""
    monkeypatch.setattr(small, "CATALOGUE", NEW)
    made = Server(tmp_path)
    monkeypatch.setattr(small, "CATALOGUE", OLD)
    made.sectors = {ANA: {"A"}, BEN: {"B"}}
    made.write(*(Change("shop", id, {"name": f"Shop {at}", "sector": "A"}) for at, id in enumerate(SHOPS)))
    made.write(*(Change("shop", id, {"colour": "red"}) for id in SHOPS[:3]))
    made.write(Change("promise", PROMISED, {"shop_id": SHOPS[0].hex, "text": "a bay"}))
    yield made
    made.engine.dispose()


def upgrade(device: Device) -> None:
    """The new program opens the old one's database."""
    metadata = MetaData()
    tables = build_collection_tables(metadata, NEW)
    with device.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE shop ADD COLUMN colour TEXT")
        metadata.create_all(connection, [tables["promise"]])
        for event in ("insert", "update", "delete"):
            connection.exec_driver_sql(f"DROP TRIGGER capture_shop_{event}")
        for statement in capture_triggers(NEW):
            if "capture_shop_" in statement or "capture_promise_" in statement:
                connection.exec_driver_sql(statement)
    device.local = type(device.local)(NEW)
    device.wire.calls.clear()


def asked(device: Device) -> list[RowsRequest]:
    """What the device asks for row by row from now on."""
    requests: list[RowsRequest] = []
    real = device.wire.rows

    def rows(request: RowsRequest) -> SyncResponse:
        requests.append(request)
        return real(request)

    device.wire.rows = rows  # type: ignore[method-assign]
    return requests


def test_an_old_program_passes_over_what_it_does_not_know_and_goes_on_pushing(server: Server, device: Make) -> None:
    ana = device(ANA)
    assert ana.sync().verified
    assert len(ana.rows()) == 30
    ana.edit(SHOPS[0], phone="1")
    ana.sync()
    row = server.rows("shop")[SHOPS[0]]
    assert (row["phone"], row["colour"]) == ("1", "red")  # T5: what it does not know it cannot wipe


def test_a_new_program_fetches_only_what_the_old_one_passed_over(server: Server, device: Make) -> None:
    ana = device(ANA)
    ana.sync()
    ana.edit(SHOPS[7], phone="waits")
    ana.edit(SHOPS[1], phone="waits too")
    before = ana.query("SELECT n, op, tx, \"set\" FROM outbox ORDER BY n")
    upgrade(ana)
    assert ana.query("SELECT n, op, tx, \"set\" FROM outbox ORDER BY n") == before
    requests = asked(ana)
    ana.wire.after = lambda name: ana.edit(SHOPS[2], colour="mine") if name == "sync" and not requests else None
    progress = ana.sync()
    ana.wire.after = lambda name: None
    assert progress.verified and progress.sent >= 2
    assert [shop["colour"] for shop in map(ana.shop, SHOPS[:4])] == ["red", "red", "mine", None]
    assert ana.query("SELECT text FROM promise") == [("a bay",)]
    by_field = [request for request in requests if request.fields]
    assert {name for request in by_field for name in request.fields["1"]} == {"colour"}
    assert {id for request in requests for ids in request.ids.values() for id in ids} == {PROMISED.hex}
    assert progress.received + progress.repaired <= 12  # and not all thirty
    ana.sync()
    assert server.rows("shop")[SHOPS[2]]["colour"] == "mine"
    ana.wire.calls.clear()
    ana.sync()
    assert ana.wire.calls == ["sync"]


def test_catching_up_goes_on_after_any_cut(server: Server, device: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.server.verification.MAX_ROWS", 1)
    ana = device(ANA)
    ana.sync()
    upgrade(ana)
    requests = asked(ana)
    cuts = iter([True, False] * 20)

    def cut(name: str) -> None:
        if name == "rows" and next(cuts):
            raise Offline()

    ana.wire.before = cut
    while not ana.try_sync():
        pass
    assert [shop["colour"] for shop in map(ana.shop, SHOPS[:4])] == ["red", "red", "red", None]
    pages = [request.after for request in requests if request.fields and request.bucket == "sector:A"]
    assert pages == sorted(pages)  # never from the beginning again
    assert ana.query("SELECT backfill FROM sync_state") == [(None,)]


def test_a_server_that_cannot_pick_out_rows_sends_them_all(server: Server, device: Make) -> None:
    def refuse(request: RowsRequest) -> SyncResponse:
        raise CallRefused(404, "not_found")

    ana = device(ANA)
    ana.sync()
    upgrade(ana)
    ana.wire.rows = refuse  # type: ignore[method-assign]
    ana.sync(), ana.sync()
    assert ana.shop(SHOPS[0])["colour"] == "red"


def test_a_new_program_works_with_an_old_server(tmp_path: Path, client_file: Path) -> None:
    old = Server(tmp_path)
    old.sectors = {ANA: {"A"}}
    old.write(Change("shop", SHOPS[0], {"name": "One", "sector": "A"}))
    ana = Device(old, ANA, tmp_path / "new.db", template=client_file)
    upgrade(ana)
    with ana.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE capture SET tx = NULL")
    ana.sync()
    assert ana.shop(SHOPS[0])["colour"] is None
    ana.engine.dispose()
    old.engine.dispose()


def test_only_a_pull_may_be_refused_for_age_and_what_is_recorded_still_goes(server: Server, device: Make) -> None:
    ana = device(ANA)
    ana.sync()
    server.sync.min_pull_schema = 2
    for at in range(3):
        ana.edit(SHOPS[at], phone=f"{at}")
    with pytest.raises(UpgradeNeeded):
        ana.sync()
    assert ana.outbox() == 0
    assert [server.rows("shop")[SHOPS[at]]["phone"] for at in range(3)] == ["0", "1", "2"]
    server.write(Change("shop", SHOPS[9], {"phone": "later"}))
    upgrade(ana)
    ana.sync()
    assert ana.shop(SHOPS[9])["phone"] == "later" and ana.shop(SHOPS[2])["colour"] == "red"


@pytest.mark.parametrize("after", ["x", "1:", "1:" + "g" * 32, "-1:" + "0" * 32, "123456:" + "0" * 32])
def test_a_page_mark_that_is_none_is_refused(server: Server, device: Make, after: str) -> None:
    request = RowsRequest(1, "sector:A", {}, {"1": ["colour"]}, after)
    with pytest.raises(Refused, match="wrong_token"):
        server.verification.rows(device(ANA).wire.caller, request, now=START)


def test_rows_of_another_scope_are_not_picked_out(server: Server, device: Make) -> None:
    ben = device(BEN)
    everything: dict[str, list[str]] = {"1": ["colour", "name"], "99": ["x"], "9": ["text"]}
    answer = server.verification.rows(ben.wire.caller, RowsRequest(1, "sector:B", {}, everything), now=START)
    assert answer.pull is not None and answer.pull.pages[0].put == {}
    for caller in (ben.wire.caller, Caller(UUID(int=0xB), ANA, "rep", 1)):
        with pytest.raises(Refused):
            server.verification.rows(caller, RowsRequest(1, "sector:A", {}, everything), now=START)


def test_what_a_program_knew_is_kept_with_the_rows(server: Server, device: Make) -> None:
    ana = device(ANA)
    ana.sync()
    known: Any = json.loads(ana.query("SELECT known FROM sync_state")[0][0])
    assert known["1"] == list(SHOP.field_names)
