"""The street index of a pack: addresses find their house, abbreviations and accents forgiven; anything may be typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcrm import resources
from fieldcrm.domain.errors import DomainError
from fieldcrm.geo.osm import collect_outlets
from fieldcrm.geo.streets import Streets

PACK = resources.path("demo/helsinki.mbtiles")


def test_a_house_is_found_by_its_number_before_or_after_the_street() -> None:
    streets = Streets(PACK)
    after, before = streets.find("Mannerheimintie 10, Helsinki")[0], streets.find("10 mannerheimintie")[0]
    assert after == before and (after.precision, after.house_number, after.city) == ("address", "10", "Helsinki")
    street = streets.find("mannerheimintie 9999")[0]
    assert (street.precision, street.house_number) == ("street", "")
    streets.close()


def test_most_addresses_of_the_sample_outlets_are_found_where_the_outlets_stand() -> None:
    streets = Streets(PACK)
    found, _ = collect_outlets(resources.path("demo/helsinki.osm.pbf"))
    addressed = [one for one in found if one.street and one.house_number]
    near = 0
    for outlet in addressed:
        hits = streets.find(f"{outlet.house_number} {outlet.street} {outlet.city}")
        near += any(
            abs(hit.lat_e7 - outlet.lat_e7) < 20_000 and abs(hit.lon_e7 - outlet.lon_e7) < 40_000 for hit in hits[:1]
        )
    streets.close()
    assert len(addressed) > 200 and near / len(addressed) > 0.9


@given(st.text(max_size=80))
def test_anything_may_be_typed(text: str) -> None:
    streets = Streets(PACK)
    assert all(hit.street for hit in streets.find(text))
    streets.close()


def test_a_pack_without_streets_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.mbtiles").write_bytes(b"")
    with pytest.raises(DomainError, match="map_pack_no_streets"):
        Streets(tmp_path / "x.mbtiles")
