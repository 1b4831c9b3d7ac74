"""The invariants over real stores, computed again from the records and from what people did."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from sync.client import members
from sync.columns import to_wire
from sync.digest import MODULUS, row_sum, to_hex
from sync.merge import Entry
from sync.protocol import SyncResponse
from sync.server.database import reading
from tests.sync.small import ORG
from tests.sync.storm.stores import NEW, StormDevice

if TYPE_CHECKING:
    from tests.sync.storm.history import Storm

TEXTS = ("name", "phone", "grade", "mail")
REFUSED = ("rejected", "dependent")


def watch(device: StormDevice) -> None:
    """While a sync runs. I4: what was never sent stays on the screen. I5: revisions never go back in an epoch."""
    shown: dict[tuple[bytes, str], str] = {}
    query = "SELECT id, \"set\" FROM outbox WHERE kind = 'upd' AND state = 'new' AND collection = 1 ORDER BY n"
    for id, change in device.query(query):
        fields = {name: value for name, value in json.loads(change).items() if name in TEXTS}
        shown.update(((id, name), value) for name, value in fields.items())
    for (id, name), value in shown.items():
        shop = device.shop(UUID(bytes=id))
        assert shop is None or shop[name] == value, f"I4: {name}"
    epoch = device.query("SELECT epoch FROM sync_state")[0][0]
    here = {("shop", id): rev for id, rev in device.query("SELECT id, rev FROM shop")}
    here |= {("shadow", id): rev for id, rev in device.query("SELECT id, rev FROM shadow")}
    for key, rev in here.items():
        same_epoch = rev >> 40 == epoch == device.highest.get(key, 0) >> 40
        assert not same_epoch or rev >= device.highest.get(key, 0), "I5: a revision went back"
    device.highest = here


def check_told(storm: Storm, user: UUID, response: SyncResponse) -> None:
    """I6: no row, and no sum, is told to somebody who may not see it."""
    allowed = {"org", *(f"sector:{s}" for s in storm.server.sectors[user])}
    seen = set(storm.server.visible_rows(user))
    told: set[tuple[int, str]] = set()
    if response.pull is not None:
        assert {page.bucket for page in response.pull.pages} | set(response.pull.buckets) <= allowed, "I6: a bucket"
        for page in response.pull.pages:
            told |= {(int(number), row[0]) for number, rows in page.put.items() for row in rows}
    told |= {(0, result.row[0]) for result in response.results if result.row is not None}
    names = {(NEW.by_name[name].number, id.hex) for name, id in seen} | {(0, id.hex) for _, id in seen}
    assert told <= names, "I6: told of a row of somebody else's"
    assert set(response.digest) <= allowed, "I6: told of the sum of another's bucket"


def check_cursors(storm: Storm) -> None:
    """I9: a cursor says that everything up to it is held, at any moment, whatever was cut."""
    table = storm.server.tables.bucket_row
    with reading(storm.server.engine) as connection:
        epoch = storm.server.sync.epoch(ORG)
        put = connection.execute(select(table).where(table.c.entry == int(Entry.PUT))).mappings().all()
    by_bucket: dict[str, list[tuple[int, int, bytes]]] = defaultdict(list)
    for row in put:
        by_bucket[row["bucket"]].append((row["rev"], row["collection"], row["id"].bytes))
    for device in storm.devices:
        if device.rotten or device.query("SELECT epoch FROM sync_state")[0][0] != epoch:
            continue
        held = {(c, bytes(id)) for c, id in device.query("SELECT collection, id FROM member")}
        for name, cursor in device.query("SELECT name, cursor FROM bucket"):
            if name == "org" or name.removeprefix("sector:") in storm.server.sectors[device.user]:
                for rev, collection, id in by_bucket[name]:
                    assert rev > cursor or (collection, id) in held, "I9: a cursor passed a row"


def check(storm: Storm) -> None:
    for device in storm.devices:
        _check_device(storm, device)
    _check_digests(storm)
    _check_operations(storm)
    _check_clashes(storm)
    _check_photos(storm)


def _check_device(storm: Storm, device: StormDevice) -> None:
    assert device.outbox() == 0, "I0: the outbox is not empty"
    known = device.catalogue.by_name
    want = {key: rev for key, rev in storm.server.visible_rows(device.user).items() if key[0] in known}
    here: dict[tuple[str, UUID], int] = {}
    for name in known:
        here.update({(name, UUID(bytes=i)): rev for i, rev in device.query(f'SELECT id, rev FROM "{name}"')})
    assert here == want, "I1/I6: other rows than the person may see"
    _check_values(storm, device, want)
    assert device.query("SELECT count(*) FROM shadow") == [(0,)], "I1: a shadow stayed"
    with device.engine.begin() as connection:
        for name, rows, total in connection.exec_driver_sql('SELECT name, "rows", "sum" FROM bucket').all():
            real = members.recomputed(connection, name)
            assert (rows, total) == (real.rows, real.sum), "I8: a device's digest is not that of its rows"
    orphans = device.query("SELECT count(*) FROM report WHERE shop_id NOT IN (SELECT id FROM shop)")
    assert orphans == [(0,)], "I11: a report without its shop"


def _check_values(storm: Storm, device: StormDevice, want: dict[tuple[str, UUID], int]) -> None:
    for collection in device.catalogue.collections:
        there = storm.server.rows(collection.name)
        names = ", ".join(f'"{name}"' for name in collection.field_names)
        for id, *values in device.query(f'SELECT id, {names} FROM "{collection.name}"'):
            if (collection.name, UUID(bytes=id)) not in want:
                continue
            server = there[UUID(bytes=id)]
            for field, value in zip(collection.fields, values, strict=True):
                expected = to_wire(field.kind, server[field.name])
                got: Any = value.hex() if isinstance(value, bytes) else value
                if isinstance(expected, list | dict) or (field.kind in ("document", "map", "set") and got is not None):
                    got = json.loads(got)
                assert got == expected, f"I1: another {field.name} than the server's"


def _check_digests(storm: Storm) -> None:
    tables = storm.server.tables
    sums: dict[str, tuple[int, int]] = {}
    with reading(storm.server.engine) as connection:
        words = connection.execute(select(tables.bucket_row)).mappings().all()
        digests = connection.execute(select(tables.digest)).mappings().all()
    kept = {row["bucket"]: (row["rows"], row["sum"]) for row in digests}
    for row in words:
        if row["entry"] == int(Entry.PUT):
            count, total = sums.get(row["bucket"], (0, 0))
            sums[row["bucket"]] = (count + 1, (total + row_sum(row["collection"], row["id"], row["rev"])) % MODULUS)
    real = {bucket: (count, to_hex(total)) for bucket, (count, total) in sums.items()}
    assert {b: d for b, d in kept.items() if d != (0, to_hex(0))} == real, "I8: a digest is not that of its rows"


def _check_operations(storm: Storm) -> None:
    """I2: every operation has an answer, refused ones a letter. I3: every accepted one counted once."""
    results = answers(storm)
    letters = set().union(*(d.told for d in storm.devices))
    letters |= {op.hex() for d in storm.devices for (op,) in d.query("SELECT op FROM dead_letter")}
    expected: dict[UUID, int] = defaultdict(int)
    counted: set[str] = set()
    for device in storm.devices:
        query = 'SELECT op, collection, id, kind, "set", was FROM acked_ops'
        for op, collection, id, kind, change, was in device.query(query):
            name = op.hex()
            assert name in results, "I2: an operation vanished"
            if results[name] in REFUSED:
                assert name in letters, "I2: refused, and nobody was told"
                continue
            assert collection != NEW.by_name["price"].number, "I2: what may not be written was taken"
            step = json.loads(change).get("stock"), json.loads(was).get("stock")
            if name not in counted and kind == "upd" and collection == 1 and step[0] is not None:
                counted.add(name)
                expected[UUID(bytes=id)] += step[0] - (step[1] or 0)
    if storm.copied:
        return  # a device that went back has forgotten operations that counted
    for id, row in storm.server.rows("shop").items():
        assert row["stock"] == expected[id], "I3: a count is not the number of its increments"


def answers(storm: Storm) -> dict[str, str]:
    table = storm.server.tables.op_result
    with reading(storm.server.engine) as connection:
        return dict(connection.execute(select(table.c.op_id, table.c.status)).all())


def _check_clashes(storm: Storm) -> None:
    """I7: nobody is told of a clash with oneself. Not asked where copies share one number for a while."""
    if storm.copied or storm.restored:
        return
    for row in storm.server.rows("clash").values():
        if row["field"] in TEXTS and row["kept"] in storm.writer and row["lost"] in storm.writer:
            assert storm.writer[row["kept"]] is not storm.writer[row["lost"]], "I7: a clash with oneself"


def _check_photos(storm: Storm) -> None:
    """I12: every photo of a report that a device took is on the server, whole, and with whoever sees its report."""
    reports = storm.server.rows("report").values()
    wanted = storm.photos & {row["sha256"] for row in reports if row["sha256"]}
    there = storm.server.photos.present(ORG, wanted)
    for sha in wanted:
        assert sha in there, "I12: a photo is missing on the server"
        content = storm.server.photos.read(ORG, sha).data
        assert hashlib.sha256(content).hexdigest() == sha, "I12: a photo is not what its name says"
    for device in storm.devices:
        for (sha,) in device.query("SELECT sha256 FROM report WHERE sha256 IS NOT NULL"):
            assert sha not in there or device.files.has(sha), "I12: a photo is missing on a device"
