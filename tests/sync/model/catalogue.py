"""Three levels of records with every class of field, and two schemas of them; the messages between the ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sync.catalogue import Catalogue, Collection, Field, Kind, Merge, ScopeParent
from sync.merge import Stamp
from sync.protocol import Tx

REP = frozenset({"rep"})
SHOP = Collection(1, "shop", (
    Field(1, "name", required=True),
    Field(2, "grade", merge=Merge.SERVER),
    Field(3, "sector", required=True, merge=Merge.SERVER),
    Field(4, "note", Kind.LONG, merge=Merge.LINES),
    Field(5, "custom", Kind.MAP, merge=Merge.KEYS),
    Field(6, "seen", Kind.INTEGER, merge=Merge.MAX),
    Field(7, "first", Kind.INTEGER, merge=Merge.MIN),
    Field(8, "tags", Kind.SET),
    Field(9, "stock", Kind.COUNTER),
    Field(10, "area", Kind.INTEGER, minimum=0),
), writers=REP)
SHOP_2 = Collection(1, "shop", (*SHOP.fields, Field(11, "mail")), writers=REP)
REPORT = Collection(2, "report", (
    Field(1, "shop_id", Kind.ID, required=True),
    Field(2, "sha256"),
), append_only=True, writers=REP, scope_parent=ScopeParent("shop_id", "shop"))
CLASH = Collection(3, "clash", (
    Field(1, "shop_id", Kind.ID),
    Field(2, "field"),
    Field(3, "kept", Kind.DOCUMENT),
    Field(4, "lost", Kind.DOCUMENT),
), scope_parent=ScopeParent("shop_id", "shop"))
REMARK = Collection(4, "remark", (  # two levels below the shop, and unknown to the first schema
    Field(1, "report_id", Kind.ID, required=True),
    Field(2, "text"),
), writers=REP, scope_parent=ScopeParent("report_id", "report"))

OLD = Catalogue(1, (SHOP, REPORT, CLASH))
NEW = Catalogue(2, (SHOP_2, REPORT, CLASH, REMARK))

Key = tuple[str, UUID]
Values = Mapping[str, Any]


def buckets(collection: str, values: Values) -> frozenset[str]:
    return frozenset({f"sector:{values['sector']}"}) if collection == "shop" else frozenset({"org"})


@dataclass(frozen=True, slots=True)
class Row:
    """One record as the server holds it. Never altered, only replaced."""

    values: Values
    stamps: Mapping[str, Stamp]
    rev: int
    deleted: bool = False


class Hello(NamedTuple):
    epoch: int
    device: int
    next_seq: int
    prev_op: str | None
    cursors: Mapping[str, int]


class Answer(NamedTuple):
    """What became of an operation, for ever."""

    op: str
    status: str
    rev: int
    lost: tuple[str, ...] = ()
    code: str | None = None


class Token(NamedTuple):
    """Where a pull of several pages stands."""

    epoch: int
    upto: int
    buckets: tuple[str, ...]
    cursors: Mapping[str, int]
    mark: tuple[Any, ...]


class Page(NamedTuple):
    upto: int
    puts: tuple[tuple[str, Key, Row], ...]
    lefts: tuple[tuple[str, Key], ...]
    drop: frozenset[str]
    buckets: tuple[str, ...]
    token: Token | None
    digests: Mapping[str, tuple[int, int]]


class Reply(NamedTuple):
    epoch: int
    control: str | None = None
    expected: int = 0
    answers: tuple[tuple[Answer, Row | None], ...] = ()
    page: Page | None = None


class Request(NamedTuple):
    user: int
    hello: Hello
    transactions: tuple[Tx, ...]
    want: int


class Refusal(Exception):
    """Why an operation is refused."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
