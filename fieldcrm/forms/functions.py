"""The OpenRosa functions that XPath 1.0 lacks, for lxml. Values come as node lists, text, numbers or truth."""

from __future__ import annotations

import contextvars
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from math import isnan
from typing import Any

from lxml import etree

MANY = 1_000
_EPOCH = date(1970, 1, 1)
_MAX_PATTERN = 300


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an expression may know beside the answers. ``label`` gives (list path, choice name) -> label."""

    now: datetime
    zone: tzinfo
    lists: Mapping[str, etree._Element]
    label: Callable[[str, str], str]
    text: Callable[[str], str]  # itext by id


@dataclass(frozen=True, slots=True)
class Function:
    call: Callable[..., Any]
    least: int
    most: int
    is_date: bool = False


surroundings: contextvars.ContextVar[Surroundings] = contextvars.ContextVar("surroundings")
current_node: contextvars.ContextVar[etree._Element] = contextvars.ContextVar("current_node")

# What libxml2 does itself: name -> (fewest, most arguments).
CORE: Mapping[str, tuple[int, int]] = {
    "last": (0, 0), "count": (1, 1), "name": (0, 1), "local-name": (0, 1), "string": (0, 1), "starts-with": (2, 2),
    "contains": (2, 2), "substring-before": (2, 2), "substring-after": (2, 2), "substring": (2, 3),
    "string-length": (0, 1), "normalize-space": (0, 1), "translate": (3, 3), "not": (1, 1), "true": (0, 0),
    "false": (0, 0), "floor": (1, 1), "ceiling": (1, 1),
}


def _all_text(element: etree._Element) -> str:
    return "".join(str(text) for text in element.itertext()) if len(element) else (element.text or "")


def to_text(value: Any) -> str:
    if isinstance(value, list):
        return to_text(value[0]) if value else ""
    if isinstance(value, etree._Element):
        return _all_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if isnan(value):
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


def to_number(value: Any) -> float:
    if isinstance(value, bool | int | float):
        return float(value)
    text = to_text(value).strip()
    try:
        return float(text)
    except ValueError:
        return decimal_date_time(None, text) if len(text) >= 10 and text[4:5] == "-" else float("nan")


def to_truth(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value)
    if isinstance(value, float):
        return value != 0 and not isnan(value)
    return bool(value)


def _each(values: tuple[Any, ...]) -> list[str]:
    texts: list[str] = []
    for value in values:
        texts += [to_text(node) for node in value] if isinstance(value, list) else [to_text(value)]
    return texts


def _numbers(values: tuple[Any, ...]) -> list[float]:
    return [number for number in map(to_number, filter(None, _each(values))) if not isnan(number)]


def _words(value: Any) -> list[str]:
    return to_text(value).split()


# dates: days since 1970, in the zone of the outlet


def as_moment(text: str) -> datetime | None:
    text = text.strip()
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), time(), surroundings.get().zone)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=surroundings.get().zone)


def decimal_date_time(_context: Any, value: Any) -> float:
    if isinstance(value, float):
        return value
    text = to_text(value).strip()
    if len(text) == 10:
        try:
            return float((date.fromisoformat(text) - _EPOCH).days)
        except ValueError:
            return float("nan")
    moment = as_moment(text)
    return float("nan") if moment is None else moment.timestamp() / 86_400


def date_text(value: Any) -> str:
    if isinstance(value, float):
        return "" if isnan(value) or abs(value) > 2_000_000 else (_EPOCH + timedelta(days=int(value // 1))).isoformat()
    text = to_text(value)
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return ""


_STRFTIME = {"Y": "%Y", "y": "%y", "m": "%m", "d": "%d", "H": "%H", "M": "%M", "S": "%S", "a": "%a", "b": "%b"}


def _format_date(_context: Any, value: Any, pattern: Any) -> str:
    text = date_text(value) if isinstance(value, float) else to_text(value)
    moment = as_moment(text)
    if moment is None:
        return ""
    small = {"n": moment.month, "e": moment.day, "h": moment.hour, "3": f"{moment.microsecond // 1000:03}"}

    def part(match: re.Match[str]) -> str:
        code = match.group(1)
        return str(small[code]) if code in small else moment.strftime(_STRFTIME[code])

    return re.sub(r"%([YymdHMSabneh3])", part, to_text(pattern))


def _today(_context: Any) -> str:
    here = surroundings.get()
    return here.now.astimezone(here.zone).date().isoformat()


def _now(_context: Any) -> str:
    here = surroundings.get()
    return here.now.astimezone(here.zone).isoformat(timespec="milliseconds")


# numbers


def _round(_context: Any, value: Any, places: Any = 0.0) -> float:
    number = to_number(value)
    if isnan(number) or abs(number) == float("inf"):
        return number
    digits = max(-12, min(12, int(to_number(places))))
    try:
        return float(Decimal(repr(number)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
    except InvalidOperation:
        return number


def _int(_context: Any, value: Any) -> float:
    number = to_number(value)
    return number if isnan(number) or abs(number) == float("inf") else float(int(number))


def _power(_context: Any, base: Any, exponent: Any) -> float:
    try:
        result = to_number(base) ** to_number(exponent)
    except (OverflowError, ZeroDivisionError):
        return float("nan")
    return result if isinstance(result, float) else float("nan")


# choices


def _choice_name(_context: Any, value: Any, path: Any) -> str:
    return surroundings.get().label(to_text(path).strip(), to_text(value))


def _instance(_context: Any, name: Any) -> Any:
    found = surroundings.get().lists.get(to_text(name))
    return [] if found is None else [found]


def _selected_at(_context: Any, value: Any, index: Any) -> str:
    words = _words(value)
    place = to_number(index)
    return words[int(place)] if not isnan(place) and 0 <= place < len(words) else ""


# nodes


def _position(_context: Any, node: Any) -> float:
    element = node[0] if isinstance(node, list) and node else None
    return float("nan") if element is None else 1.0 + sum(1 for _ in element.itersiblings(element.tag, preceding=True))


def _indexed_repeat(_context: Any, node: Any, *pairs: Any) -> str:
    found: list[etree._Element] = list(node)
    for rows, index in zip(pairs[::2], pairs[1::2], strict=True):
        place = to_number(index)
        if isnan(place) or not 1 <= place <= len(rows):
            return ""
        row = rows[int(place) - 1]
        found = [n for n in found if any(ancestor is row for ancestor in n.iterancestors())]
    return to_text(found)


def _once(context: Any, value: Any) -> Any:
    own = to_text(context.context_node)
    return own or to_text(value)


def _checklist(_context: Any, least: Any, most: Any, *answers: Any) -> bool:
    yes = sum(1 for text in _each(answers) if text in ("yes", "true", "1"))
    low, high = to_number(least), to_number(most)
    return (low < 0 or yes >= low) and (high < 0 or yes <= high)


def _regex(_context: Any, value: Any, pattern: Any) -> bool:
    text, source = to_text(value), to_text(pattern)
    if len(source) > _MAX_PATTERN or len(text) > MANY:
        return False
    try:
        return re.fullmatch(source, text) is not None
    except re.error:
        return False


def _if(_context: Any, condition: Any, yes: Any, no: Any) -> Any:
    return yes if to_truth(condition) else no


def _join(_context: Any, separator: Any, *values: Any) -> str:
    return to_text(separator).join(_each(values))


def _substr(_context: Any, value: Any, start: Any, end: Any = None) -> str:
    text = to_text(value)
    return text[int(to_number(start)):None if end is None else int(to_number(end))]


OPENROSA: Mapping[str, Function] = {
    "abs": Function(lambda _c, v: abs(to_number(v)), 1, 1),
    "boolean": Function(lambda _c, v: to_truth(v), 1, 1),
    "boolean-from-string": Function(lambda _c, v: to_text(v) in ("true", "1"), 1, 1),
    "checklist": Function(_checklist, 3, MANY),
    "jr:choice-name": Function(_choice_name, 2, 2),
    "coalesce": Function(lambda _c, *v: next((t for t in map(to_text, v) if t), ""), 2, MANY),
    "concat": Function(lambda _c, *v: "".join(_each(v)), 0, MANY),
    "count-non-empty": Function(lambda _c, v: float(sum(1 for text in _each((v,)) if text)), 1, 1),
    "count-selected": Function(lambda _c, v: float(len(_words(v))), 1, 1),
    "current": Function(lambda _c: [current_node.get()], 0, 0),
    "date": Function(lambda _c, v: date_text(v), 1, 1, is_date=True),
    "date-time": Function(lambda _c, v: to_text(v), 1, 1, is_date=True),
    "decimal-date-time": Function(decimal_date_time, 1, 1),
    "ends-with": Function(lambda _c, v, end: to_text(v).endswith(to_text(end)), 2, 2),
    "format-date": Function(_format_date, 2, 2),
    "format-date-time": Function(_format_date, 2, 2),
    "if": Function(_if, 3, 3),
    "indexed-repeat": Function(_indexed_repeat, 3, 7),
    "instance": Function(_instance, 1, 1),
    "int": Function(_int, 1, 1),
    "jr:itext": Function(lambda _c, v: surroundings.get().text(to_text(v)), 1, 1),
    "join": Function(_join, 1, MANY),
    "max": Function(lambda _c, *v: max(_numbers(v), default=float("nan")), 1, MANY),
    "min": Function(lambda _c, *v: min(_numbers(v), default=float("nan")), 1, MANY),
    "now": Function(_now, 0, 0, is_date=True),
    "number": Function(lambda _c, v: to_number(v), 1, 1),
    "once": Function(_once, 1, 1),
    "position": Function(_position, 1, 1),
    "pow": Function(_power, 2, 2),
    "randomize": Function(lambda _c, v, seed=None: v, 1, 2),  # the form's order stays: reports compare
    "regex": Function(_regex, 2, 2),
    "round": Function(_round, 1, 2),
    "selected": Function(lambda _c, v, w: to_text(w).strip() in _words(v), 2, 2),
    "selected-at": Function(_selected_at, 2, 2),
    "substr": Function(_substr, 2, 3),
    "sum": Function(lambda _c, v: float(sum(_numbers((v,)))), 1, 1),
    "today": Function(_today, 0, 0, is_date=True),
    "uuid": Function(lambda _c: str(uuid.uuid4()), 0, 0),
}

