"""Reading the outlets of an extract: the real ones of Helsinki and Malta, and files that are not what they say."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from pathlib import Path

import osmium
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldcrm import resources
from fieldcrm.domain.catalogue import STORE_TYPES
from fieldcrm.domain.errors import DomainError
from fieldcrm.geo.osm import collect_outlets, load_trades, read_outlets

HELSINKI = resources.path("demo/helsinki.osm.pbf")
DATA = Path(os.environ.get("FIELDCRM_DATA", Path(__file__).resolve().parents[2].parent / "shared" / "data"))
MALTA = DATA / "osm" / "malta-2018-08-27.osm.pbf"


def write_extract(path: Path, *nodes: osmium.osm.mutable.Node) -> Path:
    with osmium.SimpleWriter(str(path)) as writer:
        for node in nodes:
            writer.add_node(node)
    return path


def node(id: int, place: tuple[float, float] | None, **tags: str) -> osmium.osm.mutable.Node:
    return osmium.osm.mutable.Node(id=id, location=place, tags=tags, version=1)


def test_helsinki_gives_its_shops_and_cafes_with_addresses_and_hours() -> None:
    outlets, skipped = collect_outlets(HELSINKI)
    assert len(outlets) > 480
    assert len({o.reference for o in outlets}) == len(outlets)
    assert {o.store_type for o in outlets} <= set(STORE_TYPES)
    assert all(o.name for o in outlets)
    assert all(601_000_000 < o.lat_e7 < 602_500_000 and 249_000_000 < o.lon_e7 < 250_000_000 for o in outlets)
    assert sum(bool(o.opening_hours) for o in outlets) > 200
    assert any(o.reference.startswith("way/") for o in outlets)
    assert skipped["no_name"] > 0


def test_progress_is_told_and_ends_with_what_was_found() -> None:
    told: list[tuple[int, int]] = []
    outlets = list(read_outlets(HELSINKI, on_progress=lambda objects, found: told.append((objects, found))))
    assert told[-1][1] == len(outlets)


@pytest.mark.skipif(not MALTA.is_file(), reason="osm/malta-2018-08-27.osm.pbf is not in FIELDCRM_DATA")
def test_a_whole_country_is_read() -> None:
    outlets, _ = collect_outlets(MALTA)
    assert len(outlets) > 1200
    assert Counter(o.store_type for o in outlets)["convenience"] > 80


def test_outlets_without_a_place_or_outside_the_world_are_skipped_and_counted(tmp_path: Path) -> None:
    file = write_extract(
        tmp_path / "odd.osm.pbf",
        node(1, (24.9, 60.1), shop="convenience", name="Here"),
        node(2, None, shop="convenience", name="Nowhere"),
        node(3, (24.9, 91.5), shop="convenience", name="Beyond the pole"),
        node(4, (24.9, 60.2), shop="convenience"),
        node(5, (24.9, 60.3), shop="vacant", name="Empty"),
    )
    skipped: Counter[str] = Counter()
    assert [o.name for o in read_outlets(file, skipped=skipped)] == ["Here"]
    assert skipped == {"no_position": 1, "outside_world": 1, "no_name": 1}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "osm_file_empty"),
        (b"<osm version='0.6'/>", "osm_file_not_pbf"),
        (b"PK\x03\x04 a spreadsheet", "osm_file_not_pbf"),
        (HELSINKI.read_bytes()[:300_000], "osm_file_damaged"),
        (HELSINKI.read_bytes()[:40], "osm_file_damaged"),
    ],
)
def test_a_file_that_is_not_a_whole_extract_is_refused_with_its_reason(
    tmp_path: Path, content: bytes, code: str
) -> None:
    file = tmp_path / "region.osm.pbf"
    file.write_bytes(content)
    with pytest.raises(DomainError) as refused:
        collect_outlets(file)
    assert refused.value.code == code
    assert refused.value.params["file"] == "region.osm.pbf"


def test_a_missing_file_and_a_file_without_outlets_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="osm_file_missing"):
        collect_outlets(tmp_path / "none.osm.pbf")
    with pytest.raises(DomainError, match="osm_file_no_outlets"):
        collect_outlets(write_extract(tmp_path / "tree.osm.pbf", node(1, (24.9, 60.1), natural="tree")))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 684_000), st.binary(min_size=1, max_size=200))
def test_garbage_in_the_middle_gives_outlets_or_a_clear_refusal_never_a_crash(at: int, garbage: bytes) -> None:
    content = bytearray(HELSINKI.read_bytes())
    content[at : at + len(garbage)] = garbage
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "garbled.osm.pbf"
        file.write_bytes(content)
        try:
            outlets, _ = collect_outlets(file)
        except DomainError as refused:
            assert refused.code.startswith("osm_file_")
        else:
            assert all(o.name for o in outlets)


def test_a_mapping_with_an_unknown_store_type_is_refused() -> None:
    with pytest.raises(DomainError, match="osm_trades_invalid"):
        load_trades('[shop]\nbakery = "bread"\n')
    with pytest.raises(DomainError, match="osm_trades_invalid"):
        load_trades("[shop\n")


def test_the_first_known_value_of_a_list_decides_and_never_wins_over_the_star() -> None:
    mapping = load_trades('[shop]\nbakery = "specialist"\n"*" = "other"\n[never]\nshop = ["vacant"]\n')
    assert mapping.store_type({"shop": "vacant;bakery"}) == "specialist"
    assert mapping.store_type({"shop": "shoes"}) == "other"
    assert mapping.store_type({"shop": "vacant"}) is None
    assert mapping.store_type({"highway": "bakery"}) is None
