// A composer: its editor, its draft saved as one types, sending now or later, several side by side. The server has the
// text after a few seconds, this browser at once; closing the page loses nothing.
import htmx from "htmx";
import { attach } from "casilla/files";
import { followIdentity, placeToWrite } from "casilla/signature";
import { recall, remember } from "casilla/store";

const SAVE_AFTER_MS = 2500;
const STORE = "casilla.compose.";
const ATTACHMENT_WORDS = /\b(adjunt[oa]s?|adjuntamos|attached|attachment|attaching)\b/i;

export function start() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-compose-open]");
    const place = document.getElementById("composers");
    if (!link || !place || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    link.closest(".toast")?.remove();
    openComposer(link.href);
  });
  offerKept();
}

// What this browser kept of a composer that never reached the server is offered again.
function offerKept() {
  const template = document.getElementById("toast-kept");
  if (!template || !document.getElementById("composers")) return;
  for (const key of Object.keys(localStorage).filter((name) => name.startsWith(STORE))) {
    const kept = recall(key, null);
    if (!kept?.url) localStorage.removeItem(key);
    else if (new URL(kept.url).pathname.startsWith(template.dataset.account)) {
      const toast = template.content.cloneNode(true);
      toast.querySelector("a").href = kept.url;
      document.getElementById("toasts").append(toast);
    }
  }
}

export function openComposer(url) {
  const place = document.getElementById("composers");
  if (!place) return (location.href = url);
  place.focus(); // what is typed before the composer is there is no shortcut
  return htmx.ajax("GET", url, { target: "#composers", swap: "beforeend" });
}

export function bind(form) {
  const key = STORE + form.id;
  for (const other of document.querySelectorAll("#composers > .compose")) if (other !== form) other.dataset.small = "";
  const state = { form, key, timer: 0, saved: "", busy: null };
  restore(state);
  state.saved = textOf(form);
  state.ready = setUpEditor(state);
  attach(form, () => save(state));
  followIdentity(form);
  form.addEventListener("input", () => changed(state));
  form.addEventListener("keydown", (event) => onKey(state, event));
  form.addEventListener("click", (event) => onClick(state, event));
  form.addEventListener("submit", (event) => onSubmit(state, event), true);
  form.querySelector("[data-later-field]")?.addEventListener("change", (event) => sendAt(state, new Date(event.target.value)));
  for (const item of form.querySelectorAll("[data-later]")) showWhen(item);
  addEventListener("pagehide", () => leave(state));
  state.ready.then(() => focusFirst(state));
}

// The text where somebody is to be written to, else the recipients.
function focusFirst({ form, editor }) {
  if (form.contains(document.activeElement)) return;
  if (!form.elements.to.value) form.querySelector(".who input:not([hidden])").focus({ preventScroll: true });
  else if (form.elements.plain.value !== "1") editor.focus();
  else {
    const { text } = form.elements;
    const at = placeToWrite(form);
    text.focus({ preventScroll: true });
    text.setSelectionRange(at, at);
    if (at) text.scrollTop = text.scrollHeight;
  }
}

// What stands in the fields, but for the token and the moment.
function textOf(form) {
  const data = new FormData(form);
  for (const name of ["csrfmiddlewaretoken", "send_at", "do"]) data.delete(name);
  return JSON.stringify([...data].filter(([, value]) => typeof value === "string"));
}

function changed(state) {
  const { form } = state;
  const title = form.querySelector("[data-title]");
  if (form.elements.subject.value) title.textContent = form.elements.subject.value;
  if (textOf(form) === state.saved) return;
  remember(state.key, { text: textOf(form), at: Date.now(), url: form.action });
  clearTimeout(state.timer);
  state.timer = setTimeout(() => save(state), SAVE_AFTER_MS);
}

async function save(state) {
  clearTimeout(state.timer);
  const { form } = state;
  await state.busy;
  const text = textOf(form);
  const body = new FormData(form);
  body.set("do", "save");
  const words = form.querySelector("[data-state]");
  state.busy = fetch(form.action, { method: "POST", body, headers: { "X-Requested-With": "fetch" } })
    .then(async (response) => {
      if (response.redirected || response.status === 403) throw new Error("signed out");
      if (!response.ok) throw new Error(String(response.status));
      words.innerHTML = await response.text();
      state.saved = text;
      if (textOf(form) === text) localStorage.removeItem(state.key);
    })
    .catch((error) => { words.textContent = error.message === "signed out" ? form.dataset.signedOut : form.dataset.offline; })
    .finally(() => { state.busy = null; });
  return state.busy;
}

// The page goes away: what is not saved yet goes out with it, and stays in this browser until that is known.
function leave(state) {
  if (!state.form.isConnected || textOf(state.form) === state.saved) return;
  const body = new FormData(state.form);
  body.set("do", "save");
  navigator.sendBeacon(state.form.action, body);
}

function restore(state) {
  const kept = recall(state.key, null);
  if (!kept) return;
  for (const [name, value] of JSON.parse(kept.text)) {
    const field = state.form.elements[name];
    if (field && "value" in field && field.type !== "checkbox") field.value = value;
  }
  setTimeout(() => save(state));
}

