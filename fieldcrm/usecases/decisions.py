"""Where two people wrote the same thing: mine, theirs and what was before, and a decision that is a change like any.

Both values stay in the record of the clash whatever is decided, and each decision can be undone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from fieldcrm.domain.catalogue import CATALOGUE, WHOLE_RECORD
from fieldcrm.domain.contact import ContactDetails
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.domain.outlet import EDITABLE
from fieldcrm.store import clashes as _clashes
from fieldcrm.store import history as _history
from fieldcrm.store.clashes import Clash
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.tables import T
from fieldcrm.usecases import contacts, outlets
from sync.catalogue import Kind
from sync.columns import from_wire

__all__ = [
    "Choice", "Clash", "Sort", "Verdict", "another_possible", "decide", "open_clashes", "sort_of", "whom_to_call",
]

_CONTACT_FIELDS = frozenset({"name", "job", "phone", "email", "note"})


class Choice(StrEnum):
    MINE = "mine"
    THEIRS = "theirs"
    ANOTHER = "another"  # a third value


class Sort(StrEnum):
    """What kind of meeting it was."""

    FIELD = "field"  # both wrote one field
    DELETED_THERE = "deleted_there"  # I edited what another had deleted
    DELETED_HERE = "deleted_here"  # I deleted what another had edited since: it was not deleted


@dataclass(frozen=True, slots=True)
class Verdict:
    clash: Clash
    choice: Choice
    text: str = ""  # the third value


def open_clashes(r: Reader, person: Id) -> tuple[Clash, ...]:
    """What waits for this person's decision, the oldest first; those of one record stand together."""
    found = _clashes.clashes(r, person)
    order = {clash.record_id: at for at, clash in reversed(list(enumerate(found)))}
    return tuple(sorted(found, key=lambda clash: order[clash.record_id]))


def whom_to_call(r: Reader, person: Id) -> tuple[str, ...]:
    """The managers of this person's sectors, when it is not in the person's hands."""
    return _clashes.managers(r, person)


def sort_of(clash: Clash) -> Sort:
    if clash.field != WHOLE_RECORD:
        return Sort.FIELD
    return Sort.DELETED_HERE if clash.lost is None else Sort.DELETED_THERE


def another_possible(clash: Clash) -> bool:
    """Whether a third value can be typed for this field."""
    definition = CATALOGUE.by_name[clash.collection].by_name.get(clash.field)
    if definition is None or definition.kind not in (Kind.TEXT, Kind.LONG, Kind.INTEGER):
        return False
    if clash.collection == "outlet":
        return clash.field in EDITABLE - {"lat_e7", "lon_e7"}
    return clash.collection == "contact" and clash.field in _CONTACT_FIELDS


def decide(tx: Transaction, verdicts: Sequence[Verdict]) -> int:
    """Settle all of these in one change, so that one undo takes them back; returns how many there were to settle.

    What is settled already stays as it is: asked twice, a record that was deleted would be restored twice. Raises
    ``DomainError("record_gone")``, and for a third value what editing that field raises; then nothing is done.
    """
    verdicts = [verdict for verdict in verdicts if _is_open(tx, verdict.clash)]
    if not verdicts:
        return 0
    for verdict in verdicts:
        clash = verdict.clash
        if verdict.choice is Choice.MINE:
            _put_mine(tx, clash)
        elif verdict.choice is Choice.ANOTHER:
            _put_another(tx, clash, verdict.text)
        _clashes.close_clash(tx, clash.id)
        tx.touch(clash.collection, clash.record_id)
        if clash.outlet_id is not None:
            tx.touch("outlet", clash.outlet_id)
    tx.touch("sync")
    choices = {verdict.choice.value for verdict in verdicts}
    tx.label = f"decision.{choices.pop() if len(choices) == 1 else 'mixed'}"
    return len(verdicts)


def _is_open(r: Reader, clash: Clash) -> bool:
    state = r.conn.execute(select(T.conflict.c.state).where(T.conflict.c.id == clash.id)).scalar_one_or_none()
    return state == "open"


def _put_mine(tx: Transaction, clash: Clash) -> None:
    sort = sort_of(clash)
    if sort is Sort.DELETED_THERE:
        _restore(tx, clash)
    elif sort is Sort.DELETED_HERE:
        if _history.current_row(tx, clash.collection, clash.record_id) is not None:
            _history.delete_row(tx, clash.collection, clash.record_id)
    elif not _clashes.write_field(tx, clash.collection, clash.record_id, clash.field, clash.lost):
        raise DomainError("record_gone")


def _restore(tx: Transaction, clash: Clash) -> None:
    """What another deleted comes back with my change. The old id is on its way to being forgotten everywhere."""
    if _history.current_row(tx, clash.collection, clash.record_id) is not None:
        _history.write_fields(tx, clash.collection, clash.record_id, clash.lost)
        return
    collection = CATALOGUE.by_name[clash.collection]
    before = clash.before if isinstance(clash.before, Mapping) else {}
    values = {name: value for name, value in {**before, **clash.lost}.items() if name in collection.by_name}
    if any(field.required and values.get(field.name) is None for field in collection.fields):
        raise DomainError("record_gone")  # deleted before this version kept what it held
    fresh = new_id(tx.now)
    _history.insert_row(tx, clash.collection, fresh, values)
    tx.touch(clash.collection, fresh)


def _put_another(tx: Transaction, clash: Clash, text: str) -> None:
    if not another_possible(clash):
        raise DomainError("field_not_editable", field=clash.field)
    row = _history.current_row(tx, clash.collection, clash.record_id)
    if row is None:
        raise DomainError("record_gone")
    if clash.collection == "outlet":
        outlets.edit_outlet(tx, clash.record_id, {clash.field: text})
    else:
        known = {name: row[name] for name in (*_CONTACT_FIELDS, "preferred")}
        contacts.edit_contact(tx, clash.record_id, ContactDetails(**{**known, clash.field: text}))


def wire_value(collection: str, field: str, text: str) -> Any:
    """What was typed for a field, as it is sent. Raises ``DomainError`` with the field."""
    definition = CATALOGUE.by_name[collection].by_name[field]
    value: Any = text.strip() or None
    if value is not None and definition.kind is Kind.INTEGER:
        try:
            value = int(value)
        except ValueError:
            raise DomainError("number_malformed", field=field) from None
        if not (definition.minimum or 0) <= value <= (definition.maximum or value):
            low, high = definition.minimum or 0, definition.maximum or value
            raise DomainError("number_out_of_range", field=field, low=low, high=high)
    if value is not None and definition.choices and value not in definition.choices:
        raise DomainError("choice_unknown", field=field, value=text)
    from_wire(definition.kind, value)
    return value
