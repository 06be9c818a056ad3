// Hiding the sidebar of a wide window, remembered on this computer.
const STORE = "casilla.sidebar";

export function bind(body) {
  apply(body);
  body.addEventListener("click", (event) => {
    const app = event.target.closest("[data-sidebar-toggle]")?.closest(".app");
    if (!app) return;
    const off = app.dataset.sidebar !== "off";
    try { localStorage.setItem(STORE, off ? "off" : "on"); } catch { /* private windows keep nothing */ }
    apply(body);
    [...app.querySelectorAll("[data-sidebar-toggle]")].find((button) => button.checkVisibility())?.focus();
  });
}

function apply(body) {
  const app = body.querySelector(".app");
  let kept = "on";
  try { kept = localStorage.getItem(STORE) ?? "on"; } catch { /* private windows keep nothing */ }
  if (app) app.dataset.sidebar = kept;
}
