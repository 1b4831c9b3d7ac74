"""The reports to review: the queue at the left, those that deserve a look first; the report and the decision right."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget

from fieldcrm.domain.ids import Id
from fieldcrm.ui import report_words, theme
from fieldcrm.ui.review.decision_bar import DecisionBar
from fieldcrm.ui.widgets.fields import SegmentedControl
from fieldcrm.ui.widgets.layouts import column, row
from fieldcrm.ui.widgets.lists import Column, PageModel
from fieldcrm.ui.widgets.page_table import RowList
from fieldcrm.ui.widgets.photos import PhotoLoader
from fieldcrm.ui.widgets.report_view import ReportView
from fieldcrm.ui.widgets.rows import TwoLine, TwoLineDelegate
from fieldcrm.ui.widgets.states import EmptyState, StateStack
from fieldcrm.ui.widgets.text import Text
from fieldcrm.usecases.report import Report
from fieldcrm.usecases.review import Queue, QueueItem
from fieldcrm.words import date, tr, trn

NARROW = 900


class QueueView(QWidget):
    """``wanted(id)`` when a report is to be opened; ``shown_changed(value)`` when decided ones are asked for."""

    wanted = Signal(object)
    shown_changed = Signal(str)

    def __init__(self, loader: PhotoLoader) -> None:
        super().__init__()
        self._items: dict[Id, QueueItem] = {}
        self._narrow: bool | None = None
        page = row(0)
        self.setLayout(page)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(1)
        page.addWidget(self.splitter)
        self.splitter.addWidget(self._make_list())
        self.splitter.addWidget(self._make_reading(loader))
        self.splitter.setStretchFactor(0, 0)
        self.splitter.setStretchFactor(1, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a small window the list steps back; a width that the person chose stays."""
        narrow = event.size().width() < theme.pixels(NARROW)
        if narrow != self._narrow:
            self._narrow = narrow
            side = theme.pixels(268 if narrow else 310)
            self.splitter.setSizes([side, max(1, event.size().width() - side)])
        super().resizeEvent(event)

    def _make_list(self) -> QWidget:
        side = QWidget()
        side.setMinimumWidth(theme.pixels(240))
        part = column(2)
        part.setContentsMargins(theme.space(3), theme.space(1), 0, 0)
        side.setLayout(part)
        self.which = SegmentedControl([("waiting", tr("To review")), ("all", tr("All"))], name=tr("Reports"))
        self.which.chosen.connect(self.shown_changed)
        head = row(2)
        head.setContentsMargins(theme.space(2), 0, theme.space(2), 0)
        head.addWidget(self.which)
        head.addStretch(1)
        self._count = Text("", "caption", "faint")
        head.addWidget(self._count)
        part.addLayout(head)
        self._model: PageModel[QueueItem] = PageModel(
            [Column("report", tr("Report"), _spoken)], lambda ids: [self._items[id] for id in ids],
            lambda item: item.report.submission_id, self)
        self.list = RowList(self._model, TwoLineDelegate(_describe), tr("Reports to review"))
        self.list.current_changed.connect(self.wanted)
        self.list.opened.connect(lambda _: self.view.setFocus())
        self.list_state = StateStack(self.list)
        part.addWidget(self.list_state, 1)
        return side

    def _make_reading(self, loader: PhotoLoader) -> QWidget:
        side = QWidget()
        part = column(0)
        side.setLayout(part)
        self.view = ReportView(loader)
        self.view_state = StateStack(self.view)
        self.bar = DecisionBar()
        part.addWidget(self.view_state, 1)
        part.addWidget(self.bar)
        return side

    def show_queue(self, queue: Queue, keep: Id | None) -> None:
        """The queue anew; the report ``keep`` stays in front when it is still in it, else the first one comes."""
        self._items = {item.report.submission_id: item for item in queue.items}
        self._model.set_ids(list(self._items))
        waiting = trn("{n} waiting", "{n} waiting", queue.waiting)
        self._count.setText(tr("first {n} of more", n=len(queue.items)) if queue.cut else waiting)
        if not queue.items:
            self._nothing()
            return
        self.list_state.show_content()
        if keep is None or not self.list.select_id(keep):
            self.list.setCurrentIndex(self._model.index(0, 0))
        self.wanted.emit(self.list.current_id())

    def _nothing(self) -> None:
        if self.which.value() == "waiting":
            state = EmptyState("check-check", tr("All reviewed"), tr("No report of this period waits for you."))
        else:
            state = EmptyState("inbox", tr("No reports"), tr("No report came in during this period."))
        self.view_state.show_empty(state)
        self.list_state.show_content()
        self.bar.show_report(None, (), False)
        self.view.show_report(None)

    def show_report(self, report: Report, reasons: tuple[str, ...], may_decide: bool) -> None:
        self.view_state.show_content()
        self.view.show_report(report)
        self.bar.show_report(report, reasons, may_decide)
        for table in self.view.tables:
            table.selectionModel().selectionChanged.connect(self._asked)
        self._asked()

    def _asked(self, *_: Any) -> None:
        report = self.view.report
        if report is None:
            return
        picked = set(self.view.selected_products())
        self.bar.set_asked([line.name for line in report.lines if line.product_id in picked])

    def asked_nodes(self) -> list[str]:
        """The paths of the answers that the person picked to ask about."""
        report = self.view.report
        if report is None:
            return []
        return [node for id in self.view.selected_products() if (node := report.nodes.get(id))]

    def current(self) -> Id | None:
        report = self.view.report
        return None if report is None else report.item.report.submission_id

    def step(self, by: int) -> None:
        """To the next or the previous report of the queue."""
        at = self.list.currentIndex().row() + by
        if 0 <= at < self._model.rowCount():
            self.list.setCurrentIndex(self._model.index(at, 0))

    def after(self, id: Id) -> Id | None:
        """The report that comes next once ``id`` is out of the queue."""
        ids = self._model.ids()
        if id not in ids:
            return None
        at = ids.index(id)
        rest = [other for other in ids[at + 1 :] + ids[:at][::-1] if self._items[other].state.waits_for_review]
        return rest[0] if rest else None


