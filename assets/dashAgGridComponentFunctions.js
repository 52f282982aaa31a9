/* Cells of grids. A row that has not arrived yet has no data: it shows a grey line. */
(function () {
  "use strict";
  const own = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const h = (...parts) => window.React.createElement(...parts);
  const icon = (name) => h("span", { className: "icon icon-" + name, "aria-hidden": "true" });
  const nothing = () => h("span", { className: "muted" }, "–");
  const NaNs = { NaN: "NaN", Infinity: "+∞", "-Infinity": "−∞", "+inf": "+∞", inf: "+∞", "-inf": "−∞", nan: "NaN" };
  const STATUS = { pending: "clock", running: "play-circle", paused: "pause-circle", completed: "check-circle", failed: "exclamation-circle", cancelled: "ban" };

  function cell(draw) {
    return function (props) {
      if (!props.data) return h("span", { className: "grid-loading" });
      if (props.value === null || props.value === undefined || props.value === "") return nothing();
      return draw(props);
    };
  }

  own.StatusCell = cell((props) => {
    const status = String(props.value), known = STATUS[status];
    const word = status.charAt(0).toUpperCase() + status.slice(1).replace(/_/g, " ");
    return h("span", { className: "status status-" + (known ? status : "unknown") }, icon(known || "info-circle"), h("span", { className: "status-word" }, word));
  });

  const breakable = (name) => window.pfd.folders(name).flatMap((part, at) => (at ? [h("wbr", { key: at }), part] : [part]));

  own.LinkCell = cell((props) => {
    const href = props.data[props.hrefField || "href"];
    // Only paths of our own: a stored javascript: address must never become a link.
    if (typeof href !== "string" || !/^\/(?!\/)/.test(href)) return h("span", { className: "grid-link" }, String(props.value));
    const open = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      event.stopPropagation();
      window.pfd.navigate(href);
    };
    const [head, tail] = window.pfd.cutName(String(props.value));  // on a phone a line each
    const part = props.subField && props.data[props.subField];
    return h("span", { className: "name-cell" + (part ? " has-part" : "") },
      h("a", { href, className: "grid-link", onClick: open }, h("span", null, ...breakable(head)), h("span", null, tail)),
      part ? h("span", { className: "name-part", title: "Part of " + part }, "in " + part) : null);
  });

  /* A cell has the focus, not what is in it: Enter does what a click on its link or button does. */
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    if (!target.classList || !target.classList.contains("ag-cell")) return;
    const inside = target.querySelector("a.grid-link, button");
    if (inside) { event.preventDefault(); inside.click(); }
  });

  /* As many tags as fit whole, and how many more there are; the first is cut where even that does not fit. */
  function Tags(props) {
    const line = window.React.useRef(null), [shown, show] = window.React.useState(props.tags.length);
    const words = props.tags.join(", ");
    window.React.useLayoutEffect(() => {
      const place = line.current;
      function measure() {
        const chips = Array.from(place.querySelectorAll(".chip-measured")), room = place.clientWidth;
        let used = 0, count = 0;
        for (const chip of chips) {
          const more = count + 1 < chips.length ? 34 : 0;
          if (used + chip.offsetWidth + more > room) break;
          used += chip.offsetWidth + 4;
          count += 1;
        }
        show(Math.max(1, count));
      }
      measure();
      const watcher = new ResizeObserver(measure);
      watcher.observe(place);
      return () => watcher.disconnect();
    }, [words]);
    const rest = props.tags.length - shown;
    return h("span", { className: "chips chips-line", title: words, ref: line },
      h("span", { className: "chips-measure", "aria-hidden": "true" }, props.tags.map((tag, index) => h("span", { className: "chip chip-measured", key: index }, String(tag)))),
      props.tags.slice(0, shown).map((tag, index) => h("span", { className: "chip", key: index }, String(tag))),
      rest > 0 ? h("span", { className: "chip chip-more" }, "+" + rest) : null);
  }
  own.TagsCell = cell((props) => {
    const tags = Array.isArray(props.value) ? props.value : [props.value];
    return tags.length ? h(Tags, { tags }) : nothing();
  });

  own.TimeCell = cell((props) => h("time", { dateTime: String(props.value), "data-format": props.format || "relative" }, String(props.value).slice(0, 16).replace("T", " ")));

  /* Opens what the row is about: its number goes into the page's own store, as the grid takes `cellRendererData` for an option. */
  own.OpenCell = cell((props) => {
    const open = (event) => { event.stopPropagation(); window.dash_clientside.set_props(props.store, { data: { id: props.data.id, asked: Date.now() } }); };
    const shown = props.format ? h("time", { dateTime: String(props.value), "data-format": props.format }, String(props.value).slice(0, 19).replace("T", " ")) : String(props.value);
    return h("button", { type: "button", className: "grid-link grid-open", onClick: open, title: "Details of request " + props.data.id }, shown);
  });

  own.HttpStatusCell = cell((props) => {
    const kinds = { 2: "completed", 4: "paused", 5: "failed" };
    return h("span", { className: "status num status-" + (kinds[Math.floor(Number(props.value) / 100)] || "unknown") }, String(props.value));
  });

  function duration(seconds) {
    if (!Number.isFinite(seconds) || seconds < 0) return "–";
    if (seconds < 1) return Math.round(seconds * 1000) + " ms";
    if (seconds < 9.95) return seconds.toFixed(1) + " s";
    const whole = Math.round(seconds);
    if (whole < 60) return whole + " s";
    if (whole < 3600) return Math.floor(whole / 60) + " min " + (whole % 60) + " s";
    if (whole < 86400) return Math.floor(whole / 3600) + " h " + Math.floor((whole % 3600) / 60) + " min";
    return Math.floor(whole / 86400) + " d " + Math.floor((whole % 86400) / 3600) + " h";
  }
  own.DurationCell = cell((props) => h("span", { className: "num" }, duration(Number(props.value))));

  function number(value, digits) {
    if (NaNs[String(value)]) return NaNs[String(value)];
    const figure = Number(value);
    if (!Number.isFinite(figure)) return String(value);
    const size = Math.abs(figure);
    if (Number.isInteger(figure) && (size >= 1000 || digits === 0)) return figure.toLocaleString("en-US").replace("-", "−");
    if (size !== 0 && (size < Math.pow(10, -Math.max(digits - 1, 1)) || size >= 1e9)) return figure.toExponential(Math.max(digits - 2, 1)).replace("e+", "e").replace(/-/g, "−");
    return figure.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
  }
  own.NumberCell = cell((props) => h("span", { className: "num" }, number(props.value, props.digits === undefined ? 4 : props.digits)));

  own.SparklineCell = cell((props) => {
    const values = Array.isArray(props.value) ? props.value : [];
    const finite = values.filter((value) => typeof value === "number" && Number.isFinite(value));
    if (finite.length < 2) return finite.length ? h("span", { className: "num" }, number(finite[0], 4)) : nothing();
    const low = Math.min(...finite), high = Math.max(...finite), span = high - low;
    let path = "", pen = "M";
    values.forEach((value, index) => {
      if (typeof value !== "number" || !Number.isFinite(value)) { pen = "M"; return; }
      const y = span === 0 ? 12 : 22 - ((value - low) / span) * 20;
      path += pen + ((index * 96) / (values.length - 1)).toFixed(1) + " " + y.toFixed(1);
      pen = "L";
    });
    const label = `from ${number(finite[0], 4)} to ${number(finite[finite.length - 1], 4)}, lowest ${number(low, 4)}, highest ${number(high, 4)}`;
    return h("svg", { className: "grid-sparkline", viewBox: "0 0 96 24", preserveAspectRatio: "none", role: "img", "aria-label": label }, h("title", null, label), h("path", { d: path }));
  });

  /* Row actions: one menu at the end of the body, since a cell would clip it. */
  let menu = null, owner = null;
  function closeMenu(focus) {
    if (!menu) return;
    menu.remove();
    menu = null;
    if (owner) { owner.setAttribute("aria-expanded", "false"); if (focus && owner.isConnected) owner.focus(); }
    owner = null;
  }
  document.addEventListener("mousedown", (event) => { if (menu && !menu.contains(event.target) && event.target !== owner && !(owner && owner.contains(event.target))) closeMenu(false); }, true);
  // Focus alone may make the grid report a scroll; only one that moves the button parts it from its menu.
  let anchor = 0;
  document.addEventListener("scroll", () => {
    if (menu && owner && (!owner.isConnected || Math.abs(owner.getBoundingClientRect().top - anchor) > 4)) closeMenu(false);
  }, true);

  function openMenu(button, actions, choose, label) {
    closeMenu(false);
    owner = button;
    menu = document.createElement("div");
    menu.className = "menu-items floating-menu";
    menu.setAttribute("role", "menu");
    menu.setAttribute("aria-label", label);
    actions.forEach((action) => {
      const item = document.createElement("button");
      item.type = "button";
      item.className = "menu-item" + (action.danger ? " is-danger" : "");
      item.setAttribute("role", "menuitem");
      item.tabIndex = -1;
      item.append(window.pfd.icon(action.icon), document.createTextNode(action.label));
      item.addEventListener("click", () => { closeMenu(true); choose(action.key); });
      menu.appendChild(item);
    });
    menu.addEventListener("keydown", (event) => {
      const items = Array.from(menu.children), at = items.indexOf(document.activeElement);
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
      if (to !== undefined) { event.preventDefault(); items[(to + items.length) % items.length].focus(); }
      else if (event.key === "Escape" || event.key === "Tab") { event.preventDefault(); closeMenu(true); }
      event.stopPropagation();
    });
    document.body.appendChild(menu);
    const place = button.getBoundingClientRect(), size = menu.getBoundingClientRect();
    const below = place.bottom + 4 + size.height <= window.innerHeight;
    menu.style.left = Math.max(8, place.right - size.width) + "px";
    menu.style.top = (below ? place.bottom + 4 : Math.max(8, place.top - 4 - size.height)) + "px";
    anchor = place.top;
    button.setAttribute("aria-expanded", "true");
    menu.firstChild.focus({ preventScroll: true });
  }

  own.ActionsCell = function (props) {
    if (!props.data) return null;
    const status = props.data.status;
    const actions = (props.actions || []).filter((action) => !action.when || !action.when.length || action.when.includes(status));
    if (!actions.length) return null;
    const label = "Actions for " + (props.data[props.nameField] || "row");
    const open = (event) => {
      event.stopPropagation();
      const button = event.currentTarget;
      if (owner === button) { closeMenu(true); return; }
      openMenu(button, actions, (key) => props.setData({ action: key, id: props.data.id }), label);
    };
    const keys = (event) => { if (event.key === "Enter" || event.key === " ") event.stopPropagation(); };
    return h("button", { type: "button", className: "icon-button", "aria-label": label, "aria-haspopup": "menu", "aria-expanded": "false", onClick: open, onKeyDown: keys }, icon("three-dots"));
  };
})();
