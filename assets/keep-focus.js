/* Dash draws a part of a page anew when its content changes, by a press or by a look for news: whoever has the keyboard on
   something with a name of its own there has it on the same thing afterwards. */
(function () {
  "use strict";
  let name = "";

  document.addEventListener("focusin", function (event) { name = event.target.id || ""; });
  document.addEventListener("focusout", function (event) {
    const left = event.target;
    // What was taken away with the keyboard on it has not been left.
    setTimeout(function () { if (left.isConnected && document.activeElement !== left && left.id === name) name = ""; });
  });

  function look() {
    if (!name || document.activeElement !== document.body) return;
    const again = document.getElementById(name);
    if (again) again.focus({ preventScroll: true });
  }

  document.addEventListener("DOMContentLoaded", function () {
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  });
})();
