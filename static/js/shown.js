// What an action does to the rows shows before the server has done it; when the server does not do it, it is put back.
const MARKS = {
  read: (row) => setUnread(row, false),
  unread: (row) => setUnread(row, true),
  star: (row) => setStar(row, true),
  unstar: (row) => setStar(row, false),
};
const LEAVING = new Set(["move", "archive", "junk", "ham", "delete", "purge"]);
const FILTERS = ["unread", "flagged", "attachment", "q"];

// Shows it. Gives how it is put back, and whether that is all there is to be seen of it (`whole`): then the list need not be
// read again.
export function show(name, refs, all = false) {
  const rows = refs.map((ref) => document.querySelector(`#list .row[data-ref="${CSS.escape(ref)}"]`)).filter(Boolean);
  const state = refs.includes(document.querySelector("#reader [data-reader]")?.dataset.ref) ? document.querySelector("#letter-state") : null;
  const backs = MARKS[name] ? rows.map(MARKS[name]) : LEAVING.has(name) ? rows.map(leave) : [];
  if (state && MARKS[name]) backs.push(setState(state, name));
  const letter = LEAVING.has(name) && document.querySelector("#reader [data-reader]");
  if (letter && (all || refs.some((ref) => ref.replace("*", "") === letter.dataset.ref))) backs.push(leave(letter));
  return { back: () => backs.forEach((back) => back()), whole: Boolean(MARKS[name]) && refs.every((ref) => !ref.endsWith("*")) && !filtered() };
}

export function filtered() {
  const url = document.querySelector("#list [data-behaviour~=list]")?.dataset.url;
  const params = url ? new URL(url, location.href).searchParams : new URLSearchParams();
  return FILTERS.some((name) => params.has(name));
}

function leave(row) {
  row.dataset.leaving = "";
  return () => delete row.dataset.leaving;
}

function setUnread(row, on) {
  const was = row.hasAttribute("data-unread");
  const words = row.querySelector(":scope > .row__subj > .sr");
  row.toggleAttribute("data-unread", on);
  if (!on) words?.remove();
  return () => {
    row.toggleAttribute("data-unread", was);
    if (was && words) row.querySelector(":scope > .row__subj").prepend(words);
  };
}

function setStar(row, on) {
  const place = row.querySelector(":scope > .row__flags");
  const shown = place.querySelector(":scope > .star");
  if (on && !shown) place.append(starIcon(row));
  if (!on) shown?.remove();
  return () => {
    place.querySelector(":scope > .star")?.remove();
    if (shown) place.append(shown);
  };
}

// Any icon of the row, with another drawing of the same sprite.
function starIcon(row) {
  const icon = row.querySelector("svg.i").cloneNode(true);
  const use = icon.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*$/, "#star"));
  icon.setAttribute("class", "i i--sm star");
  return icon;
}

function setState(state, name) {
  const mark = name.endsWith("star") ? "data-flagged" : "data-seen";
  const was = state.hasAttribute(mark);
  state.toggleAttribute(mark, name === "star" || name === "read");
  return () => state.isConnected && state.toggleAttribute(mark, was);
}
