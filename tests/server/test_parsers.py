"""Whatever comes over the wire is understood or refused with a code; nothing else ever happens."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.server.receipts import _id
from sync.protocol import SyncRequest
from sync.server.auth import _org_of
from sync.server.blob_routes import asked_range
from sync.server.compression import compress, decompress
from sync.server.depth import MAX_DEPTH, too_deep
from sync.server.ports import Refused
from sync.server.pull import Token
from sync.server.refusal import CallRefused
from sync.server.validation import check_values


@given(st.binary(max_size=5000))
def test_what_is_packed_comes_back(plain: bytes) -> None:
    assert decompress(compress(plain), 5000) == plain


@given(st.binary(max_size=300))
@example(zstandard.compress(b""))
@example(zstandard.compress(b"x" * 1001))
@example(b"\x28\xb5\x2f\xfd")
def test_any_bytes_are_unpacked_or_refused(packed: bytes) -> None:
    try:
        assert len(decompress(packed, 1000)) <= 1000
    except CallRefused as refusal:
        assert refusal.code in ("body_damaged", "body_too_large")


@given(st.binary(min_size=1, max_size=2000), st.data())
def test_a_packed_body_that_breaks_off_is_never_taken_for_whole(plain: bytes, data: st.DataObject) -> None:
    packed = compress(plain)
    cut = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(CallRefused):
        decompress(packed[:cut], 2000)


@given(st.integers(0, 10**6))
def test_nothing_beyond_the_limit_is_unpacked(limit: int) -> None:
    with pytest.raises(CallRefused) as refusal:
        decompress(zstandard.ZstdCompressor(write_content_size=False).compress(b" " * (limit + 1)), limit)
    assert refusal.value.code == "body_too_large"


@given(st.text(max_size=40))
@example("bytes=0-")
@example("bytes=-5")
@example("bytes=5-4")
@example("bytes=٣-")
def test_a_range_is_read_or_refused(text: str) -> None:
    try:
        start, end = asked_range(text)
    except CallRefused as refusal:
        assert refusal.status == 416
    else:
        assert start >= 0
        assert end is None or end > start


@given(st.text(max_size=80))
@example("0" * 32)
def test_an_id_is_read_or_refused(text: str) -> None:
    try:
        assert _id(text).hex == text.lower()
    except Refused as refusal:
        assert refusal.code == "wrong_id"


@given(st.text(max_size=80))
def test_any_text_is_a_token_or_none(text: str) -> None:
    org = _org_of(text)
    assert org is None or isinstance(org, UUID)


@given(st.text(max_size=120))
def test_a_pull_token_is_read_or_refused(text: str) -> None:
    try:
        Token.parse(text)
    except Refused as refusal:
        assert refusal.code == "wrong_token"


@given(st.binary(max_size=400))
@example(b"[" * 100_000)
def test_a_request_is_read_or_does_not_decode(body: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, RecursionError)):
        msgspec.json.decode(body, type=SyncRequest)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@given(st.sampled_from(CATALOGUE.collections), st.data())
def test_any_value_of_any_field_is_accepted_or_refused_by_name(collection: Any, data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(collection.fields))
    value = data.draw(json_values)
    try:
        check_values(collection, {field.name: value}, whole=False)
    except Refused as refusal:
        assert refusal.params["field"] == field.name


@given(st.integers(0, 200))
def test_depth_is_measured_without_recursion(depth: int) -> None:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    assert too_deep(value) == (depth >= MAX_DEPTH)
