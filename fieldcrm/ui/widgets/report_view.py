"""One report to read: what is remarked, what was decided, photos, the audit beside last time, the answers.

Used by the manager's review and by the rep for a report that was sent; it changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from fieldcrm.domain.ids import Id
from fieldcrm.ui import report_words, theme
from fieldcrm.ui.widgets.audit_table import AuditTable
from fieldcrm.ui.widgets.badges import Avatar, Badge
from fieldcrm.ui.widgets.buttons import Button, IconButton
from fieldcrm.ui.widgets.card import Card, Divider
from fieldcrm.ui.widgets.layouts import FlowLayout, ScrollPage, column, row
from fieldcrm.ui.widgets.photos import PhotoLoader, PhotoStrip, PhotoViewer
from fieldcrm.ui.widgets.signs import Sign
from fieldcrm.ui.widgets.text import ElidedText, SectionTitle, Text
from fieldcrm.usecases.report import Answer, Decided, Report
from fieldcrm.usecases.review import reason_text
from fieldcrm.words import date, day_time, distance, duration, number, time, tr, trn


class ReportView(ScrollPage):
    """``show_report`` fills it. ``version_wanted(id)`` when another version is asked for, ``outlet_wanted(id)`` for
    the store's card.
    """

    version_wanted = Signal(object)
    outlet_wanted = Signal(object)

    def __init__(self, loader: PhotoLoader) -> None:
        super().__init__(width=980, margin=5, spacing=4)
        self._loader = loader
        self._content: QWidget | None = None
        self.tables: list[AuditTable] = []
        self.viewer: PhotoViewer | None = None
        self.report: Report | None = None

    def show_report(self, report: Report | None) -> None:
        """Show ``report`` from its top, or nothing."""
        again = report is not None and self.report is not None and _id(report) == _id(self.report)
        place = self.verticalScrollBar().value() if again else 0
        self.report = report
        if self._content is not None:
            self.body.removeWidget(self._content)
            self._content.deleteLater()
        self._content, self.tables = None, []
        if report is not None:
            self._content = self._build(report)
            self.body.addWidget(self._content)
        self.verticalScrollBar().setValue(place)

    def selected_products(self) -> list[Id]:
        """The audit lines the person has picked, to ask about them."""
        return [id for table in self.tables for id in table.selected_products()]

    def open_photo(self, at: int) -> None:
        if self.report is None or not self.report.photos:
            return
        self.viewer = PhotoViewer(self, self.report.photos, self._loader, at)
        self.viewer.closed.connect(self._viewer_closed)

    def _viewer_closed(self) -> None:
        self.viewer = None
        self.setFocus()

    def _build(self, report: Report) -> QWidget:
        holder = QWidget()
        page = column(4)
        holder.setLayout(page)
        page.addLayout(self._head(report))
        for part in (self._versions(report), self._remarks(report), self._decided(report), self._photos(report)):
            if part is not None:
                page.addWidget(part)
        page.addLayout(self._audit(report))
        answers = self._answers(report)
        if answers is not None:
            page.addWidget(answers)
        page.addStretch(1)
        return holder

    def _head(self, report: Report) -> QGridLayout:
        seen = report.item.report
        head = QGridLayout()
        head.setHorizontalSpacing(theme.space(3))
        head.setVerticalSpacing(theme.space(1))
        words, tone = report_words.state(report.item.state)
        title = row(3)
        title.addWidget(ElidedText(seen.outlet, "title"), 1)
        title.addWidget(IconButton("store", tr("Open the store card"), lambda: self.outlet_wanted.emit(seen.outlet_id)))
        title.addWidget(Badge(words, tone), 0, Qt.AlignmentFlag.AlignVCenter)
        head.addLayout(title, 0, 0)
        where = " · ".join(part for part in (seen.banner, seen.city, report.title) if part)
        head.addWidget(ElidedText(where, "body", "muted"), 1, 0)
        head.addLayout(self._facts(report), 2, 0)
        return head

    def _facts(self, report: Report) -> FlowLayout:
        seen = report.item.report
        facts = FlowLayout(spacing=3)
        facts.addWidget(_fact("", seen.person, avatar=seen.person))
        facts.addWidget(_fact("calendar", date(seen.started_at.date(), "day")))
        hours = time(seen.started_at, seen.zone)
        if seen.ended_at is not None:
            hours = f"{hours} – {time(seen.ended_at, seen.zone)} · {duration(max(1.0, seen.minutes or 0))}"
        facts.addWidget(_fact("clock", hours))
        if seen.distance_m is not None:
            facts.addWidget(_fact("map-pin", tr("{distance} from the store", distance=distance(seen.distance_m))))
        else:
            facts.addWidget(_fact("map-pin-off", tr("no position")))
        facts.addWidget(_fact(*_receipt(report)))
        return facts

    def _versions(self, report: Report) -> QWidget | None:
        if len(report.versions) < 2:
            return None
        holder = QWidget()
        line = row(2)
        holder.setLayout(line)
        line.addWidget(Text(tr("Versions"), "caption-strong", "faint"))
        for at, version in enumerate(report.versions, 1):
            here = version.submission_id == _id(report)
            text = tr("{n}: {when}", n=at, when=day_time(version.submitted_at, report.item.report.zone))
            button = Button(text, "secondary" if here else "ghost")
            button.setEnabled(not here)
            button.clicked.connect(lambda _=False, id=version.submission_id: self.version_wanted.emit(id))
            line.addWidget(button)
        line.addStretch(1)
        return holder

    def _remarks(self, report: Report) -> QWidget | None:
        if not report.item.remarks:
            return None
        card = Card(padding=4, spacing=3, tone="warning")
        for found in report.item.remarks:
            title, text = report_words.remark(found)
            line = row(3)
            line.addWidget(Sign("flag", "warning"), 0, Qt.AlignmentFlag.AlignTop)
            words = column(0.5)
            words.addWidget(Text(title, "body-strong"))
            words.addWidget(Text(text, "body", wrap=True))
            line.addLayout(words, 1)
            card.add(line)
        return card

    def _decided(self, report: Report) -> QWidget | None:
        if not report.decisions:
            return None
        card = Card(padding=4, spacing=3)
        for at, decided in enumerate(report.decisions):
            if at:
                card.add(Divider())
            card.add(_decision_line(decided, report))
        return card

    def _photos(self, report: Report) -> QWidget | None:
        if not report.photos:
            return None
        holder = QWidget()
        part = column(2)
        holder.setLayout(part)
        part.addWidget(SectionTitle(tr("Photos"), number(len(report.photos))))
        strip = PhotoStrip(report.photos, self._loader)
        strip.opened.connect(self.open_photo)
        part.addWidget(strip)
        return holder

    def _audit(self, report: Report) -> QVBoxLayout:
        part = column(2)
        if report.corrects and report.changed_lines:
            names = ", ".join(line.name for line in report.changed_lines[:6])
            part.addWidget(Text(tr("Corrected lines: {names}", names=names), "body-medium", "accent", wrap=True))
        by_category = sorted(report.lines, key=lambda line: line.category)  # stable: keeps the order of the assortment
        for category, lines in groupby(by_category, key=lambda line: line.category):
            group = list(lines)
            missing = sum(line.now.state == "oos" for line in group)
            count = trn("{n} line", "{n} lines", len(group))
            if missing:
                count += " · " + trn("{n} out of stock", "{n} out of stock", missing)
            if self.tables:
                part.addSpacing(theme.space(3))
            part.addWidget(SectionTitle(category or tr("Products"), count))
            table = AuditTable(group, category or tr("Products"))
            self.tables.append(table)
            part.addWidget(table)
        return part

    def _answers(self, report: Report) -> QWidget | None:
        if not report.answers:
            return None
        holder = QWidget()
        part = column(2)
        holder.setLayout(part)
        for group, answers in groupby(report.answers, key=lambda answer: answer.group):
            part.addWidget(SectionTitle(group or tr("Answers")))
            part.addWidget(_answers_card(list(answers)))
        return holder


def _id(report: Report) -> Id:
    return report.item.report.submission_id


def _receipt(report: Report) -> tuple[str, str]:
    """Icon and words: whether headquarters has the report and its photos."""
    received = sum(photo.received for photo in report.photos)
    if not report.item.report.received:
        return "hard-drive", tr("saved on this device")
    if report.item.report.photos_away:
        return "laptop", report_words.photos_away(report.item.report.photos_away, report.item.report.person)
    if received == len(report.photos):
        return "check-check", tr("received at headquarters")
    return "cloud", tr("received, {got} of {n} photos", got=number(received), n=number(len(report.photos)))


def _fact(icon: str, text: str, avatar: str = "") -> QWidget:
    holder = QWidget()
    line = row(1.5)
    holder.setLayout(line)
    if avatar:
        line.addWidget(Avatar(avatar, 22))
    else:
        line.addWidget(Sign(icon, "muted", 16))
    line.addWidget(Text(text, "body-medium" if avatar else "body", "" if avatar else "muted"))
    holder.setMinimumHeight(theme.pixels(22))
    return holder


def _decision_line(decided: Decided, report: Report) -> QWidget:
    holder = QWidget()
    line = row(3)
    holder.setLayout(line)
    words, tone, icon = report_words.decision(decided.decision)
    line.addWidget(Sign(icon, tone), 0, Qt.AlignmentFlag.AlignTop)
    text = column(0.5)
    who = tr("{what} by {person}", what=words, person=decided.person) if decided.person else words
    text.addWidget(Text(f"{who} · {day_time(decided.at, report.item.report.zone)}", "body-strong", wrap=True))
    why = " — ".join(part for part in (reason_text(decided.reason or ""), decided.note) if part)
    if why:
        text.addWidget(Text(why, "body", "muted", wrap=True))
    asked = [line.name for line in report.lines if report.nodes.get(line.product_id) in decided.nodes]
    if asked:
        text.addWidget(Text(tr("About: {names}", names=", ".join(asked)), "caption", "faint", wrap=True))
    line.addLayout(text, 1)
    return holder


def _answers_card(answers: Sequence[Answer]) -> Card:
    card = Card(padding=4, spacing=2.5)
    for at, answer in enumerate(answers):
        if at:
            card.add(Divider())
        line = row(4)
        label = Text(answer.label, "body", "muted", wrap=True)
        label.setFixedWidth(theme.pixels(200))
        line.addWidget(label, 0, Qt.AlignmentFlag.AlignTop)
        value = column(0.5)
        value.addWidget(Text(answer.value or "–", "body-medium", wrap=True))
        if answer.changed:
            before = answer.earlier or tr("no answer")
            value.addWidget(Text(tr("before the correction: {value}", value=before), "caption", "accent", wrap=True))
        line.addLayout(value, 1)
        card.add(line)
    return card
