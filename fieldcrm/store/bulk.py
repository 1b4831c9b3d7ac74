"""One change of many outlets at once: set in SQL by slices of row numbers, captured row by row by the triggers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fieldcrm.domain.ids import Id, new_id
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
