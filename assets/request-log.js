/* The grid of the request log: it is read by where a page begins, not by how many rows come before. Which place belongs to
   which row number is kept here, as the grid knows numbers only; it never asks for a page before it has had the one above. */
(function () {
  "use strict";
  const space = (window.dash_clientside = window.dash_clientside || {});
  const pfd = (space.pfd = space.pfd || {});
  const places = new Map();
  let newest = 0, stale = 0;

  pfd.ask_requests = function (request) {
    const asked = pfd.ask_rows(request);
    if (!asked || !asked.asked) return asked;
    newest = asked.asked;
    return Object.assign({}, asked, { after: places.get(asked.startRow) || null });
  };

  /* Outputs of ours: only a clientside callback sees them. */
  pfd.fill_requests = function (answer) {
    if (!answer) return space.no_update;
    if (answer.asked > stale && answer.following) places.set(answer.upto, answer.following);
    return pfd.fill_rows(answer);
  };

  pfd.refetch_requests = function () {
    stale = newest;
    places.clear();
    return pfd.refetch(null, null, null, arguments[arguments.length - 1]);
  };
})();
