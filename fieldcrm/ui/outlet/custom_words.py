"""Values of the organisation's own fields in words."""

from __future__ import annotations

from datetime import date
from typing import Any

from fieldcrm.domain.customfield import NUMBER_MOST
from fieldcrm.words import date as day_words
from fieldcrm.words import number, tr


def custom_value(value: Any, kind: str = "") -> str:
    """A value as it is kept; without ``kind`` a date is shown as it is written."""
    if value is None or value == "":
        return tr("nothing")
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    if isinstance(value, int | float):
        return number(value) if abs(value) <= NUMBER_MOST else str(value)
    if kind == "date":
        try:
            return day_words(date.fromisoformat(str(value)))
        except ValueError:
            return str(value)
    return str(value)
