"""Words and figures in the language of the person.

English is the source text. French lives in ``resources/i18n/fr/<room>.po``, one file per room, merged at first use.
The language switches live: nothing is translated at import time.
"""

from __future__ import annotations

import locale
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date as Date
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from fieldcrm import resources

LANGUAGES = ("en", "fr")
LOCALES = {"en": "en_GB", "fr": "fr_FR"}
CURRENCY = "EUR"  # ISO 4217; the forms and the price lists count in its cents
NAMES = {"en": "English", "fr": "Français"}


@dataclass
class _State:
    language: str = "en"
    translated: Mapping[tuple[str, str], str | tuple[str, ...]] = field(default_factory=dict)


_state = _State()


def language() -> str:
    """The code of the language in use: ``"en"`` or ``"fr"``."""
    return _state.language


def set_language(code: str) -> None:
    """Speak ``code`` from now on; a language we do not have falls back to English."""
    _state.language = code if code in LANGUAGES else "en"
    _state.translated = _catalogue(_state.language)


def system_language() -> str:
    """The language this computer is set to, when we have it; English otherwise."""
    named = [os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    for value in (*named, locale.getlocale()[0] or ""):
        code = value.split("_")[0].split(".")[0].lower()[:2]
        if code in LANGUAGES:
            return code
    return "en"


def _bound(value: Any) -> Any:
    """French quotation marks keep to their words when a line breaks."""
    if isinstance(value, tuple):
        return tuple(_bound(form) for form in value)
    return str(value).replace("« ", "«\u00a0").replace(" »", "\u00a0»")


@cache
def _catalogue(code: str) -> Mapping[tuple[str, str], str | tuple[str, ...]]:
    """``(context, English)`` to the translation; plural entries hold one form per plural."""
    merged: dict[tuple[str, str], str | tuple[str, ...]] = {}
    if code == "en":
        return merged
    from babel.messages.pofile import read_po

    folder = resources.path("i18n") / code
    for path in sorted(folder.glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=LOCALES[code]):
                if not message.id or message.fuzzy or not message.string:
                    continue
                plural = isinstance(message.id, tuple | list)
                source = message.id[0] if plural else message.id
                value = tuple(message.string) if plural else message.string
                if not all(value if plural else [value]):
                    continue
                merged[message.context or "", str(source)] = _bound(value)
    return merged


def tr(text: str, /, **params: object) -> str:
    """``text`` in the language in use, ``{name}`` places filled from ``params``."""
    found = _state.translated.get(("", text), text)
    chosen = found if isinstance(found, str) else found[0]
    return chosen.format(**params) if params else chosen


def trc(context: str, text: str, /, **params: object) -> str:
    """Like :func:`tr` for a word with two meanings: ``trc("verb", "Open")`` reads ``msgctxt "verb"``."""
    found = _state.translated.get((context, text))
    if found is None:
        return tr(text, **params)
    chosen = found if isinstance(found, str) else found[0]
    return chosen.format(**params) if params else chosen


def trn(one: str, many: str, n: int, /, **params: object) -> str:
    """One or many of something: ``trn("{n} visit", "{n} visits", n)``; ``{n}`` is written as a number."""
    found = _state.translated.get(("", one), (one, many))
    forms = (found, found) if isinstance(found, str) else found
    # French counts zero as one of a thing; English does not.
    single = abs(n) < 2 if _state.language == "fr" else n == 1
    chosen = forms[0] if single else forms[-1]
    return chosen.format(n=number(n), **params)


def translated(text: str) -> bool:
    """Whether ``text`` has its own words in the language in use."""
    return _state.language == "en" or ("", text) in _state.translated


@lru_cache(maxsize=8)
def _locale(code: str) -> Any:
    from babel import Locale

    return Locale.parse(LOCALES[code])


def number(value: float | Decimal, digits: int | None = None) -> str:
    """``1234.5`` as this language writes it; ``digits`` fixes the number of decimals."""
    if isinstance(value, int) and digits is None and -1000 < value < 1000:
        return str(value)
    from babel.numbers import format_decimal

    pattern = None if digits is None else "#,##0" + ("." + "0" * digits if digits else "")
    return str(format_decimal(value, format=pattern, locale=_locale(_state.language)))


def percent(ratio: float, digits: int = 0) -> str:
    """``0.62`` as ``62%`` (``62 %`` in French)."""
    from babel.numbers import format_percent

    pattern = "#,##0" + ("." + "0" * digits if digits else "") + ("\u00a0%" if _state.language == "fr" else "%")
    return str(format_percent(ratio, format=pattern, locale=_locale(_state.language)))


def money(minor: int, currency: str = CURRENCY) -> str:
    """An amount in minor units (cents) with its currency sign."""
    from babel.numbers import format_currency, get_currency_precision

    amount = Decimal(minor).scaleb(-get_currency_precision(currency))
    return str(format_currency(amount, currency, locale=_locale(_state.language)))


def date(day: Date, style: str = "medium") -> str:
    """A day: ``short`` 03/06/2026, ``medium`` 3 Jun 2026, ``long`` 3 June 2026, ``full`` Wednesday 3 June 2026,
    ``day`` Wed 3 Jun, ``month`` June 2026, ``weekday`` Wednesday, ``d`` 3 Jun.
    """
    from babel.dates import format_date

    skeletons = {"day": "EEE d MMM", "month": "MMMM y", "weekday": "EEEE", "d": "d MMM", "full": "EEEE d MMMM y"}
    return str(format_date(day, format=skeletons.get(style, style), locale=_locale(_state.language)))


def time(moment: datetime, zone: str | None = None) -> str:
    """The time of day, ``10:42``, in the IANA ``zone`` (this computer's when none is given)."""
    return _in_zone(moment, zone).strftime("%H:%M")


def day_time(moment: datetime, zone: str | None = None) -> str:
    """Day and time, ``3 Jun, 10:42``, in the IANA ``zone`` (this computer's when none is given)."""
    local = _in_zone(moment, zone)
    return tr("{day}, {time}", day=date(local.date(), "d"), time=local.strftime("%H:%M"))


def since(moment: datetime, now: datetime) -> str:
    """How long ago, in words for a line of a list: ``just now``, ``12 min ago``, ``yesterday``, ``34 days ago``."""
    age = now - moment
    if age < timedelta(minutes=1):
        return tr("just now")
    if age < timedelta(hours=1):
        return trn("{n} min ago", "{n} min ago", int(age.total_seconds() // 60))
    if age < timedelta(hours=12):
        return trn("{n} h ago", "{n} h ago", int(age.total_seconds() // 3600))
    days = (now.astimezone().date() - moment.astimezone().date()).days
    if days < 2:
        return tr("yesterday") if days else tr("today")
    return trn("{n} day ago", "{n} days ago", days)


def duration(minutes: float) -> str:
    """A length of time: ``45 min``, ``1 h 05``."""
    whole = round(minutes)
    if whole < 60:
        return f"{whole} min"
    return f"{whole // 60} h {whole % 60:02d}" if whole % 60 else f"{whole // 60} h"


def distance(metres: float) -> str:
    """``350 m``, ``2.4 km``, ``31 km``."""
    if metres < 995:
        step = 10 if metres >= 100 else 1
        return f"{round(metres / step) * step}\u00a0m"
    return f"{number(metres / 1000, 1 if metres < 10_000 else 0)}\u00a0km"


def size(octets: int) -> str:
    """A file size: ``640 kB`` (``640 ko`` in French)."""
    letter = "o" if _state.language == "fr" else "B"
    if octets < 1000:
        return f"{octets}\u00a0{letter}"
    value, unit = (octets / 1000, "k") if octets < 1_000_000 else (octets / 1_000_000, "M")
    if value >= 1000:
        value, unit = value / 1000, "G"
    return f"{number(value, 0 if value >= 10 else 1)}\u00a0{unit}{letter}"


def country(code: str) -> str:
    """The name of a country by its two letters; the letters themselves when nobody knows them."""
    return str(_locale(_state.language).territories.get(code.upper(), code))


def listing(items: list[str]) -> str:
    """``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return tr("{first} and {last}", first=", ".join(items[:-1]), last=items[-1])


def _in_zone(moment: datetime, zone: str | None) -> datetime:
    return moment.astimezone(ZoneInfo(zone)) if zone else moment.astimezone()
