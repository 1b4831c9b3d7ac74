"""The map of many outlets: from points to what is seen, and frames while it is dragged, beside two peers.

    PYTHONPATH=. python benchmarks/outlet_map.py --points 100000 500000

Points are synthetic (``benchmarks.synthetic``), the page is the program's own in a real Qt WebEngine without a screen
(``QT_QPA_PLATFORM=offscreen``): there is no GPU, the processor draws all of it. *First paint* runs from the hand-over
to the page until the animation frame after every point was drawn as a speck; *clusters* until the frame after the
clusters were. A drag is mouse events, one move each animation frame: frames are those that the page was given, so that
what the compositor and Qt take is in them; *script* is the page's part of a frame, *draw* one drawing of the canvas.

The peers, in the same run: Leaflet.markercluster with the icons that the program had before, and a canvas that draws
every point anew in each frame without clustering, the least that showing them all can cost.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")

WIDTH, HEIGHT = 1280, 800
ZOOMS = (6, 9, 12, 15)
MIDDLE = (48.857, 2.352)  # Paris: the thickest spot

SCRIPT = Path(__file__).with_suffix(".js")


class Page:
    """A PointMap with the waiting that a script needs."""

    def __init__(self) -> None:
        from PySide6.QtWidgets import QApplication

        from fieldcrm.ui import theme
        from fieldcrm.ui.map import scheme

        scheme.register_scheme()
        self.app = QApplication.instance() or QApplication(sys.argv[:1])
        theme.apply("light")
        from fieldcrm.ui.widgets.map_view_points import PointMap

        self.map = PointMap()
        self.map.resize(WIDTH, HEIGHT)
        self.map.show()
        self.until(lambda: self.map.is_ready, 60)
        page = self.map.page
        assert page is not None
        page.runJavaScript(SCRIPT.read_text(encoding="utf-8"))

    def until(self, ready: Callable[[], object], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > end:
                raise TimeoutError("the page did not answer")
            self.app.processEvents()
            time.sleep(0.001)

    def run(self, script: str, seconds: float = 60) -> Any:
        """The value of a script; of a promise, what it comes to."""
        found: list[Any] = []
        page = self.map.page
        assert page is not None
        page.runJavaScript(
            f"window.benchAnswer = undefined; Promise.resolve({script})"
            ".then((v) => { window.benchAnswer = JSON.stringify(v === undefined ? null : v); }); 1"
        )

        def look() -> bool:
            page.runJavaScript("window.benchAnswer || ''", found.append)
            self.until(lambda: found, 30)
            return bool(found.pop())

        end = time.monotonic() + seconds
        while not look():
            if time.monotonic() > end:
                raise TimeoutError(script)
            self.rest(0.05)
        page.runJavaScript("window.benchAnswer", found.append)
        self.until(lambda: found, 30)
        return json.loads(found[0])

    def rest(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.app.processEvents()
            time.sleep(0.001)

    def drags(self, seconds: float, zooms: tuple[int, ...] = ZOOMS) -> dict[str, Any]:
        found = {}
        for zoom in zooms:
            self.run(f"(fieldmap.map().setView([{MIDDLE[0]}, {MIDDLE[1]}], {zoom}, {{animate: false}}), 1)")
            self.rest(0.8)
            found[f"zoom {zoom}"] = self.run(f"benchDrag({seconds})", seconds + 60)
        return found


def measured(page: Page, count: int, seconds: float) -> dict[str, Any]:
    import numpy as np

    from fieldcrm.ui.widgets.map_view_points import Shade, ordered_colours
    from fieldcrm.usecases.outlets import Points

    points, codes = made(count)
    shades = [Shade(str(at), colour) for at, colour in enumerate(ordered_colours(5))]
    before = renderer_mb()
    shown: list[int] = []
    page.map.shown.connect(shown.append)
    began = time.perf_counter()
    page.map.set_points(Points(points[0], points[1], points[2]), np.asarray(codes), shades)
    hand_over = time.perf_counter() - began
    page.until(lambda: shown, 120)
    page.rest(0.5)
    page.map.shown.disconnect(shown.append)
    timing = page.run("fieldPoints.timing")
    found = {
        "points": count,
        "hand_over_ms": round(hand_over * 1000, 1),
        "first_paint_ms": round(timing["first"] - timing["given"], 1),
        "clusters_ms": round(timing["settled"] - timing["given"], 1),
        "index_ms": round(timing["spent"], 1),
        "page_memory_mb": round(renderer_mb() - before, 1),
        "drag": page.drags(seconds),
    }
    found["clusters_drawn"] = page.run("fieldPoints.describe().drawn")
    return found


def peers(page: Page, count: int, markers: int, seconds: float) -> dict[str, Any]:
    """On the same page with our layer empty; they read the bytes that were handed over, before their clock starts."""
    import numpy as np

    from fieldcrm.usecases.outlets import Points

    body = list(page.map._handed.values())[-1]
    none = np.empty(0, dtype=np.int32)
    page.map.set_points(Points(none, none, none), none.astype("u1"), (), fit=False)
    page.rest(0.5)
    page.map._handed["0.bin"] = body
    url = "points/0.bin"
    before = renderer_mb()
    first = page.run(f"benchMarkers('{url}', {markers})", 300)
    clustered = {
        "points": min(count, markers), "first_paint_ms": round(first, 1),
        "page_memory_mb": round(renderer_mb() - before, 1), "drag": page.drags(seconds, (6, 12)),
    }  # fmt: skip
    page.run("(fieldmap.map().removeLayer(benchGroup), 1)")
    first = page.run(f"benchBare('{url}')", 120)
    bare = {"points": count, "first_paint_ms": round(first, 1), "drag": page.drags(seconds, (6, 12))}
    page.run("(window.benchEach = null, benchCanvas.remove(), 1)")
    return {"leaflet.markercluster": clustered, "bare canvas": bare}


def made(count: int) -> tuple[tuple[Any, Any, Any], list[int]]:
    import numpy as np

    from benchmarks.synthetic import outlets

    lats, lons, codes = [], [], []
    for number, one in enumerate(outlets(count)):
        lats.append(round(one.lat * 1e7))
        lons.append(round(one.lon * 1e7))
        codes.append(number * 7919 % 6)
    rids = np.arange(1, count + 1, dtype=np.int32)
    return (rids, np.array(lats, dtype=np.int32), np.array(lons, dtype=np.int32)), codes


def renderer_mb() -> float:
    """Resident memory of the page's processes, this program's children; 0 where there is no /proc."""
    total, mine = 0, {os.getpid()}
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            parents[int(folder.name)] = int(fields[1])
        except (OSError, IndexError):
            continue
    for _ in range(4):
        mine |= {pid for pid, parent in parents.items() if parent in mine}
    for pid in mine - {os.getpid()}:
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
        except OSError:
            continue
    return total / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, nargs="+", default=[100_000])
    parser.add_argument("--seconds", type=float, default=5, help="of each drag")
    parser.add_argument("--markers", type=int, default=20_000, help="how many the peer with elements is given")
    arguments = parser.parse_args()
    page = Page()
    runs = []
    for count in arguments.points:
        run = measured(page, count, arguments.seconds)
        run["peers"] = peers(page, count, arguments.markers, arguments.seconds)
        run["slowest_drag_frames_per_s"] = min(one["frames_per_s"] for one in run["drag"].values())
        bare = run["peers"]["bare canvas"]
        run["first_paint_to_bare_canvas"] = round(run["first_paint_ms"] / max(1, bare["first_paint_ms"]), 2)
        runs.append(run)
    page.map.close_map()
    json.dump({
        "synthetic": True, "platform": os.environ["QT_QPA_PLATFORM"], "drawn_by": "processor (no GPU)",
        "view": [WIDTH, HEIGHT], "load_average": os.getloadavg()[0], "runs": runs,
    }, sys.stdout, indent=1)  # fmt: skip
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
