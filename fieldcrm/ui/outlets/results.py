"""Asking for the outlets of the list: the first of them at the speed of typing, then the others, then the counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.widgets import Button, EmptyState, Text
from fieldcrm.usecases import outlets
from fieldcrm.usecases.outlets import Asked, Facets, Found
from fieldcrm.words import tr


class Results(QObject):
    """``first(Found)`` soon, ``rest(array)`` when there are more, ``counted((Facets, (all, not mapped)))`` at last.

    Of several questions only the answers to the newest arrive.
    """

    first = Signal(object)
    rest = Signal(object)
    counted = Signal(object)
    failed = Signal(object)

    def __init__(self, session: AppSession, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._asked: Asked | None = None

    def ask(self, asked: Asked) -> None:
        self._asked = asked
        self._session.ask_later(
            lambda r: outlets.search(r, asked, first=True), self._arrived, self.failed.emit, key="outlets.ids"
        )

    def _arrived(self, found: Found) -> None:
        asked = self._asked
        if asked is None:
            return
        self.first.emit(found)
        if not found.whole:
            self._session.ask_later(
                lambda r: outlets.search(r, asked), self._others, self.failed.emit, key="outlets.ids"
            )
        query = found.shown_for or asked.query
        filters = asked.filters

        def count(r: object) -> tuple[Facets, tuple[int, int]]:
            return outlets.facets(r, query, filters), outlets.counters(r)  # type: ignore[arg-type]

        self._session.ask_later(count, self.counted.emit, key="outlets.facets")
        if not asked.query:
            self._session.ask_later(outlets.prepare, _ready, key="outlets.prepare")

    def _others(self, found: Found) -> None:
        self.rest.emit(found.rids)

    def exactly(self) -> None:
        """The same again, for what was typed as it was typed."""
        if self._asked is not None:
            self.ask(replace(self._asked, exact=True))


def _ready(_: object) -> None:
    """What searches keep is warm; nobody waits for it."""


class Correction(QWidget):
    """“Showing results for carrefour”, and the way back to what was typed."""

    wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(theme.space(1))
        self.words = Text("", "body-medium")
        self.back = Button("", "quiet", on_click=self.wanted.emit)
        line.addWidget(self.words)
        line.addWidget(self.back)
        line.addStretch(1)
        self.hide()

    def show_for(self, typed: str, shown_for: str) -> None:
        """Hidden when nothing was corrected."""
        self.setVisible(bool(shown_for))
        self.words.setText(tr("Showing results for “{text}”", text=shown_for))
        self.back.setText(tr("Search for “{text}” instead", text=typed.strip()[:40]))
        self.back.setAccessibleName(self.back.text())


def nothing_found(
    typed: str, narrowed: bool, clear: Callable[[], object], begin_new: Callable[..., object]
) -> EmptyState:
    """Why the list is empty, and what can be done."""
    if typed:
        return EmptyState(
            "search",
            tr("No outlet is called “{text}”", text=typed[:40]),
            tr("Only what is on this device is searched. Try fewer letters, or enter it as a new outlet."),
            (tr("Enter “{text}”", text=typed[:24]), lambda: begin_new(typed)),
            second=(tr("Clear search and filters"), clear),
        )
    if narrowed:
        return EmptyState("list-filter", tr("No outlet passes these filters"), "", (tr("Clear filters"), clear))
    return EmptyState(
        "store",
        tr("No outlets on this device yet"),
        tr("They come with the first sync. You can also enter one now."),
        (tr("New outlet"), begin_new),
    )
