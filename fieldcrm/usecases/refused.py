"""Changes that headquarters refused: each transaction is one thing, to be mended, exported, offered again or let go.

They rest in the database beside the queue and hold nothing up. Letting one go can be taken back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import EDITABLE, checked
from fieldcrm.store import outbox as _outbox
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.outbox import Letter
from fieldcrm.store.state import read_state, write_state
from fieldcrm.usecases.decisions import wire_value
from fieldcrm.usecases.export import save_csv, save_text
from sync.catalogue import Kind

__all__ = [
    "Fault", "Letter", "Refusal", "discard", "fault", "let_go", "mend", "refusals", "save", "take_back", "try_again",
]

# Consequences of another refusal; the first cause is the one to show.
_CONSEQUENCES = frozenset({"same_transaction", "no_record"})
_ONCE = frozenset({"append_only", "unknown_command", "exists"})  # offering it again cannot make sense
_LET_GO = "refusals_let_go"
LET_GO_SHOWN = 50
_TYPED = frozenset({Kind.TEXT, Kind.LONG, Kind.INTEGER})


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

    @property
    def transactions(self) -> tuple[Id, ...]:
        """One; of an import all that it took."""
        return tuple(dict.fromkeys((self.tx, *(letter.tx for letter in self.letters))))


@dataclass(frozen=True, slots=True)
class Fault:
    """The one value to blame, where it can be typed anew: in which letter, which field, and what was refused."""

    letter: Letter
    field: str
    value: Any
    choices: tuple[str, ...]


def refusals(r: Reader) -> tuple[Refusal, ...]:
    """Refused transactions, the oldest first."""
    grouped = _grouped(_outbox.letters(r))
    return tuple(_refusal(tx, tuple(letters)) for tx, letters in grouped.items())


def _grouped(letters: Sequence[Letter]) -> dict[Id, list[Letter]]:
    """By transaction; the pieces of an import that were refused for one reason are one refusal, under their first."""
    grouped: dict[Id, list[Letter]] = {}
    first: dict[tuple[Id, str], Id] = {}
    for letter in letters:
        tx = first.setdefault((letter.record_id, letter.code), letter.tx) if letter.kind == "cmd" else letter.tx
        grouped.setdefault(tx, []).append(letter)
    return grouped


def let_go(r: Reader) -> tuple[Refusal, ...]:
    """What was let go lately, the newest first: all of it is still here, to be taken back or exported."""
    known = [Id(hex=text) for text in read_state(r, _LET_GO, [])]
    if not known:
        return ()
    grouped = _grouped(_outbox.letters(r, known))
    shown = (_refusal(tx, tuple(grouped[tx])) for tx in reversed(known) if tx in grouped)
    return tuple(refusal for refusal in shown if not _made_again(r, refusal))


def _made_again(r: Reader, refusal: Refusal) -> bool:
    """Whether its visit is here after all: reopened, and sent in once more."""
    return any(
        letter.collection == "visit" and letter.kind == "new" and _outbox.exists(r, "visit", letter.record_id)
        for letter in refusal.letters
    )


def _cause(letters: Sequence[Letter]) -> Letter:
    return next((letter for letter in letters if letter.code not in _CONSEQUENCES), letters[0])


def _refusal(tx: Id, letters: tuple[Letter, ...]) -> Refusal:
    cause = _cause(letters)
    outlet = next((letter for letter in letters if letter.outlet_id is not None), cause)
    names = tuple(dict.fromkeys(letter.collection for letter in letters))
    return Refusal(
        tx, cause.code, cause.params, letters[0].made_at, outlet.outlet_id, outlet.outlet_name, names, letters,
        cause.code not in _ONCE,
    )


def fault(refusal: Refusal) -> Fault | None:
    """What to mend; ``None`` where no single value is to blame, or none that a person types."""
    cause, name = _cause(refusal.letters), str(refusal.params.get("field") or "")
    definition = CATALOGUE.by_name[cause.collection].by_name.get(name)
    if definition is None or definition.kind not in _TYPED or cause.kind not in ("new", "upd"):
        return None
    return Fault(cause, name, cause.values.get(name), definition.choices)


def mend(tx: Transaction, refusal: Refusal, text: str) -> bool:
    """Make the refused changes once more with ``text`` in place of the value to blame, as changes of now.

    ``False`` when that was done already.

    Raises ``DomainError`` with the field when ``text`` cannot be right either, and ``record_gone``.
    """
    found = fault(refusal)
    if found is None:
        raise DomainError("field_not_editable")
    value = _mended(found, text)
    letters = tuple(
        replace(letter, values={**letter.values, found.field: value}) if letter.rid == found.letter.rid else letter
        for letter in refusal.letters
    )
    done = try_again(tx, replace(refusal, letters=letters))
    tx.label = "refused.mended"
    return done


def _mended(found: Fault, text: str) -> Any:
    letter = found.letter
    if letter.collection == "outlet" and found.field in EDITABLE - {"opening_hours", "preferred_slots"}:
        return checked({found.field: text}, country=str(letter.values.get("country") or ""))[found.field]
    value = wire_value(letter.collection, found.field, text)
    definition = CATALOGUE.by_name[letter.collection].by_name[found.field]
    if value is None and definition.required:
        raise DomainError("required", field=found.field)
    return value


def try_again(tx: Transaction, refusal: Refusal) -> bool:
    """Make the refused changes once more, as changes of now; ``False`` when that was done already.

    Raises ``DomainError("record_gone")``.
    """
    if not sum([_outbox.close_letters(tx, one) for one in refusal.transactions]):
        return False
    for letter in sorted(refusal.letters, key=lambda letter: letter.rid):
        if not _outbox.write_again(tx, letter):
            raise DomainError("record_gone")
        tx.touch(letter.collection, letter.record_id)
    tx.touch("sync")
    return True


def discard(tx: Transaction, refused: Sequence[Refusal]) -> None:
    """Let refused changes go: headquarters' version already stands on this device. What was written stays too."""
    transactions = [one for refusal in refused for one in refusal.transactions]
    for one in transactions:
        _outbox.close_letters(tx, one)
    gone = {one.hex for one in transactions}
    known = [text for text in read_state(tx, _LET_GO, []) if text not in gone]
    write_state(tx, _LET_GO, [*known, *sorted(gone)][-LET_GO_SHOWN:])
    tx.touch("sync")


