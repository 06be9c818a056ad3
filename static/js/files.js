// Files of a composer: by button, drag and paste, or from another message. Each goes up in pieces; a broken connection goes on where the server
// stopped.
const TRIES = 6;
const WAIT_MS = 1500;
const PART = "application/x-casilla-part"; // the link of a file of a message that is dragged

export function start() {
  document.addEventListener("dragstart", (event) => {
    const link = event.target.closest?.(".file")?.querySelector("[data-part]");
    if (link) event.dataTransfer.setData(PART, link.href);
  });
}

export function attach(form, changed) {
  const list = form.querySelector("[data-file-list]");
  form.querySelector("[data-attach]")?.addEventListener("change", (event) => {
    take([...event.target.files]);
    event.target.value = "";
  });
  form.addEventListener("paste", (event) => event.clipboardData?.files.length && !event.clipboardData.getData("text") && (event.preventDefault(), take([...event.clipboardData.files])));
  for (const name of ["dragover", "drop"]) form.addEventListener(name, onDrop);
  form.addEventListener("casilla:attach", (event) => fromMessage(event.detail));
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-remove-file]");
    if (!button) return;
    event.preventDefault();
    remove(button.closest(".file"));
  });

  function onDrop(event) {
    const types = event.dataTransfer?.types ?? [];
    if (!types.includes("Files") && !types.includes(PART)) return;
    event.preventDefault();
    if (types.includes(PART)) return void (event.type === "drop" && fromMessage(event.dataTransfer.getData(PART)));
    if (event.type === "drop") take([...event.dataTransfer.files]);
  }

  // A file of another message: the server has it, so nothing goes up.
  async function fromMessage(link) {
    delete form.dataset.small;
    const { item, bar, words } = listed("…");
    const response = await ask(`${form.dataset.files}from-message/`, { method: "POST", body: new URL(link, location.href).searchParams });
    bar.remove();
    if (!response?.ok) {
      words.textContent = response?.status === 413 ? form.dataset.tooLarge : form.dataset.offline;
      item.dataset.failed = "";
      return;
    }
    const file = await response.json();
    entitle(item, file.name);
    words.textContent = size(file.size);
    item.dataset.file = file.id;
    changed();
  }

  function listed(name) {
    const item = form.querySelector("[data-file-template]").content.cloneNode(true).firstElementChild;
    entitle(item, name);
    list.append(item);
    return { item, words: item.querySelector(".file__sub"), bar: item.querySelector("progress") };
  }

  async function take(files) {
    for (const file of files) await upload(file);
  }

  return { upload };

  // The address at which a picture of the text is shown, "" for what is attached or did not go up.
  async function upload(file, { inline = false } = {}) {
    const { item, words, bar } = listed(file.name);
    const body = new URLSearchParams({ name: file.name, type: file.type, size: String(file.size), inline: inline ? "1" : "" });
    const response = await ask(form.dataset.files, { method: "POST", body });
    if (!response?.ok) {
      words.textContent = response?.status === 413 ? form.dataset.tooLarge : form.dataset.offline;
      item.dataset.failed = "";
      bar.remove();
      return "";
    }
    const { id, url } = await response.json();
    item.dataset.file = id;
    form.dataset.uploading = Number(form.dataset.uploading ?? 0) + 1;
    const done = await send(file, item, bar, words);
    form.dataset.uploading -= 1;
    bar.remove();
    if (!done && item.isConnected) item.dataset.failed = "";
    item.toggleAttribute("data-inline", Boolean(inline && done));
    if (!inline) changed();
    return done ? url : "";
  }

  async function send(file, item, bar, words) {
    const url = `${form.dataset.files}${item.dataset.file}/`;
    let offset = 0;
    let left = TRIES;
    while (offset < file.size || !file.size) {
      if (!item.isConnected) return false;
      const response = await ask(`${url}?offset=${offset}`, { method: "POST", body: file.slice(offset, offset + Number(form.dataset.piece)), headers: { "Content-Type": "application/octet-stream" } });
      if (response && (response.ok || response.status === 409)) {
        offset = (await response.json()).offset;
        left = TRIES;
      } else if (response?.status === 404 || (left -= 1) < 0) {
        words.textContent = form.dataset.offline;
        return false;
      } else await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
      bar.value = file.size ? offset / file.size : 1;
      words.textContent = `${size(offset)} / ${size(file.size)}`;
      if (!file.size) break;
    }
    words.textContent = size(file.size);
    return true;
  }

  async function remove(item) {
    if (item.dataset.file) await ask(`${form.dataset.files}${item.dataset.file}/`, { method: "DELETE" });
    item.remove();
    changed();
  }

  async function ask(url, options) {
    const headers = { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value, "X-Requested-With": "fetch", ...options.headers };
    try {
      return await fetch(url, { ...options, headers });
    } catch {
      return null;
    }
  }
}

function entitle(item, name) {
  item.querySelector(".file__name").textContent = item.title = name.replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "");
  item.querySelector(".file__ext").textContent = (/\.([a-z0-9]{1,4})[a-z0-9]*$/i.exec(name)?.[1] ?? "…").toUpperCase();
}

// As the server writes sizes: decimal units, one place after the point where it tells something.
function size(bytes) {
  const units = ["B", "KB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 999.5 && unit < units.length - 1; unit += 1) value /= 1000;
  const digits = unit >= 2 && value < 99.95 && Math.round(value * 10) % 10 ? 1 : 0;
  const shown = new Intl.NumberFormat(document.documentElement.lang, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${shown.format(value)}\u00a0${units[unit]}`;
}
