// Rows that stand for a conversation: their number, and the right arrow, show the other messages below them.
import htmx from "htmx";

const open = new Set(); // rows that are unfolded, by ref: they stay so when the list is read again
const written = new WeakMap(); // what stands below them, as the server wrote it

export function start() {
  document.addEventListener("click", onClick, true);
  document.addEventListener("keydown", onKey, true); // before the keys that walk the list
  document.addEventListener("casilla:rows", reopen);
}

function onClick(event) {
  const link = event.target.closest?.("#list .row [data-thread]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  event.stopPropagation();
  fold(link.closest(".row"));
}

// Right unfolds, left folds and goes back to the row; up and down walk through what is unfolded.
function onKey(event) {
  const row = event.target.closest?.("#list .row");
  if (!row || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
  const head = row.parentElement.closest(".row") ?? row;
  const [more, less] = document.dir === "rtl" ? ["ArrowLeft", "ArrowRight"] : ["ArrowRight", "ArrowLeft"];
  const unfolded = Boolean(listOf(head));
  if (event.key === more && head.dataset.count && !unfolded) fold(head);
  else if (event.key === less && unfolded) {
    fold(head);
    head.querySelector(".row__subj").focus({ preventScroll: true });
  } else if (!unfolded || !walk(head, row, { ArrowDown: 1, ArrowUp: -1 }[event.key])) return;
  event.preventDefault();
}

function walk(head, row, by) {
  const rows = [head, ...head.querySelectorAll(".row")];
  const next = by && rows[rows.indexOf(row) + by];
  next?.querySelector(".row__subj").focus();
  return Boolean(next);
}

const listOf = (row) => row.querySelector(":scope > .row__thread");

async function fold(row) {
  const link = row.querySelector("[data-thread]");
  const shown = listOf(row);
  link.setAttribute("aria-expanded", String(!shown));
  if (shown) {
    open.delete(row.dataset.ref);
    return shown.remove();
  }
  open.add(row.dataset.ref);
  const list = document.createElement("ol");
  list.className = "row__thread";
  list.setAttribute("aria-busy", "true");
  row.append(list);
  const response = await fetch(link.dataset.thread, { headers: { "X-Requested-With": "fetch" } }).catch(() => null);
  if (!list.isConnected) return;
  list.removeAttribute("aria-busy");
  if (!response?.ok || response.redirected) return fold(row); // folds it again: nothing is shown that is not so
  fill(row, list, await response.text());
}

function fill(row, list, html) {
  if (written.get(list) === html) return;
  written.set(list, html);
  const focused = document.activeElement.closest?.(".row")?.dataset.ref;
  const inside = list.contains(document.activeElement);
  list.innerHTML = html;
  htmx.process(list);
  if (inside) (list.querySelector(`.row[data-ref="${CSS.escape(focused)}"]`) ?? row).querySelector(".row__subj").focus({ preventScroll: true });
  row.dispatchEvent(new CustomEvent("casilla:rows", { bubbles: true }));
}

// After rows came, those that were unfolded are so again; after the list was read again, what is below them is too.
function reopen(event) {
  for (const row of document.querySelectorAll("#list .row[data-count]")) {
    if (!open.has(row.dataset.ref)) continue;
    if (!listOf(row)) fold(row);
    else if (event.detail?.again) refresh(row);
  }
}

async function refresh(row) {
  const response = await fetch(row.querySelector("[data-thread]").dataset.thread, { headers: { "X-Requested-With": "fetch" } }).catch(() => null);
  const list = listOf(row);
  if (list && response?.ok && !response.redirected) fill(row, list, await response.text());
}
