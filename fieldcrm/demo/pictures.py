"""Photos of shelves that are drawings: boxes on boards with price rails, no two alike, as a phone would save them."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from PIL import ExifTags, Image, ImageDraw, ImageFont

from fieldcrm import resources

TWELVE_MEGAPIXELS = (4032, 3024)
_COLOURS = (
    "#c0392b", "#d35400", "#e1a100", "#2e8b57", "#1f7a8c", "#2c5d9e", "#6c4f9c", "#a23b72", "#8c6d46", "#3d3d3d",
    "#e8c7a0", "#9bc1bc", "#f2efe6", "#b7d36b",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shot:
    """What a picture says in its EXIF: when, and where if a place is given (degrees x 10^7)."""

    label: str
    taken_at: datetime
    zone: str
    lat_e7: int | None = None
    lon_e7: int | None = None


def shelf_photo(seed: str, shot: Shot, size: tuple[int, int] = TWELVE_MEGAPIXELS, quality: int = 88) -> bytes:
    """A JPEG of ``size`` pixels that is different for each ``seed``, with EXIF time, zone and position."""
    chance = random.Random(seed)
    image = Image.new("RGB", size, chance.choice(("#efeae2", "#e7ecef", "#f0efe9")))
    draw = ImageDraw.Draw(image)
    _shelves(draw, size, chance)
    image = _grain(image, chance)
    _caption(ImageDraw.Draw(image), size, shot)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, exif=_exif(shot))
    return buffer.getvalue()


def _shelves(draw: ImageDraw.ImageDraw, size: tuple[int, int], chance: random.Random) -> None:
    width, height = size
    boards = chance.randint(4, 6)
    top, board_height = round(height * 0.04), round(height * 0.9 / boards)
    for board in range(boards):
        floor = top + (board + 1) * board_height - round(board_height * 0.14)
        x = round(width * 0.02)
        while x < width * 0.97:
            x = _facings(draw, x, floor, board_height, width, chance)
        rail = (0, floor, width, floor + round(board_height * 0.12))
        draw.rectangle(rail, fill="#fbfbf8", outline="#b9b9b2", width=max(1, width // 1000))
        for tag in range(round(width * 0.03), width, width // chance.randint(11, 15)):
            _price_tag(draw, tag, floor, board_height, width, chance)


def _facings(
    draw: ImageDraw.ImageDraw, x: int, floor: int, board_height: int, width: int, chance: random.Random
) -> int:
    """One product side by side, sometimes a hole; returns where the next one begins."""
    box_width = round(width * chance.uniform(0.018, 0.045))
    box_height = round(board_height * chance.uniform(0.45, 0.78))
    fill, band = chance.sample(_COLOURS, 2)
    if chance.random() < 0.07:
        return x + 2 * box_width
    for _ in range(chance.randint(2, 7)):
        if x + box_width > width * 0.98:
            break
        box = (x, floor - box_height, x + box_width - 4, floor)
        draw.rounded_rectangle(box, radius=box_width // 8, fill=fill, outline="#00000055", width=max(1, width // 1500))
        label = (x + 6, floor - box_height * 2 // 3, x + box_width - 10, floor - box_height // 3)
        draw.rectangle(label, fill=band)
        x += box_width
    return x + round(width * 0.004)


def _price_tag(
    draw: ImageDraw.ImageDraw, x: int, floor: int, board_height: int, width: int, chance: random.Random
) -> None:
    high = round(board_height * 0.09)
    ground = "#fff3a8" if chance.random() < 0.2 else "#ffffff"
    draw.rectangle((x, floor + 4, x + width // 26, floor + high), fill=ground)
    price = f"{chance.randint(0, 4)},{chance.choice('159')}9"
    draw.text((x + width // 200, floor + 4), price, fill="#202020", font=_font(max(8, high - 8)))


def _grain(image: Image.Image, chance: random.Random) -> Image.Image:
    """The noise of a sensor: without it a drawing compresses far below the size of a photo."""
    half = (image.width // 2, image.height // 2)
    noise = Image.frombytes("L", half, chance.randbytes(half[0] * half[1])).resize(image.size)
    return Image.blend(image, Image.merge("RGB", (noise, noise, noise)), 0.05)


def _caption(draw: ImageDraw.ImageDraw, size: tuple[int, int], shot: Shot) -> None:
    high = max(12, size[1] // 60)
    text = f"{shot.label} · {shot.taken_at.astimezone(ZoneInfo(shot.zone)):%d/%m/%Y %H:%M} · image de démonstration"
    draw.rectangle((0, size[1] - 2 * high, size[0], size[1]), fill="#1b1b1b")
    draw.text((high, size[1] - high * 3 // 2), text, fill="#ffffff", font=_font(high))


@cache
def _font(pixels: int) -> ImageFont.FreeTypeFont:
    # The basic layout: shaping every price tag would take most of the time of a picture.
    path = str(resources.path("fonts/Inter-Medium.ttf"))
    return ImageFont.truetype(path, pixels, layout_engine=ImageFont.Layout.BASIC)


def _exif(shot: Shot) -> Image.Exif:
    exif = Image.Exif()
    local = shot.taken_at.astimezone(ZoneInfo(shot.zone))
    offset = local.strftime("%z")
    exif[ExifTags.Base.Make] = "FieldCRM demo"
    exif[ExifTags.Base.Model] = "Drawing"
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.DateTimeOriginal] = local.strftime("%Y:%m:%d %H:%M:%S")
    details[ExifTags.Base.OffsetTimeOriginal] = f"{offset[:3]}:{offset[3:]}"
    if shot.lat_e7 is not None and shot.lon_e7 is not None:
        place = exif.get_ifd(ExifTags.IFD.GPSInfo)
        place[ExifTags.GPS.GPSLatitudeRef] = "N" if shot.lat_e7 >= 0 else "S"
        place[ExifTags.GPS.GPSLatitude] = _sexagesimal(shot.lat_e7)
        place[ExifTags.GPS.GPSLongitudeRef] = "E" if shot.lon_e7 >= 0 else "W"
        place[ExifTags.GPS.GPSLongitude] = _sexagesimal(shot.lon_e7)
    return exif


def _sexagesimal(e7: int) -> tuple[float, float, float]:
    degrees, rest = divmod(abs(e7), 10_000_000)
    minutes, rest = divmod(rest * 60, 10_000_000)
    return float(degrees), float(minutes), round(rest * 60 / 10_000_000, 4)
