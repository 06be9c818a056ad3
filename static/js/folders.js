// Managing folders: the menu of a folder (its button, a right click, the menu key or Shift+F10), the dialog that it opens,
// and what the page does when the server has done it.
import htmx from "htmx";
import { show as showToast } from "casilla/toast";

const WORKING_MS = 1000;
let released = Promise.resolve(); // a menu that opens while the button is down would be dismissed when it goes up
let wanted; // the line of the tree whose menu is to open
let stopping = false;

export function bind(element) {
  if (element.matches("nav")) bindTree(element);
  else if (element.matches("dialog")) bindDialog(element);
  else if (element.matches("form")) goOn(element);
  else if ("folderDone" in element.dataset) settle(element);
  else bindMenu(element);
}

function bindTree(sidebar) {
  sidebar.addEventListener("pointerdown", () => {
    released = new Promise((resolve) => {
      for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => setTimeout(resolve), { once: true });
    });
  });
  sidebar.addEventListener("click", (event) => {
    const link = event.target.closest("[data-folder-menu], .tree__add");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.stopPropagation(); // the drawer stays open
    if (link.matches(".tree__add")) return;
    event.preventDefault();
    openMenu(link.closest("li"));
  });
  sidebar.addEventListener("contextmenu", (event) => {
    const item = event.target.closest("#tree li[data-folder]");
    if (!item || event.shiftKey) return;
    event.preventDefault();
    openMenu(item, event.button === 2 ? { x: event.clientX, y: event.clientY } : undefined);
  });
  sidebar.addEventListener("keydown", (event) => {
    const item = event.target.closest("#tree li[data-folder]");
    if (!item || !(event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey))) return;
    event.preventDefault();
    openMenu(item);
  });
}

// The tree may be drawn anew while the menu is fetched; of two that are asked for, the later opens.
async function openMenu(item, point) {
  const menu = document.getElementById("folder-menu");
  const { folder } = item.dataset;
  const opener = item.querySelector("[data-folder-menu]");
  const at = point ?? cornerOf(opener);
  if (!item.contains(document.activeElement)) (item.querySelector("a.tree__item") ?? opener).focus({ preventScroll: true });
  wanted = item;
  menu.replaceChildren();
  await Promise.all([htmx.ajax("GET", opener.href, { target: menu, swap: "innerHTML" }), released]);
  if (wanted !== item || !menu.childElementCount) return;
  if (!menu.matches(":popover-open")) menu.showPopover();
  itemOf(folder)?.querySelector("[data-folder-menu]").setAttribute("aria-expanded", "true");
  place(menu, at);
}

const itemOf = (folder) => document.querySelector(`#tree li[data-folder="${CSS.escape(folder)}"]`);

function cornerOf(opener) {
  const box = opener.getBoundingClientRect();
  return { x: document.dir === "rtl" ? box.right : box.left, y: box.bottom + 4, flip: box.top - 4 };
}

function place(menu, { x, y, flip = y }) {
  const left = document.dir === "rtl" ? x - menu.offsetWidth : x;
  const top = y + menu.offsetHeight + 8 <= innerHeight ? y : flip - menu.offsetHeight;
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - menu.offsetWidth - 8))}px`;
  menu.style.top = `${Math.max(8, Math.min(top, innerHeight - menu.offsetHeight - 8))}px`;
}

// What takes over a second says that it goes on.
function bindMenu(menu) {
  let timer;
  menu.addEventListener("htmx:before:request", (event) => {
    if (event.detail.ctx.target?.id === "toasts") timer = setTimeout(() => showToast("working"), WORKING_MS);
  });
  menu.addEventListener("htmx:finally:request", () => {
    clearTimeout(timer);
    document.querySelector("#toasts [data-toast=working]")?.remove();
  });
  menu.addEventListener("toggle", (event) => {
    if (event.newState === "closed") document.querySelector("#tree [data-folder-menu][aria-expanded]")?.removeAttribute("aria-expanded");
  });
}

function bindDialog(dialog) {
  document.addEventListener("htmx:after:swap", (event) => event.detail.ctx.target === dialog && showDialog(dialog));
  dialog.addEventListener("click", (event) => {
    if (!event.target.closest("[data-dialog-close]")) return;
    event.preventDefault();
    dialog.close();
  });
  for (const [name, busy] of [["htmx:before:request", true], ["htmx:finally:request", false]]) {
    dialog.addEventListener(name, () => {
      for (const button of dialog.querySelectorAll("button")) {
        button.disabled = busy;
        button.toggleAttribute("data-busy", busy);
      }
    });
  }
}

function showDialog(dialog) {
  if (!dialog.open) dialog.showModal();
  const field = dialog.querySelector("[aria-invalid], [autofocus]");
  field?.focus();
  if (field?.matches("input")) field.select();
}

// The server has done it: the dialog closes, other toasts go, focus is on the folder of which it told.
function settle(marker) {
  const toast = marker.previousElementSibling;
  const item = itemOf(marker.dataset.folderDone);
  if ("moved" in marker.dataset) document.querySelector(".app").dataset.view = "list";
  for (const other of document.querySelectorAll("#toasts .toast")) if (other !== toast) other.remove();
  marker.remove();
  document.getElementById("folder-dialog")?.close();
  stopping = false;
  if (document.activeElement !== document.body && !document.activeElement?.closest("dialog")) return;
  const link = [item?.querySelector("a.tree__item"), document.querySelector("#tree a[aria-current]")].find((one) => one?.checkVisibility());
  link?.focus();
}

// Emptying goes on step by step, each asked for by the toast that tells of the one before.
function goOn(form) {
  document.getElementById("folder-dialog")?.close();
  form.querySelector("[data-stop]").addEventListener("click", () => { stopping = true; });
  if (stopping) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "stop", value: "1" });
    form.append(field);
  }
  setTimeout(() => form.requestSubmit());
}