def _describe(item: QueueItem) -> TwoLine:
    seen = item.report
    waiting = item.state.waits_for_review
    if item.remarks:
        titles = [report_words.remark(remark)[0] for remark in item.remarks]
        below, icon, tone = " · ".join(titles), "flag", "warning"
    else:
        below = trn("{n} line", "{n} lines", seen.lines) + " · " + trn("{n} photo", "{n} photos", seen.photos)
        icon, tone = "clipboard-check", "neutral"
    if seen.photos_away:  # before it is judged: the picture is not whole yet
        below = report_words.photos_away(seen.photos_away, seen.person) + " · " + below
    words, badge_tone = report_words.state(item.state)
    corrected = item.state.value == "corrected"
    if not waiting or corrected:
        tone = badge_tone
        icons = {"approved": "circle-check", "returned": "undo-2", "corrected": "git-compare"}
        icon = icons.get(item.state.value, icon)
        below = words + (" · " + below if corrected else "")
    return TwoLine(
        seen.outlet, below, icon=icon, tone=tone, trailing=date(seen.day, "d"),
        trailing_note=_short_name(seen.person), faded=not waiting,
    )


def _spoken(item: QueueItem) -> str:
    """The row in words, for screen readers."""
    line = _describe(item)
    return ", ".join((line.title, line.subtitle, line.trailing, item.report.person))


def _short_name(name: str) -> str:
    """``Asha R.``: enough to know who, in a narrow list."""
    parts = [part for part in name.split() if part[0].isalpha()]
    return name if len(parts) < 2 else f"{parts[0]} {parts[-1][0]}."
