"""What the values of a column look like, whatever its header says: shares from 0 to 1 of those that are not empty."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opening_hours import OpeningHours
from opening_hours import ParserError as _ParserError  # type: ignore[attr-defined]

from fieldcrm.domain.siret import luhn
from fieldcrm.exchange import positions, values
from fieldcrm.exchange.mapping import folded
from fieldcrm.exchange.vocabulary import words_of

_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>.]+(?:\.[^@\s,;<>.]+)+")
_URL = re.compile(
    r"(?:https?://|www\.)\S+|[a-z0-9\-]+(?:\.[a-z0-9\-]+)*\.(?:fr|com|net|org|eu|be|ch|uk|ie|de|io)(?:/\S*)?", re.I
)
_PHONE = re.compile(r"(?:\+|00)?[0-9(][0-9 .()/\-\u00a0\u202f]{6,20}[0-9]")
_POSTCODE = re.compile(  # FR DE ES IT FI, BE CH, GB, IE, MT, NL, CA, PL PT, SE
    r"[0-9]{5}|[0-9]{4}|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}|[A-Z][0-9]{2} ?[A-Z0-9]{4}|[A-Z]{3} ?[0-9]{4}|"
    r"[0-9]{4} ?[A-Z]{2}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]|[0-9]{2,4}-[0-9]{3,4}|[0-9]{3} [0-9]{2}|[A-Z]-[0-9]{4,5}",
    re.I,
)
_STREET = re.compile(
    r"\b(rue|avenue|av|ave|bd|boulevard|blvd|place|pl|chemin|route|rte|quai|impasse|all[ée]e|cours|square|faubourg|"
    r"zone|zac|za|zi|street|st|road|rd|lane|drive|way|high street|close|court|terrace|parade|park|centre commercial|"
    r"c\.?cial|lieu[- ]dit|esplanade|passage|rond[- ]point|row|hill|green|gardens|crescent|quay|walk|broadway|"
    r"strand)\b",
    re.I,
)
_NUMBERED = re.compile(r"[0-9]{1,4}\s?(?:bis|ter|quater|[a-z])?(?:\s?[-/]\s?[0-9]{1,4})?", re.I)
_DATE = re.compile(r"[0-9]{1,2}[/.\-][0-9]{1,2}[/.\-][0-9]{2,4}(?: .*)?|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].*)?")
_ONE_LINE = re.compile(r".*[A-Za-z].*[, ]\s*(?:[0-9]{5}\s+\S+.*|.*\b[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}\b.*)")
_CODE_TOWN = re.compile(r"[0-9]{5} [A-Za-zÀ-ÿ][^0-9,]{1,60}")
_CODE = re.compile(r"[A-Za-z#]{0,6}[-_/ ]?[A-Za-z]{0,4}[-_/]?[0-9][0-9A-Za-z\-_/]{0,24}")
_RHYTHMS = frozenset("7 10 14 15 20 21 28 30 35 42 45 56 60 84 90 112 120 168 180 182 365".split())
_SLOT = re.compile(r"\b(?:Mo|Tu|We|Th|Fr|Sa|Su)\b")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one column. ``filled``: of its rows; ``distinct``: of its values. The rest: how many look like one."""

    filled: float = 0.0
    distinct: float = 0.0
    email: float = 0.0
    url: float = 0.0
    phone: float = 0.0
    postcode: float = 0.0
    siret: float = 0.0
    siren: float = 0.0
    street: float = 0.0
    one_line: float = 0.0
    house_number: float = 0.0
    hours: float = 0.0
    date: float = 0.0
    pair: float = 0.0
    angle: float = 0.0  # degrees, minutes and seconds
    numeric: float = 0.0
    whole: float = 0.0
    lowest: float = 0.0
    highest: float = 0.0
    letters: float = 0.0  # values that hold a letter
    length: float = 0.0
    store_type: float = 0.0
    state: float = 0.0
    segment: float = 0.0
    country: float = 0.0
    state_words: float = 0.0  # words for a state that are not just yes and no
    code_town: float = 0.0  # "35000 RENNES"
    coded: float = 0.0  # a key: digits, with few letters or none, and no blank
    zip: float = 0.0  # a postcode with letters, as no other code is written
    rhythm: float = 0.0  # days between visits as people choose them
    many: bool = False  # enough values for ``distinct`` to mean something


