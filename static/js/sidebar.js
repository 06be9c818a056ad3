// Hiding the sidebar of a wide window, remembered on this computer.
import { recall, remember } from "casilla/store";

const STORE = "casilla.sidebar";

export function start() {
  document.addEventListener("click", (event) => {
    const app = event.target.closest("[data-sidebar-toggle]")?.closest(".app");
    if (!app) return;
    remember(STORE, app.dataset.sidebar === "off" ? "on" : "off");
    apply();
    [...app.querySelectorAll("[data-sidebar-toggle]")].find((button) => button.checkVisibility())?.focus();
  });
}

export function apply() {
  const app = document.querySelector(".app");
  if (app) app.dataset.sidebar = recall(STORE, "on");
}
