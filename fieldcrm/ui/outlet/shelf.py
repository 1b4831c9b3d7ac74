"""The shelf at the last audit against what the assortment asks, and our share of it over the visits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.outlet.brief import price_words
from fieldcrm.ui.outlet.parts import Section
from fieldcrm.ui.widgets import Button, Column, PageModel, PageTable, ShareBar, Sparkline, Text, column
from fieldcrm.usecases.card import Card as OutletCard
from fieldcrm.usecases.card import ShareOfShelf, ShelfLine
from fieldcrm.words import number, percent, since, tr, trc, trn

SHOWN = 8
LINE = 36
_ORDER = {"oos": 0, "absent": 1, "present": 2}


class Shelf(Section):
    def __init__(self) -> None:
        super().__init__(tr("Shelf"))
        self._lines: dict[Any, ShelfLine] = {}
        self._all: list[Any] = []
        self._open = False
        self.summary = QHBoxLayout()
        self.summary.setSpacing(theme.space(6))
        self.summary.setContentsMargins(0, 0, 0, 0)
        self.trend = Sparkline((), tr("Share of shelf over the visits"))
        self.trend.setMinimumWidth(theme.pixels(110))
        self.share = Text("", "figure")
        self.share_note = Text("", "caption", "muted", wrap=True)
        self.bar = ShareBar(8)
        self.counts = Text("", "caption", "muted", wrap=True)
        self._head = QWidget()
        self._head.setLayout(self._summary())
        self.body.insertWidget(2, self._head)
        self.model: PageModel[ShelfLine] = PageModel(
            _columns(), self._fetch, lambda line: line.product.product_id, self
        )
        self.table = PageTable(self.model, tr("Products at the last audit"))
        self.table.setSortingEnabled(False)
        self.table.verticalHeader().setDefaultSectionSize(theme.pixels(LINE))
        self.table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.more = Button("", "ghost", "chevron-down", self._toggle)
        self._nothing = Text(
            tr("No audit yet: the first one shows here what is asked and what is there."), "body", "muted", wrap=True
        )
        self.content.addWidget(self._nothing)
        self.content.addWidget(self.table)
        self.content.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)

    def _summary(self) -> QHBoxLayout:
        figures = column(0)
        figures.addWidget(Text(tr("Share of shelf"), "caption-strong", "muted"))
        across = QHBoxLayout()
        across.setSpacing(theme.space(3))
        across.addWidget(self.share)
        across.addWidget(self.trend)
        figures.addLayout(across)
        figures.addWidget(self.share_note)
        counts = column(1)
        counts.addWidget(Text(tr("Listed products"), "caption-strong", "muted"))
        counts.addSpacing(theme.space(2))
        counts.addWidget(self.bar)
        counts.addWidget(self.counts)
        counts.addStretch(1)
        self.summary.addLayout(figures, 1)
        self.summary.addLayout(counts, 1)
        return self.summary

    def show_card(self, card: OutletCard, now: datetime) -> None:
        self._lines = {line.product.product_id: line for line in card.shelf}
        self._all = [line.product.product_id for line in sorted(card.shelf, key=_pressing)]
        audited = card.brief.audited_at is not None
        for widget in (self._head, self.table, self.more):
            widget.setVisible(audited)
        self._nothing.setVisible(not audited)
        if audited:
            self._show_share(card.shares)
            self._show_counts(card.shelf)
            self.title.set_count(since(card.brief.audited_at, now) if card.brief.audited_at else "")
            self._fill()

    def _show_share(self, shares: Sequence[ShareOfShelf]) -> None:
        values = [one.own / one.all for one in shares]
        self.share.setText(percent(values[-1]) if values else "–")
        self.trend.set_values(values)
        self.trend.setVisible(len(values) > 1)
        if shares:
            last = shares[-1]
            self.share_note.setText(tr("{own} of {all} facings", own=number(last.own), all=number(last.all)))

    def _show_counts(self, shelf: Sequence[ShelfLine]) -> None:
        states = [line.seen.state if line.seen else "unchecked" for line in shelf if line.product.listed]
        present, out, absent, unchecked = (states.count(one) for one in ("present", "oos", "absent", "unchecked"))
        words = [
            trn("{n} present", "{n} present", present),
            trn("{n} out of stock", "{n} out of stock", out),
            trn("{n} absent", "{n} absent", absent),
        ]
        if unchecked:
            words.append(trn("{n} not checked", "{n} not checked", unchecked))
        self.bar.set(
            [(present, "success"), (out, "danger"), (absent, "warning"), (unchecked, "neutral")], ", ".join(words)
        )
        self.counts.setText(" · ".join(words))

    def _fetch(self, ids: Sequence[Any]) -> list[ShelfLine]:
        return [self._lines[id_] for id_ in ids if id_ in self._lines]

    def _toggle(self) -> None:
        self._open = not self._open
        self._fill()

    def _fill(self) -> None:
        shown = self._all if self._open else self._all[:SHOWN]
        self.model.set_ids(shown)
        self.more.setVisible(len(self._all) > SHOWN)
        self.more.setText(
            tr("Show fewer") if self._open else trn("Show the {n} product", "Show all {n} products", len(self._all))
        )
        height = self.table.horizontalHeader().height() + len(shown) * theme.pixels(LINE) + 4
        self.table.setFixedHeight(height)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The product takes the room that the other columns leave."""
        others = sum(theme.pixels(one.width) for one in self.model.columns[1:])
        margins = self.body.contentsMargins()
        room = self.width() - margins.left() - margins.right() - others - 4
        self.table.setColumnWidth(0, max(theme.pixels(130), room))


def _pressing(line: ShelfLine) -> tuple[int, bool, int]:
    state = _ORDER.get(line.seen.state, 2) if line.seen else 3
    if not line.product.own and state < 2:
        state = 2  # what a competitor lacks is not ours to mend
    return (state, not line.product.must_stock, -line.out_of_stock_streak)


def _columns() -> list[Column[ShelfLine]]:
    return [
        Column("name", tr("Product"), lambda line: line.product.name, 190, sortable=False, strong=True),
        Column("state", tr("State"), _state, 138, sortable=False, badge=_state_tone),
        Column("facings", tr("Facings"), _facings, 84, right=True, sortable=False, tone=_facings_tone),
        Column("price", tr("Price"), price_words, 150, right=True, sortable=False, tone=_price_tone),
    ]


def _state(line: ShelfLine) -> str:
    if line.seen is None:
        return tr("Not checked")
    if line.seen.state == "oos":
        times = line.out_of_stock_streak
        return tr("Out of stock ×{n}", n=number(times)) if times > 1 else tr("Out of stock")
    return trc("product", "Present") if line.seen.state == "present" else trc("product", "Absent")


def _state_tone(line: ShelfLine) -> str:
    state = line.seen.state if line.seen else ""
    return {"present": "success", "oos": "danger", "absent": "warning"}.get(state, "neutral")


def _facings(line: ShelfLine) -> str:
    seen = line.seen.facings if line.seen else None
    target = line.product.target_facings
    if seen is None and target is None:
        return ""
    if target is None:
        return number(seen or 0)
    return f"{'–' if seen is None else number(seen)} / {number(target)}"


def _facings_tone(line: ShelfLine) -> str:
    target = line.product.target_facings
    if line.seen is None or target is None or line.seen.facings is None:
        return "muted"
    return "warning_text" if line.seen.facings < target else "text"


def _price_tone(line: ShelfLine) -> str:
    if line.seen is None or line.seen.price_minor is None or line.product.price_minor is None:
        return "muted"
    return "text" if line.seen.price_minor == line.product.price_minor else "warning_text"
