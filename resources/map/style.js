// How the basemap is drawn: one quiet style per theme, for protomaps-leaflet.
// Layers and their `kind` are those that fieldcrm/geo/features.py writes.
"use strict";

const FLAVOURS = {
  light: {
    earth: "#f3f2ee", water: "#c9dbe4", waterText: "#6f94a8", stream: "#c9dbe4",
    park: "#dbe8d3", wood: "#d3e3cb", farm: "#e9ecdf", pitch: "#cfe2c8", sand: "#f0e9d6", parkText: "#6d8a63",
    plaza: "#eae8e2", building: "#e5e3dc", buildingEdge: "#d9d6ce",
    casing: "#dedbd3", street: "#ffffff", service: "#fbfaf8", secondary: "#ffffff", primary: "#fdf3dc", motorway: "#f9e3b4",
    pedestrian: "#f8f6f1", path: "#dcd8cf", rail: "#cfccc4", tunnel: "#eceae5",
    text: "#77776f", strong: "#4a4b46", halo: "#f7f6f3",
  },
  dark: {
    earth: "#191c1b", water: "#0f2027", waterText: "#4f7788", stream: "#12262e",
    park: "#1b2820", wood: "#1a2a20", farm: "#1c221d", pitch: "#1d2d23", sand: "#26251e", parkText: "#5f7d66",
    plaza: "#202322", building: "#222625", buildingEdge: "#2a2f2d",
    casing: "#131615", street: "#303533", service: "#2a2e2c", secondary: "#383e3b", primary: "#444a44", motorway: "#57543f",
    pedestrian: "#2a2e2c", path: "#2f3432", rail: "#3a403d", tunnel: "#212524",
    text: "#8e9893", strong: "#c3cbc6", halo: "#191c1b",
  },
};

const FAMILY = "Inter, system-ui, sans-serif";

// Widths in pixels by class, at zooms 10, 12, 14, 16, 18.
const WIDTHS = {
  motorway: [1.4, 2.2, 4.0, 9, 22], primary: [1.0, 1.8, 3.4, 8, 20], secondary: [0.8, 1.4, 2.8, 7, 18],
  tertiary: [0.5, 1.0, 2.2, 6, 16], street: [0, 0.6, 1.6, 5, 14], pedestrian: [0, 0.4, 1.2, 4, 11],
  service: [0, 0, 0.8, 2.4, 7],
};

function width(kind) {
  const stops = WIDTHS[kind];
  return protomapsL.exp(1.4, [[10, stops[0]], [12, stops[1]], [14, stops[2]], [16, stops[3]], [18, stops[4]]]);
}

function streets(flavour) {
  const order = ["service", "pedestrian", "street", "tertiary", "secondary", "primary", "motorway"];
  const from = { service: 15, pedestrian: 14, street: 12, tertiary: 11, secondary: 9, primary: 8, motorway: 7 };
  const colour = {
    service: flavour.service, pedestrian: flavour.pedestrian, street: flavour.street, tertiary: flavour.street,
    secondary: flavour.secondary, primary: flavour.primary, motorway: flavour.motorway,
  };
  const line = (kind, options) => new protomapsL.LineSymbolizer({ lineCap: "round", lineJoin: "round", ...options });
  const casings = order.map((kind) => ({
    dataLayer: "roads", minzoom: Math.max(from[kind], 13), filter: (z, f) => f.props.kind === kind && !f.props.tunnel,
    symbolizer: line(kind, { color: flavour.casing, width: (z) => width(kind)(z) + (z >= 16 ? 2 : 1.4) }),
  }));
  const fills = order.map((kind) => ({
    dataLayer: "roads", minzoom: from[kind], filter: (z, f) => f.props.kind === kind && !f.props.tunnel,
    symbolizer: line(kind, { color: colour[kind], width: width(kind) }),
  }));
  const tunnels = {
    dataLayer: "roads", minzoom: 14, filter: (z, f) => f.props.tunnel,
    symbolizer: line("tunnel", { color: flavour.tunnel, width: (z, f) => width(f ? f.props.kind : "street")(z) * 0.8, perFeature: true }),
  };
  return [tunnels, ...casings, ...fills];
}

