"""Layouts: chips that flow to the next line, a page that scrolls, rows and columns on the grid."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLayout, QLayoutItem, QScrollArea, QVBoxLayout, QWidget

from fieldcrm.ui import theme


def column(spacing: float = 3, margin: float = 0) -> QVBoxLayout:
    made = QVBoxLayout()
    made.setSpacing(theme.space(spacing))
    made.setContentsMargins(*(theme.space(margin),) * 4)
    return made


def row(spacing: float = 2, margin: float = 0) -> QHBoxLayout:
    made = QHBoxLayout()
    made.setSpacing(theme.space(spacing))
    made.setContentsMargins(*(theme.space(margin),) * 4)
    return made


def clear_layout(layout: QLayout) -> None:
    """Take everything out of a layout and throw it away."""
    while (item := layout.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif inner is not None:
            clear_layout(inner)
            inner.deleteLater()


class FlowLayout(QLayout):
    """Items side by side, going on in the next line when there is no room; ``middle`` puts what is low in the middle
    of its line."""

    def __init__(self, parent: QWidget | None = None, spacing: float = 2, *, middle: bool = False) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._middle = middle
        self._gap = theme.space(spacing)
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._place(rect, move=True)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def _place(self, rect: QRect, *, move: bool) -> int:
        """The height that is taken; what is lower than its line stands in the middle of it."""
        y = rect.y()
        for line in self._lines(rect.width()):
            x, high = rect.x(), max(hint.height() for _, hint in line)
            for item, hint in line:
                if move:
                    item.setGeometry(QRect(QPoint(x, y + (high - hint.height()) // 2), hint))
                x += hint.width() + self._gap
            y += high + self._gap
        return max(0, y - self._gap - rect.y())

    def _lines(self, width: int) -> list[list[tuple[QLayoutItem, QSize]]]:
        lines: list[list[tuple[QLayoutItem, QSize]]] = []
        x = 0
        for item in self._items:
            if item.isEmpty():
                continue
            hint = item.sizeHint()
            if not lines or x + hint.width() > width:
                lines.append([])
                x = 0
            lines[-1].append((item, hint))
            x += hint.width() + self._gap
        return lines


class ScrollPage(QScrollArea):
    """A page that scrolls, its content at most ``width`` wide and centred; ``body`` is its layout."""

    def __init__(self, width: int = 0, margin: float = 6, spacing: float = 4) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        page = QWidget()
        page.setProperty("kind", "page")
        outer = QHBoxLayout(page)
        outer.setContentsMargins(*(theme.space(margin),) * 4)
        holder = QWidget()
        if width:
            holder.setMaximumWidth(theme.pixels(width))
        self.body = QVBoxLayout(holder)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(theme.space(spacing))
        if width:
            outer.addStretch(1)
        outer.addWidget(holder, 1000)
        if width:
            outer.addStretch(1)
        self.setWidget(page)
