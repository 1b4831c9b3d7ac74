"""The values of one collection on one kind of database: from the wire to the driver's columns and back.

Both ways start from what most fields are, the same thing on the wire and in the column, and touch only the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from sync.catalogue import Collection, Kind
from sync.columns import canonical
from sync.merge import Stamp

Stamps = Mapping[str, Stamp]
_Convert = Callable[[Any], Any]

_DOCUMENTS = (Kind.DOCUMENT, Kind.MAP, Kind.SET)
_TO_SQLITE: Mapping[Kind, _Convert] = {Kind.ID: bytes.fromhex, Kind.FLAG: int, **dict.fromkeys(_DOCUMENTS, canonical)}
_FROM_SQLITE: Mapping[Kind, _Convert] = {
    Kind.ID: bytes.hex,
    Kind.FLAG: bool,
    **dict.fromkeys(_DOCUMENTS, msgspec.json.decode),
}
_TO_POSTGRESQL: Mapping[Kind, _Convert] = dict.fromkeys(_DOCUMENTS, canonical)  # an id may go as text
_FROM_POSTGRESQL: Mapping[Kind, _Convert] = {
    Kind.ID: lambda id: id.hex,
    **dict.fromkeys(_DOCUMENTS, msgspec.json.decode),
}


class Codec:
    """``names`` is the order of values in a row, ``nothing`` a record without a value."""

    def __init__(self, collection: Collection, dialect: str) -> None:
        self.collection = collection
        self.names = collection.field_names
        self.nothing: Mapping[str, Any] = dict.fromkeys(self.names)
        to, back = (_TO_POSTGRESQL, _FROM_POSTGRESQL) if dialect == "postgresql" else (_TO_SQLITE, _FROM_SQLITE)
        self._out = {f.name: to[f.kind] for f in collection.fields if f.kind in to}
        self._back_at = [(at, back[f.kind]) for at, f in enumerate(collection.fields) if f.kind in back]

    def whole(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Every field in the catalogue's order."""
        found = {**self.nothing, **values}
        return found if len(found) == len(self.names) else {name: values.get(name) for name in self.names}

    def filled(self, records: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[Sequence[Any]]]:
        """The fields that any of these whole records has a value in, and their columns as the driver takes them.

        A field that none has stays out of the statement: on SQLite half of what a row costs.
        """
        names: list[str] = []
        columns: list[Sequence[Any]] = []
        for name, column in zip(self.names, zip(*(values.values() for values in records), strict=True), strict=True):
            empty = column.count(None)
            if empty == len(column):
                continue
            convert = self._out.get(name)
            names.append(name)
            if convert is None:
                columns.append(column)
            elif empty:
                columns.append([None if value is None else convert(value) for value in column])
            else:
                columns.append(list(map(convert, column)))
        return names, columns

    def column(self, name: str, value: Any) -> Any:
        convert = self._out.get(name)
        return value if value is None or convert is None else convert(value)

    def wire(self, row: Sequence[Any]) -> list[Any]:
        """Columns of one record, in the catalogue's order, as they go on the wire."""
        values = list(row)
        for at, convert in self._back_at:
            if values[at] is not None:
                values[at] = convert(values[at])
        return values


_codecs: dict[tuple[int, str], Codec] = {}


def codec_of(collection: Collection, dialect: str) -> Codec:
    """Made once: a collection is known by its place in memory, since to compare two takes longer than a record."""
    codec = _codecs.get((id(collection), dialect))
    if codec is None or codec.collection is not collection:
        codec = _codecs[id(collection), dialect] = Codec(collection, dialect)
    return codec


@lru_cache(8192)
def stamps_of(text: str) -> Stamps:
    """Who wrote each field; records made together share one text."""
    return {name: Stamp(rev, device) for name, (rev, device) in msgspec.json.decode(text).items()}


def stamps_text(stamps: Stamps, rev: int) -> str:
    """As canonical JSON; revision 0 becomes ``rev``, that of the transaction."""
    parts = [f'"{name}":[{stamp.rev or rev},{stamp.device}]' for name, stamp in sorted(stamps.items())]
    return f"{{{','.join(parts)}}}"
