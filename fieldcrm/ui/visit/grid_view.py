"""The audit by keyboard: one key for a state, digits for facings, one key for "as last time", Enter down, Tab right."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLineEdit, QTableView, QWidget

from fieldcrm.forms.model import DataType, Question
from fieldcrm.ui import theme
from fieldcrm.ui.visit.grid_cells import ROW_HEIGHT, GridCells, pill_widths
from fieldcrm.ui.visit.grid_model import GridModel
from fieldcrm.words import tr

# The same keys in every language, by what the choices mean: P, R (rupture) or O (out of stock), A.
STATE_KEYS = {
    Qt.Key.Key_P: "present", Qt.Key.Key_R: "oos", Qt.Key.Key_O: "oos", Qt.Key.Key_A: "absent",
}
CONFIRM_KEYS = (Qt.Key.Key_C, Qt.Key.Key_Equal, Qt.Key.Key_S)
_DIGITS = range(Qt.Key.Key_0, Qt.Key.Key_9 + 1)
WIDTHS = {"facings": 78, "price": 84}
_CTRL = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier


class AuditGrid(QTableView):
    """``undo_wanted`` on Ctrl+Z: the last answer is taken back before anything else is."""

    undo_wanted = Signal()

    def __init__(self, model: GridModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.grid_model = model
        self.setModel(model)
        self.cells = GridCells(model, self)
        self.setItemDelegate(self.cells)
        self.cells.moved.connect(self.step)
        self.setAccessibleName(tr("Products of the audit"))
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.AnyKeyPressed)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(theme.pixels(ROW_HEIGHT))
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        model.modelReset.connect(self._fit)
        self._fit()
        self.start()

    def start(self) -> None:
        """Put the cursor on the state of the first line that is not checked."""
        first = self.grid_model.next_open(-1)
        self.go(max(first, 0), 1)

    def go(self, row: int, column: int) -> None:
        index = self.grid_model.index(row, column)
        if index.isValid():
            self.selectionModel().setCurrentIndex(
                index, QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows)
            self.scrollTo(index)

    def show_answer(self, path: str) -> bool:
        """Put the cursor on the answer at ``path``."""
        row = self.grid_model.row_of(path)
        if row < 0:
            return False
        self.go(row, max(1, self.grid_model.column_of(path.rpartition("/")[2])))
        self.setFocus()
        return True

    # keys

    def event(self, event: QEvent) -> bool:
        # Claimed here, so that the Undo of the whole program does not take it.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _is_undo(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if _is_undo(event):
            self.undo_wanted.emit()
            return
        key, index = Qt.Key(event.key()), self.currentIndex()
        if not index.isValid() or event.modifiers() & _CTRL:
            super().keyPressEvent(event)
            return
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.step(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1, 0)
            return
        question = self.grid_model.question(index.column())
        typing = question is not None and question.type is DataType.TEXT
        if typing or not self._answer(key, index, question):
            super().keyPressEvent(event)

    def focusNextPrevChild(self, next: bool) -> bool:
        """Tab goes to the next answer; off the end of the grid, to what follows it."""
        return self.step(0, 1 if next else -1) or super().focusNextPrevChild(next)

    def _answer(self, key: Qt.Key, index: QModelIndex, question: Question | None) -> bool:
        """What the key says about the line; False when it says nothing."""
        model = self.grid_model
        row = model.path(index.row())
        if key in STATE_KEYS:
            self._state(row, STATE_KEYS[key], index.row())
        elif key in CONFIRM_KEYS:
            if model.confirm(row):
                self.step(1, 0)
        elif key == Qt.Key.Key_N:
            self.next_open()
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._clear(row, question)
        elif key == Qt.Key.Key_Space and question is not None and question.choices:
            self._cycle(row, question)
        elif key in _DIGITS and (question is None or question.choices):
            self._type_facings(index.row(), chr(key.value))
        else:
            return False
        return True

    def _state(self, row: str, state: str, at: int) -> None:
        model = self.grid_model
        model.answer_state(row, state)
        facings = model.column_of(model.grid.facings)
        if state == "present" and facings > 0:
            self.go(at, facings)
        else:
            self.go(at, 1)
            self.step(1, 0)

    def _clear(self, row: str, question: Question | None) -> None:
        if question is None or question.name == self.grid_model.grid.state:
            self.grid_model.clear(row)
        else:
            self.grid_model.answer_text(row, question, "")

    def _cycle(self, row: str, question: Question) -> None:
        model = self.grid_model
        names = [choice.name for choice in question.choices]
        now = model.answer(row, question)
        following = names[(names.index(now) + 1) % len(names)] if now in names else names[0]
        if question.name == model.grid.state:
            model.answer_state(row, following)
        elif model.enabled(row, question):
            model.answer_text(row, question, following)

    def _type_facings(self, at: int, digit: str) -> None:
        """A digit anywhere on a line begins its facings."""
        column = self.grid_model.column_of(self.grid_model.grid.facings)
        index = self.grid_model.index(at, column)
        if column < 0 or not self.grid_model.flags(index) & Qt.ItemFlag.ItemIsEditable:
            return
        self.go(at, column)
        self.edit(index)
        editor = self.indexWidget(index)
        if isinstance(editor, QLineEdit):
            editor.setText(digit)
            editor.end(False)

    def step(self, down: int, right: int) -> bool:
        """Move the cursor; Tab goes to the next cell that can be answered, on to the next line after the last."""
        index = self.currentIndex()
        row, column = index.row(), index.column()
        many = self.grid_model.rowCount()
        if down:
            column = 1 if column == 0 else column
            if not 0 <= row + down < many:
                return False
            self.go(row + down, column)
            return True
        for _ in range(2 * self.grid_model.columnCount()):
            column += right
            if column >= self.grid_model.columnCount():
                row, column = row + 1, 1
            elif column < 1:
                row, column = row - 1, self.grid_model.columnCount() - 1
            if not 0 <= row < many:
                return False
            if self.grid_model.flags(self.grid_model.index(row, column)) & Qt.ItemFlag.ItemIsEditable:
                self.go(row, column)
                return True
        return False

    def next_open(self) -> bool:
        """Jump to the next line that is not checked."""
        at = self.grid_model.next_open(self.currentIndex().row())
        if at >= 0:
            self.go(at, 1)
        return at >= 0

    def keep_typed(self) -> None:
        """What stands in an open cell becomes its answer; the cell stays open."""
        editor = self.indexWidget(self.currentIndex())
        if isinstance(editor, QLineEdit):
            self.cells.commitData.emit(editor)

    # size

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Fixed widths for the answers, the rest for the product's name."""
        model = self.grid_model
        used = 0
        for column in range(1, model.columnCount()):
            question = model.question(column)
            assert question is not None
            role = question.bind.own.get("observe", "")
            width = WIDTHS.get(role, 170 if question.type is DataType.TEXT else 118)
            if role == "state":
                pills = pill_widths([choice.label(model.recording.instance.language) for choice in question.choices])
                width = sum(pills) + theme.space(len(pills) + 2)
                self.setColumnWidth(column, width)
                used += width
                continue
            words = theme.metrics("caption-strong").horizontalAdvance(model.header(question))
            width = max(theme.pixels(width), words + theme.space(7))
            self.setColumnWidth(column, width)
            used += width
        self.setColumnWidth(0, max(theme.pixels(196), self.viewport().width() - used))


def _is_undo(event: QKeyEvent) -> bool:
    return event.matches(QKeySequence.StandardKey.Undo)
