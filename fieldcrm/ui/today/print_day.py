"""The report of the day as a PDF, asked for from Today."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from fieldcrm.domain.errors import CodedError
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.day_report import write_day_report
from fieldcrm.words import language, tr


def save_day_report(parent: QWidget, session: AppSession, day: date) -> Path | None:
    """Ask where, write the report in the person's language, and offer to open it; gives the file."""
    suggestion = Path.home() / f"{tr('report-of-the-day')}-{day.isoformat()}.pdf"
    name, _ = QFileDialog.getSaveFileName(parent, tr("Report of the day"), str(suggestion), "PDF (*.pdf)")
    if not name:
        return None
    path = Path(name).with_suffix(".pdf")
    try:
        write_day_report(session, day, path, language())
    except CodedError as error:
        session.messages.error(error)
        return None

    def show() -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))

    session.messages.say(tr("Report of the day saved in {file}", file=path.name), "success", tr("Open it"), show)
    return path