// --- The editor ----------------------------------------------------------------------------------------------------------
async function setUpEditor(state) {
  const { form } = state;
  const field = form.querySelector("[data-plain-field]");
  showMode(form, field.value === "1");
  if (field.value === "1") return;
  await makeRich(state);
}

async function makeRich(state) {
  const { form } = state;
  const root = form.querySelector(".compose__rich");
  const [{ default: Squire }, { default: DOMPurify }] = await Promise.all([import("squire"), import("dompurify")]);
  DOMPurify.removeHook("uponSanitizeAttribute");
  DOMPurify.addHook("uponSanitizeAttribute", (element, data) => {
    if (data.attrName === "style") data.attrValue = modest(data.attrValue);
  });
  const clean = (html) => {
    const part = DOMPurify.sanitize(html, { RETURN_DOM_FRAGMENT: true, FORBID_ATTR: ["class", "id", "background"], FORBID_TAGS: ["style", "form", "input", "button", "svg", "math", "iframe", "img"], ALLOW_DATA_ATTR: false });
    return document.importNode(part, true);
  };
  state.editor ??= new Squire(root, { blockTag: "P", sanitizeToDOMFragment: clean });
  const html = form.querySelector("[data-html]");
  state.editor.setHTML(html.value || paragraphs(form.elements.text.value));
  state.editor.addEventListener("input", () => {
    html.value = state.editor.getHTML();
    if (form.elements.plain.value === "1") return; // the plain field is in charge
    form.elements.text.value = plainOf(root);
    changed(state);
  });
  state.editor.addEventListener("pathChange", () => showFormat(state));
  state.editor.moveCursorToStart();
  html.value = state.editor.getHTML();
  form.elements.text.value = plainOf(root);
  state.saved = textOf(form);
}

function paragraphs(text) {
  const holder = document.createElement("div");
  for (const line of text.split("\n")) {
    const p = document.createElement("p");
    p.textContent = line;
    if (!line) p.append(document.createElement("br"));
    holder.append(p);
  }
  return holder.innerHTML;
}

// Of a pasted style only what changes how letters look.
function modest(style) {
  const probe = document.createElement("span");
  probe.style.cssText = style;
  const kept = ["color", "background-color", "font-weight", "font-style", "font-family", "text-decoration", "text-align"];
  return kept.map((name) => [name, probe.style.getPropertyValue(name)]).filter(([, value]) => value && !/url\(/i.test(value)).map((pair) => pair.join(":")).join(";");
}

// The text of the editor as a plain message has it: a line for each block, dashes for lists, marks for quotations.
function plainOf(node, mark = "") {
  let out = "";
  for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) out += child.data.replaceAll("\u00a0", " ");
    else if (child.localName === "br") out += child.nextSibling ? "\n" : "";
    else if (child.localName === "li") out += `${mark}- ${plainOf(child, `${mark}  `).trim()}\n`;
    else if (child.localName === "blockquote") out += `${plainOf(child).trimEnd().replace(/^/gm, "> ")}\n`;
    else if (/^(p|div|h[1-6]|pre)$/.test(child.localName)) out += `${plainOf(child, mark)}\n`;
    else if (/^(ul|ol)$/.test(child.localName)) out += plainOf(child, mark);
    else out += plainOf(child, mark);
  }
  return out;
}

function showMode(form, plain) {
  form.querySelector(".compose__text").hidden = !plain;
  form.querySelector(".compose__rich").hidden = plain;
  for (const button of form.querySelectorAll("[data-format]")) button.hidden = plain;
  const toggle = form.querySelector('[data-compose="plain"]');
  toggle.textContent = plain ? toggle.dataset.rich : toggle.dataset.plain;
}

async function togglePlain(state) {
  const { form } = state;
  const field = form.querySelector("[data-plain-field]");
  const plain = field.value !== "1";
  if (plain) form.elements.text.value = plainOf(form.querySelector(".compose__rich"));
  field.value = plain ? "1" : "0";
  if (!plain) {
    form.querySelector("[data-html]").value = "";
    await makeRich(state);
  }
  showMode(form, plain);
  (plain ? form.elements.text : state.editor).focus();
  changed(state);
}

function showFormat({ form, editor }) {
  for (const [name, tag] of [["bold", "B"], ["italic", "I"], ["underline", "U"]]) {
    form.querySelector(`[data-format="${name}"]`).setAttribute("aria-pressed", String(editor.hasFormat(tag)));
  }
}

function format(state, name) {
  const { editor } = state;
  if (!editor) return;
  const tag = { bold: "B", italic: "I", underline: "U" }[name];
  if (tag && editor.hasFormat(tag)) editor[{ bold: "removeBold", italic: "removeItalic", underline: "removeUnderline" }[name]]();
  else if (name === "link") link(state);
  else editor[name]();
  editor.focus();
}

// A selection that is an address becomes a link to itself; for any other words the address is asked for.
async function link({ editor, form }) {
  const words = editor.getSelectedText().trim();
  const url = linkOf(words) || linkOf(await askLink());
  if (url && form.isConnected) editor.makeLink(url);
  editor.focus();
}

