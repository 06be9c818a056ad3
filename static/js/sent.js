// After a message was sent, and once it may have gone out, the list of drafts or sent mail and the outbox are read again. A
// composer in a window of its own tells the others and closes with its last words.
import htmx from "htmx";

const AFTER_S = [2, 5, 12, 30];
const channel = new BroadcastChannel("casilla.sent");

export function start() {
  channel.addEventListener("message", (event) => readAgain(Number(event.data)));
}

export function bind(toast) {
  const seconds = Number(toast.dataset.seconds || 0);
  if (document.getElementById("composers")) return readAgain(seconds);
  channel.postMessage(seconds);
  if (toast.closest("#toasts")) leaveWith(toast);
}

function readAgain(seconds) {
  read(true);
  for (const after of AFTER_S) setTimeout(() => read(false), (seconds + after) * 1000);
}

function read(first) {
  const tree = document.getElementById("tree");
  if (!tree || !(first || tree.querySelector("[data-outbox]"))) return; // nothing is on its way any more
  const current = tree.querySelector("a[aria-current]")?.closest("li")?.dataset.folder ?? "";
  htmx.ajax("GET", `${tree.dataset.url}?current=${current}`, { target: tree, swap: "innerHTML" });
  const list = document.querySelector("#list [data-behaviour~=list]");
  if (/[?&]role=(drafts|sent)\b/.test(list?.dataset.url ?? "")) list.dispatchEvent(new CustomEvent("casilla:reload", { detail: {} }));
}

// The window goes when its toast does, unless the message was taken back.
function leaveWith(toast) {
  let kept = false;
  toast.addEventListener("submit", () => { kept = true; });
  new MutationObserver((_changes, observer) => {
    if (toast.isConnected) return;
    observer.disconnect();
    if (kept) return;
    if (window.opener) window.close();
    else location.href = document.querySelector(".crumb a")?.href ?? "/";
  }).observe(toast.parentElement, { childList: true });
}
