"""The values of a record in words, for a person who decides about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fieldcrm import words
from fieldcrm.ui import labels
from fieldcrm.words import tr, trn

SHOWN_FIELDS = 6
_UNSEEN = frozenset({"provenance", "answers", "sha256", "confirmed_at", "zone", "position"})


def shown(field: str, value: Any) -> str:
    """One value of a field."""
    if isinstance(value, Mapping):
        return "\n".join(f"{key}: {part}" for key, part in value.items()) or tr("nothing")
    if isinstance(value, list):
        return ", ".join(str(part) for part in value) or tr("nothing")
    text = labels.field_value(field, value)
    return labels.unbroken(text) if field == "phone" else text


def named(name: str, value: Any) -> str:
    return tr("{name}: {value}", name=labels.field_name(name), value=shown(name, value))


def lines(values: Mapping[str, Any]) -> list[str]:
    """What a person can read of a record, one field a line, the rest counted."""
    found = [
        named(name, value)
        for name, value in values.items()
        if name not in _UNSEEN and value not in (None, "") and not isinstance(value, (dict, list))
        and not name.endswith("_id")
    ]
    more = len(found) - SHOWN_FIELDS
    return [*found[:SHOWN_FIELDS], trn("and {n} more", "and {n} more", more)] if more > 0 else found


def whole_lines(values: Any, since: Any = None) -> str:
    """A record in lines; with ``since`` only what differs from that."""
    if not isinstance(values, Mapping):
        return tr("Changed")
    if isinstance(since, Mapping) and since:
        differing = {name: value for name, value in values.items() if value != since.get(name)}
        if text := lines(differing):
            return "\n".join(text)
    return "\n".join(lines(values)) or tr("Changed")


def field_list(names: list[str]) -> str:
    """``phone, opening hours``, as they stand inside a sentence."""
    told = dict.fromkeys(_inside(labels.field_name(name)) for name in names)
    return words.listing(list(told))


def _inside(text: str) -> str:
    return text if text.isupper() else text[:1].lower() + text[1:]
