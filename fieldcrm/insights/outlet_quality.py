"""What is wrong with an outlet, what is missing, and how fresh it is: rules as data.

``check`` gives the findings about one outlet. Those that follow from the calendar alone (not confirmed, not visited)
are not among them: they change without the outlet changing, and are asked of the table when a page is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fieldcrm.domain.outlet import DEGREE
from fieldcrm.insights import outlet_values as values
from fieldcrm.insights.outlet_surroundings import Surroundings, metres_between, outside, region_of
from fieldcrm.insights.outlet_values import PHONE_FORMS, Remark, country_code

ERROR, WARNING, NOTE = 3, 2, 1


@dataclass(frozen=True, slots=True)
class Kind:
    """``calendar``: follows from today's date; its findings are not kept, but asked for."""

    code: str
    severity: int
    calendar: bool = False


# In the order of the page: what makes an outlet unreachable first, style last.
KINDS: Mapping[str, Kind] = {kind.code: kind for kind in (
    Kind("position_zero", ERROR), Kind("position_swapped", ERROR), Kind("position_outside", ERROR),
    Kind("position_far", WARNING), Kind("position_shared", WARNING),
    Kind("phone_invalid", ERROR), Kind("email_invalid", ERROR), Kind("website_invalid", WARNING),
    Kind("siret_invalid", ERROR), Kind("siret_is_siren", WARNING),
    Kind("postcode_invalid", ERROR), Kind("postcode_elsewhere", WARNING), Kind("city_spelling", WARNING),
    Kind("hours_invalid", WARNING), Kind("value_impossible", WARNING), Kind("banner_missing", WARNING),
    Kind("not_confirmed", WARNING, calendar=True), Kind("not_visited", WARNING, calendar=True),
    Kind("incomplete", WARNING, calendar=True),
    Kind("spaces", NOTE), Kind("capitals", NOTE), Kind("phone_style", NOTE), Kind("email_style", NOTE),
    Kind("website_style", NOTE), Kind("siret_style", NOTE), Kind("postcode_style", NOTE),
)}  # fmt: skip

# Field -> weight of the completeness. Their order is that of the bits of ``missing``: it is kept on devices.
WEIGHTS: Mapping[str, int] = {
    "position": 20, "phone": 15, "name": 10, "store_type": 10, "street": 10, "opening_hours": 10, "siret": 10,
    "postcode": 5, "city": 5, "segment": 5, "email": 0, "website": 0, "banner": 0, "surface_m2": 0,
}  # fmt: skip
BITS: Mapping[str, int] = {name: 1 << at for at, name in enumerate(WEIGHTS)}


class Facts(NamedTuple):
    """The columns that are judged, as they are kept."""

    name: str
    banner: str | None
    store_type: str | None
    segment: str | None
    house_number: str | None
    street: str | None
    postcode: str | None
    city: str | None
    country: str | None
    lat_e7: int | None
    lon_e7: int | None
    phone: str | None
    email: str | None
    website: str | None
    opening_hours: str | None
    siret: str | None
    surface_m2: int | None
    visit_minutes: int | None


