/* The address of a page holds its filters, so that it can be sent to somebody and found again by Back. */
(function () {
  "use strict";
  const space = (window.dash_clientside = window.dash_clientside || {});
  const pfd = (space.pfd = space.pfd || {});

  /* The last argument names the values before it. replaceState, not Dash's Location: that would load the page anew. */
  pfd.keep_filters = function () {
    const given = Array.prototype.slice.call(arguments), names = given.pop(), state = new URLSearchParams();
    names.forEach(function (name, place) { if (given[place] && given[place] !== "all") state.set(name, given[place]); });
    const search = state.toString(), wanted = location.pathname + (search ? "?" + search : "");
    window.pfd.show_address(wanted);
  };
})();
