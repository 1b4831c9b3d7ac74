"""Every widget in every state, in one window: ``python -m fieldcrm.ui.gallery [theme] [picture.png]``."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QGridLayout,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QProgressBar,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from fieldcrm.ui import theme
from fieldcrm.ui.messages import Message
from fieldcrm.ui.sync_center.hero import StateCard, Switches
from fieldcrm.ui.widgets import (
    Avatar,
    Badge,
    Button,
    Card,
    Chip,
    Column,
    DateField,
    Divider,
    EmptyState,
    Field,
    FlowLayout,
    IconButton,
    InlineMessage,
    KeyCap,
    NumberField,
    PageModel,
    PageTable,
    ProgressRing,
    RowList,
    ScrollPage,
    SearchField,
    SectionTitle,
    SegmentedControl,
    ShareBar,
    Skeleton,
    Sparkline,
    StatTile,
    Switch,
    Tabs,
    Text,
    TwoLine,
    TwoLineDelegate,
    row,
)
from fieldcrm.usecases.link import Held
from fieldcrm.usecases.sync_state import Phases, Progress, SyncState, Waiting


@dataclass(frozen=True)
class Sample:
    id: int
    name: str
    city: str
    state: str
    tone: str
    share: str


SAMPLES = (
    Sample(1, "Hyper des Alpes", "Chambéry · Jacob-Bellecombette", "Overdue", "danger", "34.2 %"),
    Sample(2, "Super du Marché, la surface au nom qui ne finit pas", "Aix-les-Bains", "Due", "warning", "28.0 %"),
    Sample(3, "Épicerie de la Gare", "Le Bourget-du-Lac", "Done", "success", "41.7 %"),
    Sample(4, "Proxi Centre", "Albertville", "Planned", "accent", "19.5 %"),
    Sample(5, "Station du Lac", "Tresserve", "Skipped", "neutral", "–"),
)
TREND = (12, 14, 13, 17, 16, 19, 24, 22, 27, 26, 31, 30, 34)


NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def sync_states(now: datetime) -> tuple[SyncState, ...]:
    """Every way in which a sync can stand, as the top of the Sync Centre says it."""
    ago, soon = now - timedelta(minutes=4), now + timedelta(seconds=80)
    here = Waiting(visits=1, reports=1, changes=2, photos=3, photo_bytes=1_900_000, transactions=3)
    run = SyncState(Phases.SYNCING, here, verified_at=ago)
    return (
        SyncState(verified_at=ago),
        SyncState(),
        SyncState(waiting=here, verified_at=ago, next_try=soon),
        SyncState(waiting=Waiting(photos=14, photo_bytes=9_200_000), verified_at=ago, held=Held.METERED),
        SyncState(waiting=Waiting(decisions=2), verified_at=ago),
        replace(run, progress=Progress(sent=2)),
        replace(run, progress=Progress("receiving", bytes_to_receive=8_200_000, bytes_received=3_100_000)),
        replace(run, progress=Progress("receiving", rows_to_receive=100_000, received=41_000)),
        replace(run, progress=Progress("receiving", received=41, healed=["digest"], repaired=7)),
        replace(run, progress=Progress("photos", sent=2, photos_to_send=8, photos_sent=2, bytes_to_send=4_000_000,
                                       bytes_sent=1_000_000)),
        SyncState(Phases.OFFLINE, here, next_try=soon, problem="offline"),
        SyncState(Phases.BACKING_OFF, here, next_try=soon, problem="server_error"),
        SyncState(Phases.PAUSED, here, automatic=False),
        SyncState(Phases.NEEDS_SIGN_IN, here, problem="token_expired"),
        SyncState(Phases.BLOCKED, here, problem="upgrade_needed"),
        SyncState(Phases.REVOKED, here, problem="device_revoked"),
    )


def _nothing() -> None:
    """A button of the gallery does nothing."""


def _fetch(ids: object) -> list[Sample]:
    return list(SAMPLES)


class Gallery(ScrollPage):
    """What a designer looks at before a release."""

    def __init__(self) -> None:
        super().__init__(width=1180, spacing=5)
        grid = QGridLayout()
        grid.setSpacing(theme.space(4))
        cards = (
            self._buttons(), self._type(), self._fields(), self._signs(), self._figures(), self._messages(),
            self._list(), self._table(), self._empty(), self._loading(),
        )
        states = QVBoxLayout()
        states.setSpacing(theme.space(3))
        for state in sync_states(NOON):
            shown = StateCard(Switches(*(_nothing,) * 7))
            shown.show_state(state, NOON)
            states.addWidget(shown)
        for at, card in enumerate(cards):
            grid.addWidget(card, at // 2, at % 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        self.body.addWidget(Text("FieldCRM", "display"))
        self.body.addWidget(Text("Every widget, as the theme draws it", "lead", "muted"))
        self.body.addLayout(grid)
        self.body.addWidget(SectionTitle("How a sync stands"))
        self.body.addLayout(states)

    def _buttons(self) -> Card:
        card = Card()
        card.add(SectionTitle("Buttons"))
        line = FlowLayout()
        for text, kind, icon in (
            ("Start the visit", "primary", "play"),
            ("Plan", "secondary", "route"),
            ("Show all", "ghost", ""),
            ("Discard", "danger", "trash-2"),
        ):
            line.addWidget(Button(text, kind, icon))
        card.add(line)
        off = FlowLayout()
        for text, kind in (("Start the visit", "primary"), ("Plan", "secondary"), ("Show all", "ghost")):
            button = Button(text, kind)
            button.setEnabled(False)
            off.addWidget(button)
        card.add(off)
        icons = row()
        for name in ("refresh-cw", "phone", "map-pin", "pencil", "ellipsis"):
            icons.addWidget(IconButton(name, name))
        icons.addStretch(1)
        icons.addWidget(KeyCap("Ctrl+K"))
        card.add(icons)
        card.add(SegmentedControl([("day", "Day"), ("week", "Week"), ("month", "Month")], "week", "Period"))
        card.body.addStretch(1)
        return card

    def _type(self) -> Card:
        card = Card(spacing=1)
        for name in ("display", "title", "heading", "lead", "body", "body-medium", "caption"):
            card.add(Text(f"{name.capitalize()} · Tournée du mardi, 12 visites", name))
        card.add(Text("Muted words stay readable", "body", "muted"))
        card.add(Text("So do faint ones", "body", "faint"))
        return card

    def _fields(self) -> Card:
        card = Card()
        card.add(SectionTitle("Fields"))
        card.add(SearchField("Search outlets…"))
        pair = row(3)
        pair.addWidget(Field("Phone", QLineEdit("04 79 00 00 00")))
        wrong = Field("Postcode", QLineEdit("7300"))
        wrong.set_error("Five digits are needed.")
        pair.addWidget(wrong)
        card.add(pair)
        choice = QComboBox()
        choice.addItems(["Supermarket", "Hypermarket", "Convenience"])
        line = row(3)
        for widget in (choice, NumberField(value=12), DateField()):
            line.addWidget(widget)
        card.add(line)
        ticks = row(4)
        for made, text in ((QCheckBox, "Price seen"), (QRadioButton, "Present")):
            tick = made(text)
            tick.setChecked(True)
            ticks.addWidget(tick)
        ticks.addWidget(QCheckBox("Not ticked"))
        ticks.addStretch(1)
        ticks.addWidget(Switch("On", True))
        ticks.addWidget(Switch("Off"))
        card.add(ticks)
        note = QPlainTextEdit("Ask for the second facing at the end of the aisle.")
        note.setFixedHeight(theme.pixels(64))
        card.add(note)
        return card

    def _signs(self) -> Card:
        card = Card()
        card.add(SectionTitle("Signs", "5"))
        line = FlowLayout()
        for sample in SAMPLES:
            line.addWidget(Badge(sample.state, sample.tone))
        card.add(line)
        chips = FlowLayout()
        for text, count, on in (("Overdue", "12", True), ("Segment A", "48", False), ("Near me", "", False)):
            chips.addWidget(Chip(text, icon="filter" if not count else "", count=count, checked=on))
        card.add(chips)
        people = row()
        for name in ("Asha Raman", "Jean-Luc Petit", "Zoé", "Marc Dubois"):
            people.addWidget(Avatar(name, 36))
        people.addWidget(Avatar("Hyper des Alpes", 36, square=True))
        people.addStretch(1)
        card.add(people)
        card.add(Tabs("To send", "Needs your decision", "History"))
        card.add(Divider())
        bar = QProgressBar()
        bar.setTextVisible(False)
        bar.setValue(64)
        card.add(bar)
        share = ShareBar()
        share.set([(7, "success"), (2, "warning"), (1, "danger")])
        card.add(share)
        card.body.addStretch(1)
        return card

    def _figures(self) -> Card:
        card = Card()
        head = row(4)
        ring = ProgressRing(72)
        ring.set(4, 11)
        head.addWidget(ring)
        head.addWidget(Text("4 of 11 visits done, 1 skipped", "body", "muted"), 1)
        card.add(head)
        tiles = row(3)
        first = StatTile("Numeric distribution", "62 %", "143 of 180 stores", clickable=True)
        first.set("62 %", "143 of 180 stores", TREND)
        second = StatTile("Out of stock", "4.1 %", "21 of 512 lines")
        second.set_badge("Above 4 %", "warning")
        tiles.addWidget(first)
        tiles.addWidget(second)
        card.add(tiles)
        card.add(Sparkline(TREND, "Visits for thirteen weeks"))
        return card

    def _messages(self) -> Card:
        card = Card(spacing=2)
        card.add(SectionTitle("Messages"))
        for text, tone, action in (
            ("Visit saved on this device", "success", "Undo"), ("The next stop closes in 25 minutes.", "warning", ""),
            ("The server address does not answer.", "danger", "Try again"),
            ("Showing what is on this device", "neutral", ""),
        ):
            line = InlineMessage()
            line.show_message(Message(text, tone, action, seconds=0))
            card.add(line)
        card.body.addStretch(1)
        return card

    def _list(self) -> Card:
        card = Card(padding=2)
        model: PageModel[Sample] = PageModel([Column("name", "Name", lambda s: s.name)], _fetch, parent=self)
        delegate = TwoLineDelegate(lambda s: TwoLine(
            s.name, s.city, number="" if s.id > 3 else str(s.id), avatar=s.name if s.id == 4 else "",
            icon="skip-forward" if s.id == 5 else "", trailing="10:40" if s.id < 4 else "",
            trailing_note="2.4 km" if s.id < 4 else "", badge=s.state, tone=s.tone, faded=s.id == 5,
        ))
        view = RowList(model, delegate, "Today")
        model.set_ids([s.id for s in SAMPLES])
        view.setCurrentIndex(model.index(1, 0))
        view.setMinimumHeight(theme.pixels(310))
        card.add(view)
        return card

    def _table(self) -> QWidget:
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, 0, 0, 0)
        columns: list[Column[Sample]] = [
            Column("name", "Outlet", lambda s: s.name, 210, strong=True),
            Column("state", "State", lambda s: s.state, 120, badge=lambda s: s.tone),
            Column("share", "Share of shelf", lambda s: s.share, 110, right=True),
            Column("city", "City", lambda s: s.city, 120, tone=lambda s: "muted"),
        ]
        model: PageModel[Sample] = PageModel(columns, _fetch, parent=self)
        table = PageTable(model, "Outlets")
        model.set_ids([s.id for s in SAMPLES])
        table.selectRow(1)
        layout.addWidget(table)
        return holder

    def _empty(self) -> Card:
        card = Card()
        card.add(EmptyState("calendar-check", "Nothing left for today",
                            "Eleven visits done. Everything is verified at headquarters.",
                            ("Plan tomorrow", lambda: None)))
        return card

    def _loading(self) -> Card:
        card = Card()
        card.add(Skeleton(5))
        return card


def main(arguments: list[str]) -> int:
    application = QApplication(arguments[:1])
    theme.apply(arguments[1] if len(arguments) > 1 else "system")
    gallery = QMainWindow()
    gallery.setCentralWidget(Gallery())
    gallery.setWindowTitle("Gallery")
    gallery.resize(1280, 3720 if len(arguments) > 2 else 900)
    gallery.show()
    if len(arguments) > 2:
        application.processEvents()
        return 0 if gallery.grab().save(arguments[2]) else 1
    return application.exec()


if __name__ == "__main__":
    sys.exit(main(sys.argv))
