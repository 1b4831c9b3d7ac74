"""The life of a device over real HTTP: shut out and wiped, away for too long, and a fleet whose server was put back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from fieldcrm import app
from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.server import accounts, backups, quarantined
from fieldcrm.server.headquarters import open_headquarters
from fieldcrm.server.process import ServerProcess
from fieldcrm.server.serverkey import KEY_FILE
from fieldcrm.store.database import Database
from fieldcrm.store.keys import KeyPlace, create_key, load_key
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.tables import T
from fieldcrm.usecases import farewell, signin, syncing
from fieldcrm.usecases.receipts import Stage
from sync.server.database import reading
from tests.e2e.test_syncing import Laptop, Site, company, laptop, real_now, site
from tests.server.conftest import CHEAP, PASSWORD, Company, found
from tests.usecases.photos import jpeg

__all__ = ["company", "laptop", "site"]


@pytest.fixture
def profile(site: Site, company: Company, tmp_path: Path) -> tuple[Path, Laptop]:
    """A profile with a key of its own, signed in, synced once."""
    folder = tmp_path / "profile"
    key = create_key(folder, KeyPlace.PASSPHRASE, passphrase="a short sentence")
    db = Database.open(folder, key, now=real_now())
    signed = signin.sign_in(site.url, company.code, "rita", PASSWORD, "laptop")
    db.write(lambda tx: signin.remember(tx, signed), actor=signed.actor, now=real_now()).result()
    photos = PhotoStore(folder / "photos", key)
    supervisor = syncing.Supervisor(
        db, photos, signed.actor, lambda: signin.open_remote(db, signed, clock=real_now), clock=real_now,
        automatic=False,
    )  # fmt: skip
    made = Laptop(db, photos, signed, supervisor)
    assert supervisor.run_once() is not None
    return folder, made


def close(device: Laptop) -> None:
    device.supervisor.stop()
    device.db.close()


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_a_device_that_was_shut_out_hands_over_its_day_with_photos_and_is_then_wiped(
    site: Site, company: Company, profile: tuple[Path, Laptop]
) -> None:
    folder, device = profile
    key = load_key(folder, passphrase="a short sentence")
    photo = jpeg(1, (200, 100))
    device.report(company.outlets["West shop"], photo)
    accounts.revoke_device(site.hq, company.org, device.signed.device, now=real_now())
    assert device.supervisor.run_once() is None
    assert device.supervisor.state.problem == "device_revoked"
    close(device)
    done = farewell.say_farewell(folder, key, clock=real_now)
    assert done is not None and (done.changes, done.left) == (3, ())
    assert files(folder) <= {"preferences.ini", "fieldcrm.log", "faults.log"}
    with pytest.raises(DomainError, match="profile_missing"):
        load_key(folder, passphrase="a short sentence")
    [item] = quarantined.items(site.hq, company.org)
    assert quarantined.apply(site.hq, company.org, item.id, now=real_now()).counts == {"applied": 3}
    with reading(site.hq.engine) as connection:
        assert site.hq.missing_blobs(connection, company.org) == set()


def test_without_a_network_it_waits_sealed_and_is_never_opened_again(
    site: Site, company: Company, profile: tuple[Path, Laptop]
) -> None:
    folder, device = profile
    key = load_key(folder, passphrase="a short sentence")
    device.report(company.outlets["West shop"], jpeg(1, (200, 100)))
    there = files(folder)
    accounts.revoke_device(site.hq, company.org, device.signed.device, now=real_now())
    url = device.signed.server_url
    device.db.write(
        lambda tx: tx.conn.execute(
            update(T.app_state).where(T.app_state.c.key == "account").values(
                value={**tx.conn.execute(
                    select(T.app_state.c.value).where(T.app_state.c.key == "account")
                ).scalar_one(), "server": "http://127.0.0.1:9"}
            )
        ),
        actor=device.signed.actor, now=real_now(),
    ).result()  # fmt: skip
    close(device)
    with pytest.raises(Unavailable, match="server_unreachable"):
        farewell.say_farewell(folder, key, clock=real_now)
    assert there - files(folder) <= {name for name in there if name.endswith(("-wal", "-shm"))}  # nothing is lost
    with pytest.raises(DomainError, match="device_shut_out"):
        app.open_profile(folder, passphrase="a short sentence", start_sync=False)
    assert url.startswith("http://127.0.0.1")
    assert quarantined.items(site.hq, company.org) == []


def test_a_device_that_headquarters_knows_again_goes_on_with_everything(
    site: Site, company: Company, profile: tuple[Path, Laptop]
) -> None:
    folder, device = profile
    key = load_key(folder, passphrase="a short sentence")
    device.report(company.outlets["West shop"], jpeg(1, (200, 100)))
    close(device)
    assert farewell.say_farewell(folder, key, clock=real_now) is None
    db = Database.open(folder, key, now=real_now())
    with db.read() as reader:
        assert not farewell.is_shut_out(reader)
        assert reader.conn.execute(select(func.count()).select_from(T.submission)).scalar_one() == 1
    db.close()


def test_a_device_away_for_longer_than_departures_are_kept_compares_all_it_holds(
    site: Site, company: Company, laptop: Callable[..., Laptop]
) -> None:
    rita = laptop(company, "rita")
    assert rita.supervisor.run_once() is not None
    company.add_outlet("west", "Third shop")
    assert rita.supervisor.run_once() is not None
    west = company.outlets["West shop"]
    site.hq.apply(company.org, [("outlet", {"id": west, "sector_id": company.sectors["east"]})])
    third = company.outlets["Third shop"]
    rita.do(lambda tx: tx.conn.execute(update(T.outlet).where(T.outlet.c.id == third).values(phone="+33 3")))
    newest = site.hq.sync.newest(company.org)
    assert newest is not None
    site.hq.sync.compact(company.org, newest)  # the word that it left is forgotten
    done = rita.supervisor.run_once()
    assert done is not None and done.healed == ["compacted"]
    assert done.verified
    with rita.db.read() as reader:
        held = set(reader.conn.execute(select(T.outlet.c.id)).scalars())
    assert held == {third}
    outlet = site.hq.sync.tables.records["outlet"]
    with reading(site.hq.engine) as connection:
        query = select(outlet.c.phone).where(outlet.c.org_id == company.org, outlet.c.id == third)
        assert connection.execute(query).scalar_one() == "+33 3"  # what it had recorded meanwhile is there


def test_a_fleet_offers_again_what_a_server_put_back_from_its_backup_had_lost(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    hq = open_headquarters(folder, None, real_now, hasher=CHEAP)
    company = found(hq)
    fleet: list[Laptop] = []
    with ServerProcess(folder) as server:
        port = server.port
        for login, shop in (("rita", "West shop"), ("omar", "East shop")):
            signed = signin.sign_in(server.url, company.code, login, PASSWORD, "laptop")
            place = tmp_path / login
            key = create_key(place, KeyPlace.PASSPHRASE, passphrase="a short sentence")
            db, photos = Database.open(place, key, now=real_now()), PhotoStore(place / "photos", key)
            db.write(lambda tx, s=signed: signin.remember(tx, s), actor=signed.actor, now=real_now()).result()
            supervisor = syncing.Supervisor(
                db, photos, signed.actor,
                lambda db=db, signed=signed: signin.open_remote(db, signed, clock=real_now),
                clock=real_now, automatic=False,
            )  # fmt: skip
            fleet.append(Laptop(db, photos, signed, supervisor))
            fleet[-1].report(company.outlets[shop], jpeg(len(fleet), (100, 80)))
            assert supervisor.run_once() is not None
        backups.back_up(hq, tmp_path / "backup", now=real_now())
        late = [
            device.report(company.outlets[shop], jpeg(20 + n, (120, 90)))
            for n, (device, shop) in enumerate(zip(fleet, ("West shop", "East shop"), strict=True))
        ]
        for device, report in zip(fleet, late, strict=True):
            assert device.supervisor.run_once() is not None
            assert device.stage(report) is Stage.VERIFIED
    hq.close()
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    shutil.copyfile(folder / KEY_FILE, fresh / KEY_FILE)
    backups.restore(tmp_path / "backup", fresh, None, real_now)
    restored = open_headquarters(fresh, None, real_now, hasher=CHEAP)
    assert accounts.counts(restored, company.org)["submission"] == 2
    process = ServerProcess(fresh)
    process.port = port
    with process:
        for device in fleet:
            done = device.supervisor.run_once()
            assert done is not None, device.supervisor.state
            assert "epoch" in done.healed
        for device in fleet:
            device.supervisor.sync_now()
            assert device.supervisor.run_once() is not None
    with reading(restored.engine) as connection:
        assert accounts.counts(restored, company.org)["submission"] == 4
        assert restored.missing_blobs(connection, company.org) == set()
    restored.close()
    for device in fleet:
        with suppress(RuntimeError):
            close(device)
