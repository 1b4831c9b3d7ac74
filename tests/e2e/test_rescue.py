"""A device is lost, rescued, and synced: headquarters ends with what was recorded, and nothing is there twice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from fieldcrm import cli
from fieldcrm.domain.ids import new_id
from fieldcrm.server.headquarters import Headquarters, open_headquarters
from fieldcrm.server.process import ServerProcess
from fieldcrm.store import journal_copy, journal_people
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.journal import FOLDER
from fieldcrm.store.journal_segment import read_all
from fieldcrm.store.keys import load_key
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.tables import T
from fieldcrm.usecases import rescuing, second_copy, signin, syncing
from sync.server.database import reading
from tests.conftest import KEY
from tests.server.conftest import CHEAP, PASSWORD, Company, found


def real_now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Headquarters]]:
    hq = open_headquarters(tmp_path / "hq", None, real_now, hasher=CHEAP)
    with ServerProcess(tmp_path / "hq") as process:
        yield process.url, hq
    hq.close()


class Laptop:
    def __init__(self, folder: Path, key: bytes, url: str, company: Company) -> None:
        self.db = Database.open(folder, key, now=real_now())
        self.photos = PhotoStore(folder / "photos", key)
        with self.db.read() as reader:
            number = signin.device_number(reader)
        self.signed = signin.sign_in(url, company.code, "rita", PASSWORD, "laptop", device=number)
        self.do(lambda tx: signin.remember(tx, self.signed))
        self.sync = syncing.Supervisor(
            self.db, self.photos, self.signed.actor,
            lambda: signin.open_remote(self.db, self.signed, clock=real_now), clock=real_now, automatic=False,
        )

    def do(self, work: Any) -> Any:
        return self.db.write(work, actor=self.signed.actor, now=real_now()).result().value

    def record(self, company: Company, name: str) -> None:
        """A visit with a report and a photo, a contact, and the outlet's phone."""
        now, outlet, me = real_now(), company.outlets["West shop"], self.signed.person_id
        visit, report, contact = (new_id(now) for _ in range(3))
        content = f"photo of {name}".encode() * 50
        sha = self.photos.put(content)

        def work(tx: Transaction) -> None:
            tx.conn.execute(update(T.outlet).where(T.outlet.c.id == outlet).values(phone=f"+33 {name}"))
            tx.conn.execute(insert(T.contact).values(id=contact, outlet_id=outlet, name=f"Contact {name}"))
            tx.conn.execute(insert(T.visit).values(
                id=visit, outlet_id=outlet, person_id=me, started_at=now, zone="Europe/Paris", position_source="none"))
            tx.conn.execute(insert(T.submission).values(
                id=report, visit_id=visit, outlet_id=outlet, person_id=me, form="note", form_version="1",
                answers={}, started_at=now, submitted_at=now))
            tx.conn.execute(insert(T.attachment).values(
                id=new_id(now), submission_id=report, visit_id=visit, outlet_id=outlet, node="/photo", sha256=sha,
                size=len(content), mime="image/jpeg"))

        self.do(work)

    def run(self) -> None:
        assert self.sync.run_once() is not None, self.sync.state.problem

    def close(self) -> None:
        self.sync.stop()
        self.db.close()


def counts(hq: Headquarters, company: Company) -> dict[str, int]:
    found = {}
    with reading(hq.engine) as connection:
        for name in ("visit", "submission", "attachment", "contact"):
            table = hq.sync.tables.records[name]
            living = (table.c.org_id == company.org, table.c.deleted_rev.is_(None))
            found[name] = connection.execute(select(func.count()).select_from(table).where(*living)).scalar_one()
        found["photos missing"] = len(hq.missing_blobs(connection, company.org))
    return found


