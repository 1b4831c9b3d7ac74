"""Cycles of Python objects are collected on the UI thread, whichever thread made them."""

from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from fieldcrm.ui import garbage
from fieldcrm.ui.garbage import GarbageCollection


class Ring:
    """Reaches itself: only the collector ends it."""

    def __init__(self) -> None:
        self.me = self


def test_a_worker_that_makes_much_garbage_collects_none(qtbot: QtBot) -> None:
    parent = QObject()
    where: list[str] = []
    gc.collect()

    def work() -> None:
        ring = Ring()
        weakref.finalize(ring, lambda: where.append(threading.current_thread().name))
        del ring
        for _ in range(20 * gc.get_threshold()[0]):
            Ring()

    GarbageCollection(parent)
    with ThreadPoolExecutor(1, thread_name_prefix="worker") as pool:
        pool.submit(work).result()
    assert where == [] and not gc.isenabled()
    qtbot.waitUntil(lambda: where == [threading.main_thread().name], timeout=10 * garbage.EVERY)


def test_what_is_due_is_collected_and_no_more() -> None:
    gc.collect()
    assert garbage.collect_due() == -1
    kept = [Ring() for _ in range(2 * gc.get_threshold()[0])]
    assert garbage.collect_due() == 0
    for _ in range(gc.get_threshold()[1]):
        gc.collect(0)
    assert garbage.collect_due() == 1
    for _ in range(gc.get_threshold()[2] + 1):
        gc.collect(1)
    assert garbage.collect_due() == 2
    assert len(kept) == 2 * gc.get_threshold()[0]
