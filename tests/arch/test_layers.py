"""The contracts of import-linter bite: a copy of the source with one violation of each breaks every one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.arch.rules import ROOT

VIOLATIONS = {
    "layers": ("fieldcrm/store/broken.py", "import fieldcrm.geo"),
    "qt": ("fieldcrm/planning/broken.py", "import PySide6"),
    "domain": ("fieldcrm/domain/broken.py", "import sync.protocol"),
    "server": ("fieldcrm/server/broken.py", "import fieldcrm.usecases"),
    "exchange": ("fieldcrm/exchange/broken.py", "import fieldcrm.store"),
    "sync": ("sync/broken.py", "import fieldcrm.domain"),
    "sync-ends": ("sync/client/broken.py", "import sync.server"),
    "cycles": ("fieldcrm/geo/broken.py", "import fieldcrm.forms"),
    "screens": ("fieldcrm/ui/today/broken.py", "import sqlalchemy"),
    "screens-apart": ("fieldcrm/ui/today/broken2.py", "import fieldcrm.ui.outlets"),
}
BACK = ("fieldcrm/forms/broken.py", "import fieldcrm.geo")  # the other half of the cycle


def contracts() -> dict[str, str]:
    """Id and name of each contract."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    return {contract["id"]: contract["name"] for contract in settings["contracts"]}


def lint(folder: Path) -> str:
    program = "from importlinter.cli import lint_imports_command as lint; lint()"
    command = [sys.executable, "-c", program, "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


@pytest.fixture(scope="module")
def broken_report(tmp_path_factory: pytest.TempPathFactory) -> str:
    copy = tmp_path_factory.mktemp("broken")
    for name in ("fieldcrm", "sync"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for path, source in (*VIOLATIONS.values(), BACK):
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        (copy / path).write_text(source + "\n", encoding="utf-8")
    return lint(copy)


@pytest.mark.parametrize("id", contracts())
def test_a_deliberate_violation_breaks_the_contract(id: str, broken_report: str) -> None:
    assert id in VIOLATIONS, "a contract without a proof that it bites"
    assert re.search(re.escape(contracts()[id]) + r" BROKEN", broken_report), broken_report


def test_the_source_keeps_every_contract() -> None:
    report = lint(ROOT)
    assert f"Contracts: {len(contracts())} kept, 0 broken." in report, report
