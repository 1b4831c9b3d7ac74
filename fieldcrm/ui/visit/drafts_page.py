"""The visits begun on this device and not sent: what is offered after a restart."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from fieldcrm.domain.changes import Changes
from fieldcrm.domain.ids import Id
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.widgets import (
    Card,
    Column,
    EmptyState,
    PageModel,
    RowList,
    SectionTitle,
    StateStack,
    TwoLine,
    TwoLineDelegate,
    column,
)
from fieldcrm.usecases import visits
from fieldcrm.words import day_time, number, since, tr

SHOWN = 9  # rows before the list scrolls


class DraftsPage(QWidget):
    def __init__(self, session: AppSession) -> None:
        super().__init__()
        self.session = session
        self._rows: dict[Id, visits.DraftRow] = {}
        columns: list[Column[visits.DraftRow]] = [Column("name", "", lambda found: found.outlet)]
        self.model: PageModel[visits.DraftRow] = PageModel(columns, self._page, parent=self)
        self.list = RowList(self.model, TwoLineDelegate(self._describe), tr("Visits not sent yet"))
        self.list.opened.connect(lambda _: self._open())
        self.list.clicked.connect(lambda _: self._open())
        self.list.setProperty("kind", "raised")
        self._card = Card(padding=1, spacing=0)
        self._card.add(self.list)
        holder = QWidget()
        inner = column(0)
        inner.addWidget(self._card)
        inner.addStretch(1)
        holder.setLayout(inner)
        self._stack = StateStack(holder, 3)
        self.title = SectionTitle(tr("Visits not sent yet"), style="title")
        layout = column(4)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.addWidget(self.title)
        layout.addWidget(self._stack, 1)
        self.setLayout(layout)
        self.load()

    def load(self) -> None:
        self._stack.show_loading()
        self.session.ask_later(visits.drafts, self._arrived, self._stack.show_error, key="visit-drafts")

    def refresh(self, changes: Changes) -> None:
        if changes.touches("draft", "outlet"):
            self.load()

    def _arrived(self, found: Sequence[visits.DraftRow]) -> None:
        self._rows = {draft.id: draft for draft in found}
        self.title.set_count(number(len(found)) if found else "")
        if not found:
            text = tr("A visit is begun from Today, or from the card of an outlet. What you type is kept at once.")
            go = (tr("Go to Today"), lambda: self.session.navigator.go("today"))
            self._stack.show_empty(EmptyState("clipboard-check", tr("No visit is waiting"), text, go))
            return
        self.list.set_ids([draft.id for draft in found])
        self.model.forget_rows()
        if not self.list.currentIndex().isValid():
            self.list.setCurrentIndex(self.model.index(0, 0))  # Enter goes on with the newest
        height = min(len(found), SHOWN) * self.list.sizeHintForRow(0)
        self.list.setFixedHeight(height + 2 * theme.space(2))
        self._stack.show_content()

    def _page(self, ids: Sequence[Id]) -> list[visits.DraftRow]:
        return [self._rows[id] for id in ids if id in self._rows]

    def _describe(self, draft: visits.DraftRow) -> TwoLine:
        begun = tr("begun {when}", when=day_time(draft.started_at, draft.zone))
        kept = tr("saved {when}", when=since(draft.updated_at, self.session.clock()))
        kind = tr("Correction") if draft.correction else ""
        return TwoLine(draft.outlet or tr("Outlet"), " · ".join(filter(None, (kind, draft.city, begun, kept))),
                       icon="clipboard-list")

    def _open(self) -> None:
        draft = self.list.current_id()
        if draft is not None:
            self.session.navigator.go("visit", draft=draft)