function paintRules(flavour) {
  const green = (kind, color) => ({
    dataLayer: "green", filter: (z, f) => f.props.kind === kind, symbolizer: new protomapsL.PolygonSymbolizer({ fill: color }),
  });
  return [
    green("farm", flavour.farm), green("sand", flavour.sand), green("park", flavour.park), green("wood", flavour.wood),
    green("pitch", flavour.pitch),
    { dataLayer: "water", symbolizer: new protomapsL.PolygonSymbolizer({ fill: flavour.water }) },
    { dataLayer: "streams", symbolizer: new protomapsL.LineSymbolizer({
      color: flavour.stream, width: protomapsL.exp(1.4, [[9, 0.6], [14, 2], [18, 8]]) }) },
    { dataLayer: "plazas", symbolizer: new protomapsL.PolygonSymbolizer({ fill: flavour.plaza }) },
    { dataLayer: "roads", minzoom: 15, filter: (z, f) => f.props.kind === "path", symbolizer: new protomapsL.LineSymbolizer({
      color: flavour.path, width: protomapsL.exp(1.4, [[15, 0.7], [18, 1.8]]), dash: [3, 2], lineCap: "butt" }) },
    { dataLayer: "buildings", minzoom: 14, symbolizer: new protomapsL.PolygonSymbolizer({
      fill: flavour.building, stroke: flavour.buildingEdge, width: (z) => (z >= 16 ? 0.7 : 0) }) },
    ...streets(flavour),
    { dataLayer: "rail", filter: (z, f) => f.props.kind === "rail", symbolizer: new protomapsL.LineSymbolizer({
      color: flavour.rail, width: protomapsL.exp(1.3, [[10, 0.5], [15, 1.4], [18, 2.4]]) }) },
    { dataLayer: "rail", minzoom: 15, filter: (z, f) => f.props.kind === "tram", symbolizer: new protomapsL.LineSymbolizer({
      color: flavour.rail, width: 0.8, opacity: 0.8 }) },
  ];
}

function labelRules(flavour) {
  const font = (weight, size, style) => `${style || "normal"} ${weight} ${size}px ${FAMILY}`;
  const named = (kinds) => (z, f) => kinds.includes(f.props.kind);
  const street = (kinds, minzoom, weight, size, fill) => ({
    dataLayer: "roads", minzoom, filter: (z, f) => kinds.includes(f.props.kind) && f.props.name,
    symbolizer: new protomapsL.LineLabelSymbolizer({
      labelProps: ["name"], fill, stroke: flavour.halo, width: 2.5, font: font(weight, size), repeatDistance: 320 }),
  });
  const place = (kinds, minzoom, maxzoom, weight, size, fill, more) => ({
    dataLayer: "names", minzoom, maxzoom, filter: named(kinds),
    symbolizer: new protomapsL.CenteredTextSymbolizer({
      labelProps: ["name"], fill, stroke: flavour.halo, width: 3, lineHeight: 1.25, font: font(weight, size), ...more }),
  });
  return [
    place(["city"], 6, 13, 600, 15, flavour.strong), place(["town"], 9, 14, 600, 13, flavour.strong),
    place(["village"], 11, 16, 500, 12, flavour.strong),
    place(["suburb"], 12, 16, 600, 11, flavour.text, { textTransform: "uppercase", letterSpacing: 0.6 }),
    place(["hamlet"], 14, 17, 500, 11, flavour.text),
    street(["motorway", "primary"], 14, 500, 11, flavour.strong), street(["secondary", "tertiary"], 14, 500, 11, flavour.strong),
    street(["street"], 15, 400, 11, flavour.text), street(["pedestrian", "service"], 16, 400, 10.5, flavour.text),
    { dataLayer: "names", minzoom: 14, filter: named(["water"]), symbolizer: new protomapsL.CenteredTextSymbolizer({
      labelProps: ["name"], fill: flavour.waterText, stroke: flavour.water, width: 2, font: font(400, 11, "italic") }) },
    { dataLayer: "names", minzoom: 15, filter: named(["park"]), symbolizer: new protomapsL.CenteredTextSymbolizer({
      labelProps: ["name"], fill: flavour.parkText, stroke: flavour.halo, width: 2.5, font: font(500, 11) }) },
    place(["station"], 15, 20, 600, 11, flavour.strong), place(["plaza"], 16, 20, 500, 11, flavour.text),
  ];
}

window.fieldStyle = {
  earth: (theme) => FLAVOURS[theme].earth,
  water: (theme) => FLAVOURS[theme].water,
  grid: (theme) => FLAVOURS[theme].waterText,
  layer: (theme, pack) => {
    const layer = protomapsL.leafletLayer({
      url: pack.url, maxDataZoom: pack.maxZoom, paintRules: paintRules(FLAVOURS[theme]), labelRules: labelRules(FLAVOURS[theme]),
      backgroundColor: FLAVOURS[theme].earth, noWrap: true, keepBuffer: 4,
    });
    layer.options.attribution = null;  // the page credits OpenStreetMap once, for every layer and pin
    return layer;
  },
};
