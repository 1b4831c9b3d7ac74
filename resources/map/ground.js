// What lies under the points where no pack reaches: land, sea and a graticule, so that a place is somewhere.
"use strict";

window.fieldGround = (() => {
  const STEPS = [[3, 30], [4, 20], [5, 10], [6, 5], [7, 2], [9, 1], [10, 0.5], [12, 0.1], [14, 0.02], [20, 0.01]];
  let map, pack, land = null, lines = null, painter = null, on = false, theme = "light", text = "", sentence = null;

  function attach(instance, itsPack, words) {
    map = instance;
    pack = itsPack && { ...itsPack, area: L.latLngBounds(itsPack.bounds) };
    text = words.no_pack || "";
    map.createPane("ground").style.zIndex = 150;
    painter = L.canvas({ pane: "ground", padding: 0.4 });
    lines = L.layerGroup();
    map.on("moveend", look);
    look();
  }

  function covered() {
    return Boolean(pack) && map.getZoom() >= pack.minZoom - 1.5 && pack.area.pad(0.35).contains(map.getCenter());
  }

  async function look() {
    if (!map._loaded) return;
    const wanted = !covered();
    if (wanted !== on) {
      on = wanted;
      map.getContainer().classList.toggle("no-pack", on);
      if (on) await show(); else { land && land.remove(); lines.remove(); }
      say();
    }
    if (on) rule();
  }

  async function show() {
    lines.addTo(map);
    if (!land) {
      const rings = await (await fetch("map/land.json")).json();
      land = L.layerGroup(rings.map((polygon) => L.polygon(polygon.map(unfolded), { renderer: painter, interactive: false, stroke: false, fillOpacity: 1, smoothFactor: 0.7 })));
      paint();
    }
    if (on) land.addTo(map);
  }

  // Differences of hundredths of a degree, longitude first.
  function unfolded(flat) {
    const ring = [];
    for (let i = 0, x = 0, y = 0; i < flat.length; i += 2) ring.push([(y += flat[i + 1]) / 100, (x += flat[i]) / 100]);
    return ring;
  }

  function paint() {
    if (land) land.eachLayer((polygon) => polygon.setStyle({ fillColor: fieldStyle.earth(theme) }));
  }

  function rule() {
    lines.clearLayers();
    const step = STEPS.find(([zoom]) => map.getZoom() <= zoom)[1], sight = map.getBounds().pad(0.3);
    const line = (ends) => L.polyline(ends, { renderer: painter, interactive: false, weight: 1, opacity: 0.35, color: fieldStyle.grid(theme) }).addTo(lines);
    const south = Math.max(-84, sight.getSouth()), north = Math.min(84, sight.getNorth());
    const west = Math.max(-180, sight.getWest()), east = Math.min(180, sight.getEast());
    for (let x = Math.ceil(west / step) * step; x <= east; x += step) line([[south, x], [north, x]]);
    for (let y = Math.ceil(south / step) * step; y <= north; y += step) line([[y, west], [y, east]]);
  }

  function say() {
    if (on && text && !sentence) {
      sentence = L.control({ position: "bottomleft" });
      sentence.onAdd = () => Object.assign(L.DomUtil.create("div", "no-pack-note"), { textContent: text });
      sentence.addTo(map);
    } else if (!on && sentence) { sentence.remove(); sentence = null; }
  }

  function setTheme(name) {
    theme = name;
    paint();
    if (map && on) rule();
  }

  return { attach, setTheme, look, describe: () => ({ on, land: land ? land.getLayers().length : 0, lines: lines ? lines.getLayers().length : 0 }) };
})();
