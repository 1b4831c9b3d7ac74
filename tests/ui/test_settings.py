"""Settings apply at once, are kept, and refuse what cannot work."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QComboBox, QLineEdit, QTextBrowser

from fieldcrm.store.database import Database
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.diagnostics import LOG_NAME, report
from fieldcrm.ui.preferences import Preferences
from fieldcrm.ui.settings import pages
from fieldcrm.ui.settings.keys import ShortcutEditor
from fieldcrm.ui.settings.layout import ThemeChoice
from fieldcrm.ui.shell import MainWindow
from fieldcrm.ui.widgets import Field, SegmentedControl, Switch


def test_a_theme_is_chosen_by_keyboard_and_kept(qtbot: Any, window: MainWindow, db: Database) -> None:
    choice = window.screens["settings"].findChild(ThemeChoice)
    dark = next(button for button in choice.children() if getattr(button, "mode", "") == "dark")
    qtbot.keyClick(dark, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: theme.current().name == "dark")
    window.session.preferences.save()
    assert Preferences(db.folder).theme == "dark"


def test_larger_text_makes_larger_letters(qtbot: Any, window: MainWindow) -> None:
    before = theme.metrics().height()
    window.table.trigger("view.larger")
    assert theme.current().text_size == 112 and theme.metrics().height() > before


def test_the_language_control_speaks_at_once(qtbot: Any, window: MainWindow) -> None:
    controls = window.screens["settings"].findChildren(SegmentedControl)
    language = next(control for control in controls if control.accessibleName().startswith("Language"))
    qtbot.keyClick(language, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: window.windowTitle().startswith("Réglages"))


def test_the_online_layer_is_off_and_its_address_is_checked(qtbot: Any, desk: AppSession) -> None:
    page = pages.capture(desk)
    qtbot.addWidget(page)
    assert desk.preferences.online_map is False
    switch, field = page.findChild(Switch), page.findChild(Field)
    switch.click()
    assert desk.preferences.online_map is True and field.isEnabled()
    edit = field.findChild(QLineEdit)
    edit.setText("tiles.example.org")
    edit.editingFinished.emit()
    assert "https://" in field.error() and desk.preferences.online_tiles_url == ""
    edit.setText("https://tiles.example.org/{z}/{x}/{y}.png")
    edit.editingFinished.emit()
    assert field.error() == "" and desk.preferences.online_tiles_url.startswith("https://tiles")


def test_the_size_of_photos_is_kept(qtbot: Any, desk: AppSession) -> None:
    page = pages.capture(desk)
    qtbot.addWidget(page)
    page.findChild(QComboBox).setCurrentIndex(2)
    assert desk.preferences.photo_pixels == 2048


def test_keys_that_are_taken_are_refused_with_the_name_of_who_has_them(qtbot: Any, window: MainWindow) -> None:
    editor = ShortcutEditor(window.session)
    qtbot.addWidget(editor)
    undo = editor._editors["edit.undo"]
    undo.setKeySequence(QKeySequence("Ctrl+K"))
    undo.editingFinished.emit()
    assert editor.message.text() == "Ctrl+K is taken by “Search everything”."
    assert undo.keySequence().toString() == "Ctrl+Z" and window.session.preferences.own_keys == {}


def test_own_keys_work_at_once_and_go_back(qtbot: Any, window: MainWindow) -> None:
    editor = ShortcutEditor(window.session)
    qtbot.addWidget(editor)
    undo = editor._editors["edit.undo"]
    undo.setKeySequence(QKeySequence("Ctrl+U"))
    undo.editingFinished.emit()
    action = next(a for a in window.table.actions() if a.id == "edit.undo")
    assert window.table.keys(action) == ("Ctrl+U",)
    editor._reset()
    assert window.table.keys(action) == ("Ctrl+Z",)


def test_the_report_names_versions_and_no_person(desk: AppSession) -> None:
    (desk.folder / LOG_NAME).write_text("a line of the log\n", encoding="utf-8")
    text = report(desk)
    assert "Qt 6" in text and "fieldcrm.db" in text and "a line of the log" in text
    assert "Asha" not in text and "Verne" not in text


def test_the_licences_of_icons_and_font_are_shown(qtbot: Any, desk: AppSession) -> None:
    page = pages.about(desk)
    qtbot.addWidget(page)
    shown = page.findChild(QTextBrowser).toPlainText()
    assert "ISC License" in shown and "SIL OPEN FONT LICENSE" in shown


def test_a_damaged_preference_falls_back(desk: AppSession) -> None:
    desk.preferences.set_state("window", desk.preferences.state("none"))
    desk.preferences._put("look/text_size", "huge")
    assert desk.preferences.text_size == 100
    desk.preferences._put("columns", "{not json")
    assert desk.preferences.json("columns", []) == []


@pytest.mark.parametrize("name", ["theme", "language"])
def test_setting_the_same_value_again_tells_nobody(qtbot: Any, desk: AppSession, name: str) -> None:
    with qtbot.assertNotEmitted(desk.preferences.changed):
        setattr(desk.preferences, name, getattr(desk.preferences, name))
