"""The audit lines of a report as a quiet table: state, facings and price now, and what they were."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyle, QStyleOptionViewItem

from fieldcrm.domain.ids import Id
from fieldcrm.domain.submission import Basis, ShelfLine
from fieldcrm.ui import report_words, theme
from fieldcrm.ui.widgets import painting
from fieldcrm.ui.widgets.lists import ROW_ROLE, Column, Index, PageModel
from fieldcrm.ui.widgets.page_table import PageTable
from fieldcrm.ui.widgets.rows import CellDelegate
from fieldcrm.usecases.report import ProductLine, line_changed
from fieldcrm.words import money, number, tr

ROW_HEIGHT = 46
NARROW = 660
NARROW_WIDTHS = {"state": 136, "facings": 78, "price": 90}


class AuditTable(PageTable):
    """As high as its lines: the page around it scrolls. ``selected_products`` are the lines asked about."""

    def __init__(self, lines: Sequence[ProductLine], name: str) -> None:
        by_id = {line.product_id: line for line in lines}
        model: PageModel[ProductLine] = PageModel(
            _columns(), lambda ids: [by_id[id] for id in ids], lambda line: line.product_id)
        super().__init__(model, name)
        model.setParent(self)
        model.set_ids(list(by_id))
        self.setSortingEnabled(False)
        self._cells = AuditCells(self)
        self.setItemDelegate(self._cells)
        self.setSelectionMode(QAbstractItemView.SelectionMode.MultiSelection)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().setDefaultSectionSize(theme.pixels(ROW_HEIGHT))
        header = self.horizontalHeader()
        header.setStretchLastSection(False)
        header.setSectionsMovable(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for at in range(1, len(model.columns)):
            header.setSectionResizeMode(at, QHeaderView.ResizeMode.Fixed)
        self.setFixedHeight(theme.pixels(ROW_HEIGHT) * len(by_id) + header.height() + 2)
        self.setTabKeyNavigation(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow page the columns step together, and how a line was counted gives way to what was."""
        narrow = event.size().width() < theme.pixels(NARROW)
        for at, column in enumerate(self._pages.columns[1:], 1):
            width = NARROW_WIDTHS.get(column.key, column.width) if narrow else column.width
            self.setColumnWidth(at, theme.pixels(width))
        self.setColumnHidden(len(self._pages.columns) - 1, narrow)
        super().resizeEvent(event)

    def selected_products(self) -> list[Id]:
        return [id for id in self.selected_ids() if id is not None]

    def sizeHint(self) -> QSize:
        return QSize(theme.pixels(420), self.height())


def _columns() -> list[Column[ProductLine]]:
    return [
        Column("product", tr("Product"), lambda line: line.name, 260, strong=True),
        Column("state", tr("State"), lambda line: report_words.shelf(line.now.state.value)[0], 138),
        Column("facings", tr("Facings"), _facings, 104, right=True),
        Column("price", tr("Price"), _price, 118, right=True),
        Column("basis", tr("How"), _basis, 126),
    ]


def _facings(line: ProductLine) -> str:
    return "–" if line.now.facings is None else number(line.now.facings)


def _price(line: ProductLine) -> str:
    return "–" if line.now.price_minor is None else money(line.now.price_minor)


def _basis(line: ProductLine) -> str:
    return tr("as last time") if line.now.basis is Basis.CONFIRMED else tr("counted")


class AuditCells(CellDelegate):
    """Two lines to a cell: now above, what it was (or should be) below, the changed ones marked."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        line = index.data(ROW_ROLE)
        model = index.model()
        if not isinstance(line, ProductLine) or not isinstance(model, PageModel):
            return
        column = model.columns[index.column()]
        painter.save()
        self._ground(painter, option, index, line)
        inner = option.rect.adjusted(theme.space(3), 0, -theme.space(3), 0)
        if column.key == "state":
            self._state(painter, inner, line)
        else:
            self._two(painter, inner, column, line)
        painter.restore()

    def _ground(self, painter: QPainter, option: QStyleOptionViewItem, index: Index, line: ProductLine) -> None:
        color = theme.current().color
        rect: QRect = option.rect
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or index.row() == self.hovered_row:
            painter.fillRect(rect, theme.qcolor(color.selected if selected else color.hover))
        elif line_changed(line):
            painter.fillRect(rect, theme.qcolor(color.accent_soft))
        if index.column() == 0 and (selected or line_changed(line)):
            painter.fillRect(rect.x(), rect.y(), 3, rect.height(), theme.qcolor(color.accent))
        if index.row() + 1 < index.model().rowCount(QModelIndex()):
            painter.fillRect(rect.x(), rect.bottom(), rect.width(), 1, theme.qcolor(color.border))

    def _state(self, painter: QPainter, inner: QRect, line: ProductLine) -> None:
        words, tone = report_words.shelf(line.now.state.value)
        before = line.earlier if line_changed(line) else line.before
        if before is None or before.state is line.now.state:
            painting.badge(painter, inner, words, tone)
            return
        upper, lower = _halves(inner)
        painting.badge(painter, upper.adjusted(0, 1, 0, 1), words, tone)
        was = tr("was {value}", value=report_words.shelf(before.state.value)[0].lower())
        painting.words(painter, lower.adjusted(theme.space(1), 0, 0, 0), was, "micro", theme.current().color.faint)

    def _two(self, painter: QPainter, inner: QRect, column: Column[ProductLine], line: ProductLine) -> None:
        color = theme.current().color
        text, below = column.text(line), _below(column.key, line)
        side = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
        style = "body-medium" if column.strong or column.right else "body"
        ink = color.faint if text == "–" else color.muted if column.key == "basis" else color.text
        upper, lower = _halves(inner) if below else (inner, inner)
        painting.words(painter, upper, text, style, ink, side, figures=column.right)
        if below:
            tone = color.warning_text if _astray(column.key, line) else color.faint
            painting.words(painter, lower, below, "micro", tone, side, figures=column.right)


def _halves(inner: QRect) -> tuple[QRect, QRect]:
    upper = QRect(inner.x(), inner.y() + theme.space(1), inner.width(), inner.height() // 2)
    top = upper.bottom() - theme.space(0.5)
    return upper, QRect(inner.x(), top, inner.width(), inner.height() // 2 - theme.space(1))


def _below(key: str, line: ProductLine) -> str:
    if key == "product":
        return " · ".join(part for part in (line.brand, tr("must-stock") if line.must_stock else "") if part)
    before: ShelfLine | None = line.earlier if line_changed(line) else line.before
    if key == "facings":
        if before is not None and before.facings is not None and before.facings != line.now.facings:
            return tr("was {value}", value=number(before.facings))
        if line.target_facings and line.now.facings is not None and line.now.facings < line.target_facings:
            return tr("target {value}", value=number(line.target_facings))
    if key == "price" and line.now.price_minor is not None:
        if before is not None and before.price_minor is not None and before.price_minor != line.now.price_minor:
            return tr("was {value}", value=money(before.price_minor))
        if line.reference_minor and line.reference_minor != line.now.price_minor:
            return tr("ref. {value}", value=money(line.reference_minor))
    return ""


def _astray(key: str, line: ProductLine) -> bool:
    """A price more than a fifth away from what it should be: the eye is to stop there."""
    price, reference = line.now.price_minor, line.reference_minor
    return key == "price" and price is not None and reference is not None and abs(price - reference) * 5 > reference
