// The window of rows that a long list really holds. What is not in the page is two gaps, as high as its rows would be:
// one above the window, one below. Pure geometry and DOM; fetching is in list.js.
const KEEP = 300; // rows in the page, at most; more are taken away at the far end
const TOP_PX = 8;
const TALLEST = 12_000_000; // px; browsers cannot scroll boxes much taller, so longer lists are scaled

export function createWindow(list) {
  const state = { list, total: Number(list.dataset.total), size: Number(list.dataset.size), start: Number(list.dataset.start) };
  state.top = gap(list, "prepend");
  state.bottom = gap(list, "append");
  state.end = state.start + rowsOf(list).length;
  settle(state);
  return state;
}

function gap(list, where) {
  const element = document.createElement("li");
  element.className = where === "prepend" ? "gap gap--top" : "gap";
  element.setAttribute("aria-hidden", "true");
  list[where](element);
  return element;
}

export const rowsOf = (list) => [...list.querySelectorAll(":scope > .row")];

export const rowAt = (list, position) => list.querySelector(`:scope > .row[data-pos="${position}"]`);

// The start of the rows to fetch next and how they join the window, or null when nothing is missing in sight.
export function missing(state) {
  const view = state.list.getBoundingClientRect();
  if (!view.height) return null;
  const margin = view.height * 1.5;
  const above = state.top.getBoundingClientRect().bottom;
  const below = state.bottom.getBoundingClientRect().top;
  if ((state.start > 0 && above > view.bottom) || (state.end < state.total && below < view.top)) {
    const first = Math.floor(state.list.scrollTop / (state.height * state.scale));
    return { start: startAround(state, first), how: "replace" };
  }
  if (state.end < state.total && below < view.bottom + margin) return { start: state.end, how: "append" };
  if (state.start > 0 && above > view.top - margin) return { start: Math.max(0, state.start - state.size), how: "prepend" };
  return null;
}

export function startAround(state, position) {
  return Math.max(0, Math.min(position - Math.floor(state.size / 4), state.total - state.size));
}

// Puts fetched rows into the window. What a person sees does not move.
export function place(state, fresh, start, how) {
  const end = Math.min(state.total, start + state.size);
  holdStill(state, () => {
    if (how === "replace") {
      renew(state, fresh);
      [state.start, state.end] = [start, end];
    } else if (how === "prepend") {
      cutAfter(fresh, state.start);
      state.list.querySelector(":scope > .day[data-kept]")?.remove();
      drop(fresh, known(state.list));
      state.top.after(fresh);
      state.start = start;
      trimEnd(state);
    } else {
      drop(fresh, known(state.list));
      state.bottom.before(fresh);
      state.end = end;
      trimStart(state);
    }
    settle(state);
  });
}

// But for who is at the very top: there new rows come into sight.
function holdStill(state, change) {
  const { list } = state;
  if (atTop(list)) return change();
  const edge = list.getBoundingClientRect().top;
  const anchor = rowsOf(list).find((row) => row.getBoundingClientRect().bottom > edge);
  const before = anchor?.getBoundingClientRect().top;
  change();
  if (anchor?.isConnected) list.scrollTop += anchor.getBoundingClientRect().top - before;
  return undefined;
}

export const atTop = (list) => list.scrollTop < TOP_PX;

function settle(state) {
  const row = state.list.querySelector(":scope > .row:not(:has(> .row__thread))");
  state.height = row?.offsetHeight || state.height || 68;
  state.scale = Math.min(1, TALLEST / (state.total * state.height || 1));
  state.list.style.setProperty("--gap-row", `${state.height}px`);
  state.top.style.blockSize = `${state.start * state.height * state.scale}px`;
  state.bottom.style.blockSize = `${Math.max(0, state.total - state.end) * state.height * state.scale}px`;
}

export function remeasure(state) {
  holdStill(state, () => settle(state));
}

const OURS = ["aria-current", "aria-expanded", "aria-posinset", "aria-setsize", "data-checked", "data-htmx-powered", "data-pos", "tabindex"];

// Other rows in place of those in the window. What is as it was stays the very same element: focus, what is unfolded and what is
// being dragged stay with it.
function renew({ list, top, bottom }, fresh) {
  const old = new Map([...list.children].filter((child) => child.matches(".row, .day")).map((child) => [keyOf(child), child]));
  const wanted = [...fresh.children].map((item) => {
    const before = old.get(keyOf(item));
    if (!before) return item;
    old.delete(keyOf(item));
    before.removeAttribute("data-kept");
    if (item.dataset.pos) before.dataset.pos = item.dataset.pos;
    return item.matches(".day") || plain(before) === plain(item) ? before : exchange(before, item);
  });
  for (const left of old.values()) left.remove();
  let at = top;
  for (const item of wanted) {
    if (nextOf(at) !== item) (nextOf(at) ?? bottom).before(item);
    at = item;
  }
}

const keyOf = (item) => item.dataset.ref ?? item.textContent;

function nextOf(item) {
  let next = item.nextElementSibling;
  while (next && !next.matches(".row, .day")) next = next.nextElementSibling;
  return next;
}

// A row as the server drew it, without what scripts wrote on it since.
function plain(row) {
  const copy = row.cloneNode(true);
  copy.querySelector(":scope > .row__thread")?.remove();
  for (const element of [copy, ...copy.querySelectorAll("*")]) for (const name of OURS) element.removeAttribute(name);
  return copy.outerHTML.replace(/\s+/g, " ");
}

function exchange(before, item) {
  const focus = before.contains(document.activeElement) && [".box", "[data-thread]", ".row__subj"].find((part) => document.activeElement.matches(part));
  before.replaceWith(item);
  if (focus) item.querySelector(focus)?.focus({ preventScroll: true });
  return item;
}

const known = (list) => new Set(rowsOf(list).map((row) => row.dataset.ref));

// A message that came or went between two fetches shifts the others: none is shown twice.
function drop(fresh, refs) {
  for (const row of fresh.querySelectorAll(".row")) if (refs.has(row.dataset.ref)) row.remove();
}

function cutAfter(fresh, position) {
  for (const row of fresh.querySelectorAll(".row")) if (Number(row.dataset.pos) >= position) row.remove();
  while (fresh.lastElementChild?.matches(".day")) fresh.lastElementChild.remove();
}

// The heading of the first row that stays is kept above it, marked when its day began in rows that went.
function trimStart(state) {
  const rows = rowsOf(state.list);
  if (rows.length <= KEEP) return;
  const first = rows[rows.length - KEEP];
  let day = null;
  let kept = false;
  for (let child = state.top.nextElementSibling; child !== first; child = state.top.nextElementSibling) {
    if (child.matches(".day")) [day, kept] = [child, false];
    else kept = true;
    child.remove();
  }
  state.start = Number(first.dataset.pos);
  day?.toggleAttribute("data-kept", kept);
  if (day) first.before(day);
}

function trimEnd(state) {
  const rows = rowsOf(state.list);
  if (rows.length <= KEEP) return;
  const last = rows[KEEP - 1];
  while (last.nextElementSibling !== state.bottom) last.nextElementSibling.remove();
  state.end = Number(last.dataset.pos) + 1;
}
