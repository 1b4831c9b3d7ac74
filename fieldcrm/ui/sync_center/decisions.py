"""What needs a decision: where two people met, side by side with keys; and what headquarters refused."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from fieldcrm.domain.errors import CodedError
from fieldcrm.ui import labels, theme
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.sync_center.choice import ClashCard, FieldChoice
from fieldcrm.ui.sync_center.deeds import Deeds
from fieldcrm.ui.sync_center.head import headed
from fieldcrm.ui.sync_center.phrases import clash_words, record_words
from fieldcrm.ui.sync_center.refused import LetGoCard, RefusalCard
from fieldcrm.ui.widgets import Button, Card, KeyCap, ScrollPage, SectionTitle, Text, clear_layout, painting, row
from fieldcrm.usecases.decisions import Choice, Clash, Sort, Verdict, sort_of
from fieldcrm.usecases.refused import Refusal
from fieldcrm.words import number, tr, trn

SHORT = 430  # pixels below which one does not see the whole of a question: its Confirm then stands below the page


class Decisions(ScrollPage):
    """``show_all`` fills it."""

    def __init__(self, deeds: Deeds) -> None:
        super().__init__(width=960, margin=4, spacing=3)
        self._deeds = deeds
        self._known: tuple[object, ...] = ()
        self.cards: list[Card] = []
        self.bar = ConfirmBar(self, self._confirm_all)
        self.bar.hide()

    def show_all(
        self, clashes: tuple[Clash, ...], refusals: tuple[Refusal, ...], to_call: tuple[str, ...],
        let_go: tuple[Refusal, ...] = (),
    ) -> None:
        """Fill the page; the same things again leave it as it is, with what is half decided."""
        if (clashes, refusals, to_call, let_go) == self._known:
            return
        there = self.focusWidget() is not None and self.isAncestorOf(self.focusWidget())
        at, asked = self.verticalScrollBar().value(), self._focused()
        before = self.clash_cards()
        self._known = (clashes, refusals, to_call, let_go)
        clear_layout(self.body)
        by_record: dict[object, list[Clash]] = {}
        for clash in clashes:
            by_record.setdefault(clash.record_id, []).append(clash)
        self.cards = [*(self._clash(tuple(group)) for group in by_record.values())]
        met = list(self.cards)
        refused: list[Card] = [RefusalCard(refusal, to_call, self._deeds) for refusal in refusals]
        self.cards += refused
        if met:
            self.body.addWidget(self._met_title(list(clashes)))
            self._add(met)
        if refused:
            self.body.addWidget(self._refused_title(list(refusals)))
            self._add(refused)
        if let_go:
            self.body.addWidget(SectionTitle(tr("Let go"), number(len(let_go))))
            self._add([LetGoCard(refusal, self._deeds) for refusal in let_go])
        self.body.addStretch(1)
        self._take_over(before)
        self._fit()
        if there and not self._focus_on(asked):
            self.focus_first()
        elif there:
            QTimer.singleShot(0, lambda: self.verticalScrollBar().setValue(at))

    def clash_cards(self) -> list[ClashCard]:
        return [card for card in self.cards if isinstance(card, ClashCard)]

    def _take_over(self, before: list[ClashCard]) -> None:
        """News that come in the middle of a decision take nothing back that was chosen or typed."""
        focused = self._focused()
        for card in self.clash_cards():
            for old in before:
                card.take_over(old)
            for choice in card.choices:
                choice.chosen.connect(self._count)
        if focused is not None:
            self._focus_on(focused)
        self._count()

    def _focused(self) -> Clash | None:
        inside = (choice for choice in self._choices() if choice.hasFocus() or choice.editor.hasFocus())
        return next((choice.clash for choice in inside), None)

    def _focus_on(self, clash: Clash | None) -> bool:
        for choice in self._choices():
            if clash is not None and choice.clash.id == clash.id:
                typing = choice.choice is Choice.ANOTHER
                (choice.editor if typing else choice).setFocus(Qt.FocusReason.OtherFocusReason)
                return True
        return False

    # ---- where there is little height ----

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """A page too low for a whole question keeps the keys and Confirm in view, for all that was chosen."""
        cards = self.clash_cards()
        short = bool(cards) and self.height() < theme.pixels(SHORT)
        high = self.bar.sizeHint().height() if short else 0
        if self.viewportMargins().bottom() != high:
            self.setViewportMargins(0, 0, 0, high)
        self.bar.setGeometry(0, self.height() - high, self.width(), high)
        self.bar.setVisible(short)
        for card in cards:
            card.foot.setVisible(not short or len(card.choices) > 1)
            for part in card.foot.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
                if isinstance(part, Button) and part is not card.confirm_button:
                    continue
                part.setVisible(not short)

    def _count(self) -> None:
        self.bar.show_count(sum(len(card.verdicts()) for card in self.clash_cards()), len(self._choices()))

    def _confirm_all(self) -> None:
        verdicts = [verdict for card in self.clash_cards() for verdict in card.verdicts()]
        if verdicts:
            self._deeds.decide(verdicts, self._deeds_failed)

    def _add(self, cards: list[Card]) -> None:
        for card in cards:
            self.body.addWidget(card)

    def _met_title(self, clashes: list[Clash]) -> QWidget:
        title = SectionTitle(tr("Changed by two people"), number(len(clashes)))
        if len(clashes) > 1:
            title.add(Button(tr("Theirs for all"), "ghost", "check-check", lambda: self._all(clashes, Choice.THEIRS)))
            title.add(Button(tr("Mine for all"), "ghost", "undo-2", lambda: self._all(clashes, Choice.MINE)))
        return title

    def _refused_title(self, refusals: list[Refusal]) -> QWidget:
        title = SectionTitle(tr("Refused by headquarters"), number(len(refusals)))
        if len(refusals) > 1:
            title.add(Button(tr("Export all…"), "ghost", "download", lambda: self._deeds.export(refusals)))
            title.add(Button(tr("Let all go"), "ghost", "trash-2", lambda: self._deeds.discard(refusals)))
        return title

    def _all(self, clashes: list[Clash], choice: Choice) -> None:
        self._deeds.decide([Verdict(clash, choice) for clash in clashes], self._deeds_failed)

    def _deeds_failed(self, error: BaseException) -> None:
        field = error.field if isinstance(error, CodedError) else None
        for card in self.clash_cards():
            card.refuse(field, sentence(error))

    def all_theirs(self) -> None:
        """Keep what stands in every question of two people."""
        self._everything(Choice.THEIRS)

    def all_mine(self) -> None:
        self._everything(Choice.MINE)

    def _everything(self, choice: Choice) -> None:
        clashes = [clash for card in self.clash_cards() for clash in card.clashes]
        if clashes:
            self._all(clashes, choice)

    def focus_first(self) -> None:
        for card in self.cards[:1]:
            target: QWidget | None = card.choices[0] if isinstance(card, ClashCard) else None
            if isinstance(card, RefusalCard):
                target = card.first()
            if target is not None:
                target.setFocus(Qt.FocusReason.OtherFocusReason)
                self.ensureWidgetVisible(target)

    def _choices(self) -> list[FieldChoice]:
        return [choice for card in self.clash_cards() for choice in card.choices]

    def _move(self, step: int) -> None:
        choices = self._choices()
        here = next((at for at, choice in enumerate(choices) if choice.hasFocus()), 0)
        there = choices[min(max(here + step, 0), len(choices) - 1)]
        there.setFocus(Qt.FocusReason.OtherFocusReason)
        self.ensureWidgetVisible(there)

    def _clash(self, clashes: tuple[Clash, ...]) -> Card:
        card = ClashCard(clashes, self._decide)
        confirm = Button(tr("Confirm"), "primary", "check", card.confirm)
        foot = row(2)
        foot.addWidget(_keys())
        foot.addStretch(1)
        if len(clashes) > 1:
            foot.addWidget(Button(tr("All theirs"), "ghost", on_click=lambda: card.choose_all(Choice.THEIRS)))
            foot.addWidget(Button(tr("All mine"), "ghost", on_click=lambda: card.choose_all(Choice.MINE)))
        foot.addWidget(confirm)
        card.fill(self._head(card, clashes), foot, confirm)
        for choice in card.choices:
            choice.moved.connect(self._move)
        return card

    def _decide(self, card: ClashCard, verdicts: list[Verdict]) -> None:
        def failed(error: BaseException) -> None:
            card.refuse(error.field if isinstance(error, CodedError) else None, sentence(error))

        self._deeds.decide(verdicts, failed)

    def _head(self, card: Card, clashes: tuple[Clash, ...]) -> QWidget:
        first = clashes[0]
        if sort_of(first) is not Sort.FIELD:
            what = "" if first.record_name else record_words((first.collection,), "")[0]
        else:
            what = labels.field_name(first.field) if len(clashes) == 1 else trn("{n} field", "{n} fields", len(clashes))
        title = " · ".join(part for part in (first.outlet_name, first.record_name, what) if part)
        return headed(card, "git-compare", title, clash_words(first), first.outlet_id, self._deeds.open_outlet)


class ConfirmBar(QFrame):
    """The keys, how much was chosen, and the one button, at the foot of a page that is too low for more."""

    def __init__(self, parent: QWidget, confirm: Callable[[], None]) -> None:
        super().__init__(parent)
        line = QHBoxLayout(self)
        line.setContentsMargins(theme.space(5), theme.space(2), theme.space(5), 0)
        line.addWidget(_keys())
        line.addStretch(1)
        self.count = Text("", "caption", "muted")
        line.addWidget(self.count)
        line.addSpacing(theme.space(2))
        self.confirm = Button(tr("Confirm"), "primary", "check", confirm)
        line.addWidget(self.confirm)

    def show_count(self, chosen: int, asked: int) -> None:
        self.count.setText(tr("{n} of {all} chosen", n=number(chosen), all=number(asked)) if asked > 1 else "")
        self.confirm.setEnabled(chosen > 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        painter.fillRect(self.rect(), theme.qcolor(color.surface))
        painter.fillRect(0, 0, self.width(), 1, theme.qcolor(color.border))
        painter.end()


def _keys() -> QWidget:
    holder = QWidget()
    line = row(1.5)
    holder.setLayout(line)
    for key, does in (("1 2 3", tr("choose")), ("J K", tr("go on")), ("↵", tr("confirm"))):
        line.addWidget(KeyCap(key))
        line.addWidget(Text(does, "caption", "faint"))
    return holder
