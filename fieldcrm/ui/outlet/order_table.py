"""The products of an order, filled in by keyboard: digits for the quantity, + and −, Enter goes down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView

from fieldcrm.domain.ids import Id
from fieldcrm.ui import theme
from fieldcrm.ui.widgets import Column, PageModel, PageTable
from fieldcrm.usecases.orders import QUANTITY_MOST, Choice, OrderLine
from fieldcrm.words import money, number, tr

ROWS_SHOWN = 8
_LINE = 36
_NUMBERS = 76  # width of a column of numbers


@dataclass(frozen=True, slots=True)
class OrderRow:
    choice: Choice
    quantity: int
    price_minor: int | None

    @property
    def amount_minor(self) -> int | None:
        return None if self.price_minor is None else self.price_minor * self.quantity


class OrderTable(PageTable):
    """``changed`` with each quantity; ``finished`` on Ctrl+Enter."""

    changed = Signal()
    finished = Signal()

    def __init__(self, choices: Sequence[Choice], lines: Iterable[OrderLine] = ()) -> None:
        self._choices = {choice.product_id: choice for choice in choices}
        self._prices = {choice.product_id: choice.price_minor for choice in choices}
        self._quantities: dict[Id, int] = {}
        self._typing: Id | None = None  # whose digits are being typed
        model: PageModel[OrderRow] = PageModel(_columns(), self._rows, lambda row: row.choice.product_id)
        super().__init__(model, tr("Products of the order"))
        model.setParent(self)
        self.setSortingEnabled(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.verticalHeader().setDefaultSectionSize(theme.pixels(_LINE))
        header = self.horizontalHeader()
        header.setSectionsMovable(False)
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for at in range(1, len(model.columns)):
            header.setSectionResizeMode(at, QHeaderView.ResizeMode.Fixed)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.fill(lines)
        self.show_products("")

    # ---- what is ordered ----

    def fill(self, lines: Iterable[OrderLine], *, prices: bool = True) -> None:
        """These quantities and no others; with ``prices`` also the prices of the lines, else those of the list."""
        self._quantities.clear()
        for line in lines:
            if line.product_id in self._choices:
                self._quantities[line.product_id] = line.quantity
                if prices:
                    self._prices[line.product_id] = line.price_minor
        self._pages.forget_rows()
        self.changed.emit()

    def lines(self) -> list[OrderLine]:
        return [
            OrderLine(product, quantity, self._prices.get(product))
            for product, quantity in self._quantities.items()
            if quantity
        ]

    def quantity(self, product: Id) -> int:
        return self._quantities.get(product, 0)

    def set_quantity(self, product: Id, quantity: int) -> None:
        self._quantities[product] = max(0, min(QUANTITY_MOST, quantity))
        self._pages.forget_rows([product])
        self.changed.emit()

    def show_products(self, text: str) -> None:
        """Those whose name or brand holds what was typed; ordered ones stay in sight."""
        wanted = text.strip().casefold()
        ids = [
            id_
            for id_, choice in self._choices.items()
            if wanted in f"{choice.name} {choice.brand or ''}".casefold()
        ]
        self.set_ids(ids)
        if ids and not self.currentIndex().isValid():
            self.select_id(ids[0])
        rows = max(1, min(ROWS_SHOWN, len(ids)))
        self.setFixedHeight(self.horizontalHeader().height() + rows * theme.pixels(_LINE) + 4)

    def _rows(self, ids: Sequence[Any]) -> list[OrderRow]:
        return [OrderRow(self._choices[id_], self.quantity(id_), self._prices.get(id_)) for id_ in ids]

    # ---- by keyboard ----

    def keyPressEvent(self, event: QKeyEvent) -> None:
        product = self.current_id()
        held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier & ~Qt.KeyboardModifier.ShiftModifier
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self.finished.emit()
            else:
                self._step()
            return
        if product is None or held or not self._typed(event, product):
            self._typing = None
            super().keyPressEvent(event)

    def _typed(self, event: QKeyEvent, product: Id) -> bool:
        """Whether the key was one of a quantity."""
        now, text = self.quantity(product), event.text()
        if text.isascii() and text.isdigit():
            self.set_quantity(product, (now * 10 if self._typing == product else 0) + int(text))
            self._typing = product
            return True
        steps = {"+": 1, "-": -1}
        if text in steps:
            self.set_quantity(product, now + steps[text])
        elif event.key() == Qt.Key.Key_Backspace:
            self.set_quantity(product, now // 10)
            self._typing = product
            return True
        elif event.key() == Qt.Key.Key_Delete:
            self.set_quantity(product, 0)
        else:
            return False
        self._typing = None
        return True

    def _step(self) -> None:
        self._typing = None
        self.selectRow(min(self.currentIndex().row() + 1, self._pages.rowCount() - 1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        narrow = event.size().width() < theme.pixels(420)
        self.setColumnHidden(2, narrow)  # the price gives way to the amount
        super().resizeEvent(event)


def _columns() -> list[Column[OrderRow]]:
    return [
        Column("name", tr("Product"), lambda row: row.choice.name, 200, sortable=False, strong=True,
               tone=lambda row: "text" if row.choice.listed else "muted"),
        Column("last", tr("Last time"), _last, 104, right=True, sortable=False, tone=lambda _: "faint"),
        Column("price", tr("Price"), _price, _NUMBERS, right=True, sortable=False, tone=lambda _: "muted"),
        Column("quantity", tr("Quantity"), _quantity, _NUMBERS, right=True, sortable=False, strong=True, figures=True),
        Column("amount", tr("Amount"), _amount, 92, right=True, sortable=False, figures=True),
    ]  # fmt: skip


def _last(row: OrderRow) -> str:
    return "" if row.choice.last is None else number(row.choice.last)


def _price(row: OrderRow) -> str:
    return "–" if row.price_minor is None else money(row.price_minor)


def _quantity(row: OrderRow) -> str:
    return number(row.quantity) if row.quantity else "·"


def _amount(row: OrderRow) -> str:
    return money(row.amount_minor) if row.quantity and row.amount_minor is not None else ""
