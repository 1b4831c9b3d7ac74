"""The rows above the map: how to colour and how to select, and what may be done with the selected."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QProgressBar, QSizePolicy, QToolButton, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.outlets.map_bulk import Running
from fieldcrm.ui.widgets import Button, FlowLayout, IconButton, Text, plain
from fieldcrm.words import number, percent, tr, trn

TOOLS = (("", "hand"), ("lasso", "lasso"), ("polygon", "pentagon"), ("rectangle", "square-dashed"))


def tool_names() -> dict[str, str]:
    return {
        "": tr("Move the map (Shift pulls a rectangle)"),
        "lasso": tr("Lasso: draw around outlets"),
        "polygon": tr("Polygon: click its corners"),
        "rectangle": tr("Rectangle"),
    }


class ToolBar(QWidget):
    tool_chosen = Signal(object)  # its name, or None for the hand
    all_wanted = Signal()

    def __init__(self, pick_colour: Callable[[], None]) -> None:
        super().__init__()
        self.line = FlowLayout(self, 2)
        self.colour_button = Button("…", "secondary", "palette", pick_colour)
        self.line.addWidget(self.colour_button)
        hands = QWidget()
        line = QHBoxLayout(hands)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(0)
        self._tools = QButtonGroup(self)
        self.buttons: dict[str, QToolButton] = {}
        names = tool_names()
        for name, icon in TOOLS:
            button = IconButton(icon, names[name])
            button.clicked.connect(lambda _=False, name=name: self.tool_chosen.emit(name or None))
            button.setCheckable(True)
            self._tools.addButton(button)
            self.buttons[name] = button
            line.addWidget(button)
        self.buttons[""].setChecked(True)
        self.line.addWidget(hands)
        self.all_button = Button(tr("Select all"), "quiet", on_click=self.all_wanted.emit)
        self.line.addWidget(self.all_button)
        self.show_colour("")

    def show_colour(self, title: str) -> None:
        self.colour_button.setText(title or "…")
        self.colour_button.setAccessibleName(tr("Colour: {what}", what=title or "…"))
        self.colour_button.setToolTip(plain(self.colour_button.accessibleName()))

    def show_tool(self, tool: str | None) -> None:
        self.buttons[tool or ""].setChecked(True)


class SelectionBar(QWidget):
    """“128 selected”, what may be done with them, and how far it is."""

    change_wanted = Signal()
    tasks_wanted = Signal()
    only_wanted = Signal()
    export_wanted = Signal()
    clear_wanted = Signal()
    stop_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("selectionBar")
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(theme.space(1))
        self.count = Text("", "body-strong")
        self.count.setMinimumHeight(theme.pixels(34))
        self.count.setAlignment(Qt.AlignmentFlag.AlignVCenter)
        self.change_button = Button(tr("Change…"), "quiet", "square-pen", self.change_wanted.emit)
        self.tasks_button = IconButton("list-checks", tr("Make tasks…"), self.tasks_wanted.emit)
        self.only_button = IconButton("list-filter", tr("Show only these"), self.only_wanted.emit)
        self.export_button = IconButton("file-spreadsheet", tr("Export…"), self.export_wanted.emit)
        self.clear_button = IconButton("x", tr("Clear the selection"), self.clear_wanted.emit)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setFixedSize(theme.pixels(160), theme.pixels(6))
        self.progress_text = Text("", "body", "muted")
        self.stop_button = Button(tr("Stop"), "secondary", on_click=self.stop_wanted.emit)
        self._doing = (self.progress_text, self.progress, self.stop_button)
        self._buttons: tuple[QWidget, ...] = (
            self.change_button, self.tasks_button, self.only_button, self.export_button, self.clear_button,
        )  # fmt: skip
        for widget in (self.count, *self._buttons, *self._doing):
            line.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.show_work(None)

    def show_count(self, count: int) -> None:
        self.count.setText(trn("One selected", "{n} selected", count))
        self._selected = count
        self._decide()

    def show_work(self, running: Running | None) -> None:
        """``running``: what is being done to many outlets now."""
        self._running = running
        for widget in self._buttons:
            widget.setVisible(running is None)
        for shown in self._doing:
            shown.setVisible(running is not None)
        if running is not None:
            self.progress.setValue(round(running.fraction * 1000))
            said = tr("Stopping…") if running.stop.is_set() else tr("{what} {share}", what=running.said,
                                                                    share=percent(running.fraction))
            self.progress_text.setText(said)
            self.stop_button.setEnabled(not running.stop.is_set())
        self._decide()

    def _decide(self) -> None:
        selected = getattr(self, "_selected", 0)
        self.setVisible(selected > 0 or self._running is not None)
        self.count.setVisible(selected > 0)
        self.setAccessibleName(tr("{n} selected", n=number(selected)))
