"""The demo workspace: made once, never over something else, and its profile follows the server to another port."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from fieldcrm import app
from fieldcrm.demo import workspace
from fieldcrm.demo.seed import demo_extract
from fieldcrm.domain.errors import DomainError
from fieldcrm.server.process import ServerProcess
from fieldcrm.store.database import Database
from fieldcrm.store.keys import load_key
from fieldcrm.store.tables import T
from fieldcrm.usecases import signin

NOW = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The profiles that the program was run on, instead of running its window."""
    seen: list[Path] = []

    def main(profile: Path) -> int:
        seen.append(profile)
        return 0

    monkeypatch.setattr(app, "main", main)
    return seen


def server_of(profile: Path) -> str:
    db = Database.open(profile, load_key(profile), now=NOW)
    with db.read() as reader:
        signed = signin.signed_in(reader)
    db.close()
    assert signed is not None
    return signed.server_url


def test_a_workspace_is_made_once_and_opened_again(qapp: object, tmp_path: Path, shown: list[Path]) -> None:
    place = tmp_path / "demo"
    assert workspace.open_workspace(folder=place, region=None, fresh=False, now=NOW) == 0
    made = (place / "server" / "server.sqlite").stat().st_ino
    first = server_of(place / "rep")
    assert workspace.open_workspace(folder=place, region=None, fresh=False, now=NOW) == 0
    assert (place / "server" / "server.sqlite").stat().st_ino == made
    assert server_of(place / "rep") == first  # the port of last time was free
    assert shown == [place / "rep"] * 2


def test_the_territory_is_there_before_the_window_opens(qapp: object, tmp_path: Path, shown: list[Path]) -> None:
    workspace.open_workspace(folder=tmp_path / "demo", region=None, fresh=False, now=NOW)
    profile = tmp_path / "demo" / "rep"
    db = Database.open(profile, load_key(profile), now=NOW)
    with db.read() as reader:
        outlets = reader.conn.execute(select(func.count()).select_from(T.outlet)).scalar_one()
    db.close()
    assert outlets > 100


def test_a_server_that_a_killed_program_left_behind_is_ended(tmp_path: Path) -> None:
    place = tmp_path / "demo"
    workspace._make(place, demo_extract(), NOW)
    left = ServerProcess(place / "server").start()
    workspace._note(place, left.port, left.pid)
    with workspace._server(place) as server:
        assert server.healthy()
        assert server.port == left.port
        assert server.pid != left.pid
    left.stop()
    assert not server.healthy()


def test_a_folder_with_something_else_in_it_is_left_alone(qapp: object, tmp_path: Path, shown: list[Path]) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("dear")
    for fresh in (False, True):
        with pytest.raises(DomainError, match="demo_folder_foreign"):
            workspace.open_workspace(folder=tmp_path, region=None, fresh=fresh, now=NOW)
    assert letter.read_text() == "dear"
    assert shown == []


def test_a_start_that_was_cut_leaves_nothing_half_made(tmp_path: Path) -> None:
    truncated = tmp_path / "cut.osm.pbf"
    truncated.write_bytes(demo_extract().read_bytes()[:200_000])
    place = tmp_path / "demo"
    with pytest.raises(DomainError, match="osm_file_damaged"):
        workspace._make(place, truncated, NOW)
    assert not (place / "server").exists()
    workspace._make(place, demo_extract(), NOW)
    assert (place / "server" / "server.sqlite").is_file()