def test_what_was_sent_and_what_was_not_is_all_there_once_after_a_rescue(
    site: tuple[str, Headquarters], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url, hq = site
    company = found(hq)
    stick = tmp_path / "stick"
    stick.mkdir()
    lost = Laptop(tmp_path / "lost", KEY, url, company)
    lost.run()
    lost.record(company, "sent")
    lost.run()
    lost.record(company, "unsent")
    code = second_copy.choose(lost.db, stick, actor=lost.signed.actor, now=real_now())
    second_copy.Copier(lost.db, lost.signed.actor, clock=real_now).run_once()
    lost.close()
    shutil.rmtree(tmp_path / "lost")
    (tmp_path / "code").write_text(code)
    (tmp_path / "words").write_text("eight letters")

    copy, into = journal_copy.copy_folder(stick, KEY), tmp_path / "new"
    asked = ["rescue", str(copy), "--code-file", str(tmp_path / "code"), "--json"]
    assert cli.main(asked) == cli.DONE and not into.exists()
    looked = json.loads(capsys.readouterr().out)
    assert (looked["operations"], looked["photos"], looked["whole"], looked["rebuilt"]) == (10, 2, True, None)
    new = ["--into", str(into), "--new-passphrase-file", str(tmp_path / "words")]
    assert cli.main([*asked[:-1], *new]) == cli.DONE
    assert "10" in capsys.readouterr().out
    assert cli.main([*asked, *new]) == cli.REFUSED

    rescued = Laptop(into, load_key(into, passphrase="eight letters"), url, company)
    rescued.run()
    expected = {"visit": 2, "submission": 2, "attachment": 2, "contact": 2, "photos missing": 0}
    assert counts(hq, company) == expected
    with rescued.db.read() as r:
        outlet = r.conn.execute(select(T.outlet.c.phone).where(T.outlet.c.id == company.outlets["West shop"])).one()
        assert outlet.phone == "+33 unsent"
        assert r.conn.execute(select(func.count()).select_from(T.outbox)).scalar_one() == 0
        assert r.conn.execute(select(func.count()).select_from(T.dead_letter)).scalar_one() == 0
    rescued.record(company, "after")
    rescued.run()
    assert counts(hq, company)["visit"] == 3
    rescued.close()

    segment = next((copy / FOLDER).glob("*.journal"))
    segment.write_bytes(segment.read_bytes()[:-9])
    assert cli.main(asked) == cli.DAMAGED
    (damage,) = json.loads(capsys.readouterr().out)["damage"]
    assert (damage["segment"], damage["reason"]) == (segment.name, "cut")
    (tmp_path / "code").write_text("0" * 25)
    assert cli.main(asked) == cli.REFUSED


def test_erasing_a_person_reaches_the_device_its_journal_and_its_second_copy(
    site: tuple[str, Headquarters], tmp_path: Path
) -> None:
    url, hq = site
    company = found(hq)
    stick = tmp_path / "stick"
    stick.mkdir()
    laptop = Laptop(tmp_path / "laptop", KEY, url, company)
    laptop.run()
    laptop.record(company, "Lefort")
    laptop.run()
    second_copy.choose(laptop.db, stick, actor=laptop.signed.actor, now=real_now())
    copier = second_copy.Copier(laptop.db, laptop.signed.actor, clock=real_now)
    copier.run_once()
    with laptop.db.read() as r:
        contact = r.conn.execute(select(T.contact.c.id)).scalar_one()

    receipt = hq.erasures.erase_person(company.org, contact, now=real_now())
    assert receipt.keys <= 1
    (before,) = hq.erasures.progress(company.org)
    assert before.missing == (laptop.signed.device,)
    laptop.run()
    laptop.run()  # the next call tells headquarters that it is done
    (after,) = hq.erasures.progress(company.org)
    assert after.done == (laptop.signed.device,)
    copier.run_once()

    with laptop.db.read() as r:
        held = [str(row) for name in ("contact", "outbox", "acked_ops", "dead_letter", "shadow")
                for row in r.conn.execute(select(getattr(T, name)))]
    assert "Contact Lefort" not in "".join(held)
    copy = journal_copy.copy_folder(stick, KEY)
    for place in (laptop.db.folder, copy):
        _, damage = read_all(place / FOLDER, KEY)
        assert damage == []
        opened = rescuing.journal_rescue.look(place, KEY)
        assert opened.erased and "Contact Lefort" not in str(opened.transactions)
        assert contact not in journal_people.read_file(place / FOLDER / journal_people.PEOPLE_FILE, KEY)[0]
    laptop.close()
