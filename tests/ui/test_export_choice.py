"""Saving a list: the ending and the kind agree, the choice is remembered, and a long export can be cancelled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PySide6.QtWidgets import QWidget

from fieldcrm.ui.outlets.columns import columns as outlet_columns
from fieldcrm.ui.outlets.export import Saving, WhereTo, as_shown, offered, said
from fieldcrm.usecases.export_outlets import Format, Saved
from fieldcrm.usecases.outlets import OutletRow


@pytest.mark.parametrize(
    ("typed", "chosen", "path", "format"),
    [
        ("list", Format.CSV, "list.csv", Format.CSV), ("list.csv", Format.CSV_SHOWN, "list.csv", Format.CSV_SHOWN),
        ("list.gpx", Format.XLSX, "list.gpx", Format.GPX), ("list.v2", Format.VCARD, "list.v2.vcf", Format.VCARD),
        ("list.XLSX", Format.XLSX, "list.XLSX", Format.XLSX),
    ],
)  # fmt: skip
def test_the_ending_and_the_kind_agree(
    qtbot: Any, monkeypatch: pytest.MonkeyPatch, typed: str, chosen: Format, path: str, format: Format
) -> None:
    asked: list[Any] = []

    def dialog(*given: Any) -> tuple[str, str]:
        asked.append(given)
        return typed, offered()[chosen]

    monkeypatch.setattr(WhereTo, "getSaveFileName", dialog)
    holder = QWidget()
    qtbot.addWidget(holder)
    assert WhereTo.ask(holder, "outlets", Format.GEOJSON) == (Path(path), format)
    assert asked[0][2:] == ("outlets.geojson", ";;".join(offered().values()), offered()[Format.GEOJSON])


def test_giving_up_chooses_nothing(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WhereTo, "getSaveFileName", lambda *_: ("", ""))
    holder = QWidget()
    qtbot.addWidget(holder)
    assert WhereTo.ask(holder, "outlets", Format.CSV) is None


def test_cancel_and_escape_stop_a_long_export(qtbot: Any) -> None:
    holder = QWidget()
    qtbot.addWidget(holder)
    saving = Saving(holder, "a.csv")
    saving.show()
    saving.went_on(0.5)
    assert saving.bar.value() == saving.bar.maximum() // 2
    assert not saving.stopped.is_set()
    saving.reject()
    assert saving.stopped.is_set()


def test_what_was_saved_and_left_out_is_said() -> None:
    assert said(Saved(4, without_position=1), "a.gpx") == "4 outlets saved in a.gpx. 1 without a position was left out."
    assert said(Saved(1, cards=2), "a.vcf") == "1 outlet saved in a.vcf. With 2 contacts."


def test_a_file_says_days_as_dates_and_counts_and_metres_as_numbers() -> None:
    paris = timezone(timedelta(hours=1))
    midnight = datetime(2026, 11, 20, tzinfo=paris)
    row = OutletRow(
        1, UUID(int=1), "Épicerie", None, None, "b", "active", None, None, None, None, None, None, 1, 1, 28,
        datetime(2026, 11, 16, 23, 30, tzinfo=UTC), 3, 1_200, True, 1_523, None, None,
    )  # fmt: skip
    columns = outlet_columns(lambda: midnight)
    shown = as_shown(columns, midnight, None)
    said = dict(zip([one.key for one in columns], shown.cells(row), strict=True))
    assert (said["last_visit"], said["freshness"]) == ("2026-11-17", None)  # the day on the clock of the person
    assert (said["promises"], said["distance"]) == (1_200, 1_523)
    assert (said["name"], said["segment"]) == ("Épicerie", "B")
    assert "Distance (m)" in shown.titles