def take_back(tx: Transaction, refused: Sequence[Refusal]) -> None:
    """They wait for a decision again. Raises ``DomainError("nothing_to_undo")`` when none of them is known any more."""
    transactions = [one for refusal in refused for one in refusal.transactions]
    if not sum([_outbox.close_letters(tx, one, closed=False) for one in transactions]):
        raise DomainError("nothing_to_undo")
    back = {one.hex for one in transactions}
    write_state(tx, _LET_GO, [text for text in read_state(tx, _LET_GO, []) if text not in back])
    tx.touch("sync")


# For the administrator


def save(path: Path, refused: Sequence[Refusal], *, device: int, separator: str = ",") -> int:
    """Write everything that was refused to ``path``: JSON, or CSV when the name ends so. Returns the size in bytes.

    Raises ``Unavailable``: ``disk_full``, ``disk_denied``.
    """
    if path.suffix.lower() == ".csv":
        header = ("refused_at", "made_at", "transaction", "code", "outlet", "kind", "collection", "record", "field",
                  "before", "written")
        return save_csv(path, header, _lines(refused), separator=separator)
    document = {"format": "fieldcrm.refused/1", "device": device, "refused": [_described(one) for one in refused]}
    return save_text(path, json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def _described(refusal: Refusal) -> dict[str, Any]:
    return {
        "transaction": refusal.tx.hex,
        "made_at": refusal.made_at.isoformat(),
        "code": refusal.code,
        "params": dict(refusal.params),
        "outlet": refusal.outlet_name,
        "operations": [
            {
                "kind": letter.kind,
                "collection": letter.collection,
                "id": letter.record_id.hex,
                "code": letter.code,
                "refused_at": letter.refused_at.isoformat(),
                "set": dict(letter.values),
                "was": dict(letter.was),
            }
            for letter in refusal.letters
        ],
    }


def _lines(refused: Sequence[Refusal]) -> Iterable[Sequence[str]]:
    for refusal in refused:
        for letter in refusal.letters:
            for name in sorted({*letter.values, *letter.was}) or [""]:
                yield (
                    letter.refused_at.isoformat(), letter.made_at.isoformat(), refusal.tx.hex, letter.code,
                    refusal.outlet_name, letter.kind, letter.collection, letter.record_id.hex, name,
                    _cell(letter.was.get(name)), _cell(letter.values.get(name)),
                )


def _cell(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
