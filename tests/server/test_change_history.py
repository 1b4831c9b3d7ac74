"""The history of a record, and erasing a person on the server: keys, records, history, restored backups."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Select, select

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import new_id
from fieldcrm.server.erasures import LIST_FILE, read_list
from fieldcrm.server.headquarters import Headquarters, open_headquarters
from fieldcrm.server.serverkey import KEY_FILE, KEY_VARIABLE, server_key
from sync.protocol import Op, SyncRequest, Tx
from sync.sealing import ERASED
from sync.server.database import reading
from sync.server.ports import Caller
from tests.server.conftest import CHEAP, NOW, Clock, Company, found

CONTACT, TASK = 12, 18


def add_contact(company: Company, name: str = "Mme Lefort") -> UUID:
    shop = company.outlets["West shop"]
    return company.add("contact", outlet_id=shop, name=name, phone="+33 1 40", note="Likes tea")


def change(company: Company, id: UUID, **values: Any) -> None:
    company.hq.apply(company.org, [("contact", {"id": id, **values})])


def device_of(company: Company, login: str) -> Caller:
    table = company.hq.sync.tables.device
    with company.hq.engine.begin() as connection:
        numbers = connection.execute(select(table.c.device_no).where(table.c.org_id == company.org)).scalars().all()
        number = max(numbers, default=0) + 1
        row = {"org_id": company.org, "device_no": number, "user_id": company.people[login], "created_at": NOW}
        connection.execute(table.insert().values(**row))
    return Caller(company.org, company.people[login], "rep", number)


def push(company: Company, caller: Caller, *ops: Op, cursors: dict[str, int] | None = None, first: int = 1) -> Any:
    request = SyncRequest(1, 2, 1, caller.device, first, None, cursors or {}, [Tx("t", list(ops))] if ops else [])
    return company.hq.sync.sync(caller, request, now=NOW)


def everything_in(hq: Headquarters, org: UUID, *tables: str) -> str:
    """All that the database holds of one organisation, as text."""
    parts = []
    with reading(hq.engine) as connection:
        for table in hq.sync.tables.metadata.sorted_tables:
            if not tables or table.name in tables:
                rows = connection.execute(select(table).where(table.c.org_id == org)).all()
                parts += [f"{table.name} {row}" for row in rows]
    return "\n".join(parts)


def one_of(company: Company, collection: str, id: UUID) -> Select[Any]:
    table = company.hq.sync.tables.records[collection]
    return select(table).where(table.c.org_id == company.org, table.c.id == id)


def test_the_history_says_who_changed_what_and_what_was_there(company: Company) -> None:
    contact = add_contact(company)
    rita = device_of(company, "rita")
    base = company.hq.sync.newest(company.org) or 0
    made = 1_790_000_000_000
    op = Op(1, new_id(NOW).hex, "upd", CONTACT, contact.hex, base, {"phone": "+33 9"}, {"phone": "+33 1 40"}, made)
    assert push(company, rita, op).results[0].s == "applied"
    newest, first = company.hq.erasures.history(company.org, "contact", contact)
    assert (newest.kind, newest.user, newest.device) == ("upd", rita.user, rita.device)
    assert (newest.set, newest.was) == ({"phone": "+33 9"}, {"phone": "+33 1 40"})
    assert newest.made_at is not None and newest.at == NOW
    assert (first.kind, first.user) == ("new", None)


def test_personal_values_are_sealed_in_the_history_and_the_keys_in_the_database(company: Company) -> None:
    contact = add_contact(company)
    change(company, contact, phone="+33 777")
    log = everything_in(company.hq, company.org, "change_log")
    assert "+33 777" not in log and "+33 1 40" not in log and '"~"' in log
    with reading(company.hq.engine) as connection:
        keys = company.hq.sync.people.get(connection, company.org, [contact])
        table = company.hq.sync.tables.person_key
        stored = connection.execute(select(table.c.key).where(table.c.org_id == company.org)).scalars().all()
    assert len(keys[contact]) == 32 and all(keys[contact] not in bytes(one) for one in stored)


def test_an_erased_person_is_in_no_table_any_more_and_the_history_stays(company: Company, rival: Company) -> None:
    contact, other = add_contact(company), add_contact(company, "Paul Vial")
    shop = company.outlets["West shop"]
    task = company.add("task", outlet_id=shop, kind="promise", title="Shelf", state="open", promised_by="mme lefort")
    change(company, contact, phone="+33 777")
    change(company, other, phone="+33 888")
    receipt = company.hq.erasures.erase_person(company.org, contact, now=NOW)
    assert receipt.keys == 1 and receipt.records == 2
    kept = everything_in(company.hq, company.org)
    for word in ("Lefort", "lefort", "+33 777", "+33 1 40 ", "Likes tea'"):
        assert word.strip() not in kept.replace("Paul Vial', None, '+33 888', None, 'Likes tea'", ""), word
    entries = company.hq.erasures.history(company.org, "contact", contact)
    assert [entry.kind for entry in entries] == ["del", "upd", "new"]
    assert all(value is ERASED for entry in entries[1:] for value in (*entry.set.values(), *entry.was.values()))
    assert company.hq.erasures.history(company.org, "contact", other)[0].set == {"phone": "+33 888"}
    assert company.hq.erasures.history(company.org, "task", task)[0].was["promised_by"] is ERASED
    assert company.hq.erasures.history(rival.org, "contact", contact) == []


def test_a_colleague_stays_without_a_name_and_without_places(company: Company) -> None:
    rita = company.people["rita"]
    visit = company.add(
        "visit", outlet_id=company.outlets["West shop"], person_id=rita, started_at=NOW, zone="Europe/Paris",
        position_source="receiver", lat_e7=488_000_000, lon_e7=23_000_000, note="Closed early",
    )
    company.hq.erasures.erase_person(company.org, rita, now=NOW)
    with reading(company.hq.engine) as connection:
        person = connection.execute(one_of(company, "person", rita)).one()
        kept = connection.execute(one_of(company, "visit", visit)).one()
    assert (person.name, person.deleted_rev) == ("—", None)
    assert (kept.lat_e7, kept.lon_e7, kept.note) == (None, None, "Closed early")
    company.hq.erasures.erase_person(company.org, visit, now=NOW)
    with reading(company.hq.engine) as connection:
        assert connection.execute(one_of(company, "visit", visit)).one().note is None


def test_a_device_that_has_not_heard_of_it_brings_nothing_back(company: Company) -> None:
    contact, shop = add_contact(company), company.outlets["West shop"]
    base = company.hq.sync.newest(company.org) or 0
    fresh = new_id(NOW)
    company.hq.erasures.erase_person(company.org, contact, now=NOW)
    rita = device_of(company, "rita")
    late = Op(1, new_id(NOW).hex, "upd", CONTACT, contact.hex, base, {"phone": "+33 66"}, {"phone": "+33 1 40"})
    again = Op(2, new_id(NOW).hex, "new", CONTACT, fresh.hex, 0, {"outlet_id": shop.hex, "name": "New One"})
    push(company, rita, late, again)
    company.hq.erasures.erase_person(company.org, fresh, now=NOW)
    reborn = Op(3, new_id(NOW).hex, "new", CONTACT, fresh.hex, 0, {"outlet_id": shop.hex, "name": "New One"})
    push(company, rita, reborn, first=3)
    kept = everything_in(company.hq, company.org)
    assert "+33 66" not in kept and "+33 1 40" not in kept and "New One" not in kept


def test_the_receipt_names_the_devices_that_have_done_it(company: Company) -> None:
    contact = add_contact(company)
    rita, omar = device_of(company, "rita"), device_of(company, "omar")
    receipt = company.hq.erasures.erase_person(company.org, contact, now=NOW)
    push(company, rita, cursors={"org": receipt.rev})
    (one,) = company.hq.erasures.progress(company.org)
    assert (one.subject, one.done, one.missing) == (contact, (rita.device,), (omar.device,))


def test_devices_are_told_by_a_mark_that_says_nothing_to_who_never_held_the_person(company: Company) -> None:
    contact = add_contact(company)
    receipt = company.hq.erasures.erase_person(company.org, contact, now=NOW)
    omar = device_of(company, "omar")  # of another sector
    page = next(page for page in push(company, omar).pull.pages if page.bucket == "org")
    (order,) = page.put["23"]
    assert order[2] == receipt.mark and contact.hex not in json.dumps(page.put)


def test_a_person_nobody_knows_is_not_erased(company: Company, rival: Company) -> None:
    contact = add_contact(rival)
    with pytest.raises(DomainError, match="person_unknown"):
        company.hq.erasures.erase_person(company.org, contact, now=NOW)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Headquarters]:
    opened = open_headquarters(tmp_path / "hq", None, Clock(), hasher=CHEAP)
    yield opened
    opened.close()


def test_a_backup_that_is_put_back_is_erased_again_before_it_is_served(small: Headquarters, tmp_path: Path) -> None:
    company = found(small)
    contact = add_contact(company)
    change(company, contact, phone="+33 777")
    backup = tmp_path / "backup.sqlite"
    with closing(sqlite3.connect(small.folder / "server.sqlite")) as database:
        database.execute("VACUUM INTO ?", (str(backup),))
    small.erasures.erase_person(company.org, contact, now=NOW)
    small.close()
    for old in small.folder.glob("server.sqlite*"):
        old.unlink()
    shutil.copyfile(backup, small.folder / "server.sqlite")
    restored = open_headquarters(small.folder, None, Clock(), hasher=CHEAP, accept_restore=True)
    try:
        kept = everything_in(restored, company.org)
        assert "Lefort" not in kept and "+33" not in kept
        entries = restored.erasures.history(company.org, "contact", contact)
        assert entries[-2].set == {"phone": ERASED}
        assert restored.erasures.reapply_erasures() == 0
        assert restored.erasures.reapply_erasures(everything=True) == 1
    finally:
        restored.close()


def test_a_dump_of_the_database_opens_nothing_without_the_servers_own_key(
    small: Headquarters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = found(small)
    contact = add_contact(company)
    change(company, contact, phone="+33 777")
    small.close()
    (small.folder / KEY_FILE).unlink()
    other = open_headquarters(small.folder, None, Clock(), hasher=CHEAP)
    try:
        assert other.erasures.history(company.org, "contact", contact)[0].set == {"phone": ERASED}
        other.apply(company.org, [("contact", {"id": contact, "phone": "+33 999"})])
        assert other.erasures.history(company.org, "contact", contact)[0].set == {"phone": "+33 999"}
    finally:
        other.close()
    monkeypatch.setenv(KEY_VARIABLE, "too short")
    with pytest.raises(DomainError, match="server_key_malformed"):
        server_key(small.folder)


@given(st.lists(st.one_of(st.text(), st.just('{"org": "' + "0" * 32 + '", "subject": "' + "1" * 32 + '", "at": 5}'))))
def test_whatever_stands_on_the_list_of_erasures_it_is_read(tmp_path_factory: Any, lines: list[str]) -> None:
    path = tmp_path_factory.mktemp("list") / LIST_FILE
    path.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    assert len(list(read_list(path))) >= sum(line.startswith('{"org"') for line in lines)
