"""Work off the UI thread comes home to it; writes are announced; errors have one place to go."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from PySide6.QtCore import QObject
from sqlalchemy import insert, select

from fieldcrm.domain.changes import Changes
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import new_id
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.tables import T
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import Message
from fieldcrm.ui.tasks import Tasks


def test_a_result_arrives_on_the_thread_of_the_screens(qtbot: Any) -> None:
    tasks, seen = Tasks(), []
    tasks.run(threading.current_thread, lambda worker: seen.append((worker, threading.current_thread())))
    qtbot.waitUntil(lambda: bool(seen))
    worker, home = seen[0]
    assert worker is not threading.main_thread() and home is threading.main_thread()
    tasks.stop()


def test_an_error_goes_to_the_one_who_asked(qtbot: Any) -> None:
    tasks, seen = Tasks(), []

    def fail() -> None:
        raise DomainError("outlet_unknown")

    tasks.run(fail, failed=seen.append)
    qtbot.waitUntil(lambda: bool(seen))
    assert isinstance(seen[0], DomainError)
    tasks.stop()


def test_a_widget_that_is_gone_is_not_called(qtbot: Any) -> None:
    class Screen(QObject):
        called = False

        def show(self, value: int) -> None:
            Screen.called = True

    from shiboken6 import delete

    tasks, screen, seen = Tasks(), Screen(), []
    gate = threading.Event()
    tasks.run(gate.wait, screen.show)
    delete(screen)
    gate.set()
    tasks.run(lambda: 1, seen.append)
    qtbot.waitUntil(lambda: bool(seen))
    assert not Screen.called
    tasks.stop()


def test_after_the_stop_nothing_arrives(qtbot: Any) -> None:
    tasks, seen = Tasks(), []
    tasks.run(lambda: 1, seen.append)
    tasks.stop()
    qtbot.wait(50)
    assert seen == []


def add_task(session: AppSession) -> Any:
    id = new_id(session.clock())

    def write(tx: Transaction) -> object:
        outlet = tx.conn.execute(select(T.outlet.c.id).limit(1)).scalar_one()
        row = {"id": id, "outlet_id": outlet, "kind": "task", "title": "Call back", "state": "open",
               "person_id": session.actor.user_id}
        tx.conn.execute(insert(T.task).values(row))
        return id

    return write


def test_a_write_is_announced_before_its_answer(qtbot: Any, desk: AppSession) -> None:
    heard: list[object] = []
    desk.changed.connect(heard.append)
    desk.do(add_task(desk), lambda id: heard.append(id))
    qtbot.waitUntil(lambda: len(heard) == 2)
    assert isinstance(heard[0], Changes) and heard[0].touches_id("task", heard[1])  # type: ignore[arg-type]


def test_a_refused_write_changes_nothing_and_says_why(qtbot: Any, desk: AppSession) -> None:
    said: list[Message] = []
    desk.messages.posted.connect(said.append)
    write = add_task(desk)

    def refused(tx: Transaction) -> None:
        write(tx)
        raise DomainError("task_title_missing")

    desk.do(refused)
    qtbot.waitUntil(lambda: bool(said))
    assert (said[0].tone, said[0].text) == ("danger", "Say what is to be done.")
    assert desk.ask(lambda r: r.conn.execute(select(T.task.c.id)).all()) == []


def test_of_two_questions_with_one_key_the_newer_is_answered(qtbot: Any, desk: AppSession) -> None:
    seen: list[str] = []
    gate = threading.Event()

    def slow(r: Reader) -> str:
        gate.wait(5)
        return "old"

    desk.ask_later(slow, seen.append, key="search")
    desk.ask_later(lambda r: "new", seen.append, key="search")
    qtbot.waitUntil(lambda: bool(seen))
    gate.set()
    qtbot.wait(80)
    assert seen == ["new"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_bug_in_a_task_reaches_the_crash_handler(qtbot: Any, desk: AppSession) -> None:
    with qtbot.captureExceptions() as caught:
        desk.tasks.run(lambda: 1 // 0)
        qtbot.waitUntil(lambda: bool(caught))
    assert caught[0][0] is ZeroDivisionError
