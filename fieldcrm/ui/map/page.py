"""The page of the map, rendered once by folium with the bundled scripts instead of its CDN addresses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any, ClassVar

import folium
from branca.element import Element, MacroElement
from folium.template import Template

from fieldcrm.geo.attribution import ATTRIBUTION
from fieldcrm.geo.basemap import TileSet
from fieldcrm.ui.map.scheme import HOST, SCHEME, TILES

_ASSETS = f"{SCHEME}://{HOST}/map"
_POLICY = (
    f"default-src 'none'; script-src {SCHEME}: qrc: 'unsafe-inline'; worker-src {SCHEME}:; "
    f"style-src {SCHEME}: 'unsafe-inline'; font-src {SCHEME}:; "
    f"img-src {SCHEME}: data: blob: https:; connect-src {SCHEME}:"
)


class _OfflineMap(folium.Map):
    """folium's map, with our files in place of the ten that it would fetch. Names are unique across both."""

    default_js: ClassVar[list[tuple[str, str]]] = [  # type: ignore[misc]
        ("leaflet", f"{_ASSETS}/leaflet.js"),
        ("clusters", f"{_ASSETS}/leaflet.markercluster.js"),
        ("protomaps", f"{_ASSETS}/protomaps-leaflet.js"),
        ("style", f"{_ASSETS}/style.js"),
        ("points", f"{_ASSETS}/points.js"),
        ("area", f"{_ASSETS}/select.js"),
        ("pick", f"{_ASSETS}/pick.js"),
        ("ground", f"{_ASSETS}/ground.js"),
        ("fieldmap", f"{_ASSETS}/fieldmap.js"),
    ]
    default_css: ClassVar[list[tuple[str, str]]] = [  # type: ignore[misc]
        ("leaflet-look", f"{_ASSETS}/leaflet.css"),
        ("clusters-look", f"{_ASSETS}/MarkerCluster.css"),
        ("fieldmap-look", f"{_ASSETS}/fieldmap.css"),
    ]


class _Start(MacroElement):
    """Hands the finished map to ``fieldmap.js``."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "fieldmap.start({{ this._parent.get_name() }}, {{ this.settings }});"
        "{% endmacro %}"
    )

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        # "</" would end the script element whatever it stands in.
        self.settings = json.dumps(settings, ensure_ascii=False).replace("</", "<\\/")


def render(tile_set: TileSet | None, theme: str, colours: Mapping[str, str], words: Mapping[str, str]) -> bytes:
    """The HTML of the page. ``theme`` is ``light`` or ``dark``; ``colours`` are the style sheet's, by name."""
    pack = None
    center = [0.0, 0.0]
    if tile_set is not None:
        west, south, east, north = tile_set.bounds
        center = [(south + north) / 2, (west + east) / 2]
        pack = {
            "url": TILES, "minZoom": tile_set.min_zoom, "maxZoom": tile_set.max_zoom,
            "bounds": [[south, west], [north, east]],
        }
    page = _OfflineMap(
        location=center, zoom_start=14 if pack else 2, tiles=None, zoom_control=True,
        zoom_snap=0.5, wheel_px_per_zoom_level=90, attribution_control=True,
    )
    page.options["maxZoom"] = 19  # folium drops it with tiles=None, and clusters do not work without
    attribution = escape(tile_set.attribution if tile_set else ATTRIBUTION)  # a pack's own words; Leaflet takes HTML
    page.add_child(_Start({
        "theme": theme, "colours": dict(colours), "pack": pack, "attribution": attribution, "words": dict(words),
    }))
    root: Any = page.get_root()
    root.header.add_child(Element(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'), index=0)
    html: str = root.render()
    return html.encode()
