"""What a collection is: the data from which tables, triggers, merges and wire rows are made.

A product declares its collections once, as a ``Catalogue``; the engine knows nothing else about them.
Numbers of collections and fields are stable for ever, because journals and wire files are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """How a field is stored, compared and sent.

    ======== ====================== ================= =====================
    kind     Python                 SQLite            wire (JSON)
    ======== ====================== ================= =====================
    TEXT     str                    TEXT              string
    LONG     str, merged by line    TEXT              string
    INTEGER  int                    INTEGER           number
    COUNTER  int, changed by ``inc``INTEGER           number
    FLAG     bool                   INTEGER 0 or 1    true or false
    ID       uuid.UUID              BLOB of 16 bytes  32 hexadecimal digits
    TIME     aware datetime, UTC    INTEGER, ms       number, ms since 1970
    DATE     datetime.date          TEXT, ISO 8601    string
    DOCUMENT any JSON value         TEXT, canonical   JSON value
    MAP      dict, merged per key   TEXT, canonical   object
    SET      list of strings        TEXT, canonical   array, sorted
    ======== ====================== ================= =====================
    """

    TEXT = "text"
    LONG = "long"
    INTEGER = "integer"
    COUNTER = "counter"
    FLAG = "flag"
    ID = "id"
    TIME = "time"
    DATE = "date"
    DOCUMENT = "document"
    MAP = "map"
    SET = "set"


class Merge(StrEnum):
    """Who wins when another device wrote the same field after the writer's base revision."""

    ARRIVAL = "arrival"  # the one that reaches the server last
    SERVER = "server"  # what the server already has; the other value is kept as a conflict
    MAX = "max"
    MIN = "min"
    LINES = "lines"  # three-way by line, for long text; falls back to SERVER
    KEYS = "keys"  # per key of a MAP, each key by ARRIVAL


class Personal(StrEnum):
    """Whose personal data a field holds, for erasure, export and the register."""

    NONE = "none"
    CONTACT = "contact"  # a person at the customer's
    STAFF = "staff"  # a user of the program
    WORDS = "words"  # free words, which may name anybody: they belong to their record


_ERASABLE = frozenset({Kind.TEXT, Kind.LONG, Kind.DOCUMENT, Kind.MAP, Kind.SET})


@dataclass(frozen=True, slots=True)
class Field:
    number: int
    name: str
    kind: Kind = Kind.TEXT
    merge: Merge = Merge.ARRIVAL
    required: bool = False
    choices: tuple[str, ...] = ()
    personal: Personal = Personal.NONE
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class ScopeParent:
    """The record that decides which devices may hold this one: ``field`` is its id, in ``collection``."""

    field: str
    collection: str


@dataclass(frozen=True, slots=True)
class Collection:
    number: int
    name: str
    fields: tuple[Field, ...]
    append_only: bool = False  # a fact: created once, never changed or deleted by a device
    writers: frozenset[str] = frozenset()  # roles that may write from a device; empty: the server alone
    scope_parent: ScopeParent | None = None
    retention_days: int | None = None
    subject: str = ""  # the ID field that names the person its personal fields are about; none: the record itself
    by_name: Mapping[str, Field] = field(init=False, repr=False, compare=False)
    field_names: tuple[str, ...] = field(init=False, repr=False, compare=False)
    personal_fields: tuple[Field, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        numbers = [f.number for f in self.fields]
        if len(set(numbers)) != len(numbers):
            raise ValueError(f"{self.name}: a field number is used twice")
        object.__setattr__(self, "by_name", {f.name: f for f in self.fields})
        object.__setattr__(self, "field_names", tuple(f.name for f in self.fields))
        personal = tuple(f for f in self.fields if f.personal is not Personal.NONE)
        object.__setattr__(self, "personal_fields", personal)
        if self.subject and (self.subject not in self.by_name or self.by_name[self.subject].kind is not Kind.ID):
            raise ValueError(f"{self.name}: its subject is no field that holds an id")
        for f in self.fields:
            if f.personal is not Personal.NONE and f.required and f.kind not in _ERASABLE:
                raise ValueError(f"{self.name}.{f.name}: a required field of this kind could not be erased")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All collections of a product. ``schema`` rises by one with each additive change."""

    schema: int
    collections: tuple[Collection, ...]
    by_name: Mapping[str, Collection] = field(init=False, repr=False, compare=False)
    by_number: Mapping[int, Collection] = field(init=False, repr=False, compare=False)
    _children: Mapping[str, tuple[Collection, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {c.name: c for c in self.collections})
        object.__setattr__(self, "by_number", {c.number: c for c in self.collections})
        if len(self.by_name) != len(self.collections) or len(self.by_number) != len(self.collections):
            raise ValueError("a collection name or number is used twice")
        children: dict[str, tuple[Collection, ...]] = {}
        for collection in self.collections:
            parent = collection.scope_parent
            if parent is not None and (parent.collection not in self.by_name or parent.field not in collection.by_name):
                raise ValueError(f"{collection.name}: its scope parent does not exist")
            if parent is not None:
                children[parent.collection] = (*children.get(parent.collection, ()), collection)
        object.__setattr__(self, "_children", children)

    def children_of(self, name: str) -> tuple[Collection, ...]:
        return self._children.get(name, ())
