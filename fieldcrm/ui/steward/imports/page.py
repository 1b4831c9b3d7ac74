"""The page of imports: the history, and the wizard in its place while an import is being prepared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.actions import Action
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import Message
from fieldcrm.ui.steward.imports.desk import CHECKED, DONE, FILE, RUN, UNDO, desk_of
from fieldcrm.ui.steward.imports.file_step import ask_file, dropped_file
from fieldcrm.ui.steward.imports.history import HistoryView
from fieldcrm.ui.steward.imports.undoing import confirm_undo
from fieldcrm.ui.steward.imports.wizard import Wizard
from fieldcrm.ui.steward.page import PageHead, StewardPage
from fieldcrm.ui.steward.workbar import WorkBar
from fieldcrm.ui.widgets import Button, Confirm, EmptyState, InlineMessage, StateStack, column
from fieldcrm.usecases import importing
from fieldcrm.usecases.importing import Batch
from fieldcrm.words import tr

KEPT_SHOWN = 200  # outlets that stay, looked for before an undo


class ImportsPage(StewardPage):
    """Places: none (the history), or ``step`` of the wizard; ``file`` begins with a file."""

    kinds = ("import_batch", "proposal", "sync")

    def __init__(self, session: AppSession) -> None:
        super().__init__(session)
        self.desk = desk_of(session)
        self.setAcceptDrops(True)
        self.stack = QStackedWidget()
        page = column(0)
        self.setLayout(page)
        page.addWidget(self.stack)
        self.stack.addWidget(self._overview())
        self.wizard = Wizard(self.desk, session, self._see, self._see_updates)
        self.wizard.wanted.connect(self._go)
        self.wizard.left.connect(self.leave)
        self.stack.addWidget(self.wizard)
        self.desk.changed.connect(self._desk_changed)
        self.desk.moved.connect(self._moved)

    def _overview(self) -> QWidget:
        view = QWidget()
        lines = column(4)
        lines.setContentsMargins(*(theme.space(6),) * 4)
        view.setLayout(lines)
        note = tr("What came in from files, by whom and from where. Each can be undone whole.")
        self.head = PageHead(tr("Imports"), note)
        self.head.add(Button(tr("New import"), "primary", "plus", self.begin))
        lines.addWidget(self.head)
        self.unfinished = InlineMessage(closable=False)
        lines.addWidget(self.unfinished)
        self.bar = WorkBar(self.desk.work, RUN, UNDO)
        lines.addWidget(self.bar)
        self.history = HistoryView(server=self.session.sync is not None)
        self.history.undo_asked.connect(self._ask_undo)
        self.history.proposals_asked.connect(
            lambda batch: self.session.navigator.go("steward", page="updates", batch=batch.id))
        self.state = StateStack(self.history)
        lines.addWidget(self.state, 1)
        return view

    # what the shell asks

    def open(self, step: str = "", file: Path | None = None, **params: Any) -> None:
        if file is not None:
            self.desk.reset()
            self.desk.open_file(file)
            step = FILE
        if step:
            self.stack.setCurrentWidget(self.wizard)
            self.wizard.show_step(self.desk.reachable(step))
        else:
            self.stack.setCurrentIndex(0)
            self._load()

    def page_actions(self) -> list[Action]:
        undoable = lambda: self._in_history() and self.history.undo_button.isVisibleTo(self)  # noqa: E731
        return [
            Action("steward.import", tr("&Import outlets from a file…"), self.choose, ("Ctrl+O",), "file-down", "file",
                   1),
            Action("steward.import_undo", tr("&Undo this import…"), self.history.ask_undo, (), "undo-2", "edit", 5,
                   enabled=undoable),
            Action("steward.import_refused", tr("&Save the refused rows…"), self.wizard.check.save, ("Ctrl+Shift+E",),
                   "download", "file", 1, enabled=self._refused_shown),
        ]  # fmt: skip

    def areas(self) -> list[QWidget]:
        return [self.history.table] if self._in_history() else [self.wizard.stack, self.wizard.next_button]

    def _in_history(self) -> bool:
        return self.stack.currentIndex() == 0

    def _refused_shown(self) -> bool:
        preview = self.desk.preview
        return not self._in_history() and self.wizard.step == CHECKED and preview is not None and preview.refused > 0

    # the history

    def _load(self) -> None:
        self._stale = False
        if self._in_history():
            self.state.show_loading()
        self.session.ask_later(importing.batches, self._show, self._failed, key="steward.imports")
        self._tell_unfinished()

    def _failed(self, error: BaseException) -> None:
        self.state.show_error(error, self._load)

    def _show(self, batches: tuple[Batch, ...]) -> None:
        if not batches:
            text = tr("Drag a file onto this page, or choose one: a table, an open base, an OpenStreetMap extract. "
                      "You see what would happen before anything does.")
            self.state.show_empty(EmptyState(
                "file-down", tr("No import yet"), text, (tr("Choose a file…"), self.choose)))
            return
        self.history.show_batches(batches)
        self.state.show_content()

    def _tell_unfinished(self) -> None:
        desk = self.desk
        if desk.under_way and not desk.busy(RUN) and desk.opened is not None:
            self.unfinished.show_message(Message(
                tr("The import of {file} is not finished.", file=desk.opened.file), "accent", tr("Go on"),
                lambda: self._go(CHECKED if desk.preview is not None else "columns"), 0))
        else:
            self.unfinished.hide()

    def _ask_undo(self, batch: Batch) -> None:
        if self.desk.busy():
            self.session.messages.say(tr("Something else is being done: wait for its end."))
            return

        def found(kept: tuple[importing.Kept, ...]) -> None:
            if confirm_undo(self.window(), batch, kept, more=len(kept) == KEPT_SHOWN):
                self.desk.undo(batch.id, batch.file or batch.source)

        self.session.ask_later(lambda r: importing.kept_outlets(r, batch.id, KEPT_SHOWN), found, key="steward.kept")

    # the wizard

    def begin(self) -> None:
        """A new import; one that is not finished is gone on with."""
        if not self.desk.under_way and not self.desk.busy(RUN):
            self.desk.reset()
        self._go(DONE if self.desk.busy(RUN) else FILE)

    def choose(self) -> None:
        path = ask_file(self.window())
        if path is not None:
            self._take(path)

    def _take(self, path: Path) -> None:
        if self.desk.busy():
            self.session.messages.say(tr("Something else is being done: wait for its end."))
            return
        self.desk.reset()
        self.desk.open_file(path)
        self._go(FILE)

    def leave(self) -> None:
        """Back to the history; asks only when something that a person settled would be lost."""
        desk = self.desk
        if not desk.busy(RUN):
            lost = desk.under_way and (desk.touched or desk.preview is not None)
            text = tr("What you settled for {file} is forgotten. Nothing was imported.",
                      file=desk.opened.file if desk.opened is not None else "")
            if lost and not Confirm.ask(self.window(), tr("Leave this import?"), text, tr("Leave")):
                return
            desk.reset()
        self._go("")

    def _go(self, step: str) -> None:
        if step:
            self.session.navigator.go("steward", page="imports", step=step)
        else:
            self.session.navigator.go("steward", page="imports")

    def _moved(self, step: str) -> None:
        """The desk is ready for another step: it is shown, unless the person went elsewhere meanwhile."""
        if self.isVisible() and not self._in_history():
            self._go(step)

    def _desk_changed(self) -> None:
        if not self._in_history():
            self.wizard.refresh()
        else:
            self._tell_unfinished()

    def _see(self) -> None:
        self.session.navigator.go("outlets")

    def _see_updates(self) -> None:
        result = self.desk.result
        batch = result.batch_id if result is not None else None
        self.session.navigator.go("steward", page="updates", **({"batch": batch} if batch is not None else {}))

    # a file dragged onto the page

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_file(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = dropped_file(event.mimeData())
        if path is not None:
            event.acceptProposedAction()
            self._take(path)
