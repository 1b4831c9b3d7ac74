"""The page of an audit: filters and progress above, the grid, and the keys it answers to below."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from fieldcrm.forms.grid import Grid
from fieldcrm.ui import theme
from fieldcrm.ui.visit.grid_model import GridModel
from fieldcrm.ui.visit.grid_view import AuditGrid
from fieldcrm.ui.visit.recording import Recording
from fieldcrm.ui.widgets import (
    Button,
    Chip,
    EmptyState,
    FlowLayout,
    KeyCap,
    SearchField,
    StateStack,
    Text,
    column,
    painting,
    row,
)
from fieldcrm.words import number, tr


class Progress(QWidget):
    """A fine bar and ``12 of 36 checked``."""

    def __init__(self) -> None:
        super().__init__()
        self._done, self._many = 0, 0
        self.setFixedSize(theme.pixels(132), theme.pixels(32))

    def set(self, done: int, many: int) -> None:
        self._done, self._many = done, many
        self.setAccessibleName(self.words())
        self.setToolTip(self.words())
        self.update()

    def words(self) -> str:
        return tr("{done} of {many} checked", done=number(self._done), many=number(self._many))

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        upper = self.rect().adjusted(0, 0, 0, -theme.pixels(10))
        painting.words(painter, upper, self.words(), "caption-strong", color.muted, Qt.AlignmentFlag.AlignRight,
                       figures=True)
        track = QRectF(0, self.height() - theme.pixels(8), self.width(), theme.pixels(4))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(color.sunken))
        painter.drawRoundedRect(track, 2, 2)
        if self._done:
            painter.setBrush(QColor(color.accent))
            track.setWidth(track.width() * self._done / max(1, self._many))
            painter.drawRoundedRect(track, 2, 2)
        painter.end()


class KeyHints(QWidget):
    """Keys with what they do, as many as there is room for."""

    def __init__(self, hints: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._pairs: list[QWidget] = []
        line = row(3.5)
        for key, words in hints:
            pair = QWidget()
            inner = row(1)
            inner.addWidget(KeyCap(key))
            inner.addWidget(Text(words, "caption", "faint"))
            pair.setLayout(inner)
            line.addWidget(pair)
            self._pairs.append(pair)
        line.addStretch(1)
        self.setLayout(line)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(0)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, theme.pixels(24))

    def resizeEvent(self, event: QResizeEvent) -> None:
        used = 0
        for pair in self._pairs:
            used += pair.sizeHint().width() + theme.space(3.5)
            pair.setVisible(used <= event.size().width())
        super().resizeEvent(event)


class GridPage(QWidget):
    def __init__(self, recording: Recording, grid: Grid) -> None:
        super().__init__()
        self.recording, self.grid = recording, grid
        self.model = GridModel(recording, grid, self)
        self.view = AuditGrid(self.model)
        self._category = ""
        self._stack = StateStack(self.view)
        page = column(2)
        page.addLayout(self._tools())
        page.addWidget(self._filters())
        page.addWidget(self._stack, 1)
        self.setLayout(page)
        recording.answered.connect(self._count)
        self._count()
        self._refilter()

    # parts

    def _tools(self) -> QHBoxLayout:
        line = row(2)
        self.search = SearchField(tr("Find a product"), tr("Find a product"))
        self.search.setMaximumWidth(theme.pixels(300))
        self.search.searched.connect(lambda _: self._refilter())
        self.search.left.connect(self.view.setFocus)
        self.more = Chip(tr("More columns"), icon="table-2")
        self.more.toggled.connect(self.show_on_demand)
        self.next = Button(tr("Next not checked"), "ghost", "arrow-down", self._next)
        self.progress = Progress()
        line.addWidget(self.search, 1)
        line.addStretch(1)
        line.addWidget(self.next)
        line.addWidget(self.progress)
        return line

    def _filters(self) -> QWidget:
        holder = QWidget()
        flow = FlowLayout(holder, 1.5)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        holder.setSizePolicy(policy)
        self.open_only = Chip(tr("Not checked"), icon="circle-dashed")
        self.open_only.toggled.connect(lambda _: self._refilter())
        flow.addWidget(self.open_only)
        self.chips: dict[str, Chip] = {}
        categories = self.model.categories()
        for name in categories if len(categories) > 1 else ():
            chip = Chip(name or tr("Other"))
            chip.clicked.connect(lambda _=False, name=name: self._pick(name))
            flow.addWidget(chip)
            self.chips[name] = chip
        flow.addWidget(self.more)
        self.more.setVisible(bool(self.grid.on_demand))
        return holder

    def keys(self) -> QWidget:
        """The keys of the grid, for the foot of the screen."""
        return KeyHints((
            ("P", tr("present")), ("R", tr("out of stock")), ("A", tr("absent")), ("C", tr("as last time")),
            ("0–9", tr("facings")), ("N", tr("next not checked")), ("↵", tr("down")), ("⇥", tr("right")),
        ))

    # what a person does

    def show_on_demand(self, shown: bool) -> None:
        index = self.view.currentIndex()
        self.model.show_on_demand(shown)
        self.view.go(max(0, index.row()), min(max(1, index.column()), self.model.columnCount() - 1))

    def show_answer(self, path: str) -> bool:
        """Bring an answer into view, lifting filters that hide it."""
        if self.model.row_of(path) < 0:
            self._category = ""
            self.open_only.setChecked(False)
            self.search.clear()
            self._refilter()
        if any(path.endswith("/" + question.name) for question in self.grid.on_demand):
            self.more.setChecked(True)
        return self.view.show_answer(path)

    def _pick(self, name: str) -> None:
        self._category = "" if self._category == name else name
        self._refilter()
        self.view.setFocus()

    def _next(self) -> None:
        if self.view.next_open():
            self.view.setFocus()

    def _refilter(self) -> None:
        for name, chip in self.chips.items():
            chip.setChecked(name == self._category)
        self.model.filter(category=self._category, text=self.search.text(), open_only=self.open_only.isChecked())
        if self.model.rowCount():
            self._stack.show_content()
            self.view.start()
        elif self.open_only.isChecked() and not self.search.text():
            again = (tr("Show all lines"), lambda: self.open_only.setChecked(False))
            title = tr("Every line here is checked")
            self._stack.show_empty(EmptyState("circle-check", title, "", again, tone="success"))
        else:
            title = tr("No product found") if self.search.text() or self._category else tr("No product is listed here")
            text = tr("The assortment of this type of store is empty.") if not self.recording.lines else ""
            self._stack.show_empty(EmptyState("package-search", title, text, tone="neutral"))

    def _count(self, _paths: object = None) -> None:
        done, many = self.recording.counts(self.grid)
        self.progress.set(done, many)
        self.next.setEnabled(done < many)
        for name, (checked, lines) in self.model.categories().items():
            if name in self.chips:
                self.chips[name].set_count(f"{checked}/{lines}")
