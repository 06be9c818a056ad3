// "Today" and "yesterday" are the server's words: when the day changes under an open page, its lists are read again.
const CHECK_MS = 60_000;
const dayOf = () => new Date().toDateString();

export function start() {
  let shown = dayOf();
  const check = () => {
    if (document.hidden || shown === dayOf()) return;
    shown = dayOf();
    for (const list of document.querySelectorAll("[data-behaviour~=list]")) list.dispatchEvent(new CustomEvent("casilla:reload"));
  };
  setInterval(check, CHECK_MS);
  document.addEventListener("visibilitychange", check);
}
