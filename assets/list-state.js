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

  pfd.refetch = function (query, gridId) {
    return withGrid(gridId, function (api) { api.purgeInfiniteCache(); });
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

  /* On a phone a pinned name would leave no room for anything else. */
  pfd.fit_grid = function (gridId) {
    if (!window.dash_ag_grid) return window.dash_clientside.no_update;
    window.dash_ag_grid.getApiAsync(gridId).then(function (api) {
      let narrow = false;
      function fit() {
        if (api.isDestroyed()) { window.removeEventListener("resize", fit); return; }
        if (narrow === window.innerWidth < 768) return;
        narrow = !narrow;
        api.applyColumnState({ state: [narrow ? { colId: "name", pinned: null, width: 140 } : { colId: "name", pinned: "left", width: 250 }] });
      }
      window.addEventListener("resize", fit);
      fit();
    });
    return window.dash_clientside.no_update;
  };

  /* A name with a comma must not fall apart where the address is read again. */
  function separable(name) { return name.replace(/%/g, "%25").replace(/,/g, "%2C"); }

  /* The address shows the same list again. replaceState, not Dash's Location: that would load the whole page anew. */
  pfd.keep_address = function (text, status, columns, filters, sort, defaults) {
    const state = new URLSearchParams();
    if (text) state.set("q", text);
    if (status && status !== "all") state.set("status", status);
    if (columns && columns.join() !== defaults.join()) state.set("columns", columns.map(separable).join());
    if (filters && Object.keys(filters).length) state.set("filter", JSON.stringify(filters));
    if (sort && sort !== "-created") state.set("sort", sort);
    const search = state.toString(), wanted = location.pathname + (search ? "?" + search : "");
    if (wanted !== location.pathname + location.search) history.replaceState(history.state, "", wanted);
    return window.dash_clientside.no_update;
  };
})();
