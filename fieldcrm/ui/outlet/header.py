"""The head of the card: which store this is, whether it is open, and what can be done now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QWidget

from fieldcrm.ui import hours, labels, theme
from fieldcrm.ui.widgets import Avatar, Badge, Button, Card, FlowLayout, Text, clear_layout, column
from fieldcrm.usecases.card import Card as OutletCard
from fieldcrm.words import date, tr

_OUTSIDE = frozenset({"tel", "mailto", "geo", "https", "http"})


def open_outside(address: str) -> bool:
    """Hand an address to the computer, on a person's click only; tests replace it. False when it was not opened.

    Addresses are what somebody wrote on a record: a "website" that is a file or another program's is not followed.
    """
    url = QUrl(address)
    return url.scheme() in _OUTSIDE and QDesktopServices.openUrl(url)


def dialled(phone: str) -> str:
    return "tel:" + "".join(character for character in phone if character in "+0123456789")


def addressed(email: str) -> str:
    return "mailto:" + quote(email, "@")


class Header(Card):
    """``start`` begins or resumes the visit; ``say`` shows a line of news."""

    def __init__(self, start: Callable[[], None], on_map: Callable[[], None], say: Callable[[str], None]) -> None:
        super().__init__(padding=5, spacing=3)
        self._start, self._on_map, self._say = start, on_map, say
        self.start_button = Button(tr("Start visit"), "primary", "play", start)
        self.actions_row = QWidget()

    def show_card(self, card: OutletCard, now: datetime) -> None:
        self.start_button.setParent(None)
        clear_layout(self.body)
        self.start_button = Button(
            tr("Resume visit") if card.draft_id else tr("Start visit"), "primary", "play", self._start
        )
        outlet = card.outlet
        top = QHBoxLayout()
        top.setSpacing(theme.space(4))
        top.addWidget(Avatar(outlet.name, 56, square=True), 0, Qt.AlignmentFlag.AlignTop)
        names = column(1)
        names.addWidget(Text(outlet.name, "title", wrap=True))
        place = " · ".join(part for part in (outlet.address or tr("No address"), card.sector) if part)
        names.addWidget(Text(place, "body", "muted", wrap=True))
        names.addSpacing(theme.space(1))
        names.addWidget(self._badges(card, now))
        top.addLayout(names, 1)
        self.start_button.setEnabled(outlet.state != "closed")
        top.addWidget(self.start_button, 0, Qt.AlignmentFlag.AlignTop)
        self.add(top)
        self.actions_row = self._actions(card)
        self.add(self.actions_row)

    def _badges(self, card: OutletCard, now: datetime) -> QWidget:
        outlet = card.outlet
        words, tone = hours.open_words(card.open, now.astimezone())
        late, late_tone = labels.next_visit(card.overdue_days, never=card.last_visit_at is None)
        state = labels.outlet_state(outlet.state) if outlet.state != "active" else ""
        planned = tr("Planned {day}", day=date(card.stop_day, "day")) if card.stop_day else ""
        badges = QWidget()
        flow = FlowLayout(badges, 1.5)
        for text, kind in (
            (words, tone),
            (late, late_tone),
            (planned, "accent"),
            (state, "neutral" if outlet.state == "closed" else "accent"),
            (labels.segment(outlet.segment), "neutral"),
            (labels.store_type(outlet.store_type), "neutral"),
            (outlet.banner or "", "neutral"),
            ("" if outlet.mapped else tr("Not mapped"), "warning"),
            ("" if card.synced else tr("Saved on this device"), "warning"),
        ):
            if text:
                flow.addWidget(Badge(text, kind))
        return badges

    def _actions(self, card: OutletCard) -> QWidget:
        outlet = card.outlet
        holder = QWidget()
        flow = FlowLayout(holder, 2)
        see = card.brief.see
        phone = outlet.phone or (see.phone if see else None)
        if phone:
            flow.addWidget(Button(tr("Call {phone}", phone=phone), "secondary", "phone", lambda: self.call(phone)))
        email = outlet.email or (see.email if see else None)
        if email:
            flow.addWidget(
                Button(tr("Write"), "secondary", "mail", lambda: self.outside(addressed(email), email))
            )
        if outlet.mapped:
            flow.addWidget(Button(tr("On the map"), "secondary", "map-pin", self._on_map))
        if outlet.position is not None:
            latitude, longitude = outlet.position
            there = f"geo:{latitude:.6f},{longitude:.6f}?q={latitude:.6f},{longitude:.6f}"
            flow.addWidget(
                Button(
                    tr("Navigate"),
                    "secondary",
                    "navigation",
                    lambda: self.outside(there, f"{latitude:.6f}, {longitude:.6f}"),
                )
            )
        if outlet.website:
            site = outlet.website if "://" in outlet.website else "https://" + outlet.website
            flow.addWidget(Button(tr("Website"), "secondary", "external-link", lambda: self.outside(site, site)))
        return holder

    def call(self, phone: str) -> None:
        self.outside(dialled(phone), phone)

    def outside(self, address: str, copied: str) -> None:
        """Nothing leaves the program but by this click; where no program answers, the clipboard has it."""
        QGuiApplication.clipboard().setText(copied)
        opened = open_outside(address)
        self._say(
            tr("“{text}” is on the clipboard", text=copied)
            if not opened
            else tr("Opened outside; also on the clipboard")
        )
