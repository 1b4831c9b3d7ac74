"""The second copy in the settings: chosen, its code shown once, its state said, and given up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import Qt

from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.settings import pages
from fieldcrm.ui.settings import second_copy as lines
from fieldcrm.ui.settings.second_copy import SecondCopyLines
from fieldcrm.usecases import second_copy
from fieldcrm.usecases.second_copy import Copier

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def shown(desk: AppSession, qtbot: Any) -> Iterator[SecondCopyLines]:
    desk.copier = Copier(desk.db, desk.actor, clock=desk.clock)
    page = pages.data(desk)
    qtbot.addWidget(page)
    page.show()
    yield page.findChild(SecondCopyLines)
    page.close()


def choose(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[str]:
    codes: list[str] = []
    monkeypatch.setattr(lines.QFileDialog, "getExistingDirectory", staticmethod(lambda *_: str(folder)))
    monkeypatch.setattr(lines.CodeDialog, "show_code", classmethod(lambda cls, parent, code: codes.append(code)))
    return codes


def test_a_folder_is_chosen_and_its_code_is_shown_once(
    shown: SecondCopyLines, desk: AppSession, tmp_path: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "There is no second copy" in shown.status.text() and not shown.stop.isVisible()
    folder = tmp_path / "stick"
    folder.mkdir()
    codes = choose(monkeypatch, folder)
    qtbot.mouseClick(shown.choose, LEFT)
    qtbot.waitUntil(lambda: len(codes) == 1)
    assert len(codes[0]) >= 20 and codes[0] not in shown.status.text()
    assert desk.copier is not None
    desk.copier.run_once()
    shown.refresh()
    assert shown.status.text().startswith("Whole ") and shown.stop.isVisible()
    qtbot.mouseClick(shown.stop, LEFT)
    qtbot.waitUntil(lambda: desk.ask(second_copy.status).place is None)
    # At once, and not when the copier looks again.
    qtbot.waitUntil(lambda: "There is no second copy" in shown.status.text() and not shown.stop.isVisible())


def test_a_folder_that_cannot_be_the_copy_is_refused_with_a_sentence(
    shown: SecondCopyLines, desk: AppSession, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = choose(monkeypatch, desk.folder)
    qtbot.mouseClick(shown.choose, LEFT)
    qtbot.waitUntil(lambda: "cannot be inside the data" in shown.status.text())
    assert codes == [] and shown.choose.isEnabled()
