"""The regions in the settings: installed from a file, listed with what they bring, taken away; wrong files refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6")

from PySide6.QtWidgets import QLabel

from fieldcrm import resources
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.settings.regions import RegionLines
from fieldcrm.ui.settings.screen import SettingsScreen
from fieldcrm.ui.widgets import IconButton


@pytest.fixture
def shown(desk: AppSession, qtbot: Any) -> Iterator[RegionLines]:
    screen = SettingsScreen(desk)
    qtbot.addWidget(screen)
    screen.resize(1000, 900)
    screen.show()
    screen.open(page="capture")
    found = screen.findChild(RegionLines)
    assert found is not None
    qtbot.waitUntil(lambda: found._list.count() > 0)
    yield found


def said(widget: RegionLines) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def test_a_pack_is_installed_shown_with_what_it_brings_and_removed(
    desk: AppSession, shown: RegionLines, qtbot: Any
) -> None:
    assert "comes with the program" in said(shown)
    shown.install(resources.path("demo/helsinki.mbtiles"))
    qtbot.waitUntil(lambda: "515 outlets" in said(shown))
    assert "102 streets" in said(shown) and "is installed" in said(shown)
    assert [path.name for path in (desk.folder / "maps").iterdir()] == ["helsinki.mbtiles"]
    [bin_] = [one for one in shown.findChildren(IconButton) if one.accessibleName() == "Remove helsinki"]
    bin_.click()
    qtbot.waitUntil(lambda: "comes with the program" in said(shown))
    assert list((desk.folder / "maps").iterdir()) == []


def test_a_file_that_is_no_pack_is_refused_with_a_sentence(shown: RegionLines, qtbot: Any, tmp_path: Path) -> None:
    (tmp_path / "holiday.mbtiles").write_bytes(b"JFIF")
    shown.install(tmp_path / "holiday.mbtiles")
    qtbot.waitUntil(lambda: "is not a map pack of FieldCRM" in said(shown))
    assert shown.add_button.isEnabled() and shown.progress.isHidden()
