/* Curve panels: zooming one asks the server for that part of all, new points are added, the address holds the choices. */
(function () {
  "use strict";
  const space = (window.dash_clientside = window.dash_clientside || {});
  const pfd = (space.pfd = space.pfd || {});
  const QUIET = 500;
  const zoomed = new Map();
  let deafUntil = 0;

  /* Zoom */
  document.addEventListener("pfd:drawn", (event) => {
    const gd = event.target, grid = gd.closest("[data-zoom-store]");
    if (!grid || gd.__pfdZoom === gd._ev) return;
    gd.__pfdZoom = gd._ev;
    gd.on("plotly_doubleclick", () => reset(grid));
    gd.on("plotly_relayout", (change) => { if (Date.now() > deafUntil) zoom(grid, gd, change); });
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest('[data-chart-do="reset"]');
    const grid = button && button.closest("[data-zoom-store]");
    if (grid) reset(grid);
  }, true);

  function reset(grid) {
    deafUntil = Date.now() + QUIET;
    later(grid, null);
  }

  function zoom(grid, gd, change) {
    const low = change["xaxis.range[0]"], high = change["xaxis.range[1]"];
    if (low === undefined || high === undefined) return;
    const full = gd._fullLayout, meta = (gd.layout || {}).meta || {};
    const panel = gd.closest("[data-panel-key]");
    const y = [change["yaxis.range[0]"], change["yaxis.range[1]"]].map((value) => value === undefined ? NaN : full.yaxis.r2c(value));
    const place = (value) => (full.xaxis.type === "date" ? window.pfd.zones.moment(full.xaxis.r2c(value)) : full.xaxis.r2c(value));
    later(grid, {
      axis: meta.axis, low: place(low), high: place(high),
      panel: panel && panel.getAttribute("data-panel-key"), y: y.every(Number.isFinite) ? y : null,
    });
  }

  function later(grid, data) {
    const store = grid.getAttribute("data-zoom-store");
    clearTimeout(zoomed.get(store));
    zoomed.set(store, setTimeout(() => { if (grid.isConnected) space.set_props(store, { data }); }, 150));
  }

  /* One of many: an entry of the legend under the pointer or in focus fades all other curves of the page. */
  function highlight(group) {
    document.querySelectorAll("[data-zoom-store] .js-plotly-plot .scatterlayer .trace").forEach((element) => {
      const bound = element.__data__ && element.__data__[0];
      const own = bound && bound.trace ? bound.trace.legendgroup : null;
      element.classList.toggle("is-faded", group !== null && own !== group);
    });
  }
  ["pointerover", "focusin"].forEach((name) => document.addEventListener(name, (event) => {
    const entry = event.target.closest && event.target.closest("[data-highlight]");
    if (entry) highlight(entry.getAttribute("data-highlight"));
  }));
  ["pointerout", "focusout"].forEach((name) => document.addEventListener(name, (event) => {
    const entry = event.target.closest && event.target.closest("[data-highlight]");
    if (entry && !entry.contains(event.relatedTarget)) highlight(null);
  }));

  /* Growth: {prefix, signature, panels: {key: {total, lines: [{line, had, x, y, better}]}}} */
  pfd.extend_panels = function (news) {
    if (!news) return space.no_update;
    let missed = false;
    Object.entries(news.panels).forEach(([key, growth]) => {
      const panel = document.querySelector(`[data-zoom-store="${news.prefix}-zoom"] [data-panel-key="${CSS.escape(key)}"]`);
      const gd = panel && panel.querySelector(".js-plotly-plot");
      const figure = gd && gd.data && grown(gd, growth, news.signature);
      if (figure) space.set_props({ type: news.prefix + "-chart", panel: key }, { figure });
      else if (gd) missed = true;
    });
    if (missed) {
      // Something else was drawn meanwhile; forgetting what was drawn makes the server draw it.
      space.set_props(news.prefix + "-drawn", { data: {} });
      space.set_props(news.prefix + "-again", { data: Date.now() });
    }
    return space.no_update;
  };

  function grown(gd, growth, signature) {
    const layout = Object.assign({}, gd.layout), meta = layout.meta || {};
    if (meta.signature !== signature) return null;
    const data = gd.data.slice();
    const lines = data.map((trace, index) => index).filter((index) => (data[index].meta || {}).role === "line");
    const place = (layout.xaxis || {}).type === "date" ? window.pfd.zones.moment : (x) => x;
    const series = lines.map((index) => ((gd.calcdata || [])[index] || []).map((point) => [place(point.x), point.y]));
    for (const more of growth.lines) {
      const points = series[more.line];
      if (!points || points.length < more.had) return null;
      const fresh = more.x.map((x, at) => [x, more.y[at]]).slice(points.length - more.had);
      series[more.line] = points.concat(fresh);
      const index = lines[more.line], trace = Object.assign({}, data[index]);
      delete trace.x0;
      delete trace.dx;
      trace.x = series[more.line].map((point) => point[0]);
      trace.y = series[more.line].map((point) => (Number.isFinite(point[1]) ? point[1] : null));
      trace.mode = trace.x.length <= 2 ? "lines+markers" : "lines";
      data[index] = trace;
      if (more.better) improve(data, trace, more.better, fresh);
    }
    const logs = ["xaxis", "yaxis"].map((name) => (layout[name] || {}).type === "log");
    layout.xaxis = Object.assign({}, layout.xaxis, { range: extent(series, 0, logs[0], 0) });
    const span = layout.xaxis.range[1] - layout.xaxis.range[0];
    if (layout.xaxis.dtick === 1 && span > 6) delete layout.xaxis.dtick;  // more steps than each has room for a tick
    layout.yaxis = Object.assign({}, layout.yaxis, { range: extent(series, 1, logs[1], 0.06) });
    layout.annotations = (layout.annotations || []).map((item) => renamed(follow(item, data, lines, series, logs), data));
    spread(layout.annotations.filter((item) => /^end-label/.test(item.name || "")), layout.yaxis.range, gd._fullLayout._size.h);
    const home = { "xaxis.range": layout.xaxis.range, "yaxis.range": layout.yaxis.range };
    layout.meta = Object.assign({}, meta, { points: [growth.total, growth.total], home });
    return { data, layout };
  }

  function improve(data, line, better, fresh) {
    const at = data.findIndex((trace) => (trace.meta || {}).role === "best" && trace.legendgroup === line.legendgroup);
    if (at < 0) return;
    fresh.forEach(([x, y]) => {
      if (better === "max" ? y > data[at].y[0] : y < data[at].y[0]) data[at] = Object.assign({}, data[at], { x: [x], y: [y] });
    });
  }

  // Names at line ends 15 px apart within the panel, as components/figures/curves.py puts them at first.
  function spread(labels, range, height) {
    const wanted = (item) => (item.y - range[0]) / ((range[1] - range[0]) || 1) * height;
    const groups = [];
    labels.slice().sort((a, b) => a.y - b.y).forEach((item) => {
      groups.push({ items: [item], centre: Math.min(Math.max(wanted(item), 0), height) });
      for (let last = groups.length - 1; last > 0; last -= 1) {
        const [one, other] = groups.slice(-2);
        if (other.centre - one.centre >= (one.items.length + other.items.length) / 2 * 15) break;
        const items = one.items.concat(other.items), half = (items.length - 1) / 2 * 15;
        const middle = items.reduce((sum, each) => sum + wanted(each), 0) / items.length;
        groups.splice(-2, 2, { items, centre: Math.max(Math.min(middle, height - half), half) });
      }
    });
    groups.forEach((group) => group.items.forEach((item, place) => {
      item.yshift = Math.round((group.centre + (place - (group.items.length - 1) / 2) * 15 - wanted(item)) * 10) / 10;
    }));
  }

  // The name of a best value says the value.
  function renamed(item, data) {
    const match = /^best-label:(\d+)$/.exec(item.name || "");
    const best = match && data.find((trace) => (trace.meta || {}).role === "best" && trace.meta.colour === Number(match[1]));
    return best ? Object.assign({}, item, { text: item.text.replace(/: [^:]*$/, ": " + Number(best.y[0].toPrecision(4))) }) : item;
  }

  function extent(series, place, log, pad) {
    let low = Infinity, high = -Infinity;
    series.forEach((points) => points.forEach((point) => {
      const value = log ? Math.log10(point[place]) : point[place];
      if (Number.isFinite(value)) { low = Math.min(low, value); high = Math.max(high, value); }
    }));
    if (low > high) return [0, 1];
    if (place === 0 && !log && low === high) return [low, low + 1];
    // What was drawn before has travelled in single precision, what is new has not.
    const flat = place === 1 && !log && high - low <= 1e-6 * Math.max(Math.abs(low), Math.abs(high));
    const room = high > low && !flat ? (high - low) * pad : (Math.abs(low) * 0.1 || 1);
    return [low - room, high + room];
  }

  function follow(item, data, lines, series, logs) {
    const match = /^end-label:(\d+)$/.exec(item.name || "");
    const at = match ? lines.findIndex((index) => data[index].meta.colour === Number(match[1])) : -1;
    const last = at < 0 ? null : series[at].filter((point) => Number.isFinite(point[1])).pop();
    if (!last) return item;
    return Object.assign({}, item, { x: logs[0] ? Math.log10(last[0]) : last[0], y: logs[1] ? Math.log10(last[1]) : last[1] });
  }

  /* Address: {name: value}, an empty value takes the name out; what others put there stays. */
  pfd.merge_search = function (said) {
    if (!said) return space.no_update;
    const params = new URLSearchParams(location.search);
    Object.entries(said).forEach(([name, value]) => { if (value) params.set(name, value); else params.delete(name); });
    const search = params.toString().replace(/%2C/g, ",");
    const wanted = location.pathname + (search ? "?" + search : "");
    window.pfd.show_address(wanted);
    return search;
  };

  /* Other panels begin at the top; the one who pressed a button below them would look past them. */
  pfd.to_top = function (page, id) {
    const grid = document.getElementById(id);
    if (grid && grid.getBoundingClientRect().top < 0) grid.scrollIntoView({ block: "start" });
    return space.no_update;
  };

  /* Polling stops when nobody looks or the run has ended. */
  pfd.stop_polling = function (visible, live) { return !(live && visible !== false); };

  /* The slider of epochs stays at the newest one while it stands there, and goes to the best one at the end. */
  pfd.follow_last = function (span, value, most) {
    if (!span) return [space.no_update, space.no_update, space.no_update, space.no_update, space.no_update, space.no_update];
    const at = Number(value) >= Number(most) ? span[2] : Number(value);
    return [span[0], span[1], at, String(at), {}, { display: "none" }];
  };

  /* A value that changes with each key goes on when the hand rests, unless the page of it is left by then. */
  const resting = new Map();
  pfd.soon = function (value, store) {
    const field = document.getElementById(space.callback_context.triggered[0].prop_id.split(".")[0]);
    clearTimeout(resting.get(store));
    resting.set(store, setTimeout(() => { if (field.isConnected) space.set_props(store, { data: value }); }, 300));
    return space.no_update;
  };

  /* A value for a part of the page below the screen waits until that part is seen. */
  const waiting = new Map();
  const near = (id) => {
    const box = (document.getElementById(id) || document.body).getBoundingClientRect();
    return box.height > 0 && box.top < innerHeight + 200 && box.bottom > -200;
  };
  pfd.when_seen = function (value, place, store) {
    if (near(place)) { waiting.delete(store); return value; }
    waiting.set(store, { value, place });
    return space.no_update;
  };
  let looking = 0;
  document.addEventListener("scroll", () => {
    if (!waiting.size || looking) return;
    looking = setTimeout(() => {
      looking = 0;
      waiting.forEach((item, store) => {
        if (!document.getElementById(item.place)) waiting.delete(store);
        else if (near(item.place)) { waiting.delete(store); space.set_props(store, { data: item.value }); }
      });
    }, 150);
  }, { passive: true, capture: true });

  /* A column in which nothing was recorded so far says nothing. */
  function leaveOut(body, rows) {
    const filled = (body.__pfdFilled = body.__pfdFilled || new Set());
    rows.forEach((values) => values.forEach((value, index) => { if (value !== "–") filled.add(index); }));
    Array.from(body.closest("table").rows).forEach((row) => {
      Array.from(row.cells).forEach((cell, index) => { cell.hidden = !filled.has(index); });
    });
  }

  /* Rows of a long table: values in the order of its columns, put behind those that are there. */
  pfd.add_rows = function (rows, place) {
    const body = document.getElementById(place);
    if (!body || !rows || !rows.length) return space.no_update;
    const heads = Array.from(body.closest("table").tHead.rows[0].cells, (cell) => cell.textContent);
    const made = document.createDocumentFragment();
    rows.forEach((values) => {
      const row = document.createElement("tr");
      values.forEach((value, index) => {
        const cell = document.createElement("td");
        cell.className = "num cell-number";
        cell.setAttribute("data-label", heads[index]);
        cell.textContent = value;
        row.append(cell);
      });
      made.append(row);
    });
    body.append(made);
    leaveOut(body, rows);
    const none = document.getElementById(place + "-none");
    if (none) none.style.display = "none";
    body.closest(".epochs-frame").style.display = "";
    return body.rows.length;
  };

  /* What a range input stands at, while it moves. */
  document.addEventListener("input", (event) => {
    if (!event.target.matches || !event.target.matches('input[type="range"]')) return;
    document.querySelectorAll(`[data-range-of="${CSS.escape(event.target.id)}"]`).forEach((place) => {
      const digits = Number(event.target.step) < 1 ? 2 : 0;
      place.textContent = (place.getAttribute("data-range-word") || "") + Number(event.target.value).toFixed(digits);
    });
  });
})();
