"""The steps of the played day, in order; each says what it did and compares what it can count."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from sqlalchemy import select

from fieldcrm import app
from fieldcrm.demo import hands
from fieldcrm.demo.arrivals import Headquarters, Sent, answers_hash
from fieldcrm.demo.audit import Recorder
from fieldcrm.demo.clock import DayClock, morning_of_a_working_day
from fieldcrm.demo.device import Device, Login
from fieldcrm.demo.holdings import holdings
from fieldcrm.demo.pictures import Shot, shelf_photo
from fieldcrm.demo.place import country_and_zone
from fieldcrm.demo.screenshots import Photographer
from fieldcrm.demo.seed import ORGANISATION_CODE, PASSWORD, Seeded, seed_server
from fieldcrm.demo.steps import Steps
from fieldcrm.demo.territory import MANAGER_NAME, REPS
from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import DEGREE
from fieldcrm.geo.osm import collect_outlets
from fieldcrm.netproxy import FaultProxy
from fieldcrm.server.process import ServerProcess
from fieldcrm.store.tables import T
from fieldcrm.ui.day_report import write_day_report
from fieldcrm.ui.outlets import OutletsScreen
from fieldcrm.ui.outlets.map_panel import OutletsMap
from fieldcrm.ui.review import ReviewScreen
from fieldcrm.ui.today import TodayScreen
from fieldcrm.usecases.today import Today, TodayRow, today
from fieldcrm.usecases.visits import Submitted
from fieldcrm.words import tr

PLANNED_AUDITS = 3
PHOTOS_A_VISIT = 2
LEAST_LINES = 30
CUT_AFTER = 400_000  # bytes of a photo's way up: in its second piece
REP, MANAGER = REPS[0][0], MANAGER_NAME[0]


class Day:
    """``live`` plays it all; ``close`` ends what was started, wherever it stopped."""

    def __init__(self, folder: Path, region: Path, pictures: Photographer, now: datetime, steps: Steps) -> None:
        self.folder, self.region, self.steps = folder, region, steps
        self.pictures, self.out = pictures, pictures.out
        self._now = now
        self._chance = random.Random(20261121)
        self._closing: list[Callable[[], object]] = []
        self.sent: list[Submitted] = []
        app.make_application()

    def live(self) -> dict[str, Any]:
        self._headquarters()
        self._first_sync()
        self._cut()
        self._plan()
        self._audits()
        self._unplanned()
        self._pictures_of_the_rep()
        self._restore()
        self._verify()
        self._review()
        self._correct()
        self._report()
        self._second_device()
        return self._result()

    def close(self) -> None:
        for close in reversed(self._closing):
            close()
        self._closing.clear()

    # 1 to 3: headquarters, the rep's computer, the network goes

    def _headquarters(self) -> None:
        with self.steps.step("headquarters", "An administrator makes the organisation and imports the region"):
            found, _ = collect_outlets(self.region)
            self.zone = country_and_zone(found[0].lat_e7 / DEGREE, found[0].lon_e7 / DEGREE)[1]
            self.clock = DayClock(morning_of_a_working_day(self._now, self.zone))
            self.seeded: Seeded = seed_server(self.folder / "server", self.region, self.clock())
            self.steps.expect("outlets imported", self.seeded.outlets_imported, len(found))
            rows = self.seeded.world.records.rows
            self.steps.say(
                f"{len(rows['product'])} products, {len(rows['visit'])} visits of thirteen weeks, "
                f"{self.seeded.photos} photos (sample data)"
            )
            self.server = ServerProcess(self.folder / "server").start()
            self._closing.append(self.server.stop)
            self.proxy = FaultProxy("127.0.0.1", self.server.port).start()
            self._closing.append(self.proxy.stop)
            self.hq = Headquarters(self.folder / "server", self.seeded.org)
            self._closing.append(self.hq.close)
            self.steps.say(f"server process {self.server.pid} answers at {self.server.url}, behind {self.proxy.url}")

    def _first_sync(self) -> None:
        with self.steps.step("first_sync", "The rep signs in and syncs for the first time"):
            self.rep = self._device("rep", REP, "Portable de Camille")
            progress = self.rep.sync()
            self.steps.must("both sides hold the same rows", progress is not None and progress.verified)
            if progress is not None:
                self.steps.say(f"{progress.received} rows and {progress.photos_received} photos received")

    def _cut(self) -> None:
        with self.steps.step("cut", "The network goes away: the real sockets are cut"):
            self.proxy.cut()
            self.steps.must("no sync gets through", self.rep.sync() is None)
            self.steps.expect("what the program says", self.rep.state.problem, "offline")

    # 4 to 6: without network

    def _plan(self) -> None:
        with self.steps.step("plan", "Without network, the rep plans the day"):
            screen = self.rep.go("today", TodayScreen)
            hands.click(hands.button(screen, tr("Plan my day")))
            hands.wait_until("the day is planned", lambda: bool(self._open_stops()))
            self.planned = len(self._today().rows)
            self.steps.say(f"{self.planned} stops, each with its reasons; {len(self._today().left_out)} left out")
            for row in self._today().rows[:3]:
                reasons = ", ".join(str(reason["code"]) for reason in row.reasons)
                self.steps.say(f"  {row.number}. {row.name}: {reasons}")
            self.pictures.take(self.rep, "today")

    def _audits(self) -> None:
        with self.steps.step("audits", f"{PLANNED_AUDITS} planned visits, typed into the visit screen"):
            for number in range(1, PLANNED_AUDITS + 1):
                screen = self.rep.go("today", TodayScreen)
                stop = self._open_stops()[0]
                screen.list.select_outlet(stop.outlet_id)
                self.clock.move_on(stop.travel_minutes or 10)
                hands.press(Qt.Key.Key_Return, on=screen.list)
                self._record(stop.name, stop.outlet_id, pictures=number == 1)
            self.steps.expect("planned visits done", sum(row.visit_id is not None for row in self._planned_rows()), 3)

    def _unplanned(self) -> None:
        with self.steps.step("unplanned", "One visit that nobody planned, found by typing its name"):
            planned = {row.outlet_id for row in self._today().rows}
            outlet = next(
                row for row in self.seeded.world.records.of("outlet")
                if row["sector_id"] == self.seeded.world.territory.sectors[0] and row["id"] not in planned
                and row["state"] == "active"
            )  # fmt: skip
            screen = self.rep.go("outlets", OutletsScreen)
            screen.search.setFocus()
            hands.type_text(outlet["name"], on=screen.search)
            rid = self._row_number(outlet["id"])
            hands.wait_until("the outlet is found", lambda: screen.table.select_id(rid))
            hands.settle(400)
            self.pictures.take(self.rep, "outlets")
            self.clock.move_on(15)
            screen = hands.the(self.rep.window, OutletsScreen)
            hands.wait_until("the outlet is found again", lambda: screen.table.select_id(rid))
            hands.the(screen.preview, QLabel, lambda label: label.text() == outlet["name"])
            hands.click(screen.preview.start_button)
            self._record(outlet["name"], outlet["id"])

    def _row_number(self, outlet: Id) -> int:
        query = select(T.outlet.c.rid).where(T.outlet.c.id == outlet)
        return int(self.rep.session.ask(lambda r: r.conn.execute(query).scalar_one()))

    def _record(self, name: str, outlet: Id, *, pictures: bool = False) -> None:
        """Fill and send the report whose draft is coming to the front."""
        hands.wait_until(f"the visit to {name} is on the screen", lambda: self._draft_of(outlet))
        recorder = Recorder(self.rep.window, self._chance)
        lines = recorder.audit()
        if pictures:
            self.pictures.take(self.rep, "visit")
            hands.wait_until("the draft is on the screen again", lambda: self._draft_of(outlet))
            recorder = Recorder(self.rep.window, self._chance, recorder.keys)
        self.clock.move_on(18)
        recorder.photos(self._photo_files(name, outlet))
        submitted = recorder.send()
        self.sent.append(submitted)
        hands.settle()
        self.steps.say(f"{name}: {lines} lines, {submitted.photos} photos, {recorder.keys} keys")
        self.steps.must(f"{name}: at least {LEAST_LINES} lines", submitted.lines >= LEAST_LINES)
        self.steps.must(f"{name}: {PHOTOS_A_VISIT} photos", submitted.photos == PHOTOS_A_VISIT)

    def _draft_of(self, outlet: Id) -> bool:
        screen = self.rep.window.screens.get("visit")
        editor = getattr(screen, "editor", None)
        return editor is not None and editor.isVisible() and editor.recording.opened.outlet.id == outlet

    def _photo_files(self, name: str, outlet: Id) -> list[Path]:
        """New files of twelve megapixels, as they come off a camera's card."""
        row = next(row for row in self.seeded.world.records.of("outlet") if row["id"] == outlet)
        files = []
        for number in range(1, PHOTOS_A_VISIT + 1):
            shot = Shot(name, self.clock(), row["zone"], row["lat_e7"], row["lon_e7"])
            file = self.folder / f"DSC{len(self.sent):02d}{number}.jpg"
            file.write_bytes(shelf_photo(f"{outlet}-{number}", shot))
            files.append(file)
        return files

    def _pictures_of_the_rep(self) -> None:
        if self.out is None:
            return
        with self.steps.step("pictures", "Pictures of the rep's screens, in both themes and languages"):
            self.rep.show("outlet", id=self.sent[0].outlet_id)
            hands.settle(600)
            self.pictures.take(self.rep, "outlet")
            self.rep.show("sync")
            self.pictures.take(self.rep, "sync-offline")
            self.rep.show("settings")
            self.pictures.take(self.rep, "settings")

    # 7 and 8: the network is back

    def _restore(self) -> None:
        with self.steps.step("sync", "The network is back; one photo's upload is cut midway"):
            self.proxy.restore()
            self.expected = self._what_was_recorded()
            cuts = self.proxy.cuts
            self.proxy.cut_after(CUT_AFTER)
            first = self.rep.sync()
            self.steps.expect("uploads cut midway", self.proxy.cuts - cuts, 1)
            self.steps.must("the first try was cut", first is None)
            arrived = self.hq.arrived(self.expected)
            self.steps.say(f"at headquarters after the cut: {arrived.reports} reports, {arrived.photos} photos")
            second = self.rep.sync()
            self.steps.must("the second try got through", second is not None and second.verified)
            if second is not None:
                self.steps.say(f"{second.photos_sent} photos sent in the second try, from where the first was cut")

    def _verify(self) -> None:
        with self.steps.step("verify", "Everything is at headquarters, compared by content hash"):
            expected, arrived = self.expected, self.hq.arrived(self.expected)
            self.steps.expect("visits", arrived.visits, len(expected.visits))
            self.steps.expect("reports with equal content", arrived.reports, len(expected.answers))
            self.steps.expect("audit lines projected by the server", arrived.audit_lines, expected.audit_lines)
            self.steps.expect("photos with equal content", arrived.photos, PHOTOS_A_VISIT * len(self.sent))
            self.arrived = arrived
            self.rep.show("sync")
            self.pictures.take(self.rep, "sync")

    # 9 to 11: the manager, the correction, the second device

    def _review(self) -> None:
        with self.steps.step("review", "The manager signs in, approves one report and returns one"):
            self.rep.close()
            self.manager = self._device("manager", MANAGER, "Portable de Dominique")
            self.manager.sync()
            self.manager.show("review")
            hands.settle(1500)
            self.pictures.take(self.manager, "review-figures")
            screen = self.manager.go("review", ReviewScreen, view="reports")
            approved, returned = self.sent[0].submission_id, self.sent[1].submission_id
            self._in_front(screen, approved)
            self.pictures.take(self.manager, "review-report")
            screen = hands.the(self.manager.window, ReviewScreen)
            self._in_front(screen, approved)
            hands.click(screen.queue.bar.approve_button)
            hands.wait_until("the report is approved", lambda: self._decision(approved) == "approved")
            self._in_front(screen, returned)
            hands.click(screen.queue.bar.return_button)
            hands.click(next(iter(screen.queue.bar.chips.values())))
            hands.type_text("Merci de recompter le premier produit.", on=screen.queue.bar.note)
            hands.click(screen.queue.bar.send_button)
            hands.wait_until("the report is returned", lambda: self._decision(returned) == "returned")
            self.manager.sync()
            self._look_at_base()
            self.manager.close()
            wanted = {"approved": 1, "returned": 1}
            self.decisions = self.hq.decisions([sent.submission_id for sent in self.sent])
            self.steps.expect("decisions at headquarters", self.decisions, wanted)

    def _look_at_base(self) -> None:
        """The outlets on the map, and what is wrong with them."""
        if self.out is None:
            return
        self.manager.show("outlets")
        self.manager.window.table.trigger("outlets.map")
        hands.the(self.manager.window, OutletsMap).colour_by("store_type")
        self.pictures.take(self.manager, "outlets-map")
        self.manager.window.table.trigger("outlets.map")
        for page in ("quality", "updates"):
            self.manager.show("steward", page=page)
            self.pictures.take(self.manager, f"base-{page}")

    def _in_front(self, screen: ReviewScreen, submission: Id) -> None:
        hands.wait_until("the report is in the queue", lambda: screen.queue.list.select_id(submission))
        hands.wait_until("the report is shown", lambda: screen.queue.current() == submission)

    def _decision(self, submission: Id) -> str:
        query = select(T.review.c.decision).where(T.review.c.submission_id == submission)
        return str(self.manager.session.ask(lambda r: r.conn.execute(query).scalars().first()) or "")

    def _correct(self) -> None:
        with self.steps.step("correct", "The rep syncs, corrects the returned report and syncs again"):
            self.rep.start()
            self.rep.sync()
            returned = self.sent[1]
            self.clock.move_on(40)
            self.rep.session.navigator.go("visit", correct=returned.submission_id)
            hands.wait_until("the correction is on the screen", lambda: self._draft_of(returned.outlet_id))
            recorder = Recorder(self.rep.window, self._chance)
            recorder.recount_first_line()
            self.pictures.take(self.rep, "correction")
            hands.wait_until("the correction is on the screen again", lambda: self._draft_of(returned.outlet_id))
            recorder = Recorder(self.rep.window, self._chance)
            self.correction = recorder.send()
            done = self.rep.sync()
            self.steps.must("the correction was sent", done is not None and done.verified)
            corrected = self.hq.corrections([sent.submission_id for sent in self.sent])
            self.steps.expect("new versions at headquarters", corrected, 1)
            self.corrected = corrected

    def _report(self) -> None:
        if self.out is None:
            return
        with self.steps.step("report", "The report of the day, in French"):
            file = self.out / "rapport-du-jour.pdf"
            report = write_day_report(self.rep.session, self._today().day, file, "fr")
            self.steps.expect("visits in the report", len(report.visits), len(self.sent))
            self.steps.must("everything of the day is at headquarters", report.complete)
            pictures = len(list(self.out.glob("*.png")))
            self.steps.say(f"{file.name}: {file.stat().st_size // 1024} kB; {pictures} pictures")

    def _second_device(self) -> None:
        with self.steps.step("second_device", "A second computer of the same rep signs in"):
            self.rep.sync()
            mine = holdings(self.rep.db, self.rep.photos)
            self.rep.close()
            second = self._device("second", REP, "Second portable de Camille")
            second.sync()
            theirs = holdings(second.db, second.photos)
            second.close()
            for bucket in sorted({*mine, *theirs}):
                here, there = mine.get(bucket), theirs.get(bucket)
                if here is not None:
                    self.steps.say(f"{bucket[:15]}: {here.rows} rows {here.rows_hash[:12]}, {here.blobs} photos "
                                   f"{here.blobs_hash[:12]}")
                self.steps.must("  the second computer holds the same", here == there and here is not None)
            self.equal = mine == theirs and not any(holding.blobs_missing for holding in mine.values())
            self.steps.must("both hold every row and every photo", self.equal)

    def _result(self) -> dict[str, Any]:
        arrived = self.arrived
        return {
            "outlets": self.seeded.outlets_imported,
            "planned_stops": self.planned,
            "visits": len(self.sent),
            "audit_lines": sum(sent.lines for sent in self.sent),
            "photos": sum(sent.photos for sent in self.sent),
            "server": {"visits": arrived.visits, "audit_lines": arrived.audit_lines, "photos": arrived.photos},
            "review": {
                "approved": self.decisions.get("approved", 0), "returned": self.decisions.get("returned", 0),
                "corrected": self.corrected,
            },
            "second_device_equal": self.equal,
        }  # fmt: skip

    # inside

    def _device(self, folder: str, account: str, name: str) -> Device:
        login: Login = (ORGANISATION_CODE, account, PASSWORD)
        device = Device(self.folder / folder, self.proxy.url, login, name, self.clock)
        self._closing.append(device.close)
        return device

    def _today(self) -> Today:
        actor, day = self.rep.session.actor, self.clock().astimezone(ZoneInfo(self.zone)).date()
        return self.rep.session.ask(lambda r: today(r, actor, day))

    def _planned_rows(self) -> list[TodayRow]:
        return [row for row in self._today().rows if row.stop_id is not None]

    def _open_stops(self) -> list[TodayRow]:
        return [row for row in self._planned_rows() if row.open]

    def _what_was_recorded(self) -> Sent:
        """Read from the rep's own device, before anything was sent."""
        reports = [sent.submission_id for sent in self.sent]
        table = T.submission
        query = select(table.c.id, table.c.answers).where(table.c.id.in_(reports))
        photos = select(T.attachment.c.sha256).where(T.attachment.c.submission_id.in_(reports))
        with self.rep.db.read() as reader:
            answers = {id: answers_hash(found) for id, found in reader.conn.execute(query)}
            names = frozenset(reader.conn.execute(photos).scalars())
        lines = sum(sent.lines for sent in self.sent)
        return Sent(frozenset(sent.visit_id for sent in self.sent), answers, names, lines)
