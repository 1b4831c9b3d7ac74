"""Saved segments over real HTTP: one's own reach one's other laptop and nobody else, shared ones reach everybody."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import delete, select, update

from fieldcrm.store.tables import T
from fieldcrm.usecases import segments
from fieldcrm.usecases.outlets import Filters
from tests.e2e.test_syncing import Laptop, company, laptop, real_now, site
from tests.server.conftest import Company

__all__ = ["company", "laptop", "site"]


def names(device: Laptop) -> list[tuple[str, str, bool]]:
    assert device.supervisor.run_once() is not None
    return [(one.name, one.query, one.shared) for one in device.read(segments.listed)]


def refused(device: Laptop) -> list[str]:
    with device.db.read() as reader:
        return list(reader.conn.execute(select(T.dead_letter.c.code)).scalars())


def test_a_segment_travels_with_its_maker_until_it_is_shared(
    company: Company, laptop: Callable[..., Laptop]
) -> None:
    rita, hers, mona = laptop(company, "rita"), laptop(company, "rita"), laptop(company, "mona")
    filters = Filters(real_now(), overdue=True, unconfirmed_days=90, custom=frozenset({("fridge", True)}))
    made = rita.do(lambda tx: segments.keep(tx, "West, late", "west", filters))
    assert names(rita) == names(hers) == [("West, late", "west", False)]
    assert names(mona) == []
    kept = hers.read(segments.listed)[0]
    assert segments.filters_of(kept, filters.midnight) == filters
    with hers.db.read() as reader:
        assert segments.count(reader, kept, real_now()) == 0
    rita.do(lambda tx: segments.share(tx, made, True))
    assert names(rita) == names(mona) == [("West, late", "west", True)]
    hers.do(lambda tx: segments.rename(tx, made, "Late"))
    assert names(hers) == names(mona) == [("Late", "west", True)]
    rita.do(lambda tx: segments.share(tx, made, False))
    assert names(rita) == [("Late", "west", False)]
    assert names(mona) == []
    gone = rita.do(lambda tx: segments.delete(tx, made))
    assert names(rita) == names(hers) == []
    rita.do(lambda tx: segments.restore(tx, gone))
    assert names(rita) == names(hers) == [("Late", "west", False)]


def test_headquarters_lets_nobody_change_or_delete_what_another_shares(
    company: Company, laptop: Callable[..., Laptop]
) -> None:
    rita, mona = laptop(company, "rita"), laptop(company, "mona")
    made = rita.do(lambda tx: segments.keep(tx, "Mine", "", Filters(real_now()), shared=True))
    assert names(rita) == names(mona) == [("Mine", "", True)]
    table = T.saved_segment
    mona.do(lambda tx: tx.conn.execute(update(table).where(table.c.id == made).values(name="Hers")))
    mona.supervisor.run_once()
    mona.do(lambda tx: tx.conn.execute(delete(table).where(table.c.id == made)))
    mona.supervisor.run_once()
    assert refused(mona) == ["not_your_name", "not_your_name"]
    assert names(rita) == [("Mine", "", True)]
