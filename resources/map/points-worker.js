// The index of the points, beside the page: clusters by supercluster, and what each holds by colour and by selection.
// Every cluster is a run of one order of the points (see `reduce`), so that one running sum a colour answers for all.
"use strict";

importScripts("supercluster.min.js");

const RADIUS = 58, DEEPEST = 16;
let index = null, count = 0, classes = 0;
let longitudes, latitudes, categories, order, position, sums = [], chosen = null, chosenSum = null;

async function bytes(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.arrayBuffer();
}

// n row numbers, n latitudes, n longitudes (int32, degrees x 10^7), n colours (uint8): 13 bytes a point
async function load({ url, colours }, tell) {
  const body = await bytes(url);
  const began = performance.now();
  count = body.byteLength / 13;
  latitudes = new Int32Array(body, 4 * count, count);
  longitudes = new Int32Array(body, 8 * count, count);
  categories = new Uint8Array(body, 12 * count, count);
  classes = colours;
  chosen = chosenSum = null;
  // First the bare points, which the page can show while the clusters are made.
  tell({ bare: true, rids: body.slice(0, 4 * count), latitudes: latitudes.slice().buffer, longitudes: longitudes.slice().buffer,
    categories: categories.slice().buffer, count, bounds: bounds(0, count, (at) => at) });
  const next = new Int32Array(count).fill(-1);
  index = new Supercluster({
    radius: RADIUS, extent: 256, maxZoom: DEEPEST,
    map: (point) => ({ head: point, tail: point }),
    reduce: (all, one) => { next[all.tail] = one.head; all.tail = one.tail; },
  });
  index.load({ length: count, [Symbol.iterator]: features });
  line(next);
  sums = colourSums();
  return { count, spent: performance.now() - began };
}

function* features() {  // one object for all: supercluster keeps numbers only
  const place = [0, 0], feature = { geometry: { type: "Point", coordinates: place }, properties: 0 };
  for (let i = 0; i < count; i++) {
    place[0] = longitudes[i] / 1e7;
    place[1] = latitudes[i] / 1e7;
    feature.properties = i;
    yield feature;
  }
}

// Put the points in the order in which the clusters join them.
function line(next) {
  order = new Int32Array(count);
  position = new Int32Array(count);
  let at = 0;
  for (const top of index.getClusters([-180, -90, 180, 90], 0)) {
    for (let point = top.properties.cluster ? top.properties.head : top.properties; point >= 0; point = next[point]) {
      order[at] = point;
      position[point] = at++;
    }
  }
}

function colourSums() {
  return Array.from({ length: classes }, (_, colour) => running((point) => categories[point] === colour));
}

function running(counts) {
  const sum = new Uint32Array(count + 1);
  for (let at = 0; at < count; at++) sum[at + 1] = sum[at] + (counts(order[at]) ? 1 : 0);
  return sum;
}

async function recolour({ url, colours }) {
  categories = new Uint8Array(await bytes(url));
  classes = colours;
  sums = colourSums();
  return { categories: categories.slice().buffer };
}

async function choose({ url }) {
  chosen = url ? new Uint8Array(await bytes(url)) : null;
  chosenSum = chosen ? running((point) => chosen[point] === 1) : null;
  return { chosen: chosen ? chosen.slice().buffer : null };
}

// What is to be drawn in a box: one entry a cluster or point, counts by colour side by side.
function view({ box, zoom }) {
  const found = index ? index.getClusters(box, Math.min(zoom, DEEPEST + 1)) : [];
  const size = found.length;
  const x = new Float64Array(size), y = new Float64Array(size), members = new Uint32Array(size);
  const reference = new Int32Array(size), picked = new Uint32Array(size), shares = new Uint32Array(size * classes);
  found.forEach((feature, at) => {
    const properties = feature.properties, [longitude, latitude] = feature.geometry.coordinates;
    const sin = Math.sin(latitude * Math.PI / 180);
    x[at] = longitude / 360 + 0.5;
    y[at] = 0.5 - 0.25 * Math.log((1 + sin) / (1 - sin)) / Math.PI;
    const [from, to, id] = properties.cluster
      ? [position[properties.head], position[properties.tail] + 1, properties.cluster_id]
      : [position[properties], position[properties] + 1, properties];
    reference[at] = id;
    members[at] = to - from;
    if (chosenSum) picked[at] = chosenSum[to] - chosenSum[from];
    for (let colour = 0; colour < classes; colour++) shares[at * classes + colour] = sums[colour][to] - sums[colour][from];
  });
  return { size, classes, zoom, x: x.buffer, y: y.buffer, members: members.buffer, reference: reference.buffer,
    picked: picked.buffer, shares: shares.buffer };
}

function bounds(from, to, pointAt = (at) => order[at]) {
  if (from >= to) return null;
  let south = Infinity, west = Infinity, north = -Infinity, east = -Infinity;
  for (let at = from; at < to; at++) {
    const point = pointAt(at), latitude = latitudes[point], longitude = longitudes[point];
    if (latitude < south) south = latitude;
    if (latitude > north) north = latitude;
    if (longitude < west) west = longitude;
    if (longitude > east) east = longitude;
  }
  return [[south / 1e7, west / 1e7], [north / 1e7, east / 1e7]];
}

// Where a cluster opens: the box of its points and the zoom at which it falls apart.
function open({ cluster }) {
  const zoom = index.getClusterExpansionZoom(cluster);
  const parts = index.getChildren(cluster).map((feature) => feature.properties);
  const starts = parts.map((part) => (part.cluster ? position[part.head] : position[part]));
  const ends = parts.map((part) => (part.cluster ? position[part.tail] : position[part]) + 1);
  return { zoom, bounds: bounds(Math.min(...starts), Math.max(...ends)) };
}

const TASKS = { load, recolour, choose, view, open };
let last = Promise.resolve();

function post(turn, result) {
  self.postMessage({ turn, ...result }, Object.values(result).filter((value) => value instanceof ArrayBuffer));
}

self.onmessage = ({ data }) => {
  // One after another: a view asked for after new points is a view of the new points.
  last = last.then(() => TASKS[data.task](data, (early) => post(data.turn, early))).then(
    (result) => post(data.turn, result),
    (error) => post(data.turn, { error: String(error) }),
  );
};
