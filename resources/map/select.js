// Drawing an area: free hand, corner by corner, or a rectangle. What is inside is found by the program, not by the page.
"use strict";

window.fieldSelect = (() => {
  const LEAST = 4, MOST = 400;  // pixels between two corners of a free line; corners of an area
  let map, say, tool = null, corners = [], moving = null, held = null, shape = null, rectangle = null, hint = null, words = {};

  function attach(instance, speak) {
    map = instance;
    say = speak;
    map.createPane("area").style.zIndex = 640;
    map.getPane("area").style.pointerEvents = "none";
    shape = L.polygon([], { pane: "area", interactive: false, className: "area" });
    const box = map.getContainer();
    box.addEventListener("pointerdown", down, true);
    box.addEventListener("pointermove", move, true);
    box.addEventListener("pointerup", up, true);
    box.addEventListener("pointercancel", () => finish(null), true);
    box.addEventListener("dblclick", (event) => { if (tool === "polygon" && corners.length > 2) { stop(event); close(event); } }, true);
    box.addEventListener("keydown", key, true);
    map.boxZoom.disable();
  }

  /** `name`: lasso, polygon, rectangle, or null for the hand that moves the map. */
  function setTool(name, itsWords) {
    words = itsWords || words;
    tool = name;
    map.fieldTool = name;
    finish(null);
    map.dragging[name ? "disable" : "enable"]();
    map.getContainer().classList.toggle("drawing", Boolean(name));
    map.getContainer().style.cursor = "";
    if (hint) hint.remove();
    hint = null;
    if (name && words[name]) {
      hint = Object.assign(L.DomUtil.create("div", "tool-hint", map.getContainer()), { textContent: words[name] });
      map.getContainer().focus({ preventScroll: true });
    }
  }

  const stop = (event) => { event.preventDefault(); event.stopPropagation(); };
  const inside = (event) => !event.target.closest(".leaflet-control") && event.button === 0;
  const pixel = (event) => map.mouseEventToContainerPoint(event);
  const mode = (event) => (event.altKey ? "subtract" : event.shiftKey ? "add" : "replace");

  function down(event) {
    if (!inside(event)) return;
    if (!tool && !event.shiftKey) return;
    const at = pixel(event);
    if (tool === "polygon") {
      stop(event);
      const first = corners.length && map.latLngToContainerPoint(corners[0]);
      if (corners.length > 2 && first.distanceTo(at) < 10) { close(event); return; }
      const last = corners.length && map.latLngToContainerPoint(corners[corners.length - 1]);
      if (!last || last.distanceTo(at) > 3) corners.push(map.containerPointToLatLng(at));
      shape.addTo(map).setLatLngs(corners);
      return;
    }
    stop(event);
    map.dragging.disable();
    map.getContainer().setPointerCapture(event.pointerId);
    held = { at, rectangle: tool !== "lasso" };
    corners = [map.containerPointToLatLng(at)];
    moving = at;
    shape.addTo(map);
  }

  function move(event) {
    if (tool === "polygon" && corners.length) {
      shape.setLatLngs([...corners, map.containerPointToLatLng(pixel(event))]);
      return;
    }
    if (!held) return;
    stop(event);
    const at = pixel(event);
    if (held.rectangle) {
      rectangle = [held.at, L.point(at.x, held.at.y), at, L.point(held.at.x, at.y)];
      shape.setLatLngs(rectangle.map((point) => map.containerPointToLatLng(point)));
    } else if (moving.distanceTo(at) >= LEAST) {
      corners.push(map.containerPointToLatLng(at));
      moving = at;
      shape.setLatLngs(corners);
    }
  }

  function up(event) {
    if (!held) return;
    stop(event);
    const far = held.at.distanceTo(pixel(event));
    if (held.rectangle) corners = rectangle && far > 6 ? rectangle.map((point) => map.containerPointToLatLng(point)) : [];
    // The rectangle of the hand always adds: its key is already held.
    close(event, tool ? mode(event) : event.altKey ? "subtract" : "add");
  }

  function close(event, how) {
    const area = corners;
    finish(event);
    if (area.length < 3) return;
    const every = Math.ceil(area.length / MOST);
    const kept = area.filter((_, at) => at % every === 0).map(({ lat, lng }) => [lat, lng]);
    say("drawn", { mode: how || mode(event), area: kept });
  }

  function finish() {
    corners = [];
    held = moving = rectangle = null;
    if (shape) shape.setLatLngs([]).remove();
    if (!tool && map) map.dragging.enable();
  }

  function key(event) {
    if (!tool) return;
    if (event.key === "Escape") {
      stop(event);
      if (corners.length) finish(); else say("toolEnded", {});
    } else if (event.key === "Enter" && tool === "polygon" && corners.length > 2) { stop(event); close(event); }
    else if (event.key === "Backspace" && tool === "polygon" && corners.length) { stop(event); corners.pop(); shape.setLatLngs(corners); }
  }

  return { attach, setTool };
})();
