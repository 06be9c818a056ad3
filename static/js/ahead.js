// Messages that are likely to be opened next are made ready by the server while nobody does anything: the one after the open
// message, and the newest that is unread. It marks nothing, and nothing of it comes to the browser.
const PAUSE_MS = 400;
const LIMIT = 200;
const asked = new Set();
let timer = 0;

export function start() {
  document.addEventListener("htmx:after:swap", plan);
  document.addEventListener("casilla:rows", plan);
  plan();
}

function plan() {
  clearTimeout(timer);
  timer = setTimeout(() => (window.requestIdleCallback ?? setTimeout)(run), PAUSE_MS);
}

function run() {
  if (document.hidden || navigator.connection?.saveData) return;
  const after = document.querySelector("#reader [data-after]");
  const unread = document.querySelector("#list .row[data-unread]:not([data-count]) > .row__subj");
  for (const link of [after, unread]) if (link) ask(new URL(link.href));
}

function ask(url) {
  const ahead = `${url.pathname}ahead/`;
  if (!url.pathname.includes("/m/") || asked.has(ahead)) return;
  if (asked.size >= LIMIT) asked.clear();
  asked.add(ahead);
  fetch(ahead, { priority: "low", headers: { "X-Requested-With": "fetch" } }).catch(() => asked.delete(ahead));
}
