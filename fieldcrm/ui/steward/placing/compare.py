"""The outlet in front: its address beside what was found, how well they agree, and what to do."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from fieldcrm.domain.placing import DOUBTFUL, Address
from fieldcrm.ui import theme
from fieldcrm.ui.steward.placing import place_words
from fieldcrm.ui.widgets import Badge, Button, Card, FlowLayout, ScrollPage, Text, clear_layout, row
from fieldcrm.usecases.placing import ATTRIBUTION, Line
from fieldcrm.words import tr, trc

PARTS = ("house_number", "street", "postcode", "city", "country")


class CompareView(ScrollPage):
    """``acted(name)``: accept, decline, hand or open."""

    acted = Signal(str)

    def __init__(self) -> None:
        super().__init__(margin=0, spacing=3)
        card = Card(padding=5, spacing=3)
        self.body.addWidget(card)
        self._head = row(2)
        self.name = Text("", "heading", wrap=True)
        self.badge = Badge()
        self._head.addWidget(self.name, 1)
        self._head.addWidget(self.badge, 0, Qt.AlignmentFlag.AlignTop)
        card.add(self._head)
        self.why = Text("", "body", "muted", wrap=True)
        card.add(self.why)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(theme.space(4))
        self._grid.setVerticalSpacing(theme.space(1.5))
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnStretch(2, 1)
        card.add(self._grid)
        self.worth = Text("", "caption", "faint", wrap=True)
        card.add(self.worth)
        bar = QWidget()
        flow = FlowLayout(bar, 2)
        self.buttons = {
            "accept": Button(tr("Take this place"), "primary", "check"),
            "decline": Button(tr("Not this place"), "secondary", "x"),
            "hand": Button(tr("Place by hand…"), "secondary", "map-pin"),
            "open": Button(tr("Open card"), "ghost", "arrow-right"),
        }
        for name, button in self.buttons.items():
            button.clicked.connect(lambda _=False, name=name: self.acted.emit(name))
            flow.addWidget(button)
        for name, key in {"accept": "A", "decline": "R", "hand": "H", "open": "O"}.items():
            self.buttons[name].setToolTip(key)
        card.add(bar)
        self.body.addStretch(1)

    def show_line(self, line: Line) -> None:
        self.name.setText(line.name)
        tone = {"doubtful": "warning", "refused": "danger"}.get(line.group, "accent")
        words = {"doubtful": tr("In doubt"), "refused": tr("Not on the map")}.get(line.group, tr("Waiting"))
        self.badge.set(words, tone)
        self.why.setText(place_words.why(line.why))
        found = line.placing.found if line.placing is not None and line.group == DOUBTFUL else None
        clear_layout(self._grid)
        if found is not None:
            self._compare(line.address, found.address)
            self.worth.setText(f"{place_words.worth(line.placing)}\n{ATTRIBUTION.get(line.placing.provider, '')}"
                               if line.placing is not None else "")
        else:
            self._cell(0, 0, tr("Address"), "caption", "faint")
            self._cell(0, 1, place_words.address_line(line.address), "body", "", columns=2)
            self.worth.setText("")
        for name in ("accept", "decline"):
            self.buttons[name].setVisible(found is not None)

    def _compare(self, ours: Address, theirs: Address) -> None:
        self._cell(0, 1, trc("address", "Ours"), "caption-strong", "muted")
        self._cell(0, 2, trc("address", "Found"), "caption-strong", "muted")
        names = {
            "house_number": trc("address", "Number"), "street": tr("Street"), "postcode": tr("Postcode"),
            "city": tr("City"), "country": tr("Country"),
        }
        for at, part in enumerate(PARTS, 1):
            mine, found = str(getattr(ours, part)), str(getattr(theirs, part))
            same = mine.casefold() == found.casefold()
            self._cell(at, 0, names[part], "caption", "faint")
            self._cell(at, 1, mine or "–", "body", "")
            self._cell(at, 2, found or "–", "body" if same else "body-strong", "" if same else "accent")

    def _cell(self, line: int, across: int, text: str, style: str, tone: str, *, columns: int = 1) -> None:
        self._grid.addWidget(Text(text, style, tone, wrap=across > 0), line, across, 1, columns)
