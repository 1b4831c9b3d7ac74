"""The orders of the store: the last ones, and one being taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from PySide6.QtCore import QDate, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from fieldcrm.domain.errors import CodedError
from fieldcrm.domain.ids import Id
from fieldcrm.ui import labels, theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.outlet.order_table import OrderTable
from fieldcrm.ui.outlet.parts import Section
from fieldcrm.ui.widgets import Badge, Button, DateField, Divider, FlowLayout, NumberField, SearchField, Text
from fieldcrm.usecases import orders
from fieldcrm.usecases.card import Card as OutletCard
from fieldcrm.usecases.orders import QUANTITY_MOST, Choice, Order, OrderDetails, OrderLine
from fieldcrm.words import date as day_words
from fieldcrm.words import money, number, since, tr, trc, trn

SHOWN = 3
LINES_SHOWN = 3
TONES = {"placed": "accent", "delivered": "success", "cancelled": "neutral"}


def total_words(lines: list[OrderLine]) -> str:
    """“4 products · 34 units · €123.40”; what has no price is said."""
    units = sum(line.quantity for line in lines)
    facts = [
        trn("{n} product", "{n} products", len(lines)),
        trn("{n} unit", "{n} units", units),
        money(sum(line.amount_minor for line in lines)),
    ]
    if any(line.price_minor is None for line in lines):
        facts.append(tr("some without a price"))
    return " · ".join(facts)


class OrderForm(QWidget):
    """A new order, or ``order`` being changed. Ctrl+Enter saves, Esc leaves."""

    def __init__(self, section: Orders, choices: tuple[Choice, ...], order: Order | None, today: date) -> None:
        super().__init__()
        self._section, self.order = section, order
        self._choices = {choice.product_id: choice for choice in choices}
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, theme.space(1), 0, theme.space(2))
        lines.setSpacing(theme.space(2))
        self.search = SearchField(tr("Find a product"))
        self.table = OrderTable(choices, order.lines if order else ())
        self.search.searched.connect(self.table.show_products)
        self.search.left.connect(lambda: self.table.setFocus(Qt.FocusReason.OtherFocusReason))
        lines.addWidget(self.search)
        lines.addWidget(self.table)
        lines.addWidget(self._by_hand())
        self.total = Text("", "body-strong", wrap=True)
        lines.addWidget(self.total)
        lines.addWidget(self._terms(today))
        self.wrong = Text("", "caption", "danger", wrap=True)
        self.wrong.hide()
        lines.addWidget(self.wrong)
        lines.addWidget(self._buttons())
        self.table.changed.connect(self._say)
        self.table.current_changed.connect(lambda _: self._say())
        self.table.finished.connect(self.save)
        self._say()

    def _by_hand(self) -> QWidget:
        """For who does not type into the table."""
        holder = QWidget()
        across = QHBoxLayout(holder)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(theme.space(2))
        hint = tr("Digits set the quantity, + and − change it, Enter goes to the next product.")
        across.addWidget(Text(hint, "caption", "muted", wrap=True), 1)
        self.quantity = NumberField(0, QUANTITY_MOST)
        self.quantity.setFixedWidth(theme.pixels(76))
        self.quantity.setAccessibleName(tr("Quantity of the chosen product"))
        self.quantity.valueChanged.connect(self._entered)
        across.addWidget(self.quantity)
        return holder

    def _terms(self, today: date) -> QWidget:
        holder = QWidget()
        flow = FlowLayout(holder, 2)
        wanted = self.order.wanted_on if self.order else None
        self.has_day = QCheckBox(trc("order", "Wanted on"))
        self.has_day.setChecked(wanted is not None)
        day = wanted or today
        self.day = DateField()
        self.day.setAccessibleName(trc("order", "Wanted on"))
        self.day.setDate(QDate(day.year, day.month, day.day).addDays(0 if wanted else 2))
        self.day.setEnabled(wanted is not None)
        self.has_day.toggled.connect(self.day.setEnabled)
        self.note = QLineEdit(self.order.note or "" if self.order else "")
        self.note.setAccessibleName(tr("Note for the delivery"))
        self.note.setPlaceholderText(tr("Note for the delivery"))
        self.note.setMinimumWidth(theme.pixels(200))
        for widget in (self.has_day, self.day, self.note):
            flow.addWidget(widget)
        return holder

    def _buttons(self) -> QWidget:
        holder = QWidget()
        flow = FlowLayout(holder, 2)
        flow.addWidget(Button(tr("Save the order"), "primary", on_click=self.save))
        flow.addWidget(Button(tr("Cancel"), "ghost", on_click=self._section.leave))
        self.again = Button(tr("Same as last time"), "ghost", "repeat", self.same_as_last)
        self.again.setVisible(any(choice.last for choice in self._choices.values()))
        flow.addWidget(self.again)
        return holder

    def same_as_last(self) -> None:
        """The quantities of the last order, at today's prices."""
        found = self._choices.values()
        again = [OrderLine(one.product_id, one.last, one.price_minor) for one in found if one.last]
        self.table.fill(again)
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def _entered(self, quantity: int) -> None:
        product = self.table.current_id()
        if product is not None and self.table.quantity(product) != quantity:
            self.table.set_quantity(product, quantity)

    def _say(self) -> None:
        lines = self.table.lines()
        self.total.setText(total_words(lines) if lines else tr("Nothing is ordered yet."))
        self.total.set_tone("" if lines else "muted")
        product = self.table.current_id()
        self.quantity.setEnabled(product is not None)
        self.quantity.blockSignals(True)
        self.quantity.setValue(self.table.quantity(product) if product is not None else 0)
        self.quantity.blockSignals(False)
        self.wrong.hide()

    def save(self) -> None:
        wanted = self.day.date().toPython() if self.has_day.isChecked() else None
        assert wanted is None or isinstance(wanted, date)
        self._section.save(self.order, OrderDetails(self.table.lines(), wanted, self.note.text()))

    def refuse(self, error: BaseException) -> None:
        """Say why; at a product its line is shown."""
        words = sentence(error)
        field = error.field if isinstance(error, CodedError) else None
        choice = next((one for id_, one in self._choices.items() if id_.hex == field), None)
        if choice is not None:
            self.table.select_id(choice.product_id)
            words = tr("{what}: {name}", what=choice.name, name=words)
        self.wrong.setText(words)
        self.wrong.show()
        (self.day if field == "wanted_on" else self.table).setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._section.leave()
            return
        super().keyPressEvent(event)


