"""What is done to a stop of the day, and what is said of it: each with the offer to take back this very change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from fieldcrm.domain.ids import Id
from fieldcrm.ui import reasons
from fieldcrm.ui.appsession import AppSession
from fieldcrm.usecases import stops
from fieldcrm.usecases import undo as undoing
from fieldcrm.usecases.stops import Price
from fieldcrm.words import listing, tr


class StopChanges:
    def __init__(self, session: AppSession) -> None:
        self._session = session

    def add(self, day: date, outlet: Id, then: Callable[[], object]) -> None:
        def added(made: tuple[Id, Price]) -> None:
            self._priced(tr("Added"), made[1], "stop.added")
            then()

        self._session.do(lambda tx: stops.add_stop(tx, day, outlet), added)

    def move(self, stop: Id, position: int) -> None:
        self._session.do(lambda tx: stops.move_stop(tx, stop, position),
                         lambda price: self._priced(tr("Moved"), price, "stop.moved"))

    def skip(self, stop: Id, reason: str, then: Callable[[], object]) -> None:
        def skipped(_: object) -> None:
            self._done(tr("Skipped"), "stop.skipped")
            then()

        self._session.do(lambda tx: stops.skip_stop(tx, stop, reason), skipped)

    def take_back(self, stop: Id) -> None:
        self._session.do(lambda tx: stops.unskip_stop(tx, stop),
                         lambda _: self._done(tr("Back in the day"), "stop.taken_back"))

    def pin(self, stop: Id, pinned: bool) -> None:
        self._session.do(lambda tx: stops.pin_stop(tx, stop, pinned))

    def remove(self, stop: Id) -> None:
        self._session.do(lambda tx: stops.remove_stop(tx, stop),
                         lambda _: self._done(tr("Taken off the day"), "stop.removed"))

    def _priced(self, done: str, price: Price, label: str) -> None:
        text = tr("{name}: {value}", name=done, value=price_words(price))
        if price.closed:
            text += ". " + tr("Closed on arrival: {stores}", stores=listing(list(price.closed)))
        self._done(text, label)

    def _done(self, text: str, label: str) -> None:
        """Say it, and offer to take back this very change: a later one may have come before the offer is taken."""
        last = self._session.ask(lambda r: undoing.steps(r, self._session.actor)).undo
        if last is None or last.label != label:
            self._session.messages.done(text)
            return
        step = last.tx
        self._session.messages.done(text, lambda: self._session.do(lambda tx: undoing.undo_change(tx, step)))


def price_words(price: Price) -> str:
    minutes, time = reasons.minutes_more(price.minutes), reasons.clock(price.ends_at)
    return tr("{minutes}, home at {time}", minutes=minutes, time=time)
