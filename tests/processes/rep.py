"""A rep in a process of its own: the real encrypted database, the real supervisor, real HTTP. It may be killed.

``python -m tests.processes.rep FOLDER URL ORGANISATION LOGIN PASSWORD OUTLET SEED`` works until it is killed, or, told
``--finish`` behind these, records nothing more, syncs until all is there, and prints what it then holds.

What was recorded is written to ``ledger`` beside the database *after* the commit: the ledger never says too much.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, insert, select, update

from fieldcrm.domain.ids import new_id
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.tables import T
from fieldcrm.usecases import signin
from fieldcrm.usecases.link import PhotoRule
from fieldcrm.usecases.syncing import Supervisor
from sync.client.http import HttpRemote

KEY = bytes(range(32))
STALL_SECONDS = 2.0  # a dead line is given up soon: the loop is short


def now() -> datetime:
    return datetime.now(UTC)


class Rep:
    """One device and its person; signed in before, or with ``signed``, or now with the password."""

    def __init__(
        self, folder: Path, url: str, organisation: str, login: str, password: str, outlet: UUID,
        signed: signin.SignedIn | None = None,
    ) -> None:  # fmt: skip
        self.folder, self.outlet = folder, outlet
        self.db = Database.open(folder, KEY, now=now())
        self.photos = PhotoStore(folder / "photos", KEY)
        with self.db.read() as reader:
            known = signin.signed_in(reader)
        self.signed = known or self._keep(signed or self._sign_in(url, organisation, login, password))
        self.supervisor = Supervisor(
            self.db, self.photos, self.signed.actor, self._remote, clock=now, automatic=False,
            photo_rule=PhotoRule.ALWAYS,
        )  # fmt: skip

    def _sign_in(self, url: str, organisation: str, login: str, password: str) -> signin.SignedIn:
        while True:
            try:
                return signin.sign_in(url, organisation, login, password, "laptop")
            except Exception as error:  # the line is bad: a person would try again
                sys.stderr.write(f"{error!r}\n")
                time.sleep(0.2)

    def _keep(self, signed: signin.SignedIn) -> signin.SignedIn:
        self.db.write(lambda tx: signin.remember(tx, signed), actor=signed.actor, now=now()).result()
        return signed

    def _remote(self) -> HttpRemote:
        remote = signin.open_remote(self.db, self.signed, clock=now)
        remote._timeout = (STALL_SECONDS, STALL_SECONDS)
        return remote

    def record(self, luck: random.Random) -> None:
        """A visit with a report, mostly with a photo; now and then the outlet's telephone too. One transaction."""
        moment = now()
        visit, report = new_id(moment), new_id(moment)
        photo = luck.randbytes(luck.randint(1_000, 120_000)) if luck.random() < 0.6 else None
        sha = self.photos.put(b"\xff\xd8\xff" + photo) if photo else None
        me = self.signed.person_id

        def work(tx: Transaction) -> None:
            tx.conn.execute(insert(T.visit).values(
                id=visit, outlet_id=self.outlet, person_id=me, started_at=moment, zone="Europe/Paris",
                position_source="none"))
            tx.conn.execute(insert(T.submission).values(
                id=report, visit_id=visit, outlet_id=self.outlet, person_id=me, form="note", form_version="1",
                answers={}, started_at=moment, submitted_at=moment))
            if sha and photo:
                tx.conn.execute(insert(T.attachment).values(
                    id=new_id(moment), submission_id=report, visit_id=visit, outlet_id=self.outlet, node="/photo",
                    sha256=sha, size=len(photo) + 3, mime="image/jpeg"))
            if luck.random() < 0.3:
                tx.conn.execute(update(T.outlet).where(T.outlet.c.id == self.outlet).values(phone=report.hex[:12]))

        self.db.write(work, actor=self.signed.actor, now=moment).result()
        with (self.folder / "ledger").open("a", encoding="ascii") as ledger:
            ledger.write(f"{visit.hex} {report.hex} {sha or '-'}\n")
            ledger.flush()

    def sync(self) -> bool:
        self.supervisor.wrote()
        return self.supervisor.run_once() is not None

    def finish(self, seconds: float = 60.0) -> bool:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if self.sync() and self.supervisor.state.everything_there:
                return True
            time.sleep(0.1)
        return False

    def summary(self) -> dict[str, object]:
        with self.db.read() as reader:
            c = reader.conn
            count = lambda table: c.execute(select(func.count()).select_from(table)).scalar_one()  # noqa: E731
            numbers = c.exec_driver_sql("SELECT n, op FROM acked_ops ORDER BY n").all()
            return {
                "waiting": c.exec_driver_sql("SELECT count(*) FROM outbox").scalar_one(),
                "refused": c.exec_driver_sql("SELECT count(*) FROM dead_letter").scalar_one(),
                "reports": count(T.submission),
                "operations": {op.hex(): n for n, op in numbers},
                "device": c.execute(select(T.sync_state.c.device)).scalar_one(),
            }


def main() -> int:
    folder, url, organisation, login, password, outlet, seed = sys.argv[1:8]
    rep = Rep(Path(folder), url, organisation, login, password, UUID(hex=outlet))
    sys.stdout.write(json.dumps({"started": os.getpid()}) + "\n")
    sys.stdout.flush()
    if "--finish" in sys.argv:
        done = rep.finish()
        sys.stdout.write(json.dumps({"done": done, "problem": rep.supervisor.state.problem, **rep.summary()}) + "\n")
        return 0
    luck = random.Random(f"{seed}/{os.getpid()}")
    while True:
        with rep.db.read() as reader:
            here = reader.conn.execute(select(T.outlet.c.id).where(T.outlet.c.id == rep.outlet)).first()
        if here is not None:
            for _ in range(luck.randint(1, 2)):
                rep.record(luck)
        rep.sync()
        time.sleep(0.3)  # a person needs longer, and the loop is about kills, not about load


if __name__ == "__main__":
    sys.exit(main())
