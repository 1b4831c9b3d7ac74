"""The card in full: identity, hours as a week, own fields, orders by keyboard, and a history that can be taken back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton, QWidget
from sqlalchemy import insert, select, update

from fieldcrm import words
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import new_id
from fieldcrm.store import past as told
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.outlets import read_outlet
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.tables import T
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.outlet import OutletScreen
from fieldcrm.ui.preferences import Preferences
from fieldcrm.usecases import card as cards
from fieldcrm.usecases import orders, outlets, past, undo
from sync.client.failures import Offline
from sync.columns import to_milliseconds
from sync.protocol import PastEntry, PastPage
from tests.ui.full_card import complete, entries
from tests.ui.territory import live
from tests.world import World, an_id


@pytest.fixture
def session(qtbot: Any, db: Database, world: World, now: datetime, tmp_path: Path) -> Iterator[AppSession]:
    live(db, world, now)
    complete(db, world, now)
    words.set_language("en")
    theme.apply("light")
    photos = PhotoStore(tmp_path / "photos", bytes(32))
    made = AppSession(db, world.rep, clock=lambda: now, photos=photos, preferences=Preferences(tmp_path))
    yield made
    made.tasks.stop()


@pytest.fixture
def screen(qtbot: Any, session: AppSession, world: World) -> OutletScreen:
    return opened(qtbot, session, world)


def opened(qtbot: Any, session: AppSession, world: World) -> OutletScreen:
    shown = OutletScreen(session)
    qtbot.addWidget(shown)
    session.changed.connect(shown.refresh)
    shown.resize(1240, 900)
    shown.show()
    shown.open(id=world.outlets[0])
    qtbot.waitUntil(lambda: shown.card is not None)
    return shown


def said(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if not label.isHidden())


def verbs(widget: QWidget) -> list[str]:
    return [button.text() for button in widget.findChildren(QPushButton) if not button.isHidden()]


def read(session: AppSession, world: World) -> Any:
    return session.ask(lambda r: outlets.read(r, world.outlets[0]))


# ---- identity ----


def test_the_identity_says_where_the_store_stands_and_who_knows_it(screen: OutletScreen, session: AppSession) -> None:
    text = said(screen.identity)
    for fact in (
        "Groupe des Halles", "Pomona Paris Nord", "Paris centre (Camille Roux and Dominique Vasseur)",
        "732\u00a0829\u00a0320\u00a000074", "OpenStreetMap, node/287451, ODbL 1.0", "Issy-les-Moulineaux",
        "% complete",
    ):  # fmt: skip
        assert fact in text, fact
    link = next(b for b in screen.identity.findChildren(QPushButton) if b.text() == "2 other Halles stores")
    link.click()
    here = session.navigator.here
    assert here is not None and here.route == "outlets" and here.params == {"banners": ("Halles",)}
    assert "Separate again" not in verbs(screen.identity)  # a manager's to do


def test_a_siret_whose_check_digits_do_not_fit_is_pointed_at(
    qtbot: Any, session: AppSession, screen: OutletScreen, world: World
) -> None:
    assert "check digits" not in said(screen.identity)
    session.do(lambda tx: outlets.edit_outlet(tx, world.outlets[0], {"siret": "73282932000075"}))
    qtbot.waitUntil(lambda: "check digits" in said(screen.identity))


def test_one_click_confirms_the_data(qtbot: Any, session: AppSession, screen: OutletScreen, now: datetime) -> None:
    assert "Confirmed 12 days ago" in said(screen.identity)
    screen.confirm()
    qtbot.waitUntil(lambda: "Confirmed just now" in said(screen.identity))


def test_undo_takes_back_the_confirmation_and_not_what_was_done_before_it(
    qtbot: Any, session: AppSession, screen: OutletScreen, world: World
) -> None:
    session.do(lambda tx: outlets.edit_outlet(tx, world.outlets[0], {"phone": "01 42 00 00 00"}))
    qtbot.waitUntil(lambda: "01 42 00 00 00" in said(screen))
    before = session.ask(lambda r: read_outlet(r, world.outlets[0]).confirmed_at)
    screen.confirm()
    qtbot.waitUntil(lambda: "Confirmed just now" in said(screen.identity))
    session.do(undo.undo)
    qtbot.waitUntil(lambda: session.ask(lambda r: read_outlet(r, world.outlets[0]).confirmed_at) == before)
    assert "01 42 00 00 00" in said(screen)


def test_an_outlet_that_is_not_on_the_map_says_why(
    qtbot: Any, session: AppSession, world: World, now: datetime
) -> None:
    shown = OutletScreen(session)
    qtbot.addWidget(shown)
    session.changed.connect(shown.refresh)
    shown.show()
    shown.open(id=world.outlets[3])
    qtbot.waitUntil(lambda: shown.card is not None)
    assert "its address is looked up when you are connected" in said(shown.identity)
    placing = {"state": "refused", "why": "several", "at": to_milliseconds(now), "provider": "ban"}

    def work(tx: Transaction) -> None:
        tx.conn.execute(update(T.outlet).where(T.outlet.c.id == world.outlets[3]).values(placing=placing))

    session.do(work)
    qtbot.waitUntil(lambda: "Not on the map: several places fit its address" in said(shown.identity))


# ---- hours ----


def test_hours_are_edited_as_a_week_and_kept_as_openstreetmap_writes_them(
    qtbot: Any, session: AppSession, screen: OutletScreen, world: World
) -> None:
    screen.edit("opening_hours")
    editor = screen.times.lines["opening_hours"].editor
    assert editor is not None and editor.open[0].isChecked() and editor.holiday.currentData() == "closed"
    monday = editor.spans[0].times
    assert [edit.text() for edit in monday] == ["08:30", "12:30", "14:00", "19:30"]
    monday[0].clear()
    qtbot.keyClicks(monday[0], "8h")
    for edit in monday[2:]:
        edit.clear()
        qtbot.keyClicks(edit, "")
    monday[1].clear()
    qtbot.keyClicks(monday[1], "20")
    editor._copy_monday(5)
    editor.open[6].setChecked(False)
    expected = "Mo-Fr 08:00-20:00; Sa 08:30-12:30,14:00-19:30; PH off"
    assert editor.raw.text() == expected
    assert editor.sentence.text().startswith("Monday to Friday 08:00–20:00; Saturday 08:30–12:30 and 14:00–19:30")
    qtbot.keyClick(monday[0], Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not screen.times.lines["opening_hours"].editing)
    assert read(session, world).opening_hours == expected


def test_a_time_that_cannot_be_read_is_refused_and_nothing_is_written(
    qtbot: Any, session: AppSession, screen: OutletScreen, world: World
) -> None:
    before = read(session, world).opening_hours
    screen.edit("opening_hours")
    editor = screen.times.lines["opening_hours"].editor
    assert editor is not None
    editor.spans[2].times[0].clear()
    qtbot.keyClicks(editor.spans[2].times[0], "28:99")
    screen.times.lines["opening_hours"].save()
    assert "cannot be read" in said(screen.times.lines["opening_hours"])
    assert read(session, world).opening_hours == before
    qtbot.keyClick(editor.spans[2].times[0], Qt.Key.Key_Escape)
    assert not screen.times.lines["opening_hours"].editing


def test_what_a_week_cannot_say_is_kept_as_it_is_written(
    qtbot: Any, session: AppSession, screen: OutletScreen, world: World
) -> None:
    text = 'Apr-Oct: Mo-Su 09:00-20:00; Nov-Mar: Mo-Fr 10:00-17:00 "sur rendez-vous"'
    session.do(lambda tx: outlets.edit_outlet(tx, world.outlets[0], {"opening_hours": text}))
    qtbot.waitUntil(lambda: screen.card is not None and screen.card.outlet.opening_hours == text)
    screen.edit("opening_hours")
    editor = screen.times.lines["opening_hours"].editor
    assert editor is not None and not editor.week.isEnabled()
    assert "more than a week can show" in editor.sentence.text()
    assert editor.text() == text


def test_the_sentence_is_french_in_french(qtbot: Any, session: AppSession, world: World) -> None:
    words.set_language("fr")
    try:
        shown = opened(qtbot, session, world)
        shown.edit("opening_hours")
        editor = shown.times.lines["opening_hours"].editor
        assert editor is not None
        text = editor.sentence.text().replace("\u00a0", " ")
        week = "Du lundi au samedi 8 h 30–12 h 30 et 14 h–19 h 30 ; le dimanche 9 h–12 h 30"
        assert text == f"{week} ; fermé les jours fériés"
    finally:
        words.set_language("en")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.text(max_size=60)
    | st.from_regex(r"(Mo|Tu|PH|SH|Jan)[-, ](Fr|Sa|off|24/7) [0-2][0-9]:[0-9]{2}-[0-9:]{4,5}")
)
def test_any_text_of_hours_is_taken_by_the_editor_and_given_back_as_it_was(qapp: Any, now: datetime, text: str) -> None:
    from fieldcrm.ui.outlet.week_editor import WeekEditor

    editor = WeekEditor(text, "Europe/Paris", "FR", now)
    assert editor.text() == QLineEdit(text).text().strip()
    editor.deleteLater()


# ---- own fields ----


def test_fields_of_the_organisation_are_edited_by_kind_with_who_knew_it(
    qtbot: Any, session: AppSession, screen: OutletScreen, world: World
) -> None:
    number = screen.details.lines["custom:fridges"]
    number.edit()
    editor = number.editors["custom:fridges"]
    assert isinstance(editor, QLineEdit)
    editor.setText("many")
    number.save()
    qtbot.waitUntil(lambda: "number" in said(number).lower() and editor.isVisible())
    assert "fridges" not in read(session, world).custom
    editor.setText("3")
    number.save()
    qtbot.waitUntil(lambda: read(session, world).custom.get("fridges") == 3)
    flag = screen.details.lines["custom:contract"]
    flag.edit()
    box = flag.editors["custom:contract"]
    assert isinstance(box, QComboBox) and box.currentData() == "yes"
    box.setCurrentIndex(box.findData("no"))
    flag.save()
    qtbot.waitUntil(lambda: read(session, world).custom.get("contract") is False)
    outlet = read(session, world)
    assert outlet.custom["aisle"] == "Frais"  # the others stay
    assert outlet.provenance["custom:fridges"]["by"] == world.rep.user_id.hex
    qtbot.waitUntil(lambda: "Contract signed: yes → no" in said(screen.history))
    undo_it = next(line for line in screen.card.history.lines if line.undoable and line.label == "outlet.custom")
    screen.history.take_back(undo_it)
    qtbot.waitUntil(lambda: read(session, world).custom.get("contract") is True)


# ---- orders ----


def test_an_order_is_taken_by_keyboard(qtbot: Any, session: AppSession, screen: OutletScreen, world: World) -> None:
    screen.take_order()
    form = screen.orders.form
    assert form is not None
    form.save()
    qtbot.waitUntil(lambda: "at least one product" in said(form))
    table = form.table
    for key in (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_Return, Qt.Key.Key_4, Qt.Key.Key_Plus):
        qtbot.keyClick(table, key)
    first, second = (table._pages.id_at(at) for at in (0, 1))
    assert (table.quantity(first), table.quantity(second)) == (12, 5)
    qtbot.keyClick(table, Qt.Key.Key_Backspace)
    assert table.quantity(second) == 0
    assert form.total.text() == "1 product · 12 units · €26.28"
    qtbot.keyClick(table, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: screen.orders.form is None)
    qtbot.waitUntil(lambda: screen.card is not None and len(screen.card.orders) == 5)
    order = screen.card.orders[0]
    assert order.here and order.person_id == world.rep.user_id and order.lines[0].price_minor == 219
    screen.orders.saved._act()  # Undo
    qtbot.waitUntil(lambda: screen.card is not None and screen.card.orders[0].state == "cancelled")


def test_the_last_order_is_taken_again_at_todays_prices(
    qtbot: Any, session: AppSession, screen: OutletScreen, world: World
) -> None:
    def dearer(tx: Transaction) -> None:
        tx.conn.execute(update(T.price).where(T.price.c.product_id == world.products[1]).values(amount_minor=999))

    session.do(dearer)
    screen.orders.begin_again()
    form = screen.orders.form
    assert form is not None
    lines = {line.product_id: line for line in form.table.lines()}
    assert lines[world.products[1]].quantity == 6
    qtbot.waitUntil(lambda: session.ask(lambda r: r.conn.execute(
        select(T.price.c.amount_minor).where(T.price.c.product_id == world.products[1])).scalar_one()) == 999)
    screen.orders.begin_again()
    assert screen.orders.form is not None
    again = {line.product_id: line.price_minor for line in screen.orders.form.table.lines()}
    assert again[world.products[1]] == 999


def test_an_order_that_came_is_closed_and_anothers_is_not_mine(
    session: AppSession, world: World, now: datetime
) -> None:
    placed = an_id("order-0")
    session.db.write(lambda tx: orders.deliver(tx, placed), actor=world.rep, now=now).result()
    with pytest.raises(DomainError, match="order_closed"):
        session.db.write(lambda tx: orders.cancel(tx, placed), actor=world.rep, now=now).result()
    details = orders.OrderDetails([orders.OrderLine(world.products[1], 1)])
    made = session.db.write(
        lambda tx: orders.place(tx, world.outlets[0], details), actor=world.manager, now=now
    ).result()
    with pytest.raises(DomainError, match="order_not_yours"):
        session.db.write(lambda tx: orders.cancel(tx, made.value), actor=world.rep, now=now).result()
    yesterday = orders.OrderDetails(details.lines, now.date() - timedelta(days=1))
    with pytest.raises(DomainError, match="order_wanted_past"):
        session.db.write(lambda tx: orders.change(tx, made.value, yesterday), actor=world.manager, now=now).result()
    many = orders.OrderDetails([orders.OrderLine(world.products[1], 100_001)])
    with pytest.raises(DomainError, match="number_out_of_range"):
        session.db.write(lambda tx: orders.place(tx, world.outlets[0], many), actor=world.rep, now=now).result()


# ---- the history ----


def test_the_history_says_who_when_on_which_device_and_what(screen: OutletScreen) -> None:
    screen.history._toggle()
    text = said(screen.history)
    for line in (
        "Phone: 01 40 26 00 00 → 01 40 26 00 17", "Dominique Vasseur · PC-DOMINIQUE · yesterday",
        "Removal of a contact: Paul Vial", "Phone: erased", "Position: nothing → 48.86100, 2.34600",
        "Camille Roux · PC-CAMILLE", "New outlet", "Headquarters",
    ):  # fmt: skip
        assert line in text, line


def test_the_history_is_filtered_by_person_and_by_field(qtbot: Any, screen: OutletScreen) -> None:
    history = screen.history
    history.person.setCurrentIndex(history.person.findData("Camille Roux"))
    history._fill()
    qtbot.waitUntil(lambda: "PC-DOMINIQUE" not in said(history))
    assert "Segment: C → B" in said(history)
    history.field.setCurrentIndex(history.field.findData("phone"))
    history._fill()
    qtbot.waitUntil(lambda: "Segment" not in said(history))
    assert "No change fits" in said(history)
    history.person.setCurrentIndex(0)
    history._fill()
    assert "01 40 26 00 17" in said(history)


def test_what_another_person_changed_is_taken_back_unless_somebody_changed_it_since(
    qtbot: Any, session: AppSession, screen: OutletScreen, world: World
) -> None:
    def line_of(label: str) -> Any:
        assert screen.card is not None
        return next(line for line in screen.card.history.lines if line.label == label and line.places)

    screen.history.take_back(line_of("outlet.phone"))
    qtbot.waitUntil(lambda: read(session, world).phone == "01 40 26 00 00")
    qtbot.waitUntil(lambda: "Undo: change: phone" in said(screen.history))
    screen.history.take_back(line_of("outlet.phone"))
    qtbot.waitUntil(lambda: "changed again since" in screen.history.saved.text())
    assert read(session, world).phone == "01 40 26 00 00"
    screen.history.take_back(line_of("contact.removed"))
    qtbot.waitUntil(lambda: "Paul Vial" in said(screen.people))
    screen.history.take_back(line_of("contact.removed"))  # twice makes no second one
    qtbot.waitUntil(lambda: "changed again since" in screen.history.saved.text())
    assert said(screen.people).count("Paul Vial") == 1


def test_a_rep_may_not_take_back_what_managers_decide(session: AppSession, world: World, now: datetime) -> None:
    shown = session.ask(lambda r: cards.card(r, world.outlets[0], world.rep, now=now)).history.lines
    theirs = next(line for line in shown if any(change.field == "segment" for change in line.fields))
    assert not theirs.undoable
    with pytest.raises(DomainError, match="nothing_to_undo"):
        session.db.write(
            lambda tx: undo.undo_told(tx, world.outlets[0], theirs.places), actor=world.rep, now=now
        ).result()
    as_manager = session.ask(lambda r: cards.card(r, world.outlets[0], world.manager, now=now)).history.lines
    assert next(line for line in as_manager if line.places == theirs.places).undoable


class Headquarters:
    """Answers as the server does: pages of two, or nothing at all."""

    def __init__(self, every: list[PastEntry], *, offline: bool = False) -> None:
        self.every, self.offline, self.asked = every, offline, 0

    def history(self, collection: str, id: str, before: str = "") -> PastPage:
        if self.offline:
            raise Offline()
        if id != an_id("outlet-0").hex:
            return PastPage(1, [])  # of the outlet that was merged into it
        self.asked += 1
        rest = [one for one in self.every if not before or one.rev < int(before.partition(".")[0])]
        page = rest[:2]
        return PastPage(1, page, f"{page[-1].rev}.0" if len(rest) > 2 else "")


def kept(session: AppSession, world: World, line: Headquarters, now: datetime, *, older: bool = False) -> Any:
    asked = session.ask(lambda r: past.question(r, world.outlets[0], older=older))
    answers = past.ask(line, asked, now=now) if asked else None
    if answers is not None:
        session.db.write(lambda tx: past.keep(tx, answers), actor=world.rep, now=now).result()
    return session.ask(lambda r: cards.card(r, world.outlets[0], world.rep, now=now)).history


def test_headquarters_is_asked_only_for_what_is_new_and_is_not_needed_afterwards(
    session: AppSession, world: World, now: datetime
) -> None:
    every = entries(world, now)
    fresh = PastEntry(99, 0, 8, world.outlets[0].hex, "upd", to_milliseconds(now), set={"email": "a@b.example"})
    line = Headquarters([fresh, *every])
    shown = kept(session, world, line, now)
    assert line.asked == 1 and shown.as_of == now and not shown.more
    assert shown.lines[0].fields[0].now == "a@b.example" and len([one for one in shown.lines if one.places]) == 8
    offline = kept(session, world, Headquarters([], offline=True), now + timedelta(hours=1))
    assert offline.lines == shown.lines and offline.as_of == now


def test_when_too_much_is_new_the_rest_comes_on_demand(session: AppSession, world: World, now: datetime) -> None:
    shop = world.outlets[0]
    every = [
        PastEntry(1000 - n, 0, 8, shop.hex, "upd", to_milliseconds(now) - n, set={"email": f"{n}@b.example"})
        for n in range(30)
    ]
    shown = kept(session, world, Headquarters(every), now)
    assert shown.more and len([one for one in shown.lines if one.places]) == 2 * past.PAGES
    shown = kept(session, world, Headquarters(every), now, older=True)
    assert len([one for one in shown.lines if one.places]) == 2 * past.PAGES + 2


def test_what_was_told_leaves_with_the_outlet_and_with_anybody_who_is_erased(
    session: AppSession, world: World, now: datetime
) -> None:
    def count() -> int:
        return len(session.ask(lambda r: told.changes_of(r, [world.outlets[0]])))

    assert count() == 7

    def order(tx: Transaction) -> None:
        with tx.uncaptured():
            tx.conn.execute(insert(T.erasure).values(id=new_id(now), mark="0" * 32, at=now, rev=1))

    asked = session.ask(lambda r: past.question(r, world.outlets[0]))
    assert asked is not None
    late = past.ask(Headquarters(entries(world, now)), asked, now=now)
    session.db.write(order, actor=world.rep, now=now).result()
    assert count() == 0
    session.db.write(lambda tx: past.keep(tx, late), actor=world.rep, now=now).result()  # it was asked before
    assert count() == 0
    assert len([one for one in kept(session, world, Headquarters(entries(world, now)), now).lines if one.places]) == 7

    def gone(tx: Transaction) -> None:
        with tx.uncaptured():
            tx.conn.execute(T.outlet.delete().where(T.outlet.c.id == world.outlets[0]))

    session.db.write(gone, actor=world.rep, now=now).result()
    assert count() == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.dictionaries(
    st.sampled_from(["phone", "lat_e7", "custom", "due", "state", "lines", "placing", "name", "x"]), JSON, max_size=4
)
GARBAGE = st.builds(
    PastEntry, st.integers(), st.integers(), st.integers(-3, 40), st.text(max_size=33) | st.just("0" * 32),
    st.sampled_from(["new", "upd", "del"]), st.integers(), st.integers(), st.none() | st.text(max_size=33),
    st.integers(), st.text(max_size=20), st.text(max_size=33), FIELDS, FIELDS,
    st.lists(st.text(max_size=8), max_size=2),
)  # fmt: skip
TRUE_BUT_FOR_ITS_VALUES = st.builds(
    PastEntry, st.integers(1, 99), st.integers(0, 9), st.sampled_from([8, 12, 18, 21, 30]), st.just("0" * 32),
    st.sampled_from(["new", "upd", "del"]), st.just(1_790_000_000_000), set=FIELDS, was=FIELDS,
)  # fmt: skip


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(GARBAGE | TRUE_BUT_FOR_ITS_VALUES, max_size=4), st.text(max_size=12))
def test_whatever_a_server_tells_it_is_shown_or_passed_over(
    qtbot: Any, session: AppSession, world: World, now: datetime, found: list[PastEntry], more: str
) -> None:
    from fieldcrm.ui.outlet.change_words import change_lines, subject_words

    class Liar:
        def history(self, collection: str, id: str, before: str = "") -> PastPage:
            return PastPage(1, found, more)

    asked = session.ask(lambda r: past.question(r, world.outlets[0]))
    assert asked is not None
    answers = past.ask(Liar(), asked, now=now)
    session.db.write(lambda tx: past.keep(tx, answers), actor=world.rep, now=now).result()
    card = session.ask(lambda r: cards.card(r, world.outlets[0], world.rep, now=now))
    for line in card.history.lines:
        subject_words(line)
        change_lines(line, card)


# ---- the keyboard, and room ----


def test_alt_and_a_number_goes_to_a_section(qtbot: Any, screen: OutletScreen) -> None:
    actions = {action.id: action for action in screen.actions()}
    assert actions["outlet.section3"].keys == ("Alt+3",)
    bar = screen.page.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 600)
    actions["outlet.section9"].run()
    assert bar.value() > 0
    focus = screen.focusWidget()
    assert focus is not None and screen.history.isAncestorOf(focus)


def test_nothing_is_wider_than_a_small_window_with_large_text(qtbot: Any, session: AppSession, world: World) -> None:
    theme.apply("light", 125)
    try:
        shown = opened(qtbot, session, world)
        shown.resize(830, 560)
        shown.edit("opening_hours")
        shown.orders.begin_new()
        page = shown.page.widget()
        assert page is not None
        qtbot.waitUntil(lambda: page.width() <= 830 and shown.times.width() > 500)
        assert page.minimumSizeHint().width() <= shown.page.viewport().width()
    finally:
        theme.apply("light")
