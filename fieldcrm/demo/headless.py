"""The played day: one real working day through the real program, from an empty server to a second device that agrees.

Everything is real: the server is a process of its own, the network is HTTP through a proxy that cuts sockets, the
reports are typed into the screens, the photos are twelve-megapixel files. Only the people and the shelves are invented.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from fieldcrm import words
from fieldcrm.demo.steps import Steps


def play(*, region: Path | None, out: Path | None, as_json: bool, few_pictures: bool = False, now: datetime) -> int:
    """Play the day and print it; 0 when every figure is what it should be, else 1.

    ``region``: the extract whose outlets are imported (the bundled one when none is given). Pictures and the report
    of the day go to ``out``. Raises ``DomainError`` and ``Unavailable`` for an extract that cannot be used.
    """
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        os.environ["QTWEBENGINE_DISABLE_SANDBOX"] = "1"
    # Qt reads the platform when it is first imported.
    from PySide6.QtCore import qInstallMessageHandler

    from fieldcrm.demo.day import Day
    from fieldcrm.demo.screenshots import LOOKS, Photographer
    from fieldcrm.demo.seed import demo_extract

    qInstallMessageHandler(_qt_said)
    words.set_language("fr")
    steps = Steps(sys.stderr if as_json else sys.stdout)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fieldcrm-day-", ignore_cleanup_errors=True) as folder:
        looks = LOOKS[:1] if few_pictures else LOOKS
        day = Day(Path(folder), region or demo_extract(), Photographer(out, looks), now, steps)
        try:
            result = day.live()
        finally:
            day.close()
    _tell(result, steps, as_json)
    return 1 if steps.differences else 0


# Said wherever there is no screen, no sound system and no video hardware.
_EXPECTED = ("This plugin does not support", "Couldn't load ", "Couldn't resolve ", "Using Qt multimedia")


def _qt_said(_kind: object, _context: object, text: str) -> None:
    if not text.startswith(_EXPECTED):
        print(text, file=sys.stderr)


def _tell(result: dict[str, Any], steps: Steps, as_json: bool) -> None:
    if as_json:
        print(json.dumps({**result, "seconds": steps.seconds, "differences": steps.differences}), flush=True)
        return
    total = sum(steps.seconds.values())
    if steps.differences:
        print(f"\n{len(steps.differences)} figure(s) differ after {total:.0f} s:", *steps.differences, sep="\n  ")
    else:
        print(f"\nEvery figure is what it should be. {total:.0f} s in {len(steps.seconds)} steps.")
