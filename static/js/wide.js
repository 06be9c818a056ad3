// A table that is wider than the window scrolls sideways; then it can be reached by key, as the arrows move what has focus.
const scrolls = (table) => table.scrollWidth > table.clientWidth + 1 && getComputedStyle(table).overflowX === "auto";

export function start() {
  const look = () => document.querySelectorAll("main .table").forEach((table) => (scrolls(table) ? (table.tabIndex = 0) : table.removeAttribute("tabindex")));
  new ResizeObserver(look).observe(document.documentElement);
  document.addEventListener("htmx:after:swap", look);
}
