from __future__ import annotations

import time
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from sqlalchemy import select

from fieldcrm import words
from fieldcrm.store.database import Database
from fieldcrm.store.tables import T
from fieldcrm.ui.navigator import Place
from fieldcrm.ui.visit.drafts_page import DraftsPage
from fieldcrm.ui.visit.grid_model import Checked
from fieldcrm.ui.visit.group_page import GroupPage
from fieldcrm.ui.visit.report_page import ReportPage
from fieldcrm.usecases import visits
from tests.conftest import KEY, NOW
from tests.ui.visit.conftest import Bench, add_photos
from tests.usecases.test_visits import fill, instance_of, submitted, write

Key = Qt.Key


def test_an_audit_is_filled_by_keys_alone(bench: Bench) -> None:
    bench.begin()
    bench.tap("p", "4", Key.Key_Return)  # present, four facings, down
    bench.tap("r")  # out of stock, goes down
    bench.tap("a")
    bench.tap("7", Key.Key_Tab, "2", ",", "4", "9", Key.Key_Return)  # a digit means present
    assert [bench.answers(n) for n in range(4)] == [
        ("present", "4", "", "observed"), ("oos", "", "", "observed"), ("absent", "", "", "observed"),
        ("present", "7", "2.49", "observed"),
    ]
    assert bench.grid.view.currentIndex().row() == 4
    assert bench.grid.progress.words() == "4 of 36 checked"


def test_as_last_time_is_one_key_and_a_new_observation_marked_so(bench: Bench) -> None:
    submitted(bench.db, bench.world, now=NOW - timedelta(days=28))
    bench.begin()
    model = bench.grid.model
    assert model.last(bench.row(1), model.grid.first[1]) == "2"
    assert bench.answers(1) == ("", "", "", "")
    bench.tap("c", "c", "c", "c")  # the fourth was never seen: the key says nothing
    assert [bench.answers(n) for n in range(4)] == [
        ("present", "1", "2.19", "confirmed"), ("present", "2", "2.19", "confirmed"),
        ("present", "3", "2.19", "confirmed"), ("", "", "", ""),
    ]
    assert model.checked(bench.row(1)) is Checked.CONFIRMED
    bench.grid.view.go(1, 2)
    bench.tap("9", Key.Key_Return)
    assert bench.answers(1) == ("present", "9", "2.19", "observed")
    assert model.checked(bench.row(1)) is Checked.CHANGED


def test_a_line_can_be_made_not_checked_again_and_undo_brings_it_back(bench: Bench) -> None:
    bench.begin()
    bench.tap("p", "4", Key.Key_Return)
    bench.grid.view.go(0, 1)
    bench.tap(Key.Key_Delete)
    assert bench.answers(0) == ("", "", "", "")
    QTest.keyClick(bench.grid.view, Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert bench.answers(0) == ("present", "4", "", "observed")


def test_space_goes_round_the_states_and_tab_skips_what_cannot_be_answered(bench: Bench) -> None:
    bench.begin()
    seen = []
    for _ in range(4):
        bench.tap(Key.Key_Space)
        seen.append(bench.answers(0)[0])
    assert seen == ["present", "oos", "absent", "present"]
    bench.tap(Key.Key_Space)
    bench.tap(Key.Key_Tab)  # facings and price of a missing product cannot be answered
    assert (bench.grid.view.currentIndex().row(), bench.grid.view.currentIndex().column()) == (1, 1)


def test_n_jumps_to_the_next_line_that_is_not_checked(bench: Bench) -> None:
    bench.begin()
    bench.tap("r", "r", "r")
    bench.grid.view.go(0, 1)
    bench.tap("n")
    assert bench.grid.view.currentIndex().row() == 3


def test_lines_are_filtered_by_category_by_words_and_by_what_is_open(bench: Bench) -> None:
    bench.begin()
    bench.grid.chips["Boissons"].click()
    assert bench.grid.model.rowCount() == 9
    bench.grid.search.setText("produit 06")
    bench.grid._refilter()
    assert [bench.grid.model.index(n, 0).data() for n in range(bench.grid.model.rowCount())] == ["Produit 06"]
    bench.grid.search.clear()
    bench.grid.chips["Boissons"].click()
    bench.grid.view.go(0, 1)
    bench.tap("r")
    bench.grid.open_only.setChecked(True)
    assert bench.grid.model.rowCount() == 35


def test_more_columns_come_on_demand_and_are_answered_by_keys(bench: Bench) -> None:
    bench.begin()
    assert bench.grid.model.columnCount() == 4
    bench.tap("p", "2", Key.Key_Return)
    bench.grid.more.setChecked(True)
    assert bench.grid.model.columnCount() == 9
    bench.grid.view.setFocus()
    bench.grid.view.go(0, bench.grid.model.column_of("promotion"))
    bench.tap(Key.Key_Space, Key.Key_Space)
    assert bench.editor.recording.get(bench.row(0) + "/promotion") == "national"
    bench.grid.view.go(0, bench.grid.model.column_of("remark"))
    bench.tap("p", "a", "l", "e", Key.Key_Return)
    assert bench.editor.recording.get(bench.row(0) + "/remark") == "pale"
    assert bench.answers(0)[0] == "present"


def test_a_press_on_a_state_answers_and_a_second_one_takes_it_back(bench: Bench) -> None:
    bench.begin()
    view = bench.grid.view
    pill = view.cells.pills(view.visualRect(bench.grid.model.index(2, 1)), bench.grid.model.columns[0])[1]
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=pill.center())
    assert bench.answers(2)[0] == "oos"
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=pill.center())
    assert bench.answers(2) == ("", "", "", "")


