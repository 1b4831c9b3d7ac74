"""The organisation's own fields: named, ordered, retired; and which values each kind takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from fieldcrm.domain.catalogue import CUSTOM_KINDS
from fieldcrm.domain.errors import DomainError
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.tables import T
from fieldcrm.usecases import customfields
from fieldcrm.usecases.customfields import CustomField, FieldDetails, check_value
from tests.world import World, an_id

Do = Callable[[Callable[[Transaction], Any]], Any]


@pytest.fixture
def do(db: Database, world: World, now: datetime) -> Do:
    return lambda work: db.write(work, actor=world.manager, now=now).result().value


def fields(db: Database, **how: bool) -> list[CustomField]:
    with db.read() as reader:
        return list(customfields.fields(reader, **how))


def details(name: str, kind: str = "text", *choices: str, **label: str) -> FieldDetails:
    return FieldDetails({"fr": name, **label}, kind, choices)


def refused(work: Callable[[], object]) -> tuple[str, str | None]:
    with pytest.raises(DomainError) as caught:
        work()
    return caught.value.code, caught.value.field


def a_field(kind: str) -> CustomField:
    return CustomField(an_id("a field"), "a_field", {"en": "A field"}, kind, ("Gold", "Silver"))


def test_a_field_gets_a_key_from_its_name_and_comes_last(db: Database, do: Do) -> None:
    do(lambda tx: customfields.add(tx, details("Contrat signé ?", "flag")))
    do(lambda tx: customfields.add(tx, details("Œnologie", en="Wine corner")))
    do(lambda tx: customfields.add(tx, details("2e caisse", "number")))
    do(lambda tx: customfields.add(tx, details("日本", "date")))
    assert [field.key for field in fields(db)] == ["contrat_signe", "wine_corner", "field_2e_caisse", "field"]
    assert [field.name("fr") for field in fields(db)][:2] == ["Contrat signé ?", "Œnologie"]
    assert fields(db)[1].name("en") == "Wine corner" and fields(db)[0].name("en") == "Contrat signé ?"


def test_two_fields_may_not_have_one_name_but_a_retired_one_gives_its_name_away(db: Database, do: Do) -> None:
    first = do(lambda tx: customfields.add(tx, details("Niveau", "choice", "Or", "Argent")))
    assert refused(lambda: do(lambda tx: customfields.add(tx, details("niveau")))) == ("field_name_taken", "label.fr")
    do(lambda tx: customfields.retire(tx, first))
    second = do(lambda tx: customfields.add(tx, details("Niveau")))
    assert [field.key for field in fields(db, retired=True)] == ["niveau", "niveau_2"]
    assert refused(lambda: do(lambda tx: customfields.restore(tx, first)))[0] == "field_name_taken"
    do(lambda tx: customfields.retire(tx, second))
    do(lambda tx: customfields.restore(tx, first))
    assert [field.id for field in fields(db)] == [first]


def test_what_was_entered_stays_when_a_field_is_retired(db: Database, do: Do, world: World) -> None:
    field = do(lambda tx: customfields.add(tx, details("Surface froid", "number")))
    do(lambda tx: tx.conn.execute(
        update(T.outlet).where(T.outlet.c.id == world.outlets[0]).values(custom={"surface_froid": 12, "other": None})))
    do(lambda tx: customfields.retire(tx, field))
    assert fields(db) == []
    with db.read() as reader:
        assert customfields.used(reader) == {"surface_froid": 1}


def test_names_and_choices_change_but_not_the_kind(db: Database, do: Do) -> None:
    field = do(lambda tx: customfields.add(tx, details("Niveau", "choice", "Or", "Argent")))
    do(lambda tx: customfields.change(tx, field, details("Palier", "choice", " Or ", "", "Bronze")))
    changed = fields(db)[0]
    assert (changed.key, changed.choices, changed.name("fr")) == ("niveau", ("Or", "Bronze"), "Palier")
    change = lambda kind: do(lambda tx: customfields.change(tx, field, details("Palier", kind)))  # noqa: E731
    assert refused(lambda: change("text")) == ("field_kind_fixed", "kind")
    assert refused(lambda: do(lambda tx: customfields.retire(tx, UUID(int=1))))[0] == "field_unknown"


@pytest.mark.parametrize(("wrong", "code", "where"), [
    (details("  "), "field_name_missing", "label"),
    (details("x" * 61), "text_too_long", "label.fr"),
    (details("A", "colour"), "choice_unknown", "kind"),
    (details("A", "choice", "One"), "choices_few", "choices"),
    (details("A", "choice", "One", "one "), "choices_twice", "choices"),
    (details("A", "choice", *(str(n) for n in range(101))), "choices_many", "choices"),
])  # fmt: skip
def test_a_field_that_cannot_be_made_says_why(db: Database, do: Do, wrong: FieldDetails, code: str, where: str) -> None:
    assert refused(lambda: do(lambda tx: customfields.add(tx, wrong))) == (code, where)
    assert fields(db, retired=True) == []


def test_fields_come_in_the_order_they_are_put_in(db: Database, do: Do) -> None:
    made = [do(lambda tx, name=name: customfields.add(tx, details(name))) for name in ("A", "B", "C", "D")]
    do(lambda tx: customfields.reorder(tx, [made[2], made[0], UUID(int=5)]))
    assert [field.name("fr") for field in fields(db)] == ["C", "A", "B", "D"]


@pytest.mark.parametrize(("kind", "typed", "kept"), [
    ("text", "  two\twords\x00 ", "two words"), ("text", 12, "12"),
    ("number", "1\u202f234,5", 1234.5), ("number", "\u22124", -4), ("number", 3.0, 3),
    ("date", "3/6/2026", "2026-06-03"), ("date", "2026-06-03", "2026-06-03"),
    ("choice", "GOLD", "Gold"), ("flag", "Oui", True), ("flag", "non", False), ("flag", True, True),
    ("text", " ", None), ("number", "", None), ("flag", None, None),
])  # fmt: skip
def test_values_are_kept_by_their_kind(kind: str, typed: Any, kept: Any) -> None:
    value = check_value(a_field(kind), typed)
    assert value == kept and type(value) is type(kept)


@pytest.mark.parametrize(("kind", "typed", "code"), [
    ("text", "x" * 501, "text_too_long"), ("number", "douze", "decimal_malformed"),
    ("number", True, "decimal_malformed"), ("number", "1e400", "decimal_malformed"),
    ("number", float("inf"), "number_out_of_range"), ("date", "31/02/2026", "date_malformed"),
    ("date", "2026-6", "date_malformed"), ("choice", "Bronze", "choice_unknown"), ("flag", "perhaps", "flag_malformed"),
])  # fmt: skip
def test_a_value_of_another_kind_is_refused_at_its_field(kind: str, typed: Any, code: str) -> None:
    assert refused(lambda: check_value(a_field(kind), typed)) == (code, "a_field")


@given(st.sampled_from(CUSTOM_KINDS), st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.dates()))
def test_whatever_is_typed_is_kept_or_refused_and_stays_what_it_is_once_kept(kind: str, typed: Any) -> None:
    field = a_field(kind)
    try:
        kept = check_value(field, typed)
    except DomainError as error:
        assert error.field == "a_field"
        return
    assert check_value(field, kept) == kept
