"""Outlets that may be the one being typed: shown while typing, never in the way."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from rapidfuzz import fuzz

from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import DEGREE, Outlet
from fieldcrm.geo.distance import great_circle_m
from fieldcrm.store import outlets as _outlets
from fieldcrm.store.database import Reader

CLOSE_M = 300  # two stores of one name this close are probably one
SHOWN = 3
ENOUGH = 70  # of 100, below which a likeness is not worth a word


@dataclass(frozen=True, slots=True)
class Lookalike:
    """``score`` of 100; ``reasons`` are codes: same_siret, same_phone, same_name, close, same_city."""

    outlet: Outlet
    score: int
    reasons: tuple[str, ...]
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


def lookalikes(r: Reader, typed: Typed, *, other_than: Id | None = None) -> tuple[Lookalike, ...]:
    """The most likely doubles of what is typed, best first: at most three, in a few milliseconds."""
    phone, siret = _digits(typed.phone), _digits(typed.siret)
    if len(typed.name.strip()) < 3 and len(phone) < 8 and len(siret) != 14:
        return ()
    position = (typed.lat_e7, typed.lon_e7) if typed.lat_e7 is not None and typed.lon_e7 is not None else None
    found = _outlets.alike(
        r,
        words=f"{typed.name} {typed.banner} {typed.city}" if len(typed.name.strip()) >= 3 else "",
        position=position,
        metres=CLOSE_M,
        phone_digits=phone,
        siret=siret if len(siret) == 14 else "",
    )
    judged = [_judge(typed, outlet, phone, siret) for outlet in found if outlet.id != other_than]
    worth = [one for one in judged if one.score >= ENOUGH]
    return tuple(sorted(worth, key=lambda one: (-one.score, one.outlet.id.bytes)))[:SHOWN]


def _judge(typed: Typed, outlet: Outlet, phone: str, siret: str) -> Lookalike:
    reasons: list[str] = []
    distance = _distance(typed, outlet)
    if len(siret) == 14 and siret == outlet.siret:
        reasons.append("same_siret")
    if len(phone) >= 8 and _digits(outlet.phone or "")[-9:] == phone[-9:]:
        reasons.append("same_phone")
    name = fuzz.token_set_ratio(_plain(typed.name), _plain(outlet.name)) if typed.name else 0.0
    whole = fuzz.ratio(_plain(typed.name), _plain(outlet.name)) if typed.name else 0.0
    likeness = 0.6 * name + 0.4 * whole
    if likeness >= 80:
        reasons.append("same_name")
    near = distance is not None and distance <= CLOSE_M
    if near:
        reasons.append("close")
    same_city = bool(typed.city or typed.postcode) and (
        (bool(typed.postcode) and typed.postcode == outlet.postcode)
        or (bool(typed.city) and _plain(typed.city) == _plain(outlet.city or ""))
    )
    if same_city:
        reasons.append("same_city")
    if {"same_siret", "same_phone"} & set(reasons):
        score = 95.0
    else:
        # A name alone says little where a banner has hundreds of stores: it needs a place to agree.
        score = likeness * (0.98 if near else 0.9 if same_city else 0.72 if distance is None else 0.5)
    return Lookalike(outlet, round(score), tuple(reasons), distance)


def _distance(typed: Typed, outlet: Outlet) -> int | None:
    if typed.lat_e7 is None or typed.lon_e7 is None or outlet.lat_e7 is None or outlet.lon_e7 is None:
        return None
    here, there = (typed.lat_e7 / DEGREE, typed.lon_e7 / DEGREE), (outlet.lat_e7 / DEGREE, outlet.lon_e7 / DEGREE)
    return round(great_circle_m(here, there))


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", letters))


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())
