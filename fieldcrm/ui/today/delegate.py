"""How a line of the day is drawn: time, number, name, reasons, and what it takes to get there."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from fieldcrm.ui import icons, reasons, theme
from fieldcrm.ui.report_words import skip_reason
from fieldcrm.ui.today.model import Heading, state_words
from fieldcrm.ui.widgets import ROW_ROLE, painting
from fieldcrm.ui.widgets.rows import row_ground
from fieldcrm.usecases.today import LeftOutRow, StopState, TodayRow
from fieldcrm.words import distance, duration, tr

Index = QModelIndex | QPersistentModelIndex


class DayDelegate(QStyledItemDelegate):
    """Two lines a stop: ``09:10 ③ Name … Next`` over ``Not seen for 34 days · promise due … 12 min · 2.3 km``."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        item = index.data(ROW_ROLE)
        two = theme.metrics("body").height() + theme.metrics("caption").height()
        if isinstance(item, Heading):
            return QSize(theme.space(40), theme.metrics("caption-strong").height() + theme.space(7))
        return QSize(theme.space(40), two + theme.space(6))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        item = index.data(ROW_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect: QRect = option.rect
        if isinstance(item, Heading):
            self._heading(painter, option, item)
        elif item is not None:
            box = rect.adjusted(theme.space(2), 1, -theme.space(2), -1)
            row_ground(painter, option, box)
            inner = box.adjusted(theme.space(2.5), theme.space(2), -theme.space(3), -theme.space(2))
            if isinstance(item, TodayRow):
                self._stop(painter, inner, item, bool(option.state & QStyle.StateFlag.State_MouseOver))
            else:
                self._left_out(painter, inner, item)
        painter.restore()

    def _heading(self, painter: QPainter, option: QStyleOptionViewItem, heading: Heading) -> None:
        color = theme.current().color
        rect: QRect = option.rect
        inner = rect.adjusted(theme.space(4.5), theme.space(3), -theme.space(4), -theme.space(1))
        if heading.folded is not None:
            if option.state & QStyle.StateFlag.State_Selected:
                painting.focus_ring(painter, rect.adjusted(theme.space(2), theme.space(1), -theme.space(2), 0))
            side = theme.pixels(14)
            spot = QRect(inner.x(), inner.center().y() - side // 2, side, side)
            icons.paint(painter, "chevron-right" if heading.folded else "chevron-down", spot, color.muted)
            inner.setLeft(spot.right() + theme.space(1.5))
        painting.words(painter, inner, heading.text, "caption-strong", color.muted)

    # ---- a stop

    def _stop(self, painter: QPainter, inner: QRect, row: TodayRow, hovered: bool) -> None:
        color = theme.current().color
        upper, lower = _halves(inner)
        wide = theme.metrics("body-medium").horizontalAdvance("00:00") + theme.space(2)
        faded = not row.open
        time = QRect(upper.x(), upper.y(), wide, upper.height())
        painting.words(painter, time, reasons.clock(row.arrive), "body-medium", color.faint if faded else color.muted,
                       figures=True)
        if row.travel_minutes and row.open:
            spot = QRect(lower.x(), lower.y(), wide, lower.height())
            painting.words(painter, spot, duration(row.travel_minutes), "caption", color.faint, figures=True)
        left = inner.x() + wide + theme.space(1)
        disc = QRect(left, 0, theme.pixels(26), theme.pixels(26))
        disc.moveCenter(QRect(disc.x(), inner.y(), disc.width(), inner.height()).center())
        _disc(painter, disc, row)
        text = disc.right() + theme.space(3)
        right = self._end(painter, QRect(text, upper.y(), inner.right() - text + 1, upper.height()), row, hovered)
        title = QRect(text, upper.y(), right - text, upper.height())
        painting.words(painter, title, row.name, "body-medium", color.faint if faded else color.text)
        self._second(painter, QRect(text, lower.y(), inner.right() - text + 1, lower.height()), row)

    def _end(self, painter: QPainter, area: QRect, row: TodayRow, hovered: bool) -> int:
        """The badge or the grip at the right of the first line; returns where the name has to end."""
        tone = {StopState.NEXT: "accent", StopState.STARTED: "warning"}.get(row.state)
        right = area.right()
        if tone:
            words = state_words(row.state)
            width = painting.badge_width(words)
            painting.badge(painter, QRect(right - width + 1, area.y(), width, area.height()), words, tone)
            right -= width + theme.space(2)
        side = theme.pixels(15)
        color = theme.current().color
        if row.pinned and row.open:
            icons.paint(painter, "pin", QRect(right - side, area.center().y() - side // 2, side, side), color.faint)
            right -= side + theme.space(2)
        elif hovered and row.open and row.stop_id is not None and not tone:
            spot = QRect(right - side, area.center().y() - side // 2, side, side)
            icons.paint(painter, "grip-vertical", spot, color.faint)
            right -= side + theme.space(2)
        return right

    def _second(self, painter: QPainter, area: QRect, row: TodayRow) -> None:
        color = theme.current().color
        room = area.width()
        if row.distance_m is not None and row.open:
            used = painting.words(painter, area, distance(row.distance_m), "caption", color.faint,
                                  Qt.AlignmentFlag.AlignRight, figures=True)
            room -= used + theme.space(3)
        text = _second_line(row)
        urgent = row.open and row.reasons and row.reasons[0].get("code") in ("returned_report", "promise_due")
        ink = color.faint if not row.open else color.warning_text if urgent else color.muted
        painting.words(painter, QRect(area.x(), area.y(), room, area.height()), text, "caption", ink)

    # ---- a store left out

    def _left_out(self, painter: QPainter, inner: QRect, row: LeftOutRow) -> None:
        color = theme.current().color
        upper, lower = _halves(inner)
        side = theme.pixels(18)
        wide = theme.metrics("body-medium").horizontalAdvance("00:00") + theme.space(3)
        spot = QRect(inner.x() + wide + theme.pixels(4), inner.center().y() - side // 2, side, side)
        icons.paint(painter, _LEFT_ICONS.get(row.reason, "circle-dashed"), spot, color.faint)
        text = inner.x() + wide + theme.pixels(26) + theme.space(3)
        painting.words(painter, QRect(text, upper.y(), inner.right() - text, upper.height()), row.name, "body",
                       color.muted)
        words = reasons.left_out(row.reason, row.params)
        painting.words(painter, QRect(text, lower.y(), inner.right() - text, lower.height()), words, "caption",
                       color.faint)


_LEFT_ICONS = {"closed_today": "lock", "closed_then": "clock", "would_add": "timer", "not_due": "calendar-clock",
               "no_position": "map-pin-off"}


def _halves(inner: QRect) -> tuple[QRect, QRect]:
    share = inner.height() * 54 // 100
    upper = QRect(inner.x(), inner.y(), inner.width(), share)
    return upper, QRect(inner.x(), inner.y() + share, inner.width(), inner.height() - share)


def _second_line(row: TodayRow) -> str:
    if row.state is StopState.SKIPPED:
        return tr("Skipped: {reason}", reason=skip_reason(row.skip_reason))
    if row.stop_id is None:
        return tr("Unplanned visit")
    return reasons.reasons(row.reasons) or row.address


def _disc(painter: QPainter, disc: QRect, row: TodayRow) -> None:
    """The place in the route: full for the next, an edge for the others, a tick or a dash for what is behind."""
    color = theme.current().color
    fill, edge, ink = color.surface, color.accent, color.accent_text
    if row.state in (StopState.NEXT, StopState.STARTED):
        fill, ink = color.accent, color.on_accent
    elif row.state is StopState.DONE:
        fill, edge, ink = color.success_soft, color.success_soft, color.success_text
    elif row.state is StopState.SKIPPED:
        fill, edge, ink = color.neutral_soft, color.neutral_soft, color.neutral_text
    painting.ground(painter, disc, fill, edge, disc.height() / 2)
    center = QPointF(disc.center()) + QPointF(0.5, 0.5)
    pen = QPen(theme.qcolor(ink), 2)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    unit = disc.width() / 26
    if row.state is StopState.DONE:
        points = ((-4.5, 0.5), (-1.2, 3.6), (4.8, -3.6))
        painter.drawPolyline([center + QPointF(x * unit, y * unit) for x, y in points])
    elif row.state is StopState.SKIPPED:
        painter.drawLine(center + QPointF(-4 * unit, 0), center + QPointF(4 * unit, 0))
    elif row.number:
        middle = Qt.AlignmentFlag.AlignHCenter
        painting.words(painter, disc, str(row.number), "caption-strong", ink, middle, figures=True)
