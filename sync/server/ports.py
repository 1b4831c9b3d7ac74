"""What the product hands to the engine: who sees what, who may do what, and what happens with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import Connection

from sync.catalogue import Collection

Values = Mapping[str, Any]  # wire values by field name


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as the sign-in established it. ``device`` 0 is the server itself."""

    org: UUID
    user: UUID
    role: str
    device: int


class Proposal(NamedTuple):
    """What a device wants done to one record, before it is merged."""

    kind: str  # "new", "upd", "del"
    collection: Collection
    id: UUID
    set: Values
    before: Values | None
    after: Values | None
    get: Callable[[str, UUID], Values | None] = lambda _collection, _id: None  # another record, as it stands now


@dataclass(frozen=True, slots=True)
class Change:
    """A change that the server itself makes: ``values`` None deletes the record."""

    collection: str
    id: UUID
    values: Values | None


class Applied(NamedTuple):
    """What a committed transaction did to one record."""

    collection: str
    id: UUID
    before: Values | None
    after: Values | None  # None: deleted
    rev: int


@dataclass(frozen=True, slots=True)
class Clash:
    """Two devices wrote the same thing; one value gave way, and a person can swap them."""

    id: UUID  # the same again when the operation is offered again
    collection: str
    record: UUID
    field: str  # "" for the whole record
    kept: Any
    lost: Any
    loser: UUID | None  # user whose value gave way
    values: Values  # the record as it stands
    at: datetime
    before: Any = None  # what both started from: of the field, or of every field when ``field`` is ""
    winner: UUID | None = None  # user whose value stands; None: the server, or not known
    made_at: int = 0  # when the change that arrived was made, by its device's clock, in milliseconds
    mine: bool = True  # the change that arrived is the one that gave way; else it is the one that stands


class Refused(Exception):
    """The operation is not allowed or not valid: a code and parameters for the sentence."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class Editing(Protocol):
    """What a named command may do, inside the transaction of its operation."""

    caller: Caller
    connection: Connection
    now: datetime

    def get(self, collection: str, id: UUID) -> Values | None: ...

    def put(self, collection: str, id: UUID, values: Values) -> None: ...

    def remove(self, collection: str, id: UUID) -> None: ...

    def load(self, keys: Iterable[tuple[str, UUID]]) -> None:
        """Read many records at once, for what is asked next."""

    def knows(self, collection: str, id: UUID) -> bool:
        """Whether there is such a record, or was one that is deleted now."""

    def again(self, collection: str, id: UUID) -> None:
        """Write the record as it stands under a new revision: a device that let go of it hears of it again."""


Command = Callable[[Editing, UUID, Values], None]


def _anybody(connection: Connection, caller: Caller, proposal: Proposal) -> None:
    return None


def _nothing(connection: Connection, org: UUID, applied: Sequence[Applied]) -> None:
    return None


def _no_need(collection: str, values: Values) -> Iterable[tuple[str, Any]]:
    return ()


def _no_record(clash: Clash) -> Change | None:
    return None


@dataclass(frozen=True)
class Hooks:
    """``buckets`` for records without a scope parent; ``visible``: the buckets a caller may hold now.

    ``authorize`` raises ``Refused``. ``on_applied`` runs in the transaction, after the rows are written.
    ``conflict`` makes the product's record of a clash; ``merged`` that of a merge in which nobody gave way: there
    ``kept`` holds the fields that others had changed, ``lost`` those of the device, ``loser`` is its user.
    ``needs`` names the records that ``authorize`` will ask for, as collection and wire id, so that those of a whole
    request are read at once; what it leaves out is read one by one. Its values are unchecked.
    """

    buckets: Callable[[str, Values], frozenset[str]]
    visible: Callable[[Connection, Caller], frozenset[str]]
    authorize: Callable[[Connection, Caller, Proposal], None] = _anybody
    on_applied: Callable[[Connection, UUID, Sequence[Applied]], None] = _nothing
    conflict: Callable[[Clash], Change | None] = _no_record
    merged: Callable[[Clash], Change | None] = _no_record
    commands: Mapping[str, Command] = field(default_factory=dict)
    needs: Callable[[str, Values], Iterable[tuple[str, Any]]] = _no_need
