"""Which store this is among others: group, banner and store as a path, its sector, its distributor, its references."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QWidget

from fieldcrm.domain.ids import Id
from fieldcrm.ui import icons, labels, theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.outlet.parts import Section
from fieldcrm.ui.outlet.trace_words import source_words
from fieldcrm.ui.widgets import Badge, Button, FlowLayout, Text, column
from fieldcrm.usecases import confirming, merging
from fieldcrm.usecases.card import Card as OutletCard
from fieldcrm.usecases.card import SourceRow
from fieldcrm.words import date, listing, percent, since, tr, trn

MISSING_SHOWN = 3
SOURCES_SHOWN = 6


class Identity(Section):
    """``edit`` opens the field of that name."""

    def __init__(self, session: AppSession, edit: Callable[[str], None]) -> None:
        super().__init__(tr("Identity"))
        self._session, self._edit = session, edit
        self._card: OutletCard | None = None
        self.confirm_button = self.add_action(tr("Confirm the data"), "badge-check", self.confirm)
        self.content.setSpacing(theme.space(2.5))

    def show_card(self, card: OutletCard, now: datetime) -> None:
        self._card = card
        self.empty()
        self.confirm_button.setEnabled(card.outlet.state != "closed")
        self.content.addWidget(self._path(card))
        siblings = self._siblings(card)
        if siblings:
            holder = QWidget()
            flow = FlowLayout(holder, 1)
            for words, banners in siblings:
                if banners:
                    flow.addWidget(Button(words, "quiet", "store", self._lister(banners)))
                else:
                    flow.addWidget(Text(words, "caption", "muted"))
            self.content.addWidget(holder)
        self._facts(card, now)
        self._completeness(card, now)
        self._merged(card, now)

    # ---- group › banner › store ----

    def _path(self, card: OutletCard) -> QWidget:
        outlet = card.outlet
        holder = QWidget()
        flow = FlowLayout(holder, 1.5, middle=True)
        steps = (
            (outlet.group_name, "group_name", tr("No group")),
            (outlet.banner, "banner", tr("No banner")),
            (outlet.name, "", ""),
        )
        for at, (value, field, nothing) in enumerate(steps):
            if at:
                flow.addWidget(self._sign("chevron-right"))
            if value:
                flow.addWidget(Text(value, "body-strong" if not field else "body"))
            else:
                button = Button(nothing, "quiet", on_click=self._editor_of(field))
                button.setToolTip(tr("Enter it"))
                flow.addWidget(button)
        spoken = " › ".join(value for value, _, _ in steps if value)
        holder.setAccessibleName(spoken)
        return holder

    def _editor_of(self, field: str) -> Callable[[], None]:
        return lambda: self._edit(field)

    def _sign(self, icon: str) -> Text:
        sign = Text()
        size = theme.pixels(14)
        sign.setPixmap(icons.pixmap(icon, size, theme.current().color.faint, self.devicePixelRatioF()))
        return sign

    def _siblings(self, card: OutletCard) -> list[tuple[str, tuple[str, ...]]]:
        outlet, found = card.outlet, card.identity.hierarchy
        made: list[tuple[str, tuple[str, ...]]] = []
        if outlet.banner and found.same_banner:
            n = found.same_banner
            words = trn("{n} other {banner} store", "{n} other {banner} stores", n, banner=outlet.banner)
            made.append((words, (outlet.banner,)))
        if outlet.group_name and found.same_group > found.same_banner:
            n = found.same_group
            words = trn("{n} other store of {group}", "{n} other stores of {group}", n, group=outlet.group_name)
            made.append((words, found.group_banners))
        return made

    def _lister(self, banners: tuple[str, ...]) -> Callable[[], None]:
        return lambda: self._session.navigator.go("outlets", banners=banners)

    # ---- who serves it, who knows it ----

    def _facts(self, card: OutletCard, now: datetime) -> None:
        outlet, identity = card.outlet, card.identity
        people = listing(list(identity.sector_people))
        sector = tr("{sector} ({people})", sector=card.sector, people=people) if people else card.sector
        rhythm = labels.field_value("visit_interval_days", outlet.visit_interval_days)
        state = [labels.outlet_state(outlet.state), labels.segment(outlet.segment)]
        facts = [
            (tr("State"), ", ".join(part for part in state if part)),
            (tr("Rhythm"), rhythm if outlet.visit_interval_days else ""),
            (tr("Sector"), sector),
            (tr("Distributor"), outlet.distributor or ""),
            (tr("SIRET"), _spaced(outlet.siret)),

        ]
        for name, value in facts:
            if value:
                self.content.addLayout(self._fact(name, value))
        if identity.siret_doubtful:
            self.content.addWidget(
                Text(tr("The check digits of this SIRET do not fit: is a digit wrong?"), "caption", "danger", wrap=True)
            )
        if identity.sources:
            shown = [_reference(source) for source in identity.sources[:SOURCES_SHOWN]]
            if len(identity.sources) > SOURCES_SHOWN:
                shown.append(trn("and {n} more", "and {n} more", len(identity.sources) - SOURCES_SHOWN))
            self.content.addLayout(self._fact(tr("References"), "\n".join(shown)))
        if not outlet.mapped:
            self.content.addLayout(self._fact(tr("On the map"), unplaced_words(card)))
        elif outlet.placing is not None and outlet.placing.state == "doubtful":
            self.content.addLayout(self._fact(tr("On the map"), labels.placing_words(outlet.placing)))

    def _fact(self, name: str, value: str) -> QHBoxLayout:
        across = QHBoxLayout()
        across.setSpacing(theme.space(3))
        label = Text(name, "body", "muted", wrap=True)
        label.setFixedWidth(theme.pixels(124))
        across.addWidget(label, 0, Qt.AlignmentFlag.AlignTop)
        text = Text(value, "body", wrap=True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        across.addWidget(text, 1)
        return across

    # ---- how sure it all is ----

    def _completeness(self, card: OutletCard, now: datetime) -> None:
        identity, confirmed = card.identity, card.outlet.confirmed_at
        lines = column(1)
        bar = QProgressBar()
        bar.setRange(0, 100)
        bar.setValue(identity.completeness)
        bar.setTextVisible(False)
        bar.setFixedHeight(theme.pixels(6))
        bar.setAccessibleName(tr("Completeness: {percent}", percent=percent(identity.completeness / 100)))
        missing = listing([labels.field_name(name).lower() for name in identity.missing[:MISSING_SHOWN]])
        said = tr("{percent} complete", percent=percent(identity.completeness / 100))
        if missing:
            said = tr("{said}; missing: {fields}", said=said, fields=missing)
        lines.addWidget(Text(said, "caption", "muted", wrap=True))
        lines.addWidget(bar)
        when = tr("Nobody has confirmed the data yet.")
        if confirmed is not None:
            when = tr("Confirmed {when}", when=since(confirmed, now))
        lines.addWidget(Text(when, "caption", "faint", wrap=True))
        self.content.addLayout(lines)

    def confirm(self) -> None:
        """One click: what is known was seen to be right."""
        assert self._card is not None
        outlet = self._card.outlet.id
        self._session.do(lambda tx: confirming.confirm_outlet(tx, outlet), self._confirmed, self.say_error)

    def _confirmed(self, _: object) -> None:
        self.say_saved(self._session)

    # ---- what was merged into it ----

    def _separate(self, merge: Id) -> None:
        self._session.do(lambda tx: merging.unmerge(tx, merge), self._confirmed, self.say_error)

    def _merged(self, card: OutletCard, now: datetime) -> None:
        for one in card.identity.merged:
            across = QHBoxLayout()
            across.setSpacing(theme.space(2))
            who = card.people.get(one.person_id, "") if one.person_id else ""
            when = since(one.at, now) if one.at else ""
            place = ", ".join(part for part in (one.name or tr("Another outlet"), one.city) if part)
            lines = column(0.5)
            lines.addWidget(Text(place, "body", wrap=True))
            lines.addWidget(Text(" · ".join(part for part in (who, when) if part), "caption", "faint"))
            across.addWidget(Badge(tr("Merged"), "neutral"), 0, Qt.AlignmentFlag.AlignTop)
            across.addLayout(lines, 1)
            if self._session.is_manager:
                across.addWidget(Button(tr("Separate again"), "quiet", on_click=partial(self._separate, one.id)))
            self.content.addLayout(across)


def unplaced_words(card: OutletCard) -> str:
    """Why an outlet is not on the map."""
    outlet = card.outlet
    if outlet.placing is not None and outlet.placing.state == "refused":
        return labels.placing_words(outlet.placing)
    if not outlet.street and not outlet.city:
        return tr("Not on the map: {reason}", reason=tr("it has no address"))
    return tr("Not on the map yet: its address is looked up when you are connected.")


def _reference(source: SourceRow) -> str:
    name = source_words(source.source)
    when = date(source.imported_at.date(), "d") if source.imported_at else ""
    return ", ".join(part for part in (name, source.reference, source.licence, when) if part)


def _spaced(siret: str | None) -> str:
    """``123 456 789 00012``, as it is written in France."""
    digits = siret or ""
    if len(digits) != 14:
        return digits
    return "\u00a0".join((digits[:3], digits[3:6], digits[6:9], digits[9:]))