class Finding(NamedTuple):
    """``suggestion`` is the value to write (a position as ``lat, lon`` in degrees, ``""`` to take the value away)."""

    code: str
    field: str
    value: str
    suggestion: str | None = None
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """What an organisation may set under the rule ``quality``."""

    confirm_days: int = 180
    visit_days: int = 365
    incomplete_below: int = 50  # of 100
    phone_form: str = values.ANY
    alerts: bool = False  # whether an outlet not confirmed becomes a task for the sector's rep
    alert_ahead_days: int = 14  # before the visit that is due
    alert_most: int = 50  # open at once in a sector
    home: str = "FR"  # of outlets that name no country
    weights: Mapping[str, int] = field(default_factory=lambda: WEIGHTS)
    # Column, weight and bit of each field that counts: what every outlet is asked for.
    asked: tuple[tuple[int, int, int], ...] = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        columns = {name: at for at, name in enumerate(Facts._fields)} | {"position": Facts._fields.index("lat_e7")}
        asked = tuple((columns[name], weight, BITS[name]) for name, weight in self.weights.items() if weight)
        object.__setattr__(self, "asked", asked)

    @classmethod
    def of(cls, document: Any) -> Rules:
        """Known values of a settings document, each within its limits; anything else in it is left aside."""
        if not isinstance(document, Mapping):
            return cls()
        made: dict[str, Any] = {}
        for name, (low, high) in _LIMITS.items():
            value = document.get(name)
            if type(value) is int and low <= value <= high:
                made[name] = value
        if type(document.get("alerts")) is bool:
            made["alerts"] = document["alerts"]
        if document.get("phone_form") in PHONE_FORMS:
            made["phone_form"] = document["phone_form"]
        if home := country_code(document["home"] if isinstance(document.get("home"), str) else None):
            made["home"] = home
        weights = document.get("weights")
        if isinstance(weights, Mapping):
            given = {name: value for name, value in weights.items()
                     if name in WEIGHTS and type(value) is int and 0 <= value <= 100}
            made["weights"] = {**WEIGHTS, **given}
        return cls(**made)

    def document(self) -> dict[str, Any]:
        named = (*_LIMITS, "alerts", "phone_form", "home")
        made: dict[str, Any] = {name: getattr(self, name) for name in named}
        if dict(self.weights) != dict(WEIGHTS):
            made["weights"] = dict(self.weights)
        return made


_LIMITS: Mapping[str, tuple[int, int]] = {
    "confirm_days": (7, 3650), "visit_days": (30, 3650), "incomplete_below": (1, 100), "alert_ahead_days": (1, 90),
    "alert_most": (1, 500),
}


_POSITION, _SIRET = BITS["position"], BITS["siret"]


