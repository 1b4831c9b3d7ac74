"""Outlets of a file become the organisation's, on the server itself; a newer extract makes proposals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Protocol
from uuid import UUID

from fieldcrm.domain import extracts, provenance
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.extracts import OPENED, Difference
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.domain.imported import derived, fault, given_by, ids_in_order, origin_of_batch, outlet_values
from fieldcrm.domain.intake import Feed, Incoming, Line, Refused
from fieldcrm.domain.proposing import SAID, New, Standing
from fieldcrm.server import importlooks as _looks
from fieldcrm.server import unimports as _unimports
from fieldcrm.server.headquarters import Headquarters
from fieldcrm.server.importlooks import Known

_LINES_AT_ONCE = 500
Row = tuple[str, Mapping[str, Any]]


class SourceOutlet(Protocol):
    """One outlet as a map gives it; texts that it lacks are empty."""

    @property
    def reference(self) -> str: ...  # stable: the key of a later import


@dataclass(frozen=True, slots=True)
class Source:
    name: str  # "osm"
    licence: str
    file: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What was settled before. ``sectors``: by their code, folded; ``propose``: what becomes of outlets that we do not
    have (``None``: proposed when outlets of the source are here, else added); ``complete``: the file holds all that
    its source has in the sector; ``accept_untouched``: what nobody of ours has written is changed at once."""

    sector: Id
    zone: str
    country: str = ""
    state: str = "prospect"
    sectors: Mapping[str, Id] = field(default_factory=dict)
    propose: bool | None = None
    complete: bool = False
    accept_untouched: bool = False
    dry_run: bool = False


@dataclass(slots=True)
class Imported:
    """What was done, or what a dry run found. ``batch``: to undo it by; ``None`` of a dry run."""

    batch: Id | None = None
    rows: int = 0
    added: int = 0
    changed: int = 0  # at once: ``accept_untouched``
    proposed: int = 0
    unchanged: int = 0
    refused: int = 0


def _nobody(_line: Any) -> None:
    """For what nobody wants to hear."""


def bring_in(
    hq: Headquarters,
    org: Id,
    feed: Feed,
    settled: Settled,
    *,
    now: datetime,
    on_progress: Callable[[float], None] = _nobody,
    on_refused: Callable[[Refused], None] = _nobody,
) -> Imported:
    """Import a feed: all of it or nothing. Raises ``DomainError("import_empty")``, and what the feed raises."""
    run = _Run(hq, org, feed, settled, now, on_refused)
    try:
        lines = feed.lines()
        while some := list(islice(lines, _LINES_AT_ONCE)):
            run.take(some)
            on_progress(feed.position())
        if settled.complete:
            run.close_missing()
        if not (run.done.added or run.done.proposed or run.done.changed or run.done.unchanged):
            raise DomainError("import_empty", refused=run.done.refused)
    except BaseException:
        if run.begun:
            _unimports.take_out(hq, org, run.batch, now=now, withdraw=True)
        raise
    return run.end()


