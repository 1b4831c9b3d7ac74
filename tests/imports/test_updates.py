"""A newer extract of a source: what it says otherwise is proposed, and a person decides."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from fieldcrm.domain import provenance
from fieldcrm.domain.errors import DomainError
from fieldcrm.store.database import Database
from fieldcrm.store.tables import T
from fieldcrm.usecases import importing, outlets, updates
from fieldcrm.usecases.importing import Defaults, Openings
from fieldcrm.usecases.updates import Decided, Proposal
from tests.conftest import NOW
from tests.imports.feeds import Clock, Lines, store
from tests.imports.test_importing import check_indexes, count, run
from tests.world import World, build_world


@pytest.fixture
def world() -> World:
    return build_world()


def by_reference(db: Database, reference: str) -> UUID:
    with db.read() as r:
        query = select(T.outlet_source.c.outlet_id).where(T.outlet_source.c.reference == reference)
        return r.conn.execute(query).scalar_one()


def proposals(db: Database, **chosen: Any) -> list[Proposal]:
    with db.read() as r:
        return list(updates.rows(r, updates.proposals(r, **chosen)))


def decide(db: Database, world: World, work: Any, *some: Proposal) -> Decided:
    found: Decided = db.write(
        lambda tx: work(tx, [one.id for one in some]), actor=world.manager, now=NOW
    ).result().value  # fmt: skip
    return found


def edit(db: Database, world: World, outlet: UUID, **values: Any) -> None:
    db.write(lambda tx: outlets.edit_outlet(tx, outlet, values), actor=world.rep, now=NOW).result()


FIRST = [store(n) for n in range(8)]


def newer() -> Lines:
    """One of each kind: 0 has new hours, 1 another name, 2 moved by 111 m, 3 by 11 m, 4 another phone; 5 is not there
    any more, 6 and 7 are the same, 8 is new."""
    return Lines([
        store(0, opening_hours="24/7"), store(1, name="Épicerie neuve"), store(2, lat_e7=480_010_000),
        store(3, lat_e7=480_001_000), store(4, phone="01 99 99 99 99"), store(6), store(7), store(8),
    ])  # fmt: skip


def test_a_newer_extract_changes_nothing_and_proposes_each_kind(db: Database, world: World) -> None:
    run(db, world, Lines(FIRST))
    with db.read() as r:
        before = r.conn.execute(select(T.outlet).order_by(T.outlet.c.rid)).all()
    done = run(db, world, newer(), complete=True)
    assert (done.added, done.proposed, done.same) == (0, 6, 3)
    with db.read() as r:
        assert r.conn.execute(select(T.outlet).order_by(T.outlet.c.rid)).all() == before
        kinds = updates.counts(r)
    assert kinds == {"opened": 1, "closed": 1, "moved": 1, "renamed": 1, "hours": 1, "details": 1}
    found = {one.kind: one for one in proposals(db)}
    assert found["moved"].metres == 111
    assert (found["renamed"].before, found["renamed"].after) == ({"name": "Épicerie 1"}, {"name": "Épicerie neuve"})
    assert (found["opened"].outlet_name, found["closed"].outlet_name) == ("Épicerie 8", "Épicerie 5")
    assert run(db, world, newer(), complete=True).proposed == 0  # the same extract again has no news


def test_what_a_rep_confirmed_is_marked_and_stays_until_a_person_accepts(db: Database, world: World) -> None:
    run(db, world, Lines(FIRST))
    mine, other = by_reference(db, "S000004"), by_reference(db, "S000006")
    edit(db, world, mine, phone="01 23 45 67 89")
    edit(db, world, other, phone="01 23 45 67 90")  # the source says of this one what it said before: no proposal
    run(db, world, newer())
    [one] = proposals(db, kinds=["details"])
    assert (one.outlet_id, one.written) == (mine, frozenset({"phone"}))
    assert [p.id for p in proposals(db, written_only=True)] == [one.id]
    assert decide(db, world, updates.accept, one) == Decided(1, 0)
    with db.read() as r:
        now = outlets.read(r, mine)
    assert now.phone == "01 99 99 99 99"
    assert (provenance.origin_of(now.provenance, "phone") or {})["source"] == "distri"
    assert decide(db, world, updates.accept, one) == Decided(0, 1)  # decided already
    assert decide(db, world, updates.reopen, one) == Decided(1, 0)
    with db.read() as r:
        back = outlets.read(r, mine)
    assert back.phone == "01 23 45 67 89"
    assert (provenance.origin_of(back.provenance, "phone") or {})["source"] == provenance.PERSON
    assert {p.state for p in proposals(db, kinds=["details"], states=())} == {"open"}


def test_what_somebody_changed_after_an_accept_is_not_taken_back(db: Database, world: World) -> None:
    run(db, world, Lines(FIRST))
    run(db, world, newer())
    [one] = proposals(db, kinds=["renamed"])
    decide(db, world, updates.accept, one)
    assert one.outlet_id is not None
    edit(db, world, one.outlet_id, name="Encore un autre nom")
    assert decide(db, world, updates.reopen, one) == Decided(0, 1)
    with db.read() as r:
        assert outlets.read(r, one.outlet_id).name == "Encore un autre nom"


def test_a_refused_value_does_not_come_again_and_a_later_extract_makes_older_ones_stale(
    db: Database, world: World
) -> None:
    run(db, world, Lines(FIRST))
    run(db, world, Lines([store(1, name="Nom B"), store(4, phone="02")]))
    renamed, details = proposals(db, kinds=["renamed"])[0], proposals(db, kinds=["details"])[0]
    decide(db, world, updates.refuse, renamed)
    assert run(db, world, Lines([store(1, name="Nom C"), store(4, phone="03")])).proposed == 2
    states = {one.id: one.state for one in proposals(db, states=())}
    assert (states[renamed.id], states[details.id]) == ("refused", "stale")
    assert run(db, world, Lines([store(1, name="Nom B"), store(4, phone="03")])).proposed == 0
    assert {one.kind for one in proposals(db)} == {"details"}  # "Nom C" is no longer what the source says


def test_an_accepted_opening_is_an_outlet_of_its_import_and_goes_with_the_undo(db: Database, world: World) -> None:
    run(db, world, Lines(FIRST))
    done = run(db, world, newer(), complete=True)
    with db.read() as r:
        rids = updates.proposals(r)
    decided = updates.decide_all(db, rids, accepted=True, actor=world.manager, clock=Clock())
    assert (decided.done, decided.passed_over) == (6, 0)
    new = by_reference(db, "S000008")
    check_indexes(db)
    with db.read() as r:
        opened = outlets.read(r, new)
        assert (opened.name, opened.state, opened.sector_id) == ("Épicerie 8", "prospect", world.sector)
        assert outlets.read(r, by_reference(db, "S000005")).state == "closed"
    edit(db, world, by_reference(db, "S000000"), opening_hours="Mo-Fr 08:00-12:00")
    assert done.batch_id is not None
    undone = importing.undo_import(db, done.batch_id, actor=world.manager, clock=Clock())
    assert (undone.removed, undone.kept, undone.restored) == (1, 0, 6)
    with db.read() as r:
        names = {outlets.read(r, by_reference(db, f"S{n:06d}")).name for n in range(8)}
        assert outlets.read(r, by_reference(db, "S000000")).opening_hours == "Mo-Fr 08:00-12:00"
        assert outlets.read(r, by_reference(db, "S000005")).state == "prospect"
    assert names == {f"Épicerie {n}" for n in range(8)}
    assert {one.state for one in proposals(db, states=())} == {"stale"}
    assert run(db, world, newer(), complete=True).proposed == 6  # the same extract says the same again


def test_outlets_of_another_region_of_a_known_source_can_be_added(db: Database, world: World) -> None:
    run(db, world, Lines(FIRST))
    south = Lines([store(n) for n in range(500, 520)])
    assert importing.dry_run(db.read, south, importing.Defaults(world.sector)).known_source
    assert run(db, world, south, openings=Openings.ADD).added == 20
    assert count(db, "proposal") == 0


def test_only_a_manager_decides_and_only_in_sectors_of_theirs(db: Database, world: World) -> None:
    run(db, world, Lines(FIRST))
    run(db, world, newer())
    some = proposals(db)
    with pytest.raises(DomainError, match="import_needs_manager"):
        db.write(lambda tx: updates.accept(tx, [some[0].id]), actor=world.rep, now=NOW).result()
    elsewhere = type(world.manager)(world.manager.user_id, world.manager.role, frozenset({world.other_sector}))
    decided = db.write(lambda tx: updates.refuse(tx, [one.id for one in some]), actor=elsewhere, now=NOW)
    assert decided.result().value == Decided(0, len(some))


def test_the_dry_run_counts_as_changed_what_the_import_proposes_something_of(db: Database, world: World) -> None:
    run(db, world, Lines(FIRST))
    edit(db, world, by_reference(db, "S000004"), phone="01 99 99 99 99")  # as the source will say too
    preview = importing.dry_run(db.read, newer(), Defaults(world.sector, country="FR"))
    assert (preview.rows, preview.new, preview.changed, preview.same) == (8, 1, 3, 4)
    assert {frozenset(one.fields) for one in preview.sample_changed} == {
        frozenset({"opening_hours"}), frozenset({"name"}), frozenset({"lat_e7", "lon_e7"})}  # fmt: skip
    done = run(db, world, newer())
    assert (done.proposed - preview.new, done.same) == (preview.changed, preview.same)
    decide(db, world, updates.refuse, *proposals(db))
    run(db, world, Lines(FIRST))
    preview = importing.dry_run(db.read, newer(), Defaults(world.sector, country="FR"))
    assert (preview.changed, run(db, world, newer()).proposed) == (0, 0)


def test_what_nobody_accepted_does_not_keep_an_outlet_from_the_undo_of_its_import(db: Database, world: World) -> None:
    """Through two newer extracts, whose changes were refused, or are open."""
    first = run(db, world, Lines(FIRST))
    run(db, world, newer())
    decide(db, world, updates.refuse, *proposals(db))
    third = [store(1, name="Encore un nom"), store(2, lat_e7=480_020_000), store(3, lat_e7=480_002_000)]
    run(db, world, Lines(third))
    moved = next(one for one in proposals(db) if one.kind == "moved")
    edit(db, world, by_reference(db, "S000006"), phone="01 99 99 99 98")
    assert first.batch_id is not None
    undone = importing.undo_import(db, first.batch_id, actor=world.manager, clock=Clock(NOW))
    assert (undone.removed, undone.kept) == (7, 1)  # the one that a person changed
    assert (count(db, "outlet"), count(db, "outlet_source")) == (5 + 1, 1)
    assert moved.id not in {one.id for one in proposals(db)}
    check_indexes(db)
