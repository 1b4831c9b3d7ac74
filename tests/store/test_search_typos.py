"""Typing mistakes as people make them in French: the store is found, and the program says what it searched for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update

from fieldcrm.domain.ids import new_id
from fieldcrm.store import search
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.search import Asked, Filters
from fieldcrm.store.searchtypos import Vocabulary, meant
from fieldcrm.store.tables import T
from tests.conftest import KEY, NOW
from tests.world import World, an_id, fill

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
STORES = (
    "Carrefour Market", "Carrefour City", "Intermarché Express", "Monoprix", "Franprix", "E.Leclerc", "Auchan",
    "Système U", "Casino Shop", "Lidl", "Biocoop", "Picard", "Boulangerie Martin", "Pharmacie de la Gare",
    "Épicerie Fine", "Fromagerie Dupont", "Boucherie Lefèvre", "Restaurant du Château", "Tabac-presse du Port",
    "TotalEnergies", "Poissonnerie Océane", "Chocolaterie Belge", "Quincaillerie du Centre", "Librairie Mathieu",
)  # fmt: skip
TOWNS = ("Besançon", "Montpellier", "Strasbourg", "Saint-Étienne", "Perpignan", "Aurillac")

# What was typed, and a name it must find first.
TYPED = (
    ("carefour", "Carrefour"), ("carrfour", "Carrefour"), ("carrefuor", "Carrefour"), ("xarrefour", "Carrefour"),
    ("carreffour", "Carrefour"), ("carfour", "Carrefour"), ("carefour citi", "Carrefour City"),
    ("intermarhce", "Intermarché"), ("intermache", "Intermarché"), ("intremarché", "Intermarché"),
    ("inter marche", "Intermarché"), ("monorpix", "Monoprix"), ("monoprx", "Monoprix"), ("momoprix", "Monoprix"),
    ("frnaprix", "Franprix"), ("franpirx", "Franprix"), ("lecelrc", "E.Leclerc"), ("leclrec", "E.Leclerc"),
    ("leclercq", "E.Leclerc"), ("aucahn", "Auchan"), ("auhcan", "Auchan"), ("sisteme u", "Système U"),
    ("syteme u", "Système U"), ("cassino", "Casino"), ("biocop", "Biocoop"), ("bicoop", "Biocoop"),
    ("picrad", "Picard"), ("boulagnerie martin", "Boulangerie Martin"), ("boulanjerie", "Boulangerie"),
    ("boulangrie", "Boulangerie"), ("farmacie", "Pharmacie"), ("pharmasie", "Pharmacie"), ("phramacie", "Pharmacie"),
    ("epicerrie", "Épicerie"), ("epiceire fine", "Épicerie Fine"), ("restaurent", "Restaurant"),
    ("fromagrie", "Fromagerie"), ("bouchrie", "Boucherie"), ("totalenrgies", "TotalEnergies"),
    ("poisonnerie", "Poissonnerie"), ("chocolatrie", "Chocolaterie"), ("quinquaillerie", "Quincaillerie"),
    ("carrefourmarket", "Carrefour Market"), ("librarie", "Librairie"), ("besnacon", None), ("strasborg", None),
)  # fmt: skip


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, World]]:
    db = Database.open(tmp_path_factory.mktemp("typos"), KEY, now=NOW)
    world = fill(db, NOW)

    def work(tx: Transaction) -> None:
        rows = [
            {"id": new_id(NOW), "name": name, "city": TOWNS[at % len(TOWNS)], "sector_id": an_id("sector-1"),
             "zone": "Europe/Paris", "state": "active", "postcode": f"2500{at % 10}"}
            for at, name in enumerate(STORES)
        ]  # fmt: skip
        tx.conn.execute(insert(T.outlet), rows)

    db.write(work, actor=world.rep, now=NOW).result()
    yield db, world
    db.close()


def looked_for(db: Database, typed: str, **more: Any) -> tuple[list[str], str]:
    with db.read() as r:
        found = search.search(r, Asked(typed, Filters(MIDNIGHT), **more))
        by_rid = dict(r.conn.exec_driver_sql("SELECT rid, name FROM outlet").all())
        return [by_rid[rid] for rid in found.rids.tolist()], found.shown_for


@pytest.mark.parametrize(("typed", "name"), TYPED, ids=[typed for typed, _ in TYPED])
def test_a_mistake_is_forgiven_and_said(stores: Any, typed: str, name: str | None) -> None:
    names, shown_for = looked_for(stores[0], typed)
    assert names and shown_for
    assert name is None or names[0].startswith(name)


@pytest.mark.parametrize("typed", ["carefo", "boulagn", "interma", "intermahr", "phramac"])
def test_a_mistake_is_forgiven_while_the_word_is_still_being_typed(stores: Any, typed: str) -> None:
    assert looked_for(stores[0], typed)[0]


@pytest.mark.parametrize("typed", ["carrefour", "epicerie", "25001", "st etienne", "U", "système u"])
def test_what_is_right_is_left_alone(stores: Any, typed: str) -> None:
    names, shown_for = looked_for(stores[0], typed)
    assert names and not shown_for


@pytest.mark.parametrize("typed", ["25009x", "75099", "lid1", "2500l", "zqw", "xyzt", "caf"])
def test_numbers_and_short_words_are_never_corrected(stores: Any, typed: str) -> None:
    assert looked_for(stores[0], typed) == ([], "")


def test_exactly_what_was_typed_can_be_asked_for(stores: Any) -> None:
    assert looked_for(stores[0], "carefour", exact=True) == ([], "")


def test_a_store_that_is_called_like_the_mistake_is_found_as_itself(stores: Any) -> None:
    db, world = stores
    row = {"id": new_id(NOW), "name": "Chez Frnaprix", "sector_id": world.sector, "zone": "Europe/Paris",
           "state": "active"}  # fmt: skip
    assert looked_for(db, "frnaprix")[1] == "franprix"
    db.write(lambda tx: tx.conn.execute(insert(T.outlet).values(**row)), actor=world.rep, now=NOW).result()
    assert looked_for(db, "frnaprix") == (["Chez Frnaprix"], "")
    gone = update(T.outlet).where(T.outlet.c.id == row["id"]).values(name="Chez Nous")
    db.write(lambda tx: tx.conn.execute(gone), actor=world.rep, now=NOW).result()
    assert looked_for(db, "frnaprix")[1] == "franprix"


def test_filters_that_let_nothing_through_are_no_mistake_of_the_text(stores: Any) -> None:
    with stores[0].read() as r:
        closed = Filters(MIDNIGHT, states=frozenset({"closed"}))
        found = search.search(r, Asked("carrefour", closed))
        assert not len(found.rids) and not found.shown_for


def test_of_two_words_equally_near_the_more_frequent_is_meant() -> None:
    known = Vocabulary(["carafour", "carefous", "carrefour"], [1, 1, 900])
    assert known.corrections("carefour")[0] == "carrefour"
    assert meant(["carefour", "lyon"], Vocabulary(["carrefour", "lyon"], [9, 9]))[0] == ["carrefour", "lyon"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=14), max_size=5), st.lists(st.text(min_size=1, max_size=12), max_size=12))
def test_no_words_are_ever_an_error(words: list[str], vocabulary: list[str]) -> None:
    known = Vocabulary(sorted(set(vocabulary)), [1] * len(set(vocabulary)))
    for reading in meant(words, known):
        assert reading and all(isinstance(word, str) for word in reading)


def test_a_new_word_is_corrected_to_once_lists_are_made_ready(tmp_path: Path, db: Database, world: World) -> None:
    assert looked_for(db, "zanzibra")[0] == []
    name = update(T.outlet).where(T.outlet.c.id == world.outlets[0]).values(name="Zanzibar")
    db.write(lambda tx: tx.conn.execute(name), actor=world.rep, now=NOW).result()
    with db.read() as r:
        search.prepare(r)
    assert looked_for(db, "zanzibra") == (["Zanzibar"], "zanzibar")
