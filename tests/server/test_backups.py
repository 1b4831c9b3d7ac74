"""A backup is believed only after it was opened and counted; put back, it brings the fleet to a new epoch."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import new_id
from fieldcrm.server import accounts, backups, checks
from fieldcrm.server.gauges import Gauges
from fieldcrm.server.headquarters import Headquarters, open_headquarters
from fieldcrm.server.highwater import EVERY, HighWater
from fieldcrm.server.jobs import run_once
from fieldcrm.server.process import ServerProcess
from fieldcrm.server.serverkey import KEY_FILE
from sync.protocol import SyncRequest
from sync.server.database import reading
from sync.server.ports import Caller
from tests import postgres
from tests.server.conftest import CHEAP, NOW, Clock, Company, found
from tests.server.wire import BareDevice, upload


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Site:
    """A server of its own, that can be opened again and again."""

    folder: Path
    address: str | None

    def open(self, clock: object = now) -> Headquarters:
        assert callable(clock)
        return open_headquarters(self.folder, self.address, clock, hasher=CHEAP)


@pytest.fixture(params=["sqlite", "postgresql"])
def sites(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Site, Site]]:
    """One that is used, and an empty one."""
    with ExitStack() as stack:
        made = []
        for name in ("used", "empty"):
            address = None
            if request.param == "postgresql":
                address = stack.enter_context(postgres.fresh_database(request.getfixturevalue("postgres_cluster")))
            made.append(Site(tmp_path / name, address))
        yield made[0], made[1]


def with_key(source: Site, target: Site) -> None:
    target.folder.mkdir(exist_ok=True)
    shutil.copyfile(source.folder / KEY_FILE, target.folder / KEY_FILE)


def test_nothing_of_a_day_is_lost_when_a_backup_is_put_back_on_another_computer(
    sites: tuple[Site, Site], tmp_path: Path
) -> None:
    used, empty = sites
    hq = used.open()
    company, rival = found(hq), found(hq)
    with ServerProcess(used.folder, database=used.address) as server:
        rita = BareDevice(server.url, company, "rita")
        sha256 = upload(rita, b"\xff\xd8\xff" + os.urandom(3000))
        ops, ids = rita.visit(company.outlets["West shop"], sha256, 3003)
        rita.sync(ops)
        assert rita.sync().confirmed == 0
        made = backups.back_up(hq, tmp_path / "backup", now=now())
        held = made.organisations[company.org.hex]
        assert rita.sync().confirmed == held.rev  # while the server runs
        late, late_ids = rita.visit(company.outlets["West shop"])
        rita.sync(late)
        assert rita.sync().confirmed == held.rev
    assert (held.records["visit"], held.photos) == (1, 1)
    assert made.organisations[rival.org.hex].code == rival.code
    hq.close()

    with_key(used, empty)
    backups.restore(tmp_path / "backup", empty.folder, empty.address, now)
    with ServerProcess(empty.folder, database=empty.address) as server:
        again = BareDevice(server.url, company, "rita")
        assert again.epoch == rita.epoch + 1
        there = again.everything()
        assert set(there["visit"]) == {ids["visit"].hex}
        assert again.remote.fetch_blob(sha256)[:3] == b"\xff\xd8\xff"
        # The device that had gone on hears of it, and offers what is missing.
        rita.remote = again.remote.__class__(server.url, tokens=rita.remote._tokens)
        assert rita.sync().control == "epoch"
        rita.epoch, rita.cursors = again.epoch, {}
        assert set(rita.remote.op_status([op.op for op in [*ops, *late]])) == {op.op for op in ops}
        rita.next, rita.last = late[0].n, ops[-1].op
        assert [result.s for result in rita.sync(late).results] == ["applied", "applied"]
        assert set(again.everything()["visit"]) == {ids["visit"].hex, late_ids["visit"].hex}


def test_a_backup_of_either_database_can_be_put_back_on_the_other(sites: tuple[Site, Site], tmp_path: Path) -> None:
    used, _ = sites
    hq = used.open()
    company = found(hq)
    enrolment = accounts.enrol_second_factor(hq, company.org, "rita", issuer="x", now=now())
    backups.back_up(hq, tmp_path / "backup", now=now())
    counted = accounts.counts(hq, company.org)
    hq.close()
    other = Site(tmp_path / "other", None)
    with_key(used, other)
    backups.restore(tmp_path / "backup", other.folder, other.address, now)
    opened = other.open()
    assert accounts.counts(opened, company.org) == counted
    code = enrolment.recovery_codes[0]
    opened.auth.sign_in(company.code, "rita", "correct horse", device_name="x", second_factor=code, now=now())
    opened.close()


@pytest.mark.parametrize("harm", ["database", "photo", "lost photo", "manifest", "count"])
def test_a_backup_that_was_harmed_is_never_put_back(tmp_path: Path, harm: str) -> None:
    used, empty = Site(tmp_path / "used", None), Site(tmp_path / "empty", None)
    hq = used.open()
    company = found(hq)
    hq.blobs.put(company.org, b"\xff\xd8\xff photo", "image/jpeg", now=now())
    backup = tmp_path / "backup"
    backups.back_up(hq, backup, now=now())
    hq.close()
    [photo] = [path for path in (backup / backups.PHOTOS).rglob("*") if path.is_file()]
    manifest = backup / backups.MANIFEST
    if harm == "database":
        with (backup / backups.DATABASE).open("r+b") as file:
            file.seek(5000)
            file.write(os.urandom(200))
    elif harm == "photo":
        photo.write_bytes(b"another photo")
    elif harm == "lost photo":
        photo.unlink()
    elif harm == "manifest":
        manifest.write_text("{}")
    else:
        told = json.loads(manifest.read_text())
        told["organisations"][company.org.hex]["records"]["outlet"] += 1
        manifest.write_text(json.dumps(told))
    with_key(used, empty)
    with pytest.raises(DomainError) as caught:
        backups.restore(backup, empty.folder, None, now)
    assert caught.value.code == ("backup_unknown" if harm == "manifest" else "backup_damaged")
    assert not (empty.folder / backups.DATABASE).exists()


def test_a_backup_is_put_back_into_an_empty_place_and_with_its_key_only(tmp_path: Path) -> None:
    used, empty = Site(tmp_path / "used", None), Site(tmp_path / "empty", None)
    hq = used.open()
    found(hq)
    backup = tmp_path / "backup"
    backups.back_up(hq, backup, now=now())
    with pytest.raises(DomainError, match="backup_exists"):
        backups.back_up(hq, backup, now=now())
    hq.close()
    assert not list(backup.rglob("*.key"))
    with pytest.raises(DomainError, match="restore_not_empty"):
        backups.restore(backup, used.folder, None, now)
    with pytest.raises(DomainError, match="restore_key_missing"):
        backups.restore(backup, empty.folder, None, now)
    assert not (empty.folder / backups.DATABASE).exists()
    backups.restore(backup, empty.folder, None, now, without_key=True)
    empty.open().close()


def test_a_server_that_does_not_agree_with_itself_is_found_out_and_its_backup_not_believed(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path / "site", None)
    hq = site.open()
    company = found(hq)
    sha256 = hq.blobs.put(company.org, b"\xff\xd8\xff photo", "image/jpeg", now=now())
    blobs = hq.folder / "blobs"

    def look() -> checks.Findings:
        return checks.check(hq.engine, CATALOGUE, hq.sync.tables, company.org, blobs)

    assert look().sound
    digest = hq.sync.tables.digest
    with hq.engine.begin() as connection:
        mine = (digest.c.org_id == company.org, digest.c.bucket == "org")
        connection.execute(update(digest).where(*mine).values(rows=99))
    assert look().wrong_sums == ["org"]
    with pytest.raises(DomainError, match="backup_damaged"):
        backups.back_up(hq, tmp_path / "backup", now=now())
    assert not (tmp_path / "backup").exists()
    (blobs / company.org.hex / sha256[:2] / sha256).write_bytes(b"rot")
    outlet = hq.sync.tables.records["outlet"]
    with hq.engine.begin() as connection:
        west = company.outlets["West shop"]
        connection.execute(delete(outlet).where(outlet.c.org_id == company.org, outlet.c.id == west))
    found_out = look()
    assert (found_out.photos_damaged, found_out.misplaced) == ([sha256], {"outlet": 1})
    hq.close()


# -- the side file


def test_a_database_that_is_behind_the_side_file_is_not_served_until_somebody_accepts_it(tmp_path: Path) -> None:
    site = Site(tmp_path / "site", None)
    hq = site.open()
    company = found(hq)
    hq.close()
    kept = tmp_path / "kept.sqlite"
    shutil.copyfile(site.folder / "server.sqlite", kept)
    hq = site.open()
    for n in range(EVERY + 1):  # no orderly end: the file is written between
        hq.apply(company.org, [("outlet", {"id": company.outlets["West shop"], "name": f"Shop {n}"})])
    hq.engine.dispose()
    for path in site.folder.glob("server.sqlite*"):
        path.unlink()
    shutil.copyfile(kept, site.folder / "server.sqlite")
    with pytest.raises(DomainError) as caught:
        site.open()
    assert caught.value.code == "database_restored"
    accepted = open_headquarters(site.folder, None, now, hasher=CHEAP, accept_restore=True)
    assert accepted.sync.epoch(company.org) == 2
    accepted.close()
    site.open().close()


def test_the_side_file_is_never_lowered_by_a_database_put_back_while_the_server_runs(tmp_path: Path) -> None:
    org = new_id(NOW)
    marks = HighWater(tmp_path)
    marks.raise_to({org.hex: 900})
    marks.raise_to({org.hex: 500})
    assert HighWater(tmp_path).behind({org.hex: 500}) == [org.hex]
    for rev in range(901, 901 + EVERY):
        marks.note(org, rev)
    assert HighWater(tmp_path).behind({org.hex: 999}) == [org.hex]
    assert HighWater(tmp_path).behind({org.hex: 1000}) == []
    marks.reset({org.hex: 3})
    assert HighWater(tmp_path).behind({org.hex: 3}) == []


@pytest.mark.parametrize("content", ["", "[]", "null", '{"x": "y"}', "\x00", '{"x": 1.5}'])
def test_a_damaged_side_file_stops_nobody(tmp_path: Path, content: str) -> None:
    (tmp_path / "revisions.json").write_text(content)
    assert HighWater(tmp_path).behind({}) == []


# -- compaction


def test_departures_older_than_the_retention_are_forgotten_by_and_by(
    hq: Headquarters, company: Company, clock: Clock
) -> None:
    caller = Caller(company.org, company.people["rita"], "rep", 0)
    hq.auth.sign_in(company.code, "rita", "correct horse", device_name="x", now=clock())
    caller = Caller(caller.org, caller.user, caller.role, 1)

    def ask(cursors: dict[str, int]) -> object:
        return hq.sync.sync(caller, SyncRequest(1, 1, 1, 1, 1, None, cursors), now=clock()).control

    first = hq.sync.sync(caller, SyncRequest(1, 1, 1, 1, 1, None, {}), now=clock())
    assert first.pull is not None
    old = dict.fromkeys(first.pull.buckets, first.pull.upto)
    hq.apply(company.org, [("outlet", {"id": company.outlets["West shop"], "sector_id": company.sectors["east"]})])
    for days in (1, 100, 79):
        clock.pass_by(days=days)
        hq.leases.give_back("sweep")
        run_once(hq)
        assert ask(old) is None
    clock.pass_by(days=3)
    hq.leases.give_back("sweep")
    run_once(hq)
    assert ask(old) == "compacted"
    assert ask({}) is None
    with reading(hq.engine) as connection:
        place = hq.sync.tables.bucket_row
        gone = (place.c.org_id == company.org, place.c.entry != 0, place.c.id == company.outlets["West shop"])
        rows = connection.execute(place.select().where(*gone)).all()
    assert [row for row in rows if row.bucket == f"sector:{company.sectors['west'].hex}"] == []
    hq.leases.give_back("sweep")
    run_once(hq, timedelta(days=1))


def test_the_age_of_the_last_backup_is_told_once_every_organisation_has_one(tmp_path: Path) -> None:
    clock = Clock(NOW)
    hq = Site(tmp_path / "used", None).open(clock)
    found(hq)
    assert "sync_backup_age_seconds" not in Gauges(hq)()
    backups.back_up(hq, tmp_path / "backup", now=clock())
    clock.now += timedelta(hours=5)
    assert Gauges(hq)()["sync_backup_age_seconds"] == 5 * 3600
    found(hq)
    assert "sync_backup_age_seconds" not in Gauges(hq)()
    hq.close()
