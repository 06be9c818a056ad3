// The two panes: which row is open, where focus is, which pane a narrow window shows, and going back and forth between
// messages without losing the list.
import htmx from "htmx";
import { recount } from "casilla/live";

const appOf = () => document.querySelector("[data-behaviour~=reader]");
let empty = null; // the reading pane with nothing open, as the server drew it

export function start() {
  document.addEventListener("click", onBack);
  document.addEventListener("casilla:rows", () => mark(appOf()));
  document.addEventListener("casilla:changed", (event) => afterChange(appOf(), event.detail));
  document.addEventListener("htmx:after:swap", (event) => afterSwap(appOf(), event));
  document.addEventListener("htmx:before:history:restore", onTraverse);
  document.addEventListener("htmx:finally:request", afterRequest);
}

export function bind(app) {
  if (!app.querySelector("#reader [data-reader]")) empty = [...app.querySelector("#reader").childNodes].map((node) => node.cloneNode(true));
  mark(app, true);
}

function onBack(event) {
  const back = event.target.closest("[data-back]");
  const app = appOf();
  if (!back || !app || event.ctrlKey || event.metaKey || event.shiftKey || !app.querySelector("#list .row")) return;
  event.preventDefault();
  history.pushState({ htmx: true }, "", back.href);
  showList(app);
}

// A list that stood beside the message stays where it is; one that was hidden behind it comes back at its row.
function showList(app, letter = letterOf(app)) {
  const list = app.querySelector("#list [data-behaviour~=list]");
  const hidden = !list?.checkVisibility();
  const row = rowOf(app, letter);
  app.dataset.view = "list";
  if (!hidden) return focusRow(app, row);
  row?.scrollIntoView({ block: "nearest" });
  if (row || !letter || letter.dataset.position < 0) return focusRow(app, row);
  list?.dispatchEvent(new CustomEvent("casilla:show", { detail: { position: Number(letter.dataset.position) } }));
}

// Focus to the given row, that of the open message or that where the keyboard last was, whichever is in sight; else to
// the first in sight. The list does not move.
export function focusRow(app, row = rowOf(app, letterOf(app))) {
  const list = app.querySelector("#list [data-behaviour~=list]");
  const view = list?.getBoundingClientRect();
  const inSight = (item) => item && item.getBoundingClientRect().bottom > view.top && item.getBoundingClientRect().top < view.bottom;
  const last = list?.querySelector('.row__subj[tabindex="0"]')?.closest(".row");
  const found = [row, last].find(inSight) ?? [...(list?.querySelectorAll(".row") ?? [])].find(inSight);
  found?.querySelector(".row__subj").focus({ preventScroll: true });
}

const letterOf = (app) => app?.querySelector("#reader [data-reader]");

// Its own row, else that of the conversation of which it is the newest.
export const rowOf = (app, letter) => letter && (rowBy(app, letter.dataset.ref) ?? rowBy(app, `${letter.dataset.ref}*`));

const rowBy = (app, ref) => app.querySelector(`#list .row[data-ref="${CSS.escape(ref)}"]`);

// j and k in the reading pane. Each press is one message; while one is on its way the presses are counted, and the message at
// which they end is asked for then: never two at once, never another than the keys say.
let steps = 0;
let busy = false;

export function walk(by) {
  const app = appOf();
  if (!letterOf(app)) return false;
  steps += by;
  if (!busy) go(app);
  return true;
}

function go(app) {
  const way = Math.sign(steps);
  if (!way || !letterOf(app)) return void (steps = 0);
  const rows = [...app.querySelectorAll("#list [data-behaviour~=list] > .row")];
  const at = rows.indexOf(rowOf(app, letterOf(app))?.closest("[data-pos]"));
  const to = Math.max(0, Math.min(at + steps, rows.length - 1));
  const near = at < 0 || to === at; // beyond the rows that are here the pane's own button leads on
  const link = near ? app.querySelector(way > 0 ? "#reader [data-after]" : "#reader [data-before]") : rows[to].querySelector(":scope > .row__subj");
  steps = link ? steps - (near ? way : to - at) : 0;
  busy = Boolean(link);
  link?.click();
}

function afterRequest(event) {
  if (event.detail?.ctx?.target?.id !== "reader") return;
  busy = false;
  if (event.detail.ctx.response?.raw?.ok === false) steps = 0;
  go(appOf());
}

