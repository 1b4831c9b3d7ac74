"""XForm XML to a frozen ``Form``: all of it is read and checked here, so that a bad form never meets an outlet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from fieldcrm.domain.errors import DomainError
from fieldcrm.forms.expressions import Choice, Expression, compile_expression
from fieldcrm.forms.graph import build_graph
from fieldcrm.forms.model import (
    OWN_NAMESPACE,
    Bind,
    Control,
    DataType,
    Form,
    Group,
    Item,
    Question,
    Repeat,
    Text,
)
from fieldcrm.forms.texts import Itext
from fieldcrm.forms.xml import local, parse_untrusted
from fieldcrm.forms.xpath import Schema

MAX_QUESTIONS = 3_000
_JR = "{http://openrosa.org/javarosa}"
_TYPES = {
    "int": DataType.INTEGER, "integer": DataType.INTEGER, "decimal": DataType.DECIMAL, "date": DataType.DATE,
    "time": DataType.TIME, "dateTime": DataType.DATE_TIME, "binary": DataType.PHOTO, "geopoint": DataType.POSITION,
}
_CONTROLS = {
    "input": Control.INPUT, "select1": Control.SELECT, "select": Control.SELECT, "upload": Control.UPLOAD,
    "trigger": Control.TRIGGER, "range": Control.RANGE,
}
_NOT_SUPPORTED = frozenset({"rank", "odk:rank", "secret"})


def load_form(data: bytes) -> Form:
    """Raises DomainError with a ``form_…`` code, in which ``node`` and ``text`` say where, when it cannot be used."""
    return _Loader(parse_untrusted(data)).form()


class _Loader:
    def __init__(self, html: etree._Element) -> None:
        models = [e for e in html.iter() if local(e) == "model"]
        bodies = [e for e in html if local(e) == "body"]
        if local(html) != "html" or not models or not bodies:
            raise DomainError("form_not_xform")
        self.html, self.model, self.body = html, models[0], bodies[0]
        self.primary, self.lists = self._instances()
        self.itext = Itext(self.model, self._expression)
        self.binds = {self._path(e.get("nodeset", "")): e for e in self.model if local(e) == "bind"}
        self.controls: dict[str, etree._Element] = {}
        self.groups: dict[str, etree._Element] = {}
        self.repeats: dict[str, etree._Element] = {}
        self._read_body(self.body)
        self.setvalues = self._read_setvalues()
        self.schema = Schema(self._types(), frozenset(self.repeats))
        self.by_path: dict[str, Item] = {}
        for path in (*self.binds, *self.controls, *self.repeats):
            if path not in self.schema:
                raise DomainError("form_unknown_node", node=path)

    def form(self) -> Form:
        root_path = "/" + local(self.primary)
        root = self._group(self.primary, root_path)
        titles = [e.text or "" for e in self.html.iter() if local(e) == "title"]
        graph = build_graph(self._all_expressions(), self._descendants())
        return Form(
            name=self.primary.get("id") or local(self.primary),
            version=self.primary.get("version") or "",
            title=titles[0] if titles else "",
            languages=self.itext.languages,
            default_language=self.itext.default,
            root=root,
            by_path=self.by_path,
            graph=graph,
            lists=self.lists,
            texts={name: self.itext.text(name, root_path) for name in self.itext.names()},
        )

    # head

    def _instances(self) -> tuple[etree._Element, dict[str, etree._Element]]:
        found = [e for e in self.model if local(e) == "instance"]
        if not found or len(found[0]) != 1:
            raise DomainError("form_not_xform")
        lists: dict[str, etree._Element] = {}
        for element in found[1:]:
            name = element.get("id", "")
            if element.get("src"):
                raise DomainError("form_external_list", name=name)
            holder = etree.Element("instance")
            for child in element:
                holder.append(_plain(child))
            lists[name] = holder
        return found[0][0], lists

    def _read_setvalues(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for element in self.model:
            if local(element) == "setvalue":
                found[self._path(element.get("ref", ""))] = element.get("value") or repr(element.text or "")
        return found

    def _types(self) -> dict[str, str]:
        types: dict[str, str] = {}
        for element, path in self._walk(self.primary, "/" + local(self.primary)):
            types[path] = "" if len(element) else self._type(path).value
        if len(types) > MAX_QUESTIONS:
            raise DomainError("form_too_many_questions", limit=MAX_QUESTIONS)
        return types

    def _walk(self, element: etree._Element, path: str) -> Iterator[tuple[etree._Element, str]]:
        yield element, path
        for child in element:
            yield from self._walk(child, f"{path}/{local(child)}")

    def _type(self, path: str) -> DataType:
        control = self.controls.get(path)
        if control is not None and local(control) in ("select", "select1"):
            return DataType.MANY if local(control) == "select" else DataType.ONE
        bind = self.binds.get(path)
        declared = (bind.get("type") or "").rpartition(":")[2] if bind is not None else ""
        return _TYPES.get(declared, DataType.TEXT)

    # body

    def _read_body(self, parent: etree._Element) -> None:
        for element in parent:
            kind = local(element)
            path = self._path(element.get("ref") or element.get("nodeset") or element.get("bind") or "")
            if kind == "group":
                if path:
                    self.groups[path] = element
                self._read_body(element)
            elif kind == "repeat":
                self.repeats[path] = element
                self._read_body(element)
            elif kind in _CONTROLS:
                if any(local(child) == "setvalue" for child in element):
                    raise DomainError("form_not_supported", what="trigger", node=path)
                self.controls[path] = element
            elif kind in _NOT_SUPPORTED:
                raise DomainError("form_not_supported", what=kind, node=path)

    def _path(self, text: str) -> str:
        text = re.sub(r"\s+|\[[^\[\]]*\]", "", text)
        return "/" + "/".join(step.rpartition(":")[2] for step in text.split("/") if step) if text else ""

    # items

    def _group(self, element: etree._Element, path: str) -> Group:
        children: dict[str, Item] = {}
        for child in element:
            name = local(child)
            place = f"{path}/{name}"
            if name in children:
                continue  # the template of a repeat and its first row
            children[name] = self._group(child, place) if len(child) else self._question(child, place)
        body = self.groups.get(path)
        label = self._label(body, "label", path)
        appearance = (body.get("appearance") or "") if body is not None else ""
        group: Group
        repeat = self.repeats.get(path)
        if repeat is not None:
            count = repeat.get(_JR + "count")
            group = Repeat(
                path, local(element), label, self._bind(path), tuple(children.values()),
                repeat.get("appearance") or appearance,
                count=self._expression(count, path) if count else None,
            )
        else:
            group = Group(path, local(element), label, self._bind(path), tuple(children.values()), appearance)
        self.by_path[path] = group
        return group

    def _question(self, element: etree._Element, path: str) -> Question:
        control = self.controls.get(path)
        bind = self._bind(path)
        attributes = self.binds.get(path)
        kind = self._control(control, bind)
        choices, choices_from = self._choices(control, path)
        initial = self.setvalues.get(path)
        question = Question(
            path=path, name=local(element), control=kind, type=self._type(path),
            label=self._label(control, "label", path), hint=self._label(control, "hint", path), bind=bind,
            appearance=(control.get("appearance") or "") if control is not None else "",
            choices=choices, choices_from=choices_from, default=(element.text or "").strip(),
            initial=self._expression(initial, path) if initial else None,
            preload=self._preload(attributes), media=self.itext.media(self._text_id(control, "label")),
        )
        self.by_path[path] = question
        return question

    def _preload(self, bind: etree._Element | None) -> str:
        if bind is None or not bind.get(_JR + "preload"):
            return ""
        return f"{bind.get(_JR + 'preload')}:{bind.get(_JR + 'preloadParams') or ''}"

    def _control(self, control: etree._Element | None, bind: Bind) -> Control:
        if control is None:
            return Control.HIDDEN
        kind = _CONTROLS[local(control)]
        fixed = bind.readonly is not None and bind.readonly.source.strip() == "true()"
        return Control.NOTE if kind is Control.INPUT and fixed and bind.calculate is None and not bind.own else kind

    def _bind(self, path: str) -> Bind:
        element = self.binds.get(path)
        if element is None:
            return Bind()
        attributes = {str(name): str(value) for name, value in element.attrib.items()}
        marked = f"{{{OWN_NAMESPACE}}}"
        own = {name.removeprefix(marked): value for name, value in attributes.items() if name.startswith(marked)}
        warn = own.pop("warn", None)
        warned: dict[str, tuple[str | Expression, ...]] = {
            key.rpartition("-")[2]: (own.pop(key),) for key in list(own) if key.startswith("warn-message-")
        }
        message = element.get(_JR + "constraintMsg")
        return Bind(
            relevant=self._optional(element.get("relevant"), path, "true()"),
            required=self._optional(element.get("required"), path, "false()"),
            constraint=self._optional(element.get("constraint"), path, "true()"),
            constraint_message=self.itext.of_reference(message, path) if message else Text(),
            calculate=self._optional(element.get("calculate"), path, ""),
            readonly=self._optional(element.get("readonly"), path, "false()"),
            warn=self._optional(warn, path, "true()"), warn_message=Text(warned), own=own,
        )

    def _optional(self, source: str | None, path: str, nothing: str) -> Expression | None:
        if source is None or source.strip() in ("", nothing):
            return None
        return self._expression(source, path)

    def _expression(self, source: str, path: str) -> Expression:
        return compile_expression(source, path, self.schema)

    # texts and choices

    def _text_id(self, parent: etree._Element | None, kind: str) -> str | None:
        child = _child(parent, kind)
        return child.get("ref") if child is not None else None

    def _label(self, parent: etree._Element | None, kind: str, path: str) -> Text:
        child = _child(parent, kind)
        if child is None:
            return Text()
        reference = child.get("ref")
        return self.itext.of_reference(reference, path) if reference else self.itext.inline(child, path)

    def _choices(self, control: etree._Element | None, path: str) -> tuple[tuple[Choice, ...], Expression | None]:
        if control is None or local(control) not in ("select", "select1"):
            return (), None
        inline = tuple(self._inline_choice(item) for item in control if local(item) == "item")
        itemset = _child(control, "itemset")
        if itemset is None:
            return inline, None
        nodeset = itemset.get("nodeset", "")
        named = re.search(r"instance\(\s*['\"]([^'\"]+)['\"]\s*\)", nodeset)
        if named is None or named.group(1) not in self.lists:
            raise DomainError("form_expression", node=path, text=nodeset, reason="list", detail="")
        choices = tuple(self._listed_choice(item) for item in self.lists[named.group(1)].iter("item"))
        return choices, self._expression(nodeset, path) if "[" in nodeset else None

    def _inline_choice(self, item: etree._Element) -> Choice:
        label, value = _child(item, "label"), _child(item, "value")
        reference = label.get("ref") if label is not None else None
        labels: dict[str, str] = {}
        if reference:
            labels = self.itext.plain(reference)
        elif label is not None:
            labels = {"": "".join(map(str, label.itertext())).strip()}
        return Choice((value.text or "").strip() if value is not None else "", labels)

    def _listed_choice(self, item: etree._Element) -> Choice:
        values: dict[str, str] = {child.tag: (child.text or "").strip() for child in item}
        labels = self.itext.plain(values["itextId"]) if "itextId" in values else {"": values.get("label", "")}
        extra = {name: text for name, text in values.items() if name not in ("name", "label", "itextId")}
        return Choice(values.get("name", ""), labels, extra)

    # graph

    def _all_expressions(self) -> Iterator[tuple[str, str, Expression]]:
        for path, item in self.by_path.items():
            for kind, expression in item.bind.expressions():
                yield path, kind, expression
            if isinstance(item, Repeat) and item.count is not None:
                yield path, "count", item.count

    def _descendants(self) -> dict[str, tuple[str, ...]]:
        leaves = [p for p, item in self.by_path.items() if isinstance(item, Question)]
        return {
            path: tuple(leaf for leaf in leaves if leaf.startswith(path + "/"))
            for path, item in self.by_path.items() if isinstance(item, Group)
        }


def _child(parent: etree._Element | None, kind: str) -> etree._Element | None:
    if parent is None:
        return None
    return next((child for child in parent if local(child) == kind), None)


def _plain(element: etree._Element) -> Any:
    """A copy without namespaces, as expressions name the nodes."""
    copy = etree.Element(local(element))
    copy.text = element.text
    for child in element:
        copy.append(_plain(child))
    return copy
