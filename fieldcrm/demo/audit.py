"""Recording a visit at the keyboard of the real visit screen: the audit line by line, photos dropped, then Send."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from fieldcrm.demo import hands
from fieldcrm.ui.visit.editor import DraftEditor
from fieldcrm.ui.visit.grid_page import GridPage
from fieldcrm.ui.visit.group_page import GroupPage
from fieldcrm.ui.visit.photo_field import PhotoField
from fieldcrm.usecases.visits import AuditLine, Submitted


class Recorder:
    """One visit on a screen that shows its draft. Counts the keys it pressed, on top of ``keys``."""

    def __init__(self, window: QWidget, chance: random.Random, keys: int = 0) -> None:
        self.editor = hands.the(window, DraftEditor)
        self._chance = chance
        self.keys = keys
        self._sent: list[Submitted] = []
        self.editor.sent.connect(self._sent.append)

    def audit(self) -> int:
        """Every line of the assortment; returns how many."""
        at, page = next((n, page) for n, page in enumerate(self.editor.pages) if isinstance(page, GridPage))
        self._go(at)
        view, model = page.view, page.model
        view.setFocus()
        for row in range(model.rowCount()):
            view.go(row, 1)
            line = model.line(model.path(row))
            self._line(view, line)
        done, many = self.editor.recording.counts(page.grid)
        if done != many:
            raise hands.NoAnswer(f"all {many} lines are checked, not {done}")
        return done

    def _line(self, view: QWidget, line: AuditLine | None) -> None:
        draw = self._chance.random()
        if line is not None and line.last is not None and draw < 0.35:
            self._press(Qt.Key.Key_C, view)  # as last time
        elif draw > 0.95:
            self._press(Qt.Key.Key_A, view)
        elif draw > 0.90:
            self._press(Qt.Key.Key_R, view)
        else:
            self._press(Qt.Key.Key_P, view)
            self._type(str(self._facings(line)))
            self._press(Qt.Key.Key_Tab)
            self._type(self._price(line))
            self._press(Qt.Key.Key_Return)

    def _facings(self, line: AuditLine | None) -> int:
        before = line.last.facings if line is not None and line.last is not None else None
        return max(1, (before or self._chance.randint(1, 4)) + self._chance.choice((-1, 0, 0, 1)))

    def _price(self, line: AuditLine | None) -> str:
        """What the shelf tag says: the price of reference, at times a few cents beside it."""
        minor = (line.reference_minor if line is not None else None) or 249
        minor += self._chance.choice((0, 0, 0, 0, 5, -10))
        return f"{minor // 100},{minor % 100:02}"

    def recount_first_line(self) -> None:
        """What a manager asked for: one line counted again."""
        at, page = next((n, page) for n, page in enumerate(self.editor.pages) if isinstance(page, GridPage))
        self._go(at)
        page.view.setFocus()
        page.view.go(0, 1)
        self._press(Qt.Key.Key_P, page.view)
        self._type(str(self._chance.randint(10, 19)))
        self._press(Qt.Key.Key_Tab)
        self._type("2,59")
        self._press(Qt.Key.Key_Return)

    def photos(self, files: Sequence[Path]) -> None:
        """Drop photos onto the first photo question, as from the folder of a camera's card."""
        at, field = self._photo_field()
        self._go(at)
        for number, file in enumerate(files, 1):
            hands.drop_files(field, [file])
            hands.wait_until(f"photo {number} is in the report", partial(self._has, field, number))

    def _has(self, field: PhotoField, number: int) -> bool:
        return len(field.frames) >= number

    def _photo_field(self) -> tuple[int, PhotoField]:
        for at, page in enumerate(self.editor.pages):
            if isinstance(page, GroupPage):
                for field in page.findChildren(PhotoField):
                    return at, field
        raise hands.NoAnswer("the form asks for photos")

    def send(self) -> Submitted:
        """To the last page, and Send; returns what was saved on the device."""
        hands.click(self.editor.head.check)
        hands.wait_until("the report is ready to be sent", lambda: self.editor.check.send.isEnabled())
        hands.click(self.editor.check.send)
        hands.wait_until("the report is saved on this device", lambda: bool(self._sent))
        return self._sent[0]

    def _go(self, step: int) -> None:
        self.editor.stepper.setFocus()
        while self.editor.step != step:
            self._press(Qt.Key.Key_Right if self.editor.step < step else Qt.Key.Key_Left, self.editor.stepper)

    def _press(self, key: Qt.Key, on: QWidget | None = None) -> None:
        self.keys += 1
        hands.press(key, on=on)

    def _type(self, text: str) -> None:
        self.keys += len(text)
        hands.type_text(text)
