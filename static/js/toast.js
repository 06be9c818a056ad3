// Toasts: what was just done, with its undo, while a line drains; and what htmx could not do. Their words come from the
// server: a toast is a part of the page, or a <template id="toast-NAME"> of it.
const DEFAULT_S = 10;

export function start() {
  document.addEventListener("htmx:error", () => show("failed"));
}

export function show(name) {
  const template = document.getElementById(`toast-${name}`);
  const place = document.getElementById("toasts");
  if (!template || !place || place.querySelector(`[data-toast="${name}"]`)) return;
  place.append(template.content.cloneNode(true));
  place.lastElementChild.dataset.toast = name;
  bind(place.lastElementChild);
}

// The line drains in the given time; it waits while the toast is pointed at or holds focus.
export function bind(toast) {
  const total = Number(toast.dataset.seconds || DEFAULT_S) * 1000;
  const line = toast.querySelector(".toast__time");
  let left = total;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    if (!toast.matches(":hover, :focus-within")) left -= now - last;
    last = now;
    line?.style.setProperty("--v", String(Math.max(0, (left / total) * 100)));
    if (left > 0 && toast.isConnected) return;
    clearInterval(timer);
    toast.remove();
  }, 100);
  toast.addEventListener("click", (event) => event.target.closest("[data-toast-close]") && toast.remove());
}
