/* Advice beneath the field of a new password: a meter and a sentence, asked of our own server once typing pauses. */
(function () {
  "use strict";
  const WORDS = ["Guessed at once", "Guessed easily", "Could be better", "Good", "Very good"];
  const PAUSE = 400;
  let waiting = null;

  function fieldOf(target) {
    if (!target || target.tagName !== "INPUT" || target.autocomplete !== "new-password") return null;
    return /again/.test(target.id) ? null : target;
  }

  function meterOf(input) {
    const field = input.closest(".form-field") || input.parentElement;
    let meter = field.querySelector(".password-meter");
    if (!meter) {
      meter = document.createElement("div");
      meter.className = "password-meter";
      meter.setAttribute("role", "status");
      const bar = document.createElement("span");
      bar.className = "password-meter-bar";
      bar.setAttribute("aria-hidden", "true");
      meter.append(bar, document.createElement("span"));
      field.append(meter);
    }
    return meter;
  }

  /* A form that is sent empties its fields without an event. */
  function hideOnceEmpty(input, meter) {
    if (!input.value) meter.hidden = true;
    if (!meter.hidden && input.isConnected) setTimeout(() => hideOnceEmpty(input, meter), 1000);
  }

  async function ask(input) {
    const meter = meterOf(input);
    const password = input.value;
    if (!password) { meter.hidden = true; return; }
    let told = {};
    try {
      const answer = await fetch("/password-advice", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ password: password.slice(0, 4096) }),
      });
      if (answer.ok) told = await answer.json();
    } catch (error) {
      told = {};
    }
    if (input.value !== password) return;
    meter.hidden = told.score === undefined;
    if (meter.hidden) return;
    meter.dataset.score = told.score;
    hideOnceEmpty(input, meter);
    meter.lastChild.textContent = WORDS[told.score] + (told.words ? ". " + told.words : ".");
  }

  document.addEventListener("input", (event) => {
    const input = fieldOf(event.target);
    if (!input) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => ask(input), PAUSE);
  });
})();
