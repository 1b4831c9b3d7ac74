"""Placing by hand."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.steward.placing import place_words
from fieldcrm.ui.widgets import Dialog
from fieldcrm.ui.widgets.map_view_place import PlacePicker
from fieldcrm.usecases.placing import Line
from fieldcrm.words import tr


class PlaceDialog(Dialog):
    """The map, or coordinates that are typed. Tests replace ``ask``."""

    def __init__(self, parent: QWidget | None, session: AppSession, line: Line) -> None:
        super().__init__(parent, tr("Place by hand"), line.name, width=640)
        self.picker = PlacePicker(session.folder)
        self.picker.setMinimumHeight(theme.pixels(400))
        self.body.addWidget(self.picker)
        found = line.placing.found if line.placing is not None else None
        near = (found.lat_e7, found.lon_e7) if found is not None else None
        self.picker.begin(place_words.address_line(line.address), line.position, near=near)
        self.add_button(tr("Cancel"), "secondary", 0)
        self._save = self.add_button(tr("Place it here"), "primary", 1)
        self._save.setEnabled(False)
        self.picker.changed.connect(lambda *_: self._save.setEnabled(self.picker.touched))

    def done(self, answer: int) -> None:
        self.picker.close_map()
        super().done(answer)

    @classmethod
    def ask(cls, parent: QWidget | None, session: AppSession, line: Line) -> tuple[int, int] | None:
        made = cls(parent, session, line)
        return made.picker.position() if made.exec() == QDialog.DialogCode.Accepted else None
