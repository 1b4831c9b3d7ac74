from __future__ import annotations

import io
import struct
import zlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fieldcrm.domain.errors import DomainError
from fieldcrm.usecases.capture import prepare_photo
from tests.usecases.photos import GPS, IFD, TAG, jpeg

PARIS = "Europe/Paris"


def refused(data: bytes) -> str:
    with pytest.raises(DomainError) as error:
        prepare_photo(data, zone=PARIS)
    return error.value.code


def test_a_large_photo_is_made_smaller_and_keeps_its_shape() -> None:
    taken = prepare_photo(jpeg(1, (4000, 3000)), zone=PARIS)
    assert (taken.width, taken.height) == (2048, 1536)
    assert Image.open(io.BytesIO(taken.content)).size == (2048, 1536)
    assert prepare_photo(jpeg(1, (4000, 3000)), zone=PARIS, long_side=1024).width == 1024


def test_a_small_photo_is_not_blown_up() -> None:
    assert prepare_photo(jpeg(1, (300, 200)), zone=PARIS).width == 300


def test_a_photo_taken_sideways_is_turned_upright() -> None:
    taken = prepare_photo(jpeg(1, (400, 200), orientation=6), zone=PARIS)
    assert (taken.width, taken.height) == (200, 400)
    assert Image.open(io.BytesIO(taken.content)).getexif().get(TAG.Orientation) in (None, 1)


def test_time_and_place_are_kept_and_everything_else_is_stripped() -> None:
    data = jpeg(1, taken="2026:11:20 10:31:05", place=(48.8566, -2.3522), serial="Camera 4711")
    taken = prepare_photo(data, zone=PARIS)
    assert taken.taken_at == datetime(2026, 11, 20, 9, 31, 5, tzinfo=UTC)
    assert taken.lat_e7 == pytest.approx(488_566_000, abs=20)
    assert taken.lon_e7 == pytest.approx(-23_522_000, abs=20)
    assert b"4711" in data
    assert b"4711" not in taken.content
    again = Image.open(io.BytesIO(taken.content)).getexif()
    assert again.get_ifd(IFD.Exif)[TAG.DateTimeOriginal] == "2026:11:20 09:31:05"
    assert again.get_ifd(IFD.GPSInfo)[GPS.GPSLongitudeRef] == "W"
    twice = prepare_photo(taken.content, zone="Asia/Tokyo")
    assert (twice.taken_at, twice.lat_e7, twice.lon_e7) == (taken.taken_at, taken.lat_e7, taken.lon_e7)


def test_an_offset_in_the_photo_is_believed_before_the_zone_of_the_store() -> None:
    taken = prepare_photo(jpeg(1, taken="2026:11:20 10:00:00", offset="-05:00"), zone=PARIS)
    assert taken.taken_at == datetime(2026, 11, 20, 15, tzinfo=UTC)


def test_a_camera_without_a_fix_gives_no_position() -> None:
    assert prepare_photo(jpeg(1, place=(0.0, 0.0)), zone=PARIS).lat_e7 is None
    assert prepare_photo(jpeg(1), zone=PARIS).taken_at is None


@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "1", "LA"])
def test_a_png_of_any_kind_becomes_a_jpeg(mode: str) -> None:
    stream = io.BytesIO()
    Image.new(mode, (50, 40)).save(stream, "PNG")
    taken = prepare_photo(stream.getvalue(), zone=PARIS)
    assert taken.content[:2] == b"\xff\xd8"
    assert (taken.width, taken.mime) == (50, "image/jpeg")


@pytest.mark.parametrize("data", [
    b"", b"hello", b"%PDF-1.7 ...", b"<svg/>", b"\xff\xd8\xff\xe0 not really", b"\x89PNG\r\n\x1a\n",
])
def test_what_is_not_an_image_is_said_so(data: bytes) -> None:
    assert refused(data) == "photo_not_image"


def test_a_heic_photo_is_named_as_such() -> None:
    assert refused(b"\x00\x00\x00\x18ftypheic" + b"\x00" * 50) == "photo_heic"


def test_a_photo_cut_in_the_middle_is_refused() -> None:
    data = jpeg(1, (800, 600))
    assert refused(data[: len(data) // 2]) == "photo_truncated"


def test_a_decompression_bomb_is_refused_before_it_is_decoded() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body
    assert refused(bomb) == "photo_too_large"


PHOTO = jpeg(3, (320, 240), taken="2026:11:20 10:31:05", place=(48.8, 2.3))


@pytest.mark.filterwarnings("ignore")
@settings(deadline=None)
@given(st.integers(0, len(PHOTO)), st.binary(max_size=30), st.integers(0, 200))
def test_a_damaged_photo_is_read_or_refused_with_a_code(place: int, noise: bytes, removed: int) -> None:
    try:
        prepare_photo(PHOTO[:place] + noise + PHOTO[place + removed:], zone=PARIS)
    except DomainError as error:
        assert error.code.startswith("photo_")
