"""Files of outlets imported on the server itself: all or nothing, proposals from a newer extract, and undo."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from fieldcrm import serve
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import new_id
from fieldcrm.domain.intake import Refused
from fieldcrm.server import unimports
from fieldcrm.server.imports import Imported, Settled, bring_in
from sync.server.database import reading
from tests.imports.feeds import Lines, store
from tests.server.conftest import NOW, Company


def bring(company: Company, feed: Lines, **more: Any) -> Imported:
    on_refused = more.pop("on_refused", lambda refused: None)
    settled = Settled(company.sectors["west"], "Europe/Paris", "FR", sectors=company.sectors, **more)
    return bring_in(company.hq, company.org, feed, settled, now=NOW, on_refused=on_refused)


def living(company: Company, table: str) -> dict[UUID, Any]:
    records = company.hq.sync.tables.records[table]
    with reading(company.hq.engine) as connection:
        query = select(records).where(records.c.org_id == company.org, records.c.deleted_rev.is_(None))
        return {found["id"]: dict(found) for found in connection.execute(query).mappings()}


def named(company: Company, name: str) -> Any:
    [found] = [row for row in living(company, "outlet").values() if row["name"] == name]
    return found


def test_a_dry_run_says_what_the_import_then_does(company: Company) -> None:
    feed = Lines([store(1), store(2, sector="EAST"), store(3, sector="none"), store(1)])
    heard: list[Refused] = []
    before = living(company, "outlet"), living(company, "import_batch")
    looked = bring(company, feed, dry_run=True)
    assert (looked.added, looked.refused, looked.batch) == (2, 2, None)
    assert (living(company, "outlet"), living(company, "import_batch")) == before
    done = bring(company, feed, on_refused=heard.append)
    assert (done.rows, done.added, done.refused) == (4, 2, 2)
    assert [one.code for one in heard] == ["sector_unknown", "reference_repeated"]
    assert named(company, "Épicerie 2")["sector_id"] == company.sectors["east"]
    assert bring(company, Lines([store(1), store(2, sector="east")])).unchanged == 2


def test_a_newer_extract_proposes_and_an_undo_takes_it_back(company: Company) -> None:
    bring(company, Lines([store(1), store(2), store(3)]))
    newer = Lines([store(1, phone="02"), store(2), store(4)])
    done = bring(company, newer, complete=True)
    assert (done.added, done.changed, done.proposed, done.unchanged) == (0, 0, 3, 1)
    kinds = {row["kind"]: row for row in living(company, "proposal").values()}
    assert set(kinds) == {"details", "opened", "closed"}
    assert kinds["closed"]["outlet_id"] == named(company, "Épicerie 3")["id"]
    assert bring(company, newer, complete=True).proposed == 0
    assert done.batch is not None
    undone = unimports.undo(company.hq, company.org, done.batch, now=NOW)
    assert (undone.removed, undone.withdrawn) == (0, 3)
    assert bring(company, newer, complete=True).proposed == 3
    with pytest.raises(DomainError, match="import_undone"):
        unimports.undo(company.hq, company.org, done.batch, now=NOW)


def test_what_nobody_wrote_may_be_accepted_at_once(company: Company) -> None:
    bring(company, Lines([store(1), store(2)]))
    done = bring(company, Lines([store(1, phone="02"), store(2), store(3)]), accept_untouched=True, propose=False)
    assert (done.added, done.changed, done.proposed) == (1, 1, 0)
    assert named(company, "Épicerie 1")["phone"] == "02"


def test_an_undo_keeps_and_names_outlets_that_somebody_used(company: Company) -> None:
    done = bring(company, Lines([store(n) for n in range(30)]))
    used, changed = named(company, "Épicerie 3")["id"], named(company, "Épicerie 4")["id"]
    task = {"id": new_id(NOW), "outlet_id": used, "kind": "task", "title": "Appeler", "state": "open"}
    company.hq.apply(company.org, [("task", task), ("outlet", {"id": changed, "phone": "99"})])
    assert done.batch is not None
    undone = unimports.undo(company.hq, company.org, done.batch, now=NOW)
    assert (undone.removed, undone.kept, sorted(undone.kept_names)) == (28, 2, ["Épicerie 3", "Épicerie 4"])
    assert {used, changed} == set(living(company, "outlet")) - set(company.outlets.values())
    assert {row["outlet_id"] for row in living(company, "outlet_source").values()} == {used, changed}


def test_a_file_that_breaks_off_leaves_nothing(company: Company) -> None:
    def tear(number: int) -> None:
        if number == 700:
            raise DomainError("file_damaged", file="magasins.csv")

    before = living(company, "outlet")
    with pytest.raises(DomainError, match="file_damaged"):
        bring(company, Lines([store(n) for n in range(900)], at=tear))
    assert living(company, "outlet") == before
    assert not living(company, "outlet_source")


def test_the_command_line_takes_a_sheet_and_takes_it_out_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> Any:
        assert serve.main([*arguments, "--data", str(tmp_path / "hq"), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    run("init")
    run("organisation", "add", "acme", "--name", "Acme")
    run("sector", "add", "W", "--name", "West", "--organisation", "acme")
    sheet, refused = tmp_path / "magasins.csv", tmp_path / "refuses.csv"
    with sheet.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["Référence", "Nom", "Adresse", "Code postal", "Ville", "Latitude", "Longitude"])
        writer.writerow(["A1", "Épicerie du Port", "3 rue du Port", "44000", "Nantes", "47,2", "-1,55"])
        writer.writerow(["A2", "", "4 rue du Port", "44000", "Nantes", "47,21", "-1,56"])
    of = ("--organisation", "acme", "--sector", "W", "--country", "FR")
    dry = run("import-outlets", str(sheet), *of, "--dry-run")
    assert (dry["added"], dry["refused"], dry["batch"]) == (1, 1, None)
    done = run("import-outlets", str(sheet), *of, "--refused", str(refused))
    assert (done["added"], done["refused"]) == (1, 1)
    assert len(refused.read_text(encoding="utf-8-sig").splitlines()) == 2
    assert run("import-outlets", str(sheet), *of)["unchanged"] == 1
    undone = run("import-outlets", "--undo", done["batch"], "--organisation", "acme")
    assert (undone["removed"], undone["kept"]) == (1, 0)
