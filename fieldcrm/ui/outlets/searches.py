"""What the screen of outlets does with saved segments: read them with live counts, write what the person decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from fieldcrm.domain.errors import CodedError, DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.outlets.segments import NameDialog, SegmentButton
from fieldcrm.usecases import segments
from fieldcrm.usecases.outlets import Filters, Near
from fieldcrm.usecases.segments import Segment
from fieldcrm.words import tr

if TYPE_CHECKING:
    from datetime import datetime

Now = Callable[[], tuple[str, Filters]]  # what is typed, and the filters
_OF_THE_NAME = frozenset({"segment_name_missing", "segment_name_taken", "text_too_long"})


class Searches(QObject):
    """``chosen(Segment | None)`` when the list is to show one, or everything again."""

    chosen = Signal(object)

    def __init__(self, session: AppSession, now: Now, here: Callable[[], Near | None], parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._now, self._here = session, now, here
        self.button = SegmentButton(session.actor.user_id)
        self.button.opening.connect(self.read)
        self.button.chosen.connect(self._choose)
        self.button.keep_wanted.connect(lambda: self.keep())
        self.button.rename_wanted.connect(lambda segment: self.rename(segment))
        self.button.replace_wanted.connect(self.replace)
        self.button.share_wanted.connect(self.share)
        self.button.delete_wanted.connect(self.delete)

    def read(self) -> None:
        """The segments and what each holds now, in the background."""
        midnight, here = self._now()[1].midnight, self._here()
        self._session.ask_later(lambda r: _counted(r, midnight, here), self._arrived, key="outlets.segments")

    def _arrived(self, found: tuple[tuple[Segment, ...], dict[Id, int]]) -> None:
        self.button.set_segments(*found)
        self.compare()

    def compare(self) -> None:
        """Whether the search is still as the chosen segment has it."""
        current = self.button.current
        if current is not None:
            query, filters = self._now()
            kept = segments.filters_of(current, filters.midnight, self._here())
            same = query.strip() == current.query and filters.to_dict() == kept.to_dict()
            self.button.set_current(current, altered=not same)

    def _choose(self, segment: Segment | None) -> None:
        self.button.set_current(segment)
        self.chosen.emit(segment)

    # ---- writing

    def keep(self, typed: str = "", error: CodedError | None = None) -> None:
        """Ask for a name, and save the search under it."""
        query, filters = self._now()
        if filters.ids is not None:
            self._session.messages.error(DomainError("segment_of_outlets"))
            return
        answer = NameDialog.ask(self.button.window(), tr("Save this search as a segment"), typed, False, error)
        if answer is None:
            return
        name, shared = answer
        self._session.do(
            lambda tx: segments.keep(tx, name, query, filters, shared=shared),
            self._kept,
            lambda failed: self._again(failed, lambda error: self.keep(name, error)),
        )

    def _kept(self, segment_id: Id) -> None:
        self._session.messages.done(tr("Segment saved: it follows what changes"))

        def take(found: tuple[tuple[Segment, ...], dict[Id, int]]) -> None:
            self.button.set_segments(*found)
            self.button.set_current(next((one for one in found[0] if one.id == segment_id), None))

        midnight, here = self._now()[1].midnight, self._here()
        self._session.ask_later(lambda r: _counted(r, midnight, here), take, key="outlets.segments")

    def _again(self, error: BaseException, ask: Callable[[CodedError], None]) -> None:
        """A name that cannot be is asked for again; anything else is said."""
        if isinstance(error, CodedError) and error.code in _OF_THE_NAME:
            ask(error)
        else:
            self._session.messages.error(error)

    def rename(self, segment: Segment, typed: str | None = None, error: CodedError | None = None) -> None:
        words = segment.name if typed is None else typed
        answer = NameDialog.ask(self.button.window(), tr("Rename the segment"), words, None, error)
        if answer is not None:
            self._session.do(
                lambda tx: segments.rename(tx, segment.id, answer[0]),
                lambda _: self.read(),
                lambda failed: self._again(failed, lambda error: self.rename(segment, answer[0], error)),
            )

    def replace(self, segment: Segment) -> None:
        query, filters = self._now()
        self._session.do(
            lambda tx: segments.replace(tx, segment.id, query, filters),
            lambda _: self._said(tr("“{name}” is this search now", name=segment.name)),
        )

    def share(self, segment: Segment, shared: bool) -> None:
        if shared:
            words = tr("Everybody can use “{name}” after the next sync", name=segment.name)
        else:
            words = tr("“{name}” is yours alone again", name=segment.name)
        self._session.do(lambda tx: segments.share(tx, segment.id, shared), lambda _: self._said(words))

    def _said(self, words: str) -> None:
        self._session.messages.done(words)
        self.read()

    def delete(self, segment: Segment) -> None:
        """The search stays as it is; the name is gone, until it is undone."""
        self._session.do(lambda tx: segments.delete(tx, segment.id), self._deleted)

    def _deleted(self, segment: Segment) -> None:
        self.button.set_current(None)
        self.read()

        def undo() -> None:
            self._session.do(lambda tx: segments.restore(tx, segment), self._kept)

        self._session.messages.done(tr("Segment “{name}” deleted", name=segment.name), undo)


def _counted(r: Any, midnight: datetime, here: Near | None) -> tuple[tuple[Segment, ...], dict[Id, int]]:
    found = segments.listed(r)
    return found, {one.id: segments.count(r, one, midnight, here) for one in found}
