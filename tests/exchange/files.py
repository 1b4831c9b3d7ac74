"""Small files of every kind, made for the tests."""

from __future__ import annotations

import json
import sqlite3
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

import shapely
import xlsxwriter

from fieldcrm.domain.intake import Incoming, Line, Refused
from fieldcrm.exchange import reading
from fieldcrm.exchange.mapping import ColumnMap
from fieldcrm.exchange.opened import Opened, Options

HEADER = ["Code", "Nom", "Adresse", "Code postal", "Ville", "Téléphone", "Latitude", "Longitude"]
ROWS = [
    ["S1", "Épicerie du Marché", "12 rue Émile Zola", "75001", "Paris", "01 42 00 00 01", "48.8600", "2.3400"],
    ["S2", "Café Noël", "3 place de l'Église", "69002", "Lyon", "04 78 00 00 02", "45.7600", "4.8300"],
    ["S3", "L’Œuf à la coque", "8 quai Perrache", "69002", "Lyon", "", "", ""],
]


def text_file(
    path: Path, rows: Sequence[Sequence[str]] = ROWS, header: Sequence[str] = HEADER, *, delimiter: str = ";",
    encoding: str = "utf-8", mark: bytes = b"",
) -> Path:  # fmt: skip
    lines = [delimiter.join(_quoted(cell, delimiter) for cell in row) for row in [header, *rows]]
    path.write_bytes(mark + ("\r\n".join(lines) + "\r\n").encode(encoding, "replace"))
    return path


def _quoted(cell: str, delimiter: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(c in cell for c in (delimiter, '"', "\n")) else cell


def workbook(
    path: Path, rows: Sequence[Sequence[object]], header: Sequence[str] = HEADER, sheet: str = "Feuil1"
) -> Path:
    book = xlsxwriter.Workbook(str(path))
    made = book.add_worksheet(sheet)
    for number, row in enumerate([header, *rows]):
        made.write_row(number, 0, row)
    book.close()
    return path


def ods(path: Path, rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER, extra: str = "") -> Path:
    def cell(text: str) -> str:
        plain = text.replace("&", "&amp;").replace("<", "&lt;")
        return f'<table:table-cell office:value-type="string"><text:p>{plain}</text:p></table:table-cell>'

    body = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in [header, *rows])
    names = {name: f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0" for name in ("office", "table", "text")}
    content = (
        "<office:document-content " + " ".join(f'xmlns:{short}="{name}"' for short, name in names.items()) + ">"
        f'<office:body><office:spreadsheet><table:table table:name="Liste">{body}{extra}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("content.xml", content)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
    return path


def geojson(path: Path, features: Sequence[object], **more: object) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", **more, "features": features}), "utf-8")
    return path


def feature(name: str, geometry: object, **properties: object) -> dict[str, object]:
    return {"type": "Feature", "id": f"f-{name}", "geometry": geometry, "properties": {"name": name, **properties}}


def geopackage(path: Path, places: Sequence[tuple[str, object]], epsg: int = 2154, layer: str = "pdv") -> Path:
    """``places``: a name and a shapely geometry, or the bytes of one."""
    connection = sqlite3.connect(path)
    connection.executescript(
        """CREATE TABLE gpkg_spatial_ref_sys(srs_name, srs_id INTEGER, organization, organization_coordsys_id INTEGER);
        CREATE TABLE gpkg_contents(table_name, data_type, identifier, srs_id);
        CREATE TABLE gpkg_geometry_columns(table_name, column_name, geometry_type_name, srs_id, z, m);"""
    )
    connection.execute("INSERT INTO gpkg_spatial_ref_sys VALUES ('x', ?, 'EPSG', ?)", (epsg, epsg))
    connection.execute("INSERT INTO gpkg_contents VALUES (?, 'features', ?, ?)", (layer, layer, epsg))
    connection.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'POINT', ?, 0, 0)", (layer, epsg))
    quoted = layer.replace(chr(34), chr(34) * 2)
    connection.execute(f'CREATE TABLE "{quoted}" (fid INTEGER PRIMARY KEY, geom BLOB, nom TEXT, ville TEXT)')
    for number, (name, place) in enumerate(places, 1):
        blob = place
        if isinstance(place, shapely.Geometry):
            blob = b"GP\x00\x01" + struct.pack("<i", epsg) + shapely.to_wkb(place)
        connection.execute(f'INSERT INTO "{quoted}" VALUES (?, ?, ?, ?)', (number, blob, name, "Paris"))
    connection.commit()
    connection.close()
    return path


def opened(path: Path, **options: object) -> Opened:
    return reading.open_file(path, Options(**options))  # type: ignore[arg-type]


def lines(path: Path, columns: ColumnMap | None = None, country: str = "FR", **options: object) -> list[Line]:
    """All that the file gives, by the suggested mapping."""
    found = opened(path, **options)
    return list(reading.feed(found, columns or found.suggestion, zone="Europe/Paris", country=country).lines())


def taken(path: Path, **options: object) -> list[Incoming]:
    return [line for line in lines(path, **options) if isinstance(line, Incoming)]  # type: ignore[arg-type]


def refused(path: Path, **options: object) -> list[Refused]:
    return [line for line in lines(path, **options) if isinstance(line, Refused)]  # type: ignore[arg-type]
