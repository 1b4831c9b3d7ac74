"""The second copy: chosen once, kept up, caught up; it opens by its recovery code and brings a device back."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.domain.ids import new_id
from fieldcrm.store import journal_copy, journal_people
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.journal_segment import read_all, segment_files
from fieldcrm.store.keys import KeyPlace, load_key
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.tables import T
from fieldcrm.usecases import rescuing, second_copy
from fieldcrm.usecases.second_copy import Copier
from tests.conftest import KEY, NOW
from tests.world import World, an_id


@dataclass
class Desk:
    """A device with some work on it, and a stick in it."""

    db: Database
    world: World
    stick: Path
    photos: PhotoStore
    now: datetime = NOW

    def write(self, work: Any) -> Any:
        return self.db.write(work, actor=self.world.rep, now=self.now).result().value

    def copier(self) -> Copier:
        return Copier(self.db, self.world.rep, clock=lambda: self.now)

    def choose(self) -> str:
        return second_copy.choose(self.db, self.stick, actor=self.world.rep, now=self.now)

    @property
    def copy(self) -> Path:
        return journal_copy.copy_folder(self.stick, KEY)

    def work(self) -> None:
        """An outlet's new phone, a visit with a photo, a contact, and a draft with a photo."""
        outlet, me = self.world.outlets[0], self.world.rep.user_id
        first, second = self.photos.put(b"first photo" * 99), self.photos.put(b"second photo" * 99)
        visit, report, draft = (new_id(self.now) for _ in range(3))

        def write(tx: Transaction) -> None:
            tx.conn.execute(update(T.outlet).where(T.outlet.c.id == outlet).values(phone="+33 1"))
            tx.conn.execute(insert(T.contact).values(id=an_id("paul"), outlet_id=outlet, name="Paul Vial"))
            tx.conn.execute(insert(T.visit).values(
                id=visit, outlet_id=outlet, person_id=me, started_at=self.now, zone="UTC", position_source="none"))
            tx.conn.execute(insert(T.submission).values(
                id=report, visit_id=visit, outlet_id=outlet, person_id=me, form="note", form_version="1",
                answers={"é": [1]}, started_at=self.now, submitted_at=self.now))
            tx.conn.execute(insert(T.attachment).values(
                id=new_id(self.now), submission_id=report, visit_id=visit, outlet_id=outlet, node="/p", sha256=first,
                size=1089, mime="image/jpeg"))
            tx.conn.execute(insert(T.draft).values(
                id=draft, visit_id=new_id(self.now), outlet_id=outlet, form="note", form_version="1", zone="UTC",
                started_at=self.now, position_source="none", answers={"half": "done"}, updated_at=self.now))
            tx.conn.execute(insert(T.draft_photo).values(
                id=new_id(self.now), draft_id=draft, node="/p", sha256=second, size=1188, mime="image/jpeg"))

        self.write(write)
        self.write(lambda tx: tx.conn.execute(
            update(T.contact).where(T.contact.c.id == an_id("paul")).values(phone="+33 6")))


@pytest.fixture
def desk(db: Database, world: World, tmp_path: Path) -> Iterator[Desk]:
    stick = tmp_path / "stick"
    stick.mkdir()
    yield Desk(db, world, stick, PhotoStore(db.folder / "photos", KEY))


MADE = ("visit", "submission", "attachment", "contact")


def content(db: Database) -> dict[str, list[Any]]:
    with db.read() as r:
        drafts = ("draft", "draft_photo")
        found: dict[str, list[Any]] = {}
        for name in drafts:
            found[name] = sorted(map(str, r.conn.execute(select(getattr(T, name)))))
        for name in MADE:
            columns = [c for c in getattr(T, name).c if c.name not in ("rid", "rev")]
            made = select(*columns).where(getattr(T, name).c.rev == 0)
            found[name] = sorted(map(str, r.conn.execute(made)))
        ops = r.conn.execute(select(T.outbox.c.op, T.outbox.c.kind, T.outbox.c.id).order_by(T.outbox.c.n))
        found["outbox"] = [tuple(row) for row in ops]
    return found


