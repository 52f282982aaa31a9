/* Passkeys: between the server's JSON and the browser's own dialog. Plain pages load it by itself. */
(function () {
  "use strict";
  const pfd = (window.pfd = window.pfd || {});
  const CANCELLED = "The browser gave no passkey. Try again, or choose another way.";

  pfd.post = async function (address, body) {
    const answer = await window.fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(body || {}),
    });
    if (answer.status === 204) throw new Error("Nothing was changed.");
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(told.detail || "The server did not answer as expected.");
    return told;
  };

  function bytes(text) {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0)).buffer;
  }

  function text(buffer) {
    let plain = "";
    new Uint8Array(buffer).forEach((byte) => { plain += String.fromCharCode(byte); });
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function described(list) {
    return (list || []).map((item) => Object.assign({}, item, { id: bytes(item.id) }));
  }

  async function fromBrowser(kind, options) {
    if (!window.PublicKeyCredential) throw new Error("This browser knows no passkeys.");
    try {
      return await navigator.credentials[kind]({ publicKey: options });
    } catch (error) {
      throw new Error(error.name === "InvalidStateError" ? "This passkey is registered already." : CANCELLED);
    }
  }

  function told(credential, response) {
    return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response, clientExtensionResults: {} };
  }

  async function make(address) {
    const options = await pfd.post(address);
    options.challenge = bytes(options.challenge);
    options.user.id = bytes(options.user.id);
    options.excludeCredentials = described(options.excludeCredentials);
    const made = await fromBrowser("create", options);
    return told(made, {
      clientDataJSON: text(made.response.clientDataJSON),
      attestationObject: text(made.response.attestationObject),
      transports: made.response.getTransports ? made.response.getTransports() : [],
    });
  }

  async function use(address) {
    const options = await pfd.post(address);
    options.challenge = bytes(options.challenge);
    options.allowCredentials = described(options.allowCredentials);
    const given = await fromBrowser("get", options);
    return told(given, {
      clientDataJSON: text(given.response.clientDataJSON),
      authenticatorData: text(given.response.authenticatorData),
      signature: text(given.response.signature),
    });
  }

  pfd.passkeys = { make, use };

  async function signIn(button) {
    const alert = document.getElementById("second-alert"), message = document.getElementById("second-message");
    alert.hidden = true;
    button.disabled = true;
    try {
      const credential = await use("/login/second/passkey/options");
      const on = await pfd.post("/login/second/passkey", { credential, next: button.getAttribute("data-passkey-sign-in") });
      location.assign(on.next);
    } catch (error) {
      message.textContent = error.message;
      alert.hidden = false;
      button.disabled = false;
    }
  }

  async function add(button) {
    const id = button.getAttribute("data-passkey-add"), set = window.dash_clientside.set_props;
    const name = document.getElementById(id).value.trim();
    if (!name) { set(id + "-error", { children: "Give it a name." }); return; }
    button.disabled = true;
    set(id + "-error", { children: "" });
    try {
      const credential = await make("/account/passkeys/options");
      await pfd.post("/account/passkeys", { name, credential });
      set("passkey-dialog", { is_open: false });
      set("factors-changed", { data: Date.now() });
      pfd.toast({ kind: "success", text: "“" + name + "” was added. Other sessions were ended." });
    } catch (error) {
      set(id + "-error", { children: error.message });
    } finally {
      button.disabled = false;
    }
  }

  // Until here nothing listens to them.
  document.querySelectorAll("[data-passkey-sign-in]").forEach((button) => { button.disabled = false; });

  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("[data-passkey-sign-in], [data-passkey-add]");
    if (!button) return;
    if (button.hasAttribute("data-passkey-add")) add(button); else signIn(button);
  });
  document.addEventListener("keydown", (event) => {
    const button = event.key === "Enter" && document.querySelector("[data-passkey-add]");
    if (button && event.target.id === button.getAttribute("data-passkey-add") && !button.disabled) { event.preventDefault(); add(button); }
  });
})();
