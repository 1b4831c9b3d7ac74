"""Columns are guessed: on the tables it learnt from, and on twenty that it never saw."""

from __future__ import annotations

import pytest

from fieldcrm.exchange.guess import guess
from fieldcrm.exchange.mapping import FIELDS, SPECIAL, folded
from fieldcrm.exchange.vocabulary import headers, words_of
from tests.exchange.header_sets import HeaderSet, tables

TUNING, UNSEEN = tables("tuning_tables.txt"), tables("unseen_tables.txt")


@pytest.mark.parametrize("table", TUNING, ids=lambda table: table.name)
def test_the_tables_it_learnt_from_are_right(table: HeaderSet) -> None:
    assert table.missed() == []


def test_of_twenty_tables_it_never_saw_eighteen_are_right_in_every_column() -> None:
    assert len(UNSEEN) == 20
    assert sum(table.name.startswith("fr-") for table in UNSEEN) == 10
    assert not {table.header for table in UNSEEN} & {table.header for table in TUNING}
    assert sum(not table.missed() for table in UNSEEN) >= 18


def test_values_decide_where_headers_say_nothing() -> None:
    rows = [["Spar Pau", "05 59 00 00 01", "39962626600387", "spar@pau.fr", "Mo-Sa 08:00-20:00", "48.85, 2.35"]] * 3
    found = guess(["magasin", "A", "B", "C", "D", "E"], rows)
    assert found.targets == ("name", "phone", "siret", "email", "opening_hours", "position")


def test_a_header_that_its_values_contradict_is_not_believed() -> None:
    found = guess(["nom", "téléphone", "latitude"], [["Spar", "jo@spar.fr", "oui"], ["Vival", "al@vival.fr", "non"]])
    assert found.targets == ("name", "email", "")


def test_remarks_are_left_where_they_are_because_what_they_say_of_people_could_not_be_erased() -> None:
    rows = [["Spar", "Pau", "Demander Mme Roux"], ["Vival", "Gap", "Fermé le lundi"]]
    found = guess(["Nom", "Ville", "Commentaires"], rows)
    assert found.targets == ("name", "city", "")
    assert "note" not in FIELDS


def test_the_organisations_own_fields_are_found_by_their_titles() -> None:
    found = guess(["Nom", "Nombre de frigos", "frigos"], [["Spar", "3", "4"]], {"frigos": "Nombre de frigos"})
    assert found.targets == ("name", "custom:frigos", "")


def test_the_words_of_the_lists_are_of_fields_that_exist() -> None:
    assert set(headers()) - {"ignored", "way"} <= set(FIELDS) | set(SPECIAL)
    assert words_of("store_type")[folded("Supermarché")] == "supermarket"
