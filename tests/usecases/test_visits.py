from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import new_id
from fieldcrm.forms import Instance
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.tables import T
from fieldcrm.usecases import visits
from tests.conftest import KEY, NOW
from tests.usecases.photos import jpeg
from tests.world import World, build_world

HASHES = ("a" * 64, "b" * 64)


def write(db: Database, world: World, work: Any, now: datetime = NOW) -> Any:
    return db.write(work, actor=world.rep, now=now).result().value


def begun(db: Database, world: World, outlet: int = 0, **more: Any) -> Any:
    return write(db, world, lambda tx: visits.start_visit(tx, world.outlets[outlet], **more))


def instance_of(db: Database, draft_id: Any) -> tuple[visits.OpenDraft, Instance]:
    with db.read() as r:
        opened = visits.open_draft(r, draft_id)
    return opened, visits.begin_instance(
        opened.form, opened.lines, opened.draft.answers, now=NOW, zone=opened.draft.zone, language="en")


def row(world: World, number: int) -> str:
    return f"/shelf/line[{world.products[number].hex}]"


def fill(instance: Instance, world: World, lines: int = 3) -> None:
    for number in range(lines):
        instance.set(row(world, number) + "/state", "present")
        instance.set(row(world, number) + "/facings", str(number + 1))
        instance.set(row(world, number) + "/price", "2.19")
    instance.set("/photos/no_photo", "refused")


def submitted(db: Database, world: World, outlet: int = 0, now: datetime = NOW, lines: int = 3,
              **more: Any) -> visits.Submitted:
    draft_id = begun(db, world, outlet, **more)
    _, instance = instance_of(db, draft_id)
    fill(instance, world, lines)
    write(db, world, lambda tx: visits.save_draft(tx, draft_id, instance.document(), 0))
    result: visits.Submitted = write(db, world, lambda tx: visits.submit_visit(tx, draft_id, now=now), now)
    return result


def count(db: Database, table: Any) -> int:
    with db.read() as r:
        return int(r.conn.execute(select(func.count()).select_from(table)).scalar_one())


def with_stop(db: Database, world: World) -> Any:
    plan_id, stop_id = new_id(NOW), new_id(NOW)

    def work(tx: Transaction) -> None:
        tx.conn.execute(insert(T.plan).values(
            id=plan_id, person_id=world.rep.user_id, sector_id=world.sector, day=date(2026, 11, 20)))
        tx.conn.execute(insert(T.plan_stop).values(
            id=stop_id, plan_id=plan_id, outlet_id=world.outlets[0], position=0, state="planned"))

    write(db, world, work)
    return stop_id


def test_a_draft_has_one_row_for_each_product_of_the_assortment(db: Database, world: World) -> None:
    opened, instance = instance_of(db, begun(db, world))
    assert len(opened.lines) == 36
    assert instance.rows("/shelf/line") == [row(world, n) for n in range(36)]
    assert instance.get(row(world, 2) + "/reference_price") == "2.19"
    assert instance.document(final=True).get("shelf") is None


def test_a_visit_already_begun_at_the_outlet_is_gone_on_with(db: Database, world: World) -> None:
    assert begun(db, world) == begun(db, world)
    assert begun(db, world, 1) != begun(db, world)


