"""The invariants, computed again from what people did and what the administrator allowed, and not by the rules."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sync.digest import MODULUS, row_sum
from sync.merge import Entry
from tests.sync.model.catalogue import NEW, Key, Reply
from tests.sync.model.client import Client

if TYPE_CHECKING:
    from tests.sync.model.world import World

REFUSED = ("rejected", "dependent")


def visible(world: World, user: int) -> dict[Key, int]:
    """What a device of ``user`` must hold, from the records themselves: a chain of parents up to a shop in sight."""
    rows = {key: row for key, row in world.server.db.rows.items() if not row.deleted}

    def sector(key: Key) -> str | None:
        row = rows.get(key)
        if row is None:
            return None
        parent = NEW.by_name[key[0]].scope_parent
        if parent is None:
            return str(row.values["sector"])
        return sector((parent.collection, UUID(hex=row.values[parent.field])))

    return {key: row.rev for key, row in rows.items() if sector(key) in world.server.sectors[user]}


def check(world: World) -> None:
    answers = world.server.db.answers
    for client in world.clients:
        assert not client.disk.outbox, "I0: the outbox is not empty"
        _check_rows(world, client)
    _check_digests(world)
    _check_operations(world, answers)
    _check_counts(world)
    _check_clashes(world)
    _check_photos(world)


def _check_rows(world: World, client: Client) -> None:
    known = client.catalogue.by_name  # a program that knows less holds less
    want = {key: rev for key, rev in visible(world, client.user).items() if key[0] in known}
    held = {key: row.rev for key, row in client.disk.base.items()}
    assert held == want, "I1/I6: other rows than the person may see"
    for key in want:
        values = world.server.db.rows[key].values
        assert client.shown(key) == {name: values[name] for name in known[key[0]].by_name}, "I1: other values"
    for key in want:
        parent = NEW.by_name[key[0]].scope_parent
        if parent is not None:
            above = (parent.collection, UUID(hex=world.server.db.rows[key].values[parent.field]))
            assert above in client.disk.base, "I11: a record without the one above it"


def check_told(world: World, user: int, reply: Reply) -> None:
    """I6: no row is told to somebody who may not see it, in a page or with an answer."""
    told = {key for _, key, _ in reply.page.puts} if reply.page else set()
    assert told <= set(visible(world, user)), "I6: told of a row of somebody else's"
    held = world.server.held(user)
    assert reply.page is None or set(reply.page.digests) <= held, "I6: told of the sum of another's bucket"


def check_cursors(world: World, client: Client) -> None:
    """I9: a cursor says that everything up to it is held, at any moment."""
    if client.rotten or client.disk.epoch != world.server.epoch:
        return
    disk, held = client.disk, world.server.held(client.user)
    for (bucket, key), (rev, entry) in world.server.db.words.items():
        if bucket in held and entry is Entry.PUT and rev <= disk.cursors.get(bucket, 0):
            assert key in disk.members.get(bucket, {}), "I9: a cursor passed a row"


def _check_digests(world: World) -> None:
    sums: dict[str, tuple[int, int]] = {}
    for (bucket, (name, id)), (rev, entry) in world.server.db.words.items():
        if entry is Entry.PUT:
            count, total = sums.get(bucket, (0, 0))
            sums[bucket] = (count + 1, (total + row_sum(NEW.by_name[name].number, id, rev)) % MODULUS)
    kept = {bucket: sum for bucket, sum in world.server.db.sums.items() if sum != (0, 0)}
    assert kept == sums, "I8: a digest is not that of its rows"


def _check_operations(world: World, answers: dict[str, Any]) -> None:
    letters = world.told | {op for client in world.clients for op in client.disk.letters}
    for op in {op for client in world.clients for op in client.disk.mine}:
        assert op in answers, "I2: an operation vanished"
        key, _, _, good = world.made[op]
        if answers[op].status in REFUSED:
            assert op in letters, "I2: refused, and nobody was told"
            if good and key[0] == "shop" and not (world.compacted or world.copied or world.restored):
                unseen = answers[op].code == "out_of_scope" and not _moved_by(world, op)
                assert not unseen, "I2: an edit of a held record refused"
        else:
            assert good, "I2: what makes no sense was taken, or half of a transaction"
    clashes = {key for key in world.server.db.rows if key[0] == "clash"}
    for op, answer in answers.items():
        for name in answer.lost if world.made[op][0][0] == "shop" else ():
            mixed = hashlib.blake2b(f"{op}/{name}".encode(), digest_size=16).digest()
            whole = hashlib.blake2b(f"{op}/".encode(), digest_size=16).digest()
            known = {("clash", UUID(bytes=mixed)), ("clash", UUID(bytes=whole))}
            assert known & clashes, "I2: a value gave way and was not kept"


def _moved_by(world: World, op: str) -> bool:
    """The record had never been in sight of its writer but by an own, refused or foreign, move."""
    key, values, client, _ = world.made[op]
    moves = [o for o, (k, v, c, _) in world.made.items() if k == key and "sector" in v and c is client]
    return bool(moves) or "sector" in values


def _check_counts(world: World) -> None:
    """I3: nothing is done twice."""
    log = world.server.db.log
    assert len(set(log)) == len(log), "I3: an operation was done twice"
    for key, row in world.server.db.rows.items():
        if key[0] == "shop":
            ups = sum(1 for op, k, name in log if k == key and name == "stock" and not _creates(world, op))
            assert (row.values["stock"] or 0) == ups, "I3: a count is not the number of its increments"


def _creates(world: World, op: str) -> bool:
    return world.made[op][1].get("stock") == 0


def _check_clashes(world: World) -> None:
    """I7: nobody is told of a clash with oneself. Not asked where copies share one number for a while."""
    if world.copied or world.restored:
        return
    writer = {v: c for _, values, c, _ in world.made.values() for n, v in values.items() if n in ("name", "grade")}
    for key, row in world.server.db.rows.items():
        if key[0] == "clash" and row.values["field"] in ("name", "grade"):
            kept, lost = row.values["kept"], row.values["lost"]
            if kept in writer and lost in writer:
                assert writer[kept] is not writer[lost], "I7: a clash with oneself"


def _check_photos(world: World) -> None:
    """I12: every photo of a taken report that any device still had is on the server, whole, and with who may see it."""
    blobs = world.server.db.blobs
    for sha, content in blobs.items():
        assert hashlib.sha256(content).hexdigest() == sha, "I12: a photo is not what its name says"
    gone: set[str] = set().union(*(client.let_go for client in world.clients)) if world.restored else set()
    for sha in world.photos - gone:  # what every device let go, and a restored server lost, nobody has any more
        assert sha in blobs, "I12: a photo is missing on the server"
    for client in world.clients:
        for sha in client.wanted():
            assert sha not in blobs or sha in client.disk.photos, "I12: a photo is missing on a device"
        assert set(client.disk.photos) <= client.wanted(), "I6: a photo out of scope stayed"
