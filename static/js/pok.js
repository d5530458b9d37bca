// What every page needs on top of htmx: the CSRF token, notices, polling that rests, morphing that keeps focus.
(() => {
  "use strict";
  const texts = document.getElementById("pok-texts").dataset;
  const SAFE = new Set(["get", "head", "options"]);

  // --- CSRF: read for each request, because signing in somewhere else changes the token ---
  function cookie(name) {
    const found = document.cookie.split("; ").find((pair) => pair.startsWith(name + "="));
    return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
  }

  document.body.addEventListener("htmx:configRequest", (event) => {
    const { verb, headers, parameters } = event.detail;
    if (SAFE.has(verb)) return;
    headers["X-CSRFToken"] = cookie("csrftoken");
    // The field in the page may be older than the cookie, and Django reads the field first.
    delete parameters.csrfmiddlewaretoken;
  });

  // --- Notices: one per key, spoken by the live region ---
  const region = document.getElementById("notices");

  function notice(key, text, seconds = 0) {
    hush(key);
    const box = document.createElement("div");
    box.className = "notice";
    box.dataset.key = key;
    const words = document.createElement("span");
    words.textContent = text;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = texts.dismiss;
    button.addEventListener("click", () => box.remove());
    box.append(words, button);
    region.append(box);
    if (seconds) setTimeout(() => box.remove(), seconds * 1000);
  }

  function hush(key) {
    const old = region.querySelector(`[data-key="${key}"]`);
    if (old) old.remove();
    return Boolean(old);
  }

  function lost(event) {
    if (event.target.closest("[data-own-errors]")) return;
    if (!region.querySelector('[data-key="connection"]')) notice("connection", texts.offline);
  }

  for (const name of ["htmx:sendError", "htmx:timeout"]) document.body.addEventListener(name, lost);
  document.body.addEventListener("htmx:responseError", (event) => {
    const { status } = event.detail.xhr;
    if (status === 401 || event.target.closest("[data-own-errors]")) return; // 401 leads to the sign-in by HX-Redirect
    if (event.target.closest("[data-poll]") && status >= 500) lost(event);
    else if (status === 404) notice("error", texts.gone);
    else if (status === 403) notice("error", texts.forbidden);
    else notice("error", texts.broken, 15);
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful && hush("connection")) notice("back", texts.recovered, 4);
  });

  // --- Polling: a hidden tab rests and asks at once when it comes back ---
  const pollers = () => document.querySelectorAll("[data-poll]");

  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.target.matches("[data-poll]")) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) pollers().forEach((poller) => htmx.trigger(poller, "wake"));
  });
  addEventListener("online", () => pollers().forEach((poller) => htmx.trigger(poller, "wake")));

  // --- Morphing: what a person has opened, focused or typed stays ---
  const kept = (node) => node instanceof Element && node.hasAttribute("data-keep");
  Object.assign(Idiomorph.defaults, { ignoreActiveValue: true });
  Object.assign(Idiomorph.defaults.callbacks, {
    beforeNodeMorphed: (old) => !kept(old),
    beforeAttributeUpdated: (name, node) => !(name === "open" && node.matches("details")),
  });

  // A menu closes when the person clicks elsewhere or presses Escape.
  const closeMenus = (except) =>
    document.querySelectorAll("details.menu[open]").forEach((menu) => menu !== except && (menu.open = false));
  document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.querySelectorAll("details:is(.menu, .confirm)[open]").forEach(shut);
  });

  function shut(box) {
    const hadFocus = box.contains(document.activeElement);
    box.open = false;
    if (hadFocus) box.querySelector("summary").focus();
  }

  // --- Messages: each can be sent away; good news leaves by itself, as the history keeps it ---
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-dismiss]");
    if (button) button.closest(".message").remove();
  });
  document.body.addEventListener("htmx:oobAfterSwap", (event) => {
    if (event.detail.target.id !== "messages") return;
    const good = document.querySelectorAll("#messages .message-success");
    setTimeout(() => good.forEach((message) => message.matches(":hover, :focus-within") || message.remove()), 10000);
  });

  // --- Focus: where an answer takes the focused element away, the region's list or heading gets it ---
  let held = null;
  let around = [];
  document.body.addEventListener("htmx:beforeSwap", () => {
    held = document.activeElement;
    around = [];
    for (let node = held; node && node !== document.body; node = node.parentElement) if (node.id) around.push(node.id);
  });
  document.addEventListener("htmx:afterRequest", () => {
    const wasTaken = held && !held.isConnected && document.activeElement === document.body;
    held = null;
    if (!wasTaken) return;
    for (const id of around) {
      const region = document.getElementById(id);
      const landing = region && region.querySelector("[data-landing]");
      if (landing) return landing.focus({ preventScroll: true });
    }
  });

  // --- Addresses: an empty field is no filter; the way back leads to the list as it was ---
  document.body.addEventListener("htmx:configRequest", (event) => {
    if (!event.target.matches("[data-drop-empty]")) return;
    const { parameters } = event.detail;
    for (const name of Object.keys(parameters)) if (parameters[name] === "") delete parameters[name];
  });

  function remember() {
    try {
      if (document.querySelector("[data-remember]")) sessionStorage.setItem("pok-inbox", location.search);
      const back = document.querySelector("[data-back]");
      if (back) back.search = sessionStorage.getItem("pok-inbox") || "";
    } catch {
      // Without storage the link leads to the plain list.
    }
  }
  remember();
  document.body.addEventListener("htmx:pushedIntoHistory", remember);

  // --- Ages grow while the page stays open ---
  function shortAge(seconds) {
    const minutes = Math.floor(seconds / 60);
    if (minutes < 1) return texts.now;
    if (minutes < 60) return `${minutes} min`;
    return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
  }
  setInterval(() => {
    for (const time of document.querySelectorAll("time[data-age]"))
      time.textContent = shortAge((Date.now() - Date.parse(time.dateTime)) / 1000);
  }, 30000);

  window.pok = { notice, hush, cookie };
})();