def test_submitting_writes_visit_report_observations_photos_tasks_and_stop_in_one_transaction(
    db: Database, world: World
) -> None:
    stop_id = with_stop(db, world)
    draft_id = begun(db, world, stop_id=stop_id, position=visits.Position("receiver", 488_610_900, 23_460_000, 12))
    opened, instance = instance_of(db, draft_id)
    assert opened.distance_m == 10
    fill(instance, world)
    instance.set("/next/promise", "Two facings more")
    instance.set("/next/promise_due", "2026-11-27")
    instance.set("/next/note", "Asked for the department head")
    write(db, world, lambda tx: visits.save_draft(tx, draft_id, instance.document(), 3))
    later = NOW + timedelta(minutes=25)
    done = write(db, world, lambda tx: visits.submit_visit(tx, draft_id, now=later), later)
    assert (done.lines, done.photos) == (3, 0)
    with db.read() as r:
        visit = r.conn.execute(select(T.visit)).one()
        task = r.conn.execute(select(T.task)).one()
        stop = r.conn.execute(select(T.plan_stop.c.state).where(T.plan_stop.c.id == stop_id)).scalar_one()
        seen = r.conn.execute(select(T.observation).order_by(T.observation.c.line)).all()
        transactions = r.conn.execute(select(T.outbox.c.tx).where(T.outbox.c.collection.in_([14, 15, 18])).distinct())
        assert len(transactions.all()) == 1
    assert (visit.started_at, visit.ended_at, visit.distance_m, visit.stop_id) == (NOW, later, 10, stop_id)
    assert visit.note == "Asked for the department head"
    assert (task.kind, task.title, task.due, task.visit_id) == (
        "promise", "Two facings more", date(2026, 11, 27), visit.id)
    assert stop == "done"
    assert [(o.product_id, o.state, o.facings, o.price_minor, o.basis, o.current) for o in seen] == [
        (world.products[n], "present", n + 1, 219, "observed", True) for n in range(3)]
    assert count(db, T.draft) == 0


def test_an_incomplete_report_is_refused_and_nothing_of_it_is_written(db: Database, world: World) -> None:
    draft_id = begun(db, world)
    with pytest.raises(DomainError) as refused:
        write(db, world, lambda tx: visits.submit_visit(tx, draft_id, now=NOW))
    assert refused.value.code == "report_incomplete"
    assert refused.value.params == {"count": 1, "path": "/photos/shelf_photos"}
    assert [count(db, table) for table in (T.visit, T.submission, T.observation, T.draft)] == [0, 0, 0, 1]


def test_a_submitted_draft_does_not_come_back_by_a_late_save(db: Database, world: World) -> None:
    draft_id = begun(db, world)
    _, instance = instance_of(db, draft_id)
    fill(instance, world)
    write(db, world, lambda tx: visits.save_draft(tx, draft_id, instance.document(), 0))
    write(db, world, lambda tx: visits.submit_visit(tx, draft_id, now=NOW))
    with pytest.raises(DomainError) as refused:
        write(db, world, lambda tx: visits.save_draft(tx, draft_id, instance.document(), 0))
    assert refused.value.code == "draft_unknown"
    assert count(db, T.draft) == 0


def test_no_position_is_recorded_as_such(db: Database, world: World) -> None:
    submitted(db, world)
    with db.read() as r:
        visit = r.conn.execute(select(T.visit)).one()
    assert (visit.position_source, visit.lat_e7, visit.distance_m) == ("none", None, None)


def test_what_was_seen_last_time_is_offered_but_is_not_an_answer(db: Database, world: World) -> None:
    submitted(db, world)
    opened, instance = instance_of(db, begun(db, world))
    last = opened.lines[1].last
    assert last is not None
    assert (last.state, last.facings, last.price_minor, last.observed_at) == ("present", 2, 219, NOW)
    assert opened.lines[5].last is None
    assert not instance.answered(row(world, 1))
    assert "shelf" not in instance.document(final=True)


