from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcrm.domain.errors import DomainError
from fieldcrm.forms import load_form
from fieldcrm.forms.builtin import builtin_xform
from fieldcrm.forms.compile import compile_xlsform
from tests.forms.sheets import compiled

LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">""" + b"".join(
    f'<!ENTITY {chr(98 + i)} "{"&" + chr(97 + i) + ";"}{("&" + chr(97 + i) + ";") * 9}">'.encode() for i in range(9)
) + b"]><html><head>&j;</head></html>"
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><html>&e;</html>'


def refused(data: bytes) -> str:
    begun = time.process_time()  # of this process: a busy computer changes nothing
    with pytest.raises(DomainError) as error:
        load_form(data)
    assert time.process_time() - begun < 10  # without the limits it is minutes
    return error.value.code


def test_a_billion_laughs_is_refused_at_once() -> None:
    assert refused(LAUGHS) == "form_doctype"


def test_the_same_in_utf_16_is_refused_too() -> None:
    assert refused(LAUGHS.decode().replace('"1.0"', '"1.0" encoding="UTF-16"').encode("utf-16")) in (
        "form_doctype", "form_not_xml")


def test_a_form_that_asks_for_a_file_of_the_machine_is_refused() -> None:
    assert refused(OUTSIDE) == "form_doctype"


@pytest.mark.parametrize("depth", [60, 100_000])
def test_a_form_nested_without_end_is_refused(depth: int) -> None:
    assert refused(b"<html>" + b"<g>" * depth + b"</g>" * depth + b"</html>") == "form_too_deep"


def test_a_form_of_a_million_questions_is_refused() -> None:
    assert refused(b"<html>" + b"<a/>" * 900_000 + b"</html>") == "form_too_many_questions"


def test_a_form_of_many_megabytes_is_refused() -> None:
    assert refused(b"<html>" + b" " * 5_000_000 + b"</html>") == "form_too_large"


@pytest.mark.parametrize("data", [
    b"", b"not xml", b"<a>", b"\x00\x01", b"<html/>", b"<html xmlns='x'><head/><body/></html>",
])
def test_what_is_not_a_form_is_refused(data: bytes) -> None:
    assert refused(data) in ("form_not_xml", "form_not_xform")


def test_a_list_in_another_file_is_refused_because_it_is_not_there() -> None:
    data = compiled([{"type": "select_one_from_file towns.csv", "name": "town", "label": "Town"}])
    assert refused(data) == "form_external_list"


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 nonsense", b"a,b,c"])
def test_what_is_not_a_workbook_is_refused(data: bytes) -> None:
    with pytest.raises(DomainError) as error:
        compile_xlsform(data)
    assert error.value.code == "form_not_workbook"


BUILTIN = builtin_xform().encode()


@given(st.integers(0, len(BUILTIN) - 1), st.binary(max_size=12), st.integers(0, 40))
def test_a_damaged_form_loads_or_is_refused_with_a_code(place: int, noise: bytes, removed: int) -> None:
    try:
        load_form(BUILTIN[:place] + noise + BUILTIN[place + removed:])
    except DomainError as error:
        assert error.code.startswith("form_")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("value", ['"1"', '">"', "'1'"])
def test_an_element_of_countless_attributes_is_refused_at_once(encoding: str, value: str) -> None:
    many = " ".join(f"a{number}={value}" for number in range(100_000))
    assert refused(f"<html><bind {many}/></html>".encode(encoding)) == "form_too_many_questions"  # or in minutes


def test_a_path_of_brackets_is_read_in_one_go() -> None:
    form = f"""<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head><model>
        <instance><data id="x"><a/></data></instance><bind nodeset="/data/a{"[" * 200_000}"/></model></h:head>
        <h:body><input ref="/data/a"/></h:body></h:html>"""
    assert refused(form.encode()) == "form_unknown_node"  # after two minutes, when each bracket looked for its end
