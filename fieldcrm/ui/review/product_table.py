"""Products with their distribution as bars: held and on the shelf, n of N, and out of stock."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QResizeEvent
from PySide6.QtWidgets import QHeaderView, QStyle, QStyleOptionViewItem

from fieldcrm.ui import report_words, theme
from fieldcrm.ui.review.charts import share_bar
from fieldcrm.ui.widgets import painting
from fieldcrm.ui.widgets.lists import ROW_ROLE, Column, Index, PageModel
from fieldcrm.ui.widgets.page_table import PageTable
from fieldcrm.ui.widgets.rows import CellDelegate
from fieldcrm.usecases.figures import ProductFigures
from fieldcrm.words import number, tr

ROW_HEIGHT = 48
NARROW = 760


class ProductTable(PageTable):
    """As high as its rows; Enter or a double click opens a product down to its stores."""

    def __init__(self) -> None:
        self._by_id: dict[object, ProductFigures] = {}
        model: PageModel[ProductFigures] = PageModel(
            _columns(), lambda ids: [self._by_id[id] for id in ids], lambda row: row.product_id)
        super().__init__(model, tr("Distribution by product"))
        model.setParent(self)
        self._cells = ProductCells(self)
        self.setItemDelegate(self._cells)
        self.setSortingEnabled(False)
        self.setSelectionMode(PageTable.SelectionMode.SingleSelection)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().setDefaultSectionSize(theme.pixels(ROW_HEIGHT))
        header = self.horizontalHeader()
        header.setStretchLastSection(False)
        header.setSectionsMovable(False)
        for at in range(len(model.columns)):
            stretches = at < 2
            header.setSectionResizeMode(
                at, QHeaderView.ResizeMode.Stretch if stretches else QHeaderView.ResizeMode.Fixed)

    def show_products(self, products: Sequence[ProductFigures]) -> None:
        self._by_id = {product.product_id: product for product in products}
        self.set_ids(list(self._by_id))
        self.setFixedHeight(theme.pixels(ROW_HEIGHT) * len(self._by_id) + self.horizontalHeader().height() + 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.setColumnHidden(len(self._pages.columns) - 1, event.size().width() < theme.pixels(NARROW))
        super().resizeEvent(event)


def _columns() -> list[Column[ProductFigures]]:
    return [
        Column("product", tr("Product"), lambda row: row.name, 220, strong=True),
        Column("held", tr("Distribution: held, on the shelf"), lambda row: report_words.share(row.held.value), 260),
        Column("seen", tr("Seen of listed"), _seen, 120, right=True),
        Column("oos", tr("Out of stock"), lambda row: report_words.share(row.out_of_stock.value), 116, right=True),
        Column("range", tr("Probably"), _range, 116, right=True, tone=lambda row: "muted"),
    ]


def _seen(row: ProductFigures) -> str:
    if not row.held.population:
        return "–"
    return tr("{seen} of {all}", seen=number(row.held.seen), all=number(row.held.population))


def _range(row: ProductFigures) -> str:
    interval = row.held.interval
    if interval is None:
        return "–"
    low, high = round(interval.low * 100), round(interval.high * 100)
    return report_words.share(interval.low) if low == high else tr("{low} to {high}", low=number(low),
                                                                   high=report_words.share(round(interval.high, 2)))


class ProductCells(CellDelegate):
    """Two-line product names, and bars in the distribution column."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(ROW_ROLE)
        model = index.model()
        if not isinstance(row, ProductFigures) or not isinstance(model, PageModel):
            return
        key = model.columns[index.column()].key
        if key not in ("product", "held"):
            super().paint(painter, option, index)
            return
        painter.save()
        self._bare(painter, option, index)
        inner = option.rect.adjusted(theme.space(3), 0, -theme.space(3), 0)
        if key == "product":
            _two_lines(painter, inner, row)
        else:
            _bar(painter, inner, row)
        painter.restore()

    def _bare(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        color = theme.current().color
        rect: QRect = option.rect
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or index.row() == self.hovered_row:
            painter.fillRect(rect, theme.qcolor(color.selected if selected else color.hover))
        if selected and index.column() == 0:
            painter.fillRect(rect.x(), rect.y(), 3, rect.height(), theme.qcolor(color.accent))
        painter.fillRect(rect.x(), rect.bottom(), rect.width(), 1, theme.qcolor(color.border))


def _two_lines(painter: QPainter, inner: QRect, row: ProductFigures) -> None:
    color = theme.current().color
    middle = inner.center().y()
    upper = QRect(inner.x(), middle - theme.pixels(18), inner.width(), theme.pixels(20))
    lower = QRect(inner.x(), middle + theme.pixels(1), inner.width(), theme.pixels(16))
    painting.words(painter, upper, row.name, "body-medium", color.text)
    below = " · ".join(part for part in (row.brand, row.category) if part)
    painting.words(painter, lower, below, "micro", color.faint)


def _bar(painter: QPainter, inner: QRect, row: ProductFigures) -> None:
    color = theme.current().color
    label = QRect(inner.x(), inner.y(), theme.pixels(52), inner.height())
    painting.words(painter, label, report_words.share(row.held.value), "body-medium",
                   color.text if row.held.value is not None else color.faint, figures=True)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    track = QRectF(label.right() + theme.space(2), inner.center().y() - 4, inner.right() - label.right() - 8, 8)
    if track.width() < 20:
        return
    ink = color.accent if row.own else color.neutral
    faint = theme.qcolor(ink, 0.42)
    share_bar(painter, track, row.held.value, None, faint.name(QColor.NameFormat.HexArgb))
    if row.present.value:
        solid = QRectF(track.x(), track.y(), track.width() * row.present.value, track.height())
        painter.save()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ink))
        painter.drawRoundedRect(solid, min(4.0, solid.width() / 2), 4)
        painter.restore()
