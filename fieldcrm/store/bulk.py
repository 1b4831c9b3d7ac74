"""One change of many outlets at once: set in SQL by slices of row numbers, captured row by row by the triggers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.store import history as _history
from fieldcrm.store.database import Reader, Transaction
from sync.columns import canonical

_THOSE = "rid IN (SELECT value FROM json_each(:rids))"
FIELDS = frozenset({
    "segment", "visit_interval_days", "visit_minutes", "distributor", "group_name", "banner", "store_type", "state",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting:
    """A field of the outlet, or with ``custom`` the key of one that the organisation added; None empties it."""

    field: str
    value: Any
    custom: bool = False

    def __post_init__(self) -> None:
        # The name is written into the statement: it is one of ours, or a key as ``customfield.key_of`` makes them.
        if not (self.field.replace("_", "").isalnum() and self.field.isascii()) or (
            not self.custom and self.field not in FIELDS
        ):
            raise ValueError(f"{self.field} is not set in bulk")

    @property
    def path(self) -> str:
        return f'$."{self.field}"'


def _differs(setting: Setting) -> tuple[str, dict[str, Any]]:
    """The condition that a row would change, and its parameters."""
    if setting.custom:
        value = json.dumps(setting.value, ensure_ascii=False)
        return "json_extract(custom, :path) IS NOT json_extract(:value, '$')", {"path": setting.path, "value": value}
    return f'"{setting.field}" IS NOT :value', {"value": setting.value}


def changing(r: Reader, rids: Sequence[int], setting: Setting) -> int:
    """How many of the outlets have another value."""
    condition, params = _differs(setting)
    sql = f"SELECT count(*) FROM outlet WHERE {_THOSE} AND {condition}"
    return int(r.conn.exec_driver_sql(sql, {**params, "rids": json.dumps(list(rids))}).scalar_one())


def values(r: Reader, rids: Sequence[int], setting: Setting) -> tuple[tuple[Any, int], ...]:
    """The values that the outlets have now, with how many have each, the most frequent first."""
    column = f"json_extract(custom, '{setting.path}')" if setting.custom else f'"{setting.field}"'
    sql = f"SELECT {column}, count(*) AS n FROM outlet WHERE {_THOSE} GROUP BY 1 ORDER BY n DESC, 1"
    return tuple((value, n) for value, n in r.conn.exec_driver_sql(sql, {"rids": json.dumps(list(rids))}))


def set_value(tx: Transaction, rids: Sequence[int], setting: Setting, origin: Mapping[str, Any]) -> int:
    """Write the value where it differs, with its origin; how many outlets changed."""
    condition, params = _differs(setting)
    found = tx.conn.exec_driver_sql(
        f"SELECT rid, provenance, custom FROM outlet WHERE {_THOSE} AND {condition}",
        {**params, "rids": json.dumps(list(rids))},
    ).all()
    if not found:
        return 0
    column = "custom" if setting.custom else setting.field
    rows = []
    for rid, provenance, custom in found:
        value = _with_key(custom, setting.field, setting.value) if setting.custom else setting.value
        rows.append({"rid": rid, "value": value, "origins": _with_key(provenance, column, dict(origin))})
    sql = f'UPDATE outlet SET "{column}" = :value, provenance = :origins WHERE rid = :rid'
    tx.conn.exec_driver_sql(sql, rows)
    return len(rows)


def _with_key(kept: str | None, key: str, value: Any) -> str:
    """A map's text with one key set, or taken out when the value is None; canonical, as every map is kept."""
    values = json.loads(kept) if kept else {}
    if value is None:
        values.pop(key, None)
    else:
        values[key] = value
    return canonical(values)


def add_tasks(
    tx: Transaction, rids: Sequence[int], title: str, due: date | None, person_id: Id | None, today: date
) -> int:
    """An open task at each outlet. ``person_id`` None: whoever has the sector alone today, or nobody by name."""
    alone = """
        SELECT CASE WHEN count(*) = 1 THEN max(m.person_id) END FROM sector_member m JOIN person p ON p.id = m.person_id
        WHERE m.sector_id = o.sector_id AND p.role = 'rep' AND coalesce(p.active, 1)
          AND coalesce(m.valid_from, :today) <= :today AND coalesce(m.valid_to, :today) >= :today"""
    sql = f"SELECT o.id, ({alone}) FROM outlet o WHERE o.{_THOSE} AND o.state <> 'closed'"
    found = tx.conn.exec_driver_sql(sql, {"rids": json.dumps(list(rids)), "today": today.isoformat()}).all()
    named = None if person_id is None else person_id.bytes
    rows = [
        {"id": new_id(tx.now).bytes, "outlet": outlet, "title": title, "due": due.isoformat() if due else None,
         "person": named or whose}
        for outlet, whose in found
    ]  # fmt: skip
    if rows:
        tx.conn.exec_driver_sql(
            "INSERT INTO task (id, outlet_id, kind, title, due, state, person_id) "
            "VALUES (:id, :outlet, 'task', :title, :due, 'open', :person)", rows,
        )  # fmt: skip
    return len(rows)


def ids_of(r: Reader, rids: Sequence[int]) -> list[Id]:
    """The ids of row numbers, in their order; what is gone is left out."""
    sql = "SELECT o.id FROM json_each(:rids) j JOIN outlet o ON o.rid = j.value ORDER BY j.key"
    rows = r.conn.exec_driver_sql(sql, {"rids": json.dumps(list(rids))})
    return [Id(bytes=bytes(row[0])) for row in rows]


