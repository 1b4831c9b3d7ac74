"""The map: pins over streets, without a network. WebEngine is loaded when it is first shown, and not before."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import shiboken6
from PySide6.QtCore import QObject, QSize, Qt, QTimer, QUrl, Signal, Slot
from PySide6.QtGui import QColor, QShowEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.map.scheme import PAGE, SCHEME, Guard, webengine_installed
from fieldcrm.words import tr

if TYPE_CHECKING:
    from PySide6.QtWebEngineCore import QWebEnginePage, QWebEngineProfile
    from PySide6.QtWebEngineWidgets import QWebEngineView

    from fieldcrm.geo.basemap import Pack

log = logging.getLogger(__name__)

AFTER_THE_SCREEN_MS = 250

Place = tuple[float, float]  # latitude, longitude in degrees


class Bridge(QObject):
    """What the page may say to us."""

    isReady = Signal()
    wasSelected = Signal(str)
    wasActivated = Signal(str)
    wasCleared = Signal()
    wasSaid = Signal(str, str)

    @Slot(str, str)
    def said(self, kind: str, what: str) -> None:
        """What points, areas and placing say: a kind and its JSON."""
        self.wasSaid.emit(kind, what)

    @Slot()
    def ready(self) -> None:
        self.isReady.emit()

    @Slot(str)
    def selected(self, id: str) -> None:
        self.wasSelected.emit(id)

    @Slot(str)
    def activated(self, id: str) -> None:
        self.wasActivated.emit(id)

    @Slot()
    def cleared(self) -> None:
        self.wasCleared.emit()


def pin(id: str, name: str, place: Place, state: str, *, number: int = 0, note: str = "") -> dict[str, Any]:
    """One GeoJSON feature for ``set_outlets``; ``state``: next, planned, done, skipped or unplanned."""
    properties = {"id": id, "name": name, "state": state, "number": number, "note": note}
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [place[1], place[0]]},
        "properties": properties,
    }


def _import_page() -> None:
    try:
        from fieldcrm.ui.map import page  # noqa: F401
    except ImportError as error:
        log.info("the map's page was not imported: %s", error)  # ``load`` meets the same error, and shows it


class MapView(QWidget):
    """Pins and a route over the basemap of a region pack.

    Everything may be set before the map is loaded, or where WebEngine is missing: it is kept and shown when it can be.
    Ids are strings here; ``outletSelected`` is a click, ``outletActivated`` a double click or Enter.
    """

    outletSelected = Signal(str)
    outletActivated = Signal(str)
    selectionCleared = Signal()
    ready = Signal()

    def __init__(self, profile_folder: Path | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.guard = Guard()
        self._folder = profile_folder
        self._pack: Pack | None = None
        self._warming: Thread | None = None
        self._view: QWebEngineView | None = None
        self._page: QWebEnginePage | None = None
        self._profile: QWebEngineProfile | None = None
        self._is_ready = False
        self._handed: dict[str, bytes] = {}  # what the page fetches from us, by file name
        self._state: dict[str, str] = {}  # the last call of each kind, to be repeated when the page is ready
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._placeholder = _Placeholder(self)
        self._stack.addWidget(self._placeholder)
        self.setMinimumSize(QSize(160, 160))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("Map"))
        theme.signals().changed.connect(self._retheme)

    # ---- what is shown

    def set_outlets(self, features: Sequence[Mapping[str, Any]]) -> None:
        """Pins as GeoJSON features (see ``pin``); the first time, the map moves to show them."""
        self._tell("setOutlets", {"type": "FeatureCollection", "features": list(features)})
        if "select" in self._state and self._is_ready:
            self._run(self._state["select"])

    def set_route(self, line: Sequence[Place], *, done: Sequence[Place] = (), homes: Sequence[Place] = ()) -> None:
        """The way still to go, the part that is behind (paler), and where the day starts and ends."""
        self._tell("setRoute", {"line": list(line), "done": list(done), "homes": list(homes)})

    def select(self, id: str | None, *, show: bool = True) -> None:
        """Raise one pin; with ``show`` the map moves when it is out of sight. Emits nothing."""
        self._tell("select", id, show)

    def fit(self) -> None:
        """Move to today's stops, or to all pins when there are none."""
        if self._is_ready:
            self._run("fieldmap.fit()")

    def set_theme(self, name: str) -> None:
        """``light`` or ``dark``; follows the program's theme by itself."""
        self._tell("setTheme", "dark" if name.endswith("dark") else "light", _colours())

    def set_online_layer(self, url_template: str = "", attribution: str = "") -> None:
        """Let the map ask one tile server (https, {z}/{x}/{y}); empty: nobody, as from the start."""
        host = urlsplit(url_template).hostname or ""
        self.guard.allowed_host = host if url_template.startswith("https://") else ""
        self._tell("setOnline", url_template if self.guard.allowed_host else "", escape(attribution))

    @property
    def is_ready(self) -> bool:
        return self._is_ready

    @property
    def page(self) -> QWebEnginePage | None:
        return self._page

    # ---- loading

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._view is None and webengine_installed():
            # The screen first, the map a moment later: its imports would fight the start for the processor.
            QTimer.singleShot(AFTER_THE_SCREEN_MS, self, self._load_soon)
        elif self._view is None:
            self._placeholder.say(tr("The map cannot be shown on this computer"), tr(
                "Qt WebEngine is not installed. Everything else works; the list has the same stops in the same order."))

    def _load_soon(self) -> None:
        """The view is made when folium is there: half a second of imports, beside the screens and not before them."""
        if self._warming is not None:
            return
        self._warming = Thread(target=_import_page, name="map", daemon=True)
        self._warming.start()
        look = QTimer(self)
        look.setInterval(20)

        def ready() -> None:
            if self._warming is not None and not self._warming.is_alive():
                look.stop()
                self.load()

        look.timeout.connect(ready)
        look.start()

    def load(self) -> None:
        """Make the WebEngine view; a second call does nothing."""
        if self._view is not None or not shiboken6.isValid(self):
            return
        try:
            self._make_view()
        except ImportError as error:
            log.warning("no map: %s", error)
            self._placeholder.say(tr("The map cannot be shown on this computer"), str(error))

    def _make_view(self) -> None:
        from PySide6.QtWebChannel import QWebChannel
        from PySide6.QtWebEngineCore import QWebEnginePage, QWebEngineProfile, QWebEngineScript, QWebEngineUrlScheme
        from PySide6.QtWebEngineWidgets import QWebEngineView

        from fieldcrm.ui.map import packs, scheme
        from fieldcrm.ui.map import page as rendered

        # Qt locks the schemes when its first page is made; asking this late keeps WebEngine out of the start.
        if not scheme.register_scheme() or QWebEngineUrlScheme.schemeByName(SCHEME.encode()).name().isEmpty():
            raise ImportError("fieldcrm:// could not be registered")
        self._pack = packs.open_pack(self._folder)
        tile_set = self._pack.tile_set if self._pack else None
        html = rendered.render(tile_set, _flavour(), _colours(), self.page_words())
        profile = QWebEngineProfile()  # without a name: nothing is written to disk
        # Kept by name: the profile does not keep the Python half of these two, and then silently asks nobody.
        self._handler = scheme.make_handler(html, self._pack, profile, self._handed)
        self._interceptor = scheme.make_interceptor(self.guard, profile)
        profile.installUrlSchemeHandler(SCHEME.encode(), self._handler)
        profile.setUrlRequestInterceptor(self._interceptor)
        script = QWebEngineScript()
        script.setSourceUrl(QUrl("qrc:///qtwebchannel/qwebchannel.js"))
        script.setInjectionPoint(QWebEngineScript.InjectionPoint.DocumentCreation)
        script.setWorldId(QWebEngineScript.ScriptWorldId.MainWorld)
        profile.scripts().insert(script)
        view = QWebEngineView(self)
        page = QWebEnginePage(profile)
        page.setBackgroundColor(QColor(theme.current().color.canvas))
        self._bridge = Bridge(self)
        self._bridge.isReady.connect(self._on_ready)
        self._bridge.wasSelected.connect(self.outletSelected)
        self._bridge.wasActivated.connect(self.outletActivated)
        self._bridge.wasCleared.connect(self.selectionCleared)
        self._bridge.wasSaid.connect(self._on_said)
        channel = QWebChannel(page)
        channel.registerObject("bridge", self._bridge)
        page.setWebChannel(channel)
        page.renderProcessTerminated.connect(self._on_crashed)
        view.setPage(page)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        view.setAccessibleName(tr("Map"))
        self._profile, self._page, self._view = profile, page, view
        # The page has to go before its profile, also when Qt tears a whole window down with the view in it.
        view.destroyed.connect(_Teardown(page, profile, self._pack))
        self._stack.addWidget(view)
        page.load(QUrl(PAGE))

    def page_words(self) -> dict[str, str]:
        """Words that stand on the page from its start."""
        return {
            "fit": tr("Show all of today's stores"),
            "no_pack": tr("No streets for this area yet: Settings ▸ Photos and map"),
        }

    def heard(self, kind: str, what: dict[str, Any]) -> None:
        """What the page says beyond pins; subclasses listen."""

    def _on_said(self, kind: str, what: str) -> None:
        self.heard(kind, json.loads(what))

    def _on_ready(self) -> None:
        self._is_ready = True
        for call in self._state.values():
            self._run(call)
        self._stack.setCurrentIndex(1)
        self.ready.emit()

    def _on_crashed(self) -> None:
        if self._page is None or not shiboken6.isValid(self):
            return
        log.warning("the map's process ended; it is loaded again")
        self._is_ready = False
        self._stack.setCurrentIndex(0)
        QTimer.singleShot(500, self, self._reload)

    def _reload(self) -> None:
        if self._page is not None:
            self._page.load(QUrl(PAGE))

    def close_map(self) -> None:
        """Take WebEngine down in the order it needs. Call before the window goes; a second call does nothing."""
        view = self._view
        self._page = self._view = self._profile = self._pack = None
        self._is_ready = False
        if view is not None and shiboken6.isValid(view):
            shiboken6.delete(view)

    # ---- talking to the page

    def _tell(self, function: str, *arguments: Any) -> None:
        owner = "" if "." in function else "fieldmap."
        call = f"{owner}{function}({', '.join(json.dumps(a, ensure_ascii=False) for a in arguments)})"
        self._state[function] = call
        if self._is_ready:
            self._run(call)

    def _run(self, script: str) -> None:
        if self._page is not None:
            self._page.runJavaScript(script)

    def _retheme(self) -> None:
        if not shiboken6.isValid(self):
            return
        self.set_theme(theme.current().name)
        if self._page is not None:
            self._page.setBackgroundColor(QColor(theme.current().color.canvas))
        if "setRoute" in self._state and self._is_ready:
            self._run(self._state["setRoute"])  # its line takes the new accent


