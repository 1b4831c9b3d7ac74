"""Entering values of the organisation's own fields: checked by kind, merged key by key, with who knew it."""

from __future__ import annotations

from typing import Any

from fieldcrm.domain import provenance
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.store import outlets as _outlets
from fieldcrm.store.database import Transaction
from fieldcrm.usecases.confirming import answer_alert
from fieldcrm.usecases.customfields import check_value, fields
from fieldcrm.usecases.timeline import custom_name


def set_value(tx: Transaction, outlet_id: Id, key: str, value: Any) -> None:
    """Write one value; ``None`` or an empty text takes it away. Two people's values of two fields never clash.

    Raises ``field_unknown``, ``outlet_unknown``, and what ``check_value`` says of a value.
    """
    field = next((one for one in fields(tx) if one.key == key), None)
    if field is None:
        raise DomainError("field_unknown", field=key)
    outlet = _outlets.read_outlet(tx, outlet_id)
    checked = check_value(field, value)
    if outlet.custom.get(key) == checked and type(outlet.custom.get(key)) is type(checked):
        return
    custom = {name: kept for name, kept in outlet.custom.items() if name != key}
    if checked is not None:
        custom[key] = checked
    entry = provenance.origin(provenance.PERSON, tx.now, by=tx.actor.user_id)
    origins = {**outlet.provenance, custom_name(key): entry}
    _outlets.update_outlet(tx, outlet.id, {"custom": custom, "provenance": origins, "confirmed_at": tx.now})
    answer_alert(tx, outlet.id, outlet.confirmed_at)
    tx.touch("outlet", outlet.id)
    tx.label = tx.label or "outlet.custom"
