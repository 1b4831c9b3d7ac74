"""The history of a card: who, when, on which device and what; filtered, taken back, and known without a network."""

# ruff: noqa: F811 (a fixture that is imported has the name of the parameter that asks for it)

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import new_id
from fieldcrm.store import past as told
from fieldcrm.store.database import Transaction
from fieldcrm.store.tables import T
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.outlet import OutletScreen
from fieldcrm.usecases import card as cards
from fieldcrm.usecases import past, undo
from sync.client.failures import Offline
from sync.columns import to_milliseconds
from sync.protocol import PastEntry, PastPage
from tests.ui.full_card import entries
from tests.ui.opened_card import opened, read, said, screen, session, verbs  # noqa: F401
from tests.world import World, an_id


def test_the_history_says_who_when_on_which_device_and_what(screen: OutletScreen) -> None:
    screen.history._toggle()
    text = said(screen.history)
    for line in (
        "Phone: 01 40 26 00 00 → 01 40 26 00 17", "Dominique Vasseur · PC-DOMINIQUE · yesterday",
        "Removal of a contact: Paul Vial", "Phone: erased", "Position: nothing → 48.86100, 2.34600",
        "Camille Roux · PC-CAMILLE", "New outlet", "Headquarters",
    ):  # fmt: skip
        assert line in text, line


def test_the_history_is_filtered_by_person_and_by_field(qtbot: Any, screen: OutletScreen) -> None:
    history = screen.history
    history.person.setCurrentIndex(history.person.findData("Camille Roux"))
    history._fill()
    qtbot.waitUntil(lambda: "PC-DOMINIQUE" not in said(history))
    assert "Segment: C → B" in said(history)
    history.field.setCurrentIndex(history.field.findData("phone"))
    history._fill()
    qtbot.waitUntil(lambda: "Segment" not in said(history))
    assert "No change fits" in said(history)
    history.person.setCurrentIndex(0)
    history._fill()
    assert "01 40 26 00 17" in said(history)


def test_what_another_person_changed_is_taken_back_unless_somebody_changed_it_since(
    qtbot: Any, session: AppSession, screen: OutletScreen, world: World
) -> None:
    def line_of(label: str) -> Any:
        assert screen.card is not None
        return next(line for line in screen.card.history.lines if line.label == label and line.places)

    screen.history.take_back(line_of("outlet.phone"))
    qtbot.waitUntil(lambda: read(session, world).phone == "01 40 26 00 00")
    qtbot.waitUntil(lambda: "Undo: change: phone" in said(screen.history))
    screen.history.take_back(line_of("outlet.phone"))
    qtbot.waitUntil(lambda: "changed again since" in screen.history.saved.text())
    assert read(session, world).phone == "01 40 26 00 00"
    screen.history.take_back(line_of("contact.removed"))
    qtbot.waitUntil(lambda: "Paul Vial" in said(screen.people))
    screen.history.take_back(line_of("contact.removed"))  # twice makes no second one
    qtbot.waitUntil(lambda: "changed again since" in screen.history.saved.text())
    assert said(screen.people).count("Paul Vial") == 1


def test_a_rep_may_not_take_back_what_managers_decide(session: AppSession, world: World, now: datetime) -> None:
    shown = session.ask(lambda r: cards.card(r, world.outlets[0], world.rep, now=now)).history.lines
    theirs = next(line for line in shown if any(change.field == "segment" for change in line.fields))
    assert not theirs.undoable
    with pytest.raises(DomainError, match="nothing_to_undo"):
        session.db.write(
            lambda tx: undo.undo_told(tx, world.outlets[0], theirs.places), actor=world.rep, now=now
        ).result()
    as_manager = session.ask(lambda r: cards.card(r, world.outlets[0], world.manager, now=now)).history.lines
    assert next(line for line in as_manager if line.places == theirs.places).undoable


class Headquarters:
    """Answers as the server does: pages of two, or nothing at all."""

    def __init__(self, every: list[PastEntry], *, offline: bool = False) -> None:
        self.every, self.offline, self.asked = every, offline, 0

    def history(self, collection: str, id: str, before: str = "") -> PastPage:
        if self.offline:
            raise Offline()
        if id != an_id("outlet-0").hex:
            return PastPage(1, [])  # of the outlet that was merged into it
        self.asked += 1
        rest = [one for one in self.every if not before or one.rev < int(before.partition(".")[0])]
        page = rest[:2]
        return PastPage(1, page, f"{page[-1].rev}.0" if len(rest) > 2 else "")


def kept(session: AppSession, world: World, line: Headquarters, now: datetime, *, older: bool = False) -> Any:
    asked = session.ask(lambda r: past.question(r, world.outlets[0], older=older))
    answers = past.ask(line, asked, now=now) if asked else None
    if answers is not None:
        session.db.write(lambda tx: past.keep(tx, answers), actor=world.rep, now=now).result()
    return session.ask(lambda r: cards.card(r, world.outlets[0], world.rep, now=now)).history


