"""The list as it stands, saved as a file: for a spreadsheet, a map, a navigation device or an address book."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFileDialog, QProgressBar, QWidget

from fieldcrm.domain.errors import CodedError
from fieldcrm.ui import labels
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.widgets import Column
from fieldcrm.ui.widgets.dialogs import Dialog
from fieldcrm.usecases import customfields
from fieldcrm.usecases.export_outlets import EVERY_FIELD, Format, Saved, Shown, export_outlets
from fieldcrm.usecases.outlets import Near, OutletRow
from fieldcrm.words import language, tr, trc, trn

FORMAT = "outlets/export"  # the preference: what was chosen last
_SHOWS_AFTER = 700  # ms: what is saved sooner needs no window
_STEPS = 1000


def offered() -> dict[Format, str]:
    """The formats, as the file dialog lists them."""
    return {
        Format.XLSX_SHOWN: tr("Excel, the columns of the list (*.xlsx)"),
        Format.CSV_SHOWN: tr("CSV, the columns of the list (*.csv)"),
        Format.XLSX: tr("Excel, every field (*.xlsx)"),
        Format.CSV: tr("CSV, every field (*.csv)"),
        Format.GEOJSON: tr("GeoJSON, for maps (*.geojson)"),
        Format.GPX: tr("GPX, for navigation devices (*.gpx)"),
        Format.VCARD: tr("vCard, for address books: stores and contacts (*.vcf)"),
    }


class WhereTo(QFileDialog):
    """Where to save, and as what; tests replace ``ask``."""

    @classmethod
    def ask(cls, parent: QWidget, suggestion: str, last: Format) -> tuple[Path, Format] | None:
        kinds = offered()
        name, chosen = cls.getSaveFileName(
            parent, tr("Export the list"), suggestion + last.suffix, ";;".join(kinds.values()), kinds[last]
        )
        if not name:
            return None
        format = next((kind for kind, words in kinds.items() if words == chosen), last)
        path = Path(name)
        if path.suffix.lower() != format.suffix:
            # Who types an ending means it, whatever stands in the list of kinds.
            typed = [kind for kind in kinds if kind.suffix == path.suffix.lower()]
            format = typed[0] if typed else format
            path = path if typed else path.with_name(path.name + format.suffix)
        return path, format


class Saving(Dialog):
    """How far a long export is, and Cancel; it does not block the window."""

    def __init__(self, parent: QWidget, file: str) -> None:
        super().__init__(parent, tr("Exporting the list"), tr("{file} appears when it is whole.", file=file))
        self.setModal(False)
        self.stopped = threading.Event()
        self.bar = QProgressBar()
        self.bar.setRange(0, _STEPS)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Progress"))
        self.body.addWidget(self.bar)
        self.add_button(tr("Cancel"), "secondary", 0)
        self.rejected.connect(self.stopped.set)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SHOWS_AFTER)
        self._soon.timeout.connect(self.show)
        self._soon.start()

    def went_on(self, fraction: float) -> None:
        self.bar.setValue(round(fraction * _STEPS))

    def finish(self) -> None:
        self._soon.stop()
        self.hide()
        self.deleteLater()


def export_list(
    parent: QWidget,
    session: AppSession,
    rids: Sequence[int],
    columns: Sequence[Column[OutletRow]],
    midnight: datetime,
    near: Near | None,
) -> None:
    """Ask where and as what, then write every line of the list, in its order."""
    known = {kind.value: kind for kind in Format}
    last = known.get(session.preferences.json(FORMAT, ""), Format.XLSX_SHOWN)
    suggestion = Path.home() / f"{tr('outlets')}-{midnight:%Y-%m-%d}"
    answer = WhereTo.ask(parent, str(suggestion), last)
    if answer is None:
        return
    path, format = answer
    session.preferences.set_json(FORMAT, format.value)
    shown = as_shown(columns, midnight, near)
    separator = ";" if language() == "fr" else ","
    titles = {name: field_title(name) for name in EVERY_FIELD} | session.ask(
        lambda r: {f"custom:{field.key}": field.name(language()) for field in customfields.fields(r)}
    )
    saving = Saving(parent, path.name)
    session.closing.connect(saving.stopped.set)

    def work() -> Saved:
        return export_outlets(
            session.ask, rids, path, format, separator=separator, title=tr("outlets"), titles=titles, shown=shown,
            on_progress=lambda fraction: session.tasks.post(lambda: saving.went_on(fraction)),
            stopped=saving.stopped.is_set,
        )  # fmt: skip

    def done(saved: Saved) -> None:
        saving.finish()
        session.messages.done(said(saved, path.name))

    def failed(error: BaseException) -> None:
        saving.finish()
        if isinstance(error, CodedError) and error.code == "export_stopped":
            session.messages.say(tr("The export was cancelled: no file was written."))
        else:
            session.messages.error(error)

    session.tasks.run(work, done, failed)


def as_shown(columns: Sequence[Column[OutletRow]], midnight: datetime, near: Near | None) -> Shown:
    """The columns of the list for a file: as they read there, but days as dates and counts and metres as numbers,
    for a file is read on another day and counted with."""

    def cell(column: Column[OutletRow], row: OutletRow) -> str | int | None:
        if column.key in ("last_visit", "freshness"):
            at = row.last_visit_at if column.key == "last_visit" else row.confirmed_at
            return None if at is None else at.astimezone(midnight.tzinfo).date().isoformat()
        if column.key == "promises":
            return row.open_tasks
        return row.distance_m if column.key == "distance" else column.text(row)

    titles = [tr("Distance (m)") if one.key == "distance" else one.title for one in columns]
    return Shown(titles, lambda row: [cell(one, row) for one in columns], midnight, near)


def field_title(name: str) -> str:
    """What the column of a field is called in a file with every field."""
    own = {
        "reference": tr("Reference"), "lat": tr("Latitude"), "lon": tr("Longitude"), "sector": tr("Sector code"),
        "house_number": trc("address", "Street number"),
    }  # fmt: skip
    return own.get(name) or labels.field_name(name)


def said(saved: Saved, file: str) -> str:
    """What became of an export."""
    text = trn("{n} outlet saved in {file}", "{n} outlets saved in {file}", saved.outlets, file=file)
    if saved.without_position:
        text += ". " + trn(
            "{n} without a position was left out.", "{n} without a position were left out.", saved.without_position
        )
    if saved.cards:
        text += ". " + trn("With {n} contact.", "With {n} contacts.", saved.cards)
    return text
