"""The map: real tiles in a real WebEngine, without one request to the outside."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from fieldcrm import resources
from fieldcrm.geo.basemap import Pack
from fieldcrm.ui import theme
from fieldcrm.ui.map import packs, scheme
from fieldcrm.ui.map.page import render
from fieldcrm.ui.widgets.map_view import MapView, pin

PACK = resources.path("demo/helsinki.mbtiles")
STORES = [(60.1699, 24.9384), (60.1712, 24.9441), (60.1687, 24.9402)]

# The scheme has to be there before any test makes the QApplication.
REGISTERED = scheme.register_scheme()


def pins() -> list[dict[str, Any]]:
    states = ("done", "next", "unplanned")
    return [pin(f"{i:032x}", f"Store <{i}>", place, state, number=i + 1)
            for i, (place, state) in enumerate(zip(STORES, states, strict=True))]


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[MapView]:
    if not REGISTERED:
        pytest.skip("Qt WebEngine is not installed")
    theme.apply("light")
    made = MapView()
    made.resize(600, 500)
    qtbot.addWidget(made)
    yield made
    made.close_map()


def shown(qtbot: QtBot, view: MapView) -> MapView:
    with qtbot.waitSignal(view.ready, timeout=30_000):
        view.show()
    return view


def ask(qtbot: QtBot, view: MapView, script: str) -> Any:
    answers: list[Any] = []
    assert view.page is not None
    view.page.runJavaScript(script, answers.append)
    qtbot.waitUntil(lambda: bool(answers), timeout=10_000)
    return answers[0]


def described(qtbot: QtBot, view: MapView) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ask(qtbot, view, "JSON.stringify(fieldmap.describe())"))
    return found


def test_what_was_set_before_the_map_is_loaded_is_on_it_and_nothing_outside_is_asked(
    qtbot: QtBot, view: MapView
) -> None:
    view.set_outlets(pins())
    view.set_route(STORES[:2], homes=[STORES[2]])
    view.select(f"{1:032x}")
    shown(qtbot, view)
    state = described(qtbot, view)
    assert (state["markers"], state["stops"], state["selected"]) == (3, 2, f"{1:032x}")
    assert state["route"] >= 2
    assert state["attribution"] == "© OpenStreetMap contributors"
    qtbot.waitUntil(lambda: described(qtbot, view)["tiles"] > 0, timeout=10_000)
    assert view.guard.blocked == []


def test_streets_and_water_are_drawn_and_the_dark_theme_is_dark(qtbot: QtBot, view: MapView) -> None:
    shown(qtbot, view)

    def colours() -> set[str]:
        image = view.grab().toImage()
        return {QColor(image.pixel(x, y)).name() for x in range(0, 600, 6) for y in range(0, 500, 6)}

    qtbot.waitUntil(lambda: "#c9dbe4" in colours() and len(colours()) > 20, timeout=20_000)
    theme.apply("dark")
    qtbot.waitUntil(lambda: "#0f2027" in colours(), timeout=20_000)
    assert described(qtbot, view)["theme"] == "dark"


def test_a_click_on_a_pin_says_which_store_and_a_double_click_opens_it(qtbot: QtBot, view: MapView) -> None:
    view.set_outlets(pins())
    shown(qtbot, view)
    with qtbot.waitSignal(view.outletSelected, timeout=10_000) as selected:
        ask(qtbot, view, "document.querySelector('.pin.next').click(); 1")
    assert selected.args == [f"{1:032x}"]
    double = "document.querySelector('.pin.next').dispatchEvent(new MouseEvent('dblclick', {bubbles: true})); 1"
    with qtbot.waitSignal(view.outletActivated, timeout=10_000) as activated:
        ask(qtbot, view, double)
    assert activated.args == [f"{1:032x}"]


def test_a_store_name_is_text_and_never_markup(qtbot: QtBot, view: MapView) -> None:
    view.set_outlets([pin("a", "<img src=x onerror=alert(1)>", STORES[0], "next", number=1)])
    shown(qtbot, view)
    over = "document.querySelector('.pin.next').dispatchEvent(new MouseEvent('mouseover', {bubbles: true})); 1"
    ask(qtbot, view, over)
    assert ask(qtbot, view, "document.querySelectorAll('.leaflet-tooltip img').length") == 0


def test_the_outside_is_blocked_and_recorded_until_the_online_layer_is_turned_on(
    qtbot: QtBot, view: MapView
) -> None:
    shown(qtbot, view)
    image = "(() => { const i = new Image(); i.src = '%s'; return 1; })()"
    ask(qtbot, view, image % "https://tiles.invalid/1/2/3.png")
    qtbot.waitUntil(lambda: view.guard.blocked == ["https://tiles.invalid/1/2/3.png"], timeout=10_000)
    view.set_online_layer("http://tiles.invalid/{z}/{x}/{y}.png")
    assert view.guard.allowed_host == ""  # never without encryption
    view.set_online_layer("https://tiles.invalid/{z}/{x}/{y}.png")
    assert view.guard.allows("https", "tiles.invalid", "https://tiles.invalid/0/0/0.png")
    assert not view.guard.allows("https", "elsewhere.invalid", "https://elsewhere.invalid/")


def test_without_webengine_there_is_a_reason_and_no_error(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fieldcrm.ui.widgets.map_view.webengine_installed", lambda: False)
    view = MapView()
    qtbot.addWidget(view)
    view.set_outlets(pins())
    view.show()
    assert not view.is_ready
    from PySide6.QtWidgets import QLabel

    assert any("cannot be shown" in label.text() for label in view.findChildren(QLabel))


def test_the_page_names_no_address_but_ours() -> None:
    pack = Pack(PACK)
    html = render(pack.tile_set, "light", {}, {"fit": "</script><b>"}).decode()
    pack.close()
    assert "https://" not in html and "http://" not in html
    assert "</script><b>" not in html
    assert html.count("fieldcrm://map/map/") == 12


def test_addresses_outside_the_bundled_files_have_no_answer() -> None:
    pack = Pack(PACK)
    assert scheme.answer("/map/../fonts/x.ttf", b"", pack) is None
    assert scheme.answer("/map/LICENSE-leaflet.txt", b"", pack) is None
    assert scheme.answer("/map/leaflet.js", b"", pack) is not None
    assert scheme.answer("/tiles/14/0/0.mvt", b"", pack) == (b"application/x-protobuf", b"")
    assert scheme.answer("/tiles/99/0/0.mvt", b"", pack) == (b"application/x-protobuf", b"")
    pack.close()


def test_a_pack_the_person_installed_goes_before_the_bundled_one_unless_it_is_damaged(tmp_path: Path) -> None:
    (tmp_path / packs.FOLDER).mkdir()
    shutil.copy(PACK, tmp_path / packs.FOLDER / "own.mbtiles")
    assert [path.name for path in packs.installed(tmp_path)] == ["own.mbtiles", "helsinki.mbtiles"]
    (tmp_path / packs.FOLDER / "own.mbtiles").write_bytes(b"not a database at all" * 100)
    found = packs.open_pack(tmp_path)
    assert found is not None and found.tile_set.name == "helsinki"
    found.close()