def test_what_is_typed_is_on_the_disk_half_a_second_later(bench: Bench) -> None:
    bench.begin()
    bench.now += timedelta(minutes=7)
    bench.tap("p", "4", Key.Key_Return)
    assert bench.editor.head.saved.text() == "Saving…"
    bench.saved()
    bench.until(lambda: bench.editor.head.saved.text() == "Draft saved 10:07")


def test_the_time_of_a_store_in_another_zone_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.begin()
    try:
        for zone, said in (("Europe/Paris", "10:00 · 0 min"), ("Europe/Helsinki", "10:00 store time · 0 min")):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            bench.editor.head._show_time()
            assert bench.editor.head.since.text() == said
    finally:
        monkeypatch.undo()
        time.tzset()


def test_closing_the_window_in_the_middle_loses_nothing(bench: Bench, qtbot: QtBot) -> None:
    bench.begin()
    draft = bench.editor.recording.draft_id
    bench.tap("p", "4", Key.Key_Return, "r")
    bench.screen.hide()  # at once, before the half second is over
    bench.session.tasks.stop()
    folder = bench.db.folder
    bench.db.close()
    again = Database.open(folder, KEY, now=NOW)
    try:
        with again.read() as r:
            assert [row.id for row in visits.drafts(r)] == [draft]
        _, instance = instance_of(again, draft)
        assert instance.get(bench.row(0) + "/facings") == "4"
        assert instance.get(bench.row(1) + "/state") == "oos"
    finally:
        again.close()


def test_what_stands_in_a_cell_that_is_still_open_is_kept_when_the_window_closes(bench: Bench) -> None:
    bench.begin()
    bench.tap("p", "4")  # no Return
    bench.screen.leaving()
    assert bench.answers(0)[:2] == ("present", "4")
    assert not bench.editor.recording._waiting  # nothing is left to the half second's clock
    bench.saved()


def test_a_visit_left_half_done_is_listed_and_gone_on_with_at_the_same_step(bench: Bench) -> None:
    bench.begin()
    bench.tap("r")
    bench.editor.go(3)
    draft = bench.editor.recording.draft_id
    bench.saved()
    bench.session.navigator.go("visit")
    page = bench.screen._stack.currentWidget()
    assert isinstance(page, DraftsPage)
    bench.until(lambda: page.model.rowCount() == 1)
    page.list.setFocus()
    bench.tap(Key.Key_Return)
    bench.until(lambda: bench.screen.editor is not None)
    assert bench.editor.recording.draft_id == draft
    assert bench.editor.step == 3
    assert bench.answers(0)[0] == "oos"


def test_a_whole_visit_is_recorded_checked_and_sent(bench: Bench) -> None:
    bench.begin()
    for number in range(30):
        bench.tap("p", str(number % 9 + 1), Key.Key_Return)
    bench.editor.go(2)
    add_photos(bench, 2)
    bench.editor.go(3)
    page = bench.editor.pages[3]
    assert isinstance(page, GroupPage)
    promise = page.fields["/next/promise"].editor
    assert promise is not None
    promise.focus_here()
    bench.tap(*"Two more facings")
    assert page.fields["/next/promise_due"].isVisibleTo(page)
    bench.editor.go_check()
    assert not bench.editor.check.send.isEnabled()
    bench.editor.show_next_problem()
    assert bench.editor.step == 3
    bench.editor.recording.set("/next/promise_due", "2026-11-27")
    bench.screen._check_or_send()
    assert bench.editor.step == 4
    assert bench.editor.check.send.isEnabled()
    bench.now += timedelta(minutes=25)
    bench.editor.check.send.click()
    bench.until(lambda: Place("today", {}) in bench.places)
    with bench.db.read() as r:
        visit = r.conn.execute(select(T.visit)).one()
        assert len(r.conn.execute(select(T.observation)).all()) == 30
        assert len(r.conn.execute(select(T.attachment)).all()) == 2
        assert r.conn.execute(select(T.task.c.title)).scalar_one() == "Two more facings"
        assert r.conn.execute(select(T.draft)).all() == []
    assert visit.ended_at == bench.now
    assert visit.position_source == "photo"
    assert bench.said == ["Report for Épicerie des Halles saved on this device: 30 lines, 2 photos."]


