/* The theme, and the colours of charts: figures come without colours and get them here, so a switch asks no server. */
(function () {
  "use strict";
  const pfd = (window.pfd = window.pfd || {});
  const root = document.documentElement;
  const media = window.matchMedia("(prefers-color-scheme: dark)");
  const NARROW = 520;
  const cache = {};

  function tokens(theme) {
    if (cache[theme]) return cache[theme];
    const probe = document.createElement("div");
    probe.hidden = true;
    probe.setAttribute("data-bs-theme", theme);
    document.body.appendChild(probe);
    const style = getComputedStyle(probe);
    const read = (name) => style.getPropertyValue(name).trim();
    const curves = [];
    for (let index = 1; index <= 12; index += 1) curves.push(read("--curve-" + index));
    const names = ["surface", "surface-raised", "border", "border-strong", "text", "text-2", "text-3", "font",
      "chart-grid", "chart-axis", "heat-0", "heat-1", "heat-2"];
    const found = { curves };
    names.forEach((name) => { found[name] = read("--" + name); });
    probe.remove();
    if (found.text) cache[theme] = found;
    return found;
  }

  function current() { return root.getAttribute("data-bs-theme") === "dark" ? "dark" : "light"; }

  function faded(colour, alpha) {
    const value = parseInt(colour.slice(1), 16);
    return `rgba(${value >> 16},${(value >> 8) & 255},${value & 255},${alpha})`;
  }

  function template(theme) {
    const t = tokens(theme);
    const axis = {
      gridcolor: t["chart-grid"], linecolor: t["chart-axis"], tickcolor: t["chart-axis"], zeroline: false,
      zerolinecolor: t["chart-grid"], tickfont: { color: t["text-3"], size: 11 },
      title: { font: { color: t["text-3"], size: 11 }, standoff: 8 },
    };
    return {
      layout: {
        font: { family: t.font, size: 12, color: t["text-2"] },
        colorway: t.curves,
        xaxis: Object.assign({}, axis, { showgrid: false, showline: true, ticks: "outside", ticklen: 4 }),
        yaxis: Object.assign({}, axis, { nticks: 6, ticklabelstandoff: 4 }),
        hoverlabel: { bgcolor: t["surface-raised"], bordercolor: t["border-strong"], font: { family: t.font, size: 12, color: t.text }, namelength: 40 },
        legend: { orientation: "h", x: 0, y: 0, yref: "container", yanchor: "bottom", maxheight: 92, tracegroupgap: 0, font: { size: 12, color: t["text-2"] } },
        annotationdefaults: { font: { color: t["text-2"], size: 12 } },
        shapedefaults: { line: { color: t["text-3"] } },
        modebar: { bgcolor: "rgba(0,0,0,0)", color: t["text-3"], activecolor: t.text },
        dragmode: "zoom",
        paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      },
      data: { heatmap: [{ colorscale: [[0, t["heat-0"]], [0.5, t["heat-1"]], [1, t["heat-2"]]] }] },
    };
  }

  function paintTrace(trace, t) {
    const meta = trace.meta || {};
    const painted = Object.assign({}, trace);
    if (meta.role === "confusion") {
      painted.colorscale = [[0, t["heat-0"]], [0.5, t["heat-1"]], [1, t["heat-2"]]];
      return painted;
    }
    if (typeof meta.colour !== "number") return painted;
    const colour = t.curves[((meta.colour % t.curves.length) + t.curves.length) % t.curves.length];
    const line = Object.assign({}, trace.line), marker = Object.assign({}, trace.marker);
    const edge = Object.assign({}, marker.line);
    if (meta.role === "raw") line.color = faded(colour, 0.28); else line.color = colour;
    marker.color = meta.role === "lone-raw" ? faded(colour, 0.45) : colour;
    if (meta.role === "best") { edge.color = t.surface; }
    if (meta.role === "flag") { edge.color = colour; }
    marker.line = edge;
    painted.line = line;
    painted.marker = marker;
    if (trace.type === "bar") delete painted.line;
    return painted;
  }

  // On a phone there is no room for names at line ends or for two lines in a cell of a matrix.
  function fit(data, layout, width) {
    const meta = layout.meta || {};
    const narrow = width > 0 && width < NARROW;
    if (meta.labels === "end") {
      layout.annotations = (layout.annotations || []).map((item) =>
        String(item.name || "").startsWith("end-label") ? Object.assign({}, item, { visible: !narrow }) : item);
      layout.showlegend = narrow;
      // There are few enough lines for all their names to be seen at once.
      layout.legend = Object.assign({}, layout.legend, narrow ? { maxheight: 200 } : {});
      layout.margin = Object.assign({}, layout.margin, { r: narrow ? 12 : meta.right });
    }
    if (meta.narrow && meta.narrow.labels) {
      const axes = meta.kind === "confusion" ? ["xaxis", "yaxis"] : ["yaxis"];
      axes.forEach((name) => {
        layout[name] = Object.assign({}, layout[name], { ticktext: narrow ? meta.narrow.labels : meta.wide.labels });
      });
      if (meta.kind === "confusion") {
        layout.xaxis.tickangle = narrow ? -90 : "auto";
        const full = width >= meta.narrow.labels.length * 56 + 160;
        data[0] = Object.assign({}, data[0], { text: full ? meta.wide.text : meta.narrow.text, xgap: narrow ? 1 : 2, ygap: narrow ? 1 : 2, textfont: { size: narrow ? 9 : 11 } });
      }
    }
  }

  function paintLabels(layout, t) {
    layout.annotations = (layout.annotations || []).map((item) => {
      const match = /^(?:end|best)-label:(\d+)$/.exec(item.name || "");
      if (!match) return item;
      const colour = t.curves[Number(match[1]) % t.curves.length];
      const text = String(item.text).replace(/^(<span[^>]*>)?●(<\/span>)?/, `<span style="color:${colour}">●</span>`);
      return Object.assign({}, item, { text });
    });
  }

  function paint(figure, width, theme) {
    const chosen = theme || current();
    const t = tokens(chosen);
    let data = (figure.data || []).map((trace) => paintTrace(trace, t));
    let layout = Object.assign({}, figure.layout, { template: template(chosen) });
    if ((layout.xaxis || {}).type === "date") ({ data, layout } = pfd.zones.apply(data, layout));
    if (layout.annotations) paintLabels(layout, t);
    fit(data, layout, width);
    return Object.assign({}, figure, { data, layout });
  }

  function adopt(plotly) {
    const react = plotly.react;
    const own = Object.create(plotly);
    own.react = function (gd, first, layout, config) {
      const element = typeof gd === "string" ? document.getElementById(gd) : gd;
      const given = first && !Array.isArray(first) && typeof first === "object" ? first : { data: first, layout, config };
      const figure = paint(given, element.clientWidth);
      element.__pfdConfig = figure.config;
      return Promise.resolve(react.call(plotly, element, figure)).then((result) => {
        element.dispatchEvent(new CustomEvent("pfd:drawn", { bubbles: true }));
        return result;
      });
    };
    return own;
  }

  let library = window.Plotly ? adopt(window.Plotly) : undefined;
  Object.defineProperty(window, "Plotly", {
    configurable: true,
    get() { return library; },
    set(value) { library = value ? adopt(value) : value; },
  });

  function redraw(gd) {
    return window.Plotly.react(gd, { data: gd.data, layout: gd.layout, config: gd.__pfdConfig });
  }

  function redrawAll() {
    if (!library) return;
    document.querySelectorAll(".js-plotly-plot").forEach((gd) => { if (gd.data) redraw(gd); });
  }

  function apply(choice) {
    const theme = choice === "system" ? (media.matches ? "dark" : "light") : choice;
    const changed = theme !== current();
    root.setAttribute("data-bs-theme", theme);
    root.setAttribute("data-ag-theme-mode", theme);
    root.setAttribute("data-theme-choice", choice);
    const meta = document.querySelector('meta[name="theme-color"]');
    if (meta) meta.setAttribute("content", tokens(theme).surface);
    press();
    if (changed) redrawAll();
  }

  function choose(choice) {
    try { localStorage.setItem("pfd-theme", choice); } catch (error) { /* private mode: the choice lasts for this page */ }
    apply(choice);
  }

  function press() {
    const choice = root.getAttribute("data-theme-choice") || "system";
    document.querySelectorAll("button[data-theme-choice]").forEach((button) => {
      const state = String(button.getAttribute("data-theme-choice") === choice);
      if (button.getAttribute("aria-pressed") !== state) button.setAttribute("aria-pressed", state);
    });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("button[data-theme-choice]");
    if (button) choose(button.getAttribute("data-theme-choice"));
  });
  media.addEventListener("change", () => { if (root.getAttribute("data-theme-choice") === "system") apply("system"); });
  window.addEventListener("storage", (event) => { if (event.key === "pfd-theme") apply(event.newValue || "system"); });
  new MutationObserver(press).observe(document.body || root, { childList: true, subtree: true });

  // The layout depends on the width only across one threshold, so a resize redraws only then.
  let wide = null;
  window.addEventListener("resize", () => {
    const now = window.innerWidth >= 768;
    if (wide !== null && wide !== now) setTimeout(redrawAll, 120);
    wide = now;
  });
  wide = window.innerWidth >= 768;

  pfd.theme = { choose, current, tokens, template, paint, redraw, redrawAll };
})();
