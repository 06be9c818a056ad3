// Keys press what the mouse presses: links and buttons that carry data-key or data-go. They act outside fields only, and
// single keys not at all where <html data-single-keys="off">.
import { act } from "casilla/act";
import { refuses } from "casilla/astray";
import { open } from "casilla/dialog";
import { close } from "casilla/drawer";
import { ask } from "casilla/move";
import { focusRow, walk } from "casilla/reader";
import { anchorAt, clear, extendTo, selectAll, toggle } from "casilla/select";

const GO = { i: "inbox", d: "drafts", e: "sent", a: "archive", s: "junk", t: "trash" };
const GO_MS = 1500;
const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: "page down", PageUp: "page up", Home: "first", End: "last" };
const ACTIONS = { e: "archive", "#": "delete", Delete: "delete", s: "star", u: "read", F: "forward_attached" };
let waitingForGo = 0;

export function start() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey) return;
    if (event.key === "a" && (event.ctrlKey || event.metaKey) && ((event.target === document.body && !document.querySelector("#reader [data-reader]")) || event.target.closest?.("#list")) && visible("#list ol")) {
      event.preventDefault();
      return selectAll();
    }
    if (event.ctrlKey || event.metaKey) return;
    if (press(event)) event.preventDefault();
  });
}

function press({ key, target, shiftKey }) {
  if (document.querySelector("dialog[open], :popover-open") || target.closest?.("#composers")) return false;
  const field = target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  if (key === "Escape") return escape(field);
  if (key === "F6") return nextPane();
  if (field) return false;
  if (STEPS[key] && (target.closest?.("#list .row, #list ol") || (target === document.body && !isReading()))) return step(STEPS[key], shiftKey);
  return document.documentElement.dataset.singleKeys !== "off" && single(key);
}

function single(key) {
  if (Date.now() - waitingForGo < GO_MS && GO[key]) {
    waitingForGo = 0;
    return click(document.querySelector(`[data-go="${GO[key]}"]`));
  }
  waitingForGo = key === "g" ? Date.now() : 0;
  if (refuses(key)) return true;
  if (key === "x") return selectRow();
  if (key === "v") return ask();
  if (key === "!") return act(document.querySelector('#list form[data-change] [value="ham"]') ? "ham" : "junk");
  if (ACTIONS[key]) return act(ACTIONS[key], { confirm: ACTIONS[key] === "delete" && Boolean(document.querySelector("#list form[data-change] [data-confirm]")) });
  if (key === "j" || key === "k") return next(key === "j" ? 1 : -1);
  if (key === "o") return click(document.activeElement?.closest(".row")?.querySelector(".row__subj"));
  if (key === "?") return open("shortcuts");
  const named = visible(`[data-key="${CSS.escape(key)}"]`);
  if (!named && key === "/") return click(visible("[data-search-open]"));
  if (!named) return click(document.querySelector(`#message-menu [data-menu-key="${CSS.escape(key)}"]`));
  if (!named?.matches("input")) return click(named);
  named.focus();
  named.select();
  return true;
}

const visible = (selector) => [...document.querySelectorAll(selector)].find((item) => item.checkVisibility());

const isReading = () => document.querySelector(".app")?.dataset.view === "read" && !visible("#list");

function click(element) {
  element?.click();
  return Boolean(element);
}

const listOf = () => document.querySelector("#list [data-behaviour~=list]");

function selectRow() {
  const reading = document.activeElement?.closest("#reader") && document.querySelector("#list .row[aria-current]");
  const row = reading || (document.activeElement?.closest("#list .row") ?? document.querySelector("#list .row:has(.row__subj[tabindex='0'])"));
  if (row) toggle(listOf(), row);
  return Boolean(row);
}

function step(how, extending) {
  const list = listOf();
  if (!list) return false;
  const row = list.querySelector(".row[aria-current]");
  const inside = list.contains(document.activeElement);
  const at = Number((inside ? list.dataset.active : row?.dataset.pos) ?? list.dataset.active ?? -1);
  const page = Math.max(1, Math.floor(list.clientHeight / (list.querySelector(".row")?.offsetHeight || 68)) - 1);
  const position = { first: 0, last: Number(list.dataset.total) - 1, "page down": at + page, "page up": at - page }[how] ?? at + how;
  if (extending) anchorAt(document.activeElement?.closest("#list .row"));
  const shown = new CustomEvent("casilla:show", { detail: { position } });
  list.dispatchEvent(shown);
  if (extending) shown.detail.done?.then(() => extendTo(list.querySelector(`.row[data-pos="${position}"]`) ?? document.activeElement.closest(".row")));
  return true;
}

// In the reading pane j and k open the next message; in the list they walk.
function next(by) {
  const reading = document.activeElement?.closest("#reader") || isReading();
  return (reading && walk(by)) || step(by);
}

// One step out: of the drawer, of a field, of the message.
function escape(field) {
  const app = document.querySelector(".app");
  if (!app) return false;
  if (close()) return true;
  if (!field && clear()) return true;
  if (field?.type === "search" && field.value) return clearSearch(field);
  const back = !field && app.dataset.view === "read" && visible("#reader [data-back]");
  if (back) return click(back);
  field?.blur();
  delete app.dataset.search;
  focusRow(app);
  return true;
}

// Takes the words away, and the search with them.
function clearSearch(field) {
  field.value = "";
  click(document.querySelector("#list [data-search-end]"));
  return true;
}

function nextPane() {
  const panes = [...document.querySelectorAll("#sidebar, #list, #reader")].filter((pane) => pane.checkVisibility());
  if (!panes.length) return false;
  const at = panes.findIndex((pane) => pane.contains(document.activeElement));
  const pane = panes[(at + 1) % panes.length];
  if (pane.id === "list" && pane.querySelector(".row")) focusRow(document);
  else (pane.querySelector("a.tree__item[aria-current]") ?? pane.querySelector("#subject, a, button") ?? pane).focus();
  return true;
}
