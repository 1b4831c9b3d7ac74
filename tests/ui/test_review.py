"""The manager's screen on real records: figures that open down, the queue, and decisions by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from pypdf import PdfReader
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMainWindow
from pytestqt.qtbot import QtBot
from sqlalchemy import delete, insert, select, update

from fieldcrm import words
from fieldcrm.domain.metrics import Figure, Interval, Universe
from fieldcrm.domain.review import Remark
from fieldcrm.domain.submission import ReportState
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.tables import T
from fieldcrm.ui import report_words, theme
from fieldcrm.ui.actions import ActionTable
from fieldcrm.ui.appsession import AppSession, Identity
from fieldcrm.ui.day_report import write_day_report
from fieldcrm.ui.navigator import Place
from fieldcrm.ui.preferences import Preferences
from fieldcrm.ui.review import ReviewScreen, queue_page
from fieldcrm.ui.review.export import store_table
from fieldcrm.ui.widgets import Button, EmptyState, Text
from fieldcrm.usecases import review
from fieldcrm.usecases.figures import StoreBehind
from tests.reviewing import Sector

LINES: dict[str, tuple[Any, ...]] = {"tea": ("present", 6, 300), "oil": ("oos",), "rival": ("present", 6)}


@pytest.fixture(params=["en", "fr"])
def spoken(request: pytest.FixtureRequest) -> Iterator[str]:
    words.set_language(request.param)
    yield request.param
    words.set_language("en")


@pytest.fixture
def sector(db: Database, now: datetime) -> Sector:
    return Sector(db, now)


@pytest.fixture
def session(qtbot: QtBot, sector: Sector, now: datetime, tmp_path: Path) -> Iterator[AppSession]:
    words.set_language("en")
    theme.apply("light")
    made = AppSession(
        sector.db, sector.manager, clock=lambda: now, photos=PhotoStore(tmp_path / "photos", bytes(32)),
        preferences=Preferences(tmp_path / "preferences"), identity=Identity("Maud", "North & Co"),
    )
    yield made
    made.tasks.stop()


PATIENCE = 20_000  # ms: the machine may be busy with other tests
Open = Callable[..., ReviewScreen]


@pytest.fixture
def shown(qtbot: QtBot, session: AppSession) -> Iterator[Open]:
    """The screen in a window, led by the navigator, as the shell does."""
    kept: list[QMainWindow] = []  # qtbot holds its widgets weakly

    def show(**params: Any) -> ReviewScreen:
        screen, window = ReviewScreen(session), QMainWindow()
        kept.append(window)
        window.setCentralWidget(screen)
        window.resize(1200, 800)
        qtbot.addWidget(window)
        table = ActionTable(window)
        table.register(screen.actions(), "review")
        table.bring_to_front("review")

        def moved(place: Place) -> None:
            if place.route == "review":
                screen.open(**place.params)

        session.navigator.moved.connect(moved)
        session.changed.connect(screen.refresh)
        window.show()
        window.activateWindow()
        session.navigator.go("review", **params)
        return screen

    yield show
    kept.clear()


def _reports(qtbot: QtBot, shown: Open) -> ReviewScreen:
    screen = shown(view="reports")
    qtbot.waitUntil(lambda: screen.queue.view.report is not None, timeout=PATIENCE)
    return screen


def _state(sector: Sector, id: Any) -> ReportState:
    with sector.db.read() as r:
        return review.item_of(r, id).state


def test_without_records_it_says_what_to_do(qtbot: QtBot, shown: Open) -> None:
    screen = shown()
    qtbot.waitUntil(lambda: isinstance(screen.figures_state.currentWidget(), EmptyState), timeout=PATIENCE)
    [offer] = screen.figures_state.currentWidget().findChildren(Button)
    offer.click()
    assert screen.filters.span.currentData() == "last_13_weeks"


def test_tiles_say_value_and_n_of_n(qtbot: QtBot, sector: Sector, shown: Open) -> None:
    sector.report("corner", LINES)
    screen = shown()
    qtbot.waitUntil(lambda: bool(screen.figures.tiles), timeout=PATIENCE)
    tiles = {tile.figure.code: tile.accessibleName() for tile in screen.figures.tiles}
    assert "50%" in tiles["out_of_stock"] and "1 of 4 stores seen" in tiles["out_of_stock"]
    assert "real value probably" in tiles["out_of_stock"]
    assert "1 of 4 stores" in tiles["coverage"]


def test_a_figure_opens_down_to_its_stores_and_a_store_to_its_report(
    qtbot: QtBot, sector: Sector, session: AppSession, shown: Open
) -> None:
    report = sector.report("corner", LINES)
    screen = shown()
    qtbot.waitUntil(lambda: bool(screen.figures.tiles), timeout=PATIENCE)
    tile = next(tile for tile in screen.figures.tiles if tile.figure.code == "out_of_stock")
    QTest.keyClick(tile, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(screen.stores.rows()), timeout=PATIENCE)
    assert [row.name for row in screen.stores.rows()] == ["Corner", "Market", "Plaza", "Quay"]
    assert screen.crumbs.steps == ["Figures", "Out of stock"]
    QTest.keyClick(screen.stores.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: screen.queue.view.report is not None, timeout=PATIENCE)
    assert screen.queue.current() == report
    assert screen.crumbs.steps == ["Figures", "Out of stock", "Corner"]
    session.navigator.back()
    assert session.navigator.here == Place("review", {"code": "out_of_stock"})


def test_a_store_that_was_not_seen_opens_its_card(
    qtbot: QtBot, sector: Sector, session: AppSession, shown: Open
) -> None:
    sector.report("corner", LINES)
    screen = shown(code="distribution_held", product=sector.id("tea"))
    qtbot.waitUntil(lambda: bool(screen.stores.rows()), timeout=PATIENCE)
    screen.stores.which.chosen.emit("unseen")
    screen.stores.opened.emit(next(row for row in screen.stores.rows() if row.state == "unseen"))
    assert session.navigator.here is not None and session.navigator.here.route == "outlet"


def test_a_approves_and_the_next_report_comes(qtbot: QtBot, sector: Sector, shown: Open) -> None:
    odd = sector.report("corner", LINES, photos=())
    plain = sector.report("market", LINES)
    screen = _reports(qtbot, shown)
    assert screen.queue.current() == odd
    QTest.keyClick(screen.window(), Qt.Key.Key_A)
    qtbot.waitUntil(lambda: screen.queue.current() == plain, timeout=PATIENCE)
    assert _state(sector, odd) is ReportState.APPROVED


def test_z_takes_the_last_decision_back(qtbot: QtBot, sector: Sector, shown: Open) -> None:
    report = sector.report("corner", LINES)
    screen = _reports(qtbot, shown)
    QTest.keyClick(screen.window(), Qt.Key.Key_A)
    qtbot.waitUntil(lambda: _state(sector, report) is ReportState.APPROVED, timeout=PATIENCE)
    qtbot.waitUntil(lambda: screen.queue.current() is None, timeout=PATIENCE)
    QTest.keyClick(screen.window(), Qt.Key.Key_Z)
    qtbot.waitUntil(lambda: screen.queue.current() == report, timeout=PATIENCE)
    assert _state(sector, report) is ReportState.SUBMITTED


def test_j_and_k_walk_the_queue(qtbot: QtBot, sector: Sector, shown: Open) -> None:
    first, second = sector.report("corner", LINES, days_ago=3), sector.report("market", LINES, photos=("b",))
    screen = _reports(qtbot, shown)
    assert screen.queue.current() == first
    QTest.keyClick(screen.window(), Qt.Key.Key_J)
    qtbot.waitUntil(lambda: screen.queue.current() == second, timeout=PATIENCE)
    QTest.keyClick(screen.window(), Qt.Key.Key_K)
    qtbot.waitUntil(lambda: screen.queue.current() == first, timeout=PATIENCE)


def test_a_return_asks_for_a_reason_in_the_page_and_keeps_the_note(
    qtbot: QtBot, sector: Sector, shown: Open
) -> None:
    report = sector.report("corner", LINES)
    screen = _reports(qtbot, shown)
    bar = screen.queue.bar
    QTest.keyClick(screen.window(), Qt.Key.Key_R)
    assert bar.panel.isVisible()
    bar.note.setPlainText("Second shelf?")
    bar.send_button.click()
    assert bar.panel.isVisible() and bar.note.toPlainText() == "Second shelf?"
    assert _state(sector, report) is ReportState.SUBMITTED
    bar.chips["facings_to_check"].click()
    QTest.keyClick(bar.note, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: _state(sector, report) is ReportState.RETURNED, timeout=PATIENCE)
    qtbot.waitUntil(lambda: not bar.panel.isVisible(), timeout=PATIENCE)


def test_typing_a_note_never_decides(qtbot: QtBot, sector: Sector, shown: Open) -> None:
    report = sector.report("corner", LINES)
    screen = _reports(qtbot, shown)
    screen.ask_return()
    screen.queue.bar.note.setFocus()
    QTest.keyClicks(screen.queue.bar.note, "a jar, zero")
    assert screen.queue.bar.note.toPlainText() == "a jar, zero"
    assert _state(sector, report) is ReportState.SUBMITTED


def test_a_rep_reads_and_does_not_decide(qtbot: QtBot, sector: Sector, session: AppSession, shown: Open) -> None:
    sector.report("corner", LINES)
    session.actor = sector.rep
    screen = _reports(qtbot, shown)
    assert not screen.queue.bar.approve_button.isVisible()
    assert not screen.queue.bar.return_button.isVisible()


def test_picked_lines_are_what_the_question_is_about(qtbot: QtBot, sector: Sector, shown: Open) -> None:
    sector.report("corner", LINES)
    screen = _reports(qtbot, shown)
    [table] = screen.queue.view.tables
    table.selectRow(1)
    assert screen.queue.view.selected_products() == [sector.id("oil")]


def test_a_photo_opens_zooms_and_closes_by_keyboard(
    qtbot: QtBot, sector: Sector, session: AppSession, shown: Open, tmp_path: Path
) -> None:
    Image.new("RGB", (800, 600), "teal").save(tmp_path / "shelf.jpg")
    sha256 = session.photos.put((tmp_path / "shelf.jpg").read_bytes())
    report = sector.report("corner", LINES, photos=())
    with sector.db.read() as r:
        visit = review.item_of(r, report).report.visit_id
    sector.add("attachment", submission_id=report, visit_id=visit, outlet_id=sector.id("corner"), node="/photos/a",
               sha256=sha256, size=1000, mime="image/jpeg")
    screen = _reports(qtbot, shown)
    screen.queue.view.open_photo(0)
    viewer = screen.queue.view.viewer
    assert viewer is not None
    QTest.keyClick(viewer, Qt.Key.Key_Plus)
    assert viewer.zoom > 1
    QTest.keyClick(viewer, Qt.Key.Key_Escape)
    assert screen.queue.view.viewer is None


def test_a_row_says_whose_device_still_holds_its_photos_until_they_have_come(
    qtbot: QtBot, sector: Sector, shown: Open
) -> None:
    sector.report("corner", LINES)
    _queue_photos(sector, "not_there_yet")
    screen = _reports(qtbot, shown)
    [item] = screen.queue._items.values()
    assert queue_page._describe(item).subtitle.startswith("1 photo still on Asha’s device · ")
    said = [text.text() for text in screen.queue.view.findChildren(Text)]
    assert "1 photo still on Asha’s device" in said and "received at headquarters" not in said
    _queue_photos(sector, None)
    with sector.db.read() as r:
        assert review.item_of(r, item.report.submission_id).report.photos_away == 0


def _queue_photos(sector: Sector, problem: str | None) -> None:
    """The photos of all reports as a manager's device has them: asked for, and there or not."""

    def work(tx: Transaction) -> None:
        with tx.uncaptured():
            tx.conn.execute(delete(T.blob_queue))
            tx.conn.execute(update(T.submission).values(rev=1))
            for sha, size in tx.conn.execute(select(T.attachment.c.sha256, T.attachment.c.size).distinct()).all():
                tx.conn.execute(insert(T.blob_queue).values(
                    sha256=sha, size=size, mime="image/jpeg", direction="down", tries=1, problem=problem,
                    state="waiting" if problem else "verified", added_at=sector.now))

    sector.db.write(work, actor=sector.manager, now=sector.now).result()


