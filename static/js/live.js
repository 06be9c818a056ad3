// What happens to the mailbox elsewhere shows here: an event says what changed, and that is asked for with a plain GET. The words
// at the top say whether that works: live, reconnecting, or asking by itself now and then.
import htmx from "htmx";
import { setUnread } from "casilla/counts";
import { filtered } from "casilla/shown";
import { listen } from "casilla/stream";

const GATHER_MS = 10; // changes that come together are asked for together
const ASK_MS = 60_000; // how often a page asks that hears nothing by itself
const PATIENCE_MS = 4_000; // how long nobody may be watching before the page says so
const WATCHED = new Set(["live", "partly"]);
const PAGE = Array.from(crypto.getRandomValues(new Uint8Array(12)), (octet) => octet.toString(16).padStart(2, "0")).join("");

let live = null;

export function bind(element) {
  live = { element, word: element.querySelector("[data-word]"), ago: element.querySelector("[data-ago]"), state: "", since: Date.now(), heard: 0, due: null, busy: false };
  live.format = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { style: "short", numeric: "always" });
  live.shows = listen(element.dataset.url, current(), onEvent);
  setInterval(tick, 1000);
  setInterval(() => ask(), ASK_MS);
  document.addEventListener("visibilitychange", onSight);
  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => { ctx.request.headers["X-Page"] = PAGE; });
  document.addEventListener("htmx:after:swap", follow);
  window.addEventListener("offline", () => set("off"));
}

const current = () => document.querySelector("#tree a[aria-current]")?.closest("li")?.dataset.folder ?? "";

// The stream is told when another folder is open.
function follow() {
  const folder = current();
  if (folder && folder !== live.folder) live.shows(folder);
  live.folder = folder;
}

function onEvent(type, data) {
  if (type !== "lost") live.heard = Date.now();
  if (type === "state") set(data);
  else if (type === "lost") set(navigator.onLine === false ? "off" : data === "closed" ? "none" : "away");
  else if (type === "change" && !isShown(data)) want(data.folder === "" || data.folder === current());
}

// What this page did itself it shows already, and the event brings the numbers. Not in a list that marks decide (a filter, or
// conversations), and not when the page shows other numbers than there were.
function isShown({ by, folder, was, unread }) {
  if (by !== PAGE || (folder === current() && (filtered() || document.querySelector("#list .row[data-count]")))) return false;
  return setUnread(folder, was, unread, live.element.dataset);
}

// "Nobody watches" is what a page hears for a moment until somebody does.
function set(state) {
  if (state !== live.state) live.since = Date.now();
  live.state = state;
  tick();
}

function tick() {
  const { element, word, ago, state } = live;
  const waiting = !state || ((state === "none" || state === "refused") && Date.now() - live.since < PATIENCE_MS);
  const shown = WATCHED.has(state) ? "live" : waiting ? "wait" : state === "refused" ? "none" : state;
  if (element.dataset.state !== shown) {
    element.dataset.state = shown;
    word.textContent = element.dataset[shown];
    note(shown === "live" || shown === "wait" ? "" : element.dataset[shown]);
    element.title = element.dataset[state === "partly" ? "partlyTitle" : `${shown}Title`] ?? "";
  }
  const seconds = Math.round((Date.now() - live.heard) / 1000);
  const text = shown === "live" && !document.hidden ? ` · ${live.format.format(-seconds, "second")}` : "";
  if (ago.textContent !== text && !document.hidden) ago.textContent = text;
}

// A narrow window has no room for it, and says only what is not as it should be.
function note(text) {
  const note = document.getElementById("live-note");
  note.textContent = text;
  note.hidden = !text;
}

// A page that is not told, or not of all folders, asks: now and then while it is looked at, and when it is looked at again.
function ask() {
  if (!document.hidden && live.state !== "live") want(!WATCHED.has(live.state));
}

function onSight() {
  if (document.hidden) return;
  tick();
  if (live.due?.rows) run();
  else ask();
}

// Asks at once for the tree and for how the open message is.
export function look() {
  if (live) want(false);
}

// The page itself changed something that counts. Where its folder is watched the event comes by itself.
export function recount() {
  if (live && !WATCHED.has(live.state)) want(false);
}

function want(rows) {
  live.due = { rows: rows || Boolean(live.due?.rows) };
  if (!live.busy) live.timer ??= setTimeout(run, GATHER_MS);
}

// One round at a time. Rows that nobody sees wait until somebody does.
async function run() {
  clearTimeout(live.timer);
  live.timer = null;
  if (live.busy || !live.due) return;
  live.busy = true;
  const rows = live.due.rows && !document.hidden;
  live.due = live.due.rows && document.hidden ? { rows: true } : null;
  await Promise.allSettled([rows && readRows(), readPart()]); // the rows first: they are what is looked at
  live.busy = false;
  document.querySelector("#list [data-behaviour~=list]")?.dispatchEvent(new CustomEvent("casilla:rows", { bubbles: true }));
  if (live.due && !(document.hidden && live.due.rows)) want(false);
}

// Each from an element of its own: htmx lets one request of an element wait for another, and drops the third.
function readPart() {
  const query = new URLSearchParams({ current: current(), after: live.mark ?? "" });
  const letter = document.querySelector("#reader [data-reader]:not([data-astray])");
  if (letter) for (const [name, value] of [["open", letter.dataset.ref], ["within", letter.dataset.within], ["id", decodeURIComponent(letter.dataset.id)]]) query.set(name, value);
  if (!document.getElementById("bar-unread")) query.set("filtered", "1"); // a list of what was found says how much that is
  return htmx.ajax("GET", `${live.element.dataset.url}part/?${query}`, { source: "#news", target: "#news", swap: "beforeend" });
}

// What the next part is asked with (see news.js).
export function remember(mark) {
  if (live) live.mark = mark;
}

function readRows() {
  const list = document.querySelector("#list [data-behaviour~=list]");
  if (!list) {
    const shown = document.querySelector(".app")?.dataset.view === "list" && document.querySelector("#list .m-bar");
    return shown && htmx.ajax("GET", location.pathname + location.search, { source: "#list", target: "#list", swap: "innerHTML" });
  }
  const detail = {};
  list.dispatchEvent(new CustomEvent("casilla:reload", { detail }));
  return detail.done;
}
