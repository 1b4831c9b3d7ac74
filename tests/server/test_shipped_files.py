"""The unit, the container file and the proxy's example say only what the program knows."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from fieldcrm.serve import command_line

ROOT = Path(__file__).resolve().parent.parent.parent
SHIPPED = ROOT / "resources" / "server"


def options_of_run() -> set[str]:
    parsers = next(action for action in command_line().parser._actions if isinstance(action.choices, dict))
    return {text for action in parsers.choices["run"]._actions for text in action.option_strings}


@pytest.mark.parametrize("name", ["fieldcrm-server.service", "Containerfile", "nginx.conf"])
def test_every_option_that_is_named_exists(name: str) -> None:
    text = (SHIPPED / name).read_text(encoding="utf-8")
    for line in text.splitlines():
        if "OPTIONS=" in line or "fieldcrm-server run" in line or "--trust-proxy" in line or "--own-port" in line:
            assert set(re.findall(r"(?<![\w-])--[a-z-]+", line)) <= options_of_run(), line


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_unit() -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", str(SHIPPED / "fieldcrm-server.service")],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "fieldcrm-server.service:" not in done.stderr, done.stderr


def test_the_container_is_not_root_and_copies_what_there_is() -> None:
    text = (SHIPPED / "Containerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER 10001$", text, re.M)
    assert text.index("USER 10001") < text.index("CMD [")
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.M):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
    assert "--require-hashes" in text
