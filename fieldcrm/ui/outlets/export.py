"""The list as it stands, saved for a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.widgets import Column
from fieldcrm.usecases import outlets
from fieldcrm.usecases.export import save_csv
from fieldcrm.usecases.outlets import Near, OutletRow
from fieldcrm.words import language, tr, trn

SLICE = 500  # outlets read at once


class WhereTo(QFileDialog):
    """Where to save; tests replace ``ask``."""

    @classmethod
    def ask(cls, parent: QWidget, suggestion: str) -> Path | None:
        name, _ = cls.getSaveFileName(parent, tr("Export the list"), suggestion, tr("Spreadsheet (*.csv)"))
        return Path(name).with_suffix(".csv") if name else None


def export_list(
    parent: QWidget,
    session: AppSession,
    rids: Sequence[int],
    columns: Sequence[Column[OutletRow]],
    midnight: datetime,
    near: Near | None,
) -> None:
    """Ask where, then write every line of the list, in its order, with the columns that are shown."""
    suggestion = Path.home() / f"{tr('outlets')}-{midnight:%Y-%m-%d}.csv"
    path = WhereTo.ask(parent, str(suggestion))
    if path is None:
        return
    separator = ";" if language() == "fr" else ","
    header = [shown.title for shown in columns]
    asked, shown = list(rids), list(columns)

    def work() -> int:
        def lines() -> Sequence[list[str]]:
            found: list[list[str]] = []
            for start in range(0, len(asked), SLICE):
                part = asked[start : start + SLICE]
                rows = session.ask(lambda r: outlets.rows(r, part, midnight=midnight, near=near))  # noqa: B023
                found += [[one.text(row) for one in shown] for row in rows]
            return found

        rows = lines()
        save_csv(path, header, rows, separator=separator)
        return len(rows)

    session.tasks.run(
        work,
        lambda n: session.messages.done(
            trn("{n} outlet saved in {file}", "{n} outlets saved in {file}", n, file=path.name)
        ),
        session.messages.error,
    )
