/* Legend and table of a comparison, made from plain data: see pages/_compare_parts.py and _compare_table.py. Every text is set as text. */
(function () {
  "use strict";
  const space = (window.dash_clientside = window.dash_clientside || {});
  const clientside = (space.pfd = space.pfd || {});
  const pfd = (window.pfd = window.pfd || {});
  const waiting = new Map();

  function make(tag, className, ...children) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    children.forEach((child) => { if (child !== null) element.append(child); });
    return element;
  }

  function scoped(cell, scope) { cell.scope = scope; return cell; }

  function named(item) {
    const stroke = make("span", "swatch swatch-" + item.dash), link = make("a", "legend-name", item.name);
    stroke.style.color = `var(--curve-${item.colour})`;
    stroke.setAttribute("aria-hidden", "true");
    link.href = link.dataset.go = "/experiments/" + item.id;
    link.title = item.name;
    return [stroke, link];
  }
  function chip(item) {
    const [stroke, link] = named(item), [head, tail] = pfd.cutName(item.name);
    link.replaceChildren(make("span", "legend-head", head), make("span", "legend-tail", tail));
    return [stroke, link];
  }
  const name = (item) => make("span", "compare-name", ...named(item));

  /* The legend is made before the first frame in which its place is there, so that nothing below it jumps. */
  function legend() {
    const list = document.getElementById("compare-legend"), said = list && list.getAttribute("data-entries");
    if (!list || list.__pfdMade === said) return;
    list.__pfdMade = said;
    list.replaceChildren(...JSON.parse(said || "[]").map((item) => {
      const button = make("button", "icon-button", pfd.icon("x-lg")), entry = make("li", "legend-entry", ...chip(item), button);
      button.type = "button";
      button.setAttribute("aria-label", `Remove ${item.name} from the comparison`);
      button.addEventListener("click", () => space.set_props("compare-removed", { data: item.id }));
      entry.setAttribute("data-highlight", item.id);
      return entry;
    }));
  }

  /* The box that adds: arrow keys walk through what was found, Enter takes the first, also of what is still on its way. */
  let wanted = null;
  const field = () => document.getElementById("compare-find");
  const found = () => Array.from(document.querySelectorAll("#compare-found .menu-item"));
  function current() {
    const list = document.querySelector("#compare-found [data-found-for]"), box = field();
    return list && box && list.getAttribute("data-found-for") === box.value.trim();
  }
  function take() {
    if (wanted === null || !current()) return;
    const first = wanted === field().value && found()[0];
    wanted = null;
    if (first) first.click();
  }
  document.addEventListener("keydown", (event) => {
    const box = field(), options = box ? found() : [], at = options.indexOf(document.activeElement);
    if (!box || (event.target !== box && at < 0)) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const next = at + (event.key === "ArrowDown" ? 1 : -1);
      if (next < 0) box.focus(); else if (options[next]) options[next].focus();
    } else if (event.key === "Enter" && event.target === box && box.value.trim()) {
      event.preventDefault();
      wanted = box.value;
      take();
    } else if (event.key === "Escape" && at >= 0) box.focus();
  });

  new MutationObserver(() => { legend(); take(); }).observe(document.documentElement, {
    childList: true, subtree: true, attributes: true, attributeFilter: ["data-entries", "data-found-for"],
  });

  function title(line) {
    const key = make("span", "compare-key", line.name);
    key.title = line.name;
    return line.word ? make("span", "compare-metric", key, make("span", "muted", line.word)) : key;
  }

  function value(cell) {
    if (typeof cell === "string") {
      const made = make("td", "", cell);
      made.title = cell;
      return made;
    }
    if (cell.length === 1) return make("td", cell[0] === "–" ? "muted" : "num", cell[0]);
    const [best, last, wins] = cell;
    const mark = wins ? [pfd.icon("trophy"), make("span", "visually-hidden", "best of all")] : [];
    return make("td", "num compare-value" + (wins ? " compare-wins" : ""),
      make("span", "compare-best", best, ...mark), make("span", "muted", "last " + last));
  }

  const status = (item) => make("td", "", make("span", "status status-" + item.status, pfd.icon(item.icon), item.word));
  const head = (content, scope) => scoped(make("th", "", content), scope);

  function rows(data) {
    const { experiments, lines } = data;
    if (data.upright) {
      return [
        make("tr", "", head("", "col"), ...experiments.map((item) => head(name(item), "col"))),
        ...(data.status ? [make("tr", "", head("Status", "row"), ...experiments.map(status))] : []),
        ...lines.map((line) => make("tr", "", head(title(line), "row"), ...line.cells.map(value))),
      ];
    }
    return [
      make("tr", "", head("Experiment", "col"), ...(data.status ? [head("Status", "col")] : []), ...lines.map((line) => head(title(line), "col"))),
      ...experiments.map((item, place) => make("tr", "", head(name(item), "row"), ...(data.status ? [status(item)] : []), ...lines.map((line) => value(line.cells[place])))),
    ];
  }

  function put(place, data) {
    const frame = document.getElementById(place);
    if (!frame) return;
    if (data.empty) {
      frame.replaceChildren(make("div", "empty", make("div", "empty-icon", pfd.icon("layout-split")),
        make("div", "empty-title", data.empty[0]), make("div", "empty-text", data.empty[1])));
      return;
    }
    const [first, ...rest] = rows(data);
    const table = make("table", "compare-table" + (data.upright ? " compare-upright" : ""),
      make("caption", "visually-hidden", data.label), make("thead", "", first), make("tbody", "", ...rest));
    // In the place of the old one, so that the frame stays scrolled to where it was.
    const old = frame.querySelector("table");
    if (old && frame.childElementCount === (data.note ? 2 : 1)) old.replaceWith(table);
    else frame.replaceChildren(table, ...(data.note ? [make("p", "muted", data.note)] : []));
    if (data.note) frame.lastElementChild.textContent = data.note;
  }

  /* The first table waits until the browser has drawn what is above it. */
  clientside.compare_table = function (data, place) {
    if (!data) return space.no_update;
    const frame = document.getElementById(place);
    const now = () => { const latest = waiting.get(place); waiting.delete(place); if (latest) put(place, latest); };
    if (frame && frame.childElementCount) { waiting.delete(place); put(place, data); return space.no_update; }
    const first = !waiting.has(place);
    waiting.set(place, data);
    if (first) window.requestIdleCallback ? requestIdleCallback(now, { timeout: 1500 }) : setTimeout(now, 200);
    return space.no_update;
  };

  // Links that Dash did not make go to their page without loading the app anew, as its own do.
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[data-go]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    pfd.navigate(link.dataset.go);
  });
})();
