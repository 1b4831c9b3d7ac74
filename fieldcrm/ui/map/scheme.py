"""``fieldcrm://map/…``: the page, its scripts, the fonts, the tiles and the points, all from this computer.

``register_scheme`` has to run before WebEngine makes its first page, or Qt ignores it without a word; and the
QApplication has to be made with ``AA_ShareOpenGLContexts`` (``fieldcrm.app`` does).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from fieldcrm import resources

if TYPE_CHECKING:
    from PySide6.QtCore import QObject
    from PySide6.QtWebEngineCore import QWebEngineUrlRequestInterceptor, QWebEngineUrlSchemeHandler

    from fieldcrm.geo.basemap import TileSource

SCHEME = "fieldcrm"
HOST = "map"
PAGE = f"{SCHEME}://{HOST}/page.html"
TILES = f"{SCHEME}://{HOST}/tiles/{{z}}/{{x}}/{{y}}.mvt"

# What the page itself may use beside our own scheme: nothing of it leaves the computer.
_INSIDE = {SCHEME, "data", "blob", "qrc", "about"}
_TYPES = {".js": b"text/javascript", ".css": b"text/css", ".ttf": b"font/ttf", ".json": b"application/json"}
_FILE = re.compile(r"/(map|fonts)/([A-Za-z0-9_.-]+)")
_HANDED = re.compile(r"/points/([0-9]{1,12}\.bin)")
_TILE = re.compile(r"/tiles/(\d{1,2})/(\d{1,8})/(\d{1,8})\.mvt")

log = logging.getLogger(__name__)


def webengine_installed() -> bool:
    """Whether the map can be shown at all; does not import it."""
    try:
        return find_spec("PySide6.QtWebEngineCore") is not None
    except ModuleNotFoundError:
        return False


def register_scheme() -> bool:
    """Make ``fieldcrm://`` known to WebEngine and let it share OpenGL contexts; False where there is no WebEngine.

    Call once, before the first page. A second call does nothing.
    """
    if not webengine_installed():
        return False
    from PySide6.QtCore import QCoreApplication, Qt

    if QCoreApplication.instance() is None:
        QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    try:
        from PySide6.QtWebEngineCore import QWebEngineUrlScheme
    except ImportError as error:  # the package is there, a system library it needs is not
        log.warning("no map: %s", error)
        return False
    name = SCHEME.encode()
    if not QWebEngineUrlScheme.schemeByName(name).name().isEmpty():
        return True
    scheme = QWebEngineUrlScheme(name)
    scheme.setSyntax(QWebEngineUrlScheme.Syntax.Host)
    flag = QWebEngineUrlScheme.Flag
    scheme.setFlags(flag.SecureScheme | flag.CorsEnabled | flag.FetchApiAllowed | flag.LocalAccessAllowed)
    QWebEngineUrlScheme.registerScheme(scheme)
    return True


def answer(
    path: str, page: bytes, tiles: TileSource | None, handed: Mapping[str, bytes] | None = None
) -> tuple[bytes, bytes] | None:
    """The content type and body for the path of an address, or None when there is no such thing.

    ``handed``: what the program hands over in numbers, by file name (``/points/7.bin``).
    """
    if path == "/page.html":
        return b"text/html", page
    numbers = _HANDED.fullmatch(path)
    if numbers:
        found = (handed or {}).get(numbers[1])
        return None if found is None else (b"application/octet-stream", found)
    tile = _TILE.fullmatch(path)
    if tile:
        # A missing tile is an empty one: an error would be drawn again and again.
        z, x, y = (int(part) for part in tile.groups())
        return b"application/x-protobuf", tiles.tile(z, x, y) if tiles else b""
    named = _FILE.fullmatch(path)
    if named is None:
        return None
    file = resources.path(named[1]) / named[2]
    kind = _TYPES.get(Path(named[2]).suffix)
    return (kind, file.read_bytes()) if kind and file.is_file() else None


def make_handler(
    page: bytes, tiles: TileSource | None, parent: QObject, handed: Mapping[str, bytes] | None = None
) -> QWebEngineUrlSchemeHandler:
    from PySide6.QtCore import QBuffer, QByteArray
    from PySide6.QtWebEngineCore import QWebEngineUrlRequestJob, QWebEngineUrlSchemeHandler

    class Handler(QWebEngineUrlSchemeHandler):
        def requestStarted(self, job: QWebEngineUrlRequestJob) -> None:
            try:
                found = answer(job.requestUrl().path(), page, tiles, handed)
            except Exception:
                # A request left without an answer hangs for ever, so it fails whatever went wrong.
                log.exception("the map asked for %s", job.requestUrl().path())
                job.fail(QWebEngineUrlRequestJob.Error.RequestFailed)
                return
            if found is None:
                job.fail(QWebEngineUrlRequestJob.Error.UrlNotFound)
                return
            buffer = QBuffer(job)  # parented: it has to live until the job has read it
            buffer.setData(QByteArray(found[1]))
            job.reply(QByteArray(found[0]), buffer)

    return Handler(parent)


class Guard:
    """Which addresses outside the program the map may ask: none, unless the online layer is on."""

    def __init__(self) -> None:
        self.allowed_host = ""
        self.blocked: list[str] = []

    def allows(self, scheme: str, host: str, address: str) -> bool:
        if scheme in _INSIDE or (scheme == "https" and host and host == self.allowed_host):
            return True
        log.warning("the map was kept from asking %s", address)
        self.blocked.append(address)
        return False


def make_interceptor(guard: Guard, parent: QObject) -> QWebEngineUrlRequestInterceptor:
    from PySide6.QtWebEngineCore import QWebEngineUrlRequestInfo, QWebEngineUrlRequestInterceptor

    class Interceptor(QWebEngineUrlRequestInterceptor):
        def interceptRequest(self, info: QWebEngineUrlRequestInfo) -> None:
            url = info.requestUrl()
            if not guard.allows(url.scheme(), url.host(), url.toString()):
                info.block(True)

    return Interceptor(parent)
