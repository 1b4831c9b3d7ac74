"""The kinds of own fields in words and pictures."""

from __future__ import annotations

from fieldcrm.usecases.customfields import CustomField
from fieldcrm.words import tr, trn

ICONS = {"text": "type", "number": "hash", "date": "calendar", "choice": "list", "flag": "toggle-left"}


def kind_name(kind: str) -> str:
    return {
        "text": tr("Text"), "number": tr("Figure"), "date": tr("Date"), "choice": tr("Choice"), "flag": tr("Yes or no"),
    }.get(kind, kind)  # fmt: skip


def described(field: CustomField, held: int) -> str:
    """``Choice: Gold, Silver, Bronze · 41 outlets``."""
    kind = kind_name(field.kind)
    if field.choices:
        shown = ", ".join(field.choices[:4]) + ("…" if len(field.choices) > 4 else "")
        kind = tr("{kind}: {choices}", kind=kind, choices=shown)
    count = trn("{n} outlet holds a value", "{n} outlets hold a value", held) if held else ""
    return " · ".join(part for part in (kind, count) if part)
