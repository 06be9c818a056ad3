// Binds behaviours to the elements that name them in data-behaviour, now and after every swap. A behaviour is a function
// of one element, called once for it; what listens to the whole document starts once, here.
import "htmx";
import * as act from "casilla/act";
import * as ago from "casilla/ago";
import * as ahead from "casilla/ahead";
import * as arrived from "casilla/arrived";
import * as ask from "casilla/ask";
import * as astray from "casilla/astray";
import * as bring from "casilla/bring";
import * as compose from "casilla/compose";
import * as copy from "casilla/copy";
import * as dialog from "casilla/dialog";
import * as drawer from "casilla/drawer";
import * as files from "casilla/files";
import * as folders from "casilla/folders";
import * as frame from "casilla/frame";
import * as keys from "casilla/keys";
import * as lines from "casilla/lines";
import * as list from "casilla/list";
import * as live from "casilla/live";
import * as menu from "casilla/menu";
import * as move from "casilla/move";
import * as news from "casilla/news";
import * as notify from "casilla/notify";
import * as picks from "casilla/picks";
import * as preview from "casilla/preview";
import * as print from "casilla/print";
import * as reader from "casilla/reader";
import * as recipients from "casilla/recipients";
import * as redirect from "casilla/redirect";
import * as reveal from "casilla/reveal";
import * as search from "casilla/search";
import * as select from "casilla/select";
import * as sent from "casilla/sent";
import * as sidebar from "casilla/sidebar";
import * as slider from "casilla/slider";
import * as sort from "casilla/sort";
import * as swipe from "casilla/swipe";
import * as tabs from "casilla/tabs";
import * as tagged from "casilla/tagged";
import * as theme from "casilla/theme";
import * as thread from "casilla/thread";
import * as time from "casilla/time";
import * as toast from "casilla/toast";
import * as tree from "casilla/tree";
import * as wide from "casilla/wide";

const chart = { bind: async (element) => (await import("casilla/chart")).bind(element) }; // its library comes with the first chart
const BEHAVIOURS = { ago, arrived, ask, astray, bring, changed: act, chart, compose, copy, dialog, drawer, folders, frame, lines, list, live, menu, move, news, notify, picks, preview, print, reader, recipients, redirect, reopen: compose.reopen, reveal, search, select, sent, slider, sort, swipe, tagged, theme, toast, tree };
const bound = new WeakMap();

export function bind(root) {
  for (const element of root.querySelectorAll("[data-behaviour]")) {
    const names = bound.get(element) ?? new Set();
    bound.set(element, names);
    for (const name of element.dataset.behaviour.split(/\s+/)) {
      if (names.has(name) || !BEHAVIOURS[name]) continue;
      names.add(name);
      BEHAVIOURS[name].bind(element);
    }
  }
  sidebar.apply();
}

for (const module of [act, ahead, compose, drawer, dialog, files, keys, move, news, preview, reader, sent, sidebar, tabs, thread, time, toast, tree, wide]) module.start();
bind(document);
document.querySelector("main [aria-invalid=true]")?.focus(); // a page that came back with errors begins at the first
document.documentElement.dataset.started = ""; // who waits for the page may go on
document.addEventListener("htmx:after:swap", () => bind(document));

// The session ended under an open page: the whole page leads to signing in, not its part.
document.addEventListener("htmx:before:response", (event) => {
  const { redirected, url, status } = event.detail.ctx.response.raw;
  const login = document.querySelector('meta[name="casilla-login"]')?.content;
  const signedOut = redirected && login && new URL(url).pathname === login;
  if (!signedOut && status !== 403) return; // 403: the page's token is of a session that has ended
  event.preventDefault();
  location.reload();
});

// What waits for the server says so: assistive technology hears it, the eye sees it after a moment.
for (const [name, busy] of [["htmx:before:request", true], ["htmx:finally:request", false]]) {
  document.addEventListener(name, ({ detail }) => {
    const target = detail.ctx.target;
    if (!target?.setAttribute || target === document.body) return;
    if (busy) target.setAttribute("aria-busy", "true");
    else target.removeAttribute("aria-busy");
  });
}
