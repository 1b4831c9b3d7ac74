"""The fields that the organisation adds to its outlets: make them, name them, put them in order, retire them.

Their values are in ``outlet.custom`` under the field's ``key``; ``check_value`` says how a value is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fieldcrm.domain.customfield import FIELDS_MOST, CustomField, FieldDetails, check_value, key_of
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.store import customfields as _rows
from fieldcrm.store.database import Reader, Transaction

__all__ = [
    "CustomField", "FieldDetails", "add", "change", "check_value", "fields", "reorder", "restore", "retire", "used",
]


def fields(r: Reader, *, retired: bool = False) -> tuple[CustomField, ...]:
    """The fields in their order; with ``retired`` also those that are no longer asked.

    Of two that were made with one key on two devices the older stands: their values are the same values.
    """
    seen: dict[str, CustomField] = {}
    found = _rows.read_fields(r)
    for field in sorted(found, key=lambda one: (not one.active, one.id)):
        seen.setdefault(field.key, field)
    shown = tuple(field for field in found if seen[field.key] is field and (retired or field.active))
    return shown if retired else shown[: 2 * FIELDS_MOST]  # two who add fields apart may pass the limit, not by more


def used(r: Reader) -> dict[str, int]:
    """Key -> how many outlets of this device hold a value. Reads every outlet: ask it in the pool."""
    return _rows.count_values(r)


def add(tx: Transaction, details: FieldDetails) -> Id:
    """A new field, the last of the list. Raises as ``FieldDetails.checked``, and ``fields_many``."""
    checked = details.checked()
    found = _rows.read_fields(tx)
    if sum(field.active for field in found) >= FIELDS_MOST:
        raise DomainError("fields_many", limit=FIELDS_MOST)
    _refuse_same_name(found, checked, None)
    name = checked.label.get("en") or next(iter(checked.label.values()))
    made = CustomField(
        new_id(tx.now), key_of(name, {field.key for field in found}), checked.label, checked.kind,
        tuple(checked.choices), max((field.position for field in found), default=-1) + 1,
    )  # fmt: skip
    _rows.insert_field(tx, made)
    tx.label = tx.label or "custom_field.new"
    return made.id


def change(tx: Transaction, field_id: Id, details: FieldDetails) -> None:
    """Other names or choices. Its key and its kind stay: ``field_kind_fixed``. A value of an outlet that is no
    longer among the choices stays too, until somebody chooses another. Raises ``field_unknown``."""
    before = _rows.read_field(tx, field_id)
    checked = details.checked()
    if checked.kind != before.kind:
        raise DomainError("field_kind_fixed", field="kind")
    _refuse_same_name(_rows.read_fields(tx), checked, field_id)
    _rows.update_field(tx, field_id, {"label": dict(checked.label), "choices": list(checked.choices) or None})
    tx.label = tx.label or "custom_field.details"


def retire(tx: Transaction, field_id: Id) -> None:
    """Ask it no more; what was entered stays in the outlets, and is shown again when it is restored."""
    _rows.read_field(tx, field_id)
    _rows.update_field(tx, field_id, {"active": False})
    tx.label = tx.label or "custom_field.retired"


def restore(tx: Transaction, field_id: Id) -> None:
    """Ask a retired field again. Raises ``field_name_taken`` when another has taken its name meanwhile."""
    field = _rows.read_field(tx, field_id)
    _refuse_same_name(_rows.read_fields(tx), FieldDetails(field.label, field.kind, field.choices), field_id)
    _rows.update_field(tx, field_id, {"active": True})
    tx.label = tx.label or "custom_field.restored"


def reorder(tx: Transaction, ids: Sequence[Id]) -> None:
    """Put the fields in this order; those that are not named keep theirs, after them."""
    found = {field.id: field for field in _rows.read_fields(tx)}
    wanted = [found[id] for id in dict.fromkeys(ids) if id in found]
    rest = [field for field in found.values() if field not in wanted]
    for position, field in enumerate([*wanted, *rest]):
        if field.position != position:
            _rows.update_field(tx, field.id, {"position": position})
            found[field.id] = replace(field, position=position)
    tx.label = tx.label or "custom_field.order"


def _refuse_same_name(found: Sequence[CustomField], details: FieldDetails, own: Id | None) -> None:
    """Two fields of one name could not be told apart on a card."""
    for field in found:
        if field.id == own or not field.active:
            continue
        for language, name in details.label.items():
            if field.label.get(language, "").casefold() == name.casefold():
                raise DomainError("field_name_taken", field=f"label.{language}", name=name)
