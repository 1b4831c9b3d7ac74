"""Backup, restore, and whether all agrees."""

from __future__ import annotations

import argparse
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.errors import DomainError
from fieldcrm.serve.command import Arguments, now, whole_number
from fieldcrm.server import backups, checks
from fieldcrm.server.headquarters import Headquarters, open_headquarters
from fieldcrm.server.jobs import RETENTION
from sync.server.database import reading


def add_to(arguments: Arguments) -> None:
    one = arguments.add("backup", _backup, "write a verified backup; the server may go on")
    one.add_argument("target", type=Path, metavar="FOLDER", help="a new folder")
    one = arguments.add_preparation("restore", _restore, "put a backup back into an empty place")
    one.add_argument("source", type=Path, metavar="FOLDER", nargs="?")
    one.add_argument("--accept", action="store_true", help="a backup was put back by other means: begin a new epoch")
    one.add_argument("--without-key", action="store_true", help="sealed values and second factors are given up")
    check = arguments.add("check", _check, "count what is there, and whether sums, places and photos agree")
    check.add_argument("--repair", action="store_true", help="derive the figures' lines again from the reports")
    check.add_argument("--no-photos", action="store_true", help="do not hash the photos")
    one = arguments.add_preparation("verify-backup", _verify, "open a backup, count it, and hash its photos")
    one.add_argument("source", type=Path, metavar="FOLDER")
    one = arguments.add("compact", _compact, "forget what left a sector, or was deleted, long ago")
    one.add_argument(
        "--days", type=whole_number(1, 36_500), default=RETENTION.days,
        help=f"older than that (default: {RETENTION.days})",
    )  # fmt: skip


def _backup(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    return _told(backups.back_up(hq, options.target, now=now()), options.target)


def _restore(options: argparse.Namespace) -> dict[str, Any]:
    if options.accept == (options.source is not None):
        raise DomainError("required", field="FOLDER")
    if options.source is None:
        hq = open_headquarters(options.data, options.database, now, accept_restore=True)
        try:
            return {"accepted": hq.accept_restore()}
        finally:
            hq.close()
    made = backups.restore(options.source, options.data, options.database, now, without_key=options.without_key)
    return _told(made, options.source)


def _verify(options: argparse.Namespace) -> dict[str, Any]:
    return _told(backups.verify(options.source), options.source)


def _told(made: backups.Manifest, folder: Path) -> dict[str, Any]:
    listed = [
        {"organisation": one.code, "records": sum(one.records.values()), "photos": one.photos, "revision": one.rev}
        for one in made.organisations.values()
    ]
    return {"backup": str(folder), "made_at": made.made_at, "verified": True, "organisations": listed}


def _check(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    """Whether what the server holds and derives agrees with itself; ``--repair`` derives again."""
    report = []
    for org, code in hq.accounts.organisations():
        if options.repair:
            with hq.engine.begin() as connection:
                hq.projections.rebuild(connection, org)
        photos = None if options.no_photos else hq.folder / backups.PHOTOS
        found = checks.check(hq.engine, CATALOGUE, hq.sync.tables, org, photos)
        with reading(hq.engine) as connection:
            missing = hq.missing_blobs(connection, org)
        faults = {
            "sums_wrong": len(found.wrong_sums),
            "misplaced": sum(found.misplaced.values()),
            "photos_lost": len(found.photos_lost),
            "photos_damaged": len(found.photos_damaged),
        }
        report.append(
            {"organisation": code, "sound": found.sound, "records": sum(found.records.values())}
            | faults
            | {"waiting_for_what_is_above": sum(found.orphans.values()), "photos_missing": len(missing)}
            | dict(Counter(found.records))
        )
    return {"organisations": report, "sound": all(one["sound"] for one in report)}


def _compact(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    before = now() - timedelta(days=options.days)
    return {"forgotten": sum(hq.sync.compact_before(org, before) for org, _ in hq.accounts.organisations())}
