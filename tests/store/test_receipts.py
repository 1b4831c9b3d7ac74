"""Where a report is: each stage is said only of what has come so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert

from fieldcrm.domain.actor import Actor, Role
from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.store import receipts
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.receipts import Stage
from fieldcrm.store.tables import T
from tests.conftest import NOW

REP = Actor(uuid4(), Role.REP)
PHOTO = "a" * 64


def write(db: Database, work: Callable[[Transaction], Any]) -> None:
    db.write(work, actor=REP, now=NOW).result()


def say(db: Database, statement: str, *values: Any) -> None:
    write(db, lambda tx: tx.conn.exec_driver_sql(statement, values))


def stage(db: Database) -> Stage:
    with db.read() as r:
        (receipt,) = receipts.reports(r, REP.user_id)
    return receipt.stage


def number(collection: str) -> int:
    return CATALOGUE.by_name[collection].number


def record(tx: Transaction, report: UUID, photo: str | None) -> None:
    outlet, visit = uuid4(), uuid4()
    tx.conn.execute(insert(T.outlet).values(id=outlet, name="Shop", sector_id=uuid4(), zone="UTC", state="active"))
    tx.conn.execute(insert(T.visit).values(
        id=visit, outlet_id=outlet, person_id=REP.user_id, started_at=NOW, zone="UTC", position_source="none"))
    tx.conn.execute(insert(T.submission).values(
        id=report, visit_id=visit, outlet_id=outlet, person_id=REP.user_id, form="note", form_version="1",
        answers={}, started_at=NOW, submitted_at=NOW))
    if photo:
        tx.conn.execute(insert(T.attachment).values(
            id=uuid4(), submission_id=report, visit_id=visit, outlet_id=outlet, node="/p", sha256=photo, size=9,
            mime="image/jpeg"))


def hold(db: Database, report: UUID) -> None:
    say(db, "INSERT INTO bucket (name) VALUES ('sector:x')")
    held = "INSERT INTO member (collection, id, bucket, rev, round) SELECT ?, ?, number, 1, 0 FROM bucket"
    say(db, held, number("submission"), report.bytes)


def test_a_report_that_was_sent_is_there_once_headquarters_names_it(db: Database) -> None:
    report = uuid4()
    write(db, lambda tx: record(tx, report, None))
    assert stage(db) is Stage.HERE
    say(db, "DELETE FROM outbox")
    assert stage(db) is Stage.SENT
    hold(db, report)
    assert stage(db) is Stage.VERIFIED


def test_a_report_whose_photo_is_known_from_another_is_here_until_it_says_that_the_photo_is_its_own(
    db: Database,
) -> None:
    report = uuid4()
    write(db, lambda tx: record(tx, report, PHOTO))
    say(
        db,
        "INSERT INTO blob_queue (sha256, direction, size, mime, offset, state, tries, added_at) "
        "VALUES (?, 'up', 9, 'image/jpeg', 9, 'verified', 0, 1)",
        PHOTO,
    )
    hold(db, report)
    say(db, "DELETE FROM outbox WHERE collection <> ?", number("attachment"))
    assert stage(db) is Stage.HERE
    say(db, "DELETE FROM outbox")
    assert stage(db) is Stage.VERIFIED
    say(db, "UPDATE blob_queue SET state = 'waiting'")
    assert stage(db) is Stage.SENT
