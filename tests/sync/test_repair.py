"""Rows that went wrong on a device: found by the sums, and only they travel; what waits to be sent is never lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.client import members
from sync.client.failures import CallRefused, ServerError
from sync.digest import PARTS
from sync.protocol import RowsRequest, SyncResponse, VerifyAnswer, VerifyRequest
from sync.server.ports import Caller, Change, Refused
from tests.sync import small
from tests.sync.conftest import ANA, BEN
from tests.sync.small import ORG, START, Device, Server

Make = Callable[[UUID], Device]
SHOPS = [UUID(int=0x5000 + at) for at in range(40)]
A = "sector:A"


@pytest.fixture
def ana(server: Server, device: Make) -> Device:
    """A device with 40 shops in one sector, and a memory of which rows travelled since."""
    server.write(*(Change("shop", id, {"name": f"Shop {at}", "sector": "A"}) for at, id in enumerate(SHOPS)))
    made = device(ANA)
    made.sync()
    made.assert_settled()
    return made


def spoil(device: Device, *statements: str) -> None:
    """Write past everything that keeps books, as a bad disk or another program would."""
    with device.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def recount(device: Device) -> None:
    """The kept digest follows the list, as if the list had always been so."""
    with device.engine.begin() as connection:
        bucket = members.load(connection, A)
        members.recount(connection, bucket)
        members.save(connection, bucket)


def travelled(device: Device) -> list[str]:
    """Ids of the rows that the next sync fetches again one by one."""
    asked: list[str] = []
    real = device.wire.rows

    def rows(request: RowsRequest) -> SyncResponse:
        asked.extend(id for ids in request.ids.values() for id in ids)
        return real(request)

    device.wire.rows = rows  # type: ignore[method-assign]
    device.wire.calls.clear()
    return asked


def hexadecimal(at: int) -> str:
    return f"x'{SHOPS[at].hex}'"


def test_only_the_rows_that_differ_travel(ana: Device) -> None:
    spoil(
        ana,
        f"DELETE FROM member WHERE id = {hexadecimal(1)}",  # missing, from list and table
        f"DELETE FROM shop WHERE id = {hexadecimal(1)}",
        f"UPDATE member SET rev = rev - 1 WHERE id = {hexadecimal(2)}",  # stale
        f"UPDATE shop SET rev = rev - 1, name = 'old' WHERE id = {hexadecimal(2)}",
        f"INSERT INTO shop (id, name, sector, rev) VALUES (x'{'e' * 32}', 'Nobody', 'A', 5)",  # one too many
        f"INSERT INTO member SELECT 1, x'{'e' * 32}', number, 5, 0 FROM bucket WHERE name = '{A}'",
    )
    recount(ana)
    asked = travelled(ana)
    progress = ana.sync()
    assert sorted(asked) == sorted([SHOPS[1].hex, SHOPS[2].hex])
    assert progress.healed == ["digest"] and progress.verified
    assert (progress.repaired, progress.removed, progress.received) == (2, 1, 0)
    assert ana.shop(SHOPS[2])["name"] == "Shop 2" and ana.shop(UUID(hex="e" * 32)) is None
    assert "pull" not in ana.wire.calls
    ana.assert_settled()


def test_a_list_that_is_right_with_a_wrong_sum_is_counted_again_and_nothing_travels(ana: Device) -> None:
    spoil(ana, f"UPDATE bucket SET \"rows\" = 7, \"sum\" = '00000000000000ff' WHERE name = '{A}'")
    asked = travelled(ana)
    progress = ana.sync()
    assert asked == [] and progress.verified and progress.received == 0
    ana.assert_settled()


def test_rows_that_are_not_as_the_list_says_are_found_within_a_week(
    ana: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sums are of the list, so they do not see this; each row is compared with the list once a week."""
    spoil(
        ana,
        f"DELETE FROM shop WHERE id = {hexadecimal(10)}",
        f"UPDATE shop SET rev = rev + 1000000 WHERE id = {hexadecimal(11)}",
        f"UPDATE shop SET rev = rev - 1, name = 'old' WHERE id = {hexadecimal(12)}",
        f"INSERT INTO shop (id, name, sector, rev) VALUES (x'{'d' * 32}', 'Nobody', 'A', 5)",
    )
    asked = travelled(ana)
    assert ana.sync().healed == [] and asked == []
    monkeypatch.setattr(small, "START", START + timedelta(days=8))
    progress = ana.sync()
    assert sorted(asked) == sorted(SHOPS[at].hex for at in (10, 11, 12))
    assert progress.healed == ["digest"] and progress.repaired == 3
    ana.assert_settled()
    assert ana.sync().healed == []


