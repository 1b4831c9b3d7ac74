"""Who is asked about addresses from this device, as the person chose it; and the queue that asks, one for a session."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from fieldcrm import __version__
from fieldcrm.domain.changes import Changes
from fieldcrm.ui.appsession import AppSession
from fieldcrm.usecases import placing
from fieldcrm.usecases.placing import OWN, SERVICES, Choice, Provider
from fieldcrm.usecases.placing_queue import PlacingQueue, Progress

SERVICE, KIND, URL, CONTACT, AGREED = (
    "placing/service", "placing/kind", "placing/url", "placing/contact", "placing/agreed",
)


def read_choice(session: AppSession) -> Choice:
    kept = session.preferences.json
    service = str(kept(SERVICE, SERVICES[0]))
    return Choice(
        service if service in SERVICES else SERVICES[0], str(kept(KIND, placing.OWN_KINDS[1])), str(kept(URL, "")),
        str(kept(CONTACT, "")),
    )


def agreed(session: AppSession, provider: Provider) -> bool:
    """Whether the person has agreed to send addresses to this public server; one's own needs no word."""
    return not provider.public or provider.host in session.preferences.json(AGREED, [])


def agree(session: AppSession, provider: Provider) -> None:
    hosts = [host for host in session.preferences.json(AGREED, []) if host != provider.host]
    session.preferences.set_json(AGREED, [*hosts, provider.host])


def chosen_provider(session: AppSession) -> Provider | None:
    """Raises what ``usecases.placing.provider_of`` raises."""
    return placing.provider_of(read_choice(session), session.ask(placing.read_policy))


class Placer(QObject):
    """The queue as the UI knows it: ``changed`` and ``ended`` come on the UI thread."""

    changed = Signal()
    ended = Signal()

    def __init__(self, session: AppSession) -> None:
        super().__init__(session)
        self._session = session
        self.queue = PlacingQueue(session.db, actor=session.actor, now=session.clock)
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


def placer_of(session: AppSession) -> Placer:
    found = session.findChild(Placer)
    return found if isinstance(found, Placer) else Placer(session)


__all__ = ["OWN", "Placer", "agree", "agreed", "chosen_provider", "placer_of", "read_choice"]
