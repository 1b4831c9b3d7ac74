"""The messages of the sync protocol, version 1, and the one interface that both ends implement.

JSON on the wire, compressed with zstd; msgspec checks every message on arrival. Short field names
are kept for what repeats per operation. Ids are 32 hexadecimal digits, times are milliseconds.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol

import msgspec

PROTOCOL_VERSION = 1  # 2026-11: first release
EPOCH_SHIFT = 40  # rev = epoch << 40 | n

Status = Literal["applied", "merged", "conflict", "rejected", "duplicate", "dependent"]
ControlCode = Literal["epoch", "gap", "forked", "compacted", "upgrade", "revoked", "busy"]


class Op(msgspec.Struct, omit_defaults=True):
    """One change of one record by one device. ``n`` counts from 1 without a hole on each device."""

    n: int
    op: str  # id of the operation
    k: Literal["new", "upd", "del", "cmd"]
    c: int  # number of the collection
    id: str
    base: int = 0  # revision of the record that the device had when it made the change
    set: dict[str, Any] = {}
    was: dict[str, Any] = {}
    at: int = 0  # device clock, shown to people, never used for order
    cmd: str | None = None  # name of a command, with its arguments in ``set``


class Tx(msgspec.Struct, omit_defaults=True):
    """Operations that stand or fall together."""

    t: str = ""  # id of the transaction; needless where there is one operation, which has an id
    ops: list[Op] = []


class SyncRequest(msgspec.Struct):
    proto: int
    schema: int
    epoch: int
    device: int
    next_seq: int  # number of the first operation sent, or of the next one to be made
    prev_op: str | None  # id of operation next_seq - 1 in this device's journal
    cursors: dict[str, int]  # bucket -> revision up to which it is held
    tx: list[Tx] = []
    want: int = 2000  # rows of the first page; 0: no page, the answers only
    brief: bool = False  # answers need no row where the record stands as it was sent: ``OpResult.same``


class OpResult(msgspec.Struct, omit_defaults=True):
    n: int
    op: str
    s: Status
    rev: int = 0
    lost: list[str] = []  # fields where the server kept another value
    code: str | None = None  # why it was rejected
    params: dict[str, Any] = {}
    row: list[Any] | None = None  # the record as it now stands, in the order of ``cols``
    same: bool = False  # no row: the record stands as this operation, and those before it, left it on the device


class BucketPage(msgspec.Struct, omit_defaults=True):
    """What changed in one bucket since the device's cursor."""

    bucket: str
    put: dict[str, list[list[Any]]] = {}  # collection number -> rows [id, rev, field, ...]
    revoke: dict[str, list[str]] = {}  # left this bucket; the device forgets it
    gone: dict[str, list[str]] = {}  # deleted


class Digest(msgspec.Struct):
    rows: int
    sum: str  # 16 hexadecimal digits: sum modulo 2**64 over the rows of blake2b-8(collection, id, rev)


class Pull(msgspec.Struct, omit_defaults=True):
    upto: int  # cursor to keep for every bucket once ``more`` is false
    pages: list[BucketPage] = []
    cols: dict[str, list[str]] = {}  # collection number -> names after id and rev
    drop: list[str] = []  # buckets the device may no longer hold
    buckets: list[str] = []  # buckets it may hold
    more: bool = False
    token: str | None = None  # for the next page


class SyncResponse(msgspec.Struct, omit_defaults=True):
    epoch: int
    control: ControlCode | None = None  # when set, nothing was applied
    expected: int | None = None  # with "gap": the number the server waits for
    results: list[OpResult] = []
    pull: Pull | None = None
    digest: dict[str, Digest] = {}
    server_time: int = 0
    confirmed: int = 0  # last revision that a verified backup holds: journals may be trimmed up to it
    upgrade: bool = False  # what was sent is taken; this version of the program is too old to be answered with rows


class SnapshotsRequest(msgspec.Struct):
    """Which of these buckets the server has a prebuilt file of."""

    buckets: list[str]


class SnapshotOffer(msgspec.Struct):
    """A prebuilt SQLite file of one bucket, for a device that holds nothing of it. Fetched by its hash, with Range."""

    bucket: str
    rev: int  # cursor of the bucket once the file is applied
    rows: int
    bytes: int  # of the compressed file
    sha256: str  # of the compressed file; also its ETag


class VerifyRequest(msgspec.Struct):
    """What a device holds of one bucket, in 256 parts by the last byte of the record's id.

    The last byte, because the first ones of an id of version 7 are its time and hardly differ.
    """

    epoch: int
    bucket: str
    cursor: int
    sums: list[str]  # 256 times 16 hexadecimal digits, as in ``Digest.sum``


