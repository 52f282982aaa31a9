/* A tracking client prints /#/experiments/1/runs/…, which no server is told: what stands behind “#” leads on from here. */
(function () {
  "use strict";
  const SHAPE = /^#\/experiments\/(\d{1,9})(?:\/runs\/([0-9a-f]{32}))?$/;

  function follow() {
    if (location.pathname !== "/" && location.pathname !== "/login") return;
    const found = SHAPE.exec(location.hash);
    if (found) location.replace(found[2] ? "/tracked/runs/" + found[2] : "/tracked/groups/" + found[1]);
  }

  follow();
  window.addEventListener("hashchange", follow);
})();
