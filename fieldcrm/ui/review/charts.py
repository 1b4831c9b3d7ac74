"""The drawn figures of the review: a tile with its interval, a trend over weeks, bars in tables."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QLinearGradient, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from fieldcrm.domain.metrics import Figure, Interval, TrendPoint
from fieldcrm.ui import report_words, theme
from fieldcrm.ui.widgets import painting
from fieldcrm.ui.widgets.card import Card
from fieldcrm.ui.widgets.layouts import row
from fieldcrm.ui.widgets.text import ElidedText, Text
from fieldcrm.words import date, number, percent, tr

GOOD_WHEN_HIGH = frozenset({
    "call_completion", "coverage", "share_of_shelf", "must_stock_lines", "must_stock_full", "distribution_held",
})


def share_bar(painter: QPainter, rect: QRectF, value: float | None, interval: Interval | None, ink: str) -> None:
    """A track from 0 to 100 %, filled to the value, with the interval as a lighter band around its end."""
    color = theme.current().color
    radius = rect.height() / 2
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    clip = QPainterPath()
    clip.addRoundedRect(rect, radius, radius)
    painter.setClipPath(clip)
    painter.fillRect(rect, QColor(color.pressed))
    if value is not None:
        painter.fillRect(QRectF(rect.x(), rect.y(), rect.width() * value, rect.height()), QColor(ink))
    painter.restore()
    if value is not None and interval is not None and interval.high - interval.low > 0.005:
        low, high = rect.x() + rect.width() * interval.low, rect.x() + rect.width() * interval.high
        middle = rect.center().y()
        painter.save()
        painter.setPen(QPen(QColor(color.text), 1.25))
        painter.drawLine(QPointF(low, middle), QPointF(high, middle))
        for end in (low, high):
            painter.drawLine(QPointF(end, middle - 4), QPointF(end, middle + 4))
        painter.restore()


class IntervalBar(QWidget):
    """A share on its track, with what it may really be."""

    def __init__(self) -> None:
        super().__init__()
        self._value: float | None = None
        self._interval: Interval | None = None
        self._tone = "accent"
        self.setFixedHeight(theme.space(3))

    def set(self, value: float | None, interval: Interval | None, tone: str = "accent") -> None:
        self._value, self._interval, self._tone = value, interval, tone
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = painting.smooth(self)
        track = QRectF(0, self.height() / 2 - 3, self.width(), 6)
        share_bar(painter, track, self._value, self._interval, theme.current().color.tone(self._tone).solid)
        painter.end()


class FigureTile(Card):
    """A figure: its name, value, track with interval, and in words what it rests on. Opens on click or Enter."""

    def __init__(self, figure: Figure) -> None:
        super().__init__(padding=4, spacing=1.5, clickable=True)
        self.figure = figure
        tone = "accent" if figure.code in GOOD_WHEN_HIGH else "warning"
        head = row(2)
        head.addWidget(ElidedText(report_words.figure_name(figure.code), "body-medium", "muted"), 1)
        self.add(head)
        middle = row(3)
        middle.addWidget(Text(report_words.share(figure.value), "display"))
        counts = report_words.counts(figure)
        if counts:
            middle.addWidget(Text(counts, "caption", "faint"), 0, Qt.AlignmentFlag.AlignBottom)
        middle.addStretch(1)
        self.add(middle)
        bar = IntervalBar()
        bar.set(figure.value, figure.interval, tone)
        self.add(bar)
        sentence = ", ".join(part for part in (report_words.seen(figure), report_words.sure(figure)) if part)
        line = Text(sentence, "caption", "muted", wrap=True)
        self.add(line)
        self.body.addStretch(1)
        self.setToolTip(report_words.figure_base(figure.code))
        self.setAccessibleName(f"{report_words.figure_name(figure.code)}: {report_words.in_words(figure)}")


class TrendChart(QWidget):
    """Thirteen weeks: a line with gaps where nothing was seen, a word at its last point, counts under the mouse."""

    def __init__(self) -> None:
        super().__init__()
        self._points: list[TrendPoint] = []
        self._name = ""
        self._at = -1
        self.setMouseTracking(True)
        self.setMinimumHeight(theme.pixels(170))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set(self, name: str, points: Sequence[TrendPoint]) -> None:
        self._points, self._name, self._at = list(points), name, -1
        known = [point for point in points if point.value is not None]
        last = report_words.share(known[-1].value) if known else tr("no data")
        self.setAccessibleName(tr("{name}, trend over {n} weeks, last {value}", name=name, n=len(points), value=last))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.pixels(420), theme.pixels(190))

    def _plot(self) -> QRectF:
        return QRectF(self.rect()).adjusted(theme.pixels(46), theme.space(3), -theme.pixels(52), -theme.pixels(26))

    def _top(self) -> float:
        """The scale ends at 100 %, or lower when all values are small."""
        highest = max((point.value or 0.0 for point in self._points), default=1.0)
        return next((step for step in (0.1, 0.2, 0.3, 0.5) if highest <= step * 0.92), 1.0)

    def _spot(self, at: int, plot: QRectF, top: float) -> QPointF:
        x = plot.left() + plot.width() * at / max(1, len(self._points) - 1)
        return QPointF(x, plot.bottom() - plot.height() * (self._points[at].value or 0.0) / top)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        plot = self._plot()
        steps = max(1, len(self._points) - 1)
        at = round((event.position().x() - plot.left()) / max(1.0, plot.width()) * steps)
        self._at = at if 0 <= at < len(self._points) and self._points[at].value is not None else -1
        self.update()

    def leaveEvent(self, event: object) -> None:
        self._at = -1
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = painting.smooth(self)
        plot, top = self._plot(), self._top()
        self._grid(painter, plot, top)
        self._line(painter, plot, top)
        self._marks(painter, plot, top)
        painter.end()

    def _grid(self, painter: QPainter, plot: QRectF, top: float) -> None:
        color = theme.current().color
        for part in range(3):
            y = plot.bottom() - plot.height() * part / 2
            painter.fillRect(QRectF(plot.left(), round(y), plot.width(), 1), QColor(color.border))
            label = QRect(0, round(y) - 8, round(plot.left()) - theme.space(2), 16)
            painting.words(painter, label, percent(top * part / 2), "micro", color.faint,
                           Qt.AlignmentFlag.AlignRight, figures=True)
        weeks = len(self._points)
        for at in range(weeks):
            if (weeks - 1 - at) % 3 == 0:
                x = plot.left() + plot.width() * at / max(1, weeks - 1)
                label = QRect(round(x) - 34, round(plot.bottom()) + theme.space(1.5), 68, 16)
                painting.words(painter, label, date(self._points[at].week, "d"), "micro", color.faint,
                               Qt.AlignmentFlag.AlignHCenter)

    def _line(self, painter: QPainter, plot: QRectF, top: float) -> None:
        color = theme.current().color
        for run in self._runs():
            spots = [self._spot(at, plot, top) for at in run]
            line = QPainterPath(spots[0])
            for spot in spots[1:]:
                line.lineTo(spot)
            below = QPainterPath(line)
            below.lineTo(spots[-1].x(), plot.bottom())
            below.lineTo(spots[0].x(), plot.bottom())
            shade = QLinearGradient(0, plot.top(), 0, plot.bottom())
            shade.setColorAt(0, theme.qcolor(color.accent, 0.16))
            shade.setColorAt(1, theme.qcolor(color.accent, 0.0))
            painter.fillPath(below, shade)
            pen = QPen(QColor(color.accent), 2)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.strokePath(line, pen)
            if len(run) == 1:
                painting.dot(painter, spots[0], color.accent, 5)

    def _runs(self) -> list[list[int]]:
        """Weeks in a row that have a value: the line breaks where nothing was seen."""
        runs: list[list[int]] = [[]]
        for at, point in enumerate(self._points):
            if point.value is not None:
                runs[-1].append(at)
            elif runs[-1]:
                runs.append([])
        return [run for run in runs if run]

    def _marks(self, painter: QPainter, plot: QRectF, top: float) -> None:
        color = theme.current().color
        known = [at for at, point in enumerate(self._points) if point.value is not None]
        if not known:
            painting.words(painter, plot.toRect(), tr("Nothing was counted in these weeks."), "body", color.muted,
                           Qt.AlignmentFlag.AlignHCenter)
            return
        last = self._spot(known[-1], plot, top)
        painting.dot(painter, last, color.surface, 11)
        painting.dot(painter, last, color.accent, 8)
        label = QRect(round(last.x()) + theme.space(2), round(last.y()) - 10, theme.pixels(52), 20)
        painting.words(painter, label, report_words.share(self._points[known[-1]].value), "body-strong",
                       color.accent_text, figures=True)
        if self._at >= 0:
            self._bubble(painter, plot, top)

    def _bubble(self, painter: QPainter, plot: QRectF, top: float) -> None:
        color, point = theme.current().color, self._points[self._at]
        spot = self._spot(self._at, plot, top)
        painter.fillRect(QRectF(round(spot.x()), plot.top(), 1, plot.height()), QColor(color.border_strong))
        painting.dot(painter, spot, color.accent, 8)
        text = tr("Week of {day}: {value}, {part} of {whole}", day=date(point.week, "d"),
                  value=report_words.share(point.value), part=number(point.part), whole=number(point.whole))
        width = theme.metrics("caption").horizontalAdvance(text) + theme.space(5)
        left = min(max(round(spot.x()) - width // 2, 0), self.width() - width)
        box = QRect(left, max(0, round(spot.y()) - theme.pixels(40)), width, theme.pixels(28))
        painting.ground(painter, box, color.tooltip, "", theme.RADIUS_SMALL)
        painting.words(painter, box, text, "caption", color.on_tooltip, Qt.AlignmentFlag.AlignHCenter, figures=True)
