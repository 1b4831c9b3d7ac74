"""Names, addresses and photos that come from elsewhere are shown, never obeyed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QToolTip

from fieldcrm.geo.basemap import TileSet
from fieldcrm.ui.map import page
from fieldcrm.ui.outlet.header import open_outside
from fieldcrm.ui.widgets import ElidedText, Field, IconButton, KeyCap, Text, plain
from fieldcrm.ui.widgets.map_view import MapView
from fieldcrm.ui.widgets.photos import decode
from tests.usecases.photos import jpeg

NAME = '<img src="file:////elsewhere/share/x.png"><b>Shop</b> &amp; Co'
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9" fill="red"/></svg>'


def test_a_name_with_html_in_it_is_drawn_as_it_is_written(qtbot: Any) -> None:
    field = Field(NAME, QLineEdit())
    for label in (Text(NAME), ElidedText(NAME), KeyCap(NAME), field.label, *field.findChildren(QLabel)):
        qtbot.addWidget(label)
        assert label.textFormat() == Qt.TextFormat.PlainText


def test_a_tool_tip_shows_a_name_and_opens_nothing_it_says(qtbot: Any) -> None:
    narrow, button = ElidedText(NAME), IconButton("x", NAME)
    qtbot.addWidget(narrow)
    qtbot.addWidget(button)
    narrow.resize(40, 20)
    narrow._fit()
    for tip in (narrow.toolTip(), button.toolTip()):
        assert "<img" not in tip and "&lt;img" in tip
    assert plain("Marks & Spencer") == "Marks & Spencer"
    QToolTip.showText(narrow.pos(), plain(NAME))
    [shown] = [w for w in QApplication.topLevelWidgets() if w.inherits("QTipLabel")]
    assert isinstance(shown, QLabel) and "file:" in shown.text()
    QToolTip.hideText()


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "file://elsewhere/run.exe", "smb://elsewhere/x", "javascript://x", "ms-msdt://x", "/bin/sh"],
)
def test_a_website_that_is_a_file_or_a_program_is_not_opened(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    opened: list[str] = []

    def follow(url: QUrl) -> bool:
        opened.append(url.toString())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", follow)
    assert not open_outside(address)
    assert open_outside("https://example.org/")
    assert opened == ["https://example.org/"]


def test_a_photo_that_is_a_drawing_with_links_is_not_drawn(qapp: object) -> None:
    assert decode(SVG, QSize(90, 90)).isNull()
    assert decode(b"GIF89a" + bytes(40), QSize(90, 90)).isNull()
    assert not decode(jpeg(1), QSize(90, 90)).isNull()


def test_a_map_pack_and_a_tile_server_cannot_put_markup_on_the_page(qtbot: Any) -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    html = page.render(TileSet(evil, (1.0, 2.0, 3.0, 4.0), 0, 14, evil), "light", {}, {}).decode()
    assert "<img" not in html
    assert "&lt;img src=x" in html
    view = MapView()
    qtbot.addWidget(view)
    view.set_online_layer("https://tiles.example.org/{z}/{x}/{y}.png", evil)
    assert "<img" not in view._state["setOnline"]


def test_what_the_map_is_told_stays_an_argument(qtbot: Any) -> None:
    view = MapView()
    qtbot.addWidget(view)
    evil = "\"); bridge.selected('x'); (\"\u2028'`</script>"
    view.select(evil)
    call = view._state["select"]
    assert json.loads("[" + call.removeprefix("fieldmap.select(").removesuffix(")") + "]") == [evil, True]
