"""One cell of a file as an outlet takes it: fast for what is clean already, and by the domain's rules for the rest.

Every quick test here accepts only what ``domain.outlet.checked`` would give back unchanged; tests hold both together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from babel import Locale
from opening_hours import OpeningHours
from opening_hours import ParserError as _ParserError  # type: ignore[attr-defined]  # missing in its stubs

from fieldcrm.domain.catalogue import OUTLET_STATES, SEGMENTS, STORE_TYPES
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.outlet import checked
from fieldcrm.domain.siret import luhn
from fieldcrm.exchange.mapping import folded
from fieldcrm.exchange.vocabulary import words_of

Take = Callable[[str], Any]  # the text of a cell, not empty -> its value, or None; raises DomainError
LONGEST = 100_000  # characters; a longer cell is no value of an outlet
KEPT = 20_000  # values of a column that are remembered

_PHONE = re.compile(r"0[1-9](?:[ .]?[0-9]{2}){4}|\+[0-9]{2,3}[ ]?[0-9](?:[ .]?[0-9]{2}){3,5}")
_EMAIL = re.compile(r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,60}(?:\.[A-Za-z0-9\-]{1,60}){1,2}")
_SIRET = re.compile(r"[0-9]{14}")
_NOTHING = frozenset(("null", "none", "nan", "n/a", "#n/a", "na", "-", "--", "—", "(vide)", "nc", "n.c.", "nsp", "\\n"))
_BROKEN = re.compile(r"#(?:REF!|VALUE!|VALEUR!|NAME\?|NOM\?|DIV/0!|NUM!|NULL!|NOMBRE!|SPILL!|CALC!)")
_SEVERAL = re.compile(r"\s*(?:[;|\n]|,(?=\s)|\s/\s)\s*")
_ROUNDED = re.compile(r"[0-9][.,][0-9]+[eE]\+?[0-9]+")
_RUNS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
_WHOLE = re.compile(r"[0-9]{1,9}")
_NUMBER = re.compile(r"[-+]?[0-9][0-9 \u00a0\u202f]*(?:[.,][0-9]+)?")


class Memory(dict[str, Any]):
    """What a column's texts became; forgets all when it is full, so that it stays small."""

    def __init__(self, take: Take) -> None:
        super().__init__()
        self._take = take

    def __missing__(self, text: str) -> Any:
        value = self._take(text)
        if len(self) >= KEPT:
            self.clear()
        self[text] = value
        return value


def taker(field: str, words: Mapping[str, str], country: str) -> Take:
    """How ``field`` takes its texts. ``words``: a person's translations, folded; ``country``: where none is said."""
    if field == "name":
        return _plain("name", 200)
    if field == "phone":
        return _phone(country)
    if field == "email":
        return _quick("email", _EMAIL)
    if field == "siret":
        return _siret
    if field == "website":
        return _several("website")
    if field == "postcode":
        return Memory(lambda text: postcode(text, country)).__getitem__
    if field in ("opening_hours", "preferred_slots"):
        return Memory(lambda text: _hours(text, field)).__getitem__
    if field in _CHOICES:
        return Memory(_choice(field, words)).__getitem__
    if field in ("visit_interval_days", "visit_minutes", "surface_m2"):
        return Memory(lambda text: _count(text, field)).__getitem__
    if field == "country":
        return Memory(_country).__getitem__
    return Memory(_plain(field, 20 if field == "house_number" else 200)).__getitem__


# ---- texts ----------------------------------------


def clean(text: str) -> str:
    """What a person meant to be in the cell: without the apostrophe that keeps a formula from running.

    Raises ``text_undecodable`` for letters that the encoding does not have, ``cell_too_long``.
    """
    if len(text) > LONGEST:
        raise DomainError("cell_too_long", limit=LONGEST)
    if any("\udc80" <= character <= "\udcff" for character in text):
        raise DomainError("text_undecodable")
    text = text.strip("\ufeff \t\r\n\u00a0\u202f\x00")
    if len(text) > 1 and text[0] == "'" and text.lstrip("' \u00a0")[:1] in _RUNS:
        text = text[1:]
    return text


def is_nothing(text: str) -> bool:
    """Whether the cell says in words that it is empty."""
    return text.casefold() in _NOTHING


def _ready(text: str, field: str) -> str | None:
    """``text`` cleaned, ``None`` when nothing is left; raises for the error of a spreadsheet's formula."""
    text = clean(text)
    if not text or is_nothing(text):
        return None
    if _BROKEN.fullmatch(text.upper()):
        raise DomainError("cell_formula_error", field=field)
    return text


