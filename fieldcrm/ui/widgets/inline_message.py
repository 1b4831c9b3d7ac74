"""One line of news with an action (Undo), in the flow of the page and never over it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy

from fieldcrm.ui import icons, theme
from fieldcrm.ui.messages import Message
from fieldcrm.ui.widgets import painting
from fieldcrm.ui.widgets.buttons import Button, IconButton
from fieldcrm.ui.widgets.text import Text
from fieldcrm.words import tr

_ICONS = {
    "neutral": "info",
    "accent": "info",
    "success": "circle-check",
    "warning": "triangle-alert",
    "danger": "circle-alert",
}


class _Sign(QFrame):
    def __init__(self) -> None:
        super().__init__()
        self.tone = "neutral"
        side = theme.pixels(18)
        self.setFixedSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = painting.smooth(self)
        icons.paint(painter, _ICONS[self.tone], self.rect(), theme.current().color.tone(self.tone).text)
        painter.end()


class InlineMessage(QFrame):
    """Hidden until ``show_message``; goes by itself after the message's seconds, or stays when they are 0."""

    def __init__(self, *, closable: bool = True) -> None:
        super().__init__()
        self._tone = "neutral"
        self._run: Callable[[], None] | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.space(4), theme.space(1.5), theme.space(2), theme.space(1.5))
        row.setSpacing(theme.space(2.5))
        self._sign = _Sign()
        self._words = Text("", "body", wrap=True)
        self._words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._action = Button("", "ghost", on_click=self._act)
        self._close = IconButton("x", tr("Close"), self.hide, size=16)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._words, 1)
        row.addWidget(self._action)
        row.addWidget(self._close)
        self._close.setVisible(closable)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._expire)
        self.hide()

    def show_message(self, message: Message) -> None:
        self._tone = self._sign.tone = message.tone
        self._run = message.run
        self._words.setText(message.text)
        self.setAccessibleName(message.text)
        self._action.setText(message.action)
        self._action.setVisible(bool(message.action))
        self._timer.stop()
        if message.seconds:
            self._timer.start(message.seconds * 1000)
        self.show()
        self.update()

    def show_text(self, text: str, tone: str = "neutral") -> None:
        """A lasting line without an action."""
        self.show_message(Message(text, tone, seconds=0))

    def text(self) -> str:
        return self._words.text()

    def _act(self) -> None:
        run, self._run = self._run, None
        self.hide()
        if run is not None:
            run()

    def _expire(self) -> None:
        # Somebody who is reaching for Undo is not to miss it.
        if self.underMouse() or self._action.hasFocus():
            self._timer.start(1500)
        else:
            self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        tone = color.tone(self._tone)
        painter = painting.smooth(self)
        painting.ground(painter, self.rect(), tone.soft, tone.solid if theme.current().high_contrast else "")
        painter.end()
