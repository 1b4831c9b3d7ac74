"""The brief in twenty seconds: what to do now, whom to see, what was promised, what was missing, what changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from fieldcrm.ui import hours, icons, labels, theme
from fieldcrm.ui.outlet.parts import Tiles
from fieldcrm.ui.widgets import Badge, Button, Card, FlowLayout, Text, clear_layout, column
from fieldcrm.usecases.card import Brief, News, NextAction, ShelfLine
from fieldcrm.usecases.card import Card as OutletCard
from fieldcrm.words import date as day_words
from fieldcrm.words import listing, money, since, tr, trc, trn

SHOWN = 4
NOTE_LENGTH = 90

_LOOKS = {  # icon, tone
    "correct_report": ("undo-2", "danger"),
    "resume_visit": ("play", "accent"),
    "ask_promise": ("hand", "warning"),
    "check_out_of_stock": ("package-x", "warning"),
    "planned": ("calendar-check", "accent"),
    "visit_overdue": ("alarm-clock", "warning"),
    "do_task": ("list-checks", "accent"),
    "find_contact": ("user-plus", "neutral"),
    "confirm_hours": ("clock", "neutral"),
    "nothing": ("circle-check", "success"),
}


class NextBar(Card):
    """The best thing to do now, in one sentence, with its button."""

    def __init__(self, act: Callable[[NextAction], None]) -> None:
        super().__init__(padding=4, spacing=0, tone="accent")
        self._act = act

    def show_next(self, action: NextAction) -> None:
        clear_layout(self.body)
        icon, tone = _LOOKS[action.code]
        self.set_tone(tone)
        across = QHBoxLayout()
        across.setSpacing(theme.space(3))
        sign = Text()
        sign.setPixmap(
            icons.pixmap(icon, theme.pixels(22), theme.current().color.tone(tone).text, self.devicePixelRatioF())
        )
        across.addWidget(sign, 0, Qt.AlignmentFlag.AlignVCenter)
        lines = column(0)
        lines.addWidget(Text(tr("Next best"), "caption", "muted"))
        lines.addWidget(Text(next_words(action), "body-strong", wrap=True))
        across.addLayout(lines, 1)
        verb = next_verb(action)
        if verb:
            across.addWidget(
                Button(verb, "secondary", on_click=lambda: self._act(action)), 0, Qt.AlignmentFlag.AlignVCenter
            )
        self.add(across)


def next_words(action: NextAction) -> str:
    """The best thing to do, as a sentence."""
    plain = {
        "resume_visit": tr("A visit was begun here and not sent: go on with it"),
        "planned": tr("On today’s plan"),
        "find_contact": tr("Find out whom to see: no contact is known"),
        "confirm_hours": tr("Ask for the opening hours: none are known"),
    }
    if action.code in plain:
        return plain[action.code]
    return _SENTENCES[action.code](action.params)


def _correct_words(params: Mapping[str, Any]) -> str:
    return tr("Correct the report that was returned: {title}", title=params["title"])


def _promise_words(params: Mapping[str, Any]) -> str:
    late = trn("{n} day late", "{n} days late", int(params["days"]))
    title = params["title"]
    if params.get("by"):
        return tr("Ask {person} about the promise “{title}” ({late})", person=params["by"], title=title, late=late)
    return tr("Ask about the promise “{title}” ({late})", title=title, late=late)


def _stock_words(params: Mapping[str, Any]) -> str:
    return trn(
        "Check {product}: out of stock at the last {n} visit",
        "Check {product}: out of stock at the last {n} visits",
        int(params["times"]),
        product=params["product"],
    )


def _overdue_words(params: Mapping[str, Any]) -> str:
    if params["never"]:
        return tr("First visit: nobody has been here yet")
    return trn("Visit now: {n} day past its rhythm", "Visit now: {n} days past its rhythm", int(params["days"]))


def _task_words(params: Mapping[str, Any]) -> str:
    title, due = str(params["title"]), params.get("due")
    return tr("{title}, due {day}", title=title, day=day_words(due, "d")) if isinstance(due, date) else title


def _nothing_words(params: Mapping[str, Any]) -> str:
    if not params.get("days"):
        return tr("Nothing pressing here")
    days = int(params["days"])
    return trn("Nothing pressing: next visit in {n} day", "Nothing pressing: next visit in {n} days", days)


_SENTENCES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "correct_report": _correct_words,
    "ask_promise": _promise_words,
    "check_out_of_stock": _stock_words,
    "visit_overdue": _overdue_words,
    "do_task": _task_words,
    "nothing": _nothing_words,
}


def next_verb(action: NextAction) -> str:
    return {
        "correct_report": tr("Correct it"),
        "resume_visit": tr("Resume"),
        "ask_promise": tr("Show it"),
        "check_out_of_stock": tr("Start visit"),
        "planned": tr("Start visit"),
        "visit_overdue": tr("Start visit"),
        "do_task": tr("Show it"),
        "find_contact": tr("Add a contact"),
        "confirm_hours": tr("Enter them"),
    }.get(action.code, "")


class BriefTiles(Tiles):
    """Four tiles that answer four questions."""

    def __init__(self) -> None:
        super().__init__(230)

    def show_card(self, card: OutletCard, now: datetime) -> None:
        brief = card.brief
        self.set_tiles([_see(brief), _promise(brief, card, now), _missing(brief, now), _changed(brief, card, now)])


def _tile(icon: str, question: str, answer: str, style: str = "body-strong") -> Card:
    card = Card(padding=4, spacing=1.5)
    head = QHBoxLayout()
    head.setSpacing(theme.space(1.5))
    sign = Text()
    sign.setPixmap(icons.pixmap(icon, theme.pixels(15), theme.current().color.faint, card.devicePixelRatioF()))
    head.addWidget(sign)
    head.addWidget(Text(question, "caption-strong", "muted"), 1)
    card.add(head)
    if answer:
        card.add(Text(answer, style, wrap=True))
    return card


def _see(brief: Brief) -> Card:
    if brief.see is None:
        card = _tile("user-round", tr("Whom to see"), tr("Nobody known yet"), "body")
    else:
        card = _tile("user-round", tr("Whom to see"), brief.see.name)
        more = " · ".join(part for part in (brief.see.job, labels.unbroken(brief.see.phone)) if part)
        if more:
            card.add(Text(more, "caption", "muted", wrap=True))
    best = ""
    if brief.slots is not None:
        best = tr("Best: {slots}", slots=hours.within_sentence(hours.slots_words(brief.slots)))
    elif brief.usual_hour is not None:
        best = tr("Visits were mostly about {time}", time=hours.clock(brief.usual_hour * 60))
    if best:
        card.add(Text(best, "caption", "muted", wrap=True))
    card.body.addStretch(1)
    return card


def _promise(brief: Brief, card_: OutletCard, now: datetime) -> Card:
    promise = brief.promise
    if promise is None:
        card = _tile("hand", tr("Last promise"), trc("promise", "None"), "body")
        card.body.addStretch(1)
        return card
    card = _tile("hand", tr("Last promise"), promise.title)
    late = promise.overdue_days(now.astimezone().date())
    words, tone = (
        labels.task_state(promise.state),
        {"kept": "success", "broken": "danger"}.get(promise.state, "neutral"),
    )
    if late:
        words, tone = trn("{n} day late", "{n} days late", late), "danger"
    elif promise.state == "open" and promise.due:
        words, tone = tr("due {day}", day=day_words(promise.due, "d")), "accent"
    badges = QWidget()
    FlowLayout(badges, 1.5).addWidget(Badge(words, tone))
    card.add(badges)
    if promise.promised_by:
        card.add(Text(tr("by {person}", person=promise.promised_by), "caption", "muted", wrap=True))
    card.body.addStretch(1)
    return card


def _missing(brief: Brief, now: datetime) -> Card:
    if brief.audited_at is None:
        card = _tile("package-x", tr("Missing last time"), tr("No audit yet"), "body")
    elif not brief.missing:
        card = _tile("package-x", tr("Missing last time"), tr("Nothing: all there"), "body")
    else:
        card = _tile("package-x", tr("Missing last time"), "")
        for line in brief.missing[:SHOWN]:
            card.add(_missing_line(line))
        if len(brief.missing) > SHOWN:
            more = len(brief.missing) - SHOWN
            card.add(Text(trn("and {n} more", "and {n} more", more), "caption", "muted"))
    if brief.audited_at is not None:
        card.add(Text(tr("Audit {when}", when=since(brief.audited_at, now)), "caption", "faint"))
    card.body.addStretch(1)
    return card


def _missing_line(line: ShelfLine) -> Text:
    out = line.seen is not None and line.seen.state == "oos"
    state = tr("out of stock") if out else trc("product", "absent")
    if line.out_of_stock_streak > 1:
        state = trn("out of stock {n} time running", "out of stock {n} times running", line.out_of_stock_streak)
    text = Text(tr("{product}: {state}", product=line.product.name, state=state), "body", wrap=True)
    if line.out_of_stock_streak > 1:
        text.set_tone("danger")
    return text


def _changed(brief: Brief, card_: OutletCard, now: datetime) -> Card:
    if not brief.news:
        card = _tile("git-compare", tr("Changed since last visit"), tr("Nothing by others"), "body")
        card.body.addStretch(1)
        return card
    card = _tile("git-compare", tr("Changed since last visit"), "")
    for news in brief.news[:SHOWN]:
        card.add(Text(news_words(news), "body", wrap=True))
    if len(brief.news) > SHOWN:
        more = len(brief.news) - SHOWN
        card.add(Text(trn("and {n} more", "and {n} more", more), "caption", "muted"))
    people = sorted({news.person for news in brief.news if news.person})
    if people:
        card.add(Text(tr("by {person}", person=listing(people)), "caption", "faint", wrap=True))
    card.body.addStretch(1)
    return card


def news_words(news: News) -> str:
    if news.code == "field":
        field = str(news.params["field"])
        value = news.params.get("value")
        if value is None:
            return tr("{field} changed", field=labels.field_name(field))
        return tr("{field}: {value}", field=labels.field_name(field), value=labels.field_value(field, value))
    if news.code == "report_returned":
        return tr("Your report was returned")
    if news.code == "report_approved":
        return tr("Your report was approved")
    text = " ".join(str(news.params.get("text", "")).split())
    return tr("Note: {text}", text=text if len(text) <= NOTE_LENGTH else text[: NOTE_LENGTH - 1].rstrip() + "…")


def price_words(line: ShelfLine) -> str:
    """The price seen, and the reference when it differs."""
    if line.seen is None or line.seen.price_minor is None:
        return ""
    seen, asked = line.seen.price_minor, line.product.price_minor
    if asked is None or asked == seen:
        return money(seen)
    return tr("{seen} (list {asked})", seen=money(seen), asked=money(asked))
