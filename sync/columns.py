"""SQLAlchemy column types for the kinds of the catalogue, the same on SQLite and PostgreSQL, and wire values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Dialect, Integer, LargeBinary, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from sync.catalogue import Collection, Kind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical(value: Any) -> str:
    """JSON text that is equal whenever the value is: sorted keys, no spaces, no NaN."""
    return _CANONICAL.encode(value)


def to_milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970, exact for years 1 to 9999; a naive time is refused."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return (moment - _EPOCH) // _MILLISECOND


def from_milliseconds(value: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=value)


@lru_cache(1 << 14)
def read_id(text: str) -> UUID:
    """An id as it goes on the wire; raises ``ValueError``. The same one is read several times over in a request."""
    if len(text) != 32:
        raise ValueError(text)
    return UUID(hex=text)


class IdType(TypeDecorator[UUID]):
    """UUID: 16 bytes in SQLite, ``uuid`` in PostgreSQL."""

    impl = LargeBinary(16)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return dialect.type_descriptor(LargeBinary(16))
        from sqlalchemy.dialects import postgresql  # not on a device, whose start would wait for it

        return dialect.type_descriptor(postgresql.UUID(as_uuid=True))

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else value.bytes

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:
        return value if value is None or dialect.name == "postgresql" else UUID(bytes=bytes(value))


class TimeType(TypeDecorator[datetime]):
    """Aware UTC datetime, kept as milliseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(BigInteger() if dialect.name == "postgresql" else Integer())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_milliseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_milliseconds(value)


class DateType(TypeDecorator[date]):
    """A calendar day, kept as ISO 8601 text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> date | None:
        return None if value is None else date.fromisoformat(value)


class JsonType(TypeDecorator[Any]):
    """Any JSON value, kept as canonical text so that equal values are equal bytes."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else canonical(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


class FlagType(TypeDecorator[bool]):
    """True or false; 0 or 1 in SQLite, whose STRICT tables know no boolean."""

    impl = Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Boolean() if dialect.name == "postgresql" else Integer())

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return int(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        return None if value is None else bool(value)


COLUMN_TYPES: Mapping[Kind, TypeEngine[Any]] = {
    Kind.TEXT: Text(),
    Kind.LONG: Text(),
    Kind.INTEGER: BigInteger().with_variant(Integer(), "sqlite"),
    Kind.COUNTER: BigInteger().with_variant(Integer(), "sqlite"),
    Kind.FLAG: FlagType(),
    Kind.ID: IdType(),
    Kind.TIME: TimeType(),
    Kind.DATE: DateType(),
    Kind.DOCUMENT: JsonType(),
    Kind.MAP: JsonType(),
    Kind.SET: JsonType(),
}


def to_wire(kind: Kind, value: Any) -> Any:
    """A Python value as it goes on the wire (see ``Kind``)."""
    if value is None:
        return None
    if kind is Kind.ID:
        return value.hex
    if kind is Kind.TIME:
        return to_milliseconds(value)
    if kind is Kind.DATE:
        return value.isoformat()
    if kind is Kind.SET:
        return sorted(value)
    return value


def from_wire(kind: Kind, value: Any) -> Any:
    """The Python value of a wire value; raises ``ValueError`` or ``TypeError`` when it is not of its kind."""
    if value is None:
        return None
    if kind in _PARSERS:
        return _PARSERS[kind](value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError("not a text")
    value.encode("utf-8")  # refuses lone surrogates
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise ValueError("not a whole number of 64 bits")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def _id(value: Any) -> UUID:
    if not isinstance(value, str) or len(value) != 32:
        raise ValueError("not an id")
    return UUID(hex=value)


def _moment(value: Any) -> datetime:
    try:
        return from_milliseconds(_integer(value))
    except OverflowError:
        raise ValueError("a time outside the calendar") from None


def _map(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("not a map")
    return value


def _set(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("not a set of texts")
    return sorted(set(value))


_PARSERS: Mapping[Kind, Any] = {
    Kind.TEXT: _text,
    Kind.LONG: _text,
    Kind.INTEGER: _integer,
    Kind.COUNTER: _integer,
    Kind.FLAG: _flag,
    Kind.ID: _id,
    Kind.TIME: _moment,
    Kind.DATE: lambda value: date.fromisoformat(_text(value)),
    Kind.MAP: _map,
    Kind.SET: _set,
}


def record_to_wire(collection: Collection, record: Mapping[str, Any]) -> dict[str, Any]:
    return {f.name: to_wire(f.kind, record.get(f.name)) for f in collection.fields}
