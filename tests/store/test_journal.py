"""The journal holds every captured operation, opens to its device alone, and says exactly what is wrong with it."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from fieldcrm.domain.actor import Actor, Role
from fieldcrm.store import journal, journal_copy, journal_rescue, journal_segment
from fieldcrm.store import journal_people as people
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.journal import Journal
from fieldcrm.store.journal_segment import SegmentWriter, parse_segment, read_all, read_segment, segment_files
from fieldcrm.store.migrations import BACKUPS
from fieldcrm.store.tables import T
from sync.catalogue import Collection
from sync.sealing import ERASED, unseal
from tests.conftest import KEY, NOW

REP = Actor(uuid4(), Role.REP)


def add_outlet(tx: Transaction, name: str = "Épicerie") -> UUID:
    outlet = uuid4()
    tx.conn.execute(insert(T.outlet).values(id=outlet, name=name, sector_id=uuid4(), zone="UTC", state="active"))
    return outlet


def add_contact(tx: Transaction, outlet: UUID, name: str) -> UUID:
    contact = uuid4()
    tx.conn.execute(insert(T.contact).values(id=contact, outlet_id=outlet, name=name, phone="+33 1 40"))
    return contact


def write(db: Database, work: Callable[[Transaction], Any]) -> Any:
    return db.write(work, actor=REP, now=NOW, label="test").result().value


def _ends_of_records(content: bytes) -> list[int]:
    ends, at = list[int](), 88
    while at < len(content):
        at += 4 + 12 + int.from_bytes(content[at : at + 4], "big") + 32
        ends.append(at)
    return ends


def operations(folder: Path, key: bytes = KEY) -> list[list[Any]]:
    segments, damage = read_all(folder, key)
    assert damage == []
    return [op for segment in segments for record in segment.records for op in record["ops"]]


def in_database(db: Database) -> list[tuple[str, str]]:
    with db.read() as r:
        return [(op.hex(), kind) for op, kind in r.conn.execute(select(T.outbox.c.op, T.outbox.c.kind))]


def test_each_committed_transaction_is_in_the_journal_and_none_that_was_rolled_back(db: Database) -> None:
    outlet = write(db, add_outlet)
    write(db, lambda tx: tx.conn.execute(update(T.outlet).where(T.outlet.c.id == outlet).values(phone="+33")))

    def fail(tx: Transaction) -> None:
        add_outlet(tx)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        write(db, fail)
    assert [(op[1], op[2]) for op in operations(db.folder / "journal")] == in_database(db)
    assert [kind for _, kind in in_database(db)] == ["new", "upd"]


def test_the_journal_is_unreadable_without_the_key_and_its_chain_is_checked_without_it(db: Database) -> None:
    write(db, add_outlet)
    db.close()
    folder = db.folder / "journal"
    (path,) = segment_files(folder)
    assert "Épicerie".encode() not in path.read_bytes()
    assert [one.reason for one in read_segment(path, b"?" * 32).damage] == ["foreign"]
    keyless = read_segment(path, None)
    assert keyless.whole and keyless.tip == read_segment(path, KEY).tip


def test_what_a_crash_kept_out_of_the_journal_is_appended_at_the_next_start(db: Database) -> None:
    write(db, add_outlet)
    db.close()
    folder = db.folder / "journal"
    (path,) = segment_files(folder)
    again = Database.open(db.folder, KEY, now=NOW)
    before = path.read_bytes()
    for _ in range(3):
        write(again, add_outlet)
    again.close()
    path.write_bytes(before)  # as if the last writes had never reached the file
    Database.open(db.folder, KEY, now=NOW).close()
    assert len(operations(folder)) == 4
    path.write_bytes(path.read_bytes()[:-7])  # torn in the middle of a record
    last = Database.open(db.folder, KEY, now=NOW)
    write(last, add_outlet)
    last.close()
    segments, damage = read_all(folder, KEY)
    assert [one.reason for one in damage] == ["cut"]
    found = {op[1] for segment in segments for record in segment.records for op in record["ops"]}
    assert len(found) == 5 and len(segments) == 2


def test_a_journal_that_was_deleted_is_written_anew_from_the_database(db: Database) -> None:
    for _ in range(3):
        write(db, add_outlet)
    db.close()
    for path in segment_files(db.folder / "journal"):
        path.unlink()
    Database.open(db.folder, KEY, now=NOW).close()
    assert len(operations(db.folder / "journal")) == 3


def test_a_database_that_was_put_back_adds_only_what_the_journal_has_not(db: Database, tmp_path: Path) -> None:
    write(db, add_outlet)
    copy = tmp_path / "copy.db"
    db.copy_to(copy)
    write(db, add_outlet)
    db.close()
    for old in db.folder.glob("fieldcrm.db*"):
        old.unlink()
    copy.replace(db.folder / "fieldcrm.db")
    older = Database.open(db.folder, KEY, now=NOW)
    write(older, add_outlet)
    older.close()
    assert len(operations(db.folder / "journal")) == 3


def test_a_full_disk_keeps_nobody_from_recording_and_the_journal_catches_up(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(db, add_outlet)

    def full(self: SegmentWriter, record: Any) -> None:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patched:
        patched.setattr(SegmentWriter, "add", full)
        write(db, add_outlet)
        write(db, add_outlet)
        assert db.journal.trouble == "journal_not_written"
    write(db, add_outlet)
    assert db.journal.trouble is None
    db.close()
    assert len(operations(db.folder / "journal")) == 4


def test_two_programs_on_one_profile_leave_one_whole_journal(db: Database) -> None:
    write(db, add_outlet)
    other = Database.open(db.folder, KEY, now=NOW)
    write(other, add_outlet)
    assert other.journal.trouble == "journal_in_use"
    write(db, add_outlet)
    db.close()
    write(other, add_outlet)
    assert other.journal.trouble is None
    other.close()
    assert len(operations(db.folder / "journal")) == 4


def test_a_long_transaction_goes_in_parts_and_segments_follow_one_another(db: Database) -> None:
    write(db, add_outlet)
    db.journal._segment_bytes = 20_000
    write(db, lambda tx: [add_outlet(tx, f"Shop {n}") for n in range(1200)])
    write(db, add_outlet)
    db.close()
    folder = db.folder / "journal"
    assert len(segment_files(folder)) > 2
    assert len({op[1] for op in operations(folder)}) == 1202
    segments, _ = read_all(folder, KEY)
    assert [record["end"] for segment in segments for record in segment.records] == [True, False, False, True, True]


def test_a_transaction_of_which_a_part_is_missing_is_appended_whole(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "PART_OPS", 2)
    write(db, lambda tx: [add_outlet(tx) for _ in range(5)])
    db.close()
    folder = db.folder / "journal"
    (path,) = segment_files(folder)
    content = path.read_bytes()
    path.write_bytes(content[: _ends_of_records(content)[0]])
    Database.open(db.folder, KEY, now=NOW).close()
    found = operations(folder)
    assert len(found) == 7 and len({op[1] for op in found}) == 5


def test_a_missing_segment_is_named_and_the_others_are_read(db: Database) -> None:
    db.journal._segment_bytes = 1
    for _ in range(4):
        write(db, add_outlet)
    db.close()
    folder = db.folder / "journal"
    files = segment_files(folder)
    files[1].unlink()
    segments, damage = read_all(folder, KEY)
    assert [(one.segment, one.reason) for one in damage] == [(files[2].name, "missing")]
    assert sum(len(segment.records) for segment in segments) == 3


def test_a_closed_segment_that_lost_its_end_is_named(db: Database) -> None:
    db.journal._segment_bytes = 1
    for _ in range(2):
        write(db, add_outlet)
    db.close()
    folder = db.folder / "journal"
    first = segment_files(folder)[0]
    first.write_bytes(first.read_bytes()[:88])  # at the edge of a record: nothing in the file itself shows it
    _, damage = read_all(folder, KEY)
    assert [(one.segment, one.offset, one.reason) for one in damage] == [(first.name, 88, "unlinked")]


def test_segments_go_once_a_backup_holds_all_of_them_and_not_before(db: Database) -> None:
    db.journal._segment_bytes = 1
    for _ in range(3):
        write(db, add_outlet)
    late = NOW + timedelta(days=1)

    def settle(tx: Transaction) -> None:
        columns = 'n, op, tx, kind, collection, id, base, "set", was, at, cmd'
        kept = f"INSERT INTO acked_ops ({columns}, status, rev) SELECT {columns}, 'applied', 10 + n FROM outbox"
        tx.conn.exec_driver_sql(f"{kept} WHERE n <= 2")
        tx.conn.exec_driver_sql("DELETE FROM outbox WHERE n <= 2")

    write(db, settle)

    def trim(confirmed: int, before: Any) -> list[str]:
        return write(db, lambda tx: db.journal.trim(tx.conn, confirmed, before))

    assert trim(100, NOW) == []
    assert trim(10, late) == []
    assert len(trim(11, late)) == 1
    assert len(trim(100, late)) == 1
    write(db, add_outlet)
    assert trim(100, late) == []  # the third still waits

    def refuse(tx: Transaction) -> None:
        columns = 'n, op, tx, kind, collection, id, base, "set", was, at, cmd'
        more = f"INSERT INTO dead_letter ({columns}, code, params, refused_at) SELECT {columns}, 'x', '{{}}', 1"
        tx.conn.exec_driver_sql(f"{more} FROM outbox WHERE n = 3")
        tx.conn.exec_driver_sql("DELETE FROM outbox")

    write(db, refuse)
    assert trim(100, late) == []  # and now somebody has to decide upon it
    write(db, lambda tx: tx.conn.exec_driver_sql("UPDATE dead_letter SET open = 0"))
    assert len(trim(100, late)) == 1
    assert trim(100, late) == []  # the last is the one that is written
    db.close()
    assert len(operations(db.folder / "journal")) == 1


def contact_values(folder: Path, contact: UUID, keys: dict[UUID, bytes]) -> dict[str, Any]:
    collection: Collection = people.CATALOGUE.by_name["contact"]
    (op,) = [op for op in operations(folder) if op[3] == collection.number and op[4] == contact.hex]
    return unseal(collection, contact, op[6], keys)


def test_erasing_a_person_leaves_the_chain_whole_and_opens_nothing_of_them(db: Database) -> None:
    outlet = write(db, add_outlet)
    erased, kept = (write(db, lambda tx, name=name: add_contact(tx, outlet, name)) for name in ("Lefort", "Vial"))
    folder, file = db.folder / "journal", db.folder / "journal" / people.PEOPLE_FILE
    before_upgrade = db.folder / BACKUPS / "1.db"
    before_upgrade.parent.mkdir(exist_ok=True)
    before_upgrade.write_bytes(b"everybody")
    older = people.read_file(file, KEY)[0]
    assert contact_values(folder, erased, people.read_file(file, KEY)[0])["name"] == "Lefort"

    def erase(tx: Transaction) -> None:
        number = people.CATALOGUE.by_name["contact"].number
        server = json.dumps({"name": "Lefort", "phone": "+33 1 40"})
        shadow = "INSERT INTO shadow (collection, id, rev, row) VALUES (?, ?, 1, ?)"
        tx.conn.exec_driver_sql(shadow, (number, erased.bytes, server))
        people.erase(tx.conn, {erased}, 1)
        tx.people_erased = True

    write(db, erase)
    assert not before_upgrade.exists()
    with db.read() as r:
        (row,) = r.conn.exec_driver_sql("SELECT row FROM shadow").scalars()
    assert "Lefort" not in row and "+33" not in row
    keys, lost = people.read_file(file, KEY)
    assert lost == 0 and erased not in keys
    values = contact_values(folder, erased, keys)
    assert values["name"] is ERASED and values["phone"] is ERASED and values["outlet_id"] == outlet.hex
    assert contact_values(folder, kept, keys)["name"] == "Vial"
    with db.read() as r:
        sets = r.conn.execute(select(T.outbox.c.set).where(T.outbox.c.id == erased)).scalars().all()
    assert "Lefort" not in "".join(sets) and "+33" not in "".join(sets)
    write(db, lambda tx: tx.conn.execute(update(T.contact).where(T.contact.c.id == erased).values(name="Again")))
    db.close()
    assert erased not in people.read_file(file, KEY)[0]
    assert "Again" not in str(operations(folder))
    people.write_file(file, KEY, older)  # as when somebody puts the file of a copy back
    again = Database.open(db.folder, KEY, now=NOW)
    write(again, lambda tx: None)
    with again.read() as r:
        assert erased not in people.all_keys(r.conn) and kept in people.all_keys(r.conn)
    again.close()
    assert erased not in people.read_file(file, KEY)[0]


def test_what_was_there_before_a_change_is_sealed_as_what_is_there_now(db: Database) -> None:
    outlet = write(db, add_outlet)
    contact = write(db, lambda tx: add_contact(tx, outlet, "Lefort"))
    write(db, lambda tx: tx.conn.execute(update(T.contact).where(T.contact.c.id == contact).values(name="Vial")))
    db.close()
    changed = operations(db.folder / "journal")[-1]
    assert changed[2] == "upd" and changed[7]
    assert "Lefort" not in str(changed) and "Vial" not in str(changed)


def test_a_lost_file_of_keys_is_written_again_and_a_lost_table_takes_them_back(db: Database) -> None:
    outlet = write(db, add_outlet)
    contact = write(db, lambda tx: add_contact(tx, outlet, "Lefort"))
    file = db.folder / "journal" / people.PEOPLE_FILE
    db.close()
    file.unlink()
    again = Database.open(db.folder, KEY, now=NOW)
    again.close()
    keys, _ = people.read_file(file, KEY)
    assert contact in keys
    third = Database.open(db.folder, KEY, now=NOW)
    write(third, lambda tx: tx.conn.exec_driver_sql("DELETE FROM person_key"))
    third.close()
    fourth = Database.open(db.folder, KEY, now=NOW)
    write(fourth, lambda tx: None)
    with fourth.read() as r:
        assert people.all_keys(r.conn) == keys
    fourth.close()


@pytest.fixture(scope="module")
def segment(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("segment")
    writer = SegmentWriter.begin(folder, 1, KEY, journal_segment.START, 5)
    for number in range(6):
        writer.add({"number": number, "text": "x" * number * 40})
    writer.close()
    return writer.path.read_bytes()


def numbers(content: bytes) -> tuple[list[int], list[str]]:
    found = parse_segment("one", content, KEY)
    return [record["number"] for record in found.records], [one.reason for one in found.damage]


@given(st.data())
@settings(deadline=None)
def test_cut_at_any_byte_all_before_is_kept_and_the_cut_is_named(segment: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(segment) - 1))
    found, reasons = numbers(segment[:at])
    assert found == list(range(len(found)))
    whole = parse_segment("one", segment[:at], KEY)
    assert reasons in ([], ["cut"], ["foreign"]) and (reasons or at == whole.size)


@given(st.data())
@settings(deadline=None)
def test_a_flipped_bit_is_always_noticed_and_spoils_one_record_at_most_unless_it_hits_a_length(
    segment: bytes, data: st.DataObject
) -> None:
    at, bit = data.draw(st.integers(0, len(segment) - 1)), data.draw(st.integers(0, 7))
    broken = bytearray(segment)
    broken[at] ^= 1 << bit
    found, reasons = numbers(bytes(broken))
    assert reasons
    assert found == sorted(set(found)) and set(found) <= set(range(6))
    assert at < 88 or found[:1] == [0] or at < 250
    if at >= 88 and "cut" not in reasons:
        assert len(found) >= 5


def test_a_record_that_is_taken_out_or_moved_is_noticed_without_the_key(segment: bytes) -> None:
    ends = [88, *_ends_of_records(segment)]
    records = [segment[start:end] for start, end in pairwise(ends)]
    for at in range(len(records) - 1):
        without = records[:at] + records[at + 1 :]
        swapped = [*records[:at], records[at + 1], records[at], *records[at + 2 :]]
        for order in (without, swapped):
            assert parse_segment("one", segment[:88] + b"".join(order), None).damage
    assert parse_segment("one", segment, None).whole


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_garbage_is_no_segment(content: bytes) -> None:
    assert parse_segment("one", content, KEY).damage
    assert parse_segment("one", content, KEY).records == []


def test_a_journal_opened_on_a_folder_that_cannot_be_made_says_so(tmp_path: Path, db: Database) -> None:
    (tmp_path / "file").write_bytes(b"")
    journal = Journal(tmp_path / "file" / "journal", KEY)
    with db.read() as r:
        journal.open(r.conn, NOW)
    assert journal.trouble == "journal_not_written" and journal.behind


def test_two_journals_under_one_number_are_both_kept_and_each_change_is_rescued_once(
    db: Database, tmp_path: Path
) -> None:
    outlet = write(db, add_outlet)
    write(db, lambda tx: add_contact(tx, outlet, "Lefort"))
    copy = tmp_path / "copy"
    journal_copy.bring_up_to_date(db.folder, copy, (), ())
    db.close()
    for path in segment_files(db.folder / "journal"):
        path.unlink()
    again = Database.open(db.folder, KEY, now=NOW)  # writes all of it anew
    write(again, add_outlet)
    again.close()
    journal_copy.bring_up_to_date(db.folder, copy, (), ())
    older, newer = journal_rescue.journal_folders(copy)
    assert [len(operations(folder)) for folder in (older, newer)] == [2, 3]
    assert not (older / people.PEOPLE_FILE).exists()  # an erasure would not reach it there
    found = journal_rescue.look(copy, KEY)
    assert (found.operations, len(found.transactions), found.people) == (3, 3, 1)
