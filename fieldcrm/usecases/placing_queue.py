"""The queue of addresses: asks when the network is there, pauses when it is not, goes on by itself, never twice.

One thread asks, at the provider's pace, and writes what it learnt in short transactions. What was asked on this day is
counted and kept, so that a public server's limit holds over a restart; what was answered is kept for half a year, but
for what the files of this device answer: a newer file may know more, and asking it again costs nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from fieldcrm.domain.actor import Actor
from fieldcrm.domain.errors import CodedError, DomainError, Unavailable
from fieldcrm.domain.placing import DOUBTFUL, PLACED, REFUSED, Address, Candidate
from fieldcrm.geo.geocode import AT_ONCE, Provider
from fieldcrm.store import placing as _store
from fieldcrm.store import state as _state
from fieldcrm.store.database import Database, Reader, Transaction
from fieldcrm.store.placing import Unplaced
from fieldcrm.usecases import placing as _placing

log = logging.getLogger(__name__)

KEPT = timedelta(days=180)  # an answer is believed for so long
WRITTEN_AT_ONCE = 20  # outlets in one transaction
FIRST_WAIT, LONGEST_WAIT = 5.0, 600.0  # seconds between tries while nothing answers
ASKED = "placing/asked"  # of this device: day, host and how many requests

IDLE, ASKING, PAUSED, DONE, STOPPED, FAILED = "idle", "asking", "paused", "done", "stopped", "failed"


class Asks(Protocol):
    """What the queue needs of a geocoder."""

    provider: Provider

    def search(self, address: Address) -> tuple[Candidate, ...]: ...

    def search_table(self, addresses: Sequence[Address]) -> list[tuple[Candidate, ...]]: ...

    def reverse(self, lat: float, lon: float) -> tuple[Candidate, ...]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """``state`` of the queue; while ``paused``, ``error`` says why and ``seconds`` when it tries again."""

    state: str = IDLE
    done: int = 0
    total: int = 0
    placed: int = 0
    doubtful: int = 0
    refused: int = 0
    error: CodedError | None = None
    seconds: int = 0

    @property
    def busy(self) -> bool:
        return self.state in (ASKING, PAUSED)


class Pace:
    """Keeps to so many requests a second: never two nearer to each other than that, whoever asks."""

    def __init__(self, per_second: float, *, clock: Callable[[], float] = monotonic) -> None:
        self._gap = 1.0 / per_second
        self._clock = clock
        self._next = float("-inf")

    def turn(self, wait: Callable[[float], bool]) -> bool:
        """Wait for one's turn; ``False`` when ``wait(seconds)`` said that it is over."""
        left = self._next - self._clock()
        if left > 0 and wait(left):
            return False
        self._next = self._clock() + self._gap
        return True


