"""Programs of another age than the server: older ones push for ever, newer ones lose nothing by waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from sync.catalogue import Catalogue, Collection, Field
from sync.client.failures import Busy, RemoteFailure
from sync.protocol import Op, SyncRequest, Tx
from sync.server.ports import Change
from tests.sync import small
from tests.sync.conftest import ANA, BEN
from tests.sync.small import CATALOGUE, CLASH, ORG, PRICE, REP, REPORT, SHOP, Device, Server

SHOP_ID = UUID(int=0x51)


def without(collection: Collection, *names: str) -> Collection:
    return replace(collection, fields=tuple(f for f in collection.fields if f.name not in names))


NOW = replace(CATALOGUE, schema=3)
AGES = {
    "fewer fields": Catalogue(2, (without(SHOP, "phone", "tags", "custom", "area"), REPORT, PRICE, CLASH)),
    "fewer collections": Catalogue(2, (SHOP, REPORT, CLASH)),
    "fewer of both": Catalogue(1, (without(SHOP, "phone", "note", "seen", "area"), REPORT)),
    "other order": Catalogue(2, (PRICE, replace(SHOP, fields=SHOP.fields[::-1]), CLASH, REPORT)),
}
NEWER = Catalogue(
    4,
    (
        replace(SHOP, fields=(*SHOP.fields, Field(99, "mood"))), REPORT, PRICE, CLASH,
        Collection(99, "poll", (Field(1, "text", required=True),), writers=REP),
    ),
)  # fmt: skip


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(small, "CATALOGUE", NOW)
    made = Server(tmp_path)
    made.sectors = {ANA: {"A"}, BEN: {"A"}}
    yield made
    made.engine.dispose()


@pytest.fixture
def device(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Device]]:
    made: list[Device] = []

    def make(user: UUID, catalogue: Catalogue) -> Device:
        monkeypatch.setattr(small, "CATALOGUE", catalogue)
        made.append(Device(server, user, tmp_path / f"device-{len(made)}.db"))
        monkeypatch.setattr(small, "CATALOGUE", NOW)
        return made[-1]

    yield make
    for one in made:
        one.engine.dispose()


def fill(server: Server) -> None:
    server.write(
        Change("shop", SHOP_ID, {"name": "Shop", "phone": "1", "sector": "A", "custom": {"a": 1}, "tags": ["x"],
                                 "note": "one", "seen": 5}),
        Change("price", UUID(int=0x91), {"amount": 12}),
    )  # fmt: skip


@pytest.mark.parametrize("age", AGES)
def test_an_older_program_pulls_what_it_knows_and_is_told_that_all_agrees(
    server: Server, device: Callable[..., Device], age: str
) -> None:
    fill(server)
    ana = device(ANA, AGES[age])
    done = ana.sync()
    assert done.verified and done.healed == []
    shop = ana.shop(SHOP_ID)
    assert shop is not None and shop["name"] == "Shop"
    assert ana.sync().verified  # and again, with nothing new


@pytest.mark.parametrize("age", AGES)
def test_an_older_program_pushes_and_wipes_nothing_that_it_does_not_know(
    server: Server, device: Callable[..., Device], age: str
) -> None:
    fill(server)
    ana, ben = device(ANA, AGES[age]), device(BEN, NOW)
    ana.sync()
    ben.sync()
    ana.edit(SHOP_ID, name="Renamed")
    ben.edit(SHOP_ID, phone="2")
    ana.add_report(UUID(int=0x71), SHOP_ID, "seen by an old program")
    for one in (ana, ben, ana, ben):
        assert one.sync().refused == 0
    row = server.rows("shop")[SHOP_ID]
    assert (row["name"], row["phone"], row["custom"], row["tags"]) == ("Renamed", "2", {"a": 1}, ["x"])
    assert server.rows("report")[UUID(int=0x71)]["text"] == "seen by an old program"


def test_a_program_too_old_to_be_answered_still_pushes(server: Server, device: Callable[..., Device]) -> None:
    """``min_pull_schema``: it is told to upgrade, and what its person recorded is safe all the same."""
    fill(server)
    ana = device(ANA, AGES["fewer fields"])
    ana.sync()
    server.sync.min_pull_schema = 3
    ana.edit(SHOP_ID, name="Last words")
    with pytest.raises(RemoteFailure, match="upgrade_needed"):
        ana.sync()
    assert server.rows("shop")[SHOP_ID]["name"] == "Last words"
    assert ana.query("SELECT count(*) FROM outbox") == [(0,)]
    server.sync.min_pull_schema = 0
    assert ana.sync().verified


def test_a_newer_program_speaks_to_an_older_server_as_long_as_both_know_the_words(
    server: Server, device: Callable[..., Device]
) -> None:
    fill(server)
    ana = device(ANA, NEWER)
    assert ana.sync().verified
    ana.edit(SHOP_ID, name="Renamed")
    assert ana.sync().refused == 0
    assert server.rows("shop")[SHOP_ID]["name"] == "Renamed"


def test_what_only_a_newer_program_knows_waits_on_the_device_and_is_not_refused(
    server: Server, device: Callable[..., Device]
) -> None:
    fill(server)
    ana = device(ANA, NEWER)
    ana.sync()
    ana.edit(SHOP_ID, mood="good")
    with pytest.raises(Busy):
        ana.sync()
    assert ana.query("SELECT count(*) FROM outbox") == [(1,)]
    shop = ana.shop(SHOP_ID)
    assert shop is not None and shop["mood"] == "good"


def test_an_unknown_word_of_a_program_of_the_same_age_is_refused_and_holds_up_nothing(
    server: Server, device: Callable[..., Device]
) -> None:
    """The same operation from a program that claims no newer schema is a fault: it goes to the person."""
    ana = device(ANA, NOW)
    ops = [
        Op(1, "a", "new", 1, UUID(int=1).hex, set={"name": "x", "sector": "A", "mood": "good"}),
        Op(2, "b", "new", 99, UUID(int=2).hex, set={"text": "x"}),
        Op(3, "c", "new", 1, UUID(int=3).hex, set={"name": "y", "sector": "A"}),
    ]
    tx = [Tx(op.op, [op]) for op in ops]
    answer = ana.wire.sync(SyncRequest(1, 3, server.sync.epoch(ORG), ana.wire.device, 1, None, {}, tx))
    assert [(r.s, r.code) for r in answer.results] == [
        ("rejected", "unknown_field"), ("rejected", "unknown_collection"), ("applied", None),
    ]  # fmt: skip
