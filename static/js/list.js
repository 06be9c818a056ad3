// The message list of any length: rows are fetched as they come into sight, and one row at a time is in the tab order.
import htmx from "htmx";
import { atTop, createWindow, missing, place, remeasure, rowAt, rowsOf, startAround } from "casilla/window";

const GONE = 410;
const SETTLE_MS = 90; // a jump is fetched once the scroll bar rests

export function bind(list) {
  list.dataset.virtual = "";
  const state = createWindow(list);
  state.active = Number(rowsOf(list).find((row) => row.hasAttribute("aria-current"))?.dataset.pos ?? state.start);
  if (state.start > 0) list.scrollTop = state.top.offsetHeight;
  list.querySelector(":scope > .row[aria-current]")?.scrollIntoView({ block: "nearest" });
  list.addEventListener("scroll", () => schedule(state), { passive: true });
  list.addEventListener("focusin", (event) => activate(state, event.target.closest(".row")));
  list.addEventListener("casilla:show", (event) => { event.detail.done = show(state, event.detail.position); });
  list.addEventListener("casilla:reload", (event) => {
    const done = reload(state, event.detail?.focus);
    if (event.detail) event.detail.done = done;
  });
  new ResizeObserver(() => { remeasure(state); schedule(state); }).observe(list);
  settleRows(state);
  schedule(state);
}

function schedule(state) {
  state.frame ||= requestAnimationFrame(() => {
    state.frame = 0;
    fill(state);
  });
}

function fill(state) {
  const next = missing(state);
  clearTimeout(state.timer);
  if (!next || state.broken) return;
  if (next.how !== "replace") load(state, next.start, next.how);
  else state.timer = setTimeout(() => load(state, next.start, "replace"), SETTLE_MS);
}

async function load(state, start, how) {
  const { list } = state;
  if (state.busy?.start === start && state.busy.how === how) return state.busy.done;
  state.busy?.abort.abort();
  const busy = (state.busy = { start, how, abort: new AbortController() });
  list.setAttribute("aria-busy", "true");
  busy.done = fetchRows(state, start, busy.abort.signal)
    .then((fresh) => { if (list.isConnected) join(state, fresh, start, how); })
    .catch((error) => {
      if (error.name === "AbortError") return null;
      return error.cause === GONE ? drawAnew(list) : fail(state, start, how);
    })
    .finally(() => {
      if (state.busy !== busy) return;
      state.busy = null;
      list.removeAttribute("aria-busy");
      schedule(state);
    });
  return busy.done;
}

async function fetchRows(state, start, signal) {
  const response = await fetch(`${state.list.dataset.url}&start=${start}`, { signal, headers: { "X-Requested-With": "fetch" } });
  if (response.redirected) location.reload(); // the session ended: the page leads to signing in
  if (!response.ok || response.redirected) throw new Error("no rows", { cause: response.status });
  state.total = Number(response.headers.get("X-Total") ?? state.total);
  const unsorted = state.list.closest(".pane")?.querySelector("[data-unsorted]");
  if (unsorted) tellSorted(unsorted, response.headers.get("X-Unsorted"));
  const holder = document.createElement("template");
  holder.innerHTML = await response.text();
  return holder.content;
}

// How far the folder's first sorting is, as long as it is.
function tellSorted(note, done) {
  note.hidden = done === null;
  const words = note.querySelector("[data-sorted]");
  if (Number(done)) words.textContent = words.dataset.words.replace("#", Number(done).toLocaleString(document.documentElement.lang));
}

function join(state, fresh, start, how) {
  const { list } = state;
  const focused = list.contains(document.activeElement);
  const added = [...fresh.querySelectorAll(".row")];
  mend(state);
  place(state, fresh, start, how);
  if (Number(list.dataset.total) !== state.total) count(state);
  list.dataset.total = state.total;
  if (focused && !list.contains(document.activeElement)) list.focus({ preventScroll: true });
  settleRows(state);
  for (const row of added) if (row.isConnected) htmx.process(row);
  list.dispatchEvent(new CustomEvent("casilla:rows", { bubbles: true, detail: { again: how === "replace" } }));
}

// The numbers in the heads follow; a list that became empty is drawn anew, with its words.
function count({ list, total }) {
  for (const words of list.closest(".pane").querySelectorAll("[data-count][data-many]")) words.textContent = total === 1 ? words.dataset.one : words.dataset.many.replace("#", total.toLocaleString(document.documentElement.lang));
  if (!total) drawAnew(list);
}

// The whole pane as the server draws it now: with words in the place of rows that are not there any more.
const drawAnew = (list) => htmx.ajax("GET", list.dataset.url.replace(/rows\/\?/, "?"), { target: "#list", swap: "innerHTML" });

// Tells assistive technology where a row stands in the whole list, and leaves one row in the tab order.
function settleRows(state) {
  const rows = rowsOf(state.list);
  const active = rowAt(state.list, state.active) ?? rows[0];
  for (const row of rows) {
    row.setAttribute("aria-posinset", Number(row.dataset.pos) + 1);
    row.setAttribute("aria-setsize", state.total);
    row.querySelector(".row__subj").tabIndex = row === active ? 0 : -1;
  }
  state.list.tabIndex = -1;
}

function activate(state, row) {
  if (!row?.dataset.pos) return;
  state.active = Number(row.dataset.pos);
  state.list.dataset.active = state.active;
  for (const link of state.list.querySelectorAll('.row__subj[tabindex="0"]')) link.tabIndex = -1;
  row.querySelector(".row__subj").tabIndex = 0;
}

async function show(state, wanted) {
  const position = Math.max(0, Math.min(wanted, state.total - 1));
  state.active = position;
  state.list.dataset.active = position;
  if (!rowAt(state.list, position)) await load(state, startAround(state, position), "replace");
  if (state.active !== position) return; // a later key asked for another row
  const row = rowAt(state.list, position) ?? rowsOf(state.list).findLast((item) => Number(item.dataset.pos) < position);
  row?.scrollIntoView({ block: "nearest" });
  row?.querySelector(".row__subj").focus({ preventScroll: true });
}

async function reload(state, focus) {
  const edge = state.list.getBoundingClientRect().top;
  const seen = rowsOf(state.list).find((row) => row.getBoundingClientRect().bottom > edge);
  const top = atTop(state.list);
  const offset = seen ? seen.getBoundingClientRect().top - edge : 0;
  state.busy?.abort.abort();
  state.busy = null; // what is on its way was asked for before the change
  await load(state, startAround(state, Number(seen?.dataset.pos ?? 0)), "replace");
  const again = seen && state.list.querySelector(`:scope > .row[data-ref="${CSS.escape(seen.dataset.ref)}"]`);
  if (again && !top) state.list.scrollTop += again.getBoundingClientRect().top - edge - offset;
  const wanted = focus && state.list.querySelector(`:scope > .row[data-ref="${CSS.escape(focus)}"] .row__subj`);
  if (wanted && (state.list.contains(document.activeElement) || document.activeElement === document.body)) wanted.focus({ preventScroll: true });
}

// The rest of the list stays usable; the missing rows are asked for again by hand.
function fail(state, start, how) {
  mend(state);
  state.broken = true;
  const item = document.createElement("li");
  item.className = "list-error";
  item.setAttribute("role", "alert");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn--sm";
  button.textContent = state.list.dataset.retry;
  button.addEventListener("click", () => { mend(state); load(state, start, how); });
  item.append(button);
  state.list.append(item);
}

function mend(state) {
  state.broken = false;
  state.list.querySelector(":scope > .list-error")?.remove();
}
