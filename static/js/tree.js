// The folder tree: branches that were folded stay folded on this computer, and arrows fold and unfold.
import { recall, remember } from "casilla/store";

const STORE = "casilla.folds"; // {folder: folded}; a branch that nobody touched is as its data-fold says
const MOST = 500;

export function start() {
  document.addEventListener("click", onClick, true);
  document.addEventListener("keydown", onKey);
  document.addEventListener("htmx:after:swap", () => document.querySelectorAll("[data-behaviour~=tree]").forEach(apply));
}

export const bind = (app) => apply(app);

function onClick(event) {
  const fold = event.target.closest?.("[data-fold]");
  if (!fold) return;
  event.preventDefault();
  event.stopPropagation();
  toggle(fold.closest("li"));
}

// Left folds or goes to the folder above, right unfolds; up and down walk the folders that are shown.
function onKey(event) {
  const link = event.target.closest?.("#tree .tree__item");
  if (!link || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const shown = [...document.querySelectorAll("#tree a.tree__item")].filter((item) => item.checkVisibility());
    shown[shown.indexOf(link) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
  } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
    const item = link.closest("li");
    const folded = link.hasAttribute("data-closed");
    if (link.querySelector("[data-fold]") && folded === (event.key === "ArrowRight")) toggle(item);
    else if (event.key === "ArrowLeft" && item.dataset.parent) itemOf(item.dataset.parent)?.querySelector("a")?.focus();
  } else return;
  event.preventDefault();
}

const itemOf = (folder) => document.querySelector(`#tree li[data-folder="${CSS.escape(folder)}"]`);

function toggle(item) {
  const folded = item.querySelector(".tree__item").hasAttribute("data-closed");
  const kept = Object.entries(recall(STORE, {})).filter(([folder]) => folder !== item.dataset.folder);
  remember(STORE, Object.fromEntries([...kept, [item.dataset.folder, !folded]].slice(-MOST)));
  apply(document);
}

function apply(root) {
  const choices = recall(STORE, {});
  const open = above(root.querySelector("#tree a[aria-current]")?.closest("li"));
  const folded = new Set();
  const away = new Set();
  for (const item of root.querySelectorAll("#tree li[data-folder]")) {
    const { folder, parent } = item.dataset;
    const hidden = Boolean(parent) && (away.has(parent) || folded.has(parent));
    if (hidden) away.add(folder);
    item.toggleAttribute("data-folded", hidden);
    const link = item.querySelector(".tree__item");
    const fold = item.querySelector("[data-fold]");
    if (fold && (choices[folder] ?? (fold.dataset.fold === "closed" && !open.has(folder)))) folded.add(folder);
    link?.toggleAttribute("data-closed", Boolean(fold) && folded.has(folder));
    if (fold) link.setAttribute("aria-expanded", String(!folded.has(folder)));
  }
}

// The folders above one, by id: nobody should look for the folder that is open.
function above(item) {
  const found = new Set();
  for (let at = item; at?.dataset.parent && !found.has(at.dataset.parent); at = itemOf(at.dataset.parent)) found.add(at.dataset.parent);
  return found;
}
