/* Rows of a grid that a callback answers: each request has a number, and its answer goes to that request alone.
   dash-ag-grid's own way back (getRowsResponse) loses the answer that follows one of no rows, and the grid stays empty. */
(function () {
  "use strict";
  const space = (window.dash_clientside = window.dash_clientside || {});
  const pfd = (space.pfd = space.pfd || {});
  const open = new Map();
  let number = 0;

  /* What the server needs of a request. */
  pfd.ask_rows = function (request) {
    if (!request || !request.successCallback) return space.no_update;
    number += 1;
    open.set(number, request);
    return { asked: number, startRow: request.startRow, endRow: request.endRow, sortModel: request.sortModel, filterModel: request.filterModel };
  };

  /* Nobody waits for the answers that are still to come: the grid asks one thing at a time, and the next would wait too. */
  pfd.forget_rows = function () {
    const waiting = Array.from(open.values());
    open.clear();
    waiting.forEach(function (request) { request.failCallback(); });
  };

  /* An answer without a number says that there is none, for the newest. */
  pfd.fill_rows = function (answer) {
    if (!answer) return space.no_update;
    const asked = answer.asked || number, request = open.get(asked);
    open.forEach(function (_, one) { if (one <= asked) open.delete(one); });  // those before it were overtaken
    if (request) request.successCallback(answer.rowData, answer.rowCount);
    return space.no_update;
  };
})();
