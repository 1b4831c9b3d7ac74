"""The organisation's own fields on the screen: added, put in order, retired, each with a way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDropEvent

from fieldcrm.demo import hands
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.shell import MainWindow
from fieldcrm.ui.steward import StewardScreen
from fieldcrm.ui.widgets import EmptyState
from fieldcrm.usecases import customfields
from fieldcrm.usecases.customfields import FieldDetails

Go = Callable[..., Any]
Key = Qt.Key


@pytest.fixture
def three(session: AppSession) -> None:
    def add(tx: Any, name: str, kind: str) -> None:
        customfields.add(tx, FieldDetails({"en": name}, kind))

    for name, kind in (("Cold room", "flag"), ("Contract", "text"), ("Checkouts", "number")):
        session.db.write(
            lambda tx, name=name, kind=kind: add(tx, name, kind), actor=session.actor, now=session.clock()).result()


def names(session: AppSession) -> list[str]:
    return [field.name("en") for field in session.ask(customfields.fields)]


def loaded(page: Any, many: int) -> Any:
    hands.wait_until(f"{many} fields", lambda: page.model.rowCount() == many)
    return page


def test_the_first_field_is_made_from_the_invitation(page: Go, session: AppSession, window: MainWindow) -> None:
    fields = page("fields")
    hands.wait_until("the invitation", lambda: isinstance(fields.state.currentWidget(), EmptyState))
    hands.press(Key.Key_Space, on=fields.state.currentWidget().focusProxy())
    fields.editor.kinds._choose("choice")
    hands.type_text("Contract level", on=fields.editor.names["en"])
    fields.editor.choices.setPlainText("Gold")
    hands.click(fields.editor.save_button)
    hands.wait_until("the reason", lambda: bool(fields.editor._choices.error()))
    assert names(session) == []
    fields.editor.choices.setPlainText("Gold\nSilver")
    hands.press(Key.Key_Return, on=fields.editor.names["en"])
    hands.wait_until("the field", lambda: names(session) == ["Contract level"])
    loaded(fields, 1)
    window.message._act()
    hands.wait_until("the undo", lambda: names(session) == [])


def test_fields_are_put_in_order_by_keys_and_by_dragging(
    three: None, page: Go, session: AppSession, window: MainWindow
) -> None:
    fields = loaded(page("fields"), 3)
    fields.list.select_id(fields.model.id_at(0))
    assert window.table.trigger("steward.field_down")
    hands.wait_until("the order", lambda: names(session) == ["Contract", "Cold room", "Checkouts"])
    hands.settle()
    below = fields.list.visualRect(fields.model.index(2, 0)).bottomLeft() + QPoint(20, -2)
    move, left = Qt.DropAction.MoveAction, Qt.MouseButton.LeftButton
    fields.list.select_id(fields.model.id_at(0))
    fields.list.dropEvent(QDropEvent(QPointF(below), move, QMimeData(), left, Qt.KeyboardModifier.NoModifier))
    hands.wait_until("the order", lambda: names(session) == ["Cold room", "Checkouts", "Contract"])


def test_a_field_is_retired_by_delete_and_used_again(three: None, page: Go, session: AppSession) -> None:
    fields = loaded(page("fields"), 3)
    fields.list.select_id(fields.model.id_at(1))
    hands.press(Key.Key_Delete, on=fields.list)
    hands.wait_until("two left", lambda: names(session) == ["Cold room", "Checkouts"])
    loaded(fields, 2)
    hands.click(fields.retired)
    loaded(fields, 3)
    fields.list.select_id(next(id for id in fields.model.ids() if not fields.model.field(id).active))
    assert fields.editor.retire_button.text() == "Use it again"
    hands.click(fields.editor.retire_button)
    hands.wait_until("three again", lambda: len(names(session)) == 3)


def test_what_was_typed_is_saved_when_the_person_goes_to_another_field(
    three: None, page: Go, session: AppSession
) -> None:
    fields = loaded(page("fields"), 3)
    fields.list.select_id(fields.model.id_at(0))
    hands.wait_until("the field", lambda: fields.editor.names["en"].text() == "Cold room")
    fields.editor.names["en"].setText("Contract")
    fields.list.select_id(fields.model.id_at(2))
    hands.wait_until("the reason", lambda: bool(fields.editor._labels["en"].error()))
    assert fields.list.currentIndex().row() == 0
    fields.editor.names["en"].setText("Walk-in fridge")
    fields.list.select_id(fields.model.id_at(2))
    hands.wait_until("the name", lambda: names(session)[0] == "Walk-in fridge")
    hands.wait_until("the other field", lambda: fields.editor.names["en"].text() == "Checkouts")


def test_the_pages_shrink_to_icons_and_the_last_is_remembered(
    page: Go, window: MainWindow, session: AppSession
) -> None:
    page("fields")
    screen = window.screens["steward"]
    assert isinstance(screen, StewardScreen)
    window.resize(900, 640)
    hands.settle()
    assert {screen.list.item(at).text() for at in range(screen.list.count())} == {""}
    last = screen.list.currentRow()
    assert screen.list.item(last).toolTip() == "Own fields"
    session.navigator.go("steward")
    assert screen.list.currentRow() == last
