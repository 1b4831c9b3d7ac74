"""Reading XML that a stranger may have written: no entities, no network, no depth or size without end."""

from __future__ import annotations

import re

from lxml import etree

from fieldcrm.domain.errors import DomainError

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 40
MAX_ELEMENTS = 60_000
MAX_ATTRIBUTES = 500  # of one element: libxml2 compares each with all before it, minutes for a hundred thousand

_START_TAG = re.compile(rb"""<[^\s<>"'=/!?]+(?:[^<>"'=]*=\s*(?:"[^"]*"|'[^']*'))*""")
_VALUE = re.compile(rb"""=\s*(?:"[^"]*"|'[^']*')""")


def parse_untrusted(data: bytes) -> etree._Element:
    """The root element. DomainError ``form_too_large``, ``form_not_xml``, ``form_doctype`` or ``form_too_deep``."""
    if len(data) > MAX_BYTES:
        raise DomainError("form_too_large", megabytes=MAX_BYTES // 1024 // 1024)
    # Looked for before parsing too, so that libxml2 never reads a hostile declaration in the usual encodings.
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise DomainError("form_doctype")
    plain = data.replace(b"\x00", b"")  # UTF-16 too
    if any(len(_VALUE.findall(tag[0])) > MAX_ATTRIBUTES for tag in _START_TAG.finditer(plain)):
        raise DomainError("form_too_many_questions", limit=MAX_ATTRIBUTES)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
        huge_tree=False, remove_comments=True, remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        if "depth" in str(error).lower():
            raise DomainError("form_too_deep", limit=MAX_DEPTH) from error
        raise DomainError("form_not_xml", detail=str(error)[:200]) from error
    if root is None:
        raise DomainError("form_not_xml", detail="")
    if root.getroottree().docinfo.internalDTD is not None:
        raise DomainError("form_doctype")
    _check_shape(root)
    return root


def _check_shape(root: etree._Element) -> None:
    depth = count = 0
    for event, _element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        count += event == "start"
        if depth > MAX_DEPTH:
            raise DomainError("form_too_deep", limit=MAX_DEPTH)
        if count > MAX_ELEMENTS:
            raise DomainError("form_too_many_questions", limit=MAX_ELEMENTS)


def local(element: etree._Element) -> str:
    return etree.QName(element).localname
