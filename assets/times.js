/* Every <time datetime data-format> in the viewer's zone, which their profile may name; relative ones tick; the full stamp is the title. */
(function () {
  "use strict";
  const styles = {
    datetime: { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" },
    second: { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" },
    date: { day: "numeric", month: "short", year: "numeric" },
    time: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
    full: { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" },
  };
  const root = document.documentElement;
  let formats = {}, zone;

  // The zone that the person has chosen, else the browser's; one that this browser does not know is left aside.
  function take(wanted) {
    const made = {};
    try {
      Object.keys(styles).forEach((name) => { made[name] = new Intl.DateTimeFormat("en-GB", Object.assign({ timeZone: wanted || undefined }, styles[name])); });
    } catch (error) { take(null); zone = wanted; return; }
    formats = made;
    zone = wanted;
  }

  function relative(moment, now) {
    const seconds = Math.round((now - moment) / 1000);
    const ago = (text) => (seconds >= 0 ? text + " ago" : "in " + text);
    const size = Math.abs(seconds);
    if (size < 45) return seconds >= 0 ? "just now" : "in a moment";
    if (size < 3570) return ago(Math.max(1, Math.round(size / 60)) + " min");
    if (size < 84600) return ago(Math.round(size / 3600) + " h");
    if (size < 30 * 86400) return ago(Math.round(size / 86400) + " d");
    return formats.date.format(moment);
  }

  function render(element, now) {
    const moment = new Date(element.getAttribute("datetime"));
    if (Number.isNaN(moment.getTime())) return;
    const format = element.getAttribute("data-format") || "datetime";
    const text = format === "relative" ? relative(moment, now || Date.now()) : (formats[format] || formats.datetime).format(moment);
    const title = formats.full.format(moment);
    if (element.textContent !== text) {
      // React keeps the text node it made: change its value, do not replace it.
      if (element.firstChild && element.firstChild.nodeType === 3) element.firstChild.nodeValue = text;
      else element.textContent = text;
    }
    if (element.title !== title) element.title = title;
  }

  function renderAll() {
    if (root.getAttribute("data-zone") !== zone) take(root.getAttribute("data-zone"));
    const now = Date.now();
    document.querySelectorAll("time[datetime]").forEach((element) => render(element, now));
  }

  take(root.getAttribute("data-zone"));
  let queued = false;
  function schedule() {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => { queued = false; renderAll(); });
  }
  new MutationObserver(schedule).observe(document.documentElement, {
    childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ["datetime", "data-zone"],
  });
  setInterval(() => { if (!document.hidden) renderAll(); }, 20000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) renderAll(); });
  window.pfd = window.pfd || {};
  window.pfd.times = { relative, render };
  schedule();
})();