def rescue(source: Path, key: bytes, into: Path) -> rescuing.Report:
    return rescuing.rescue(source, key, into, KeyPlace.PASSPHRASE, passphrase="eight letters", now=NOW)


def open_rescued(into: Path) -> Database:
    return Database.open(into, load_key(into, passphrase="eight letters"), now=NOW)


def test_a_device_that_is_lost_comes_back_from_the_stick_and_the_code(desk: Desk, tmp_path: Path) -> None:
    desk.work()
    code = desk.choose()
    status = desk.copier().run_once()
    assert status.whole and status.copied_at == NOW
    before = content(desk.db)
    desk.db.close()
    shutil.rmtree(desk.db.folder)
    key = rescuing.key_of(desk.copy, passphrase=str, code=lambda: code.lower().replace("-", " "))
    assert key == KEY
    looked = rescuing.look(desk.copy, key)
    into = tmp_path / "new"
    report = rescue(desk.copy, key, into)
    assert report.whole and looked.operations == report.operations == 6 and report.drafts == 1
    assert (report.photos, report.photos_missing) == (2, 0) and report.rebuilt is not None
    assert (report.rebuilt.records, report.rebuilt.hidden) == (4, 1)
    rescued = open_rescued(into)
    assert content(rescued) == before
    photos = PhotoStore(into / "photos", load_key(into, passphrase="eight letters"))
    assert sorted(map(photos.get, photos.names())) == sorted([b"first photo" * 99, b"second photo" * 99])
    rescued.close()


def test_a_profile_whose_database_is_lost_comes_back_from_its_own_journal(desk: Desk, tmp_path: Path) -> None:
    desk.work()
    desk.copier().run_once()  # nobody chose a second copy: the drafts are beside the journal all the same
    before = content(desk.db)
    desk.db.close()
    for file in desk.db.folder.glob("fieldcrm.db*"):
        file.write_bytes(b"garbage")
    report = rescue(desk.db.folder, KEY, tmp_path / "new")
    assert report.whole
    rescued = open_rescued(tmp_path / "new")
    assert content(rescued) == before
    rescued.close()
    with pytest.raises(DomainError, match="rescue_folder_taken"):
        rescue(desk.db.folder, KEY, tmp_path / "new")


def test_a_wrong_code_and_a_damaged_key_file_are_refused_with_a_reason(desk: Desk) -> None:
    code = desk.choose()
    other = "0" * 25
    with pytest.raises(DomainError, match="recovery_code_wrong"):
        journal_copy.unwrap_key(desk.copy, other)
    assert journal_copy.unwrap_key(desk.copy, code.replace("0", "o").replace("1", "l")) == KEY
    for text in ("", "{}", '{"salt": 1}', '{"salt":"","nonce":"","wrapped":"","argon2id":{"time_cost":1e9}}'):
        (desk.copy / journal_copy.RECOVERY_FILE).write_text(text)
        with pytest.raises(DomainError, match="recovery_damaged"):
            journal_copy.unwrap_key(desk.copy, code)


def test_a_key_file_with_costs_that_argon2_refuses_is_damaged(tmp_path: Path) -> None:
    code = journal_copy.new_recovery_code()
    journal_copy.wrap_key(tmp_path, KEY, code)
    path = tmp_path / journal_copy.RECOVERY_FILE
    whole = json.loads(path.read_text())
    for harm in ({"salt": ""}, {"argon2id": whole["argon2id"] | {"memory_cost": 1}}):
        path.write_text(json.dumps(whole | harm))
        with pytest.raises(DomainError, match="recovery_damaged"):
            journal_copy.unwrap_key(tmp_path, code)


