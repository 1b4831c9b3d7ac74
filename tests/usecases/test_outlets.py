"""Outlets as a person changes them: rules, provenance, likeness, undo."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from fieldcrm.domain.contact import ContactDetails
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import new_id
from fieldcrm.domain.outlet import parse_position
from fieldcrm.domain.task import TaskDetails
from fieldcrm.store import contacts as stored_contacts
from fieldcrm.store import outlets as stored
from fieldcrm.store import tasks as stored_tasks
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.tables import T
from fieldcrm.usecases import contacts, outlets, tasks, undo
from fieldcrm.usecases.lookalikes import Typed, lookalikes

Do = Callable[..., Any]


@pytest.fixture
def do(db: Database, world: Any, now: datetime) -> Do:
    """Run a use case as the rep; each call a minute after the one before."""
    clock = [now]

    def run(work: Callable[[Transaction], Any], actor: Any = None) -> Any:
        clock[0] += timedelta(minutes=1)
        return db.write(work, actor=actor or world.rep, now=clock[0]).result().value

    return run


def read(db: Database, outlet_id: Any) -> Any:
    with db.read() as r:
        return outlets.read(r, outlet_id)


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"name": "  "}, "outlet_name_missing", "name"),
        ({"phone": "call me"}, "phone_malformed", "phone"),
        ({"phone": "12"}, "phone_malformed", "phone"),
        ({"postcode": "7500"}, "postcode_malformed", "postcode"),
        ({"email": "nobody"}, "email_malformed", "email"),
        ({"website": "not a site"}, "website_malformed", "website"),
        ({"opening_hours": "every morning"}, "opening_hours_malformed", "opening_hours"),
        ({"lat_e7": 910_000_000, "lon_e7": 0}, "position_outside_world", "position"),
        ({"lat_e7": 480_000_000, "lon_e7": None}, "position_incomplete", "position"),
        ({"siret": "123"}, "siret_malformed", "siret"),
        ({"store_type": "castle"}, "choice_unknown", "store_type"),
        ({"visit_minutes": "9999"}, "number_out_of_range", "visit_minutes"),
        ({"sector_id": 3}, "field_not_editable", "sector_id"),
        ({"segment": "a"}, "field_not_yours", "segment"),
    ],
)
def test_a_wrong_value_is_refused_at_its_field_and_changes_nothing(
    db: Database, world: Any, do: Do, values: dict[str, Any], code: str, field: str
) -> None:
    before = read(db, world.outlets[0])
    with pytest.raises(DomainError) as refused:
        do(lambda tx: outlets.edit_outlet(tx, world.outlets[0], values))
    assert (refused.value.code, refused.value.field) == (code, field)
    assert read(db, world.outlets[0]) == before


def test_an_edit_says_who_knew_it_and_when(db: Database, world: Any, do: Do) -> None:
    do(lambda tx: outlets.edit_outlet(tx, world.outlets[0], {"phone": " 01 42 00 00 00 ", "postcode": "75001"}))
    after = read(db, world.outlets[0])
    assert after.phone == "01 42 00 00 00"
    assert after.provenance["phone"]["source"] == "person"
    assert after.provenance["phone"]["by"] == world.rep.user_id.hex
    assert "postcode" not in after.provenance  # it was the same before


def test_an_edit_that_changes_nothing_sends_nothing(db: Database, world: Any, do: Do) -> None:
    do(lambda tx: outlets.edit_outlet(tx, world.outlets[0], {"name": "Épicerie des Halles"}))
    with db.read() as r:
        assert r.conn.execute(select(T.outbox)).all() == []


def test_an_outlet_without_coordinates_is_kept_as_not_mapped(db: Database, world: Any, do: Do) -> None:
    id_ = do(lambda tx: outlets.create_outlet(tx, {"name": "Le Petit Nouveau", "city": "Paris"}))
    made = read(db, id_)
    assert (made.mapped, made.state, made.zone, made.country) == (False, "prospect", "Europe/Paris", "FR")
    assert made.sector_id == world.sector
    assert "zone" not in made.provenance


def test_the_same_outlet_entered_twice_is_never_refused(world: Any, do: Do) -> None:
    twice = {"name": "Vival", "siret": "12345678901234", "phone": "0142000000"}
    assert do(lambda tx: outlets.create_outlet(tx, twice)) != do(lambda tx: outlets.create_outlet(tx, twice))


def test_a_merged_outlet_resolves_to_the_one_that_stayed(db: Database, world: Any, do: Do, now: datetime) -> None:
    def merge(tx: Transaction) -> None:
        for stays, goes in ((0, 1), (1, 2)):
            tx.conn.execute(
                insert(T.outlet_alias).values(
                    id=new_id(now), outlet_id=world.outlets[stays], alias_id=world.outlets[goes], active=True
                )
            )

    do(merge)
    assert read(db, world.outlets[2]).id == world.outlets[0]
    with db.read() as r:
        assert set(stored.same_outlets(r, world.outlets[0])) == set(world.outlets[:3])


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("48.8535, 2.3484", (488_535_000, 23_484_000)),
        ("48,8535 2,3484", (488_535_000, 23_484_000)),
        ("-12.5; 130.25", (-125_000_000, 1_302_500_000)),
        ("", (None, None)),
    ],
)
def test_a_position_is_read_as_people_write_it(text: str, position: tuple[int, int]) -> None:
    assert parse_position(text) == position


@pytest.mark.parametrize("text", ["48.85", "here", "48.85 2.34 7", "91, 2", "48.85N 2.3E"])
def test_what_is_not_a_position_is_refused(text: str) -> None:
    with pytest.raises(DomainError):
        parse_position(text)


def test_lookalikes_are_found_by_name_and_place_phone_or_siret(db: Database, world: Any, do: Do) -> None:
    do(lambda tx: outlets.edit_outlet(tx, world.outlets[2], {"phone": "+33 1 42 99 88 77"}))
    with db.read() as r:
        near = lookalikes(r, Typed(name="Epicerie des Hales", lat_e7=488_611_000, lon_e7=23_461_000))
        assert near[0].outlet.id == world.outlets[0]
        assert {"name.close", "distance.within_15"} <= {reason.code for reason in near[0].reasons}
        by_phone = lookalikes(r, Typed(name="Tout autre nom", phone="01 42 99 88 77"))
        assert by_phone[0].outlet.id == world.outlets[2]
        assert [one.code for one in by_phone[0].reasons if one.strength > 0] == ["phone.same"]
        assert lookalikes(r, Typed(name="Boucherie Martin", city="Lille")) == ()
        assert lookalikes(r, Typed(name="Ép")) == ()


def test_one_preferred_contact_at_most(db: Database, world: Any, do: Do) -> None:
    fresh = do(lambda tx: contacts.add_contact(tx, world.outlets[0], ContactDetails("M. Diallo", preferred=True)))
    with db.read() as r:
        found = stored_contacts.contacts_of(r, [world.outlets[0]])
    assert [(c.id, c.preferred) for c in found if c.preferred] == [(fresh, True)]


def test_undo_and_redo_of_a_phone_number_sync_like_any_change(db: Database, world: Any, do: Do) -> None:
    outlet = world.outlets[0]
    do(lambda tx: outlets.edit_outlet(tx, outlet, {"phone": "0142000001"}))
    do(lambda tx: outlets.edit_outlet(tx, outlet, {"phone": "0142000002"}))
    with db.read() as r:
        assert undo.steps(r, world.rep).undo.label == "outlet.phone"  # type: ignore[union-attr]
    do(undo.undo)
    assert read(db, outlet).phone == "0142000001"
    do(undo.undo)
    assert read(db, outlet).phone is None
    assert "phone" not in read(db, outlet).provenance
    with pytest.raises(DomainError, match="nothing_to_undo"):
        do(undo.undo)
    do(undo.redo)
    assert read(db, outlet).phone == "0142000001"
    do(undo.redo)
    assert read(db, outlet).phone == "0142000002"
    with pytest.raises(DomainError, match="nothing_to_redo"):
        do(undo.redo)
    do(undo.undo)
    assert read(db, outlet).phone == "0142000001"
    with db.read() as r:
        assert len(r.conn.execute(select(T.outbox)).all()) == 7


def test_a_new_change_ends_what_could_be_redone(db: Database, world: Any, do: Do) -> None:
    do(lambda tx: outlets.edit_outlet(tx, world.outlets[0], {"phone": "0142000001"}))
    do(undo.undo)
    do(lambda tx: outlets.edit_outlet(tx, world.outlets[0], {"email": "a@b.fr"}))
    with db.read() as r:
        now = undo.steps(r, world.rep)
    assert now.redo is None
    assert now.undo is not None and now.undo.label == "outlet.email"


def test_undo_leaves_alone_what_somebody_else_has_changed_since(db: Database, world: Any, do: Do) -> None:
    outlet = world.outlets[0]
    do(lambda tx: outlets.edit_outlet(tx, outlet, {"phone": "0142000001", "email": "mine@shop.fr"}))
    do(lambda tx: outlets.edit_outlet(tx, outlet, {"phone": "0199999999"}), world.manager)
    do(undo.undo)
    after = read(db, outlet)
    assert (after.phone, after.email) == ("0199999999", None)
    do(lambda tx: outlets.edit_outlet(tx, outlet, {"website": "shop.fr"}))
    do(lambda tx: outlets.edit_outlet(tx, outlet, {"website": "other.fr"}), world.manager)
    with pytest.raises(DomainError, match="undo_overtaken"):
        do(undo.undo)


def test_a_removed_contact_comes_back_and_can_go_again(db: Database, world: Any, do: Do) -> None:
    with db.read() as r:
        before = stored_contacts.contacts_of(r, [world.outlets[0]])
    do(lambda tx: contacts.remove_contact(tx, before[0].id))
    do(undo.undo)
    with db.read() as r:
        after = stored_contacts.contacts_of(r, [world.outlets[0]])
    assert [(c.name, c.job, c.phone, c.preferred) for c in after] == [
        (c.name, c.job, c.phone, c.preferred) for c in before
    ]
    do(undo.redo)
    with db.read() as r:
        assert stored_contacts.contacts_of(r, [world.outlets[0]]) == ()


def test_a_new_outlet_with_a_visit_is_not_undone(db: Database, world: Any, do: Do) -> None:
    id_ = do(lambda tx: outlets.create_outlet(tx, {"name": "Le Petit Nouveau"}))
    do(lambda tx: tasks.add_note(tx, id_, "Ouvre en décembre"))
    with pytest.raises(DomainError, match="undo_in_use"):
        do(undo.undo)
    assert read(db, id_).name == "Le Petit Nouveau"


def test_a_promise_is_kept_once(db: Database, world: Any, do: Do) -> None:
    details = TaskDetails("promise", "  Tête de gondole  en décembre ", promised_by="Mme Lefort")
    id_ = do(lambda tx: tasks.add_task(tx, world.outlets[0], details))
    do(lambda tx: tasks.keep_task(tx, id_))
    with pytest.raises(DomainError, match="task_already_closed"):
        do(lambda tx: tasks.break_task(tx, id_))
    with db.read() as r:
        task = stored_tasks.read_task(r, id_)
    assert (task.state, task.title) == ("kept", "Tête de gondole en décembre")
    do(undo.undo)
    with db.read() as r:
        assert stored_tasks.read_task(r, id_).state == "open"
        assert stored_tasks.read_task(r, id_).done_at is None


def test_a_note_stays_as_it_was_written(db: Database, world: Any, do: Do) -> None:
    do(lambda tx: tasks.add_note(tx, world.outlets[0], " Livraison le mardi\n"))
    with pytest.raises(DomainError, match="nothing_to_undo"):
        do(undo.undo)
    with pytest.raises(DomainError, match="note_empty"):
        do(lambda tx: tasks.add_note(tx, world.outlets[0], " \x00 "))
    with db.read() as r:
        assert [note.text for note in stored_tasks.notes_of(r, [world.outlets[0]])] == ["Livraison le mardi"]
