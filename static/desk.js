// The reviewer's desk: moving among steps, judging by keys, drafts that save themselves, words kept while offline.
// Without it the page still shows everything and its buttons still judge.
(() => {
  const SAVE_AFTER_MS = 1200;
  const RETRY_MS = 3000;
  const OUTBOX = "qianti:outbox";

  const desk = () => document.getElementById("desk");
  const form = () => document.getElementById("decision");
  const field = (name) => form()?.elements.namedItem(name);
  const steps = () => [...document.querySelectorAll("#desk .step")];
  const store = {
    read(key) { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
    write(key, value) { try { localStorage.setItem(key, JSON.stringify(value)); return true; } catch { return false; } },
    drop(key) { try { localStorage.removeItem(key); } catch { /* a browser that keeps nothing */ } },
  };
  const tell = (what) => {
    const place = document.getElementById("saved");
    if (place) place.textContent = what ? place.dataset[what] : "";
  };

  // Where the reader is.
  let current = null;
  const keepInView = (link) => {
    const rail = link.closest(".desk-rail");
    const above = link.offsetTop - rail.scrollTop, below = above + link.offsetHeight - rail.clientHeight;
    if (above < 0) rail.scrollTop += above; else if (below > 0) rail.scrollTop += below;
  };
  const show = (step, { moves = true } = {}) => {
    if (!step) return;
    current = step.id;
    step.closest("details.run")?.setAttribute("open", "");
    step.querySelector("details[data-step-body]")?.setAttribute("open", "");
    document.querySelectorAll(".desk-rail a").forEach((link) => {
      const here = link.hash === `#${step.id}`;
      if (here) { link.setAttribute("aria-current", "step"); keepInView(link); }
      else link.removeAttribute("aria-current");
    });
    steps().forEach((each) => each.classList.toggle("here", each === step));
    if (moves) { step.focus({ preventScroll: true }); step.scrollIntoView({ block: "start", behavior: "instant" }); }
  };
  const here = () => {
    const all = steps();
    return Math.max(0, all.findIndex((step) => step.id === current));
  };
  const move = (by) => show(steps()[Math.min(steps().length - 1, Math.max(0, current ? here() + by : 0))]);
  const nextSuspicious = () => {
    const all = steps(), from = current ? here() + 1 : 0;
    const step = [...all.slice(from), ...all.slice(0, from)].find((each) => each.classList.contains("suspicious"));
    show(step);
    if (step) pointAt(step, document.querySelector(`.desk-signals [data-warns] a[href="#${step.id}"]`)?.dataset.quote);
  };
  // The words that a signal is about, marked where the step shows them as they were written; in a formula they are not.
  let sought = null;  // a closed step has no words yet: they are looked for again when they come
  const pointAt = (step, quote) => {
    if (!window.CSS?.highlights) return;
    sought = { step, quote };
    CSS.highlights.delete("signal");
    const words = quote?.split(/[$\\*_`#|]/).find((part) => part.trim().length > 3)?.trim();
    const texts = words && step ? document.createTreeWalker(step, NodeFilter.SHOW_TEXT) : null;
    while (texts?.nextNode()) {
      const node = texts.currentNode, at = node.data.indexOf(words);
      if (at < 0 || !node.parentElement.closest(".reading")) continue;
      const range = new Range();
      range.setStart(node, at); range.setEnd(node, at + words.length);
      CSS.highlights.set("signal", new Highlight(range));
      return;
    }
  };
  // Signals come right after the page, and then stand at their steps and in the outline too.
  const mark = (place, name) => {
    if ([...place.querySelectorAll(".badge-warn")].some((each) => each.textContent === name)) return;
    const badge = Object.assign(document.createElement("span"), { className: "badge badge-warn", textContent: name });
    place.append(" ", badge);
  };
  const flagSteps = () => document.querySelectorAll(".desk-signals [data-warns] li > a:first-child").forEach((link) => {
    const step = document.getElementById(link.hash.slice(1)), name = link.closest("[data-warns]").dataset.warns;
    if (!step || link.dataset.flagged) return;
    link.dataset.flagged = "yes";
    step.classList.add("suspicious");
    step.closest("details.run")?.classList.add("suspicious");
    mark(step.querySelector("h3"), name);
    const hint = Object.assign(document.createElement("p"), { className: "hint signal" });
    hint.append("⚑ ", link.lastElementChild.textContent, ...[...link.parentElement.querySelectorAll("a")].slice(1).flatMap((each) => [" ", each.cloneNode(true)]));
    [...step.querySelectorAll("h3, .hint.signal")].pop().after(hint);
    const line = document.querySelector(`.desk-rail a[href="${link.hash}"]`);
    if (line) { line.classList.add("warn"); mark(line, name); }
  });
  const fold = (step) => {
    const body = step?.querySelector("details[data-step-body]");
    if (body) body.open = !body.open;
  };
  const foldAll = () => {
    const all = [...document.querySelectorAll("#desk details.run, #desk details[data-step-body]")];
    const opens = all.some((each) => !each.open);
    all.forEach((each) => { each.open = opens; });
  };

  // The first wrong step.
  const showFirstWrong = () => {
    const line = document.getElementById("first-wrong");
    if (!line || !field("first_wrong")) return;
    const start = field("first_wrong").value;
    const step = start === "" ? null : steps().find((each) => each.dataset.start === start && each.dataset.part === "thinking");
    line.textContent = start === "" ? line.dataset.none : `${line.dataset.step} ${step ? step.id.replace("step-", "") : "?"}`;
    steps().forEach((each) => {
      const isAfter = step && each.dataset.part === "thinking" && Number(each.dataset.start) > Number(start);
      each.classList.toggle("wrong-here", each === step);
      each.classList.toggle("after-wrong", Boolean(isAfter));
    });
  };
  const markFirstWrong = () => {
    const step = document.getElementById(current);
    if (!step || step.dataset.part !== "thinking" || !field("first_wrong")) return;
    const isMarked = field("first_wrong").value === step.dataset.start;
    field("first_wrong").value = isMarked ? "" : step.dataset.start;
    showFirstWrong();
    changed();
  };

  // Time that the page was looked at.
  let readMs = 0, since = document.hidden ? 0 : Date.now();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { readMs += since ? Date.now() - since : 0; since = 0; } else since = Date.now();
  });
  const secondsRead = () => Math.round((readMs + (since ? Date.now() - since : 0)) / 1000);

  // Drafts: in the browser at once, at the server a little later.
  const draftKey = () => `qianti:draft:${desk()?.dataset.trace}`;
  const said = () => {
    const given = new FormData(form());
    const scores = {};
    for (const [name, value] of given) if (name.startsWith("score-")) scores[name.slice(6)] = Number(value);
    return { note: given.get("note"), reasons: given.getAll("reasons"), first_wrong: given.get("first_wrong"), scores };
  };
  const fill = (content) => {
    if (!form() || !content) return;
    field("note").value = content.note ?? "";
    field("first_wrong").value = content.first_wrong ?? "";
    form().querySelectorAll("input[name=reasons]").forEach((box) => { box.checked = (content.reasons ?? []).includes(box.value); });
    for (const [code, score] of Object.entries(content.scores ?? {})) {
      const radio = form().querySelector(`input[name="score-${CSS.escape(code)}"][value="${Number(score)}"]`);
      if (radio) radio.checked = true;
    }
    showFirstWrong();
  };
  const token = () => form()?.elements.namedItem("csrfmiddlewaretoken")?.value ?? "";
  let timer = 0;
  const changed = () => {
    if (!form()) return;
    store.write(draftKey(), said());
    window.clearTimeout(timer);
    timer = window.setTimeout(saveDraft, SAVE_AFTER_MS);
  };
  const saveDraft = async () => {
    const place = desk(), mine = form();
    if (!mine) return;
    const key = draftKey();
    const body = new URLSearchParams({ content: JSON.stringify(said()), seen: place.dataset.draft });
    try {
      const reply = await fetch(place.dataset.draftUrl, { method: "POST", body, headers: { "X-CSRFToken": token() } });
      if (!reply.ok || place !== desk()) return;
      const kept = await reply.json();
      place.dataset.draft = kept.version;
      if (kept.is_mine) { store.drop(key); tell("saved"); }
      else { fill(kept.content); store.drop(key); tell("other"); }
    } catch { tell("offline"); }
  };

  // Words that could not be sent wait here, in the order in which they were said, and go out when the line is back.
  const outbox = () => store.read(OUTBOX) ?? [];
  const keepForLater = (url, body) => {
    const rest = outbox().filter((each) => each.trace !== body.get("trace"));
    store.write(OUTBOX, [...rest, { url, trace: body.get("trace"), body: body.toString() }]);
    tell("offline");
  };
  let isSending = false;
  const sendKept = async () => {
    if (isSending || !outbox().length) return;
    isSending = true;
    try {
      for (const { url, trace, body } of outbox()) {
        const given = new URLSearchParams(body);
        if (token()) given.set("csrfmiddlewaretoken", token());
        const reply = await fetch(url, { method: "POST", body: given, headers: { "HX-Request": "true", "X-CSRFToken": token() } });
        if (reply.status >= 500) break;
        store.write(OUTBOX, outbox().filter((each) => each.trace !== trace));
        const page = await reply.text();
        if (desk()?.dataset.trace === trace || !outbox().length) replace(page, reply.headers.get("HX-Push-Url"));
      }
    } catch { /* still no connection: the next try comes by itself */ } finally { isSending = false; }
  };
  const replace = (page, url) => {
    const fresh = new DOMParser().parseFromString(page, "text/html").getElementById("desk");
    if (!fresh) { window.location.reload(); return; }
    desk().replaceWith(document.adoptNode(fresh));
    window.htmx?.process(desk());
    if (url) history.pushState(null, "", url);
    begin();
  };
  window.addEventListener("online", sendKept);
  window.setInterval(sendKept, RETRY_MS);

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt.closest?.("#decision")) event.detail.parameters.set("seconds", String(secondsRead()));
  });
  document.addEventListener("htmx:sendError", (event) => {
    const { elt, requestConfig } = event.detail;
    if (!elt.closest?.("#decision") || !requestConfig.parameters.get("judgement")) return;
    const body = new URLSearchParams();
    for (const [name, value] of requestConfig.parameters.entries()) body.append(name, value);
    keepForLater(requestConfig.path, body);
    delete form()?.dataset.sent;
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.closest?.("#decision")) window.clearTimeout(timer);
  });

  // Keys that press no button; those that do carry data-key and are pressed by app.js.
  const keys = {
    j: () => move(1), k: () => move(-1), n: nextSuspicious, x: markFirstWrong, F: foldAll,
    f: () => fold(document.getElementById(current)),
    t: () => {
      const others = [...document.querySelectorAll(".desk-answers [data-teacher]")];
      const shown = document.querySelector(".desk-answers [aria-current]");
      const all = [...document.querySelectorAll(".desk-answers li")];
      const after = all.slice(all.indexOf(shown) + 1).concat(all).map((row) => row.querySelector("[data-teacher]")).find(Boolean);
      (after ?? others[0])?.click();
    },
  };
  document.addEventListener("keydown", (event) => {
    if (!desk()) return;
    const isField = event.target.matches("input:not([type=checkbox]):not([type=radio]), textarea, select");
    if (event.key === "Escape" && isField) { event.target.blur(); return; }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const pressed = form()?.querySelector("[name=judgement][aria-pressed=true]") ?? form()?.querySelector("[value=accept]");
      if (pressed) { event.preventDefault(); pressed.click(); }
      return;
    }
    if (isField || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (/^[1-9]$/.test(event.key)) {
      const box = form()?.querySelector(`[data-digit="${event.key}"]`);
      if (box) { event.preventDefault(); box.click(); }
      return;
    }
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  document.addEventListener("input", (event) => { if (event.target.closest("#decision")) changed(); });
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".desk-rail a, .desk-signals a, .hint a, .step h3 a");
    if (!link?.hash) return;
    const step = document.getElementById(link.hash.slice(1));
    if (!step) return;
    event.preventDefault();
    show(step);
    pointAt(step, link.dataset.quote);
  });
  document.addEventListener("focusin", (event) => {
    const step = event.target.closest("#desk .step");
    if (step && step.id !== current) show(step, { moves: false });
  });

  // A stretch of a raw text that is marked can be commented on.
  const marked = () => {
    const chosen = document.getSelection();
    if (!chosen || chosen.isCollapsed) return null;
    const range = chosen.getRangeAt(0);
    const step = (range.startContainer.parentElement ?? range.startContainer).closest?.("#desk .step");
    const quote = chosen.toString().trim();
    const block = (range.startContainer.parentElement ?? range.startContainer).closest?.("[data-start]");
    return step && quote ? { step, quote, block: block === step ? "" : block?.dataset.start ?? "" } : null;
  };
  document.addEventListener("selectionchange", () => {
    const button = document.getElementById("remark-open");
    if (button) button.hidden = !marked();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#remark-open")) return;
    const found = marked();
    const dialog = document.getElementById("remarking");
    if (!found || !dialog) return;
    const inputs = dialog.querySelector("form").elements;
    inputs.namedItem("part").value = found.step.dataset.part;
    inputs.namedItem("step_start").value = found.step.dataset.start;
    inputs.namedItem("step_end").value = found.step.dataset.end ?? "";
    inputs.namedItem("block_start").value = found.block;
    inputs.namedItem("quote").value = found.quote;
    dialog.querySelector("q").textContent = found.quote;
    dialog.showModal();
    inputs.namedItem("text").focus();
  });

  // While somebody reads, the trace stays theirs; a browser that is closed or left alone gives it back.
  const HOLD_MS = 60_000, IDLE_MS = 10 * 60_000;
  let touched = Date.now();
  for (const kind of ["keydown", "pointerdown", "scroll", "pointermove"]) {
    document.addEventListener(kind, () => { touched = Date.now(); }, { passive: true, capture: true });
  }
  window.setInterval(async () => {
    const place = desk(), url = place?.dataset.holdUrl;
    if (!url || document.hidden || Date.now() - touched > IDLE_MS) return;
    try {
      const reply = await fetch(url, { method: "POST", headers: { "X-CSRFToken": token() } });
      if (!reply.ok || place !== desk()) return;
      const line = document.getElementById("lease");
      if (line) line.textContent = (await reply.json()).is_held ? "" : line.dataset.lost;
    } catch { /* offline: the word is kept all the same */ }
  }, HOLD_MS);

  // What is wider or longer than its place can be scrolled by keys, too.
  const letScroll = () => document.querySelectorAll("#desk .reading").forEach((each) => {
    if (each.scrollWidth > each.clientWidth || each.scrollHeight > each.clientHeight + 4) each.tabIndex = 0;
  });

  const begin = () => {
    if (!desk()) return;
    readMs = 0; since = document.hidden ? 0 : Date.now(); current = null;
    const kept = store.read(draftKey());
    if (kept) { fill(kept); changed(); }
    showFirstWrong();
    const first = document.getElementById(window.location.hash.slice(1)) ?? steps()[0];
    show(first, { moves: false });
    letScroll();
  };
  document.addEventListener("htmx:afterSwap", (event) => {
    flagSteps();
    letScroll();
    if (sought?.step.contains(event.detail.target)) pointAt(sought.step, sought.quote);
    if (event.detail.target?.id === "desk" || event.detail.elt?.id === "desk") {
      store.drop(`qianti:draft:${event.detail.requestConfig?.parameters?.get?.("trace")}`);
      begin();
      desk()?.scrollIntoView({ block: "start", behavior: "instant" });
    }
  });
  begin();
  sendKept();
})();
