"""What is wrong with an outlet among its neighbours, and how complete it is."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcrm.domain.outlet import DEGREE
from fieldcrm.insights.outlet_quality import KINDS, WEIGHTS, Facts, Finding, Rules, check, completeness, missing_fields
from fieldcrm.insights.outlet_surroundings import Surroundings, Written, surroundings


def around() -> Surroundings:
    """Nantes and Lyon with forty outlets each, within some kilometres; a few of them of one enseigne."""
    written = [
        Written(round((lat + (at % 7 - 3) * 0.008) * DEGREE), round((lon + (at % 5 - 2) * 0.01) * DEGREE),
                "Rue du Port", postcode, city, "FR", "Carrefour City" if at % 8 == 0 else "")
        for city, postcode, lat, lon in (("Nantes", "44000", 47.218, -1.554), ("Lyon", "69003", 45.764, 4.836))
        for at in range(40)
    ]
    return surroundings(written, "FR")


def facts(**values: Any) -> Facts:
    whole: dict[str, Any] = {
        "name": "Épicerie du Port", "store_type": "convenience", "segment": "a", "house_number": "3",
        "street": "Rue du Port", "postcode": "44000", "city": "Nantes", "country": "FR",
        "lat_e7": 472_180_000, "lon_e7": -15_540_000, "phone": "02 40 12 34 56", "opening_hours": "Mo-Sa 08:00-20:00",
        "siret": "73282932000074", **values,
    }  # fmt: skip
    return Facts(**{name: whole.get(name) for name in Facts._fields})


def codes(found: list[Finding]) -> list[str]:
    return [one.code for one in found]


def test_an_outlet_that_is_right_gives_no_finding_and_is_complete() -> None:
    assert check(facts(), around(), Rules()) == []
    assert completeness(facts(), Rules()) [0] == 100


def test_what_is_missing_is_named_by_its_weight_and_a_siret_is_asked_for_in_france_alone() -> None:
    score, bits = completeness(facts(phone=None, siret=None), Rules())
    assert (score, missing_fields(bits, Rules())) == (75, ("phone", "siret"))
    score, bits = completeness(facts(phone=None, siret=None, country="BE"), Rules())
    assert (score, missing_fields(bits, Rules())) == (83, ("phone",))


def test_positions_are_judged_by_the_town_of_their_address() -> None:
    place = around()
    assert codes(check(facts(lat_e7=0, lon_e7=0), place, Rules())) == ["position_zero"]
    (turned,) = check(facts(lat_e7=-15_540_000, lon_e7=472_180_000), place, Rules())
    assert (turned.code, turned.suggestion, turned.safe) == ("position_swapped", "47.218000, -1.554000", True)
    assert codes(check(facts(lat_e7=600_000_000, lon_e7=250_000_000), place, Rules())) == ["position_outside"]
    assert codes(check(facts(lat_e7=457_640_000, lon_e7=48_360_000), place, Rules())) == ["position_far"]
    assert check(facts(lat_e7=472_400_000), place, Rules()) == []  # two kilometres: towns are large


def test_a_town_that_is_misspelt_and_a_postcode_of_elsewhere_are_found_by_the_neighbours() -> None:
    place = around()
    (city,) = check(facts(city="Nante"), place, Rules())
    assert (city.code, city.suggestion) == ("city_spelling", "Nantes")
    assert check(facts(city="NANTES".title()), place, Rules()) == []
    assert codes(check(facts(postcode="69003", city="Orvault"), place, Rules())) == ["postcode_elsewhere"]


def test_an_enseigne_is_known_from_the_base() -> None:
    (found,) = check(facts(name="CARREFOUR CITY GARE"), around(), Rules())[:1]
    assert (found.code, found.suggestion) == ("capitals", "Carrefour City Gare")
    (missing,) = check(facts(name="Carrefour City Gare"), around(), Rules())
    assert (missing.code, missing.suggestion) == ("banner_missing", "Carrefour City")
    assert check(facts(name="Carrefour City Gare", banner="Carrefour City"), around(), Rules()) == []


def test_outlets_of_many_streets_on_one_point_were_put_there_by_somebody() -> None:
    crowd = [Written(472_180_000, -15_540_000, f"Rue {at}", "44000", "Nantes", "FR", "") for at in range(6)]
    assert codes(check(facts(), surroundings(crowd, "FR"), Rules())) == ["position_shared"]


def test_impossible_values_and_hours_that_nobody_can_read_are_said() -> None:
    found = check(facts(surface_m2=0, visit_minutes=400, opening_hours="tous les jours"), Surroundings(), Rules())
    assert [(one.code, one.field) for one in found] == [
        ("hours_invalid", "opening_hours"), ("value_impossible", "surface_m2"), ("value_impossible", "visit_minutes")]


def test_a_house_may_have_a_name_instead_of_a_number_but_in_france() -> None:
    named = facts(house_number="Lindsey Court", country="MT", postcode="STJ 1881", city="St. Julians", siret=None,
                  phone=None, lat_e7=359_180_000, lon_e7=144_900_000)  # fmt: skip
    assert check(named, Surroundings(), Rules()) == []
    assert codes(check(facts(house_number="Galerie"), Surroundings(), Rules())) == ["value_impossible"]
    assert codes(check(facts(house_number="0", country="MT", postcode=None, siret=None, phone=None, lat_e7=None,
                             lon_e7=None), Surroundings(), Rules())) == ["value_impossible"]  # fmt: skip


def test_surroundings_survive_being_kept() -> None:
    place = around()
    again = Surroundings.of((kind, key, value) for kind, key, value in place.parts())
    assert (again.towns, again.postcodes, again.cells, again.banners) == (
        place.towns, place.postcodes, place.cells, place.banners)


def test_rules_take_what_is_known_and_leave_the_rest() -> None:
    rules = Rules.of({"confirm_days": 90, "visit_days": "soon", "weights": {"phone": 40, "nose": 3}, "alerts": True,
                      "incomplete_below": 500})
    assert (rules.confirm_days, rules.visit_days, rules.incomplete_below, rules.alerts) == (90, 365, 50, True)
    assert rules.weights == {**WEIGHTS, "phone": 40}
    assert Rules.of(rules.document()) == rules
    assert Rules.of("nonsense") == Rules()


TEXT = st.none() | st.text(max_size=25)
E7 = st.none() | st.integers(-1_800_000_000, 1_800_000_000)


@settings(max_examples=50, deadline=None)
@given(st.builds(
    Facts, st.text(min_size=1, max_size=25), TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, E7, E7, TEXT, TEXT, TEXT,
    TEXT, TEXT, st.none() | st.integers(-5, 10**9), st.none() | st.integers(0, 10**6),
))
def test_no_outlet_breaks_the_checks(outlet: Facts) -> None:
    place = around_once()
    found = check(outlet, place, Rules())
    assert {one.code for one in found} <= set(KINDS)
    assert len({(one.code, one.field) for one in found}) == len(found)
    assert 0 <= completeness(outlet, Rules())[0] <= 100


_KEPT: list[Surroundings] = []


def around_once() -> Surroundings:
    if not _KEPT:
        _KEPT.append(around())
    return _KEPT[0]
