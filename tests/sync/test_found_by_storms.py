"""What the model and the storms found in the product, each defect as a test of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from sync.client.failures import Offline
from sync.server.ports import Change
from tests.sync.conftest import ANA, BEN
from tests.sync.small import Device, Server

SHOP, REPORT = UUID(int=1), UUID(int=2)


def test_work_on_a_shop_that_was_deleted_in_a_sector_lost_since_is_kept(
    server: Server, device: Callable[[UUID], Device]
) -> None:
    """It was in sight when it was done: the edit becomes a clash to decide, and the report is taken."""
    ana, ben = device(ANA), device(BEN)
    ana.add_shop(SHOP, "Corner")
    ana.sync(), ben.sync()
    ana.edit(SHOP, phone="1")
    ana.add_report(REPORT, SHOP, "seen")
    ben.delete(SHOP)
    ben.sync()
    server.sectors[ANA] = {"B"}
    ana.sync()
    assert ana.letters() == []
    assert {row["lost"]["phone"] for row in server.rows("clash").values()} == {"1"}
    assert set(server.rows("report")) == {REPORT}


def test_work_on_a_shop_that_moved_from_a_sector_lost_since_is_kept(
    server: Server, device: Callable[[UUID], Device]
) -> None:
    ana = device(ANA)
    ana.add_shop(SHOP, "Corner")
    ana.sync()
    ana.edit(SHOP, phone="1")
    ana.add_report(REPORT, SHOP, "seen")
    server.write(Change("shop", SHOP, {"sector": "C"}))
    server.sectors[ANA] = {"B"}
    ana.sync()
    assert ana.letters() == []
    assert server.rows("shop")[SHOP]["phone"] == "1"
    assert set(server.rows("report")) == {REPORT}


def test_a_photo_is_sent_though_its_report_left_in_the_sync_that_sent_it(
    server: Server, device: Callable[[UUID], Device]
) -> None:
    ana = device(ANA)
    ana.add_shop(SHOP, "Corner")
    ana.sync()
    ana.add_report(REPORT, SHOP, "seen", photo=b"a photo")
    server.write(Change("shop", SHOP, {"sector": "C"}))
    ana.sync()
    assert ana.rows() == {}
    assert list(server.blobs.values()) == [b"a photo"]


def test_a_photo_that_the_server_lost_with_its_restore_is_offered_again(
    server: Server, device: Callable[[UUID], Device], tmp_path: Path
) -> None:
    ana = device(ANA)
    ana.add_shop(SHOP, "Corner")
    ana.sync()
    backup = server.backup(tmp_path)
    ana.add_report(REPORT, SHOP, "seen", photo=b"a photo")
    ana.sync()
    server.restore(backup)
    server.blobs.clear()
    ana.sync()
    assert list(server.blobs.values()) == [b"a photo"]


@pytest.mark.parametrize("damage", ["DELETE FROM member", "UPDATE member SET rev = rev - 1"])
def test_a_count_damaged_on_the_disk_agrees_again_once_it_is_noticed(
    server: Server, device: Callable[[UUID], Device], damage: str
) -> None:
    ana = device(ANA)
    for number in range(1, 4):
        ana.add_shop(UUID(int=number), "Corner")
    ana.sync()
    with ana.engine.begin() as connection:
        connection.exec_driver_sql(damage)
        connection.exec_driver_sql('UPDATE bucket SET "sum" = \'0000000000000001\', "rows" = 99')
    server.write(Change("shop", SHOP, {"name": "Square"}))
    assert ana.sync().verified
    ana.assert_settled()


@pytest.mark.parametrize("forked", [False, True])
def test_a_copy_that_offers_half_of_what_the_other_did_is_told_the_whole(
    device: Callable[[UUID], Device], tmp_path: Path, forked: bool
) -> None:
    """Both halves stand under one revision: that the first was taken as it was sent does not say what the row is."""
    ana = device(ANA)
    ana.add_shop(SHOP, "Corner")
    copy = ana.clone(tmp_path / "copy.db")
    ana.edit(SHOP, name="Corner shop")
    ana.sync()
    if forked:
        copy.add_report(REPORT, SHOP, "seen by the copy")
    assert copy.sync().healed == (["forked"] if forked else [])
    assert copy.shop(SHOP) == ana.shop(SHOP)
    copy.assert_settled()


def test_what_was_made_in_a_sector_that_came_and_went_within_one_sync_leaves(
    server: Server, device: Callable[[UUID], Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was taken, so nothing is lost; but no page told of its sector, so none says that it left."""

    def cut(*_: object, **__: object) -> None:
        raise Offline("cut")

    ana = device(ANA)
    ana.sync()
    server.sectors[ANA] = {"A", "C"}
    ana.add_shop(SHOP, "Corner", sector="C")
    with monkeypatch.context() as patch:
        patch.setattr(ana.local, "apply", cut)  # the answers are taken, the rows that come with them are not
        assert not ana.try_sync()
    assert server.rows("shop")[SHOP]["sector"] == "C" and ana.outbox() == 0
    server.sectors[ANA] = {"A"}
    ana.sync()
    assert ana.rows() == {}
    ana.assert_settled()
