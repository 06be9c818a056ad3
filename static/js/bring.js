// While a file is on its way and taken in, the page tells how far it is; the browser goes to the result by itself.
const EVERY_MS = 1000;

export function bind(form) {
  const place = form.querySelector("[data-bring-progress]");
  form.addEventListener("submit", () => {
    place.hidden = false;
    for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
    const timer = setInterval(async () => {
      const answer = await fetch(form.dataset.progress, { headers: { "X-Requested-With": "fetch" } }).catch(() => null);
      if (answer?.ok && !answer.redirected) place.innerHTML = await answer.text();
    }, EVERY_MS);
    addEventListener("pagehide", () => clearInterval(timer), { once: true });
  });
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}