class Orders(Section):
    def __init__(self, session: AppSession) -> None:
        super().__init__(tr("Orders"))
        self._session = session
        self._card: OutletCard | None = None
        self._open = False
        self.form: OrderForm | None = None
        self.again_button = self.add_action(tr("Same again"), "repeat", self.begin_again)
        self.new_button = self.add_action(tr("Take an order"), "plus", self.begin_new)

    def show_card(self, card: OutletCard, now: datetime) -> None:
        self._card = card
        self.title.set_count(number(len(card.orders)) if card.orders else "")
        live = card.outlet.state != "closed"
        self.new_button.setEnabled(live)
        self.again_button.setVisible(live and any(order.state != "cancelled" for order in card.orders))
        if self.form is None:
            self._show()

    def _show(self) -> None:
        assert self._card is not None
        self.empty()
        self.form = None
        found = self._card.orders
        shown = found if self._open else found[:SHOWN]
        for at, order in enumerate(shown):
            if at:
                self.content.addWidget(Divider())
            self.content.addWidget(self._line(order))
        if not found:
            self.say_nothing(tr("No order was taken here yet."))
        if len(found) > SHOWN:
            words = tr("Show fewer") if self._open else tr("Show all {n}", n=number(len(found)))
            icon = "chevron-up" if self._open else "chevron-down"
            self.content.addWidget(Button(words, "ghost", icon, self._toggle), 0, Qt.AlignmentFlag.AlignLeft)

    def _toggle(self) -> None:
        self._open = not self._open
        self._show()

    def _line(self, order: Order) -> QWidget:
        assert self._card is not None
        card, now = self._card, self._session.clock()
        holder = QWidget()
        lines = QVBoxLayout(holder)
        lines.setContentsMargins(0, theme.space(1), 0, theme.space(1))
        lines.setSpacing(theme.space(0.5))
        top = QHBoxLayout()
        top.setSpacing(theme.space(2))
        faded = "muted" if order.state == "cancelled" else ""
        top.addWidget(Text(total_words(list(order.lines)), "body-medium", faded, wrap=True), 1)
        if order.here:
            top.addWidget(Badge(tr("Saved on this device"), "warning"), 0, Qt.AlignmentFlag.AlignTop)
        state = Badge(labels.order_state(order.state), TONES.get(order.state, "neutral"))
        top.addWidget(state, 0, Qt.AlignmentFlag.AlignTop)
        lines.addLayout(top)
        wanted = trc("order", "wanted on {day}", day=day_words(order.wanted_on, "day")) if order.wanted_on else ""
        facts = (card.people.get(order.person_id, ""), since(order.placed_at, now), wanted)
        lines.addWidget(Text(" · ".join(fact for fact in facts if fact), "caption", "muted", wrap=True))
        lines.addWidget(Text(self._products(order), "caption", "faint", wrap=True))
        if order.note:
            lines.addWidget(Text(order.note, "caption", wrap=True))
        if orders.may_change(order, self._session.actor):
            lines.addWidget(self._verbs(order))
        return holder

    def _products(self, order: Order) -> str:
        assert self._card is not None
        named = [
            tr("{n} × {product}", n=number(line.quantity), product=self._card.products.get(line.product_id, "—"))
            for line in sorted(order.lines, key=lambda line: -line.quantity)
        ]
        if len(named) > LINES_SHOWN:
            rest = len(named) - LINES_SHOWN
            named = [*named[:LINES_SHOWN], trn("and {n} more", "and {n} more", rest)]
        return ", ".join(named)

    def _verbs(self, order: Order) -> QWidget:
        holder = QWidget()
        flow = FlowLayout(holder, 1)
        for words, icon, act in (
            (tr("Delivered"), "check", self._doer(orders.deliver, order.id)),
            (tr("Change"), "pencil", lambda: self.begin_change(order)),
            (tr("Cancel it"), "", self._doer(orders.cancel, order.id)),
        ):
            flow.addWidget(Button(words, "quiet", icon, act))
        return holder

    def _doer(self, verb: Callable[..., None], order: Id) -> Callable[[], None]:
        return lambda: self._session.do(lambda tx: verb(tx, order), self._landed, self.say_error)

    # ---- one being taken ----

    def begin_new(self) -> None:
        self._begin(None)

    def begin_again(self) -> None:
        """A new order with the quantities of the last one."""
        self._begin(None)
        if self.form is not None:
            self.form.same_as_last()

    def begin_change(self, order: Order) -> None:
        self._begin(order)

    def _begin(self, order: Order | None) -> None:
        assert self._card is not None
        outlet, now = self._card.outlet.id, self._session.clock()
        on = order.placed_at if order else now
        also = [line.product_id for line in order.lines] if order else []
        found = self._session.ask(lambda r: orders.choices(r, outlet, on, also))
        self.empty()
        if not found:
            self.form = None
            self.say_nothing(tr("There is no product to order: the catalogue comes from headquarters."))
            return
        self.form = OrderForm(self, found, order, now.astimezone().date())
        self.content.addWidget(self.form)
        self.form.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def leave(self) -> None:
        self._show()
        self.new_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def save(self, order: Order | None, details: OrderDetails) -> None:
        assert self._card is not None and self.form is not None
        outlet, refuse = self._card.outlet.id, self.form.refuse
        if order is None:
            self._session.do(lambda tx: orders.place(tx, outlet, details), self._landed, refuse)
        else:
            self._session.do(lambda tx: orders.change(tx, order.id, details), self._landed, refuse)

    def _landed(self, _: object = None) -> None:
        self.form = None
        self.say_saved(self._session)
