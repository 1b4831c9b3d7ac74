"""Confirming what is known of an outlet, and the alert that asked for it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import insert, select, update

from fieldcrm.domain.actor import Actor
from fieldcrm.domain.ids import Id
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.tables import T
from fieldcrm.usecases import outlets, undo
from fieldcrm.usecases.confirming import confirm_outlet, confirmation_alert
from tests.world import World


def put_alert(db: Database, actor: Actor, now: datetime, outlet: Id, confirmed: datetime | None) -> Id:
    task = confirmation_alert(outlet, confirmed)

    def work(tx: Transaction) -> None:
        with tx.uncaptured():
            tx.conn.execute(update(T.outlet).where(T.outlet.c.id == outlet).values(confirmed_at=confirmed))
            row = {"id": task, "outlet_id": outlet, "kind": "task", "title": "Confirm", "state": "open", "rev": 1}
            tx.conn.execute(insert(T.task).values(**row, due=date(2026, 12, 1), person_id=actor.user_id))

    db.write(work, actor=actor, now=now).result()
    return task


def state_of(db: Database, task: Id) -> str:
    with db.read() as r:
        return str(r.conn.execute(select(T.task.c.state).where(T.task.c.id == task)).scalar_one())


def test_a_confirmation_is_stamped_and_answers_its_alert_and_undo_takes_both_back(
    db: Database, world: World, now: datetime
) -> None:
    outlet = world.outlets[0]
    task = put_alert(db, world.rep, now, outlet, now - timedelta(days=300))
    db.write(lambda tx: confirm_outlet(tx, outlet), actor=world.rep, now=now).result()
    with db.read() as r:
        assert outlets.read(r, outlet).confirmed_at == now
        step = undo.steps(r, world.rep).undo
    assert step is not None and step.label == "outlet.confirmed"
    assert state_of(db, task) == "kept"
    db.write(undo.undo, actor=world.rep, now=now).result()
    with db.read() as r:
        assert outlets.read(r, outlet).confirmed_at != now
    assert state_of(db, task) == "open"


def test_an_edit_answers_the_alert_too_and_another_outlets_alert_stays(
    db: Database, world: World, now: datetime
) -> None:
    mine = put_alert(db, world.rep, now, world.outlets[0], None)
    other = put_alert(db, world.rep, now, world.outlets[1], None)
    edit = {"phone": "01 40 26 00 99"}
    db.write(lambda tx: outlets.edit_outlet(tx, world.outlets[0], edit), actor=world.rep, now=now).result()
    assert (state_of(db, mine), state_of(db, other)) == ("kept", "open")


def test_the_same_cause_has_the_same_task_everywhere_and_the_next_one_another(world: World, now: datetime) -> None:
    outlet = world.outlets[0]
    assert confirmation_alert(outlet, now) == confirmation_alert(outlet, now)
    assert len({confirmation_alert(outlet, now), confirmation_alert(outlet, None),
                confirmation_alert(world.outlets[1], now)}) == 3
