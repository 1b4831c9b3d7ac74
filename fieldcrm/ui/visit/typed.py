"""Numbers and dates as people type them, to the plain form of an answer. What makes no sense is left as typed."""

from __future__ import annotations

import re
from datetime import date, timedelta

_DAY = re.compile(r"^(\d{1,2})[/.\- ](\d{1,2})(?:[/.\- ](\d{2}|\d{4}))?$")


def typed_number(text: str) -> str:
    """``3,49`` and ``3.49 €`` are ``3.49``; ``1 234`` is ``1234``."""
    plain = re.sub(r"[\s\u00a0\u202f€$£]", "", text)
    return plain.replace(",", ".") if plain.count(",") == 1 and "." not in plain else plain


def typed_date(text: str, today: date | None = None) -> str:
    """``3/6/2026``, ``03.06.26`` and, where ``today`` is known, ``3/6`` (the next one) and ``+7`` are ISO days."""
    text = text.strip()
    if today is not None and re.fullmatch(r"\+\d{1,3}", text):
        return (today + timedelta(days=int(text))).isoformat()
    match = _DAY.match(text)
    if match is None:
        return text
    day, month, year = int(match[1]), int(match[2]), match[3]
    try:
        if year is not None:
            return date(int(year) + (2000 if len(year) == 2 else 0), month, day).isoformat()
        if today is None:
            return text
        here = date(today.year, month, day)
        return (here if here >= today else date(today.year + 1, month, day)).isoformat()
    except ValueError:
        return text
