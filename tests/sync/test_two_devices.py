"""Both ends on real SQLite, in one process: every trap of the design that two devices can fall into."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from sync.client.failures import Offline
from sync.protocol import SyncRequest
from sync.server.ports import Change
from tests.sync.conftest import ANA, BEN
from tests.sync.small import ORG, Device, Server

Make = Callable[[UUID], Device]
SHOP = UUID(int=0x51)


def shared_shop(device: Make) -> tuple[Device, Device]:
    """Two people who both hold the same shop."""
    ana, ben = device(ANA), device(BEN)
    ana.add_shop(SHOP, "Corner")
    ana.edit(SHOP, phone="1", grade="b", note="one\ntwo", custom={"k": 1}, seen=5, tags=["x"], stock=10)
    ana.sync()
    ben.sync()
    return ana, ben


def test_what_one_device_records_reaches_the_other(server: Server, device: Make) -> None:
    ana, ben = shared_shop(device)
    assert ben.shop(SHOP)["phone"] == "1"
    assert ana.shop(SHOP)["rev"] == ben.shop(SHOP)["rev"] > 0
    ana.assert_settled()
    ben.assert_settled()


def test_a_sync_without_news_is_one_question_and_writes_nothing(server: Server, device: Make) -> None:
    ana, _ = shared_shop(device)
    ana.wire.calls.clear()
    progress = ana.sync()
    assert ana.wire.calls == ["sync"]
    assert progress.verified and progress.received == 0


def test_edits_of_different_fields_are_both_kept_and_are_no_conflict(server: Server, device: Make) -> None:
    ana, ben = shared_shop(device)
    ana.edit(SHOP, phone="2")
    ben.edit(SHOP, name="Corner shop")
    ana.sync(), ben.sync(), ana.sync()
    assert (ana.shop(SHOP)["phone"], ana.shop(SHOP)["name"]) == ("2", "Corner shop")
    assert not server.rows("clash")


def test_t5_a_push_carries_only_what_changed_and_never_wipes_another_field(server: Server, device: Make) -> None:
    ana, ben = shared_shop(device)
    ana.edit(SHOP, area=120)
    ana.sync()
    ben.edit(SHOP, phone="9")
    ben.sync()
    assert server.rows("shop")[SHOP]["area"] == 120


def test_the_later_arrival_wins_and_the_other_value_is_kept_for_a_person(server: Server, device: Make) -> None:
    ana, ben = shared_shop(device)
    ana.edit(SHOP, phone="ana")
    ben.edit(SHOP, phone="ben")
    ana.sync(), ben.sync(), ana.sync()
    assert ana.shop(SHOP)["phone"] == "ben"
    (clash,) = server.rows("clash").values()
    assert (clash["field"], clash["kept"], clash["lost"], clash["user_id"]) == ("phone", "ben", "ana", ANA)


def test_a_field_of_the_server_class_keeps_what_was_there_and_says_so(server: Server, device: Make) -> None:
    ana, ben = shared_shop(device)
    ana.edit(SHOP, grade="a")
    ben.edit(SHOP, grade="c")
    ana.sync()
    assert ben.sync().conflicts == 1
    assert ben.shop(SHOP)["grade"] == "a"
    (clash,) = server.rows("clash").values()
    assert (clash["kept"], clash["lost"], clash["user_id"]) == ("a", "c", BEN)


def test_t8_edits_made_offline_one_after_the_other_never_conflict_with_themselves(server: Server, device: Make) -> None:
    ana, _ = shared_shop(device)
    for grade in ("a", "c", "b", "a"):
        ana.edit(SHOP, grade=grade)
    progress = ana.sync()
    assert (progress.sent, progress.conflicts) == (4, 0)
    assert server.rows("shop")[SHOP]["grade"] == "a"
    assert not server.rows("clash")


def test_notes_maps_sets_counters_and_maxima_take_both_sides(server: Server, device: Make) -> None:
    ana, ben = shared_shop(device)
    ana.edit(SHOP, note="zero\none\ntwo", custom={"k": 1, "a": 2}, seen=9, tags=["x", "a"], stock=12)
    ben.edit(SHOP, note="one\ntwo\nthree", custom={"k": 7}, seen=7, tags=["b"], stock=7)
    ana.sync(), ben.sync(), ana.sync()
    shop = ana.shop(SHOP)
    assert shop["note"] == "zero\none\ntwo\nthree"
    assert json.loads(shop["custom"]) == {"k": 7, "a": 2}
    assert shop["seen"] == 9
    assert json.loads(shop["tags"]) == ["a", "b"]
    assert shop["stock"] == 9
    assert not server.rows("clash")


def test_t6_a_lost_answer_is_asked_for_again_and_nothing_is_done_twice(server: Server, device: Make) -> None:
    ana, _ = shared_shop(device)
    ana.edit(SHOP, stock=11)

    def cut(name: str) -> None:
        raise Offline()

    ana.wire.after = cut
    assert not ana.try_sync()
    ana.wire.after = lambda name: None
    ana.sync()
    assert server.rows("shop")[SHOP]["stock"] == 11
    ana.assert_settled()


def test_t7_an_edit_made_while_the_answer_is_awaited_goes_next_and_stays_visible(
    server: Server, device: Make
) -> None:
    ana, _ = shared_shop(device)
    ana.edit(SHOP, phone="first")
    seen: list[str] = []

    def meanwhile(name: str) -> None:
        if not seen:
            seen.append(name)
            ana.edit(SHOP, phone="second")

    ana.wire.after = meanwhile
    ana.sync()
    assert ana.shop(SHOP)["phone"] == "second"
    assert server.rows("shop")[SHOP]["phone"] == "second"
    ana.assert_settled()


def test_t9_a_pull_never_hides_an_edit_that_has_not_gone_yet(server: Server, device: Make) -> None:
    ana, ben = shared_shop(device)
    ben.edit(SHOP, phone="ben", name="By Ben")
    ben.sync()
    ana.edit(SHOP, phone="ana")
    out = ana.write(lambda tx: ana.local.outgoing(tx, 10, 10_000))
    request = SyncRequest(1, 1, out.epoch, out.device, out.hello.next_seq, out.hello.prev_op, out.cursors, [], 100)
    pull = ana.wire.sync(request).pull
    assert pull is not None
    ana.write(lambda tx: ana.local.apply(tx, pull))
    assert (ana.shop(SHOP)["phone"], ana.shop(SHOP)["name"]) == ("ana", "By Ben")
    ana.sync()
    assert server.rows("shop")[SHOP]["phone"] == "ana"
    ana.assert_settled()


def test_t11_a_refused_change_is_shown_to_the_person_and_blocks_nothing(server: Server, device: Make) -> None:
    ana, _ = shared_shop(device)
    ana.add_shop(UUID(int=0x52), "Elsewhere", sector="Z")  # a sector she does not see
    ana.edit(SHOP, phone="3")
    progress = ana.sync()
    assert progress.refused == 1 and ana.letters() == ["out_of_scope"]
    assert server.rows("shop")[SHOP]["phone"] == "3"
    assert ana.shop(UUID(int=0x52)) is None
    ana.assert_settled()


def test_a_transaction_stands_or_falls_whole_and_what_hangs_on_it_says_so(server: Server, device: Make) -> None:
    ana, _ = shared_shop(device)
    bad, report = UUID(int=0x53), UUID(int=0x54)
    ana.captured(
        ("INSERT INTO shop (id, name, sector) VALUES (?, 'X', 'Z')", (bad.bytes,)),
        ("UPDATE shop SET phone = 'with' WHERE id = ?", (SHOP.bytes,)),
    )
    ana.captured(("UPDATE shop SET phone = 'after' WHERE id = ?", (bad.bytes,)))
    ana.add_report(report, SHOP, "fine")
    ana.sync()
    assert ana.letters() == ["out_of_scope", "same_transaction", "no_record"]
    assert server.rows("shop")[SHOP]["phone"] == "1"
    assert ana.shop(SHOP)["phone"] == "1"
    assert report in server.rows("report")
    ana.assert_settled()


def test_a_value_the_catalogue_does_not_allow_is_refused_with_the_field(server: Server, device: Make) -> None:
    ana, _ = shared_shop(device)
    ana.edit(SHOP, name="n" * 30_000)
    ana.sync()
    assert ana.letters() == ["too_long"]
    assert ana.query("SELECT params FROM dead_letter") == [('{"field":"name","maximum":20000}',)]
    assert ana.shop(SHOP)["name"] == "Corner"


def test_t14_when_a_shop_changes_sector_it_leaves_with_all_that_hangs_on_it(server: Server, device: Make) -> None:
    ana, ben = shared_shop(device)
    server.sectors[BEN] = {"B"}
    ana.add_report(UUID(int=0x61), SHOP, "seen")
    ana.sync(), ben.sync()
    assert ben.rows() == {}
    server.write(Change("shop", SHOP, {"sector": "B"}))
    ana.sync(), ben.sync()
    assert ana.rows() == {}
    assert set(ben.rows()) == {("shop", SHOP), ("report", UUID(int=0x61))}
    ana.assert_settled()
    ben.assert_settled()


def test_t14_a_person_who_gets_another_sector_has_its_rows_at_the_next_sync_and_loses_the_old(
    server: Server, device: Make
) -> None:
    ana, ben = shared_shop(device)
    other = UUID(int=0x62)
    server.write(Change("shop", other, {"name": "Far", "sector": "B"}))
    server.sectors[ANA] = {"B"}
    ana.sync()
    assert set(ana.rows()) == {("shop", other)}
    ben.sync()
    ana.assert_settled()
    ben.assert_settled()


def test_an_edit_made_before_the_sector_changed_hands_still_counts(server: Server, device: Make) -> None:
    ana, ben = shared_shop(device)
    ana.edit(SHOP, phone="last word")
    ana.add_report(UUID(int=0x63), SHOP, "made offline")
    server.sectors[ANA] = {"B"}
    assert ana.sync().refused == 0
    assert server.rows("shop")[SHOP]["phone"] == "last word"
    assert UUID(int=0x63) in server.rows("report")
    assert ana.rows() == {}
    ben.sync()
    ben.assert_settled()


def test_an_edit_of_a_shop_that_was_never_in_scope_is_refused_and_shows_nothing(server: Server, device: Make) -> None:
    ana, _ = shared_shop(device)
    foreign = UUID(int=0x64)
    server.write(Change("shop", foreign, {"name": "Secret", "sector": "Z"}))
    with ana.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO shop (id, name, sector) VALUES (?, 'guess', 'A')", (foreign.bytes,))
    ana.edit(foreign, phone="x")
    responses = []
    ana.wire.after = lambda name: None
    original = ana.wire.sync
    ana.wire.sync = lambda request: responses.append(original(request)) or responses[-1]  # type: ignore[method-assign]
    ana.sync()
    assert ana.letters() == ["out_of_scope"]
    assert all(result.row is None for response in responses for result in response.results)
    assert server.rows("shop")[foreign]["phone"] is None


def test_t15_a_delete_does_not_sweep_away_another_persons_edit(server: Server, device: Make) -> None:
    ana, ben = shared_shop(device)
    ben.edit(SHOP, phone="new")
    ben.sync()
    ana.delete(SHOP)
    assert ana.sync().conflicts == 1
    assert ana.shop(SHOP)["phone"] == "new"
    ana.assert_settled()


def test_t15_an_edit_of_a_deleted_shop_is_kept_for_a_person_to_restore(server: Server, device: Make) -> None:
    ana, ben = shared_shop(device)
    ben.delete(SHOP)
    ben.sync()
    ana.edit(SHOP, phone="late")
    assert ana.sync().conflicts == 1
    (clash,) = server.rows("clash").values()
    assert clash["lost"] == {"phone": "late"}
    assert ana.shop(SHOP) is None
    ana.assert_settled()


def test_t16_after_compaction_an_old_device_compares_all_and_keeps_its_changes(
    server: Server, device: Make
) -> None:
    ana, ben = shared_shop(device)
    doomed = UUID(int=0x65)
    server.write(Change("shop", doomed, {"name": "Doomed", "sector": "A"}))
    ana.sync(), ben.sync()
    server.write(Change("shop", doomed, None))
    server.write(Change("price", UUID(int=1), {"amount": 1}))
    assert server.sync.compact(ORG, max(r["rev"] for r in server.rows("price").values())) == 1
    ana.edit(SHOP, phone="mine")
    assert "compacted" in ana.sync().healed
    assert ana.shop(doomed) is None and server.rows("shop")[SHOP]["phone"] == "mine"
    ana.assert_settled()


def test_t17_a_row_that_differs_is_found_by_the_digest_and_fetched_again(server: Server, device: Make) -> None:
    ana, _ = shared_shop(device)
    with ana.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM member WHERE collection = 1")
        connection.exec_driver_sql("DELETE FROM shop")
        nothing = "UPDATE bucket SET \"rows\" = 0, \"sum\" = '0000000000000000' WHERE name = 'sector:A'"
        connection.exec_driver_sql(nothing)
    progress = ana.sync()
    assert progress.healed == ["digest"] and progress.verified
    assert ana.shop(SHOP) is not None
    ana.assert_settled()


def test_t19_after_a_restore_devices_offer_again_what_the_backup_had_not_seen(
    server: Server, device: Make, tmp_path: Path
) -> None:
    ana, ben = shared_shop(device)
    backup = server.backup(tmp_path)
    ana.add_report(UUID(int=0x66), SHOP, "after the backup")
    ana.edit(SHOP, phone="after the backup")
    ana.sync(), ben.sync()
    server.restore(backup)
    assert UUID(int=0x66) not in server.rows("report")
    healed = ana.sync().healed
    assert "epoch" in healed and "gap" in healed
    assert UUID(int=0x66) in server.rows("report")
    assert server.rows("shop")[SHOP]["phone"] == "after the backup"
    ben.sync()
    ana.assert_settled()
    ben.assert_settled()


def test_t20_a_copied_device_gets_its_own_number_and_neither_loses_anything(
    server: Server, device: Make, tmp_path: Path
) -> None:
    ana, _ = shared_shop(device)
    copy = ana.clone(tmp_path / "copy.db")
    ana.add_report(UUID(int=0x67), SHOP, "from the first")
    copy.add_report(UUID(int=0x68), SHOP, "from the copy")
    ana.sync()
    assert copy.sync().healed == ["forked"]
    assert copy.wire.device != ana.wire.device
    ana.sync()
    assert {UUID(int=0x67), UUID(int=0x68)} <= set(server.rows("report"))
    ana.assert_settled()
    copy.assert_settled()
    assert ana.sync().healed == [] and copy.sync().healed == []


def test_t22_a_first_sync_that_is_cut_goes_on_from_the_page_it_had(
    server: Server, device: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.client.engine.PAGE_ROWS", 10)
    server.write(*(Change("shop", UUID(int=n), {"name": str(n), "sector": "A"}) for n in range(1, 101)))
    ana = device(ANA)

    def cut(name: str) -> None:
        if ana.wire.calls.count("pull") == 4:
            raise Offline()

    ana.wire.before = cut
    assert not ana.try_sync()
    held = len(ana.rows())
    assert held == 40
    ana.wire.before = lambda name: None
    ana.wire.calls.clear()
    progress = ana.sync()
    assert progress.received == 60
    ana.assert_settled()


def test_t2_pages_lose_nothing_at_their_edges_when_all_rows_have_one_revision(
    server: Server, device: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.client.engine.PAGE_ROWS", 7)
    shops = [Change("shop", UUID(int=n), {"name": str(n), "sector": "A"}) for n in range(1, 50)]
    server.write(*shops, *(Change("price", UUID(int=n), {"amount": n}) for n in range(1, 50)))
    ana = device(ANA)
    ana.sync()
    ana.assert_settled()


def test_t27_a_photo_is_sent_in_pieces_goes_on_where_it_was_cut_and_reaches_the_second_device(
    server: Server, device: Make
) -> None:
    ana, ben = shared_shop(device)
    photo = bytes(range(256)) * 4096  # 1 MiB: four pieces
    ana.add_report(UUID(int=0x69), SHOP, "shelf", photo)

    def cut(name: str) -> None:
        if name == "send" and ana.wire.calls.count("send") == 3:
            raise Offline()

    ana.wire.before = cut
    assert not ana.try_sync()
    ben.sync()
    assert ben.query("SELECT state, problem FROM blob_queue") == [("waiting", "not_there_yet")]
    ana.wire.before = lambda name: None
    ana.wire.calls.clear()
    ana.sync()
    assert ana.wire.calls.count("send") == 2
    assert ana.query("SELECT state FROM blob_queue") == [("verified",)]
    ben.sync()
    assert dict(ben.files) == dict(ana.files)


def test_t27_a_photo_whose_file_is_damaged_is_named_and_holds_up_no_other(server: Server, device: Make) -> None:
    ana, _ = shared_shop(device)
    ana.add_report(UUID(int=0x70), SHOP, "bad", b"photo one")
    ana.add_report(UUID(int=0x71), SHOP, "good", b"photo two")
    bad = ana.query("SELECT sha256 FROM report WHERE text = 'bad'")[0][0]
    ana.files[bad] = b"photo 0ne"
    ana.sync()
    states = dict(ana.query("SELECT sha256, coalesce(problem, state) FROM blob_queue"))
    assert states.pop(bad) == "damaged"
    assert set(states.values()) == {"verified"}


def test_a_facts_record_cannot_be_changed_or_deleted_by_a_device(server: Server, device: Make) -> None:
    ana, _ = shared_shop(device)
    ana.add_report(UUID(int=0x72), SHOP, "fact")
    ana.sync()
    ana.captured(("UPDATE report SET text = 'rewritten'", ()))
    ana.sync()
    assert ana.letters() == ["append_only"]
    assert ana.query("SELECT text FROM report") == [("fact",)]
    assert server.rows("report")[UUID(int=0x72)]["text"] == "fact"


def test_a_transaction_larger_than_a_request_still_goes(server: Server, device: Make) -> None:
    ana, _ = shared_shop(device)
    statement = "INSERT INTO shop (id, name, sector) VALUES (?, 'many', 'A')"
    ana.captured(*((statement, (UUID(int=0x10000 + n).bytes,)) for n in range(2300)))
    assert ana.sync().sent == 2300
    ana.assert_settled()


def test_cancelling_leaves_everything_where_it_was(server: Server, device: Make) -> None:
    ana, _ = shared_shop(device)
    ana.edit(SHOP, phone="later")
    assert ana.sync(cancelled=lambda: True).cancelled
    assert ana.outbox() == 1
    ana.sync()
    ana.assert_settled()
