"""Putting outlets on the map: the queue on a fake clock, with a provider that answers as told; and decisions."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from fieldcrm import resources
from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.domain.ids import new_id
from fieldcrm.domain.placing import Address, Candidate
from fieldcrm.geo.geocode import Provider, public
from fieldcrm.store import placing as placing_store
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.state import read_state
from fieldcrm.store.tables import T
from fieldcrm.usecases import outlets, placing, undo
from fieldcrm.usecases.placing import Choice, Policy, provider_of
from fieldcrm.usecases.placing_queue import ASKED, KEPT, Pace, PlacingQueue
from tests.world import World

HELSINKI = resources.path("demo/helsinki.mbtiles")
OWN = Provider("ban", "https://adresse.example", False, per_second=10)
OSM = public("nominatim")


class Told:
    """A provider that answers from a list, or fails as told; and the clock that it and the queue live by."""

    def __init__(self, provider: Provider, now: datetime) -> None:
        self.provider, self.now = provider, now
        self.seconds = 0.0
        self.asked: list[tuple[float, str]] = []
        self.fails: list[Exception] = []
        self.waits: list[float] = []
        self.found: Callable[[Address], tuple[Candidate, ...]] = lambda address: (there(address),)
        self.stop_after = 10**6

    def search(self, address: Address) -> tuple[Candidate, ...]:
        self.asked.append((self.seconds, address.key))
        if self.fails:
            raise self.fails.pop(0)
        return self.found(address)

    def search_table(self, addresses: Sequence[Address]) -> list[tuple[Candidate, ...]]:
        self.asked.append((self.seconds, f"{len(addresses)} at once"))
        return [self.found(address) for address in addresses]

    def reverse(self, lat: float, lon: float) -> tuple[Candidate, ...]:
        self.asked.append((self.seconds, f"{lat}, {lon}"))
        return (there(Address("5", "Rue du Nil", "75002", "Paris", "FR")),)

    def close(self) -> None:
        pass

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.seconds += seconds
        return len(self.asked) >= self.stop_after

    def queue(self, db: Database, world: World) -> PlacingQueue:
        return PlacingQueue(db, actor=world.manager, now=lambda: self.now + timedelta(seconds=self.seconds),
                            make=lambda provider: self, clock=lambda: self.seconds, wait=self.wait)


def there(address: Address, precision: str = "number") -> Candidate:
    return Candidate(488_650_000, 23_500_000, precision, 0.95, address.line, address)


def lost(db: Database, world: World, now: datetime, *at: int, **values: Any) -> None:
    """Take the position of these outlets away, as if they had come without one."""

    def work(tx: Transaction) -> None:
        with tx.uncaptured():
            for number in at:
                there = T.outlet.c.id == world.outlets[number]
                tx.conn.execute(update(T.outlet).where(there).values(lat_e7=None, lon_e7=None, **values))

    db.write(work, actor=world.manager, now=now).result()


def board(db: Database) -> placing.Board:
    with db.read() as r:
        return placing.board(r)


def waiting(db: Database) -> list[int]:
    with db.read() as r:
        return placing.waiting(r)


def line(db: Database, group: str) -> placing.Line:
    with db.read() as r:
        return placing.lines(r, placing.board(r).groups[group])[0]


def test_what_waits_is_placed_with_its_origin_and_nobody_is_asked_twice(
    db: Database, world: World, now: datetime
) -> None:
    lost(db, world, now, 0, 1)
    told = Told(OWN, now)
    before = board(db)
    assert (before.outlets, before.mapped, before.count("waiting"), before.whys) == (5, 2, 2, {"town_only": 1})
    progress = told.queue(db, world).run(OWN, waiting(db))
    assert (progress.state, progress.done, progress.placed) == ("done", 2, 2)
    with db.read() as r:
        outlet = outlets.read(r, world.outlets[0])
    assert outlet.position == (48.865, 2.35)
    assert outlet.provenance["position"] == {
        "source": "ban", "licence": "Licence Ouverte 2.0", "at": outlet.provenance["position"]["at"]}
    assert outlet.confirmed_at == now  # as it was: nobody was there
    assert waiting(db) == []
    lost(db, world, now, 0)
    told.queue(db, world).run(OWN, waiting(db))
    assert len(told.asked) == 2  # the answer was kept


def test_a_server_that_takes_tables_is_asked_once_for_all(db: Database, world: World, now: datetime) -> None:
    lost(db, world, now, 0, 1, 2, 4)
    told = Told(Provider("ban", "https://adresse.example", False, per_second=10, tables=True), now)
    assert told.queue(db, world).run(told.provider, waiting(db)).placed == 4
    assert [what for _, what in told.asked] == ["4 at once"]


def test_one_request_a_second_and_no_more_than_the_day_allows(db: Database, world: World, now: datetime) -> None:
    lost(db, world, now, 0, 1, 2, 4)
    few = Provider("nominatim", OSM.url, True, per_second=1.0, per_day=3)
    told = Told(few, now)
    progress = told.queue(db, world).run(few, waiting(db))
    times = [at for at, _ in told.asked]
    assert len(times) == 3 and all(later - one >= 1.0 for one, later in pairwise(times))
    assert (progress.state, progress.error.code if progress.error else "") == ("failed", "geocoder_day_used")
    assert len(waiting(db)) == 1
    with db.read() as r:
        kept = read_state(r, ASKED)
    assert kept == {"day": now.date().isoformat(), "host": few.host, "count": 3}
    again = told.queue(db, world).run(few, waiting(db))  # a restart forgets nothing
    assert (len(told.asked), again.state) == (3, "failed")
    told.now = now + timedelta(days=1)
    assert told.queue(db, world).run(few, waiting(db)).state == "done"


def test_the_pace_is_kept_whoever_asks(now: datetime) -> None:
    told = Told(OSM, now)
    pace = Pace(1.0, clock=lambda: told.seconds)
    assert pace.turn(told.wait) and told.waits == []
    told.seconds += 0.3
    assert pace.turn(told.wait) and told.waits == [pytest.approx(0.7)]
    told.seconds += 9
    assert pace.turn(told.wait) and len(told.waits) == 1


def test_a_busy_server_is_waited_for_as_it_asks_and_an_absent_one_longer_and_longer(
    db: Database, world: World, now: datetime
) -> None:
    lost(db, world, now, 0)
    told = Told(OWN, now)
    told.fails = [Unavailable("geocoder_busy", host="x", seconds=42), *[Unavailable("geocoder_unreachable")] * 3]
    states: list[str] = []
    queue = told.queue(db, world)
    queue.changed = lambda progress: states.append(progress.state)
    assert queue.run(OWN, waiting(db)).placed == 1
    assert [wait for wait in told.waits if wait >= 1] == [42, 10, 20, 40]
    assert states[0] == "paused" and states[-1] == "done"


def test_a_stop_writes_what_was_answered_and_the_rest_waits(db: Database, world: World, now: datetime) -> None:
    lost(db, world, now, 0, 1, 2)
    told = Told(OWN, now)
    told.stop_after = 2  # the pace before the third request is cut short
    progress = told.queue(db, world).run(OWN, waiting(db))
    assert (progress.placed, len(waiting(db))) == (2, 1)
    told.stop_after = 10**6
    assert told.queue(db, world).run(OWN, waiting(db)).placed == 1


def test_an_address_that_the_server_refuses_is_not_found_and_stops_nothing(
    db: Database, world: World, now: datetime
) -> None:
    lost(db, world, now, 0, 1)
    told = Told(OWN, now)
    told.fails = [DomainError("geocoder_refused")]
    progress = told.queue(db, world).run(OWN, waiting(db))
    assert (progress.placed, progress.refused) == (1, 1)
    assert board(db).whys == {"town_only": 1, "not_found": 1}
    lost(db, world, now, 1)
    told.found = lambda address: ()
    told.fails = [DomainError("geocoder_answer_strange", host="x")]
    lost(db, world, now, 2)
    assert told.queue(db, world).run(OWN, waiting(db)).state == "failed"


def test_what_is_in_doubt_is_accepted_or_declined_and_a_new_address_waits_again(
    db: Database, world: World, now: datetime
) -> None:
    lost(db, world, now, 0, 1)
    told = Told(OWN, now)
    told.found = lambda address: (there(Address("", address.street, address.postcode, address.city, "FR"), "street"),)
    assert told.queue(db, world).run(OWN, waiting(db)).doubtful == 2
    first = line(db, "doubtful")
    assert (first.why, first.position) == ("street_only", None)
    db.write(lambda tx: placing.accept(tx, first.id), actor=world.manager, now=now).result()
    second = line(db, "doubtful")
    db.write(lambda tx: placing.decline(tx, second.id), actor=world.manager, now=now).result()
    with db.read() as r:
        assert outlets.read(r, first.id).position == (48.865, 2.35)
        assert outlets.read(r, first.id).provenance["position"]["source"] == "ban"
        assert outlets.read(r, second.id).position is None
    assert (board(db).whys["declined"], waiting(db)) == (1, [])
    with pytest.raises(DomainError, match="placing_nothing_proposed"):
        db.write(lambda tx: placing.accept(tx, second.id), actor=world.manager, now=now).result()
    edit = {"street": "Rue Réaumur"}
    db.write(lambda tx: outlets.edit_outlet(tx, second.id, edit), actor=world.rep, now=now).result()
    assert len(waiting(db)) == 1


def test_a_place_given_by_hand_is_the_persons_and_can_be_undone(db: Database, world: World, now: datetime) -> None:
    outlet = world.outlets[3]
    db.write(lambda tx: placing.place_by_hand(tx, outlet, 488_630_000, 23_610_000), actor=world.rep, now=now).result()
    with db.read() as r:
        kept = outlets.read(r, outlet)
    assert (kept.position, kept.provenance["position"]["source"]) == ((48.863, 2.361), "person")
    assert board(db).mapped == 5
    db.write(undo.undo, actor=world.rep, now=now).result()
    assert board(db).mapped == 4


def test_a_position_that_somebody_gave_is_questioned_and_never_moved(
    db: Database, world: World, now: datetime
) -> None:
    told = Told(OWN, now)
    with db.read() as r:
        rids = [one.rid for one in placing.lines(r, [1, 2])]
    progress = told.queue(db, world).run(OWN, rids)
    assert (progress.placed, progress.doubtful) == (1, 1)  # the second stands where the answer is
    with db.read() as r:
        assert outlets.read(r, world.outlets[0]).position == (48.861, 2.346)
    assert line(db, "doubtful").id == world.outlets[0]


def test_a_position_is_asked_about_once_and_gives_the_fields_of_an_address(
    db: Database, world: World, now: datetime
) -> None:
    told = Told(OWN, now)
    queue = told.queue(db, world)
    found = queue.reverse(OWN, 48.86501, 2.35002)
    assert placing.address_of(found) == {
        "house_number": "5", "street": "Rue du Nil", "postcode": "75002", "city": "Paris", "country": "FR"}
    assert queue.reverse(OWN, 48.86503, 2.35001) == found
    assert len(told.asked) == 1
    assert placing.address_of(()) == {}


def test_who_may_be_asked_is_the_organisations_word(db: Database, world: World, now: datetime) -> None:
    strict, own = Policy(public_allowed=False), Policy(False, "ban", "https://adresse.example")
    with pytest.raises(DomainError, match="geocoder_forbidden"):
        provider_of(Choice("ban"), strict)
    with pytest.raises(DomainError, match="geocoder_forbidden"):
        provider_of(Choice("own", "nominatim", OSM.url), strict)
    with pytest.raises(DomainError, match="geocoder_contact_missing"):
        provider_of(Choice("osm"), Policy())
    assert provider_of(Choice("none"), Policy()) is None
    assert provider_of(Choice("ban"), own) == provider_of(Choice("none"), own)
    with pytest.raises(DomainError, match="rules_not_yours"):
        db.write(lambda tx: placing.set_policy(tx, strict), actor=world.rep, now=now).result()
    db.write(lambda tx: placing.set_policy(tx, own), actor=world.manager, now=now).result()
    with db.read() as r:
        assert placing.read_policy(r) == own
    assert Policy.of({"public": "no", "kind": 3, "url": "x"}) == Policy()


def test_the_outlets_of_the_sample_are_placed_from_its_region_without_a_network(
    db: Database, world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", None)
    at = {"street": "Mannerheimintie", "postcode": "", "city": "Helsinki", "country": "FI"}
    lost(db, world, now, 0, **at, house_number="10")
    lost(db, world, now, 1, **at, house_number="9998")
    provider = provider_of(Choice("region"), Policy())
    assert provider is not None and provider.offline and not provider.public
    queue = PlacingQueue(db, actor=world.manager, now=lambda: now, packs=lambda: [HELSINKI])
    progress = queue.run(provider, waiting(db))
    assert (progress.state, progress.placed, progress.doubtful, progress.refused) == ("done", 1, 1, 0)
    with db.read() as r:
        outlet = outlets.read(r, world.outlets[0])
    assert outlet.position == pytest.approx((60.1676, 24.9414), abs=1e-3)
    assert (outlet.provenance["position"]["source"], outlet.provenance["position"]["licence"]) == ("region", "ODbL 1.0")
    [nearest, *_] = queue.once(provider, 60.1675939, 24.9413605)
    assert nearest.address.street == "Mannerheimintie"


def test_what_files_answer_is_not_kept_and_a_device_without_streets_says_so(
    db: Database, world: World, now: datetime, tmp_path: Path
) -> None:
    lost(db, world, now, 0, street="Mannerheimintie", house_number="10", postcode="", city="Helsinki", country="FI")
    provider = provider_of(Choice("region"), Policy())
    assert provider is not None
    packs: list[Path] = [tmp_path / "gone.mbtiles"]
    queue = PlacingQueue(db, actor=world.manager, now=lambda: now, packs=lambda: packs)
    progress = queue.run(provider, waiting(db))
    assert progress.state == "failed" and progress.error is not None and progress.error.code == "geocoder_no_streets"
    assert not placing.has_streets(packs) and placing.has_streets([HELSINKI])
    packs[:] = [HELSINKI]
    assert queue.run(provider, waiting(db)).placed == 1
    with db.read() as r:
        assert r.conn.exec_driver_sql("SELECT count(*) FROM place_answer").scalar_one() == 0


def test_of_two_merges_that_close_a_ring_the_outlet_that_stays_is_still_to_be_placed(
    db: Database, world: World, now: datetime
) -> None:
    """Two managers merged the same two, each the other way round: every list has one of them."""

    def merges(tx: Transaction) -> None:
        for at, (stays, goes) in enumerate((world.outlets[2:4], world.outlets[3:1:-1])):
            tx.conn.execute(insert(T.outlet_alias).values(
                id=new_id(now + timedelta(seconds=at)), outlet_id=goes, alias_id=stays, active=True))

    db.write(merges, actor=world.manager, now=now).result()
    with db.read() as r:
        listed = outlets.rows(r, outlets.find(r, "", outlets.Filters(now)), midnight=now)
        assert len(listed) == 4
        mapped = [row for row in listed if row.mapped]
        assert placing_store.counted(r) == (len(listed), len(mapped))
        assert {one.name for one in placing_store.unplaced(r)} == {row.name for row in listed if not row.mapped}


def test_an_answer_is_kept_for_half_a_year_and_no_longer(db: Database, world: World, now: datetime) -> None:
    lost(db, world, now, 0)
    told = Told(OWN, now)
    assert told.queue(db, world).once(OWN, 48.865, 2.35) == told.queue(db, world).once(OWN, 48.865, 2.35)
    assert len(told.asked) == 1
    told.now = now + KEPT + timedelta(days=1)
    told.queue(db, world).run(OWN, waiting(db))
    with db.read() as r:
        [key] = r.conn.exec_driver_sql("SELECT key FROM place_answer").scalars()
    assert not key.startswith("@")
