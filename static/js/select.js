// Which messages of the list are selected: rows by their refs, also those that are out of the page, or all of the list but
// some. The state belongs to one list and goes with it.
const states = new WeakMap();

const listOf = () => document.querySelector("#list [data-behaviour~=select]");

export function bind(list) {
  states.set(list, { refs: new Set(), all: false, except: new Set(), anchor: null });
  list.addEventListener("change", (event) => event.target.matches(".row .box") && toggle(list, event.target.closest(".row")));
  list.addEventListener("click", (event) => onClick(list, event), true);
  list.addEventListener("casilla:rows", () => show(list));
  const pane = list.closest(".pane");
  pane.querySelector("[data-select-all]")?.addEventListener("change", () => (isSelecting() ? clear() : selectAll()));
  pane.querySelector("[data-select-none]")?.addEventListener("click", () => clear());
  show(list);
}

export const isSelecting = () => Boolean(selection());

// What is selected: {refs} or {all, except, count}, null when nothing is.
export function selection() {
  const list = listOf();
  const state = list && states.get(list);
  if (!state || !(state.all || state.refs.size)) return null;
  const count = state.all ? Number(list.dataset.total) - state.except.size : state.refs.size;
  return { refs: [...state.refs], all: state.all, except: [...state.except], count };
}

// Shift takes all from the last one to this, Ctrl this one beside the others; a plain click opens the message.
function onClick(list, event) {
  const row = event.target.closest(".row");
  if (!row || event.target.closest(".row__act") || !(event.shiftKey || event.ctrlKey || event.metaKey)) return;
  if (event.target.matches(".box") && !event.shiftKey) return;
  event.preventDefault();
  event.stopPropagation();
  if (event.shiftKey) extendTo(row);
  else toggle(list, row);
}

export function toggle(list, row) {
  const state = states.get(list);
  const kept = state.all ? state.except : state.refs;
  if (!kept.delete(row.dataset.ref)) kept.add(row.dataset.ref);
  if (state.all && state.except.size >= Number(list.dataset.total)) return clear();
  state.anchor = row.dataset.ref;
  show(list);
}

// Selects from the last touched row to this one; the rows between that are not in the page stay as they are.
export function extendTo(row) {
  const list = listOf();
  const state = states.get(list);
  const rows = [...list.querySelectorAll(".row")];
  const from = rows.findIndex((item) => item.dataset.ref === state.anchor);
  const to = rows.indexOf(row);
  const [first, last] = from < 0 ? [to, to] : [Math.min(from, to), Math.max(from, to)];
  for (const item of rows.slice(first, last + 1)) {
    if (state.all) state.except.delete(item.dataset.ref);
    else state.refs.add(item.dataset.ref);
  }
  if (from < 0) state.anchor = row.dataset.ref;
  show(list);
}

export function anchorAt(row) {
  const state = states.get(listOf());
  if (state && !state.anchor && row) {
    state.anchor = row.dataset.ref;
    state.refs.add(row.dataset.ref);
  }
}

export function selectAll() {
  const list = listOf();
  Object.assign(states.get(list), { refs: new Set(), all: true, except: new Set() });
  show(list);
}

// True when something was selected.
export function clear() {
  const list = listOf();
  if (!isSelecting()) return false;
  Object.assign(states.get(list), { refs: new Set(), all: false, except: new Set(), anchor: null });
  show(list);
  return true;
}

function show(list) {
  const state = states.get(list);
  for (const row of list.querySelectorAll(".row")) {
    const on = state.all ? !state.except.has(row.dataset.ref) : state.refs.has(row.dataset.ref);
    row.toggleAttribute("data-checked", on);
    const box = row.querySelector(".box");
    if (box) box.checked = on;
  }
  const chosen = selection();
  const pane = list.closest(".pane");
  pane.toggleAttribute("data-selecting", Boolean(chosen));
  const words = pane.querySelector("[data-selected]");
  if (words) words.textContent = chosen ? (chosen.count === 1 ? words.dataset.one : words.dataset.many.replace("#", chosen.count.toLocaleString(document.documentElement.lang))) : "";
  const all = pane.querySelector("[data-select-all]");
  if (!all) return;
  all.checked = Boolean(state.all && !state.except.size);
  all.indeterminate = Boolean(chosen) && !all.checked;
}
