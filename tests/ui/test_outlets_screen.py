"""The list of outlets as a person uses it: typing, filtering, choosing, entering, exporting; never a dead end."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from fieldcrm import words
from fieldcrm.store.database import Database
from fieldcrm.store.photos import PhotoStore
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.outlets import OutletsScreen
from fieldcrm.ui.outlets import export as exporting
from fieldcrm.ui.outlets.segments import NameDialog
from fieldcrm.ui.preferences import Preferences
from fieldcrm.usecases import outlets
from tests.ui.territory import NAMES, live

EVERY = len(NAMES) + 5


@pytest.fixture
def session(qtbot: Any, db: Database, world: Any, now: datetime, tmp_path: Path) -> Iterator[AppSession]:
    live(db, world, now)
    words.set_language("en")
    theme.apply("light")
    made = AppSession(
        db,
        world.rep,
        clock=lambda: now,
        photos=PhotoStore(tmp_path / "photos", bytes(32)),
        preferences=Preferences(tmp_path),
    )
    yield made
    made.tasks.stop()


@pytest.fixture
def screen(qtbot: Any, session: AppSession) -> OutletsScreen:
    shown = OutletsScreen(session)
    qtbot.addWidget(shown)
    shown.resize(1240, 800)
    shown.show()
    shown.open()
    qtbot.waitUntil(lambda: shown.model.rowCount() == EVERY and "on this device" in shown.count.text())
    return shown


def listed(screen: OutletsScreen) -> list[str]:
    return [screen.model.index(at, 0).data() for at in range(screen.model.rowCount())]


def test_the_list_is_a_good_model(qtbot: Any, qtmodeltester: Any, screen: OutletsScreen) -> None:
    qtmodeltester.check(screen.model)


def test_typing_narrows_the_list_and_enter_opens_the_card(
    qtbot: Any, session: AppSession, screen: OutletsScreen, world: Any
) -> None:
    qtbot.keyClicks(screen.search, "epic halles")
    qtbot.waitUntil(lambda: listed(screen) == ["Épicerie des Halles"])
    qtbot.keyClick(screen.search, Qt.Key.Key_Return)
    assert screen.table.hasFocus()
    with qtbot.waitSignal(session.navigator.moved) as moved:
        qtbot.keyClick(screen.table, Qt.Key.Key_Return)
    assert (moved.args[0].route, moved.args[0].params) == ("outlet", {"id": world.outlets[0]})


def test_escape_in_the_list_goes_back_to_the_search(qtbot: Any, screen: OutletsScreen) -> None:
    screen.table.setFocus()
    qtbot.keyClick(screen.table, Qt.Key.Key_Escape)
    assert screen.search.hasFocus()


def test_chips_filter_and_say_what_they_would_leave(qtbot: Any, screen: OutletsScreen) -> None:
    qtbot.mouseClick(screen.filters.segments["a"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: screen.model.rowCount() == 5)
    qtbot.waitUntil(lambda: "5 of 17" in screen.count.text())
    qtbot.mouseClick(screen.filters.clear_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: screen.model.rowCount() == EVERY)
    menu = screen.filters.types.menu()
    said = [action.text() for action in menu.actions()]
    assert "Hypermarket\t2" in said
    next(action for action in menu.actions() if action.text().startswith("Hypermarket")).trigger()
    qtbot.waitUntil(lambda: listed(screen) == ["Hyper Ouest", "Leclerc Levallois"])
    assert screen.filters.types.text() == "Hypermarket"


def test_filters_are_found_again_at_the_next_start(qtbot: Any, session: AppSession, screen: OutletsScreen) -> None:
    qtbot.mouseClick(screen.filters.segments["a"], Qt.MouseButton.LeftButton)
    again = OutletsScreen(session)
    qtbot.addWidget(again)
    again.open()
    qtbot.waitUntil(lambda: again.model.rowCount() == 5)


def test_columns_are_chosen_and_kept(qtbot: Any, session: AppSession, screen: OutletsScreen) -> None:
    at = [column.key for column in screen.model.columns].index("phone")
    assert screen.table.isColumnHidden(at)
    menu = screen.table.columns_menu()
    next(action for action in menu.actions() if action.text() == "Phone").trigger()
    assert not screen.table.isColumnHidden(at)
    again = OutletsScreen(session)
    qtbot.addWidget(again)
    assert not again.table.isColumnHidden(at)


def test_a_click_on_a_header_sorts_in_sql(qtbot: Any, screen: OutletsScreen) -> None:
    city = [column.key for column in screen.model.columns].index("city")
    screen.table.sortByColumn(city, Qt.SortOrder.DescendingOrder)
    qtbot.waitUntil(lambda: screen.model.row(EVERY - 1).city == "Issy-les-Moulineaux")
    screen.table.sortByColumn(city, Qt.SortOrder.AscendingOrder)
    qtbot.waitUntil(lambda: screen.model.row(0) is not None and screen.model.row(0).city == "Issy-les-Moulineaux")


def test_space_shows_and_hides_the_preview(qtbot: Any, screen: OutletsScreen) -> None:
    screen.table.setFocus()
    assert screen.preview.isVisible()
    qtbot.keyClick(screen.table, Qt.Key.Key_Space)
    assert not screen.preview.isVisible()
    qtbot.keyClick(screen.table, Qt.Key.Key_Space)
    assert screen.preview.isVisible()


def test_below_900_pixels_there_is_one_column(qtbot: Any, screen: OutletsScreen) -> None:
    screen.resize(860, 640)
    qtbot.waitUntil(lambda: not screen.preview.isVisible())
    screen.begin_new()
    assert screen.new_outlet.isVisible() and not screen.states.isVisible()
    screen.new_outlet.left.emit()
    assert screen.states.isVisible()


def test_what_is_not_found_can_be_entered_and_shows_what_looks_like_it(
    qtbot: Any, session: AppSession, screen: OutletsScreen
) -> None:
    qtbot.keyClicks(screen.search, "Qwxz Zyqwx")
    qtbot.waitUntil(lambda: screen.states.currentWidget() is not screen.table)
    screen.begin_new("Epicerie des Halles")
    qtbot.waitUntil(lambda: screen.new_outlet._alike.isVisible())
    form = screen.new_outlet
    form.editor("position").setText("somewhere")
    form.save()
    assert "two numbers" in form._fields["position"].error()
    form.editor("position").setText("")
    form.editor("postcode").setText("7500")
    form.save()
    qtbot.waitUntil(lambda: "postcode" in form._fields["postcode"].error())
    form.editor("postcode").setText("75001")
    with qtbot.waitSignal(session.navigator.moved) as moved:
        form.save()
    made = session.ask(lambda r: outlets.read(r, moved.args[0].params["id"]))
    assert (made.name, made.postcode, made.mapped) == ("Epicerie des Halles", "75001", False)


def test_the_same_search_again_after_clearing_is_a_search(qtbot: Any, screen: OutletsScreen) -> None:
    whole = screen.model.rowCount()
    qtbot.keyClicks(screen.search, "Monoprix")
    qtbot.waitUntil(lambda: 0 < screen.model.rowCount() < whole)
    screen.clear()
    qtbot.waitUntil(lambda: screen.model.rowCount() == whole)
    qtbot.keyClicks(screen.search, "Monoprix")
    qtbot.waitUntil(lambda: 0 < screen.model.rowCount() < whole)


def test_what_looks_like_it_moves_no_field_under_the_hands(qtbot: Any, screen: OutletsScreen) -> None:
    screen.begin_new()
    field = screen.new_outlet.editor("name")
    before = field.mapTo(screen, field.rect().topLeft())
    qtbot.keyClicks(field, "Monoprix Commerce")
    qtbot.waitUntil(lambda: screen.new_outlet._alike.isVisible())
    assert field.mapTo(screen, field.rect().topLeft()) == before


def test_a_change_elsewhere_reaches_the_line(
    qtbot: Any, session: AppSession, screen: OutletsScreen, world: Any
) -> None:
    session.changed.connect(screen.refresh)
    session.do(lambda tx: outlets.edit_outlet(tx, world.outlets[0], {"name": "Aux Halles"}))
    qtbot.waitUntil(lambda: "Aux Halles" in listed(screen))


@pytest.mark.parametrize(("language", "separator"), [("fr", ";"), ("en", ",")])
def test_export_writes_what_is_shown_and_nothing_that_runs(
    qtbot: Any,
    session: AppSession,
    screen: OutletsScreen,
    world: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    separator: str,
) -> None:
    path = tmp_path / "list.csv"
    session.do(lambda tx: outlets.edit_outlet(tx, world.outlets[0], {"name": '=HYPERLINK("http://x")'}))
    answer = (path, exporting.Format.CSV_SHOWN)
    monkeypatch.setattr(exporting.WhereTo, "ask", classmethod(lambda cls, parent, name, last: answer))
    session.changed.connect(screen.refresh)
    qtbot.waitUntil(lambda: any(name.startswith("=HYPER") for name in listed(screen)))
    words.set_language(language)
    with qtbot.waitSignal(session.messages.posted):
        screen.export()
    words.set_language("en")
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    table = list(csv.reader(content.decode("utf-8-sig").splitlines(), delimiter=separator))
    assert len(table) == EVERY + 1
    assert len(table[0]) == 6
    cells = [cell for line in table for cell in line]
    assert '\'=HYPERLINK("http://x")' in cells
    assert not any(cell.startswith(("=", "@", "+")) for cell in cells)


def test_every_control_has_a_name(screen: OutletsScreen) -> None:
    from PySide6.QtGui import QAccessible
    from PySide6.QtWidgets import QWidget

    screen.begin_new()
    nameless = []
    for widget in screen.findChildren(QWidget):
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible():
            interface = QAccessible.queryAccessibleInterface(widget)
            if interface is not None and not interface.text(QAccessible.Text.Name):
                nameless.append(type(widget).__name__)
    assert [name for name in nameless if name not in ("QScrollArea", "ScrollPage", "StateStack")] == []


def test_hostile_text_in_the_search_field_is_only_text(qtbot: Any, screen: OutletsScreen) -> None:
    for typed in ('"', "NEAR(", "🍕", "a\x00b", "* OR *"):
        QLineEdit.setText(screen.search, typed)
        screen.search._emit()
        qtbot.wait(30)
    QLineEdit.setText(screen.search, "halles")
    screen.search._emit()
    qtbot.waitUntil(lambda: listed(screen) == ["Épicerie des Halles"])


def test_a_typing_mistake_is_said_and_taken_back(qtbot: Any, screen: OutletsScreen) -> None:
    qtbot.keyClicks(screen.search, "carefour")
    qtbot.waitUntil(lambda: listed(screen) == ["Carrefour City Beaugrenelle"])
    assert screen.correction.isVisible() and "carrefour" in screen.correction.words.text()
    qtbot.mouseClick(screen.correction.back, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: screen.states.currentWidget() is not screen.table)
    assert not screen.correction.isVisible()


def test_more_filters_stand_in_the_bar_and_a_click_takes_one_away(qtbot: Any, screen: OutletsScreen) -> None:
    screen.more_filters()
    panel = screen.filters.panel
    qtbot.waitUntil(panel.isVisible)
    panel.freshness.setCurrentIndex(panel.freshness.findData(90))
    panel.freshness.activated.emit(panel.freshness.currentIndex())
    qtbot.mouseClick(panel.states["prospect"], Qt.MouseButton.LeftButton)
    qtbot.keyClick(panel, Qt.Key.Key_Escape)
    assert not panel.isVisible()
    said = [chip.text() for chip in screen.filters._active]
    assert said == ["Active", "Not confirmed for 90 days"]
    assert screen.filters.filters(screen._midnight()).unconfirmed_days == 90
    qtbot.mouseClick(screen.filters._active[1], Qt.MouseButton.LeftButton)
    assert screen.filters.filters(screen._midnight()).unconfirmed_days is None
    screen.clear()
    qtbot.waitUntil(lambda: screen.model.rowCount() == EVERY)
    assert not screen.filters._active and not screen.filters.clear_button.isVisible()


def test_a_search_is_saved_chosen_renamed_shared_and_deleted_with_an_undo(
    qtbot: Any, session: AppSession, screen: OutletsScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.changed.connect(screen.refresh)
    answers = [("", False), ("Halles", False), ("Les Halles", False)]
    monkeypatch.setattr(NameDialog, "ask", classmethod(lambda cls, *given: answers.pop(0)))
    button, messages = screen.searches.button, []
    session.messages.posted.connect(messages.append)
    qtbot.keyClicks(screen.search, "halles")
    qtbot.waitUntil(lambda: listed(screen) == ["Épicerie des Halles"])
    screen.searches.keep()  # an empty name is asked for again
    qtbot.waitUntil(lambda: button.text() == "Halles")
    button.chosen.emit(None)
    qtbot.waitUntil(lambda: screen.model.rowCount() == EVERY and button.text() == "All outlets")
    (saved,) = [action for action in button.menu_now().actions() if action.text().startswith("Halles")]
    assert saved.text() == "Halles\t1"
    saved.trigger()
    qtbot.waitUntil(lambda: listed(screen) == ["Épicerie des Halles"])
    assert screen.search.text() == "halles" and button.text() == "Halles"
    qtbot.keyClicks(screen.search, " x")
    qtbot.waitUntil(lambda: button.text() == "Halles (changed)")
    screen.searches.rename(button.current)
    qtbot.waitUntil(lambda: button.text().startswith("Les Halles"))
    screen.searches.share(button.current, True)
    qtbot.waitUntil(lambda: button.current is not None and button.current.shared)
    screen.searches.delete(button.current)
    qtbot.waitUntil(lambda: button.current is None and messages[-1].run is not None)
    messages[-1].run()
    qtbot.waitUntil(lambda: button.text().startswith("Les Halles"))
