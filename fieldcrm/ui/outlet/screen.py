"""The card of one outlet on one page that scrolls: head, brief, then the sections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from fieldcrm.domain.ids import Id
from fieldcrm.domain.task import Task
from fieldcrm.ui import theme
from fieldcrm.ui.actions import Action
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.fresh_screen import FreshScreen
from fieldcrm.ui.outlet.brief import BriefTiles, NextBar
from fieldcrm.ui.outlet.changes import History
from fieldcrm.ui.outlet.details import Details
from fieldcrm.ui.outlet.header import Header
from fieldcrm.ui.outlet.identity import Identity
from fieldcrm.ui.outlet.orders import Orders
from fieldcrm.ui.outlet.parts import Section, TwoColumns
from fieldcrm.ui.outlet.past import Visits
from fieldcrm.ui.outlet.people import People
from fieldcrm.ui.outlet.photos import Photos
from fieldcrm.ui.outlet.place import PlaceOnMap
from fieldcrm.ui.outlet.sections import SectionBar
from fieldcrm.ui.outlet.shelf import Shelf
from fieldcrm.ui.outlet.times import FIELDS as TIMES
from fieldcrm.ui.outlet.times import Times
from fieldcrm.ui.outlet.todo import Notes, Tasks
from fieldcrm.ui.widgets import EmptyState, InlineMessage, ScrollPage, StateStack
from fieldcrm.usecases import card as cards
from fieldcrm.usecases import outlets, visits
from fieldcrm.usecases.card import Card as OutletCard
from fieldcrm.usecases.card import NextAction, VisitLine
from fieldcrm.words import tr

WIDTH = 1180
TWO_COLUMNS = 880
KINDS = (
    "outlet", "visit", "task", "contact", "note", "draft", "outlet_alias", "outlet_source", "submission", "review",
    "plan_stop", "sales_order", "custom_field", "past",
)


class OutletScreen(FreshScreen):
    kinds = KINDS

    def __init__(self, session: AppSession) -> None:
        super().__init__()
        self._session = session
        self._id: Id | None = None
        self._at_top = False
        self.card: OutletCard | None = None
        self.header = Header(self.start, self.show_place, self._say)
        self.message = InlineMessage()
        self.next = NextBar(self._do_next)
        self.brief = BriefTiles()
        self.place = PlaceOnMap(session)
        self.shelf = Shelf()
        self.visits = Visits(self._open_report)
        self.people = People(session, self.header.outside)
        self.tasks = Tasks(session, self._correct)
        self.notes = Notes(session)
        self.photos = Photos(session)
        self.details = Details(session)
        self.identity = Identity(session, self.edit)
        self.times = Times(session)
        self.orders = Orders(session)
        self.history = History(session)
        self._lay_out()

    def _lay_out(self) -> None:
        self.page = ScrollPage(WIDTH)
        body = self.page.body
        for part in (self.header, self.message, self.place, self.next, self.brief):
            body.addWidget(part)
        wide: list[QWidget] = [self.shelf, self.orders, self.visits, self.photos, self.history]
        narrow: list[QWidget] = [self.tasks, self.people, self.times, self.identity, self.details, self.notes]
        order: list[QWidget] = [
            self.tasks, self.shelf, self.orders, self.people, self.visits, self.times, self.identity, self.details,
            self.photos, self.notes, self.history,
        ]
        self.bar = SectionBar(self._sections(), self.go_to)
        body.addWidget(TwoColumns(wide, narrow, order, TWO_COLUMNS))
        body.addStretch(1)
        self.states = StateStack(self.page)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.bar)
        whole.addWidget(self.states, 1)
        self.place.hide()

    def _sections(self) -> list[tuple[str, Section]]:
        """In the order of their keys, Alt+1 to Alt+9."""
        return [
            (tr("Tasks"), self.tasks), (tr("Shelf"), self.shelf), (tr("Orders"), self.orders),
            (tr("Visits"), self.visits), (tr("People"), self.people), (tr("Hours"), self.times),
            (tr("Identity"), self.identity), (tr("Details"), self.details), (tr("History"), self.history),
        ]

    # ---- what the shell asks ----

    def open(self, **params: Any) -> None:
        """Show the outlet ``id``; ``edit`` names a field to change at once."""
        fresh = params["id"] != self._id
        self._id = params["id"]
        if fresh:
            self._at_top = True
            self.page.verticalScrollBar().setValue(0)
            self.place.hide()
            self.states.show_loading()
        self._load(params.get("edit"))

    def actions(self) -> list[Action]:  # type: ignore[override]  # the shell asks for ours, Qt never for its own
        return [
            Action("outlet.start", tr("&Start the visit"), self.start, ("Ctrl+N",), "play", "visit", 0, self._is_open),
            Action("outlet.call", tr("&Call"), self._call, (), "phone", "visit", 1, lambda: self._phone() != ""),
            Action("outlet.note", tr("Write a &note"), self._write_note, ("Ctrl+Shift+M",), "notebook-pen", "visit", 1),
            Action("outlet.promise", tr("Note a &promise"), self._add_task, ("Ctrl+Shift+P",), "hand", "visit", 1),
            Action("outlet.contact", tr("Add a c&ontact"), self._add_contact, (), "user-plus", "visit", 1),
            *self._more_actions(),
            Action("outlet.edit", tr("&Edit the details"), lambda: self.edit("name"), ("F2",), "pencil", "edit", 2),
            Action(
                "outlet.map",
                tr("Show on the &map"),
                self.show_place,
                ("F8",),
                "map-pin",
                "view",
                1,
                lambda: self.card is not None and self.card.outlet.mapped,
            ),
            Action(
                "outlet.close",
                tr("Close the outlet for &good"),
                self.close_outlet,
                (),
                "archive",
                "edit",
                3,
                self._is_open,
            ),
        ]

    def _more_actions(self) -> list[Action]:
        live = self._is_open
        keys = ("Ctrl+Shift+O",), ("Ctrl+Shift+K",)
        return [
            Action("outlet.order", tr("Take an &order"), self.take_order, keys[0], "shopping-cart", "visit", 1, live),
            Action("outlet.confirm", tr("Confir&m the data"), self.confirm, keys[1], "badge-check", "edit", 2, live),
            *self._section_actions(),
        ]

    def _section_actions(self) -> list[Action]:
        def going(section: Section) -> Callable[[], None]:
            return lambda: self.go_to(section)

        return [
            Action(f"outlet.section{at}", tr("Go to: {section}", section=name), going(section), (f"Alt+{at}",))
            for at, (name, section) in enumerate(self._sections(), 1)
        ]

    def areas(self) -> list[QWidget]:
        return [self.header.start_button, self.shelf.table, self.details.lines["name"].pencil]

    # ---- reading ----

    def _load(self, edit: str | None = None) -> None:
        self._stale = False
        id_, actor, now = self._id, self._session.actor, self._session.clock()
        if id_ is None:
            return

        def arrived(card: OutletCard) -> None:
            self._show(card)
            if edit:
                self.edit(edit)

        self._session.ask_later(lambda r: cards.card(r, id_, actor, now=now), arrived, self._failed, key="outlet.card")

    def _failed(self, error: BaseException) -> None:
        if getattr(error, "code", "") == "outlet_unknown":
            self.states.show_empty(
                EmptyState(
                    "store",
                    tr("This outlet is no longer on this device"),
                    tr("It may have moved to another sector. Its visits are safe at headquarters."),
                    (tr("All outlets"), lambda: self._session.navigator.go("outlets")),
                )
            )
        else:
            self.states.show_error(error, self._load)

    def _show(self, card: OutletCard) -> None:
        self.card = card
        with self._at_rest():
            self._fill(card)
        self.states.show_content()
        if self._at_top:
            self._at_top = False
            self._begin_at_top()

    @contextmanager
    def _at_rest(self) -> Iterator[None]:
        """Fill the page while it is out of sight: in sight Qt lays all of it out after each line that comes, which took
        four times as long. Never while somebody types in it."""
        page, focus = self.page.widget(), QApplication.focusWidget()
        inside = focus is not None and self.isAncestorOf(focus)
        if page is None or (inside and isinstance(focus, QLineEdit | QPlainTextEdit | QAbstractSpinBox)):
            yield
            return
        starting = focus is self.header.start_button
        page.hide()
        try:
            yield
        finally:
            page.show()
        if inside and focus is not None:
            # Never back to the rail, where Qt left it: the next arrow key would go to another screen.
            again = focus if isValid(focus) and focus.isVisible() else self.header.start_button if starting else self
            again.setFocus(Qt.FocusReason.OtherFocusReason)

    def _fill(self, card: OutletCard) -> None:
        now = self._session.clock()
        self.header.show_card(card, now)
        self.next.show_next(card.brief.next)
        self.brief.show_card(card, now)
        sections: list[Section] = [
            self.shelf, self.orders, self.visits, self.people, self.tasks, self.notes, self.photos, self.times,
            self.identity, self.details, self.history,
        ]
        for section in sections:
            section.show_card(card, now)
        if not self.place.isHidden():
            self.place.show_card(card)

    def _begin_at_top(self) -> None:
        """Qt gives the focus to the first table it finds, and scrolls to it: begin where reading begins."""
        focus = QApplication.focusWidget()
        if focus is None or focus is self or self.isAncestorOf(focus):
            self.header.start_button.setFocus(Qt.FocusReason.OtherFocusReason)
        self.page.verticalScrollBar().setValue(0)

    # ---- doing ----

    def _is_open(self) -> bool:
        return self.card is not None and self.card.outlet.state != "closed"

    def start(self) -> None:
        """Begin the visit, or go on with the one that was begun."""
        if self.card is None:
            return
        outlet, stop = self.card.outlet.id, self._todays_stop()
        self._session.do(
            lambda tx: visits.start_visit(tx, outlet, stop),
            lambda draft: self._session.navigator.go("visit", draft=draft),
            self._refused,
        )

    def _todays_stop(self) -> Id | None:
        assert self.card is not None
        today = self._session.clock().astimezone().date()
        return self.card.stop_id if self.card.stop_day == today else None

    def _do_next(self, action: NextAction) -> None:
        if action.code in ("resume_visit", "check_out_of_stock", "planned", "visit_overdue"):
            self.start()
        elif action.code == "find_contact":
            self._add_contact()
        elif action.code == "confirm_hours":
            self.edit("opening_hours")
        elif action.code == "correct_report" and self.card is not None:
            task = next((task for task in self.card.tasks if task.id == action.id), None)
            if task is not None:
                self._correct(task)
        else:
            self._reveal(self.tasks)

    def _correct(self, task: Task) -> None:
        report = task.submission_id
        if report is None:
            return
        self._session.do(
            lambda tx: visits.correct(tx, report),
            lambda draft: self._session.navigator.go("visit", draft=draft),
            self._refused,
        )

    def _open_report(self, line: VisitLine) -> None:
        self._session.navigator.go("visit", submission=line.submission_id)

    def edit(self, field: str) -> None:
        if field in TIMES:
            self._reveal(self.times)
            self.times.edit(field)
        else:
            self._reveal(self.details)
            self.details.edit(field)

    def take_order(self) -> None:
        self._reveal(self.orders)
        self.orders.begin_new()

    def confirm(self) -> None:
        """What is known of the store was seen to be right."""
        if self.card is not None:
            self._reveal(self.identity)
            self.identity.confirm()

    def go_to(self, section: Section) -> None:
        """Bring a section to the top of the page, with the focus on its first control."""
        bar = self.page.verticalScrollBar()
        whole = self.page.widget()
        assert whole is not None
        bar.setValue(max(0, section.mapTo(whole, QPoint(0, 0)).y() - theme.space(4)))
        first = next((one for one in section.findChildren(QWidget) if _takes_focus(one)), None)
        if first is not None:
            first.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def close_outlet(self) -> None:
        if self.card is None:
            return
        outlet = self.card.outlet.id
        self._session.do(
            lambda tx: outlets.close_outlet(tx, outlet), lambda _: self.details.say_saved(self._session), self._refused
        )

    def _phone(self) -> str:
        return (self.card.outlet.phone or "") if self.card is not None else ""

    def _call(self) -> None:
        self.header.call(self._phone())

    def _write_note(self) -> None:
        self._reveal(self.notes)
        self.notes.typed.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _add_task(self) -> None:
        self._reveal(self.tasks)
        self.tasks.begin_new()

    def _add_contact(self) -> None:
        self._reveal(self.people)
        self.people.begin_new()

    def show_place(self) -> None:
        """The place on the map, below the head; again hides it."""
        if self.card is not None and self.card.outlet.mapped:
            self.place.setVisible(self.place.isHidden())
            if self.place.isVisible():
                self.place.show_card(self.card)

    def _reveal(self, section: Section) -> None:
        self.page.ensureWidgetVisible(section, 0, 40)

    def _say(self, words: str) -> None:
        self.message.show_text(words)

    def _refused(self, error: BaseException) -> None:
        self._session.messages.error(error)


def _takes_focus(widget: QWidget) -> bool:
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.isVisible() and widget.isEnabled()
