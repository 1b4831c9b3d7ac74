"""The card in full: identity, hours as a week, own fields, orders by keyboard, and a history that can be taken back."""

# ruff: noqa: F811 (a fixture that is imported has the name of the parameter that asks for it)

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QPushButton
from sqlalchemy import select, update

from fieldcrm import words
from fieldcrm.domain.errors import DomainError
from fieldcrm.store.database import Transaction
from fieldcrm.store.outlets import read_outlet
from fieldcrm.store.tables import T
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.outlet import OutletScreen
from fieldcrm.usecases import orders, outlets, undo
from sync.columns import to_milliseconds
from tests.ui.opened_card import opened, read, said, screen, session, verbs  # noqa: F401
from tests.world import World, an_id

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
