"""What is arranged in the history so that there is something to find: each is something the program must show.

Two broken promises, a duplicate outlet, and three reports that deserve a look: a visit of two minutes, one far from
the store, one whose photo had been used before.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from fieldcrm.demo.history import History, Visited, add_task, position_near
from fieldcrm.demo.pictures import Shot, shelf_photo
from fieldcrm.demo.records import Records, Row
from fieldcrm.domain.ids import Id

PHOTO_SIZE = (1600, 1200)
PHOTO_NODE = "/photos/shelf_photos"
REPORTS_WITH_PHOTOS = 4  # of each rep, the newest


@dataclass(slots=True)
class Oddities:
    broken_promises: tuple[Id, ...] = ()
    always_out: tuple[Id, Id] | None = None  # outlet, product
    duplicate: tuple[Id, Id] | None = None  # the true one, the duplicate
    suspicious: dict[str, Id] = field(default_factory=dict)  # why -> submission
    blobs: dict[str, bytes] = field(default_factory=dict)  # content hash -> photo


def arrange(history: History, found: Oddities) -> None:
    """Write everything odd into the records of a history that was written."""
    chance = history.chance
    _broken_promises(history, found)
    duplicate_outlet(history.records, found)
    by_rep = {rep.id: [past for past in history.visited if past.rep.id == rep.id] for rep in history.territory.reps}
    for visits in by_rep.values():
        for past in visits[-REPORTS_WITH_PHOTOS:]:
            for number in (1, 2):
                attach(history.records, past, _photo(past, number), number, found)
    second, third = (by_rep[rep.id] for rep in history.territory.reps[1:3])
    _too_short(second[-2], found)
    _far_away(third[-3], chance, found)
    _same_photo(history.records, third[-2], second[-4], found)


def _broken_promises(history: History, found: Oddities) -> None:
    """Two stores of the rep whose day is played broke their word; a third one's promise is due now."""
    rep = history.territory.reps[0]
    today = history.records.now.astimezone(UTC).date()
    stores = {past.outlet["id"]: past for past in history.visited if past.rep.id == rep.id}
    first, second, third = list(stores.values())[:3]
    found.broken_promises = tuple(
        add_task(
            history.records, past.outlet, rep, "promise", title, today - timedelta(days=age), state="broken",
            visit=past.visit["id"], done_at=history.records.now - timedelta(days=age - 2),
        )
        for past, title, age in (
            (first, "Ouvrir une deuxième tablette pour les soupes Brisote", 19),
            (second, "Rentrer la tête de gondole Norvelle", 33),
        )
    )  # fmt: skip
    add_task(
        history.records, third.outlet, rep, "promise", "Poser les réglettes prix Maison Aubrelin",
        today - timedelta(days=1), state="open", visit=third.visit["id"],
    )  # fmt: skip


def duplicate_outlet(records: Records, found: Oddities) -> None:
    """The same store entered by hand a second time, thirty metres away, with a typing mistake in its name."""
    true = next(row for row in records.of("outlet") if row["store_type"] == "supermarket" and row["state"] == "active")
    name = true["name"]
    twin = {
        **true, "id": records.id("duplicate"), "name": name[:-2] + name[-1] + name[-2],
        "lat_e7": true["lat_e7"] + 2400, "lon_e7": true["lon_e7"] - 1500, "opening_hours": None, "phone": None,
        "provenance": {"name": {"source": "rep", "at": records.now.date().isoformat()}}, "custom": {},
    }  # fmt: skip
    records.rows["outlet"].append(twin)
    start = records.now.astimezone(UTC).date() - timedelta(weeks=4)
    records.add(
        "sector_assignment", records.id("assignment", "twin"), outlet_id=twin["id"], sector_id=true["sector_id"],
        valid_from=start, valid_to=None,
    )  # fmt: skip
    found.duplicate = true["id"], twin["id"]


def _photo(past: Visited, number: int) -> tuple[bytes, Shot]:
    taken: datetime = past.visit["started_at"] + timedelta(minutes=2 + number)
    outlet = past.outlet
    shot = Shot(outlet["name"], taken, outlet["zone"], outlet["lat_e7"], outlet["lon_e7"])
    return shelf_photo(f"{past.visit['id']}-{number}", shot, PHOTO_SIZE, quality=80), shot


def attach(records: Records, past: Visited, photo: tuple[bytes, Shot], number: int, found: Oddities) -> None:
    data, shot = photo
    digest = hashlib.sha256(data).hexdigest()
    found.blobs[digest] = data
    past.submission["answers"].setdefault("photos", {}).setdefault("shelf_photos", []).append(digest)
    records.add(
        "attachment", records.id("attachment", past.submission["id"], number, at=shot.taken_at),
        submission_id=past.submission["id"], visit_id=past.visit["id"], outlet_id=past.outlet["id"],
        node=PHOTO_NODE, sha256=digest, size=len(data), mime="image/jpeg", width=PHOTO_SIZE[0],
        height=PHOTO_SIZE[1], taken_at=shot.taken_at, lat_e7=shot.lat_e7, lon_e7=shot.lon_e7,
    )  # fmt: skip


def _too_short(past: Visited, found: Oddities) -> None:
    past.visit["ended_at"] = past.visit["started_at"] + timedelta(minutes=2)
    past.submission["submitted_at"] = past.visit["ended_at"]
    found.suspicious["short"] = past.submission["id"]


def _far_away(past: Visited, chance: random.Random, found: Oddities) -> None:
    past.visit.update(position_source="receiver", **position_near(past.outlet, 2600, chance))
    found.suspicious["far"] = past.submission["id"]


def _same_photo(records: Records, past: Visited, earlier: Visited, found: Oddities) -> None:
    """The first photo of ``past`` becomes that of a visit to another store some days before."""
    photos: list[Row] = records.of("attachment")
    reused = next(row for row in photos if row["submission_id"] == earlier.submission["id"])
    mine = next(row for row in photos if row["submission_id"] == past.submission["id"])
    del found.blobs[mine["sha256"]]
    named = past.submission["answers"]["photos"]["shelf_photos"]
    named[named.index(mine["sha256"])] = reused["sha256"]
    mine.update({name: reused[name] for name in ("sha256", "size", "taken_at", "lat_e7", "lon_e7")})
    found.suspicious["reused"] = past.submission["id"]
