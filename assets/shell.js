/* The frame in the browser: drawer, side bar, menus, keyboard, active entry, toasts, and what happens when the server refuses. */
(function () {
  "use strict";
  const pfd = (window.pfd = window.pfd || {});
  const root = document.documentElement;
  const $ = (selector, from) => (from || document).querySelector(selector);
  const $$ = (selector, from) => Array.from((from || document).querySelectorAll(selector));
  const phone = window.matchMedia("(max-width: 63.99rem)");

  pfd.announce = function (text) {
    const place = document.getElementById("announcer");
    if (place) { place.textContent = ""; setTimeout(() => { place.textContent = text; }, 30); }
  };

  pfd.icon = function (name) {
    const mark = document.createElement("span");
    mark.className = "icon icon-" + name;
    mark.setAttribute("aria-hidden", "true");
    return mark;
  };

  pfd.navigate = function (href) {
    const url = new URL(href, location.href);
    if (url.origin !== location.origin) return;
    history.pushState({}, "", url.pathname + url.search + url.hash);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  };

  /* Drawer: while it is open the rest of the page is inert, so the focus stays inside. */
  let opener = null;
  function setDrawer(open) {
    if (open === (root.getAttribute("data-drawer") === "open")) return;
    if (open) root.setAttribute("data-drawer", "open"); else root.removeAttribute("data-drawer");
    [$("#main-content"), $(".top-bar"), $(".skip-link")].forEach((part) => { if (part) part.inert = open; });
    const button = $("[data-drawer-open]");
    if (button) button.setAttribute("aria-expanded", String(open));
    if (open) { opener = document.activeElement; const close = $(".drawer-close"); if (close) setTimeout(() => close.focus(), 30); }
    else if (opener) { opener.focus(); opener = null; }
  }
  phone.addEventListener("change", () => setDrawer(false));

  function toggleSidebar() {
    const collapsed = root.getAttribute("data-sidebar") !== "collapsed";
    if (collapsed) root.setAttribute("data-sidebar", "collapsed"); else root.removeAttribute("data-sidebar");
    try { localStorage.setItem("pfd-sidebar", collapsed ? "collapsed" : "open"); } catch (error) { /* kept for this page only */ }
    sidebarState();
    setTimeout(() => window.dispatchEvent(new Event("resize")), 50);
  }
  function sidebarState() {
    const button = $("[data-sidebar-toggle]");
    if (!button) return;
    const collapsed = root.getAttribute("data-sidebar") === "collapsed";
    const label = collapsed ? "Expand side bar" : "Collapse side bar";
    if (button.getAttribute("aria-label") === label) return;
    button.setAttribute("aria-expanded", String(!collapsed));
    button.setAttribute("aria-label", label);
  }

  function closeMenus(except) {
    $$("details[data-menu][open]").forEach((menu) => { if (menu !== except) menu.open = false; });
  }

  document.addEventListener("click", (event) => {
    const target = event.target;
    if (!target.closest) return;
    const menu = target.closest("details[data-menu]");
    closeMenus(menu);
    if (menu && target.closest(".menu-item")) menu.open = false;
    if (target.closest("[data-drawer-open]")) setDrawer(true);
    else if (target.closest("[data-drawer-close]")) setDrawer(false);
    if (target.closest("[data-sidebar-toggle]")) toggleSidebar();
    if (target.closest("[data-palette-open]")) { setDrawer(false); if (pfd.palette) pfd.palette.open(); }
  });

  /* Keyboard */
  let chord = 0;
  function typing(element) {
    return element && (element.isContentEditable || /^(input|textarea|select)$/i.test(element.tagName));
  }
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      setDrawer(false);
      if (pfd.palette) pfd.palette.toggle();
      return;
    }
    if (event.key === "Escape") {
      const menu = $("details[data-menu][open]");
      if (menu) { menu.open = false; const summary = $("summary", menu); if (summary) summary.focus(); event.stopPropagation(); return; }
      if (root.getAttribute("data-drawer") === "open") setDrawer(false);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || $("dialog[open], .modal.show")) return;
    if (event.key === "/") { event.preventDefault(); if (pfd.palette) pfd.palette.open(); return; }
    const menu = event.target.closest && event.target.closest("details[data-menu][open]");
    if (menu && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const items = $$(".menu-item, .segment", menu);
      const step = event.key === "ArrowDown" ? 1 : -1;
      const at = items.indexOf(document.activeElement);
      items[(at + step + items.length) % items.length].focus();
      return;
    }
    // g, then the first letter of a page.
    if (event.key === "g") { chord = Date.now(); return; }
    if (chord && Date.now() - chord < 1200) {
      chord = 0;
      const page = pages().find((entry) => entry.label.toLowerCase().startsWith(event.key.toLowerCase()));
      if (page) { event.preventDefault(); pfd.navigate(page.href); }
    }
  });

  function pages() {
    const shell = document.getElementById("shell");
    try { return JSON.parse((shell && shell.getAttribute("data-pages")) || "[]"); } catch (error) { return []; }
  }
  pfd.pages = pages;

  /* The entry of the page one is on: the longest address that begins this one. */
  function markActive() {
    const links = $$("a.nav-entry");
    const path = location.pathname.replace(/\/+$/, "") || "/";
    let best = null;
    links.forEach((link) => {
      const own = new URL(link.href, location.href).pathname.replace(/\/+$/, "") || "/";
      const fits = own === path || (own !== "/" && path.startsWith(own + "/"));
      if (fits && (!best || own.length > best.length)) best = { link, length: own.length };
    });
    links.forEach((link) => {
      if (best && link === best.link) { if (link.getAttribute("aria-current") !== "page") link.setAttribute("aria-current", "page"); }
      else if (link.hasAttribute("aria-current")) link.removeAttribute("aria-current");
    });
  }

  const TITLE = ".page-title, .empty-error .empty-title";
  let path = location.pathname, greeted = true, left = null;
  function moved() {
    if (location.pathname === path) return;
    path = location.pathname;
    greeted = false;
    const title = $(TITLE);
    left = title && [title, title.textContent];
    setDrawer(false);
    closeMenus();
    markActive();
  }
  ["pushState", "replaceState"].forEach((name) => {
    const original = history[name];
    history[name] = function () { const result = original.apply(this, arguments); setTimeout(moved, 0); return result; };
  });
  window.addEventListener("popstate", () => setTimeout(moved, 0));

  // A reader who cannot see the page change hears its title once the new heading is there.
  let settle = 0;
  new MutationObserver(() => {
    clearTimeout(settle);
    settle = setTimeout(() => {
      markActive();
      sidebarState();
      if (!greeted) {
        const title = $(TITLE);
        if (title && !(left && left[0] === title && left[1] === title.textContent)) {
          greeted = true;
          pfd.announce(title.textContent);
          // Who is at work already, in the page or in a dialog of it, keeps the place.
          const main = $("#main-content"), at = document.activeElement;
          if (main && !(at && at.closest("#main-content, dialog, [role=dialog]"))) main.focus({ preventScroll: true });
        }
      }
    }, 60);
  }).observe(document.documentElement, { childList: true, subtree: true });
  document.addEventListener("click", (event) => {
    const skip = event.target.closest && event.target.closest(".skip-link");
    const main = document.getElementById("main-content");
    if (skip && main) { event.preventDefault(); main.focus(); }
  });

  /* Toasts */
  const ICONS = { info: "info-circle", success: "check-circle", warning: "exclamation-triangle", error: "exclamation-circle" };
  pfd.toast = function (toast) {
    const region = document.getElementById("toast-region");
    if (!region || !toast || !toast.text) return;
    const kind = ICONS[toast.kind] ? toast.kind : "info";
    const item = document.createElement("div");
    item.className = "toast-item toast-" + kind;
    item.setAttribute("role", kind === "error" || kind === "warning" ? "alert" : "status");
    const text = document.createElement("div");
    text.className = "toast-text";
    text.textContent = toast.text;
    if (toast.detail) {
      const detail = document.createElement("div");
      detail.className = "toast-detail";
      detail.textContent = toast.detail;
      text.appendChild(detail);
    }
    item.append(pfd.icon(ICONS[kind]), text);
    const action = toast.action;
    if (action) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "toast-action";
      button.textContent = action.label;
      button.addEventListener("click", () => {
        remove();
        if (action.store) window.dash_clientside.set_props(action.store, { data: action.data });
        else if (action.href) pfd.navigate(action.href);
      });
      item.appendChild(button);
    }
    const close = document.createElement("button");
    close.type = "button";
    close.className = "icon-button";
    close.setAttribute("aria-label", "Dismiss");
    close.appendChild(pfd.icon("x-lg"));
    close.addEventListener("click", () => remove());
    item.appendChild(close);

    // Time stands still while one reads: pointer over it, or focus in it.
    let left = (toast.seconds || 5) * 1000, since = 0, timer = 0;
    function run() { since = Date.now(); timer = setTimeout(remove, left); }
    function pause() { if (timer) { clearTimeout(timer); timer = 0; left = Math.max(1500, left - (Date.now() - since)); } }
    function remove() { clearTimeout(timer); item.remove(); }
    function resume() { if (!timer && item.isConnected && !item.matches(":hover") && !item.contains(document.activeElement)) run(); }
    item.addEventListener("mouseenter", pause);
    item.addEventListener("mouseleave", resume);
    item.addEventListener("focusin", pause);
    item.addEventListener("focusout", () => setTimeout(resume, 0));
    region.appendChild(item);
    while (region.children.length > 5) region.firstChild.remove();
    run();
  };
  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.pfd = Object.assign({}, window.dash_clientside.pfd, {
    show_toast(toast) { (Array.isArray(toast) ? toast : [toast]).forEach(pfd.toast); return window.dash_clientside.no_update; },
  });

  /* What a page says of its address while another is on its way would stand in the address of that one. */
  let standing = location.pathname;
  pfd.show_address = function (wanted) {
    if (standing === location.pathname && wanted !== location.pathname + location.search) history.replaceState(history.state, "", wanted);
  };

  /* Answers of the server that Dash itself would swallow. */
  const fetched = window.fetch;
  let leaving = false, told = 0;
  window.addEventListener("beforeunload", () => { leaving = true; });
  function tell(toast) {
    if (leaving || Date.now() - told < 8000) return;
    told = Date.now();
    pfd.toast(toast);
  }
  window.fetch = async function (input, init) {
    const address = new URL(typeof input === "string" ? input : input.url, location.href);
    const own = address.origin === location.origin;
    const brings = own && init && typeof init.body === "string" && init.body.includes("_pages_content.children");
    let answer;
    try {
      answer = await fetched.call(this, input, init);
      if (brings) standing = location.pathname;
    } catch (error) {
      if (!own || (error && error.name === "AbortError")) throw error;
      const asked = init && typeof init.body === "string" ? init.body : "", is_look = asked.includes('.n_intervals"]');
      tell({ kind: "warning", text: "The server does not answer.", detail: is_look ? "The page tries again by itself." : "Try again in a moment.", seconds: 7 });
      if (!address.pathname.includes("_dash-update-component")) throw error;
      // Dash ends what it shows while a question runs, such as a button that rests, only where there is some answer.
      return new Response("", { status: 503 });
    }
    if (own && answer.status === 401) {
      if (!leaving) {
        leaving = true;
        location.assign("/login?next=" + encodeURIComponent(location.pathname + location.search));
      }
      // The page is being left: nobody should handle this answer any more, Dash would read its body twice and fail.
      return new Promise(() => {});
    }
    if (own && address.pathname.includes("_dash-update-component") && (answer.status === 403 || answer.status >= 500)) {
      const id = answer.headers.get("X-Request-ID");
      tell({ kind: "error", text: answer.status === 403 ? "You may not do this." : "Something went wrong on the server.", detail: id ? "Request " + id : null, seconds: 10 });
    }
    return answer;
  };

  /* Pages poll only while somebody looks: the store page-visible says so. */
  document.addEventListener("visibilitychange", () => {
    if (document.getElementById("shell") && window.dash_clientside.set_props) window.dash_clientside.set_props("page-visible", { data: !document.hidden });
  });
})();
