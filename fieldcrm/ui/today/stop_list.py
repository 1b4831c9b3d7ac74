"""The list of the day: Enter goes in, dragging moves a stop and says its price before it is dropped."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QDragLeaveEvent, QDragMoveEvent, QDropEvent, QKeyEvent, QMouseEvent, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractItemView, QListView

from fieldcrm.domain.ids import Id
from fieldcrm.ui import theme
from fieldcrm.ui.today.delegate import DayDelegate
from fieldcrm.ui.today.model import LEFT_OUT, DayModel, Heading, Item
from fieldcrm.ui.widgets import ROW_ROLE, painting
from fieldcrm.usecases.today import TodayRow
from fieldcrm.words import tr


class StopList(QListView):
    """``moved(stop_id, position)`` when a stop was dropped; ``hovering`` with the same while it is dragged."""

    activated_item = Signal(object)
    chosen = Signal(object)  # the Item that became current, or None
    hovering = Signal(object, int)
    moved = Signal(object, int)
    skip_asked = Signal(object)
    menu_asked = Signal(object, QPoint)

    def __init__(self, model: DayModel) -> None:
        super().__init__()
        self.day = model
        self._price = ""
        self._price_tone = "neutral"
        self._line_at: int | None = None
        self.setAccessibleName(tr("Stores of the day"))
        self.setItemDelegate(DayDelegate(self))
        self.setModel(model)
        self.setMouseTracking(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setViewportMargins(0, theme.space(2), 0, theme.space(2))
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setDropIndicatorShown(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._menu)
        self.selectionModel().currentChanged.connect(lambda now, _: self.chosen.emit(now.data(ROW_ROLE)))
        self.doubleClicked.connect(lambda index: self.activated_item.emit(index.data(ROW_ROLE)))

    # ---- the current line

    def current(self) -> Item | None:
        item: Item | None = self.currentIndex().data(ROW_ROLE)
        return item

    def current_outlet(self) -> Id | None:
        item = self.current()
        return None if item is None or isinstance(item, Heading) else item.outlet_id

    def select_outlet(self, outlet_id: Id | None) -> bool:
        index = self.day.index_of(outlet_id) if outlet_id is not None else QModelIndex()
        if index.isValid():
            self.setCurrentIndex(index)
            self.scrollTo(index)
        return index.isValid()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        item = self.current()
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and not event.modifiers() and item is not None:
            self._toggle_or(item)
            return
        if event.key() == Qt.Key.Key_Delete and isinstance(item, TodayRow) and item.open:
            self.skip_asked.emit(item)
            return
        super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        item = self.indexAt(event.position().toPoint()).data(ROW_ROLE)
        super().mouseReleaseEvent(event)
        if isinstance(item, Heading) and event.button() == Qt.MouseButton.LeftButton:
            self._toggle_or(item)

    def _toggle_or(self, item: Item) -> None:
        if isinstance(item, Heading):
            if item.key == LEFT_OUT:
                self.day.fold(not self.day.folded)
            return
        self.activated_item.emit(item)

    def _menu(self, at: QPoint) -> None:
        item = self.indexAt(at).data(ROW_ROLE)
        if item is not None and not isinstance(item, Heading):
            self.menu_asked.emit(item, self.viewport().mapToGlobal(at))

    # ---- dragging

    def _dragged(self) -> TodayRow | None:
        item = self.current()
        return item if isinstance(item, TodayRow) and item.open and item.stop_id is not None else None

    def _target(self, at: QPoint) -> int:
        """Before which open stop a drop at this height would go."""
        for row in range(self.day.open_count):
            if at.y() < self.visualRect(self.day.index(row, 0)).center().y():
                return row
        return self.day.open_count

    def position_for(self, dragged: TodayRow, target: int) -> int:
        """The place among the other open stops that dropping before line ``target`` means."""
        own = self.day.index_of(dragged.outlet_id).row()
        return target - 1 if own < target else target

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        super().dragMoveEvent(event)
        dragged = self._dragged()
        if dragged is None:
            event.ignore()
            return
        event.acceptProposedAction()
        target = self._target(event.position().toPoint())
        if target != self._line_at:
            self._line_at = target
            self.hovering.emit(dragged.stop_id, self.position_for(dragged, target))
        self.viewport().update()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._end_drag()
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        dragged = self._dragged()
        if dragged is not None:
            own = self.day.index_of(dragged.outlet_id).row()
            position = self.position_for(dragged, self._target(event.position().toPoint()))
            if position != own:
                self.moved.emit(dragged.stop_id, position)
        # The rows come anew from the database: the view itself moves nothing.
        event.setDropAction(Qt.DropAction.IgnoreAction)
        event.accept()
        self._end_drag()

    def _end_drag(self) -> None:
        self._line_at, self._price = None, ""
        self.viewport().update()

    def show_price(self, text: str, tone: str) -> None:
        """Beside the line where the stop would go."""
        self._price, self._price_tone = text, tone
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._line_at is None or not self.day.open_count:
            return
        last = self._line_at >= self.day.open_count
        rect = self.visualRect(self.day.index(min(self._line_at, self.day.open_count - 1), 0))
        y = max(rect.bottom() if last else rect.top(), 2)
        painter = painting.smooth(self.viewport())
        color = theme.current().color
        painter.setPen(QPen(theme.qcolor(color.accent), 2))
        painter.drawLine(theme.space(4), y, self.viewport().width() - theme.space(4), y)
        if self._price:
            tone = color.tone(self._price_tone)
            width = theme.metrics("caption-strong").horizontalAdvance(self._price) + theme.space(5)
            height = theme.pixels(24)
            pill = QRect(self.viewport().width() - width - theme.space(5), y - height // 2, width, height)
            pill.moveTop(max(2, min(pill.y(), self.viewport().height() - height - 2)))
            painting.ground(painter, pill, tone.soft, tone.solid, height / 2)
            painting.words(painter, pill, self._price, "caption-strong", tone.text, Qt.AlignmentFlag.AlignHCenter,
                           figures=True)
        painter.end()
