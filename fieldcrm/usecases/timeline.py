"""Who changed what of an outlet, when, and whether headquarters has it: from what this device recorded, and from the
provenance that came with what others changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import EDITABLE, Outlet
from fieldcrm.domain.provenance import key_of, origin_of
from fieldcrm.store import history as _history
from fieldcrm.store.database import Reader
from fieldcrm.store.history import Custody
from sync.columns import from_milliseconds

_SILENT = frozenset({"provenance", "confirmed_at"})
_TRACED = tuple(sorted(EDITABLE - {"note", "segment", "state", "zone"}))


@dataclass(frozen=True, slots=True)
class FieldChange:
    """Wire values before and after."""

    collection: str
    field: str
    was: Any
    now: Any


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """``label`` is the code of the change; ``transaction`` is ``None`` for what was done elsewhere."""

    at: datetime
    person: str
    label: str
    fields: tuple[FieldChange, ...]
    custody: Custody
    source: str = "person"
    transaction: Id | None = None
    undoes: bool = False


@dataclass(frozen=True, slots=True)
class Trace:
    """Where the value of a field comes from: ``source`` is ``person`` or a data source such as ``osm``."""

    source: str
    person: str
    person_id: str  # 32 hexadecimal digits, or empty
    licence: str
    at: datetime


def traces(outlet: Outlet, people: Mapping[Id, str]) -> dict[str, Trace]:
    """Provenance by field, of each that has a value; entries that cannot be read are left out."""
    names = {id_.hex: name for id_, name in people.items()}
    found = {}
    for field in _TRACED:
        entry = origin_of(outlet.provenance, field)
        if entry is not None and getattr(outlet, field) is not None and isinstance(entry.get("at"), int):
            by = str(entry.get("by") or "")
            source, licence = str(entry.get("source") or ""), str(entry.get("licence") or "")
            found[key_of(field)] = Trace(source, names.get(by, ""), by, licence, from_milliseconds(entry["at"]))
    return found


def history(r: Reader, outlet: Outlet, ids: Iterable[Id], people: Mapping[Id, str]) -> tuple[HistoryLine, ...]:
    """The newest first."""
    here = [_own(change, people) for change in _history.of_records(r, ids)]
    written = {(line.person, line.at) for line in here}
    others = [line for line in _from_provenance(outlet, people) if (line.person, line.at) not in written]
    return tuple(sorted((*here, *others), key=lambda line: line.at, reverse=True))


def _own(change: _history.Recorded, people: Mapping[Id, str]) -> HistoryLine:
    fields = tuple(
        FieldChange(operation.collection, name, operation.was.get(name), value)
        for operation in change.operations
        if operation.kind == "upd"
        for name, value in operation.set.items()
        if name not in _SILENT
    )
    custodies = {operation.custody for operation in change.operations}
    custody = next((one for one in (Custody.REFUSED, Custody.HERE) if one in custodies), Custody.SENT)
    person = people.get(change.person_id, "")
    undoes = change.undoes is not None
    return HistoryLine(change.at, person, change.label, fields, custody, "person", change.id, undoes)


def _from_provenance(outlet: Outlet, people: Mapping[Id, str]) -> Iterable[HistoryLine]:
    """One line for all fields that one source gave at one moment."""
    groups: dict[tuple[datetime, str, str], list[FieldChange]] = {}
    for field, trace in traces(outlet, people).items():
        change = FieldChange("outlet", field, None, getattr(outlet, field, None))
        groups.setdefault((trace.at, trace.person, trace.source), []).append(change)
    for (at, person, source), fields in groups.items():
        label = "outlet.imported" if source != "person" else "outlet.elsewhere"
        yield HistoryLine(at, person, label, tuple(fields), Custody.SENT, source)