def test_a_list_that_the_disk_altered_is_found_within_a_week(ana: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kept sum is still the server's: only counting it anew shows that the list is not what it was made of."""
    spoil(
        ana,
        f"DELETE FROM member WHERE id = {hexadecimal(10)}",
        f"UPDATE member SET rev = rev - 1 WHERE id = {hexadecimal(11)}",
    )
    assert ana.sync().healed == []
    monkeypatch.setattr(small, "START", START + timedelta(days=8))
    progress = ana.sync()
    assert progress.healed == ["digest"] and progress.repaired == 2
    ana.assert_settled()
    assert ana.sync().healed == []


def test_an_edit_that_waits_stays_on_top_of_a_mended_row(ana: Device, server: Server) -> None:
    ana.edit(SHOPS[3], phone="mine")
    ana.wire.before = lambda name: ana.edit(SHOPS[4], phone="later") if name == "rows" else None
    spoil(ana, *(f"UPDATE member SET rev = rev - 1 WHERE id = {hexadecimal(at)}" for at in (3, 4, 5)))
    recount(ana)
    ana.sync()
    assert ana.shop(SHOPS[4])["phone"] == "later"
    assert server.rows("shop")[SHOPS[3]]["phone"] == "mine" and server.rows("shop")[SHOPS[4]]["phone"] == "later"
    ana.assert_settled()


def test_a_server_that_cannot_compare_sends_the_bucket_again(ana: Device) -> None:
    def refuse(request: VerifyRequest) -> VerifyAnswer:
        raise CallRefused(404, "not_found")

    ana.wire.verify = refuse  # type: ignore[method-assign]
    spoil(ana, f"DELETE FROM member WHERE id = {hexadecimal(1)}", f"DELETE FROM shop WHERE id = {hexadecimal(1)}")
    recount(ana)
    progress = ana.sync()
    assert progress.healed == ["digest"] and progress.verified and progress.received == len(SHOPS)
    ana.assert_settled()


def test_a_bucket_that_comparing_does_not_mend_is_sent_again(ana: Device) -> None:
    ana.wire.verify = lambda request: VerifyAnswer(request.epoch, request.cursor)  # type: ignore[method-assign]
    spoil(ana, f"DELETE FROM member WHERE id = {hexadecimal(1)}", f"DELETE FROM shop WHERE id = {hexadecimal(1)}")
    recount(ana)
    progress = ana.sync()
    assert progress.healed == ["digest", "digest"] and progress.verified and progress.received == len(SHOPS)
    ana.assert_settled()


def test_a_row_that_an_edit_waits_for_is_no_suspect(ana: Device) -> None:
    spoil(ana, *(f"UPDATE shop SET rev = rev - 1 WHERE id = {hexadecimal(at)}" for at in (3, 4)))
    ana.edit(SHOPS[3], phone="mine")
    assert ana.write(ana.local.suspects) == {A: [(1, SHOPS[4].bytes)]}


def test_what_comes_between_two_questions_is_no_harm(ana: Device, server: Server) -> None:
    spoil(ana, f"UPDATE member SET rev = rev - 1 WHERE id = {hexadecimal(7)}")
    recount(ana)
    names = iter(range(1000))
    ana.wire.before = lambda name: (
        server.write(Change("shop", SHOPS[next(names) % 9], {"phone": str(next(names))}))
        if name in ("verify", "rows") and ana.wire.calls.count(name) < 3
        else None
    )
    ana.sync()
    ana.assert_settled()


# The server's side


def ask(device: Device, **more: Any) -> VerifyRequest:
    epoch, cursor, records = device.write(lambda tx: device.local.held(tx, A))
    values = {"epoch": epoch, "bucket": A, "cursor": cursor, "sums": members.part_sums(records)}
    return VerifyRequest(**(values | more))


def test_nothing_is_told_of_a_bucket_that_the_caller_may_not_hold(ana: Device, server: Server, device: Make) -> None:
    server.sectors[BEN] = {"B"}
    ben = device(BEN)
    rows = RowsRequest(1, A, {"1": [SHOPS[0].hex]})
    with pytest.raises(Refused, match="out_of_scope"):
        server.verification.verify(ben.wire.caller, ask(ana))
    with pytest.raises(Refused, match="out_of_scope"):
        server.verification.rows(ben.wire.caller, rows, now=START)
    answer = server.verification.rows(ben.wire.caller, RowsRequest(1, "sector:B", rows.ids), now=START)
    assert answer.pull is not None and answer.pull.pages[0].put == {"1": []}
    with pytest.raises(Refused):
        server.verification.verify(Caller(UUID(int=0xB), ANA, "rep", 1), ask(ana))


def test_equal_sums_name_nothing_and_an_old_cursor_is_told_to_pull_first(ana: Device, server: Server) -> None:
    assert server.verification.verify(ana.wire.caller, ask(ana)).parts == {}
    request = ask(ana)
    server.write(Change("shop", SHOPS[0], {"phone": "1"}))
    answer = server.verification.verify(ana.wire.caller, request)
    assert answer.upto > request.cursor and answer.parts == {}
    assert server.verification.verify(ana.wire.caller, ask(ana, epoch=7)).control == "epoch"


@pytest.mark.parametrize(
    "sums", [[], ["0" * 16] * 255, ["0" * 15] * PARTS, ["g" * 16] * PARTS, ["0" * 16] * (PARTS + 1)]
)
def test_sums_that_are_none_are_refused(ana: Device, server: Server, sums: list[str]) -> None:
    with pytest.raises(Refused, match="sums_wrong"):
        server.verification.verify(ana.wire.caller, ask(ana, sums=sums))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.one_of(st.sampled_from(["1", "2", "9", "-1", "٣", "99999999999999999999"]), st.text(max_size=4)),
        st.lists(st.one_of(st.text(max_size=40), st.just("0" * 32), st.uuids().map(lambda u: u.hex)), max_size=4),
        max_size=4,
    )
)
def test_any_question_for_rows_is_answered_or_refused(ana: Device, server: Server, ids: dict[str, list[str]]) -> None:
    try:
        answer = server.verification.rows(ana.wire.caller, RowsRequest(1, A, ids), now=START)
    except Refused:
        return
    assert answer.pull is not None and all(not rows for rows in answer.pull.pages[0].put.values())


@pytest.mark.parametrize(
    "parts",
    [
        {"zz": []}, {"0": []}, {"00": [(1, "0" * 31, 5)]}, {"00": [(1, "f" * 32, 5)]}, {"ff": [(0, "f" * 32, 5)]},
        {"ff": [(1, "f" * 32, 0)]}, {"ff": [(1, "f" * 32, 2**63)]}, {"ff": [(2**40, "f" * 32, 1)]},
    ],
)  # fmt: skip
def test_an_answer_that_makes_no_sense_is_damage_and_changes_nothing(ana: Device, parts: dict[str, Any]) -> None:
    spoil(ana, f"UPDATE member SET rev = rev - 1 WHERE id = {hexadecimal(7)}")
    recount(ana)
    ana.wire.verify = lambda request: VerifyAnswer(1, request.cursor, parts=parts)  # type: ignore[method-assign]
    with pytest.raises(ServerError, match="answer_damaged"):
        ana.sync()
    assert len(ana.rows()) == len(SHOPS)
    assert ana.server.sync.epoch(ORG) == 1
