"""The left side of the page: the sector, its figures, and the kinds of findings with how many there are."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QComboBox,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from fieldcrm.domain.ids import Id
from fieldcrm.ui import icons, theme
from fieldcrm.ui.steward.quality import finding_words
from fieldcrm.ui.steward.quality.sectors import Figures
from fieldcrm.ui.widgets import Card, painting
from fieldcrm.ui.widgets.lists import Index
from fieldcrm.ui.widgets.rows import row_ground
from fieldcrm.usecases.outlet_quality import KINDS, Overview
from fieldcrm.words import number, tr

SECTORS = ""  # the entry that shows every sector
_CODE = int(Qt.ItemDataRole.UserRole)
_COUNT = _CODE + 1


class _KindDelegate(QStyledItemDelegate):
    """Icon, name, count at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(theme.pixels(120), theme.pixels(34))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        color = theme.current().color
        code, count = index.data(_CODE), index.data(_COUNT)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box: QRect = option.rect.adjusted(0, 1, 0, -1)
        row_ground(painter, option, box)
        inner = box.adjusted(theme.space(2.5), 0, -theme.space(2.5), 0)
        side = theme.pixels(16)
        tone = color.tone(finding_words.tone_of(code)).text if code else color.muted
        name = finding_words.icon_of(code) if code else "chart-column"
        icons.paint(painter, name, QRect(inner.x(), inner.center().y() - side // 2, side, side), tone)
        right = inner.right()
        if count:
            used = painting.words(painter, inner, count, "caption", color.muted, Qt.AlignmentFlag.AlignRight,
                                  figures=True)
            right -= used + theme.space(2)
        left = inner.x() + side + theme.space(2)
        painting.words(painter, QRect(left, inner.y(), right - left, inner.height()),
                       str(index.data(Qt.ItemDataRole.DisplayRole)), "body", color.text)
        painter.restore()


class KindsSide(QWidget):
    """``chosen(code)``: a kind, or "" for the sectors; ``sector_chosen(id or None)``."""

    chosen = Signal(str)
    sector_chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space(3))
        self.sector = QComboBox()
        self.sector.setAccessibleName(tr("Sector"))
        self.sector.currentIndexChanged.connect(lambda _: self._sector_moved())
        column.addWidget(self.sector)
        card = Card(padding=3.5, spacing=3)
        self.figures = Figures()
        card.add(self.figures)
        column.addWidget(card)
        self.list = QListWidget()
        self.list.setProperty("kind", "side")
        self.list.setAccessibleName(tr("Kinds of findings"))
        self.list.setItemDelegate(_KindDelegate(self.list))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setMouseTracking(True)
        self.list.currentItemChanged.connect(self._moved)
        column.addWidget(self.list, 1)
        self._filling = False

    def code(self) -> str:
        item = self.list.currentItem()
        return str(item.data(_CODE)) if self.list.count() else SECTORS

    def sector_id(self) -> Id | None:
        value = self.sector.currentData()
        return value if isinstance(value, Id) else None

    def show_overview(self, seen: Overview, wanted: str) -> None:
        """The kinds that there are; the one chosen stays, also when nothing of it is left."""
        self._filling = True
        kept = self.sector_id()
        names = [(tr("All sectors"), None), *((one.name, one.sector_id) for one in seen.sectors)]
        if [self.sector.itemText(at) for at in range(self.sector.count())] != [name for name, _ in names]:
            self.sector.clear()
            for name, id_ in names:
                self.sector.addItem(name, id_)
            self.sector.setCurrentIndex(max(0, self.sector.findData(kept)))
        kept = self.sector_id()
        self.figures.show_figures([one for one in seen.sectors if kept in (None, one.sector_id)], seen.rules)
        self.list.clear()
        codes = list(seen.counts)
        if wanted and wanted not in codes:
            codes = [code for code in KINDS if code in codes or code == wanted]
        self._add(SECTORS, tr("By sector"), "")
        for code in codes:
            count = seen.counts.get(code, (0, 0))[0]
            self._add(code, finding_words.kind_name(code), number(count))
        at = [SECTORS, *codes].index(wanted) if wanted in codes else 0
        self.list.setCurrentRow(at)
        self._filling = False

    def _add(self, code: str, name: str, count: str) -> None:
        item = QListWidgetItem(name)
        item.setData(_CODE, code)
        item.setData(_COUNT, count)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{name}, {count}" if count else name)
        item.setToolTip(name)
        self.list.addItem(item)

    def choose(self, code: str) -> None:
        for at in range(self.list.count()):
            if self.list.item(at).data(_CODE) == code:
                self.list.setCurrentRow(at)

    def choose_sector(self, sector: Id | None) -> None:
        self.sector.setCurrentIndex(max(0, self.sector.findData(sector)))

    def _moved(self) -> None:
        if not self._filling:
            self.chosen.emit(self.code())

    def _sector_moved(self) -> None:
        if not self._filling:
            self.sector_chosen.emit(self.sector_id())
