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

  pfd.clear_selection = function (done, gridId) {
    return withGrid(gridId, function (api) { api.deselectAll(); api.refreshInfiniteCache(); });
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
        api.applyColumnState({ state: [narrow ? { colId: "name", pinned: null, width: 210 } : { colId: "name", pinned: "left", width: 330 }] });
      }
      window.addEventListener("resize", fit);
      fit();
    });
    return window.dash_clientside.no_update;
  };

  /* replaceState, not Dash's Location: that would load the whole page anew. */
  pfd.replace_search = function (search) {
    const wanted = location.pathname + (search || "");
    if (typeof search === "string" && wanted !== location.pathname + location.search) history.replaceState(history.state, "", wanted);
    return window.dash_clientside.no_update;
  };
})();
