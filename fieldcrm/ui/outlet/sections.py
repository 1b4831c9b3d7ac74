"""The list of the card's sections, always in sight above the page: a click or Alt+1 to Alt+9 goes there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtGui import QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout

from fieldcrm.ui import theme
from fieldcrm.ui.outlet.parts import Section
from fieldcrm.ui.widgets import Button, painting
from fieldcrm.words import tr


class SectionBar(QFrame):
    """One quiet line of words; those for which there is no room are reached by their keys and by scrolling."""

    def __init__(self, sections: Sequence[tuple[str, Section]], go: Callable[[Section], None]) -> None:
        super().__init__()
        self.setAccessibleName(tr("Sections of the card"))
        across = QHBoxLayout(self)
        across.setContentsMargins(theme.space(4), theme.space(1), theme.space(4), theme.space(1))
        across.setSpacing(theme.space(1))
        self.buttons: list[Button] = []
        for at, (name, section) in enumerate(sections, 1):
            button = Button(name, "quiet", on_click=_going(go, section))
            button.setToolTip(tr("{section} (Alt+{number})", section=name, number=at))
            across.addWidget(button)
            self.buttons.append(button)
        across.addStretch(1)
        self.setMinimumWidth(theme.pixels(200))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Hide from the end what would be cut."""
        super().resizeEvent(event)
        left, room = theme.space(4), self.width() - theme.space(4)
        for button in self.buttons:
            left += button.sizeHint().width() + theme.space(1)
            button.setVisible(left <= room)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = painting.smooth(self)
        color = theme.current().color
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.qcolor(color.border))
        painter.end()


def _going(go: Callable[[Section], None], section: Section) -> Callable[[], None]:
    return lambda: go(section)
