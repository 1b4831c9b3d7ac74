"""Putting outlets on the map: what waits, what is in doubt, what a person decides; and who is asked about addresses.

Nothing but the address of an outlet is sent to a provider: no name, no contact, nobody's own place. A public server is
asked only after the person has agreed to it once, and never where the organisation forbids it (rule ``placing``). The
streets of the regions on this device are asked without a network, so nothing is sent at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldcrm.domain import provenance
from fieldcrm.domain.actor import Role
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import DEGREE, check_email, check_position
from fieldcrm.domain.placing import (
    BY_HAND,
    DECLINED,
    DOUBTFUL,
    NO_ADDRESS,
    PLACED,
    REFUSED,
    TOWN_ONLY,
    Address,
    Candidate,
    Placing,
)
from fieldcrm.geo.confidence import judge
from fieldcrm.geo.distance import great_circle_m
from fieldcrm.geo.geocode import ATTRIBUTION, BAN, KINDS, LICENCES, NOMINATIM, REGION, Geocoder, Provider, own, public
from fieldcrm.geo.geocode_offline import PROVIDER as OF_REGIONS
from fieldcrm.geo.geocode_offline import RegionGeocoder
from fieldcrm.store import outlet_quality as _quality
from fieldcrm.store import outlets as _outlets
from fieldcrm.store import placing as _store
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.placing import Unplaced
from fieldcrm.usecases.undo import undo_change

__all__ = [
    "ATTRIBUTION", "NONE", "REGION", "Board", "Choice", "Line", "Provider", "accept", "address_of", "board", "decline",
    "geocoder", "has_streets", "lines", "place_by_hand", "provider_of", "read_policy", "set_policy", "suspects",
    "take_back", "waiting",
]  # fmt: skip

RULE = "placing"
NONE, PUBLIC_BAN, PUBLIC_OSM, OWN = "none", "ban", "osm", "own"  # who is asked, beside REGION
SERVICES = (NONE, REGION, PUBLIC_BAN, PUBLIC_OSM, OWN)
OWN_KINDS = KINDS
SAME_PLACE_M = 100  # a position this near to what was found is right
WAITING = "waiting"  # beside the states of a placing: nobody was asked yet
GROUPS = (WAITING, DOUBTFUL, REFUSED)


@dataclass(frozen=True, slots=True)
class Choice:
    """Who is asked about addresses, as chosen on this device. ``contact``: the address of mail that OpenStreetMap's
    public server asks for."""

    service: str = NONE
    kind: str = NOMINATIM
    url: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the organisation says: whether public servers may be asked, and its own server, if it has one."""

    public_allowed: bool = True
    kind: str = ""
    url: str = ""

    @classmethod
    def of(cls, document: Any) -> Policy:
        if not isinstance(document, Mapping):
            return cls()
        kind, url = document.get("kind"), document.get("url")
        fits = kind in KINDS and isinstance(url, str) and len(url) <= 300
        return cls(document.get("public") is not False, str(kind) if fits else "", str(url) if fits else "")


def read_policy(r: Reader) -> Policy:
    return Policy.of(_quality.read_rule(r, RULE))


def set_policy(tx: Transaction, policy: Policy) -> None:
    """Raises ``rules_not_yours`` and what the address of the server may be wrong in."""
    if tx.actor.role is Role.REP:
        raise DomainError("rules_not_yours")
    document: dict[str, Any] = {"public": policy.public_allowed}
    if policy.url:
        own(policy.kind, policy.url)
        document |= {"kind": policy.kind, "url": policy.url}
    _quality.write_rule(tx, RULE, document)
    tx.touch("rule")


def provider_of(choice: Choice, policy: Policy) -> Provider | None:
    """Whom to ask: the organisation's own server before anything else; ``None`` when nobody was chosen.

    Raises ``geocoder_forbidden``, ``geocoder_contact_missing``, ``geocoder_address_invalid``.
    """
    if policy.url:
        provider = own(policy.kind, policy.url)
    elif choice.service == NONE:
        return None
    elif choice.service == REGION:
        return OF_REGIONS
    elif choice.service == OWN:
        provider = own(choice.kind, choice.url)
    else:
        provider = public(BAN if choice.service == PUBLIC_BAN else NOMINATIM)
    if provider.public and not policy.public_allowed:
        raise DomainError("geocoder_forbidden")
    if provider.public and provider.kind == NOMINATIM and not check_email(choice.contact, "contact"):
        raise DomainError("geocoder_contact_missing", field="contact")
    return provider


