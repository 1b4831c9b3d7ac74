"""The card of an outlet as a person uses it: the brief, editing in place, undo, promises, people, notes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QWidget
from sqlalchemy import insert

from fieldcrm import words
from fieldcrm.domain.ids import new_id
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.tables import T
from fieldcrm.ui import hours, theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.outlet import OutletScreen, header
from fieldcrm.ui.preferences import Preferences
from fieldcrm.usecases import card as cards
from fieldcrm.usecases import outlets
from fieldcrm.usecases.opening import usual_week
from tests.ui.territory import live


@pytest.fixture
def session(qtbot: Any, db: Database, world: Any, now: datetime, tmp_path: Path) -> Iterator[AppSession]:
    live(db, world, now)
    words.set_language("en")
    theme.apply("light")
    made = AppSession(
        db,
        world.rep,
        clock=lambda: now,
        photos=PhotoStore(tmp_path / "photos", bytes(32)),
        preferences=Preferences(tmp_path),
    )
    yield made
    made.tasks.stop()


@pytest.fixture
def screen(qtbot: Any, session: AppSession, world: Any) -> OutletScreen:
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


def read(session: AppSession, world: Any) -> Any:
    return session.ask(lambda r: outlets.read(r, world.outlets[0]))


def test_the_brief_answers_four_questions_and_says_what_to_do(screen: OutletScreen) -> None:
    assert "Ask Mme Lefort about the promise" in said(screen.next)
    assert "6 days late" in said(screen.next)
    brief = said(screen.brief)
    for answer in (
        "Mme Lefort",
        "Best: Tuesday and Thursday, 09:00–11:00",
        "Tête de gondole",
        "Produit 02: out of stock 3 times",
        "Phone: 01 40 26 00 17",
        "Note: Le magasin passe sous franchise",
        "by Dominique Vasseur",
    ):
        assert answer in brief
    assert "Your report was returned" not in brief  # it was, before the last visit


def test_the_brief_of_an_outlet_that_nobody_knows_says_so(session: AppSession, world: Any, now: datetime) -> None:
    made = session.ask(lambda r: cards.card(r, world.outlets[3], world.rep, now=now))
    assert made.brief.next.code == "visit_overdue"
    assert made.brief.next.params["never"] is True
    assert (made.brief.see, made.brief.promise, made.brief.missing, made.brief.news) == (None, None, (), ())
    assert made.shelf == () and made.shares == ()


def test_the_shelf_stands_against_its_target(session: AppSession, world: Any, now: datetime) -> None:
    made = session.ask(lambda r: cards.card(r, world.outlets[0], world.rep, now=now))
    lines = {line.product.name: line for line in made.shelf}
    assert len(lines) == 36
    assert lines["Produit 02"].out_of_stock_streak == 3
    assert lines["Produit 36"].seen is None
    assert len(made.shares) == 7
    assert 0.5 < made.shares[-1].own / made.shares[-1].all < 0.8
    assert [line.state.value for line in made.visits[:3]] == ["submitted", "returned", "approved"]


def test_a_phone_number_is_edited_in_place_and_undone(
    qtbot: Any, session: AppSession, screen: OutletScreen, world: Any
) -> None:
    line = screen.details.lines["phone"]
    qtbot.mouseClick(line.pencil, Qt.MouseButton.LeftButton)
    editor = line.editors["phone"]
    assert isinstance(editor, QLineEdit) and editor.text() == "01 40 26 00 17"
    editor.setText("call me")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "not a phone number" in said(line))
    editor.setText("01 99 88 77 66")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: screen.details.saved.isVisible())
    assert read(session, world).phone == "01 99 88 77 66"
    assert "Saved on this device" in screen.details.saved.text()
    qtbot.waitUntil(lambda: "Phone: 01 40 26 00 17 → 01 99 88 77 66" in said(screen.history))
    screen.details.saved._act()
    qtbot.waitUntil(lambda: read(session, world).phone == "01 40 26 00 17")
    qtbot.waitUntil(lambda: "Undo: change: phone" in said(screen.history))


def test_escape_leaves_the_field_as_it_was(qtbot: Any, session: AppSession, screen: OutletScreen, world: Any) -> None:
    screen.edit("name")
    line = screen.details.lines["name"]
    editor = line.editors["name"]
    assert isinstance(editor, QLineEdit)
    editor.setText("Something else")
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    assert not line.editing
    assert read(session, world).name == "Épicerie des Halles"


def test_what_is_being_typed_survives_a_refresh(
    qtbot: Any, session: AppSession, screen: OutletScreen, world: Any
) -> None:
    screen.edit("email")
    editor = screen.details.lines["email"].editors["email"]
    assert isinstance(editor, QLineEdit)
    editor.setText("half@typ")
    session.do(lambda tx: outlets.edit_outlet(tx, world.outlets[0], {"banner": "Autre"}))
    qtbot.waitUntil(lambda: screen.card is not None and screen.card.outlet.banner == "Autre")
    assert editor.text() == "half@typ" and editor.isVisible()


def test_a_choice_is_edited_from_its_list(qtbot: Any, session: AppSession, screen: OutletScreen, world: Any) -> None:
    screen.edit("store_type")
    box = screen.details.lines["store_type"].editors["store_type"]
    assert isinstance(box, QComboBox)
    box.setCurrentIndex(box.findData("kiosk"))
    screen.details.lines["store_type"].save()
    qtbot.waitUntil(lambda: read(session, world).store_type == "kiosk")


def test_hours_are_read_back_while_they_are_typed(qtbot: Any, screen: OutletScreen) -> None:
    screen.edit("opening_hours")
    editor = screen.times.lines["opening_hours"].editor
    assert editor is not None
    editor.raw.clear()
    qtbot.keyClicks(editor.raw, "Mo-Fr 09:00-18:00; PH off")
    assert editor.sentence.text() == (
        "Monday to Friday 09:00–18:00; closed on Saturday and Sunday; closed on public holidays"
    )


@pytest.mark.parametrize(
    ("language", "text", "lines"),
    [
        (
            "en",
            "Mo-Fr 08:30-12:30,14:00-19:30; Sa 09:00-20:00; PH off",
            [("Monday to Friday", "08:30–12:30 and 14:00–19:30"), ("Saturday", "09:00–20:00"), ("Sunday", "Closed")],
        ),
        (
            "fr",
            "Mo-Fr 08:30-12:30,14:00-19:30; Sa 09:00-20:00",
            [
                ("Lundi à vendredi", "8\u00a0h\u00a030–12\u00a0h\u00a030 et 14\u00a0h–19\u00a0h\u00a030"),
                ("Samedi", "9\u00a0h–20\u00a0h"),
                ("Dimanche", "Fermé"),
            ],
        ),
        ("en", "24/7", [("Every day", "Open all day")]),
        ("en", "Mo-Su 22:00-02:00", [("Every day", "22:00–02:00")]),
    ],
)
def test_opening_hours_are_said_in_plain_words(now: datetime, language: str, text: str, lines: list[Any]) -> None:
    words.set_language(language)
    week = usual_week(text, "Europe/Paris", now)
    assert week is not None
    assert hours.week_lines(week) == lines
    words.set_language("en")


def test_hours_that_cannot_be_read_are_shown_as_they_are(session: AppSession, now: datetime) -> None:
    assert usual_week("whenever", "Europe/Paris", now) is None


def test_a_promise_is_kept_with_one_click(qtbot: Any, session: AppSession, screen: OutletScreen) -> None:
    assert screen.card is not None
    promise = next(task for task in screen.card.tasks if task.kind == "promise" and task.state == "open")
    from fieldcrm.usecases import tasks

    screen.tasks._close(promise, tasks.keep_task)
    qtbot.waitUntil(lambda: "Ask Mme Lefort" not in said(screen.next))
    qtbot.waitUntil(lambda: "Produit 02" in said(screen.next))


def test_a_new_promise_needs_words(qtbot: Any, screen: OutletScreen) -> None:
    screen.tasks.begin_new()
    form = screen.tasks.form
    assert form is not None
    form.save()
    qtbot.waitUntil(lambda: "Say what is to be done" in said(form))
    form.title.setText("Balisage promo")
    form.save()
    qtbot.waitUntil(lambda: "Balisage promo" in said(screen.tasks))


def test_a_contact_is_added_and_removed_with_undo(qtbot: Any, screen: OutletScreen) -> None:
    screen.people.begin_new()
    form = screen.people.form
    assert form is not None
    form.editor("name").setText("Zoé Martin")
    form.editor("email").setText("not an address")
    form.save()
    qtbot.waitUntil(lambda: "not an e-mail" in said(form))
    form.editor("email").setText("zoe@halles.example")
    form.save()
    qtbot.waitUntil(lambda: "Zoé Martin" in said(screen.people))
    assert screen.card is not None
    qtbot.waitUntil(lambda: any(contact.name == "Zoé Martin" for contact in screen.card.contacts))
    zoe = next(contact for contact in screen.card.contacts if contact.name == "Zoé Martin")
    screen.people.remove(zoe.id)
    qtbot.waitUntil(lambda: "Zoé Martin" not in said(screen.people))
    screen.people.saved._act()
    qtbot.waitUntil(lambda: "Zoé Martin" in said(screen.people))


def test_a_note_is_added(qtbot: Any, screen: OutletScreen) -> None:
    assert not screen.notes.add_button.isEnabled()
    screen.notes.typed.setPlainText("Livraison par la cour")
    screen.notes.save()
    qtbot.waitUntil(lambda: "Livraison par la cour" in said(screen.notes))
    assert screen.notes.typed.toPlainText() == ""


def test_nothing_leaves_the_program_but_by_a_click(
    qtbot: Any, screen: OutletScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(header, "open_outside", lambda address: opened.append(address) or True)
    screen._call()
    assert opened == ["tel:0140260017"]
    assert "clipboard" in screen.message.text()


def test_an_outlet_that_left_the_device_is_no_dead_end(
    qtbot: Any, session: AppSession, screen: OutletScreen, now: datetime
) -> None:
    screen.open(id=new_id(now))
    qtbot.waitUntil(lambda: "no longer on this device" in said(screen.states))
    assert session.navigator.here is None


def test_below_880_pixels_the_sections_stand_in_one_column(qtbot: Any, screen: OutletScreen) -> None:
    assert screen.details.x() > screen.shelf.x()
    screen.resize(820, 900)
    qtbot.waitUntil(lambda: screen.details.x() == screen.shelf.x())


def test_every_control_has_a_name(screen: OutletScreen) -> None:
    from PySide6.QtGui import QAccessible

    screen.edit("street") if "street" in screen.details.lines else screen.edit("house_number")
    nameless = []
    for widget in screen.findChildren(QWidget):
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible():
            interface = QAccessible.queryAccessibleInterface(widget)
            if interface is not None and not interface.text(QAccessible.Text.Name):
                nameless.append(type(widget).__name__)
    assert nameless == []


def test_photos_are_deciphered_and_one_that_is_not_here_says_so(
    qtbot: Any, session: AppSession, db: Database, world: Any, now: datetime
) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (640, 480), "teal").save(picture, "JPEG")
    here = session.photos.put(picture.getvalue())

    def work(tx: Transaction) -> None:
        for sha256 in (here, "0" * 64):
            tx.conn.execute(
                insert(T.attachment).values(
                    id=new_id(now), submission_id=new_id(now), visit_id=new_id(now), outlet_id=world.outlets[0],
                    node="/audit/photo", sha256=sha256, size=1, mime="image/jpeg", taken_at=now,
                )
            )  # fmt: skip

    db.write(work, actor=world.rep, now=now).result()
    shown = OutletScreen(session)
    qtbot.addWidget(shown)
    shown.show()
    shown.open(id=world.outlets[0])
    qtbot.waitUntil(lambda: len(shown.photos.thumbnails) == 2)
    by_name = {thumbnail.photo.sha256: thumbnail for thumbnail in shown.photos.thumbnails}
    qtbot.waitUntil(lambda: by_name[here]._image is not None and by_name["0" * 64]._missing)
    assert by_name[here].photo.received is False


def test_another_outlet_begins_at_its_top_with_the_focus_on_the_visit(
    qtbot: Any, screen: OutletScreen, world: Any
) -> None:
    screen.resize(820, 480)
    bar = screen.page.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 200)
    bar.setValue(bar.maximum())
    screen.shelf.table.setFocus()
    screen.open(id=world.outlets[1])
    qtbot.waitUntil(lambda: screen.card is not None and screen.card.outlet.id == world.outlets[1])
    qtbot.wait(50)
    assert bar.value() == 0
    assert screen.header.start_button.hasFocus()


def test_the_keyboard_stays_on_the_card_when_it_is_read_anew(qtbot: Any, screen: OutletScreen) -> None:
    screen.activateWindow()
    before = screen.header.start_button
    before.setFocus()
    screen.open(id=screen.card.outlet.id if screen.card else None)
    qtbot.waitUntil(lambda: screen.header.start_button is not before)
    assert screen.header.start_button.hasFocus()
