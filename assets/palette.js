/* Command palette: pages at once, experiments by name from the server. */
(function () {
  "use strict";
  const pfd = (window.pfd = window.pfd || {});
  let dialog, field, list, options = [], chosen = 0, request = null, timer = 0, before = null;

  function build() {
    dialog = document.createElement("dialog");
    dialog.className = "palette";
    dialog.setAttribute("aria-label", "Search pages and experiments");
    const row = document.createElement("div");
    row.className = "palette-field";
    field = document.createElement("input");
    field.type = "text";
    field.placeholder = "Search pages and experiments";
    field.autocomplete = "off";
    field.spellcheck = false;
    const roles = { role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", "aria-autocomplete": "list", "aria-label": "Search pages and experiments" };
    Object.entries(roles).forEach(([name, value]) => field.setAttribute(name, value));
    const hint = document.createElement("kbd");
    hint.textContent = "Esc";
    row.append(pfd.icon("search"), field, hint);
    list = document.createElement("div");
    list.id = "palette-list";
    list.className = "palette-list";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Results");
    dialog.append(row, list);
    document.body.appendChild(dialog);
    field.addEventListener("input", search);
    field.addEventListener("keydown", keys);
    dialog.addEventListener("click", (event) => { if (event.target === dialog) close(); });
    dialog.addEventListener("close", () => { if (before && before.isConnected) before.focus(); before = null; });
  }

  function score(text, query) {
    const at = text.toLowerCase().indexOf(query);
    if (at < 0) return -1;
    return at === 0 ? 2 : (/\W/.test(text[at - 1]) ? 1 : 0);
  }

  function matchingPages(query) {
    const pages = pfd.pages ? pfd.pages() : [];
    if (!query) return pages;
    // What a page is also looked for by counts last: a name that fits comes first.
    return pages.map((page) => ({ page, rank: Math.max(score(page.label + " " + page.group, query), Math.min(score(page.words, query), 0)) }))
      .filter((found) => found.rank >= 0).sort((a, b) => b.rank - a.rank).map((found) => found.page);
  }

  function draw(groups, waiting) {
    list.replaceChildren();
    options = [];
    groups.forEach((group) => {
      if (!group.items.length) return;
      const box = document.createElement("div");
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", group.label);
      const heading = document.createElement("div");
      heading.className = "palette-heading";
      heading.setAttribute("aria-hidden", "true");
      heading.textContent = group.label;
      box.appendChild(heading);
      group.items.forEach((item) => {
        const option = document.createElement("div");
        option.className = "palette-option";
        option.id = "palette-option-" + options.length;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        const name = document.createElement("span");
        name.className = "palette-name";
        name.textContent = item.label;
        const side = document.createElement("span");
        side.className = "palette-side";
        side.textContent = item.side || "";
        option.append(pfd.icon(item.icon), name, side);
        const index = options.length;
        option.addEventListener("mousemove", () => select(index));
        option.addEventListener("click", () => go(index));
        options.push({ element: option, href: item.href });
        box.appendChild(option);
      });
      list.appendChild(box);
    });
    if (!options.length) {
      const none = document.createElement("div");
      none.className = "palette-none";
      none.textContent = waiting ? "Searching…" : "Nothing found.";
      list.appendChild(none);
    }
    select(0);
  }

  function select(index) {
    chosen = options.length ? (index + options.length) % options.length : 0;
    options.forEach((option, at) => option.element.setAttribute("aria-selected", String(at === chosen)));
    const option = options[chosen];
    if (option) { field.setAttribute("aria-activedescendant", option.element.id); option.element.scrollIntoView({ block: "nearest" }); }
    else field.removeAttribute("aria-activedescendant");
  }

  function go(index) {
    const option = options[index];
    if (!option) return;
    before = null;
    close();
    pfd.navigate(option.href);
  }

  /* What tells two of one name apart; a group that the name begins with says nothing more. */
  const beside = (found) => (found.group && !found.name.startsWith(found.group) ? found.group + " " : "") + "#" + found.id;

  const STATUS = { pending: "clock", running: "play-circle", paused: "pause-circle", completed: "check-circle", failed: "exclamation-circle", cancelled: "ban" };
  function search() {
    const query = field.value.trim().toLowerCase();
    const pages = { label: "Pages", items: matchingPages(query).map((page) => ({ label: page.label, href: page.href, icon: page.icon, side: page.group })) };
    const shell = document.getElementById("shell");
    const address = shell && shell.getAttribute("data-experiment-search");
    clearTimeout(timer);
    if (request) request.abort();
    if (!query || !address) { draw([pages], false); return; }
    draw([pages], true);
    timer = setTimeout(async () => {
      request = new AbortController();
      const own = request;
      let results = [];
      try {
        const answer = await fetch(address + "?q=" + encodeURIComponent(field.value.trim()), { signal: own.signal, headers: { Accept: "application/json" } });
        if (answer.ok) results = (await answer.json()).results || [];
      } catch (error) {
        if (error.name === "AbortError") return;
      }
      if (own !== request) return;
      const kept = chosen;
      draw([pages, { label: "Experiments", items: results.map((found) => ({ label: found.name, href: found.href, icon: STATUS[found.status] || "graph-up", side: beside(found) })) }], false);
      if (pages.items.length) select(kept);
      if (pfd.announce) pfd.announce(options.length + " results");
    }, 140);
  }

  function keys(event) {
    if (event.key === "ArrowDown") { event.preventDefault(); select(chosen + 1); }
    else if (event.key === "ArrowUp") { event.preventDefault(); select(chosen - 1); }
    else if (event.key === "Enter") { event.preventDefault(); go(chosen); }
  }

  function open() {
    if (!document.getElementById("shell")) return;
    if (!dialog) build();
    if (dialog.open) return;
    before = document.activeElement;
    field.value = "";
    search();
    dialog.showModal();
    field.focus();
  }
  function close() { if (dialog && dialog.open) dialog.close(); }
  pfd.palette = { open, close, toggle() { if (dialog && dialog.open) close(); else open(); } };
})();
