"""Answers as text in the tree, as JSON in the document, and the ways in which a text is not a value of its type."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from fieldcrm.forms.model import DataType, Question

MAX_TEXT = 20_000
_CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_INTEGER = re.compile(r"[+-]?\d{1,15}")
_LISTS = (DataType.MANY, DataType.PHOTO)


def clean(text: str) -> str:
    """What XML can hold: a pasted NUL or half a surrogate is dropped, the rest kept."""
    return _CONTROL_CHARACTERS.sub("", text)


def to_json(question: Question, text: str) -> Any:
    """Integers as numbers, decimals as text (exact), choices and photos as lists; a malformed text stays text."""
    if question.type in _LISTS:
        return text.split()
    if question.type is DataType.INTEGER and _INTEGER.fullmatch(text):
        return int(text)
    return text


def from_json(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return clean(" ".join(str(item) for item in value if isinstance(item, str | int | float)))[:MAX_TEXT]
    return clean(str(value))[:MAX_TEXT] if isinstance(value, str | int | float) else ""


def type_problem(question: Question, text: str) -> str | None:
    """The code of what is wrong with a text as a value of the question's type, or None."""
    if len(text) > MAX_TEXT:
        return "too_long"
    match question.type:
        case DataType.INTEGER:
            return None if _INTEGER.fullmatch(text) else "not_integer"
        case DataType.DECIMAL:
            return None if decimal(text) is not None else "not_decimal"
        case DataType.DATE:
            return None if _parses(date.fromisoformat, text) else "not_date"
        case DataType.TIME:
            return None if _parses(time.fromisoformat, text) else "not_time"
        case DataType.DATE_TIME:
            return None if _parses(datetime.fromisoformat, text) else "not_date"
        case _:
            return None


def decimal(text: str) -> Decimal | None:
    """A finite number of reasonable size, or None."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 15 else None


def _parses(parse: Any, text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True
