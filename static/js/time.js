// The server writes times in the zone of this browser, which a cookie tells it. "Today" and "yesterday" are the server's words: when the day changes under an open page, its lists are read again.
const CHECK_MS = 60_000;
const dayOf = () => new Date().toDateString();

export function start() {
  tellZone();
  let shown = dayOf();
  const check = () => {
    if (document.hidden || shown === dayOf()) return;
    shown = dayOf();
    for (const list of document.querySelectorAll("[data-behaviour~=list]")) list.dispatchEvent(new CustomEvent("casilla:reload"));
  };
  setInterval(check, CHECK_MS);
  document.addEventListener("visibilitychange", check);
}

// A page of the application that was written before the zone was known is read once more.
function tellZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const told = `zone=${zone}`;
  const knows = () => document.cookie.split("; ").includes(told);
  if (!zone || knows()) return;
  document.cookie = `${told}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
  if (knows() && document.querySelector(".app")) location.reload();
}
