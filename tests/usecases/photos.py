"""Photographs made for tests: all different, with the EXIF that a camera writes."""

from __future__ import annotations

import io

from PIL import ExifTags, Image

GPS, TAG, IFD = ExifTags.GPS, ExifTags.Base, ExifTags.IFD


def jpeg(seed: int, size: tuple[int, int] = (640, 480), *, orientation: int = 1, taken: str | None = None,
         offset: str | None = None, place: tuple[float, float] | None = None, serial: str | None = None) -> bytes:
    """A gradient with the seed in it; ``place`` is (latitude, longitude) in degrees."""
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    image.paste((seed * 53 % 256, seed * 97 % 256, seed * 31 % 256), (0, 0, size[0] // 2, size[1] // 4))
    exif = Image.Exif()
    exif[TAG.Orientation] = orientation
    if serial:
        exif[TAG.Make] = serial
        exif.get_ifd(IFD.Exif)[TAG.BodySerialNumber] = serial
    if taken:
        exif.get_ifd(IFD.Exif)[TAG.DateTimeOriginal] = taken
    if offset:
        exif.get_ifd(IFD.Exif)[TAG.OffsetTimeOriginal] = offset
    if place:
        gps = exif.get_ifd(IFD.GPSInfo)
        for value, (name, reference), letters in zip(
            place, ((GPS.GPSLatitude, GPS.GPSLatitudeRef), (GPS.GPSLongitude, GPS.GPSLongitudeRef)),
            ("NS", "EW"), strict=True,
        ):
            minutes = abs(value) % 1 * 60
            gps[name] = (float(int(abs(value))), float(int(minutes)), round(minutes % 1 * 60, 4))
            gps[reference] = letters[value < 0]
    stream = io.BytesIO()
    image.save(stream, "JPEG", exif=exif, quality=92)
    return stream.getvalue()
