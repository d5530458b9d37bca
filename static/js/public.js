// The public form and the receipt. Everything here is comfort: without it the same pages work.
(() => {
  "use strict";

  // --- The counter counts as the server does: NFC, one sign for a line break, characters and not bytes.
  const lengthOf = (text) => Array.from(text.replace(/\r\n?/g, "\n").trim().normalize("NFC")).length;

  function watchLength(field) {
    const counter = document.querySelector(`[data-counter="${field.id}"]`);
    const says = document.querySelector(`[data-counter-says="${field.id}"]`);
    const limit = Number(field.dataset.limit);
    const number = new Intl.NumberFormat(document.documentElement.lang);
    let timer = 0;
    const update = () => {
      const used = lengthOf(field.value);
      const isOver = used > limit;
      const text = (isOver ? counter.dataset.over : counter.dataset.fits)
        .replace("{used}", number.format(used))
        .replace("{limit}", number.format(limit))
        .replace("{over}", number.format(used - limit));
      counter.textContent = text;
      counter.classList.toggle("is-over", isOver);
      clearTimeout(timer);
      // A screen reader hears of it only near the limit, and only when the typing pauses.
      timer = setTimeout(() => { says.textContent = used > limit * 0.95 ? text : ""; }, 1000);
    };
    field.addEventListener("input", update);
    addEventListener("pageshow", update);
    update();
  }

  // --- What is typed outlives a reload, a change of language or a failed connection; it ends with the tab.
  const fieldsOf = (form) => form.querySelectorAll(".field input, .field textarea");

  function keepText(form) {
    const name = form.dataset.keep;
    const save = () => {
      const texts = Object.fromEntries(Array.from(fieldsOf(form), (field) => [field.name, field.value]));
      remember(name, JSON.stringify(texts));
    };
    const kept = recall(name);
    fieldsOf(form).forEach((field) => {
      if (!field.value && typeof kept[field.name] === "string") {
        field.value = kept[field.name];
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }
    });
    form.addEventListener("input", save);
  }

  function remember(name, text) {
    try {
      sessionStorage.setItem(name, text);
    } catch {
      // Storage is blocked or full: the page works as it does without JavaScript.
    }
  }

  function recall(name) {
    try {
      return JSON.parse(sessionStorage.getItem(name)) || {};
    } catch {
      return {};
    }
  }

  function forget(name) {
    try {
      sessionStorage.removeItem(name);
    } catch {
      // Nothing was kept.
    }
  }

  // --- Going back to a form that was sent finds the ticket it was sent with, also where the browser had to fetch
  // the page again: the server then sees that this text follows another one, and asks.
  function keepTicket(form) {
    const name = `${form.dataset.keep}-ticket`;
    form.addEventListener("submit", () => remember(name, JSON.stringify({ value: form.elements.ticket.value })));
    const [visit] = performance.getEntriesByType("navigation");
    const { value } = recall(name);
    if (visit?.type === "back_forward" && value) form.elements.ticket.value = value;
  }

  // --- The button says that it works. It is not locked: the server makes one inquiry of two clicks.
  function sayBusy(form) {
    const button = form.querySelector("[data-busy]");
    const text = button.textContent;
    const reset = () => {
      button.textContent = text;
      button.classList.remove("is-busy");
    };
    form.addEventListener("submit", () => {
      button.textContent = button.dataset.busy;
      button.classList.add("is-busy");
      setTimeout(reset, 15000);
    });
    addEventListener("pageshow", reset);
  }

  // --- Copy the private link.
  function copies(button) {
    const field = document.getElementById(button.dataset.copy);
    const says = document.querySelector(`[data-copy-says="${button.dataset.copy}"]`);
    const text = button.textContent;
    field.addEventListener("focus", () => field.select());
    button.addEventListener("click", async () => {
      field.select();
      try {
        await navigator.clipboard.writeText(field.value);
      } catch {
        // No clipboard on plain http: the old command copies the selection, and if it cannot, the text is selected.
        if (!document.execCommand("copy")) return;
      }
      button.textContent = says.textContent = button.dataset.done;
      setTimeout(() => { button.textContent = text; says.textContent = ""; }, 2500);
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-forget]").forEach((place) => forget(place.dataset.forget));
    document.querySelectorAll("form[data-keep]").forEach((form) => { keepText(form); keepTicket(form); });
    document.querySelectorAll("[data-limit]").forEach(watchLength);
    document.querySelectorAll("form:has([data-busy])").forEach(sayBusy);
    document.querySelectorAll("[data-copy]").forEach(copies);
  });
})();
