"""The chosen store in twenty seconds: why today, whom to see, what was promised, what was missing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QWidget

from fieldcrm.domain.ids import Id
from fieldcrm.ui import hours, labels, reasons, theme
from fieldcrm.ui.widgets import Badge, Button, Card, Divider, ElidedText, IconButton, Text, column
from fieldcrm.ui.widgets.layouts import clear_layout
from fieldcrm.usecases.card import Card as OutletCard
from fieldcrm.usecases.today import LeftOutRow, StopState, TodayRow
from fieldcrm.words import date, listing, since, tr, trn

MISSING_SHOWN = 3


class BriefPanel(Card):
    """``show_store`` fills it; ``start`` goes in, ``skip`` leaves it out, ``open_card`` shows everything."""

    def __init__(
        self, *, start: Callable[[], None], skip: Callable[[QWidget], None], open_card: Callable[[], None],
        add: Callable[[], None],
    ) -> None:
        super().__init__(padding=4, spacing=3)
        self._start, self._skip, self._open, self._add = start, skip, open_card, add
        self.outlet_id: Id | None = None
        self.start_button: Button | None = None
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def clear(self) -> None:
        self.outlet_id = None
        clear_layout(self.body)
        self.hide()

    def show_store(self, item: TodayRow | LeftOutRow, card: OutletCard, now: datetime) -> None:
        self.outlet_id = item.outlet_id
        clear_layout(self.body)
        self.body.addLayout(self._head(card, now))
        self.body.addWidget(Divider())
        self.body.addLayout(self._facts(item, card, now))
        self.body.addLayout(self._buttons(item))
        self.setEnabled(True)
        self.show()

    def _head(self, card: OutletCard, now: datetime) -> QHBoxLayout:
        across = QHBoxLayout()
        across.setSpacing(theme.space(3))
        names = column(0)
        names.addWidget(ElidedText(card.outlet.name, "heading"))
        outlet = card.outlet
        about = (labels.store_type(outlet.store_type), labels.segment(outlet.segment), outlet.address)
        kind = " · ".join(part for part in about if part)
        names.addWidget(ElidedText(kind, "caption", "muted"))
        across.addLayout(names, 1)
        text, tone = hours.open_words(card.open, now)
        if text:
            across.addWidget(Badge(text, tone), 0, Qt.AlignmentFlag.AlignTop)
        return across

    def _facts(self, item: TodayRow | LeftOutRow, card: OutletCard, now: datetime) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.space(4))
        grid.setVerticalSpacing(theme.space(1.5))
        grid.setColumnStretch(1, 1)
        for row, (label, value) in enumerate(self._lines(item, card, now)):
            grid.addWidget(Text(label, "caption", "faint"), row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(ElidedText(value, "caption"), row, 1)
        return grid

    @staticmethod
    def _lines(item: TodayRow | LeftOutRow, card: OutletCard, now: datetime) -> list[tuple[str, str]]:
        brief = card.brief
        if isinstance(item, TodayRow):
            why = reasons.reasons(item.reasons, 9)
        else:
            why = reasons.left_out(item.reason, item.params)
        lines = [(tr("Why"), why)] if why else []
        if brief.see is not None:
            lines.append((tr("Ask for"), ", ".join(part for part in (brief.see.name, brief.see.job) if part)))
        if brief.promise is not None:
            due = tr("due {day}", day=date(brief.promise.due, "d")) if brief.promise.due else ""
            lines.append((tr("Promise"), ", ".join(part for part in (brief.promise.title, due) if part)))
        if brief.missing:
            names = [line.product.name for line in brief.missing[:MISSING_SHOWN]]
            more = len(brief.missing) - len(names)
            names += [trn("{n} more", "{n} more", more)] if more else []
            lines.append((tr("Was missing"), listing(names)))
        lines.append((tr("Last visit"), since(card.last_visit_at, now) if card.last_visit_at else tr("never")))
        return lines

    def _buttons(self, item: TodayRow | LeftOutRow) -> QHBoxLayout:
        across = QHBoxLayout()
        across.setSpacing(theme.space(2))
        self.start_button = None
        if isinstance(item, LeftOutRow):
            across.addWidget(Button(tr("Add to the day"), "secondary", "plus", self._add))
            across.addWidget(Button(tr("Start visit"), "secondary", "play", self._start))
        elif item.open:
            going_on = item.state is StopState.STARTED
            verb = tr("Go on with visit") if going_on else tr("Start visit")
            self.start_button = Button(verb, "primary", "play", self._start)
            across.addWidget(self.start_button)
            if item.stop_id is not None:
                skip = Button(tr("Skip…"), "secondary", "skip-forward")
                skip.clicked.connect(lambda: self._skip(skip))
                across.addWidget(skip)
        across.addStretch(1)
        across.addWidget(IconButton("arrow-right", tr("Open the store’s card"), self._open))
        return across
