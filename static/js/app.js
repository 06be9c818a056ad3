// Binds behaviours to the elements that name them, now and after every swap. A behaviour is a function of one element,
// called once for it.
import "htmx";
import * as list from "casilla/list";
import * as reader from "casilla/reader";
import * as keys from "casilla/keys";
import * as tree from "casilla/tree";
import * as drawer from "casilla/drawer";
import * as menu from "casilla/menu";
import * as dialog from "casilla/dialog";
import * as frame from "casilla/frame";
import * as sidebar from "casilla/sidebar";

const BEHAVIOURS = { list, reader, tree, drawer, menu, dialog, frame, preview: dialog };
const bound = new WeakMap();

export function bind(root) {
  for (const element of [root, ...root.querySelectorAll("[data-behaviour]")]) {
    for (const name of (element.dataset?.behaviour ?? "").split(" ").filter(Boolean)) {
      const names = bound.get(element) ?? new Set();
      if (names.has(name) || !BEHAVIOURS[name]) continue;
      bound.set(element, names.add(name));
      (name === "preview" ? dialog.bindPreview : BEHAVIOURS[name].bind)(element);
    }
  }
}

bind(document.body);
sidebar.bind(document.body);
keys.bind(document);
document.addEventListener("htmx:after:swap", () => bind(document.body));
