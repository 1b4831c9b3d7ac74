"""What an import writes on the device: rows as they came, uncaptured, and beside them the command that says so.

A part of an import is one JSON text: it is the command's argument, and SQLite itself makes the rows of it, in one
statement for each table. So no other thread of Python keeps the writer waiting between two rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import func, insert, select, update

from fieldcrm.domain.catalogue import CATALOGUE, OUTLET
from fieldcrm.domain.ids import Id
from fieldcrm.domain.imported import (
    FIELDS,
    GIVEN,
    IMPORT,
    UNIMPORT,
    derived,
    fault_of,
    origin_of_batch,
    outlet_values,
)
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.replica import indexed_in_bulk
from fieldcrm.store.state import IMPORT_RUNNING, read_state, write_state
from fieldcrm.store.tables import T
from sync.catalogue import Kind
from sync.chunks import chunks
from sync.columns import canonical, from_milliseconds, to_milliseconds
from sync.merge import Pending

_BATCH_NUMBER = CATALOGUE.by_name["import_batch"].number
_OUTLET_NAMES = tuple(field.name for field in OUTLET.fields)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Head:
    """What all outlets of a batch have in common."""

    id: Id
    source: str
    licence: str
    begun_at: datetime
    given: Mapping[str, Any]  # see ``domain.imported.given_by``

    @property
    def complete(self) -> bool:
        """Whether ``given`` says what an outlet has to have: another program may have written the batch."""
        return all(self.given.get(name) for name in GIVEN if name != "country") and fault_of(self.given) is None


@dataclass(slots=True)
class Part:
    """Some rows of an import, not yet written. Values are wire values, without those that are not given."""

    ids: list[bytes] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    values: list[Row] = field(default_factory=list)
    seen: list[tuple[bytes, Row]] = field(default_factory=list)  # outlet -> what its source says now

    def packed(self) -> Packed:
        """As it is written and sent. Made in the thread that reads the file, not in the writer's."""
        names = {name for values in self.values for name in values}
        fields = tuple(name for name in FIELDS if name in names)
        hexes = [id.hex() for id in self.ids]
        rows = [
            [hex, reference, *map(values.get, fields)]
            for hex, reference, values in zip(hexes, self.references, self.values, strict=True)
        ]
        said = {"fields": fields, "rows": rows}
        if self.seen:
            said["seen"] = [[id.hex(), values] for id, values in self.seen]
        sources = [
            [derived(id, "outlet_source").hex(), hex, reference, canonical(values)]
            for id, hex, reference, values in zip(self.ids, hexes, self.references, self.values, strict=True)
        ]
        return Packed(fields, len(rows), _text(said), _text(sources), list(self.seen))


@dataclass(frozen=True, slots=True)
class Packed:
    fields: tuple[str, ...]
    count: int
    said: str  # the command's argument
    sources: str
    seen: list[tuple[bytes, Row]]

    @property
    def size(self) -> int:
        return len(self.said)


@dataclass(frozen=True, slots=True)
class Known:
    """An outlet that a source gave before; ``values``: as it gave them last."""

    source_rid: int
    outlet_id: bytes
    batch: str
    values: Row


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


# ---- writing ----------------------------------------


def begin(tx: Transaction, head: Head, file: str, person: Id) -> None:
    """Write the record of the batch, and that it is under way."""
    row = {"id": head.id, "source": head.source, "licence": head.licence or None, "file": file, "person_id": person,
           "begun_at": head.begun_at, "state": "live", "given": dict(head.given)}  # fmt: skip
    tx.conn.execute(insert(T.import_batch).values(row))
    write_state(tx, IMPORT_RUNNING, head.id.hex)


def note(tx: Transaction, batch: Id, values: Mapping[str, Any], *, ended: bool) -> None:
    """Write fields of the record of the batch; ``ended``: it is no longer under way."""
    tx.conn.execute(update(T.import_batch).where(T.import_batch.c.id == batch).values(**values))
    if ended:
        write_state(tx, IMPORT_RUNNING, None)


def running(r: Reader) -> Id | None:
    """The batch that is under way, or was when the program ended."""
    text = read_state(r, IMPORT_RUNNING, None)
    return Id(hex=text) if text else None


def write_part(tx: Transaction, head: Head, packed: Packed) -> None:
    """Write the rows of a part, index them, and put its command into the outbox."""
    connection = tx.conn
    with tx.uncaptured(), indexed_in_bulk(tx):
        if packed.count:
            connection.exec_driver_sql(_outlets(packed.fields), _common(head) | {"said": packed.said})
            about = {"source": head.source, "licence": head.licence or None, "batch": head.id.hex,
                     "at": to_milliseconds(head.begun_at), "sources": packed.sources}  # fmt: skip
            connection.exec_driver_sql(_SOURCES, about)
        for outlet, values in packed.seen:
            _see(tx, head.source, outlet, values)
    command(tx, head.id, IMPORT, packed.said)


