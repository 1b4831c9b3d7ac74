"""Any list as a file: in its order, whole or not at all, nothing in it runs, and what goes out comes in again."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import gpxpy
import pytest
import vobject
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from fieldcrm.domain.contact import ContactDetails
from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.domain.intake import Incoming
from fieldcrm.exchange.tables import csv_table, xlsx_table
from fieldcrm.store.database import Database
from fieldcrm.store.tables import T
from fieldcrm.ui.outlets.export import field_title
from fieldcrm.usecases import contacts, export_outlets, feeds, merging, outlets
from fieldcrm.usecases.export_outlets import EVERY_FIELD, Format, Saved, Shown
from fieldcrm.words import set_language

HOSTILE = '=HYPERLINK("http://x")'
FILLED = {
    "group_name": "Groupe Halles", "phone": "01 42 00 00 01", "email": "halles@magasin.example", "city": "Paris",
    "website": "https://halles.example", "opening_hours": "Mo-Sa 08:00-20:00", "siret": "39962626600387",
    "preferred_slots": "Tu 09:00-11:00", "surface_m2": 320, "visit_minutes": 25, "note": "a\nb", "banner": HOSTILE,
    "distributor": "France Boissons", "country": "FR", "segment": "a", "visit_interval_days": 28,
}  # fmt: skip


@pytest.fixture
def rids(db: Database, world: Any, now: datetime) -> list[int]:
    """The list in an order of its own; the first store holds every field, and somebody works there."""

    def fill(tx: Any) -> None:
        outlets.edit_outlet(tx, world.outlets[0], FILLED)
        marie = ContactDetails("Marie Le Goff", "Gérante", "06 00 00 00 01", "m@g.fr", preferred=True)
        contacts.add_contact(tx, world.outlets[0], marie)

    db.write(fill, actor=world.manager, now=now).result()
    with db.read() as r:
        found = dict(r.conn.execute(select(T.outlet.c.id, T.outlet.c.rid)).all())
    return [found[id_] for id_ in (world.outlets[0], *reversed(world.outlets[1:]))]


@pytest.fixture
def export(db: Database, rids: list[int], tmp_path: Path) -> Callable[..., tuple[Path, Saved]]:
    def run(format: Format, **more: Any) -> tuple[Path, Saved]:
        def ask(work: Any) -> Any:
            with db.read() as r:
                return work(r)

        path = tmp_path / f"list{format.suffix}"
        titles = {name: field_title(name) for name in EVERY_FIELD}
        more.setdefault("separator", ";")
        return path, export_outlets.export_outlets(ask, rids, path, format, title="outlets", titles=titles, **more)

    return run


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("format", [Format.CSV, Format.XLSX])
def test_what_goes_out_comes_in_again(
    export: Callable[..., Any], db: Database, world: Any, format: Format, language: str
) -> None:
    set_language(language)
    path, saved = export(format, separator=";" if language == "fr" else ",")
    titles = [field_title(name) for name in EVERY_FIELD]
    set_language("en")
    assert saved == Saved(5)
    opened = feeds.open_file(path)
    assert list(opened.header) == titles
    # Every title of ours is known in both languages; remarks go out, and do not come in.
    assert opened.suggestion.targets == tuple("" if name == "note" else name for name in EVERY_FIELD)
    found = list(feeds.feed(opened, opened.suggestion, zone="Europe/Paris", country="FR").lines())
    assert all(isinstance(line, Incoming) and not line.dropped for line in found)
    with db.read() as r:
        for line, id_ in zip(found, (world.outlets[0], *reversed(world.outlets[1:])), strict=True):
            kept = outlets.read(r, id_)
            assert line.reference == id_.hex
            for name in {"name", *FILLED, "lat_e7", "lon_e7", "state", "store_type"} - {"note"}:
                assert line.values.get(name) == (getattr(kept, name) or None), name


def test_no_cell_of_a_workbook_is_a_formula_or_a_link(export: Callable[..., Any]) -> None:
    path, _ = export(Format.XLSX)
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        styles = archive.read("xl/styles.xml").decode()
    assert "<f>" not in sheet
    assert "<hyperlink" not in sheet
    assert 'quotePrefix="1"' in styles  # and it stays text when somebody edits the cell
    cells = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    assert any(HOSTILE in row for row in cells)


def test_no_cell_of_a_csv_begins_a_formula(export: Callable[..., Any]) -> None:
    path, _ = export(Format.CSV)
    table = list(csv.reader(path.read_text("utf-8-sig").splitlines(), delimiter=";"))
    assert any("'" + HOSTILE in row for row in table)
    assert not any(cell.startswith(("=", "@", "+")) for row in table for cell in row)


def test_geojson_keeps_places_and_fields(export: Callable[..., Any]) -> None:
    path, saved = export(Format.GEOJSON)
    features = json.loads(path.read_text("utf-8"))["features"]
    assert saved == Saved(5) and len(features) == 5
    assert features[0]["geometry"] == {"type": "Point", "coordinates": [2.346, 48.861]}
    assert features[0]["properties"]["siret"] == "39962626600387"
    assert [one["geometry"] is None for one in features].count(True) == 1
    assert len(list(feeds.feed(feeds.open_file(path), feeds.open_file(path).suggestion, zone="UTC").lines())) == 5


def test_gpx_holds_the_stores_that_have_a_place_and_counts_the_others(export: Callable[..., Any]) -> None:
    path, saved = export(Format.GPX)
    points = gpxpy.parse(path.read_text("utf-8")).waypoints
    assert saved == Saved(4, without_position=1)
    assert (points[0].latitude, points[0].longitude, points[0].name) == (48.861, 2.346, "Épicerie des Halles")
    assert points[0].description.splitlines()[1:] == ["01 42 00 00 01", "Mo-Sa 08:00-20:00"]


def test_vcards_hold_the_stores_and_the_people_there(export: Callable[..., Any]) -> None:
    path, saved = export(Format.VCARD)
    cards = list(vobject.readComponents(path.read_text("utf-8")))
    assert saved == Saved(5, cards=2)
    assert (cards[0].fn.value, cards[0].tel.value, cards[0].adr.value.code) == (
        "Épicerie des Halles", "01 42 00 00 01", "75001",
    )  # fmt: skip
    assert (cards[1].fn.value, cards[1].n.value.family, cards[1].n.value.given, cards[1].title.value) == (
        "Marie Le Goff", "Goff", "Marie Le", "Gérante",
    )  # fmt: skip
    assert cards[1].org.value == ["Épicerie des Halles"]


def test_the_people_of_a_merged_outlet_are_among_those_of_the_one_that_stays(
    db: Database, world: Any, now: datetime, rids: list[int], tmp_path: Path
) -> None:
    def cards() -> list[str]:
        with db.read() as r:
            listed = outlets.find(r, "", outlets.Filters(now, states=frozenset()))
            saved = export_outlets.export_outlets(
                lambda work: work(r), listed, tmp_path / "people.vcf", Format.VCARD, separator=";", title="", titles={})
        assert (saved.outlets, saved.cards) == (len(listed), 2)
        found = vobject.readComponents((tmp_path / "people.vcf").read_text("utf-8"))
        return [card.org.value[0] for card in found if card.org.value[0] != card.fn.value]

    assert cards() == ["Épicerie des Halles"] * 2
    keep, lose = world.outlets[1], world.outlets[0]
    db.write(lambda tx: merging.merge(tx, keep, lose, ()), actor=world.manager, now=now).result()
    assert cards() == ["Superette du Marché"] * 2


@pytest.mark.parametrize("format", list(Format))
def test_an_export_that_is_stopped_leaves_no_file_and_keeps_the_one_before(
    export: Callable[..., Any], tmp_path: Path, now: datetime, format: Format
) -> None:
    path = tmp_path / f"list{format.suffix}"
    path.write_text("before")
    shown = Shown(["Name"], lambda row: [row.name], now)
    with pytest.raises(DomainError) as caught:
        export(format, shown=shown, stopped=lambda: True)
    assert caught.value.code == "export_stopped"
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir() if one.suffix == format.suffix] == [
        (path.name, "before")
    ]
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("format", [Format.CSV_SHOWN, Format.XLSX_SHOWN])
def test_the_columns_of_the_list_are_written_as_they_read_there_and_progress_ends_at_one(
    export: Callable[..., Any], now: datetime, format: Format
) -> None:
    told: list[float] = []
    shown = Shown(["Outlet", "Days"], lambda row: [row.name.upper(), row.visit_interval_days], now)
    path, saved = export(format, shown=shown, on_progress=told.append)
    assert (saved, told[-1]) == (Saved(5), 1.0)
    opened = feeds.open_file(path)
    assert opened.header == ("Outlet", "Days")
    assert opened.sample[0][0] == "ÉPICERIE DES HALLES"


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_folder_that_is_not_there_is_said(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "no" / f"a{suffix}"
    writing = csv_table(path, ["a"], separator=";") if suffix == ".csv" else xlsx_table(path, ["a"], title="t")
    with pytest.raises(Unavailable), writing as out:
        out.row(["x"])
    assert list(tmp_path.iterdir()) == []


def test_more_rows_than_excel_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fieldcrm.exchange.tables.SHEET_ROWS", 3)
    with pytest.raises(DomainError) as caught, xlsx_table(tmp_path / "a.xlsx", ["a"], title="t") as out:
        for number in range(5):
            out.row([number])
    assert caught.value.code == "export_too_many_rows"
    assert list(tmp_path.iterdir()) == []


def test_numbers_take_the_decimal_sign_of_the_table(tmp_path: Path) -> None:
    for separator, expected in ((";", "2,5;3"), (",", "2.5,3")):
        with csv_table(tmp_path / "a.csv", ["a", "b"], separator=separator) as out:
            out.row([2.5, 3.0])
        assert (tmp_path / "a.csv").read_text("utf-8-sig").splitlines()[1] == expected


def test_an_own_field_goes_out_under_its_key(db: Database, world: Any, rids: list[int], tmp_path: Path) -> None:
    from fieldcrm.store.exported import outlets_to_export

    with db.read() as r:
        one = replace(outlets_to_export(r, rids[:1])[0], custom={"frigos": 3, "drive": True})
    assert export_outlets._cell(one, "custom:frigos") == 3
    assert export_outlets._cell(one, "custom:drive") == 1
    assert export_outlets._cell(one, "custom:none") is None
