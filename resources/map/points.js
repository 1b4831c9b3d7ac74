// A hundred thousand stores on one canvas: no element a store. The worker clusters and counts; here is what is seen,
// what lies under the pointer, and how keys move from store to store.
"use strict";

window.fieldPoints = (() => {
  const PAD = 0.3;  // of the view, drawn beyond each edge: a pan shows it without drawing anew
  const AROUND = 0.75;  // of the view, asked for beyond each edge
  const TURN = 2 * Math.PI;
  const SINGLE = 5.5;

  let map, say, worker = null, layer = null, waiting = new Map(), turn = 0, given = 0;
  let look = { colours: [], surface: "#fff", text: "#000", muted: "#666", accent: "#0f6b57", names: [], words: {} };
  let points = null;  // rids, latitudes, longitudes, categories, chosen
  let shown = null;  // the last answer of the worker, as typed arrays, with the box it covers
  let asked = null, current = null, focus = -1, over = -1, openedAt = 0, numbers, compact;
  const timing = { draws: 0, drawing: 0, first: 0, settled: 0, given: 0, loaded: 0, spent: 0 };

  // ---- the worker
  function ask(task, more, early) {
    worker = worker || started();
    return new Promise((resolve, reject) => {
      waiting.set(++turn, { resolve, reject, early });
      worker.postMessage({ task, turn, ...more });
    });
  }

  function started() {
    const made = new Worker("map/points-worker.js");
    made.onmessage = ({ data }) => {
      const { resolve, reject, early } = waiting.get(data.turn);
      if (data.bare) { early(data); return; }
      waiting.delete(data.turn);
      if (data.error) reject(new Error(data.error)); else resolve(data);
    };
    made.onerror = (event) => say("failed", { reason: event.message || "worker" });
    return made;
  }

  // ---- what Python tells
  function attach(instance, speak) {
    map = instance;
    say = speak;
  }

  /** `what`: url, colours (a list of CSS colours by class), names, words, language, fit (whether to show all). */
  async function setPoints(what) {
    const mine = ++given;
    timing.given = performance.now();
    timing.first = 0;
    setLook(what);
    if (!layer) begin();
    const bare = (answer) => {
      if (mine !== given) return;
      points = { rids: new Int32Array(answer.rids), latitudes: new Int32Array(answer.latitudes),
        longitudes: new Int32Array(answer.longitudes), categories: new Uint8Array(answer.categories), chosen: null, bounds: answer.bounds };
      shown = null;
      if (what.fit && answer.bounds) fit();
      draw();
      requestAnimationFrame(() => { timing.first = performance.now(); });
    };
    try {
      const answer = await ask("load", { url: absolute(what.url), colours: look.colours.length }, bare);
      if (mine !== given) return;
      timing.loaded = performance.now();
      timing.spent = answer.spent;
      focus = over = -1;
      halo();
      await refresh(true);
      requestAnimationFrame(() => { timing.settled = performance.now(); });
      say("shown", { n: answer.count });
    } catch (error) {
      if (mine === given) say("failed", { reason: String(error) });
    }
  }

  async function recolour(what) {
    setLook(what);
    const answer = await ask("recolour", { url: absolute(what.url), colours: look.colours.length });
    points.categories = new Uint8Array(answer.categories);
    await refresh(true);
  }

  async function choose(url) {
    const answer = await ask("choose", { url: url ? absolute(url) : null });
    if (points) points.chosen = answer.chosen ? new Uint8Array(answer.chosen) : null;
    await refresh(true);
  }

  const absolute = (url) => new URL(url, location.href).href;  // the worker's own address is another folder

  function setLook(what) {
    for (const key of ["colours", "names", "words", "language"]) if (what[key]) look[key] = what[key];
    const read = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    Object.assign(look, { surface: read("surface"), text: read("text"), muted: read("muted"), accent: read("accent") });
    numbers = new Intl.NumberFormat(look.language || "en");
    compact = new Intl.NumberFormat(look.language || "en", { notation: "compact", maximumFractionDigits: 1 });
  }

  function setCurrent(rid, reveal) {
    current = rid;
    const at = rid === null || !points ? -1 : points.rids.indexOf(rid);
    if (at >= 0 && reveal) {
      const place = [points.latitudes[at] / 1e7, points.longitudes[at] / 1e7];
      if (!map.getBounds().pad(-0.08).contains(place)) map.panTo(place, { animate: false });
    }
    draw();
  }

  let unfitted = false;  // asked for before the page had its room: done as soon as it has

  function fit() {
    map.invalidateSize({ animate: false });
    const size = map.getSize();
    unfitted = !(points && points.bounds && size.x > 60 && size.y > 60);
    if (!unfitted) {
      map.fitBounds(points.bounds, { padding: [size.x > 500 ? 36 : 16, 36], maxZoom: 16, animate: false });
    }
  }

  // ---- the layer
  const Layer = L.Layer.extend({
    onAdd() {
      const pane = map.createPane("points");
      pane.style.zIndex = 450;
      pane.style.pointerEvents = "none";
      this.canvas = L.DomUtil.create("canvas", "leaflet-zoom-animated", pane);
      this.ink = this.canvas.getContext("2d");
      this.halo = L.DomUtil.create("div", "points-halo", pane);  // under the pointer: no reason to draw the rest anew
      this.halo.hidden = true;
      map.on("zoomstart dragstart", () => hoverAt(null));
      map.on("resize", () => { if (unfitted) fit(); });
      map.on("moveend viewreset resize", () => { refresh(false); }).on("move", this.moved, this).on("zoomanim", this.animate, this);
      map.on("click", clicked).on("dblclick", doubleClicked).on("mousemove", hovered).on("mouseout", left);
      map.doubleClickZoom.disable();
    },
    moved() {
      if (this.at && !map._animatingZoom) {
        const offset = map.containerPointToLayerPoint([0, 0]).subtract(this.at), size = map.getSize();
        if (Math.abs(offset.x) > size.x * PAD * 0.8 || Math.abs(offset.y) > size.y * PAD * 0.8) refresh(false);
      }
    },
    animate(event) {
      const scale = map.getZoomScale(event.zoom, this.zoom);
      const offset = map._latLngToNewLayerPoint(this.corner, event.zoom, event.center);
      L.DomUtil.setTransform(this.canvas, offset, scale);
    },
  });

  function begin() {
    layer = new Layer().addTo(map);
    map.getContainer().addEventListener("keydown", keyed);
    const pane = L.DomUtil.create("div", "points-note", map.getContainer());
    pane.hidden = true;
    layer.note = pane;
    document.fonts.load("600 11px Inter").then(draw);
    layer.voice = L.DomUtil.create("div", "unseen", map.getContainer());
    layer.voice.setAttribute("aria-live", "polite");
  }

  // Ask for what is in sight, unless the last answer covers it; draw either way.
  async function refresh(anew) {
    if (!points || map.getSize().x < 20) return;
    const zoom = Math.max(0, Math.floor(map.getZoom() + 1e-6)), sight = map.getBounds();
    if (!anew && shown && shown.zoom === zoom && shown.box.contains(sight)) { draw(); return; }
    if (shown && shown.zoom !== zoom) draw();
    const box = sight.pad(AROUND), mine = asked = {};
    const answer = await ask("view", { box: [Math.max(-180, box.getWest()), Math.max(-89, box.getSouth()), Math.min(180, box.getEast()),
      Math.min(89, box.getNorth())], zoom });
    if (asked !== mine) return;
    shown = { size: answer.size, classes: answer.classes, zoom, box, x: new Float64Array(answer.x), y: new Float64Array(answer.y),
      members: new Uint32Array(answer.members), reference: new Int32Array(answer.reference), picked: new Uint32Array(answer.picked),
      shares: new Uint32Array(answer.shares) };
    shown.order = Uint32Array.from(shown.members.keys()).sort((a, b) => shown.members[a] - shown.members[b]);
    focus = over = -1;
    halo();
    note(null);
    draw();
  }

  // Where item `at` stands on the map's own layer, in pixels.
  function place(at) {
    const scale = 256 * 2 ** map.getZoom(), origin = map.getPixelOrigin();
    return [shown.x[at] * scale - origin.x, shown.y[at] * scale - origin.y];
  }

  const radius = (members) => (members === 1 ? SINGLE : members < 10 ? 13 : members < 100 ? 16 : members < 1000 ? 19 : members < 10000 ? 24 : 27);

  function draw() {
    if (!layer || map._animatingZoom) return;
    const began = performance.now();
    const { canvas, ink } = layer, size = map.getSize(), ratio = Math.min(2, window.devicePixelRatio || 1);
    const pad = [Math.round(size.x * PAD), Math.round(size.y * PAD)];
    const width = size.x + 2 * pad[0], height = size.y + 2 * pad[1];
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    const corner = map.containerPointToLayerPoint([-pad[0], -pad[1]]);
    L.DomUtil.setPosition(canvas, corner);
    layer.at = map.containerPointToLayerPoint([0, 0]);
    layer.corner = map.layerPointToLatLng(corner);
    layer.zoom = map.getZoom();
    ink.setTransform(ratio, 0, 0, ratio, 0, 0);
    ink.clearRect(0, 0, width, height);
    if (shown) {
      ink.translate(-corner.x, -corner.y);
      ink.textAlign = "center";
      ink.textBaseline = "middle";
      for (const at of shown.order) {
        const [x, y] = place(at);
        if (x > corner.x - 30 && y > corner.y - 30 && x < corner.x + width + 30 && y < corner.y + height + 30) item(ink, at, x, y);
      }
      marks(ink);
    } else if (points) {
      ink.translate(-corner.x, -corner.y);
      dots(ink, corner, width, height);
    }
    timing.draws++;
    timing.drawing += performance.now() - began;
  }

  // Every point as a speck: what is seen in the moment before the clusters are ready. One colour after another, for
  // changing the ink costs more than the speck; at most so many that a frame is not missed.
  function dots(ink, corner, width, height) {
    const { latitudes, longitudes, categories } = points, every = Math.ceil(latitudes.length / 60000);
    const scale = 256 * 2 ** map.getZoom(), origin = map.getPixelOrigin();
    look.colours.forEach((colour, code) => {
      ink.fillStyle = colour;
      for (let i = 0; i < latitudes.length; i += every) {
        if (categories[i] !== code) continue;
        const sin = Math.sin(latitudes[i] * Math.PI / 1.8e9);
        const x = (longitudes[i] / 3.6e9 + 0.5) * scale - origin.x;
        const y = (0.5 - 0.25 * Math.log((1 + sin) / (1 - sin)) / Math.PI) * scale - origin.y;
        if (x > corner.x && y > corner.y && x < corner.x + width && y < corner.y + height) ink.fillRect(x - 1, y - 1, 2, 2);
      }
    });
  }

  function item(ink, at, x, y) {
    const members = shown.members[at], r = radius(members);
    if (members === 1) {
      const picked = points.chosen && points.chosen[shown.reference[at]];
      disc(ink, x, y, r + (picked ? 3.5 : 1.5), picked ? look.accent : look.surface);
      if (picked) disc(ink, x, y, r + 1.5, look.surface);
      disc(ink, x, y, r, look.colours[points.categories[shown.reference[at]]] || look.muted);
      return;
    }
    disc(ink, x, y, r + 1.5, look.surface);
    let angle = -Math.PI / 2;
    for (let colour = 0; colour < shown.classes; colour++) {
      const share = shown.shares[at * shown.classes + colour] / members;
      if (share) {
        ink.fillStyle = look.colours[colour];
        ink.beginPath();
        ink.moveTo(x, y);
        ink.arc(x, y, r, angle, angle += share * TURN);
        ink.fill();
      }
    }
    disc(ink, x, y, r - 4.5, look.surface);
    if (shown.picked[at]) {
      ink.strokeStyle = look.accent;
      ink.lineWidth = 2.5;
      ink.beginPath();
      ink.arc(x, y, r + 3.5, -Math.PI / 2, -Math.PI / 2 + TURN * shown.picked[at] / members);
      ink.stroke();
    }
    ink.fillStyle = look.text;
    ink.font = `600 ${r > 20 ? 12 : 11}px Inter, system-ui, sans-serif`;
    ink.fillText(members < 10000 ? numbers.format(members) : compact.format(members), x, y + 0.5);
  }

  function disc(ink, x, y, r, colour) {
    ink.fillStyle = colour;
    ink.beginPath();
    ink.arc(x, y, r, 0, TURN);
    ink.fill();
  }

  function marks(ink) {
    const at = current === null ? -1 : points.rids.indexOf(current);
    if (at >= 0) {  // whether or not it is drawn alone
      const { x, y } = map.latLngToLayerPoint([points.latitudes[at] / 1e7, points.longitudes[at] / 1e7]);
      if (shown.order.some((item) => shown.members[item] === 1 && shown.reference[item] === at)) {
        disc(ink, x, y, 10.5, look.surface);
        ring(ink, x, y, 9.5, 3, look.accent);
        disc(ink, x, y, SINGLE + 0.5, look.colours[points.categories[at]] || look.muted);
      } else {  // somewhere in a cluster: small, so that its number can be read
        const [dx, dy] = besideNumber(x, y);
        disc(ink, dx, dy, 6, look.surface);
        disc(ink, dx, dy, 4.5, look.accent);
      }
    }
    if (focus >= 0) ring(ink, ...place(focus), radius(shown.members[focus]) + 6, 2.5, look.text);
  }

  function besideNumber(x, y) {  // where the circle of a cluster would be covered, at its edge
    const over = shown.order.find((item) => shown.members[item] > 1 && Math.hypot(place(item)[0] - x, place(item)[1] - y) < radius(shown.members[item]));
    if (over === undefined) return [x, y];
    const edge = radius(shown.members[over]) * Math.SQRT1_2;
    return [place(over)[0] + edge, place(over)[1] - edge];
  }

  function ring(ink, x, y, r, width, colour) {
    ink.strokeStyle = colour;
    ink.lineWidth = width;
    ink.beginPath();
    ink.arc(x, y, r, 0, TURN);
    ink.stroke();
  }

  // ---- what lies under the pointer
  function hits(point) {
    const found = [];
    if (shown) {
      for (const at of shown.order) {
        const [x, y] = place(at), reach = radius(shown.members[at]) + 4;
        if ((x - point.x) ** 2 + (y - point.y) ** 2 <= reach * reach) found.push(at);
      }
    }
    return found.reverse();  // what is on top comes first
  }

  function clicked(event) {
    if (map.fieldTool) return;
    const found = hits(event.layerPoint);
    if (!found.length) { say("missed", {}); return; }
    const alone = found.filter((at) => shown.members[at] === 1);
    if (shown.members[found[0]] > 1) { open(found[0]); return; }
    // Several stores in one place: each click shows the next.
    const now = alone.findIndex((at) => points.rids[shown.reference[at]] === current);
    const next = alone[(now + 1) % alone.length], rid = points.rids[shown.reference[next]];
    say("clicked", { rid, toggle: event.originalEvent.ctrlKey || event.originalEvent.metaKey });
  }

  function doubleClicked(event) {
    if (map.fieldTool) return;
    const alone = hits(event.layerPoint).filter((at) => shown.members[at] === 1);
    if (alone.length) {
      const here = alone.find((at) => points.rids[shown.reference[at]] === current);
      say("activated", { rid: points.rids[shown.reference[here === undefined ? alone[0] : here]] });
    } else if (performance.now() - openedAt > 500) {
      map.setZoomAround(event.containerPoint, map.getZoom() + (event.originalEvent.shiftKey ? -1 : 1));
    }
  }

  async function open(at) {
    openedAt = performance.now();
    const answer = await ask("open", { cluster: shown.reference[at] });
    const size = map.getSize(), box = L.latLngBounds(answer.bounds);
    const fitting = map.getBoundsZoom(box, false, L.point(Math.min(80, size.x / 4), Math.min(80, size.y / 4)));
    map.setView(box.getCenter(), Math.min(map.getMaxZoom(), Math.max(fitting, answer.zoom > 16 ? 17 : map.getZoom() + 1)), { animate: true });
  }

  let pointer = null;
  function hovered(event) {
    if (!pointer) requestAnimationFrame(() => { const last = pointer; pointer = null; if (last) hoverAt(last); });
    pointer = event.layerPoint;
  }

  function left() { pointer = null; hoverAt(null); }

  function hoverAt(point) {
    const still = !map.fieldTool && !(map.dragging.moving && map.dragging.moving());
    const at = point && shown && still ? hits(point)[0] : undefined;
    if ((at === undefined ? -1 : at) === over) return;
    over = at === undefined ? -1 : at;
    if (!map.fieldTool) map.getContainer().style.cursor = over >= 0 ? "pointer" : "";
    tellOf(over);
    halo();
  }

  function halo() {
    layer.halo.hidden = over < 0;
    if (over < 0) return;
    const [x, y] = place(over), r = radius(shown.members[over]) + 6;
    layer.halo.style.width = layer.halo.style.height = `${2 * r}px`;
    L.DomUtil.setPosition(layer.halo, L.point(x - r, y - r));
  }

  function tellOf(at) {
    if (at < 0) { note(null); return; }
    if (shown.members[at] > 1) note(at, ...summary(at));
    else { note(null); say("hovered", { rid: points.rids[shown.reference[at]] }); }
  }

  function summary(at) {
    const shares = Array.from(shown.shares.subarray(at * shown.classes, (at + 1) * shown.classes), (n, colour) => [n, look.names[colour]]);
    const most = shares.filter(([n]) => n).sort((a, b) => b[0] - a[0]).slice(0, 3);
    const title = (look.words.stores || "{n}").replace("{n}", numbers.format(shown.members[at]));
    const lines = most.map(([n, name]) => `${name} ${numbers.format(n)}`);
    if (shown.picked[at]) lines.push((look.words.selected || "{n}").replace("{n}", numbers.format(shown.picked[at])));
    return [title, lines.join(" · ")];
  }

  /** The name of a store that the page asked for; text, never markup. */
  function named(rid, name, more) {
    const at = focus >= 0 ? focus : over;
    if (at >= 0 && shown.members[at] === 1 && points.rids[shown.reference[at]] === rid) note(at, name, more);
  }

  function note(at, title, more) {
    const { note: box, voice } = layer;
    box.hidden = at === null;
    if (at === null) return;
    box.replaceChildren(Object.assign(document.createElement("b"), { textContent: title }));
    if (more) box.append(Object.assign(document.createElement("small"), { textContent: more }));
    const [x, y] = place(at), here = map.layerPointToContainerPoint([x, y]), size = map.getSize();
    const above = here.y > 70;
    box.style.left = `${Math.max(90, Math.min(size.x - 90, here.x))}px`;
    box.style.top = `${here.y + (above ? -1 : 1) * (radius(shown.members[at]) + 9)}px`;
    box.style.transform = above ? "translate(-50%, -100%)" : "translate(-50%, 0)";
    voice.textContent = more ? `${title}, ${more}` : title;
  }

  // ---- keys: Ctrl and an arrow go to the next store or cluster that way, Enter opens, Space selects
  const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  function keyed(event) {
    if (!shown || map.fieldTool) return;
    if (event.key === "Escape") { focus = -1; note(null); draw(); say("escaped", {}); return; }
    if ((event.ctrlKey || event.metaKey) && event.key === "a") { event.preventDefault(); say("all", {}); return; }
    if (event.ctrlKey && WAYS[event.key]) { event.preventDefault(); event.stopPropagation(); step(...WAYS[event.key]); return; }
    if (focus < 0 || !["Enter", " "].includes(event.key)) return;
    event.preventDefault();
    if (shown.members[focus] > 1) { if (event.key === "Enter") open(focus); return; }
    const rid = points.rids[shown.reference[focus]];
    if (event.key === "Enter") say("activated", { rid }); else say("clicked", { rid, toggle: true });
  }

  function step(right, down) {
    const from = focus >= 0 ? place(focus) : (() => { const c = map.containerPointToLayerPoint(map.getSize().divideBy(2)); return [c.x, c.y]; })();
    const corner = map.containerPointToLayerPoint([0, 0]), size = map.getSize();
    let best = -1, least = Infinity;
    for (let at = 0; at < shown.size; at++) {
      if (at === focus) continue;
      const [x, y] = place(at), dx = x - from[0], dy = y - from[1];
      if (x < corner.x || y < corner.y || x > corner.x + size.x || y > corner.y + size.y) continue;
      const ahead = dx * right + dy * down, aside = Math.abs(dx * down) + Math.abs(dy * right);
      if (focus >= 0 && ahead <= 0) continue;
      const far = focus >= 0 ? ahead + 2 * aside : Math.hypot(dx, dy);
      if (far < least) { least = far; best = at; }
    }
    if (best < 0) return;
    focus = best;
    draw();
    if (shown.members[best] === 1) say("clicked", { rid: points.rids[shown.reference[best]], toggle: false });
    tellOf(best);
  }

  // ---- for tests and benchmarks
  function describe() {
    if (!shown) return { size: points ? points.rids.length : 0, drawn: 0, zoom: 0, clusters: 0, members: 0, picked: 0, shares: [], current };
    return { size: points.rids.length, drawn: shown.size, zoom: shown.zoom, clusters: shown.members.filter((n) => n > 1).length,
      members: shown.members.reduce((all, n) => all + n, 0), picked: shown.picked.reduce((all, n) => all + n, 0),
      shares: Array.from({ length: shown.classes }, (_, c) => shown.shares.reduce((all, n, i) => all + (i % shown.classes === c ? n : 0), 0)), current };
  }

  /** Where a store stands on the page, or where the first cluster does. */
  function whereIs(rid) {
    for (let at = 0; shown && at < shown.size; at++) {
      const hit = rid === null ? shown.members[at] > 1 : shown.members[at] === 1 && points.rids[shown.reference[at]] === rid;
      if (hit) { const p = map.layerPointToContainerPoint(place(at)); return [p.x, p.y]; }
    }
    return null;
  }

  return { attach, setPoints, recolour, choose, setLook, setCurrent, fit, named, describe, whereIs, refresh, draw, timing };
})();
