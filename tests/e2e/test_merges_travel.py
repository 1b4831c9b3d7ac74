"""A merge over real HTTP: a report made meanwhile at the store that goes counts for the one that stays."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from fieldcrm.domain.ids import new_id
from fieldcrm.store import aggregates, plans
from fieldcrm.store.aggregates import Selection
from fieldcrm.store.tables import T
from fieldcrm.usecases import card, merging
from fieldcrm.usecases.periods import Period
from tests.e2e.test_syncing import Laptop, company, laptop, real_now, site
from tests.server.conftest import Company

__all__ = ["company", "laptop", "site"]


def visits_on_card(device: Laptop, outlet: UUID) -> list[UUID]:
    with device.db.read() as reader:
        found = card.card(reader, outlet, device.signed.actor, now=real_now())
        return [line.visit.id for line in found.visits]


def selection(days: int = 7) -> Selection:
    now = real_now()
    first = now.date() - timedelta(days=days)
    return Selection(Period(first, now.date()), now - timedelta(days=days), now + timedelta(days=1), frozenset())


def refused(device: Laptop) -> list[tuple[str, Any]]:
    with device.db.read() as reader:
        return [tuple(row) for row in reader.conn.execute(select(T.dead_letter.c.kind, T.dead_letter.c.code))]


def test_a_report_made_offline_at_the_one_that_goes_counts_for_the_one_that_stays_on_every_device(
    company: Company, laptop: Callable[..., Laptop]
) -> None:
    keep, lose = company.outlets["West shop"], company.add_outlet("west", "West shop bis")
    rita, mona = laptop(company, "rita"), laptop(company, "mona")
    for device in (rita, mona):
        assert device.supervisor.run_once() is not None
    alias = mona.do(lambda tx: merging.merge(tx, keep, lose))
    assert mona.supervisor.run_once() is not None
    rita.report(lose, b"\xff\xd8\xff" + os.urandom(900))  # she has not heard of it
    assert rita.supervisor.run_once() is not None
    assert mona.supervisor.run_once() is not None
    for device in (rita, mona):
        assert device.read(plans.aliases) == {lose: keep}
        assert len(visits_on_card(device, keep)) == 1
        assert device.read(aggregates.visited_stores, selection()) == 1
        assert device.read(aggregates.store_count, selection()) == (1 if device is rita else 2)
    mona.do(lambda tx: merging.unmerge(tx, alias))
    for device in (mona, rita):
        assert device.supervisor.run_once() is not None
        assert (len(visits_on_card(device, keep)), len(visits_on_card(device, lose))) == (0, 1)


def test_headquarters_lets_nobody_merge_what_is_not_theirs_and_closes_no_ring(
    company: Company, laptop: Callable[..., Laptop]
) -> None:
    one, east = company.outlets["West shop"], company.outlets["East shop"]
    two = company.add_outlet("west", "Another")
    rita, mona, again = laptop(company, "rita"), laptop(company, "mona"), laptop(company, "mona")
    for device in (rita, mona, again):
        assert device.supervisor.run_once() is not None

    def alias(device: Laptop, stays: UUID, goes: UUID) -> None:
        device.do(lambda tx: tx.conn.execute(
            insert(T.outlet_alias).values(id=new_id(real_now()), outlet_id=stays, alias_id=goes, active=True)))
        device.supervisor.run_once()

    alias(rita, one, two)
    assert [code for _, code in refused(rita)] == ["not_allowed"]
    alias(mona, one, two)
    alias(again, two, one)  # both managers at once, each the other way round
    assert [code for _, code in refused(again)] == ["merge_ring"]
    assert refused(mona) == []
    for device in (rita, mona, again):
        device.supervisor.run_once()
        assert device.read(plans.aliases) == {two: one}
    mona.do(lambda tx: merging.merge(tx, one, east))
    mona.supervisor.run_once()
    assert mona.read(plans.aliases) == {two: one, east: one} and refused(mona) == []