def look(cells: Sequence[str]) -> Evidence:
    """The evidence of a column's sample."""
    found = [text for cell in cells if (text := cell.strip()) and not values.is_nothing(text)]
    if not found:
        return Evidence()
    numbers = [value for value in map(_number, found) if value is not None]

    def share(test: Callable[[str], object]) -> float:
        return sum(1 for text in found if test(text)) / len(found)

    return Evidence(
        filled=len(found) / len(cells), distinct=len(set(found)) / len(found),
        email=share(_EMAIL.fullmatch), url=share(_URL.fullmatch), phone=share(_is_phone),
        postcode=share(_POSTCODE.fullmatch), siret=share(lambda text: _digits(text, 14)),
        siren=share(lambda text: _digits(text, 9)), street=share(_STREET.search), one_line=share(_ONE_LINE.fullmatch),
        house_number=share(_NUMBERED.fullmatch), hours=share(_is_hours), date=share(_DATE.fullmatch),
        pair=share(_is_pair), angle=share(_is_angle), numeric=len(numbers) / len(found),
        whole=sum(1 for value in numbers if value == int(value)) / len(found),
        lowest=min(numbers, default=0.0), highest=max(numbers, default=0.0),
        letters=share(lambda text: any(map(str.isalpha, text))), length=sum(map(len, found)) / len(found),
        store_type=share(lambda text: folded(text) in words_of("store_type")),
        state=share(lambda text: folded(text) in words_of("state")),
        segment=share(lambda text: folded(text) in words_of("segment")), country=share(_is_country),
        state_words=share(_is_state), code_town=share(_CODE_TOWN.fullmatch), coded=share(_is_code),
        zip=share(lambda text: _POSTCODE.fullmatch(text) and any(map(str.isalpha, text)) and " " in text.strip()),
        rhythm=share(lambda text: text in _RHYTHMS), many=len(found) >= 8,
    )  # fmt: skip


def _number(text: str) -> float | None:
    if text[:1] == "+":
        return None
    try:
        value = float(re.sub(r"[\s\u00a0\u202f]", "", text).replace(",", "."))
    except ValueError:
        return None
    return value if abs(value) < 1e15 else None


def _digits(text: str, count: int) -> bool:
    digits = re.sub(r"[\s\u00a0\u202f]", "", text)
    return len(digits) == count and digits.isdecimal() and digits.isascii() and luhn(digits)


def _is_phone(text: str) -> bool:
    digits = sum(map(str.isdecimal, text))
    if _DATE.fullmatch(text) or not _PHONE.fullmatch(text) or not 8 <= digits <= 15:
        return False
    if "." in text and text.count(".") == 1 and " " not in text:
        return False  # a decimal number
    # A bare run of digits is a telephone only as one is written where it begins with 0, 33 or 44, or in nine.
    if not text.isdecimal():
        return True
    return (text[0] == "0") == (digits == 10) if digits in (9, 10) else text.startswith(("33", "44"))


def _is_hours(text: str) -> bool:
    if text != "24/7" and not _SLOT.search(text):
        return False
    try:
        OpeningHours(text)
    except _ParserError:
        return False
    return True


def _is_pair(text: str) -> bool:
    if len(text) > 60 or not any(map(str.isdecimal, text)) or not ("." in text or "," in text or "°" in text):
        return False
    try:
        lat, lon = positions.pair(text)
    except ValueError:
        return False
    return abs(lat) <= 180 and abs(lon) <= 180 and not (lat == int(lat) and lon == int(lon))


def _is_state(text: str) -> bool:
    word = folded(text)
    return len(word) > 3 and word in words_of("state") and word not in ("true", "false", "vrai", "faux")


def _is_code(text: str) -> bool:
    if not _CODE.fullmatch(text) or not any(map(str.isdecimal, text)):
        return len(text) >= 16 and text.isalnum() and not text.isalpha()
    return "." not in text and not _DATE.fullmatch(text) and not _is_phone(text)


def _is_angle(text: str) -> bool:
    if not any(sign in text for sign in "°º'’"):
        return False
    try:
        positions.number(text)
    except ValueError:
        return False
    return True


def _is_country(text: str) -> bool:
    return len(text) > 1 and values.is_country(text)
