"""The answers of one report, kept consistent: an answer re-evaluates what depends on it and nothing else."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from itertools import count
from typing import Any

from lxml import etree

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.submission import ROW_KEY
from fieldcrm.forms.expressions import Choice, Expression
from fieldcrm.forms.functions import Surroundings, date_text, to_text
from fieldcrm.forms.graph import Target
from fieldcrm.forms.model import Control, DataType, Form, Group, Question, Repeat, Text
from fieldcrm.forms.nodes import Node, grow
from fieldcrm.forms.problems import Problem, Severity
from fieldcrm.forms.values import clean, from_json, to_json, type_problem

MAX_ROWS = 2_000

_Paths = set[str]  # Instance.set hides the name of the type in its class
_Waiting = tuple[int, int, Target, Node]


class Instance:
    """Answers by stable path (``/shelf/line[KEY]/facings``), as text; empty text is "not answered".

    ``now`` and ``zone`` are what ``today()`` and ``now()`` say; ``language`` is that of labels in expressions.
    """

    def __init__(
        self,
        form: Form,
        *,
        now: datetime,
        zone: tzinfo,
        language: str = "en",
        document: Mapping[str, Any] | None = None,
    ) -> None:
        self.form = form
        self.language = language
        self._around = Surroundings(now, zone, form.lists, self._choice_label, self._itext)
        self._root = grow(form.root, None)
        self._tree = etree.ElementTree(self._root.element)
        self._nodes: dict[str, Node] = {}
        self._of_item: dict[str, list[Node]] = {}
        self._order = count()
        self._index(self._root)
        if document is None:
            self._begin()
        else:
            self._fill(self._root, document)
        self._work_out_all()

    # reading

    def get(self, path: str) -> str:
        """The answer as text, whether relevant now or not."""
        return self._node(path).raw

    def value(self, path: str) -> str:
        """The answer as expressions see it: empty when the question is not relevant."""
        return self._node(path).element.text or ""

    def has(self, path: str) -> bool:
        return path in self._nodes

    def question(self, path: str) -> Question:
        item = self._node(path).item
        if not isinstance(item, Question):
            raise KeyError(path)
        return item

    def relevant(self, path: str) -> bool:
        return self._node(path).relevant

    def required(self, path: str) -> bool:
        node = self._node(path)
        return node.relevant and self._truth(node, node.item.bind.required, False)

    def readonly(self, path: str) -> bool:
        node = self._node(path)
        return node.item.bind.calculate is not None or self._truth(node, node.item.bind.readonly, False)

    def choices(self, path: str) -> tuple[Choice, ...]:
        """The choices valid now."""
        node = self._node(path)
        question = self.question(path)
        if question.choices_from is None:
            return question.choices
        items = question.choices_from.evaluate(node.element, self._around)
        names = {to_text(item.find("name")) for item in items if item.find("name") is not None}
        return tuple(choice for choice in question.choices if choice.name in names)

    def say(self, path: str, text: Text) -> str:
        """A label, hint or message in the language of the report, its ``<output>`` worked out."""
        node = self._node(path)
        parts = text.in_language(self.language)
        return "".join(p if isinstance(p, str) else p.text(node.element, self._around) for p in parts)

    def label(self, path: str) -> str:
        item = self._node(path).item
        return self.say(path, item.label) or item.name.replace("_", " ").capitalize()

    def hint(self, path: str) -> str:
        return self.say(path, self.question(path).hint)

    def rows(self, path: str) -> list[str]:
        """The paths of the rows of a repeat, in order; ``path`` is the repeat's, without a key."""
        parent, name = path.rsplit("/", 1)
        return [row.path for row in self._node(parent).rows(name)]

    def children(self, path: str) -> list[str]:
        """Paths of the direct children that are shown: questions, groups, and repeats (once, without a key)."""
        node = self._node(path)
        group = node.item
        if not isinstance(group, Group):
            return []
        return [
            f"{path}/{child.name}" for child in group.children
            if child.name != "meta" and not (isinstance(child, Question) and child.control is Control.HIDDEN)
        ]

    def item(self, path: str) -> Any:
        """The form's item at a path, row keys or not."""
        return self.form.by_path[self._schema(path)]

    # writing

    def set(self, path: str, text: str) -> _Paths:
        """Answer a question; returns the paths whose value, relevance or rules may have changed."""
        node = self._node(path)
        node.raw = clean(text)
        touched = {path}
        if node.show():
            touched |= self._spread([node])
        return touched

    def add_row(self, path: str, key: str, values: Mapping[str, str] | None = None) -> str:
        """A new last row of a repeat, named ``key`` for ever.

        DomainError ``form_too_many_rows`` or ``form_row_key``.
        """
        row = self._new_row(path, key)
        for name, text in (values or {}).items():
            child = row.child(name)
            if child is not None:
                child.raw = clean(text)
        self._settle(row)
        return row.path

    def remove_row(self, path: str) -> None:
        row = self._node(path)
        if row.key is None or row.parent is None:
            raise KeyError(path)
        for node in row.walk():
            del self._nodes[node.path]
            self._of_item[node.item.path].remove(node)
        parent = row.parent
        parent.children.remove(row)
        parent.element.remove(row.element)
        self._spread_from_items({row.item.path, *(n.item.path for n in row.walk())}, parent)

    # checking

    def problems(self, under: str = "") -> list[Problem]:
        """What is wrong with the relevant answers below ``under``, in the order of the form."""
        found: list[Problem] = []
        for node in self._node(under).walk():
            if node.relevant and isinstance(node.item, Question):
                found += self._problems_of(node, node.item)
        return found

    def problem(self, path: str) -> Problem | None:
        """The first problem of one answer."""
        node = self._node(path)
        if not node.relevant or not isinstance(node.item, Question):
            return None
        return next(iter(self._problems_of(node, node.item)), None)

    def _problems_of(self, node: Node, question: Question) -> Iterator[Problem]:
        text, bind, path = node.raw, question.bind, node.path
        if not text:
            if self._truth(node, bind.required, False):
                yield Problem(path, "required")
            return
        code = type_problem(question, text)
        if code is None and question.choices and question.type in (DataType.ONE, DataType.MANY):
            names = {choice.name for choice in self.choices(path)}
            picked = text.split() if question.type is DataType.MANY else [text]
            code = None if all(word in names for word in picked) else "not_a_choice"
        if code is not None:
            yield Problem(path, code)
        elif not self._truth(node, bind.constraint, True):
            yield Problem(path, "constraint", self.say(path, bind.constraint_message))
        elif not self._truth(node, bind.warn, True):
            yield Problem(path, "warn", self.say(path, bind.warn_message), Severity.WARNING)

    # the document

    def document(self, *, final: bool = False) -> dict[str, Any]:
        """Answers as JSON. ``final`` leaves out what is not relevant and rows in which nothing was answered."""
        return self._document(self._root, final)

    def _document(self, node: Node, final: bool) -> dict[str, Any]:
        document: dict[str, Any] = {} if node.key is None else {ROW_KEY: node.key}
        for child in node.children:
            if final and not child.relevant:
                continue
            name = child.item.name
            if isinstance(child.item, Question):
                if child.raw and child.item.control is not Control.NOTE:
                    document[name] = to_json(child.item, child.raw)
            elif child.key is not None:
                if not final or self.answered(child.path):
                    document.setdefault(name, []).append(self._document(child, final))
            else:
                inner = self._document(child, final)
                if inner:
                    document[name] = inner
        return document

    def answered(self, path: str) -> bool:
        """Whether a person has answered anything below ``path``; seeded and calculated values do not count."""
        return any(
            node.raw and node.relevant and isinstance(node.item, Question) and node.item.control is not Control.HIDDEN
            and node.item.bind.calculate is None and node.raw != node.item.default
            for node in self._node(path).walk()
        )

    # inside

    def _node(self, path: str) -> Node:
        return self._nodes[path]

    def _schema(self, path: str) -> str:
        return self.form.root.path + "".join("/" + step.partition("[")[0] for step in path.split("/")[1:])

    def _truth(self, node: Node, expression: Expression | None, otherwise: bool) -> bool:
        return otherwise if expression is None else expression.truth(node.element, self._around)

    def _index(self, top: Node) -> None:
        for node in top.walk():
            self._nodes[node.path] = node
            self._of_item.setdefault(node.item.path, []).append(node)

    def _new_row(self, path: str, key: str) -> Node:
        repeat = self.form.by_path.get(self._schema(path))
        parent = self._nodes.get(path.rpartition("/")[0])
        if not isinstance(repeat, Repeat) or parent is None:
            raise KeyError(path)
        if not key or any(c in key for c in "[]/"):
            raise DomainError("form_row_key", key=key)
        rows = parent.rows(repeat.name)
        if len(rows) >= MAX_ROWS:
            raise DomainError("form_too_many_rows", limit=MAX_ROWS)
        if any(row.key == key for row in rows):
            raise DomainError("form_row_key", key=key)
        row = grow(repeat, parent, key, before=self._place(parent, repeat, rows))
        self._index(row)
        return row

    def _place(self, parent: Node, repeat: Repeat, rows: list[Node]) -> int:
        if rows:
            return parent.children.index(rows[-1]) + 1
        group = parent.item
        assert isinstance(group, Group)
        later = {child.name for child in group.children[group.children.index(repeat) + 1:]}
        return next((i for i, child in enumerate(parent.children) if child.item.name in later), len(parent.children))

    def _begin(self) -> None:
        for node in list(self._nodes.values()):
            self._start(node)
        for repeat in self.form.repeats():
            parent = self._nodes.get(repeat.path.rpartition("/")[0].removeprefix(self.form.root.path))
            if parent is not None and "rows" not in repeat.bind.own and repeat.count is None:
                self._new_row(f"{parent.path}/{repeat.name}", "1")

    def _start(self, node: Node) -> None:
        item = node.item
        if not isinstance(item, Question):
            return
        around = self._around
        if item.initial is not None:
            node.raw = item.initial.text(node.element, around)
        elif item.preload.startswith(("date:", "timestamp:")):
            local_now = around.now.astimezone(around.zone)
            node.raw = local_now.date().isoformat() if item.preload.startswith("date:") else local_now.isoformat()

    def _fill(self, node: Node, document: Mapping[str, Any]) -> None:
        group = node.item
        assert isinstance(group, Group)
        for child in group.children:
            value = document.get(child.name)
            if isinstance(child, Repeat):
                for place, row in enumerate(value if isinstance(value, list) else (), 1):
                    if isinstance(row, Mapping):
                        key = str(row.get(ROW_KEY) or place)
                        self._fill(self._new_row(f"{node.path}/{child.name}", key), row)
                continue
            found = node.child(child.name)
            if isinstance(child, Question) and found is not None:
                found.raw = from_json(value)
            elif found is not None and isinstance(value, Mapping):
                self._fill(found, value)

    def _settle(self, top: Node) -> None:
        """Bring a new row up to date, then everything that looks at it."""
        for node in top.walk():
            if not node.raw:
                self._start(node)
            node.show()
        self._work_out(list(top.walk()))
        self._spread_from_items({node.item.path for node in top.walk()}, top)

    def _work_out_all(self) -> None:
        for node in self._nodes.values():
            node.show()
        self._work_out(list(self._nodes.values()))
        self._grow_counted()

    def _work_out(self, nodes: list[Node]) -> None:
        """Evaluate relevance and calculations of ``nodes`` once, in an order in which each finds what it reads."""
        rank = self.form.graph.rank
        for node in sorted(nodes, key=lambda n: rank.get(n.item.path, -1)):
            bind = node.item.bind
            if bind.relevant is not None:
                self._relevance(node)
            if bind.calculate is not None and isinstance(node.item, Question):
                self._calculate(node, node.item)

    def _grow_counted(self) -> None:
        for repeat in self.form.repeats():
            for parent in list(self._of_item.get(repeat.path.rpartition("/")[0], ())) if repeat.count else ():
                self._count_rows(parent, repeat)

    def _count_rows(self, parent: Node, repeat: Repeat) -> None:
        assert repeat.count is not None
        wanted = repeat.count.number(parent.element, self._around)
        if wanted > MAX_ROWS:
            raise DomainError("form_too_many_rows", limit=MAX_ROWS)
        rows = parent.rows(repeat.name)
        for number in range(len(rows), int(wanted) if wanted == wanted else 0):
            row = self._new_row(f"{parent.path}/{repeat.name}", str(number + 1))
            self._settle(row)

    def _relevance(self, node: Node) -> list[Node]:
        """Returns the questions whose visible value changed with it."""
        node.relevant_itself = self._truth(node, node.item.bind.relevant, True)
        return self._inherit(node, node.parent.relevant if node.parent else True)

    def _inherit(self, node: Node, outer: bool) -> list[Node]:
        relevant = outer and node.relevant_itself
        changed = [node] if not isinstance(node.item, Group) and node.relevant != relevant else []
        node.relevant = relevant
        if isinstance(node.item, Question):
            node.show()
        for child in node.children:
            changed += self._inherit(child, relevant)
        return changed

    def _calculate(self, node: Node, question: Question) -> bool:
        assert question.bind.calculate is not None
        value = question.bind.calculate.evaluate(node.element, self._around)
        if question.type is DataType.DATE and isinstance(value, float):
            value = date_text(value)
        node.raw = clean(to_text(value))
        return node.show()

    def _spread_from_items(self, items: _Paths, near: Node) -> _Paths:
        queue: list[_Waiting] = []
        for path in items:
            self._enqueue(queue, path, near)
        return self._drain(queue)

    def _spread(self, changed: list[Node]) -> _Paths:
        queue: list[_Waiting] = []
        for node in changed:
            self._enqueue(queue, node.item.path, node)
        return self._drain(queue)

    def _enqueue(self, queue: list[_Waiting], path: str, near: Node) -> None:
        rank = self.form.graph.rank
        for target in self.form.graph.of(path):
            for node in self._instances(target, near):
                heapq.heappush(queue, (rank.get(target.path, -1), next(self._order), target, node))

    def _instances(self, target: Target, near: Node) -> list[Node]:
        """The nodes of a target that can see ``near``: its own row only, when both stand in one."""
        if target.kind == "count":
            return self._of_item.get(target.path.rpartition("/")[0], [])
        found = self._of_item.get(target.path, [])
        node: Node | None = near
        while node is not None:
            if node.key is not None and target.path.startswith(node.item.path + "/") and node.path in self._nodes:
                return [n for n in found if n.ancestor(node.item.path) is node]
            node = node.parent
        return found

    def _drain(self, queue: list[_Waiting]) -> _Paths:
        touched: _Paths = _Paths()
        done: dict[tuple[int, Target], bool] = {}
        while queue:
            _rank, _place, target, node = heapq.heappop(queue)
            if (id(node), target) in done:
                continue
            done[id(node), target] = True
            touched.add(node.path)
            for other in self._look_again(target, node):
                touched.add(other.path)
                self._enqueue(queue, other.item.path, other)
        return touched

    def _look_again(self, target: Target, node: Node) -> list[Node]:
        """Evaluate one dependent expression; returns the answers that changed by it."""
        if target.kind == "relevant":
            return self._relevance(node)
        if target.kind == "calculate" and isinstance(node.item, Question):
            return [node] if self._calculate(node, node.item) else []
        repeat = self.form.by_path[target.path]
        if target.kind == "count" and isinstance(repeat, Repeat):
            self._count_rows(node, repeat)
        return []

    def _choice_label(self, path: str, name: str) -> str:
        item = self.form.by_path.get(path)
        choices = item.choices if isinstance(item, Question) else ()
        return next((c.label(self.language) for c in choices if c.name == name), "")

    def _itext(self, name: str) -> str:
        text = self.form.texts.get(name)
        return "" if text is None else "".join(p for p in text.in_language(self.language) if isinstance(p, str))


