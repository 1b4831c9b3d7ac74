"""The head of the day: the date, how far it has come, when it ends, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from fieldcrm import words
from fieldcrm.ui import reasons, theme
from fieldcrm.ui.widgets import Button, ElidedText, IconButton, ProgressRing, column
from fieldcrm.usecases.today import Today
from fieldcrm.words import tr, trn


class DayHeader(QWidget):
    """``show_day`` fills it. The functions given are what its buttons do."""

    def __init__(
        self, *, shift: Callable[[int], None], plan: Callable[[], None], add: Callable[[], None],
        toggle_map: Callable[[], None],
    ) -> None:
        super().__init__()
        across = QHBoxLayout(self)
        across.setContentsMargins(theme.space(6), theme.space(5), theme.space(6), theme.space(4))
        across.setSpacing(theme.space(4))
        self.ring = ProgressRing(52)
        across.addWidget(self.ring, 0, Qt.AlignmentFlag.AlignVCenter)
        lines = column(0.5)
        self.title = ElidedText("", "title")
        self.sentence = ElidedText("", "body", "muted")
        lines.addWidget(self.title)
        lines.addWidget(self.sentence)
        across.addLayout(lines, 1)
        self.earlier = IconButton("chevron-left", tr("The day before"), lambda: shift(-1))
        self.later = IconButton("chevron-right", tr("The next day"), lambda: shift(1))
        self.add = Button(tr("Add a store"), "secondary", "plus", add)
        self.plan = Button(tr("Plan again"), "secondary", "route", plan)
        self.map = IconButton("map", tr("Show or hide the map (F8)"), toggle_map)
        self.map.setCheckable(True)
        days = QHBoxLayout()
        days.setSpacing(0)
        days.addWidget(self.earlier)
        days.addWidget(self.later)
        across.addLayout(days)
        across.addWidget(self.add)
        across.addWidget(self.plan)
        across.addWidget(self.map)

    def show_day(self, today: Today, is_today: date) -> None:
        day = words.date(today.day, "full")
        day = day[:1].upper() + day[1:]
        away = (today.day - is_today).days
        near = {0: tr("Today"), 1: tr("Tomorrow"), -1: tr("Yesterday")}.get(away)
        self.title.set_whole(f"{near}, {words.date(today.day, 'day')}" if near else day)
        planned = today.plan_id is not None and today.total > 0
        self.ring.setVisible(planned)
        self.plan.setVisible(planned or bool(today.rows))  # a visit before the plan must not take the button away
        if planned:
            self.ring.set(today.done, today.total)
        self.sentence.set_whole(progress(today) if planned or today.unplanned else tr("No plan yet"))

    def set_narrow(self, narrow: bool) -> None:
        """Icons alone where the words have no room."""
        for button, text in ((self.add, tr("Add a store")), (self.plan, tr("Plan again"))):
            button.setText("" if narrow else text)
            button.setToolTip(text if narrow else "")
            button.setAccessibleName(text)


def progress(today: Today) -> str:
    """``4 of 11 done, 1 store skipped · 2 h 10 on the way · last visit until 16:40``."""
    parts = [trn("{done} of {n} done", "{done} of {n} done", today.total, done=today.done)] if today.total else []
    if today.skipped:
        parts[-1] += ", " + trn("{n} store skipped", "{n} stores skipped", today.skipped)
    if today.unplanned:
        parts.append(trn("{n} unplanned visit", "{n} unplanned visits", today.unplanned))
    if today.drive_minutes:
        parts.append(tr("{time} on the way", time=words.duration(today.drive_minutes)))
    if today.last_leave is not None:
        parts.append(tr("last visit until {time}", time=reasons.clock(today.last_leave)))
    return " · ".join(parts)