def test_what_is_missing_is_said_on_the_last_page_with_a_way_to_it(bench: Bench) -> None:
    bench.begin()
    bench.tap("p", "5", "0", "0", "0", Key.Key_Return)
    bench.editor.go_check()
    assert {p.path.rpartition("/")[2] for p in bench.editor.recording.errors()} == {"facings", "shelf_photos"}
    bench.editor.show_answer(bench.row(0) + "/facings")
    assert bench.editor.step == 0
    assert bench.grid.view.currentIndex().column() == 2
    bench.editor.send()
    assert bench.editor.step == 4
    with bench.db.read() as r:
        assert r.conn.execute(select(T.submission)).all() == []


def test_a_report_can_be_read_and_corrected_and_the_change_is_shown(bench: Bench) -> None:
    done = submitted(bench.db, bench.world)
    bench.session.navigator.go("visit", report=done.submission_id)
    page = bench.screen._stack.currentWidget()
    assert isinstance(page, ReportPage)
    bench.until(lambda: page.view.report is not None)
    page.correct.click()
    bench.until(lambda: bench.screen.editor is not None)
    assert bench.answers(0)[:3] == ("present", "1", "2.19")
    bench.grid.view.setFocus()
    bench.grid.view.go(0, 2)
    bench.tap("8", Key.Key_Return)
    bench.editor.go_check()
    assert bench.editor.check.send.text() == "Send the correction"
    bench.editor.send()
    bench.until(lambda: Place("today", {}) in bench.places)
    with bench.db.read() as r:
        newest = r.conn.execute(select(T.submission).where(T.submission.c.supersedes_id == done.submission_id)).one()
    assert newest.answers["shelf"]["line"][0]["facings"] == 8


def test_every_control_has_a_name_and_tab_leaves_the_grid(bench: Bench) -> None:
    from PySide6.QtGui import QAccessible
    from PySide6.QtWidgets import QWidget

    bench.begin()
    for step in range(5):
        bench.editor.go(step)
        for widget in bench.editor.findChildren(QWidget):
            reachable = widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible()
            if reachable and widget.focusProxy() is None:
                face = QAccessible.queryAccessibleInterface(widget)
                assert face is not None
                name = face.text(QAccessible.Text.Name)
                assert name or (isinstance(widget.parent(), QWidget) and widget.parent().metaObject().className() in (
                    "QSpinBox", "QCalendarWidget")), (step, widget)
    bench.editor.go(0)
    view = bench.grid.view
    view.setFocus()
    view.go(bench.grid.model.rowCount() - 1, 1)
    bench.tap("r")
    view.go(bench.grid.model.rowCount() - 1, 1)
    bench.tap(Key.Key_Tab)
    assert QApplication.focusWidget() is not view


def test_the_screen_speaks_french(bench: Bench) -> None:
    words.set_language("fr")
    bench.begin()
    assert bench.editor.stepper.model().index(0).data() == "Linéaire"
    assert bench.grid.progress.words() == "0 sur 36 relevés"
    bench.tap("3", Key.Key_Tab, "2", ".", "5", Key.Key_Return)
    assert bench.grid.model.index(0, 3).data() == "2,5"
    assert bench.answers(0)[2] == "2.5"


def test_a_draft_that_was_sent_meanwhile_is_said_so(bench: Bench) -> None:
    done = write(bench.db, bench.world, lambda tx: visits.start_visit(tx, bench.world.outlets[0]))
    _, instance = instance_of(bench.db, done)
    fill(instance, bench.world)
    write(bench.db, bench.world, lambda tx: visits.save_draft(tx, done, instance.document(), 0))
    write(bench.db, bench.world, lambda tx: visits.submit_visit(tx, done, now=NOW))
    bench.session.navigator.go("visit", draft=done)
    bench.until(lambda: bench.screen._stack.currentWidget() is not None)
    from fieldcrm.ui.widgets import EmptyState

    bench.until(lambda: isinstance(bench.screen._stack.currentWidget(), EmptyState))