class VerifyAnswer(msgspec.Struct, omit_defaults=True):
    """The parts that differ, each with every record that the server has there: [collection, id, rev]."""

    epoch: int
    upto: int  # when it is not the request's cursor the device pulls first and asks again
    control: ControlCode | None = None
    parts: dict[str, list[tuple[int, str, int]]] = {}


class RowsRequest(msgspec.Struct, omit_defaults=True):
    """Records of one bucket to be sent again, as collection number -> ids.

    Or, for a program that knows more than the last one did: every record in which one of ``fields`` (collection
    number -> names) is set, in pages; ``after`` is the token of the page before.
    """

    epoch: int
    bucket: str
    ids: dict[str, list[str]] = {}
    fields: dict[str, list[str]] = {}
    after: str = ""


class Deposit(msgspec.Struct, omit_defaults=True):
    """The last word of a revoked device: its outbox, kept in quarantine for the manager, once.

    A long one comes in parts, numbered from 0; the one that says ``more`` is false ends the right to it. A part that
    comes again changes nothing.
    """

    device: int
    tx: list[Tx]
    part: int = 0
    more: bool = False
    blobs: list[BlobOffer] = []  # photos that the operations name and the server may not have


class DepositAnswer(msgspec.Struct, omit_defaults=True):
    blobs: list[BlobState] = []  # where each offered photo stands: sent as blobs are, before the last part
    closed: bool = False  # all is kept: the device may forget it


class BlobState(msgspec.Struct):
    """Where an upload stands: ``have`` after the server hashed the whole of it itself."""

    sha256: str
    have: bool
    offset: int = 0


class BlobOffer(msgspec.Struct):
    sha256: str
    size: int
    mime: str = "image/jpeg"


class Receipt(msgspec.Struct):
    """What the server holds of one submission, for the receipt a person reads."""

    id: str
    have: bool
    rev: int = 0
    blobs_expected: int = 0
    blobs_have: int = 0


class SignInRequest(msgspec.Struct):
    organisation: str
    login: str
    password: str
    device_name: str
    device: int | None = None  # number that this device had before, to go on under it
    code: str = ""  # second factor, asked when a device is enrolled and never after
    device_key: str = ""  # what this device was given when it was enrolled: it proves that it was


class RefreshRequest(msgspec.Struct):
    refresh: str


class NewDeviceRequest(msgspec.Struct):
    device_name: str
    device_key: str = ""  # of the device that asks: without it, whoever has a second factor is asked for it


class SignedIn(msgspec.Struct):
    """A pair of tokens, and to whom and to which device they belong."""

    access: str
    refresh: str
    expires_at: int  # of the access token
    organisation: str  # id
    person: str  # id
    person_name: str
    role: str
    sectors: list[str]  # ids
    device: int
    epoch: int
    device_key: str = ""  # new ones only: proves the device at its next sign-in, and carries a last deposit


class PastEntry(msgspec.Struct, omit_defaults=True):
    """One change of one record: ``set`` what it became, ``was`` what it had been; both empty where it was made."""

    rev: int
    i: int  # within its revision
    c: int  # number of the collection
    id: str
    k: Literal["new", "upd", "del"]
    at: int  # when the server took it
    made: int = 0  # when it was made, by its device's clock; 0: not known
    user: str | None = None  # none: the server itself
    device: int = 0
    label: str = ""  # the device's name
    op: str = ""
    set: dict[str, Any] = {}
    was: dict[str, Any] = {}
    erased: list[str] = []  # fields of which nobody can say any more what they were


class PastPage(msgspec.Struct, omit_defaults=True):
    """The changes of a record and of those that hang on it, the newest first."""

    epoch: int
    entries: list[PastEntry]
    more: str = ""  # ``before`` of the page with what is older; empty: there is none


class Remote(Protocol):
    """The server as the client engine sees it; over HTTP, or in the same process."""

    def sync(self, request: SyncRequest) -> SyncResponse: ...

    def pull(self, token: str) -> SyncResponse: ...

    def check_blobs(self, offers: list[BlobOffer]) -> list[BlobState]: ...

    def send_blob(self, sha256: str, offset: int, chunk: bytes) -> BlobState: ...

    def fetch_blob(self, sha256: str, offset: int = 0) -> bytes: ...

    def op_status(self, ops: list[str]) -> list[str]: ...

    def receipts(self, submissions: list[str]) -> list[Receipt]: ...

    def new_device(self, device_name: str) -> SignedIn: ...

    def snapshots(self, buckets: list[str]) -> list[SnapshotOffer]: ...

    def fetch_snapshot(self, sha256: str, offset: int = 0) -> bytes: ...

    def verify(self, request: VerifyRequest) -> VerifyAnswer: ...

    def rows(self, request: RowsRequest) -> SyncResponse: ...

    def deposit(self, request: Deposit) -> DepositAnswer: ...