def slices(r: Reader, label: str) -> tuple[list[Id], list[Id]]:
    """The transactions under one label that may be taken back now, and those that may be put back, in their order."""
    sql = "SELECT id, undoes FROM outbox_tx WHERE label = :label ORDER BY rowid"
    done: list[bytes] = []
    undone: list[bytes] = []
    taking_back: set[bytes] = set()
    for id_, undoes in r.conn.exec_driver_sql(sql, {"label": label}):
        source = undone if undoes in taking_back else done
        if undoes in source:
            source.remove(undoes)
        if undoes is None or source is undone:
            done.append(id_)
        else:
            undone.append(id_)
            taking_back.add(id_)
    return [Id(bytes=bytes(id_)) for id_ in done], [Id(bytes=bytes(id_)) for id_ in undone]


# ---- taking a slice back: the general undo asks for each record, which is too slow for a hundred thousand ----

Span = tuple[int, int]  # the numbers of a slice's operations in the outbox, first and last


def spans(r: Reader, slices: Sequence[Id]) -> dict[Id, Span]:
    """Where the operations of these transactions stand in the outbox, found by reading it once."""
    wanted = {slice_.bytes for slice_ in slices}
    rows = r.conn.exec_driver_sql("SELECT tx, min(n), max(n) FROM outbox GROUP BY tx")
    return {Id(bytes=bytes(tx)): (first, last) for tx, first, last in rows if bytes(tx) in wanted}


def swap(tx: Transaction, slice_: Id, span: Span | None) -> int:
    """Put back what a slice changed, but for what somebody has changed since; how many records were put back.

    Works for what ``swap`` itself wrote too, which is how it is put back again.
    """
    operations = _operations(tx, slice_, span)
    outlets = CATALOGUE.by_name["outlet"].number
    edits = [(id_, set_, was) for number, kind, id_, set_, was in operations if number == outlets and kind == "upd"]
    tasks = [(kind, id_, was) for number, kind, id_, _, was in operations if number != outlets]
    done = _swap_fields(tx, edits) + _swap_tasks(tx, tasks)
    if done:
        tx.undoes = slice_
    return done


def _operations(tx: Transaction, slice_: Id, span: Span | None) -> list[tuple[int, str, bytes, Any, Any]]:
    columns = 'n, collection, kind, id, "set", was'
    parts = [f"SELECT {columns} FROM acked_ops WHERE tx = :tx AND status NOT IN ('rejected', 'dependent')"]
    if span is not None:
        parts.append(f"SELECT {columns} FROM outbox WHERE n BETWEEN :first AND :last AND tx = :tx")
    params = {"tx": slice_.bytes, "first": span[0] if span else 0, "last": span[1] if span else 0}
    found = tx.conn.exec_driver_sql(" UNION ALL ".join(parts), params)
    once = {n: (number, kind, bytes(id_), json.loads(set_), json.loads(was))
            for n, number, kind, id_, set_, was in found}  # fmt: skip
    return [once[n] for n in sorted(once)]


def _swap_fields(tx: Transaction, edits: Sequence[tuple[bytes, Any, Any]]) -> int:
    names = sorted({name for _, set_, _ in edits for name in set_})
    if not edits:
        return 0
    listed = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" * len(edits))
    found = tx.conn.exec_driver_sql(
        f"SELECT id, {listed} FROM outlet WHERE id IN ({marks})", tuple(id_ for id_, _, _ in edits)
    )
    now = {bytes(row[0]): dict(zip(names, tuple(row)[1:], strict=True)) for row in found}
    rows = []
    for id_, set_, was in edits:
        if id_ in now:
            back = {name: _put_back(name, now[id_][name], set_.get(name), was.get(name)) for name in names}
            if any(back[name] != now[id_][name] for name in names if name != "provenance"):
                rows.append({**back, "_id": id_})
    if rows:
        assigned = ", ".join(f'"{name}" = :{name}' for name in names)
        tx.conn.exec_driver_sql(f"UPDATE outlet SET {assigned} WHERE id = :_id", rows)
    return len(rows)


def _put_back(name: str, now: Any, set_: Any, was: Any) -> Any:
    """The column's value afterwards; of a map, key by key."""
    if name not in ("custom", "provenance"):
        return was if now == set_ else now
    kept, after, before = json.loads(now) if now else {}, set_ or {}, was or {}
    for key in {*after, *before}:
        if after.get(key) != before.get(key) and kept.get(key) == after.get(key):
            if key in before:
                kept[key] = before[key]
            else:
                kept.pop(key, None)
    return canonical(kept)


def _swap_tasks(tx: Transaction, tasks: Sequence[tuple[str, bytes, Any]]) -> int:
    """Tasks that were made go, as long as they are open; those that went come back under new ids."""
    made = [(id_,) for kind, id_, _ in tasks if kind == "new"]
    gone = 0
    if made:
        gone = tx.conn.exec_driver_sql("DELETE FROM task WHERE id = ? AND state = 'open'", made).rowcount
    back = [was for kind, _, was in tasks if kind == "del"]
    for was in back:
        _history.insert_row(tx, "task", new_id(tx.now), was)
    return max(gone, 0) + len(back)
