// Actions on messages: what a button, a key, a drop or a swipe asks for goes out in the one form of the list. They are done
// to the selection, else to the row that is meant, else to the message that is open.
import { isAstray } from "casilla/astray";
import { open as openDialog } from "casilla/dialog";
import { look, recount } from "casilla/live";
import { clear, selection } from "casilla/select";
import { show } from "casilla/shown";

const WORKING_MS = 1000;
const OPPOSITE = { read: "unread", star: "unstar" };
const REPEAT_MS = 700;
let lastAct = {};
let left = []; // the refs of the last action, for when they leave the list
const waiting = []; // what is shown of each action that the server is still at, in their order

export function start() {
  document.addEventListener("click", onClick);
  document.addEventListener("submit", onSubmit, true);
  document.addEventListener("htmx:finally:request", onDone);
}

// htmx sends one after the other (hx-sync on the form), so that each answer belongs to the first that waits.
function onDone({ detail: { ctx } }) {
  if (!ctx.sourceElement?.matches?.("form[data-change]")) return;
  const shown = waiting.shift();
  if (!ctx.response?.raw?.ok) shown?.back();
}

function onClick(event) {
  const button = event.target.closest("[data-do], [data-tag]");
  if (!button || event.defaultPrevented || (button.closest("form[data-change]") && !button.dataset.tag)) return;
  if (button.closest("form[data-change]")) return tagSelection(event, button.dataset.tag);
  const row = button.closest("#list .row");
  const letter = button.closest("#reader") && openLetter();
  if (!row && !letter) return;
  event.preventDefault();
  const refs = [(row ?? letter).dataset.ref];
  if (button.dataset.tag) {
    const has = document.querySelector("#letter-state")?.dataset.tags.split(" ").includes(button.dataset.tag);
    act(has ? "untag" : "tag", { refs, tag: button.dataset.tag });
  } else act(button.value, { refs, confirm: button.hasAttribute("data-confirm"), whole: Number(button.dataset.whole ?? 0) });
}

// A tag of the selection bar goes on, or off when every selected row in sight has it.
function tagSelection(event, tag) {
  event.preventDefault();
  const rows = [...document.querySelectorAll("#list .row[data-checked]")];
  const all = rows.length && rows.every((row) => row.querySelector(`:scope > .row__flags [data-keyword="${CSS.escape(tag)}"]`));
  act(all ? "untag" : "tag", { tag });
}

// The selection bar: the same button does both without JavaScript. Undo tells which message the page shows.
function onSubmit(event) {
  const form = event.target;
  if (form.matches("[data-undo]")) form.elements.open.value = openLetter()?.dataset.ref ?? "";
  if (!form.matches("form[data-change]") || form.dataset.ready !== undefined) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const button = event.submitter;
  if (button) setTimeout(() => act(button.value, { confirm: button.hasAttribute("data-confirm") })); // no submit inside of one
}

export const openLetter = () => document.querySelector("#reader [data-reader]");

// What an action would be done to: {refs} or {all, except}, and how many; null when there is nothing.
export function target(refs) {
  if (refs) return { refs, count: refs.reduce((sum, ref) => sum + countOf(ref), 0) };
  const chosen = selection();
  if (chosen) return chosen;
  const reading = document.activeElement?.closest("#reader") || !document.querySelector("#list")?.checkVisibility();
  const row = !reading && document.activeElement?.closest("#list .row");
  const one = row || openLetter();
  return one ? { refs: [one.dataset.ref], count: countOf(one.dataset.ref), one } : null;
}

// How many messages a ref stands for: a row may be a whole conversation.
const countOf = (ref) => Number(document.querySelector(`#list .row[data-ref="${CSS.escape(ref)}"]`)?.dataset.count ?? 1);

