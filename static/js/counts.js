// Numbers of unread messages that follow what this page did: the event says how many a folder had and has, nothing is asked for.

// False when the page does not show what there was: then it has to ask.
export function setUnread(folder, was, unread, words) {
  if (was === unread) return true;
  const item = document.querySelector(`#tree li[data-folder="${CSS.escape(folder)}"]`);
  const link = item?.querySelector("a.tree__item");
  const number = link?.querySelector(".tree__n:not([data-all])");
  if (!number || Number(number.firstElementChild.textContent.replace(/\D/g, "")) !== was) return false;
  const text = unread === 1 ? words.unreadOne : words.unreadMany.replace("#", unread.toLocaleString(document.documentElement.lang));
  if (unread) {
    number.firstElementChild.textContent = unread;
    number.lastElementChild.textContent = text;
  } else {
    number.remove();
    link.removeAttribute("data-unread");
  }
  const bar = link.hasAttribute("aria-current") && document.getElementById("bar-unread");
  if (bar) bar.textContent = unread ? `, ${text}` : "";
  if (link.dataset.go === "inbox") document.dispatchEvent(new CustomEvent("casilla:unread", { detail: unread }));
  return true;
}
