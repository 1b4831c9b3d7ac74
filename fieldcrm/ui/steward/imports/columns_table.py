"""The first rows of a file, and above each column what it becomes of an outlet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QResizeEvent, QStandardItem, QStandardItemModel, QWheelEvent
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QHeaderView, QStyledItemDelegate, QTableView, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.steward.imports.words import certainty, groups, target_name
from fieldcrm.ui.widgets import painting, plain
from fieldcrm.ui.widgets.lists import Index
from fieldcrm.usecases.customfields import CustomField
from fieldcrm.usecases.feeds import ColumnMap, Opened
from fieldcrm.words import tr

WIDTH, TALL = 196, 112  # pixels at 100 %
TARGET = int(Qt.ItemDataRole.UserRole)


class SampleModel(QAbstractTableModel):
    """The sample as it stands in the file; columns that are left out step back."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.header: tuple[str, ...] = ()
        self._rows: tuple[tuple[str, ...], ...] = ()
        self.targets: tuple[str, ...] = ()

    def show_sample(self, opened: Opened) -> None:
        self.beginResetModel()
        self.header, self._rows = opened.header, opened.sample
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.header)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return None
        cells = self._rows[index.row()]
        text = cells[index.column()] if index.column() < len(cells) else ""
        text = " ".join(text.split())
        return plain(text) if role == Qt.ItemDataRole.ToolTipRole else text

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.header[section] if 0 <= section < len(self.header) else None
        return None


class _Cells(QStyledItemDelegate):
    def paint(self, painter: QPainter, option: Any, index: Index) -> None:
        model = index.model()
        assert isinstance(model, SampleModel)
        color = theme.current().color
        at = index.column()
        used = at < len(model.targets) and bool(model.targets[at])
        rect: QRect = option.rect
        painter.save()
        painter.fillRect(rect.x(), rect.bottom(), rect.width(), 1, theme.qcolor(color.border))
        inner = rect.adjusted(theme.space(3), 0, -theme.space(2), 0)
        painting.words(painter, inner, str(index.data() or ""), "body", color.text if used else color.faint)
        painter.restore()


class _Choice(QComboBox):
    """The wheel goes on scrolling the table instead of changing what is under the pointer."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class TargetHeader(QHeaderView):
    """``chosen(column, target)`` when a person says what a column is."""

    chosen = Signal(int, str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.combos: list[_Choice] = []
        self._signs: list[tuple[str, str]] = []
        self.setSectionsClickable(False)
        self.setFixedHeight(theme.pixels(TALL))
        self.sectionResized.connect(lambda *_: self._arrange())

    def show_columns(self, columns: int, choices: QStandardItemModel) -> None:
        while len(self.combos) > columns:
            gone = self.combos.pop()
            gone.hide()
            gone.deleteLater()
        while len(self.combos) < columns:
            at, combo = len(self.combos), _Choice(self.viewport())
            combo.setMaxVisibleItems(18)
            combo.activated.connect(lambda row, at=at, combo=combo: self.chosen.emit(at, combo.itemData(row, TARGET)))
            self.combos.append(combo)
        for combo in self.combos:
            if combo.model() is not choices:
                combo.setModel(choices)
            combo.show()
        self._arrange()

    def show_targets(self, mapping: ColumnMap, signs: Sequence[tuple[str, str]]) -> None:
        """``signs``: how sure each target is, and the tone of it."""
        self._signs = list(signs)
        for at, combo in enumerate(self.combos):
            row = combo.findData(mapping.targets[at], TARGET)
            combo.setCurrentIndex(max(row, 0))
            combo.setAccessibleName(tr("What “{column}” becomes", column=mapping.header[at]))
            combo.setAccessibleDescription(signs[at][0])
        self.viewport().update()

    def _arrange(self) -> None:
        top = theme.pixels(38)
        for at, combo in enumerate(self.combos):
            left, width = self.sectionViewportPosition(at), self.sectionSize(at)
            combo.setGeometry(left + theme.space(2), top, width - theme.space(4), theme.pixels(34))

    def setOffset(self, offset: int) -> None:
        super().setOffset(offset)
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), theme.pixels(TALL))

    def paintSection(self, painter: QPainter, rect: QRect, logicalIndex: int) -> None:
        color = theme.current().color
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(rect, theme.qcolor(color.surface))
        painter.fillRect(rect.x(), rect.bottom(), rect.width(), 1, theme.qcolor(color.border))
        painter.fillRect(rect.right(), rect.y() + 8, 1, rect.height() - 16, theme.qcolor(color.border))
        inner = rect.adjusted(theme.space(3), theme.space(2), -theme.space(3), 0)
        name = QRect(inner.x(), inner.y(), inner.width(), theme.pixels(26))
        title = str(self.model().headerData(logicalIndex, Qt.Orientation.Horizontal) or "–")
        painting.words(painter, name, title, "body-strong", color.text)
        if logicalIndex < len(self._signs):
            words, tone = self._signs[logicalIndex]
            below = QRect(inner.x() - theme.space(1), theme.pixels(77), inner.width(), theme.pixels(28))
            painting.badge(painter, below, words, tone)
        painter.restore()


class ColumnsTable(QTableView):
    """``chosen(column, target)``; Tab goes through the choices above the columns."""

    chosen = Signal(int, str)

    def __init__(self) -> None:
        super().__init__()
        self.sample = SampleModel(self)
        self.setModel(self.sample)
        self._choices = QStandardItemModel(self)
        self._own: tuple[CustomField, ...] | None = None
        self.setItemDelegate(_Cells(self))
        self.targets = TargetHeader(self)
        self.setHorizontalHeader(self.targets)
        self.targets.chosen.connect(self.chosen)
        self.targets.setDefaultSectionSize(theme.pixels(WIDTH))
        self.targets.setMinimumSectionSize(theme.pixels(140))
        self.targets.setStretchLastSection(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(theme.pixels(34))
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setCornerWidget(QWidget())
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName(tr("First rows of the file"))

    def show_file(self, opened: Opened, mapping: ColumnMap, own: tuple[CustomField, ...], chosen: set[int]) -> None:
        """``chosen``: the columns that a person has settled."""
        if own != self._own:
            self._own = own
            self._fill_choices(own)
        if self.sample.header != opened.header or self.sample.rowCount() != len(opened.sample):
            self.sample.show_sample(opened)
        self.sample.targets = mapping.targets
        self.targets.show_columns(len(opened.header), self._choices)
        signs = [
            certainty(opened.confidence[at] if at < len(opened.confidence) else 0.0, target, chosen=at in chosen)
            for at, target in enumerate(mapping.targets)
        ]
        self.targets.show_targets(mapping, signs)
        self.viewport().update()

    def _fill_choices(self, own: Sequence[CustomField]) -> None:
        self._choices.clear()
        self._choices.appendRow(_item(target_name(""), ""))
        for title, targets in groups(own):
            head = QStandardItem(title)
            head.setFlags(Qt.ItemFlag.NoItemFlags)
            head.setData(None, TARGET)
            head.setFont(theme.font("caption-strong"))
            self._choices.appendRow(head)
            for target in targets:
                self._choices.appendRow(_item(target_name(target, own), target))


def _item(words: str, target: str) -> QStandardItem:
    made = QStandardItem(words)
    made.setData(target, TARGET)
    return made
