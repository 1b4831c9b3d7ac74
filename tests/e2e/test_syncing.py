"""The supervisor over real HTTP: an encrypted device, a server process, a photo, a second device, a decision."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update

from fieldcrm.domain.ids import new_id
from fieldcrm.server.headquarters import Headquarters, open_headquarters
from fieldcrm.server.process import ServerProcess
from fieldcrm.store import outbox
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.tables import T
from fieldcrm.usecases import decisions, receipts, refused, signin, syncing
from fieldcrm.usecases.decisions import Choice, Verdict
from fieldcrm.usecases.receipts import Stage
from fieldcrm.usecases.schedule import Phase
from sync.client.failures import Offline
from tests.conftest import KEY
from tests.server.conftest import CHEAP, PASSWORD, Company, found


def real_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Site:
    url: str
    hq: Headquarters


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("hq")
    hq = open_headquarters(folder, None, real_now, hasher=CHEAP)
    with ServerProcess(folder) as process:
        yield Site(process.url, hq)
    hq.close()


@dataclass
class Laptop:
    """One person's device."""

    db: Database
    photos: PhotoStore
    signed: signin.SignedIn
    supervisor: syncing.Supervisor

    def do(self, work: Callable[[Transaction], Any]) -> Any:
        written = self.db.write(work, actor=self.signed.actor, now=real_now()).result()
        self.supervisor.wrote()
        return written.value

    def read(self, work: Callable[..., Any], *args: Any) -> Any:
        with self.db.read() as reader:
            return work(reader, *args)

    def report(self, outlet: UUID, photo: bytes) -> UUID:
        """A visit with one report and one photo."""
        now = real_now()
        visit, report = new_id(now), new_id(now)
        me = self.signed.person_id
        sha = self.photos.put(photo)

        def work(tx: Transaction) -> None:
            tx.conn.execute(insert(T.visit).values(
                id=visit, outlet_id=outlet, person_id=me, started_at=now, zone="Europe/Paris", position_source="none"))
            tx.conn.execute(insert(T.submission).values(
                id=report, visit_id=visit, outlet_id=outlet, person_id=me, form="note", form_version="1",
                answers={}, started_at=now, submitted_at=now))
            tx.conn.execute(insert(T.attachment).values(
                id=new_id(now), submission_id=report, visit_id=visit, outlet_id=outlet, node="/photo", sha256=sha,
                size=len(photo), mime="image/jpeg"))

        self.do(work)
        return report

    def stage(self, report: UUID) -> Stage:
        (receipt,) = self.read(receipts.receipt_of, self.signed.person_id, [report])
        stage: Stage = receipt.stage
        return stage


@pytest.fixture
def laptop(site: Site, tmp_path: Path) -> Iterator[Callable[..., Laptop]]:
    made: list[Laptop] = []

    def make(company: Company, login: str) -> Laptop:
        folder = tmp_path / f"{login}-{len(made)}"
        db = Database.open(folder, KEY, now=real_now())
        photos = PhotoStore(folder / "photos", KEY)
        signed = signin.sign_in(site.url, company.code, login, PASSWORD, "laptop")
        db.write(lambda tx: signin.remember(tx, signed), actor=signed.actor, now=real_now()).result()
        supervisor = syncing.Supervisor(
            db, photos, signed.actor, lambda: signin.open_remote(db, signed, clock=real_now), clock=real_now,
            automatic=False,
        )
        made.append(Laptop(db, photos, signed, supervisor))
        return made[-1]

    yield make
    for one in made:
        one.supervisor.stop()
        one.db.close()


@pytest.fixture
def company(site: Site) -> Company:
    return found(site.hq)


def test_a_report_goes_from_this_device_to_verified_and_reaches_a_second_device(
    company: Company, laptop: Callable[..., Laptop]
) -> None:
    rita = laptop(company, "rita")
    assert rita.supervisor.run_once() is not None
    outlet = company.outlets["West shop"]
    photo = b"\xff\xd8\xff" + os.urandom(700_000)
    report = rita.report(outlet, photo)
    state = rita.supervisor.state
    assert (state.waiting.visits, state.waiting.reports, state.waiting.photos) == (1, 1, 1)
    assert rita.stage(report) is Stage.HERE
    assert rita.supervisor.run_once() is not None
    assert rita.supervisor.state.everything_there
    assert rita.stage(report) is Stage.VERIFIED
    day = rita.read(receipts.day_end, rita.signed.person_id, real_now() - timedelta(hours=1))
    assert (day.reports_here, day.photos_here, day.reports_there, day.photos_there) == (1, 1, 1, 1)
    assert day.complete
    second = laptop(company, "rita")
    assert second.supervisor.run_once() is not None
    (attached,) = second.read(lambda r: r.conn.execute(select(T.attachment.c.sha256)).scalars().all())
    assert second.photos.get(attached) == photo


