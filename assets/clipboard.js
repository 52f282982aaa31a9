/* Buttons with data-copy put their text on the clipboard and say so. */
(function () {
  "use strict";
  document.addEventListener("click", async (event) => {
    const button = event.target.closest && event.target.closest("[data-copy]");
    if (!button) return;
    const text = button.getAttribute("data-copy");
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch (error) {
      // Plain http on a host name has no clipboard API.
      const area = document.createElement("textarea");
      area.value = text;
      area.className = "visually-hidden";
      document.body.appendChild(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
      button.focus();
    }
    const icon = button.querySelector(".icon");
    if (done && icon) {
      icon.classList.replace("icon-clipboard", "icon-check-lg");
      button.classList.add("is-copied");
      setTimeout(() => { icon.classList.replace("icon-check-lg", "icon-clipboard"); button.classList.remove("is-copied"); }, 1500);
    }
    if (window.pfd && window.pfd.announce) window.pfd.announce(done ? "Copied" : "Could not copy");
  });
})();
