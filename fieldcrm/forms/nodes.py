"""The live nodes of a report: each answer with its element in the tree that expressions read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from fieldcrm.forms.model import Group, Item, Question, Repeat


@dataclass(slots=True, eq=False)
class Node:
    """``raw`` is what was typed; the element holds it only while the node is relevant."""

    item: Item
    element: etree._Element
    parent: Node | None = None
    key: str | None = None  # of a row
    raw: str = ""
    relevant_itself: bool = True
    relevant: bool = True  # with all its groups
    children: list[Node] = field(default_factory=list)

    @property
    def path(self) -> str:
        """The stable path of the answer, below the root: ``/shelf/line[0198…]/facings``."""
        if self.parent is None:
            return ""
        name = self.item.name if self.key is None else f"{self.item.name}[{self.key}]"
        return f"{self.parent.path}/{name}"

    def walk(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            yield from child.walk()

    def child(self, name: str) -> Node | None:
        return next((child for child in self.children if child.item.name == name), None)

    def rows(self, name: str) -> list[Node]:
        return [child for child in self.children if child.item.name == name]

    def ancestor(self, schema_path: str) -> Node | None:
        node: Node | None = self
        while node is not None and node.item.path != schema_path:
            node = node.parent
        return node

    def show(self) -> bool:
        """Bring the element up to date with ``raw`` and relevance; True when what expressions read has changed."""
        text = self.raw if self.relevant else ""
        if (self.element.text or "") == text:
            return False
        self.element.text = text
        return True


def grow(item: Item, parent: Node | None, key: str | None = None, before: int | None = None) -> Node:
    """A node with its descendants, put into the tree; repeats begin without rows."""
    element = etree.Element(item.name)
    node = Node(item, element, parent, key)
    if parent is not None:
        place = len(parent.children) if before is None else before
        parent.children.insert(place, node)
        parent.element.insert(place, element)
        node.relevant = parent.relevant
    if isinstance(item, Group):
        for child in item.children:
            if not isinstance(child, Repeat):
                grow(child, node)
    elif isinstance(item, Question):
        node.raw = item.default
    return node
