"""Who is asked where an address is: nobody, the regions here, the nation, OpenStreetMap, or one's own server."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QComboBox, QLineEdit

from fieldcrm.domain.errors import CodedError
from fieldcrm.ui import placing as choices
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.settings.layout import Group, Page
from fieldcrm.ui.widgets import Field, InlineMessage, SegmentedControl, Switch
from fieldcrm.usecases import placing
from fieldcrm.words import tr


def addresses(session: AppSession) -> Page:
    page = Page(
        tr("Addresses"),
        tr("Where outlets stand is found from their addresses. Nothing else is sent: no name, no contact, no visit."))
    AddressLines(session, page.group())
    page.end()
    return page


class AddressLines(QObject):
    """The lines of the group; everything is kept as it is chosen."""

    def __init__(self, session: AppSession, group: Group) -> None:
        super().__init__(group)
        self._session = session
        self._choice = choices.read_choice(session)
        services = QComboBox()
        for service, name in (
            ("none", tr("Nobody")), ("region", tr("Regions on this device")), ("ban", tr("National base")),
            ("osm", "OpenStreetMap"), ("own", tr("Our server")),
        ):
            services.addItem(name, service)
        services.setCurrentIndex(services.findData(self._choice.service))
        services.setAccessibleName(tr("Address service"))
        services.activated.connect(lambda at: self._keep(choices.SERVICE, service=services.itemData(at)))
        group.line(
            tr("Address service"),
            tr("The regions on this device answer without a network. A public server is asked after you have agreed "
               "once; the organisation’s own comes first."), services)
        self._contact = self._field(
            tr("Contact e-mail"), self._choice.contact, "someone@example.org",
            tr("OpenStreetMap’s server asks who is asking; it goes there with each question."),
            lambda text: self._keep(choices.CONTACT, contact=text))
        group.whole(self._contact)
        self._kinds = kinds = SegmentedControl(
            (("nominatim", "Nominatim"), ("ban", "BAN, addok"), ("photon", "Photon")), self._choice.kind,
            tr("Kind of server"))
        kinds.chosen.connect(lambda kind: self._keep(choices.KIND, kind=kind))
        group.line(tr("Kind of server"), tr("What runs at your organisation’s address."), kinds, below=True)
        self._url = self._field(
            tr("Address of your server"), self._choice.url, "https://adresses.example.org",
            tr("Without limits of others: a whole base may be asked about there."),
            lambda text: self._keep(choices.URL, url=text))
        group.whole(self._url)
        policy = session.ask(placing.read_policy)
        if session.is_manager:
            allowed = Switch(tr("Public servers allowed"), policy.public_allowed)
            allowed.toggled.connect(self._allow)
            group.line(tr("Public servers allowed"), tr("For the whole organisation."), allowed)
        self.said = InlineMessage(closable=False)
        group.whole(self.said)
        self._say()

    def _field(self, name: str, value: str, example: str, hint: str, keep: object) -> Field:
        edit = QLineEdit(value)
        edit.setPlaceholderText(example)
        edit.editingFinished.connect(lambda: keep(edit.text().strip()))  # type: ignore[operator]
        return Field(name, edit, hint)

    def _keep(self, key: str, **value: str) -> None:
        self._choice = replace(self._choice, **value)
        self._session.preferences.set_json(key, next(iter(value.values())))
        self._say()

    def _allow(self, on: bool) -> None:
        policy = self._session.ask(placing.read_policy)
        self._session.do(
            lambda tx: placing.set_policy(tx, replace(policy, public_allowed=on)), lambda _: self._say(),
            lambda error: self.said.show_text(sentence(error), "danger"))

    def _say(self) -> None:
        """Whom a question would go to as things stand, or why to nobody."""
        self._contact.setEnabled(self._choice.service == "osm")
        self._url.setEnabled(self._choice.service == "own")
        self._kinds.setEnabled(self._choice.service == "own")
        policy = self._session.ask(placing.read_policy)
        try:
            provider = choices.chosen_provider(self._session)
        except CodedError as error:
            fields = {"contact": self._contact, "url": self._url}
            for name, field in fields.items():
                empty = name == "url" and not self._choice.url
                field.set_error(sentence(error) if error.field == name and not empty else "")
            self.said.show_text(sentence(error), "warning")
            return
        self._contact.set_error("")
        self._url.set_error("")
        if provider is None:
            self.said.show_text(tr("Nobody is asked: outlets are placed by hand."), "neutral")
            return
        own = tr(" Your organisation has set it.") if policy.url else ""
        attribution = placing.ATTRIBUTION[provider.kind]
        said = tr("{host} is asked. {attribution}", host=provider.host, attribution=attribution)
        if provider.offline:
            said = tr("The streets of the regions on this device are asked; nothing is sent. {attribution}",
                      attribution=attribution)
        self.said.show_text(said + own, "success")
