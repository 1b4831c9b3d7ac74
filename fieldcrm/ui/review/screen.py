"""The manager's screen as a whole: its filters, its two sides (figures, reports), and the way down from a figure."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtWidgets import QStackedWidget, QWidget

from fieldcrm.domain.changes import Changes
from fieldcrm.domain.errors import CodedError, DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.domain.metrics import Selection, Universe
from fieldcrm.domain.review import Decision
from fieldcrm.ui import report_words
from fieldcrm.ui.actions import Action
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.review.crumbs import Crumbs
from fieldcrm.ui.review.export import ask_path, export_table, product_table, store_table
from fieldcrm.ui.review.figures_page import FiguresView
from fieldcrm.ui.review.filters import FilterBar
from fieldcrm.ui.review.queue_page import QueueView
from fieldcrm.ui.review.stores_page import StoresView
from fieldcrm.ui.widgets.layouts import column
from fieldcrm.ui.widgets.photos import PhotoLoader
from fieldcrm.ui.widgets.states import EmptyState, StateStack
from fieldcrm.usecases import figures, report, review
from fieldcrm.usecases.periods import local_day, select_period
from fieldcrm.words import language, percent, tr

KINDS = ("submission", "review", "visit", "plan_stop", "attachment", "outlet", "product", "assortment", "price", "task")


class ReviewScreen(QWidget):
    """Places: nothing (figures); ``view="reports"``, a ``submission`` with it; ``code``, a ``product`` with it."""

    def __init__(self, session: AppSession) -> None:
        super().__init__()
        self.session = session
        self._place: dict[str, Any] = {}
        self._page: figures.FiguresPage | None = None
        self._stale, self._arriving = True, False
        self._wanted: Id | None = None
        self._last_decided: Id | None = None
        loader = PhotoLoader(session.photos, session.tasks)
        page = column(0)
        self.setLayout(page)
        self.filters = FilterBar()
        self.crumbs = Crumbs()
        self.stack = QStackedWidget()
        self.figures = FiguresView()
        self.figures_state = StateStack(self.figures)
        self.stores = StoresView()
        self.stores_state = StateStack(self.stores)
        self.queue = QueueView(loader)
        for side in (self.figures_state, self.stores_state, self.queue):
            self.stack.addWidget(side)
        page.addWidget(self.filters)
        page.addWidget(self.crumbs)
        page.addWidget(self.stack, 1)
        self._connect()

    def _connect(self) -> None:
        go = self.session.navigator.go
        self.filters.changed.connect(self._reload)
        self.filters.side_chosen.connect(
            lambda side: go("review", view="reports") if side == "reports" else go("review"))
        self.crumbs.stepped.connect(self._step_back)
        self.figures.opened.connect(self._open_figure)
        self.figures.trend_wanted.connect(lambda code: self._load_trend())
        self.stores.opened.connect(self._open_store)
        self.queue.wanted.connect(self._load_report)
        self.queue.shown_changed.connect(lambda _: self._load_queue())
        self.queue.view.version_wanted.connect(self._load_report)
        self.queue.view.outlet_wanted.connect(lambda id: go("outlet", id=id))
        self.queue.bar.approved.connect(self.approve)
        self.queue.bar.returned.connect(self._return)
        self.queue.bar.taken_back.connect(self.take_back)

    # what the shell calls

    def open(self, **params: Any) -> None:
        """Show a place of the screen; see the class for the parameters."""
        self._place, self._arriving = dict(params), True
        if self._stale:
            self.filters.set_sectors(self.session.ask(figures.sectors))
        self._stale = False
        self._reload()

    def refresh(self, changes: Changes) -> None:
        if not changes.touches(*KINDS):
            return
        if self.isVisible():
            self._reload()
        else:
            self._stale = True

    def actions(self) -> list[Action]:  # type: ignore[override]  # the shell asks for ours, Qt never for its own
        return [
            Action("review.approve", tr("&Approve the report"), self.approve, ("A",), "check", "edit", 5),
            Action("review.return", tr("&Return the report…"), self.ask_return, ("R",), "undo-2", "edit", 5),
            Action("review.next", tr("&Next report"), lambda: self._step(1), ("J",), "arrow-down", "view", 5),
            Action("review.previous", tr("&Previous report"), lambda: self._step(-1), ("K",), "arrow-up", "view", 5),
            Action("review.export", tr("&Export the figures…"), self.export, ("Ctrl+Shift+E",), "file-spreadsheet",
                   "file", 1),
            Action("review.undo", tr("&Take the decision back"), self.take_back, ("Z",), "rotate-ccw", "edit", 5),
        ]

    def export(self) -> None:
        """The table in front as a file: the stores behind a figure, or else the products."""
        behind = self.stack.currentWidget() is self.stores_state
        table = store_table(self.stores.rows()) if behind else product_table(self.figures.shown_products())
        name = self.crumbs.steps[-1] if behind and self.crumbs.steps else tr("distribution")
        if table[1] and (path := ask_path(self, name, self.selection().period)) is not None:
            export_table(self.session, path, table)

    # loading

    def selection(self) -> Selection:
        """The records that the filters are about, as of now."""
        now = self.session.clock()

        def read(r: Any) -> Selection:
            period = self.filters.period(local_day(r, now))
            return select_period(r, period, sectors=self.filters.sectors())

        return self.session.ask(read)

    def _reload(self) -> None:
        side = "reports" if self._place.get("view") == "reports" else "figures"
        self.filters.show_side(side)
        if side == "reports":
            self._load_queue()
        elif "code" in self._place:
            self._load_stores()
        else:
            self._load_figures()

    def _load_figures(self) -> None:
        self.crumbs.show_steps([])
        self.stack.setCurrentWidget(self.figures_state)
        selection, now = self.selection(), self.session.clock()
        if self._page is None:
            self.figures_state.show_loading()
        self.session.ask_later(
            lambda r: figures.page(r, selection, now=now), self._show_figures, self._figures_failed, key="review.page")
        self._load_trend()

    def _show_figures(self, page: figures.FiguresPage) -> None:
        self._page = page
        self.filters.say(report_words.left_out(page.excluded))
        if page.empty:
            self.figures_state.show_empty(EmptyState(
                "chart-column", tr("Nothing to count yet"),
                tr("No visit and no plan of this period is on this device. Choose a longer period, or sync first."),
                (tr("Last 13 weeks"), partial(self.filters.choose, "last_13_weeks")),
            ))
            return
        self.figures.show_page(page)
        self.figures_state.show_content()

    def _figures_failed(self, error: BaseException) -> None:
        self.figures_state.show_error(error, self._reload)

    def _load_trend(self) -> None:
        selection, now, code = self.selection(), self.session.clock(), self.figures.trend_choice.value()
        self.session.ask_later(
            lambda r: figures.trend(r, selection, code, now=now), self.figures.show_trend, self._figures_failed,
            key="review.trend")

    def _load_stores(self) -> None:
        selection, now = self.selection(), self.session.clock()
        code, product, category = self._place["code"], self._place.get("product"), self._place.get("category") or None
        self.stack.setCurrentWidget(self.stores_state)
        self.stores_state.show_loading()

        def read(r: Any) -> tuple[figures.FiguresPage, tuple[figures.StoreBehind, ...], float]:
            rows = figures.stores_behind(
                r, selection, code, now=now, product_id=product, category=category)
            return figures.page(r, selection, now=now), rows, figures.price_tolerance(r, selection.period.last)

        self.session.ask_later(read, self._show_stores, self._stores_failed, key="review.stores")

    def _stores_failed(self, error: BaseException) -> None:
        self.stores_state.show_error(error, self._reload)

    def _show_stores(self, found: tuple[figures.FiguresPage, tuple[figures.StoreBehind, ...], float]) -> None:
        page, rows, tolerance = found
        code, product = self._place.get("code", ""), self._place.get("product")
        name, figure = report_words.figure_name(code), None
        if product is not None:
            of_product = next((p for p in page.products if p.product_id == product), None)
            if of_product is not None:
                name, figure = of_product.name, of_product.held
        else:
            figure = next((tile for tile in page.tiles if tile.code == code), None)
        self.crumbs.show_steps([tr("Figures"), name])
        if not rows:
            self.stores_state.show_empty(EmptyState(
                "store", tr("No store behind this figure"), tr("Nothing was counted in this period.")))
            return
        words = name
        if figure is not None:
            rest = ", ".join(part for part in (report_words.seen(figure), report_words.sure(figure)) if part)
            words = tr("{name}: {value} — {rest}", name=name, value=report_words.share(figure.value), rest=rest)
        base = report_words.figure_base(figure.code if figure else code)
        if product is not None and figure is not None and figure.universe is Universe.SECTOR_STORES:
            base += " " + tr("No assortment lists it: every store counts.")
        if code == "price_alerts":
            base += " " + tr("Tolerance: {share}.", share=percent(tolerance))
        self.stores.show_stores(words, base, rows)
        self.stores_state.show_content()
        self.stores.table.setFocus()

    def _load_queue(self) -> None:
        selection = self.selection()
        decided = self.queue.which.value() == "all"
        self.stack.setCurrentWidget(self.queue)
        self.session.ask_later(
            lambda r: review.queue(r, selection, decided=decided), self._show_queue, self._queue_failed,
            key="review.queue")

    def _queue_failed(self, error: BaseException) -> None:
        self.queue.list_state.show_error(error, self._reload)

    def _show_queue(self, queue: review.Queue) -> None:
        self.filters.say(report_words.left_out(queue.excluded))
        asked = self._place.pop("submission", None)
        keep = asked or self._wanted or self.queue.current()
        self._wanted = None
        self.queue.show_queue(queue, keep)
        self._crumbs_of_report()
        if self._arriving:
            self._arriving = False
            self.queue.list.setFocus()
        if asked is not None and self.queue.list.current_id() != asked:
            self._load_report(asked)  # not in the queue: decided already, or of another period

    def _crumbs_of_report(self) -> None:
        trail = self._place.get("trail")
        self.crumbs.show_steps([tr("Figures"), trail[0], trail[1]] if trail else [])

    def _load_report(self, id: Id | None) -> None:
        if id is None:
            return
        words = language()
        self.session.ask_later(
            lambda r: (report.open_report(r, id, language=words), review.return_reasons(r)),
            self._show_report, self._report_failed, key="review.report")

    def _show_report(self, found: tuple[report.Report, tuple[str, ...]]) -> None:
        opened, reasons = found
        self.queue.show_report(opened, reasons, self.session.actor.role.value == "manager")

    def _report_failed(self, error: BaseException) -> None:
        self.queue.view_state.show_error(error)

    # the way down

    def _open_figure(self, code: str, product: Id | None, category: str) -> None:
        params: dict[str, Any] = {"code": code}
        if product is not None:
            params["product"] = product
        if category:
            params["category"] = category
        self.session.navigator.go("review", **params)

    def _open_store(self, store: figures.StoreBehind) -> None:
        if store.submission_id is None:
            self.session.navigator.go("outlet", id=store.outlet_id)
            return
        self.queue.which.set_value("all")
        trail = (self.crumbs.steps[-1] if self.crumbs.steps else "", store.name)
        back = {key: value for key, value in self._place.items() if key in ("code", "product", "category")}
        self.session.navigator.go(
            "review", view="reports", submission=store.submission_id, trail=trail, behind=tuple(back.items()))

    def _step_back(self, at: int) -> None:
        if at == 0:
            self.session.navigator.go("review")
        else:
            self.session.navigator.go("review", **dict(self._place.get("behind", ())))

    # decisions

    def _step(self, by: int) -> None:
        if self.stack.currentWidget() is self.queue:
            self.queue.step(by)

    def approve(self) -> None:
        if self.queue.isVisible() and self.queue.bar.approve_button.isVisible():
            self._decide(Decision.APPROVED, tr("Approved."))

    def ask_return(self) -> None:
        if self.queue.isVisible():
            self.queue.bar.open_panel()

    def _return(self, reason: str, note: str) -> None:
        self._decide(Decision.RETURNED, tr("Returned with a task for the rep."), reason=reason, note=note,
                     nodes=self.queue.asked_nodes())

    def _decide(self, decision: Decision, said: str, **more: Any) -> None:
        id = self.queue.current()
        if id is None:
            return
        now = self.session.clock()
        self._wanted = self.queue.after(id) if self.queue.which.value() == "waiting" else id

        def done(_: Id) -> None:
            self._last_decided = id
            self.queue.bar.close_panel()
            self.session.messages.done(said, partial(self._take_back, id))

        self.session.do(
            lambda tx: review.decide(tx, id, decision, now=now, **more), done, self._refused, label="review")

    def take_back(self) -> None:
        """Take back the decision on the report in front, or else the last one made here."""
        opened = self.queue.view.report
        in_front = opened is not None and not opened.item.state.waits_for_review and self.queue.isVisible()
        id = self.queue.current() if in_front else self._last_decided
        if id is not None:
            self._take_back(id)

    def _take_back(self, id: Id) -> None:
        now = self.session.clock()
        self._wanted, self._last_decided = id, None
        self.session.do(
            lambda tx: review.take_back(tx, id, now=now),
            lambda _: self.session.messages.done(tr("Taken back: the report waits for review again.")),
            self._refused, label="review")

    def _refused(self, error: BaseException) -> None:
        if isinstance(error, DomainError) and self.queue.bar.panel.isVisible():
            self.queue.bar.show_error(sentence(error))
        elif isinstance(error, CodedError):
            self.session.messages.error(error)
