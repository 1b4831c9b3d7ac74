"""Rebuilding a device from its journal or its second copy, into a new folder."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fieldcrm.domain.actor import Actor, Role
from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.domain.ids import Id
from fieldcrm.store import journal_copy, journal_rescue
from fieldcrm.store.database import DATABASE_NAME, Database, Transaction
from fieldcrm.store.journal_rescue import Found, Rebuilt
from fieldcrm.store.journal_segment import Damage
from fieldcrm.store.keys import KEY_FILE, KeyPlace, create_key, key_place, load_key
from fieldcrm.store.photos import PhotoStore
from fieldcrm.usecases import signin
from fieldcrm.usecases.visits import project_submissions

NOBODY = Actor(Id(int=0), Role.REP)
_PHOTOS = "photos"


@dataclass(frozen=True, slots=True)
class Report:
    """What a rescue found and, unless it was only a look, what it rebuilt.

    ``photos``: those that reports and drafts name and that are here; ``photos_missing``: named, and not here (what
    headquarters has verified is not kept for ever); ``photos_damaged``: here, and not what they were.
    """

    owner: str
    segments: int
    transactions: int
    operations: int
    by_collection: dict[str, int]
    incomplete: int
    drafts: int
    photos: int
    photos_missing: int
    photos_damaged: int
    erased: int
    damage: tuple[Damage, ...]
    rebuilt: Rebuilt | None = None

    @property
    def whole(self) -> bool:
        return not (self.damage or self.incomplete or self.photos_damaged)


def key_of(source: Path, *, passphrase: Callable[[], str], code: Callable[[], str]) -> bytes:
    """The key that opens ``source``: its own when it is a profile, or by the recovery code beside a second copy.

    Raises ``DomainError``: "rescue_nothing", "rescue_no_key", "recovery_code_wrong", "passphrase_wrong" and others.
    """
    if not journal_rescue.journal_folders(source):
        raise DomainError("rescue_nothing", path=str(source))
    for folder in (source, source.parent):
        if (folder / journal_copy.RECOVERY_FILE).exists():
            return journal_copy.unwrap_key(folder, code())
        if (folder / KEY_FILE).exists():
            asked = key_place(folder) is KeyPlace.PASSPHRASE
            return load_key(folder, passphrase=passphrase() if asked else "")
    raise DomainError("rescue_no_key", path=str(source))


def look(source: Path, key: bytes) -> Report:
    """What a rescue of ``source`` would bring. Changes nothing anywhere."""
    found = journal_rescue.look(source, key)
    return _report(found, *_photos(source, key, found, None))


def rescue(
    source: Path, key: bytes, into: Path, place: KeyPlace, *, passphrase: str = "", now: datetime
) -> Report:
    """Rebuild the device in the new folder ``into``; the source is only read.

    Its changes wait to be sent under their own ids: headquarters recognises those that it has, and does none twice.
    The person signs in again. Raises ``DomainError``: "rescue_folder_taken", "rescue_folder_wrong",
    "passphrase_short"; ``Unavailable``: "disk_full", "disk_denied" and others.
    """
    if (into / DATABASE_NAME).exists() or (into / KEY_FILE).exists():
        raise DomainError("rescue_folder_taken", path=str(into))
    if (into.exists() and not into.is_dir()) or source.resolve() in (into.resolve(), *into.resolve().parents):
        raise DomainError("rescue_folder_wrong", path=str(into))  # what is rescued from stays as it is
    found = journal_rescue.look(source, key)
    try:
        new_key = create_key(into, place, passphrase=passphrase)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise Unavailable("disk_full" if full else "disk_denied", path=str(into)) from error
    photos = _photos(source, key, found, PhotoStore(into / _PHOTOS, new_key))
    db = Database.open(into, new_key, now=now)
    try:
        rebuilt = db.write(lambda tx: _rebuild(tx, found), actor=_actor(found), now=now, label="rescue").result().value
    finally:
        db.close()
    return _report(found, *photos, rebuilt)


def _rebuild(tx: Transaction, found: Found) -> Rebuilt:
    rebuilt = journal_rescue.rebuild(tx, found)
    if found.state is not None and found.state.owner is not None:
        signin.restore_owner(tx, found.state.owner)
    project_submissions(tx)
    return rebuilt


def _actor(found: Found) -> Actor:
    person = next((one.person for one in reversed(found.transactions) if one.person.int), None)
    return NOBODY if person is None else Actor(person, Role.REP)


def _photos(source: Path, key: bytes, found: Found, target: PhotoStore | None) -> tuple[int, int, int]:
    """How many of the photos are here, missing and damaged; those here are put into ``target``."""
    folder = source if (source / _PHOTOS).is_dir() else source.parent
    store = PhotoStore(folder / _PHOTOS, key)
    here = missing = damaged = 0
    for name in found.photos:
        try:
            content = store.get(name)
        except DomainError as error:
            missing += error.code == "photo_missing"
            damaged += error.code != "photo_missing"
            continue
        except ValueError:
            damaged += 1
            continue
        here += 1
        if target is not None:
            target.put(content)
    return here, missing, damaged


def _report(found: Found, here: int, missing: int, damaged: int, rebuilt: Rebuilt | None = None) -> Report:
    records = {(op.collection, op.id) for one in found.transactions for op in one.operations}
    counted = Counter(CATALOGUE.by_number[number].name for number, _ in records)
    owner: Any = found.state.owner if found.state else None
    return Report(
        owner=str(owner.get("login", "")) if isinstance(owner, dict) else "",
        segments=found.segments,
        transactions=len(found.transactions),
        operations=found.operations,
        by_collection=dict(sorted(counted.items())),
        incomplete=sum(not one.whole for one in found.transactions),
        drafts=len(found.state.rows.get("draft", ())) if found.state else 0,
        photos=here,
        photos_missing=missing,
        photos_damaged=damaged,
        erased=found.erased,
        damage=tuple(found.damage),
        rebuilt=rebuilt,
    )