def agent(provider: Provider, contact: str, version: str) -> str:
    """How the program names itself: with a way to reach us where a public server asks for one."""
    return f"FieldCRM/{version} ({contact.strip()})" if provider.public and contact.strip() else f"FieldCRM/{version}"


def has_streets(packs: Sequence[Path]) -> bool:
    """Whether addresses can be looked up in these region packs."""
    region = RegionGeocoder(packs)
    region.close()
    return not region.empty


def geocoder(provider: Provider, agent: str, packs: Sequence[Path]) -> Geocoder | RegionGeocoder:
    """Whoever answers for ``provider``; to be closed. Raises ``geocoder_no_streets`` when no pack here has any."""
    if not provider.offline:
        return Geocoder(provider, agent)
    region = RegionGeocoder(packs)
    if region.empty:
        raise DomainError("geocoder_no_streets")
    return region


# ---- reading ----------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """An outlet of the page. ``group``: waiting, doubtful or refused; ``why`` is one of ``domain.placing.WHYS``."""

    rid: int
    id: Id
    name: str
    sector: str
    address: Address
    position: tuple[int, int] | None
    group: str
    why: str
    placing: Placing | None


@dataclass(frozen=True, slots=True)
class Board:
    """``outlets`` that work, ``mapped`` of them on the map; the rest by group and by why."""

    outlets: int
    mapped: int
    groups: Mapping[str, tuple[int, ...]]  # -> row numbers
    whys: Mapping[str, int]  # of those refused

    def count(self, group: str) -> int:
        return len(self.groups.get(group, ()))


def board(r: Reader) -> Board:
    """Everything the page counts; some 10 µs for each outlet without a position: ask for it in the pool."""
    groups: dict[str, list[int]] = {group: [] for group in GROUPS}
    whys: dict[str, int] = {}
    for one in _store.unplaced(r):
        group, why = standing(one)
        groups[group].append(one.rid)
        if group == REFUSED:
            whys[why] = whys.get(why, 0) + 1
    outlets, mapped = _store.counted(r)
    return Board(outlets, mapped, {group: tuple(rids) for group, rids in groups.items()}, whys)


def standing(one: Unplaced) -> tuple[str, str]:
    """Which group an outlet belongs to, and why."""
    if not one.address.searchable:
        return REFUSED, TOWN_ONLY if one.address.somewhere else NO_ADDRESS
    placing = one.placing
    # An answer about another address is none; a position that was taken away makes it wait again.
    if placing is None or placing.asked != one.address.key or placing.state not in (DOUBTFUL, REFUSED):
        return WAITING, ""
    return placing.state, placing.why


def lines(r: Reader, rids: Sequence[int]) -> list[Line]:
    names = _store.sector_names(r, rids)
    made = []
    for one in _store.those(r, rids):
        group, why = standing(one)
        position = (one.lat_e7, one.lon_e7) if one.lat_e7 is not None and one.lon_e7 is not None else None
        made.append(Line(one.rid, one.id, one.name, names.get(one.rid, ""), one.address, position, group, why,
                         one.placing))
    return made


def waiting(r: Reader) -> list[int]:
    """Row numbers of outlets with an address that nobody was asked about."""
    return [one.rid for one in _store.unplaced(r) if not one.mapped and standing(one)[0] == WAITING]


def suspects(r: Reader) -> list[int]:
    """Outlets whose position was found to be wrong and whose address could be asked about."""
    return [one.rid for one in _store.those(r, _store.suspects(r)) if one.address.searchable]


# ---- writing ----------------------------------------


def apply(tx: Transaction, one: Unplaced, found: Sequence[Candidate], provider: Provider) -> str:
    """Write what an answer means for an outlet, if its address is still the one that was asked; what became of it.

    A position that somebody gave is never moved by itself: what was found is proposed.
    """
    now = _store.those(tx, [one.rid])
    if not now or now[0].address.key != one.address.key or now[0].mapped != one.mapped:
        return ""
    here = now[0]
    made = judge(here.address, found, provider.kind, tx.now)
    if here.lat_e7 is not None and here.lon_e7 is not None:
        made = _compared(made, here.lat_e7, here.lon_e7)
    elif made.state == PLACED and made.found is not None:
        _move(tx, here.id, made, made.found.lat_e7, made.found.lon_e7, _origin(tx, provider.kind))
        return PLACED
    _outlets.update_outlet(tx, here.id, {"placing": made.document()})
    tx.touch("outlet", here.id)
    tx.label = tx.label or "outlet.placed"
    return made.state


