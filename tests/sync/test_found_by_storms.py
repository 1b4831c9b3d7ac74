"""What the model and the storms found in the product, each defect as a test of its own."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

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
