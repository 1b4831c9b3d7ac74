"""One field that two people wrote: before, mine and theirs side by side, and the third value one may type."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLineEdit, QSizePolicy, QWidget

from fieldcrm import words
from fieldcrm.ui import labels, theme
from fieldcrm.ui.sync_center.values import shown, whole_lines
from fieldcrm.ui.widgets import Card, Field, KeyCap, Text, column, painting, row
from fieldcrm.usecases.decisions import Choice, Clash, Sort, Verdict, another_possible, sort_of
from fieldcrm.words import tr

STACKED = 620  # pixels below which the tiles lie one above the other


class Tile(QWidget):
    """One of the values. ``chosen`` draws it as taken; a tile without a key cannot be taken."""

    clicked = Signal()

    def __init__(self, title: str, value: str, note: str, key: str, badge: str = "") -> None:
        super().__init__()
        self.key, self.taken = key, False
        lines = column(1)
        lines.setContentsMargins(*(theme.space(3),) * 4)
        head = row(2)
        head.addWidget(Text(title, "caption-strong", "muted", wrap=True), 1)
        if key:
            head.addWidget(KeyCap(key), 0, Qt.AlignmentFlag.AlignTop)
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        lines.addLayout(head)
        self.value = Text(value, "body-medium" if key else "body", "" if key else "muted", wrap=True)
        lines.addWidget(self.value)
        lines.addStretch(1)
        note = " · ".join(part for part in (badge, note) if part)
        if note:
            lines.addWidget(Text(note, "caption", "faint", wrap=True))
        # All as wide as one another, whatever they hold.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setLayout(lines)
        self.setAccessibleName(f"{title}: {value}. {note}")

    def take(self, taken: bool) -> None:
        self.taken = taken
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.key and event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.pos()):
            self.clicked.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        if self.taken:
            painting.ground(painter, self.rect(), color.tone("accent").soft, color.accent, theme.RADIUS)
            painting.ground(painter, self.rect().adjusted(1, 1, -1, -1), "", color.accent, theme.RADIUS)
        else:
            edge = color.border_strong if self.key else color.border
            painting.ground(painter, self.rect(), color.surface if self.key else color.canvas, edge, theme.RADIUS)
        painter.end()


class FieldChoice(QWidget):
    """Takes the focus; 1, 2 and 3 choose, Enter confirms, J and K go on. ``chosen`` is emitted at each choice."""

    chosen = Signal()
    confirmed = Signal()
    moved = Signal(int)

    def __init__(self, clash: Clash, *, named: bool) -> None:
        super().__init__()
        self.clash = clash
        self.choice: Choice | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        lines = column(2, margin=1.5)
        if named:
            lines.addWidget(Text(labels.field_name(clash.field), "body-strong"))
        self._across = QHBoxLayout()
        self._across.setSpacing(theme.space(2))
        self.tiles: dict[Choice, Tile] = {}
        self._make_tiles()
        lines.addLayout(self._across)
        self.editor = QLineEdit()
        self.editor.setText("" if clash.lost is None or not another_possible(clash) else str(clash.lost))
        self.editor.returnPressed.connect(self.confirmed)
        self.field = Field(tr("Another value"), self.editor, tr("Enter confirms, Esc goes back."))
        self.field.hide()
        lines.addWidget(self.field)
        self.setLayout(lines)
        said = " ".join(tile.accessibleName() for tile in self.findChildren(Tile))
        self.setAccessibleName(f"{labels.field_name(clash.field) if named else ''} {said}".strip())

    def _make_tiles(self) -> None:
        clash, sort = self.clash, sort_of(self.clash)
        who = clash.by_name or tr("somebody else")
        if sort is Sort.FIELD:
            self._add(None, Tile(tr("Before"), shown(clash.field, clash.before), "", ""))
            self._add(Choice.MINE, Tile(tr("Yours"), shown(clash.field, clash.lost), _when(clash.lost_at), "1"))
            whose, theirs = clash.by_name or tr("Somebody else"), shown(clash.field, clash.kept)
            self._add(Choice.THEIRS, Tile(whose, theirs, _when(clash.kept_at), "2", tr("stands")))
            if another_possible(clash):
                self._add(Choice.ANOTHER, Tile(tr("Another value…"), tr("Type what is right."), "", "3"))
        elif sort is Sort.DELETED_THERE:
            self._add(None, Tile(tr("What it held"), whole_lines(clash.before), "", ""))
            mine = Tile(tr("Restore it with my change"), whole_lines(clash.lost), _when(clash.lost_at), "1")
            self._add(Choice.MINE, mine)
            gone = Tile(tr("Let it go"), tr("It stays deleted."), "", "2", tr("stands"))
            self._add(Choice.THEIRS, gone)
        else:
            what = tr("It goes, and their change with it.")
            self._add(Choice.MINE, Tile(tr("Delete it all the same"), what, _when(clash.lost_at), "1"))
            now = whole_lines(clash.kept, since=clash.before)
            self._add(Choice.THEIRS, Tile(tr("Keep it, as {who} changed it", who=who), now, _when(clash.kept_at), "2",
                                          tr("stands")))

    def _add(self, choice: Choice | None, tile: Tile) -> None:
        self._across.addWidget(tile, 1)
        if choice is not None:
            self.tiles[choice] = tile
            tile.clicked.connect(lambda: self._clicked(choice))

    def _clicked(self, choice: Choice) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.choose(choice)

    @property
    def verdict(self) -> Verdict | None:
        if self.choice is None:
            return None
        return Verdict(self.clash, self.choice, self.editor.text() if self.choice is Choice.ANOTHER else "")

    def choose(self, choice: Choice | None) -> None:
        """Take this one; ``None`` takes none."""
        if choice is not None and choice not in self.tiles:
            return
        self.choice = choice
        for other, tile in self.tiles.items():
            tile.take(other is choice)
        self.field.setVisible(choice is Choice.ANOTHER)
        if choice is Choice.ANOTHER:
            self.editor.setFocus(Qt.FocusReason.OtherFocusReason)
            self.editor.selectAll()
        self.chosen.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        keys = {Qt.Key.Key_1: Choice.MINE, Qt.Key.Key_2: Choice.THEIRS, Qt.Key.Key_3: Choice.ANOTHER}
        steps = {Qt.Key.Key_J: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_K: -1, Qt.Key.Key_Up: -1}
        if key in keys:
            self.choose(keys[Qt.Key(key)])
        elif key in steps:
            self.moved.emit(steps[Qt.Key(key)])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.confirmed.emit()
        elif key == Qt.Key.Key_Escape and self.choice is not None:
            self.choose(None)
            self.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def resizeEvent(self, event: object) -> None:
        upright = self.width() < theme.pixels(STACKED)
        way = QBoxLayout.Direction.TopToBottom if upright else QBoxLayout.Direction.LeftToRight
        self._across.setDirection(way)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.hasFocus():
            painter = painting.smooth(self)
            painting.focus_ring(painter, self.rect())
            painter.end()


def _when(moment: datetime | None) -> str:
    return words.day_time(moment) if moment is not None else ""


class ClashCard(Card):
    """All that two people wrote in one record. ``decide`` gets the verdicts of those that were chosen."""

    def __init__(self, clashes: tuple[Clash, ...], decide: Callable[[ClashCard, list[Verdict]], None]) -> None:
        super().__init__(padding=5, spacing=3)
        self.clashes, self._decide = clashes, decide
        self.choices = [FieldChoice(clash, named=len(clashes) > 1) for clash in clashes]
        for choice in self.choices:
            choice.chosen.connect(self._count)
            choice.confirmed.connect(self.confirm)

    def fill(self, head: QWidget, foot: QHBoxLayout, confirm: QWidget) -> None:
        self.add(head)
        for choice in self.choices:
            self.add(choice)
        self.confirm_button, self.foot = confirm, QWidget()
        foot.setContentsMargins(0, 0, 0, 0)
        self.foot.setLayout(foot)
        self.add(self.foot)
        self._count()

    def verdicts(self) -> list[Verdict]:
        return [verdict for choice in self.choices if (verdict := choice.verdict) is not None]

    def confirm(self) -> None:
        """Decide what was chosen; the rest goes on waiting."""
        if found := self.verdicts():
            self._decide(self, found)

    def choose_all(self, choice: Choice) -> None:
        for one in self.choices:
            one.choose(choice)

    def refuse(self, field: str | None, reason: str) -> None:
        """Say why a third value is not possible, at that value."""
        for choice in self.choices:
            if choice.choice is Choice.ANOTHER and (field is None or field == choice.clash.field or field == ""):
                choice.field.set_error(reason)
                choice.editor.setFocus()
                return

    def take_over(self, other: ClashCard) -> None:
        """What was half decided in the card that this one replaces stays half decided."""
        held = {choice.clash.id: choice for choice in other.choices}
        for choice in self.choices:
            before = held.get(choice.clash.id)
            if before is None or before.choice is None or before.choice not in choice.tiles:
                continue
            choice.editor.setText(before.editor.text())
            choice.choose(before.choice)

    def _count(self) -> None:
        self.confirm_button.setEnabled(bool(self.verdicts()))
