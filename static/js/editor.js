// The editor of a composer: with format (Squire, everything cleaned by DOMPurify) or plain; the two fields that the server
// gets follow it.
import { linkOf } from "casilla/links";

const KEPT_STYLES = ["color", "background-color", "font-weight", "font-style", "font-family", "text-decoration", "text-align"];
const CLEANING = { RETURN_DOM_FRAGMENT: true, FORBID_ATTR: ["class", "id", "background", "srcset"], FORBID_TAGS: ["style", "form", "input", "button", "svg", "math", "iframe", "picture", "source"], ALLOW_DATA_ATTR: false };
const ELSEWHERE = "/img/elsewhere.svg#"; // stands for a picture from elsewhere, whose address follows
let own = /^$/; // addresses of pictures that the composer which is being cleaned may show

// `state`: form, and editor once there is one; `changed` is called when a person wrote.
export async function setUpEditor(state, changed) {
  state.changed = changed;
  const plain = state.form.elements.plain.value === "1";
  showMode(state.form, plain);
  if (!plain) await makeRich(state);
}

async function makeRich(state) {
  const { form } = state;
  const root = form.querySelector(".compose__rich");
  const [{ default: Squire }, { default: DOMPurify }] = await Promise.all([import("squire"), import("dompurify")]);
  state.editor ??= new Squire(root, { blockTag: "P", sanitizeToDOMFragment: (html) => clean(DOMPurify, form, html) });
  const html = form.querySelector("[data-html]");
  state.editor.setHTML(html.value || paragraphs(form.elements.text.value));
  if (!state.listening) {
    state.listening = true;
    state.editor.addEventListener("input", () => keep(state));
    state.editor.addEventListener("pathChange", () => showFormat(state));
  }
  state.editor.moveCursorToStart();
  html.value = state.editor.getHTML();
  form.elements.text.value = plainOf(root);
  tellElsewhere(form);
}

// Pictures from elsewhere are not loaded while one writes: who writes is told.
function tellElsewhere(form) {
  form.querySelector("[data-elsewhere-note]").hidden = !form.querySelector(`.compose__rich img[src*="${ELSEWHERE}"]`);
}

// What the editor holds, into the fields.
export function keep(state) {
  const { form, editor } = state;
  form.querySelector("[data-html]").value = editor.getHTML();
  tellElsewhere(form);
  if (form.elements.plain.value === "1") return; // the plain field is in charge
  form.elements.text.value = plainOf(form.querySelector(".compose__rich"));
  state.changed();
}

function clean(DOMPurify, form, html) {
  own = new RegExp(`^(${form.dataset.files}[0-9]+/image/|${form.dataset.elsewhere}#https?%3A%2F%2F[^/?#]+)$`);
  DOMPurify.removeAllHooks();
  DOMPurify.addHook("uponSanitizeAttribute", (element, data) => {
    if (data.attrName === "style") data.attrValue = modest(data.attrValue);
  });
  DOMPurify.addHook("afterSanitizeAttributes", (element) => {
    if (element.localName === "img" && !own.test(element.getAttribute("src") ?? "")) element.replaceWith(element.getAttribute("alt") ?? "");
  });
  return document.importNode(DOMPurify.sanitize(html, CLEANING), true);
}

function paragraphs(text) {
  const holder = document.createElement("div");
  for (const line of text.split("\n")) {
    const p = document.createElement("p");
    p.textContent = line;
    if (!line) p.append(document.createElement("br"));
    holder.append(p);
  }
  return holder.innerHTML;
}

// Of a pasted style only what changes how letters look.
function modest(style) {
  const probe = document.createElement("span");
  probe.style.cssText = style;
  return KEPT_STYLES.map((name) => [name, probe.style.getPropertyValue(name)]).filter(([, value]) => value && !/url\(/i.test(value)).map((pair) => pair.join(":")).join(";");
}

// The text of the editor as a plain message has it: a line for each block, dashes for lists, marks for quotations.
function plainOf(node, mark = "") {
  let out = "";
  for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) out += child.data.replaceAll("\u00a0", " ");
    else if (child.localName === "br") out += child.nextSibling ? "\n" : "";
    else if (child.localName === "img") out += child.alt ? `[${child.alt}]` : "";
    else if (child.localName === "li") out += `${mark}- ${plainOf(child, `${mark}  `).trim()}\n`;
    else if (child.localName === "blockquote") out += `${plainOf(child).trimEnd().replace(/^/gm, "> ").replace(/^> >/gm, ">>")}\n`;
    else if (/^(p|div|h[1-6]|pre|tr)$/.test(child.localName)) out += `${plainOf(child, mark)}\n`;
    else out += plainOf(child, mark);
  }
  return out;
}

function showMode(form, plain) {
  form.toggleAttribute("data-plain", plain);
  form.querySelector(".compose__text").hidden = !plain;
  form.querySelector(".compose__rich").hidden = plain;
  for (const button of form.querySelectorAll("[data-format]")) button.hidden = plain;
  const toggle = form.querySelector('[data-compose="plain"]');
  toggle.textContent = plain ? toggle.dataset.rich : toggle.dataset.plain;
}

export async function togglePlain(state) {
  const { form } = state;
  const plain = form.elements.plain.value !== "1";
  if (plain) form.elements.text.value = withSpace(plainOf(form.querySelector(".compose__rich")));
  form.elements.plain.value = plain ? "1" : "0";
  if (!plain) {
    form.querySelector("[data-html]").value = "";
    await makeRich(state);
  }
  showMode(form, plain);
  (plain ? form.elements.text : state.editor).focus();
  state.changed();
}

// The line above the signature has a space, which the editor takes away.
const withSpace = (text) => text.replace(/^--$(?![\s\S]*^--$)/m, "-- ");

function showFormat({ form, editor }) {
  for (const [name, tag] of [["bold", "B"], ["italic", "I"], ["underline", "U"]]) {
    form.querySelector(`[data-format="${name}"]`).setAttribute("aria-pressed", String(editor.hasFormat(tag)));
  }
}

export function format(state, name) {
  const { editor } = state;
  if (!editor || !name) return;
  const tag = { bold: "B", italic: "I", underline: "U" }[name];
  if (tag && editor.hasFormat(tag)) editor[{ bold: "removeBold", italic: "removeItalic", underline: "removeUnderline" }[name]]();
  else if (name === "link") link(state);
  else editor[name]();
  editor.focus();
}

// A selection that is an address becomes a link to itself; for any other words the address is asked for.
async function link({ editor, form }) {
  const words = editor.getSelectedText().trim();
  const url = linkOf(words) || linkOf(await askLink());
  if (url && form.isConnected) editor.makeLink(url);
  editor.focus();
}

async function askLink() {
  const dialog = document.getElementById("link");
  dialog.returnValue = "";
  dialog.querySelector("input").value = "";
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  return dialog.returnValue === "yes" ? dialog.querySelector("input").value.trim() : "";
}