def _plain(field: str, limit: int) -> Take:
    def take(text: str) -> Any:
        # Printable text knows one blank, the space; signs before the letters are looked at slowly.
        if len(text) <= limit and text[0] > "/" and text[-1] != " " and text.isprintable() and len(text) > 4:
            return text
        ready = _ready(text, field)
        return None if ready is None else checked({field: ready})[field]

    return take


def _quick(field: str, pattern: re.Pattern[str]) -> Take:
    fits, slowly = pattern.fullmatch, _several(field)

    def take(text: str) -> Any:
        return text if fits(text) else slowly(text)

    return take


def _several(field: str) -> Take:
    """A cell that may hold several: the first that is right is taken. Raises for the first when none is."""

    def take(text: str) -> Any:
        ready = _ready(text, field)
        if ready is None:
            return None
        try:
            return checked({field: ready})[field]
        except DomainError:
            parts = _SEVERAL.split(ready)
            if len(parts) == 1:
                raise
            for part in parts:
                try:
                    return checked({field: part})[field] if part else None
                except DomainError:
                    continue
            raise

    return take


def _phone(country: str) -> Take:
    fits, slowly = _PHONE.fullmatch, _several("phone")

    def take(text: str) -> Any:
        if fits(text):
            return text
        ready = clean(text)
        if country == "FR" and len(ready) == 9 and ready.isdecimal() and ready.isascii() and ready[0] != "0":
            return "0" + ready  # a spreadsheet took it for a number
        first = _SEVERAL.split(ready)[0]
        if first != ready and fits(first):  # two numbers together may look like a long one
            return first
        return slowly(text)

    return take


def _siret(text: str) -> Any:
    if _SIRET.fullmatch(text):
        return text
    ready = _ready(text, "siret")
    if ready is None:
        return None
    if _ROUNDED.fullmatch(ready):
        raise DomainError("siret_rounded", field="siret")
    digits = re.sub(r"[ .\u00a0\u202f]", "", ready).removesuffix(".0")
    if len(digits) == 13 and digits.isdecimal() and luhn("0" + digits):
        digits = "0" + digits
    return checked({"siret": digits})["siret"]


def postcode(text: str, country: str) -> Any:
    """A postcode, its leading zero given back where a spreadsheet took it for a number."""
    ready = _ready(text, "postcode")
    if ready is None:
        return None
    ready = ready.removesuffix(".0")
    if len(ready) == 4 and ready.isdecimal() and country in ("FR", "DE", "ES", "IT", "FI"):
        ready = "0" + ready
    return checked({"postcode": ready}, country=country)["postcode"]


def _hours(text: str, field: str) -> Any:
    ready = _ready(text, field)
    if ready is None:
        return None
    line = checked({field: ready})[field]
    if line is None:
        return None
    try:
        OpeningHours(line)
    except _ParserError:
        raise DomainError("opening_hours_malformed", field=field, text=ready[:80]) from None
    return line


# ---- choices, numbers, countries ----------------------------------------

_CHOICES: Mapping[str, tuple[str, ...]] = {"store_type": STORE_TYPES, "state": OUTLET_STATES, "segment": SEGMENTS[:-1]}


def _choice(field: str, own: Mapping[str, str]) -> Take:
    choices, known = _CHOICES[field], words_of(field)

    def take(text: str) -> Any:
        if text in choices:
            return text
        ready = _ready(text, field)
        if ready is None:
            return None
        word = folded(ready)
        value = own.get(word, known.get(word))
        if value is None and word in choices:
            value = word
        if value is None:
            raise DomainError("choice_unknown", field=field, value=ready[:80])
        return value or None

    return take


def _count(text: str, field: str) -> Any:
    ready = _ready(text, field)
    if ready is None:
        return None
    found = re.match(_NUMBER, ready)
    if found is None:
        raise DomainError("number_malformed", field=field)
    digits = re.sub(r"[ \u00a0\u202f]", "", found.group()).replace(",", ".")
    return checked({field: round(float(digits))})[field]


@cache
def _countries() -> Mapping[str, str]:
    """Name of a country in French or English, folded -> its ISO 3166 code."""
    names: dict[str, str] = {}
    for language in ("en", "fr"):
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha():
                names[folded(name)] = code
                names.setdefault(code.casefold(), code)
    return names


def _country(text: str) -> Any:
    ready = _ready(text, "country")
    if ready is None:
        return None
    return _countries().get(folded(ready)) or checked({"country": ready})["country"]


def is_country(text: str) -> bool:
    """Whether ``text`` names a country, in French, English or by its code."""
    return folded(text) in _countries()
