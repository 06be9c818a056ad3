// The sidebar as a drawer in narrow windows: opened by a button, closed by Esc, by its scrim, or by choosing a folder.
export function bind(sidebar) {
  const app = sidebar.closest(".app");
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-drawer-open]")) open(app, sidebar);
    else if (event.target.closest(".scrim") || (app.dataset.drawer !== undefined && event.target.closest("#sidebar a"))) close(app);
    else if (event.target.closest("[data-search-open]")) {
      app.dataset.search = "";
      app.querySelector("#search-box input[type=search]")?.focus();
    }
  });
  sidebar.addEventListener("keydown", (event) => event.key === "Tab" && app.dataset.drawer !== undefined && trap(sidebar, event));
}

function open(app, sidebar) {
  app.dataset.drawer = "";
  const scrim = document.createElement("div");
  scrim.className = "scrim";
  app.append(scrim);
  sidebar.querySelector("a[aria-current], a")?.focus();
}

export function close(app) {
  delete app.dataset.drawer;
  app.querySelector(".scrim")?.remove();
  app.querySelector("[data-drawer-open]")?.focus();
}

function trap(sidebar, event) {
  const items = [...sidebar.querySelectorAll("a, button")].filter((item) => item.checkVisibility());
  const edge = event.shiftKey ? items[0] : items.at(-1);
  if (document.activeElement !== edge) return;
  event.preventDefault();
  (event.shiftKey ? items.at(-1) : items[0])?.focus();
}
