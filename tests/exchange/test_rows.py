"""What a row becomes: the policy of refusing and dropping, and that the quick way is the careful one."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.intake import Incoming, Line, Refused
from fieldcrm.domain.outlet import checked
from fieldcrm.exchange import addresses, refusals, values
from fieldcrm.exchange.mapping import ColumnMap, signature
from fieldcrm.exchange.rows import RowReader

WIDE = (
    "reference", "name", "banner", "store_type", "house_number", "street", "postcode", "city", "phone", "email",
    "opening_hours", "siret", "lat", "lon",
)  # fmt: skip


def read(targets: tuple[str, ...], *rows: list[str], **more: Any) -> list[Line]:
    columns = ColumnMap(tuple(f"col {target}" for target in targets), targets, "test", **more)
    return list(RowReader(columns, zone="Europe/Paris", country="FR").lines(enumerate(rows, 2)))


def one(targets: tuple[str, ...], *cells: str, **more: Any) -> Incoming:
    [line] = read(targets, list(cells), **more)
    assert isinstance(line, Incoming)
    return line


# ---- the policy ----------------------------------------


@pytest.mark.parametrize(
    ("targets", "cells", "column", "code"),
    [
        (("name", "city"), ["", "Pau"], "col name", "outlet_name_missing"),
        (("name", "city"), ["x" * 201, "Pau"], "col name", "text_too_long"),
        (("name", "lat", "lon"), ["Spar", "98.1", "2.3"], "col lat", "position_outside_world"),
        (("name", "lat", "lon"), ["Spar", "north", "2.3"], "col lat", "position_malformed"),
        (("name", "lat", "lon"), ["Spar", "48.1", "east"], "col lon", "position_malformed"),
        (("name", "lat", "lon"), ["Spar", "48.1", ""], "col lon", "position_incomplete"),
        (("name", "lat", "lon"), ["Spar", "nan", "inf"], "col lat", "position_outside_world"),
        (("name", "position"), ["Spar", "somewhere"], "col position", "position_malformed"),
        (("name", "city"), ["Spar", "y" * 200_000], "col city", "cell_too_long"),
    ],
)
def test_a_row_is_refused_when_its_name_or_position_is_wrong(
    targets: tuple[str, ...], cells: list[str], column: str, code: str
) -> None:
    [line] = read(targets, cells)
    assert isinstance(line, Refused)
    assert (line.row, line.column, line.code) == (2, column, code)
    assert len(line.value) <= 80


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("phone", "call me", "phone_malformed"), ("email", "jo at spar", "email_malformed"),
        ("website", "no site", "website_malformed"), ("postcode", "750", "postcode_malformed"),
        ("siret", "123", "siret_malformed"), ("siret", "3,99626E+13", "siret_rounded"),
        ("opening_hours", "nine to five", "opening_hours_malformed"), ("store_type", "castle", "choice_unknown"),
        ("segment", "Z", "choice_unknown"), ("visit_minutes", "900", "number_out_of_range"),
        ("surface_m2", "large", "number_malformed"), ("banner", "x" * 300, "text_too_long"),
        ("city", "#VALUE!", "cell_formula_error"), ("street", "rue \udce9", "text_undecodable"),
    ],
)  # fmt: skip
def test_any_other_wrong_value_is_left_out_and_said(field: str, text: str, code: str) -> None:
    line = one(("name", field), "Spar Pau", text)
    assert field not in line.values
    assert [(dropped.column, dropped.code) for dropped in line.dropped] == [(f"col {field}", code)]
    assert line.values["name"] == "Spar Pau"


def test_empty_rows_are_passed_over_and_words_for_nothing_are_nothing() -> None:
    assert read(("name", "city"), ["", " "], [], ["", ""]) == []
    line = one(("name", "city", "phone"), "Spar", "NULL", "n/a")
    assert (set(line.values), line.dropped) == ({"zone", "country", "name"}, ())


def test_a_store_without_a_name_takes_its_banner() -> None:
    assert one(("name", "banner"), "", "Spar").values["name"] == "Spar"


def test_a_position_of_nought_and_nought_was_never_placed() -> None:
    assert "lat_e7" not in one(("name", "lat", "lon"), "Spar", "0", "0.0").values


def test_the_first_right_value_of_several_is_taken() -> None:
    line = one(("name", "phone", "email"), "Spar", "05 59 00 00 01 / 06 00 00 00 02", "a@b.fr; c@d.fr")
    assert (line.values["phone"], line.values["email"]) == ("05 59 00 00 01", "a@b.fr")


def test_words_are_translated_and_a_persons_own_words_go_first() -> None:
    words = {"store_type": {"pdv bleu": "kiosk"}, "state": {}}
    targets = ("name", "store_type", "state", "segment")
    line = one(targets, "Spar", "PDV bleu", "Fermé", "Gold", words=words)
    assert (line.values["store_type"], line.values["state"], line.values["segment"]) == ("kiosk", "closed", "a")
    assert one(targets, "Spar", "Supermarché", "Actif", "b").values["store_type"] == "supermarket"


def test_columns_that_belong_together_are_put_together() -> None:
    line = one(("name", "street", "street", "house_number", "house_number"), "Spar", "AV", "FOCH", "12", "bis")
    assert (line.values["street"], line.values["house_number"]) == ("AV FOCH", "12 bis")
    line = one(("name", "address", "address"), "Spar", "12 av Foch", "64000 Pau")
    assert (line.values["street"], line.values["city"]) == ("av Foch", "Pau")


def test_own_fields_and_sector_come_with_the_outlet() -> None:
    line = one(("name", "custom:frigos", "sector"), "Spar", "3", "S01")
    assert (line.values["custom"], line.values["sector"]) == ({"frigos": "3"}, "S01")


def test_the_country_of_a_row_decides_on_its_postcode() -> None:
    targets = ("name", "postcode", "country")
    assert one(targets, "Spar", "1050", "Belgique").values["postcode"] == "1050"
    assert one(targets, "Spar", "1050", "").values["postcode"] == "01050"
    assert one(targets, "Spar", "1050", "France").values["country"] == "FR"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("12 rue de la Paix, 75002 Paris", ("12", "rue de la Paix", "75002", "Paris")),
        ("5 bis avenue Foch 69006 Lyon Cedex 06", ("5 bis", "avenue Foch", "69006", "Lyon")),
        ("44 Station Road, Harrow HA1 2SQ", ("44", "Station Road", "HA1 2SQ", "Harrow")),
        ("33100 Bordeaux", (None, None, "33100", "Bordeaux")),
        ("Place du Marché", (None, "Place du Marché", None, None)),
    ],
)
def test_an_address_in_one_line_is_taken_apart(text: str, parts: tuple[str | None, ...]) -> None:
    found = addresses.parts(text)
    assert tuple(found.get(name) for name in ("house_number", "street", "postcode", "city")) == parts


# ---- the quick way ----------------------------------------

CELL = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["Spar Pau", " Spar", "'=1+1", "Épicerie du Marché", "null", "(vide)", "01 42 00 00 01", "+33 1 42 00 00 01",
         "a@b.fr", "39962626600387", "64000", "6400", "48.86", "-2,5", "0", "24/7", "Mo-Fr 09:00-18:00", "supermarket",
         "Proxi", "x" * 210, "a\x00b", "\udce9t\udce9", "1e999", "1_0", "５"]
    ),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(CELL, min_size=14, max_size=14), max_size=4), st.sampled_from([".", ","]))
def test_the_row_written_out_gives_what_the_careful_reading_gives(rows: list[list[str]], decimal: str) -> None:
    columns = ColumnMap(WIDE, WIDE, "test", decimal=decimal)
    reader = RowReader(columns, zone="Europe/Paris", country="FR")
    quick = list(reader.lines(enumerate(rows, 1)))
    careful = [line for number, row in enumerate(rows, 1) if (line := reader._take(number, row)) is not None]
    assert quick == careful


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["name", "banner", "city", "street", "phone", "email", "siret", "website"]), CELL)
def test_what_is_taken_is_what_the_domain_would_write(field: str, text: str) -> None:
    try:
        value = values.taker(field, {}, "FR")(text) if text else None
    except DomainError:
        return
    if value is not None:
        assert checked({field: value}, country="FR")[field] == value


# ---- the mapping ----------------------------------------


def test_a_mapping_goes_through_json_and_finds_its_columns_in_another_order() -> None:
    columns = ColumnMap(("Nom", "CP"), ("name", "postcode"), "Client", "", "swapped", ",", {"state": {"ok": "active"}})
    assert ColumnMap.from_dict(columns.to_dict()) == columns
    turned = columns.fitted(["cp", "NOM"])
    assert turned is not None
    assert (turned.targets, turned.coordinates) == (("postcode", "name"), "swapped")
    assert columns.fitted(["Nom", "Ville"]) is None
    assert signature(["Nom", "CP"]) == signature(["cp", "NOM"]) != signature(["Nom"])


@pytest.mark.parametrize("content", [{}, {"header": ["a"], "targets": []}, {"header": 1, "targets": 2}, {"header": 0}])
def test_a_damaged_mapping_is_said(content: Mapping[str, Any]) -> None:
    with pytest.raises(DomainError) as caught:
        ColumnMap.from_dict(content)
    assert caught.value.code == "mapping_damaged"


@pytest.mark.parametrize(
    ("targets", "code"),
    [
        (("city",), "mapping_name_missing"), (("name", "name"), "mapping_twice"),
        (("name", "lat"), "mapping_half_position"), (("name", "lat", "lon", "position"), "mapping_two_positions"),
        (("name", "colour"), "mapping_target_unknown"),
    ],
)  # fmt: skip
def test_a_mapping_says_what_keeps_it_from_being_imported(targets: tuple[str, ...], code: str) -> None:
    columns = ColumnMap(targets, targets)
    assert [problem.code for problem in columns.problems()] == [code]
    with pytest.raises(DomainError):
        RowReader(columns, zone="Europe/Paris", country="FR")
    assert replace(columns, header=("a",), targets=("name",)).problems() == ()


# ---- the file of what was refused ----------------------------------------


def test_the_file_of_refused_lines_says_row_column_value_and_why_and_runs_nothing(tmp_path: Path) -> None:
    found = read(("name", "phone"), ["", "1"], ["Spar", "=HYPERLINK(1)"], ["Vival", ""])
    path = tmp_path / "refused.csv"
    titles = ("Row", "Column", "Value", "Why", "What became of it", "refused", "left out")
    count = refusals.write(path, found, titles, lambda code, params: code, separator=";")
    table = list(csv.reader(path.read_text("utf-8-sig").splitlines(), delimiter=";"))
    assert count == 2
    assert table == [
        list(titles[:5]), ["2", "col name", "", "outlet_name_missing", "refused"],
        ["3", "col phone", "'=HYPERLINK(1)", "phone_malformed", "left out"],
    ]  # fmt: skip
