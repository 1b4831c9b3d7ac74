"""Deciding on what a newer file says: by key, many at once, and taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from sqlalchemy import select

from fieldcrm.demo import hands
from fieldcrm.store.database import Database
from fieldcrm.store.tables import T
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.shell import MainWindow
from fieldcrm.ui.steward.updates.listing import described
from fieldcrm.ui.widgets import Badge, Confirm, EmptyState
from fieldcrm.usecases import feeds, importing, outlets
from fieldcrm.usecases.importing import Defaults
from tests.ui.steward.conftest import FRENCH
from tests.world import World

Go = Callable[..., Any]
Key = Qt.Key
NEWER = (
    FRENCH.replace("Carrefour Market Gambetta", "Carrefour City Gambetta")
    .replace("01 42 72 18 90", "01 42 72 00 00")
    .replace("48,8742;2,3873", "48,8790;2,3890")
    + "M-9;Lidl Ménilmontant;Lidl;Supermarché;8 rue Oberkampf;75011;Paris;;48,8650;2,3720;f\n"
)


@pytest.fixture
def waiting(db: Database, world: World, now: datetime, tmp_path: Path) -> None:
    """Two imports of one source; between them somebody entered another telephone at Monop'."""

    def bring(text: str) -> None:
        path = tmp_path / "metro.csv"
        path.write_text(text, encoding="utf-8")
        opened = feeds.open_file(path)
        columns = replace(opened.suggestion, source="Metro", licence="Licence Ouverte 2.0")
        feed = feeds.feed(opened, columns, zone="Europe/Paris", country="FR")
        importing.run_import(db, feed, Defaults(world.sector), actor=world.manager, clock=lambda: now)

    bring(FRENCH)
    with db.read() as r:
        monop = r.conn.execute(select(T.outlet.c.id).where(T.outlet.c.name == "Monop’ République")).scalar_one()
    db.write(
        lambda tx: outlets.edit_outlet(tx, monop, {"phone": "01 42 72 99 99"}), actor=world.manager, now=now).result()
    bring(NEWER)


def shown(page: Any) -> list[tuple[str, str]]:
    rows = [page.list.updates.row(at) for at in range(page.list.updates.rowCount())]
    return [(row.kind, row.outlet_name) for row in rows]


def ready(page: Any, many: int) -> Any:
    hands.wait_until(f"{many} updates", lambda: page.list.updates.rowCount() == many and page.panel.isVisible())
    return page


def value(session: AppSession, field: str, like: str) -> Any:
    query = select(T.outlet.c[field]).where(T.outlet.c.name.like(like))
    return session.ask(lambda r: r.conn.execute(query).scalar_one_or_none())


def test_what_waits_is_counted_in_the_rail_and_by_kind(waiting: None, page: Go, session: AppSession) -> None:
    updates = ready(page("updates"), 4)
    assert shown(updates) == [
        ("renamed", "Carrefour Market Gambetta"), ("moved", "Épicerie Diallo & Fils"), ("opened", "Lidl Ménilmontant"),
        ("details", "Monop’ République"),
    ]  # fmt: skip
    hands.wait_until("the count", lambda: session.counts.get("steward", 0) >= 4)
    assert [kind for kind, chip in updates.filters.kinds.items() if chip.isVisible()] == [
        "opened", "moved", "renamed", "details"]
    hands.click(updates.filters.kinds["moved"])
    hands.wait_until("the moved ones", lambda: shown(updates) == [("moved", "Épicerie Diallo & Fils")])
    assert "550" in described(updates.list.updates.row(0)).subtitle


def test_a_accepts_z_takes_back_and_r_refuses(
    waiting: None, page: Go, window: MainWindow, session: AppSession
) -> None:
    updates = ready(page("updates"), 4)
    hands.activate(window)
    updates.list.setFocus()
    hands.press(Key.Key_A, on=updates.list)
    hands.wait_until("the new name", lambda: value(session, "name", "Carrefour City%") is not None)
    hands.wait_until("the list", lambda: len(shown(updates)) == 3)
    assert window.message.text() == "Accepted: Carrefour Market Gambetta."
    hands.press(Key.Key_Z, on=updates.list)
    hands.wait_until("the name before", lambda: value(session, "name", "Carrefour Market%") is not None)
    hands.wait_until("the list", lambda: len(shown(updates)) == 4)
    updates.list.select_row(0)
    hands.press(Key.Key_J, on=updates.list)
    assert updates.list.currentIndex().row() == 1
    before = value(session, "lat_e7", "Épicerie Diallo%")
    hands.press(Key.Key_R, on=updates.list)
    hands.wait_until("the list", lambda: len(shown(updates)) == 3)
    assert value(session, "lat_e7", "Épicerie Diallo%") == before
    updates.filters.which._choose("decided")
    hands.wait_until("the decided ones", lambda: shown(updates) == [("moved", "Épicerie Diallo & Fils")])


def test_what_somebody_entered_is_named_before_it_is_overwritten(
    waiting: None, page: Go, session: AppSession
) -> None:
    updates = ready(page("updates"), 4)
    updates.list.select_row(3)
    hands.wait_until("the details", lambda: updates._front is not None and updates._front.proposal.kind == "details")

    def said() -> list[str]:
        return [badge.text() for badge in updates.panel.findChildren(Badge) if badge.isVisible()]

    hands.wait_until("the panel to be shown", lambda: bool(said()))
    assert "confirmed by Dominique Vasseur on 20 Nov" in said()
    assert described(updates.list.updates.row(3)).badge == "Confirmed"
    hands.click(updates.filters.written)
    hands.wait_until("only that", lambda: shown(updates) == [("details", "Monop’ République")])
    hands.click(updates.panel.accept_button)
    hands.wait_until("the telephone", lambda: value(session, "phone", "Monop%") == "01 42 72 00 00")


def test_all_at_once_with_a_way_back(
    waiting: None, page: Go, window: MainWindow, session: AppSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Confirm, "ask", lambda *a, **k: True)
    updates = ready(page("updates"), 4)
    assert updates.accept_all_button.text() == "Accept all 4 updates"
    hands.click(updates.accept_all_button)
    hands.wait_until("the end", lambda: isinstance(updates.state.currentWidget(), EmptyState))
    assert value(session, "name", "Lidl%") and value(session, "phone", "Monop%") == "01 42 72 00 00"
    assert "4 updates accepted." in window.message.text()
    window.message._act()
    hands.wait_until("all back", lambda: len(shown(updates)) == 4 and not updates.bar.busy)
    assert value(session, "name", "Lidl%") is None and value(session, "phone", "Monop%") == "01 42 72 99 99"


def test_several_are_chosen_and_refused_together(waiting: None, page: Go, session: AppSession) -> None:
    updates = ready(page("updates"), 4)
    updates.list.selectAll()
    assert updates.refuse_chosen.isVisible() and updates.refuse_chosen.text() == "Refuse 4"
    hands.click(updates.refuse_chosen)
    hands.wait_until("none", lambda: isinstance(updates.state.currentWidget(), EmptyState))
    assert value(session, "name", "Lidl%") is None


def test_when_nothing_waits_the_page_says_so_and_leads_to_the_imports(page: Go, session: AppSession) -> None:
    updates = page("updates")
    hands.wait_until("the empty state", lambda: isinstance(updates.state.currentWidget(), EmptyState))
    hands.press(Key.Key_Space, on=updates.state.currentWidget().focusProxy())
    assert session.navigator.here is not None and session.navigator.here.params == {"page": "imports"}