def test_a_correction_supersedes_and_only_the_new_version_counts(db: Database, world: World) -> None:
    first = submitted(db, world)
    draft_id = write(db, world, lambda tx: visits.correct(tx, first.submission_id))
    assert draft_id == write(db, world, lambda tx: visits.correct(tx, first.submission_id))
    opened, instance = instance_of(db, draft_id)
    assert instance.get(row(world, 0) + "/facings") == "1"
    instance.set(row(world, 0) + "/facings", "8")
    assert opened.earlier is not None
    assert visits.changed_paths(opened.form, opened.earlier, instance.document(final=True)) == (
        row(world, 0) + "/facings",)
    write(db, world, lambda tx: visits.save_draft(tx, draft_id, instance.document(), 0))
    later = NOW + timedelta(hours=2)
    second = write(db, world, lambda tx: visits.submit_visit(tx, draft_id, now=later), later)
    assert second.visit_id == first.visit_id
    assert count(db, T.visit) == 1
    with db.read() as r:
        current = r.conn.execute(select(T.observation.c.submission_id, T.observation.c.current).distinct()).all()
        moments = r.conn.execute(select(T.observation.c.observed_at).distinct()).scalars().all()
    assert moments == [NOW], "a correction tells what was seen at the visit, whenever it is sent"
    assert sorted(current) == sorted([(first.submission_id, False), (second.submission_id, True)])
    with pytest.raises(DomainError) as refused:
        write(db, world, lambda tx: visits.correct(tx, first.submission_id))
    assert refused.value.code == "report_superseded"


def test_a_correction_closes_the_task_that_asked_for_it_and_makes_no_promise_twice(db: Database, world: World) -> None:
    draft_id = begun(db, world)
    _, instance = instance_of(db, draft_id)
    fill(instance, world)
    instance.set("/next/next_step", "Bring strips")
    write(db, world, lambda tx: visits.save_draft(tx, draft_id, instance.document(), 0))
    first = write(db, world, lambda tx: visits.submit_visit(tx, draft_id, now=NOW))
    asked = new_id(NOW)
    write(db, world, lambda tx: tx.conn.execute(insert(T.task).values(
        id=asked, outlet_id=world.outlets[0], kind="correction", title="Price", state="open",
        submission_id=first.submission_id)) and None)
    draft_id = write(db, world, lambda tx: visits.correct(tx, first.submission_id))
    write(db, world, lambda tx: visits.submit_visit(tx, draft_id, now=NOW))
    with db.read() as r:
        tasks = r.conn.execute(select(T.task.c.kind, T.task.c.state).order_by(T.task.c.kind)).all()
    assert tasks == [("correction", "kept"), ("task", "open")]


def test_discarding_names_the_photos_that_nothing_else_uses(db: Database, world: World, tmp_path: Path) -> None:
    from fieldcrm.store.photos import PhotoStore
    from fieldcrm.usecases import capture

    store = PhotoStore(tmp_path / "photos", KEY)
    kept = capture.keep_photo(store, jpeg(1), zone="Europe/Paris")
    one, two = begun(db, world, 0), begun(db, world, 1)
    for draft_id in (one, two):
        write(db, world, lambda tx, draft_id=draft_id: capture.add_photo(tx, draft_id, "/photos/shelf_photos", kept))
    assert write(db, world, lambda tx: visits.discard(tx, one)) == ()
    assert write(db, world, lambda tx: visits.discard(tx, two)) == (kept.sha256,)


def test_photos_of_a_report_become_attachments_in_the_queue_to_headquarters(
    db: Database, world: World, tmp_path: Path
) -> None:
    from fieldcrm.store.photos import PhotoStore
    from fieldcrm.usecases import capture

    store = PhotoStore(tmp_path / "photos", KEY)
    draft_id = begun(db, world)
    _, instance = instance_of(db, draft_id)
    fill(instance, world)
    names = []
    for number in range(3):
        kept = capture.keep_photo(store, jpeg(number), zone="Europe/Paris")
        write(db, world, lambda tx, kept=kept: capture.add_photo(tx, draft_id, "/photos/shelf_photos", kept))
        names.append(kept.sha256)
    instance.set("/photos/shelf_photos", " ".join(names[:2]))  # the third was taken out again
    write(db, world, lambda tx: visits.save_draft(tx, draft_id, instance.document(), 0))
    assert write(db, world, lambda tx: visits.submit_visit(tx, draft_id, now=NOW)).photos == 2
    with db.read() as r:
        attached = r.conn.execute(select(T.attachment).order_by(T.attachment.c.sha256)).all()
        queued = r.conn.execute(select(T.blob_queue.c.sha256, T.blob_queue.c.direction, T.blob_queue.c.state)).all()
    assert [a.sha256 for a in attached] == sorted(names[:2])
    assert {a.node for a in attached} == {"/photos/shelf_photos"}
    assert sorted(queued) == sorted((name, "up", "waiting") for name in names[:2])
    assert all(store.get(name)[:2] == b"\xff\xd8" for name in names)


