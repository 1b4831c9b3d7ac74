"""Erasing a person reaches every copy there is, chains go on verifying, and a backup that is put back says nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import select

from fieldcrm.server import backups
from fieldcrm.server.erasures import LIST_FILE
from fieldcrm.server.headquarters import Headquarters, open_headquarters
from fieldcrm.server.serverkey import KEY_FILE
from fieldcrm.store import journal_copy, journal_rescue
from fieldcrm.store.journal import FOLDER
from fieldcrm.store.journal_segment import read_all
from fieldcrm.store.tables import T
from fieldcrm.usecases import bundles, second_copy
from sync.sealing import ERASED
from sync.server.database import reading
from tests.conftest import KEY
from tests.e2e.laptops import Laptop, real_now
from tests.server.conftest import CHEAP, found

NAME, PHONE = "Contact Lefort", "+33 1 40 77"


def everything(hq: Headquarters) -> str:
    """All that the server's database holds, as text."""
    with reading(hq.engine) as connection:
        tables = hq.sync.tables.metadata.sorted_tables
        return "\n".join(str(row) for table in tables for row in connection.execute(select(table)))


def test_one_erasure_reaches_records_history_journal_second_copy_bundle_and_a_restored_backup(
    office: tuple[str, Headquarters], tmp_path: Path
) -> None:
    url, hq = office
    company = found(hq)
    hq.bundles.ensure_key(company.org, now=real_now())
    laptop = Laptop(tmp_path / "laptop", KEY, url, company)
    laptop.run()
    laptop.record(company, "Lefort")
    laptop.run()
    with laptop.db.read() as r:
        contact = r.conn.execute(select(T.contact.c.id)).scalar_one()
    laptop.do(lambda tx: tx.conn.execute(T.contact.update().where(T.contact.c.id == contact).values(phone=PHONE)))
    (tmp_path / "stick").mkdir()
    second_copy.choose(laptop.db, tmp_path / "stick", actor=laptop.signed.actor, now=real_now())
    copier = second_copy.Copier(laptop.db, laptop.signed.actor, clock=real_now)
    copier.run_once()
    carried = bundles.export(laptop.db, laptop.photos, tmp_path, now=real_now())
    laptop.run()
    backups.back_up(hq, tmp_path / "backup", now=real_now())
    before = hq.erasures.history(company.org, "contact", contact)
    assert before[0].set == {"phone": PHONE} and NAME in everything(hq)

    hq.erasures.erase_person(company.org, contact, now=real_now())
    laptop.run()
    copier.run_once()

    assert NAME not in everything(hq) and PHONE not in everything(hq)
    history = hq.erasures.history(company.org, "contact", contact)
    assert [entry.kind for entry in history] == ["del", "upd", "new"] and history[1].set == {"phone": ERASED}
    for place in (laptop.db.folder, journal_copy.copy_folder(tmp_path / "stick", KEY)):
        segments, damage = read_all(place / FOLDER, KEY)
        opened = journal_rescue.look(place, KEY)
        assert segments and not damage and opened.erased == 2
        assert NAME not in str(opened.transactions) and PHONE not in str(opened.transactions)
    assert hq.bundles.apply(carried.path, now=real_now()).key_gone
    with laptop.db.read() as r:
        tables = ("contact", "outbox", "acked_ops", "dead_letter", "shadow")
        held = "".join(str(row) for name in tables for row in r.conn.execute(select(getattr(T, name))))
    assert NAME not in held and PHONE not in held
    laptop.close()

    restored = put_back(hq, tmp_path)
    try:
        assert NAME not in everything(restored) and PHONE not in everything(restored)
        assert restored.erasures.history(company.org, "contact", contact)[1].set == {"phone": ERASED}
        assert restored.bundles.apply(carried.path, now=real_now()).key_gone
    finally:
        restored.close()


def put_back(hq: Headquarters, tmp_path: Path) -> Headquarters:
    """The backup in a new folder, with what lies beside the database on purpose: the server's key, and the list."""
    data = tmp_path / "restored"
    data.mkdir()
    for name in (KEY_FILE, LIST_FILE):
        shutil.copyfile(hq.folder / name, data / name)
    backups.restore(tmp_path / "backup", data, None, real_now)
    return open_headquarters(data, None, real_now, hasher=CHEAP)
