"""A table for spreadsheets: opened as text by any of them, and nothing in it runs."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcrm.domain.errors import Unavailable
from fieldcrm.usecases.export import csv_text, safe_cell, save_csv

CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.mark.parametrize("cell", ["=1+1", "+33 1 42", "-cmd", "@SUM(A1)", "\t=1", "  =1", "＝1+1", "\r=1"])
def test_what_a_spreadsheet_would_run_is_text(cell: str) -> None:
    assert safe_cell(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", "12", "-12,5", "+3.4", "75001", "Épicerie", "a=b", "12 Rue du Port"])
def test_numbers_and_words_stay_as_they_are(cell: str) -> None:
    assert safe_cell(cell) == cell


@given(st.lists(st.tuples(CELLS, CELLS), max_size=8), st.sampled_from([";", ","]))
def test_every_table_reads_back(rows: list[tuple[str, str]], separator: str) -> None:
    text = csv_text(("a", "b"), rows, separator=separator)
    assert text.startswith("\ufeff")
    read = list(csv.reader(io.StringIO(text[1:], newline=""), delimiter=separator))
    assert read == [["a", "b"], *([safe_cell(cell.replace("\x00", "")) for cell in row] for row in rows)]


def test_a_folder_that_is_not_there_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        save_csv(tmp_path / "no" / "list.csv", ["a"], [], separator=";")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_there_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("old")
    size = save_csv(path, ["Nom"], [["Épicerie"]], separator=";")
    assert path.read_bytes() == "\ufeffNom\r\nÉpicerie\r\n".encode()
    assert size == path.stat().st_size
    assert [found.name for found in tmp_path.iterdir()] == ["list.csv"]
