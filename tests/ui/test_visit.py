from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from sqlalchemy import select

from fieldcrm import words
from fieldcrm.domain.errors import DomainError
from fieldcrm.store.database import Database
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.tables import T
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.navigator import Place
from fieldcrm.ui.preferences import Preferences
from fieldcrm.ui.visit import VisitScreen
from fieldcrm.ui.visit.drafts_page import DraftsPage
from fieldcrm.ui.visit.editor import DraftEditor
from fieldcrm.ui.visit.grid_model import Checked
from fieldcrm.ui.visit.grid_page import GridPage
from fieldcrm.ui.visit.group_page import GroupPage
from fieldcrm.ui.visit.photo_field import MAX_AT_ONCE, PhotoField
from fieldcrm.ui.visit.report_page import ReportPage
from fieldcrm.ui.widgets import Confirm
from fieldcrm.usecases import visits
from tests.conftest import KEY, NOW
from tests.usecases.photos import jpeg
from tests.usecases.test_visits import fill, instance_of, submitted, write
from tests.world import World

Key = Qt.Key


class Bench:
    """The visit screen on a real database, with a clock that a test can turn."""

    def __init__(self, qtbot: QtBot, db: Database, world: World) -> None:
        self.qtbot, self.db, self.world = qtbot, db, world
        self.now = NOW
        self.places: list[Place] = []
        self.said: list[str] = []
        self.session = AppSession(
            db, world.rep, clock=lambda: self.now, photos=PhotoStore(db.folder / "photos", KEY),
            preferences=Preferences(db.folder))
        self.screen = VisitScreen(self.session)
        qtbot.addWidget(self.screen)
        self.session.navigator.moved.connect(self._moved)
        self.session.changed.connect(self.screen.refresh)
        self.session.messages.posted.connect(lambda message: self.said.append(message.text))
        self.screen.resize(900, 640)
        with qtbot.waitActive(self.screen):
            self.screen.show()
            self.screen.activateWindow()

    def _moved(self, place: Place) -> None:
        self.places.append(place)
        if place.route == "visit":
            self.screen.open(**place.params)

    @property
    def editor(self) -> DraftEditor:
        editor = self.screen.editor
        assert editor is not None
        return editor

    @property
    def grid(self) -> GridPage:
        page = self.editor.pages[0]
        assert isinstance(page, GridPage)
        return page

    def begin(self, outlet: int = 0) -> None:
        self.session.navigator.go("visit", outlet=self.world.outlets[outlet])
        self.until(lambda: self.screen.editor is not None)
        self.grid.view.setFocus()

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=8000)

    def tap(self, *keys: Any) -> None:
        """Press keys one after another on what has the focus, as a person does."""
        for key in keys:
            QTest.keyClick(self.screen.focusWidget() or self.grid.view, key)
            QApplication.processEvents()

    def row(self, number: int) -> str:
        return f"/shelf/line[{self.world.products[number].hex}]"

    def answers(self, number: int) -> tuple[str, str, str, str]:
        get = self.editor.recording.get
        row = self.row(number)
        return get(row + "/state"), get(row + "/facings"), get(row + "/price"), get(row + "/basis")

    def saved(self) -> None:
        """Wait until the draft on the disk holds what the screen shows."""
        draft, live = self.editor.recording.draft_id, self.editor.recording.instance.document()

        def there() -> bool:
            with self.db.read() as r:
                return bool(visits.open_draft(r, draft).draft.answers == live)

        self.until(there)


@pytest.fixture
def bench(qtbot: QtBot, db: Database, world: World) -> Iterator[Bench]:
    theme.apply("light")
    words.set_language("en")
    made = Bench(qtbot, db, world)
    yield made
    made.screen.leaving()
    made.session.tasks.stop()
    words.set_language("en")


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


def add_photos(bench: Bench, many: int) -> None:
    path = "/photos/shelf_photos"
    for number in range(many):
        bench.editor.recording.add_photo(path, jpeg(number, (2400, 1800), place=(48.8611, 2.346)))
    bench.until(lambda: len(bench.editor.recording.photos(path)) == many)


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


