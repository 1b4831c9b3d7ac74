"""Whether the values a device sends are what the catalogue says they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import msgspec

from sync.catalogue import Collection, Field, Kind
from sync.columns import from_wire, to_wire
from sync.server.ports import Refused

MAX_TEXT = 20_000  # characters
MAX_LONG = 200_000
MAX_DOCUMENT = 1 << 20  # bytes of JSON

_LIMITS = {Kind.TEXT: MAX_TEXT, Kind.LONG: MAX_LONG}
_RANGES = {Kind.INTEGER: (-(2**63), 2**63 - 1), Kind.COUNTER: (-(2**63), 2**63 - 1), Kind.TIME: (0, 1 << 47)}
_ID = re.compile(r"[0-9a-f]{32}")

Check = Callable[[Any], Any]


class Checks:
    """The checks of one collection, made once. Each gives the value in the one form in which it is kept."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self.required = tuple(f.name for f in collection.fields if f.required)
        self.by_name: dict[str, Check] = {f.name: _check_of(f) for f in collection.fields}
        self.mended = {f.name: self.by_name[f.name] for f in collection.fields if _plain(f) is None}
        self.shape = msgspec.defstruct("Shape", list(map(_shaped, collection.fields)), forbid_unknown_fields=True)

    def pass_at_once(self, values: Mapping[str, Any]) -> bool:
        """Whether all values, but those of ``mended``, are right as they are. False means only: look closer."""
        try:
            msgspec.convert(values, self.shape)
            text = "".join([value for value in values.values() if type(value) is str])
            return text.isprintable() or ("\x00" not in text and bool(text.encode("utf-8")))
        except (msgspec.ValidationError, UnicodeError):
            return False


_made: dict[int, Checks] = {}


def _checks(collection: Collection) -> Checks:
    made = _made.get(id(collection))  # not by value: to compare two collections takes longer than a record
    if made is None or made.collection is not collection:
        made = _made[id(collection)] = Checks(collection)
    return made


def check_values(collection: Collection, values: Mapping[str, Any], *, whole: bool) -> dict[str, Any]:
    """The values in their one form: ids in small letters, sets sorted. ``whole``: a new record.

    Raises ``Refused`` with the name of the first field that is wrong.
    """
    checks = _checks(collection)
    by_name = checks.by_name
    found: dict[str, Any] = {}
    if checks.pass_at_once(values):
        found.update(values)
        if not checks.mended.keys().isdisjoint(found):
            found.update({name: checks.mended[name](value) for name, value in values.items() if name in checks.mended})
        values = {}
    for name, value in values.items():
        check = by_name.get(name)
        if check is None:
            raise Refused("unknown_field", field=name[:64])
        found[name] = check(value)
    if whole:
        for name in checks.required:
            if found.get(name) is None:
                raise Refused("required", field=name)
    return found


def _shaped(definition: Field) -> tuple[str, Any, Any]:
    plain = _plain(definition)
    kind = Any if plain is None else plain if definition.required else plain | None
    return definition.name, kind, None


def _plain(definition: Field) -> Any:
    """The type of values that are kept as they come; ``None`` where a value may have to be mended."""
    kind = definition.kind
    if definition.choices:
        return Literal[definition.choices] if kind in _LIMITS else None
    if kind in _LIMITS:
        return Annotated[str, msgspec.Meta(max_length=_LIMITS[kind])]
    if kind in _RANGES:
        least, most = _range(definition)
        return Annotated[int, msgspec.Meta(ge=least, le=most)]
    return {Kind.ID: Annotated[str, msgspec.Meta(pattern=rf"\A{_ID.pattern}\Z")], Kind.FLAG: bool}.get(kind)


def _range(definition: Field) -> tuple[int, int]:
    low, high = _RANGES[definition.kind]
    least = low if definition.minimum is None else max(low, definition.minimum)
    return least, high if definition.maximum is None else min(high, definition.maximum)


def _check_of(definition: Field) -> Check:
    """A quick look lets nearly all values pass, and none that ``_checked`` would refuse or change."""
    kind = definition.kind
    if definition.choices:
        return _choice_check(definition)
    if kind in _LIMITS:
        return _text_check(definition, _LIMITS[kind])
    if kind in _RANGES:
        return _number_check(definition, *_range(definition))
    plain = {Kind.ID: _ID.fullmatch}.get(kind)

    def check(value: Any) -> Any:
        if (type(value) is bool and kind is Kind.FLAG) or (plain and type(value) is str and plain(value)):
            return value
        return _checked(definition, value)

    return check


def _choice_check(definition: Field) -> Check:
    choices = frozenset(definition.choices)

    def check(value: Any) -> Any:
        return value if type(value) is str and value in choices else _checked(definition, value)

    return check


def _text_check(definition: Field, limit: int) -> Check:
    def check(value: Any) -> Any:
        if type(value) is str and value.isprintable() and len(value) <= limit:
            return value
        return _checked(definition, value)

    return check


def _number_check(definition: Field, least: int, most: int) -> Check:
    def check(value: Any) -> Any:
        return value if type(value) is int and least <= value <= most else _checked(definition, value)

    return check


def _checked(definition: Field, value: Any) -> Any:
    name, kind = definition.name, definition.kind
    if value is None:
        if definition.required:
            raise Refused("required", field=name)
        return None
    limit = _LIMITS.get(kind, MAX_DOCUMENT if kind in (Kind.DOCUMENT, Kind.MAP, Kind.SET) else 0)
    try:
        kept = to_wire(kind, from_wire(kind, value))
        size = len(value) if kind in _LIMITS else len(msgspec.json.encode(value)) if limit else 0
    except (TypeError, ValueError):
        raise Refused("wrong_kind", field=name) from None
    if definition.choices and value not in definition.choices:
        raise Refused("not_a_choice", field=name, value=str(value)[:100])
    if definition.minimum is not None and value < definition.minimum:
        raise Refused("too_small", field=name, minimum=definition.minimum)
    if definition.maximum is not None and value > definition.maximum:
        raise Refused("too_large", field=name, maximum=definition.maximum)
    if size > limit:
        raise Refused("too_long", field=name, maximum=limit)
    return kept
