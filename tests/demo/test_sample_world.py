"""The sample data: invented but for the outlets, complete, the same each time, and with something to find in it."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from fieldcrm.demo.pictures import Shot, shelf_photo
from fieldcrm.demo.place import country_and_zone
from fieldcrm.demo.range import ean13_valid
from fieldcrm.demo.seed import Seeded, built_in_audit, demo_extract, seed_server
from fieldcrm.demo.world import SampleWorld
from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.submission import Shelf
from fieldcrm.forms import load_form, project
from fieldcrm.geo.osm import collect_outlets

NOW = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)


def seed(folder: Path) -> Seeded:
    return seed_server(folder, demo_extract(), NOW)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Seeded:
    return seed(tmp_path_factory.mktemp("server"))


@pytest.fixture(scope="module")
def world(seeded: Seeded) -> SampleWorld:
    return seeded.world


def test_every_row_has_the_fields_of_its_collection_and_all_that_are_required(world: SampleWorld) -> None:
    for collection, row in world.records.in_order():
        fields = CATALOGUE.by_name[collection].by_name
        assert row.keys() - {"id"} <= fields.keys(), collection
        assert [name for name, field in fields.items() if field.required and row.get(name) is None] == [], collection


def test_ids_are_unique_and_references_lead_somewhere(world: SampleWorld) -> None:
    rows = world.records.rows
    for collection in rows:
        assert len({row["id"] for row in rows[collection]}) == len(rows[collection]), collection
    outlets = {row["id"] for row in rows["outlet"]}
    visits = {row["id"] for row in rows["visit"]}
    assert all(row["outlet_id"] in outlets for row in rows["visit"])
    assert all(row["visit_id"] in visits for row in rows["submission"])


def test_the_same_seed_gives_the_same_history(world: SampleWorld, tmp_path: Path) -> None:
    again = seed(tmp_path).world

    def without_outlet_ids(one: SampleWorld) -> dict[str, list[dict[str, object]]]:
        """The server's import gives outlets ids of its own; everything else comes from the seed."""
        rows = one.records.rows
        kept = {name: rows[name] for name in rows if name not in ("outlet", "sector_assignment")}
        return {
            name: [{key: value for key, value in row.items() if key not in ("outlet_id", "lat_e7")} for row in found]
            for name, found in kept.items()
        }

    assert without_outlet_ids(again) == without_outlet_ids(world)
    assert again.photos.keys() == world.photos.keys()


def test_the_server_imported_every_outlet_of_the_extract_once(seeded: Seeded) -> None:
    assert seeded.outlets_imported == len(collect_outlets(demo_extract())[0])
    assert len(seeded.world.records.of("outlet")) == seeded.outlets_imported + 1  # and the one entered twice


def test_the_range_has_sixty_products_in_four_categories_with_valid_codes(world: SampleWorld) -> None:
    products = world.records.of("product")
    assert len(products) == 60
    assert len({row["category"] for row in products}) == 4
    assert all(ean13_valid(row["ean"]) for row in products)
    assert not ean13_valid("2000000000016")
    assert {row["own"] for row in products} == {True, False}


def test_every_type_of_store_lists_thirty_products_or_more(world: SampleWorld) -> None:
    listed = Counter(row["store_type"] for row in world.records.of("assortment"))
    assert min(listed.values()) >= 30


def test_reports_are_in_the_shape_of_the_audit(world: SampleWorld) -> None:
    form = load_form(built_in_audit().xform.encode())
    for submission in world.records.of("submission")[::40]:
        lines = project(form, submission["answers"])
        assert len(lines) >= 30
        assert all(line.facings and line.price_minor for line in lines if line.state is Shelf.PRESENT)


def test_thirteen_weeks_end_before_now(world: SampleWorld) -> None:
    started = [row["started_at"] for row in world.records.of("visit")]
    assert NOW - timedelta(weeks=13, days=1) <= min(started) <= NOW - timedelta(weeks=12)
    assert NOW - timedelta(days=4) <= max(started) < NOW


def test_two_promises_were_broken_and_one_is_due(world: SampleWorld) -> None:
    promises = [row for row in world.records.of("task") if row["kind"] == "promise"]
    assert [row["id"] for row in promises if row["state"] == "broken"] == list(world.oddities.broken_promises)
    assert len(world.oddities.broken_promises) == 2
    assert any(row["state"] == "open" and row["due"] < NOW.date() for row in promises)


def test_one_product_is_out_of_stock_again_and_again(world: SampleWorld) -> None:
    assert world.oddities.always_out
    outlet, product = world.oddities.always_out
    form = load_form(built_in_audit().xform.encode())
    states = [
        line.state
        for row in world.records.of("submission") if row["outlet_id"] == outlet
        for line in project(form, row["answers"]) if line.product_id == product
    ]  # fmt: skip
    assert len(states) >= 4
    assert states.count(Shelf.OOS) >= len(states) * 0.6


def test_one_outlet_was_entered_twice(world: SampleWorld) -> None:
    assert world.oddities.duplicate
    outlets = {row["id"]: row for row in world.records.of("outlet")}
    true, twin = (outlets[id] for id in world.oddities.duplicate)
    assert true["name"] != twin["name"]
    assert sorted(true["name"]) == sorted(twin["name"])


def test_three_reports_deserve_a_look(world: SampleWorld) -> None:
    submissions = {row["id"]: row for row in world.records.of("submission")}
    visits = {row["id"]: row for row in world.records.of("visit")}
    odd = {why: visits[submissions[id]["visit_id"]] for why, id in world.oddities.suspicious.items()}
    assert odd["short"]["ended_at"] - odd["short"]["started_at"] == timedelta(minutes=2)
    assert odd["far"]["distance_m"] > 2000
    photos = Counter(row["sha256"] for row in world.records.of("attachment"))
    assert [count for count in photos.values() if count > 1] == [2]


def test_one_store_changed_sector_on_a_dated_day(world: SampleWorld) -> None:
    moved = [r for r in world.records.of("sector_assignment") if r["outlet_id"] == world.territory.moved_outlet]
    assert len(moved) == 2
    assert moved[0]["valid_to"] + timedelta(days=1) == moved[1]["valid_from"]


def test_photos_of_the_history_are_those_that_the_attachments_name(world: SampleWorld) -> None:
    assert {row["sha256"] for row in world.records.of("attachment")} == world.photos.keys()
    assert all(hashlib.sha256(data).hexdigest() == digest for digest, data in world.photos.items())


def test_a_shelf_photo_has_twelve_megapixels_and_says_when_and_where() -> None:
    shot = Shot("Marché", NOW, "Europe/Helsinki", 601_641_739, 249_351_775)
    first, second = shelf_photo("one", shot), shelf_photo("two", shot)
    assert first != second
    image = Image.open(io.BytesIO(first))
    assert image.size == (4032, 3024)
    assert image.getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == "2026:11:20 08:00:00"
    degrees, minutes, seconds = image.getexif().get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude]
    assert float(degrees + minutes / 60 + seconds / 3600) == pytest.approx(60.1641739, abs=1e-5)


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        (60.17, 24.94, ("FI", "Europe/Helsinki")),
        (35.9, 14.45, ("MT", "Europe/Malta")),
        (-33.9, 151.2, ("AU", "Australia/Sydney")),
    ],
)
def test_the_zone_of_a_region_is_that_of_the_nearest_place(
    latitude: float, longitude: float, expected: tuple[str, str]
) -> None:
    assert country_and_zone(latitude, longitude) == expected
