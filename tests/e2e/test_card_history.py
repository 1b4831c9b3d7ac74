"""Two people and headquarters over real HTTP: the history of an outlet, taking back what the other did, and orders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from fieldcrm.domain.contact import ContactDetails
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.domain.task import TaskDetails
from fieldcrm.store import outlets as stored
from fieldcrm.store.tables import T
from fieldcrm.usecases import card, contacts, orders, outlets, past, tasks, undo
from fieldcrm.usecases.timeline import HistoryLine, Timeline
from sync.columns import to_milliseconds
from tests.e2e.test_syncing import Laptop, company, laptop, real_now, site  # noqa: F401
from tests.server.conftest import Company
from tests.server.wire import BareDevice


def ask(one: Laptop, shop: Id, *, older: bool = False) -> Timeline:
    """As the card does: question, answer over the line of the supervisor, keep, read."""
    question = one.read(lambda r: past.question(r, shop, older=older))
    answers = past.ask(one.supervisor, question, now=real_now()) if question else None
    if answers is not None:
        one.do(lambda tx: past.keep(tx, answers))
    return shown(one, shop)


def shown(one: Laptop, shop: Id) -> Timeline:
    return shown_card(one, shop).history


def shown_card(one: Laptop, shop: Id) -> card.Card:
    made: card.Card = one.read(lambda r: card.card(r, shop, one.signed.actor, now=real_now()))
    return made


def line_of(history: Timeline, label: str) -> HistoryLine:
    return next(line for line in history.lines if line.label == label)


def meet(*laptops: Laptop) -> None:
    for _ in range(2):
        for one in laptops:
            assert one.supervisor.run_once() is not None, one.supervisor.state.problem


def test_each_sees_what_the_other_did_and_may_take_it_back(
    company: Company, laptop: Callable[..., Laptop]  # noqa: F811
) -> None:
    rita, mona = laptop(company, "rita"), laptop(company, "mona")
    meet(rita, mona)
    shop = company.outlets["West shop"]
    rita.do(lambda tx: outlets.edit_outlet(tx, shop, {"phone": "01 40 00 00 01"}))
    made = rita.do(lambda tx: contacts.add_contact(tx, shop, ContactDetails("Paul Vial", "Chef", "06 00 00 00 00")))
    rita.do(lambda tx: tasks.add_task(tx, shop, TaskDetails("promise", "Deux facings", None, "Paul Vial")))
    rita.do(lambda tx: tasks.add_note(tx, shop, "Livraison par la cour"))
    meet(rita, mona)
    rita.do(lambda tx: contacts.remove_contact(tx, made))
    meet(rita, mona)

    before = shown(mona, shop)
    assert before.as_of is None
    history = ask(mona, shop)
    assert history.as_of is not None and not history.more
    labels = {line.label for line in history.lines}
    assert {"outlet.phone", "contact.new", "contact.removed", "promise.new", "note.new", "outlet.new"} <= labels
    phone = line_of(history, "outlet.phone")
    assert (phone.person, phone.device, phone.here) == ("Rita", "laptop", False)
    assert [(one.field, one.was, one.now) for one in phone.fields] == [("phone", None, "01 40 00 00 01")]
    removed = line_of(history, "contact.removed")
    assert removed.subject == "Paul Vial" and removed.undoable

    mona.do(lambda tx: undo.undo_told(tx, shop, removed.places))
    mona.do(lambda tx: undo.undo_told(tx, shop, phone.places))
    meet(mona, rita)
    assert rita.read(stored.read_outlet, shop).phone is None
    assert [one.name for one in shown_card(rita, shop).contacts] == ["Paul Vial"]
    mine = ask(rita, shop)
    assert len([line for line in mine.lines if line.label == "outlet.phone" and line.here]) == 1  # told once, not twice
    assert any(line.person == "Mona" for line in mine.lines)


def test_an_erased_person_is_in_no_history_any_more_here_or_there(
    company: Company, laptop: Callable[..., Laptop]  # noqa: F811
) -> None:
    rita, mona = laptop(company, "rita"), laptop(company, "mona")
    meet(rita, mona)
    shop = company.outlets["West shop"]
    made = rita.do(lambda tx: contacts.add_contact(tx, shop, ContactDetails("Mme Lefort", None, "06 11 11 11 11")))
    meet(rita, mona)
    rita.do(lambda tx: contacts.edit_contact(tx, made, ContactDetails("Mme Lefort", None, "06 77 77 77 77")))
    meet(rita, mona)
    assert "06 77" in str(ask(mona, shop))
    company.hq.erasures.erase_person(company.org, made, now=real_now())
    meet(mona)
    with mona.db.read() as reader:
        assert reader.conn.execute(select(func.count()).select_from(T.past_change)).scalar_one() == 0
    history = ask(mona, shop)
    assert "06 77" not in str(history) and "06 11" not in str(history) and "Lefort" not in str(history)
    erased = [change for line in history.lines for change in line.fields if change.erased]
    assert [change.field for change in erased] == ["phone"]


def test_orders_reach_everybody_and_headquarters_checks_them(
    company: Company, laptop: Callable[..., Laptop]  # noqa: F811
) -> None:
    product = company.add("product", name="Biscuits", own=True, active=True)
    company.add("price", product_id=product, amount_minor=250)
    rita, mona = laptop(company, "rita"), laptop(company, "mona")
    meet(rita, mona)
    shop = company.outlets["West shop"]
    (choice,) = rita.read(orders.choices, shop, real_now())
    assert (choice.name, choice.price_minor) == ("Biscuits", 250)
    wanted = real_now().date() + timedelta(days=2)
    details = orders.OrderDetails([orders.OrderLine(product, 12, choice.price_minor)], wanted, "Cour")
    made = rita.do(lambda tx: orders.place(tx, shop, details))
    meet(rita, mona)
    (order,) = mona.read(orders.of_outlet, shop)
    assert (order.id, order.amount_minor, order.wanted_on, order.note) == (made, 3000, wanted, "Cour")
    assert not order.here
    mona.do(lambda tx: orders.deliver(tx, made))  # a manager settles what a rep took
    meet(mona, rita)
    assert rita.read(orders.of_outlet, shop)[0].state == "delivered"
    assert {"order.new", "order.delivered"} <= {line.label for line in ask(rita, shop).lines}


def test_headquarters_refuses_orders_that_cannot_be(company: Company, site: Any) -> None:  # noqa: F811
    product = company.add("product", name="Biscuits", own=True, active=True)
    shop = company.outlets["West shop"]
    rita, mona = BareDevice(site.url, company, "rita"), BareDevice(site.url, company, "mona")
    good = [{"product_id": product.hex, "quantity": 3, "price_minor": None}]

    def pushed(device: BareDevice, lines: Any, **more: Any) -> str:
        row = {"outlet_id": shop, "person_id": device.person, "placed_at": to_milliseconds(real_now()),
               "state": "placed", "lines": lines, **more}  # fmt: skip
        (result,) = device.push(device.new("sales_order", **row))
        return str(result.code or result.s)

    assert pushed(rita, good) == "applied"
    line = good[0]
    for wrong, code in (
        ([], "wrong_kind"), ("x", "wrong_kind"), ([1], "wrong_kind"), ([{**line, "more": 1}], "wrong_kind"),
        ([{**line, "quantity": 0}], "too_large"), ([{**line, "quantity": 10**6}], "too_large"),
        ([{**line, "quantity": True}], "too_large"), ([{**line, "price_minor": -1}], "too_large"),
        ([{**line, "product_id": "x"}], "wrong_id"), ([{**line, "product_id": "0" * 32}], "no_record"),
        (good * 501, "too_large"),
    ):  # fmt: skip
        assert pushed(rita, wrong) == code, wrong
    assert pushed(mona, good, person_id=rita.person) == "not_your_name"
    assert pushed(rita, good, outlet_id=company.outlets["East shop"]) == "out_of_scope"
    order = new_id(real_now())
    rita.push(rita.new("sales_order", order, outlet_id=shop, person_id=rita.person, lines=good, state="placed",
                       placed_at=to_milliseconds(real_now())))  # fmt: skip
    (gone,) = rita.push(rita.op("del", "sales_order", order))
    (moved,) = rita.push(rita.op("upd", "sales_order", order, person_id=mona.person))
    assert (gone.s, moved.s) == ("rejected", "rejected")
