"""How a page of settings is laid out: groups as cards, one line for each setting."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.palettes import PALETTES
from fieldcrm.ui.widgets import Card, Divider, ScrollPage, Text, painting


class Group(Card):
    """A card of settings with a title above its lines."""

    def __init__(self) -> None:
        super().__init__(padding=0, spacing=0)
        self._lines = 0

    def line(self, name: str, note: str, control: QWidget | None, *, below: bool = False) -> None:
        """A setting: its name and what it does at the left, its control at the right; a wide one ``below`` them."""
        if self._lines:
            self.add(Divider())
        self._lines += 1
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(theme.space(5), theme.space(3.5), theme.space(5), theme.space(3.5))
        row.setSpacing(theme.space(6))
        words = QVBoxLayout()
        words.setSpacing(theme.space(0.5))
        words.addWidget(Text(name, "body-medium"))
        if note:
            words.addWidget(Text(note, "caption", "muted", wrap=True))
        row.addLayout(words, 1)
        if control is not None:
            if not control.accessibleName():
                control.setAccessibleName(name)
            if below:
                words.addSpacing(theme.space(2))
                words.addWidget(control, 0, Qt.AlignmentFlag.AlignLeft)
            else:
                row.addWidget(control, 0, Qt.AlignmentFlag.AlignVCenter)
        self.add(holder)

    def whole(self, widget: QWidget) -> None:
        """A line that is all control."""
        if self._lines:
            self.add(Divider())
        self._lines += 1
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(theme.space(5), theme.space(4), theme.space(5), theme.space(4))
        row.addWidget(widget)
        self.add(holder)


class Page(ScrollPage):
    """A titled page of groups."""

    def __init__(self, title: str, note: str = "") -> None:
        super().__init__(width=680, margin=8, spacing=3)
        self.body.addWidget(Text(title, "title"))
        if note:
            self.body.addWidget(Text(note, "body", "muted", wrap=True))
        self.body.addSpacing(theme.space(1))

    def group(self, title: str = "") -> Group:
        if title:
            self.body.addSpacing(theme.space(2))
            self.body.addWidget(Text(title, "body-strong"))
        group = Group()
        self.body.addWidget(group)
        return group

    def end(self) -> None:
        self.body.addStretch(1)


class _Swatch(QAbstractButton):
    """A theme as a little picture of the program in it."""

    def __init__(self, mode: str, name: str) -> None:
        super().__init__()
        self.mode = mode
        self.setText(name)
        self.setAccessibleName(name)
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(theme.pixels(104), theme.pixels(124))

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        picture = QRect(3, 3, self.width() - 6, theme.pixels(66))
        shape = QPainterPath()
        shape.addRoundedRect(picture, theme.RADIUS, theme.RADIUS)
        painter.save()
        painter.setClipPath(shape)
        if self.mode == "system":
            half = picture.width() // 2
            _miniature(painter, picture, "light")
            painter.setClipRect(picture.adjusted(half, 0, 0, 0), Qt.ClipOperation.IntersectClip)
            _miniature(painter, picture, "dark")
        else:
            _miniature(painter, picture, self.mode)
        painter.restore()
        chosen = self.isChecked()
        painter.setPen(QPen(QColor(color.accent if chosen else color.border_strong), 2 if chosen else 1))
        painter.drawRoundedRect(picture, theme.RADIUS, theme.RADIUS)
        if self.hasFocus():
            painting.focus_ring(painter, picture.adjusted(-3, -3, 3, 3), theme.RADIUS + 2)
        words = QRect(0, picture.bottom() + theme.space(1.5), self.width(), theme.pixels(50))
        painter.setFont(theme.font("caption-strong" if chosen else "caption"))
        painter.setPen(QColor(color.accent_text if chosen else color.text))
        painter.drawText(words, Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap, self.text())
        painter.end()


def _miniature(painter: object, box: QRect, name: str) -> None:
    from PySide6.QtGui import QPainter

    assert isinstance(painter, QPainter)
    color = PALETTES[name]
    painter.fillRect(box, QColor(color.canvas))
    rail = QRect(box.x(), box.y(), box.width() // 4, box.height())
    painter.fillRect(rail, QColor(color.rail))
    painter.setPen(Qt.PenStyle.NoPen)
    for at in range(3):
        painter.setBrush(QColor(color.accent if at == 0 else color.neutral))
        painter.drawRoundedRect(rail.x() + 6, rail.y() + 10 + at * 12, rail.width() - 12, 5, 2, 2)
    card = QRect(rail.right() + 8, box.y() + 10, box.width() - rail.width() - 16, box.height() - 20)
    painter.setBrush(QColor(color.surface))
    painter.setPen(QColor(color.border))
    painter.drawRoundedRect(card, 4, 4)
    painter.setPen(Qt.PenStyle.NoPen)
    for at, share in enumerate((0.62, 0.8, 0.45)):
        painter.setBrush(QColor(color.text if at == 0 else color.faint))
        painter.drawRoundedRect(card.x() + 8, card.y() + 8 + at * 11, round((card.width() - 16) * share), 4, 2, 2)


class ThemeChoice(QWidget):
    """``chosen(mode)`` when a theme is picked."""

    chosen = Signal(str)

    def __init__(self, choices: Sequence[tuple[str, str]], mode: str) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.space(2))
        for value, name in choices:
            swatch = _Swatch(value, name)
            swatch.setChecked(value == mode)
            swatch.clicked.connect(lambda _=False, value=value: self.chosen.emit(value))
            row.addWidget(swatch)