function linkOf(words) {
  if (/^(https?:|mailto:)\S+$/i.test(words)) return words;
  if (/^[^\s@]+@[^\s@]+$/.test(words)) return `mailto:${words}`;
  return /^[^\s/]+\.[a-z]{2,}(\/\S*)?$/i.test(words) ? `https://${words}` : "";
}

async function askLink() {
  const dialog = document.getElementById("link");
  if (!dialog) return "";
  dialog.returnValue = "";
  dialog.querySelector("input").value = "";
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  return dialog.returnValue === "yes" ? dialog.querySelector("input").value.trim() : "";
}

// --- Keys and buttons ----------------------------------------------------------------------------------------------------
function onKey(state, event) {
  const { form } = state;
  event.stopPropagation();
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit(form.querySelector('[data-compose="send"]'));
  } else if (event.key === "Enter" && event.target.matches("input:not([type=checkbox])")) event.preventDefault();
  else if (event.key === "Escape" && !document.querySelector(":popover-open")) close(state);
}

function onClick(state, event) {
  const { form } = state;
  const does = event.target.closest("[data-compose], [data-format], [data-later]");
  if (!does) return void (form.dataset.small !== undefined && event.target.closest(".compose__bar") && delete form.dataset.small);
  if (does.dataset.format) format(state, does.dataset.format);
  else if (does.dataset.later) sendAt(state, moment(does.dataset.later));
  else if (does.dataset.compose === "small") form.toggleAttribute("data-small");
  else if (does.dataset.compose === "large") form.toggleAttribute("data-large");
  else if (does.dataset.compose === "close") close(state);
  else if (does.dataset.compose === "plain") togglePlain(state);
  else if (does.dataset.compose === "copies") {
    for (const line of form.querySelectorAll("[data-copies]")) line.classList.remove("js-hidden");
    does.hidden = true;
    form.querySelector("[data-copies] .who input:not([hidden])")?.focus();
  }
}

async function close(state) {
  const { form } = state;
  const alone = !document.getElementById("composers");
  if (textOf(form) !== state.saved) await save(state);
  if (textOf(form) === state.saved) localStorage.removeItem(state.key);
  if (alone) return history.back();
  form.remove();
  document.querySelector("#reader #subject, #list .row__subj[tabindex='0']")?.focus({ preventScroll: true });
}

function onSubmit(state, event) {
  const { form } = state;
  const sending = event.submitter?.value === "send";
  for (const holder of form.querySelectorAll("[data-behaviour~=recipients]")) holder.dispatchEvent(new CustomEvent("casilla:commit"));
  if (sending && (unready(form) || forgotten(form))) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  clearTimeout(state.timer);
  const sent = () => !form.isConnected && document.querySelector("#toasts .toast") && localStorage.removeItem(state.key);
  document.addEventListener("htmx:after:swap", () => setTimeout(sent), { once: true });
}

// A file that did not go up, or is still on its way, holds the message back.
function unready(form) {
  const file = form.querySelector(".file[data-failed]") ?? (Number(form.dataset.uploading ?? 0) > 0 ? form.querySelector(".file:has(progress)") : null);
  if (!file) return false;
  say(form, form.dataset.unready);
  file.querySelector("[data-remove-file]").focus();
  return true;
}

function say(form, words) {
  form.querySelector("[data-said]")?.remove();
  const note = document.createElement("p");
  note.className = "note note--kraft note--flush";
  note.dataset.said = "";
  note.setAttribute("role", "alert");
  note.textContent = words;
  form.querySelector(".compose__foot").before(note);
}

// "You wrote of an attachment": said once, the second press sends.
function forgotten(form) {
  const own = form.elements.text.value.split(/^>|^-- $/m)[0];
  if (form.dataset.warned || form.querySelector("[data-file]") || !ATTACHMENT_WORDS.test(`${form.elements.subject.value} ${own}`)) return false;
  say(form, form.dataset.forgotten);
  form.dataset.warned = "true";
  return true;
}

function sendAt({ form }, when) {
  if (Number.isNaN(when.getTime())) return;
  form.querySelector("[data-send-at]").value = when.toISOString();
  form.requestSubmit(form.querySelector('[data-compose="send"]'));
}

function moment(name) {
  const when = new Date();
  if (name === "today") when.setHours(Math.max(15, when.getHours() + 2), 0, 0, 0);
  else {
    when.setDate(when.getDate() + (name === "tomorrow" ? 1 : ((8 - when.getDay()) % 7) || 7));
    when.setHours(8, 0, 0, 0);
  }
  return when;
}

function showWhen(item) {
  const shown = { weekday: "short", hour: "2-digit", minute: "2-digit" };
  item.querySelector("[data-when]").textContent = moment(item.dataset.later).toLocaleString(document.documentElement.lang, shown);
}

// A message that was held back: its composer opens again.
export const reopen = {
  bind: (element) => {
    const { url } = element.dataset;
    element.remove();
    for (const toast of document.querySelectorAll("#toasts .toast")) toast.remove();
    openComposer(url);
  },
};
