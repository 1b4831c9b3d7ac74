"""One update beside the list: before and after field by field, and the outlet it is about."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from fieldcrm.domain.outlet import Outlet
from fieldcrm.ui import hours, labels, theme
from fieldcrm.ui.steward.changes import Say, differences, value_words
from fieldcrm.ui.steward.imports.history import source_name
from fieldcrm.ui.steward.updates.words import TONES, change_words, one_name, state_words
from fieldcrm.ui.widgets import (
    Badge,
    Button,
    Card,
    Divider,
    KeyCap,
    ScrollPage,
    SectionTitle,
    Text,
    clear_layout,
    column,
    row,
)
from fieldcrm.usecases.opening import plan_of
from fieldcrm.usecases.update_details import UpdateDetails, Written
from fieldcrm.words import date, day_time, tr


class UpdatePanel(Card):
    """``accept``, ``refuse``, ``take_back`` and ``open_card`` are what its buttons do."""

    def __init__(
        self, accept: Callable[[], object], refuse: Callable[[], object], take_back: Callable[[], object],
        open_card: Callable[[], object],
    ) -> None:  # fmt: skip
        super().__init__(padding=0, spacing=0)
        self._page = ScrollPage(margin=5, spacing=3)
        self.add(self._page, 1)
        self._foot = QWidget()
        line = row(2)
        line.setContentsMargins(theme.space(5), theme.space(3), theme.space(5), theme.space(4))
        self._foot.setLayout(line)
        self.card_button = Button(tr("Open card"), "ghost", on_click=open_card)
        self.refuse_button = Button(tr("Refuse"), "secondary", "x", refuse)
        self.accept_button = Button(tr("Accept"), "primary", "check", accept)
        self.back_button = Button(tr("Take back"), "secondary", "rotate-ccw", take_back)
        self._keys = [KeyCap("R"), KeyCap("A"), KeyCap("Z")]
        line.addWidget(self.card_button)
        line.addStretch(1)
        for cap, button in zip(self._keys, (self.refuse_button, self.accept_button, self.back_button), strict=True):
            line.addWidget(cap)
            line.addWidget(button)
        self.add(self._foot)
        self._say: Say = value_words
        self.hide()

    def show_details(self, found: UpdateDetails, *, now: datetime, may_decide: bool) -> None:
        proposal, body = found.proposal, self._page.body
        country = found.outlet.country if found.outlet is not None else str(proposal.after.get("country") or "")
        self._say = partial(in_words, country=country or None, now=now)
        clear_layout(body)
        head = row(2)
        head.addWidget(Badge(one_name(proposal.kind), TONES.get(proposal.kind, "neutral")))
        if proposal.state != "open":
            head.addWidget(Badge(*state_words(proposal)))
        head.addStretch(1)
        body.addLayout(head)
        body.addWidget(Text(proposal.outlet_name or "–", "heading", wrap=True))
        if proposal.kind in ("opened", "closed", "moved"):  # of the others the lines below say it
            body.addWidget(Text(change_words(proposal), "body", "muted", wrap=True))
        self._changes(found)
        self._whence(found)
        if found.outlet is not None and proposal.kind != "opened":
            body.addWidget(Divider())
            body.addWidget(SectionTitle(tr("The outlet now"), style="body-strong"))
            self._lines([(name, value, "", None) for name, value in _known(found.outlet, self._say)])
        body.addStretch(1)
        waits = proposal.state == "open"
        self.accept_button.setVisible(waits and may_decide)
        self.refuse_button.setVisible(waits and may_decide)
        self.back_button.setVisible(proposal.state in ("accepted", "refused") and may_decide)
        for cap, button in zip(self._keys, (self.refuse_button, self.accept_button, self.back_button), strict=True):
            cap.setVisible(button.isVisibleTo(self))
        self.card_button.setVisible(found.outlet is not None)
        self.show()

    def _changes(self, found: UpdateDetails) -> None:
        """Each field that differs: what stands here, what the source says, and who confirmed what stands here."""
        proposal = found.proposal
        if proposal.kind == "opened":
            lines = [(field, "", now) for field, _, now in differences({}, proposal.after, self._say) if now]
        else:
            lines = differences(proposal.before, proposal.after, self._say)
        self._lines([
            (labels.field_name(field), now or tr("none"), was if proposal.kind != "opened" else "",
             _writer(field, found))
            for field, was, now in lines
        ], new=proposal.kind == "opened")  # fmt: skip

    def _lines(self, lines: list[tuple[str, str, str, Written | None]], *, new: bool = False) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.space(3))
        grid.setVerticalSpacing(theme.space(2))
        for at, (name, value, before, written) in enumerate(lines):
            label = Text(name, "body", "muted", wrap=True)
            grid.addWidget(label, at, 0, Qt.AlignmentFlag.AlignTop)
            holder = QWidget()
            stack = column(0.5)
            holder.setLayout(stack)
            if before:
                old = Text(before, "body", "faint", wrap=True)
                font = old.font()
                font.setStrikeOut(True)
                old.setFont(font)
                stack.addWidget(old)
            stack.addWidget(Text(value, "body-medium" if before or new else "body", wrap=True))
            if written is not None:
                line = row(0)
                line.addWidget(Badge(confirmed_words(written), "warning"))
                line.addStretch(1)
                stack.addLayout(line)
            grid.addWidget(holder, at, 1)
        grid.setColumnStretch(0, 2)
        grid.setColumnStretch(1, 5)
        self._page.body.addLayout(grid)

    def _whence(self, found: UpdateDetails) -> None:
        proposal = found.proposal
        said = tr("{source}, read {when}", source=source_name(proposal.source), when=day_time(proposal.seen_at))
        parts = [said, proposal.sector_name]
        if proposal.decided_at is not None and proposal.person_name:
            parts.append(tr("decided by {person}, {when}", person=proposal.person_name,
                            when=day_time(proposal.decided_at)))
        self._page.body.addWidget(Text(" · ".join(part for part in parts if part), "caption", "faint", wrap=True))


def in_words(field: str, value: object, *, country: str | None, now: datetime) -> str:
    """A value as a person reads it: opening hours as a sentence where they are a week."""
    if field == "opening_hours" and isinstance(value, str):
        plan = plan_of(value, country, now)
        return hours.plan_sentence(plan) if plan is not None else value
    return value_words(field, value)


def _writer(field: str, found: UpdateDetails) -> Written | None:
    names = ("lat_e7", "lon_e7") if field == "position" else (field,)
    return next((found.written[name] for name in names if name in found.written), None)


def confirmed_words(written: Written) -> str:
    """``confirmed by Asha Raman on 12 Oct``."""
    person = written.person or tr("somebody")
    if written.at is None:
        return tr("confirmed by {person}", person=person)
    return tr("confirmed by {person} on {day}", person=person, day=date(written.at.astimezone().date(), "d"))


def _known(outlet: Outlet, say: Say) -> list[tuple[str, str]]:
    """What helps to decide."""
    lines = [
        (tr("Type of store"), labels.store_type(outlet.store_type)), (tr("Banner"), outlet.banner or ""),
        (tr("Address"), outlet.address), (tr("Phone"), outlet.phone or ""),
        (tr("Opening hours"), say("opening_hours", outlet.opening_hours)),
        (tr("State"), labels.outlet_state(outlet.state)),
    ]  # fmt: skip
    return [(name, value) for name, value in lines if value]
