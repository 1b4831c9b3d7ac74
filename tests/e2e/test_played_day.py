"""The whole working day through the real program, in a process of its own, as ``./run --headless --json`` plays it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from tests.arch.rules import ROOT

pytestmark = pytest.mark.timeout(590)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("day")


@pytest.fixture(scope="module")
def played(out: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LANG": "fr_FR.UTF-8"}
    command = [sys.executable, "-m", "fieldcrm", "demo", "--headless", "--json", "--out", str(out), "--pictures", "few"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=580, check=False)


@pytest.fixture(scope="module")
def day(played: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert played.returncode == 0, played.stderr[-4000:]
    assert played.stdout.count("\n") == 1, "one JSON object and nothing else"
    result: dict[str, Any] = json.loads(played.stdout)
    return result


def test_nothing_differs(day: dict[str, Any]) -> None:
    assert day["differences"] == []
    assert day["second_device_equal"] is True


def test_three_planned_audits_and_one_unplanned_visit_were_recorded(day: dict[str, Any]) -> None:
    assert day["outlets"] > 400
    assert day["planned_stops"] >= 3
    assert day["visits"] >= 4
    assert day["audit_lines"] >= 30 * day["visits"]
    assert day["photos"] == 2 * day["visits"]


def test_all_of_it_is_at_headquarters(day: dict[str, Any]) -> None:
    assert day["server"] == {name: day[name] for name in ("visits", "audit_lines", "photos")}


def test_one_report_was_approved_one_returned_and_corrected(day: dict[str, Any]) -> None:
    assert day["review"] == {"approved": 1, "returned": 1, "corrected": 1}


def test_every_step_says_how_long_it_took(day: dict[str, Any]) -> None:
    assert len(day["seconds"]) >= 11
    assert all(seconds > 0 for seconds in day["seconds"].values())


def test_the_report_of_the_day_is_in_french_and_the_pictures_are_there(day: dict[str, Any], out: Path) -> None:
    pages = PdfReader(out / "rapport-du-jour.pdf").pages
    text = " ".join(" ".join(page.extract_text() for page in pages).split())
    assert "Camille Roux" in text
    assert "visites" in text.casefold()
    pictures = {path.name for path in out.glob("*.png")}
    shown = "today outlets outlet visit sync settings review-figures review-report outlets-map base-quality"
    for screen in [*shown.split(), "base-updates"]:
        assert f"{screen}-fr-light.png" in pictures


def test_an_extract_that_is_none_is_refused_in_a_sentence(tmp_path: Path) -> None:
    wrong = tmp_path / "region.osm.pbf"
    wrong.write_bytes(b"not a map")
    command = [sys.executable, "-m", "fieldcrm", "demo", "--headless", "--region", str(wrong)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
