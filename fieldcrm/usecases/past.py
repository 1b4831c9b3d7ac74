"""Asking headquarters who changed an outlet: what to ask, asking it, and keeping the answer on this device.

Three steps, because the network may take half a minute and neither a reader nor the writer waits for it: ``question``
reads, ``ask`` calls (in the pool), ``keep`` writes.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import func, select

from fieldcrm.domain.ids import Id
from fieldcrm.store import outlets as _outlets
from fieldcrm.store import past as _past
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.past import PastChange, Told
from fieldcrm.store.tables import T
from sync.client.failures import RemoteFailure
from sync.protocol import PastPage

PAGES = 5  # at most, until what is known already is met
_MARK = re.compile(r"[0-9]{1,18}\.[0-9]{1,9}")

log = logging.getLogger(__name__)


class Line(Protocol):
    """Who answers: the syncing supervisor, over the line it has."""

    def history(self, collection: str, id: str, before: str = "") -> PastPage: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of one outlet's history; ``before``: only what is older than this."""

    outlet_id: Id
    newest: tuple[int, int]
    told: Told | None
    before: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    outlets: tuple[Asked, ...]
    erasures: int  # orders on this device when it was asked


@dataclass(frozen=True, slots=True)
class Answer:
    """``anew``: what was kept before does not join on, and goes."""

    outlet_id: Id
    changes: tuple[PastChange, ...]
    epoch: int
    more: str
    anew: bool


@dataclass(frozen=True, slots=True)
class Answers:
    outlets: tuple[Answer, ...]
    erasures: int
    at: datetime


def question(r: Reader, outlet_id: Id, *, older: bool = False) -> Question | None:
    """What to ask of the outlet and those merged into it; ``None`` when there is nothing: it is on this device only."""
    found = []
    for id_ in _outlets.same_outlets(r, _outlets.resolve(r, outlet_id)):
        told = _past.told_of(r, id_)
        revision = r.conn.execute(select(T.outlet.c.rev).where(T.outlet.c.id == id_)).scalar_one_or_none()
        if not revision or (older and (told is None or not told.more)):
            continue
        found.append(Asked(id_, _past.newest(r, id_), told, told.more if older and told else ""))
    return Question(tuple(found), _erasures(r)) if found else None


def ask(line: Line, asked: Question, *, now: datetime) -> Answers | None:
    """Call headquarters; not on the UI thread. ``None`` when it cannot be reached or does not tell it now."""
    answers = []
    for one in asked.outlets:
        try:
            answers.append(_ask_older(line, one) if one.before else _ask_newer(line, one))
        except RemoteFailure as failure:
            log.info("the history was not told: %s", failure)
    return Answers(tuple(answers), asked.erasures, now) if answers else None


def keep(tx: Transaction, answers: Answers) -> None:
    """Keep what was told, unless somebody was erased meanwhile: then it is asked for again another time."""
    if _erasures(tx) != answers.erasures:
        return
    for one in answers.outlets:
        if one.anew:
            _past.forget(tx, one.outlet_id)
        _past.keep(tx, one.outlet_id, one.changes, Told(answers.at, one.epoch, one.more))
        tx.touch("past", one.outlet_id)


def _ask_newer(line: Line, asked: Asked) -> Answer:
    """From the newest back to what is known, or for ``PAGES`` pages."""
    changes: list[PastChange] = []
    before = ""
    for _ in range(PAGES):
        page = line.history("outlet", asked.outlet_id.hex, before)
        changes += _sound(page, asked.outlet_id)
        known = asked.told is not None and asked.told.epoch == page.epoch
        if known and asked.told is not None and any((one.rev, one.idx) <= asked.newest for one in changes):
            return Answer(asked.outlet_id, tuple(changes), page.epoch, asked.told.more, False)
        before = _more(page)
        if not before:
            break
    return Answer(asked.outlet_id, tuple(changes), page.epoch, before, True)


def _ask_older(line: Line, asked: Asked) -> Answer:
    page = line.history("outlet", asked.outlet_id.hex, asked.before)
    if asked.told is None or page.epoch != asked.told.epoch:
        return _ask_newer(line, Asked(asked.outlet_id, (0, 0), None))
    more = _more(page)
    older = "" if more == asked.before else more  # a mark that leads back to itself ends here
    return Answer(asked.outlet_id, _sound(page, asked.outlet_id), page.epoch, older, False)


def _sound(page: PastPage, outlet_id: Id) -> tuple[PastChange, ...]:
    found = (_past.sound(entry, outlet_id) for entry in page.entries)
    return tuple(one for one in found if one is not None)


def _more(page: PastPage) -> str:
    return page.more if _MARK.fullmatch(page.more) else ""


def _erasures(r: Reader) -> int:
    return int(r.conn.execute(select(func.count()).select_from(T.erasure)).scalar_one())