def command(tx: Transaction, batch: Id, name: str, said: str) -> None:
    """Put a command on a batch into the outbox, numbered as every operation is."""
    values = {"tx": tx.id.bytes, "collection": _BATCH_NUMBER, "id": batch.bytes, "said": said,
              "at": to_milliseconds(tx.now), "name": name}  # fmt: skip
    tx.conn.exec_driver_sql(_COMMAND, values)
    tx.conn.exec_driver_sql("UPDATE sync_state SET next_n = next_n + 1")


_COMMAND = """
INSERT INTO outbox (n, op, tx, kind, collection, id, base, "set", was, at, cmd)
SELECT next_n, randomblob(16), :tx, 'cmd', :collection, :id, 0, :said, '{}', :at, :name FROM sync_state"""

_SOURCES = """
INSERT INTO outlet_source (id, outlet_id, source, reference, licence, imported_at, "values", batch)
SELECT unhex(value ->> 0), unhex(value ->> 1), :source, value ->> 2, :licence, :at, value ->> 3, :batch
FROM json_each(:sources)"""


@lru_cache(256)
def _outlets(fields: tuple[str, ...]) -> str:
    """The statement that makes outlets of a command's argument; rows begin with the outlet's id and reference."""
    columns = ["id", "provenance", "custom"]
    values = ["unhex(value ->> 0)", ":provenance", "'{}'"]
    for at, name in enumerate(fields, start=2):
        cell = f"unhex(value ->> {at})" if OUTLET.by_name[name].kind is Kind.ID else f"value ->> {at}"
        if name == "custom":
            values[2] = f"coalesce({cell}, '{{}}')"
            continue
        columns.append(name)
        values.append(f"coalesce({cell}, :{name})" if name in GIVEN else cell)
    for name in GIVEN:
        if name not in fields:
            columns.append(name)
            values.append(f":{name}")
    quoted = ", ".join(f'"{name}"' for name in columns)
    return f"INSERT INTO outlet ({quoted}) SELECT {', '.join(values)} FROM json_each(:said, '$.rows')"


def _common(head: Head) -> dict[str, Any]:
    origin = canonical(origin_of_batch(head.source, head.licence, head.begun_at))
    return {**{name: head.given.get(name) for name in GIVEN}, "provenance": origin,
            "sector_id": Id(hex=head.given["sector_id"]).bytes}  # fmt: skip


def _see(tx: Transaction, source: str, outlet: bytes, said: Row) -> None:
    """Keep what a source says now of an outlet; a null means that it is as if it had never said so."""
    where = "WHERE outlet_id = ? AND source = ?"
    rows = tx.conn.exec_driver_sql(f'SELECT rid, "values" FROM outlet_source {where}', (outlet, source)).all()
    for rid, text in rows:
        values = {**(json.loads(text) if text else {}), **said}
        kept = canonical({name: value for name, value in values.items() if value is not None})
        tx.conn.exec_driver_sql('UPDATE outlet_source SET "values" = ? WHERE rid = ?', (kept, rid))


def changes_of(name: str, batch_id: Id, batch: Row, said: Row) -> Iterator[tuple[str, Id, Pending]]:
    """The changes that a command of an import stands for: collection, record, change. ``batch``: its wire values.

    For whoever makes a device anew from its journal, of which nothing is believed: a row that is none is passed over.
    """
    if name == UNIMPORT:
        for text in said.get("ids", ()):
            if (id := _id_or_none(text)) is not None:
                yield "outlet", id, Pending("del")
                yield "outlet_source", Id(bytes=derived(id.bytes, "outlet_source")), Pending("del")
        return
    fields, given = said.get("fields", ()), batch.get("given") or {}
    origin = origin_of_batch(
        batch.get("source") or "", batch.get("licence") or "", from_milliseconds(batch.get("begun_at") or 0)
    )
    for cells in said.get("rows", ()):
        id = _id_or_none(cells[0]) if isinstance(cells, list) and len(cells) == len(fields) + 2 else None
        if id is None:
            continue
        values = {name: cell for name, cell in zip(fields, cells[2:], strict=True) if cell is not None}
        yield "outlet", id, Pending("new", outlet_values(values, given, origin))
        source = {"outlet_id": id.hex, "source": batch.get("source"), "reference": cells[1],
                  "licence": batch.get("licence"), "imported_at": batch.get("begun_at"), "values": values,
                  "batch": batch_id.hex}  # fmt: skip
        yield "outlet_source", Id(bytes=derived(id.bytes, "outlet_source")), Pending("new", source)


def _id_or_none(text: Any) -> Id | None:
    try:
        return Id(hex=text) if isinstance(text, str) and len(text) == 32 else None
    except ValueError:
        return None


# ---- looking up ----------------------------------------


def has_source(r: Reader, source: str) -> bool:
    query = "SELECT 1 FROM outlet_source WHERE source = ? LIMIT 1"
    return r.conn.exec_driver_sql(query, (source,)).one_or_none() is not None


