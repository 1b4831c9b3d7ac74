"""An outlet: what is known of a store, and the rules a person's edit must keep.

Business keys (SIRET, phone, e-mail) are never unique: two people may enter the same store offline,
and that is a duplicate to merge, not an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fieldcrm.domain.catalogue import OUTLET_STATES, SEGMENTS, STORE_TYPES
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.domain.placing import Placing

DEGREE = 10_000_000  # coordinates are kept as degrees x 10^7


@dataclass(frozen=True, slots=True)
class Outlet:
    """Everything recorded of one store. ``revision`` is 0 while it exists on this device only."""

    id: Id
    name: str
    sector_id: Id
    zone: str
    state: str = "active"
    banner: str | None = None
    group_name: str | None = None
    store_type: str | None = None
    lat_e7: int | None = None
    lon_e7: int | None = None
    house_number: str | None = None
    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str | None = None
    phone: str | None = None
    email: str | None = None
    website: str | None = None
    opening_hours: str | None = None
    siret: str | None = None
    segment: str | None = None
    visit_interval_days: int | None = None
    visit_minutes: int | None = None
    surface_m2: int | None = None
    custom: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    preferred_slots: str | None = None
    confirmed_at: datetime | None = None
    note: str | None = None
    distributor: str | None = None
    placing: Placing | None = None
    revision: int = 0

    @property
    def mapped(self) -> bool:
        return self.lat_e7 is not None and self.lon_e7 is not None

    @property
    def position(self) -> tuple[float, float] | None:
        """Latitude and longitude in degrees, or ``None`` while the outlet is not mapped."""
        if self.lat_e7 is None or self.lon_e7 is None:
            return None
        return self.lat_e7 / DEGREE, self.lon_e7 / DEGREE

    @property
    def address(self) -> str:
        return address(self.house_number, self.street, self.postcode, self.city)


def address(house_number: str | None, street: str | None, postcode: str | None, city: str | None) -> str:
    """One line, in the order of a French envelope; empty when nothing is known."""
    first = " ".join(part for part in (house_number, street) if part)
    second = " ".join(part for part in (postcode, city) if part)
    return ", ".join(part for part in (first, second) if part)


def overdue_days(last_visit: date | None, interval_days: int | None, today: date) -> int | None:
    """Days past the visit rhythm; 0 or less is in time; ``None`` without a rhythm.

    An outlet that was never visited is overdue by a whole interval.
    """
    if not interval_days:
        return None
    if last_visit is None:
        return interval_days
    return (today - last_visit - timedelta(days=interval_days)).days


# ---- what a person may write -------------------------------------------------------------------------------------

_PHONE = re.compile(r"\+?[0-9 ()./\-\u00a0\u202f]{4,}(?:\s*(?:x|ext\.?|poste)\s*[0-9]{1,6})?", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>.]+(?:\.[^@\s,;<>.]+)+")
_WEBSITE = re.compile(r"(?:https?://)?[^\s/:@.]+(?:\.[^\s/:@.]+)+(?::[0-9]{1,5})?(?:/\S*)?", re.IGNORECASE)
_POSTCODES: Mapping[str, re.Pattern[str]] = {
    "FR": re.compile(r"[0-9]{5}|[0-9]{2} [0-9]{3}"),
    "BE": re.compile(r"[1-9][0-9]{3}"),
    "CH": re.compile(r"[1-9][0-9]{3}"),
    "LU": re.compile(r"(?:L-)?[0-9]{4}"),
    "DE": re.compile(r"[0-9]{5}"),
    "FI": re.compile(r"[0-9]{5}"),
    "ES": re.compile(r"[0-9]{5}"),
    "IT": re.compile(r"[0-9]{5}"),
    "MT": re.compile(r"[A-Z]{3} ?[0-9]{4}"),
}
_ANY_POSTCODE = re.compile(r"(?=.*[0-9])[A-Z0-9][A-Z0-9 \-]{1,9}")


def check_name(value: str | None) -> str:
    text = _line(value)
    if text is None:
        raise DomainError("outlet_name_missing", field="name")
    if len(text) > 200:
        raise DomainError("text_too_long", field="name", limit=200)
    return text


def check_phone(value: str | None, field: str = "phone") -> str | None:
    text = _line(value)
    if text is None:
        return None
    digits = sum(character.isdigit() for character in text)
    if not _PHONE.fullmatch(text) or not 4 <= digits <= 21:
        raise DomainError("phone_malformed", field=field)
    return text


def check_email(value: str | None, field: str = "email") -> str | None:
    text = _line(value)
    if text is not None and (not _EMAIL.fullmatch(text) or len(text) > 254):
        raise DomainError("email_malformed", field=field)
    return text


def check_website(value: str | None) -> str | None:
    text = _line(value)
    if text is not None and not _WEBSITE.fullmatch(text):
        raise DomainError("website_malformed", field="website")
    return text


def check_postcode(value: str | None, country: str | None) -> str | None:
    """The postcode in capitals; its shape is checked by country, loosely where the country is not known."""
    text = _line(value)
    if text is None:
        return None
    text = text.upper()
    if not _POSTCODES.get((country or "").upper(), _ANY_POSTCODE).fullmatch(text):
        raise DomainError("postcode_malformed", field="postcode", country=(country or "").upper())
    return text


def check_position(lat_e7: int | None, lon_e7: int | None) -> tuple[int, int] | tuple[None, None]:
    """Both or neither. Outside the world, or half a position, is refused."""
    if lat_e7 is None and lon_e7 is None:
        return None, None
    if lat_e7 is None or lon_e7 is None:
        raise DomainError("position_incomplete", field="position")
    if not -90 * DEGREE <= lat_e7 <= 90 * DEGREE or not -180 * DEGREE <= lon_e7 <= 180 * DEGREE:
        raise DomainError("position_outside_world", field="position", lat=lat_e7 / DEGREE, lon=lon_e7 / DEGREE)
    return lat_e7, lon_e7


def parse_position(text: str | None) -> tuple[int, int] | tuple[None, None]:
    """``48.8535, 2.3484`` (degrees, a point or a French comma) as degrees x 10^7; empty means not mapped."""
    line = _line(text)
    if line is None:
        return None, None
    numbers = re.findall(r"[-+]?[0-9]+(?:[.,][0-9]+)?", line.replace("\u2212", "-"))
    rest = re.sub(r"[-+]?[0-9]+(?:[.,][0-9]+)?", "", line.replace("\u2212", "-"))
    if len(numbers) != 2 or rest.strip(" ,;°\t"):
        raise DomainError("position_malformed", field="position")
    latitude, longitude = (float(number.replace(",", ".")) for number in numbers)
    if abs(latitude) > 1e6 or abs(longitude) > 1e6:
        raise DomainError("position_outside_world", field="position", lat=latitude, lon=longitude)
    return check_position(round(latitude * DEGREE), round(longitude * DEGREE))


def check_siret(value: str | None) -> str | None:
    text = _line(value)
    if text is None:
        return None
    digits = text.replace(" ", "").replace("\u00a0", "")
    if not re.fullmatch(r"[0-9]{14}", digits):
        raise DomainError("siret_malformed", field="siret")
    return digits


def check_zone(value: str | None) -> str:
    try:
        return ZoneInfo(value or "").key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise DomainError("zone_unknown", field="zone", zone=value or "") from None


def check_whole(name: str, value: Any, low: int, high: int) -> int | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise DomainError("number_malformed", field=name) from None
    if not low <= number <= high:
        raise DomainError("number_out_of_range", field=name, low=low, high=high)
    return number


def _line(value: str | None) -> str | None:
    """One line without control characters, or ``None`` when nothing is left."""
    if value is None:
        return None
    text = " ".join("".join(c if c.isprintable() or c.isspace() else " " for c in value).split(" ")).strip()
    text = re.sub(r"[\r\n\t\f\v\x1c-\x1f\x85\u2028\u2029]+", " ", text)
    return text.encode("utf-8", "ignore").decode("utf-8") or None


def _text(name: str, limit: int = 200) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        text = _line(value)
        if text is not None and len(text) > limit:
            raise DomainError("text_too_long", field=name, limit=limit)
        return text

    return check


def _choice(name: str, choices: tuple[str, ...], empty: bool) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        if value in choices:
            return str(value)
        if empty and not value:
            return None
        raise DomainError("choice_unknown", field=name, value=str(value))

    return check


def _long(value: str | None) -> str | None:
    if value is None:
        return None
    text = "".join(c for c in value if c == "\n" or c == "\t" or c.isprintable())
    return text.strip() or None


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "name": check_name,
    "banner": _text("banner"),
    "group_name": _text("group_name"),
    "distributor": _text("distributor"),
    "store_type": _choice("store_type", STORE_TYPES, empty=True),
    "house_number": _text("house_number", 20),
    "street": _text("street"),
    "city": _text("city"),
    "country": _text("country", 60),
    "phone": check_phone,
    "email": check_email,
    "website": check_website,
    "siret": check_siret,
    "segment": _choice("segment", SEGMENTS, empty=True),
    "state": _choice("state", OUTLET_STATES, empty=False),
    "zone": check_zone,
    "visit_interval_days": lambda value: check_whole("visit_interval_days", value, 1, 730),
    "visit_minutes": lambda value: check_whole("visit_minutes", value, 1, 480),
    "surface_m2": lambda value: check_whole("surface_m2", value, 0, 1_000_000),
    "note": _long,
}

# Opening hours and preferred slots are checked beside the parser; postcode and position need other fields.
EDITABLE = frozenset(_CHECKS) | {"postcode", "lat_e7", "lon_e7", "opening_hours", "preferred_slots"}


def checked(values: Mapping[str, Any], *, country: str | None = None) -> dict[str, Any]:
    """``values`` as they may be written; raises ``DomainError`` with the field and a code at the first that may not."""
    unknown = set(values) - EDITABLE
    if unknown:
        raise DomainError("field_not_editable", field=min(unknown))
    result = {name: _CHECKS[name](value) for name, value in values.items() if name in _CHECKS}
    for name in ("opening_hours", "preferred_slots"):
        if name in values:
            result[name] = _line(values[name])
    if "postcode" in values:
        result["postcode"] = check_postcode(values["postcode"], result.get("country") or country)
    if "lat_e7" in values or "lon_e7" in values:
        result["lat_e7"], result["lon_e7"] = check_position(values.get("lat_e7"), values.get("lon_e7"))
    return result
