/* What is said at a field: it is brought into sight when it comes, and goes when the field is changed. */
(function () {
  "use strict";
  const said = (id) => { const place = id && document.getElementById(id + "-error"); return place && place.textContent ? place : null; };

  document.addEventListener("input", (event) => {
    const id = event.target.id;
    if (!said(id) || !window.dash_clientside || !window.dash_clientside.set_props) return;
    window.dash_clientside.set_props(id + "-error", { children: "" });
    window.dash_clientside.set_props(id, { invalid: false });
  });

  /* In a dialog on a phone the field may be above or below what is seen. */
  new MutationObserver((changes) => {
    const places = changes.map((change) => (change.target.nodeType === 1 ? change.target : change.target.parentElement));
    const place = places.find((one) => one && one.classList.contains("form-error") && one.textContent);
    if (!place) return;
    const field = document.getElementById(place.id.replace(/-error$/, ""));
    [place, field].forEach((one) => { if (one) one.scrollIntoView({ block: "nearest" }); });
  }).observe(document.documentElement, { childList: true, characterData: true, subtree: true });
})();
