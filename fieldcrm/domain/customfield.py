"""A field that an organisation adds to its outlets: what it is called, and which values it takes."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from fieldcrm.domain.catalogue import CUSTOM_KINDS
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id

LABEL_LIMIT, CHOICE_LIMIT, TEXT_LIMIT = 60, 80, 500  # characters
CHOICES_MOST, FIELDS_MOST = 100, 60
NUMBER_MOST = 1e15  # beyond, a double no longer tells one whole number from the next

_YES = frozenset({"yes", "y", "oui", "o", "true", "vrai", "1", "x"})
_NO = frozenset({"no", "n", "non", "false", "faux", "0"})
_DAY_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})")


@dataclass(frozen=True, slots=True)
class CustomField:
    """``key`` names its values in ``outlet.custom`` and stays for ever, as ``kind`` does; ``label`` by language.

    ``active`` is False for a field that was retired: it is asked no more, and its values stay.
    """

    id: Id
    key: str
    label: Mapping[str, str]
    kind: str
    choices: tuple[str, ...] = ()
    position: int = 0
    active: bool = True

    def name(self, language: str) -> str:
        """What it is called in ``language``, or else in the language that it has a name in."""
        return self.label.get(language) or next((text for text in self.label.values() if text), self.key)


@dataclass(frozen=True, slots=True)
class FieldDetails:
    """What a person types about a field."""

    label: Mapping[str, str]
    kind: str
    choices: Sequence[str] = field(default_factory=tuple)

    def checked(self) -> FieldDetails:
        """Raises ``field_name_missing``, ``text_too_long``, ``choice_unknown``, ``choices_few``, ``choices_twice``,
        ``choices_many``."""
        label = {language: _line(text) for language, text in self.label.items() if _line(text)}
        if not label:
            raise DomainError("field_name_missing", field="label")
        for language, text in label.items():
            if len(text) > LABEL_LIMIT:
                raise DomainError("text_too_long", field=f"label.{language}", limit=LABEL_LIMIT)
        if self.kind not in CUSTOM_KINDS:
            raise DomainError("choice_unknown", field="kind", value=self.kind)
        return replace(self, label=label, choices=_choices(self.choices) if self.kind == "choice" else ())


def _choices(given: Sequence[str]) -> tuple[str, ...]:
    choices = tuple(text for text in (_line(choice) for choice in given) if text)
    if len(choices) < 2:
        raise DomainError("choices_few", field="choices")
    if len(choices) > CHOICES_MOST:
        raise DomainError("choices_many", field="choices", limit=CHOICES_MOST)
    seen: set[str] = set()
    for text in choices:
        if len(text) > CHOICE_LIMIT:
            raise DomainError("text_too_long", field="choices", limit=CHOICE_LIMIT)
        if text.casefold() in seen:
            raise DomainError("choices_twice", field="choices", value=text)
        seen.add(text.casefold())
    return choices


def key_of(name: str, taken: Collection[str]) -> str:
    """A key made from a name: small letters, digits and underscores, at most 40; one that nobody has yet.

    ``Contrat signé ?`` becomes ``contrat_signe``; a name without any letter of ours becomes ``field``.
    """
    plain = unicodedata.normalize("NFKD", name.replace("œ", "oe").replace("æ", "ae").replace("ß", "ss"))
    key = re.sub(r"[^a-z0-9]+", "_", plain.encode("ascii", "ignore").decode().lower()).strip("_")[:40].strip("_")
    key = f"field_{key}" if key[:1].isdigit() else key or "field"
    made, at = key, 2
    while made in taken:
        made, at = f"{key}_{at}", at + 1
    return made


def check_value(field: CustomField, value: Any) -> str | int | float | bool | None:
    """``value``, typed or read from a file, as it is kept in ``outlet.custom``; ``None`` empties the field.

    Kept: text and choice as text, number as a number, date as ``YYYY-MM-DD``, flag as true or false. Raises
    ``DomainError`` with ``field=field.key``: ``text_too_long``, ``decimal_malformed``, ``number_out_of_range``,
    ``date_malformed``, ``choice_unknown``, ``flag_malformed``.
    """
    if value is None or (isinstance(value, str) and not _line(value)):
        return None
    return {"text": _text, "number": _number, "date": _date, "choice": _choice, "flag": _flag}[field.kind](field, value)


def _text(field: CustomField, value: Any) -> str:
    text = _line(str(value))
    if len(text) > TEXT_LIMIT:
        raise DomainError("text_too_long", field=field.key, limit=TEXT_LIMIT)
    return text


def _number(field: CustomField, value: Any) -> int | float:
    if isinstance(value, str):
        plain = re.sub(r"[\s\u00a0\u202f']", "", value).replace("\u2212", "-").replace(",", ".")
        if not re.fullmatch(r"[-+]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})", plain, re.ASCII):
            raise DomainError("decimal_malformed", field=field.key)
        value = float(plain)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DomainError("decimal_malformed", field=field.key)
    if isinstance(value, int) and abs(value) > NUMBER_MOST:
        raise DomainError("number_out_of_range", field=field.key, low=-NUMBER_MOST, high=NUMBER_MOST)
    number = float(value)
    if not math.isfinite(number) or abs(number) > NUMBER_MOST:
        raise DomainError("number_out_of_range", field=field.key, low=-NUMBER_MOST, high=NUMBER_MOST)
    return int(number) if number.is_integer() else number


def _date(field: CustomField, value: Any) -> str:
    """A day written as ``2026-06-03``, or with the day first: ``3/6/2026``."""
    if isinstance(value, date):
        return value.isoformat()[:10]
    text = _line(str(value))
    try:
        if found := _DAY_FIRST.fullmatch(text):
            day, month, year = (int(part) for part in found.groups())
            return date(year, month, day).isoformat()
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise DomainError("date_malformed", field=field.key) from None


def _choice(field: CustomField, value: Any) -> str:
    text = _line(str(value))
    for choice in field.choices:
        if choice.casefold() == text.casefold():
            return choice
    raise DomainError("choice_unknown", field=field.key, value=text[:CHOICE_LIMIT])


def _flag(field: CustomField, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = _line(str(value)).casefold()
    if word in _YES or word in _NO:
        return word in _YES
    raise DomainError("flag_malformed", field=field.key)


def _line(value: str) -> str:
    """One line without control characters or halves of characters."""
    text = "".join(char if char.isprintable() else " " for char in value)
    return " ".join(text.encode("utf-8", "ignore").decode("utf-8").split())
