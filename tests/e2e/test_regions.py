"""A region given to headquarters arrives on every device of the organisation, whole, by HTTP; and on no other."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from fieldcrm import resources
from fieldcrm.domain.errors import DomainError
from fieldcrm.geo.packs import describe, hash_of, install, installed
from fieldcrm.geo.roads import Roads, read_graph
from fieldcrm.server.headquarters import Headquarters
from fieldcrm.usecases import regions, signin, syncing
from sync.client.failures import CallRefused
from tests.e2e.laptops import Laptop, real_now
from tests.server.conftest import Company, found

PACK = resources.path("demo/helsinki.mbtiles")
KEY = bytes(range(32))


@pytest.fixture
def company(office: tuple[str, Headquarters]) -> Company:
    return found(office[1])


@pytest.fixture
def laptop(office: tuple[str, Headquarters], company: Company, tmp_path: Path) -> Laptop:
    return Laptop(tmp_path / "laptop", KEY, office[0], company)


def fetcher(laptop: Laptop) -> tuple[regions.RegionFetcher, Callable[[], None]]:
    """The fetcher of a laptop, and a sync that hands on to it and waits until it has done."""
    made = regions.RegionFetcher(laptop.db.folder, laptop.db.read)
    supervisor = syncing.Supervisor(
        laptop.db, laptop.photos, laptop.signed.actor,
        lambda: signin.open_remote(laptop.db, laptop.signed, clock=real_now), clock=real_now, automatic=False,
        on_synced=made.synced,
    )

    def sync() -> None:
        assert supervisor.run_once() is not None, supervisor.state.problem
        made.wait(30)

    return made, sync


def give(hq: Headquarters, company: Company, pack: Path = PACK, name: str = "Helsinki") -> None:
    hq.regions.add(company.org, pack, name, describe(pack).bounds, real_now())


def test_the_first_sync_brings_the_region_and_the_next_ones_nothing(
    office: tuple[str, Headquarters], company: Company, laptop: Laptop
) -> None:
    give(office[1], company)
    _, sync = fetcher(laptop)
    sync()
    [pack] = installed(laptop.db.folder / regions.FOLDER)
    assert hash_of(pack.path) == hash_of(PACK) and pack.has_roads and pack.outlets == 515
    assert Roads(read_graph(pack.path)).seconds([(60.17, 24.94), (60.172, 24.945)])[0, 1] > 0
    before = pack.path.stat().st_mtime_ns
    sync()
    assert pack.path.stat().st_mtime_ns == before
    with laptop.db.read() as reader:
        assert regions.wanted(reader, laptop.db.folder) == ()
    laptop.close()


def test_what_was_cut_goes_on_where_it_was_and_a_newer_pack_takes_the_place_of_the_older(
    office: tuple[str, Headquarters], company: Company, laptop: Laptop, tmp_path: Path
) -> None:
    newer = tmp_path / "newer.mbtiles"
    newer.write_bytes(PACK.read_bytes())
    with sqlite3.connect(newer) as connection:  # larger than one piece
        connection.execute("CREATE TABLE more AS SELECT randomblob(3000000) AS x")
    connection.close()
    give(office[1], company)
    made, sync = fetcher(laptop)
    sync()
    give(office[1], company, newer)
    seen: list[int] = []

    def may() -> bool:
        seen.append(made.fetching.done if made.fetching else 0)
        return len(seen) < 4

    remote = signin.open_remote(laptop.db, laptop.signed, clock=real_now)
    laptop.run()
    made.synced(remote, may)
    made.wait(30)
    assert seen[-1] > 1_000_000 and len(list((laptop.db.folder / "maps").glob("*.part"))) == 1
    sync()
    [pack] = installed(laptop.db.folder / regions.FOLDER)
    assert hash_of(pack.path) == hash_of(newer)
    assert not list((laptop.db.folder / "maps").glob("*.part"))
    remote.close()
    laptop.close()


def test_a_file_that_is_not_what_headquarters_says_is_thrown_away(
    office: tuple[str, Headquarters], company: Company, laptop: Laptop
) -> None:
    hq = office[1]
    give(hq, company)
    [kept] = (hq.folder / "regions" / company.org.hex).glob("*.mbtiles")
    content = bytearray(kept.read_bytes())
    content[5000] ^= 1
    kept.write_bytes(content)
    _, sync = fetcher(laptop)
    sync()
    assert list((laptop.db.folder / "maps").iterdir()) == []
    laptop.close()


def test_another_organisation_does_not_get_it_and_is_told_what_a_stranger_is_told(
    office: tuple[str, Headquarters], company: Company, laptop: Laptop
) -> None:
    other = found(office[1])
    give(office[1], other)
    remote = signin.open_remote(laptop.db, laptop.signed, clock=real_now)
    answers = []
    for sha256 in (hash_of(PACK), "0" * 64, "server.key"):
        with pytest.raises(CallRefused) as refused:
            remote.fetch_file(sha256, 0)
        answers.append((refused.value.status, refused.value.code))
    assert set(answers) == {(404, "file_unknown")}
    remote.close()
    laptop.close()


def test_a_region_that_was_removed_is_not_fetched_and_its_file_is_gone(
    office: tuple[str, Headquarters], company: Company, laptop: Laptop
) -> None:
    hq = office[1]
    give(hq, company)
    hq.regions.remove(company.org, "Helsinki")
    _, sync = fetcher(laptop)
    sync()
    assert not (laptop.db.folder / "maps").exists()
    assert list((hq.folder / "regions" / company.org.hex).iterdir()) == []
    with pytest.raises(DomainError, match="region_unknown"):
        hq.regions.remove(company.org, "Helsinki")
    laptop.close()


def test_installing_by_hand_refuses_what_is_no_pack_and_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    for content in (b"", b"SQLite format 3\x00" + bytes(5000), PACK.read_bytes()[:9000]):
        (tmp_path / "x.mbtiles").write_bytes(content)
        with pytest.raises(DomainError, match="map_pack_invalid"):
            install(tmp_path / "x.mbtiles", tmp_path / "maps")
    with pytest.raises(DomainError, match="stopped"):
        install(PACK, tmp_path / "maps", stopped=lambda: True)
    assert not list((tmp_path / "maps").glob("*"))
    done = install(PACK, tmp_path / "maps")
    assert done.name == "helsinki" and (done.outlets, done.streets) == (515, 102)
