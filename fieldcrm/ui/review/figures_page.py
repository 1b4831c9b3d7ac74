"""The first page of figures: tiles, the trend, the shelf by category, products and reps; everything opens."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from fieldcrm.ui import report_words, theme
from fieldcrm.ui.review.charts import FigureTile, IntervalBar, TrendChart
from fieldcrm.ui.review.product_table import ProductTable
from fieldcrm.ui.review.rep_table import RepTable
from fieldcrm.ui.widgets.buttons import Button
from fieldcrm.ui.widgets.card import Card
from fieldcrm.ui.widgets.fields import SegmentedControl
from fieldcrm.ui.widgets.layouts import FlowLayout, ScrollPage, column, row
from fieldcrm.ui.widgets.text import ElidedText, SectionTitle, Text
from fieldcrm.usecases.figures import TRENDS, FiguresPage, ProductFigures, Trend
from fieldcrm.words import tr

TILES = ("call_completion", "coverage", "out_of_stock", "share_of_shelf", "must_stock_lines", "price_alerts")
WIDE = 860  # from here on three tiles side by side, and the trend beside the shelf


class FiguresView(ScrollPage):
    """``opened(code, product id, category)`` when a figure is asked to show what is behind it."""

    opened = Signal(str, object, str)
    trend_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__(width=1240, margin=5, spacing=5)
        self.tiles: list[FigureTile] = []
        self._products: tuple[ProductFigures, ...] = ()
        self._tile_grid = QGridLayout()
        self._tile_grid.setSpacing(theme.space(3))
        self.body.addLayout(self._tile_grid)
        self._middle = QGridLayout()
        self._middle.setSpacing(theme.space(3))
        self.trend_choice = SegmentedControl(
            [(code, _short(code)) for code in TRENDS], name=tr("Trend"))
        self.trend_choice.chosen.connect(self.trend_wanted)
        self.chart = TrendChart()
        self._trend_card = self._make_trend()
        self._shelf_card = Card(padding=4, spacing=3)
        self._middle.addWidget(self._trend_card, 0, 0)
        self.body.addLayout(self._middle)
        self.body.addWidget(self._make_products())
        self.reps = RepTable()
        self._reps_title = SectionTitle(tr("By rep"))
        self.body.addWidget(self._reps_title)
        self.body.addWidget(self.reps)
        self.body.addStretch(1)
        self._columns = 0

    def _make_trend(self) -> Card:
        card = Card(padding=4, spacing=3)
        head = FlowLayout(spacing=2)
        title = Text(tr("13 weeks"), "heading")
        title.setMinimumHeight(self.trend_choice.sizeHint().height())
        head.addWidget(title)
        head.addWidget(self.trend_choice)
        card.add(head)
        card.add(self.chart, 1)
        return card

    def _make_products(self) -> QWidget:
        holder = QWidget()
        part = column(3)
        holder.setLayout(part)
        self.whose = SegmentedControl([("own", tr("Ours")), ("all", tr("All"))], name=tr("Products"))
        self.whose.chosen.connect(lambda _: self._show_products())
        title = SectionTitle(tr("Distribution by product"))
        title.add(self.whose)
        part.addWidget(title)
        self._legend = Text(
            tr("Dark: on the shelf at the last count. Light: held but out of stock. Each store counts once."),
            "caption", "faint", wrap=True)
        part.addWidget(self._legend)
        self.products = ProductTable()
        self.products.opened.connect(lambda id: self.opened.emit("distribution_held", id, ""))
        part.addWidget(self.products)
        return holder

    def show_page(self, page: FiguresPage) -> None:
        by_code = {figure.code: figure for figure in page.tiles}
        for tile in self.tiles:
            self._tile_grid.removeWidget(tile)
            tile.deleteLater()
        self.tiles = [FigureTile(by_code[code]) for code in TILES if code in by_code]
        for tile in self.tiles:
            tile.clicked.connect(lambda code=tile.figure.code: self.opened.emit(code, None, ""))
        self._columns = 0
        self._arrange()
        self._products = page.products
        self._show_products()
        self._show_shelf(page)
        self.reps.show_reps(page.reps)
        self._reps_title.setVisible(bool(page.reps))
        self.reps.setVisible(bool(page.reps))

    def show_trend(self, trend: Trend) -> None:
        self.trend_choice.set_value(trend.code)
        self.chart.set(report_words.figure_name(trend.code), trend.points)

    def _show_products(self) -> None:
        self.products.show_products(self.shown_products())

    def shown_products(self) -> list[ProductFigures]:
        """The products of the table: ours, or all."""
        own = self.whose.value() == "own"
        return [product for product in self._products if product.own or not own]

    def _show_shelf(self, page: FiguresPage) -> None:
        self._middle.removeWidget(self._shelf_card)
        self._shelf_card.deleteLater()
        self._shelf_card = Card(padding=4, spacing=3)
        self._shelf_card.add(SectionTitle(tr("Share of shelf")))
        if not page.shelf:
            self._shelf_card.add(Text(tr("No facings were counted in this period."), "body", "muted", wrap=True))
        for category, figure in page.shelf[:6]:
            line = column(1)
            head = row(2)
            head.addWidget(ElidedText(category, "body-medium"), 1)
            head.addWidget(Text(report_words.counts(figure), "caption", "faint"))
            head.addWidget(Text(report_words.share(figure.value), "body-strong"))
            line.addLayout(head)
            bar = IntervalBar()
            bar.set(figure.value, figure.interval)
            bar.setToolTip(report_words.in_words(figure))
            line.addWidget(bar)
            self._shelf_card.add(line)
        self._shelf_card.body.addStretch(1)
        if page.shelf:
            see = Button(tr("See stores"), "ghost", on_click=lambda: self.opened.emit("share_of_shelf", None, ""))
            foot = row(0)
            foot.addWidget(see)
            foot.addStretch(1)
            self._shelf_card.add(foot)
        self._columns = 0
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Three tiles to a row and two cards side by side where there is room, else fewer."""
        wide = self.viewport().width() >= theme.pixels(WIDE)
        columns = 3 if self.viewport().width() >= theme.pixels(660) else 2
        if columns * 10 + wide == self._columns:
            return
        self._columns = columns * 10 + wide
        for at, tile in enumerate(self.tiles):
            self._tile_grid.addWidget(tile, at // columns, at % columns)
        for at in range(3):
            self._tile_grid.setColumnStretch(at, 1 if at < columns else 0)
        self._middle.addWidget(self._shelf_card, *((0, 1) if wide else (1, 0)))
        self._middle.setColumnStretch(0, 5)
        self._middle.setColumnStretch(1, 3 if wide else 0)


def _short(code: str) -> str:
    return {
        "call_completion": tr("Visits done"),
        "distribution_held": tr("Distribution"),
        "out_of_stock": tr("Out of stock"),
    }[code]
