"""Addresses to positions and back without a network: from the street index of the region packs on this computer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.placing import NUMBER, STREET, Address, Candidate
from fieldcrm.geo.geocode import REGION, Provider
from fieldcrm.geo.streets import StreetFound, Streets

PROVIDER = Provider(REGION, "region:", False, per_second=1_000.0, offline=True)
_PRECISIONS = {"address": NUMBER, "street": STREET}


class RegionGeocoder:
    """Answers like ``geocode.Geocoder``, from files; packs without streets are passed over."""

    provider = PROVIDER

    def __init__(self, packs: Sequence[Path]) -> None:
        self._streets: list[Streets] = []
        for path in packs:
            try:
                self._streets.append(Streets(path))
            except DomainError:
                continue

    @property
    def empty(self) -> bool:
        """Whether no pack has streets."""
        return not self._streets

    def close(self) -> None:
        for streets in self._streets:
            streets.close()

    def search(self, address: Address) -> tuple[Candidate, ...]:
        """Houses before streets. The town is asked for first; a street of another town is still better than none."""
        if not address.street.strip():
            return ()
        line = f"{address.house_number} {address.street}"
        found = self._find(f"{line} {address.city}") or self._find(line)
        return tuple(_candidate(one, address.country) for one in found[:3])

    def _find(self, text: str) -> list[StreetFound]:
        return [one for streets in self._streets for one in streets.find(text, limit=3)]

    def search_table(self, addresses: Sequence[Address]) -> list[tuple[Candidate, ...]]:
        return [self.search(address) for address in addresses]

    def reverse(self, lat: float, lon: float) -> tuple[Candidate, ...]:
        """The houses nearest to a position in degrees."""
        at = round(lat * 1e7), round(lon * 1e7)
        return tuple(_candidate(one, "") for streets in self._streets for one in streets.near(*at))[:3]


def _candidate(found: StreetFound, country: str) -> Candidate:
    label = ", ".join(part for part in (f"{found.house_number} {found.street}".strip(), found.city) if part)
    address = Address(found.house_number, found.street, "", found.city, country)
    return Candidate(found.lat_e7, found.lon_e7, _PRECISIONS[found.precision], 1.0, label, address)
