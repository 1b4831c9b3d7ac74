"""The demo workspace for the windowed program: a folder with its own server, sample data, and the rep's workspace."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

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
        else:
            _follow(profile, server.url, now)
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
    _note(place, port=0)


def _note(place: Path, port: int) -> None:
    (place / MARK).write_text(json.dumps({"sample_data": True, "port": port}), encoding="utf-8")


@contextmanager
def _server(place: Path) -> Iterator[ServerProcess]:
    """The workspace's own server, on the port of last time where that is free."""
    server = ServerProcess(place / "server")
    server.port = int(json.loads((place / MARK).read_text(encoding="utf-8")).get("port", 0))
    try:
        server.start()
    except Unavailable:
        if not server.port:
            raise
        server.port = 0
        server.start()
    _note(place, server.port)
    try:
        yield server
    finally:
        server.stop()


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
