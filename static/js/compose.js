// A composer: its editor, its draft saved as one types, sending now or later, several side by side. The server has the
// text after a few seconds, this browser at once; closing the page loses nothing.
import htmx from "htmx";
import { format, setUpEditor, togglePlain } from "casilla/editor";
import { attach } from "casilla/files";
import { bindLater } from "casilla/later";
import { bindPictures } from "casilla/pictures";
import { clearProblems, say } from "casilla/problems";
import { bindQuotation, takeQuote } from "casilla/quotation";
import { followIdentity, placeToWrite } from "casilla/signature";
import { recall, remember } from "casilla/store";

const SAVE_AFTER_MS = 2500;
const STORE = "casilla.compose.";
const WINDOW = "popup,width=780,height=860";
const states = new WeakMap();
const ATTACHMENT_WORDS = /\b(adjunt[oa]s?|adjuntamos|attached|attachment|attaching)\b/i;

export function start() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-compose-open]");
    const place = document.getElementById("composers");
    if (!link || !place || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const composer = "part" in link.dataset && place.querySelector(":scope > .compose:last-of-type");
    if (composer) return void composer.dispatchEvent(new CustomEvent("casilla:attach", { detail: link.href }));
    link.closest(".toast")?.remove();
    const from = "fromTemplate" in link.dataset && link.closest("form.compose");
    const { opened = false } = from ? states.get(from) ?? {} : {};
    openComposer(link.href)?.then(() => opened && textOf(from) === opened && from.remove());
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
  for (const one of form.querySelectorAll("noscript")) one.remove(); // a part that was fetched has its fields all the same
  for (const other of document.querySelectorAll("#composers > .compose:not(.compose--small)")) if (other !== form) other.dataset.small = "";
  const state = { form, key, timer: 0, saved: "", opened: "", busy: null, changed: () => changed(state) };
  states.set(form, state);
  restore(state);
  state.saved = textOf(form);
  state.ready = setUpEditor(state, state.changed).then(() => { state.saved = state.opened = textOf(form); });
  const files = attach(form, () => save(state));
  bindPictures(state, files);
  bindQuotation(state);
  bindLater(form);
  bindTemplates(form);
  followIdentity(form);
  form.addEventListener("input", state.changed);
  form.addEventListener("keydown", (event) => onKey(state, event));
  form.addEventListener("click", (event) => onClick(state, event));
  form.addEventListener("submit", (event) => onSubmit(state, event), true);
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
  showTitle(form);
  clearProblems(form);
  if (textOf(form) === state.saved) return;
  remember(state.key, { text: textOf(form), at: Date.now(), url: form.action });
  clearTimeout(state.timer);
  state.timer = setTimeout(() => save(state), SAVE_AFTER_MS);
}

// A composer is called by its subject, else by whom it goes to.
function showTitle(form) {
  const first = form.elements.to.parentElement.querySelector(".chip > span")?.textContent;
  const title = form.elements.subject.value.trim() || first || form.dataset.untitled;
  form.querySelector("[data-title]").textContent = title;
  if (isAlone()) document.title = document.title.replace(/^.*(?= · )/, () => title);
}

const isAlone = () => !document.getElementById("composers");

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
      if (!response.ok && response.status !== 410) throw new Error(String(response.status));
      words.innerHTML = await response.text();
      if (response.status === 410) return; // thrown away elsewhere: the page holds the text, and asks
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
  const does = event.target.closest("[data-compose], [data-format]");
  if (!does) return void (form.dataset.small !== undefined && event.target.closest(".compose__bar") && delete form.dataset.small);
  if (does.dataset.format) format(state, does.dataset.format);
  else if (does.dataset.compose === "small") form.toggleAttribute("data-small");
  else if (does.dataset.compose === "large") form.toggleAttribute("data-large");
  else if (does.dataset.compose === "close") close(state);
  else if (does.dataset.compose === "window") ownWindow(state);
  else if (does.dataset.compose === "plain") toPlain(state);
  else if (does.dataset.compose === "copies") {
    for (const line of form.querySelectorAll("[data-copies]")) line.classList.remove("js-hidden");
    does.hidden = true;
    form.querySelector("[data-copies] .who input:not([hidden])")?.focus();
  }
}

// A quotation that stands in the frame comes along as text.
async function toPlain(state) {
  if (state.form.elements.plain.value === "1" || (await takeQuote(state))) await togglePlain(state);
}

// The same composer in a window of its own. The window opens at once, as browsers want it, and waits for what is written.
async function ownWindow(state) {
  const { form } = state;
  const own = window.open("", form.id, WINDOW);
  if (!own) return say(form, form.dataset.blocked);
  if (textOf(form) !== state.saved) await save(state);
  if (textOf(form) === state.saved) localStorage.removeItem(state.key);
  own.location.replace(form.action);
  form.remove();
}

// The templates of the mailbox, read when their menu opens for the first time.
function bindTemplates(form) {
  const menu = form.querySelector("[data-lines]");
  menu?.addEventListener("toggle", () => {
    const place = menu.querySelector("[data-lines-place]");
    if (!place.childElementCount) htmx.ajax("GET", menu.dataset.lines, { target: place, swap: "innerHTML" });
  }, { once: true });
}

async function close(state) {
  const { form } = state;
  const alone = isAlone();
  if (textOf(form) !== state.saved) await save(state);
  if (textOf(form) === state.saved) localStorage.removeItem(state.key);
  if (alone) return window.opener ? window.close() : history.back();
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

// "You wrote of an attachment": said once, the second press sends.
function forgotten(form) {
  const own = form.elements.text.value.split(/^>|^-- $/m)[0];
  if (form.dataset.warned || form.querySelector("[data-file]:not([data-inline])") || !ATTACHMENT_WORDS.test(`${form.elements.subject.value} ${own}`)) return false;
  say(form, form.dataset.forgotten);
  form.dataset.warned = "true";
  return true;
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
