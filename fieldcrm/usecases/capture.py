"""A photo on its way into a report: checked, turned upright, made smaller, and rid of all but its time and place.

The bytes may come from anywhere (a card, the clipboard, a web page): they are measured before they are decoded.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from PIL import ExifTags, Image, UnidentifiedImageError

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.store import drafts as _drafts
from fieldcrm.store.database import Transaction
from fieldcrm.store.drafts import DraftPhoto
from fieldcrm.store.photos import PhotoStore

LONG_SIDE = 2048  # pixels
QUALITY = 85
MAX_BYTES = 64 * 1024 * 1024
MAX_PIXELS = 150_000_000
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
_HEIC = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc", b"ftypavif")
# What decoders raise on damaged bytes.
_BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, ArithmeticError, AttributeError, struct.error,
)
_DEGREE = 10**7
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_IFD, _GPS, _TAG = ExifTags.IFD, ExifTags.GPS, ExifTags.Base


@dataclass(frozen=True, slots=True)
class Taken:
    """A photo ready to be kept. ``content`` is a JPEG; ``taken_at`` is aware UTC."""

    content: bytes
    width: int
    height: int
    taken_at: datetime | None = None
    lat_e7: int | None = None
    lon_e7: int | None = None
    mime: str = "image/jpeg"


@dataclass(frozen=True, slots=True)
class KeptPhoto:
    """A photo in the photo store, not yet part of a draft."""

    sha256: str
    taken: Taken


def prepare_photo(data: bytes, *, zone: str, long_side: int = LONG_SIDE) -> Taken:
    """Decode, turn upright, shrink to ``long_side`` pixels, encode as JPEG. Takes up to a second: not on the UI thread.

    ``zone`` gives meaning to an EXIF time without an offset. DomainError: ``photo_not_image``, ``photo_heic``,
    ``photo_too_large``, ``photo_truncated``.
    """
    if len(data) > MAX_BYTES:
        raise DomainError("photo_too_large", megabytes=MAX_BYTES // 1024 // 1024)
    if data[4:12] in _HEIC:
        raise DomainError("photo_heic")
    try:
        Image.init()  # WebP and TIFF are not among those that Pillow loads by itself
        image: Image.Image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise DomainError("photo_too_large", megabytes=MAX_BYTES // 1024 // 1024) from error
    except (UnidentifiedImageError, *_BROKEN) as error:
        raise DomainError("photo_not_image") from error
    if image.width * image.height > MAX_PIXELS:
        raise DomainError("photo_too_large", megabytes=MAX_BYTES // 1024 // 1024)
    try:
        return _shrunk(image, zone, long_side)
    except (Image.DecompressionBombError, *_BROKEN) as error:
        raise DomainError("photo_truncated") from error


def keep_photo(store: PhotoStore, data: bytes, *, zone: str, long_side: int = LONG_SIDE) -> KeptPhoto:
    """``prepare_photo``, then into the photo store, named by its hash. For the pool."""
    taken = prepare_photo(data, zone=zone, long_side=long_side)
    return KeptPhoto(store.put(taken.content), taken)


def add_photo(tx: Transaction, draft_id: Id, node: str, kept: KeptPhoto) -> DraftPhoto:
    """Make a kept photo part of a draft; the same photo twice at one question stays one.

    A draft without a position takes the photo's.
    """
    draft = _drafts.read_draft(tx, draft_id)
    mine = [photo for photo in _drafts.photos_of(tx, draft_id) if photo.node == node]
    for photo in mine:
        if photo.sha256 == kept.sha256:
            return photo
    taken = kept.taken
    photo = DraftPhoto(
        id=new_id(tx.now), draft_id=draft_id, node=node, sha256=kept.sha256, size=len(taken.content), mime=taken.mime,
        width=taken.width, height=taken.height, taken_at=taken.taken_at, lat_e7=taken.lat_e7, lon_e7=taken.lon_e7,
        position=1 + max((photo.position for photo in mine), default=-1),
    )
    _drafts.insert_photo(tx, photo)
    if draft.position_source == "none" and draft.supersedes_id is None and taken.lat_e7 is not None:
        place = {"position_source": "photo", "lat_e7": taken.lat_e7, "lon_e7": taken.lon_e7, "accuracy_m": None}
        _drafts.update_draft(tx, draft_id, place)
    return photo


def remove_photo(tx: Transaction, draft_id: Id, node: str, sha256: str) -> bool:
    """Take a photo out of a draft. True when nothing names it any more: the caller deletes its file."""
    _drafts.delete_photo(tx, draft_id, node, sha256)
    return not _drafts.photo_in_use(tx, sha256)


def _shrunk(image: Image.Image, zone: str, long_side: int) -> Taken:
    exif, taken_at, place = _facts(image, zone)
    if image.format in ("JPEG", "MPO"):
        image.draft("RGB", (long_side, long_side))  # decodes at an eighth, a quarter or a half where that is enough
    turn = _TURNS.get(exif.get(_TAG.Orientation, 1))
    flat = _without_transparency(image if turn is None else image.transpose(turn))
    flat.thumbnail((long_side, long_side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    stream = io.BytesIO()
    flat.save(stream, "JPEG", quality=QUALITY, optimize=True, exif=_kept_exif(exif, taken_at, place))
    lat, lon = place or (None, None)
    return Taken(stream.getvalue(), flat.width, flat.height, taken_at, lat, lon)


def _facts(image: Image.Image, zone: str) -> tuple[Image.Exif, datetime | None, tuple[int, int] | None]:
    """EXIF, time and place; none of them where the EXIF is damaged, which is no reason to lose the photo."""
    try:
        exif = image.getexif()
        return exif, _taken_at(exif, zone), _place(exif)
    except _BROKEN:
        return Image.Exif(), None, None


def _without_transparency(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        ground = Image.new("RGB", image.size, "white")
        ground.paste(image, mask=image.convert("RGBA").getchannel("A"))
        return ground
    return image.convert("RGB")


def _taken_at(exif: Image.Exif, zone: str) -> datetime | None:
    details = exif.get_ifd(_IFD.Exif)
    text = str(details.get(_TAG.DateTimeOriginal) or exif.get(_TAG.DateTime) or "").strip("\x00 ")
    offset = _offset(str(details.get(_TAG.OffsetTimeOriginal) or "").strip("\x00 "))
    try:
        moment = datetime.strptime(text, "%Y:%m:%d %H:%M:%S").replace(tzinfo=offset or ZoneInfo(zone))
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _offset(text: str) -> timezone | None:
    try:
        return timezone(datetime.strptime(text, "%z").utcoffset() or timedelta())
    except ValueError:
        return None


def _place(exif: Image.Exif) -> tuple[int, int] | None:
    gps = exif.get_ifd(_IFD.GPSInfo)
    lat = _degrees(gps.get(_GPS.GPSLatitude), gps.get(_GPS.GPSLatitudeRef), "S", 90)
    lon = _degrees(gps.get(_GPS.GPSLongitude), gps.get(_GPS.GPSLongitudeRef), "W", 180)
    if lat is None or lon is None or (lat == 0 and lon == 0):
        return None  # cameras without a fix write zeros
    return lat, lon


def _degrees(parts: Any, reference: Any, negative: str, limit: int) -> int | None:
    try:
        degrees, minutes, seconds = (float(part) for part in parts)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    if not 0 <= value <= limit:
        return None
    return round(value * _DEGREE) * (-1 if str(reference).upper().startswith(negative) else 1)


def _kept_exif(exif: Image.Exif, taken_at: datetime | None, place: tuple[int, int] | None) -> Image.Exif:
    kept = Image.Exif()
    if taken_at is not None:
        details = kept.get_ifd(_IFD.Exif)
        details[_TAG.DateTimeOriginal] = taken_at.strftime("%Y:%m:%d %H:%M:%S")
        details[_TAG.OffsetTimeOriginal] = "+00:00"
    if place is not None:
        source, gps = exif.get_ifd(_IFD.GPSInfo), kept.get_ifd(_IFD.GPSInfo)
        for tag in (_GPS.GPSLatitudeRef, _GPS.GPSLatitude, _GPS.GPSLongitudeRef, _GPS.GPSLongitude):
            gps[tag] = source[tag]
    return kept
