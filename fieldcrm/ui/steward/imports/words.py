"""What an import speaks of, in words: kinds of files, fields a column may become, how sure a guess is."""

from __future__ import annotations

from collections.abc import Sequence

from fieldcrm.ui import labels
from fieldcrm.usecases.customfields import CustomField
from fieldcrm.usecases.feeds import CUSTOM, FIELDS, SPECIAL, Opened
from fieldcrm.words import language, number, size, tr, trn

SURE, LIKELY = 0.8, 0.55  # confidence of a guess
FORMATS = (
    ("CSV, TSV, TXT", "table-2"), ("Excel (XLSX, XLS), ODS", "file-spreadsheet"), ("GeoJSON, GeoPackage", "map"),
    ("OpenStreetMap (PBF)", "map-pinned"), ("SIRENE, BANCO", "building"),
)  # fmt: skip
SUFFIXES = ("csv", "tsv", "txt", "xlsx", "xlsm", "xls", "ods", "geojson", "json", "gpkg", "pbf", "zip", "gz")
LICENCES = ("ODbL-1.0", "Licence Ouverte 2.0 (Etalab)", "CC-BY-4.0", "CC0-1.0")


def kind_name(opened: Opened) -> str:
    return {
        "csv": tr("Text table (CSV)"), "xlsx": tr("Excel workbook"), "xls": tr("Excel workbook, old format"),
        "ods": tr("OpenDocument table"), "geojson": "GeoJSON", "gpkg": "GeoPackage",
        "osm": tr("OpenStreetMap extract"), "sirene": tr("SIRENE stock file"), "banco": tr("BANCO, commerce in OSM"),
    }.get(opened.kind, opened.kind)  # fmt: skip


def kind_icon(kind: str) -> str:
    return {
        "csv": "table-2", "xlsx": "file-spreadsheet", "xls": "file-spreadsheet", "ods": "file-spreadsheet",
        "geojson": "map", "gpkg": "map", "osm": "map-pinned", "sirene": "building", "banco": "building",
    }.get(kind, "file-text")  # fmt: skip


def about(opened: Opened) -> str:
    """``Text table (CSV) · 214 kB · 1,240 rows · 14 columns``."""
    parts = [kind_name(opened), size(opened.size)]
    if opened.rows is not None:
        parts.append(trn("{n} row", "{n} rows", opened.rows))
    if opened.header:
        parts.append(trn("{n} column", "{n} columns", len(opened.header)))
    return " · ".join(parts)


def delimiter_name(delimiter: str) -> str:
    return {
        ";": tr("Semicolon"), ",": tr("Comma"), "\t": tr("Tab"), "|": tr("Vertical bar"), ":": tr("Colon"),
    }.get(delimiter, delimiter)  # fmt: skip


def target_name(target: str, own: Sequence[CustomField] = ()) -> str:
    """What a column becomes, as it is offered."""
    if not target:
        return tr("Leave out")
    if target.startswith(CUSTOM):
        key = target[len(CUSTOM):]
        return next((field.name(language()) for field in own if field.key == key), key)
    special = {
        "reference": tr("Key of the source"), "lat": tr("Latitude (or Y)"), "lon": tr("Longitude (or X)"),
        "position": tr("Position in one cell"), "address": tr("Address in one line"),
        "sector": tr("Code of the sector"),
    }  # fmt: skip
    return special.get(target) or labels.field_name(target)


def groups(own: Sequence[CustomField]) -> list[tuple[str, list[str]]]:
    """The targets as they are offered: by what they are about."""
    where = ["address", "house_number", "street", "postcode", "city", "country", "position", "lat", "lon"]
    first = ["name", "banner", "group_name", "store_type", "reference", "siret"]
    contact = ["phone", "email", "website"]
    rest = [target for target in (*FIELDS, *SPECIAL) if target not in (*where, *first, *contact)]
    made = [
        (tr("What it is"), first), (tr("Where it is"), where), (tr("How to reach it"), contact),
        (tr("How it is visited"), rest),
    ]  # fmt: skip
    known = {*FIELDS, *SPECIAL}
    result = [(title, [target for target in targets if target in known]) for title, targets in made]
    if own:
        result.append((tr("Own fields"), [CUSTOM + field.key for field in own]))
    return result


def certainty(confidence: float, target: str, *, chosen: bool) -> tuple[str, str]:
    """How sure the guess is in words, and its tone; ``chosen``: a person said so."""
    if chosen:
        return tr("Your choice"), "accent"
    if not target:
        return tr("Left out"), "neutral"
    if confidence >= SURE:
        return tr("Sure"), "success"
    return (tr("Likely"), "accent") if confidence >= LIKELY else (tr("Please check"), "warning")


def count(value: int) -> str:
    return number(value)
