"""Who changed what of an outlet, when, from which device, and whether headquarters has it.

Three sources make one line of time: what this device recorded, what headquarters has told (``past``), and the
provenance that came with the values, which says where an import had them from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from fieldcrm.domain.actor import Actor
from fieldcrm.domain.catalogue import CATALOGUE, MANAGER
from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import EDITABLE, Outlet
from fieldcrm.domain.provenance import PERSON, key_of, moment_of, origin_of
from fieldcrm.store import history as _history
from fieldcrm.store import past as _past
from fieldcrm.store.database import Reader
from fieldcrm.store.history import Custody
from fieldcrm.store.past import PastChange
from fieldcrm.usecases.outlets import MANAGERS_DECIDE

_SILENT = frozenset({"provenance", "confirmed_at", "last_contact_at"})
_TRACED = tuple(sorted(EDITABLE - {"note", "segment", "state", "zone"}))
_ADDRESS = frozenset({"house_number", "street", "postcode", "city", "country"})
_UNDOABLE = frozenset({"outlet", "contact", "task", "sales_order"})
_OWN_SHOWN = 500
_CUSTOM = "custom:"
_SETTLED = ("delivered", "cancelled")
_NAMED_BY = {"contact": "name", "task": "title"}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """Wire values before and after; ``erased``: nobody can say any more what they were."""

    collection: str
    field: str
    was: Any
    now: Any
    erased: bool = False


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """``label`` is the code of the change. ``transaction`` names one that this device recorded, ``places`` one that
    headquarters told of ``outlet_id``; ``undoable``: this person may try to take it back."""

    at: datetime
    person: str
    label: str
    fields: tuple[FieldChange, ...]
    custody: Custody
    source: str = PERSON
    transaction: Id | None = None
    undoes: bool = False
    device: str = ""
    subject: str = ""  # whose contact, which task
    outlet_id: Id | None = None
    places: tuple[tuple[int, int], ...] = ()
    undoable: bool = False

    @property
    def here(self) -> bool:
        """Whether this device recorded it."""
        return self.transaction is not None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The newest first. ``as_of``: up to when headquarters has told it, ``None`` when it never did; ``more``: it has
    older ones that are not here."""

    lines: tuple[HistoryLine, ...] = ()
    as_of: datetime | None = None
    more: bool = False


@dataclass(frozen=True, slots=True)
class Trace:
    """Where the value of a field comes from: ``source`` is ``person`` or a data source such as ``osm``."""

    source: str
    person: str
    person_id: str  # 32 hexadecimal digits, or empty
    licence: str
    at: datetime


@dataclass(frozen=True, slots=True)
class _Scene:
    """Who reads, and the names of people and of records."""

    actor: Actor
    people: Mapping[Id, str]
    names: dict[Id, str] = field(default_factory=dict)
    kinds: dict[Id, str] = field(default_factory=dict)  # of tasks

    def learn(self, record: Id, values: Mapping[str, Any]) -> None:
        for name in ("name", "title"):
            if isinstance(values.get(name), str):
                self.names.setdefault(record, values[name])
        if isinstance(values.get("kind"), str):
            self.kinds.setdefault(record, values["kind"])


def custom_name(key: str) -> str:
    """Under which key the provenance of one of the organisation's own fields stands."""
    return _CUSTOM + key


def traces(outlet: Outlet, people: Mapping[Id, str]) -> dict[str, Trace]:
    """Provenance by field, of each that has a value; entries that cannot be read are left out."""
    names = {id_.hex: name for id_, name in people.items()}
    found = {}
    values = {field: getattr(outlet, field) for field in _TRACED}
    values |= {custom_name(key): value for key, value in outlet.custom.items()}
    for field_, value in values.items():
        entry = origin_of(outlet.provenance, field_)
        at = None if entry is None else moment_of(entry)
        if entry is not None and value is not None and at is not None:
            by = str(entry.get("by") or "")
            source, licence = str(entry.get("source") or ""), str(entry.get("licence") or "")
            found[key_of(field_)] = Trace(source, names.get(by, ""), by, licence, at)
    return found


