"""Which column of a file becomes what of an outlet: made by the guesser, mended by a person, remembered as JSON."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fieldcrm.domain.errors import DomainError

# Remarks are none of them: what somebody wrote of people has to be erasable, and a piece of an import is not.
FIELDS = (
    "name", "banner", "group_name", "store_type", "house_number", "street", "postcode", "city", "country", "phone",
    "email", "website", "opening_hours", "preferred_slots", "siret", "segment", "state", "visit_interval_days",
    "visit_minutes", "surface_m2", "distributor", "zone",
)  # fmt: skip
# No fields of an outlet, but something it is made of: the source's own key; latitude, longitude, or both in one cell;
# an address in one line; the code of a sector.
SPECIAL = ("reference", "lat", "lon", "position", "address", "sector")
IGNORED = ""
CUSTOM = "custom:"  # before the key of a field that the organisation declared

# Several columns may go to these: their texts are put one after another.
JOINED: Mapping[str, str] = {"street": " ", "address": ", ", "house_number": " "}
TRANSLATED = ("store_type", "state", "segment")  # fields whose words are translated into our choices

WGS84, SWAPPED, LAMBERT93, MERCATOR = "wgs84", "swapped", "lambert93", "mercator"
COORDINATES = (WGS84, SWAPPED, LAMBERT93, MERCATOR)


def folded(text: str) -> str:
    """``text`` for comparing: no accents, no capitals, no underscores, one space between words."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    kept = "".join(c if c.isalnum() or c == "#" else " " for c in plain.replace("œ", "oe").replace("Œ", "OE"))
    return " ".join(kept.casefold().split())


def signature(header: Iterable[str]) -> str:
    """A stable key of a set of headers, under which a mapping is remembered; order and capitals do not matter."""
    names = sorted(folded(name) for name in header)
    return hashlib.sha256("\x1f".join(names).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """``targets``: for each column in its order a field of ``FIELDS``, one of ``SPECIAL``, ``custom:<key>``, or empty.

    ``words``: field -> word of the file, folded -> our value; what is not there is looked up in the words we know.
    ``source`` and ``licence`` are the provenance of each value. ``header`` are the names the targets stand for, so that
    a remembered mapping finds its columns again in another order.
    """

    header: tuple[str, ...]
    targets: tuple[str, ...]
    source: str = ""
    licence: str = ""
    coordinates: str = WGS84
    decimal: str = "."
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """For JSON; ``from_dict`` reads it back."""
        return {
            "header": list(self.header), "targets": list(self.targets), "source": self.source, "licence": self.licence,
            "coordinates": self.coordinates, "decimal": self.decimal,
            "words": {name: dict(table) for name, table in self.words.items()},
        }  # fmt: skip

    @staticmethod
    def from_dict(content: Mapping[str, Any]) -> ColumnMap:
        """Raises ``DomainError("mapping_damaged")`` for what no ``to_dict`` wrote."""
        try:
            made = ColumnMap(
                tuple(str(name) for name in content["header"]),
                tuple(str(name) for name in content["targets"]),
                str(content.get("source", "")),
                str(content.get("licence", "")),
                str(content.get("coordinates", WGS84)),
                str(content.get("decimal", ".")),
                {
                    str(name): {str(word): str(value) for word, value in table.items()}
                    for name, table in content.get("words", {}).items()
                },
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise DomainError("mapping_damaged") from error
        if len(made.header) != len(made.targets) or made.coordinates not in COORDINATES or made.decimal not in ".,":
            raise DomainError("mapping_damaged")
        return made

    def fitted(self, header: Sequence[str]) -> ColumnMap | None:
        """The same mapping for a file whose columns stand in another order; ``None`` when they are other columns."""
        places: dict[str, list[str]] = {}
        for name, target in zip(self.header, self.targets, strict=True):
            places.setdefault(folded(name), []).append(target)
        targets = []
        for name in header:
            left = places.get(folded(name))
            if not left:
                return None
            targets.append(left.pop(0))
        if any(places.values()):
            return None
        return ColumnMap(
            tuple(header), tuple(targets), self.source, self.licence, self.coordinates, self.decimal, self.words
        )

    def problems(self) -> tuple[DomainError, ...]:
        """Why nothing can be imported with it yet; ``field`` of each is the target in question."""
        found = []
        used = [target for target in self.targets if target]
        if "name" not in used:
            found.append(DomainError("mapping_name_missing", field="name"))
        for target in sorted(set(used)):
            if target not in FIELDS and target not in SPECIAL and not is_custom(target):
                found.append(DomainError("mapping_target_unknown", field=target, target=target))
            columns = [name for name, given in zip(self.header, self.targets, strict=True) if given == target]
            if len(columns) > 1 and target not in JOINED:
                found.append(DomainError("mapping_twice", field=target, columns=", ".join(columns)))
        if ("lat" in used) != ("lon" in used):
            found.append(DomainError("mapping_half_position", field="lat" if "lat" in used else "lon"))
        if "position" in used and "lat" in used:
            found.append(DomainError("mapping_two_positions", field="position"))
        return tuple(found)


def is_custom(target: str) -> bool:
    return target.startswith(CUSTOM) and len(target) > len(CUSTOM)
