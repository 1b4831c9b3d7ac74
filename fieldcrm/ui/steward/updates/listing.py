"""The updates as rows: the outlet, what changes, and whether somebody has confirmed what stands there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtWidgets import QAbstractItemView

from fieldcrm.ui.steward.updates.words import ICONS, TONES, change_words, one_name, state_words
from fieldcrm.ui.widgets import ID_ROLE, Column, PageModel, RowList, TwoLine, TwoLineDelegate
from fieldcrm.usecases.updates import Proposal
from fieldcrm.words import tr


class UpdateList(RowList):
    """``opened(rid)``, ``current_changed(rid)``; several rows can be chosen."""

    def __init__(self, fetch: Callable[[Sequence[int]], Sequence[Proposal]]) -> None:
        self.updates: PageModel[Proposal] = PageModel(
            [Column("update", tr("Update"), spoken)], fetch, lambda row: row.rid)
        super().__init__(self.updates, TwoLineDelegate(described), tr("Updates"))
        self.updates.setParent(self)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)

    def show_rids(self, rids: list[int]) -> None:
        """New rows; the current one stays as far as it is still there."""
        self.updates.forget_rows()
        if rids != self.updates.ids():
            self.set_ids(rids)

    def select_row(self, at: int) -> None:
        self.setCurrentIndex(self.updates.index(at, 0))
        self.scrollTo(self.currentIndex())

    def selected_ids(self) -> list[Any]:
        """From the top down, in the order that they are shown."""
        rows = sorted(index.row() for index in self.selectionModel().selectedIndexes())
        return [self.updates.index(row, 0).data(ID_ROLE) for row in rows]

    def proposal(self, rid: int | None) -> Proposal | None:
        return self.updates.row(self.updates.row_of(rid)) if rid is not None else None


def described(row: Proposal) -> TwoLine:
    change = change_words(row)
    kind = one_name(row.kind)
    subtitle = tr("{kind}: {change}", kind=kind, change=change) if change else kind
    badge, tone = (tr("Confirmed"), "warning") if row.written else ("", TONES.get(row.kind, "neutral"))
    if row.state != "open":
        badge, tone = state_words(row)
    return TwoLine(
        row.outlet_name or "–", subtitle, icon=ICONS.get(row.kind, "pencil"), tone=tone, badge=badge,
        faded=row.state in ("refused", "stale"),
    )  # fmt: skip


def spoken(row: Proposal) -> str:
    line = described(row)
    return ", ".join(part for part in (line.title, line.subtitle, line.badge, row.city) if part)