def timeline(
    r: Reader, outlet: Outlet, outlets: tuple[Id, ...], named: Mapping[Id, tuple[str, str]], people: Mapping[Id, str],
    actor: Actor,
) -> Timeline:  # fmt: skip
    """The history of an outlet, of those merged into it, and of what is filed under them.

    ``named``: the contacts and tasks that are there now, each with its name and, of a task, its kind.
    """
    scene = _Scene(actor, people, {id_: name for id_, (name, _) in named.items()}, {})
    scene.kinds.update({id_: kind for id_, (_, kind) in named.items() if kind})
    told = _past.changes_of(r, outlets)
    for change in told:
        if change.collection in _NAMED_BY:
            scene.learn(change.id, {**change.was, **change.set})
    ids = {*outlets, *named, *(change.id for change in told), *_history.removed_here(r, outlets)}
    own = [_own(change, scene) for change in _history.of_records(r, ids, _OWN_SHOWN)]
    known = _past.known_operations(r, {change.id for change in told if change.op})
    others = list(_told([change for change in told if change.op not in known], scene))
    written = {(line.person, line.at) for line in (*own, *others)}
    rest = [line for line in _from_provenance(outlet, people) if (line.person, line.at) not in written]
    state = _past.told_of(r, outlet.id)
    if state is not None and not state.more:  # all that people did is told; where an import had it from is not
        rest = [line for line in rest if line.source != PERSON]
    lines = sorted((*own, *others, *rest), key=lambda line: line.at, reverse=True)
    return Timeline(tuple(lines), state.as_of if state else None, bool(state and state.more))


# ---- what this device recorded ----------------------------------------


def _own(change: _history.Recorded, scene: _Scene) -> HistoryLine:
    fields = tuple(
        line
        for operation in change.operations
        if operation.kind == "upd"
        for line in _set(operation.collection, operation.set, operation.was)
    )
    for operation in change.operations:
        if operation.collection in _NAMED_BY:
            scene.learn(operation.id, {**operation.was, **operation.set})
    custodies = {operation.custody for operation in change.operations}
    custody = next((one for one in (Custody.REFUSED, Custody.HERE) if one in custodies), Custody.SENT)
    subjects = (scene.names.get(one.id, "") for one in change.operations if one.collection in _NAMED_BY)
    mine = change.person_id == scene.actor.user_id and custody is not Custody.REFUSED
    return HistoryLine(
        change.at, scene.people.get(change.person_id, ""), change.label, fields, custody, PERSON, change.id,
        change.undoes is not None, "", next(subjects, ""),
        undoable=mine and all(map(_own_undoable, change.operations)),
    )  # fmt: skip


def _set(collection: str, set_: Mapping[str, Any], was: Mapping[str, Any]) -> Iterator[FieldChange]:
    """What changed, field by field; of the organisation's own fields key by key."""
    for name, value in set_.items():
        if name == "custom":
            before, after = was.get(name) or {}, value or {}
            for key in sorted({*before, *after}):
                if before.get(key) != after.get(key):
                    yield FieldChange(collection, custom_name(key), before.get(key), after.get(key))
        elif name not in _SILENT:
            yield FieldChange(collection, name, was.get(name), value)


def _own_undoable(operation: _history.Operation) -> bool:
    """Facts, and what others may refer to by now, are not made undone from here."""
    made = operation.kind == "new" and operation.collection in ("outlet", "sales_order")
    return operation.collection in _UNDOABLE and not made


# ---- what headquarters told ----------------------------------------


def _told(changes: Iterable[PastChange], scene: _Scene) -> Iterator[HistoryLine]:
    """One line for what one person did at one moment on one device."""

    def moment(change: PastChange) -> tuple[Any, ...]:
        return change.outlet_id, change.at, change.person_id, change.device

    for _, some in groupby(changes, moment):
        group = list(some)
        first = min(group, key=_weight)
        fields = tuple(line for change in group for line in _fields(change))
        confirmed = any("confirmed_at" in change.set for change in group)
        if not fields and first.collection == "outlet" and first.kind == "upd" and not confirmed:
            continue
        person = scene.people.get(first.person_id, "") if first.person_id else ""
        yield HistoryLine(
            first.at, person, label_of(first, scene.kinds), fields, Custody.SENT,
            PERSON if first.person_id else "headquarters", None, False, first.label,
            scene.names.get(first.id, "") if first.collection in _NAMED_BY else "",
            first.outlet_id, tuple((change.rev, change.idx) for change in group),
            all(may_undo(change, scene.actor) for change in group),
        )  # fmt: skip


