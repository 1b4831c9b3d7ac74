"""Files of maps and registers: each becomes the same outlets, and a hostile one is refused with one sentence."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
import shapely

from fieldcrm import resources
from fieldcrm.domain.catalogue import STORE_TYPES
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.intake import Incoming
from fieldcrm.exchange import knownfiles, reading
from fieldcrm.exchange.feed import TableFeed
from fieldcrm.exchange.opened import BANCO, GEOJSON, GPKG, OSM, REGION, SIRENE, Options
from tests.exchange.files import feature, geojson, geopackage, lines, opened, refused, taken

PARIS = {"type": "Point", "coordinates": [2.34, 48.86]}
SQUARE = {"type": "Polygon", "coordinates": [[[2.34, 48.86], [2.36, 48.86], [2.36, 48.88], [2.34, 48.86]]]}


def feed_of(path: Path, **options: object) -> TableFeed:
    found = reading.open_file(path, Options(**options))  # type: ignore[arg-type]
    assert not found.needs_mapping
    return reading.feed(found, found.suggestion, zone="Europe/Paris", country="FR")


# ---- GeoJSON ----------------------------------------


def test_points_and_areas_become_outlets_at_their_middle(tmp_path: Path) -> None:
    path = geojson(tmp_path / "a.geojson", [feature("Spar", PARIS, shop="convenience"), feature("U", SQUARE)])
    found = opened(path)
    assert (found.kind, found.suggestion.coordinates) == (GEOJSON, "wgs84")
    first, second = taken(path)
    assert (first.reference, first.values["store_type"]) == ("f-Spar", "convenience")
    assert (first.values["lat_e7"], first.values["lon_e7"]) == (488_600_000, 23_400_000)
    assert (second.values["lat_e7"], second.values["lon_e7"]) == (488_700_000, 23_500_000)


def test_a_feature_a_line_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text("\n".join(json.dumps(feature(f"Spar {n}", PARIS)) for n in range(3)))
    assert [line.values["name"] for line in taken(path)] == ["Spar 0", "Spar 1", "Spar 2"]


@pytest.mark.parametrize(
    ("place", "crs"),
    [
        ([48.86, 2.34], None), ([651577.05, 6862420.72], None),
        ([651577.05, 6862420.72], "urn:ogc:def:crs:EPSG::2154"), ([260487.61, 6251139.62], "EPSG:3857"),
    ],
)  # fmt: skip
def test_coordinates_that_are_swapped_or_projected_are_put_right(
    tmp_path: Path, place: list[float], crs: str | None
) -> None:
    more = {"crs": {"type": "name", "properties": {"name": crs}}} if crs else {}
    path = geojson(tmp_path / "a.geojson", [feature("S", {"type": "Point", "coordinates": place})] * 4, **more)
    assert taken(path)[0].values["lat_e7"] == pytest.approx(488_600_000, abs=2_000)


def test_a_geometry_that_is_none_or_broken_is_told_apart(tmp_path: Path) -> None:
    features = [
        feature("placed", PARIS), feature("without", None),
        feature("broken", {"type": "Point", "coordinates": ["x", 1]}),
    ]  # fmt: skip
    path = geojson(tmp_path / "a.geojson", features)
    assert [(line.values["name"], "lat_e7" in line.values) for line in taken(path)] == [
        ("placed", True), ("without", False),
    ]  # fmt: skip
    assert [(line.row, line.code) for line in refused(path)] == [(3, "position_malformed")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ('{"a": 1', "file_not_geojson"), ('{"type": "FeatureCollection", "features": []}', "file_no_rows"),
        ('{"features": [{"properties": {"name": "a"}}, {"properties": {"na', "feature_damaged"),
        ('{"features": [{"properties": {"name": "a"}}, 7]}', "feature_damaged"),
        ('{"features": [' + "[" * 100_000, "file_not_geojson"),
        ('{"features": [{"properties": {"name": "caf\xe9"}}]}', "file_encoding_wrong"),
    ],
)  # fmt: skip
def test_a_damaged_collection_is_said(tmp_path: Path, content: str, code: str) -> None:
    path = tmp_path / "a.geojson"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(DomainError) as caught:
        lines(path)
    assert caught.value.code == code


# ---- GeoPackage ----------------------------------------


def test_a_layer_is_read_in_whatever_projection(tmp_path: Path) -> None:
    path = geopackage(tmp_path / "a.gpkg", [("Spar", shapely.Point(651577.05, 6862420.72)), ("Nulle part", None)])
    found = opened(path)
    assert (found.kind, found.sheets, found.rows) == (GPKG, ("pdv",), 2)
    placed, without = taken(path)
    assert placed.values["lat_e7"] == pytest.approx(488_600_000, abs=200)
    assert placed.reference == "1"
    assert "lat_e7" not in without.values


@pytest.mark.parametrize("blob", [b"GP\x00\x01\x00\x00\x00\x00\xff", b"nonsense-of-bytes", b"GP"])
def test_a_broken_geometry_costs_its_row_alone(tmp_path: Path, blob: bytes) -> None:
    path = geopackage(tmp_path / "a.gpkg", [("Spar", shapely.Point(2.34, 48.86)), ("Bad", blob)], epsg=4326)
    assert [line.values["name"] for line in taken(path)] == ["Spar"]
    assert [(line.row, line.code) for line in refused(path)] == [(2, "position_malformed")]


def test_a_view_in_place_of_a_layer_is_not_read(tmp_path: Path) -> None:
    path = geopackage(tmp_path / "a.gpkg", [("Spar", shapely.Point(2, 48))], epsg=4326)
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE pdv")
        connection.execute(
            "CREATE VIEW pdv AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, i geom FROM n"
        )
    connection.close()
    with pytest.raises(DomainError) as caught:
        opened(path)
    assert caught.value.code == "layer_missing"


def test_a_damaged_or_foreign_database_is_said(tmp_path: Path) -> None:
    path = geopackage(tmp_path / "a.gpkg", [(f"Spar {n}", shapely.Point(2, 48)) for n in range(2_000)], epsg=4326)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DomainError) as caught:
        lines(path)
    assert caught.value.code == "file_damaged"
    other = tmp_path / "b.gpkg"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE t (a)")
    connection.close()
    with pytest.raises(DomainError) as caught:
        opened(other)
    assert caught.value.code == "file_not_table"


# ---- SIRENE, BANCO ----------------------------------------

STOCK = (
    "siren,nic,siret,statutDiffusionEtablissement,numeroVoieEtablissement,indiceRepetitionEtablissement,"
    "typeVoieEtablissement,libelleVoieEtablissement,codePostalEtablissement,libelleCommuneEtablissement,"
    "codeCommuneEtablissement,coordonneeLambertAbscisseEtablissement,coordonneeLambertOrdonneeEtablissement,"
    "etatAdministratifEtablissement,enseigne1Etablissement,denominationUsuelleEtablissement,"
    "activitePrincipaleEtablissement\n"
    "399626266,00387,39962626600387,O,12,B,AV,JEAN JAURES,75001,PARIS 1,75101,651577.05,6862420.72,A,"
    "CARREFOUR CITY,,47.11C\n"
    "399626266,00395,39962626600395,O,1,,RUE,X,75001,PARIS,75101,,,F,VIEUX SPAR,,47.11C\n"
    "399626266,00403,39962626600403,O,1,,RUE,X,75001,PARIS,75101,,,A,COIFFEUR,,96.02A\n"
    "399626266,00411,39962626600411,P,[ND],,,[ND],[ND],PARIS,75101,[ND],[ND],A,[ND],[ND],56.10A\n"
    "399626266,00429,39962626600429,O,5,,PL,DU MARCHE,97400,SAINT-DENIS,97411,338500.0,7690500.0,A,,"
    "BAR DU PORT,56.30Z\n"
)


def test_the_sirene_stock_is_read_by_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "StockEtablissement_utf8.csv"
    path.write_text(STOCK)
    assert opened(path).kind == SIRENE
    feed = feed_of(path)
    first, second = (line for line in feed.lines() if isinstance(line, Incoming))
    assert (feed.source, feed.licence, first.row, first.reference) == (
        "sirene", "Licence Ouverte 2.0 (Etalab)", 2, "39962626600387",
    )  # fmt: skip
    told = {name: first.values[name] for name in ("name", "banner", "store_type", "house_number", "street", "city")}
    assert told == {
        "name": "CARREFOUR CITY", "banner": "CARREFOUR CITY", "store_type": "convenience", "house_number": "12 bis",
        "street": "AVENUE JEAN JAURES", "city": "PARIS 1",
    }  # fmt: skip
    assert first.values["lat_e7"] == pytest.approx(488_600_000, abs=200)
    assert second.values["name"] == "BAR DU PORT"
    assert second.values["lat_e7"] == pytest.approx(-208_800_000, abs=1_000_000)  # La Réunion has its own projection
    assert feed.left_out() == {"closed": 1, "other_trade": 1, "no_name": 1}


def test_every_activity_of_the_list_has_a_store_type() -> None:
    text = resources.text("exchange/naf.toml")
    assert len(knownfiles.naf()) == text.count(" = ")
    assert set(knownfiles.naf().values()) <= set(STORE_TYPES)


@pytest.mark.parametrize(("x", "y"), [("2.34", "48.86"), ("651577.05", "6862420.72")])
def test_banco_is_read_by_its_columns_in_degrees_or_lambert(tmp_path: Path, x: str, y: str) -> None:
    path = tmp_path / "banco.csv"
    path.write_text(
        "X;Y;osm_id;type;name;brand;operator;wheelchair;opening_hours;level;siret;brand_wikidata;website;phone;email;"
        "facebook;address;com_insee;com_nom;last_update\n"
        f"{x};{y};n123;bakery;Le Pain;;;yes;Mo-Sa 08:00-20:00;;39962626600387;;;+33 1 42 00 00 00;;;12 rue de Rivoli;"
        "75101;Paris;2025-01-01\n"
        f"{x};{y};n124;hairdresser;Coupe;;;;;;;;;;;;;75101;Paris;\n"
    )
    assert opened(path).kind == BANCO
    feed = feed_of(path)
    [line] = [line for line in feed.lines() if isinstance(line, Incoming)]
    assert (line.reference, line.values["store_type"], line.values["street"]) == ("n123", "specialist", "rue de Rivoli")
    assert line.values["lat_e7"] == pytest.approx(488_600_000, abs=200)
    assert feed.left_out() == {"other_trade": 1}


# ---- OpenStreetMap, region packs ----------------------------------------

HELSINKI = resources.path("demo/helsinki.osm.pbf")


def test_an_extract_is_read_with_a_persons_own_list_of_trades(tmp_path: Path) -> None:
    assert opened(HELSINKI).kind == OSM
    trades = tmp_path / "trades.toml"
    trades.write_text('[amenity]\npharmacy = "pharmacy"\n')
    feed = feed_of(HELSINKI, trades=trades)
    found = list(feed.lines())
    assert found
    assert {line.values["store_type"] for line in found if isinstance(line, Incoming)} == {"pharmacy"}
    assert (feed.source, feed.licence, feed.position()) == ("osm", "ODbL-1.0", 1.0)
    trades.write_text("[amenity]\npharmacy = 'castle'\n")
    with pytest.raises(DomainError) as caught:
        opened(HELSINKI, trades=trades)
    assert caught.value.code == "osm_trades_invalid"


def test_an_extract_that_was_cut_is_said(tmp_path: Path) -> None:
    path = tmp_path / "cut.osm.pbf"
    path.write_bytes(HELSINKI.read_bytes()[:200_000])
    with pytest.raises(DomainError) as caught:
        lines(path)
    assert caught.value.code == "osm_file_damaged"


def test_the_outlets_of_a_region_pack_are_those_of_its_extract(tmp_path: Path) -> None:
    path = tmp_path / "pack.mbtiles"
    connection = sqlite3.connect(path)
    columns = "reference, name, brand, store_type, lat_e7, lon_e7, city"
    connection.execute("CREATE TABLE metadata (name, value)")
    connection.execute(f"CREATE TABLE outlets ({columns}, tags, PRIMARY KEY (reference)) WITHOUT ROWID")
    connection.execute(
        "INSERT INTO outlets VALUES ('node/1', 'Spar', 'Spar', 'convenience', 601234567, 249876543, 'Helsinki', '{}')"
    )
    connection.commit()
    connection.close()
    assert opened(path).kind == REGION
    [line] = [line for line in feed_of(path).lines() if isinstance(line, Incoming)]
    assert (line.reference, line.values["banner"], line.values["lat_e7"]) == ("node/1", "Spar", 601_234_567)
