"""Workbooks: what people's files hold is read, and what would take all memory is refused before it can."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path

import pytest

from fieldcrm.domain.errors import DomainError
from fieldcrm.exchange import sheets
from fieldcrm.exchange.opened import ODS, XLSX
from tests.exchange.files import HEADER, ROWS, lines, ods, opened, taken, workbook

NAMES = ["Épicerie du Marché", "Café Noël", "L’Œuf à la coque"]


def test_a_workbook_is_read_with_its_rows_as_a_person_counts(tmp_path: Path) -> None:
    found = opened(workbook(tmp_path / "a.xlsx", ROWS))
    assert (found.kind, found.sheets, found.rows, list(found.header)) == (XLSX, ("Feuil1",), 3, HEADER)
    assert [(line.row, line.values["name"]) for line in taken(found.path)] == list(enumerate(NAMES, 2))


def test_an_open_document_is_read(tmp_path: Path) -> None:
    found = opened(ods(tmp_path / "a.ods", ROWS))
    assert (found.kind, found.sheets) == (ODS, ("Liste",))
    assert [line.values["name"] for line in taken(found.path)] == NAMES


def test_numbers_that_a_spreadsheet_took_for_numbers_come_back_whole(tmp_path: Path) -> None:
    header = ["Nom", "Code postal", "Téléphone", "SIRET", "Surface", "Code"]
    path = workbook(tmp_path / "a.xlsx", [["Spar", 1000, 142000001, 39962626600387, 320.5, 12.0]], header)
    [line] = taken(path)
    assert {name: line.values[name] for name in ("postcode", "phone", "siret", "surface_m2")} == {
        "postcode": "01000", "phone": "0142000001", "siret": "39962626600387", "surface_m2": 320,
    }  # fmt: skip
    assert line.reference == "12"


def test_the_error_of_a_formula_is_left_out_and_said(tmp_path: Path) -> None:
    [line] = taken(workbook(tmp_path / "a.xlsx", [["Spar", "#REF!", "#N/A"]], ["Nom", "Ville", "Téléphone"]))
    assert [(one.column, one.code) for one in line.dropped] == [("Ville", "cell_formula_error")]
    assert "city" not in line.values


def test_dates_flags_and_numbers_are_shown_as_a_person_would_type_them() -> None:
    cells = [None, True, 3.0, 3.25, date(2026, 1, 2), "x"]
    assert [sheets.shown(cell) for cell in cells] == ["", "1", "3", "3.25", "2026-01-02", "x"]


def test_another_sheet_can_be_chosen_and_an_unknown_one_is_said(tmp_path: Path) -> None:
    import xlsxwriter

    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(str(path))
    book.add_worksheet("Vide")
    book.add_worksheet("Un").write_column(0, 0, ["Nom", "Spar"])
    book.add_worksheet("Deux").write_column(0, 0, ["Nom", "Vival"])
    book.close()
    assert opened(path).options.sheet == "Un"
    assert [line.values["name"] for line in taken(path, sheet="Deux")] == ["Vival"]
    for sheet, code in [("Trois", "sheet_unknown"), ("Vide", "sheet_empty")]:
        with pytest.raises(DomainError) as caught:
            opened(path, sheet=sheet)
        assert (caught.value.code, caught.value.params["sheet"]) == (code, sheet)


# ---- what is wrong ----------------------------------------


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_workbook_that_was_cut_is_refused(tmp_path: Path, share: float) -> None:
    path = workbook(tmp_path / "a.xlsx", ROWS * 50)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(DomainError) as caught:
        lines(path)
    assert caught.value.code == "file_damaged"


def test_an_empty_sheet_is_said(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [], [])
    with pytest.raises(DomainError) as caught:
        opened(path)
    assert caught.value.code in ("file_empty", "sheet_empty")


def _with_part(path: Path, name: str, content: bytes) -> Path:
    """The workbook with one part replaced."""
    with zipfile.ZipFile(path) as archive:
        parts = {one.filename: archive.read(one) for one in archive.infolist()}
    parts[name] = content
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, text in parts.items():
            archive.writestr(part, text)
    return path


SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        (b'<row r="10000000"><c r="A10000000" t="inlineStr"><is><t>x</t></is></c></row>', "sheet_too_long"),
        (b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
         "sheet_too_large"),
        (b"<row r='1'><c r='A1'><v>1</v></c></row><row r='1048576'><c r='XFD1048576'><v>1</v></c></row>",
         "sheet_too_large"),
        (b"<row>" + b"<c><v>1</v></c>" * 200 + b'</row><row r="1048000"><c><v>1</v></c></row>', "sheet_too_large"),
        (b'<row r="1"><c t="n" r="A1"><v>1</v></c></row><row r="900000"><c s="1" r="AAA900000"><v>1</v></c></row>',
         "sheet_too_large"),
    ],
)  # fmt: skip
def test_cells_far_out_are_refused_before_they_take_memory(tmp_path: Path, cells: bytes, code: str) -> None:
    path = _with_part(workbook(tmp_path / "a.xlsx", ROWS), "xl/worksheets/sheet1.xml", SHEET % cells)
    with pytest.raises(DomainError) as caught:
        opened(path)
    assert caught.value.code == code
    assert caught.value.params["rows"] > 800_000


@pytest.mark.parametrize(
    "extra",
    [
        '<table:table-row table:number-rows-repeated="9000000"><table:table-cell office:value-type="float" '
        'office:value="1"/></table:table-row>',
        '<table:table-row table:number-rows-repeated="900000"><table:table-cell office:value-type="float" '
        'office:value="1" table:number-columns-repeated="9000"/></table:table-row>',
        '<table:table-row><table:table-cell table:number-columns-repeated="16000000"/><table:table-cell '
        'office:value-type="float" office:value="1"/></table:table-row>',
        '<table:table-row table:number-rows-repeated="40000000"><table:table-cell/></table:table-row><table:table-row>'
        '<table:table-cell office:value-type="float" office:value="1"/></table:table-row>',
    ],
)
def test_repeated_cells_of_an_open_document_are_counted_before_they_take_memory(tmp_path: Path, extra: str) -> None:
    with pytest.raises(DomainError) as caught:
        opened(ods(tmp_path / "a.ods", ROWS, extra=extra))
    assert caught.value.code in ("sheet_too_long", "sheet_too_large")


def test_the_empty_rest_of_a_sheet_costs_nothing(tmp_path: Path) -> None:
    rest = (
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell '
        'table:number-columns-repeated="16384"/></table:table-row>'
    )
    assert len(taken(ods(tmp_path / "a.ods", ROWS, extra=rest))) == 3


def test_a_zip_bomb_is_refused_whatever_its_directory_claims(tmp_path: Path) -> None:
    path = _with_part(workbook(tmp_path / "a.xlsx", ROWS), "xl/sharedStrings.xml", b" " * 24_000_000)
    with pytest.raises(DomainError) as caught:
        opened(path)
    assert caught.value.code == "file_bomb"
    content = path.read_bytes()
    path.write_bytes(content.replace((24_000_000).to_bytes(4, "little"), (9_000).to_bytes(4, "little")))
    with pytest.raises(DomainError) as caught:
        opened(path)
    assert caught.value.code == "file_bomb"


def test_a_zip_of_something_else_is_told_to_be_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("StockEtablissement.csv", "siret;nom")
    with pytest.raises(DomainError) as caught:
        opened(path)
    assert caught.value.code == "file_zipped"


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_LINKS = "http://schemas.openxmlformats.org/package/2006/relationships"
_FAR = '<row r="1"><c r="A1" t="str"><v>name</v></c></row><row r="900000"><c r="XFD900000" t="str"><v>x</v></c></row>'


@pytest.mark.parametrize(
    ("part", "cells"),
    [
        ("elsewhere/one.xml", _FAR),
        ("worksheets/Sheet1.XML", _FAR),
        ("worksheets/sheet1.xml", _FAR.replace('<c r="XFD', '<c x=">" r="XFD').replace('<row r="9', '<row x=">" r="9')),
        ("worksheets/sheet1.xml", _FAR.replace('r="XFD900000"', 'r = "XFD900000"').replace('r="900000"', "")),
    ],
)
def test_a_cell_far_out_cannot_be_hidden_from_the_measure(tmp_path: Path, part: str, cells: str) -> None:
    """calamine would ask for half a terabyte, and end the program."""
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATED}"><sheets>'
                         '<sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>')  # fmt: skip
        archive.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_LINKS}"><Relationship Id="r1" '
                         f'Type="{_RELATED}/worksheet" Target="{part.lower()}"/></Relationships>')  # fmt: skip
        archive.writestr(f"xl/{part}", f'<worksheet xmlns="{_MAIN}"><sheetData>{cells}</sheetData></worksheet>')
    with pytest.raises(DomainError, match="sheet_too_large"):
        opened(path)


@pytest.mark.parametrize("times", ['="&#57;000000"', ' = "9000000"', '="+9000000"', '="00000000000009000000"'])
def test_a_row_repeated_beyond_measure_is_refused_however_it_is_written(tmp_path: Path, times: str) -> None:
    path = tmp_path / "a.ods"
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in
                      ("office", "table", "text"))  # fmt: skip
    row = (f'<table:table-row x=">" table:number-rows-repeated{times}><table:table-cell office:value-type="string">'
           "<text:p>x</text:p></table:table-cell></table:table-row>")  # fmt: skip
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", f"<office:document-content {spaces}><office:body><office:spreadsheet>"
                         f'<table:table table:name="S">{row}</table:table></office:spreadsheet></office:body>'
                         "</office:document-content>")  # fmt: skip
    with pytest.raises(DomainError, match="sheet_too_long"):
        opened(path)
