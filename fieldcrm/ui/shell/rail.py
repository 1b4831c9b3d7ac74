"""The left rail: the few places there are, by keyboard and mouse, each with what waits there."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from fieldcrm.ui import icons, theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.shell import routes
from fieldcrm.ui.widgets import Avatar, ElidedText, Text, painting
from fieldcrm.words import number, tr

WIDE, NARROW = 216, 68  # pixels at 100 %
Index = QModelIndex | QPersistentModelIndex


class _Model(QAbstractListModel):
    def __init__(self, session: AppSession, parent: QWidget) -> None:
        super().__init__(parent)
        self.routes = routes.rail_of(session.is_manager)
        self._session = session

    def count(self, row: int) -> int:
        return self._session.counts.get(self.routes[row], 0)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.routes)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        name = routes.label(self.routes[index.row()])
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            count = self.count(index.row())
            return tr("{name}, {count} waiting", name=name, count=number(count)) if count else name
        return None

    def tell(self) -> None:
        self.dataChanged.emit(self.index(0), self.index(len(self.routes) - 1))


class _Delegate(QStyledItemDelegate):
    narrow = False
    ringed = False  # the focus came by keyboard

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(theme.space(10), theme.pixels(42))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        assert isinstance(model, _Model)
        color = theme.current().color
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = option.rect.adjusted(theme.space(2.5), 2, -theme.space(2.5), -2)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        tone = color.muted
        if selected:
            edge = color.border_strong if theme.current().high_contrast else ""
            painting.ground(painter, box, color.accent_soft, edge)
            tone = color.accent_text
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painting.ground(painter, box, color.pressed)
        if option.state & QStyle.StateFlag.State_HasFocus and selected and self.ringed:
            painting.focus_ring(painter, box)
        side = theme.pixels(19)
        left = box.center().x() - side // 2 if self.narrow else box.x() + theme.space(2.5)
        spot = QRect(left, box.center().y() - side // 2 + 1, side, side)
        icons.paint(painter, routes.ROUTES[model.routes[index.row()]].icon, spot, tone)
        count = model.count(index.row())
        if self.narrow:
            if count:
                painting.mark(painter, spot.topRight().toPointF(), "warning")
        else:
            style = "body-strong" if selected else "body-medium"
            room = box.right() - spot.right() - theme.space(13)
            rest = QRect(spot.right() + theme.space(3), box.y(), room, box.height())
            painting.words(painter, rest, index.data(), style, color.accent_text if selected else color.text)
            if count:
                self._count(painter, box, number(count), selected)
        painter.restore()

    def _count(self, painter: QPainter, box: QRect, text: str, selected: bool) -> None:
        color = theme.current().color
        height = theme.pixels(20)
        width = max(height, theme.metrics("caption-strong").horizontalAdvance(text) + theme.space(3))
        pill = QRect(box.right() - width - theme.space(2), box.center().y() - height // 2 + 1, width, height)
        painting.ground(painter, pill, color.surface if selected else color.pressed, "", height / 2)
        painting.words(painter, pill, text, "caption-strong", color.muted, Qt.AlignmentFlag.AlignHCenter, figures=True)


class _Sign(QWidget):
    """The sign of the program: a pin in a round square."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(theme.pixels(30), theme.pixels(30))

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        painting.ground(painter, self.rect(), color.accent, "", theme.RADIUS)
        side = theme.pixels(18)
        spot = QRect(0, 0, side, side)
        spot.moveCenter(self.rect().center())
        icons.paint(painter, "map-pinned", spot, color.on_accent)
        painter.end()


class Rail(QWidget):
    """``chosen(route)`` when the person picks a place."""

    chosen = Signal(str)

    def __init__(self, session: AppSession) -> None:
        super().__init__()
        self._session = session
        self._narrow = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.space(3.5), 0, theme.space(3))
        column.setSpacing(theme.space(3))
        head = QHBoxLayout()
        head.setContentsMargins(theme.space(4.5), 0, theme.space(3), 0)
        head.setSpacing(theme.space(2.5))
        self._word = Text("FieldCRM", "heading")
        head.addWidget(_Sign())
        head.addWidget(self._word, 1)
        column.addLayout(head)
        column.addWidget(self._list(), 1)
        column.addLayout(self._person())
        session.counts_changed.connect(self._model.tell)
        self.set_narrow(False)

    def _list(self) -> QListView:
        self._model = _Model(self._session, self)
        self._delegate = _Delegate(self)
        self.view = QListView()
        self.view.setModel(self._model)
        self.view.setItemDelegate(self._delegate)
        self.view.setAccessibleName(tr("Places"))
        self.view.setMouseTracking(True)
        self.view.setProperty("kind", "rail")
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.clicked.connect(lambda index: self.chosen.emit(self._model.routes[index.row()]))
        self.view.activated.connect(lambda index: self.chosen.emit(self._model.routes[index.row()]))
        return self.view

    def _person(self) -> QHBoxLayout:
        identity = self._session.identity
        row = QHBoxLayout()
        row.setContentsMargins(theme.space(4.5), 0, theme.space(3), 0)
        row.setSpacing(theme.space(2.5))
        row.addWidget(Avatar(identity.name, 32))
        self._names = QWidget()
        names = QVBoxLayout(self._names)
        names.setContentsMargins(0, 0, 0, 0)
        names.setSpacing(0)
        names.addWidget(ElidedText(identity.name, "body-medium"))
        names.addWidget(ElidedText(identity.organisation, "caption", "faint"))
        row.addWidget(self._names, 1)
        return row

    def show_route(self, route: str) -> None:
        """Mark the place that a route belongs to."""
        entry = routes.ROUTES[route].rail or route
        if entry in self._model.routes:
            self.view.setCurrentIndex(self._model.index(self._model.routes.index(entry)))
        else:
            self.view.setCurrentIndex(QModelIndex())

    def set_narrow(self, narrow: bool) -> None:
        """Icons alone, when the window is narrow."""
        self._narrow = self._delegate.narrow = narrow
        self._word.setVisible(not narrow)
        self._names.setVisible(not narrow)
        self.setFixedWidth(theme.pixels(NARROW if narrow else WIDE))
        self._model.tell()

    def focus_list(self) -> None:
        self._delegate.ringed = True
        self.view.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        painter.fillRect(self.rect(), theme.qcolor(color.rail))
        painter.fillRect(self.width() - 1, 0, 1, self.height(), theme.qcolor(color.border))
        painter.end()