class PlacingQueue:
    """Started for a list of outlets; ``changed`` is called from its thread with the progress."""

    def __init__(
        self, db: Database, *, actor: Actor, now: Callable[[], datetime],
        packs: Callable[[], Sequence[Path]] = tuple, make: Callable[[Provider], Asks] | None = None,
        clock: Callable[[], float] = monotonic, wait: Callable[[float], bool] | None = None, agent: str = "FieldCRM",
    ) -> None:
        self._db, self._actor, self._now, self._clock = db, actor, now, clock
        self._make = make or (lambda provider: _placing.geocoder(provider, self.agent, packs()))
        self.agent = agent
        self._stop = threading.Event()
        self._wait = wait or self._stop.wait
        self._thread: threading.Thread | None = None
        self._one = threading.Lock()  # one request at a time, whoever asks
        self._paces: dict[str, Pace] = {}
        self.progress = Progress()
        self.changed: Callable[[Progress], None] = lambda progress: None
        self.wrote: Callable[[Any], None] = lambda changes: None

    # ---- from the UI thread ----

    def start(self, provider: Provider, rids: Sequence[int]) -> bool:
        """Ask about these outlets; ``False`` while it is still at work."""
        if self._thread is not None and self._thread.is_alive():
            return False
        self._stop.clear()
        self.progress = Progress(ASKING, total=len(rids))
        self._thread = threading.Thread(target=self._run, args=(provider, list(rids)), name="placing", daemon=True)
        self._thread.start()
        return True

    def stop(self, *, join: bool = False) -> None:
        """What was answered is written; the rest waits."""
        self._stop.set()
        if join and self._thread is not None:
            self._thread.join(timeout=3)  # an answer that is waited for may take longer: it is given up

    # ---- on its thread, or in the pool ----

    def reverse(self, provider: Provider, lat: float, lon: float) -> tuple[Candidate, ...]:
        """The addresses at a position, waited for; kept for whoever asks again within some ten metres."""
        return self._at(provider, lat, lon, lambda asker: self._ask(provider, lambda: asker.reverse(lat, lon)) or ())

    def once(self, provider: Provider, lat: float, lon: float) -> tuple[Candidate, ...]:
        """The same for somebody who looks on: asked once, at the pace. Not on the UI thread; raises ``Unavailable``."""

        def ask(asker: Asks) -> tuple[Candidate, ...]:
            with self._one:
                self._count(provider)
                self._pace(provider).turn(self._rest)
                return asker.reverse(lat, lon)

        return self._at(provider, lat, lon, ask)

    def _at(
        self, provider: Provider, lat: float, lon: float, ask: Callable[[Asks], tuple[Candidate, ...]]
    ) -> tuple[Candidate, ...]:
        key = f"@{lat:.4f},{lon:.4f}"
        with self._db.read() as r:
            known = self._known(r, provider, {key})
        if key in known:
            return known[key]
        asker = self._make(provider)
        try:
            found = ask(asker)
        finally:
            asker.close()
        if not provider.offline:
            self._write(lambda tx: _store.keep_answer(tx, provider.url, key, found))
        return found

    def _known(self, r: Reader, provider: Provider, keys: set[str]) -> dict[str, tuple[Candidate, ...]]:
        return {} if provider.offline else _store.known_answers(r, provider.url, keys, self._now() - KEPT)

    def _pace(self, provider: Provider) -> Pace:
        return self._paces.setdefault(provider.host, Pace(provider.per_second, clock=self._clock))

    def _rest(self, seconds: float) -> bool:
        threading.Event().wait(seconds)
        return False

    def run(self, provider: Provider, rids: Sequence[int]) -> Progress:
        """The whole queue on the calling thread."""
        self.progress = Progress(ASKING, total=len(rids))
        try:
            asker = self._make(provider)
        except CodedError as error:
            self._say(state=FAILED, error=error)
            return self.progress
        self._write(lambda tx: _store.forget_answers(tx, self._now() - KEPT))
        size = AT_ONCE if provider.tables else WRITTEN_AT_ONCE
        try:
            at = 0
            while at < len(rids) and not self._stop.is_set():
                at += self._batch(asker, rids[at : at + size])
            self._say(state=STOPPED if at < len(rids) else DONE, error=None)
        except CodedError as error:
            self._say(state=FAILED, error=error)
        finally:
            asker.close()
        return self.progress

    def _run(self, provider: Provider, rids: Sequence[int]) -> None:
        try:
            self.run(provider, rids)
        except RuntimeError:  # the database was closed under it: the program is on its way out
            log.info("the queue of addresses ends with the program")
        except Exception:
            log.exception("the queue of addresses stopped")
            self._say(state=FAILED, error=Unavailable("geocoder_error", host=provider.host))

    def _batch(self, asker: Asks, rids: Sequence[int]) -> int:
        """Ask about some outlets, those of one address once, and write the answers; how many were dealt with."""
        provider = asker.provider
        with self._db.read() as r:
            outlets = [one for one in _store.those(r, rids) if one.address.searchable]
            known = self._known(r, provider, {one.address.key for one in outlets})
        asked = {one.address.key: one.address for one in outlets if one.address.key not in known}
        new: dict[str, tuple[Candidate, ...]] = {}
        try:
            self._collect(asker, asked, new)
        finally:  # what was answered before a failure is not asked again
            self._conclude(provider, outlets, known, new)
        return len(rids)

    def _collect(self, asker: Asks, asked: dict[str, Address], new: dict[str, tuple[Candidate, ...]]) -> None:
        """Put the answers into ``new`` until a stop; an address that the server refuses has no candidate."""
        provider = asker.provider
        if provider.tables and len(asked) > 2:
            found = self._ask(provider, lambda: asker.search_table(list(asked.values())))
            new.update(zip(asked, found or (), strict=False))
            return
        for key, address in asked.items():
            try:
                answer = self._ask(provider, partial(asker.search, address))
            except DomainError as error:
                if error.code != "geocoder_refused":
                    raise
                answer = ()
            if answer is None:
                return
            new[key] = answer

    def _conclude(
        self, provider: Provider, outlets: Sequence[Unplaced], known: dict[str, tuple[Candidate, ...]],
        new: dict[str, tuple[Candidate, ...]],
    ) -> None:
        if new and not provider.offline:
            self._write(partial(_keep_all, provider=provider, answers=new))
        said = known | new
        answered = [one for one in outlets if one.address.key in said]
        for at in range(0, len(answered), WRITTEN_AT_ONCE):
            self._apply(provider, answered[at : at + WRITTEN_AT_ONCE], said)

    def _ask(self, provider: Provider, work: Callable[[], Any]) -> Any:
        """One request at the provider's pace, again and again while it is busy or away; ``None`` when stopped.

        Raises ``geocoder_day_used``, and ``DomainError`` for what no waiting will mend.
        """
        wait = FIRST_WAIT
        while not self._stop.is_set():
            with self._one:
                self._count(provider)
                if not self._pace(provider).turn(self._wait):
                    return None
                try:
                    value = work()
                except Unavailable as error:
                    failure = error
                else:
                    if self.progress.state == PAUSED:
                        self._say(state=ASKING, error=None, seconds=0)
                    return value
            seconds = max(wait, float(failure.params.get("seconds", 0)))
            self._say(state=PAUSED, error=failure, seconds=round(seconds))
            if self._wait(seconds):
                return None
            wait = min(LONGEST_WAIT, wait * 2)
        return None

    def _count(self, provider: Provider) -> None:
        if not provider.per_day:
            return
        day = self._now().date().isoformat()

        def work(tx: Transaction) -> int:
            kept = _state.read_state(tx, ASKED) or {}
            count = kept.get("count", 0) if (kept.get("day"), kept.get("host")) == (day, provider.host) else 0
            if count < provider.per_day:
                _state.write_state(tx, ASKED, {"day": day, "host": provider.host, "count": count + 1})
            return int(count)

        if self._write(work) >= provider.per_day:
            raise DomainError("geocoder_day_used", host=provider.host, count=provider.per_day)

    def _apply(
        self, provider: Provider, outlets: Sequence[Unplaced], known: dict[str, tuple[Candidate, ...]]
    ) -> None:
        def work(tx: Transaction) -> list[str]:
            return [_placing.apply(tx, one, known[one.address.key], provider) for one in outlets]

        became = self._write(work, tell=True)
        now = self.progress
        self._say(
            done=min(now.total, now.done + len(outlets)), placed=now.placed + became.count(PLACED),
            doubtful=now.doubtful + became.count(DOUBTFUL), refused=now.refused + became.count(REFUSED),
        )

    def _write(self, work: Callable[[Transaction], Any], *, tell: bool = False) -> Any:
        written = self._db.write(work, actor=self._actor, now=self._now()).result()
        if tell:
            self.wrote(written.changes)
        return written.value

    def _say(self, **values: Any) -> None:
        self.progress = replace(self.progress, **values)
        self.changed(self.progress)


def _keep_all(tx: Transaction, provider: Provider, answers: dict[str, tuple[Candidate, ...]]) -> None:
    for key, found in answers.items():
        _store.keep_answer(tx, provider.url, key, found)