def test_a_photo_that_headquarters_lost_is_offered_again_by_itself(
    site: Site, company: Company, laptop: Callable[..., Laptop]
) -> None:
    rita = laptop(company, "rita")
    rita.supervisor.run_once()
    first = rita.report(company.outlets["West shop"], b"\xff\xd8\xff first" + os.urandom(1000))
    rita.supervisor.run_once()
    (sha,) = rita.read(lambda r: r.conn.execute(select(T.attachment.c.sha256)).scalars().all())
    lose_blob(site.hq, company.org, sha)
    rita.report(company.outlets["West shop"], b"\xff\xd8\xff second" + os.urandom(1000))
    rita.supervisor.run_once()
    assert rita.stage(first) is Stage.SENT
    rita.supervisor.run_once()
    assert rita.stage(first) is Stage.VERIFIED
    assert site.hq.blobs.present(company.org, {sha}) == {sha}


def lose_blob(hq: Headquarters, org: UUID, sha: str) -> None:
    from sqlalchemy import delete

    from sync.server.blobs import blob

    with hq.engine.begin() as connection:
        connection.execute(delete(blob).where(blob.c.org_id == org, blob.c.sha256 == sha))


def test_a_refused_change_waits_for_the_person_and_can_be_let_go(
    company: Company, laptop: Callable[..., Laptop]
) -> None:
    rita = laptop(company, "rita")
    rita.supervisor.run_once()
    outlet = company.outlets["West shop"]
    other = company.sectors["east"]
    rita.do(lambda tx: tx.conn.execute(update(T.outlet).where(T.outlet.c.id == outlet).values(sector_id=other)))
    rita.supervisor.run_once()
    assert rita.supervisor.state.waiting.decisions == 1
    (refusal,) = rita.read(refused.refusals)
    assert refusal.code == "field_fixed" and refusal.outlet_name == "West shop"
    rita.do(lambda tx: refused.discard(tx, [refusal]))
    assert rita.supervisor.state.waiting.decisions == 0
    assert rita.read(lambda r: r.conn.execute(select(T.outlet.c.sector_id)).scalar_one()) == company.sectors["west"]


def test_two_people_who_write_one_field_see_both_values_and_can_swap_them(
    company: Company, laptop: Callable[..., Laptop]
) -> None:
    rita, mona = laptop(company, "rita"), laptop(company, "mona")
    rita.supervisor.run_once()
    mona.supervisor.run_once()
    outlet = company.outlets["West shop"]

    def phone(value: str) -> Callable[[Transaction], Any]:
        return lambda tx: tx.conn.execute(update(T.outlet).where(T.outlet.c.id == outlet).values(phone=value))

    rita.do(phone("rita's"))
    mona.do(phone("mona's"))
    for one in (rita, mona, rita):
        one.supervisor.run_once()
    (clash,) = rita.read(decisions.open_clashes, rita.signed.person_id)
    assert (clash.field, clash.lost, clash.kept, clash.outlet_name) == ("phone", "rita's", "mona's", "West shop")
    assert clash.by_name == "Mona" and clash.kept_at is not None and clash.lost_at is not None
    assert mona.read(decisions.open_clashes, mona.signed.person_id) == ()
    rita.do(lambda tx: decisions.decide(tx, [Verdict(clash, Choice.MINE)]))
    for one in (rita, mona):
        one.supervisor.run_once()
    standing = select(T.outlet.c.phone).where(T.outlet.c.id == outlet)
    assert mona.read(lambda r: r.conn.execute(standing).scalar_one()) == "rita's"
    assert rita.supervisor.state.waiting.decisions == 0


def test_a_server_that_does_not_answer_is_off_line_and_nothing_is_lost(
    company: Company, laptop: Callable[..., Laptop]
) -> None:
    rita = laptop(company, "rita")
    rita.supervisor.run_once()
    report = rita.report(company.outlets["West shop"], b"\xff\xd8\xff third" + os.urandom(1000))
    remote = rita.supervisor._remote
    assert remote is not None

    def gone(request: Any) -> Any:
        raise Offline(reason="cable")

    working, remote.sync = remote.sync, gone  # type: ignore[method-assign]
    rita.supervisor.set_automatic(True)
    assert rita.supervisor.run_once() is None
    state = rita.supervisor.state
    assert (state.phase, state.problem) == (Phase.OFFLINE, "offline") and state.next_try is not None
    assert rita.stage(report) is Stage.HERE
    assert rita.read(outbox.runs)[0].result == "offline"
    remote.sync = working  # type: ignore[method-assign]
    rita.supervisor.run_once()
    assert rita.stage(report) is Stage.VERIFIED
    assert rita.supervisor.state.problem is None


def test_the_thread_sends_by_itself_what_was_recorded(
    company: Company, laptop: Callable[..., Laptop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fieldcrm.usecases.schedule.QUIET", timedelta(milliseconds=50))
    rita = laptop(company, "rita")
    rita.supervisor.run_once()
    rita.supervisor.set_automatic(True)
    rita.supervisor.start()
    report = rita.report(company.outlets["West shop"], b"\xff\xd8\xff fourth" + os.urandom(1000))
    deadline = real_now() + timedelta(seconds=20)
    while rita.stage(report) is not Stage.VERIFIED and real_now() < deadline:
        rita.supervisor._wake.acquire()
        rita.supervisor._wake.wait(0.1)
        rita.supervisor._wake.release()
    assert rita.stage(report) is Stage.VERIFIED
