"""Agreeing to ask a public server, and placing by hand."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.steward.placing import place_words
from fieldcrm.ui.widgets import Dialog, Text
from fieldcrm.ui.widgets.map_view_place import PlacePicker
from fieldcrm.usecases.placing import ATTRIBUTION, Line, Provider
from fieldcrm.words import number, tr


class AgreeDialog(Dialog):
    """Said once, before the first request to a public server. Tests replace ``ask``."""

    def __init__(self, parent: QWidget | None, provider: Provider, count: int) -> None:
        super().__init__(parent, tr("Ask a public server?"), width=520)
        self.body.addWidget(Text(
            tr("The addresses of {n} outlets will be sent to {host}: number, street, postcode, town and country. "
               "Nothing else goes: no name, no contact, no visit, not where you are.",
               n=number(count), host=provider.host), "body", wrap=True))
        if provider.per_day:
            self.body.addWidget(Text(
                tr("Its operator allows {n} requests a second; FieldCRM stops at {day} a day and keeps every answer. "
                   "For more, use your organisation’s own server (Settings).",
                   n=number(provider.per_second, 0), day=number(provider.per_day)), "body", "muted", wrap=True))
        self.body.addWidget(Text(ATTRIBUTION[provider.kind], "caption", "faint"))
        self.add_button(tr("Do not ask"), "secondary", 0)
        self.add_button(tr("Ask from now on"), "primary", 1).setDefault(True)

    @classmethod
    def ask(cls, parent: QWidget | None, provider: Provider, count: int) -> bool:
        return bool(cls(parent, provider, count).exec())


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
