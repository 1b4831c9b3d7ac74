"""The way of a report, drawn: on this device, sent, verified, reviewed; and the sum of the day below it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from fieldcrm.ui import icons, theme
from fieldcrm.ui.receipt_words import missing_words, next_step, stage_words, sum_words
from fieldcrm.ui.widgets import Button, Card, SectionTitle, Text, painting, row
from fieldcrm.usecases.receipts import Missing, Reconciliation, Stage
from fieldcrm.words import number, tr

STAGES = (
    (Stage.HERE, "laptop", "warning"),
    (Stage.SENT, "send", "accent"),
    (Stage.VERIFIED, "shield-check", "success"),
    (Stage.REVIEWED, "badge-check", "success"),
)


def _short(stage: Stage) -> str:
    """A word that fits under a station."""
    return tr("Here") if stage is Stage.HERE else stage_words(stage)[0]


class StageTrack(QWidget):
    """Four stations on a line, each with the number of reports that are there."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[Stage, int] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_counts(self, counts: dict[Stage, int]) -> None:
        self._counts = counts
        said = [f"{_short(stage)}: {number(counts.get(stage, 0))}" for stage, _, _ in STAGES]
        self.setAccessibleName(", ".join(said))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.pixels(360), theme.pixels(78))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.pixels(260), theme.pixels(78))

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        side, step = theme.pixels(34), self.width() / len(STAGES)
        middle = side / 2 + 1
        pen = QPen(QColor(color.border_strong), 1.5)
        painter.setPen(pen)
        painter.drawLine(QPointF(step / 2, middle), QPointF(self.width() - step / 2, middle))
        for at, (stage, icon, tone) in enumerate(STAGES):
            count = self._counts.get(stage, 0)
            inks = color.tone(tone if count else "neutral")
            disc = QRect(round(step * (at + 0.5) - side / 2), 1, side, side)
            painting.ground(painter, disc.adjusted(-4, 0, 4, 0), color.surface)
            fill, edge = (inks.soft, "") if count else (color.surface, color.border)
            painting.ground(painter, disc, fill, edge, side / 2)
            small = theme.pixels(16)
            spot = QRect(0, 0, small, small)
            spot.moveCenter(disc.center())
            icons.paint(painter, icon, spot, inks.text if count else color.faint)
            box = QRect(round(step * at), disc.bottom() + theme.space(1), round(step), theme.pixels(20))
            ink = color.text if count else color.faint
            center = Qt.AlignmentFlag.AlignHCenter
            painting.words(painter, box, number(count), "body-strong", ink, center, figures=True)
            below = box.translated(0, theme.pixels(19))
            ink = color.muted if count else color.faint
            painting.words(painter, below, _short(stage), "caption", ink, center)
        painter.end()


class DayCard(Card):
    """The receipt of the day: here, there, and the one thing that is missing with its button."""

    def __init__(self, go_to: Callable[[Missing], None]) -> None:
        super().__init__(padding=5, spacing=3)
        self._go_to = go_to
        self._first: Missing | None = None
        self.add(SectionTitle(tr("Your reports of today")))
        self.track = StageTrack()
        self.add(self.track)
        self.sum = Text("", "body-medium", wrap=True)
        self.add(self.sum)
        self.missing = Text("", "body", "muted", wrap=True)
        self.add(self.missing)
        line = row(2)
        self.again = Button(tr("Send now"), "secondary", "send", self._act)
        self.again.hide()
        line.addWidget(self.again)
        line.addStretch(1)
        self.add(line)

    def show_day(self, day: Reconciliation) -> None:
        counts: dict[Stage, int] = {}
        for receipt in day.receipts:
            counts[receipt.stage] = counts.get(receipt.stage, 0) + 1
        self.track.set_counts(counts)
        self._first = day.missing[0] if day.missing else None
        self.sum.setText(sum_words(day))
        self.missing.setText("" if self._first is None else missing_words(self._first, len(day.missing)))
        self.missing.setVisible(self._first is not None)
        self.again.setVisible(self._first is not None)
        if self._first is not None:
            text, icon = next_step(self._first)
            self.again.setText(text)
            icons.set_icon(self.again, icon, "muted")

    def _act(self) -> None:
        if self._first is not None:
            self._go_to(self._first)
