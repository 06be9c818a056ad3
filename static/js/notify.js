// New mail told on the desktop, by browser and only after somebody asked for it here. A window that somebody looks at says nothing,
// and keeps the others of this browser from saying it.
import { recall, remember } from "casilla/store";

const STORE = "casilla.notify";
const WAIT_MS = 300;
const seen = new Set();
const channel = new BroadcastChannel("casilla.notify");
channel.addEventListener("message", ({ data }) => seen.add(data));

export function bind(button) {
  if (!("Notification" in window)) return button.remove();
  show(button);
  button.addEventListener("click", async () => {
    if (Notification.permission === "default") await Notification.requestPermission();
    remember(STORE, Notification.permission === "granted" && !(wanted() && "on" in button.dataset));
    show(button);
  });
  return null;
}

const wanted = () => "Notification" in window && Notification.permission === "granted" && recall(STORE, false);

function show(button) {
  const denied = Notification.permission === "denied";
  button.disabled = denied;
  button.toggleAttribute("data-on", wanted());
  button.setAttribute("aria-pressed", String(wanted()));
  button.querySelector("[data-word]").textContent = denied ? button.dataset.denied : wanted() ? button.dataset.stop : button.dataset.start;
}

export async function notify(mark, many, messages) {
  if (document.hasFocus() && !document.hidden) return channel.postMessage(mark);
  if (!wanted()) return null;
  await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  if (seen.has(mark)) return null;
  if (messages.some((message) => message.hidden)) return tell(many, "", mark, null);
  for (const { dataset } of messages) tell(dataset.from, dataset.subject, dataset.ref, dataset.url);
  return null;
}

// The tag is the same in every window: it is told once.
function tell(title, body, tag, url) {
  try {
    const notification = new Notification(title, { body, tag, icon: document.querySelector('link[rel="icon"]')?.href });
    notification.addEventListener("click", () => {
      window.focus();
      if (url) location.assign(url);
      notification.close();
    });
  } catch {
    remember(STORE, false); // a phone's browser allows it to service workers alone
  }
}
