"""The frame: places, palette, keys, messages, live language and theme, the line of sync."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QWidget

from fieldcrm import words
from fieldcrm.domain.changes import Changes, changed
from fieldcrm.domain.ids import new_id
from fieldcrm.store.outbox import Waiting
from fieldcrm.ui import theme
from fieldcrm.ui.actions import Action
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.shell import MainWindow, routes
from fieldcrm.ui.shell.status import line, to_send, tone
from fieldcrm.usecases.sync_state import Phases, SyncState
from tests.world import World

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Stand(QWidget):
    """A screen that remembers what it was told."""

    made = 0

    def __init__(self, session: AppSession) -> None:
        super().__init__()
        Stand.made += 1
        self.told: list[object] = []
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("stand")

    def open(self, **params: object) -> None:
        self.told.append(("open", params))

    def refresh(self, changes: Changes) -> None:
        self.told.append(changes)

    def actions(self) -> list[Action]:  # type: ignore[override]
        return [Action("stand.act", "Act here", lambda: self.told.append("acted"), ("Ctrl+J",))]

    def leaving(self) -> None:
        self.told.append("leaving")


@pytest.fixture
def stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every place but the settings shows a stand."""
    real = routes.make
    monkeypatch.setattr(routes, "make", lambda route, s: real(route, s) if route == "settings" else Stand(s))


def titles(window: MainWindow) -> list[str]:
    return [found.title for found in window.palette_panel.entries()]


def test_a_rep_begins_with_the_day_and_a_manager_with_the_review() -> None:
    assert routes.rail_of(False) == ("today", "outlets", "sync", "settings")
    assert routes.rail_of(True)[0] == "review" and "today" not in routes.rail_of(True)


def test_an_empty_palette_begins_with_the_screen_and_never_with_quitting(window: MainWindow, stands: None) -> None:
    window.open_palette()
    offered = titles(window)
    assert offered[-1] == "Quit" or "Quit" not in offered
    assert offered[0] != "Quit"


def test_the_palette_finds_an_outlet_without_its_accent_and_opens_it(
    qtbot: Any, window: MainWindow, stands: None, world: World
) -> None:
    window.open_palette()
    qtbot.keyClicks(window.palette_panel.field, "epicerie")
    qtbot.waitUntil(lambda: "Épicerie des Halles" in titles(window))
    qtbot.keyClick(window.palette_panel.field, Qt.Key.Key_Return)
    here = window.session.navigator.here
    assert here is not None and (here.route, here.params["id"]) == ("outlet", world.outlets[0])
    assert not window.palette_panel.isVisible()


def test_the_palette_does_an_action_by_a_part_of_its_name(qtbot: Any, window: MainWindow, stands: None) -> None:
    window.open_palette()
    qtbot.keyClicks(window.palette_panel.field, "sync")
    assert titles(window)[0] == "Go to Sync"
    qtbot.keyClick(window.palette_panel.field, Qt.Key.Key_Return)
    assert window.screens["sync"].isVisible()


def test_what_is_not_there_is_said(qtbot: Any, window: MainWindow) -> None:
    window.open_palette()
    qtbot.keyClicks(window.palette_panel.field, "qqqqzzzz")
    qtbot.waitUntil(lambda: titles(window) == [])


def test_escape_gives_the_focus_back(qtbot: Any, window: MainWindow, stands: None) -> None:
    window.session.navigator.go("outlets")
    stand = window.screens["outlets"]
    window.activateWindow()
    stand.setFocus()
    window.open_palette()
    assert QApplication.focusWidget() is window.palette_panel.field
    qtbot.keyClick(window.palette_panel.field, Qt.Key.Key_Escape)
    assert QApplication.focusWidget() is stand


def test_keys_go_to_places_and_back(qtbot: Any, window: MainWindow, stands: None) -> None:
    window.table.trigger("go.outlets")
    window.table.trigger("go.sync")
    window.table.trigger("go.back")
    assert window.stack.currentWidget() is window.screens["outlets"]
    assert window.windowTitle() == "Outlets – FieldCRM"
    assert window.screens["sync"].told[-1] == "leaving"  # type: ignore[attr-defined]


def test_a_change_refreshes_only_the_screen_in_front_and_the_others_are_opened_again(
    window: MainWindow, stands: None
) -> None:
    navigator = window.session.navigator
    navigator.go("outlets")
    navigator.go("sync")
    behind, front = window.screens["outlets"], window.screens["sync"]
    change = changed("outlet", [new_id(NOW)])
    window.session.announce(change)
    assert front.told[-1] is change  # type: ignore[attr-defined]
    assert behind.told == [("open", {}), "leaving"]  # type: ignore[attr-defined]
    navigator.back()
    assert behind.told[-1] == ("open", {})  # type: ignore[attr-defined]


