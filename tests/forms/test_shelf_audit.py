from __future__ import annotations

from datetime import UTC, date
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from fieldcrm import resources
from fieldcrm.domain.submission import Basis, Shelf
from fieldcrm.forms import Instance, grid_of, load_form, planned_tasks, project, visit_note
from fieldcrm.forms.builtin import builtin_form, workbook
from fieldcrm.forms.compile import compile_xlsform
from tests.forms.sheets import NOW

PRODUCTS = [UUID(int=n, version=4) for n in range(1, 41)]
FORM = builtin_form()
LINE = "/shelf/line"


def audit(language: str = "en") -> Instance:
    instance = Instance(FORM, now=NOW, zone=UTC, language=language)
    for product in PRODUCTS:
        instance.add_row(LINE, product.hex, {"product": product.hex, "reference_price": "2.00"})
    return instance


def row(number: int) -> str:
    return f"{LINE}[{PRODUCTS[number].hex}]"


def test_the_bundled_form_is_what_pyxform_makes_of_the_bundled_workbook_and_of_the_maker() -> None:
    bundled = resources.data("forms/shelf_audit.xml")
    assert compile_xlsform(resources.data("forms/shelf_audit.xlsx")) == bundled
    assert compile_xlsform(workbook()) == bundled


def test_every_text_is_there_in_both_languages() -> None:
    for item in FORM.by_path.values():
        texts = [item.label] + ([item.hint, item.bind.constraint_message] if hasattr(item, "hint") else [])
        for text in filter(None, texts):
            assert set(text.parts) >= {"en", "fr"}, item.path


def test_the_grid_has_three_columns_at_first_and_five_on_demand() -> None:
    grid = grid_of(FORM, LINE)
    assert grid is not None
    assert [q.name for q in grid.first] == ["state", "facings", "price"]
    assert [q.name for q in grid.on_demand] == ["shelf_tag", "material", "promotion", "expiry", "remark"]
    assert grid.observed == ("state", "facings", "price")


def test_a_line_that_was_not_checked_stores_nothing() -> None:
    instance = audit()
    document = instance.document(final=True)
    assert "shelf" not in document
    assert project(FORM, document) == []
    instance.set(row(3) + "/state", "present")
    assert len(instance.document(final=True)["shelf"]["line"]) == 1


def test_three_states_and_both_bases_become_observations() -> None:
    instance = audit()
    instance.set(row(0) + "/state", "present")
    instance.set(row(0) + "/facings", "4")
    instance.set(row(0) + "/price", "1.99")
    instance.set(row(1) + "/state", "oos")
    instance.set(row(1) + "/basis", "confirmed")
    instance.set(row(2) + "/state", "absent")
    seen = project(FORM, instance.document(final=True))
    assert [(o.product_id, o.state, o.facings, o.price_minor, o.basis) for o in seen] == [
        (PRODUCTS[0], Shelf.PRESENT, 4, 199, Basis.OBSERVED),
        (PRODUCTS[1], Shelf.OOS, None, None, Basis.CONFIRMED),
        (PRODUCTS[2], Shelf.ABSENT, None, None, Basis.OBSERVED),
    ]
    assert [o.line for o in seen] == [1, 2, 3]


def test_facings_of_a_product_that_is_not_present_are_not_in_the_report() -> None:
    instance = audit()
    instance.set(row(0) + "/state", "present")
    instance.set(row(0) + "/facings", "4")
    instance.set(row(0) + "/state", "oos")
    assert "facings" not in instance.document(final=True)["shelf"]["line"][0]
    assert project(FORM, instance.document(final=True))[0].facings is None


