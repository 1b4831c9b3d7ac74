"""What headquarters refused: one card for what belongs together, mended, exported, offered again or let go."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, select

pytest.importorskip("PySide6")

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit

from fieldcrm.domain.ids import new_id
from fieldcrm.store import drafts
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.tables import T
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import Message
from fieldcrm.ui.sync_center import SyncScreen, doing
from fieldcrm.ui.sync_center.refused import LetGoCard, RefusalCard, written
from fieldcrm.usecases import refused
from tests.conftest import KEY, NOW
from tests.ui.sync_center.conftest import change, refuse, write
from tests.ui.sync_center.test_decisions import button, phone
from tests.world import World

LEFT = Qt.MouseButton.LeftButton
LONG = "01 42 00 00 12 ask Élodie"


def cards(screen: SyncScreen, qtbot: Any, count: int) -> list[RefusalCard]:
    screen.open(tab="decisions")
    qtbot.waitUntil(lambda: len(screen.decisions.cards) == count)
    return [card for card in screen.decisions.cards if isinstance(card, RefusalCard)]


def waiting(session: AppSession) -> int:
    return session.ask(lambda r: len(refused.refusals(r)))


def to_send(session: AppSession) -> list[dict[str, Any]]:
    query = select(T.outbox.c.set).order_by(T.outbox.c.n)
    return [json.loads(text) for text in session.ask(lambda r: r.conn.execute(query).scalars().all())]


def test_a_refused_value_is_mended_where_it_stands_and_sent_as_a_new_change(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    change(session, world.outlets[0], phone=LONG)
    refuse(session)
    change(session, world.outlets[0], phone="from headquarters")
    (card,) = cards(screen, qtbot, 1)
    assert "Phone: At most 20 characters." in card.accessibleName()
    qtbot.mouseClick(button(card, "Mend…"), LEFT)
    editor = card.editor
    assert isinstance(editor, QLineEdit) and editor.text() == LONG
    editor.setText("nobody")
    qtbot.mouseClick(button(card, "Send it mended"), LEFT)
    qtbot.waitUntil(lambda: card.field.error().startswith("This is not a phone number."))
    assert waiting(session) == 1
    editor.setText("01 42 00 00 12")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: screen.decisions.cards == [])
    assert to_send(session)[-1] == {"phone": "01 42 00 00 12"}
    assert phone(session, world.outlets[0]) == "01 42 00 00 12" and waiting(session) == 0


def test_a_refused_transaction_of_several_operations_is_one_card_and_holds_nothing_up(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    def both(tx: Any) -> None:
        for outlet in world.outlets[:2]:
            tx.conn.execute(T.outlet.update().where(T.outlet.c.id == outlet).values(phone=LONG))

    def as_before(tx: Transaction) -> None:
        with tx.uncaptured():
            tx.conn.execute(T.outlet.update().where(T.outlet.c.id.in_(world.outlets[:2])).values(phone="01"))

    write(session, both)
    refuse(session)
    write(session, as_before)
    change(session, world.outlets[2], city="Lyon")
    (card,) = cards(screen, qtbot, 1)
    assert len(card.refusal.letters) == 2 and card.refusal.code == "too_long"
    assert to_send(session) == [{"city": "Lyon"}]
    card.begin_mending()
    card.editor.setText("01 42 00 00 12")  # type: ignore[attr-defined]
    card.mend()
    qtbot.waitUntil(lambda: screen.decisions.cards == [])
    sent = [values["phone"] for values in to_send(session)[1:]]
    assert sorted(sent) == ["01 42 00 00 12", LONG], "the one to blame is mended, the other goes as it was"


def test_what_was_refused_survives_a_restart_of_the_program(
    screen: SyncScreen, session: AppSession, world: World
) -> None:
    change(session, world.outlets[0], phone=LONG)
    refuse(session)
    session.db.close()
    again = Database.open(session.db.folder, KEY, now=NOW)
    with again.read() as r:
        (refusal,) = refused.refusals(r)
    again.close()
    assert refusal.letters[0].values == {"phone": LONG} and refusal.params["maximum"] == 20


def test_letting_go_asks_first_and_can_be_taken_back(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Message] = []
    session.messages.posted.connect(said.append)
    answers = iter((False, True))
    monkeypatch.setattr(doing.Confirm, "ask", classmethod(lambda *_, **__: next(answers)))
    change(session, world.outlets[0], phone=LONG)
    refuse(session)
    (card,) = cards(screen, qtbot, 1)
    qtbot.mouseClick(button(card, "Let it go"), LEFT)
    assert waiting(session) == 1
    qtbot.mouseClick(button(card, "Let it go"), LEFT)
    qtbot.waitUntil(lambda: screen.decisions.cards == [])
    assert waiting(session) == 0 and said[-1].run is not None
    said[-1].run()
    qtbot.waitUntil(lambda: len(screen.decisions.cards) == 1)
    assert waiting(session) == 1


def a_refused_report(session: AppSession, outlet: UUID) -> None:
    """Recorded with two photos, refused; its records then leave this device, as the sync has it."""
    visit, report, at = new_id(NOW), new_id(NOW), NOW - timedelta(hours=1)
    me = session.actor.user_id

    def work(tx: Transaction) -> None:
        tx.conn.execute(insert(T.visit).values(
            id=visit, outlet_id=outlet, person_id=me, started_at=at, zone="Europe/Paris", position_source="none",
            note="Ask for Marc"))
        tx.conn.execute(insert(T.submission).values(
            id=report, visit_id=visit, outlet_id=outlet, person_id=me, form="f", form_version="1",
            answers={"price": "1.20", "lines": [{"state": "present"}, {"state": "oos"}]}, started_at=at,
            submitted_at=at))
        for n in range(2):
            tx.conn.execute(insert(T.attachment).values(
                id=new_id(NOW), submission_id=report, visit_id=visit, outlet_id=outlet, node="/p", sha256=f"{n:064x}",
                size=1000, mime="image/jpeg"))

    def forget(tx: Transaction) -> None:
        with tx.uncaptured():
            for table in (T.attachment, T.submission, T.visit):
                column = table.c.id if table is T.visit else table.c.visit_id
                tx.conn.execute(delete(table).where(column == visit))

    write(session, work)
    refuse(session, "out_of_scope", "{}")
    write(session, forget)


def test_a_refused_report_is_told_in_words_and_still_counts_in_the_day(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    a_refused_report(session, world.outlets[1])
    (card,) = cards(screen, qtbot, 1)
    assert written(card.refusal) == "Report: 3 answers, 2 photos\nAsk for Marc"
    assert screen.day.sum.text() == "1 report, 2 photos here; 0 and 0 verified at headquarters."
    assert screen.day.missing.text().startswith("The report of Superette du Marché was refused")
    assert screen.day.again.text() == "See why"


def test_what_was_let_go_stays_on_the_device_and_comes_back_whole_after_days(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doing.Confirm, "ask", classmethod(lambda *_, **__: True))
    a_refused_report(session, world.outlets[1])
    (card,) = cards(screen, qtbot, 1)
    whole = card.refusal
    qtbot.mouseClick(button(card, "Let it go"), LEFT)
    qtbot.waitUntil(lambda: screen.decisions.cards == [] and bool(screen.decisions.findChildren(LetGoCard)))
    assert waiting(session) == 0 and session.ask(refused.let_go) == (whole,)
    assert screen.states[1].currentWidget() is screen.decisions
    qtbot.mouseClick(button(screen.decisions, "Take it back"), LEFT)
    qtbot.waitUntil(lambda: len(screen.decisions.cards) == 1)
    assert session.ask(refused.let_go) == () and session.ask(refused.refusals) == (whole,)
    qtbot.mouseClick(button(screen.decisions.cards[0], "Try again"), LEFT)
    qtbot.waitUntil(lambda: screen.decisions.cards == [])
    assert session.ask(lambda r: r.conn.execute(select(T.submission.c.answers)).scalars().all())[-1]["price"] == "1.20"
    assert len(to_send(session)) == 4, "the visit, its report and both photos go again"


def test_a_refused_report_becomes_a_draft_again_with_its_answers_and_photos(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    a_refused_report(session, world.outlets[1])
    (card,) = cards(screen, qtbot, 1)
    qtbot.mouseClick(button(card, "Open the report again…"), LEFT)
    qtbot.waitUntil(lambda: bool(_drafts(session)))
    ((draft, photos),) = _drafts(session)
    assert draft.answers["lines"] == [{"state": "present"}, {"state": "oos"}] and draft.outlet_id == world.outlets[1]
    assert draft.zone == "Europe/Paris" and sorted(photo.sha256[-1] for photo in photos) == ["0", "1"]
    assert waiting(session) == 0 and len(session.ask(refused.let_go)) == 1, "and what was refused is still here"


def _drafts(session: AppSession) -> list[tuple[drafts.Draft, tuple[drafts.DraftPhoto, ...]]]:
    return session.ask(lambda r: [
        (drafts.read_draft(r, row.id), drafts.photos_of(r, row.id)) for row in drafts.drafts(r)])


def test_trying_again_makes_the_change_anew(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    change(session, world.outlets[0], phone="02")
    refuse(session, "out_of_scope", "{}")
    change(session, world.outlets[0], phone="03")
    (card,) = cards(screen, qtbot, 1)
    assert "Dominique Vasseur can help." in card.accessibleName(), "it is not in the rep's hands"
    again = button(card, "Try again")
    for _ in range(2):  # a hand that is not sure of its first click
        qtbot.mouseClick(again, LEFT)
    screen.doing.lists_are_fresh()
    qtbot.mouseClick(again, LEFT)
    qtbot.waitUntil(lambda: screen.decisions.cards == [])
    assert to_send(session) == [{"phone": "03"}, {"phone": "02"}]


def test_all_that_was_written_can_be_copied(screen: SyncScreen, session: AppSession, world: World, qtbot: Any) -> None:
    change(session, world.outlets[0], phone=LONG, city="Lyon")
    refuse(session)
    (card,) = cards(screen, qtbot, 1)
    qtbot.mouseClick(button(card, "Copy what I wrote"), LEFT)
    assert LONG.replace(" ", "\u00a0") in QApplication.clipboard().text() and "Lyon" in QApplication.clipboard().text()


@pytest.mark.parametrize("name", ["refused.json", "refused.csv"])
def test_a_file_for_the_administrator_holds_every_value_and_the_reason(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any, tmp_path: Path, name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    change(session, world.outlets[0], phone="=1+1" + LONG)
    refuse(session)
    (card,) = cards(screen, qtbot, 1)
    path = tmp_path / name
    monkeypatch.setattr(doing.QFileDialog, "getSaveFileName", staticmethod(lambda *_: (str(path), "")))
    qtbot.mouseClick(button(card, "Export…"), LEFT)
    qtbot.waitUntil(path.exists)
    if path.suffix == ".json":
        (told,) = json.loads(path.read_text(encoding="utf-8"))["refused"]
        assert told["code"] == "too_long" and told["params"] == {"field": "phone", "maximum": 20}
        assert told["operations"][0]["set"] == {"phone": "=1+1" + LONG}
        assert UUID(hex=told["operations"][0]["id"]) == world.outlets[0]
    else:
        (row,) = csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines())
        assert (row["code"], row["field"]) == ("too_long", "phone")
        assert row["written"] == "'=1+1" + LONG, "no cell that a spreadsheet would run"
