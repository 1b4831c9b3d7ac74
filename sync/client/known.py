"""What the program knew that wrote this device's rows, and what is still to be fetched because it knew less."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection

from sync.catalogue import Catalogue
from sync.client import members
from sync.columns import canonical


def follow(connection: Connection, catalogue: Catalogue) -> None:
    """Note what this program knows, and what is to be fetched because the last one did not."""
    query = "SELECT schema, known, backfill FROM sync_state"
    schema, known, waiting = connection.exec_driver_sql(query).one()
    now = {str(c.number): list(c.field_names) for c in catalogue.collections}
    if schema == catalogue.schema and known is not None:
        return
    if known is None and members.cursors(connection):
        members.fetch_anew(connection)  # rows of a program that did not say what it knew
    elif known is not None:
        before: dict[str, list[str]] = json.loads(known)
        fields = {number: sorted(set(names) - set(before[number])) for number, names in now.items() if number in before}
        earlier = json.loads(waiting)["fields"] if waiting else {}
        wanted = {number: sorted({*names, *earlier.get(number, ())}) for number, names in fields.items()}
        todo = {"fields": {n: names for n, names in wanted.items() if names}, "bucket": "", "after": ""}
        connection.exec_driver_sql("UPDATE sync_state SET backfill = ?", (canonical(todo),))
    statement = "UPDATE sync_state SET schema = ?, known = ?"
    connection.exec_driver_sql(statement, (catalogue.schema, canonical(now)))


def waiting(connection: Connection) -> dict[str, Any] | None:
    """What is to be fetched: ``fields`` by collection, the ``bucket`` that is next, and ``after`` which page."""
    text = connection.exec_driver_sql("SELECT backfill FROM sync_state").scalar_one()
    return None if text is None else dict(json.loads(text))


def keep(connection: Connection, todo: dict[str, Any] | None) -> None:
    """As ``waiting`` gives it; None: all is here."""
    text = None if todo is None else canonical(todo)
    connection.exec_driver_sql("UPDATE sync_state SET backfill = ?", (text,))
