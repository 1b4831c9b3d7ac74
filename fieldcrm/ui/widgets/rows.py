"""Rows that are drawn: the two-line row of lists, and the cells of tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from fieldcrm.ui import icons, theme
from fieldcrm.ui.widgets import painting
from fieldcrm.ui.widgets.badges import paint_avatar
from fieldcrm.ui.widgets.lists import ROW_ROLE, Index, PageModel


@dataclass(frozen=True)
class TwoLine:
    """What a two-line row shows. One of ``number``, ``icon`` or ``avatar`` leads it."""

    title: str
    subtitle: str = ""
    number: str = ""  # in a disc: the order in a route
    icon: str = ""
    avatar: str = ""
    trailing: str = ""  # right, first line
    trailing_note: str = ""  # right, second line
    badge: str = ""
    tone: str = "neutral"  # of the badge, and of the disc when ``number`` or ``icon`` is given
    faded: bool = False  # done, skipped: steps back


class TwoLineDelegate(QStyledItemDelegate):
    """Draws ``describe(row)`` with room to breathe. Rows are as high as two lines and their padding."""

    def __init__(self, describe: Callable[[Any], TwoLine], parent: Any = None, *, dividers: bool = False) -> None:
        super().__init__(parent)
        self._describe = describe
        self._dividers = dividers

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        height = theme.metrics("body").height() + theme.metrics("caption").height() + theme.space(7)
        return QSize(theme.space(50), height)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(ROW_ROLE)
        if row is None:
            return
        line = self._describe(row)
        rect: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = rect.adjusted(theme.space(1.5), 1, -theme.space(1.5), -1)
        row_ground(painter, option, box)
        if self._dividers:
            painter.fillRect(rect.left() + theme.space(4), rect.bottom(), rect.width() - theme.space(8), 1,
                             theme.qcolor(theme.current().color.border))
        inner = box.adjusted(theme.space(2.5), theme.space(2.5), -theme.space(3), -theme.space(2.5))
        left = self._lead(painter, inner, line)
        self._lines(painter, QRect(left, inner.y(), inner.right() - left, inner.height()), line)
        painter.restore()

    def _lead(self, painter: QPainter, inner: QRect, line: TwoLine) -> int:
        if not (line.number or line.icon or line.avatar):
            return inner.x()
        color = theme.current().color
        side = theme.pixels(32)
        disc = QRect(inner.x(), inner.y() + (inner.height() - side) // 2, side, side)
        tone = color.tone("neutral" if line.faded else line.tone)
        if line.avatar:
            paint_avatar(painter, disc, line.avatar, square=True)
        else:
            painting.ground(painter, disc, tone.soft, "", side / 2 if line.number else theme.RADIUS)
            if line.number:
                painting.words(painter, disc, line.number, "body-strong", tone.text, Qt.AlignmentFlag.AlignHCenter,
                               figures=True)
            else:
                small = theme.pixels(18)
                spot = QRect(0, 0, small, small)
                spot.moveCenter(disc.center())
                icons.paint(painter, line.icon, spot, tone.text)
        return disc.right() + theme.space(3)

    def _lines(self, painter: QPainter, area: QRect, line: TwoLine) -> None:
        color = theme.current().color
        upper = QRect(area.x(), area.y(), area.width(), area.height() // 2)
        lower = QRect(area.x(), upper.bottom() + 1, area.width(), area.height() - upper.height())
        room = [upper.width(), lower.width()]
        if line.badge:
            width = min(painting.badge_width(line.badge), area.width() // 2)
            spot = QRect(upper.right() - width + 1, upper.y(), width, upper.height())
            if not line.trailing_note and not line.trailing:
                spot = QRect(spot.x(), area.y(), width, area.height())
                room[1] -= width + theme.space(3)
            painting.badge(painter, spot, line.badge, line.tone)
            room[0] -= width + theme.space(3)
        if line.trailing:
            spot = QRect(upper.x(), upper.y(), room[0], upper.height())
            used = painting.words(painter, spot, line.trailing, "body-medium", color.muted,
                                  Qt.AlignmentFlag.AlignRight, figures=True)
            room[0] -= used + theme.space(3)
        if line.trailing_note:
            used = painting.words(painter, lower, line.trailing_note, "caption", color.faint,
                                  Qt.AlignmentFlag.AlignRight, figures=True)
            room[1] -= used + theme.space(3)
        title = color.faint if line.faded else color.text
        painting.words(painter, QRect(upper.x(), upper.y(), room[0], upper.height()), line.title, "body-medium", title)
        subtitle = color.faint if line.faded else color.muted
        spot = QRect(lower.x(), lower.y(), room[1], lower.height())
        painting.words(painter, spot, line.subtitle, "caption", subtitle)


def row_ground(painter: QPainter, option: QStyleOptionViewItem, box: QRect) -> None:
    """The ground of a row: selected, under the mouse, or none; a ring when it has the focus."""
    color = theme.current().color
    state = option.state
    if state & QStyle.StateFlag.State_Selected:
        painting.ground(painter, box, color.selected, color.border_strong if theme.current().high_contrast else "")
        if state & QStyle.StateFlag.State_HasFocus:
            painting.focus_ring(painter, box)
    elif state & QStyle.StateFlag.State_MouseOver:
        painting.ground(painter, box, color.hover)


class CellDelegate(QStyledItemDelegate):
    """The cells of a PageTable: words in the column's tone, badges, one ground for the whole row."""

    hovered_row = -1

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(theme.space(20), theme.pixels(44))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        row = index.data(ROW_ROLE)
        if row is None or not isinstance(model, PageModel):
            return
        column = model.columns[index.column()]
        color = theme.current().color
        rect: QRect = option.rect
        state = option.state
        painter.save()
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if selected or index.row() == self.hovered_row:
            painter.fillRect(rect, theme.qcolor(color.selected if selected else color.hover))
        if selected and index.column() == 0:
            painter.fillRect(rect.x(), rect.y(), 3, rect.height(), theme.qcolor(color.accent))
        painter.fillRect(rect.x(), rect.bottom(), rect.width(), 1, theme.qcolor(color.border))
        inner = rect.adjusted(theme.space(3), 0, -theme.space(3), 0)
        text = column.text(row)
        if column.badge is not None and text:
            painting.badge(painter, inner, text, column.badge(row))
        else:
            tone = getattr(color, column.tone(row)) if column.tone is not None else color.text
            side = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
            style = "body-medium" if column.strong else "body"
            painting.words(painter, inner, text, style, tone, side, figures=column.right or column.figures)
        painter.restore()