// Sends one action. Marks turn round where the message has them already; what cannot be undone is asked first. `whole` is how
// many messages the conversation has, to all of which it is done.
export async function act(name, { refs, to = "", tag = "", confirm = false, whole = 0 } = {}) {
  const form = document.querySelector("#list form[data-change]");
  const what = target(refs);
  if (!form || !what) return false;
  if (isAstray(what.one)) return true;
  if ((confirm || name === "purge") && !(await confirmed(whole || what.count))) return true;
  const same = JSON.stringify([name, what.refs, what.all, to, tag, whole]);
  if (!OPPOSITE[name] && same === lastAct.what && Date.now() - lastAct.at < REPEAT_MS) return true; // a double click is one
  lastAct = { what: same, at: Date.now() };
  left = what.refs ?? [];
  const values = { do: whole ? name : turned(name, what), to, tag, open: openLetter()?.dataset.ref ?? "" };
  if (whole) values.whole = "1";
  if (what.all) Object.assign(values, { all: form.elements.all.defaultValue, except: what.except.join(",") });
  else values.refs = what.refs.join(",");
  send(form, values, what);
  return true;
}

function send(form, values, what) {
  const fields = ["refs", "all", "except", "open", "to", "tag", "whole", "do"].map((name) => form.querySelector(`input[type=hidden][name="${name}"]`));
  for (const field of fields) {
    field.disabled = !(field.name in values);
    if (field.name in values) field.value = values[field.name];
  }
  const boxes = [...document.querySelectorAll('#list .row .box[form="change"]')];
  for (const box of boxes) box.disabled = true; // what goes out is said above
  form.dataset.ready = "";
  waiting.push(show(values.do, what.refs ?? [], Boolean(what.all)));
  form.requestSubmit();
  delete form.dataset.ready;
  for (const box of boxes) box.disabled = false;
  for (const field of fields) field.disabled = true;
  form.querySelector("input[name=all]").value = form.querySelector("input[name=all]").defaultValue;
  if (what.count > 50) waitWords(form);
}

// Anything over a second says that it goes on.
function waitWords(form) {
  const timer = setTimeout(() => {
    const template = document.getElementById("toast-working");
    document.getElementById("toasts").append(template.content.cloneNode(true));
    document.getElementById("toasts").lastElementChild.dataset.working = "";
  }, WORKING_MS);
  const end = () => {
    clearTimeout(timer);
    for (const toast of document.querySelectorAll("[data-working]")) toast.remove();
    document.removeEventListener("htmx:finally:request", end);
  };
  document.addEventListener("htmx:finally:request", end);
}

// u and s turn a mark round: one message by what it is, several by what most people expect.
function turned(name, what) {
  if (!OPPOSITE[name] || !what.one) return name;
  const state = what.one.matches("[data-reader]") ? document.querySelector("#letter-state") : what.one;
  if (name === "star") return state.querySelector(":scope > .row__flags .star") || state.hasAttribute("data-flagged") ? "unstar" : "star";
  const unread = what.one.matches("[data-reader]") ? !state.hasAttribute("data-seen") : state.hasAttribute("data-unread");
  return unread ? "read" : "unread";
}

async function confirmed(count) {
  const dialog = document.getElementById("confirm");
  const title = dialog.querySelector("h2");
  title.textContent = count === 1 ? title.dataset.one : title.dataset.many.replace("#", count.toLocaleString(document.documentElement.lang));
  dialog.returnValue = "no";
  openDialog("confirm");
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  return dialog.returnValue === "yes";
}

// Nothing was done: the open message may be gone, and then the page says so.
function lookAgain() {
  delete openLetter()?.dataset.leaving;
  look();
}

// A toast that tells of a change: the list is read again where it stands; what left it is left by the page too.
export function bind(toast) {
  const undoable = document.querySelector("#toasts .toast:has([data-undo])");
  if ("nothing" in toast.dataset && undoable && undoable !== toast) toast.remove();
  else for (const other of document.querySelectorAll("#toasts .toast")) if (other !== toast) other.remove();
  const app = document.querySelector("[data-behaviour~=reader]");
  if ("failed" in toast.dataset) return app?.dispatchEvent(new CustomEvent("casilla:changed", { bubbles: true, detail: { gone: new Set() } }));
  const gone = new Set("left" in toast.dataset ? left : []);
  for (const ref of toast.dataset.gone?.split(",") ?? []) gone.add(ref); // what rows stood for as well
  clear();
  const drawn = "marks" in toast.dataset && waiting[0]?.whole;
  app?.dispatchEvent(new CustomEvent("casilla:changed", { bubbles: true, detail: { gone, drawn } }));
  if ("recount" in toast.dataset) recount();
  if ("nothing" in toast.dataset) lookAgain();
  left = [];
}
