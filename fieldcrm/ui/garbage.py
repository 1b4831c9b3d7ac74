"""Python's collector of cycles, on the UI thread alone.

Left to itself it runs in whichever thread allocates next. In a worker it may come to an object of Qt that a signal is
connected to: it disconnects it, holding Qt's lock, and has to wait for Python's; the UI thread holds Python's and
waits for Qt's. The program then stands still for good.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

EVERY = 1000  # milliseconds


def collect_due() -> int:
    """Collect what the collector's own thresholds say is due, oldest first; gives the generation, or -1."""
    for generation, (count, most) in reversed(list(enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)))):
        if count > most:
            gc.collect(generation)
            return generation
    return -1


class GarbageCollection(QObject):
    """Turns the collector off, and does its work from the event loop for as long as ``parent`` lives."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(collect_due)
        self._timer.start(EVERY)
