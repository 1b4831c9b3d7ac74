"""A first sync by prebuilt files: cut anywhere, refused when forged, and the same rows as by the usual pull."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.client import snapshot_file
from sync.client.failures import BadAddress, Offline
from sync.client.failures import CallRefused as CallFailed
from sync.client.snapshot_file import SnapshotFile, Unusable, unpacked
from sync.protocol import SnapshotOffer
from sync.server.ports import Caller, Change
from sync.server.refusal import CallRefused
from sync.server.snapshots import KEPT_AFTER
from tests.sync.conftest import ANA, BEN
from tests.sync.small import CATALOGUE, ORG, START, Device, Server

Make = Callable[[UUID], Device]
SHOPS = [UUID(int=0x5000 + at) for at in range(60)]


def shop(at: int, **more: object) -> Change:
    values = {"name": f"Shop {at}", "sector": "A", "custom": {"k": at}, "tags": ["x"], "area": at or None}
    return Change("shop", SHOPS[at], {**values, **more})


@pytest.fixture
def built(server: Server) -> Server:
    """A server with a file of sector A, and rows that changed after it was made."""
    server.write(*(shop(at) for at in range(60)))
    server.write(*(Change("report", UUID(int=0x9000 + at), {"shop_id": SHOPS[at].hex, "text": "é"}) for at in range(9)))
    assert server.snapshots.refresh(ORG, now=START) == 1
    server.write(shop(3, name="Later"), Change("shop", SHOPS[4], None), shop(5, sector="B"))
    return server


def left(device: Device) -> tuple[int, int]:
    return tuple(device.query(f"SELECT count(*) FROM {name}")[0][0] for name in ("snapshot", "snapshot_part"))


def test_a_new_device_takes_the_file_and_then_what_came_since(built: Server, device: Make) -> None:
    ana = device(ANA)
    progress = ana.sync()
    assert progress.verified and not progress.healed
    assert ana.wire.calls == ["sync", "snapshots", "fetch_snapshot", "sync"]
    assert progress.bytes_received == progress.bytes_to_receive > 0
    assert progress.rows_to_receive == 69
    assert ana.shop(SHOPS[3])["name"] == "Later" and ana.shop(SHOPS[4]) is None and ana.shop(SHOPS[5]) is None
    assert ana.shop(SHOPS[7])["custom"] == '{"k":7}' and ana.shop(SHOPS[0])["area"] is None
    assert left(ana) == (0, 0)
    ana.assert_settled()
    ana.wire.calls.clear()
    ana.sync()
    assert ana.wire.calls == ["sync"]


def test_a_download_that_is_cut_goes_on_where_it_was(built: Server, device: Make) -> None:
    ana = device(ANA)
    ana.wire.piece = 400
    fetched: list[int] = []

    def cut(name: str) -> None:
        if name == "fetch_snapshot" and len(fetched) % 2 == 0:
            fetched.append(0)
            raise Offline()
        fetched.append(1)

    ana.wire.before = cut
    tries = 0
    while not ana.try_sync():
        tries += 1
    size = built.snapshots.offers(ana.wire.caller, ["sector:A"])[0].bytes
    assert tries >= 3
    assert sum(fetched[at] for at in range(len(fetched))) <= -(-size // 400) + 2 * tries + 3
    ana.assert_settled()


def test_copying_goes_on_after_a_crash_at_any_slice_without_fetching_again(built: Server, device: Make) -> None:
    for crash_at in range(1, 12):
        ana = device(ANA)
        real, count = ana.write, [0]

        def crashing(work, count=count, real=real, crash_at=crash_at):  # type: ignore[no-untyped-def]
            count[0] += 1
            if count[0] == crash_at + 2:
                raise KeyboardInterrupt
            return real(work)

        ana.write = crashing  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            ana.sync()
        ana.write = real  # type: ignore[method-assign]
        held = left(ana)[1]
        ana.wire.calls.clear()
        ana.sync()
        if held:
            assert "fetch_snapshot" not in ana.wire.calls
        ana.assert_settled()
        assert left(ana) == (0, 0)


def test_what_was_recorded_before_the_first_sync_stays_on_top(built: Server, device: Make) -> None:
    ana, mine = device(ANA), UUID(int=0x77)
    ana.add_shop(mine, "Mine")
    ana.wire.before = lambda name: ana.edit(mine, phone=name) if name == "fetch_snapshot" else None
    ana.sync()
    assert ana.shop(mine)["phone"] == "fetch_snapshot"
    assert ana.shop(SHOPS[7])["tags"] == '["x"]'
    ana.assert_settled()


def test_a_sync_that_is_stopped_midway_keeps_what_it_has(built: Server, device: Make) -> None:
    ana = device(ANA)
    ana.wire.piece = 300
    progress = ana.sync(cancelled=lambda: ana.wire.calls.count("fetch_snapshot") >= 2)
    assert progress.cancelled and left(ana) == (1, 2)
    ana.sync()
    ana.assert_settled()


def test_a_file_that_is_gone_is_replaced_by_the_usual_pull(built: Server, device: Make) -> None:
    ana = device(ANA)

    def gone(name: str) -> None:
        if name == "fetch_snapshot":
            raise snapshot_gone()

    ana.wire.before = gone
    progress = ana.sync()
    assert progress.healed == ["snapshot"] and progress.verified
    assert left(ana) == (0, 0)
    ana.assert_settled()


def snapshot_gone() -> Exception:
    return CallFailed(404, "snapshot_unknown")


def test_a_forged_file_is_thrown_away_and_the_rows_come_by_the_usual_pull(built: Server, device: Make) -> None:
    ana = device(ANA)
    ana.wire.fetch_snapshot = lambda sha256, offset=0: bytes(ana.wire.snapshots(["sector:A"])[0].bytes - offset)  # type: ignore[method-assign]
    progress = ana.sync()
    assert "snapshot" in progress.healed and progress.verified
    ana.assert_settled()


def test_a_piece_longer_than_the_file_is_refused(built: Server, device: Make) -> None:
    ana = device(ANA)
    ana.wire.fetch_snapshot = lambda sha256, offset=0: bytes(1 << 20)  # type: ignore[method-assign]
    with pytest.raises(BadAddress):
        ana.sync()


@pytest.mark.parametrize(
    "change",
    [
        {"bytes": 0}, {"bytes": snapshot_file.MAX_PACKED + 1}, {"rows": -1}, {"rows": 10**9}, {"rev": 0},
        {"rev": 2**63}, {"sha256": "../../etc/passwd"}, {"bucket": "sector:Z"},
    ],
)  # fmt: skip
def test_an_offer_that_makes_no_sense_is_passed_over(built: Server, device: Make, change: dict[str, object]) -> None:
    ana = device(ANA)
    good = built.snapshots.offers(ana.wire.caller, ["sector:A"])[0]
    values = {name: getattr(good, name) for name in good.__struct_fields__} | change
    ana.wire.snapshots = lambda buckets: [SnapshotOffer(**values)]  # type: ignore[method-assign]
    ana.sync()
    assert "fetch_snapshot" not in ana.wire.calls
    ana.assert_settled()


# The server's side


def test_only_those_who_may_hold_a_bucket_learn_of_its_file(built: Server, device: Make) -> None:
    ana, ben = device(ANA), device(BEN)
    [offer] = built.snapshots.offers(ana.wire.caller, ["sector:A", "sector:B", "org"])
    built.sectors[BEN] = {"B"}
    assert built.snapshots.offers(ben.wire.caller, ["sector:A", "sector:B"]) == []
    stranger = Caller(UUID(int=0xB), ANA, "rep", 1)
    for caller in (ben.wire.caller, stranger):
        with pytest.raises(CallRefused, match="snapshot_unknown"):
            built.snapshots.part(caller, offer.sha256)
    whole = built.snapshots.part(ana.wire.caller, offer.sha256)
    assert hashlib.sha256(whole.data).hexdigest() == offer.sha256 and whole.size == offer.bytes
    part = built.snapshots.part(ana.wire.caller, offer.sha256, 10, 20)
    assert part.data == whole.data[10:20]
    for start in (offer.bytes, -1):
        with pytest.raises(CallRefused, match="range_wrong"):
            built.snapshots.part(ana.wire.caller, offer.sha256, start)


def test_a_file_is_made_anew_when_a_tenth_of_its_rows_changed_and_no_sooner(built: Server) -> None:
    caller = Caller(ORG, ANA, "rep", 1)
    before = built.snapshots.offers(caller, ["sector:A"])[0]
    assert built.snapshots.refresh(ORG, now=START) == 0
    built.write(*(shop(at, phone="2") for at in range(20, 30)))
    assert built.snapshots.refresh(ORG, now=START) == 1
    after = built.snapshots.offers(caller, ["sector:A"])[0]
    assert after.rev > before.rev and after.sha256 != before.sha256
    assert built.snapshots.part(caller, before.sha256).size == before.bytes  # a download under way may end
    built.snapshots.refresh(ORG, now=START + KEPT_AFTER + timedelta(seconds=1))
    with pytest.raises(CallRefused):
        built.snapshots.part(caller, before.sha256)
    folder = built.path.parent / "snapshots" / ORG.hex
    assert [path.name for path in folder.iterdir()] == [f"{after.sha256}.zst"]


def test_after_a_restore_or_a_compaction_an_older_file_is_not_offered(built: Server) -> None:
    caller = Caller(ORG, ANA, "rep", 1)
    rev = built.snapshots.offers(caller, ["sector:A"])[0].rev
    built.sync.compact(ORG, rev + 1)
    assert built.snapshots.offers(caller, ["sector:A"]) == [] and built.snapshots.wanted.is_set()
    assert built.snapshots.refresh(ORG, now=START) == 1
    assert built.snapshots.offers(caller, ["sector:A"])
    built.sync.begin_epoch(ORG)
    assert built.snapshots.offers(caller, ["sector:A"]) == []


# Files that a server of ours would not make

HEAD = "CREATE TABLE about (format INTEGER, bucket TEXT, rev INTEGER, rows INTEGER);"
SHOP_TABLE = 'CREATE TABLE c1 ("id", "rev", "name", "area");'
ROW = "INSERT INTO c1 VALUES (zeroblob(16), 5, 'x', 1);"


def plain(script: str) -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.executescript(script)
    made = connection.serialize()
    connection.close()
    return bytes(made)


def opened(content: bytes) -> SnapshotFile:
    return SnapshotFile(content, CATALOGUE, bucket="b", rev=9, rows=1)


GOOD = HEAD + SHOP_TABLE + "INSERT INTO about VALUES (1, 'b', 9, 1);" + ROW


def test_a_file_as_it_should_be_is_read() -> None:
    file = opened(plain(GOOD))
    assert list(file.read(file.tables[0], 0)) == [(bytes(16), 5, "x", 1)]
    file.close()


@pytest.mark.parametrize(
    "script",
    [
        HEAD + SHOP_TABLE + ROW,
        GOOD.replace("'b'", "'c'"),
        GOOD.replace("9, 1)", "8, 1)"),
        GOOD.replace("9, 1)", "9, 2)"),
        GOOD + "CREATE VIEW c2 AS SELECT 1 AS id, 2 AS rev;",
        GOOD + "CREATE TRIGGER t AFTER INSERT ON c1 BEGIN SELECT 1; END;",
        GOOD + "CREATE INDEX i ON c1 (name);",
        GOOD + "CREATE TABLE other (a);",
        GOOD.replace('"area"', '"area" AS (length(zeroblob(99999999)))').replace("'x', 1", "'x'"),
        GOOD.replace("CREATE TABLE c1 (", "CREATE VIRTUAL TABLE c1 USING fts5("),
        GOOD.replace('"id", "rev"', '"rev", "id"'),
        GOOD.replace("zeroblob(16)", "zeroblob(15)"),
        GOOD.replace("zeroblob(16)", "'0123456789abcdef'"),
        GOOD.replace("zeroblob(16), 5", "zeroblob(16), 10"),
        GOOD.replace("zeroblob(16), 5", "zeroblob(16), 0"),
        GOOD.replace("zeroblob(16), 5", "zeroblob(16), 5.0"),
        GOOD.replace("'x', 1", "x'00', 1"),
        GOOD.replace("'x', 1", "'x', 'many'"),
        GOOD.replace("'x', 1", "'x', 1.5"),
        GOOD.replace("9, 1)", "9, 2)") + ROW,
    ],
)
def test_a_file_that_is_not_ours_is_refused(script: str) -> None:
    with pytest.raises(Unusable):
        SnapshotFile(plain(script), CATALOGUE, bucket="b", rev=9, rows=1)


def test_a_row_twice_is_refused_even_when_the_count_is_right() -> None:
    script = GOOD.replace("9, 1)", "9, 2)") + ROW
    with pytest.raises(Unusable):
        SnapshotFile(plain(script), CATALOGUE, bucket="b", rev=9, rows=2)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damage_anywhere_in_a_file_is_refused_or_harmless(data: st.DataObject) -> None:
    content = bytearray(plain(GOOD))
    for _ in range(data.draw(st.integers(1, 12))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    for damaged in (bytes(content), bytes(content[:cut])):
        try:
            file = opened(damaged)
        except Unusable:
            continue
        try:
            for table in file.tables:
                list(file.read(table, 0))
        except Unusable:
            pass
        finally:
            file.close()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_garbage_is_refused(content: bytes) -> None:
    with pytest.raises(Unusable):
        opened(content)
    with pytest.raises(Unusable):
        unpacked([content], "0" * 64)
    with pytest.raises(Unusable):
        unpacked([content], hashlib.sha256(content).hexdigest())


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_file, "MAX_PLAIN", 8 << 20)
    bomb = zstandard.ZstdCompressor(level=1).compress(bytes(64 << 20))
    with pytest.raises(Unusable, match="too large"):
        unpacked([bomb], hashlib.sha256(bomb).hexdigest())


def test_the_folder_of_a_device_never_holds_the_plain_file(built: Server, device: Make, tmp_path: Path) -> None:
    """The rows lie in the database alone: encrypted, on a real device."""
    ana = device(ANA)
    before = set(tmp_path.rglob("*"))
    ana.sync()
    fresh = {path.name for path in set(tmp_path.rglob("*")) - before if path.is_file()}
    assert all(name.startswith(("device-", "server.db")) for name in fresh), fresh
