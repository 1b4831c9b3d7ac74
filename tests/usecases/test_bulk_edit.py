"""One change of many outlets: counted before, written in slices, captured, stamped, and taken back as one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import pytest
from sqlalchemy import select

from fieldcrm.domain.customfield import FieldDetails
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.provenance import origin_of
from fieldcrm.store.database import Database
from fieldcrm.store.tables import T
from fieldcrm.usecases import bulk_edit, customfields, outlets, undo
from fieldcrm.usecases.longwork import Progress
from tests.world import World


def rids(db: Database) -> list[int]:
    with db.read() as r:
        return list(r.conn.execute(select(T.outlet.c.rid).order_by(T.outlet.c.rid)).scalars())


def column(db: Database, name: str) -> list[object]:
    with db.read() as r:
        return list(r.conn.execute(select(T.outlet.c[name]).order_by(T.outlet.c.rid)).scalars())


def test_only_those_that_differ_are_written_each_with_who_said_so_and_the_preview_counted_them(
    db: Database, world: World, now: datetime
) -> None:
    everyone = rids(db)
    first = world.outlets[0]
    db.write(
        lambda tx: outlets.edit_outlet(tx, first, {"distributor": "Metro"}), actor=world.manager, now=now
    ).result()
    before = column(db, "confirmed_at")
    change = bulk_edit.setting(world.manager, "distributor", "  Metro ")
    with db.read() as r:
        seen = bulk_edit.preview(r, everyone, change)
    assert (seen.outlets, seen.changing, seen.same) == (5, 4, 1)
    assert dict(seen.now) == {None: 4, "Metro": 1}
    heard: list[Progress] = []
    done = bulk_edit.set_all(db, world.manager, lambda: now, everyone, change, heard.append)
    assert (done.changed, done.stopped) == (4, False) and heard[-1].fraction == 1
    assert column(db, "distributor") == ["Metro"] * 5
    assert column(db, "confirmed_at") == before  # nobody was there
    with db.read() as r:
        outlet = outlets.read(r, world.outlets[2])
        waiting = r.conn.execute(select(T.outbox.c.id).where(T.outbox.c.kind == "upd")).scalars().all()
    origin = origin_of(outlet.provenance, "distributor")
    assert origin is not None and (origin["source"], origin["by"]) == ("person", world.manager.user_id.hex)
    assert len(waiting) == 5  # the first edit and four of the bulk


def test_slices_are_one_undo_and_one_redo_and_what_was_changed_since_stays(
    db: Database, world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_edit, "_FIRST_SLICE", 2)
    monkeypatch.setattr(bulk_edit, "_LARGEST", 2)
    change = bulk_edit.setting(world.manager, "segment", "c")
    before = column(db, "segment")
    done = bulk_edit.set_all(db, world.manager, lambda: now, rids(db), change)
    with db.read() as r:
        step = undo.steps(r, world.manager).undo
        slices = r.conn.execute(select(T.outbox_tx.c.id).where(T.outbox_tx.c.label == done.label)).all()
    assert step is not None and bulk_edit.is_bulk(step.label) and len(slices) == 3
    db.write(
        lambda tx: outlets.edit_outlet(tx, world.outlets[4], {"segment": "b"}), actor=world.manager, now=now
    ).result()
    assert bulk_edit.take_back(db, world.manager, lambda: now, done.label) >= 3
    assert column(db, "segment") == [*before[:4], "b"]
    bulk_edit.put_back(db, world.manager, lambda: now, done.label)
    assert column(db, "segment") == ["c", "c", "c", "c", "b"]
    bulk_edit.take_back(db, world.manager, lambda: now, done.label)
    assert column(db, "segment") == [*before[:4], "b"]


def test_a_stop_keeps_what_was_written_and_it_can_be_taken_back(
    db: Database, world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_edit, "_FIRST_SLICE", 2)
    monkeypatch.setattr(bulk_edit, "_LARGEST", 2)
    answers = iter((False, True))
    change = bulk_edit.setting(world.manager, "group_name", "Les Indépendants")
    done = bulk_edit.set_all(db, world.manager, lambda: now, rids(db), change, stopped=lambda: next(answers))
    assert done.stopped and done.changed == 2
    bulk_edit.take_back(db, world.manager, lambda: now, done.label)
    assert column(db, "group_name") == [None] * 5


def test_a_rep_may_not_set_what_managers_decide_and_a_wrong_value_is_refused_before_anything_is_written(
    db: Database, world: World
) -> None:
    assert "segment" not in bulk_edit.fields_for(world.rep) and "distributor" in bulk_edit.fields_for(world.rep)
    with pytest.raises(DomainError, match="field_not_yours"):
        bulk_edit.setting(world.rep, "segment", "a")
    with pytest.raises(DomainError, match="number_out_of_range"):
        bulk_edit.setting(world.manager, "visit_interval_days", 9_000)
    with pytest.raises(DomainError, match="choice_unknown"):
        bulk_edit.setting(world.manager, "state", "asleep")
    with pytest.raises(ValueError):
        bulk_edit.Setting('name" = 1 --', "x")


@pytest.mark.parametrize(("value", "kept"), [("oui", True), (None, None)])
def test_a_field_of_the_organisation_is_set_and_emptied(
    db: Database, world: World, now: datetime, value: str | None, kept: bool | None
) -> None:
    details = FieldDetails({"fr": "Contrat signé"}, "flag")
    db.write(lambda tx: customfields.add(tx, details), actor=world.manager, now=now).result()
    with db.read() as r:
        field = customfields.fields(r)[0]
    everyone = rids(db)
    first = bulk_edit.setting(world.manager, field.key, "non", field)
    bulk_edit.set_all(db, world.manager, lambda: now, everyone, first)
    change = bulk_edit.setting(world.manager, field.key, value, field)
    with db.read() as r:
        assert bulk_edit.preview(r, everyone, change).changing == 5
    assert bulk_edit.set_all(db, world.manager, lambda: now, everyone, change).changed == 5
    with db.read() as r:
        assert outlets.read(r, world.outlets[1]).custom.get(field.key) is kept
        assert bulk_edit.preview(r, everyone, change).changing == 0


def open_tasks(db: Database) -> Sequence[object]:
    with db.read() as r:
        return r.conn.execute(select(T.task.c.outlet_id, T.task.c.person_id).where(T.task.c.title == "Relevé")).all()


def test_tasks_go_to_whoever_has_the_sector_and_leave_closed_outlets_out(
    db: Database, world: World, now: datetime
) -> None:
    db.write(lambda tx: outlets.close_outlet(tx, world.outlets[2]), actor=world.manager, now=now).result()
    done = bulk_edit.make_tasks(db, world.manager, lambda: now, rids(db), " Relevé ", date(2026, 12, 1))
    assert done.changed == 4
    found = dict(open_tasks(db))  # type: ignore[call-overload]
    assert world.outlets[2] not in found and found[world.outlets[0]] == world.rep.user_id
    with pytest.raises(DomainError, match="task_title_missing"):
        bulk_edit.make_tasks(db, world.manager, lambda: now, rids(db), "  ", None)
    bulk_edit.take_back(db, world.manager, lambda: now, done.label)
    assert open_tasks(db) == []
