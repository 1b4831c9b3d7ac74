"""How the cells of the audit are drawn and edited: state pills, figures with last time in faint, marks of the line."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from fieldcrm.forms.model import DataType, Question
from fieldcrm.forms.problems import Severity
from fieldcrm.ui import icons, theme
from fieldcrm.ui.visit.grid_model import Checked, GridModel
from fieldcrm.ui.widgets import painting
from fieldcrm.words import tr

Index = QModelIndex | QPersistentModelIndex
ROW_HEIGHT = 42
TONES = {"present": "success", "oos": "danger", "absent": "neutral"}
_MARKS = {Checked.NOT: ("circle-dashed", "faint"), Checked.CONFIRMED: ("check-check", "accent_text"),
          Checked.CHANGED: ("check", "success_text")}


def pill_widths(labels: Sequence[str]) -> list[int]:
    """The width of each state pill: its word and some air."""
    metrics = theme.metrics("caption-strong")
    return [max(theme.pixels(58), metrics.horizontalAdvance(label) + theme.space(5)) for label in labels]


def pill_rects(rect: QRect, widths: Sequence[int]) -> list[QRect]:
    """Where the pills of a state cell are: side by side, a little apart."""
    height = theme.pixels(26)
    top, left = rect.y() + (rect.height() - height) // 2, rect.x() + theme.space(1.5)
    places = []
    for width in widths:
        places.append(QRect(left, top, width, height))
        left += width + theme.space(1)
    return places


def _ghost(painter: QPainter, box: QRect) -> None:
    """The dashed outline of what was seen last time: not an answer."""
    painter.save()
    painter.setPen(QPen(theme.qcolor(theme.current().color.border_strong), 1, Qt.PenStyle.DashLine))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), theme.RADIUS_SMALL, theme.RADIUS_SMALL)
    painter.restore()


class GridCells(QStyledItemDelegate):
    """``moved(step_down, step_right)`` when an editor was closed by Enter or Tab."""

    moved = Signal(int, int)

    def __init__(self, model: GridModel, parent: QObject) -> None:
        super().__init__(parent)
        self._model = model

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(theme.pixels(80), theme.pixels(ROW_HEIGHT))

    # drawing

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        row, question = self._model.path(index.row()), self._model.question(index.column())
        self._ground(painter, option, row)
        if question is None:
            self._product(painter, option.rect, row)
        elif question.name == self._model.grid.state:
            self._state(painter, option.rect, row, question)
        else:
            self._value(painter, option.rect, row, question)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painting.focus_ring(painter, option.rect.adjusted(1, 2, -1, -3), theme.RADIUS_SMALL)
        painter.restore()

    def _ground(self, painter: QPainter, option: QStyleOptionViewItem, row: str) -> None:
        color = theme.current().color
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.fillRect(option.rect, theme.qcolor(color.selected if selected else color.surface))
        line = option.rect
        painter.fillRect(line.x(), line.bottom(), line.width(), 1, theme.qcolor(color.border))

    def _product(self, painter: QPainter, rect: QRect, row: str) -> None:
        color = theme.current().color
        checked = self._model.checked(row)
        problem = self._model.problem(row)
        icon, ink = _MARKS[checked]
        if problem is not None:
            error = problem.severity is Severity.ERROR
            icon, ink = ("circle-alert", "danger_text") if error else ("triangle-alert", "warning_text")
        side = theme.pixels(16)
        icons.paint(painter, icon, QRect(rect.x() + theme.space(3), rect.center().y() - side // 2, side, side),
                    str(getattr(color, ink)))
        left = rect.x() + theme.space(5) + side
        words = QRect(left, rect.y() + theme.space(0.75), rect.right() - left - theme.space(2), rect.height() // 2)
        line = self._model.line(row)
        name = line.name if line is not None else tr("A product no longer known")
        tone = color.muted if checked is Checked.NOT else color.text
        painting.words(painter, words, name, "body-medium", tone)
        below = words.translated(0, theme.pixels(17))
        if line is not None:
            parts = [line.brand, tr("must stock") if line.must_stock else "", "" if line.own else tr("competitor")]
            painting.words(painter, below, " · ".join(filter(None, parts)), "micro", color.faint)

    def _state(self, painter: QPainter, rect: QRect, row: str, question: Question) -> None:
        color = theme.current().color
        now, last = self._model.state(row), self._model.last(row, question)
        language = self._model.recording.instance.language
        for choice, box in zip(question.choices, self.pills(rect, question), strict=True):
            label = choice.label(language)
            tone = color.tone(TONES.get(choice.name, "accent"))
            if choice.name == now:
                painting.ground(painter, box, tone.soft, tone.solid, theme.RADIUS_SMALL)
                style, ink = "caption-strong", tone.text
            elif not now and choice.name == last:
                _ghost(painter, box)
                style, ink = "caption", color.muted
            else:
                painting.ground(painter, box, color.sunken if not now else "", "", theme.RADIUS_SMALL)
                style, ink = "caption", color.faint
            inner = box.adjusted(theme.space(1), 0, -theme.space(1), 0)
            painting.words(painter, inner, label, style, ink, Qt.AlignmentFlag.AlignHCenter)

    def pills(self, rect: QRect, question: Question) -> list[QRect]:
        """Where the choices of a state cell are."""
        language = self._model.recording.instance.language
        return pill_rects(rect, pill_widths([choice.label(language) for choice in question.choices]))

    def _value(self, painter: QPainter, rect: QRect, row: str, question: Question) -> None:
        color = theme.current().color
        model = self._model
        numeric = question.type in (DataType.INTEGER, DataType.DECIMAL)
        side = Qt.AlignmentFlag.AlignRight if numeric else Qt.AlignmentFlag.AlignLeft
        inner = rect.adjusted(theme.space(3), 0, -theme.space(3), 0)
        if not model.enabled(row, question):
            painting.words(painter, inner, "–", "body", color.disabled, side)
            return
        now, last = model.answer(row, question), model.last(row, question)
        problem = model.problem(row, question)
        if problem is not None and now:
            tone = color.tone("danger" if problem.severity is Severity.ERROR else "warning")
            box = rect.adjusted(theme.space(1), theme.space(1.5), -theme.space(1), -theme.space(1.75))
            painting.ground(painter, box, tone.soft, tone.solid, theme.RADIUS_SMALL)
            painting.words(painter, inner, model.words(question, now), "body-strong", tone.text, side, figures=numeric)
        elif now and last and now != last:
            upper = inner.adjusted(0, theme.space(0.75), 0, -inner.height() // 2)
            painting.words(painter, upper, model.words(question, now), "body-strong", color.text, side, figures=numeric)
            lower = upper.translated(0, theme.pixels(17))
            was = tr("was {value}", value=model.words(question, last))
            painting.words(painter, lower, was, "micro", color.faint, side)
        elif now:
            painting.words(painter, inner, model.words(question, now), "body-medium", color.text, side, figures=numeric)
        elif last:
            painting.words(painter, inner, model.words(question, last), "body", color.faint, side, figures=numeric)

    # editing

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        editor = QLineEdit(parent)
        question = self._model.question(index.column())
        if question is not None and question.type in (DataType.INTEGER, DataType.DECIMAL):
            editor.setAlignment(Qt.AlignmentFlag.AlignRight)
            editor.setMaxLength(12)
        editor.setFont(theme.font("body-medium", figures=True))
        editor.setAccessibleName(self._model.header(question) if question is not None else "")
        return editor

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        question = self._model.question(index.column())
        if isinstance(editor, QLineEdit) and question is not None:
            editor.setText(self._model.words(question, str(index.data(Qt.ItemDataRole.EditRole) or "")))
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        if isinstance(editor, QLineEdit):
            model.setData(model.index(index.row(), index.column()), editor.text(), Qt.ItemDataRole.EditRole)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        editor.setGeometry(option.rect.adjusted(2, 4, -2, -5))

    def eventFilter(self, editor: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and isinstance(editor, QWidget):
            back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            steps = {
                Qt.Key.Key_Return: (-1 if back else 1, 0), Qt.Key.Key_Enter: (-1 if back else 1, 0),
                Qt.Key.Key_Down: (1, 0), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Tab: (0, 1), Qt.Key.Key_Backtab: (0, -1),
            }.get(Qt.Key(event.key()))
            if steps is not None and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self.commitData.emit(editor)
                self.closeEditor.emit(editor, QAbstractItemDelegate.EndEditHint.NoHint)
                self.moved.emit(*steps)
                return True
        return super().eventFilter(editor, event)

    def editorEvent(
        self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index
    ) -> bool:
        """A press on a state pill answers; a second press on it takes the answer back."""
        question = self._model.question(index.column())
        if (
            question is not None and question.name == self._model.grid.state and isinstance(event, QMouseEvent)
            and event.type() == QEvent.Type.MouseButtonRelease and event.button() == Qt.MouseButton.LeftButton
        ):
            row = self._model.path(index.row())
            for choice, box in zip(question.choices, self.pills(option.rect, question), strict=True):
                if box.contains(event.position().toPoint()):
                    again = self._model.state(row) == choice.name
                    if again:
                        self._model.clear(row)
                    else:
                        self._model.answer_state(row, choice.name)
                    return True
        return super().editorEvent(event, model, option, index)
