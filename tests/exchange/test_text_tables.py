"""Text tables as people have them: any delimiter and encoding; and what is wrong is said with its row."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldcrm.domain.errors import DomainError
from fieldcrm.exchange.mapping import LAMBERT93, MERCATOR, SWAPPED
from fieldcrm.exchange.opened import CSV
from tests.exchange.files import HEADER, ROWS, lines, opened, refused, taken, text_file

NAMES = ["Épicerie du Marché", "Café Noël", "L’Œuf à la coque"]


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"),
     ("utf-16-le", b""), ("cp1252", b""), ("mac-roman", b"")],
)  # fmt: skip
def test_every_delimiter_and_encoding_is_recognised(tmp_path: Path, delimiter: str, encoding: str, mark: bytes) -> None:
    path = text_file(tmp_path / "a.csv", delimiter=delimiter, encoding=encoding, mark=mark)
    found = opened(path)
    assert (found.kind, found.options.encoding, found.options.delimiter) == (CSV, encoding, delimiter)
    assert list(found.header) == HEADER
    assert [line.values["name"] for line in taken(path)] == NAMES


def test_latin_9_is_told_from_windows_by_its_words(tmp_path: Path) -> None:
    rows = [["1", "Le cœur de bœuf"], ["2", "Sœurs Lefèvre"]]
    path = text_file(tmp_path / "a.csv", rows, ["code", "nom"], encoding="iso8859-15")
    assert opened(path).options.encoding == "iso8859-15"
    assert [line.values["name"] for line in taken(path)] == ["Le cœur de bœuf", "Sœurs Lefèvre"]


def test_a_line_that_names_the_delimiter_is_obeyed_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("sep=|\nnom|ville\nSpar|Pau; Gers\nVival|Gap\n")
    assert [(line.row, line.values["name"]) for line in taken(path)] == [(3, "Spar"), (4, "Vival")]


def test_titles_above_the_header_are_passed_over_and_rows_keep_their_number(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Liste des clients;;\n;;\nCode;Nom;Ville\n1;Spar;Pau\n\n2;Vival;Gap\n")
    assert opened(path).options.header_row == 3
    assert [line.row for line in taken(path)] == [4, 6]


def test_a_file_without_a_header_gets_letters_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("101;Spar Pau;64000;05 59 00 00 01\n102;Vival Gap;05000;04 92 00 00 02\n")
    found = opened(path)
    assert found.header == ("A", "B", "C", "D")
    assert "header_missing" in [notice.code for notice in found.notices]
    assert [line.row for line in taken(path)] == [1, 2]


def test_quoted_cells_keep_their_delimiters_line_ends_and_quotes(tmp_path: Path) -> None:
    path = text_file(tmp_path / "a.csv", [["1", 'Chez "Jo"; bar', "a\nb"]], ["code", "nom", "distributeur"])
    [line] = taken(path)
    assert (line.values["name"], line.values["distributor"]) == ('Chez "Jo"; bar', "a b")


def test_duplicate_headers_are_told_apart_and_said(tmp_path: Path) -> None:
    path = text_file(tmp_path / "a.csv", [["Spar", "1", "2"]], ["Nom", "Code", "Code"])
    found = opened(path)
    assert found.header == ("Nom", "Code", "Code (2)")
    assert [notice.code for notice in found.notices] == ["headers_twice"]


# ---- coordinates ----------------------------------------


@pytest.mark.parametrize(
    ("lat", "lon", "system", "decimal"),
    [
        ("48.8600", "2.3400", "wgs84", "."), ("48,8600", "2,3400", "wgs84", ","), ("2.3400", "48.8600", SWAPPED, "."),
        ("6862420,72", "651577,05", LAMBERT93, ","), ("651577.05", "6862420.72", LAMBERT93, "."),
        ("6 862 420,72", "651 577,05", LAMBERT93, ","),
        ("48°51'36\"N", "2°20'24\"E", "wgs84", "."),
    ],
)  # fmt: skip
def test_coordinates_are_recognised_however_they_are_written(
    tmp_path: Path, lat: str, lon: str, system: str, decimal: str
) -> None:
    rows = [[str(number), f"Spar {number}", lat, lon] for number in range(5)]
    path = text_file(tmp_path / "a.csv", rows, ["code", "nom", "latitude", "longitude"])
    found = opened(path)
    assert (found.suggestion.coordinates, found.suggestion.decimal) == (system, decimal)
    for line in taken(path):
        assert line.values["lat_e7"] == pytest.approx(488_600_000, abs=3_000)
        assert line.values["lon_e7"] == pytest.approx(23_400_000, abs=3_000)


def test_web_mercator_is_recognised_where_lambert_cannot_be(tmp_path: Path) -> None:
    path = text_file(tmp_path / "a.csv", [["1", "K-Market", "8437994.9", "2776560.4"]] * 3, ["id", "name", "y", "x"])
    assert opened(path).suggestion.coordinates == MERCATOR
    assert taken(path)[0].values["lat_e7"] == pytest.approx(601_700_000, abs=100_000)


def test_a_position_in_one_cell_is_read(tmp_path: Path) -> None:
    rows = [["Spar", "48.86, 2.34"], ["Vival", "POINT (2.34 48.86)"], ["Proxi", "48,86 ; 2,34"], ["Lidl", ""]]
    path = text_file(tmp_path / "a.csv", rows, ["nom", "coordonnées gps"], delimiter="|")
    found = [(line.values.get("lat_e7"), line.values.get("lon_e7")) for line in taken(path)]
    assert found == [(488_600_000, 23_400_000)] * 3 + [(None, None)]


# ---- what is wrong ----------------------------------------


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"), (b"\r\n;;\r\n", "file_empty"), (b"nom;ville\r\n", "file_no_rows"),
        (bytes(range(256)) * 20, "file_not_table"), (b"%PDF-1.7 ...", "file_not_table"),
        (b"a;" * 2_000 + b"\n1\n", "file_too_many_columns"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_one_code(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(DomainError) as caught:
        opened(path)
    assert caught.value.code == code
    assert caught.value.params["file"] == "a.csv"


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(DomainError) as caught:
        opened(tmp_path / "no.csv")
    assert caught.value.code == "file_missing"


def test_a_quote_that_never_closes_is_said_with_its_row_and_column(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('nom;ville\nSpar;Pau\nVival;"Gap\nProxi;Ax\n')
    with pytest.raises(DomainError) as caught:
        lines(path)
    assert (caught.value.code, caught.value.params["row"], caught.value.params["column"]) == ("file_quote_open", 3, 2)


def test_a_cell_of_five_megabytes_is_said_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = "\n".join(f"Spar {number};Pau;x" for number in range(30_000))
    path.write_text("nom;ville;note\n" + rows + "\nVival;Gap;" + "y" * 5_000_000 + "\n")
    with pytest.raises(DomainError) as caught:
        lines(path)
    assert (caught.value.code, caught.value.params["row"]) == ("file_cell_too_long", 30_002)


def test_a_row_that_broke_off_is_refused_and_the_others_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("nom;ville;cp\nSpar;Pau;64000\nVival;Ga")
    assert [line.row for line in taken(path)] == [2]
    assert [(line.row, line.code) for line in refused(path)] == [(3, "row_broken_off")]


def test_a_row_with_too_many_cells_is_refused_because_its_values_are_shifted(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("nom;ville;cp\nSpar;Pau;64000\nVival;Gap;Hautes;05000\nProxi;Ax;09110;\n")
    assert [line.row for line in taken(path)] == [2, 4]
    assert [(line.row, line.code) for line in refused(path)] == [(3, "row_too_many_cells")]


def test_letters_that_are_not_of_the_encoding_cost_their_row_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    good = "".join(f"Épicerie {number};Orléans;45000\n" for number in range(60)).encode()
    path.write_bytes(b"nom;ville;cp\n" + good + b"Caf\xe9;Gap;05000\nSpar;N\xeemes;30000\n")
    assert [(line.row, line.column, line.code) for line in refused(path)] == [(62, "nom", "text_undecodable")]
    [spar] = [line for line in taken(path) if line.values["name"] == "Spar"]
    assert [(one.column, one.code) for one in spar.dropped] == [("ville", "text_undecodable")]


def test_the_wrong_wide_encoding_is_said_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    whole = "nom;ville\r\n" + "".join(f"Spar {n};Pau\r\n" for n in range(9))
    path.write_bytes(b"\xff\xfe" + whole.encode("utf-16-le") + b"\x00\xd8\x00")
    with pytest.raises(DomainError) as caught:
        lines(path)
    assert caught.value.code == "file_encoding_wrong"


def test_nulls_and_control_characters_become_blanks(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"nom;ville\nSpar\x00 City\x07;Pa\x1bu\n")
    [line] = taken(path)
    assert (line.values["name"], line.values["city"]) == ("Spar  City", "Pa u")


def test_rows_count_and_how_far_it_is(tmp_path: Path) -> None:
    path = text_file(tmp_path / "a.csv", ROWS * 10)
    found = opened(path)
    assert (found.rows, found.size) == (30, path.stat().st_size)
