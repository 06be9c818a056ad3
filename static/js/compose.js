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
    openComposer(link.href);
  });
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
  remember(state.key, { text: textOf(form), at: Date.now() });
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
      if (!response.ok || response.redirected) throw new Error(String(response.status));
      words.innerHTML = await response.text();
      state.saved = text;
      if (textOf(form) === text) localStorage.removeItem(state.key);
    })
    .catch(() => { words.textContent = form.dataset.offline; })
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
  const clean = (html) => {
    const part = DOMPurify.sanitize(html, { RETURN_DOM_FRAGMENT: true, FORBID_TAGS: ["style", "form", "input", "button", "svg", "math", "iframe", "img"], ALLOW_DATA_ATTR: false });
    return document.importNode(part, true);
  };
  state.editor ??= new Squire(root, { blockTag: "P", sanitizeToDOMFragment: clean });
  const html = form.querySelector("[data-html]");
  state.editor.setHTML(html.value || paragraphs(form.elements.text.value));
  state.editor.addEventListener("input", () => {
    html.value = state.editor.getHTML();
    form.elements.text.value = root.innerText;
    changed(state);
  });
  state.editor.addEventListener("pathChange", () => showFormat(state));
  state.editor.moveCursorToStart();
  html.value = state.editor.getHTML();
  form.elements.text.value = root.innerText;
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

// A selection that is an address becomes a link to itself; else the address is taken from the clipboard's last word.
function link({ editor }) {
  const words = editor.getSelectedText().trim();
  const url = /^(https?:|mailto:)/i.test(words) ? words : /^[^\s@]+@[^\s@]+$/.test(words) ? `mailto:${words}` : /\.[a-z]{2,}/i.test(words) ? `https://${words}` : "";
  if (url) editor.makeLink(url);
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
  if (alone) return history.back();
  form.remove();
  document.querySelector("#reader #subject, #list .row__subj[tabindex='0']")?.focus({ preventScroll: true });
}

function onSubmit(state, event) {
  const { form } = state;
  const sending = event.submitter?.value === "send";
  for (const holder of form.querySelectorAll("[data-behaviour~=recipients]")) holder.dispatchEvent(new CustomEvent("casilla:commit"));
  if (sending && forgotten(form)) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  clearTimeout(state.timer);
  form.addEventListener("htmx:after:swap", () => localStorage.removeItem(state.key), { once: true });
  localStorage.removeItem(state.key);
}

// "You wrote of an attachment": said once, the second press sends.
function forgotten(form) {
  const own = form.elements.text.value.split(/^>|^-- $/m)[0];
  if (form.dataset.warned || form.querySelector("[data-file]") || !ATTACHMENT_WORDS.test(`${form.elements.subject.value} ${own}`)) return false;
  form.dataset.warned = "";
  const note = document.createElement("p");
  note.className = "note note--kraft note--flush";
  note.setAttribute("role", "alert");
  note.textContent = form.dataset.forgotten;
  form.querySelector(".compose__foot").before(note);
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
export const reopen = { bind: (element) => { const { url } = element.dataset; element.remove(); openComposer(url); } };
