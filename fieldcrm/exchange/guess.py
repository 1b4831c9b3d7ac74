"""Which column is what: by what it is called, and by what stands in it. Both have their say; neither alone decides.

Every column gets a mark from 0 to 1 for every target; the best marks are given away first, each target once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fieldcrm.exchange import positions
from fieldcrm.exchange.evidence import Evidence, look
from fieldcrm.exchange.mapping import IGNORED, WGS84, folded
from fieldcrm.exchange.naming import called
from fieldcrm.exchange.settling import settled
from fieldcrm.exchange.vocabulary import split_title

ENOUGH = 0.5  # below this mark a column is left to the person


@dataclass(frozen=True, slots=True)
class Guess:
    """``targets`` and ``confidence`` per column; how coordinates and decimals are written."""

    targets: tuple[str, ...]
    confidence: tuple[float, ...]
    coordinates: str = WGS84
    decimal: str = "."


def guess(header: Sequence[str], sample: Sequence[Sequence[str]], custom: Mapping[str, str] | None = None) -> Guess:
    """``custom``: key -> title of the organisation's own fields; a column called like one becomes it."""
    columns = [[row[place] if place < len(row) else "" for row in sample] for place in range(len(header))]
    seen = [look(cells) for cells in columns]
    own = {folded(title): f"custom:{key}" for key, title in (custom or {}).items()}
    own |= {folded(key): f"custom:{key}" for key in custom or {}}
    targets, marks = _given_away(header, seen, own)
    targets, marks = settled([split_title(title) for title in header], columns, seen, targets, marks)
    where, decimal = _written(header, columns, targets)
    return Guess(tuple(targets), tuple(min(1.0, round(mark, 2)) for mark in marks), where, decimal)


def _given_away(
    header: Sequence[str], seen: Sequence[Evidence], own: Mapping[str, str]
) -> tuple[list[str], list[float]]:
    offers: list[tuple[float, int, str]] = []
    for place, title in enumerate(header):
        if folded(title) in own:
            offers.append((1.0, place, own[folded(title)]))
            continue
        name = split_title(title)
        for target, mark in called(name).items():
            offers.append((_weighed(target, mark, seen[place]), place, target))
        for target, mark in _looks(seen[place]).items():
            if target not in called(name):
                offers.append((mark, place, target))
    offers.sort(key=lambda offer: (-offer[0], offer[1]))
    targets, marks = [IGNORED] * len(header), [0.0] * len(header)
    taken: set[str] = set()
    decided: set[int] = set()
    for mark, place, target in offers:
        if mark < ENOUGH or place in decided or (target in taken and target != "ignored"):
            continue
        decided.add(place)
        taken.add(target)
        targets[place], marks[place] = (IGNORED if target == "ignored" else target), mark
    return targets, marks


# ---- by its values ----------------------------------------


def _looks(seen: Evidence) -> dict[str, float]:
    """Targets that the values alone suggest."""
    if not seen.filled:
        return {}
    return {target: weight * share for target, weight, least, look in _LOOKS if (share := look(seen)) > least}


# target, mark when all values look like it, the least share, the share
_LOOKS: tuple[tuple[str, float, float, Callable[[Evidence], float]], ...] = (
    ("email", 0.75, 0.7, lambda seen: seen.email),
    ("siret", 0.85, 0.7, lambda seen: seen.siret),
    ("phone", 0.62, 0.8, lambda seen: seen.phone if max(seen.siren, seen.siret) < 0.5 else 0.0),
    ("opening_hours", 0.8, 0.7, lambda seen: seen.hours),
    ("website", 0.65, 0.8, lambda seen: seen.url),
    ("position", 0.75, 0.8, lambda seen: seen.pair),
    ("address", 0.7, 0.8, lambda seen: max(seen.code_town, seen.one_line * 0.85 if seen.street > 0.4 else 0.0)),
    ("street", 0.58, 0.7, lambda seen: seen.street if seen.one_line < 0.5 else 0.0),
    ("state", 0.62, 0.8, lambda seen: seen.state_words),
    ("store_type", 0.6, 0.6, lambda seen: seen.store_type if seen.letters > 0.9 else 0.0),
)


