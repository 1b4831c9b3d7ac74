"""The demo workspace for the windowed program: a folder with its own server, sample data, and the rep's workspace."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import requests
from PySide6.QtCore import QTimer

from fieldcrm import app, words
from fieldcrm.demo.device import sign_in_here
from fieldcrm.demo.seed import ORGANISATION_CODE, PASSWORD, demo_extract, seed_server
from fieldcrm.demo.territory import MANAGER_NAME, REPS
from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.server.process import ServerProcess
from fieldcrm.store.database import Database
from fieldcrm.store.keys import key_place, load_key
from fieldcrm.ui.single_instance import SingleInstance
from fieldcrm.usecases import signin

MARK = "fieldcrm-demo.json"  # a folder without it is not ours, and is never thrown away
ACCOUNTS = {"rep": REPS[0][0], "manager": MANAGER_NAME[0]}


def default_folder() -> Path:
    """Beside the person's own workspace."""
    return app.default_profile().with_name("demo")


def open_workspace(
    *, folder: Path | None, region: Path | None, fresh: bool, now: datetime, role: str = "rep"
) -> int:
    """Open the program on the demo workspace until its window closes; gives the exit code.

    The first start makes it, from ``region`` or the bundled extract. ``fresh`` throws the old one away first. A second
    start raises the window of the first. Raises ``DomainError``: "demo_folder_foreign"; as ``collect_outlets``.
    """
    place = folder or default_folder()
    profile = place / role
    app.make_application()
    running = SingleInstance(profile)
    if not running.claim():
        return 0
    running.release()
    if fresh:
        _throw_away(place)
    _make(place, region or demo_extract(), now)
    with _server(place) as server:
        if key_place(profile) is None:
            login = (ORGANISATION_CODE, ACCOUNTS[role], PASSWORD)
            sign_in_here(profile, server.url, login, app.device_name(), lambda: now)
            _first_sync(profile, now)
        else:
            _follow(profile, server.url, now)
        with _asked_to_end():
            return app.main(profile)


def prepare_workspace(*, folder: Path | None = None, region: Path | None = None, now: datetime) -> None:
    """Make the sample data where there are none yet; takes a minute, so it may run beside a window that says so."""
    _make(folder or default_folder(), region or demo_extract(), now)


def _throw_away(place: Path) -> None:
    if place.exists():
        _check_ours(place)
        shutil.rmtree(place)


def _check_ours(place: Path) -> None:
    if not (place / MARK).is_file() and any(place.iterdir()):
        raise DomainError("demo_folder_foreign", path=str(place))


def _make(place: Path, extract: Path, now: datetime) -> None:
    """Seed the server in a folder that gets its name when all is there: what is cut leaves nothing half made."""
    if (place / MARK).is_file():
        return
    if place.exists():
        _check_ours(place)
    place.mkdir(parents=True, exist_ok=True)
    part = place / "server.part"
    shutil.rmtree(part, ignore_errors=True)
    print(words.tr("Preparing the sample data (once)…"), file=sys.stderr, flush=True)
    seed_server(part, extract, now)
    os.replace(part, place / "server")
    _note(place, port=0, pid=0)


def _note(place: Path, port: int, pid: int) -> None:
    """What the next start needs to know: where the server was, and which process to end if it is still there."""
    (place / MARK).write_text(json.dumps({"sample_data": True, "port": port, "pid": pid}), encoding="utf-8")


def _first_sync(profile: Path, now: datetime) -> None:
    """Bring the territory before the window opens: the program's first picture is a day with stores in it."""
    opened = app.open_profile(profile, clock=lambda: now, start_sync=False)
    try:
        supervisor = opened.session.sync
        if supervisor is not None:
            supervisor.run_once()
    finally:
        opened.close()


@contextmanager
def _asked_to_end() -> Iterator[None]:
    """SIGTERM and SIGHUP close the window as a person would, so that the server ends too."""
    application = app.make_application()
    names = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(name, lambda *_: application.quit()) for name in names}
    tick = QTimer()  # Python hears a signal only when it runs
    tick.timeout.connect(lambda: None)
    tick.start(300)
    try:
        yield
    finally:
        tick.stop()
        for name, handler in before.items():
            signal.signal(name, handler)


@contextmanager
def _server(place: Path) -> Iterator[ServerProcess]:
    """The workspace's own server, on the port of last time where that is free."""
    server = ServerProcess(place / "server")
    known = json.loads((place / MARK).read_text(encoding="utf-8"))
    server.port = int(known.get("port", 0))
    _end_left_over(server.port, int(known.get("pid", 0)))
    try:
        server.start()
    except Unavailable:
        if not server.port:
            raise
        server.port = 0
        server.start()
    _note(place, server.port, server.pid)
    try:
        yield server
    finally:
        server.stop()
        _note(place, server.port, pid=0)


def _end_left_over(port: int, pid: int) -> None:
    """A program that was killed leaves its server behind; two on one folder would be one too many."""
    if not pid or not _answers(port):
        return
    with suppress(OSError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 10
    while _answers(port) and time.monotonic() < deadline:
        time.sleep(0.1)


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/v1/health", timeout=2).ok
    except requests.RequestException:
        return False


def _follow(profile: Path, url: str, now: datetime) -> None:
    """The server answers at another port than last time: the workspace has to know."""
    db = Database.open(profile, load_key(profile), now=now)
    try:
        with db.read() as reader:
            signed = signin.signed_in(reader)
        if signed is not None and signed.server_url != url:
            moved = replace(signed, server_url=url)
            db.write(lambda tx: signin.remember(tx, moved), actor=moved.actor, now=now).result()
    finally:
        db.close()
