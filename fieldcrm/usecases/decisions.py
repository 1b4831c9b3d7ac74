"""What needs a person's decision: changes that were refused, and fields that two people wrote at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.store import outbox as _outbox
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.outbox import Clash, Letter

WHOLE_RECORD = "*"
# Consequences of another refusal; the first cause is the one to show.
_CONSEQUENCES = frozenset({"same_transaction", "no_record"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A transaction that headquarters refused. ``code`` and ``params`` say why; ``letters`` are its operations."""

    tx: Id
    code: str
    params: Mapping[str, Any]
    made_at: datetime
    outlet_id: Id | None
    outlet_name: str
    collections: tuple[str, ...]
    letters: tuple[Letter, ...]
    repeatable: bool  # whether making it once more can make sense


@dataclass(frozen=True, slots=True)
class FieldClash:
    """A field that two people wrote: ``mine`` gave way, ``theirs`` stands. Wire values."""

    id: Id
    collection: str
    record_id: Id
    field: str
    mine: Any
    theirs: Any
    at: datetime | None
    outlet_id: Id | None
    outlet_name: str


def refusals(r: Reader) -> tuple[Refusal, ...]:
    """Refused transactions, the oldest first."""
    grouped: dict[Id, list[Letter]] = {}
    for letter in _outbox.letters(r):
        grouped.setdefault(letter.tx, []).append(letter)
    return tuple(_refusal(tx, tuple(letters)) for tx, letters in grouped.items())


def _refusal(tx: Id, letters: tuple[Letter, ...]) -> Refusal:
    cause = next((letter for letter in letters if letter.code not in _CONSEQUENCES), letters[0])
    outlet = next((letter for letter in letters if letter.outlet_id is not None), cause)
    names = tuple(dict.fromkeys(letter.collection for letter in letters))
    # A fact is at headquarters or it is not; a refused fact keeps its id and can be offered as it was.
    repeatable = cause.code not in ("append_only", "unknown_command", "exists")
    made = letters[0].made_at
    return Refusal(
        tx, cause.code, cause.params, made, outlet.outlet_id, outlet.outlet_name, names, letters, repeatable
    )


def field_clashes(r: Reader, person: Id) -> tuple[FieldClash, ...]:
    """Fields in which this person's value gave way, the oldest first."""
    return tuple(_field_clash(clash) for clash in _outbox.clashes(r, person))


def _field_clash(clash: Clash) -> FieldClash:
    return FieldClash(
        clash.id, clash.collection, clash.record_id, clash.field, clash.lost, clash.kept, clash.at, clash.outlet_id,
        clash.outlet_name,
    )


def keep_mine(tx: Transaction, clash: FieldClash) -> None:
    """Put my value back, as a change of now. Raises ``DomainError("record_gone")``."""
    if clash.field == WHOLE_RECORD:
        _keep_my_record(tx, clash)
    elif not _outbox.write_field(tx, clash.collection, clash.record_id, clash.field, clash.mine):
        raise DomainError("record_gone")
    _close(tx, clash)


def _keep_my_record(tx: Transaction, clash: FieldClash) -> None:
    """My deletion, or my edit of what somebody deleted."""
    if clash.mine is None:
        letter = _as_letter(clash, "del", {})
    elif _outbox.exists(tx, clash.collection, clash.record_id):
        letter = _as_letter(clash, "upd", clash.mine)
    else:
        raise DomainError("record_gone")
    if not _outbox.write_again(tx, letter):
        raise DomainError("record_gone")


def _as_letter(clash: FieldClash, kind: str, values: Mapping[str, Any]) -> Letter:
    moment = clash.at or datetime.min.replace(tzinfo=UTC)
    return Letter(
        0, clash.id, kind, clash.collection, clash.record_id, values, {}, "", {}, moment, moment, clash.outlet_id,
        clash.outlet_name,
    )


def keep_theirs(tx: Transaction, clash: FieldClash) -> None:
    """Leave what stands."""
    _close(tx, clash)


def _close(tx: Transaction, clash: FieldClash) -> None:
    _outbox.close_clash(tx, clash.id)
    tx.touch(clash.collection, clash.record_id)
    tx.touch("sync")


def try_again(tx: Transaction, refusal: Refusal) -> None:
    """Make the refused changes once more, as changes of now. Raises ``DomainError("record_gone")``."""
    for letter in sorted(refusal.letters, key=lambda letter: letter.rid):
        if not _outbox.write_again(tx, letter):
            raise DomainError("record_gone")
        tx.touch(letter.collection, letter.record_id)
    _outbox.close_letters(tx, refusal.tx)
    tx.touch("sync")


def discard(tx: Transaction, refusal: Refusal) -> None:
    """Let the refused changes go: headquarters' version already stands on this device."""
    _outbox.close_letters(tx, refusal.tx)
    tx.touch("sync")