def test_facings_and_price_have_limits_and_a_strange_price_is_only_warned_of() -> None:
    instance = audit()
    instance.set(row(0) + "/state", "present")
    limits = (("1000", "constraint"), ("-1", "constraint"), ("x", "not_integer"), ("0", None), ("999", None))
    for facings, code in limits:
        instance.set(row(0) + "/facings", facings)
        problem = instance.problem(row(0) + "/facings")
        assert (problem.code if problem else None) == code
    for price, code in (("0", "constraint"), ("2.00", None), ("2.70", "warn"), ("1.2", "warn"), ("-2", "constraint")):
        instance.set(row(0) + "/price", price)
        problem = instance.problem(row(0) + "/price")
        assert (problem.code if problem else None) == code, price


def test_two_photos_are_asked_for_or_the_reason_why_not() -> None:
    instance = audit()
    assert [p.path for p in instance.problems("/photos")] == ["/photos/shelf_photos"]
    instance.set("/photos/shelf_photos", "a" * 64)
    assert [p.code for p in instance.problems("/photos")] == ["constraint"]
    instance.set("/photos/no_photo", "refused")
    assert instance.problems("/photos") == []
    instance.set("/photos/shelf_photos", "a" * 64 + " " + "b" * 64)
    assert not instance.relevant("/photos/no_photo")
    assert instance.problems("/photos") == []
    assert instance.document(final=True)["photos"]["shelf_photos"] == ["a" * 64, "b" * 64]


def test_a_promise_and_a_next_step_become_tasks_and_the_note_the_visits() -> None:
    instance = audit()
    instance.set("/next/promise", "Double facing of the 75 cl")
    instance.set("/next/promise_by", "Mme Roche")
    assert [p.path for p in instance.problems("/next")] == ["/next/promise_due"]
    instance.set("/next/promise_due", "2026-03-20")
    instance.set("/next/next_step", "Bring strips")
    instance.set("/next/note", "Busy day")
    answers = instance.document(final=True)
    tasks = planned_tasks(FORM, answers)
    assert [(t.kind, t.title, t.due, t.promised_by) for t in tasks] == [
        ("promise", "Double facing of the 75 cl", date(2026, 3, 20), "Mme Roche"), ("task", "Bring strips", None, None),
    ]
    assert visit_note(FORM, answers) == "Busy day"
    instance.set("/next/promise_due", "2026-03-13")
    assert [p.code for p in instance.problems("/next")] == ["constraint"]


def test_the_summary_counts_as_one_types_in_the_language_of_the_rep() -> None:
    instance = audit("fr")
    instance.set(row(0) + "/state", "present")
    instance.set(row(0) + "/facings", "4")
    instance.set(row(1) + "/state", "oos")
    assert " ".join(instance.label("/summary/counts").split()) == (
        "2 produits relevés : 1 présents, 1 en rupture, 0 absents. 4 facings."
    )


LOADED_AGAIN = load_form(resources.data("forms/shelf_audit.xml"))
prices = st.decimals(Decimal("0.01"), Decimal("99999.99"), places=2)


@given(st.dictionaries(st.integers(0, 39), st.tuples(
    st.sampled_from([s.value for s in Shelf]), st.none() | st.integers(0, 999), st.none() | prices, st.booleans(),
)))
def test_what_was_typed_is_what_is_observed(lines: dict[int, tuple[str, int | None, Decimal | None, bool]]) -> None:
    instance = audit()
    for number, (state, facings, price, confirmed) in lines.items():
        instance.set(row(number) + "/state", state)
        instance.set(row(number) + "/facings", "" if facings is None else str(facings))
        instance.set(row(number) + "/price", "" if price is None else str(price))
        instance.set(row(number) + "/basis", "confirmed" if confirmed else "observed")
    answers = instance.document(final=True)
    reread = project(LOADED_AGAIN, answers)
    expected = [
        (PRODUCTS[n], s, f if s == "present" else None, int(p * 100) if s == "present" and p is not None else None, c)
        for n, (s, f, p, c) in sorted(lines.items())
    ]
    assert [(o.product_id, o.state, o.facings, o.price_minor, o.basis is Basis.CONFIRMED) for o in reread] == expected
