"""Text at 125 and 150 % in the smallest window: no words cut or on one another, and no control out of sight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from fieldcrm import words
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.gallery import sync_states
from fieldcrm.ui.settings.screen import SettingsScreen
from fieldcrm.ui.sync_center import SyncScreen
from fieldcrm.ui.widgets import Button, EmptyState, Text
from fieldcrm.ui.widgets.states import Emblem
from fieldcrm.usecases.second_copy import Copier
from fieldcrm.usecases.syncing import Supervisor
from tests.conftest import NOW

ROOM = {125: (940, 490), 150: (920, 430)}  # what the frame leaves to a screen in a window of 1024x640


@pytest.fixture(params=sorted(ROOM))
def size(request: pytest.FixtureRequest, desk: AppSession) -> Iterator[int]:
    words.set_language("fr")  # the longer one
    theme.apply("light", request.param)
    yield request.param
    theme.apply("light")
    words.set_language("en")


@pytest.fixture
def centre(desk: AppSession, size: int, qtbot: Any) -> SyncScreen:
    assert desk.photos is not None
    desk.sync = Supervisor(desk.db, desk.photos, desk.actor, lambda: None, clock=desk.clock)  # type: ignore[arg-type, return-value]
    made = SyncScreen(desk)
    qtbot.addWidget(made)
    made.resize(*ROOM[size])
    made.show()
    made.open()
    qtbot.waitUntil(lambda: made._found is not None)
    return made


def whole(label: Text) -> bool:
    return not label.isVisible() or label.height() >= label.heightForWidth(label.width())


@pytest.mark.parametrize("at", range(len(sync_states(NOW))))
def test_every_standing_of_a_sync_is_told_in_whole_lines(centre: SyncScreen, qtbot: Any, at: int) -> None:
    head = centre.head
    head.show_state(sync_states(NOW)[at], NOW)
    for tab in range(5):
        centre.tabs.setCurrentIndex(tab)
        qtbot.wait(1)
        assert whole(head.title) and whole(head.held) and whole(head.detail), (tab, head.title.text())
        for button in head.findChildren(Button):
            corner = button.mapTo(centre, QPoint(button.width(), button.height()))
            assert not button.isVisible() or centre.rect().contains(corner), button.accessibleName()
            assert not button.isVisible() or button.text() or button.accessibleName()
    assert centre.pages.height() > centre.height() / 3, "the lists are what one came for"


def test_the_history_leaves_every_tab_in_sight_and_its_empty_page_readable(centre: SyncScreen, qtbot: Any) -> None:
    centre.tabs.setCurrentIndex(4)
    qtbot.wait(10)
    assert centre.tabs.tabRect(0).left() >= 0 and centre.tabs.tabRect(4).right() <= centre.tabs.width()
    empty = centre.states[4].currentWidget()
    assert isinstance(empty, EmptyState)
    emblem = empty.findChild(Emblem)
    below = [label for label in empty.findChildren(Text) if label.isVisible()]
    assert below and all(whole(label) for label in below)
    assert not emblem.isVisible() or all(label.y() >= emblem.geometry().bottom() for label in below)


@pytest.mark.parametrize("page", ["look", "account", "capture", "data", "keys", "about"])
def test_no_setting_is_out_of_sight(desk: AppSession, size: int, qtbot: Any, page: str) -> None:
    assert desk.photos is not None
    desk.identity = replace(desk.identity, server_url="https://crm.une-organisation-au-nom-long.example.org")
    desk.sync = Supervisor(desk.db, desk.photos, desk.actor, lambda: None, clock=desk.clock)  # type: ignore[arg-type, return-value]
    desk.copier = Copier(desk.db, desk.actor, clock=desk.clock)
    made = SettingsScreen(desk)
    qtbot.addWidget(made)
    made.resize(*ROOM[size])
    made.show()
    made.open(page=page)
    qtbot.wait(10)
    shown = made._made[page]
    inside = shown.widget()
    assert inside is not None and inside.width() <= shown.viewport().width()
    for widget in inside.findChildren(QWidget):
        right = widget.mapTo(inside, QPoint(widget.width(), 0)).x()
        assert not widget.isVisible() or right <= inside.width(), (type(widget).__name__, widget.accessibleName())
