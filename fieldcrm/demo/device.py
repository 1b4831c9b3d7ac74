"""One computer with the program on it: signed in over HTTP, its window open, but no screen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from PySide6.QtWidgets import QWidget

from fieldcrm import app
from fieldcrm.demo import hands
from fieldcrm.domain.errors import DomainError
from fieldcrm.store.database import Database
from fieldcrm.store.keys import KeyPlace, create_key
from fieldcrm.usecases import signin
from fieldcrm.usecases.sync_state import SyncState
from fieldcrm.usecases.syncing import Supervisor
from sync.client.run import Progress

SIZE = (1440, 900)
SYNC_SECONDS = 300.0

Clock = Callable[[], datetime]
Login = tuple[str, str, str]  # organisation, account, password
S = TypeVar("S", bound=QWidget)


def sign_in_here(folder: Path, url: str, login: Login, name: str, clock: Clock) -> None:
    """Make a workspace of fictitious data in ``folder`` for who signs in at ``url``, a server on this computer.

    Raises as ``signin.sign_in``, and ``DomainError("sample_only")`` for a server elsewhere: its data may be real.
    """
    if not signin.is_here(url):
        raise DomainError("sample_only", path=str(folder))
    signed = signin.sign_in(url, *login, name)
    folder.mkdir(parents=True, exist_ok=True)
    db = Database.open(folder, create_key(folder, KeyPlace.SAMPLE), now=clock())
    try:
        db.write(lambda tx: signin.remember(tx, signed), actor=signed.actor, now=clock()).result()
    finally:
        db.close()


class Device:
    """The program on one workspace, as ``fieldcrm.app`` opens it; it syncs when told to."""

    def __init__(self, folder: Path, url: str, login: Login, name: str, clock: Clock) -> None:
        self._folder, self._clock = folder, clock
        self.is_open = False
        sign_in_here(folder, url, login, name, clock)
        self.start()

    def start(self) -> None:
        """Start the program on this computer, in French and light."""
        self.opened = app.open_profile(self._folder, clock=self._clock, start_sync=False, sample=True)
        self.session, self.window = self.opened.session, self.opened.window
        self.db, self.photos = self.session.db, self.session.photos
        self.is_open = True
        self.session.preferences.language, self.session.preferences.theme = "fr", "light"
        self.window.resize(*SIZE)
        self.window.show()
        hands.settle(200)

    @property
    def state(self) -> SyncState:
        return self._supervisor.state

    @property
    def _supervisor(self) -> Supervisor:
        supervisor = self.session.sync
        assert supervisor is not None, "a demo device has a server"
        return supervisor

    def sync(self) -> Progress | None:
        """One whole sync while the window stays alive; ``None`` when the network was cut."""
        done: list[Progress | None] = []
        thread = threading.Thread(target=lambda: done.append(self._supervisor.run_once()), name="sync")
        thread.start()
        hands.wait_until("the sync has ended", lambda: not thread.is_alive(), SYNC_SECONDS)
        hands.settle()
        return done[0]

    def show(self, route: str, **params: object) -> None:
        """Bring a screen to the front, and its window before those of other computers."""
        hands.activate(self.window)
        self.session.navigator.go(route, **params)
        hands.wait_until(f"{route} is in front", lambda: self._front(route) is not None)

    def go(self, route: str, kind: type[S], **params: object) -> S:
        """Bring a screen to the front and return it."""
        self.show(route, **params)
        return hands.the(self.window, kind)

    def _front(self, route: str) -> QWidget | None:
        screen = self.window.screens.get(route)
        return screen if screen is not None and screen.isVisible() else None

    def close(self) -> None:
        """End the program; what was recorded is on this computer's disk."""
        if not self.is_open:
            return
        self.is_open = False
        self.opened.close()
        self.window.deleteLater()
        hands.settle()
