"""Saving a list: the ending and the kind agree, the choice is remembered, and a long export can be cancelled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QWidget

from fieldcrm.ui.outlets.export import Saving, WhereTo, offered, said
from fieldcrm.usecases.export_outlets import Format, Saved


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
