// The reply editor: saves itself, never loses a text, never overwrites a colleague's, takes a late draft politely.
(() => {
  "use strict";
  const DELAY = 1000;
  const RETRY = 4000;
  const LONGEST_RETRY = 30000;
  let form, area, saved, timer, inFlight, isPaused, isSaving, failures;
  let copyKey = ""; // outlives the form: an answer that was sent takes its copy along
  let sending = null; // the text that is being sent

  const part = (id) => document.getElementById(id);
  const version = () => part("reply-version");
  const isDirty = () => Boolean(area) && area.value !== saved;

  function state(text, link) {
    const box = part("save-state");
    box.replaceChildren(text);
    if (!link) return;
    const anchor = document.createElement("a");
    Object.assign(anchor, { href: link, textContent: form.dataset.signIn });
    box.append(" ", anchor);
  }

  // --- The copy in this browser: there whenever the server does not have the text ---
  const copy = {
    read() {
      try {
        return localStorage.getItem(copyKey);
      } catch {
        return null;
      }
    },
    write(text) {
      try {
        localStorage.setItem(copyKey, text);
      } catch {
        // No room or no right: the text is still in the page.
      }
    },
    drop() {
      try {
        localStorage.removeItem(copyKey);
      } catch {
        // Nothing was kept.
      }
      if (part("local-copy")) part("local-copy").hidden = true;
    },
    offer() {
      const text = copy.read();
      if (text === null) return;
      if (text === area.value || !text.trim()) copy.drop();
      else {
        part("local-copy-text").textContent = text;
        part("local-copy").hidden = false;
      }
    },
  };

  // --- Saving ---
  function later(delay) {
    clearTimeout(timer);
    timer = setTimeout(save, delay);
  }

  function typed() {
    if (!isDirty()) return;
    copy.write(area.value);
    if (part("sent-hint")) part("sent-hint").hidden = area.value !== area.defaultValue;
    if (isPaused) return;
    state(form.dataset.dirty);
    later(DELAY);
  }

  async function save(keepalive = false) {
    clearTimeout(timer);
    if (!form || !form.isConnected || isPaused || sending !== null || !isDirty()) return;
    if (inFlight) return void later(200);
    const text = area.value;
    state(form.dataset.saving);
    inFlight = send(text, keepalive === true);
    const answer = await inFlight;
    inFlight = null;
    if (form && form.isConnected) settle(answer, text);
  }

  async function send(text, keepalive) {
    const body = new URLSearchParams({ text, version: version().value });
    const headers = { "X-CSRFToken": pok.cookie("csrftoken"), "HX-Request": "true", "HX-Current-URL": location.href };
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers, keepalive, redirect: "error", signal: AbortSignal.timeout(15000) });
      return { status: answer.status, signIn: answer.headers.get("HX-Redirect"), html: await answer.text() };
    } catch {
      return { status: 0, html: "" };
    }
  }

  function settle({ status, signIn, html }, text) {
    if (status === 200) return stored(html, text);
    copy.write(area.value);
    if (status === 401) return state(form.dataset.signedOut, signIn);
    if (status === 409) return clash(html);
    if (status === 422) bring(html, "reply-error");
    if (status === 422 || status === 413) return state(form.dataset.refused);
    failures += 1;
    state(form.dataset.retrying);
    later(Math.min(RETRY * failures, LONGEST_RETRY));
  }

  function stored(html, text) {
    const answer = new DOMParser().parseFromString(html, "text/html").querySelector("[data-version]");
    version().value = answer.dataset.version;
    swapRegions(html); // the first save opens the inquiry: its head and history come along
    part("reply-error").replaceChildren();
    saved = text;
    failures = 0;
    state(answer.textContent);
    const button = part("draft-button");
    if (button) button.hidden = text === part("draft-text").value;
    if (isDirty()) later(DELAY);
    else copy.drop();
  }

  // --- Two people, one reply ---
  function clash(html) {
    isSaving = true; // nobody asked for this save: the focus stays with who types
    swapRegions(html);
    isSaving = false;
  }

  function swapRegions(html) {
    htmx.swap(document.body, html, { swapStyle: "none" });
  }

  function bring(html, id) {
    const region = new DOMParser().parseFromString(html, "text/html").getElementById(id);
    if (region && region.textContent !== part(id).textContent) part(id).replaceChildren(...region.childNodes);
  }

  function pause() {
    const panel = document.querySelector("#conflict [data-version]");
    if (!panel || !form) return;
    const isOver = panel.hasAttribute("data-is-over");
    isPaused = true;
    clearTimeout(timer);
    state(isOver ? form.dataset.over : form.dataset.clash);
    // Nothing can be done with the text of an inquiry that is over but to copy it.
    if (!isOver) return;
    if (isDirty()) copy.write(area.value);
    area.readOnly = true;
    form.querySelector(".editor-bar").hidden = true;
  }

  function reveal() {
    const panel = document.querySelector("#conflict [data-version]");
    if (!panel) return;
    panel.scrollIntoView({ block: "nearest" });
    panel.focus({ preventScroll: true });
  }

  function choose(choice) {
    const panel = document.querySelector("#conflict [data-version]");
    const theirs = part("conflict-theirs").value;
    version().value = panel.dataset.version;
    isPaused = false;
    saved = theirs;
    if (choice === "theirs") area.value = theirs;
    part("conflict").replaceChildren();
    area.focus();
    if (choice === "theirs") {
      copy.drop();
      state(form.dataset.saved);
    } else if (choice === "mine") save();
    else state(form.dataset.dirty);
  }

  // --- The AI's draft ---
  function lateDraft() {
    const draft = part("draft-text");
    if (!area || !draft) return;
    const box = part("draft");
    // An answer that was on its way while a text was saved still tells of the time before.
    const stands = box.hasAttribute("data-stands") && box.dataset.version === version().value;
    if (stands && !isDirty()) {
      if (area.value !== draft.value) area.value = saved = draft.value;
      return;
    }
    const button = part("draft-button");
    if (stands) button.textContent = button.dataset.late;
    button.hidden = area.value === draft.value;
  }

  // --- The undo window: the server says how long it lasts, this page's clock only counts ---
  let ticking;
  let leaving = ""; // the number of the answer on its way
  let isPolled = false;

  function countDown() {
    clearInterval(ticking);
    const box = part("countdown");
    // An answer that was taken back is not in the thread any more.
    if (!box && leaving && part(`answer-${leaving}`)) pok.notice("left", part("sending").dataset.leftText, 6);
    const undo = part("undo-form");
    leaving = undo ? undo.elements.answer.value : "";
    if (!box) return;
    const end = performance.now() + Number(undo.dataset.milliseconds);
    const tick = () => {
      const left = end - performance.now();
      const shown = String(Math.max(0, Math.ceil(left / 1000)));
      if (box.textContent !== shown) box.textContent = shown;
      if (left <= 0 && left > -RETRY) htmx.trigger("#poller", "wake"); // afterwards it asks at its own pace
    };
    ticking = setInterval(tick, 500);
  }

  document.body.addEventListener("htmx:beforeSwap", (event) => {
    isPolled = event.detail.requestConfig.elt.id === "poller";
  });
  document.body.addEventListener("htmx:configRequest", (event) => {
    if (event.target.id === "poller" && !form) event.detail.parameters.bare = "1";
  });

  function start() {
    const height = area ? area.style.height : ""; // as the person has drawn it
    form = part("reply-form");
    area = form ? part("reply") : null;
    if (area) area.style.height = height;
    clearTimeout(timer);
    isPaused = false;
    failures = 0;
    if (!form) return;
    copyKey = form.dataset.copyKey;
    // What the server sent, not what the browser filled in again.
    saved = area.defaultValue;
    area.addEventListener("input", typed);
    area.addEventListener("blur", () => save());
    form.addEventListener("submit", (event) => {
      if (event.submitter && event.submitter.hasAttribute("formaction")) return;
      event.preventDefault();
      save();
    });
    pause();
    copy.offer();
  }

  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-choose], [data-copy]");
    if (!target) return;
    if (target.dataset.choose) {
      if (!form) return; // over and done: the link leads to the page as it is
      event.preventDefault();
      if (document.querySelector("#conflict [data-is-over]")) location.assign(location.pathname);
      else choose(target.dataset.choose);
    } else if (target.dataset.copy === "use") {
      area.value = copy.read() ?? area.value;
      part("local-copy").hidden = true;
      area.focus();
      typed();
    } else copy.drop();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing || event.target !== area) return;
    event.preventDefault();
    if (!event.repeat) part("send-button").click();
  });

  // Sending and going back to the draft wait for a save that is on its way, or it would clash with itself.
  document.body.addEventListener("htmx:confirm", (event) => {
    if (!event.target.matches("#send-button, #draft-button, .replaces-reply")) return;
    event.preventDefault();
    clearTimeout(timer);
    if (isPaused) {
      pok.notice("conflict", part("save-state").textContent, 8);
      return reveal();
    }
    Promise.resolve(inFlight).then(() => {
      // Only now: a save that ends well takes the copy away.
      if (event.target.id !== "send-button" && area.value.trim()) copy.write(area.value);
      event.detail.issueRequest(true);
    });
  });
  // While a text is being sent nothing is saved: the editor's end takes the focus away, which would save it late.
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.id === "send-button") sending = area.value;
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.requestConfig.elt.id !== "send-button") return; // itself it may be gone
    const sent = sending;
    sending = null;
    if (!event.detail.successful) later(DELAY);
    else if (copy.read() === sent) copy.drop();
  });
  document.body.addEventListener("htmx:oobAfterSwap", (event) => {
    const { id } = event.detail.target;
    if (id === "editor") {
      start();
      countDown();
      const next = part("undo-button") || part("reply") || part("editor-title");
      if (next && !isPolled) next.focus({ preventScroll: true });
    } else if (id === "sending") countDown();
    else if (id === "draft") lateDraft();
    else if (id === "conflict") {
      pause();
      if (!isSaving) reveal();
    }
  });
  document.addEventListener("visibilitychange", () => document.hidden && save(true));
  addEventListener("pagehide", () => save(true));
  addEventListener("online", () => save());
  start();
  countDown();
})();
