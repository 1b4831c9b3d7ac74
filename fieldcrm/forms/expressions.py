"""Compiled expressions: checked when the form is loaded, evaluated by libxml2 on the tree of answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from fieldcrm.domain.errors import DomainError
from fieldcrm.forms.functions import (
    OPENROSA,
    Surroundings,
    current_node,
    surroundings,
    to_number,
    to_text,
    to_truth,
)
from fieldcrm.forms.xpath import BadExpression, Schema, translate

_FUNCTIONS = "urn:fieldcrm:functions"
_EXTENSIONS = {(_FUNCTIONS, name.removeprefix("jr:")): function.call for name, function in OPENROSA.items()}


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that may be picked; ``labels`` per language; ``extra`` are the other columns of its row."""

    name: str
    labels: Mapping[str, str]
    extra: Mapping[str, str] = field(default_factory=dict)

    def label(self, language: str) -> str:
        return self.labels.get(language) or self.labels.get("en") or next(iter(self.labels.values()), self.name)


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    source: str
    reads: frozenset[str]
    reads_anything: bool
    compiled: etree.XPath = field(repr=False)

    def evaluate(self, node: etree._Element, around: Surroundings) -> Any:
        """Node list, text, number or truth; raises DomainError ``form_expression`` when the answers break it."""
        outer, here = surroundings.set(around), current_node.set(node)
        try:
            return self.compiled(node)
        except etree.XPathError as error:
            raise DomainError("form_expression", node=node.tag, text=self.source, reason=str(error)) from error
        finally:
            surroundings.reset(outer)
            current_node.reset(here)

    def truth(self, node: etree._Element, around: Surroundings) -> bool:
        return to_truth(self.evaluate(node, around))

    def text(self, node: etree._Element, around: Surroundings) -> str:
        return to_text(self.evaluate(node, around))

    def number(self, node: etree._Element, around: Surroundings) -> float:
        return to_number(self.evaluate(node, around))


def compile_expression(source: str, at: str, schema: Schema) -> Expression:
    """Raises DomainError ``form_expression`` (node, text, reason, detail) when it can never be evaluated."""
    try:
        translated = translate(source, at, schema)
        compiled = etree.XPath(translated.text, namespaces={"f": _FUNCTIONS}, extensions=_EXTENSIONS)
    except BadExpression as error:
        raise DomainError("form_expression", node=at, text=source, reason=error.reason, detail=error.detail) from error
    except etree.XPathError as error:
        raise DomainError("form_expression", node=at, text=source, reason="syntax", detail=str(error)) from error
    return Expression(source, translated.reads, translated.reads_anything, compiled)
