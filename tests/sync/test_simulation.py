"""A seeded storm over real SQLite on both sides: lost and doubled messages, restores, copies, changing rights.

Each seed is a whole history, run on one thread, so that it fails the same way every time. FIELDCRM_SEEDS=5000
runs more of them; the invariants are those of the protocol's design.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import pytest
from sqlalchemy import Connection, select

import sync.client.outbox
import sync.server.push
from sync.client.failures import Busy, Offline
from sync.protocol import SyncRequest, SyncResponse
from sync.server.database import reading
from sync.server.ports import Change
from tests.sync.small import Device, Server, Wire

SEEDS = int(os.environ.get("FIELDCRM_SEEDS", "40"))
MUTANT_SEEDS = 200
SECTORS = ("A", "B", "C")
USERS = tuple(UUID(int=0x200 + n) for n in range(3))
FIELDS = ("name", "phone", "grade")

Result = TypeVar("Result")


class Storm:
    """One history. ``captured``: every operation made on any device -> its shop and whether it counts one up."""

    def __init__(self, seed: int, folder: Path, server_file: Path, client_file: Path) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.folder = folder
        self.server = Server.from_template(folder, server_file)
        self.server.sectors = {user: self._some_sectors() for user in USERS}
        self.devices = [Device(self.server, u, folder / f"{n}.db", template=client_file) for n, u in enumerate(USERS)]
        self.calm = False
        self.backups: list[Path] = []
        self.captured: dict[str, tuple[UUID, bool]] = {}
        self.writer: dict[str, Device] = {}  # value -> who wrote it
        self.shops = 0
        for device in self.devices:
            self._weather(device)

    def _some_sectors(self) -> set[str]:
        return set(self.random.sample(SECTORS, self.random.randint(1, 2)))

    def _weather(self, device: Device) -> None:
        """Requests and answers get lost; a request may arrive twice."""
        device.wire = Unreliable(device.wire, self, device)

    def run(self) -> None:
        for _ in range(self.random.randint(10, 45)):
            self._step()
        self.calm = True
        for _ in range(3):
            for device in self.devices:
                device.sync()
        self.check()

    def _step(self) -> None:
        device = self.random.choice(self.devices)
        chance = self.random.random()
        if chance < 0.16:
            self._create(device)
        elif chance < 0.50:
            self._edit(device)
        elif chance < 0.54:
            self._delete(device)
        elif chance < 0.90:
            self._sync(device)
        elif chance < 0.93:
            self.server.sectors[self.random.choice(USERS)] = self._some_sectors()
        elif chance < 0.95:
            self._server_moves()
        elif chance < 0.97:
            self.backups.append(self.server.backup(self.folder))
        elif chance < 0.985 and self.backups:
            self.server.restore(self.random.choice(self.backups))
            self.backups.clear()
        elif len(self.devices) < 5:
            copy = device.clone(self.folder / f"{len(self.devices)}.db")
            self._weather(copy)
            self.devices.append(copy)

    def _sync(self, device: Device) -> None:
        with contextlib.suppress(Offline, Busy):
            device.sync(on_progress=lambda _: self._check_visible(device))

    def _check_visible(self, device: Device) -> None:
        """I4: what was recorded and never sent stays on the screen, whatever came meanwhile."""
        shown: dict[tuple[UUID, str], str] = {}
        query = "SELECT id, \"set\" FROM outbox WHERE kind = 'upd' AND state = 'new' ORDER BY n"
        for id, change in device.query(query):
            fields = {name: value for name, value in json.loads(change).items() if name in FIELDS}
            shown.update(((UUID(bytes=id), name), value) for name, value in fields.items())
        for (id, name), value in shown.items():
            shop = device.shop(id)
            assert shop is None or shop[name] == value, f"I4: {name}"

    def _create(self, device: Device) -> None:
        self.shops += 1
        id = UUID(int=self.shops)
        sector = self.random.choice(sorted(self.server.sectors[device.user]))
        device.captured(("INSERT INTO shop (id, name, sector, stock) VALUES (?, 'new', ?, 0)", (id.bytes, sector)))
        self._note(device, id, counts=False)

    def _held(self, device: Device) -> UUID | None:
        ids = [UUID(bytes=id) for (id,) in device.query("SELECT id FROM shop ORDER BY id")]
        return self.random.choice(ids) if ids else None

    def _edit(self, device: Device) -> None:
        id = self._held(device)
        if id is None:
            return
        values = {name: f"v{len(self.captured)}" for name in self.random.sample(FIELDS, self.random.randint(1, 2))}
        stock = (device.shop(id) or {})["stock"]
        device.edit(id, **values, stock=(stock or 0) + 1)
        shown = device.shop(id)
        assert shown is not None and all(shown[name] == value for name, value in values.items()), "I4"
        self.writer.update(dict.fromkeys(values.values(), device))
        self._note(device, id, counts=True)

    def _delete(self, device: Device) -> None:
        id = self._held(device)
        if id is not None:
            device.delete(id)
            self._note(device, id, counts=False)

    def _note(self, device: Device, id: UUID, *, counts: bool) -> None:
        op = device.query("SELECT op FROM outbox ORDER BY n DESC LIMIT 1")[0][0].hex()
        self.captured[op] = (id, counts)

    def _server_moves(self) -> None:
        shops = sorted(self.server.rows("shop"))
        if shops:
            self.server.write(Change("shop", self.random.choice(shops), {"sector": self.random.choice(SECTORS)}))

    def check(self) -> None:
        for device in self.devices:
            device.assert_settled()  # I0 drained, I1 the same rows, I6 none out of scope, I8 digests
        table = self.server.tables.op_result
        with reading(self.server.engine) as connection:
            results = dict(connection.execute(select(table.c.op_id, table.c.status)).all())
        letters = {op.hex() for d in self.devices for (op,) in d.query("SELECT op FROM dead_letter")}
        for op in self.captured:
            assert op in results, f"I2: {op} vanished"
            if results[op] in ("rejected", "dependent"):
                assert op in letters, f"I2: {op} was refused and nobody was told"
        self._check_exactly_once(results)
        self._check_clashes()

    def _check_clashes(self) -> None:
        """I7: nobody is told of a clash with oneself (not asked of copies: they share a name for a while)."""
        if len(self.devices) > len(USERS):
            return
        for row in self.server.rows("clash").values():
            if row["field"] in FIELDS and row["kept"] in self.writer and row["lost"] in self.writer:
                assert self.writer[row["kept"]] is not self.writer[row["lost"]], f"I7: {row['field']}"

    def _check_exactly_once(self, results: dict[str, str]) -> None:
        """I3: every accepted operation counted once, whatever was lost, doubled, restored or copied."""
        expected: dict[UUID, int] = {}
        for op, (id, counts) in self.captured.items():
            if counts and results[op] in ("applied", "merged", "conflict"):
                expected[id] = expected.get(id, 0) + 1
        for id, row in self.server.rows("shop").items():
            assert row["stock"] == expected.get(id, 0), "I3"

    def close(self) -> None:
        for device in self.devices:
            device.engine.dispose()
        self.server.engine.dispose()


class Unreliable(Wire):
    def __init__(self, wire: Wire, storm: Storm, typist: Device) -> None:
        super().__init__(wire.server, wire.user, wire.device)
        self.typist = typist
        self.storm = storm

    def _call(self, name: str, work: Callable[[], Result]) -> Result:
        luck = self.storm.random
        if self.storm.calm:
            return work()
        if luck.random() < 0.10:
            raise Offline(reason="request lost")
        if name in ("sync", "send") and luck.random() < 0.06:
            work()  # the same message, twice
        result = work()
        if luck.random() < 0.15:
            self.storm._edit(self.typist)  # the person goes on typing while the answer is on its way
        if luck.random() < 0.12:
            raise Offline(reason="answer lost")
        return result

    def sync(self, request: SyncRequest) -> SyncResponse:
        return super().sync(request)


@pytest.fixture(scope="module")
def server_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("server")
    server = Server(folder)
    server.engine.dispose()
    return server.path


def without_dedupe(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("sync.server.engine.known_answers", lambda *_: {})


def without_own_rule(patch: pytest.MonkeyPatch) -> None:
    real = sync.server.push.decide_update
    patch.setattr("sync.server.push.decide_update", lambda *args: real(*args[:-1], -1))


def without_eviction(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("sync.client.rows.remove_unheld", lambda *_: [])


def without_children(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("sync.server.batch.Batch._move_children", lambda *_: None)


def without_journal(patch: pytest.MonkeyPatch) -> None:
    def forget(connection: Connection, device: int) -> None:
        connection.exec_driver_sql("DELETE FROM acked_ops")
        real(connection, device)

    real = sync.client.outbox.fork
    patch.setattr("sync.client.outbox.rewind", lambda *_: False)
    patch.setattr("sync.client.outbox.fork", forget)


def without_overlay(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("sync.client.local.overlay", lambda collection, row, changes: row)


@pytest.mark.slow
@pytest.mark.parametrize(
    "break_it",
    [without_dedupe, without_own_rule, without_eviction, without_children, without_journal, without_overlay],
)
def test_a_rule_taken_away_is_noticed(
    break_it: Callable[[pytest.MonkeyPatch], None],
    tmp_path: Path,
    server_file: Path,
    client_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The storm is worth something only if it fails when a rule of the protocol is missing."""
    break_it(monkeypatch)
    for seed in range(MUTANT_SEEDS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        storm = Storm(seed, folder, server_file, client_file)
        try:
            storm.run()
        except Exception:
            return
        finally:
            storm.close()
            shutil.rmtree(folder)
    pytest.fail(f"{MUTANT_SEEDS} histories passed without this rule")


@pytest.mark.parametrize("first", range(0, SEEDS, 20))
def test_every_history_ends_in_agreement(first: int, tmp_path: Path, server_file: Path, client_file: Path) -> None:
    for seed in range(first, min(first + 20, SEEDS)):
        folder = tmp_path / str(seed)
        folder.mkdir()
        storm = Storm(seed, folder, server_file, client_file)
        try:
            storm.run()
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error
        finally:
            storm.close()
        shutil.rmtree(folder)
