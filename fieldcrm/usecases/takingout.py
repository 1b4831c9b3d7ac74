"""Taking an import out again: because it was cancelled, because a crash cut it short, or because a person undoes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

from fieldcrm.domain.ids import Id
from fieldcrm.store import imports as _imports
from fieldcrm.store import proposals as _proposals
from fieldcrm.store import unimports as _unimports
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.imports import Head
from fieldcrm.store.imports import Part as Rows
from fieldcrm.store.unimports import Made
from fieldcrm.usecases import deciding as _deciding
from fieldcrm.usecases.longwork import Pace, Phase, Slices, Stopped, Teller, never

_PROPOSALS_AT_ONCE = 50


class TakenOut(NamedTuple):
    removed: int = 0
    kept: int = 0
    restored: int = 0
    withdrawn: int = 0
    stopped: bool = False


@dataclass(slots=True)
class _Outlets:
    removed: int = 0
    kept: int = 0
    last: int = 0  # rid of ``outlet_source``
    more: bool = True


def take_out(slices: Slices, head: Head, tell: Teller, *, withdraw: bool, stopped: Stopped = never) -> TakenOut:
    """Take the batch out, in slices. ``withdraw``: it never came to its end, so its proposals go without a trace."""
    with slices.db.read() as r:
        total = max(1, _unimports.count(r, head.id))
    done, pace = _Outlets(), Pace(100, most=400)
    while done.more:
        if stopped():
            return TakenOut(done.removed, done.kept, stopped=True)
        slices.write(lambda tx: _some(tx, slices, head, done, pace))
        tell(Phase.TAKING_OUT, (done.removed + done.kept) / total, done.removed)
    restored = withdrawn = 0
    while True:
        if stopped():
            return TakenOut(done.removed, done.kept, restored, withdrawn, stopped=True)
        back, gone = slices.write(lambda tx: _proposals_back(tx, head, withdraw))
        restored, withdrawn = restored + back, withdrawn + gone
        if not (back or gone):
            break
        tell(Phase.RESTORING, 0.5, restored + withdrawn)
    slices.write(lambda tx: _note(tx, head, done.kept))
    tell(Phase.TAKING_OUT, 1.0, done.removed)
    return TakenOut(done.removed, done.kept, restored, withdrawn)


def after_crash(slices: Slices, tell: Teller, stopped: Stopped = never) -> TakenOut | None:
    """Take out what a crash left of an import, if it left any."""
    with slices.db.read() as r:
        batch = _imports.running(r)
        found = _imports.head_of(r, batch) if batch else None
    if found is None:
        return None
    return take_out(slices, found[0], tell, withdraw=True, stopped=stopped)


def would_keep(r: Reader, head: Head, limit: int) -> dict[bytes, str]:
    """Outlets of the batch that would stay, and why; at most ``limit``."""
    found: dict[bytes, str] = {}
    last = 0
    while len(found) < limit:
        some = _unimports.made(r, head.id, last, 400)
        if not some:
            break
        last = some[-1].source_rid
        found.update(_unimports.kept(r, head, some))
    return dict(list(found.items())[:limit])


def _some(tx: Transaction, slices: Slices, head: Head, done: _Outlets, pace: Pace) -> None:
    """One transaction: slices of the batch until somebody waits."""

    def parts() -> Sequence[None]:
        return [None] * 8

    def one(tx: Transaction, _part: None) -> None:
        if not done.more:
            return
        began = perf_counter()
        some = _unimports.made(tx, head.id, done.last, pace.rows)
        done.more = bool(some)
        if not some:
            return
        _take(tx, head, some, done)
        if len(some) == pace.rows:
            pace.took(perf_counter() - began, len(some))

    slices.turn(tx, parts(), one)


def _take(tx: Transaction, head: Head, some: Sequence[Made], done: _Outlets) -> None:
    kept = _unimports.kept(tx, head, some)
    gone = [made.outlet_id for made in some if made.outlet_id not in kept]
    _unimports.say_as_before(tx, head, gone)
    _unimports.remove(tx, head.id, gone)
    done.removed, done.kept, done.last = done.removed + len(gone), done.kept + len(kept), some[-1].source_rid


def _proposals_back(tx: Transaction, head: Head, withdraw: bool) -> tuple[int, int]:
    """Some proposals of the batch: accepted ones are taken back, open ones go; how many of each."""
    accepted = _proposals.of_batch(tx, head.id, ("accepted",), _PROPOSALS_AT_ONCE)
    if accepted:
        restored = _deciding.take_back(tx, accepted)
        _forget_said(tx, head, accepted)
        _proposals.set_state(tx, [row.id for row in accepted], "stale", decided=True)
        tx.touch("outlet", *restored)
        return len(accepted), 0
    states = ("open", "refused", "stale") if withdraw else ("open",)
    rows = _proposals.of_batch(tx, head.id, states, _PROPOSALS_AT_ONCE)
    if rows:
        _forget_said(tx, head, rows)
        ids = [row.id for row in rows]
        if withdraw:
            _proposals.remove(tx, ids)
        else:
            _proposals.set_state(tx, ids, "stale", decided=True)
    return 0, len(rows)


def _forget_said(tx: Transaction, head: Head, rows: Sequence[_deciding.Row]) -> None:
    """What the source said before is what it said last again: the same extract makes the same proposals."""
    part = Rows()
    for row in rows:
        said = (row.before or {}).get(_proposals.SAID)
        if row.outlet_id is not None and said:
            part.seen.append((row.outlet_id.bytes, said))
    if part.seen:
        _imports.write_part(tx, head, part.packed())


def _note(tx: Transaction, head: Head, kept: int) -> None:
    orphans: list[Id] = _proposals.orphans(tx, head.source)
    _proposals.set_state(tx, orphans, "stale", decided=False)
    _imports.note(tx, head.id, {"state": "undone", "undone_at": tx.now, "kept": kept}, ended=True)
    tx.touch("outlet")
    tx.touch("proposal")
