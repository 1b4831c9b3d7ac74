"""The care of the outlet base on a real encrypted store: judging what changed, mending, ignoring, alerts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from fieldcrm.domain.actor import Actor
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.outlet_quality import CALENDAR, NOTES
from fieldcrm.store.tables import T
from fieldcrm.usecases import merging, outlets, undo
from fieldcrm.usecases import outlet_quality as quality
from fieldcrm.usecases.outlet_quality import Judge, Rules
from tests.world import World, an_id


def write(db: Database, actor: Actor, now: datetime, work: Any) -> Any:
    return db.write(work, actor=actor, now=now).result().value


def put(db: Database, world: World, now: datetime, at: int = 0, **values: Any) -> Id:
    """Values as an import might have brought them, on the outlet ``at``."""

    def work(tx: Transaction) -> None:
        with tx.uncaptured():
            tx.conn.execute(update(T.outlet).where(T.outlet.c.id == world.outlets[at]).values(**values))

    write(db, world.manager, now, work)
    return world.outlets[at]


def judge(db: Database, world: World, now: datetime) -> int:
    return Judge(db).run(actor=world.manager, now=now, progress=lambda done, total: None, stopped=lambda: False)


def page(db: Database, now: datetime) -> quality.Overview:
    with db.read() as r:
        return quality.overview(r, now=now)


def listed(db: Database, now: datetime, code: str, **how: Any) -> list[quality.FindingRow]:
    with db.read() as r:
        return quality.rows(r, code, quality.findings(r, code, now=now, **how))


def test_every_outlet_is_judged_once_and_then_only_those_that_changed(
    db: Database, world: World, now: datetime
) -> None:
    put(db, world, now, phone="0145001212")
    assert judge(db, world, now) == 5
    assert judge(db, world, now) == 0
    assert page(db, now).counts["phone_style"] == (1, 1)
    put(db, world, now, phone="01 45 00 12 12")
    assert judge(db, world, now) == 1
    assert "phone_style" not in page(db, now).counts


def test_a_deleted_outlet_leaves_no_finding_behind(db: Database, world: World, now: datetime) -> None:
    outlet = put(db, world, now, siret="123")
    judge(db, world, now)
    assert "siret_invalid" in page(db, now).counts

    def gone(tx: Transaction) -> None:
        with tx.uncaptured():
            tx.conn.execute(T.outlet.delete().where(T.outlet.c.id == outlet))

    write(db, world.manager, now, gone)
    assert "siret_invalid" not in page(db, now).counts
    assert page(db, now).outlets == page(db, now).judged == 4


def test_a_pass_that_is_stopped_goes_on_where_it_was(
    db: Database, world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality, "SLICE", 2)
    asked: list[bool] = []

    def stopped() -> bool:
        asked.append(True)
        return len(asked) > 2

    first = Judge(db).run(actor=world.manager, now=now, progress=lambda done, total: None, stopped=stopped)
    assert 0 < first < 5
    assert judge(db, world, now) == 5 - first


def test_figures_say_of_how_many_they_speak(db: Database, world: World, now: datetime) -> None:
    put(db, world, now, at=0, confirmed_at=now - timedelta(days=181))
    put(db, world, now, at=1, confirmed_at=None)
    put(db, world, now, at=2, phone="12", state="active")
    put(db, world, now, at=3, state="closed")
    judge(db, world, now)
    seen = page(db, now)
    first = seen.sectors[0]
    assert (first.outlets, first.judged, first.fresh, first.flawed) == (3, 3, 1, 1)
    assert first.completeness is not None and 0 < first.completeness < 100
    assert seen.counts["not_confirmed"] == (2, 0)
    assert [row.outlet_id for row in listed(db, now, "not_confirmed", sector=world.sector)] == [
        world.outlets[1], world.outlets[0]]
    later = now + timedelta(days=200)  # the calendar alone makes them stale: nothing is judged again
    assert page(db, later).counts["not_confirmed"] == (4, 0)
    assert judge(db, world, later) == 0


def test_a_visit_keeps_the_last_visit_without_a_pass(db: Database, world: World, now: datetime) -> None:
    judge(db, world, now)
    assert page(db, now).counts["not_visited"] == (5, 0)

    def visit(tx: Transaction) -> None:
        row = {"id": an_id("v"), "outlet_id": world.outlets[0], "person_id": world.rep.user_id, "started_at": now}
        tx.conn.execute(insert(T.visit).values(**row, zone="Europe/Paris", position_source="none"))

    write(db, world.rep, now, visit)
    assert page(db, now).counts["not_visited"] == (4, 0)


@pytest.mark.parametrize("judged_before", [True, False])
def test_the_visits_of_a_merged_outlet_count_for_the_one_that_stays_until_they_are_two_again(
    db: Database, world: World, now: datetime, judged_before: bool
) -> None:
    keep, lose = world.outlets[:2]

    def visit(outlet: Id, at: datetime) -> None:
        write(db, world.manager, now, lambda tx: tx.conn.execute(insert(T.visit).values(
            id=new_id(at), outlet_id=outlet, person_id=world.rep.user_id, started_at=at, ended_at=at,
            zone="Europe/Paris", position_source="none")))

    def never_visited() -> set[str]:
        return {row.name for row in listed(db, now, "not_visited")}

    visit(lose, now - timedelta(days=3))
    if judged_before:
        judge(db, world, now)
        assert "Épicerie des Halles" in never_visited()
    alias = write(db, world.manager, now, lambda tx: merging.merge(tx, keep, lose, ()))
    judge(db, world, now)
    assert "Épicerie des Halles" not in never_visited()
    write(db, world.manager, now, lambda tx: merging.unmerge(tx, alias))
    judge(db, world, now)
    assert "Épicerie des Halles" in never_visited() and "Superette du Marché" not in never_visited()
    alias = write(db, world.manager, now, lambda tx: merging.merge(tx, world.outlets[3], world.outlets[2], ()))
    judge(db, world, now)
    visit(world.outlets[2], now - timedelta(days=1))  # a colleague's, who did not know of the merge yet
    assert "Chez Amélie" not in never_visited()


def test_a_suggestion_is_written_without_a_claim_that_somebody_was_there(
    db: Database, world: World, now: datetime
) -> None:
    old = now - timedelta(days=300)
    outlet = put(db, world, now, postcode="1000", confirmed_at=old, provenance={"*": {"source": "osm", "at": 1}})
    judge(db, world, now)
    (row,) = listed(db, now, "postcode_invalid")
    write(db, world.manager, now, lambda tx: quality.fix(
        tx, outlet, row.code, row.field, row.value, row.suggestion or ""))
    with db.read() as r:
        after = outlets.read(r, outlet)
    assert (after.postcode, after.confirmed_at) == ("01000", old)
    assert after.provenance["postcode"]["source"] == "person"
    assert listed(db, now, "postcode_invalid") == []
    with pytest.raises(DomainError, match="finding_overtaken"):
        write(db, world.manager, now, lambda tx: quality.fix(tx, outlet, row.code, row.field, row.value, "01000"))


def test_many_are_mended_at_once_and_taken_back_at_once(
    db: Database, world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality, "FIXED_AT_ONCE", 2)
    before = ["0145001212", "0145001213", "0145001214", "0145001215"]
    for at, phone in enumerate(before):
        put(db, world, now, at=at, phone=phone)
    judge(db, world, now)
    with db.read() as r:
        ids = quality.findings(r, "phone_style", now=now, safe=True)
    put(db, world, now, at=0, phone="01 45 99 99 99")  # somebody was quicker
    fixed = quality.fix_all(db, "phone_style", ids, actor=world.manager, now=now)
    assert (fixed.mended, fixed.passed_over, len(fixed.transactions)) == (3, 1, 2)
    assert phones(db)[:4] == ["01 45 99 99 99", "+33 1 45 00 12 13", "+33 1 45 00 12 14", "+33 1 45 00 12 15"]
    assert quality.take_back_fixes(db, fixed.transactions, actor=world.manager, now=now) == 2
    assert phones(db)[1:4] == before[1:]
    assert judge(db, world, now) == 4
    assert page(db, now).counts["phone_style"] == (3, 3)


def phones(db: Database) -> list[str | None]:
    with db.read() as r:
        return list(r.conn.execute(select(T.outlet.c.phone).order_by(T.outlet.c.rid)).scalars())


def test_what_is_right_as_it_is_stays_ignored_until_the_value_changes(
    db: Database, world: World, now: datetime
) -> None:
    put(db, world, now, siret="123")
    judge(db, world, now)
    (row,) = listed(db, now, "siret_invalid")
    with pytest.raises(DomainError, match="ignore_reason_missing"):
        write(db, world.manager, now, lambda tx: quality.ignore_finding(tx, row, "  "))
    kept = write(db, world.manager, now, lambda tx: quality.ignore_finding(tx, row, "foreign number"))
    assert "siret_invalid" not in page(db, now).counts
    assert [one.id for one in listed(db, now, "siret_invalid", ignored=True)] == [row.id]
    put(db, world, now, siret="1234")
    judge(db, world, now)
    assert page(db, now).counts["siret_invalid"] == (1, 0)
    put(db, world, now, siret="123")
    judge(db, world, now)
    assert "siret_invalid" not in page(db, now).counts
    write(db, world.manager, now, lambda tx: quality.take_back_ignored(tx, kept))
    assert page(db, now).counts["siret_invalid"] == (1, 0)


def test_a_rep_neither_ignores_for_all_nor_sets_rules(db: Database, world: World, now: datetime) -> None:
    put(db, world, now, siret="123")
    judge(db, world, now)
    (row,) = listed(db, now, "siret_invalid")
    for work in (lambda tx: quality.ignore_finding(tx, row, "mine"), lambda tx: quality.set_rules(tx, Rules())):
        with pytest.raises(DomainError, match="rules_not_yours"):
            write(db, world.rep, now, work)


def test_other_rules_judge_every_outlet_anew(db: Database, world: World, now: datetime) -> None:
    put(db, world, now, phone="01 45 00 12 12")
    judge(db, world, now)
    write(db, world.manager, now, lambda tx: quality.set_rules(tx, replace(Rules(), phone_form="e164")))
    assert judge(db, world, now) == 5
    assert [row.suggestion for row in listed(db, now, "phone_style")] == ["+33145001212"]
    write(db, world.manager, now, lambda tx: quality.set_rules(tx, replace(Rules(), phone_form="e164", alerts=True)))
    assert judge(db, world, now) == 0  # who gets a task changes nothing about an outlet


def test_a_finding_becomes_one_task_of_the_sectors_rep(db: Database, world: World, now: datetime) -> None:
    outlet = put(db, world, now, siret="123")
    put(db, world, now, at=4, siret="123")
    judge(db, world, now)
    row = next(one for one in listed(db, now, "siret_invalid") if one.outlet_id == outlet)
    other = next(one for one in listed(db, now, "siret_invalid") if one.outlet_id != outlet)
    due = (now + timedelta(days=7)).date()
    task = write(db, world.manager, now, lambda tx: quality.make_task(tx, row, "Ask for the SIRET", due))
    with db.read() as r:
        kept = r.conn.execute(select(T.task).where(T.task.c.id == task)).one()
    assert (kept.person_id, kept.outlet_id, kept.due, kept.state) == (world.rep.user_id, outlet, due, "open")
    with pytest.raises(DomainError, match="task_there_already"):
        write(db, world.manager, now, lambda tx: quality.make_task(tx, row, "Ask again", due))
    with pytest.raises(DomainError, match="sector_without_rep"):
        write(db, world.manager, now, lambda tx: quality.make_task(tx, other, "Ask", due))


def tasks(db: Database) -> int:
    with db.read() as r:
        return int(r.conn.execute(select(func.count()).select_from(T.task)).scalar_one())


def test_alerts_are_raised_once_for_whom_is_visited_soon_and_end_with_the_confirmation(
    db: Database, world: World, now: datetime
) -> None:
    for at in range(5):
        put(db, world, now, at=at, confirmed_at=now - timedelta(days=200 + at))
    put(db, world, now, at=2, visit_interval_days=None)  # nobody goes there by rhythm: it waits for a plan
    judge(db, world, now)
    alert = {"actor": world.manager, "now": now}
    assert quality.raise_alerts(db, "Confirm", **alert) == 0  # nobody asked for alerts
    write(db, world.manager, now, lambda tx: quality.set_rules(tx, replace(Rules(), alerts=True)))
    assert quality.raise_alerts(db, "Confirm", **alert) == 3  # the other sector has no rep
    assert quality.raise_alerts(db, "Confirm", **alert) == 0
    write(db, world.rep, now, lambda tx: quality.confirm_outlet(tx, world.outlets[0]))
    judge(db, world, now)
    assert (quality.raise_alerts(db, "Confirm", **alert), tasks(db)) == (0, 3)
    later = now + timedelta(days=200)
    assert quality.raise_alerts(db, "Confirm", actor=world.manager, now=later) == 1  # a new cause, a new task
    with db.read() as r:
        states = r.conn.execute(select(T.task.c.state).where(T.task.c.outlet_id == world.outlets[0])).scalars()
        assert sorted(states) == ["kept", "open"]


def test_a_look_at_one_outlet_needs_no_pass(db: Database, world: World, now: datetime) -> None:
    outlet = put(db, world, now, phone="12", email=None, siret=None)
    with db.read() as r:
        look = quality.look_at(r, outlet, now=now)
    assert [one.code for one in look.findings] == ["phone_invalid"]
    assert look.missing[0] == "siret" and look.fresh


def test_a_mended_value_can_be_undone_by_the_menu(db: Database, world: World, now: datetime) -> None:
    outlet = put(db, world, now, city="PARIS CENTRE")
    judge(db, world, now)
    (row,) = listed(db, now, "capitals")
    write(db, world.manager, now, lambda tx: quality.fix(
        tx, outlet, row.code, row.field, row.value, row.suggestion or ""))
    write(db, world.manager, now, undo.undo)
    with db.read() as r:
        assert outlets.read(r, outlet).city == "PARIS CENTRE"


def test_the_store_knows_the_same_kinds() -> None:
    assert set(NOTES) == {code for code, kind in quality.KINDS.items() if kind.severity == 1}
    assert set(CALENDAR) == {code for code, kind in quality.KINDS.items() if kind.calendar}


def test_what_the_last_pass_found_is_there_at_once(db: Database, world: World, now: datetime) -> None:
    put(db, world, now, phone="12")
    with db.read() as r:
        assert quality.last_overview(r) is None
    judge(db, world, now)
    with db.read() as r:
        assert quality.last_overview(r) == quality.overview(r, now=now)
