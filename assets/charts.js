/* Chart panels: linked cursor, which are on screen, points shown, expand, save. Needs theme.js. */
(function () {
  "use strict";
  const pfd = (window.pfd = window.pfd || {});
  const MOST = 24;
  const number = new Intl.NumberFormat("en-US");

  const plotOf = (chart) => chart.querySelector(".js-plotly-plot");
  const chartOf = (element) => element.closest("[data-chart]") || (element.closest(".panel") && element.closest(".panel").querySelector("[data-chart]"));

  /* After each drawing */
  document.addEventListener("pfd:drawn", (event) => {
    const gd = event.target, chart = gd.closest("[data-chart]");
    if (!chart) return;
    const meta = (gd.layout && gd.layout.meta) || {};
    if (meta.state) chart.setAttribute("data-state", meta.state); else chart.removeAttribute("data-state");
    showPoints(chart, meta.points, meta.outside);
    if (chart.getAttribute("data-linked") === "true" && gd.__pfdLinked !== gd._ev) {
      gd.__pfdLinked = gd._ev;
      gd.on("plotly_hover", (hover) => { if (hover.xvals) moveCursor(chart, hover.xvals[0]); });
      gd.on("plotly_unhover", () => moveCursor(chart, null));
    }
  });

  function showPoints(chart, points, outside) {
    const panel = chart.closest(".panel");
    const place = panel && panel.querySelector("[data-chart-points]");
    if (!place) return;
    let text = "";
    if (points) text = points[0] === points[1] ? `${number.format(points[1])} ${points[1] === 1 ? "point" : "points"}` : `shows ${number.format(points[0])} of ${number.format(points[1])} points`;
    if (points && outside) text += `, ${number.format(outside)} outside`;
    chart.__pfdPoints = place.textContent = place.title = text;
  }

  /* Linked cursor: a line and a reading in every other panel; Plotly's own hover stays with the panel under the pointer. */
  let pending = null;
  function moveCursor(source, x) {
    if (pending) { pending = { source, x }; return; }
    pending = { source, x };
    requestAnimationFrame(() => {
      const move = pending;
      pending = null;
      document.querySelectorAll('[data-chart][data-linked="true"]').forEach((chart) => {
        if (chart !== move.source) showCursor(chart, move.x);
      });
    });
  }

  function showCursor(chart, x) {
    let line = chart.querySelector(":scope > .chart-cursor");
    const gd = plotOf(chart);
    const axis = gd && gd._fullLayout && gd._fullLayout.xaxis;
    const place = chart.closest(".panel") && chart.closest(".panel").querySelector("[data-chart-points]");
    const at = axis && x !== null && axis.c2p ? axis.c2p(x) : NaN;
    if (!(at >= 0 && at <= axis._length)) {
      if (line) line.classList.remove("is-on");
      const list = chart.querySelector(":scope > .chart-reading");
      if (list) list.remove();
      if (place && place.textContent !== (chart.__pfdPoints || "")) place.textContent = chart.__pfdPoints || "";
      return;
    }
    if (!line) {
      line = document.createElement("div");
      line.className = "chart-cursor";
      chart.appendChild(line);
    }
    const area = gd._fullLayout._size;
    line.style.transform = `translateX(${Math.round(axis._offset + at)}px)`;
    line.style.top = area.t + "px";
    line.style.height = area.h + "px";
    line.classList.add("is-on");
    if (place) reading(chart, place, gd, x, axis._offset + at);
  }

  // Up to three values stand in the head; of many a list by value with their names, or the ends of it where all are named elsewhere.
  const IN_HEAD = 3;
  function reading(chart, place, gd, x, left) {
    const found = [];
    (gd._fullData || []).forEach((trace, index) => {
      if (trace.visible !== true || !trace.meta || trace.meta.role !== "line") return;
      const points = (gd.calcdata || [])[index], point = points && nearest(points, x);
      if (point && Number.isFinite(point.y)) found.push({ name: plain(trace.name || ""), colour: trace.line.color, value: point.y });
    });
    const old = chart.querySelector(":scope > .chart-reading");
    if (old) old.remove();
    if (found.length <= IN_HEAD) {
      const named = found.length > 1 && (gd.layout.meta || {}).labels === "end";
      place.replaceChildren(...found.map((line) => entry(line, named)));
      return;
    }
    found.sort((a, b) => b.value - a.value);
    if ((gd.layout.meta || {}).labels !== "end") {
      place.replaceChildren(entry(found[0], true), document.createTextNode(" …"), entry(found[found.length - 1], true));
      return;
    }
    place.textContent = chart.__pfdPoints || "";
    const list = document.createElement("div");
    list.className = "chart-reading num";
    list.setAttribute("aria-hidden", "true");
    list.append(...found.map((line) => entry(line, true)));
    chart.appendChild(list);
    const room = chart.clientWidth - left > list.offsetWidth + 12;
    list.style.transform = `translateX(${Math.round(room ? left + 8 : Math.max(0, left - 8 - list.offsetWidth))}px)`;
  }

  function entry(line, named) {
    const made = document.createElement("span"), dot = document.createElement("span"), name = document.createElement("span");
    made.className = "cursor-value";
    dot.className = "cursor-dot";
    dot.style.background = line.colour;
    name.className = "cursor-name";
    name.textContent = line.name;
    made.append(dot, ...(named ? [name] : []), document.createTextNode(readable(line.value)));
    return made;
  }

  const readable = (value) => (value === 0 || (Math.abs(value) >= 0.001 && Math.abs(value) < 10000) ? value.toFixed(4) : String(Number(value.toPrecision(5))));

  function nearest(points, x) {
    let low = 0, high = points.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (points[middle].x < x) low = middle; else high = middle;
    }
    return Math.abs(points[low].x - x) <= Math.abs(points[high].x - x) ? points[low] : points[high];
  }

  /* Panels on screen: the store named by data-visible-panels holds their keys. */
  const visible = new Set();
  const watched = new WeakSet();
  const reported = new WeakMap();
  let timer = 0;
  const observer = new IntersectionObserver((entries) => {
    entries.forEach((entry) => { if (entry.isIntersecting) visible.add(entry.target); else visible.delete(entry.target); });
    schedule();
  }, { rootMargin: "160px 0px" });

  function schedule() { clearTimeout(timer); timer = setTimeout(report, 120); }

  function report() {
    document.querySelectorAll("[data-visible-panels]").forEach((grid) => {
      const keys = Array.from(grid.querySelectorAll("[data-panel-key]"))
        .filter((panel) => visible.has(panel)).slice(0, MOST).map((panel) => panel.getAttribute("data-panel-key"));
      const text = JSON.stringify(keys);
      if (reported.get(grid) === text || !window.dash_clientside || !window.dash_clientside.set_props) return;
      reported.set(grid, text);
      window.dash_clientside.set_props(grid.getAttribute("data-visible-panels"), { data: keys });
    });
  }

  new MutationObserver(() => {
    let fresh = false;
    document.querySelectorAll("[data-visible-panels] [data-panel-key]").forEach((panel) => {
      if (!watched.has(panel)) { watched.add(panel); observer.observe(panel); fresh = true; }
    });
    visible.forEach((panel) => { if (!panel.isConnected) { visible.delete(panel); fresh = true; } });
    if (fresh) schedule();
  }).observe(document.documentElement, { childList: true, subtree: true });

  /* Expand and save */
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("[data-chart-do]");
    const chart = button && chartOf(button);
    if (!chart) return;
    const what = button.getAttribute("data-chart-do"), gd = plotOf(chart);
    if (what === "expand") expand(chart.closest(".panel"), button);
    else if (!gd) return;
    else if (what === "csv") save(new Blob([csv(gd)], { type: "text/csv;charset=utf-8" }), fileName(chart) + ".csv");
    else if (what === "reset") window.Plotly.relayout(gd, ((gd.layout || {}).meta || {}).home || { "xaxis.autorange": true, "yaxis.autorange": true });
    else picture(chart, gd, what);
  });
  document.addEventListener("keydown", (event) => {
    const panel = event.key === "Escape" && document.querySelector(".panel.is-expanded");
    if (panel) expand(panel, panel.querySelector('[data-chart-do="expand"]'));
  });

  function expand(panel, button) {
    const open = panel.classList.toggle("is-expanded");
    button.setAttribute("aria-expanded", String(open));
    button.setAttribute("aria-label", button.getAttribute("aria-label").replace(/^(Expand|Close)/, open ? "Close" : "Expand"));
    const icon = button.querySelector(".icon");
    if (icon) icon.className = "icon " + (open ? "icon-x-lg" : "icon-arrows-angle-expand");
    document.documentElement.style.overflow = open ? "hidden" : "";
    document.documentElement.classList.toggle("is-covered", open);  // html:has() would be asked anew at each change of the page
    // Everything beside the panel is out of reach while it covers the page.
    for (let node = panel; node && node !== document.body; node = node.parentElement) {
      Array.from(node.parentElement.children).forEach((other) => {
        if (other === node || other.id === "toast-region" || other.tagName === "SCRIPT") return;
        if (open && !other.inert) { other.inert = true; other.__pfdInert = true; }
        else if (!open && other.__pfdInert) { other.inert = false; delete other.__pfdInert; }
      });
    }
    requestAnimationFrame(() => { const gd = plotOf(panel); if (gd) window.Plotly.Plots.resize(gd); });
    button.focus();
  }

  function fileName(chart) {
    const heading = document.querySelector(".page-title");
    const parts = [heading && heading.textContent, chart.getAttribute("data-file-name")].filter(Boolean).join(" ");
    return parts.normalize("NFKD").replace(/[^\w.-]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 100) || "chart";
  }

  function save(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    document.body.appendChild(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // Pictures go into papers and slides: always the light theme on white, with the title in them.
  async function picture(chart, gd, format) {
    const width = Math.max(gd.clientWidth, 640), height = Math.max(gd.clientHeight, 360);
    const figure = pfd.theme.paint({ data: gd.data, layout: gd.layout }, width, "light");
    const title = chart.closest(".panel") && chart.closest(".panel").querySelector(".panel-title");
    const layout = Object.assign({}, figure.layout, { paper_bgcolor: "#ffffff", plot_bgcolor: "#ffffff", width, height });
    if (title) {
      const run = document.querySelector(".page-title");
      const named = [run && run.textContent, title.textContent].filter(Boolean).join(" · ");
      layout.title = { text: named.replace(/&/g, "&amp;").replace(/</g, "&lt;"), x: 0.02, xanchor: "left", font: { size: 14, color: "#15181e" } };
      layout.margin = Object.assign({}, layout.margin, { t: Math.max((layout.margin && layout.margin.t) || 0, 48) });
    }
    // A picture knows none of our fonts, and the names at the ends of the lines are wider in those that it has.
    if (layout.margin && layout.margin.r > 16) layout.margin = Object.assign({}, layout.margin, { r: Math.ceil(layout.margin.r * 1.2) });
    // What one legend names for all charts of a page has to be named in a picture of one.
    if (layout.showlegend === false && (layout.meta || {}).labels === "legend" && figure.data.length > 1) layout.showlegend = true;
    try {
      const url = await window.Plotly.toImage({ data: figure.data, layout, config: { plotlyServerURL: "" } }, { format, width, height, scale: format === "png" ? 2 : 1 });
      save(format === "svg" ? new Blob([decodeURIComponent(url.slice(url.indexOf(",") + 1))], { type: "image/svg+xml" }) : bytes(url), fileName(chart) + "." + format);
    } catch (error) {
      pfd.toast({ kind: "error", text: "The picture could not be made.", seconds: 10 });
    }
  }

  // A data: address may not be fetched under the content security policy, so it is decoded here.
  function bytes(url) {
    const raw = atob(url.slice(url.indexOf(",") + 1)), data = new Uint8Array(raw.length);
    for (let index = 0; index < raw.length; index += 1) data[index] = raw.charCodeAt(index);
    return new Blob([data], { type: "image/png" });
  }

  // A cell that begins like a formula would be run by a spreadsheet; what begins a cell is what `csv_cell` says.
  function cell(value) {
    const text = value === null || value === undefined ? "" : String(value);
    const bare = text.trimStart(), blanks = text.slice(0, text.length - bare.length);
    const quote = /^[\t\r\n]/.test(blanks) || /^[=+\-@＝＋－＠]/.test(bare) ? "'" : "";
    const safe = typeof value === "string" ? quote + blanks + bare.replace(/([;\t\r\n][^\S\t\r\n]*)(?=[=+\-@＝＋－＠])/g, "$1'") : text;
    return /[",\n\r]/.test(safe) ? '"' + safe.replace(/"/g, '""') + '"' : safe;
  }

  function plain(text) {
    const area = document.createElement("textarea");
    area.innerHTML = text;
    return area.value;
  }

  function csv(gd) {
    const axis = (gd.layout.meta || {}).axis, rows = [["series", "kind", { wall: "time", relative: "seconds" }[axis] || axis || "x", axis ? "value" : "y"]];
    const date = gd._fullLayout.xaxis && gd._fullLayout.xaxis.type === "date";
    (gd._fullData || []).forEach((trace, index) => {
      const name = plain(trace.name || ""), kind = (trace.meta && trace.meta.role) || trace.type;
      if (trace.type === "heatmap") {
        const labels = ((gd.layout.meta || {}).wide || {}).labels || [];
        (trace.z || []).forEach((line, row) => Array.from(line).forEach((value, column) => rows.push([plain(labels[row] || String(row)), "predicted " + plain(labels[column] || String(column)), column, value])));
        return;
      }
      if (kind === "best" || kind === "lone" || kind === "lone-raw") return; // they repeat points of the lines
      ((gd.calcdata || [])[index] || []).forEach((point, at) => {
        const x = date && typeof point.x === "number" ? new Date(pfd.zones.moment(point.x)).toISOString() : point.x;
        const y = kind === "flag" ? (trace.customdata || [])[at] : point.y;
        if (x !== undefined && y !== undefined) rows.push([name, kind === "flag" ? "line" : kind, x, kind === "flag" ? { toString: () => y } : y]);
      });
    });
    return "\ufeff" + rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
  }

  pfd.charts = { csv, fileName };
})();
