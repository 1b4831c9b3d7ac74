"""One history: people, an administrator, bad weather, and the calm in which everybody must agree.

Everything is drawn from one seed, so a seed is a history that can be had again.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from tests.sync.model.catalogue import Key, Request, Token
from tests.sync.model.client import Client, Disk
from tests.sync.model.oracle import check, check_cursors, check_told
from tests.sync.model.rules import Rules
from tests.sync.model.server import Server, Tables

SECTORS = "ABC"
USERS = range(3)
PIECE = 4
CALM_ROUNDS = 3

Result = TypeVar("Result")


class Cut(Exception):
    """The line, the server or the device stopped here."""


class World:
    """``made``: every operation -> its record, the fields set, the person who made it, and whether it was in order."""

    def __init__(self, seed: int, rules: Rules | None = None, *, rot: bool = True) -> None:
        self.random = random.Random(seed)
        self.rules = rules or Rules()
        self.server = Server(self.rules, {user: self._some_sectors() for user in USERS})
        self.clients = [self._client(user) for user in USERS]
        self.made: dict[str, tuple[Key, dict[str, Any], Client, bool]] = {}
        self.backups: list[Tables] = []
        self.copies: list[tuple[Client, Disk, bool]] = []
        self.told: set[str] = set()  # refused operations of which a person was told on a disk that is gone
        self.late: list[Request] = []  # messages still on their way
        self.photos: set[str] = set()  # every photo taken on a disk that is still there
        self.rot = rot
        self.calm = False
        self.copied = self.compacted = self.restored = False
        self.counts = dict.fromkeys(("operations", "restores", "copies", "repairs", "snapshots"), 0)

    def _some_sectors(self) -> set[str]:
        return set(self.random.sample(SECTORS, self.random.randint(1, 2)))

    def _client(self, user: int) -> Client:
        disk = Disk(epoch=self.server.epoch, device=self.server.new_device(user), schema=self.random.choice((1, 2)))
        return Client(self.rules, user, disk)

    def _uuid(self) -> UUID:
        return UUID(int=self.random.getrandbits(128))

    # The history

    def run(self) -> None:
        for _ in range(self.random.randint(20, 90)):
            self._step()
            for client in self.clients:
                check_cursors(self, client)
        self.calm = True
        for _ in range(CALM_ROUNDS):
            for client in self.clients:
                self.sync(client)
        check(self)

    def _step(self) -> None:
        client = self.random.choice(self.clients)
        steps: list[tuple[float, Callable[[Client], None]]] = [
            (10, self._open_shop), (22, self._edit), (3, self._delete), (9, self._report), (4, self._poison),
            (36, self.sync), (3, self._rights), (2, self._server_moves), (2, self._backup), (1.5, self._restore),
            (1.5, self._clone), (1, self._copy), (1.5, self._go_back), (1.5, self._compact), (2, self._snapshot),
            (1.5 * self.rot, self._rot), (1.5, lambda c: c.upgrade()), (2, self._late_arrival), (1, self._stranger),
        ]  # fmt: skip
        [step] = self.random.choices([s for _, s in steps], [weight for weight, _ in steps])
        step(client)

    # People

    def _do(self, client: Client, *changes: tuple[str, Key, dict[str, Any]], good: bool = True) -> None:
        known = client.catalogue.by_name
        tx = f"t{len(self.made)}"
        numbered = []
        for kind, key, values in changes:
            op = f"o{len(self.made)}"
            self.made[op] = (key, values, client, good)
            numbered.append((op, kind, key, {n: v for n, v in values.items() if n in known[key[0]].by_name}))
        client.record(tx, numbered)
        self.counts["operations"] += len(changes)
        for kind, key, values in changes if good else ():
            shown = client.shown(key)
            if kind == "upd" and shown is not None:
                for name in ("name", "grade"):
                    assert name not in values or shown[name] == values[name], "I4: an own edit is not shown"

    def _open_shop(self, client: Client) -> None:
        sector = self.random.choice(sorted(self.server.sectors[client.user]))
        shop = ("shop", self._uuid())
        changes: list[tuple[str, Key, dict[str, Any]]] = [
            ("new", shop, {"name": self._word(), "sector": sector, "stock": 0, "note": "a\nb\nc"})
        ]
        if self.random.random() < 0.3:
            changes.append(("new", ("report", self._uuid()), {"shop_id": shop[1].hex}))
        self._do(client, *changes)

    def _word(self) -> str:
        return f"v{len(self.made)}"

    def _edit(self, client: Client) -> None:
        keys = client.keys("shop")
        if not keys:
            return
        changes = []
        for key in self.random.sample(keys, min(len(keys), self.random.choice((1, 1, 2)))):
            shown = client.shown(key) or {}
            names = self.random.sample(("name", "grade", "note", "custom", "tags", "seen", "first", "mail"), 2)
            values = {name: self._value(name, shown.get(name)) for name in names}
            values["stock"] = (shown.get("stock") or 0) + 1
            if self.random.random() < 0.08:
                values["sector"] = self.random.choice(SECTORS)
            changes.append(("upd", key, values))
        self._do(client, *changes)

    def _value(self, name: str, now: Any) -> Any:
        roll = self.random.randint(0, 9)
        if name == "note":
            lines = (now or "").splitlines()
            lines.insert(self.random.randint(0, len(lines)), self._word())
            return "\n".join(lines)
        if name == "custom":
            return {**(now or {}), f"k{roll % 3}": roll}
        if name == "tags":
            return sorted({*(now or ()), f"t{roll}"} - {f"t{9 - roll}"})
        return roll if name in ("seen", "first") else self._word()

    def _delete(self, client: Client) -> None:
        keys = client.keys("shop")
        if keys:
            self._do(client, ("del", self.random.choice(keys), {}))

    def _report(self, client: Client) -> None:
        shops = client.keys("shop")
        if not shops:
            return
        values = {"shop_id": self.random.choice(shops)[1].hex}
        if self.random.random() < 0.6:
            values["sha256"] = client.photograph(self.random.randbytes(self.random.randint(1, 11)))
            self.photos.add(values["sha256"])
        report = ("report", self._uuid())
        changes: list[tuple[str, Key, dict[str, Any]]] = [("new", report, values)]
        if client.disk.schema == 2 and self.random.random() < 0.5:
            changes.append(("new", ("remark", self._uuid()), {"report_id": report[1].hex, "text": self._word()}))
        self._do(client, *changes)

    def _poison(self, client: Client) -> None:
        """A transaction that the server must refuse, with one that would have been good beside it."""
        keys = client.keys("shop")
        if keys:
            key = self.random.choice(keys)
            bad = ("upd", key, {"area": -1})
            self._do(client, ("upd", key, {"name": self._word()}), bad, good=False)

    # The administrator, and bad luck

    def _rights(self, _: Client) -> None:
        self.server.sectors[self.random.choice(USERS)] = self._some_sectors()

    def _server_moves(self, _: Client) -> None:
        shops = [k for k, row in self.server.db.rows.items() if k[0] == "shop" and not row.deleted]
        if shops:
            self.server.write(self.random.choice(shops), {"sector": self.random.choice(SECTORS)})

    def _stranger(self, client: Client) -> None:
        """A page is asked for with a token that names every bucket: only the person's own may be told."""
        token = Token(self.server.epoch, self.server.rev, ("org", *(f"sector:{s}" for s in SECTORS)), {}, ())
        check_told(self, client.user, self.server.pull(client.user, token, 1000))

    def _backup(self, _: Client) -> None:
        self.backups.append(self.server.db.copy())

    def _restore(self, _: Client) -> None:
        if self.backups:
            self.server.restore(self.random.choice(self.backups))
            self.backups.clear()
            self.restored = True
            self.counts["restores"] += 1

    def _clone(self, client: Client) -> None:
        if len(self.clients) < 5:
            twin = Client(self.rules, client.user, client.disk.copy())
            twin.rotten = client.rotten
            self.clients.append(twin)
            self.copied = True
            self.counts["copies"] += 1

    def _copy(self, client: Client) -> None:
        self.copies.append((client, client.disk.copy(), client.rotten))

    def _go_back(self, _: Client) -> None:
        """A device is put back from an old copy; what it had done since and never sent is gone with its disk."""
        if self.copies:
            client, disk, rotten = self.random.choice(self.copies)
            gone = set(client.disk.queue) - set(disk.queue)
            self.photos -= gone.difference(*(c.disk.queue for c in self.clients if c is not client))
            self.told |= set(client.disk.letters)
            client.disk, client.rotten = disk.copy(), rotten
            client.highest.clear()
            self.copied = True
            self.counts["copies"] += 1

    def _compact(self, _: Client) -> None:
        self.server.compact(self.server.rev - self.random.randint(0, 3))
        self.compacted = True

    def _snapshot(self, _: Client) -> None:
        self.server.build_snapshot(f"sector:{self.random.choice(SECTORS)}")

    def _rot(self, client: Client) -> None:
        """A row, or what is known of it, is lost or altered on the device's disk."""
        held = [(bucket, key) for bucket, rows in client.disk.members.items() for key in rows]
        held = [(bucket, key) for bucket, key in held if not client.pending(key)]
        if not held:
            return
        bucket, key = self.random.choice(sorted(held, key=lambda h: (h[0], h[1][1].int)))
        if self.random.random() < 0.5:
            del client.disk.members[bucket][key]
            client.disk.base.pop(key, None)
        else:
            client.disk.members[bucket][key] -= 1
        client.highest.pop(key, None)
        client.rotten = True

    def _late_arrival(self, _: Client) -> None:
        """A message that was held up somewhere arrives after others; nobody waits for its answer any more."""
        if self.late:
            self.server.sync(self.late.pop(self.random.randrange(len(self.late))))

    # A sync through the weather

    def _call(self, work: Callable[[], Result]) -> Result:
        if self.calm:
            return work()
        luck = self.random.random()
        if luck < 0.10:
            raise Cut  # request lost, 503, 401, a crash before it was sent
        if luck < 0.16:
            work()  # heard twice
        result = work()
        if self.random.random() < 0.12:
            raise Cut  # answer lost, cut short, or a crash on either side after the commit
        return result

    def sync(self, client: Client) -> None:
        try:
            for _ in range(60):
                if self._round(client):
                    break
            else:
                raise AssertionError("I10: a sync has no end")
            client.drop_photos()
            self._photos(client)
        except Cut:
            return

    def _round(self, client: Client) -> bool:
        self._snapshots(client)  # before the request: its page begins where the snapshot ends
        most = 1000 if self.calm else self.random.randint(1, 4)
        batch = client.take(most)
        want = 1000 if self.calm else self.random.randint(1, 8)
        if not self.rules.hello and not batch:
            client.disk.epoch = self.server.epoch
            hello = client.hello()._replace(next_seq=1, prev_op=None)
        else:
            hello = client.hello()
        request = Request(client.user, hello, batch, want)
        if not self.calm and self.random.random() < 0.05:
            self.late.append(request)
        reply = self._call(lambda: self.server.sync(request))
        if reply.control:
            self._heal(client, reply.control, reply.epoch, reply.expected)
            return False
        check_told(self, client.user, reply)
        self._type_on(client)
        client.settle(reply.answers)
        page = reply.page
        while page is not None:
            client.apply(page)
            self._type_on(client)
            if page.token is None:
                return self._verified(client, page.digests) and not client.disk.outbox
            following = self._call(partial(self.server.pull, client.user, page.token, want))
            if following.control:
                self._heal(client, following.control, following.epoch, 0)
                return False
            page = following.page
        return False

    def _type_on(self, client: Client) -> None:
        if not self.calm and self.random.random() < 0.08:
            self._edit(client)

    def _heal(self, client: Client, control: str, epoch: int, expected: int) -> None:
        if control in ("epoch", "compacted"):
            client.resync(epoch)
        elif control != "gap" or not client.rewind(expected):
            client.fork(self._call(lambda: self.server.new_device(client.user)))

    def _snapshots(self, client: Client) -> None:
        """Before the first page of a bucket of which nothing is held: a prebuilt file, if there is one."""
        for bucket in sorted(self.server.held(client.user)):
            if not client.disk.cursors.get(bucket) and not client.disk.members.get(bucket):
                found = self._call(partial(self.server.snapshot, client.user, bucket))
                if found is not None and client.disk.epoch == self.server.epoch:
                    client.take_snapshot(bucket, *found)
                    self.counts["snapshots"] += 1

    def _verified(self, client: Client, digests: Any) -> bool:
        wrong = client.wrong_buckets(digests) if self.rules.verify else []
        if digests and not wrong:
            client.rotten = False
        for bucket in wrong:
            disk, sums = client.disk, client.sums(bucket)
            asked = (client.user, disk.epoch, bucket, disk.cursors[bucket], sums)
            parts = self._call(partial(self.server.differing, *asked))
            if parts is None:
                return False
            lacking = client.lacking(bucket, parts)
            client.repair(self._call(partial(self.server.rows, client.user, bucket, lacking)))
            self.counts["repairs"] += 1
        return not wrong

    def _photos(self, client: Client) -> None:
        for sha in [sha for sha, verified in client.disk.queue.items() if not verified]:
            content = client.disk.photos[sha]
            have, offset = self._call(partial(self.server.blob_state, sha))
            while not have:
                piece = content[offset : offset + PIECE]
                if not self.calm and self.random.random() < 0.2:
                    piece = piece[: self.random.randint(0, len(piece))]  # cut at any byte
                elif not self.calm and self.random.random() < 0.1:
                    piece = bytes(b ^ 1 for b in piece)  # damaged on the way
                have, offset = self._call(partial(self.server.send_blob, sha, len(content), offset, piece))
            client.disk.queue[sha] = True
        for sha in sorted(client.wanted() - set(client.disk.photos)):
            found = self._call(partial(self.server.db.blobs.get, sha))
            if found is not None:
                client.disk.photos[sha] = found
        client.drop_photos()
