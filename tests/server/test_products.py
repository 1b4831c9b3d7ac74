from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from fieldcrm.domain.errors import DomainError
from fieldcrm.server.accounts import publish_built_in_form
from fieldcrm.server.products import ProductsImported, import_products, read_products
from sync.server.database import reading
from tests.server.conftest import NOW, Company

SHEET = """EAN;Libellé;Marque;Catégorie;Notre;Types de magasin;Obligatoire;Facings;Prix
4006381333931;Sablés 150 g;Aubelle;Biscuits;oui;supermarket,convenience;x;3;2,59
;Eau 1 L;Source;Boissons;non;;;;0,79 €
"""


def sheet(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "products.csv"
    path.write_bytes(text.encode(encoding))
    return path


def rows(company: Company, collection: str) -> list[Any]:
    table = company.hq.sync.tables.records[collection]
    with reading(company.hq.engine) as connection:
        return list(connection.execute(select(table).where(table.c.org_id == company.org)).mappings())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_a_french_sheet_is_read_whatever_excel_wrote(tmp_path: Path, encoding: str) -> None:
    first, second = read_products(sheet(tmp_path, SHEET, encoding))
    assert (first.name, first.own, first.must_stock, first.facings) == ("Sablés 150 g", True, True, 3)
    assert (first.store_types, first.price_minor) == (("supermarket", "convenience"), 259)
    assert (second.ean, second.own, second.store_types, second.price_minor) == ("", False, (), 79)


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        ("", "products_empty", None),
        ("Libellé;Prix\n", "products_empty", None),
        ("Prix;Marque\n1;x\n", "products_column_missing", None),
        ("Nom;Prix\nEau;\nSel;gratuit\n", "products_cell_invalid", (3, "price")),
        ("Nom;EAN\nEau;4006381333932\n", "products_cell_invalid", (2, "ean")),
        ("Nom;Types\nEau;boutique\n", "products_cell_invalid", (2, "store_types")),
        ("Nom;Facings\nEau;-1\n", "products_cell_invalid", (2, "facings")),
        ("Nom;Notre\nEau;peut-être\n", "products_cell_invalid", (2, "own")),
        ("Nom;Prix\n;1\n", "products_cell_invalid", (2, "name")),
        ("Nom\x00;Prix\nEau;1\n", "file_unreadable", None),
    ],
)
def test_what_does_not_fit_is_named_by_row_and_column(
    tmp_path: Path, text: str, code: str, at: tuple[int, str] | None
) -> None:
    with pytest.raises(DomainError, match=code) as refusal:
        read_products(sheet(tmp_path, text))
    if at is not None:
        assert (refusal.value.params["row"], refusal.value.params["column"]) == at


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=400))
def test_any_bytes_are_products_or_a_refusal(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(content)
    try:
        assert read_products(path)
    except DomainError as refusal:
        assert refusal.code.startswith(("products_", "file_"))


def test_a_second_import_changes_only_what_changed_and_keeps_the_past(company: Company, tmp_path: Path) -> None:
    first = read_products(sheet(tmp_path, SHEET))
    assert import_products(company.hq, company.org, first, now=NOW) == ProductsImported(2, 0, 0)
    assert import_products(company.hq, company.org, first, now=NOW) == ProductsImported(0, 0, 2)
    ranges, prices = len(rows(company, "assortment")), len(rows(company, "price"))

    later = NOW + timedelta(days=10)
    dearer = read_products(sheet(tmp_path, SHEET.replace("2,59", "2,79").replace("Aubelle", "Aubelle Bio")))
    assert import_products(company.hq, company.org, dearer, now=later) == ProductsImported(0, 1, 1)
    assert (len(rows(company, "assortment")), len(rows(company, "price"))) == (ranges, prices + 1)
    old, new = sorted(
        (row for row in rows(company, "price") if row["amount_minor"] > 100), key=lambda r: r["amount_minor"]
    )
    assert (old["valid_to"], new["valid_from"]) == ((later - timedelta(days=1)).date(), later.date())
    assert len(rows(company, "product")) == 2


def test_an_organisation_gets_the_built_in_audit(company: Company) -> None:
    publish_built_in_form(company.hq, company.org, now=NOW)
    [form] = [row for row in rows(company, "form") if row["name"] == "shelf_audit"]
    assert "<h:html" in form["xform"]
