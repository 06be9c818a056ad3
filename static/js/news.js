// What came into the Inbox: read out (the element stands in a live region), counted in the title and on the tab's icon, and told
// on the desktop where that is wanted and nobody looks at the page.
import * as live from "casilla/live";
import { notify } from "casilla/notify";

const ICON_PX = 32;
const READ_OUT_MS = 20_000; // how long words stand in the live region
let unread = null;
let icon = null;

export function start() {
  document.addEventListener("casilla:unread", ({ detail }) => {
    if (unread !== null) count(detail);
  });
  document.addEventListener("htmx:after:swap", () => unread !== null && title());
}

export function bind(news) {
  live.remember(news.dataset.mark);
  count(Number(news.dataset.unread));
  const messages = [...news.querySelectorAll("[data-ref]")];
  if (messages.length) notify(news.dataset.mark, news.dataset.many, messages);
  document.getElementById("news").dataset.mark = news.dataset.mark;
  setTimeout(() => news.remove(), messages.length ? READ_OUT_MS : 0);
}

function count(now) {
  const changed = unread !== now;
  unread = now;
  title();
  if (changed) drawIcon();
}

// The number of the Inbox stands before the title of whatever is open; the server's own, of the open folder, would be another.
function title() {
  let words = document.title.replace(/^\(\d+\) /, "");
  if (document.querySelector(".app")?.dataset.view === "list") words = words.replace(/ \([\d.,\s]+\)(?= · [^·]*$)/, "");
  const wanted = unread ? `(${unread}) ${words}` : words;
  if (document.title !== wanted) document.title = wanted;
}

async function drawIcon() {
  const link = document.querySelector('link[rel="icon"]');
  if (!link) return;
  icon ??= { href: link.href, type: link.type, image: Object.assign(new Image(), { src: link.href }) };
  if (!unread) return Object.assign(link, { href: icon.href, type: icon.type });
  await icon.image.decode().catch(() => {});
  const canvas = Object.assign(document.createElement("canvas"), { width: ICON_PX, height: ICON_PX });
  const pen = canvas.getContext("2d");
  pen.drawImage(icon.image, 0, 2, ICON_PX, ICON_PX - 4);
  const text = unread > 99 ? "99+" : String(unread);
  const width = 10 + 8 * text.length;
  pen.fillStyle = "#a63a2c";
  pen.beginPath();
  pen.roundRect(ICON_PX - width, ICON_PX - 18, width, 18, 9);
  pen.fill();
  pen.fillStyle = "#fff";
  pen.font = "bold 14px sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(text, ICON_PX - width / 2, ICON_PX - 8.5);
  return Object.assign(link, { href: canvas.toDataURL(), type: "image/png" });
}
