// Files chosen or dropped are sent one by one, each with its progress and a way to stop it.
// Without this script the same form sends them all at once.
(() => {
  const form = document.querySelector("form[data-upload]");
  if (!form) return;
  const input = form.querySelector("input[type=file]");
  const list = form.querySelector("[data-upload-list]");
  const line = form.querySelector("template").content.firstElementChild;
  const next = form.querySelector("[data-upload-next]");
  const zone = form.querySelector("[data-upload-zone]");
  const waiting = [];
  let sending = null;
  let preview = "";
  let misread = "";

  const powerOf = (bytes) => (bytes < 1e3 ? 0 : bytes < 1e6 ? 1 : 2);
  const sizeOf = (bytes) => new Intl.NumberFormat(document.documentElement.lang, {
    style: "unit", unit: ["byte", "kilobyte", "megabyte"][powerOf(bytes)], unitDisplay: bytes < 1e3 ? "long" : "short", maximumFractionDigits: 1,
  }).format(bytes / 1e3 ** powerOf(bytes));

  const say = (item, words, state) => {
    item.dataset.state = state;
    item.querySelector("[data-says]").textContent = words;
  };

  const finish = (item) => {
    item.querySelector("progress").hidden = true;
    item.querySelector("[data-cancel]").hidden = true;
    sending = null;
    sendNext();
  };

  const answered = (request, item) => {
    let said = null;
    try { said = JSON.parse(request.responseText); } catch { /* an error page, not an answer */ }
    if (request.status !== 200 || !said) return say(item, form.dataset.saysFailed, "refused");
    preview = preview || said.previews[0] || "";
    const sentences = [...said.refused, ...said.misread.map((each) => each.says)];
    say(item, sentences.join(" ") || form.dataset.saysKept, sentences.length ? "refused" : "kept");
    for (const each of said.misread) {
      const link = document.createElement("a");
      link.href = misread = each.address;
      link.textContent = form.dataset.saysMend;
      item.append(link);
    }
  };

  const send = ({ file, item }) => {
    const request = new XMLHttpRequest();
    const bar = item.querySelector("progress");
    const content = new FormData();
    content.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    content.append(input.name, file);
    sending = { request, item };
    say(item, form.dataset.saysSending, "sending");
    request.upload.onprogress = (event) => {
      bar.max = event.total || 1;
      bar.value = event.loaded;
      if (event.loaded === event.total) {
        bar.removeAttribute("value");
        say(item, form.dataset.saysReading, "sending");
      }
    };
    request.onload = () => { answered(request, item); finish(item); };
    request.onerror = () => { say(item, form.dataset.saysFailed, "refused"); finish(item); };
    request.onabort = () => { say(item, form.dataset.saysStopped, "stopped"); finish(item); };
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.send(content);
  };

  function sendNext() {
    if (sending) return;
    const first = waiting.shift();
    if (first) return send(first);
    const refused = list.querySelector('[data-state="refused"]');
    if (preview && !refused) window.location.assign(preview);
    if (misread && !preview && list.children.length === 1) window.location.assign(misread);
    next.hidden = !preview;
    next.href = preview;
  }

  const stop = (item) => {
    if (sending?.item === item) return sending.request.abort();
    waiting.splice(waiting.findIndex((each) => each.item === item), 1);
    say(item, form.dataset.saysStopped, "stopped");
    item.querySelector("progress").hidden = true;
    item.querySelector("[data-cancel]").hidden = true;
  };

  const take = (files) => {
    for (const file of files) {
      const item = line.cloneNode(true);
      item.querySelector("[data-name]").textContent = `${file.name} · ${sizeOf(file.size)}`;
      item.querySelector("[data-cancel]").addEventListener("click", () => stop(item));
      say(item, form.dataset.saysWaiting, "waiting");
      list.append(item);
      waiting.push({ file, item });
    }
    input.value = "";
    sendNext();
  };

  form.querySelector("button.primary").hidden = true;
  input.addEventListener("change", () => take([...input.files]));
  for (const kind of ["dragenter", "dragover"]) {
    zone.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.dataset.over = "";
    });
  }
  for (const kind of ["dragleave", "drop"]) {
    zone.addEventListener(kind, (event) => {
      event.preventDefault();
      delete zone.dataset.over;
    });
  }
  zone.addEventListener("drop", (event) => take([...event.dataTransfer.files]));
  window.addEventListener("beforeunload", (event) => {
    if (sending) event.preventDefault();
  });
})();
