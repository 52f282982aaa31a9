/* Theme, density and time zone: what the server knows of a person is put on the page, what they press goes to the server. */
(function () {
  "use strict";
  const pfd = (window.pfd = window.pfd || {});
  const root = document.documentElement;
  let chosen = {}, listens = false; // whether the stores of the frame are on the page

  function keep(name, value) {
    try {
      if (value) localStorage.setItem(name, value); else localStorage.removeItem(name);
    } catch (error) { /* private mode: it lasts for this page */ }
  }

  function press() {
    const density = root.getAttribute("data-density") || "comfortable";
    document.querySelectorAll("button[data-density-choice]").forEach((button) => {
      const state = String(button.getAttribute("data-density-choice") === density);
      if (button.getAttribute("aria-pressed") !== state) button.setAttribute("aria-pressed", state);
    });
  }

  function setDensity(density) {
    root.setAttribute("data-density", density === "compact" ? "compact" : "comfortable");
    keep("pfd-density", density);
    press();
  }

  function setZone(zone) {
    if (zone) root.setAttribute("data-zone", zone); else root.removeAttribute("data-zone"); // times.js watches it
    keep("pfd-zone", zone);
  }

  function adopt(known) {
    if (known) {
      listens = true;
      if (known.theme && known.theme !== root.getAttribute("data-theme-choice")) pfd.theme.choose(known.theme);
      if (known.density) setDensity(known.density);
      setZone(known.zone);
    }
    return window.dash_clientside.no_update;
  }

  function tell(what) {
    chosen = Object.assign({}, chosen, what);
    if (listens) window.dash_clientside.set_props("appearance-chosen", { data: chosen });
  }

  document.addEventListener("click", (event) => {
    const target = event.target.closest && event.target.closest("button[data-theme-choice], button[data-density-choice]");
    if (!target) return;
    const density = target.getAttribute("data-density-choice");
    if (density) setDensity(density);
    tell(density ? { density } : { theme: target.getAttribute("data-theme-choice") });
  });
  window.addEventListener("storage", (event) => { if (event.key === "pfd-density") { root.setAttribute("data-density", event.newValue || "comfortable"); press(); } });
  new MutationObserver(press).observe(document.body || root, { childList: true, subtree: true });

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.pfd = Object.assign(window.dash_clientside.pfd || {}, { adopt_preferences: adopt });
})();
