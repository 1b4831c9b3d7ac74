"""Where merged outlets belong, and the pairs that may be one: tables of the device, kept by triggers.

``outlet_home`` is made from ``outlet_alias`` alone, the same on every device whatever the order of arrival: of several
merges of one outlet the newest holds; chains are followed to their end; where merges made apart close a ring, its
newest one does not count. Figures, lists and cards look there and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text

from sync.columns import IdType

DUPLICATE_COLUMNS = (
    "name", "banner", "store_type", "house_number", "street", "postcode", "city", "country", "phone", "email",
    "website", "siret", "lat_e7", "lon_e7",
)  # fmt: skip
PHONE_DIGITS = 8  # from the end of a number: what all ways of writing it have in common
LONGEST_CHAIN = 64


def declare(metadata: MetaData) -> None:
    Table(
        "outlet_home",  # an outlet that was merged away, and the one where it is found now
        metadata,
        Column("alias_id", IdType, primary_key=True),
        Column("outlet_id", IdType, nullable=False),
        Index("ix_outlet_home_outlet_id", "outlet_id"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    Table(
        "duplicate_pair",  # two outlets by their row numbers, the smaller first, and how they compare
        metadata,
        Column("one", Integer, primary_key=True),
        Column("other", Integer, primary_key=True),
        Column("evidence", Text, nullable=False),
        Column("later_at", Integer),
        Index("ix_duplicate_pair_other", "other"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    Table(
        "duplicate_state",  # one row: when the whole base was compared, and up to which row number
        metadata,
        Column("n", Integer, primary_key=True),
        Column("at", Integer),
        Column("upto", Integer, nullable=False),
        sqlite_strict=True,
    )
    Table(
        "duplicate_recheck",  # outlets up to there that have changed since
        metadata,
        Column("rid", Integer, primary_key=True),
        sqlite_strict=True,
    )


def phone_key(column: str) -> str:
    """SQL: the end of a telephone number, without what is written between its digits."""
    digits = column
    for sign in ("' '", "'.'", "'-'", "'('", "')'", "'/'", "char(160)", "char(8239)"):
        digits = f"replace({digits}, {sign}, '')"
    return f"substr({digits}, -{PHONE_DIGITS})"


def duplicate_statements() -> Iterator[str]:
    """The indexes and triggers, for a new database and for one that is brought up to date."""
    yield f"CREATE INDEX IF NOT EXISTS ix_outlet_phone ON outlet ({phone_key('phone')}) WHERE phone IS NOT NULL"
    yield "CREATE INDEX IF NOT EXISTS ix_outlet_siret ON outlet (siret) WHERE siret IS NOT NULL"
    yield "INSERT OR IGNORE INTO duplicate_state (n, at, upto) VALUES (1, NULL, 0)"
    columns = (*DUPLICATE_COLUMNS, "state")
    changed = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in columns)
    yield (
        f"CREATE TRIGGER IF NOT EXISTS duplicate_recheck_update AFTER UPDATE OF {', '.join(columns)} ON outlet "
        f"WHEN ({changed}) AND NEW.rid <= (SELECT upto FROM duplicate_state) "
        "BEGIN INSERT OR IGNORE INTO duplicate_recheck (rid) VALUES (NEW.rid); END"
    )
    # A row number may be given again.
    yield (
        "CREATE TRIGGER IF NOT EXISTS duplicate_recheck_delete AFTER DELETE ON outlet "
        "WHEN OLD.rid <= (SELECT upto FROM duplicate_state) "
        "BEGIN INSERT OR IGNORE INTO duplicate_recheck (rid) VALUES (OLD.rid); "
        "DELETE FROM duplicate_pair WHERE one = OLD.rid; DELETE FROM duplicate_pair WHERE other = OLD.rid; END"
    )
    for event, row in (("INSERT", "NEW"), ("UPDATE OF outlet_id, alias_id, active", "NEW"), ("DELETE", "OLD")):
        name = event.split()[0].lower()
        yield (
            f"CREATE TRIGGER IF NOT EXISTS outlet_home_{name} AFTER {event} ON outlet_alias BEGIN "
            f"DELETE FROM outlet_home WHERE alias_id IN ({_connected(row)}); "
            f"INSERT INTO outlet_home (alias_id, outlet_id) {_homes(row)}; END"
        )


def refill_homes() -> str:
    """Let the trigger look at the merges that were there before it."""
    return "UPDATE outlet_alias SET active = active"


def _connected(row: str) -> str:
    """Every outlet that merges tie to those of ``row``."""
    return (
        f"WITH RECURSIVE tied(id) AS (SELECT {row}.alias_id UNION SELECT {row}.outlet_id "
        "UNION SELECT a.outlet_id FROM tied JOIN outlet_alias a ON a.alias_id = tied.id "
        "UNION SELECT a.alias_id FROM tied JOIN outlet_alias a ON a.outlet_id = tied.id) SELECT id FROM tied"
    )


def _homes(row: str) -> str:
    return f"""WITH RECURSIVE
edge(alias_id, outlet_id, id) AS MATERIALIZED (
  SELECT alias_id, outlet_id, max(id) FROM outlet_alias
  WHERE active AND alias_id <> outlet_id AND alias_id IN ({_connected(row)}) GROUP BY alias_id),
walk(start, here, newest, steps) AS (
  SELECT alias_id, outlet_id, id, 1 FROM edge
  UNION ALL
  SELECT w.start, e.outlet_id, max(w.newest, e.id), w.steps + 1 FROM walk w JOIN edge e ON e.alias_id = w.here
  WHERE w.here <> w.start AND w.steps < {LONGEST_CHAIN}),
holds(alias_id, outlet_id) AS MATERIALIZED (
  SELECT alias_id, outlet_id FROM edge WHERE id NOT IN (SELECT newest FROM walk WHERE here = start)),
home(alias_id, outlet_id, steps) AS (
  SELECT alias_id, outlet_id, 1 FROM holds
  UNION ALL
  SELECT h.alias_id, t.outlet_id, h.steps + 1 FROM home h JOIN holds t ON t.alias_id = h.outlet_id
  WHERE h.steps < {LONGEST_CHAIN})
SELECT alias_id, outlet_id FROM home WHERE outlet_id NOT IN (SELECT alias_id FROM holds)"""
