"""The audit as a table: a row for each product, with what was seen last time beside what is seen now."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from fieldcrm.domain.submission import Basis
from fieldcrm.forms.grid import Grid
from fieldcrm.forms.model import DataType, Question
from fieldcrm.forms.problems import Problem
from fieldcrm.ui.visit.recording import Recording
from fieldcrm.ui.visit.typed import typed_date, typed_number
from fieldcrm.ui.widgets import plain
from fieldcrm.usecases.visits import AuditLine
from fieldcrm.words import date as day_words
from fieldcrm.words import tr

Index = QModelIndex | QPersistentModelIndex
PRODUCT = 0  # the first column; questions follow


class Checked(StrEnum):
    """What has become of a line."""

    NOT = "not_checked"
    CONFIRMED = "confirmed"
    CHANGED = "changed"


class GridModel(QAbstractTableModel):
    """Rows of one grid of a recording, filtered; ``on_demand`` says whether the further columns are shown."""

    def __init__(self, recording: Recording, grid: Grid, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.recording = recording
        self.grid = grid
        self.columns: tuple[Question, ...] = grid.first
        self._all = self._ordered()
        self._shown = list(self._all)
        self._place = {row: at for at, row in enumerate(self._shown)}
        self._category, self._text, self._open_only = "", "", False
        recording.answered.connect(self._answered)

    def _ordered(self) -> list[str]:
        """Rows in the order of the assortment, whatever the order in the document."""
        order = {key: at for at, key in enumerate(self.recording.lines)}
        rows = self.recording.instance.rows(self.grid.path)
        return sorted(rows, key=lambda row: order.get(_key(row), len(order)))

    # what is shown

    def filter(self, *, category: str = "", text: str = "", open_only: bool = False) -> None:
        self._category, self._text, self._open_only = category, text.casefold().strip(), open_only
        self.beginResetModel()
        self._shown = [row for row in self._all if self._fits(row)]
        self._place = {row: at for at, row in enumerate(self._shown)}
        self.endResetModel()

    def _fits(self, row: str) -> bool:
        line = self.line(row)
        if self._category and (line is None or line.category != self._category):
            return False
        if self._open_only and self.checked(row) is not Checked.NOT:
            return False
        words = f"{line.name} {line.brand} {line.ean}".casefold() if line is not None else ""
        return all(part in words for part in self._text.split())

    def show_on_demand(self, shown: bool) -> None:
        self.beginResetModel()
        self.columns = self.grid.columns if shown else self.grid.first
        self.endResetModel()

    def categories(self) -> dict[str, tuple[int, int]]:
        """Category to (checked, lines), in order."""
        found: dict[str, tuple[int, int]] = {}
        for row in self._all:
            line = self.line(row)
            name = line.category if line is not None else ""
            done, many = found.get(name, (0, 0))
            found[name] = (done + (self.checked(row) is not Checked.NOT), many + 1)
        return found

    # rows

    def path(self, row: int) -> str:
        return self._shown[row]

    def row_of(self, path: str) -> int:
        """The row that shows the answer or line at ``path``, or -1."""
        return self._place.get(path[: path.rfind("]") + 1] if "]" in path else path, -1)

    def line(self, row: str) -> AuditLine | None:
        return self.recording.lines.get(_key(row))

    def question(self, column: int) -> Question | None:
        return self.columns[column - 1] if 1 <= column <= len(self.columns) else None

    def column_of(self, name: str) -> int:
        return next((at for at, question in enumerate(self.columns, 1) if question.name == name), -1)

    def answer(self, row: str, question: Question) -> str:
        return self.recording.instance.value(f"{row}/{question.name}")

    def state(self, row: str) -> str:
        return self.recording.instance.get(f"{row}/{self.grid.state}")

    def checked(self, row: str) -> Checked:
        if not self.state(row):
            return Checked.NOT
        confirmed = self.recording.instance.get(f"{row}/{self.grid.basis}") == Basis.CONFIRMED.value
        return Checked.CONFIRMED if confirmed else Checked.CHANGED

    def last(self, row: str, question: Question) -> str:
        """What was seen last time, as an answer; empty when nothing was."""
        line = self.line(row)
        if line is None or line.last is None:
            return ""
        if question.name == self.grid.state:
            return line.last.state.value
        if question.name == self.grid.facings and line.last.facings is not None:
            return str(line.last.facings)
        if question.name == self.grid.price and line.last.price_minor is not None:
            return f"{line.last.price_minor // 100}.{line.last.price_minor % 100:02}"
        return ""

    def enabled(self, row: str, question: Question) -> bool:
        """Whether the question can be answered: relevant now, or made so by the answer (facings make it present)."""
        if question.name in (self.grid.facings, self.grid.price) and not self.state(row):
            return True
        return self.recording.instance.relevant(f"{row}/{question.name}")

    def problem(self, row: str, question: Question | None = None) -> Problem | None:
        if not self.recording.instance.answered(row):
            return None
        questions = self.grid.columns if question is None else (question,)
        found = (self.recording.instance.problem(f"{row}/{q.name}") for q in questions)
        return next((problem for problem in found if problem is not None), None)

    # answers

    def answer_state(self, row: str, state: str) -> None:
        grid = self.grid
        self.recording.set_all([(f"{row}/{grid.state}", state), (f"{row}/{grid.basis}", _basis(state))])

    def confirm(self, row: str) -> bool:
        """Answer a line as last time: a new observation, marked as confirmed. False when there is no last time."""
        line = self.line(row)
        if line is None or line.last is None:
            return False
        answers = [(f"{row}/{q.name}", self.last(row, q)) for q in self.grid.first if q.name in self.grid.observed]
        self.recording.set_all([*answers, (f"{row}/{self.grid.basis}", Basis.CONFIRMED.value)])
        return True

    def clear(self, row: str) -> None:
        """Make a line not checked again."""
        names = [question.name for question in self.grid.columns]
        self.recording.set_all([(f"{row}/{name}", "") for name in (*names, self.grid.basis)])

    def answer_text(self, row: str, question: Question, text: str) -> None:
        answers = [(f"{row}/{question.name}", normal(question, text))]
        if text and question.name in (self.grid.facings, self.grid.price) and not self.state(row):
            answers.insert(0, (f"{row}/{self.grid.state}", "present"))
        if question.name in self.grid.observed and self.recording.get(answers[-1][0]) != answers[-1][1]:
            answers.append((f"{row}/{self.grid.basis}", _basis(self.state(row) or "present")))
        self.recording.set_all(answers)

    def next_open(self, after: int) -> int:
        """The next shown row that is not checked, going round; -1 when there is none."""
        many = len(self._shown)
        order = [(after + step) % many for step in range(1, many + 1)] if many else []
        return next((at for at in order if self.checked(self._shown[at]) is Checked.NOT), -1)

    def _answered(self, paths: object) -> None:
        assert isinstance(paths, frozenset)
        for path in paths:
            at = self.row_of(str(path))
            if at >= 0:
                self.dataChanged.emit(self.index(at, 0), self.index(at, len(self.columns)))

    # Qt

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 1 + len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row, question = self._shown[index.row()], self.question(index.column())
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            if question is None:
                line = self.line(row)
                return line.name if line is not None else tr("A product no longer known")
            text = self.answer(row, question)
            return self.words(question, text) if role == Qt.ItemDataRole.DisplayRole else text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(row, question)
        if role == Qt.ItemDataRole.ToolTipRole and question is not None:
            problem = self.problem(row, question)
            return plain(problem.message) if problem is not None and problem.message else None
        return None

    def words(self, question: Question, text: str) -> str:
        if question.choices:
            return next((c.label(self.recording.instance.language) for c in question.choices if c.name == text), text)
        if question.type is DataType.DECIMAL:
            return text.replace(".", ",") if self.recording.instance.language == "fr" else text
        if question.type is DataType.DATE and text:
            return shown_date(text)
        return text

    def _spoken(self, row: str, question: Question | None) -> str:
        line = self.line(row)
        name = line.name if line is not None else ""
        if question is None:
            states = {
                Checked.NOT: tr("not checked"), Checked.CONFIRMED: tr("as last time"), Checked.CHANGED: tr("checked"),
            }
            return f"{name}, {states[self.checked(row)]}"
        label = self.header(question)
        return f"{name}, {label}: {self.words(question, self.answer(row, question)) or tr('no answer')}"

    def header(self, question: Question) -> str:
        parts = question.label.in_language(self.recording.instance.language)
        return "".join(part for part in parts if isinstance(part, str)) or question.name

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        question = self.question(section)
        if role == Qt.ItemDataRole.DisplayRole:
            return tr("Product") if question is None else self.header(question)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            numeric = question is not None and question.type in (DataType.INTEGER, DataType.DECIMAL)
            side = Qt.AlignmentFlag.AlignRight if numeric else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        question = self.question(index.column()) if index.isValid() else None
        if question is not None and self.enabled(self._shown[index.row()], question):
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        question = self.question(index.column())
        if question is None or role != Qt.ItemDataRole.EditRole:
            return False
        row = self._shown[index.row()]
        if question.name == self.grid.state:
            self.answer_state(row, str(value))
        else:
            self.answer_text(row, question, str(value).strip())
        return True


def normal(question: Question, text: str) -> str:
    """What a person types, as an answer: a comma in a number is a point, 3/6/2026 is a date."""
    if question.type in (DataType.DECIMAL, DataType.INTEGER):
        return typed_number(text)
    if question.type is DataType.DATE:
        return typed_date(text)
    return text


def shown_date(text: str) -> str:
    try:
        return day_words(date.fromisoformat(text), "short")
    except ValueError:
        return text


def _basis(state: str) -> str:
    return Basis.OBSERVED.value if state else ""


def _key(row: str) -> str:
    return row.rpartition("[")[2].rstrip("]")
