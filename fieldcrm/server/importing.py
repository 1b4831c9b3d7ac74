"""The commands of an import: a piece of a file becomes outlets as one, and goes again as one.

What the device made of the file is looked at anew: how much it is, every value, whose sector it is for, and that no
record is written over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from fieldcrm.domain.catalogue import MANAGER
from fieldcrm.domain.imported import (
    FIELDS,
    GIVEN,
    IMPORT,
    MAX_REFERENCE,
    MAX_ROWS,
    UNIMPORT,
    derived,
    fault,
    fault_of,
    origin_of_batch,
    outlet_values,
    untouched,
)
from fieldcrm.server import inuse
from sync.chunks import chunks
from sync.columns import from_milliseconds
from sync.server.ports import Command, Editing, Refused, Values
from sync.server.tables import ServerTables

Sectors = Callable[[Editing], frozenset[UUID]]

_FIELDS = frozenset(FIELDS)


@dataclass(frozen=True, slots=True)
class _Row:
    id: UUID
    reference: str
    values: dict[str, Any]

    @property
    def source_id(self) -> UUID:
        return UUID(bytes=derived(self.id.bytes, "outlet_source"))

    @property
    def assignment_id(self) -> UUID:
        return UUID(bytes=derived(self.id.bytes, "sector_assignment"))


class ImportCommands:
    """``sectors``: those of the caller, who has to be a manager (raises ``Refused`` otherwise)."""

    def __init__(self, tables: ServerTables, sectors: Sectors) -> None:
        self._tables = tables
        self._sectors = sectors

    def by_name(self) -> Mapping[str, Command]:
        return {IMPORT: self.import_outlets, UNIMPORT: self.unimport_outlets}

    def import_outlets(self, editing: Editing, batch_id: UUID, arguments: Values) -> None:
        """Make the outlets of a piece of the batch; see ``domain.imported`` for the arguments."""
        sectors = self._sectors(editing)
        batch = _batch(editing, batch_id)
        if batch["state"] != "live":
            raise Refused("import_undone", collection="import_batch")
        given = _given(batch)
        rows = _rows(arguments)
        for row in rows:
            sector = row.values.get("sector_id") or given["sector_id"]
            if UUID(hex=sector) not in sectors:
                raise Refused("not_your_sector", field="sector_id")
        editing.load(key for row in rows for key in _keys(row))
        if any(editing.knows(*key) for row in rows for key in _keys(row)):
            raise Refused("exists", collection="outlet")
        origin = origin_of_batch(batch["source"], batch.get("licence") or "", from_milliseconds(batch["begun_at"]))
        for row in rows:
            _create(editing, row, outlet_values(row.values, given, origin), batch, batch_id)
        self._see(editing, batch["source"], sectors, arguments.get("seen", []))

    def _see(self, editing: Editing, source: str, sectors: frozenset[UUID], seen: Any) -> None:
        """Keep what the source says now of outlets that came before."""
        said = _seen(seen)
        if not said:
            return
        editing.load(("outlet", id) for id in said)
        mine = [id for id in said if _in_sectors(editing.get("outlet", id), sectors)]
        for source_id, outlet_id in self._sources(editing, mine, source):
            kept = editing.get("outlet_source", source_id)
            if kept is not None:
                values = {**(kept.get("values") or {}), **said[outlet_id]}
                left = {name: value for name, value in values.items() if value is not None}
                editing.put("outlet_source", source_id, {"values": left})

    def _sources(self, editing: Editing, outlets: Sequence[UUID], source: str) -> list[tuple[UUID, UUID]]:
        """The ids of ``outlet_source`` with their outlets; also those that this very transaction makes."""
        made = [(UUID(bytes=derived(id.bytes, "outlet_source")), id) for id in outlets]
        editing.load(("outlet_source", id) for id, _ in made)
        found = {
            id: outlet for id, outlet in made if (editing.get("outlet_source", id) or {}).get("source") == source
        }
        table = self._tables.records["outlet_source"]
        for some in chunks(id for id in outlets if id not in set(found.values())):
            query = select(table.c.id, table.c.outlet_id).where(
                table.c.org_id == editing.caller.org, table.c.outlet_id.in_(some), table.c.source == source,
                table.c.deleted_rev.is_(None),
            )  # fmt: skip
            found.update((id, outlet) for id, outlet in editing.connection.execute(query))
        return list(found.items())

    def unimport_outlets(self, editing: Editing, batch_id: UUID, arguments: Values) -> None:
        """Take outlets of the batch out again: ``ids``. One that somebody has used or changed stays, and is told anew
        to the device that let go of it."""
        sectors = self._sectors(editing)
        given = _given(_batch(editing, batch_id))
        ids = _ids(arguments)
        editing.load(("outlet", id) for id in ids)
        editing.load(("outlet_source", UUID(bytes=derived(id.bytes, "outlet_source"))) for id in ids)
        here = [id for id in ids if _in_sectors(editing.get("outlet", id), sectors)]
        asked = editing.connection, self._tables, editing.caller.org, here
        used, below = inuse.used(*asked), inuse.below(*asked)
        editing.load(key for keys in below.values() for key in keys)
        for id in here:
            source = editing.get("outlet_source", UUID(bytes=derived(id.bytes, "outlet_source")))
            outlet = editing.get("outlet", id)
            assert outlet is not None
            mine = source is not None and source.get("batch") == batch_id.hex
            free = mine and id not in used and untouched(outlet, (source or {}).get("values") or {}, given)
            act = editing.remove if free else editing.again
            for collection, record in below[id]:
                act(collection, record)
            act("outlet", id)


def _create(editing: Editing, row: _Row, values: Values, batch: Values, batch_id: UUID) -> None:
    editing.put("outlet", row.id, values)
    source = {
        "outlet_id": row.id.hex, "source": batch["source"], "reference": row.reference,
        "licence": batch.get("licence"), "imported_at": batch["begun_at"], "values": row.values,
        "batch": batch_id.hex,
    }  # fmt: skip
    editing.put("outlet_source", row.source_id, source)
    day = editing.now.date().isoformat()
    assignment = {"outlet_id": row.id.hex, "sector_id": values["sector_id"], "valid_from": day, "valid_to": None}
    editing.put("sector_assignment", row.assignment_id, assignment)


def _keys(row: _Row) -> tuple[tuple[str, UUID], ...]:
    return ("outlet", row.id), ("outlet_source", row.source_id), ("sector_assignment", row.assignment_id)


def _batch(editing: Editing, batch_id: UUID) -> Values:
    if editing.caller.role != MANAGER:
        raise Refused("not_allowed", collection="outlet")
    batch = editing.get("import_batch", batch_id)
    if batch is None:
        raise Refused("no_record", collection="import_batch")
    return batch


def _in_sectors(outlet: Values | None, sectors: frozenset[UUID]) -> bool:
    return outlet is not None and UUID(hex=outlet["sector_id"]) in sectors


# ---- arguments, of which nothing is believed ----------------------------------------


def _given(batch: Values) -> dict[str, Any]:
    """What the batch gives to outlets that do not say theirs. Raises ``Refused``."""
    given = batch.get("given")
    if not isinstance(given, dict) or set(given) - set(GIVEN):
        raise Refused("wrong_kind", field="given")
    if not all(given.get(name) for name in ("sector_id", "zone", "state")):
        raise Refused("required", field="given")
    wrong = fault_of(given)
    if wrong is not None:
        raise Refused(wrong[0], field="given")
    return dict(given)


def _rows(arguments: Values) -> list[_Row]:
    """Raises ``Refused`` with the first thing that is wrong."""
    unknown = set(arguments) - {"fields", "rows", "seen"}
    if unknown:
        raise Refused("unknown_field", field=min(unknown)[:64])
    fields, rows = arguments.get("fields", []), arguments.get("rows", [])
    if not isinstance(fields, list) or not isinstance(rows, list):
        raise Refused("wrong_kind", field="rows")
    if len(rows) > MAX_ROWS:
        raise Refused("too_many_rows", maximum=MAX_ROWS)
    if not all(isinstance(name, str) and name in _FIELDS for name in fields) or len(set(fields)) != len(fields):
        raise Refused("unknown_field", field="fields")
    made = [_row(fields, cells) for cells in rows]
    if len({row.id for row in made}) != len(made):
        raise Refused("exists", collection="outlet")
    return made


def _row(fields: Sequence[str], cells: Any) -> _Row:
    if not isinstance(cells, list) or len(cells) != len(fields) + 2:
        raise Refused("wrong_kind", field="rows")
    id, reference = _id(cells[0]), cells[1]
    if not isinstance(reference, str) or len(reference) > MAX_REFERENCE or not reference.isprintable():
        raise Refused("wrong_kind", field="reference")
    values = {name: cell for name, cell in zip(fields, cells[2:], strict=True) if cell is not None}
    wrong = fault(values)
    if wrong is not None:
        raise Refused(wrong[0], field=wrong[1])
    return _Row(id, reference, values)


def _seen(seen: Any) -> dict[UUID, Mapping[str, Any]]:
    if not isinstance(seen, list):
        raise Refused("wrong_kind", field="seen")
    if len(seen) > MAX_ROWS:
        raise Refused("too_many_rows", maximum=MAX_ROWS)
    found: dict[UUID, Mapping[str, Any]] = {}
    for one in seen:
        if not isinstance(one, list) or len(one) != 2 or not isinstance(one[1], dict):
            raise Refused("wrong_kind", field="seen")
        wrong = fault_of(one[1])
        if wrong is not None:
            raise Refused(wrong[0], field=wrong[1])
        found[_id(one[0])] = one[1]
    return found


def _ids(arguments: Values) -> list[UUID]:
    ids = arguments.get("ids")
    if set(arguments) != {"ids"} or not isinstance(ids, list):
        raise Refused("wrong_kind", field="ids")
    if len(ids) > MAX_ROWS:
        raise Refused("too_many_rows", maximum=MAX_ROWS)
    return list(dict.fromkeys(map(_id, ids)))


def _id(value: Any) -> UUID:
    if not isinstance(value, str) or len(value) != 32:
        raise Refused("wrong_id")
    try:
        found = UUID(hex=value)
    except ValueError:
        raise Refused("wrong_id") from None
    if found.hex != value:
        raise Refused("wrong_id")
    return found