def test_actions_of_a_screen_go_when_it_goes(window: MainWindow, stands: None) -> None:
    window.session.navigator.go("outlets")
    assert window.table.trigger("stand.act")
    window.session.navigator.go("settings")
    assert not window.table.trigger("stand.act")


def test_no_two_actions_have_the_same_keys(window: MainWindow) -> None:
    assert window.table.clashes() == []


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_action_has_a_name_and_mnemonics_of_a_menu_differ(window: MainWindow, language: str) -> None:
    words.set_language(language)
    window._register_everywhere()
    actions = window.table.actions()
    assert all(action.name for action in actions)
    for menu in {action.menu for action in actions} - {""}:
        letters = [a.text[a.text.index("&") + 1].lower() for a in actions if a.menu == menu and "&" in a.text]
        assert len(letters) == len(set(letters)), (menu, letters)


def test_the_language_switches_live_and_the_place_stays(qtbot: Any, window: MainWindow) -> None:
    window.session.preferences.language = "fr"
    qtbot.waitUntil(lambda: window.windowTitle() == "Réglages – FieldCRM")
    assert window.rail.view.currentIndex().data() == "Réglages"
    assert window.menuBar().actions()[0].text() == "&Fichier"


def test_the_theme_switches_live(qtbot: Any, window: MainWindow) -> None:
    window.session.preferences.theme = "dark"
    assert theme.current().dark
    before = window.rail
    qtbot.waitUntil(lambda: window.rail is not before)
    assert window.palette().window().color().name() == theme.current().color.canvas


def test_f6_goes_round_the_areas_and_comes_back(qtbot: Any, window: MainWindow) -> None:
    window.activateWindow()
    window.rail.focus_list()
    seen = []
    for _ in window.areas:
        window.step_area(1)
        focus = QApplication.focusWidget()
        seen.append(next(at for at, area in enumerate(window.areas) if area is focus or area.isAncestorOf(focus)))
    assert seen == [*range(1, len(window.areas)), 0]


def test_a_narrow_window_keeps_the_icons_of_the_rail(qtbot: Any, window: MainWindow) -> None:
    wide = window.rail.width()
    window.resize(800, 600)
    qtbot.waitUntil(lambda: window.rail.width() < wide / 2)


def test_a_message_offers_to_undo(qtbot: Any, window: MainWindow) -> None:
    undone: list[int] = []
    window.session.messages.done("Phone changed", undo=lambda: undone.append(1))
    assert window.message.isVisible() and window.message.text() == "Phone changed"
    qtbot.mouseClick(window.message._action, Qt.MouseButton.LeftButton)
    assert undone == [1]


def test_the_shortcut_help_lists_what_the_keyboard_can_do(window: MainWindow) -> None:
    window.open_shortcuts()
    assert window.shortcuts.isVisible()
    window.shortcuts.vanish()


VERIFIED = NOW - timedelta(minutes=18)


@pytest.mark.parametrize(("state", "said", "meant"), [
    (SyncState(), "Saved on this device", "neutral"),
    (SyncState(verified_at=VERIFIED), "Everything is verified at headquarters · last verified", "success"),
    (SyncState(Phases.OFFLINE, Waiting(visits=3), verified_at=VERIFIED), "3 visits saved on this device · ", "warning"),
    (SyncState(waiting=Waiting(decisions=2)), "2 changes need your decision", "danger"),
    (SyncState(Phases.NEEDS_SIGN_IN, problem="sign_in_needed"), "Saved on this device · Sign in again", "danger"),
])
def test_the_line_of_sync_says_where_the_work_is(state: SyncState, said: str, meant: str) -> None:
    words.set_language("en")
    assert line(state, NOW).startswith(said)
    assert tone(state) == meant


def test_the_number_beside_the_sync_counts_a_visit_and_its_report_once() -> None:
    assert to_send(SyncState(waiting=Waiting(visits=1, reports=1, changes=2, photos=2, transactions=3))) == 5
    assert to_send(SyncState(waiting=Waiting(reports=1, transactions=1))) == 1


def test_offline_is_said_last() -> None:
    state = replace(SyncState(verified_at=VERIFIED), phase=Phases.OFFLINE)
    assert line(state, NOW).endswith(" · offline")


def test_everything_that_takes_the_focus_has_a_name(window: MainWindow) -> None:
    pages = ("look", "account", "capture", "data", "keys", "about")
    nameless = []
    for page in pages:
        window.session.navigator.go("settings", page=page)
        QApplication.processEvents()
        for widget in window.findChildren(QWidget):
            if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
                seen = QAccessible.queryAccessibleInterface(widget)
                if not seen.text(QAccessible.Text.Name):
                    nameless.append(f"{page}: {type(widget).__name__} in {type(widget.parent()).__name__}")
    assert sorted(set(nameless)) == []
