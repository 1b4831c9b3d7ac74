"""One history over real stores: people, an administrator, bad luck of every kind, then calm and agreement."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from sync.client.failures import RemoteFailure
from sync.client.local import CHECKED_EVERY
from sync.columns import canonical
from sync.protocol import SyncResponse
from sync.server.ports import Change
from tests.sync.small import ORG
from tests.sync.storm import oracle
from tests.sync.storm.stores import NEW, Crash, StormDevice, StormServer, out_of_room
from tests.sync.storm.weather import Weather

SECTORS = ("A", "B", "C")
USERS = tuple(UUID(int=0x200 + n) for n in range(3))
FIELDS = ("name", "phone", "grade")
CALM_ROUNDS = 3
MOST_CALLS = 400  # of one sync: more would be one without an end


class Storm:
    """``made``: operation id -> (device, record, the fields it set), for everything that was recorded and kept."""

    def __init__(self, seed: int, folder: Path, server_file: Path, device_file: Path) -> None:
        self.random = random.Random(seed)
        self.folder = folder
        self.server = StormServer(folder, server_file, self.random)
        self.server.sectors = {user: self._some_sectors() for user in USERS}
        self.devices = [
            StormDevice(self.server, user, folder / f"{n}.db", device_file, self.random) for n, user in enumerate(USERS)
        ]
        self.calm = False
        self.backups: list[Path] = []
        self.copies: list[tuple[StormDevice, StormDevice]] = []
        self.late: list[tuple[Weather, bytes]] = []
        self.writer: dict[str, StormDevice] = {}  # value -> who wrote it
        self.photos: set[str] = set()
        self.copied = self.restored = False
        self.counts: Counter[str] = Counter()
        self.trace: list[str] = []
        self._words = 0
        for device in self.devices:
            device.wire = Weather(self, device)

    def note(self, what: str) -> None:
        self.counts[what] += 1
        self.trace.append(what)

    def _some_sectors(self) -> set[str]:
        return set(self.random.sample(SECTORS, self.random.randint(1, 2)))

    def _id(self) -> UUID:
        return UUID(int=self.random.getrandbits(128))

    def _word(self) -> str:
        self._words += 1
        return f"v{self._words}"

    # The history

    def run(self) -> None:
        for _ in range(self.random.randint(10, 45)):
            self._step()
        self.calm = True
        self.server.full = False
        self.server.reopen()
        for _ in range(CALM_ROUNDS):
            for device in self.devices:
                device.engine_of_sync(device.wire).run(on_progress=lambda _, d=device: oracle.watch(d))  # type: ignore[misc]
        for device in self.devices:
            if device.rotten:  # damage that no sum could notice yet is found by the check of every week
                device.now += CHECKED_EVERY
                device.engine_of_sync(device.wire).run()
        oracle.check(self)

    def _step(self) -> None:
        device = self.random.choice(self.devices)
        steps: list[tuple[float, Callable[[StormDevice], None]]] = [
            (14, self._open_shop), (24, self._edit), (3, self._delete), (10, self._report), (4, self._poison),
            (34, self._sync), (3, self._rights), (2, self._server_moves), (2, self._backup), (1.5, self._restore),
            (1.5, self._clone), (1, self._copy), (1.5, self._go_back), (2, self._compact), (1.5, self._upgrade),
            (2, self._clock_jumps), (2, self._late_arrival), (2, self._crash), (1.5, self._full), (1.5, self._rot),
            (2, self._snapshot),
        ]  # fmt: skip
        [step] = self.random.choices([s for _, s in steps], [weight for weight, _ in steps])
        self.note(step.__name__)
        step(device)
        oracle.check_cursors(self)

    # People

    def _do(self, device: StormDevice, *statements: tuple[str, tuple[Any, ...]]) -> bool:
        """A person's transaction: whole, or not at all and the person is told. True when it was kept."""
        try:
            device.captured(*statements)
        except DBAPIError as error:
            if not out_of_room(error):
                raise
            return False
        except Crash:
            return False
        return True

    def _open_shop(self, device: StormDevice) -> None:
        id, sector = self._id(), self.random.choice(sorted(self.server.sectors[device.user]))
        statements: list[tuple[str, tuple[Any, ...]]] = [
            ("INSERT INTO shop (id, name, sector, stock, note) VALUES (?, 'new', ?, 0, 'a\nb')", (id.bytes, sector))
        ]
        if self.random.random() < 0.3:
            insert = "INSERT INTO report (id, shop_id, text) VALUES (?, ?, 'first')"
            statements.append((insert, (self._id().bytes, id.bytes)))
        self._do(device, *statements)

    def _held(self, device: StormDevice, table: str = "shop") -> UUID | None:
        ids = [UUID(bytes=id) for (id,) in device.query(f"SELECT id FROM {table} ORDER BY id")]
        return self.random.choice(ids) if ids else None

    def _edit(self, device: StormDevice) -> None:
        id = self._held(device)
        shop = None if id is None else device.shop(id)
        if id is None or shop is None:
            return
        values: dict[str, Any] = {name: self._word() for name in self.random.sample(FIELDS, self.random.randint(1, 2))}
        self.writer.update(dict.fromkeys(values.values(), device))
        values["stock"] = (shop["stock"] or 0) + 1
        luck = self.random.random()
        if luck < 0.2:
            values["note"] = f"{shop['note']}\n{self._word()}"
        elif luck < 0.4:
            values["tags"] = canonical(sorted({self.random.choice("xyz")}))
        elif luck < 0.5 and device.catalogue is NEW:
            values["mail"] = self._word()
        elif luck < 0.56:
            values["sector"] = self.random.choice(SECTORS)
        sets = ", ".join(f"{name} = ?" for name in values)
        if self._do(device, (f"UPDATE shop SET {sets} WHERE id = ?", (*values.values(), id.bytes))):
            shown = device.shop(id)
            assert shown is not None and all(shown[n] == v for n, v in values.items()), "I4: an own edit is not shown"

    def type_on(self, device: StormDevice) -> None:
        """While the device waits for an answer; a stop that is due comes at another moment then."""
        left, device.trip.left = device.trip.left, None
        self._edit(device)
        device.trip.left = left

    def _delete(self, device: StormDevice) -> None:
        id = self._held(device)
        if id is not None:
            self._do(device, ("DELETE FROM shop WHERE id = ?", (id.bytes,)))

    def _report(self, device: StormDevice) -> None:
        shop = self._held(device)
        if shop is None:
            return
        id, photo = self._id(), None
        if self.random.random() < 0.6:
            photo = self.random.randbytes(self.random.randint(1, 3000))
        sha = device.files.put(photo) if photo else None
        insert = "INSERT INTO report (id, shop_id, text, sha256, size, mime) VALUES (?, ?, ?, ?, ?, ?)"
        values = (id.bytes, shop.bytes, "seen", sha, len(photo) if photo else None, "image/jpeg" if photo else None)
        statements: list[tuple[str, tuple[Any, ...]]] = [(insert, values)]
        if device.catalogue is NEW and self.random.random() < 0.5:
            remark = "INSERT INTO remark (id, report_id, text) VALUES (?, ?, 'well')"
            statements.append((remark, (self._id().bytes, id.bytes)))
        if self._do(device, *statements) and sha:
            self.photos.add(sha)

    def _poison(self, device: StormDevice) -> None:
        """What the server must refuse: a price, or a report changed, with something good in the same transaction."""
        shop, report = self._held(device), self._held(device, "report")
        good: list[tuple[str, tuple[Any, ...]]] = []
        if shop is not None:
            good = [("UPDATE shop SET phone = ? WHERE id = ?", (self._word(), shop.bytes))]
        if report is not None and self.random.random() < 0.5:
            self._do(device, *good, ("UPDATE report SET text = 'altered' WHERE id = ?", (report.bytes,)))
        else:
            self._do(device, *good, ("INSERT INTO price (id, amount) VALUES (?, 1)", (self._id().bytes,)))

    def _sync(self, device: StormDevice) -> None:
        power_lost = False
        calls = len(device.wire.calls)
        if self.random.random() < 0.15:
            device.trip.left = self.random.randint(0, 120)
            power_lost = self.random.random() < 0.5
            device.trip.before = device.disk.keep if power_lost else lambda: None
        try:
            device.engine_of_sync(device.wire).run(on_progress=lambda _: self._watched(device))
        except RemoteFailure:
            pass
        except Crash:
            self.note("device stopped")
            device.restart(power_lost=power_lost)
        except DBAPIError as error:
            if not out_of_room(error):
                raise
            self.note("device full")
        finally:
            device.trip.left = None
        assert len(device.wire.calls) - calls < MOST_CALLS, "I10: a sync has no end"

    def _watched(self, device: StormDevice) -> None:
        left, device.trip.left = device.trip.left, None
        oracle.watch(device)
        device.trip.left = left

    # The administrator

    def _rights(self, _: StormDevice) -> None:
        self.server.sectors[self.random.choice(USERS)] = self._some_sectors()

    def _server_moves(self, _: StormDevice) -> None:
        shops = sorted(self.server.rows("shop"))
        if shops and not self.server.full:
            self.server.write(Change("shop", self.random.choice(shops), {"sector": self.random.choice(SECTORS)}))

    def _compact(self, _: StormDevice) -> None:
        newest = self.server.sync.newest(ORG)
        if newest is not None and not self.server.full:
            self.server.sync.compact(ORG, newest - self.random.randint(0, 4))

    def _snapshot(self, _: StormDevice) -> None:
        if not self.server.full:
            self.server.snapshots.refresh(ORG, now=self.server.clock)

    def _backup(self, _: StormDevice) -> None:
        self.backups.append(self.server.backup(self.folder))

    def _restore(self, _: StormDevice) -> None:
        if self.backups:
            self.server.full = False
            self.server.restore(self.random.choice(self.backups))
            self.backups.clear()
            self.restored = True

    # Bad luck

    def _clone(self, device: StormDevice) -> None:
        if len(self.devices) < 5:
            twin = device.twin(self.folder / f"{len(self.devices)}.db")
            twin.wire = Weather(self, twin)
            self.devices.append(twin)
            self.copied = True

    def _copy(self, device: StormDevice) -> None:
        self.copies.append((device, device.twin(self.folder / f"copy-{len(self.copies)}.db")))

    def _go_back(self, _: StormDevice) -> None:
        """A device is put back from an old copy; what it had recorded since and never sent is gone with its disk."""
        if not self.copies:
            return
        device, copy = self.random.choice(self.copies)
        gone = set(device.files) - set(copy.files)
        self.photos -= gone.difference(*(other.files for other in self.devices if other is not device))
        device.told |= {op.hex() for (op,) in device.query("SELECT op FROM dead_letter")}
        copy.engine.dispose()
        device.engine.dispose()
        for suffix in ("-wal", "-shm"):
            Path(f"{device.path}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(copy.path, device.path)
        device.catalogue, device.rotten = copy.catalogue, copy.rotten
        device.files.clear()
        device.files.update(copy.files)
        device.highest.clear()
        device.reopen()
        self.copied = True

    def _upgrade(self, device: StormDevice) -> None:
        device.upgrade()

    def _clock_jumps(self, device: StormDevice) -> None:
        days = self.random.choice((-12_000, -400, -1, 1, 400, 12_000))
        if self.random.random() < 0.3:
            self.server.clock += timedelta(days=days // 40)
        else:
            device.now += timedelta(days=days)
        if not 1990 < device.now.year < 2090:
            device.now = self.server.clock

    def _late_arrival(self, _: StormDevice) -> None:
        """A message that was held up arrives after others; nobody waits for its answer any more."""
        if self.late:
            wire, sent = self.late.pop(self.random.randrange(len(self.late)))
            try:
                wire._on_server(lambda: wire.answer(sent))
            except RemoteFailure:
                return

    def _crash(self, device: StormDevice) -> None:
        """The program stops while a person's change is being written."""
        power_lost = self.random.random() < 0.5
        device.trip.left = self.random.randint(0, 6)
        device.trip.before = device.disk.keep if power_lost else lambda: None
        before = device.trip.left
        self._edit_or_crash(device)
        stopped = device.trip.left is None and before is not None
        device.trip.left = None
        if stopped:
            device.restart(power_lost=power_lost)

    def _edit_or_crash(self, device: StormDevice) -> None:
        try:
            self._edit(device)
        except Crash:
            return

    def _full(self, device: StormDevice) -> None:
        if self.random.random() < 0.5:
            self.server.full = not self.server.full
            self.server.reopen()
            return
        with device.full_disk():
            self._report(device)
            self._sync(device)

    def _rot(self, device: StormDevice) -> None:
        """What the device knows of a record's place is lost or altered on its disk."""
        query = (
            "SELECT bucket, collection, id FROM member m WHERE NOT EXISTS "
            "(SELECT 1 FROM outbox o WHERE o.id = m.id) ORDER BY bucket, id"
        )
        rows = device.query(query)
        if not rows:
            return
        bucket, collection, id = self.random.choice(rows)
        where = "WHERE bucket = ? AND collection = ? AND id = ?"
        damage = "UPDATE member SET rev = rev - 1" if self.random.random() < 0.5 else "DELETE FROM member"
        with device.engine.begin() as connection:
            connection.exec_driver_sql(f"{damage} {where}", (bucket, collection, id))
        device.rotten = True

    def check_told(self, user: UUID, response: SyncResponse) -> None:
        oracle.check_told(self, user, response)

    def close(self) -> None:
        for device in [*self.devices, *(copy for _, copy in self.copies)]:
            device.engine.dispose()
        self.server.engine.dispose()