// Back and forward within one list change the reading pane alone; anything else is the whole page again.
function onTraverse(event) {
  const app = appOf();
  const url = new URL(event.detail.path, location.href);
  const rows = app?.querySelector("#list [data-behaviour~=list]")?.dataset.url;
  if (!rows || !sameList(url, new URL(rows, location.href))) return;
  event.preventDefault();
  if (url.pathname.includes("/m/")) htmx.ajax("GET", url.pathname + url.search, { target: "#reader", swap: "innerHTML" });
  else {
    const letter = letterOf(app);
    app.querySelector("#reader").replaceChildren(...(empty ?? []).map((node) => node.cloneNode(true)));
    mark(app);
    showList(app, letter);
  }
}

function sameList(url, rows) {
  const folder = rows.pathname.replace(/rows\/$/, "");
  const rest = url.pathname.slice(folder.length);
  if (!url.pathname.startsWith(folder) || !/^(m\/[^/]+\/)?$/.test(rest)) return false;
  const [asked, shown] = [url, rows].map(({ searchParams }) => {
    for (const name of ["role", "start", "images"]) searchParams.delete(name);
    searchParams.sort();
    return searchParams.toString();
  });
  return asked === shown;
}

function afterSwap(app, event) {
  const target = event.detail?.ctx?.target;
  if (!app) return;
  if (target?.id === "reader") {
    if (!app.querySelector("#reader [data-reader], #reader [role=alert]")) return;
    app.dataset.view = "read";
    mark(app, true);
    if (app.querySelector("#reader [data-recount]")) recount();
    (app.querySelector("#subject") ?? target).focus({ preventScroll: true });
    if (rowOf(app, letterOf(app))?.matches("[data-count][data-unread]")) app.querySelector("#list [data-behaviour~=list]").dispatchEvent(new CustomEvent("casilla:reload"));
  } else if (target?.id === "list") {
    app.dataset.view = "list";
    delete app.dataset.search;
    if (target.contains(document.activeElement) || document.activeElement === document.body) return;
    if (!event.target.closest?.("#sidebar")) app.querySelector("#list .row__subj")?.focus({ preventScroll: true });
  }
}

// After an action: what left the folder leaves the pane, focus goes to the row that took its place, the list is read again unless
// it shows everything already (`drawn`).
function afterChange(app, { gone, drawn = false }) {
  const list = app?.querySelector("#list [data-behaviour~=list]");
  const rows = [...(list?.querySelectorAll(".row") ?? [])];
  const active = rows.findLast((row) => row.contains(document.activeElement));
  const left = (row) => gone.has(row.dataset.ref) || gone.has(row.dataset.ref.replace("*", ""));
  const focused = active && left(active) ? active : null;
  const letter = letterOf(app);
  const closed = letter && gone.has(letter.dataset.ref);
  const from = focused ?? (closed ? rowOf(app, letter) : null);
  const next = from && (rows.slice(rows.indexOf(from)).find((row) => !left(row)) ?? rows.findLast((row) => !left(row)));
  if (closed) {
    app.querySelector("#reader").replaceChildren(...(empty ?? []).map((node) => node.cloneNode(true)));
    history.replaceState(history.state, "", app.querySelector("#tree a[aria-current]")?.href ?? location.href);
    app.dataset.view = "list";
  }
  for (const row of rows) if (left(row)) row.remove();
  mark(app);
  const subject = next?.querySelector(".row__subj");
  if (closed && list.checkVisibility()) subject?.click(); // beside the list the next message opens, as in Thunderbird
  else subject?.focus({ preventScroll: true });
  if (!drawn) list?.dispatchEvent(new CustomEvent("casilla:reload", { detail: { focus: (next ?? active)?.dataset.ref } }));
}

function mark(app, reveal) {
  const letter = letterOf(app);
  for (const row of app?.querySelectorAll("#list .row[aria-current]") ?? []) row.removeAttribute("aria-current");
  const row = rowOf(app, letter);
  if (!row) return;
  row.setAttribute("aria-current", "true");
  const { dataset } = app.querySelector("#letter-state");
  if (!row.dataset.count) row.toggleAttribute("data-unread", !("seen" in dataset));
  if ("seen" in dataset && !row.dataset.count) row.querySelector(".row__subj > .sr")?.remove();
  star(app, row, "flagged" in dataset);
  if (reveal) row.scrollIntoView({ block: "nearest" });
}

function star(app, row, on) {
  const shown = row.querySelector(":scope > .row__flags .star");
  if (!on) shown?.remove();
  if (!on || shown) return;
  const icon = app.querySelector("#reader svg.star")?.cloneNode(true);
  icon?.classList.add("i--sm");
  if (icon) row.querySelector(".row__flags").append(icon);
}
