"""Which system packages the program lacks here, and installs them where it may (apt or dnf).

Run by ``./run`` and ``./test`` with any Python 3.11 or later before an environment exists, so the
standard library only:  ``system.py [--tests]``.  Exit code 1 when something is missing that it could
not install; it then says exactly which command does it.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple


class Library(NamedTuple):
    soname: str
    apt: str
    dnf: str


# Debian 12 and 13 (a bare root, `ldd` clean); the names for dnf were not tried.
LIBRARIES = (
    # any window, also without a screen
    Library("libEGL.so.1", "libegl1", "libglvnd-egl"),
    Library("libGL.so.1", "libgl1", "libglvnd-glx"),
    Library("libxkbcommon.so.0", "libxkbcommon0", "libxkbcommon"),
    Library("libdbus-1.so.3", "libdbus-1-3", "dbus-libs"),
    Library("libfontconfig.so.1", "libfontconfig1", "fontconfig"),
    Library("libglib-2.0.so.0", "libglib2.0-0", "glib2"),
    # the map
    Library("libnss3.so", "libnss3", "nss"),
    Library("libasound.so.2", "libasound2", "alsa-lib"),
    Library("libXcomposite.so.1", "libxcomposite1", "libXcomposite"),
    Library("libXdamage.so.1", "libxdamage1", "libXdamage"),
    Library("libXrandr.so.2", "libxrandr2", "libXrandr"),
    Library("libXtst.so.6", "libxtst6", "libXtst"),
    Library("libxkbfile.so.1", "libxkbfile1", "libxkbfile"),
    Library("libXfixes.so.3", "libxfixes3", "libXfixes"),
    Library("libgssapi_krb5.so.2", "libgssapi-krb5-2", "krb5-libs"),
    # X11
    Library("libxcb-cursor.so.0", "libxcb-cursor0", "xcb-util-cursor"),
    Library("libxkbcommon-x11.so.0", "libxkbcommon-x11-0", "libxkbcommon-x11"),
    Library("libxcb-icccm.so.4", "libxcb-icccm4", "xcb-util-wm"),
    Library("libxcb-keysyms.so.1", "libxcb-keysyms1", "xcb-util-keysyms"),
    Library("libxcb-shape.so.0", "libxcb-shape0", "libxcb"),
    # the camera
    Library("libpulse.so.0", "libpulse0", "pulseaudio-libs"),
)
RENAMED = {"libasound2": "libasound2t64"}  # Ubuntu 24.04 offers the old name twice and so not at all


def present(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def has_fonts() -> bool:
    folders = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts")
    return any(next(folder.rglob("*.[to]tf"), None) for folder in folders if folder.is_dir())


def has_postgres() -> bool:
    return bool(shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb")))


def missing(for_tests: bool) -> list[Library]:
    wanted = [library for library in LIBRARIES if not present(library.soname)]
    if not has_fonts():
        wanted.append(Library("a font", "fonts-dejavu-core", "dejavu-sans-fonts"))
    if for_tests and not has_postgres():
        wanted.append(Library("PostgreSQL", "postgresql", "postgresql-server"))
    if for_tests and not shutil.which("Xvfb"):
        wanted.append(Library("Xvfb", "xvfb", "xorg-x11-server-Xvfb"))
    return wanted


def apt_name(package: str) -> str:
    newer = RENAMED.get(package)
    if newer and subprocess.run(["apt-cache", "show", newer], capture_output=True, check=False).returncode == 0:
        return newer
    return package


def rights() -> list[str] | None:
    """What to put before a command to run it as root; ``None`` where that is not possible."""
    if os.geteuid() == 0:
        return []
    if not shutil.which("sudo"):
        return None
    silent = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    return ["sudo"] if silent or sys.stdin.isatty() else None


def install(packages: list[Library]) -> bool:
    """Whether the packages were installed; says what a person has to do when not."""
    as_root = rights()
    if shutil.which("apt-get"):
        updated = as_root is not None and _run([*as_root, "apt-get", "update", "-qq"])
        names = [apt_name(library.apt) for library in packages]
        command = ["apt-get", "install", "-y", "--no-install-recommends", *names]
    elif shutil.which("dnf"):
        updated = as_root is not None
        command = ["dnf", "install", "-y", *(library.dnf for library in packages)]
    else:
        print("Missing on this system: " + ", ".join(library.soname for library in packages), file=sys.stderr)
        return False
    print("Installing system packages: " + " ".join(command), file=sys.stderr)
    if updated and as_root is not None and _run([*as_root, *command]):
        return True
    print("Some system packages are missing. Please run:\n\n    sudo " + " ".join(command) + "\n", file=sys.stderr)
    return False


def _run(command: list[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False).returncode == 0


def main(arguments: list[str]) -> int:
    if not sys.platform.startswith("linux"):
        return 0
    wanted = missing("--tests" in arguments)
    return 0 if not wanted or install(wanted) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