def test_reports_that_came_by_a_sync_are_projected_as_their_own_device_did(db: Database, world: World) -> None:
    done = submitted(db, world)
    with db.read() as r:
        before = r.conn.execute(select(T.observation).order_by(T.observation.c.line)).all()

    def forget(tx: Transaction) -> int:
        tx.conn.execute(T.observation.delete())
        return visits.project_submissions(tx, [done.submission_id])

    assert write(db, world, forget) == 1
    with db.read() as r:
        assert r.conn.execute(select(T.observation).order_by(T.observation.c.line)).all() == before


_CHILD = """
import sys, time
from datetime import timedelta
from pathlib import Path
from fieldcrm.store.database import Database
from fieldcrm.store.photos import PhotoStore
from fieldcrm.usecases import capture, visits
from tests.conftest import KEY, NOW
from tests.usecases.photos import jpeg
from tests.world import build_world
world = build_world()
folder = Path(sys.argv[1])
db = Database.open(folder, KEY, now=NOW)
write = lambda work: db.write(work, actor=world.rep, now=NOW).result().value
draft_id = write(lambda tx: visits.start_visit(tx, world.outlets[0]))
with db.read() as r:
    opened = visits.open_draft(r, draft_id)
instance = visits.begin_instance(opened.form, opened.lines, {}, now=NOW, zone="Europe/Paris", language="fr")
kept = capture.keep_photo(PhotoStore(folder / "photos", KEY), jpeg(5), zone="Europe/Paris")
write(lambda tx: capture.add_photo(tx, draft_id, "/photos/shelf_photos", kept))
instance.set("/photos/shelf_photos", kept.sha256)
for number, product in enumerate(world.products):
    instance.set(f"/shelf/line[{product.hex}]/state", "present")
    instance.set(f"/shelf/line[{product.hex}]/facings", str(number))
    write(lambda tx: visits.save_draft(tx, draft_id, instance.document(), number % 5))
    print(number, draft_id.hex, kept.sha256, flush=True)
"""


@pytest.mark.timeout(60)
def test_a_draft_half_done_is_all_there_after_the_process_is_killed(db: Database, world: World) -> None:
    folder = db.folder
    db.close()
    root = Path(__file__).parents[2]
    child = subprocess.Popen([sys.executable, "-c", _CHILD, str(folder)], stdout=subprocess.PIPE, text=True, cwd=root,
                             env=os.environ | {"PYTHONPATH": str(root)})
    assert child.stdout is not None
    said: list[str] = []
    for line in child.stdout:
        said = line.split()
        if said[0] == "17":
            os.kill(child.pid, signal.SIGKILL)
            break
    child.stdout.close()
    child.wait()
    again = Database.open(folder, KEY, now=NOW)
    try:
        with again.read() as r:
            found = visits.drafts(r)
        assert [draft.id.hex for draft in found] == [said[1]]
        opened, instance = instance_of(again, found[0].id)
        for number in range(18):
            assert instance.get(row(build_world(), number) + "/facings") == str(number)
        assert [photo.sha256 for photo in opened.photos] == [said[2]]
        from fieldcrm.store.photos import PhotoStore

        assert PhotoStore(folder / "photos", KEY).get(said[2])[:2] == b"\xff\xd8"
    finally:
        again.close()
