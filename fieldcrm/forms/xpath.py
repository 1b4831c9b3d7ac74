"""Reads an XPath 1.0 expression of a form: what it refers to, whether it can be evaluated, and its text for libxml2.

lxml evaluates compiled expressions quickly but knows no dates and tells of an unknown function only when it meets it.
So each expression is read once, when the form is loaded: functions and nodes are checked, OpenRosa functions get their
own prefix, absolute paths are bound to the row they stand in, and dates in sums and comparisons become day numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fieldcrm.forms.functions import CORE, OPENROSA

MAX_LENGTH = 20_000
MAX_NESTING = 60

_TOKEN = re.compile(
    r"""\s*(?:(?P<literal>"[^"]*"|'[^']*')
    |(?P<number>\d+(?:\.\d*)?|\.\d+)
    |(?P<name>[^\W\d][\w.\-]*(?::(?!:)[^\W\d][\w.\-]*)?)
    |(?P<symbol>!=|<=|>=|//|::|\.\.|[=<>+\-*/|()\[\],@.$]))""",
    re.VERBOSE,
)


class BadExpression(ValueError):
    """``reason`` is a code, ``detail`` the part of the text that is to blame."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Schema:
    """The nodes of the instance: path to type, the children of each, and which are repeats."""

    types: Mapping[str, str]  # "" for a group
    repeats: frozenset[str]

    def __contains__(self, path: str) -> bool:
        return path in self.types


@dataclass(frozen=True, slots=True)
class Translated:
    text: str
    reads: frozenset[str]
    reads_anything: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    is_date: bool = False
    is_path: bool = False


def translate(source: str, at: str, schema: Schema) -> Translated:
    """``at`` is the path of the node that the expression belongs to. Raises BadExpression."""
    if len(source) > MAX_LENGTH:
        raise BadExpression("too_long")
    reader = _Reader(_tokens(source), at, schema)
    piece = reader.expression()
    reader.expect_end()
    return Translated(piece.text, frozenset(reader.reads), reader.reads_anything)


def _tokens(source: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    place = 0
    end = len(source.rstrip())
    while place < end:
        match = _TOKEN.match(source, place)
        if match is None or match.lastgroup is None:
            raise BadExpression("syntax", source[place:place + 20])
        found.append((match.lastgroup, match.group(match.lastgroup)))
        place = match.end()
    return found


_LEVELS: tuple[tuple[str, ...], ...] = (
    ("or",), ("and",), ("=", "!="), ("<=", "<", ">=", ">"), ("+", "-"), ("*", "div", "mod"),
)
_OF_NUMBERS = frozenset({"<=", "<", ">=", ">", "+", "-", "*", "div", "mod"})
_DATES = frozenset({"date", "date_time"})
# What libxml2 can do itself with nodes, many times quicker than one call for each: blanks and words are left out.
_OVER_NODES = {"sum": "sum(({0})[number(.) = number(.)])", "count-non-empty": "count(({0})[. != ''])"}


class _Reader:
    """Recursive descent over XPath 1.0. ``context`` is the path of the current node, None inside choice lists."""

    def __init__(self, tokens: list[tuple[str, str]], at: str, schema: Schema) -> None:
        self.tokens = tokens
        self.place = 0
        self.at = at
        self.schema = schema
        self.context: str | None = at
        self.in_predicate = 0
        self.nesting = 0
        self.reads: set[str] = set()
        self.reads_anything = False

    # tokens

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        place = self.place + ahead
        return self.tokens[place] if place < len(self.tokens) else ("end", "")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self.place += 1
        return token

    def next_is(self, *texts: str) -> bool:
        kind, text = self.peek()
        return kind in ("symbol", "name") and text in texts

    def expect(self, text: str) -> None:
        if not self.next_is(text):
            raise BadExpression("syntax", self.peek()[1] or f"… {text}")
        self.place += 1

    def expect_end(self) -> None:
        if self.peek()[0] != "end":
            raise BadExpression("syntax", self.peek()[1])

    # operators

    def expression(self) -> _Piece:
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise BadExpression("too_deep")
        piece = self._level(0)
        self.nesting -= 1
        return piece

    def _level(self, level: int) -> _Piece:
        if level == len(_LEVELS):
            return self._unary()
        left = self._level(level + 1)
        while self.next_is(*_LEVELS[level]):
            operator = self.take()[1]
            right = self._level(level + 1)
            as_days = operator in _OF_NUMBERS or (left.is_date != right.is_date and _is_number(left, right))
            a, b = (_days(left), _days(right)) if as_days else (left.text, right.text)
            left = _Piece(f"{a} {operator} {b}")
        return left

    def _unary(self) -> _Piece:
        minus = 0
        while self.next_is("-"):
            self.take()
            minus += 1
        piece = self._union()
        return piece if not minus else _Piece("-" * (minus % 2) + _days(piece))

    def _union(self) -> _Piece:
        left = self._path()
        while self.next_is("|"):
            self.take()
            left = _Piece(f"{left.text} | {self._path().text}")
        return left

    # paths

    def _path(self) -> _Piece:
        kind, text = self.peek()
        is_call = kind == "name" and self.peek(1) == ("symbol", "(") and text not in ("node", "text")
        if kind in ("literal", "number") or text in ("(", "$") or is_call:
            return self._filter()
        return self._location(None, "")

    def _filter(self) -> _Piece:
        kind, text = self.take()
        context: str | None = None
        if kind in ("literal", "number"):
            return _Piece(text)
        if text == "(":
            inner = self.expression()
            self.expect(")")
            piece = _Piece(f"({inner.text})", inner.is_date)
        elif text == "$":
            raise BadExpression("variable", self.peek()[1])
        else:
            if text == "current":
                context = self.at
            piece = self._call(text)
        if self.next_is("["):
            piece = _Piece(piece.text + self._predicates(None), piece.is_date)
        if self.next_is("/", "//"):
            return self._location(context, piece.text)
        return piece

    def _call(self, name: str) -> _Piece:
        self.expect("(")
        arguments: list[_Piece] = []
        while not self.next_is(")"):
            arguments.append(self.expression())
            if not self.next_is(")"):
                self.expect(",")
        self.expect(")")
        count = len(arguments)
        core = CORE.get(name)
        if name == "position" and count == 0:
            return _Piece("position()")
        if core is not None and core[0] <= count <= core[1]:
            return _Piece(f"{name}({', '.join(a.text for a in arguments)})")
        function = OPENROSA.get(name)
        if function is None:
            raise BadExpression("function", name)
        if not function.least <= count <= function.most:
            raise BadExpression("arguments", name)
        if name in ("indexed-repeat", "jr:itext", "instance"):
            self.reads_anything = self.reads_anything or name == "indexed-repeat"
        if name in _OVER_NODES and arguments[0].is_path:
            return _Piece(_OVER_NODES[name].format(arguments[0].text))
        plain = name.removeprefix("jr:")
        return _Piece(f"f:{plain}({', '.join(a.text for a in arguments)})", function.is_date)

    def _location(self, start: str | None, prefix: str) -> _Piece:
        """A location path; ``prefix`` is the call it continues (``current()``, ``instance('x')``), if any."""
        absolute = not prefix and self.next_is("/", "//")
        here = "" if absolute else (start if prefix else self.context)
        steps: list[str] = []
        first = True
        while True:
            if self.next_is("/", "//"):
                separator = self.take()[1]
                if separator == "//":
                    self.reads_anything, here = True, None
                steps.append(separator)
                if absolute and first and not self._step_follows():
                    break
            elif not first:
                break
            here, text = self._step(here)
            steps.append(text)
            first = False
        return self._finish(here, prefix + "".join(steps), absolute and "//" not in steps)

    def _step_follows(self) -> bool:
        kind, text = self.peek()
        return kind == "name" or text in ("*", "@", ".", "..")

    def _step(self, here: str | None) -> tuple[str | None, str]:
        kind, text = self.take()
        if text in (".", ".."):
            if here is not None and text == "..":
                here = here.rpartition("/")[0]
            return here, text
        if text == "@":
            return None, "@" + self.take()[1]
        if text == "*":
            self.reads_anything = self.reads_anything or here is not None
            return None, "*" + self._predicates(None)
        if kind != "name":
            raise BadExpression("syntax", text)
        if self.next_is("::"):
            self.take()
            self.reads_anything = True
            return None, f"{text}::{self._step(None)[1]}"
        if self.next_is("(") and text in ("node", "text"):
            self.take()
            self.expect(")")
            return None, f"{text}()" + self._predicates(None)
        name = text.rpartition(":")[2]
        if here is not None:
            here = f"{here}/{name}"
            if here not in self.schema:
                raise BadExpression("node", here)
        return here, name + self._predicates(here)

    def _predicates(self, context: str | None) -> str:
        text = ""
        outer = self.context
        while self.next_is("["):
            self.take()
            self.context = context
            self.in_predicate += 1
            text += f"[{self.expression().text}]"
            self.in_predicate -= 1
            self.expect("]")
        self.context = outer
        return text

    def _finish(self, here: str | None, text: str, absolute: bool) -> _Piece:
        if here:
            self.reads.add(here)
            if absolute:
                text = self._in_same_row(here, text)
        return _Piece(text, bool(here) and self.schema.types.get(here or "") in _DATES, is_path=True)

    def _in_same_row(self, path: str, text: str) -> str:
        """``/data/line/price`` asked for in a row of ``line`` is the price of that row, as in every OpenRosa client."""
        shared = [r for r in self.schema.repeats if path.startswith(r + "/") and f"{self.at}/".startswith(r + "/")]
        if self.in_predicate and not shared:  # a predicate may stand in a choice list, which is another tree
            return "f:current()/ancestor-or-self::*[last()]" + text[text.find("/", 1):] if "/" in text[1:] else text
        if not shared or "[" in text:
            return text
        row = max(shared, key=len)
        up = self.at.count("/") - row.count("/")
        start = "current()" if self.in_predicate else "."
        start = "f:" + start if self.in_predicate else start
        return start + "/.." * up + path[len(row):]


def _is_number(left: _Piece, right: _Piece) -> bool:
    other = right if left.is_date else left
    return other.text[:1] not in ("'", '"') and "(" not in other.text and other.text[:1].isdigit()


def _days(piece: _Piece) -> str:
    return f"f:decimal-date-time({piece.text})" if piece.is_date else piece.text
