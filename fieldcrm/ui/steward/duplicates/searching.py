"""The long work of the page of duplicates: comparing the base with itself, and merging what is certain."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fieldcrm.domain.changes import Changes
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.steward.work import work_of
from fieldcrm.usecases import duplicates, merging
from fieldcrm.usecases.duplicates import Found, Pair
from fieldcrm.usecases.longwork import OnProgress, Phase, Progress
from fieldcrm.usecases.longwork import Stopped as WhetherStopped
from fieldcrm.usecases.merging import Merged
from fieldcrm.words import tr, trn

SEARCH, MERGE = "duplicates.search", "duplicates.merge"
CHANGED = Changes({"duplicate_pair": frozenset()}, False, "", None)
# Which share of the whole each stage takes, and where it begins.
STAGES = {"reading": (0.0, 0.6), "pairing": (0.6, 0.05), "comparing": (0.65, 0.3), "keeping": (0.95, 0.05)}


class DuplicateWork:
    def __init__(self, session: AppSession) -> None:
        self._session = session
        self.work = work_of(session)
        self._refreshing = False

    @property
    def busy(self) -> bool:
        """Whether anything long is being done, here or on another page."""
        return self.work.running is not None

    def search(self, then: Callable[[], None]) -> None:
        """Compare the whole base in a worker thread; what was found before stays until it is done."""
        session = self._session

        def search(told: OnProgress, stopped: WhetherStopped) -> Found | None:
            def watch(stage: str, share: float) -> None:
                begin, length = STAGES[stage]
                told(Progress(Phase.MATCHING, begin + length * share, 0))
                if stopped():
                    raise duplicates.Stopped

            try:
                return duplicates.search(session.db, session.actor, now=session.clock(), watch=watch)
            except duplicates.Stopped:
                return None

        def done(found: Found | None) -> None:
            if found is None:
                session.messages.say(tr("Stopped. The list is as it was."))
                then()
            else:
                session.announce(CHANGED)

        def failed(error: BaseException) -> None:
            session.messages.error(error)
            then()

        if not self.work.begin(SEARCH, tr("Comparing the base with itself"), search, done, failed, writes=False):
            self._taken()

    def merge(self, pairs: Sequence[Pair], then: Callable[[], None]) -> None:
        session = self._session

        def merge(told: OnProgress, stopped: WhetherStopped) -> Merged:
            return merging.merge_certain(
                session.db, session.actor, pairs, clock=session.clock, stopped=stopped,
                watch=lambda share: told(Progress(Phase.MERGING, share, round(share * len(pairs)))),
            )  # fmt: skip

        def done(merged: Merged) -> None:
            count = len(merged.aliases)
            left = sum(merged.refused.values())
            text = trn("{n} pair merged.", "{n} pairs merged.", count)
            if left:
                text += " " + trn("{n} could not be: look at it one by one.", "{n} could not be: look at them one by "
                                  "one.", left)
            session.messages.done(text)
            then()

        def failed(error: BaseException) -> None:
            session.messages.error(error)
            then()

        said = trn("Merging {n} pair", "Merging {n} pairs", len(pairs))
        if not self.work.begin(MERGE, said, merge, done, failed):
            self._taken()

    def refresh(self) -> None:
        """Compare what has changed since, while nothing longer is being done."""
        if self._refreshing or self.busy:
            return
        self._refreshing = True
        session = self._session

        def done(compared: int) -> None:
            self._refreshing = False
            if compared:
                session.announce(CHANGED)

        def failed(error: BaseException) -> None:
            self._refreshing = False
            session.messages.error(error)

        session.tasks.run(
            lambda: duplicates.refresh(session.db, session.actor, now=session.clock()), done, failed
        )

    def _taken(self) -> None:
        self._session.messages.say(tr("Something else is being done: wait for its end."))
