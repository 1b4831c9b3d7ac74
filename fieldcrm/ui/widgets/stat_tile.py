"""A figure that can be defended: its name, its value, what it rests on, and how it went."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QHBoxLayout

from fieldcrm.ui import theme
from fieldcrm.ui.widgets.badges import Badge
from fieldcrm.ui.widgets.card import Card
from fieldcrm.ui.widgets.charts import Sparkline
from fieldcrm.ui.widgets.text import Text


class StatTile(Card):
    """``value`` large, ``note`` below (``143 of 180 stores``), an optional trend and badge; ``clicked`` opens it."""

    def __init__(self, label: str, value: str = "–", note: str = "", *, clickable: bool = False) -> None:
        super().__init__(padding=4, spacing=1, clickable=clickable)
        head = QHBoxLayout()
        head.setSpacing(theme.space(2))
        self._label = Text(label, "body-medium", "muted")
        self._badge = Badge()
        self._badge.hide()
        head.addWidget(self._label)
        head.addStretch(1)
        head.addWidget(self._badge)
        middle = QHBoxLayout()
        middle.setSpacing(theme.space(3))
        self._value = Text(value, "figure")
        self._trend = Sparkline()
        self._trend.hide()
        middle.addWidget(self._value)
        middle.addStretch(1)
        middle.addWidget(self._trend, 2)
        self._note = Text(note, "caption", "faint", wrap=True)
        self.add(head)
        self.add(middle)
        self.add(self._note)
        self.set(value, note)

    def set(self, value: str, note: str = "", trend: Sequence[float | None] = ()) -> None:
        self._value.setText(value)
        self._note.setText(note)
        self._note.setVisible(bool(note))
        self._trend.setVisible(len(trend) > 1)
        self._trend.set_values(trend)
        self.setAccessibleName(f"{self._label.text()}: {value}. {note}")

    def set_badge(self, text: str, tone: str = "neutral") -> None:
        self._badge.set(text, tone)
        self._badge.setVisible(bool(text))
