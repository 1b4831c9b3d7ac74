// What benchmarks/outlet_map.py runs in the page: a drag by mouse events, and the two peers.
"use strict";

// In a circle for `seconds`: one mouse move each animation frame.
window.benchDrag = (seconds) => new Promise((done) => {
  const map = fieldmap.map(), pane = map.getContainer().querySelector(".leaflet-map-pane"), frames = [];
  const at = (t) => [640 + 260 * Math.cos(t * 2.2), 400 + 180 * Math.sin(t * 2.2)];
  const send = (kind, [x, y], target) => target.dispatchEvent(new MouseEvent(kind, {
    bubbles: true, cancelable: true, clientX: x, clientY: y, button: 0, buttons: 1, view: window }));
  const draws = fieldPoints.timing.draws, drawing = fieldPoints.timing.drawing;
  const start = performance.now();
  let before = start, script = [];
  send("mousedown", at(0), pane);
  const step = () => {
    const now = performance.now();
    frames.push(now - before);
    before = now;
    const t = (now - start) / 1000;
    if (t >= seconds) {
      send("mouseup", at(t), pane);
      frames.shift();
      const sorted = [...frames].sort((a, b) => a - b), mine = [...script].sort((a, b) => a - b);
      const p = (list, share) => Math.round((list[Math.floor((list.length - 1) * share)] || 0) * 100) / 100;
      done({ frames_per_s: Math.round(frames.length / t * 10) / 10, frame_ms_p50: p(sorted, .5), frame_ms_p95: p(sorted, .95),
        script_ms_p50: p(mine, .5), script_ms_p95: p(mine, .95), draws: fieldPoints.timing.draws - draws,
        draw_ms: Math.round((fieldPoints.timing.drawing - drawing) / Math.max(1, fieldPoints.timing.draws - draws) * 100) / 100 });
      return;
    }
    send("mousemove", at(t), pane);
    window.benchEach && window.benchEach();
    script.push(performance.now() - now);
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
});

// The points as the page gets them, for the peers.
window.benchRead = async (url) => {
  const body = await (await fetch(url)).arrayBuffer(), n = body.byteLength / 13;
  return { n, lat: new Int32Array(body, 4 * n, n), lon: new Int32Array(body, 8 * n, n) };
};
window.benchMarkers = async (url, limit) => {
  const map = fieldmap.map(), { n, lat, lon } = await benchRead(url), began = performance.now(), made = [];
  const icon = L.divIcon({ html: '<div class="pin dot"></div>', iconSize: [24, 24], className: "leaflet-div-icon" });
  for (let i = 0; i < Math.min(n, limit); i++) made.push(L.marker([lat[i] / 1e7, lon[i] / 1e7], { icon }));
  window.benchGroup = L.markerClusterGroup({ maxClusterRadius: 52, disableClusteringAtZoom: 17, showCoverageOnHover: false,
    spiderfyOnMaxZoom: false, animate: false });
  benchGroup.addLayers(made);
  map.addLayer(benchGroup);
  await new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen)));
  return performance.now() - began;
};
window.benchBare = async (url) => {
  const map = fieldmap.map(), { n, lat, lon } = await benchRead(url), began = performance.now();
  const canvas = document.createElement("canvas"), ink = canvas.getContext("2d"), x = new Float64Array(n), y = new Float64Array(n);
  canvas.width = innerWidth; canvas.height = innerHeight;
  canvas.style.cssText = "position:absolute;inset:0;z-index:460;pointer-events:none";
  map.getContainer().append(canvas);
  window.benchCanvas = canvas;
  for (let i = 0; i < n; i++) {
    const sin = Math.sin(lat[i] * Math.PI / 1.8e9);
    x[i] = lon[i] / 3.6e9 + 0.5; y[i] = 0.5 - 0.25 * Math.log((1 + sin) / (1 - sin)) / Math.PI;
  }
  window.benchEach = () => {
    const scale = 256 * 2 ** map.getZoom(), zero = map.getPixelBounds().min;
    ink.clearRect(0, 0, canvas.width, canvas.height);
    ink.fillStyle = "#0072b2";
    for (let i = 0; i < n; i++) {
      const px = x[i] * scale - zero.x, py = y[i] * scale - zero.y;
      if (px > 0 && py > 0 && px < canvas.width && py < canvas.height) ink.fillRect(px - 1, py - 1, 2, 2);
    }
  };
  benchEach();
  await new Promise((seen) => requestAnimationFrame(seen));
  return performance.now() - began;
};
