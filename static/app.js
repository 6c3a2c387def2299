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

  // A form is sent once; a second click of an impatient reader does nothing.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    window.setTimeout(() => delete form.dataset.sent, 4000);
  });

  document.querySelector(".stepper .current")?.scrollIntoView?.({ block: "nearest", inline: "center" });
})();
