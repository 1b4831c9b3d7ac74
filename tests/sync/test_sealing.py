"""Personal values are sealed under a key per person; without the key nothing opens them, and nothing else breaks."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcrm.domain.catalogue import CATALOGUE
from sync.catalogue import Collection, Field, Kind, Personal
from sync.sealing import ERASED, SEALED, blank, mark, new_key, seal, sealed_subjects, subjects, unseal

CONTACT, VISIT, PLAN = (CATALOGUE.by_name[name] for name in ("contact", "visit", "plan"))
ID, REP = UUID(int=7), UUID(int=8)


def test_a_contact_is_sealed_under_its_own_key_and_opens_again() -> None:
    values = {"outlet_id": UUID(int=1).hex, "name": "Mme Lefort", "phone": "+33 1", "email": None, "preferred": True}
    keys = {ID: new_key()}
    sealed = seal(CONTACT, ID, values, keys)
    assert "Lefort" not in json.dumps(sealed) and "+33" not in json.dumps(sealed)
    assert sealed["preferred"] is True and sealed["email"] is None
    assert unseal(CONTACT, ID, sealed, keys) == values
    assert sealed_subjects(sealed) == {ID}


def test_a_visit_has_its_place_under_the_rep_and_its_note_under_itself() -> None:
    values = {"person_id": REP.hex, "lat_e7": 1, "lon_e7": 2, "note": "Asked for Paul", "zone": "Europe/Paris"}
    keys = {REP: new_key(), ID: new_key()}
    assert subjects(VISIT, ID, values) == {REP, ID}
    sealed = seal(VISIT, ID, values, keys)
    del keys[REP]
    opened = unseal(VISIT, ID, sealed, keys)
    assert (opened["lat_e7"], opened["lon_e7"]) == (ERASED, ERASED)
    assert opened["note"] == "Asked for Paul" and opened["zone"] == "Europe/Paris"


def test_the_person_of_a_partial_change_is_found_in_the_rest_of_the_record() -> None:
    assert subjects(PLAN, ID, {"home_lat_e7": 5}, {"person_id": REP.hex}) == {REP}
    assert subjects(PLAN, ID, {"home_lat_e7": 5}) == {ID}


def test_a_value_without_a_key_is_dropped_for_good() -> None:
    sealed = seal(CONTACT, ID, {"name": "Paul"}, {})
    assert "Paul" not in json.dumps(sealed)
    assert unseal(CONTACT, ID, sealed, {ID: new_key()}) == {"name": ERASED}


def test_a_sealed_value_does_not_open_in_another_record() -> None:
    keys = {ID: new_key()}
    sealed = seal(CONTACT, ID, {"name": "Paul"}, keys)
    assert unseal(CONTACT, UUID(int=9), sealed, keys) == {"name": ERASED}


def test_the_mark_of_an_erased_person_differs_by_organisation() -> None:
    assert mark(UUID(int=1), ID) != mark(UUID(int=2), ID) != ID.hex


def test_what_is_required_is_blanked_and_not_emptied() -> None:
    assert blank(CONTACT, ["name", "phone"]) == {"name": "—", "phone": None}
    assert blank(CATALOGUE.by_name["submission"], ["answers"]) == {"answers": {}}


def test_a_required_field_that_could_not_be_erased_is_no_catalogue() -> None:
    with pytest.raises(ValueError, match="could not be erased"):
        Collection(1, "x", (Field(1, "born", Kind.DATE, required=True, personal=Personal.CONTACT),))
    with pytest.raises(ValueError, match="subject"):
        Collection(1, "x", (Field(1, "born", Kind.DATE),), subject="who")


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
)


@given(JSON)
def test_whatever_stands_where_sealed_values_belong_opens_to_nothing(garbage: Any) -> None:
    opened = unseal(CONTACT, ID, {SEALED: garbage, "preferred": True}, {ID: bytes(32)})
    assert opened["preferred"] is True
    assert all(value is ERASED for name, value in opened.items() if name != "preferred")


@given(st.dictionaries(st.sampled_from(["name", "job", "phone", "email", "note"]), st.text() | st.none()))
def test_whatever_is_sealed_comes_back_the_same(values: dict[str, Any]) -> None:
    keys = {ID: new_key()}
    assert unseal(CONTACT, ID, json.loads(json.dumps(seal(CONTACT, ID, values, keys))), keys) == values
