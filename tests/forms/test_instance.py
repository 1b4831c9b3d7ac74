from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fieldcrm.domain.errors import DomainError
from fieldcrm.forms import Instance
from fieldcrm.forms.problems import Severity
from tests.forms.sheets import NOW, begun, small

YES_NO = [{"list_name": "yn", "name": n, "label": n} for n in ("yes", "no")]


def test_an_answer_that_is_no_longer_relevant_is_empty_to_expressions_but_kept_for_the_person() -> None:
    form = small("select_one yn promo", "text what | relevant: ${promo} = 'yes'",
                 {"type": "calculate", "name": "seen", "calculation": "string-length(${what})"}, choices=YES_NO)
    instance = begun(form)
    instance.set("/promo", "yes")
    instance.set("/what", "3 for 2")
    assert instance.get("/seen") == "7"
    instance.set("/promo", "no")
    assert not instance.relevant("/what")
    assert instance.get("/seen") == "0"
    assert "what" not in instance.document(final=True)
    instance.set("/promo", "yes")
    assert instance.value("/what") == "3 for 2"


def test_relevance_of_a_group_reaches_everything_in_it() -> None:
    form = small("select_one yn promo", "begin group g | relevant: ${promo} = 'yes'", "text a | required: yes",
                 "end group", choices=YES_NO)
    instance = begun(form)
    assert instance.problems() == []
    touched = instance.set("/promo", "yes")
    assert "/g/a" in touched
    assert [(p.path, p.code) for p in instance.problems()] == [("/g/a", "required")]


def test_an_answer_re_evaluates_only_what_depends_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    form = small("begin repeat line", "integer n", "calculate twice | calculation: ${n} * 2", "end repeat",
                 "integer other", {"type": "calculate", "name": "o", "calculation": "${other} + 1"})
    instance = begun(form)
    for number in range(50):
        instance.add_row("/line", f"k{number}", {"n": str(number)})
    evaluated: list[str] = []
    real = Instance._calculate

    def counted(self: Instance, node, question):  # type: ignore[no-untyped-def]
        evaluated.append(node.path)
        return real(self, node, question)

    monkeypatch.setattr(Instance, "_calculate", counted)
    instance.set("/line[k7]/n", "70")
    assert evaluated == ["/line[k7]/twice"]
    assert instance.get("/line[k7]/twice") == "140"


def test_calculations_that_go_round_in_a_circle_are_refused() -> None:
    with pytest.raises(DomainError) as refused:
        small({"type": "calculate", "name": "a", "calculation": "${b} + 1"},
              {"type": "calculate", "name": "b", "calculation": "${a} + 1"})
    assert refused.value.code == "form_cycle"


def test_a_chain_of_calculations_is_up_to_date_whatever_the_order_of_the_sheet() -> None:
    form = small({"type": "calculate", "name": "c", "calculation": "${b} + 1"},
                 {"type": "calculate", "name": "b", "calculation": "${a} + 1"}, "integer a")
    instance = begun(form)
    instance.set("/a", "1")
    assert instance.get("/c") == "3"


def test_problems_say_where_what_and_in_the_words_of_the_form() -> None:
    form = small("integer n | constraint: . < 10 | constraint_message: Too many.", "date d", "decimal x",
                 "select_one yn s", choices=YES_NO)
    instance = begun(form)
    for path, text in (("/n", "12"), ("/d", "31/12"), ("/x", "1e999999"), ("/s", "maybe")):
        instance.set(path, text)
    assert [(p.path, p.code, p.message) for p in instance.problems()] == [
        ("/n", "constraint", "Too many."), ("/d", "not_date", ""), ("/x", "not_decimal", ""),
        ("/s", "not_a_choice", ""),
    ]


def test_a_warning_does_not_stop_a_report() -> None:
    form = small("decimal price | bind::fieldcrm:warn: . < 5 | bind::fieldcrm:warn-message-en: Dear.")
    instance = begun(form)
    instance.set("/price", "9.90")
    problem = instance.problem("/price")
    assert problem is not None
    assert (problem.code, problem.message, problem.severity) == ("warn", "Dear.", Severity.WARNING)


def test_choices_are_filtered_by_earlier_answers() -> None:
    form = small("text region", "select_one city town | choice_filter: region=${region}",
                 choices=[{"list_name": "city", "name": n, "label": n, "region": r} for n, r in
                          (("lille", "north"), ("nice", "south"))])
    instance = begun(form)
    instance.set("/region", "north")
    assert [c.name for c in instance.choices("/town")] == ["lille"]


def test_labels_carry_the_answers_they_quote() -> None:
    form = small("integer n", "note said | label: There are ${n} of them.")
    instance = begun(form)
    instance.set("/n", "4")
    assert instance.label("/said").replace("  ", " ") == "There are 4 of them."


def test_a_repeat_with_a_count_has_that_many_rows_and_a_million_is_refused() -> None:
    form = small("integer many", {"type": "begin repeat", "name": "line", "label": "l", "repeat_count": "${many}"},
                 "text a", "end repeat")
    instance = begun(form)
    instance.set("/many", "3")
    assert instance.rows("/line") == ["/line[1]", "/line[2]", "/line[3]"]
    with pytest.raises(DomainError) as refused:
        instance.set("/many", "1000000")
    assert refused.value.code == "form_too_many_rows"


FORM = small("text a", "begin group g", "integer n", "select_multiple yn m", "end group",
             "begin repeat line | bind::fieldcrm:rows: assortment", "text b", "decimal c", "end repeat", choices=YES_NO)
words = st.text(st.characters(codec="utf-8"), max_size=20)


@given(words, words, st.lists(st.sampled_from(["yes", "no"]), unique=True),
       st.dictionaries(st.text("abc0123", min_size=1, max_size=6), st.tuples(words, words), max_size=8))
def test_a_document_read_back_is_the_same_document(
    a: str, n: str, m: list[str], rows: dict[str, tuple[str, str]]
) -> None:
    instance = begun(FORM)
    instance.set("/a", a)
    instance.set("/g/n", n)
    instance.set("/g/m", " ".join(m))
    for key, (b, c) in rows.items():
        row = instance.add_row("/line", key, {"b": b})
        instance.set(row + "/c", c)
    document = instance.document()
    again = Instance(FORM, now=NOW, zone=UTC, document=document)
    assert again.document() == document
    assert again.rows("/line") == [f"/line[{key}]" for key in rows]
    again.problems()


NAMES = st.sampled_from(["a", "g", "n", "line", "b", "@key"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@example({"a": ["\x08"]})
@given(st.dictionaries(st.sampled_from(["a", "g", "line", "x"]), json_values, max_size=4))
def test_any_json_as_answers_is_read_or_refused_with_a_code(document: dict) -> None:  # type: ignore[type-arg]
    from fieldcrm.forms import project

    try:
        Instance(FORM, now=NOW, zone=UTC, document=document)
    except DomainError as refused:
        assert refused.code == "form_row_key"
    project(FORM, document)
