"""What a manager decides about the report in front: approve, or return with a reason and a note, in the page itself."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPaintEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QVBoxLayout, QWidget

from fieldcrm.domain.submission import ReportState
from fieldcrm.ui import report_words, theme
from fieldcrm.ui.widgets import painting
from fieldcrm.ui.widgets.badges import Badge, Chip
from fieldcrm.ui.widgets.buttons import Button
from fieldcrm.ui.widgets.layouts import FlowLayout, column, row
from fieldcrm.ui.widgets.text import KeyCap, Text
from fieldcrm.usecases.report import Report
from fieldcrm.usecases.review import reason_text
from fieldcrm.words import tr


class NoteEdit(QPlainTextEdit):
    """Ctrl+Enter sends, Esc gives up."""

    sent = Signal()
    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and event.modifiers() & (
            Qt.KeyboardModifier.ControlModifier
        ):
            self.sent.emit()
        else:
            super().keyPressEvent(event)


class DecisionBar(QFrame):
    """``approved``, ``returned(reason, note)`` and ``taken_back`` tell what the person chose."""

    approved = Signal()
    returned = Signal(str, str)
    taken_back = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._report: Report | None = None
        self._reasons: tuple[str, ...] = ()
        self.chips: dict[str, Chip] = {}
        outer = QVBoxLayout(self)
        outer.setContentsMargins(theme.space(5), theme.space(3), theme.space(5), theme.space(3))
        outer.setSpacing(theme.space(3))
        self.panel = self._make_panel()
        outer.addWidget(self.panel)
        line = row(2)
        self._state = Badge()
        self.back_button = Button(tr("Take back"), "ghost", "rotate-ccw", self.taken_back.emit)
        self.return_button = Button(tr("Return…"), "secondary", "undo-2", self.open_panel)
        self.approve_button = Button(tr("Approve"), "primary", "check", self.approved.emit)
        line.addWidget(self._state)
        line.addStretch(1)
        line.addWidget(self.back_button)
        self._keys = [KeyCap("R"), KeyCap("A")]
        line.addWidget(self._keys[0])
        line.addWidget(self.return_button)
        line.addWidget(self._keys[1])
        line.addWidget(self.approve_button)
        self._line = QWidget()
        self._line.setLayout(line)
        outer.addWidget(self._line)
        self.panel.hide()
        self.hide()

    def _make_panel(self) -> QWidget:
        panel = QWidget()
        part = column(2.5)
        panel.setLayout(part)
        self._title = Text("", "heading")
        part.addWidget(self._title)
        self._holder = QWidget()
        self._flow = FlowLayout(self._holder, 2)
        part.addWidget(self._holder)
        self._error = Text("", "caption", "danger")
        self._error.hide()
        part.addWidget(self._error)
        self.note = NoteEdit()
        self.note.setAccessibleName(tr("Note to the rep"))
        self.note.setPlaceholderText(tr("What should be checked? The rep reads this note on the next visit."))
        self.note.setFixedHeight(theme.pixels(64))
        self.note.setTabChangesFocus(True)
        self.note.sent.connect(self.send)
        self.note.left.connect(self.close_panel)
        part.addWidget(self.note)
        foot = row(2)
        self._asked = Text("", "caption", "faint", wrap=True)
        foot.addWidget(self._asked, 1)
        foot.addWidget(Button(tr("Cancel"), "ghost", on_click=self.close_panel))
        self.send_button = Button(tr("Return the report"), "primary", "undo-2", self.send)
        foot.addWidget(self.send_button)
        part.addLayout(foot)
        return panel

    def show_report(self, report: Report | None, reasons: Sequence[str], may_decide: bool) -> None:
        """The choices that this report still has; without the right to decide only its state is shown."""
        same = report is not None and self._report is not None and (
            report.item.report.submission_id == self._report.item.report.submission_id)
        self._report = report
        if not same:
            self.close_panel()
        self.setVisible(report is not None)
        if report is None:
            return
        if tuple(reasons) != self._reasons:
            self._fill_reasons(tuple(reasons))
        state = report.item.state
        words, tone = report_words.state(state)
        self._state.set(words, tone)
        current = state is not ReportState.SUPERSEDED and may_decide
        self.approve_button.setVisible(current and state is not ReportState.APPROVED)
        self.return_button.setVisible(current and state is not ReportState.RETURNED)
        self._keys[0].setVisible(self.return_button.isVisibleTo(self))
        self._keys[1].setVisible(self.approve_button.isVisibleTo(self))
        self.back_button.setVisible(current and not state.waits_for_review)
        self._title.setText(tr("Return to {person}", person=report.item.report.person))

    def _fill_reasons(self, reasons: tuple[str, ...]) -> None:
        for chip in self.chips.values():
            self._flow.removeWidget(chip)
            chip.deleteLater()
        self._reasons, self.chips = reasons, {}
        for code in reasons:
            chip = Chip(reason_text(code))
            chip.clicked.connect(lambda _=False, code=code: self.choose(code))
            self._flow.addWidget(chip)
            self.chips[code] = chip

    def set_asked(self, names: Sequence[str]) -> None:
        """The lines picked in the table, which the question is about."""
        if names:
            self._asked.setText(tr("About: {names}", names=", ".join(names)))
        else:
            self._asked.setText(tr("Pick lines in the table to ask about them."))

    def open_panel(self) -> None:
        if not self.return_button.isVisibleTo(self):
            return
        self.panel.show()
        self._line.hide()
        next(iter(self.chips.values())).setFocus()

    def close_panel(self) -> None:
        self.panel.hide()
        self._line.show()
        self._error.hide()
        self.note.clear()
        for chip in self.chips.values():
            chip.setChecked(False)

    def choose(self, code: str) -> None:
        for other, chip in self.chips.items():
            chip.setChecked(other == code)
        self._error.hide()
        self.note.setFocus()

    def send(self) -> None:
        chosen = next((code for code, chip in self.chips.items() if chip.isChecked()), None)
        if chosen is None:
            self.show_error(tr("Choose a reason: the rep needs to know what to check."))
            return
        self.returned.emit(chosen, self.note.toPlainText().strip())

    def show_error(self, text: str) -> None:
        self._error.setText(text)
        self._error.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        painter.fillRect(self.rect(), theme.qcolor(color.surface))
        painter.fillRect(0, 0, self.width(), 1, theme.qcolor(color.border))
        painter.end()
