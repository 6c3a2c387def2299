// Small conveniences; every page works without them.
(() => {
  const root = document.documentElement;
  const isDark = () => getComputedStyle(root).colorScheme === "dark" ||
    (!root.dataset.theme && window.matchMedia("(prefers-color-scheme: dark)").matches);

  const remember = (theme) => {
    try { localStorage.setItem("theme", theme); } catch { /* a browser that keeps nothing */ }
  };

  document.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-toggle-theme]");
    if (toggle) {
      const theme = isDark() ? "light" : "dark";
      root.dataset.theme = theme;
      remember(theme);
      document.dispatchEvent(new Event("qianti:theme"));
      return;
    }
    const opener = event.target.closest("[data-opens]");
    const dialog = opener && document.getElementById(opener.dataset.opens);
    if (dialog?.showModal) {
      event.preventDefault();
      dialog.showModal();
      return;
    }
    const closer = event.target.closest("[data-closes]");
    if (closer) {
      event.preventDefault();
      closer.closest("dialog")?.close();
      return;
    }
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });

  // One letter presses the button that names it, unless a field has the focus.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      document.querySelectorAll("details.menu[open]").forEach((menu) => {
        menu.open = false;
        menu.querySelector("summary").focus();
      });
      if (event.target.matches("input, textarea") && event.target.closest(".decide")) event.target.blur();
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.matches("input, textarea, select, [contenteditable]") || document.querySelector("dialog[open]")) return;
    const named = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!named) return;
    event.preventDefault();
    if (named.matches("input, textarea")) named.focus();
    else named.click();
  });

  // What a reader has opened stays open when its part of the page is renewed.
  let opened = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    opened = [...event.detail.target.querySelectorAll("details")].map((each) => each.open);
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const target = document.getElementById(event.detail.target?.id) || event.detail.elt;
    target?.querySelectorAll?.("details").forEach((each, place) => {
      if (opened[place]) each.open = true;
    });
    opened = [];
  });

  // A slider shows its number beside it.
  const showNumber = (slider) => {
    let shown = slider.nextElementSibling;
    if (shown?.tagName !== "OUTPUT") {
      shown = document.createElement("output");
      slider.after(shown);
    }
    shown.textContent = slider.value;
  };
  const showNumbers = (place) => place.querySelectorAll("input[data-shows]").forEach(showNumber);
  document.addEventListener("input", (event) => { if (event.target.matches("input[data-shows]")) showNumber(event.target); });
  document.addEventListener("htmx:afterSettle", () => showNumbers(document));
  showNumbers(document);

  // A form is sent once; a second click of an impatient reader does nothing.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    window.setTimeout(() => delete form.dataset.sent, 4000);
  });

  // Fields that say nothing stay out of the address.
  root.dataset.script = "";
  document.addEventListener("htmx:configRequest", (event) => {
    const { elt, parameters } = event.detail;
    if (!elt.matches("[data-sparse]")) return;
    [...new Set(parameters.keys())].filter((name) => parameters.getAll(name).every((value) => value === ""))
      .forEach((name) => parameters.delete(name));
  });

  // One box ticks all boxes of a name on the page.
  document.addEventListener("change", (event) => {
    const { checks } = event.target.dataset;
    if (!checks) return;
    document.querySelectorAll(`input[name="${CSS.escape(checks)}"]`).forEach((box) => { box.checked = event.target.checked; });
  });

  // Enter saves one field of a list and goes on to the next.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || !event.target.matches("[data-fill]") || !window.htmx) return;
    event.preventDefault();
    if (event.target.value.trim()) window.htmx.trigger(event.target, "fill");
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const cell = event.detail.requestConfig?.elt.matches("[data-fill]") && event.detail.target;
    if (!cell) return;
    const open = [...document.querySelectorAll("[data-fill]")];
    const next = cell.querySelector("[data-fill]") ||
      open.find((field) => cell.compareDocumentPosition(field) & Node.DOCUMENT_POSITION_FOLLOWING);
    (next || document.querySelector("[form=fill].primary"))?.focus();
  });

  document.querySelector(".stepper .current")?.scrollIntoView?.({ block: "nearest", inline: "center" });
})();
