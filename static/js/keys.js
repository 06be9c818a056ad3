// Keys press what the mouse presses: links and buttons that carry data-key or data-go. They act outside fields only.
import { showList } from "casilla/reader";

const GO = { i: "inbox", d: "drafts", e: "sent", a: "archive", t: "trash" };
let waitingForGo = 0;

export function bind(root) {
  root.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (press(event)) event.preventDefault();
  });
}

function press(event) {
  const { key } = event;
  const dialog = document.querySelector("dialog[open]");
  const field = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (key === "Escape") return !dialog && escape(field);
  if (dialog) return false;
  if (key === "F6") return nextPane();
  if (field) return false;
  if (["ArrowDown", "ArrowUp", "Home", "End"].includes(key)) return arrows(event);
  if (event.target.closest?.("[popover]") || document.documentElement.dataset.singleKeys === "off") return false;
  if (Date.now() - waitingForGo < 1500 && GO[key]) return go(GO[key]);
  waitingForGo = key === "g" ? Date.now() : 0;
  if (key === "j") return move(1);
  if (key === "k") return move(-1);
  if (key === "o") return click(document.activeElement?.closest(".row")?.querySelector(".row__subj"));
  return pressNamed(key);
}

function pressNamed(key) {
  const named = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find((item) => item.checkVisibility());
  if (!named && key === "/") {
    const open = document.querySelector("[data-search-open]");
    return open?.checkVisibility() ? click(open) : false;
  }
  if (named?.matches("input")) { named.focus(); named.select(); return true; }
  return click(named);
}

function click(element) {
  element?.click();
  return Boolean(element);
}

const go = (role) => click(document.querySelector(`[data-go="${role}"]`));

function arrows(event) {
  const row = event.target.closest?.("#list .row");
  if (!row) return false;
  if (event.key === "Home") return show(0);
  if (event.key === "End") return show(Number(row.parentElement.dataset.total) - 1);
  return show(Number(row.dataset.pos) + (event.key === "ArrowDown" ? 1 : -1));
}

function show(position) {
  const list = document.querySelector("#list [data-behaviour~=list]");
  if (!list || position < 0 || position >= Number(list.dataset.total)) return true;
  list.dispatchEvent(new CustomEvent("casilla:show", { detail: { position, focus: true } }));
  return true;
}

// In the reader j and k open the next message; in the list they move.
function move(step) {
  const inReader = document.activeElement?.closest("#reader") && document.querySelector("#reader [data-reader]");
  if (inReader) return click(document.querySelector(step > 0 ? "[data-after]" : "[data-before]")) || true;
  const row = document.activeElement?.closest("#list .row");
  const current = row ?? document.querySelector("#list .row[aria-current]");
  if (!current) return show(0);
  return show(Number(current.dataset.pos) + step);
}

function escape(field) {
  const app = document.querySelector("#mail");
  if (!app) return false;
  if (app.dataset.drawer !== undefined) { delete app.dataset.drawer; document.querySelector(".scrim")?.remove(); return true; }
  if (field) { field.blur(); delete app.dataset.search; app.querySelector("#list .row__subj")?.focus(); return true; }
  if (app.dataset.view === "read") { showList(app); return true; }
  return false;
}

function nextPane() {
  const panes = [...document.querySelectorAll("#sidebar, #list, #reader")].filter((pane) => pane.checkVisibility());
  const at = panes.findIndex((pane) => pane.contains(document.activeElement));
  const next = panes[(at + 1) % panes.length];
  const inside = next?.querySelector("[aria-current] .row__subj, a[aria-current], .row__subj, #subject, a");
  (inside ?? next)?.focus();
  return Boolean(next);
}
