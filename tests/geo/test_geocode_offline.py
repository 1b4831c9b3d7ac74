"""The geocoder that needs no network: addresses of the sample are placed where they stand, and positions named."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcrm import resources
from fieldcrm.domain.placing import DOUBTFUL, PLACED, REFUSED, Address
from fieldcrm.geo.confidence import judge
from fieldcrm.geo.distance import great_circle_m
from fieldcrm.geo.geocode import REGION
from fieldcrm.geo.geocode_offline import RegionGeocoder
from fieldcrm.geo.osm import collect_outlets

PACK = resources.path("demo/helsinki.mbtiles")
NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def region() -> RegionGeocoder:
    return RegionGeocoder([PACK])


def test_most_outlets_of_the_sample_are_placed_by_their_address_alone_and_where_they_stand(
    region: RegionGeocoder,
) -> None:
    found, _ = collect_outlets(resources.path("demo/helsinki.osm.pbf"))
    placed = off = 0
    for outlet in (one for one in found if one.street and one.house_number):
        asked = Address(outlet.house_number, outlet.street, outlet.postcode, outlet.city or "Helsinki", "FI")
        made = judge(asked, region.search(asked), REGION, NOW)
        if made.state == PLACED and made.found is not None:
            placed += 1
            there = made.found.lat_e7 / 1e7, made.found.lon_e7 / 1e7
            off += great_circle_m((outlet.lat_e7 / 1e7, outlet.lon_e7 / 1e7), there) > 250
    assert placed > 200 and off / placed < 0.02


def test_a_house_that_the_map_does_not_know_is_doubtful_and_a_street_it_does_not_know_is_refused(
    region: RegionGeocoder,
) -> None:
    unknown = Address("9998", "Mannerheimintie", "00100", "Helsinki", "FI")
    assert judge(unknown, region.search(unknown), REGION, NOW).state == DOUBTFUL
    nowhere = Address("1", "rue de la Paix", "00100", "Helsinki", "FI")
    assert judge(nowhere, region.search(nowhere), REGION, NOW).state == REFUSED


def test_a_position_gets_the_address_of_the_nearest_house(region: RegionGeocoder) -> None:
    [first, *_] = region.reverse(60.1675939, 24.9413605)
    assert (first.address.street, first.address.house_number) == ("Mannerheimintie", "10")
    assert region.reverse(0.0, 0.0) == ()


def test_packs_without_streets_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "old.mbtiles").write_bytes(b"")
    none = RegionGeocoder([tmp_path / "old.mbtiles", tmp_path / "gone.mbtiles"])
    assert none.empty and none.search(Address("1", "rue", "", "x", "FR")) == () == none.reverse(1, 1)


@given(st.text(max_size=60), st.text(max_size=30), st.text(max_size=10))
def test_any_address_may_be_asked_for(street: str, city: str, number: str) -> None:
    region = RegionGeocoder([PACK])
    assert len(region.search(Address(number, street, "", city, "FI"))) <= 3
    region.close()
