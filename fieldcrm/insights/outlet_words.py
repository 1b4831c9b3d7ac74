"""Names, streets and numbers of outlets as they are compared: folded, abbreviations written out, numbers in one form.

The words are data: ``resources/duplicates/words.toml`` and ``enseignes.toml``.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from rapidfuzz.distance import OSA

from fieldcrm import resources

_WORD = re.compile(r"[^\W_]+")
_POSSESSIVE = re.compile(r"['\u2019\u02bc`]s\b")
_APOSTROPHE = re.compile(r"(?<=\w\w)['\u2019\u02bc`](?=\w)")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d"})
_COUNTRY_CODES = re.compile(r"[A-Z]{2}")
_ENDINGS = ("sarl", "eurl", "ltd")
LONGEST = 200  # characters of a text that are looked at
KEY_DIGITS = 8  # of a telephone number, from its end: what every way of writing it has in common


@dataclass(frozen=True, slots=True)
class Words:
    trade: Mapping[str, str]  # word -> the trade
    legal: frozenset[str]
    small: frozenset[str]
    short: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Enseigne:
    """``name`` folded; ``group`` is who owns it, or the name again when that is not known."""

    name: str
    group: str


NO_ENSEIGNE = Enseigne("", "")


@cache
def words() -> Words:
    content = tomllib.loads(resources.text("duplicates/words.toml"))
    trade = {word: name for name, members in content["trade"].items() for word in members.split()}
    return Words(trade, frozenset(content["legal"].split()), frozenset(content["small"].split()), content["short"])


@cache
def _enseignes() -> Mapping[tuple[str, ...], Enseigne]:
    """Every spelling, as folded words -> the enseigne."""
    found: dict[tuple[str, ...], Enseigne] = {}
    for group, members in tomllib.loads(resources.text("duplicates/enseignes.toml")).items():
        for name, spellings in members.items():
            one = Enseigne(" ".join(tokens(name)), group)
            for spelling in (name, *spellings):
                found[tokens(spelling)] = one
    return found


@lru_cache(50_000)
def tokens(text: str) -> tuple[str, ...]:
    """The words of a text: case and accents folded, abbreviations written out."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text[:LONGEST].casefold().translate(_LIGATURES))
        text = "".join(c for c in decomposed if not unicodedata.combining(c))
    text = text[:LONGEST].casefold()
    if "'" in text or "\u2019" in text or "`" in text or "\u02bc" in text:
        text = _APOSTROPHE.sub("", _POSSESSIVE.sub("s", text))
    short = words().short
    return tuple(part for word in _WORD.findall(text) for part in short.get(word, word).split())


def name_core(name: str) -> tuple[tuple[str, ...], bool]:
    """The words of a name that tell this shop from others, and whether there were none (``Pharmacie``: all then)."""
    known = words()
    found = tokens(name)
    found = tuple(word for at, word in enumerate(found) if not _legal(word, at, len(found))) or found
    core = tuple(word for word in found if word not in known.small and not _of_the_trade(word))
    return (core, False) if core else (found, True)


def said(found: tuple[str, ...]) -> str:
    """The words of a name but articles and legal forms; all of them where there is nothing else."""
    known = words()
    kept = [word for at, word in enumerate(found) if word not in known.small and not _legal(word, at, len(found))]
    return " ".join(kept or found)


def _legal(word: str, at: int, count: int) -> bool:
    """A legal form; as the last of some words also with a slip in it (``Gagin SALR``)."""
    if word in words().legal:
        return True
    return 0 < at == count - 1 and 3 <= len(word) <= 5 and any(OSA.distance(word, known) <= 1 for known in _ENDINGS)


@lru_cache(100_000)
def _of_the_trade(word: str) -> str:
    """The trade that a word names, also with a slip in it (``rentaurant``); ``""`` for any other word."""
    trade = words().trade
    if word in trade or len(word) < 6:
        return trade.get(word, "")
    for known, name in trade.items():
        if len(known) >= 6 and abs(len(known) - len(word)) <= 1 and OSA.distance(word, known, score_cutoff=1) <= 1:
            return name
    return ""


def trades_of(found: tuple[str, ...]) -> frozenset[str]:
    """The trades that the words of a name speak of; ``shop`` and its like say nothing."""
    return frozenset(map(_of_the_trade, found)) - {"", "shop"}


@lru_cache(20_000)
def enseigne_of(banner: str, name: str) -> Enseigne:
    """The enseigne that the banner says, or that the name begins with; one that the table does not know is its own."""
    table = _enseignes()
    said, begins = tokens(banner), tokens(name)
    chosen = NO_ENSEIGNE
    if said:
        chosen = table.get(said) or Enseigne(" ".join(said), " ".join(said))
    for length in (3, 2, 1):
        known = table.get(begins[:length]) if len(begins) >= length else None
        if known is not None:
            # "Carrefour" as banner and "Carrefour City Bercy" as name: the name says it more closely.
            return known if not said or known.group == chosen.group else chosen
    return chosen


def street_core(street: str) -> str:
    small = words().small
    return " ".join(word for word in tokens(street) if word not in small)


def house_numbers(text: str) -> frozenset[str]:
    """``12 bis`` and ``12b`` are one; ``12-14`` is both its ends."""
    found = re.findall(r"(\d{1,5})\s*(bis|ter|quater|[a-d])?(?![a-z])", text.casefold()[:LONGEST])
    return frozenset(number + suffix[:1] for number, suffix in found)


def phones_of(text: str, country: str | None) -> tuple[str, ...]:
    """Each number in E.164, or ``~`` and its digits where the country is not known; several are parted by ``;``."""
    region = country.upper() if country and _COUNTRY_CODES.fullmatch(country.upper()) else ""
    found = (_phone(part.strip(), region) for part in re.split(r"[;,|]| / ", text[:LONGEST]) if part.strip())
    return tuple(dict.fromkeys(filter(None, found)))


@lru_cache(20_000)
def _phone(text: str, region: str) -> str:
    text = re.split(r"(?:x|ext\.?|poste)\s*\d+\s*$", text, maxsplit=1, flags=re.IGNORECASE)[0]
    digits = "".join(c for c in text.replace("(0)", "") if c in "0123456789")
    if len(digits) < 5:
        return ""
    if text.lstrip().startswith("+") or digits.startswith("00"):
        international = digits.removeprefix("00")
        return "+33" + international[3:] if international.startswith("330") else "+" + international
    if region == "FR" and len(digits) == 10 and digits[0] == "0":
        return "+33" + digits[1:]
    return _national(digits, region) if region else "~" + digits


def _national(digits: str, region: str) -> str:
    import phonenumbers

    try:
        parsed = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return "~" + digits
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def same_phone(one: str, other: str) -> bool:
    """E.164 against E.164 is whole; where either is without its country, the last digits decide."""
    if one[:1] == "+" == other[:1]:
        return one == other
    return one[-KEY_DIGITS:] == other[-KEY_DIGITS:] and min(len(one), len(other)) > KEY_DIGITS


def web_of(website: str) -> tuple[str, str]:
    """``(domain, domain and path)``, both ``""`` when it is no address."""
    bare = re.sub(r"^\s*(?:https?:)?(?://)?(?:www\d?\.)?", "", website.casefold()[:LONGEST]).strip().rstrip("/")
    domain = re.split(r"[/?#:]", bare, maxsplit=1)[0]
    return (domain, bare.split("?")[0].split("#")[0].rstrip("/")) if "." in domain else ("", "")
