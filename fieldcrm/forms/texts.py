"""itext: the translations of a form, with the expressions inside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from lxml import etree

from fieldcrm.forms.expressions import Expression
from fieldcrm.forms.model import Text
from fieldcrm.forms.xml import local

_REFERENCE = re.compile(r"^\s*jr:itext\(\s*['\"](.+)['\"]\s*\)\s*$")
_CODE = re.compile(r"\(([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]+)?\)\s*$")
_MEDIA = ("image", "audio", "video", "big-image")

Compile = Callable[[str, str], Expression]


def language_code(name: str) -> str:
    """``Français (fr)`` is ``fr``; a name without a code stays as it is."""
    found = _CODE.search(name)
    return found.group(1).lower() if found else name


class Itext:
    def __init__(self, model: etree._Element, compile_at: Compile) -> None:
        self._compile = compile_at
        # id -> language -> form ("", "image", "audio"…) -> value
        self._values: dict[str, dict[str, dict[str, etree._Element]]] = {}
        self.languages: tuple[str, ...] = ()
        self.default = ""
        for translation in (t for itext in model if local(itext) == "itext" for t in itext):
            code = language_code(translation.get("lang", ""))
            self.languages += (code,)
            if translation.get("default") or not self.default:
                self.default = code
            for text in translation:
                for value in text:
                    forms = self._values.setdefault(text.get("id", ""), {}).setdefault(code, {})
                    forms.setdefault(value.get("form", ""), value)

    def names(self) -> Iterable[str]:
        return self._values.keys()

    def of_reference(self, reference: str, at: str) -> Text:
        """``jr:itext('…')``, or a text written in place."""
        found = _REFERENCE.match(reference)
        return self.text(found.group(1), at) if found else Text({"": (reference,)})

    def text(self, name: str, at: str) -> Text:
        found = self._values.get(name, {})
        parts = {code: self._parts(forms[""], at) for code, forms in found.items() if "" in forms}
        return Text({code: words for code, words in parts.items() if words})

    def inline(self, element: etree._Element, at: str) -> Text:
        return Text({"": self._parts(element, at)})

    def plain(self, name: str) -> dict[str, str]:
        """Labels of choices per language, words only."""
        found = _REFERENCE.match(name)
        forms = self._values.get(found.group(1) if found else name, {})
        return {code: "".join(map(str, v[""].itertext())).strip() for code, v in forms.items() if "" in v}

    def media(self, reference: str | None) -> dict[str, str]:
        found = _REFERENCE.match(reference or "")
        for forms in self._values.get(found.group(1) if found else "", {}).values():
            found_forms = {form: value for form, value in forms.items() if form in _MEDIA}
            return {form: "".join(map(str, value.itertext())).strip() for form, value in found_forms.items()}
        return {}

    def _parts(self, element: etree._Element, at: str) -> tuple[str | Expression, ...]:
        parts: list[str | Expression] = [element.text or ""]
        for child in element:
            if local(child) == "output":
                parts.append(self._compile(child.get("value") or child.get("ref") or "''", at))
            parts.append(child.tail or "")
        if isinstance(parts[0], str):
            parts[0] = parts[0].lstrip()
        if isinstance(parts[-1], str):
            parts[-1] = parts[-1].rstrip()
        return tuple(part for part in parts if part != "")