def test_photos_come_from_files_the_clipboard_and_a_drop_and_can_be_taken_away(bench: Bench, tmp_path: Path) -> None:
    bench.begin()
    bench.editor.go(2)
    page = bench.editor.pages[2]
    assert isinstance(page, GroupPage)
    field = page.fields["/photos/shelf_photos"].editor.field  # type: ignore[union-attr]
    file = tmp_path / "shelf.jpg"
    file.write_bytes(jpeg(1))
    field._choosing = lambda _parent: [str(file)]
    field.choose()
    bench.until(lambda: len(field.frames) == 1)
    image = QImage(300, 200, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.darkGreen)
    QGuiApplication.clipboard().setImage(image)
    field.paste()
    bench.until(lambda: len(field.frames) == 2)
    dropped = QMimeData()
    other = tmp_path / "other.jpg"
    other.write_bytes(jpeg(2))
    dropped.setUrls([QUrl.fromLocalFile(str(other))])
    assert field._add_mime(dropped)
    bench.until(lambda: len(field.frames) == 3)
    gone = field.frames[1].photo.sha256
    field.frames[1].cross.click()
    bench.until(lambda: len(field.frames) == 2 and not bench.session.photos.has(gone))


def test_a_file_that_is_no_photo_is_said_so_and_nothing_is_lost(bench: Bench, tmp_path: Path) -> None:
    bench.begin()
    bench.editor.go(2)
    bench.editor.recording.add_photo("/photos/shelf_photos", b"%PDF-1.7")
    bench.until(lambda: bench.editor.message.text() == "This file is not a photo.")
    assert bench.editor.recording.photos("/photos/shelf_photos") == []


def test_more_photos_at_once_than_are_taken_is_said(bench: Bench, tmp_path: Path) -> None:
    bench.begin()
    bench.editor.go(2)
    field = next(field for field in bench.editor.findChildren(PhotoField) if field.path == "/photos/shelf_photos")
    (tmp_path / "one.jpg").write_bytes(b"%PDF-1.7")
    said: list[DomainError] = []
    bench.editor.recording.failed.connect(said.append)
    field.add_files([str(tmp_path / "one.jpg")] * (MAX_AT_ONCE + 3))
    assert said[0].code == "photos_too_many_at_once"
    assert said[0].params == {"most": MAX_AT_ONCE, "chosen": MAX_AT_ONCE + 3}


def test_throwing_a_draft_away_asks_first_and_takes_its_photos_with_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.begin()
    bench.editor.go(2)
    add_photos(bench, 1)
    monkeypatch.setattr(Confirm, "ask", classmethod(lambda cls, *args, **more: False))
    bench.screen.discard()
    assert bench.screen.editor is not None
    monkeypatch.setattr(Confirm, "ask", classmethod(lambda cls, *args, **more: True))
    bench.screen.discard()
    bench.until(lambda: Place("today", {}) in bench.places)
    assert list(bench.session.photos.names()) == []
    with bench.db.read() as r:
        assert visits.drafts(r) == ()


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


def test_a_photo_that_was_still_being_prepared_when_the_window_closed_is_there_again(bench: Bench) -> None:
    bench.begin()
    draft = bench.editor.recording.draft_id
    bench.editor.recording.add_photo("/photos/shelf_photos", jpeg(4, (3000, 2000)))
    time.sleep(0.1)
    bench.session.tasks.stop()  # waits for what has begun; what it brings home is no longer heard
    _, before = instance_of(bench.db, draft)
    assert before.get("/photos/shelf_photos") == ""
    from fieldcrm.ui.visit.recording import Recording

    with bench.db.read() as r:
        again = Recording(bench.session, visits.open_draft(r, draft))
    assert len(again.photos("/photos/shelf_photos")) == 1


def test_sending_waits_for_photos_that_are_on_their_way(bench: Bench) -> None:
    bench.begin()
    bench.tap("r")
    bench.editor.recording.set("/photos/no_photo", "other")
    bench.editor.recording.add_photo("/photos/other_photos", jpeg(4, (3000, 2000)))
    bench.editor.go_check()
    bench.editor.send()
    bench.until(lambda: Place("today", {}) in bench.places)
    with bench.db.read() as r:
        assert len(r.conn.execute(select(T.attachment)).all()) == 1


def test_a_photo_that_cannot_be_kept_stops_the_sending_that_waited_for_it(bench: Bench) -> None:
    bench.begin()
    bench.tap("r")
    bench.editor.recording.set("/photos/no_photo", "other")
    bench.editor.recording.add_photo("/photos/other_photos", b"%PDF-1.7")
    bench.editor.go_check()
    bench.editor.send()
    bench.until(lambda: bench.editor.message.text() == "This file is not a photo.")
    bench.until(lambda: bench.editor.check.send.isEnabled())
    with bench.db.read() as r:
        assert r.conn.execute(select(T.submission)).all() == []
