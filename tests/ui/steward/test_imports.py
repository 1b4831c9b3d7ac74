"""Importing a file step by step with the keyboard: what is said, what is done, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QFileDialog
from sqlalchemy import select

from fieldcrm.demo import hands
from fieldcrm.store.tables import T
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.shell import MainWindow
from fieldcrm.ui.steward import work
from fieldcrm.ui.steward.imports.desk import RUN, desk_of
from fieldcrm.ui.steward.imports.page import ImportsPage
from fieldcrm.ui.steward.imports.undoing import undone_words
from fieldcrm.ui.widgets import Confirm, EmptyState, InlineMessage
from fieldcrm.usecases import tasks
from fieldcrm.usecases.importing import Undone
from fieldcrm.usecases.longwork import Phase, Progress

Go = Callable[..., Any]
Key = Qt.Key


def until(page: ImportsPage, step: str) -> None:
    hands.wait_until(f"the step {step}", lambda: page.wizard.step == step and not page.desk.busy())


def opened(page: ImportsPage, path: Path) -> None:
    """A file is dropped on the page."""
    hands.drop_files(page, [path])
    until(page, "recognised")


def checked(page: ImportsPage) -> None:
    hands.press(Key.Key_Return, on=page.wizard)
    until(page, "columns")
    hands.press(Key.Key_Return, on=page.wizard)
    until(page, "check")
    hands.wait_until("the check", lambda: page.desk.preview is not None)


def imported(page: ImportsPage) -> None:
    hands.press(Key.Key_Return, on=page.wizard)
    until(page, "done")
    hands.wait_until("the import", lambda: page.desk.result is not None or page.desk.error is not None)


def said(page: Any) -> list[str]:
    """Every line of news that is shown."""
    return [line.text() for line in page.findChildren(InlineMessage) if line.isVisible()]


def one(session: AppSession, name: str) -> Any:
    query = select(T.outlet).where(T.outlet.c.name == name)
    return session.ask(lambda r: r.conn.execute(query).mappings().one_or_none())


def test_a_french_file_becomes_outlets_by_enter_alone(
    page: Go, session: AppSession, french: Path, count: Callable[[], int]
) -> None:
    imports, before = page("imports"), count()
    hands.wait_until("the invitation", lambda: isinstance(imports.state.currentWidget(), EmptyState))
    opened(imports, french)
    assert imports.wizard.recognised.delimiter.currentData() == ";"
    assert imports.wizard.recognised.encoding.currentData() == "cp1252"
    checked(imports)
    tiles = imports.wizard.check.tiles
    assert [tile.accessibleName().partition(".")[0] for tile in tiles.values()] == [
        "New: 4", "Known and changed: 0", "Already the same: 0", "Refused: 1"]
    assert count() == before
    imported(imports)
    assert count() == before + 4 and one(session, "Épicerie Diallo & Fils") is not None
    outlet = one(session, "Monop’ République")
    assert (outlet["store_type"], outlet["postcode"], outlet["lat_e7"]) == ("convenience", "75003", 488_674_000)
    assert outlet["state"] == "prospect" and outlet["provenance"]["*"]["source"] == "magasins"


def test_enter_in_the_checked_rows_imports_and_on_a_button_does_what_it_says(page: Go, french: Path) -> None:
    imports = page("imports")
    opened(imports, french)
    checked(imports)
    hands.press(Key.Key_Return, on=imports.wizard.back_button)
    until(imports, "columns")
    hands.press(Key.Key_Return, on=imports.wizard)
    until(imports, "check")
    hands.wait_until("the check", lambda: imports.desk.preview is not None)
    hands.press(Key.Key_Return, on=imports.wizard.check.table)
    until(imports, "done")
    hands.wait_until("the import", lambda: imports.desk.result is not None or imports.desk.error is not None)
    assert imports.desk.error is None


def test_the_columns_show_the_guess_and_take_another_choice(page: Go, french: Path) -> None:
    imports = page("imports")
    opened(imports, french)
    hands.press(Key.Key_Return, on=imports.wizard)
    table = imports.wizard.columns.table
    shown = [combo.currentText() for combo in table.targets.combos]
    assert shown[:4] == ["Key of the source", "Name", "Banner", "Type of store"]
    assert shown[7:10] == ["Phone", "Latitude (or Y)", "Longitude (or X)"]
    table.chosen.emit(1, "")
    assert table.targets.combos[1].currentText() == "Leave out" and not imports.wizard.next_button.isEnabled()
    assert any("name" in line.lower() for line in said(imports.wizard.columns))
    hands.press(Key.Key_Return, on=imports.wizard)
    assert imports.wizard.step == "columns"
    table.chosen.emit(2, "name")
    assert imports.desk.mapping.targets[1:3] == ("", "name")
    assert imports.wizard.next_button.isEnabled()


def test_a_word_that_nobody_knows_is_translated_once_and_remembered(
    page: Go, session: AppSession, french: Path
) -> None:
    imports = page("imports")
    opened(imports, french)
    hands.press(Key.Key_Return, on=imports.wizard)
    choice = imports.wizard.columns.choices["store_type", "Bazar central"]
    choice.setCurrentIndex(choice.findData("specialist"))
    choice.activated.emit(choice.currentIndex())
    imports.desk.set_target(10, "distributor")
    hands.press(Key.Key_Return, on=imports.wizard)
    hands.wait_until("the check", lambda: imports.desk.preview is not None)
    imported(imports)
    bazaar = one(session, "Épicerie Diallo & Fils")
    assert (bazaar["store_type"], bazaar["distributor"]) == ("specialist", "c")
    hands.press(Key.Key_Return, on=imports.wizard)
    opened(imports, french)
    assert imports.desk.remembered and imports.desk.mapping.targets[10] == "distributor"
    assert "bazar central" in imports.desk.mapping.words["store_type"]
    hands.press(Key.Key_Return, on=imports.wizard)
    assert "The columns are as you settled them for such a file before." in said(imports.wizard.columns)
    imports.desk.forget_mapping()
    assert not imports.desk.remembered and not imports.desk.mapping.words


@pytest.mark.parametrize(("name", "content"), [
    ("empty.csv", b""), ("cut.xlsx", b"PK\x03\x04 and nothing more"),
    ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40),
])  # fmt: skip
def test_a_file_that_cannot_be_read_says_why_in_the_page(
    page: Go, tmp_path: Path, count: Callable[[], int], name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    imports, before = page("imports"), count()
    hands.drop_files(imports, [path])
    hands.wait_until("an answer", lambda: imports.desk.error is not None or imports.desk.opened is not None)
    assert imports.wizard.step == "file" and len(said(imports.wizard.file_step)) == 1
    assert "did not work (" not in said(imports.wizard.file_step)[0]
    hands.press(Key.Key_Escape, on=imports.wizard)
    assert imports.stack.currentIndex() == 0 and count() == before


def test_refused_rows_are_saved_with_their_reasons(
    page: Go, french: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imports, target = page("imports"), tmp_path / "refused.csv"
    opened(imports, french)
    checked(imports)
    imports.wizard.check.show_sort("refused")
    line = imports.wizard.check.model.row(0)
    assert line.row == 5 and line.third
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(target), ""))
    hands.click(imports.wizard.check.save_button)
    hands.wait_until("the file", target.exists)
    saved = target.read_text(encoding="utf-8-sig").splitlines()
    assert saved[0].startswith("Row,Column,Value,Reason") and any(text.startswith("5,") for text in saved)


def test_lambert_93_is_said_and_left_by_one_click(page: Go, tmp_path: Path) -> None:
    path = tmp_path / "lambert.csv"
    path.write_text("nom;x;y\n" + "\n".join(f"Magasin {n};65{n}100,5;686{n}200,5" for n in range(1, 9)), "utf-8")
    imports = page("imports")
    opened(imports, path)
    assert imports.desk.mapping.coordinates == "lambert93"
    line = next(line for line in imports.wizard.recognised.findChildren(InlineMessage) if "Lambert" in line.text())
    line._act()
    assert imports.desk.mapping.coordinates == "wgs84"
    assert imports.wizard.recognised.coordinates.currentData() == "wgs84"


def test_an_import_is_undone_whole_but_for_what_somebody_used(
    page: Go, session: AppSession, french: Path, count: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    imports, before = page("imports"), count()
    opened(imports, french)
    checked(imports)
    imported(imports)
    used = one(session, "Intermarché Nation")["id"]
    session.do(lambda tx: tasks.add_note(tx, used, "Revenir en mai"))
    hands.press(Key.Key_Return, on=imports.wizard)
    history = imports.history
    hands.wait_until("the history", lambda: history.current is not None)
    asked: list[str] = []

    def yes(parent: object, title: str, text: str, *rest: object, **more: object) -> bool:
        asked.append(f"{title} {text}")
        return True

    monkeypatch.setattr(Confirm, "ask", yes)
    hands.click(history.undo_button)
    hands.wait_until("the undo", lambda: history.current is not None and history.current.state == "undone")
    assert "3 outlets that it brought go." in asked[0] and "Intermarché Nation (a note)" in asked[0]
    assert count() == before + 1 and one(session, "Intermarché Nation") is not None
    assert history.current.kept == 1 and not history.undo_button.isVisible()


def test_leaving_asks_only_when_something_would_be_lost(
    page: Go, french: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imports = page("imports")
    asked: list[str] = []
    monkeypatch.setattr(Confirm, "ask", lambda parent, title, *a, **k: bool(asked.append(title)))
    opened(imports, french)
    hands.press(Key.Key_Escape, on=imports.wizard)
    assert asked == [] and imports.stack.currentIndex() == 0
    opened(imports, french)
    imports.desk.change_mapping(source="Metro")
    hands.press(Key.Key_Escape, on=imports.wizard)
    assert asked == ["Leave this import?"] and imports.wizard.step == "recognised"


def test_alt_left_goes_back_a_step_and_keeps_what_was_settled(page: Go, window: MainWindow, french: Path) -> None:
    imports = page("imports")
    opened(imports, french)
    imports.wizard.recognised.source.setText("Metro")
    hands.press(Key.Key_Return, on=imports.wizard)
    assert imports.wizard.step == "columns"
    assert window.table.trigger("go.back")
    assert imports.wizard.step == "recognised" and imports.wizard.recognised.source.text() == "Metro"


def test_the_import_survives_a_change_of_language(
    page: Go, window: MainWindow, session: AppSession, french: Path
) -> None:
    opened(page("imports"), french)
    session.preferences.language = "fr"
    hands.settle(50)
    screen: Any = window.screens["steward"]
    assert screen.page("imports").wizard.step == "recognised"
    assert screen.page("imports").wizard.next_button.text() == "Continuer"


def test_closing_asks_while_an_import_runs_and_stopping_takes_out_what_it_wrote(
    page: Go, window: MainWindow, session: AppSession, tmp_path: Path, count: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path = tmp_path / "many.csv"
    rows = "".join(f"M-{n};Magasin {n};{n} rue du Bac;75007;Paris\n" for n in range(20_000))
    path.write_text("code;nom;adresse;cp;ville\n" + rows, "utf-8")
    imports, before = page("imports"), count()
    opened(imports, path)
    checked(imports)
    hands.press(Key.Key_Return, on=imports.wizard)

    def begun() -> bool:
        running = imports.desk.work.running
        return running is None or running.progress is not None

    hands.wait_until("the first rows", begun)
    assert imports.desk.busy(RUN) and "Importing many.csv" in window.status.words.whole()
    asked: list[str] = []
    monkeypatch.setattr(Confirm, "ask", lambda parent, title, *a, **k: bool(asked.append(title)))
    event = QCloseEvent()
    window.closeEvent(event)
    assert asked == ["Stop and close?"] and not event.isAccepted()
    hands.click(imports.wizard.done.bar.stop_button)
    hands.wait_until("the end", lambda: not imports.desk.busy(), seconds=60)
    assert count() == before and session.under_way == ""
    assert imports.desk.result.stopped and imports.wizard.step == "check"


def test_long_work_is_one_at_a_time_and_told_in_words(session: AppSession) -> None:
    made = work.work_of(session)
    assert work.work_of(session) is made and desk_of(session) is desk_of(session)
    told: list[str] = []

    def slow(tell: Any, stopped: Any) -> None:
        tell(Progress(Phase.WRITING, 0.25, 1000))

    seen: list[Any] = []
    made.changed.connect(lambda: seen.append(made.running))
    assert made.begin("a", "Doing it.", slow, lambda _: told.append("done"), session.messages.error)
    assert not made.begin("b", "Another.", slow, lambda _: None, session.messages.error)
    assert session.under_way == "Doing it."
    hands.wait_until("the end", lambda: told == ["done"])
    running = next(state for state in seen if state is not None and state.progress is not None)
    assert work.progress_words(running) == "25% · 1,000 rows"
    assert session.under_way == ""


def test_an_undo_says_what_stayed() -> None:
    assert undone_words(Undone(removed=12, kept=1)) == (
        "12 outlets were taken out and 1 stays, since somebody had used it.")
    assert undone_words(Undone(3, 0, 2, 1)) == (
        "3 outlets were taken out, 2 were put back as they were and 1 update was withdrawn.")


def test_the_country_is_shown_and_another_one_holds_for_lines_that_do_not_say(
    page: Go, session: AppSession, french: Path
) -> None:
    imports = page("imports")
    opened(imports, french)
    chosen = imports.wizard.recognised.country
    usual = chosen.currentData()
    other = "RE" if usual != "RE" else "FR"
    chosen.setCurrentIndex(chosen.findData(other))
    chosen.activated.emit(chosen.currentIndex())
    checked(imports)
    imported(imports)
    made = one(session, "Épicerie Diallo & Fils")
    assert (made["country"], made["zone"]) == (other, "Indian/Reunion" if other == "RE" else "Europe/Paris")
