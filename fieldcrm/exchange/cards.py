"""Stores and the people in them as vCards 3.0 (RFC 2426), which every address book and telephone takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import vobject
from vobject.vcard import Address, Name

from fieldcrm.domain.contact import Contact
from fieldcrm.exchange.writing import replacing

_ADDRESS = ("house_number", "street", "city", "postcode", "country")


class CardOut:
    """A file of cards that is being written."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def store(self, values: Mapping[str, Any], position: tuple[float, float] | None) -> None:
        """``values``: fields of the outlet, and ``id``."""
        card = vobject.vCard()
        card.add("fn").value = _text(values.get("name"))
        card.add("n").value = Name(family=_text(values.get("name")))
        card.add("org").value = [_text(values.get("name"))]
        _add(card, "tel", values.get("phone"), "WORK")
        _add(card, "email", values.get("email"), "WORK")
        _add(card, "url", values.get("website"))
        _address(card, values)
        if position is not None:
            card.add("geo").value = f"{position[0]:.6f};{position[1]:.6f}"
        _add(card, "uid", values.get("id"))
        self._write(card)

    def person(self, contact: Contact, values: Mapping[str, Any]) -> None:
        """Somebody at the outlet of ``values``."""
        card = vobject.vCard()
        name = _text(contact.name)
        given, _, family = name.rpartition(" ")
        card.add("fn").value = name
        card.add("n").value = Name(family=family, given=given)
        card.add("org").value = [_text(values.get("name"))]
        _add(card, "title", contact.job)
        _add(card, "tel", contact.phone, "WORK")
        _add(card, "email", contact.email, "WORK")
        _address(card, values)
        _add(card, "uid", contact.id.hex)
        self._write(card)

    def _write(self, card: Any) -> None:
        self._file.write(card.serialize())


@contextmanager
def vcard_file(path: Path) -> Iterator[CardOut]:
    """The file appears when the block ends well. Raises ``Unavailable``: ``disk_full``, ``disk_denied``."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="", errors="replace") as file:
        yield CardOut(file)


def _text(value: Any) -> str:
    """One line without control characters: vCard folds lines itself."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(value or "")).split())


def _add(card: Any, name: str, value: Any, kind: str = "") -> None:
    text = _text(value)
    if text:
        line = card.add(name)
        line.value = text
        if kind:
            line.type_param = kind


def _address(card: Any, values: Mapping[str, Any]) -> None:
    number, street, city, code, country = (_text(values.get(name)) for name in _ADDRESS)
    if not any((number, street, city, code, country)):
        return
    line = card.add("adr")
    line.value = Address(street=" ".join(filter(None, (number, street))), city=city, code=code, country=country)
    line.type_param = "WORK"