@pytest.mark.skipif(os.name == "nt", reason="links need a right there that tests have not")
def test_a_copy_that_leads_elsewhere_is_not_written(desk: Desk, tmp_path: Path) -> None:
    elsewhere, target = tmp_path / "elsewhere", tmp_path / "place"
    elsewhere.mkdir()
    (elsewhere / "0000000000.journal").write_bytes(b"of somebody else")
    target.mkdir()
    (target / "journal").symlink_to(elsewhere)
    with pytest.raises(OSError, match="symbolic links"):
        journal_copy.bring_up_to_date(desk.db.folder, target, (), ())
    assert [path.name for path in elsewhere.iterdir()] == ["0000000000.journal"]


def test_a_place_inside_the_profile_or_not_there_is_no_place(desk: Desk) -> None:
    with pytest.raises(DomainError, match="second_copy_inside"):
        second_copy.choose(desk.db, desk.db.folder / "copy", actor=desk.world.rep, now=NOW)
    with pytest.raises(Unavailable, match="second_copy_missing"):
        second_copy.choose(desk.db, desk.stick / "nowhere", actor=desk.world.rep, now=NOW)


def test_a_stick_that_is_away_is_said_so_since_when_and_caught_up_when_it_is_back(desk: Desk, tmp_path: Path) -> None:
    desk.choose()
    copier = desk.copier()
    copier.run_once()
    away = desk.stick.rename(tmp_path / "pocket")
    desk.now = NOW + timedelta(hours=1)
    desk.work()
    status = copier.run_once()
    assert (status.problem, status.missing_since, status.copied_at) == ("second_copy_missing", desk.now, NOW)
    later = desk.now + timedelta(days=2)
    since, desk.now = desk.now, later
    assert copier.run_once().missing_since == since
    with desk.db.read() as r:
        assert second_copy.status(r).missing_since == since
    away.rename(desk.stick)
    assert copier.run_once().whole
    assert rescuing.look(desk.copy, KEY).operations == 6


def test_only_what_is_new_is_copied_and_a_garbled_copy_is_written_again(desk: Desk) -> None:
    desk.choose()
    copier = desk.copier()
    copier.run_once()
    desk.work()
    copier.run_once()
    first = segment_files(desk.copy / "journal")[-1]
    before = first.stat().st_size
    desk.write(lambda tx: tx.conn.execute(
        update(T.outlet).where(T.outlet.c.id == desk.world.outlets[1]).values(phone="+33 2")))
    desk.db.journal.sync()
    done = journal_copy.bring_up_to_date(desk.db.folder, desk.copy, (), ())
    assert 0 < done.bytes < before
    broken = bytearray(first.read_bytes())
    broken[-3] ^= 1
    first.write_bytes(bytes(broken))
    desk.write(lambda tx: tx.conn.execute(
        update(T.outlet).where(T.outlet.c.id == desk.world.outlets[1]).values(phone="+33 3")))
    desk.db.journal.sync()
    journal_copy.bring_up_to_date(desk.db.folder, desk.copy, (), ())
    assert read_all(desk.copy / "journal", KEY)[1] == []


def test_an_older_journal_on_the_stick_is_set_aside_and_never_written_over(desk: Desk) -> None:
    desk.work()
    desk.choose()
    copier = desk.copier()
    copier.run_once()
    desk.write(lambda tx: tx.conn.exec_driver_sql("DELETE FROM outbox_tx"))  # as a new database would be
    desk.db.journal.close()
    for path in segment_files(desk.db.folder / "journal"):
        path.unlink()
    desk.db.close()
    again = Database.open(desk.db.folder, KEY, now=NOW)
    desk.db = again
    desk.write(lambda tx: tx.conn.execute(
        update(T.outlet).where(T.outlet.c.id == desk.world.outlets[1]).values(phone="+33 2")))
    desk.copier().run_once()
    assert rescuing.look(desk.copy, KEY).operations == 7
    again.close()


