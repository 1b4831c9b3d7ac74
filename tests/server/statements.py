"""Reads every statement that the server sends to PostgreSQL, and says which could not run on a table spread by
organisation.

The demands are those of Citus, which a table in native hash partitions makes of its keys as well: each spread table of
a statement is tied to one organisation by an equality, directly or through a join on the organisation; an INSERT names
it; ON CONFLICT names it and never changes it; no function that gives another value each time; and no transaction
names two organisations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import psycopg
import sqlglot
from sqlalchemy import Connection, Engine, event
from sqlglot import exp

from sync.server.distribution import KEY

_OF_THE_CATALOGUE = re.compile(r"^(pg_|information_schema$|citus_)")
_CHANGING = frozenset({"random", "nextval", "gen_random_uuid", "uuid_generate_v4", "clock_timestamp", "timeofday"})
_POSITION = re.compile(r"%s")
_COPY = re.compile(r'COPY "?(\w+)"? \(([^)]*)\) FROM STDIN')
_NO_ROWS = (exp.Create, exp.Alter, exp.Drop, exp.Set, exp.Command, exp.Show, exp.Transaction, exp.Commit, exp.Rollback)


@dataclass(frozen=True)
class Reading:
    """``keys``: names of the parameters that hold the organisation."""

    faults: tuple[str, ...]
    keys: frozenset[str]


@dataclass(frozen=True)
class Reader:
    """``spread`` and ``everywhere``: names of the distributed and of the reference tables."""

    spread: frozenset[str]
    everywhere: frozenset[str]

    def read(self, sql: str) -> Reading:
        """``sql`` as psycopg takes it; a parameter given by its position is named by it: ``%(0)s``."""
        return _read(self, sql)


@lru_cache(maxsize=4096)
def _read(reader: Reader, sql: str) -> Reading:
    if (copy := _COPY.match(sql)) is not None:
        return _read_copy(reader, copy[1], [name.strip().strip('"') for name in copy[2].split(",")])
    positions = iter(range(sql.count("%s")))
    tree = sqlglot.parse_one(_POSITION.sub(lambda _: f"%(_{next(positions)})s", sql), dialect="postgres")
    look = _Look(reader)
    if isinstance(tree, _NO_ROWS):
        return Reading((), frozenset())
    look.statement(tree, outer={})
    return Reading(tuple(look.faults), frozenset(look.keys))


def _read_copy(reader: Reader, table: str, columns: Sequence[str]) -> Reading:
    if table in reader.spread and KEY not in columns:
        return Reading((f"{table}: COPY without {KEY}",), frozenset())
    known = table in reader.spread | reader.everywhere
    return Reading(() if known else (f"{table}: neither spread nor a reference table",), frozenset())


@dataclass
class _Ties:
    """Which aliases of one scope have the same organisation as which, and which is given by a parameter."""

    parent: dict[str, str] = field(default_factory=dict)
    bound: set[str] = field(default_factory=set)

    def root(self, name: str) -> str:
        while self.parent.setdefault(name, name) != name:
            name = self.parent[name]
        return name

    def tie(self, one: str, other: str) -> None:
        self.parent[self.root(one)] = self.root(other)

    def holds(self, name: str) -> bool:
        return any(self.root(bound) == self.root(name) for bound in self.bound)


class _Look:
    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.faults: list[str] = []
        self.keys: set[str] = set()
        self._with: set[str] = set()

    def statement(self, tree: exp.Expression, outer: Mapping[str, bool]) -> None:
        for common in tree.find_all(exp.CTE):
            self._with.add(common.alias)
        if isinstance(tree, exp.SetOperation):
            self.statement(tree.left, outer)
            self.statement(tree.right, outer)
        elif isinstance(tree, exp.Subquery):
            self.statement(tree.this, outer)
        elif isinstance(tree, exp.Select):
            self._scope(tree, outer)
        elif isinstance(tree, exp.Update | exp.Delete):
            self._no_changing_function(tree)
            self._never_moved(tree)
            self._scope(tree, outer)
        elif isinstance(tree, exp.Insert):
            self._no_changing_function(tree)
            self._insert(tree)
        else:
            self.faults.append(f"a statement of a kind that was not foreseen: {tree.key}")

    # One scope: a SELECT, UPDATE or DELETE without what is nested in it

    def _scope(self, tree: exp.Expression, outer: Mapping[str, bool]) -> None:
        sources = dict(self._sources(tree))
        ties = _Ties()
        ties.bound.update(alias for alias, bound in outer.items() if bound)
        for condition in self._conditions(tree):
            self._note(condition, sources, ties)
        spread = {alias: ties.holds(alias) for alias, name in sources.items() if name in self.reader.spread}
        for alias, bound in spread.items():
            if not bound:
                self.faults.append(f"{sources[alias]}: nothing says {KEY} = …")
        self._unknown(sources.values())
        inside = {**outer, **spread}
        for nested in self._nested(tree):
            self.statement(nested, inside)

    def _sources(self, tree: exp.Expression) -> Iterator[tuple[str, str]]:
        """Alias and name of each table; a function or a list of values in FROM is no table."""
        if isinstance(tree, exp.Update | exp.Delete) and isinstance(tree.this, exp.Table):
            yield tree.this.alias_or_name, tree.this.name
        start = tree.args.get("from_") or tree.args.get("using")
        started = start if isinstance(start, list) else [start.this] if isinstance(start, exp.From) else []
        joins = list(tree.args.get("joins") or ())
        for source in started:
            joins += source.args.get("joins") or ()
        for source in [*started, *(join.this for join in joins)]:
            if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
                yield source.alias_or_name, source.name

    def _conditions(self, tree: exp.Expression) -> Iterator[exp.Expression]:
        where = tree.args.get("where")
        if where is not None:
            yield from _conjuncts(where.this)
        for join in self._joins(tree):
            if join.args.get("on") is not None:
                yield from _conjuncts(join.args["on"])

    def _joins(self, tree: exp.Expression) -> Iterator[exp.Join]:
        for join in tree.find_all(exp.Join):
            if join.find_ancestor(exp.Select, exp.Update, exp.Delete) is tree:
                yield join

    def _note(self, condition: exp.Expression, sources: Mapping[str, str], ties: _Ties) -> None:
        if not isinstance(condition, exp.EQ):
            return
        sides = (_bare(condition.this), _bare(condition.expression))
        columns = [side for side in sides if isinstance(side, exp.Column) and side.name == KEY]
        if len(columns) == 2:
            ties.tie(_owner(columns[0], sources), _owner(columns[1], sources))
        elif len(columns) == 1:
            [other] = [side for side in sides if side is not columns[0]]
            if isinstance(other, exp.Placeholder | exp.Literal):
                ties.bound.add(_owner(columns[0], sources))
                self._key(other)

    def _nested(self, tree: exp.Expression) -> Iterator[exp.Expression]:
        for query in tree.find_all(exp.Select, exp.Insert, exp.Update, exp.Delete):
            if query is not tree and query.find_ancestor(exp.Select, exp.Insert, exp.Update, exp.Delete) is tree:
                yield query

    # Writing

    def _insert(self, tree: exp.Insert) -> None:
        schema = tree.this
        table = schema.this if isinstance(schema, exp.Schema) else schema
        columns = [column.name for column in schema.expressions] if isinstance(schema, exp.Schema) else []
        self._unknown([table.name])
        if table.name in self.reader.spread:
            if KEY not in columns:
                self.faults.append(f"{table.name}: INSERT without {KEY}")
            else:
                self._values(table.name, tree.expression, columns.index(KEY))
            self._conflict(table.name, tree.args.get("conflict"))
        for nested in self._nested(tree):
            self.statement(nested, outer={})

    def _values(self, table: str, source: exp.Expression | None, position: int) -> None:
        rows: Sequence[exp.Expression] = ()
        if isinstance(source, exp.Values):
            rows = [row.expressions[position] for row in source.expressions]
        elif isinstance(source, exp.Select):
            rows = [source.expressions[position].unalias()]
        for value in map(_bare, rows):
            if isinstance(value, exp.Placeholder | exp.Literal):
                self._key(value)
            else:
                self.faults.append(f"{table}: INSERT takes its {KEY} from {value.sql()}")
        if not rows:
            self.faults.append(f"{table}: INSERT from a source that was not foreseen")

    def _conflict(self, table: str, conflict: exp.Expression | None) -> None:
        if conflict is None:
            return
        keys = {column.name for key in conflict.args.get("conflict_keys") or () for column in key.find_all(exp.Column)}
        keys |= {key.name for key in conflict.args.get("conflict_keys") or () if isinstance(key, exp.Identifier)}
        if keys and KEY not in keys:
            self.faults.append(f"{table}: ON CONFLICT without {KEY}")
        if any(change.this.name == KEY for change in conflict.expressions if isinstance(change, exp.EQ)):
            self.faults.append(f"{table}: ON CONFLICT changes {KEY}")

    def _never_moved(self, tree: exp.Expression) -> None:
        if isinstance(tree, exp.Update) and any(
            isinstance(change, exp.EQ) and change.this.name == KEY for change in tree.expressions
        ):
            self.faults.append(f"{tree.this.name}: UPDATE changes {KEY}")

    def _no_changing_function(self, tree: exp.Expression) -> None:
        for call in tree.find_all(exp.Func):
            name = (call.name if isinstance(call, exp.Anonymous) else call.sql_name()).lower()
            if name in _CHANGING or isinstance(call, exp.Rand | exp.Uuid):
                self.faults.append(f"a value that changes at each call: {call.sql(dialect='postgres')}")

    # Names

    def _unknown(self, names: Iterable[str]) -> None:
        known = self.reader.spread | self.reader.everywhere | self._with
        for name in names:
            if name not in known and not _OF_THE_CATALOGUE.match(name):
                self.faults.append(f"{name}: neither spread nor a reference table")

    def _key(self, value: exp.Expression) -> None:
        if isinstance(value, exp.Placeholder):
            self.keys.add(value.name)


def _conjuncts(condition: exp.Expression) -> Iterator[exp.Expression]:
    condition = condition.unnest() if isinstance(condition, exp.Paren) else condition
    if isinstance(condition, exp.And):
        yield from _conjuncts(condition.left)
        yield from _conjuncts(condition.right)
    else:
        yield condition


def _bare(value: exp.Expression) -> exp.Expression:
    while isinstance(value, exp.Cast | exp.Paren):
        value = value.this
    return value


def _owner(column: exp.Column, sources: Mapping[str, str]) -> str:
    return column.table or (next(iter(sources)) if len(sources) == 1 else "")


class Listening:
    """Collects the faults of everything that is sent to PostgreSQL in this process while it listens."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._named: dict[int, set[Any]] = {}  # of each open transaction: the organisations that it has named
        self.statements: set[str] = set()
        self.faults: list[str] = []

    def __enter__(self) -> Listening:
        for name, listener in self._listeners():
            event.listen(Engine, name, listener)
        self._copy = psycopg.Cursor.copy  # by which rows pass the engine
        psycopg.Cursor.copy = self._copied  # type: ignore[assignment,method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        psycopg.Cursor.copy = self._copy  # type: ignore[method-assign]
        for name, listener in self._listeners():
            event.remove(Engine, name, listener)

    def _listeners(self) -> list[tuple[str, Any]]:
        return [
            ("before_cursor_execute", self._sent),
            ("begin", self._fresh),
            ("commit", self._fresh),
            ("rollback", self._fresh),
        ]

    def _fresh(self, connection: Connection) -> None:
        self._named[id(connection)] = set()

    @property
    def _copied(self) -> Any:
        def copy(cursor: Any, statement: Any, *arguments: Any, **options: Any) -> Any:
            self._note(str(statement))
            return self._copy(cursor, statement, *arguments, **options)

        return copy

    def _note(self, sql: str) -> Reading:
        reading = self._reader.read(sql)
        if sql not in self.statements:
            self.statements.add(sql)
            self.faults += [f"{fault}\n    {sql}" for fault in reading.faults]
        return reading

    def _sent(
        self, connection: Connection, cursor: object, sql: str, parameters: Any, context: object, many: bool
    ) -> None:
        if connection.dialect.name != "postgresql" or connection.get_execution_options().get("of_the_test"):
            return
        reading = self._note(sql)
        named = self._named.setdefault(id(connection), set())
        for row in parameters if many else [parameters]:
            named.update(str(_value(row, key)) for key in reading.keys)
        if len(named) > 1:
            self.faults.append(f"one transaction names {len(named)} organisations\n    {sql}")


def _value(parameters: Any, key: str) -> Any:
    return parameters[key] if isinstance(parameters, Mapping) else parameters[int(key.removeprefix("_"))]
