"""The outlets on a map, in a real Qt WebEngine: what is drawn, clicked, drawn around, placed; and the switch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from sqlalchemy import update

from fieldcrm import words
from fieldcrm.store.database import Database
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.tables import T
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.map import scheme
from fieldcrm.ui.outlets import OutletsScreen
from fieldcrm.ui.preferences import Preferences
from fieldcrm.ui.widgets.map_view import MapView
from fieldcrm.ui.widgets.map_view_place import PlacePicker
from fieldcrm.ui.widgets.map_view_points import PointMap, Shade, ordered_colours
from fieldcrm.usecases.outlets import Points
from tests.ui.territory import NAMES, live
from tests.world import World

# The scheme has to be there before any test makes the QApplication.
REGISTERED = scheme.register_scheme()
pytestmark = pytest.mark.skipif(not REGISTERED, reason="Qt WebEngine is not installed")

EVERY = len(NAMES) + 5


def ask(qtbot: QtBot, view: MapView, script: str) -> Any:
    """The value of a script, of a promise what it comes to."""
    assert view.page is not None
    page, found = view.page, list[Any]()
    page.runJavaScript(
        f"window.said = undefined; Promise.resolve({script})"
        ".then((v) => { window.said = JSON.stringify(v ?? null); }); 1"
    )

    def look() -> bool:
        page.runJavaScript("window.said || ''", found.append)
        qtbot.waitUntil(lambda: bool(found), timeout=10_000)
        answer = found.pop()
        if answer:
            found.append(json.loads(answer))
        return bool(answer)

    qtbot.waitUntil(look, timeout=10_000)
    return found[-1]


def a_grid(count: int = 400) -> tuple[Points, Any, list[Shade]]:
    """``count`` points on a grid over Paris in three classes, the last of them alone in the north."""
    side = int(count**0.5)
    at = np.arange(count, dtype=np.int32)
    lat = (488_000_000 + at // side * 150_000).astype(np.int32)
    lon = (23_000_000 + at % side * 220_000).astype(np.int32)
    lat[-1], lon[-1] = 495_000_000, 25_000_000
    shades = [Shade(name, colour) for name, colour in zip("abc", ordered_colours(2), strict=True)]
    return Points(at + 1, lat, lon), (at % 3).astype(np.uint8), shades


@pytest.fixture
def points_on(qtbot: QtBot) -> Iterator[PointMap]:
    theme.apply("light")
    words.set_language("en")
    made = PointMap()
    made.resize(700, 600)
    qtbot.addWidget(made)
    made.set_points(*a_grid())
    with qtbot.waitSignal(made.shown, timeout=30_000) as shown:
        made.show()
    assert shown.args == [400]
    qtbot.waitUntil(lambda: described(qtbot, made)["members"] == 400, timeout=10_000)
    yield made
    made.close_map()


def described(qtbot: QtBot, view: MapView) -> dict[str, Any]:
    found: dict[str, Any] = ask(qtbot, view, "fieldPoints.describe()")
    return found


def press(x: float, y: float, kind: str, more: str = "") -> str:
    event = "PointerEvent" if kind.startswith("pointer") else "MouseEvent"
    how = f"bubbles: true, cancelable: true, clientX: {x}, clientY: {y}, pointerId: 1, button: 0, {more}"
    return f"(fieldmap.map().getContainer().dispatchEvent(new {event}('{kind}', {{{how}}})), 1)"


def test_each_cluster_counts_its_points_by_colour_and_by_selection_whatever_the_zoom(
    qtbot: QtBot, points_on: PointMap
) -> None:
    state = described(qtbot, points_on)
    assert state["drawn"] < 100 and state["clusters"] > 1  # four hundred points are not four hundred things
    assert state["shares"] == [134, 133, 133]
    mask = np.zeros(400, dtype=bool)
    mask[:50] = True
    points_on.set_shown(mask)
    qtbot.waitUntil(lambda: described(qtbot, points_on)["picked"] == 50, timeout=10_000)
    points_on.set_points(a_grid()[0], np.zeros(400, dtype=np.uint8), a_grid()[2], fit=False)
    qtbot.waitUntil(lambda: described(qtbot, points_on)["shares"] == [400, 0, 0], timeout=10_000)
    assert described(qtbot, points_on)["picked"] == 0
    assert ask(qtbot, points_on, "fieldGround.describe()")["on"]  # the bundled pack is of another country
    assert "OpenStreetMap" in ask(qtbot, points_on, "fieldmap.describe()")["attribution"]
    assert points_on.guard.blocked == []


def test_a_click_opens_a_cluster_and_names_a_point_and_keys_do_as_much(qtbot: QtBot, points_on: PointMap) -> None:
    before = described(qtbot, points_on)["zoom"]
    x, y = ask(qtbot, points_on, "fieldPoints.whereIs(null)")
    ask(qtbot, points_on, press(x, y, "click"))
    qtbot.waitUntil(lambda: described(qtbot, points_on)["zoom"] > before, timeout=10_000)
    points_on.namer = lambda rid: (f"<b>Store</b> {rid}", "Rue du Nil")
    ask(qtbot, points_on, "(fieldmap.map().setView([49.5, 2.5], 15, {animate: false}), fieldPoints.refresh(true))")
    x, y = ask(qtbot, points_on, "fieldPoints.whereIs(400)")
    with qtbot.waitSignal(points_on.clicked, timeout=10_000) as clicked:
        ask(qtbot, points_on, press(x, y, "click"))
    assert clicked.args == [400, False]
    with qtbot.waitSignal(points_on.clicked, timeout=10_000) as toggled:
        ask(qtbot, points_on, press(x, y, "click", "ctrlKey: true"))
    assert toggled.args == [400, True]
    with qtbot.waitSignal(points_on.opened, timeout=10_000) as opened:
        ask(qtbot, points_on, press(x, y, "dblclick"))
    assert opened.args == [400]
    key = "(fieldmap.map().getContainer().dispatchEvent(new KeyboardEvent('keydown', {key: '%s', ctrlKey: %s})), 1)"
    with qtbot.waitSignal(points_on.clicked, timeout=10_000):
        ask(qtbot, points_on, key % ("ArrowRight", "true"))
    note = "document.querySelector('.points-note').textContent"
    qtbot.waitUntil(lambda: "<b>Store</b> 400" in ask(qtbot, points_on, note), timeout=10_000)  # text, not markup
    with qtbot.waitSignal(points_on.opened, timeout=10_000) as opened:
        ask(qtbot, points_on, key % ("Enter", "false"))
    assert opened.args == [400]


def test_an_area_is_drawn_free_hand_by_corners_or_as_a_rectangle(qtbot: QtBot, points_on: PointMap) -> None:
    points_on.set_tool("lasso")
    corners = [(100, 100), (400, 120), (420, 400), (90, 380)]
    ask(qtbot, points_on, "(HTMLElement.prototype.setPointerCapture = () => 1, 1)")
    with qtbot.waitSignal(points_on.area_drawn, timeout=10_000) as drawn:
        ask(qtbot, points_on, press(*corners[0], "pointerdown"))
        for x, y in corners[1:]:
            ask(qtbot, points_on, press(x, y, "pointermove"))
        ask(qtbot, points_on, press(*corners[-1], "pointerup", "altKey: true"))
    ring, mode = drawn.args
    assert mode == "subtract" and len(ring) == 4
    assert ring[0][0] > ring[2][0] and ring[0][1] < ring[2][1]  # north-west to south-east
    points_on.set_tool("polygon")
    with qtbot.waitSignal(points_on.area_drawn, timeout=10_000) as drawn:
        for x, y in corners:
            ask(qtbot, points_on, press(x, y, "pointerdown"))
        ask(qtbot, points_on, press(*corners[-1], "dblclick"))
    assert drawn.args[1] == "replace" and len(drawn.args[0]) == 4
    points_on.set_tool(None)
    with qtbot.waitSignal(points_on.area_drawn, timeout=10_000) as drawn:
        ask(qtbot, points_on, press(200, 200, "pointerdown", "shiftKey: true"))
        ask(qtbot, points_on, press(300, 350, "pointermove", "shiftKey: true"))
        ask(qtbot, points_on, press(300, 350, "pointerup", "shiftKey: true"))
    (north, west), _, (south, east), _ = drawn.args[0]
    assert drawn.args[1] == "add" and north > south and west < east


def test_a_place_is_put_under_the_crosshair_and_taken_back(qtbot: QtBot) -> None:
    theme.apply("light")
    picker = PlacePicker(describe=lambda at: f"about {at[0]}")
    picker.resize(700, 560)
    qtbot.addWidget(picker)
    start = (601_680_000, 249_520_000)
    picker.begin("Kauppatori 1, Helsinki", start)
    with qtbot.waitSignal(picker.map.ready, timeout=30_000):
        picker.show()
    assert picker.position() == start and not picker.touched
    picker.resize(640, 520)  # a window made smaller moves no store
    move = "(fieldmap.map().getContainer().dispatchEvent(new KeyboardEvent('keydown', {key: 'x'})), 1)"
    ask(qtbot, picker.map, move)
    qtbot.waitUntil(lambda: ask(qtbot, picker.map, "fieldmap.map().getSize().x") == picker.map.width())
    assert picker.position() == start
    with qtbot.waitSignal(picker.changed, timeout=10_000):
        ask(qtbot, picker.map, "(fieldmap.map().panBy([80, 0], {animate: false}), 1)")
    moved = picker.position()
    assert moved is not None and moved[1] > start[1] and abs(moved[0] - start[0]) < 2_000
    qtbot.waitUntil(lambda: picker.about.text() == f"about {moved[0]}")
    picker.undo()
    assert picker.position() == start and not picker.touched
    picker.edit.setText("60,17 24,93")
    picker.edit.editingFinished.emit()
    assert picker.position() == (601_700_000, 249_300_000)
    picker.edit.setText("somewhere")
    picker.edit.editingFinished.emit()
    assert picker.coordinates.error() and picker.position() == (601_700_000, 249_300_000)
    picker.close_map()


# ---- on the screen of outlets


@pytest.fixture
def session(qtbot: QtBot, db: Database, world: World, now: datetime, tmp_path: Path) -> Iterator[AppSession]:
    live(db, world, now)
    words.set_language("en")
    theme.apply("light")
    made = AppSession(
        db, world.manager, clock=lambda: now, photos=PhotoStore(tmp_path / "photos", bytes(32)),
        preferences=Preferences(tmp_path),
    )  # fmt: skip
    yield made
    made.tasks.stop()


@pytest.fixture
def screen(qtbot: QtBot, session: AppSession) -> Iterator[OutletsScreen]:
    shown = OutletsScreen(session)
    qtbot.addWidget(shown)
    shown.resize(1240, 800)
    shown.show()
    shown.open()
    qtbot.waitUntil(lambda: shown.model.rowCount() == EVERY)
    yield shown
    if shown.sides.map is not None:
        shown.sides.map.close_map()


def on_map(qtbot: QtBot, screen: OutletsScreen) -> PointMap:
    screen.sides.show_map(True)
    panel = screen.sides.map
    assert panel is not None
    qtbot.waitUntil(lambda: panel._points is not None and panel.map.is_ready, timeout=30_000)
    qtbot.waitUntil(lambda: described(qtbot, panel.map)["size"] == len(panel._points.rid), timeout=10_000)  # type: ignore[union-attr]
    return panel.map


def test_search_filters_the_chosen_outlet_and_an_area_hold_on_both_sides(
    qtbot: QtBot, session: AppSession, screen: OutletsScreen
) -> None:
    qtbot.keyClicks(screen.search, "spar")
    qtbot.waitUntil(lambda: screen.model.rowCount() == 1, timeout=10_000)
    view = on_map(qtbot, screen)
    assert described(qtbot, view)["size"] == 1
    screen.search.clear()
    qtbot.waitUntil(lambda: screen.model.rowCount() == EVERY, timeout=10_000)
    panel = screen.sides.map
    assert panel is not None
    qtbot.waitUntil(lambda: described(qtbot, view)["size"] == EVERY - 1, timeout=10_000)
    assert panel.missing.text() == f"1 of {EVERY} outlets are not on the map" and panel.place_button.isVisible()
    rid = int(panel._points.rid[3])  # type: ignore[union-attr]
    view.clicked.emit(rid, False)
    assert screen.table.current_id() == rid
    names = {entry.accessibleName() for entry in panel.legend.entries}
    assert any(name.startswith("never") for name in names)
    panel.colour_by("segment")
    qtbot.waitUntil(lambda: any("Segment A" in e.accessibleName() for e in panel.legend.entries), timeout=10_000)
    south = [(48.8, 2.2), (48.8, 2.6), (48.86, 2.6), (48.86, 2.2)]
    view.area_drawn.emit(south, "replace")
    chosen = screen.sides.selected()
    assert 0 < len(chosen) < EVERY - 1 and screen.sides.bar.isVisible()
    screen.sides.bar.only_button.click()
    qtbot.waitUntil(lambda: screen.model.rowCount() == len(chosen), timeout=10_000)
    screen.sides.toggle()
    assert not screen.sides.showing_map and sorted(screen.model.ids()) == sorted(chosen)
    assert session.preferences.json("outlets/map", {})["colour"] == "segment"


def test_a_change_of_the_selected_is_seen_before_it_is_made_and_taken_back(
    qtbot: QtBot, db: Database, session: AppSession, screen: OutletsScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fieldcrm.ui.outlets import map_bulk

    def choose(dialog: map_bulk.ChangeMany) -> int:
        dialog.what.setCurrentIndex(dialog.what.findData("distributor"))
        dialog.text.setText("Metro")
        qtbot.waitUntil(dialog.act.isEnabled, timeout=10_000)
        assert dialog.effect.text() == f"{EVERY} outlets change"
        return 1

    monkeypatch.setattr(map_bulk.ChangeMany, "exec", choose)
    said: list[Any] = []
    session.messages.posted.connect(said.append)
    screen.table.selectAll()
    assert len(screen.sides.selected()) == EVERY
    screen.sides.change_selected()
    qtbot.waitUntil(lambda: bool(said), timeout=10_000)
    assert said[0].text == f"{EVERY} outlets changed"

    def distributors() -> set[object]:
        with db.read() as r:
            return set(r.conn.execute(T.outlet.select().with_only_columns(T.outlet.c.distributor)).scalars())

    assert distributors() == {"Metro"}
    said[0].run()
    qtbot.waitUntil(lambda: len(said) == 2, timeout=10_000)
    assert distributors() == {None}


def test_without_webengine_the_list_goes_on_and_says_so(
    qtbot: QtBot, screen: OutletsScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fieldcrm.ui.outlets.map_switch.webengine_installed", lambda: False)
    screen.sides.show_map(True)
    from PySide6.QtWidgets import QLabel

    assert any("cannot be shown" in label.text() for label in screen.sides.findChildren(QLabel) if label.isVisible())
    screen.sides.toggle()
    assert screen.table.isVisible()


def test_what_the_database_holds_decides_the_classes(
    db: Database, world: World, now: datetime, session: AppSession
) -> None:
    from fieldcrm.ui.outlets.map_colours import coloured, colourings
    from fieldcrm.usecases import outlets
    from fieldcrm.usecases.outlets import Filters

    def set_back(tx: Any) -> None:
        tx.conn.execute(update(T.outlet).where(T.outlet.c.id == world.outlets[0]).values(confirmed_at=now))

    db.write(set_back, actor=world.manager, now=now).result()
    for by in colourings({world.sector.hex: "Paris centre"}):
        with db.read() as r:
            found = outlets.points(r, Filters(now), colour=by.key)
        made = coloured(found, by)
        assert sum(made.counts) == len(found.rid) == len(made.codes), by.key
        assert max(made.codes) < len(made.shades) == len(made.counts) <= 9
        if by.key == "freshness":
            assert made.counts[0] >= 1 and made.shades[-1].name == "never"
        if by.key == "held":  # one store was audited: three of its thirty lines are absent in turn
            assert sum(made.counts[:4]) == 1
        if by.key == "sector":
            assert {s.name for s in made.shades} == {"Paris centre", "another sector"}