def _weighed(target: str, mark: float, seen: Evidence) -> float:
    """The mark of a name, after a look at the values: what cannot be is pushed far down."""
    if target == "ignored" or not seen.filled:
        return mark
    fits = _FITS.get(target)
    if fits is None:
        return mark
    share = fits(seen)
    return mark + 0.08 * share if share >= 0.5 else mark * (0.35 + share)


def _degrees(seen: Evidence) -> float:
    if seen.angle > 0.5:
        return seen.angle
    return seen.numeric if not (seen.whole > 0.9 and -1 < seen.highest < 1_000) else 0.3


_FITS: Mapping[str, Callable[[Evidence], float]] = {
    "email": lambda seen: seen.email,
    "siret": lambda seen: 1.0 if seen.siret > 0.5 else seen.whole * 0.6,
    "phone": lambda seen: seen.phone,
    "opening_hours": lambda seen: 1.0 if seen.hours > 0.3 else (0.5 if seen.letters > 0.5 or seen.length > 8 else 0.1),
    "website": lambda seen: seen.url,
    "position": lambda seen: seen.pair,
    "postcode": lambda seen: seen.postcode,
    "lat": _degrees,
    "lon": _degrees,
    "house_number": lambda seen: seen.house_number,
    "street": lambda seen: max(seen.street, 0.6 * seen.letters),
    "address": lambda seen: max(seen.one_line, 0.5 * seen.letters),
    "city": lambda seen: seen.letters * (1 - seen.email) * (1 - 0.6 * seen.street) * (1 - seen.date),
    "country": lambda seen: max(seen.country, 0.2),
    "name": lambda seen: seen.letters * (1 - seen.email) * (1 - seen.date) * (1 - seen.url) * (1 - seen.one_line / 2),
    "banner": lambda seen: seen.letters * (1 - seen.email),
    "group_name": lambda seen: seen.letters * (1 - seen.email),
    "store_type": lambda seen: (
        seen.store_type if seen.state_words > 0.7 else max(seen.store_type, 0.5 * seen.letters)
    ),
    "state": lambda seen: seen.state if seen.state > 0.8 else 0.0,
    "segment": lambda seen: seen.segment,
    "visit_interval_days": lambda seen: seen.whole if seen.highest <= 730 else 0.0,
    "visit_minutes": lambda seen: seen.whole if seen.highest <= 480 else 0.0,
    "surface_m2": lambda seen: seen.numeric if seen.highest <= 1_000_000 else 0.0,
    "reference": lambda seen: seen.distinct * (1 - seen.date) * (1 - seen.email),
    "zone": lambda seen: 0.0 if seen.numeric > 0.5 else 0.5,
    "sector": lambda seen: 1.0 - 0.6 * seen.distinct if seen.many else 0.6,
    "way": lambda seen: 1.0 - seen.numeric,
    "distributor": lambda seen: seen.letters,
}


# ---- how coordinates are written ----------------------------------------


def _written(header: Sequence[str], columns: Sequence[Sequence[str]], targets: Sequence[str]) -> tuple[str, str]:
    hint = folded(" ".join(header))
    if "lat" in targets and "lon" in targets:
        lat, lon = columns[targets.index("lat")], columns[targets.index("lon")]
        texts = [*lat, *lon]
        decimal = "," if sum("," in text for text in texts) > sum("." in text for text in texts) else "."
        return coordinates_of(lat, lon, hint), decimal
    pairs: list[tuple[float, float]] = []
    if "position" in targets:
        for cell in columns[targets.index("position")]:
            try:
                pairs.append(positions.pair(cell))
            except ValueError:
                continue
    return positions.recognise(pairs, hint), "."


def coordinates_of(lat: Sequence[str], lon: Sequence[str], hint: str = "") -> str:
    """Which of ``mapping.COORDINATES`` two columns of a sample are in."""
    pairs: list[tuple[float, float]] = []
    for first, second in zip(lat, lon, strict=True):
        if first.strip() and second.strip():
            try:
                pairs.append((positions.number(first), positions.number(second)))
            except ValueError:
                continue
    return positions.recognise(pairs, hint)
