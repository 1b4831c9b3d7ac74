"""A device is lost, rescued, and synced: headquarters ends with what was recorded, and nothing is there twice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import func, select

from fieldcrm import cli
from fieldcrm.server.headquarters import Headquarters
from fieldcrm.store import journal_copy, journal_people
from fieldcrm.store.journal import FOLDER
from fieldcrm.store.journal_segment import read_all
from fieldcrm.store.keys import load_key
from fieldcrm.store.tables import T
from fieldcrm.usecases import rescuing, second_copy
from tests.conftest import KEY
from tests.e2e.laptops import Laptop, counts, real_now
from tests.server.conftest import found


def test_what_was_sent_and_what_was_not_is_all_there_once_after_a_rescue(
    office: tuple[str, Headquarters], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url, hq = office
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
    office: tuple[str, Headquarters], tmp_path: Path
) -> None:
    url, hq = office
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
