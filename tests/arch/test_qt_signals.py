"""The pinned Qt does not lose a reference at each emit (PySide6 6.12.0 on Python 3.11 does, and then aborts)."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from PySide6.QtCore import QObject, Signal

class Source(QObject):
    changed = Signal(object)
    toggled = Signal(bool)

source, seen = Source(), []
source.changed.connect(seen.append)
source.toggled.connect(seen.append)
marker = object()
before = sys.getrefcount(True), sys.getrefcount(marker)
for _ in range(2000):
    source.changed.emit(marker)
    source.toggled.emit(True)
seen.clear()
after = sys.getrefcount(True), sys.getrefcount(marker)
assert abs(after[0] - before[0]) < 50 and after[1] == before[1], (before, after)
"""


def test_emitting_a_signal_two_thousand_times_keeps_every_reference() -> None:
    finished = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
