"""Addresses to positions and back, asked of a provider over the network through geopy.

geopy makes the requests and names their failures; what comes back is read by ``geo.answers``, which trusts nothing.
Kinds: ``ban`` (the French national address base, and any addok server), ``nominatim`` (OpenStreetMap's public server or
one's own), ``photon``. Their documented limits: data.geopf.fr 50 requests a second and address; OpenStreetMap's public
Nominatim one request a second from one thread, named program and contact, results kept, no bulk.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.domain.placing import Address, Candidate
from fieldcrm.geo import answers

BAN, NOMINATIM, PHOTON = "ban", "nominatim", "photon"
KINDS = (BAN, NOMINATIM, PHOTON)  # of servers
REGION = "region"  # no server: the streets of the region packs on this computer, see geo.geocode_offline
PUBLIC_BAN = "https://data.geopf.fr/geocodage"
PUBLIC_NOMINATIM = "https://nominatim.openstreetmap.org"
LICENCES: Mapping[str, str] = {BAN: "Licence Ouverte 2.0", NOMINATIM: "ODbL 1.0", PHOTON: "ODbL 1.0",
                               REGION: "ODbL 1.0"}
ATTRIBUTION: Mapping[str, str] = {
    BAN: "Base Adresse Nationale – IGN, DINUM", NOMINATIM: "© OpenStreetMap contributors",
    PHOTON: "© OpenStreetMap contributors", REGION: "© OpenStreetMap contributors",
}

CONNECT_S, READ_S = 5.0, 15.0
AT_ONCE = 200  # addresses in one table
_USUAL_WAIT, _LONGEST_WAIT = 30, 3600  # seconds


@dataclass(frozen=True, slots=True)
class Provider:
    """``per_second`` and ``per_day`` are what may be asked of it; 0 a day is without a limit. ``tables``: whether it
    answers whole tables (addok's ``/search/csv/``). ``offline``: it answers at once, from files on this computer."""

    kind: str
    url: str
    public: bool
    per_second: float
    per_day: int = 0
    tables: bool = False
    offline: bool = False

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


def public(kind: str) -> Provider:
    """A server that anybody may ask, within its limits and a margin."""
    if kind == BAN:
        return Provider(BAN, PUBLIC_BAN, True, per_second=10.0, per_day=100_000, tables=True)
    return Provider(NOMINATIM, PUBLIC_NOMINATIM, True, per_second=1.0, per_day=1_000)


def own(kind: str, url: str) -> Provider:
    """The organisation's own server. Raises ``geocoder_address_invalid``. One that is really OpenStreetMap's or the
    nation's keeps their limits."""
    url = url.strip().rstrip("/")
    parts = urlsplit(url)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if kind not in KINDS or not parts.hostname or parts.scheme not in ("https", "http") or parts.query:
        raise DomainError("geocoder_address_invalid", field="url", url=url[:200])
    if parts.scheme == "http" and not local:
        raise DomainError("geocoder_not_secure", field="url", url=url[:200])
    for known in (public(BAN), public(NOMINATIM)):
        if parts.hostname == known.host:
            return known
    return Provider(kind, url, False, per_second=50.0, tables=kind == BAN)


class Geocoder:
    """Asks one provider; for one thread. ``agent`` names the program and, for a public server, a way to reach us."""

    def __init__(self, provider: Provider, agent: str, *, connect_s: float = CONNECT_S, read_s: float = READ_S) -> None:
        self.provider = provider
        self._agent = agent
        self._timeout = (connect_s, read_s)
        self._asker = _asker(provider, agent, self._timeout)

    def close(self) -> None:
        self._asker.adapter.__exit__(None, None, None)

    def search(self, address: Address, *, limit: int = 3) -> tuple[Candidate, ...]:
        """What the provider proposes for an address, best first; nothing when it knows none.

        Raises ``Unavailable``: ``geocoder_unreachable``, ``geocoder_busy`` (seconds), ``geocoder_error``;
        ``DomainError("geocoder_answer_strange")`` when what answers is no such server.
        """
        if not address.line:
            return ()
        kind, ask = self.provider.kind, self._asker.geocode
        how: dict[str, Any] = {"exactly_one": False, "limit": limit}
        if kind == NOMINATIM:
            parts = {"street": f"{address.house_number} {address.street}".strip(), "city": address.city,
                     "postalcode": address.postcode}
            query: Any = {name: text for name, text in parts.items() if text}
            how |= {"addressdetails": True}
            if len(address.country) == 2:
                how["country_codes"] = address.country.lower()
        else:
            query = address.line.replace(",", "")[:200]
        return self._read(lambda: ask(query, **how))

    def reverse(self, lat: float, lon: float) -> tuple[Candidate, ...]:
        """The addresses nearest to a position in degrees. Raises as ``search`` does."""
        more = {"addressdetails": True} if self.provider.kind == NOMINATIM else {}
        return self._read(lambda: self._asker.reverse((lat, lon), exactly_one=False, **more))

    def _read(self, work: Callable[[], Any]) -> tuple[Candidate, ...]:
        read = answers.READERS[self.provider.kind]
        found: tuple[Candidate, ...] = self._ask(lambda: read(work()))
        return found

    def search_table(self, addresses: Sequence[Address]) -> list[tuple[Candidate, ...]]:
        """The best candidate for each of up to ``AT_ONCE`` addresses, by addok's CSV endpoint. Raises as ``search``."""
        if not self.provider.tables or len(addresses) > AT_ONCE:
            raise ValueError("this provider answers no tables, or not so many rows")
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(("n", "adresse", "cp", "ville"))
        for at, one in enumerate(addresses):
            writer.writerow((at, f"{one.house_number} {one.street}".strip(), one.postcode, one.city))
        files = {"data": ("adresses.csv", text.getvalue().encode(), "text/csv")}
        form = [("columns", "adresse"), ("columns", "cp"), ("columns", "ville")]
        url = f"{self.provider.url}/search/csv/" if not self.provider.public else f"{self.provider.url}/search/csv"
        headers = {"User-Agent": self._agent}
        found: list[tuple[Candidate, ...]] = self._ask(
            lambda: answers.table(self._asker.adapter.post(url, form, files, headers), len(addresses)))
        return found

    def _ask(self, work: Callable[[], Any]) -> Any:
        """Run it, and say in our words what geopy says went wrong."""
        from geopy import exc

        host = self.provider.host
        try:
            return work()
        except answers.Strange as error:
            raise DomainError("geocoder_answer_strange", host=host) from error
        except exc.GeopyError as error:
            seconds = _asked_to_wait(error)
            if seconds is not None:
                raise Unavailable("geocoder_busy", host=host, seconds=seconds) from error
            if isinstance(error, exc.GeocoderTimedOut | exc.GeocoderUnavailable):
                raise Unavailable("geocoder_unreachable", host=host) from error
            if isinstance(error, exc.GeocoderInsufficientPrivileges | exc.GeocoderAuthenticationFailure):
                raise DomainError("geocoder_denied", host=host) from error
            if isinstance(error, exc.GeocoderQueryError):
                raise DomainError("geocoder_refused", host=host) from error
            raise Unavailable("geocoder_error", host=host) from error


def _asked_to_wait(error: Exception) -> int | None:
    """Seconds, when the server has too much to do and says so."""
    from geopy.adapters import AdapterHTTPError, get_retry_after
    from geopy.exc import GeocoderRateLimited

    cause = error.__cause__
    if isinstance(error, GeocoderRateLimited):
        return _seconds(error.retry_after)
    if isinstance(cause, AdapterHTTPError) and cause.status_code in (429, 503) and "retry-after" in cause.headers:
        return _seconds(get_retry_after(cause.headers))
    return None


def _seconds(value: Any) -> int:
    """What a server asks us to wait, within reason."""
    try:
        seconds = int(value)
    except (TypeError, ValueError, OverflowError):
        return _USUAL_WAIT
    return min(max(1, seconds), _LONGEST_WAIT)


def _asker(provider: Provider, agent: str, timeout: tuple[float, float]) -> Any:
    """geopy's own geocoder of the kind, on our adapter, giving the answer as it came."""
    from fieldcrm.geo.geocode_http import CarefulAdapter  # geopy and requests are not waited for at the start

    parts = urlsplit(provider.url)
    domain = parts.netloc + parts.path.rstrip("/")
    made = _raw(provider.kind)(
        domain=domain, scheme=parts.scheme, user_agent=agent, timeout=timeout[1],
        adapter_factory=lambda *, proxies, ssl_context: CarefulAdapter(timeout),
    )
    return made


@cache
def _raw(kind: str) -> Any:
    """geopy's class, with its reading of the answer left out: ours is the one that distrusts."""
    from geopy.geocoders import BANFrance, Nominatim, Photon

    base: Any = {BAN: BANFrance, NOMINATIM: Nominatim, PHOTON: Photon}[kind]

    def _parse_json(self: Any, answer: Any, exactly_one: bool = True) -> Any:
        return answer

    return type(f"Raw{base.__name__}", (base,), {"_parse_json": _parse_json})
