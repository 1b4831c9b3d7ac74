// Placing a store by hand: the map moves under a crosshair, or a click brings the place under it.
"use strict";

window.fieldPick = (() => {
  let map, say, on = false, mark = null, others = null, quiet = false, touched = false, size = null;

  function attach(instance, speak) {
    map = instance;
    say = speak;
  }

  /** `what`: place [lat, lon] or null, zoom, origin [lat, lon] or null (where it stands now), area to show without a place. */
  function start(what) {
    if (!on) {
      on = true;
      map.fieldPlaced = true;  // the day's own fitting keeps out
      map.getContainer().classList.add("picking");
      for (const what of ["pointerdown", "wheel", "keydown"]) map.getContainer().addEventListener(what, () => { touched = true; });
      L.DomUtil.create("div", "crosshair", map.getContainer()).setAttribute("aria-hidden", "true");
      map.on("moveend", moved);
      map.on("click", (event) => map.panTo(event.latlng));
      map.doubleClickZoom.disable();
      map.options.scrollWheelZoom = "center";
      map.scrollWheelZoom.disable();
      map.scrollWheelZoom.enable();
      map.setMinZoom(2);
      others = L.layerGroup().addTo(map);
    }
    others.clearLayers();
    touched = false;
    mark = what.origin ? L.circleMarker(what.origin, { radius: 7, className: "origin", interactive: false }).addTo(others) : null;
    quiet = true;  // moving there is not the person's choice
    if (what.place) map.setView(what.place, what.zoom || 17, { animate: false });
    else if (what.area) map.fitBounds(what.area, { animate: false });
    size = map.getSize();
    quiet = false;
  }

  function go(place) {
    quiet = true;
    map.setView(place, Math.max(map.getZoom(), 15), { animate: false });
    quiet = false;
  }

  function moved() {
    const same = size && size.equals(map.getSize());
    size = map.getSize();
    if (quiet || !touched || !same) return;  // a window that is made larger moves no store
    const { lat, lng } = map.getCenter().wrap();
    say("placed", { lat, lon: lng, zoom: map.getZoom() });
  }

  return { attach, start, go, describe: () => ({ on, origin: Boolean(mark), center: [map.getCenter().lat, map.getCenter().lng], zoom: map.getZoom() }) };
})();