class _Run:
    def __init__(
        self,
        hq: Headquarters,
        org: Id,
        feed: Feed,
        settled: Settled,
        now: datetime,
        on_refused: Callable[[Refused], None],
    ) -> None:
        self.batch, self.begun = new_id(now), False
        self.done = Imported(None if settled.dry_run else self.batch)
        self._hq, self._org, self._feed, self._settled, self._now = hq, org, feed, settled, now
        self._source, self._on_refused = feed.source, on_refused
        self._known = _looks.known(hq, org, feed.source)
        self._propose = bool(self._known) if settled.propose is None else settled.propose
        self._standing = _looks.standing(hq, org, feed.source) if self._known else Standing()
        self._had: set[UUID] = set()
        self._keys: set[int] = set()
        self._ids = ids_in_order(now)
        self._given = given_by(settled.sector, settled.zone, settled.country, settled.state)
        self._origin = origin_of_batch(feed.source, feed.licence, now)

    # ---- lines ----------------------------------------

    def take(self, lines: Sequence[Line]) -> None:
        rows: list[Row] = []
        changed: list[tuple[str, Known, dict[str, Any]]] = []
        self.done.rows += len(lines)
        for line in lines:
            made = line if isinstance(line, Refused) else self._ready(line)
            if isinstance(made, Refused):
                self.done.refused += 1
                self._on_refused(made)
                continue
            key, values = made
            known = self._known.of(key, values)
            if known is None:
                rows += self._new(key, values)
            else:
                self._had.add(known.source_id)
                changed.append((key, known, values))
        rows += self._compared(changed)
        self._write(rows)

    def _ready(self, line: Incoming) -> tuple[str, dict[str, Any]] | Refused:
        values = {name: value for name, value in line.values.items() if value is not None and value != ""}
        code = values.pop("sector", None)
        if code is not None:
            sector = self._settled.sectors.get(str(code).strip().casefold())
            if sector is None:
                return Refused(line.row, "sector", str(code)[:80], "sector_unknown", {"code": str(code)[:80]})
            values["sector_id"] = sector.hex
        for name in ("zone", "country"):
            if values.get(name) == self._given[name]:
                values.pop(name, None)
        wrong = fault(values)
        if wrong is not None:
            return Refused(line.row, wrong[1], str(values.get(wrong[1], ""))[:80], wrong[0], {"field": wrong[1]})
        key = extracts.key_of(line.reference, values)
        known = self._known.of(key, values)
        if (known is not None and known.source_id in self._had) or (key and hash(key) in self._keys):
            params = {"reference": line.reference or key}
            return Refused(line.row, "", line.reference[:80], "reference_repeated", params)
        if key:
            self._keys.add(hash(key))
        return key, values

    def _new(self, key: str, values: dict[str, Any]) -> Iterator[Row]:
        if self._propose:
            sector = UUID(hex=values.get("sector_id", self._given["sector_id"]))
            proposal = New(new_id(self._now), OPENED, sector, None, key, {}, values)
            found = list(self._proposal(proposal))
            self.done.unchanged += not found
            yield from found
            return
        self.done.added += 1
        raw = next(self._ids)
        id_ = UUID(bytes=raw)
        outlet = outlet_values(values, self._given, self._origin)
        sector = UUID(hex=outlet["sector_id"])
        yield "outlet", {**outlet, "id": id_, "sector_id": sector}
        yield "outlet_source", self._source_row(UUID(bytes=derived(raw, "outlet_source")), id_, key, values)
        assignment = {"id": UUID(bytes=derived(raw, "sector_assignment")), "outlet_id": id_, "sector_id": sector}
        yield "sector_assignment", assignment | {"valid_from": self._now.date()}

    def _source_row(self, id_: Id, outlet: Id, key: str, values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "id": id_, "outlet_id": outlet, "source": self._source, "reference": key, "licence": self._feed.licence,
            "imported_at": self._now, "values": dict(values), "batch": self.batch.hex,
        }  # fmt: skip

    # ---- what the source says otherwise ----------------------------------------

    def _compared(self, lines: Sequence[tuple[str, Known, dict[str, Any]]]) -> Iterator[Row]:
        if not lines:
            return
        last, present = _looks.standing_values(self._hq, self._org, [known for _, known, _ in lines])
        for key, known, values in lines:
            before = last.get(known.source_id, {})
            said = extracts.news(before, values)
            outlet = present.get(known.outlet_id)
            if not said or outlet is None:
                self.done.unchanged += 1
                continue
            rows = list(self._said(key, known, said, before, outlet))
            self.done.unchanged += len(rows) == 0
            yield from rows
            yield "outlet_source", {"id": known.source_id, "values": {**before, **said}}

    def _said(
        self, key: str, known: Known, said: Mapping[str, Any], before: Mapping[str, Any], outlet: _looks.Present
    ) -> Iterator[Row]:
        told = dict(said)
        if self._settled.accept_untouched:
            at_once = {name: value for name, value in said.items() if outlet.untouched(name, self._source)}
            at_once = {name: value for name, value in at_once.items() if outlet.values.get(name) != value}
            if at_once:
                self.done.changed += 1
                entry = provenance.origin(self._source, self._now, licence=self._feed.licence)
                origins = {**(outlet.values.get("provenance") or {}), **provenance.stamped(at_once, entry)}
                yield "outlet", {"id": known.outlet_id, **at_once, "provenance": origins}
            told = {name: value for name, value in said.items() if name not in at_once}
        differences = list(extracts.differences(told, outlet.values))
        for one in differences:
            yield from self._proposal(self._made(key, known, one, before, outlet))
        now_same = {extracts.kind_of(name, value) for name, value in said.items()} - {one.kind for one in differences}
        for gone in self._standing.overtaken(known.outlet_id, sorted(now_same)):
            yield "proposal", {"id": gone, "state": "stale"}

    def _made(
        self, key: str, known: Known, one: Difference, before: Mapping[str, Any], outlet: _looks.Present
    ) -> New:
        was = {**one.before, SAID: {name: before.get(name) for name in one.after}}
        sector = UUID(hex=outlet.values["sector_id"])
        return New(new_id(self._now), one.kind, sector, known.outlet_id, key, was, one.after)

    def _proposal(self, new: New) -> Iterator[Row]:
        worth, overtaken = self._standing.replaced(new)
        if overtaken is not None:
            yield "proposal", {"id": overtaken, "state": "stale"}
        if worth:
            self.done.proposed += 1
            yield "proposal", {
                "id": new.id, "sector_id": new.sector_id, "outlet_id": new.outlet_id, "kind": new.kind,
                "before": dict(new.before), "after": dict(new.after), "source": self._source,
                "reference": new.reference or None, "batch_id": self.batch, "seen_at": self._now, "state": "open",
            }  # fmt: skip

    def close_missing(self) -> None:
        """Propose as closed what the source had in the sector and has no more."""
        gone = [known for known in self._known if known.source_id not in self._had]
        for at in range(0, len(gone), _LINES_AT_ONCE):
            some = gone[at : at + _LINES_AT_ONCE]
            _, present = _looks.standing_values(self._hq, self._org, some)
            rows: list[Row] = []
            for known in some:
                outlet = present.get(known.outlet_id)
                mine = outlet is not None and outlet.values["sector_id"] == self._settled.sector.hex
                if outlet is not None and mine and outlet.values["state"] != "closed":
                    [one] = extracts.differences({"state": "closed"}, outlet.values)
                    rows += self._proposal(self._made("", known, one, {}, outlet))
            self._write(rows)

    # ---- writing ----------------------------------------

    def _write(self, rows: Sequence[Row]) -> None:
        if self._settled.dry_run or not rows:
            return
        self._begin()
        self._hq.apply(self._org, rows)

    def _begin(self) -> None:
        if not self.begun:
            self.begun = True
            batch = {"id": self.batch, "source": self._source, "licence": self._feed.licence, "file": self._feed.file,
                     "begun_at": self._now, "state": "live", "given": self._given}  # fmt: skip
            self._hq.apply(self._org, [("import_batch", batch)])

    def end(self) -> Imported:
        if not self._settled.dry_run:
            self._begin()
            counts = {"added": self.done.added, "changed": self.done.proposed, "refused": self.done.refused}
            self._hq.apply(self._org, [("import_batch", {"id": self.batch, **counts})])
        return self.done


