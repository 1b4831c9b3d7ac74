"""Every table of the device's database.

Collections and sync tables come from the catalogue; the rest is local: drafts (never synced), observations
(projected from submissions, identically on the server), and the indexes for search and maps.
"""

from __future__ import annotations

from types import SimpleNamespace

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text, text

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.store.merging_tables import declare as declare_merging
from fieldcrm.store.merging_tables import duplicate_statements
from fieldcrm.store.quality_tables import build_quality_tables, quality_statements
from fieldcrm.store.sorting import folded
from sync.client.capture import capture_triggers
from sync.client.tables import build_collection_tables, build_sync_tables
from sync.columns import FlagType, IdType, JsonType, TimeType

# 2: what a conflict started from, and who wrote the other side. 3: buckets by number, outlets indexed in bulk.
# 4: the outlet base.
SCHEMA_VERSION = 4

metadata = MetaData()
collection_tables = build_collection_tables(metadata, CATALOGUE)
build_sync_tables(metadata)
build_quality_tables(metadata)

Table(
    "draft",  # a visit that is being recorded, or a correction; saved at each step, never synced
    metadata,
    Column("id", IdType, primary_key=True),
    Column("visit_id", IdType, nullable=False),  # the visit it becomes, or the one it corrects
    Column("outlet_id", IdType, nullable=False),
    Column("stop_id", IdType),
    Column("supersedes_id", IdType),
    Column("form", Text, nullable=False),
    Column("form_version", Text, nullable=False),
    Column("started_at", TimeType, nullable=False),
    Column("zone", Text, nullable=False),
    Column(
        "position_source", Text, CheckConstraint("position_source IN ('receiver', 'photo', 'none')"), nullable=False
    ),
    Column("lat_e7", Integer),
    Column("lon_e7", Integer),
    Column("accuracy_m", Integer),
    Column("answers", JsonType, nullable=False),
    Column("step", Integer, nullable=False, server_default=text("0")),
    Column("updated_at", TimeType, nullable=False),
    Index("ix_draft_outlet", "outlet_id"),
    sqlite_strict=True,
)
Table(
    "draft_photo",
    metadata,
    Column("id", IdType, primary_key=True),
    Column(
        "draft_id",
        IdType,
        ForeignKey("draft.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED"),
        nullable=False,
    ),
    Column("node", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("mime", Text, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("taken_at", TimeType),
    Column("lat_e7", Integer),
    Column("lon_e7", Integer),
    Column("position", Integer, nullable=False, server_default=text("0")),
    Index("ix_draft_photo_draft", "draft_id"),
    sqlite_strict=True,
)
Table(
    "observation",  # one product seen at one visit; projected from a submission, never synced
    metadata,
    Column("submission_id", IdType, primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("visit_id", IdType, nullable=False),
    Column("outlet_id", IdType, nullable=False),
    Column("product_id", IdType, nullable=False),
    Column("observed_at", TimeType, nullable=False),
    Column("state", Text, CheckConstraint("state IN ('present', 'oos', 'absent')"), nullable=False),
    Column("facings", Integer, CheckConstraint("facings >= 0")),
    Column("price_minor", Integer, CheckConstraint("price_minor >= 0")),
    Column("basis", Text, CheckConstraint("basis IN ('observed', 'confirmed')"), nullable=False),
    Column("current", FlagType, nullable=False, server_default=text("1")),  # 0: superseded or returned
    Index("ix_observation_outlet", "outlet_id", "product_id", "observed_at"),
    Index("ix_observation_time", "observed_at", "product_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
Table(
    "person_key",  # under which a person's values are sealed in the journal: deleting it erases them there
    metadata,
    Column("subject", IdType, primary_key=True),
    Column("key", LargeBinary, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
Table(
    "erased_person",  # nothing is sealed for them again
    metadata,
    Column("subject", IdType, primary_key=True),
    Column("at", TimeType, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
Table(
    "past_change",  # the history of outlets as headquarters told it, to be read without a network: ``store.past``
    metadata,
    Column("outlet_id", IdType, primary_key=True),
    Column("rev", Integer, primary_key=True),
    Column("idx", Integer, primary_key=True),
    Column("collection", Text, nullable=False),
    Column("id", IdType, nullable=False),
    Column("kind", Text, CheckConstraint("kind IN ('new', 'upd', 'del')"), nullable=False),
    Column("person_id", IdType),
    Column("device", Integer, nullable=False),
    Column("label", Text, nullable=False),
    Column("at", TimeType, nullable=False),
    Column("op", Text, nullable=False),
    Column("set", JsonType, nullable=False),
    Column("was", JsonType, nullable=False),
    Column("erased", JsonType, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
Table(
    "past_told",  # up to when, and from where on there is more
    metadata,
    Column("outlet_id", IdType, primary_key=True),
    Column("as_of", TimeType, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("more", Text, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
Table(
    "app_state",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", JsonType),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
Table(
    "outlet_bulk",  # one row: outlets beyond after_rid are being written and indexed all at once; null: none
    metadata,
    Column("one", Integer, CheckConstraint("one = 1"), primary_key=True),
    Column("after_rid", Integer),
    sqlite_strict=True,
)

declare_merging(metadata)

for _table, _columns in {
    "outlet": ("sector_id",),
    "visit": ("started_at", "person_id"),
    "submission": ("visit_id", "submitted_at", "supersedes_id"),
    "attachment": ("submission_id", "sha256"),
    "review": ("submission_id",),
    "plan": ("day",),
    "plan_stop": ("outlet_id",),
    "task": ("due",),
    "assortment": ("store_type",),
    "price": ("product_id",),
    "outlet_alias": ("alias_id",),
    "sector_member": ("person_id",),
    "outlet_source": ("batch",),
    "proposal": ("state",),
    "distinct_pair": ("other_id",),
    "sales_order": ("placed_at",),
}.items():
    for _column in _columns:
        Index(f"ix_{_table}_{_column}", collection_tables[_table].c[_column])

# An import looks up what a source gave before.
Index(
    "ix_outlet_source_reference",
    collection_tables["outlet_source"].c.source,
    collection_tables["outlet_source"].c.reference,
)

T = SimpleNamespace(**metadata.tables)

SEARCH_COLUMNS = ("name", "banner", "street", "city", "postcode")


def search_statements() -> list[str]:
    """The full-text and the spatial index of the outlets, and the triggers that keep them."""
    return [
        f"CREATE VIRTUAL TABLE outlet_search USING fts5({', '.join(SEARCH_COLUMNS)}, content='outlet', "
        "content_rowid='rid', tokenize='unicode61 remove_diacritics 2', prefix='1 2 3')",
        # Integers of 32 bits: degrees x 10^7 fit exactly, floats would round the last metre.
        "CREATE VIRTUAL TABLE outlet_place USING rtree_i32(rid, min_lat, max_lat, min_lon, max_lon)",
        *search_triggers(),
        outlet_list_index(),
    ]


def outlet_list_index() -> str:
    """The outlet list in order of name, filtered by what its chips offer, is read from this index alone."""
    columns = "state, segment, store_type, sector_id, banner, visit_interval_days, id"
    return f"CREATE INDEX ix_outlet_list ON outlet ({folded('name')}, {columns})"


def search_triggers() -> list[str]:
    """Index each outlet as it is written, but those of a bulk (``outlet_bulk``), which are indexed at its end."""
    columns = ", ".join(SEARCH_COLUMNS)
    new = ", ".join(f"NEW.{name}" for name in SEARCH_COLUMNS)
    old = ", ".join(f"OLD.{name}" for name in SEARCH_COLUMNS)
    add = f"INSERT INTO outlet_search (rowid, {columns}) VALUES (NEW.rid, {new});"
    remove = f"INSERT INTO outlet_search (outlet_search, rowid, {columns}) VALUES ('delete', OLD.rid, {old});"
    place = (
        "INSERT INTO outlet_place (rid, min_lat, max_lat, min_lon, max_lon) "
        "SELECT NEW.rid, NEW.lat_e7, NEW.lat_e7, NEW.lon_e7, NEW.lon_e7 "
        "WHERE NEW.lat_e7 IS NOT NULL AND NEW.lon_e7 IS NOT NULL;"
    )
    unplace = "DELETE FROM outlet_place WHERE rid = OLD.rid;"
    # A sync names every column: only what differs is worth indexing again.
    other_text = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in SEARCH_COLUMNS)
    other_place = "NEW.lat_e7 IS NOT OLD.lat_e7 OR NEW.lon_e7 IS NOT OLD.lon_e7"
    at_once = "{row}.rid <= coalesce((SELECT after_rid FROM outlet_bulk), {row}.rid)"
    inserted, there = at_once.format(row="NEW"), at_once.format(row="OLD")
    return [
        f"CREATE TRIGGER outlet_index_insert AFTER INSERT ON outlet WHEN {inserted} BEGIN {add} {place} END",
        f"CREATE TRIGGER outlet_index_delete AFTER DELETE ON outlet WHEN {there} BEGIN {remove} {unplace} END",
        f"CREATE TRIGGER outlet_index_text AFTER UPDATE OF {columns} ON outlet WHEN ({other_text}) AND {there} "
        f"BEGIN {remove} {add} END",
        f"CREATE TRIGGER outlet_index_place AFTER UPDATE OF lat_e7, lon_e7 ON outlet WHEN ({other_place}) AND {there} "
        f"BEGIN {unplace} {place} END",
    ]


def past_triggers() -> list[str]:
    """What was told of an outlet leaves with it; an erasure lets go of all of it, whoever is meant."""
    gone = "DELETE FROM past_change WHERE outlet_id = OLD.id; DELETE FROM past_told WHERE outlet_id = OLD.id;"
    everything = "DELETE FROM past_change; DELETE FROM past_told;"
    return [
        f"CREATE TRIGGER IF NOT EXISTS past_leaves_with_outlet AFTER DELETE ON outlet BEGIN {gone} END",
        f"CREATE TRIGGER IF NOT EXISTS past_leaves_with_person AFTER INSERT ON erasure BEGIN {everything} END",
    ]


def extra_statements() -> list[str]:
    """What SQLAlchemy does not make itself: virtual tables, triggers, and the one-row tables' rows."""
    return [
        *search_statements(),
        "CREATE INDEX ix_visit_outlet_time ON visit (outlet_id, started_at)",
        *capture_triggers(CATALOGUE),
        *past_triggers(),
        *quality_statements(),
        *duplicate_statements(),
        "INSERT INTO sync_state (one) VALUES (1)",
        "INSERT INTO capture (one) VALUES (1)",
        "INSERT INTO outlet_bulk (one) VALUES (1)",
    ]
