"""The desktop program: puts the parts together, opens one profile, and runs.

Heavy modules (WebEngine, folium, pyxform, numpy, the solver) are imported by the screens that need them.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from fieldcrm import words
from fieldcrm.domain.errors import CodedError, DomainError
from fieldcrm.store.database import Database
from fieldcrm.store.keys import KeyPlace, create_key, key_place, keyring_available, load_key
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.state import IMPORT_RUNNING, read_state
from fieldcrm.ui import icons, theme
from fieldcrm.ui.appsession import AppSession, Identity
from fieldcrm.ui.crash import CrashHandler
from fieldcrm.ui.garbage import GarbageCollection
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.preferences import Preferences
from fieldcrm.ui.shell import MainWindow
from fieldcrm.ui.single_instance import SingleInstance
from fieldcrm.ui.start import StartWindow
from fieldcrm.ui.sync_relay import SyncRelay
from fieldcrm.ui.tasks import Tasks
from fieldcrm.usecases import farewell, outlets, signin
from fieldcrm.usecases.link import PhotoRule
from fieldcrm.usecases.regions import RegionFetcher
from fieldcrm.usecases.second_copy import Copier
from fieldcrm.usecases.signin import SignedIn
from fieldcrm.usecases.syncing import Supervisor

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
Failed = Callable[[BaseException], None]


def utc_now() -> datetime:
    return datetime.now(UTC)


def default_profile() -> Path:
    """Where this person's workspace is on this computer."""
    from platformdirs import user_data_path

    return user_data_path("FieldCRM", appauthor=False) / "default"


def make_application() -> QApplication:
    """The one QApplication, ready for a map that is opened later."""
    present = QApplication.instance()
    if isinstance(present, QApplication):
        return present
    # All that WebEngine needs so early. Its library and the map's addresses come with the map itself (Qt locks the
    # schemes only when its first page is made): 27 MiB and a tenth of the start less.
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")  # Chromium refuses to start as root otherwise
    application = QApplication(sys.argv[:1])
    GarbageCollection(application)
    application.setApplicationName("FieldCRM")
    application.setDesktopFileName("fieldcrm")
    application.setWindowIcon(QIcon(icons.pixmap("map-pinned", 64, "#0f6b57")))
    return application


def take_up_looks(preferences: Preferences) -> None:
    words.set_language(preferences.language)
    theme.apply(preferences.theme, preferences.text_size)


@dataclass(frozen=True)
class Sample:
    """The sample workspace, as the root above this one knows it: ``prepare`` may take a minute, ``run`` opens it."""

    prepare: Callable[[], None]
    run: Callable[[], int]


@dataclass
class Opened:
    """An open profile. ``close`` stops what runs, waits for what is being written, and closes the database."""

    window: MainWindow
    session: AppSession
    application: QApplication

    def close(self) -> None:
        self.window.close()
        self.session.close()


def open_profile(
    folder: Path,
    *,
    passphrase: str = "",
    clock: Clock = utc_now,
    start_sync: bool = True,
    sample: bool = False,
) -> Opened:
    """Open the workspace in ``folder`` and make its window (not shown yet), on the person's first screen.

    Raises ``DomainError``: ``profile_missing``, ``passphrase_wrong``, ``key_wrong``, ``database_newer``,
    ``not_signed_in``, ``device_shut_out``, ``sample_only``; ``Unavailable``: ``disk_full``, ``disk_denied``,
    ``keyring_locked``. The data are as they were.
    """
    key = load_key(folder, passphrase=passphrase)
    db = Database.open(folder, key, now=clock())
    with db.read() as reader:
        signed = signin.signed_in(reader)
        shut_out = farewell.is_shut_out(reader)
    if signed is None or shut_out:
        db.close()
        raise DomainError("device_shut_out" if shut_out else "not_signed_in", path=str(folder))
    unprotected = key_place(folder) is KeyPlace.SAMPLE
    if unprotected and not signin.is_here(signed.server_url):
        db.close()
        raise DomainError("sample_only", path=str(folder))
    application = make_application()
    preferences = Preferences(folder)
    take_up_looks(preferences)
    sample = sample or unprotected
    session = make_session(db, key, signed, preferences, clock=clock, sample=sample)
    connect_sync(session, signed, start=start_sync)
    window = MainWindow(session)
    session.navigator.go("review" if session.is_manager else "today")
    if start_sync:
        _take_out_halfway(session)
    return Opened(window, session, application)


def _take_out_halfway(session: AppSession) -> None:
    """What a crash left of an import goes; hardly ever is there any, and then the start waits for no module."""
    if session.ask(lambda r: read_state(r, IMPORT_RUNNING)) is not None:
        from fieldcrm.ui.steward.imports.halfway import take_out_halfway

        take_out_halfway(session)


