"""An answer brings no row where the record stands as it was sent; the device then knows its row is the server's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from sync.client.failures import Offline
from sync.protocol import OpResult, SyncRequest, SyncResponse
from tests.sync.conftest import ANA, BEN
from tests.sync.small import Device, Server

Make = Callable[[UUID], Device]
SHOP = UUID(int=0x51)


def answers(device: Device, between: Callable[[], Any] = lambda: None) -> list[OpResult]:
    """Every answer that the device's next syncs get; ``between`` runs once, after the server and before the answer."""
    seen: list[OpResult] = []
    ask, waiting = device.wire.sync, [between]

    def sync(request: SyncRequest) -> SyncResponse:
        response = ask(request)
        seen.extend(response.results)
        while waiting:
            waiting.pop()()
        return response

    device.wire.sync = sync  # type: ignore[method-assign]
    return seen


def shared(device: Make, **values: Any) -> tuple[Device, Device]:
    ana, ben = device(ANA), device(BEN)
    ana.add_shop(SHOP, "Corner")
    ana.edit(SHOP, **values)
    ana.sync(), ben.sync()
    return ana, ben


def test_a_new_record_and_a_change_bring_no_row_and_take_their_revision(server: Server, device: Make) -> None:
    ana = device(ANA)
    seen = answers(ana)
    ana.add_shop(SHOP, "Corner")
    ana.edit(SHOP, phone="1")
    ana.sync()
    assert [(result.s, result.same, result.row) for result in seen] == [("applied", True, None)] * 2
    assert ana.shop(SHOP)["rev"] == seen[-1].rev
    ana.assert_settled()


def test_a_program_that_does_not_ask_for_it_gets_every_row(server: Server, device: Make) -> None:
    ana = device(ANA)
    ask = ana.wire.sync

    def older(request: SyncRequest) -> SyncResponse:
        request.brief = False
        return ask(request)

    ana.wire.sync = older  # type: ignore[method-assign]
    seen = answers(ana)
    ana.add_shop(SHOP, "Corner")
    ana.sync()
    assert seen[0].row is not None and not seen[0].same
    ana.assert_settled()


def test_a_counter_and_a_record_that_others_changed_come_with_their_row(server: Server, device: Make) -> None:
    ana, ben = shared(device, stock=10)
    ben.edit(SHOP, phone="2")
    ben.sync()
    seen = answers(ana)
    ana.edit(SHOP, stock=12)
    ana.sync()
    assert seen[0].s == "merged" and seen[0].row is not None
    assert (ana.shop(SHOP)["phone"], ana.shop(SHOP)["stock"]) == ("2", 12)
    ana.assert_settled()


def test_a_deleted_record_is_not_said_to_stand(server: Server, device: Make) -> None:
    ana, _ = shared(device, phone="1")
    seen = answers(ana)
    ana.edit(SHOP, phone="2")
    ana.delete(SHOP)
    ana.sync()
    assert [result.same for result in seen] == [False, False]
    assert ana.shop(SHOP) is None
    ana.assert_settled()


def test_what_was_changed_meanwhile_lies_over_what_was_confirmed(server: Server, device: Make) -> None:
    ana, ben = shared(device, stock=10, phone="1")
    ana.edit(SHOP, phone="2")
    seen = answers(ana, lambda: ana.edit(SHOP, stock=15))
    confirmed: list[Any] = []
    settle = ana.local.settle

    def watched(*args: Any) -> Any:
        found = settle(*args)
        rows = args[0].conn.exec_driver_sql("SELECT rev, row ->> 'phone', row ->> 'stock' FROM shadow").all()
        confirmed.extend(map(tuple, rows))
        return found

    ana.local.settle = watched  # type: ignore[method-assign]
    ana.sync()
    assert seen[0].same
    assert confirmed == [(seen[0].rev, "2", 10)]  # the server's version: without what it does not know yet
    ben.edit(SHOP, stock=13)
    ben.sync(), ana.sync(), ben.sync()
    assert server.rows("shop")[SHOP]["stock"] == ana.shop(SHOP)["stock"] == ben.shop(SHOP)["stock"] == 18
    ana.assert_settled()
    ben.assert_settled()


def test_asked_again_after_a_lost_answer_it_says_the_same(server: Server, device: Make) -> None:
    ana, ben = shared(device, phone="1")

    def cut() -> None:
        raise Offline(reason="cut")

    seen = answers(ana, cut)
    ana.edit(SHOP, phone="2")
    with pytest.raises(Offline):
        ana.sync()
    ben.sync()
    ben.edit(SHOP, phone="3")
    ben.sync()
    ana.sync()
    first, again = seen
    assert (again.s, again.rev, again.same) == (first.s, first.rev, True)
    assert ana.shop(SHOP)["phone"] == "3"
    ana.assert_settled()
