"""Two outlets side by side: which one stays, and field by field whose value holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from fieldcrm.domain.ids import Id
from fieldcrm.ui import duplicate_words, labels, theme
from fieldcrm.ui.steward.duplicates import words
from fieldcrm.ui.widgets import Badge, IconButton, KeyCap, ScrollPage, Text, clear_layout, column, painting, row
from fieldcrm.usecases.duplicates import Group, Pair
from fieldcrm.usecases.merging import FIELDS, Side, differing, filled, survivor, value_of
from fieldcrm.words import tr, trn


class Tile(QWidget):
    """Something to choose: drawn as taken, or as the one that is not."""

    clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.taken = False
        self.lines = column(1)
        self.lines.setContentsMargins(*(theme.space(3),) * 4)
        self.setLayout(self.lines)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def take(self, taken: bool) -> None:
        self.taken = taken
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.pos()):
            self.clicked.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        if self.taken:
            painting.ground(painter, self.rect(), color.tone("accent").soft, color.accent, theme.RADIUS)
        else:
            painting.ground(painter, self.rect(), color.surface, color.border, theme.RADIUS)
        painter.end()


class SideTile(Tile):
    """One of the two outlets: its name, address, sector, and what hangs on it. The one that is taken stays."""

    def __init__(self, side: Side, key: str, now: datetime, open_card: Callable[[Id], None]) -> None:
        super().__init__()
        outlet = side.outlet
        head = row(2)
        self.badge = Badge(tr("stays"), "accent")
        head.addWidget(self.badge, 0, Qt.AlignmentFlag.AlignVCenter)
        head.addStretch(1)
        opens = IconButton("external-link", tr("Open the card of {name}", name=outlet.name),
                           lambda: open_card(outlet.id))
        head.addWidget(opens)
        head.addWidget(KeyCap(key), 0, Qt.AlignmentFlag.AlignVCenter)
        self.lines.addLayout(head)
        self.lines.addWidget(Text(outlet.name, "body-strong", wrap=True))
        address = " · ".join(part for part in (outlet.address or tr("no address"), side.sector) if part)
        self.lines.addWidget(Text(address, "caption", "muted", wrap=True))
        self.lines.addWidget(Text(words.belongings_words(side.belongings, now), "caption", wrap=True))
        self.lines.addStretch(1)
        self.setAccessibleName(f"{outlet.name}, {address}")

    def take(self, taken: bool) -> None:
        super().take(taken)
        self.badge.set(tr("stays") if taken else tr("goes"), "accent" if taken else "neutral")


class FieldRow(QWidget):
    """One field that differs. Takes the focus; 1 and 2 choose, so do left and right. ``chosen`` at each choice."""

    chosen = Signal()

    def __init__(self, field: str, sides: tuple[Side, Side], people: dict[Id, str]) -> None:
        super().__init__()
        self.field, self.choice = field, 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        lines = column(1)
        lines.setContentsMargins(0, 0, 0, 0)
        name = labels.field_name(field)
        lines.addWidget(Text(name, "caption-strong", "muted"))
        across = row(2)
        self.tiles: list[Tile] = []
        said = []
        for at, side in enumerate(sides):
            tile = Tile()
            value = words.value_words(side.outlet, field)
            tile.lines.addWidget(Text(value or tr("nothing"), "body", "" if value else "faint", wrap=True))
            origin = words.origin_words(side.outlet, field, people)
            if origin:
                tile.lines.addWidget(Text(origin, "caption", "faint", wrap=True))
            tile.lines.addStretch(1)
            tile.clicked.connect(lambda at=at: self.choose(at))
            across.addWidget(tile, 1)
            self.tiles.append(tile)
            said.append(value or tr("nothing"))
        lines.addLayout(across)
        self.setLayout(lines)
        self.setAccessibleName(f"{name}: {said[0]} / {said[1]}")

    def show_choice(self, choice: int) -> None:
        self.choice = choice
        for at, tile in enumerate(self.tiles):
            tile.take(at == choice)

    def choose(self, choice: int) -> None:
        self.show_choice(choice)
        self.chosen.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        choice = {Qt.Key.Key_Left: 0, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if choice is None:
            super().keyPressEvent(event)
        else:
            self.choose(choice)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.hasFocus():
            painter = painting.smooth(self)
            painting.focus_ring(painter, self.rect(), theme.RADIUS)
            painter.end()


class Comparison(ScrollPage):
    """The pair in front. ``survivor`` is 0 or 1; ``take()`` the fields that it takes from the other.

    ``card_wanted(id)`` when the card of one is asked for.
    """

    card_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__(width=860, margin=5, spacing=4)
        self.pair: Pair | None = None
        self.sides: tuple[Side, Side] | None = None
        self.survivor, self._certain = 0, 0.0
        self._tiles: list[SideTile] = []
        self.rows: list[FieldRow] = []

    def show_pair(
        self, group: Group, sides: tuple[Side, Side], people: dict[Id, str], certain: float, now: datetime
    ) -> None:
        if self.pair == group.best and self.sides == sides and self._certain == certain:
            return  # read again, and nothing is new: what the person has chosen stays
        clear_layout(self.body)
        self.pair, self.sides, self._certain = group.best, sides, certain
        self._head(group, sides, certain)
        across = row(2)
        self._tiles = [SideTile(side, str(at + 1), now, self.card_wanted.emit) for at, side in enumerate(sides)]
        for at, tile in enumerate(self._tiles):
            tile.clicked.connect(lambda at=at: self.choose_survivor(at))
            across.addWidget(tile, 1)
        self.body.addLayout(across)
        fields = differing(sides[0].outlet, sides[1].outlet)
        self.rows = [FieldRow(field, sides, people) for field in fields]
        for one in self.rows:
            self.body.addWidget(one)
        same = [labels.field_name(field) for field in FIELDS
                if field not in fields and value_of(sides[0].outlet, field) is not None]
        if same:
            self.body.addWidget(Text(tr("The same in both: {fields}", fields=", ".join(same)), "caption", "faint",
                                     wrap=True))
        self.body.addStretch(1)
        self.choose_survivor(0 if survivor(*sides) is sides[0] else 1)
        self.verticalScrollBar().setValue(0)

    def _head(self, group: Group, sides: tuple[Side, Side], certain: float) -> None:
        pair = group.best
        verdict, tone = words.verdict(pair.score, certain)
        head = row(2)
        head.addWidget(Badge(f"{verdict} · {words.score_words(pair.score)}", tone))
        if len(group.outlets) > 2:
            more = trn("{n} outlet looks like one", "{n} outlets look like one", len(group.outlets))
            head.addWidget(Badge(more, "neutral"))
        if pair.later_at is not None:
            head.addWidget(Badge(tr("put off"), "neutral"))
        head.addStretch(1)
        self.body.addLayout(head)
        lines = column(1)
        lines.addWidget(Text(words.where(sides[0].outlet, sides[1].outlet, pair.metres), "body-medium", wrap=True))
        reasons = [one for one in pair.reasons if not one.code.startswith("distance.")]
        speaks_for = duplicate_words.why(reasons, most=9, speaking_for=True)
        against = duplicate_words.why(reasons, most=9, speaking_for=False)
        if speaks_for:
            lines.addWidget(Text(tr("For: {reasons}", reasons=speaks_for), "body", "muted", wrap=True))
        if against:
            lines.addWidget(Text(tr("Against: {reasons}", reasons=against), "body", "muted", wrap=True))
        if sides[0].outlet.sector_id != sides[1].outlet.sector_id:
            text = tr("They are in two sectors: the one that stays keeps its own.")
            lines.addWidget(Text(text, "body", "warning", wrap=True))
        self.body.addLayout(lines)

    def choose_survivor(self, at: int) -> None:
        """Which one stays. It keeps its values, and takes what only the other knows."""
        if self.sides is None:
            return
        self.survivor = at
        keep, lose = self.sides[at].outlet, self.sides[1 - at].outlet
        only_there = filled(keep, lose)
        for number, tile in enumerate(self._tiles):
            tile.take(number == at)
        for one in self.rows:
            one.show_choice(1 - at if one.field in only_there else at)

    def choose(self, at: int) -> None:
        """1 or 2 was pressed: of the field that has the focus, else which one stays."""
        focused = next((one for one in self.rows if one.hasFocus()), None)
        if focused is not None:
            focused.choose(at)
        else:
            self.choose_survivor(at)

    def take(self) -> frozenset[str]:
        return frozenset(one.field for one in self.rows if one.choice != self.survivor)
