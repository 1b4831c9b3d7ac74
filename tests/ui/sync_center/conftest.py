"""The Sync Centre on a real encrypted database, with a real supervisor that never calls a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, update

pytest.importorskip("PySide6")

from fieldcrm import words
from fieldcrm.domain.ids import new_id
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.tables import T
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.preferences import Preferences
from fieldcrm.ui.sync_center import SyncScreen
from fieldcrm.usecases.syncing import Supervisor
from tests.conftest import KEY, NOW
from tests.world import World


@pytest.fixture
def session(db: Database, world: World, tmp_path: Path, qtbot: Any) -> Iterator[AppSession]:
    words.set_language("en")
    theme.apply("light")
    photos = PhotoStore(tmp_path / "photos", KEY)
    made = AppSession(db, world.rep, clock=lambda: NOW, photos=photos, preferences=Preferences(tmp_path))

    def nobody() -> Any:
        raise AssertionError("no test here calls a server")

    made.sync = Supervisor(
        db, photos, world.rep, nobody, clock=lambda: NOW, on_state=lambda: made.tasks.post(made.sync_changed.emit)
    )
    yield made
    made.tasks.stop()


@pytest.fixture
def screen(session: AppSession, qtbot: Any) -> SyncScreen:
    made = SyncScreen(session)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    made.open()
    return made


def write(session: AppSession, work: Any) -> None:
    session.db.write(work, actor=session.actor, now=NOW).result()


def change(session: AppSession, outlet: UUID, **values: Any) -> None:
    write(session, lambda tx: tx.conn.execute(update(T.outlet).where(T.outlet.c.id == outlet).values(**values)))


def met(session: AppSession, outlet: UUID, **values: Any) -> UUID:
    """What headquarters tells when two people wrote the same thing: the phone, if nothing else is said."""
    row = {
        "id": new_id(NOW), "collection": "outlet", "record_id": outlet, "field": "phone", "kept": "01 42 00 00 02",
        "lost": "01 42 00 00 01", "before": "01 42 00 00 00", "person_id": session.actor.user_id, "state": "open",
        "outlet_id": outlet, "at": NOW, "rev": 1, **values,
    }

    def work(tx: Transaction) -> None:
        with tx.uncaptured():
            tx.conn.execute(insert(T.conflict).values(**row))

    write(session, work)
    return row["id"]


def refuse(session: AppSession, code: str = "too_long", params: str = '{"field":"phone","maximum":20}') -> None:
    """What the outbox holds comes back refused; of several operations the first is to blame."""

    def work(tx: Transaction) -> None:
        columns = 'n, op, tx, kind, collection, id, base, "set", was, at, cmd'
        first = tx.conn.exec_driver_sql("SELECT min(n) FROM outbox").scalar_one()
        letters = (
            f"INSERT INTO dead_letter ({columns}, code, params, refused_at) "
            f"SELECT {columns}, CASE WHEN n = ? THEN ? ELSE 'same_transaction' END, "
            f"CASE WHEN n = ? THEN ? ELSE '{{}}' END, at FROM outbox"
        )
        tx.conn.exec_driver_sql(letters, (first, code, first, params))
        tx.conn.exec_driver_sql("DELETE FROM outbox")

    write(session, work)
