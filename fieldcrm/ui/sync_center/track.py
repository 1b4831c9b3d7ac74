"""The way of a report, drawn: on this device, sent, verified, reviewed; and the sum of the day below it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from fieldcrm.ui import icons, theme
from fieldcrm.ui.sync_center.phrases import photo_problem
from fieldcrm.ui.widgets import Button, Card, FlowLayout, SectionTitle, Text, painting
from fieldcrm.usecases.receipts import Missing, Reconciliation, Stage
from fieldcrm.words import number, tr, trn

STAGES = (
    (Stage.HERE, "laptop", "warning"),
    (Stage.SENT, "send", "accent"),
    (Stage.VERIFIED, "shield-check", "success"),
    (Stage.REVIEWED, "badge-check", "success"),
)


def stage_words(stage: Stage) -> tuple[str, str]:
    """The word and the tone of where a report is."""
    return {
        Stage.HERE: (tr("On this device"), "warning"),
        Stage.SENT: (tr("Sent"), "accent"),
        Stage.VERIFIED: (tr("Verified"), "success"),
        Stage.REVIEWED: (tr("Reviewed"), "success"),
        Stage.REFUSED: (tr("Refused"), "danger"),
    }[stage]


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

    def __init__(self, resend: Callable[[Missing], None], open_outlet: Callable[[Missing], None]) -> None:
        super().__init__(padding=5, spacing=3)
        self._resend, self._open = resend, open_outlet
        self._first: Missing | None = None
        self.add(SectionTitle(tr("Your reports of today")))
        self.track = StageTrack()
        self.add(self.track)
        self.sum = Text("", "body-medium", wrap=True)
        self.add(self.sum)
        self.missing = Text("", "body", "muted", wrap=True)
        self.add(self.missing)
        buttons = QWidget()
        flow = FlowLayout(buttons, 2)
        self.again = Button(tr("Send again"), "secondary", "send", lambda: self._with(self._resend))
        self.outlet = Button(tr("Open the outlet"), "ghost", "arrow-right", lambda: self._with(self._open))
        flow.addWidget(self.again)
        flow.addWidget(self.outlet)
        self._buttons = buttons
        self.add(buttons)

    def show_day(self, day: Reconciliation) -> None:
        counts: dict[Stage, int] = {}
        for receipt in day.receipts:
            counts[receipt.stage] = counts.get(receipt.stage, 0) + 1
        self.track.set_counts(counts)
        self._first = day.missing[0] if day.missing else None
        self.sum.setText(sum_words(day))
        self.missing.setText("" if self._first is None else missing_words(self._first, len(day.missing)))
        self.missing.setVisible(self._first is not None)
        here = self._first is not None and self._first.receipt.stage is Stage.HERE
        self.again.setText(tr("Send now") if here else tr("Send again"))
        self._buttons.setVisible(self._first is not None)

    def _with(self, work: Callable[[Missing], None]) -> None:
        if self._first is not None:
            work(self._first)


def sum_words(day: Reconciliation) -> str:
    """``12 reports, 87 photos here; 12 and 87 at headquarters.``"""
    if not day.reports_here:
        return tr("No report yet today.")
    here = tr(
        "{reports}, {photos} here",
        reports=trn("{n} report", "{n} reports", day.reports_here),
        photos=trn("{n} photo", "{n} photos", day.photos_here),
    )
    there = tr("{reports} and {photos} verified at headquarters",
               reports=number(day.reports_there), photos=number(day.photos_there))
    return tr("{here}; {there}.", here=here, there=there)


def day_words(day: Reconciliation) -> str:
    """The receipt of the day in one line."""
    missing = missing_words(day.missing[0], len(day.missing)) if day.missing else ""
    return f"{sum_words(day)} {missing}".strip()


def missing_words(missing: Missing, count: int) -> str:
    """The one thing that is missing, by name."""
    name = missing.receipt.outlet_name or tr("an outlet that left your sector")
    if missing.receipt.stage is Stage.REFUSED:
        text = tr("The report of {outlet} was refused; see “Needs your decision”.", outlet=name)
    elif missing.receipt.stage is Stage.HERE:
        text = tr("Still here: the report of {outlet}.", outlet=name)
    elif missing.photos:
        text = trn("{n} photo of {outlet} has not arrived.", "{n} photos of {outlet} have not arrived.",
                   missing.photos, outlet=name)
    else:
        text = tr("The report of {outlet} is sent and waits to be verified.", outlet=name)
    parts = [text]
    if missing.problem:
        parts.append(photo_problem(missing.problem) + ".")
    if count > 1:
        parts.append(trn("And {n} other.", "And {n} others.", count - 1))
    return " ".join(parts)
