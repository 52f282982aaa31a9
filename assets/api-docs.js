// "Try it" of the API explorer: the form of an operation becomes a request as whoever is signed in.
(function () {
  "use strict";

  const MOST_SHOWN = 20000; // characters of an answer

  // Dash's own inputs would make a callback of each letter; these are plain ones.
  function furnish(operation) {
    for (const place of operation.querySelectorAll("[data-input]:empty")) {
      const isBody = place.dataset.in === "body";
      const input = document.createElement(isBody ? "textarea" : "input");
      input.id = place.dataset.input;
      input.className = "form-control form-control-sm";
      input.value = place.dataset.value || "";
      input.spellcheck = false;
      if (isBody) input.rows = Math.min(12, input.value.split("\n").length + 1);
      place.append(input);
    }
  }

  function request(trial) {
    let address = trial.dataset.address;
    const query = new URLSearchParams();
    const options = { method: trial.dataset.method, headers: { Accept: "application/json" } };
    for (const place of trial.querySelectorAll("[data-input]")) {
      const value = place.firstChild ? place.firstChild.value : "";
      if (place.dataset.in === "body") {
        options.body = value;
        options.headers["Content-Type"] = "application/json";
      } else if (place.dataset.in === "path") {
        address = address.replace("{" + place.dataset.name + "}", encodeURIComponent(value));
      } else if (value !== "" && place.dataset.in === "query") {
        query.append(place.dataset.name, value);
      } else if (value !== "") {
        options.headers[place.dataset.name] = value;
      }
    }
    const token = document.querySelector('input[name="csrf_token"]');
    if (options.method !== "GET" && token) options.headers["X-CSRFToken"] = token.value;
    return [address + (query.size ? "?" + query : ""), options];
  }

  function spoken(text) {
    let shown = text;
    try {
      shown = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      // What is no JSON is shown as it is.
    }
    return shown.length > MOST_SHOWN ? shown.slice(0, MOST_SHOWN) + "\n…" : shown;
  }

  async function send(button) {
    const trial = button.closest(".operation-trial");
    const answer = trial.querySelector(".operation-answer");
    const [address, options] = request(trial);
    button.disabled = true;
    const head = document.createElement("p");
    const body = document.createElement("pre");
    body.className = "operation-code";
    body.tabIndex = 0;
    try {
      const got = await fetch(address, options);
      head.textContent = `${options.method} ${address}: ${got.status} ${got.statusText}`;
      body.textContent = spoken(await got.text());
    } catch {
      head.textContent = "The server does not answer. Is it still running?";
    }
    answer.replaceChildren(head, ...(body.textContent ? [body] : []));
    button.disabled = false;
  }

  // The body comes from the server after an operation was opened for the first time.
  const watched = new WeakSet();
  document.addEventListener(
    "toggle",
    (event) => {
      const opened = event.target;
      if (!(opened instanceof HTMLDetailsElement) || !opened.classList.contains("operation")) return;
      furnish(opened);
      if (watched.has(opened)) return;
      watched.add(opened);
      new MutationObserver(() => furnish(opened)).observe(opened, { childList: true, subtree: true });
    },
    true,
  );
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest(".operation-send");
    if (button) send(button);
  });
})();