def known(r: Reader, source: str, references: Iterable[str]) -> dict[str, Known]:
    """Outlets that the source gave before, by its references."""
    found: dict[str, Known] = {}
    for some in chunks(references):
        marks = ", ".join("?" * len(some))
        query = (
            f'SELECT reference, rid, outlet_id, batch, "values" FROM outlet_source '
            f"WHERE source = ? AND reference IN ({marks})"
        )
        for reference, rid, outlet, batch, values in r.conn.exec_driver_sql(query, (source, *some)):
            found[reference] = Known(rid, outlet, batch or "", json.loads(values) if values else {})
    return found


def about(r: Reader, source: str, lat_e7: int, lon_e7: int, height: int, width: int) -> list[tuple[Known, Row]]:
    """Outlets of the source in a box about a point (half its sides, in degrees x 10^7), each with name and place."""
    query = """
        SELECT s.rid, s.outlet_id, s.batch, s."values", o.name, o.lat_e7, o.lon_e7
        FROM outlet_place p JOIN outlet o ON o.rid = p.rid JOIN outlet_source s ON s.outlet_id = o.id
        WHERE p.min_lat BETWEEN ? AND ? AND p.min_lon BETWEEN ? AND ? AND s.source = ?"""
    box = (lat_e7 - height, lat_e7 + height, lon_e7 - width, lon_e7 + width, source)
    return [
        (Known(rid, outlet, batch or "", json.loads(values) if values else {}),
         {"name": name, "lat_e7": lat, "lon_e7": lon})
        for rid, outlet, batch, values, name, lat, lon in r.conn.exec_driver_sql(query, box)
    ]  # fmt: skip


def outlets(r: Reader, ids: Iterable[bytes]) -> dict[bytes, dict[str, Any]]:
    """Outlets in wire values, as they stand."""
    found: dict[bytes, dict[str, Any]] = {}
    names = ", ".join(f'"{name}"' for name in _OUTLET_NAMES)
    for some in chunks(ids):
        query = f"SELECT id, {names} FROM outlet WHERE id IN ({', '.join('?' * len(some))})"
        for row in r.conn.exec_driver_sql(query, tuple(some)):
            values = dict(zip(_OUTLET_NAMES, row[1:], strict=True))
            for name in ("custom", "provenance", "placing"):
                values[name] = json.loads(values[name]) if values[name] else None
            values["sector_id"] = values["sector_id"].hex()
            found[row[0]] = values
    return found


def aliases(r: Reader) -> dict[bytes, bytes]:
    """Outlets that were merged away, each with the one that stayed."""
    query = "SELECT alias_id, outlet_id FROM outlet_home"
    return {alias: stays for alias, stays in r.conn.exec_driver_sql(query)}  # noqa: C416


def missing(r: Reader, head: Head, sector: Id, after_rid: int, limit: int) -> Sequence[tuple[int, bytes]]:
    """Outlets that the source gave the sector before this batch, and that are not closed, by ``outlet_source.rid``."""
    query = """
        SELECT s.rid, s.outlet_id FROM outlet_source s JOIN outlet o ON o.id = s.outlet_id
        WHERE s.rid > ? AND s.source = ? AND coalesce(s.batch, '') <> ? AND o.sector_id = ? AND o.state <> 'closed'
        ORDER BY s.rid LIMIT ?"""
    rows = r.conn.exec_driver_sql(query, (after_rid, head.source, head.id.hex, sector.bytes, limit))
    return [(rid, outlet) for rid, outlet in rows]


def head_of(r: Reader, batch: Id) -> tuple[Head, str] | None:
    """The batch and its state."""
    b = T.import_batch
    columns = (b.c.source, b.c.licence, b.c.begun_at, b.c.given, b.c.state)
    row = r.conn.execute(select(*columns).where(b.c.id == batch)).one_or_none()
    if row is None:
        return None
    given = row.given if isinstance(row.given, dict) else {}
    return Head(batch, row.source, row.licence or "", row.begun_at, given), row.state


def batches(r: Reader) -> list[tuple[Any, ...]]:
    """Every batch, the newest first, in the order of the fields of ``usecases.importing.Batch``."""
    b, p, o, q = T.import_batch, T.person, T.outbox, T.proposal
    unsent = select(func.count()).where(o.c.collection == _BATCH_NUMBER, o.c.id == b.c.id, o.c.kind == "cmd")
    waiting = select(func.count()).where(q.c.batch_id == b.c.id, q.c.state == "open")
    query = select(
        b.c.id, b.c.source, func.coalesce(b.c.licence, ""), func.coalesce(b.c.file, ""), b.c.person_id,
        func.coalesce(p.c.name, ""), b.c.begun_at, b.c.state, func.coalesce(b.c.added, 0),
        func.coalesce(b.c.changed, 0), func.coalesce(b.c.refused, 0), b.c.undone_at, func.coalesce(b.c.kept, 0),
        unsent.scalar_subquery(), waiting.scalar_subquery(),
    ).outerjoin(p, p.c.id == b.c.person_id)  # fmt: skip
    return [tuple(row) for row in r.conn.execute(query.order_by(b.c.begun_at.desc(), b.c.rid.desc()))]
