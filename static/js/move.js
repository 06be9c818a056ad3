// Choosing a folder for messages: the dialog lists the folders of the tree, typing narrows it, Enter takes the first.
// Dragging messages onto the tree asks the same.
import { act, target } from "casilla/act";
import { isAstray } from "casilla/astray";
import { open } from "casilla/dialog";

let refs; // the row or message that was meant when the dialog opened; undefined = the selection
let whole = 0; // how many messages its whole conversation has, when that is meant

export function start() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (!button) return;
    event.preventDefault();
    const letter = button.closest("#reader") && document.querySelector("#reader [data-reader]");
    ask(letter ? [letter.dataset.ref] : undefined, false, Number(button.dataset.whole ?? 0));
  });
  document.addEventListener("dragstart", onDrag);
  for (const name of ["dragover", "dragleave", "drop", "dragend"]) document.addEventListener(name, onDrop);
}

export function bind(dialog) {
  const field = dialog.querySelector("input[type=search]");
  field.addEventListener("input", () => show(dialog, field.value));
  dialog.addEventListener("keydown", (event) => onKey(dialog, event));
  dialog.addEventListener("click", (event) => {
    const item = event.target.closest("[data-folder]");
    if (item) choose(dialog, item);
  });
}

export function ask(only, copying = false, all = 0) {
  const dialog = document.getElementById("move");
  if (!dialog || !target(only)) return false;
  if (isAstray(target(only).one)) return true;
  refs = only ?? (target()?.one ? target().refs : undefined);
  whole = all;
  const field = dialog.querySelector("input[type=search]");
  field.value = "";
  dialog.querySelector("[data-copy-instead]").checked = copying;
  show(dialog, "");
  open("move");
  field.focus();
  return true;
}

function show(dialog, words) {
  const wanted = plain(words);
  const list = dialog.querySelector(".pick");
  const items = [...document.querySelectorAll("#tree li[data-folder]")].filter((item) => item.querySelector("a.tree__item:not([aria-current])"));
  list.replaceChildren(...items.filter((item) => plain(pathOf(item)).includes(wanted)).map(option));
  mark(list, 0);
}

function option(item) {
  const element = document.createElement("li");
  element.role = "option";
  element.dataset.folder = item.dataset.folder;
  element.append(item.querySelector(".tree__item > .i").cloneNode(true), document.createElement("span"));
  element.lastElementChild.textContent = pathOf(item);
  element.lastElementChild.dir = "auto";
  return element;
}

function pathOf(item) {
  const name = item.querySelector(".tree__item > span[dir]").textContent.trim();
  const parent = item.dataset.parent && document.querySelector(`#tree li[data-folder="${CSS.escape(item.dataset.parent)}"]`);
  return parent ? `${pathOf(parent)} / ${name}` : name;
}

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().trim();

function mark(list, index) {
  [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === index)));
  list.children[index]?.scrollIntoView({ block: "nearest" });
}

function onKey(dialog, event) {
  const list = dialog.querySelector(".pick");
  const at = [...list.children].findIndex((item) => item.ariaSelected === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) mark(list, Math.max(0, Math.min(at + step, list.children.length - 1)));
  else if (event.key === "Enter" && event.target.matches("input[type=search]") && list.children[at]) choose(dialog, list.children[at]);
  else return;
  event.preventDefault();
}

function choose(dialog, item) {
  const copying = dialog.querySelector("[data-copy-instead]").checked;
  dialog.close();
  act(copying ? "copy" : "move", { refs, to: item.dataset.folder, whole });
}

function onDrag(event) {
  const row = event.target.closest?.("#list .row");
  if (!row) return;
  refs = row.hasAttribute("data-checked") ? undefined : [row.dataset.ref];
  event.dataTransfer.setData("text/x-casilla", row.dataset.ref);
  event.dataTransfer.effectAllowed = "copyMove";
}

function onDrop(event) {
  const place = event.target.closest?.("#tree li[data-folder] a.tree__item");
  for (const other of document.querySelectorAll("#tree [data-drop]")) if (other !== place || event.type !== "dragover") delete other.dataset.drop;
  if (!place || !event.dataTransfer?.types.includes("text/x-casilla")) return;
  if (event.type !== "dragover" && event.type !== "drop") return;
  event.preventDefault();
  event.dataTransfer.dropEffect = event.ctrlKey || event.altKey ? "copy" : "move";
  if (event.type === "dragover") place.dataset.drop = "";
  else act(event.ctrlKey || event.altKey ? "copy" : "move", { refs, to: place.closest("li").dataset.folder });
}