def test_headquarters_is_asked_only_for_what_is_new_and_is_not_needed_afterwards(
    session: AppSession, world: World, now: datetime
) -> None:
    every = entries(world, now)
    fresh = PastEntry(99, 0, 8, world.outlets[0].hex, "upd", to_milliseconds(now), set={"email": "a@b.example"})
    line = Headquarters([fresh, *every])
    shown = kept(session, world, line, now)
    assert line.asked == 1 and shown.as_of == now and not shown.more
    assert shown.lines[0].fields[0].now == "a@b.example" and len([one for one in shown.lines if one.places]) == 8
    offline = kept(session, world, Headquarters([], offline=True), now + timedelta(hours=1))
    assert offline.lines == shown.lines and offline.as_of == now


def test_when_too_much_is_new_the_rest_comes_on_demand(session: AppSession, world: World, now: datetime) -> None:
    shop = world.outlets[0]
    every = [
        PastEntry(1000 - n, 0, 8, shop.hex, "upd", to_milliseconds(now) - n, set={"email": f"{n}@b.example"})
        for n in range(30)
    ]
    shown = kept(session, world, Headquarters(every), now)
    assert shown.more and len([one for one in shown.lines if one.places]) == 2 * past.PAGES
    shown = kept(session, world, Headquarters(every), now, older=True)
    assert len([one for one in shown.lines if one.places]) == 2 * past.PAGES + 2


def test_what_was_told_leaves_with_the_outlet_and_with_anybody_who_is_erased(
    session: AppSession, world: World, now: datetime
) -> None:
    def count() -> int:
        return len(session.ask(lambda r: told.changes_of(r, [world.outlets[0]])))

    assert count() == 7

    def order(tx: Transaction) -> None:
        with tx.uncaptured():
            tx.conn.execute(insert(T.erasure).values(id=new_id(now), mark="0" * 32, at=now, rev=1))

    asked = session.ask(lambda r: past.question(r, world.outlets[0]))
    assert asked is not None
    late = past.ask(Headquarters(entries(world, now)), asked, now=now)
    session.db.write(order, actor=world.rep, now=now).result()
    assert count() == 0
    session.db.write(lambda tx: past.keep(tx, late), actor=world.rep, now=now).result()  # it was asked before
    assert count() == 0
    assert len([one for one in kept(session, world, Headquarters(entries(world, now)), now).lines if one.places]) == 7

    def gone(tx: Transaction) -> None:
        with tx.uncaptured():
            tx.conn.execute(T.outlet.delete().where(T.outlet.c.id == world.outlets[0]))

    session.db.write(gone, actor=world.rep, now=now).result()
    assert count() == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.dictionaries(
    st.sampled_from(["phone", "lat_e7", "custom", "due", "state", "lines", "placing", "name", "x"]), JSON, max_size=4
)
GARBAGE = st.builds(
    PastEntry, st.integers(), st.integers(), st.integers(-3, 40), st.text(max_size=33) | st.just("0" * 32),
    st.sampled_from(["new", "upd", "del"]), st.integers(), st.integers(), st.none() | st.text(max_size=33),
    st.integers(), st.text(max_size=20), st.text(max_size=33), FIELDS, FIELDS,
    st.lists(st.text(max_size=8), max_size=2),
)  # fmt: skip
TRUE_BUT_FOR_ITS_VALUES = st.builds(
    PastEntry, st.integers(1, 99), st.integers(0, 9), st.sampled_from([8, 12, 18, 21, 30]), st.just("0" * 32),
    st.sampled_from(["new", "upd", "del"]), st.just(1_790_000_000_000), set=FIELDS, was=FIELDS,
)  # fmt: skip


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(GARBAGE | TRUE_BUT_FOR_ITS_VALUES, max_size=4), st.text(max_size=12))
def test_whatever_a_server_tells_it_is_shown_or_passed_over(
    qtbot: Any, session: AppSession, world: World, now: datetime, found: list[PastEntry], more: str
) -> None:
    from fieldcrm.ui.outlet.change_words import change_lines, subject_words

    class Liar:
        def history(self, collection: str, id: str, before: str = "") -> PastPage:
            return PastPage(1, found, more)

    asked = session.ask(lambda r: past.question(r, world.outlets[0]))
    assert asked is not None
    answers = past.ask(Liar(), asked, now=now)
    session.db.write(lambda tx: past.keep(tx, answers), actor=world.rep, now=now).result()
    card = session.ask(lambda r: cards.card(r, world.outlets[0], world.rep, now=now))
    for line in card.history.lines:
        subject_words(line)
        change_lines(line, card)


# ---- the keyboard, and room ----
