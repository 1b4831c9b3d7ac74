"""An import step by step, inside the page: Enter goes on, Alt+Left goes back, Esc leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.steward.imports.check_step import CheckStep
from fieldcrm.ui.steward.imports.columns_step import ColumnsStep
from fieldcrm.ui.steward.imports.desk import CHECK, CHECKED, COLUMNS, DONE, FILE, RECOGNISED, RUN, ImportDesk
from fieldcrm.ui.steward.imports.done_step import DoneStep
from fieldcrm.ui.steward.imports.file_step import FileStep
from fieldcrm.ui.steward.imports.recognised_step import RecognisedStep
from fieldcrm.ui.steward.imports.trail import StepTrail
from fieldcrm.ui.widgets import Button, ElidedText, IconButton, Text, column, row
from fieldcrm.usecases.importing import Openings
from fieldcrm.words import tr, trn


class Step(Protocol):
    def refresh(self) -> None: ...

    def focus_first(self) -> None: ...


class Wizard(QWidget):
    """``wanted(step)`` asks for a step, ``left`` for the way out."""

    wanted = Signal(str)
    left = Signal()

    def __init__(
        self, desk: ImportDesk, session: AppSession, see: Callable[[], object], updates: Callable[[], object]
    ) -> None:
        super().__init__()
        self._desk = desk
        self.step = FILE
        lines = column(4)
        lines.setContentsMargins(*(theme.space(6),) * 3, theme.space(4))
        self.setLayout(lines)
        head = row(3)
        head.addWidget(Text(tr("New import"), "title"))
        self._file = ElidedText("", "body", "muted")
        head.addWidget(self._file, 1)
        head.addWidget(IconButton("x", tr("Leave the import"), self.left.emit))
        lines.addLayout(head)
        self.trail = StepTrail()
        self.trail.chosen.connect(self.wanted)
        lines.addWidget(self.trail)
        self.file_step = FileStep(desk)
        self.recognised = RecognisedStep(desk, session)
        self.columns = ColumnsStep(desk)
        self.check = CheckStep(desk)
        self.done = DoneStep(desk, see, updates, desk.undo_last)
        self._steps: dict[str, QWidget] = {
            FILE: self.file_step, RECOGNISED: self.recognised, COLUMNS: self.columns, CHECKED: self.check,
            DONE: self.done,
        }  # fmt: skip
        self.stack = QStackedWidget()
        for widget in self._steps.values():
            self.stack.addWidget(widget)
        lines.addWidget(self.stack, 1)
        foot = row(2)
        self.leave_button = Button(tr("Leave"), "ghost", on_click=self.left.emit)
        self.back_button = Button(tr("Back"), "secondary", "arrow-left", self.back)
        self.next_button = Button("", "primary", on_click=self.go_on)
        self._why = Text("", "caption", "muted", wrap=True)
        self._why.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        foot.addWidget(self.leave_button)
        foot.addWidget(self._why, 1)
        foot.addWidget(self.back_button)
        foot.addWidget(self.next_button)
        lines.addLayout(foot)

    def show_step(self, step: str) -> None:
        """Bring a step to the front, with the focus where one begins."""
        self.step = step
        self.stack.setCurrentWidget(self._steps[step])
        self.refresh()
        if step == CHECKED:
            self.check.begin()
        if step == DONE and not self._desk.busy(RUN):
            self.next_button.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self._current().focus_first()

    def _current(self) -> Step:
        return cast(Step, self._steps[self.step])

    def refresh(self) -> None:
        desk = self._desk
        self._current().refresh()
        steps = desk.steps()
        names = {
            FILE: tr("File"), RECOGNISED: tr("Recognised"), COLUMNS: tr("Columns"), CHECKED: tr("Check"),
            DONE: tr("Import"),
        }  # fmt: skip
        self.trail.show_steps([(step, names[step]) for step in steps], steps.index(self.step), free=self.step != DONE)
        self._file.set_whole(desk.opened.file if desk.opened is not None and self.step != FILE else "")
        self._tell_foot()

    def _tell_foot(self) -> None:
        desk, step = self._desk, self.step
        text, able, why = self._offer()
        self.next_button.setText(text)
        self.next_button.setVisible(bool(text))
        self.next_button.setEnabled(able)
        self._why.setText(why)
        running = step == DONE and desk.busy(RUN)
        self.back_button.setVisible(step in (RECOGNISED, COLUMNS, CHECKED))
        self.leave_button.setVisible(step != DONE or running)
        self.leave_button.setText(tr("To the history") if running else tr("Leave"))

    def _offer(self) -> tuple[str, bool, str]:
        """What the button on the right says, whether it can be pressed, and if not why."""
        desk = self._desk
        if self.step == FILE:
            return (tr("Continue"), True, "") if desk.opened is not None else ("", False, "")
        if self.step == RECOGNISED:
            return tr("Continue"), desk.reading is None, ""
        if self.step == COLUMNS:
            return tr("Check the rows"), desk.ready, "" if desk.ready else tr("Settle what is marked first.")
        if self.step == CHECKED:
            return self._offer_import()
        return ("", False, "") if desk.busy(RUN) or desk.error is not None else (tr("Finish"), True, "")

    def _offer_import(self) -> tuple[str, bool, str]:
        desk = self._desk
        preview = desk.preview
        if preview is None:
            busy = desk.busy(CHECK)
            if not busy and desk.busy():
                return tr("Check again"), False, tr("Something else is being done: wait for its end.")
            return tr("Check again"), not busy, ""
        propose = preview.known_source and desk.aim.openings != Openings.ADD
        added = 0 if propose else preview.new
        waiting = preview.changed + (preview.new if propose else 0)
        if added:
            text = trn("Import {n} outlet", "Import {n} outlets", added)
        elif waiting:
            text = trn("Propose {n} update", "Propose {n} updates", waiting)
        else:
            return tr("Import"), False, tr("There is nothing to import.")
        return text, not desk.busy(), ""

    def go_on(self) -> None:
        """Enter: the next step, when this one allows it."""
        if not self.next_button.isVisibleTo(self) or not self.next_button.isEnabled():
            return
        desk = self._desk
        if self.step == RECOGNISED and not self.recognised.commit():
            return
        if self.step == CHECKED:
            desk.run() if desk.preview is not None else desk.check()
        elif self.step == DONE:
            self.left.emit()
        else:
            steps = desk.steps()
            self.wanted.emit(steps[steps.index(self.step) + 1])

    def back(self) -> None:
        steps = self._desk.steps()
        at = steps.index(self.step)
        if at and self.step != DONE:
            self.wanted.emit(steps[at - 1])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.go_on()
        elif key == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)
