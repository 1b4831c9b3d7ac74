"""History like a browser's; one table of actions behind menus, keys and palette."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMainWindow

from fieldcrm.ui.actions import Action, ActionTable
from fieldcrm.ui.navigator import Navigator


def places(navigator: Navigator) -> list[str]:
    seen: list[str] = []
    navigator.moved.connect(lambda place: seen.append(place.route))
    return seen


def test_back_and_forward_walk_the_history(qapp: object) -> None:
    navigator = Navigator()
    seen = places(navigator)
    for route in ("today", "outlets", "sync"):
        navigator.go(route)
    navigator.back()
    navigator.back()
    navigator.forward()
    assert seen == ["today", "outlets", "sync", "outlets", "today", "outlets"]
    navigator.go("review")
    assert not navigator.can_go_forward


def test_going_where_one_is_adds_no_history(qapp: object) -> None:
    navigator = Navigator()
    navigator.go("outlet", id=1)
    navigator.go("outlet", id=1)
    assert not navigator.can_go_back


def test_a_sent_form_is_not_come_back_to(qapp: object) -> None:
    navigator = Navigator()
    navigator.go("today")
    navigator.go("visit", draft=1)
    navigator.replace("outlet", id=2)
    navigator.back()
    assert navigator.here is not None and navigator.here.route == "today"


def table_of(qtbot: Any, *actions: Action, own: dict[str, str] | None = None) -> ActionTable:
    window = QMainWindow()
    qtbot.addWidget(window)
    table = ActionTable(window, own)
    table.register(actions)
    table.setProperty("window", window)
    return table


def test_keys_answer_as_soon_as_the_action_may_though_nothing_else_has_asked_it(qtbot: Any) -> None:
    """A visit's draft arrives after its keys were made: Ctrl+Enter must not stay dead."""
    done: list[int] = []
    ready: list[bool] = []
    action = Action("a", "A", lambda: done.append(1), ("Ctrl+Return",), enabled=lambda: bool(ready))
    window = table_of(qtbot, action).property("window")
    window.show()
    with qtbot.waitActive(window):
        window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert done == []
    ready.append(True)
    qtbot.keyClick(window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert done == [1]
    ready.clear()
    qtbot.keyClick(window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert done == [1]


def test_an_action_that_is_not_enabled_does_nothing(qtbot: Any) -> None:
    done: list[int] = []
    table = table_of(qtbot, Action("a", "A", lambda: done.append(1), enabled=lambda: False))
    assert not table.trigger("a") and done == []


def test_own_keys_replace_the_usual_ones_and_clashes_are_found(qtbot: Any) -> None:
    one, two = Action("a", "A", lambda: None, ("Ctrl+1",)), Action("b", "B", lambda: None, ("Ctrl+2",))
    table = table_of(qtbot, one, two, own={"b": "Ctrl+1"})
    assert table.keys(two) == ("Ctrl+1",)
    assert table.clashes() == [("Ctrl+1", "a", "b")]
    table.set_overrides({"b": ""})
    assert table.keys(two) == () and table.clashes() == []


def test_actions_of_a_screen_answer_only_while_it_is_in_front(qtbot: Any) -> None:
    done: list[str] = []
    table = table_of(qtbot, Action("a", "A", lambda: done.append("a")))
    table.register([Action("s", "S", lambda: done.append("s"))], "outlets")
    assert not table.trigger("s")
    table.bring_to_front("outlets")
    assert table.trigger("s") and table.trigger("a") and done == ["s", "a"]
