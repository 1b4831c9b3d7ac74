"""Taking an import out again: its outlets that nobody has used or changed since, some at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from fieldcrm.domain.ids import Id
from fieldcrm.domain.imported import IMPORT, UNIMPORT, untouched
from fieldcrm.domain.proposing import SAID
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.imports import Head, Part, command, head_of, outlets, write_part
from fieldcrm.store.state import read_state, write_state
from sync.chunks import chunks
from sync.client import members

# What is filed under an outlet, and the word for it: whoever filed it does not lose the outlet.
_USES = (
    ("visit", "outlet_id", "visit"),
    ("draft", "outlet_id", "draft"),
    ("task", "outlet_id", "task"),
    ("note", "outlet_id", "note"),
    ("contact", "outlet_id", "contact"),
    ("plan_stop", "outlet_id", "plan"),
    ("sales_order", "outlet_id", "order"),
    ("outlet_alias", "outlet_id", "alias"),
    ("outlet_alias", "alias_id", "alias"),
)
CHANGED = "changed"
_DROPPED = "import.refused"  # in app_state: the last refused piece that was taken out here


@dataclass(frozen=True, slots=True)
class Made:
    """An outlet that an import made; ``values``: as its source gave them."""

    source_rid: int
    outlet_id: bytes
    values: Mapping[str, Any]


def count(r: Reader, batch: Id) -> int:
    query = "SELECT count(*) FROM outlet_source WHERE batch = ?"
    return int(r.conn.exec_driver_sql(query, (batch.hex,)).scalar_one())


def made(r: Reader, batch: Id, after_rid: int, limit: int) -> list[Made]:
    """Outlets of the batch that are still here, in the order in which they came, after a row of ``outlet_source``."""
    query = 'SELECT rid, outlet_id, "values" FROM outlet_source WHERE batch = ? AND rid > ? ORDER BY rid LIMIT ?'
    rows = r.conn.exec_driver_sql(query, (batch.hex, after_rid, limit))
    return [Made(rid, outlet, json.loads(values) if values else {}) for rid, outlet, values in rows]


def made_of(r: Reader, batch: Id, outlet: bytes) -> Made | None:
    """The outlet, if the batch made it."""
    query = 'SELECT rid, outlet_id, "values" FROM outlet_source WHERE outlet_id = ? AND batch = ?'
    row = r.conn.exec_driver_sql(query, (outlet, batch.hex)).first()
    return None if row is None else Made(row[0], row[1], json.loads(row[2]) if row[2] else {})


def kept(r: Reader, head: Head, some: Sequence[Made]) -> dict[bytes, str]:
    """Those of the outlets that somebody has used or changed, and how."""
    ids = [one.outlet_id for one in some]
    found = used(r, ids)
    present = outlets(r, [id for id in ids if id not in found])
    other = [
        one for one in some
        if one.outlet_id in present and not untouched(present[one.outlet_id], one.values, head.given)
    ]
    back = said_before(r, head.source, [one.outlet_id for one in other])
    for one in other:
        values = {**one.values, **back.get(one.outlet_id, {})}
        known = {name: value for name, value in values.items() if value is not None}
        if not untouched(present[one.outlet_id], known, head.given):
            found[one.outlet_id] = CHANGED
    return found


def said_before(r: Reader, source: str, ids: Sequence[bytes]) -> dict[bytes, dict[str, Any]]:
    """What newer extracts of the source said otherwise and nobody accepted: outlet -> field -> as it said before.

    An outlet is as its import made it although its source says something else by now.
    """
    found: dict[bytes, dict[str, Any]] = {}
    for some in chunks(ids):
        query = f"""
            SELECT outlet_id, before ->> '$.{SAID}' FROM proposal WHERE source = ? AND outlet_id IN
            ({', '.join('?' * len(some))}) AND state <> 'accepted' ORDER BY rid DESC"""
        for outlet, text in r.conn.exec_driver_sql(query, (source, *some)):
            said = json.loads(text) if text else None
            if isinstance(said, dict):
                found.setdefault(outlet, {}).update(said)
    return found


def say_as_before(tx: Transaction, head: Head, ids: Sequence[bytes]) -> None:
    """Let the source have said of these what it said first, here and at headquarters, which compares as we do."""
    back = said_before(tx, head.source, ids)
    part = Part(seen=list(back.items()))
    if part.seen:
        write_part(tx, head, part.packed())


def used(r: Reader, ids: Iterable[bytes]) -> dict[bytes, str]:
    found: dict[bytes, str] = {}
    for some in chunks(ids):
        marks = ", ".join("?" * len(some))
        for table, column, word in _USES:
            query = f"SELECT DISTINCT {column} FROM {table} WHERE {column} IN ({marks})"
            for (outlet,) in r.conn.exec_driver_sql(query, tuple(some)):
                found.setdefault(outlet, word)
    return found


def remove(tx: Transaction, batch: Id, ids: Sequence[bytes]) -> None:
    """Delete the outlets and what was made with them, and say so to headquarters by one command."""
    if not ids:
        return
    forget(tx, ids)
    said = msgspec.json.encode({"ids": [id.hex() for id in ids]}).decode()
    command(tx, batch, UNIMPORT, said)


def forget(tx: Transaction, ids: Iterable[bytes]) -> None:
    """Delete the outlets and what was made with them on this device, uncaptured."""
    with tx.uncaptured():
        for some in chunks(ids):
            marks, these = ", ".join("?" * len(some)), tuple(some)
            for table in ("outlet_source", "sector_assignment"):
                tx.conn.exec_driver_sql(f"DELETE FROM {table} WHERE outlet_id IN ({marks})", these)
            tx.conn.exec_driver_sql(f"DELETE FROM outlet WHERE id IN ({marks})", these)


def names(r: Reader, ids: Iterable[bytes]) -> dict[bytes, str]:
    found: dict[bytes, str] = {}
    for some in chunks(ids):
        query = f"SELECT id, name FROM outlet WHERE id IN ({', '.join('?' * len(some))})"
        found.update(tuple(row) for row in r.conn.exec_driver_sql(query, tuple(some)))
    return found


# ---- what headquarters refused ----------------------------------------


def drop_refused(tx: Transaction) -> None:
    """Take out what was made of pieces of an import that headquarters has refused since this was last asked.

    Outlets that it would not let go are fetched again with the next sync.
    """
    last = read_state(tx, _DROPPED, 0)
    query = "SELECT rid, cmd, \"set\" FROM dead_letter WHERE kind = 'cmd' AND cmd IN (?, ?) AND rid > ? ORDER BY rid"
    for rid, name, said in tx.conn.exec_driver_sql(query, (IMPORT, UNIMPORT, last)).all():
        if name == UNIMPORT:
            members.fetch_anew(tx.conn)
        else:
            _drop(tx, [bytes.fromhex(row[0]) for row in msgspec.json.decode(said)["rows"]])
        last = rid
    write_state(tx, _DROPPED, last or None)


def give_again(tx: Transaction, batch: Id, name: str, text: str) -> bool:
    """Make a refused piece of an import once more; ``False`` when its batch is no longer here, or was undone."""
    found = head_of(tx, batch)
    if found is None or found[1] != "live":
        return False
    said = msgspec.json.decode(text)
    if name == UNIMPORT:
        some = (made_of(tx, batch, bytes.fromhex(id)) for id in said["ids"])
        here = [one for one in some if one is not None]
        stay = kept(tx, found[0], here)
        remove(tx, batch, [one.outlet_id for one in here if one.outlet_id not in stay])
        return True
    part = Part()
    for id, reference, *cells in said["rows"]:
        part.ids.append(bytes.fromhex(id))
        part.references.append(reference)
        part.values.append({f: cell for f, cell in zip(said["fields"], cells, strict=True) if cell is not None})
    forget(tx, part.ids)
    part.seen += [(bytes.fromhex(id), values) for id, values in said.get("seen", ())]
    write_part(tx, found[0], part.packed())
    tx.touch("outlet")
    return True


def _drop(tx: Transaction, ids: Sequence[bytes]) -> None:
    """Those that headquarters never had."""
    fresh: list[bytes] = []
    for some in chunks(ids):
        query = f"SELECT id FROM outlet WHERE rev = 0 AND id IN ({', '.join('?' * len(some))})"
        fresh += [id for (id,) in tx.conn.exec_driver_sql(query, tuple(some))]
    taken = used(tx, fresh)
    forget(tx, [id for id in fresh if id not in taken])
    tx.touch("outlet")
