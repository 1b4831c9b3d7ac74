from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcrm.domain.errors import DomainError
from tests.forms.sheets import begun, small


def result_of(calculation: str, *before: str, **answers: str) -> str:
    instance = begun(small(*before, {"type": "calculate", "name": "result", "calculation": calculation}))
    for name, text in answers.items():
        instance.set("/" + name, text)
    return instance.get("/result")


@pytest.mark.parametrize(("calculation", "expected"), [
    ("1 + 2 * 3", "7"),
    ("if(2 > 1, 'yes', 'no')", "yes"),
    ("round(2.675, 2)", "2.68"),
    ("round(2.5)", "3"),
    ("coalesce('', 'b')", "b"),
    ("concat('a', 1, true())", "a1true"),
    ("selected('a b', 'b')", "true"),
    ("selected('ab b2', 'b')", "false"),
    ("count-selected('a b c')", "3"),
    ("selected-at('a b c', 1)", "b"),
    ("regex('0612345678', '0[0-9]{9}')", "true"),
    ("today()", "2026-03-14"),
    ("format-date(today(), '%d/%m/%Y')", "14/03/2026"),
    ("int(7.9) mod 4", "3"),
    ("min(3, 1, 2)", "1"),
    ("pow(2, 10)", "1024"),
    ("join('-', 'a', 'b')", "a-b"),
    ("if(today() > date('2026-03-13'), 'later', 'earlier')", "later"),
    ("decimal-date-time('1970-01-02')", "1"),
    ("ends-with('facing', 'ing')", "true"),
    ("substr('linéaire', 0, 3)", "lin"),
])
def test_a_function_gives_what_openrosa_gives(calculation: str, expected: str) -> None:
    assert result_of(calculation) == expected


def test_dates_are_compared_and_added_as_days() -> None:
    form = small("date seen", {"type": "calculate", "name": "age", "calculation": "int(today() - ${seen})"})
    instance = begun(form)
    instance.set("/seen", "2026-03-01")
    assert instance.get("/age") == "13"


def test_a_date_node_that_is_calculated_from_a_number_of_days_holds_a_date() -> None:
    form = small("date seen", {"type": "date", "name": "again", "label": "again", "calculation": "${seen} + 7"})
    instance = begun(form)
    instance.set("/seen", "2026-02-27")
    assert instance.get("/again") == "2026-03-06"


@pytest.mark.parametrize(("calculation", "reason", "detail"), [
    ("frobnicate(1)", "function", "frobnicate"),
    ("/data/nowhere + 1", "node", "/data/nowhere"),
    ("1 +", "syntax", ""),
    ("$x", "variable", "x"),
    ("if(1, 2)", "arguments", "if"),
    ("(" * 80 + "1" + ")" * 80, "too_deep", ""),
    ("'a' § 'b'", "syntax", " § 'b'"),
])
def test_an_expression_that_cannot_be_evaluated_is_refused_when_the_form_is_loaded(
    calculation: str, reason: str, detail: str
) -> None:
    with pytest.raises(DomainError) as refused:
        small({"type": "calculate", "name": "result", "calculation": calculation})
    assert refused.value.code == "form_expression"
    assert refused.value.params["node"] == "/data/result"
    assert refused.value.params["text"] == calculation
    assert refused.value.params["reason"] == reason
    assert refused.value.params["detail"] == detail


def test_a_sum_over_a_repeat_ignores_what_is_not_a_number() -> None:
    form = small("begin repeat line", "text n", "end repeat",
                 {"type": "calculate", "name": "total", "calculation": "sum(${n})"})
    instance = begun(form)
    for key, text in (("a", "2"), ("b", ""), ("c", "3.5")):
        instance.add_row("/line", key, {"n": text})
    assert instance.get("/total") == "5.5"


def test_a_reference_inside_a_repeat_is_to_the_same_row() -> None:
    form = small("begin repeat line", "integer n", "calculate twice | calculation: /data/line/n * 2", "end repeat")
    instance = begun(form)
    instance.remove_row("/line[1]")
    for key, text in (("a", "2"), ("b", "5")):
        instance.add_row("/line", key, {"n": text})
    assert [instance.get(f"/line[{key}]/twice") for key in "ab"] == ["4", "10"]


def test_position_and_indexed_repeat_find_their_row() -> None:
    form = small(
        "begin repeat line", "text n", "calculate place | calculation: position(..)", "end repeat",
        {"type": "calculate", "name": "second", "calculation": "indexed-repeat(/data/line/n, /data/line, 2)"},
    )
    instance = begun(form)
    instance.remove_row("/line[1]")
    for key in "xyz":
        instance.add_row("/line", key, {"n": key})
    assert instance.get("/line[z]/place") == "3"
    assert instance.get("/second") == "y"


@given(st.text(max_size=60))
def test_any_text_as_an_expression_is_either_compiled_or_refused_with_a_code(text: str) -> None:
    from fieldcrm.forms.expressions import compile_expression
    from fieldcrm.forms.xpath import Schema

    try:
        compile_expression(text, "/data/a", Schema({"/data": "", "/data/a": "text"}, frozenset()))
    except DomainError as refused:
        assert refused.code == "form_expression"


@given(st.integers(-9999, 9999), st.integers(-9999, 9999), st.sampled_from(["<", "<=", "=", "!=", ">", ">="]))
def test_comparisons_agree_with_arithmetic(a: int, b: int, operator: str) -> None:
    python = {"=": "=="}.get(operator, operator)
    assert result_of(f"if({a} {operator} {b}, 'y', 'n')") == ("y" if eval(f"{a} {python} {b}") else "n")
