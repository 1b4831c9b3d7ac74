"""Who is asked about addresses from this device, as the person chose it; and the queue that asks, one for a session."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from fieldcrm import __version__
from fieldcrm.domain.changes import Changes
from fieldcrm.domain.errors import CodedError, DomainError
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.widgets import Dialog, Text
from fieldcrm.usecases import placing, regions
from fieldcrm.usecases.placing import ATTRIBUTION, SERVICES, Choice, Provider
from fieldcrm.usecases.placing_queue import PlacingQueue, Progress
from fieldcrm.words import number, tr, trn

SERVICE, KIND, URL, CONTACT, AGREED = (
    "placing/service", "placing/kind", "placing/url", "placing/contact", "placing/agreed",
)


def read_choice(session: AppSession) -> Choice:
    """Where nobody has chosen: the streets of the regions on this device, if there are any."""
    kept = session.preferences.json
    service = kept(SERVICE, None)
    if service not in SERVICES:
        service = placing.REGION if has_streets(session) else placing.NONE
    return Choice(
        service, str(kept(KIND, placing.OWN_KINDS[1])), str(kept(URL, "")),
        str(kept(CONTACT, "")),
    )


def has_streets(session: AppSession) -> bool:
    """Whether addresses can be looked up without a network; a look into a few files."""
    return placing.has_streets(regions.files(session.folder))


def agreed(session: AppSession, provider: Provider) -> bool:
    """Whether the person has agreed to send addresses to this public server; one's own needs no word."""
    return not provider.public or provider.host in session.preferences.json(AGREED, [])


def agree(session: AppSession, provider: Provider) -> None:
    hosts = [host for host in session.preferences.json(AGREED, []) if host != provider.host]
    session.preferences.set_json(AGREED, [*hosts, provider.host])


def chosen_provider(session: AppSession) -> Provider | None:
    """Raises what ``usecases.placing.provider_of`` raises, and ``geocoder_no_streets``."""
    provider = placing.provider_of(read_choice(session), session.ask(placing.read_policy))
    if provider is not None and provider.offline and not has_streets(session):
        raise DomainError("geocoder_no_streets")
    return provider


class Placer(QObject):
    """The queue as the UI knows it: ``changed`` and ``ended`` come on the UI thread."""

    changed = Signal()
    ended = Signal()

    def __init__(self, session: AppSession) -> None:
        super().__init__(session)
        self._session = session
        folder = session.folder
        self.queue = PlacingQueue(
            session.db, actor=session.actor, now=session.clock, packs=lambda: regions.files(folder))
        self.queue.changed = lambda progress: session.tasks.post(lambda: self._heard(progress))
        self.queue.wrote = lambda changes: session.tasks.post(lambda: self._wrote(changes))
        self.progress = Progress()
        session.closing.connect(lambda: self.queue.stop(join=True))

    def start(self, provider: Provider, rids: list[int]) -> None:
        self.queue.agent = placing.agent(provider, read_choice(self._session).contact, __version__)
        if self.queue.start(provider, rids):
            self._heard(self.queue.progress)

    def stop(self) -> None:
        self.queue.stop()

    def _heard(self, progress: Progress) -> None:
        was = self.progress.busy
        self.progress = progress
        self.changed.emit()
        if was and not progress.busy:
            self.ended.emit()

    def _wrote(self, changes: Changes) -> None:
        self._session.wrote(changes)


class AgreeDialog(Dialog):
    """Said once, before the first request to a public server. Tests replace ``ask``."""

    def __init__(self, parent: QWidget | None, provider: Provider, count: int) -> None:
        super().__init__(parent, tr("Ask a public server?"), width=520)
        self.body.addWidget(Text(
            tr("The addresses of {n} outlets will be sent to {host}: number, street, postcode, town and country. "
               "Nothing else goes: no name, no contact, no visit, not where you are.",
               n=number(count), host=provider.host), "body", wrap=True))
        if provider.per_day:
            allowed = trn("Its operator allows {n} request a second.", "Its operator allows {n} requests a second.",
                          round(provider.per_second))
            limit = tr("FieldCRM stops at {day} a day and keeps every answer. For more, use your organisation’s own "
                       "server (Settings).", day=number(provider.per_day))
            self.body.addWidget(Text(f"{allowed} {limit}", "body", "muted", wrap=True))
        self.body.addWidget(Text(ATTRIBUTION[provider.kind], "caption", "faint"))
        self.add_button(tr("Do not ask"), "secondary", 0)
        self.add_button(tr("Ask from now on"), "primary", 1).setDefault(True)

    @classmethod
    def ask(cls, parent: QWidget | None, provider: Provider, count: int) -> bool:
        return bool(cls(parent, provider, count).exec())


def address_at(
    session: AppSession, parent: QWidget | None, lat_e7: int, lon_e7: int,
    then: Callable[[dict[str, str]], None], failed: Callable[[BaseException | None], None],
) -> None:
    """The address nearest to a position, in the pool; ``failed(None)`` when the person did not agree to ask."""
    try:
        provider = chosen_provider(session)
        if provider is None:
            raise DomainError("geocoder_not_chosen")
    except CodedError as error:
        failed(error)
        return
    if not agreed(session, provider):
        if not AgreeDialog.ask(parent, provider, 1):
            failed(None)
            return
        agree(session, provider)
    placer, asked = placer_of(session), provider
    placer.queue.agent = placing.agent(provider, read_choice(session).contact, __version__)
    lat, lon = lat_e7 / 1e7, lon_e7 / 1e7
    session.tasks.run(lambda: placing.address_of(placer.queue.once(asked, lat, lon)), then, failed)


def placer_of(session: AppSession) -> Placer:
    found = session.findChild(Placer)
    return found if isinstance(found, Placer) else Placer(session)

