"""The last step: the import as it runs, and what it did."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from fieldcrm.ui.messages import sentence
from fieldcrm.ui.steward.imports.desk import RUN, ImportDesk
from fieldcrm.ui.steward.workbar import WorkBar
from fieldcrm.ui.widgets import EmptyState, Text, clear_layout, column
from fieldcrm.usecases.importing import Imported
from fieldcrm.words import listing, tr, trn


class DoneStep(QWidget):
    """While it runs a person may go anywhere else: the import goes on."""

    def __init__(
        self, desk: ImportDesk, see: Callable[[], object], updates: Callable[[], object], undo: Callable[[], object]
    ) -> None:
        super().__init__()
        self._desk, self._see, self._updates, self._undo = desk, see, updates, undo
        self._told: object = None
        lines = column(3)
        self.setLayout(lines)
        self._running = QWidget()
        inside = column(3)
        self._running.setLayout(inside)
        inside.addStretch(2)
        self.bar = WorkBar(desk.work, RUN)
        inside.addWidget(self.bar)
        calm = Text(tr("You can go on working elsewhere: the import goes on, and the line at the bottom says so. "
                       "Stop takes out again what was written."), "body", "muted", wrap=True)
        calm.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        inside.addWidget(calm)
        inside.addStretch(3)
        lines.addWidget(self._running, 1)
        self._end = column(0)
        lines.addLayout(self._end, 1)

    def refresh(self) -> None:
        desk = self._desk
        self._running.setVisible(desk.busy(RUN))
        told = (desk.result, desk.error, desk.busy(RUN))
        if told == self._told:
            return
        self._told = told
        clear_layout(self._end)
        if desk.busy(RUN):
            return
        if desk.error is not None:
            self._end.addWidget(EmptyState(
                "circle-alert", tr("Nothing was imported"), sentence(desk.error), (tr("Back to the check"), self._back),
                tone="danger"))
        elif desk.result is not None and not desk.result.stopped:
            self._end.addWidget(self._summary(desk.result))

    def _summary(self, result: Imported) -> EmptyState:
        text = done_words(result)
        if result.added:
            second = (tr("See its updates"), self._updates) if result.proposed else (tr("Undo the import"), self._undo)
            return EmptyState("circle-check", tr("Imported"), text, (tr("See the outlets"), self._see), tone="success",
                              second=second)
        if result.proposed:
            return EmptyState("git-compare", tr("Imported"), text, (tr("See its updates"), self._updates),
                              tone="success")
        return EmptyState("circle-check", tr("Nothing is new in this file"), text, tone="success")

    def _back(self) -> None:
        self._desk.error = None
        self._desk.moved.emit("check")

    def focus_first(self) -> None:
        item = self._end.itemAt(0)
        widget = item.widget() if item is not None else None
        (widget or self.bar.stop_button).setFocus(Qt.FocusReason.OtherFocusReason)


def done_words(result: Imported) -> str:
    """What an import did, in a sentence."""
    parts = []
    if result.added:
        parts.append(trn("{n} outlet was added", "{n} outlets were added", result.added))
    if result.proposed:
        parts.append(trn("{n} update waits for your decision", "{n} updates wait for your decision", result.proposed))
    if result.same:
        parts.append(trn("{n} was the same already", "{n} were the same already", result.same))
    if result.refused:
        parts.append(trn("{n} row was refused", "{n} rows were refused", result.refused))
    if not parts:
        return tr("The file held nothing to import.")
    said = listing(parts)
    return said[:1].upper() + said[1:] + "."
