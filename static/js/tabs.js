// Tabs in a row that scrolls begin at the one whose page this is.
export function start() {
  for (const tabs of document.querySelectorAll(".tabs")) {
    const here = tabs.querySelector("[aria-current]");
    if (!here || tabs.scrollWidth <= tabs.clientWidth) continue;
    const middle = here.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - here.offsetWidth) / 2;
    tabs.scrollLeft = middle;
  }
}
