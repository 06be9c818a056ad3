// A popover menu: placed at its button, arrow keys move in it, choosing closes it. Opening, light dismissal and giving
// focus back are the browser's.
export function bind(menu) {
  // What is placed is not kept: htmx would copy the style to the menu that comes in its stead, which the policy forbids.
  menu.addEventListener("toggle", (event) => (event.newState === "open" ? place(menu) : menu.removeAttribute("style")));
  menu.addEventListener("click", (event) => event.target.closest("a, button") && menu.hidePopover());
  menu.addEventListener("keydown", (event) => {
    const items = itemsOf(menu);
    const at = items.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    items.at(next % items.length)?.focus();
  });
}

const itemsOf = (menu) => [...menu.querySelectorAll("a, button")].filter((item) => item.checkVisibility());

function place(menu) {
  const opener = [...document.querySelectorAll(`[popovertarget="${menu.id}"]`)].find((item) => item.checkVisibility());
  const box = opener?.getBoundingClientRect();
  if (box) {
    const start = document.dir === "rtl" ? box.right - menu.offsetWidth : box.left;
    const below = box.bottom + 4 + menu.offsetHeight <= innerHeight;
    menu.style.left = `${Math.max(8, Math.min(start, innerWidth - menu.offsetWidth - 8))}px`;
    menu.style.top = `${below ? box.bottom + 4 : Math.max(8, box.top - menu.offsetHeight - 4)}px`;
  }
  (menu.querySelector("[aria-current]") ?? itemsOf(menu)[0])?.focus();
}
