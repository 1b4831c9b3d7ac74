"""What the sections of the card share: a section, tiles that flow into columns, two columns that become one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from fieldcrm.domain.ids import Id
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import Message, sentence
from fieldcrm.ui.widgets import Button, Card, InlineMessage, SectionTitle, Text, clear_layout
from fieldcrm.usecases import undo
from fieldcrm.usecases.card import Card as OutletCard
from fieldcrm.words import tr

SAVED_SECONDS = 6


class Section(Card):
    """A card with a title, an action beside it, the news of its last write, and ``content`` that is filled anew."""

    def __init__(self, title: str) -> None:
        super().__init__(padding=5, spacing=3)
        self.title = SectionTitle(title)
        self.saved = InlineMessage()
        self.content = QVBoxLayout()
        self.content.setSpacing(theme.space(2))
        self.add(self.title)
        self.add(self.saved)
        self.add(self.content)

    def add_action(self, words: str, icon: str, act: Callable[[], object]) -> Button:
        button = Button(words, "ghost", icon, act)
        self.title.add(button)
        return button

    def show_card(self, card: OutletCard, now: datetime) -> None:
        """Show what the card knows now; what is being edited stays."""
        raise NotImplementedError

    def empty(self) -> None:
        clear_layout(self.content)

    def say_nothing(self, words: str) -> None:
        """The empty state of a section: one quiet sentence."""
        self.content.addWidget(Text(words, "body", "muted", wrap=True))

    def say_saved(self, session: AppSession) -> None:
        """“Saved · Undo” for six seconds; Undo takes back the last change the person made."""
        last = session.ask(lambda r: undo.steps(r, session.actor)).undo
        run = None if last is None else (lambda tx=last.tx: self._undo(session, tx))
        self.saved.show_message(
            Message(tr("Saved on this device"), "success", tr("Undo") if run else "", run, SAVED_SECONDS)
        )

    def say_error(self, error: BaseException) -> None:
        self.saved.show_text(sentence(error), "danger")

    def _undo(self, session: AppSession, transaction: Id) -> None:
        session.do(lambda tx: undo.undo_change(tx, transaction), failed=self.say_error)


class Tiles(QWidget):
    """Widgets of equal width in as many columns as fit, none narrower than ``least`` pixels."""

    def __init__(self, least: int, spacing: float = 4) -> None:
        super().__init__()
        self._least = theme.pixels(least)
        self._tiles: list[QWidget] = []
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.space(spacing))
        self._grid.setVerticalSpacing(theme.space(spacing))

    def set_tiles(self, tiles: Sequence[QWidget]) -> None:
        for old in self._tiles:
            self._grid.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._tiles = list(tiles)
        self._columns = 0
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        gap = self._grid.horizontalSpacing()
        fit = max(1, (self.width() + gap) // (self._least + gap))
        columns = max(1, min(fit, len(self._tiles)))
        if len(self._tiles) == 4 and columns == 3:
            columns = 2  # never three and one
        if columns == self._columns:
            return
        for at in range(max(columns, self._columns)):
            self._grid.setColumnStretch(at, 1 if at < columns else 0)
        self._columns = columns
        for at, tile in enumerate(self._tiles):
            self._grid.addWidget(tile, at // columns, at % columns)


class TwoColumns(QWidget):
    """A wide and a narrow column; below ``least`` pixels one, in the order of ``order``."""

    def __init__(
        self, wide: Sequence[QWidget], narrow: Sequence[QWidget], order: Sequence[QWidget], least: int
    ) -> None:
        super().__init__()
        self._wide, self._narrow, self._order = list(wide), list(narrow), list(order)
        self._least = theme.pixels(least)
        self._two: bool | None = None
        across = QHBoxLayout(self)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(theme.space(4))
        self._left, self._right = QVBoxLayout(), QVBoxLayout()
        for lines in (self._left, self._right):
            lines.setSpacing(theme.space(4))
        across.addLayout(self._left, 3)
        across.addLayout(self._right, 2)
        for section in self._order:
            section.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._arrange(True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange(self.width() >= self._least)

    def _arrange(self, two: bool) -> None:
        if two == self._two:
            return
        self._two = two
        # By removeWidget and never by takeAt: an item that lives on in Python keeps the height its widget had.
        for lines in (self._left, self._right):
            for section in self._order:
                lines.removeWidget(section)
            while (spacer := lines.itemAt(0)) is not None:
                lines.removeItem(spacer)
        for section in self._wide if two else self._order:
            self._left.addWidget(section)
        for section in self._narrow if two else ():
            self._right.addWidget(section)
        self._left.addStretch(1)
        self._right.addStretch(1)
        across = self.layout()
        assert isinstance(across, QHBoxLayout)
        across.setStretch(0, 3 if two else 1)
        across.setStretch(1, 2 if two else 0)
        across.setSpacing(theme.space(4) if two else 0)
