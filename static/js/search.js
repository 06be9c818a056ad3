// A search in the text of messages goes on as long as this line stands there: the server searches for about a second and says how
// far it is, then it is asked for more. Stop, another search or leaving the page: nobody asks, and nothing more is searched.
import htmx from "htmx";

export function bind(line) {
  const state = { line, abort: null };
  line.addEventListener("click", (event) => {
    if (event.target.closest("[data-search-stop]")) stop(state);
    else if (event.target.closest("[data-search-on]")) start(state, event);
  });
  if (line.hasAttribute("data-more")) start(state);
}

function start(state, event) {
  event?.preventDefault();
  if (!state.abort) run(state, (state.abort = new AbortController()));
}

function stop(state) {
  state.abort?.abort();
  state.abort = null;
  show(state.line, false);
}

async function run(state, { signal }) {
  const { line } = state;
  let lost = false;
  show(line, true);
  while (!signal.aborted && line.isConnected) {
    const next = await more(line, signal).catch(() => null);
    if (signal.aborted || !line.isConnected) return;
    lost = !next;
    if (lost || !take(line, next)) break;
    show(line, true);
  }
  state.abort = null;
  show(line, false, lost);
}

async function more(line, signal) {
  const response = await fetch(line.dataset.url, { signal, headers: { "X-Requested-With": "fetch" } });
  if (response.redirected) location.reload(); // the session ended: the page leads to signing in
  if (!response.ok || response.redirected) throw new Error("no answer");
  const holder = document.createElement("template");
  holder.innerHTML = await response.text();
  return holder.content.querySelector(".search-line");
}

// Whether there is more to search. New hits come into the list where it is; a list that has no rows yet, or found none, is drawn
// anew.
function take(line, next) {
  const found = Number(next.dataset.found) !== Number(line.dataset.found);
  const going = next.hasAttribute("data-more");
  line.dataset.found = next.dataset.found;
  draw(line, next, going);
  const list = line.parentElement.querySelector("[data-behaviour~=list]");
  if (list && found) list.dispatchEvent(new CustomEvent("casilla:reload", { detail: {} }));
  if (!list && (found || !line.querySelector("[data-search-on]"))) {
    htmx.ajax("GET", location.pathname + location.search, { source: "#list", target: "#list", swap: "innerHTML" });
    return false;
  }
  return going;
}

// While it goes on, the buttons stay the ones that somebody may be just pressing.
function draw(line, next, going) {
  if (going) {
    line.querySelector("[data-words]").replaceWith(next.querySelector("[data-words]"));
    line.querySelector("progress").value = next.querySelector("progress").value;
    return;
  }
  const focused = line.contains(document.activeElement);
  line.replaceChildren(...next.childNodes);
  line.tabIndex = -1;
  if (focused) line.focus({ preventScroll: true });
}

function show(line, going, lost = false) {
  line.toggleAttribute("data-going", going);
  for (const [name, on] of [["stop", going], ["on", !going], ["lost", lost]]) {
    const part = line.querySelector(`[data-search-${name}]`);
    if (part) part.hidden = !on;
  }
}