def test_photos_leave_the_copy_long_after_they_were_verified_and_never_before(desk: Desk) -> None:
    desk.work()
    desk.choose()
    copier = desk.copier()
    copier.run_once()
    names = journal_copy.photo_names(desk.copy)
    assert len(names) == 2
    (sent,) = [name for name in names if desk.photos.get(name).startswith(b"first")]

    def verified(tx: Transaction) -> None:
        tx.conn.exec_driver_sql("DELETE FROM outbox")
        tx.conn.execute(insert(T.blob_queue).values(
            sha256=sent, size=9, mime="image/jpeg", direction="up", state="verified", added_at=NOW, verified_at=NOW))

    desk.write(verified)
    shutil.rmtree(desk.db.folder / "photos")  # a disk that forgets must not empty the copy too
    desk.now = NOW + timedelta(days=89)
    copier.run_once()
    assert journal_copy.photo_names(desk.copy) == names
    desk.now = NOW + timedelta(days=91)
    copier.run_once()
    assert journal_copy.photo_names(desk.copy) == names - {sent}


def test_an_erased_person_is_gone_from_the_copy_and_its_chain_is_whole(desk: Desk) -> None:
    desk.work()
    desk.choose()
    copier = desk.copier()
    copier.run_once()

    def erase(tx: Transaction) -> None:
        journal_people.erase(tx.conn, {an_id("paul")}, 1)
        tx.people_erased = True

    desk.write(erase)
    copier.run_once()
    found = rescuing.journal_rescue.look(desk.copy, KEY)
    assert found.damage == [] and found.erased == 2
    assert "Vial" not in str(found.transactions) and "+33 6" not in str(found.transactions)


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of six changes in several segments, made once."""
    folder = tmp_path_factory.mktemp("lost")
    db = Database.open(folder / "profile", KEY, now=NOW)
    db.write(lambda tx: None, actor=rescuing.NOBODY, now=NOW).result()
    db.journal._segment_bytes = 600
    for number in range(12):
        row = {"id": UUID(int=number + 1), "name": f"Shop {number}", "sector_id": UUID(int=99), "zone": "UTC"}

        def write(tx: Transaction, row: dict[str, Any] = row) -> None:
            tx.conn.execute(insert(T.outlet).values(state="active", **row))

        db.write(write, actor=rescuing.NOBODY, now=NOW).result()
    db.close()
    return folder / "profile" / "journal"


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_from_a_journal_cut_garbled_or_with_files_missing_everything_else_is_rescued(
    lost: Path, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    files = segment_files(lost)
    broken = tmp_path_factory.mktemp("broken") / "journal"
    shutil.copytree(lost, broken)
    victim = broken / data.draw(st.sampled_from(files)).name
    whole = victim.read_bytes()
    how = data.draw(st.sampled_from(["cut", "flip", "remove", "insert"]))
    at = data.draw(st.integers(0, len(whole) - 1))
    if how == "cut":
        victim.write_bytes(whole[:at])
    elif how == "flip":
        victim.write_bytes(whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1 :])
    elif how == "insert":
        victim.write_bytes(whole[:at] + b"\x00\x00\x00\x07" + whole[at:])
    else:
        victim.unlink()
    report = rescuing.look(broken, KEY)
    spoiled = len(read_all(lost, KEY)[0][files.index(lost / victim.name)].records)
    assert 12 - spoiled <= report.operations <= 12
    last = victim.name == files[-1].name
    first = victim.name == files[0].name
    if report.operations < 12 and not (last and how in ("cut", "remove")) and not (first and how == "remove"):
        assert report.damage and {one.segment for one in report.damage} <= {path.name for path in files}
    shutil.rmtree(broken.parent)


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="rescue_nothing"):
        rescuing.key_of(tmp_path, passphrase=str, code=str)
    (tmp_path / "journal").mkdir()
    with pytest.raises(DomainError, match="rescue_no_key"):
        rescuing.key_of(tmp_path, passphrase=str, code=str)
