"""A week of hours, day by day: open or closed, from – to, with or without a midday closure; and the text behind it.

What the text says beyond a week (seasons, comments) is kept as it is written, and the week says that it cannot show it.
"""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.opening import MINUTES_A_DAY, Span
from fieldcrm.domain.weekplan import CLOSED_WEEK, WeekPlan, clock, in_order, read_time, span
from fieldcrm.ui import hours, theme
from fieldcrm.ui.widgets import Button, FlowLayout, Text
from fieldcrm.usecases.opening import plan_of, usual_week
from fieldcrm.words import tr, trc

_ALL_DAY = (Span(0, MINUTES_A_DAY),)
_UNSAID, _CLOSED, _HOURS = "", "closed", "hours"
_TIME_WIDTH = 58


class TimeEdit(QLineEdit):
    """A time of day, typed as one says it: 8, 830, 8h30, 08:30."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setFixedWidth(theme.pixels(_TIME_WIDTH))
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        side = theme.space(1)
        self.setStyleSheet(f"padding-left: {side}px; padding-right: {side}px;")  # five figures, and no more
        self.setMaxLength(8)
        self.editingFinished.connect(self._tidy)

    def minutes(self) -> int | None:
        return read_time(self.text())

    def set_minutes(self, minutes: int | None) -> None:
        self.setText("" if minutes is None else clock(minutes))
        self.set_wrong(False)

    def set_wrong(self, wrong: bool) -> None:
        self.setProperty("invalid", "true" if wrong else "false")
        self.style().unpolish(self)
        self.style().polish(self)

    def _tidy(self) -> None:
        minutes = self.minutes()
        if minutes is not None:
            self.set_minutes(minutes)


class SpansEdit(QWidget):
    """One or two spans of a day, side by side; the second left empty: no midday closure."""

    changed = Signal()

    def __init__(self, day: str) -> None:
        super().__init__()
        across = QHBoxLayout(self)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(theme.space(1))
        names = (
            tr("{day}, opens at", day=day),
            tr("{day}, closes at", day=day),
            tr("{day}, opens again at", day=day),
            tr("{day}, closes for the day at", day=day),
        )
        self.times = [TimeEdit(name) for name in names]
        for at, edit in enumerate(self.times):
            if at == 2:
                across.addSpacing(theme.space(2))
            elif at:
                across.addWidget(Text("–", "body", "faint"))
            across.addWidget(edit)
            edit.textEdited.connect(lambda _: self.changed.emit())
        across.addStretch(1)

    def set_spans(self, spans: tuple[Span, ...]) -> None:
        values: list[int | None] = [None] * 4
        for at, one in enumerate(spans[:2]):
            values[2 * at], values[2 * at + 1] = one.start, one.end
        for edit, minutes in zip(self.times, values, strict=True):
            edit.set_minutes(minutes)

    def spans(self) -> tuple[Span, ...] | None:
        """What is filled in, or ``None`` when it cannot be; what is wrong is marked."""
        found: list[Span] = []
        sound = True
        for first, last in ((0, 1), (2, 3)):
            pair = self.times[first], self.times[last]
            if first and not any(edit.text().strip() for edit in pair):
                continue
            start, end = pair[0].minutes(), pair[1].minutes()
            made = None if start is None or end is None else span(start, end)
            for edit, minutes in zip(pair, (start, end), strict=True):
                edit.set_wrong(minutes is None or made is None)
            sound = sound and made is not None
            if made is not None:
                found.append(made)
        if sound and not in_order(tuple(found)):
            for edit in self.times[2:]:
                edit.set_wrong(True)
            sound = False
        return tuple(found) if sound else None


class WeekEditor(QWidget):
    """``text`` is OpenStreetMap's way of writing hours. ``saved`` on Enter, ``left`` on Esc."""

    saved = Signal()
    left = Signal()

    def __init__(self, text: str, zone: str, country: str | None, now: datetime, *, holidays: bool = True) -> None:
        super().__init__()
        self._zone, self._country, self._now = zone, country, now
        self._plan: WeekPlan | None = CLOSED_WEEK
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(theme.space(2))
        self.sentence = Text("", "body", wrap=True)
        lines.addWidget(self.sentence)
        self.week = QWidget()
        self._grid = QGridLayout(self.week)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.space(2))
        self._grid.setVerticalSpacing(theme.space(1))
        self._grid.setColumnStretch(1, 1)
        self.open: list[QCheckBox] = []
        self.spans: list[SpansEdit] = []
        for day in range(7):
            self._add_day(day)
        self.holiday = QComboBox()
        self.holiday_spans = SpansEdit(tr("Public holidays"))
        if holidays:
            self._add_holidays()
        lines.addWidget(self.week)
        lines.addWidget(self._shortcuts())
        self.raw = QLineEdit(text)
        self.raw.setAccessibleName(tr("As OpenStreetMap writes it"))
        self.raw.setPlaceholderText("Mo-Fr 08:30-12:30,14:00-19:00; Sa 09:00-18:00")
        self.raw.textEdited.connect(self._raw_edited)
        lines.addWidget(Text(tr("As OpenStreetMap writes it"), "caption", "muted"))
        lines.addWidget(self.raw)
        for editor in self.findChildren(QWidget):
            editor.installEventFilter(self)
        self._raw_edited(text)

    # ---- building ----

    def _add_day(self, day: int) -> None:
        name = hours.weekday(day)
        check = QCheckBox(name)
        check.setAccessibleName(tr("{day}: open", day=name))
        edit = SpansEdit(name)
        check.toggled.connect(lambda on: self._toggled(day, on))
        edit.changed.connect(self._week_edited)
        self._grid.addWidget(check, day, 0)
        self._grid.addWidget(edit, day, 1)
        self.open.append(check)
        self.spans.append(edit)

    def _add_holidays(self) -> None:
        for value, words in (
            (_UNSAID, tr("Not known")),
            (_CLOSED, trc("store", "Closed")),
            (_HOURS, tr("These hours")),
        ):
            self.holiday.addItem(words, value)
        self.holiday.setAccessibleName(tr("Public holidays"))
        self.holiday.activated.connect(lambda _: self._week_edited())
        self.holiday_spans.changed.connect(self._week_edited)
        self._grid.addWidget(Text(tr("Public holidays"), "body"), 7, 0)
        across = QWidget()
        flow = FlowLayout(across, 2)
        flow.addWidget(self.holiday)
        flow.addWidget(self.holiday_spans)
        self._grid.addWidget(across, 7, 1)

    def _shortcuts(self) -> QWidget:
        holder = QWidget()
        flow = FlowLayout(holder, 1)
        for words, act in (
            (tr("Monday to Friday the same"), lambda: self._copy_monday(5)),
            (tr("Every day the same"), lambda: self._copy_monday(7)),
            (tr("Day and night"), lambda: self.set_plan(WeekPlan((_ALL_DAY,) * 7, self._holidays()))),
        ):
            flow.addWidget(Button(words, "quiet", on_click=act))
        return holder

    # ---- the week and the text say the same ----

    def text(self) -> str:
        """What is to be kept. Raises ``DomainError("hours_incomplete")`` at a time that is none."""
        if self.week.isEnabled() and self._plan is None:
            raise DomainError("hours_incomplete", field="opening_hours")
        return self.raw.text().strip()

    def set_plan(self, plan: WeekPlan) -> None:
        """Show a week, and write it."""
        self._show(plan)
        self._week_edited()

    def _raw_edited(self, text: str) -> None:
        plan = plan_of(text, self._country, self._now)
        self.week.setEnabled(plan is not None)
        self._plan = plan
        if plan is not None:
            self._show(plan)
        self._say(text)

    def _week_edited(self) -> None:
        self._plan = self._read()
        self.holiday_spans.setVisible(self.holiday.currentData() == _HOURS)
        if self._plan is not None:
            nothing = self._plan == CLOSED_WEEK
            self.raw.setText("" if nothing else self._plan.osm())
        self._say(self.raw.text())

    def _show(self, plan: WeekPlan) -> None:
        for check, edit, spans in zip(self.open, self.spans, plan.days, strict=True):
            check.blockSignals(True)
            check.setChecked(bool(spans))
            check.blockSignals(False)
            edit.set_spans(spans)
            edit.setEnabled(bool(spans))
        value = _UNSAID if plan.holidays is None else _HOURS if plan.holidays else _CLOSED
        self.holiday.setCurrentIndex(max(0, self.holiday.findData(value)))
        self.holiday_spans.set_spans(plan.holidays or ())
        self.holiday_spans.setVisible(value == _HOURS)

    def _read(self) -> WeekPlan | None:
        days = [
            edit.spans() if check.isChecked() else () for check, edit in zip(self.open, self.spans, strict=True)
        ]
        holidays = self._holidays()
        wrong = self.holiday.currentData() == _HOURS and holidays is None
        if wrong or any(spans is None for spans in days):
            return None
        a, b, c, d, e, f, g = (spans or () for spans in days)
        return WeekPlan((a, b, c, d, e, f, g), holidays)

    def _holidays(self) -> tuple[Span, ...] | None:
        value = self.holiday.currentData() or _UNSAID
        if value == _HOURS:
            return self.holiday_spans.spans()
        return () if value == _CLOSED else None

    def _say(self, text: str) -> None:
        """The live sentence, or why there is none."""
        tone = "muted"
        if self._plan is not None:
            nothing = not text.strip()
            words = tr("Nothing is known of the hours yet.") if nothing else hours.plan_sentence(self._plan)
            tone = "muted" if nothing else ""
        elif self.week.isEnabled():
            words, tone = tr("A time is missing or cannot be read: type it as 8:30 or 8h30."), "danger"
        else:
            week = usual_week(text, self._zone, self._now)
            if week is None:
                words, tone = tr("This cannot be read as opening hours."), "danger"
            else:
                beyond = tr("The text says more than a week can show; it is kept as it is written.")
                words = f"{hours.week_text(week)}\n{beyond}"
        self.sentence.set_tone(tone)
        self.sentence.setText(words)

    # ---- quick ways ----

    def _toggled(self, day: int, on: bool) -> None:
        self.spans[day].setEnabled(on)
        if on and not self.spans[day].times[0].text():
            known = next((spans for spans in self._known() if spans), (Span(9 * 60, 18 * 60),))
            self.spans[day].set_spans(known)
        if on:
            self.spans[day].times[0].setFocus(Qt.FocusReason.OtherFocusReason)
            self.spans[day].times[0].selectAll()
        self._week_edited()

    def _known(self) -> list[tuple[Span, ...]]:
        return [edit.spans() or () for check, edit in zip(self.open, self.spans, strict=True) if check.isChecked()]

    def _copy_monday(self, days: int) -> None:
        monday = self.spans[0].spans() if self.open[0].isChecked() else ()
        if monday is None:
            return
        for day in range(1, days):
            self.open[day].blockSignals(True)
            self.open[day].setChecked(bool(monday))
            self.open[day].blockSignals(False)
            self.spans[day].set_spans(monday)
            self.spans[day].setEnabled(bool(monday))
        self._week_edited()

    def first(self) -> QWidget:
        """Where the focus goes when it opens."""
        return self.open[0] if self.week.isEnabled() else self.raw

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Escape:
                self.left.emit()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not isinstance(watched, Button):
                self.saved.emit()
                return True
        return super().eventFilter(watched, event)


