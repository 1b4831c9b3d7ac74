"""Outlets that may be the one being typed: shown while typing, never in the way.

The same model judges here and over the whole base (``insights.duplicates``); only what to compare is found otherwise:
by the R*Tree around the position, by the indexes of telephone and SIRET, and by the words of the name.
"""

from __future__ import annotations

from dataclasses import dataclass

from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import Outlet
from fieldcrm.insights.duplicates import (
    Prepared,
    Raw,
    Reason,
    Rules,
    compare,
    judge,
    metres_between,
    plain,
    prepare,
    reasons,
)
from fieldcrm.insights.name_levels import COMMON, rare_below
from fieldcrm.insights.outlet_words import KEY_DIGITS, name_core, tokens
from fieldcrm.store import duplicates as _duplicates
from fieldcrm.store import outlets as _outlets
from fieldcrm.store import rules as _rules
from fieldcrm.store.database import Reader

SHOWN = 3
WORTH = 0.35  # probability below which a likeness is not worth a word: little is typed yet


@dataclass(frozen=True, slots=True)
class Lookalike:
    """``score`` of 100: the probability that the two are one. ``reasons``: the weightiest first."""

    outlet: Outlet
    score: int
    reasons: tuple[Reason, ...]
    distance_m: int | None


@dataclass(frozen=True, slots=True)
class Typed:
    """What has been typed so far of a new outlet."""

    name: str = ""
    banner: str = ""
    city: str = ""
    postcode: str = ""
    phone: str = ""
    siret: str = ""
    lat_e7: int | None = None
    lon_e7: int | None = None
    store_type: str = ""
    house_number: str = ""
    street: str = ""
    country: str = ""
    email: str = ""
    website: str = ""


def lookalikes(r: Reader, typed: Typed, *, other_than: Id | None = None) -> tuple[Lookalike, ...]:
    """The most likely doubles of what is typed, best first: at most three, in a few milliseconds."""
    mine = prepare(_raw(typed))
    rules = Rules.from_value(_rules.value(r, "duplicates"))
    rids = _blocked(r, typed, mine, rules)
    if not rids:
        return ()
    mine.common = min(COMMON, _duplicates.name_count(r, mine.core.split(), COMMON + 1)) if mine.core else 1
    judged = []
    rare = RareWords(r)
    mine.rare = rare.of(mine)
    for row in _duplicates.raw_rows(r, rids, closed=True):
        theirs = prepare(raw_of(row[1:]))
        theirs.rare = rare.of(theirs, beside=mine)
        levels = compare(mine, theirs, ignored_phones=rules.ignored_phones)
        metres = metres_between(mine, theirs)
        score = judge(levels, metres, rules)
        keyed = plain(levels.get("phone", "")) == "same" or levels.get("siret") == "same"
        if keyed or score >= WORTH:  # the same number is worth a word whatever the names
            judged.append((score, row[0], metres, levels))
    best = sorted(judged, key=lambda one: (-one[0], one[1]))[: SHOWN + 1]
    outlets = _outlets.outlets_at(r, [one[1] for one in best])
    found = [
        Lookalike(
            outlets[rid], round(100 * score), reasons(levels, metres, rules), None if metres is None else round(metres)
        )
        for score, rid, metres, levels in best
        if outlets[rid].id != other_than
    ]
    return tuple(found[:SHOWN])


class RareWords:
    """Which words of a name hardly any other outlet has, by the index of names; each word is counted once."""

    def __init__(self, r: Reader) -> None:
        self._r, self._known = r, dict[str, bool]()
        self._most = rare_below(_duplicates.last_rid(r))

    def of(self, one: Prepared, beside: Prepared | None = None) -> frozenset[str]:
        """``beside``: only words of a name that shares its beginning with a rare word there are looked up."""
        words = one.core.split()
        if beside is not None:
            starts = {word[:2] for word in beside.rare}
            words = [word for word in words if word[:2] in starts]
        return frozenset(word for word in words if self._is_rare(word))

    def _is_rare(self, word: str) -> bool:
        if word not in self._known:
            self._known[word] = _duplicates.name_count(self._r, [word], self._most + 1) <= self._most
        return self._known[word]


def lookalikes_of(r: Reader, outlet: Outlet) -> tuple[Lookalike, ...]:
    """The most likely doubles of an outlet as it stands, itself left out: for the card, after an edit."""
    texts = {
        name: getattr(outlet, name) or ""
        for name in ("name", "banner", "city", "postcode", "phone", "siret", "store_type", "house_number", "street",
                     "country", "email", "website")
    }  # fmt: skip
    return lookalikes(r, Typed(**texts, lat_e7=outlet.lat_e7, lon_e7=outlet.lon_e7), other_than=outlet.id)


def _raw(typed: Typed) -> Raw:
    return Raw(**{name: getattr(typed, name) for name in Raw.__dataclass_fields__})


def raw_of(columns: tuple[object, ...]) -> Raw:
    """What the store gives, in the order of its ``DUPLICATE_COLUMNS``."""
    return Raw(*("" if value is None else value for value in columns[:-2]), *columns[-2:])  # type: ignore[arg-type]


def _blocked(r: Reader, typed: Typed, mine: Prepared, rules: Rules) -> list[int]:
    """Row numbers of what is worth comparing."""
    found: list[int] = []
    named = len(typed.name.strip()) >= 3
    if typed.lat_e7 is not None and typed.lon_e7 is not None and named:
        found += _duplicates.near(r, (typed.lat_e7, typed.lon_e7), min(300, rules.max_distance_m))
    for number in mine.phones:
        if number not in rules.ignored_phones and sum(c.isdigit() for c in number) >= KEY_DIGITS:
            found += _duplicates.same_phone(r, number)
    if len(mine.siret) == 14:
        found += _duplicates.same_company(r, mine.siret[:9])
    if named:
        core, _ = name_core(typed.name)
        where = [*tokens(typed.postcode), *tokens(typed.city)]
        found += _duplicates.same_words(r, core, where)
    return list(dict.fromkeys(found))
