"""The first step: a file, dropped or chosen; what can be read is named."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QFileDialog, QProgressBar, QVBoxLayout, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.steward.imports.desk import ImportDesk
from fieldcrm.ui.steward.imports.words import FORMATS, SUFFIXES
from fieldcrm.ui.widgets import Button, Emblem, FlowLayout, InlineMessage, Text, column, painting, row
from fieldcrm.ui.widgets.signs import Sign
from fieldcrm.words import tr


def dropped_file(data: QMimeData) -> Path | None:
    """The first file of what is dragged."""
    return next((Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()), None)


def ask_file(parent: QWidget) -> Path | None:
    patterns = " ".join(f"*.{suffix}" for suffix in SUFFIXES)
    chosen, _ = QFileDialog.getOpenFileName(
        parent, tr("File with outlets"), "", ";;".join((tr("Files with outlets ({patterns})", patterns=patterns),
                                                        tr("All files (*)"))))
    return Path(chosen) if chosen else None


class DropZone(QWidget):
    """A place that takes a file; ``chosen(path)``."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setAcceptDrops(True)
        self._over = False
        lines = QVBoxLayout(self)
        lines.setContentsMargins(*(theme.space(6),) * 4)
        lines.setSpacing(theme.space(2))
        lines.addStretch(1)
        lines.addWidget(Emblem("file-up"), 0, Qt.AlignmentFlag.AlignHCenter)
        for words in (Text(tr("Drag a file here"), "heading"),
                      Text(tr("The file stays as it is, and nothing is imported before you say so."), "body", "muted")):
            words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            words.setWordWrap(True)
            lines.addWidget(words)
        self.button = Button(tr("Choose a file…"), "primary", "folder-open", self.ask)
        lines.addSpacing(theme.space(2))
        lines.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        lines.addStretch(1)

    def ask(self) -> None:
        path = ask_file(self.window())
        if path is not None:
            self.chosen.emit(path)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_file(event.mimeData()) is not None:
            event.acceptProposedAction()
            self._hover(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._hover(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._hover(False)
        path = dropped_file(event.mimeData())
        if path is not None:
            event.acceptProposedAction()
            self.chosen.emit(path)

    def _hover(self, over: bool) -> None:
        self._over = over
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        shape = QPainterPath()
        shape.addRoundedRect(self.rect().adjusted(1, 1, -1, -1), theme.RADIUS_LARGE, theme.RADIUS_LARGE)
        painter.fillPath(shape, theme.qcolor(color.accent_soft if self._over else color.surface))
        pen = QPen(theme.qcolor(color.accent if self._over else color.border_strong), 1.5, Qt.PenStyle.DashLine)
        pen.setDashPattern([5, 4])
        painter.setPen(pen)
        painter.drawPath(shape)
        painter.end()


class FileStep(QWidget):
    """Reading the beginning of a large file takes seconds: that is said, and can be given up by choosing another."""

    def __init__(self, desk: ImportDesk) -> None:
        super().__init__()
        self._desk = desk
        lines = column(4)
        self.setLayout(lines)
        self.message = InlineMessage()
        lines.addWidget(self.message)
        self.zone = DropZone()
        self.zone.chosen.connect(desk.open_file)
        lines.addWidget(self.zone, 1)
        self._reading = QWidget()
        busy = column(1.5)
        self._reading.setLayout(busy)
        self._said = Text("", "body", "muted", wrap=True)
        bar = QProgressBar()
        bar.setRange(0, 0)
        busy.addWidget(self._said)
        busy.addWidget(bar)
        lines.addWidget(self._reading)
        holder = QWidget()
        flow = FlowLayout(holder, 5)
        for words, icon in FORMATS:
            flow.addWidget(_format(words, icon))
        lines.addWidget(holder)

    def refresh(self) -> None:
        desk = self._desk
        self._reading.setVisible(desk.reading is not None)
        if desk.reading is not None:
            self._said.setText(tr("Reading {file}…", file=desk.reading.name))
        if desk.error is not None and desk.opened is None and desk.reading is None:
            self.message.show_text(sentence(desk.error), "danger")
        else:
            self.message.hide()

    def focus_first(self) -> None:
        self.zone.button.setFocus(Qt.FocusReason.OtherFocusReason)


def _format(words: str, icon: str) -> QWidget:
    holder = QWidget()
    line = row(2)
    holder.setLayout(line)
    line.addWidget(Sign(icon, "faint", 16))
    line.addWidget(Text(words, "caption", "muted"))
    return holder