def _compared(made: Placing, lat_e7: int, lon_e7: int) -> Placing:
    """For an outlet that has a position: right when both agree, else a proposal."""
    if made.found is None or made.state == REFUSED:
        return made
    away = great_circle_m((lat_e7 / DEGREE, lon_e7 / DEGREE), (made.found.lat_e7 / DEGREE, made.found.lon_e7 / DEGREE))
    state = PLACED if away <= SAME_PLACE_M else DOUBTFUL
    return Placing(state, made.why, made.provider, made.at, made.confidence, made.asked, made.found)


def _origin(tx: Transaction, kind: str) -> dict[str, Any]:
    return provenance.origin(kind, tx.now, licence=LICENCES.get(kind, ""))


def _move(
    tx: Transaction, outlet_id: Id, placing: Placing, lat_e7: int, lon_e7: int, origin: Mapping[str, Any]
) -> None:
    outlet = _outlets.read_outlet(tx, outlet_id)
    check_position(lat_e7, lon_e7)
    _outlets.update_outlet(tx, outlet.id, {
        "lat_e7": lat_e7, "lon_e7": lon_e7, "placing": placing.document(),
        "provenance": {**outlet.provenance, provenance.POSITION: dict(origin)},
    })
    tx.touch("outlet", outlet.id)
    tx.label = tx.label or "outlet.placed"


def accept(tx: Transaction, outlet_id: Id) -> None:
    """Take the place that was proposed. Raises ``placing_nothing_proposed``."""
    one = _read(tx, outlet_id)
    placing = one.placing
    if placing is None or placing.found is None or placing.state != DOUBTFUL:
        raise DomainError("placing_nothing_proposed", name=one.name)
    taken = Placing(PLACED, "", placing.provider, tx.now, placing.confidence, one.address.key, placing.found)
    _move(tx, one.id, taken, placing.found.lat_e7, placing.found.lon_e7, _origin(tx, placing.provider))


def decline(tx: Transaction, outlet_id: Id) -> None:
    """The proposed place is not this outlet's: it is not asked about again until its address changes."""
    one = _read(tx, outlet_id)
    if one.placing is None or one.placing.state != DOUBTFUL:
        raise DomainError("placing_nothing_proposed", name=one.name)
    placing = Placing(REFUSED, DECLINED, one.placing.provider, tx.now, 0, one.address.key)
    _outlets.update_outlet(tx, one.id, {"placing": placing.document()})
    tx.touch("outlet", one.id)
    tx.label = tx.label or "outlet.placed"


def place_by_hand(tx: Transaction, outlet_id: Id, lat_e7: int, lon_e7: int) -> None:
    """A person says where it is. Degrees x 10^7; raises ``position_outside_world``."""
    one = _read(tx, outlet_id)
    placing = Placing(BY_HAND, "", provenance.PERSON, tx.now, 0, one.address.key)
    _move(tx, one.id, placing, lat_e7, lon_e7, provenance.origin(provenance.PERSON, tx.now, by=tx.actor.user_id))


def take_back(tx: Transaction, transaction: Id) -> None:
    """Undo one decision. Raises ``undo_overtaken`` when somebody has moved the outlet since."""
    undo_change(tx, transaction)


def _read(tx: Transaction, outlet_id: Id) -> Unplaced:
    outlet = _outlets.read_outlet(tx, outlet_id)
    rid = _quality.rid_of(tx, outlet.id)
    return _store.those(tx, [rid] if rid is not None else [])[0]


def address_of(found: Sequence[Candidate]) -> dict[str, str]:
    """The nearest address as fields for a new outlet; empty when none was found."""
    best = next((one for one in found if one.address.street), None)
    if best is None:
        return {}
    at = best.address
    named = {"house_number": at.house_number, "street": at.street, "postcode": at.postcode, "city": at.city,
             "country": at.country}
    return {name: text for name, text in named.items() if text}


