"""Working the real screens as a person does: keys and clicks, and waiting until the program has answered."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QEventLoop, QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

WAIT_SECONDS = 30.0

W = TypeVar("W", bound=QWidget)
Key = Qt.Key
NO_MODIFIER = Qt.KeyboardModifier.NoModifier


class NoAnswer(Exception):
    """The program did not do in time what was waited for."""


def settle(milliseconds: int = 30) -> None:
    """Let the program work through what is waiting for it, in this thread and in the others.

    An event loop of its own and not ``QTest.qWait``, which keeps Python's lock while it waits: the threads that read,
    write and sync would stand still.
    """
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def wait_until(what: str, true: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
    """Give the program time until ``true()``; raises ``NoAnswer`` naming ``what`` was waited for."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise NoAnswer(what)
        settle(20)


def activate(window: QWidget) -> None:
    """Make a window the one that has the keyboard; without a window system nobody else does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # activateWindow() asks a window system that is not there
        QApplication.setActiveWindow(window)


def press(key: Qt.Key, modifier: Qt.KeyboardModifier = NO_MODIFIER, *, on: QWidget | None = None) -> None:
    """One key, to the widget that has the focus unless another is named."""
    QTest.keyClick(on or focused(), key, modifier)
    settle(5)


def type_text(text: str, *, on: QWidget | None = None) -> None:
    """Each key to whatever has the focus by then: the first may open a field that the next ones fill."""
    for character in text:
        QTest.keyClicks(on or focused(), character)
    settle(5)


def click(widget: QWidget, at: QPoint | None = None) -> None:
    """The left button in the middle of a widget, or at a place in it. Raises ``NoAnswer`` for what nobody can click."""
    if not widget.isVisible() or not widget.isEnabled():
        raise NoAnswer(f"{widget.metaObject().className()} can be clicked")
    place = at if at is not None else widget.rect().center()
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, NO_MODIFIER, place)
    settle(5)


def drop_files(widget: QWidget, files: Sequence[Path]) -> None:
    """Drag files onto a widget and let them go there."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    place, copy, left = widget.rect().center(), Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    entered = QDragEnterEvent(place, copy, mime, left, NO_MODIFIER)
    QApplication.sendEvent(widget, entered)
    if not entered.isAccepted():
        raise NoAnswer("the files are welcome there")
    QApplication.sendEvent(widget, QDropEvent(QPointF(place), copy, mime, left, NO_MODIFIER))
    settle(5)


def focused() -> QWidget:
    """The widget that keys go to."""
    widget = QApplication.focusWidget() or QApplication.activeWindow()
    if widget is None:
        raise NoAnswer("something has the focus")
    return widget


def the(parent: QWidget, kind: type[W], true: Callable[[W], bool] = lambda widget: True) -> W:
    """The first visible child of a kind for which ``true``, once there is one; ``NoAnswer`` when none comes."""

    def found() -> W | None:
        return next((widget for widget in parent.findChildren(kind) if widget.isVisible() and true(widget)), None)

    wait_until(f"a {kind.__name__} is there", lambda: found() is not None)
    widget = found()
    assert widget is not None
    return widget


def button(parent: QWidget, text: str) -> QAbstractButton:
    """The visible button with this text, or this name for screen readers."""

    def named(one: QAbstractButton) -> bool:
        return text in (one.text().replace("&", ""), one.accessibleName())

    return the(parent, QAbstractButton, named)
