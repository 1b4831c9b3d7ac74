"""When the program itself is wrong: the log gets it whole, the person gets a sentence, the data stay as they were."""

from __future__ import annotations

import faulthandler
import logging
import logging.handlers
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.diagnostics import LOG_NAME
from fieldcrm.ui.widgets import Dialog
from fieldcrm.words import tr

log = logging.getLogger("fieldcrm")

LOG_BYTES, LOGS_KEPT = 1_000_000, 3
_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


class CrashDialog(Dialog):
    """Says what happened, that nothing is lost, and offers the details for the help desk."""

    def __init__(self, parent: QWidget | None, details: str) -> None:
        super().__init__(
            parent,
            tr("Something went wrong"),
            tr("The program made a mistake. What you saved is safe on this device. You can go on; if it happens again, "
               "send the details to your help desk."),
            width=560,
        )
        self.details = QPlainTextEdit(details)
        self.details.setReadOnly(True)
        self.details.setAccessibleName(tr("Details"))
        self.details.setFont(theme.font("caption"))
        self.details.setMinimumHeight(theme.pixels(160))
        self.body.addWidget(self.details)
        self.copy = self.add_button(tr("Copy details"), "secondary", 0)
        self.copy.clicked.disconnect()
        self.copy.clicked.connect(self._copied)
        self.add_button(tr("Go on"), "primary", 1).setDefault(True)

    def _copied(self) -> None:
        QGuiApplication.clipboard().setText(self.details.toPlainText())
        self.copy.setText(tr("Copied"))

    @classmethod
    def tell(cls, parent: QWidget | None, details: str) -> None:
        """Show the dialog and wait; tests replace this."""
        cls(parent, details).exec()


class CrashHandler:
    """Catches what nobody caught, on every thread. ``post`` calls a function on the UI thread from any thread."""

    def __init__(self, folder: Path) -> None:
        self.window: QWidget | None = None
        self.post: Callable[[Callable[[], None]], None] | None = None
        self._showing = False
        self._seen: set[str] = set()
        folder.mkdir(parents=True, exist_ok=True)
        self._file = logging.handlers.RotatingFileHandler(
            folder / LOG_NAME, maxBytes=LOG_BYTES, backupCount=LOGS_KEPT, encoding="utf-8", delay=True
        )
        self._file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(name)s %(message)s"))
        self._faults: IO[str] = (folder / "faults.log").open("a", encoding="utf-8")

    def install(self) -> None:
        root = logging.getLogger()
        root.addHandler(self._file)
        root.setLevel(logging.INFO)
        faulthandler.enable(self._faults)
        sys.excepthook = self.caught
        threading.excepthook = self._in_thread
        qInstallMessageHandler(_from_qt)

    def uninstall(self) -> None:
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__
        qInstallMessageHandler(None)
        faulthandler.disable()
        self._faults.close()
        logging.getLogger().removeHandler(self._file)
        self._file.close()

    def caught(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Log the error and tell the person, once for each kind of mistake and never two dialogs at a time."""
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        log.critical("not caught\n%s", details)
        place = f"{kind.__name__}{traceback.extract_tb(trace)[-1:]}"
        if self._showing or place in self._seen:
            return
        self._seen.add(place)
        self._showing = True
        try:
            CrashDialog.tell(self.window, details)
        finally:
            self._showing = False

    def _in_thread(self, args: threading.ExceptHookArgs) -> None:
        kind, error, trace = args.exc_type, args.exc_value, args.exc_traceback
        if error is None:
            return
        if self.post is not None:
            self.post(lambda: self.caught(kind, error, trace))
        else:
            log.critical("not caught in a thread", exc_info=(kind, error, trace))


def _from_qt(level: QtMsgType, context: QMessageLogContext, text: str) -> None:
    logging.getLogger("qt").log(_LEVELS.get(level, logging.INFO), text)
