"""How likely it is that two outlets are one, and why: log-odds over compared fields, after Fellegi and Sunter.

Each field is compared at one of a few levels (``phone``: same, differs); each level has a weight, and the sum of the
weights with the prior is the log-odds that the two are one. What is missing on either side has no level and no weight:
it speaks neither for nor against. The weights are data (``resources/duplicates/weights.json``, which says how they were
made). Everything here is symmetric: the order of the two does not matter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from math import cos, exp, hypot, radians
from typing import Any

from rapidfuzz import fuzz

from fieldcrm import resources
from fieldcrm.domain.earth import METRES_A_DEGREE
from fieldcrm.insights import outlet_words as _words
from fieldcrm.insights.name_levels import IN_PART, STRONG, name_level

DEGREE = 10_000_000
EVIDENCE = ("name", "enseigne", "distance", "phone", "siret", "address", "place", "web", "email", "trade")
DISTANCES = (15, 40, 80, 150, 300, 1000)  # metres; the last level is beyond
_FREE_MAIL = frozenset(
    "gmail.com hotmail.com hotmail.fr outlook.com outlook.fr yahoo.com yahoo.fr orange.fr wanadoo.fr free.fr sfr.fr "
    "laposte.net live.fr live.com icloud.com bbox.fr aol.com gmx.fr gmx.com".split()
)

NAMED, PARTLY = ".named", ".partly"  # after a level: beside a name that agrees, or that agrees in part
BESIDE = frozenset({"distance", "phone", "trade"})  # the evidence whose levels are told apart by the name beside them

Levels = Mapping[str, str]  # evidence -> level; what is missing has none


@dataclass(frozen=True, slots=True)
class Raw:
    """What is known of one outlet, as it is kept; degrees x 10^7. ``common``: outlets of the base with its name."""

    name: str = ""
    banner: str = ""
    store_type: str = ""
    house_number: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    phone: str = ""
    email: str = ""
    website: str = ""
    siret: str = ""
    lat_e7: int | None = None
    lon_e7: int | None = None


@dataclass(slots=True)
class Prepared:
    """One outlet ready to be compared: made once, compared with many."""

    core: str
    own: str  # of the name without its enseigne: which store of the chain
    squeezed: str  # the words of the core in order of the alphabet, without spaces
    whole: str  # every word of the name, without spaces
    words: frozenset[str]  # every word of the name
    said: str  # every word of the name but articles and legal forms
    trades: frozenset[str]  # that the name speaks of
    generic: bool
    enseigne: str
    group: str
    trade: str
    numbers: frozenset[str]
    street: str
    postcode: str
    city: str
    phones: tuple[str, ...]
    siret: str
    domain: str
    page: str
    email: str
    lat: float | None  # degrees
    lon: float | None
    common: int = 1  # outlets of the base with the very same words as name
    rare: frozenset[str] = frozenset()  # words of the core that hardly any other outlet has


def prepare(raw: Raw) -> Prepared:
    core, generic = _words.name_core(raw.name)
    enseigne = _words.enseigne_of(raw.banner[:100], raw.name[:100])
    chain = frozenset(enseigne.name.split())
    own = " ".join(word for word in core if word not in chain)
    whole = _words.tokens(raw.name)
    domain, page = _words.web_of(raw.website) if raw.website else ("", "")
    digits = "".join(c for c in raw.siret if c in "0123456789") if raw.siret else ""
    mapped = raw.lat_e7 is not None and raw.lon_e7 is not None
    return Prepared(
        core=" ".join(core),
        own="" if generic else own,
        squeezed="".join(sorted(core)),
        whole="".join(whole),
        words=frozenset(whole),
        said=_words.said(whole),
        trades=_words.trades_of(whole),
        generic=generic,
        enseigne=enseigne.name,
        group=enseigne.group,
        trade=raw.store_type,
        numbers=_words.house_numbers(raw.house_number) if raw.house_number else frozenset(),
        street=_words.street_core(raw.street) if raw.street else "",
        postcode="".join(raw.postcode.casefold().split()),
        city=" ".join(_words.tokens(raw.city)) if raw.city else "",
        phones=_words.phones_of(raw.phone, raw.country) if raw.phone else (),
        siret=digits if len(digits) == 14 else "",
        domain=domain,
        page=page,
        email=raw.email.strip().casefold() if "@" in raw.email else "",
        lat=raw.lat_e7 / DEGREE if mapped and raw.lat_e7 is not None else None,
        lon=raw.lon_e7 / DEGREE if mapped and raw.lon_e7 is not None else None,
    )


def metres_between(one: Prepared, other: Prepared) -> float | None:
    """Over the ground, or ``None`` when either is not mapped; exact to a thousandth within a few kilometres."""
    if one.lat is None or one.lon is None or other.lat is None or other.lon is None:
        return None
    height = one.lat - other.lat
    width = (one.lon - other.lon) * cos(radians((one.lat + other.lat) / 2))
    return hypot(height, width) * METRES_A_DEGREE


# ---- comparing, field by field -----------------------------------------------------------------------------------


def compare(one: Prepared, other: Prepared, *, ignored_phones: frozenset[str] = frozenset()) -> dict[str, str]:
    """The level of each kind of evidence; what is missing on either side is left out."""
    metres = metres_between(one, other)
    name = name_level(one, other)
    # A name that agrees makes less of a distance, of another trade, and of a telephone that a house shares.
    beside = NAMED if name in STRONG else PARTLY if name in IN_PART else ""
    found = {
        "name": name,
        "enseigne": _enseigne(one, other),
        "distance": "" if metres is None else _distance(metres) + beside,
        "phone": _beside(_phone(one, other, ignored_phones), beside) if one.phones and other.phones else "",
        "siret": _siret(one.siret, other.siret) if one.siret and other.siret else "",
        "address": _address(one, other) if one.street and other.street else "",
        "place": _place(one, other),
        "web": _web(one, other) if one.domain and other.domain else "",
        "email": _email(one.email, other.email) if one.email and other.email else "",
        "trade": _trade(one.trade, other.trade) + beside if one.trade and other.trade else "",
    }
    return {evidence: level for evidence, level in found.items() if level}


def _beside(level: str, name: str) -> str:
    return level + name if level else ""


def plain(level: str) -> str:
    """A level without what it says of the name beside it."""
    return level.removesuffix(NAMED).removesuffix(PARTLY)


def _enseigne(one: Prepared, other: Prepared) -> str:
    if not one.enseigne or not other.enseigne:
        return ""
    if one.enseigne == other.enseigne:
        return "same"
    if one.group == other.group:
        return "same_group"
    return "same" if fuzz.ratio(one.enseigne, other.enseigne) >= 88 else "differs"


def _distance(metres: float) -> str:
    return next((f"within_{limit}" for limit in DISTANCES if metres <= limit), "beyond")


def _phone(one: Prepared, other: Prepared, ignored: frozenset[str]) -> str:
    mine = [number for number in one.phones if number not in ignored]
    theirs = [number for number in other.phones if number not in ignored]
    if not mine or not theirs:
        return ""
    return "same" if any(_words.same_phone(a, b) for a in mine for b in theirs) else "differs"


def _siret(one: str, other: str) -> str:
    if one == other:
        return "same"
    return "same_company" if one[:9] == other[:9] else "differs"


def _address(one: Prepared, other: Prepared) -> str:
    alike = one.street == other.street or fuzz.token_sort_ratio(one.street, other.street) >= 86
    if not alike:
        return "other_street"
    if not one.numbers or not other.numbers:
        return "same_street"
    return "same" if one.numbers & other.numbers else "other_number"


def _place(one: Prepared, other: Prepared) -> str:
    if one.postcode and other.postcode:
        return "same" if one.postcode == other.postcode else "differs"
    if one.city and other.city:
        return "same" if one.city == other.city or fuzz.ratio(one.city, other.city) >= 88 else "differs"
    return ""


def _web(one: Prepared, other: Prepared) -> str:
    if one.domain != other.domain:
        return "differs"
    return "same" if one.page == other.page else "same_domain"


def _email(one: str, other: str) -> str:
    if one == other:
        return "same"
    domain = one.rpartition("@")[2]
    return "same_domain" if domain == other.rpartition("@")[2] and domain not in _FREE_MAIL else "differs"


def _trade(one: str, other: str) -> str:
    if one == other:
        return "same"
    return "pump_and_shop" if "petrol" in (one, other) else "differs"


# ---- weights, rules, score ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Model:
    """``weights[evidence][level]`` in natural log-odds; ``prior`` is that of a pair which blocking has found."""

    prior: float
    weights: Mapping[str, Mapping[str, float]]
    certain: float
    likely: float
    standing: Mapping[str, float] = field(default_factory=dict)  # how a pair stands among others -> log-odds

    def log_odds(self, levels: Levels, evidence: frozenset[str] | None = None) -> float:
        total = self.prior
        for name, level in levels.items():
            if evidence is None or name in evidence:
                total += self.weights.get(name, {}).get(level, 0.0)
        return total


@cache
def model() -> Model:
    content = json.loads(resources.text("duplicates/weights.json"))
    return Model(content["prior"], content["weights"], content["certain"], content["likely"],
                 content["standing"])


def probability(log_odds: float) -> float:
    return 1 / (1 + exp(-log_odds)) if log_odds > -60 else 0.0


@dataclass(frozen=True, slots=True)
class Rules:
    """What the organisation has settled about duplicates. Probabilities 0 to 1, metres."""

    certain: float = 0.97  # from here on a pair may be merged without a look
    look: float = 0.5  # from here on a pair is shown
    max_distance_m: int = 300
    evidence: frozenset[str] = frozenset(EVIDENCE)
    same_enseigne: bool = False
    ignored_phones: frozenset[str] = field(default_factory=frozenset)  # E.164: of a head office, a call centre

    @classmethod
    def from_value(cls, value: Any) -> Rules:
        """The rules as they are kept; whatever is not of the right kind falls back to the default."""
        given = value if isinstance(value, Mapping) else {}
        chosen = given.get("evidence")
        phones = given.get("ignored_phones")
        distance = given.get("max_distance_m")
        look = _share(given.get("look")) or 0.5
        return cls(
            certain=max(look, _share(given.get("certain")) or model().certain),
            look=look,
            max_distance_m=distance if type(distance) is int and 10 <= distance <= 5000 else 300,
            evidence=frozenset(map(str, chosen)) & frozenset(EVIDENCE) if isinstance(chosen, list) else cls().evidence,
            same_enseigne=given.get("same_enseigne") is True,
            ignored_phones=frozenset(map(str, phones)) if isinstance(phones, list) else frozenset(),
        )

    def as_value(self) -> dict[str, Any]:
        return {
            "certain": self.certain,
            "look": self.look,
            "max_distance_m": self.max_distance_m,
            "evidence": [name for name in EVIDENCE if name in self.evidence],
            "same_enseigne": self.same_enseigne,
            "ignored_phones": sorted(self.ignored_phones),
        }


def _share(value: Any) -> float:
    return float(value) if type(value) in (int, float) and 0 < value < 1 else 0.0


def judge(levels: Levels, metres: float | None, rules: Rules, standing: str = "") -> float:
    """The probability that the two are one under ``rules``; 0 where a rule shuts the pair out.

    ``standing``: a level of ``duplicate_standing``, where all pairs of the base are known.
    """
    odds = admitted(levels, metres, rules)
    return 0.0 if odds is None else probability(odds + model().standing.get(standing, 0.0))


def admitted(levels: Levels, metres: float | None, rules: Rules) -> float | None:
    """The log-odds of a pair by itself under ``rules``; none where a rule shuts it out."""
    if rules.same_enseigne and levels.get("enseigne") not in (None, "same"):
        return None
    sure = levels.get("siret") == "same" and "siret" in rules.evidence
    if metres is not None and metres > rules.max_distance_m and not sure:
        return None
    return model().log_odds(levels, rules.evidence)


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for (``strength`` above 0) or against; ``code`` is ``evidence.level``."""

    code: str
    strength: float
    params: Mapping[str, Any]


def reasons(
    levels: Levels, metres: float | None, rules: Rules, standing: str = "", *, least: float = 0.25
) -> tuple[Reason, ...]:
    """Why, the weightiest first; what hardly weighs is left out, but the distance always stands."""
    found = []
    for evidence, level in levels.items():
        if evidence not in rules.evidence:
            continue
        weight = model().weights.get(evidence, {}).get(level, 0.0)
        if abs(weight) >= least or evidence == "distance":
            params = {"metres": round(metres)} if evidence == "distance" and metres is not None else {}
            found.append(Reason(f"{evidence}.{plain(level)}", round(weight, 2), params))
    beside = model().standing.get(standing, 0.0)
    if abs(beside) >= least:
        found.append(Reason(f"standing.{standing}", round(beside, 2), {}))
    return tuple(sorted(found, key=lambda one: (-abs(one.strength), one.code)))
