// Recipients as chips over a plain field: what is typed or pasted becomes a chip at a comma, Enter or leaving; people that
// one has written to are suggested, and groups, which become a chip for each member. The plain field keeps the value, so
// that the form needs nothing of this.
const WAIT_MS = 120;

export function bind(holder) {
  const field = holder.querySelector("input");
  const entry = document.createElement("input");
  const people = field.form.dataset.people;
  entry.autocomplete = "off";
  entry.spellcheck = false;
  entry.setAttribute("role", "combobox");
  entry.setAttribute("aria-expanded", "false");
  entry.setAttribute("aria-label", holder.parentElement.querySelector("label").textContent);
  entry.id = `${field.id}-entry`;
  holder.parentElement.querySelector("label").htmlFor = entry.id;
  field.hidden = true;
  holder.append(entry);
  const list = document.createElement("ul");
  list.className = "menu suggest";
  list.setAttribute("role", "listbox");
  list.hidden = true;
  holder.append(list);
  let timer = 0;

  for (const one of split(field.value)) chip(one);
  holder.addEventListener("click", (event) => {
    const remove = event.target.closest("[data-remove-chip]");
    if (remove) {
      remove.closest(".chip").remove();
      keep();
    } else if (event.target.closest(".chip")) edit(event.target.closest(".chip"));
    entry.focus();
  });
  entry.addEventListener("input", () => {
    if (/[,;\n]/.test(entry.value) && !/^\s*"[^"]*$/.test(entry.value)) commit();
    clearTimeout(timer);
    timer = setTimeout(suggest, WAIT_MS);
  });
  entry.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text");
    if (!/[,;\n@]/.test(text)) return;
    event.preventDefault();
    entry.value += text.replace(/[\r\n\t]+/g, ", ");
    commit();
  });
  entry.addEventListener("blur", () => setTimeout(() => { commit(); close(); }, 100));
  entry.addEventListener("keydown", onKey);
  list.addEventListener("pointerdown", (event) => {
    const item = event.target.closest("li");
    if (item) choose(item);
    event.preventDefault();
  });
  holder.addEventListener("casilla:commit", commit);
  field.form.addEventListener("submit", commit, true);

  function onKey(event) {
    if (event.ctrlKey || event.metaKey) return;
    const at = [...list.children].findIndex((item) => item.ariaSelected === "true");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !list.hidden) mark(Math.max(0, Math.min(at + step, list.children.length - 1)));
    else if ((event.key === "Enter" || event.key === "Tab") && !list.hidden && list.children[at]) choose(list.children[at]);
    else if (event.key === "Enter" && entry.value.trim()) commit();
    else if (event.key === "Escape" && !list.hidden) close();
    else if (event.key === "Backspace" && !entry.value) {
      const last = [...holder.querySelectorAll(".chip")].at(-1);
      if (!last) return;
      edit(last);
    } else return;
    if (event.key === "Tab" && entry.value.trim()) return;
    event.preventDefault();
    event.stopPropagation();
  }

  function commit() {
    for (const one of split(entry.value)) chip(one);
    entry.value = "";
    keep();
  }

  function chip(text, place = entry) {
    const element = document.createElement("span");
    const name = document.createElement("span");
    const remove = document.createElement("button");
    element.className = "chip";
    element.dataset.address = text;
    element.title = text;
    element.classList.toggle("chip--bad", !addressOf(text));
    name.textContent = text.replace(/\s*<[^<>]*>$/, "").replace(/^"(.*)"$/, "$1") || text;
    name.dir = "auto";
    remove.type = "button";
    remove.dataset.removeChip = "";
    remove.setAttribute("aria-label", `${holder.dataset.remove} ${text}`);
    remove.textContent = "×";
    element.append(name, remove);
    place.before(element);
  }

  function edit(element) {
    commit();
    entry.value = element.dataset.address;
    element.remove();
    keep();
    entry.focus();
  }

  function keep() {
    const value = [...holder.querySelectorAll(".chip")].map((element) => element.dataset.address).join(", ");
    if (field.value === value) return;
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  async function suggest() {
    const words = entry.value.trim();
    if (words.length < 2) return close();
    const response = await fetch(`${people}?q=${encodeURIComponent(words)}`, { headers: { "X-Requested-With": "fetch" } });
    if (!response.ok || response.redirected || entry.value.trim() !== words) return;
    const found = (await response.json()).people;
    list.replaceChildren(...found.map(option));
    list.hidden = !found.length;
    entry.setAttribute("aria-expanded", String(!list.hidden));
    mark(0);
  }

  function option({ name, email, group, note }) {
    const item = document.createElement("li");
    const shown = document.createElement("span");
    const address = document.createElement("span");
    item.className = "menu__item";
    item.setAttribute("role", "option");
    item.dataset.address = group ? name : written(name, email);
    if (group) item.dataset.group = group;
    shown.textContent = name || email;
    shown.dir = "auto";
    address.textContent = note || (name ? email : "");
    item.append(shown, address);
    return item;
  }

  function mark(index) {
    [...list.children].forEach((item, at) => {
      item.setAttribute("aria-selected", String(at === index));
      item.toggleAttribute("data-active", at === index);
    });
  }

  function choose(item) {
    entry.value = item.dataset.address;
    commit();
    close();
    if (item.dataset.group) expand([...holder.querySelectorAll(".chip")].at(-1), item.dataset.group);
  }

  // The group's chip stays until its members are here; if they never come, the server knows the name.
  async function expand(element, group) {
    element.classList.remove("chip--bad");
    const response = await fetch(`${people}?group=${group}`, { headers: { "X-Requested-With": "fetch" } });
    if (!response.ok || response.redirected || !element.isConnected) return;
    const members = (await response.json()).people.map(({ name, email }) => written(name, email));
    const there = new Set([...holder.querySelectorAll(".chip")].map((one) => addressOf(one.dataset.address)));
    for (const one of members) if (!there.has(addressOf(one))) chip(one, element);
    element.remove();
    keep();
  }

  function close() {
    list.hidden = true;
    entry.setAttribute("aria-expanded", "false");
  }
}

// Cuts at commas, semicolons and line ends that stand outside quotes and angle brackets.
function split(text) {
  return (text.match(/(?:"[^"]*"|<[^<>]*>|[^,;\n])+/g) ?? []).map((one) => one.trim()).filter(Boolean);
}

// The address of one recipient in small letters, "" when it has none.
function addressOf(text) {
  const address = (/<([^<>]*)>$/.exec(text)?.[1] ?? text).trim();
  return /^[^\s@<>,;"]+@[^\s@<>,;".]+(\.[^\s@<>,;".]+)+$/.test(address) ? address.toLowerCase() : "";
}

function written(name, email) {
  if (!name) return email;
  return `${/[,;"<>@()]/.test(name) ? `"${name.replaceAll('"', "'")}"` : name} <${email}>`;
}
