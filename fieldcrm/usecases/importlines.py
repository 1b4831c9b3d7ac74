"""The lines of a feed sorted into what is new, what a source says otherwise, what is the same, and what is refused.

Used alike by the dry run and by the import itself. Lines go through in parts: each part asks the database a few
questions, however many lines it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import cos, radians
from typing import Any

from fieldcrm.domain import extracts
from fieldcrm.domain.earth import METRES_A_DEGREE, metres
from fieldcrm.domain.extracts import SAME_PLACE_METRES, Difference
from fieldcrm.domain.ids import Id
from fieldcrm.domain.imported import MAX_REFERENCE, fault
from fieldcrm.domain.intake import Feed, Incoming, Line, Refused
from fieldcrm.domain.outlet import DEGREE
from fieldcrm.store import imports as _imports
from fieldcrm.store.database import Reader
from fieldcrm.store.imports import Known

_NOTHING: Mapping[str, Any] = {}
_E7_A_METRE = DEGREE / METRES_A_DEGREE  # of latitude


@dataclass(frozen=True, slots=True)
class Ready:
    """A line whose values are wire values that may be taken, and the key by which its outlet is known again."""

    line: Incoming
    key: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class News:
    """A line about an outlet that we have, where the source says something else than it did."""

    ready: Ready
    outlet_id: Id  # the one that stayed, when it was merged
    source_of: bytes  # the outlet that the source is kept with
    present: Mapping[str, Any]
    last: Mapping[str, Any]  # what the source said before
    said: Mapping[str, Any]  # what it says otherwise now
    differences: tuple[Difference, ...]


@dataclass(slots=True)
class Sorted:
    """One part. ``rids``: of ``outlet_source``, for those that the extract still has."""

    new: list[Ready] = field(default_factory=list)
    news: list[News] = field(default_factory=list)
    same: list[Incoming] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    rids: list[int] = field(default_factory=list)
    lines: int = 0


class Sorter:
    """Sorts the lines of one run. ``sectors``: those of the person by their code, folded.

    A reference that came before in the same run is refused. In a dry run nothing is written, so they are remembered,
    8 bytes and its place in a set for each; an import asks the database, which has what was written, and remembers
    those of the last parts alone (``own_batch``). ``given``: see ``domain.imported.given_by``.
    """

    def __init__(
        self, source: str, sectors: Mapping[str, Id], own_batch: Id | None, given: Mapping[str, Any] = _NOTHING
    ) -> None:
        self.source = source
        self.sectors = sectors
        self._given = [(name, given.get(name)) for name in ("zone", "country")]
        self._mine = own_batch.hex if own_batch else None
        self._before: set[int] = set()
        self._lately: dict[str, None] = {}
        self._had: set[int] = set()  # rids of outlet_source
        self._aliases: Mapping[bytes, bytes] | None = None
        self._knows: bool | None = None

    def sort(self, r: Reader, lines: Sequence[Line]) -> Sorted:
        part = Sorted(lines=len(lines))
        ready: list[Ready] = []
        for line in lines:
            made = line if isinstance(line, Refused) else self._ready(line)
            if isinstance(made, Refused):
                part.refused.append(made)
            else:
                ready.append(made)
        found = _imports.known(r, self.source, [one.key for one in ready if one.key])
        changed: list[tuple[Ready, Known, dict[str, Any]]] = []
        for one in ready:
            known = found.get(one.key) if one.key else self._beside(r, one)
            if self._repeated(one.key, known):
                part.refused.append(_refused(one.line, "reference_repeated", reference=one.line.reference or one.key))
            elif known is None:
                part.new.append(one)
            else:
                self._had.add(known.source_rid)
                part.rids.append(known.source_rid)
                said = extracts.news(known.values, one.values)
                if said:
                    changed.append((one, known, said))
                else:
                    part.same.append(one.line)
        part.refused.sort(key=lambda refused: refused.row)
        self._compare(r, part, changed)
        return part

    def _repeated(self, key: str, known: Known | None) -> bool:
        if known is not None and (known.source_rid in self._had or known.batch == self._mine):
            return True
        if not key or known is not None:
            return False
        if self._mine is not None:
            if key in self._lately:
                return True
            self._lately[key] = None
            return False
        mark = hash(key)
        if mark in self._before:
            return True
        self._before.add(mark)
        return False

    def forget_written(self, keys: Sequence[str]) -> None:
        """The database has these now: they are found there when they come again."""
        for key in keys:
            self._lately.pop(key, None)

    def has(self, source_rid: int) -> bool:
        """Whether the run has met the outlet of this row of ``outlet_source``."""
        return source_rid in self._had

    def _ready(self, line: Incoming) -> Ready | Refused:
        values = {name: value for name, value in line.values.items() if value is not None and value != ""}
        code = values.pop("sector", None)
        if code is not None:
            sector = self.sectors.get(str(code).strip().casefold())
            if sector is None:
                return _refused(line, "sector_not_yours", column="sector", value=str(code), sector=str(code)[:80])
            values["sector_id"] = sector.hex
        elif isinstance(values.get("sector_id"), Id):
            values["sector_id"] = values["sector_id"].hex
        for name, usual in self._given:  # what every line says alike is said once, by the batch
            if values.get(name) == usual:
                values.pop(name, None)
        wrong = fault(values)
        if wrong is not None:
            return _refused(line, wrong[0], column=wrong[1], value=str(values.get(wrong[1], "")))
        if len(line.reference) > MAX_REFERENCE or not line.reference.isprintable():
            return _refused(line, "reference_malformed", value=line.reference)
        return Ready(line, extracts.key_of(line.reference, values), values)

    def _beside(self, r: Reader, one: Ready) -> Known | None:
        """Of a source without references: the outlet of the same name that it gave within some metres of here."""
        if self._knows is None:
            self._knows = _imports.has_source(r, self.source)
        lat, lon, name = one.values.get("lat_e7"), one.values.get("lon_e7"), extracts.folded(one.values["name"])
        if not self._knows or lat is None or lon is None:
            return None
        height = int(SAME_PLACE_METRES * _E7_A_METRE)
        width = int(height / max(0.01, cos(radians(lat / DEGREE))))
        for known, place in _imports.about(r, self.source, lat, lon, height, width):
            near = metres(lat, lon, place["lat_e7"], place["lon_e7"]) <= SAME_PLACE_METRES
            said = known.values.get("name") or place["name"]
            if near and known.batch != self._mine and extracts.folded(said) == name:
                return known
        return None

    def _compare(self, r: Reader, part: Sorted, changed: Sequence[tuple[Ready, Known, dict[str, Any]]]) -> None:
        if not changed:
            return
        if self._aliases is None:
            self._aliases = _imports.aliases(r)
        stays = {known.outlet_id: self._stays(known.outlet_id) for _, known, _ in changed}
        present = _imports.outlets(r, set(stays.values()))
        for one, known, said in changed:
            outlet = stays[known.outlet_id]
            if outlet not in present:
                part.same.append(one.line)
                continue
            differences = tuple(extracts.differences(said, present[outlet]))
            last = {name: known.values.get(name) for name in said}
            part.news.append(News(one, Id(bytes=outlet), known.outlet_id, present[outlet], last, said, differences))

    def _stays(self, outlet: bytes) -> bytes:
        assert self._aliases is not None
        for _ in range(16):
            following = self._aliases.get(outlet)
            if following is None or following == outlet:
                break
            outlet = following
        return outlet


def _refused(line: Incoming, code: str, *, column: str = "", value: str = "", **params: Any) -> Refused:
    return Refused(line.row, column, value[:80], code, {"field": column, **params} if column else params)


def parts(feed: Feed, size: Callable[[], int]) -> Iterator[list[Line]]:
    """The lines of the feed, some at a time. A line that the feed refused counts as one."""
    some: list[Line] = []
    for line in feed.lines():
        some.append(line)
        if len(some) >= size():
            yield some
            some = []
    if some:
        yield some


def named(line: Incoming, values: Mapping[str, Any]) -> Incoming:
    """The line with its values as they would be written, for a preview."""
    return replace(line, values=dict(values))