def test_a_photo_that_is_not_here_says_so(qtbot: QtBot, sector: Sector, shown: Open) -> None:
    sector.report("corner", LINES)
    screen = _reports(qtbot, shown)
    from fieldcrm.ui.widgets.photos import PhotoThumb

    [thumb] = screen.queue.view.findChildren(PhotoThumb)
    assert "not yet at headquarters" in thumb.accessibleName()
    assert thumb.grab().toImage().pixelColor(QPoint(20, 20)).name() == theme.current().color.sunken


def test_the_figures_are_exported_with_their_counts(
    qtbot: QtBot, sector: Sector, shown: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sector.report("corner", LINES)
    screen = shown()
    qtbot.waitUntil(lambda: bool(screen.figures.shown_products()), timeout=PATIENCE)
    monkeypatch.setattr("fieldcrm.ui.review.screen.ask_path", lambda *_: tmp_path / "figures.csv")
    screen.export()
    lines = (tmp_path / "figures.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[1].startswith("Tea,Ours,Grocery,1,4,1,1,0,100.0,")
    assert lines[1].endswith(",those that list it")


def test_stores_behind_a_figure_are_exported_as_a_spreadsheet_reads_them(spoken: str) -> None:
    late = datetime(2026, 11, 19, 22, 30, tzinfo=UTC)  # 23:30 in Paris
    known: dict[str, Any] = {"at": late, "zone": "Europe/Paris", "submission_id": uuid4(), "reviewer": "Maud"}
    stores = [
        StoreBehind(uuid4(), "price", "Corner", "Lyon", part=1299.0, whole=999.0, decision="approved", product="Tea",
                    **known),
        StoreBehind(uuid4(), "counted", "Market", "Lyon", part=2.0, whole=30.0, **{**known, "reviewer": None}),
        StoreBehind(uuid4(), "skipped", "Plaza", "Lyon", reason="closed"),
    ]
    priced = store_table(stores[:1])
    assert len(priced[0]) == len(priced[1][0]) and priced[1][0][2] == "Tea"
    price = [cell for at, cell in enumerate(priced[1][0]) if at != 2]
    counted, skipped = store_table(stores[1:])[1]
    assert price[3:8] == {
        "en": ["12.99", "9.99", "2026-11-19 23:30", "Approved", "Maud"],
        "fr": ["12,99", "9,99", "2026-11-19 23:30", "Validé", "Maud"],
    }[spoken]
    assert (counted[3:5], bool(counted[6]), counted[7]) == (["2", "30"], True, "")
    assert skipped[5:8] == ["", "", ""] and skipped[8] == {"en": "closed", "fr": "fermé"}[spoken]


def test_a_price_alert_names_its_product_its_day_and_the_tolerance(
    qtbot: QtBot, sector: Sector, shown: Open
) -> None:
    sector.report("corner", {"tea": ("present", 6, 400)})
    screen = shown(code="price_alerts")
    qtbot.waitUntil(lambda: bool(screen.stores.rows()), timeout=PATIENCE)
    table = screen.stores.table
    shown_columns = [at for at in range(table.model().columnCount()) if not table.isColumnHidden(at)]
    cells = [table.model().index(0, at).data() for at in shown_columns]
    assert cells[:3] == ["Corner", "Tea", "€4.00, ref. €3.00"] and "Nov" in cells[3]
    assert "Tolerance: 10%." in screen.stores._base.text()


def test_an_exported_file_is_named_after_what_it_holds_and_its_days(
    qtbot: QtBot, sector: Sector, shown: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    sector.report("corner", LINES)
    screen = shown(code="out_of_stock")
    qtbot.waitUntil(lambda: bool(screen.stores.rows()), timeout=PATIENCE)
    offered: list[str] = []

    def give_up(*asked: Any) -> tuple[str, str]:
        offered.append(asked[2])
        return "", ""

    monkeypatch.setattr("fieldcrm.ui.review.export.QFileDialog.getSaveFileName", give_up)
    screen.export()
    first = sector.now.date() - timedelta(days=27)
    assert offered == [f"Out of stock {first} {sector.now.date()}.xlsx"]


def test_every_sentence_is_translated(spoken: str) -> None:
    remarks = [
        Remark("short", 1, {"minutes": 3, "usual": 30}), Remark("far", 1, {"distance_m": 900}),
        Remark("photo_missing", 1, {"got": 0, "due": 1}), Remark("photo_reused", 1, {"place": "Corner", "count": 1}),
        Remark("price_far", 1, {"product": "Tea", "seen_minor": 990, "reference_minor": 299, "count": 2}),
        Remark("facings_jump", 1, {"product": "Tea", "before": 3, "now": 30, "count": 1}),
        Remark("all_confirmed", 1, {"lines": 30}),
    ]
    for remark in remarks:
        title, text = report_words.remark(remark)
        assert title != remark.code and text and "{" not in text


def test_the_sentence_of_a_figure_reads_as_the_trade_wants_it(spoken: str) -> None:
    figure = Figure("distribution_held", 0.62, 89, 143, 143, 180, Universe.LISTING_STORES, Interval(0.585, 0.658))
    said = report_words.in_words(figure)
    expected = {
        "en": "62% — 143 of 180 stores seen, real value probably 58 to 66%",
        "fr": "62\u00a0% — 143 magasins vus sur 180, valeur réelle probablement entre 58 et 66\u00a0%",
    }
    assert said.startswith(expected[spoken])


def _page_text(page: Any) -> str:
    return " ".join(page.extract_text().split())


def test_the_day_report_is_a_pdf_with_the_day_in_it(sector: Sector, session: AppSession, tmp_path: Path) -> None:
    today = sector.now.date()
    sector.plan({"corner": "done", "market": "skipped"}, today)
    sector.report("corner", LINES, days_ago=0.1)
    made = write_day_report(session, today, tmp_path / "day.pdf", "fr", person_id=sector.id("asha"))
    text = " ".join(_page_text(page) for page in PdfReader(tmp_path / "day.pdf").pages)
    assert made.done == 1
    missing = [said for said in ("Rapport de journée", "Asha Roche", "Corner", "Oil", "Market", "fermé",
                                 "Page 1 sur 1", "North & Co") if said not in text]
    assert missing == []
    assert words.language() == "en"


def test_a_long_day_goes_on_over_numbered_pages(sector: Sector, session: AppSession, tmp_path: Path) -> None:
    for number in range(40):
        sector.visit("corner", days_ago=0.2 - number / 400, minutes=1)
    write_day_report(session, sector.now.date(), tmp_path / "day.pdf", person_id=sector.id("asha"))
    pages = PdfReader(tmp_path / "day.pdf").pages
    assert len(pages) > 1
    assert f"Page {len(pages)} sur {len(pages)}" in _page_text(pages[-1])
