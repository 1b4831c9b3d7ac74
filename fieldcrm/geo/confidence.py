"""Whether a place that was found is the one that was meant: our own comparison, the same for every provider.

The street weighs half, the number a quarter, the town and postcode a quarter. A provider's own score can only lower
the result: BAN's is a likeness of texts, Nominatim's importance says nothing of the match and is left aside.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from fieldcrm.domain.outlet import DEGREE
from fieldcrm.domain.placing import (
    DOUBTFUL,
    ELSEWHERE,
    NO_ADDRESS,
    NOT_FOUND,
    NUMBER,
    PLACED,
    REFUSED,
    SEVERAL,
    STREET_ONLY,
    TOWN,
    TOWN_ONLY,
    WEAK,
    Address,
    Candidate,
    Placing,
    plain,
)
from fieldcrm.geo.distance import great_circle_m

SURE = 85  # of 100, from which on an outlet is placed without asking
WORTH = 50  # below, a candidate is not worth a look
APART_M = 250  # two candidates further from each other than this are two places
NEARLY = 5  # points of confidence within which a second candidate is as good

_SHORT = {"av": "avenue", "ave": "avenue", "bd": "boulevard", "bld": "boulevard", "blvd": "boulevard", "r": "rue",
          "pl": "place", "rte": "route", "ch": "chemin", "che": "chemin", "imp": "impasse", "all": "allee",
          "sq": "square", "fg": "faubourg", "fbg": "faubourg", "st": "saint", "ste": "sainte", "gal": "general",
          "dr": "docteur", "pt": "petit", "gd": "grand", "q": "quai", "crs": "cours"}  # fmt: skip

_PART_OF_TOWN = re.compile(r"[0-9]+(?:e|er|eme)?|arrondissement")


def judge(asked: Address, found: Sequence[Candidate], provider: str, at: datetime) -> Placing:
    """What becomes of an outlet with this address, now that the provider has answered."""
    if not asked.somewhere and not asked.street:
        return Placing(REFUSED, NO_ADDRESS, provider, at)
    if not asked.searchable:
        return Placing(REFUSED, TOWN_ONLY if asked.somewhere else NO_ADDRESS, provider, at, asked=asked.key)
    if not found:
        return Placing(REFUSED, NOT_FOUND, provider, at, asked=asked.key)
    here = [(confidence(asked, one), one) for one in found if not elsewhere(asked, one.address)]
    if not here:
        return Placing(REFUSED, ELSEWHERE, provider, at, asked=asked.key, found=found[0])
    ranked = sorted(here, key=lambda pair: -pair[0])
    score, best = ranked[0]

    def said(state: str, why: str = "") -> Placing:
        return Placing(state, why, provider, at, score, asked.key, best)

    if best.precision == TOWN:
        return said(REFUSED, TOWN_ONLY)
    if score < WORTH:
        return said(REFUSED, NOT_FOUND)
    if any(score - other <= NEARLY and _metres(best, one) > APART_M for other, one in ranked[1:]):
        return said(DOUBTFUL, SEVERAL)
    if best.precision != NUMBER:
        return said(DOUBTFUL, STREET_ONLY)
    return said(PLACED) if score >= SURE and in_the_town(asked, best.address) else said(DOUBTFUL, WEAK)


def elsewhere(asked: Address, found: Address) -> bool:
    """Another country, or another department and another town: whatever it is, it is not the one that was meant."""
    if asked.country and found.country and asked.country.upper() != found.country.upper():
        return True
    mine, theirs = _digits(asked.postcode), _digits(found.postcode)
    if mine and theirs and mine[:2] != theirs[:2]:
        return not _alike(asked.city, found.city) or (asked.country or "FR") == "FR"
    return bool(asked.city and found.city and not theirs and not _alike(asked.city, found.city))


def in_the_town(asked: Address, found: Address) -> bool:
    """Whether the town is the one that was meant, surely enough to place an outlet there without asking.

    A main street is in every town, so street and number prove nothing. Of two towns with one postcode the name decides;
    a name spelt otherwise needs the postcode; an arrondissement is its city.
    """
    mine, theirs = _digits(asked.postcode), _digits(found.postcode)
    a, b = _town(asked.city), _town(found.city)
    if not a or not b:
        return bool(mine) and mine == theirs
    if a == b:
        return True
    if not mine or mine != theirs:
        return False
    return _alike_whole(a, b) or a <= b or b <= a


def _town(city: str) -> frozenset[str]:
    """The words of a town's name, without what names a part of the town."""
    words = _spelt(city).split(" ")
    return frozenset(word for word in words if word and not _PART_OF_TOWN.fullmatch(word))


def _alike_whole(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    from rapidfuzz import fuzz

    return fuzz.ratio(" ".join(sorted(mine)), " ".join(sorted(theirs))) >= 80


def confidence(asked: Address, found: Candidate) -> int:
    """0 to 100."""
    street = _likeness(asked.street, found.address.street)
    town = max(_likeness(asked.city, found.address.city) if asked.city else 0.0,
               1.0 if asked.postcode and _digits(asked.postcode) == _digits(found.address.postcode) else 0.0)
    if asked.house_number:
        number = 1.0 if _house(asked.house_number) == _house(found.address.house_number) else (
            0.5 if _leading(asked.house_number) == _leading(found.address.house_number) != "" else 0.0)
    else:
        number = 0.6  # a street without a number is found as well as can be, and yet not a door
    score = 0.5 * street + 0.25 * number + 0.25 * town
    if 0 < found.score < 0.5 and found.address.country == "FR":
        score = min(score, 0.8)
    return round(100 * score)


def _likeness(mine: str, theirs: str) -> float:
    from rapidfuzz import fuzz

    a, b = _spelt(mine), _spelt(theirs)
    return fuzz.token_sort_ratio(a, b) / 100 if a and b else 0.0


def _alike(mine: str, theirs: str) -> bool:
    from rapidfuzz import fuzz

    a, b = _spelt(mine), _spelt(theirs)
    if not a or not b:
        return False
    first = a.split(" ")[0]
    return fuzz.ratio(a, b) >= 80 or (len(first) > 3 and first == b.split(" ")[0])


def _spelt(text: str) -> str:
    words = [_SHORT.get(word, word) for word in plain(text).split(" ")]
    return " ".join(word for word in words if word not in ("de", "du", "des", "la", "le", "les", "d", "l", "cedex"))


def _digits(text: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", text.upper())


def _house(text: str) -> str:
    return plain(text).replace(" ", "").replace("bis", "b").replace("ter", "t")


def _leading(text: str) -> str:
    found = re.match(r"\s*([0-9]+)", text)
    return found[1] if found else ""


def _metres(a: Candidate, b: Candidate) -> float:
    return great_circle_m((a.lat_e7 / DEGREE, a.lon_e7 / DEGREE), (b.lat_e7 / DEGREE, b.lon_e7 / DEGREE))
