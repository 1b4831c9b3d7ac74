"""A form as read: frozen, shared by every report made with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lxml import etree

from fieldcrm.forms.expressions import Choice, Expression
from fieldcrm.forms.graph import Graph

OWN_NAMESPACE = "urn:fieldcrm:forms"


class DataType(StrEnum):
    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    TIME = "time"
    DATE_TIME = "date_time"
    ONE = "select_one"
    MANY = "select_multiple"
    PHOTO = "photo"  # one hash, or several separated by spaces
    POSITION = "position"


class Control(StrEnum):
    INPUT = "input"
    SELECT = "select"
    UPLOAD = "upload"
    TRIGGER = "trigger"
    NOTE = "note"  # shown, never answered
    HIDDEN = "hidden"  # calculated or seeded, no control in the body
    RANGE = "range"


@dataclass(frozen=True, slots=True)
class Text:
    """A text per language; its parts are words and expressions (``<output value="…"/>``)."""

    parts: Mapping[str, tuple[str | Expression, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(self.parts.values())

    def in_language(self, language: str) -> tuple[str | Expression, ...]:
        found = self.parts.get(language) or self.parts.get("en") or next(iter(self.parts.values()), ())
        return () if found == ("-",) else found


@dataclass(frozen=True, slots=True)
class Bind:
    relevant: Expression | None = None
    required: Expression | None = None
    constraint: Expression | None = None
    constraint_message: Text = Text()
    calculate: Expression | None = None
    readonly: Expression | None = None
    warn: Expression | None = None  # false: accepted, but said
    warn_message: Text = Text()
    own: Mapping[str, str] = field(default_factory=dict)  # attributes of our own namespace

    def expressions(self) -> Iterator[tuple[str, Expression]]:
        for kind in ("relevant", "required", "constraint", "calculate", "readonly", "warn"):
            expression = getattr(self, kind)
            if expression is not None:
                yield kind, expression


@dataclass(frozen=True, slots=True)
class Question:
    path: str
    name: str
    control: Control
    type: DataType
    label: Text
    hint: Text
    bind: Bind
    appearance: str = ""
    choices: tuple[Choice, ...] = ()
    choices_from: Expression | None = None  # a filtered list: gives the choice items that are valid now
    default: str = ""
    initial: Expression | None = None  # worked out once, when the report is begun
    preload: str = ""
    media: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    path: str
    name: str
    label: Text
    bind: Bind
    children: tuple[Item, ...]
    appearance: str = ""


@dataclass(frozen=True, slots=True)
class Repeat(Group):
    count: Expression | None = None


Item = Question | Group


@dataclass(frozen=True, slots=True)
class Form:
    """``root`` is the group that holds everything; ``by_path`` has every question, group and repeat."""

    name: str
    version: str
    title: str
    languages: tuple[str, ...]
    default_language: str
    root: Group
    by_path: Mapping[str, Item]
    graph: Graph
    lists: Mapping[str, etree._Element]  # choice lists and other secondary instances
    texts: Mapping[str, Text]  # itext by id, for jr:itext() in expressions

    @property
    def steps(self) -> tuple[Item, ...]:
        """What the rail shows: the groups of the first level, and loose visible questions between them."""
        return tuple(
            item for item in self.root.children
            if item.name != "meta" and not (isinstance(item, Question) and item.control is Control.HIDDEN)
        )

    def questions(self) -> Iterator[Question]:
        return (item for item in self.by_path.values() if isinstance(item, Question))

    def repeats(self) -> Iterator[Repeat]:
        return (item for item in self.by_path.values() if isinstance(item, Repeat))

    def question(self, path: str) -> Question:
        item = self.by_path[path]
        if not isinstance(item, Question):
            raise KeyError(path)
        return item
