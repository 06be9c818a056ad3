// Sending later: some moments that people mean, and any other. The moment goes out with its zone.
const LAST_HOUR_TODAY = 20;

export function bindLater(form) {
  const field = form.querySelector("[data-later-field]");
  const items = form.querySelectorAll("[data-later]");
  if (!field) return;
  for (const item of items) {
    showWhen(item);
    item.addEventListener("click", (event) => {
      const when = item.dataset.later === "field" ? new Date(field.value) : moment(item.dataset.later);
      if (!Number.isNaN(when.getTime())) return sendAt(form, when);
      event.stopPropagation(); // the menu stays open
      field.focus();
    });
  }
}

function sendAt(form, when) {
  form.querySelector("[data-send-at]").value = when.toISOString();
  form.requestSubmit(form.querySelector('[data-compose="send"]'));
}

function moment(name) {
  const when = new Date();
  if (name === "today") when.setHours(Math.max(15, when.getHours() + 2), 0, 0, 0);
  else {
    when.setDate(when.getDate() + (name === "tomorrow" ? 1 : ((8 - when.getDay()) % 7) || 7));
    when.setHours(8, 0, 0, 0);
  }
  return when;
}

function showWhen(item) {
  const place = item.querySelector("[data-when]");
  if (!place) return;
  const when = moment(item.dataset.later);
  const shown = { weekday: "short", hour: "2-digit", minute: "2-digit" };
  place.textContent = when.toLocaleString(document.documentElement.lang, shown);
  item.hidden = item.dataset.later === "today" && (when.getHours() > LAST_HOUR_TODAY || when.getDate() !== new Date().getDate());
}