def make_session(
    db: Database, key: bytes, signed: SignedIn, preferences: Preferences, *, clock: Clock, sample: bool
) -> AppSession:
    photos = PhotoStore(db.folder / "photos", key)
    identity = Identity(signed.person_name, signed.organisation, signed.server_url, signed.login, sample)
    return AppSession(db, signed.actor, clock=clock, photos=photos, preferences=preferences, identity=identity)


def connect_sync(session: AppSession, signed: SignedIn, *, start: bool) -> None:
    """Make the supervisor and let it speak to the session; ``start`` gives it its thread."""
    relay = SyncRelay(session)
    session.regions = regions = RegionFetcher(session.folder, session.db.read, on_change=relay.state_changed)
    supervisor = Supervisor(
        session.db,
        session.photos,
        signed.actor,
        lambda: signin.open_remote(session.db, session.ask(signin.signed_in) or signed, clock=session.clock),
        clock=session.clock,
        device_name=device_name(),
        automatic=session.preferences.auto_sync,
        paused_until=session.preferences.paused_until,
        photo_rule=PhotoRule(session.preferences.photo_rule),
        on_state=relay.state_changed,
        on_changes=relay.rows_changed,
        on_synced=regions.synced,
    )
    session.sync = supervisor
    session.copier = Copier(session.db, signed.actor, clock=session.clock, on_change=relay.state_changed)
    relay.watch()
    if start:
        supervisor.start()
        session.copier.start()


def device_name() -> str:
    import platform

    return platform.node() or "FieldCRM"


