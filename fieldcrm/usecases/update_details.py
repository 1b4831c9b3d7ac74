"""An update with what is known of its outlet: for the person who decides about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import Outlet
from fieldcrm.domain.provenance import moment_of, origin_of
from fieldcrm.store import outlets as _outlets
from fieldcrm.store.database import Reader
from fieldcrm.usecases.updates import Proposal


@dataclass(frozen=True, slots=True)
class Written:
    """Who entered or confirmed a field, and when; what is not known is empty."""

    person: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class UpdateDetails:
    """``outlet`` is ``None`` for one that we do not have yet, or that is gone."""

    proposal: Proposal
    outlet: Outlet | None
    written: Mapping[str, Written]


def details(r: Reader, proposal: Proposal) -> UpdateDetails:
    """The outlet as it is now, and for each field that a person wrote: who, and when."""
    if proposal.outlet_id is None:
        return UpdateDetails(proposal, None, {})
    try:
        outlet = _outlets.read_outlet(r, proposal.outlet_id)
    except DomainError:
        return UpdateDetails(proposal, None, {})
    names = _outlets.person_names(r) if proposal.written else {}
    return UpdateDetails(proposal, outlet, {field: _written(outlet, field, names) for field in proposal.written})


def _written(outlet: Outlet, field: str, names: Mapping[Id, str]) -> Written:
    origin = origin_of(outlet.provenance, field) or {}
    by = origin.get("by")
    known = isinstance(by, str) and len(by) == 32 and all(letter in "0123456789abcdef" for letter in by)
    return Written(names.get(Id(by), "") if known and isinstance(by, str) else "", moment_of(origin))
