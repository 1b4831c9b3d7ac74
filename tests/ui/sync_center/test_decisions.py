"""Two people in one record: side by side, by keys, in batches, with an undo; deletions too; merges told and undone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select

pytest.importorskip("PySide6")

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from fieldcrm.domain.catalogue import WHOLE_RECORD
from fieldcrm.domain.ids import new_id
from fieldcrm.store import clashes
from fieldcrm.store.database import Transaction
from fieldcrm.store.tables import T
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import Message
from fieldcrm.ui.sync_center import SyncScreen
from fieldcrm.ui.sync_center.choice import ClashCard, FieldChoice
from fieldcrm.ui.widgets import Button
from fieldcrm.usecases import undo
from fieldcrm.usecases.decisions import Choice
from tests.conftest import NOW
from tests.ui.sync_center.conftest import change, met, write
from tests.world import World

LEFT = Qt.MouseButton.LeftButton


def button(root: QWidget, text: str) -> Button:
    return next(found for found in root.findChildren(Button) if found.text() == text)


def phone(session: AppSession, outlet: UUID) -> str | None:
    return session.ask(lambda r: r.conn.execute(select(T.outlet.c.phone).where(T.outlet.c.id == outlet)).scalar_one())


def shown(screen: SyncScreen, qtbot: Any, count: int) -> list[ClashCard]:
    screen.open(tab="decisions")
    qtbot.waitUntil(lambda: len(screen.decisions.cards) == count)
    return [card for card in screen.decisions.cards if isinstance(card, ClashCard)]


def open_questions(session: AppSession) -> int:
    return session.ask(lambda r: len(clashes.clashes(r, session.actor.user_id)))


def test_before_mine_and_theirs_stand_side_by_side_with_who_wrote_them(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    met(session, world.outlets[0], by_id=world.manager.user_id)
    (card,) = shown(screen, qtbot, 1)
    said = card.choices[0].accessibleName()
    assert "Before: 01 42 00 00 00" in said.replace("\u00a0", " ")
    assert "Yours: 01 42 00 00 01" in said.replace("\u00a0", " ")
    assert "Dominique Vasseur: 01 42 00 00 02. stands" in said.replace("\u00a0", " ")
    assert "Dominique Vasseur" in card.accessibleName() and "Épicerie des Halles · Phone" in card.accessibleName()


def test_a_key_chooses_and_enter_confirms_and_ctrl_z_takes_it_back(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    outlet = world.outlets[0]
    change(session, outlet, phone="01 42 00 00 02")
    met(session, outlet)
    (card,) = shown(screen, qtbot, 1)
    choice = card.choices[0]
    choice.setFocus()
    assert not button(card, "Confirm").isEnabled()
    qtbot.keyClick(choice, Qt.Key.Key_1)
    assert choice.choice is Choice.MINE and button(card, "Confirm").isEnabled()
    qtbot.keyClick(choice, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: screen.decisions.cards == [])
    assert phone(session, outlet) == "01 42 00 00 01" and open_questions(session) == 0
    write(session, undo.undo)
    assert phone(session, outlet) == "01 42 00 00 02" and open_questions(session) == 1


def test_leaving_theirs_is_a_change_that_the_message_takes_back(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    said: list[Message] = []
    session.messages.posted.connect(said.append)
    met(session, world.outlets[0])
    (card,) = shown(screen, qtbot, 1)
    qtbot.keyClick(card.choices[0], Qt.Key.Key_2)
    qtbot.mouseClick(button(card, "Confirm"), LEFT)
    qtbot.waitUntil(lambda: len(said) == 1)
    assert said[0].text == "Left as it is." and said[0].run is not None
    state = select(T.outbox.c.set).order_by(T.outbox.c.n.desc()).limit(1)
    assert session.ask(lambda r: r.conn.execute(state).scalar_one()) == '{"state":"closed"}'
    said[0].run()
    qtbot.waitUntil(lambda: len(said) == 2)
    assert open_questions(session) == 1


def test_a_third_value_is_checked_before_it_is_sent(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    met(session, world.outlets[0])
    (card,) = shown(screen, qtbot, 1)
    choice = card.choices[0]
    qtbot.keyClick(choice, Qt.Key.Key_3)
    choice.editor.setText("call Élodie")
    qtbot.keyClick(choice.editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: choice.field.error().startswith("This is not a phone number."))
    assert open_questions(session) == 1
    choice.editor.setText("01 42 00 00 77")
    qtbot.keyClick(choice.editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: screen.decisions.cards == [])
    assert phone(session, world.outlets[0]) == "01 42 00 00 77"


def test_j_and_k_go_through_the_fields_and_theirs_for_all_settles_everything_at_once(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    met(session, world.outlets[0])
    met(session, world.outlets[0], field="city", kept="Paris", lost="Lyon", before=None)
    met(session, world.outlets[1])
    cards = shown(screen, qtbot, 2)
    choices = [choice for card in cards for choice in card.choices]
    assert len(choices) == 3 and sorted(len(card.choices) for card in cards) == [1, 2]
    screen.activateWindow()
    choices[0].setFocus()

    def focused() -> FieldChoice | None:
        return next((choice for choice in choices if choice.hasFocus()), None)

    qtbot.waitUntil(lambda: focused() is choices[0])
    qtbot.keyClick(choices[0], Qt.Key.Key_J)
    qtbot.keyClick(choices[1], Qt.Key.Key_J)
    assert focused() is choices[2]
    qtbot.keyClick(choices[2], Qt.Key.Key_K)
    assert focused() is choices[1]
    qtbot.mouseClick(button(screen.decisions, "Theirs for all"), LEFT)
    qtbot.waitUntil(lambda: screen.decisions.cards == [])
    assert open_questions(session) == 0
    write(session, undo.undo)
    assert open_questions(session) == 3


def test_news_in_the_middle_of_a_decision_take_nothing_back_that_was_chosen_or_typed(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    met(session, world.outlets[0])
    (card,) = shown(screen, qtbot, 1)
    qtbot.keyClick(card.choices[0], Qt.Key.Key_3)
    card.choices[0].editor.setText("01 42 00 00 5")
    met(session, world.outlets[1])
    cards = shown(screen, qtbot, 2)
    held = [choice for one in cards for choice in one.choices if choice.choice is not None]
    assert [(choice.choice, choice.editor.text()) for choice in held] == [(Choice.ANOTHER, "01 42 00 00 5")]
    assert open_questions(session) == 2


def test_in_a_low_window_confirm_stays_in_view_and_takes_all_that_was_chosen(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    met(session, world.outlets[0])
    met(session, world.outlets[1])
    cards = shown(screen, qtbot, 2)
    assert not screen.decisions.bar.isVisible()
    screen.resize(830, 520)
    bar = screen.decisions.bar
    qtbot.waitUntil(bar.isVisible)
    assert bar.mapTo(screen, bar.rect().bottomLeft()).y() <= screen.height()
    assert not any(button(card, "Confirm").isVisible() for card in cards) and not bar.confirm.isEnabled()
    qtbot.waitUntil(lambda: cards[0].choices[0].hasFocus())
    qtbot.keyClick(cards[0].choices[0], Qt.Key.Key_2)
    qtbot.keyClick(cards[1].choices[0], Qt.Key.Key_2)
    assert bar.count.text() == "2 of 2 chosen"
    qtbot.mouseClick(bar.confirm, LEFT)
    qtbot.waitUntil(lambda: screen.decisions.cards == [])
    assert open_questions(session) == 0 and not bar.isVisible()


def test_what_another_deleted_while_i_edited_comes_back_with_my_change_or_is_let_go(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    before = {"name": "Élodie", "job": "Rayon frais", "phone": "01", "outlet_id": world.outlets[1].hex}
    gone = new_id(NOW)
    met(session, world.outlets[1], collection="contact", record_id=gone, field="*", kept=None,
        lost={"phone": "06 12 34 56 78"}, before=before)
    (card,) = shown(screen, qtbot, 1)
    assert "deleted this while you were changing it" in card.accessibleName()
    qtbot.keyClick(card.choices[0], Qt.Key.Key_1)
    qtbot.keyClick(card.choices[0], Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: screen.decisions.cards == [])
    people = session.ask(lambda r: r.conn.execute(select(T.contact).where(T.contact.c.name == "Élodie")).all())
    assert [(p.phone, p.job, p.outlet_id) for p in people] == [("06 12 34 56 78", "Rayon frais", world.outlets[1])]
    assert people[0].id != gone, "the old id is on its way to being forgotten"
    write(session, undo.undo)
    assert open_questions(session) == 1


def test_my_deletion_that_was_not_done_can_be_done_all_the_same(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    contact = new_id(NOW)
    values = {"name": "Marc", "outlet_id": world.outlets[1], "job": "Gérant"}

    def add(tx: Transaction) -> None:
        with tx.uncaptured():
            tx.conn.execute(insert(T.contact).values(id=contact, rev=1, **values))

    write(session, add)
    met(session, world.outlets[1], collection="contact", record_id=contact, field="*", lost=None,
        kept={"name": "Marc", "job": "Gérant"}, before={"name": "Marc", "job": "Adjoint"},
        by_id=world.manager.user_id)
    (card,) = shown(screen, qtbot, 1)
    theirs = card.choices[0].tiles[Choice.THEIRS]
    assert theirs.value.text() == "Job: Gérant", "what changed since, and not all of it"
    qtbot.keyClick(card.choices[0], Qt.Key.Key_1)
    qtbot.keyClick(card.choices[0], Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: screen.decisions.cards == [])
    assert session.ask(lambda r: r.conn.execute(select(T.contact).where(T.contact.c.id == contact)).all()) == []


def test_a_merge_is_one_sentence_and_my_part_can_be_taken_back_while_theirs_stays(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    outlet = world.outlets[0]
    change(session, outlet, phone="01 42 00 00 01", city="Lyon", note="Mardi\nParking\nClés")
    met(session, outlet, field="+", state="closed", by_id=world.manager.user_id,
        kept={"city": "Lyon", "note": "Mardi\nClés"}, lost={"phone": "01 42 00 00 01", "note": "Mardi\nParking"},
        before={"phone": "01 42 00 00 00", "note": "Mardi"})
    screen.open(tab="merged")
    qtbot.waitUntil(lambda: len(screen.merged.cards) == 1)
    said = "You changed “note and phone”, Dominique Vasseur changed “city and note”: both are kept."
    assert said in screen.merged.cards[0].accessibleName()
    assert open_questions(session) == 0, "nothing is to be decided"
    qtbot.mouseClick(button(screen.merged, "Undo mine"), LEFT)
    qtbot.waitUntil(lambda: phone(session, outlet) == "01 42 00 00 00")
    note = select(T.outlet.c.note, T.outlet.c.city).where(T.outlet.c.id == outlet)
    assert tuple(session.ask(lambda r: r.conn.execute(note).one())) == ("Mardi\nClés", "Lyon")
    qtbot.waitUntil(lambda: not any(b.text() == "Undo mine" for b in screen.merged.cards[0].findChildren(Button)))
    write(session, undo.undo)
    assert phone(session, outlet) == "01 42 00 00 01"


def test_a_merge_that_was_changed_again_since_offers_no_undo(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    met(session, world.outlets[0], field="+", state="closed", kept={"city": "Lyon"}, lost={"phone": "mine"},
        before={"phone": "old"})
    change(session, world.outlets[0], phone="newer")
    screen.open(tab="merged")
    qtbot.waitUntil(lambda: len(screen.merged.cards) == 1)
    assert [b.text() for b in screen.merged.cards[0].findChildren(Button)] == ["Open the outlet"]


def test_the_same_click_twice_restores_a_record_once_and_keeps_the_way_back(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    """A tired hand clicks twice; a second copy of a contact, or an Undo that undoes nothing, would cost its trust."""
    said: list[Message] = []
    session.messages.posted.connect(said.append)
    gone = new_id(NOW)
    before = {"outlet_id": world.outlets[0].hex, "name": "Mireille Aubert", "job": "Buyer"}
    met(session, world.outlets[0], collection="contact", record_id=gone, field=WHOLE_RECORD, kept=None,
        lost={"phone": "01 42 00 00 01"}, before=before)
    (card,) = shown(screen, qtbot, 1)
    qtbot.keyClick(card.choices[0], Qt.Key.Key_1)
    confirm = button(card, "Confirm")
    for _ in range(2):
        qtbot.mouseClick(confirm, LEFT)
    screen.doing.lists_are_fresh()  # and a third time, when something else has read the lists anew in between
    qtbot.mouseClick(confirm, LEFT)
    qtbot.waitUntil(lambda: screen.decisions.cards == [])
    count = select(func.count()).select_from(T.contact).where(T.contact.c.name == "Mireille Aubert")
    assert session.ask(lambda r: r.conn.execute(count).scalar_one()) == 1
    assert len(said) == 1 and said[0].run is not None
    said[0].run()
    qtbot.waitUntil(lambda: open_questions(session) == 1)
    assert session.ask(lambda r: r.conn.execute(count).scalar_one()) == 0
    (card,) = shown(screen, qtbot, 1)
    card.choices[0].choose(Choice.THEIRS)
    qtbot.mouseClick(button(card, "Confirm"), LEFT)
    qtbot.waitUntil(lambda: open_questions(session) == 0)  # what was taken back can be decided anew
