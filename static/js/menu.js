// A popover menu: placed at its button, arrow keys move in it.
export function bind(menu) {
  menu.addEventListener("toggle", (event) => event.newState === "open" && place(menu));
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.querySelectorAll("a, button")];
    const at = items.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    items.at(next % items.length)?.focus();
  });
  menu.addEventListener("click", (event) => event.target.closest("a, button") && menu.hidePopover());
}

function place(menu) {
  const opener = [...document.querySelectorAll(`[popovertarget="${menu.id}"]`)].find((item) => item.checkVisibility());
  const box = opener?.getBoundingClientRect();
  if (box) {
    const left = Math.min(box.left, innerWidth - menu.offsetWidth - 8);
    const below = box.bottom + 4 + menu.offsetHeight <= innerHeight;
    menu.style.left = `${Math.max(8, left)}px`;
    menu.style.top = `${below ? box.bottom + 4 : Math.max(8, box.top - menu.offsetHeight - 4)}px`;
  }
  menu.querySelector("[aria-current], a, button")?.focus();
}
