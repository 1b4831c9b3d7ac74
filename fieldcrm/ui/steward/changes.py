"""What a source says otherwise, in words: the fields that differ, before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fieldcrm.domain.outlet import DEGREE
from fieldcrm.ui import labels
from fieldcrm.words import language, number, tr

POSITION = ("lat_e7", "lon_e7")
QUIET = frozenset({"zone", "placing", "provenance", "confirmed_at"})  # kept with a change, and nothing to decide about


def value_words(field: str, value: Any) -> str:
    """A value of an outlet's field (as it is kept) in words; empty for none."""
    if value is None or value == "" or value == {}:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {value_words('', one)}" for key, one in value.items())
    return labels.unbroken(str(value)) if field == "phone" else labels.field_value(field, value)


def position_words(values: Mapping[str, Any]) -> str:
    """``48.85664, 2.35222``; empty without both."""
    parts = [part for name in POSITION if isinstance(part := values.get(name), int) and abs(part) <= 180 * DEGREE]
    comma = "; " if language() == "fr" else ", "
    return comma.join(number(part / DEGREE, 5) for part in parts) if len(parts) == 2 else ""


Say = Callable[[str, Any], str]


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], say: Say = value_words
) -> list[tuple[str, str, str]]:
    """``(field, before, after)`` in words for each field of ``after``; the position is one of them."""
    found = []
    for field in after:
        if field in POSITION:
            if field == POSITION[0] or POSITION[0] not in after:
                found.append(("position", position_words(before), position_words(after)))
        elif field not in QUIET:
            found.append((field, say(field, before.get(field)), say(field, after.get(field))))
    return found


def in_a_line(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """``Name: Spar → Vival · Phone: none → 01 40 26 00 17``."""
    return " · ".join(
        tr("{field}: {before} → {after}", field=labels.field_name(field), before=was or tr("none"),
           after=now or tr("none"))
        for field, was, now in differences(before, after)
    )  # fmt: skip
