"""The bundle that PyInstaller makes starts under a real X server and shows the program. Minutes: ``pytest -m slow``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.arch.rules import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

SCREEN = (1440, 900)
GPL_ONLY = ("Qt6Charts", "Qt6DataVisualization", "Qt6Graphs", "Qt6VirtualKeyboard", "Qt6Quick3D", "Qt6HttpServer")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built program. ``FIELDCRM_BUNDLE`` names one that is built already."""
    if built := os.environ.get("FIELDCRM_BUNDLE"):
        return Path(built)
    folder = tmp_path_factory.mktemp("bundle")
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    places = ["--distpath", str(folder / "dist"), "--workpath", str(folder / "work")]
    subprocess.run([*command, *places, str(ROOT / "build.spec")], check=True)
    return folder / "dist" / "fieldcrm"


@pytest.fixture
def screen() -> Iterator[str]:
    """A display of 24 bits: with 16 the map's process crashes."""
    if not shutil.which("Xvfb"):
        pytest.skip("no Xvfb here")
    read, write = os.pipe()
    size = f"{SCREEN[0]}x{SCREEN[1]}x24"
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as answer:
        number = answer.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()


def test_no_library_that_is_offered_under_the_gpl_alone_is_bundled(bundle: Path) -> None:
    names = [path.name for path in bundle.rglob("*.so*")]
    assert names
    assert [name for name in names if any(forbidden in name for forbidden in GPL_ONLY)] == []
    assert [name for name in names if name.startswith("libstdc++")] == []


def test_the_bundle_opens_the_demo_workspace_and_draws_it(bundle: Path, screen: str, tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("QT_", "PYTHON"))}
    environment |= {"DISPLAY": screen, "HOME": str(tmp_path), "LANG": "fr_FR.UTF-8", "XDG_RUNTIME_DIR": str(tmp_path)}
    if os.geteuid() == 0:
        environment["QTWEBENGINE_DISABLE_SANDBOX"] = "1"
    picture = tmp_path / "bundle.png"
    command = [str(bundle / "fieldcrm"), "demo", "--folder", str(tmp_path / "demo")]
    with (tmp_path / "log.txt").open("w") as log:
        program = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        colours = _wait_for_a_drawn_window(program, screen, picture)
    finally:
        program.terminate()
        program.wait(30)
    assert colours > 200, (tmp_path / "log.txt").read_text()


def _wait_for_a_drawn_window(program: subprocess.Popen[bytes], screen: str, picture: Path) -> int:
    """How many colours the screen shows in the end; an empty one shows one."""
    colours = 0
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and program.poll() is None:
        time.sleep(5)
        grab(screen, picture)
        colours = len(Image.open(picture).convert("RGB").getcolors(1 << 24) or [])
        if colours > 200:
            time.sleep(10)  # the map, pictures
            grab(screen, picture)
            break
    return colours


def grab(screen: str, picture: Path) -> None:
    """Photograph the whole X screen with Qt itself: no other program has to be installed."""
    program = (
        "import sys; from PySide6.QtGui import QGuiApplication; app = QGuiApplication(sys.argv);"
        "sys.exit(not app.primaryScreen().grabWindow(0).save(sys.argv[1]))"
    )
    environment = {**os.environ, "DISPLAY": screen, "QT_QPA_PLATFORM": "xcb"}
    subprocess.run([sys.executable, "-c", program, str(picture)], env=environment, check=True)
