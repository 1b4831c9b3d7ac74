"""What a screen is given: who is signed in, how to read, how to write, where to go, what to say."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Signal

from fieldcrm.domain.actor import Actor, Role
from fieldcrm.domain.changes import Changes
from fieldcrm.domain.errors import CodedError
from fieldcrm.ui.actions import ActionTable, Found
from fieldcrm.ui.messages import Messages
from fieldcrm.ui.navigator import Navigator
from fieldcrm.ui.preferences import Preferences
from fieldcrm.ui.tasks import Failed, Tasks, alive

if TYPE_CHECKING:
    from fieldcrm.store.database import Database, Reader, Transaction, Written
    from fieldcrm.store.photos import PhotoStore
    from fieldcrm.usecases.regions import RegionFetcher
    from fieldcrm.usecases.second_copy import Copier
    from fieldcrm.usecases.syncing import Supervisor

log = logging.getLogger(__name__)

R = TypeVar("R")

UNSENT = frozenset({"draft", "draft_photo", "sync"})

# What the palette asks, in the pool, with what was typed (three letters or more).
Finder = Callable[["Reader", str], Sequence[Found]]


@dataclass(frozen=True)
class Identity:
    """Who works here, for the eye: names, and whether the data are the fictitious sample."""

    name: str = ""
    organisation: str = ""
    server_url: str = ""
    login: str = ""
    sample: bool = False


class AppSession(QObject):
    """One signed-in person on one open database. Screens get nothing else.

    ``changed`` carries the Changes of every write that was committed, on the UI thread; ``sync`` is the syncing
    supervisor, or ``None`` when this workspace has no server. ``closing`` tells long work to stop: ``close`` waits
    for it.
    """

    changed = Signal(object)
    sync_changed = Signal()
    counts_changed = Signal()
    under_way_changed = Signal()
    closing = Signal()

    def __init__(
        self,
        db: Database,
        actor: Actor,
        *,
        clock: Callable[[], datetime],
        photos: PhotoStore,
        preferences: Preferences,
        identity: Identity | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.db = db
        self.actor = actor
        self.clock = clock
        self.photos = photos
        self.preferences = preferences
        self.identity = identity or Identity()
        self.navigator = Navigator(self)
        self.messages = Messages(self)
        self.tasks = Tasks(self)
        self.tasks.unexpected = self._unexpected
        self.sync: Supervisor | None = None
        self.copier: Copier | None = None
        self.regions: RegionFetcher | None = None
        self.finders: list[Finder] = []
        self.counts: dict[str, int] = {}
        self.under_way = ""  # what long work is being done, in words: closing asks before it is cut short
        self.action_table: ActionTable | None = None
        self._asked: dict[str, int] = {}

    def set_count(self, route: str, count: int) -> None:
        """The number beside a route in the rail: what waits there."""
        if self.counts.get(route, 0) != count:
            self.counts[route] = count
            self.counts_changed.emit()

    @property
    def folder(self) -> Path:
        """The profile's folder."""
        return self.db.folder

    @property
    def is_manager(self) -> bool:
        return self.actor.role in (Role.MANAGER, Role.ADMIN)

    def ask(self, fn: Callable[[Reader], R]) -> R:
        """Read on the UI thread: for what takes a few milliseconds."""
        with self.db.read() as reader:
            return fn(reader)

    def ask_later(
        self,
        fn: Callable[[Reader], R],
        then: Callable[[R], None],
        failed: Failed | None = None,
        *,
        key: str = "",
    ) -> None:
        """Read in the pool. Of several questions with one ``key`` only the answer to the newest arrives."""
        turn = self._asked[key] = self._asked.get(key, 0) + 1

        def arrive(value: R) -> None:
            if (not key or self._asked[key] == turn) and alive(then):
                then(value)

        def fail(error: BaseException) -> None:
            if not key or self._asked[key] == turn:
                (failed if failed is not None and alive(failed) else self._unexpected)(error)

        self.tasks.run(lambda: self.ask(fn), arrive, fail)

    def do(
        self,
        fn: Callable[[Transaction], R],
        then: Callable[[R], None] | None = None,
        failed: Failed | None = None,
        label: str = "",
    ) -> None:
        """Write in one transaction on the writer thread; then ``changed``, then ``then`` with what ``fn`` returned.

        A DomainError or Unavailable goes to ``failed``, else to the message line; any other error is a bug.
        """

        def landed(written: Written[R]) -> None:
            self.announce(written.changes)
            self._tell_sync(written.changes)
            if then is not None and alive(then):
                then(written.value)

        def refused(error: BaseException) -> None:
            if isinstance(error, CodedError) and failed is not None and alive(failed):
                failed(error)
            else:
                self._unexpected(error)

        future = self.db.write(fn, actor=self.actor, now=self.clock(), label=label)
        self.tasks.watch(future, landed, refused)

    def announce(self, changes: Changes) -> None:
        """Tell every screen what was touched; for writers that do not go through ``do`` (sync)."""
        if changes.everything or changes.ids:
            self.changed.emit(changes)

    def wrote(self, changes: Changes) -> None:
        """What long work wrote in a worker thread: the screens hear of it, the copy and the sync follow."""
        self.announce(changes)
        self._tell_sync(changes)

    def set_under_way(self, text: str) -> None:
        """Say what long work is being done, for the line at the bottom; empty when none is."""
        if text != self.under_way:
            self.under_way = text
            self.under_way_changed.emit()

    def _tell_sync(self, changes: Changes) -> None:
        """Something to send was written; a draft is not sent, but copied."""
        if self.copier is not None:
            self.copier.wrote()
        if self.sync is not None and (changes.everything or set(changes.ids) - UNSENT):
            self.sync.wrote()

    def close(self) -> None:
        """Stop background work, then close the database; waits for what is being written."""
        self.closing.emit()
        if self.copier is not None:
            self.copier.stop()
        if self.regions is not None:
            self.regions.stop()
        if self.sync is not None:
            self.sync.stop()
        self.tasks.stop()
        self.db.close()
        self.preferences.save()

    def _unexpected(self, error: BaseException) -> None:
        if isinstance(error, CodedError):
            self.messages.error(error)
            return
        # A bug: let the one place that knows what to do with bugs have it (crash.py, or pytest-qt).
        raise error
