"""Single values of an outlet: what is wrong with them, and what was meant."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcrm.insights import outlet_values as values
from fieldcrm.insights.outlet_values import Remark


def said(remark: Remark | None) -> tuple[str, str | None] | None:
    return None if remark is None else (remark.code, remark.suggestion)


@pytest.mark.parametrize(("text", "answer"), [
    ("01 45 00 12 12", None),
    ("06.12.34.56.78", None),
    ("+33 1 45 00 12 12", None),
    ("+33145001212", None),
    ("+32 2 555 12 12", None),
    ("01 45 00 12 12 poste 3", ("phone_style", "+33 1 45 00 12 12 ext. 3")),
    ("0145001212", ("phone_style", "+33 1 45 00 12 12")),
    ("+33 (0)1 45 00 12 12", ("phone_style", "+33 1 45 00 12 12")),
    ("145001212", ("phone_style", "+33 1 45 00 12 12")),
    ("01 45 00", ("phone_invalid", None)),
    ("99 99 99 99 99", ("phone_invalid", None)),
    ("en travaux", ("phone_invalid", None)),
])
def test_a_phone_number_is_judged_by_its_countrys_plan(text: str, answer: tuple[str, str | None] | None) -> None:
    assert said(values.phone(text, "FR")) == answer


def test_the_organisation_chooses_how_numbers_are_written() -> None:
    assert said(values.phone("01 45 00 12 12", "FR", "e164")) == ("phone_style", "+33145001212")
    assert said(values.phone("+33145001212", "FR", "national")) == ("phone_style", "01 45 00 12 12")
    assert values.phone("+33145001212", "FR", "e164") is None


@pytest.mark.parametrize("text", ["01 45 00 12 12", "03 88 12 34 56", "09 69 36 89 00", "07 00 00 00 00", "0836656565",
                                  "+33 6 12 34 56 78", "02 00 00 00 00", "05 99 12 34 56", "01 23"])
def test_the_quick_way_never_disagrees_with_the_library(text: str) -> None:
    import phonenumbers

    try:
        valid = phonenumbers.is_valid_number(phonenumbers.parse(text, "FR"))
    except phonenumbers.NumberParseException:
        valid = False
    remark = values.phone(text, "FR")
    assert (remark is None or remark.code == "phone_style") == valid


@pytest.mark.parametrize(("text", "answer"), [
    ("magasin@example.org", None),
    (" mailto:magasin@example.org ", ("email_style", "magasin@example.org")),
    ("magasin@example,org", ("email_invalid", "magasin@example.org")),
    ("magasin(at)example.org", ("email_invalid", "magasin@example.org")),
    ("magasin@@example", ("email_invalid", None)),
])
def test_an_address_of_mail_is_read_and_mended(text: str, answer: tuple[str, str | None] | None) -> None:
    assert said(values.email(text)) == answer


@pytest.mark.parametrize(("text", "answer"), [
    ("halles.example", None),
    ("https://halles.example/paris", None),
    ("http//halles.example", ("website_invalid", "http://halles.example")),
    ("www,halles.example", ("website_invalid", "www.halles.example")),
    ("bientôt", ("website_invalid", None)),
])
def test_a_website_is_read_and_mended(text: str, answer: tuple[str, str | None] | None) -> None:
    assert said(values.website(text)) == answer


@pytest.mark.parametrize(("text", "answer"), [
    ("73282932000074", None),
    ("732 829 320 00074", ("siret_style", "73282932000074")),
    ("73282932000075", ("siret_invalid", None)),
    ("732829320", ("siret_is_siren", None)),
    ("123", ("siret_invalid", None)),
    ("35600000000048", None),  # La Poste's seat keeps Luhn's check
    ("35600000049837", None),  # its establishments do not: their figures sum to a multiple of five
    ("35600000049838", ("siret_invalid", None)),
])
def test_a_siret_is_closed_by_luhn_but_for_la_poste(text: str, answer: tuple[str, str | None] | None) -> None:
    assert said(values.siret(text)) == answer


@pytest.mark.parametrize(("text", "region", "answer"), [
    ("75001", "FR", None), ("97400", "FR", None), ("20090", "FR", None),
    ("75 001", "FR", ("postcode_style", "75001")), ("F-75001", "FR", ("postcode_style", "75001")),
    ("75001.0", "FR", ("postcode_style", "75001")), ("1000", "FR", ("postcode_invalid", "01000")),
    ("00123", "FR", ("postcode_invalid", None)), ("ABCDE", "FR", ("postcode_invalid", None)),
    ("1000", "BE", None), ("VLT 1117", "MT", None), ("00100", "FI", None),
    ("FI-00100", "FI", ("postcode_style", "00100")),
])
def test_a_postcode_has_the_shape_of_its_country(text: str, region: str, answer: tuple[str, str | None] | None) -> None:
    assert said(values.postcode(text, region)) == answer


@pytest.mark.parametrize(("text", "known", "answer"), [
    ("CARREFOUR CITY DE LA GARE", None, "Carrefour City de la Gare"),
    ("L'ÉPICERIE D'ANNE-MARIE", None, "L'Épicerie d'Anne-Marie"),
    ("TABAC SARL DUPONT", None, "Tabac SARL Dupont"),
    ("E.LECLERC PARIS", "E.Leclerc", "E.Leclerc Paris"),
    ("SPAR", None, None), ("Épicerie", None, None),
])
def test_capitals_are_written_small(text: str, known: str | None, answer: str | None) -> None:
    remark = values.capitals(text, known)
    assert (None if remark is None else remark.suggestion) == answer


CHECKS: tuple[Callable[[str], Remark | None], ...] = (
    lambda text: values.phone(text, "FR"), lambda text: values.phone(text, "", "e164"), values.email, values.website,
    values.siret, lambda text: values.postcode(text, "FR"), lambda text: values.postcode(text, ""), values.spaces,
    values.capitals,
)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=40), st.sampled_from(CHECKS))
def test_no_text_breaks_a_check_and_a_safe_suggestion_needs_no_other(
    text: str, judge: Callable[[str], Remark | None]
) -> None:
    remark = judge(text)
    if remark is not None and remark.safe:
        assert remark.suggestion is not None
        assert judge(remark.suggestion) is None


@pytest.mark.parametrize("number", "3631|39 77|0262 12 34 56|0590 82 12 34|0596 60 12 34|0594 30 12 34".split("|"))
def test_short_numbers_and_those_of_the_overseas_departments_are_right_in_france(number: str) -> None:
    remark = values.phone(number, "FR")
    assert remark is None or remark.code == "phone_style"


def test_a_number_of_an_overseas_department_keeps_its_own_country_code() -> None:
    remark = values.phone("0262 20 12 34", "FR", "e164")
    assert remark is not None and remark.suggestion == "+262262201234"
