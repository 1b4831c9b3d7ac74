"""Small forms written as XLSForm rows, compiled by pyxform as a real one is."""

from __future__ import annotations

from datetime import UTC, datetime

from pyxform.xls2xform import convert

from fieldcrm.forms import Form, Instance, load_form

NOW = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
OWN = 'fieldcrm="urn:fieldcrm:forms"'


def compiled(rows: list[dict[str, str]], choices: list[dict[str, str]] | None = None) -> bytes:
    sheet = {
        "survey": rows,
        "choices": choices or [],
        "settings": [{"form_id": "small", "form_title": "Small", "version": "7", "namespaces": OWN}],
    }
    return convert(sheet).xform.encode()


def small(*rows: str | dict[str, str], choices: list[dict[str, str]] | None = None) -> Form:
    """Rows as ``"type name | key: value | key: value"``."""
    return load_form(compiled([_row(row) if isinstance(row, str) else row for row in rows], choices))


def _row(text: str) -> dict[str, str]:
    head, *parts = text.split(" | ")
    type_, _, name = head.rpartition(" ")
    row = {"type": type_, "name": name, "label": name.title()}
    if head == "end repeat" or head == "end group":
        return {"type": head, "name": ""}
    return row | dict(part.split(": ", 1) for part in parts)


def begun(form: Form) -> Instance:
    return Instance(form, now=NOW, zone=UTC)