class _Teardown:
    """The view is gone: now the page, then the profile. Any other order ends in a segmentation fault at exit."""

    def __init__(self, page: QObject, profile: QObject, pack: Pack | None) -> None:
        self._objects = (page, profile)
        self._pack = pack

    def __call__(self, *_: object) -> None:
        for made in self._objects:
            if shiboken6.isValid(made):
                shiboken6.delete(made)
        if self._pack is not None:
            self._pack.close()


class _Placeholder(QWidget):
    """What stands where the map will be, or says why there is none."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.space(8), theme.space(8), theme.space(8), theme.space(8))
        self._title, self._text = QLabel(self), QLabel(self)
        self._title.setFont(theme.font("body-strong"))
        layout.addStretch()
        for label in (self._title, self._text):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(True)
            layout.addWidget(label)
        layout.addStretch()

    def say(self, title: str, text: str) -> None:
        self._title.setText(title)
        self._text.setText(text)


def _flavour() -> str:
    return "dark" if theme.current().name.endswith("dark") else "light"


def _colours() -> dict[str, str]:
    color = theme.current().color
    return {
        "surface": color.surface, "text": color.text, "muted": color.muted, "border": color.border,
        "accent": color.accent, "on-accent": color.on_accent, "success": color.success, "skipped": color.neutral,
        "pin": color.surface, "dot": color.neutral, "shadow": "0, 0, 0" if _flavour() == "dark" else "20, 22, 20",
    }
