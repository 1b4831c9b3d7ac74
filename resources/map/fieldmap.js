// The page's side of MapView: it is told what to show, and says what was clicked. Nothing here asks the network.
"use strict";

window.fieldmap = (() => {
  const CHECK = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M5 12.5l4.5 4.5L19 7.5"/></svg>';
  const DASH = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 12h12"/></svg>';
  const HOME = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 11l8-7 8 7v8a1 1 0 0 1-1 1h-5v-6h-4v6H5a1 1 0 0 1-1-1z"/></svg>';
  const AIM = '<svg viewBox="0 0 24 24" fill="none" stroke-width="2" stroke-linecap="round" aria-hidden="true"><path d="M4 9V5a1 1 0 0 1 1-1h4M15 4h4a1 1 0 0 1 1 1v4M20 15v4a1 1 0 0 1-1 1h-4M9 20H5a1 1 0 0 1-1-1v-4"/></svg>';
  const CLUSTERS_UNTIL = 17;

  let map, bridge, theme = "light", base = null, online = null, fade = null, pack = null, words = {};
  let clusters, stops, line, selected = null, framed = false, moved = false, pointing = false;
  const markers = new Map();  // outlet id -> marker

  function start(instance, options) {
    map = instance;
    map.attributionControl.setPrefix(false);
    map.attributionControl.addAttribution(options.attribution);
    pack = options.pack;
    words = options.words;
    L.control.scale({ imperial: false, position: "bottomleft", maxWidth: 80 }).addTo(map);
    addFitControl();
    map.createPane("fade").style.zIndex = 250;
    map.getPane("fade").style.pointerEvents = "none";
    line = L.layerGroup().addTo(map);
    clusters = L.markerClusterGroup({
      maxClusterRadius: 52, disableClusteringAtZoom: CLUSTERS_UNTIL, showCoverageOnHover: false, spiderfyOnMaxZoom: false,
      chunkedLoading: true, animate: false, iconCreateFunction: clusterIcon,
    }).addTo(map);
    stops = L.layerGroup().addTo(map);
    map.on("click", () => bridge && bridge.cleared());
    map.on("resize", () => { if (!moved && !pointing && !map.fieldPlaced) fit(); });  // until the person moves the map, it keeps the day in sight
    for (const what of ["mousedown", "wheel", "keydown"]) map.getContainer().addEventListener(what, () => { moved = true; });
    setTheme(options.theme, options.colours);
    if (pack) {
      map.fitBounds(pack.bounds, { animate: false });
      map.setMinZoom(Math.max(pack.minZoom, map.getZoom() - 3));
    }
    const say = (kind, what) => bridge && bridge.said(kind, JSON.stringify(what));
    for (const part of [fieldPoints, fieldSelect, fieldPick]) part.attach(map, say);
    fieldGround.attach(map, pack, words);
    map.on("moveend", () => {
      const { lat, lng } = map.getCenter();
      say("moved", { lat, lon: lng, zoom: map.getZoom() });
    });
    new QWebChannel(qt.webChannelTransport, (channel) => {
      bridge = channel.objects.bridge;
      bridge.ready();
    });
  }

  function addFitControl() {
    const control = L.control({ position: "topleft" });
    control.onAdd = () => {
      const bar = L.DomUtil.create("div", "leaflet-bar fit");
      const link = L.DomUtil.create("a", "", bar);
      link.href = "#"; link.role = "button"; link.innerHTML = AIM; link.title = words.fit;
      link.setAttribute("aria-label", words.fit);
      L.DomEvent.disableClickPropagation(bar);
      L.DomEvent.on(link, "click", (event) => { L.DomEvent.stop(event); moved = false; if (pointing) fieldPoints.fit(); else fit(); });
      return bar;
    };
    control.addTo(map);
  }

  function clusterIcon(cluster) {
    const count = cluster.getChildCount();
    const size = count < 10 ? 24 : count < 100 ? 28 : 34;
    return L.divIcon({ html: `<div class="cluster">${count}</div>`, iconSize: [size, size], className: "leaflet-div-icon" });
  }

  // ---- look
  function setTheme(name, colours) {
    theme = name;
    for (const [key, value] of Object.entries(colours || {})) document.documentElement.style.setProperty(`--${key}`, value);
    document.documentElement.style.setProperty("--earth", fieldStyle.earth(theme));
    if (base) map.removeLayer(base);
    base = pack ? fieldStyle.layer(theme, pack).addTo(map) : null;
    if (base && base.bringToBack) base.bringToBack();
    drawFade();
    document.documentElement.style.setProperty("--water", fieldStyle.water(theme));
    fieldGround.setTheme(theme);
    fieldPoints.setLook({});
    fieldPoints.draw();
  }

  // The extract ends somewhere: let it fade out instead of breaking off.
  function drawFade() {
    if (fade) map.removeLayer(fade);
    fade = null;
    if (!pack) return;
    const [[south, west], [north, east]] = pack.bounds;
    const tall = (north - south) * 0.5, wide = (east - west) * 0.5, size = 512, edge = 26;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = size;
    const ink = canvas.getContext("2d");
    ink.fillStyle = fieldStyle.earth(theme);
    ink.fillRect(0, 0, size, size);
    ink.globalCompositeOperation = "destination-out";
    const from = size / 4, span = size / 2;
    for (let step = 0; step < edge; step++) {  // nested rectangles make the gradient
      ink.globalAlpha = 1 / (edge - step);
      ink.fillRect(from + step * 0.5, from + step * 0.5, span - step, span - step);
    }
    const bounds = [[south - tall, west - wide], [north + tall, east + wide]];
    fade = L.imageOverlay(canvas.toDataURL(), bounds, { pane: "fade" }).addTo(map);
  }

  function setOnline(url, attribution) {
    if (online) map.removeLayer(online);
    online = url ? L.tileLayer(url, { attribution, maxZoom: 19, zIndex: 5 }).addTo(map) : null;
  }

  // ---- pins
  function icon(properties) {
    const { id, state, number } = properties;
    const mark = id === selected ? " selected" : "";
    if (state === "unplanned") return L.divIcon({ html: `<div class="pin dot${mark}"></div>`, iconSize: [24, 24], className: "leaflet-div-icon" });
    const inside = state === "done" ? CHECK : state === "skipped" ? DASH : String(Number(number) || "");
    return L.divIcon({ html: `<div class="pin stop ${state}${mark}">${inside}</div>`, iconSize: [26, 26], className: "leaflet-div-icon" });
  }

  function marker(feature) {
    const [longitude, latitude] = feature.geometry.coordinates;
    const properties = feature.properties;
    const made = L.marker([latitude, longitude], {
      icon: icon(properties), alt: properties.name, riseOnHover: true, zIndexOffset: properties.state === "unplanned" ? 0 : 1000,
    });
    made.properties = properties;
    const label = document.createElement("span");  // names are text, never markup
    label.textContent = properties.name;
    if (properties.note) label.appendChild(Object.assign(document.createElement("small"), { textContent: properties.note }));
    made.bindTooltip(label, { direction: "top", offset: [0, properties.state === "unplanned" ? -8 : -15], opacity: 1 });
    made.on("click", (event) => { L.DomEvent.stopPropagation(event); bridge && bridge.selected(properties.id); });
    made.on("dblclick", (event) => { L.DomEvent.stop(event); bridge && bridge.activated(properties.id); });
    made.on("keypress", (event) => { if (event.originalEvent.key === "Enter") bridge && bridge.activated(properties.id); });
    return made;
  }

  function setOutlets(collection) {
    clusters.clearLayers();
    stops.clearLayers();
    markers.clear();
    const quiet = [];
    for (const feature of collection.features) {
      const made = marker(feature);
      markers.set(feature.properties.id, made);
      if (feature.properties.state === "unplanned") quiet.push(made); else stops.addLayer(made);
    }
    clusters.addLayers(quiet);
    if (!framed && collection.features.length) { framed = true; fit(); }
  }

  function setRoute(route) {
    line.clearLayers();
    if (!route || !route.line || route.line.length < 2) return;
    const colour = getComputedStyle(document.documentElement).getPropertyValue("--accent").trim();
    const pin = getComputedStyle(document.documentElement).getPropertyValue("--pin").trim();
    const options = { lineJoin: "round", lineCap: "round", interactive: false };
    if (route.done && route.done.length > 1) {
      L.polyline(route.done, { ...options, color: pin, weight: 5, opacity: .7 }).addTo(line);
      L.polyline(route.done, { ...options, color: colour, weight: 2.5, opacity: .38 }).addTo(line);
    }
    L.polyline(route.line, { ...options, color: pin, weight: 6.5, opacity: .85 }).addTo(line);
    L.polyline(route.line, { ...options, color: colour, weight: 3, opacity: .9 }).addTo(line);
    for (const place of route.homes || []) {
      L.marker(place, { icon: L.divIcon({ html: `<div class="pin home">${HOME}</div>`, iconSize: [26, 26], className: "leaflet-div-icon" }),
        interactive: false, keyboard: false, zIndexOffset: 500 }).addTo(line);
    }
  }

  function select(id, show) {
    const before = markers.get(selected);
    selected = id || null;
    if (before) { before.setIcon(icon(before.properties)); before.setZIndexOffset(before.properties.state === "unplanned" ? 0 : 1000); }
    const now = markers.get(selected);
    if (!now) return;
    now.setIcon(icon(now.properties));
    now.setZIndexOffset(3000);
    if (!show) return;
    // Not zoomToShowLayer: it waits for the end of a move, and trips over pins that were replaced meanwhile.
    const hidden = now.properties.state === "unplanned" && clusters.getVisibleParent(now) !== now;
    if (hidden) map.setView(now.getLatLng(), CLUSTERS_UNTIL, { animate: false });
    else if (!map.getBounds().pad(-0.12).contains(now.getLatLng())) map.panTo(now.getLatLng(), { animate: true, duration: .25 });
  }

  function fit() {
    const planned = [...markers.values()].filter((m) => m.properties.state !== "unplanned");
    const shown = planned.length ? planned : [...markers.values()];
    map.invalidateSize({ animate: false });
    if (map.getSize().x < 120 || map.getSize().y < 120) return;  // not laid out yet: its resize comes
    if (shown.length) map.fitBounds(L.latLngBounds(shown.map((m) => m.getLatLng())).pad(0.03), { maxZoom: 17, animate: false, padding: [26, 26] });
    else if (pack) map.fitBounds(pack.bounds, { animate: false });
  }

  // ---- the whole base as points (points.js); the world is then in reach, not only the pack
  function setPoints(what) {
    pointing = true;
    map.setMinZoom(2);
    if (what.view) map.setView([what.view.lat, what.view.lon], what.view.zoom, { animate: false });
    return fieldPoints.setPoints(what);
  }

  function describe() {  // for tests: what is on the page now
    return { markers: markers.size, stops: stops.getLayers().length, route: line.getLayers().length, selected, theme, zoom: map.getZoom(),
      tiles: document.querySelectorAll(".leaflet-tile-pane canvas").length, attribution: document.querySelector(".leaflet-control-attribution").textContent };
  }

  return { start, setTheme, setOutlets, setRoute, setOnline, setPoints, select, fit, describe, map: () => map };
})();
