"""Which letters the bytes of a text file mean: by its mark, by trying UTF-8, and by what French letters would be."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

UTF8, UTF16LE, UTF16BE, UTF32LE, UTF32BE = "utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"
CP1252, LATIN9, MAC = "cp1252", "iso8859-15", "mac-roman"
ENCODINGS = (UTF8, UTF16LE, UTF16BE, CP1252, LATIN9, MAC)  # what a person may choose from

_MARKS = (
    (codecs.BOM_UTF8, UTF8), (codecs.BOM_UTF32_LE, UTF32LE), (codecs.BOM_UTF32_BE, UTF32BE),
    (codecs.BOM_UTF16_LE, UTF16LE), (codecs.BOM_UTF16_BE, UTF16BE),
)  # fmt: skip
_CHUNK = 1 << 20
_WHOLE = 256 << 20  # a larger file is judged by its beginning
_LIKELY = frozenset("éèêëàâäçîïôöûùüœæÉÈÀÂÇÎÔÛŒßñáíóúÑ")
_SIGNS = frozenset("’‘“”«»€°–—…²³½¼¾§®©™")


@dataclass(frozen=True, slots=True)
class Text:
    """How to read a file. ``lines``: how many line ends were counted in ``counted`` bytes."""

    encoding: str
    mark: int  # bytes of the byte order mark
    lines: int
    counted: int


def recognise(path: Path, size: int) -> Text:
    """Reads the file once when it is not large; some 0.1 s for 100 MB."""
    with path.open("rb") as file:
        head = file.read(_CHUNK)
        for mark, encoding in _MARKS:
            if head.startswith(mark):
                return Text(encoding, len(mark), *_lines(path, size))
        wide = _wide(head)
        if wide:
            return Text(wide, 0, *_lines(path, size))
        decoder = codecs.getincrementaldecoder("utf-8")("strict")
        chunk, lines, counted, strange = head, 0, 0, bytearray()
        valid = True
        while chunk and counted < _WHOLE:
            lines += chunk.count(b"\n")
            counted += len(chunk)
            if not chunk.isascii():
                if valid:
                    try:
                        decoder.decode(chunk)
                    except UnicodeDecodeError:
                        valid = False
                if len(strange) < _CHUNK:
                    strange += chunk[:_CHUNK]
            elif valid:
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:  # a letter that the chunk before had begun
                    valid = False
            chunk = file.read(_CHUNK)
    if valid or _mostly_utf8(bytes(strange)):
        return Text(UTF8, 0, lines, counted)
    return Text(_by_letters(bytes(strange)), 0, lines, counted)


def _lines(path: Path, size: int) -> tuple[int, int]:
    counted = lines = 0
    with path.open("rb") as file:
        while counted < _WHOLE and (chunk := file.read(_CHUNK)):
            lines += chunk.count(b"\n")
            counted += len(chunk)
    return lines, counted


def _wide(head: bytes) -> str | None:
    """UTF-16 without its mark: nearly every second byte is null."""
    part = head[:4096]
    if len(part) < 4:
        return None
    half = len(part) // 2
    if part[1::2].count(0) > 0.6 * half and part[0::2].count(0) < 0.1 * half:
        return UTF16LE
    if part[0::2].count(0) > 0.6 * half and part[1::2].count(0) < 0.1 * half:
        return UTF16BE
    return None


def _mostly_utf8(text: bytes) -> bool:
    """UTF-8 in which a few bytes were damaged, rather than another encoding."""
    wrong = text.decode("utf-8", "replace").count("\ufffd")
    right = sum(1 for character in text.decode("utf-8", "ignore") if ord(character) > 127)
    return right > 20 * wrong


def _by_letters(text: bytes) -> str:
    """The single-byte encoding in which the strange bytes make French words; Windows' when it is a draw."""
    scores = {encoding: _score(text, encoding) for encoding in (CP1252, LATIN9, MAC)}
    return max(scores, key=lambda encoding: scores[encoding])


def _score(text: bytes, encoding: str) -> float:
    shown = text.decode(encoding, "replace")
    points = 0.0
    for place, character in enumerate(shown):
        if ord(character) < 128:
            continue
        before = shown[place - 1] if place else " "
        after = shown[place + 1] if place + 1 < len(shown) else " "
        within = before.isalpha() and after.isalpha()
        if character in _LIKELY and (before.isalpha() or after.isalpha() or character.isupper()):
            # A capital within small letters is the sign of the wrong table.
            points += -1 if character.isupper() and before.islower() else 2 if character.islower() else 1
        elif character in _SIGNS and (not within or character in "’‘"):
            points += 0.5
        elif character == "\ufffd" or (not character.isprintable() and character != "\u00a0"):
            points -= 3
        else:
            points -= 1
    return points
