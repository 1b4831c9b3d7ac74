"""What one outlet is about, beside the list: enough to choose it, with the way to its card."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from fieldcrm.domain.ids import Id
from fieldcrm.ui import hours, labels, theme
from fieldcrm.ui.widgets import (
    Avatar,
    Badge,
    Button,
    Card,
    Divider,
    EmptyState,
    FlowLayout,
    ScrollPage,
    Text,
    clear_layout,
    column,
)
from fieldcrm.usecases.card import Card as OutletCard
from fieldcrm.words import date, number, since, tr, trc, trn

MISSING_SHOWN = 3


class Preview(Card):
    """``show_card(card, now)`` fills it; ``open_card`` and ``start`` are what its buttons do."""

    def __init__(self, open_card: Callable[[Id], None], start: Callable[[Id], None]) -> None:
        super().__init__(padding=0, spacing=0)
        self._open, self._start = open_card, start
        self._outlet: Id | None = None
        self._page = ScrollPage(margin=5, spacing=3)
        self.add(self._page, 1)
        foot = QHBoxLayout()
        foot.setContentsMargins(theme.space(5), theme.space(3), theme.space(5), theme.space(4))
        foot.setSpacing(theme.space(2))
        self.open_button = Button(tr("Open card"), "secondary", on_click=self._do_open)
        self.start_button = Button(tr("Start visit"), "primary", "play", self._do_start)
        foot.addWidget(self.open_button)
        foot.addWidget(self.start_button, 1)
        self._foot = QWidget()
        self._foot.setLayout(foot)
        self.add(self._foot)
        self.show_nothing()

    def show_nothing(self) -> None:
        self._outlet = None
        self._empty()
        self._foot.hide()
        self._page.body.addWidget(
            EmptyState(
                "store", tr("No outlet chosen"), tr("Choose one in the list to see what matters before you go in.")
            )
        )

    def show_card(self, card: OutletCard, now: datetime) -> None:
        self._outlet = card.outlet.id
        self._empty()
        self._foot.show()
        body = self._page.body
        body.addLayout(self._head(card, now))
        body.addWidget(Divider())
        brief = card.brief
        self._line(tr("Last visit"), since(card.last_visit_at, now) if card.last_visit_at else tr("never"))
        if brief.see is not None:
            self._line(trc("contact", "See"), ", ".join(part for part in (brief.see.name, brief.see.job) if part))
        if brief.promise is not None:
            due = date(brief.promise.due, "d") if brief.promise.due else ""
            self._line(tr("Last promise"), ", ".join(part for part in (brief.promise.title, due) if part))
        if brief.missing:
            names = [line.product.name for line in brief.missing[:MISSING_SHOWN]]
            more = len(brief.missing) - len(names)
            if more:
                names.append(trn("{n} more", "{n} more", more))
            self._line(tr("Missing last time"), "\n".join(names))
        elif brief.audited_at is not None:
            self._line(tr("Missing last time"), tr("Nothing"))
        if card.outlet.phone:
            self._line(tr("Phone"), card.outlet.phone)
        if card.outlet.surface_m2:
            self._line(tr("Sales area"), tr("{n} m²", n=number(card.outlet.surface_m2)))
        if card.week is not None:
            self._line(tr("Opening hours"), hours.week_text(card.week))
        body.addStretch(1)

    def _head(self, card: OutletCard, now: datetime) -> QVBoxLayout:
        outlet = card.outlet
        head = column(2)
        top = QHBoxLayout()
        top.setSpacing(theme.space(3))
        top.addWidget(Avatar(outlet.name, 44, square=True), 0, Qt.AlignmentFlag.AlignTop)
        names = column(0.5)
        title = Text(outlet.name, "heading", wrap=True)
        names.addWidget(title)
        names.addWidget(Text(outlet.address or tr("No address"), "caption", "muted", wrap=True))
        top.addLayout(names, 1)
        head.addLayout(top)
        badges = QWidget()
        flow = FlowLayout(badges, 1.5)
        words, tone = hours.open_words(card.open, now)
        late, late_tone = labels.next_visit(card.overdue_days, never=card.last_visit_at is None)
        for text, kind in (
            (late, late_tone),
            (labels.segment(outlet.segment), "neutral"),
            (words, tone),
            ("" if outlet.mapped else tr("Not mapped"), "warning"),
            ("" if card.synced else tr("On this device"), "warning"),
        ):
            if text:
                flow.addWidget(Badge(text, kind))
        head.addWidget(badges)
        return head

    def _line(self, label: str, value: str) -> None:
        lines = column(0.5)
        lines.addWidget(Text(label, "caption", "faint"))
        text = Text(value, "body", wrap=True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        lines.addWidget(text)
        self._page.body.addLayout(lines)

    def _empty(self) -> None:
        holder = self._page.body.parentWidget()
        clear_layout(self._page.body)
        if holder is not None:
            holder.updateGeometry()

    def _do_open(self) -> None:
        if self._outlet is not None:
            self._open(self._outlet)

    def _do_start(self) -> None:
        if self._outlet is not None:
            self._start(self._outlet)
