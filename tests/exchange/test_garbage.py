"""Whatever a file holds, reading it ends with outlets, refused lines, or one error that has a sentence."""

from __future__ import annotations

import io
import sqlite3
import zipfile
from pathlib import Path

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldcrm.domain.errors import CodedError
from fieldcrm.exchange import databases, positions, reading
from fieldcrm.exchange.guess import guess
from fieldcrm.exchange.headers import find
from fieldcrm.ui.sentences import SENTENCES
from tests.exchange import files

QUICK = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read_all(path: Path) -> None:
    """Open, map as suggested, read to the end; errors must be coded, and known to the screens."""
    try:
        found = reading.open_file(path)
        if not found.suggestion.problems():
            for line in reading.feed(found, found.suggestion, zone="Europe/Paris", country="FR").lines():
                for code in [getattr(line, "code", None), *(one.code for one in getattr(line, "dropped", ()))]:
                    assert code is None or code in SENTENCES, code
    except CodedError as error:
        assert error.code in SENTENCES, error.code


@QUICK
@given(st.binary(max_size=600))
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    read_all(path)


@QUICK
@given(st.text(max_size=400), st.sampled_from(["utf-8", "utf-16", "cp1252", "mac-roman"]))
def test_any_text(tmp_path: Path, content: str, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(("nom;lat;lon;horaires\n" + content).encode(encoding, "replace"))
    read_all(path)


@QUICK
@given(st.text(max_size=300))
def test_any_features(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.geojson"
    path.write_text('{"type": "FeatureCollection", "features": [' + content, "utf-8", errors="replace")
    read_all(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["type", "geometry", "properties", "coordinates", "id", "geometries"]), inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@QUICK
@given(st.lists(JSON, max_size=4))
def test_any_json_for_features(tmp_path: Path, features: list[object]) -> None:
    read_all(files.geojson(tmp_path / "a.geojson", features))


@pytest.fixture(scope="module")
def whole() -> dict[str, bytes]:
    """A sound file of each packed kind, to be bent."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        return {
            "a.xlsx": files.workbook(at / "a.xlsx", files.ROWS).read_bytes(),
            "a.ods": files.ods(at / "a.ods", files.ROWS).read_bytes(),
            "a.gpkg": files.geopackage(at / "a.gpkg", [("Spar", shapely.Point(651577, 6862420))]).read_bytes(),
        }


@QUICK
@given(st.sampled_from(["a.xlsx", "a.ods", "a.gpkg"]), st.data())
def test_any_bent_file(tmp_path: Path, whole: dict[str, bytes], name: str, data: st.DataObject) -> None:
    content = bytearray(whole[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(1, 6))] = data.draw(st.binary(max_size=6))
    path = tmp_path / name
    path.write_bytes(bytes(content))
    read_all(path)


@QUICK
@given(st.text(max_size=200))
def test_any_sheet_within_a_sound_workbook(tmp_path: Path, whole: dict[str, bytes], content: str) -> None:
    path = tmp_path / "a.xlsx"
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole["a.xlsx"])) as source, zipfile.ZipFile(made, "w") as target:
        for part in source.infolist():
            text = source.read(part)
            if part.filename.endswith("sheet1.xml"):
                text = text[: len(text) // 2] + content.encode("utf-8", "replace") + text[len(text) // 2 :]
            target.writestr(part.filename, text)
    path.write_bytes(made.getvalue())
    read_all(path)


@given(st.binary(max_size=80), st.sampled_from([4326, 2154, 3857, 999_999]))
def test_any_geometry(blob: bytes, epsg: int) -> None:
    for content in (blob, b"GP\x00\x01\x00\x00\x00\x00" + blob):
        lat, lon = databases.middle(content, epsg)
        assert isinstance(lat, str)
        assert isinstance(lon, str)


@given(st.text(max_size=40))
def test_any_coordinate(text: str) -> None:
    for reader in (positions.number, positions.pair):
        try:
            reader(text)
        except ValueError:
            continue


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.text(max_size=12), min_size=3, max_size=3), min_size=1, max_size=6))
def test_any_header_and_rows_are_guessed_at(rows: list[list[str]]) -> None:
    assert 0 <= find(rows) <= len(rows)
    found = guess(rows[0], rows[1:])
    assert len(found.targets) == len(found.confidence) == 3
    assert all(0 <= mark <= 1 for mark in found.confidence)


def test_a_hostile_schema_runs_nothing(tmp_path: Path) -> None:
    layer = 'p"; DROP TABLE x; --'
    path = files.geopackage(tmp_path / "a.gpkg", [("Spar", shapely.Point(2, 48))], epsg=4326, layer=layer)
    assert [line.values["name"] for line in files.taken(path)] == ["Spar"]
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM gpkg_contents").fetchone() == (1,)
    connection.close()
