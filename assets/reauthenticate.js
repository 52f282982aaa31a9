/* Acts that open doors ask for a fresh factor: the server says so, this asks in a dialog, and then the very same
   request is sent again, so that nothing typed is lost. It wraps fetch before shell.js does, which sees only the end. */
(function () {
  "use strict";
  const fetched = window.fetch;
  let asking = null;

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  }

  function button(text, look, type) {
    const made = element("button", "btn " + look, text);
    made.type = type || "button";
    return made;
  }

  const WAYS = {
    password: { label: "Your password", type: "password", autocomplete: "current-password", other: "Use a code instead" },
    code: { label: "Code from your app, or a backup code", type: "text", autocomplete: "one-time-code", other: "Use the password instead" },
  };

  function build(ways, done) {
    const before = document.activeElement;
    const dialog = element("dialog", "identity-dialog");
    dialog.setAttribute("aria-labelledby", "identity-title");
    const form = element("form", "identity-form");
    const title = element("h2", "dialog-title", "Is it still you?");
    title.id = "identity-title";
    const lead = element("p", "identity-lead", "This changes who gets in, and you signed in a while ago. Afterwards it goes on by itself.");
    const field = element("div", "form-field");
    const label = element("label", "form-label");
    label.htmlFor = "identity-answer";
    const input = element("input", "form-control");
    input.id = "identity-answer";
    input.setAttribute("aria-describedby", "identity-error");
    const error = element("div", "form-error");
    error.id = "identity-error";
    error.setAttribute("role", "alert");
    field.append(label, input, error);
    const others = element("div", "identity-ways");
    const other = button("", "btn-link auth-link");
    const key = button("Use a passkey", "btn-link auth-link");
    if (ways.code) others.append(other);
    if (ways.passkey && window.pfd.passkeys) others.append(key);
    if (ways.provider) {
      // The way there and back leaves the page: what was typed is asked for again.
      const provider = element("a", "auth-link", "Confirm with " + ways.provider);
      provider.href = "/login/oidc/confirm?next=" + encodeURIComponent(location.pathname + location.search);
      others.append(provider);
    }
    const foot = element("div", "identity-foot");
    const cancel = button("Cancel", "btn-outline-secondary");
    const confirm = button("Confirm", "btn-primary", "submit");
    foot.append(cancel, confirm);
    form.append(title, lead, field, others, foot);
    dialog.append(form);

    let way = "password", confirmed = false;
    function show(wanted) {
      way = wanted;
      label.textContent = WAYS[way].label;
      input.type = WAYS[way].type;
      input.autocomplete = WAYS[way].autocomplete;
      other.textContent = WAYS[way].other;
      input.value = error.textContent = "";
      input.focus();
    }
    function tell(text) {
      error.textContent = text;
      input.toggleAttribute("aria-invalid", true);
    }
    async function answer(body) {
      confirm.disabled = true;
      try {
        await window.pfd.post("/sudo", body);
        confirmed = true;
        dialog.close();
      } catch (refused) {
        tell(refused.message);
        input.select();
      } finally {
        confirm.disabled = false;
      }
    }
    form.addEventListener("submit", (event) => { event.preventDefault(); answer({ [way]: input.value }); });
    other.addEventListener("click", () => show(way === "password" ? "code" : "password"));
    key.addEventListener("click", async () => {
      try { await answer({ credential: await window.pfd.passkeys.use("/sudo/passkey") }); } catch (refused) { tell(refused.message); }
    });
    cancel.addEventListener("click", () => dialog.close());
    // A dialog of the page below would take these keys for itself.
    dialog.addEventListener("keydown", (event) => event.stopPropagation());
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before && before.isConnected) before.focus();
      done(confirmed);
    });
    document.body.append(dialog);
    dialog.showModal();
    show("password");
  }

  async function ask() {
    const answer = await window.fetch("/sudo", { headers: { Accept: "application/json" } });
    const ways = answer.ok ? await answer.json() : {};
    return new Promise((done) => build(ways, done));
  }

  async function isNeeded(answer) {
    if (answer.status !== 403 || !(answer.headers.get("Content-Type") || "").includes("problem+json")) return false;
    try { return (await answer.clone().json()).code === "factor_needed"; } catch (error) { return false; }
  }

  window.fetch = async function (input, init) {
    const answer = await fetched.call(this, input, init);
    if (typeof input !== "string" || !(await isNeeded(answer))) return answer;
    asking = asking || ask().finally(() => { asking = null; });
    // Dash takes 204 for “nothing changes”, which is what a person who cancels wants.
    return (await asking) ? fetched.call(this, input, init) : new Response(null, { status: 204 });
  };
})();
