"""Triggers that record every change of a collection table as an operation, made from the catalogue.

Triggers and not ORM events, so that no statement can pass by. Nothing is captured while ``capture.tx`` is null,
which is how rows that come from the server, and their projections, stay out of the outbox.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sync.catalogue import Catalogue, Collection, Field, Kind

_CAPTURING = "(SELECT tx FROM capture) IS NOT NULL"


def capture_triggers(catalogue: Catalogue) -> Iterator[str]:
    """``CREATE TRIGGER`` statements, three for each collection."""
    for collection in catalogue.collections:
        yield _trigger(collection, "INSERT", _CAPTURING, "new", "NEW", "0", _all_set(collection, "NEW"), "'{}'")
        changed = " OR ".join(f'NEW."{f.name}" IS NOT OLD."{f.name}"' for f in collection.fields)
        yield _trigger(
            collection,
            "UPDATE",
            f"{_CAPTURING} AND ({changed})",
            "upd",
            "OLD",
            "OLD.rev",
            _only_changed(collection, "NEW"),
            _only_changed(collection, "OLD"),
        )
        yield _trigger(collection, "DELETE", _CAPTURING, "del", "OLD", "OLD.rev", "'{}'", _all_set(collection, "OLD"))


def _trigger(collection: Collection, event: str, when: str, kind: str, row: str, base: str, set_: str, was: str) -> str:
    keep_shadow = ""
    if event != "INSERT":
        keep_shadow = (
            f"INSERT OR IGNORE INTO shadow (collection, id, rev, row) "
            f"SELECT {collection.number}, OLD.id, OLD.rev, {_whole(collection, 'OLD')} "
            f"WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE collection = {collection.number} AND id = OLD.id);"
        )
    return f"""
CREATE TRIGGER capture_{collection.name}_{event.lower()} AFTER {event} ON "{collection.name}" WHEN {when}
BEGIN
  {keep_shadow}
  INSERT INTO outbox (n, op, tx, kind, collection, id, base, "set", was, at)
  SELECT next_n, randomblob(16), capture.tx, '{kind}', {collection.number}, {row}.id, {base}, {set_}, {was}, capture.at
  FROM sync_state, capture;
  UPDATE sync_state SET next_n = next_n + 1;
END"""


def _whole(collection: Collection, row: str) -> str:
    pairs = ", ".join(f"'{f.name}', json({_json(f, row)})" for f in collection.fields)
    return f"json_object({pairs})"


def _all_set(collection: Collection, row: str) -> str:
    return _picked(collection, row, lambda f: f'{row}."{f.name}" IS NOT NULL')


def _only_changed(collection: Collection, row: str) -> str:
    return _picked(collection, row, lambda f: f'NEW."{f.name}" IS NOT OLD."{f.name}"')


def _picked(collection: Collection, row: str, condition: Callable[[Field], str]) -> str:
    parts = " UNION ALL ".join(
        f"SELECT '{f.name}' AS k, {_json(f, row)} AS v WHERE {condition(f)}" for f in collection.fields
    )
    return f"(SELECT json_group_object(k, json(v)) FROM ({parts}))"


def _json(field: Field, row: str) -> str:
    """The column as JSON text of its wire value."""
    column = f'{row}."{field.name}"'
    if field.kind is Kind.ID:
        return f"CASE WHEN {column} IS NULL THEN 'null' ELSE json_quote(lower(hex({column}))) END"
    if field.kind is Kind.FLAG:
        return f"CASE {column} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END"
    if field.kind in (Kind.DOCUMENT, Kind.MAP, Kind.SET):
        return f"coalesce({column}, 'null')"
    return f"json_quote({column})"
