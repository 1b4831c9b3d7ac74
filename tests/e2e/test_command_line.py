"""The command line says in one sentence what is wrong, and its exit codes mean something."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fieldcrm import __version__, cli, resources
from fieldcrm.domain.errors import Unavailable
from tests.arch.rules import ROOT


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fieldcrm", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def test_it_says_its_version() -> None:
    answer = run("--version")
    assert (answer.returncode, answer.stdout) == (0, f"fieldcrm {__version__}\n")


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7 not a map", b"\x00\x00\x00\x0d\x0a\x09OSMHeader cut"])
def test_a_file_that_is_no_extract_gets_a_sentence_and_nothing_is_written(tmp_path: Path, content: bytes) -> None:
    extract, out = tmp_path / "region.osm.pbf", tmp_path / "region.mbtiles"
    extract.write_bytes(content)
    answer = run("region", "build", str(extract), str(out))
    assert answer.returncode == cli.REFUSED
    assert answer.stderr.count("\n") == 1
    assert "Traceback" not in answer.stderr
    assert not out.exists()


def test_a_wrong_option_is_named() -> None:
    answer = run("demo", "--no-such-option")
    assert answer.returncode == 2
    assert "--no-such-option" in answer.stderr


def test_a_sound_workbook_is_called_sound(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["form", str(resources.path("forms/shelf_audit.xlsx"))]) == cli.DONE
    assert capsys.readouterr().out.count("\n") == 1


def test_a_workbook_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "form.xlsx"
    wrong.write_text("not a workbook")
    assert cli.main(["form", str(wrong)]) == cli.REFUSED
    assert cli.main(["form", str(tmp_path / "missing.xlsx")]) == cli.UNAVAILABLE
    assert capsys.readouterr().err.count("\n") == 2


def test_what_is_not_possible_now_has_an_exit_code_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> int:
        raise Unavailable("disk_full")

    monkeypatch.setattr(cli, "_gallery", full)
    assert cli.main(["gallery"]) == cli.UNAVAILABLE
