"""The collections of the product, declared once: tables, capture, wire rows and rights follow from here.

Numbers are for ever. A new field or collection takes the next number and raises ``SCHEMA`` by one.
Coordinates are degrees x 10^7, money is euro cents, lengths are in cm.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sync.catalogue import Catalogue, Collection, Field, Kind, Merge, Personal, ScopeParent

SCHEMA = 3

ORG_BUCKET = "org"

REP, MANAGER, ADMIN = "rep", "manager", "admin"
FIELD_ROLES = frozenset({REP, MANAGER})
MANAGERS = frozenset({MANAGER})
OF_OUTLET = ScopeParent("outlet_id", "outlet")

STORE_TYPES = (
    "hypermarket", "supermarket", "convenience", "petrol", "kiosk", "pharmacy", "specialist", "food_service", "other",
)
OUTLET_STATES = ("active", "prospect", "closed")
SEGMENTS = ("a", "b", "c", "")
POSITION_SOURCES = ("receiver", "photo", "none")
DECISIONS = ("approved", "returned", "reopened")  # reopened: a decision taken back
TASK_KINDS = ("promise", "task", "correction")
TASK_STATES = ("open", "kept", "broken", "cancelled")
STOP_STATES = ("planned", "done", "skipped")
IMPORT_STATES = ("live", "undone")
PROPOSAL_KINDS = ("opened", "closed", "moved", "renamed", "hours", "details")
PROPOSAL_STATES = ("open", "accepted", "refused", "stale")  # stale: overtaken by a later extract, or by a person
CUSTOM_KINDS = ("text", "number", "date", "choice", "flag")
ORDER_STATES = ("placed", "delivered", "cancelled")


def _id(number: int, name: str, **more: Any) -> Field:
    return Field(number, name, Kind.ID, **more)


def _latitude(number: int, name: str = "lat_e7", **more: Any) -> Field:
    return Field(number, name, Kind.INTEGER, minimum=-900_000_000, maximum=900_000_000, **more)


def _longitude(number: int, name: str = "lon_e7", **more: Any) -> Field:
    return Field(number, name, Kind.INTEGER, minimum=-1_800_000_000, maximum=1_800_000_000, **more)


SETTING = Collection(1, "setting", (
    Field(1, "key", required=True, merge=Merge.SERVER),
    Field(2, "value", Kind.DOCUMENT, merge=Merge.SERVER),
    Field(3, "valid_from", Kind.DATE, merge=Merge.SERVER),
    Field(4, "valid_to", Kind.DATE, merge=Merge.SERVER),
))

SECTOR = Collection(2, "sector", (
    Field(1, "code", required=True, merge=Merge.SERVER),
    Field(2, "name", required=True, merge=Merge.SERVER),
))

PERSON = Collection(3, "person", (
    Field(1, "name", required=True, merge=Merge.SERVER, personal=Personal.STAFF),
    Field(2, "role", required=True, merge=Merge.SERVER, choices=(REP, MANAGER, ADMIN)),
    Field(3, "active", Kind.FLAG, merge=Merge.SERVER),
    _latitude(4, "home_lat_e7", personal=Personal.STAFF),
    _longitude(5, "home_lon_e7", personal=Personal.STAFF),
))

SECTOR_MEMBER = Collection(4, "sector_member", (
    _id(1, "person_id", required=True, merge=Merge.SERVER),
    _id(2, "sector_id", required=True, merge=Merge.SERVER),
    Field(3, "valid_from", Kind.DATE, merge=Merge.SERVER),
    Field(4, "valid_to", Kind.DATE, merge=Merge.SERVER),
))

PRODUCT = Collection(5, "product", (
    Field(1, "ean", merge=Merge.SERVER),
    Field(2, "name", required=True, merge=Merge.SERVER),
    Field(3, "brand", merge=Merge.SERVER),
    Field(4, "category", merge=Merge.SERVER),
    Field(5, "own", Kind.FLAG, merge=Merge.SERVER),  # ours, or a competitor's
    Field(6, "position", Kind.INTEGER, merge=Merge.SERVER),  # order in lists
    Field(7, "active", Kind.FLAG, merge=Merge.SERVER),
))

ASSORTMENT = Collection(6, "assortment", (
    Field(1, "store_type", required=True, merge=Merge.SERVER, choices=STORE_TYPES),
    _id(2, "product_id", required=True, merge=Merge.SERVER),
    Field(3, "must_stock", Kind.FLAG, merge=Merge.SERVER),
    Field(4, "target_facings", Kind.INTEGER, merge=Merge.SERVER, minimum=0),
    Field(5, "valid_from", Kind.DATE, merge=Merge.SERVER),
    Field(6, "valid_to", Kind.DATE, merge=Merge.SERVER),
))

PRICE = Collection(7, "price", (
    _id(1, "product_id", required=True, merge=Merge.SERVER),
    Field(2, "store_type", merge=Merge.SERVER),  # empty: every type
    Field(3, "amount_minor", Kind.INTEGER, required=True, merge=Merge.SERVER, minimum=0),
    Field(4, "valid_from", Kind.DATE, merge=Merge.SERVER),
    Field(5, "valid_to", Kind.DATE, merge=Merge.SERVER),
))

OUTLET = Collection(8, "outlet", (
    Field(1, "name", required=True),
    Field(2, "banner"),  # enseigne
    Field(3, "group_name"),
    Field(4, "store_type", choices=STORE_TYPES),
    _id(5, "sector_id", required=True, merge=Merge.SERVER),
    _latitude(6),
    _longitude(7),
    Field(8, "house_number"),
    Field(9, "street"),
    Field(10, "postcode"),
    Field(11, "city"),
    Field(12, "country"),
    Field(13, "phone"),
    Field(14, "email"),
    Field(15, "website"),
    Field(16, "opening_hours"),  # OpenStreetMap syntax
    Field(17, "zone", required=True),  # IANA time zone
    Field(18, "siret"),
    Field(19, "segment", choices=SEGMENTS, merge=Merge.SERVER),
    Field(20, "state", required=True, choices=OUTLET_STATES),
    Field(21, "visit_interval_days", Kind.INTEGER, merge=Merge.SERVER, minimum=1, maximum=730),
    Field(22, "visit_minutes", Kind.INTEGER, minimum=1, maximum=480),
    Field(23, "surface_m2", Kind.INTEGER, minimum=0),
    Field(24, "custom", Kind.MAP, merge=Merge.KEYS),
    Field(25, "provenance", Kind.MAP, merge=Merge.KEYS),  # field, or "*" for the rest -> domain.provenance
    Field(26, "preferred_slots"),  # OpenStreetMap opening hours syntax
    Field(27, "confirmed_at", Kind.TIME, merge=Merge.MAX),
    Field(28, "note", Kind.LONG, merge=Merge.LINES, personal=Personal.WORDS),
    Field(29, "distributor"),  # who delivers it
    Field(30, "placing", Kind.DOCUMENT),  # how it came to its position, or why it has none: domain.placing
), writers=FIELD_ROLES)

OUTLET_SOURCE = Collection(9, "outlet_source", (
    _id(1, "outlet_id", required=True, merge=Merge.SERVER),
    Field(2, "source", required=True, merge=Merge.SERVER),  # "osm", "csv", …
    Field(3, "reference", merge=Merge.SERVER),  # "node/123"
    Field(4, "licence", merge=Merge.SERVER),
    Field(5, "imported_at", Kind.TIME, merge=Merge.SERVER),
    Field(6, "values", Kind.DOCUMENT, merge=Merge.SERVER),  # as the source gave them
    Field(7, "batch", merge=Merge.SERVER),
), scope_parent=OF_OUTLET)

OUTLET_ALIAS = Collection(10, "outlet_alias", (
    _id(1, "outlet_id", required=True),  # the one that stays
    _id(2, "alias_id", required=True),  # the one that resolves to it
    Field(3, "active", Kind.FLAG),  # false after an un-merge
    Field(4, "reason"),
    Field(5, "taken", Kind.DOCUMENT),  # field -> {"was", "now"}: what the one that stays took from the other
    _id(6, "person_id"),
    Field(7, "at", Kind.TIME),
), writers=MANAGERS, scope_parent=OF_OUTLET)

SECTOR_ASSIGNMENT = Collection(11, "sector_assignment", (
    _id(1, "outlet_id", required=True, merge=Merge.SERVER),
    _id(2, "sector_id", required=True, merge=Merge.SERVER),
    Field(3, "valid_from", Kind.DATE, merge=Merge.SERVER),
    Field(4, "valid_to", Kind.DATE, merge=Merge.SERVER),
), scope_parent=OF_OUTLET)

CONTACT = Collection(12, "contact", (
    _id(1, "outlet_id", required=True, merge=Merge.SERVER),
    Field(2, "name", required=True, personal=Personal.CONTACT),
    Field(3, "job", personal=Personal.CONTACT),
    Field(4, "phone", personal=Personal.CONTACT),
    Field(5, "email", personal=Personal.CONTACT),
    Field(6, "note", Kind.LONG, merge=Merge.LINES, personal=Personal.CONTACT),
    Field(7, "preferred", Kind.FLAG),
    Field(8, "last_contact_at", Kind.TIME, merge=Merge.MAX),
), writers=FIELD_ROLES, scope_parent=OF_OUTLET, retention_days=3 * 365)

FORM = Collection(13, "form", (
    Field(1, "name", required=True, merge=Merge.SERVER),  # "shelf_audit"
    Field(2, "version", required=True, merge=Merge.SERVER),
    Field(3, "xform", Kind.LONG, required=True, merge=Merge.SERVER),  # compiled XForm, XML
    Field(4, "title", Kind.DOCUMENT, merge=Merge.SERVER),  # language -> text
    Field(5, "active", Kind.FLAG, merge=Merge.SERVER),
))

VISIT = Collection(14, "visit", (
    _id(1, "outlet_id", required=True),
    _id(2, "person_id", required=True),
    _id(3, "stop_id"),  # the planned stop, or none: an unplanned visit
    Field(4, "started_at", Kind.TIME, required=True),
    Field(5, "ended_at", Kind.TIME),
    Field(6, "zone", required=True),
    Field(7, "position_source", required=True, choices=POSITION_SOURCES),
    _latitude(8, personal=Personal.STAFF),
    _longitude(9, personal=Personal.STAFF),
    Field(10, "accuracy_m", Kind.INTEGER, minimum=0),
    Field(11, "distance_m", Kind.INTEGER, minimum=0),  # from the outlet, when both are known
    Field(12, "note", Kind.LONG, personal=Personal.WORDS),
), append_only=True, writers=FIELD_ROLES, scope_parent=OF_OUTLET, subject="person_id")

SUBMISSION = Collection(15, "submission", (
    _id(1, "visit_id", required=True),
    _id(2, "outlet_id", required=True),
    _id(3, "person_id", required=True),
    Field(4, "form", required=True),
    Field(5, "form_version", required=True),
    Field(6, "answers", Kind.DOCUMENT, required=True, personal=Personal.WORDS),
    Field(7, "started_at", Kind.TIME, required=True),
    Field(8, "submitted_at", Kind.TIME, required=True),
    _id(9, "supersedes_id"),  # the submission that this one corrects
), append_only=True, writers=FIELD_ROLES, scope_parent=OF_OUTLET)

ATTACHMENT = Collection(16, "attachment", (
    _id(1, "submission_id", required=True),
    _id(2, "visit_id", required=True),
    _id(3, "outlet_id", required=True),
    Field(4, "node", required=True),  # path of the question it answers
    Field(5, "sha256", required=True),
    Field(6, "size", Kind.INTEGER, required=True, minimum=1),
    Field(7, "mime", required=True),
    Field(8, "width", Kind.INTEGER, minimum=1),
    Field(9, "height", Kind.INTEGER, minimum=1),
    Field(10, "taken_at", Kind.TIME),
    _latitude(11),  # of the store it was taken at; who took it stands in the visit alone
    _longitude(12),
), append_only=True, writers=FIELD_ROLES, scope_parent=OF_OUTLET)

REVIEW = Collection(17, "review", (
    _id(1, "submission_id", required=True),
    _id(2, "visit_id", required=True),
    _id(3, "outlet_id", required=True),
    Field(4, "decision", required=True, choices=DECISIONS),
    Field(5, "reason"),  # a code of the organisation's list
    Field(6, "note", Kind.LONG, personal=Personal.WORDS),
    Field(7, "nodes", Kind.SET),  # paths of the answers in question
    _id(8, "person_id", required=True),
    Field(9, "decided_at", Kind.TIME, required=True),
), append_only=True, writers=MANAGERS, scope_parent=OF_OUTLET)

TASK = Collection(18, "task", (
    _id(1, "outlet_id", required=True),
    Field(2, "kind", required=True, choices=TASK_KINDS),
    Field(3, "title", required=True, personal=Personal.WORDS),
    Field(4, "due", Kind.DATE),
    Field(5, "state", required=True, choices=TASK_STATES),
    _id(6, "person_id"),  # who has to do it
    Field(7, "promised_by", personal=Personal.CONTACT),  # at the store
    Field(8, "done_at", Kind.TIME),
    _id(9, "visit_id"),  # where it came from
    _id(10, "submission_id"),  # of a correction: the report that was returned
), writers=FIELD_ROLES, scope_parent=OF_OUTLET)

PLAN = Collection(19, "plan", (
    _id(1, "person_id", required=True, merge=Merge.SERVER),
    _id(2, "sector_id", required=True, merge=Merge.SERVER),
    Field(3, "day", Kind.DATE, required=True),
    Field(4, "starts", Kind.INTEGER, minimum=0, maximum=1440),  # minutes after midnight, local
    Field(5, "ends", Kind.INTEGER, minimum=0, maximum=1440),
    Field(6, "lunch_minutes", Kind.INTEGER, minimum=0, maximum=240),
    _latitude(7, "home_lat_e7", personal=Personal.STAFF),
    _longitude(8, "home_lon_e7", personal=Personal.STAFF),
    Field(9, "travel", choices=("straight", "road", "none")),  # where travel times come from
    Field(10, "left_out", Kind.DOCUMENT),  # [{outlet_id, reason, params}]
), writers=FIELD_ROLES, subject="person_id")

PLAN_STOP = Collection(20, "plan_stop", (
    _id(1, "plan_id", required=True, merge=Merge.SERVER),
    _id(2, "outlet_id", required=True, merge=Merge.SERVER),
    Field(3, "position", Kind.INTEGER, required=True),
    Field(4, "arrive", Kind.INTEGER, minimum=0, maximum=2880),  # minutes after midnight, local
    Field(5, "leave", Kind.INTEGER, minimum=0, maximum=2880),
    Field(6, "travel_minutes", Kind.INTEGER, minimum=0),
    Field(7, "reasons", Kind.DOCUMENT),  # [{code, params}], most weighty first
    Field(8, "state", required=True, choices=STOP_STATES),
    Field(9, "skip_reason"),
    Field(10, "pinned", Kind.FLAG),
), writers=FIELD_ROLES, scope_parent=ScopeParent("plan_id", "plan"))

NOTE = Collection(21, "note", (
    _id(1, "outlet_id", required=True),
    _id(2, "person_id", required=True),
    Field(3, "text", Kind.LONG, required=True, personal=Personal.WORDS),
    Field(4, "written_at", Kind.TIME, required=True),
), append_only=True, writers=FIELD_ROLES, scope_parent=OF_OUTLET)

CONFLICT = Collection(22, "conflict", (
    Field(1, "collection", required=True, merge=Merge.SERVER),
    _id(2, "record_id", required=True, merge=Merge.SERVER),
    Field(3, "field", required=True, merge=Merge.SERVER),
    Field(4, "kept", Kind.DOCUMENT, merge=Merge.SERVER, personal=Personal.CONTACT),  # values of any field
    Field(5, "lost", Kind.DOCUMENT, merge=Merge.SERVER, personal=Personal.CONTACT),
    _id(6, "person_id", merge=Merge.SERVER),  # whose value was not taken
    Field(7, "state", required=True, choices=("open", "closed")),
    _id(8, "outlet_id", merge=Merge.SERVER),
    Field(9, "at", Kind.TIME, merge=Merge.SERVER),
    Field(10, "before", Kind.DOCUMENT, merge=Merge.SERVER, personal=Personal.CONTACT),  # what both sides started from
    _id(11, "by_id", merge=Merge.SERVER),  # whose value stands
    Field(12, "lost_at", Kind.TIME, merge=Merge.SERVER),  # when each was written, where that is known
    Field(13, "kept_at", Kind.TIME, merge=Merge.SERVER),
), writers=FIELD_ROLES, scope_parent=OF_OUTLET, subject="record_id")

# What ``conflict.field`` says when it is no field: the whole record was deleted or edited; or nobody gave way.
WHOLE_RECORD, MERGED = "*", "+"

# The order to erase a person, for every device that may hold a key of theirs. It names them by a hash: whoever never
# held the person learns nothing from it.
ERASURE = Collection(23, "erasure", (
    Field(1, "mark", required=True, merge=Merge.SERVER),  # sync.sealing.mark
    Field(2, "at", Kind.TIME, merge=Merge.SERVER),
))

# One import of a file: what every outlet_source of it names as its batch.
IMPORT_BATCH = Collection(24, "import_batch", (
    Field(1, "source", required=True),  # "osm", "sirene", "banco", or the name that a person gave
    Field(2, "licence"),
    Field(3, "file"),  # its name, without a folder
    _id(4, "person_id"),
    Field(5, "begun_at", Kind.TIME, required=True),
    Field(6, "state", required=True, choices=IMPORT_STATES),
    Field(7, "added", Kind.INTEGER, minimum=0),
    Field(8, "changed", Kind.INTEGER, minimum=0),
    Field(9, "refused", Kind.INTEGER, minimum=0),
    Field(10, "undone_at", Kind.TIME),
    Field(11, "kept", Kind.INTEGER, minimum=0),  # outlets that stayed when it was undone: somebody had used them
    Field(12, "given", Kind.DOCUMENT),  # {"sector_id", "zone", "country", "state"} of outlets that do not say theirs
), writers=MANAGERS)

# What a newer extract says otherwise: a person decides.
PROPOSAL = Collection(25, "proposal", (
    _id(1, "sector_id", required=True, merge=Merge.SERVER),
    _id(2, "outlet_id"),  # none: the source has an outlet that we do not
    Field(3, "kind", required=True, choices=PROPOSAL_KINDS),
    Field(4, "before", Kind.DOCUMENT),  # field -> wire value, as the outlet has it
    Field(5, "after", Kind.DOCUMENT),  # field -> wire value, as the source gives it
    Field(6, "source", required=True),
    Field(7, "reference"),
    _id(8, "batch_id"),
    Field(9, "seen_at", Kind.TIME, required=True),
    Field(10, "state", required=True, choices=PROPOSAL_STATES),
    _id(11, "person_id"),
    Field(12, "decided_at", Kind.TIME),
), writers=MANAGERS)

# A field that the organisation adds to its outlets; its values are in outlet.custom under ``key``.
CUSTOM_FIELD = Collection(26, "custom_field", (
    Field(1, "key", required=True),
    Field(2, "label", Kind.DOCUMENT, required=True),  # language -> text
    Field(3, "kind", required=True, choices=CUSTOM_KINDS),
    Field(4, "choices", Kind.DOCUMENT),  # [text, …] of a choice
    Field(5, "position", Kind.INTEGER),
    Field(6, "active", Kind.FLAG),
), writers=MANAGERS)

# Two outlets that look alike, and that a person has said to be two.
DISTINCT_PAIR = Collection(27, "distinct_pair", (
    _id(1, "outlet_id", required=True),
    _id(2, "other_id", required=True),
    _id(3, "person_id"),
    Field(4, "at", Kind.TIME),
    Field(5, "active", Kind.FLAG),
), writers=MANAGERS, scope_parent=OF_OUTLET)

SAVED_SEGMENT = Collection(28, "saved_segment", (
    Field(1, "name", required=True),
    Field(2, "query"),
    Field(3, "filters", Kind.DOCUMENT),
    _id(4, "person_id", required=True, merge=Merge.SERVER),
    Field(5, "shared", Kind.FLAG),  # with the whole organisation; otherwise its maker's alone
), writers=FIELD_ROLES)

# What the organisation has settled: "duplicates", "quality".
RULE = Collection(29, "rule", (
    Field(1, "key", required=True),
    Field(2, "value", Kind.DOCUMENT),
), writers=MANAGERS)

SALES_ORDER = Collection(30, "sales_order", (
    _id(1, "outlet_id", required=True),
    _id(2, "person_id", required=True),
    _id(3, "visit_id"),
    Field(4, "placed_at", Kind.TIME, required=True),
    Field(5, "lines", Kind.DOCUMENT, required=True),  # [{product_id, quantity, price_minor}]
    Field(6, "wanted_on", Kind.DATE),
    Field(7, "state", required=True, choices=ORDER_STATES),
    Field(8, "note", Kind.LONG, merge=Merge.LINES, personal=Personal.WORDS),
), writers=FIELD_ROLES, scope_parent=OF_OUTLET)

# A pack of map, streets and roads that the server keeps for its devices; its file is fetched by hash.
REGION = Collection(31, "region", (
    Field(1, "name", required=True, merge=Merge.SERVER),
    Field(2, "sha256", required=True, merge=Merge.SERVER),
    Field(3, "size", Kind.INTEGER, required=True, merge=Merge.SERVER, minimum=1),
    Field(4, "bounds", Kind.DOCUMENT, merge=Merge.SERVER),  # [west, south, east, north] in degrees x 10^7
    Field(5, "built_at", Kind.TIME, merge=Merge.SERVER),
    Field(6, "active", Kind.FLAG, merge=Merge.SERVER),
))

CATALOGUE = Catalogue(SCHEMA, (
    SETTING, SECTOR, PERSON, SECTOR_MEMBER, PRODUCT, ASSORTMENT, PRICE, OUTLET, OUTLET_SOURCE, OUTLET_ALIAS,
    SECTOR_ASSIGNMENT, CONTACT, FORM, VISIT, SUBMISSION, ATTACHMENT, REVIEW, TASK, PLAN, PLAN_STOP, NOTE, CONFLICT,
    ERASURE, IMPORT_BATCH, PROPOSAL, CUSTOM_FIELD, DISTINCT_PAIR, SAVED_SEGMENT, RULE, SALES_ORDER, REGION,
))

_IN_SECTOR = frozenset({"outlet", "plan", "proposal"})


def sector_bucket(sector_id: Any) -> str:
    return f"sector:{getattr(sector_id, 'hex', sector_id)}"


def buckets(collection: str, record: Mapping[str, Any]) -> frozenset[str]:
    """Which buckets a record belongs to, for collections without a scope parent.

    ``record`` holds wire values (ids as 32 hexadecimal digits).
    """
    return _one_sector(record["sector_id"]) if collection in _IN_SECTOR else _EVERYBODY


_EVERYBODY = frozenset({ORG_BUCKET})


@lru_cache(4096)
def _one_sector(sector_id: Any) -> frozenset[str]:
    """Made once for all the records of a sector."""
    return frozenset({sector_bucket(sector_id)})
