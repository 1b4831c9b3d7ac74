"""The command line says in one sentence what is wrong, and its exit codes mean something."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from fieldcrm import __version__, cli, resources
from fieldcrm.domain.errors import Unavailable
from fieldcrm.store.database import Database
from fieldcrm.store.keys import KeyPlace, create_key
from fieldcrm.usecases import rescuing
from tests.arch.rules import ROOT
from tests.conftest import NOW


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


@pytest.fixture
def kept(tmp_path: Path) -> list[str]:
    """A profile with a passphrase, and the beginning of a rescue of it."""
    folder = tmp_path / "profile"
    Database.open(folder, create_key(folder, KeyPlace.PASSPHRASE, passphrase="eight letters"), now=NOW).close()
    (tmp_path / "words").write_text("eight letters")
    return ["rescue", str(folder), "--passphrase-file", str(tmp_path / "words")]


def test_a_rescue_into_a_file_the_source_or_a_closed_place_is_refused_and_nothing_is_written(
    kept: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"x")
    asked = [*kept, "--new-passphrase-file", str(tmp_path / "words"), "--into"]
    for wrong in (tmp_path / "photo.jpg", Path(kept[1]) / "inside"):
        assert cli.main([*asked, str(wrong)]) == cli.REFUSED
    assert not (Path(kept[1]) / "inside").exists()

    def closed(*_: object, **__: object) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(rescuing, "create_key", closed)
    assert cli.main([*asked, str(tmp_path / "closed")]) == cli.UNAVAILABLE
    assert capsys.readouterr().err.count("\n") == 3


def test_a_secret_that_is_no_text_or_that_nobody_types_is_asked_for_in_a_sentence(
    kept: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "words").write_bytes(b"\xff\xd8\xff\xe0 a photo")
    assert cli.main(kept) == cli.REFUSED

    def nobody(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", nobody)
    assert cli.main(kept[:2]) == cli.REFUSED
    assert capsys.readouterr().err.count("\n") == 2
