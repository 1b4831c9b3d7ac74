"""Whether the values a device sends are what the catalogue says they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.catalogue import Collection, Field, Kind
from sync.columns import canonical, from_wire
from sync.server.ports import Refused

MAX_TEXT = 20_000  # characters
MAX_LONG = 200_000
MAX_DOCUMENT = 1 << 20  # characters of JSON

_LIMITS = {Kind.TEXT: MAX_TEXT, Kind.LONG: MAX_LONG}


def check_values(collection: Collection, values: Mapping[str, Any], *, whole: bool) -> None:
    """Raises ``Refused`` with the name of the first field that is wrong. ``whole``: a new record."""
    for name, value in values.items():
        definition = collection.by_name.get(name)
        if definition is None:
            raise Refused("unknown_field", field=name)
        if value is None:
            if definition.required:
                raise Refused("required", field=name)
            continue
        _check(definition, value)
    if whole:
        for definition in collection.fields:
            if definition.required and values.get(definition.name) is None:
                raise Refused("required", field=definition.name)


def _check(definition: Field, value: Any) -> None:
    name = definition.name
    try:
        from_wire(definition.kind, value)
    except (TypeError, ValueError):
        raise Refused("wrong_kind", field=name) from None
    if definition.choices and value not in definition.choices:
        raise Refused("not_a_choice", field=name, value=str(value)[:100])
    if definition.minimum is not None and value < definition.minimum:
        raise Refused("too_small", field=name, minimum=definition.minimum)
    if definition.maximum is not None and value > definition.maximum:
        raise Refused("too_large", field=name, maximum=definition.maximum)
    if definition.kind in _LIMITS:
        size, limit = len(value), _LIMITS[definition.kind]
    elif definition.kind in (Kind.DOCUMENT, Kind.MAP, Kind.SET):
        size, limit = len(canonical(value)), MAX_DOCUMENT
    else:
        return
    if size > limit:
        raise Refused("too_long", field=name, maximum=limit)
