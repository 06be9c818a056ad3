// "3 min ago" and "in 7 min" stay true while the page is open. The words for it are the browser's, in the page's language.
const TURN_MS = 20_000;
const MINUTE = 60_000;
const away = (element) => Math.round((Date.parse(element.dateTime) - Date.now()) / MINUTE);

export function bind(element) {
  const format = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { style: "short", numeric: "auto" });
  let written = { at: element.dateTime, minutes: away(element) }; // the server's words are true until they change
  const timer = setInterval(() => {
    if (!element.isConnected) return clearInterval(timer);
    const now = { at: element.dateTime, minutes: away(element) };
    const same = now.at !== written.at || now.minutes === written.minutes;
    written = now;
    if (!same && Math.abs(now.minutes) < 60) element.textContent = format.format(now.minutes, "minute");
  }, TURN_MS);
}
