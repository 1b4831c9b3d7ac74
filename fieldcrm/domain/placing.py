"""How an outlet came to its position, or why it has none: the document ``outlet.placing``.

    {"state": "doubtful", "why": "street_only", "provider": "ban", "at": 1790000000000, "score": 71,
     "precision": "street", "asked": "12 rue du Port|44000|nantes|fr", "found": {…}}

``asked`` is the address the answer was for: when the address changes, the outlet waits again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

PLACED, DOUBTFUL, REFUSED, BY_HAND = "placed", "doubtful", "refused", "by_hand"
STATES = (PLACED, DOUBTFUL, REFUSED, BY_HAND)

# Why an outlet is not on the map, or why its place is in doubt.
NO_ADDRESS, TOWN_ONLY, NOT_FOUND, SEVERAL, ELSEWHERE, STREET_ONLY, WEAK, DECLINED = (
    "no_address", "town_only", "not_found", "several", "elsewhere", "street_only", "weak", "declined",
)
WHYS = (NO_ADDRESS, TOWN_ONLY, NOT_FOUND, SEVERAL, ELSEWHERE, STREET_ONLY, WEAK, DECLINED)

NUMBER, STREET, TOWN = "number", "street", "town"  # how precise a place is
PRECISIONS = (NUMBER, STREET, TOWN)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WORDS = re.compile(r"[^\W_]+")
_TEXT_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Address:
    house_number: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""  # two capitals, or empty

    @property
    def searchable(self) -> bool:
        """A street and a town or postcode: less than that finds a town at best."""
        return bool(self.street.strip()) and bool(self.postcode.strip() or self.city.strip())

    @property
    def somewhere(self) -> bool:
        return bool(self.postcode.strip() or self.city.strip())

    @property
    def line(self) -> str:
        first = " ".join(part for part in (self.house_number, self.street) if part)
        second = " ".join(part for part in (self.postcode, self.city) if part)
        return ", ".join(part for part in (first, second) if part)

    @property
    def key(self) -> str:
        """The same for two writings of one address: case, accents, signs and spaces aside."""
        number = plain(self.house_number).replace(" ", "")
        return "|".join((f"{number} {plain(self.street)}".strip(), plain(self.postcode).replace(" ", ""),
                         plain(self.city), plain(self.country)))


def plain(text: str) -> str:
    """Words without accents, signs and case."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(_WORDS.findall("".join(c for c in decomposed if not unicodedata.combining(c))))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that a provider proposes. Coordinates in degrees x 10^7; ``score``: the provider's own, 0 to 1."""

    lat_e7: int
    lon_e7: int
    precision: str
    score: float
    label: str
    address: Address = field(default_factory=Address)

    def document(self) -> dict[str, Any]:
        at = self.address
        return {
            "lat": self.lat_e7, "lon": self.lon_e7, "precision": self.precision, "score": round(self.score, 3),
            "label": self.label, "address": [at.house_number, at.street, at.postcode, at.city, at.country],
        }

    @classmethod
    def of(cls, value: Any) -> Candidate | None:
        """Back from a document, which may come from anywhere; ``None`` when it is not one."""
        if not isinstance(value, Mapping):
            return None
        lat, lon, parts = value.get("lat"), value.get("lon"), value.get("address")
        if type(lat) is not int or type(lon) is not int or abs(lat) > 900_000_000 or abs(lon) > 1_800_000_000:
            return None
        if value.get("precision") not in PRECISIONS or not isinstance(parts, list) or len(parts) != 5:
            return None
        score = value.get("score")
        number = float(score) if isinstance(score, int | float) and 0 <= score <= 1 else 0.0
        texts = [str(part)[:_TEXT_LIMIT] for part in parts]
        return cls(lat, lon, value["precision"], number, str(value.get("label", ""))[:_TEXT_LIMIT], Address(*texts))


@dataclass(frozen=True, slots=True)
class Placing:
    """``confidence`` is ours, 0 to 100: how well what was found agrees with what was asked."""

    state: str
    why: str = ""
    provider: str = ""
    at: datetime | None = None
    confidence: int = 0
    asked: str = ""
    found: Candidate | None = None

    def document(self) -> dict[str, Any]:
        made: dict[str, Any] = {"state": self.state}
        if self.at is not None:
            made["at"] = (self.at - _EPOCH) // timedelta(milliseconds=1)
        for name in ("why", "provider", "asked"):
            if getattr(self, name):
                made[name] = getattr(self, name)
        if self.confidence:
            made["score"] = self.confidence
        if self.found is not None:
            made["found"], made["precision"] = self.found.document(), self.found.precision
        return made

    @classmethod
    def of(cls, value: Any) -> Placing | None:
        if not isinstance(value, Mapping) or value.get("state") not in STATES:
            return None
        at, score = value.get("at"), value.get("score")
        moment = _EPOCH + timedelta(milliseconds=at) if type(at) is int and 0 <= at < 1 << 45 else None
        why = value.get("why")
        return cls(
            value["state"], why if why in WHYS else "", str(value.get("provider", ""))[:40], moment,
            score if type(score) is int and 0 <= score <= 100 else 0, str(value.get("asked", ""))[:500],
            Candidate.of(value.get("found")),
        )


def placing_of(document: Any) -> Placing | None:
    """What a document says, or ``None`` when it says nothing that is understood."""
    return Placing.of(document)
