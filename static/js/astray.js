// The open message is not there any more: another program removed it. Its text stays, what would need the message goes, and a key
// that would act on it leads to the words that say so.
const NEEDS = [
  "form[data-change-open] :is(button, .sep)",
  "form[data-change-open] a:not([data-back], [hx-get])",
  ":is(#message-menu, .m-tools, .pane__foot)",
  ".thread > .letter :is(a[download], [data-part], [hx-get], .place button)", // not in another of its conversation
].map((selector) => `#reader ${selector}`).join(", ");
const STALE = "#letter-state, #reader :is(.bar__sub, .m-bar .sub, .thread > .letter .frank .end)"; // where it was
const KEYS = new Set(["e", "#", "Delete", "s", "u", "v", "!", "r", "a", "f", "F", "b"]);

const letterNow = () => document.querySelector("#reader [data-reader]");

export function bind(note) {
  const letter = note.closest("[data-reader]");
  if (letter?.dataset.ref !== note.dataset.ref || "leaving" in letter.dataset) return note.remove(); // another by now, or we did it
  if ("astray" in letter.dataset) return;
  letter.dataset.astray = "";
  const controls = [...document.querySelectorAll(NEEDS)];
  const focused = controls.some((control) => control.contains(document.activeElement));
  for (const link of letter.querySelectorAll(".thread > .letter a[data-preview]")) link.removeAttribute("href");
  for (const control of controls) control.remove();
  for (const words of document.querySelectorAll(STALE)) words.replaceChildren();
  for (const line of letter.querySelectorAll(".thread > .letter .frank")) if (!line.textContent.trim()) line.remove();
  if (focused) letter.querySelector("#subject").focus({ preventScroll: true });
}

// True when the message that an action is meant for is the open one and is not there; then it is said again.
export function isAstray(one) {
  if (!one?.matches?.("[data-reader][data-astray]")) return false;
  one.querySelector("#letter-astray > *")?.focus();
  return true;
}

// The same for keys, which are meant for the open message unless the keyboard is in the list.
export const refuses = (key) => KEYS.has(key) && !document.activeElement?.closest("#list .row") && !document.querySelector("#list .row[data-checked]") && isAstray(letterNow());
