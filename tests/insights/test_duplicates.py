"""Whether two outlets are one: what speaks for it, what against, and what is no evidence at all."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcrm.insights import outlet_words
from fieldcrm.insights.duplicate_blocks import SHARED_BY, Columns, once
from fieldcrm.insights.duplicate_standing import LEVELS, standings
from fieldcrm.insights.duplicates import (
    EVIDENCE,
    Raw,
    Rules,
    compare,
    judge,
    metres_between,
    model,
    prepare,
    probability,
    reasons,
)

RULES = Rules.from_value(None)
HALLES = Raw(
    "Épicerie des Halles", "", "convenience", "12", "Rue Montorgueil", "75001", "Paris", "FR", "01 40 26 00 17",
    "contact@halles.example", "https://halles.example/", "40483304800022", 488_610_000, 23_460_000,
)  # fmt: skip
BARE = Raw(name="Épicerie des Halles", lat_e7=488_610_000, lon_e7=23_460_000)


def score(one: Raw, other: Raw, rules: Rules = RULES) -> float:
    a, b = prepare(one), prepare(other)
    return judge(compare(a, b, ignored_phones=rules.ignored_phones), metres_between(a, b), rules)


def levels(one: Raw, other: Raw) -> dict[str, str]:
    return compare(prepare(one), prepare(other))


def moved(raw: Raw, metres: float) -> Raw:
    assert raw.lat_e7 is not None
    return replace(raw, lat_e7=raw.lat_e7 + round(metres * 89.93))


SAME = [
    ("a letter wrong and capitals", replace(BARE, name="EPICERIE DES HALES")),
    ("another order of words, 40 m on", moved(replace(BARE, name="Halles, épicerie"), 40)),
    ("the same phone written with its country", replace(HALLES, name="Aux Halles", phone="+33 (0)1.40.26.00.17")),
    ("the street shortened", replace(HALLES, street="r. Montorgueil", name="Epicerie Halles", siret="", phone="")),
    ("another name at the same SIRET", moved(replace(HALLES, name="Proxi Montorgueil", banner="Proxi"), 90)),
]
OTHERS = [
    ("two branches of a chain with one telephone", Raw("Spar Gambetta", "Spar", "convenience", phone="0140260017",
     country="FR", lat_e7=488_610_000, lon_e7=23_460_000), Raw("Spar République", "Spar", "convenience",
     phone="0140260017", country="FR", lat_e7=488_618_000, lon_e7=23_460_000)),
    ("a petrol station and its shop", Raw("TotalEnergies Porte d'Italie", "TotalEnergies", "petrol", phone="0145001122",
     country="FR", lat_e7=488_610_000, lon_e7=23_460_000), Raw("Boutique Bonjour", "Bonjour", "convenience",
     phone="0145001122", country="FR", lat_e7=488_610_200, lon_e7=23_460_000)),
    ("two stores of a chain in one mall", Raw("Relay Niveau 1", "Relay", "kiosk", siret="40483304800022",
     lat_e7=488_610_000, lon_e7=23_460_000), Raw("Relay Gare", "Relay", "kiosk", siret="40483304800030",
     lat_e7=488_611_000, lon_e7=23_460_000)),
    ("a City and a Market of one group", Raw("Carrefour City Bercy", "Carrefour City", "convenience",
     lat_e7=488_610_000, lon_e7=23_460_000), Raw("Carrefour Market Bercy", "Carrefour Market", "supermarket",
     lat_e7=488_612_000, lon_e7=23_460_000)),
    ("a pharmacy and a bar of one name", Raw("Pharmacie Victoria", "", "pharmacy", lat_e7=488_610_000,
     lon_e7=23_460_000), Raw("Bar Victoria", "", "food_service", lat_e7=488_612_000, lon_e7=23_460_000)),
    ("neighbours with nothing in common", BARE, moved(replace(BARE, name="Boucherie Martin"), 12)),
]  # fmt: skip


@pytest.mark.parametrize(("what", "copy"), SAME, ids=[what for what, _ in SAME])
def test_one_outlet_told_by_two_sources_is_recognised(what: str, copy: Raw) -> None:
    assert score(HALLES, copy) > 0.8, levels(HALLES, copy)


@pytest.mark.parametrize(("what", "one", "other"), OTHERS, ids=[what for what, _, _ in OTHERS])
def test_two_outlets_that_resemble_each_other_are_two(what: str, one: Raw, other: Raw) -> None:
    assert score(one, other) < 0.5, levels(one, other)


NAMES = [
    ("Gagin SALR", "Ta Gagin", "food_service", "word_in_common"),  # a legal form with a slip in it says nothing
    ("Restaurant Terrone", "Terrone", "food_service", "same_plus_own_trade"),
    ("Terrone Stationery", "Terrone", "food_service", "same_plus_trade"),
    ("Restaurant Goose", "Dee Goose", "food_service", "word_in_common"),
    ("Inland Sea", "Inland Lounge", "food_service", "word_in_common_each_more"),
    ("Pavi Supermarket", "Pavi Terrace", "supermarket", "word_in_common_each_more"),
    ("RestaurantAnciova", "Anciova", "food_service", "run_together"),
    ("Mini Market Convenience", "Convenience", "convenience", "trade_within"),
    ("Point de Vue", "de vue", "food_service", "short_word"),
    ("Palazzo Piro", "Palazzo Mdina", "food_service", "one_word"),
]


@pytest.mark.parametrize(("one", "other", "trade", "level"), NAMES, ids=[f"{one}, {other}" for one, other, *_ in NAMES])
def test_names_are_compared_word_by_word(one: str, other: str, trade: str, level: str) -> None:
    assert levels(Raw(name=one, store_type=trade), Raw(name=other, store_type=trade))["name"] == level


def test_a_word_in_common_weighs_more_where_hardly_any_other_outlet_has_it() -> None:
    one, other = prepare(replace(BARE, name="Goose Corner")), prepare(replace(BARE, name="Goose"))
    frequent = compare(one, other)
    one.rare = other.rare = frozenset({"goose"})
    rare = compare(one, other)
    assert (frequent["name"], rare["name"]) == ("word_in_common", "word_in_common_rare")
    assert model().log_odds(rare) > model().log_odds(frequent)


def test_an_outlet_has_one_double_and_its_rivals_step_back() -> None:
    pairs = [(1, 2), (1, 3), (2, 3), (4, 5), (6, 7), (6, 8), (9, 10), (11, 12)]
    odds = [6.0, 2.0, 1.0, -1.0, 2.0, 1.8, -9.0, None]
    assert standings(pairs, odds) == ["clear", "beaten", "beaten", "alone", "even", "even", "", ""]
    again = standings([(other, one) for one, other in reversed(pairs)], odds[::-1])
    assert again == standings(pairs, odds)[::-1]
    weights = [model().standing[level] for level in LEVELS]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] > 0 > weights[-1]


def test_what_stands_beside_a_pair_is_one_of_its_reasons_with_its_weight() -> None:
    a, b = prepare(HALLES), prepare(moved(replace(HALLES, siret=""), 42))
    found, metres = compare(a, b), metres_between(a, b)
    assert judge(found, metres, RULES, "alone") > judge(found, metres, RULES) > judge(found, metres, RULES, "beaten")
    told = {one.code: one.strength for one in reasons(found, metres, RULES, "beaten")}
    assert told["standing.beaten"] == round(model().standing["beaten"], 2) < 0
    total = model().prior + sum(one.strength for one in reasons(found, metres, RULES, "beaten", least=0))
    assert judge(found, metres, RULES, "beaten") == pytest.approx(probability(total), abs=0.01)


def test_an_outlet_without_a_place_is_met_by_its_street_whatever_slip_is_in_its_name() -> None:
    columns = Columns()
    scotts = Raw("Scotts", street="Triq Amery", city="Sliema", lat_e7=359_000_000, lon_e7=145_000_000)
    for raw in (scotts, Raw("Scootts", street="Triq Amery", city="Sliema")):
        columns.add(prepare(raw))
    assert once([columns.keyed()]).tolist() == [[0, 1]]


def test_what_is_missing_is_no_evidence_either_way() -> None:
    for name in (field.name for field in fields(Raw)):
        if name in ("name", "lat_e7", "lon_e7", "country"):
            continue
        missing = replace(HALLES, **{name: ""})
        known = set(levels(HALLES, missing))
        assert known <= set(levels(HALLES, HALLES))
        assert levels(HALLES, missing).items() <= levels(HALLES, HALLES).items() | {("address", "same_street")}


def test_each_reason_is_named_with_its_weight_and_the_distance_in_metres() -> None:
    copy = moved(replace(HALLES, name="EPICERIE DES HALES", siret="40483304800030"), 42)
    a, b = prepare(HALLES), prepare(copy)
    found = reasons(compare(a, b), metres_between(a, b), RULES)
    by_code = {reason.code: reason for reason in found}
    assert by_code["name.close"].strength > 0 > by_code["siret.same_company"].strength
    assert by_code["distance.within_80"].params == {"metres": 42}
    assert [abs(one.strength) for one in found] == sorted((abs(one.strength) for one in found), reverse=True)


def test_rules_narrow_what_is_shown() -> None:
    far = moved(replace(HALLES, siret=""), 200)
    assert score(HALLES, far) > 0.5
    assert score(HALLES, far, replace(RULES, max_distance_m=150)) == 0
    assert score(HALLES, moved(HALLES, 200), replace(RULES, max_distance_m=150)) > 0.9  # the SIRET says enough
    plain = replace(HALLES, siret="", email="", website="", name="Chez Nous")
    assert score(plain, HALLES) > score(plain, HALLES, replace(RULES, ignored_phones=frozenset({"+33140260017"})))
    one, other = replace(HALLES, banner="Spar"), replace(HALLES, banner="Vival")
    assert score(one, other) > 0 == score(one, other, replace(RULES, same_enseigne=True))
    none = replace(RULES, evidence=frozenset())
    assert score(HALLES, HALLES, none) == score(HALLES, BARE, none)


def test_rules_survive_their_own_document_and_any_other() -> None:
    rules = Rules(0.9, 0.4, 120, frozenset({"name", "phone"}), True, frozenset({"+33140260017"}))
    assert Rules.from_value(rules.as_value()) == rules
    for garbage in (None, 7, "x", [], {"certain": "much", "look": True, "max_distance_m": -1, "evidence": 3}):
        assert Rules.from_value(garbage) == RULES


def test_every_weight_belongs_to_some_evidence_and_agreement_weighs_more_than_difference() -> None:
    weights = model().weights
    assert set(weights) == set(EVIDENCE)
    for evidence in ("name", "phone", "siret", "address", "web", "email", "enseigne"):
        against = [weight for level, weight in weights[evidence].items() if level.startswith(("differs", "other"))]
        assert weights[evidence]["same"] > 0 > max(against)


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("01 40 26 00 17", "FR", ("+33140260017",)),
        ("+33 (0)1.40.26.00.17", None, ("+33140260017",)),
        ("0033140260017", "FR", ("+33140260017",)),
        ("2122 3344", "MT", ("+35621223344",)),
        ("+356 21223344; 2133 4455", "MT", ("+35621223344", "+35621334455")),
        ("01 40 26 00 17", None, ("~0140260017",)),
        ("12", "FR", ()),
        ("no number", "FR", ()),
    ],
)
def test_telephones_are_read_into_one_form(text: str, country: str | None, expected: tuple[str, ...]) -> None:
    assert outlet_words.phones_of(text, country) == expected


def test_a_number_without_its_country_still_meets_itself() -> None:
    assert outlet_words.same_phone("+33140260017", "~0140260017")
    assert not outlet_words.same_phone("+33140260017", "+33240260017")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12 bis", {"12b"}), ("12B", {"12b"}), ("12-14", {"12", "14"}), ("bâtiment C", set()), ("", set())],
)
def test_house_numbers_are_compared_by_what_they_say(text: str, expected: set[str]) -> None:
    assert outlet_words.house_numbers(text) == expected


TEXT = st.text(max_size=40) | st.sampled_from(["Carrefour City", "St-Michel", "01 40 26 00 17", "//", "\0", "'", "12b"])
RAWS = st.builds(
    Raw, **{f.name: TEXT for f in fields(Raw) if f.name not in ("lat_e7", "lon_e7")},
    lat_e7=st.none() | st.integers(-900_000_000, 900_000_000),
    lon_e7=st.none() | st.integers(-1_800_000_000, 1_800_000_000),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(one=RAWS, other=RAWS)
def test_any_two_outlets_compare_the_same_both_ways_and_nothing_breaks_it(one: Raw, other: Raw) -> None:
    assert levels(one, other) == levels(other, one)
    assert 0 <= score(one, other) <= 1
    assert score(one, other) == score(other, one)
    for evidence, level in levels(one, other).items():
        assert level in model().weights[evidence]


@settings(max_examples=20, deadline=None)
@given(st.lists(RAWS, max_size=12))
def test_blocking_pairs_each_two_at_most_once_and_never_one_with_itself(raws: list[Raw]) -> None:
    columns = Columns()
    for raw in raws:
        columns.add(prepare(raw))
    found = once([columns.keyed(), *columns.nearby(300)])
    pairs = [tuple(pair) for pair in found.tolist()]
    assert len(set(pairs)) == len(pairs)
    assert all(0 <= one < other < len(raws) for one, other in pairs)


def test_blocking_finds_neighbours_across_the_lines_of_its_grid_and_keys_far_apart() -> None:
    pick = np.random.default_rng(3)
    raws = [
        replace(BARE, lat_e7=int(488_610_000 + dy), lon_e7=int(23_460_000 + dx))
        for dy, dx in pick.integers(-60_000, 60_000, (60, 2))
    ]
    raws += [replace(HALLES, lat_e7=None, lon_e7=None), moved(replace(HALLES, name="Tout autre chose"), 90_000)]
    ready = [prepare(raw) for raw in raws]
    columns = Columns()
    for one in ready:
        columns.add(one)
    near = {tuple(pair) for pair in once(columns.nearby(300)).tolist()}
    for a in range(60):
        for b in range(a + 1, 60):
            metres = metres_between(ready[a], ready[b])
            assert metres is not None
            assert ((a, b) in near) == (metres <= 300) or abs(metres - 300) < 1
    assert (60, 61) in {tuple(pair) for pair in columns.keyed().tolist()}


def test_a_number_that_many_share_pairs_nobody_by_itself() -> None:
    columns = Columns()
    for at in range(SHARED_BY):
        columns.add(prepare(Raw(name=f"Magasin {at}", phone="01 40 26 00 17", country="FR")))
    assert len(columns.keyed()) == 0
