"""The history of every change: who, when, on which device, what it was and became; and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from fieldcrm.domain.provenance import PERSON
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.outlet.change_words import change_lines, field_words, subject_words
from fieldcrm.ui.outlet.past import SHOWN, Unfolding
from fieldcrm.ui.outlet.trace_words import source_words
from fieldcrm.ui.widgets import Badge, Button, Divider, FlowLayout, IconButton, Text, plain
from fieldcrm.usecases import past, undo
from fieldcrm.usecases.card import Card as OutletCard
from fieldcrm.usecases.card import Custody, HistoryLine
from fieldcrm.words import day_time, since, time, tr, trn

ASKED_AGAIN = timedelta(seconds=30)
FIELDS_SHOWN = 5


class History(Unfolding):
    """Shows what is known, asks headquarters for the rest where there is one, and says how far it goes."""

    def __init__(self, session: AppSession) -> None:
        super().__init__(tr("History"))
        self._session = session
        self._asking = False
        self._asked_at: tuple[object, datetime] | None = None
        self.state = Text("", "caption", "muted", wrap=True)
        self.person, self.field = (self._filter(name) for name in (tr("By person"), tr("By field")))
        self._filters = QWidget()
        flow = FlowLayout(self._filters, 2)
        for box in (self.person, self.field):
            flow.addWidget(box)
        self.body.insertWidget(2, self.state)
        self.body.insertWidget(3, self._filters)
        self.older = Button(tr("Show older changes"), "ghost", "history", self._ask_older)
        self.add(self.older)
        self.older.hide()

    def _filter(self, name: str) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(name)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(14)
        box.activated.connect(lambda _: self._fill())
        return box

    # ---- asking headquarters ----

    def show_card(self, card: OutletCard, now: datetime) -> None:
        super().show_card(card, now)
        if self._asked_at is None or self._asked_at[0] != card.outlet.id or now - self._asked_at[1] > ASKED_AGAIN:
            self.ask()

    def ask(self, *, older: bool = False) -> None:
        """Ask headquarters for what is new, or for what is older; quietly, when there is no line."""
        line, card = self._session.sync, self._card
        if line is None or card is None or self._asking:
            return
        outlet, now = card.outlet.id, self._session.clock()
        self._asked_at = outlet, now
        question = self._session.ask(lambda r: past.question(r, outlet, older=older))
        if question is None:
            return
        self._asking = True
        self._say_state()
        self._session.tasks.run(lambda: past.ask(line, question, now=now), self._answered, self._failed)

    def _ask_older(self) -> None:
        self._open = True
        self.ask(older=True)

    def _answered(self, answers: past.Answers | None) -> None:
        self._asking = False
        if answers is None:
            self._say_state()
            return
        self._session.do(lambda tx: past.keep(tx, answers))

    def _failed(self, error: BaseException) -> None:
        self._asking = False
        self._say_state()
        raise error

    def _say_state(self) -> None:
        assert self._card is not None and self._now is not None
        told = self._card.history
        as_of = "" if told.as_of is None else _moment(told.as_of, self._now)
        if self._asking:
            words = tr("Asking headquarters…")
        elif self._session.sync is None and told.as_of is None:
            words = tr("What this device recorded.")
        elif told.as_of is None:
            words = tr("Only what this device knows; the rest comes when you are connected.")
        elif told.more:
            words = tr("Up to {time}; there is more that is older.", time=as_of)
        else:
            words = tr("Complete as of {time}.", time=as_of)
        self.state.setText(words)
        self.older.setVisible(told.more and self._session.sync is not None)
        self.older.setEnabled(not self._asking)

    # ---- showing ----

    def _fill(self) -> None:
        self.empty()
        assert self._card is not None and self._now is not None
        every = self._card.history.lines
        self._offer(every)
        lines = [line for line in every if self._fits(line)]
        self._say_state()
        for at, line in enumerate(lines[: self._limit(len(lines))]):
            if at:
                self.content.addWidget(Divider())
            self.content.addWidget(self._line(line))
        if not lines:
            nothing = tr("Nothing was changed since it came to this device.")
            self.say_nothing(tr("No change fits the filters.") if every else nothing)
        self._add_more(len(lines))

    def _offer(self, lines: tuple[HistoryLine, ...]) -> None:
        assert self._card is not None
        card = self._card
        people = sorted({line.person for line in lines if line.person})
        fields = {change.field: field_words(change.field, card) for line in lines for change in line.fields}
        _choices(self.person, tr("Everybody"), {name: name for name in people})
        _choices(self.field, tr("All fields"), dict(sorted(fields.items(), key=lambda pair: pair[1].casefold())))
        self._filters.setVisible(len(lines) > SHOWN)

    def _fits(self, line: HistoryLine) -> bool:
        person, field = self.person.currentData(), self.field.currentData()
        by = not person or line.person == person
        return by and (not field or any(change.field == field for change in line.fields))

    def _line(self, line: HistoryLine) -> QWidget:
        assert self._card is not None and self._now is not None
        holder = QWidget()
        lines = QVBoxLayout(holder)
        lines.setContentsMargins(0, theme.space(1), 0, theme.space(1))
        lines.setSpacing(theme.space(0.5))
        top = QHBoxLayout()
        top.setSpacing(theme.space(2))
        what = subject_words(line)
        top.addWidget(Text(what, "body-medium", wrap=True), 1)
        if line.custody is not Custody.SENT or line.here:
            top.addWidget(Badge(*custody_words(line.custody)), 0, Qt.AlignmentFlag.AlignVCenter)
        if line.undoable:
            name = tr("Take back: {what}", what=what)
            back = IconButton("undo-2", name, self._undoer(line), size=15)
            top.addWidget(back, 0, Qt.AlignmentFlag.AlignVCenter)
        lines.addLayout(top)
        said = change_lines(line, self._card)
        for words in said[:FIELDS_SHOWN]:
            lines.addWidget(Text(words, "caption", wrap=True))
        if len(said) > FIELDS_SHOWN:
            more = Text(trn("and {n} more", "and {n} more", len(said) - FIELDS_SHOWN), "caption", "muted")
            more.setToolTip(plain("\n".join(said[FIELDS_SHOWN:])))
            lines.addWidget(more)
        who = Text(self._who(line), "caption", "faint", wrap=True)
        who.setToolTip(plain(day_time(line.at)))
        lines.addWidget(who)
        return holder

    def _who(self, line: HistoryLine) -> str:
        assert self._now is not None
        person = line.person or ("" if line.source == PERSON else source_words(line.source))
        if line.source == "headquarters":
            person = tr("Headquarters")
        elif not person and line.places:
            person = tr("Somebody who is no longer here")
        device = tr("this device") if line.here else line.device
        return " · ".join(part for part in (person, device, since(line.at, self._now)) if part)

    def _undoer(self, line: HistoryLine) -> Callable[[], None]:
        return lambda: self.take_back(line)

    def take_back(self, line: HistoryLine) -> None:
        """Write back what was there before this change, as a change of its own."""
        transaction, outlet = line.transaction, line.outlet_id
        if transaction is not None:
            self._session.do(lambda tx: undo.undo_change(tx, transaction), self._landed, self.say_error)
        elif outlet is not None:
            self._session.do(lambda tx: undo.undo_told(tx, outlet, line.places), self._landed, self.say_error)

    def _landed(self, _: object) -> None:
        self.say_saved(self._session)


def _choices(box: QComboBox, everything: str, choices: dict[str, str]) -> None:
    """Fill anew, with the same choice as before where it is still there."""
    chosen = box.currentData()
    box.clear()
    box.addItem(everything, "")
    for value, words in choices.items():
        box.addItem(words, value)
    box.setCurrentIndex(max(0, box.findData(chosen)))


def _moment(at: datetime, now: datetime) -> str:
    """The time of today, or the day with it."""
    return time(at) if at.astimezone().date() == now.astimezone().date() else day_time(at)


def custody_words(custody: Custody) -> tuple[str, str]:
    return {
        Custody.HERE: (tr("Saved on this device"), "warning"),
        Custody.SENT: (tr("Synced"), "neutral"),
        Custody.REFUSED: (tr("Needs your decision"), "danger"),
    }[custody]
