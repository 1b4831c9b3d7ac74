"""One change of one field in words: before and after, whatever kind of value it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fieldcrm.domain.ids import Id
from fieldcrm.domain.order import is_price, is_quantity
from fieldcrm.domain.placing import placing_of
from fieldcrm.ui import labels
from fieldcrm.ui.outlet.custom_words import custom_value
from fieldcrm.usecases.card import Card as OutletCard
from fieldcrm.usecases.card import FieldChange, HistoryLine
from fieldcrm.words import language, money, tr, trn

_LATITUDE, _LONGITUDE = "lat_e7", "lon_e7"
_CUSTOM = "custom:"
_LONGEST = 160


def subject_words(line: HistoryLine) -> str:
    """What was done, and to whom: “Change of a contact: Mme Lefort”."""
    what = labels.what_was_done(line.label) if not line.undoes else labels.undo_text(line.label)
    return tr("{what}: {name}", what=what, name=line.subject) if line.subject else what


def change_lines(line: HistoryLine, card: OutletCard) -> list[str]:
    """A sentence for each field; latitude and longitude are one thing to a person."""
    known = line.here or bool(line.places)  # else only the value that stands is known
    return [_sentence(change, card, known) for change in _together(line.fields)]


def field_words(field: str, card: OutletCard) -> str:
    """The name of a field, the organisation's own ones included."""
    if field.startswith(_CUSTOM):
        key = field.removeprefix(_CUSTOM)
        return next((one.name(language()) for one in card.custom_fields if one.key == key), key)
    return labels.field_name(field)


def _sentence(change: FieldChange, card: OutletCard, known: bool) -> str:
    name = field_words(change.field, card)
    if change.erased:
        return tr("{field}: erased", field=name)
    before, after = (_value(change, value, card) for value in (change.was, change.now))
    if not known or change.field == "placing":
        return tr("{field}: {value}", field=name, value=after)
    return tr("{field}: {before} → {after}", field=name, before=before, after=after)


def _together(changes: Iterable[FieldChange]) -> list[FieldChange]:
    found = list(changes)
    place = {one.field: one for one in found if one.field in (_LATITUDE, _LONGITUDE)}
    if not place:
        return found
    rest = [one for one in found if one.field not in place]
    if set(place) != {_LATITUDE, _LONGITUDE}:
        return rest + list(place.values())
    latitude, longitude = place[_LATITUDE], place[_LONGITUDE]
    both = FieldChange("outlet", "position", (latitude.was, longitude.was), (latitude.now, longitude.now))
    return [both, *rest]


def _value(change: FieldChange, value: Any, card: OutletCard) -> str:
    if change.field == "position" and isinstance(value, tuple):
        if not all(isinstance(part, int) for part in value):
            return tr("nothing")
        return f"{value[0] / 1e7:.5f}, {value[1] / 1e7:.5f}"
    if change.field.startswith(_CUSTOM):
        return custom_value(value)
    if change.field == "placing":
        placing = placing_of(value)
        return labels.placing_words(placing) if placing is not None else tr("nothing")
    if change.field == "lines":
        return _order(value)
    if change.field in ("person_id", "visit_id", "outlet_id") and isinstance(value, str):
        return _person(value, card.people)
    text = labels.field_value(change.field, value)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"


def _order(value: Any) -> str:
    lines = [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
    if not lines:
        return tr("nothing")
    pairs = [(one.get("quantity"), one.get("price_minor")) for one in lines]
    total = sum(a * b for a, b in pairs if is_quantity(a) and is_price(b) and b is not None)
    return tr(
        "{products}, {amount}", products=trn("{n} product", "{n} products", len(lines)), amount=money(total)
    )


def _person(value: str, people: Mapping[Id, str]) -> str:
    try:
        return people.get(Id(hex=value), "") or tr("somebody")
    except ValueError:
        return tr("somebody")
