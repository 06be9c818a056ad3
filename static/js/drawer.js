// The sidebar as a drawer in narrow windows, and the search field that opens over the list there.
const current = () => document.querySelector(".app[data-drawer]");

export function start() {
  document.addEventListener("click", (event) => {
    const app = document.querySelector(".app");
    if (event.target.closest("[data-drawer-open]")) open(app);
    else if (event.target.closest(".scrim") || event.target.closest("#sidebar a, [data-drawer-close]")) close();
    else if (event.target.closest("[data-search-open]")) {
      app.dataset.search = "";
      app.querySelector("#search-box input[type=search]")?.focus();
    }
  });
  matchMedia("(width < 48rem)").addEventListener("change", () => close());
}

export function bind(sidebar) {
  sidebar.addEventListener("keydown", (event) => event.key === "Tab" && current() && trap(sidebar, event));
}

function open(app) {
  if (current()) return;
  app.dataset.drawer = "";
  const scrim = document.createElement("div");
  scrim.className = "scrim";
  app.append(scrim);
  app.querySelector(".main").inert = true;
  (app.querySelector("#sidebar a[aria-current]") ?? app.querySelector("#sidebar a, #sidebar button"))?.focus();
}

// True when a drawer was open.
export function close() {
  const app = current();
  if (!app) return false;
  delete app.dataset.drawer;
  app.querySelector(".scrim")?.remove();
  app.querySelector(".main").inert = false;
  [...app.querySelectorAll("[data-drawer-open]")].find((button) => button.checkVisibility())?.focus();
  return true;
}

function trap(sidebar, event) {
  const items = [...sidebar.querySelectorAll("a, button")].filter((item) => item.tabIndex >= 0 && item.checkVisibility());
  const [edge, other] = event.shiftKey ? [items[0], items.at(-1)] : [items.at(-1), items[0]];
  if (document.activeElement !== edge) return;
  event.preventDefault();
  other.focus();
}
