/* Axes of time in the viewer's zone, which their profile may name: plotly.js knows none, so it is given what a clock there shows. */
(function () {
  "use strict";
  const pfd = (window.pfd = window.pfd || {});
  const root = document.documentElement;
  const QUARTER = 900000; // no zone changes its offset within a quarter of an hour
  // Days are written as everywhere else on the pages; the lower line stands only where it is another one than before.
  const DAY = 86400000, ticks = [
    [[null, 999], "%H:%M:%S.%L\n%-d %b %Y"], [[1000, 59999], "%H:%M:%S\n%-d %b %Y"], [[60000, DAY - 1], "%H:%M\n%-d %b %Y"],
    [[DAY, "M1"], "%-d %b\n%Y"], [["M1", "M12"], "%b\n%Y"], [["M12", null], "%Y"],
  ].map(([dtickrange, value]) => ({ dtickrange, value }));
  const WRITTEN = { tickformatstops: ticks, hoverformat: "%-d %b %Y, %H:%M:%S" };
  let chosen, zone, clock, offsets;

  function look() {
    const wanted = root.getAttribute("data-zone") || undefined;
    if (clock && wanted === chosen) return;
    const made = (timeZone) => new Intl.DateTimeFormat("en-US", {
      timeZone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
    });
    chosen = zone = wanted;
    offsets = new Map();
    try { clock = made(zone); } catch (unknown) { zone = undefined; clock = made(zone); } // times.js leaves it aside as well
  }

  function offset(moment) {
    const quarter = Math.floor(moment / QUARTER);
    if (!offsets.has(quarter)) {
      const part = {};
      clock.formatToParts(quarter * QUARTER).forEach((one) => { part[one.type] = Number(one.value); });
      offsets.set(quarter, Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) - quarter * QUARTER);
    }
    return offsets.get(quarter);
  }

  /* A moment as text of that clock; what is no number stays. */
  function shown(moment) {
    if (typeof moment !== "number" || !Number.isFinite(moment)) return moment;
    look();
    return new Date(moment + offset(moment)).toISOString().slice(0, -1).replace("T", " ");
  }

  /* The other way round: plotly.js counts as if that clock showed UTC; the moment itself is what others understand. */
  function moment(counted) {
    look();
    const near = counted - offset(counted);
    return counted - offset(near);
  }

  function numbers(values) {
    if (!values || values.bdata === undefined) return values;
    return new Float64Array(Uint8Array.from(atob(values.bdata), (letter) => letter.charCodeAt(0)).buffer);
  }

  const all = (values) => (values ? Array.from(numbers(values), shown) : values);
  const place = (item, names) => {
    if (item.xref && item.xref !== "x") return item;
    const moved = Object.assign({}, item);
    names.forEach((name) => { if (name in moved) moved[name] = shown(moved[name]); });
    return moved;
  };

  /* A figure whose x are moments, as it is drawn; one that was drawn before comes through unchanged. */
  function apply(data, layout) {
    const axis = layout.xaxis || {}, range = axis.range || [], home = (layout.meta || {}).home;
    const now = Object.assign({}, layout);
    if (typeof range[1] !== "string") now.xaxis = Object.assign({}, axis, WRITTEN, { title: named(axis, range[1]) }, axis.range ? { range: all(range) } : {});
    if (layout.shapes) now.shapes = layout.shapes.map((item) => place(item, ["x0", "x1"]));
    if (layout.annotations) now.annotations = layout.annotations.map((item) => place(item, ["x"]));
    if (home && home["xaxis.range"]) now.meta = Object.assign({}, layout.meta, { home: Object.assign({}, home, { "xaxis.range": all(home["xaxis.range"]) }) });
    return { data: data.map((trace) => (trace.x ? Object.assign({}, trace, { x: all(trace.x) }) : trace)), layout: now };
  }

  // Which zone it is stands under the axis.
  function named(axis, end) {
    look();
    const parts = new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeZoneName: "short" }).formatToParts(Number.isFinite(end) ? end : Date.now());
    const word = (parts.find((part) => part.type === "timeZoneName") || { value: "local" }).value;
    return Object.assign({}, axis.title, { text: `${String((axis.title || {}).text || "Time").replace(/ \(.*\)$/, "")} (${word})` });
  }

  /* What it is called: the server counts days by the same clock. */
  function name() {
    look();
    return zone || new Intl.DateTimeFormat().resolvedOptions().timeZone;
  }

  pfd.zones = { apply, moment, name };
})();