def _weight(change: PastChange) -> tuple[int, int]:
    order = ("outlet", "outlet_alias", "sales_order", "contact", "task", "note")
    return ("new", "del", "upd").index(change.kind), order.index(change.collection)


def _fields(change: PastChange) -> Iterator[FieldChange]:
    if change.kind != "upd":
        return
    yield from _set(change.collection, change.set, change.was)
    for name in change.erased:
        yield FieldChange(change.collection, name, None, None, erased=True)


def label_of(change: PastChange, kinds: Mapping[Id, str]) -> str:
    """The code of what was done, from what it did: headquarters keeps no words of it."""
    name, kind = change.collection, change.kind
    if name == "contact":
        return {"new": "contact.new", "del": "contact.removed"}.get(kind, "contact.details")
    if name == "task":
        what = kinds.get(change.id, "task")
        if kind == "new":
            return f"{what}.new"
        state = change.set.get("state")
        return f"{what}.{state}" if state in ("kept", "broken", "cancelled") else "task.details"
    if name == "note":
        return "note.new"
    if name == "sales_order":
        state = change.set.get("state")
        return "order.new" if kind == "new" else f"order.{state}" if state in _SETTLED else "order.details"
    if name == "outlet_alias":
        return "outlet.unmerged" if change.set.get("active") is False else "outlet.merged"
    return "outlet.new" if kind == "new" else outlet_label(set(change.set) - _SILENT)


def outlet_label(fields: set[str]) -> str:
    """The code of a change of these fields of an outlet."""
    names = {key_of(name) for name in fields}
    if not names:
        return "outlet.confirmed"
    if names <= _ADDRESS:
        return "outlet.address"
    return f"outlet.{names.pop()}" if len(names) == 1 else "outlet.details"


def may_undo(change: PastChange, actor: Actor) -> bool:
    """Whether this person may write back what was there: headquarters would refuse the rest."""
    collection = CATALOGUE.by_name[change.collection]
    if change.collection not in _UNDOABLE or actor.role.value not in collection.writers:
        return False
    if change.kind == "new":
        return change.collection in ("contact", "task")
    if change.kind == "del":
        required = {one.name for one in collection.fields if one.required}
        return change.collection in ("contact", "task") and required <= set(change.was)
    names = set(change.set) - _SILENT
    if change.collection == "outlet" and ("sector_id" in names or not names):
        return False
    if change.collection == "outlet" and actor.role.value != MANAGER and names & MANAGERS_DECIDE:
        return False
    if change.collection == "sales_order" and actor.role.value != MANAGER and change.person_id != actor.user_id:
        return False
    return bool(names)


# ---- what the values themselves say ----------------------------------------


def _from_provenance(outlet: Outlet, people: Mapping[Id, str]) -> Iterable[HistoryLine]:
    """One line for all fields that one source gave at one moment."""
    groups: dict[tuple[datetime, str, str], list[FieldChange]] = {}
    for name, trace in traces(outlet, people).items():
        own = name.startswith(_CUSTOM)
        value = outlet.custom.get(name.removeprefix(_CUSTOM)) if own else getattr(outlet, name, None)
        if name == "position":  # two fields, one trace
            value = (outlet.lat_e7, outlet.lon_e7)
        groups.setdefault((trace.at, trace.person, trace.source), []).append(FieldChange("outlet", name, None, value))
    for (at, person, source), fields in groups.items():
        label = "outlet.imported" if source != PERSON else "outlet.elsewhere"
        yield HistoryLine(at, person, label, tuple(fields), Custody.SENT, source)
