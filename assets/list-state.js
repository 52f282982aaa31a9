/* The experiment list: rows are asked for again without moving the selection, and the address holds the state. */
(function () {
  "use strict";
  const space = (window.dash_clientside = window.dash_clientside || {});
  const pfd = (space.pfd = space.pfd || {});

  function withGrid(id, act) {
    let api = null;
    try { api = window.dash_ag_grid ? window.dash_ag_grid.getApi(id) : null; } catch (notYet) { /* it asks for its first rows by itself */ }
    if (api && !api.isDestroyed()) act(api);
    return window.dash_clientside.no_update;
  }

  /* At once and not after the answer to how many there are: rows on screen always belong to what stands in the fields. */
  pfd.refetch = function (text, status, columns, gridId) {
    return withGrid(gridId, function (api) { pfd.forget_rows(); api.purgeInfiniteCache(); });
  };

  /* Unlike a purge, this keeps the rows on screen until the new ones are here, and the selection by row id. */
  pfd.refresh_rows = function (version, gridId) {
    return withGrid(gridId, function (api) { api.refreshInfiniteCache(); });
  };

  /* What is tagged or cancelled is still there, and stays chosen for the next thing to do with it. */
  pfd.refresh_after = function (done, gridId) {
    return withGrid(gridId, function (api) {
      if (done && (done.deleted || done.restored)) api.deselectAll();
      api.refreshInfiniteCache();
    });
  };

  /* A day of a filter begins and ends by the clock by which the times are shown. */
  pfd.viewer_zone = function () { return window.pfd.zones.name(); };

  pfd.clear_selection = function (clicks, gridId) {
    return withGrid(gridId, function (api) { api.deselectAll(); });
  };

  /* What a phone has room for beside the name: the status as an icon and one metric. */
  const PHONE = { name: 154, status: 28, actions: 40, "ag-Grid-SelectionColumn": 32 }, PHONE_NUMBER = 104;
  const ROW = 40;

  /* The name takes the room that the other columns leave, on a phone it is not pinned: nothing else would be seen. */
  pfd.fit_grid = function (gridId) {
    if (!window.dash_ag_grid) return window.dash_clientside.no_update;
    window.dash_ag_grid.getApiAsync(gridId).then(function (api) {
      let wasNarrow = false, chosenWidth = false, fitting = 0;
      function width(column) { return PHONE[column.getColId()] || (column.getColId().startsWith("metric:") ? PHONE_NUMBER : column.getActualWidth()); }
      function fit() {
        fitting = 0;
        const place = document.getElementById(gridId);
        if (api.isDestroyed() || !place) { window.removeEventListener("resize", soon); return; }
        const narrow = window.innerWidth < 768, columns = api.getAllDisplayedColumns(), state = [];
        if (narrow) columns.forEach(function (column) { state.push({ colId: column.getColId(), width: width(column) }); });
        else if (wasNarrow) columns.forEach(function (column) { state.push({ colId: column.getColId(), width: column.getColDef().width || 44 }); });
        const name = state.find(function (one) { return one.colId === "name"; });
        if (narrow) Object.assign(name || {}, { pinned: null });
        else if (!chosenWidth) {
          const taken = columns.reduce(function (sum, column) { return column.getColId() === "name" ? sum : sum + (wasNarrow ? column.getColDef().width || 44 : column.getActualWidth()); }, 0);
          const room = Math.max(250, Math.min(900, place.clientWidth - taken - 20));
          if (name) Object.assign(name, { pinned: "left", width: room }); else state.push({ colId: "name", pinned: "left", width: room });
        }
        wasNarrow = narrow;
        // On a phone the grid first stands with a name that leaves no room for what is pinned, and lets all of it go.
        const actions = state.find(function (one) { return one.colId === "actions"; });
        if (narrow && actions) actions.pinned = "right";
        const same = state.every(function (one) {
          const column = api.getColumn(one.colId);
          return column && column.getActualWidth() === one.width && (one.pinned === undefined || (column.getPinned() || null) === one.pinned);
        });
        if (!same) api.applyColumnState({ state: state });
      }
      function soon() { if (!fitting) fitting = requestAnimationFrame(fit); }
      window.addEventListener("resize", soon);
      // The grid sees that the height of its rows is another one by now, and leaves it at that.
      api.addEventListener("stylesChanged", function (event) {
        if (event.rowHeightChanged) api.setGridOption("rowHeight", parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--grid-row")));
      });
      ["newColumnsLoaded", "displayedColumnsChanged", "gridSizeChanged"].forEach(function (word) { api.addEventListener(word, soon); });
      api.addEventListener("columnResized", function (event) {
        if (event.source !== "uiColumnResized" || !event.finished) return;
        if (event.column && event.column.getColId() === "name") chosenWidth = true; else soon();
      });
      soon();
      keepPlace(api);
    });
    return window.dash_clientside.no_update;
  };

  /* Back finds the list where it was left: the row stands with the address in the browser's history, not in it. */
  function keepPlace(api) {
    const row = Number((history.state || {}).listRow) || 0, path = location.pathname;
    function find() {
      if (api.getDisplayedRowCount() <= row) api.setRowCount(row + 50, false);  // the rows before it need not be asked for
      if (api.getDisplayedRowCount() <= row) return;  // the grid is not ready yet
      api.removeEventListener("modelUpdated", find);
      api.ensureIndexVisible(row, "top");
    }
    if (row > 0) { api.addEventListener("modelUpdated", find); find(); }
    api.addEventListener("bodyScrollEnd", function (event) {
      if (event.direction !== "vertical" || location.pathname !== path) return;
      history.replaceState(Object.assign({}, history.state, { listRow: Math.round(api.getVerticalPixelRange().top / ROW) }), "");
    });
  }

  /* A name with a comma must not fall apart where the address is read again. */
  function separable(name) { return name.replace(/%/g, "%25").replace(/,/g, "%2C"); }

  /* The address shows the same list again. replaceState, not Dash's Location: that would load the whole page anew. */
  pfd.keep_address = function (text, status, columns, fields, filters, sort, defaults) {
    const state = new URLSearchParams();
    if (text) state.set("q", text);
    if (status && status !== "all") state.set("status", status);
    if (columns && columns.join() !== defaults.columns.join()) state.set("columns", columns.map(separable).join());
    if (fields && fields.join() !== defaults.fields.join()) state.set("fields", fields.join());
    if (filters && Object.keys(filters).length) state.set("filter", JSON.stringify(filters));
    if (sort && sort !== "-created") state.set("sort", sort);
    const search = state.toString(), wanted = location.pathname + (search ? "?" + search : "");
    window.pfd.show_address(wanted);
    return window.dash_clientside.no_update;
  };
})();
