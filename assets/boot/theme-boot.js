/* Blocking and first: sets the theme before the first paint, and tells Dash which plotly.js to load. */
(function () {
  "use strict";
  var root = document.documentElement;
  function stored(key) {
    try { return window.localStorage.getItem(key); } catch (error) { return null; }
  }
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  function system() { return dark.matches ? "dark" : "light"; }
  function show(theme) {
    root.setAttribute("data-bs-theme", theme);
    root.setAttribute("data-ag-theme-mode", theme);
    var meta = document.querySelector('meta[name="theme-color"]');
    if (meta) meta.setAttribute("content", theme === "dark" ? "#101217" : "#ffffff");
  }
  var choice = stored("pfd-theme");
  if (choice !== "light" && choice !== "dark") choice = "system";
  show(choice === "system" ? system() : choice);
  root.setAttribute("data-theme-choice", choice);
  root.setAttribute("data-density", stored("pfd-density") === "compact" ? "compact" : "comfortable");
  if (stored("pfd-zone")) root.setAttribute("data-zone", stored("pfd-zone"));
  if (stored("pfd-sidebar") === "collapsed") root.setAttribute("data-sidebar", "collapsed");
  // The forms load no other script; elsewhere theme.js follows the system, with the charts.
  dark.addEventListener("change", function () {
    if (choice === "system" && !(window.pfd && window.pfd.theme)) show(system());
  });

  // Dash writes the address of the full bundle (4.8 MB) here; ours has what our charts need in a third of it.
  var script = document.currentScript;
  var base = script ? script.src.replace(/boot\/theme-boot\.js.*$/, "") : "/assets/";
  var plotly = base + "lazy/plotly-cartesian-4.1.1.min.js";
  Object.defineProperty(window, "_dashPlotlyJSURL", { get: function () { return plotly; }, set: function () {} });
})();