def completeness(facts: Facts, rules: Rules) -> tuple[int, int]:
    """From 0 to 100, and the missing fields as bits (``BITS``). A SIRET is asked for in France alone."""
    missing = got = possible = 0
    french = country_code(facts.country, rules.home) == "FR"
    half = (facts.lat_e7 is None) != (facts.lon_e7 is None)
    for column, weight, bit in rules.asked:
        if bit == _SIRET and not french:
            continue
        value = facts[column]
        possible += weight
        if value is None or value == "" or (bit == _POSITION and half):
            missing |= bit
        else:
            got += weight
    return (100 * got + possible // 2) // possible if possible else 100, missing


def missing_fields(bits: int, rules: Rules) -> tuple[str, ...]:
    """The fields that would raise the completeness, the weightiest first."""
    names = [name for name, bit in BITS.items() if bits & bit and rules.weights.get(name, 0)]
    return tuple(sorted(names, key=lambda name: -rules.weights[name]))


def check(facts: Facts, around: Surroundings, rules: Rules) -> list[Finding]:
    """Everything to be said about an outlet but what the calendar says; the same outlet gives the same list."""
    region = country_code(facts.country, rules.home)
    found = list(_texts(facts, around))
    if facts.phone:
        _add(found, values.phone(facts.phone, region, rules.phone_form), "phone", facts.phone)
    if facts.email:
        _add(found, values.email(facts.email), "email", facts.email)
    if facts.website:
        _add(found, values.website(facts.website), "website", facts.website)
    if facts.siret and region == "FR":
        _add(found, values.siret(facts.siret), "siret", facts.siret)
    if facts.postcode:
        _add(found, values.postcode(facts.postcode, region), "postcode", facts.postcode)
    if facts.opening_hours and not values.hours_read(facts.opening_hours):
        found.append(Finding("hours_invalid", "opening_hours", facts.opening_hours))
    if not facts.banner and around.banners:
        banner = around.banner_of(facts.name)
        if banner is not None:
            found.append(Finding("banner_missing", "banner", facts.name, banner))
    found += _impossible(facts, region)
    found += _town(facts, around, region)
    found += _position(facts, around, region)
    return found


def _add(found: list[Finding], remark: Remark | None, name: str, value: str) -> None:
    if remark is not None:
        found.append(Finding(remark.code, name, value, remark.suggestion, remark.safe))


def _texts(facts: Facts, around: Surroundings) -> Iterator[Finding]:
    for name, value in (("name", facts.name), ("banner", facts.banner), ("street", facts.street), ("city", facts.city)):
        if not value:
            continue
        remark = values.spaces(value)
        if remark is None and name != "banner" and value.isupper():
            known = around.banner_of(value) if name == "name" else None
            remark = values.capitals(value, known)
        if remark is not None:
            yield Finding(remark.code, name, value, remark.suggestion, remark.safe)


def _impossible(facts: Facts, region: str) -> Iterator[Finding]:
    """Values that no store has. Houses have names instead of numbers in many countries, but not in France."""
    if facts.surface_m2 is not None and not 1 <= facts.surface_m2 <= 50_000:
        yield Finding("value_impossible", "surface_m2", str(facts.surface_m2), "" if facts.surface_m2 == 0 else None)
    if facts.visit_minutes is not None and facts.visit_minutes > 240:
        yield Finding("value_impossible", "visit_minutes", str(facts.visit_minutes))
    number = (facts.house_number or "").strip()
    nothing = number in ("0", "00", "9999")
    words = region == "FR" and len(number) > 3 and not any(c.isdigit() for c in number)
    if nothing or words:
        yield Finding("value_impossible", "house_number", number, "" if nothing else None)


def _town(facts: Facts, around: Surroundings, region: str) -> Iterator[Finding]:
    postcode, city = facts.postcode or "", facts.city or ""
    known = around.postcodes.get(f"{region}|{postcode}") if postcode and city else None
    if known is not None and known[0] != city:
        meant = _misspelt(city, known[0])
        if meant is not None:
            yield Finding("city_spelling", "city", city, meant)
    if facts.lat_e7 is None or facts.lon_e7 is None or (not facts.lat_e7 and not facts.lon_e7):
        return
    department, here = region_of(region, postcode), (facts.lat_e7 / DEGREE, facts.lon_e7 / DEGREE)
    if department and around.region_strange(*here, region, department):
        town = around.town(region, postcode, city)
        # Where its own town has a centre and the outlet stands far from it, that is said of the position.
        if town is None or metres_between(here, (town.lat, town.lon)) <= town.far_m:
            yield Finding("postcode_elsewhere", "postcode", postcode)


def _misspelt(city: str, usual: str) -> str | None:
    from rapidfuzz import fuzz

    from fieldcrm.domain.placing import plain

    mine, theirs = plain(city), plain(usual)
    if mine == theirs or not mine:
        return None  # another writing of the same name is no fault
    if mine.replace("st ", "saint ").replace("ste ", "sainte ") == theirs:
        return None
    return usual if fuzz.ratio(mine, theirs) >= 85 else None


def _position(facts: Facts, around: Surroundings, region: str) -> Iterator[Finding]:
    if facts.lat_e7 is None or facts.lon_e7 is None:
        if facts.lat_e7 is not None or facts.lon_e7 is not None:
            yield Finding("value_impossible", "position", "", "")
        return
    lat, lon = facts.lat_e7 / DEGREE, facts.lon_e7 / DEGREE
    if abs(lat) < 0.01 and abs(lon) < 0.01:
        yield Finding("position_zero", "position", _written(lat, lon), "", safe=True)
        return
    town = around.town(region, facts.postcode or "", facts.city or "")
    if outside(lat, lon, region):
        shown, turned = _written(lat, lon), _written(lon, lat)
        if abs(lon) <= 90 and not outside(lon, lat, region):
            right = town is not None and metres_between((lon, lat), (town.lat, town.lon)) <= town.far_m
            yield Finding("position_swapped", "position", shown, turned, safe=right)
        else:
            yield Finding("position_outside", "position", shown)
        return
    if town is not None and metres_between((lat, lon), (town.lat, town.lon)) > town.far_m:
        yield Finding("position_far", "position", _written(lat, lon))
    elif around.points and f"{facts.lat_e7},{facts.lon_e7}" in around.points:
        yield Finding("position_shared", "position", _written(lat, lon))


def _written(lat: float, lon: float) -> str:
    return f"{lat:.6f}, {lon:.6f}"
