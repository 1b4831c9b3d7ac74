"""What the device keeps of the quality of its outlets, and of answers about addresses: local, never synced.

``outlet_quality`` holds one row for each outlet that was judged; an outlet without a row, or whose row is ``due``, is
judged at the next pass. Triggers mark what was changed, and keep the last visit, so that a pass looks at nothing else.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text, text

from sync.columns import IdType, JsonType, TimeType

_JUDGED = (
    "name", "banner", "store_type", "segment", "house_number", "street", "postcode", "city", "country", "lat_e7",
    "lon_e7", "phone", "email", "website", "opening_hours", "siret", "surface_m2", "visit_minutes", "state",
    "sector_id", "confirmed_at",
)  # fmt: skip

DOUBTFUL = "json_extract(placing, '$.state') = 'doubtful'"  # the words of the index and of its query are one


def build_quality_tables(metadata: MetaData) -> None:
    Table(
        "outlet_quality",
        metadata,
        Column("rid", Integer, primary_key=True),
        Column("sector_id", IdType, nullable=False),
        Column("state", Text, nullable=False),
        Column("completeness", Integer, nullable=False),  # 0 to 100
        Column("missing", Integer, nullable=False),  # fields, as bits of insights.outlet_quality.BITS
        Column("confirmed_at", TimeType),
        Column("visited_at", TimeType),
        Column("due", Integer, nullable=False, server_default=text("0")),
        sqlite_strict=True,
    )
    Table(
        "outlet_finding",
        metadata,
        Column("rid", Integer, primary_key=True),
        Column("code", Text, primary_key=True),
        Column("field", Text, primary_key=True),
        Column("sector_id", IdType, nullable=False),
        Column("value", Text, nullable=False),
        Column("suggestion", Text),
        Column("safe", Integer, nullable=False),
        Column("ignored", Integer, nullable=False, server_default=text("0")),
        Index("ix_outlet_finding_code", "code", "ignored", "sector_id", "safe"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    Table(
        "outlet_surroundings",  # towns, postcodes, enseignes: made from all outlets, for judging each
        metadata,
        Column("kind", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("value", JsonType, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    Table(
        "place_answer",  # what a provider said of an address, or of a position
        metadata,
        Column("provider", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("at", TimeType, nullable=False),
        Column("answer", JsonType, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def quality_statements() -> list[str]:
    """Indexes and triggers, for a new database and for one that is brought up to date."""
    judged = ", ".join(_JUDGED)
    return [
        "CREATE INDEX ix_outlet_quality_due ON outlet_quality (rid) WHERE due",
        # Few outlets have no position: those alone are in this index, and nothing else pays for it.
        "CREATE INDEX ix_outlet_unplaced ON outlet (sector_id) WHERE lat_e7 IS NULL AND state <> 'closed'",
        f"CREATE INDEX ix_outlet_doubtful ON outlet (sector_id) WHERE {DOUBTFUL}",
        f"CREATE TRIGGER outlet_quality_update AFTER UPDATE OF {judged} ON outlet "
        "BEGIN UPDATE outlet_quality SET due = 1 WHERE rid = NEW.rid AND NOT due; END",
        "CREATE TRIGGER outlet_quality_delete AFTER DELETE ON outlet "
        "BEGIN DELETE FROM outlet_quality WHERE rid = OLD.rid; DELETE FROM outlet_finding WHERE rid = OLD.rid; END",
        "CREATE TRIGGER outlet_quality_visit AFTER INSERT ON visit BEGIN UPDATE outlet_quality "
        "SET visited_at = NEW.started_at WHERE rid = (SELECT rid FROM outlet WHERE id = coalesce("
        "(SELECT outlet_id FROM outlet_home WHERE alias_id = NEW.outlet_id), NEW.outlet_id)) "
        "AND coalesce(visited_at, 0) < NEW.started_at; END",
        # Whose visits are whose: both of a merge are looked at anew, and both of one that is taken apart.
        *(
            f"CREATE TRIGGER outlet_quality_home_{event.lower()} AFTER {event} ON outlet_home BEGIN "
            f"UPDATE outlet_quality SET due = 1 WHERE NOT due AND rid IN "
            f"(SELECT rid FROM outlet WHERE id IN ({row}.alias_id, {row}.outlet_id)); END"
            for event, row in (("INSERT", "NEW"), ("DELETE", "OLD"))
        ),
    ]
