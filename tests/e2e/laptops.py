"""A laptop with a profile of its own, over real HTTP, for tests of what survives it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select, update

from fieldcrm.domain.ids import new_id
from fieldcrm.server.headquarters import Headquarters
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.tables import T
from fieldcrm.usecases import signin, syncing
from sync.server.database import reading
from tests.server.conftest import PASSWORD, Company


def real_now() -> datetime:
    return datetime.now(UTC)


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