class Program(QObject):
    """One run of the program on one profile: start window, then main window."""

    def __init__(self, profile: Path, *, wish: str = "", sample: Sample | None = None) -> None:
        super().__init__()
        self._profile, self._wish = profile, wish
        self._sample = sample
        self.wants_sample = False
        self._tasks = Tasks(self)
        self._signed: SignedIn | None = None
        self.opened: Opened | None = None
        self.start: StartWindow | None = None
        self.preferences = Preferences(profile)
        self.crash = CrashHandler(profile)
        self.crash.install()
        self.crash.post = self._tasks.post
        self.instance = SingleInstance(profile, self)
        self.instance.asked.connect(self._asked)

    # ---- which window comes first ----

    def begin(self) -> bool:
        """Show the right window; ``False`` when another run of this profile was raised instead."""
        if not self.instance.claim(self._wish):
            return False
        take_up_looks(self.preferences)
        try:
            place = key_place(self._profile)
            if place is KeyPlace.PASSPHRASE:
                self._show_start().ask_unlock()
            elif place is None:
                self._show_start()
            else:
                self._open_or_wait(open_profile(self._profile))
        except CodedError as error:
            if error.code in ("not_signed_in", "profile_missing"):
                self._show_start()
            elif error.code == "device_shut_out":
                self._leave("")
            else:
                log.warning("the profile was not opened: %s", error)
                self._show_start().show_trouble(error)
        return True

    def _open_or_wait(self, opened: Opened) -> None:
        """A workspace without a single outlet is still on its way: show the download and not an empty day."""
        session = opened.session
        outlets_here = session.ask(outlets.counters)[0]
        if outlets_here or session.sync is None or session.sync.state.synced_at is not None:
            self._enter(opened)
            return
        self.opened = opened
        session.sync_changed.connect(self._report_download)
        self._show_start().show_download()

    def _show_start(self) -> StartWindow:
        self.start = StartWindow(self, self.preferences)
        self.start.show()
        return self.start

    def _enter(self, opened: Opened) -> None:
        self.opened = opened
        opened.session.sync_changed.connect(self._look_for_the_end)
        self.crash.window = opened.window
        opened.window.show()
        if self.start is not None:
            self.start.hide()
            self.start.deleteLater()
            self.start = None
        QTimer.singleShot(0, self._grant_wish)

    def _asked(self, wish: str) -> None:
        self._wish = wish
        if self.opened is not None:
            self.opened.window.come_to_front()
            self._grant_wish()
        elif self.start is not None:
            self.start.raise_()
            self.start.activateWindow()

    def _grant_wish(self) -> None:
        """``outlet:ID`` opens an outlet; anything else is no wish."""
        kind, _, value = self._wish.partition(":")
        self._wish = ""
        if kind == "outlet" and self.opened is not None:
            try:
                self.opened.session.navigator.go("outlet", id=UUID(value))
            except ValueError:
                log.warning("no such outlet to open: %r", value)

    # ---- the steps of the start window ----

    def sign_in(
        self,
        server: str,
        organisation: str,
        login: str,
        password: str,
        code: str,
        then: Callable[[], None],
        failed: Failed,
    ) -> None:
        def landed(signed: SignedIn) -> None:
            self._signed = signed
            then()

        self._tasks.run(
            lambda: signin.sign_in(server, organisation, login, password, device_name(), code=code), landed, failed
        )

    def needs_passphrase(self) -> bool:
        return key_place(self._profile) is None and not keyring_available()

    def create(self, passphrase: str, then: Callable[[], None], failed: Failed) -> None:
        signed = self._signed
        assert signed is not None, "create() comes after sign_in()"

        def make() -> None:
            place = key_place(self._profile)
            if place is KeyPlace.SAMPLE:  # its key lies open beside the data
                raise DomainError("sample_only", path=str(self._profile))
            if place is None:
                chosen = KeyPlace.PASSPHRASE if passphrase else KeyPlace.KEYRING
                create_key(self._profile, chosen, passphrase=passphrase)
            db = Database.open(self._profile, load_key(self._profile, passphrase=passphrase), now=utc_now())
            try:
                db.write(lambda tx: signin.remember(tx, signed), actor=signed.actor, now=utc_now()).result()
            finally:
                db.close()

        def made(_: None) -> None:
            self._open_quietly(passphrase, failed, then)

        self._tasks.run(make, made, failed)

    def unlock(self, passphrase: str, then: Callable[[], None], failed: Failed) -> None:
        # The key takes a third of a second to stretch: not on the UI thread.
        def ready(_: bytes) -> None:
            self._open_quietly(passphrase, failed, then)

        self._tasks.run(lambda: load_key(self._profile, passphrase=passphrase), ready, failed)

    def _open_quietly(self, passphrase: str, failed: Failed, then: Callable[[], None]) -> None:
        try:
            self.opened = open_profile(self._profile, passphrase=passphrase)
        except CodedError as error:
            if error.code == "device_shut_out":
                self._leave(passphrase)
            else:
                failed(error)
            return
        self.opened.session.sync_changed.connect(self._report_download)
        then()

    def _report_download(self) -> None:
        """Tell the start window how the first download goes; enter by itself when it is whole."""
        if self.start is None or self.opened is None or self.opened.session.sync is None:
            return
        state = self.opened.session.sync.state
        if state.synced_at is not None:
            self.enter()
        elif state.progress is not None:
            received = state.progress.received
            self.start.show_progress(words.trn("{n} record received", "{n} records received", received))
        elif state.problem is not None:
            self.start.show_progress(sentence(DomainError(state.problem, **state.params)))

    def enter(self) -> None:
        if self.opened is not None and self.start is not None:
            self._enter(self.opened)

    @property
    def sample(self) -> Callable[[], None] | None:
        return self._choose_sample if self._sample is not None else None

    def _choose_sample(self) -> None:
        sample, start = self._sample, self.start
        assert sample is not None and start is not None

        def ready(_: None) -> None:
            self.wants_sample = True
            start.close()

        start.show_preparing()
        self._tasks.run(sample.prepare, ready, start.show_trouble)

    # ---- a device that was shut out ----

    def _look_for_the_end(self) -> None:
        """The server said that this device is shut out: nothing is shown of it any more, from now on."""
        opened = self.opened
        if opened is None or opened.session.sync is None or opened.session.sync.state.problem != "device_revoked":
            return
        opened.session.sync_changed.disconnect(self._look_for_the_end)
        key = opened.session.db.journal.key
        opened.session.do(farewell.seal)
        self._close_opened()
        self._say_farewell(key)

    def _leave(self, passphrase: str) -> None:
        self._say_farewell(load_key(self._profile, passphrase=passphrase))

    def _say_farewell(self, key: bytes) -> None:
        start = self.start or self._show_start()
        start.show_farewell(lambda: self._say_farewell(key))
        self._tasks.run(
            lambda: farewell.say_farewell(self._profile, key, clock=utc_now), self._said, start.farewell_waits
        )

    def _said(self, done: farewell.Farewell | None) -> None:
        if self.start is None:
            return
        if done is None:  # headquarters knows this device again
            self.start.farewell_taken_back()
        else:
            self.start.farewell_said(done.changes)

    def _close_opened(self) -> None:
        if self.opened is not None:
            # The window first, while Qt is whole: the map's page has to go before its profile.
            self.opened.window.hide()
            self.opened.window.deleteLater()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            self.opened.session.close()
            self.opened = None

    # ---- the end ----

    def end(self) -> None:
        self._close_opened()
        self._tasks.stop()
        self.instance.release()
        self.crash.uninstall()


def main(profile: Path | None = None, *, wish: str = "", sample: Sample | None = None) -> int:
    """Run the program on ``profile`` until its window closes; the exit code.

    ``wish``: ``outlet:ID`` to open at once. ``sample``: offered at the first run.
    """
    application = make_application()
    program = Program(profile or default_profile(), wish=wish, sample=sample)
    try:
        if not program.begin():
            return 0
        gc.freeze()  # what the start made stays for ever: the collector need not look at it again
        code = application.exec()
    finally:
        program.end()
    if program.wants_sample and sample is not None:
        return sample.run()
    return code
