"""What waits and what was refused is named with its outlet, in as many questions for many changes as for few."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import event, insert, update

from fieldcrm.domain.actor import Actor, Role
from fieldcrm.store import outbox
from fieldcrm.store.database import Database, Reader, Transaction
from fieldcrm.store.tables import T
from tests.conftest import NOW

REP = Actor(uuid4(), Role.REP)


def write(db: Database, work: Callable[[Transaction], Any], label: str = "") -> None:
    db.write(work, actor=REP, now=NOW, label=label).result()


def found_company(db: Database, count: int) -> list[tuple[UUID, UUID]]:
    """Outlets, each with a contact, of which nothing waits."""
    made = [(uuid4(), uuid4()) for _ in range(count)]

    def work(tx: Transaction) -> None:
        for at, (outlet, contact) in enumerate(made):
            row = {"id": outlet, "name": f"Shop {at}", "sector_id": uuid4(), "zone": "UTC", "state": "active"}
            tx.conn.execute(insert(T.outlet).values(row))
            tx.conn.execute(insert(T.contact).values(id=contact, outlet_id=outlet, name="Paul"))

    write(db, work)
    write(db, lambda tx: tx.conn.exec_driver_sql("DELETE FROM outbox"))
    return made


def call(contact: UUID) -> Callable[[Transaction], Any]:
    return lambda tx: tx.conn.execute(update(T.contact).where(T.contact.c.id == contact).values(phone="+33"))


def refuse(tx: Transaction) -> None:
    columns = 'n, op, tx, kind, collection, id, base, "set", was, at, cmd'
    into = f"INSERT OR IGNORE INTO dead_letter ({columns}, code, params, refused_at)"
    tx.conn.exec_driver_sql(f"{into} SELECT {columns}, 'x', '{{}}', 1 FROM outbox")


def statements(r: Reader, work: Callable[[Reader], object]) -> int:
    said: list[str] = []

    def note(*given: Any) -> None:
        said.append(given[2])

    event.listen(r.conn, "before_cursor_execute", note)
    work(r)
    event.remove(r.conn, "before_cursor_execute", note)
    return len(said)


def test_each_change_is_named_with_its_outlet_though_its_values_do_not_say_which(db: Database) -> None:
    (shop, contact), (other, _) = found_company(db, 2)
    write(db, call(contact), "Call")
    write(db, lambda tx: tx.conn.execute(update(T.outlet).where(T.outlet.c.id == other).values(phone="+33")), "Edit")
    new = uuid4()
    write(db, lambda tx: tx.conn.execute(insert(T.contact).values(id=new, outlet_id=other, name="New")), "Meet")
    expected = [("Call", shop, "Shop 0"), ("Edit", other, "Shop 1"), ("Meet", other, "Shop 1")]
    with db.read() as r:
        changes = outbox.pending_changes(r)
        assert [(one.label, one.outlet_id, one.outlet_name) for one in changes] == expected
        assert [one.label for one in outbox.pending_changes(r, limit=2)] == ["Call", "Edit"]
    write(db, refuse)
    with db.read() as r:
        letters = outbox.letters(r)
    assert [(one.outlet_id, one.outlet_name) for one in letters] == [change[1:] for change in expected]


def test_many_changes_take_no_more_questions_than_few(db: Database) -> None:
    made = found_company(db, 20)
    asked: list[tuple[int, int]] = []
    for some in (made[:2], made[2:]):
        for _, contact in some:
            write(db, call(contact))
        write(db, refuse)
        with db.read() as r:
            asked.append((statements(r, outbox.pending_changes), statements(r, outbox.letters)))
    assert asked[0] == asked[1]
