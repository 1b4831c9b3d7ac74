"""Where one is below a figure: Figures › Tea › Corner shop; each step leads back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.widgets.buttons import Button
from fieldcrm.ui.widgets.layouts import row
from fieldcrm.ui.widgets.signs import Sign
from fieldcrm.ui.widgets.text import ElidedText


class Crumbs(QWidget):
    """``stepped(at)`` when the person goes back to a step; the last step is where one is."""

    stepped = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._line = row(0.5)
        self._line.setContentsMargins(theme.space(3), 0, theme.space(5), 0)
        self.setLayout(self._line)
        self.steps: list[str] = []

    def show_steps(self, steps: Sequence[str]) -> None:
        self.steps = list(steps)
        while (item := self._line.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for at, step in enumerate(steps[:-1]):
            self._line.addWidget(Button(step, "ghost", on_click=partial(self.stepped.emit, at)))
            self._line.addWidget(Sign("chevron-right", "faint", 14))
        if steps:
            here = ElidedText(steps[-1], "body-medium", "muted")
            self._line.addSpacing(theme.space(2))
            self._line.addWidget(here, 1)
        self.setVisible(len(steps) > 1)
