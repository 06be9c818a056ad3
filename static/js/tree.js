// The folder tree: branches that were folded stay folded on this computer.
const STORE = "casilla.folded";

export function bind(app) {
  app.addEventListener("click", (event) => {
    const fold = event.target.closest("[data-fold]");
    if (!fold) return;
    event.preventDefault();
    event.stopPropagation();
    toggle(fold.closest("li").dataset.folder);
    apply(app);
  }, true);
  document.addEventListener("htmx:after:swap", () => apply(app));
  apply(app);
}

const read = () => { try { return new Set(JSON.parse(localStorage.getItem(STORE) ?? "[]")); } catch { return new Set(); } };

function toggle(folder) {
  const folded = read();
  folded.has(folder) ? folded.delete(folder) : folded.add(folder);
  try { localStorage.setItem(STORE, JSON.stringify([...folded].slice(-500))); } catch { /* private windows keep nothing */ }
}

function apply(app) {
  const folded = read();
  const hidden = new Set();
  for (const item of app.querySelectorAll("#tree li[data-folder]")) {
    const { folder, parent } = item.dataset;
    const away = parent && (folded.has(parent) || hidden.has(parent)) && app.querySelector(`#tree li[data-folder="${parent}"] [data-fold]`);
    if (away) hidden.add(folder);
    item.toggleAttribute("data-folded", Boolean(away));
    item.querySelector(".tree__item")?.toggleAttribute("data-closed", folded.has(folder));
  }
}