# ---- outlets of a map that was read already ----------------------------------------

_FIELDS: Mapping[str, str] = {  # of the outlet: of the map
    "name": "name", "banner": "brand", "store_type": "store_type", "lat_e7": "lat_e7", "lon_e7": "lon_e7",
    "house_number": "house_number", "street": "street", "postcode": "postcode", "city": "city", "country": "country",
    "phone": "phone", "email": "email", "website": "website", "opening_hours": "opening_hours",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Collected:
    """A feed of outlets that are in memory."""

    outlets: Sequence[SourceOutlet]
    source: str
    licence: str
    file: str

    def lines(self) -> Iterator[Line]:
        for row, outlet in enumerate(self.outlets, start=1):
            yield Incoming(row, outlet.reference, _given(outlet))

    def position(self) -> float:
        return 0.0


def _given(outlet: SourceOutlet) -> dict[str, Any]:
    values = {ours: getattr(outlet, theirs) for ours, theirs in _FIELDS.items()}
    return {name: value for name, value in values.items() if value not in ("", None)}


def compare_outlets(
    hq: Headquarters,
    org: Id,
    sector: Id,
    outlets: Iterable[SourceOutlet],
    source: Source,
    *,
    zone: str,
    country: str,
    now: datetime,
) -> Imported:
    """Propose what a newer, complete extract of a sector says otherwise; no outlet is changed."""
    settled = Settled(sector, zone, country, propose=True, complete=True)
    return bring_in(hq, org, _Collected(list(outlets), source.name, source.licence, source.file), settled, now=now)


def import_outlets(
    hq: Headquarters,
    org: Id,
    sector: Id,
    outlets: Iterable[SourceOutlet],
    source: Source,
    *,
    zone: str,
    country: str,
    now: datetime,
) -> Imported:
    """Add the outlets to ``sector``; one that came before keeps its sector, and every field that a person changed."""
    settled = Settled(sector, zone, country, propose=False, accept_untouched=True)
    return bring_in(hq, org, _Collected(list(outlets), source.name, source.licence, source.file), settled, now=now)
