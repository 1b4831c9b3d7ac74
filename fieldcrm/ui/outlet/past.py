"""What happened here: visits as a timeline."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QWidget

from fieldcrm.domain.visit import VisitState
from fieldcrm.ui import theme
from fieldcrm.ui.outlet.parts import Section
from fieldcrm.ui.widgets import Badge, Button, Text, column, painting
from fieldcrm.usecases.card import Card as OutletCard
from fieldcrm.usecases.card import VisitLine
from fieldcrm.words import day_time, duration, number, since, tr, trc, trn

SHOWN = 5
VISIT_TONES = {
    VisitState.OPEN: "accent",
    VisitState.DONE: "neutral",
    VisitState.SUBMITTED: "accent",
    VisitState.RETURNED: "danger",
    VisitState.CORRECTED: "accent",
    VisitState.APPROVED: "success",
}


def visit_words(state: VisitState) -> str:
    return {
        VisitState.OPEN: trc("visit", "Open"),
        VisitState.DONE: tr("No report"),
        VisitState.SUBMITTED: tr("To be reviewed"),
        VisitState.RETURNED: trc("report", "Returned"),
        VisitState.CORRECTED: trc("report", "Corrected"),
        VisitState.APPROVED: trc("report", "Approved"),
    }[state]


class _Thread(QWidget):
    """The line of a timeline with its knot."""

    def __init__(self, tone: str, *, last: bool) -> None:
        super().__init__()
        self._tone, self._last = tone, last
        self.setFixedWidth(theme.pixels(18))

    def sizeHint(self) -> QSize:
        return QSize(theme.pixels(18), theme.pixels(30))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = painting.smooth(self)
        middle, top = self.width() / 2, theme.pixels(14)
        painter.setPen(QPen(theme.qcolor(theme.current().color.border), 2))
        if not self._last:
            painter.drawLine(QPointF(middle, top + 8), QPointF(middle, self.height()))
        painter.setPen(Qt.PenStyle.NoPen)
        painting.mark(painter, QPointF(middle, top), self._tone)
        painter.end()


class Unfolding(Section):
    """A section that shows a few lines, and all of them on demand."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self._open = False
        self._card: OutletCard | None = None
        self._now: datetime | None = None

    def show_card(self, card: OutletCard, now: datetime) -> None:
        self._card, self._now = card, now
        self._fill()

    def _fill(self) -> None:
        raise NotImplementedError

    def _limit(self, count: int) -> int:
        return count if self._open else min(count, SHOWN)

    def _add_more(self, count: int) -> None:
        if count > SHOWN:
            words = tr("Show fewer") if self._open else tr("Show all {n}", n=number(count))
            icon = "chevron-up" if self._open else "chevron-down"
            self.content.addWidget(Button(words, "ghost", icon, self._toggle), 0, Qt.AlignmentFlag.AlignLeft)

    def _toggle(self) -> None:
        self._open = not self._open
        self._fill()


class Visits(Unfolding):
    """``open_report`` shows a report."""

    def __init__(self, open_report: Callable[[VisitLine], None]) -> None:
        super().__init__(tr("Visits"))
        self._open_report = open_report
        self.content.setSpacing(0)

    def _fill(self) -> None:
        self.empty()
        assert self._card is not None and self._now is not None
        visits = self._card.visits
        self.title.set_count(number(len(visits)) if visits else "")
        shown = visits[: self._limit(len(visits))]
        for line in shown:
            self.content.addWidget(self._line(line, last=line is shown[-1]))
        if not visits:
            self.say_nothing(tr("Nobody has been here yet."))
        self._add_more(len(visits))

    def _line(self, line: VisitLine, *, last: bool) -> QWidget:
        assert self._now is not None
        visit = line.visit
        holder = QWidget()
        across = QHBoxLayout(holder)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(theme.space(3))
        across.addWidget(_Thread(VISIT_TONES[line.state], last=last))
        lines = column(0.5)
        lines.setContentsMargins(0, theme.space(1), 0, theme.space(3))
        top = QHBoxLayout()
        top.setSpacing(theme.space(2))
        top.addWidget(Text(day_time(visit.started_at, visit.zone), "body-medium"))
        top.addWidget(Text(since(visit.started_at, self._now), "caption", "faint"))
        top.addStretch(1)
        if visit.here:
            top.addWidget(Badge(tr("Saved on this device"), "warning"))
        top.addWidget(Badge(visit_words(line.state), VISIT_TONES[line.state]))
        if line.submission_id is not None:
            top.addWidget(Button(trc("visit", "Report"), "ghost", on_click=lambda: self._open_report(line)))
        lines.addLayout(top)
        lines.addWidget(Text(self._facts(line), "caption", "muted", wrap=True))
        if visit.note:
            lines.addWidget(Text(visit.note, "body", wrap=True))
        across.addLayout(lines, 1)
        return holder

    def _facts(self, line: VisitLine) -> str:
        visit = line.visit
        facts = [line.person]
        if visit.ended_at is not None:
            facts.append(duration((visit.ended_at - visit.started_at).total_seconds() / 60))
        checked = visit.present + visit.oos + visit.absent
        if checked:
            facts.append(trn("{n} line checked", "{n} lines checked", checked))
        if visit.oos:
            facts.append(trn("{n} out of stock", "{n} out of stock", visit.oos))
        if visit.photos:
            facts.append(trn("{n} photo", "{n} photos", visit.photos))
        if visit.stop_id is None:
            facts.append(tr("unplanned"))
        return " · ".join(fact for fact in facts if fact)
